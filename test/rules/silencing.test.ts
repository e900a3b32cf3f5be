import { evaluate, judgement } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { readDirective } from '../../src/rules/silencing/comment.ts';
import { commentsOf } from '../../src/rules/silencing/places.ts';
import { type HostOptions, hostFromTexts } from '../support/host.ts';

const MODERN = builtinProfile('modern');
const MASTER = 'smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n';
const PROTOCOLS = 'smtpd_tls_protocols = !SSLv2, !SSLv3\n';
const LEVEL = 'smtpd_tls_security_level = may\n';

/** "file:line rule" of all that counts, and of all that is silenced with the line of the comment. */
function outcome(texts: Readonly<Record<string, string>>, options: HostOptions = {}) {
  const { findings, suppressed } = judgement(hostFromTexts(texts, options), BUILTIN_RULES, MODERN);
  const place = ({ rule, at: { source, span } }: (typeof findings)[number]): string =>
    `${source.path}:${source.position(span.start).line} ${rule}`;
  return {
    counts: findings.map(place),
    silenced: suppressed.map(({ finding, suppression }) => `${place(finding)} by ${suppression.line}`),
  };
}

/** What is silenced, and of what counts only what is said of comments. */
function silencing(texts: Readonly<Record<string, string>>, options: HostOptions = {}) {
  const { counts, silenced } = outcome(texts, options);
  return { comments: counts.filter((text) => text.includes(' silencing/')), silenced };
}

describe('a comment is read:', () => {
  test.each([
    ['# pfharden: ignore postfix/ciphers', ['ignore', ['postfix/ciphers'], null, null]],
    ['#pfharden: ignore a,b ,  c', ['ignore', ['a', 'b', 'c'], null, null]],
    ['## pfharden:\tignore-file a until 2024-02-29', ['ignore-file', ['a'], '2024-02-29', null]],
    ['# pfharden: ignore a -- b until 2020-01-01', ['ignore', ['a'], null, 'b until 2020-01-01']],
    ['# pfharden: ignore a until 2026-12-31 -- why -- so', ['ignore', ['a'], '2026-12-31', 'why -- so']],
    ['# pfharden: ignore a --', ['ignore', ['a'], null, null]],
    ['# pfharden: ignore a --why', ['ignore', ['a'], null, 'why']],
  ])('%s', (text, [scope, rules, until, reason]) => {
    const read = readDirective(text, 100);
    expect(read).toMatchObject({ scope, until, reason });
    if (read === null || 'code' in read) throw new Error('a fault');
    expect(read.rules.map(({ name }) => name)).toEqual(rules);
    for (const { name, span } of read.rules) expect(text.slice(span.start - 100, span.end - 100)).toBe(name);
  });

  test.each([
    ['# pfharden ignore a', 'form', '# pfharden ignore a'],
    ['# PFHarden: ignore a', 'form', '# PFHarden: ignore a'],
    ['# pfharden:ignore a', 'form', '# pfharden:ignore a'],
    ['# pfharden: ignorefile a', 'word', 'ignorefile'],
    ['# pfharden: Ignore a', 'word', 'Ignore'],
    ['# pfharden: ignore', 'no-rule', '# pfharden: ignore'],
    ['# pfharden: ignore -- why', 'no-rule', '# pfharden: ignore -- why'],
    ['# pfharden: ignore until 2026-01-01', 'no-rule', '# pfharden: ignore until 2026-01-01'],
    ['# pfharden: ignore a, -- why', 'no-rule', '--'],
    ['# pfharden: ignore a b', 'separator', 'b'],
    ['# pfharden: ignore a - why', 'separator', '- why'],
    ['# pfharden: ignore a until', 'date', 'until'],
    ['# pfharden: ignore a until tomorrow', 'date', 'tomorrow'],
    ['# pfharden: ignore a until 2025-02-29', 'date', '2025-02-29'],
    ['# pfharden: ignore a until 2025-13-01', 'date', '2025-13-01'],
    ['# pfharden: ignore a until 25-01-01', 'date', '25-01-01'],
  ])('%s: %s', (text, code, at) => {
    const read = readDirective(text, 0);
    if (read === null || !('code' in read)) throw new Error('no fault');
    expect(read.code).toBe(code);
    expect(text.slice(read.span.start, read.span.end).trim()).toBe(at);
  });

  test.each(['# pfharden says nothing of this', '# see pfharden: ignore a', '# pfhardened', '#'])(
    'not for pfharden: %s',
    (text) => {
      expect(readDirective(text, 0)).toBeNull();
    },
  );
});

