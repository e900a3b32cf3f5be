import { type Certificate, isIssuedBy } from './certificate.ts';
import type { PublicKey } from './key.ts';

/**
 * Whether a private key belongs to a certificate. Null where the files do not tell: the key is encrypted, or
 * its form leaves out the public part (Ed25519, Ed448, ML-DSA, DSA in PKCS #8).
 */
export function isPair(certificate: Certificate, key: PublicKey): boolean | null {
  const own = certificate.key;
  // What is encrypted does not say its type.
  if (key.type === null && key.id === null) return null;
  if (own.algorithm !== key.algorithm) return false;
  if (own.bits !== null && key.bits !== null && own.bits !== key.bits) return false;
  const named = own.curve !== 'explicit' && key.curve !== 'explicit';
  if (named && own.curve !== key.curve && key.curve !== null) return false;
  if (own.id === null || key.id === null) return null;
  return own.id === key.id;
}

/** How the certificates of a file hang together. */
export interface ChainOrder {
  /** The server's own certificate and each one that issued the one before it, whatever their order in the file. */
  readonly chain: readonly Certificate[];
  /** The certificates of the chain stand in this order and without others between them. */
  readonly ordered: boolean;
  /** The first certificate of the file is the server's own; if not, a server that shows the first shows a CA. */
  readonly leafFirst: boolean;
  /** What the file holds besides the chain, in its order. */
  readonly strays: readonly Certificate[];
  /**
   * Who issued the last of the chain, where the file does not hold it: a root, which clients have, or an
   * intermediate that is missing. Null when the chain ends with a self-signed certificate.
   */
  readonly missingIssuer: string | null;
}

/**
 * Orders the certificates of a file by who issued whom: by names and key identifiers (RFC 5280 §6.1),
 * signatures are not verified.
 *
 * @param certificates in the order of the file; at least one
 */
export function chainOrder(certificates: readonly [Certificate, ...Certificate[]]): ChainOrder {
  const bySubject = new Map<string, Certificate[]>();
  for (const certificate of certificates) {
    const known = bySubject.get(certificate.subject.id);
    if (known === undefined) bySubject.set(certificate.subject.id, [certificate]);
    else known.push(certificate);
  }
  const leaf = leafOf(certificates);
  const chain = [leaf];
  const used = new Set(chain);
  for (let last = leaf; !last.selfSigned; ) {
    const issuers = bySubject.get(last.issuer.id) ?? [];
    const issuer = issuers.find((other) => !used.has(other) && isIssuedBy(last, other));
    if (issuer === undefined) break;
    chain.push(issuer);
    used.add(issuer);
    last = issuer;
  }
  const end = chain.at(-1) ?? leaf;
  return {
    chain,
    ordered: chain.every((certificate, index) => certificates[index] === certificate),
    leafFirst: certificates[0] === leaf,
    strays: certificates.filter((certificate) => !used.has(certificate)),
    missingIssuer: end.selfSigned ? null : end.issuer.text,
  };
}

/** The first that is no CA and issued none of the others; the first of the file where that says nothing. */
function leafOf(certificates: readonly [Certificate, ...Certificate[]]): Certificate {
  const issuers = new Set(
    certificates.filter(({ selfSigned }) => !selfSigned).map(({ issuer }) => issuer.id),
  );
  const [first] = certificates;
  if (!first.ca && !issuers.has(first.subject.id)) return first;
  return certificates.find(({ ca, subject }) => !ca && !issuers.has(subject.id)) ?? first;
}

/**
 * Whether a certificate is good for a host name or an address (RFC 9525 §6.3, RFC 6125 §6.4): one of its
 * alternative names is the name, or is it with `*` for the whole first label. The common name counts only
 * where no alternative name is there, which RFC 9525 has given up and OpenSSL has not.
 *
 * @param name a host name, with or without the dot at its end, or an address
 */
export function matchesHost(certificate: Certificate, name: string): boolean {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  if (wanted === '') return false;
  if (certificate.addresses.includes(wanted)) return true;
  return serverNames(certificate).some((pattern) => matchesName(pattern, wanted));
}

/** The host names that a certificate is good for, wildcards as written. */
export function serverNames({ dnsNames, subject }: Certificate): readonly string[] {
  if (dnsNames.length > 0) return dnsNames;
  return subject.commonName === null ? [] : [subject.commonName];
}

function matchesName(pattern: string, wanted: string): boolean {
  const known = pattern.toLowerCase().replace(/\.$/, '');
  if (known === wanted) return true;
  if (!known.startsWith('*.')) return false;
  const dot = wanted.indexOf('.');
  const suffix = known.slice(1);
  // A wildcard stands for one label, and not for all names of a whole top-level domain.
  return dot > 0 && wanted.slice(dot) === suffix && suffix.indexOf('.', 1) > 0;
}
