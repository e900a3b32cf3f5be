import type { SourceFile, Span } from '../../text/source.ts';

/** A letter that looks like a blank, like nothing or like a quotation mark, and is none of them to Postfix. */
export interface LookAlike {
  readonly at: number;
  readonly character: string;
  /** What to write in its place. */
  readonly plain: '' | ' ';
}

/** White space of Unicode is no white space in Postfix: isspace() in the C locale knows ASCII alone. */
const BLANKS =
  '\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
const INVISIBLE = '\u00ad\u200b\u200c\u200d\u2060\ufeff';
const QUOTES = '\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb';
const ANY = new RegExp(`[${BLANKS}${INVISIBLE}${QUOTES}]`, 'g');

const NAMES: Readonly<Record<string, string>> = {
  '\u00a0': 'no-break space',
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero width space',
  '\u200e': 'left-to-right mark',
  '\u2028': 'line separator',
  '\u202f': 'narrow no-break space',
  '\u3000': 'ideographic space',
  '\ufeff': 'byte order mark',
};

/** The letters of a span that are not what they look like. */
export function lookAlikes({ text, encoding }: SourceFile, { start, end }: Span): readonly LookAlike[] {
  const found: LookAlike[] = [];
  for (const match of text.slice(start, end).matchAll(ANY)) {
    const [character] = match;
    const at = start + match.index;
    // In a file that is not UTF-8 most of these codes are parts of other letters.
    if (encoding === 'latin1' && (character !== '\u00a0' || (text.codePointAt(at - 1) ?? 0) > 0x7f)) continue;
    found.push({ at, character, plain: BLANKS.includes(character) ? ' ' : '' });
  }
  return found;
}

/** True for a name that holds such a letter. */
export function hasLookAlike(name: string): boolean {
  return name.search(ANY) >= 0;
}

/** "U+00A0 (no-break space)" */
export function lookAlikeName(character: string): string {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const name =
    NAMES[character] ??
    (QUOTES.includes(character) ? 'typographic quotation mark' : 'white space of Unicode');
  return `${code} (${name})`;
}
