import type { Endpoint, EndpointAuth, Role, Side, TlsMode } from '../model/endpoint.ts';
import { compareProtocols, type Protocol } from '../model/protocol.ts';
import { libraryProtocols } from '../tls/openssl.ts';
import { type CipherFault, type CipherSettings, cipherSettings } from './cipher-settings.ts';
import { type Effective, listWords, type PostfixConfiguration } from './configuration.ts';
import { type ProtocolList, parseProtocolList } from './protocol-list.ts';
import { isLoopback, listenAddress, type Service } from './services.ts';
import { CLIENT_LEVELS } from './tls-policy.ts';

/** First part of the names of an endpoint's TLS parameters. */
export type TlsFamily = 'smtpd' | 'smtp' | 'lmtp' | 'tlsproxy';

/** What keeps TLS from working on an endpoint although it is asked for. */
export type TlsFault =
  /** The program does not start: the level is a word that it does not know or that is for clients. */
  | 'invalid-level'
  /** STARTTLS is announced and answered with 454. */
  | 'invalid-protocols'
  | 'no-certificate'
  /** postscreen without tlsproxy(8) in master.cf. */
  | 'no-tlsproxy'
  /** postscreen with a tlsproxy(8) whose own level is none. */
  | 'tlsproxy-off'
  | CipherFault;

/** An endpoint of Postfix with what the rules want to know of it. */
export interface PostfixEndpoint extends Endpoint {
  readonly server: 'postfix';
  /** The service whose settings decide. */
  readonly service: Service;
  /** The service whose line opens the port: postscreen for an smtpd that it hands sessions to. */
  readonly listener: Service;
  readonly family: TlsFamily;
  /** `none`, `may`, `encrypt`, or a client level; what the server makes of the settings, see `levelFrom`. */
  readonly level: string;
  /** The parameter that decides on the level: the level itself, wrappermode, or an obsolete switch. */
  readonly levelFrom: Effective;
  /** The mandatory list counts. */
  readonly mandatory: boolean;
  /** The protocol list that counts at this level. */
  readonly protocolsFrom: Effective;
  /** Read in the way of the release; what Postfix permits before OpenSSL has its say. */
  readonly protocolList: ProtocolList;
  /** The grade, its list and the exclusions that count at this level. */
  readonly cipherSettings: CipherSettings;
  /** Reachable from other machines. */
  readonly public: boolean;
  readonly fault: TlsFault | null;
  /** `smtpd_sasl_auth_enable` is on, whether AUTH is ever offered or not. */
  readonly sasl: boolean;
}

/** Levels that a server knows, weakest first (tls_level.c). */
export const SERVER_LEVELS: readonly string[] = ['none', 'may', 'encrypt'];

/** Client levels that a server takes for `encrypt`, with a warning (smtpd.c). */
const SERVER_ENCRYPT_ALIASES: ReadonlySet<string> = new Set(['verify', 'secure', 'fingerprint']);

/** Words of master.cf that tell that a service is only there for a content filter's answer. */
const FILTER_WORDS = /no_(unknown_recipient_checks|address_mappings|header_body_checks|milters)/;

/** Every place where a Postfix instance speaks SMTP or LMTP, in the order of master.cf. */
export function postfixEndpoints(configuration: PostfixConfiguration): readonly PostfixEndpoint[] {
  const endpoints: PostfixEndpoint[] = [];
  for (const service of configuration.services) {
    if (service.program === 'smtpd' && service.type === 'inet')
      endpoints.push(smtpdEndpoint(configuration, service, service));
    else if (service.program === 'postscreen' && service.type === 'inet') {
      endpoints.push(postscreenEndpoint(configuration, service));
      const handed = configuration.services.find(
        (other) =>
          other.type === 'pass' &&
          other.name === (configuration.value('smtpd_service_name', service) || 'smtpd'),
      );
      if (handed !== undefined && !endpoints.some((endpoint) => endpoint.service === handed)) {
        endpoints.push(smtpdEndpoint(configuration, handed, service));
      }
    } else if ((service.program === 'smtp' || service.program === 'lmtp') && service.type === 'unix') {
      endpoints.push(...clientEndpoints(configuration, service));
    }
  }
  return endpoints;
}

