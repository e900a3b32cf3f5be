import {
  type Effective,
  listWords,
  type PostfixConfiguration,
  type PostfixSetting,
} from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { type Proposal, proposeSetting, proposeValue, type Scope } from '../../postfix/proposals.ts';
import { partLocation, splitWords } from '../../postfix/restrictions.ts';
import { isLoopback, listenAddress, type Service } from '../../postfix/services.ts';
import type { Edit } from '../../text/edits.ts';
import { nearest } from '../../text/nearest.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import { isTemplated } from './misread-lines.ts';
import { authOffer, loginOnlyList, smtpdEndpoints, tlsWorks } from './smtpd-auth.ts';

const AUTH_ENABLE = 'smtpd_sasl_auth_enable';
const AUTH_ONLY = 'smtpd_tls_auth_only';

/** Words of the security options (xsasl_cyrus_security.c, xsasl_dovecot_server.c). */
const SECURITY_OPTIONS: readonly string[] = [
  'noplaintext',
  'noactive',
  'nodictionary',
  'noanonymous',
  'forward_secrecy',
  'mutual_auth',
];

/** One of the three parameters for security options, as it is in use on an endpoint. */
interface OptionsInUse {
  /** The parameter that smtpd or the client reads. */
  readonly name: string;
  /** Its own value, or that of the parameter it takes its value from. */
  readonly deciding: Effective;
  readonly words: readonly string[];
}

/** The parameters for before TLS, inside TLS, and inside TLS with a certificate that was verified (clients only). */
function optionNames(family: string): {
  readonly before: string;
  readonly inside: string;
  readonly verified: string;
} {
  return {
    before: `${family}_sasl_security_options`,
    inside: `${family}_sasl_tls_security_options`,
    verified: `${family}_sasl_tls_verified_security_options`,
  };
}

/** Client levels at which the certificate is matched before the login (smtp_sasl_proto.c). */
const VERIFYING_LEVELS: ReadonlySet<string> = new Set([
  'fingerprint',
  'dane',
  'dane-only',
  'verify',
  'secure',
]);

/**
 * The security options that count on an endpoint: before TLS where AUTH is possible there, inside TLS
 * where there is TLS. An assumed service has the options that a real one would take from main.cf.
 */
function optionsInUse(postfix: PostfixConfiguration, endpoint: PostfixEndpoint): readonly OptionsInUse[] {
  const { family, side, sasl, service, tls, auth, level } = endpoint;
  if (!sasl && !service.assumed) return [];
  const { before, inside, verified } = optionNames(family);
  const chains: string[][] = [];
  if (auth.beforeTls === null) chains.push([before]);
  if (tls.mode !== 'none') {
    const verifies = side === 'client' && VERIFYING_LEVELS.has(level);
    if (!verifies || level === 'dane') chains.push([inside, before]);
    if (verifies) chains.push([verified, inside, before]);
  }
  return chains.map(([name = before, ...sources]) => {
    const deciding = follow(postfix, service, name, sources);
    return { name, deciding, words: listWords(deciding.value) };
  });
}

/** A default or a bare reference takes the value of the next name. */
function follow(
  postfix: PostfixConfiguration,
  service: Service,
  name: string,
  sources: readonly string[],
): Effective {
  const effective = postfix.get(name, service);
  const [next, ...rest] = sources;
  if (next === undefined) return effective;
  const refers = new RegExp(`^\\$(?:${next}|\\{\\s*${next}\\s*\\}|\\(\\s*${next}\\s*\\))$`);
  return effective.setting === null || refers.test(effective.raw.trim())
    ? follow(postfix, service, next, rest)
    : effective;
}

function has(words: readonly string[], option: string): boolean {
  return words.some((word) => word.toLowerCase() === option);
}

/** Words that the SASL code does not know; Cyrus tells capitals apart. What follows a `#` was meant as a comment. */
function unknownWords(
  effective: Effective,
  sameCase: boolean,
): readonly ReturnType<typeof splitWords>[number][] {
  const words = splitWords(effective.value, false);
  const comment = words.findIndex(({ text }) => text.startsWith('#'));
  return (comment < 0 ? words : words.slice(0, comment)).filter(
    ({ text }) => !SECURITY_OPTIONS.includes(sameCase ? text : text.toLowerCase()),
  );
}

/** True where the mechanisms that send the password itself can be offered with these options. */
function plaintextPossible(
  postfix: PostfixConfiguration,
  service: Service,
  options: readonly string[],
): boolean {
  return (
    !has(options, 'noplaintext') &&
    !filterDropsPlaintext(postfix.value('smtpd_sasl_mechanism_filter', service))
  );
}

