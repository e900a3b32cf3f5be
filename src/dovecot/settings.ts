/**
 * What Dovecot's settings are called, mean and default to, by release.
 *
 * The tables are data (data/settings.json, made by src/build/dovecot-tables.ts from the facts); here is how
 * they are read. 2.2 and 2.3 have settings within sections, which stand here under the path of the section
 * (`service/unix_listener`, `passdb`, `plugin`); in 2.4 all settings are global, and the section only says
 * for what they count (`unix_listener_mode`). What the section `plugin` of 2.2 and 2.3 holds is free: the
 * table knows the names that the documentation has, any other is as good.
 *
 * A default is that of the release, except for a few of 2.4 that follow `dovecot_config_version`.
 *
 * Sources: the setting tables of the release tags; held against `doveconf -d` of 2.3.13, 2.3.19.1, 2.4.1 and
 * 2.4.5 by test/servers/dovecot-settings.test.ts. Paths that a distribution chooses are those of Debian.
 */
import { atLeast, compareReleases, type Release } from '../model/release.ts';
import settingData from './data/settings.json' with { type: 'json' };
import type { Dated, ReplacementKind, SettingLine, SettingsFile, SettingType } from './table-lines.ts';

export type { ReplacementKind, SettingType } from './table-lines.ts';

/** What takes the place of a setting in the release that ended it. */
export interface Replacement {
  readonly kind: ReplacementKind;
  /** The new name; inside a section the new key; null: none. */
  readonly to: string | null;
  /** Successor by word; null: the line goes. */
  readonly words: Readonly<Record<string, string | null>>;
  /** What to look at; null: the replacement is exact. */
  readonly note: string | null;
}

/** A setting as one release has it. */
export interface DovecotSetting {
  /** The key as it stands in its section. */
  readonly name: string;
  /** 2.2 and 2.3: path of the section that holds it; null: global. */
  readonly section: string | null;
  readonly type: SettingType;
  /** As doveconf -d prints it, without quotes; null: none (sections and filters), or not known. */
  readonly default: string | null;
  /** Words of an enumeration, the default first; they are compared exactly. */
  readonly values: readonly string[];
  /** The value must not appear in any output. */
  readonly secret: boolean;
  /** doveconf lists it only when it is asked for by name. */
  readonly hidden: boolean;
  /** The default is what the distribution chose. */
  readonly buildDependent: boolean;
  /** Read by the authentication process: fatal inside local and remote. */
  readonly auth: boolean;
  /** Filters of 2.4 that take a name: the setting that the name stands for. */
  readonly nameField: string | null;
  /** The setting in whose place this name is written; null: it is one of its own. */
  readonly aliasOf: string | null;
}

/** What the tables know of a name over all releases. */
export interface SettingHistory {
  readonly name: string;
  readonly section: string | null;
  /** The first release that has it; null: older than 2.2. */
  readonly introduced: Release | null;
  /** The first release that lacks it; null: the newest has it. */
  readonly removed: Release | null;
  /** What takes its place; null: nothing ended. */
  readonly replacement: Replacement | null;
  /** A name of 1.x that 2.2 and 2.3 rewrite with a warning. */
  readonly legacy: boolean;
}

/** The settings of one release. */
export interface SettingsTable {
  readonly release: Release;
  /** What dovecot_config_version says, or the release itself. */
  readonly configVersion: Release;
  /** The setting of that name, or null when this release has none. Names of 1.x are none. */
  get(name: string, section?: string | null): DovecotSetting | null;
  /** All names of a section, or the global ones. */
  names(section?: string | null): Iterable<string>;
}

/** Types that hold settings and have no value. */
const VALUELESS: ReadonlySet<SettingType> = new Set([
  'section',
  'named_filter',
  'named_list_filter',
  'alias',
]);

const file = settingData as unknown as SettingsFile;

const tables = new Map<string, SettingsTable>();

/**
 * The settings of a release.
 *
 * @param configVersion value of dovecot_config_version; without it the release's own defaults count, and for
 *   one that is newer than the release too
 */
