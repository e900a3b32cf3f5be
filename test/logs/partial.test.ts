// Counts as files: what they hold, that they add up to what one reading counts, and what is wrong with a file.
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { Anonymizer } from '../../src/logs/anonymize.ts';
import { contentMark, readPartial } from '../../src/logs/partial.ts';
import { Sum } from '../../src/logs/sum.ts';
import { SPREAD, summarize } from '../../src/logs/summary.ts';
import type { WholeCounts } from '../../src/logs/tally.ts';
import { logsCsv } from '../../src/reports/logs/csv.ts';
import { logsJson } from '../../src/reports/logs/json.ts';
import { logsMarkdown } from '../../src/reports/logs/markdown.ts';
import { logsPartial } from '../../src/reports/logs/partial.ts';
import { logsText } from '../../src/reports/logs/text.ts';
import { PLAIN } from '../../src/reports/palette.ts';
import { interleaved, readCounts } from '../support/log.ts';

const KEY = new Anonymizer(Buffer.from('k'.repeat(16)));

/** Everything that is printed of counts. */
function printed(counts: WholeCounts, anonymized: string | null = null): Record<string, string> {
  const axis = summarize(counts, { ...SPREAD, step: 'day' });
  const named = summarize(counts, { ...SPREAD, peers: true });
  return {
    text: logsText(summarize(counts, { ...SPREAD, step: 'week', peers: true }), PLAIN),
    json: logsJson(summarize(counts, { ...SPREAD, step: 'month', peers: true })),
    markdown: logsMarkdown(named),
    csv: logsCsv(axis) + logsCsv(named) + logsCsv(summarize(counts)),
    partial: logsPartial({ anonymized, counts }),
  };
}

function merged(files: readonly string[]): ReturnType<Sum['counts']> {
  const sum = new Sum();
  for (const file of files) sum.add(readPartial(file).counts);
  return sum.counts();
}

/** Logs that tear no session apart: each has processes of its own; the order of their days is theirs. */
const logs = fc.array(interleaved, { minLength: 1, maxLength: 5 }).chain((parts) =>
  fc.array(fc.nat({ max: 3 }), { minLength: parts.length, maxLength: parts.length }).map((steps) => {
    let day = 1;
    return parts.map((lines, index) => {
      day += (steps[index] ?? 0) * 3;
      const stamp = `Oct ${String(day).padStart(2)}`;
      return lines
        .map((line) => `${line.replace(/^Oct {2}3/, stamp).replace(/\[10(\d)\]:/, `[${index + 2}0$1]:`)}\n`)
        .join('');
    });
  }),
);

test('logs counted apart add up to what one reading counts, in any order and in every format', () => {
  fc.assert(
    fc.property(logs, fc.infiniteStream(fc.nat()), fc.boolean(), (texts, choices, details) => {
      const files = texts.map((text) =>
        logsPartial({ anonymized: null, counts: readCounts(text, { details }) }),
      );
      const shuffled = [...files].sort(() => ((choices.next().value ?? 0) % 2 === 0 ? 1 : -1));
      const whole = readCounts(texts.join(''), { details });
      expect(printed(merged(shuffled))).toEqual(printed(whole));

      // Sums of sums, and of counts of peers that nobody knows, are the same.
      const sums = [shuffled.slice(0, 2), shuffled.slice(2)].map((some) =>
        logsPartial({ anonymized: null, counts: merged(some) }),
      );
      expect(printed(merged(sums))).toEqual(printed(whole));
      const hidden = shuffled.map((file) =>
        logsPartial({ anonymized: KEY.mark, counts: KEY.counts(readPartial(file).counts) }),
      );
      expect(printed(merged(hidden), KEY.mark)).toEqual(printed(KEY.counts(whole), KEY.mark));
    }),
    { numRuns: 60 },
  );
});

