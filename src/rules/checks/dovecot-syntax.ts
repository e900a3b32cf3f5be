import { removeStatement } from '../../dovecot/edits.ts';
import type { DovecotFault, DovecotFaultCode } from '../../dovecot/outcome.ts';
import { settingHistory } from '../../dovecot/settings.ts';
import { neighbour, statementAt, tablePath } from '../../dovecot/surroundings.ts';
import type { DovecotFile, SyntaxProblem } from '../../dovecot/syntax/tree.ts';
import type { Location, Span } from '../../text/source.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { dovecotHead } from '../locate.ts';
import { hasBranches, isAssumed, isOwn, isUnknownSection, ownFaults } from './dovecot-common.ts';
import { isTemplated } from './misread-lines.ts';

/** What Dovecot says of lines and sections, as far as it is not about a name or a value. */
const OF_SYNTAX: ReadonlySet<DovecotFaultCode> = new Set<DovecotFaultCode>([
  'brace-expected',
  'text-after-brace',
  'unknown-escape',
  'group-name-missing',
  'marker-missing',
  'section-misplaced',
  'section-name',
  'unexpected-end',
  'section-unclosed',
  'bad-filter',
  'auth-in-network',
  'bad-group',
]);

function* syntax(context: DovecotCheckContext): Iterable<Report> {
  // Each section that was not opened, because its line is refused, leaves a } that closes nothing.
  let unopened = 0;
  for (const fault of ownFaults(context)) {
    if (!OF_SYNTAX.has(fault.code) || isUnknownSection(context, fault)) continue;
    if (fault.code === 'unexpected-end' && unopened > 0) {
      unopened--;
      continue;
    }
    if (isToldAbove(context, fault)) continue;
    if (wouldOpen(context, fault)) unopened++;
    yield faultReport(context, fault);
  }
  for (const file of context.dovecot.tree.files)
    for (const problem of file.problems) yield* problemReport(context, file, problem);
}

/** Whether a line that is refused was meant to open a section. */
function wouldOpen(context: DovecotCheckContext, { code, at }: DovecotFault): boolean {
  const text = at.source.slice(at.span).trim();
  if (code === 'text-after-brace') return !text.endsWith('}');
  return code === 'brace-expected' && (text.endsWith('{') || braceBelow(context, at) !== null);
}

function faultReport(context: DovecotCheckContext, fault: DovecotFault): Report {
  const { at, says } = fault;
  if (fault.code === 'brace-expected') return braceReport(context, fault);
  if (fault.code === 'text-after-brace') {
    const { fix, text } = oneLineFix(context, at);
    return { message: 'one-line', at, data: { says, text }, fix };
  }
  if (fault.code === 'unknown-escape') {
    const escape = at.source.slice(at.span);
    // Both are only a letter to a release that minds; an apostrophe needs no backslash in double quotes.
    const fix =
      escape === "\\'" ? edited(at, 'remove the backslash before the apostrophe', at.span, "'") : null;
    return { message: 'escape', at, data: { says, escape }, fix };
  }
  if (fault.code === 'unexpected-end') {
    const around = statementAt(context.dovecot.tree, at);
    const statement = around?.read.statement;
    const fix =
      around !== null && statement?.kind === 'end'
        ? {
            title: 'remove the } that closes nothing',
            edits: removeStatement(around.read.file, statement),
            writes: [],
            safe: false,
          }
        : null;
    return { message: 'stray-brace', at, data: { says }, fix };
  }
  if (fault.code === 'section-unclosed')
    return { message: 'unclosed', at, data: { says, section: fault.name } };
  if (fault.code === 'section-name')
    return { message: 'section-name', at, data: { says, section: fault.name } };
  return { message: 'default', at, data: { says } };
}

