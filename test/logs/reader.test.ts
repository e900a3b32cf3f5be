import fc from 'fast-check';
import { summarize } from '../../src/logs/summary.ts';
import { interleaved, read, readCounts, readDetails, readInParts } from '../support/log.ts';

const log = (...lines: string[]): string => lines.map((line) => `${line}\n`).join('');
const smtpd = (message: string, pid = 7): string => `Nov 26 15:12:28 mx1 postfix/smtpd[${pid}]: ${message}`;
const smtp = (message: string, pid = 8): string => `Nov 26 15:12:28 mx1 postfix/smtp[${pid}]: ${message}`;

const PEER = 'mail.example.net[192.0.2.1]';
const TLS13 =
  'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256';
const ROW = {
  direction: 'in',
  service: 'smtpd',
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  sessions: 1,
  peers: 1,
};

describe('forms of lines', () => {
  const message = `Anonymous TLS connection established from ${PEER}: ${TLS13}`;
  test.each([
    ['RFC 3164', `Nov  6 15:12:28 mx1 postfix/smtpd[7]: ${message}`, '2026-11-06'],
    ['RFC 3164 with a priority', `<22>Nov  6 15:12:28 mx1 postfix/smtpd[7]: ${message}`, '2026-11-06'],
    ['a fraction', `Nov  6 15:12:28.123456 mx1 postfix/smtpd[7]: ${message}`, '2026-11-06'],
    ['RFC 3339', `2025-02-28T15:12:28.123456+01:00 mx1 postfix/smtpd[7]: ${message}`, '2025-02-28'],
    ['short-iso of journalctl', `2025-02-28T15:12:28+0100 mx1 postfix/smtpd[7]: ${message}`, '2025-02-28'],
    ['RFC 5424', `<22>1 2025-02-28T15:12:28Z mx1 postfix/smtpd 7 - - ${message}`, '2025-02-28'],
    [
      'RFC 5424 with data',
      `<22>1 2025-02-28T15:12:28Z mx1 postfix/smtpd 7 ID [a@1 b="x\\]y"][c@1] ${message}`,
      '2025-02-28',
    ],
    [
      'JSON of the journal',
      JSON.stringify({
        __REALTIME_TIMESTAMP: '1740755548000000',
        _HOSTNAME: 'mx1',
        SYSLOG_IDENTIFIER: 'postfix/smtpd',
        _PID: '7',
        MESSAGE: message,
      }),
      '2025-02-28',
    ],
    [
      'the export form of the journal',
      `__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1740755548000000\n_HOSTNAME=mx1\nSYSLOG_IDENTIFIER=postfix/smtpd\n_PID=7\nMESSAGE=${message}\n`,
      '2025-02-28',
    ],
  ])('%s', (_, line, day) => {
    const { sessions, first, last, lines } = read(`${line}\n`);
    expect(sessions).toEqual([ROW]);
    expect([first, last]).toEqual([day, day]);
    expect(lines.unread).toBe(0);
  });

  test('line ends of Windows, and a last line without one', () => {
    const { sessions, lines } = read(
      `${smtpd(`TLS connection established from ${PEER}: TLSv1 with cipher AES128-SHA`)}\r\n${smtpd('x')}`,
    );
    expect(sessions).toEqual([{ ...ROW, protocol: 'TLSv1', cipher: 'AES128-SHA' }]);
    expect(lines).toEqual({ lines: 2, unread: 0, long: 0 });
  });

  test('what is no line of a log is counted', () => {
    expect(read('\u0000\u0001\u00ff\n{"a"\nhello world\n\n').lines).toEqual({ lines: 4, unread: 3, long: 0 });
  });

  test('anything can be read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat({ max: 5 }), (noise, at) => {
        const text = Buffer.from(noise, 'utf8').toString('latin1');
        const lines = [
          smtpd(`Anonymous TLS connection established from ${PEER}: ${TLS13}`),
          smtpd('disconnect from x'),
        ];
        lines.splice(at % 3, 0, text.replaceAll('\n', ' '));
        expect(read(log(...lines)).lines.lines).toBe(3);
      }),
    );
  });
});

