import type { Release } from '../model/release.ts';
import type { PostfixConfiguration, PostfixSetting } from './configuration.ts';
import { listWords } from './configuration.ts';
import { references } from './expand.ts';
import { dbmsSuffixes, hasFeature, type Parameter, transportParameters } from './parameters.ts';
import { READ_ONLY, type Service } from './services.ts';
import type { Assignment, ServiceEntry } from './syntax/tree.ts';

/** Which names stand for something, as postconf decides it before it warns of an "unused parameter". */
export interface NameUse {
  /**
   * Whether a name is a parameter of the release, one that a transport brings into being, or a name of
   * the user's own that something refers to. With a service, its own name space counts too.
   */
  known(name: string, service?: Pick<Service, 'id'> | null): boolean;
  /** Assignments to names that are not known where they stand: main.cf in order, then the services. */
  readonly unused: readonly PostfixSetting[];
}

const cache = new WeakMap<PostfixConfiguration, NameUse>();

/**
 * Works out the use of names in both files.
 *
 * There is one name space for main.cf and one for each service of master.cf. A name of the user's own
 * is used when it has a value and some value in its name space holds `$name`, chosen or not, or
 * smtpd_restriction_classes lists it. What main.cf refers to is used in every service that gives it a
 * value; what a service refers to and does not set itself is used in main.cf. A table such as
 * `ldap:staff` in the value of a real parameter makes `staff_server_host` and its kin used.
 *
 * Sources: postconf_user.c, postconf_service.c, postconf_dbms.c, postconf_builtin.c, postconf_unused.c
 * of 3.5 to 3.11; held against postconf -n of 3.7.11 and 3.10.13.
 */
export function nameUse(configuration: PostfixConfiguration): NameUse {
  let use = cache.get(configuration);
  if (use === undefined) {
    use = new NameUseReader(configuration).read();
    cache.set(configuration, use);
  }
  return use;
}

/** One name space: its assignments, and the names of the user's own that are used in it. */
interface NameSpace {
  readonly values: ReadonlyMap<string, string>;
  readonly used: Set<string>;
  /** Null for main.cf. */
  readonly service: Service | null;
}

class NameUseReader {
  readonly #configuration: PostfixConfiguration;
  readonly #main: NameSpace;
  /** By `name/type`; services of one name share a name space, whichever of them wins. */
  readonly #services = new Map<string, NameSpace>();
  /** The services that give a name a value. */
  readonly #setters = new Map<string, NameSpace[]>();
  readonly #transports: ReadonlyMap<string, Parameter>;
  readonly #classes = new Set<string>();

  constructor(configuration: PostfixConfiguration) {
    this.#configuration = configuration;
    const main = new Map<string, string>();
    for (const setting of configuration.settings()) {
      if (setting.kind === 'main') main.set(setting.name, setting.value);
    }
    this.#main = { values: main, used: new Set(), service: null };
    const entries = serviceEntries(configuration);
    const byId = new Map(configuration.services.map((service) => [service.id, service]));
    for (const [id, values] of valuesByService(entries)) {
      const space: NameSpace = { values, used: new Set(), service: byId.get(id) ?? null };
      this.#services.set(id, space);
      for (const name of values.keys()) {
        const setters = this.#setters.get(name);
        if (setters === undefined) this.#setters.set(name, [space]);
        else setters.push(space);
      }
    }
    this.#transports = transportsOf(configuration, entries);
  }

  read(): NameUse {
    if (this.#hasOwnNames()) {
      for (const space of this.#services.values()) this.#scan(space);
      this.#scan(this.#main);
      this.#useClassesEverywhere();
    }
    const known = (name: string, service: Pick<Service, 'id'> | null = null): boolean => {
      if (this.#isParameter(name) || this.#main.used.has(name)) return true;
      return service !== null && this.#services.get(service.id)?.used.has(name) === true;
    };
    const unused = this.#configuration.settings().filter((setting) => {
      if (setting.kind === 'main') return !known(setting.name);
      // postconf reads `-o{a=b}` as it was meant.
      const { form, meant, reached } = setting.entry;
      // It does not look behind a word that ends the options.
      if (!reached) return false;
      const name = form === 'joined-braced' && meant !== null ? meant.name : setting.name;
      return !known(name, setting.service);
    });
    return { known, unused };
  }

