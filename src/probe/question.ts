import { Connection } from './connection.ts';
import { leadToTls, type MailProtocol } from './dialogue.ts';
import { ProbeFault } from './faults.ts';
import { type Flight, FlightReader } from './flight.ts';

/** Where to connect and how TLS begins there. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** The protocol whose STARTTLS is used; null where TLS begins with the first byte. */
  readonly startTls: MailProtocol | null;
}

/** How a server took a hello. */
export type Answer =
  /** It chose a suite and sent all that belongs to its answer. */
  | { readonly kind: 'hello'; readonly flight: Flight }
  /** It chose a suite and then failed. */
  | { readonly kind: 'broken'; readonly flight: Flight }
  /** It refused with an alert. */
  | { readonly kind: 'alert'; readonly alert: number }
  /** It hung up without a word. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'garbage'; readonly text: string };

/** A flight may be as long as its reader allows. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

/**
 * Asks one question on a connection of its own: leads up to TLS, sends the hello, reads the answer, hangs up.
 *
 * @throws ProbeFault where it does not get as far as the hello
 */
export async function ask(place: Place, hello: Buffer, milliseconds: number, v2 = false): Promise<Answer> {
  const connection = await Connection.open(place.host, place.port, milliseconds);
  try {
    if (place.startTls !== null) await leadToTls(connection, place.startTls);
    connection.write(hello);
    return await readAnswer(connection, v2);
  } finally {
    connection.close();
  }
}

async function readAnswer(connection: Connection, v2: boolean): Promise<Answer> {
  const reader = new FlightReader(v2);
  try {
    while (!reader.finished) {
      await connection.read((bytes) => {
        if (bytes.length === 0) return null;
        reader.push(bytes);
        return { value: null, used: bytes.length };
      }, NO_LIMIT);
    }
  } catch (error) {
    if (!(error instanceof ProbeFault)) throw error;
    if (reader.flight.suite === null && error.kind === 'timeout') return { kind: 'timeout' };
  }
  return answerOf(reader.flight);
}

function answerOf(flight: Flight): Answer {
  if (flight.garbage !== null) return { kind: 'garbage', text: flight.garbage };
  if (flight.done) return { kind: 'hello', flight };
  if (flight.suite !== null) return { kind: 'broken', flight };
  return flight.alert === null ? { kind: 'closed' } : { kind: 'alert', alert: flight.alert };
}
