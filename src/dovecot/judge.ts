/** Holds a configuration that was read against the checks of the server, and tells what it warns of. */
import type { Release } from '../model/release.ts';
import type { Location } from '../text/source.ts';
import { type CheckedService, checkServices, type Services } from './check-services.ts';
import { type Checked, checkSettings } from './checks.ts';
import type { DovecotEffective, SectionRef } from './effective.ts';
import type { FilterEvaluation, FilterSection, FilterValue } from './evaluate-filters.ts';
import {
  type FilterNode,
  nodeKey,
  type SectionEvaluation,
  type SectionNode,
  type SectionValue,
} from './evaluate-sections.ts';
import { eventFilterFault } from './event-filter.ts';
import { type Filter, type FilterNet, matchesWildcard } from './filter.ts';
import { lookUpFilter } from './filters-lookup.ts';
import { isInNet, netPrefix } from './net.ts';
import type { DovecotFault, DovecotWarning } from './outcome.ts';
import { hasDovecotFeature } from './releases.ts';
import { holdsAll, lookUpSection } from './sections-lookup.ts';
import { type DefaultService, defaultServices, type ListenerKind } from './services.ts';

/** What comes to light when all is read. */
export interface Judgement {
  readonly faults: readonly DovecotFault[];
  readonly warnings: readonly DovecotWarning[];
}

const LISTENERS: readonly ListenerKind[] = ['unix_listener', 'fifo_listener', 'inet_listener'];
const SPECIAL_USES: ReadonlySet<string> = new Set(
  ['All', 'Archive', 'Drafts', 'Flagged', 'Important', 'Junk', 'Sent', 'Trash'].map((use) =>
    `\\${use}`.toLowerCase(),
  ),
);

/** Collects what is found, and where. */
class Findings implements Judgement {
  readonly faults: DovecotFault[] = [];
  readonly warnings: DovecotWarning[] = [];
  readonly #start: Location;

  constructor(start: Location) {
    this.#start = start;
  }

