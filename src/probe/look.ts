import { constants } from 'node:crypto';
import tls from 'node:tls';
import { Connection } from './connection.ts';
import {
  askForTls,
  capabilitiesAgain,
  guessProtocol,
  introduce,
  type MailProtocol,
  offersStartTls,
} from './dialogue.ts';
import { ProbeFault } from './faults.ts';
import type { Place } from './question.ts';

/** What a client sees that behaves as clients do. */
export interface Look {
  /** What it says first, in clear or behind TLS; null where it says nothing. */
  readonly greeting: string | null;
  /** Null where TLS begins with the first byte, or the server did not tell. */
  readonly beforeTls: readonly string[] | null;
  /** Null where TLS could not be finished, or the server did not tell. */
  readonly afterTls: readonly string[] | null;
  /** The server's own certificate in DER as a finished handshake shows it; null where there was none. */
  readonly certificate: Buffer | null;
  /** The protocol that is spoken; null where it is not known. */
  readonly spoken: MailProtocol | null;
  /** The address that a name led to. */
  readonly remoteAddress: string | null;
  /** The address that the connection came from. */
  readonly localAddress: string | null;
  /** Why there is no TLS; null where there may be. */
  readonly fault: ProbeFault | null;
}

/** Whatever Node's own library can: the raw questions see what it cannot. */
const ANY_TLS: tls.ConnectionOptions = {
  rejectUnauthorized: false,
  minVersion: 'TLSv1',
  // DHE comes last: a server may offer it and break on it.
  ciphers: 'ECDHE:RSA:ALL:aNULL:+DHE:@SECLEVEL=0',
  secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
};

/**
 * Has a look at a port on one connection: greeting, capabilities, STARTTLS, and capabilities again.
 *
 * @param expected the protocol behind implicit TLS; null where none is to be expected, undefined
 *   where the greeting has to tell
 * @throws ProbeFault where the port cannot be reached or does not speak the protocol
 */
export async function look(
  place: Place,
  expected: MailProtocol | null | undefined,
  serverName: string | null,
  milliseconds: number,
): Promise<Look> {
  const connection = await Connection.open(place.host, place.port, milliseconds);
  const { startTls } = place;
  const ends = { remoteAddress: connection.remoteAddress, localAddress: connection.localAddress };
  let before: Pick<Look, 'greeting' | 'beforeTls'> = { greeting: null, beforeTls: null };
  try {
    if (startTls !== null) {
      const { greeting, capabilities } = await introduce(connection, startTls);
      before = { greeting, beforeTls: capabilities };
      try {
        if (!offersStartTls(startTls, capabilities))
          throw new ProbeFault('no-starttls', 'it does not offer STARTTLS');
        await askForTls(connection, startTls);
      } catch (error) {
        if (!(error instanceof ProbeFault)) throw error;
        return { ...NOTHING, ...before, spoken: startTls, ...ends, fault: error };
      }
    }
    const inside = await lookInside(connection, startTls, expected, serverName, milliseconds);
    return { ...inside, ...before, greeting: before.greeting ?? inside.greeting, ...ends, fault: null };
  } finally {
    connection.close();
  }
}

/** Milliseconds to wait for a greeting that may never come: what speaks first is not known. */
const GUESSING = 2000;

/** What can be seen only when TLS has begun. */
type Inside = Pick<Look, 'greeting' | 'afterTls' | 'certificate' | 'spoken'>;

const NOTHING = { greeting: null, afterTls: null, certificate: null } as const;

async function lookInside(
  connection: Connection,
  startTls: MailProtocol | null,
  expected: MailProtocol | null | undefined,
  serverName: string | null,
  milliseconds: number,
): Promise<Inside> {
  const secure = await secured(connection, serverName, milliseconds);
  if (secure === null) return { ...NOTHING, spoken: startTls ?? expected ?? null };
  const known: Inside = {
    ...NOTHING,
    certificate: secure.getPeerX509Certificate()?.raw ?? null,
    spoken: startTls ?? expected ?? null,
  };
  if (startTls === null && expected === null) {
    secure.destroy();
    return known;
  }
  const inside = new Connection(
    secure,
    expected === undefined ? Math.min(milliseconds, GUESSING) : milliseconds,
  );
  try {
    if (startTls !== null) return { ...known, afterTls: await capabilitiesAgain(inside, startTls) };
    const spoken = expected ?? (await guessProtocol(inside));
    if (spoken === null) return known;
    const { greeting, capabilities } = await introduce(inside, spoken);
    return { ...known, greeting, afterTls: capabilities, spoken };
  } catch (error) {
    if (!(error instanceof ProbeFault)) throw error;
    return known;
  } finally {
    inside.close();
  }
}

function secured(
  connection: Connection,
  serverName: string | null,
  milliseconds: number,
): Promise<tls.TLSSocket | null> {
  return new Promise((resolve) => {
    const socket = connection.release();
    socket.on('error', () => undefined);
    const secure = tls.connect({
      ...ANY_TLS,
      socket,
      ...(serverName === null ? {} : { servername: serverName }),
    });
    const settle = (result: tls.TLSSocket | null): void => {
      clearTimeout(timer);
      if (result === null) secure.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => settle(null), milliseconds);
    secure.on('error', () => settle(null));
    secure.once('close', () => settle(null));
    secure.once('secureConnect', () => settle(secure));
  });
}
