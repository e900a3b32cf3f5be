import { listWords, type PostfixConfiguration, type PostfixSetting } from '../../postfix/configuration.ts';
import { replaceOverride } from '../../postfix/edits.ts';
import { hasFeature, type ParameterType } from '../../postfix/parameters.ts';
import { fixMayUse, proposeRemoval } from '../../postfix/proposals.ts';
import type { Service } from '../../postfix/services.ts';
import type { Assignment, MasterCf, ServiceArgument, ServiceEntry } from '../../postfix/syntax/tree.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { isTemplated, serviceComments } from './misread-lines.ts';
import { isDaemon, usesParameter } from './programs.ts';

/** Overrides that the daemon does not get, gets otherwise than written, or does not read (postfix-language §4). */

/** So many overrides are mended at a time: that is more than anybody writes. */
const MOST_MENDED = 300;

function* overrideBlanks({ postfix }: CheckContext): Iterable<Report> {
  const { master } = postfix;
  let found = 0;
  for (const entry of master?.items ?? []) {
    if (master === null || entry.kind !== 'service' || isTemplated(entry.line.text)) continue;
    const program = entry.fields.command.text.replace(/^.*\//, '');
    if (!isDaemon(program)) continue;
    const comments = serviceComments(master, entry);
    const braced = hasFeature(postfix.release, 'bracedOverride');
    let next = 0;
    for (const argument of entry.arguments) {
      const { start } = argument.span;
      while ((comments[next]?.end ?? Number.POSITIVE_INFINITY) <= start) next++;
      if ((comments[next]?.start ?? Number.POSITIVE_INFINITY) <= start) continue;
      const { meant } = argument;
      if (meant !== null && !/\S-o$/.test(argument.kind === 'override' ? argument.value : '')) {
        yield misreadReport(postfix, master, entry, argument, meant, found++ < MOST_MENDED);
      } else if (!braced && argument.kind === 'override' && argument.form === 'braced') {
        yield tooNewReport(postfix, master, entry, argument);
      }
    }
  }
}

function serviceId({ fields }: ServiceEntry): string {
  return `${fields.service.text}/${fields.type.text}`;
}

function misreadReport(
  postfix: PostfixConfiguration,
  master: MasterCf,
  entry: ServiceEntry,
  argument: ServiceArgument,
  meant: Assignment,
  mend: boolean,
): Report {
  const id = serviceId(entry);
  const value = withoutQuotes(meant.value);
  const split = argument.kind === 'override' && argument.form !== 'joined-braced';
  const stray = split
    ? master.source.text.slice(argument.span.end, meant.valueSpan.end).trim().split(/\s+/)[0]
    : '';
  return {
    message: split ? 'split' : argument.kind === 'override' ? 'joined-braces' : 'spread-out',
    at: {
      source: master.source,
      span: { start: argument.span.start, end: Math.max(argument.span.end, meant.valueSpan.end) },
    },
    setting: meant.name,
    ...(argument.kind === 'override' ? { actual: argument.value } : {}),
    expected: value,
    data: {
      service: id,
      program: entry.fields.command.text,
      name: meant.name,
      gets: argument.kind === 'override' ? argument.name : '',
      stray: stray ?? '',
      write: writtenAs(postfix, meant.name, value),
    },
    fix: mend ? overrideFix(postfix, master, argument, meant.name, value, id) : null,
  };
}

/** Quotation marks are letters to Postfix: who writes them around a value with blanks means the value. */
function withoutQuotes(value: string): string {
  const [, double, single] = /^"([^"]*)"$|^'([^']*)'$/s.exec(value) ?? [];
  return (double ?? single)?.trim() ?? value;
}

/** Types in which a comma is as good as a blank. */
const LISTS: ReadonlySet<ParameterType> = new Set<ParameterType>([
  'list',
  'map-list',
  'match-list',
  'network-list',
  'restriction-list',
  'restriction-class-names',
  'milter-list',
  'postscreen-access-list',
  'header-rewrite-clients',
  'enum-list',
  'sasl-security-options',
  'tls-protocols',
  'tls-exclude-ciphers',
  'tls-loglevel',
]);

/** Names of restriction lists that are the user's own, as in the comments of master.cf. */
const OWN_LIST = /_(?:restrictions|checks|options)$/;

function isList(postfix: PostfixConfiguration, name: string): boolean {
  const parameter = postfix.parameter(name);
  return parameter === null
    ? OWN_LIST.test(name)
    : LISTS.has(parameter.type) || name === 'receive_override_options';
}

/** How the override is to be written, in the form that the release takes; empty where there is none. */
function writtenAs(postfix: PostfixConfiguration, name: string, value: string): string {
  if (!/\s/.test(value)) return `-o ${name}=${value}`;
  if (fixMayUse(postfix, 'bracedOverride')) return `-o { ${name} = ${value} }`;
  if (isList(postfix, name) && !value.includes('{')) return `-o ${name}=${listWords(value).join(',')}`;
  return hasFeature(postfix.release, 'bracedOverride') ? `-o { ${name} = ${value} }` : '';
}

