import net from 'node:net';
import type { FaultKind } from '../../src/probe/faults.ts';
import { Gate } from '../../src/probe/gate.ts';
import { probe } from '../../src/probe/probe.ts';
import type { ProbeTarget } from '../../src/probe/session.ts';
import {
  alert,
  type Behaviour,
  byTable,
  fakeServer,
  record,
  serverHello,
} from '../support/fake-tls-server.ts';

// Servers that are broken, busy, or something else altogether: each is a fault in the result, in time.

// What the tests say hangs on no clock: servers that act have far more time than they need, and of those
// that never do it is said only that the probe ends.
jest.setTimeout(60_000);

const TIMEOUT = 20_000;

/** For servers that never answer: nothing is lost when it is over early. */
const SHORT = 300;

async function probed(port: number, target: Partial<ProbeTarget> = {}) {
  return probe({ host: '127.0.0.1', port, starttls: 'smtp', timeoutMs: TIMEOUT, totalMs: 50_000, ...target });
}

/** A server that does one thing with each connection. */
async function withServer<T>(
  serve: (socket: net.Socket, number: number) => void,
  task: (port: number) => Promise<T>,
): Promise<T> {
  const open = new Set<net.Socket>();
  let number = 0;
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    serve(socket, number++);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await task((server.address() as net.AddressInfo).port);
  } finally {
    for (const socket of open) socket.destroy();
    server.close();
  }
}

const GREETING = '220 mail.example.org ESMTP\r\n';
const EHLO = '250-mail.example.org\r\n250-STARTTLS\r\n250 8BITMIME\r\n';

/** Answers SMTP line by line. */
function smtp(socket: net.Socket, answers: Readonly<Record<string, string>>, then?: () => void): void {
  socket.write(GREETING);
  let began = false;
  socket.on('data', (data) => {
    if (began) return;
    const [command = ''] = data.toString('latin1').trim().split(' ');
    const answer = answers[command] ?? '502 no\r\n';
    socket.write(answer);
    if (command === 'STARTTLS' && answer.startsWith('220')) {
      began = true;
      then?.();
    }
  });
}

const STARTTLS = { EHLO, STARTTLS: '220 go ahead\r\n' };

interface Case {
  readonly what: string;
  readonly serve: (socket: net.Socket, number: number) => void;
  /** One of them: on a busy machine time may be over earlier on the way. */
  readonly kinds: readonly FaultKind[];
  readonly text: RegExp;
  readonly target?: Partial<ProbeTarget>;
}

/** More than anybody reads, in pieces. */
const flood = (socket: net.Socket, text: string): void => {
  const piece = text.repeat(Math.ceil(20_000 / text.length));
  for (let sent = 0; sent < 400_000; sent += piece.length) socket.write(piece, 'latin1');
};

