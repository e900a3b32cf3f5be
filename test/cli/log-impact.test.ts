// Runs `dist/pfharden.js logs` with a configuration, as users do.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Ajv } from 'ajv';
import { impactSchema } from './schemas.ts';

const PROGRAM = path.join(__dirname, '..', '..', 'dist', 'pfharden.js');
const RELEASES = ['--postfix-version', '3.7.11', '--openssl-version', '1.1.1', '--no-exec'];

let folder = '';
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pfharden-cli-'));
  fs.mkdirSync(path.join(folder, 'postfix'));
  write('postfix/main.cf', [
    'compatibility_level = 3.6',
    'smtpd_tls_security_level = may',
    'smtpd_tls_cert_file = /etc/postfix/mail.pem',
    'smtpd_tls_protocols = !SSLv2, !SSLv3',
    'smtp_tls_security_level = may',
  ]);
  write('postfix/master.cf', ['smtp inet n - n - - smtpd', 'smtp unix - - n - - smtp']);
  const session = (peer: string, suite: string): string[] => [
    `Nov 26 10:00:00 mx1 postfix/smtpd[7]: Anonymous TLS connection established from ${peer}: ${suite}`,
    `Nov 26 10:00:00 mx1 postfix/smtpd[7]: disconnect from ${peer} ehlo=2 starttls=1 quit=1 commands=4`,
  ];
  write('mail.log', [
    ...session('old.example[192.0.2.1]', 'TLSv1 with cipher ECDHE-RSA-AES256-SHA (256/256 bits)'),
    ...session('new.example[192.0.2.2]', 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)'),
  ]);
});
afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

function write(name: string, lines: readonly string[]): void {
  fs.writeFileSync(path.join(folder, name), `${lines.join('\n')}\n`);
}

function pfharden(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    encoding: 'utf8',
    input,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

const LOST = 'would leave 1 of 2 senders (50.0 % of sessions) without TLS: old.example [192.0.2.1] (1).\n';
const logs = (...args: string[]) => pfharden(['logs', 'mail.log', ...args]);

test('the files and a profile', () => {
  const { status, stdout, stderr } = logs('--config', 'postfix', '--profile', 'modern', ...RELEASES);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^modern would /);
  expect(stdout).toContain(LOST.replace('would ', ''));
  expect(stdout).toContain('Judged by the files of postfix, ');
  // The profile of a run without one.
  expect(logs('--config', 'postfix', ...RELEASES).stdout).toBe(stdout);
});

test('a diff says the same as the profile that made it', () => {
  const { stdout: diff } = pfharden(['fix', 'postfix', ...RELEASES]);
  fs.writeFileSync(path.join(folder, 'modern.diff'), diff);
  const expected = logs('--config', 'postfix', ...RELEASES, '--format', 'json').stdout;
  const impact = (text: string): unknown => {
    const { kinds } = (JSON.parse(text) as { impact: { kinds: unknown } }).impact;
    return kinds;
  };
  const args = ['--config', 'postfix', ...RELEASES, '--format', 'json', '--diff'];
  expect(impact(logs(...args, 'modern.diff').stdout)).toEqual(impact(expected));
  expect(impact(pfharden(['logs', 'mail.log', ...args, '-'], diff).stdout)).toEqual(impact(expected));
  expect(logs('--config', 'postfix', ...RELEASES, '--diff', 'modern.diff').stdout).toContain(
    `the diff ${LOST}`,
  );
});

describe('fix', () => {
  const fix = (...args: string[]) => pfharden(['fix', 'postfix', ...RELEASES, ...args]);
  const SENTENCE = `modern ${LOST}`;

  test('the sentence stands above the diff, and the diff is one still', () => {
    const { status, stdout } = fix('--logs', 'mail.l*');
    expect(status).toBe(1);
    expect(stdout).toBe(`# ${SENTENCE}${fix().stdout}`);
    const [program = '', ...args] = 'patch -p1 --dry-run'.split(' ');
    const applied = spawnSync(program, args, { cwd: folder, input: stdout, encoding: 'utf8' });
    expect([applied.status, applied.stderr]).toEqual([0, '']);
  });

  test('a script begins with its shell', () => {
    const { stdout, stderr } = fix('--logs', 'mail.log', '--format', 'postconf');
    expect(stdout).toMatch(/^#!\/bin\/sh\n/);
    expect(stderr).toContain(SENTENCE);
  });

  test('as strict as the peers allow', () => {
    const { status, stdout } = fix('--logs', 'mail.log', '--keep-peers', '99.5%');
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^# modern with --keep-peers 99\.5% would leave none of 2 senders without TLS\.\n# To keep 99\.5% of the peers lowestProtocol\.mx is TLSv1 and not TLSv1\.2: for 1 of 2 senders: old\.example \[192\.0\.2\.1\] \(1\)\.\n--- /,
    );
    expect(stdout).not.toMatch(/^\+smtpd_tls_protocols/m);
    expect(fix('--logs', 'mail.log', '--keep-peers', '50').stdout).toContain(
      '\n# Nothing has to be given up to keep 50 of the peers.\n',
    );
  });

  test.each([
    [['--keep-peers', '99%'], '--keep-peers goes with --logs'],
    [
      ['--logs', 'mail.log', '--keep-peers', '101%'],
      '--keep-peers is a share of the peers such as 99.5%, not "101%"',
    ],
    [['--logs', 'nothing*'], 'nothing*: no file fits this pattern'],
    [['--logs', 'nowhere'], 'nowhere: '],
  ])('%j', (args, problem) => {
    const { status, stdout, stderr } = fix(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(problem);
  });
});

test('a profile alone', () => {
  const { status, stdout } = logs('--profile', 'modern');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^modern would cut off nobody for sure\. At risk: 1 sender, /);
});

test('pseudonyms, of logs and of counts that were merged', () => {
  const args = ['--config', 'postfix', ...RELEASES];
  const { stdout } = logs(...args, '--anonymize');
  expect(stdout).toMatch(/ without TLS: name-[0-9a-f]{16} \[ipv4-[0-9a-f]{16}\] \(1\)\.\n/);
  expect(stdout).not.toContain('old.example');
  fs.writeFileSync(path.join(folder, 'counts'), logs('--format', 'partial', '--peers').stdout);
  const merged = pfharden(['logs', 'counts', '--merge', ...args]).stdout;
  expect(merged).toBe(logs(...args).stdout);
});

test('JSON', () => {
  const { stdout } = logs('--config', 'postfix', '--format', 'json', ...RELEASES);
  const ajv = new Ajv();
  expect([ajv.validate(impactSchema, JSON.parse(stdout)), ajv.errors]).toEqual([true, null]);
});

test.each([
  [['--diff', 'modern.diff'], '--diff goes with --config'],
  [['--profile', 'modern', '--diff', 'x'], '--diff goes with --config'],
  [['--unsafe'], '--unsafe goes with --config'],
  [['--profile', 'modern', '--by', 'day'], '--by does not go with --config and --profile'],
  [['--profile', 'modern', '--format', 'csv'], 'with --config and --profile --format is text or json'],
  [['--profile', 'moder'], 'there is no profile "moder": did you mean modern?'],
  [['--config', 'mail.log'], 'mail.log'],
  [['--config', 'nowhere'], 'nowhere'],
  [['--config', 'postfix', '--diff', 'nowhere'], 'nowhere: '],
  [['--config', 'postfix', '--diff', 'mail.log'], 'mail.log is no unified diff, or changes nothing'],
])('%s', (args, problem) => {
  const { status, stdout, stderr } = logs(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(problem);
});
