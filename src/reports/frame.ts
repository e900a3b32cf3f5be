import type { Location, SourceFile, Span } from '../text/source.ts';
import type { SecretPlaces } from './secret-places.ts';
import { columnsOf, shownCharacter } from './words.ts';

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

/**
 * The lines of a place with their numbers. A place on one line is underlined; where it runs over several,
 * a `>` stands before each of them.
 */
export function frame({ source, span }: Location, options: FrameOptions): string[] {
  const first = source.position(span.start).line;
  const last = Math.max(first, source.position(Math.max(span.start, span.end - 1)).line);
  const shown = Math.min(last, first + MOST_LINES - 1);
  const digits = Math.max(4, String(shown).length);
  const lines: string[] = [];
  for (let line = first; line <= shown; line++) {
    const { text, marks } = drawn(
      source,
      source.lineSpan(line),
      span,
      options.width - digits - 3,
      options.secrets,
    );
    const number = String(line).padStart(digits);
    if (first === last) {
      lines.push(
        `${options.dim(`${number} |`)} ${text}`,
        `${options.dim(`${' '.repeat(digits)} |`)} ${options.mark(marks)}`,
      );
    } else lines.push(`${options.dim(number)} ${options.mark('>')} ${text}`);
  }
  if (last > shown) lines.push(options.dim(`${' '.repeat(digits)}   … to line ${last}`));
  return lines.map((line) => line.trimEnd());
}

interface Cell {
  readonly text: string;
  readonly width: number;
  readonly marked: boolean;
}

/** One line, cut to the width around what is marked, and the marks under it. */
function drawn(
  source: SourceFile,
  line: Span,
  span: Span,
  width: number,
  secrets: SecretPlaces,
): { readonly text: string; readonly marks: string } {
  const from = Math.max(line.start, Math.min(span.start, line.end));
  const to = Math.max(from, Math.min(span.end, line.end));
  // Of a line of a hundred megabytes, only what may be seen is looked at.
  const start = Math.max(line.start, from - width);
  const end = Math.min(line.end, from + 2 * width);
  const all = cells(source.text, { start, end }, { start: from, end: to }, secrets(source, line));
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
  const text = visible.map((cell) => cell.text).join('');
  const marks = visible.map((cell) => (cell.marked ? '^' : ' ').repeat(cell.width)).join('');
  return { text, marks };
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
