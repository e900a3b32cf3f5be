import type { Related } from '../../model/finding.ts';
import {
  type Effective,
  listWords,
  type PostfixConfiguration,
  type PostfixSetting,
} from '../../postfix/configuration.ts';
import { hasCertificate } from '../../postfix/endpoint-tls.ts';
import { type PostfixEndpoint, SERVER_LEVELS } from '../../postfix/endpoints.ts';
import { type Proposal, proposeRemoval, proposeSetting, proposeValue } from '../../postfix/proposals.ts';
import { nearest } from '../../text/nearest.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import { andList, endpointPhrase } from '../messages.ts';
import { authOffer } from './smtpd-auth.ts';

/**
 * Security levels of the listeners: smtpd(8) and postscreen(8). Facts: postfix-tls §3 (smtpd.c
 * post_jail_init, postscreen.c, tls_level.c), RFC 3207, RFC 8314.
 */

const LEVEL = 'smtpd_tls_security_level';
const WRAPPER = 'smtpd_tls_wrappermode';

/** What names the certificate of a server. */
const CERTIFICATE_PARAMETERS = [
  'smtpd_tls_chain_files',
  'smtpd_tls_cert_file',
  'smtpd_tls_eccert_file',
  'smtpd_tls_dcert_file',
];

/** Switches that say no, where there is no level: the default would say so too. */
const SWITCHES = ['smtpd_use_tls', 'smtpd_enforce_tls'];

/** Where a main.cf comes alone there is no line of the service to show, but any of these. */
const LEVEL_KIN_OF_MAIN = [
  ...CERTIFICATE_PARAMETERS,
  ...SWITCHES,
  'smtpd_tls_key_file',
  'smtpd_tls_auth_only',
  'smtpd_tls_protocols',
  'smtpd_tls_mandatory_protocols',
  'smtpd_tls_exclude_ciphers',
  'smtpd_tls_session_cache_database',
];

/** What stands beside a level in main.cf. */
const BESIDE_LEVEL = [...SWITCHES, 'smtpd_tls_key_file', ...CERTIFICATE_PARAMETERS];

/** Parameters whose non-empty value stands for users or partners of a port that is known by name. */
const PARTNER_LISTS = [
  'smtpd_client_restrictions',
  'smtpd_relay_restrictions',
  'smtpd_recipient_restrictions',
];

/** Restrictions that let in clients that are known, by address or by certificate. */
const KNOWN_CLIENTS = new Set([
  'permit_mynetworks',
  'permit_inet_interfaces',
  'permit_tls_clientcerts',
  'permit_tls_all_clientcerts',
  'permit_sasl_authenticated',
  'check_client_access',
  'check_ccert_access',
]);

/**
 * Whether the files prove a value: without a main.cf only an override proves one, and none that
 * refers to another parameter.
 */
export function isProven(configuration: PostfixConfiguration, effective: Effective): boolean {
  return configuration.main !== null || (effective.setting !== null && !effective.raw.includes('$'));
}

/** The parameter that a user would change: postscreen takes its level from smtpd's unless it has its own. */
function levelOf(configuration: PostfixConfiguration, { levelFrom, service }: PostfixEndpoint): Effective {
  if (levelFrom.setting !== null || !levelFrom.name.startsWith('postscreen_')) return levelFrom;
  return configuration.get(levelFrom.name.replace('postscreen_', 'smtpd_'), service);
}

/**
 * A level as it is reported: under the name of the level, whether that decides or one of the old
 * switches in its place, so that a finding stays the same when the switch is replaced.
 */
export function levelReported(of: Effective, level: string): Pick<Report, 'of' | 'setting' | 'actual'> {
  if (!/_(?:use|enforce)_tls$/.test(of.name)) return { of };
  return { setting: of.name.replace(/_(?:use|enforce)_tls$/, '_tls_security_level'), actual: level };
}

/** `smtpd_enforce_tls = yes` */
export function decidedBy({ name, value }: Effective): string {
  return `${name} = ${value}`;
}

/** Where to show a level of a listener. */
function levelPlace(configuration: PostfixConfiguration, endpoint: PostfixEndpoint): Location {
  const kin = configuration.master === null ? LEVEL_KIN_OF_MAIN : CERTIFICATE_PARAMETERS;
  // An smtpd that postscreen hands sessions to stands for the port that postscreen opens.
  return decidingPlace(configuration, levelOf(configuration, endpoint), endpoint.listener, kin);
}

