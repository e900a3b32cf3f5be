import { admission } from '../../postfix/admission.ts';
import { type Effective, listWords, type PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { fixMayUse, proposeSetting, proposeValue } from '../../postfix/proposals.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import { isMisread, isTemplated } from './misread-lines.ts';
import { isProven } from './postfix-levels.ts';
import { smtpdEndpoints } from './smtpd-auth.ts';

/**
 * What an SMTP server tells strangers, and what it lets them leave out: VRFY, HELO, the greeting. Sources:
 * smtpd.c (vrfy_cmd, mail_cmd, smtpd_proto), smtpd_check.c (smtpd_check_rcpt), postscreen_smtpd.c;
 * RFC 5321 sections 3.5.3, 4.1.1.1, 4.2, 4.3.1 and 7.3.
 */

/** Settings that say what mail a host takes: a main.cf that comes alone and has none of them is a fragment. */
const OF_A_SERVER = [
  'mydestination',
  'virtual_alias_domains',
  'virtual_mailbox_domains',
  'relay_domains',
  'smtpd_recipient_restrictions',
  'smtpd_relay_restrictions',
];

/** What stands beside these switches in main.cf. */
const KIN = ['smtpd_helo_required', 'disable_vrfy_command', 'smtpd_banner', ...OF_A_SERVER];

/** Services of smtpd(8) that other machines reach. */
export function publicSmtpd(context: CheckContext): readonly PostfixEndpoint[] {
  return smtpdEndpoints(context).filter(({ public: reachable, service }) => reachable && !service.assumed);
}

/**
 * Whether the files tell that a value counts in a service: it is written down, or it is a default in files
 * that show the whole of it. What a template engine fills in tells nothing.
 */
export function isTold(postfix: PostfixConfiguration, of: Effective): boolean {
  if (!isProven(postfix, of) || isTemplated(of.raw)) return false;
  if (of.setting !== null) return !isMisread(postfix, of.setting);
  if (mayBeFilledIn(postfix)) return false;
  return postfix.master !== null || OF_A_SERVER.some((name) => (postfix.setting(name)?.value ?? '') !== '');
}

/** True for a main.cf in which a template engine writes whole lines: it may set anything. */
function mayBeFilledIn({ main }: PostfixConfiguration): boolean {
  return (
    main?.items.some((item) =>
      item.kind === 'entry' ? isTemplated(item.name) : isTemplated(item.line.text),
    ) === true
  );
}

/** Where to show a value of several endpoints: a default once, at the first of them. */
export function sharedPlace(
  postfix: PostfixConfiguration,
  of: Effective,
  { listener }: PostfixEndpoint,
  kin: readonly string[] = [],
): Location {
  return decidingPlace(postfix, of, listener, postfix.master === null ? kin : []);
}

/** One report for each endpoint where a switch is off; those where the same default counts share a place. */
function* switchedOff(
  context: CheckContext,
  endpoints: readonly PostfixEndpoint[],
  name: string,
): Iterable<Report> {
  const { postfix } = context;
  let first: Location | null = null;
  for (const endpoint of endpoints) {
    const of = postfix.get(name, endpoint.service);
    if (of.value.toLowerCase() !== 'no' || !isTold(postfix, of)) continue;
    const at: Location = of.setting?.at ?? first ?? sharedPlace(postfix, of, endpoint);
    if (of.setting === null) first = at;
    yield {
      at,
      of,
      endpoint,
      expected: 'yes',
      data: { isDefault: of.setting === null },
      fix: {
        title: `set ${name} to yes`,
        ...proposeSetting(postfix, name, 'yes', [endpoint.service], 'main', KIN),
      },
    };
  }
}

/**
 * VRFY runs the restrictions for RCPT TO (vrfy_cmd): where they refuse strangers whatever the address, as
 * on a submission service that lets in users alone, the answer tells nothing.
 */
const vrfy: Check = function* (context) {
  const answering = publicSmtpd(context).filter(
    ({ service }) =>
      admission(context.postfix, service, { login: false, certificate: false, recipient: 'own' }).accepted,
  );
  yield* switchedOff(context, answering, 'disable_vrfy_command');
};

const heloOptional: Check = function* (context) {
  const mx = publicSmtpd(context).filter(({ role }) => role === 'mx');
  yield* switchedOff(context, mx, 'smtpd_helo_required');
};

const BANNER = 'smtpd_banner';
const TEASER = 'postscreen_greet_banner';

/** Names of systems as their packages write them into the greeting. */
const SYSTEM =
  /\b(?:(?:Open)?Mandriva|Debian(?:\/GNU)?|Ubuntu|Raspbian|CentOS|Red ?Hat|RHEL|Fedora|(?:open)?SUSE|Gentoo|Mageia|Slackware|Alpine|Arch ?Linux|Alma ?Linux|Rocky ?Linux|(?:Free|Net|Open|DragonFly)BSD|Solaris|illumos|macOS|Mac OS X|GNU\/Linux|Linux)\b/i;

/** A version of Postfix: the parameter, or a number written out. */
const VERSION = /\$(?:mail_version\b|\{mail_version\}|\(mail_version\))|\bpostfix[\s/,v-]*\d+(?:\.\d+)+/i;

/** The greeting, of smtpd and of a postscreen that speaks first. */
const banner: Check = function* (context) {
  for (const endpoint of publicSmtpd(context)) yield* bannerReports(context, endpoint, BANNER);
  for (const endpoint of context.endpoints) {
    const { service, public: reachable } = endpoint;
    if (service.program !== 'postscreen' || !reachable) continue;
    // Left at its default it is the banner of smtpd.
    if (context.postfix.setting(TEASER, service) !== null) yield* bannerReports(context, endpoint, TEASER);
  }
};

function* bannerReports(context: CheckContext, endpoint: PostfixEndpoint, name: string): Iterable<Report> {
  const { postfix } = context;
  const of = postfix.get(name, endpoint.service);
  const { setting, raw, value } = of;
  // An empty one is left out by postscreen, and fatal to smtpd.
  if (setting === null || value === '' || of.expansion.failed || of.expansion.problems.length > 0) return;
  if (!isTold(postfix, of) || isPlaceholder(raw)) return;
  // `$smtpd_banner` is judged where it is written.
  if (name === TEASER && /^\$(?:smtpd_banner|\{smtpd_banner\}|\(smtpd_banner\))$/.test(raw)) return;
  const text = withoutFirstWord(raw);
  const version = VERSION.exec(raw)?.[0];
  const system = SYSTEM.exec(text)?.[0];
  const first = /^\S*/.exec(value)?.[0] ?? '';
  const start = judgeStart(postfix, endpoint, raw, first);
  if (version === undefined && system === undefined && start === 'good') return;
  const whole = cleaned(raw, start);
  // An -o without braces ends at the first blank.
  const good =
    setting.kind === 'override' && /\s/.test(whole) && !fixMayUse(postfix, 'bracedOverride')
      ? '$myhostname'
      : whole;
  const common = { at: setting.at, of, endpoint, actual: raw, expected: good };
  const fix: ProposedFix = {
    title: `set ${name} to ${good}`,
    // Which of two names is the right one the files do not tell.
    safe: start !== 'other',
    ...proposeValue(postfix, setting, good),
  };
  if (version !== undefined && system !== undefined)
    yield { ...common, message: 'version-and-system', data: { version, system }, fix };
  else if (version !== undefined) yield { ...common, message: 'version', data: { shown: version }, fix };
  else if (system !== undefined) yield { ...common, message: 'system', data: { shown: system }, fix };
  if (start !== 'good')
    yield {
      ...common,
      message: start === 'other' ? 'other-name' : 'no-name',
      data: { first, hostname: postfix.value('myhostname', endpoint.service) },
      fix,
    };
}

/** `{MTA_VERSION}`, `@@DISTRO@@`, `__NAME__`, `%DOMAIN%`: words that something else replaces. */
export function isPlaceholder(text: string): boolean {
  return isTemplated(text) || /(?<![$}])\{\w+\}|@@\w+@@|__\w+__|%\w+%|<\w+>/.test(text);
}