const CASES: readonly Case[] = [
  {
    what: 'says nothing',
    serve: () => undefined,
    kinds: ['timeout'],
    text: /in time/,
    target: { timeoutMs: SHORT },
  },
  { what: 'hangs up at once', serve: (socket) => socket.destroy(), kinds: ['closed'], text: /./ },
  { what: 'resets', serve: (socket) => socket.resetAndDestroy(), kinds: ['closed'], text: /./ },
  { what: 'closes its half', serve: (socket) => socket.end(), kinds: ['closed'], text: /hung up/ },
  {
    what: 'greets without an end',
    serve: (socket) => flood(socket, '220-and more\r\n'),
    kinds: ['too-long'],
    text: /65536 bytes/,
  },
  {
    what: 'greets in one endless line',
    serve: (socket) => flood(socket, 'x'.repeat(1000)),
    kinds: ['too-long'],
    text: /65536 bytes/,
  },
  {
    what: 'sends half a greeting',
    serve: (socket) => socket.write('220 mail'),
    kinds: ['timeout'],
    text: /in time/,
    target: { timeoutMs: SHORT },
  },
  {
    what: 'is busy',
    serve: (socket) => socket.end('421 4.7.0 too many connections\r\n'),
    kinds: ['busy'],
    text: /421 4\.7\.0 too many connections/,
  },
  {
    what: 'refuses us',
    serve: (socket) => socket.end('554 5.7.1 no\r\n'),
    kinds: ['busy'],
    text: /554 5\.7\.1 no/,
  },
  {
    what: 'speaks IMAP',
    serve: (socket) => socket.write('* OK ready\r\n'),
    kinds: ['garbage'],
    text: /another protocol is spoken here: "\* OK ready"/,
  },
  {
    what: 'speaks bytes',
    serve: (socket) => socket.write(Buffer.from([0, 1, 2, 10])),
    kinds: ['garbage'],
    text: /another protocol/,
  },
  {
    what: 'knows no EHLO',
    serve: (socket) => smtp(socket, {}),
    kinds: ['no-starttls'],
    text: /does not offer/,
  },
  {
    what: 'offers no STARTTLS',
    serve: (socket) => smtp(socket, { EHLO: '250 mail.example.org\r\n' }),
    kinds: ['no-starttls'],
    text: /does not offer/,
  },
  {
    what: 'refuses STARTTLS',
    serve: (socket) => smtp(socket, { EHLO, STARTTLS: '454 4.7.0 TLS not available\r\n' }),
    kinds: ['starttls-refused'],
    text: /454 4\.7\.0 TLS not available/,
  },
  {
    what: 'is silent after STARTTLS',
    serve: (socket) => smtp(socket, STARTTLS),
    kinds: ['incomplete', 'timeout'],
    text: /left unanswered|in time/,
    target: { timeoutMs: SHORT },
  },
  {
    what: 'hangs up after STARTTLS',
    serve: (socket) => smtp(socket, STARTTLS, () => socket.destroy()),
    kinds: ['no-handshake'],
    text: /agreed/,
  },
  {
    what: 'goes on in clear after STARTTLS',
    serve: (socket) => smtp(socket, STARTTLS, () => socket.write('500 what?\r\n')),
    kinds: ['incomplete'],
    text: /the answer is no TLS/,
  },
  {
    what: 'sends an alert after STARTTLS',
    serve: (socket) => smtp(socket, STARTTLS, () => socket.end(alert(40))),
    kinds: ['no-handshake'],
    text: /agreed/,
  },
  {
    what: 'talks in clear where TLS is implicit',
    serve: (socket) => socket.write(GREETING),
    kinds: ['incomplete'],
    text: /the answer is no TLS/,
    target: { starttls: null },
  },
  {
    what: 'says nothing where TLS is implicit',
    serve: () => undefined,
    kinds: ['incomplete', 'timeout'],
    text: /left unanswered|in time/,
    target: { starttls: null, timeoutMs: SHORT },
  },
  {
    what: 'floods records',
    serve: (socket) => flood(socket, '\u0016\u0003\u0003\u0000\u0004\u0000\u0000\u0000\u0000'.repeat(100)),
    kinds: ['incomplete', 'timeout'],
    text: /does not end|left unanswered|in time/,
    target: { starttls: null, timeoutMs: 5 * SHORT },
  },
];

test.concurrent.each(CASES)('a server that $what', async ({ serve, kinds, text, target }) => {
  await withServer(serve, async (port) => {
    const seen = await probed(port, target);
    expect(seen.tls.protocols).toEqual([]);
    const fitting = seen.faults.filter((fault) => kinds.includes(fault.kind) && text.test(fault.text));
    expect({ faults: seen.faults, fitting: fitting.length > 0 }).toMatchObject({ fitting: true });
    const whole = ['no-starttls', 'starttls-refused', 'no-handshake'];
    expect(seen.complete).toBe(kinds.some((kind) => whole.includes(kind)));
  });
});

test('a port where nothing listens', async () => {
  const port = await withServer(
    () => undefined,
    async (free) => free,
  );
  const seen = await probed(port);
  expect(seen.faults).toEqual([{ kind: 'unreachable', text: 'no connection (ECONNREFUSED)', count: 1 }]);
  expect(seen).toMatchObject({ connections: 1, complete: false, remoteAddress: null });
});

test('a name that does not exist', async () => {
  const seen = await probed(25, { host: 'nowhere.invalid' });
  expect(seen.faults).toEqual([
    { kind: 'unreachable', text: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/), count: 1 },
  ]);
});

const TABLE = { 0x0303: [0xc02f, 0x009c], 0x0304: [0x1301] };

