import { DNSSEC, hasTrustAnchors, lacksDnssec, policyFor } from '../../postfix/client-tls.ts';
import { listWords, type PostfixConfiguration } from '../../postfix/configuration.ts';
import { nexthopOf, type PostfixEndpoint, splitTransport } from '../../postfix/endpoints.ts';
import { hasFeature } from '../../postfix/parameters.ts';
import { proposeSetting } from '../../postfix/proposals.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { decidingPlace, originText } from '../locate.ts';
import { decidedBy, isProven, levelReported, sameSetting } from './postfix-levels.ts';

/**
 * Security levels of the SMTP and LMTP clients. Facts: postfix-tls §5 (smtp.c, smtp_tls_policy.c,
 * smtp_connect.c), RFC 3207, RFC 7672.
 */

/** What to show where a main.cf comes alone: there is no line of the service. */
const CLIENT_KIN_OF_MAIN = [
  'smtp_tls_cert_file',
  'smtp_tls_CAfile',
  'smtp_tls_CApath',
  'smtp_tls_protocols',
  'smtp_tls_mandatory_protocols',
  'smtp_tls_session_cache_database',
  'smtp_use_tls',
  'relayhost',
];

/** What stands beside a level of the client in main.cf. */
const BESIDE_LEVEL = [
  'smtp_use_tls',
  'smtp_enforce_tls',
  'smtp_tls_CAfile',
  'smtp_tls_CApath',
  'smtp_tls_cert_file',
  'smtp_tls_session_cache_database',
  'smtp_dns_support_level',
  'smtp_tls_loglevel',
];

/** Transports for mail that leaves the machine: the default one, and those that parameters name with a host. */
function carriesMail(
  configuration: PostfixConfiguration,
  { side, role, family, service, public: away }: PostfixEndpoint,
): boolean {
  if (side !== 'client' || family !== 'smtp' || !away || service.assumed) return false;
  if (role === 'relay') return true;
  return (
    role === 'outbound' && splitTransport(configuration.value('default_transport')).transport === service.name
  );
}

/** True when the policy tables give a destination a level of its own, or when that cannot be told. */
function hasOwnPolicy(
  configuration: PostfixConfiguration,
  endpoint: PostfixEndpoint,
  enough: readonly string[],
): boolean {
  const { service, family } = endpoint;
  const nexthop = nexthopOf(endpoint);
  if (nexthop === null) {
    // What a table says of any domain at all (`static:`, a pattern) it says of a name that nobody has.
    const policy = policyFor(configuration, service, family, 'nobody.invalid');
    return policy !== null && policy !== 'undecidable' && enough.includes(policy.level ?? 'secure');
  }
  const policy = policyFor(configuration, service, family, nexthop);
  return policy === 'undecidable' || (policy !== null && enough.includes(policy.level ?? 'secure'));
}

const ANY_TLS = ['may', 'encrypt', 'fingerprint', 'dane', 'dane-only', 'verify', 'secure'];
const REQUIRED_TLS = ['encrypt', 'fingerprint', 'dane-only', 'verify', 'secure'];

/** Where to show a level: the defaults of all clients at one place, that of the first. */
function levelPlace(
  configuration: PostfixConfiguration,
  endpoint: PostfixEndpoint,
  first: PostfixEndpoint,
): Location {
  const shown = endpoint.levelFrom.setting === null && first.levelFrom.setting === null ? first : endpoint;
  const kin = configuration.master === null ? CLIENT_KIN_OF_MAIN : [];
  return decidingPlace(configuration, shown.levelFrom, shown.service, kin);
}

function* clientTlsOff({ postfix, endpoints }: CheckContext): Iterable<Report> {
  const off = endpoints.filter(
    (endpoint) =>
      carriesMail(postfix, endpoint) &&
      endpoint.level === 'none' &&
      endpoint.fault === null &&
      isProven(postfix, endpoint.levelFrom) &&
      (postfix.main !== null || endpoint.levelFrom.value !== '') &&
      !hasOwnPolicy(postfix, endpoint, ANY_TLS),
  );
  const first = off.find(({ levelFrom }) => levelFrom.setting === null) ?? off[0];
  if (first === undefined) return;
  for (const endpoint of off) {
    const { levelFrom, service } = endpoint;
    yield {
      at: levelPlace(postfix, endpoint, first),
      endpoint,
      of: levelFrom,
      expected: 'may',
      message: levelFrom.value !== '' ? 'none' : levelFrom.setting === null ? 'default' : 'empty',
      data: {
        byCompatibility: hasFeature(postfix.release, 'clientTlsByCompatibility'),
        compatibility:
          postfix.setting('compatibility_level') === null ? null : postfix.value('compatibility_level'),
      },
      fix: {
        title: 'set smtp_tls_security_level to may',
        ...proposeSetting(postfix, 'smtp_tls_security_level', 'may', [service], 'main', BESIDE_LEVEL),
      },
    };
  }
}

