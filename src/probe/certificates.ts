import { type KeyObject, X509Certificate } from 'node:crypto';

/** A certificate that a server has shown, with what it sent to prove it. */
export interface ShownCertificate {
  /** RSA, ECDSA, DSA, Ed25519, Ed448; what Node calls it where it is another; null where it cannot be read. */
  readonly keyType: string | null;
  /** Bits of the key; null for curves that have one size only, and where it cannot be read. */
  readonly keyBits: number | null;
  /** The server's own certificate first, in PEM. */
  readonly chain: readonly string[];
}

const KEY_TYPES: Readonly<Record<string, string>> = {
  rsa: 'RSA',
  'rsa-pss': 'RSA',
  ec: 'ECDSA',
  dsa: 'DSA',
  ed25519: 'Ed25519',
  ed448: 'Ed448',
};

const CURVE_BITS: Readonly<Record<string, number>> = {
  prime256v1: 256,
  secp384r1: 384,
  secp521r1: 521,
};

/** Reads the chain that a server sent. Never throws: a certificate that cannot be read is shown all the same. */
export function shownCertificate(chain: readonly Buffer[]): ShownCertificate {
  const key = publicKey(chain[0]);
  const details = key?.asymmetricKeyDetails;
  const type = key?.asymmetricKeyType;
  return {
    keyType: type === undefined ? null : (KEY_TYPES[type] ?? type),
    keyBits: details?.modulusLength ?? CURVE_BITS[details?.namedCurve ?? ''] ?? null,
    chain: chain.map(pem),
  };
}

function publicKey(der: Buffer | undefined): KeyObject | null {
  if (der === undefined) return null;
  try {
    return new X509Certificate(der).publicKey;
  } catch {
    return null;
  }
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
