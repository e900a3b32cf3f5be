// Lines that WebAssembly counts, and tables that grow: as many of everything as it takes to leave what is kept at hand.
import fc from 'fast-check';
import { LogMemory } from '../../src/logs/memory.ts';
import { PeerTable } from '../../src/logs/peers.ts';
import type { WholeCounts } from '../../src/logs/tally.ts';
import { canonical, countsInParts, readCounts, readInRoom, readPieces } from '../support/log.ts';

const SUITE = 'TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)';

/** A line of a process, without its line feed. */
const line = (program: string, message: string, host = 'mx1'): string =>
  `Oct  3 12:00:00 ${host} ${program}: ${message}`;

const textOf = (lines: readonly string[]): string => lines.map((one) => `${one}\n`).join('');

/** Lines in pieces of so many. */
function pieces(lines: readonly string[], length: number): string[] {
  const texts: string[] = [];
  for (let at = 0; at < lines.length; at += length) texts.push(textOf(lines.slice(at, at + length)));
  return texts;
}

/** What a reader counts that is given the details, and so reads each line the general way. */
const general = (lines: readonly string[]): unknown =>
  canonical(readCounts(textOf(lines), { details: true }));

/** Sessions by state and protocol, peers by name. */
function told(counts: WholeCounts): {
  readonly sessions: Readonly<Record<string, number>>;
  readonly names: Readonly<Record<string, string>>;
} {
  const sessions: Record<string, number> = {};
  for (const { state, direction, login, days } of counts.rows) {
    const key = [direction, state, login].filter((word) => word !== null).join(' ');
    for (const number of days) sessions[key] = (sessions[key] ?? 0) + (number ?? 0);
  }
  return {
    sessions,
    names: Object.fromEntries([...counts.peers].map(({ address, name }) => [address, name])),
  };
}

/** A host, a process and a peer of few, so that they meet again; what happens, in one line each. */
const event = fc.record({
  host: fc.integer({ min: 0, max: 17 }),
  pid: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(1_234_567, 12_345_678, 4_294_967_297)),
  ident: fc.constantFrom(
    'postfix/smtpd',
    'postfix/smtpd',
    'postfix/smtp',
    'postfix/smtp',
    'postfix/submissions/smtpd',
    'mail-in/a/very/long/name/of/an/instance/smtpd',
    'postfix/lmtp',
    'postfix/tlsproxy',
    'postfix/qmgr',
  ),
  peer: fc.constantFrom(
    'a.example[192.0.2.1]',
    'unknown[192.0.2.1]',
    'unknown[192.0.2.11]',
    'b.example[2001:db8::1]',
    'c.example[2001:db8:0:0:1::1]',
    'c.example[2001:db8:0:0:1::2]',
    `${'d'.repeat(70)}.example[2001:db8:ffff:ffff:ffff:ffff:ffff:ff01]`,
    'unknown[2001:db8:ffff:ffff:ffff:ffff:ffff:ff02]',
    'localhost[127.0.0.1]',
    'localhost[::1]',
    'odd[]',
    'odd',
  ),
  id: fc.constantFrom(
    'A1B2C3',
    '4XyzQ1',
    '3Pt2mN2VXxznjll',
    '3Pt2mN2VXxznjllKq9abc',
    '3Pt2mN2VXxznjllKq9abd',
  ),
  what: fc.nat({ max: 29 }),
  day: fc.oneof({ weight: 30, arbitrary: fc.constant(' 3') }, { weight: 1, arbitrary: fc.constant(' 4') }),
});

type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

const smtp = (peer: string, id: string, more: string): string =>
  `${id}: to=<x@example.net>, relay=${peer}:25,${more}`;

