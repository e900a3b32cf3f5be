import type { Release } from '../model/release.ts';
import { listWords } from './boollist.ts';
import {
  type DovecotContext,
  type DovecotEffective,
  fileOf,
  originOf,
  type SectionRef,
} from './effective.ts';
import type { FilterEvaluation, FilterSection, FilterValue } from './evaluate-filters.ts';
import { connectionOf, matchesFilter } from './filter.ts';
import { serviceDefault } from './sections-lookup.ts';
import { type DefaultService, defaultServices, SERVICE_LIMITS } from './services.ts';
import type { DovecotSetting } from './settings.ts';

/** What a section that matches says, with its place among them. */
interface Candidate {
  readonly value: FilterValue;
  readonly lists: number;
  readonly names: number;
  readonly order: number;
}

/**
 * What 2.4 uses: of the sections that match, the one inside most sections of lists, then inside most other
 * sections with a name, then the last of the file, whatever its network or name. What is set outside of
 * all sections beats what a service has by itself.
 *
 * Sources: config_parser_filter_cmp() of config-parser.c, config-dump-full.c, settings.c of 2.4.4.
 */
export function lookUpFilter(
  evaluation: FilterEvaluation,
  key: string,
  context: DovecotContext,
  release: Release,
): DovecotEffective {
  const sections = context.sections ?? [];
  const name = fullName(evaluation, key, sections);
  const setting = evaluation.table.get(name);
  const found = candidates(evaluation, name, context).map(({ value }) => value);
  const [first] = found;
  const fallback = defaultValue(evaluation, name, setting, sections, release);
  const isList = setting?.type === 'boollist' || setting?.type === 'strlist';
  const pairs = isList ? listOf(found, setting, fallback) : null;
  const words =
    pairs === null || setting?.type !== 'boollist'
      ? null
      : [...pairs].filter(([, value]) => isYes(value)).map(([word]) => word);
  const value = words?.join(' ') ?? (pairs === null ? (first?.text ?? fallback) : '');
  const assignment = first?.assignment ?? null;
  return {
    name,
    value,
    words,
    pairs: setting?.type === 'strlist' ? pairs : null,
    path: fileOf(value, setting, assignment),
    origin:
      first === undefined ? { kind: 'default', server: 'dovecot', release } : originOf(first.at, assignment),
    assignment,
    at: first?.at ?? null,
    setting,
    conflict: null,
  };
}

/** The name that a key is short for inside sections. */
function fullName({ table }: FilterEvaluation, key: string, sections: readonly SectionRef[]): string {
  for (const { type, name } of sections.toReversed()) {
    const long = `${type}_${name}_${key}`.replaceAll('/', '_');
    const short = `${type}_${key}`;
    const found = [...(name === '' ? [] : [long]), short].find((tried) => table.get(tried) !== null);
    if (found !== undefined) return found;
  }
  return key;
}

/** Where to look for a setting, so that not all sections have to be asked. */
interface Index {
  /** The root, and the sections of connections. */
  readonly filters: readonly FilterSection[];
  /** Of these, those that hold for a connection. */
  readonly matching: Map<string, readonly FilterSection[]>;
  /** Sections with a name that set something, by that and their name. */
  readonly named: ReadonlyMap<string, readonly FilterSection[]>;
  /** Sections that use groups, whatever these set. */
  readonly grouped: readonly FilterSection[];
}

const indexes = new WeakMap<FilterEvaluation, Index>();

function indexOf(evaluation: FilterEvaluation): Index {
  const known = indexes.get(evaluation);
  if (known !== undefined) return known;
  const named = new Map<string, FilterSection[]>();
  const filters: FilterSection[] = [];
  const grouped: FilterSection[] = [];
  for (const section of evaluation.sections) {
    if (section.groups.length > 0) grouped.push(section);
    if (section.kind === 'root' || section.kind === 'filter') filters.push(section);
    else if (section.kind !== 'group') {
      for (const setting of section.values.keys()) {
        const key = namedKey(setting, section);
        const sections = named.get(key) ?? [];
        sections.push(section);
        named.set(key, sections);
      }
    }
  }
  const index = { filters, matching: new Map<string, readonly FilterSection[]>(), named, grouped };
  indexes.set(evaluation, index);
  return index;
}

function namedKey(setting: string, { type, name }: SectionRef): string {
  return JSON.stringify([setting, type, name]);
}

