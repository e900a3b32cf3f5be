import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { type Mechanism, readMechanisms } from '../../dovecot/mechanisms.ts';
import type { Role } from '../../model/endpoint.ts';
import { compareProtocols, type Protocol } from '../../model/protocol.ts';
import { serviceCertificates } from '../../postfix/certificates.ts';
import { listWords } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import type { Certificate } from '../../tls/certificate.ts';
import { serverNames } from '../../tls/chain.ts';
import type { CheckContext, CrossCheck, CrossCheckContext, DovecotCheckContext, Report } from '../check.ts';
import { decidingPlace, dovecotPlace } from '../locate.ts';
import { perDovecot, perPostfix } from './cross-shares.ts';
import { isWhole, mayJudge, placeOf, tlsServers } from './dovecot-tls-common.ts';
import { isTemplated } from './misread-lines.ts';
import { authOffer, smtpdEndpoints, tlsWorks } from './smtpd-auth.ts';

/** What users meet on both servers of a host: the same programs send by one and read by the other. */

/** Ports of Postfix that users send by. */
function sending(context: CheckContext): readonly PostfixEndpoint[] {
  return smtpdEndpoints(context).filter(
    (endpoint) =>
      (endpoint.role === 'submission' || endpoint.role === 'submissions') &&
      endpoint.public &&
      !endpoint.service.assumed &&
      tlsWorks(endpoint),
  );
}

/** Ports of Dovecot that users read by. */
function reading(context: DovecotCheckContext): readonly DovecotServerEndpoint[] {
  return tlsServers(context).filter(
    ({ sasl, public: isPublic, filter, fault }) => sasl && isPublic && filter === null && fault === null,
  );
}

// Protocols

/** The endpoint that speaks the oldest protocol. */
function oldest<E extends { readonly tls: { readonly protocols: readonly Protocol[] } }>(
  endpoints: readonly E[],
): { readonly endpoint: E; readonly protocol: Protocol } | null {
  let found: { endpoint: E; protocol: Protocol } | null = null;
  for (const endpoint of endpoints) {
    const [protocol] = endpoint.tls.protocols;
    if (protocol === undefined) continue;
    if (found === null || compareProtocols(protocol, found.protocol) < 0) found = { endpoint, protocol };
  }
  return found;
}

/** The oldest protocol of a server, as plain data. */
interface Floor {
  readonly protocol: Protocol;
  readonly role: Role;
}

function oldestSending(context: CheckContext) {
  const found = oldest(sending(context));
  return found === null || isTemplated(found.endpoint.protocolsFrom.raw) ? null : found;
}

function oldestReading(context: DovecotCheckContext) {
  return oldest(reading(context).filter(({ protocolsFrom }) => mayJudge(context, protocolsFrom)));
}

function floorOf(
  found: { readonly protocol: Protocol; readonly endpoint: { readonly role: Role } } | null,
): Floor | null {
  return found === null ? null : { protocol: found.protocol, role: found.endpoint.role };
}

const floorOfPostfix = perPostfix((context) => floorOf(oldestSending(context)));
const floorOfDovecot = perDovecot((context) => floorOf(oldestReading(context)));

/** Whether one speaks what the other refuses; of what the profile does not take anyway the server's own rule speaks. */
function differ({ postfix, dovecot, profile }: CrossCheckContext): boolean {
  const one = floorOfPostfix(postfix);
  const other = one === null ? null : floorOfDovecot(dovecot);
  if (one === null || other === null || one.protocol === other.protocol) return false;
  const lower = compareProtocols(one.protocol, other.protocol) < 0 ? one : other;
  return compareProtocols(lower.protocol, profile.thresholds.lowestProtocol[lower.role]) >= 0;
}

function* protocolFloor(context: CrossCheckContext): Iterable<Report> {
  if (!differ(context)) return;
  const postfix = oldestSending(context.postfix);
  const dovecot = oldestReading(context.dovecot);
  if (postfix === null || dovecot === null) return;
  const { service, protocolsFrom } = postfix.endpoint;
  const own = { of: protocolsFrom, at: decidingPlace(context.postfix.postfix, protocolsFrom, service) };
  const other = {
    of: dovecot.endpoint.protocolsFrom,
    at: placeOf(context.dovecot, dovecot.endpoint.protocolsFrom, dovecot.endpoint),
  };
  const isPostfix = compareProtocols(postfix.protocol, dovecot.protocol) < 0;
  const lower = isPostfix ? postfix : dovecot;
  const [weak, strong] = isPostfix ? [own, other] : [other, own];
  yield {
    ...weak,
    endpoint: lower.endpoint,
    related: [{ at: strong.at, message: `${strong.of.name} decides on the other` }],
    data: {
      weak: lower.protocol,
      strong: isPostfix ? dovecot.protocol : postfix.protocol,
      server: isPostfix ? 'Dovecot' : 'Postfix',
      port: (isPostfix ? dovecot : postfix).endpoint.port,
    },
  };
}

// Certificates

/** The certificates that Postfix shows to those who send. */
function shownBy(context: CheckContext) {
  return sending(context).flatMap(({ service, family }) =>
    serviceCertificates(context.postfix, service, family).certificates.flatMap(
      ({ chain: [leaf], from, path }) => (leaf === undefined ? [] : [{ leaf, from, path, service }]),
    ),
  );
}

const showsAny = perPostfix((context) => shownBy(context).length > 0);
const showsAnyToReaders = perDovecot((context) =>
  reading(context).some(({ certificates }) => certificates.some(({ chain }) => chain.length > 0)),
);