/** A mechanism list that shuts out PLAIN and LOGIN: `!plain, !login, static:rest`, or others by name. */
function filterDropsPlaintext(filter: string): boolean {
  const words = listWords(filter.toLowerCase());
  return ['plain', 'login'].every((mechanism) => {
    for (const word of words) {
      if (word === `!${mechanism}`) return true;
      if (word === mechanism || /[:/]/.test(word)) return false;
    }
    return words.length > 0;
  });
}

const authWithoutTls: Check = function* (context) {
  const { postfix } = context;
  if (postfix.main === null) return;
  const clear = smtpdEndpoints(context).filter((endpoint) => authOffer(postfix, endpoint).beforeTls);
  for (const endpoint of clear) {
    const { service } = endpoint;
    const options = listWords(postfix.value('smtpd_sasl_security_options', service));
    if (!endpoint.public || !plaintextPossible(postfix, service, options)) continue;
    const of = postfix.get(AUTH_ONLY, service);
    const works = tlsWorks(endpoint);
    const proposal = proposeSetting(postfix, AUTH_ONLY, 'yes', [service], authOnlyScope(clear), [
      AUTH_ENABLE,
      'smtpd_tls_security_level',
    ]);
    yield {
      message: works ? 'default' : 'noTls',
      at: decidingPlace(postfix, of, service, [AUTH_ENABLE]),
      of,
      endpoint,
      expected: 'yes',
      // Without TLS the setting ends every login on this port: the admin must want that.
      fix: { title: `set ${AUTH_ONLY} to yes`, ...proposal, safe: works },
    };
  }
};

/** main.cf, unless AUTH is switched on by services of their own only, or a listener on loopback lives from AUTH without TLS. */
function authOnlyScope(clear: readonly PostfixEndpoint[]): Scope {
  if (clear.some((other) => !other.public && !other.service.overrides.has(AUTH_ONLY))) return 'service';
  return clear.some(({ service }) => !service.overrides.has(AUTH_ENABLE)) ? 'main' : 'service';
}

const authOnMx: Check = function* (context) {
  const { postfix } = context;
  const smtpd = smtpdEndpoints(context);
  const submissions = smtpd.filter(({ role }) => role === 'submission' || role === 'submissions');
  const none = postfix.master !== null && submissions.length === 0;
  let first = true;
  for (const endpoint of smtpd) {
    if (endpoint.role !== 'mx' || endpoint.port !== 25) continue;
    const { beforeTls, afterTls } = authOffer(postfix, endpoint);
    if (!beforeTls && !afterTls) continue;
    const of = postfix.get(AUTH_ENABLE, endpoint.service);
    yield {
      message: none ? 'noSubmission' : 'default',
      at: decidingPlace(postfix, of, endpoint.service),
      of,
      endpoint,
      expected: 'no',
      fix: none ? (first ? offerSubmission(context, endpoint, of) : null) : moveAuth(context, endpoint, of),
    };
    first = false;
  }
};

/** AUTH off on port 25 and on where users log in. */
function moveAuth(
  { postfix, ...context }: CheckContext,
  mx: PostfixEndpoint,
  of: Effective,
): ProposedFix | null {
  const { setting } = of;
  if (setting === null || postfix.master === null) return null;
  const title = `offer AUTH for submission only`;
  if (setting.kind === 'override') return { title, ...proposeValue(postfix, setting, 'no') };
  const inheriting = context.endpoints.filter(
    ({ family, side, service, sasl }) =>
      family === 'smtpd' && side === 'server' && sasl && !service.overrides.has(AUTH_ENABLE),
  );
  // Another port that strangers reach may be where users log in: it keeps what it has.
  if (inheriting.some(({ role, port }) => role === 'mx' && port !== 25)) {
    return { title, ...proposeSetting(postfix, AUTH_ENABLE, 'no', [mx.service], 'service') };
  }
  const users = inheriting
    .filter(({ role }) => role === 'submission' || role === 'submissions')
    .map(({ service }) => service);
  const off = proposeValue(postfix, setting, 'no');
  if (users.length === 0) return { title, ...off };
  return { title, ...join(off, proposeSetting(postfix, AUTH_ENABLE, 'yes', users, 'service')) };
}