describe('days without a year', () => {
  const line = (stamp: string): string =>
    `${stamp} 00:00:00 mx1 postfix/smtpd[7]: Anonymous TLS connection established from ${PEER}: ${TLS13}`;

  test('the last line is not after the day that is given', () => {
    expect(read(log(line('Nov 26')), { year: 2026, month: 11, day: 26 }).last).toBe('2026-11-26');
    expect(read(log(line('Nov 27')), { year: 2026, month: 11, day: 26 }).last).toBe('2025-11-27');
  });

  test('New Year lies between December and January', () => {
    const { first, last } = read(log(line('Dec 31'), line('Jan  1')), { year: 2026, month: 11, day: 26 });
    expect([first, last]).toEqual(['2025-12-31', '2026-01-01']);
  });

  test('a line out of order is no New Year', () => {
    const { first, last } = read(log(line('Oct  2'), line('Oct  1'), line('Nov  3')));
    expect([first, last]).toEqual(['2026-10-01', '2026-11-03']);
  });

  test('New Year between two parts', () => {
    const parts = [log(line('Nov 30'), line('Dec 31')), log(line('Jan  1'), line('Feb  2'))];
    expect(readInParts(parts, { year: 2026, month: 3, day: 1 })).toEqual(
      read(parts.join(''), { year: 2026, month: 3, day: 1 }),
    );
    expect(readInParts(parts, { year: 2026, month: 3, day: 1 }).first).toBe('2025-11-30');
  });
});

describe('smtpd', () => {
  test('a login belongs to the session of its process', () => {
    const text = log(
      `Nov 26 15:12:28 mx1 postfix-in/submission/smtpd[7]: Anonymous TLS connection established from ${PEER}: ${TLS13}`,
      `Nov 26 15:12:28 mx1 postfix-in/submission/smtpd[7]: 4XyZ1: client=${PEER}, sasl_method=plain, sasl_username=me`,
      `Nov 26 15:12:28 mx1 postfix-in/submission/smtpd[7]: disconnect from ${PEER} ehlo=2 starttls=1 auth=1 mail=1 commands=5`,
    );
    expect(read(text).sessions).toEqual([{ ...ROW, service: 'postfix-in/submission/smtpd' }]);
  });

  test('a refused handshake, with the reason of the library', () => {
    const text = log(
      smtpd(`connect from ${PEER}`),
      smtpd(`SSL_accept error from ${PEER}: -1`),
      smtpd(
        'warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1686:',
      ),
      smtpd(`lost connection after STARTTLS from ${PEER}`),
      smtpd(`disconnect from ${PEER} ehlo=1 starttls=0/1 commands=1/2`),
    );
    expect(read(text)).toMatchObject({
      sessions: [],
      plaintext: [],
      refused: [{ direction: 'in', service: 'smtpd', reason: 'unsupported protocol', sessions: 1, peers: 1 }],
    });
  });

  test('mail in the clear, and not that of a filter of the host', () => {
    const text = log(
      smtpd(`disconnect from ${PEER} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5`),
      smtpd('disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5'),
      smtpd('disconnect from scanner.example[192.0.2.9] helo=1 quit=1 commands=2'),
      smtpd('disconnect from scanner.example[192.0.2.9] ehlo=1 mail=0/1 quit=1 commands=2/3'),
    );
    expect(read(text).plaintext).toEqual([{ direction: 'in', service: 'smtpd', sessions: 1, peers: 1 }]);
  });

  test('before 3.0 the end of a session says nothing: a message tells', () => {
    const text = log(
      smtpd(`A1B2: client=${PEER}`),
      smtpd(`disconnect from ${PEER}`),
      smtpd(`disconnect from ${PEER}`),
    );
    expect(read(text).plaintext).toEqual([{ direction: 'in', service: 'smtpd', sessions: 1, peers: 1 }]);
  });

  test('with smtpd_tls_loglevel = 0 the count of commands tells that there was TLS', () => {
    expect(read(log(smtpd(`disconnect from ${PEER} ehlo=2 starttls=1 mail=1 commands=4`))).sessions).toEqual([
      { ...ROW, protocol: null, cipher: null },
    ]);
  });

  test('a process that served another peer when its last line was lost', () => {
    const text = log(
      smtpd(`Anonymous TLS connection established from ${PEER}: ${TLS13}`),
      smtpd('disconnect from other.example[192.0.2.2] ehlo=1 mail=1 commands=2'),
    );
    expect(read(text)).toMatchObject({ sessions: [ROW], plaintext: [{ sessions: 1 }] });
  });

  test('the name that the client asked for stands between', () => {
    const text = log(smtpd(`Anonymous TLS connection established from ${PEER} to mx.example.org: ${TLS13}`));
    expect(read(text).sessions).toEqual([ROW]);
  });
});

