import { buildHost } from '../../src/hosts/host.ts';
import type { Finding } from '../../src/model/finding.ts';
import { frame } from '../../src/reports/frame.ts';
import { COLOURED, PLAIN } from '../../src/reports/palette.ts';
import { secretPlaces } from '../../src/reports/secret-places.ts';
import { hostText, quietText, summaryText } from '../../src/reports/text.ts';
import { addTotals, hostReport, noTotals } from '../../src/reports/totals.ts';
import { harmless, wrap } from '../../src/reports/words.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { SourceFile } from '../../src/text/source.ts';
import { hostFromTexts, hostInputFromTexts } from '../support/host.ts';

const same = (text: string): string => text;

/** The frame of the place that `[` and `]` enclose. */
function framed(marked: string, width = 60): string {
  const start = marked.indexOf('[');
  const end = marked.indexOf(']') - 1;
  const source = new SourceFile('main.cf', marked.replace('[', '').replace(']', ''));
  const host = hostFromTexts({ 'main.cf': source.text });
  const own = host.postfix?.configuration.main?.source ?? source;
  return frame(
    { source: own, span: { start, end } },
    { width, secrets: secretPlaces(host), mark: same, dim: same },
  ).join('\n');
}

describe('a code frame', () => {
  test.each([
    ['underlines what decides', 'a = b\n[myhostname = x]\n', '   2 | myhostname = x\n     | ^^^^^^^^^^^^^^'],
    [
      'marks a part of a line',
      'name = one, [two], three\n',
      '   1 | name = one, two, three\n     |             ^^^',
    ],
    ['marks the place of nothing', 'name =[]\n', '   1 | name =\n     |       ^'],
    ['spreads tabs', '\tx\t=\t[y]\n', '   1 |         x       =       y\n     |                         ^'],
    [
      'shows what a terminal would obey',
      'x = [a\u001b[31mb\u0007]\n',
      '   1 | x = a␛[31mb␇\n     |     ^^^^^^^^',
    ],
    ['shows what turns text round', 'x = [\u202eevil]\n', '   1 | x = <U+202E>evil\n     |     ^^^^^^^^^^^^'],
    ['counts wide characters twice', 'x = 漢[字]\n', '   1 | x = 漢字\n     |       ^^'],
    ['leaves out the carriage return', '[x = y]\r\nz = 1\r\n', '   1 | x = y\n     | ^^^^^'],
    ['points at each of several lines', '[x = a,\n  b,\n  c]\n', '   1 > x = a,\n   2 >   b,\n   3 >   c'],
    [
      'hides a secret',
      '[smtp_sasl_password_maps = static:me:pw]\n',
      '   1 | smtp_sasl_password_maps = (hidden)\n     | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^',
    ],
    [
      'hides a secret of several lines',
      '[my_password =\n  a\n  b]\n',
      '   1 > my_password =\n   2 >   (hidden)\n   3 > (hidden)',
    ],
    [
      'hides a secret without =',
      '[my_password hunter2]\n',
      '   1 | my_password(hidden)\n     | ^^^^^^^^^^^^^^^^^^^',
    ],
  ])('%s', (_, text, expected) => {
    expect(framed(text)).toBe(expected);
  });

  test('cuts a long line around what is marked', () => {
    const line = `x = ${'a'.repeat(80)} [target] ${'b'.repeat(80)}\n`;
    expect(framed(line, 40)).toBe('   1 | …aaaaaaaaaaaa target bbbbbbbbbbb…\n     |               ^^^^^^');
  });

  test('cuts a long list to its first lines', () => {
    expect(framed(`[x =\n${' a,\n'.repeat(9)} b]\n`)).toBe(
      '   1 > x =\n   2 >  a,\n   3 >  a,\n   4 >  a,\n       … to line 11',
    );
  });

  test('of a line of 20 MB takes no time', () => {
    expect(framed(`[x = ${'a'.repeat(20_000_000)}]\n`, 30)).toBe(
      '   1 | x = aaaaaaaaaaaaaaaaaa…\n     | ^^^^^^^^^^^^^^^^^^^^^^',
    );
  });

  test('of a password table shows no password', () => {
    const host = hostFromTexts({ 'main.cf': 'smtp_sasl_password_maps = hash:/etc/postfix/relay_login\n' });
    const source = new SourceFile('relay_login', '[mail.example.com]:587 me:hunter2\n');
    const place = { source, span: { start: 0, end: 22 } };
    expect(frame(place, { width: 80, secrets: secretPlaces(host), mark: same, dim: same })[0]).toBe(
      '   1 | [mail.example.com]:587 (hidden)',
    );
  });
});

test('harmless text keeps what can be read', () => {
  expect(harmless('é 漢 \u001b[0m\u009b \ufeff')).toBe('é 漢 ␛[0m<U+009B> <U+FEFF>');
});

test('lines break at blanks', () => {
  expect(wrap('one two three four', 9)).toEqual(['one two', 'three', 'four']);
  expect(wrap('averyveryverylongword x', 9)).toEqual(['averyveryverylongword', 'x']);
});

