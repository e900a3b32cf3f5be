import type { Endpoint, EndpointAuth, EndpointTls, Role, TlsMode } from '../model/endpoint.ts';
import { shownValue } from '../model/secrets.ts';
import type { TlsFamily } from './cipher-settings.ts';
import { type Effective, listWords, type PostfixConfiguration } from './configuration.ts';
import { clientMode, modeOf, type TlsDetails, type TlsParts, tlsOf } from './endpoint-tls.ts';
import { isLoopback, listenAddress, type Service } from './services.ts';
import { CLIENT_LEVELS } from './tls-policy.ts';

/** An endpoint of Postfix with what the rules want to know of it. */
export interface PostfixEndpoint extends Endpoint, TlsDetails {
  readonly tls: TlsDetails['tls'];
  /** The service whose settings decide. */
  readonly service: Service;
  /** The service whose line opens the port: postscreen for an smtpd that it hands sessions to. */
  readonly listener: Service;
  /** The parameter that decides on the level: the level itself, wrappermode, or an obsolete switch. */
  readonly levelFrom: Effective;
  /** Reachable from other machines. */
  readonly public: boolean;
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
  const isOffered = (tls: TlsDetails): boolean =>
    !tls.mandatory && !configuration.isYes('smtpd_tls_auth_only', service) && mode !== 'implicit';
  return withTls(
    {
      id: service.id,
      server: 'postfix',
      side: 'server',
      role: smtpdRole(configuration, service, { port, reachable, implicit, sasl }),
      address,
      port,
      service,
      listener,
      levelFrom: from,
      public: reachable,
      sasl,
    },
    configuration,
    {
      service,
      family: 'smtpd',
      level: effectiveLevel,
      mode,
      valid,
      needsCertificate: !service.assumed,
    },
    (tls) => ({
      beforeTls: sasl && isOffered(tls) ? null : [],
      afterTls: sasl && mode !== 'none' && tls.fault === null ? null : [],
    }),
  );
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
  return withTls(
    {
      id: service.id,
      server: 'postfix',
      side: 'server',
      role: reachable ? 'mx' : 'reinjection',
      address,
      port,
      service,
      listener: service,
      levelFrom: from,
      public: reachable,
      sasl: false,
    },
    configuration,
    {
      service: tlsproxy ?? service,
      family: 'tlsproxy',
      level,
      mode: valid ? modeOf(level) : 'none',
      valid,
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
    },
    () => ({ beforeTls: [], afterTls: [] }),
  );
}

/**
 * An endpoint with the TLS that it has, which is worked out once somebody asks for it: that takes longer than
 * all the rest, and many rules ask for no more than the mode.
 */
function withTls(
  endpoint: Omit<PostfixEndpoint, keyof TlsDetails | 'auth'>,
  configuration: PostfixConfiguration,
  parts: TlsParts,
  authOf: (tls: TlsDetails) => EndpointAuth,
): PostfixEndpoint {
  let known: TlsDetails | null = null;
  const details = (): TlsDetails => {
    known ??= tlsOf(configuration, parts);
    return known;
  };
  return {
    ...endpoint,
    family: parts.family,
    level: parts.level,
    get auth() {
      return authOf(details());
    },
    get mandatory() {
      return details().mandatory;
    },
    get protocolsFrom() {
      return details().protocolsFrom;
    },
    get protocolList() {
      return details().protocolList;
    },
    get cipherSettings() {
      return details().cipherSettings;
    },
    get fault() {
      return details().fault;
    },
    tls: {
      mode: parts.mode,
      get protocols() {
        return details().tls.protocols;
      },
      get ciphers() {
        return details().tls.ciphers;
      },
      get preference() {
        return details().tls.preference;
      },
      get keyTypes() {
        return details().tls.keyTypes;
      },
    } as EndpointTls,
  };
}

/** Address and port of a listener; a name without host is bound as inet_interfaces says. */
function bound(
  configuration: PostfixConfiguration,
  listener: Service,
): { address: string; port: number | null; reachable: boolean } {
  const { host, port } = listenAddress(listener.name);
  if (host !== '*') return { address: host, port, reachable: !isLoopback(host) };
  const interfaces = listWords(shownValue('inet_interfaces', configuration.value('inet_interfaces')));
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

/** The nexthop of a client that has one, as it stands behind the name of the service in its id. */
export function nexthopOf({ id }: Pick<PostfixEndpoint, 'id'>): string | null {
  const at = id.indexOf('>');
  return at < 0 ? null : id.slice(at + 1);
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
    if (!mayName(configuration, parameter, service)) continue;
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

/** False where the transport is written out and another one; where mail goes by that need not be worked out. */
function mayName(configuration: PostfixConfiguration, parameter: string, { name }: Service): boolean {
  const written =
    configuration.setting(parameter)?.value ?? configuration.parameter(parameter)?.default ?? '';
  const { transport } = splitTransport(written);
  return transport === name || transport.includes('$');
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
  // What its id and its address say is shown everywhere.
  const shown = shownValue('', nexthop);
  const { address, port, loopback } =
    nexthop === '' ? { address: '*', port: null, loopback: false } : nexthopAddress(shown);
  const overSocket = nexthop.startsWith('unix:') || nexthop.startsWith('/');
  const mode: TlsMode = !valid || overSocket ? 'none' : clientMode({ configuration, service, family }, level);
  const sasl = configuration.isYes(`${family}_sasl_auth_enable`, service);
  return withTls(
    {
      id: nexthop === '' ? service.id : `${service.id}>${shown}`,
      server: 'postfix',
      side: 'client',
      role,
      address,
      port: port ?? (overSocket || family === 'lmtp' ? null : 25),
      service,
      listener: service,
      levelFrom: from,
      public: !loopback,
      sasl,
    },
    configuration,
    { service, family, level, mode, valid, needsCertificate: false },
    () => ({
      beforeTls: sasl && mode !== 'required' && mode !== 'implicit' ? null : [],
      afterTls: sasl && mode !== 'none' ? null : [],
    }),
  );
}
