import type { Release } from '../model/release.ts';
import type { Location } from '../text/source.ts';
import type { DovecotAssignment, Scope } from './assignment.ts';
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
  type Filter,
  type FilterType,
  filterFault,
  filterKey,
  innerFilter,
  isFilterType,
  isOfNetwork,
  NO_FILTER,
} from './filter.ts';
import { type LegacyHost, LegacyNames } from './legacy.ts';
import { type DovecotTree, lastLine, type Read, relativePath } from './load.ts';
import type { DovecotFault, DovecotFaultCode, DovecotWarning } from './outcome.ts';
import { hasDovecotFeature } from './releases.ts';
import { escapeSection, unescapeSection } from './section-name.ts';
import { type DefaultService, defaultServices } from './services.ts';
import { type DovecotSetting, type SettingsTable } from './settings.ts';
import type { ValueForm } from './syntax/tree.ts';
import { checkValue, isCheckedType } from './values.ts';

/** A value as 2.2 and 2.3 keep it. */
export interface SectionValue {
  /** In the one form of its type; of a file, `<` and its path. */
  readonly value: string;
  /** Null where an old name sets it that is no `key = value`. */
  readonly assignment: DovecotAssignment | null;
  readonly setting: DovecotSetting | null;
  readonly at: Location;
}

/** A section of 2.2 and 2.3 within one filter, or the filter itself. */
export interface SectionNode {
  /** `service/auth`, names escaped; empty for the filter itself. */
  readonly path: string;
  /** The section of the table of settings: `service/unix_listener`; null outside of sections. */
  readonly info: string | null;
  readonly type: string;
  /** Empty for one without a name. */
  readonly name: string;
  /** Holds free names. */
  readonly free: boolean;
  readonly scope: Scope;
  readonly values: Map<string, SectionValue>;
  readonly children: SectionNode[];
  /** The first child of a type and name. */
  readonly byName: Map<string, SectionNode>;
}

/** All that one filter holds. */
export interface FilterNode {
  readonly filter: Filter;
  readonly root: SectionNode;
  /** The line that opens it first; null for what stands in no filter. */
  readonly openedAt: { readonly path: string; readonly line: number } | null;
}

/** What 2.2 and 2.3 make of a configuration. */
export interface SectionEvaluation extends Evaluation {
  readonly table: SettingsTable;
  /** In order of their opening; the first is the one of all that stands in no filter. */
  readonly filters: readonly FilterNode[];
}

/** Sections that do not become one by the same name. */
export const COUNTED: ReadonlySet<string> = new Set(['passdb', 'userdb']);

/** A scope that is still being written to. */
type OpenScope = Scope & { readonly openings: Location[] };

/** A filter that is still being filled. */
interface OpenFilter extends FilterNode {
  /** Sections by path; a list of free names has two. */
  readonly links: Map<string, SectionNode>;
}

/** An open section. */
interface Frame {
  readonly key: string;
  readonly isFilter: boolean;
  readonly filter: OpenFilter;
  /** Path of what stands inside it, with a slash at its end; empty outside of sections. */
  readonly path: string;
  readonly opened: Read | null;
  /** The server has stopped at the line that opens it: what is inside is not judged. */
  readonly dead: boolean;
}

/**
 * Reads a configuration as 2.2 and 2.3 do: each filter has all settings and sections of its own, which are
 * told apart by paths with slashes.
 *
 * Sources: config-parser.c (config_parser_apply_line() and what it calls), settings-parser.c
 * (settings_find_key_nth(), get_deflist()), old-set-parser.c.
 */
export function evaluateSections(
  tree: DovecotTree,
  release: Release,
  options: EvaluationOptions,
): SectionEvaluation {
  return new SectionReader(release, options).read(tree);
}

class SectionReader implements LegacyHost {
  readonly #table: SettingsTable;
  readonly #release: Release;
  readonly #options: EvaluationOptions;
  readonly #services: ReadonlyMap<string, DefaultService>;
  readonly #filters: OpenFilter[] = [];
  readonly #byKey = new Map<string, OpenFilter>();
  readonly #stack: Frame[] = [];
  readonly #assignments: DovecotAssignment[] = [];
  readonly #scopes: Scope[] = [];
  readonly #faults: DovecotFault[] = [];
  readonly #warnings: DovecotWarning[] = [];
  /** Where a path was first set inside a filter or section. */
  readonly #seen = new Map<string, { readonly at: Location; readonly line: number }>();
  readonly #legacy: LegacyNames;
  readonly #comments = new CommentWarnings();
  #counter = 0;
  #read: Read | null = null;

