import type { EndpointTls, TlsMode } from '../model/endpoint.ts';
import { PROTOCOLS } from '../model/protocol.ts';
import { atLeast, type Release } from '../model/release.ts';
import { cipherListOf } from '../tls/cipher-lists.ts';
import type { CipherList } from '../tls/cipher-string.ts';
import { type GroupStrength, groupsOfItem, LIBRARY_GROUPS, strengthOf } from '../tls/groups.ts';
import {
  acceptedSuites,
  type CertifiedKey,
  type ClientNegotiation,
  type ServerNegotiation,
} from '../tls/negotiation.ts';
import { type CipherSuite, suitesOf } from '../tls/suites.ts';
import type { DovecotConfiguration } from './configuration.ts';
import data from './data/tls.json' with { type: 'json' };
import type { DovecotContext, DovecotEffective } from './effective.ts';
import { listedProtocols, protocolsOfWord } from './lowest-protocol.ts';
import {
  type FileReader,
  type ServerCertificate,
  type ServerDh,
  serverCertificate,
  serverDh,
  type TlsFileFault,
} from './tls-files.ts';

/**
 * What a client can get of the TLS of a connection. Nothing of this is looked at when the server starts: with
 * one setting that OpenSSL does not take, each connection fails when TLS begins. Sources:
 * iostream-openssl-context.c of 2.2.36.4, 2.3 and 2.4; held against running servers of 2.3.13, 2.3.19.1,
 * 2.4.1 and 2.4.5 by test/servers/dovecot-endpoints.test.ts.
 */

/** What keeps TLS from working although it is offered. */
export type DovecotTlsFault =
  | TlsFileFault
  /** A word that ssl_min_protocol (2.2: ssl_protocols) does not have. */
  | 'unknown-protocol'
  /** OpenSSL does not take the list of ciphers. */
  | 'refused-cipher-string'
  /** Nothing older than TLSv1.3 is left of the list. */
  | 'no-cipher-left'
  /** None of the names of ssl_cipher_suites is one. */
  | 'refused-cipher-suites'
  /** A name of ssl_curve_list is none. */
  | 'refused-curves'
  /** The Diffie-Hellman group is too small for the security level. */
  | 'small-dh'
  /** The listener begins with TLS, and `ssl = no` counts for its connections. */
  | 'tls-off'
  /** No protocol and suite of the settings go together with each other and with the certificate. */
  | 'nothing-in-common';

/** The TLS of the connections of an endpoint. */
export interface DovecotTls {
  /** `ssl`, for these connections. */
  readonly sslFrom: DovecotEffective;
  /** `ssl_min_protocol`, in 2.2 `ssl_protocols`. */
  readonly protocolsFrom: DovecotEffective;
  readonly cipherListFrom: DovecotEffective;
  /** What OpenSSL makes of the list. */
  readonly cipherList: CipherList;
  /** The level of the list, else that of the library. */
  readonly securityLevel: number;
  /** `ssl_cipher_suites`; null where the release has none. */
  readonly suitesFrom: DovecotEffective | null;
  /** `ssl_curve_list`; null where the release has none. */
  readonly curvesFrom: DovecotEffective | null;
  /** `ssl_dh`, in 2.4 `ssl_server_dh_file`; null in 2.2, which makes its own. */
  readonly dhFrom: DovecotEffective | null;
  readonly dh: ServerDh;
  /** Who decides on the suite; null where the release has no setting for it. */
  readonly preferenceFrom: DovecotEffective | null;
  /** The certificate and, where one is set, the alternative one. */
  readonly certificates: readonly ServerCertificate[];
  readonly fault: { readonly kind: DovecotTlsFault; readonly in: DovecotEffective } | null;
  readonly tls: EndpointTls;
}

/** What else is known of the host. */
export interface TlsSurroundings {
  readonly openssl: Release;
  readonly open: FileReader;
}

/** Names that a setting has in one release or another; the first that the release knows counts. */
const NAMES = {
  certificate: ['ssl_server_cert_file', 'ssl_cert'],
  key: ['ssl_server_key_file', 'ssl_key'],
  otherCertificate: ['ssl_server_alt_cert_file', 'ssl_alt_cert'],
  otherKey: ['ssl_server_alt_key_file', 'ssl_alt_key'],
  password: ['ssl_server_key_password', 'ssl_key_password'],
  protocols: ['ssl_min_protocol', 'ssl_protocols'],
  ciphers: ['ssl_cipher_list'],
  suites: ['ssl_cipher_suites'],
  curves: ['ssl_curve_list'],
  dh: ['ssl_server_dh_file', 'ssl_dh'],
  dhLength: ['ssl_dh_parameters_length'],
  preference: ['ssl_server_prefer_ciphers', 'ssl_prefer_server_ciphers'],
} as const;

/** A setting of a server's TLS for a connection, by what it is for; null where the release has none. */
function setting(
  configuration: DovecotConfiguration,
  what: keyof typeof NAMES,
  connection: DovecotContext,
): DovecotEffective | null {
  const name = NAMES[what].find((one) => configuration.table.get(one) !== null);
  if (name === undefined) return null;
  return configuration.get(name, inServer(configuration, connection));
}

