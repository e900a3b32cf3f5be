// Reports in files: what --format and --output ask for, and what stays when something goes wrong.
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outputPlan } from '../../src/cli/lint-output.ts';
import { LINT_FORMATS } from '../../src/cli/options.ts';

const PROGRAM = join(__dirname, '..', '..', 'dist', 'pfharden.js');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-output-'));
  mkdirSync(join(folder, 'mx'));
  writeFileSync(
    join(folder, 'mx', 'main.cf'),
    'smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /c.pem\nsmtpd_tls_protocols = !SSLv2, !SSLv3\nsmtp_sasl_password_maps = static:user:topsecret  # comment\n',
  );
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function lint(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, 'lint', '--postfix-version', '3.7.11', 'mx', ...args],
    { cwd: folder, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

const plan = (format: string | undefined, ...output: string[]) =>
  outputPlan({ command: 'lint', words: [], given: { format, output } });

describe('what is asked for', () => {
  test.each([
    ['nothing', plan(undefined), { standard: 'text', files: [] }],
    ['a format', plan('sarif'), { standard: 'sarif', files: [] }],
    [
      'a format in a file',
      plan('junit', 'a.xml'),
      { standard: null, files: [{ format: 'junit', path: 'a.xml' }] },
    ],
    [
      'a file that names its format',
      plan(undefined, 'gitlab=a.json'),
      { standard: 'text', files: [{ format: 'gitlab', path: 'a.json' }] },
    ],
    [
      'files by their suffixes',
      plan(undefined, 'a.sarif', 'b.md', 'c.html'),
      {
        standard: 'text',
        files: [
          { format: 'sarif', path: 'a.sarif' },
          { format: 'markdown', path: 'b.md' },
          { format: 'html', path: 'c.html' },
        ],
      },
    ],
    [
      'a format for standard output, another for a file',
      plan('github', 'sarif=a.sarif'),
      { standard: 'github', files: [{ format: 'sarif', path: 'a.sarif' }] },
    ],
    [
      'a name with = that is no format',
      plan('json', 'a=b.json'),
      { standard: null, files: [{ format: 'json', path: 'a=b.json' }] },
    ],
  ])('%s', (_, found, wanted) => {
    expect(found).toEqual(wanted);
  });

  test.each([
    ['no format', () => plan(undefined, 'report.xml'), 'write FORMAT=report.xml'],
    ['one file twice', () => plan(undefined, 'json=a', 'sarif=a'), 'two reports'],
  ])('refused: %s', (_, ask, says) => {
    expect(ask).toThrow(says);
  });
});

test('several reports in one run, and the text besides', () => {
  const { status, stdout, stderr } = lint(
    '--output',
    'a.sarif',
    '--output',
    'checkstyle=b.xml',
    '--output',
    'c.md',
    '--output',
    'd.html',
  );
  expect([status, stderr]).toEqual([1, '']);
  expect(stdout).toContain('postfix/server-protocols');
  expect(readdirSync(folder).sort()).toEqual(['a.sarif', 'b.xml', 'c.md', 'd.html', 'mx']);
  const rules = (
    JSON.parse(readFileSync(join(folder, 'a.sarif'), 'utf8')) as { runs: { results: { ruleId: string }[] }[] }
  ).runs[0]?.results.map(({ ruleId }) => ruleId);
  expect(rules).toContain('postfix/server-protocols');
  expect(readFileSync(join(folder, 'b.xml'), 'utf8').match(/<error /g)).toHaveLength(rules?.length ?? -1);
  const page = readFileSync(join(folder, 'd.html'), 'utf8');
  expect(page.match(/<article class="finding" /g)).toHaveLength(rules?.length ?? -1);
  expect(page).toContain('<ins>+');
  expect(readFileSync(join(folder, 'c.md'), 'utf8')).toContain('```diff\n--- a/mx/main.cf\n');
});

test('a secret is in no report, neither in a fix that moves it nor in the diff', () => {
  const formats = LINT_FORMATS.filter((format) => format !== 'text');
  const { status } = lint(...formats.flatMap((format) => ['--output', `${format}=${format}.out`]));
  expect(status).toBe(1);
  for (const format of formats) {
    const text = readFileSync(join(folder, `${format}.out`), 'utf8');
    expect(text.length).toBeGreaterThan(100);
    expect(text).not.toContain('topsecret');
  }
});

test('a file that cannot be written is said, and nothing is left of it', () => {
  writeFileSync(join(folder, 'old.md'), 'old\n');
  const { status, stdout, stderr } = lint('--output', 'old.md', '--output', 'sarif=none/a.sarif');
  expect([status, stdout, stderr]).toEqual([2, '', 'pfharden: none/a.sarif: no such file or directory\n']);
  expect(readdirSync(folder).sort()).toEqual(['mx', 'old.md']);
  expect(readFileSync(join(folder, 'old.md'), 'utf8')).toBe('old\n');
});

test('what is no file is written to and stays what it is; a link stays a link', () => {
  const pipe = spawnSync(
    'sh',
    ['-c', `node ${PROGRAM} lint mx --format gitlab --output /dev/stdout | head -c 1`],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  expect(pipe.stdout).toBe('[');
  writeFileSync(join(folder, 'real.json'), '');
  symlinkSync('real.json', join(folder, 'link.json'));
  expect(lint('--format', 'json', '--output', 'link.json').status).toBe(1);
  expect(lstatSync(join(folder, 'link.json')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, 'real.json'), 'utf8')).toContain('"version": 1');
});

test('a device without room is said', () => {
  const { status, stderr } = lint('--format', 'json', '--output', '/dev/full');
  expect([status, stderr]).toEqual([2, 'pfharden: /dev/full: no space left on device\n']);
  expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
});