/** Level of a server as smtpd.c, postscreen.c and tlsproxy.c work it out of wrappermode, level and the obsolete switches. */
function serverLevel(
  configuration: PostfixConfiguration,
  service: Service,
  prefix: 'smtpd' | 'postscreen' | 'tlsproxy',
): { level: string; from: Effective; implicit: boolean; valid: boolean } {
  const wrapper = prefix === 'smtpd' ? configuration.get('smtpd_tls_wrappermode', service) : null;
  if (wrapper !== null && wrapper.value.toLowerCase() === 'yes') {
    return { level: 'encrypt', from: wrapper, implicit: true, valid: true };
  }
  const from = configuration.get(`${prefix}_tls_security_level`, service);
  const word = from.value.toLowerCase();
  if (word !== '') {
    if (SERVER_ENCRYPT_ALIASES.has(word)) return { level: 'encrypt', from, implicit: false, valid: true };
    return { level: word, from, implicit: false, valid: SERVER_LEVELS.includes(word) };
  }
  const enforce = configuration.get(`${prefix}_enforce_tls`, service);
  if (enforce.value.toLowerCase() === 'yes')
    return { level: 'encrypt', from: enforce, implicit: false, valid: true };
  const use = configuration.get(`${prefix}_use_tls`, service);
  if (use.value.toLowerCase() === 'yes') return { level: 'may', from: use, implicit: false, valid: true };
  return { level: 'none', from, implicit: false, valid: true };
}

/** True when a server has a certificate, or was told on purpose to do without (`none`). */
export function hasCertificate(
  configuration: PostfixConfiguration,
  service: Service,
  family: TlsFamily,
): boolean {
  return (
    configuration.value(`${family}_tls_cert_file`, service).toLowerCase() === 'none' ||
    certificateFiles(configuration, service, family).length > 0
  );
}

/** The files that certificates are read from: those of the chain alone where there are any (tls_certkey.c). */
function certificateFiles(
  configuration: PostfixConfiguration,
  service: Service,
  family: TlsFamily,
): readonly string[] {
  const value = (name: string): string => configuration.value(`${family}_tls_${name}`, service);
  const chain = listWords(value('chain_files'));
  if (chain.length > 0) return chain;
  const rsa = value('cert_file');
  return [rsa.toLowerCase() === 'none' ? '' : rsa, value('dcert_file'), value('eccert_file')].filter(
    (file) => file !== '',
  );
}

interface TlsParts {
  readonly service: Service;
  readonly family: TlsFamily;
  readonly level: string;
  readonly mode: TlsMode;
  readonly valid: boolean;
  readonly tlsService: Service;
  readonly needsCertificate: boolean;
  /** Where another program than the listener does TLS: what keeps it from that, and whether it takes TLS for mandatory. */
  readonly proxy?: { readonly fault: TlsFault | null; readonly mandatory: boolean };
}

function tlsOf(
  configuration: PostfixConfiguration,
  parts: TlsParts,
): Pick<
  PostfixEndpoint,
  'mandatory' | 'protocolsFrom' | 'protocolList' | 'cipherSettings' | 'fault' | 'tls' | 'family' | 'level'
> {
  const mandatory = parts.proxy?.mandatory ?? (parts.mode === 'required' || parts.mode === 'implicit');
  const protocolsFrom = configuration.get(
    `${parts.family}_tls_${mandatory ? 'mandatory_' : ''}protocols`,
    parts.tlsService,
  );
  const protocolList = parseProtocolList(protocolsFrom.value, configuration.release);
  const active = parts.mode !== 'none';
  const side: Side = parts.family === 'smtp' || parts.family === 'lmtp' ? 'client' : 'server';
  const asks =
    side === 'server' && asksForCertificate(configuration, parts.tlsService, parts.family, mandatory);
  const ciphers = cipherSettings(configuration, {
    family: parts.family,
    service: parts.tlsService,
    mandatory,
    added: side === 'client' ? clientExclusions(parts.level) : asks ? ['aNULL'] : [],
  });
  // Whoever asks clients for certificates needs one to show.
  const certificate = asks
    ? certificateFiles(configuration, parts.tlsService, parts.family).length > 0
    : hasCertificate(configuration, parts.tlsService, parts.family);
  let fault: TlsFault | null = null;
  if (!parts.valid) fault = 'invalid-level';
  else if (active && parts.proxy !== undefined && parts.proxy.fault !== null) fault = parts.proxy.fault;
  else if (active && parts.needsCertificate && !certificate) fault = 'no-certificate';
  else if (active && !protocolList.valid) fault = 'invalid-protocols';
  else if (active) fault = ciphers.fault;
  const permitted = parts.level.startsWith('dane')
    ? protocolList.permitted.filter((protocol) => compareProtocols(protocol, 'TLSv1') >= 0)
    : protocolList.permitted;
  return {
    family: parts.family,
    level: parts.level,
    mandatory,
    protocolsFrom,
    protocolList,
    cipherSettings: ciphers,
    fault,
    tls: {
      mode: parts.mode,
      protocols: active && fault === null ? acceptedProtocols(configuration, permitted, side) : [],
    },
  };
}