/** In 2.4 the filter `ssl_server` holds settings of the server's side. */
export function inServer(configuration: DovecotConfiguration, connection: DovecotContext): DovecotContext {
  if (configuration.table.get('ssl_server') === null) return connection;
  return { ...connection, sections: [...(connection.sections ?? []), { type: 'ssl_server', name: '' }] };
}

/** Works out the TLS of connections that reach a listener. */
export function serverTls(
  configuration: DovecotConfiguration,
  connection: DovecotContext,
  mode: TlsMode,
  { openssl, open }: TlsSurroundings,
): DovecotTls {
  const { release } = configuration;
  const get = (what: keyof typeof NAMES): DovecotEffective | null => setting(configuration, what, connection);
  const sslFrom = configuration.get('ssl', inServer(configuration, connection));
  const from = get('protocols') ?? sslFrom;
  const permitted =
    from.name === 'ssl_protocols'
      ? listedProtocols(from.value, openssl)
      : protocolsOfWord(from.value, release, openssl);
  const cipherListFrom = get('ciphers') ?? sslFrom;
  const cipherList = listOf(cipherListFrom.value, release, openssl);
  const securityLevel = cipherList.securityLevel ?? levelOf(openssl);
  const suitesFrom = get('suites');
  const tls13 =
    suitesFrom === null ? cipherList.tls13 : readSuites(suitesFrom.value, cipherList.tls13, openssl);
  const curvesFrom = get('curves');
  const groups = readCurves(curvesFrom?.value ?? '', openssl);
  const dhFrom = get('dh');
  const dhLength = get('dhLength');
  const dh: ServerDh =
    dhFrom === null
      ? { bits: dhLength === null ? null : Number(dhLength.value), fault: null }
      : serverDh(dhFrom, open);
  const certificates = certificatesOf(configuration, connection, open);
  const preferenceFrom = get('preference');
  const known = {
    sslFrom,
    protocolsFrom: from,
    cipherListFrom,
    cipherList,
    securityLevel,
    suitesFrom,
    curvesFrom,
    dhFrom,
    dh,
    preferenceFrom,
    certificates,
  };
  if (mode === 'none') return { ...known, fault: null, tls: { mode, protocols: [] } };

  const keys = keysOf(certificates);
  const negotiation: ServerNegotiation = {
    openssl,
    tls13: tls13 ?? [],
    suites: cipherList.suites,
    protocols: permitted ?? [],
    securityLevel,
    keys,
    dh: dh.bits === 'unknown' ? 'fitting' : dh.bits,
    groups: groups ?? LIBRARY_GROUPS,
  };
  const failed = certificates.find(({ fault }) => fault !== null)?.fault ?? null;
  const fault =
    (mode === 'implicit' && sslFrom.value === 'no' ? ({ kind: 'tls-off', in: sslFrom } as const) : null) ??
    // In the order in which the server sets them.
    listFault(cipherList, cipherListFrom) ??
    (groups === null && curvesFrom !== null ? ({ kind: 'refused-curves', in: curvesFrom } as const) : null) ??
    (tls13 === null && suitesFrom !== null
      ? ({ kind: 'refused-cipher-suites', in: suitesFrom } as const)
      : null) ??
    (permitted === null ? ({ kind: 'unknown-protocol', in: from } as const) : null) ??
    failed ??
    dhFault(negotiation, dh, dhFrom);
  if (fault !== null) return { ...known, fault, tls: { mode, protocols: [] } };

  const ciphers = acceptedSuites(negotiation);
  const protocols = PROTOCOLS.filter((protocol) => ciphers.some((cipher) => cipher.protocol === protocol));
  const keyTypes = keys === null ? null : [...new Set(keys.flatMap(({ type }) => type ?? []))];
  const preference = /^(server|yes|y|1)$/i.test(preferenceFrom?.value ?? '') ? 'server' : 'client';
  return {
    ...known,
    fault: protocols.length === 0 ? { kind: 'nothing-in-common', in: cipherListFrom } : null,
    tls: { mode, protocols, ciphers, preference, keyTypes },
  };
}

/** What a client of Dovecot brings to a handshake, and what of its settings OpenSSL does not take. */
export interface DovecotClientTls {
  readonly negotiation: ClientNegotiation;
  readonly protocolsFrom: DovecotEffective;
  readonly cipherListFrom: DovecotEffective;
  readonly fault: DovecotTls['fault'];
}

