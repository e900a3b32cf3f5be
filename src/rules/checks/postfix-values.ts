import type { PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import type { Parameter } from '../../postfix/parameters.ts';
import { proposeValue } from '../../postfix/proposals.ts';
import { checkValue, type ValueProblem } from '../../postfix/values.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { lookAlikes } from './look-alikes.ts';
import { isMisread, isTemplated } from './misread-lines.ts';
import { hasReferenceProblem } from './postfix-references.ts';
import { readersOf, usesParameter } from './programs.ts';

/** Values that their readers do not take; postconf checks none of them (postfix-language §2, §7). */

function* badValue({ postfix }: CheckContext): Iterable<Report> {
  const unfinished = unfinishedInstallation(postfix);
  if (unfinished.length > 1) yield notInstalled(unfinished);
  for (const setting of postfix.settings()) {
    if (unfinished.length > 1 && unfinished.includes(setting)) continue;
    const parameter = postfix.parameter(setting.name);
    if (parameter === null || ELSEWHERE.test(setting.name) || parameter.type === 'sasl-security-options')
      continue;
    if (parameter.type === 'tls-cipher-grade' || parameter.type === 'tls-protocols') continue;
    if (!canBeJudged(postfix, setting, parameter)) continue;
    const report = reportOn(postfix, setting, parameter);
    if (report !== null) yield report;
  }
}

/** Parameters that the installation fills in: postfix(1) alone reads them, but for setgid_group. */
const INSTALLED =
  /^(?:(?:sendmail|newaliases|mailq)_path|setgid_group|(?:html|manpage|sample|readme)_directory)$/;

/** The main.cf of the source code comes with these empty, and a file made after it keeps them so. */
function unfinishedInstallation(postfix: PostfixConfiguration): readonly PostfixSetting[] {
  return postfix
    .settings()
    .filter(
      (setting) =>
        setting.value === '' &&
        INSTALLED.test(setting.name) &&
        (postfix.parameter(setting.name)?.min ?? 0) > 0,
    );
}

function notInstalled(settings: readonly PostfixSetting[]): Report {
  const [first] = settings;
  if (first === undefined) throw new Error('no setting');
  return {
    message: 'not-installed',
    at: first.at,
    setting: first.name,
    actual: '',
    data: { names: settings.map(({ name }) => name) },
    related: settings.slice(1).map(({ at, name }) => ({ at, message: `${name} is empty too` })),
  };
}

/** Parameters with a rule of their own for wrong words. */
const ELSEWHERE = /^(?:smtpd|postscreen|tlsproxy)_tls_security_level$|_eecdh_grade$/;

/** Marks that stand for a value to come. */
const PLACEHOLDER = /^<[\w -]+>$/;

function canBeJudged(postfix: PostfixConfiguration, setting: PostfixSetting, parameter: Parameter): boolean {
  if (isTemplated(setting.value) || PLACEHOLDER.test(setting.value)) return false;
  if (isMisread(postfix, setting) || hasReferenceProblem(postfix, setting)) return false;
  if (lookAlikes(setting.at.source, setting.entry.valueSpan).length > 0) return false;
  // Nobody stops at what nobody reads.
  return setting.kind === 'main' || usesParameter(postfix, setting.service, parameter) !== false;
}

function reportOn(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  parameter: Parameter,
): Report | null {
  const of = postfix.get(setting.name, setting.kind === 'override' ? setting.service : null);
  // A name that only the running system knows.
  if (of.setting !== null && of.setting.at.span.start !== setting.at.span.start) return null;
  if (of.value.includes('$')) return null;
  const problem = checkValue(parameter, of.value, postfix.release);
  const common = { at: setting.at, of };
  const readers = readersOf(parameter);
  if (problem === null) {
    const inner = quoted(parameter, setting.value);
    if (inner === null) return null;
    const stops = CHECKED_NAMES.has(setting.name);
    return {
      ...common,
      message: stops ? 'quoted-name' : 'quoted',
      expected: inner,
      data: { readers, meant: inner },
      fix: fixFor(postfix, setting, inner, true),
    };
  }
  const meant = meaning(parameter, problem, of.value);
  return {
    ...common,
    message: messageFor(problem),
    ...(meant === null ? {} : { expected: meant.value }),
    data: {
      readers,
      word: problem.text,
      allowed: problem.allowed,
      limit: problem.limit === null ? '' : limitText(problem),
      meant: meant?.value ?? '',
      part: problem.text !== of.value,
    },
    fix:
      meant === null || setting.value !== of.raw.trim() || setting.value.includes('$')
        ? null
        : fixFor(postfix, setting, meant.value, meant.sure),
  };
}

function messageFor({ code, effect }: ValueProblem): string {
  if (effect === 'fatal') return code;
  return effect === 'session'
    ? 'bad-word-session'
    : effect === 'degraded'
      ? 'bad-word-degraded'
      : 'bad-word-ignored';
}

function limitText({ limit, unit, code }: ValueProblem): string {
  const count = `${limit} ${unit === 'number' ? '' : unit}`.trim();
  return code === 'below-min' ? `at least ${count}` : `at most ${count}`;
}

function fixFor(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  value: string,
  safe: boolean,
): ProposedFix {
  return { title: `set ${setting.name} to ${value}`, ...proposeValue(postfix, setting, value), safe };
}

/** What a value was meant to be. */
interface Meant {
  readonly value: string;
  /** False where it may be something else. */
  readonly sure: boolean;
}

function meaning(
  parameter: Parameter,
  { code, text, suggestion, allowed }: ValueProblem,
  value: string,
): Meant | null {
  const bare = /^"([^"]*)"$|^'([^']*)'$/.exec(value);
  const inner = bare?.[1] ?? bare?.[2];
  if (inner !== undefined && inner !== '' && checkValue(parameter, inner) === null)
    return { value: inner, sure: true };
  if (code === 'bad-boolean' || code === 'bad-word') {
    if (suggestion === null || allowed.length === 0) return null;
    const word = new RegExp(`(^|[\\s,])${escaped(text)}(?=[\\s,]|$)`);
    const whole = text === value ? suggestion : value.replace(word, `$1${suggestion}`);
    return checkValue(parameter, whole) === null ? { value: whole, sure: true } : null;
  }
  if (code === 'bad-time') {
    const time = meantTime(value);
    return time !== null && checkValue(parameter, time.value) === null ? time : null;
  }
  const number = code === 'bad-integer' ? meantNumber(value) : null;
  return number !== null && checkValue(parameter, number) === null ? { value: number, sure: false } : null;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** `10S`, `5 min`, `2 Hours`: the same with one small letter. A capital M may be minutes or months. */
