/**
 * Characters that a terminal would act on or that would change how the rest of a line is read: control
 * characters, bidirectional marks and overrides, zero-width and line separators, the byte order mark.
 */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const ALL_HARMFUL = new RegExp(HARMFUL.source, 'g');

/** One character in a form that can be shown: `␛` for an escape, `<U+202E>` for what has no picture. */
export function shownCharacter(character: string): string {
  if (!HARMFUL.test(character)) return character;
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** A text of which a terminal shows all and obeys nothing. */
export function harmless(text: string): string {
  return HARMFUL.test(text) ? text.replace(ALL_HARMFUL, shownCharacter) : text;
}

/** Harmless, on one line, and cut where it is longer than anybody reads. */
export function shownText(text: string, most = 600): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return harmless(cut.replace(/[ \t]*[\r\n][\s]*/g, ' '));
}

// Wide and full-width characters of East Asia, and what stands on the character before it. The classes of
// Unicode (\p{…}) would say it better and take longer to load than a whole report.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
const COMBINING: readonly (readonly [first: number, last: number])[] = [
  [0x0300, 0x036f],
  [0x0483, 0x0489],
  [0x0591, 0x05bd],
  [0x1ab0, 0x1aff],
  [0x1dc0, 0x1dff],
  [0x20d0, 0x20f0],
  [0xfe00, 0xfe0f],
  [0xfe20, 0xfe2f],
];

/** Columns that a character takes on a terminal. */
export function columnsOf(character: string): number {
  if (character < '\u0300') return character.length;
  // Two units: emoji and the rarer ideographs.
  if (character.length > 1) return 2;
  const code = character.charCodeAt(0);
  if (COMBINING.some(([first, last]) => code >= first && code <= last)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Each character takes one column. */
const PLAIN = /^[ -~]*$/;

/** Whether each character of a text is shown as it is and takes one column. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** Columns of a text. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** Breaks a text at blanks into lines of at most `width` columns; a longer word gets a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  const plain = PLAIN.test(text);
  for (const word of text.split(' ')) {
    const columns = plain ? word.length : widthOf(word);
    if (line !== '' && used + 1 + columns > width) {
      lines.push(line);
      line = word;
      used = columns;
    } else {
      line = line === '' ? word : `${line} ${word}`;
      used += columns + (used === 0 ? 0 : 1);
    }
  }
  return [...lines, line];
}

/** A label and a text beside it, wrapped under its own beginning. */
export function labelled(
  label: string,
  text: string,
  indent: number,
  labelWidth: number,
  width: number,
): string[] {
  const column = indent + labelWidth;
  return wrap(text, Math.max(20, width - column)).map((line, index) =>
    index === 0 ? `${' '.repeat(indent)}${label.padEnd(labelWidth)}${line}` : `${' '.repeat(column)}${line}`,
  );
}

/** "1 error", "3 errors". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