describe('smtp', () => {
  const sent = (id: string, more = ''): string =>
    `${id}: to=<a@example.net>, relay=${PEER}:25,${more} delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok)`;

  test('a message to two recipients over one connection is one session', () => {
    const text = log(
      smtp(`Untrusted TLS connection established to ${PEER}:25: ${TLS13}`),
      smtp(sent('AAA1')),
      smtp(sent('AAA1')),
      smtp(sent('AAA2')),
      smtp(sent('AAA2')),
      smtp(sent('AAA3', ' conn_use=2,')),
    );
    expect(read(text)).toMatchObject({
      sessions: [{ ...ROW, direction: 'out', service: 'smtp' }],
      plaintext: [{ direction: 'out', service: 'smtp', sessions: 1, peers: 1 }],
    });
  });

  test('a service whose lines never tell of TLS says nothing of the clear', () => {
    expect(read(log(smtp(sent('AAA1'))))).toMatchObject({
      plaintext: [],
      untold: [{ direction: 'out', service: 'smtp', sessions: 1, peers: 1 }],
    });
  });

  test('handshakes that fail, and a peer without STARTTLS where TLS is required', () => {
    const text = log(
      smtp(`SSL_connect error to ${PEER}:25: -1`),
      smtp(
        'warning: TLS library problem: error:0A00042E:SSL routines::tlsv1 alert protocol version:x.c:1:SSL alert number 70:',
      ),
      smtp(
        `AAA1: to=<a@example.net>, relay=${PEER}:25, delay=1, dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)`,
      ),
      smtp(
        `AAA2: to=<a@example.net>, relay=${PEER}:25, delay=1, dsn=4.7.4, status=deferred (TLS is required, but was not offered by host ${PEER})`,
      ),
    );
    expect(read(text).refused).toEqual([
      {
        direction: 'out',
        service: 'smtp',
        reason: 'TLS is required, but was not offered',
        sessions: 1,
        peers: 1,
      },
      { direction: 'out', service: 'smtp', reason: 'tlsv1 alert protocol version', sessions: 1, peers: 1 },
    ]);
  });
});

