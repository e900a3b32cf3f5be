import type { Location, SourceFile } from '../text/source.ts';
import { isFilterType } from './filter.ts';
import type { DovecotTree, Read } from './load.ts';
import type { DovecotFile, Statement } from './syntax/tree.ts';

/** A statement and what is around it. */
export interface Surroundings {
  readonly read: Read;
  /** The sections that it stands in, from the outermost; they may have begun in other files. */
  readonly sections: readonly Read[];
}

/** Every statement of a configuration with the sections around it, in the order of reading. */
export function surroundings(tree: DovecotTree): readonly Surroundings[] {
  const known = made.get(tree);
  if (known !== undefined) return known;
  const open: Read[] = [];
  const all = tree.statements.map((read): Surroundings => {
    if (read.statement.kind === 'end') open.pop();
    const around = { read, sections: [...open] };
    if (read.statement.kind === 'section') open.push(read);
    return around;
  });
  made.set(tree, all);
  return all;
}

const made = new WeakMap<DovecotTree, readonly Surroundings[]>();

/** The statement that a place belongs to, or null. */
export function statementAt(tree: DovecotTree, { source, span }: Location): Surroundings | null {
  const own = bySource(tree).get(source) ?? [];
  let low = 0;
  let high = own.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((own[middle]?.read.statement.line.span.start ?? 0) <= span.start) low = middle + 1;
    else high = middle;
  }
  const found = own[low - 1];
  if (found === undefined) return null;
  const { start, end } = found.read.statement.line.span;
  return span.start < Math.max(end, start + 1) ? found : null;
}

/** The statement before or behind another one of its file, or null. */
export function neighbour(file: DovecotFile, statement: Statement, step: 1 | -1): Statement | null {
  let index = places.get(file);
  if (index === undefined) {
    index = new Map(file.statements.map((one, place) => [one, place]));
    places.set(file, index);
  }
  const place = index.get(statement);
  return place === undefined ? null : (file.statements[place + step] ?? null);
}

const places = new WeakMap<DovecotFile, Map<Statement, number>>();

/** What is around a statement; where it is read several times, the first of them. */
export function surroundingsOf(tree: DovecotTree, statement: Statement): Surroundings | null {
  let index = byStatement.get(tree);
  if (index === undefined) {
    index = new Map();
    for (const around of surroundings(tree)) {
      if (!index.has(around.read.statement)) index.set(around.read.statement, around);
    }
    byStatement.set(tree, index);
  }
  return index.get(statement) ?? null;
}

const byStatement = new WeakMap<DovecotTree, Map<Statement, Surroundings>>();
const inFiles = new WeakMap<DovecotTree, ReadonlyMap<SourceFile, readonly Surroundings[]>>();

/** The statements of each file in the order of its lines. */
function bySource(tree: DovecotTree): ReadonlyMap<SourceFile, readonly Surroundings[]> {
  const known = inFiles.get(tree);
  if (known !== undefined) return known;
  const files = new Map<SourceFile, Surroundings[]>();
  for (const around of surroundings(tree)) {
    const { source } = around.read.file;
    const own = files.get(source);
    if (own === undefined) files.set(source, [around]);
    else own.push(around);
  }
  for (const own of files.values())
    own.sort((a, b) => a.read.statement.line.span.start - b.read.statement.line.span.start);
  inFiles.set(tree, files);
  return files;
}

/**
 * The path by which the tables of settings know the sections around a statement: `service/unix_listener`;
 * null where it stands in none. Filters of connections hold what stands outside of sections too.
 */
export function tablePath(sections: readonly Read[]): string | null {
  const keys = sections.flatMap(({ statement }) =>
    statement.kind === 'section' && !statement.group && !isFilterType(statement.key) ? [statement.key] : [],
  );
  return keys.length === 0 ? null : keys.join('/');
}
