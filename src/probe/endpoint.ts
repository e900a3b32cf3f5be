import type { EndpointAuth, EndpointTls, OfferedCipher, Role, Server } from '../model/endpoint.ts';
import { PROTOCOLS, type Protocol } from '../model/protocol.ts';
import type { ShownCertificate } from './certificates.ts';
import type { MailProtocol } from './dialogue.ts';
import type { Preference } from './elimination.ts';
import type { Fault } from './faults.ts';

/** A group that a server takes in a protocol. */
export interface OfferedGroup {
  readonly protocol: Protocol;
  readonly name: string;
}

/** A field for Diffie-Hellman that a server uses below TLSv1.3. */
export interface DhField {
  readonly bits: number;
  /** `ffdhe2048`, `modp2048`; null where it is one of the server's own. */
  readonly name: string | null;
}

/** What a port was seen to do, in the form of an endpoint and with what only a probe sees. */
export interface ProbedEndpoint {
  /** `mail.example.org:25`. */
  readonly id: string;
  /** Null where the server does not say what it is. */
  readonly server: Server | null;
  readonly side: 'server';
  /** What the port and the protocol are usually for; null where they tell nothing. */
  readonly role: Role | null;
  readonly address: string;
  /** The address that a name led to; null where there was no connection. */
  readonly remoteAddress: string | null;
  /** The address that the probe came from. Dovecot needs no TLS where it is that of the port itself. */
  readonly localAddress: string | null;
  readonly port: number;
  /**
   * Suites oldest protocol first, each protocol in the server's order where the server decides. The mode is
   * `required` where the server says so: of IMAP, POP3 and ManageSieve nothing outside tells it from
   * `opportunistic`.
   */
  readonly tls: EndpointTls & { readonly ciphers: readonly OfferedCipher[] };
  readonly auth: EndpointAuth;
  /** The protocol that is spoken; null where neither the caller nor the server told. */
  readonly speaks: MailProtocol | null;
  readonly greeting: string | null;
  /** As the server wrote them; null where they were not told. */
  readonly capabilities: {
    readonly beforeTls: readonly string[] | null;
    readonly afterTls: readonly string[] | null;
  };
  /** LOGIN of IMAP and USER of POP3; null where the protocol has none, or it was not told. */
  readonly login: { readonly beforeTls: boolean | null; readonly afterTls: boolean | null };
  /** Who decides which suite is used; absent where the server takes fewer than two, or the answers contradict. */
  readonly preference: Readonly<Partial<Record<Protocol, Preference>>>;
  /** Suites that the server picks and then cannot use. */
  readonly broken: readonly OfferedCipher[];
  readonly groups: readonly OfferedGroup[];
  readonly fields: readonly DhField[];
  readonly certificates: readonly ShownCertificate[];
  readonly faults: readonly Fault[];
  /** All questions were asked and answered. Only then is what is not listed not there. */
  readonly complete: boolean;
  /** How many were made. */
  readonly connections: number;
  readonly milliseconds: number;
}

/** Oldest protocol first; within one protocol the order stays. */
export function byProtocol<T extends { readonly protocol: Protocol }>(list: readonly T[]): readonly T[] {
  return PROTOCOLS.flatMap((name) => list.filter(({ protocol }) => protocol === name));
}

/** The server that a greeting names; null where it names none. */
export function serverOf(greeting: string | null): Server | null {
  const [name] = /postfix|dovecot/i.exec(greeting ?? '') ?? [];
  return name === undefined ? null : (name.toLowerCase() as Server);
}

const SMTP_ROLES: Readonly<Record<number, Role>> = { 25: 'mx', 465: 'submissions', 587: 'submission' };

/** What a port that speaks this protocol is usually for; null where nothing tells. */
export function roleOf(port: number, spoken: MailProtocol | null, implicit: boolean): Role | null {
  switch (spoken) {
    case 'smtp':
      return SMTP_ROLES[port] ?? (implicit ? 'submissions' : null);
    case 'imap':
      return implicit ? 'imaps' : 'imap';
    case 'pop3':
      return implicit ? 'pop3s' : 'pop3';
    case 'lmtp':
      return 'lmtp';
    case 'sieve':
      return 'sieve';
    case null:
      break;
  }
  return null;
}