  fault(says: string, at: Location | null, name: string | null): void {
    this.faults.push({ code: 'check-failed', at: at ?? this.#start, name, says, blamed: null });
  }

  warn(code: DovecotWarning['code'], says: string, at: Location | null, name: string | null): void {
    this.warnings.push({ code, at: at ?? this.#start, name, says, other: null });
  }
}

/** The checks of 2.2 and 2.3, each filter with all that holds it. */
export function judgeSections(evaluation: SectionEvaluation, release: Release, start: Location): Judgement {
  const found = new Findings(start);
  const { filters, table } = evaluation;
  const [global] = filters;
  const globalSsl = global?.root.values.get('ssl')?.value ?? '';
  const masks = new Masks(filters);
  for (const node of filters) {
    const matching = masks.of(node.filter).toSorted(mostSpecificFirst);
    const conflict = conflictIn(matching);
    if (conflict !== null) {
      found.fault(conflict.says, conflict.at, conflict.name);
      break;
    }
    const ssl = node.root.values.get('ssl');
    if (globalSsl === 'no' && ssl !== undefined && ssl.value !== 'no' && found.warnings.length === 0)
      found.warn('ssl-off-globally', offGlobally(ssl.value), ssl.at, 'ssl');
    const valueOf = (name: string): SectionValue | undefined =>
      matching.map(({ root }) => root.values.get(name)).find((value) => value !== undefined);
    const checked: Checked = {
      release,
      value: (name) => {
        const setting = table.get(name);
        return setting === null ? null : (valueOf(name)?.value ?? setting.default ?? '');
      },
      words(name) {
        return (this.value(name) ?? '').split(/[ ,]+/).filter((word) => word !== '');
      },
    };
    for (const { name, says } of checkSettings(checked)) found.fault(says, valueOf(name)?.at ?? null, name);
    checkSections(node.root, found, release);
    if (node === global) serviceFaults(sectionServices(evaluation, release), found);
  }
  return found;
}

function offGlobally(value: string): string {
  return `SSL is disabled because global ssl=no, ignoring ssl=${value} for subsection`;
}

function mostSpecificFirst(a: FilterNode, b: FilterNode): number {
  const rank = ({ filter }: FilterNode): readonly number[] => [
    filter.localName === null ? 0 : 1,
    filter.local?.net?.bits ?? 0,
    filter.remote?.net?.bits ?? 0,
    filter.protocol === null ? 0 : 1,
  ];
  const right = rank(b);
  const left = rank(a);
  const at = left.findIndex((value, index) => value !== right[index]);
  return (right[at] ?? 0) - (left[at] ?? 0);
}

/** Finds the filters that hold another one, without a look at each of thousands. */
class Masks {
  readonly #filters: readonly FilterNode[];
  readonly #byKey = new Map<string, number[]>();
  readonly #bits = { local: new Set<number>(), remote: new Set<number>() };
  /** Those that hold what is written otherwise. */
  readonly #loose: number[] = [];

  constructor(filters: readonly FilterNode[]) {
    this.#filters = filters;
    for (const [index, { filter }] of filters.entries()) {
      const { protocol, localName, local, remote } = filter;
      if (protocol?.startsWith('!') === true || /[ *?]/.test(localName ?? '')) {
        this.#loose.push(index);
        continue;
      }
      if (local?.net) this.#bits.local.add(local.net.bits);
      if (remote?.net) this.#bits.remote.add(remote.net.bits);
      const key = maskKey(protocol, localName, maskNet(local), maskNet(remote));
      const known = this.#byKey.get(key);
      if (known === undefined) this.#byKey.set(key, [index]);
      else known.push(index);
    }
  }

  /** In the order in which they are opened. */
  of(filter: Filter): FilterNode[] {
    const found = [...this.#loose];
    for (const protocol of new Set([null, filter.protocol]))
      for (const localName of new Set([null, filter.localName]))
        for (const local of around(filter.local, this.#bits.local))
          for (const remote of around(filter.remote, this.#bits.remote))
            found.push(...(this.#byKey.get(maskKey(protocol, localName, local, remote)) ?? []));
    return found
      .toSorted((a, b) => a - b)
      .flatMap((index) => this.#filters[index] ?? [])
      .filter((node) => matchesMask(node.filter, filter));
  }
}

function maskKey(...parts: readonly (string | null)[]): string {
  return JSON.stringify(parts.map((part) => part?.toLowerCase() ?? null));
}

/** What a network and others of its size that hold the same have in common. */
function maskNet(part: FilterNet | null): string | null {
  return part?.net ? netPrefix(part.net, part.net.bits) : (part?.text ?? null);
}

/** All that may hold a network. */
function around(part: FilterNet | null, sizes: ReadonlySet<number>): Set<string | null> {
  const { net = null } = part ?? {};
  if (net === null) return new Set([null, part?.text ?? null]);
  return new Set([null, ...[...sizes].map((bits) => netPrefix(net, bits))]);
}

/** Whether all connections of a filter are connections of another (config_filter_match()). */
function matchesMask(mask: Filter, filter: Filter): boolean {
  if (mask.protocol !== null) {
    if (filter.protocol === null) return false;
    const matches = mask.protocol.startsWith('!')
      ? filter.protocol !== mask.protocol.slice(1)
      : filter.protocol === mask.protocol;
    if (!matches) return false;
  }
  const name = filter.localName;
  if (
    mask.localName !== null &&
    (name === null || !mask.localName.split(' ').some((wanted) => matchesWildcard(name, wanted)))
  )
    return false;
  return netHolds(mask.local, filter.local) && netHolds(mask.remote, filter.remote);
}

function netHolds(mask: FilterNet | null, net: FilterNet | null): boolean {
  if (mask === null) return true;
  if (net === null) return false;
  if (mask.net === null || net.net === null) return mask.text === net.text;
  return isInNet(net.net, mask.net);
}

/** The first setting that two filters of one connection set, be it to the same, though the second does not hold the first. */
function conflictIn(
  matching: readonly FilterNode[],
): { readonly says: string; readonly at: Location; readonly name: string } | null {
  const taken = new Map(matching[0]?.root.values);
  for (const [index, node] of matching.entries()) {
    if (index === 0) continue;
    const isHeld = holdsAll(node, matching[index - 1]);
    for (const [name, value] of node.root.values) {
      const known = taken.get(name);
      if (known === undefined) taken.set(name, value);
      else if (!isHeld) {
        const { path = '', line = 0 } = node.openedAt ?? {};
        return {
          says: `Conflict in setting ${name} found from filter at ${path}:${line}`,
          at: value.at,
          name,
        };
      }
    }
  }
  return null;
}

/** Sections that lack what they cannot be without, or hold what they cannot. */
function checkSections(root: SectionNode, found: Findings, release: Release): void {
  const namespaces = new Map<string, SectionNode>();
  for (const node of root.children) {
    const prefix = node.values.get('prefix')?.value ?? '';
    if (node.type === 'namespace' && !namespaces.has(prefix)) namespaces.set(prefix, node);
  }
  for (const node of root.children) {
    const value = (key: string): string => node.values.get(key)?.value ?? '';
    const at = (key: string): Location | null =>
      node.values.get(key)?.at ?? node.scope.openings.at(-1) ?? null;
    switch (node.type) {
      case 'passdb':
      case 'userdb':
        if (value('driver') === '') found.fault(`${node.type} is missing driver`, at('driver'), node.type);
        else if (value('pass') === 'yes' && !['', 'return-ok'].includes(value('result_success')))
          found.fault('Obsolete pass=yes setting mixed with non-default result_success', at('pass'), 'pass');
        break;
      case 'namespace':
        checkNamespace(node, namespaces, found);
        break;
      case 'metric':
        checkMetric(node, found, release);
        break;
      default:
    }
  }
}

function checkNamespace(
  node: SectionNode,
  namespaces: ReadonlyMap<string, SectionNode>,
  found: Findings,
): void {
  const value = (key: string): string => node.values.get(key)?.value ?? '';
  const prefix = value('prefix');
  if (value('separator').length > 1) {
    const says = `Namespace '${prefix}': Hierarchy separator must be only one character long`;
    found.fault(says, node.values.get('separator')?.at ?? null, 'separator');
  }
  const alias = node.values.get('alias_for');
  if (alias !== undefined && value('disabled') !== 'yes') {
    const target = namespaces.get(alias.value);
    if (target === undefined)
      found.fault(
        `Namespace '${prefix}': alias_for points to unknown namespace: ${alias.value}`,
        alias.at,
        'alias_for',
      );
    else if (target.values.has('alias_for')) {
      const further = target.values.get('alias_for')?.value ?? '';
      const says = `Namespace '${prefix}': alias_for chaining isn't allowed: ${alias.value} -> ${further}`;
      found.fault(says, alias.at, 'alias_for');
    }
  }
  for (const mailbox of node.children) {
    const uses = mailbox.values.get('special_use');
    const unknown = uses?.value.split(' ').find((use) => use !== '' && !SPECIAL_USES.has(use.toLowerCase()));
    if (uses !== undefined && unknown !== undefined)
      found.fault(`mailbox ${mailbox.name}: unknown special_use: ${unknown}`, uses.at, 'special_use');
  }
}

function checkMetric(node: SectionNode, found: Findings, release: Release): void {
  if (!hasDovecotFeature(release, 'metricFilter')) return;
  const filter = node.values.get('filter');
  const at = filter?.at ?? node.scope.openings.at(-1) ?? null;
  if (filter === undefined || filter.value === '') {
    found.fault(`metric ${node.name} { filter } is empty - will not match anything`, at, 'filter');
    return;
  }
  const says = eventFilterFault(filter.value, release);
  if (says !== null) found.fault(says, at, 'filter');
}

/** The checks of 2.4, each section by itself: what is around it does not count. */
export function judgeFilters(
  evaluation: FilterEvaluation,
  release: Release,
  start: Location,
  expand: boolean,
): Judgement {
  const found = new Findings(start);
  const globalSsl = evaluation.root.values.get('ssl')?.text ?? '';
  for (const section of evaluation.sections) {
    if (section.inGroup) continue;
    const ssl = section.values.get('ssl');
    if (globalSsl === 'no' && ssl !== undefined && ssl.text !== 'no' && found.warnings.length === 0)
      found.warn('ssl-off-globally', offGlobally(ssl.text), ssl.at, 'ssl');
    if (section.kind === 'root' || section.values.size > 0)
      checkFilter(section, evaluation, release, expand, found);
  }
  // What services have by themselves refers to other settings, which late releases only look up at the end.
  if (expand || !hasDovecotFeature(release, 'lateReferences'))
    serviceFaults(filterServices(evaluation, release), found);
  return found;
}

function checkFilter(
  section: FilterSection,
  { table }: FilterEvaluation,
  release: Release,
  expand: boolean,
  found: Findings,
): void {
  const isKnown = ({ text }: FilterValue): boolean =>
    !text.includes('%{') && (expand || !/\$(?:SET|ENV):/.test(text));
  const checked: Checked = {
    release,
    value(name) {
      const setting = table.get(name);
      if (setting === null) return null;
      const value = section.values.get(name);
      // A format is looked at whatever variables it has.
      if (value !== undefined) return isKnown(value) || name === 'pop3_uidl_format' ? value.text : null;
      return setting.default ?? '';
    },
    words: (name) =>
      (section.values.get(name)?.entries ?? [])
        .filter(({ value }) => /^(?:yes|y|1)$/i.test(value))
        .map(({ key }) => key),
  };
  for (const { name, says } of checkSettings(checked))
    found.fault(says, section.values.get(name)?.at ?? null, name);
  const filter = section.values.get('metric_filter');
  if (filter !== undefined && isKnown(filter)) {
    const says = eventFilterFault(filter.text, release);
    if (says !== null) found.fault(says, filter.at, 'metric_filter');
  }
  const separator = section.values.get('namespace_separator');
  if (
    section.kind === 'list' &&
    section.type === 'namespace' &&
    separator !== undefined &&
    separator.text.length > 1
  ) {
    const says = `Namespace ${section.name}: Hierarchy separator must be only one character long`;
    found.fault(says, separator.at, 'namespace_separator');
  }
  const uses =
    section.kind === 'list' && section.type === 'mailbox'
      ? section.values.get('mailbox_special_use')
      : undefined;
  for (const { key } of uses?.entries ?? []) {
    if (SPECIAL_USES.has(key.toLowerCase())) continue;
    const says = `mailbox ${section.name}: special_use label ${key} is not an RFC-defined label - allowing anyway`;
    found.warn('special-use', says, uses?.at ?? null, 'mailbox_special_use');
  }
}

/** What the services say, with the line to blame. */
interface ServicesWithPlaces extends Services {
  placeOf(service: string | null, key: string): Location | null;
}

function serviceFaults(services: ServicesWithPlaces, found: Findings): void {
  const { fault, warnings } = checkServices(services);
  for (const says of warnings)
    found.warn('limits', says, services.placeOf('auth', 'client_limit'), 'client_limit');
  if (fault !== null) found.fault(fault.says, services.placeOf(fault.service, fault.key), fault.key);
}

function sectionServices(evaluation: SectionEvaluation, release: Release): ServicesWithPlaces {
  const known = defaultServices(release);
  const root = evaluation.filters[0]?.root;
  const nodes = root?.children.filter(({ type }) => type === 'service') ?? [];
  const look: Look = (key, ...sections) => lookUpSection(evaluation, key, { sections }, release);
  const names = new Set([...[...known.keys()].sort().toReversed(), ...nodes.map(({ name }) => name)]);
  const listenersOf = (service: string, kind: ListenerKind): string[] =>
    (root?.byName.get(nodeKey('service', service))?.children ?? [])
      .filter(({ type }) => type === kind)
      .map(({ name }) => name);
  return servicesOf(release, names, known, listenersOf, look);
}

function filterServices(evaluation: FilterEvaluation, release: Release): ServicesWithPlaces {
  const known = defaultServices(release, evaluation.table.configVersion);
  const own = evaluation.sections.filter(({ kind, type }) => kind === 'list' && type === 'service');
  const look: Look = (key, ...sections) => lookUpFilter(evaluation, key, { sections }, release);
  const names = new Set([...[...known.keys()].sort(), ...own.map(({ name }) => name)]);
  const byName = new Map<string, FilterSection[]>();
  for (const section of own) {
    const sameName = byName.get(section.name);
    if (sameName === undefined) byName.set(section.name, [section]);
    else sameName.push(section);
  }
  const listenersOf = (service: string, wanted: ListenerKind): string[] =>
    (byName.get(service) ?? []).flatMap(({ children }) =>
      children.filter(({ type }) => type === wanted).map(({ name }) => name),
    );
  return servicesOf(release, names, known, listenersOf, look);
}

function serviceOf(
  name: string,
  known: DefaultService | undefined,
  listenersOf: (service: string, kind: ListenerKind) => readonly string[],
  get: (key: string, ...sections: SectionRef[]) => string,
): CheckedService {
  const service: SectionRef = { type: 'service', name };
  return {
    name,
    value: (key) => get(key, service),
    listeners: LISTENERS.flatMap((kind) => {
      const own = (known?.listeners ?? []).filter((listener) => listener.kind === kind);
      const names = new Set([...own.map((listener) => listener.name), ...listenersOf(name, kind)]);
      return [...names].map((listener) => ({
        kind,
        name: listener,
        value: (key: string) => get(key, service, { type: kind, name: listener }),
      }));
    }),
  };
}

/** The value of a setting in sections, and where it is set. */
type Look = (key: string, ...sections: SectionRef[]) => Pick<DovecotEffective, 'value' | 'at'>;

/** The services of either language, by the names that count. */
function servicesOf(
  release: Release,
  names: ReadonlySet<string>,
  known: ReturnType<typeof defaultServices>,
  listenersOf: (service: string, kind: ListenerKind) => string[],
  look: Look,
): ServicesWithPlaces {
  const get = (key: string, ...sections: SectionRef[]): string => look(key, ...sections).value;
  return {
    release,
    services: [...names].map((name) => serviceOf(name, known.get(name), listenersOf, get)),
    protocols: get('protocols')
      .split(' ')
      .filter((word) => word !== ''),
    baseDir: get('base_dir'),
    defaultProcessLimit: get('default_process_limit'),
    defaultClientLimit: get('default_client_limit'),
    placeOf: (service, key) =>
      look(key, ...(service === null ? [] : [{ type: 'service', name: service }])).at,
  };
}
