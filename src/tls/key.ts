import {
  bitLength,
  bitsOf,
  childrenOf,
  constructed,
  contentOf,
  DerError,
  type Element,
  hexOf,
  INTEGER,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  objectIdentifier,
  primitive,
  Reader,
  SEQUENCE,
  unsignedHex,
  wholeElement,
} from './der.ts';

/**
 * Kinds of keys as a TLS library tells them apart. `RSA-PSS` is a key that is bound to one kind of signature
 * (RFC 4055); it serves no cipher with RSA key exchange.
 */
export type KeyType = 'RSA' | 'RSA-PSS' | 'ECDSA' | 'DSA' | 'Ed25519' | 'Ed448' | 'ML-DSA';

/** What can be told of a key pair without its secret. */
export interface PublicKey {
  /** Null for a kind that no mail server uses. */
  readonly type: KeyType | null;
  /** The kind in words: `RSA`, `ML-DSA-65`, or the object identifier of one that is not known here. */
  readonly algorithm: string;
  /** Size as the security of such keys is told: of the modulus, the order of the curve, the prime. Null where it has none. */
  readonly bits: number | null;
  /** Name of the curve as OpenSSL writes it, its identifier where it is not known, `explicit` where it is spelled out. */
  readonly curve: string | null;
  /** The public part, the same for certificate and key; null where a private key does not hold it. */
  readonly id: string | null;
}

/** A private key as it stands in a file. Nothing of the secret is kept. */
export interface PrivateKey extends PublicKey {
  /** It needs a pass phrase, which neither Postfix nor a Dovecot without `ssl_key_password` can give. */
  readonly encrypted: boolean;
  /** The form: of the algorithm itself, or PKCS #8. */
  readonly form: 'PKCS#1' | 'SEC1' | 'DSA' | 'PKCS#8';
}

/** Curves by object identifier: name and bits of the order (SEC 2, RFC 5639, OpenSSL's obj_mac.h). */
const CURVES: ReadonlyMap<string, readonly [name: string, bits: number]> = new Map([
  ['1.2.840.10045.3.1.1', ['prime192v1', 192]],
  ['1.2.840.10045.3.1.7', ['prime256v1', 256]],
  ['1.3.132.0.6', ['secp112r1', 112]],
  ['1.3.132.0.8', ['secp160r1', 161]],
  ['1.3.132.0.9', ['secp160k1', 161]],
  ['1.3.132.0.10', ['secp256k1', 256]],
  ['1.3.132.0.30', ['secp160r2', 161]],
  ['1.3.132.0.31', ['secp192k1', 192]],
  ['1.3.132.0.32', ['secp224k1', 225]],
  ['1.3.132.0.33', ['secp224r1', 224]],
  ['1.3.132.0.34', ['secp384r1', 384]],
  ['1.3.132.0.35', ['secp521r1', 521]],
  ['1.3.36.3.3.2.8.1.1.1', ['brainpoolP160r1', 160]],
  ['1.3.36.3.3.2.8.1.1.3', ['brainpoolP192r1', 192]],
  ['1.3.36.3.3.2.8.1.1.5', ['brainpoolP224r1', 224]],
  ['1.3.36.3.3.2.8.1.1.7', ['brainpoolP256r1', 256]],
  ['1.3.36.3.3.2.8.1.1.8', ['brainpoolP256t1', 256]],
  ['1.3.36.3.3.2.8.1.1.9', ['brainpoolP320r1', 320]],
  ['1.3.36.3.3.2.8.1.1.11', ['brainpoolP384r1', 384]],
  ['1.3.36.3.3.2.8.1.1.12', ['brainpoolP384t1', 384]],
  ['1.3.36.3.3.2.8.1.1.13', ['brainpoolP512r1', 512]],
  ['1.3.36.3.3.2.8.1.1.14', ['brainpoolP512t1', 512]],
  ['1.2.156.10197.1.301', ['SM2', 256]],
]);

