// lint --baseline as users run it: what is known, what is new, what is mended, and files that are none.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import schema from '../../schemas/baseline.schema.json';
import { lintSchema } from './schemas.ts';

const PROGRAM = join(__dirname, '..', '..', 'dist', 'pfharden.js');
const LEVEL = 'smtpd_tls_security_level = may\n';
const PROTOCOLS = 'smtpd_tls_protocols = !SSLv2, !SSLv3\n';
const MASTER = 'smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n';
const RELEASES = ['--postfix-version', '3.7.11', '--openssl-version', '3.0', '--dovecot-version', '2.3.19.1'];

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-baseline-'));
  files({
    'mx1/etc/postfix/main.cf': `${LEVEL}${PROTOCOLS}`,
    'mx1/etc/postfix/master.cf': MASTER,
    'mx2/etc/postfix/main.cf': `${LEVEL}${PROTOCOLS}`,
    'mx2/etc/postfix/master.cf': MASTER,
  });
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function files(texts: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function lint(args: readonly string[], cwd = '.') {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, 'lint', '--no-exec', '--no-color', ...RELEASES, ...args],
    { cwd: join(folder, cwd), encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

const KNOWN = ['--baseline', 'baseline.json'];
const UPDATE = [...KNOWN, '--update-baseline'];

interface Entry {
  readonly host: string;
  readonly file: string;
  readonly rule: string;
  readonly fingerprint: string;
}

function entries(): Entry[] {
  const value = JSON.parse(readFileSync(join(folder, 'baseline.json'), 'utf8'));
  expect(new Ajv().compile(schema)(value)).toBe(true);
  return value.findings;
}

test('what is in the baseline does not count, and the next thing does', () => {
  const first = lint(UPDATE);
  expect([first.status, first.stderr]).toEqual([0, '']);
  expect(first.stdout).toMatch(/^\+ mx1\/etc\/postfix\/main\.cf: .*\[postfix\/server-protocols\]$/m);
  expect(first.stdout).toMatch(/^baseline\.json: \d+ added, 0 removed, 0 kept\.$/m);
  expect(readdirSync(folder).sort()).toEqual(['baseline.json', 'mx1', 'mx2']);

  expect(lint(KNOWN)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^no findings on 2 hosts\. \d+ silenced/m),
  });

  files({ 'mx2/etc/postfix/main.cf': `${LEVEL}${PROTOCOLS}smtpd_use_tls = yes\n` });
  const { status, stdout } = lint([...KNOWN, '--quiet']);
  expect([status, stdout.split('\n').length - 1]).toEqual([1, 1]);
  expect(stdout).toMatch(/^mx2\/etc\/postfix\/main\.cf:3:1: warning: .*\[postfix\/obsolete-tls-switch\]$/m);
});

test('an entry a line, in order, and the same bytes again', () => {
  lint(UPDATE);
  const text = readFileSync(join(folder, 'baseline.json'), 'utf8');
  const lines = text.split('\n').filter((line) => line.startsWith('    {'));
  expect(lines).toHaveLength(entries().length);
  expect([...lines].sort()).toEqual(lines);
  rmSync(join(folder, 'baseline.json'));
  lint(UPDATE);
  expect(readFileSync(join(folder, 'baseline.json'), 'utf8')).toBe(text);
  expect(lint(UPDATE).stdout).toMatch(/^baseline\.json: 0 added, 0 removed, \d+ kept\.$/m);
});

test.each([
  ['from another folder', ['..'], 'mx1', '../baseline.json'],
  ['by the folder of the server', ['mx1/etc/postfix', 'mx2/etc/postfix'], '.', 'baseline.json'],
  ['from the folder of the server', ['.', '../../../mx2'], 'mx1/etc/postfix', '../../../baseline.json'],
  ['by /etc', ['mx1/etc', 'mx2/etc/'], '.', './baseline.json'],
  ['with a detour', ['mx1/../mx1/etc/postfix', './mx2'], '.', 'mx1/../baseline.json'],
])('looked at %s, all is known', (_, paths, cwd, baseline) => {
  lint(UPDATE);
  expect(lint([...paths, '--baseline', baseline, '--quiet'], cwd)).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
  expect(lint([...paths.map((path) => join(folder, cwd, path)), ...KNOWN, '--quiet'])).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
});

