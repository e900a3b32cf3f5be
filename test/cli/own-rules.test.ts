// Rules and profiles of users, through dist/pfharden.js; the guide is run as it stands.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { validator } from '../../src/hosts/validator.ts';
import { OWN_RULE_SCHEMA, ownProblems } from '../../src/rules/own-rules.ts';
import type { RulePage } from '../../src/rules/rule.ts';
import { BUILTIN_RULES } from '../../src/rules/rule-set.ts';

const ROOT = join(__dirname, '..', '..');
const PROGRAM = join(ROOT, 'dist', 'pfharden.js');
const GUIDE = readFileSync(join(ROOT, 'docs', 'own-rules.md'), 'utf8');

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-own-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function pfharden(args: readonly string[], cwd = folder) {
  const env = { ...process.env, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd,
    encoding: 'utf8',
    env,
  });
  expect(`${stdout}${stderr}`).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  return { status, stdout, stderr };
}

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
}

const RULE = {
  id: 'ours/relay',
  title: 'Another relay host',
  category: 'relay',
  applies: { server: 'postfix', on: 'host' },
  severity: { '*': 'warning' },
  why: 'We have one.',
  references: ['our handbook'],
  when: { not: { setting: 'relayhost', is: '[a.example]' } },
  messages: { default: { text: 'relayhost is {{quote actual}}.', advice: 'Set it to [a.example].' } },
  fix: { kind: 'safe', set: { relayhost: '[a.example]' } },
  examples: {
    bad: [
      {
        title: 'another',
        files: { 'main.cf': ['relayhost = [b.example]'] },
        findings: [{ file: 'main.cf', from: '1:1', to: '1:24' }],
        fixed: { 'main.cf': ['relayhost = [a.example]'] },
      },
    ],
    good: [{ title: 'ours', files: { 'main.cf': ['relayhost = [a.example]'] } }],
  },
};
const MAIN = 'myorigin = example.org\nrelayhost = [b.example]\n';

/** The rule with another bad example, or with other parts of the first. */
const withBad = (change: object) => ({
  ...RULE,
  examples: { ...RULE.examples, bad: [{ ...RULE.examples.bad[0], ...change }] },
});

