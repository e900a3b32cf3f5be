/**
 * The patterns of `regexp:` and `pcre:` tables, as far as they mean the same to their library and to the
 * few constructs below: literals, sets, groups, alternatives, repetitions and anchors over ASCII. What
 * goes beyond (look-around, back references, the basic syntax) is not guessed at. Matching takes time
 * in proportion to pattern and text: no pattern can make it run away.
 */

/** Whose syntax a pattern has: POSIX extended expressions (`regexp:`), or Perl's (`pcre:`). */
export type PatternDialect = 'posix' | 'pcre';

/** How a pattern is compiled. */
export interface PatternOptions {
  readonly dialect: PatternDialect;
  readonly ignoreCase: boolean;
  /** Matches at the start of the text only. */
  readonly anchored?: boolean;
  /** Repetitions take as little as they can, unless `?` follows. */
  readonly ungreedy?: boolean;
}

/** A compiled pattern. */
export interface Pattern {
  /** Number of groups that `$1`, `$2`, … may name. */
  readonly groups: number;
  /** Whether the groups of a match are sure to be those of the library. */
  readonly sureGroups: boolean;
  /** The whole match and its groups, null for no match, undefined where that cannot be told. */
  readonly match: (text: string) => readonly (string | undefined)[] | null | undefined;
}

const LONGEST_PATTERN = 4096;
const DEEPEST_GROUP = 100;
const LONGEST_PROGRAM = 20_000;
const MOST_STATES = 4_000_000;

/** Compiles a pattern; null where its meaning is not sure. */
export function compilePattern(pattern: string, options: PatternOptions): Pattern | null {
  if (pattern.length > LONGEST_PATTERN) return null;
  try {
    const parser = new Parser(pattern, options);
    const tree = parser.parse();
    const program: Instruction[] = [];
    emit({ kind: 'group', index: 0, node: tree }, program);
    program.push({ op: 'match' });
    return {
      groups: parser.groups,
      sureGroups: options.dialect === 'pcre' || parser.plainGroups,
      match: (text) => run(program, parser.groups, text, options.anchored === true),
    };
  } catch (error) {
    if (error instanceof Unsure) return null;
    throw error;
  }
}

/** Thrown inside this module where a pattern goes beyond what is understood here. */
class Unsure extends Error {}

type Assertion = 'start' | 'end' | 'word' | 'no-word';

type Node =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'group'; readonly index: number | null; readonly node: Node }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'choice'; readonly nodes: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly node: Node;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    };

type Instruction =
  | { readonly op: 'set'; readonly set: CharacterSet }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'match' };

/** Which of the 128 characters of ASCII belong. */
type CharacterSet = readonly boolean[];

function setOf(belongs: (code: number) => boolean): CharacterSet {
  return Array.from({ length: 128 }, (_, code) => belongs(code));
}

function range(from: number, to: number): CharacterSet {
  return setOf((code) => code >= from && code <= to);
}

function union(...sets: readonly CharacterSet[]): CharacterSet {
  return setOf((code) => sets.some((set) => set[code] === true));
}

function complement(set: CharacterSet): CharacterSet {
  return setOf((code) => set[code] !== true);
}

interface CharacterSets {
  readonly any: CharacterSet;
  readonly digit: CharacterSet;
  readonly letter: CharacterSet;
  readonly word: CharacterSet;
  /** By the name between `[:` and `:]`. */
  readonly classes: ReadonlyMap<string, CharacterSet>;
  /** By the letter after a backslash, in both dialects. */
  readonly escapes: ReadonlyMap<string, CharacterSet>;
}

/** Made for the first pattern: most hosts have none. */
let made: CharacterSets | null = null;

function knownSets(): CharacterSets {
  made ??= makeSets();
  return made;
}

