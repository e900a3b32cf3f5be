import type { Span } from './source.ts';
import { type Condition, holds, parseCondition, readsOf, type Subject } from './template-conditions.ts';
import { type Statement, statementOf } from './template-statements.ts';
import { type Tag, type TemplateToken, templateTokens, type WordUse } from './template-tokens.ts';

/**
 * Files that a template engine makes the real ones of: Jinja and its kin, ERB, EPP, Go, Handlebars, and words
 * that a script replaces. What the engine prints is not known; what it chooses and repeats is played through.
 */

/** Text that the engine fills in. */
export interface Hole {
  readonly span: Span;
  /** As the template writes it: equal holes are filled alike. */
  readonly text: string;
}

type Node =
  | { readonly kind: 'text'; readonly span: Span }
  | { readonly kind: 'constant'; readonly span: Span; readonly value: string }
  | { readonly kind: 'hole'; readonly hole: Hole }
  | { readonly kind: 'choice'; readonly arms: Arm[] }
  | { readonly kind: 'loop'; readonly subject: string; readonly body: Node[]; readonly otherwise: Node[] };

interface Arm {
  /** Null for the arm that is taken when no other is. */
  readonly condition: Condition | null;
  readonly body: Node[];
}

/** A template, read. */
export interface Template {
  readonly text: string;
  /** In the order of the text. */
  readonly holes: readonly Hole[];
  /** Where the engine's own text stands, holes and statements, in the order of the text. */
  readonly marks: readonly Span[];
  /** What the engine decides on: conditions on one subject go together, wherever they stand. */
  readonly subjects: ReadonlyMap<string, Subject>;
  /** False where statements do not close each other: which lines the engine leaves out is not known, and nothing is rendered. */
  readonly isSound: boolean;
  /** @param decide the value of a subject; @param fill what is printed for a hole */
  render(decide: (subject: string) => string, fill: (hole: Hole) => string): Rendered;
}

/** Words that tell how often the body of a loop is printed. */
export const LOOP_VALUES: readonly string[] = ['1', '0', '2'];

/**
 * Reads a template.
 *
 * @param isNative tells what looks like a word to be replaced and is the server's own
 * @returns null for a text with nothing in it that an engine would fill, choose or repeat. Linear in the text.
 */
export function parseTemplate(text: string, isNative: (use: WordUse) => boolean): Template | null {
  const tokens = templateTokens(text, isNative);
  if (tokens === null) return null;
  const builder = new TreeBuilder(text);
  for (const token of tokens) builder.add(token);
  const { nodes, holes, subjects, isSound } = builder.end();
  if (holes.length === 0 && subjects.size === 0 && isSound && !builder.hasTags) return null;
  return {
    text,
    holes,
    marks: tokens.flatMap(({ kind, span }) => (kind === 'text' ? [] : [span])),
    subjects,
    isSound,
    render(decide, fill) {
      const rendered = new Renderer(text, decide, fill);
      rendered.add(nodes);
      return rendered.end();
    },
  };
}

/** Any value that nothing is compared with; it counts as true. */
const OTHER = 'anything else';

/** A subject that is also compared with a value: the first value and any other come first. */
function withValue(subject: Subject | undefined, value: string): Subject {
  const [first = value, , ...more] = subject?.values ?? [];
  return { values: [...new Set([first, OTHER, ...more, value])] };
}

/** Blocks within blocks; more are not understood. */
const DEEPEST = 64;

/** A block that is still open. */
interface Frame {
  readonly syntax: Tag['syntax'];
  readonly node: Extract<Node, { kind: 'choice' | 'loop' }> | null;
  /** What `case` asks about. */
  readonly asked: string | null;
  /** Where the nodes go. */
  body: Node[];
}

class TreeBuilder {
  readonly #text: string;
  readonly #nodes: Node[] = [];
  readonly #stack: Frame[] = [];
  readonly #holes: Hole[] = [];
  readonly #subjects = new Map<string, Subject>();
  #isSound = true;
  /** A statement or a comment of an engine was met. */
  hasTags = false;

