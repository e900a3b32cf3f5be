// What is said of a part of a configuration is said of every whole that it may be part of.
import { pages } from 'virtual:builtin-rule-pages';
import { proposeFixes } from '../../src/fix/fix.ts';
import { buildHost, type HostInput } from '../../src/hosts/host.ts';
import type { Server } from '../../src/model/endpoint.ts';
import type { Finding } from '../../src/model/finding.ts';
import { parseMainCf } from '../../src/postfix/syntax/main-cf.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { SourceFile } from '../../src/text/source.ts';
import { dovecotCases, dovecotInput, hostInputFromFolder, postfixCases } from '../support/corpus.ts';
import { hostInputFromTexts } from '../support/host.ts';

const strict = builtinProfile('strict');

function found(input: HostInput): readonly Finding[] {
  return evaluate(buildHost(input), BUILTIN_RULES, strict);
}

function partOf(input: HostInput, ...parts: readonly Server[]): HostInput {
  return { ...input, parts };
}

/** The rule, and the place as an offset from the end of its file: a part of main.cf is the end of a whole one. */
function place({ at: { source, span }, rule }: Finding): string {
  return [rule, source.path, source.text.length - span.start].join(' ');
}

/** Findings of a part that the whole does not have. */
function alarms(part: HostInput, whole: HostInput): string[] {
  const all = new Set(found(whole).map(place));
  return found(part)
    .filter((one) => !all.has(place(one)))
    .map((one) => `${place(one)}: ${one.message}`);
}

/** Ways to take a part out of a host: main.cf from a line on, master.cf alone, what a dovecot.conf would include. */
function* partsOf(
  input: HostInput,
  shares: readonly number[],
): Iterable<readonly [name: string, part: HostInput]> {
  const { postfix, dovecot } = input;
  if (postfix?.master !== null && postfix?.main !== null && postfix !== null)
    yield ['master.cf', partOf({ ...input, dovecot: null, postfix: { ...postfix, main: null } }, 'postfix')];
  const main = postfix?.main ?? null;
  const items = main === null ? [] : parseMainCf(main).items;
  for (const share of shares) {
    const first = items[Math.floor(items.length * share)];
    if (first === undefined || main === null || postfix === null) continue;
    const rest = new SourceFile(main.path, main.text.slice(first.line.span.start));
    yield [
      `main.cf from line ${main.position(first.line.span.start).line}`,
      partOf({ ...input, dovecot: null, postfix: { ...postfix, main: rest, master: null } }, 'postfix'),
    ];
  }
  if (dovecot === null) return;
  const included = new SourceFile(dovecot.main.path, '!include conf.d/*.conf\n');
  const parts = dovecot.mainAssumed ? dovecot : { ...dovecot, main: included, mainAssumed: true };
  yield ['conf.d', partOf({ ...input, postfix: null, dovecot: parts }, 'dovecot')];
  yield ['dovecot.conf', partOf({ ...input, postfix: null }, 'dovecot')];
}

