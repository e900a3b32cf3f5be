import { exclusionWords } from '../../postfix/cipher-settings.ts';

/** New texts for lists of exclusions: the author's words, their order and what separates them stay. */

/** What separates words where nothing shows the author's habit. */
const SEPARATOR = ', ';

/** Words of a list as it is written, without the references that stand among them. */
export function writtenWords(raw: string): readonly { readonly text: string; readonly at: number }[] {
  return exclusionWords(raw).filter(({ text }) => !isReference(text));
}

function isReference(word: string): boolean {
  return /[${}()?]/.test(word);
}

/**
 * The list with some of its words replaced; what separated a word that goes from the one before it goes too.
 *
 * @param meant the new word for a word; the same word to keep it; null takes it away
 */
export function withWords(raw: string, meant: (word: string) => string | null): string {
  const words = exclusionWords(raw);
  const present = new Set(words.map(({ text }) => text));
  let text = '';
  let end = 0;
  for (const word of words) {
    const wanted = isReference(word.text) ? word.text : meant(word.text);
    const before = raw.slice(end, word.at);
    end = word.at + word.text.length;
    // A word that is put right may stand there already.
    if (wanted === null || (wanted !== word.text && present.has(wanted))) continue;
    text += `${text === '' ? '' : before}${wanted}`;
    present.add(wanted);
  }
  return text;
}

/** The list with words added at its end. */
export function withAdded(raw: string, words: readonly string[]): string {
  const kept = raw.trim().replace(/[\s,:]+$/, '');
  if (words.length === 0) return raw;
  if (kept === '') return words.join(SEPARATOR);
  const separator = habit(raw);
  return [kept, ...words].join(separator);
}

/** What stands between the words: a comma or colon, with a blank or without; else a blank. */
function habit(raw: string): string {
  const words = exclusionWords(raw);
  const between = words.slice(1).flatMap(({ at }, index) => {
    const before = words[index];
    const text = before === undefined ? '' : raw.slice(before.at + before.text.length, at);
    return /^[ ,:]{1,2}$/.test(text) ? [text] : [];
  });
  return between.find((text) => text !== ' ') ?? between[0] ?? SEPARATOR;
}
