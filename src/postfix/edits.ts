import type { Edit } from '../text/edits.ts';
import type { SourceFile, Span } from '../text/source.ts';
import { isSpace, skipSpace, sourceOffset, trimSpace } from './syntax/logical-lines.ts';
import type {
  Argument,
  LogicalLine,
  MainCf,
  MainEntry,
  MasterCf,
  Override,
  PhysicalLine,
  ServiceArgument,
  ServiceEntry,
  ServiceField,
} from './syntax/tree.ts';

/**
 * Builders of edits of main.cf and master.cf. All are pure, change no more bytes than they must, keep
 * every comment, and follow the habits of the file: line ends, blanks around `=`, indentation of `-o`.
 * A new line at the end of a file without a last newline comes with one as an edit of its own, so that
 * several such edits can be made together.
 */

type Tree = MainCf | MasterCf;

const BLANK = /[ \t\r\n\v\f]/;

/**
 * Gives an entry or an override another value. In a value that is broken over lines the words that
 * stay keep their lines, comments between them included; white space in them counts as equal however
 * long it is. The edit covers the whole value, so that two of them for one value overlap.
 *
 * @param braces true where the release knows `-o { name = value }` (3.0)
 * @throws RangeError for a value that cannot be written there: line ends, NUL, white space at its ends, a
 *   word that begins with `#` where the old value is broken over lines; in an override, white space
 *   without braces, or unbalanced braces
 */
export function replaceValue(tree: MainCf, target: MainEntry, value: string): Edit[];
export function replaceValue(
  tree: MasterCf,
  target: Override | Argument,
  value: string,
  braces: boolean,
): Edit[];
export function replaceValue(
  tree: Tree,
  target: MainEntry | Override | Argument,
  value: string,
  braces = false,
): Edit[] {
  if (target.kind !== 'entry') return replaceOverride(tree, target, value, braces);
  checkValue(value);
  if (value === target.value) return [];
  if (target.value !== '') return rewriteValue(tree, target.line, target.valueSpan, value);
  const { text } = tree.source;
  const at = target.valueSpan.start;
  const end = skipSpace(text, at, contentEnd(tree, lineAt(tree, Math.max(0, at - 1))));
  const blanks = text.slice(at, end) || mainEquals(tree as MainCf).after;
  return [edit(tree, at, end, blanks + value)];
}

/**
 * Gives an override another value, in the form that it needs: what stands in braces stays there, white
 * space puts it there, and what the daemon misreads (`-o{a=b}`, `-o a = b`, `-o a=b, c`) is written so
 * that it works, its stray words included.
 *
 * @param target an override, or a bad override of which it is known what it meant
 * @throws RangeError as {@link replaceValue}, and for a bad override whose meaning is not known
 */
export function replaceOverride(
  tree: Tree,
  target: Override | Argument,
  value: string,
  braces: boolean,
): Edit[] {
  checkValue(value);
  const { text } = tree.source;
  if (target.kind !== 'override' && target.meant === null) {
    throw new RangeError(`nothing to give a value to: ${target.text}`);
  }
  if (target.kind === 'override' && target.meant === null) {
    // A word in braces as a whole, `{-o a=b}`, is as good as the braced form.
    const inBraces =
      target.form === 'braced' || (target.form === 'joined' && text.startsWith('{', target.span.start));
    if (value === target.value && (braces || !inBraces)) return [];
    if (inBraces && braces) {
      checkBraces(target.name + value);
      if (target.value === '') {
        const blank = text.charAt(target.valueSpan.start - 2) === ' ' ? ' ' : '';
        return [edit(tree, target.valueSpan.start, target.valueSpan.end, blank + value)];
      }
      return rewriteValue(tree, lineOf(tree, target.span), target.valueSpan, value);
    }
    if (!inBraces && !BLANK.test(value)) {
      checkBraces(target.name + value);
      return [cut(tree, target.valueSpan, value, true)];
    }
  }
  const { name, nameSpan } = target.meant ?? (target as Override);
  const assignment = formatAssignment(name, value, braces);
  let { start } = nameSpan;
  const brace = text.lastIndexOf('{', start - 1);
  if (brace >= target.span.start && skipSpace(text, brace + 1, start) === start) start = brace;
  if (text.startsWith('{', target.span.start)) start = target.span.start;
  const span = { start, end: fullSpan(target).end };
  if (start === target.span.start) return [cut(tree, span, `-o ${assignment}`, true)];
  return [cut(tree, span, isSpace(text.charCodeAt(start - 1)) ? assignment : ` ${assignment}`, true)];
}

