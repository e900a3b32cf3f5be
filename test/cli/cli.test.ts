// Runs dist/pfharden.js as users do: exit statuses, streams, JSON, and input that is no configuration.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { COMMANDS, LINT_FORMATS } from '../../src/cli/options.ts';
import { explainSchema, lintSchema, rulesSchema, showSchema } from './schemas.ts';

const ROOT = join(__dirname, '..', '..');
const PROGRAM = join(ROOT, 'dist', 'pfharden.js');
const BAD =
  'smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /c.pem\nsmtpd_tls_protocols = !SSLv2, !SSLv3\n';
const GOOD =
  'compatibility_level = 3.11\nsmtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/postfix/mail.pem\nsmtpd_tls_protocols = >=TLSv1.2\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\nsmtp_tls_security_level = may\nsmtp_tls_protocols = >=TLSv1.2\nsmtp_tls_mandatory_protocols = >=TLSv1.2\n';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function files(texts: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

interface Run {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

function pfharden(args: readonly string[], { input = '', env = {}, uid }: Run = {}) {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...inherited } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    encoding: 'utf8',
    input,
    env: { ...inherited, ...env },
    maxBuffer: 1 << 28,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  expect(`${stdout}${stderr}`).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  return { status, stdout, stderr };
}

/** Only what a script looks at. */
function outcome(args: readonly string[], run: Run = {}): [number | null, string] {
  const { status, stderr } = pfharden(args, run);
  return [status, stderr];
}

describe('exit status', () => {
  beforeEach(() => {
    files({ 'bad/main.cf': BAD, 'good/main.cf': GOOD });
  });

  test.each([
    ['nothing found', ['lint', 'good'], 0],
    ['a finding', ['lint', 'bad'], 1],
    ['findings below --fail-on', ['lint', 'bad', '--fail-on', 'error'], 0],
    ['findings that --severity hides still count', ['lint', 'bad', '--severity', 'error'], 1],
    ['another rule', ['lint', 'bad', '--rule', 'postfix/protocol-gap'], 0],
    ['no host', ['lint', '.git'], 2],
    ['nothing to fix', ['fix', 'good'], 0],
    ['a diff', ['fix', 'bad'], 1],
    ['written', ['fix', 'bad', '--write'], 0],
    ['show', ['show', 'bad'], 0],
    ['rules', ['rules'], 0],
    ['profiles', ['profiles'], 0],
    ['explain', ['explain', 'postfix/server-protocols'], 0],
    ['help', ['lint', '--help'], 0],
    ['version', ['--version'], 0],
  ])('of %s', (_, args, status) => {
    expect(pfharden(args).status).toBe(status);
  });
});

describe('wrong usage is one line and a hint:', () => {
  test.each([
    [[], `which command? ${Object.keys(COMMANDS).join(', ')}`, ''],
    [['litn'], 'unknown command "litn"; did you mean lint?', ''],
    [['--colour'], 'unknown option --colour', ''],
    [['-v'], 'unknown option -v; did you mean --version?', ''],
    [['help', 'litn'], 'unknown command "litn"; did you mean lint?', ''],
    [['--profile', 'x', 'lint'], 'options stand behind the command: pfharden lint --profile …', ''],
    [['lint', '--formt=json'], 'unknown option --formt; did you mean --format?', 'lint '],
    [['lint', '-q'], 'unknown option -q; did you mean --quiet?', 'lint '],
    [['show', '--baseline', 'x'], 'show has no option --baseline; lint has it', 'show '],
    [['lint', '--profile='], '--profile needs a value', 'lint '],
    [['lint', '--rule', 'vrfy', '--rule='], '--rule needs a value', 'lint '],
    [['completion', 'bash', 'zsh'], 'completion takes the name of one shell: bash, zsh, fish', 'completion '],
    [['show', '--format', 'xml'], '--format must be one of text, json, not "xml"', 'show '],
    [['lint', '--format', 'xml'], `--format must be one of ${LINT_FORMATS.join(', ')}, not "xml"`, 'lint '],
    [['lint', '--format'], '--format needs a value', 'lint '],
    [
      ['lint', '--rule', 'server-protocol'],
      'there is no rule "server-protocol"; did you mean postfix/server-protocols?',
      'lint ',
    ],
    [
      ['explain', 'duplicate-setting'],
      '"duplicate-setting" is the name of dovecot/duplicate-setting and postfix/duplicate-setting: write one of them',
      'explain ',
    ],
    [['fix', '--only', 'x'], 'there is no rule "x"; pfharden rules lists them', 'fix '],
    [['fix', '--backup'], '--backup goes with --write', 'fix '],
    [
      ['fix', '-', '--as', 'main.cf', '--write'],
      'standard input cannot be written: leave out --write',
      'fix ',
    ],
    [
      ['lint', '--postfix-version', 'new'],
      '--postfix-version: "new" is no release; write it as 3.7.11 or 3.7',
      'lint ',
    ],
    [['probe'], 'probe needs a HOST or a HOST:PORT', 'probe '],
    [
      ['probe', '192.0.2.0/24'],
      '192.0.2.0/24: networks are not probed: name each port as HOST:PORT',
      'probe ',
    ],
    [
      ['probe', 'localhost:20-30'],
      'localhost:20-30: ranges and lists of ports are not probed: name each port as HOST:PORT',
      'probe ',
    ],
    [
      ['probe', 'localhost:12345'],
      'localhost:12345: port 12345 does not tell what is spoken there: name it with --starttls',
      'probe ',
    ],
    [['probe', '--timeout', '0', 'localhost'], '--timeout must be seconds, at most 120, not "0"', 'probe '],
    [
      ['probe', ...Array.from({ length: 33 }, (_, index) => `192.0.2.${index}`)],
      '33 ports are too many: at most 32 at a time, pfharden is no scanner of networks',
      'probe ',
    ],
    [['explain'], 'explain takes the id of one rule; pfharden rules lists them', 'explain '],
    [['rules', 'levels'], 'rules takes no words; pfharden explain RULE explains one', 'rules '],
  ])('%j', (args, message, command) => {
    files({ 'main.cf': '' });
    expect(pfharden(args)).toEqual({
      status: 2,
      stdout: '',
      stderr: `pfharden: ${message}\nTry: pfharden ${command}--help\n`,
    });
  });
});

describe('input that is no configuration:', () => {
  test('an empty folder', () => {
    expect(outcome(['lint'])).toEqual([2, 'pfharden: no configuration of Postfix or Dovecot in .\n']);
  });

  test('an unreadable file beside a readable one', () => {
    files({ 'etc/postfix/main.cf': BAD, 'etc/postfix/master.cf': '' });
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'etc/postfix/main.cf'), 0);
    // Root reads everything, so it stands back.
    const uid = process.getuid?.() === 0 ? { uid: 65534 } : {};
    expect(outcome(['lint', 'etc'], uid)).toEqual([2, 'pfharden: etc/postfix/main.cf: permission denied\n']);
  });

  test('one host of several: the others are judged all the same', () => {
    files({ 'a/master.cf': '', 'b/main.cf': BAD });
    symlinkSync('nowhere', join(folder, 'a/main.cf'));
    const { status, stdout, stderr } = pfharden(['lint', '--quiet']);
    expect([status, stderr]).toEqual([2, 'pfharden: a/main.cf: a link to a file that is not there\n']);
    expect(stdout).toContain('b/main.cf:3:1: warning:');
  });

  test('links in a loop', () => {
    symlinkSync('main.cf', join(folder, 'main.cf'));
    expect(outcome(['lint'])).toEqual([2, 'pfharden: main.cf: a loop of symbolic links\n']);
  });

  test('a named pipe', () => {
    expect(spawnSync('mkfifo', [join(folder, 'main.cf')]).status).toBe(0);
    expect(outcome(['lint'])).toEqual([2, 'pfharden: main.cf: not a regular file\n']);
  });

  test('bytes of any kind are findings or nothing, and show nothing that a terminal obeys', () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 197 + (index >> 3)) % 256));
    files({ 'main.cf': bytes, 'master.cf': bytes });
    for (const args of [['lint'], ['lint', '--format', 'json'], ['show'], ['show', '--format', 'json']]) {
      const { status, stdout, stderr } = pfharden(args);
      expect([status === 0 || status === 1, stderr]).toEqual([true, '']);
      // oxlint-disable-next-line no-control-regex
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  });

  test('text that is not UTF-8 keeps its bytes', () => {
    files({ 'main.cf': Buffer.from(`# caf\xe9\n${BAD}`, 'latin1') });
    expect(pfharden(['fix', '--write']).status).toBe(0);
    expect(readFileSync(join(folder, 'main.cf')).subarray(0, 7)).toEqual(
      Buffer.from('# caf\xe9\n', 'latin1'),
    );
  });

  test('a line of 100 MB', () => {
    files({
      'main.cf': Buffer.concat([Buffer.from(`${BAD}mynetworks = `), Buffer.alloc(100 * 1024 * 1024, 'a, ')]),
    });
    const { status, stdout } = pfharden(['lint']);
    expect([status, stdout.length < 20_000]).toEqual([1, true]);
  }, 120_000);

  test('a profile of no use', () => {
    files({ 'main.cf': BAD, 'p.json': '{"name": "ours",\n"extend": "modern"}' });
    expect(outcome(['lint', '--profile', 'p.json'])).toEqual([
      2,
      'pfharden: p.json:2:1: unknown key "extend"; did you mean "extends"?\n',
    ]);
    expect(outcome(['lint', '--profile', 'modren'])).toEqual([
      2,
      'pfharden: there is no profile "modren": did you mean modern?\n',
    ]);
  });
});

