import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import { replaceField } from '../../postfix/edits.ts';
import { hasFeature } from '../../postfix/parameters.ts';
import { skipSpace, trimSpace } from '../../postfix/syntax/logical-lines.ts';
import { parseMainCf } from '../../postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../../postfix/syntax/master-cf.ts';
import type {
  InvalidLine,
  LogicalLine,
  MainCf,
  MasterCf,
  ServiceArgument,
  ServiceEntry,
  ServiceField,
  SyntaxProblem,
} from '../../postfix/syntax/tree.ts';
import { checkValue } from '../../postfix/values.ts';
import type { Edit } from '../../text/edits.ts';
import { SourceFile, type Span } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { directiveAt } from '../silencing/comment.ts';
import { type LookAlike, lookAlikeName, lookAlikes } from './look-alikes.ts';
import { isTemplated, serviceComments, textLines } from './misread-lines.ts';
import { isDaemon } from './programs.ts';
import { indentedServices } from './swallowed-services.ts';

/** What stops Postfix, or makes it drop a line (postfix-language §1, §2, §4). */

type Tree = MainCf | MasterCf;

function* syntax({ postfix }: CheckContext): Iterable<Report> {
  const { main, master } = postfix;
  if (main !== null) {
    const encoding = encodingReport(main);
    if (encoding !== null) yield encoding;
    else {
      yield* mainProblems(postfix, main);
      yield* lookAlikeReports(postfix, main);
    }
  }
  if (master !== null) {
    const encoding = encodingReport(master);
    if (encoding !== null) yield encoding;
    else {
      yield* masterProblems(postfix, master);
      yield* deadlyArguments(postfix, master);
    }
  }
}

// Both files

/** A file whose bytes are no text to Postfix at all: one finding, not one for each line. */
function encodingReport(tree: Tree): Report | null {
  const { source } = tree;
  const { text } = source;
  const at = { source, span: source.lineSpan(1) };
  const file = fileName(tree);
  if (/^(?:\u00ff\u00fe|\u00fe\u00ff)/.test(text) && text.includes('\0')) {
    return { message: 'utf16', at, data: { file } };
  }
  if (!text.includes('\n') && /\r[^\r]/.test(text))
    return { message: 'carriage-returns', at, data: { file } };
  return null;
}

function fileName(tree: Tree): string {
  return tree.kind;
}

function replacement(tree: Tree, span: Span, text: string): Edit {
  return { path: tree.source.path, span, text };
}

/** A fix that writes no setting that other rules know of: places alone keep it apart from others. */
function fixOf(title: string, edits: readonly Edit[], safe = true): ProposedFix {
  return { title, edits, writes: [], safe };
}

/** What the file would be with some edits of one line; the problems that are left in it. */
function reparsed(tree: Tree, text: string): MainCf | MasterCf {
  const source = new SourceFile(tree.source.path, text, tree.source.encoding);
  return tree.kind === 'main.cf' ? parseMainCf(source) : parseMasterCf(source);
}

function indentedFirst(
  postfix: CheckContext['postfix'],
  tree: Tree,
  problem: SyntaxProblem,
  line: LogicalLine,
): Report {
  const lines = textLines(tree, line);
  const { text } = tree.source;
  const starts = lines.map(({ index }) => tree.lines[index]?.span.start ?? 0);
  const indents = lines.map(({ start }, index) => text.slice(starts[index], start));
  const common = commonStart(indents);
  const edits =
    common === '' ? [] : starts.map((start) => replacement(tree, { start, end: start + common.length }, ''));
  const outcome = reparsed(
    tree,
    lines
      .map(
        ({ start, end }, index) =>
          `${(indents[index] ?? '').slice(common.length)}${text.slice(start, end)}\n`,
      )
      .join(''),
  );
  const good =
    outcome.problems.length === 0 &&
    outcome.items.every(
      (item) => item.kind === 'service' || (item.kind === 'entry' && postfix.parameter(item.name) !== null),
    );
  return {
    message: 'indented-first',
    at: { source: tree.source, span: problem.span },
    data: { file: fileName(tree), lines: lines.length },
    fix:
      good && edits.length > 0
        ? fixOf(
            lines.length === 1
              ? 'remove the white space before it'
              : `remove the white space before these ${lines.length} lines`,
            edits,
            lines.length === 1,
          )
        : null,
  };
}