function makeSets(): CharacterSets {
  const digit = range(0x30, 0x39);
  const upper = range(0x41, 0x5a);
  const lower = range(0x61, 0x7a);
  const letter = union(upper, lower);
  const alnum = union(letter, digit);
  const word = union(alnum, range(0x5f, 0x5f));
  const space = union(range(0x09, 0x0d), range(0x20, 0x20));
  return {
    any: setOf(() => true),
    digit,
    letter,
    word,
    classes: new Map([
      ['alpha', letter],
      ['digit', digit],
      ['alnum', alnum],
      ['upper', upper],
      ['lower', lower],
      ['space', space],
      ['blank', union(range(0x09, 0x09), range(0x20, 0x20))],
      ['punct', setOf((code) => code > 0x20 && code < 0x7f && alnum[code] !== true)],
      ['print', range(0x20, 0x7e)],
      ['graph', range(0x21, 0x7e)],
      ['cntrl', setOf((code) => code < 0x20 || code === 0x7f)],
      ['xdigit', union(digit, range(0x41, 0x46), range(0x61, 0x66))],
    ]),
    escapes: new Map([
      ['w', word],
      ['W', complement(word)],
      ['s', space],
      ['S', complement(space)],
    ]),
  };
}

const CONTROL_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['t', 0x09],
  ['n', 0x0a],
  ['r', 0x0d],
  ['f', 0x0c],
]);

class Parser {
  groups = 0;
  readonly #pattern: string;
  readonly #perl: boolean;
  readonly #options: PatternOptions;
  #at = 0;
  #depth = 0;
  #choices = false;
  #groupRepeated = false;

  constructor(pattern: string, options: PatternOptions) {
    this.#pattern = pattern;
    this.#options = options;
    this.#perl = options.dialect === 'pcre';
  }

  /**
   * POSIX wants the longest match, Perl the first. The groups are the same where there is no choice,
   * no repeated group, and the end is fixed.
   */
  get plainGroups(): boolean {
    return !this.#choices && !this.#groupRepeated && this.#pattern.endsWith('$');
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#pattern.length) throw new Unsure();
    return node;
  }

