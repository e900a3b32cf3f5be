import type { OfferedCipher, Role } from '../../model/endpoint.ts';
import { compareProtocols, PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import type { Thresholds } from '../../model/thresholds.ts';
import { type CipherPlace, objectionsAt } from '../../rules/cipher-judgement.ts';
import { type CipherSuite, cipherReleases, suitesOf } from '../../tls/suites.ts';
import type { Direction, WholeCounts } from '../tally.ts';
import type { Place, PlacePair, Places } from './places.ts';

/** Roles that services usually have by the last part of their name, the first that fits. */
const USUAL: readonly (readonly [direction: Direction, name: RegExp, roles: readonly Role[]])[] = [
  ['in', /(?:^|\/)(?:smtps|submissions|465)\/smtpd$/, ['submissions']],
  ['in', /(?:^|\/)(?:submission|587)\/smtpd$/, ['submission']],
  ['in', /(?:^|\/)(?:smtpd|tlsproxy)$/, ['mx']],
  ['in', /^imap/, ['imap', 'imaps']],
  ['in', /^pop3/, ['pop3', 'pop3s']],
  ['in', /^managesieve/, ['sieve']],
  ['in', /^submission/, ['submission', 'submissions']],
  ['out', /(?:^|\/)relay\/smtp$/, ['relay']],
  ['out', /(?:^|\/)smtp$/, ['outbound']],
];

/**
 * What the services of a log would take by a profile alone, where there are no files to say what they do: each
 * is taken for what its name usually stands for.
 */
export function usualPlaces({ rows }: Pick<WholeCounts, 'rows'>, thresholds: Thresholds): Places {
  const places = new Map<string, readonly PlacePair[]>();
  for (const { direction, service } of rows) {
    const key = `${direction} ${service}`;
    if (places.has(key)) continue;
    const [, , roles] = USUAL.find(([of, name]) => of === direction && name.test(service)) ?? [];
    if (roles !== undefined)
      places.set(
        key,
        roles.map((role) => ({ before: null, after: usualPlace(direction, role, thresholds) })),
      );
  }
  return places;
}

function usualPlace(direction: Direction, role: Role, thresholds: Thresholds): Place {
  const side = direction === 'in' ? 'server' : 'client';
  const optional = role === 'mx' || role === 'outbound' || role === 'relay';
  const ciphers = permitted(thresholds, thresholds.lowestProtocol[role], { side, tlsRequired: !optional });
  return {
    id: role,
    side,
    role,
    tls: {
      mode: optional ? 'opportunistic' : 'required',
      protocols: PROTOCOLS.filter((protocol) => ciphers.some((cipher) => cipher.protocol === protocol)),
      ciphers,
    },
    auth: { beforeTls: optional ? null : [], afterTls: null },
    public: true,
    sasl: !optional,
    keyExchange: { dh: '', groups: '' },
    remote: null,
    trusts: false,
  };
}

/** Suites of any release that a profile has nothing against. */
function permitted(thresholds: Thresholds, lowest: Protocol, place: CipherPlace): readonly OfferedCipher[] {
  const suites = new Map<string, CipherSuite>();
  for (const release of cipherReleases())
    for (const suite of suitesOf(release)) suites.set(suite.name, suite);
  const allowed = [...suites.values()].filter((suite) => objectionsAt(suite, thresholds, place).length === 0);
  return PROTOCOLS.filter((protocol) => compareProtocols(protocol, lowest) >= 0).flatMap((protocol) =>
    allowed.filter((suite) => isOf(suite, protocol)).map(({ name }) => ({ protocol, name })),
  );
}

/** Suites of SSLv2 and of TLSv1.3 are of no use in any other protocol. */
function isOf({ protocol: own }: CipherSuite, protocol: Protocol): boolean {
  if (own === 'SSLv2' || own === 'TLSv1.3') return own === protocol;
  return protocol !== 'SSLv2' && protocol !== 'TLSv1.3' && compareProtocols(own, protocol) <= 0;
}
