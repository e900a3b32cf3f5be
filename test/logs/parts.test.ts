// A log that is read in parts by readers of their own counts as one that is read in one piece, whatever is in it.
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { beginsPart } from '../../src/logs/reader.ts';
import { sessionsOf } from '../../src/logs/summary.ts';
import { canonical, countsInParts, interleaved, readCounts } from '../support/log.ts';

const folder = path.join(__dirname, '..', 'recorded', 'logs');
const recorded = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => fs.readFileSync(path.join(folder, name), 'latin1').split('\n').slice(0, -1));

/** Some lines of a log that a real server wrote. */
const some = fc
  .tuple(fc.constantFrom(...recorded), fc.nat(), fc.integer({ min: 1, max: 60 }))
  .map(([lines, at, length]) => lines.slice(at % lines.length, (at % lines.length) + length));

/** Lines of forms that the servers do not write by themselves. */
const strange = fc.constantFrom(
  '',
  ' ',
  '\r',
  '{"__REALTIME_TIMESTAMP":"1740755548000000","_HOSTNAME":"mail","SYSLOG_IDENTIFIER":"postfix/smtpd","_PID":"9472","MESSAGE":"disconnect from unknown[192.0.2.1] ehlo=1 mail=1 commands=2"}',
  '{"half": ',
  '__REALTIME_TIMESTAMP=1740755548000000',
  '_HOSTNAME=mail',
  'SYSLOG_IDENTIFIER=postfix/smtpd',
  '_PID=9472',
  'MESSAGE=SSL_accept error from unknown[192.0.2.1]: -1',
  'MESSAGE=disconnect from unknown[192.0.2.1] ehlo=1 starttls=0/1 commands=1/2',
  'binary field',
  'Dec 31 23:59:59 mail postfix/smtpd[9472]: connect from unknown[192.0.2.1]',
  'Jan  1 00:00:00 mail postfix/smtpd[9472]: connect from unknown[192.0.2.1]',
  'Jan  1 00:00:00 mail postfix/qmgr[7]: BA643F60431: removed',
  'Nov 26 17:07:50 mx2 postfix/smtpd[9472]: connect from unknown[192.0.2.1]',
  'Nov 26 17:07:50 mail postfix/smtp[9472]: A1: to=<a@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)',
  'Nov 26 17:07:50 mail x: y',
  'Nov 26 17:07:50 mail postfix/smtpd[9472]: disconnect from unknown[192.0.2.1]',
  '2026-11-26T17:07:50.123456+01:00 mail postfix/smtpd[9472]: connect from a.example[192.0.2.1]',
);

/** One line becomes another one, several, or none. */
const change: fc.Arbitrary<(line: string) => string[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(() => []) },
  { weight: 2, arbitrary: fc.constant((line: string) => [line, line]) },
  { weight: 4, arbitrary: strange.map((more) => (line: string) => [line, more]) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(), fc.constantFrom(' ', '[', ']', ':', ',', '=', '0', '9', 'x', '\r', '\0', '\xff'))
      .map(([at, unit]) => (line: string) => {
        const place = at % (line.length + 1);
        return [line.slice(0, place) + unit + line.slice(place + 1)];
      }),
  },
  { weight: 1, arbitrary: fc.nat({ max: 200 }).map((length) => (line: string) => [line.slice(0, length)]) },
  { weight: 1, arbitrary: fc.constant((line: string) => [line.replace(/^\w{3} .\d/, 'Jan  2')]) },
  { weight: 1, arbitrary: fc.constant((line: string) => [line.replace(' mail ', ' mx2 ')]) },
  { weight: 1, arbitrary: fc.constant((line: string) => [line.replace(/\[\d+\]:/, '[9472]:')]) },
  { weight: 1, arbitrary: fc.constant((line: string) => [line.replace('unknown[', 'name.example[')]) },
);

const changed = fc
  .tuple(
    fc.oneof(
      some,
      interleaved,
      fc.tuple(some, interleaved, some).map((parts) => parts.flat()),
    ),
    fc.array(fc.tuple(fc.nat(), change), { maxLength: 8 }),
    fc.constantFrom('as it is', 'dated', 'with a priority'),
  )
  .map(([lines, changes, form]) => {
    const log = [...lines];
    for (const [at, of] of changes) {
      const place = at % (log.length + 1);
      log.splice(place, 1, ...of(log[place] ?? ''));
    }
    if (form === 'with a priority') return log.map((line) => `<22>${line}`);
    if (form === 'dated')
      return log.map((line) => line.replace(/^\w{3} (.)(\d) (\d\d:\S+)/, '2026-11-$1$2T$3.5+01:00'));
    return log;
  });

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Cuts a log before lines that a part can begin with. */
function cut(lines: readonly string[], cuts: readonly number[]): string[] {
  const begins = lines.flatMap((line, at) => {
    const bytes = Buffer.from(`${line}\n`, 'latin1');
    return at > 0 && beginsPart(bytes, 0, bytes.length - 1) ? [at] : [];
  });
  const at = [...new Set(cuts.map((one) => begins[one % (begins.length || 1)] ?? lines.length))].sort(
    (a, b) => a - b,
  );
  return [...at, lines.length].map((end, index) => textOf(lines.slice(at[index - 1] ?? 0, end)));
}

test('a log in parts', () => {
  fc.assert(
    fc.property(changed, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), (lines, cuts) => {
      const whole = canonical(readCounts(textOf(lines)));
      expect(canonical(countsInParts(cut(lines, cuts)))).toEqual(whole);
    }),
    { numRuns: 1000 },
  );
});

test('lines that are read in one go count as those that go the general way', () => {
  fc.assert(
    fc.property(changed, (lines) => {
      // A reader that is given the details reads each line the general way.
      expect(canonical(readCounts(textOf(lines)))).toEqual(
        canonical(readCounts(textOf(lines), { details: true })),
      );
    }),
    { numRuns: 1000 },
  );
});

test('a session that a line of another form has begun ends where the next one begins', () => {
  const line = (message: string): string =>
    `Nov 26 17:07:50 mail postfix/smtpd[7]: ${message.replace('PEER', 'a.example[192.0.2.1]')}`;
  const tls =
    'Anonymous TLS connection established from PEER: TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)';
  const counts = readCounts(
    textOf([
      ...[1, 2].flatMap(() => [
        line('connect from PEER'),
        line(tls),
        line('disconnect from PEER ehlo=2 starttls=1 mail=1 commands=4'),
      ]),
      `<22>${line('SSL_accept error from PEER: -1')}`,
      line('connect from PEER'),
      line('disconnect from PEER ehlo=1 mail=1 commands=2'),
    ]),
  );
  const sessions = (state: string): number =>
    counts.rows.filter((row) => row.state === state).reduce((sum, row) => sum + sessionsOf(row), 0);
  expect([sessions('tls'), sessions('refused'), sessions('plaintext')]).toEqual([2, 1, 1]);
});