function setting(
  service: string | null,
  name: string,
  value: string,
  effective: string,
  file: string,
  line: number,
) {
  const kind = service === null ? 'file' : 'override';
  return { server: 'postfix', service, name, value, effective, origin: { kind, file, line } };
}

const ajv = new Ajv({ allErrors: true });

function json(args: readonly string[], schema: object): unknown {
  const { stdout, stderr } = pfharden([...args, '--format', 'json']);
  expect(stderr).toBe('');
  const value: unknown = JSON.parse(stdout);
  expect({ errors: ajv.validate(schema, value) ? [] : ajv.errors }).toEqual({ errors: [] });
  return value;
}

describe('JSON', () => {
  test('of lint, for several hosts and for none with findings', () => {
    files({
      'etc/postfix/main.cf': BAD,
      'etc/postfix/master.cf': 'smtp inet n - n - - smtpd\n',
      'good/main.cf': GOOD,
    });
    const report = json(['lint', '--postfix-version', '3.7.11', 'etc', 'good'], lintSchema) as LintReport;
    expect(report.profile).toBe('modern');
    expect(report.hosts.map(({ root, postfix }) => [root, postfix])).toEqual([
      ['etc', { directory: 'etc/postfix', version: '3.7.11', versionFrom: 'flag' }],
      ['good', { directory: 'good', version: '3.7.11', versionFrom: 'flag' }],
    ]);
    const findings = report.hosts.flatMap((host) => host.findings);
    expect(findings.length).toBe(report.summary.error + report.summary.warning + report.summary.info);
    expect(findings.find(({ rule }) => rule === 'postfix/server-protocols')).toMatchObject({
      severity: 'warning',
      file: 'etc/postfix/main.cf',
      line: 3,
      column: 1,
      endLine: 3,
      endColumn: 37,
      endpoint: 'smtp/inet',
      setting: 'smtpd_tls_protocols',
      actual: '!SSLv2, !SSLv3',
      fix: { safe: true },
    });
    expect(json(['lint', 'good'], lintSchema)).toMatchObject({ summary: { error: 0, warning: 0 } });
  });

  test('of show', () => {
    files({
      'main.cf': 'floor = TLSv1.2\nsmtpd_tls_protocols = >=$floor\nmy_password = hunter2\n',
      'master.cf': 'smtp inet n - n - - smtpd\n  -o smtpd_tls_security_level=may\n',
    });
    const report = json(['show', '--postfix-version', '3.7.11'], showSchema) as ShowReport;
    expect(report.hosts[0]?.settings).toEqual([
      setting(null, 'floor', 'TLSv1.2', 'TLSv1.2', 'main.cf', 1),
      setting(null, 'smtpd_tls_protocols', '>=$floor', '>=TLSv1.2', 'main.cf', 2),
      setting(null, 'my_password', '(hidden)', '(hidden)', 'main.cf', 3),
      setting('smtp/inet', 'smtpd_tls_security_level', 'may', 'may', 'master.cf', 2),
    ]);
    expect(report.hosts[0]?.endpoints[0]?.tls.ciphers).toEqual([]);
    const all = json(['show', '--all'], showSchema) as ShowReport;
    expect(all.hosts[0]?.settings.length).toBeGreaterThan(500);
  });

  test('of show with the suites of each port and client', () => {
    files({
      'main.cf': [
        'smtpd_tls_security_level = may',
        'smtpd_tls_cert_file = none',
        'smtpd_tls_protocols = TLSv1.2',
        'tls_medium_cipherlist = ADH-AES128-SHA:AES128-SHA',
        'smtp_tls_security_level = may',
        'smtp_tls_mandatory_protocols = TLSv1.2',
        'smtp_tls_policy_maps = inline:{ {[mx.example]=encrypt exclude=aNULL} }',
        'relayhost = [mx.example]',
        '',
      ].join('\n'),
      'master.cf': 'smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n',
    });
    const report = json(['show', '--openssl-version', '3.0'], showSchema) as ShowReport;
    expect(report.hosts[0]?.endpoints).toMatchObject([
      {
        tls: {
          mode: 'opportunistic',
          ciphers: [{ protocol: 'TLSv1.2', name: 'ADH-AES128-SHA' }],
          preference: 'client',
          keyTypes: [],
        },
        notes: [],
      },
      {
        tls: { mode: 'required', ciphers: [{ protocol: 'TLSv1.2', name: 'AES128-SHA' }], preference: null },
        notes: ['smtp_tls_policy_maps has a policy for this destination: level encrypt'],
      },
    ]);
  });

  test('of rules', () => {
    const { rules } = json(['rules'], rulesSchema) as { rules: { id: string }[] };
    expect(rules.map(({ id }) => id)).toContain('postfix/server-protocols');
  });

  test('of explain and profiles', () => {
    const { rule } = json(['explain', 'server-protocols'], explainSchema) as { rule: object };
    expect(rule).toMatchObject({
      id: 'postfix/server-protocols',
      fix: 'safe',
      examples: { bad: expect.any(Array) },
    });
    const { profiles } = JSON.parse(pfharden(['profiles', '--format', 'json']).stdout) as {
      profiles: { name: string }[];
    };
    expect(profiles.map(({ name }) => name)).toEqual(['legacy-compatible', 'modern', 'strict']);
  });
});

