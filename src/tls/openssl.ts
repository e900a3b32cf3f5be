import { PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { compareReleases, type Release } from '../model/release.ts';
import data from './data/openssl.json' with { type: 'json' };

/** The OpenSSL release that is assumed where nothing tells, and the oldest that is supported. */
export const OPENSSL_RELEASES: { readonly newest: Release; readonly oldest: Release } = data;

/**
 * The protocols that a library of this release speaks as it is built by default, oldest first
 * (OpenSSL CHANGES: SSLv2 is left out of the build since 1.0.2g, SSLv3 since 1.1.0, TLSv1.3 came
 * with 1.1.1).
 */
export function libraryProtocols(release: Release): readonly Protocol[] {
  let known: readonly Protocol[] = [];
  for (const { since, protocols } of data.protocols) {
    if (compareReleases(release, since) >= 0) known = protocols.filter(isProtocol);
  }
  return known;
}

function isProtocol(name: string): name is Protocol {
  return (PROTOCOLS as readonly string[]).includes(name);
}
