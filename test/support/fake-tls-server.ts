/**
 * A server that answers client hellos by a table: it stands for libraries that no reference system has any
 * more (SSLv2, SSLv3, export and RC4 suites), and for servers that misbehave. It reads hellos by itself, so
 * that a wrong hello of the prober is not understood here either.
 */
import net from 'node:net';

/** What a hello offered. */
export interface SeenHello {
  /** Bytes of the whole record. */
  readonly length: number;
  readonly recordVersion: number;
  /** The newest version offered: of supported_versions, else that of the hello. */
  readonly version: number;
  readonly suites: readonly number[];
  readonly extensions: ReadonlyMap<number, Buffer>;
}

/** What to do with a hello: a suite to choose, bytes to send, or nothing but to hang up. */
export type Reaction = { readonly suite: number } | { readonly bytes: Buffer } | 'hang-up' | 'silence';

/** How a server answers. */
export interface Behaviour {
  /** The text that is sent first; none for implicit TLS. */
  readonly greeting?: string;
  /** Answers to lines of text; `null` begins TLS after it. Lines without an answer are ignored. */
  readonly lines?: (line: string) => { readonly reply: string; readonly tls?: boolean } | null;
  readonly hello: (hello: SeenHello) => Reaction;
  /** What is sent for a hello of SSLv2; nothing and the end by default. */
  readonly helloV2?: (kinds: readonly number[]) => Buffer;
  /** DER of the certificates sent below TLSv1.3. */
  readonly certificates?: readonly Buffer[];
  /** The ServerKeyExchange of a suite; none by default. */
  readonly keyExchange?: (suite: number, hello: SeenHello) => Buffer | null;
  /** Connections that are served before the others are shut out. */
  readonly most?: number;
}

/** A running server. */
export interface FakeServer {
  readonly port: number;
  readonly hellos: readonly SeenHello[];
  /** Connections so far. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** An alert as a record. */
export function alert(description: number, level = 2): Buffer {
  return Buffer.from([21, 3, 1, 0, 2, level, description]);
}

/** A handshake message without its record. */
export function message(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), number(body.length, 3), body]);
}

/** A record of handshake messages. */
export function record(version: number, ...messages: readonly Buffer[]): Buffer {
  const content = Buffer.concat(messages);
  return Buffer.concat([
    Buffer.from([22]),
    number(Math.min(version, 0x0303), 2),
    number(content.length, 2),
    content,
  ]);
}

/** The message of a server's hello. */
export function serverHello(version: number, suite: number, retryGroup: number | null = null): Buffer {
  const retry = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');
  const modern = version === 0x0304;
  const extensions = modern
    ? Buffer.concat([
        Buffer.from([0, 43, 0, 2, 3, 4]),
        retryGroup === null
          ? Buffer.concat([Buffer.from([0, 51, 0, 36, 0, 29, 0, 32]), Buffer.alloc(32, 9)])
          : Buffer.concat([Buffer.from([0, 51, 0, 2]), number(retryGroup, 2)]),
      ])
    : null;
  return message(
    2,
    Buffer.concat([
      number(Math.min(version, 0x0303), 2),
      retryGroup === null ? Buffer.alloc(32, 7) : retry,
      Buffer.from([0]),
      number(suite, 2),
      Buffer.from([0]),
      ...(extensions === null ? [] : [number(extensions.length, 2), extensions]),
    ]),
  );
}

/** Numbers as bytes, most significant first. */
export function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

/** Chooses by a table of suites for each version, in the server's order or the client's. */
export function byTable(
  table: Readonly<Record<number, readonly number[]>>,
  decides: 'server' | 'client' = 'server',
): (hello: SeenHello) => Reaction {
  return ({ version, suites }) => {
    const known = table[version];
    if (known === undefined) return { bytes: alert(70) };
    const suite =
      decides === 'server'
        ? known.find((id) => suites.includes(id))
        : suites.find((id) => known.includes(id));
    return suite === undefined ? { bytes: alert(40) } : { suite };
  };
}

