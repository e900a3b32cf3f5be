import type { Location } from '../text/source.ts';
import type { IncludeCode } from './load.ts';
import type { FatalSyntax } from './syntax/tree.ts';

/** What makes the server refuse a configuration. */
export type DovecotFaultCode =
  | FatalSyntax
  | IncludeCode
  /** A name that this release does not know there. */
  | 'unknown-setting'
  /** A value that its type does not take. */
  | 'bad-value'
  /** A section where none may stand, or of a setting that is no section. */
  | 'section-misplaced'
  /** 2.4: a section that needs a name has none, or one that takes none has one. */
  | 'section-name'
  /** `}` without a section. */
  | 'unexpected-end'
  /** A section without its `}`. */
  | 'section-unclosed'
  /** A filter inside one that it may not stand in, or a network that cannot be read. */
  | 'bad-filter'
  /** A setting of the authentication process inside local, local_name or remote. */
  | 'auth-in-network'
  /** `$name` or `$SET:name` that refers to nothing, to what is no text, or to itself. */
  | 'bad-reference'
  /** `= <file` that cannot be read; only told where files are looked at. */
  | 'file-missing'
  /** 2.4: `%{…}` that cannot be read. */
  | 'bad-variable-program'
  /** 2.4: the first line is not dovecot_config_version. */
  | 'config-version-missing'
  /** 2.4: a version that this release does not know. */
  | 'config-version-unknown'
  /** 2.4: a second, different version. */
  | 'config-version-changed'
  | 'storage-version-missing'
  /** 2.4: a group that is not there, or where it may not stand. */
  | 'bad-group'
  /** 2.4: a section lacks the setting that it cannot be without. */
  | 'required-missing'
  /** Settings that do not go together, found when all is read. */
  | 'check-failed';

/** One reason for which the server refuses a configuration. */
export interface DovecotFault {
  readonly code: DovecotFaultCode;
  readonly at: Location;
  /** The setting or section concerned, as written; null where there is none. */
  readonly name: string | null;
  /** What doveconf says behind the file and line. */
  readonly says: string;
  /** The file and line that doveconf names; null where it names the configuration as a whole. */
  readonly blamed: { readonly path: string; readonly line: number } | null;
}

/** What the server only warns of. */
export type DovecotWarningCode =
  /** A comment without white space before it. */
  | 'ambiguous-comment'
  /** A global setting behind a filter that has it too: it does not count there. */
  | 'global-after-filter'
  /** `ssl = no` counts for all, whatever a filter says. */
  | 'ssl-off-globally'
  /** A name of an older release that is rewritten. */
  | 'obsolete'
  /** A value of an older release that is dropped (an error in the log, and the server goes on). */
  | 'ignored'
  /** Limits that do not go together. */
  | 'limits'
  /** 2.4: a special use of a mailbox that no standard has. */
  | 'special-use';

/** One thing that the server warns of. */
export interface DovecotWarning {
  readonly code: DovecotWarningCode;
  readonly at: Location;
  readonly name: string | null;
  /** What doveconf says. */
  readonly says: string;
  /** The earlier place that it speaks of. */
  readonly other: Location | null;
}
