import type { Endpoint, EndpointAuth, Role, TlsMode } from '../model/endpoint.ts';
import { pemOf } from '../tls/pem.ts';
import type { DovecotAssignment } from './assignment.ts';
import { clientEndpoints } from './client-endpoints.ts';
import type { DovecotConfiguration, DovecotListener, DovecotService } from './configuration.ts';
import { type DovecotContext, type DovecotEffective, fileOf } from './effective.ts';
import type { Filter } from './filter.ts';
import {
  addressText,
  isLoopback,
  type OpenPort,
  openPorts,
  type RunningProtocols,
  runningProtocols,
  runningServices,
} from './listeners.ts';
import { type Mechanism, type MechanismList, readMechanisms } from './mechanisms.ts';
import { netText } from './net.ts';
import { type DovecotTls, inServer, serverTls, type TlsSurroundings } from './server-tls.ts';

/**
 * Every place where Dovecot speaks with the network. Sources: sasl-server.c, client-common.c and
 * client-common-auth.c of login-common, master-settings.c, service.c of 2.2.36.4, 2.3 and 2.4; held against
 * running servers of 2.3.13, 2.3.19.1, 2.4.1 and 2.4.5 by test/servers/dovecot-endpoints.test.ts.
 */

/** Why nobody can log in. */
export type DovecotAuthFault =
  /** A word of auth_mechanisms that the release does not know: the authentication process ends. */
  | 'unknown-mechanism'
  /** auth_mechanisms is empty: the same. */
  | 'no-mechanism'
  /** A mechanism lacks a setting that it cannot be without (2.4: XOAUTH2 without oauth2_introspection_mode): the same. */
  | 'mechanism-unset'
  /** auth_allow_cleartext = yes with ssl = required: each connection is closed at once. */
  | 'cleartext-conflict';

/** What an endpoint on either side is, beside what all endpoints are. */
interface DovecotPlace extends Endpoint {
  readonly server: 'dovecot';
  /** What is known of its connections when a value is asked for. */
  readonly context: DovecotContext;
  /** Reachable from other machines; of a client: the other server is another machine. */
  readonly public: boolean;
  /** Takes passwords, or would if TLS were there. */
  readonly sasl: boolean;
}

/** A listener of Dovecot, for all connections or for those of one filter. */
export interface DovecotServerEndpoint extends DovecotPlace, DovecotTls {
  readonly side: 'server';
  readonly tls: DovecotTls['tls'];
  readonly service: DovecotService;
  readonly listener: DovecotListener;
  readonly open: OpenPort;
  /** What is spoken: `imap`, `pop3`, `sieve`, `submission`, `lmtp`, `auth`, `doveadm`. */
  readonly spoken: string;
  readonly protocols: RunningProtocols;
  /** The filter for whose connections this is another endpoint than for the rest; null: for the rest. */
  readonly filter: Filter | null;
  /** The mechanisms, as far as users log in here. */
  readonly mechanisms: MechanismList | null;
  readonly mechanismsFrom: DovecotEffective;
  /** `auth_allow_cleartext`, until 2.3 `disable_plaintext_auth`. */
  readonly cleartextFrom: DovecotEffective;
  /** A password in the clear is taken before TLS, from any other machine. */
  readonly cleartextLogin: boolean;
  readonly authFault: { readonly kind: DovecotAuthFault; readonly in: DovecotEffective } | null;
}

/** Another server that Dovecot calls. */
export interface DovecotClientEndpoint extends DovecotPlace {
  readonly side: 'client';
  /** The setting that names the other server. */
  readonly hostFrom: DovecotEffective;
  /** The setting that says how TLS begins. */
  readonly modeFrom: DovecotEffective;
  /** The setting that says whether the certificate of the other server has to be valid; null: nothing does. */
  readonly verifyFrom: DovecotEffective | null;
  /** It has to be. */
  readonly verifies: boolean;
  readonly protocolsFrom: DovecotEffective;
  readonly cipherListFrom: DovecotEffective;
  /** A setting that keeps TLS from working. */
  readonly fault: { readonly kind: string; readonly in: DovecotEffective } | null;
}

/** An endpoint of Dovecot with what the rules want to know of it. */
export type DovecotEndpoint = DovecotServerEndpoint | DovecotClientEndpoint;

