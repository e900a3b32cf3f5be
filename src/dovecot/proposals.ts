import type { Edit } from '../text/edits.ts';
import { type DovecotAssignment, scopePath } from './assignment.ts';
import type { DovecotConfiguration } from './configuration.ts';
import {
  addAfter,
  addAtLine,
  addInSection,
  addLines,
  addSectionAfter,
  addSectionInside,
  type NewSetting,
  removeStatement,
  replaceValue,
  sectionLines,
  writtenValue,
} from './edits.ts';
import type { DovecotContext, SectionRef } from './effective.ts';
import { homeOf, isOverrideFile } from './places.ts';
import { surroundings, surroundingsOf } from './surroundings.ts';
import { type Dialect, dialectOf } from './syntax/dialect.ts';
import type { DovecotFile, SectionStatement, Statement } from './syntax/tree.ts';

/** Edits together with the settings that they write, see `Fix.writes`. */
export interface Proposal {
  readonly edits: readonly Edit[];
  readonly writes: readonly string[];
}

/** What is to be written and for what it shall count. */
export interface WantedSetting {
  /** The name that the release has, inside of sections the short one: `ssl`, `port`. */
  readonly name: string;
  /** Its value, or a path that the server reads it from: then it is written with a `<`. */
  readonly value: string | { readonly contentOf: string };
  /** The sections that it counts in, outermost first: `protocol imap`; `service imap-login`, `inet_listener imaps`. */
  readonly sections?: readonly SectionRef[];
}

/**
 * Makes a setting worth a value, in the file where it belongs.
 *
 * - Where a line decides already, that line gets the value.
 * - Where a file of overrides (`local.conf`, `99-….conf`) is read behind that line, the new one goes there:
 *   what a distribution installed stays as it is.
 * - A new setting goes beside its kin: behind the last setting of the same kind, behind the comment that
 *   shows its default, or at the end of the file that the example configuration has for its kind.
 * - In a section, it goes into the section where that is opened last; a new section stands behind the last
 *   of its type.
 *
 * @param context the connection for which the value is wanted, so that the line is found that decides for
 *   it; a new line goes outside of all filters, unless `sections` names one
 * @returns null where nothing can be written: no file is there, or the line that decides is no `key = value`
 */
export function proposeSetting(
  configuration: DovecotConfiguration,
  wanted: WantedSetting,
  context: DovecotContext = {},
): Proposal | null {
  const dialect = dialectOf(configuration.release);
  const setting = { key: wanted.name, written: writtenText(wanted.value, dialect) };
  const sections = wanted.sections ?? [];
  const effective = configuration.get(wanted.name, {
    ...context,
    ...connectionOf(sections),
    sections: tableSections(sections),
  });
  const deciding = effective.assignment;
  // Words of a list that stand in a block are no line that could get the whole value.
  if (deciding !== null && deciding.scope.kind === 'list') return null;
  const writes = [`dovecot:${[...sections.map(headerOf), effective.name].join('/')}`];
  const override = overrideBehind(configuration, deciding?.file ?? null);
  if (deciding !== null && override === null)
    return { edits: replaceValue(deciding.file, deciding.statement, setting.written), writes };
  const path = deciding === null ? sections.map(headerOf) : scopePath(deciding.scope).map(quotedHeader);
  const own = deciding === null ? setting : { ...setting, key: deciding.key };
  if (override !== null) return { edits: addToOverrides(configuration, override, path, own), writes };
  const edits =
    path.length === 0 ? addBesideKin(configuration, own) : addToSection(configuration, sections, path, own);
  return edits === null ? null : { edits, writes };
}

/** Gives the line of an assignment another value, wherever it stands. */
export function proposeValue(
  configuration: DovecotConfiguration,
  assignment: DovecotAssignment,
  value: WantedSetting['value'],
): Proposal {
  const written = writtenText(value, dialectOf(configuration.release));
  return {
    edits: replaceValue(assignment.file, assignment.statement, written),
    writes: [writtenBy(assignment)],
  };
}

/** Removes an assignment. */
export function proposeRemoval(assignment: DovecotAssignment): Proposal {
  return { edits: removeStatement(assignment.file, assignment.statement), writes: [writtenBy(assignment)] };
}

function writtenBy({ scope, name }: DovecotAssignment): string {
  return `dovecot:${[...scopePath(scope), name].join('/')}`;
}

function writtenText(value: WantedSetting['value'], dialect: Dialect): string {
  return typeof value === 'string' ? writtenValue(value, dialect) : `<${value.contentOf}`;
}