/** A server that asks for client certificates does without anonymous ciphers (smtpd.c, tlsproxy.c). */
function asksForCertificate(
  configuration: PostfixConfiguration,
  service: Service,
  family: TlsFamily,
  mandatory: boolean,
): boolean {
  return (
    configuration.isYes(`${family}_tls_ask_ccert`, service) ||
    (mandatory && configuration.isYes(`${family}_tls_req_ccert`, service))
  );
}

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

function smtpdEndpoint(
  configuration: PostfixConfiguration,
  service: Service,
  listener: Service,
): PostfixEndpoint {
  const { level, from, implicit, valid } = serverLevel(configuration, service, 'smtpd');
  // A service that stands for any submission service is known by its mandatory TLS alone.
  const effectiveLevel = service.assumed ? 'encrypt' : level;
  const mode: TlsMode = !valid ? 'none' : implicit && !service.assumed ? 'implicit' : modeOf(effectiveLevel);
  const { address, port, reachable } = bound(configuration, listener);
  const sasl = !service.assumed && configuration.isYes('smtpd_sasl_auth_enable', service);
  const tls = tlsOf(configuration, {
    service,
    family: 'smtpd',
    level: effectiveLevel,
    mode,
    valid,
    tlsService: service,
    needsCertificate: !service.assumed,
  });
  const authOnly = tls.mandatory || configuration.isYes('smtpd_tls_auth_only', service);
  const auth: EndpointAuth = {
    beforeTls: sasl && !authOnly && mode !== 'implicit' ? null : [],
    afterTls: sasl && mode !== 'none' && tls.fault === null ? null : [],
  };
  return {
    id: service.id,
    server: 'postfix',
    side: 'server',
    role: smtpdRole(configuration, service, { port, reachable, implicit, sasl }),
    address,
    port,
    auth,
    service,
    listener,
    levelFrom: from,
    public: reachable,
    sasl,
    ...tls,
  };
}

function postscreenEndpoint(configuration: PostfixConfiguration, service: Service): PostfixEndpoint {
  const { level, from, valid } = serverLevel(configuration, service, 'postscreen');
  const { address, port, reachable } = bound(configuration, service);
  const tlsproxy = configuration.services.find(
    (other) =>
      other.program === 'tlsproxy' &&
      other.name === (configuration.value('tlsproxy_service_name', service) || 'tlsproxy'),
  );
  const proxyLevel = tlsproxy === undefined ? null : serverLevel(configuration, tlsproxy, 'tlsproxy');
  return {
    id: service.id,
    server: 'postfix',
    side: 'server',
    role: reachable ? 'mx' : 'reinjection',
    address,
    port,
    auth: { beforeTls: [], afterTls: [] },
    service,
    listener: service,
    levelFrom: from,
    public: reachable,
    sasl: false,
    ...tlsOf(configuration, {
      service,
      family: 'tlsproxy',
      level,
      mode: valid ? modeOf(level) : 'none',
      valid,
      tlsService: tlsproxy ?? service,
      needsCertificate: true,
      proxy: {
        fault:
          proxyLevel === null
            ? 'no-tlsproxy'
            : proxyLevel.valid && proxyLevel.level !== 'none'
              ? null
              : 'tlsproxy-off',
        mandatory: proxyLevel?.level === 'encrypt',
      },
    }),
  };
}

function modeOf(level: string): TlsMode {
  if (level === 'none' || level === '') return 'none';
  return level === 'may' || level === 'dane' ? 'opportunistic' : 'required';
}