/** Starts a server on a free port of loopback. */
export async function fakeServer(behaviour: Behaviour): Promise<FakeServer> {
  const hellos: SeenHello[] = [];
  const open = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    if (connections > (behaviour.most ?? Number.POSITIVE_INFINITY)) {
      socket.destroy();
      return;
    }
    serve(socket, behaviour, hellos);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    hellos,
    connections: () => connections,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(socket: net.Socket, behaviour: Behaviour, hellos: SeenHello[]): void {
  let text = behaviour.lines !== undefined;
  let answered = false;
  let buffer = Buffer.alloc(0);
  if (behaviour.greeting !== undefined) socket.write(behaviour.greeting);
  socket.on('data', (data) => {
    if (answered) return;
    buffer = Buffer.concat([buffer, data]);
    while (text) {
      const end = buffer.indexOf('\n');
      if (end < 0) return;
      const line = buffer.subarray(0, end).toString('latin1').trimEnd();
      buffer = buffer.subarray(end + 1);
      const answer = behaviour.lines?.(line) ?? null;
      if (answer === null) continue;
      socket.write(answer.reply);
      if (answer.tls === true) text = false;
    }
    const first = buffer[0] ?? 0;
    if (first >= 0x80 && buffer.length > 2) {
      const { helloV2 } = behaviour;
      if (helloV2 !== undefined) socket.write(helloV2(kindsOf(buffer)));
      socket.end();
    } else if (buffer.length >= 5 && buffer.length >= 5 + buffer.readUInt16BE(3)) {
      answered = true;
      const hello = parseHello(buffer);
      hellos.push(hello);
      react(socket, behaviour, hello);
    }
  });
}

function react(socket: net.Socket, behaviour: Behaviour, hello: SeenHello): void {
  const reaction = behaviour.hello(hello);
  if (reaction === 'silence') return;
  if (reaction === 'hang-up') {
    socket.destroy();
  } else if ('bytes' in reaction) {
    socket.end(reaction.bytes);
  } else {
    const { suite } = reaction;
    const messages = [serverHello(hello.version, suite)];
    if (hello.version < 0x0304) {
      const list = (behaviour.certificates ?? []).map((der) => Buffer.concat([number(der.length, 3), der]));
      const chain = Buffer.concat(list);
      if (chain.length > 0) messages.push(message(11, Buffer.concat([number(chain.length, 3), chain])));
      const exchange = behaviour.keyExchange?.(suite, hello) ?? null;
      if (exchange !== null) messages.push(message(12, exchange));
      messages.push(message(14, Buffer.alloc(0)));
    }
    socket.write(record(hello.version, ...messages));
  }
}

function kindsOf(buffer: Buffer): number[] {
  const count = buffer.readUInt16BE(5) / 3;
  return Array.from({ length: count }, (_, index) => buffer.readUIntBE(11 + index * 3, 3));
}

/** Reads a client hello in one record; throws where it is none. */
export function parseHello(buffer: Buffer): SeenHello {
  if (buffer[0] !== 22 || buffer[5] !== 1) throw new Error('not a client hello');
  const body = buffer.subarray(9);
  let version = body.readUInt16BE(0);
  let at = 34;
  at += 1 + body.readUInt8(at);
  const suites = Array.from({ length: body.readUInt16BE(at) / 2 }, (_, index) =>
    body.readUInt16BE(at + 2 + index * 2),
  );
  at += 2 + body.readUInt16BE(at);
  at += 1 + body.readUInt8(at);
  const extensions = new Map<number, Buffer>();
  if (at < body.length) {
    if (body.readUInt16BE(at) !== body.length - at - 2) throw new Error('extensions of a wrong length');
    at += 2;
    while (at < body.length) {
      const length = body.readUInt16BE(at + 2);
      extensions.set(body.readUInt16BE(at), body.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
  }
  if (
    body.readUInt16BE(0) > 0x0303 ||
    buffer.readUInt16BE(3) !== buffer.length - 5 ||
    body.length !== buffer.readUIntBE(6, 3)
  )
    throw new Error('a hello of a wrong length or version');
  const versions = extensions.get(43);
  if (versions !== undefined) version = versions.readUInt16BE(1);
  return { length: buffer.length, recordVersion: buffer.readUInt16BE(1), version, suites, extensions };
}