/** Name of the parameter that gives a listener its level. */
function levelName(endpoint: PostfixEndpoint): string {
  const own = endpoint.levelFrom.setting !== null && endpoint.levelFrom.name.startsWith('postscreen_');
  return own ? 'postscreen_tls_security_level' : LEVEL;
}

/** Listeners that other machines reach, of services that are really there. */
function publicServers({ endpoints }: CheckContext): PostfixEndpoint[] {
  return endpoints.filter(
    ({ side, public: reachable, service }) => side === 'server' && reachable && !service.assumed,
  );
}

/** True for the same assignment in the same file. */
export function sameSetting(a: PostfixSetting | null, b: PostfixSetting | null): boolean {
  return a !== null && b !== null && a.at.source === b.at.source && a.at.span.start === b.at.span.start;
}

function isSubmission({ role }: PostfixEndpoint): boolean {
  return role === 'submission' || role === 'submissions';
}

/** True when a level in main.cf would lower the level of another listener that demands TLS now. */
function lowersOthers(context: CheckContext, endpoint: PostfixEndpoint): boolean {
  return context.endpoints.some(
    (other) =>
      other.side === 'server' &&
      other.service !== endpoint.service &&
      other.service.entry !== null &&
      isSubmission(other) &&
      other.tls.mode === 'required' &&
      !other.service.overrides.has(LEVEL),
  );
}

/** Gives a listener a level: for port 25 in main.cf where nobody loses by it, for users on their service. */
function proposeLevel(context: CheckContext, endpoint: PostfixEndpoint, level: string): Proposal {
  const { postfix } = context;
  const own = isSubmission(endpoint) || lowersOthers(context, endpoint);
  return proposeSetting(
    postfix,
    levelName(endpoint),
    level,
    [endpoint.service],
    own ? 'service' : 'main',
    BESIDE_LEVEL,
  );
}

function levelFix(context: CheckContext, endpoint: PostfixEndpoint, level: string): ProposedFix | null {
  if (!hasCertificate(context.postfix, endpoint.service, endpoint.family)) return null;
  return {
    title: `set ${levelName(endpoint)} to ${level}${isSubmission(endpoint) ? ` on ${endpoint.service.id}` : ''}`,
    ...proposeLevel(context, endpoint, level),
  };
}

/** Tests of postscreen that go on after the greeting: their clients speak to postscreen only. */
const DEEP_TESTS = [
  'postscreen_pipelining_enable',
  'postscreen_non_smtp_command_enable',
  'postscreen_bare_newline_enable',
];

function* serverTlsOff(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  for (const endpoint of publicServers(context)) {
    if (endpoint.role !== 'mx' && endpoint.role !== 'submission') continue;
    if (endpoint.fault === 'no-tlsproxy') {
      yield {
        at: levelPlace(postfix, endpoint),
        endpoint,
        of: levelOf(postfix, endpoint),
        message: 'no-tlsproxy',
      };
      continue;
    }
    if (endpoint.fault !== null) continue;
    if (endpoint.tls.mode !== 'none') {
      yield* hiddenStarttls(context, endpoint);
      continue;
    }
    const of = levelOf(postfix, endpoint);
    if (!isProven(postfix, of) || (postfix.main === null && of.value === '')) continue;
    // A port of one's own that is told to do without: no other mail server calls there.
    if (endpoint.role === 'mx' && endpoint.port !== 25 && of.setting?.kind === 'override') continue;
    const wanted = endpoint.role === 'mx' ? 'may' : 'encrypt';
    const test = postscreenTest(context, endpoint);
    if (test === null) continue;
    yield {
      at: levelPlace(postfix, endpoint),
      endpoint,
      of,
      expected: wanted,
      message: test === undefined ? endpoint.role : 'postscreen',
      data: {
        certificate: hasCertificate(postfix, endpoint.service, endpoint.family),
        level: of.value === '' ? 'empty' : of.value,
        ...(endpoint.role === 'submission'
          ? { service: endpoint.service.id, sasl: endpoint.sasl }
          : { test }),
      },
      related: of.setting === null ? switchedOff(postfix, endpoint) : [],
      fix: canDoTls(postfix, endpoint) ? levelFix(context, endpoint, wanted) : null,
    };
  }
}