describe('the report of a host', () => {
  const texts = {
    'main.cf':
      'myhostname = mx.example.com\nsmtpd_tls_protocols = !SSLv2\nrelayhost = [a]:25\nrelayhost = [b]:25\n',
    'master.cf': 'smtp inet n - n - - smtpd\n',
  };
  const host = buildHost(hostInputFromTexts(texts, { postfix: '3.7.11', openssl: '3.0' }));
  const main = host.postfix?.configuration.main?.source ?? new SourceFile('main.cf', '');

  function finding(changes: Partial<Finding> & { readonly line: number }): Finding {
    return {
      rule: 'postfix/one',
      severity: 'warning',
      messageId: 'default',
      message: `Something is wrong in line ${changes.line}.`,
      why: 'It matters.',
      advice: 'Do something.',
      at: { source: main, span: main.lineSpan(changes.line) },
      endpoints: ['smtp/inet'],
      setting: 'relayhost',
      actual: '[a]:25',
      expected: null,
      valueFrom: 'main.cf line 3',
      ofDefault: false,
      related: [],
      fix: null,
      references: [],
      fingerprint: '0',
      ...changes,
    };
  }

  const fix = {
    title: 'set it right',
    safe: true,
    edits: [{ path: 'main.cf', span: { start: 0, end: 1 }, text: 'x' }],
    writes: [],
  };
  const findings = [
    finding({ line: 3, fix }),
    finding({ line: 4, severity: 'info', advice: 'Do something else.' }),
    finding({
      line: 2,
      rule: 'postfix/two',
      severity: 'error',
      message: 'Port 25 (smtp/inet) speaks SSLv3.',
      setting: 'smtpd_tls_protocols',
      actual: '!SSLv2',
      valueFrom: 'main.cf line 2',
      related: [{ at: { source: main, span: main.lineSpan(1) }, message: 'the name' }],
      fix: { ...fix, safe: false },
    }),
  ];

  test('puts the gravest first, groups by rule, and says what is shared once', () => {
    const report = hostReport(host, findings, 'info');
    expect(
      hostText(report, { width: 80, palette: PLAIN, profile: 'modern' }),
    ).toBe(`.: Postfix 3.7.11, OpenSSL 3.0, profile modern

main.cf

  error: Port 25 (smtp/inet) speaks SSLv3.  [postfix/two]
     2 | smtpd_tls_protocols = !SSLv2
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    where  port 25 (smtp/inet)
    value  smtpd_tls_protocols = !SSLv2 (main.cf line 2)
    see    main.cf:1: the name
    why    It matters.
    do     Do something.
    fix    pfharden fix --unsafe: set it right

  warning: Something is wrong in line 3.  [postfix/one]
     3 | relayhost = [a]:25
       | ^^^^^^^^^^^^^^^^^^
    where  port 25 (smtp/inet)
    value  relayhost = [a]:25 (main.cf line 3)
    why    It matters.
    do     Do something.
    fix    pfharden fix: set it right

  info: Something is wrong in line 4.  [postfix/one]
     4 | relayhost = [b]:25
       | ^^^^^^^^^^^^^^^^^^
    do     Do something else.
`);
  });

  test('leaves out what is not grave enough, and counts it', () => {
    const report = hostReport(host, findings, 'warning');
    const totals = noTotals();
    addTotals(totals, report);
    expect(summaryText(totals, { palette: PLAIN })).toBe(
      '1 error and 1 warning. 1 of less severity not shown. pfharden fix mends 1 of 2, with --unsafe 1 more. More on a rule: pfharden explain RULE.\n',
    );
    expect(quietText(report, { palette: PLAIN })).toBe(
      'main.cf:3:1: warning: Something is wrong in line 3. [postfix/one]\nmain.cf:2:1: error: Port 25 (smtp/inet) speaks SSLv3. [postfix/two]\n',
    );
  });

  test('says once what was assumed', () => {
    const assumed = buildHost(hostInputFromTexts({ ...texts, 'main.cf': 'compatibility_level = 3.6\n' }));
    const text = hostText(hostReport(assumed, [], 'info'), { width: 100, palette: PLAIN, profile: 'strict' });
    expect(text.split('\n').slice(1, 3).join(' ')).toBe(
      'The releases of Postfix and OpenSSL are not known: the newest are assumed (these files are for Postfix 3.6 or later). Name them with --postfix-version and --openssl-version.',
    );
    expect(text).toContain('nothing to report');
  });

  test('has its colours from the palette alone', () => {
    const report = hostReport(host, findings, 'info');
    const coloured = hostText(report, { width: 80, palette: COLOURED, profile: 'modern' });
    // oxlint-disable-next-line no-control-regex
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(
      hostText(report, { width: 80, palette: PLAIN, profile: 'modern' }),
    );
    expect(coloured).toContain('\u001b[31m');
  });

  test('obeys nothing that stands in the configuration', () => {
    const evil = finding({ line: 1, message: 'a\u001b]0;x\u0007b', actual: '\u009b31m', setting: 'x\u001b' });
    const text = hostText(hostReport(host, [evil], 'info'), { width: 80, palette: PLAIN, profile: 'modern' });
    expect(text).toContain('warning: a␛]0;x␇b  [postfix/one]');
    expect(text).toContain('value  x␛ = <U+009B>31m');
  });
});

test('the ports of Dovecot are named, too', () => {
  const host = hostFromTexts({
    'main.cf': 'myhostname = mail.example.org\n',
    'dovecot.conf': 'ssl = yes\ndisable_plaintext_auth = no\n',
  });
  const found = evaluate(host, BUILTIN_RULES, builtinProfile('modern'), {
    only: new Set(['dovecot/cleartext-auth']),
  });
  const text = hostText(hostReport(host, found, 'info'), { width: 100, palette: PLAIN, profile: 'modern' });
  expect(text.match(/^ *where .*$/gm)).toEqual([
    '    where  port 143 (imap-login/imap) and port 110 (pop3-login/pop3)',
  ]);
});
