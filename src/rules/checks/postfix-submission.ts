import {
  type Admission,
  admission,
  hasRequiredRestriction,
  type ListOutcome,
  mynetworksIsEverybody,
  type Reached,
  uses,
  type Visitor,
} from '../../postfix/admission.ts';
import { type Effective, listWords, type PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { proposeSetting, proposeValue } from '../../postfix/proposals.ts';
import {
  partLocation,
  type Restriction,
  type RestrictionList,
  type RestrictionListName,
} from '../../postfix/restrictions.ts';
import { type Service, serviceLocation } from '../../postfix/services.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import { endpointPhrase } from '../messages.ts';
import { authOffer, loginOnlyList, smtpdEndpoints } from './smtpd-auth.ts';

const STRANGER = { login: false, certificate: false } as const;
const USER: Visitor = { login: true, certificate: false, recipient: 'foreign' };

function isSubmission({ role }: PostfixEndpoint): boolean {
  return role === 'submission' || role === 'submissions';
}

/** True where smtpd talks to clients without a certificate of theirs; a fault of its TLS is reported by itself and left out of account. */
function takesStrangers(
  postfix: PostfixConfiguration,
  { service, mandatory, public: reachable }: PostfixEndpoint,
): boolean {
  if (!reachable || service.assumed) return false;
  if (mandatory && postfix.isYes('smtpd_tls_req_ccert', service)) return false;
  return hasRequiredRestriction(postfix, service) || leavesRelayToDefaults(postfix, service);
}

/**
 * True where the release is a guess and both lists against relaying are left to it: under the guess
 * smtpd may refuse to start, but the real release then guards against relaying, and no more than that.
 */
function leavesRelayToDefaults(postfix: PostfixConfiguration, service: Service): boolean {
  const { versionFrom } = postfix.releaseKnown;
  if (versionFrom !== 'assumed' && versionFrom !== 'implied') return false;
  return ['smtpd_relay_restrictions', 'smtpd_recipient_restrictions'].every(
    (name) => postfix.setting(name, service) === null,
  );
}

/** True for a submission service that takes mail for its own recipients from whoever comes. */
export function isOpenSubmission(postfix: PostfixConfiguration, endpoint: PostfixEndpoint): boolean {
  const { service } = endpoint;
  if (!isSubmission(endpoint) || !takesStrangers(postfix, endpoint)) return false;
  // Where mynetworks holds the whole Internet, that is what has to change: see postfix/open-relay.
  if (mynetworksIsEverybody(postfix, service)) return false;
  const own = admission(postfix, service, { ...STRANGER, recipient: 'own' });
  return own.accepted && !own.mayReject.some(couldRefuseEverybody);
}

const submissionOpen: Check = function* (context) {
  const { postfix } = context;
  if (postfix.main === null) return;
  for (const endpoint of smtpdEndpoints(context)) {
    if (!isOpenSubmission(postfix, endpoint)) continue;
    const { service } = endpoint;
    const own = admission(postfix, service, { ...STRANGER, recipient: 'own' });
    const foreign = admission(postfix, service, { ...STRANGER, recipient: 'foreign' });
    const relays = foreign.accepted && hasRequiredRestriction(postfix, service);
    const { beforeTls, afterTls } = authOffer(postfix, endpoint);
    const offersAuth = beforeTls || afterTls || (endpoint.sasl && endpoint.fault !== null);
    const list = decidingList(postfix, service);
    const of = postfix.get(list, service);
    const ownList = service.overrides.has(list);
    yield {
      message: offersAuth ? (ownList ? 'default' : 'inherited') : 'noLogin',
      at:
        (ownList ? of.setting?.at : serviceLocation(postfix.master, service)) ??
        decidingPlace(postfix, of, service),
      of,
      actual: of.value.replace(/\s+/g, ' '),
      endpoint,
      data: { parameter: list, how: howPassed(own.outcomes.get(list)), recipients: relays ? ANYWHERE : OWN },
      related:
        !ownList && of.setting !== null
          ? [{ at: of.setting.at, message: 'this list applies to the service' }]
          : [],
      fix: offersAuth ? demandLogin(postfix, endpoint, list, own) : null,
    };
  }
};

const ANYWHERE = 'anywhere';
const OWN = 'in the domains of this host';

/** Tables with a key for each entry: none of them refuses everybody. Recipients are few enough to be all refused. */
const INDEXED_TABLE = /^(?:proxy:)?(?:hash|btree|lmdb|cdb|dbm|sdbm|texthash):/;

function couldRefuseEverybody({ definition, argument }: Restriction): boolean {
  if (definition?.effect !== 'table') return true;
  return definition.looksAt === 'recipient' || !INDEXED_TABLE.test(argument?.text ?? '');
}

/** Lists that can demand a login, those that services usually do it with first. */
const CLOSING_LISTS: readonly RestrictionListName[] = [
  'smtpd_relay_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_client_restrictions',
  'smtpd_sender_restrictions',
  'smtpd_helo_restrictions',
];

/** The list that was meant to demand a login; without one, the list that guards against relaying. */
function decidingList(postfix: PostfixConfiguration, service: Service): RestrictionListName {
  const users = admission(postfix, service, USER).outcomes;
  const own = CLOSING_LISTS.filter((name) => service.overrides.has(name) && users.has(name));
  const meant = own.find((name) => users.get(name)?.by?.definition?.effect === 'permit-login') ?? own[0];
  if (meant !== undefined) return meant;
  return postfix.value('smtpd_relay_restrictions', service) !== '' && users.has('smtpd_relay_restrictions')
    ? 'smtpd_relay_restrictions'
    : 'smtpd_recipient_restrictions';
}

function howPassed(outcome: ListOutcome | undefined): string {
  const { by = null } = outcome ?? {};
  return by === null ? 'ends without reject' : `lets them in with "${by.word.text}"`;
}

function demandLogin(
  postfix: PostfixConfiguration,
  { service, id }: PostfixEndpoint,
  list: RestrictionListName,
  own: Admission,
): ProposedFix {
  const title = `let only those who have logged in send through ${id}`;
  const closed = closedInPlace(postfix, service, list, own.outcomes.get(list));
  const setting = service.overrides.has(list) ? postfix.setting(list, service) : null;
  if (closed !== null && setting !== null) return { title, ...proposeValue(postfix, setting, closed) };
  const [name, value] = loginOnlyList(
    postfix,
    service,
    letsInMynetworks(own) || leavesRelayToDefaults(postfix, service),
  );
  return { title, ...proposeSetting(postfix, name, value, [service], 'service') };
}

/** The list with `reject` at its end, where those who have logged in pass before it. */
function closedInPlace(
  postfix: PostfixConfiguration,
  service: Service,
  name: RestrictionListName,
  outcome: ListOutcome | undefined,
): string | null {
  if (outcome === undefined || !service.overrides.has(name)) return null;
  const early = name === 'smtpd_client_restrictions' || name === 'smtpd_helo_restrictions';
  if (early && !postfix.isYes('smtpd_delay_reject', service)) return null;
  const { list, verdict, by } = outcome;
  const user = admission(postfix, service, USER).outcomes.get(name);
  if (user?.by?.definition?.effect !== 'permit-login') return null;
  const value = list.effective.setting?.value ?? '';
  if (verdict === 'end') return `${value.replace(/([,\s]*(\bwarn_if_reject)?)*$/i, '')},reject`;
  const last = list.items.at(-1);
  const written = value === list.effective.value;
  if (written && by !== null && by === last && by.name === 'permit')
    return `${value.slice(0, by.word.start)}reject`;
  return null;
}

/** True where the clients of mynetworks send through the service without a login today. */
function letsInMynetworks({ outcomes }: Admission): boolean {
  return (['smtpd_relay_restrictions', 'smtpd_recipient_restrictions'] as const).some((name) =>
    outcomes
      .get(name)
      ?.reached.some(({ restriction }) => restriction.definition?.effect === 'permit-mynetworks'),
  );
}

const LOGIN_MAPS = 'smtpd_sender_login_maps';
const AUTHENTICATED_CHECK = 'reject_authenticated_sender_login_mismatch';
const SENDER_CHECKS: ReadonlySet<string> = new Set([
  AUTHENTICATED_CHECK,
  'reject_known_sender_login_mismatch',
]);

const SENDER_LIST = 'smtpd_sender_restrictions';

const senderLoginUnchecked: Check = function* (context) {
  const { postfix } = context;
  if (postfix.main === null) return;
  const logins = smtpdEndpoints(context).filter((endpoint) => {
    const { beforeTls, afterTls } = authOffer(postfix, endpoint);
    return !endpoint.service.assumed && (beforeTls || afterTls);
  });
  const submissions =
    logins.some(isSubmission) || postfix.master === null ? logins.filter(isSubmission) : logins;
  const unchecked: PostfixEndpoint[] = [];
  for (const endpoint of logins) {
    const { service } = endpoint;
    const reached = [...admission(postfix, service, USER).outcomes.values()].flatMap(
      (outcome) => outcome.reached,
    );
    const checks = reached.filter(({ restriction }) => SENDER_CHECKS.has(restriction.name));
    const of = postfix.get(LOGIN_MAPS, service);
    const rejecting = checks.find(
      ({ restriction, warnOnly }) => restriction.name === AUTHENTICATED_CHECK && !warnOnly,
    );
    if (of.value === '' && rejecting !== undefined) {
      const word = writtenWord(reached, rejecting);
      yield {
        message: 'emptyMaps',
        at: wordLocation(postfix, word.list.effective, word.restriction, service),
        of,
        endpoint,
        data: { word: word.restriction.word.text, parameter: word.list.name },
      };
      continue;
    }
    if (!submissions.includes(endpoint) || (of.value !== '' && checks.length > 0)) continue;
    if (reached.some(({ restriction }) => restriction.definition?.effect === 'policy')) continue;
    const late = of.value === '' ? null : lateCheck(postfix, service);
    if (late === null) unchecked.push(endpoint);
    else {
      yield {
        message: 'tooLate',
        at: wordLocation(postfix, late.list.effective, late.item, service),
        of: late.list.effective,
        endpoint,
        data: { word: late.item.word.text, before: late.before },
      };
    }
  }
  yield* uncheckedSenders(postfix, unchecked);
};

/** One finding for all ports: what is missing is missing for the host, whichever port its users send through. */
function* uncheckedSenders(
  postfix: PostfixConfiguration,
  endpoints: readonly PostfixEndpoint[],
): Iterable<Report> {
  const [first] = endpoints;
  if (first === undefined) return;
  const of = postfix.get(LOGIN_MAPS, first.service);
  yield {
    message: of.value === '' ? 'default' : 'mapsUnused',
    at:
      of.setting?.at ??
      serviceLocation(postfix.master, first.service) ??
      decidingPlace(postfix, of, first.service),
    of,
    data: { ports: endpoints.map(endpointPhrase), places: senderLists(endpoints) },
  };
}

/** The lists that a check of senders belongs into: that of main.cf, unless a service has its own. */
function senderLists(endpoints: readonly PostfixEndpoint[]): readonly string[] {
  const places = endpoints.map(({ service }) =>
    service.overrides.has(SENDER_LIST) ? `-o ${SENDER_LIST} of ${service.id}` : SENDER_LIST,
  );
  return [...new Set(places)];
}

/** The word in the file that brought an element: itself, or the class that the release itself defines. */
function writtenWord(reached: readonly Reached[], wanted: Reached): Reached {
  if (wanted.list.effective.setting !== null) return wanted;
  return reached.find(({ restriction }) => restriction.members === wanted.list) ?? wanted;
}

/** A check of the sender that stands where a user who has logged in never comes to. */
function lateCheck(
  postfix: PostfixConfiguration,
  service: Service,
): { readonly list: RestrictionList; readonly item: Restriction; readonly before: string } | null {
  const { outcomes } = admission(postfix, service, USER);
  for (const { list, by } of outcomes.values()) {
    const item = list.items.find(
      ({ name }) => SENDER_CHECKS.has(name) || name === 'reject_sender_login_mismatch',
    );
    if (item !== undefined && by !== null) return { list, item, before: by.word.text };
  }
  return null;
}

function wordLocation(
  postfix: PostfixConfiguration,
  effective: Effective,
  { word }: Restriction,
  service: Service,
): Location {
  return partLocation(effective, word.start, word.end) ?? decidingPlace(postfix, effective, service);
}

const ASK = 'smtpd_tls_ask_ccert';
const REQUIRE = 'smtpd_tls_req_ccert';

/** Restrictions that look at the certificate of the client. */
const CERTIFICATE_USERS: ReadonlySet<string> = new Set([
  'permit_tls_clientcerts',
  'permit_tls_all_clientcerts',
  'check_ccert_access',
]);

const clientCertificateAsked: Check = function* (context) {
  const { postfix } = context;
  for (const endpoint of smtpdEndpoints(context)) {
    const { service, mandatory } = endpoint;
    if (service.assumed || endpoint.tls.mode === 'none') continue;
    const ask = postfix.get(ASK, service);
    const require = postfix.get(REQUIRE, service);
    const requires = require.value.toLowerCase() === 'yes';
    const asks = ask.value.toLowerCase() === 'yes';
    const mx = endpoint.role === 'mx' && endpoint.port === 25;
    if (requires && (mx || !mandatory)) {
      yield {
        message: mandatory ? 'required' : 'ignored',
        at: decidingPlace(postfix, require, service),
        of: require,
        endpoint,
        expected: 'no',
        // Who demands certificates on port 25 wants few clients there: to let all in is for the admin to say.
        fix: switchOff(context, endpoint, REQUIRE, (other) => other.mandatory, !mandatory),
      };
    }
    if (asks && mx && !(requires && mandatory) && !usesCertificates(postfix, service)) {
      yield {
        message: 'default',
        at: decidingPlace(postfix, ask, service),
        of: ask,
        endpoint,
        expected: 'no',
        fix: switchOff(context, endpoint, ASK, (other) => usesCertificates(postfix, other.service), true),
      };
    }
    if (asks || (requires && mandatory)) yield* everyCertificate(context, endpoint);
  }
};

function usesCertificates(postfix: PostfixConfiguration, service: Service): boolean {
  const rewriting = listWords(postfix.value('local_header_rewrite_clients', service).toLowerCase());
  return rewriting.some((word) => CERTIFICATE_USERS.has(word)) || uses(postfix, service, CERTIFICATE_USERS);
}

/** `no` in main.cf, or on the service where another one that takes it from main.cf has a use for it. */
function switchOff(
  { postfix, endpoints }: CheckContext,
  { service }: PostfixEndpoint,
  name: string,
  needs: (other: PostfixEndpoint) => boolean,
  safe: boolean,
): ProposedFix | null {
  const needed = endpoints.some(
    (other) =>
      other.side === 'server' &&
      other.family === 'smtpd' &&
      other.service !== service &&
      !other.service.overrides.has(name) &&
      needs(other),
  );
  if (needed && postfix.master === null) return null;
  return {
    title: `set ${name} to no`,
    safe,
    ...proposeSetting(postfix, name, 'no', [service], needed ? 'service' : 'main'),
  };
}

/** Lets in, for any recipient, whoever shows a certificate that a CA has signed. */
function* everyCertificate({ postfix }: CheckContext, endpoint: PostfixEndpoint): Iterable<Report> {
  const { service } = endpoint;
  if (!endpoint.public || postfix.main === null) return;
  const trust = trustedCas(postfix, service);
  if (trust === null || trust.few) return;
  if (admission(postfix, service, { ...STRANGER, recipient: 'foreign' }).accepted) return;
  const holder = admission(postfix, service, { login: false, certificate: true, recipient: 'foreign' });
  if (!holder.accepted) return;
  for (const { list, by } of holder.outcomes.values()) {
    if (by?.definition?.effect !== 'permit-any-certificate') continue;
    if (list.name !== 'smtpd_relay_restrictions' && list.name !== 'smtpd_recipient_restrictions') continue;
    const word = by.word.text;
    yield {
      message: trust.many ? 'everyCertificate' : 'certificatesOf',
      at: wordLocation(postfix, list.effective, by, service),
      of: list.effective,
      endpoint,
      data: { word, cas: trust.name },
      fix: listedOnly(postfix, list, by),
    };
  }
}

function listedOnly(
  postfix: PostfixConfiguration,
  { effective }: RestrictionList,
  { word }: Restriction,
): ProposedFix | null {
  const { setting, value } = effective;
  if (
    setting === null ||
    setting.value !== value ||
    !/^permit_tls_all_clientcerts$/i.test(value.slice(word.start, word.end))
  ) {
    return null;
  }
  const listed = `${value.slice(0, word.start)}permit_tls_clientcerts${value.slice(word.end)}`;
  return {
    title: 'let in only the certificates that relay_clientcerts lists',
    safe: false,
    ...proposeValue(postfix, setting, listed),
  };
}

/** Where the distributions keep the CAs of the world: their bundles, and the folders in which nothing else lies. */
const PUBLIC_BUNDLE =
  /\/(ca-certificates\.crt|ca-bundle(\.trust)?\.crt|tls-ca-bundle\.pem|ca-root-nss\.crt)$|^\/etc\/(ssl|pki\/tls)\/cert\.pem$/;
const PUBLIC_FOLDER = /^\/(etc\/ssl\/certs|etc\/pki\/tls\/certs|usr\/share\/ca-certificates(\/mozilla)?)\/?$/;

/** More certificates in one file than one keeps of CAs of one's own. */
const FEW_CAS = 3;

/** The CAs whose signature counts on a client's certificate; null where none does. */
function trustedCas(
  postfix: PostfixConfiguration,
  service: Service,
): { readonly name: string; readonly many: boolean; readonly few: boolean } | null {
  if (postfix.isYes('tls_append_default_CA', service)) return { name: 'the system', many: true, few: false };
  const file = postfix.value('smtpd_tls_CAfile', service);
  const folder = postfix.value('smtpd_tls_CApath', service);
  const name = [file, folder].filter((path) => path !== '').join(' and ');
  if (name === '') return null;
  if (PUBLIC_BUNDLE.test(file) || PUBLIC_FOLDER.test(folder)) return { name, many: true, few: false };
  const count =
    file === '' || folder !== ''
      ? null
      : (postfix.open(file)?.text.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----/g)?.length ?? null);
  return { name, many: count !== null && count > FEW_CAS, few: count !== null && count <= FEW_CAS };
}

/** Checks of the rules about who may send: through submission, as whom, and with which certificate. */
export const postfixSubmissionChecks: Readonly<Record<string, Check>> = {
  'postfix/submission-open': submissionOpen,
  'postfix/sender-login-unchecked': senderLoginUnchecked,
  'postfix/client-certificate-asked': clientCertificateAsked,
};