/** STARTTLS left out of the answer to EHLO, and refused with 502 (smtpd.c): the level counts for nothing. */
function* hiddenStarttls({ postfix }: CheckContext, endpoint: PostfixEndpoint): Iterable<Report> {
  if (endpoint.family !== 'smtpd' || endpoint.tls.mode === 'implicit') return;
  const of = postfix.get('smtpd_discard_ehlo_keywords', endpoint.service);
  const words = listWords(of.value);
  if (of.setting === null || !isProven(postfix, of)) return;
  const kept = words.filter((word) => word.toLowerCase() !== 'starttls');
  if (kept.length === words.length) return;
  const useless = kept.every((word) => word.toLowerCase() === 'silent-discard');
  yield {
    at: of.setting.at,
    endpoint,
    of,
    expected: useless ? '' : kept.join(', '),
    message: 'hidden',
    fix: useless
      ? { title: `remove ${of.name}`, ...proposeRemoval(postfix, of.setting) }
      : { title: `take starttls out of ${of.name}`, ...proposeValue(postfix, of.setting, kept.join(', ')) },
  };
}

/** The old switches that say no: not what decides, but what the owner may remember. */
function switchedOff(configuration: PostfixConfiguration, { service }: PostfixEndpoint): Related[] {
  return SWITCHES.map((name) => configuration.setting(name, service))
    .filter((setting) => setting !== null)
    .map(({ at, name, value }) => ({ at, message: `${name} = ${value}` }));
}

/** postscreen leaves TLS to tlsproxy(8). */
function canDoTls({ services }: PostfixConfiguration, { service }: PostfixEndpoint): boolean {
  return service.program !== 'postscreen' || services.some(({ program }) => program === 'tlsproxy');
}

/**
 * A postscreen without TLS before an smtpd that has it: the test that makes clients speak to postscreen
 * alone, null when there is none, so that every client that talks reaches the smtpd; undefined elsewhere.
 */
function postscreenTest(context: CheckContext, endpoint: PostfixEndpoint): string | null | undefined {
  const handedOn = handedSmtpd(context, endpoint);
  if (handedOn === undefined || handedOn.tls.mode === 'none') return undefined;
  return DEEP_TESTS.find((name) => context.postfix.isYes(name, endpoint.service)) ?? null;
}

/** The smtpd to which a postscreen hands its sessions. */
function handedSmtpd({ endpoints }: CheckContext, endpoint: PostfixEndpoint): PostfixEndpoint | undefined {
  if (endpoint.service.program !== 'postscreen') return undefined;
  return endpoints.find(
    ({ service, listener }) => listener === endpoint.service && service !== endpoint.service,
  );
}

function* serverTlsWithoutCertificate(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  if (postfix.main === null) return;
  const broken = publicServers(context).filter(
    ({ fault, role }) => fault === 'no-certificate' && role !== 'reinjection',
  );
  const [first] = broken;
  if (first === undefined) return;
  // One cause, one finding: at the level in main.cf where that is the one that switches TLS on.
  const shown = broken.find(({ levelFrom }) => levelFrom.setting?.kind === 'main') ?? first;
  const at = levelPlace(postfix, shown);
  const dead = broken.filter(({ mandatory }) => mandatory).map(endpointPhrase);
  const places = new Map(
    broken.map((endpoint) => {
      const place = levelPlace(postfix, endpoint);
      return [`${place.source.path}:${place.span.start}`, { at: place, endpoint }] as const;
    }),
  );
  places.delete(`${at.source.path}:${at.span.start}`);
  const related = [...places.values()].map(({ at: place, endpoint }) => ({
    at: place,
    message: `TLS for ${endpointPhrase(endpoint)} is switched on here`,
  }));
  const message = dead.length === 0 ? 'offered' : dead.length === broken.length ? 'required' : 'mixed';
  for (const endpoint of [shown, ...broken.filter((one) => one !== shown)]) {
    yield {
      at,
      endpoint,
      message,
      of: levelOf(postfix, shown),
      data: { dead: andList(dead), mx: broken.every(({ role }) => role === 'mx') },
      related,
    };
  }
}

/**
 * True when only clients that are known by address, login or certificate get past the restrictions:
 * then the port serves partners, and demanding TLS of them is the owner's to decide.
 */