/** The sections that match and may say something of a setting. */
function sayingOf(
  evaluation: FilterEvaluation,
  setting: string,
  context: DovecotContext,
): Set<FilterSection> {
  const { filters, matching, named, grouped } = indexOf(evaluation);
  const connection = connectionOf(context);
  let sections = matching.get(connection);
  if (sections === undefined) {
    sections = filters.filter((section) => matches(section, { ...context, sections: [] }));
    matching.set(connection, sections);
  }
  const others = [
    ...(context.sections ?? []).flatMap((ref) => named.get(namedKey(setting, ref)) ?? []),
    ...grouped,
  ];
  return new Set([...sections, ...others.filter((section) => matches(section, context))]);
}

/** What the sections that match say of a setting, the one that counts most first. */
function candidates(evaluation: FilterEvaluation, setting: string, context: DovecotContext): Candidate[] {
  const { groups } = evaluation;
  const found: Candidate[] = [];
  const collect = (section: FilterSection, lists: number, names: number, order: number): void => {
    const own = section.values.get(setting);
    if (own !== undefined) found.push({ value: own, lists, names, order });
    for (const { label, name } of section.groups) {
      const group = groups.get(label)?.get(name);
      if (group !== undefined) inGroup(group, { lists: lists - group.lists, names, order: order - 0.5 });
    }
  };
  const inGroup = (section: FilterSection, base: { lists: number; names: number; order: number }): void => {
    const left = [section];
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      const value = at.values.get(setting);
      if (value !== undefined)
        found.push({
          value,
          lists: base.lists + at.lists,
          names: base.names + at.names,
          order: base.order,
        });
      left.push(...at.children.filter((child) => matchesItself(child, context)).toReversed());
    }
  };
  for (const section of sayingOf(evaluation, setting, context)) {
    collect(section, section.lists, section.names, section.order);
  }
  return found.sort((a, b) => b.lists - a.lists || b.names - a.names || b.order - a.order);
}

function matches(section: FilterSection, context: DovecotContext): boolean {
  for (let at: FilterSection | null = section; at !== null; at = at.parent) {
    if (!matchesItself(at, context)) return false;
  }
  return true;
}

function matchesItself({ kind, type, name, own }: FilterSection, context: DovecotContext): boolean {
  switch (kind) {
    case 'root':
      return true;
    case 'group':
      return false;
    case 'filter':
      return matchesFilter(own, context);
    case 'named':
    case 'list':
    default:
      return (context.sections ?? []).some((asked) => asked.type === type && asked.name === name);
  }
}

/** The pairs of a list: the section that counts most decides on each word, until one replaces what is left. */
function listOf(
  values: readonly FilterValue[],
  setting: DovecotSetting,
  fallback: string,
): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  const add = (key: string, value: string): void => {
    if (!pairs.has(key)) pairs.set(key, value);
  };
  for (const { entries, replaces } of values) {
    for (const { key, value } of entries ?? []) add(key, value);
    if (replaces) return pairs;
  }
  const words = setting.type === 'boollist' ? listWords(fallback) : { words: [] };
  if ('words' in words) for (const word of words.words) add(word, 'yes');
  return pairs;
}

function isYes(value: string): boolean {
  return /^(?:yes|y|1)$/i.test(value);
}

/** What a service has by itself, else the default of the release; references to other settings replaced. */
function defaultValue(
  evaluation: FilterEvaluation,
  name: string,
  setting: DovecotSetting | null,
  sections: readonly SectionRef[],
  release: Release,
): string {
  const services = defaultServices(release, evaluation.table.configVersion);
  const own = listenerDefault(services, name, sections) ?? SERVICE_LIMITS.get(name);
  const text = own ?? setting?.default ?? '';
  return text.replace(/\$SET:(\S+)/g, (whole, key: string) =>
    key === name ? whole : lookUpFilter(evaluation, key, {}, release).value,
  );
}

function listenerDefault(
  services: ReadonlyMap<string, DefaultService>,
  name: string,
  sections: readonly SectionRef[],
): string | undefined {
  const innermost = sections.at(-1);
  const prefix = `${innermost?.type ?? ''}_`;
  if (innermost === undefined || !name.startsWith(prefix)) return undefined;
  return serviceDefault(services, sections)?.get(name.slice(prefix.length));
}
