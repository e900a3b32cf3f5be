import type { Protocol } from '../../model/protocol.ts';
import type { Release } from '../../model/release.ts';
import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import { serverDh, serverGroups } from '../../postfix/key-exchange.ts';
import { oldestOpenssl } from '../../postfix/parameters.ts';
import { mayBeLost } from '../../tls/cipher-classes.ts';
import { cipherListOf } from '../../tls/cipher-lists.ts';
import { readCipherString } from '../../tls/cipher-string.ts';
import { acceptedSuites, type CertifiedKey, offeredSuites } from '../../tls/negotiation.ts';
import { libraryProtocols } from '../../tls/openssl.ts';
import { type CipherSuite, suitesOf } from '../../tls/suites.ts';
import type { CheckContext } from '../check.ts';
import { forbiddenClasses, type Objection, objectionsAt } from '../cipher-judgement.ts';
import { byClass, type ForbiddenSuite } from './forbidden-suites.ts';
import type { CipherUse } from './postfix-cipher-uses.ts';

/** The suites of an endpoint as the rules judge them. */
export interface JudgedSuites {
  /** The OpenSSL release that is judged. */
  readonly library: Release;
  /** The suites up to TLSv1.2, in order. */
  readonly suites: readonly CipherSuite[];
  /** TLSv1.3 is spoken too. */
  readonly tls13: boolean;
}

const known = new WeakMap<CipherUse, Map<Release, JudgedSuites>>();

/** The suites that count for a use; none where no handshake succeeds. */
export function judgedSuites(
  postfix: PostfixConfiguration,
  use: CipherUse,
  library: Release = postfix.openssl.version,
): JudgedSuites {
  const releases = known.get(use) ?? new Map<Release, JudgedSuites>();
  known.set(use, releases);
  let judged = releases.get(library);
  if (judged === undefined) {
    const offered = offeredBy(postfix, use, library);
    const names = new Set(offered.map(({ name }) => name));
    judged = {
      library,
      suites: suitesByName(library, names),
      tls13: offered.some(({ protocol }) => protocol === 'TLSv1.3'),
    };
    releases.set(library, judged);
  }
  return judged;
}

function offeredBy(
  postfix: PostfixConfiguration,
  use: CipherUse,
  library: Release,
): readonly { readonly protocol: Protocol; readonly name: string }[] {
  const { endpoint, service, settings, policy, mandatory } = use;
  if (settings.string === null) return [];
  const own = policy === null && mandatory === endpoint.mandatory;
  if (own && endpoint.fault !== null) return [];
  const protocols = use.protocols.filter((protocol) => libraryProtocols(library).includes(protocol));
  if (own && library === postfix.openssl.version && endpoint.tls.ciphers !== undefined)
    return endpoint.tls.ciphers.filter(({ protocol }) => protocols.includes(protocol));
  const list = cipherListOf(settings.string, library);
  const negotiation = { ...list, openssl: library, protocols, securityLevel: list.securityLevel ?? 0 };
  if (endpoint.side === 'client') return offeredSuites(negotiation);
  const place = { configuration: postfix, service, family: endpoint.family };
  return acceptedSuites({
    ...negotiation,
    keys: keysOf(endpoint.tls.keyTypes ?? null),
    dh: serverDh(place),
    groups: serverGroups(place),
  });
}

function keysOf(types: readonly string[] | null): readonly CertifiedKey[] | null {
  return types === null
    ? null
    : types.map((type) => ({ type: type as CertifiedKey['type'], bits: null, curve: null }));
}

function suitesByName(library: Release, names: ReadonlySet<string>): readonly CipherSuite[] {
  if (names.size === 0) return [];
  return suitesOf(library).filter(({ name, protocol }) => protocol !== 'TLSv1.3' && names.has(name));
}

/** The suites of a use that the profile forbids there, in one OpenSSL release. */
export interface ForbiddenSuites {
  readonly library: Release;
  readonly suites: readonly ForbiddenSuite[];
}

/**
 * The suites of a use that the profile forbids there.
 *
 * Where the OpenSSL release is only assumed, the oldest one that this release of Postfix can be built with
 * counts if it has more against it: a list that permits RC4 waits for a library that has it.
 *
 * @param counts which objections are asked for
 */
export function forbiddenSuites(
  { postfix, profile }: CheckContext,
  use: CipherUse,
  counts: (objection: Objection) => boolean,
): ForbiddenSuites {
  const place = { side: use.endpoint.side, tlsRequired: use.mandatory };
  const of = (library: Release): ForbiddenSuites => ({
    library,
    suites: judgedSuites(postfix, use, library).suites.flatMap((suite) => {
      const objections = objectionsAt(suite, profile.thresholds, place).filter(counts);
      return objections.length === 0 ? [] : [{ suite, objections }];
    }),
  });
  const present = of(postfix.openssl.version);
  if (postfix.openssl.versionFrom !== 'assumed') return present;
  const oldest = oldestOpenssl(postfix.release);
  const { string } = use.settings;
  const lost =
    string !== null &&
    forbiddenClasses(profile.thresholds, place).some((name) =>
      mayBeLost(name, string, oldest, postfix.openssl.version),
    );
  if (!lost) return present;
  const past = of(oldest);
  const classes = new Set(byClass(present.suites).map(({ objection }) => objection.class));
  return byClass(past.suites).every(({ objection }) => classes.has(objection.class)) ? present : past;
}

/** What is left of the list of a use when more is excluded; null where OpenSSL would refuse it. */
export function suitesWithout(
  { settings }: CipherUse,
  items: readonly string[],
  library: Release,
): readonly CipherSuite[] | null {
  if (settings.string === null) return null;
  const { suites, error } = readCipherString(
    [settings.string, ...items.map((item) => `!${item}`)].join(':'),
    library,
  );
  return error === null ? suites : null;
}