/** What a process can say. */
const MESSAGES: readonly ((peer: string, id: string) => string)[] = [
  (peer) => `connect from ${peer}`,
  (peer) => `connect from ${peer}`,
  (peer) => `Anonymous TLS connection established from ${peer}: ${SUITE}`,
  (peer) => `Untrusted TLS connection established from ${peer}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384`,
  (peer) =>
    `Trusted TLS connection established from ${peer}: TLSv1.3 with cipher ${'X'.repeat(60)} (1/1 bits)`,
  (peer, id) => `${id}: client=${peer}`,
  (peer, id) => `${id}: client=${peer}, sasl_method=PLAIN, sasl_username=a@example.org`,
  (peer, id) => `${id}: client=${peer}, sasl_method=login, sasl_username=b`,
  (peer, id) => `${id}: client=${peer}, sasl_sender=b`,
  (peer) => `disconnect from ${peer} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7`,
  (peer) => `disconnect from ${peer} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5`,
  (peer) => `disconnect from ${peer} ehlo=1 auth=0/1 commands=1/2`,
  (peer) => `disconnect from ${peer} ehlo=1 auth=1 mail=0/1 commands=1/2`,
  (peer) => `disconnect from ${peer} ehlo=1 starttls=0/1 commands=1/2`,
  (peer) => `disconnect from ${peer} quit=1 commands=1`,
  (peer) => `disconnect from ${peer}`,
  (peer) => `SSL_accept error from ${peer}: -1`,
  (peer) => `SSL_accept error from ${peer}: lost connection`,
  () => 'warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:statem.c:1:',
  () => 'warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:statem.c:1:',
  () => 'warning: TLS library problem: error:0A000102:SSL routines',
  (peer) => `lost connection after STARTTLS from ${peer}`,
  (peer) => `NOQUEUE: lost connection after STARTTLS from ${peer}`,
  (peer) => `Untrusted TLS connection established to ${peer}:25: ${SUITE}`,
  (peer) => `SSL_connect error to ${peer}:25: -1`,
  (peer, id) => smtp(peer, id, ' delay=1, dsn=2.0.0, status=sent (250 ok)'),
  (peer, id) => smtp(peer, id, ' conn_use=2, delay=1, dsn=2.0.0, status=sent (250 ok, status=sent)'),
  (peer, id) => smtp(peer, id, ' dsn=4.7.4, status=deferred (TLS is required, but was not offered by host)'),
  (peer, id) => smtp(peer, id, ' delay=1, tls=may:none, dsn=2.0.0, status=sent (250 ok)'),
  (peer, id) => smtp(peer, id, ' dsn=4.4.1, status=deferred (connect to a: timed out)'),
];

const lineOf = ({ host, pid, ident, peer, id, what, day }: Event): string =>
  `Oct ${day} 12:00:00 mx${host} ${ident}[${pid}]: ${MESSAGES[what]?.(peer, id)}`;

test('whatever processes say, in whatever pieces, is counted as it is line by line', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 60 }).map((events) => events.map(lineOf)),
      fc.integer({ min: 1, max: 60 }),
      (lines, length) => {
        const expected = general(lines);
        expect(canonical(readPieces(pieces(lines, length)))).toEqual(expected);
        expect(canonical(readInRoom(pieces(lines, length)))).toEqual(expected);
        expect(canonical(countsInParts(pieces(lines, length)))).toEqual(expected);
      },
    ),
    { numRuns: 1500 },
  );
});

test('of names of a peer the first one, whichever line has it', () => {
  const smtpd = (message: string): string => line('postfix/smtpd[7]', message);
  const lines = [
    smtpd('connect from unknown[192.0.2.1]'),
    smtpd(`Anonymous TLS connection established from unknown[192.0.2.1]: ${SUITE}`),
    smtpd('disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 mail=1 commands=4'),
    smtpd(`Anonymous TLS connection established from unknown[192.0.2.1]: ${SUITE}`),
    smtpd(`Anonymous TLS connection established from one.example[192.0.2.1]: ${SUITE}`),
    smtpd(`Anonymous TLS connection established from other.example[192.0.2.1]: ${SUITE}`),
    smtpd(`Anonymous TLS connection established from unknown[192.0.2.2]: ${SUITE}`),
  ];
  expect(told(readCounts(textOf(lines)))).toEqual({
    sessions: { 'in tls': 5 },
    names: { '192.0.2.1': 'one.example', '192.0.2.2': 'unknown' },
  });
});

test('more peers than there is room for at first, each with several rows', () => {
  const peers = 6000;
  const lines = Array.from({ length: peers }, (_, index) => {
    const smtpd = (message: string): string => line('postfix/submission/smtpd[7]', message);
    const v4 = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const peer = `h${index}.example[${index % 3 === 0 ? `2001:db8:0:0:${index.toString(16)}::${'1'.repeat(4)}` : v4}]`;
    return ['PLAIN', 'LOGIN', ''].flatMap((method) => [
      smtpd(`Anonymous TLS connection established from ${peer}: ${SUITE}`),
      smtpd(`A1: client=${peer}${method === '' ? '' : `, sasl_method=${method}, sasl_username=u`}`),
      smtpd(`disconnect from ${peer} ehlo=2 starttls=1 auth=1 mail=1 commands=5`),
    ]);
  }).flat();
  const sessionsOf = (counts: WholeCounts): number[] =>
    [...counts.peers].map(({ sessions }) => sessions.reduce((sum, one) => sum + one, 0));
  for (const counts of [readPieces(pieces(lines, 1000)), readInRoom(pieces(lines, 3000))]) {
    const { sessions, names } = told(counts);
    expect(sessions).toEqual({ 'in tls': peers, 'in tls PLAIN': peers, 'in tls LOGIN': peers });
    expect(Object.keys(names)).toHaveLength(peers);
    expect(new Set(sessionsOf(counts))).toEqual(new Set([3]));
  }
  // The second part has half of the peers of the first one, and others.
  const parts = [lines.slice(0, lines.length / 2), lines.slice(lines.length / 4)].map(textOf);
  const sums = sessionsOf(countsInParts(parts));
  expect(sums).toHaveLength(peers);
  expect([3, 6].map((sum) => sums.filter((one) => one === sum).length)).toEqual([(peers / 4) * 3, peers / 4]);
});

