import type { Location } from '../text/source.ts';
import { isFilterType } from './filter.ts';
import type { DovecotTree, Read } from './load.ts';

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
  return (
    surroundings(tree).find(
      ({ read: { file, statement } }) =>
        file.source === source &&
        statement.line.span.start <= span.start &&
        span.start < Math.max(statement.line.span.end, statement.line.span.start + 1),
    ) ?? null
  );
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