/** What a program speaks, and the name of its protocol in filters. */
interface Program {
  readonly spoken: string;
  readonly role: Role;
  /** The role where the listener begins with TLS. */
  readonly implicitRole?: Role;
  /** Users log in. */
  readonly login: boolean;
}

/** By the name of the program; others speak nothing of mail. */
const PROGRAMS: ReadonlyMap<string, Program> = new Map([
  ['imap-login', { spoken: 'imap', role: 'imap', implicitRole: 'imaps', login: true }],
  ['pop3-login', { spoken: 'pop3', role: 'pop3', implicitRole: 'pop3s', login: true }],
  ['managesieve-login', { spoken: 'sieve', role: 'sieve', login: true }],
  [
    'submission-login',
    { spoken: 'submission', role: 'submission', implicitRole: 'submissions', login: true },
  ],
  ['lmtp', { spoken: 'lmtp', role: 'lmtp', login: false }],
  ['auth', { spoken: 'auth', role: 'auth', login: false }],
  ['doveadm-server', { spoken: 'doveadm', role: 'doveadm', login: false }],
]);

/** Settings that decide on TLS and authentication of a connection: a filter without any of them changes nothing. */
const DECIDING = /^(ssl($|_)|disable_plaintext_auth$|auth_allow_cleartext$|auth_mechanisms$)/;

/**
 * Every place where Dovecot speaks with the network, listeners first. Where a filter changes what counts for
 * some of the connections of a listener, those are an endpoint of their own behind it.
 *
 * @param surroundings the OpenSSL release, and how certificates and parameters are read
 */
export function dovecotEndpoints(
  configuration: DovecotConfiguration,
  surroundings: TlsSurroundings,
): readonly DovecotEndpoint[] {
  const protocols = runningProtocols(configuration);
  const services = runningServices(configuration, protocols);
  const endpoints: DovecotEndpoint[] = [];
  const kinds = filterKinds(configuration, surroundings);
  for (const open of openPorts(configuration, services)) {
    const program = PROGRAMS.get(programOf(open.service));
    if (program === undefined) continue;
    const maker = new EndpointMaker(configuration, surroundings, { open, program, protocols });
    const rest = maker.make(null);
    endpoints.push(rest, ...maker.ofFilters(kinds, rest));
  }
  return [...endpoints, ...clientEndpoints(configuration, protocols, surroundings.openssl)];
}

/** The program that a service runs: the first word of `executable`, without its folder. */
function programOf(service: DovecotService): string {
  const [path = ''] = service.get('executable').value.split(' ');
  return path.slice(path.lastIndexOf('/') + 1);
}

interface Parts {
  readonly open: OpenPort;
  readonly program: Program;
  readonly protocols: RunningProtocols;
}

class EndpointMaker {
  readonly #configuration: DovecotConfiguration;
  readonly #surroundings: TlsSurroundings;
  readonly #parts: Parts;

  constructor(configuration: DovecotConfiguration, surroundings: TlsSurroundings, parts: Parts) {
    this.#configuration = configuration;
    this.#surroundings = surroundings;
    this.#parts = parts;
  }

  /** Endpoints for the connections of filters, where they differ from the rest. */
  ofFilters(kinds: readonly FilterKind[], rest: DovecotServerEndpoint): DovecotServerEndpoint[] {
    const { spoken } = this.#parts.program;
    return kinds.flatMap((filters) => {
      const [first] = filters;
      if (first.protocol !== null && !protocolFits(first.protocol, spoken)) return [];
      const endpoint = this.make(first);
      if (!differs(endpoint, rest)) return [];
      return filters.map((filter) => ({
        ...endpoint,
        id: `${rest.id} for ${filterText(filter)}`,
        context: connectionOf(filter, spoken),
        filter,
      }));
    });
  }