function commonStart(texts: readonly string[]): string {
  let common = texts[0] ?? '';
  for (const text of texts) {
    let length = 0;
    while (length < common.length && common[length] === text[length]) length++;
    common = common.slice(0, length);
  }
  return common;
}

function nullByte(tree: Tree, problem: SyntaxProblem): Report {
  const { text } = tree.source;
  const newline = text.indexOf('\n', problem.span.start);
  const end = newline < 0 ? text.length : newline;
  const nothingAfter = /^[\0\s]*$/.test(text.slice(problem.span.start, end));
  return {
    message: 'null-byte',
    at: { source: tree.source, span: problem.span },
    data: { file: fileName(tree) },
    fix: nothingAfter
      ? fixOf('remove the NUL', [
          replacement(tree, { start: problem.span.start, end: trimNul(text, problem.span.start, end) }, ''),
        ])
      : null,
  };
}

/** End of the NULs that begin at an offset. */
function trimNul(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && text[at] === '\0') at++;
  return at;
}

function byteOrderMark(tree: Tree, problem: SyntaxProblem): Report {
  const [first] = tree.items;
  const fatal = first === undefined || first.line.firstLine > 0 ? false : first.kind === 'invalid';
  return {
    message: fatal ? 'byte-order-mark-fatal' : 'byte-order-mark',
    at: { source: tree.source, span: problem.span },
    data: { file: fileName(tree), text: firstLineText(tree, problem.span.end) },
    fix: fixOf('remove the byte order mark', [replacement(tree, problem.span, '')]),
  };
}

function firstLineText(tree: Tree, from: number): string {
  const { end } = tree.source.lineSpan(1);
  return excerpt(tree.source.text.slice(from, end).trim());
}

function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

// main.cf

function* mainProblems(postfix: CheckContext['postfix'], main: MainCf): Iterable<Report> {
  const byLine = invalidByStart(main.items);
  const mark = main.problems.find(({ code }) => code === 'byte-order-mark');
  for (const problem of main.problems) {
    const at = { source: main.source, span: problem.span };
    if (problem.code === 'byte-order-mark') yield byteOrderMark(main, problem);
    else if (problem.code === 'null-byte') yield nullByte(main, problem);
    else {
      const item = itemAround(byLine, problem.span);
      if (item === undefined) continue;
      if (mark !== undefined && item.line.firstLine === 0) continue;
      const text = item.line.text.trim();
      if (isTemplated(text)) continue;
      if (/^(?:<{7}|>{7}|={7}|\|{7})(?:\s|$)/.test(text)) {
        yield {
          message: 'merge-conflict',
          at: { source: main.source, span: wholeLine(main, item.line) },
          data: { text: excerpt(text) },
        };
      } else if (problem.code === 'indented-first') yield indentedFirst(postfix, main, problem, item.line);
      else if (problem.code === 'missing-name')
        yield { message: 'missing-name', at, data: { text: excerpt(text) } };
      else yield missingEquals(postfix, main, item, text);
    }
  }
}

function invalidByStart(
  items: readonly (InvalidLine | { readonly kind: string; readonly line: LogicalLine })[],
): readonly InvalidLine[] {
  return items.filter((item): item is InvalidLine => item.kind === 'invalid');
}

/** The item whose logical line holds the start of a span; items in the order of the file. */
function itemAround<T extends { readonly line: LogicalLine }>(
  items: readonly T[],
  span: Span,
): T | undefined {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((items[middle]?.line.span.start ?? 0) <= span.start) low = middle;
    else high = middle - 1;
  }
  const found = items[low];
  return found !== undefined && span.start >= found.line.span.start && span.start < found.line.span.end
    ? found
    : undefined;
}

/** Index of an item; items in the order of the file. */
function indexOfItem(
  items: readonly { readonly line: LogicalLine }[],
  item: { readonly line: LogicalLine },
): number {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.line.span.start ?? 0) < item.line.span.start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** From the first to the last character of a logical line that are no white space. */
function wholeLine(tree: Tree, line: LogicalLine): Span {
  const { text } = tree.source;
  const start = skipSpace(text, line.span.start, line.span.end);
  return { start, end: trimSpace(text, start, line.span.end) };
}

