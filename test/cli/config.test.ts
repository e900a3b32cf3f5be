// What a `.pfharden.json` does to the commands, run as users run them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import profileSchema from '../../profiles/profile.schema.json' with { type: 'json' };
import configSchema from '../../schemas/config.schema.json' with { type: 'json' };
import { pfharden, useFolder, writeFiles } from '../support/folder.ts';
import { lintSchema } from './schemas.ts';

useFolder();

const MAIN =
  'smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /c.pem\nsmtpd_tls_protocols = !SSLv2, !SSLv3\n';
const MASTER = 'smtp inet n - n - - smtpd\n';
const DIST = join(import.meta.dirname, '..', '..', 'dist');
const RULE = 'postfix/server-protocols';

beforeEach(() => {
  writeFiles({
    'mx1/main.cf': MAIN,
    'mx1/master.cf': MASTER,
    'mx2/main.cf': MAIN,
    'mx2/master.cf': MASTER,
  });
});

interface LintJson {
  readonly profile: string;
  readonly hosts: readonly {
    readonly root: string;
    readonly profile?: string;
    readonly findings: readonly { readonly severity: string; readonly expected: string }[];
  }[];
  readonly ignored?: readonly string[];
}

function lint(...args: readonly string[]): LintJson {
  const { stdout, stderr } = pfharden('lint', '--format', 'json', '--rule', RULE, ...args);
  expect(stderr).toBe('');
  const report = JSON.parse(stdout) as LintJson;
  const ajv = new Ajv({ allErrors: true });
  expect({ errors: ajv.validate(lintSchema, report) ? [] : ajv.errors }).toEqual({ errors: [] });
  return report;
}

/** By host: its own profile, and the severity of its only finding with what is asked for. */
function judged({ hosts }: LintJson): unknown {
  return Object.fromEntries(
    hosts.map(({ root, profile, findings }) => [
      root,
      [profile, ...findings.map(({ severity, expected }) => `${severity}: ${expected}`)],
    ]),
  );
}

const FLOOR_1_2 = '!SSLv2, !SSLv3, !TLSv1, !TLSv1.1';
const FLOOR_1_3 = `${FLOOR_1_2}, !TLSv1.2`;

describe('lint', () => {
  test('without a file', () => {
    const report = lint();
    expect([report.profile, judged(report)]).toEqual([
      'modern',
      { mx1: [undefined, `warning: ${FLOOR_1_2}`], mx2: [undefined, `warning: ${FLOOR_1_2}`] },
    ]);
  });

  test('judges each host by what is said of it, and names its profile where it is another', () => {
    writeFiles({
      '.pfharden.json': {
        profile: 'strict',
        severity: { [RULE]: 'info' },
        hosts: [
          { paths: ['mx2'], profile: 'profiles/ours.json', severity: { [RULE]: 'error' } },
          { paths: ['mx1'], thresholds: { lowestProtocol: { mx: 'TLSv1.3' } } },
        ],
      },
      'profiles/ours.json': { name: 'ours', extends: 'legacy-compatible' },
    });
    const report = lint();
    expect([report.profile, judged(report)]).toEqual([
      'strict',
      { mx1: [undefined, `info: ${FLOOR_1_3}`], mx2: ['ours'] },
    ]);
  });

  test('with --profile judges all hosts by that one; levels and thresholds of the file stay', () => {
    writeFiles({
      '.pfharden.json': {
        profile: 'strict',
        hosts: [
          { paths: ['mx2'], profile: 'legacy-compatible', severity: { [RULE]: 'error' } },
          { paths: ['mx1'], thresholds: { lowestProtocol: { mx: 'TLSv1.3' } } },
        ],
      },
    });
    const report = lint('--profile', 'modern');
    expect([report.profile, judged(report)]).toEqual([
      'modern',
      { mx1: [undefined, `warning: ${FLOOR_1_3}`], mx2: [undefined, `error: ${FLOOR_1_2}`] },
    ]);
  });

  test('with --no-config takes no notice of it', () => {
    writeFiles({ '.pfharden.json': 'no JSON' });
    expect(judged(lint('--no-config'))).toEqual(judged(lint('--no-config', '--profile', 'modern')));
  });

  test('has a release of a flag before that of the file', () => {
    writeFiles({ '.pfharden.json': { releases: { postfix: '3.7.11', openssl: '3.0' } } });
    const { stdout } = pfharden('lint', 'mx1', '--openssl-version', '3.5');
    expect(stdout).toMatch(/^mx1: Postfix 3\.7\.11 \(\.pfharden\.json\), OpenSSL 3\.5, profile modern$/m);
  });

  test('judges by the file for the first path where paths have different ones', () => {
    writeFiles({ 'mx2/.pfharden.json': { profile: 'strict' } });
    expect(lint('mx2', 'mx1')).toMatchObject({
      profile: 'strict',
      hosts: [{ root: 'mx2' }, { root: 'mx1', profile: 'modern' }],
    });
    expect(lint('mx1', 'mx2')).toMatchObject({
      profile: 'modern',
      hosts: [{ root: 'mx1' }, { root: 'mx2', profile: 'strict' }],
    });
  });

  test('switches a message of a rule off and leaves the others', () => {
    writeFiles({
      '.pfharden.json': { severity: { [RULE]: { old: 'off' } } },
      'mx1/main.cf': MAIN.replace(', !SSLv3', ''),
    });
    expect(judged(lint())).toEqual({ mx1: [undefined, `error: ${FLOOR_1_2}`], mx2: [undefined] });
  });

  test('says once what the file sets, and names it where a threshold is its own', () => {
    writeFiles({
      'base.json': { releases: { openssl: '3.0', postfix: '3.7.11' } },
      '.pfharden.json': {
        extends: 'base.json',
        profile: 'strict',
        severity: { [RULE]: 'info' },
        thresholds: { lowestProtocol: { mx: 'TLSv1.3' } },
      },
    });
    const { stdout } = pfharden('lint', '--rule', RULE);
    expect(stdout.match(/\(with base\.json\)/g)).toHaveLength(1);
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      '.pfharden.json (with base.json) sets profile strict; the severity of 1 rule; lowestProtocol; the',
      'releases of Postfix and OpenSSL.',
      'mx1: Postfix 3.7.11 (.pfharden.json), OpenSSL 3.0 (.pfharden.json), profile strict with .pfharden.json',
    ]);
  });

  test('counts what is ignored, and names it where that is asked for', () => {
    writeFiles({ '.pfharden.json': { ignore: ['mx2'] } });
    expect(lint()).toMatchObject({ hosts: [{ root: 'mx1' }], ignored: ['mx2'] });
    const said = '1 path ignored, as .pfharden.json says';
    const short = pfharden('lint');
    expect([short.status, short.stdout.endsWith(`RULE.\n${said}; --verbose names them.\n`)]).toEqual([
      1,
      true,
    ]);
    const whole = pfharden('lint', '--verbose', 'mx2');
    expect(whole).toEqual({ status: 0, stderr: '', stdout: `ignored: mx2 (.pfharden.json)\n${said}.\n` });
    expect(pfharden('lint', 'mx2', '--quiet')).toEqual({ status: 0, stderr: '', stdout: '' });
  });
});

