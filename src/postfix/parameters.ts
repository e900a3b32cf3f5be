/**
 * What Postfix's parameters are called, mean and default to, by release.
 *
 * The tables are data (data/parameters.json, made by src/build/postfix-tables.ts from the facts); here is
 * how they are read. Three rules decide what a release has:
 *
 * - A parameter that came with 3.9 and is listed as back-ported to 3.8.4 exists in 3.8.4 and all later
 *   patches of 3.8, not in 3.8.3, and not in 3.7 unless a patch of 3.7 is listed too. It ends with the
 *   release that removed it.
 * - Its default is the one with the greatest `since` that is not above the release, number by number.
 *   Where a patch of an old branch changed it and the next branch began with the former default, the list
 *   says so itself (`export` 2.6, `medium` 2.9.14, `export` 2.10, …).
 * - A renamed parameter lives on as an alias: the default of the new name refers to the old one, so
 *   main.cf may set it, but postconf -d does not know it, and unset it is empty.
 *
 * Sources: mail_params.h and the parameter tables of the release tags; held against postconf -d of 3.5.25,
 * 3.7.11, 3.10.13 and 3.11.7 by test/servers/parameters.test.ts. The path names that a distribution
 * chooses (daemon_directory and so on) are Postfix's own here.
 */
import { type Arrival, atLeast, compareReleases, hasArrived, type Release } from '../model/release.ts';
import { OPENSSL_RELEASES } from '../tls/openssl.ts';
import dbmsData from './data/dbms.json' with { type: 'json' };
import parameterData from './data/parameters.json' with { type: 'json' };
import releaseData from './data/releases.json' with { type: 'json' };
import {
  type Effect,
  type Line,
  type ParameterFile,
  type ParameterType,
  type Since,
  STORAGE_OF_TYPE,
  type Storage,
} from './parameter-lines.ts';

export type { Effect, ParameterType } from './parameter-lines.ts';

/** A parameter as one release has it. */
export interface Parameter {
  /** As main.cf writes it; the names of templates begin with `<transport>_`. */
  readonly name: string;
  readonly type: ParameterType;
  readonly storage: Storage;
  /** The words that this release knows, for types that take words; a list type takes several. */
  readonly values: readonly string[];
  /** Words that this release reads as something else, with a warning. */
  readonly tolerated: readonly string[];
  /** Whether capitals count in words. */
  readonly sameCase: boolean;
  /** What a word does that is not among `values`. */
  readonly badWord: Effect;
  /** Least number, seconds or length; null: none. */
  readonly min: number | null;
  /** Greatest number, seconds or length; null: none. */
  readonly max: number | null;
  /** Programs that read it: their names, `*` for all, `tls*` for all that speak TLS; empty: not known. */
  readonly daemons: readonly string[];
  /** Unexpanded, as postconf -d prints it; null when it is computed (host name, networks, version, process). */
  readonly default: string | null;
  /** Whether it stands for one parameter for each transport; see `transportParameters`. */
  readonly template: boolean;
  /** Whether the default depends on compatibility_level in some release. */
  readonly compatDependent: boolean;
  /** Whether whoever builds Postfix may have chosen another default. */
  readonly buildDependent: boolean;
  /** The release that brought it, back-ports aside; null: older than the releases that are known. */
  readonly introduced: Release | null;
  readonly deprecatedSince: Release | null;
  readonly removedSince: Release | null;
  /** Since when postconf itself warns of it. */
  readonly postconfWarnsSince: Release | null;
  readonly replacedBy: string | null;
  /** Whether this release knows the name only through the default of `replacedBy`. */
  readonly legacyAlias: boolean;
}

/** When a name exists, whatever the release at hand. */
interface KnownParameter {
  readonly name: string;
  /** The release that brought it; null: older than the releases that are known. */
  readonly introduced: Release | null;
  /** The first patches of older branches that have it too. */
  readonly patches: readonly Release[];
  readonly deprecatedSince: Release | null;
  readonly removedSince: Release | null;
  readonly replacedBy: string | null;
}

/** The parameters of one release. */
export interface ParameterTable {
  readonly release: Release;
  /**
   * The parameter of that name, or null when this release has none. Aliases are found; templates are
   * not, and `slow_destination_concurrency_limit` only through `transportParameters`.
   */
  get(name: string): Parameter | null;
  /** The names that postconf -d of this release prints, templates and aliases left out. */
  names(): Iterable<string>;
  /** What is known of a name in any release, or null: for what is too new, removed or renamed. */
  knownAnywhere(name: string): KnownParameter | null;
  /** The templates of this release, named `<transport>_…`. */
  readonly templates: readonly Parameter[];
  /** Those whose default depends on compatibility_level in some release. */
  readonly compatDependent: readonly Parameter[];
}

/** A restriction that is deprecated or gone. */
export interface ObsoleteRestriction {
  readonly name: string;
  readonly deprecatedSince: Release;
  /** The release that no longer knows it, or null. */
  readonly removedSince: Release | null;
  readonly replacedBy: string;
}

