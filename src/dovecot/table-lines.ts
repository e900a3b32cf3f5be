/**
 * The form of src/dovecot/data/settings.json and services.json: written by src/build/dovecot-tables.ts,
 * read by settings.ts and services.ts. What is equal to its default is left out, so that the files stay
 * small: a lint of a Dovecot host loads them.
 */
import type { Release } from '../model/release.ts';

/**
 * What a value means (settings-parser.h of the releases).
 *
 * - `time` is given in seconds with a unit, `time_msecs` counts in milliseconds; `size` in bytes with a unit;
 *   `uint_oct` is octal where it begins with 0; `in_port` 0 to 65535;
 * - `boollist` and `strlist` are 2.4's lists of words and of pairs; in 2.2 and 2.3 `strlist` is a section of
 *   free names (`plugin`, `dict`);
 * - `file` is a path whose content the server reads (2.4);
 * - `section` is a section of 2.2 and 2.3, `named_filter` and `named_list_filter` are 2.4's: one without a
 *   name, and one that takes a name;
 * - `alias` stands for another setting; `legacy` is a name of 1.x that 2.2 and 2.3 rewrite with a warning.
 */
export type SettingType =
  | 'str'
  | 'bool'
  | 'enum'
  | 'uint'
  | 'uint_oct'
  | 'in_port'
  | 'time'
  | 'time_msecs'
  | 'size'
  | 'file'
  | 'boollist'
  | 'strlist'
  | 'section'
  | 'named_filter'
  | 'named_list_filter'
  | 'alias'
  | 'legacy';

/** What is true from a release on; the oldest first. The first also holds for all releases before it. */
export type Dated<T> = readonly (readonly [value: T, since: Release])[];

/**
 * How a setting that ended is written in the release that ended it:
 *
 * - `rename`: the same value under another name; `same`: the same key still stands inside its section;
 * - `invert`: a boolean that means the opposite; `words`: each word has its successor;
 * - `file`: a value `<path` becomes the path;
 * - `drop`: the line goes, and nothing changes by that;
 * - `mail-location`: one value becomes mail_driver, mail_path and their kin;
 * - `protocols`: the list of ssl_protocols becomes the lowest protocol of ssl_min_protocol;
 * - `fields`: `a=b c=d` becomes the lines of a list of pairs;
 * - `move`: the value goes into a section, which `to` names as a path with slashes;
 * - `decide`: nothing exact; `to` or `note` says where to look.
 */
export type ReplacementKind =
  | 'rename'
  | 'same'
  | 'invert'
  | 'words'
  | 'file'
  | 'drop'
  | 'mail-location'
  | 'protocols'
  | 'fields'
  | 'move'
  | 'decide';

/** What takes the place of a setting. */
export interface ReplacementLine {
  kind: ReplacementKind;
  /** The new name; for what stands inside a section the key inside the section of the same kind. */
  to?: string;
  /** `words`: successor by word; null: the line goes. Also single words that a `rename` changes. */
  words?: Readonly<Record<string, string | null>>;
  /** What a reader should know; makes the replacement one that somebody has to look at. */
  note?: string;
}

/** One setting in the file. */
export interface SettingLine {
  /** Left out: str. */
  type?: SettingType | Dated<SettingType>;
  /** Left out: the empty string. Null: none (sections, filters), or not known. */
  default?: string | null | Dated<string | null>;
  /** Words of an enumeration, the default first. */
  words?: readonly string[] | Dated<readonly string[]>;
  /** The first release that has it; left out: older than 2.2. */
  since?: Release;
  /** The first release that lacks it. */
  until?: Release;
  /** 2.4: doveconf lists it only when it is asked for by name. */
  hidden?: true;
  /** The value is a secret (doveconf hides it). */
  secret?: true;
  /** The default is a path or list that a distribution chooses. */
  build?: true;
  /** 2.4: the default is that of dovecot_config_version. */
  byConfig?: true;
  /** Read by the authentication process: fatal inside local and remote. A release: until then. */
  auth?: true | Release;
  /** 2.4, filters with a name: the setting that the name of the section sets. */
  nameField?: string;
  /** `alias`: the setting that it stands for. */
  alias?: string;
  /** What takes its place where it ended. */
  replaced?: ReplacementLine;
}

/** settings.json. Keys: the name, or `section/name` for what stands inside a section of 2.2 and 2.3. */
export interface SettingsFile {
  settings: Readonly<Record<string, SettingLine>>;
}

/**
 * services.json. Keys: `service/key` or `service/unix_listener/path/key`, where slashes of the path are
 * written `\s` as Dovecot's own sources do; values: the default, null before or after the service has it.
 * Left out: what is equal to the default of the setting itself.
 */
export interface ServicesFile {
  services: Readonly<Record<string, string | Dated<string | null>>>;
  /** Keys of `services` whose default is that of dovecot_config_version (settings-history-core.txt). */
  byConfig: readonly string[];
}
