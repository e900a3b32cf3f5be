import net from 'node:net';
import type { Duplex } from 'node:stream';
import { ProbeFault } from './faults.ts';

/** No banner and no list of capabilities is longer; what is, is cut off. */
const MOST_TEXT = 64 * 1024;

/** Reads one piece from what has come: the value and how many bytes it took, or null when more is needed. */
export type Reader<T> = (bytes: Buffer) => { readonly value: T; readonly used: number } | null;

/** One connection to a server that ends at its deadline, whatever the server does. */
export class Connection {
  readonly #stream: Duplex;
  #buffer: Buffer = Buffer.alloc(0);
  #fault: ProbeFault | null = null;
  #wake: (() => void) | null = null;
  readonly #timer: NodeJS.Timeout;

  /** @param milliseconds from now until the connection is ended */
  constructor(stream: Duplex, milliseconds: number) {
    this.#stream = stream;
    this.#timer = setTimeout(() => this.#end(new ProbeFault('timeout', 'no answer in time')), milliseconds);
    stream.on('data', this.#onData);
    stream.on('error', this.#onError);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onEnd);
  }

  readonly #onData = (data: Buffer): void => {
    this.#buffer = this.#buffer.length === 0 ? data : Buffer.concat([this.#buffer, data]);
    this.#wake?.();
  };

  readonly #onError = (error: NodeJS.ErrnoException): void =>
    this.#end(new ProbeFault('closed', `the connection broke (${error.code ?? error.message})`));

  readonly #onEnd = (): void => this.#end(new ProbeFault('closed', 'the server hung up'));

  #end(fault: ProbeFault): void {
    this.#fault ??= fault;
    this.#wake?.();
  }

  /**
   * Connects.
   *
   * @throws ProbeFault `unreachable`, `timeout` where nothing answers, `closed` where it is cut at once
   */
  static open(host: string, port: number, milliseconds: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host, port, noDelay: true });
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new ProbeFault('timeout', 'no connection in time'));
      }, milliseconds);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new Connection(socket, milliseconds));
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        const kind = error.code === 'ECONNRESET' ? 'closed' : 'unreachable';
        reject(new ProbeFault(kind, `no connection (${error.code ?? error.message})`));
      });
    });
  }

  /** The address of this end, for a greeting that needs one; empty where the stream has none. */
  get localAddress(): string {
    return this.#stream instanceof net.Socket ? (this.#stream.localAddress ?? '') : '';
  }

  /** The address of the server that a name led to; null where the stream has none. */
  get remoteAddress(): string | null {
    return this.#stream instanceof net.Socket ? (this.#stream.remoteAddress ?? null) : null;
  }

  write(data: string | Buffer): void {
    if (this.#fault === null) this.#stream.write(data);
  }

  /**
   * Waits for one piece of what the server sends.
   *
   * @throws ProbeFault when the server hangs up, says nothing in time, or `most` bytes hold no such piece
   */
  async read<T>(reader: Reader<T>, most = MOST_TEXT): Promise<T> {
    for (;;) {
      const piece = reader(this.#buffer);
      if (piece !== null) {
        this.#buffer = this.#buffer.subarray(piece.used);
        return piece.value;
      }
      if (this.#buffer.length > most)
        throw new ProbeFault('too-long', `more than ${most} bytes without an end`);
      if (this.#fault !== null) throw this.#fault;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  /** Gives the stream away to a TLS library; this connection is over. */
  release(): Duplex {
    clearTimeout(this.#timer);
    this.#stream.off('data', this.#onData);
    this.#stream.off('error', this.#onError);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onEnd);
    return this.#stream;
  }

  close(): void {
    this.release();
    // Whatever still comes must not end the process.
    this.#stream.on('error', () => undefined);
    this.#stream.destroy();
  }
}
