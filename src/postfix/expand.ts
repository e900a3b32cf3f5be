import type { Release } from '../model/release.ts';
import { hasFeature } from './parameters.ts';

/**
 * `$name` expansion as Postfix does it: mac_parse.c finds the references, mac_expand.c gives them a
 * value, compat_level.c compares levels, mac_midna.c holds the two functions. Facts: postfix-language
 * §3, read from the sources of 2.6 to 3.12 and compared with `postconf -x` of four releases
 * (test/servers/expansion.test.ts).
 */

/** What can be wrong with a text that holds references. */
export type ExpansionCode =
  /** `$` that nothing follows which could be a name, or `${}`. */
  | 'empty-name'
  /** A bracket that is not closed. */
  | 'unbalanced'
  /** A character inside `${…}` that no name may hold. */
  | 'bad-name'
  /** Values that refer to each other without an end, or more than a hundred levels deep. */
  | 'nesting'
  /** Between `{left}` and `{right}` stands no operator that the release knows. */
  | 'bad-operator'
  /** An operator without `{right}`. */
  | 'missing-operand'
  /** Text after an operand, where only `?`, `:` or the end may follow. */
  | 'trailing-text'
  /** An operand of `<=level` and its kin that is no compatibility level. */
  | 'bad-level'
  /** An operand of digits only that is larger than the server's numbers. */
  | 'bad-number'
  /** `${name{text}}` with a function that does not exist. */
  | 'unknown-function'
  /** A domain that `domain_to_ascii` or `domain_to_utf8` cannot translate. */
  | 'bad-domain'
  /** Values that refer to each other so often that the result exceeds all bounds; it is cut. */
  | 'too-large'
  /** A name that nothing defines: it stands for the empty text. */
  | 'undefined';

/** Something wrong with a text that holds references. */
export interface ExpansionProblem {
  readonly code: ExpansionCode;
  /** Offset in the outermost text, or 0 when it is inside the value of another name. */
  readonly at: number;
  /** The name, operator or text that the problem is about. */
  readonly detail: string;
}

/** The value of a text after expansion. */
export interface Expansion {
  /** What the server uses; of a failed expansion, as far as it came. */
  readonly value: string;
  readonly problems: readonly ExpansionProblem[];
  /** The server dies of it: "macro processing error". */
  readonly failed: boolean;
}

/** How a text is expanded where the answer depends on who asks. */
export interface ExpansionOptions {
  /**
   * Names whose value is taken as it is, its own references unexpanded. A daemon knows none; postconf
   * from 3.11 on treats the parameters that are expanded for each use (`default_rbl_reply`) so.
   */
  readonly raw?: (name: string) => boolean;
}

/** A name that a text refers to. */
export interface Reference {
  readonly name: string;
  /** Offset of the `$`. */
  readonly at: number;
  /** Length of the whole reference, `$` and brackets included. */
  readonly length: number;
}

/**
 * Expands a text.
 *
 * @param text as read from the file
 * @param lookup the unexpanded value of a name; undefined where nothing defines it
 * @param release of Postfix: what can stand inside `${…}` has grown
 */
export function expand(
  text: string,
  lookup: (name: string) => string | undefined,
  release: Release,
  options: ExpansionOptions = {},
): Expansion {
  if (!text.includes('$')) return { value: text, problems: [], failed: false };
  const grammar: Grammar = {
    operands: hasFeature(release, 'ternary'),
    blanks: hasFeature(release, 'referenceBlanks'),
    levels: hasFeature(release, 'levelOperators'),
    functions: hasFeature(release, 'domainToAscii'),
  };
  const expander = new Expander(grammar, text, lookup, options.raw ?? (() => false));
  const failed = expander.run(text);
  return { value: expander.value(), problems: expander.problems, failed };
}

/**
 * Every name that a text refers to, in any branch, whether it would be chosen or not, in the order in
 * which they stand; a name can come more than once. That is what postconf counts as a use of a
 * user-defined name (postconf_user.c, MAC_EXP_FLAG_SCAN): what follows an error is not seen.
 */