/** Removes an entry: its text lines and continuations; comments and blank lines between them stay. */
export function removeEntry(tree: MainCf, entry: MainEntry): Edit[] {
  const edits: Edit[] = [];
  let start = -1;
  for (let index = entry.line.firstLine; index < entry.line.endLine; index++) {
    const { kind, span } = physical(tree, index);
    const last = index + 1 === entry.line.endLine;
    const kept = kind === 'comment' || kind === 'blank';
    if (!kept && start < 0) start = span.start;
    if (start >= 0 && (kept || last)) {
      edits.push(edit(tree, start, kept ? span.start : span.end, ''));
      start = -1;
    }
  }
  return edits;
}

/**
 * Adds `name = value` as a line of its own: after the last entry of the first name in `near` that the
 * file has; else after the entry whose name shares the most leading words (`smtpd_tls_`) with the new
 * one, the last of several; else at the end. Whether the name is there already is not looked at.
 *
 * @throws RangeError for a name or value that would not be read back as it is
 */
export function addEntry(tree: MainCf, name: string, value: string, near: readonly string[] = []): Edit[] {
  checkName(name);
  checkValue(value);
  const entries = tree.items.filter((item) => item.kind === 'entry');
  const kin = findKin(entries, name, near);
  const equals = mainEquals(tree, kin);
  const line = `${name}${equals.before(name)}=${value === '' ? '' : equals.after}${value}`;
  return insertLine(tree, kin === undefined ? tree.source.text.length : kin.line.span.end, line);
}

/**
 * Adds an override to a service, as a line of its own below its last `-o` line, or below the service
 * where it has none; always before what ends the options (a command, a stray word, `--`).
 *
 * @throws RangeError for a name or value that would not be read back as it is; white space needs braces
 */
export function addOverride(
  tree: MasterCf,
  service: ServiceEntry,
  name: string,
  value: string,
  braces: boolean,
): Edit[] {
  checkName(name);
  checkValue(value);
  const override = `-o ${formatAssignment(name, value, braces)}`;
  const { text } = tree.source;
  const live = liveArguments(tree, service);
  const stop = service.arguments[live.length];
  const anchor = live.findLast(({ kind }) => kind === 'override') ?? live.at(-1);
  const indent = overrideIndent(tree, service);

  // Nothing that comes after a NUL is read: the new one goes right behind the last that is.
  const nul = text.indexOf('\0', service.line.span.start);
  if (nul >= 0 && nul < service.line.span.end) {
    const end = (live.at(-1) ?? service.fields.command).span.end;
    return [edit(tree, end, end, ` ${override}`)];
  }

  let line = lineAt(tree, (anchor ?? service.fields.command).span.end - 1);
  for (const argument of live) {
    if (lineAt(tree, argument.span.start) === line) line = lineAt(tree, argument.span.end - 1);
  }
  if (stop === undefined || lineAt(tree, stop.span.start) > line) {
    return insertLine(tree, physical(tree, line).span.end, indent + override);
  }

  // Something that ends the options stands on the same line: above that line, where it is not the service's own.
  for (const argument of live.toReversed()) {
    if (lineAt(tree, argument.span.end - 1) === line) line = lineAt(tree, argument.span.start);
  }
  const first = lineAt(tree, service.fields.command.span.start);
  if (line > first) return insertLine(tree, physical(tree, line).span.start, indent + override);
  const { end } = (live.at(-1) ?? service.fields.command).span;
  if (text[stop.span.start] === '#') return [edit(tree, end, end, ` ${override}`)];
  const newLine = lineEnd(tree) + indent;
  return [edit(tree, end, end, newLine + override), edit(tree, end, stop.span.start, newLine)];
}

/**
 * Removes an override, its line too where it stands alone; with it the stray words that were meant as
 * its value. Of `-vo name=value` the `-v` stays; comments between its lines stay.
 */
export function removeOverride(tree: MasterCf, _service: ServiceEntry, target: Override | Argument): Edit[] {
  return [cut(tree, fullSpan(target), '')];
}