test('many addresses of one hash', () => {
  const memory = new LogMemory();
  // With these factors short addresses have none.
  memory.scanner.setFactors(0, 0, 0, 0);
  const table = new PeerTable(memory);
  const addresses = Array.from({ length: 700 }, (_, index) => index.toString(36));
  const indexes = (): number[] =>
    addresses.map((address) => {
      const bytes = Buffer.from(`x[${address}`);
      return table.index(bytes, 0, 2, bytes.length);
    });
  expect(indexes()).toEqual(addresses.map((_, index) => index));
  expect(indexes()).toEqual(addresses.map((_, index) => index));
});

test('more processes than are remembered, of several hosts', () => {
  const lines: string[] = [];
  for (let pid = 1; pid <= 40_000; pid++) {
    const host = pid % 5 === 0 ? 'mx2' : 'mx1';
    const smtpd = (message: string, of = pid): string => line(`postfix/smtpd[${of}]`, message, host);
    const peer = `a.example[192.0.2.${pid % 200}]`;
    lines.push(smtpd(`connect from ${peer}`));
    if (pid % 3 === 0) lines.push(smtpd(`Anonymous TLS connection established from ${peer}: ${SUITE}`));
    if (pid % 7 === 0) lines.push(smtpd(`SSL_accept error from ${peer}: -1`));
    // Some that are older speak again, and some of them have been given up.
    if (pid % 11 === 0)
      lines.push(
        smtpd(`disconnect from ${peer} ehlo=1 mail=1 commands=2`, pid - (pid % 2 === 0 ? 5000 : 20_000)),
      );
  }
  const expected = general(lines);
  expect(canonical(readPieces(pieces(lines, 5000)))).toEqual(expected);
});

test('more suites, mechanisms and programs than are kept at hand', () => {
  const lines: string[] = [];
  for (let round = 0; round < 2; round++)
    for (let index = 0; index < 700; index++) {
      const peer = `a.example[192.0.2.${index % 100}]`;
      const smtpd = (message: string): string => line(`i${index}/smtpd[${index + 10}]`, message);
      lines.push(
        smtpd(`connect from ${peer}`),
        smtpd(`Anonymous TLS connection established from ${peer}: TLSv1.2 with cipher S${index} (1/1 bits)`),
        smtpd(`A${index}: client=${peer}, sasl_method=M${index}, sasl_username=u`),
        smtpd(`disconnect from ${peer} ehlo=2 starttls=1 auth=1 mail=1 commands=5`),
        line(
          'dovecot',
          `s${index}-login: Login: user=<u>, method=M${index}, rip=192.0.2.7, lip=192.0.2.8, TLS, session=<x>`,
        ),
      );
    }
  const expected = general(lines);
  for (const length of [100, 7000]) expect(canonical(readPieces(pieces(lines, length)))).toEqual(expected);
});

test('stamps with fractions, of other lengths and of other days', () => {
  const stamps = [
    'Oct  3 12:00:00',
    'Oct  3 12:00:00.123',
    'Oct  3 12:00:00.123456',
    'Oct  3 12:00:00.123456789012',
    '2026-10-03T12:00:00+02:00',
    '2026-10-03T12:00:00.123456+02:00',
    '2026-10-04T12:00:00.123456+02:00',
    '2026-10-03 12:00:00',
    'Oct  3  2:00:00',
  ];
  const lines = stamps.flatMap((stamp) =>
    [1, 2, 3].flatMap((pid) =>
      [
        'connect from a.example[192.0.2.1]',
        `Anonymous TLS connection established from a.example[192.0.2.1]: ${SUITE}`,
        'disconnect from a.example[192.0.2.1] ehlo=2 starttls=1 mail=1 commands=4',
      ].map((message) => `${stamp} mx1 postfix/smtpd[${pid}]: ${message}`),
    ),
  );
  fc.assert(
    fc.property(fc.shuffledSubarray(lines), (some) => {
      // What is cut off is no stamp.
      const cut = some.flatMap((one, index) => (index % 4 === 3 ? [one.slice(0, index + 10), one] : [one]));
      expect(canonical(readPieces(pieces(cut, 7)))).toEqual(general(cut));
    }),
    { numRuns: 300 },
  );
});
