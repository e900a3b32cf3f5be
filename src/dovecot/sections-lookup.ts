import type { Release } from '../model/release.ts';
import type { DovecotAssignment } from './assignment.ts';
import {
  type DovecotContext,
  type DovecotEffective,
  fileOf,
  originOf,
  type SectionRef,
} from './effective.ts';
import {
  type FilterNode,
  nodeKey,
  type SectionEvaluation,
  type SectionNode,
  type SectionValue,
} from './evaluate-sections.ts';
import { connectionOf, matchesFilter } from './filter.ts';
import { leastSpecificFirst } from './listing-sections.ts';
import { type DefaultService, defaultServices } from './services.ts';
import type { DovecotSetting } from './settings.ts';

/**
 * What 2.2 and 2.3 use for a connection: of the filters that match, the most specific one that sets it. Where
 * one that matches too sets it as well, and does not hold the other, the server reports a conflict and
 * does not serve the connection.
 *
 * Sources: config_filter_parsers_get() of config-filter.c, settings_parser_apply_changes().
 */
export function lookUpSection(
  evaluation: SectionEvaluation,
  name: string,
  context: DovecotContext,
  release: Release,
): DovecotEffective {
  const { table } = evaluation;
  const sections = context.sections ?? [];
  const info = pathOf(sections);
  const known = table.get(name, info);
  const alias = known?.aliasOf ?? null;
  const setting = alias === null ? known : (table.get(alias, info) ?? known);
  const key = setting?.name ?? name;
  const matching = matchingFilters(evaluation, context);
  let found: SectionValue | null = null;
  let conflict: DovecotAssignment | null = null;
  let before: FilterNode | undefined;
  for (const node of matching) {
    const value = sectionAt(node.root, sections)?.values.get(key);
    if (value !== undefined) {
      if (found === null) found = value;
      else if (!holdsAll(node, before)) conflict ??= value.assignment;
    }
    before = node;
  }
  const value = found?.value ?? defaultValue(evaluation, sections, key, setting, release);
  return effective({ name: key, value, setting, found, conflict }, release);
}

/** The types of sections, as tables have them; null outside of all. */
function pathOf(sections: readonly SectionRef[]): string | null {
  let path: string | null = null;
  for (const { type } of sections) path = path === null ? type : `${path}/${type}`;
  return path;
}

const matched = new WeakMap<SectionEvaluation, Map<string, readonly FilterNode[]>>();

/** The filters that hold for a connection, the most specific first. */
function matchingFilters(evaluation: SectionEvaluation, context: DovecotContext): readonly FilterNode[] {
  // The first holds for all connections.
  if (evaluation.filters.length === 1) return evaluation.filters;
  const known = matched.get(evaluation) ?? new Map<string, readonly FilterNode[]>();
  matched.set(evaluation, known);
  const connection = connectionOf(context);
  let filters = known.get(connection);
  if (filters === undefined) {
    filters = evaluation.filters
      .filter(({ filter }) => matchesFilter(filter, context))
      .toSorted((a, b) => -leastSpecificFirst(a, b));
    known.set(connection, filters);
  }
  return filters;
}

/** What a key is worth in one section, whatever it is called. */
export function lookUpInSection(
  { table }: SectionEvaluation,
  node: SectionNode,
  key: string,
  release: Release,
): DovecotEffective {
  const setting = table.get(key, node.info);
  const found = node.values.get(setting?.aliasOf ?? key) ?? null;
  const value = found?.value ?? setting?.default ?? '';
  return effective({ name: key, value, setting, found, conflict: null }, release);
}

/** Whether a filter holds all that another one holds, both matching one connection (config_filter_is_superset()). */
export function holdsAll(outer: FilterNode, inner: FilterNode | undefined): boolean {
  if (inner === undefined) return true;
  const bits = ({ filter }: FilterNode, side: 'local' | 'remote'): number => filter[side]?.net?.bits ?? 0;
  return (
    bits(outer, 'local') <= bits(inner, 'local') &&
    bits(outer, 'remote') <= bits(inner, 'remote') &&
    (outer.filter.localName === null || inner.filter.localName !== null) &&
    (outer.filter.protocol === null || inner.filter.protocol !== null)
  );
}

/** The section of that way inside another. */
export function sectionAt(root: SectionNode, sections: readonly SectionRef[]): SectionNode | null {
  let node: SectionNode | undefined = root;
  for (const { type, name } of sections) {
    node = node?.byName.get(nodeKey(type, name));
  }
  return node ?? null;
}

/** What a service has by itself, which may refer to another setting, or the default of the release. */
function defaultValue(
  evaluation: SectionEvaluation,
  sections: readonly SectionRef[],
  key: string,
  setting: DovecotSetting | null,
  release: Release,
): string {
  const text = serviceDefault(defaultServices(release), sections)?.get(key) ?? setting?.default ?? '';
  return text.startsWith('$') ? lookUpSection(evaluation, text.slice(1), {}, release).value : text;
}

/** What a service or listener has by itself. */
export function serviceDefault(
  services: ReadonlyMap<string, DefaultService>,
  [service, listener]: readonly SectionRef[],
): ReadonlyMap<string, string> | null {
  if (service?.type !== 'service') return null;
  const found = services.get(service.name);
  if (listener === undefined) return found?.keys ?? null;
  return (
    found?.listeners.find(({ kind, name }) => kind === listener.type && name === listener.name)?.keys ?? null
  );
}

function effective(
  parts: Pick<DovecotEffective, 'name' | 'value' | 'setting' | 'conflict'> & {
    readonly found: SectionValue | null;
  },
  release: Release,
): DovecotEffective {
  const { name, value, setting, conflict, found } = parts;
  const assignment = found?.assignment ?? null;
  return {
    name,
    value,
    words: null,
    pairs: null,
    path: fileOf(value, setting, assignment),
    origin: found === null ? { kind: 'default', server: 'dovecot', release } : originOf(found.at, assignment),
    assignment,
    at: found?.at ?? null,
    setting,
    conflict,
  };
}