  make(filter: Filter | null): DovecotServerEndpoint {
    const { open, program, protocols } = this.#parts;
    const { service, listener, port, addresses } = open;
    const connection = connectionOf(filter, program.spoken);
    const mode = this.#modeOf(connection);
    const found = serverTls(this.#configuration, connection, mode, this.#surroundings);
    const auth = this.#authOf(connection, found);
    // Without an authentication process the server says goodbye before STARTTLS can be asked for.
    const silent = auth.authFault !== null && mode !== 'implicit';
    const tls = silent ? { ...found, tls: { mode, protocols: [] } } : found;
    const id = `${service.name}/${listener.name}`;
    return {
      id: filter === null ? id : `${id} for ${filterText(filter)}`,
      server: 'dovecot',
      side: 'server',
      role: open.implicit ? (program.implicitRole ?? program.role) : program.role,
      address: addressText(addresses),
      port,
      ...auth,
      ...tls,
      context: connection,
      sasl: program.login,
      service,
      listener,
      open,
      spoken: program.spoken,
      protocols,
      filter,
      public: !addresses.every(isLoopback),
    };
  }

  /** A listener begins with TLS, offers or demands it as `ssl` says, or knows nothing of it. */
  #modeOf(connection: DovecotContext): TlsMode {
    const { open, program } = this.#parts;
    if (open.implicit) return 'implicit';
    if (!program.login && program.spoken !== 'lmtp') return 'none';
    const value = this.#configuration.value('ssl', inServer(this.#configuration, connection));
    // `ssl = no` for all counts whatever a filter says.
    if (value === 'no' || this.#configuration.value('ssl') === 'no') return 'none';
    // LMTP demands nothing: it has no users to log in.
    return value === 'required' && program.login ? 'required' : 'opportunistic';
  }

  #authOf(
    connection: DovecotContext,
    tls: DovecotTls,
  ): Pick<
    DovecotServerEndpoint,
    'auth' | 'mechanisms' | 'mechanismsFrom' | 'cleartextFrom' | 'cleartextLogin' | 'authFault'
  > {
    const configuration = this.#configuration;
    const { program } = this.#parts;
    const mechanismsFrom = configuration.get('auth_mechanisms', { protocol: program.spoken });
    const inverted = configuration.table.get('auth_allow_cleartext') === null;
    const cleartextFrom = configuration.get(
      inverted ? 'disable_plaintext_auth' : 'auth_allow_cleartext',
      connection,
    );
    const from = { mechanismsFrom, cleartextFrom };
    const none: EndpointAuth = { beforeTls: [], afterTls: [] };
    if (!program.login) {
      return { ...from, auth: none, mechanisms: null, cleartextLogin: false, authFault: null };
    }
    const words = configuration.words('auth_mechanisms', { protocol: program.spoken });
    const winbind = configuration.isYes('auth_use_winbind');
    const mechanisms = readMechanisms(words, configuration.release, winbind);
    const { mode } = tls.tls;
    const allowed = /^(?:yes|y|1)$/i.test(cleartextFrom.value) !== inverted;
    const demanded = tls.sslFrom.value === 'required' && mode !== 'none';
    const authFault =
      mechanisms.unknown.length > 0
        ? ({ kind: 'unknown-mechanism', in: mechanismsFrom } as const)
        : words.length === 0
          ? ({ kind: 'no-mechanism', in: mechanismsFrom } as const)
          : mechanisms.known.some((mechanism) => unsetNeed(configuration, mechanism) !== null)
            ? ({ kind: 'mechanism-unset', in: mechanismsFrom } as const)
            : !inverted && allowed && demanded
              ? ({ kind: 'cleartext-conflict', in: cleartextFrom } as const)
              : null;
    if (authFault !== null) return { ...from, auth: none, mechanisms, cleartextLogin: false, authFault };
    const offered = mechanisms.known.filter((mechanism) => isOffered(mechanism, program.spoken));
    const clear = mode === 'implicit' || demanded ? [] : offered.filter(({ needsTls }) => !needsTls);
    const beforeTls = clear.filter(({ cleartext }) => allowed || !cleartext);
    const secured = mode === 'none' || tls.fault !== null ? [] : offered;
    return {
      ...from,
      auth: { beforeTls: beforeTls.map(({ name }) => name), afterTls: secured.map(({ name }) => name) },
      mechanisms,
      cleartextLogin: beforeTls.some(({ cleartext }) => cleartext),
      authFault: null,
    };
  }
}

