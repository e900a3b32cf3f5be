import type { Release } from '../model/release.ts';
import type { Location } from '../text/source.ts';
import type { DovecotAssignment, Scope } from './assignment.ts';
import { listWords } from './boollist.ts';
import {
  blamedLine,
  CommentWarnings,
  type Evaluation,
  type EvaluationOptions,
  globalAfterFilter,
  includeFault,
  statementLocation,
  syntaxWords,
  tableOf,
} from './evaluation.ts';
import {
  filterKey as connectionKey,
  type Filter,
  type FilterType,
  filterFault,
  innerFilter,
  isFilterType,
  isOfNetwork,
  NO_FILTER,
} from './filter.ts';
import { type DovecotTree, lastLine, type Read, relativePath } from './load.ts';
import type { DovecotFault, DovecotFaultCode, DovecotWarning } from './outcome.ts';
import {
  BUILT_IN_GROUPS,
  configVersions,
  defaultPairs,
  hasDovecotFeature,
  requiredSetting,
} from './releases.ts';
import { type DefaultService, defaultServices } from './services.ts';
import { type DovecotSetting, type SettingsTable } from './settings.ts';
import type { SectionStatement, SettingStatement, ValueForm } from './syntax/tree.ts';
import { checkValue, isCheckedType } from './values.ts';
import { variableProgramFault } from './variable-program.ts';

/** One word or pair of a list. */
export interface ListEntry {
  readonly key: string;
  readonly value: string;
  /** References in it are still to be replaced, when all is read. */
  readonly pending?: { readonly key: boolean; readonly value: boolean };
}

/** What one section says of one setting. */
export interface FilterValue {
  readonly setting: DovecotSetting;
  /** The text; of a list the line that replaces it, or empty. */
  readonly text: string;
  /** References in the text are still to be replaced, when all is read. */
  readonly pending: boolean;
  /** Words or pairs of a list; null for what is none. */
  readonly entries: readonly ListEntry[] | null;
  /** Of a list: true where what is inherited no longer counts. */
  readonly replaces: boolean;
  /** The marker of a value of several lines, or null. */
  readonly marker: string | null;
  /** The last line that says it. */
  readonly assignment: DovecotAssignment | null;
  readonly at: Location;
}

/** A section of 2.4 that is a filter, of connections or by a name, or the root. */
export interface FilterSection {
  readonly kind: 'root' | 'filter' | 'named' | 'list' | 'group';
  /** `protocol`, `ssl_server`, `service`, `@label`; empty for the root. */
  readonly type: string;
  readonly name: string;
  /** What this section itself filters; the outer ones filter too. */
  readonly own: Filter;
  readonly parent: FilterSection | null;
  readonly scope: Scope;
  readonly values: ReadonlyMap<string, FilterValue>;
  readonly children: readonly FilterSection[];
  /** Groups that are used here, in order. */
  readonly groups: readonly { readonly label: string; readonly name: string; readonly at: Location }[];
  /** How many sections of lists, and how many other sections with a name, it stands in, itself included. */
  readonly lists: number;
  readonly names: number;
  readonly order: number;
  /** A group, or a section of one. */
  readonly inGroup: boolean;
}

/** What 2.4 makes of a configuration. */
export interface FilterEvaluation extends Evaluation {
  readonly table: SettingsTable;
  /** With the defaults of the release itself, whatever dovecot_config_version says. */
  readonly releaseTable: SettingsTable;
  readonly root: FilterSection;
  /** All sections, in order of their opening; the first is the root. */
  readonly sections: readonly FilterSection[];
  /** By label and name. */
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, FilterSection>>;
  /** What dovecot_config_version says, where it is one that the release knows. */
  readonly configVersion: string | null;
}

/** More of how values are read. */
export interface FilterOptions extends EvaluationOptions {
  /** Put `ssl_server_cert_file` into `ssl_server`, as doveconf does for its listing; the server leaves it outside. */
  readonly prefixesInFilters?: boolean | undefined;
}

/** A section that is still being filled. */
interface Open extends FilterSection {
  readonly values: Map<string, FilterValue>;
  readonly children: Open[];
  readonly parent: Open | null;
  readonly groups: { label: string; name: string; at: Location }[];
  /** Children by what tells them apart. */
  readonly byKey: Map<string, Open>;
  readonly labels: Map<string, { name: string }>;
  /** It, or one around it, is something else than a section of a list. */
  readonly inOther: boolean;
  requiredSeen: boolean;
}

/** An open brace. */
interface Frame {
  readonly section: Open;
  /** The list whose words stand inside, or what the server takes for one; null inside filters. */
  readonly list: string | null;
  /** Whether the section has a name of its own, of a list or not; null for others. */
  readonly filterKey: string | null;
  readonly opened: Read | null;
  /** The server has stopped at the line that opens it: what is inside is not judged. */
  readonly dead: boolean;
}

type OpenScope = Scope & { readonly openings: Location[] };

const FILE_INLINE = 'inline:';
const NO_ENTRIES: readonly ListEntry[] = [];
const YES: Text = { text: 'yes', pending: false };
/** Settings that have to be known before groups are. */
const NOT_IN_GROUPS: ReadonlySet<string> = new Set([
  'import_environment',
  'base_dir',
  'dovecot_storage_version',
]);

