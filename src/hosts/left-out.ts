import type { InputError } from './input-error.ts';

/** A file or folder that would be a configuration, and is left out of a search. */
export interface LeftOut {
  readonly path: string;
  readonly why: keyof typeof LEFT_OUT_BECAUSE;
}

/** What a search comes upon besides places. */
export interface SearchNotes {
  readonly leftOut: LeftOut[];
  /** Folders that could not be searched. */
  readonly problems: InputError[];
}

/** Why something is left out, in words. */
export const LEFT_OUT_BECAUSE = {
  backup: 'a copy, by its name',
  pattern: 'a pattern for the file beside it',
  defaults: 'a list of defaults, by its name',
  postconf: 'lines for postconf -P, which are not read',
  git: 'git ignores it',
} as const;
