import net from 'node:net';
import type { MailProtocol } from './dialogue.ts';

/** A port that a user names. */
export interface NamedPort {
  readonly host: string;
  readonly port: number;
}

/** How a port is spoken to. */
export interface Manner {
  /** The protocol whose STARTTLS is used; null for implicit TLS. */
  readonly starttls: MailProtocol | null;
  /** The protocol that is spoken; undefined where the greeting has to tell. */
  readonly spoken: MailProtocol | undefined;
}

/** No call looks at more ports: it is no scanner of networks. */
export const MOST_TARGETS = 32;

const DEFAULT_PORT = 25;

/**
 * Reads `HOST`, `HOST:PORT`, `[ADDRESS]:PORT` or an address of IPv6. Ranges, lists and networks are nothing
 * that can be named.
 *
 * @returns the port, 25 where none is named; or what is wrong, as the rest of a sentence
 */
export function readTarget(text: string): NamedPort | string {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) {
    const [, address = '', port] = bracketed;
    if (!net.isIPv6(address)) return `"${address}" is no address of IPv6`;
    return withPort(address, port);
  }
  if (net.isIPv6(text)) return { host: text, port: DEFAULT_PORT };
  const [, host = '', port] = /^([^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (host.includes('/')) return 'networks are not probed: name each port as HOST:PORT';
  const name =
    /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/i;
  if (!name.test(host) || (/^[\d.-]+$/.test(host) && !net.isIPv4(host)))
    return 'it is no HOST:PORT; an address of IPv6 stands in brackets, [::1]:25';
  return withPort(host, port);
}

function withPort(host: string, text: string | undefined): NamedPort | string {
  if (text === undefined) return { host, port: DEFAULT_PORT };
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return { host, port };
  if (/^\d+[-,]/.test(text)) return 'ranges and lists of ports are not probed: name each port as HOST:PORT';
  return `"${text}" is no port`;
}

/** Ports by what is spoken there, as IANA's registry and the servers' own defaults have them. */
const STARTTLS_PORTS: Readonly<Record<number, MailProtocol>> = {
  24: 'lmtp',
  25: 'smtp',
  587: 'smtp',
  2525: 'smtp',
  110: 'pop3',
  143: 'imap',
  4190: 'sieve',
};
const IMPLICIT_PORTS: Readonly<Record<number, MailProtocol>> = { 465: 'smtp', 993: 'imap', 995: 'pop3' };

/**
 * How to speak to a port.
 *
 * @param asked the protocol that the user names, `none` for implicit TLS; undefined: the port tells
 * @returns null where nobody tells
 */
export function mannerOf(port: number, asked: MailProtocol | 'none' | undefined): Manner | null {
  const known = IMPLICIT_PORTS[port] ?? STARTTLS_PORTS[port];
  if (asked === 'none') return { starttls: null, spoken: known };
  if (asked !== undefined) return { starttls: asked, spoken: asked };
  if (known === undefined) return null;
  return { starttls: port in IMPLICIT_PORTS ? null : known, spoken: known };
}
