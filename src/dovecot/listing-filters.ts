import type { FilterEvaluation, FilterSection, FilterValue, ListEntry } from './evaluate-filters.ts';
import { filterNetText } from './filter.ts';
import { block, type ListingEntry, listedValue, quoted, sortedLines } from './listing.ts';
import { unescapeSection } from './section-name.ts';
import type { SettingsTable } from './settings.ts';

const isBlank = (char: string): boolean => /[ \t\n\v\f\r]/.test(char);

/**
 * What `doveconf -n -P` of 2.4 prints of a configuration, its lines that begin with `#` left out: what
 * differs from the default, then the sections in the order of their opening with all that they set.
 *
 * Source: config_dump_human() of doveconf.c and settings_export() of config-request.c of 2.4.4 and 2.4.5.
 *
 * @param evaluation one with `prefixesInFilters`
 */
export function listFilters({
  root,
  releaseTable: table,
  configVersion,
}: FilterEvaluation): readonly string[] {
  return [
    ...(configVersion === null ? [] : [`dovecot_config_version = ${configVersion}`]),
    ...valueLines(root, table),
    ...root.children.flatMap((child) => sectionLines(child, table)),
    ...groupLines(root),
  ];
}

function sectionLines(section: FilterSection, table: SettingsTable): string[] {
  const lines = [
    ...valueLines(section, table),
    ...groupLines(section),
    ...section.children.flatMap((child) => sectionLines(child, table)),
  ];
  // The name of a section of a list is a setting of its own, so that an empty one is shown too.
  if (section.kind === 'list' && lines.length === 0) return [`${headerOf(section)} {`, '}'];
  return block(headerOf(section), lines);
}

function headerOf({ kind, type, name, own }: FilterSection): string {
  if (kind === 'named') return type;
  if (kind === 'list') return `${type} ${sectionName(name)}`;
  if (kind === 'group') return `group ${type} ${sectionName(name)}`;
  const net = own.local ?? own.remote;
  return `${type} ${net === null ? (name.toLowerCase() === name || type === 'protocol' ? name : name.toLowerCase()) : filterNetText(net)}`;
}

function sectionName(written: string): string {
  const name = unescapeSection(written);
  if (name === '') return '""';
  return /[ "{=<'$]/.test(name) ? quoted(name) : name;
}

function groupLines({ groups }: FilterSection): string[] {
  return groups.map(({ label, name }) => `@${label} = ${name}`);
}

function valueLines(section: FilterSection, table: SettingsTable): string[] {
  const entries: ListingEntry[] = [];
  for (const [key, value] of section.values) {
    if (value.setting.nameField === null && isOwnName(section, key, value.text, table)) continue;
    const shown = shortened(section, key, table);
    if (value.entries !== null) {
      entries.push(...listEntries(key, shown, value, value.entries));
    } else if (section.kind !== 'root' || value.text !== (table.get(key)?.default ?? '')) {
      entries.push({ order: `${key}=`, lines: [`${shown} = ${textOf(value)}`] });
    }
  }
  return sortedLines(entries);
}

/** The setting that the name of a section stands for is not shown again. */
function isOwnName(
  { kind, type, name }: FilterSection,
  key: string,
  text: string,
  table: SettingsTable,
): boolean {
  return kind === 'list' && table.get(type)?.nameField === key && text === name;
}

/** A key without the name of its section before it, where that says the same. */
function shortened({ kind, type, name }: FilterSection, key: string, table: SettingsTable): string {
  if (kind === 'root' || kind === 'filter') return key;
  const short = `${type}_`;
  if (kind === 'named') return key.startsWith(short) ? key.slice(short.length) : key;
  const long = `${type}_${name}_`.replaceAll('/', '_');
  if (key.startsWith(long)) return key.slice(long.length);
  if (!key.startsWith(short)) return key;
  const rest = key.slice(short.length);
  return table.get(long + rest) === null ? rest : key;
}

function textOf({ text, marker }: FilterValue): string {
  if (marker !== null)
    return `<<${marker}\n${text}${text.endsWith('\n') || text === '' ? '' : '\n'}${marker}`;
  return listedValue(text, isBlank);
}

/** A list on one line where it replaces what is inherited, else a block that adds to it. */
function listEntries(
  key: string,
  shown: string,
  { replaces, setting }: FilterValue,
  all: readonly ListEntry[],
): ListingEntry[] {
  const isPairs = setting.type === 'strlist';
  const entries = isPairs || !replaces ? all : all.filter(({ value }) => value !== 'no');
  if (all.length === 0) return [{ order: `${key}=`, lines: [`${shown} = `] }];
  if (replaces && !isPairs) {
    const words = entries.filter(({ value }) => value === 'yes').map((entry) => listKey(entry.key));
    return [{ order: `${key}=`, lines: [`${shown} = ${words.join(' ')}`] }];
  }
  const pair = (entry: ListEntry): string => `${listKey(entry.key)} = ${listedValue(entry.value, isBlank)}`;
  const lines = isPairs
    ? sortedLines(entries.map((entry) => ({ order: `${entry.key}=`, lines: [pair(entry)] })))
    : entries.map(pair);
  return [
    ...(replaces ? [{ order: `${key}=`, lines: [`${shown} = `] }] : []),
    { order: `${key}/`, lines: block(shown, lines) },
  ];
}

function listKey(key: string): string {
  return /[ "\\#=]/.test(key) ? quoted(key) : key;
}