describe('Dovecot', () => {
  const login = (rest: string): string =>
    `Nov 26 15:12:28 mx1 dovecot: imap-login: Login: user=<me>, ${rest}`;
  test.each([
    [
      'TLS, of which the format does not tell more',
      login('method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, mpid=77, TLS, session=<a>'),
      { sessions: [{ service: 'imap-login', protocol: null, cipher: null, sessions: 1 }], plaintext: [] },
    ],
    [
      'TLS with its suite',
      login(
        'method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, mpid=77, TLS, TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits), session=<a>',
      ),
      { sessions: [{ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }] },
    ],
    [
      'a login in the clear',
      login('method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, mpid=77, session=<a>'),
      { sessions: [], plaintext: [{ direction: 'in', service: 'imap-login', sessions: 1 }] },
    ],
    [
      'a handshake that failed, in a file that Dovecot writes itself',
      'Nov 26 15:12:28 pop3-login: Info: Disconnected (no auth attempts in 0 secs): user=<>, rip=192.0.2.1, lip=192.0.2.2, TLS handshaking: SSL_accept() failed: error:1417D18C:SSL routines:tls_process_client_hello:version too low, session=<a>',
      { sessions: [], refused: [{ service: 'pop3-login', reason: 'version too low', sessions: 1 }] },
    ],
    [
      'one of which Dovecot 2.3 tells the last error of the system',
      'Nov 26 15:12:28 imap-login: Info: Disconnected (no auth attempts in 0 secs): user=<>, rip=192.0.2.1, lip=192.0.2.2, TLS handshaking: SSL_accept() syscall failed: Invalid argument, session=<a>',
      { sessions: [], refused: [{ service: 'imap-login', reason: 'Invalid argument', sessions: 1 }] },
    ],
    [
      'one that the client left',
      'Nov 26 15:12:28 imap-login: Info: Disconnected (disconnected before auth was ready, waited 0 secs): user=<>, rip=192.0.2.1, lip=192.0.2.2, TLS handshaking, session=<a>',
      { sessions: [], refused: [{ service: 'imap-login', reason: 'not told', sessions: 1 }] },
    ],
  ])('%s', (_, line, found) => {
    expect(read(`${line}\n`)).toMatchObject(found);
  });
});

test('parts of a log, read by themselves and joined, count as the log', () => {
  fc.assert(
    fc.property(interleaved, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), (lines, cuts) => {
      const at = [...new Set(cuts.map((cut) => cut % (lines.length + 1)))].sort((a, b) => a - b);
      const parts = [...at, lines.length].map((end, index) => log(...lines.slice(at[index - 1] ?? 0, end)));
      expect(readInParts(parts)).toEqual(read(log(...lines)));
    }),
    { numRuns: 500 },
  );
});

test('lines that are read in one go count as those that go the general way', () => {
  fc.assert(
    fc.property(interleaved, (lines) => {
      // A priority before the stamp keeps every line from being a common one.
      const general = lines.map((line) => `<22>${line}`);
      expect(read(log(...lines))).toEqual(read(log(...general)));
    }),
    { numRuns: 500 },
  );
});