function servesPartners({ postfix }: CheckContext, { service }: PostfixEndpoint): boolean {
  if (postfix.isYes('smtpd_tls_req_ccert', service)) return true;
  return PARTNER_LISTS.some((name) => {
    const words = listWords(postfix.value(name, service).toLowerCase());
    const before = words.slice(0, Math.max(0, words.indexOf('reject')));
    const letIn = before.filter((word) => /^(permit|check_)/.test(word));
    return letIn.length > 0 && letIn.every((word) => KNOWN_CLIENTS.has(word));
  });
}

function* mxTlsRequired(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  for (const endpoint of publicServers(context)) {
    if (endpoint.role !== 'mx' || endpoint.port !== 25 || !endpoint.mandatory) continue;
    const of = levelOf(postfix, endpoint);
    if (!isProven(postfix, of)) continue;
    const partners = servesPartners(context, endpoint);
    const implicit = endpoint.tls.mode === 'implicit';
    const fix = implicit
      ? wrapperFix(context, of.setting)
      : {
          title: `set ${levelName(endpoint)} to may for port 25`,
          ...proposeLevel(context, endpoint, 'may'),
        };
    yield {
      at: levelPlace(postfix, endpoint),
      endpoint,
      ...levelReported(of, endpoint.level),
      expected: implicit ? 'no' : 'may',
      message: partners ? 'partners' : implicit ? 'wrappermode' : 'default',
      data: { port: endpoint.port, decides: decidedBy(of) },
      fix: fix === null ? null : { ...fix, ...(partners ? { safe: false } : {}) },
    };
  }
}

function* submissionTlsOptional(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  for (const endpoint of publicServers(context)) {
    const { role, tls, levelFrom, fault } = endpoint;
    if (role !== 'submission' || fault === 'invalid-level') continue;
    if (tls.mode !== 'opportunistic' && tls.mode !== 'none') continue;
    if (!isProven(postfix, levelFrom) || (postfix.main === null && levelFrom.value === '')) continue;
    yield {
      at: levelPlace(postfix, endpoint),
      endpoint,
      ...levelReported(levelFrom, endpoint.level),
      expected: 'encrypt',
      message: tls.mode === 'none' ? 'none' : 'may',
      data: {
        certificate: hasCertificate(postfix, endpoint.service, 'smtpd'),
        service: endpoint.service.id,
        override: levelFrom.setting?.kind === 'override',
        plainAuth: authOffer(postfix, endpoint).beforeTls,
        decides: decidedBy(levelFrom),
      },
      fix: levelFix(context, endpoint, 'encrypt'),
    };
  }
}

function* wrappermodeMissing(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  for (const endpoint of publicServers(context)) {
    if (endpoint.port !== 465 || endpoint.tls.mode === 'implicit') continue;
    const of = postfix.get(WRAPPER, endpoint.service);
    if (!isProven(postfix, of)) continue;
    const certificate = hasCertificate(postfix, endpoint.service, 'smtpd');
    yield {
      at: decidingPlace(postfix, of, endpoint.service),
      endpoint,
      of,
      expected: 'yes',
      data: { service: endpoint.service.id, starttls: endpoint.tls.mode !== 'none', certificate },
      fix: certificate
        ? {
            title: `set ${WRAPPER} to yes on ${endpoint.service.id}`,
            ...proposeSetting(postfix, WRAPPER, 'yes', [endpoint.service], 'service'),
          }
        : null,
    };
  }
}

/** Listeners that get wrappermode from an assignment. */
function wrappedBy(context: CheckContext, setting: PostfixSetting): PostfixEndpoint[] {
  return context.endpoints.filter(
    ({ side, tls, service, levelFrom }) =>
      side === 'server' &&
      !service.assumed &&
      tls.mode === 'implicit' &&
      sameSetting(levelFrom.setting, setting),
  );
}

/** Ports where SMTP begins in the clear, and loopback ports of content filters. */
function beginsInClear({ port, public: reachable }: PostfixEndpoint): boolean {
  return port === 25 || port === 587 || !reachable;
}

function* wrappermodeMisplaced(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  for (const setting of postfix.settings()) {
    if (setting.name !== WRAPPER) continue;
    const misplaced = wrappedBy(context, setting).filter(beginsInClear);
    if (setting.kind === 'override' && misplaced.every(({ public: reachable }) => !reachable)) continue;
    let fix = wrapperFix(context, setting);
    for (const endpoint of misplaced) {
      const port = endpoint.port === 587 ? 'submission' : 'mx';
      yield {
        at: setting.at,
        endpoint,
        of: endpoint.levelFrom,
        expected: 'no',
        message: setting.kind === 'main' ? 'main' : port,
        data:
          setting.kind === 'main' ? { service: implicitService(context) } : { service: endpoint.service.id },
        fix,
      };
      fix = null;
    }
  }
}

