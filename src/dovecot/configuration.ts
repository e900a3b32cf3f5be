import type { Release } from '../model/release.ts';
import type { KnownRelease } from '../model/setting.ts';
import type { Location, SourceFile } from '../text/source.ts';
import type { DovecotAssignment, Scope } from './assignment.ts';
import { type Evaluated, evaluate } from './doveconf.ts';
import type { DovecotContext, DovecotEffective, SectionRef } from './effective.ts';
import type { FilterSection } from './evaluate-filters.ts';
import type { SectionEvaluation, SectionNode } from './evaluate-sections.ts';
import { includeFault } from './evaluation.ts';
import { type Filter, isGlobal } from './filter.ts';
import { lookUpFilter } from './filters-lookup.ts';
import { type DovecotFiles, type DovecotTree, loadDovecot } from './load.ts';
import type { DovecotFault, DovecotWarning } from './outcome.ts';
import { lookUpInSection, lookUpSection } from './sections-lookup.ts';
import { type DefaultListener, defaultServices, type ListenerKind } from './services.ts';
import type { SettingsTable } from './settings.ts';

/** What is needed to know one Dovecot. */
export interface DovecotInput {
  /** dovecot.conf, by the path that the server is given. */
  readonly main: SourceFile;
  readonly files: DovecotFiles;
  readonly release: KnownRelease;
}

/** A section with what counts in it. */
export interface DovecotSection {
  readonly type: string;
  /** Empty for one without a name. */
  readonly name: string;
  /** The connections for which it counts. */
  readonly filter: Filter;
  /** The lines that open it; none for what the server has by itself, or what a path with slashes makes. */
  readonly openings: readonly Location[];
  readonly scope: Scope | null;
  /** What a key is worth in it, by its short name: `driver`, `client_limit`, `port`. */
  get(key: string): DovecotEffective;
}

/** A service that runs, or would run where its protocol is switched on. */
export interface DovecotService extends DovecotSection {
  readonly listeners: readonly DovecotListener[];
}

/** A place where a service listens, open or not. */
export interface DovecotListener extends DovecotSection {
  readonly kind: ListenerKind;
}

const LISTENERS: readonly ListenerKind[] = ['unix_listener', 'fifo_listener', 'inet_listener'];

/**
 * One Dovecot: all its files, the release, and what follows from them. Values are worked out as the server
 * works them out when it starts, but files that values name are not looked at.
 */
export class DovecotConfiguration {
  readonly release: Release;
  readonly releaseKnown: KnownRelease;
  readonly tree: DovecotTree;
  readonly files: DovecotFiles;
  #known: Evaluated | null = null;
  readonly #cache = new Map<string, DovecotEffective>();
  #services: readonly DovecotService[] | null = null;
  #namesCache: ReadonlyMap<string | null, ReadonlyMap<string, readonly string[]>> | null = null;
  #scopesCache: Map<string, Scope> | null = null;

  constructor(input: DovecotInput) {
    this.release = input.release.version;
    this.releaseKnown = input.release;
    this.files = input.files;
    this.tree = loadDovecot(input.main, input.files, this.release);
  }

