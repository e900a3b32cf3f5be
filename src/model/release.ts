/**
 * Releases of Postfix, Dovecot and OpenSSL, and how they are ordered.
 *
 * A release is the text that the program itself prints: `3.7.11`, `3.12-20260821`, `1.1.1w`.
 */

/** The number of a release as its program prints it: `3.7.11`, `2.3.19.1`, `1.1.1w`, `3.12-20260821`. */
export type Release = string;

/** A number and the letters that follow it, `1w` of `1.1.1w`. */
const PART = /(\d+)([a-z]*)/gi;

/** What a release may look like: numbers with dots, letters after the last, a dated or named suffix. */
const RELEASE = /^\d+(?:\.\d+)+[a-z]*\d*(?:[-_+~][a-z0-9.]+)*$/i;

/**
 * Orders two releases, number by number: a missing number counts as 0 (`3.4` equals `3.4.0`), numbers
 * are numbers (`3.11` follows `3.9`), and letters follow none (`1.1.1w` follows `1.1.1`). A suffix decides
 * between equal numbers and follows none: the snapshot `3.12-20260821` has what `3.12` has, and comes
 * before `3.12.1`.
 *
 * @returns below 0 when `a` is older, above 0 when it is newer, 0 when they are the same release
 */
export function compareReleases(a: Release, b: Release): number {
  const left = read(a);
  const right = read(b);
  return compareParts(left.numbers, right.numbers) || compareParts(left.suffix, right.suffix);
}

/** Whether a release is `bound` or newer. */
export function atLeast(release: Release, bound: Release): boolean {
  let answers = reached.get(release);
  if (answers === undefined) {
    answers = new Map();
    reached.set(release, answers);
  }
  let answer = answers.get(bound);
  if (answer === undefined) {
    answer = compareReleases(release, bound) >= 0;
    answers.set(bound, answer);
  }
  return answer;
}

// The tables ask for the same few bounds of a release again and again.
const reached = new Map<Release, Map<Release, boolean>>();

/**
 * Reads what a user writes after `--postfix-version` and its kin.
 *
 * @param text such as `3.7.11`, `v3.7` or ` 1.1.1w `: blanks around it and a `v` before it are dropped
 * @returns the release, or null when the text is none; a lone number (`3`) is none
 */
export function parseRelease(text: string): Release | null {
  const release = text.trim().replace(/^v/i, '');
  return RELEASE.test(release) ? release : null;
}

/**
 * Whether a release lies in a range as rule files write it.
 *
 * @param range `*` for all, or bounds `>=3.6`, `>3.6`, `<=3.6`, `<3.6`, `=3.6` that must all hold,
 *   separated by blanks: `>=2.9 <3.4`
 * @throws Error when the range is not of this form: a rule file with such a range is wrong
 */
export function inRange(release: Release, range: string): boolean {
  const bounds = range.trim();
  if (bounds === '*') return true;
  return bounds.split(/\s+/).every((bound) => {
    const [, operator, text = ''] = /^(>=|>|<=|<|=)(\d.*)$/.exec(bound) ?? [];
    const limit = parseRelease(text);
    if (operator === undefined || limit === null) throw new Error(`not a range of releases: "${range}"`);
    const order = compareReleases(release, limit);
    switch (operator) {
      case '>=':
        return order >= 0;
      case '>':
        return order > 0;
      case '<=':
        return order <= 0;
      case '<':
        return order < 0;
      default:
        return order === 0;
    }
  });
}

/**
 * When something came: with a release, and perhaps before that in patches of older branches.
 *
 * A back-port `3.8.4` means that the branch 3.8 has it from its fourth patch on: 3.8.3 does not, 3.8.5
 * does, and 3.7.20 does not unless a patch of 3.7 is listed as well.
 */
export interface Arrival {
  /** The first release that had it from the start; null: older than all that is known. */
  readonly since: Release | null;
  /** The first patch of each older branch that has it. */
  readonly patches: readonly Release[];
}

/** Whether a release has what came with `arrival`. */
export function hasArrived(release: Release, arrival: Arrival): boolean {
  if (arrival.since === null || atLeast(release, arrival.since)) return true;
  return arrival.patches.some((patch) => sameBranch(patch, release) && atLeast(release, patch));
}

/** A number and the letters that follow it: `1w`. */
interface Part {
  readonly number: number;
  readonly letters: string;
}

interface ReadRelease {
  readonly numbers: readonly Part[];
  readonly suffix: readonly Part[];
}

const NOTHING: Part = { number: 0, letters: '' };

// One run compares a few hundred releases, the bounds of the tables, some ten thousand times.
const readBefore = new Map<Release, ReadRelease>();

function read(release: Release): ReadRelease {
  let found = readBefore.get(release);
  if (!found) {
    const end = release.search(/[-_+~]/);
    found =
      end < 0
        ? { numbers: parts(release), suffix: [] }
        : { numbers: parts(release.slice(0, end)), suffix: parts(release.slice(end)) };
    readBefore.set(release, found);
  }
  return found;
}

function parts(text: string): Part[] {
  return Array.from(text.matchAll(PART), ([, number, letters]) => ({
    number: Number(number),
    letters: (letters ?? '').toLowerCase(),
  }));
}

function compareParts(left: readonly Part[], right: readonly Part[]): number {
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const { number: m, letters: x } = left[i] ?? NOTHING;
    const { number: n, letters: y } = right[i] ?? NOTHING;
    if (m !== n) return m - n;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** Whether the first two numbers are the same: patches of one branch share them. */
function sameBranch(a: Release, b: Release): boolean {
  return compareParts(read(a).numbers.slice(0, 2), read(b).numbers.slice(0, 2)) === 0;
}