function overrideFix(
  postfix: PostfixConfiguration,
  master: MasterCf,
  argument: ServiceArgument,
  name: string,
  value: string,
  id: string,
): ProposedFix | null {
  const blanks = /\s/.test(value);
  const type = postfix.parameter(name)?.type;
  // A number or a word with more words behind it: which of them is meant cannot be told.
  if (
    blanks &&
    (type === 'bool' || type === 'int' || type === 'time' || type === 'enum' || type === 'tls-security-level')
  )
    return null;
  const braces = fixMayUse(postfix, 'bracedOverride');
  if (blanks && !braces && (!isList(postfix, name) || value.includes('{'))) return null;
  const written = blanks && !braces ? listWords(value).join(',') : value;
  try {
    return {
      title: `write ${name} so that it is read as one value`,
      edits: replaceOverride(master, argument, written, braces),
      writes: [`${id}:${name}`],
    };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function tooNewReport(
  postfix: PostfixConfiguration,
  master: MasterCf,
  entry: ServiceEntry,
  argument: ServiceArgument & { readonly kind: 'override' },
): Report {
  const id = serviceId(entry);
  const { name, value } = argument;
  const list = isList(postfix, name) && !value.includes('{');
  const written = list ? listWords(value).join(',') : value;
  const fix: ProposedFix | null = /\s/.test(written)
    ? null
    : {
        title: 'write it without braces',
        edits: replaceOverride(master, argument, written, false),
        writes: [`${id}:${name}`],
      };
  return {
    message: 'braces-too-new',
    at: { source: master.source, span: argument.span },
    setting: name,
    actual: value,
    data: {
      service: id,
      program: entry.fields.command.text,
      name,
      write: /\s/.test(written) ? '' : `-o ${name}=${written}`,
    },
    fix,
  };
}

// Overrides that nobody reads

function* unusedOverride({ postfix }: CheckContext): Iterable<Report> {
  const byProgram = servicesByProgram(postfix);
  for (const setting of postfix.settings()) {
    if (setting.kind !== 'override' || setting.entry.form === 'joined-braced') continue;
    const { service } = setting;
    const parameter = postfix.parameter(setting.name);
    if (parameter === null || usesParameter(postfix, service, parameter) !== false) continue;
    const readers = parameter.daemons.filter((name) => isDaemon(name) && name !== 'oqmgr');
    const own = counterpart(postfix, service, setting.name);
    yield {
      message: own !== null ? 'other-program' : readers.length === 0 ? 'no-daemon' : 'default',
      at: setting.at,
      setting: setting.name,
      actual: setting.value,
      data: {
        service: service.id,
        program: service.program,
        readers: readers.map((name) => `${name}(8)`),
        where: whereToSet(byProgram, readers),
        own: own ?? '',
      },
      ...(own === null ? {} : { expected: own }),
      fix:
        own !== null
          ? counterpartFix(setting, own)
          : { title: `remove ${setting.name} from ${service.id}`, ...proposeRemoval(postfix, setting) },
    };
  }
}

/** First words of the parameters that the three programs which speak SMTP have in common. */
const FAMILIES = /^(?:smtpd|smtp|lmtp)_/;

/** The parameter of the same meaning that the service does read: `lmtp_x` for `smtp_x`; null where there is none. */
function counterpart(postfix: PostfixConfiguration, service: Service, name: string): string | null {
  if (!FAMILIES.test(name) || !/^(?:smtpd|smtp|lmtp)$/.test(service.program)) return null;
  const own = name.replace(FAMILIES, `${service.program}_`);
  const parameter = postfix.table.get(own);
  if (parameter === null || service.overrides.has(own)) return null;
  return usesParameter(postfix, service, parameter) === true ? own : null;
}

/** Gives the service what was probably meant: that changes what it does, so it is not done unasked. */
function counterpartFix(setting: PostfixSetting & { readonly kind: 'override' }, own: string): ProposedFix {
  const { service, entry, at } = setting;
  return {
    title: `rename it to ${own}`,
    edits: [{ path: at.source.path, span: entry.nameSpan, text: own }],
    writes: [`${service.id}:${setting.name}`, `${service.id}:${own}`],
    safe: false,
  };
}

function servicesByProgram({ services }: PostfixConfiguration): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { program, id, entry } of services) {
    if (entry === null) continue;
    const ids = found.get(program);
    if (ids === undefined) found.set(program, [id]);
    else ids.push(id);
  }
  return found;
}

/** Where the setting would have an effect: main.cf, and the one service that runs a program which reads it. */
function whereToSet(byProgram: ReadonlyMap<string, readonly string[]>, readers: readonly string[]): string {
  const ids = readers.flatMap((reader) => byProgram.get(reader)?.slice(0, 2) ?? []);
  return `main.cf, for the whole host${ids.length === 1 ? `, or on the line of ${ids[0]}` : ''}`;
}

/** Checks about overrides. */
export const overrideChecks: Readonly<Record<string, Check>> = {
  'postfix/override-blanks': overrideBlanks,
  'postfix/unused-override': unusedOverride,
};