export function references(text: string): Reference[] {
  if (!text.includes('$')) return [];
  const expander = new Expander(NEWEST, text, null, () => false);
  expander.run(text);
  return expander.references;
}

/** What can stand inside `${…}`. */
interface Grammar {
  /** `{text}` as an operand: the ternary, and comparisons. */
  readonly operands: boolean;
  /** Blanks around the name. */
  readonly blanks: boolean;
  /** `<=level` and its kin. */
  readonly levels: boolean;
  /** `domain_to_ascii{text}`. */
  readonly functions: boolean;
}

const NEWEST: Grammar = { operands: true, blanks: true, levels: true, functions: true };

/** The state of one mac_expand() call; the operands of a comparison have their own. */
interface Call {
  level: number;
  failed: boolean;
}

/** `{text}`: what stands in the braces, its offset, and where the text goes on. */
interface Operand {
  readonly text: string;
  readonly base: number;
  readonly end: number;
}

/** mac_expand.c: a call-back at a deeper level is an error. */
const DEEPEST_LEVEL = 100;
/** Comparisons begin to count anew: one that needs itself kills the server by its stack. */
const DEEPEST_TEXT = 400;
/** Bounds of what is written and read for one text; its own length counts besides. */
const LONGEST_RESULT = 1 << 20;
const MOST_READ = 1 << 24;
/** What a text costs besides its length. */
const COST_OF_TEXT = 20;

/** Offset that stands for "inside the value of another name". */
const NESTED = -1;

const BLANKS = ' \t\r\n';
const OPERATORS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>=', '>']);
const LARGEST_NUMBER = 2n ** 63n - 1n;

class Expander {
  readonly problems: ExpansionProblem[] = [];
  readonly references: Reference[] = [];
  readonly #grammar: Grammar;
  /** Null: names are collected, nothing is expanded. */
  readonly #lookup: ((name: string) => string | undefined) | null;
  readonly #raw: (name: string) => boolean;
  #result: string[] = [];
  #mayWrite: number;
  #mayRead: number;
  #depth = 0;

  constructor(
    grammar: Grammar,
    text: string,
    lookup: ((name: string) => string | undefined) | null,
    raw: (name: string) => boolean,
  ) {
    this.#grammar = grammar;
    this.#lookup = lookup;
    this.#raw = raw;
    this.#mayWrite = LONGEST_RESULT + text.length;
    this.#mayRead = MOST_READ + 8 * text.length;
  }

  /** Expands the outermost text; true when that failed. */
  run(text: string): boolean {
    return this.#parse(text, 0, { level: 0, failed: false });
  }

  value(): string {
    return this.#result.join('');
  }