/**
 * Reads a configuration as 2.4 does: all settings are global, and each section is a filter that says for
 * what they count.
 *
 * Source: config-parser.c of 2.4.1, 2.4.4 and 2.4.5.
 */
export function evaluateFilters(
  tree: DovecotTree,
  release: Release,
  options: FilterOptions,
): FilterEvaluation {
  return new FilterReader(tree, release, options).read();
}

/** A text with what is left to replace in it. */
interface Text {
  readonly text: string;
  /** A reference to another setting is still to be replaced, when all is read. */
  readonly pending: boolean;
}

/** Why a line is refused; thrown only inside the reader, and never out of it. */
class Refusal extends Error {
  readonly code: DovecotFaultCode;

  constructor(code: DovecotFaultCode, says: string) {
    super(says);
    this.code = code;
  }

  /** What doveconf says. */
  get says(): string {
    return this.message;
  }
}

class FilterReader {
  readonly #tree: DovecotTree;
  readonly #release: Release;
  readonly #options: FilterOptions;
  readonly #configVersion: string | null;
  readonly #table: SettingsTable;
  readonly #services: ReadonlyMap<string, DefaultService>;
  readonly #root: Open;
  readonly #sections: Open[] = [];
  readonly #stack: Frame[] = [];
  readonly #groups = new Map<string, Map<string, Open>>();
  readonly #assignments: DovecotAssignment[] = [];
  readonly #scopes: Scope[] = [];
  readonly #faults: DovecotFault[] = [];
  readonly #warnings: DovecotWarning[] = [];
  readonly #comments = new CommentWarnings();
  readonly #seen = new Map<string, { readonly at: Location; readonly line: number }>();
  readonly #prefixes: readonly string[];
  /** Names whose value is being worked out: one that comes again refers to itself. */
  readonly #chain: string[] = [];
  /** Lists that lines are added to, with the place of each word. */
  readonly #growing = new WeakMap<
    readonly ListEntry[],
    { readonly entries: ListEntry[]; readonly places: Map<string, number> }
  >();
  readonly #similar = new Map<string, ReadonlyMap<string, readonly string[]>>();
  #read: Read | null = null;

  constructor(tree: DovecotTree, release: Release, options: FilterOptions) {
    this.#tree = tree;
    this.#release = release;
    this.#options = options;
    this.#configVersion = this.#version();
    this.#table = tableOf(release, this.#configVersion ?? release, options);
    this.#services = defaultServices(release, this.#configVersion ?? release);
    this.#prefixes = options.prefixesInFilters === true ? namedFilterPrefixes(this.#table) : [];
    this.#root = this.#add({ kind: 'root', type: '', name: '', own: NO_FILTER }, null);
    this.#stack.push({ section: this.#root, list: null, filterKey: null, opened: null, dead: false });
  }

  read(): FilterEvaluation {
    let versionSeen = false;
    for (const read of this.#tree.statements) {
      this.#read = read;
      this.#warnings.push(...this.#comments.of(read));
      if (!this.#versionLine(read, versionSeen)) this.#guard(() => this.#statement(read));
      versionSeen = true;
    }
    const open = this.#stack.at(-1);
    if (open !== undefined && open.opened !== null) {
      const { path, line } = blamedLine(open.opened);
      const says = `Missing '}' (section started at ${path}:${line})`;
      this.#faults.push({
        code: 'section-unclosed',
        at: statementLocation(open.opened),
        name: null,
        says,
        blamed: null,
      });
    }
    this.#finish();
    return {
      table: this.#table,
      releaseTable: tableOf(this.#release, this.#release, this.#options),
      root: this.#root,
      sections: this.#sections,
      groups: this.#groups,
      configVersion: this.#configVersion,
      assignments: this.#assignments,
      scopes: this.#scopes,
      faults: this.#faults,
      warnings: this.#warnings,
    };
  }