describe('who is behind the sessions', () => {
  const client = (id: string, peer: string, more = ''): string => smtpd(`${id}: client=${peer}${more}`);
  const qmgr = (id: string, sender: string): string =>
    `Nov 26 15:12:29 mx1 postfix/qmgr[3]: ${id}: from=<${sender}>, size=400, nrcpt=1 (queue active)`;
  const sent = (recipient: string, relay: string): string =>
    smtp(`AB12: to=<${recipient}>, relay=${relay}:25, delay=1, dsn=2.0.0, status=sent (250 ok)`);
  const one = (...names: string[]) => ({ names, more: false });
  const nobody = { senders: one(), recipients: one(), users: {} };

  test('the domain of a sender is that of the message that its client brought', () => {
    const text = log(
      client('AB1', PEER),
      client('AB2', 'b.example[192.0.2.2]'),
      qmgr('AB2', 'x@B.example'),
      qmgr('AB1', 'a@one.example'),
      // A message that is tried again, one of this host, a bounce, and an id that comes up a second time.
      qmgr('AB1', 'a@other.example'),
      qmgr('AB3', 'root@mx1.example'),
      client('AB1', PEER),
      qmgr('AB1', ''),
      client('AB1', PEER),
      qmgr('AB1', '"a@b"@two.example'),
    );
    expect(readDetails(text)).toEqual({
      '192.0.2.1': { ...nobody, senders: one('one.example', 'two.example') },
      '192.0.2.2': { ...nobody, senders: one('b.example') },
    });
  });

  test('queue ids of two hosts are two', () => {
    const other = (line: string): string => line.replace('mx1', 'mx2');
    const text = log(
      client('AB1', PEER),
      other(client('AB1', 'b.example[192.0.2.2]')),
      qmgr('AB1', 'a@one.example'),
      other(qmgr('AB1', 'a@two.example')),
    );
    expect(readDetails(text)).toEqual({
      '192.0.2.1': { ...nobody, senders: one('one.example') },
      '192.0.2.2': { ...nobody, senders: one('two.example') },
    });
  });

  test('the domain of a recipient goes to who took the message', () => {
    const text = log(
      sent('x@One.example', 'mx.example[192.0.2.3]'),
      sent('y@one.example', 'mx.example[192.0.2.3]'),
      sent('z@local.example', 'filter[127.0.0.1]'),
    );
    expect(readDetails(text)).toEqual({ '192.0.2.3': { ...nobody, recipients: one('one.example') } });
  });

  test('as many domains as anybody reads, and that there are more', () => {
    const many = (from: number, to: number): string =>
      log(
        ...Array.from({ length: to - from }, (_, index) =>
          sent(`x@d${from + index}.example`, 'mx.example[192.0.2.3]'),
        ),
      );
    const named = (count: number): string[] =>
      Array.from({ length: count }, (_, index) => `d${index}.example`);
    const of = (...texts: string[]): unknown => readDetails(...texts)['192.0.2.3'];
    expect(of(many(0, 20))).toEqual({ ...nobody, recipients: one(...named(20)) });
    expect(of(many(0, 21))).toEqual({ ...nobody, recipients: { names: named(20), more: true } });
    // The same, of two logs.
    expect(of(many(0, 12), many(6, 20))).toEqual({ ...nobody, recipients: one(...named(20)) });
    expect(of(many(0, 12), many(6, 21))).toEqual({ ...nobody, recipients: { names: named(20), more: true } });
    expect(of(many(0, 21), many(3, 7))).toEqual({ ...nobody, recipients: { names: named(20), more: true } });
  });

  test('users by the sessions in which they logged in', () => {
    const login = ', sasl_method=PLAIN, sasl_username=alice@example.org';
    const dovecot = (message: string): string => `Nov 26 15:12:28 mx1 dovecot: imap-login: ${message}`;
    const text = log(
      smtpd(`Anonymous TLS connection established from ${PEER}: ${TLS13}`),
      client('AB1', PEER, login),
      client('AB2', PEER, login),
      smtpd(`disconnect from ${PEER} ehlo=2 starttls=1 auth=1 mail=2 quit=1 commands=7`),
      smtpd(`connect from ${PEER}`),
      client('AB3', PEER, login),
      smtpd(`disconnect from ${PEER} ehlo=1 auth=1 mail=1 quit=1 commands=4`),
      dovecot(
        'Login: user=<alice@example.org>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.25, mpid=1, TLS, session=<a>',
      ),
      dovecot('Login: user=<bob>, method=LOGIN, rip=192.0.2.1, lip=192.0.2.25, mpid=2, session=<b>'),
      dovecot('Login: user=<eve>, method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, mpid=2, secured, session=<c>'),
    );
    const users = (times: number) => ({
      'alice@example.org': [
        `smtpd TLSv1.3 PLAIN: ${times}`,
        `smtpd plaintext PLAIN: ${times}`,
        `imap-login tls PLAIN: ${times}`,
      ],
      bob: [`imap-login plaintext LOGIN: ${times}`],
    });
    expect(readDetails(text)['192.0.2.1']).toEqual({ ...nobody, users: users(1) });
    expect(readDetails(text, text)['192.0.2.1']).toEqual({ ...nobody, users: users(2) });
    expect(Object.keys(readDetails(text))).toEqual(['192.0.2.1']);
  });

  test('counts are the same with it', () => {
    fc.assert(
      fc.property(interleaved, (lines) => {
        expect(summarize(readCounts(log(...lines), { details: true }))).toEqual(read(log(...lines)));
      }),
    );
  });
});