/**
 * Moves a comment that stands behind other text, and so is no comment, to a line of its own above the
 * physical line, at its first column. A comment between a line and its continuation is allowed.
 *
 * @param at offset of the `#`
 * @throws RangeError where no comment behind other text begins at `at`, or where it holds the brace that closes a value
 */
export function moveTrailingComment(tree: Tree, at: number): Edit[] {
  const { text } = tree.source;
  const index = lineAt(tree, at);
  const { kind, span } = physical(tree, index);
  if (text[at] !== '#' || kind === 'comment' || kind === 'blank') {
    throw new RangeError(`no comment behind other text at offset ${at}`);
  }
  const end = trimSpace(text, at, contentEnd(tree, index));
  if (tree.kind === 'master.cf') {
    for (const item of tree.items) {
      if (item.kind !== 'service' || item.line.span.start > at || item.line.span.end <= at) continue;
      const around = item.arguments.find((argument) => argument.span.start < at && argument.span.end > at);
      if (around !== undefined && text.slice(at, around.span.end).includes('}')) {
        throw new RangeError(`the comment at offset ${at} stands inside braces`);
      }
    }
  }
  return [
    edit(tree, span.start, span.start, text.slice(at, end) + lineEnd(tree)),
    cut(tree, { start: at, end }, ''),
  ];
}

/**
 * Gives one of the eight fields of a service another text.
 *
 * @throws RangeError for a text that is no field: empty, with white space or NUL, or a comment
 */
export function replaceField(
  tree: MasterCf,
  service: ServiceEntry,
  field: ServiceField,
  text: string,
): Edit[] {
  const { span } = service.fields[field];
  if (
    text === '' ||
    BLANK.test(text) ||
    text.includes('\0') ||
    (field === 'service' && text.startsWith('#'))
  ) {
    throw new RangeError(`not a field of master.cf: ${JSON.stringify(text)}`);
  }
  return text === service.fields[field].text ? [] : [edit(tree, span.start, span.end, text)];
}

// What may be written

function checkName(name: string): void {
  if (name === '' || BLANK.test(name) || /[=\0]/.test(name) || name.startsWith('#')) {
    throw new RangeError(`not a parameter name: ${JSON.stringify(name)}`);
  }
}

function checkValue(value: string): void {
  const trimmed =
    skipSpace(value, 0, value.length) === 0 && trimSpace(value, 0, value.length) === value.length;
  if (/[\n\0]/.test(value) || !trimmed) throw new RangeError(`not a value: ${JSON.stringify(value)}`);
}

/** A value with an odd brace would swallow what follows, or end the braces that it stands in. */
function checkBraces(value: string): void {
  let level = 0;
  for (const letter of value) {
    if (letter === '{') level++;
    if (letter === '}') level--;
    if (level < 0) break;
  }
  if (level !== 0) throw new RangeError(`unbalanced braces: ${JSON.stringify(value)}`);
}

/** `name=value`, or `{ name = value }` where the value has white space. */
function formatAssignment(name: string, value: string, braces: boolean): string {
  checkBraces(name + value);
  if (name.startsWith('{')) throw new RangeError(`not a parameter name: ${JSON.stringify(name)}`);
  if (!BLANK.test(value)) return `${name}=${value}`;
  if (!braces) throw new RangeError(`white space in an override: ${JSON.stringify(value)}`);
  return `{ ${name} = ${value} }`;
}

// Places

function edit(tree: Tree, start: number, end: number, text: string): Edit {
  return { path: tree.source.path, span: { start, end }, text };
}

