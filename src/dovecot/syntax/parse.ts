import { oncePerSource, type SourceFile } from '../../text/source.ts';
import type { Dialect } from './dialect.ts';
import { LineReader, skipBlanks, sourceSpan } from './lines.ts';
import type {
  DovecotFile,
  FatalSyntax,
  InvalidStatement,
  LogicalLine,
  Statement,
  ValueForm,
} from './tree.ts';

/**
 * Takes one file apart as a release does. Never throws; linear in the size of the text.
 *
 * Source: config_parse_line() of config-parser.c. What a key means, whether a section may stand where it
 * stands, and whether braces balance is not looked at here.
 */
export function parseDovecot(source: SourceFile, dialect: Dialect): DovecotFile {
  let parse = parsers.get(dialect);
  if (parse === undefined) parsers.set(dialect, (parse = oncePerSource((one) => parseOnce(one, dialect))));
  return parse(source);
}

/** By dialect, what parses with it. */
const parsers = new Map<Dialect, (source: SourceFile) => DovecotFile>();

function parseOnce(source: SourceFile, dialect: Dialect): DovecotFile {
  const reader = new LineReader(source, dialect);
  const statements: Statement[] = [];
  for (let line = reader.next(); line !== null; line = reader.next()) {
    const statement = statementOf(line, dialect, reader);
    if (statement.kind === 'invalid') reader.problems.push(statement.problem);
    statements.push(statement);
  }
  return { source, lines: reader.lines, statements, problems: reader.problems };
}

/** A line as far as it is read. */
interface Cursor {
  readonly line: LogicalLine;
  readonly text: string;
  readonly dialect: Dialect;
}

function statementOf(line: LogicalLine, dialect: Dialect, reader: LineReader): Statement {
  const { text } = line;
  const cursor: Cursor = { line, text, dialect };
  const key = keyOf(cursor);
  if (key.kind === 'invalid') return key;
  const at = skipBlanks(text, key.end, text.length, dialect);
  const keySpan = sourceSpan(line, 0, key.end);

  if (key.text === '!include' || key.text === '!include_try') {
    const pattern = text.slice(at);
    const patternSpan = sourceSpan(line, at, text.length);
    return { kind: 'include', line, optional: key.text === '!include_try', keySpan, pattern, patternSpan };
  }
  if (text[at] === '=') {
    const start = skipBlanks(text, at + 1, text.length, dialect);
    return settingOf(cursor, { key: key.text, keySpan, keyQuoted: key.quoted }, start, reader);
  }
  if (key.text === '}' && at === text.length)
    return { kind: 'end', line, span: sourceSpan(line, 0, text.length) };
  if (text[at] === '{') return sectionOf(cursor, { key: key.text, keySpan, group: false }, null, at);
  if (dialect.groups && key.text === 'group') return groupOf(cursor, at);
  const name = nameOf(cursor, at);
  if (name.kind === 'invalid') return name;
  return sectionOf(cursor, { key: key.text, keySpan, group: false }, name, name.next);
}

/** What stands before white space, `=` or the end; in quotes where the release knows that. */
function keyOf(
  cursor: Cursor,
):
  | { readonly kind: 'key'; readonly text: string; readonly end: number; readonly quoted: boolean }
  | InvalidStatement {
  const { text, dialect } = cursor;
  if (dialect.quotedKeys && text.startsWith('"')) {
    let at = 1;
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' && at + 1 < text.length ? 2 : 1;
    const inner = text.slice(1, at);
    const end = Math.min(at + 1, text.length);
    if (!dialect.keyEscapes) return { kind: 'key', text: inner, end, quoted: true };
    const unescaped = unescape(cursor, inner, 1);
    return typeof unescaped === 'string' ? { kind: 'key', text: unescaped, end, quoted: true } : unescaped;
  }
  let end = 0;
  while (end < text.length && text[end] !== '=' && !dialect.isBlank(text.charCodeAt(end))) end++;
  return { kind: 'key', text: text.slice(0, end), end, quoted: false };
}

