/**
 * What clients see of the ports of a Dovecot: the form in which the servers' answers are kept, and what
 * pfharden says of the same from the files.
 */
import { DovecotConfiguration } from '../../src/dovecot/configuration.ts';
import { type DovecotServerEndpoint, dovecotEndpoints } from '../../src/dovecot/endpoints.ts';
import type { Protocol } from '../../src/model/protocol.ts';
import type { Release } from '../../src/model/release.ts';
import type { SourceFile } from '../../src/text/source.ts';
import type { Case, PortName } from './dovecot-cases.ts';

/** What a client sees that comes from one address. */
export interface SeenFrom {
  /** It gets a greeting that welcomes it. */
  readonly answer: boolean;
  /** What it is offered before TLS, or behind the TLS that a listener begins with, by name. */
  readonly mechanisms?: readonly string[];
  /** STARTTLS is announced. */
  readonly starttls?: boolean;
  /** The greeting of POP3 holds a challenge for APOP. */
  readonly challenge?: boolean;
  /** LOGIN of IMAP is not disabled; POP3 announces USER whether it is of use or not. */
  readonly login?: boolean;
  /** AUTHENTICATE PLAIN with the right password is taken. */
  readonly plain?: boolean;
  /** Where STARTTLS is announced: TLS begins; what is offered behind it; PLAIN is taken there. */
  readonly tls?: boolean;
  readonly behind?: readonly string[];
  readonly plainBehind?: boolean;
}

/** What clients see of one listener, or of the connections of one filter. */
export interface SeenPort {
  /** Names by protocol, in the order of the server where that decides; null: not asked. */
  readonly suites: Readonly<Record<string, readonly string[]>> | null;
  /** By address of the client. */
  readonly clients: Readonly<Record<string, SeenFrom>>;
}

/** What became of one configuration. */
export interface SeenServer {
  /** The server does not start. */
  readonly refused: boolean;
  /** Which of the ports that the case names are open. */
  readonly open: readonly PortName[];
  /** By endpoint. */
  readonly ports: Readonly<Record<string, SeenPort>>;
}

/** What pfharden makes of a configuration. */
export interface Predicted {
  readonly refused: boolean;
  readonly servers: readonly DovecotServerEndpoint[];
}

/** Works out the endpoints of a configuration in one file. */
export function predict(
  main: SourceFile,
  open: (path: string) => SourceFile | null,
  release: Release,
  openssl: Release,
): Predicted {
  const configuration = new DovecotConfiguration({
    main,
    files: { open, entries: () => null },
    release: { version: release, versionFrom: 'flag', provenAtLeast: null },
  });
  const servers = dovecotEndpoints(configuration, { openssl, open }).filter(
    (endpoint) => endpoint.side === 'server',
  );
  const stops = servers.some(
    ({ fault, authFault, filter }) =>
      fault?.kind === 'content-as-path' || (filter === null && authFault?.kind === 'cleartext-conflict'),
  );
  return { refused: configuration.faults.length > 0 || stops, servers };
}

/** Suites by protocol; in their order where the server decides, else by name. */
export function suitesByProtocol(
  ciphers: readonly { readonly protocol: Protocol; readonly name: string }[],
  ordered: boolean,
): Record<string, readonly string[]> {
  const found: Record<string, string[]> = {};
  for (const { protocol, name } of ciphers) (found[protocol] ??= []).push(name);
  for (const list of Object.values(found)) if (!ordered) list.sort();
  return found;
}

/** What is spoken on an endpoint, where a client of these tests speaks it. */
export function spokenBy({ spoken }: DovecotServerEndpoint): 'imap' | 'pop3' | 'lmtp' | null {
  return spoken === 'imap' || spoken === 'pop3' || spoken === 'lmtp' ? spoken : null;
}

/**
 * A probe comes from 127.0.0.1, and so sees nothing of what is for other machines alone. Where the
 * authentication process ends again and again, the master slows the others down, and what is seen is luck.
 */
export function isProbed(endpoint: DovecotServerEndpoint): boolean {
  if (endpoint.authFault !== null) return false;
  return (
    endpoint.tls.mode !== 'none' && spokenBy(endpoint) !== null && (endpoint.filter?.remote ?? null) === null
  );
}

/** Addresses of the clients of an endpoint: another machine and the server's own, or those of its filter. */
export function clientsOf(endpoint: DovecotServerEndpoint, one: Case): readonly string[] {
  if ((endpoint.filter?.remote ?? null) !== null) return one.clients?.flatMap(({ from }) => from ?? []) ?? [];
  return ['127.0.0.2', '127.0.0.1'];
}

/** What clients will see of an endpoint. */
export function predictedPort(endpoint: DovecotServerEndpoint, one: Case): SeenPort {
  const { tls, fault } = endpoint;
  const suites = isProbed(endpoint) ? suitesByProtocol(tls.ciphers ?? [], tls.preference === 'server') : null;
  const spoken = spokenBy(endpoint);
  if (spoken === null || spoken === 'lmtp') return { suites, clients: {} };
  const works = tls.mode !== 'none' && fault === null;
  const clients = clientsOf(endpoint, one).map((from) => [from, predictedFrom(endpoint, from, works)]);
  return { suites, clients: Object.fromEntries(clients) as Record<string, SeenFrom> };
}

function predictedFrom(endpoint: DovecotServerEndpoint, from: string, works: boolean): SeenFrom {
  const { tls, auth, authFault, spoken, open } = endpoint;
  const implicit = tls.mode === 'implicit';
  if (authFault !== null || (implicit && !works)) return { answer: false };
  // The same machine is as good as TLS, but no mechanism can be bound to a session that is not there.
  const known = mechanismsOf(endpoint);
  const own = from === (open.addresses[0] ?? '');
  const before = own ? known.filter((name) => !name.endsWith('-PLUS')) : (auth.beforeTls ?? []);
  const offered = implicit ? (auth.afterTls ?? []) : before;
  const seen = {
    answer: true,
    mechanisms: announced(offered),
    starttls: tls.mode === 'opportunistic' || tls.mode === 'required',
    // It stands there whether an answer would be taken or not.
    challenge: spoken === 'pop3' && known.includes('APOP'),
    ...(spoken === 'imap' ? { login: offered.includes('PLAIN') } : {}),
    plain: offered.includes('PLAIN'),
  };
  if (!seen.starttls) return seen;
  if (!works) return { ...seen, tls: false };
  const after = auth.afterTls ?? [];
  return { ...seen, tls: true, behind: announced(after), plainBehind: after.includes('PLAIN') };
}

/** All mechanisms that the protocol has a use for. */
function mechanismsOf({ mechanisms, spoken }: DovecotServerEndpoint): readonly string[] {
  return (mechanisms?.known ?? [])
    .filter(({ only }) => only === null || only === spoken)
    .map(({ name }) => name);
}

/** APOP is no capability. */
function announced(names: readonly string[]): readonly string[] {
  return names.filter((name) => name !== 'APOP').toSorted();
}
