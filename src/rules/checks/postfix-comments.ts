import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import { moveTrailingComment } from '../../postfix/edits.ts';
import { nameUse } from '../../postfix/names.ts';
import { hasFeature, type Parameter, type ParameterType } from '../../postfix/parameters.ts';
import type { MainCf, MainEntry, MasterCf, ServiceEntry } from '../../postfix/syntax/tree.ts';
import { checkValue } from '../../postfix/values.ts';
import type { Span } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { isTemplated, serviceComments, trailingComments } from './misread-lines.ts';
import { isDaemon, readersOf } from './programs.ts';

/**
 * Comments behind other text. Postfix has none: the text is part of the value, and what then happens
 * depends on who reads it (postfix-language §1.5). Each case was seen on 3.7.11 and 3.10.13.
 */

/** So many comments of a file are moved at a time: that is more than anybody writes. */
const MOST_MOVED = 300;

function* trailingComment(context: CheckContext): Iterable<Report> {
  let found = 0;
  for (const report of commentReports(context))
    yield found++ < MOST_MOVED ? { ...report, fix: report.fix?.() ?? null } : { ...report, fix: null };
}

/** A report whose fix is made when it is wanted. */
type LazyReport = Omit<Report, 'fix'> & { readonly fix?: () => ProposedFix | null };

function* commentReports({ postfix }: CheckContext): Iterable<LazyReport> {
  const { main, master } = postfix;
  for (const item of main?.items ?? []) {
    if (main !== null && item.kind === 'entry' && item.value.includes('#'))
      yield* entryComments(postfix, main, item);
  }
  for (const item of master?.items ?? []) {
    if (master !== null && item.kind === 'service') yield* argumentComments(master, item);
  }
}

/** Text that goes to clients or into a shell: a `#` in it is as good as any letter. */
const FREE_TEXT =
  /_banner$|^mail_name$|_reject_reason$|_reply$|_footer$|_filter$|_delimiters?$|_characters$|_context$|^undisclosed_recipients_header$|_compressor$|^debugger_command$|_default_action$|^known_tcp_ports$/;

function* entryComments(postfix: PostfixConfiguration, main: MainCf, entry: MainEntry): Iterable<LazyReport> {
  const parameter = postfix.parameter(entry.name);
  if (parameter === null && !nameUse(postfix).known(entry.name)) return;
  if (FREE_TEXT.test(entry.name) || parameter?.storage === 'raw' || isTemplated(entry.value)) return;
  const comments = trailingComments(main, entry);
  for (const comment of comments) {
    const value = valueBefore(main, entry, comment);
    yield {
      message: effectOf(postfix, entry, parameter, value),
      at: { source: main.source, span: comment },
      setting: entry.name,
      actual: entry.value,
      data: {
        comment: excerpt(main.source.slice(comment)),
        readers: parameter === null ? [] : readersOf(parameter),
        lost: wordsAfter(main, entry, comment),
      },
      fix: () => moveFix(main, comment, [`main.cf:${entry.name}`], value !== ''),
    };
  }
  if (comments.length === 0 && parameter !== null) yield* withoutBlank(postfix, main, entry, parameter);
}

