import type { SourceFile, Span } from '../../text/source.ts';
import type { Dialect } from './dialect.ts';
import type { LogicalLine, PhysicalLine, Piece, SyntaxProblem } from './tree.ts';

const QUOTE = '"';
const APOSTROPHE = "'";

/** First offset from `start` to before `end` that is no blank, or `end`. */
export function skipBlanks(text: string, start: number, end: number, { isBlank }: Dialect): number {
  let at = start;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** `end` moved back over blanks, not before `start`. */
export function trimBlanks(text: string, start: number, end: number, { isBlank }: Dialect): number {
  let at = end;
  while (at > start && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

/** The offset in the source of an offset in a logical line; `end` takes the place behind the character before it. */
export function sourceOffset(line: LogicalLine, at: number, end = false): number {
  let piece = line.pieces[0];
  for (const next of line.pieces) {
    if (end ? next.at >= at : next.at > at) break;
    piece = next;
  }
  if (piece === undefined) return line.span.start;
  return piece.source + Math.min(Math.max(at - piece.at, 0), piece.length);
}

/** The span in the source of a range of a logical line. */
export function sourceSpan(line: LogicalLine, start: number, end: number): Span {
  if (start >= end) {
    const at = sourceOffset(line, start, true);
    return { start: at, end: at };
  }
  return { start: sourceOffset(line, start), end: sourceOffset(line, end, true) };
}

/** The lines of a multi-line value. */
export interface Heredoc {
  /** Each line with `\n` behind it. */
  readonly content: string;
  /** From the first line to the end of the marker, its line end left out. */
  readonly span: Span;
  /** False where the file ended before the marker came. */
  readonly closed: boolean;
}

/**
 * Reads a file line by line as config_parse_line() does: white space and comments off, lines that end in
 * a backslash joined. A blank or comment line inside such a chain drops what was collected, because the
 * server empties its buffer after every line that it does not continue.
 */
export class LineReader {
  readonly lines: PhysicalLine[] = [];
  readonly problems: SyntaxProblem[] = [];
  readonly #text: string;
  readonly #dialect: Dialect;
  #at = 0;
  #nul: number;

  constructor(source: SourceFile, dialect: Dialect) {
    this.#text = source.text;
    this.#dialect = dialect;
    this.#nul = source.text.indexOf('\0');
    const mark = source.text.startsWith('\ufeff') ? 1 : source.text.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
    if (mark > 0) this.problems.push({ code: 'byte-order-mark', span: { start: 0, end: mark }, detail: '' });
  }

  /** The next logical line, or null at the end of the file. */
  next(): LogicalLine | null {
    const parts: string[] = [];
    const pieces: Piece[] = [];
    let length = 0;
    let start = this.#at;
    let firstLine = this.lines.length;
    const drop = (code: 'continuation-broken' | 'continuation-at-end'): void => {
      this.problems.push({ code, span: { start, end: trimEnd(this.#text, start, this.#at) }, detail: '' });
    };
    while (this.#at < this.#text.length) {
      const line = this.#physical();
      if (line.kind === 'blank' || line.kind === 'comment') {
        if (parts.length > 0) drop('continuation-broken');
        this.#push(line);
        parts.length = 0;
        pieces.length = 0;
        length = 0;
        start = this.#at;
        firstLine = this.lines.length;
        continue;
      }
      // An empty continuation adds nothing, not even the space.
      if (line.end > line.start || line.kind === 'text') {
        pieces.push({ at: length, source: line.start, length: line.end - line.start });
        parts.push(this.#text.slice(line.start, line.end), line.kind === 'continued' ? ' ' : '');
        length += line.end - line.start + 1;
      }
      this.#push(line);
      if (line.kind === 'text') {
        return {
          text: parts.length === 2 ? (parts[0] ?? '') : parts.join(''),
          pieces,
          span: { start, end: this.#at },
          firstLine,
          endLine: this.lines.length,
        };
      }
    }
    if (parts.length > 0) drop('continuation-at-end');
    return null;
  }

  /** Takes the lines up to one that is the marker and nothing else. */
  heredoc(marker: string): Heredoc {
    const start = this.#at;
    const parts: string[] = [];
    while (this.#at < this.#text.length) {
      const { start: from, textEnd, next } = this.#bounds();
      const text = cString(this.#text.slice(from, textEnd));
      this.lines.push({ kind: 'heredoc', span: { start: from, end: next }, comment: null });
      this.#at = next;
      if (text === marker) return { content: parts.join(''), span: { start, end: textEnd }, closed: true };
      parts.push(`${text}\n`);
    }
    return { content: parts.join(''), span: { start, end: this.#at }, closed: false };
  }

  #push({ kind, span, comment }: PhysicalLine): void {
    this.lines.push({ kind, span, comment });
    this.#at = span.end;
  }

  /** The physical line at hand: where its text ends without the line end, and where the next begins. */
  #bounds(): { start: number; textEnd: number; next: number } {
    const start = this.#at;
    const newline = this.#text.indexOf('\n', start);
    const next = newline < 0 ? this.#text.length : newline + 1;
    let textEnd = newline < 0 ? next : newline;
    if (textEnd > start && this.#text[textEnd - 1] === '\r') textEnd--;
    return { start, textEnd, next };
  }

  /** The physical line at hand, with the range of it that counts. */
  #physical(): PhysicalLine & { start: number; end: number } {
    const { start: lineStart, textEnd, next } = this.#bounds();
    const span = { start: lineStart, end: next };
    const limit = this.#limit(lineStart, textEnd);
    const start = skipBlanks(this.#text, lineStart, limit, this.#dialect);
    if (start === limit) return { kind: 'blank', span, comment: null, start, end: start };
    if (this.#text[start] === '#') return { kind: 'comment', span, comment: null, start, end: start };
    const hash = this.#commentStart(start, limit);
    const comment = hash < limit ? { start: hash, end: textEnd } : null;
    let end = trimBlanks(this.#text, start, hash, this.#dialect);
    if (end === start || this.#text[end - 1] !== '\\') return { kind: 'text', span, comment, start, end };
    end = trimBlanks(this.#text, start, end - 1, this.#dialect);
    return { kind: 'continued', span, comment, start, end };
  }

  /** Where the line ends for C: at its first NUL. */
  #limit(start: number, end: number): number {
    if (this.#nul >= 0 && this.#nul < start) this.#nul = this.#text.indexOf('\0', start);
    const nul = this.#nul;
    if (nul < 0 || nul >= end) return end;
    this.problems.push({ code: 'null-byte', span: { start: nul, end: nul + 1 }, detail: '' });
    return nul;
  }

  /**
   * Where the comment begins, or `end`. Quotes count anywhere, an apostrophe in plain text too; one
   * without a partner ends the search, so that such a line has no comment at all.
   */
  #commentStart(start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const char = this.#text[at] ?? '';
      if (char === QUOTE || char === APOSTROPHE) {
        for (at++; at < end && this.#text[at] !== char; at++) {
          if (this.#text[at] === '\\' && at + 1 < end) at++;
        }
        if (at >= end) return end;
      } else if (char === '#') {
        if (!this.#dialect.isBlank(this.#text.charCodeAt(at - 1)))
          this.problems.push({ code: 'ambiguous-comment', span: { start: at, end: at + 1 }, detail: '' });
        return at;
      }
    }
    return end;
  }
}

/** What C sees of a string. */
function cString(text: string): string {
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

/** `end` before the line end that stands there. */
function trimEnd(text: string, start: number, end: number): number {
  let at = end;
  if (at > start && text[at - 1] === '\n') at--;
  if (at > start && text[at - 1] === '\r') at--;
  return at;
}