describe('other commands', () => {
  beforeEach(() => {
    writeFiles({
      '.pfharden.json': {
        profile: 'modern',
        hosts: [{ paths: ['mx2'], thresholds: { lowestProtocol: { mx: 'TLSv1.3' } } }],
      },
    });
  });

  test('fix mends each host by what is said of it', () => {
    const { status, stdout } = pfharden('fix', '--only', RULE);
    expect(status).toBe(1);
    expect(stdout.split('\n').filter((line) => line.startsWith('+'))).toEqual([
      '+++ b/mx1/main.cf',
      `+smtpd_tls_protocols = ${FLOOR_1_2}`,
      '+++ b/mx2/main.cf',
      `+smtpd_tls_protocols = ${FLOOR_1_3}`,
    ]);
  });

  test('fix leaves alone what is ignored', () => {
    writeFiles({ '.pfharden.json': { ignore: ['mx1'] } });
    expect(pfharden('fix', 'mx1', '--write')).toEqual({
      status: 0,
      stdout: '',
      stderr: 'pfharden: mx1 is ignored (.pfharden.json)\n',
    });
  });

  test('show marks by what is said of a host', () => {
    const { stdout } = pfharden('show');
    const marks = stdout.split('\n').filter((line) => /^ {2}(?: {3}protocol|!)/.test(line));
    expect(marks.map((line) => line.trim().split(/ {2,}/).slice(0, 4))).toEqual([
      ['protocol', 'suites', 'below modern'],
      ['!', 'TLSv1', expect.any(String), expect.stringContaining('the protocol')],
      ['!', 'TLSv1.1', expect.any(String), expect.stringContaining('the protocol')],
      ['protocol', 'suites', 'below modern with .pfharden.json'],
      ['!', 'TLSv1', expect.any(String), expect.stringContaining('the protocol')],
      ['!', 'TLSv1.1', expect.any(String), expect.stringContaining('the protocol')],
      ['!', 'TLSv1.2', expect.any(String), expect.stringContaining('the protocol')],
    ]);
    expect(stdout).toContain('.pfharden.json sets profile modern; lowestProtocol.\nmx2');
  });
});