describe('in main.cf', () => {
  const main = (lines: string): Record<string, string> => ({ 'main.cf': lines, 'master.cf': MASTER });

  test('it silences what follows, over blank lines and other comments', () => {
    const texts = main(`${LEVEL}# pfharden: ignore server-protocols\n\n# why\n${PROTOCOLS}`);
    expect(silencing(texts)).toEqual({ comments: [], silenced: ['main.cf:5 postfix/server-protocols by 2'] });
  });

  test('and nothing behind that', () => {
    const texts = main(`# pfharden: ignore server-protocols\n${LEVEL}${PROTOCOLS}`);
    expect(silencing(texts)).toEqual({ comments: ['main.cf:1 silencing/unused'], silenced: [] });
  });

  test('the head of the file silences all of it', () => {
    const texts = main(`# pfharden: ignore-file server-protocols -- old clients\n${LEVEL}${PROTOCOLS}`);
    expect(silencing(texts)).toEqual({ comments: [], silenced: ['main.cf:3 postfix/server-protocols by 1'] });
  });

  test('but not of another file', () => {
    const override = `${MASTER}  -o smtpd_tls_protocols=!SSLv2\nx inet n - y - - smtpd\n  -o smtpd_tls_protocols=!SSLv2\n`;
    const texts = {
      'main.cf': `# pfharden: ignore-file server-protocols\n${LEVEL}${PROTOCOLS}`,
      'master.cf': override,
    };
    expect(silencing(texts).silenced).toEqual(['main.cf:3 postfix/server-protocols by 1']);
    expect(outcome(texts).counts).toContain('master.cf:5 postfix/server-protocols');
  });

  test('between the lines of a value it is for the line that follows alone', () => {
    const value = (at: number): string =>
      ['mynetworks = 127.0.0.0/8,', '  192.0.2.0/24 # office', '  198.51.100.0/24 # home']
        .flatMap((line, index) => (index === at ? ['# pfharden: ignore trailing-comment', line] : [line]))
        .join('\n');
    const base = outcome(main(`${value(-1)}\n`)).counts.filter((text) => text.includes('trailing-comment'));
    expect(base).toEqual(['main.cf:2 postfix/trailing-comment', 'main.cf:3 postfix/trailing-comment']);
    expect(silencing(main(`${value(0)}\n`)).silenced).toHaveLength(2);
    expect(silencing(main(`${value(1)}\n`)).silenced).toEqual(['main.cf:3 postfix/trailing-comment by 2']);
    expect(silencing(main(`${value(2)}\n`)).silenced).toEqual(['main.cf:4 postfix/trailing-comment by 3']);
  });

  test('of several the closest counts, and the others are unused', () => {
    const texts = main(
      `# pfharden: ignore-file server-protocols\n${LEVEL}# pfharden: ignore server-protocols\n# pfharden: ignore server-protocols\n${PROTOCOLS}`,
    );
    expect(silencing(texts)).toEqual({
      comments: ['main.cf:1 silencing/unused', 'main.cf:3 silencing/unused'],
      silenced: ['main.cf:5 postfix/server-protocols by 4'],
    });
  });

  test('past its day it counts no more', () => {
    const texts = main(`${LEVEL}# pfharden: ignore server-protocols until 2026-06-30\n${PROTOCOLS}`);
    expect(silencing(texts, { now: '2026-06-30T23:59:59Z' })).toEqual({
      comments: [],
      silenced: ['main.cf:3 postfix/server-protocols by 2'],
    });
    expect(silencing(texts, { now: '2026-07-01T00:00:00Z' })).toEqual({
      comments: ['main.cf:2 silencing/expired'],
      silenced: [],
    });
    expect(outcome(texts, { now: '2026-07-01' }).counts).toContain('main.cf:3 postfix/server-protocols');
  });

  test('what is said of comments cannot be silenced', () => {
    const texts = main(
      '# pfharden: ignore-file silencing/unused, unused\n# pfharden: ignore cipher\nmyhostname = a.example\n',
    );
    expect(silencing(texts)).toEqual({
      comments: [
        'main.cf:1 silencing/unknown-rule',
        'main.cf:1 silencing/unknown-rule',
        'main.cf:2 silencing/unknown-rule',
      ],
      silenced: [],
    });
  });

  test('secrets of the host are taken out of a reason', () => {
    const texts = main(
      `smtp_sasl_password_maps = static:joe:Geheimnis7\n${LEVEL}# pfharden: ignore server-protocols -- see Geheimnis7\n${PROTOCOLS}`,
    );
    const { suppressed } = judgement(hostFromTexts(texts), BUILTIN_RULES, MODERN);
    expect(suppressed.map(({ suppression: { reason } }) => reason)).toEqual(['see (hidden)']);
  });
});

