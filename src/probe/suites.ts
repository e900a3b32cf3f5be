/**
 * Every cipher suite that has a number, whatever a library knows.
 *
 * The numbers and names of the data are those of the IANA registry "TLS Cipher Suites" and of the
 * drafts and private numbers that OpenSSL and its GOST engine have used; OpenSSL's names are those of
 * `openssl ciphers -V` from 1.1.1 on, and of the headers ssl3.h and tls1.h of 1.0.2 for what was dropped since.
 */
import data from './data/suites.json' with { type: 'json' };

/** How the keys are agreed on and by what the server proves itself; suites of one family stand or fall together. */
export type Family =
  | 'TLS13'
  | 'ECDHE-ECDSA'
  | 'ECDHE-RSA'
  | 'DHE'
  | 'DSS'
  | 'RSA'
  | 'DH'
  | 'ECDH'
  | 'ANON'
  | 'EXPORT'
  | 'PSK'
  | 'SRP'
  | 'OTHER';

/** One suite as the wire knows it. */
export interface WireSuite {
  /** Two bytes; three in SSLv2. */
  readonly id: number;
  /** OpenSSL's name, else IANA's. */
  readonly name: string;
  /** IANA's name; OpenSSL's where nothing was ever registered. */
  readonly iana: string;
  readonly family: Family;
}

function readSuite([number, names]: readonly [string, string]): WireSuite {
  const [openssl = '-', iana = '-'] = names.split(' ');
  const name = openssl === '-' ? iana : openssl;
  return { id: Number(number), name, iana: iana === '-' ? name : iana, family: familyOf(iana) };
}

const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  // TLSv1.3 names no key exchange, so its names have no WITH; RFC 9367 keeps to the old form.
  [/^TLS_(?!.*_WITH_)|_MGM_[LS]$/, 'TLS13'],
  [/EXPORT/, 'EXPORT'],
  [/_anon_/i, 'ANON'],
  [/PSK/, 'PSK'],
  [/SRP/, 'SRP'],
  [/^TLS_ECDHE_ECDSA/, 'ECDHE-ECDSA'],
  [/^TLS_ECDHE_RSA/, 'ECDHE-RSA'],
  [/_DSS_/, 'DSS'],
  [/^TLS_DHE/, 'DHE'],
  [/^(?:TLS_RSA|SSL_RSA)/, 'RSA'],
  [/^TLS_ECDH_/, 'ECDH'],
  [/^TLS_DH_/, 'DH'],
];

function familyOf(iana: string): Family {
  return FAMILIES.find(([pattern]) => pattern.test(iana))?.[1] ?? 'OTHER';
}

const FAMILY_ORDER: readonly Family[] = [
  'TLS13',
  'ECDHE-ECDSA',
  'ECDHE-RSA',
  'DHE',
  'RSA',
  'ECDH',
  'DH',
  'ANON',
  'DSS',
  'PSK',
  'SRP',
  'OTHER',
  'EXPORT',
];

const ENCRYPTIONS: readonly RegExp[] = [
  /AES_256_GCM|CHACHA20/,
  /AES_128_GCM/,
  /GCM|CCM|AEGIS/,
  /AES_256/,
  /AES_128/,
  /CAMELLIA|ARIA|SM4|SEED|IDEA|KUZNYECHIK|MAGMA|28147/,
  /3DES/,
];

function byMerit(a: WireSuite, b: WireSuite): number {
  const merit = ({ iana, family }: WireSuite): number => {
    const encryption = ENCRYPTIONS.findIndex((pattern) => pattern.test(iana));
    return FAMILY_ORDER.indexOf(family) * 10 + (encryption < 0 ? ENCRYPTIONS.length : encryption);
  };
  return merit(a) - merit(b) || a.id - b.id;
}

/** The suites of SSLv3 to TLSv1.3 in the order in which they are offered: what a client of today prefers first. */
export const SUITES: readonly WireSuite[] = Object.entries(data.suites).map(readSuite).sort(byMerit);

/** The cipher kinds of SSLv2, whose numbers have three bytes. */
export const SSLV2_SUITES: readonly WireSuite[] = Object.entries(data.sslv2).map(readSuite);

const byId: ReadonlyMap<number, WireSuite> = new Map(SUITES.map((suite) => [suite.id, suite]));

/** The suite of a number; one that nobody has registered is named after its number. */
export function suiteOf(id: number): WireSuite {
  const name = `0x${id.toString(16).toUpperCase().padStart(4, '0')}`;
  return byId.get(id) ?? { id, name, iana: name, family: 'OTHER' };
}
