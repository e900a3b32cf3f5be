/**
 * Makes certificates and keys at test time, so that no private key stands in the repository. Node's own
 * crypto makes and signs with the keys, here is only the DER around them (RFC 5280 §4.1).
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const element = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const digits = content.length.toString(16);
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
};

const sequence = (...parts: Uint8Array[]): Buffer => element(0x30, ...parts);

const identifier = (id: string): Buffer => {
  const [first = 0, second = 0, ...rest] = id.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const groups = [part & 0x7f];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift(0x80 | (left & 0x7f));
    return groups;
  });
  return element(0x06, Buffer.from(bytes));
};

const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text));

const ATTRIBUTES: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  O: '2.5.4.10',
  OU: '2.5.4.11',
};

/** `[['C', 'DE'], ['CN', 'mail.example.com']]` */
export type NameParts = readonly (readonly [type: string, value: string])[];

const name = (parts: NameParts): Buffer =>
  sequence(
    ...parts.map(([type, value]) =>
      element(0x31, sequence(identifier(ATTRIBUTES[type] ?? type), utf8(value))),
    ),
  );

/** UTCTime up to 2049, GeneralizedTime after it (RFC 5280 §4.1.2.5). */
const time = (ms: number): Buffer => {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  const short = ms >= Date.UTC(1950, 0) && ms < Date.UTC(2050, 0);
  return short ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits));
};

const NULL = Buffer.from([5, 0]);

/** Algorithms of signatures by type of key: identifier, hash, and the parameters. */
const SIGNING: Readonly<Record<string, readonly [id: string, hash: string | null, parameters: Buffer]>> = {
  rsa: ['1.2.840.113549.1.1.11', 'sha256', NULL],
  ec: ['1.2.840.10045.4.3.2', 'sha256', Buffer.alloc(0)],
  'ec-sha1': ['1.2.840.10045.4.1', 'sha1', Buffer.alloc(0)],
  dsa: ['2.16.840.1.101.3.4.3.2', 'sha256', Buffer.alloc(0)],
  ed25519: ['1.3.101.112', null, Buffer.alloc(0)],
  ed448: ['1.3.101.113', null, Buffer.alloc(0)],
};

/** What a certificate is to say; all may be left out. */
export interface CertificateOptions {
  readonly subject?: NameParts;
  readonly dnsNames?: readonly string[];
  /** Bytes of addresses. */
  readonly addresses?: readonly Uint8Array[];
  readonly from?: number;
  readonly until?: number;
  readonly ca?: boolean;
  readonly serial?: string;
  /** Signed with SHA-1; only keys on elliptic curves. */
  readonly sha1?: boolean;
  /** Bytes of the key identifiers; none are written where they are left out. */
  readonly keyId?: string;
  readonly issuerKeyId?: string;
  readonly issuer?: { readonly name: NameParts; readonly key: KeyObject };
}

/** A certificate in PEM for a pair of keys, signed by its own key or by that of an issuer. */
export function makeCertificate(
  keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  options: CertificateOptions = {},
): string {
  const subject = options.subject ?? [['CN', 'mail.example.com']];
  const issuer = options.issuer ?? { name: subject, key: keys.privateKey };
  const kind = `${issuer.key.asymmetricKeyType}${options.sha1 === true ? '-sha1' : ''}`;
  const [id, hash, parameters] = SIGNING[kind] ?? ['', null, NULL];
  const algorithm = sequence(identifier(id), parameters);
  const extension = (oid: string, value: Buffer): Buffer => sequence(identifier(oid), element(0x04, value));
  const names = [
    ...(options.dnsNames ?? []).map((text) => element(0x82, Buffer.from(text, 'latin1'))),
    ...(options.addresses ?? []).map((bytes) => element(0x87, bytes)),
  ];
  const extensions = [
    ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names))]),
    ...(options.ca === undefined
      ? []
      : [extension('2.5.29.19', sequence(options.ca ? Buffer.from([1, 1, 255]) : Buffer.alloc(0)))]),
    ...(options.keyId === undefined
      ? []
      : [extension('2.5.29.14', element(0x04, Buffer.from(options.keyId, 'hex')))]),
    ...(options.issuerKeyId === undefined
      ? []
      : [extension('2.5.29.35', sequence(element(0x80, Buffer.from(options.issuerKeyId, 'hex'))))]),
  ];
  const body = sequence(
    element(0xa0, Buffer.from([2, 1, 2])),
    element(0x02, Buffer.from(options.serial ?? '01', 'hex')),
    algorithm,
    name(issuer.name),
    sequence(time(options.from ?? Date.UTC(2026, 0)), time(options.until ?? Date.UTC(2036, 0))),
    name(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [element(0xa3, sequence(...extensions))]),
  );
  const signature = sign(hash, body, issuer.key);
  const whole = sequence(body, algorithm, element(0x03, Buffer.from([0]), signature));
  return pemBlock('CERTIFICATE', whole);
}

/** One PEM block. */
export function pemBlock(label: string, bytes: Uint8Array): string {
  const lines = Buffer.from(bytes).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** A pair of keys on the curve P-256: the quickest to make. */
export function ecKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}