/** Works out the TLS of connections that Dovecot makes itself. */
export function clientNegotiation(
  configuration: DovecotConfiguration,
  connection: DovecotContext,
  openssl: Release,
): DovecotClientTls {
  const { release, table } = configuration;
  // In 2.4 the filter `ssl_client` holds settings of the client's side.
  const context: DovecotContext =
    table.get('ssl_client') === null
      ? connection
      : { ...connection, sections: [...(connection.sections ?? []), { type: 'ssl_client', name: '' }] };
  const name = NAMES.protocols.find((one) => table.get(one) !== null) ?? NAMES.protocols[0];
  const protocolsFrom = configuration.get(name, context);
  const permitted =
    name === 'ssl_protocols'
      ? listedProtocols(protocolsFrom.value, openssl)
      : protocolsOfWord(protocolsFrom.value, release, openssl);
  const found = configuration.get('ssl_cipher_list', context);
  // That filter has an empty list by itself (doveconf -d of 2.4.1 and 2.4.5).
  const own = table.get('ssl_client') !== null && found.origin.kind === 'default';
  const cipherListFrom = own ? { ...found, value: '' } : found;
  const list = listOf(cipherListFrom.value, release, openssl);
  const fault =
    listFault(list, cipherListFrom) ??
    (permitted === null ? ({ kind: 'unknown-protocol', in: protocolsFrom } as const) : null);
  return {
    negotiation: {
      openssl,
      tls13: list.tls13,
      suites: list.suites,
      protocols: permitted ?? [],
      securityLevel: list.securityLevel ?? levelOf(openssl),
    },
    protocolsFrom,
    cipherListFrom,
    fault,
  };
}

function listFault(list: CipherList, from: DovecotEffective): DovecotTls['fault'] {
  if (list.error === null) return null;
  return { kind: list.errorAt === null ? 'no-cipher-left' : 'refused-cipher-string', in: from };
}

/** A group that the level forbids is refused when it is set, so that TLS fails as a whole. */
function dhFault(
  negotiation: ServerNegotiation,
  { bits, fault }: ServerDh,
  from: DovecotEffective | null,
): DovecotTls['fault'] {
  if (from === null) return null;
  if (fault !== null) return { kind: fault, in: from };
  if (typeof bits !== 'number') return null;
  // A group is good where a suite that needs nothing else can use it.
  const alone = suitesOf(negotiation.openssl).filter(({ keyExchange }) => keyExchange === 'DH');
  const accepted = acceptedSuites({
    ...negotiation,
    suites: alone,
    tls13: [],
    protocols: ['TLSv1.2'],
    keys: null,
  });
  return accepted.length === 0 ? { kind: 'small-dh', in: from } : null;
}

/** An empty list is refused by 2.3; in 2.4 it leaves OpenSSL's own. */
function listOf(text: string, release: Release, openssl: Release): CipherList {
  return cipherListOf(text === '' && atLeast(release, data.emptyListIsDefault) ? 'DEFAULT' : text, openssl);
}

/** The level that distributions build their OpenSSL with: Dovecot sets none itself. */
function levelOf(openssl: Release): number {
  return data.securityLevels.findLast(({ since }) => atLeast(openssl, since))?.level ?? 0;
}

/** SSL_CTX_set_ciphersuites(3): names between colons, exactly; null where OpenSSL refuses the list. */
function readSuites(
  text: string,
  library: readonly CipherSuite[],
  openssl: Release,
): readonly CipherSuite[] | null {
  if (text === '') return library;
  const known = suitesOf(openssl).filter(({ protocol }) => protocol === 'TLSv1.3');
  const found: CipherSuite[] = [];
  for (const name of text.split(':').map((word) => word.trim())) {
    const suite = known.find((one) => one.name === name);
    if (suite !== undefined) found.push(suite);
    else if (!atLeast(openssl, data.unknownSuitesPass)) return null;
  }
  return found.length === 0 ? null : found;
}

/** The groups of `ssl_curve_list`; null where one of its names is none. */
function readCurves(text: string, openssl: Release): GroupStrength | null {
  if (text === '') return LIBRARY_GROUPS;
  const items = text.split(':').map((item) => groupsOfItem(item, openssl));
  return items.some((groups) => groups.length === 0) ? null : strengthOf(items.flat());
}

function certificatesOf(
  configuration: DovecotConfiguration,
  connection: DovecotContext,
  open: FileReader,
): readonly ServerCertificate[] {
  const get = (what: keyof typeof NAMES): DovecotEffective | null => setting(configuration, what, connection);
  const reading = { open, hasPassword: (get('password')?.value ?? '') !== '' };
  const pairs = [
    [get('certificate'), get('key')],
    [get('otherCertificate'), get('otherKey')],
  ];
  return pairs.flatMap(([from, keyFrom], at) => {
    if (!from || !keyFrom || (at > 0 && from.value === '' && keyFrom.value === '')) return [];
    return [serverCertificate(from, keyFrom, reading)];
  });
}

/** The keys of the certificates; null where one of them cannot be read from here. */
function keysOf(certificates: readonly ServerCertificate[]): readonly CertifiedKey[] | null {
  const keys: CertifiedKey[] = [];
  for (const { chain } of certificates) {
    const [leaf] = chain;
    if (leaf === undefined || leaf.key.type === null) return null;
    keys.push(leaf.key);
  }
  return keys;
}
