import type { Protocol } from '../model/protocol.ts';
import { atLeast, type Release } from '../model/release.ts';
import data from './data/distributions.json' with { type: 'json' };

/**
 * What a distribution sets otherwise than OpenSSL itself. Those of Debian 11 and later were read on the
 * systems (openssl.cnf; `openssl ciphers -s`); the others are what the release notes of Ubuntu and the
 * manual page crypto-policies(7) of RHEL say.
 */
export interface Distribution {
  readonly name: string;
  /** The release that it came with. */
  readonly openssl: Release;
  /** The security level of programs that set none. */
  readonly securityLevel: number;
  /** The oldest protocol of programs that set none; null where it is left to the security level. */
  readonly minProtocol: Protocol | null;
  /** What sets it: a build option, the system's openssl.cnf, or a policy of the whole system. */
  readonly by: 'build' | 'openssl.cnf' | 'crypto-policies';
}

/** The distributions, by OpenSSL release and age. */
export const DISTRIBUTIONS = data.distributions as readonly Distribution[];

/** The security level of a release as it is built by default; null before 1.1.0, which has none (SSL_CTX_set_security_level(3)). */
export function ownSecurityLevel(openssl: Release): number | null {
  return data.ownSecurityLevel.findLast(({ since }) => atLeast(openssl, since))?.level ?? null;
}
