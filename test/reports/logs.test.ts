// What is shown of a log whose sessions are known.
import fs from 'node:fs';
import path from 'node:path';
import { type LogQuestion, SPREAD, summarize } from '../../src/logs/summary.ts';
import { logsHtml } from '../../src/reports/html/logs-page.ts';
import { logsCsv } from '../../src/reports/logs/csv.ts';
import { logsJson } from '../../src/reports/logs/json.ts';
import { logsMarkdown } from '../../src/reports/logs/markdown.ts';
import { logsText } from '../../src/reports/logs/text.ts';
import { PLAIN } from '../../src/reports/palette.ts';
import { everyElement, type HtmlElement, ofClass, readHtml } from '../support/html.ts';
import { readCounts } from '../support/log.ts';

const smtpd = (day: string, message: string): string => `${day}T10:00:00Z mx1 postfix/smtpd[7]: ${message}\n`;
const tls = (day: string, peer: string, suite: string): string =>
  smtpd(day, `Anonymous TLS connection established from ${peer}: ${suite} (256/256 bits)`) +
  smtpd(day, `disconnect from ${peer} ehlo=2 starttls=1 mail=1 quit=1 commands=5`);
const clear = (day: string, peer: string): string =>
  smtpd(day, `disconnect from ${peer} ehlo=1 mail=1 quit=1 commands=3`);
const qmgr = (day: string, id: string, sender: string): string =>
  `${day}T10:00:01Z mx1 postfix/qmgr[3]: ${id}: from=<${sender}>, size=400, nrcpt=1 (queue active)\n`;
const delivery = (day: string): string =>
  `${day}T10:00:00Z mx1 postfix/smtp[8]: AA1: to=<x@example.net>, relay=mx.example.net[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 ok)\n`;

const NEW = 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384';
const OLD = 'TLSv1 with cipher AES128-SHA';
const A = 'a.example[192.0.2.1]';
const B = 'unknown[192.0.2.2]';
const C = 'c.example[2001:db8::3]';

// Weeks 45, 46 and 49 of 2026, with a hole of two weeks.
const LOG = [
  tls('2026-11-02', A, NEW),
  tls('2026-11-03', A, OLD),
  tls('2026-11-04', B, OLD),
  tls('2026-11-08', B, OLD),
  tls('2026-11-09', A, NEW),
  clear('2026-11-10', C),
  tls('2026-11-30', A, NEW),
  tls('2026-12-01', A, NEW),
  delivery('2026-12-02'),
].join('');

const ask = (question: Partial<LogQuestion>, log = LOG) =>
  summarize(readCounts(log, { details: question.peers === true }), { ...SPREAD, ...question });