function missingEquals(
  postfix: CheckContext['postfix'],
  main: MainCf,
  item: InvalidLine,
  text: string,
): Report {
  const { source } = main;
  const [first] = textLines(main, item.line);
  const span = first === undefined ? item.line.span : { start: first.start, end: first.end };
  const report = {
    message: 'missing-equals',
    at: { source, span },
    data: { text: excerpt(text), meant: '' },
  };
  const written = source.slice(span);
  if (/^(?:;|\/\/)/.test(written)) {
    return {
      ...report,
      message: 'comment-sign',
      data: { text: excerpt(text) },
      fix: fixOf('make it a comment', commentOut(main, item.line)),
    };
  }
  const [, name = '', between = '', value = ''] = /^([A-Za-z0-9_]+)(\s*:\s*|\s+)(\S.*)$/s.exec(written) ?? [];
  const parameter = postfix.parameter(name);
  if (parameter !== null && checkValue(parameter, value, postfix.release) === null) {
    const start = span.start + name.length;
    return {
      ...report,
      data: { text: excerpt(text), meant: `${name} = ${excerpt(value)}` },
      fix: fixOf('write the missing "="', [replacement(main, { start, end: start + between.length }, ' = ')]),
    };
  }
  const above = continuedEntry(main, item);
  if (above !== null) {
    return {
      ...report,
      message: 'missing-indent',
      data: { text: excerpt(text), above },
      fix: fixOf(`indent it, as the rest of ${above}`, [
        replacement(main, { start: span.start, end: span.start }, '    '),
      ]),
    };
  }
  return report;
}

function commentOut(tree: Tree, line: LogicalLine): Edit[] {
  return textLines(tree, line).map(({ index, start }) => {
    const at = tree.lines[index]?.span.start ?? start;
    return replacement(tree, { start: at, end: at }, '#');
  });
}

/** Name of the entry right above whose list is not ended: it is empty, or ends with a comma. */
function continuedEntry(main: MainCf, item: InvalidLine): string | null {
  const above = main.items[indexOfItem(main.items, item) - 1];
  if (above?.kind !== 'entry' || (above.value !== '' && !above.value.endsWith(','))) return null;
  for (let index = above.line.endLine; index < item.line.firstLine; index++) {
    if (main.lines[index]?.kind !== 'comment') return null;
  }
  return above.name;
}

// Letters that look like others

/** Types whose values may be any text. */
const FREE_TEXT: ReadonlySet<string> = new Set(['string', 'raw-string', 'path']);

function* lookAlikeReports(postfix: CheckContext['postfix'], main: MainCf): Iterable<Report> {
  const first = main.problems.some(({ code }) => code === 'byte-order-mark') ? 0 : -1;
  for (const item of main.items) {
    if (item.kind !== 'entry' || item.line.firstLine === first) continue;
    const inName = lookAlikes(main.source, item.nameSpan);
    const type = postfix.parameter(item.name)?.type ?? 'string';
    const inValue = FREE_TEXT.has(type)
      ? []
      : lookAlikes(main.source, item.valueSpan).filter(({ at }) => !isComment(main, at));
    yield* lookAlikeReport(main, item.name, [...inName, ...inValue], inName.length > 0, [
      `main.cf:${item.name}`,
    ]);
  }
  const { master } = postfix;
  if (master === null) return;
  for (const setting of postfix.settings()) {
    if (setting.kind !== 'override') continue;
    const inName = lookAlikes(master.source, setting.entry.nameSpan);
    const type = postfix.parameter(setting.name)?.type ?? 'string';
    const inValue = FREE_TEXT.has(type) ? [] : lookAlikes(master.source, setting.entry.valueSpan);
    yield* lookAlikeReport(master, setting.name, [...inName, ...inValue], inName.length > 0, [
      `${setting.service.id}:${setting.name}`,
    ]);
  }
}

/** True for an offset on a comment line between the lines of a value. */
function isComment(main: MainCf, at: number): boolean {
  const { line } = main.source.position(at);
  return main.lines[line - 1]?.kind === 'comment';
}

