// Runs `dist/pfharden.js logs` as users do.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv } from 'ajv';
import { logsSchema } from './schemas.ts';

const PROGRAM = path.join(__dirname, '..', '..', 'dist', 'pfharden.js');
const RECORDED = path.join(__dirname, '..', 'recorded', 'logs');

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pfharden-cli-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string | Buffer): void {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
}

function logs(
  args: readonly string[],
  { input = '', env = {} }: { readonly input?: string | Buffer; readonly env?: object } = {},
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'logs', ...args], {
    cwd: folder,
    encoding: 'utf8',
    input,
    maxBuffer: 1 << 26,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  return { status, stdout, stderr };
}

/** What `--format json` says. */
interface Answer {
  readonly first: string | null;
  readonly last: string | null;
  readonly lines: { readonly lines: number; readonly unread: number; readonly long: number };
  readonly sessions: readonly { readonly sessions: number; readonly protocol: string | null }[];
}

function json(args: readonly string[], options = {}): Answer {
  const { stdout } = logs([...args, '--format', 'json'], options);
  const answer = JSON.parse(stdout) as Answer;
  const ajv = new Ajv();
  expect([ajv.validate(logsSchema, answer), ajv.errors]).toEqual([true, null]);
  return answer;
}

/** A session with TLS on a day of a process. */
function session(day: string, pid = 7, peer = '192.0.2.1'): string {
  const head = `${day} 10:00:00 mx1 postfix/smtpd[${pid}]:`;
  return `${head} Anonymous TLS connection established from mail.example.net[${peer}]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n${head} disconnect from mail.example.net[${peer}] ehlo=2 starttls=1 quit=1 commands=4\n`;
}

test('the spread, as a table', () => {
  write(
    'mail.log',
    session('Nov 26') +
      session('Nov 26', 8, '192.0.2.2') +
      session('Nov 27', 8).replaceAll(
        'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384',
        'TLSv1 with cipher AES128-SHA',
      ),
  );
  fs.utimesSync(path.join(folder, 'mail.log'), new Date('2026-11-28'), new Date('2026-11-28'));
  expect(logs(['mail.log'])).toEqual({
    status: 0,
    stderr: '',
    stdout: [
      '2026-11-26 to 2026-11-27: 6 lines',
      '',
      'Incoming, smtpd                    sessions   share  peers',
      '  TLSv1.3  TLS_AES_256_GCM_SHA384         2  66.7 %      2  █████████████',
      '  TLSv1    AES128-SHA                     1  33.3 %      1  ███████',
      '',
    ].join('\n'),
  });
});

test('the guide shows what is printed', () => {
  const guide = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'logs.md'), 'utf8');
  const tables = [...guide.matchAll(/```\n((?:Incoming|Outgoing), \w+ [^`]+)```/g)].map(([, table]) => table);
  expect(tables).toHaveLength(2);
  const { stdout } = logs([path.join(RECORDED, 'postfix-3.10.13.txt')]);
  for (const table of tables) expect(stdout).toContain(`\n\n${table}\n`);
  const example = /```json\n([^`]+)```/.exec(guide)?.[1] ?? '';
  const ajv = new Ajv();
  expect([ajv.validate(logsSchema, JSON.parse(example)), ajv.errors]).toEqual([true, null]);
});

test('no address and no login', () => {
  for (const name of fs.readdirSync(RECORDED).filter((one) => one.endsWith('.txt'))) {
    const file = path.join(RECORDED, name);
    expect(fs.readFileSync(file, 'latin1')).toMatch(/192\.0\.2\.1/);
    for (const format of ['text', 'json', 'csv', 'markdown', 'html']) {
      const { stdout, status } = logs([file, '--format', format, '--by', 'day']);
      expect(status).toBe(0);
      expect(stdout).not.toMatch(/\d+\.\d+\.\d+\.\d+|2001:db8|somebody|someone|example/);
    }
  }
});