/** Address and port of a listener; a name without host is bound as inet_interfaces says. */
function bound(
  configuration: PostfixConfiguration,
  listener: Service,
): { address: string; port: number | null; reachable: boolean } {
  const { host, port } = listenAddress(listener.name);
  if (host !== '*') return { address: host, port, reachable: !isLoopback(host) };
  const interfaces = listWords(configuration.value('inet_interfaces'));
  const loopback =
    interfaces.length > 0 && interfaces.every((word) => word === 'loopback-only' || isLoopback(word));
  const all = interfaces.length === 0 || interfaces.includes('all');
  return { address: loopback ? 'localhost' : all ? '*' : interfaces.join(', '), port, reachable: !loopback };
}

/** Restriction lists that can demand a login of every client. */
const LOGIN_LISTS = [
  'smtpd_client_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_relay_restrictions',
  'smtpd_sender_restrictions',
];

/** True when an override of the service lets nobody but users who have logged in (and mynetworks) pass. */
function demandsLogin(configuration: PostfixConfiguration, service: Service): boolean {
  return LOGIN_LISTS.some((name) => {
    if (!service.overrides.has(name)) return false;
    const words = listWords(configuration.value(name, service).toLowerCase());
    return words.includes('permit_sasl_authenticated') && words.includes('reject');
  });
}

function smtpdRole(
  configuration: PostfixConfiguration,
  service: Service,
  known: { port: number | null; reachable: boolean; implicit: boolean; sasl: boolean },
): Role {
  if (service.assumed) return 'submission';
  if (known.port === 25) return known.reachable ? 'mx' : 'reinjection';
  if (known.port === 465) return 'submissions';
  if (known.port === 587) return 'submission';
  if (known.implicit) return 'submissions';
  const ownSasl = service.overrides.has('smtpd_sasl_auth_enable') && known.sasl;
  if (ownSasl || (known.sasl && demandsLogin(configuration, service))) return 'submission';
  if (!known.reachable) return 'reinjection';
  const noFilter =
    service.overrides.has('content_filter') && configuration.value('content_filter', service) === '';
  const forFilter = noFilter && FILTER_WORDS.test(configuration.value('receive_override_options', service));
  const trusted = service.overrides.has('mynetworks') && !known.sasl;
  return forFilter || trusted ? 'reinjection' : 'mx';
}

/** Parameters that name a transport for all mail of a class (transport(5), trivial-rewrite(8)). */
const TRANSPORT_PARAMETERS = [
  'default_transport',
  'relay_transport',
  'local_transport',
  'virtual_transport',
  'mailbox_transport',
  'fallback_transport',
];

/** Values of content_filter, of main.cf and of the services: deliveries to a filter are none to the world. */
function contentFilters(configuration: PostfixConfiguration): string[] {
  const values = [configuration.value('content_filter')];
  for (const service of configuration.services) {
    if (service.overrides.has('content_filter')) values.push(configuration.value('content_filter', service));
  }
  return values.filter((value) => value !== '');
}

/** Transport and destination: `lmtp:unix:private/x`, `relay:[mail.example.com]:587`, `smtp`. */
export function splitTransport(value: string): { transport: string; nexthop: string } {
  const colon = value.indexOf(':');
  return colon < 0
    ? { transport: value.trim(), nexthop: '' }
    : { transport: value.slice(0, colon).trim(), nexthop: value.slice(colon + 1).trim() };
}

/** Host and port of a nexthop: `[mail.example.com]:587`, `mail.example.com`, `inet:127.0.0.1:24`, `unix:private/x`. */
export function nexthopAddress(nexthop: string): {
  readonly address: string;
  readonly port: number | null;
  readonly loopback: boolean;
} {
  if (nexthop.startsWith('unix:') || nexthop.startsWith('/'))
    return { address: nexthop, port: null, loopback: true };
  const text = nexthop.replace(/^inet:/, '');
  const match = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? /^([^:]*)(?::(.*))?$/.exec(text);
  const host = match?.[1] ?? text;
  const { port } = match?.[2] === undefined ? { port: null } : listenAddress(match[2]);
  return { address: host, port, loopback: isLoopback(host) };
}

