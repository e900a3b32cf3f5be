import { constants } from 'node:crypto';
import tls from 'node:tls';
import { Connection } from './connection.ts';
import { askForTls, capabilitiesAgain, introduce, type MailProtocol, offersStartTls } from './dialogue.ts';
import { ProbeFault } from './faults.ts';
import type { Place } from './question.ts';

/** What a client sees that behaves as clients do. */
export interface Look {
  /** Null where the server did not greet in clear, or at all. */
  readonly greeting: string | null;
  /** Null where TLS begins with the first byte, or the server did not tell. */
  readonly beforeTls: readonly string[] | null;
  /** Null where TLS could not be finished, or the server did not tell. */
  readonly afterTls: readonly string[] | null;
  /** The server's own certificate in DER as a finished handshake shows it; null where there was none. */
  readonly certificate: Buffer | null;
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
 * @param spoken the protocol behind implicit TLS; null where nobody knows it
 * @throws ProbeFault where the port cannot be reached or does not speak the protocol
 */
export async function look(
  place: Place,
  spoken: MailProtocol | null,
  serverName: string | null,
  milliseconds: number,
): Promise<Look> {
  const connection = await Connection.open(place.host, place.port, milliseconds);
  const { startTls } = place;
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
        return { ...before, afterTls: null, certificate: null, fault: error };
      }
    }
    return { ...before, ...(await lookInside(connection, startTls, spoken, serverName, milliseconds)) };
  } finally {
    connection.close();
  }
}

async function lookInside(
  connection: Connection,
  startTls: MailProtocol | null,
  spoken: MailProtocol | null,
  serverName: string | null,
  milliseconds: number,
): Promise<Pick<Look, 'afterTls' | 'certificate' | 'fault'>> {
  const secure = await secured(connection, serverName, milliseconds);
  if (secure === null) return { afterTls: null, certificate: null, fault: null };
  const certificate = secure.getPeerX509Certificate()?.raw ?? null;
  const inside = new Connection(secure, milliseconds);
  try {
    let afterTls: readonly string[] | null = null;
    if (startTls !== null) afterTls = await capabilitiesAgain(inside, startTls);
    else if (spoken !== null) afterTls = (await introduce(inside, spoken)).capabilities;
    return { afterTls, certificate, fault: null };
  } catch (error) {
    if (!(error instanceof ProbeFault)) throw error;
    return { afterTls: null, certificate, fault: null };
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