function meantTime(value: string): Meant | null {
  const [, number, unit = ''] = /^(\d+)[ \t]*([A-Za-z]+)$/.exec(value) ?? [];
  const word = unit.toLowerCase();
  if (
    number === undefined ||
    !/^(?:s(?:ecs?|econds?)?|m(?:ins?|inutes?)?|h(?:rs?|ours?)?|d(?:ays?)?|w(?:eeks?)?)$/.test(word)
  )
    return null;
  return { value: `${number}${word.charAt(0)}`, sure: unit !== 'M' };
}

const POWERS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3 };

/** `50M`, `10 kB`: bytes, by powers of 1024; `1_000` and `1,000`. */
function meantNumber(value: string): string | null {
  const [, digits, unit] = /^(\d+)[ \t]*([kmg])i?b?(?:ytes)?$/i.exec(value) ?? [];
  if (digits !== undefined && unit !== undefined)
    return String(Number(digits) * 1024 ** (POWERS[unit.toLowerCase()] ?? 0));
  return /^\d{1,3}([_,']\d{3})+$/.test(value) ? value.replace(/\D/g, '') : null;
}

/** Names that the programs check letter by letter. */
const CHECKED_NAMES: ReadonlySet<string> = new Set(['myhostname']);

/** Values that are names, addresses and files: a quotation mark is a part of none. */
const UNQUOTED_TYPES: ReadonlySet<string> = new Set([
  'path',
  'path-list',
  'match-list',
  'network-list',
  'map-list',
  'restriction-list',
  'milter-list',
]);
const UNQUOTED_NAMES: ReadonlySet<string> = new Set([
  'myhostname',
  'mydomain',
  'myorigin',
  'relayhost',
  'inet_interfaces',
  'proxy_interfaces',
  'virtual_transport',
  'mailbox_transport',
  'local_transport',
  'default_transport',
  'relay_transport',
  'content_filter',
  'smtp_bind_address',
  'smtp_bind_address6',
]);

/** The value between quotation marks that enclose it; null where there are none, or where they may be meant. */
function quoted(parameter: Parameter, value: string): string | null {
  if (!UNQUOTED_TYPES.has(parameter.type) && !UNQUOTED_NAMES.has(parameter.name)) return null;
  const [, double, single] = /^"([^"]+)"$|^'([^']+)'$/s.exec(value) ?? [];
  const inner = (double ?? single)?.trim();
  return inner === undefined || inner === '' || inner.includes('\n') ? null : inner;
}

/** Checks about values. */
export const valueChecks: Readonly<Record<string, Check>> = { 'postfix/bad-value': badValue };
