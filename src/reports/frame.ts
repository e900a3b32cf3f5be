import type { Location, SourceFile, Span } from '../text/source.ts';
import type { SecretPlaces } from './secret-places.ts';
import { columnsOf, isPlain, shownCharacter, widthOf } from './words.ts';

/** How a code frame is drawn. */
export interface FrameOptions {
  /** Columns of the whole frame. */
  readonly width: number;
  readonly secrets: SecretPlaces;
  /** Makes the marks stand out. */
  readonly mark: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** Lines of a span that are shown; of a longer one the first. */
const MOST_LINES = 4;
const TAB = 8;

/** One line of a frame in three parts: what the place covers, and what stands around it. */
export interface FrameLine {
  readonly number: number;
  readonly before: string;
  readonly marked: string;
  readonly after: string;
}

/** The lines of a place as they are shown. */
export interface Frame {
  readonly lines: readonly FrameLine[];
  /** The place runs over several lines. */
  readonly several: boolean;
  /** The last line of a place too long to be shown whole; else null. */
  readonly to: number | null;
}

/**
 * The lines of a place, of many the first ones, without secrets and without what a reader would act on.
 *
 * @param width most columns of a line
 */
export function frameOf(location: Location, width: number, secrets: SecretPlaces): Frame {
  const { source, span } = location;
  const { first, last, shown } = linesOf(location);
  const lines: FrameLine[] = [];
  for (let line = first; line <= shown; line++)
    lines.push({ number: line, ...drawn(source, source.lineSpan(line), span, width, secrets) });
  return { lines, several: first !== last, to: last > shown ? last : null };
}

/**
 * The lines of a place with their numbers. A place on one line is underlined; where it runs over several,
 * a `>` stands before each of them.
 */
export function frame(location: Location, { width, secrets, mark, dim }: FrameOptions): string[] {
  const digits = Math.max(4, String(linesOf(location).shown).length);
  const { lines, several, to } = frameOf(location, width - digits - 3, secrets);
  const drawnLines = lines.flatMap(({ number, before, marked, after }) => {
    const text = `${before}${marked}${after}`;
    const label = String(number).padStart(digits);
    if (several) return [`${dim(label)} ${mark('>')} ${text}`];
    const marks = ' '.repeat(widthOf(before)) + '^'.repeat(widthOf(marked));
    return [`${dim(`${label} |`)} ${text}`, `${dim(`${' '.repeat(digits)} |`)} ${mark(marks)}`];
  });
  if (to !== null) drawnLines.push(dim(`${' '.repeat(digits)}   … to line ${to}`));
  return drawnLines.map((line) => line.trimEnd());
}

/** The first and the last line of a place, and the last one that is shown. */
function linesOf({ source, span }: Location): {
  readonly first: number;
  readonly last: number;
  readonly shown: number;
} {
  const first = source.position(span.start).line;
  const last = Math.max(first, source.position(Math.max(span.start, span.end - 1)).line);
  return { first, last, shown: Math.min(last, first + MOST_LINES - 1) };
}

interface Cell {
  readonly text: string;
  readonly width: number;
  readonly marked: boolean;
}

/** One line, cut to the width around what is marked. */
function drawn(
  source: SourceFile,
  line: Span,
  span: Span,
  width: number,
  secrets: SecretPlaces,
): Omit<FrameLine, 'number'> {
  const from = Math.max(line.start, Math.min(span.start, line.end));
  const to = Math.max(from, Math.min(span.end, line.end));
  // Of a line of a hundred megabytes, only what may be seen is looked at.
  const start = Math.max(line.start, from - width);
  const end = Math.min(line.end, from + 2 * width);
  const hidden = secrets(source, line);
  const seen = source.text.slice(start, end);
  // Most lines are shown as they are; a place behind the last character marks the column there.
  const fits = start === line.start && end === line.end && seen.length < width && isPlain(seen);
  if (fits && hidden.length === 0) {
    const behind = Math.max(to, from + 1) - start;
    return {
      before: seen.slice(0, from - start),
      marked: from === end ? ' ' : seen.slice(from - start, behind),
      after: seen.slice(behind),
    };
  }
  const all = cells(source.text, { start, end }, { start: from, end: to }, hidden);
  const total = all.reduce((sum, cell) => sum + cell.width, 0);
  const cutBefore = start > line.start;
  const cutAfter = end < line.end;
  let head = 0;
  if (cutBefore || cutAfter || total > width) {
    // What is marked comes into view whole where it fits, else its beginning does.
    const before = all.findIndex((cell) => cell.marked);
    const marked = all.filter((cell) => cell.marked).length;
    if (cutBefore || before + marked > width - 2)
      head = Math.max(0, before - Math.max(4, Math.floor((width - marked) / 2)));
  }
  const visible: Cell[] = head > 0 || cutBefore ? [{ text: '…', width: 1, marked: false }] : [];
  let used = visible.length;
  let index = head;
  for (; index < all.length; index++) {
    const cell = all[index];
    if (cell === undefined) break;
    const rest = index < all.length - 1 || cutAfter;
    if (used + cell.width > width - (rest ? 1 : 0)) break;
    visible.push(cell);
    used += cell.width;
  }
  if (index < all.length || cutAfter) visible.push({ text: '…', width: 1, marked: false });
  const begin = visible.findIndex((cell) => cell.marked);
  const behind = visible.findLastIndex((cell) => cell.marked) + 1;
  const text = (part: readonly Cell[]): string => part.map((cell) => cell.text).join('');
  if (begin < 0) return { before: text(visible), marked: '', after: '' };
  return {
    before: text(visible.slice(0, begin)),
    marked: text(visible.slice(begin, behind)),
    after: text(visible.slice(behind)),
  };
}

/** The characters of a stretch as they are shown, each with its columns. A place without length marks the column that it stands before. */
function cells(text: string, { start, end }: Span, marked: Span, secrets: readonly Span[]): Cell[] {
  const found: Cell[] = [];
  const isMarked = (at: number): boolean => at >= marked.start && at < Math.max(marked.end, marked.start + 1);
  let column = 0;
  for (let at = start; at < end; ) {
    const secret = secrets.find((span) => at >= span.start && at < span.end);
    if (secret !== undefined) {
      found.push({ text: '(hidden)', width: 8, marked: isMarked(at) });
      column += 8;
      at = secret.end;
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const shown = character === '\t' ? ' '.repeat(TAB - (column % TAB)) : shownCharacter(character);
    const width = shown.length > 1 ? shown.length : columnsOf(shown);
    // A pair of surrogates is one character of one or two columns.
    const columns = character.length > 1 ? columnsOf(character) : width;
    found.push({ text: shown, width: columns, marked: isMarked(at) });
    column += columns;
    at += character.length;
  }
  if (marked.start >= end) found.push({ text: ' ', width: 1, marked: true });
  return found;
}