test('of a session that is torn apart each part counts what it tells', () => {
  const line = (message: string): string => `2026-11-26T23:59:59Z mx1 postfix/smtpd[7]: ${message}\n`;
  const parts = [
    line(
      'Anonymous TLS connection established from a.example[192.0.2.1]: TLSv1.3 with cipher X (256/256 bits)',
    ),
    line('disconnect from a.example[192.0.2.1] ehlo=2 starttls=1 mail=1 quit=1 commands=5'),
  ];
  const torn = merged(parts.map((text) => logsPartial({ anonymized: null, counts: readCounts(text) })));
  expect(summarize(torn).sessions).toMatchObject([
    { protocol: 'TLSv1.3', sessions: 1, peers: 1 },
    { protocol: null, sessions: 1, peers: 1 },
  ]);
  expect(summarize(readCounts(parts.join(''))).sessions).toMatchObject([
    { protocol: 'TLSv1.3', sessions: 1 },
  ]);
});

const SESSION = {
  direction: 'in',
  service: 'smtpd',
  state: 'tls',
  protocol: 'TLSv1.2',
  cipher: 'AES128-SHA',
  reason: null,
  login: null,
};
const DOCUMENT = {
  pfharden: 'logs-partial',
  version: 1,
  anonymized: null,
  lines: { lines: 10, unread: 1, long: 0 },
  days: ['2026-11-25', '2026-11-26'],
  rows: [
    {
      ...SESSION,
      days: [
        [0, 2],
        [1, 3],
      ],
    },
  ],
  peers: [
    ['192.0.2.1', 'mail.example.net', [[0, 1]]],
    ['2001:db8::1', 'unknown', [[0, 4]]],
  ],
};
const COUNT = { version: 1, day: '2026-11-26', address: '192.0.2.1', ...SESSION, sessions: 3 };
const lines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

test('a document is written as it was read', () => {
  const text = JSON.stringify(DOCUMENT, null, 2);
  const again = logsPartial(readPartial(text));
  expect(JSON.parse(again)).toEqual(DOCUMENT);
  // A row and a peer a line.
  expect(again.split('\n')).toHaveLength(9);
});

test('lines of a query are the same counts, but for the lines of the log', () => {
  const text = lines(
    { ...COUNT, day: '2026-11-25', name: 'mail.example.net', sessions: 1 },
    { ...COUNT, day: '2026-11-25', address: '2001:db8::1', name: '', sessions: 1 },
    { ...COUNT, address: '2001:db8::1', reason: '', sessions: 1, more: 'is no matter' },
    { ...COUNT, address: '2001:db8::1', sessions: 2 },
  );
  expect(JSON.parse(logsPartial(readPartial(text)))).toEqual({
    ...DOCUMENT,
    lines: { lines: 0, unread: 0, long: 0 },
  });
});

