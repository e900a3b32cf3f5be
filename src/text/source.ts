/** Half-open range of UTF-16 offsets in one source file: `start` is inside, `end` is not. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place as editors show it: line and column count from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * How the bytes of a file became text. Configuration files are bytes to Postfix and Dovecot; a file
 * that is not valid UTF-8 is read as Latin-1, one character a byte, so that writing gives the same
 * bytes back.
 */
export type Encoding = 'utf8' | 'latin1';

/** One configuration file: its path as the user gave it, and its text. */
export class SourceFile {
  readonly path: string;
  readonly text: string;
  readonly encoding: Encoding;
  #lineStarts: number[] | undefined;

  constructor(path: string, text: string, encoding: Encoding = 'utf8') {
    this.path = path;
    this.text = text;
    this.encoding = encoding;
  }

  /** Line and column of an offset; offsets past the end give the end. Only `\n` ends a line. */
  position(offset: number): Position {
    const starts = this.#starts();
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (starts[low] ?? 0) + 1 };
  }

  /** Number of lines; a text that ends with `\n` has no further, empty line. */
  get lineCount(): number {
    const starts = this.#starts();
    const last = starts.at(-1) ?? 0;
    return last === this.text.length && starts.length > 1 ? starts.length - 1 : starts.length;
  }

  /** Span of line `line` (from 1) without its line end (`\n` or `\r\n`); empty past the last line. */
  lineSpan(line: number): Span {
    const starts = this.#starts();
    const start = starts[line - 1] ?? this.text.length;
    let end = starts[line] === undefined ? this.text.length : starts[line] - 1;
    if (end > start && this.text[end - 1] === '\r') end--;
    return { start, end: Math.max(start, end) };
  }

  /** The same file, of which nothing was read: what is kept for it can be kept without all that was. */
  copy(): SourceFile {
    return new SourceFile(this.path, this.text, this.encoding);
  }

  /** The text of a span. */
  slice(span: Span): string {
    return this.text.slice(span.start, span.end);
  }

  #starts(): number[] {
    if (this.#lineStarts === undefined) {
      const starts = [0];
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1))
        starts.push(at + 1);
      this.#lineStarts = starts;
    }
    return this.#lineStarts;
  }
}

/** Makes a function read a file only once that does nothing but take its text apart. */
export function oncePerSource<T extends object>(read: (source: SourceFile) => T): (source: SourceFile) => T {
  const known = new WeakMap<SourceFile, T>();
  return (source) => {
    let result = known.get(source);
    if (result === undefined) known.set(source, (result = read(source)));
    return result;
  };
}

/** A place in a file. */
export interface Location {
  readonly source: SourceFile;
  readonly span: Span;
}
