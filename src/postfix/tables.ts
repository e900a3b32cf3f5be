import type { SourceFile, Span } from '../text/source.ts';
import { contains, parseAddress, parseNetwork } from './addresses.ts';
import { logicalLines, skipSpace, sourceSpan, startsWithSpace, trimSpace } from './syntax/logical-lines.ts';
import { splitNameValue } from './syntax/name-value.ts';
import type { LogicalLine } from './syntax/tree.ts';
import { compilePattern, type Pattern } from './table-patterns.ts';

/**
 * Lookup tables whose content can be read as text: the sources that postmap indexes, `texthash:`,
 * `inline:`, `static:`, `regexp:`, `pcre:` and `cidr:`. Facts: postfix-language §1 for the lines; dict_open.c,
 * postmap.c, dict_thash.c, dict_inline.c, dict_static.c, dict_regexp.c, dict_pcre.c, dict_cidr.c,
 * cidr_match.c, dict_stream.c; lookups compared with `postmap -q` of four releases.
 */

/** `type:name` as parameters name a table. */
export interface TableReference {
  /** Without `proxy`. */
  readonly type: string;
  /** A path, or what stands in braces. */
  readonly name: string;
  /** `proxy:type:name`: another process does the lookup. */
  readonly proxied: boolean;
}

/** Where the content of a table is. */
export type TableStorage =
  /** In the file that the name says. */
  | 'file'
  /** In the name itself. */
  | 'inline'
  /** Elsewhere: a server, a program, several tables. */
  | 'opaque';

/** What can be wrong with a table. */
export type TableCode =
  /** `inline:`, `static:` or another table in braces that the server cannot open: every lookup fails. */
  | 'bad-syntax'
  /** `inline:{}`: cannot be opened either. */
  | 'empty-table'
  /** A key without a value, or the other way round: the line is dropped. */
  | 'missing-value'
  /** The line is dropped. */
  | 'unbalanced-quote'
  /** `key: value`: the colon is part of the key. */
  | 'key-with-colon'
  /** The later line is dropped; `texthash:` cannot be opened. */
  | 'duplicate-key'
  /** An indented first line: dropped. */
  | 'indented-first'
  /** The rest of the line is dropped. */
  | 'null-byte'
  | 'byte-order-mark'
  /** The rule is dropped: no pattern, or no end of it. */
  | 'bad-pattern'
  | 'unknown-flag'
  /** A pattern without a result: found, and empty. */
  | 'empty-result'
  /** `$name`, `$0` or a number beyond the groups: the rule is dropped. */
  | 'bad-substitution'
  | 'bad-network'
  /** `192.0.2.1/24`: the rule is dropped. */
  | 'host-bits'
  | 'endif-without-if'
  | 'if-without-endif'
  /** Neither a rule nor `if` nor `endif`: dropped. */
  | 'unrecognized';

/** Something wrong with a table. */
export interface TableProblem {
  readonly code: TableCode;
  /** In the source; for a table in braces, in the name of the reference. */
  readonly span: Span;
  readonly detail: string;
}

/** A line of a table that gives a value. */
export interface TableEntry {
  /** The key, network or pattern as written; `*` for `static:`. */
  readonly key: string;
  readonly value: string;
  /** In the source; for a table in braces, in the name of the reference. */
  readonly keySpan: Span;
  readonly valueSpan: Span;
}

/** A table that was read. */
export interface Table {
  readonly reference: TableReference;
  /** Null for a table in braces, and for `static:`. */
  readonly source: SourceFile | null;
  /** Every line that gives a value, in order; a duplicate that is dropped is not among them. */
  readonly entries: readonly TableEntry[];
  readonly problems: readonly TableProblem[];
  /** False: the server cannot open it, every lookup is a temporary error. */
  readonly usable: boolean;
  /** How a key finds its value. */
  readonly search: (key: string) => TableResult | null | 'undecidable';
}

