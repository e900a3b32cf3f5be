import type { OfferedCipher } from '../model/endpoint.ts';
import { compareProtocols, PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { compareReleases, type Release } from '../model/release.ts';
import data from './data/negotiation.json' with { type: 'json' };
import type { GroupStrength } from './groups.ts';
import type { PublicKey } from './key.ts';
import type { CipherSuite } from './suites.ts';

/**
 * What becomes of a list of ciphers in a handshake: which suites a server can choose and which ones a client
 * offers, protocol by protocol. Sources: ssl_set_masks(), ssl3_choose_cipher() and ssl_cipher_disabled() of
 * s3_lib.c and ssl_lib.c, ssl_security_default_callback() of ssl_cert.c, is_tls13_capable() of statem_lib.c,
 * tls_choose_sigalg() of t1_lib.c, 1.1.1 to 3.6; all of it measured with running servers of 1.1.1w, 3.0, 3.5
 * and 3.6. What is said of 1.0.x comes from its sources.
 */

/** What is needed to know of the key of a certificate. */
export type CertifiedKey = Pick<PublicKey, 'type' | 'bits' | 'curve'>;

/** A server's side of a handshake. */
export interface ServerNegotiation {
  readonly openssl: Release;
  /** TLSv1.3 suites in the order of the server. */
  readonly tls13: readonly CipherSuite[];
  /** The suites of TLSv1.2 and older, in the order of the list. */
  readonly suites: readonly CipherSuite[];
  /** The protocols that the settings permit, of those that the release speaks. */
  readonly protocols: readonly Protocol[];
  /** 0 to 5; of no account before OpenSSL 1.1.0. */
  readonly securityLevel: number;
  /** The keys of all certificates; null: not known, and taken for one of RSA and one of ECDSA. */
  readonly keys: readonly CertifiedKey[] | null;
  /** Bits of the Diffie-Hellman group; `fitting`: chosen to suit key and level; null: there is none. */
  readonly dh: number | 'fitting' | null;
  readonly groups: GroupStrength;
}

/** A client's side of a handshake. */
export type ClientNegotiation = Pick<
  ServerNegotiation,
  'openssl' | 'tls13' | 'suites' | 'protocols' | 'securityLevel'
>;

/** What stands for keys that nobody knows: certificates of both usual kinds, strong enough for any level. */
const USUAL_KEYS: readonly CertifiedKey[] = [
  { type: 'RSA', bits: null, curve: null },
  { type: 'ECDSA', bits: null, curve: null },
];

/** Smallest Diffie-Hellman group that OpenSSL takes at any level, since 1.1.0. */
const SMALLEST_DH = 1024;

/** Smallest RSA modulus that holds an RSA-PSS signature with SHA-256, without which TLSv1.3 does nothing. */
const SMALLEST_PSS = 528;

/**
 * The suites with which a handshake can succeed, oldest protocol first, each in the order of the list. A
 * suite that can be chosen but never works (a Diffie-Hellman group or a key below the security level) is not
 * among them. A protocol without suites is not spoken.
 */
export function acceptedSuites(server: ServerNegotiation): readonly OfferedCipher[] {
  const { keys, dh, groups } = server;
  const known = keys?.map(({ type, bits, curve }) => `${type} ${bits} ${curve}`).join() ?? '?';
  const key = `server ${known} ${dh} ${groups.ecdhe} ${groups.tls13}`;
  return remembered(server, key, () => accepted(server));
}

function accepted(server: ServerNegotiation): readonly OfferedCipher[] {
  const levels = levelsOf(server.openssl);
  const minimum = levels ? levelBits(server.securityLevel) : 0;
  const keys = (server.keys ?? USUAL_KEYS).filter((key) => strengthOfKey(key) >= minimum);
  return byProtocol(server).flatMap(([protocol, suites]) => {
    if (protocol === 'TLSv1.3') {
      const able =
        server.groups.tls13 > 0 &&
        server.groups.tls13 >= minimum &&
        keys.some((key) => signsTls13(key, server.openssl));
      return able ? named(protocol, suites) : [];
    }
    const signing = keys.filter((key) => signs(key, protocol, server.openssl, minimum));
    const dh =
      server.dh === 'fitting' ||
      (server.dh !== null && (!levels || (server.dh >= SMALLEST_DH && modulusBits(server.dh) >= minimum)));
    const ecdhe = server.groups.ecdhe > 0 && server.groups.ecdhe >= minimum;
    return named(
      protocol,
      suites.filter(
        (suite) => agrees(suite, { dh, ecdhe, keys: signing }) && authenticates(suite, signing, protocol),
      ),
    );
  });
}

/**
 * The suites that a client hello holds, oldest protocol first, each in the order of the list. On the wire
 * the TLSv1.3 suites come first and those of the newest older protocol after them.
 */
export function offeredSuites(client: ClientNegotiation): readonly OfferedCipher[] {
  return remembered(client, 'client', () =>
    byProtocol(client).flatMap(([protocol, suites]) => named(protocol, suites)),
  );
}

/** What came of a list of suites, by all else: many endpoints of many hosts are alike. */
const outcomes = new WeakMap<readonly CipherSuite[], Map<string, readonly OfferedCipher[]>>();

function remembered(
  { openssl, tls13, suites, protocols, securityLevel }: ClientNegotiation,
  rest: string,
  make: () => readonly OfferedCipher[],
): readonly OfferedCipher[] {
  const names = tls13.map(({ name }) => name).join();
  const key = `${openssl} ${names} ${protocols.join()} ${securityLevel} ${rest}`;
  let ofList = outcomes.get(suites);
  if (ofList === undefined) {
    ofList = new Map();
    outcomes.set(suites, ofList);
  }
  let outcome = ofList.get(key);
  if (outcome === undefined) {
    outcome = make();
    ofList.set(key, outcome);
  }
  return outcome;
}

/**
 * The protocols that a client hello names: what the settings permit and the security level does not forbid,
 * whether there are suites for it or not. Without suites for the newest of them there is no hello.
 */
export function offeredProtocols(client: ClientNegotiation): readonly Protocol[] {
  const protocols = permittedProtocols(client);
  const newest = protocols.at(-1);
  return offeredSuites(client).some(({ protocol }) => protocol === newest) ? protocols : [];
}

/** The protocols that settings and security level permit, oldest first. */
function permittedProtocols({ openssl, protocols, securityLevel }: ClientNegotiation): readonly Protocol[] {
  const level = levelsOf(openssl) ? securityLevel : 0;
  const floor = lastSince(data.protocolFloors, openssl)?.floors[level] ?? null;
  return PROTOCOLS.filter(
    (protocol) =>
      protocols.includes(protocol) && (floor === null || compareProtocols(protocol, protocolOf(floor)) >= 0),
  );
}

/** For each permitted protocol the suites that belong to it, are strong enough and can be used at all. */
function byProtocol(side: ClientNegotiation): readonly (readonly [Protocol, readonly CipherSuite[]])[] {
  const level = levelsOf(side.openssl) ? side.securityLevel : 0;
  return permittedProtocols(side).map((protocol) => [
    protocol,
    (protocol === 'TLSv1.3' ? side.tls13 : side.suites).filter(
      (suite) => belongs(suite, protocol) && hasCredentials(suite) && allowed(suite, level),
    ),
  ]);
}

function named(protocol: Protocol, suites: readonly CipherSuite[]): readonly OfferedCipher[] {
  return suites.map(({ name }) => ({ protocol, name }));
}

/** Suites of SSLv2 and of TLSv1.3 are of no use in any other protocol. */
function belongs(suite: CipherSuite, protocol: Protocol): boolean {
  if (suite.protocol === 'SSLv2' || suite.protocol === 'TLSv1.3') return suite.protocol === protocol;
  return protocol !== 'SSLv2' && protocol !== 'TLSv1.3' && compareProtocols(suite.protocol, protocol) <= 0;
}

/** Ways to agree on keys that need what no mail server gives OpenSSL: shared keys, passwords, tickets, GOST keys. */
const WITHOUT_CREDENTIALS: ReadonlySet<string> = new Set([
  'PSK',
  'RSAPSK',
  'DHEPSK',
  'ECDHEPSK',
  'SRP',
  'KRB5',
  'GOST',
  'GOST18',
]);

function hasCredentials({ keyExchange }: CipherSuite): boolean {
  return !WITHOUT_CREDENTIALS.has(keyExchange);
}

/** ssl_security_default_callback() for a suite. */
function allowed(suite: CipherSuite, level: number): boolean {
  if (level === 0) return true;
  const minimum = levelBits(level);
  if (suite.strength < minimum) return false;
  if (suite.protocol === 'TLSv1.3') return true;
  if (suite.authentication === 'None' || suite.mac === 'MD5') return false;
  if (minimum > 160 && suite.mac === 'SHA1') return false;
  if (level >= 2 && suite.encryption === 'RC4') return false;
  return level < 3 || suite.keyExchange === 'DH' || suite.keyExchange === 'ECDH';
}

interface Agreement {
  readonly dh: boolean;
  readonly ecdhe: boolean;
  readonly keys: readonly CertifiedKey[];
}

/** Whether the key exchange of a suite can take place (mask_k of ssl_set_masks()). */
function agrees({ keyExchange }: CipherSuite, { dh, ecdhe, keys }: Agreement): boolean {
  switch (keyExchange) {
    case 'DH':
      return dh;
    case 'ECDH':
      return ecdhe;
    case 'RSA':
      return keys.some(({ type }) => type === 'RSA');
    // Of 1.0.x: the key of the certificate itself is the half of an agreement.
    case 'ECDH/RSA':
    case 'ECDH/ECDSA':
      return keys.some(({ type }) => type === 'ECDSA');
    default:
      return false;
  }
}

/** Whether a key fits the authentication of a suite (mask_a of ssl_set_masks()). */
function authenticates(
  { authentication }: CipherSuite,
  keys: readonly CertifiedKey[],
  protocol: Protocol,
): boolean {
  const has = (...types: readonly CertifiedKey['type'][]): boolean =>
    keys.some(({ type }) => types.includes(type));
  switch (authentication) {
    case 'None':
      return true;
    case 'RSA':
      return has('RSA') || (protocol === 'TLSv1.2' && has('RSA-PSS'));
    case 'ECDSA':
      return has('ECDSA') || (protocol === 'TLSv1.2' && has('Ed25519', 'Ed448'));
    case 'DSS':
      return has('DSA');
    case 'ECDH':
      return has('ECDSA');
    default:
      return false;
  }
}

/** Before TLSv1.2 what is signed is MD5 and SHA-1 together, or SHA-1, which a level may find too weak. */
function signs({ type }: CertifiedKey, protocol: Protocol, openssl: Release, minimum: number): boolean {
  if (protocol === 'TLSv1.2') return true;
  const bits = lastSince(data.legacySignatureBits, openssl);
  return minimum <= ((type === 'RSA' ? bits?.md5AndSha1 : bits?.sha1) ?? 0);
}

/** is_tls13_capable(), and room for the signature. */
function signsTls13({ type, bits, curve }: CertifiedKey, openssl: Release): boolean {
  if (type === null || type === 'DSA') return false;
  if (type === 'RSA' || type === 'RSA-PSS') return bits === null || bits >= SMALLEST_PSS;
  if (type !== 'ECDSA' || curve === null) return true;
  return lastSince(data.signatureCurves, openssl)?.curves.includes(curve) ?? false;
}

/** Security bits of a key; what is not known is strong enough. */
function strengthOfKey({ type, bits }: CertifiedKey): number {
  if (bits === null) return levelBits(5);
  if (type === 'RSA' || type === 'RSA-PSS' || type === 'DSA') return modulusBits(bits);
  return type === 'Ed448' ? 224 : Math.floor(bits / 2);
}

/** BN_security_bits(): what a modulus of that many bits is worth. */
function modulusBits(bits: number): number {
  if (bits >= 15360) return 256;
  if (bits >= 7680) return 192;
  if (bits >= 3072) return 128;
  if (bits >= 2048) return 112;
  return bits >= 1024 ? 80 : 0;
}

function levelBits(level: number): number {
  return data.levelBits[level] ?? 0;
}

/** OpenSSL before 1.1.0 has no security levels. */
function levelsOf(openssl: Release): boolean {
  return compareReleases(openssl, data.levelsSince) >= 0;
}

function protocolOf(name: string): Protocol {
  return PROTOCOLS.find((protocol) => protocol === name) ?? 'SSLv2';
}

/** The last entry that a release has reached. */
function lastSince<Entry extends { readonly since: Release }>(
  entries: readonly Entry[],
  release: Release,
): Entry | undefined {
  return entries.findLast(({ since }) => compareReleases(release, since) >= 0);
}