  /** mac_parse(), counted: how deep, and how much in all. Gives whether it failed. */
  #parse(text: string, base: number, call: Call): boolean {
    if (this.#depth >= DEEPEST_TEXT) return this.#failure(call, 'nesting', base, 0, text);
    this.#mayRead -= text.length + COST_OF_TEXT;
    if (this.#mayRead < 0) return this.#failure(call, 'too-large', base, 0, '');
    this.#depth++;
    const failed = this.#parts(text, base, call);
    this.#depth--;
    return failed;
  }

  /** Literal text and references, in turn. Gives whether it failed. */
  #parts(text: string, base: number, call: Call): boolean {
    let literal = '';
    let at = 0;
    while (at < text.length) {
      const dollar = text.indexOf('$', at);
      if (dollar < 0) {
        literal += text.slice(at);
        break;
      }
      literal += text.slice(at, dollar);
      if (text[dollar + 1] === '$') {
        literal += '$';
        at = dollar + 2;
        continue;
      }
      if (!this.#literal(literal, base, call)) return true;
      literal = '';
      const open = text[dollar + 1];
      let start = dollar + 1;
      let end: number;
      if (open === '{' || open === '(') {
        start++;
        end = closing(text, start, open, open === '{' ? '}' : ')');
        if (end < 0) return this.#problem('unbalanced', base, dollar, text.slice(dollar));
        at = end + 1;
      } else {
        end = start;
        while (end < text.length && isNameCharacter(text.charCodeAt(end))) end++;
        at = end;
      }
      if (end === start) return this.#problem('empty-name', base, dollar, text.slice(dollar, at));
      if (!this.#reference(text.slice(start, end), base, dollar, start, at - dollar, call)) return true;
    }
    return !this.#literal(literal, base, call);
  }

  /** mac_expand_callback() for literal text. Gives whether the call goes on. */
  #literal(text: string, base: number, call: Call): boolean {
    if (text === '') return true;
    if (call.level > DEEPEST_LEVEL) return !this.#failure(call, 'nesting', base, 0, text);
    if (this.#lookup === null) return true;
    if (text.length > this.#mayWrite) {
      this.#result.push(text.slice(0, this.#mayWrite));
      this.#mayWrite = 0;
      return !this.#failure(call, 'too-large', base, 0, '');
    }
    this.#mayWrite -= text.length;
    this.#result.push(text);
    return true;
  }

  /**
   * mac_expand_callback() for a reference. Gives whether the call goes on.
   *
   * @param inner what stands in the brackets, or the plain name
   * @param dollar where the reference begins, and `start` where `inner` does
   */
  #reference(
    inner: string,
    base: number,
    dollar: number,
    start: number,
    length: number,
    call: Call,
  ): boolean {
    if (call.level++ > DEEPEST_LEVEL) return !this.#failure(call, 'nesting', base, dollar, inner);
    const innerBase = base === NESTED ? NESTED : base + start;
    const fail = (code: ExpansionCode, at: number, detail: string): boolean =>
      !this.#failure(call, code, innerBase, at, detail);

    let name = '';
    let value: string | undefined;
    let at = 0;
    let operator: string | undefined;
    const brace = this.#grammar.operands ? skipBlanks(inner, 0) : 0;
    const compares = this.#grammar.operands && inner[brace] === '{';
    if (compares) {
      const comparison = this.#comparison(inner, brace, innerBase, call);
      if (comparison === null) return false;
      value = comparison.holds ? 'true' : '';
      at = comparison.end;
      operator = inner[at];
      if (operator !== undefined && operator !== '?' && operator !== ':')
        return fail('trailing-text', at, inner.slice(at));
      at++;
    } else {
      const first = this.#grammar.blanks ? skipBlanks(inner, 0) : 0;
      for (at = first; ; at++) {
        const next = this.#grammar.blanks ? skipBlanks(inner, at) : at;
        operator = inner[next];
        if (operator === undefined || operator === '?' || operator === ':') {
          name = inner.slice(first, at);
          at = next + 1;
          break;
        }
        if (operator === '{' && this.#grammar.functions)
          return this.#function(inner.slice(first, at), inner, first, next, innerBase, call);
        if (!isNameCharacter(inner.charCodeAt(at))) return fail('bad-name', at, inner);
      }
      if (this.#lookup === null) this.references.push({ name, at: base + dollar, length });
      else value = this.#lookup(name);
    }

    if (operator === undefined) {
      if (this.#lookup !== null) {
        if (value === undefined) this.#problem('undefined', base, dollar, name);
        else if (compares || this.#raw(name)) {
          if (!this.#literal(value, base, call)) return false;
        } else if (value !== '' && !this.#nested(value, NESTED, call)) return false;
      }
      call.level--;
      return true;
    }

    if (operator === '?') {
      const branch = this.#operand(inner, at, innerBase, call);
      if (branch === null) return false;
      if ((value || this.#lookup === null) && !this.#nested(branch.text, branch.base, call)) return false;
      at = branch.end;
      if (at < inner.length) {
        if (inner[at] !== ':') return fail('trailing-text', at, inner.slice(at));
        at++;
        operator = ':';
      }
    }
    if (operator === ':') {
      const branch = this.#operand(inner, at, innerBase, call);
      if (branch === null) return false;
      if ((!value || this.#lookup === null) && !this.#nested(branch.text, branch.base, call)) return false;
      if (branch.end < inner.length) return fail('trailing-text', branch.end, inner.slice(branch.end));
    }
    call.level--;
    return true;
  }

  /**
   * A value or a branch, in the same call. Before there were operands, an error that mac_parse() itself
   * met in here was forgotten: what came before it counts, what follows does not.
   */
  #nested(text: string, base: number, call: Call): boolean {
    const failed = this.#parse(text, base, call);
    if (failed && this.#grammar.operands) call.failed = true;
    return !call.failed;
  }

  /** What follows `?` or `:`: `{text}`, or the rest as it is. Null after an error. */
  #operand(inner: string, at: number, base: number, call: Call): Operand | null {
    const brace = this.#grammar.operands ? skipBlanks(inner, at) : at;
    if (this.#grammar.operands && inner[brace] === '{') return this.#braced(inner, brace, base, call);
    return { text: inner.slice(at), base: base === NESTED ? NESTED : base + at, end: inner.length };
  }

  /** `{text}` at `brace` and the blanks after it. Null after an error. */
  #braced(inner: string, brace: number, base: number, call: Call): Operand | null {
    const close = closing(inner, brace + 1, '{', '}');
    if (close < 0) {
      this.#failure(call, 'unbalanced', base, brace, inner.slice(brace));
      return null;
    }
    return {
      text: inner.slice(brace + 1, close),
      base: base === NESTED ? NESTED : base + brace + 1,
      end: skipBlanks(inner, close + 1),
    };
  }

  /** mac_exp_parse_relational(): `{left} operator {right}`. Null after an error. */
  #comparison(
    inner: string,
    brace: number,
    base: number,
    call: Call,
  ): { holds: boolean; end: number } | null {
    const fail = (code: ExpansionCode, at: number, detail: string): null => {
      this.#failure(call, code, base, at, detail);
      return null;
    };
    const left = this.#braced(inner, brace, base, call);
    if (left === null) return null;
    const operator = /^[<>!=?+\-*/~&|%]*/.exec(inner.slice(left.end, left.end + 8))?.[0] ?? '';
    if (!OPERATORS.has(operator)) return fail('bad-operator', left.end, inner.slice(left.end));
    let at = left.end + operator.length;
    const suffix = this.#grammar.levels ? (/^[A-Za-z0-9]+/.exec(inner.slice(at))?.[0] ?? '') : '';
    if (suffix !== '' && suffix !== 'level') return fail('bad-operator', left.end, operator + suffix);
    at += suffix.length;
    const rightBrace = skipBlanks(inner, at);
    if (inner[rightBrace] !== '{') return fail('missing-operand', at, inner.slice(at));
    const right = this.#braced(inner, rightBrace, base, call);
    if (right === null) return null;

    const leftValue = this.#separately(left.text, left.base, call);
    const rightValue = leftValue === null ? null : this.#separately(right.text, right.base, call);
    if (leftValue === null || rightValue === null) return null;
    if (this.#lookup === null) return { holds: false, end: right.end };

    let order: number;
    if (suffix === 'level') {
      const levels = [levelNumber(leftValue), levelNumber(rightValue)] as const;
      if (levels[0] === null) return fail('bad-level', brace, leftValue);
      if (levels[1] === null) return fail('bad-level', rightBrace, rightValue);
      order = compareNumbers(levels[0], levels[1]);
    } else if (isDigits(leftValue) && isDigits(rightValue)) {
      const tooLarge = [leftValue, rightValue].find(isTooLarge);
      if (tooLarge !== undefined) return fail('bad-number', brace, tooLarge);
      order = compareNumbers(BigInt(leftValue), BigInt(rightValue));
    } else {
      order = compareBytes(leftValue, rightValue);
    }
    return { holds: holds(operator, order), end: right.end };
  }

  /** mac_exp_parse_function(): `name{text}`. Gives whether the call goes on. */
  #function(name: string, inner: string, nameAt: number, brace: number, base: number, call: Call): boolean {
    const argument = this.#braced(inner, brace, base, call);
    if (argument === null) return false;
    if (argument.end < inner.length)
      return !this.#failure(call, 'trailing-text', base, argument.end, inner.slice(argument.end));
    const translate = FUNCTIONS.get(name);
    if (translate === undefined) return !this.#failure(call, 'unknown-function', base, nameAt, name);
    // Blanks around the argument do not count, for its place as little as for its value.
    const leading = skipBlanks(argument.text, 0);
    const text = argument.text.slice(leading).replace(/[ \t\n\v\f\r]+$/, '');
    const value = this.#separately(text, argument.base === NESTED ? NESTED : argument.base + leading, call);
    if (value === null) return false;
    if (this.#lookup !== null) {
      const result = translate(value);
      if (result === null) return !this.#failure(call, 'bad-domain', base, brace, value);
      if (!this.#literal(result, base, { level: 0, failed: false })) return false;
    }
    // The level of a function is never given back: mac_expand_callback() returns early.
    return true;
  }

  /** A text in a call of its own: an operand of a comparison, an argument. Null after an error. */
  #separately(text: string, base: number, call: Call): string | null {
    const outer = this.#result;
    this.#result = [];
    const failed = this.#parse(text, base, { level: 0, failed: false });
    const value = this.value();
    this.#result = outer;
    if (failed) call.failed = true;
    return failed ? null : value;
  }

  /** Notes a problem that makes the call fail; gives true. */
  #failure(call: Call, code: ExpansionCode, base: number, at: number, detail: string): true {
    call.failed = true;
    return this.#problem(code, base, at, detail);
  }

  /** Notes a problem; gives true. */
  #problem(code: ExpansionCode, base: number, at: number, detail: string): true {
    this.problems.push({ code, at: base === NESTED ? 0 : base + at, detail: excerpt(detail) });
    return true;
  }
}

/** The beginning of a text, for a message. */
function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Offset of the bracket that closes the one before `from`, or -1. Other kinds of brackets are text. */
function closing(text: string, from: number, open: string, close: string): number {
  const opening = open.charCodeAt(0);
  const ending = close.charCodeAt(0);
  let level = 1;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === opening) level++;
    else if (code === ending && --level === 0) return at;
  }
  return -1;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && BLANKS.includes(text.charAt(at))) at++;
  return at;
}

/** A letter, a digit or `_` of ASCII. */
function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95
  );
}

