/** What the listings of all releases have in common: quoting and order (doveconf.c). */

/** One line or block of a listing, with the text that decides on its place. */
export interface ListingEntry {
  /** `key=` or `type/name/`. */
  readonly order: string;
  readonly lines: readonly string[];
}

const INDENT = '  ';

/** A value as doveconf prints it: in quotes where it would not be read back otherwise. */
export function listedValue(value: string, isBlank: (char: string) => boolean): string {
  const [first] = value;
  const last = value.at(-1);
  if (first === undefined || last === undefined) return '';
  return value.includes('#') || isBlank(first) || isBlank(last) ? quoted(value) : value;
}

/** A text in double quotes, with backslashes before what str_escape() escapes. */
export function quoted(text: string): string {
  return `"${text.replace(/["'\\]/g, String.raw`\$&`)}"`;
}

/** `header {`, the lines and `}`; nothing where there are no lines. */
export function block(header: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${header} {`, ...lines.map(indented), '}'];
}

function indented(line: string): string {
  return INDENT + line;
}

/** The lines of entries in doveconf's order: by bytes, `=` before all others. */
export function sortedLines(entries: readonly ListingEntry[]): string[] {
  return [...entries].sort((a, b) => compareKeys(a.order, b.order)).flatMap(({ lines }) => lines);
}

/** config_string_cmp(): bytes are signed, so that what is not ASCII comes first. */
function compareKeys(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return rank(a, at) - rank(b, at);
}

function rank(text: string, at: number): number {
  if (at >= text.length) return -Infinity;
  const code = text.charCodeAt(at);
  if (code === 0x3d) return -0x20000;
  return code < 0x80 ? code : code - 0x10000;
}
