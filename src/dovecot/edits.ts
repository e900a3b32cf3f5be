import type { Edit } from '../text/edits.ts';
import type { Dialect } from './syntax/dialect.ts';
import type {
  DovecotFile,
  EndStatement,
  IncludeStatement,
  SectionStatement,
  SettingStatement,
  Statement,
} from './syntax/tree.ts';

/**
 * Builders of edits of one Dovecot configuration file. All are pure, change no more bytes than they
 * must, keep every comment, and follow the habits of the file: line ends, indentation, blanks around `=`.
 * A new line at the end of a file without a last newline comes with one as an edit of its own, so that
 * several such edits can be made together.
 */

/** Blanks that one level of a section is indented by, where the file does not tell. */
const STEP = '  ';

/**
 * A value as it has to be written so that the server reads it back as it is: in double quotes where it
 * would else lose its ends, a comment would begin, or a reference or a file would be meant.
 *
 * @throws RangeError for a value that no line can hold: line ends or NUL
 */
export function writtenValue(value: string, dialect: Dialect): string {
  if (/[\r\n\0]/.test(value)) throw new RangeError(`not a value: ${JSON.stringify(value)}`);
  const needsQuotes =
    // A quote without a partner would make a comment behind it part of the value.
    /^\s|\s$|\\$|^<|["'#]/.test(value) ||
    (dialect.variablesAnywhere ? value.includes('$') : value.startsWith('$'));
  return needsQuotes ? `"${value.replace(/[\\"]/g, '\\$&')}"` : value;
}

/**
 * Writes another value into a setting.
 *
 * @param written the text behind the `=`: a value by `writtenValue`, or `<` and a path
 */
export function replaceValue(file: DovecotFile, setting: SettingStatement, written: string): Edit[] {
  const { text } = file.source;
  const { start, end } = setting.valueSpan;
  if (text.slice(start, end) === written) return [];
  if (start < end) return [edit(file, start, end, written)];
  return [
    edit(file, start, end, /[=]$/.test(text.slice(0, start)) && written !== '' ? ` ${written}` : written),
  ];
}

/** Writes another key; in quotes where the old one is in quotes. */
export function renameKey(
  file: DovecotFile,
  statement: SettingStatement | SectionStatement,
  key: string,
): Edit[] {
  const { start, end } = statement.keySpan;
  const quoted = statement.kind === 'setting' && statement.keyQuoted;
  const written = quoted ? `"${key}"` : key;
  return file.source.text.slice(start, end) === written ? [] : [edit(file, start, end, written)];
}

/**
 * Removes a setting, an include or a brace with its lines; a comment behind it stays, on a line of its
 * own, and so do comments between its lines.
 */
export function removeStatement(
  file: DovecotFile,
  { line }: SettingStatement | IncludeStatement | EndStatement | SectionStatement,
): Edit[] {
  const edits: Edit[] = [];
  for (let index = line.firstLine; index < line.endLine; index++) {
    const physical = file.lines[index];
    if (physical === undefined || physical.kind === 'comment' || physical.kind === 'blank') continue;
    const { span, comment } = physical;
    if (comment === null) edits.push(edit(file, span.start, span.end, ''));
    else edits.push(edit(file, indentEnd(file, span.start), comment.start, ''));
  }
  return edits;
}

/** A setting to be added: its key, and the text behind the `=` as for `replaceValue`. */
export interface NewSetting {
  readonly key: string;
  readonly written: string;
}

/**
 * Adds a setting on the line behind another statement, indented like it.
 *
 * @param after a setting, an include or the end of a section beside which it goes
 */
export function addAfter(file: DovecotFile, after: Statement, setting: NewSetting): Edit[] {
  const indent = indentOf(file, after.line.span.start);
  return insertLine(file, after.line.span.end, settingText(file, setting, indent, after));
}

/** Adds a setting at an offset that begins a line, such as the one behind a comment that shows its default. */
export function addAtLine(file: DovecotFile, at: number, setting: NewSetting, indent: string): Edit[] {
  return insertLine(file, at, settingText(file, setting, indent));
}

/** Adds a setting as the first of a section. */
export function addInSection(file: DovecotFile, section: SectionStatement, setting: NewSetting): Edit[] {
  const indent = innerIndent(file, section);
  return insertLine(file, section.line.span.end, settingText(file, setting, indent));
}

/** Adds lines at the end of the file, or at its start. */
export function addLines(file: DovecotFile, lines: readonly string[], at: 'start' | 'end' = 'end'): Edit[] {
  const place = at === 'end' ? file.source.text.length : startOf(file);
  return insertLine(file, place, lines.join(lineEnd(file)));
}

/**
 * The lines of a section in a section: `['service auth', 'unix_listener login']` around a setting.
 *
 * @param indent what the outermost is indented by
 */
export function sectionLines(path: readonly string[], setting: NewSetting, indent = ''): string[] {
  const [outer, ...rest] = path;
  if (outer === undefined) return [`${indent}${setting.key} = ${setting.written}`.trimEnd()];
  return [`${indent}${outer} {`, ...sectionLines(rest, setting, indent + STEP), `${indent}}`];
}

/** Adds a section, itself in further ones, as the first of a section. */
export function addSectionInside(
  file: DovecotFile,
  section: SectionStatement,
  path: readonly string[],
  setting: NewSetting,
): Edit[] {
  const lines = sectionLines(path, setting, innerIndent(file, section));
  return insertLine(file, section.line.span.end, lines.join(lineEnd(file)));
}

/** Adds a section, itself in further ones, behind another one, with an empty line between. */
export function addSectionAfter(
  file: DovecotFile,
  end: Statement,
  path: readonly string[],
  setting: NewSetting,
): Edit[] {
  const lines = ['', ...sectionLines(path, setting, indentOf(file, end.line.span.start))];
  return insertLine(file, end.line.span.end, lines.join(lineEnd(file)));
}

/** A comment on a line of its own above a statement, indented like it. */
export function addCommentAbove(file: DovecotFile, statement: Statement, comment: string): Edit[] {
  const at = file.lines[statement.line.firstLine]?.span.start ?? statement.line.span.start;
  return insertLine(file, at, `${indentOf(file, statement.line.span.start)}# ${comment}`);
}

/** Where lines at the start of a file go: behind the byte order mark, should there be one. */
function startOf(file: DovecotFile): number {
  return file.problems.find(({ code }) => code === 'byte-order-mark')?.span.end ?? 0;
}

function settingText(
  file: DovecotFile,
  { key, written }: NewSetting,
  indent: string,
  like?: Statement,
): string {
  const equals = equalsOf(file, like?.kind === 'setting' ? like : undefined);
  return `${indent}${key}${written === '' ? equals.trimEnd() : equals}${written}`;
}

/** How the file writes `=`: as the setting given does, else as its first one. One that lines values up is no habit. */
function equalsOf(file: DovecotFile, like?: SettingStatement): string {
  const setting = like ?? file.statements.find((statement) => statement.kind === 'setting');
  if (setting === undefined) return ' = ';
  const between = file.source.text.slice(setting.keySpan.end, setting.valueSpan.start);
  return between === '=' ? '=' : ' = ';
}

function innerIndent(file: DovecotFile, section: SectionStatement): string {
  const index = file.statements.indexOf(section);
  const next = file.statements[index + 1];
  const own = indentOf(file, section.line.span.start);
  if (next === undefined || next.kind === 'end') return own + STEP;
  const inner = indentOf(file, next.line.span.start);
  return inner.length > own.length ? inner : own + STEP;
}

/** The white space that a line begins with. */
function indentOf(file: DovecotFile, lineStart: number): string {
  return file.source.text.slice(lineStart, indentEnd(file, lineStart));
}

function indentEnd({ source: { text } }: DovecotFile, lineStart: number): number {
  let at = lineStart;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

/** Inserts whole lines at an offset that begins a line or ends the file. */
function insertLine(file: DovecotFile, at: number, lines: string): Edit[] {
  const { text } = file.source;
  const end = lineEnd(file);
  const edits = [edit(file, at, at, `${lines}${end}`)];
  const unended = at === text.length && text !== '' && !text.endsWith('\n');
  return unended ? [edit(file, at, at, end), ...edits] : edits;
}

function lineEnd({ source: { text } }: DovecotFile): string {
  const newline = text.indexOf('\n');
  return newline > 0 && text[newline - 1] === '\r' ? '\r\n' : '\n';
}

function edit({ source }: DovecotFile, start: number, end: number, text: string): Edit {
  return { path: source.path, span: { start, end }, text };
}
