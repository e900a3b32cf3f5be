import { type StructuredPatchHunk, structuredPatch } from 'diff';
import { DOVECOT_RELEASES } from '../dovecot/releases.ts';
import { secretSpans } from '../dovecot/secrets.ts';
import { dialectOf } from '../dovecot/syntax/dialect.ts';
import { parseDovecot } from '../dovecot/syntax/parse.ts';
import type { Server } from '../model/endpoint.ts';
import { secretSpans as secretSpansOfPostfix } from '../postfix/secrets.ts';
import { parseMainCf } from '../postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../postfix/syntax/master-cf.ts';
import type { SourceFile, Span } from '../text/source.ts';
import type { FixedFile } from './fix.ts';

/** A unified diff of one file, in the encoding of the file. */
export interface FileDiff {
  readonly path: string;
  readonly text: string;
  readonly encoding: SourceFile['encoding'];
  /**
   * Lines of the old file that change but cannot be shown: they hold a secret, or stand so close to
   * one that no tool would find their place without it. `--write` makes them.
   */
  readonly withheld: readonly number[];
}

/** Lines of context around a change. */
const CONTEXT = 3;

/**
 * The diff of one file in the form that `patch -p1` and `git apply` take. A line with a secret is never
 * part of it, neither changed nor as context.
 */
export function unifiedDiff({ server, before, after }: FixedFile): FileDiff {
  const name = before.path.replace(/^(\.?\.?\/)+/, '');
  const patch = structuredPatch(`a/${name}`, `b/${name}`, before.text, after.text, undefined, undefined, {
    context: CONTEXT,
  });
  const secretsBefore = secretLines(before, server, []);
  const secretsAfter = secretLines(after, server, secretTexts(before, server));
  const withheld: number[] = [];
  const hunks = patch.hunks.flatMap((hunk) =>
    withoutSecrets(hunk, secretsBefore, secretsAfter, before.lineCount, withheld),
  );
  if (hunks.length === 0) return { path: before.path, text: '', encoding: before.encoding, withheld };
  // Each hunk moves the lines below it by what the hunks above really change.
  let shift = 0;
  const printed = hunks.map((hunk) => {
    const newStart = hunk.oldStart + shift;
    shift += hunk.newLines - hunk.oldLines;
    return printHunk({ ...hunk, newStart });
  });
  const text = `--- a/${name}\n+++ b/${name}\n${printed.join('')}`;
  return { path: before.path, text, encoding: before.encoding, withheld };
}

function printHunk({ oldStart, oldLines, newStart, newLines, lines }: StructuredPatchHunk): string {
  const range = (start: number, count: number): string =>
    count === 1 ? `${start}` : `${count === 0 ? start - 1 : start},${count}`;
  return `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@\n${lines.map((line) => `${line}\n`).join('')}`;
}

/**
 * Line numbers, from 1, that hold a value which must not be shown.
 *
 * @param known secrets of the file before, wherever they have gone
 */
function secretLines(source: SourceFile, server: Server, known: readonly string[]): ReadonlySet<number> {
  const lines = new Set<number>();
  for (const span of spansOf(source, server)) {
    const last = source.position(Math.max(span.start, span.end - 1)).line;
    for (let { line } = source.position(span.start); line <= last; line++) lines.add(line);
  }
  for (const text of known)
    for (let at = source.text.indexOf(text); at >= 0; at = source.text.indexOf(text, at + text.length))
      lines.add(source.position(at).line);
  return lines;
}

/** Secrets that are long enough to be nothing else where they are met again. */
function secretTexts(source: SourceFile, server: Server): readonly string[] {
  const lines = spansOf(source, server).flatMap((span) => source.slice(span).split('\n'));
  return [...new Set(lines.map((line) => line.trim()))].filter((line) => line.length >= SHORTEST_KNOWN);
}

const SHORTEST_KNOWN = 6;

function spansOf(source: SourceFile, server: Server): readonly Span[] {
  return server === 'dovecot' ? dovecotSpans(source) : postfixSpans(source);
}

function dovecotSpans(source: SourceFile): readonly Span[] {
  return secretSpans(parseDovecot(source, dialectOf(DOVECOT_RELEASES.newest)));
}

/** Read both ways: what kind of file it is, its name need not tell. */
function postfixSpans(source: SourceFile): readonly Span[] {
  return [parseMainCf(source), parseMasterCf(source)].flatMap(secretSpansOfPostfix);
}

/** Cuts a hunk at its secret lines; parts that hold no change, or that lose their footing by the cut, go. */
function withoutSecrets(
  hunk: StructuredPatchHunk,
  secretsBefore: ReadonlySet<number>,
  secretsAfter: ReadonlySet<number>,
  lineCount: number,
  withheld: number[],
): StructuredPatchHunk[] {
  const parts: { oldStart: number; lines: string[]; cutBelow: boolean }[] = [];
  let part: { oldStart: number; lines: string[]; cutBelow: boolean } | null = null;
  let oldLine = hunk.oldStart;
  let newLine = hunk.newStart;
  for (const line of hunk.lines) {
    const mark = line[0];
    if (mark === '\\') {
      part?.lines.push(line);
      continue;
    }
    const secret =
      (mark !== '+' && secretsBefore.has(oldLine)) || (mark !== '-' && secretsAfter.has(newLine));
    if (secret) {
      if (mark !== ' ') withheld.push(oldLine);
      if (part !== null) part.cutBelow = true;
      part = null;
    } else {
      if (part === null) {
        part = { oldStart: oldLine, lines: [], cutBelow: false };
        parts.push(part);
      }
      part.lines.push(line);
    }
    if (mark !== '+') oldLine++;
    if (mark !== '-') newLine++;
  }
  return parts.flatMap(({ oldStart, lines, cutBelow }): StructuredPatchHunk[] => {
    if (!lines.some((line) => line[0] === '+' || line[0] === '-')) return [];
    const oldLines = lines.filter((line) => line[0] === ' ' || line[0] === '-').length;
    const newLines = lines.filter((line) => line[0] === ' ' || line[0] === '+').length;
    const lastIsContext = lines.at(-1)?.[0] === ' ';
    // Without context below, git takes a hunk to stand at the end of the file.
    if (cutBelow && !lastIsContext && oldStart + oldLines <= lineCount) {
      withheld.push(oldStart);
      return [];
    }
    return [{ oldStart, oldLines, newStart: oldStart, newLines, lines }];
  });
}