/** Algorithms of keys by object identifier (RFC 3279, 4055, 5480, 8410, 9881). */
const ALGORITHMS: ReadonlyMap<string, readonly [type: KeyType | null, name: string, bits: number | null]> =
  new Map([
    ['1.2.840.113549.1.1.1', ['RSA', 'RSA', null]],
    ['2.5.8.1.1', ['RSA', 'RSA', null]],
    ['1.2.840.113549.1.1.10', ['RSA-PSS', 'RSA-PSS', null]],
    ['1.2.840.10045.2.1', ['ECDSA', 'ECDSA', null]],
    ['1.2.840.10040.4.1', ['DSA', 'DSA', null]],
    ['1.3.101.110', [null, 'X25519', null]],
    ['1.3.101.111', [null, 'X448', null]],
    ['1.3.101.112', ['Ed25519', 'Ed25519', 256]],
    ['1.3.101.113', ['Ed448', 'Ed448', 456]],
    ['1.2.840.113549.1.3.1', [null, 'DH', null]],
    ['1.2.840.10046.2.1', [null, 'DH', null]],
    ['2.16.840.1.101.3.4.3.17', ['ML-DSA', 'ML-DSA-44', null]],
    ['2.16.840.1.101.3.4.3.18', ['ML-DSA', 'ML-DSA-65', null]],
    ['2.16.840.1.101.3.4.3.19', ['ML-DSA', 'ML-DSA-87', null]],
  ]);

interface Algorithm {
  readonly type: KeyType | null;
  readonly name: string;
  readonly bits: number | null;
  readonly parameters: Element | null;
}

function algorithmOf(element: Element): Algorithm {
  const [identifier, parameters = null] = childrenOf(element);
  if (identifier === undefined) throw new DerError('no algorithm');
  const id = objectIdentifier(identifier);
  const [type, name, bits] = ALGORITHMS.get(id) ?? [null, id, null];
  return { type, name, bits, parameters };
}

/**
 * Reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
 *
 * @throws DerError
 */
export function readPublicKey(element: Element): PublicKey {
  const reader = new Reader(element);
  const algorithm = algorithmOf(reader.next(SEQUENCE));
  const key = bitsOf(reader.next());
  const { type, parameters } = algorithm;
  if (isRsa(type)) return rsa(new Reader(wholeElement(key, SEQUENCE)), type);
  if (type === 'ECDSA') return ecdsa(curveOf(parameters), hexOf(key));
  if (type === 'DSA') return dsa(parameters, unsignedHex(wholeElement(key, INTEGER)));
  return other(algorithm, hexOf(key));
}

function isRsa(type: KeyType | null): type is 'RSA' | 'RSA-PSS' {
  return type === 'RSA' || type === 'RSA-PSS';
}

/** Modulus and exponent, where the reader stands before them. */
function rsa(reader: Reader, type: 'RSA' | 'RSA-PSS'): PublicKey {
  const modulus = unsignedHex(reader.next());
  const exponent = unsignedHex(reader.next());
  return { type, algorithm: type, bits: bitLength(modulus), curve: null, id: `${exponent}:${modulus}` };
}

/**
 * A point is written with both coordinates (04, 06, 07) or with one and a sign (02, 03): what both forms share
 * is the first coordinate.
 */
function ecdsa([curve, bits]: readonly [string, number | null], point: string | null): PublicKey {
  const both = point !== null && !/^0[23]/.test(point);
  const id = point === null ? null : point.slice(2, both ? 2 + (point.length - 2) / 2 : undefined);
  return { type: 'ECDSA', algorithm: 'ECDSA', bits, curve, id };
}

function dsa(parameters: Element | null, publicValue: string | null): PublicKey {
  // A certificate may leave out the parameters and have those of its issuer (RFC 3279 §2.3.2).
  const prime = parameters?.tag === SEQUENCE ? unsignedHex(new Reader(parameters).next()) : null;
  const bits = prime === null ? null : bitLength(prime);
  return { type: 'DSA', algorithm: 'DSA', bits, curve: null, id: publicValue };
}

function other(algorithm: Algorithm, id: string | null): PublicKey {
  return { type: algorithm.type, algorithm: algorithm.name, bits: algorithm.bits, curve: null, id };
}

/** The curve of EC parameters (RFC 5480 §2.1.1): named, spelled out, or left out. */
function curveOf(parameters: Element | null): readonly [name: string, bits: number | null] {
  if (parameters?.tag === OBJECT_IDENTIFIER) {
    const id = objectIdentifier(parameters);
    return CURVES.get(id) ?? [id, null];
  }
  // Version, field, curve, base point, order.
  const order = parameters?.tag === SEQUENCE ? childrenOf(parameters)[4] : undefined;
  if (order === undefined) throw new DerError('no curve');
  return ['explicit', bitLength(unsignedHex(order))];
}

/** Reads the DER of one private key. */
type KeyReader = (bytes: Uint8Array) => PrivateKey;

/** Readers by the label of the PEM block. */
const READERS: ReadonlyMap<string, KeyReader> = new Map<string, KeyReader>([
  ['RSA PRIVATE KEY', pkcs1],
  ['EC PRIVATE KEY', (bytes) => sec1(wholeElement(bytes, SEQUENCE), null, 'SEC1')],
  ['DSA PRIVATE KEY', traditionalDsa],
  ['PRIVATE KEY', pkcs8],
  ['ENCRYPTED PRIVATE KEY', encryptedPkcs8],
]);