/** Filters among the sections say for which connections a value is asked. */
function connectionOf(sections: readonly SectionRef[]): DovecotContext {
  const name = (type: string): string | undefined => sections.find((one) => one.type === type)?.name;
  return {
    ...(name('protocol') === undefined ? {} : { protocol: name('protocol') }),
    ...(name('local_name') === undefined ? {} : { localName: name('local_name') }),
  };
}

const FILTERS: ReadonlySet<string> = new Set(['protocol', 'local', 'local_name', 'remote']);

/** The sections that a table knows; filters are none. */
function tableSections(sections: readonly SectionRef[]): readonly SectionRef[] {
  return sections.filter(({ type }) => !FILTERS.has(type));
}

function headerOf({ type, name }: SectionRef): string {
  return quotedHeader(name === '' ? type : `${type} ${name}`);
}

/** A section as it has to be written; a name that is no word stands in quotes. */
function quotedHeader(path: string): string {
  const [type = '', ...rest] = path.split(' ');
  const name = rest.join(' ');
  if (name === '' || /^[^\s"{}#=]+$/.test(name)) return path;
  return `${type} "${name.replace(/[\\"]/g, '\\$&')}"`;
}

/** Files in the order of their first reading that can be changed: not a dovecot.conf that only stands for one. */
function editableFiles({ tree, files }: DovecotConfiguration): readonly DovecotFile[] {
  return tree.files.filter(
    (file) => file !== tree.main || !isBareInclude(file) || files.open(file.source.path) !== null,
  );
}

/** A file that does nothing but include others by one line, as one that was made up for them does. */
function isBareInclude({ statements }: DovecotFile): boolean {
  return statements.length === 1 && statements[0]?.kind === 'include';
}

/** The last file of overrides that is read behind another one, or at all where that is not given; null: there is none. */
function overrideBehind(configuration: DovecotConfiguration, file: DovecotFile | null): DovecotFile | null {
  if (file !== null && isOverrideFile(file.source.path)) return null;
  const from = file === null ? 0 : configuration.tree.files.indexOf(file);
  const override = configuration.tree.files.findLast(
    ({ source }, index) => index >= from && isOverrideFile(source.path),
  );
  return override ?? null;
}

function addToOverrides(
  configuration: DovecotConfiguration,
  file: DovecotFile,
  path: readonly string[],
  setting: NewSetting,
): Edit[] {
  if (path.length > 0) return addLines(file, sectionLines(path, setting));
  const kin = lastKin(configuration, setting.key, (one) => one.file === file);
  return kin === null ? addLines(file, sectionLines([], setting)) : addAfter(file, kin.statement, setting);
}

// Outside of sections

function addBesideKin(configuration: DovecotConfiguration, setting: NewSetting): Edit[] | null {
  const filter = earliestFilter(configuration, setting.key);
  const kin = lastKin(configuration, setting.key, ({ name }) => homeOf(name) === homeOf(setting.key));
  if (filter !== null && (kin === null || kin.order > filter.order)) {
    // Behind a filter that has it too, the server would warn that it does not count there.
    const outermost = outermostSection(configuration, filter);
    if (outermost === null) return null;
    const { file, statement } = outermost;
    return addAtLine(file, file.lines[statement.line.firstLine]?.span.start ?? 0, setting, '');
  }
  if (kin !== null) return addAfter(kin.file, kin.statement, setting);
  const files = editableFiles(configuration);
  const home = homeOf(setting.key);
  const own = files.find(({ source }) => home !== null && source.path.replace(/^.*\//, '') === home);
  const file = own ?? files.find((one) => one === configuration.tree.main) ?? files[0];
  if (file === undefined || file.problems.some(({ code }) => code === 'continuation-at-end')) return null;
  const shown = commentedDefault(configuration, file, setting.key);
  if (shown !== null) return addAtLine(file, shown, setting, '');
  const relative = lastKin(configuration, setting.key, (one) => one.file === file);
  return relative === null
    ? addLines(file, sectionLines([], setting))
    : addAfter(file, relative.statement, setting);
}

/** The last setting outside of sections that is most like a name: of its kind, and with most of its first words. */
function lastKin(
  configuration: DovecotConfiguration,
  name: string,
  among: (one: DovecotAssignment) => boolean,
): DovecotAssignment | null {
  let best: DovecotAssignment | null = null;
  let most = 0;
  for (const assignment of configuration.settings()) {
    if (assignment.scope.kind !== 'root' || assignment.key.includes('/')) continue;
    if (!among(assignment)) continue;
    if (depthOf(configuration, assignment) > 0) continue;
    const shared = sharedWords(assignment.name, name);
    if (shared === 0 || shared < most) continue;
    best = assignment;
    most = shared;
  }
  return best;
}

function sharedWords(a: string, b: string): number {
  const left = a.split('_');
  const right = b.split('_');
  let shared = 0;
  while (shared < left.length && left[shared] === right[shared]) shared++;
  return shared;
}

/** In how many sections the line of an assignment stands: `ssl_server { ssl_server_cert_file }` of 2.4 sets what is global. */
function depthOf({ tree }: DovecotConfiguration, { statement }: DovecotAssignment): number {
  return surroundingsOf(tree, statement)?.sections.length ?? 0;
}

/** The first assignment of a name within a filter of connections. */
function earliestFilter(configuration: DovecotConfiguration, name: string): DovecotAssignment | null {
  return configuration.settings().find((one) => one.name === name && one.scope.kind === 'filter') ?? null;
}

function outermostSection(
  { tree }: DovecotConfiguration,
  { statement }: DovecotAssignment,
): { readonly file: DovecotFile; readonly statement: Statement } | null {
  return surroundingsOf(tree, statement)?.sections[0] ?? null;
}

/** Where the line behind a comment begins that shows a setting with its default, as the example configuration does; null: there is none outside of sections. */
function commentedDefault({ tree }: DovecotConfiguration, file: DovecotFile, name: string): number | null {
  const pattern = new RegExp(`^[ \\t]*#[ \\t]*${name}[ \\t]*=`);
  const line = file.lines.find(
    ({ kind, span }) =>
      kind === 'comment' && pattern.test(file.source.slice(span)) && isOutside(tree, file, span.end),
  );
  return line?.span.end ?? null;
}

/** Whether an offset of a file stands in no section that the file has opened. */
function isOutside(tree: DovecotConfiguration['tree'], file: DovecotFile, at: number): boolean {
  const next = surroundings(tree).find(
    ({ read }) => read.file === file && read.statement.line.span.start >= at,
  );
  if (next === undefined) return true;
  return next.sections.length === 0 && next.read.statement.kind !== 'end';
}

// In sections

function addToSection(
  configuration: DovecotConfiguration,
  sections: readonly SectionRef[],
  path: readonly string[],
  setting: NewSetting,
): Edit[] | null {
  for (let depth = path.length; depth > 0; depth--) {
    const opening = lastOpening(configuration, sections.slice(0, depth));
    if (opening === null) continue;
    const rest = path.slice(depth);
    return rest.length === 0
      ? addInSection(opening.file, opening.statement, setting)
      : addSectionInside(opening.file, opening.statement, rest, setting);
  }
  const [outer] = sections;
  const files = editableFiles(configuration);
  const like = outer === undefined ? null : lastEnd(configuration, outer.type);
  if (like !== null) return addSectionAfter(like.file, like.statement, path, setting);
  const home = outer === undefined ? null : homeOf(outer.type);
  const file =
    files.find(({ source }) => home !== null && source.path.replace(/^.*\//, '') === home) ??
    files.find((one) => one === configuration.tree.main) ??
    files[0];
  return file === undefined ? null : addLines(file, sectionLines(path, setting));
}

/** The line that opens a section for the last time, in whatever file. */
function lastOpening(
  { tree }: DovecotConfiguration,
  path: readonly SectionRef[],
): { readonly file: DovecotFile; readonly statement: SectionStatement } | null {
  let last: { file: DovecotFile; statement: SectionStatement } | null = null;
  for (const { read, sections } of surroundings(tree)) {
    const { file, statement } = read;
    if (statement.kind !== 'section' || sections.length !== path.length - 1) continue;
    const chain = [...sections.map((one) => one.statement), statement];
    const same = chain.every(
      (one, index) =>
        one.kind === 'section' && one.key === path[index]?.type && one.name === path[index]?.name,
    );
    if (same) last = { file, statement };
  }
  return last;
}

/** The brace that closes the last section of a type outside of others. */
function lastEnd(
  { tree }: DovecotConfiguration,
  type: string,
): { readonly file: DovecotFile; readonly statement: Statement } | null {
  const found = surroundings(tree).findLast(
    ({ read: { statement }, sections }) =>
      statement.kind === 'end' && sections.length === 0 && closes(tree, statement) === type,
  );
  return found?.read ?? null;
}

/** The type of the outermost section that a brace closes. */
function closes(tree: DovecotConfiguration['tree'], end: Statement): string | null {
  const all = surroundings(tree);
  const index = all.findIndex(({ read }) => read.statement === end);
  const opened = all
    .slice(0, index)
    .findLast(({ read: { statement }, sections }) => statement.kind === 'section' && sections.length === 0)
    ?.read.statement;
  return opened?.kind === 'section' ? opened.key : null;
}