test('a repository that was moved as a whole knows all', () => {
  lint(UPDATE);
  for (const name of ['mx1', 'mx2', 'baseline.json'])
    cpSync(join(folder, name), join(folder, 'copy', name), { recursive: true });
  expect(lint(['--quiet', ...KNOWN], 'copy')).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('hosts with the same files are told apart', () => {
  lint(['mx1', ...UPDATE]);
  expect(lint(['mx1', ...KNOWN]).status).toBe(0);
  expect(lint(['mx2', ...KNOWN]).status).toBe(1);
  // The update of one host keeps the entries of the other.
  const before = entries().length;
  lint(['mx2', ...UPDATE]);
  expect(entries()).toHaveLength(2 * before);
  expect(new Set(entries().map(({ host }) => host))).toEqual(new Set(['mx1/etc/postfix', 'mx2/etc/postfix']));
});

test('what is mended is said, and goes with the next update', () => {
  lint(UPDATE);
  const before = entries();
  files({ 'mx1/etc/postfix/main.cf': `${LEVEL}smtpd_tls_protocols = >=TLSv1.2\n` });
  expect(lint(KNOWN)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^1 entry of baseline\.json is mended: --update-baseline takes it out\.$/m),
  });
  expect(lint([...KNOWN, '--format', 'json']).stderr).toBe(
    '1 entry of baseline.json is mended: --update-baseline takes it out.\n',
  );
  // Neither another host nor another rule tells that it is mended.
  expect(lint(['mx2', ...KNOWN]).stdout).not.toContain('mended');
  expect(lint([...KNOWN, '--rule', 'postfix/obsolete-tls-switch']).stdout).not.toContain('mended');
  lint([...UPDATE, '--rule', 'postfix/obsolete-tls-switch']);
  expect(entries()).toEqual(before);

  const { stdout } = lint(UPDATE);
  expect(stdout).toMatch(/^- mx1\/etc\/postfix\/main\.cf: .*\[postfix\/server-protocols\]$/m);
  expect(entries()).toEqual(
    before.filter(({ host, rule }) => host !== 'mx1/etc/postfix' || rule !== 'postfix/server-protocols'),
  );
});

test('a host that is gone goes with the next update of the folder around it', () => {
  files({ 'mx1/etc/dovecot/dovecot.conf': 'ssl_min_protocol = TLSv1\n' });
  lint(UPDATE);
  const dovecot = entries().filter(({ host }) => host === 'mx1/etc/dovecot');
  expect(dovecot.length).toBeGreaterThan(0);
  // Half of a host says nothing of the other half.
  expect(lint(['mx1/etc/postfix/main.cf', ...KNOWN, '--quiet']).stderr).toBe('');
});

test('JSON names the line of the baseline', () => {
  lint(UPDATE);
  const report = JSON.parse(lint([...KNOWN, '--format', 'json']).stdout);
  const validate = new Ajv({ allErrors: true }).compile(lintSchema);
  expect([validate(report), validate.errors]).toEqual([true, null]);
  const lines = readFileSync(join(folder, 'baseline.json'), 'utf8').split('\n');
  for (const host of report.hosts) {
    expect(host.findings).toEqual([]);
    for (const { fingerprint, suppression } of host.suppressed) {
      expect(suppression).toMatchObject({ by: 'baseline', reason: null, until: null, file: 'baseline.json' });
      expect(lines[suppression.line - 1]).toContain(fingerprint);
    }
  }
  expect(report.summary.suppressed).toBe(entries().length);
});

test('what is said of comments is not taken up', () => {
  files({ 'mx1/etc/postfix/main.cf': `${LEVEL}# pfharden: ignore nonsense\n${PROTOCOLS}` });
  const { status, stdout } = lint([...UPDATE, '--quiet']);
  expect([status, stdout]).toEqual([1, expect.stringContaining('[silencing/unknown-rule]')]);
  expect(entries().some(({ rule }) => rule.startsWith('silencing/'))).toBe(false);
});