  #isParameter(name: string): boolean {
    return this.#configuration.table.get(name) !== null || this.#transports.has(name);
  }

  /** Most configurations have none: then there is nothing to look for. */
  #hasOwnNames(): boolean {
    return [this.#main, ...this.#services.values()].some(({ values }) =>
      [...values.keys()].some((name) => !this.#isParameter(name)),
    );
  }

  #scan(space: NameSpace): void {
    const { values } = space;
    const classes = values.get('smtpd_restriction_classes');
    if (classes !== undefined) {
      for (const name of listWords(this.#configuration.expand(classes, space.service).value)) {
        if (space === this.#main) this.#classes.add(name);
        this.#use(name, space);
      }
    }
    for (const [name, value] of values) {
      const parameter = this.#configuration.table.get(name);
      if (parameter?.storage === 'raw') continue;
      for (const reference of references(value)) this.#use(reference.name, space);
      const builtIn = parameter === null ? this.#transports.has(name) : !parameter.legacyAlias;
      if (builtIn && /[:$]/.test(value)) this.#useTables(value, space);
    }
  }

  /** A value in `space` refers to `name`: the assignments that it can mean are used. */
  #use(name: string, space: NameSpace): void {
    if (space !== this.#main && space.values.has(name)) space.used.add(name);
    else if (this.#main.values.has(name)) this.#main.used.add(name);
    if (space !== this.#main) return;
    for (const other of this.#setters.get(name) ?? []) other.used.add(name);
  }

  /** Restriction classes of main.cf may be defined by a service for itself. */
  #useClassesEverywhere(): void {
    for (const name of this.#classes) {
      for (const space of this.#setters.get(name) ?? []) space.used.add(name);
    }
  }

  #useTables(value: string, space: NameSpace): void {
    const text = this.#configuration.expand(value, space.service).value;
    for (const { type, name } of tableNames(text, tableScan(this.#configuration.release))) {
      for (const suffix of dbmsSuffixes(type, this.#configuration.release))
        this.#use(`${name}_${suffix}`, space);
    }
  }
}

function serviceEntries(configuration: PostfixConfiguration): readonly ServiceEntry[] {
  return configuration.master?.items.filter((item) => item.kind === 'service') ?? [];
}

/** All services of the file, those too that master(8) leaves out, with what postconf takes for their overrides. */
function valuesByService(entries: readonly ServiceEntry[]): Map<string, Map<string, string>> {
  const all = new Map<string, Map<string, string>>();
  for (const entry of entries) {
    const id = `${entry.fields.service.text}/${entry.fields.type.text}`;
    const values = all.get(id) ?? new Map<string, string>();
    for (const { name, value } of overridesForPostconf(entry))
      if (!READ_ONLY.has(name)) values.set(name, value);
    if (values.size > 0) all.set(id, values);
  }
  return all;
}

function* overridesForPostconf(entry: ServiceEntry): Iterable<Assignment> {
  for (const argument of entry.arguments) {
    if (argument.kind === 'stray' || argument.kind === 'command') return;
    if (argument.kind !== 'override') continue;
    yield argument.form === 'joined-braced' && argument.meant !== null ? argument.meant : argument;
  }
}

/** Disabled and replaced services count for postconf: it does not know that master(8) skips them. */
function transportsOf(
  configuration: PostfixConfiguration,
  entries: readonly ServiceEntry[],
): ReadonlyMap<string, Parameter> {
  if (entries.length === configuration.services.length) return configuration.transportParameters;
  const services = entries.map(({ fields }) => ({ name: fields.service.text, program: fields.command.text }));
  return transportParameters(configuration.table, services);
}

/** Deeper braces hold no tables that anybody wrote. */
const DEEPEST_BRACES = 20;

/** How a release looks for tables in a value. */
interface TableScan {
  /** A word that begins with # ends the list that it stands in. */
  readonly comments: boolean;
  /** What may stand before a table. */
  readonly adapters: RegExp;
  /** What is in braces inside an inline table of patterns is a pattern. */
  readonly patterns: boolean;
}

function tableScan(release: Release): TableScan {
  return {
    comments: hasFeature(release, 'tableScanEndsAtComment'),
    adapters: hasFeature(release, 'debugTables') ? /^(?:(?:proxy|debug):)+/ : /^(?:proxy:)+/,
    patterns: hasFeature(release, 'tableScanEndsAtComment'),
  };
}

/** Everything in a value that looks like a lookup table with a plain name, those in braces too. */
function* tableNames(
  text: string,
  scan: TableScan,
  depth = 0,
  inPatterns = false,
): Iterable<{ readonly type: string; readonly name: string }> {
  if (depth > DEEPEST_BRACES) return;
  for (const word of wordsWithBraces(text)) {
    if (scan.comments && word.startsWith('#')) return;
    const braces = word.startsWith('{');
    if (braces && inPatterns) continue;
    const reference = braces ? word : word.replace(scan.adapters, '');
    const colon = braces ? -1 : reference.indexOf(':');
    const type = reference.slice(0, Math.max(colon, 0));
    const name = reference.slice(colon + 1);
    if (braces || (colon >= 0 && name.startsWith('{'))) {
      const patterns = inPatterns || (scan.patterns && (type === 'pcre' || type === 'regexp'));
      yield* tableNames(name.replace(/^\{|\}$/g, ''), scan, depth + 1, patterns);
    } else if (colon >= 0 && name !== '' && !/^[/.]/.test(name)) yield { type, name };
  }
}

/** Words between commas and white space; what stands in braces is one word (mystrtokq). */
function wordsWithBraces(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let level = 0;
  for (const letter of `${text} `) {
    if (level === 0 && /[, \t\r\n]/.test(letter)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (letter === '{') level++;
    else if (letter === '}' && level > 0) level--;
    word += letter;
  }
  if (word.trim() !== '') words.push(word);
  return words;
}