interface LintReport {
  readonly profile: string;
  readonly hosts: readonly { root: string; postfix: object; findings: readonly { rule: string }[] }[];
  readonly summary: Readonly<Record<'error' | 'warning' | 'info', number>>;
}

interface ShowReport {
  readonly hosts: readonly {
    readonly settings: readonly { readonly name: string }[];
    readonly endpoints: readonly { readonly tls: { readonly ciphers: readonly object[] | null } }[];
  }[];
}

describe('the text report', () => {
  beforeEach(() => {
    files({ 'main.cf': BAD });
  });

  test.each([
    ['is plain in a pipe', [], {}, false],
    ['has colours where they are asked for', [], { FORCE_COLOR: '1' }, true],
    ['has none with NO_COLOR', [], { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    ['has none with --no-color', ['--no-color'], { FORCE_COLOR: '1' }, false],
  ])('%s', (_, args, env, coloured) => {
    expect(pfharden(['lint', ...args], { env }).stdout.includes('\u001b[')).toBe(coloured);
  });

  test('is the same whether yargs or the short way understood the line', () => {
    // A value with a dash before it is nothing that the short way takes.
    const short = pfharden(['lint', '--profile', 'strict', '--rule', 'server-protocols', '.']);
    expect(pfharden(['lint', '.', '--profile=strict', '--rule=server-protocols', '--quiet=false'])).toEqual(
      short,
    );
    expect(pfharden(['lint', '--profile', 'strict', '--rule', 'server-protocols', '--', '.'])).toEqual(short);
  });

  test('ends without a word when its reader goes away, with the status that it would have had', async () => {
    files(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`many/${index}/main.cf`, BAD])));
    const child = spawn(process.execPath, [PROGRAM, 'lint', 'many'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (data: Buffer) => {
      said += data.toString();
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const status = await new Promise((resolve) => {
      child.on('close', resolve);
    });
    expect([status, said]).toEqual([1, '']);
    // Three hundred hosts take long on a machine that does other things too.
  }, 60_000);

  test('reads standard input', () => {
    const { status, stdout } = pfharden(['lint', '-', '--as', 'main.cf', '--quiet'], { input: BAD });
    expect([status, stdout.includes('main.cf:3:1: warning: ')]).toEqual([1, true]);
  });
});

describe('a host with both servers', () => {
  const TREE = {
    'etc/postfix/main.cf': `${GOOD}disable_vrfy_command = yes\ndisable_vrfy_command = yes\n`,
    'etc/postfix/master.cf': '# none\n',
    'etc/dovecot/dovecot.conf': '!include conf.d/*.conf\n!include_try local.conf\n',
    'etc/dovecot/conf.d/10-ssl.conf': 'ssl = Required\nssl_cert = /etc/ssl/certs/mx.pem\n',
    'etc/dovecot/conf.d/20-imap.conf':
      'protocol imap {\n  mail_max_userip_connections = 20\n  mail_max_userip_connections = 30\n}\n',
  };
  const releases = [
    '--postfix-version',
    '3.11.7',
    '--dovecot-version',
    '2.3.19.1',
    '--openssl-version',
    '3.0',
  ];

  beforeEach(() => {
    files(TREE);
  });

  test('is judged as one, each finding in its file', () => {
    const report = json(['lint', 'etc', ...releases], lintSchema) as LintReport;
    expect(report).toMatchObject({
      hosts: [
        {
          root: 'etc',
          postfix: { directory: 'etc/postfix', version: '3.11.7' },
          dovecot: { file: 'etc/dovecot/dovecot.conf', version: '2.3.19.1', versionFrom: 'flag' },
        },
      ],
    });
    const { stdout } = pfharden(['lint', 'etc', '--quiet', ...releases]);
    for (const line of [
      'etc/postfix/main.cf:9:1: warning: disable_vrfy_command is set to the same value again',
      'etc/dovecot/conf.d/10-ssl.conf:1:1: error: ssl is "Required", and has to be one of yes, no and required',
      'etc/dovecot/conf.d/10-ssl.conf:2:1: error: ssl_cert = /etc/ssl/certs/mx.pem is taken for the certificate itself',
      'etc/dovecot/conf.d/20-imap.conf:2:3: warning: mail_max_userip_connections of protocol imap is set again',
    ])
      expect(stdout).toContain(line);
    const { stdout: text } = pfharden(['lint', 'etc', '--openssl-version', '3.0']);
    expect(text).toMatch(
      /^etc: Postfix 3\.11\.\d+ \(assumed\), Dovecot 2\.3\.21\.1 \(assumed\), OpenSSL 3\.0, profile modern\n/,
    );
  });

  test('is judged for the release that its files name', () => {
    files({ 'new/dovecot.conf': 'dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n' });
    const { stdout } = pfharden(['lint', 'new', '--openssl-version', '3.0']);
    expect(stdout).toMatch(
      /^new: Dovecot 2\.4\.1 \(dovecot_config_version\), OpenSSL 3\.0, profile modern\n/,
    );
  });

  test('is shown with the sections of its settings', () => {
    const report = json(['show', 'etc', ...releases], showSchema) as ShowReport;
    const [host] = report.hosts;
    expect(host?.settings.filter(({ name }) => name === 'mail_max_userip_connections')).toEqual([
      {
        server: 'dovecot',
        service: 'protocol imap',
        name: 'mail_max_userip_connections',
        value: '30',
        effective: '30',
        origin: { kind: 'override', file: 'etc/dovecot/conf.d/20-imap.conf', line: 3 },
      },
    ]);
  });

  test('is mended in the files that decide, all or none', () => {
    const rules = [
      '--only',
      'duplicate-setting',
      '--only',
      'certificate-not-read',
      '--only',
      'dovecot/bad-value',
    ];
    const { status, stdout } = pfharden(['fix', 'etc', '--write', ...rules, ...releases]);
    expect([status, stdout.split('\n').at(-2)]).toEqual([
      0,
      '4 findings mended; reload Postfix and Dovecot for it to take effect: postfix reload; doveadm reload',
    ]);
    const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
    expect(read('etc/dovecot/conf.d/10-ssl.conf')).toBe(
      'ssl = required\nssl_cert = </etc/ssl/certs/mx.pem\n',
    );
    expect(read('etc/dovecot/conf.d/20-imap.conf')).toBe(
      'protocol imap {\n  mail_max_userip_connections = 30\n}\n',
    );
    expect(read('etc/dovecot/dovecot.conf')).toBe(TREE['etc/dovecot/dovecot.conf']);
    expect(pfharden(['fix', 'etc', ...rules, ...releases]).stdout).toBe('');
  });

  test('has a script of postconf commands for Postfix alone', () => {
    const { stdout, stderr } = pfharden(['fix', 'etc', '--format', 'postconf', ...releases]);
    expect(stdout).toContain('disable_vrfy_command');
    expect(stdout).not.toContain('ssl_cert =');
    expect(stderr).toContain('etc/dovecot: postconf knows nothing of Dovecot: leave out --format postconf');
  });

  test('may be a dovecot.conf on standard input', () => {
    const { status, stdout } = pfharden(['lint', '-', '--as', 'dovecot.conf', '--quiet'], {
      input: 'ssl = Required\n',
    });
    expect([status, stdout.split(' [')[0]]).toEqual([
      1,
      expect.stringContaining('dovecot.conf:1:1: error: ssl is "Required"'),
    ]);
  });
});

describe('fix', () => {
  test('prints a diff, and on standard error what it leaves and why', () => {
    files({ 'etc/postfix/main.cf': `${BAD}smtp_tls_security_level = none\n` });
    const { stdout, stderr } = pfharden(['fix', 'etc', '--only', 'server-protocols']);
    expect(stdout).toBe(`--- a/etc/postfix/main.cf
+++ b/etc/postfix/main.cf
@@ -1,4 +1,4 @@
 smtpd_tls_security_level = may
 smtpd_tls_cert_file = /c.pem
-smtpd_tls_protocols = !SSLv2, !SSLv3
+smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1
 smtp_tls_security_level = none
`);
    expect(stderr).toBe('');
  });

  test('writes, keeps the old file, and has nothing to do after that', () => {
    files({ 'main.cf': BAD });
    const { status, stdout } = pfharden(['fix', '--write', '--backup']);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^wrote .*main\.cf, the old file is .*main\.cf\.bak\n\d+ findings? mended/),
    ]);
    expect(readFileSync(join(folder, 'main.cf.bak'), 'utf8')).toBe(BAD);
    expect(pfharden(['fix']).stdout).toBe('');
  });

  test('writes a script of postconf commands', () => {
    files({ 'main.cf': BAD });
    const { status, stdout } = pfharden(['fix', '--format', 'postconf', '--only', 'server-protocols']);
    expect([status, stdout.split('\n')[0]]).toEqual([1, '#!/bin/sh']);
    expect(stdout).toContain(
      `postconf -c "$config" -e 'smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1'`,
    );
  });
});