function withoutFirstWord(text: string): string {
  return text.replace(/^\S+/, '');
}

/** What a greeting begins with: the name of the host, another full name, or none. */
function judgeStart(
  postfix: PostfixConfiguration,
  { service }: PostfixEndpoint,
  raw: string,
  first: string,
): 'good' | 'other' | 'none' {
  if (/^\$(?:myhostname|\{myhostname\}|\(myhostname\))(?!\S)/.test(raw) || isPlaceholder(first))
    return 'good';
  const own = postfix.value('myhostname', service);
  if (first.toLowerCase() === own.toLowerCase()) return 'good';
  // A name that only the running system knows, or an address.
  if (first.includes('$') || /^\[[^\]]*\]$/.test(first)) return 'good';
  if (!/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+\.?$/i.test(first))
    return 'none';
  return own.includes('$') || isPlaceholder(own) ? 'good' : 'other';
}

/** The greeting without what it should not tell, and with the name of the host at its start. */
function cleaned(raw: string, start: 'good' | 'other' | 'none'): string {
  const [, first = '', rest = ''] = /^(\S+)(.*)$/s.exec(raw) ?? [];
  // A word that stands for a name gives way to the right one, other text stays behind it.
  const isName = start === 'other' || /^\$[\w({]/.test(first);
  const name = start === 'good' ? first : '$myhostname';
  const told = start === 'good' || isName ? rest : ` ${first}${rest}`;
  const kept = told
    .replace(new RegExp(VERSION.source, 'gi'), (word) => (/^postfix/i.test(word) ? 'Postfix' : ''))
    .replace(new RegExp(SYSTEM.source, 'gi'), '')
    .replace(/[([{]\s*[)\]}]/g, '')
    .replace(/\s+/g, ' ')
    .trimEnd();
  return kept === '' ? `${name} ESMTP` : `${name}${kept}`;
}

const NOTIFY = 'notify_classes';

/** Classes by what they send to the postmaster. */
const NOTICES: ReadonlyMap<string, string> = new Map([
  ['bounce', 'bounce'],
  ['2bounce', 'bounce'],
  ['policy', 'transcript'],
  ['protocol', 'transcript'],
]);

const bounceNotices: Check = function* (context) {
  const { postfix } = context;
  const sasl = smtpdEndpoints(context).some((endpoint) => endpoint.sasl);
  for (const setting of postfix.settings()) {
    if (setting.name !== NOTIFY || isTemplated(setting.value) || isMisread(postfix, setting)) continue;
    const of = postfix.get(NOTIFY, setting.kind === 'override' ? setting.service : null);
    if (of.value.includes('$')) continue;
    const words = listWords(of.value);
    const kept = words.filter((word) => !NOTICES.has(word));
    const value = kept.length === 0 ? 'resource, software' : kept.join(', ');
    for (const kind of new Set(NOTICES.values())) {
      const classes = words.filter((word) => NOTICES.get(word) === kind);
      if (classes.length === 0) continue;
      yield {
        message: kind,
        at: setting.at,
        of,
        expected: value,
        data: { classes, sasl },
        fix: { title: `set ${NOTIFY} to ${value}`, ...proposeValue(postfix, setting, value) },
      };
    }
  }
};

/** Checks of what a server tells strangers and its postmaster, by the name that rule files call. */
export const hygieneChecks: Readonly<Record<string, Check>> = {
  'postfix/vrfy': vrfy,
  'postfix/helo-optional': heloOptional,
  'postfix/banner': banner,
  'postfix/bounce-notices': bounceNotices,
};