function settingOf(
  cursor: Cursor,
  key: { readonly key: string; readonly keySpan: LogicalLine['span']; readonly keyQuoted: boolean },
  start: number,
  reader: LineReader,
): Statement {
  const { line, text, dialect } = cursor;
  const written = text.slice(start);
  const setting = (form: ValueForm, value: string): Statement => {
    return { kind: 'setting', line, ...key, form, value, valueSpan: sourceSpan(line, start, text.length) };
  };
  if (dialect.heredoc && written.startsWith('<<')) {
    const marker = text.slice(skipBlanks(text, start + 2, text.length, dialect));
    if (marker !== '') {
      const { content, span, closed } = reader.heredoc(marker);
      const whole = {
        ...line,
        span: { start: line.span.start, end: reader.lines.at(-1)?.span.end ?? span.end },
        endLine: reader.lines.length,
      };
      if (!closed) return invalid({ ...cursor, line: whole }, 'marker-missing', start, text.length, marker);
      const valueSpan = { start: sourceSpan(line, start, text.length).start, end: span.end };
      return { kind: 'setting', line: whole, ...key, form: 'heredoc', value: content, valueSpan };
    }
  }
  if (written.startsWith('<'))
    return setting('file', text.slice(skipBlanks(text, start + 1, text.length, dialect)));
  const [first] = written;
  if (first !== '"' && first !== "'") {
    const refers = dialect.variablesAnywhere ? written.includes('$') : first === '$';
    return setting(refers ? 'variables' : 'plain', written);
  }
  if (written.at(-1) !== first) return setting('plain', written);
  const value = unescape(cursor, written.slice(1, -1), start + 1);
  return typeof value === 'string' ? setting('quoted', value) : value;
}

/** `@label name {`: a label and a name, neither with quotes. */
function groupOf(cursor: Cursor, at: number): Statement {
  const { line, text, dialect } = cursor;
  const labelEnd = wordEnd(cursor, at);
  if (labelEnd === text.length) return invalid(cursor, 'group-name-missing', 0, text.length);
  const name = skipBlanks(text, labelEnd, text.length, dialect);
  const nameEnd = wordEnd(cursor, name);
  const brace = skipBlanks(text, nameEnd, text.length, dialect);
  if (nameEnd === text.length || text[brace] !== '{')
    return invalid(cursor, 'brace-expected', 0, text.length);
  const key = { key: text.slice(at, labelEnd), keySpan: sourceSpan(line, at, labelEnd), group: true };
  return sectionOf(
    cursor,
    key,
    { text: text.slice(name, nameEnd), start: name, end: nameEnd, quoted: false },
    brace,
  );
}

interface Name {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

/** The name of a section and where its brace is; in double quotes, which end at the next one whatever stands before it. */
function nameOf(
  cursor: Cursor,
  at: number,
): (Name & { readonly kind: 'name'; readonly next: number }) | InvalidStatement {
  const { text, dialect } = cursor;
  const expected = (): InvalidStatement => invalid(cursor, 'brace-expected', 0, text.length);
  if (text[at] !== '"') {
    const end = wordEnd(cursor, at);
    const next = skipBlanks(text, end, text.length, dialect);
    if (text[next] !== '{') return expected();
    return { kind: 'name', text: text.slice(at, end), start: at, end, quoted: false, next };
  }
  const close = text.indexOf('"', at + 1);
  const next = close < 0 ? text.length : skipBlanks(text, close + 1, text.length, dialect);
  const name = close < 0 ? '' : unescape(cursor, text.slice(at + 1, close), at + 1);
  if (typeof name !== 'string') return name;
  if (text[next] !== '{') return expected();
  return { kind: 'name', text: name, start: at, end: close + 1, quoted: true, next };
}

function sectionOf(
  cursor: Cursor,
  key: { readonly key: string; readonly keySpan: LogicalLine['span']; readonly group: boolean },
  name: Name | null,
  brace: number,
): Statement {
  const { line, text } = cursor;
  if (brace + 1 < text.length) return invalid(cursor, 'text-after-brace', brace + 1, text.length);
  return {
    kind: 'section',
    line,
    ...key,
    name: name?.text ?? '',
    nameSpan: name === null ? null : sourceSpan(line, name.start, name.end),
    nameQuoted: name?.quoted ?? false,
  };
}

function wordEnd({ text, dialect }: Cursor, start: number): number {
  let at = start;
  while (at < text.length && !dialect.isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** A text without its backslashes; a lone one at the end is dropped (str_unescape(), config_str_unescape()). */
function unescape(cursor: Cursor, text: string, start: number): string | InvalidStatement {
  if (!text.includes('\\')) return text;
  let result = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') {
      result += text[at] ?? '';
      continue;
    }
    at++;
    const char = text[at] ?? '';
    if (cursor.dialect.strictEscapes && char !== '\\' && char !== '"')
      return invalid(
        cursor,
        'unknown-escape',
        start + at - 1,
        Math.min(start + at + 1, cursor.text.length),
        char,
      );
    result += char;
  }
  return result;
}

function invalid(
  { line }: Cursor,
  code: FatalSyntax,
  start: number,
  end: number,
  detail = '',
): InvalidStatement {
  return { kind: 'invalid', line, problem: { code, span: sourceSpan(line, start, end), detail } };
}
