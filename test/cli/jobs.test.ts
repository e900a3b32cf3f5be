// --jobs as users run it: the same bytes whoever does the work, and threads that end before their time.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const DIST = join(__dirname, '..', '..', 'dist');
const MASTER = 'smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\nsmtp unix - - y - - smtp\n';
const HOSTS = 17;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-jobs-'));
  for (let host = 0; host < HOSTS; host++) {
    const etc = `hosts/mx${host}/etc`;
    write(
      `${etc}/postfix/main.cf`,
      `smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv${host % 4}\n`,
    );
    write(`${etc}/postfix/master.cf`, MASTER);
    if (host % 3 === 0) write(`${etc}/dovecot/dovecot.conf`, `# no. ${host}\nssl = no\nprotocols = imap\n`);
    if (host % 5 === 0)
      write(
        `${etc}/postfix/main.cf`,
        'smtp_tls_security_level = none # pfharden-disable-line x\nmyorigin = é\n',
      );
  }
  // One that cannot be read, in the middle.
  mkdirSync(join(folder, 'hosts/mx9b/etc/postfix/main.cf'), { recursive: true });
  write('hosts/mx9b/etc/postfix/master.cf', MASTER);
  // One that is judged by another profile.
  write(
    '.pfharden.json',
    JSON.stringify({ hosts: [{ paths: ['hosts/mx1*'], profile: 'strict', releases: { postfix: '3.4' } }] }),
  );
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function run(args: readonly string[], dist = DIST) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [join(dist, 'pfharden.js'), ...args, '--no-exec'],
    { cwd: folder, encoding: 'latin1' },
  );
  return { status, signal, stdout, stderr };
}

/** All files below the folder and what they hold. */
function texts(): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => [
        join(parentPath, name),
        readFileSync(join(parentPath, name), 'latin1'),
      ]),
  );
}