/** `yes#why`: no blank before the `#`, and no program takes the word. */
function* withoutBlank(
  postfix: PostfixConfiguration,
  main: MainCf,
  entry: MainEntry,
  parameter: Parameter,
): Iterable<LazyReport> {
  const { release } = postfix;
  if (!STRICT_TYPES.has(parameter.type) || entry.value.includes('$')) return;
  const value = /^[^#\s]+(?=#)/.exec(entry.value)?.[0];
  if (
    value === undefined ||
    checkValue(parameter, value, release) !== null ||
    checkValue(parameter, entry.value, release) === null
  )
    return;
  const start = entry.valueSpan.start + value.length;
  const { end } = main.source.lineSpan(main.source.position(start).line);
  const comment = { start, end: Math.min(end, entry.valueSpan.end) };
  yield {
    message: effectOf(postfix, entry, parameter, value),
    at: { source: main.source, span: comment },
    setting: entry.name,
    actual: entry.value,
    data: { comment: excerpt(main.source.slice(comment)), readers: readersOf(parameter), lost: '' },
    fix: () => moveFix(main, comment, [`main.cf:${entry.name}`], true),
  };
}

const STRICT_TYPES: ReadonlySet<string> = new Set([
  'bool',
  'int',
  'time',
  'enum',
  'tls-security-level',
  'tls-cipher-grade',
]);

/** Tables that are named, not opened. */
const NAMED_TABLES: ReadonlySet<string> = new Set(['proxy_read_maps', 'proxy_write_maps', 'alias_database']);

/** Single names and addresses, which the programs check as they start. */
const CHECKED_NAMES: ReadonlySet<string> = new Set([
  'myhostname',
  'myorigin',
  'inet_interfaces',
  'proxy_interfaces',
  'double_bounce_sender',
]);

/** Message id of what a comment does in a value of each type; for the others it depends on the words. */
const EFFECTS: Readonly<Partial<Record<ParameterType, string>>> = {
  bool: 'stops',
  int: 'stops',
  time: 'stops',
  'map-list': 'stops',
  'tls-protocols': 'protocols',
  'tls-exclude-ciphers': 'ciphers',
  'openssl-cipherlist': 'ciphers',
  list: 'member',
  'milter-list': 'member',
  'path-list': 'member',
  'postscreen-access-list': 'member',
  'restriction-class-names': 'member',
  'header-rewrite-clients': 'member',
  'openssl-options': 'member',
  path: 'path',
};

/** Message id of what a comment does. */
function effectOf(
  postfix: PostfixConfiguration,
  entry: MainEntry,
  parameter: Parameter | null,
  before: string,
): string {
  if (parameter === null) return 'text';
  const { name, type } = parameter;
  if (CHECKED_NAMES.has(name)) return 'stops';
  if (NAMED_TABLES.has(name)) return 'member';
  if (type === 'match-list' || type === 'network-list') {
    return hasFeature(postfix.release, 'trailingCommentCutsMatchLists') ? 'cut' : 'member';
  }
  if (type === 'restriction-list') {
    return /(?:^|[\s,])(?:permit|reject|defer)[\s,]*$/i.test(before)
      ? 'restrictions-unreached'
      : 'restrictions';
  }
  const known = EFFECTS[type];
  if (known !== undefined) return known;
  const effect = checkValue(parameter, postfix.expand(entry.value).value.trim(), postfix.release)?.effect;
  if (effect === undefined) return 'text';
  return effect === 'fatal' ? 'stops' : effect === 'session' ? 'sessions' : 'ignored';
}

/** So much of a long value is looked at on either side of a comment. */
const NEAR = 200;

/** The value up to a comment, without earlier comments. */
function valueBefore(main: MainCf, entry: MainEntry, { start }: Span): string {
  return main.source.text
    .slice(Math.max(entry.valueSpan.start, start - NEAR), start)
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .join(' ')
    .trim();
}

/** The words of the lines that follow a comment: what a list that is cut short loses. */
function wordsAfter(main: MainCf, entry: MainEntry, { end }: Span): string {
  const rest = main.source.text
    .slice(end, Math.min(entry.valueSpan.end, end + NEAR))
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
    .join(' ');
  return excerpt(rest);
}

function excerpt(text: string): string {
  return text.length > 70 ? `${text.slice(0, 70)}…` : text;
}

function moveFix(
  tree: MainCf | MasterCf,
  { start }: Span,
  writes: readonly string[],
  safe: boolean,
): ProposedFix | null {
  try {
    return {
      title: 'move the comment to a line of its own, above',
      edits: moveTrailingComment(tree, start),
      writes,
      safe,
    };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function* argumentComments(master: MasterCf, entry: ServiceEntry): Iterable<LazyReport> {
  const { service, type, command } = entry.fields;
  const program = command.text.replace(/^.*\//, '');
  if (!isDaemon(program) || isTemplated(entry.line.text)) return;
  const id = `${service.text}/${type.text}`;
  const commands = new Set(
    entry.arguments.flatMap(({ kind, span }) => (kind === 'command' ? [span.start] : [])),
  );
  for (const comment of serviceComments(master, entry)) {
    const inCommand = commands.has(comment.start);
    const text = master.source.slice(comment);
    if (inCommand && !/^#(?:[\s#]|[A-Za-z]|$)/.test(text)) continue;
    yield {
      message: inCommand ? 'command' : 'arguments',
      at: { source: master.source, span: comment },
      data: { service: id, program, comment: excerpt(text), first: text.split(/\s/)[0] ?? '#' },
      fix: () => moveFix(master, comment, [], true),
    };
  }
}

/** Checks about comments behind other text. */
export const commentChecks: Readonly<Record<string, Check>> = { 'postfix/trailing-comment': trailingComment };