/** What a lookup found. */
export interface TableResult {
  readonly value: string;
  /** Of the value, in the source; for a table in braces, in the name of the reference. */
  readonly span: Span;
}

/** Types that postmap or the server fills from lines of `key value`. */
const LINE_TYPES: ReadonlySet<string> = new Set(['hash', 'btree', 'dbm', 'sdbm', 'lmdb', 'cdb', 'texthash']);
const RULE_TYPES: ReadonlySet<string> = new Set(['regexp', 'pcre', 'cidr']);

/**
 * Reads `type:name`, with `proxy:` before it or not; null for a text that is none, such as a bare path.
 * `unionmap:{…}` and `pipemap:{…}` are references too, with what stands in braces as their name.
 */
export function parseTableReference(text: string): TableReference | null {
  const [, type, name] = /^([^:]+):(.+)$/s.exec(text.trim()) ?? [];
  if (type === undefined || name === undefined) return null;
  if (type !== 'proxy') return { type, name, proxied: false };
  const inner = parseTableReference(name);
  return inner === null ? null : { ...inner, proxied: true };
}

/** Where the content of a table is. */
export function tableStorage({ type, name }: TableReference): TableStorage {
  if (type === 'inline' || type === 'static') return 'inline';
  if (RULE_TYPES.has(type)) return name.startsWith('{') ? 'inline' : 'file';
  return LINE_TYPES.has(type) ? 'file' : 'opaque';
}

/**
 * Reads a table.
 *
 * @param source the text behind the name; for indexed types the text that postmap reads, not the index.
 *   Null for a table whose content is in its name.
 * @returns null for a table that cannot be read as text, and for a file that is not there
 */
export function readTable(reference: TableReference, source: SourceFile | null): Table | null {
  const storage = tableStorage(reference);
  if (storage === 'opaque') return null;
  if (storage === 'file') {
    if (source === null) return null;
    return reference.type === 'cidr' || reference.type === 'regexp' || reference.type === 'pcre'
      ? readRules(reference, source, ...linesOf(source))
      : readLines(reference, source);
  }
  if (reference.type === 'static') return readStatic(reference);
  if (reference.type === 'inline') return readInline(reference);
  const rules = rulesInBraces(reference.name);
  return 'code' in rules ? unusable(reference, null, [rules]) : readRules(reference, null, rules, []);
}

/**
 * The value for a key, and where it stands.
 *
 * @returns null when there is none; `undecidable` when the pattern that decides goes beyond what is understood
 */
export function lookup(table: Table, key: string): TableResult | null | 'undecidable' {
  return table.search(key);
}

function unusable(
  reference: TableReference,
  source: SourceFile | null,
  problems: readonly TableProblem[],
): Table {
  return { reference, source, entries: [], problems, usable: false, search: () => 'undecidable' };
}

/** A table of keys, which are compared without regard to case (DICT_FLAG_FOLD_FIX). */
function keyed(
  reference: TableReference,
  source: SourceFile | null,
  entries: ReadonlyMap<string, TableEntry>,
  problems: readonly TableProblem[],
): Table {
  return {
    reference,
    source,
    entries: [...entries.values()],
    problems,
    usable: true,
    search: (key) => {
      const entry = entries.get(key.toLowerCase());
      return entry === undefined ? null : { value: entry.value, span: entry.valueSpan };
    },
  };
}

