import type { EndpointTls, Side, TlsMode } from '../model/endpoint.ts';
import { compareProtocols, PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { cipherListOf } from '../tls/cipher-lists.ts';
import type { CipherList } from '../tls/cipher-string.ts';
import { acceptedSuites, type CertifiedKey, offeredProtocols, offeredSuites } from '../tls/negotiation.ts';
import { libraryProtocols } from '../tls/openssl.ts';
import { serviceCertificates } from './certificates.ts';
import { type CipherFault, type CipherSettings, cipherSettings, type TlsFamily } from './cipher-settings.ts';
import type { Effective, PostfixConfiguration } from './configuration.ts';
import { serverDh, serverGroups, type TlsPlace } from './key-exchange.ts';
import { librarySettings } from './library-settings.ts';
import { type ProtocolList, parseProtocolList } from './protocol-list.ts';
import type { Service } from './services.ts';
import type { TlsPolicy } from './tls-policy.ts';

/**
 * What a peer can get of the TLS of an endpoint: which settings count, what is wrong with them, and which
 * protocols and suites come of them. Sources: tls_server.c, tls_client.c, tls_misc.c, smtpd.c, tlsproxy.c,
 * smtp_tls_policy.c of 2.6 to 3.12; held against running servers by test/servers/ciphers.test.ts.
 */

/** What keeps TLS from working on an endpoint although it is asked for. */
export type TlsFault =
  /** The program does not start: the level is a word that it does not know or that is for clients. */
  | 'invalid-level'
  /** STARTTLS is announced and answered with 454. */
  | 'invalid-protocols'
  | 'no-certificate'
  /** A certificate or its key cannot be loaded: the same. */
  | 'bad-certificate'
  /** `tls_config_file` is no absolute path: the same, and a client sends without TLS or not at all. */
  | 'invalid-config-file'
  /** postscreen without tlsproxy(8) in master.cf. */
  | 'no-tlsproxy'
  /** postscreen with a tlsproxy(8) whose own level is none. */
  | 'tlsproxy-off'
  /** The policy for the destination is wrong: mail for it waits. */
  | 'invalid-policy'
  | CipherFault
  /** OpenSSL does not take the list of ciphers: each session ends before its handshake. */
  | 'refused-cipher-string'
  /** The same, for nothing that is older than TLSv1.3 is left of the list. */
  | 'no-cipher-left'
  /** No protocol and suite of the settings go together with each other and with the certificate. */
  | 'nothing-in-common';

/** The TLS of an endpoint. */
export interface TlsDetails {
  readonly family: TlsFamily;
  /** `none`, `may`, `encrypt`, or a client level. */
  readonly level: string;
  /** The mandatory lists count. */
  readonly mandatory: boolean;
  /** The protocol list that counts at this level. */
  readonly protocolsFrom: Effective;
  /** Read in the way of the release; what Postfix permits before OpenSSL has its say. */
  readonly protocolList: ProtocolList;
  /** The grade, its list and the exclusions that count at this level. */
  readonly cipherSettings: CipherSettings;
  readonly fault: TlsFault | null;
  readonly tls: EndpointTls;
}

/** What decides on the TLS of an endpoint before its own settings are read. */
export interface TlsParts {
  /** The service whose settings count: tlsproxy for postscreen. */
  readonly service: Service;
  readonly family: TlsFamily;
  readonly level: string;
  readonly mode: TlsMode;
  /** The level is one. */
  readonly valid: boolean;
  /** A server that is known well enough to say that it has none. */
  readonly needsCertificate: boolean;
  /** Where another program than the listener does TLS: what keeps it from that, and whether it takes TLS for mandatory. */
  readonly proxy?: { readonly fault: TlsFault | null; readonly mandatory: boolean };
  /** What a policy table says of the destination of a client. */
  readonly policy?: TlsPolicy;
}

/** How TLS begins at a level of a server or a client that uses STARTTLS. */
export function modeOf(level: string): TlsMode {
  if (level === 'none' || level === '') return 'none';
  return level === 'may' || level === 'dane' ? 'opportunistic' : 'required';
}

/** How a client begins TLS at a level: wrappermode counts from `encrypt` on (smtp_connect.c). */
export function clientMode({ configuration, service, family }: TlsPlace, level: string): TlsMode {
  const implicit =
    level !== 'none' && level !== 'may' && configuration.isYes(`${family}_tls_wrappermode`, service);
  return implicit ? 'implicit' : modeOf(level);
}

/** Works out the TLS of an endpoint. */
export function tlsOf(configuration: PostfixConfiguration, parts: TlsParts): TlsDetails {
  const { family, level, mode, service } = parts;
  const side: Side = family === 'smtp' || family === 'lmtp' ? 'client' : 'server';
  const place: TlsPlace = { configuration, service, family };
  const mandatory = parts.proxy?.mandatory ?? (mode === 'required' || mode === 'implicit');
  const protocolsFrom = configuration.get(`${family}_tls_${mandatory ? 'mandatory_' : ''}protocols`, service);
  const protocolList = parseProtocolList(
    attributeOf(parts.policy, 'protocols') ?? protocolsFrom.value,
    configuration.release,
  );
  const asks = side === 'server' && asksForCertificate(place, mandatory);
  const settings = cipherSettings(configuration, {
    family,
    service,
    mandatory,
    added: side === 'client' ? clientExclusions(level) : asks ? ['aNULL'] : [],
    policy: {
      ciphers: attributeOf(parts.policy, 'ciphers'),
      exclude: attributeOf(parts.policy, 'exclude'),
    },
  });
  const details = { family, level, mandatory, protocolsFrom, protocolList, cipherSettings: settings };
  if (mode === 'none')
    return { ...details, fault: parts.valid ? null : 'invalid-level', tls: { mode, protocols: [] } };

  const list = settings.string === null ? null : cipherListOf(settings.string, configuration.openssl.version);
  const library = librarySettings(configuration, service);
  const fault =
    parts.proxy?.fault ??
    (library.invalid ? 'invalid-config-file' : null) ??
    (parts.needsCertificate ? certificateFault(place, asks) : null) ??
    (protocolList.valid ? null : 'invalid-protocols') ??
    settings.fault ??
    listFault(list);
  if (fault !== null || list === null) return { ...details, fault, tls: { mode, protocols: [] } };

  const permitted = level.startsWith('dane')
    ? protocolList.permitted.filter((protocol) => compareProtocols(protocol, 'TLSv1') >= 0)
    : protocolList.permitted;
  const protocols = acceptedProtocols(
    configuration,
    permitted.filter(
      (protocol) =>
        !library.without.includes(protocol) &&
        (library.newest === null || compareProtocols(protocol, library.newest) <= 0),
    ),
    side,
  );
  const negotiation = {
    openssl: configuration.openssl.version,
    tls13: library.tls13 ?? list.tls13,
    suites: list.suites,
    protocols,
  };
  if (side === 'client') {
    const securityLevel = STRICT_LEVELS.has(level) ? 1 : (list.securityLevel ?? 0);
    const offer = { ...negotiation, securityLevel };
    const spoken = offeredProtocols(offer);
    const ciphers = spoken.length === 0 ? [] : offeredSuites(offer);
    return outcome(details, { mode, protocols: spoken, ciphers }, protocols);
  }
  const demanded = mandatory && configuration.isYes(`${family}_tls_req_ccert`, service);
  const keys = serverKeys(place);
  const ciphers = acceptedSuites({
    ...negotiation,
    securityLevel: demanded ? 1 : (list.securityLevel ?? 0),
    keys,
    dh: serverDh(place),
    groups: serverGroups(place, library.groups),
  });
  const preference =
    configuration.isYes('tls_preempt_cipherlist', service) || library.serverOrder ? 'server' : 'client';
  const keyTypes = keys === null ? null : [...new Set(keys.flatMap(({ type }) => type ?? []))];
  return outcome(
    details,
    { mode, protocols: protocolsOf(ciphers), ciphers, preference, keyTypes },
    protocols,
  );
}

/** A range without protocols is told by the list; one with protocols and without suites is a fault of its own. */
function outcome(
  details: Omit<TlsDetails, 'fault' | 'tls'>,
  tls: EndpointTls,
  protocols: readonly Protocol[],
): TlsDetails {
  const nothing = tls.protocols.length === 0 && protocols.length > 0;
  return { ...details, fault: nothing ? 'nothing-in-common' : null, tls };
}

function listFault(list: CipherList | null): TlsFault | null {
  if (list === null || list.error === null) return null;
  return list.errorAt === null ? 'no-cipher-left' : 'refused-cipher-string';
}

function protocolsOf(ciphers: readonly { readonly protocol: Protocol }[]): readonly Protocol[] {
  return PROTOCOLS.filter((protocol) => ciphers.some((cipher) => cipher.protocol === protocol));
}

function attributeOf(policy: TlsPolicy | undefined, name: string): string | null {
  return policy?.attributes.find((attribute) => attribute.name === name)?.value ?? null;
}

/** True when a server has a certificate, or was told on purpose to do without (`none`). */
export function hasCertificate(
  configuration: PostfixConfiguration,
  service: Service,
  family: TlsFamily,
): boolean {
  return ['chain_files', 'cert_file', 'eccert_file', 'dcert_file'].some(
    (name) => configuration.value(`${family}_tls_${name}`, service) !== '',
  );
}

/** What is wrong with the certificates of a server, as far as its files can be read. */
function certificateFault({ configuration, service, family }: TlsPlace, asks: boolean): TlsFault | null {
  const { anonymous, certificates } = serviceCertificates(configuration, service, family);
  // Whoever asks clients for certificates needs one to show.
  if (certificates.length === 0) return anonymous && !asks ? null : 'no-certificate';
  return certificates.some(({ fault }) => fault !== null && fault.kind !== 'absent')
    ? 'bad-certificate'
    : null;
}

/** The keys of a server's certificates; null where one of them cannot be read or is of a kind that is not known. */
function serverKeys({ configuration, service, family }: TlsPlace): readonly CertifiedKey[] | null {
  const { anonymous, certificates } = serviceCertificates(configuration, service, family);
  if (certificates.length === 0 && !anonymous) return null;
  const keys: CertifiedKey[] = [];
  for (const { chain } of certificates) {
    const [leaf] = chain;
    if (leaf === undefined || leaf.key.type === null) return null;
    keys.push(leaf.key);
  }
  return keys;
}

/** A server that asks for client certificates does without anonymous ciphers (smtpd.c, tlsproxy.c). */
function asksForCertificate({ configuration, service, family }: TlsPlace, mandatory: boolean): boolean {
  return (
    configuration.isYes(`${family}_tls_ask_ccert`, service) ||
    (mandatory && configuration.isYes(`${family}_tls_req_ccert`, service))
  );
}

/** Levels at which a client compares certificates: they come with security level 1 (TLS_MUST_MATCH of tls.h). */
const STRICT_LEVELS: ReadonlySet<string> = new Set(['fingerprint', 'dane-only', 'verify', 'secure']);

/** What a client excludes by itself at a level (set_cipher_grade() of smtp_tls_policy.c). */
function clientExclusions(level: string): readonly string[] {
  // dane finds a policy for a destination only when DNS has one; without it, it is may.
  if (level === 'may' || level === 'none' || level === 'dane') return [];
  return level === 'encrypt' ? ['eNULL'] : ['aNULL'];
}

/**
 * What of the permitted protocols the OpenSSL release really speaks. `MinProtocol` and `CipherString`
 * of openssl.cnf are no limit: Postfix sets the range and the security level of its own (tls_misc.c;
 * measured with 3.5, 3.7 and 3.11). A client cannot say a range with a hole in it: what lies above the
 * lowest hole is not offered (ssl_get_min_max_version in OpenSSL's statem_lib.c).
 *
 * @param permitted protocols of the list, less what the level takes away
 */
export function acceptedProtocols(
  configuration: PostfixConfiguration,
  permitted: readonly Protocol[],
  side: Side,
): readonly Protocol[] {
  const spoken = libraryProtocols(configuration.openssl.version);
  const accepted = permitted.filter((protocol) => spoken.includes(protocol));
  if (side === 'server') return accepted;
  const first = spoken.findIndex((protocol) => accepted.includes(protocol));
  const hole = spoken.findIndex((protocol, index) => index > first && !accepted.includes(protocol));
  return first < 0 ? [] : spoken.slice(first, hole < 0 ? undefined : hole);
}
