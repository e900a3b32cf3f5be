/**
 * The variables of 2.2 and 2.3, `%u` and its kin, and the programs of 2.4 that mean the same.
 *
 * Sources: var-expand.c of 2.3.19.1 (one letter, with a modifier and a width), var-expand-lexer.l of 2.4;
 * what 2.4 makes of the programs was looked at with `doveconf` of 2.4.1 and 2.4.5.
 */

/** Settings whose `%` is for strftime(3). */
export const STRFTIME_SETTINGS: ReadonlySet<string> = new Set(['log_timestamp']);

/** `%u`, `%Lu`, `%1n` and their kin; `%%` is a plain sign. */
const OLD_VARIABLE = /%%|%([A-Z]?)([0-9]*(?:\.[0-9]+)?)([a-z])(?![A-Za-z])/g;

/** The programs of 2.4 that mean the same. */
const NEW_VARIABLES: Readonly<Record<string, string>> = {
  u: 'user',
  n: 'user | username',
  d: 'user | domain',
  h: 'home',
};

/** Letters that 2.3 knew in mail settings, so that others are a text of the user's own. */
const OLD_LETTERS = new Set('undhsprlwicamkb');

/** Variables of one letter in a value. */
export interface OldVariables {
  /** As written, each once: `%u`, `%1n`. */
  readonly found: readonly string[];
  /** The value with programs in their place; null where one of them has none that means the same. */
  readonly written: string | null;
}

/** What a value of 2.2 or 2.3 refers to by a letter, and how 2.4 has it. */
export function oldVariables(value: string): OldVariables {
  const found = new Set<string>();
  let exact = true;
  const written = value.replace(
    OLD_VARIABLE,
    (whole: string, modifier: string, width: string, letter: string | undefined) => {
      if (letter === undefined || !OLD_LETTERS.has(letter)) return whole;
      found.add(whole);
      const program = NEW_VARIABLES[letter];
      if (program === undefined || width !== '' || (modifier !== '' && modifier !== 'L')) {
        exact = false;
        return whole;
      }
      return `%{${program}${modifier === 'L' ? ' | lower' : ''}}`;
    },
  );
  return { found: [...found], written: exact ? written : null };
}