function* daneWithoutDnssec(context: CheckContext): Iterable<Report> {
  const { postfix, endpoints } = context;
  if (!hasFeature(postfix.release, 'dane')) return;
  for (const endpoint of endpoints) {
    if (endpoint.side !== 'client' || endpoint.service.assumed || !endpoint.public) continue;
    const { level, levelFrom, service, family } = endpoint;
    if (level === 'may') yield* daneNotAsked(context, endpoint);
    if ((level !== 'dane' && level !== 'dane-only') || !isProven(postfix, levelFrom)) continue;
    const blocker = lacksDnssec(postfix, endpoint);
    if (blocker === null || (postfix.main === null && blocker.setting === null)) continue;
    const name = `${family}_dns_support_level`;
    const noDnssec = blocker.name === name;
    yield {
      at: decidingPlace(postfix, levelFrom, service),
      endpoint,
      of: blocker,
      ...(noDnssec ? { expected: DNSSEC } : {}),
      message: `${noDnssec ? 'no-dnssec' : 'blocked'}-${level}`,
      data: { parameter: blocker.name, value: blocker.value },
      related:
        blocker.setting === null
          ? []
          : [
              {
                at: blocker.setting.at,
                message: `${blocker.name} is ${blocker.value === '' ? 'empty' : blocker.value} here`,
              },
            ],
      fix: noDnssec
        ? {
            title: `set ${name} to ${DNSSEC}`,
            ...proposeSetting(
              postfix,
              name,
              DNSSEC,
              [service],
              levelFrom.setting?.kind === 'override' ? 'service' : 'main',
              [levelFrom.name],
            ),
          }
        : null,
    };
  }
}

/** A host that says that its resolver validates, and yet does not use it. */
function* daneNotAsked({ postfix, profile }: CheckContext, endpoint: PostfixEndpoint): Iterable<Report> {
  const { role, service, levelFrom } = endpoint;
  const support = postfix.get('smtp_dns_support_level', service);
  if (role !== 'outbound' || !carriesMail(postfix, endpoint) || support.setting === null) return;
  if (lacksDnssec(postfix, endpoint) !== null || !isProven(postfix, levelFrom)) return;
  yield {
    at: decidingPlace(postfix, levelFrom, service, ['smtp_dns_support_level']),
    endpoint,
    of: levelFrom,
    expected: 'dane',
    message: profile.thresholds.outboundLevel === 'dane' ? 'dane-asked' : 'dane-possible',
    related: [{ at: support.setting.at, message: 'DNSSEC is asked for here' }],
    fix: {
      title: 'set smtp_tls_security_level to dane',
      // A domain with wrong TLSA records gets no mail until it mends them: for the owner to decide.
      safe: false,
      ...proposeSetting(postfix, 'smtp_tls_security_level', 'dane', [service], 'main', BESIDE_LEVEL),
    },
  };
}

function* verifyWithoutTrustAnchors({ postfix, endpoints }: CheckContext): Iterable<Report> {
  if (postfix.main === null) return;
  for (const endpoint of endpoints) {
    const { side, level, levelFrom, service, family, tls } = endpoint;
    if (side !== 'client' || service.assumed || tls.mode === 'none') continue;
    if ((level !== 'verify' && level !== 'secure') || hasTrustAnchors(postfix, endpoint)) continue;
    yield {
      at: decidingPlace(postfix, levelFrom, service),
      endpoint,
      of: levelFrom,
      message: levelFrom.name.endsWith('_enforce_tls') ? 'enforce' : 'default',
      data: { level, family, appended: postfix.isYes('tls_append_default_CA', service) },
    };
  }
}

