import { nearest } from '../../text/nearest.ts';
import { cipherWords, knownSomewhere } from '../../tls/cipher-string.ts';

/** Names in cipher strings that no OpenSSL ever knew, and what they were meant to be. */

/** Most words of a list that are looked up; no list of sense is longer. */
export const MOST_WORDS = 500;

/** Most unknown words for which the nearest name is looked for. */
const MOST_GUESSED = 20;

/** What Postfix itself excludes in its defaults although no OpenSSL knows it. */
const HARMLESS: ReadonlySet<string> = new Set(['RC5']);

/**
 * Names that are more than a letter away from what they were. The last three are the two halves of
 * KRB5-DES-CBC3-SHA, which was broken over two lines in a list that was copied into many servers.
 */
const CONFUSIONS: Readonly<Record<string, string>> = {
  PSD: 'PSK',
  'CBC3-SHA': 'DES-CBC3-SHA',
  'KRB5-DE5': 'KRB5-DES-CBC3-SHA',
  'KRB5-DES': 'KRB5-DES-CBC3-SHA',
};

/** True for a name, or names joined by `+`, of which one part is unknown to every OpenSSL. */
export function isUnknownName(word: string): boolean {
  return word.split('+').some((part) => !HARMLESS.has(part) && knownSomewhere(part).length === 0);
}

/** What unknown names were meant to be; those are left out for which several names could be. */
export function meantNames(unknown: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    unknown.slice(0, MOST_GUESSED).flatMap((word): [string, string][] => {
      const name = meantName(word);
      return name === null ? [] : [[word, name]];
    }),
  );
}

/** The name that was meant, or null where several could be. */
function meantName(word: string): string | null {
  const parts = word.split('+').map((part) => {
    if (HARMLESS.has(part) || knownSomewhere(part).length > 0) return part;
    return CONFUSIONS[part.toUpperCase()] ?? nearest(part, cipherWords());
  });
  return parts.every((part) => part !== null) ? parts.join('+') : null;
}

/** The data by which messages tell of unknown names. */
export function aboutUnknown(
  unknown: readonly string[],
  meant: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> {
  return {
    words: unknown.slice(0, 5),
    count: unknown.length,
    more: Math.max(0, unknown.length - 5),
    meant: [...meant].slice(0, 5).map(([word, name]) => `${name} for ${word}`),
    clear: meant.size,
  };
}