export function settingsTable(release: Release, configVersion: Release = release): SettingsTable {
  const version = compareReleases(configVersion, release) < 0 ? configVersion : release;
  const key = `${release} ${version}`;
  let table = tables.get(key);
  if (!table) {
    table = new Table(release, version);
    tables.set(key, table);
  }
  return table;
}

/** What is known of a name in any release; null: nothing. */
export function settingHistory(name: string, section: string | null = null): SettingHistory | null {
  const line = lineOf(name, section);
  if (!line) return null;
  return {
    name,
    section,
    introduced: line.since ?? null,
    removed: line.until ?? null,
    replacement: line.replaced ? replacementOf(line.replaced) : null,
    legacy: line.type === 'legacy',
  };
}

/** The value of a list of dated ones for a release; the oldest holds for what is older. */
export function datedValue<T>(values: Dated<T>, release: Release): T | undefined {
  let [found] = values;
  for (const entry of values) if (atLeast(release, entry[1])) found = entry;
  return found?.[0];
}

class Table implements SettingsTable {
  readonly release: Release;
  readonly configVersion: Release;
  private readonly made = new Map<string, DovecotSetting>();

  constructor(release: Release, configVersion: Release) {
    this.release = release;
    this.configVersion = configVersion;
  }

  get(name: string, section: string | null = null): DovecotSetting | null {
    const key = keyOf(name, section);
    let setting: DovecotSetting | null | undefined = this.made.get(key);
    if (setting === undefined) {
      setting = this.make(name, section);
      // Unknown names come from users' files, without end.
      if (setting !== null) this.made.set(key, setting);
    }
    return setting;
  }

  *names(section: string | null = null): Iterable<string> {
    for (const [key, line] of Object.entries(file.settings)) {
      const at = key.lastIndexOf('/');
      if ((at < 0 ? null : key.slice(0, at)) === section && exists(line, this.release)) {
        yield key.slice(at + 1);
      }
    }
  }

  private make(name: string, section: string | null): DovecotSetting | null {
    const line = lineOf(name, section);
    if (!line || !exists(line, this.release)) return null;
    const type = valueOf(line.type, this.release) ?? 'str';
    return {
      name,
      section,
      type,
      default: VALUELESS.has(type) ? null : this.defaultOf(line),
      values: valueOf(line.words, this.release) ?? [],
      secret: line.secret ?? false,
      hidden: line.hidden ?? false,
      buildDependent: line.build ?? false,
      auth: line.auth === true || (line.auth !== undefined && !atLeast(this.release, line.auth)),
      nameField: line.nameField ?? null,
      aliasOf: line.alias ?? null,
    };
  }

  private defaultOf(line: SettingLine): string | null {
    if (line.default === undefined) return '';
    const value = valueOf(line.default, line.byConfig ? this.configVersion : this.release);
    return value ?? null;
  }
}

function keyOf(name: string, section: string | null): string {
  return section === null ? name : `${section}/${name}`;
}

function lineOf(name: string, section: string | null): SettingLine | undefined {
  const key = keyOf(name, section);
  // Names come from users' files: `constructor` is no setting, and `service/user` no global one.
  if (name.includes('/') || !Object.hasOwn(file.settings, key)) return undefined;
  return file.settings[key];
}

function exists(line: SettingLine, release: Release): boolean {
  if (line.type === 'legacy') return false;
  if (line.since !== undefined && !atLeast(release, line.since)) return false;
  return line.until === undefined || !atLeast(release, line.until);
}

/** A value that is the same in all releases, or that of this one. Lists of words are dated too. */
function valueOf<T>(value: T | Dated<T> | undefined, release: Release): T | undefined {
  return isDated(value) ? datedValue(value, release) : value;
}

function isDated<T>(value: T | Dated<T> | undefined): value is Dated<T> {
  return Array.isArray(value) && Array.isArray(value[0]);
}

function replacementOf(line: NonNullable<SettingLine['replaced']>): Replacement {
  return { kind: line.kind, to: line.to ?? null, words: line.words ?? {}, note: line.note ?? null };
}
