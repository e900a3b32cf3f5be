import type { Release } from '../../model/release.ts';
import { hasDovecotFeature } from '../releases.ts';

/** How the lines of a release are to be taken apart. */
export interface Dialect {
  /** White space that is stripped and that separates: blank and tab, or all that C calls space. */
  readonly blanks: ReadonlySet<string>;
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

const TWO_BLANKS: ReadonlySet<string> = new Set(' \t');
const ANY_BLANK: ReadonlySet<string> = new Set(' \t\n\v\f\r');

/** The dialect of a release. */
export function dialectOf(release: Release): Dialect {
  return {
    blanks: hasDovecotFeature(release, 'spaceIsAnyBlank') ? ANY_BLANK : TWO_BLANKS,
    quotedKeys: hasDovecotFeature(release, 'quotedKeys'),
    keyEscapes: hasDovecotFeature(release, 'keyEscapes'),
    strictEscapes: hasDovecotFeature(release, 'strictEscapes'),
    variablesAnywhere: hasDovecotFeature(release, 'variablesAnywhere'),
    groups: hasDovecotFeature(release, 'groups'),
    heredoc: hasDovecotFeature(release, 'heredoc'),
  };
}