describe('what comments silence', () => {
  const comment = '# pfharden: ignore server-protocols until 2999-12-31 -- the fax machine';
  const main = `smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /c.pem\n${comment}\nsmtpd_tls_protocols = !SSLv2, !SSLv3\n`;
  const rule = ['--rule', 'postfix/server-protocols'];

  beforeEach(() => {
    files({ 'main.cf': main, 'master.cf': 'smtp inet n - y - - smtpd\n' });
  });

  test('does not count, and is counted in the summary', () => {
    expect(pfharden(['lint', ...rule])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('no findings. 1 silenced (listed with --show-suppressed).'),
    });
  });

  test('is listed with the place of the comment, its end and its reason', () => {
    const { stdout } = pfharden(['lint', ...rule, '--show-suppressed']);
    expect(stdout).toMatch(/^silenced$/m);
    expect(stdout).toMatch(/^ {2}main\.cf:4:1: warning: /m);
    expect(stdout).toContain('the comment in main.cf line 3, until 2999-12-31: the fax machine');
    expect(stdout).toContain('1 silenced.');
  });

  test('stands in JSON with all that is known of it', () => {
    const { status, stdout } = pfharden(['lint', ...rule, '--format', 'json']);
    const report = JSON.parse(stdout);
    const validate = ajv.compile(lintSchema);
    expect([validate(report), validate.errors]).toEqual([true, null]);
    expect([status, report.hosts[0].findings, report.summary.suppressed]).toEqual([0, [], 1]);
    expect(report.hosts[0].suppressed).toMatchObject([
      {
        rule: 'postfix/server-protocols',
        line: 4,
        suppression: {
          by: 'comment',
          reason: 'the fax machine',
          until: '2999-12-31',
          file: 'main.cf',
          line: 3,
        },
      },
    ]);
  });
});