  #choice(): Node {
    const nodes = [this.#sequence()];
    while (this.#pattern[this.#at] === '|') {
      this.#at++;
      this.#choices = true;
      nodes.push(this.#sequence());
    }
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'choice', nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#at < this.#pattern.length) {
      const character = this.#pattern[this.#at];
      if (character === '|' || character === ')') break;
      nodes.push(this.#repetition(this.#atom()));
    }
    return { kind: 'sequence', nodes };
  }

  #repetition(node: Node): Node {
    const counts = this.#counts();
    if (counts === null) return node;
    if (node.kind === 'assert') throw new Unsure();
    if (node.kind === 'group' && node.index !== null) this.#groupRepeated = true;
    let greedy = this.#options.ungreedy !== true;
    if (this.#perl && this.#pattern[this.#at] === '?') {
      greedy = !greedy;
      this.#at++;
    }
    // `a**` is one thing to POSIX, `a*+` another to Perl.
    if (this.#counts() !== null) throw new Unsure();
    return { kind: 'repeat', node, ...counts, greedy };
  }

  #counts(): { min: number; max: number } | null {
    const character = this.#pattern[this.#at];
    if (character === '*' || character === '+' || character === '?') {
      this.#at++;
      return { min: character === '+' ? 1 : 0, max: character === '?' ? 1 : Number.POSITIVE_INFINITY };
    }
    if (character !== '{') return null;
    const [text, from, comma, to] =
      /^\{([0-9]{1,3})(,)?([0-9]{0,3})\}/.exec(this.#pattern.slice(this.#at, this.#at + 9)) ?? [];
    if (text === undefined || (comma === undefined && to !== '')) {
      if (this.#perl && !/^\{[0-9,]/.test(this.#pattern.slice(this.#at, this.#at + 2))) return null;
      throw new Unsure();
    }
    this.#at += text.length;
    const min = Number(from);
    const max = comma === undefined ? min : to === '' ? Number.POSITIVE_INFINITY : Number(to);
    if (max < min) throw new Unsure();
    return { min, max };
  }

  #atom(): Node {
    const character = this.#pattern.charAt(this.#at++);
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'set', set: this.#fold(this.#bracket()) };
      case '.':
        return { kind: 'set', set: knownSets().any };
      case '^':
        return { kind: 'assert', what: 'start' };
      case '$':
        return { kind: 'assert', what: 'end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new Unsure();
      case '{':
        if (!this.#perl) throw new Unsure();
        return this.#literal(character);
      default:
        return this.#literal(character);
    }
  }

  #group(): Node {
    if (++this.#depth > DEEPEST_GROUP) throw new Unsure();
    let index: number | null = null;
    if (this.#pattern[this.#at] === '?') {
      if (!this.#perl || this.#pattern[this.#at + 1] !== ':') throw new Unsure();
      this.#at += 2;
    } else if (this.#pattern[this.#at] === '*') throw new Unsure();
    else index = ++this.groups;
    const node = this.#choice();
    if (this.#pattern[this.#at] !== ')') throw new Unsure();
    this.#at++;
    this.#depth--;
    return { kind: 'group', index, node };
  }

  #escape(): Node {
    const character = this.#pattern.charAt(this.#at++);
    const set = this.#setEscape(character);
    if (set !== undefined) return { kind: 'set', set };
    if (character === 'b') return { kind: 'assert', what: 'word' };
    if (character === 'B') return { kind: 'assert', what: 'no-word' };
    if (this.#perl) {
      const control = CONTROL_ESCAPES.get(character);
      if (control !== undefined) return { kind: 'set', set: range(control, control) };
      if (character === 'A') return { kind: 'assert', what: 'start' };
      if (character === 'z' || character === 'Z') return { kind: 'assert', what: 'end' };
    } else if ("<>'`".includes(character)) throw new Unsure();
    if (/^[A-Za-z0-9]?$/.test(character)) throw new Unsure();
    return this.#literal(character);
  }

  #setEscape(character: string): CharacterSet | undefined {
    if (this.#perl && character === 'd') return knownSets().digit;
    if (this.#perl && character === 'D') return complement(knownSets().digit);
    return knownSets().escapes.get(character);
  }

  #literal(character: string): Node {
    const code = character.charCodeAt(0);
    if (!(code < 128)) throw new Unsure();
    return { kind: 'set', set: this.#fold(range(code, code)) };
  }

  /** `[…]`, its opening bracket read. */
  #bracket(): CharacterSet {
    const negated = this.#pattern[this.#at] === '^';
    if (negated) this.#at++;
    let set = setOf(() => false);
    for (let first = true; ; first = false) {
      const character = this.#pattern.charAt(this.#at);
      if (character === '') throw new Unsure();
      if (character === ']' && !first) break;
      const item = this.#bracketItem();
      if (typeof item !== 'number') {
        set = union(set, item);
        continue;
      }
      let to = item;
      if (this.#pattern[this.#at] === '-' && this.#pattern[this.#at + 1] !== ']') {
        this.#at++;
        const end = this.#bracketItem();
        if (typeof end !== 'number' || end < item) throw new Unsure();
        to = end;
      }
      set = union(set, range(item, to));
    }
    this.#at++;
    return negated ? complement(this.#fold(set)) : set;
  }

  /** One character or class of `[…]`. */
  #bracketItem(): number | CharacterSet {
    const character = this.#pattern.charAt(this.#at++);
    const code = character.charCodeAt(0);
    if (!(code < 128)) throw new Unsure();
    if (character === '[') {
      const [text, name] = /^:([a-z]+):\]/.exec(this.#pattern.slice(this.#at, this.#at + 12)) ?? [];
      if (text !== undefined && name !== undefined) {
        const known = knownSets().classes.get(name);
        if (known === undefined) throw new Unsure();
        this.#at += text.length;
        return known;
      }
      if (/^[:.=]/.test(this.#pattern.charAt(this.#at))) throw new Unsure();
    }
    if (character !== '\\' || !this.#perl) return code;
    const escaped = this.#pattern.charAt(this.#at++);
    const known = this.#setEscape(escaped) ?? CONTROL_ESCAPES.get(escaped);
    if (known !== undefined) return known;
    if (/^[A-Za-z0-9]?$/.test(escaped) || escaped.charCodeAt(0) > 127) throw new Unsure();
    return escaped.charCodeAt(0);
  }

  #fold(set: CharacterSet): CharacterSet {
    if (!this.#options.ignoreCase) return set;
    const { letter } = knownSets();
    return setOf((code) => set[code] === true || (letter[code] === true && set[code ^ 0x20] === true));
  }
}

function emit(node: Node, program: Instruction[]): void {
  if (program.length > LONGEST_PROGRAM) throw new Unsure();
  switch (node.kind) {
    case 'set':
      program.push({ op: 'set', set: node.set });
      return;
    case 'assert':
      program.push({ op: 'assert', what: node.what });
      return;
    case 'group':
      if (node.index !== null) program.push({ op: 'save', slot: 2 * node.index });
      emit(node.node, program);
      if (node.index !== null) program.push({ op: 'save', slot: 2 * node.index + 1 });
      return;
    case 'sequence':
      for (const part of node.nodes) emit(part, program);
      return;
    case 'choice': {
      const jumps: { to: number }[] = [];
      node.nodes.forEach((part, index) => {
        const split = { op: 'split' as const, first: program.length + 1, second: 0 };
        const last = index === node.nodes.length - 1;
        if (!last) program.push(split);
        emit(part, program);
        if (!last) {
          const jump = { op: 'jump' as const, to: 0 };
          program.push(jump);
          jumps.push(jump);
          split.second = program.length;
        }
      });
      for (const jump of jumps) jump.to = program.length;
      return;
    }
    case 'repeat': {
      for (let count = 0; count < node.min; count++) emit(node.node, program);
      if (node.max === Number.POSITIVE_INFINITY) {
        const loop = program.length;
        emitOptional(node, program, 1);
        program.push({ op: 'jump', to: loop });
      } else for (let count = node.min; count < node.max; count++) emitOptional(node, program, 0);
    }
  }
}

/** The body of a repetition or what follows it, the preferred one first; `after`: instructions that end the body. */
function emitOptional(node: Node & { kind: 'repeat' }, program: Instruction[], after: number): void {
  const split = { op: 'split' as const, first: 0, second: 0 };
  const body = program.push(split);
  emit(node.node, program);
  const rest = program.length + after;
  split.first = node.greedy ? body : rest;
  split.second = node.greedy ? rest : body;
}

/**
 * Backtracking that never tries an instruction twice at one place of the text: without back references a
 * second try ends as the first did.
 */
function run(
  program: readonly Instruction[],
  groups: number,
  text: string,
  anchored: boolean,
): readonly (string | undefined)[] | null | undefined {
  if (/[\n\0\u0080-\uffff]/.test(text) || program.length * (text.length + 1) > MOST_STATES) return undefined;
  const width = text.length + 1;
  const visited = new Uint8Array(program.length * width);
  for (let start = 0; start <= (anchored ? 0 : text.length); start++) {
    const slots = Array.from({ length: 2 * groups + 2 }, () => -1);
    /** What is left to try: an instruction at a place, or a slot that gets its former value back. */
    const stack: { pc: number; at: number; restore: boolean }[] = [{ pc: 0, at: start, restore: false }];
    for (let job = stack.pop(); job !== undefined; job = stack.pop()) {
      if (job.restore) {
        slots[job.pc] = job.at;
        continue;
      }
      let { pc, at } = job;
      for (;;) {
        if (visited[pc * width + at] === 1) break;
        visited[pc * width + at] = 1;
        const instruction = program[pc];
        if (instruction === undefined) break;
        if (instruction.op === 'match') {
          return Array.from({ length: groups + 1 }, (_, group) => {
            const [from = -1, to = -1] = [slots[2 * group], slots[2 * group + 1]];
            return from < 0 || to < 0 ? undefined : text.slice(from, to);
          });
        }
        if (instruction.op === 'set') {
          if (at >= text.length || instruction.set[text.charCodeAt(at)] !== true) break;
          at++;
          pc++;
        } else if (instruction.op === 'assert') {
          if (!asserts(instruction.what, text, at)) break;
          pc++;
        } else if (instruction.op === 'save') {
          stack.push({ pc: instruction.slot, at: slots[instruction.slot] ?? -1, restore: true });
          slots[instruction.slot] = at;
          pc++;
        } else if (instruction.op === 'jump') {
          pc = instruction.to;
        } else {
          stack.push({ pc: instruction.second, at, restore: false });
          pc = instruction.first;
        }
      }
    }
  }
  return null;
}

function asserts(what: Assertion, text: string, at: number): boolean {
  if (what === 'start') return at === 0;
  if (what === 'end') return at === text.length;
  const { word } = knownSets();
  const before = at > 0 && word[text.charCodeAt(at - 1)] === true;
  const after = at < text.length && word[text.charCodeAt(at)] === true;
  return (before !== after) === (what === 'word');
}