/** A submission service below the line of port 25, and AUTH off there; only where users can have TLS on it. */
function offerSubmission(
  { postfix }: CheckContext,
  mx: PostfixEndpoint,
  { setting }: Effective,
): ProposedFix | null {
  const { master } = postfix;
  const { entry } = mx.service;
  if (master === null || entry === null || setting === null || !tlsWorks(mx)) return null;
  const { text } = master.source;
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const [name, value] = loginOnlyList(postfix, mx.service, false);
  const lines = [
    `submission inet n       -       ${entry.fields.chroot.text}       -       -       smtpd`,
    '  -o syslog_name=postfix/submission',
    '  -o smtpd_tls_security_level=encrypt',
    `  -o ${AUTH_ENABLE}=yes`,
    `  -o ${name}=${value}`,
  ];
  const at = entry.line.span.end;
  const before = at > 0 && text[at - 1] !== '\n' ? lineEnd : '';
  const insert: Edit = {
    path: master.source.path,
    span: { start: at, end: at },
    text: before + lines.map((line) => line + lineEnd).join(''),
  };
  const off = proposeValue(postfix, setting, 'no');
  return {
    title: 'add a submission service on port 587, and offer AUTH only there',
    edits: [insert, ...off.edits],
    writes: ['submission/inet', ...off.writes],
  };
}

function join(...proposals: readonly Proposal[]): Proposal {
  return {
    edits: proposals.flatMap(({ edits }) => edits),
    writes: proposals.flatMap(({ writes }) => writes),
  };
}

const saslAnonymous: Check = function* (context) {
  const { postfix, endpoints } = context;
  for (const endpoint of endpoints) {
    const seen = new Set<Effective>();
    for (const { deciding, words } of optionsInUse(postfix, endpoint)) {
      const { setting } = deciding;
      // The defaults hold noanonymous; a word that is unknown stops the login altogether.
      if (setting === null || seen.has(deciding) || isTemplated(deciding.raw)) continue;
      seen.add(deciding);
      if (has(words, 'noanonymous') || unknownWords(deciding, false).length > 0) continue;
      const value = withNoanonymous(setting.value);
      yield {
        message: endpoint.side === 'client' ? 'client' : words.length === 0 ? 'empty' : 'default',
        at: setting.at,
        of: deciding,
        endpoint,
        expected: value,
        fix: { title: `add noanonymous to ${deciding.name}`, ...proposeValue(postfix, setting, value) },
      };
    }
  }
};

function withNoanonymous(value: string): string {
  return value.trim() === '' ? 'noanonymous' : `${value.replace(/[,\s]+$/, '')}, noanonymous`;
}

const saslNoMechanismLeft: Check = function* ({ postfix, endpoints }) {
  for (const endpoint of endpoints) {
    const { family, side, service } = endpoint;
    const { before, inside } = optionNames(family);
    for (const { name, deciding, words } of optionsInUse(postfix, endpoint)) {
      if (name === before || deciding.name !== before || !has(words, 'noplaintext')) continue;
      if (unknownWords(deciding, false).length > 0 || isTemplated(deciding.raw)) continue;
      if (deciding.setting === null && (side === 'server' || postfix.main === null || service.assumed))
        continue;
      if (side === 'client' && !clientMayUsePlaintext(postfix, endpoint)) continue;
      const message =
        side === 'client' ? 'client' : authOffer(postfix, endpoint).beforeTls ? 'everywhere' : 'default';
      yield {
        message,
        at: decidingPlace(postfix, deciding, service, [`${family}_sasl_auth_enable`]),
        of: deciding,
        endpoint,
        data: { inside },
        fix: passwordsInsideTls(postfix, endpoint, deciding, message === 'everywhere'),
      };
      break;
    }
  }
};

/** PLAIN and LOGIN inside TLS; where AUTH is open before TLS too, it has to be closed there, or smtpd still ends. */
function passwordsInsideTls(
  postfix: PostfixConfiguration,
  { family, service }: PostfixEndpoint,
  deciding: Effective,
  authOnly: boolean,
): ProposedFix {
  const { before, inside } = optionNames(family);
  const own = postfix.setting(inside, service);
  const scope: Scope = deciding.setting?.kind === 'override' ? 'service' : 'main';
  const allowed =
    own === null
      ? proposeSetting(postfix, inside, 'noanonymous', [service], scope, [before])
      : proposeValue(postfix, own, 'noanonymous');
  const title = `set ${inside} to noanonymous`;
  if (!authOnly) return { title, ...allowed };
  // Who logs in without TLS today, with a mechanism that hides the password, could not any more.
  const only = proposeSetting(postfix, AUTH_ONLY, 'yes', [service], scope, [before]);
  return { title: `${title} and ${AUTH_ONLY} to yes`, safe: false, ...join(allowed, only) };
}

