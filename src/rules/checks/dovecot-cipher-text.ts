/** Texts of `ssl_cipher_list`: the author's words, their order and what separates them stay. */

/** One item of a list: its name, the operators before it, and where the name stands. */
export interface ListItem {
  /** `!`, `-`, `+` or nothing. */
  readonly operator: string;
  /** Empty for a command: `@STRENGTH`. */
  readonly name: string;
  readonly at: number;
}

/** The items of a cipher string; what separates them is a colon, comma, semicolon or blank (ssl_ciph.c). */
export function listItems(text: string): readonly ListItem[] {
  return [...text.matchAll(/([!+-]*)([^\s:,;@!]*)(@[^\s:,;]*)?/g)].flatMap((match): ListItem[] => {
    const [, operator = '', name = ''] = match;
    return name === '' ? [] : [{ operator, name, at: match.index + operator.length }];
  });
}

/** The list with names replaced. */
export function withNames(text: string, meant: ReadonlyMap<string, string>): string {
  let result = '';
  let end = 0;
  for (const { name, at } of listItems(text)) {
    result += text.slice(end, at) + (meant.get(name) ?? name);
    end = at + name.length;
  }
  return result + text.slice(end);
}

/** The list with exclusions at its end, in the author's way to separate items. */
export function withExclusions(text: string, items: readonly string[]): string {
  const kept = text.replace(/[\s:,;]+$/, '');
  const [separator = ':'] = kept.includes(':') ? [] : (/[,;]|[ \t]/.exec(kept) ?? []);
  return [kept, ...items.map((item) => `!${item}`)].filter((part) => part !== '').join(separator);
}

/** The list without its security level. */
export function withoutLevel(text: string): string {
  return text
    .replace(/(^|[:,; \t]*)@SECLEVEL=[0-9]/g, '')
    .replace(/^[:,; \t]+/, '')
    .trim();
}