describe('in master.cf', () => {
  const comment = '# pfharden: ignore server-protocols\n';
  const override = '  -o smtpd_tls_protocols=!SSLv2\n';
  const service = (name: string): string => `${name} inet n - y - - smtpd\n${override}`;
  const master = (lines: string) => ({ 'main.cf': LEVEL, 'master.cf': `${MASTER}${lines}` });

  test('before a service it is for the service and its -o lines', () => {
    expect(silencing(master(`${comment}${service('a')}${service('b')}`)).silenced).toEqual([
      'master.cf:5 postfix/server-protocols by 3',
    ]);
  });

  test('before an -o line it is for that line', () => {
    expect(silencing(master(`a inet n - y - - smtpd\n  ${comment}${override}`)).silenced).toEqual([
      'master.cf:5 postfix/server-protocols by 4',
    ]);
    expect(silencing(master(`a inet n - y - - smtpd\n${comment}  -o syslog_name=a\n${override}`))).toEqual({
      comments: ['master.cf:4 silencing/unused'],
      silenced: [],
    });
  });

  test('an -o in braces that goes on behind the line belongs to it', () => {
    const texts = master(
      `a inet n - y - - smtpd\n${comment}  -o { smtpd_tls_protocols =\n    !SSLv2 # x }\n`,
    );
    const at = commentsOf(hostFromTexts(texts)).comments.map(({ covers }) => covers);
    const text = texts['master.cf'];
    expect(at.map(({ start, end }) => text.slice(start, end))).toEqual([
      '  -o { smtpd_tls_protocols =\n    !SSLv2 # x }',
    ]);
  });
});

describe('in Dovecot', () => {
  const dovecot = (text: string, more: Readonly<Record<string, string>> = {}) => ({
    'dovecot.conf': text,
    ...more,
  });
  const old = { dovecot: '2.3.19.1' };

  test('it is for the setting that follows', () => {
    expect(silencing(dovecot('# pfharden: ignore protocols\nssl_min_protocol = TLSv1\n'), old)).toEqual({
      comments: [],
      silenced: ['dovecot.conf:2 dovecot/protocols by 1'],
    });
  });

  test('before a block it is for all of the block', () => {
    const block = 'protocol imap {\n  ssl_min_protocol = TLSv1\n  remote 192.0.2.0/24 {\n  }\n}\n';
    const host = hostFromTexts(dovecot(`# pfharden: ignore protocols\n${block}ssl = required\n`), old);
    const [comment] = commentsOf(host).comments;
    expect(comment?.at.source.slice(comment.covers)).toBe(block);
  });

  test('an included file has a head of its own', () => {
    const texts = dovecot('!include conf.d/*.conf\nssl = required\n', {
      'conf.d/10-ssl.conf': '# pfharden: ignore-file protocols\nssl_min_protocol = TLSv1\n',
    });
    expect(silencing(texts, old)).toEqual({
      comments: [],
      silenced: ['conf.d/10-ssl.conf:2 dovecot/protocols by 1'],
    });
  });

  test('a line of a multi-line value is no comment', () => {
    const texts = dovecot(
      'dovecot_config_version = 2.4.5\ndovecot_storage_version = 2.4.5\nlogin_greeting = <<EOT\n# pfharden: ignore protocols\nEOT\n',
    );
    expect(silencing(texts, { dovecot: '2.4.5' }).comments).toEqual(['dovecot.conf:4 silencing/malformed']);
  });
});

test('with --rule, only rules that are judged can be unused', () => {
  const host = hostFromTexts({
    'main.cf': `# pfharden: ignore server-protocols\n${LEVEL}${PROTOCOLS}`,
    'master.cf': MASTER,
  });
  const rules = (...only: string[]): string[] =>
    evaluate(host, BUILTIN_RULES, MODERN, { only: new Set(only) }).map(({ rule }) => rule);
  expect(rules('postfix/server-protocols')).toEqual(['postfix/server-protocols']);
  expect(rules('silencing/unused')).toEqual(['silencing/unused']);
  expect(rules('postfix/obsolete-tls-switch')).toEqual([]);
});

test('many comments are placed in linear time', () => {
  const lines = Array.from({ length: 20_000 }, () => '# pfharden: ignore server-protocols').join('\n');
  const texts = { 'main.cf': `${lines}\n${LEVEL}${PROTOCOLS}`, 'master.cf': MASTER };
  expect(silencing(texts).comments).toHaveLength(20_000);
});