test('a server that is busy at times is asked again, with fewer connections at a time', async () => {
  let turned = 0;
  const tls = await fakeServer({ hello: byTable(TABLE) });
  try {
    await withServer(
      (socket, number) => {
        if (number % 5 === 3) {
          turned++;
          socket.end('421 later\r\n');
          return;
        }
        smtp(socket, STARTTLS, () => {
          const inner = net.connect(tls.port, '127.0.0.1');
          inner.on('error', () => undefined);
          socket.on('data', (data) => inner.write(data));
          inner.pipe(socket);
        });
      },
      async (port) => {
        const seen = await probed(port);
        expect(seen.tls.ciphers.map(({ name }) => name)).toEqual([
          'ECDHE-RSA-AES128-GCM-SHA256',
          'AES128-GCM-SHA256',
          'TLS_AES_128_GCM_SHA256',
        ]);
        expect(seen.complete).toBe(true);
        expect(seen.faults).toEqual([{ kind: 'busy', text: 'it greets with "421 later"', count: turned }]);
      },
    );
  } finally {
    await tls.close();
  }
});

describe('TLS that goes wrong:', () => {
  const rows: readonly (readonly [string, Behaviour, RegExp])[] = [
    [
      'a suite that was not offered',
      { hello: ({ version }) => ({ bytes: record(version, serverHello(version, 0x1302 + 9)) }) },
      /which was not offered/,
    ],
    [
      'a hello that is cut off',
      { hello: ({ version }) => ({ bytes: record(version, serverHello(version, 0xc02f)).subarray(0, 30) }) },
      /agreed/,
    ],
    [
      'a hello that is shorter than it says',
      { hello: () => ({ bytes: record(0x0303, Buffer.from([2, 0, 0, 5, 3, 3, 0, 0, 0])) }) },
      /shorter than it says/,
    ],
    ['HTTP', { hello: () => ({ bytes: Buffer.from('HTTP/1.0 400 Bad Request\r\n\r\n') }) }, /no TLS/],
    ['no answer', { hello: () => 'silence' }, /left unanswered|in time/],
    [
      'a lower version, always',
      { hello: ({ suites }) => ({ bytes: record(0x0300, serverHello(0x0200, suites[0] ?? 0)) }) },
      /agreed/,
    ],
  ];

  test.each(rows)('%s', async (reacts, behaviour, text) => {
    const server = await fakeServer(behaviour);
    try {
      const timeoutMs = reacts === 'no answer' ? SHORT : TIMEOUT;
      const seen = await probed(server.port, { starttls: null, spoken: null, timeoutMs });
      expect(seen.tls.protocols).toEqual([]);
      expect(seen.faults.map((fault) => fault.text).join('\n')).toMatch(text);
    } finally {
      await server.close();
    }
  });

  test('a server that shuts out whoever comes too often', async () => {
    const server = await fakeServer({ hello: byTable(TABLE), most: 10 });
    try {
      const seen = await probed(server.port, { starttls: null, spoken: null });
      expect(server.connections()).toBeGreaterThan(10);
      expect(seen.connections).toBeLessThan(500);
      expect(seen.complete).toBe(false);
    } finally {
      await server.close();
    }
  });

  test('never more connections at a time than allowed, fewer when the gate was narrowed', async () => {
    const gate = new Gate(6);
    let running = 0;
    const counts: number[] = [];
    const task = async (): Promise<void> => {
      counts.push(++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
    };
    await Promise.all(Array.from({ length: 40 }, () => gate.run(task)));
    expect(Math.max(...counts)).toBe(6);
    gate.narrow();
    counts.length = 0;
    await Promise.all(Array.from({ length: 40 }, () => gate.run(task)));
    expect(Math.max(...counts)).toBe(3);
    expect(counts).toHaveLength(40);
  });

  test('a hello that is left unanswered once is sent again', async () => {
    let left = 2;
    const choose = byTable(TABLE);
    const server = await fakeServer({
      hello: (hello) =>
        hello.version === 0x0303 && hello.suites.length < 100 && left-- > 0 ? 'silence' : choose(hello),
    });
    try {
      const seen = await probed(server.port, { starttls: null, spoken: null, timeoutMs: 5 * SHORT });
      expect(seen.tls.ciphers).toHaveLength(3);
      expect(seen.complete).toBe(true);
      expect(seen.faults).toContainEqual({
        kind: 'timeout',
        text: 'a hello was left unanswered and sent again',
        count: expect.any(Number),
      });
    } finally {
      await server.close();
    }
  });
});