function* lookAlikeReport(
  tree: Tree,
  setting: string,
  found: readonly LookAlike[],
  inName: boolean,
  writes: readonly string[],
): Iterable<Report> {
  const [first] = found;
  if (first === undefined) return;
  yield {
    message: inName ? 'look-alike-name' : 'look-alike-value',
    at: { source: tree.source, span: { start: first.at, end: first.at + 1 } },
    setting,
    data: { character: lookAlikeName(first.character), count: found.length },
    fix: {
      title: first.plain === '' ? 'remove it' : 'replace it by a blank',
      edits: found.map(({ at, plain }) => replacement(tree, { start: at, end: at + 1 }, plain)),
      writes,
    },
  };
}

// master.cf

/** Messages about fields, and the field they are about. */
const FIELD_MESSAGES: Readonly<Record<string, string>> = {
  'bad-service-type': 'service-type',
  'bad-flag-field': 'flag-field',
  'bad-number-field': 'number-field',
  'bad-command': 'command-field',
  'inet-private': 'inet-private',
};

function* masterProblems(postfix: CheckContext['postfix'], master: MasterCf): Iterable<Report> {
  const invalid = invalidByStart(master.items);
  const services = master.items.filter((item) => item.kind === 'service');
  const mark = master.problems.some(({ code }) => code === 'byte-order-mark');
  for (const problem of master.problems) {
    const at = { source: master.source, span: problem.span };
    const { code } = problem;
    if (code === 'byte-order-mark') yield byteOrderMark(master, problem);
    else if (code === 'null-byte') yield nullByte(master, problem);
    else if (code === 'indented-first' || code === 'bad-field-count') {
      const item = itemAround(invalid, problem.span);
      if (item === undefined || (mark && item.line.firstLine === 0) || isTemplated(item.line.text)) continue;
      if (code === 'indented-first') yield indentedFirst(postfix, master, problem, item.line);
      else yield fieldCount(master, item);
    } else {
      const entry = itemAround(services, problem.span);
      if (entry === undefined || isTemplated(entry.line.text)) continue;
      const field = FIELD_MESSAGES[code];
      if (field !== undefined) yield fieldReport(master, entry, field, problem);
      else if (
        (code === 'unclosed-brace' || code === 'text-after-brace') &&
        hasFeature(postfix.release, 'bracedFields')
      ) {
        // Only an argument that begins with a brace is taken apart by master(8) itself.
        const message = problem.detail.startsWith('{') ? code : `${code}-inside`;
        yield { message, at, data: { service: serviceId(entry), text: excerpt(problem.detail) } };
      }
    }
  }
  if (hasFeature(postfix.release, 'unixDgram')) return;
  for (const entry of services) {
    const { type } = entry.fields;
    if (type.text !== 'unix-dgram') continue;
    yield {
      message: 'service-type-too-new',
      at: { source: master.source, span: type.span },
      data: { service: serviceId(entry) },
    };
  }
}

function serviceId({ fields }: ServiceEntry): string {
  return `${fields.service.text}/${fields.type.text}`;
}

function fieldReport(master: MasterCf, entry: ServiceEntry, message: string, problem: SyntaxProblem): Report {
  const field = fieldAt(entry, problem.span);
  const better = message === 'inet-private' ? 'n' : betterField(entry.fields[field].text, message);
  return {
    message,
    at: { source: master.source, span: problem.span },
    data: { service: serviceId(entry), field, text: problem.detail, better: better ?? '' },
    fix: better === null ? null : fixOf(`write "${better}"`, replaceField(master, entry, field, better)),
  };
}

function fieldAt(entry: ServiceEntry, { start }: Span): ServiceField {
  const found = Object.entries(entry.fields).find(([, token]) => token.span.start === start);
  return (found?.[0] ?? 'service') as ServiceField;
}

/** What a field means that is only written in other letters. */
function betterField(text: string, message: string): string | null {
  const word = text.toLowerCase();
  if (message === 'flag-field') {
    if (word === 'y' || word === 'yes') return 'y';
    return word === 'n' || word === 'no' ? 'n' : null;
  }
  if (message === 'service-type') return ['inet', 'unix', 'fifo', 'pass'].includes(word) ? word : null;
  return null;
}