/** postmap.c, dict_thash.c: a key up to the first white space outside quotes, the rest is the value. */
function readLines(reference: TableReference, source: SourceFile): Table {
  const [lines, problems] = linesOf(source);
  const entries = new Map<string, TableEntry>();
  let usable = true;
  for (const { text, span } of lines) {
    const whole = span(0, text.length);
    const keyEnd = unquotedEnd(text, 0, isBlank);
    if (keyEnd < 0) {
      problems.push({ code: 'unbalanced-quote', span: whole, detail: text });
      continue;
    }
    const valueStart = skipSpace(text, keyEnd, text.length);
    const valueEnd = trimSpace(text, valueStart, text.length);
    const key = text.slice(0, keyEnd);
    const keySpan = span(0, keyEnd);
    if (keyEnd === 0 || valueStart === valueEnd) {
      problems.push({ code: 'missing-value', span: whole, detail: key });
      continue;
    }
    if (key.endsWith(':')) problems.push({ code: 'key-with-colon', span: keySpan, detail: key });
    const folded = key.toLowerCase();
    if (entries.has(folded)) {
      problems.push({ code: 'duplicate-key', span: keySpan, detail: key });
      if (reference.type === 'texthash') usable = false;
      continue;
    }
    const value = text.slice(valueStart, valueEnd);
    entries.set(folded, { key, value, keySpan, valueSpan: span(valueStart, valueEnd) });
  }
  const table = keyed(reference, source, entries, problems);
  return usable ? table : { ...table, usable, search: () => 'undecidable' };
}

/** dict_static.c: the name is the value, braces and the blanks in them aside. */
function readStatic(reference: TableReference): Table {
  const { name } = reference;
  let start = 0;
  let end = name.length;
  if (name.startsWith('{')) {
    if (closingBrace(name, 0) !== name.length - 1)
      return unusable(reference, null, [{ code: 'bad-syntax', span: { start, end }, detail: name }]);
    start = skipSpace(name, 1, end - 1);
    end = trimSpace(name, start, end - 1);
  }
  const value = name.slice(start, end);
  const span = { start, end };
  return {
    reference,
    source: null,
    entries: [{ key: '*', value, keySpan: { start: 0, end: 0 }, valueSpan: span }],
    problems: [],
    usable: true,
    search: () => ({ value, span }),
  };
}

/** dict_inline.c: `{ {key = value}, key=value … }`; of two equal keys the last one counts. */
function readInline(reference: TableReference): Table {
  const { name } = reference;
  const bad = (code: TableCode, start: number, end: number): Table =>
    unusable(reference, null, [{ code, span: { start, end }, detail: name.slice(start, end) }]);
  if (closingBrace(name, 0) !== name.length - 1) return bad('bad-syntax', 0, name.length);
  const entries = new Map<string, TableEntry>();
  for (const word of wordsInBraces(name)) {
    let { start, end } = word;
    if (name[start] === '{') {
      if (closingBrace(name, start) !== end - 1) return bad('bad-syntax', start, end);
      start++;
      end--;
    }
    const text = name.slice(0, trimSpace(name, start, end));
    const keyStart = skipSpace(text, start, text.length);
    const keyEnd = unquotedEnd(text, keyStart, (character) => isBlank(character) || character === '=');
    if (keyEnd < 0 || keyStart === text.length) return bad('bad-syntax', word.start, word.end);
    const parts = splitNameValue(`x${text.slice(keyEnd)}`, 0, text.length - keyEnd + 1);
    if (typeof parts === 'string') return bad('bad-syntax', word.start, word.end);
    const valueStart = keyEnd - 1 + parts.valueStart;
    const key = name.slice(keyStart, keyEnd);
    const folded = key.toLowerCase();
    entries.delete(folded);
    entries.set(folded, {
      key,
      value: text.slice(valueStart),
      keySpan: { start: keyStart, end: keyEnd },
      valueSpan: { start: valueStart, end: text.length },
    });
  }
  return entries.size === 0 ? bad('empty-table', 0, name.length) : keyed(reference, null, entries, []);
}

/** A line of text and where its characters stand. */
interface Line {
  readonly text: string;
  readonly span: (start: number, end: number) => Span;
}

/** The logical lines of a file, without an indented first one, and what is wrong with them. */
function linesOf(source: SourceFile): [Line[], TableProblem[]] {
  const { logical, problems } = logicalLines(source);
  return [
    logical.filter((line) => !startsWithSpace(line)).map(lineOf),
    problems.flatMap(({ code, span, detail }): TableProblem[] =>
      code === 'indented-first' || code === 'null-byte' || code === 'byte-order-mark'
        ? [{ code, span, detail }]
        : [],
    ),
  ];
}