/** A lookup table whose settings may stand in main.cf, with the name of the table before them. */
type DbmsType = keyof typeof dbmsData;

/** A setting of a lookup table, alone where every release has it. */
type DbmsSetting = string | { readonly name: string; readonly since?: Release; readonly removed?: Release };

/** Something that Postfix can do since some release; see data/releases.json. */
export type Feature = keyof typeof releaseData.features;

/** The release that is assumed where nothing tells, and the oldest that is supported. */
export const POSTFIX_RELEASES: { readonly newest: Release; readonly oldest: Release } = releaseData;

const TEMPLATE = '<transport>_';

// The compiler would infer a type of a thousand members from the file.
const file = parameterData as unknown as ParameterFile;
const features = releaseData.features as Record<Feature, Release | { since: Release; patches: Release[] }>;

const tables = new Map<string, ParameterTable>();

/**
 * The parameters of a release; made once for each.
 *
 * @param release any release: one older than the oldest supported is read as far as the facts reach, one
 *   newer than the newest has what the newest has
 * @param openssl the OpenSSL that Postfix was built with, which decides two defaults (since 3.11 with
 *   OpenSSL 3.5 or newer); left out: an older one
 */
export function parameterTable(release: Release, openssl?: Release): ParameterTable {
  const key = `${release} ${openssl ?? ''}`;
  let table = tables.get(key);
  if (!table) {
    table = new Table(release, openssl ?? null);
    tables.set(key, table);
  }
  return table;
}

/**
 * The parameters that each delivery transport of master.cf has for itself, such as
 * `slow_destination_concurrency_limit` for a service `slow` that runs smtp(8).
 *
 * As postconf_service.c makes them: the first field of master.cf, `_` and a suffix, for services that run
 * local, error, virtual, smtp, lmtp or pipe; `_time_limit` only for pipe and spawn, and spawn has nothing
 * else. A name that is a parameter anyway (`local_destination_recipient_limit`) keeps its own default.
 *
 * @param services name and program of each master.cf service, as written
 */
export function transportParameters(
  table: ParameterTable,
  services: Iterable<{ readonly name: string; readonly program: string }>,
): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  for (const { name: service, program } of services) {
    if (program !== 'spawn' && !DELIVERY_AGENTS.has(program)) continue;
    for (const template of table.templates) {
      const timeLimit = template.name === `${TEMPLATE}time_limit`;
      if (timeLimit ? program !== 'pipe' && program !== 'spawn' : program === 'spawn') continue;
      const name = `${service}_${template.name.slice(TEMPLATE.length)}`;
      if (!table.get(name)) found.set(name, { ...template, name, template: false });
    }
  }
  return found;
}

const DELIVERY_AGENTS: ReadonlySet<string> = new Set(['local', 'error', 'virtual', 'smtp', 'lmtp', 'pipe']);

/** Whether a release can do something. */
export function hasFeature(release: Release, feature: Feature): boolean {
  const since = features[feature];
  return hasArrived(release, typeof since === 'string' ? { since, patches: [] } : since);
}

/** The oldest OpenSSL release that is supported here and that a release of Postfix can be built with (tls.h). */
export function oldestOpenssl(release: Release): Release {
  const found = releaseData.oldestOpenssl.findLast(({ since }) => atLeast(release, since));
  return found?.openssl ?? OPENSSL_RELEASES.oldest;
}

/** The restrictions that are deprecated or gone, in no order (DEPRECATION_README). */
export function obsoleteRestrictions(): readonly ObsoleteRestriction[] {
  obsolete ??= Object.entries(file.restrictions).map(([name, { deprecated, removed, instead }]) => ({
    name,
    deprecatedSince: deprecated,
    removedSince: removed,
    replacedBy: instead,
  }));
  return obsolete;
}

let obsolete: readonly ObsoleteRestriction[] | null = null;

/**
 * The settings of a lookup table that may stand in main.cf itself, with the name of the table and `_`
 * before them: `ldap:foo` reads `foo_server_host`. postconf knows such names for ldap, mysql, pgsql,
 * sqlite, memcache and mongodb (postconf_dbms.c, which takes them from the dict_*.c of each).
 *
 * @param dictType what stands before the colon, in lower case as Postfix wants it
 * @returns the settings without prefix, sorted; empty for other types of tables
 */
export function dbmsSuffixes(
  dictType: string,
  release: Release = POSTFIX_RELEASES.newest,
): readonly string[] {
  if (!Object.hasOwn(dbmsData, dictType)) return [];
  const settings: readonly DbmsSetting[] = dbmsData[dictType as DbmsType];
  return settings.flatMap((setting) => {
    if (typeof setting === 'string') return [setting];
    if (setting.since !== undefined && !atLeast(release, setting.since)) return [];
    return setting.removed !== undefined && atLeast(release, setting.removed) ? [] : [setting.name];
  });
}

