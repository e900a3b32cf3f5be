import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import { parseMasterCf } from '../../postfix/syntax/master-cf.ts';
import type { LogicalLine, MainCf, MainEntry, MasterCf, ServiceEntry } from '../../postfix/syntax/tree.ts';
import { SourceFile, type Span } from '../../text/source.ts';
import { textLines } from './misread-lines.ts';

/** A service line that stands behind white space and so belongs to the service above it. */
export interface IndentedService {
  /** `submission/inet` */
  readonly id: string;
  readonly span: Span;
  /** The white space. */
  readonly indent: Span;
}

const TYPES =
  /^\S+[ \t]+(?:inet|unix|fifo|pass|unix-dgram)[ \t]+[yn-][ \t]+[yn-][ \t]+[yn-][ \t]+(?:-|\d+\??)[ \t]+(?:-|\d+)[ \t]+[\w./-]+(?:[ \t]|$)/;

/** The continuation lines of a service that are services of their own. */
export function indentedServices(master: MasterCf, entry: ServiceEntry): readonly IndentedService[] {
  const { text } = master.source;
  return textLines(master, entry.line).flatMap(({ continuation, start, end, index }) => {
    const line = text.slice(start, Math.min(end, start + 300));
    if (!continuation || !TYPES.test(line)) return [];
    const [name, type] = line.split(/[ \t]+/);
    return [
      {
        id: `${name}/${type}`,
        span: { start, end },
        indent: { start: master.lines[index]?.span.start ?? start, end: start },
      },
    ];
  });
}

/** Lines whose first line was made a comment, so that they continue something else. */
export interface OrphanedLines {
  /** What the comment says they belong to: a service, or a parameter. */
  readonly of: string;
  /** From the first to the last of them. */
  readonly span: Span;
  readonly comment: Span;
  /** Where each of their physical lines starts. */
  readonly lineStarts: readonly number[];
}

/**
 * The `-o` lines, or the command, of a service that was commented out without them.
 * A comment about the same service says nothing: it is another form of the line that counts.
 */
export function orphanedOptions(master: MasterCf, entry: ServiceEntry): readonly OrphanedLines[] {
  return orphans(master, entry.line, (comment) => {
    if (!TYPES.test(comment)) return null;
    const item = parseMasterCf(new SourceFile('', `${comment}\n`)).items[0];
    if (item?.kind !== 'service') return null;
    const { service, type } = item.fields;
    if (service.text === entry.fields.service.text && type.text === entry.fields.type.text) return null;
    return `${service.text}/${type.text}`;
  });
}

/**
 * The lines of a value whose `name =` was commented out without them. Where the comment has a value of
 * its own that is complete, or the value above it asks for more, nothing can be told.
 */
export function orphanedValues(
  configuration: PostfixConfiguration,
  main: MainCf,
  entry: MainEntry,
): readonly OrphanedLines[] {
  return orphans(main, entry.line, (comment, before) => {
    const [, name, value = ''] = /^([a-z0-9_]+)\s*=\s*(.*)$/s.exec(comment) ?? [];
    if (name === undefined || name === entry.name || configuration.table.knownAnywhere(name) === null)
      return null;
    if (value !== '' && !value.endsWith(',')) return null;
    const above = main.source.text.slice(entry.valueSpan.start, before).trim();
    return above === '' || above.endsWith(',') ? null : name;
  });
}

/**
 * @param parent gives what a comment was the first line of, or null; its text comes without `#`, and
 *   with it the end of the line of text before it
 */
function orphans(
  tree: MainCf | MasterCf,
  line: LogicalLine,
  parent: (comment: string, before: number) => string | null,
): readonly OrphanedLines[] {
  const { text } = tree.source;
  const lines = textLines(tree, line);
  const found: OrphanedLines[] = [];
  for (const [position, { index }] of lines.entries()) {
    const before = lines[position - 1];
    let up = index - 1;
    const commentAt = (at: number): string => {
      const above = tree.lines[at];
      return above?.kind === 'comment' ? text.slice(above.span.start, above.span.end).trim() : '';
    };
    // Options that are comments stand between a service and the options that are none.
    while (/^#+\s*-/.test(commentAt(up))) up--;
    const above = tree.lines[up];
    const comment = commentAt(up);
    if (above === undefined || before === undefined || comment === '' || before.index > up) continue;
    const of = parent(comment.replace(/^#+\s*/, ''), before.end);
    if (of === null) continue;
    // Those that follow each other without another comment between them.
    let last = position;
    while (lines[last + 1]?.index === (lines[last]?.index ?? 0) + 1) last++;
    const block = lines.slice(position, last + 1);
    found.push({
      of,
      span: { start: block[0]?.start ?? above.span.end, end: block.at(-1)?.end ?? above.span.end },
      comment: { start: above.span.start, end: above.span.start + comment.length },
      lineStarts: block.map((one) => tree.lines[one.index]?.span.start ?? one.start),
    });
  }
  return found;
}