  constructor(text: string) {
    this.#text = text;
  }

  add(token: TemplateToken): void {
    if (token.kind === 'text') this.#push({ kind: 'text', span: token.span });
    else if (token.kind === 'word') this.#hole(token.span);
    else this.#tag(token);
  }

  end() {
    if (this.#stack.length > 0) this.#isSound = false;
    return {
      nodes: this.#isSound ? this.#nodes : [],
      holes: this.#holes,
      subjects: this.#subjects,
      isSound: this.#isSound,
    };
  }

  #tag(tag: Tag): void {
    const top = this.#stack.at(-1);
    const statement = statementOf(tag, top?.syntax === tag.syntax);
    if (statement.kind !== 'print') this.hasTags = true;
    if (statement.kind === 'print') this.#hole(tag.span);
    else if (statement.kind === 'constant')
      this.#push({ kind: 'constant', span: tag.span, value: statement.value });
    else if (statement.kind !== 'nothing') this.#statement(tag, statement, top);
  }

  #statement(
    { syntax }: Tag,
    statement: Exclude<Statement, { kind: 'print' | 'constant' | 'nothing' }>,
    top: Frame | undefined,
  ): void {
    if (this.#stack.length > DEEPEST) this.#isSound = false;
    if (!this.#isSound) return;
    if (statement.kind === 'if') {
      const node: Node = { kind: 'choice', arms: [] };
      this.#push(node);
      this.#stack.push({ syntax, node, asked: null, body: this.#arm(node.arms, statement.condition) });
    } else if (statement.kind === 'case') {
      const node: Node = { kind: 'choice', arms: [] };
      this.#push(node);
      this.#stack.push({ syntax, node, asked: statement.subject, body: [] });
    } else if (statement.kind === 'loop') {
      const subject = `for ${statement.over}`;
      this.#subjects.set(subject, { values: LOOP_VALUES });
      const node: Node = { kind: 'loop', subject, body: [], otherwise: [] };
      this.#push(node);
      this.#stack.push({ syntax, node, asked: null, body: node.body });
    } else if (statement.kind === 'body') {
      this.#stack.push({
        syntax,
        node: null,
        asked: null,
        body: statement.printed ? (top?.body ?? this.#nodes) : [],
      });
    } else if (top === undefined || top.syntax !== syntax) this.#isSound = false;
    else if (statement.kind === 'end') this.#stack.pop();
    else this.#next(top, statement);
  }

  #next(top: Frame, statement: Extract<Statement, { kind: 'else' | 'when' }>): void {
    const { node, asked } = top;
    if (node?.kind === 'choice') {
      const words =
        statement.kind === 'else'
          ? statement.condition
          : statement.values.map((value) => `${asked ?? ''} == ${value}`).join(' or ');
      top.body = this.#arm(node.arms, words);
    } else if (node?.kind === 'loop' && statement.kind === 'else') top.body = node.otherwise;
    else this.#isSound = false;
  }

  #arm(arms: Arm[], words: string | null): Node[] {
    const condition = words === null ? null : parseCondition(words);
    if (condition !== null) {
      for (const { subject, value } of readsOf(condition)) {
        this.#subjects.set(subject, withValue(this.#subjects.get(subject), value ?? ''));
      }
    }
    const body: Node[] = [];
    arms.push({ condition, body });
    return body;
  }

  #hole(span: Span): void {
    const hole = { span, text: this.#text.slice(span.start, span.end) };
    this.#holes.push(hole);
    this.#push({ kind: 'hole', hole });
  }

  #push(node: Node): void {
    (this.#stack.at(-1)?.body ?? this.#nodes).push(node);
  }
}

/** A stretch of a rendered text and the one of the template that it is from. */
interface Piece {
  readonly at: number;
  readonly length: number;
  readonly from: Span;
  /** The same text, character by character; else what an engine printed. */
  readonly isLiteral: boolean;
}

/** What a template may come to, and where each part of it stands in the template. */
export class Rendered {
  readonly text: string;
  readonly #pieces: readonly Piece[];
  #covered: readonly Span[] | null = null;