function clientEndpoints(configuration: PostfixConfiguration, service: Service): PostfixEndpoint[] {
  const family: TlsFamily = service.program === 'lmtp' ? 'lmtp' : 'smtp';
  const destinations: { role: Role; nexthop: string }[] = [];
  const defaultTransport = splitTransport(configuration.value('default_transport'));
  const relayhost = configuration.value('relayhost');
  if (family === 'smtp' && defaultTransport.transport === service.name) {
    const nexthop = defaultTransport.nexthop || relayhost;
    destinations.push(nexthop === '' ? { role: 'outbound', nexthop: '' } : { role: 'relay', nexthop });
  }
  for (const parameter of TRANSPORT_PARAMETERS.slice(1)) {
    const { transport, nexthop } = splitTransport(configuration.value(parameter));
    if (transport !== service.name) continue;
    if (parameter === 'relay_transport' && nexthop === '') {
      // relayhost replaces the domain of the recipient for domains of relay_domains too (resolve.c).
      if (relayhost !== '' && family === 'smtp') destinations.push({ role: 'relay', nexthop: relayhost });
      continue;
    }
    destinations.push({ role: family === 'lmtp' ? 'lmtp' : 'relay', nexthop });
  }
  for (const filter of contentFilters(configuration)) {
    const { transport, nexthop } = splitTransport(filter);
    if (transport === service.name)
      destinations.push({ role: family === 'lmtp' ? 'lmtp' : 'relay', nexthop });
  }
  if (destinations.length === 0)
    destinations.push({
      role: family === 'lmtp' ? 'lmtp' : usual(service) ? 'relay' : 'outbound',
      nexthop: '',
    });
  const seen = new Set<string>();
  return destinations
    .filter(({ nexthop }) => !seen.has(nexthop) && seen.add(nexthop))
    .map(({ role, nexthop }) => clientEndpoint(configuration, service, family, role, nexthop));
}

/** The `relay` transport of every master.cf: for domains of relay_domains. */
function usual(service: Service): boolean {
  return service.name === 'relay';
}

/** Level of a client as smtp.c and lmtp work it out of level and the obsolete switches. */
function clientLevel(
  configuration: PostfixConfiguration,
  service: Service,
  family: TlsFamily,
): { level: string; from: Effective; valid: boolean } {
  const from = configuration.get(`${family}_tls_security_level`, service);
  const word = from.value.toLowerCase();
  if (word !== '') return { level: word, from, valid: (CLIENT_LEVELS as readonly string[]).includes(word) };
  const enforce = configuration.get(`${family}_enforce_tls`, service);
  if (enforce.value.toLowerCase() === 'yes') {
    const verify = configuration.isYes(`${family}_tls_enforce_peername`, service);
    return { level: verify ? 'verify' : 'encrypt', from: enforce, valid: true };
  }
  const use = configuration.get(`${family}_use_tls`, service);
  if (use.value.toLowerCase() === 'yes') return { level: 'may', from: use, valid: true };
  return { level: 'none', from, valid: true };
}

function clientEndpoint(
  configuration: PostfixConfiguration,
  service: Service,
  family: TlsFamily,
  role: Role,
  nexthop: string,
): PostfixEndpoint {
  const { level, from, valid } = clientLevel(configuration, service, family);
  const { address, port, loopback } =
    nexthop === '' ? { address: '*', port: null, loopback: false } : nexthopAddress(nexthop);
  const implicit =
    level !== 'none' && level !== 'may' && configuration.isYes(`${family}_tls_wrappermode`, service);
  const overSocket = nexthop.startsWith('unix:') || nexthop.startsWith('/');
  const mode: TlsMode = !valid || overSocket ? 'none' : implicit ? 'implicit' : modeOf(level);
  const sasl = configuration.isYes(`${family}_sasl_auth_enable`, service);
  const tls = tlsOf(configuration, {
    service,
    family,
    level,
    mode,
    valid,
    tlsService: service,
    needsCertificate: false,
  });
  return {
    id: nexthop === '' ? service.id : `${service.id}>${nexthop}`,
    server: 'postfix',
    side: 'client',
    role,
    address,
    port: port ?? (overSocket || family === 'lmtp' ? null : 25),
    auth: {
      beforeTls: sasl && mode !== 'required' && mode !== 'implicit' ? null : [],
      afterTls: sasl && mode !== 'none' ? null : [],
    },
    service,
    listener: service,
    levelFrom: from,
    public: !loopback,
    sasl,
    ...tls,
  };
}