function lineOf(line: LogicalLine): Line {
  return { text: line.text, span: (start, end) => sourceSpan(line, start, end) };
}

/** dict_stream.c: `{ {rule}, {rule} … }` in place of a file, from 3.7 on. */
function rulesInBraces(name: string): Line[] | TableProblem {
  const bad = (start: number, end: number): TableProblem => ({
    code: 'bad-syntax',
    span: { start, end },
    detail: name.slice(start, end),
  });
  if (closingBrace(name, 0) !== name.length - 1) return bad(0, name.length);
  const lines: Line[] = [];
  for (const { start, end } of wordsInBraces(name)) {
    if (closingBrace(name, start) !== end - 1) return bad(start, end);
    const from = skipSpace(name, start + 1, end - 1);
    const text = name.slice(from, trimSpace(name, from, end - 1));
    if (text !== '' && !text.startsWith('#'))
      lines.push({ text, span: (a, b) => ({ start: from + a, end: from + b }) });
  }
  return lines;
}

/** One step of a table of rules. */
type Rule =
  /** Undefined: whether it matches cannot be told. */
  | { readonly kind: 'match'; readonly test: (key: string) => TableResult | null | undefined }
  | { readonly kind: 'if'; readonly test: (key: string) => boolean | undefined; end: number }
  | { readonly kind: 'endif' };

/** What a line of rules was read as. */
type ReadRule = { readonly rule: Rule; readonly entry: TableEntry | null } | TableProblem;

/** dict_regexp.c, dict_pcre.c, dict_cidr.c: the first rule that matches decides; `if` guards a block. */
function readRules(
  reference: TableReference,
  source: SourceFile | null,
  lines: readonly Line[],
  problems: TableProblem[],
): Table {
  const rules: Rule[] = [];
  const entries: TableEntry[] = [];
  const open: { rule: Rule & { kind: 'if' }; span: Span }[] = [];
  const isCidr = reference.type === 'cidr';
  for (const line of lines) {
    const span = line.span(0, trimSpace(line.text, 0, line.text.length));
    const [, keyword] = /^(if|endif)(?![A-Za-z0-9])/i.exec(line.text) ?? [];
    if (keyword?.toLowerCase() === 'endif') {
      const block = open.pop();
      if (block === undefined) problems.push({ code: 'endif-without-if', span, detail: keyword });
      else {
        block.rule.end = rules.length;
        rules.push({ kind: 'endif' });
      }
      continue;
    }
    const guards = keyword !== undefined;
    let read: ReadRule;
    if (isCidr) read = readNetworkRule(line, guards);
    else if (!guards && /^[A-Za-z0-9]/.test(line.text))
      read = { code: 'unrecognized', span, detail: line.text.split(/\s/, 1)[0] ?? '' };
    else read = readPatternRule(line, guards, reference.type === 'pcre', problems);
    if ('code' in read) {
      problems.push(read);
      continue;
    }
    if (read.rule.kind === 'if') open.push({ rule: read.rule, span });
    if (read.entry !== null) entries.push(read.entry);
    rules.push(read.rule);
  }
  for (const { span } of open) problems.push({ code: 'if-without-endif', span, detail: '' });
  return { reference, source, entries, problems, usable: true, search: (key) => firstMatch(rules, key) };
}

function firstMatch(rules: readonly Rule[], key: string): TableResult | null | 'undecidable' {
  for (let at = 0; at < rules.length; at++) {
    const rule = rules[at];
    if (rule?.kind === 'match') {
      const result = rule.test(key);
      if (result === undefined) return 'undecidable';
      if (result !== null) return result;
    } else if (rule?.kind === 'if') {
      const holds = rule.test(key);
      if (holds === undefined) return 'undecidable';
      if (!holds) at = rule.end;
    }
  }
  return null;
}

