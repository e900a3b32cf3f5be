import type { Span } from './source.ts';

/** Where the parts of a JSON text stand, by JSON pointer (`/releases/postfix`; the whole text is ``). */
export interface JsonPlaces {
  readonly values: ReadonlyMap<string, Span>;
  /** Keys with their quotation marks, by the pointer of their value. */
  readonly keys: ReadonlyMap<string, Span>;
  /** Keys that stand a second time in their object, with their quotation marks. */
  readonly repeated: readonly Span[];
  /** Comments: slash and asterisk to asterisk and slash, or two slashes to the end of the line. */
  readonly comments: readonly Span[];
  /** Offset of the first character that no JSON text with comments can have there; null for a valid one. */
  readonly errorAt: number | null;
}

const BLANKS = /[ \t\n\r]+/y;
const COMMENT = /\/\/[^\n\r]*|\/\*[^]*?\*\//y;
// oxlint-disable-next-line no-control-regex -- RFC 8259 section 7
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Nesting that no configuration has; deeper texts count as invalid. */
const DEEPEST = 200;

class Invalid extends Error {
  readonly at: number;
  constructor(at: number) {
    super('not valid JSON');
    this.at = at;
  }
}

/** A key as it stands in a JSON pointer (RFC 6901). */
export function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Finds the places in a JSON text (RFC 8259) that may have comments; of a key that stands twice, the last. */
export function jsonPlaces(text: string): JsonPlaces {
  const values = new Map<string, Span>();
  const keys = new Map<string, Span>();
  const repeated: Span[] = [];
  const comments: Span[] = [];
  let at = 0;

  function take(pattern: RegExp): string | null {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    if (found !== null) at += found.length;
    return found;
  }
  function blanks(): void {
    for (;;) {
      take(BLANKS);
      const start = at;
      if (text[at] !== '/' || take(COMMENT) === null) return;
      comments.push({ start, end: at });
    }
  }
  function mark(character: string): void {
    if (text[at] !== character) throw new Invalid(at);
    at++;
  }
  function members(close: string, member: (index: number) => void): void {
    at++;
    blanks();
    if (text[at] !== close) {
      for (let index = 0; ; index++) {
        member(index);
        blanks();
        if (text[at] !== ',') break;
        at++;
        blanks();
      }
    }
    mark(close);
  }
  function value(pointer: string, depth: number): void {
    const start = at;
    if (depth > DEEPEST) throw new Invalid(at);
    if (text[at] === '{') {
      members('}', () => {
        const from = at;
        const key = take(STRING);
        if (key === null) throw new Invalid(at);
        const own = `${pointer}/${pointerPart(String(JSON.parse(key)))}`;
        if (keys.has(own)) repeated.push({ start: from, end: at });
        keys.set(own, { start: from, end: at });
        blanks();
        mark(':');
        blanks();
        value(own, depth + 1);
      });
    } else if (text[at] === '[') {
      members(']', (index) => value(`${pointer}/${index}`, depth + 1));
    } else if (take(STRING) === null && take(SCALAR) === null) throw new Invalid(at);
    values.set(pointer, { start, end: at });
  }

  try {
    blanks();
    value('', 0);
    blanks();
    if (at < text.length) throw new Invalid(at);
    return { values, keys, repeated, comments, errorAt: null };
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    return { values, keys, repeated, comments, errorAt: error.at };
  }
}