/** False where a filter names the mechanisms that the client takes, and PLAIN and LOGIN are not among them. */
function clientMayUsePlaintext(postfix: PostfixConfiguration, { family, service }: PostfixEndpoint): boolean {
  const filter = postfix.value(`${family}_sasl_mechanism_filter`, service);
  return filter === '' || !filterDropsPlaintext(filter);
}

const saslOptionUnknown: Check = function* ({ postfix, endpoints }) {
  for (const endpoint of endpoints) {
    const { family, service, side } = endpoint;
    const seen = new Set<Effective>();
    const sameCase = postfix.value(`${family}_sasl_type`, service) === 'cyrus';
    for (const { deciding } of optionsInUse(postfix, endpoint)) {
      const { setting } = deciding;
      if (setting === null || seen.has(deciding) || isTemplated(deciding.raw)) continue;
      seen.add(deciding);
      const unknown = unknownWords(deciding, sameCase);
      const corrected = unknown.map(({ text }) => nearest(text, SECURITY_OPTIONS));
      const fix = corrected.includes(null)
        ? null
        : correction(postfix, setting, deciding, unknown, corrected);
      for (const [index, { text, start, end }] of unknown.entries()) {
        const suggestion = corrected[index] ?? null;
        yield {
          message: `${side}${suggestion === null ? '' : 'Near'}`,
          at: partLocation(deciding, start, end) ?? decidingPlace(postfix, deciding, service),
          of: deciding,
          endpoint,
          data: { word: text, suggestion: suggestion ?? '', known: SECURITY_OPTIONS },
          fix,
        };
      }
    }
  }
};

function correction(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  { name, value }: Effective,
  words: readonly { readonly start: number; readonly end: number }[],
  corrected: readonly (string | null)[],
): ProposedFix | null {
  if (setting.value !== value) return null;
  let text = '';
  let at = 0;
  for (const [index, { start, end }] of words.entries()) {
    text += value.slice(at, start) + (corrected[index] ?? '');
    at = end;
  }
  text += value.slice(at);
  return { title: `set ${name} to ${text}`, ...proposeValue(postfix, setting, text) };
}

/** A switch of smtpd that only matters where users log in. */
function* switchedOn(context: CheckContext, name: string): Iterable<Report> {
  const { postfix } = context;
  for (const endpoint of smtpdEndpoints(context)) {
    const { service } = endpoint;
    const { beforeTls, afterTls } = authOffer(postfix, endpoint);
    if (!beforeTls && !afterTls && !service.assumed) continue;
    const of = postfix.get(name, service);
    if (of.setting === null || of.value.toLowerCase() !== 'yes') continue;
    yield {
      at: of.setting.at,
      of,
      endpoint,
      expected: 'no',
      fix: { title: `set ${name} to no`, ...proposeValue(postfix, of.setting, 'no') },
    };
  }
}

const saslOverNetwork: Check = function* (context) {
  const { postfix } = context;
  for (const endpoint of smtpdEndpoints(context)) {
    const { service, sasl } = endpoint;
    if (!sasl && !service.assumed) continue;
    const of = postfix.get('smtpd_sasl_path', service);
    const remote = /^inet:(.*)$/.exec(of.value)?.[1];
    if (remote === undefined || of.setting === null || isTemplated(of.raw)) continue;
    if (postfix.value('smtpd_sasl_type', service) !== 'dovecot') continue;
    const { host } = listenAddress(remote);
    // A port by itself means localhost (inet_connect.c).
    if (host === '*' || isLoopback(host)) continue;
    yield { at: of.setting.at, of, endpoint, data: { host } };
  }
};

/** Checks of the rules about SASL and authentication. */
export const postfixSaslChecks: Readonly<Record<string, Check>> = {
  'postfix/auth-without-tls': authWithoutTls,
  'postfix/auth-on-mx': authOnMx,
  'postfix/sasl-anonymous': saslAnonymous,
  'postfix/sasl-no-mechanism-left': saslNoMechanismLeft,
  'postfix/sasl-option-unknown': saslOptionUnknown,
  'postfix/broken-sasl-clients': (context) => switchedOn(context, 'broken_sasl_auth_clients'),
  'postfix/sasl-login-in-header': (context) => switchedOn(context, 'smtpd_sasl_authenticated_header'),
  'postfix/sasl-over-network': saslOverNetwork,
};