describe('rules --check', () => {
  const check = (rule: unknown) => {
    write('rules/relay.json', rule);
    return pfharden(['rules', '--check', 'rules']);
  };
  const lines = (text: string): string[] => text.split('\n').filter((line) => /^ {4,}|not as/.test(line));

  test('all is as promised', () => {
    expect(check(RULE)).toEqual({
      status: 0,
      stderr: '',
      stdout: [
        'ours/relay',
        '  ok    reports: another',
        '  ok    mends: another',
        '  ok    stays silent: ours',
        '',
        '1 rule: 3 examples, all as promised',
        '',
      ].join('\n'),
    });
  });

  test.each<[string, unknown, string[]]>([
    [
      'another place',
      withBad({ findings: [{ file: 'main.cf', from: '1:2', to: '1:24' }] }),
      [
        '      expected  main.cf 1:2 to 1:24',
        '      found     main.cf 1:1 to 1:24',
        '1 rule: 1 of 3 examples not as promised',
      ],
    ],
    [
      'another severity',
      withBad({ findings: [{ file: 'main.cf', from: '1:1', to: '1:24', severity: 'error' }] }),
      [
        '      expected  main.cf 1:1 to 1:24, error',
        '      found     main.cf 1:1 to 1:24, warning',
        '1 rule: 1 of 3 examples not as promised',
      ],
    ],
    [
      'other words',
      withBad({ findings: [{ file: 'main.cf', from: '1:1', to: '1:24', says: '[c.example]' }] }),
      [
        '      expected  main.cf 1:1 to 1:24, says "[c.example]"',
        '      found     main.cf 1:1 to 1:24, says "relayhost is \\"[b.example]\\". Set it to [a.example]."',
        '1 rule: 1 of 3 examples not as promised',
      ],
    ],
    [
      'another endpoint',
      withBad({ findings: [{ file: 'main.cf', from: '1:1', to: '1:24', endpoint: 'smtp/inet' }] }),
      [
        '      expected  main.cf 1:1 to 1:24, at smtp/inet',
        '      found     main.cf 1:1 to 1:24',
        '1 rule: 1 of 3 examples not as promised',
      ],
    ],
    [
      'one more',
      withBad({
        findings: [
          { file: 'main.cf', from: '1:1', to: '1:24' },
          { file: 'main.cf', from: '1:1', to: '1:24' },
        ],
      }),
      [
        '      expected  main.cf 1:1 to 1:24',
        '                main.cf 1:1 to 1:24',
        '      found     nothing of it',
        '1 rule: 1 of 3 examples not as promised',
      ],
    ],
    [
      'another text',
      withBad({ fixed: { 'main.cf': ['relayhost = [c.example]'] } }),
      [
        '      expected  main.cf:1: relayhost = [c.example]',
        '      found     main.cf:1: relayhost = [a.example]',
        '1 rule: 1 of 3 examples not as promised',
      ],
    ],
    [
      'a good one that is bad',
      { ...RULE, examples: { ...RULE.examples, good: [{ files: { 'main.cf': ['relayhost ='] } }] } },
      [
        '      expected  nothing',
        '      found     main.cf 1:1 to 1:12 warning relayhost is "".',
        '1 rule: 1 of 3 examples not as promised',
      ],
    ],
    [
      'a fix that mends nothing',
      {
        ...withBad({ fixed: { 'main.cf': ['relayhost = [b.example]', 'myorigin = a'] } }),
        fix: { kind: 'safe', set: { relayhost: '[b.example]' } },
      },
      [
        '      expected  main.cf:1: relayhost = [b.example]',
        '                main.cf:2: myorigin = a',
        '                main.cf:3: ',
        '      found     main.cf 1:1 to 1:24 stays: no automatic fix: Set it to [a.example].',
        '1 rule: 1 of 3 examples not as promised',
      ],
    ],
  ])('%s', (_, rule, wanted) => {
    const { status, stdout, stderr } = check(rule);
    expect([status, stderr, lines(stdout)]).toEqual([1, '', wanted]);
  });

  test('for programs', () => {
    write('rules/relay.json', withBad({ findings: [{ file: 'main.cf', from: '1:2', to: '1:24' }] }));
    const { status, stdout } = pfharden(['rules', '--check', 'rules', '--format', 'json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      rules: [
        {
          id: 'ours/relay',
          examples: [
            {
              does: 'reports',
              title: 'another',
              kept: false,
              expected: ['main.cf 1:2 to 1:24'],
              found: ['main.cf 1:1 to 1:24'],
            },
            expect.objectContaining({ does: 'mends', kept: true }),
            { does: 'stays silent', title: 'ours', kept: true, expected: [], found: [] },
          ],
        },
      ],
      profiles: [],
    });
  });

  test('an example is judged by the profile beside it', () => {
    write('rules/ours.json', { name: 'ours', extends: 'modern', severity: { 'ours/relay': 'error' } });
    const rule = withBad({
      profile: 'ours',
      findings: [{ file: 'main.cf', from: '1:1', to: '1:24', severity: 'error' }],
    });
    const { status, stdout } = check(rule);
    expect([status, stdout.split('\n').at(-2)]).toEqual([
      0,
      '1 rule, 1 profile (ours): 3 examples, all as promised',
    ]);
  });
});

describe('what is wrong is said with line and column, and ends with 2', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string[]]>([
    ['no folder', {}, ['rules: no such file or directory']],
    [
      'nothing in it',
      { 'rules/a.txt': '' },
      ['rules: no rules: a rule or a profile is a file that ends in .json'],
    ],
    [
      'no JSON',
      { 'rules/a.json': '{\n  "id": ours\n}' },
      ['rules/a.json:2:9: not valid JSON: "o" cannot stand there'],
    ],
    ['another kind of JSON', { 'rules/a.json': '[]' }, ['rules/a.json:1:1: the whole file must be object']],
    [
      'an unknown key',
      { 'rules/a.json': { ...RULE, wehn: {} } },
      ['rules/a.json:68:3: unknown key "wehn"; did you mean "when"?'],
    ],
    [
      'no examples',
      { 'rules/a.json': { ...RULE, examples: { bad: [], good: [] } } },
      ['rules/a.json:35:12: examples.bad must NOT have fewer than 1 items'],
    ],
    [
      'an unknown role',
      { 'rules/a.json': { ...RULE, applies: { server: 'postfix', on: 'endpoint', roles: ['mxx'] } } },
      [
        'rules/a.json:9:7: applies.roles.0 must be one of mx, submission, submissions, reinjection, outbound, relay, lmtp, imap, imaps, pop3, pop3s, sieve, auth, doveadm; did you mean "mx"?',
      ],
    ],
    [
      'an unknown setting',
      { 'rules/a.json': { ...RULE, when: { setting: 'relay_host', is: '' } } },
      ['rules/a.json:17:16: Postfix has no parameter "relay_host"; did you mean "relayhost"?'],
    ],
    [
      'a reserved name, and more',
      { 'rules/a.json': { ...RULE, id: 'postfix/relay', yields: { to: 'postfix/nothing' } } },
      [
        'rules/a.json:2:9: "postfix/" is for the rules of pfharden: begin with a name of your own, such as "example-org/relay"',
        'rules/a.json:69:11: there is no rule "postfix/nothing"',
      ],
    ],
    [
      'two of one id',
      { 'rules/a.json': RULE, 'rules/below/b.json': RULE },
      ['rules/below/b.json:2:9: rules/a.json has the same id, "ours/relay"'],
    ],
    [
      'a profile of pfharden',
      { 'rules/a.json': { name: 'strict', extends: 'modern' } },
      ['rules/a.json:2:11: "strict" is a profile of pfharden: give yours a name of its own'],
    ],
    [
      'a rule of a profile',
      {
        'rules/a.json': RULE,
        'rules/p.json': { name: 'ours', extends: 'modern', severity: { 'ours/rely': 'off' } },
      },
      ['rules/p.json:5:5: there is no rule "ours/rely"; did you mean "ours/relay"?'],
    ],
  ])('%s', (_, files, wanted) => {
    for (const [path, content] of Object.entries(files)) write(path, content);
    const { status, stdout, stderr } = pfharden(['rules', '--check', 'rules']);
    expect([status, stdout, stderr]).toEqual([2, '', wanted.map((line) => `pfharden: ${line}\n`).join('')]);
  });

  test('lint says the first, and how many more', () => {
    write('rules/a.json', { ...RULE, id: 'postfix/relay', yields: { to: 'postfix/nothing' } });
    write('etc/main.cf', MAIN);
    expect(pfharden(['lint', 'etc', '--rules', 'rules'])).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'pfharden: rules/a.json:2:9: "postfix/" is for the rules of pfharden: begin with a name of your own, such as "example-org/relay" (and 1 more: pfharden rules --check lists them)\n',
    });
  });
});

