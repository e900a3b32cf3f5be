/**
 * Finds what was probably meant: the candidate that takes the fewest typing errors to become `word`.
 *
 * Errors are a letter too many, missing, wrong, or swapped with its neighbour (Damerau-Levenshtein, no
 * letter touched twice); capitals do not count. One error is allowed in words of up to four letters,
 * two in words of up to nine, three in longer ones.
 *
 * @returns the one nearest candidate; null when none is near enough, or several are equally near
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const typed = word.toLowerCase();
  let limit = typed.length <= 4 ? 1 : typed.length <= 9 ? 2 : 3;
  let best: string | null = null;
  let unique = true;
  const letters = Array.from({ length: LETTERS }, () => 0);
  for (let at = 0; at < typed.length; at++) {
    const letter = typed.charCodeAt(at) % LETTERS;
    letters[letter] = (letters[letter] ?? 0) + 1;
  }
  for (const candidate of candidates) {
    if (
      Math.abs(candidate.length - typed.length) > limit ||
      lettersMissing(letters, candidate, limit) > limit
    )
      continue;
    const errors = distance(typed, candidate.toLowerCase(), limit);
    if (errors > limit || candidate === best) continue;
    unique = best === null || errors < limit;
    best = candidate;
    limit = errors;
    // The first candidate lowers the limit to its own distance: from then on, equal means a tie.
  }
  return unique ? best : null;
}

/** Letters are counted in as many places: where some share one, fewer seem to be missing. */
const LETTERS = 32;

/** How many letters of the candidate the typed word does not have, at least, or more than `limit`: never more than there are errors, and soon counted. */
function lettersMissing(letters: readonly number[], candidate: string, limit: number): number {
  const left = letters.slice();
  const text = candidate.toLowerCase();
  let missing = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at) % LETTERS;
    const count = left[letter] ?? 0;
    if (count > 0) left[letter] = count - 1;
    else if (++missing > limit) break;
  }
  return missing;
}

/** Errors between two texts, or `limit + 1` as soon as it is clear that there are more than `limit`. */
function distance(a: string, b: string, limit: number): number {
  const tooMany = limit + 1;
  if (Math.abs(a.length - b.length) > limit) return tooMany;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let errors = Math.min(
        (last[j] ?? tooMany) + 1,
        (row[j - 1] ?? tooMany) + 1,
        (last[j - 1] ?? tooMany) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        errors = Math.min(errors, (before[j - 2] ?? tooMany) + 1);
      }
      row.push(errors);
      least = Math.min(least, errors);
    }
    if (least > limit) return tooMany;
    before = last;
    last = row;
  }
  return last[b.length] ?? tooMany;
}
