import { oncePerSource, type Span } from '../../text/source.ts';
import {
  inOrder,
  logicalLines,
  skipSpace,
  sourceSpan,
  startsWithSpace,
  trimmedSpan,
  trimSpace,
} from './logical-lines.ts';
import { assignment, type NameValue, nameEnd, splitNameValue } from './name-value.ts';
import type {
  Argument,
  Assignment,
  InvalidLine,
  LogicalLine,
  MasterCf,
  OverrideForm,
  ServiceArgument,
  ServiceEntry,
  ServiceField,
  SyntaxCode,
  SyntaxProblem,
  Token,
} from './tree.ts';
import { SERVICE_FIELDS } from './tree.ts';

/** What the second field of master.cf may say (master_ent.c). */
export const SERVICE_TYPES: ReadonlySet<string> = new Set(['inet', 'unix', 'fifo', 'pass', 'unix-dgram']);
const FLAGS: ReadonlySet<string> = new Set(['y', 'n', '-']);
const FLAG_FIELDS = ['private', 'unpriv', 'chroot'] as const;

/** Options of the daemons that take an argument, and those that take none: {single,multi,event,trigger,dgram}_server.c. */
const OPTIONS_WITH_ARGUMENT = 'imnrst';
const OPTIONS_ALONE = 'cdDlSuvVz';

/**
 * What programs take after their options: pipe(8) and spawn(8) attributes and a command to run, smtp(8)
 * and lmtp(8) `flags=` from 3.5 on (smtp.c, get_cli_attr), all others nothing.
 */
type Operands = 'command' | 'flags' | 'none';
const OPERANDS: ReadonlyMap<string, Operands> = new Map([
  ['pipe', 'command'],
  ['spawn', 'command'],
  ['smtp', 'flags'],
  ['lmtp', 'flags'],
]);

/** CHARS_SPACE of sys_defs.h: what separates the fields of master.cf. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

const OPEN = 0x7b;
const CLOSE = 0x7d;
const DASH = 0x2d;
const EQUALS = 0x3d;
const HASH = 0x23;

/**
 * Reads master.cf as master(8) does from 3.0 on. Never throws: a line that is no service becomes an
 * item of kind `invalid`; everything that master or the daemon dies of becomes a problem or an
 * argument of its own kind. Duplicates and disabled services all stay.
 *
 * Source: master_ent.c, mystrtok.c (mystrtokq), extpar.c, the getopt loops of *_server.c.
 */
export const parseMasterCf = oncePerSource((source): MasterCf => {
  const { lines, logical, problems: found } = logicalLines(source);
  const problems: SyntaxProblem[] = [...found];
  const items = logical.map((line) => parseService(line, problems));
  return { kind: 'master.cf', source, lines, items, problems: inOrder(problems) };
});