test('the guide shows both', () => {
  const guide = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'logs.md'), 'utf8');
  const [document = '', line = ''] = [...guide.matchAll(/```\n(\{"[^`]+)```/g)].map(([, text]) => text);
  expect(logsPartial(readPartial(document))).toBe(document);
  expect(JSON.parse(document)).toEqual(DOCUMENT);
  expect(readPartial(line).counts.peers).toMatchObject([{ name: 'mail.example.net', sessions: [3] }]);
});

test('texts that are no ASCII', () => {
  const [service, user] = ['smtpd-ü', 'müller\u202e'];
  const document = {
    ...DOCUMENT,
    rows: [{ ...SESSION, service, days: [[0, 1]] }],
    days: ['2026-11-25'],
    peers: [
      [
        '192.0.2.1',
        'unknown',
        [[0, 1]],
        {
          senders: [],
          moreSenders: false,
          recipients: ['ö.example'],
          moreRecipients: true,
          users: [[user, [[0, 1]]]],
        },
      ],
    ],
  };
  const { anonymized, counts } = readPartial(JSON.stringify(document));
  expect(counts.rows[0]?.service).toBe(Buffer.from(service, 'utf8').toString('latin1'));
  const again = logsPartial({ anonymized, counts });
  expect(JSON.parse(again)).toEqual(document);
  expect(again).not.toContain('\u202e');
});

test('the mark of counts is theirs, whatever order a file has them in, and no other counts have it', () => {
  const mark = (text: string): string => contentMark(readPartial(text));
  const one = mark(JSON.stringify(DOCUMENT));
  const [first, second] = DOCUMENT.peers;
  expect(mark(JSON.stringify({ ...DOCUMENT, peers: [second, first] }))).toBe(one);
  const turned = [[...(first ?? [])], [...(second ?? [])]];
  for (const [index, entry] of turned.entries()) entry[2] = DOCUMENT.peers[1 - index]?.[2] ?? [];
  const others = [
    { peers: turned },
    { peers: [['192.0.2.2', 'mail.example.net', [[0, 1]]], second] },
    { lines: { lines: 11, unread: 1, long: 0 } },
    { days: ['2026-11-24', '2026-11-26'] },
    {
      rows: [
        {
          ...SESSION,
          cipher: 'AES256-SHA',
          days: [
            [0, 2],
            [1, 3],
          ],
        },
      ],
    },
    { anonymized: KEY.mark },
  ].map((changes) => mark(JSON.stringify({ ...DOCUMENT, ...changes })));
  expect(new Set([one, ...others]).size).toBe(7);
});

test('lines are added up, of each kind', () => {
  const file = JSON.stringify({ ...DOCUMENT, lines: { lines: 10, unread: 2, long: 3 } });
  expect(merged([file, file]).lines).toEqual({ lines: 20, unread: 4, long: 6 });
});

test('of two names of an address the one that was there first', () => {
  const named = (day: string, name: string): string => lines({ ...COUNT, day, name });
  const files = [
    named('2026-11-26', 'b.example'),
    named('2026-11-25', 'unknown'),
    named('2026-11-27', 'a.example'),
    named('2026-11-26', 'c.example'),
  ];
  for (const order of [files, files.toReversed()])
    expect(merged(order).peers.map(({ name }) => name)).toEqual(['b.example']);
});

test('domains of several files are as many as are kept', () => {
  const file = (from: number): string => {
    const recipients = Array.from({ length: 15 }, (_, index) => `d${from + index}.example`);
    const details = { senders: [], moreSenders: false, recipients, moreRecipients: false, users: [] };
    const [[address, name, counted], other] = DOCUMENT.peers as [unknown[], unknown[]];
    return JSON.stringify({ ...DOCUMENT, peers: [[address, name, counted, details], other] });
  };
  const more = file(10).replace('"moreRecipients":false', '"moreRecipients":true');
  expect(merged([more, file(10)]).peers[0]?.details?.recipients).toMatchObject({ more: true });
  expect(merged([file(10), more]).peers[0]?.details?.recipients).toMatchObject({ more: true });
  const details = (...from: number[]) => merged(from.map(file)).peers[0]?.details?.recipients;
  expect(details(10, 15)).toMatchObject({ more: false, names: { length: 20 } });
  expect(details(10, 16)).toMatchObject({ more: true, names: { length: 20 } });
  expect(details(16, 10)).toEqual(details(10, 16));
});

describe('what is no file of counts', () => {
  const written = logsPartial(readPartial(JSON.stringify(DOCUMENT)));
  const changed = (changes: object): string => JSON.stringify({ ...DOCUMENT, ...changes });
  const [first, second] = DOCUMENT.peers;
  test.each([
    ['nothing', ' \n', 'is empty, and no counts of pfharden'],
    ['a log', 'Nov 26 10:00:00 mx1 cron[1]: hello\n', 'which are JSON; a log is read without --merge'],
    ['other JSON', '{"version": 1, "sessions": []}', 'they are made with --format partial'],
    ['a list', '[1]', 'they are made with --format partial'],
    ['a document that is cut off', written.slice(0, -30), 'is no valid JSON: its end is missing'],
    ['one that ends in its first line', written.slice(0, 30), 'is no valid JSON: its end is missing'],
    [
      'another version',
      changed({ version: 2 }),
      'is of version 2 of the format, and this pfharden reads version 1',
    ],
    ['lines of another version', lines({ ...COUNT, version: '1' }), 'line 1 is of version "1"'],
    [
      'a negative count',
      changed({ rows: [{ ...SESSION, days: [[0, -5]] }] }),
      'rows[0].days is -5, and no number from 1 up',
    ],
    [
      'no session',
      changed({ rows: [{ ...SESSION, days: [[0, 0]] }] }),
      'rows[0].days is 0, and no number from 1 up',
    ],
    ['half a session', changed({ peers: [['192.0.2.1', 'x', [[0, 0.5]]]] }), 'peers[0][2] is 0.5'],
    ['a count as a text', lines({ ...COUNT, sessions: '3' }), 'line 1: sessions is "3", and no number'],
    ['more than can be counted', lines({ ...COUNT, sessions: 1e300 }), 'line 1: sessions is 1e+300'],
    ['a day that is none', changed({ days: ['2026-13-01'] }), 'days[0] is "2026-13-01", and no day'],
    [
      'a day that is not there',
      changed({ days: ['2026-11-25'] }),
      'rows[0].days names number 1, counted from 0, of 1',
    ],
    ['a row that is not there', changed({ peers: [['a', 'b', [[1, 5]]]] }), 'peers[0][2] names number 1'],
    [
      'an index that is none',
      changed({ peers: [['a', 'b', [['length', 5]]]] }),
      'peers[0][2] names number "length"',
    ],
    ['a negative index', changed({ peers: [['a', 'b', [[-1, 5]]]] }), 'peers[0][2] names number -1'],
    [
      'a peer that was taken out',
      changed({ peers: [first] }),
      'by day there are 5 sessions of smtpd (AES128-SHA), by peer 1',
    ],
    ['a peer that is there twice', changed({ peers: [first, second, second] }), 'by peer 9'],
    ['a row that is none', changed({ rows: [null] }), 'rows[0] is no row'],
    [
      'a direction that is none',
      lines({ ...COUNT, direction: 'up' }),
      'line 1: direction is "up", and can be in, out',
    ],
    ['a state that is none', lines({ ...COUNT, state: 'x' }), 'can be tls, plaintext, refused, untold'],
    ['no address', lines({ ...COUNT, address: undefined }), 'line 1: address is missing, and no text'],
    [
      'lines that are cut off',
      `${lines(COUNT)}{"version":1,"d`,
      'line 2 is no JSON object; it may be cut off',
    ],
    ['no peers', changed({ peers: undefined }), 'peers is no list'],
    ['no lines', changed({ lines: undefined }), 'lines.lines is missing, and no number from 0 up'],
  ])('%s', (_, text, message) => {
    expect(() => readPartial(text)).toThrow(message);
  });

  /** `read` where it can be printed, else the class of the error. */
  const outcome = (text: string): string => {
    try {
      return printed(readPartial(text).counts) && 'read';
    } catch (error) {
      return (error as Error).constructor.name;
    }
  };

  test('any change of a document is told or does no harm', () => {
    fc.assert(
      fc.property(fc.nat({ max: written.length - 1 }), fc.string({ maxLength: 3 }), (at, text) => {
        const damaged = written.slice(0, at) + text + written.slice(at + 1);
        expect(outcome(damaged)).toMatch(/^(?:PartialError|read)$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('pseudonyms', () => {
  const hidden = (text: string): WholeCounts => KEY.counts(readPartial(text).counts);
  const peer = (address: string, name = 'unknown'): readonly string[] => {
    const [one] = hidden(lines({ ...COUNT, address, name })).peers;
    return [one?.address ?? '', one?.name ?? ''];
  };

  test('are what openssl dgst -sha256 -hmac makes', () => {
    expect(peer('192.0.2.1')).toEqual(['ipv4-92f71154c7d5f2d1', 'unknown']);
    expect(KEY.mark).toBe('f173542728264de4');
  });

  test('the same for the same, and tell the kind of an address and nothing else', () => {
    expect(peer('192.0.2.1')).toEqual(peer('192.0.2.1'));
    expect(peer('2001:db8::1')[0]).toMatch(/^ipv6-[0-9a-f]{16}$/);
    expect(peer('2001:DB8::1')).toEqual(peer('2001:db8::1'));
    expect(peer('192.0.2.1', 'Mail.example')).toEqual(peer('192.0.2.1', 'mail.example'));
    const [address, name] = peer('192.0.2.1', '192.0.2.1');
    expect(name).toBe(address);
    const other = new Anonymizer(Buffer.from('l'.repeat(16)));
    expect(other.counts(readPartial(lines(COUNT)).counts).peers[0]?.address).not.toBe(peer('192.0.2.1')[0]);
    expect(other.mark).not.toBe(KEY.mark);
  });
});
