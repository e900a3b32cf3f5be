/**
 * Clients and servers for the lines of a log: each session is counted here by what its other end saw, so
 * that what a log says can be held against it.
 */
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { sorted, type Traffic } from '../support/log.ts';

/** A log that a server wrote, and the sessions that it had, as their other ends saw them. */
export interface Logged {
  readonly log: string;
  readonly traffic: Traffic;
}

/** A kind of session, of which several are counted together. */
interface Kind {
  readonly direction: 'in' | 'out';
  readonly service: string;
  readonly protocol?: string | null;
  readonly cipher?: string | null;
  readonly reason?: string;
}

/** Counts sessions and peers by kind. */
export class Ledger {
  readonly #counted = new Map<string, { kind: Kind; list: keyof Traffic; peers: string[] }>();

  /** One session of a kind. */
  add(list: keyof Traffic, kind: Kind, peer: string): void {
    const key = JSON.stringify([list, kind]);
    const entry = this.#counted.get(key) ?? { kind, list, peers: [] };
    entry.peers.push(peer);
    this.#counted.set(key, entry);
  }

  /** All of them, in an order that `sorted` gives to what a log says. */
  traffic(): Traffic {
    const of = (name: keyof Traffic): object[] =>
      [...this.#counted.values()]
        .filter(({ list }) => list === name)
        .map(({ kind, peers }) => ({ ...kind, sessions: peers.length, peers: new Set(peers).size }));
    return sorted({
      sessions: of('sessions'),
      plaintext: of('plaintext'),
      refused: of('refused'),
      untold: of('untold'),
    });
  }
}

/** Milliseconds to wait for a server that says nothing. */
const PATIENCE = 15_000;

/** What TLS came to, as one end of it sees it. */
export interface Suite {
  readonly protocol: string;
  readonly cipher: string;
}

/** A client that speaks in lines, from an address that it names in a header of the PROXY protocol. */
export class LineClient {
  #socket: net.Socket;
  #buffer = '';
  #wake: (() => void) | null = null;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen();
  }

  /** Connects. @param from the address that the server is told; IPv6 where there is a colon in it; null: no header */
  static async open(port: number, from: string | null): Promise<LineClient> {
    const socket = net.connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    if (from === null) return new LineClient(socket);
    const [family, to] = from.includes(':') ? ['TCP6', '2001:db8::25'] : ['TCP4', '192.0.2.25'];
    // TLS that begins before it is sent would come first.
    await new Promise<void>((resolve) => {
      socket.write(`PROXY ${family} ${from} ${to} 40000 25\r\n`, () => resolve());
    });
    return new LineClient(socket);
  }

  #listen(): void {
    const wake = (): void => this.#wake?.();
    this.#socket.on('data', (data: Buffer) => {
      this.#buffer += data.toString('latin1');
      wake();
    });
    this.#socket.on('error', wake);
    this.#socket.on('close', wake);
    this.#socket.setTimeout(PATIENCE, () => this.#socket.destroy());
  }

  /** What the server says up to a line that matches, or until it hangs up. */
  async until(last: RegExp): Promise<string> {
    for (;;) {
      const found = last.exec(this.#buffer);
      if (found !== null) {
        const end = found.index + found[0].length;
        const text = this.#buffer.slice(0, end);
        this.#buffer = this.#buffer.slice(end);
        return text;
      }
      if (this.#socket.destroyed) return this.#buffer;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next reply of an SMTP server; of a command where one is given. */
  async smtp(command: string | null = null): Promise<string> {
    if (command !== null) this.#socket.write(`${command}\r\n`);
    return this.until(/^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/m);
  }

  /** Begins TLS. @returns null where it fails */
  async secure(options: tls.ConnectionOptions): Promise<Suite | null> {
    const plain = this.#socket;
    plain.removeAllListeners();
    const secure = tls.connect({
      socket: plain,
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      ...options,
    });
    const made = await new Promise<boolean>((resolve) => {
      secure.once('secureConnect', () => resolve(true));
      secure.once('error', () => resolve(false));
      secure.once('close', () => resolve(false));
      secure.setTimeout(PATIENCE, () => secure.destroy());
    });
    if (!made) {
      plain.destroy();
      return null;
    }
    secure.removeAllListeners('error');
    secure.removeAllListeners('close');
    this.#socket = secure;
    this.#listen();
    return { protocol: secure.getProtocol() ?? '', cipher: secure.getCipher().name };
  }

  /** Sends bytes as they are. */
  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Hangs up, and returns when the server has seen it. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.on('error', () => undefined);
      this.#socket.end();
      this.#socket.resume();
    });
  }
}

/** How a mail server of the other side deals with TLS; null: it does not offer it. The others do and fail. */
export type SinkTls = tls.SecureContextOptions | 'garbage' | 'hangup' | null;

/** A mail server of the other side, which takes every message. */
export interface Sink {
  readonly port: number;
  /** TLS of its connections, in their order; null for one without. */
  readonly connections: (Suite | null)[];
  readonly close: () => Promise<void>;
}

/** Starts a mail server on all addresses of the machine. */
export async function startSink(port: number, secure: SinkTls): Promise<Sink> {
  const connections: (Suite | null)[] = [];
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    const index = connections.push(null) - 1;
    serve(socket, secure, true, (suite) => {
      connections[index] = suite;
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', () => resolve()));
  const close = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port, connections, close };
}

function serve(socket: net.Socket, secure: SinkTls, greets: boolean, made: (suite: Suite) => void): void {
  let buffer = '';
  let data = false;
  const say = (line: string): boolean => socket.write(`${line}\r\n`);
  socket.on('error', () => undefined);
  socket.on('data', (piece: Buffer) => {
    buffer += piece.toString('latin1');
    for (;;) {
      const end = buffer.indexOf('\r\n');
      if (end < 0) return;
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      if (data) {
        if (line === '.') {
          data = false;
          say('250 taken');
        }
        continue;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO') {
        const offers = greets && secure !== null;
        say(offers ? '250-sink.example\r\n250 STARTTLS' : '250 sink.example');
      } else if (verb === 'STAR') {
        say('220 go on');
        socket.removeAllListeners('data');
        if (secure === 'hangup') socket.once('data', () => socket.end());
        else if (secure === 'garbage') socket.once('data', () => socket.end('this is no TLS\r\n'));
        else if (secure !== null) {
          const inner = new tls.TLSSocket(socket, {
            isServer: true,
            secureContext: tls.createSecureContext(secure),
          });
          inner.once('secure', () =>
            made({ protocol: inner.getProtocol() ?? '', cipher: inner.getCipher().name }),
          );
          serve(inner, null, false, made);
        }
        return;
      } else if (verb === 'DATA') {
        data = true;
        say('354 go on');
      } else if (verb === 'QUIT') {
        say('221 bye');
        socket.end();
      } else say('250 ok');
    }
  });
  if (greets) say('220 sink.example ESMTP');
}

/** Waits until a file holds a text so often; some seconds, then it is an error. */
export async function waitFor(file: string, pattern: RegExp, times: number): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'latin1') : '';
    if ((text.match(pattern)?.length ?? 0) >= times) return text;
    if (attempt > 150) throw new Error(`${pattern} is not ${times} times in:\n${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