/** The service of port 465, where there is one. */
function implicitService({ endpoints }: CheckContext): string | null {
  return endpoints.find(({ side, port }) => side === 'server' && port === 465)?.service.id ?? null;
}

/** Takes wrappermode away where SMTP begins in the clear, and leaves each port with the level that is its own. */
function wrapperFix(context: CheckContext, setting: PostfixSetting | null): ProposedFix | null {
  const { postfix } = context;
  if (setting === null) return null;
  const wrapped = wrappedBy(context, setting);
  const proposals: Proposal[] = [];
  if (setting.kind === 'main' || !postfix.isYes(WRAPPER)) proposals.push(proposeRemoval(postfix, setting));
  else proposals.push(proposeSetting(postfix, WRAPPER, 'no', [setting.service], 'service'));
  for (const endpoint of wrapped) {
    if (!beginsInClear(endpoint)) {
      proposals.push(proposeSetting(postfix, WRAPPER, 'yes', [endpoint.service], 'service'));
    } else if (endpoint.public) {
      const wanted = endpoint.role === 'mx' ? 'may' : 'encrypt';
      // A level that the service inherits may change with the one of port 25.
      const settled =
        levelWithoutWrapper(postfix, endpoint) === wanted &&
        (wanted === 'may' || endpoint.service.overrides.has(LEVEL));
      if (!settled) proposals.push(proposeLevel(context, endpoint, wanted));
    }
  }
  const where = setting.kind === 'main' ? 'main.cf' : setting.service.id;
  return {
    title: `remove ${WRAPPER} from ${where}`,
    edits: proposals.flatMap(({ edits }) => edits),
    writes: proposals.flatMap(({ writes }) => writes),
  };
}

/** The level that smtpd goes by once wrappermode is gone. */
function levelWithoutWrapper(configuration: PostfixConfiguration, { service }: PostfixEndpoint): string {
  const level = configuration.value(LEVEL, service).toLowerCase();
  if (level !== '') return level;
  if (configuration.isYes('smtpd_enforce_tls', service)) return 'encrypt';
  return configuration.isYes('smtpd_use_tls', service) ? 'may' : 'none';
}

/** Client levels that smtpd takes for `encrypt`, with a warning. */
const TAKEN_FOR_ENCRYPT = new Set(['verify', 'secure', 'fingerprint']);

const CLIENT_ONLY = new Set(['dane', 'dane-only']);

function* serverLevelInvalid(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  const bySetting = new Map<string, { setting: PostfixSetting; judged: PostfixEndpoint[] }>();
  for (const endpoint of context.endpoints) {
    if (endpoint.side !== 'server' || endpoint.service.assumed) continue;
    const of = levelOf(postfix, endpoint);
    const { setting } = of;
    if (setting === null || !isProven(postfix, of)) continue;
    if (setting.name !== LEVEL && setting.name !== 'postscreen_tls_security_level') continue;
    const key = `${setting.at.source.path}:${setting.at.span.start}`;
    const known = bySetting.get(key) ?? { setting, judged: [] };
    known.judged.push(endpoint);
    bySetting.set(key, known);
  }
  for (const { setting, judged } of bySetting.values()) {
    const [first] = judged;
    if (first === undefined) continue;
    const of = levelOf(postfix, first);
    const word = of.value.toLowerCase();
    const fatal = first.fault === 'invalid-level';
    if (!fatal && !TAKEN_FOR_ENCRYPT.has(word)) continue;
    const wanted = wantedLevel(judged, word);
    let fix = validLevelFix(context, judged, setting, wanted);
    for (const endpoint of judged) {
      yield {
        at: setting.at,
        endpoint,
        of,
        expected: wanted,
        message: !fatal ? 'as-encrypt' : CLIENT_ONLY.has(word) ? 'client-level' : 'unknown',
        data: { program: first.service.program },
        fix,
      };
      fix = null;
    }
  }
}