function* certificateDiffers(context: CrossCheckContext): Iterable<Report> {
  if (!showsAny(context.postfix) || !showsAnyToReaders(context.dovecot)) return;
  const { postfix } = context.postfix;
  const shown = shownBy(context.postfix);
  for (const endpoint of reading(context.dovecot)) {
    for (const { from, chain } of endpoint.certificates) {
      const [leaf] = chain;
      // A host may have one certificate for each type of key.
      const other = shown.find((one) => leaf !== undefined && one.leaf.key.type === leaf.key.type);
      if (leaf === undefined || other === undefined || isSame(leaf, other.leaf)) continue;
      const name = sharedName(leaf, other.leaf);
      if (name === null || from.at === null) continue;
      const at = decidingPlace(postfix, other.from, other.service);
      yield {
        at: from.at,
        of: from,
        endpoint,
        related: [{ at, message: `${other.from.name} names the other` }],
        data: { name, file: from.path, other: other.path, until: day(leaf), otherUntil: day(other.leaf) },
      };
    }
  }
}

function isSame(one: Certificate, other: Certificate): boolean {
  return one.serial === other.serial && one.issuer.id === other.issuer.id && one.notAfter === other.notAfter;
}

function sharedName(one: Certificate, other: Certificate): string | null {
  const names = new Set(serverNames(other).map((name) => name.toLowerCase()));
  return serverNames(one).find((name) => names.has(name.toLowerCase())) ?? null;
}

function day({ notAfter }: Certificate): string {
  return new Date(notAfter).toISOString().slice(0, 10);
}

// Mechanisms

/** Mechanisms that can be guessed from what a listener sees, or that one in between can use (mech-*.c: MECH_SEC_DICTIONARY, MECH_SEC_ACTIVE). */
const GUESSABLE: ReadonlySet<string> = new Set(['CRAM-MD5', 'DIGEST-MD5', 'NTLM', 'OTP', 'SKEY', 'RPA']);

/** Whether options of Postfix take a mechanism away (xsasl_dovecot_server.c). */
function isRemoved({ name, cleartext }: Mechanism, options: readonly string[]): boolean {
  if (cleartext) return options.includes('noplaintext');
  if (name === 'ANONYMOUS') return options.includes('noanonymous');
  return GUESSABLE.has(name) && (options.includes('nodictionary') || options.includes('noactive'));
}

/** Those that Postfix could have a use for; none where it is not sure which there are. */
const mechanismsOf = perDovecot((context): readonly Mechanism[] => {
  const { dovecot } = context;
  const offered = dovecot.get('auth_mechanisms');
  if ((offered.at === null && !isWhole(context)) || isTemplated(offered.value)) return [];
  const words = dovecot.words('auth_mechanisms');
  const { known, unknown } = readMechanisms(words, dovecot.release, dovecot.isYes('auth_use_winbind'));
  // Dovecot's login program has no use for them, Postfix has none either.
  return unknown.length > 0 ? [] : known.filter(({ only }) => only === null);
});

/** What Postfix takes away of the mechanisms of Dovecot, where it asks that. */
function* restraints(context: CheckContext) {
  const { postfix } = context;
  for (const endpoint of smtpdEndpoints(context)) {
    const { service } = endpoint;
    if (service.assumed || postfix.value('smtpd_sasl_type', service) !== 'dovecot') continue;
    const { beforeTls, afterTls } = authOffer(postfix, endpoint);
    if (!beforeTls && !afterTls) continue;
    const of = postfix.get(
      afterTls ? 'smtpd_sasl_tls_security_options' : 'smtpd_sasl_security_options',
      service,
    );
    if (isTemplated(of.raw) || of.expansion.failed) continue;
    yield { endpoint, of, afterTls, options: listWords(of.value.toLowerCase()) };
  }
}

const restraintsOf = perPostfix((context) => [...restraints(context)].map(({ options }) => options));

function* mechanisms(context: CrossCheckContext): Iterable<Report> {
  const isRestrained = (options: readonly string[]): boolean =>
    mechanismsOf(context.dovecot).some((mechanism) => isRemoved(mechanism, options));
  if (!restraintsOf(context.postfix).some(isRestrained)) return;
  const all = mechanismsOf(context.dovecot);
  const { postfix } = context.postfix;
  const { dovecot } = context.dovecot;
  const offered = dovecot.get('auth_mechanisms');
  for (const { endpoint, of, afterTls, options } of restraints(context.postfix)) {
    const { service } = endpoint;
    const removed = all.filter((mechanism) => isRemoved(mechanism, options));
    const useful = removed.filter(({ name }) => name !== 'ANONYMOUS');
    if (useful.length === 0) continue;
    yield {
      message: removed.length === all.length ? 'none' : 'default',
      at: decidingPlace(postfix, of, service, ['smtpd_sasl_security_options', 'smtpd_sasl_type']),
      of,
      endpoint,
      related: [{ at: dovecotPlace(dovecot, offered), message: 'auth_mechanisms offers them' }],
      data: { removed: useful.map(({ name }) => name), count: useful.length, tls: afterTls },
    };
  }
}

/** Checks of what users meet on both servers. */
export const crossTlsChecks: Readonly<Record<string, CrossCheck>> = {
  'cross/protocol-floor': protocolFloor,
  'cross/certificate-differs': certificateDiffers,
  'cross/mechanisms': mechanisms,
};
