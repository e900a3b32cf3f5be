import type { DovecotFault, DovecotFaultCode } from '../../dovecot/outcome.ts';
import { type Surroundings, statementAt } from '../../dovecot/surroundings.ts';
import { type Dialect, dialectOf } from '../../dovecot/syntax/dialect.ts';
import type { DovecotFile } from '../../dovecot/syntax/tree.ts';
import type { Host } from '../../hosts/host.ts';
import type { Location, SourceFile } from '../../text/source.ts';
import type { DovecotCheckContext } from '../check.ts';
import { isTemplated } from './misread-lines.ts';

/**
 * Marks of a template engine that leaves out or repeats lines: which braces belong together is not known then.
 * `<%u>` is Dovecot's own.
 */
const BRANCHES = /\{%|<%[-=#\s]|\{\{[#^/]/;

/** The faults of a configuration that are the files' own: not of lines that a template engine fills or chooses, and not of a file that only stands for one. */
export function ownFaults(context: DovecotCheckContext): readonly DovecotFault[] {
  const { dovecot } = context;
  const faults = dovecot.faults.filter(({ at }) => isOwn(context, at));
  const unsure = new Set(dovecot.tree.files.filter((file) => isChosen(file)).map(({ source }) => source));
  return unsure.size === 0
    ? faults
    : faults.filter(({ code, at }) => !unsure.has(at.source) || !OF_NESTING.has(code));
}

/** What Dovecot says of lines that stand where they do only before a template engine has chosen between them. */
const OF_NESTING: ReadonlySet<DovecotFaultCode> = new Set<DovecotFaultCode>([
  'brace-expected',
  'unexpected-end',
  'section-unclosed',
  'bad-filter',
  'section-misplaced',
  'auth-in-network',
  'unknown-setting',
]);

/** True where lines of a file are for a template engine to choose, or the line that opens a section is for it to fill. */
function isChosen({ source, statements }: DovecotFile): boolean {
  if (isBranched(source)) return true;
  return statements.some(
    ({ kind, line }) => kind === 'invalid' && line.text.split(/\s+/).some((word) => isTemplated(word)),
  );
}

/** False for what stands in a dovecot.conf that is not there, and on lines of a template. */
export function isOwn({ host, dovecot: { tree } }: DovecotCheckContext, at: Location): boolean {
  if (isAssumed(host, at.source)) return false;
  const around = statementAt(tree, at);
  const text = around === null ? at.source.slice(at.span) : lineText(around);
  return !text.split(/\s+/).some((word) => isTemplated(word)) && !isTemplated(text);
}

/** True for a dovecot.conf that is not there. */
export function isAssumed({ input: { dovecot } }: Host, source: SourceFile): boolean {
  return dovecot?.mainAssumed === true && source.path === dovecot.main.path;
}

function lineText({ read: { file, statement } }: Surroundings): string {
  return file.source.slice(statement.line.span);
}

/** True for a file with lines that are for a template engine to choose. */
export function isBranched({ text }: SourceFile): boolean {
  return BRANCHES.test(text);
}

/** True where lines are for a template engine to choose. */
export function hasBranches({ tree }: DovecotCheckContext['dovecot']): boolean {
  return tree.files.some(({ source }) => isBranched(source));
}

/** A section whose name the release does not know: its fault is one of a name. */
export function isUnknownSection({ dovecot }: DovecotCheckContext, { code, at }: DovecotFault): boolean {
  if (code !== 'section-misplaced') return false;
  const statement = statementAt(dovecot.tree, at)?.read.statement;
  return (
    statement?.kind === 'section' && dovecot.hasNamedFilters && dovecot.table.get(statement.key) === null
  );
}

/** How the release of the host writes its files. */
export function dialect({ dovecot }: DovecotCheckContext): Dialect {
  return dialectOf(dovecot.release);
}

/**
 * True where the release is known, or the files prove that it is no older: what only a newer release
 * takes may be written then.
 */
export function releaseIsKnown({ dovecot: { releaseKnown } }: DovecotCheckContext): boolean {
  return releaseKnown.versionFrom !== 'assumed';
}

/** Name of a file without its folders, and the line of a place: "10-ssl.conf line 12". */
export function placeText({ source, span }: Location): string {
  return `${source.path.replace(/^.*\//, '')} line ${source.position(span.start).line}`;
}
