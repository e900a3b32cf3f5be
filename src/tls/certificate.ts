import {
  BIT_STRING,
  BOOLEAN,
  constructed,
  contentOf,
  DerError,
  type Element,
  hasBit,
  hexOf,
  INTEGER,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  objectIdentifier,
  primitive,
  Reader,
  SEQUENCE,
  timeOf,
  wholeElement,
} from './der.ts';
import { type PublicKey, readPublicKey } from './key.ts';
import { type AlternativeNames, type DistinguishedName, readAlternativeNames, readName } from './names.ts';

export type { KeyType } from './key.ts';

/** How a certificate was signed. */
export interface SignatureAlgorithm {
  /** OpenSSL's name, `sha256WithRSAEncryption`; the object identifier where it is not known. */
  readonly name: string;
  /** `SHA-256`; null where the algorithm has its own (Ed25519, ML-DSA) or is not known. */
  readonly hash: string | null;
  /** The hash can be forged: MD2, MD4, MD5 and SHA-1 (RFC 9155, RFC 6194). */
  readonly weak: boolean;
}

/** Uses that a certificate is bound to by name (RFC 5280 §4.2.1.3); null means any. */
export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyEncipherment: boolean;
  readonly keyAgreement: boolean;
  readonly certificateSigning: boolean;
}

/** What an X.509 certificate says. Signatures are not verified. */
export interface Certificate extends AlternativeNames {
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Hexadecimal digits without leading zeros, `-` before a negative one. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly key: PublicKey;
  readonly signature: SignatureAlgorithm;
  /** Issuer and subject are the same and so are their key identifiers, where they are given. */
  readonly selfSigned: boolean;
  /** Basic constraints say that it may sign certificates. */
  readonly ca: boolean;
  readonly keyUsage: KeyUsage | null;
  /** `serverAuth`, `clientAuth` and so on, or object identifiers; null means any. */
  readonly extendedKeyUsage: readonly string[] | null;
  /** Hexadecimal; null where it is not given. */
  readonly subjectKeyId: string | null;
  readonly authorityKeyId: string | null;
}

/** Signature algorithms by object identifier: OpenSSL's name and the hash (RFC 3279, 4055, 5758, 8410, 9881). */
const SIGNATURES: ReadonlyMap<string, readonly [name: string, hash: string | null]> = new Map([
  ['1.2.840.113549.1.1.2', ['md2WithRSAEncryption', 'MD2']],
  ['1.2.840.113549.1.1.3', ['md4WithRSAEncryption', 'MD4']],
  ['1.2.840.113549.1.1.4', ['md5WithRSAEncryption', 'MD5']],
  ['1.2.840.113549.1.1.5', ['sha1WithRSAEncryption', 'SHA-1']],
  ['1.3.14.3.2.29', ['sha1WithRSA', 'SHA-1']],
  ['1.2.840.113549.1.1.11', ['sha256WithRSAEncryption', 'SHA-256']],
  ['1.2.840.113549.1.1.12', ['sha384WithRSAEncryption', 'SHA-384']],
  ['1.2.840.113549.1.1.13', ['sha512WithRSAEncryption', 'SHA-512']],
  ['1.2.840.113549.1.1.14', ['sha224WithRSAEncryption', 'SHA-224']],
  ['1.2.840.113549.1.1.15', ['sha512-224WithRSAEncryption', 'SHA-512/224']],
  ['1.2.840.113549.1.1.16', ['sha512-256WithRSAEncryption', 'SHA-512/256']],
  ['2.16.840.1.101.3.4.3.13', ['RSA-SHA3-224', 'SHA3-224']],
  ['2.16.840.1.101.3.4.3.14', ['RSA-SHA3-256', 'SHA3-256']],
  ['2.16.840.1.101.3.4.3.15', ['RSA-SHA3-384', 'SHA3-384']],
  ['2.16.840.1.101.3.4.3.16', ['RSA-SHA3-512', 'SHA3-512']],
  ['1.2.840.10045.4.1', ['ecdsa-with-SHA1', 'SHA-1']],
  ['1.2.840.10045.4.3.1', ['ecdsa-with-SHA224', 'SHA-224']],
  ['1.2.840.10045.4.3.2', ['ecdsa-with-SHA256', 'SHA-256']],
  ['1.2.840.10045.4.3.3', ['ecdsa-with-SHA384', 'SHA-384']],
  ['1.2.840.10045.4.3.4', ['ecdsa-with-SHA512', 'SHA-512']],
  ['2.16.840.1.101.3.4.3.9', ['ecdsa_with_SHA3-224', 'SHA3-224']],
  ['2.16.840.1.101.3.4.3.10', ['ecdsa_with_SHA3-256', 'SHA3-256']],
  ['2.16.840.1.101.3.4.3.11', ['ecdsa_with_SHA3-384', 'SHA3-384']],
  ['2.16.840.1.101.3.4.3.12', ['ecdsa_with_SHA3-512', 'SHA3-512']],
  ['1.2.840.10040.4.3', ['dsaWithSHA1', 'SHA-1']],
  ['2.16.840.1.101.3.4.3.1', ['dsa_with_SHA224', 'SHA-224']],
  ['2.16.840.1.101.3.4.3.2', ['dsa_with_SHA256', 'SHA-256']],
  ['2.16.840.1.101.3.4.3.3', ['dsa_with_SHA384', 'SHA-384']],
  ['2.16.840.1.101.3.4.3.4', ['dsa_with_SHA512', 'SHA-512']],
  ['1.3.101.112', ['ED25519', null]],
  ['1.3.101.113', ['ED448', null]],
  ['2.16.840.1.101.3.4.3.17', ['ML-DSA-44', null]],
  ['2.16.840.1.101.3.4.3.18', ['ML-DSA-65', null]],
  ['2.16.840.1.101.3.4.3.19', ['ML-DSA-87', null]],
]);

