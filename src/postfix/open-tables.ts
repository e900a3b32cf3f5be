import type { SourceFile } from '../text/source.ts';
import { tableTypeSince } from './restrictions.ts';
import { parseTableReference, readTable, type Table, type TableResult, wordsInBraces } from './tables.ts';

/**
 * Tables as smtpd consults them: those that can be read here, those of which no more is known than that
 * they hold single keys, and those that may answer anything. With `pipemap:` and `unionmap:` of dict_pipe.c
 * and dict_union.c.
 */

/** What a lookup came to. */
export type TableAnswer =
  | { readonly kind: 'found'; readonly table: Table; readonly result: TableResult }
  | { readonly kind: 'none' }
  /** The content is not known here, or a pattern goes beyond what is understood. */
  | { readonly kind: 'unknown' }
  /** The server cannot open the table: each lookup is a temporary error. */
  | { readonly kind: 'broken' };

/** A table that a setting names. */
export interface OpenTable {
  /**
   * What is known of it: its content; that it holds an entry for each key, unseen; nothing; that the server
   * cannot use it.
   */
  readonly known: 'content' | 'keys' | 'nothing' | 'broken';
  /** True where parts of a key are looked up too: parent domains and networks (DICT_FLAG_FIXED). */
  readonly partial: boolean;
  readonly lookup: (key: string) => TableAnswer;
  /** The tables that were read: itself, or those that it joins. */
  readonly tables: readonly Table[];
}

/** Types with an entry for each key; what their lines would be beside the index may be missing here. */
const KEYED: ReadonlySet<string> = new Set([
  'hash',
  'btree',
  'lmdb',
  'cdb',
  'dbm',
  'sdbm',
  'texthash',
  'nis',
  'nisplus',
  'netinfo',
  'unix',
]);
/** Types that are asked for a whole key only (DICT_FLAG_PATTERN). */
const PATTERNS: ReadonlySet<string> = new Set(['regexp', 'pcre', 'cidr', 'tcp', 'socketmap']);

const NONE: TableAnswer = { kind: 'none' };
const UNKNOWN: TableAnswer = { kind: 'unknown' };
const BROKEN: TableAnswer = { kind: 'broken' };

/** Reads a file; null when it is not there or cannot be read. */
type Open = (path: string) => SourceFile | null;

/** Tables by how their files are read: one configuration asks the same table for many keys. */
const OPENED = new WeakMap<Open, Map<string, OpenTable>>();

/**
 * Opens a table by its name in a setting.
 *
 * @param text `type:name`; braces around it and white space are taken off
 * @param open how its file is read; the same function for a whole configuration
 */
export function openTable(text: string, open: Open): OpenTable {
  const known = OPENED.get(open) ?? new Map<string, OpenTable>();
  OPENED.set(open, known);
  const table = known.get(text) ?? openNew(text, open);
  known.set(text, table);
  return table;
}

function openNew(text: string, open: Open): OpenTable {
  const reference = parseTableReference(withoutBraces(text));
  if (reference === null) return broken(false);
  const { type, name } = reference;
  const partial = !PATTERNS.has(type);
  if (type === 'fail') return broken(partial);
  if (type === 'pipemap' || type === 'unionmap') {
    if (!/^\{[^]*\}$/.test(name)) return broken(true);
    const parts = wordsInBraces(name).map(({ start, end }) => openTable(name.slice(start, end), open));
    return type === 'pipemap' ? pipe(parts) : union(parts);
  }
  // A word with other characters comes from a template.
  if (/^[\w-]+$/.test(type) && tableTypeSince(type) === undefined) return broken(partial);
  const inline = name.startsWith('{') || type === 'static' || type === 'inline';
  const table = readTable(reference, inline ? null : open(name));
  if (table === null) {
    const keys = KEYED.has(type);
    return { known: keys ? 'keys' : 'nothing', partial, lookup: () => UNKNOWN, tables: [] };
  }
  if (!table.usable) return broken(partial);
  return {
    known: 'content',
    partial,
    lookup: (key) => {
      const result = table.search(key);
      return result === 'undecidable' ? UNKNOWN : result === null ? NONE : { kind: 'found', table, result };
    },
    tables: [table],
  };
}

function broken(partial: boolean): OpenTable {
  return { known: 'broken', partial, lookup: () => BROKEN, tables: [] };
}

function withoutBraces(text: string): string {
  return /^\{[^]*\}$/.test(text) ? text.slice(1, -1).trim() : text;
}

/** What each table finds is the key for the next one. */
function pipe(parts: readonly OpenTable[]): OpenTable {
  return joined(parts, (key) => {
    let answer: TableAnswer = NONE;
    let next = key;
    for (const part of parts) {
      answer = part.lookup(next);
      if (answer.kind !== 'found') return answer;
      next = answer.result.value;
    }
    return answer;
  });
}

/** What the tables find, with a comma between. */
function union(parts: readonly OpenTable[]): OpenTable {
  return joined(parts, (key) => {
    const answers = parts.map((part) => part.lookup(key));
    const failed =
      answers.find(({ kind }) => kind === 'broken') ?? answers.find(({ kind }) => kind === 'unknown');
    if (failed !== undefined) return failed;
    const found = answers.flatMap((answer) => (answer.kind === 'found' ? [answer] : []));
    const [first] = found;
    if (first === undefined) return NONE;
    const value = found.map(({ result }) => result.value).join(',');
    return { ...first, result: { ...first.result, value } };
  });
}

/** The first table says whether parts of keys are looked up. */
function joined(parts: readonly OpenTable[], lookup: (key: string) => TableAnswer): OpenTable {
  const [first] = parts;
  if (first === undefined) return broken(true);
  const worst = (['broken', 'nothing', 'keys', 'content'] as const).find((known) =>
    parts.some((part) => part.known === known),
  );
  return {
    known: worst ?? 'content',
    partial: first.partial,
    lookup,
    tables: parts.flatMap(({ tables }) => tables),
  };
}