/** `/pattern/flags result`, `!/pattern/flags result`, and for `regexp:` also `/pattern/!/pattern/ result`. */
function readPatternRule(line: Line, guards: boolean, perl: boolean, problems: TableProblem[]): ReadRule {
  const { text, span } = line;
  const first = readPattern(line, guards ? 2 : 0, perl);
  if ('code' in first) return first;
  let second: ReadPattern | undefined;
  if (!guards && !perl && text[first.end] === '!') {
    const read = readPattern(line, first.end, perl);
    if ('code' in read) return read;
    second = read;
  }
  if (guards) {
    const test = (key: string): boolean | undefined => matches(first, key)?.matched;
    return { rule: { kind: 'if', test, end: Number.MAX_SAFE_INTEGER }, entry: null };
  }

  const keyEnd = (second ?? first).end;
  const valueStart = skipSpace(text, keyEnd, text.length);
  const valueEnd = trimSpace(text, valueStart, text.length);
  const valueSpan = span(valueStart, valueEnd);
  const value = text.slice(valueStart, valueEnd);
  const replacement = readReplacement(value);
  const keySpan = span(0, keyEnd);
  if (
    replacement === null ||
    (replacement.highest > 0 && !first.positive) ||
    (first.pattern !== null && replacement.highest > first.pattern.groups)
  )
    return { code: 'bad-substitution', span: valueSpan, detail: value };
  if (value === '') problems.push({ code: 'empty-result', span: keySpan, detail: text.slice(0, keyEnd) });

  const test = (key: string): TableResult | null | undefined => {
    const found = matches(first, key);
    if (found === undefined) return undefined;
    if (!found.matched) return null;
    const also = second === undefined ? { matched: true } : matches(second, key);
    if (also === undefined) return undefined;
    if (!also.matched) return null;
    if (replacement.highest > 0 && first.pattern?.sureGroups !== true) return undefined;
    const result = replacement.parts.map((part) =>
      typeof part === 'string' ? part : (found.groups[part] ?? ''),
    );
    return { value: result.join(''), span: valueSpan };
  };
  return { rule: { kind: 'match', test }, entry: { key: text.slice(0, keyEnd), value, keySpan, valueSpan } };
}

interface ReadPattern {
  readonly positive: boolean;
  /** Null where its meaning is not sure. */
  readonly pattern: Pattern | null;
  readonly end: number;
}

/** dict_regexp_get_pat(), dict_pcre_get_pattern(): negations, a pattern between two equal characters, flags. */
function readPattern({ text, span }: Line, start: number, perl: boolean): ReadPattern | TableProblem {
  const whole = span(0, trimSpace(text, 0, text.length));
  let at = start;
  let positive = true;
  for (; at < text.length; at++) {
    if (text[at] === '!') positive = !positive;
    else if (!isBlank(text.charAt(at))) break;
  }
  const delimiter = text[at++];
  if (delimiter === undefined) return { code: 'bad-pattern', span: whole, detail: text };
  const patternStart = at;
  while (at < text.length && text[at] !== delimiter) at += text[at] === '\\' ? 2 : 1;
  if (at >= text.length) return { code: 'bad-pattern', span: whole, detail: text };
  const source = text.slice(patternStart, at++);
  const flags = new Map<string, boolean>();
  for (; at < text.length; at++) {
    const flag = text.charAt(at);
    if (isBlank(flag) || (!perl && flag === '!')) break;
    if (!(perl ? 'imsxAEUX' : 'imx').includes(flag))
      return { code: 'unknown-flag', span: span(at, at + 1), detail: flag };
    flags.set(flag, flags.get(flag) !== true);
  }
  const set = (flag: string): boolean => flags.get(flag) === true;
  // `x` means white space without a meaning to Perl, and the basic syntax to POSIX.
  const pattern = set('x')
    ? null
    : compilePattern(source, {
        dialect: perl ? 'pcre' : 'posix',
        ignoreCase: !set('i'),
        anchored: set('A'),
        ungreedy: set('U'),
      });
  return { positive, pattern, end: at };
}