class Table implements ParameterTable {
  readonly release: Release;
  private readonly openssl: Release | null;
  // A lint asks for a few dozen of the thousand parameters: each is made when it is first asked for.
  private readonly made = new Map<string, Parameter | null>();
  private madeTemplates: readonly Parameter[] | null = null;
  private listed: readonly string[] | null = null;
  private dependent: readonly Parameter[] | null = null;

  constructor(release: Release, openssl: Release | null) {
    this.release = release;
    this.openssl = openssl;
  }

  get(name: string): Parameter | null {
    let parameter = this.made.get(name);
    if (parameter === undefined) {
      parameter = name.startsWith(TEMPLATE) ? null : this.make(name);
      this.made.set(name, parameter);
    }
    return parameter;
  }

  names(): Iterable<string> {
    this.listed ??= namesOf(
      (line, name) =>
        !name.startsWith(TEMPLATE) && exists(line, this.release) && !isAlias(line, this.release),
    );
    return this.listed;
  }

  get compatDependent(): readonly Parameter[] {
    this.dependent ??= namesOf(({ compat }, name) => compat === true && !name.startsWith(TEMPLATE))
      .map((name) => this.get(name))
      .filter((parameter) => parameter !== null);
    return this.dependent;
  }

  knownAnywhere(name: string): KnownParameter | null {
    const line = lineOf(name);
    if (!line || name.startsWith(TEMPLATE)) return null;
    return {
      name,
      introduced: line.since ?? line.onlyIn?.[0] ?? null,
      patches: line.patches ?? [],
      deprecatedSince: line.deprecated ?? null,
      removedSince: line.removed ?? null,
      replacedBy: line.instead ?? null,
    };
  }

  get templates(): readonly Parameter[] {
    this.madeTemplates ??= namesOf((_, name) => name.startsWith(TEMPLATE))
      .map((name) => this.make(name))
      .filter((parameter) => parameter !== null);
    return this.madeTemplates;
  }

  private make(name: string): Parameter | null {
    const line = lineOf(name);
    if (!line || !exists(line, this.release)) return null;
    const type = line.type ?? 'string';
    return {
      name,
      type,
      storage: line.storage === undefined ? STORAGE_OF_TYPE[type] : line.storage,
      values: wordsOf(line, this.release),
      tolerated: line.tolerated ?? [],
      sameCase: line.sameCase ?? false,
      badWord: line.bad ?? 'fatal',
      min: line.min ?? null,
      max: line.max ?? null,
      daemons: line.in?.split(' ') ?? [],
      default: this.defaultOf(line),
      template: name.startsWith(TEMPLATE),
      compatDependent: line.compat ?? false,
      buildDependent: line.build ?? false,
      introduced: line.since ?? null,
      deprecatedSince: line.deprecated ?? null,
      removedSince: line.removed ?? null,
      postconfWarnsSince: line.warns ?? null,
      replacedBy: line.instead ?? null,
      legacyAlias: isAlias(line, this.release),
    };
  }

  private defaultOf(line: Line): string | null {
    for (const [text, since, openssl] of line.openssl ?? []) {
      if (this.openssl !== null && atLeast(this.release, since) && atLeast(this.openssl, openssl))
        return text;
    }
    if (line.default === undefined) return '';
    if (line.default === null || typeof line.default === 'string') return line.default;
    // Oldest first. A release before all of them has the parameter by a back-port of the first.
    let [found] = line.default;
    for (const entry of line.default) if (atLeast(this.release, entry[1])) found = entry;
    return found?.[0] ?? '';
  }
}

/** The names of the lines that fulfil a condition: a loop over the keys is the cheapest way through a thousand. */
function namesOf(fulfils: (line: Line, name: string) => boolean): readonly string[] {
  const { parameters } = file;
  const found: string[] = [];
  for (const name of Object.keys(parameters)) {
    const line = parameters[name];
    if (line !== undefined && fulfils(line, name)) found.push(name);
  }
  return found;
}

function lineOf(name: string): Line | undefined {
  // Names come from users' files: `constructor` is no parameter.
  return Object.hasOwn(file.parameters, name) ? file.parameters[name] : undefined;
}

function exists(line: Line, release: Release): boolean {
  if (line.onlyIn) return line.onlyIn.some((only) => compareReleases(only, release) === 0);
  if (line.removed !== undefined && atLeast(release, line.removed)) return false;
  if (line.since === undefined || atLeast(release, line.since)) return true;
  return line.patches !== undefined && hasArrived(release, { since: line.since, patches: line.patches });
}

function isAlias(line: Line, release: Release): boolean {
  return line.alias !== undefined && atLeast(release, line.alias);
}

function wordsOf(line: Line, release: Release): readonly string[] {
  return (line.words ?? [])
    .filter((word) => typeof word === 'string' || hasArrived(release, arrivalOf(word)))
    .map((word) => (typeof word === 'string' ? word : word[0]));
}

function arrivalOf([, since, ...patches]: Since<string>): Arrival {
  return { since, patches };
}