function parseService(line: LogicalLine, problems: SyntaxProblem[]): ServiceEntry | InvalidLine {
  if (startsWithSpace(line)) return { kind: 'invalid', line, code: 'indented-first' };
  const { text } = line;
  const tokens: Token[] = [];
  let at = 0;
  while (tokens.length < SERVICE_FIELDS.length) {
    at = skipBlanks(text, at);
    if (at === text.length) break;
    const start = at;
    while (at < text.length && !isBlank(text.charCodeAt(at))) at++;
    tokens.push({ text: text.slice(start, at), span: sourceSpan(line, start, at) });
  }
  const [service, type, priv, unpriv, chroot, wakeup, maxproc, command] = tokens;
  if (service === undefined) return { kind: 'invalid', line, code: 'null-byte' };
  if (!type || !priv || !unpriv || !chroot || !wakeup || !maxproc || !command) {
    problems.push({ code: 'bad-field-count', span: trimmedSpan(line), detail: String(tokens.length) });
    return { kind: 'invalid', line, code: 'bad-field-count' };
  }
  const fields = { service, type, private: priv, unpriv, chroot, wakeup, maxproc, command };
  checkFields(fields, problems);
  const words = splitWords(line, at, problems);
  const operands = OPERANDS.get(command.text.slice(command.text.lastIndexOf('/') + 1)) ?? 'none';
  return {
    kind: 'service',
    line,
    fields,
    arguments: new ArgumentReader(line, words, operands, problems).read(),
  };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

function checkFields(fields: Readonly<Record<ServiceField, Token>>, problems: SyntaxProblem[]): void {
  const complain = (code: SyntaxCode, token: Token): void => {
    problems.push({ code, span: token.span, detail: token.text });
  };
  if (!SERVICE_TYPES.has(fields.type.text)) complain('bad-service-type', fields.type);
  for (const field of FLAG_FIELDS) {
    if (!FLAGS.has(fields[field].text)) complain('bad-flag-field', fields[field]);
    else if (field === 'private' && fields.type.text === 'inet' && fields.private.text !== 'n') {
      complain('inet-private', fields.private);
    }
  }
  if (!/^(?:-|[0-9]+\??)$/.test(fields.wakeup.text)) complain('bad-number-field', fields.wakeup);
  if (!/^(?:-|[0-9]+)$/.test(fields.maxproc.text)) complain('bad-number-field', fields.maxproc);
  if (fields.command.text === '-') complain('bad-command', fields.command);
}

/** One argument as master hands it to the daemon; all offsets are in the logical text. */
interface Word {
  /** The word as written. */
  readonly start: number;
  readonly end: number;
  /** What the daemon gets: inside the braces of a word that starts with one, without the white space around. */
  readonly from: number;
  readonly to: number;
  readonly unwrapped: boolean;
}

/** The arguments from `from` on: split at blanks outside braces; a word that starts with `{` is unwrapped. */
function splitWords(line: LogicalLine, from: number, problems: SyntaxProblem[]): Word[] {
  const { text } = line;
  const words: Word[] = [];
  for (let start = skipBlanks(text, from); start < text.length; ) {
    let level = 0;
    let end = start;
    /** Where the brace that the word starts with is closed. */
    let closed = -1;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === OPEN) level++;
      else if (code === CLOSE && level > 0) {
        level--;
        if (level === 0 && closed < 0) closed = end;
      } else if (level === 0 && isBlank(code)) break;
    }
    const unwrapped = text.charCodeAt(start) === OPEN;
    const span = (): Span => sourceSpan(line, start, end);
    if (level > 0) problems.push({ code: 'unclosed-brace', span: span(), detail: text.slice(start, end) });
    else if (unwrapped && closed + 1 < end)
      problems.push({ code: 'text-after-brace', span: span(), detail: text.slice(start, end) });
    if (unwrapped) {
      const inner = closed < 0 ? end : closed;
      const first = skipSpace(text, start + 1, inner);
      words.push({ start, end, from: first, to: trimSpace(text, first, inner), unwrapped });
    } else {
      words.push({ start, end, from: start, to: end, unwrapped });
    }
    start = skipBlanks(text, end);
  }
  return words;
}

/** Where the brace that stands at `from` is closed, or -1. */
function closingBrace(text: string, from: number, to: number): number {
  let level = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN) level++;
    else if (code === CLOSE && --level === 0) return at;
  }
  return -1;
}

/** Reads arguments as getopt does with "+": options up to the first word that is none. */
class ArgumentReader {
  readonly #line: LogicalLine;
  readonly #words: readonly Word[];
  readonly #operands: Operands;
  readonly #problems: SyntaxProblem[];
  readonly #result: ServiceArgument[] = [];
  /** Index of the next word. */
  #next = 0;
  /** False once the daemon has died. */
  #alive = true;
  /** False after `--`, and after the first word that the program takes. */
  #options = true;

  constructor(line: LogicalLine, words: readonly Word[], operands: Operands, problems: SyntaxProblem[]) {
    this.#line = line;
    this.#words = words;
    this.#operands = operands;
    this.#problems = problems;
  }

  read(): ServiceArgument[] {
    for (let word = this.#take(); word !== undefined; word = this.#take()) {
      const isOption = word.to - word.from >= 2 && this.#code(word.from) === DASH;
      if (!this.#options || !isOption) this.#readPlain(word);
      else if (word.to - word.from === 2 && this.#code(word.from + 1) === DASH) {
        this.#push('option', word.start, word.end);
        this.#options = false;
      } else this.#readOptions(word);
    }
    return this.#result;
  }

  #take(): Word | undefined {
    const word = this.#words[this.#next];
    if (word !== undefined) this.#next++;
    return word;
  }