/** The setting that a mechanism cannot be without, where it is not set; else null. */
export function unsetNeed(configuration: DovecotConfiguration, { needs }: Mechanism): string | null {
  if (needs === null || configuration.table.get(needs) === null) return null;
  return configuration.value(needs, { sections: [{ type: 'oauth2', name: '' }] }) === '' ? needs : null;
}

/** Whether a protocol has a use for a mechanism: APOP is POP3's own, ANONYMOUS is for reading mail. */
function isOffered({ name, only }: Mechanism, spoken: string): boolean {
  if (only !== null) return only === spoken;
  return name !== 'ANONYMOUS' || spoken === 'imap' || spoken === 'pop3';
}

/** Filters that set the same, so that one of them stands for all. */
type FilterKind = readonly [Filter, ...Filter[]];

/** Up to so many filters are all looked at by themselves. */
const FEW_FILTERS = 8;

/** So many kinds of filters are looked at: each takes time in proportion to the whole configuration. */
const MOST_KINDS = 30;

/**
 * Filters of networks and names under which something is set that decides on TLS or authentication. Hosts
 * with a certificate for each of many names have as many filters: those that set the same, and whose
 * certificates have keys of the same kind, are of one kind.
 */
function filterKinds(configuration: DovecotConfiguration, { open }: TlsSurroundings): readonly FilterKind[] {
  const set = new Map<string, { readonly filter: Filter; readonly what: string[] }>();
  for (const assignment of configuration.settings()) {
    const { filter } = assignment.scope;
    const { local, localName, remote } = filter;
    if ((local ?? localName ?? remote) === null || !DECIDING.test(assignment.name)) continue;
    const text = filterText(filter);
    const known = set.get(text) ?? { filter, what: [] };
    known.what.push(`${assignment.name} = ${outlineOf(assignment, open)}`);
    set.set(text, known);
  }
  const kinds = new Map<string, [Filter, ...Filter[]]>();
  for (const [text, { filter, what }] of set) {
    const shape = [filter.local, filter.localName, filter.remote].map((part) => part !== null);
    const key = set.size <= FEW_FILTERS ? text : JSON.stringify([shape, filter.protocol, ...what]);
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, [filter]);
    else kind.push(filter);
  }
  return [...kinds.values()].slice(0, MOST_KINDS);
}

/** The value of a setting; of a certificate what matters of it for TLS. */
function outlineOf(assignment: DovecotAssignment, open: TlsSurroundings['open']): string {
  const { setting, value, form } = assignment;
  const path = fileOf(value ?? '', setting, assignment);
  if (path === null) return value ?? '';
  const source = open(path);
  const [leaf] = source === null ? [] : pemOf(source).certificates;
  return [form, source === null, leaf?.key.type, leaf?.key.bits, leaf?.key.curve].join(' ');
}

function protocolFits(wanted: string, spoken: string): boolean {
  return wanted.startsWith('!') ? wanted.slice(1) !== spoken : wanted === spoken;
}

/** A connection that a filter is for; of a network its first address stands for all. */
function connectionOf(filter: Filter | null, protocol: string): DovecotContext {
  if (filter === null) return { protocol };
  const address = (of: Filter['local']): string | undefined =>
    of === null ? undefined : of.net === null ? of.text : netText(of.net).replace(/\/.*/, '');
  const [name] = filter.localName?.split(' ') ?? [];
  return {
    protocol,
    localIp: address(filter.local),
    remoteIp: address(filter.remote),
    // A star stands for one label.
    localName: name?.replace('*', 'any'),
  };
}

/** The filter as a configuration writes it, on one line. */
function filterText({ local, localName, remote, protocol }: Filter): string {
  return [
    local === null ? null : `local ${local.text}`,
    localName === null ? null : `local_name ${localName}`,
    remote === null ? null : `remote ${remote.text}`,
    protocol === null ? null : `protocol ${protocol}`,
  ]
    .filter((part) => part !== null)
    .join(' ');
}

/** Whether two endpoints of one listener do different things. */
function differs(one: DovecotServerEndpoint, other: DovecotServerEndpoint): boolean {
  const what = ({ tls, auth, fault, authFault, cleartextLogin }: DovecotServerEndpoint): string =>
    JSON.stringify([tls, auth, fault?.kind, authFault?.kind, cleartextLogin]);
  return what(one) !== what(other);
}