function* relayCredentialsInClear(context: CheckContext): Iterable<Report> {
  const { postfix, endpoints } = context;
  const relayhost = postfix.value('relayhost');
  for (const endpoint of endpoints) {
    if (!carriesMail(postfix, endpoint) || !endpoint.sasl || endpoint.fault !== null) continue;
    if (endpoint.tls.mode === 'required' || endpoint.tls.mode === 'implicit') continue;
    const { service, levelFrom } = endpoint;
    if (postfix.value('smtp_sasl_password_maps', service) === '' || postfix.main === null) continue;
    if (endpoint.role === 'outbound') {
      yield* credentialsByMap(context, endpoint);
      continue;
    }
    if (nexthopOf(endpoint) !== relayhost || relayhost === '') continue;
    if (hasOwnPolicy(postfix, endpoint, REQUIRED_TLS)) continue;
    const plain = !listWords(postfix.value('smtp_sasl_security_options', service).toLowerCase()).includes(
      'noplaintext',
    );
    const wrapper = postfix.isYes('smtp_tls_wrappermode', service);
    yield {
      at: credentialsPlace(context, endpoint),
      endpoint,
      ...levelReported(levelFrom, endpoint.level),
      expected: 'encrypt',
      message: wrapper ? 'wrappermode' : plain ? 'plain' : 'no-plain',
      data: {
        relayhost,
        decides: levelFrom.value === '' ? `${levelFrom.name} is empty` : decidedBy(levelFrom),
        from: originText(levelFrom),
      },
      fix: encryptFix(context, endpoint),
    };
  }
}

/** A default shows where SASL is switched on: that is what makes it wrong. */
function credentialsPlace({ postfix }: CheckContext, { levelFrom, service }: PostfixEndpoint): Location {
  return decidingPlace(postfix, levelFrom, service, ['smtp_sasl_auth_enable', 'relayhost']);
}

/** Relays that a table chooses by sender or recipient share the level of mail to the world. */
function* credentialsByMap(context: CheckContext, endpoint: PostfixEndpoint): Iterable<Report> {
  const { postfix } = context;
  const { service, levelFrom } = endpoint;
  const maps = ['sender_dependent_relayhost_maps', 'transport_maps'].find(
    (name) => postfix.value(name) !== '',
  );
  if (maps === undefined || postfix.value('smtp_tls_policy_maps', service) !== '') return;
  if (listWords(postfix.value('smtp_sasl_security_options', service).toLowerCase()).includes('noplaintext'))
    return;
  yield {
    at: credentialsPlace(context, endpoint),
    endpoint,
    ...levelReported(levelFrom, endpoint.level),
    message: 'by-map',
    data: { maps, decides: levelFrom.value === '' ? `${levelFrom.name} is empty` : decidedBy(levelFrom) },
  };
}

/** `encrypt` in main.cf where all mail goes to the relayhost; on the service where other clients share main.cf. */
function encryptFix({ postfix, endpoints }: CheckContext, endpoint: PostfixEndpoint): ProposedFix {
  const name = 'smtp_tls_security_level';
  const relayhost = nexthopOf(endpoint);
  const others = endpoints.some(
    (other) =>
      other.side === 'client' &&
      other.family === 'smtp' &&
      nexthopOf(other) !== relayhost &&
      !other.service.overrides.has(name) &&
      (other.levelFrom.setting === null || sameSetting(other.levelFrom.setting, endpoint.levelFrom.setting)),
  );
  // Other destinations of the same transport would have to offer TLS as well.
  const alone = postfix.value('transport_maps') === '' && endpoint.level !== 'dane';
  return {
    title: `set ${name} to encrypt`,
    ...(alone ? {} : { safe: false }),
    ...proposeSetting(
      postfix,
      name,
      'encrypt',
      [endpoint.service],
      others ? 'service' : 'main',
      BESIDE_LEVEL,
    ),
  };
}

/** Checks of the security levels of clients. */
export const clientLevelChecks: Readonly<Record<string, Check>> = {
  'postfix/client-tls-off': clientTlsOff,
  'postfix/dane-without-dnssec': daneWithoutDnssec,
  'postfix/verify-without-trust-anchors': verifyWithoutTrustAnchors,
  'postfix/relay-credentials-in-clear': relayCredentialsInClear,
};