  constructor(text: string, pieces: readonly Piece[]) {
    this.text = text;
    this.#pieces = pieces;
  }

  /** Where the parts of the template begin that are there in this text; what a loop repeats comes more than once. */
  get starts(): readonly number[] {
    return this.#pieces.map(({ from }) => from.start);
  }

  /** The part of the template that a part of the rendered text is from. */
  back({ start, end }: Span): Span {
    if (end <= start) {
      const at = this.#place(start);
      return { start: at, end: at };
    }
    const first = this.#pieceAt(start);
    const last = this.#pieceAt(end - 1);
    if (first === null || last === null) return { start: 0, end: 0 };
    const from = first.isLiteral ? first.from.start + start - first.at : first.from.start;
    const to = last.isLiteral ? last.from.start + end - last.at : last.from.end;
    return { start: from, end: Math.max(from, to) };
  }

  /**
   * The same for text that is to be changed: null where something that an engine fills, chooses or repeats
   * stands within it. An empty span stays with the text before it.
   */
  backUnfilled(span: Span): Span | null {
    const { start, end } = this.back(span);
    if (end - start !== Math.max(0, span.end - span.start)) return null;
    if (start === end) {
      const before = span.start === 0 ? this.#pieceAt(0) : this.#pieceAt(span.start - 1);
      return before === null || before.isLiteral ? { start, end } : null;
    }
    for (let index = this.#indexAt(span.start); ; index++) {
      const piece = this.#pieces[index];
      if (piece === undefined || piece.at >= span.end) return { start, end };
      if (!piece.isLiteral) return null;
    }
  }

  /** Whether the character of the template at an offset is there in this text. */
  has(offset: number): boolean {
    if (offset === 0) return true;
    this.#covered ??= [...this.#pieces].map(({ from }) => from).sort((a, b) => a.start - b.start);
    let low = 0;
    let high = this.#covered.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#covered[middle]?.start ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const span = this.#covered[low];
    return span !== undefined && span.start <= offset && offset < span.end;
  }

  /** An insertion belongs to what stands before it: it stays in the branch of that line. */
  #place(at: number): number {
    if (at === 0) {
      const first = this.#pieces[0];
      return first === undefined || first.isLiteral ? (first?.from.start ?? 0) : first.from.start;
    }
    const before = this.#pieceAt(at - 1);
    if (before === null) return 0;
    return before.isLiteral ? before.from.start + at - before.at : before.from.end;
  }

  #pieceAt(at: number): Piece | null {
    return this.#pieces[this.#indexAt(at)] ?? null;
  }

  #indexAt(at: number): number {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#pieces[middle]?.at ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

class Renderer {
  readonly #text: string;
  readonly #decide: (subject: string) => string;
  readonly #fill: (hole: Hole) => string;
  readonly #parts: string[] = [];
  readonly #pieces: Piece[] = [];
  #length = 0;

  constructor(text: string, decide: (subject: string) => string, fill: (hole: Hole) => string) {
    this.#text = text;
    this.#decide = decide;
    this.#fill = fill;
  }

  add(nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (node.kind === 'text') this.#push(this.#text.slice(node.span.start, node.span.end), node.span, true);
      else if (node.kind === 'constant') this.#push(node.value, node.span, false);
      else if (node.kind === 'hole') this.#push(this.#fill(node.hole), node.hole.span, false);
      else if (node.kind === 'choice') {
        const taken = node.arms.findIndex(
          ({ condition }) => condition === null || holds(condition, this.#decide),
        );
        this.add(node.arms[taken]?.body ?? []);
      } else {
        const times = Number(this.#decide(node.subject));
        for (let count = 0; count < times; count++) this.add(node.body);
        if (times === 0) this.add(node.otherwise);
      }
    }
  }

  end(): Rendered {
    return new Rendered(this.#parts.join(''), this.#pieces);
  }

  #push(text: string, from: Span, isLiteral: boolean): void {
    if (text === '') return;
    this.#parts.push(text);
    this.#pieces.push({ at: this.#length, length: text.length, from, isLiteral });
    this.#length += text.length;
  }
}