describe('own rules are rules', () => {
  beforeEach(() => {
    write('rules/relay.json', RULE);
    write('etc/main.cf', MAIN);
  });
  const quiet = (args: readonly string[]) => {
    const { status, stdout, stderr } = pfharden(['lint', '--quiet', ...args]);
    return { status, stderr, found: stdout.split('\n').filter((line) => line.includes('[ours/')) };
  };
  const FOUND = 'etc/main.cf:2:1: warning: relayhost is "[b.example]". [ours/relay]';

  test('lint', () => {
    expect(quiet(['etc', '--rules', 'rules']).found).toEqual([FOUND]);
    expect(quiet(['etc']).found).toEqual([]);
    expect(quiet(['etc', '--rules', 'rules', '--rule', 'ours/relay'])).toEqual({
      status: 1,
      stderr: '',
      found: [FOUND],
    });
    expect(quiet(['etc', '--rules', 'rules/relay.json', '--rule', 'relay'])).toEqual({
      status: 1,
      stderr: '',
      found: [FOUND],
    });
  });

  test('an id that is none is near to one of them', () => {
    const { status, stderr } = quiet(['etc', '--rules', 'rules', '--rule', 'ours/rely']);
    expect([status, stderr.split('\n')[0]]).toEqual([
      2,
      'pfharden: there is no rule "ours/rely"; did you mean ours/relay?',
    ]);
  });

  test('a template, of which another rule has a fix in some branches alone', () => {
    const lines = [
      'compatibility_level = 3.6',
      'smtpd_tls_cert_file = {{ tls }}/mx.pem',
      'relayhost = [b.example]',
      'smtpd_tls_security_level = may',
      '{% if old %}',
      'smtpd_tls_protocols = TLSv1',
      '{% else %}',
      'smtpd_tls_protocols = !SSLv2',
      '{% endif %}',
    ];
    write('role/main.cf.j2', lines.join('\n'));
    write('role/master.cf', 'smtp inet n - n - - smtpd\n');
    const { stdout } = pfharden(['lint', 'role', '--rules', 'rules', '--quiet']);
    expect(stdout).toMatch(
      /^role\/main\.cf\.j2:3:1: warning: relayhost is "\[b\.example\]"\. \[ours\/relay\]$/m,
    );
  });

  test('fix', () => {
    const { status, stdout } = pfharden(['fix', 'etc', '--rules', 'rules', '--only', 'ours/relay']);
    expect([status, stdout.split('\n').filter((line) => /^[-+] ?\w/.test(line))]).toEqual([
      1,
      ['-relayhost = [b.example]', '+relayhost = [a.example]'],
    ]);
  });

  test('rules and explain', () => {
    const { stdout } = pfharden(['rules', '--rules', 'rules', '--format', 'json']);
    expect(JSON.parse(stdout).rules.at(-1)).toEqual({
      id: 'ours/relay',
      title: 'Another relay host',
      category: 'relay',
      severity: { 'legacy-compatible': 'warning', modern: 'warning', strict: 'warning' },
      fix: 'safe',
    });
    const page = pfharden(['explain', 'ours/relay', '--rules', 'rules']);
    expect(page.status).toBe(0);
    expect(page.stdout).toContain('We have one.');
    expect(page.stdout).toContain('relayhost = [b.example]');
  });

  test('.pfharden.json names folders, each host its own', () => {
    write('a/.pfharden.json', { rules: ['../rules'] });
    write('a/etc/main.cf', MAIN);
    write('b/.pfharden.json', { rules: ['own'], severity: { 'ours/other': 'error' } });
    write('b/own/other.json', { ...RULE, id: 'ours/other' });
    write('b/etc/main.cf', MAIN);
    expect(quiet(['a', 'b', 'etc']).found).toEqual([
      FOUND.replace('etc', 'a/etc'),
      FOUND.replace('etc', 'b/etc').replace('ours/relay', 'ours/other').replace('warning', 'error'),
    ]);
    // Commands that judge nothing by rules read the same file.
    expect(pfharden(['show', 'b']).status).toBe(0);
  });

  test('a profile beside them is known by its name', () => {
    write('rules/ours.json', { name: 'ours', extends: 'strict', severity: { 'ours/relay': 'info' } });
    expect(quiet(['etc', '--rules', 'rules', '--profile', 'ours']).found).toEqual([
      FOUND.replace('warning', 'info'),
    ]);
    expect(pfharden(['profiles', 'ours', '--rules', 'rules']).status).toBe(0);
    expect(quiet(['etc', '--rules', 'rules', '--profile', 'ous']).stderr).toBe(
      'pfharden: there is no profile "ous"; did you mean ours?\n'.replace('"ous"; ', '"ous": '),
    );
  });
});