describe('the output is the same with any number of jobs', () => {
  test.each([
    ['lint'],
    ['lint --quiet --show-suppressed'],
    ['lint --format json'],
    ['lint --format sarif --profile strict'],
    ['lint --format markdown'],
    ['lint --rule server-protocols'],
    ['fix'],
    ['fix --unsafe --profile strict'],
    ['show'],
    ['show --format json'],
  ])('%s', (line) => {
    const args = line.split(' ');
    const alone = run([...args, '--jobs', '1']);
    expect(alone.status).toBe(2);
    expect(alone.stdout).toMatch(/mx16/);
    expect(alone.stderr).toMatch(/hosts\/mx9b\/etc\/postfix\/main\.cf: not a regular file/);
    expect(run([...args, '--jobs', '3'])).toEqual(alone);
    // Without --jobs so few hosts are judged by one thread.
    expect(run(args)).toEqual(alone);
  });

  test('more threads than hosts', () => {
    expect(run(['lint', 'hosts/mx1', 'hosts/mx2', '--jobs', '256'])).toEqual(
      run(['lint', 'hosts/mx1', 'hosts/mx2']),
    );
  });

  test('lint --baseline', () => {
    rmSync(join(folder, 'hosts/mx9b'), { recursive: true });
    const update = ['lint', '--baseline', 'known.json', '--update-baseline', '--jobs'];
    const alone = run([...update, '1']);
    const written = texts();
    expect(alone.stdout).toMatch(/^known\.json: \d\d+ added, 0 removed, 0 kept\.$/m);
    rmSync(join(folder, 'known.json'));
    expect(run([...update, '3'])).toEqual(alone);
    expect(texts()).toEqual(written);
    write('hosts/mx3/etc/postfix/master.cf', MASTER.replace('submission', 'submissions'));
    const known = ['lint', '--baseline', 'known.json', '--jobs'];
    const later = run([...known, '1']);
    expect(later.status).toBe(1);
    expect(run([...known, '3'])).toEqual(later);
  });

  test('fix --write', () => {
    rmSync(join(folder, 'hosts/mx9b'), { recursive: true });
    const before = texts();
    const copy = mkdtempSync(join(tmpdir(), 'pfharden-jobs-'));
    try {
      cpSync(folder, copy, { recursive: true });
      const alone = run(['fix', '--write', '--jobs', '1']);
      expect(alone.status).toBe(0);
      const written = texts();
      expect(written).not.toEqual(before);
      rmSync(folder, { recursive: true });
      cpSync(copy, folder, { recursive: true });
      expect(texts()).toEqual(before);
      expect(run(['fix', '--write', '--jobs', '4'])).toEqual(alone);
      expect(texts()).toEqual(written);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

test.each(['0', '-1', '1.5', 'two', '257', '1e1'])('--jobs %s is no number of threads', (jobs) => {
  const { status, stdout, stderr } = run(['lint', `--jobs=${jobs}`]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^pfharden: --jobs must be a number from 1 to 256, not "/);
});

describe('a thread that ends before its time', () => {
  let dist = '';
  beforeEach(() => {
    dist = mkdtempSync(join(tmpdir(), 'pfharden-dist-'));
    cpSync(DIST, dist, { recursive: true });
  });
  afterEach(() => {
    rmSync(dist, { recursive: true, force: true });
  });

  test.each([
    ['by an error', 'throw new Error("out of luck");', /^pfharden: a thread ended: out of luck$/m],
    ['by itself', 'process.exit(3);', /^pfharden: a thread ended with status 3$/m],
    [
      'in the middle of the work',
      'require("node:worker_threads").parentPort.on("message", ({ number }) => { if (number === 9) process.exit(4); }); require("./pfharden.js").thread();',
      /^pfharden: a thread ended with status 4$/m,
    ],
  ])('%s is said, and nothing is written', (_, code, message) => {
    writeFileSync(join(dist, 'thread.js'), code);
    write('old.json', 'the old report');
    rmSync(join(folder, 'hosts/mx9b'), { recursive: true });
    const before = texts();
    const { status, stderr } = run(['lint', '--output', 'old.json', '--jobs', '2', '--quiet'], dist);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
    const fix = run(['fix', '--write', '--jobs', '2'], dist);
    expect(fix.stderr).toMatch(message);
    expect(fix.status).toBe(2);
    expect(texts()).toEqual(before);
  });
});

test.each(['1', '2'])('a signal ends lint with %s jobs, and the report stays the old one', async (jobs) => {
  // So many that it is still at work when the signal comes, on a busy machine, too.
  for (let host = 0; host < 4000; host++)
    write(`many/mx${host}/main.cf`, `myhostname = mx${host}.example.com\n`);
  write('many/old.json', 'the old report');
  const files = (): string[] => readdirSync(join(folder, 'many')).filter((name) => !name.startsWith('mx'));
  const child = spawn(
    process.execPath,
    [join(DIST, 'pfharden.js'), 'lint', '--output', 'old.json', '--quiet', '--jobs', jobs, '--no-exec'],
    { cwd: join(folder, 'many'), stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  while (files().length === 1) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGTERM');
  expect(await ended).toBe('SIGTERM');
  expect(files()).toEqual(['old.json']);
  expect(readFileSync(join(folder, 'many/old.json'), 'utf8')).toBe('the old report');
});

test.each(['1', '2'])('a signal ends fix --write with %s jobs, and leaves every file', async (jobs) => {
  rmSync(join(folder, 'hosts'), { recursive: true });
  for (let host = 0; host < 400; host++) write(`hosts/mx${host}/main.cf`, 'smtpd_tls_protocols = !SSLv2\n');
  const before = texts();
  const child = spawn(
    process.execPath,
    [join(DIST, 'pfharden.js'), 'fix', '--write', '--jobs', jobs, '--no-exec'],
    { cwd: folder, stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  while (readdirSync(join(folder, 'hosts/mx0')).length === 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGTERM');
  expect(await ended).toBe('SIGTERM');
  expect(texts()).toEqual(before);
});

describe('progress', () => {
  /** What a terminal gets that is 100 columns wide. */
  function terminal(line: string, environment: Readonly<Record<string, string>> = {}): string {
    const { CI: _ci, ...env } = process.env;
    const { stdout, error } = spawnSync('script', ['-qec', line, '/dev/null'], {
      cwd: join(folder, 'many'),
      encoding: 'utf8',
      env: { ...env, TERM: 'xterm', ...environment },
    });
    if (error !== undefined) throw error;
    return stdout;
  }

  const isHere = spawnSync('script', ['--version']).error === undefined;

  it('is told to a terminal where the work takes long, and taken away', () => {
    if (!isHere) return;
    for (let host = 0; host < 20; host++)
      write(`many/mx${host}/main.cf`, `myhostname = mx${host}.example.com\n`);
    // A program for which time has gone by.
    write('many/late.cjs', 'const { uptime } = process; process.uptime = () => uptime.call(process) + 5;');
    const late = `'${process.execPath}' --require ./late.cjs '${join(DIST, 'pfharden.js')}' lint --no-exec --quiet . >/dev/null`;
    const shown = terminal(late);
    expect(shown).toMatch(/^\r1 of 20 hosts/);
    // What is left in the line when all is done: nothing.
    expect(shown).toMatch(/^(?:\r\d+ of 20 hosts *|\r +\r)+$/);
    expect(shown).toMatch(/\r +\r$/);
    for (const environment of [{ TERM: 'dumb' }, { CI: 'true' }])
      expect(terminal(late, environment)).toBe('');
    expect(terminal(`${late} 2>said`)).toBe('');
    expect(readFileSync(join(folder, 'many/said'), 'utf8')).toBe('');
  });

  it('is told of logs, and stands in the way of no message', () => {
    if (!isHere) return;
    write('many/late.cjs', 'const { uptime } = process; process.uptime = () => uptime.call(process) + 5;');
    // After the second, a tenth of a second has not gone by.
    for (const name of ['a', 'c'])
      write(`many/${name}`, 'Nov 26 07:00:00 mail postfix/smtpd[1]: connect from x[192.0.2.1]\n');
    const command = `'${process.execPath}' --require ./late.cjs '${join(DIST, 'pfharden.js')}' logs a b c >/dev/null`;
    expect(terminal(command).replace(/ +/g, ' ')).toBe(
      '\r1 of 3 logs and parts of logs read\r \rpfharden: b: no such file or directory\r\n',
    );
  });
});