function isDigits(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

/** Beyond a long of the server. Short ones are told without arithmetic on huge texts. */
function isTooLarge(digits: string): boolean {
  const significant = digits.replace(/^0+/, '');
  return significant.length > 19 || BigInt(significant || '0') > LARGEST_NUMBER;
}

function compareNumbers(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** strcmp(): the order of bytes, which is the order of code points. */
function compareBytes(left: string, right: string): number {
  for (let at = 0; at < left.length && at < right.length; at++) {
    if (left[at] !== right[at]) return (left.codePointAt(at) ?? 0) - (right.codePointAt(at) ?? 0);
  }
  return left.length - right.length;
}

/** Whether an operator holds for operands of this order: negative, zero or positive. */
function holds(operator: string, order: number): boolean {
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
    default:
      return order > 0;
  }
}

const LEVEL =
  /^([ \t\n\v\f\r]*[-+]?[0-9]+)(?:\.([ \t\n\v\f\r]*[-+]?[0-9]+)(?:\.([ \t\n\v\f\r]*[-+]?[0-9]+))?)?$/;

/** compat_level_from_string(): `major[.minor[.patch]]` as one number, or null. */
function levelNumber(text: string): bigint | null {
  const match = LEVEL.exec(text);
  if (match === null) return null;
  const [major, minor, patch] = [match[1], match[2] ?? '0', match[3] ?? '0'].map((digits = '0') => {
    const number = digits.trim();
    if (isTooLarge(number.replace(/^[-+]/, ''))) return -1n;
    return BigInt(number.replace(/^\+/, ''));
  });
  if (major === undefined || minor === undefined || patch === undefined) return null;
  if (major < 0n || major > LARGEST_NUMBER >> 20n) return null;
  if (minor < 0n || minor > 1023n || patch < 0n || patch > 1023n) return null;
  return (major << 20n) | (minor << 10n) | patch;
}

/** mac_midna.c: what `${name{text}}` can call. */
const FUNCTIONS: ReadonlyMap<string, (text: string) => string | null> = new Map([
  ['domain_to_ascii', domainToAscii],
  ['domain_to_utf8', domainToUtf8],
]);

/** A domain in its ASCII form (UTS 46); text that is ASCII is given back as it is. */
function domainToAscii(domain: string): string | null {
  if (isAscii(domain)) return domain;
  // Host parsing of a URL is UTS 46, but it also takes what is no domain.
  if (/[^A-Za-z0-9_.\-\u0080-\u{10ffff}]/u.test(domain)) return null;
  if (domain.split('.').some((label) => /^-|-$|^..--/u.test(label) && !/^xn--/i.test(label))) return null;
  try {
    const ascii = new URL(`http://${domain}/`).hostname;
    const labels = ascii.split('.');
    const valid = labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
    return valid && /[^0-9.]/.test(ascii) && ascii.length <= 255 ? ascii : null;
  } catch {
    return null;
  }
}

/** A domain in its Unicode form; text that is not ASCII is given back as it is. */
function domainToUtf8(domain: string): string | null {
  if (!isAscii(domain)) return domain;
  if (!/^[A-Za-z0-9_.-]+$/.test(domain)) return null;
  const ascii = domain.toLowerCase();
  const labels = ascii
    .split('.')
    .map((label) => (label.startsWith('xn--') ? decodePunycode(label.slice(4)) : label));
  if (labels.includes('') || labels.includes(null)) return null;
  const utf8 = labels.join('.');
  return domainToAscii(utf8) === ascii ? utf8 : null;
}

/** RFC 3492, section 6.2; null for what is no Punycode. */
function decodePunycode(text: string): string | null {
  const delimiter = text.lastIndexOf('-');
  const output = delimiter > 0 ? Array.from(text.slice(0, delimiter), (c) => c.codePointAt(0) ?? 0) : [];
  let code = 128;
  let index = 0;
  let bias = 72;
  for (let at = delimiter > 0 ? delimiter + 1 : 0; at < text.length; ) {
    const before = index;
    for (let weight = 1, k = 36; ; k += 36) {
      const digit = 'abcdefghijklmnopqrstuvwxyz0123456789'.indexOf(text.charAt(at++) || ' ');
      if (digit < 0) return null;
      index += digit * weight;
      const threshold = k <= bias ? 1 : Math.min(k - bias, 26);
      if (digit < threshold) break;
      weight *= 36 - threshold;
      if (weight > 0x7fffffff || index > 0x7fffffff) return null;
    }
    const count = output.length + 1;
    let delta = Math.floor((index - before) / (before === 0 ? 700 : 2));
    delta += Math.floor(delta / count);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    code += Math.floor(index / count);
    index %= count;
    if (code > 0x10ffff) return null;
    output.splice(index++, 0, code);
  }
  return String.fromCodePoint(...output);
}

/** allascii(), which denies it of the empty text: there the server dies of `domain_to_ascii{}`. */
function isAscii(text: string): boolean {
  return text !== '' && !/[\u0080-\uffff]/.test(text);
}