/** The level that a wrong word stands for. Port 25 must not demand TLS, whatever the word. */
function wantedLevel(judged: readonly PostfixEndpoint[], word: string): string {
  if (judged.every(isSubmission)) return 'encrypt';
  if (judged.some(({ port, public: reachable }) => port === 25 && reachable)) return 'may';
  const meant = TAKEN_FOR_ENCRYPT.has(word)
    ? 'encrypt'
    : CLIENT_ONLY.has(word)
      ? 'may'
      : nearest(word, SERVER_LEVELS);
  return meant ?? 'may';
}

/** A word in main.cf may count for several ports: it becomes what port 25 needs, and users' ports get their own. */
function validLevelFix(
  { postfix }: CheckContext,
  judged: readonly PostfixEndpoint[],
  setting: PostfixSetting,
  wanted: string,
): ProposedFix | null {
  if (!judged.every(({ service, family }) => hasCertificate(postfix, service, family))) return null;
  const users = wanted === 'encrypt' ? [] : judged.filter(isSubmission).map(({ service }) => service);
  const proposals = [proposeValue(postfix, setting, wanted)];
  if (users.length > 0) proposals.push(proposeSetting(postfix, LEVEL, 'encrypt', users, 'service'));
  return {
    title: `set ${setting.name} to ${wanted}`,
    edits: proposals.flatMap(({ edits }) => edits),
    writes: proposals.flatMap(({ writes }) => writes),
  };
}

/** Parameters of the client that only a server needs, most telling first. */
const CLIENT_CERTIFICATES = [
  'smtp_tls_cert_file',
  'smtp_tls_chain_files',
  'smtp_tls_eccert_file',
  'smtp_tls_key_file',
];

function* tlsSettingsSwapped(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  if (postfix.main === null) return;
  const servers = publicServers(context).filter(({ role }) => role !== 'reinjection');
  const withoutCertificate = servers.every(
    ({ service, family }) => !hasCertificate(postfix, service, family),
  );
  if (!withoutCertificate) return;
  const certificate = CLIENT_CERTIFICATES.map((name) => postfix.get(name)).find(({ value }) => value !== '');
  if (certificate !== undefined && certificate.setting !== null) {
    // A client certificate to log in at a relayhost is what the parameter is for.
    if (postfix.value('relayhost') !== '') return;
    for (const endpoint of servers) {
      yield {
        at: certificate.setting.at,
        endpoint,
        of: certificate,
        message: 'client',
        data: { server: certificate.name.replace('smtp_', 'smtpd_') },
      };
    }
    return;
  }
  yield* serverSettingsForClient(context);
}

/** A host that hands all mail to a relayhost, without TLS, while TLS without a certificate is on for its listeners. */
function* serverSettingsForClient({ postfix, endpoints }: CheckContext): Iterable<Report> {
  const relay = endpoints.find(
    ({ side, role, public: reachable, level }) =>
      side === 'client' && role === 'relay' && reachable && level === 'none',
  );
  if (relay === undefined || postfix.value('relayhost') === '') return;
  const own = postfix
    .settings()
    .some(({ name }) =>
      /^smtp_(use|enforce)_tls$|^smtp_tls_(security_level|policy_maps|per_site|CAfile|CApath)$/.test(name),
    );
  const asked = [LEVEL, 'smtpd_enforce_tls', 'smtpd_use_tls']
    .map((name) => postfix.get(name))
    .find(({ value }) => /^(may|encrypt|verify|secure|fingerprint|dane|dane-only|yes)$/i.test(value));
  if (own || asked === undefined || asked.setting === null) return;
  yield {
    at: asked.setting.at,
    endpoint: relay,
    of: asked,
    message: 'server',
    data: { client: asked.name.replace('smtpd_', 'smtp_'), relayhost: postfix.value('relayhost') },
  };
}

/** Checks of the security levels of listeners. */
export const levelChecks: Readonly<Record<string, Check>> = {
  'postfix/server-tls-off': serverTlsOff,
  'postfix/server-tls-without-certificate': serverTlsWithoutCertificate,
  'postfix/mx-tls-required': mxTlsRequired,
  'postfix/submission-tls-optional': submissionTlsOptional,
  'postfix/wrappermode-missing': wrappermodeMissing,
  'postfix/wrappermode-misplaced': wrappermodeMisplaced,
  'postfix/server-level-invalid': serverLevelInvalid,
  'postfix/tls-settings-swapped': tlsSettingsSwapped,
};