const RSASSA_PSS = '1.2.840.113549.1.1.10';

/** Hash functions by object identifier, for RSASSA-PSS, which names its own (RFC 4055 §3.1). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.5', 'MD5'],
  ['1.3.14.3.2.26', 'SHA-1'],
  ['2.16.840.1.101.3.4.2.1', 'SHA-256'],
  ['2.16.840.1.101.3.4.2.2', 'SHA-384'],
  ['2.16.840.1.101.3.4.2.3', 'SHA-512'],
  ['2.16.840.1.101.3.4.2.4', 'SHA-224'],
  ['2.16.840.1.101.3.4.2.5', 'SHA-512/224'],
  ['2.16.840.1.101.3.4.2.6', 'SHA-512/256'],
  ['2.16.840.1.101.3.4.2.7', 'SHA3-224'],
  ['2.16.840.1.101.3.4.2.8', 'SHA3-256'],
  ['2.16.840.1.101.3.4.2.9', 'SHA3-384'],
  ['2.16.840.1.101.3.4.2.10', 'SHA3-512'],
]);

const WEAK_HASHES: ReadonlySet<string | null> = new Set(['MD2', 'MD4', 'MD5', 'SHA-1']);

/** Purposes of extended key usage by object identifier (RFC 5280 §4.2.1.12). */
const PURPOSES: ReadonlyMap<string, string> = new Map([
  ['2.5.29.37.0', 'anyExtendedKeyUsage'],
  ['1.3.6.1.5.5.7.3.1', 'serverAuth'],
  ['1.3.6.1.5.5.7.3.2', 'clientAuth'],
  ['1.3.6.1.5.5.7.3.3', 'codeSigning'],
  ['1.3.6.1.5.5.7.3.4', 'emailProtection'],
  ['1.3.6.1.5.5.7.3.8', 'timeStamping'],
  ['1.3.6.1.5.5.7.3.9', 'OCSPSigning'],
]);

/**
 * Reads one certificate (RFC 5280 §4.1).
 *
 * @throws DerError when the bytes are none
 */
export function readCertificate(bytes: Uint8Array): Certificate {
  return certificateOf(wholeElement(bytes, SEQUENCE));
}

/**
 * Reads one certificate in OpenSSL's form of its own, `TRUSTED CERTIFICATE`, in which notes on what to
 * trust it for follow (x_x509a.c).
 *
 * @throws DerError
 */
export function readTrustedCertificate(bytes: Uint8Array): Certificate {
  const whole: Element = { tag: SEQUENCE, bytes, start: 0, from: 0, to: bytes.length };
  return certificateOf(new Reader(whole).next(SEQUENCE));
}

function certificateOf(whole: Element): Certificate {
  const outer = new Reader(whole);
  const tbs = new Reader(outer.next(SEQUENCE));
  const signature = signatureOf(outer.next(SEQUENCE));
  tbs.optional(constructed(0));
  const serial = serialOf(tbs.next(INTEGER));
  tbs.next(SEQUENCE);
  const issuer = readName(tbs.next(SEQUENCE));
  const validity = new Reader(tbs.next(SEQUENCE));
  const notBefore = timeOf(validity.next());
  const notAfter = timeOf(validity.next());
  const subject = readName(tbs.next(SEQUENCE));
  const key = readPublicKey(tbs.next(SEQUENCE));
  for (const unique of [1, 2]) tbs.optional(primitive(unique));
  const list = tbs.optional(constructed(3));
  const extensions = readExtensions(list === null ? null : new Reader(list).next(SEQUENCE));
  return {
    subject,
    issuer,
    serial,
    notBefore,
    notAfter,
    key,
    signature,
    selfSigned: subject.id === issuer.id && sameKeyId(extensions.authorityKeyId, extensions.subjectKeyId),
    ...extensions,
  };
}

