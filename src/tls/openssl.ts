import { PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { compareReleases, type Release } from '../model/release.ts';
import data from './data/openssl.json' with { type: 'json' };

/** The OpenSSL release that is assumed where nothing tells, and the oldest that is supported. */
export const OPENSSL_RELEASES: { readonly newest: Release; readonly oldest: Release } = data;

/** What of the system's OpenSSL bears on every program: the release, and what openssl.cnf adds. */
export interface OpenSslSystem {
  readonly release: Release;
  /** `MinProtocol` of the system default section of openssl.cnf; null where there is none. */
  readonly minProtocol: Protocol | null;
}

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

/**
 * `MinProtocol` of the section that openssl.cnf applies to every TLS context: `openssl_conf` names a
 * section whose `ssl_conf` names one whose `system_default` names the one that counts (config(5ssl)).
 *
 * @param text the text of openssl.cnf
 * @returns the protocol, or null where the file sets none (`None` included)
 */
export function systemMinProtocol(text: string): Protocol | null {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  sections.set('default', section);
  for (const line of text.split(/\r?\n/)) {
    const content = line.replace(/#.*/, '').trim();
    const header = /^\[\s*([^\]]*?)\s*\]$/.exec(content);
    if (header?.[1] !== undefined) {
      section = sections.get(header[1]) ?? new Map<string, string>();
      sections.set(header[1], section);
      continue;
    }
    const equals = content.indexOf('=');
    if (equals > 0) section.set(content.slice(0, equals).trim(), content.slice(equals + 1).trim());
  }
  const follow = (name: string | undefined, key: string): string | undefined =>
    name === undefined ? undefined : sections.get(name)?.get(key);
  const defaults = follow(follow(follow('default', 'openssl_conf'), 'ssl_conf'), 'system_default');
  return PROTOCOLS.find((protocol) => protocol === follow(defaults, 'MinProtocol')) ?? null;
}

function isProtocol(name: string): name is Protocol {
  return (PROTOCOLS as readonly string[]).includes(name);
}