function fieldCount(master: MasterCf, item: InvalidLine): Report {
  const [first] = textLines(master, item.line);
  const span = first === undefined ? item.line.span : { start: first.start, end: first.end };
  const text = item.line.text.trim();
  const data = { text: excerpt(text), count: text.split(/[ \t\r\n]+/).length };
  const at = { source: master.source, span };
  if (/^(?:<{7}|>{7}|={7}|\|{7})(?:\s|$)/.test(text))
    return { message: 'merge-conflict', at, data: { text: excerpt(text) } };
  if (/^(?:;|\/\/)/.test(text)) {
    return {
      message: 'comment-sign',
      at,
      data: { text: excerpt(text) },
      fix: fixOf('make it a comment', commentOut(master, item.line)),
    };
  }
  if (/^-[ov]/.test(text)) {
    const above = serviceAbove(master, item);
    return {
      message: 'unindented-option',
      at,
      data: { text: excerpt(text), above: above ?? '' },
      fix:
        above === null
          ? null
          : fixOf(`indent it, as an option of ${above}`, [
              replacement(master, { start: span.start, end: span.start }, '  '),
            ]),
    };
  }
  return { message: /^[a-z0-9_]+\s*=/.test(text) ? 'main-line' : 'field-count', at, data };
}

/** True for a line that parts what is above it from what is below: not for a comment that silences a rule. */
function isBetween({ source, lines }: MasterCf, index: number): boolean {
  const line = lines[index];
  return line?.kind !== 'comment' || directiveAt(source.slice(line.span)) < 0;
}

/** So many lines without indentation are looked at below one service. */
const MOST_UNINDENTED = 30;

/** The service right above, with nothing but options that lost their indentation in between. */
function serviceAbove(master: MasterCf, item: InvalidLine): string | null {
  const at = indexOfItem(master.items, item);
  for (let index = at - 1; index >= 0 && at - index <= MOST_UNINDENTED; index--) {
    const above = master.items[index];
    const below = master.items[index + 1];
    if (above === undefined || below === undefined) return null;
    for (let line = above.line.endLine; line < below.line.firstLine; line++) {
      if (isBetween(master, line)) return null;
    }
    if (above.kind === 'service') return serviceId(above);
    if (!/^-[ov]/.test(above.line.text)) return null;
  }
  return null;
}

/** The argument that each service's program dies of, unless another rule speaks for it. */
function* deadlyArguments(postfix: PostfixConfiguration, master: MasterCf): Iterable<Report> {
  for (const entry of master.items) {
    if (entry.kind !== 'service' || isTemplated(entry.line.text)) continue;
    const program = entry.fields.command.text.replace(/^.*\//, '');
    if (!isDaemon(program)) continue;
    const index = entry.arguments.findIndex(({ kind }) => kind === 'stray' || kind === 'bad-override');
    const argument = entry.arguments[index];
    if (
      argument === undefined ||
      argument.kind === 'override' ||
      isExplained(postfix, master, entry, index, argument)
    )
      continue;
    const at = { source: master.source, span: argument.span };
    const data = { service: serviceId(entry), program, text: excerpt(argument.text) };
    if (argument.kind === 'stray')
      yield { message: argument.text.startsWith('-') ? 'option' : 'argument', at, data };
    else
      yield { message: 'override-without-equals', at, data: { ...data, name: overrideText(argument.text) } };
  }
}

function overrideText(text: string): string {
  return text.replace(/^-\w*o\s*/, '');
}

/** True where a comment, a value with blanks or an indented service is the cause: there the finding belongs. */
function isExplained(
  postfix: PostfixConfiguration,
  master: MasterCf,
  entry: ServiceEntry,
  index: number,
  argument: ServiceArgument,
): boolean {
  if (argument.meant !== null) return true;
  const { start } = argument.span;
  if (serviceComments(master, entry).some((comment) => comment.start <= start)) return true;
  if (indentedServices(master, entry).some((service) => service.span.start <= start)) return true;
  const before = entry.arguments[index - 1];
  if (before?.kind !== 'override') return false;
  return (before.meant !== null && before.meant.valueSpan.end > start) || /\S-o$/.test(before.value);
}

/** Checks about what Postfix cannot read. */
export const syntaxChecks: Readonly<Record<string, Check>> = { 'postfix/syntax': syntax };