/** What is not given contradicts nothing. */
function sameKeyId(authority: string | null, subject: string | null): boolean {
  return authority === null || subject === null || authority === subject;
}

/** Whether one certificate names the other as the one that it is signed by: by name and by key identifier. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  return (
    certificate.issuer.id === issuer.subject.id && sameKeyId(certificate.authorityKeyId, issuer.subjectKeyId)
  );
}

/** Serial numbers are positive (RFC 5280 §4.1.2.2); old certificates hold negative ones too. */
function serialOf(element: Element): string {
  const hex = hexOf(contentOf(element));
  if (hex === '') throw new DerError('no serial number');
  const negative = Number.parseInt(hex.slice(0, 2), 16) >= 0x80;
  const value = negative ? (1n << BigInt(hex.length * 4)) - BigInt(`0x${hex}`) : BigInt(`0x${hex}`);
  return `${negative ? '-' : ''}${value.toString(16)}`;
}

function signatureOf(element: Element): SignatureAlgorithm {
  const reader = new Reader(element);
  const id = objectIdentifier(reader.next(OBJECT_IDENTIFIER));
  const parameters = reader.done ? null : reader.next();
  const [name, hash] =
    id === RSASSA_PSS ? ['rsassaPss', pssHash(parameters)] : (SIGNATURES.get(id) ?? [id, null]);
  return { name, hash, weak: WEAK_HASHES.has(hash) };
}

/** The hash that the parameters of RSASSA-PSS name; SHA-1 is the default (RFC 4055 §3.1). */
function pssHash(parameters: Element | null): string | null {
  if (parameters?.tag !== SEQUENCE) return 'SHA-1';
  const named = new Reader(parameters).optional(constructed(0));
  if (named === null) return 'SHA-1';
  const id = objectIdentifier(new Reader(new Reader(named).next(SEQUENCE)).next(OBJECT_IDENTIFIER));
  return HASHES.get(id) ?? null;
}

type Extensions = Pick<
  Certificate,
  'dnsNames' | 'addresses' | 'ca' | 'keyUsage' | 'extendedKeyUsage' | 'subjectKeyId' | 'authorityKeyId'
>;

function readExtensions(list: Element | null): Extensions {
  const found = new Map<string, Element>();
  if (list !== null) {
    for (const reader = new Reader(list); !reader.done; ) {
      const extension = new Reader(reader.next(SEQUENCE));
      const id = objectIdentifier(extension.next(OBJECT_IDENTIFIER));
      extension.optional(BOOLEAN);
      found.set(id, extension.next(OCTET_STRING));
    }
  }
  /** The value inside the octet string of an extension. */
  const value = (id: string, tag: number): Element | null => {
    const octets = found.get(id);
    return octets === undefined ? null : wholeElement(octets.bytes, tag, octets.from, octets.to);
  };
  const names = value('2.5.29.17', SEQUENCE);
  const constraints = value('2.5.29.19', SEQUENCE);
  const usage = value('2.5.29.15', BIT_STRING);
  const purposes = value('2.5.29.37', SEQUENCE);
  const subjectKey = value('2.5.29.14', OCTET_STRING);
  const authority = value('2.5.29.35', SEQUENCE);
  const authorityKey = authority === null ? null : new Reader(authority).optional(primitive(0));
  return {
    ...(names === null ? { dnsNames: [], addresses: [] } : readAlternativeNames(names)),
    ca: constraints !== null && isTrue(new Reader(constraints).optional(BOOLEAN)),
    keyUsage: usage === null ? null : usageOf(usage),
    extendedKeyUsage: purposes === null ? null : purposesOf(purposes),
    subjectKeyId: subjectKey === null ? null : hexOf(contentOf(subjectKey)),
    authorityKeyId: authorityKey === null ? null : hexOf(contentOf(authorityKey)),
  };
}

function isTrue(element: Element | null): boolean {
  return element !== null && contentOf(element).some((byte) => byte !== 0);
}

function usageOf(bits: Element): KeyUsage {
  return {
    digitalSignature: hasBit(bits, 0),
    keyEncipherment: hasBit(bits, 2),
    keyAgreement: hasBit(bits, 4),
    certificateSigning: hasBit(bits, 5),
  };
}

function purposesOf(list: Element): readonly string[] {
  const purposes: string[] = [];
  for (const reader = new Reader(list); !reader.done; ) {
    const id = objectIdentifier(reader.next(OBJECT_IDENTIFIER));
    purposes.push(PURPOSES.get(id) ?? id);
  }
  return purposes;
}