  /** Worked out when somebody asks for a value: not all do that look at the files. */
  get #evaluated(): Evaluated {
    this.#known ??= evaluate(this.tree, this.release, { expand: true });
    return this.#known;
  }

  get table(): SettingsTable {
    return this.#evaluated.evaluation.table;
  }

  /** The faults of includes, which are among the others: for them nothing else has to be worked out. */
  get includeFaults(): readonly DovecotFault[] {
    return this.tree.statements.flatMap((read) => includeFault(read) ?? []);
  }

  /** What makes the server refuse the configuration, in the order in which it would meet it. */
  get faults(): readonly DovecotFault[] {
    return this.#evaluated.evaluation.faults;
  }

  get warnings(): readonly DovecotWarning[] {
    return this.#evaluated.evaluation.warnings;
  }

  /** dovecot.conf and all that it includes, each once. */
  get sources(): readonly SourceFile[] {
    return this.tree.files.map(({ source }) => source);
  }

  /** Whether settings stand within filters (2.4), not within sections of their own (2.2, 2.3). */
  get hasNamedFilters(): boolean {
    return this.#evaluated.language === 'filters';
  }

  /**
   * What a setting is worth.
   *
   * @param name as the release knows it; with sections given also the short name that it has in the
   *   innermost of them
   * @param context the connection, what is not given is not known: a filter for it does not match
   */
  get(name: string, context: DovecotContext = {}): DovecotEffective {
    const key = lookupKey(name, context);
    let effective = this.#cache.get(key);
    if (effective === undefined) {
      effective = this.#lookUp(name, context);
      this.#cache.set(key, effective);
    }
    return effective;
  }

  #lookUp(name: string, context: DovecotContext): DovecotEffective {
    const evaluated = this.#evaluated;
    return evaluated.language === 'sections'
      ? lookUpSection(evaluated.evaluation, name, context, this.release)
      : lookUpFilter(evaluated.evaluation, name, context, this.release);
  }

  /** The value alone. */
  value(name: string, context: DovecotContext = {}): string {
    return this.get(name, context).value;
  }

  /** True for what the server takes as yes. */
  isYes(name: string, context: DovecotContext = {}): boolean {
    return /^(?:yes|y|1)$/i.test(this.value(name, context));
  }

  /** The words of a list: in 2.2 and 2.3 between blanks, in 2.4 those that count. */
  words(name: string, context: DovecotContext = {}): readonly string[] {
    const { words, value } = this.get(name, context);
    return words ?? value.split(' ').filter((word) => word !== '');
  }

  /** Every `key = value` that the release can place, in the order of reading. */
  settings(): readonly DovecotAssignment[] {
    return this.#evaluated.evaluation.assignments;
  }

  /** Sections that lines open, in the order of their first opening. */
  scopes(): readonly Scope[] {
    return this.#evaluated.evaluation.scopes;
  }

  /** Assignments that a later one in the same section takes back, each with that one. */
  deadSettings(): readonly { readonly dead: DovecotAssignment; readonly winner: DovecotAssignment }[] {
    const last = new Map<Scope, Map<string, DovecotAssignment>>();
    const dead: { dead: DovecotAssignment; winner: DovecotAssignment }[] = [];
    for (const assignment of this.settings().toReversed()) {
      const inScope = last.get(assignment.scope) ?? new Map<string, DovecotAssignment>();
      last.set(assignment.scope, inScope);
      const winner = inScope.get(assignment.name);
      if (winner === undefined) inScope.set(assignment.name, assignment);
      // `a = $a b` takes nothing back.
      else if (!refersTo(winner, assignment)) dead.push({ dead: assignment, winner });
    }
    return dead.toReversed();
  }

  /** The different filters of connections under which something is set, in order. */
  filters(): readonly Filter[] {
    const seen = new Map<string, Filter>();
    for (const { scope } of this.settings()) {
      if (isGlobal(scope.filter)) continue;
      const { protocol, localName, local, remote } = scope.filter;
      const key = JSON.stringify([protocol, localName?.toLowerCase(), local?.text, remote?.text]);
      if (!seen.has(key)) seen.set(key, scope.filter);
    }
    return [...seen.values()];
  }

  /** All sections of a type outside of others (`passdb`, `userdb`, `namespace`, `dict`), in order. */
  sections(type: string): readonly DovecotSection[] {
    if (this.#evaluated.language === 'sections') {
      const { evaluation } = this.#evaluated;
      return evaluation.filters.flatMap(({ root }) =>
        root.children.filter((node) => node.type === type).map((node) => this.#node(evaluation, node)),
      );
    }
    return this.#evaluated.evaluation.sections
      .filter((section) => section.type === type && isOutermost(section))
      .map((section) => this.#section([{ type, name: section.name }], section.scope));
  }

  /** All services, those that the server has by itself first, with their listeners. */
  services(): readonly DovecotService[] {
    this.#services ??= this.#allServices();
    return this.#services;
  }

  #allServices(): DovecotService[] {
    const known = defaultServices(this.release, this.table.configVersion);
    const names = new Set([...known.keys(), ...this.#namesOf('service', null)]);
    return [...names].map((name) => {
      const ref: SectionRef = { type: 'service', name };
      const listeners = LISTENERS.flatMap((kind) => {
        const own = (known.get(name)?.listeners ?? []).filter(
          (listener: DefaultListener) => listener.kind === kind,
        );
        const all = new Set([...own.map((listener) => listener.name), ...this.#namesOf(kind, name)]);
        return [...all].map((listener) => ({
          ...this.#section([ref, { type: kind, name: listener }]),
          kind,
        }));
      });
      return { ...this.#section([ref]), listeners };
    });
  }

  /** Names of the sections of a type, of all services or of one. */
  #namesOf(type: string, service: string | null): readonly string[] {
    return this.#names.get(service)?.get(type) ?? [];
  }

  /** Names of sections by the service that they stand in, or by null, and by their type. */
  get #names(): ReadonlyMap<string | null, ReadonlyMap<string, readonly string[]>> {
    if (this.#namesCache !== null) return this.#namesCache;
    const names = new Map<string | null, Map<string, string[]>>();
    const add = (service: string | null, type: string, name: string): void => {
      const inside = names.get(service) ?? new Map<string, string[]>();
      names.set(service, inside);
      const known = inside.get(type) ?? [];
      inside.set(type, known);
      known.push(name);
    };
    if (this.#evaluated.language === 'sections') {
      for (const { type, name, children } of this.#evaluated.evaluation.filters[0]?.root.children ?? []) {
        if (type !== 'service') continue;
        add(null, type, name);
        for (const child of children) add(name, child.type, child.name);
      }
    } else {
      for (const { kind, type, name, parent } of this.#evaluated.evaluation.sections) {
        if (kind !== 'list') continue;
        add(null, type, name);
        if (parent?.type === 'service') add(parent.name, type, name);
      }
    }
    this.#namesCache = names;
    return names;
  }

  /** The section of a service, or of a listener in one, outside of all filters. */
  #scopeOf(path: readonly SectionRef[]): Scope | null {
    if (this.#scopesCache === null) {
      this.#scopesCache = new Map();
      for (const scope of this.scopes()) {
        const { parent } = scope;
        const around = parent === null || parent.kind === 'root' ? [] : [parent];
        if (around.some((outer) => outer.parent?.kind !== 'root')) continue;
        const key = pathKey([...around, scope]);
        if (!this.#scopesCache.has(key)) this.#scopesCache.set(key, scope);
      }
    }
    return this.#scopesCache.get(pathKey(path)) ?? null;
  }

  /** A section of 2.2 and 2.3: of several without a name each is one of its own. */
  #node(evaluation: SectionEvaluation, node: SectionNode): DovecotSection {
    const { type, name, scope } = node;
    const { filter, openings } = scope;
    return {
      type,
      name,
      filter,
      openings,
      scope,
      get: (key) => lookUpInSection(evaluation, node, key, this.release),
    };
  }

  #section(path: readonly SectionRef[], scope = this.#scopeOf(path)): DovecotSection {
    const { type, name } = path.at(-1) ?? { type: '', name: '' };
    const filter = scope?.filter ?? { protocol: null, localName: null, local: null, remote: null };
    // Of most sections nothing is asked, and of services more than of all else: no key of the whole context has to be
    // made for it.
    let known: Map<string, DovecotEffective> | null = null;
    let context: DovecotContext | null = null;
    return {
      type,
      name,
      filter,
      scope,
      openings: scope?.openings ?? [],
      get: (key) => {
        known ??= new Map();
        let effective = known.get(key);
        if (effective === undefined) {
          context ??= {
            ...(filter.protocol === null ? {} : { protocol: filter.protocol }),
            ...(filter.localName === null ? {} : { localName: filter.localName }),
            sections: path,
          };
          effective = this.#lookUp(key, context);
          known.set(key, effective);
        }
        return effective;
      },
    };
  }
}

/** The same for the same name and context. It is asked for more often than anything else, of few different paths. */
function lookupKey(name: string, context: DovecotContext): string {
  const { protocol, localName, localIp, remoteIp, sections } = context;
  let key = name;
  if (sections !== undefined) key += `\0s${pathKey(sections)}`;
  if (protocol !== undefined) key += `\0p${protocol}`;
  if (localName !== undefined) key += `\0n${localName}`;
  if (localIp !== undefined) key += `\0l${localIp}`;
  if (remoteIp !== undefined) key += `\0r${remoteIp}`;
  return key;
}

const pathKeys = new WeakMap<readonly SectionRef[], string>();

function pathKey(path: readonly SectionRef[]): string {
  let key = pathKeys.get(path);
  if (key === undefined) {
    // With their lengths, since a name may have any character.
    key = '';
    for (const { type, name } of path) key += `${type.length} ${type} ${name.length} ${name} `;
    pathKeys.set(path, key);
  }
  return key;
}

/** Whether a section of a list stands in nothing but filters of connections. */
function isOutermost({ kind, parent }: FilterSection): boolean {
  if (kind !== 'list' && kind !== 'named') return false;
  for (let outer = parent; outer !== null; outer = outer.parent) {
    if (outer.kind !== 'filter' && outer.kind !== 'root') return false;
  }
  return true;
}

function refersTo(later: DovecotAssignment, earlier: DovecotAssignment): boolean {
  if (later.name.includes('/') || later.form !== 'variables')
    return later.name.includes('/') && later.key !== earlier.key;
  return later.statement.value
    .split(' ')
    .some((word) => word === `$${earlier.key}` || word === `$SET:${earlier.name}`);
}