function matches(
  { pattern, positive }: ReadPattern,
  key: string,
): { readonly matched: boolean; readonly groups: readonly (string | undefined)[] } | undefined {
  const groups = pattern?.match(key);
  if (groups === undefined) return undefined;
  return { matched: (groups !== null) === positive, groups: groups ?? [] };
}

/** The result of a pattern: text, and numbers of groups. Null where the server would drop the rule. */
function readReplacement(value: string): { parts: (string | number)[]; highest: number } | null {
  const parts: (string | number)[] = [];
  let highest = 0;
  let at = 0;
  for (const match of value.matchAll(/\$(?:(\$)|\{([^{}]*)\}|\(([^()]*)\)|([A-Za-z0-9_]*))/g)) {
    parts.push(value.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[1] !== undefined) {
      parts.push('$');
      continue;
    }
    const name = match[2] ?? match[3] ?? match[4] ?? '';
    const number = /^[0-9]{1,6}$/.test(name) ? Number(name) : 0;
    if (number < 1) return null;
    highest = Math.max(highest, number);
    parts.push(number);
  }
  parts.push(value.slice(at));
  return { parts, highest };
}

/** `network result`, `!network result`, `if network`. */
function readNetworkRule({ text, span }: Line, guards: boolean): ReadRule {
  let at = guards ? 2 : 0;
  let positive = true;
  for (; at < text.length; at++) {
    if (text[at] === '!') positive = !positive;
    else if (!isBlank(text.charAt(at))) break;
  }
  const end = trimSpace(text, at, text.length);
  let keyEnd = guards ? end : at;
  while (keyEnd < end && !isBlank(text.charAt(keyEnd))) keyEnd++;
  const written = text.slice(at, keyEnd);
  const keySpan = span(at, keyEnd);
  const network = parseNetwork(written);
  if (typeof network === 'string') return { code: network, span: keySpan, detail: written };
  const holds = (key: string): boolean => {
    const address = parseAddress(key);
    return address?.bits === network.bits && contains(network, address) === positive;
  };
  if (guards) return { rule: { kind: 'if', test: holds, end: Number.MAX_SAFE_INTEGER }, entry: null };
  const valueStart = skipSpace(text, keyEnd, text.length);
  const value = text.slice(valueStart, end);
  if (value === '') return { code: 'missing-value', span: keySpan, detail: written };
  const valueSpan = span(valueStart, end);
  return {
    rule: { kind: 'match', test: (key) => (holds(key) ? { value, span: valueSpan } : null) },
    entry: { key: text.slice(0, keyEnd), value, keySpan: span(0, keyEnd), valueSpan },
  };
}

function isBlank(character: string): boolean {
  return /^[ \t\n\v\f\r]$/.test(character);
}

/**
 * Offset of the first character that ends a key, quotes and backslashes heeded; the end of the text where
 * there is none, -1 where a quote is not closed.
 */
function unquotedEnd(text: string, start: number, ends: (character: string) => boolean): number {
  let quoted = false;
  let at = start;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && ends(character)) break;
  }
  return quoted ? -1 : Math.min(at, text.length);
}

/** Offset of the brace that closes the one at `open`, or -1 (balpar.c). */
export function closingBrace(text: string, open: number): number {
  if (text[open] !== '{') return -1;
  let level = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') level++;
    else if (text[at] === '}' && --level === 0) return at;
  }
  return -1;
}

/** The words between the outermost braces, separated by blanks and commas outside of inner braces (mystrtokq()). */
export function wordsInBraces(text: string): Span[] {
  const words: Span[] = [];
  const end = text.length - 1;
  let start = -1;
  let level = 0;
  for (let at = 1; at <= end; at++) {
    const character = text.charAt(at);
    if (at === end || (level === 0 && ', \t\r\n'.includes(character))) {
      if (start >= 0) words.push({ start, end: at });
      start = -1;
      continue;
    }
    if (start < 0) start = at;
    if (character === '{') level++;
    else if (character === '}' && level > 0) level--;
  }
  return words;
}
