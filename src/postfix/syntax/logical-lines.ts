import type { SourceFile, Span } from '../../text/source.ts';
import type { LogicalLine, PhysicalKind, PhysicalLine, Piece, SyntaxProblem } from './tree.ts';

const HASH = 0x23;

/** True for what C's isspace() says of ASCII, the only white space that Postfix knows: blank, \t, \n, \v, \f, \r. */
export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** First offset from `start` to before `end` that is no white space, or `end`. */
export function skipSpace(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** `end` moved back over white space, not before `start`. */
export function trimSpace(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}

/** What a file is made of before its entries are looked at. */
export interface Lines {
  /** Every physical line; together they are the whole text. */
  readonly lines: PhysicalLine[];
  /** An indented first entry is here too, although the server drops it: its text starts with white space. */
  readonly logical: LogicalLine[];
  /** indented-first, null-byte, byte-order-mark; in the order of the text. */
  readonly problems: SyntaxProblem[];
}

/** A logical line that is still being collected. */
interface Open {
  readonly pieces: Piece[];
  readonly parts: string[];
  readonly start: number;
  readonly firstLine: number;
  length: number;
  end: number;
  endLine: number;
  /** A NUL was met: nothing more is added. */
  cut: boolean;
}

/**
 * Splits a file into physical and logical lines. Used for main.cf, master.cf and the sources of
 * lookup tables. Never throws; linear in the size of the text.
 *
 * Source: readlline.c. A line that does not start with white space begins a logical line, an
 * indented one continues it; empty lines and comments are dropped wherever they stand and end nothing.
 */
export function logicalLines(source: SourceFile): Lines {
  const { text } = source;
  const lines: PhysicalLine[] = [];
  const logical: LogicalLine[] = [];
  const problems: SyntaxProblem[] = [];
  let open: Open | undefined;
  let nul = text.indexOf('\0');

  const mark = byteOrderMark(source);
  if (mark > 0) problems.push({ code: 'byte-order-mark', span: { start: 0, end: mark }, detail: '' });

  const close = (): void => {
    if (open === undefined) return;
    const line: LogicalLine = {
      text: open.parts.length === 1 ? (open.parts[0] ?? '') : open.parts.join(''),
      pieces: open.pieces,
      span: { start: open.start, end: open.end },
      firstLine: open.firstLine,
      endLine: open.endLine,
    };
    if (startsWithSpace(line)) {
      const first = skipSpace(line.text, 0, line.text.length);
      const detail = line.text.slice(first, trimSpace(line.text, first, line.text.length));
      problems.push({ code: 'indented-first', span: trimmedSpan(line), detail });
    }
    logical.push(line);
    open = undefined;
  };

  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const content = newline < 0 ? text.length : newline;
    const end = newline < 0 ? text.length : newline + 1;
    const first = skipSpace(text, start, content);
    let kind: PhysicalKind;
    if (first === content) kind = 'blank';
    else if (text.charCodeAt(first) === HASH) kind = 'comment';
    else if (first > start && open !== undefined) kind = 'continuation';
    else kind = 'text';

    if (kind === 'text') {
      close();
      open = {
        pieces: [],
        parts: [],
        start,
        firstLine: lines.length,
        length: 0,
        end,
        endLine: 0,
        cut: false,
      };
    }
    if (open !== undefined && (kind === 'text' || kind === 'continuation')) {
      open.end = end;
      open.endLine = lines.length + 1;
      while (nul >= 0 && nul < start) nul = text.indexOf('\0', nul + 1);
      if (!open.cut) {
        let until = content;
        if (nul >= 0 && nul < content) {
          until = nul;
          open.cut = true;
          problems.push({ code: 'null-byte', span: { start: nul, end: nul + 1 }, detail: '' });
        }
        if (until > start) {
          open.pieces.push({ at: open.length, source: start, length: until - start });
          open.parts.push(text.slice(start, until));
          open.length += until - start;
        }
      }
    }
    lines.push({ kind, span: { start, end } });
    start = end;
  }
  close();
  return { lines, logical, problems: inOrder(problems) };
}

/** Length of a byte order mark at the start, as the file's encoding shows it; 0 without one. */
function byteOrderMark({ text, encoding }: SourceFile): number {
  if (encoding === 'latin1') return text.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
  return text.startsWith('\ufeff') ? 1 : 0;
}

/** True for the indented first entry of a file, which the server drops. */
export function startsWithSpace(line: LogicalLine): boolean {
  return line.text !== '' && isSpace(line.text.charCodeAt(0));
}

/** Problems in the order of the text. */
export function inOrder(problems: readonly SyntaxProblem[]): SyntaxProblem[] {
  return [...problems].sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
}

/**
 * Where character `at` of the logical text stands in the source; `at` may be the length of the
 * text, which gives the place after its last character.
 */
export function sourceOffset(line: LogicalLine, at: number): number {
  const { pieces } = line;
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((pieces[middle]?.at ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  const piece = pieces[low];
  if (piece === undefined) return line.span.start;
  return piece.source + Math.max(0, Math.min(at - piece.at, piece.length));
}

/**
 * Where characters `start` to before `end` of the logical text stand in the source, line ends and
 * comments between them included. An empty range gives the empty span after the character before it.
 */
export function sourceSpan(line: LogicalLine, start: number, end: number): Span {
  const before = (at: number): number => (at > 0 ? sourceOffset(line, at - 1) + 1 : sourceOffset(line, 0));
  if (end > start) return { start: sourceOffset(line, start), end: before(end) };
  return { start: before(start), end: before(start) };
}

/** Where the logical text stands without the white space around it. */
export function trimmedSpan(line: LogicalLine): Span {
  const start = skipSpace(line.text, 0, line.text.length);
  return sourceSpan(line, start, trimSpace(line.text, start, line.text.length));
}
