/**
 * What is said before TLS: greeting, capabilities, STARTTLS. SMTP: RFC 5321 and 3207; LMTP: RFC 2033;
 * IMAP: RFC 9051; POP3: RFC 1939, 2449 and 2595; ManageSieve: RFC 5804.
 */
import net from 'node:net';
import type { Connection, Reader } from './connection.ts';
import { ProbeFault } from './faults.ts';

/** The protocols that have a command to begin TLS. */
export type MailProtocol = 'smtp' | 'lmtp' | 'imap' | 'pop3' | 'sieve';

/** All of them, for what users write. */
export const MAIL_PROTOCOLS: readonly MailProtocol[] = ['smtp', 'lmtp', 'imap', 'pop3', 'sieve'];

/** What a server says of itself. */
export interface Said {
  /** Its first line or lines. */
  readonly greeting: string;
  /** What it can, one entry a capability, as it was written: `AUTH PLAIN LOGIN`, `AUTH=PLAIN`, `SASL PLAIN`. */
  readonly capabilities: readonly string[];
}

/** One protocol: how to ask for capabilities and for TLS. */
interface Speech {
  /** The whole greeting. */
  readonly greeting: Reader<string>;
  /** Whether a greeting welcomes the client; the others say that it should go away. */
  readonly welcome: RegExp;
  /** Says hello, where nothing else may be asked before; gives the capabilities. */
  readonly capabilities: (connection: Connection, greeting: string) => Promise<readonly string[]>;
  /** Whether STARTTLS may be asked for without asking for capabilities first. */
  readonly straight: boolean;
  readonly startTls: { readonly command: string; readonly reply: Reader<string>; readonly ok: RegExp };
  /** How STARTTLS is called among the capabilities. */
  readonly offer: RegExp;
}

/** Lines up to the one that `last` matches, that one with its end of line included. */
function linesUntil(last: RegExp): Reader<string> {
  return (bytes) => {
    const text = bytes.toString('latin1');
    for (let at = 0; ; ) {
      const end = text.indexOf('\n', at);
      if (end < 0) return null;
      if (last.test(text.slice(at, end).replace(/\r$/, '')))
        return { value: text.slice(0, end + 1), used: end + 1 };
      at = end + 1;
    }
  };
}

/** A line that is no line of SMTP ends a reply as well: whoever reads on would wait for ever. */
const REPLY = linesUntil(/^(?!\d{3}-)/);
const ONE_LINE = linesUntil(/^/);

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
}

function ehlo(command: 'EHLO' | 'LHLO'): Speech['capabilities'] {
  return async (connection) => {
    connection.write(`${command} ${ownName(connection.localAddress)}\r\n`);
    const reply = await connection.read(REPLY);
    if (!reply.startsWith('250')) {
      if (reply.startsWith('4'))
        throw new ProbeFault('busy', `it answered ${command} with "${reply.trim()}"`);
      return [];
    }
    return lines(reply)
      .slice(1)
      .map((line) => line.slice(4));
  };
}

/** An address as a name: right whatever the server thinks of names that do not resolve (RFC 5321 §4.1.3). */
function ownName(address: string): string {
  if (net.isIPv4(address)) return `[${address}]`;
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (net.isIPv4(plain)) return `[${plain}]`;
  return net.isIPv6(plain) ? `[IPv6:${plain}]` : '[127.0.0.1]';
}

const SMTP: Omit<Speech, 'capabilities'> = {
  greeting: REPLY,
  welcome: /^220/,
  straight: false,
  startTls: { command: 'STARTTLS', reply: REPLY, ok: /^220/ },
  offer: /^STARTTLS\b/i,
};

const SPEECHES: Readonly<Record<MailProtocol, Speech>> = {
  smtp: { ...SMTP, capabilities: ehlo('EHLO') },
  lmtp: { ...SMTP, capabilities: ehlo('LHLO') },
  imap: {
    greeting: ONE_LINE,
    welcome: /^\* (?:OK|PREAUTH)/i,
    straight: true,
    capabilities: async (connection) => {
      connection.write('a CAPABILITY\r\n');
      const reply = await connection.read(linesUntil(/^a /));
      const listed = /^\* CAPABILITY (.*)$/im.exec(reply.replaceAll('\r', ''))?.[1] ?? '';
      return listed.split(' ').filter((word) => word !== '');
    },
    startTls: { command: 'b STARTTLS', reply: linesUntil(/^b /), ok: /^b OK/im },
    offer: /^STARTTLS$/i,
  },
  pop3: {
    greeting: ONE_LINE,
    welcome: /^\+OK/i,
    straight: true,
    capabilities: async (connection) => {
      connection.write('CAPA\r\n');
      const first = await connection.read(ONE_LINE);
      if (!first.startsWith('+OK')) return [];
      return lines(await connection.read(linesUntil(/^\.$/))).slice(0, -1);
    },
    startTls: { command: 'STLS', reply: ONE_LINE, ok: /^\+OK/i },
    offer: /^STLS$/i,
  },
  sieve: {
    greeting: linesUntil(/^(?:OK|NO|BYE)\b/i),
    welcome: /^OK\b/im,
    straight: true,
    // The greeting is the list of capabilities.
    capabilities: async (_, greeting) => lines(greeting).slice(0, -1),
    startTls: { command: 'STARTTLS', reply: linesUntil(/^(?:OK|NO|BYE)\b/i), ok: /^OK\b/im },
    offer: /^"STARTTLS"/i,
  },
};