  #code(at: number): number {
    return this.#line.text.charCodeAt(at);
  }

  #readPlain(word: Word): void {
    if (this.#isOperand(word)) {
      this.#options = false;
      this.#push('command', word.start, word.end);
    } else this.#die('stray', word.start, word.end);
  }

  /** True for a word that the program takes. */
  #isOperand(word: Word): boolean {
    if (this.#operands !== 'flags') return this.#operands === 'command';
    return this.#line.text.slice(word.from, Math.min(word.to, word.from + 6)).toLowerCase() === 'flags=';
  }

  /** One word of option letters, `-v`, `-vo`, `-oname=value`, with the argument that the last one takes. */
  #readOptions(word: Word): void {
    for (let at = word.from + 1; at < word.to; at++) {
      const letter = this.#line.text.charAt(at);
      if (letter === 'o') {
        this.#readOverride(word, at);
        return;
      }
      if (OPTIONS_WITH_ARGUMENT.includes(letter)) {
        const argument = at + 1 < word.to ? word : this.#take();
        if (argument === undefined) this.#die('stray', word.start, word.end);
        else this.#push('option', word.start, argument.end);
        return;
      }
      if (!OPTIONS_ALONE.includes(letter)) {
        this.#die('stray', word.start, word.end);
        return;
      }
    }
    this.#push('option', word.start, word.end);
  }

  /** `o` at offset `at` of the word, and its assignment behind it or in the next word. */
  #readOverride(word: Word, at: number): void {
    let { start } = word;
    if (at > word.from + 1 && !word.unwrapped) {
      this.#push('option', word.start, at);
      start = at;
    }
    const inline = at + 1 < word.to;
    const target = inline ? { ...word, from: at + 1, unwrapped: false } : this.#take();
    if (target === undefined) {
      this.#complain('override-without-equals', start, word.end, '-o');
      this.#die('bad-override', start, word.end);
      return;
    }
    const { text } = this.#line;
    const { from, to, end } = target;
    const parts = splitNameValue(text, from, to);
    const inBraces = inline && this.#code(from) === OPEN;
    if (typeof parts === 'string') {
      this.#complain(
        parts === 'missing-name' ? parts : 'override-without-equals',
        start,
        end,
        text.slice(from, to),
      );
      this.#die(
        'bad-override',
        start,
        end,
        inBraces ? this.#insideBraces(from, to) : this.#spreadOut(from, to),
      );
      return;
    }
    const given = assignment(this.#line, parts);
    let form: OverrideForm = 'plain';
    if (inline) form = inBraces ? 'joined-braced' : 'joined';
    else if (target.unwrapped) form = 'braced';
    let meant: Assignment | null = null;
    if (inBraces) meant = this.#insideBraces(from, to);
    else if (!target.unwrapped && !word.unwrapped) meant = this.#continued(given, parts);
    const span = sourceSpan(this.#line, start, end);
    this.#result.push({ kind: 'override', form, span, ...given, meant, reached: this.#alive });
  }

  /** What `{ name = value }` at `from` to `to` would say if it were unwrapped. */
  #insideBraces(from: number, to: number): Assignment | null {
    if (closingBrace(this.#line.text, from, to) !== to - 1) return null;
    const parts = splitNameValue(this.#line.text, from + 1, to - 1);
    return typeof parts === 'string' ? null : assignment(this.#line, parts);
  }

  /** `-o name = value` or `-o name =value`: the name at `from` to `to`, and the words that follow. */
  #spreadOut(from: number, to: number): Assignment | null {
    const { text } = this.#line;
    const word = this.#words[this.#next];
    if (word === undefined || this.#isOperand(word) || this.#code(word.start) !== EQUALS) return null;
    if (from === to || nameEnd(text, from, to) !== to) return null;
    const name = { name: text.slice(from, to), nameSpan: sourceSpan(this.#line, from, to) };
    const last = this.#lastOfValue(this.#next) ?? word;
    const start = skipSpace(text, word.start + 1, last.end);
    const valueSpan =
      start < last.end ? sourceSpan(this.#line, start, last.end) : sourceSpan(this.#line, last.end, last.end);
    return { ...name, value: text.slice(start, last.end), valueSpan };
  }

  /** `-o name=a, b`: the value together with the words that follow; null where none follows. */
  #continued(given: Assignment, { valueStart, valueEnd }: NameValue): Assignment | null {
    const last = this.#lastOfValue(this.#next);
    if (last === undefined) return null;
    const start = valueEnd > valueStart ? valueStart : skipSpace(this.#line.text, valueStart, last.end);
    return {
      ...given,
      value: this.#line.text.slice(start, last.end),
      valueSpan: sourceSpan(this.#line, start, last.end),
    };
  }

  /** The last of the words from index `index` on that look like the rest of a value; undefined where the first does not. */
  #lastOfValue(index: number): Word | undefined {
    let last: Word | undefined;
    for (let at = index; ; at++) {
      const word = this.#words[at];
      if (word === undefined || this.#isOperand(word)) return last;
      if (this.#code(word.from) === DASH || this.#code(word.start) === HASH) return last;
      last = word;
    }
  }

  #push(kind: Argument['kind'], start: number, end: number, meant: Assignment | null = null): void {
    const text = this.#line.text.slice(start, end);
    this.#result.push({ kind, text, span: sourceSpan(this.#line, start, end), meant, reached: this.#alive });
  }

  /** The daemon gets this argument and stops. */
  #die(kind: 'stray' | 'bad-override', start: number, end: number, meant: Assignment | null = null): void {
    this.#push(kind, start, end, meant);
    this.#alive = false;
  }

  /** Only of what the daemon gets to see: one cause, one problem. */
  #complain(code: SyntaxCode, start: number, end: number, detail: string): void {
    if (this.#alive) this.#problems.push({ code, span: sourceSpan(this.#line, start, end), detail });
  }
}