describe('as text', () => {
  test('a time axis with a hole, and weeks in which a service had no session', () => {
    expect(logsText(ask({ step: 'week' }), PLAIN)).toBe(
      [
        '2026-11-02 to 2026-12-02: 16 lines',
        '',
        'Incoming, smtpd                    sessions   share  peers',
        '  TLSv1.3  TLS_AES_256_GCM_SHA384         4  50.0 %      1  ██████████',
        '  TLSv1    AES128-SHA                     3  37.5 %      2  ████████',
        '  in the clear                            1  12.5 %      1  ███',
        '',
        'Incoming, smtpd, by week  sessions  TLSv1.3   TLSv1  in the clear',
        '  2026-W45                       4   25.0 %  75.0 %         0.0 %',
        '  2026-W46                       2   50.0 %   0.0 %        50.0 %',
        '  … no session at all for 2 weeks',
        '  2026-W49                       2  100.0 %   0.0 %         0.0 %',
        '',
        'Outgoing, smtp                       sessions    share  peers',
        '  TLS or not, the log does not tell         1  100.0 %      1  ████████████████████',
        '',
        'Outgoing, smtp, by week  sessions  not told',
        '  2026-W45                      0         –',
        '  2026-W46                      0         –',
        '  … no session at all for 2 weeks',
        '  2026-W49                      1   100.0 %',
        '',
        'No line of smtp tells of TLS: set smtp_tls_loglevel = 1 to see which deliveries are encrypted.',
        '',
      ].join('\n'),
    );
  });

  test('the guide shows what is printed', () => {
    const guide = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'logs.md'), 'utf8');
    const table = /```\n(Incoming, smtpd, by week[^`]+)```/.exec(guide)?.[1] ?? '';
    const log = [
      tls('2026-11-02', A, NEW).repeat(857),
      tls('2026-11-02', A, OLD).repeat(343),
      clear('2026-11-02', A).repeat(4),
      tls('2026-11-09', A, NEW).repeat(873),
      tls('2026-11-09', A, OLD).repeat(305),
      clear('2026-11-09', A).repeat(2),
      tls('2026-11-30', A, NEW).repeat(1077),
      tls('2026-11-30', A, OLD).repeat(245),
    ].join('');
    expect(table).not.toBe('');
    expect(logsText(ask({ step: 'week' }, log), PLAIN)).toContain(`\n\n${table}`);
  });

  test('who still speaks TLSv1: shares stay those of all sessions', () => {
    expect(logsText(ask({ protocols: ['TLSv1'], peers: true }), PLAIN)).toBe(
      [
        '2026-11-02 to 2026-12-02: 16 lines',
        '',
        'Incoming, smtpd        sessions   share  peers',
        '  TLSv1    AES128-SHA         3  37.5 %      2  ████████',
        '    2  192.0.2.2  unknown',
        '    1  192.0.2.1  a.example',
        '',
      ].join('\n'),
    );
  });

  test('of many peers those with most sessions', () => {
    const log = Array.from({ length: 12 }, (_, peer) =>
      tls('2026-11-02', `p.example[192.0.2.${peer}]`, OLD).repeat(peer < 5 ? 2 : 1),
    ).join('');
    const lines = logsText(ask({ peers: true }, log), PLAIN)
      .split('\n')
      .slice(4);
    expect(lines.slice(0, 2)).toEqual(['    2  192.0.2.0   p.example', '    2  192.0.2.1   p.example']);
    // By text, so that the order is the same everywhere.
    expect(lines[5]).toBe('    1  192.0.2.10  p.example');
    expect(lines.slice(10)).toEqual(['    … and 2 more with 2 sessions: --format csv has all', '']);
  });

  test('whose mail it is, and who logs in', () => {
    const log =
      smtpd('2026-11-02', `AB1: client=${A}`) +
      smtpd('2026-11-02', `disconnect from ${A} ehlo=1 mail=1 quit=1 commands=3`) +
      qmgr('2026-11-02', 'AB1', 'x@d.example') +
      smtpd('2026-11-02', `AB2: client=${B}, sasl_method=PLAIN, sasl_username=m\u00c3\u00bcller`) +
      smtpd('2026-11-02', `disconnect from ${B} ehlo=1 auth=1 mail=1 quit=1 commands=4`) +
      tls('2026-11-02', B, NEW) +
      delivery('2026-11-02');
    const text = logsText(ask({ peers: true }, log), PLAIN);
    expect(text).toContain(
      '    1  192.0.2.1  a.example  from d.example\n    1  192.0.2.2  unknown  as müller\n',
    );
    // Where he did not log in he is not named.
    expect(text).toContain('    1  192.0.2.2  unknown\n');
    expect(text).toContain('    1  192.0.2.9  mx.example.net  to example.net\n');
    expect(logsCsv(ask({ peers: true }, log))).toContain(',192.0.2.2,unknown,1,,müller\r\n');
  });

  test.each<[string, Partial<LogQuestion>, string[]]>([
    ['in the clear', { protocols: ['clear'] }, ['in the clear']],
    ['several', { protocols: ['clear', 'TLSv1.3'] }, ['TLSv1.3  TLS_AES', 'in the clear']],
    ['a suite', { ciphers: ['AES128-SHA'] }, ['TLSv1    AES128']],
    ['a service', { services: ['smtp'] }, ['TLS or not, the']],
    ['what the log does not tell', { protocols: ['untold'] }, ['TLS or not, the']],
  ])('only %s', (_, question, labels) => {
    const lines = logsText(ask(question), PLAIN).split('\n');
    expect(lines.filter((line) => line.startsWith('  ')).map((line) => line.slice(2, 17).trim())).toEqual(
      labels.map((label) => label.slice(0, 15)),
    );
  });

  test('what nobody does', () => {
    expect(logsText(ask({ protocols: ['SSLv3'] }), PLAIN)).toBe(
      '2026-11-02 to 2026-12-02: 16 lines\n\nNo session is of the kind that is asked for.\n',
    );
  });
});

describe('as CSV', () => {
  const csv = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join('');

  test('rows', () => {
    expect(logsCsv(ask({}))).toBe(
      csv(
        'direction,service,state,protocol,cipher,reason,sessions,peers',
        'in,smtpd,tls,TLSv1.3,TLS_AES_256_GCM_SHA384,,4,1',
        'in,smtpd,tls,TLSv1,AES128-SHA,,3,2',
        'in,smtpd,plaintext,,,,1,1',
        'out,smtp,untold,,,,1,1',
      ),
    );
  });

  test('a time axis', () => {
    expect(logsCsv(ask({ step: 'month', services: ['smtpd'], protocols: ['TLSv1.3'] }))).toBe(
      csv(
        'period,first,last,direction,service,state,protocol,cipher,reason,sessions',
        '2026-11,2026-11-01,2026-11-30,in,smtpd,tls,TLSv1.3,TLS_AES_256_GCM_SHA384,,3',
        '2026-12,2026-12-01,2026-12-31,in,smtpd,tls,TLSv1.3,TLS_AES_256_GCM_SHA384,,1',
      ),
    );
    expect(logsCsv(ask({ step: 'week', protocols: ['clear'] }))).toContain(
      '\r\n,2026-11-16,2026-11-29,,,,,,,0\r\n',
    );
  });

  test('peers, and that there are none', () => {
    expect(logsCsv(ask({ peers: true, protocols: ['TLSv1'] }))).toBe(
      csv(
        'direction,service,state,protocol,cipher,reason,address,name,sessions,domains,users',
        'in,smtpd,tls,TLSv1,AES128-SHA,,192.0.2.2,unknown,2,,',
        'in,smtpd,tls,TLSv1,AES128-SHA,,192.0.2.1,a.example,1,,',
      ),
    );
    expect(logsCsv(ask({ peers: true, protocols: ['SSLv2'] }))).toMatch(
      /^direction.*name,sessions,domains,users\r\n$/,
    );
  });

  test('texts of strangers are no formulas and break no line', () => {
    const peers = ['=cmd|x', '+1', '-1', '@sum', 'a"b,c', '\u001bc'];
    const log = peers.map((name, index) => tls('2026-11-02', `${name}[192.0.2.${index}]`, OLD)).join('');
    const names = logsCsv(ask({ peers: true }, log))
      .trim()
      .split('\r\n')
      .slice(1)
      .map((line) => /192\.0\.2\.\d,(.*),1,,$/.exec(line)?.[1]);
    expect(names).toEqual(["'=cmd|x", "'+1", "'-1", "'@sum", '"a""b,c"', '␛c']);
  });
});

test('as Markdown', () => {
  const log = LOG + tls('2026-11-04', '<b>|*x*[192.0.2.7]', OLD);
  expect(logsMarkdown(ask({ step: 'week', peers: true, protocols: ['TLSv1'] }, log))).toBe(
    [
      '### What the peers speak',
      '',
      '2026-11-02 to 2026-12-02: 18 lines',
      '',
      '#### Incoming, smtpd',
      '',
      '|  | sessions | share | peers |',
      '|---|---:|---:|---:|',
      '| TLSv1 AES128-SHA | 4 | 44.4 % | 3 |',
      '',
      '| week | sessions | TLSv1 |',
      '|---|---:|---:|',
      '| 2026-W45 | 5 | 80.0 % |',
      '| 2026-W46 | 2 | 0.0 % |',
      '| *no session at all for 2 weeks* | 0 |  |',
      '| 2026-W49 | 2 | 0.0 % |',
      '',
      '|  | address | name | domains | users | sessions |',
      '|---|---|---|---|---|---:|',
      '| TLSv1 AES128-SHA | 192.0.2.2 | unknown |  |  | 2 |',
      '| TLSv1 AES128-SHA | 192.0.2.1 | a.example |  |  | 1 |',
      '| TLSv1 AES128-SHA | 192.0.2.7 | \\<b\\>\\|\\*x\\* |  |  | 1 |',
      '',
    ].join('\n'),
  );
});

describe('as a page', () => {
  const page = (question: Partial<LogQuestion>, log = LOG): HtmlElement =>
    readHtml(logsHtml(ask(question, log), '1.2.3'));
  const texts = (element: HtmlElement | undefined, name: string): string[] =>
    everyElement(element ?? page({})).flatMap((one) => (one.name === name ? [one.text] : []));

  test('the spread as bars, with the numbers beside them', () => {
    const [incoming, outgoing] = ofClass(page({}), 'service');
    expect(texts(incoming, 'h2')).toEqual(['Incoming, smtpd']);
    expect(texts(outgoing, 'h2')).toEqual(['Outgoing, smtp']);
    expect(texts(incoming, 'td').filter((text) => text !== '')).toEqual([
      '4',
      '50.0 %',
      '1',
      '3',
      '37.5 %',
      '2',
      '1',
      '12.5 %',
      '1',
    ]);
    const bars = everyElement(incoming ?? page({})).filter(({ name }) => name === 'svg:rect');
    expect(bars.map(({ attributes }) => [attributes.class, attributes.width])).toEqual([
      ['k-tls13', '50'],
      ['k-tls10', '37.5'],
      ['k-clear', '12.5'],
    ]);
  });

  test('a time axis as areas, each as high as its share, with a hole where nothing is', () => {
    const [incoming, outgoing] = ofClass(page({ step: 'week' }), 'trend');
    const paths = (element: HtmlElement | undefined) =>
      everyElement(element ?? page({}))
        .filter(({ name }) => name === 'svg:path')
        .map(({ attributes: { class: kind, d } }) => [kind, d]);
    // Three weeks of 21 days, and of the hole of 14 days no more than 15 % of that: 24.15 days.
    const [week, after] = [28.986, 71.014];
    expect(paths(incoming)).toEqual([
      [
        'k-tls13',
        `M0 0h${week}v25h-${week}zM${week} 0h${week}v50h-${week}zM${after} 0h${week}v100h-${week}z`,
      ],
      ['k-tls10', `M0 25h${week}v75h-${week}z`],
      ['k-clear', `M${week} 50h${week}v50h-${week}z`],
    ]);
    expect(paths(outgoing)).toEqual([['k-untold', `M${after} 0h${week}v100h-${week}z`]]);
    expect(texts(incoming, 'figcaption').join().replaceAll(/\s+/g, ' ')).toContain('TLSv1 75.0 % → 0.0 %');
    expect(texts(page({ step: 'week' }), 'th')).toContain('no session at all for 2 weeks');
  });

  test('peers, as many as a page takes, and texts of strangers as texts', () => {
    const log = Array.from({ length: 103 }, (_, index) =>
      tls('2026-11-02', `<script>alert(1)</script>[192.0.2.${index}]`, OLD),
    ).join('');
    const made = page({ peers: true }, log);
    const [peers] = ofClass(made, 'peers');
    expect(texts(peers, 'th')).toHaveLength(6 + 100);
    expect(texts(peers, 'td')[0]).toBe('<script>alert(1)</script>');
    expect(made.text).toContain('3 more: --format csv has all.');
    expect(texts(made, 'script').some((text) => text.includes('alert'))).toBe(false);
  });

  test('nothing that its policy would not let in', () => {
    for (const element of everyElement(page({ step: 'day', peers: true }))) {
      expect(Object.keys(element.attributes).filter((name) => /^(?:on|style$|href$)/.test(name))).toEqual(
        element.name === 'link' || element.name === 'a' ? ['href'] : [],
      );
    }
  });

  test('a log without a session', () => {
    const made = page({ step: 'week', peers: true }, 'hello\n');
    expect(made.text).toContain('No line tells of a session of a mail server.');
    expect(ofClass(made, 'service')).toEqual([]);
  });
});

test('as JSON', () => {
  const nobody = { domains: [], moreDomains: false, users: [] };
  const { by, periods, sessions, plaintext } = JSON.parse(
    logsJson(ask({ step: 'week', peers: true, services: ['smtpd'] })),
  );
  expect(by).toBe('week');
  expect(periods[2]).toEqual({ period: null, first: '2026-11-16', last: '2026-11-29' });
  expect(sessions[1]).toEqual({
    direction: 'in',
    service: 'smtpd',
    protocol: 'TLSv1',
    cipher: 'AES128-SHA',
    sessions: 3,
    peers: 2,
    byPeriod: [3, 0, 0, 0],
    byPeer: [
      { address: '192.0.2.2', name: 'unknown', sessions: 2, ...nobody },
      { address: '192.0.2.1', name: 'a.example', sessions: 1, ...nobody },
    ],
  });
  expect(plaintext.in.services).toEqual([
    {
      service: 'smtpd',
      sessions: 1,
      peers: 1,
      byPeriod: [0, 1, 0, 0],
      byPeer: [{ address: '2001:db8::3', name: 'c.example', sessions: 1, ...nobody }],
    },
  ]);
});