/** Kind and form of a key that is encrypted as a whole, by label (RFC 1421 headers; OpenSSL's "traditional" form). */
const TRADITIONAL: ReadonlyMap<string, readonly [KeyType, PrivateKey['form']]> = new Map([
  ['RSA PRIVATE KEY', ['RSA', 'PKCS#1']],
  ['EC PRIVATE KEY', ['ECDSA', 'SEC1']],
  ['DSA PRIVATE KEY', ['DSA', 'DSA']],
]);

/** Whether a label of a PEM block is that of a private key. */
export function isKeyLabel(label: string): boolean {
  return READERS.has(label);
}

/**
 * Reads a private key of a PEM block; the label says the form.
 *
 * @throws DerError
 */
export function readPrivateKey(label: string, bytes: Uint8Array): PrivateKey {
  const read = READERS.get(label);
  if (read === undefined) throw new DerError('not a private key');
  return read(bytes);
}

/** A private key whose block has `Proc-Type: 4,ENCRYPTED`: only the label can be read. */
export function encryptedKey(label: string): PrivateKey {
  const [type, form] = TRADITIONAL.get(label) ?? [null, 'PKCS#8' as const];
  return { type, algorithm: type ?? 'unknown', bits: null, curve: null, id: null, encrypted: true, form };
}

/** RSAPrivateKey (RFC 8017 §A.1.2). */
function pkcs1(bytes: Uint8Array): PrivateKey {
  const reader = new Reader(wholeElement(bytes, SEQUENCE));
  reader.next();
  return { ...rsa(reader, 'RSA'), encrypted: false, form: 'PKCS#1' };
}

/** ECPrivateKey (RFC 5915 §3); inside PKCS #8 the curve stands outside of it. */
function sec1(element: Element, outside: Element | null, form: PrivateKey['form']): PrivateKey {
  const reader = new Reader(element);
  reader.next();
  reader.next(OCTET_STRING);
  const own = reader.optional(constructed(0));
  const point = reader.optional(constructed(1));
  const parameters = own === null ? outside : new Reader(own).next();
  const key = ecdsa(curveOf(parameters), point === null ? null : hexOf(bitsOf(new Reader(point).next())));
  return { ...key, encrypted: false, form };
}

/** The form of OpenSSL before PKCS #8: version, p, q, g, y, x. */
function traditionalDsa(bytes: Uint8Array): PrivateKey {
  const [, p, , , y] = childrenOf(wholeElement(bytes, SEQUENCE));
  if (p === undefined || y === undefined) throw new DerError('not a DSA key');
  const [prime, id] = [unsignedHex(p), unsignedHex(y)];
  return {
    type: 'DSA',
    algorithm: 'DSA',
    bits: bitLength(prime),
    curve: null,
    id,
    encrypted: false,
    form: 'DSA',
  };
}

/** OneAsymmetricKey (RFC 5958 §2): version, algorithm, key, attributes, and seldom the public key. */
function pkcs8(bytes: Uint8Array): PrivateKey {
  const reader = new Reader(wholeElement(bytes, SEQUENCE));
  reader.next();
  const algorithm = algorithmOf(reader.next(SEQUENCE));
  const inner = contentOf(reader.next(OCTET_STRING));
  reader.optional(constructed(0));
  const publicKey = reader.optional(primitive(1)) ?? reader.optional(constructed(1));
  const id = publicKey === null ? null : hexOf(contentOf(publicKey).subarray(1));
  const rest = { encrypted: false, form: 'PKCS#8' } as const;
  const { type, parameters } = algorithm;
  if (isRsa(type)) {
    const key = new Reader(wholeElement(inner, SEQUENCE));
    key.next();
    return { ...rsa(key, type), ...rest };
  }
  if (type === 'ECDSA') return sec1(wholeElement(inner, SEQUENCE), parameters, 'PKCS#8');
  if (type === 'DSA') return { ...dsa(parameters, null), ...rest };
  return { ...other(algorithm, id), ...rest };
}

/** EncryptedPrivateKeyInfo (RFC 5958 §3): how it is encrypted, and bytes that say nothing. */
function encryptedPkcs8(bytes: Uint8Array): PrivateKey {
  const reader = new Reader(wholeElement(bytes, SEQUENCE));
  reader.next(SEQUENCE);
  reader.next(OCTET_STRING);
  return encryptedKey('ENCRYPTED PRIVATE KEY');
}
