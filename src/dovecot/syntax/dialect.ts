import type { Release } from '../../model/release.ts';
import { hasDovecotFeature } from '../releases.ts';

/** How the lines of a release are to be taken apart. */
export interface Dialect {
  /** Whether a character is stripped, and separates: blank and tab, or all that C calls space. */
  readonly isBlank: (code: number) => boolean;
  /** A key may stand in double quotes. */
  readonly quotedKeys: boolean;
  /** Backslashes in a quoted key are taken out. */
  readonly keyEscapes: boolean;
  /** Only a backslash and a double quote may follow a backslash; before, any character might. */
  readonly strictEscapes: boolean;
  /** A `$` anywhere in an unquoted value may refer to something; before, only one at its start. */
  readonly variablesAnywhere: boolean;
  readonly groups: boolean;
  readonly heredoc: boolean;
}

const isBlankOrTab = (code: number): boolean => code === 0x20 || code === 0x09;
const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

/** The dialect of a release: one and the same for all releases that take lines apart alike. */
export function dialectOf(release: Release): Dialect {
  let dialect = byRelease.get(release);
  if (dialect === undefined) {
    const made = makeDialect(release);
    dialect = [...byRelease.values()].find((other) => isAlike(made, other)) ?? made;
    byRelease.set(release, dialect);
  }
  return dialect;
}

const byRelease = new Map<Release, Dialect>();

function isAlike(one: Dialect, other: Dialect): boolean {
  return (Object.keys(one) as (keyof Dialect)[]).every((key) => one[key] === other[key]);
}

function makeDialect(release: Release): Dialect {
  return {
    isBlank: hasDovecotFeature(release, 'spaceIsAnyBlank') ? isSpace : isBlankOrTab,
    quotedKeys: hasDovecotFeature(release, 'quotedKeys'),
    keyEscapes: hasDovecotFeature(release, 'keyEscapes'),
    strictEscapes: hasDovecotFeature(release, 'strictEscapes'),
    variablesAnywhere: hasDovecotFeature(release, 'variablesAnywhere'),
    groups: hasDovecotFeature(release, 'groups'),
    heredoc: hasDovecotFeature(release, 'heredoc'),
  };
}