/** Index of the physical line that holds an offset; the last line for the end of the text. */
function lineAt(tree: Tree, offset: number): number {
  let low = 0;
  let high = tree.lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (physical(tree, middle).span.start <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function physical(tree: Tree, index: number): PhysicalLine {
  const line = tree.lines[index];
  if (line === undefined) throw new RangeError(`no line ${index}`);
  return line;
}

/** End of a physical line without its line end, `\n` or `\r\n`. */
function contentEnd(tree: Tree, index: number): number {
  const { text } = tree.source;
  const { start, end } = physical(tree, index).span;
  if (end === start || text[end - 1] !== '\n') return end;
  return end - 1 > start && text[end - 2] === '\r' ? end - 2 : end - 1;
}

/** The logical line around a span. */
function lineOf(tree: Tree, { start }: Span): LogicalLine {
  for (const { line } of tree.items) {
    if (line.span.start <= start && start < line.span.end) return line;
  }
  throw new RangeError(`no entry at offset ${start}`);
}

/** An argument together with the stray words that belong to it. */
function fullSpan(target: Override | Argument): Span {
  return { start: target.span.start, end: Math.max(target.span.end, target.meant?.valueSpan.end ?? 0) };
}

/** The options of a service before anything that ends them, or that would swallow what comes after. */
function liveArguments(tree: MasterCf, service: ServiceEntry): readonly ServiceArgument[] {
  const open = tree.problems.find(
    ({ code, span }) =>
      code === 'unclosed-brace' && span.start >= service.line.span.start && span.end <= service.line.span.end,
  );
  const end = service.arguments.findIndex((argument) => {
    if (argument.kind !== 'override' && argument.kind !== 'option') return true;
    if (argument.kind === 'option' && /^(?:--|\{[ \t\r\n\v\f]*--[ \t\r\n\v\f]*\})$/.test(argument.text))
      return true;
    return open !== undefined && open.span.start < argument.span.end;
  });
  return end < 0 ? service.arguments : service.arguments.slice(0, end);
}

// Habits of the file

const lineEnds = new WeakMap<SourceFile, string>();

/** `\r\n` where most lines end so, else `\n`; counted once for each file. */
function lineEnd({ source }: Tree): string {
  const known = lineEnds.get(source) ?? countLineEnds(source.text);
  lineEnds.set(source, known);
  return known;
}

function countLineEnds(text: string): string {
  let crlf = 0;
  let all = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    all++;
    if (at > 0 && text[at - 1] === '\r') crlf++;
  }
  return crlf * 2 > all ? '\r\n' : '\n';
}

/** Blanks before and after `=`, as beside it or else as most entries have them; `=` stays in its column where it is aligned. */
function mainEquals(tree: MainCf, beside?: MainEntry): { before: (name: string) => string; after: string } {
  const styleOf = (entry: MainEntry): readonly [string, string] | undefined => {
    const match = /^([ \t]*)=([ \t]*)$/.exec(tree.source.slice(entry.equalsSpan));
    return match === null || entry.value === '' ? undefined : [match[1] ?? '', match[2] ?? ''];
  };
  const neighbour = beside === undefined ? undefined : styleOf(beside);
  if (beside !== undefined && neighbour !== undefined) {
    const [before, after] = neighbour;
    const column = beside.name.length + before.length;
    const aligned = before.length > 1 && !before.includes('\t');
    return { before: (name) => (aligned ? ' '.repeat(Math.max(1, column - name.length)) : before), after };
  }
  const counts = new Map<string, number>();
  for (const item of tree.items) {
    const style = item.kind === 'entry' ? styleOf(item) : undefined;
    if (style === undefined) continue;
    // Alignment differs from entry to entry: it counts as one blank.
    const key = `${style[0].length > 1 ? ' ' : style[0]}=${style[1].length > 1 ? ' ' : style[1]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [before = ' ', after = ' '] = mostCommon(counts)?.split('=') ?? [];
  return { before: () => before, after };
}

/** The key with the highest count, the first of several. */
function mostCommon(counts: ReadonlyMap<string, number>): string | undefined {
  let best: string | undefined;
  for (const [key, count] of counts) {
    if (best === undefined || count > (counts.get(best) ?? 0)) best = key;
  }
  return best;
}

/** White space in front of a place that is the first on its continuation line, else undefined. */
function indentOf(tree: Tree, offset: number): string | undefined {
  const { kind, span } = physical(tree, lineAt(tree, offset));
  if (kind !== 'continuation' || skipSpace(tree.source.text, span.start, offset) !== offset) return undefined;
  return tree.source.text.slice(span.start, offset);
}

/** Indentation of a new `-o` line: as the last of the service, else as its other continuations, as most in the file, two blanks. */
function overrideIndent(tree: MasterCf, service: ServiceEntry): string {
  const overrides = service.arguments.filter(({ kind }) => kind === 'override');
  for (const argument of [...overrides.toReversed(), ...service.arguments.toReversed()]) {
    const indent = indentOf(tree, argument.span.start);
    if (indent !== undefined) return indent;
  }
  const counts = new Map<string, number>();
  for (const item of tree.items) {
    if (item.kind !== 'service') continue;
    for (const argument of item.arguments) {
      const indent = argument.kind === 'override' ? indentOf(tree, argument.span.start) : undefined;
      if (indent !== undefined) counts.set(indent, (counts.get(indent) ?? 0) + 1);
    }
  }
  return mostCommon(counts) ?? '  ';
}

/** The entry that a new one is put after. */
function findKin(
  entries: readonly MainEntry[],
  name: string,
  near: readonly string[],
): MainEntry | undefined {
  for (const wanted of near) {
    const kin = entries.findLast((entry) => entry.name === wanted);
    if (kin !== undefined) return kin;
  }
  let best: MainEntry | undefined;
  let most = 0;
  for (const entry of entries) {
    const shared = sharedWords(entry.name, name);
    if (shared > 0 && shared >= most) {
      best = entry;
      most = shared;
    }
  }
  return best;
}

/** Length of the leading words, each with its `_`, that two names share. */
function sharedWords(a: string, b: string): number {
  let shared = 0;
  for (let at = 0; at < a.length && a[at] === b[at]; at++) {
    if (a[at] === '_') shared = at + 1;
  }
  return shared;
}

// Writing

/** A line of its own at the start of a physical line, or at the end of the text. */
function insertLine(tree: Tree, at: number, line: string): Edit[] {
  const newline = lineEnd(tree);
  const { text } = tree.source;
  const inserted = edit(tree, at, at, line + newline);
  const unfinished = at === text.length && text !== '' && !text.endsWith('\n');
  return unfinished ? [edit(tree, at, at, newline), inserted] : [inserted];
}

/** A word of a logical line, with its place in the source. */
interface Word extends Span {
  readonly text: string;
}

/**
 * Replaces the value at `span`. Where it is broken over lines, only the words between the first and the
 * last that differ change; an added word gets a line of its own where its neighbour has one.
 */
function rewriteValue(tree: Tree, line: LogicalLine, span: Span, value: string): Edit[] {
  if (!tree.source.slice(span).includes('\n')) return [cut(tree, span, value)];
  const old = wordsIn(line, span);
  const wanted = value.split(/[ \t\r\n\v\f]+/).filter((word) => word !== '');
  // At the start of a continuation such a word would be a comment.
  if (wanted.some((word) => word.startsWith('#'))) {
    throw new RangeError(`a word with # in a value of several lines: ${JSON.stringify(value)}`);
  }
  const shorter = Math.min(old.length, wanted.length);
  let before = 0;
  while (before < shorter && old[before]?.text === wanted[before]) before++;
  let after = 0;
  while (after < shorter - before && old.at(-1 - after)?.text === wanted.at(-1 - after)) after++;
  const inserted = between(value, before, wanted.length - after);
  const first = old[before];
  const last = old[old.length - 1 - after];
  if (first !== undefined && last !== undefined && before + after < old.length) {
    const indent = itemIndent(tree, first, span);
    const laidOut = indent === undefined ? inserted : onLines(inserted, lineEnd(tree) + indent);
    return [widen(tree, cut(tree, { start: first.start, end: last.end }, laidOut), span)];
  }
  const neighbour = old[Math.max(0, before - 1)];
  if (inserted === '' || neighbour === undefined) return [];
  const indent = itemIndent(tree, neighbour, span);
  const { end } = physical(tree, lineAt(tree, neighbour.start)).span;
  const { text } = tree.source;
  const itemEnd =
    before === 0
      ? indentOf(tree, neighbour.start) !== undefined
      : skipSpace(text, neighbour.end, end) === end;
  const gap = indent !== undefined && itemEnd ? lineEnd(tree) + indent : ' ';
  const laidOut = gap === ' ' ? inserted : onLines(inserted, gap);
  const at = before === 0 ? neighbour.start : neighbour.end;
  return [widen(tree, edit(tree, at, at, before === 0 ? laidOut + gap : gap + laidOut), span)];
}

/** Indentation of the continuation line of a word, where the value has one item a line there; else undefined. */
function itemIndent(tree: Tree, word: Word, value: Span): string | undefined {
  const { text } = tree.source;
  const { kind, span } = physical(tree, lineAt(tree, word.start));
  if (kind !== 'continuation') return undefined;
  const start = skipSpace(text, span.start, span.end);
  const content = text.slice(start, trimSpace(text, start, span.end));
  const oneItem = tree.source.slice(value).includes(',')
    ? !content.slice(0, -1).includes(',')
    : !BLANK.test(content);
  return oneItem ? text.slice(span.start, start) : undefined;
}

/** A list with a line for each item that ends with a comma. */
function onLines(list: string, gap: string): string {
  return list.replaceAll(/,[ \t\r\v\f]+/g, () => `,${gap}`);
}

/** The words of a logical line that stand inside a span of the source. */
function wordsIn(line: LogicalLine, span: Span): Word[] {
  const { text } = line;
  const words: Word[] = [];
  for (const piece of line.pieces) {
    let at = piece.at + Math.max(0, Math.min(span.start - piece.source, piece.length));
    const until = piece.at + Math.max(0, Math.min(span.end - piece.source, piece.length));
    for (at = skipSpace(text, at, until); at < until; at = skipSpace(text, at, until)) {
      const start = at;
      while (at < until && !isSpace(text.charCodeAt(at))) at++;
      words.push({
        text: text.slice(start, at),
        start: sourceOffset(line, start),
        end: sourceOffset(line, at - 1) + 1,
      });
    }
  }
  return words;
}

/** The part of a text from its word `from` to before its word `to`, as written. */
function between(text: string, from: number, to: number): string {
  let index = 0;
  let start = text.length;
  let end = text.length;
  for (let at = skipSpace(text, 0, text.length); at < text.length; at = skipSpace(text, at, text.length)) {
    if (index === from) start = at;
    while (at < text.length && !isSpace(text.charCodeAt(at))) at++;
    if (index === to - 1) end = at;
    index++;
  }
  return from < to ? text.slice(start, end) : '';
}

/** The same edit over at least the span. */
function widen(tree: Tree, { span: inner, text }: Edit, outer: Span): Edit {
  const before = tree.source.text.slice(outer.start, Math.max(outer.start, inner.start));
  const after = tree.source.text.slice(inner.end, Math.max(inner.end, outer.end));
  return edit(
    tree,
    Math.min(inner.start, outer.start),
    Math.max(inner.end, outer.end),
    before + text + after,
  );
}

/**
 * Replaces a span of a logical line by a text, or removes it. Comments and blank lines
 * inside the span stay where they are; lines that have nothing left go; blanks that would be left at
 * the end of a line, or twice between words, go too.
 *
 * @param exact keep the blanks around the span even where nothing replaces it
 */
function cut(tree: Tree, { start, end }: Span, replacement: string, exact = false): Edit {
  const { text } = tree.source;
  const first = lineAt(tree, start);
  const last = end > start ? lineAt(tree, end - 1) : first;
  const head = physical(tree, first).span;
  const tail = physical(tree, last).span;
  const nothingBefore = skipSpace(text, head.start, start) === start;
  const next = skipSpace(text, end, contentEnd(tree, last));
  const nothingAfter = next === contentEnd(tree, last);
  const remove = replacement === '' && !exact;

  if (first === last) {
    if (!remove) return edit(tree, start, end, replacement);
    if (nothingBefore && nothingAfter) return edit(tree, head.start, head.end, '');
    if (nothingAfter) return edit(tree, trimSpace(text, head.start, start), next, '');
    return edit(tree, start, isSpace(text.charCodeAt(start - 1)) ? next : end, '');
  }

  let from = start;
  let result = replacement;
  if (remove && nothingBefore) from = head.start;
  else {
    if (remove) from = trimSpace(text, head.start, start);
    result += text.slice(contentEnd(tree, first), head.end);
  }
  for (let index = first + 1; index < last; index++) {
    const { kind, span } = physical(tree, index);
    if (kind === 'comment' || kind === 'blank') result += text.slice(span.start, span.end);
  }
  if (nothingAfter) return edit(tree, from, tail.end, result);
  result += text.slice(tail.start, skipSpace(text, tail.start, end));
  return edit(tree, from, next, result);
}