  get #frame(): Frame {
    const frame = this.#stack.at(-1);
    if (frame === undefined) throw new Error('no open section');
    return frame;
  }

  /** The version that the first line names, where the release knows it. */
  #version(): string | null {
    const [first] = this.#tree.main.statements;
    if (first?.kind !== 'setting' || first.key !== 'dovecot_config_version') return null;
    return configVersions(this.#release).includes(first.value) ? first.value : null;
  }

  /** dovecot_config_version: the first line has to be it, and no other may say something else. */
  #versionLine({ statement }: Read, versionSeen: boolean): boolean {
    if (statement.kind === 'invalid') return false;
    const isVersion = 'key' in statement && statement.key === 'dovecot_config_version';
    if (!isVersion) {
      if (!versionSeen)
        this.#fault('config-version-missing', 'The first setting must be dovecot_config_version');
      return false;
    }
    const value = statement.kind === 'setting' ? statement.value : statement.name;
    if (versionSeen) {
      if (this.#configVersion === null)
        this.#fault('config-version-missing', 'The first setting must be dovecot_config_version');
      else if (value !== this.#configVersion)
        this.#fault('config-version-changed', "dovecot_config_version value can't be changed once set");
    } else if (statement.kind !== 'setting' || (statement.form !== 'plain' && statement.form !== 'quoted')) {
      this.#fault('config-version-unknown', 'Invalid dovecot_config_version: value is not a string');
    } else if (this.#configVersion === null) {
      const known = configVersions(this.#release).join(' ');
      this.#fault(
        'config-version-unknown',
        `Invalid dovecot_config_version: Currently supported versions are: ${known}`,
      );
    }
    return true;
  }

  #statement(read: Read): void {
    const { statement } = read;
    switch (statement.kind) {
      case 'include': {
        const fault = includeFault(read);
        if (fault !== null) this.#faults.push(fault);
        return;
      }
      case 'invalid':
        this.#fault(statement.problem.code, syntaxWords(statement.problem), {
          source: read.file.source,
          span: statement.problem.span,
        });
        return;
      case 'end':
        this.#end();
        return;
      case 'section':
        this.#section(statement);
        return;
      case 'setting':
      default:
        if (!this.#frame.dead) this.#setting(statement);
    }
  }

  #end(): void {
    const frame = this.#frame;
    if (this.#stack.length === 1) throw new Refusal('unexpected-end', "Unexpected '}'");
    this.#stack.pop();
    const required =
      frame.filterKey === null || frame.dead ? null : requiredSetting(frame.filterKey, this.#release);
    if (required !== null && !frame.section.requiredSeen) {
      throw new Refusal(
        'required-missing',
        `Named filter ${frame.filterKey ?? ''} is required to have ${required} setting, but it is missing`,
      );
    }
  }

  #section(statement: SectionStatement): void {
    const outer = this.#frame;
    const frame = (inner: Partial<Frame>): void => {
      const base = {
        section: outer.section,
        list: null,
        filterKey: null,
        opened: this.#read,
        dead: outer.dead,
      };
      this.#stack.push({ ...base, ...inner });
    };
    if (outer.dead) {
      frame({});
      return;
    }
    // What the server says of the section is said of a line inside nothing: it has stopped.
    const depth = this.#stack.length;
    try {
      const { key, attempts } = statement.group
        ? { key: statement.key, attempts: '' }
        : this.#sectionKey(statement.key);
      if (this.#openFilter(key, statement, frame)) return;
      if (statement.group) {
        frame({ list: 'group' });
        return;
      }
      const setting = this.#table.get(key);
      if (setting === null) throw new Refusal('section-misplaced', `Unknown section name: ${key}${attempts}`);
      if (hasDovecotFeature(this.#release, 'sectionsChecked')) {
        if (setting.type !== 'strlist' && setting.type !== 'boollist')
          throw new Refusal('section-misplaced', `Setting ${key} cannot be used as a section`);
        if (statement.name !== '')
          throw new Refusal('section-name', `Setting ${key} cannot have a value for the section`);
      }
      frame({ list: key });
    } finally {
      if (this.#stack.length === depth) frame({ dead: true });
    }
  }

  /** A section inside one with a name may leave out the name before its own. */
  #sectionKey(key: string): { readonly key: string; readonly attempts: string } {
    const { section } = this.#frame;
    if (section.kind !== 'named' && section.kind !== 'list' && section.kind !== 'group')
      return { key, attempts: '' };
    const tried = [`${underscored(section)}_${key}`, `${section.type.replace(/^@/, '')}_${key}`];
    const found = tried.find((name) => this.#canPrefix(name));
    const mark = section.kind === 'group' ? '@' : '';
    const told = hasDovecotFeature(this.#release, 'sectionNamesTold');
    const attempts = told ? ` (${tried.map((name) => mark + name).join(', ')} not found either.)` : '';
    return { key: found ?? key, attempts };
  }

  /** Whether a key with the name of its section before it is meant: of a setting, but not of another section. */
  #canPrefix(key: string): boolean {
    const setting = this.#table.get(listOf(key));
    return setting !== null && setting.type !== 'named_filter';
  }

  #openFilter(key: string, statement: SectionStatement, frame: (inner: Partial<Frame>) => void): boolean {
    const outer = this.#frame.section;
    const { name } = statement;
    if (key.startsWith('@')) {
      if (outer !== this.#root)
        throw new Refusal('bad-group', 'groups must defined at top-level, not under filters');
      const section = this.#open({ kind: 'group', type: key, name, own: NO_FILTER }, outer);
      const label = key.slice(1);
      const known = this.#groups.get(label) ?? new Map<string, Open>();
      this.#groups.set(label, known.set(name, section));
      frame({ section });
      return true;
    }
    if (isFilterType(key)) {
      const named =
        outer.kind === 'named' || outer.kind === 'list' || outer.kind === 'group' ? outer.type : null;
      const says = this.#filterFault(key, name, outer.own, named);
      if (says !== null) throw new Refusal('bad-filter', says);
      const own = innerFilter(key, key === 'local_name' ? name.toLowerCase() : name, NO_FILTER);
      frame({ section: this.#open({ kind: 'filter', type: key, name, own }, outer) });
      return true;
    }
    const setting = this.#table.get(key);
    if (setting?.type === 'named_filter') {
      if (name !== '' || statement.nameQuoted)
        throw new Refusal('section-name', `${key} { } must not have a section name`);
      frame({
        section: this.#open({ kind: 'named', type: key, name: '', own: NO_FILTER }, outer),
        filterKey: key,
      });
      return true;
    }
    if (setting?.type !== 'named_list_filter') return false;
    if (outer.kind === 'list' && notUnder(key, outer.type)) {
      throw new Refusal('section-misplaced', `${key} { .. } not allowed under ${outer.type} { .. }`);
    }
    if (name === '' && !statement.nameQuoted)
      throw new Refusal('section-name', `${key} { } is missing section name`);
    if (name.startsWith('__')) {
      throw new Refusal(
        'section-name',
        `Failed to set ${key}=${name} for struct ${key}: Named list filter name must not begin with '__': ${name}`,
      );
    }
    const section = this.#open({ kind: 'list', type: key, name, own: NO_FILTER }, outer);
    const above = this.#frame.filterKey;
    if (above !== null && requiredSetting(above, this.#release) === key) outer.requiredSeen = true;
    frame({ section, filterKey: key });
    return true;
  }

  /** As in 2.3, but that sections with a name have their own place, and a list of names is refused. */
  #filterFault(type: FilterType, name: string, outer: Filter, named: string | null): string | null {
    if (type === 'local_name' && name.includes(' '))
      return 'Multiple names no longer supported in local_name value';
    if (named !== null)
      return `${named} { ${type} { .. } } not allowed (use ${type} { ${named} { .. } } instead)`;
    return filterFault(type, name, outer);
  }

  /** The section of that name in another, made where it is not there. */
  #open(part: Pick<FilterSection, 'kind' | 'type' | 'name' | 'own'>, parent: Open): Open {
    const section = parent.byKey.get(sectionKey(part)) ?? this.#add(part, parent);
    const { scope } = section;
    if (this.#read !== null && this.#read.statement.kind === 'section') {
      if (scope.openings.length === 0) this.#scopes.push(scope);
      (scope as OpenScope).openings.push(statementLocation(this.#read));
    }
    return section;
  }

  #add(part: Pick<FilterSection, 'kind' | 'type' | 'name' | 'own'>, parent: Open | null): Open {
    const filter = parent === null ? NO_FILTER : joined(filterOf(parent), part.own);
    const scope: OpenScope = {
      kind: part.kind === 'root' || part.kind === 'filter' || part.kind === 'group' ? part.kind : 'section',
      type: part.type,
      name: part.name,
      parent: parent?.scope ?? null,
      filter,
      openings: [],
    };
    const isList = part.kind === 'list' || part.kind === 'group';
    const section: Open = {
      ...part,
      parent,
      scope,
      values: new Map(),
      children: [],
      groups: [],
      byKey: new Map(),
      labels: new Map(),
      inGroup: part.kind === 'group' || parent?.inGroup === true,
      inOther: part.kind === 'filter' || part.kind === 'named' || parent?.inOther === true,
      lists: (parent?.lists ?? 0) + (isList ? 1 : 0),
      names: (parent?.names ?? 0) + (part.kind === 'named' ? 1 : 0),
      order: this.#sections.length,
      requiredSeen: false,
    };
    parent?.children.push(section);
    parent?.byKey.set(sectionKey(part), section);
    this.#sections.push(section);
    return section;
  }

  /** `key = value`. */
  #setting(statement: SettingStatement): void {
    const { section, list } = this.#frame;
    const { key } = statement;
    const path = list === null ? key : `${list}/${key}`;
    const text = this.#text(section, key, path, statement);
    if (key.startsWith('@') && !(statement.keyQuoted && hasDovecotFeature(this.#release, 'keyEscapes'))) {
      this.#useGroup(section, key.slice(1), text);
      return;
    }
    try {
      this.#apply(section, path, text, statement);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(error.code, `${key}: ${error.says}`);
    }
  }

  #useGroup(section: Open, label: string, text: Text): void {
    if (section.inGroup) throw new Refusal('bad-group', 'Recursive include groups not allowed');
    if (text.pending) throw new Refusal('bad-group', 'Include groups cannot contain $variables');
    if (this.#read === null) return;
    const at = statementLocation(this.#read);
    const used = section.labels.get(label);
    if (used === undefined) {
      const group = { label, name: text.text, at };
      section.groups.push(group);
      section.labels.set(label, group);
    } else {
      used.name = text.text;
    }
    if (hasDovecotFeature(this.#release, 'lateReferences')) this.#checkGroup(label, text.text);
    else this.#lateGroups.push({ label, name: text.text, read: this.#read });
  }

  readonly #lateGroups: { readonly label: string; readonly name: string; readonly read: Read }[] = [];

  #checkGroup(label: string, name: string): void {
    const own = this.#groups.get(label);
    const builtIn = BUILT_IN_GROUPS[label];
    if (own === undefined && builtIn === undefined)
      throw new Refusal('bad-group', `Unknown group label @${label}`);
    if (own?.has(name) !== true && builtIn?.includes(name) !== true)
      throw new Refusal('bad-group', `Unknown group @${label}=${name}`);
  }

  /** The value of a line, references to itself replaced, and the others where they are to be. */
  #text(section: Open, key: string, path: string, { form, value }: SettingStatement): Text {
    if (form === 'file') {
      const { expand, readFile } = this.#options;
      if (!expand || readFile === undefined) return { text: `<${value}`, pending: false };
      const file = relativePath(value, this.#read?.file.source.path ?? '');
      const content = readFile(file);
      if (content === null)
        throw new Refusal('file-missing', `${path}: Can't open file ${file}: No such file or directory`);
      return { text: content, pending: false };
    }
    if (form !== 'variables') return { text: value, pending: false };
    return this.#expand(section, key, value, hasDovecotFeature(this.#release, 'lateReferences'));
  }

  /**
   * A value with `$SET:` and `$ENV:` replaced, which have to be words of their own; runs of blanks become
   * one. Since 2.4.2 other settings are looked up when all is read, a setting's own former value at once.
   */
  #expand(section: Open, key: string, value: string, late: boolean): Text {
    if (late || hasDovecotFeature(this.#release, 'lateReferences')) {
      if (this.#chain.includes(key))
        throw new Refusal('bad-reference', `Chained $SET:${key} loops back to itself`);
      this.#chain.push(key);
    }
    try {
      let pending = false;
      let forced = false;
      const words = value.split(/ [ \t\n\v\f\r]*/).map((word) => {
        const name = word.startsWith('$SET:') ? word.slice('$SET:'.length) : null;
        const own = name === key;
        if (name !== null) {
          pending = true;
          forced ||= own;
        }
        if (!this.#options.expand && !own) return word;
        if (word.startsWith('$ENV:')) return this.#options.environment?.[word.slice('$ENV:'.length)] ?? '';
        return name === null ? word : this.#reference(section, name, own);
      });
      if (late && pending && !forced) return { text: value, pending: true };
      return { text: words.join(' '), pending: false };
    } finally {
      if (this.#chain.at(-1) === key) this.#chain.pop();
    }
  }

  /** What a setting is worth in a section: what it says itself, what the outer ones say, the default. */
  #reference(section: Open, name: string, own: boolean): string {
    const byPath = hasDovecotFeature(this.#release, 'lateReferences');
    const slash = byPath ? name.lastIndexOf('/') : -1;
    const key = name.slice(slash + 1);
    let from: Open | null = section;
    let defaults: ReadonlyMap<string, string> | null = null;
    if (slash >= 0) {
      const path = name.slice(0, slash);
      from = this.#sectionAt(path);
      defaults = this.#defaultKeys(path);
      if (from === null && defaults === null)
        throw new Refusal('bad-reference', `Failed to expand $SET:${name}: Unknown filter path: ${path}`);
      from ??= this.#root;
    } else {
      defaults = this.#defaultKeys(pathOf(section));
    }
    const setting = this.#table.get(key);
    if (setting === null) {
      const says = byPath
        ? `Failed to expand $SET:${name}: Unknown setting: ${key}`
        : `Unknown setting: ${key}`;
      throw new Refusal('bad-reference', says);
    }
    if (setting.type === 'strlist' || setting.type === 'boollist' || setting.type.startsWith('named_'))
      throw new Refusal(
        'bad-reference',
        `Failed to expand $SET:${name}: Setting type can't be expanded to string`,
      );
    const short = key.replace(/^[a-z]+_/, '');
    for (; from !== null; from = from.parent) {
      const found = from.values.get(key);
      if (found !== undefined)
        return found.pending ? this.#expand(from, name, found.text, false).text : found.text;
      const known = from.parent === null ? undefined : defaults?.get(short);
      if (known !== undefined) return this.#late(this.#root, name, known);
      // Up to 2.4.1 only a setting that refers to itself looks further out.
      if (!byPath && !own) break;
    }
    return this.#late(this.#root, name, defaults?.get(short) ?? setting.default ?? '');
  }

  /** A value that refers on. */
  #late(section: Open, key: string, text: string): string {
    if (!text.includes('$SET:')) return text;
    return this.#expand(section, key, text, false).text;
  }

  #sectionAt(path: string): Open | null {
    let at: Open | null = this.#root;
    let rest = path;
    while (at !== null && rest !== '') {
      const next: Open | undefined = at.children.find(
        ({ kind, type, name }) =>
          kind === 'list' && (rest === `${type}/${name}` || rest.startsWith(`${type}/${name}/`)),
      );
      if (next === undefined) return null;
      rest = rest.slice(`${next.type}/${next.name}`.length).replace(/^\//, '');
      at = next;
    }
    return at;
  }

  /** What a service or listener has by itself, by the path of its section. */
  #defaultKeys(path: string): ReadonlyMap<string, string> | null {
    const [type, service = '', kind, ...rest] = path.split('/');
    const found = type === 'service' ? this.#services.get(service) : undefined;
    if (found === undefined || kind === undefined) return found?.keys ?? null;
    const listener = rest.join('/');
    return found.listeners.find((other) => other.kind === kind && other.name === listener)?.keys ?? null;
  }

  /** Sets a key in a section, by the first of the names that it may be short for. */
  #apply(section: Open, path: string, text: Text, statement: SettingStatement): void {
    let target = section;
    let key = path;
    for (;;) {
      const inner = this.#throughPath(target, key);
      target = inner.section;
      key = inner.key;
      const prefixed = this.#prefixed(target, key);
      if (prefixed === null) break;
      key = prefixed;
    }
    for (const { name, at } of this.#names(target, key)) {
      if (!this.#table.get(listOf(name))) continue;
      this.#set(at, name, text, statement);
      this.#lookAtOrder(at, name);
      return;
    }
    throw new Refusal('unknown-setting', this.#unknown(target, key));
  }

  /** `service/auth/client_limit`: through sections by their names, to the key. */
  #throughPath(start: Open, path: string): { readonly section: Open; readonly key: string } {
    let section = start;
    let key = path;
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/')) {
      const type = key.slice(0, slash);
      const setting = this.#table.get(type);
      if (setting?.type === 'named_filter') {
        section = this.#open({ kind: 'named', type, name: '', own: NO_FILTER }, section);
        key = key.slice(slash + 1);
        continue;
      }
      const end = key.indexOf('/', slash + 1);
      if (setting?.type !== 'named_list_filter' || end < 0) break;
      section = this.#open({ kind: 'list', type, name: key.slice(slash + 1, end), own: NO_FILTER }, section);
      key = key.slice(end + 1);
    }
    return { section, key };
  }

  /** For the listing: a key that begins with the name of a section belongs into it. */
  #prefixed(section: Open, key: string): string | null {
    if (this.#prefixes.length === 0) return null;
    const own = section.kind === 'root' || section.kind === 'filter' ? null : underscored(section);
    const matching = this.#prefixes
      .filter((prefix) => key.startsWith(prefix))
      .sort((a, b) => b.length - a.length);
    for (const prefix of matching) {
      const name = prefix.slice(0, -1);
      return own === name ? null : `${name}/${key}`;
    }
    return null;
  }

  /** The names that a key may be short for, and the section that each would be set in. */
  *#names(section: Open, key: string): Iterable<{ readonly name: string; readonly at: Open }> {
    const { kind, type } = section;
    if (kind === 'list' || kind === 'group') {
      const long = `${underscored(section)}_${key}`;
      if (this.#canPrefix(long)) yield { name: long, at: section };
    }
    if (kind === 'list' || kind === 'group' || kind === 'named') {
      const bare = type.replace(/^@/, '');
      let name = `${bare}_${key}`;
      let at = section;
      if (kind === 'named' && this.#prefixes.length === 0) {
        at = section.parent ?? section;
        if (key.startsWith(`${bare}_`)) name = key;
      }
      if (this.#canPrefix(name)) yield { name, at };
    }
    yield { name: key, at: section };
  }

  #set(section: Open, name: string, text: Text, statement: SettingStatement): void {
    const key = listOf(name);
    const setting = this.#table.get(key);
    if (setting === null || this.#read === null) return;
    if (NOT_IN_GROUPS.has(key) && section.inGroup)
      throw new Refusal('bad-group', `${key} cannot currently be defined inside groups`);
    const { filterKey } = this.#frame;
    if (filterKey !== null && requiredSetting(filterKey, this.#release) === name) section.requiredSeen = true;
    const marker = statement.form === 'heredoc' ? markerOf(statement) : null;
    if (marker !== null && setting.type !== 'str' && setting.type !== 'file') {
      const isList =
        setting.type === 'strlist' || setting.type === 'boollist' || setting.type === 'named_list_filter';
      const what = isList ? 'list settings' : 'this setting';
      throw new Refusal('bad-value', `Heredoc syntax is not supported for ${what}: ${name}`);
    }
    const earlier = section.values.get(key);
    const base = {
      setting,
      replaces: false,
      pending: text.pending,
      marker,
      entries: null,
      at: statementLocation(this.#read),
    };
    const value = this.#stored(section, setting, name, text, statement, earlier, base);
    const assignment = this.#assignment(setting, name, section, value.text, statement);
    this.#assignments.push(assignment);
    section.values.set(key, { ...value, assignment });
    this.#check(setting, text);
    if (setting.auth && isOfNetwork(filterOf(section))) {
      throw new Refusal('auth-in-network', `Auth settings not supported inside local/remote blocks: ${name}`);
    }
  }

  /** The value as the section keeps it. */
  #stored(
    section: Open,
    setting: DovecotSetting,
    name: string,
    { text, pending }: Text,
    statement: SettingStatement,
    earlier: FilterValue | undefined,
    base: Pick<FilterValue, 'setting' | 'replaces' | 'pending' | 'marker' | 'entries' | 'at'>,
  ): Omit<FilterValue, 'assignment'> {
    const { type } = setting;
    if (type === 'boollist' || type === 'strlist')
      return this.#list(section, setting, name, { text, pending }, earlier, base);
    if (type === 'named_filter')
      throw new Refusal('bad-value', `Setting is a named filter, use '${setting.name} {'`);
    if (type === 'named_list_filter') {
      if (pending)
        throw new Refusal('bad-reference', `Named list filter name must not contain $SET: ${text}`);
      if (text.startsWith('__'))
        throw new Refusal('section-name', `Named list filter name must not begin with '__': ${text}`);
      throw new Refusal('bad-value', `Setting is a named list filter, use '${statement.key} ${text} {'`);
    }
    if (type !== 'file') return { ...base, text };
    if (pending) throw new Refusal('bad-reference', `File settings must not contain $SET: ${text}`);
    return { ...base, text: this.#file(text) };
  }

  /** A line that replaces a list, or one word or pair of it. */
  #list(
    section: Open,
    setting: DovecotSetting,
    name: string,
    { text, pending }: Text,
    earlier: FilterValue | undefined,
    base: Pick<FilterValue, 'setting' | 'replaces' | 'pending' | 'marker' | 'entries' | 'at'>,
  ): Omit<FilterValue, 'assignment'> {
    const slash = name.indexOf('/');
    if (slash < 0) {
      if (setting.type === 'boollist')
        return {
          ...base,
          text,
          entries: this.#words(text).map((entry) => this.#entry(section, entry.key, YES)),
          replaces: true,
        };
      if (text !== '') throw new Refusal('bad-value', `Setting is a string list, use '${name} {'`);
      return { ...base, text, entries: [], replaces: true };
    }
    if (setting.type === 'boollist' && !pending && this.#canCheck(text)) {
      const bool = checkValue('bool', text, [], this.#release);
      if (!bool.ok) throw new Refusal('bad-value', bool.says);
    }
    const key = name.slice(slash + 1);
    const growing = this.#growing.get(earlier?.entries ?? NO_ENTRIES);
    const entries = growing?.entries ?? [...(earlier?.entries ?? this.#inherited(setting, section))];
    // A word is found again as it is written; of two that are the same it is the first.
    const places =
      growing?.places ?? new Map(entries.map((entry, index) => [entry.key, index] as const).toReversed());
    const at = places.get(key) ?? entries.length;
    entries[at] = this.#entry(section, key, { text, pending });
    places.set(key, at);
    this.#growing.set(entries, { entries, places });
    return { ...base, text: '', entries, replaces: earlier?.replaces ?? false };
  }

  /** A path is resolved where values are worked out, and the file has to be there where files are looked at. */
  #file(text: string): string {
    const { expand, readFile } = this.#options;
    if (text === '' || !expand || text.includes('%{') || text.startsWith(FILE_INLINE)) return text;
    if (text.startsWith('<') && readFile === undefined) return text;
    const path = relativePath(text, this.#read?.file.source.path ?? '');
    if (readFile !== undefined && readFile(path) === null)
      throw new Refusal('file-missing', `open(${path}) failed: No such file or directory`);
    return path;
  }

  /** A word of a list is a text of its own: since 2.4.2 also what it is called may be a reference. */
  #entry(section: Open, word: string, { text, pending }: Text): ListEntry {
    const key = hasDovecotFeature(this.#release, 'lateReferences')
      ? this.#expand(section, '', word, true)
      : { text: word, pending: false };
    const entry = { key: key.text, value: text };
    return key.pending || pending ? { ...entry, pending: { key: key.pending, value: pending } } : entry;
  }

  #words(text: string): ListEntry[] {
    const list = listWords(text);
    if ('says' in list) throw new Refusal('bad-value', list.says);
    return list.words.map((key) => ({ key, value: 'yes' }));
  }

  /** A list that is only added to begins with what it is by default, outside of all sections. */
  #inherited(setting: DovecotSetting, section: Open): ListEntry[] {
    // For the listing, a section may stand for the first part of the name.
    const outside = this.#prefixes.length > 0 && section.kind === 'named' ? section.parent : section;
    if (outside !== this.#root) return [];
    if (setting.type === 'boollist') return this.#words(setting.default ?? '');
    return defaultPairs(setting.name).map(([key, value]) => ({ key, value }));
  }

  #canCheck(text: string): boolean {
    if (text.includes('%{')) return false;
    return this.#options.expand || !(text.includes('$SET:') || text.includes('$ENV:'));
  }

  /** What the type makes of the value. */
  #check(setting: DovecotSetting, { text, pending }: Text): void {
    if (pending) return;
    const { type } = setting;
    if (hasDovecotFeature(this.#release, 'variableProgramsChecked') && text.includes('%{')) {
      const fault = variableProgramFault(text);
      if (fault !== null) throw new Refusal('bad-variable-program', `${text}: syntax error`);
    }
    if (!isCheckedType(type) || !this.#canCheck(text)) return;
    if (this.#options.expand && this.#options.readFile === undefined && text.startsWith('<')) return;
    const checked = checkValue(type, text, setting.values, this.#release);
    if (!checked.ok) throw new Refusal('bad-value', checked.says);
  }

  #assignment(
    setting: DovecotSetting,
    name: string,
    section: Open,
    text: string,
    statement: SettingStatement,
  ): DovecotAssignment {
    const file = this.#read?.file;
    if (file === undefined) throw new Error('a setting without a file');
    const { source } = file;
    const { keySpan, valueSpan, form } = statement;
    const span = { start: keySpan.start, end: Math.max(keySpan.end, valueSpan.end) };
    const written: string = form === 'file' ? `<${statement.value}` : statement.value;
    return {
      key: statement.key,
      name,
      setting,
      scope: section.scope,
      written,
      value: name.includes('/') ? statement.value : text,
      form: form satisfies ValueForm,
      at: { source, span },
      valueAt: { source, span: valueSpan },
      file,
      statement,
      order: this.#assignments.length,
    };
  }

  #unknown(section: Open, key: string): string {
    const says = `Unknown setting: ${key}`;
    if (section.kind === 'root' || section.kind === 'filter') return says;
    const tried = `${says} (${section.type}_${key}`;
    if (section.kind === 'named') return `${tried} not found either.)`;
    const begin = `${section.type}_`;
    let similar = this.#similar.get(begin);
    if (similar === undefined) {
      similar = similarNames(this.#table, begin);
      this.#similar.set(begin, similar);
    }
    const meant = similar.get(key) ?? [];
    const hint =
      meant.length === 0
        ? ''
        : meant.length === 1
          ? ` Did you mean ${meant[0] ?? ''}?`
          : ` Did you mean one of: ${meant.join(', ')}?`;
    return `${tried} or ${underscored(section)}_${key} not found either.${hint})`;
  }

  /** Warns of a global setting that a filter has set before. */
  #lookAtOrder(section: Open, name: string): void {
    const read = this.#read;
    if (read === null) return;
    const earlier = this.#seen.get(name);
    if (section === this.#root) {
      if (earlier !== undefined) this.#warnings.push(globalAfterFilter(read, name, earlier));
    } else if (earlier === undefined && this.#frame.section.inOther) {
      this.#seen.set(name, {
        at: statementLocation(read),
        line: lastLine(read.file.source, read.statement.line.span),
      });
    }
  }

  /** What is left when all is read: references, and groups of old releases. */
  #finish(): void {
    for (const { label, name, read } of this.#lateGroups) {
      this.#read = read;
      this.#guard(() => this.#checkGroup(label, name));
    }
    if (hasDovecotFeature(this.#release, 'lateReferences')) {
      for (const section of this.#sections) {
        for (const [key, value] of section.values) {
          const isList = value.entries?.some(({ pending }) => pending !== undefined) === true;
          if ((!isList && (!value.pending || value.entries !== null)) || value.assignment === null) continue;
          this.#chain.length = 0;
          try {
            if (value.entries !== null) {
              const entries = value.entries.map((entry) => this.#replaced(section, key, entry));
              section.values.set(key, { ...value, entries, pending: false });
              continue;
            }
            const { text } = this.#expand(section, key, value.text, false);
            const assignment = { ...value.assignment, value: text };
            this.#assignments[assignment.order] = assignment;
            section.values.set(key, { ...value, text, pending: false, assignment });
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            const { path, line } = {
              path: value.assignment.file.source.path,
              line: lastLine(value.assignment.file.source, value.assignment.statement.line.span),
            };
            this.#faults.push({
              code: error.code,
              at: value.at,
              name: key,
              says: error.says,
              blamed: error.says.startsWith('Chained') ? null : { path, line },
            });
          }
        }
      }
    }
    const storage = this.#root.values.get('dovecot_storage_version');
    if (storage === undefined || storage.text === '') {
      const { source } = this.#tree.main;
      const at = { source, span: source.lineSpan(1) };
      const says = 'dovecot_storage_version setting must be set';
      this.#faults.push({ code: 'storage-version-missing', at, name: null, says, blamed: null });
    }
  }

  #replaced(section: Open, name: string, { key, value, pending }: ListEntry): ListEntry {
    const text = (written: string, isPending = false): string =>
      isPending ? this.#expand(section, name, written, false).text : written;
    return { key: text(key, pending?.key), value: text(value, pending?.value) };
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#chain.length = 0;
      this.#fault(error.code, error.says);
    }
  }

  #fault(code: DovecotFaultCode, says: string, at: Location | null = null): void {
    if (this.#read === null) return;
    const { statement } = this.#read;
    const name = statement.kind === 'setting' || statement.kind === 'section' ? statement.key : null;
    this.#faults.push({
      code,
      at: at ?? statementLocation(this.#read),
      name,
      says,
      blamed: blamedLine(this.#read),
    });
  }
}

/** `list` of `list/key`. */
function listOf(name: string): string {
  const slash = name.indexOf('/');
  return slash < 0 ? name : name.slice(0, slash);
}

/** `service_auth`, `ssl_server`: what a key may have before it inside a section. */
function underscored({ type, name, kind }: FilterSection): string {
  const bare = type.replace(/^@/, '');
  return kind === 'named' ? bare : `${bare}_${name}`.replaceAll('/', '_');
}

/** The path of a section with a name, as `$SET:` writes it. */
function pathOf(section: FilterSection): string {
  const parts: string[] = [];
  for (let at: FilterSection | null = section; at !== null; at = at.parent) {
    if (at.kind === 'list') parts.push(`${at.type}/${at.name}`);
  }
  return parts.toReversed().join('/');
}

/** Sections that may not stand inside others of their kind. */
function notUnder(key: string, outer: string): boolean {
  if (key === 'service') return true;
  if (key === 'namespace') return outer === 'namespace' || outer === 'mailbox';
  return key === 'mailbox' && outer === 'mailbox';
}

/** The connections for which a section counts. */
function filterOf(section: FilterSection): Filter {
  return section.scope.filter;
}

function joined(outer: Filter, inner: Filter): Filter {
  return {
    protocol: inner.protocol ?? outer.protocol,
    localName: inner.localName ?? outer.localName,
    local: inner.local ?? outer.local,
    remote: inner.remote ?? outer.remote,
  };
}

/** What tells the sections inside another apart. */
function sectionKey({
  kind,
  type,
  name,
  own,
}: Pick<FilterSection, 'kind' | 'type' | 'name' | 'own'>): string {
  return `${kind} ${type} ${kind === 'filter' ? connectionKey(own) : name}`;
}

/** Names that a section is short for, by what is left of them without their second part. */
function similarNames(table: SettingsTable, begin: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const name of table.names()) {
    if (!name.startsWith(begin)) continue;
    const next = name.indexOf('_', begin.length);
    if (next < 0) continue;
    const key = name.slice(next + 1);
    const known = found.get(key) ?? [];
    known.push(name);
    found.set(key, known);
  }
  return found;
}

/** The marker behind `<<`. */
function markerOf({ line }: SettingStatement): string {
  return line.text.slice(line.text.indexOf('<<', line.text.indexOf('=')) + 2).trim();
}

/** Names of sections without a name of their own, with `_` behind them. */
function namedFilterPrefixes(table: SettingsTable): readonly string[] {
  return [...table.names()]
    .filter((name) => table.get(name)?.type === 'named_filter')
    .map((name) => `${name}_`);
}
