import type { Location } from '../text/source.ts';
import type { Filter } from './filter.ts';
import type { DovecotSetting } from './settings.ts';
import type { DovecotFile, SettingStatement, ValueForm } from './syntax/tree.ts';

/** What kind of section a setting stands in. */
export type ScopeKind =
  /** In none. */
  | 'root'
  /** 2.4: a group, whose settings count where it is used. */
  | 'group'
  /** protocol, local, local_name, remote. */
  | 'filter'
  /** 2.2 and 2.3: service, passdb and their kin. 2.4: a filter with a name of its own, or one of a list. */
  | 'section'
  /** A list of words or pairs. */
  | 'list';

/** Where a setting stands, and therefore counts. Sections that are opened twice under one name are one. */
export interface Scope {
  readonly kind: ScopeKind;
  /** `protocol`, `service`, `ssl_server`, `@label`; empty for the root. */
  readonly type: string;
  /** `imap`, `auth`; empty where there is none. */
  readonly name: string;
  readonly parent: Scope | null;
  /** The connections for which it counts. */
  readonly filter: Filter;
  /** The lines that open it, in order; none for what the server has by itself. */
  readonly openings: readonly Location[];
}

/** One `key = value` of the configuration. */
export interface DovecotAssignment {
  /** As written, without quotes. */
  readonly key: string;
  /** The name that the release knows it by: `client_limit` inside a service of 2.3, `service_client_limit` in 2.4. */
  readonly name: string;
  /** Null for free names (`plugin`), and for what the release does not know. */
  readonly setting: DovecotSetting | null;
  readonly scope: Scope;
  /** As the server reads it, references left as they are. */
  readonly written: string;
  /** What it is worth, references replaced; null where one of them refers to nothing. Of a file, `<` and its path. */
  readonly value: string | null;
  readonly form: ValueForm;
  /** From the key to the end of the value. */
  readonly at: Location;
  readonly valueAt: Location;
  readonly file: DovecotFile;
  readonly statement: SettingStatement;
  /** Place in the order of reading, over all files. */
  readonly order: number;
}

/** The scopes from the outermost to this one, the root left out, as a configuration would write them. */
export function scopePath(scope: Scope): readonly string[] {
  if (scope.parent === null) return [];
  const own = scope.name === '' ? scope.type : `${scope.type} ${scope.name}`;
  return [...scopePath(scope.parent), own];
}