/** A line that is neither a setting nor opens a section: what it was meant to be, where that is clear. */
function braceReport(context: DovecotCheckContext, { at, says }: DovecotFault): Report {
  const line = at.source.slice(at.span);
  const around = statementAt(context.dovecot.tree, at);
  const report = (message: string, fix: ProposedFix | null, data = {}): Report => ({
    message,
    at,
    data: { says, line: line.split(/\s+/).slice(0, 4).join(' '), ...data },
    fix,
  });
  const below = braceBelow(context, at);
  if (below !== null) {
    const end = at.span.end;
    return report('brace-below', {
      title: 'move the { to the end of the line above',
      edits: [
        { path: at.source.path, span: { start: end, end }, text: ' {' },
        { path: at.source.path, span: below, text: '' },
      ],
      writes: [],
    });
  }
  const append = /^(\w+)\s*\+=/.exec(line);
  if (append !== null) return report('append', null, { name: append[1] });
  const glued = /^([\w-]+(?:\s+[^\s{]+)?)\{$/.exec(line);
  if (glued?.[1] !== undefined) {
    const place = at.span.end - 1;
    return report('brace-glued', edited(at, 'put a blank before the {', { start: place, end: place }, ' '));
  }
  const [name = '', second] = line.split(/\s+/);
  const path = around === null ? null : tablePath(around.sections);
  if (
    second !== undefined &&
    !second.startsWith('=') &&
    settingHistory(name, path) !== null &&
    !line.endsWith('{')
  ) {
    const place = at.span.start + name.length;
    return report(
      'equals-missing',
      edited(at, `put a = behind ${name}`, { start: place, end: place }, ' ='),
      {
        name,
      },
    );
  }
  return report('default', null);
}

/** The line of a lone `{` that belongs to the statement at a place, or null. */
function braceBelow({ dovecot: { tree } }: DovecotCheckContext, at: Location): Span | null {
  const read = statementAt(tree, at)?.read;
  const next = read === undefined ? null : neighbour(read.file, read.statement, 1);
  const isBrace = next?.kind === 'invalid' && at.source.slice(next.problem.span) === '{';
  return isBrace ? next.line.span : null;
}

/** A lone `{` is told at the line above that it belongs to. */
function isToldAbove({ dovecot: { tree } }: DovecotCheckContext, { at }: DovecotFault): boolean {
  const read = at.source.slice(at.span) === '{' ? statementAt(tree, at)?.read : undefined;
  const above = read === undefined ? null : neighbour(read.file, read.statement, -1);
  return above?.kind === 'invalid' && above.problem.code === 'brace-expected';
}

/** `plugin { a = b }` on lines of their own; more than one setting in it cannot be told apart. */
function oneLineFix(context: DovecotCheckContext, at: Location): { fix: ProposedFix | null; text: string } {
  const around = statementAt(context.dovecot.tree, at);
  const text = at.source.slice(at.span).trim();
  if (around === null) return { fix: null, text };
  const { file, statement } = around.read;
  const body = text.replace(/\}$/, '').trim();
  const whole = text.endsWith('}');
  if (body.split('=').length > 2 || /[{}]/.test(body)) return { fix: null, text };
  const start = statement.line.span.start;
  const indent = /^[ \t]*/.exec(file.source.text.slice(start))?.[0] ?? '';
  const newline = file.source.text.includes('\r\n') ? '\r\n' : '\n';
  const inner = body === '' ? '' : `${newline}${indent}  ${body}`;
  const end = whole ? `${newline}${indent}}` : '';
  return {
    text,
    fix: edited(
      at,
      'put the block on lines of its own',
      { start: afterBrace(at), end: at.span.end },
      `${inner}${end}`,
    ),
  };
}

/** The place right behind the `{` that `at` follows. */
function afterBrace({ source, span }: Location): number {
  return source.text.lastIndexOf('{', span.start) + 1;
}

function edited(
  { source }: Location,
  title: string,
  span: { readonly start: number; readonly end: number },
  text: string,
): ProposedFix {
  return { title, edits: [{ path: source.path, span, text }], writes: [] };
}

/** What the server drops, or takes for something else, without a word. */
const QUIET: ReadonlySet<SyntaxProblem['code']> = new Set<SyntaxProblem['code']>([
  'byte-order-mark',
  'null-byte',
  'continuation-broken',
  'continuation-at-end',
  'ambiguous-comment',
]);

function* problemReport(
  context: DovecotCheckContext,
  file: DovecotFile,
  problem: SyntaxProblem,
): Iterable<Report> {
  const { code: message, span } = problem;
  const at = { source: file.source, span };
  if (!QUIET.has(message) || !isOwn(context, at)) return;
  if (message === 'ambiguous-comment') {
    const { end } = file.source.lineSpan(file.source.position(span.start).line);
    yield { message, at: { source: file.source, span: { start: span.start, end } } };
  } else if (message === 'byte-order-mark')
    yield { message, at, fix: edited(at, 'remove the byte order mark', span, '') };
  else yield { message, at, data: { text: shortened(file, problem) } };
}

function shortened({ source }: DovecotFile, { span }: SyntaxProblem): string {
  const text = source.slice(span).replace(/\s+/g, ' ').trim();
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function* includeMissing(context: DovecotCheckContext): Iterable<Report> {
  for (const { code, at, says } of context.dovecot.includeFaults) {
    if (!isOwn(context, at)) continue;
    const pattern = at.source.slice(at.span);
    const beside = besideFiles(context, at, pattern);
    const misread = /^["'].*["']$/.test(pattern) ? 'quoted' : pattern.startsWith('=') ? 'equals' : null;
    const message =
      code !== 'no-matches'
        ? code
        : (misread ??
          (isElsewhere(context, pattern)
            ? 'elsewhere'
            : beside.length === 0
              ? 'default'
              : isRunningMachine(context)
                ? 'beside'
                : 'to-be-placed'));
    yield {
      message,
      at,
      data: { says, pattern, beside },
      fix:
        message === 'quoted' || message === 'equals'
          ? edited(at, 'write the pattern alone', at.span, pattern.replace(/^=\s*|^["']|["']$/g, ''))
          : null,
    };
  }
}

/** True where the folder of the machine itself was given, not a copy that something has still to put in place. */
function isRunningMachine({ host: { input } }: DovecotCheckContext): boolean {
  return input.facts !== undefined;
}

/** A path of the running system outside of what was given: whether it is there, these files do not tell. */
function isElsewhere(context: DovecotCheckContext, pattern: string): boolean {
  if (!pattern.startsWith('/') || isRunningMachine(context)) return false;
  const { files } = context.dovecot;
  return (
    files.entries(pattern.slice(0, pattern.lastIndexOf('/'))) === null && !/\/etc\/dovecot\//.test(pattern)
  );
}

/** Files beside the one with the include that have the names which its pattern looks for in a folder that is not there. */
function besideFiles(
  { dovecot: { files } }: DovecotCheckContext,
  { source }: Location,
  pattern: string,
): readonly string[] {
  const [, name = ''] = /^(?:.*\/)?([^/]+)$/.exec(pattern) ?? [];
  if (!pattern.includes('/') || name !== '*.conf') return [];
  const names = files.entries(source.path.slice(0, source.path.lastIndexOf('/') + 1)) ?? [];
  return names.filter((one) => /^[0-9]{2}-.*\.conf$/.test(one)).sort();
}

const FRAGMENTS = 'conf.d';

/** Files in conf.d that no include of the configuration reads: somebody may change them for nothing. */
function* filesUnread(context: DovecotCheckContext): Iterable<Report> {
  const { host, dovecot } = context;
  const { tree, files } = dovecot;
  const main = tree.main.source;
  if (isAssumed(host, main) || hasBranches(dovecot)) return;
  // Whatever names the folder, or may name it once it is filled in, is a matter of its own.
  const isNamed = tree.statements.some(
    ({ statement }) =>
      statement.kind === 'include' &&
      (statement.pattern.includes(FRAGMENTS) || isTemplated(statement.pattern)),
  );
  if (isNamed) return;
  const folder = `${main.path.slice(0, main.path.lastIndexOf('/') + 1)}${FRAGMENTS}`;
  const unread = (files.entries(folder) ?? []).filter((name) => /^[^.].*\.conf$/.test(name)).sort();
  if (unread.length === 0) return;
  const hasPasswords = dovecot.sections('passdb').length > 0;
  yield { message: hasPasswords ? 'left' : 'default', at: dovecotHead(dovecot), data: { unread } };
}

/** Checks of what Dovecot makes of lines and includes, by the name that rule files call. */
export const dovecotSyntaxChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/syntax': syntax,
  'dovecot/include-missing': includeMissing,
  'dovecot/files-unread': filesUnread,
};
