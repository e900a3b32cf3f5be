import type { Protocol } from './protocol.ts';

/** The mail programs that are judged. */
export type Server = 'postfix' | 'dovecot';

/** What the servers are called. */
export const SERVER_NAMES: Readonly<Record<Server, string>> = { postfix: 'Postfix', dovecot: 'Dovecot' };

/** Whether the host answers on this endpoint or calls from it. */
export type Side = 'server' | 'client';

/**
 * What an endpoint is for. It follows from what the service does (port, wrappermode, SASL,
 * restrictions, address), not from its name alone:
 * - `mx`: mail from other mail servers; `submission`: mail of users, STARTTLS; `submissions`: the
 *   same with implicit TLS; `reinjection`: a loopback listener for a content filter, no TLS expected;
 * - `outbound`: mail to the world; `relay`: mail to a configured relayhost or transport;
 * - the rest are Dovecot's, and LMTP on either side.
 */
export type Role =
  | 'mx'
  | 'submission'
  | 'submissions'
  | 'reinjection'
  | 'outbound'
  | 'relay'
  | 'lmtp'
  | 'imap'
  | 'imaps'
  | 'pop3'
  | 'pop3s'
  | 'sieve'
  | 'auth'
  | 'doveadm';

/** All roles, for schemas and checks of what users write. */
export const ROLES: readonly Role[] = [
  'mx',
  'submission',
  'submissions',
  'reinjection',
  'outbound',
  'relay',
  'lmtp',
  'imap',
  'imaps',
  'pop3',
  'pop3s',
  'sieve',
  'auth',
  'doveadm',
];

/** How TLS begins: not at all, offered, demanded by STARTTLS, or from the first byte. */
export type TlsMode = 'none' | 'opportunistic' | 'required' | 'implicit';

/** One suite that an endpoint takes. Names are OpenSSL's. */
export interface OfferedCipher {
  readonly protocol: Protocol;
  readonly name: string;
}

/** TLS of one endpoint as a scan would see it. */
export interface EndpointTls {
  readonly mode: TlsMode;
  /** What a scan finds, oldest first, with one suite at least; of a client what its hello names. */
  readonly protocols: readonly Protocol[];
  /** In the order of preference; absent where nothing is known of them. */
  readonly ciphers?: readonly OfferedCipher[];
  /** Whose order decides on a suite that both sides know; absent for a client. */
  readonly preference?: 'server' | 'client';
  /** Key types of a server's certificates; null where they cannot be read: then ciphers for RSA and ECDSA are listed. */
  readonly keyTypes?: readonly string[] | null;
}

/** SASL mechanisms offered before and after TLS: `[]` none, `null` where only the authentication server knows them. */
export interface EndpointAuth {
  readonly beforeTls: readonly string[] | null;
  readonly afterTls: readonly string[] | null;
}

/** One place where a host speaks: a listener or a client. */
export interface Endpoint {
  /** `submission/inet`; unique within a host and stable when lines move. */
  readonly id: string;
  readonly server: Server;
  readonly side: Side;
  readonly role: Role;
  /** Listener: the address bound, `*` for all. Client: the destination, `*` for the world. */
  readonly address: string;
  /** Null for a unix-domain socket or a client without a fixed port. */
  readonly port: number | null;
  readonly tls: EndpointTls;
  readonly auth: EndpointAuth;
}

/** Roles of ports that are for users alone. */
export const USER_ROLES: ReadonlySet<Role | null> = new Set([
  'submission',
  'submissions',
  'imap',
  'imaps',
  'pop3',
  'pop3s',
  'sieve',
]);
