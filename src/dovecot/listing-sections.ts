import { COUNTED, type FilterNode, type SectionEvaluation, type SectionNode } from './evaluate-sections.ts';
import { type Filter, filterNetText } from './filter.ts';
import { block, type ListingEntry, listedValue, quoted, sortedLines } from './listing.ts';
import { escapeSection } from './section-name.ts';

const isBlank = (char: string): boolean => char === ' ' || char === '\t';

/**
 * What `doveconf -n -P` of 2.2 and 2.3 prints of a configuration, its lines that begin with `#` left out:
 * what differs from the default, sections among it, then each filter with all that it sets.
 *
 * Sources: config_dump_human() of doveconf.c and settings_export() of config-request.c.
 */
export function listSections({ filters }: SectionEvaluation): readonly string[] {
  const [global, ...rest] = filters;
  if (global === undefined) return [];
  return [
    ...sectionLines(global.root, true),
    ...rest.toSorted(leastSpecificFirst).flatMap((filter) => filterLines(filter)),
  ];
}

/**
 * The order in which the server looks at filters, the least specific first; filters of one rank stay in the
 * order of their opening (config_filter_parser_cmp_rev()).
 */
export function leastSpecificFirst(a: FilterNode, b: FilterNode): number {
  const ranks = ({ localName, local, remote, protocol }: Filter): readonly number[] => [
    localName === null ? 0 : 1,
    local?.net?.bits ?? 0,
    remote?.net?.bits ?? 0,
    protocol === null ? 0 : 1,
  ];
  const left = ranks(a.filter);
  const right = ranks(b.filter);
  const index = left.findIndex((rank, at) => rank !== right[at]);
  return (left[index] ?? 0) - (right[index] ?? 0);
}

function filterLines({ filter, root }: FilterNode): string[] {
  const headers: string[] = [];
  if (filter.local !== null) headers.push(`local ${filterNetText(filter.local)}`);
  if (filter.localName !== null) headers.push(`local_name ${filter.localName}`);
  if (filter.remote !== null) headers.push(`remote ${filterNetText(filter.remote)}`);
  if (filter.protocol !== null) headers.push(`protocol ${filter.protocol}`);
  return headers.reduceRight((lines, header) => block(header, lines), sectionLines(root, false));
}

/**
 * The lines of what stands in a section. Globally, what is equal to its default is left out; in a section
 * with a name all is listed that is set, whatever it is.
 */
function sectionLines(node: SectionNode, global: boolean): string[] {
  const counted = COUNTED.has(node.info ?? '');
  const nameKey = counted ? null : nameKeyOf(node.info);
  const entries: ListingEntry[] = [];
  const add = (key: string, value: string): void => {
    entries.push({ order: `${key}=`, lines: [`${key} = ${listedValue(value, isBlank)}`] });
  };
  for (const [key, { value, setting }] of node.values) {
    if (key === nameKey) continue;
    if (global && (counted || node.info === null) && value === setting?.default) continue;
    add(key, value);
  }
  if (counted && node.name !== '' && !node.values.has('name')) add('name', node.name);
  if (node.info === 'namespace') {
    for (const key of ALWAYS_LISTED) if (!node.values.has(key)) add(key, '');
  }
  const counts = new Map<string, number>();
  for (const child of node.children) {
    const index = counts.get(child.type) ?? 0;
    counts.set(child.type, index + 1);
    const name = COUNTED.has(child.info ?? '')
      ? ''
      : (child.values.get(nameKeyOf(child.info))?.value ?? child.name);
    const header = name === '' ? child.type : `${child.type} ${name.includes(' ') ? quoted(name) : name}`;
    const order = child.free
      ? `${child.type}/`
      : `${child.type}/${name === '' ? index : escapeSection(name)}/`;
    entries.push({ order, lines: block(header, sectionLines(child, global)) });
  }
  return sortedLines(entries);
}

/** Keys of a namespace that doveconf takes to differ from their default, whatever they are. */
const ALWAYS_LISTED = ['location', 'prefix'] as const;

/** The key whose value is the name of the section. */
function nameKeyOf(info: string | null): string {
  return NAME_KEYS[info ?? ''] ?? 'name';
}

const NAME_KEYS: Readonly<Record<string, string>> = {
  'service/unix_listener': 'path',
  'service/fifo_listener': 'path',
  metric: 'metric_name',
};