  constructor(release: Release, options: EvaluationOptions) {
    this.#release = release;
    this.#table = tableOf(release, release, options);
    this.#services = defaultServices(release);
    this.#options = options;
    this.#legacy = new LegacyNames(this, release);
    const root = this.#addFilter(NO_FILTER, scopeOf('root', '', '', null, NO_FILTER), null);
    this.#stack.push({ key: '', isFilter: false, filter: root, path: '', opened: null, dead: false });
  }

  read(tree: DovecotTree): SectionEvaluation {
    for (const read of tree.statements) {
      this.#read = read;
      this.#warnings.push(...this.#comments.of(read));
      this.#statement(read);
    }
    const open = this.#stack.at(-1);
    if (open !== undefined && open.opened !== null) {
      const { path, line } = blamedLine(open.opened);
      this.#faults.push({
        code: 'section-unclosed',
        at: statementLocation(open.opened),
        name: open.key,
        says: `Missing '}' (section started at ${path}:${line})`,
        blamed: null,
      });
    }
    return {
      table: this.#table,
      filters: this.#filters,
      assignments: this.#assignments,
      scopes: this.#scopes,
      faults: this.#faults,
      warnings: this.#warnings,
    };
  }

  get frame(): Frame {
    const frame = this.#stack.at(-1);
    if (frame === undefined) throw new Error('no open section');
    return frame;
  }

  // What old names may ask for.

  get path(): string {
    return this.frame.path;
  }

  get filter(): Filter {
    return this.frame.filter.filter;
  }

  obsolete(says: string): void {
    if (this.#read === null) return;
    const { path, line } = blamedLine(this.#read);
    this.#warn('obsolete', `Obsolete setting in ${path}:${line}: ${says}`);
  }

  ignored(says: string): void {
    this.#warn('ignored', says);
  }

  fail(code: DovecotFaultCode, says: string): void {
    this.#fault(code, says);
  }

  set(key: string, value: string, form: ValueForm = 'plain'): void {
    this.#setting(key, form, value);
  }

  setPath(path: string, value: string, atRoot: boolean): void {
    const filter = atRoot ? (this.#filters[0] ?? this.frame.filter) : this.frame.filter;
    this.#apply(filter, path, path.slice(path.lastIndexOf('/') + 1), value, value);
  }

  knows(path: string): boolean {
    const [filter] = this.#filters;
    return filter !== undefined && this.#find(filter, path) !== null;
  }

  openSection(key: string, name: string): void {
    this.#section(key, name);
  }

  openPath(path: string, name: string): void {
    const [filter] = this.#filters;
    if (filter !== undefined) this.#link(filter, path, escapeSection(name), name);
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
        if (!this.#legacy.end()) this.#end();
        return;
      case 'section':
        if (this.frame.dead || !this.#legacy.section(statement.key, statement.name))
          this.#section(statement.key, statement.name);
        return;
      case 'setting':
      default:
        if (this.frame.dead) return;
        if (statement.form === 'plain' || statement.form === 'quoted') {
          if (this.#legacy.setting(statement.key, statement.value)) return;
        }
        this.#setting(statement.key, statement.form, statement.value);
    }
  }

  #end(): void {
    if (this.#stack.length > 1) this.#stack.pop();
    else this.#fault('unexpected-end', "Unexpected '}'");
  }

  #section(key: string, name: string): void {
    const outer = this.frame;
    const frame = (inner: Partial<Frame>): void => {
      const base = {
        key,
        isFilter: false,
        filter: outer.filter,
        path: outer.path,
        opened: this.#read,
        dead: outer.dead,
      };
      this.#stack.push({ ...base, ...inner });
    };
    if (outer.dead) {
      frame({});
    } else if (isFilterType(key)) {
      const says = filterFault(key, name, outer.filter.filter);
      if (says !== null) {
        frame({ dead: true });
        this.#fault('bad-filter', says);
      } else {
        frame({ isFilter: true, filter: this.#openFilter(key, name) });
      }
    } else {
      const id = name === '' ? String(this.#counter++) : escapeSection(name);
      frame({ path: `${outer.path}${key}/${id}/` });
      if (!this.#applySection(key, `${outer.path}${key}`, id, name)) {
        this.#stack.pop();
        frame({ dead: true });
      }
    }
  }

  #openFilter(type: FilterType, name: string): OpenFilter {
    const outer = this.frame.filter;
    const filter = innerFilter(type, name, outer.filter);
    let known = this.#byKey.get(filterKey(filter));
    if (known === undefined) {
      const scope = scopeOf('filter', type, name, outer.root.scope, filter);
      known = this.#addFilter(filter, scope, this.#read);
    }
    this.#opened(known.root.scope);
    return known;
  }

  #addFilter(filter: Filter, scope: Scope, read: Read | null): OpenFilter {
    const root: SectionNode = {
      path: '',
      info: null,
      type: '',
      name: '',
      free: false,
      scope,
      values: new Map(),
      children: [],
      byName: new Map(),
    };
    const openedAt = read === null ? null : blamedLine(read);
    const added: OpenFilter = { filter, root, openedAt, links: new Map() };
    this.#filters.push(added);
    this.#byKey.set(filterKey(filter), added);
    return added;
  }

  /** A section, or something else that stands before a brace. */
  #applySection(key: string, path: string, id: string, name: string): boolean {
    const { filter } = this.frame;
    const target = this.#find(filter, path);
    if (target === null) {
      this.#unknown(key);
      return false;
    }
    if (target.free) {
      this.#fault('section-misplaced', 'Section not allowed here');
      return false;
    }
    const { setting } = target;
    if (setting?.type === 'section' || setting?.type === 'strlist') {
      for (const part of id.split(/[,\t ]/)) if (part !== '') this.#link(filter, path, part, name);
      return this.#allowed(filter, target, key);
    }
    // The server takes the name for a value, and has nothing that could stand inside.
    const says = setting === null ? null : this.#check(setting, id);
    if (says !== null && typeof says !== 'string') this.#fault('section-misplaced', says.says);
    return says === null || typeof says === 'string';
  }

  /** The section of a path and a name, made where it is not there. */
  #link(filter: OpenFilter, path: string, id: string, name: string): SectionNode {
    const full = `${path}/${id}`;
    let node = filter.links.get(full) ?? null;
    if (node !== null && COUNTED.has(path)) this.#fault('section-misplaced', `${full} already exists`);
    if (node === null) {
      const slash = path.lastIndexOf('/');
      const type = path.slice(slash + 1);
      const parent = slash < 0 ? filter.root : (this.#linked(filter, path.slice(0, slash)) ?? filter.root);
      const info = parent.info === null ? type : `${parent.info}/${type}`;
      const free = this.#table.get(type, parent.info)?.type === 'strlist';
      const same = free ? (filter.links.get(path) ?? null) : null;
      node = same ?? {
        path: full,
        info,
        type,
        name: free ? '' : name,
        free,
        scope: scopeOf('section', type, free ? '' : name, parent.scope, filter.filter),
        values: new Map(),
        children: [],
        byName: new Map(),
      };
      if (same === null) {
        parent.children.push(node);
        const key = nodeKey(type, node.name);
        if (!parent.byName.has(key)) parent.byName.set(key, node);
      }
      filter.links.set(full, node);
      if (free) filter.links.set(path, node);
    }
    if (this.#read?.statement.kind === 'section') this.#opened(node.scope);
    return node;
  }

  /** The section of a path, where it was opened or the server has it by itself. */
  #linked(filter: OpenFilter, path: string): SectionNode | null {
    const known = filter.links.get(path);
    if (known !== undefined) return known;
    const parts = path.split('/');
    const [type, service = '', kind, listener = ''] = parts;
    const found = type === 'service' ? this.#services.get(unescapeSection(service)) : undefined;
    if (found === undefined || (parts.length !== 2 && parts.length !== 4)) return null;
    if (kind !== undefined) {
      const name = unescapeSection(listener);
      if (!found.listeners.some((other) => other.kind === kind && other.name === name)) return null;
    }
    const slash = path.lastIndexOf('/');
    return this.#link(
      filter,
      path.slice(0, slash),
      path.slice(slash + 1),
      unescapeSection(kind === undefined ? service : listener),
    );
  }

  /** What a path means: the section that holds it, and the setting; free names have none. */
  #find(
    filter: OpenFilter,
    path: string,
  ): { readonly node: SectionNode; readonly setting: DovecotSetting | null; readonly free: boolean } | null {
    const slash = path.lastIndexOf('/');
    const key = path.slice(slash + 1);
    if (slash < 0) {
      const setting = this.#table.get(key);
      return setting === null ? null : { node: filter.root, setting, free: false };
    }
    const parent = path.slice(0, slash);
    let node = this.#linked(filter, parent);
    if (node === null) {
      // A list of free names begins with the first of them.
      if (this.#find(filter, parent)?.setting?.type !== 'strlist') return null;
      node = this.#link(filter, parent, '0', '');
    }
    if (node.free) return { node, setting: null, free: true };
    const setting = this.#table.get(key, node.info);
    return setting === null ? null : { node, setting, free: false };
  }

  /** `key = value`, behind what is open. */
  #setting(key: string, form: ValueForm, value: string): void {
    const { filter, path } = this.frame;
    const full = path + key;
    this.#lookAtOrder(full, key);
    const texts = this.#texts(key, form, value, full);
    if (texts === null) return;
    if (full === '') {
      this.#fault('unknown-setting', "Missing key name ('=' at the beginning of line)");
      return;
    }
    this.#apply(filter, full, key, texts.written, texts.value, form);
  }

  /** A value that a path gets. */
  #apply(
    filter: OpenFilter,
    full: string,
    key: string,
    written: string,
    value: string,
    form: ValueForm = 'plain',
  ): boolean {
    const target = this.#find(filter, full);
    if (target === null) {
      this.#unknown(key);
      return false;
    }
    const { node, setting } = target;
    let text = value;
    if (setting?.type === 'section' || setting?.type === 'strlist') {
      // `service = a b` makes sections.
      for (const part of value.split(/[,\t ]/))
        if (part !== '') this.#link(filter, full, part, unescapeSection(part));
      return this.#allowed(filter, target, key);
    }
    if (setting !== null) {
      const checked = this.#check(setting, value);
      if (typeof checked !== 'string') {
        this.#fault('bad-value', checked.says);
        return false;
      }
      text = checked;
    }
    const name = setting?.aliasOf ?? setting?.name ?? full.slice(full.lastIndexOf('/') + 1);
    const assignment = this.#assignment({ key, name, setting, scope: node.scope, written, value, form });
    if (assignment !== null) this.#assignments.push(assignment);
    if (this.#read !== null)
      node.values.set(name, { value: text, assignment, setting, at: statementLocation(this.#read) });
    return this.#allowed(filter, target, key);
  }

  #assignment(
    parts: Pick<DovecotAssignment, 'key' | 'name' | 'setting' | 'scope' | 'written' | 'value' | 'form'>,
  ): DovecotAssignment | null {
    if (this.#read === null) return null;
    const { file, statement } = this.#read;
    if (statement.kind !== 'setting') return null;
    const { source } = file;
    const at = {
      source,
      span: { start: statement.keySpan.start, end: Math.max(statement.keySpan.end, statement.valueSpan.end) },
    };
    const valueAt = { source, span: statement.valueSpan };
    return { ...parts, at, valueAt, file, statement, order: this.#assignments.length };
  }

  /** The value in the form of its type, or what is wrong with it. */
  #check(setting: DovecotSetting, value: string): string | { readonly says: string } {
    if (!isCheckedType(setting.type)) return value;
    const { readFile, expand } = this.#options;
    // What stands in a file that was not read is not known.
    if (expand && readFile === undefined && value.startsWith('<')) return value;
    const checked = checkValue(setting.type, value, setting.values, this.#release);
    return checked.ok ? checked.text : checked;
  }

  #allowed(
    filter: OpenFilter,
    { setting }: { readonly setting: DovecotSetting | null },
    key: string,
  ): boolean {
    if (setting?.auth !== true || !isOfNetwork(filter.filter)) return true;
    this.#fault('auth-in-network', `Auth settings not supported inside local/remote blocks: ${key}`);
    return false;
  }

  /** Warns of a global setting that a filter has set before. */
  #lookAtOrder(full: string, key: string): void {
    const read = this.#read;
    if (read === null) return;
    const earlier = this.#seen.get(full);
    if (this.#stack.length === 1) {
      if (earlier !== undefined) this.#warnings.push(globalAfterFilter(read, key, earlier));
    } else if (earlier === undefined) {
      this.#seen.set(full, {
        at: statementLocation(read),
        line: lastLine(read.file.source, read.statement.line.span),
      });
    }
  }

  /** A value as doveconf -n would show it, and what it is worth; null where the server stops. */
  #texts(
    key: string,
    form: ValueForm,
    value: string,
    full: string,
  ): { readonly written: string; readonly value: string } | null {
    if (form === 'file') {
      const written = `<${value}`;
      const { expand, readFile } = this.#options;
      if (!expand || readFile === undefined) return { written, value: written };
      const path = relativePath(value, this.#read?.file.source.path ?? '');
      const content = readFile(path);
      if (content !== null) return { written, value: content };
      this.#fault('file-missing', `${full}: Can't open file ${path}: No such file or directory`);
      return null;
    }
    if (form !== 'variables') return { written: value, value };
    const text = hasDovecotFeature(this.#release, 'variablesAnywhere')
      ? this.#words(key, value)
      : this.#leading(key, value);
    return text === null ? null : { written: value, value: text };
  }

  /** Up to 2.3.13: a value that begins with a reference; the rest is taken as it is. */
  #leading(key: string, value: string): string | null {
    const space = value.indexOf(' ');
    const name = value.slice(1, space < 0 ? value.length : space);
    if (!this.#options.expand && name !== key) return value;
    const found = this.#reference(name, name === key);
    return found === null ? null : found + (space < 0 ? '' : value.slice(space));
  }

  /** Since 2.3.14: each word that begins with `$`; runs of blanks become one. */
  #words(key: string, value: string): string | null {
    const words: string[] = [];
    for (const word of value.split(/ [ \t]*/)) {
      const own = word.replace(/^\$/, '') === key;
      if (!word.startsWith('$') || (!this.#options.expand && !own)) {
        words.push(word);
      } else if (word.startsWith('$ENV:')) {
        words.push(this.#options.environment?.[word.slice('$ENV:'.length)] ?? '');
      } else {
        const found = this.#reference(word.slice(1), own);
        if (found === null) return null;
        words.push(found);
      }
    }
    return words.join(' ');
  }

  /**
   * What a name is worth at this point of the reading, in the filter that is open: there, what the filter
   * itself has set, or the default. Only a setting that refers to itself looks further out.
   */
  #reference(name: string, own: boolean): string | null {
    for (let depth = this.#stack.length - 1; depth >= 0; depth--) {
      const filter = this.#stack[depth]?.filter;
      if (filter === undefined) break;
      const target = this.#find(filter, name);
      const { setting } = target ?? {};
      if (target === null || setting === undefined || setting === null) break;
      if (setting.type === 'section' || setting.type === 'strlist') {
        this.#fault('bad-reference', `Invalid variable: $${name}`);
        return null;
      }
      const set = target.node.values.get(setting.aliasOf ?? setting.name);
      if (set !== undefined) return set.value;
      if (!own || depth === 0) return this.#default(setting, target.node);
    }
    this.#fault('bad-reference', `Unknown variable: $${name}`);
    return null;
  }

  #default(setting: DovecotSetting, node: SectionNode): string {
    const real = setting.aliasOf === null ? setting : this.#table.get(setting.aliasOf, setting.section);
    const [type, service = '', kind, listener = ''] = node.path.split('/');
    if (type === 'service') {
      const found = this.#services.get(unescapeSection(service));
      const keys =
        kind === undefined
          ? found?.keys
          : found?.listeners.find((other) => other.kind === kind && other.name === unescapeSection(listener))
              ?.keys;
      const value = keys?.get(setting.name);
      if (value !== undefined) return value;
    }
    return real?.default ?? '';
  }

  #unknown(key: string): void {
    const sections = this.#stack
      .filter(({ isFilter, key: type }) => !isFilter && type !== '')
      .map(({ key: type }) => `${type} { `);
    this.#fault('unknown-setting', `Unknown setting: ${sections.join('')}${key}`);
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

  #warn(code: DovecotWarning['code'], says: string): void {
    if (this.#read === null) return;
    const { statement } = this.#read;
    const name = statement.kind === 'setting' || statement.kind === 'section' ? statement.key : null;
    this.#warnings.push({ code, at: statementLocation(this.#read), name, says, other: null });
  }

  #opened(scope: Scope): void {
    if (this.#read === null) return;
    if (scope.openings.length === 0) this.#scopes.push(scope);
    (scope as OpenScope).openings.push(statementLocation(this.#read));
  }
}

/** How a section finds those inside it. */
export function nodeKey(type: string, name: string): string {
  return `${type} ${name}`;
}

function scopeOf(
  kind: Scope['kind'],
  type: string,
  name: string,
  parent: Scope | null,
  filter: Filter,
): OpenScope {
  return { kind, type, name, parent, filter, openings: [] };
}
