import type { Thresholds } from '../../model/thresholds.ts';
import type { Certificate } from '../../tls/certificate.ts';
import { chainOrder, matchesHost, serverNames } from '../../tls/chain.ts';
import type { PublicKey } from '../../tls/key.ts';
import type { Report } from '../check.ts';

/**
 * What there is to say of a certificate that a server shows, whichever server that is. Dates, keys and
 * signatures: RFC 5280, RFC 9325 §4.5; names: RFC 9525; chains: RFC 8446 §4.4.2, RFC 5246 §7.4.2.
 */

/** Message and data of a report; where it is shown and for which endpoint is the server's to say. */
export type CertificateReport = Required<Pick<Report, 'message' | 'data'>>;

const DAY = 86_400_000;

/** A certificate that is renewed automatically has at least this many days left. */
const DAYS_BEFORE = 21;

/** `2026-01-31` */
function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The name to call a certificate by. */
export function nameOf(certificate: Certificate): string {
  return serverNames(certificate)[0] ?? certificate.subject.text;
}

/** What of a file is shown and counts: the chain, without a root, which clients take from their own store. */
function shown(chain: readonly Certificate[]): readonly Certificate[] {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return [];
  const path = new Set(chainOrder([leaf, ...others]).chain);
  return [leaf, ...others.filter((certificate) => path.has(certificate) && !certificate.selfSigned)];
}

/** Dates: `expired`, `soon`, `early`, and `issuer-expired` for one further up the chain. */
export function* dateReports(chain: readonly Certificate[], now: number): Iterable<CertificateReport> {
  for (const certificate of shown(chain)) {
    const { notBefore, notAfter } = certificate;
    const data = { name: nameOf(certificate), from: day(notBefore), until: day(notAfter) };
    if (certificate !== chain[0]) {
      if (now > notAfter) yield { message: 'issuer-expired', data };
    } else if (now > notAfter) yield { message: 'expired', data };
    else if (now < notBefore) yield { message: 'early', data };
    else if (now > notAfter - DAYS_BEFORE * DAY)
      yield { message: 'soon', data: { ...data, days: Math.floor((notAfter - now) / DAY) } };
  }
}

/** Keys and signatures below the profile: `rsa`, `curve`, `dsa`, `signature`. */
export function* weaknessReports(
  chain: readonly Certificate[],
  { rsaBits }: Thresholds,
): Iterable<CertificateReport> {
  for (const certificate of shown(chain)) {
    const { key, signature, selfSigned } = certificate;
    const name = nameOf(certificate);
    const weakness = keyWeakness(key, rsaBits);
    if (weakness !== null)
      yield {
        message: weakness,
        data: { name, bits: key.bits, curve: key.curve, least: weakness === 'rsa' ? rsaBits : LEAST_CURVE },
      };
    // Whoever trusts a self-signed certificate trusts the certificate, not its signature.
    if (signature.weak && !selfSigned)
      yield { message: 'signature', data: { name, hash: signature.hash, issuer: certificate.issuer.text } };
  }
}

/** Smaller curves give less than the 112 bits of RSA 2048 (NIST SP 800-57 part 1, table 2). */
const LEAST_CURVE = 224;

function keyWeakness({ type, bits }: PublicKey, rsaBits: number): 'rsa' | 'curve' | 'dsa' | null {
  if (type === 'DSA') return 'dsa';
  if (bits === null) return null;
  if ((type === 'RSA' || type === 'RSA-PSS') && bits < rsaBits) return 'rsa';
  return type === 'ECDSA' && bits < LEAST_CURVE ? 'curve' : null;
}

/** `default` when none of its names is the name of the host. */
export function nameReport(leaf: Certificate, host: string): CertificateReport | null {
  if (matchesHost(leaf, host)) return null;
  const names = serverNames(leaf);
  const named = names.slice(0, 5);
  return { message: 'default', data: { host, names: named, more: names.length - named.length } };
}

/** How the certificates of a file follow each other: `order`, `stray`, `incomplete`. */
export function chainReport(chain: readonly Certificate[]): CertificateReport | null {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return null;
  const { chain: path, ordered, strays, missingIssuer } = chainOrder([leaf, ...others]);
  const last = path.at(-1) ?? leaf;
  const data = { name: nameOf(leaf), issuer: last.issuer.text };
  if (!ordered) return { message: 'order', data };
  // An intermediate that ends the chain is signed by a root, as a rule; a server's own seldom is.
  if (missingIssuer !== null && path.length === 1 && !leaf.ca)
    return { message: strays.length === 0 ? 'incomplete' : 'stray', data };
  return null;
}
