import { nearest } from '../../text/nearest.ts';
import type { Span } from '../../text/source.ts';

/** The two things that a comment can ask for: silence for what follows it, or for the whole file. */
export type Scope = 'ignore' | 'ignore-file';

/** A comment that silences rules, as it is written. */
export interface Directive {
  readonly scope: Scope;
  /** Rule ids, or what stands behind their slash, each with its place in the source. */
  readonly rules: readonly { readonly name: string; readonly span: Span }[];
  /** The last day on which it counts, `2026-12-31`; null where it has no end. */
  readonly until: string | null;
  readonly reason: string | null;
}

/** Why a comment that speaks to pfharden silences nothing. */
export type FaultCode =
  /** Not `# pfharden: …`. */
  | 'form'
  /** Neither `ignore` nor `ignore-file`. */
  | 'word'
  /** No rule, or none behind a comma. */
  | 'no-rule'
  /** Behind a rule stands neither a comma, `until` nor `--`. */
  | 'separator'
  /** Behind `until` stands no day. */
  | 'date'
  /** `ignore-file` behind the first setting. */
  | 'not-at-head'
  /** Nothing follows that it could silence. */
  | 'nothing-follows'
  /** Behind a setting of Postfix, or in quotes or a value of several lines of Dovecot: it is part of the value. */
  | 'in-value'
  /** Behind a setting of Dovecot, where it is a comment. */
  | 'behind'
  /** Between lines of Dovecot that a backslash joins. */
  | 'breaks-line';

/** What is wrong with a comment, and where in the source. */
export interface Fault {
  readonly code: FaultCode;
  readonly span: Span;
  /** What was met; for `word` what was probably meant, where that can be told. */
  readonly detail: string;
}

const SPEAKS = /^#+[ \t]*pfharden[ \t]*(?::|[ \t-]+(?=ignore|disable|silence|suppress))/i;
const HEAD = /^#+[ \t]*pfharden:[ \t]+/;
const BLANKS = /[ \t]*/y;
const RULE = /[^\s,]+/y;
const WORD = /[^\s,]*/y;

/** Where in a text a comment begins that speaks to pfharden; -1 where none does. */
export function directiveAt(text: string): number {
  return text.search(/#+[ \t]*pfharden[ \t]*(?::|[ \t-]+(?:ignore|disable|silence|suppress))/i);
}

/**
 * Reads a comment: `# pfharden: ignore RULE[, RULE…] [until YYYY-MM-DD] [-- reason]`.
 *
 * @param text the comment from its `#` to its end, without white space there
 * @param offset where it begins in the source
 * @returns null for a comment that does not speak to pfharden
 */
export function readDirective(text: string, offset: number): Directive | Fault | null {
  if (!SPEAKS.test(text)) return null;
  const fault = (code: FaultCode, start: number, end: number, detail = text.slice(start, end)): Fault => ({
    code,
    span: { start: offset + start, end: offset + end },
    detail,
  });
  const head = HEAD.exec(text)?.[0];
  if (head === undefined) return fault('form', 0, text.length);
  let at = head.length;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };
  const word = take(WORD);
  if (word !== 'ignore' && word !== 'ignore-file') {
    const meant = nearest(word, ['ignore', 'ignore-file']) ?? '';
    return fault('word', head.length, Math.max(at, head.length), meant);
  }
  const rules: { name: string; span: Span }[] = [];
  for (;;) {
    take(BLANKS);
    const start = at;
    const name = take(RULE);
    if (name === '' || name === 'until' || name.startsWith('--'))
      return rules.length === 0
        ? fault('no-rule', 0, text.length)
        : fault('no-rule', start, Math.max(at, start), name);
    rules.push({ name, span: { start: offset + start, end: offset + at } });
    take(BLANKS);
    if (text[at] !== ',') break;
    at++;
  }
  let until: string | null = null;
  const behind = at;
  if (take(RULE) === 'until') {
    take(BLANKS);
    const start = at;
    until = take(RULE);
    if (!isDay(until)) return fault('date', until === '' ? behind : start, at, until);
    take(BLANKS);
  } else at = behind;
  if (at === text.length) return { scope: word, rules, until, reason: null };
  if (!text.startsWith('--', at)) return fault('separator', at, text.length);
  const reason = text.slice(at).replace(/^-+[ \t]*/, '');
  return { scope: word, rules, until, reason: reason === '' ? null : reason };
}

/** True for a day of the calendar, `2026-02-28`. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