describe('a file is refused', () => {
  test.each([
    [
      '{"severity": {\n  "postfix/server-protocol": "off"}}',
      ':2:3: there is no rule "postfix/server-protocol"; did you mean "postfix/server-protocols"?',
    ],
    [
      '{"severity": {"server-tls-off": "off"}}',
      ':1:15: there is no rule "server-tls-off"; did you mean "postfix/server-tls-off"?',
    ],
    ['{"severity": {"mine": "off"}}', ':1:15: there is no rule "mine"; see pfharden rules'],
    [
      '{"hosts": [{"paths": ["mx9*"], "severity": {"postfix/server-protocols": {"olt": "off"}}}]}',
      ':1:74: postfix/server-protocols has no message "olt"; did you mean "old"?',
    ],
    ['{"profile": "modren"}', ':1:13: there is no profile "modren": did you mean modern?'],
    [
      '{"hosts": [{"paths": ["mx9*"],\n "profile": "ours.json"}]}',
      ':2:13: there is no profile "ours.json": legacy-compatible, modern, strict, or a file',
    ],
  ])('%s, also where a flag counts before it', (text, message) => {
    writeFiles({ '.pfharden.json': text });
    for (const args of [['lint'], ['fix'], ['show', '--profile', 'strict']])
      expect(pfharden(...args)).toEqual({
        status: 2,
        stdout: '',
        stderr: `pfharden: .pfharden.json${message}\n`,
      });
  });

  test('and what it holds reaches no terminal as a command', () => {
    writeFiles({ '.pfharden.json': { severity: { '\u001b[31mred': 'off' } } });
    expect(pfharden('lint').stderr).toBe(
      'pfharden: .pfharden.json:1:14: there is no rule "\u241b[31mred"; see pfharden rules\n',
    );
  });

  test('a profile file that it names, with the place in that one', () => {
    writeFiles({
      '.pfharden.json': { profile: 'ours.json' },
      'ours.json': '{"name": "ours", "extends": "modern",\n "sources": {"rsaBit": "x"}}',
    });
    expect(pfharden('lint').stderr).toBe(
      'pfharden: ours.json:2:14: there is no threshold "rsaBit"; did you mean "rsaBits"?\n',
    );
  });

  test('only a warning is given for hosts that are not there', () => {
    writeFiles({ '.pfharden.json': { hosts: [{ paths: ['mx3'], profile: 'strict' }] } });
    expect(pfharden('lint', '--quiet', '--fail-on', 'error')).toMatchObject({
      status: 0,
      stderr: 'pfharden: .pfharden.json:1:21: no host can match: there is no mx3\n',
    });
  });
});

describe('the schema for editors', () => {
  const schema = JSON.parse(readFileSync(join(DIST, 'config.schema.json'), 'utf8')) as object;
  const validate = new Ajv({ allErrors: true }).compile(schema);

  test('knows each rule by its title', () => {
    const { rules } = JSON.parse(pfharden('rules', '--format', 'json').stdout) as {
      readonly rules: readonly { readonly id: string; readonly title: string }[];
    };
    const { properties } = (schema as { definitions: { severity: { properties: Record<string, object> } } })
      .definitions.severity;
    expect(rules.length).toBeGreaterThan(100);
    expect(
      Object.entries(properties).map(([id, { description }]: [string, { description?: string }]) => [
        id,
        description,
      ]),
    ).toEqual(expect.arrayContaining(rules.map(({ id, title }) => [id, title])));
  });

  test.each([
    [{ severity: { [RULE]: 'off' } }, true],
    [{ severity: { [RULE]: { old: 'info', '*': 'error' } } }, true],
    [{ severity: { 'ours/no-telnet': { default: 'info' } } }, true],
    [{ hosts: [{ paths: ['a'], severity: { [RULE]: { broken: 'off' } } }] }, true],
    [
      {
        $schema: 'x',
        root: true,
        extends: 'a',
        rules: ['r'],
        ignore: ['i'],
        silencing: { reason: 'required' },
      },
      true,
    ],
    [{ severity: { [RULE]: { odl: 'info' } } }, false],
    [{ severity: { [RULE]: 'eror' } }, false],
    [{ hosts: [{ paths: ['a'], severity: { [RULE]: { default: 'off' } } }] }, false],
    [{ hosts: [{ severity: {} }] }, false],
  ])('%j: %s', (value, valid) => {
    expect(validate(value)).toBe(valid);
  });
});

test('both schemas have the same words for levels and thresholds, and each key is described', () => {
  expect(configSchema.definitions).toEqual(profileSchema.definitions);
  const silent: string[] = [];
  const look = (name: string, part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const [key, value] of Object.entries(part)) {
      if (key !== 'properties') look(`${name}/${key}`, value);
      else
        for (const [property, schema] of Object.entries(value as object)) {
          if (!('description' in schema || '$ref' in schema)) silent.push(`${name}/${property}`);
          look(`${name}/${property}`, schema);
        }
    }
  };
  look('', configSchema);
  expect(silent).toEqual([]);
});