describe('questions', () => {
  test('who still speaks TLSv1, and when', () => {
    write('mail.log', session('Nov 26') + session('Nov 27', 8).replaceAll('TLSv1.3', 'TLSv1'));
    fs.utimesSync(path.join(folder, 'mail.log'), new Date('2026-11-28'), new Date('2026-11-28'));
    const { stdout } = logs([
      'mail.log',
      '--protocol',
      'TLSv1',
      '--peers',
      '--by',
      'day',
      '--service',
      'smtpd',
    ]);
    expect(stdout).toContain('    1  192.0.2.1  mail.example.net\n');
    expect(stdout).toContain('  2026-11-27                    1  100.0 %\n');
    expect(logs(['mail.log', '--cipher', 'AES128-SHA']).stdout).toContain('No session is of the kind');
    expect(logs(['mail.log', '--format', 'markdown']).stdout).toMatch(/^### /);
    expect(logs(['mail.log', '--format', 'csv']).stdout).toMatch(/^direction,.*\r\nin,/);
  });

  test.each([
    ['--protocol', 'TLSv2'],
    ['--by', 'year'],
    ['--by', 'day', '--peers', '--format', 'csv'],
  ])('%s %s …: wrong usage', (...args) => {
    write('mail.log', session('Nov 26'));
    expect(logs(['mail.log', ...args])).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('files', () => {
  test('a rotated set is read from the oldest on, whatever the order', () => {
    // One session begins in a file and ends in the next; the year turns between two of them.
    const lines = [session('Dec 30'), session('Dec 31'), session('Jan  1'), session('Jan  2')]
      .join('')
      .split(/(?<=\n)/);
    write('mail.log.2.gz', gzipSync(lines.slice(0, 3).join('')));
    write('mail.log.1', lines.slice(3, 5).join(''));
    write('mail.log', lines.slice(5).join(''));
    for (const name of fs.readdirSync(folder))
      fs.utimesSync(path.join(folder, name), new Date('2026-01-03'), new Date('2026-01-03'));
    const answer = json(['mail.log', 'mail.log.2.gz', 'mail.log.1']);
    expect(answer).toMatchObject({ first: '2025-12-30', last: '2026-01-02', lines: { lines: 8, unread: 0 } });
    expect(answer.sessions).toMatchObject([{ sessions: 4, peers: 1 }]);
  });

  test('logs of two hosts over the same months', () => {
    for (const host of ['a', 'b']) {
      write(`${host}/mail.log`, [session('Jan  5'), session('Nov 26')].join(''));
      fs.utimesSync(path.join(folder, host, 'mail.log'), new Date('2026-11-28'), new Date('2026-11-28'));
    }
    expect(json(['a/mail.log', 'b/mail.log'])).toMatchObject({ first: '2026-01-05', last: '2026-11-26' });
  });

  test('a file that is given twice is read once, and that is said', () => {
    write('mail.log', session('Nov 26'));
    fs.symlinkSync('mail.log', path.join(folder, 'other.log'));
    const { stderr, status } = logs(['mail.log', './mail.log', 'other.log']);
    expect([status, stderr]).toEqual([
      0,
      'pfharden: ./mail.log: is given twice, and read once\npfharden: other.log: is given twice, and read once\n',
    ]);
    expect(json(['mail.log', './mail.log', 'other.log']).sessions).toMatchObject([{ sessions: 1 }]);
  });

  test('standard input', () => {
    expect(json(['-'], { input: session('Nov 26') }).sessions).toMatchObject([{ sessions: 1 }]);
    expect(json(['-'], { input: gzipSync(session('Nov 26')) }).sessions).toMatchObject([{ sessions: 1 }]);
  });

  test('what cannot be read is said, the rest is counted, and the status is 2', () => {
    write('mail.log', session('Nov 26'));
    const { status, stdout, stderr } = logs(['none.log', 'mail.log', '.']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^pfharden: none\.log: .+\npfharden: \.: is a folder\n$/);
    expect(stdout).toContain('TLSv1.3');
  });

  test('the program that reads an archive is missing', () => {
    write('mail.log.xz', Buffer.from('fd377a585a000004', 'hex'));
    expect(logs(['mail.log.xz'], { env: { PATH: folder } })).toMatchObject({
      status: 2,
      stderr:
        'pfharden: mail.log.xz: is an xz file; install xz to read it, or give its text on standard input\n',
    });
  });

  test('an archive that is cut off: what stands before is counted', () => {
    const days = Array.from({ length: 2000 }, (_, index) =>
      session('Nov 26', index, `192.0.2.${index % 250}`),
    );
    const whole = gzipSync(days.join(''));
    write('mail.log.gz', whole.subarray(0, whole.length / 2));
    const { status, stdout, stderr } = logs(['mail.log.gz']);
    expect([status, stderr]).toEqual([
      0,
      'pfharden: mail.log.gz: the archive ends too early: what stands before it is counted\n',
    ]);
    expect(stdout).toContain('TLSv1.3');
  });

  test('a line of 10 MB and noise are counted', () => {
    write(
      'mail.log',
      Buffer.concat([
        Buffer.from(`${session('Nov 26')}${'x'.repeat(10 << 20)}\n`),
        Buffer.from([1, 2, 3, 10]),
      ]),
    );
    expect(json(['mail.log']).lines).toEqual({ lines: 4, unread: 1, long: 1 });
    expect(logs(['mail.log']).stdout).toMatch(
      /: 4 lines \(1 line not understood, 1 line too long to be read\)\n/,
    );
  });
});

describe('counts as files', () => {
  const partial = (name: string, log: string, ...args: string[]): void => {
    write(`${name}.log`, log);
    fs.utimesSync(path.join(folder, `${name}.log`), new Date('2026-11-28'), new Date('2026-11-28'));
    write(name, logs([`${name}.log`, '--format', 'partial', ...args]).stdout);
  };
  const key = Buffer.alloc(32, 7);

  test('add up to what the logs would, packed too', () => {
    partial('a', session('Nov 26'));
    partial('b', session('Nov 27', 8));
    write('b.gz', gzipSync(fs.readFileSync(path.join(folder, 'b'))));
    for (const args of [[], ['--format', 'json', '--peers', '--by', 'day'], ['--format', 'partial']]) {
      const { stdout, status } = logs(['--merge', 'b.gz', 'a', ...args]);
      expect(status).toBe(0);
      expect(stdout).toBe(logs(['a.log', 'b.log', ...args]).stdout);
    }
    expect(logs(['--merge', '-'], { input: fs.readFileSync(path.join(folder, 'a')) }).stdout).toBe(
      logs(['a.log']).stdout,
    );
  });

  test('hold users and domains where --peers asks for them', () => {
    const log = `${session('Nov 26').split('\n')[0]}\nNov 26 10:00:01 mx1 postfix/smtpd[7]: AB1: client=mail.example.net[192.0.2.1], sasl_method=PLAIN, sasl_username=alice\n`;
    partial('a', log, '--peers');
    expect(logs(['--merge', 'a', '--peers']).stdout).toContain(
      '  1  192.0.2.1  mail.example.net  as alice\n',
    );
    partial('b', log);
    expect(fs.readFileSync(path.join(folder, 'b'), 'utf8')).not.toContain('alice');
  });

  test.each([
    ['missing', ['none'], /^pfharden: none: no such file or directory\n$/],
    ['a log', ['a.log'], /^pfharden: a\.log: holds no counts of pfharden.*without --merge\n$/],
    ['given twice', ['./a'], /^pfharden: \.\/a: is given twice\n$/],
    ['a copy', ['copy'], /^pfharden: copy: holds the same counts as a, which would count twice\n$/],
    ['an archive that is cut off', ['cut.gz'], /^pfharden: cut\.gz: the archive ends too early\n$/],
  ])('a file that is %s: nothing is added up', (_, more, message) => {
    partial('a', session('Nov 26'));
    // The same counts in another shape.
    write('copy', JSON.stringify(JSON.parse(fs.readFileSync(path.join(folder, 'a'), 'utf8')), null, 2));
    write('cut.gz', gzipSync(fs.readFileSync(path.join(folder, 'a'))).subarray(0, 60));
    const { status, stdout, stderr } = logs(['--merge', 'a', ...more]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test('a log of a megabyte in one line is a file of counts as well', () => {
    const log = Array.from({ length: 30_000 }, (_, index) =>
      session('Nov 26', 7, `10.${index >> 8}.${index & 255}.1`),
    ).join('');
    partial('a', log);
    const text = JSON.stringify(JSON.parse(fs.readFileSync(path.join(folder, 'a'), 'utf8')));
    expect(text.length).toBeGreaterThan(1 << 20);
    write('one-line', text);
    expect(logs(['--merge', 'one-line']).stdout).toBe(logs(['a.log']).stdout);
  });

  test('peers that nobody knows: only those of one key add up', () => {
    write('key', key);
    write('other-key', Buffer.alloc(32, 8));
    partial('a', session('Nov 26'), '--anonymize-key', 'key');
    partial('b', session('Nov 27'), '--anonymize-key', 'key');
    partial('c', session('Nov 28'), '--anonymize-key', 'other-key');
    partial('open', session('Nov 29'));
    const { sessions } = JSON.parse(logs(['--merge', 'a', 'b', '--format', 'json']).stdout);
    expect(sessions).toMatchObject([{ sessions: 2, peers: 1 }]);
    const mixed = logs(['--merge', 'a', 'c']);
    expect(mixed).toMatchObject({ status: 2, stdout: '' });
    expect(mixed.stderr).toBe(
      'pfharden: a and c are anonymized with different keys: a peer of both would count as two. Make them with one key: --anonymize-key FILE\n',
    );
    expect(logs(['--merge', 'a', 'open']).stderr).toContain(
      'a is anonymized and open is not: a peer of both',
    );
    expect(logs(['--merge', 'a', 'open', '--anonymize']).status).toBe(2);
    const both = logs(['--merge', 'open', 'a', '--anonymize-key', 'key', '--format', 'json']);
    expect(JSON.parse(both.stdout).sessions).toMatchObject([{ sessions: 2, peers: 1 }]);
    partial('a-open', session('Nov 26'));
    expect(logs(['--merge', 'a', 'a-open', '--anonymize-key', 'key']).stderr).toBe(
      'pfharden: a-open: holds the same counts as a, which would count twice\n',
    );
  });

  test('what --format partial cannot leave out', () => {
    write('mail.log', session('Nov 26'));
    for (const args of [
      ['--by', 'day'],
      ['--protocol', 'TLSv1'],
      ['--service', 'smtpd'],
    ])
      expect(logs(['mail.log', '--format', 'partial', ...args])).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('--anonymize', () => {
  test('leaves nobody in any format', () => {
    const files = fs.readdirSync(RECORDED).filter((name) => name.endsWith('.txt'));
    const paths = files.map((name) => path.join(RECORDED, name));
    for (const format of ['text', 'json', 'csv', 'markdown', 'html', 'partial']) {
      const { stdout, status } = logs([...paths, '--peers', '--anonymize', '--format', format]);
      expect(status).toBe(0);
      expect(stdout).not.toMatch(/\d+\.\d+\.\d+\.\d+|2001:db8|somebody|someone|example/);
      expect(stdout).toMatch(/ipv4-[0-9a-f]{16}/);
      expect(stdout).toMatch(/ipv6-[0-9a-f]{16}/);
      expect(stdout).toMatch(/user-[0-9a-f]{16}/);
    }
  });

  test('is another in each run, and the same with one key', () => {
    write('mail.log', session('Nov 26'));
    write('key', Buffer.alloc(32, 7));
    const shown = (...args: string[]): string => logs(['mail.log', '--peers', ...args]).stdout;
    expect(shown('--anonymize')).not.toBe(shown('--anonymize'));
    expect(shown('--anonymize-key', 'key')).toBe(shown('--anonymize', '--anonymize-key', 'key'));
    expect(shown('--anonymize-key', 'key')).not.toContain('192.0.2.1');
  });

  test('a key that is too short, or not there', () => {
    write('mail.log', session('Nov 26'));
    write('key', 'secret');
    const short = logs(['mail.log', '--anonymize-key', 'key']);
    expect(short).toMatchObject({ status: 2, stdout: '' });
    expect(short.stderr).toMatch(/^pfharden: key: a key has at least 16 bytes/);
    expect(logs(['mail.log', '--anonymize-key', 'none'])).toMatchObject({
      status: 2,
      stderr: 'pfharden: none: no such file or directory\n',
    });
  });
});

test('without a file it is wrong usage; the help names it', () => {
  expect(logs([])).toMatchObject({ status: 2, stdout: '' });
  const { stdout } = spawnSync(process.execPath, [PROGRAM, '--help'], { encoding: 'utf8' });
  expect(stdout).toMatch(/^ +logs .*what peers speak/m);
});

test('a log without a session', () => {
  write('mail.log', 'Nov 26 10:00:00 mx1 cron[1]: hello\n');
  expect(logs(['mail.log']).stdout).toContain('No line tells of a session of a mail server.');
  expect(json(['mail.log'])).toMatchObject({ first: null, last: null, sessions: [] });
});
