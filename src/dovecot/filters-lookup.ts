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
import { matchesFilter } from './filter.ts';
import { serviceDefault } from './sections-lookup.ts';
import { type DefaultService, defaultServices } from './services.ts';
import type { DovecotSetting } from './settings.ts';

/** A section that matches, with its place among them. */
interface Candidate {
  readonly section: FilterSection;
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
  const found: FilterValue[] = [];
  for (const { section } of candidates(evaluation, context)) {
    const value = section.values.get(name);
    if (value !== undefined) found.push(value);
  }
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

/** All sections that match, the one that counts most first. */
function candidates({ sections, groups }: FilterEvaluation, context: DovecotContext): Candidate[] {
  const found: Candidate[] = [];
  const collect = (section: FilterSection, lists: number, names: number, order: number): void => {
    found.push({ section, lists, names, order });
    for (const { label, name } of section.groups) {
      const group = groups.get(label)?.find((other) => other.name === name);
      if (group !== undefined) inGroup(group, { lists: lists - group.lists, names, order: order - 0.5 });
    }
  };
  const inGroup = (section: FilterSection, base: { lists: number; names: number; order: number }): void => {
    found.push({
      section,
      lists: base.lists + section.lists,
      names: base.names + section.names,
      order: base.order,
    });
    for (const child of section.children) if (matchesItself(child, context)) inGroup(child, base);
  };
  for (const section of sections) {
    if (matches(section, context)) collect(section, section.lists, section.names, section.order);
  }
  return found.sort((a, b) => b.lists - a.lists || b.names - a.names || b.order - a.order);
}

function matches(section: FilterSection, context: DovecotContext): boolean {
  return matchesItself(section, context) && (section.parent === null || matches(section.parent, context));
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
  const text = listenerDefault(services, name, sections) ?? setting?.default ?? '';
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