describe('the guide', () => {
  const blocks = (language: string): string[] =>
    [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(
      ([, text = '']) => text,
    );

  test.each(blocks('console').map((text) => [text.slice(2, text.indexOf('\n')), text] as const))(
    '%s',
    (command, text) => {
      const [program, ...args] = command.split(' ');
      expect(program).toBe('pfharden');
      const { stdout, stderr } = pfharden(args, ROOT);
      expect([stdout, stderr]).toEqual([text.slice(text.indexOf('\n') + 1), '']);
    },
  );

  test('its files are those of the folder', () => {
    const named = [...GUIDE.matchAll(/`(docs\/own-rules\/[\w-]+\.json)`:\n\n```json\n([^]*?)^```$/gm)];
    expect(named).toHaveLength(2);
    for (const [, path = '', text = ''] of named)
      expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(join(ROOT, path), 'utf8')));
  });

  test('its configuration file works', () => {
    const [config = ''] = blocks('json').filter((text) => text.includes('"rules"'));
    write('.pfharden.json', config);
    cpSync(join(ROOT, 'docs', 'own-rules'), join(folder, 'rules'), { recursive: true });
    write('etc/main.cf', MAIN);
    const { stdout } = pfharden(['lint', 'etc', '--quiet', '--rule', 'example-org/relay-hosts']);
    expect(stdout).toBe(
      'etc/main.cf:2:1: error: relayhost names [b.example], which is no relay host of ours. [example-org/relay-hosts]\n',
    );
  });

  test('an error is said as it shows', () => {
    const [error = ''] = blocks('text');
    const { when: _, ...others } = RULE;
    const when = '{ "when": { "setting": "relay_host", "is": "" }, ';
    write('rules/relay.json', '\n'.repeat(8) + when + JSON.stringify(others).slice(1));
    expect(pfharden(['rules', '--check', 'rules']).stderr).toBe(error);
  });

  const rows = [...GUIDE.matchAll(/^\| (`[^|]*) \| [^|]* \| `(\{.*\})` \|$/gm)].map(
    ([, word = '', json = '']) => [word, JSON.parse(json)] as const,
  );

  test('its tables show each word', () => {
    expect(rows).toHaveLength(10 + 11 + 5 + 7);
    for (const [words, value] of rows) {
      const shown = (words.match(/\w+/g) ?? []).filter((word) =>
        JSON.stringify(value).includes(`"${word}":`),
      );
      expect([words, shown]).not.toEqual([words, []]);
    }
  });

  test.each(rows)('an example of %s', (_, value) => {
    const isFix = 'kind' in value;
    const example = { ...RULE.examples.bad[0], fixed: { 'main.cf': '' } };
    const rule = {
      ...RULE,
      applies: { server: 'postfix', on: 'endpoint' },
      when: isFix ? RULE.when : value,
      fix: isFix ? value : { kind: 'none' },
      examples: { ...RULE.examples, bad: [example] },
    };
    const validate = validator<RulePage>(OWN_RULE_SCHEMA);
    expect([validate(rule), validate.errors]).toEqual([true, null]);
    const surroundings = { builtin: BUILTIN_RULES.rules, profiles: [] };
    expect(ownProblems([{ path: 'a.json', value: rule as unknown as RulePage }], surroundings)).toEqual([]);
  });
});