/** The greeting of a server that welcomes us. */
async function readGreeting(connection: Connection, { greeting: reader, welcome }: Speech): Promise<string> {
  const text = await connection.read(reader);
  if (!welcome.test(text)) {
    const quoted = text.trim().slice(0, 200);
    const busy = /^(?:[45]\d\d|\* BYE|-ERR|BYE|NO\b)/im.test(text);
    throw new ProbeFault(
      busy ? 'busy' : 'garbage',
      busy ? `it greets with "${quoted}"` : `another protocol is spoken here: "${quoted}"`,
    );
  }
  return text;
}

/**
 * Reads the greeting and asks for the capabilities.
 *
 * @throws ProbeFault
 */
export async function introduce(connection: Connection, protocol: MailProtocol): Promise<Said> {
  const speech = SPEECHES[protocol];
  const text = await readGreeting(connection, speech);
  return { greeting: text.trimEnd(), capabilities: await speech.capabilities(connection, text) };
}

/** Capabilities after TLS began: SMTP and LMTP say hello anew, ManageSieve tells them by itself. */
export async function capabilitiesAgain(
  connection: Connection,
  protocol: MailProtocol,
): Promise<readonly string[]> {
  const speech = SPEECHES[protocol];
  const text = protocol === 'sieve' ? await connection.read(speech.greeting) : '';
  return speech.capabilities(connection, text);
}

/** Whether the capabilities offer STARTTLS. */
export function offersStartTls(protocol: MailProtocol, capabilities: readonly string[]): boolean {
  return capabilities.some((capability) => SPEECHES[protocol].offer.test(capability));
}

/**
 * Asks for TLS, which begins with the next byte.
 *
 * @throws ProbeFault `starttls-refused` with what the server says
 */
export async function askForTls(connection: Connection, protocol: MailProtocol): Promise<void> {
  const { command, reply, ok } = SPEECHES[protocol].startTls;
  connection.write(`${command}\r\n`);
  const text = await connection.read(reply);
  if (!ok.test(text))
    throw new ProbeFault('starttls-refused', `it answers STARTTLS with "${text.trim().slice(0, 200)}"`);
}

/**
 * From a fresh connection to the point where the hello is sent, by the shortest way.
 *
 * @throws ProbeFault
 */
export async function leadToTls(connection: Connection, protocol: MailProtocol): Promise<void> {
  const speech = SPEECHES[protocol];
  const text = await readGreeting(connection, speech);
  if (!speech.straight) await speech.capabilities(connection, text);
  await askForTls(connection, protocol);
}

const GREETINGS: readonly (readonly [RegExp, MailProtocol])[] = [
  [/^220[ -]/, 'smtp'],
  [/^\* (?:OK|PREAUTH)/i, 'imap'],
  [/^\+OK/i, 'pop3'],
  [/^"IMPLEMENTATION"/i, 'sieve'],
];

/**
 * The protocol that a greeting is of; the greeting stays unread. LMTP greets as SMTP does.
 *
 * @throws ProbeFault
 */
export async function guessProtocol(connection: Connection): Promise<MailProtocol | null> {
  const first = await connection.read((bytes) => {
    const piece = ONE_LINE(bytes);
    return piece === null ? null : { value: piece.value, used: 0 };
  });
  return GREETINGS.find(([pattern]) => pattern.test(first))?.[1] ?? null;
}

/** The SASL mechanisms among capabilities, in the server's order. */
export function mechanisms(protocol: MailProtocol, capabilities: readonly string[]): readonly string[] {
  const found = capabilities.flatMap((capability) => {
    const [, list] = MECHANISMS[protocol].exec(capability) ?? [];
    return list === undefined ? [] : list.trim().split(/\s+/);
  });
  return [...new Set(found.filter((name) => name !== '').map((name) => name.toUpperCase()))];
}

const MECHANISMS: Readonly<Record<MailProtocol, RegExp>> = {
  // AUTH= is what clients of the last century understand.
  smtp: /^AUTH[ =](.*)$/i,
  lmtp: /^AUTH[ =](.*)$/i,
  imap: /^AUTH=(.*)$/i,
  pop3: /^SASL (.*)$/i,
  sieve: /^"SASL"\s+"(.*)"$/i,
};

/**
 * Whether the protocol's own command for name and password (LOGIN of IMAP, USER of POP3) is offered; null
 * where the protocol has none.
 */
export function offersLogin(protocol: MailProtocol, capabilities: readonly string[]): boolean | null {
  if (protocol === 'imap') return !capabilities.some((word) => /^LOGINDISABLED$/i.test(word));
  if (protocol === 'pop3') return capabilities.some((word) => /^USER$/i.test(word));
  return null;
}

/**
 * Whether a server of SMTP or LMTP takes no mail before TLS (530 of RFC 3207 §4). No mail is sent: the
 * connection is closed after the answer to MAIL.
 *
 * @throws ProbeFault
 */
export async function asksForTls(connection: Connection, protocol: 'smtp' | 'lmtp'): Promise<boolean> {
  const speech = SPEECHES[protocol];
  const text = await readGreeting(connection, speech);
  await speech.capabilities(connection, text);
  connection.write('MAIL FROM:<>\r\n');
  return (await connection.read(REPLY)).startsWith('530');
}