describe('a part is judged for what it proves:', () => {
  /** Rules and lines of what is found, by the name of the file. */
  const said = (texts: Readonly<Record<string, string>>, ...parts: readonly Server[]): string[] =>
    found(partOf(hostInputFromTexts(texts), ...parts)).map(
      ({ rule, at: { source, span } }) =>
        `${source.path}:${source.position(span.start).line} ${rule.replace(/^\w+\//, '')}`,
    );

  it('the other server, of which everything is there, is judged as a whole', () => {
    const texts = {
      'master.cf': 'smtp inet n - n - - smtpd\n',
      'dovecot.conf': 'protocols = imap\nssl_min_protocol = TLSv1\n',
    };
    const alone = said({ 'dovecot.conf': texts['dovecot.conf'] });
    expect(alone).toContain('dovecot.conf:1 tls-optional');
    expect(said(texts, 'postfix').filter((one) => one.startsWith('dovecot.conf'))).toEqual(alone);
  });

  test.each<[string, string, readonly string[]]>([
    ['nothing of what is not set', 'smtpd_tls_security_level = may\n', []],
    [
      'nothing that services may set otherwise',
      'smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2\n',
      [],
    ],
    ['not a name that the rest may make use of', 'mua_restrictions = permit\nsmtpd_banner = $our_name\n', []],
    ['not a class that the rest may have', 'smtpd_client_restrictions = our_class, permit\n', []],
    ['not a transport that master.cf may have', 'slow_destination_rate_delay = 1s\n', []],
    [
      'a value that nothing takes',
      'myhostname = a.example.org\nsmtp_tls_security_level = encryp\n',
      ['main.cf:2 bad-value'],
    ],
    [
      'a setting that another one of the part overrides',
      'mynetworks = 10.0.0.1\nmynetworks = 10.0.0.2\n',
      ['main.cf:1 duplicate-setting'],
    ],
    ['a line that is none', 'mynetworks 10.0.0.1\n', ['main.cf:1 syntax']],
  ])('of main.cf %s', (_, text, expected) => {
    expect(said({ 'main.cf': text }, 'postfix')).toEqual(expected);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    [
      'nothing of what main.cf may set',
      ['submission inet n - n - - smtpd', ' -o smtpd_sasl_auth_enable=yes'],
      [],
    ],
    [
      'what it overrides, whatever main.cf sets',
      [
        'submission inet n - n - - smtpd',
        ' -o smtpd_tls_security_level=encrypt',
        ' -o smtpd_tls_mandatory_protocols=!SSLv2',
        ' -o smtpd_tls_mandatory_ciphers=export',
      ],
      ['master.cf:3 server-protocols', 'master.cf:4 cipher-grade'],
    ],
    [
      'not a service that is there twice, one of which main.cf may switch off',
      ['smtp inet n - n - - smtpd', 'smtp inet n - n - - smtpd'],
      [],
    ],
    [
      'not what main.cf may define',
      ['submission inet n - n - - smtpd', ' -o smtpd_client_restrictions=$mua_client_restrictions'],
      [],
    ],
  ])('of master.cf %s', (_, lines, expected) => {
    expect(said({ 'master.cf': `${lines.join('\n')}\n` }, 'postfix')).toEqual(expected);
  });

  test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['nothing of what is not set', { 'conf.d/10-ssl.conf': 'ssl = yes\n' }, []],
    [
      'what it says itself',
      { 'conf.d/10-auth.conf': 'auth_mechanisms = plain cram-md5\n' },
      ['conf.d/10-auth.conf:1 weak-mechanisms'],
    ],
    ['not a file that may be elsewhere', { 'conf.d/10-auth.conf': '!include auth-sql.conf.ext\n' }, []],
    [
      'a line that is none',
      { 'conf.d/10-master.conf': 'default_process_limit 100\n' },
      ['conf.d/10-master.conf:1 syntax'],
    ],
  ])('of a conf.d %s', (_, texts, expected) => {
    expect(said(texts, 'dovecot')).toEqual(expected);
  });

  test('of master.cf nothing that a restriction in main.cf may make up for, where the release has no setting', () => {
    const input = hostInputFromTexts({ 'master.cf': 'smtp inet n - n - - smtpd\n' }, { postfix: '3.5.19' });
    expect(found(partOf(input, 'postfix'))).toEqual([]);
  });

  test('its fix changes lines that it has, and only where the fix is the same whatever the rest is', () => {
    const master = [
      'submission inet n - n - - smtpd',
      ' -o smtpd_tls_security_level=encrypt',
      ' -o smtpd_tls_mandatory_protocols=!SSLv2',
      '',
    ];
    const input = partOf(hostInputFromTexts({ 'master.cf': master.join('\n') }), 'postfix');
    const { files, findingsAfter } = proposeFixes(input, BUILTIN_RULES, builtinProfile('modern'));
    expect(files.map(({ after }) => after.text)).toEqual([
      master.join('\n').replace('!SSLv2', '!SSLv2,!SSLv3,!TLSv1,!TLSv1.1'),
    ]);
    expect(findingsAfter).toEqual([]);
  });

  test('a comment that silences something is not called needless', () => {
    expect(
      said(
        { 'main.cf': '# pfharden: ignore-file server-protocols -- old\nmyhostname = a.example.org\n' },
        'postfix',
      ),
    ).toEqual([]);
  });
});

describe('what is found in a part is found in the whole', () => {
  it.each(
    // Every sixteenth of some 1200: all of them take minutes.
    pages
      .flatMap(({ id, examples }) => [...examples.bad, ...examples.good].map((example) => ({ id, example })))
      .filter(({ id }, index) => index % 16 === 0 || id === 'postfix/unknown-parameter'),
  )('of $id: $example.title', ({ example }) => {
    const texts = Object.entries(example.files).map(([path, text]): [string, string] => [
      path,
      typeof text === 'string' ? text : text.map((line) => `${line}\n`).join(''),
    ]);
    const input = hostInputFromTexts(Object.fromEntries(texts), example);
    const bad = [...partsOf(input, [0])].flatMap(([name, part]) =>
      alarms(part, input).map((alarm) => `${name}: ${alarm}`),
    );
    expect(bad).toEqual([]);
  });

  // Every fortieth, for the same reason.
  const cases = [
    ...[...postfixCases('plain'), ...postfixCases('templated')].map(({ id, folder }) => ({
      id,
      read: async () => hostInputFromFolder(folder),
    })),
    ...[...dovecotCases('plain'), ...dovecotCases('templated')].map(({ id, folder }) => ({
      id,
      read: () => dovecotInput(folder),
    })),
  ].filter((_, index) => index % 40 === 0);
  for (const { id, read } of cases) {
    it(`of ${id}`, async () => {
      const input = await read();
      const bad = [...partsOf(input, [0.4])].flatMap(([name, part]) =>
        alarms(part, input).map((alarm) => `${name}: ${alarm}`),
      );
      expect(bad).toEqual([]);
    });
  }
});