test('of two alike the other one keeps its entry when one is mended', () => {
  const master = `${MASTER}a inet n - y - - smtpd\n  -o non_smtpd_milters=\nb inet n - y - - smtpd\n  -o non_smtpd_milters=\n`;
  files({ 'mx1/etc/postfix/master.cf': master });
  lint(UPDATE);
  const [, second] = entries().filter(({ rule }) => rule === 'postfix/unused-override');
  expect(second).toBeDefined();
  // The first is mended, and another one like it comes at the end.
  files({
    'mx1/etc/postfix/master.cf': `${MASTER}x inet n - y - - smtpd\na inet n - y - - smtpd\nb inet n - y - - smtpd\n  -o non_smtpd_milters=\nc inet n - y - - smtpd\n  -o non_smtpd_milters=\n`,
  });
  const { stdout, status } = lint([...KNOWN, '--rule', 'postfix/unused-override', '--quiet']);
  expect([status, stdout.split('\n').length - 1]).toEqual([1, 1]);
  expect(stdout).toContain('master.cf:8:');
});

test('no secret gets into it', () => {
  files({
    'mx1/etc/postfix/main.cf': `${LEVEL}${PROTOCOLS}smtp_sasl_password_maps = static:joe:Geheimnis7 # old\nrelayhost = x # Geheimnis7\n`,
  });
  lint(UPDATE);
  expect(entries().some(({ rule }) => rule === 'postfix/trailing-comment')).toBe(true);
  expect(readFileSync(join(folder, 'baseline.json'), 'utf8')).not.toContain('Geheimnis7');
});

describe('an error with file and line:', () => {
  test.each([
    ['not there', null, 'baseline.json: there is no such baseline; --update-baseline makes it'],
    ['empty', '', 'baseline.json:1:1: not valid JSON: the file ends too early'],
    [
      'a conflict of two branches',
      '{\n  "version": 1,\n<<<<<<< ours\n  "findings": []\n}\n',
      'baseline.json:3:1: not valid JSON: "<" cannot stand there',
    ],
    [
      'another version',
      '{\n  "version": 2,\n  "findings": []\n}\n',
      'baseline.json:2:14: a baseline of version 2; this pfharden knows version 1',
    ],
    [
      'an unknown key',
      '{\n  "version": 1,\n  "finding": []\n}\n',
      'baseline.json:3:3: unknown key "finding"; did you mean "findings"?',
    ],
    [
      'a broken entry',
      '{\n  "version": 1,\n  "findings": [\n    { "host": ".", "file": "main.cf", "rule": "a/b", "fingerprint": "x", "message": "" }\n  ]\n}\n',
      'baseline.json:4',
    ],
  ])('%s', (_, text, message) => {
    if (text !== null) files({ 'baseline.json': text });
    const { status, stdout, stderr } = lint(KNOWN);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`pfharden: ${message}`);
  });

  test('an update writes over none that it cannot read', () => {
    const text = '{\n  "version": 2,\n  "findings": []\n}\n';
    files({ 'baseline.json': text });
    expect(lint(UPDATE).status).toBe(2);
    expect(readFileSync(join(folder, 'baseline.json'), 'utf8')).toBe(text);
  });

  test('--update-baseline without a file', () => {
    expect(lint(['--update-baseline'])).toMatchObject({
      status: 2,
      stderr: 'pfharden: --update-baseline goes with --baseline FILE\nTry: pfharden lint --help\n',
    });
  });

  test('nothing is written where a host cannot be read', () => {
    mkdirSync(join(folder, 'mx3/main.cf'), { recursive: true });
    files({ 'mx3/master.cf': MASTER });
    rmSync(join(folder, 'mx3/main.cf'), { recursive: true });
    spawnSync('mkfifo', [join(folder, 'mx3/main.cf')]);
    const { status, stdout } = lint(UPDATE);
    expect([status, existsSync(join(folder, 'baseline.json'))]).toEqual([2, false]);
    expect(stdout).toContain('baseline.json was not written');
  });
});
