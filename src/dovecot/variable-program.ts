/**
 * Whether a value of 2.4 with `%{…}` can be read at all: only its grammar is looked at, as doveconf looks
 * at it; which variables and filters there are is known to the programs alone.
 *
 * Source: var-expand-lexer.l and var-expand-parser.y.
 */

/** Offsets in the value of what cannot be read, or null where all can. */
export function variableProgramFault(value: string): { readonly start: number; readonly end: number } | null {
  let at = 0;
  while (at < value.length) {
    const percent = value.indexOf('%', at);
    if (percent < 0) return null;
    if (value.startsWith('%%{', percent)) {
      at = percent + 3;
    } else if (value.startsWith('%{', percent)) {
      const program = new Program(value, percent + 2);
      if (!program.read()) return { start: percent, end: Math.min(value.length, program.at + 1) };
      at = program.at;
    } else {
      at = percent + 1;
    }
  }
  return null;
}

/**
 * The names that the programs of a value begin with, which are variables, or null where it cannot be read.
 * Names that only filters have are not among them.
 */
export function variableNames(value: string): readonly string[] | null {
  if (variableProgramFault(value) !== null) return null;
  const names = [...value.matchAll(/(?<!%)%\{[ \t]*([a-zA-Z\u0080-\uffff][a-zA-Z0-9_/;:.\u0080-\uffff-]*)/g)];
  return [...new Set(names.map(([, name = '']) => name))].filter((name) => !FILTERS_FIRST.has(name));
}

/** Filters that a program may begin with. */
const FILTERS_FIRST: ReadonlySet<string> = new Set(['literal', 'lookup', 'if', 'calculate']);

/** The value of a quoted text stands between these, with backslashes before what C escapes. */
const QUOTED = {
  "'": /'(?:[^'\\]|\\(?:[\\trn"']|x[0-9a-f]{2}|[0-7]{1,3}))*'/iy,
  '"': /"(?:[^"\\]|\\(?:[\\trn"']|x[0-9a-f]{2}|[0-7]{1,3}))*"/iy,
} as const;
const NAME = /[a-zA-Z\u0080-\uffff][a-zA-Z0-9_/;:.\u0080-\uffff-]*/y;
const NUMBER = /[0-9]+/y;

/** What stands behind one `%{`, up to its brace. */
class Program {
  at: number;
  readonly #text: string;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  /** `[filter] {| [filter]} }`; false where it does not read so, with `at` where it stopped. */
  read(): boolean {
    for (;;) {
      this.#blanks();
      if (this.#next() !== '|' && this.#next() !== '}' && !this.#filter()) return false;
      this.#blanks();
      if (this.#take('}')) return true;
      if (!this.#take('|')) return false;
    }
  }

  /** `name [(arguments)] [operator operand]` */
  #filter(): boolean {
    if (!this.#match(NAME)) return false;
    this.#blanks();
    if (this.#take('(') && !this.#arguments()) return false;
    this.#blanks();
    if (!'+-*/%'.includes(this.#next() || ' ')) return true;
    this.at++;
    this.#blanks();
    return this.#number() || this.#match(NAME);
  }

  #arguments(): boolean {
    for (;;) {
      this.#blanks();
      if (!this.#argument()) return false;
      this.#blanks();
      if (this.#take(')')) return true;
      if (!this.#take(',')) return false;
    }
  }

  /** A text, a name, a number, or `name = ` and one of them. */
  #argument(): boolean {
    if (this.#number() || this.#quoted()) return true;
    if (!this.#match(NAME)) return false;
    this.#blanks();
    if (!this.#take('=')) return true;
    this.#blanks();
    return this.#number() || this.#quoted() || this.#match(NAME);
  }

  #number(): boolean {
    const start = this.at;
    if (this.#take('-')) this.#blanks();
    if (this.#match(NUMBER)) return true;
    this.at = start;
    return false;
  }

  #quoted(): boolean {
    const quote = this.#next();
    return (quote === '"' || quote === "'") && this.#match(QUOTED[quote]);
  }

  #blanks(): void {
    while (this.#next() === ' ' || this.#next() === '\t') this.at++;
  }

  #next(): string {
    return this.#text[this.at] ?? '';
  }

  #take(char: string): boolean {
    if (this.#next() !== char) return false;
    this.at++;
    return true;
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.#text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }
}
