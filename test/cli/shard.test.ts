// lint --shard and merge as users run them: all parts joined are what one run writes.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import { pfharden, useFolder } from '../support/folder.ts';
import { lintSchema } from './schemas.ts';

const MASTER = 'smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\nsmtp unix - - y - - smtp\n';
const HOSTS = 14;

useFolder();

beforeEach(() => {
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
        'smtpd_tls_security_level = none # pfharden-disable-line postfix/server-tls-off -- an old fax\u2028\n',
      );
  }
  write('hosts/mx2.example/etc/postfix/main.cf.bak', 'old\n');
  write('.pfharden.json', JSON.stringify({ ignore: ['hosts/mx7/**'] }));
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const lint = (...args: readonly string[]) => pfharden('lint', '--no-exec', ...args);

/** Writes the report of each part, and gives the names of the files. */
function parts(count: number, format: string, ...args: readonly string[]): string[] {
  return Array.from({ length: count }, (_, index) => {
    const file = `part-${index + 1}.${format}`;
    lint('.', '--shard', `${index + 1}/${count}`, '--output', `${format}=${file}`, '--quiet', ...args);
    return file;
  });
}

/** The one report of an object in a file. */
function parsed(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

describe.each(['json', 'sarif'])('the parts of a run as %s', (format) => {
  test.each([
    [1, []],
    [2, ['--profile', 'strict', '--severity', 'warning']],
    [5, []],
    [16, ['--rule', 'server-protocols', '--rule', 'server-tls-off']],
  ])('%i of them joined are what one run writes, with %j', (count, args) => {
    const whole = lint('.', '--format', format, ...args);
    const files = parts(count, format, ...args);
    const joined = pfharden('merge', ...files.toReversed());
    expect(joined.stdout).toBe(whole.stdout);
    expect({ status: joined.status, stderr: joined.stderr }).toEqual({ status: 1, stderr: '' });
    expect(whole.stdout).toContain('hosts/mx6/');
  });

  it('tell what could not be read', () => {
    rmSync('hosts/mx4/etc/postfix/main.cf');
    mkdirSync('hosts/mx4/etc/postfix/main.cf');
    const whole = lint('.', '--format', format);
    expect(whole.status).toBe(2);
    const joined = pfharden('merge', ...parts(3, format));
    expect(joined).toEqual(whole);
  });

  it('may have no host', () => {
    write('one/main.cf', 'myhostname = a\n');
    const files = [1, 2, 3].map((part) => {
      lint('one', '--shard', `${part}/3`, '--output', `${format}=${part}`);
      return String(part);
    });
    expect(pfharden('merge', ...files).stdout).toBe(lint('one', '--format', format).stdout);
  });
});

it('weighs a rule in SARIF as its gravest finding does, in whichever part that is', () => {
  // By its profile, mx8 alone has an error where others have a warning; part 2 has hosts without one.
  write('hosts/mx8/.pfharden.json', JSON.stringify({ profile: 'strict', root: false }));
  const whole = lint('.', '--format', 'sarif', '--rule', 'client-tls-off').stdout;
  const files = parts(3, 'sarif', '--rule', 'client-tls-off');
  const levelOf = (text: string): string =>
    JSON.parse(text).runs[0].tool.driver.rules[0].defaultConfiguration.level;
  expect(files.map((file) => levelOf(readFileSync(file, 'utf8'))).sort()).toEqual([
    'error',
    'warning',
    'warning',
  ]);
  expect(levelOf(whole)).toBe('error');
  expect(pfharden('merge', ...files).stdout).toBe(whole);
  expect(pfharden('merge', ...files.toReversed()).stdout).toBe(whole);
});

it('is written into a file, and fails by --fail-on', () => {
  const files = parts(2, 'json', '--rule', 'vrfy');
  expect(pfharden('merge', ...files, '--output', 'all.json', '--fail-on', 'error')).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
  expect(readFileSync('all.json', 'utf8')).toBe(lint('.', '--rule', 'vrfy', '--format', 'json').stdout);
  expect(pfharden('merge', ...files, '--fail-on', 'info').status).toBe(1);
});

it('puts each host into one part, wherever it is linted and whatever hosts there are', () => {
  const hostsOf = (file: string): string[] => parsed(file).hosts.map(({ root }: { root: string }) => root);
  const before = parts(3, 'json').map(hostsOf);
  expect(before.flat().sort()).toEqual([...new Set(before.flat())].sort());
  expect(before.flat()).toHaveLength(HOSTS - 1);
  expect(before.filter((hosts) => hosts.length > 0).length).toBeGreaterThan(1);
  rmSync('hosts/mx1', { recursive: true });
  write('hosts/mx99/main.cf', '');
  const after = parts(3, 'json').map(hostsOf);
  for (const [part, hosts] of before.entries())
    expect(after[part]).toEqual(expect.arrayContaining(hosts.filter((host) => host !== 'hosts/mx1/etc')));
  // The same in every release: who changes this changes which job has which host. Worked out by another program.
  const partOf = (host: string): number => 1 + before.findIndex((hosts) => hosts.includes(host));
  expect(
    before
      .flat()
      .map((host) => `${/mx\d+/.exec(host)?.[0]} ${partOf(host)}`)
      .sort(),
  ).toEqual('mx0 2,mx1 2,mx10 2,mx11 3,mx12 3,mx13 1,mx2 1,mx3 2,mx4 1,mx5 2,mx6 2,mx8 2,mx9 3'.split(','));
});

it('says of its part what the schema promises', () => {
  const [file = ''] = parts(4, 'json');
  const ajv = new Ajv({ strict: true, allowUnionTypes: true });
  expect(ajv.validate(lintSchema, parsed(file))).toBe(true);
  expect(parsed(file).shard).toMatchObject({ number: 1, of: 4, hosts: HOSTS - 1, problems: [] });
});

it('shares the fixes too', () => {
  const whole = pfharden('fix', '--no-exec', '.').stdout;
  const diffs = [1, 2, 3].map((part) => pfharden('fix', '--no-exec', '.', '--shard', `${part}/3`).stdout);
  const files = (text: string): string[] => text.split(/^(?=--- )/m).sort();
  expect(files(diffs.join(''))).toEqual(files(whole));
});

describe('merge refuses', () => {
  test.each<[string, () => readonly string[], RegExp]>([
    ['no file', () => [], /^pfharden: merge needs /],
    ['a file that is not there', () => ['none.json'], /none\.json: no such file/],
    ['a part that is missing', () => parts(4, 'json').slice(1, 3), /parts 1 and 4 of 4 are missing/],
    [
      'a part that is there twice',
      () => [...parts(2, 'sarif'), 'part-1.sarif'],
      /part-1\.sarif and part-1\.sarif are both part 1 of 2/,
    ],
    [
      'the parts of two profiles',
      () => {
        const [first = ''] = parts(2, 'json');
        lint('.', '--shard', '2/2', '--profile', 'strict', '--output', 'json=strict.json');
        return [first, 'strict.json'];
      },
      /part-1\.json and strict\.json are not of one run: judged by the profiles modern and strict/,
    ],
    [
      'the parts of two divisions',
      () => {
        const [first = ''] = parts(2, 'json');
        lint('.', '--shard', '2/3', '--output', 'json=third.json');
        return [first, 'third.json'];
      },
      /numbers of parts are 2 and 3/,
    ],
    [
      'the parts of two repositories',
      () => {
        const [first = ''] = parts(2, 'json');
        rmSync('hosts/mx3', { recursive: true });
        lint('.', '--shard', '2/2', '--output', 'json=later.json');
        return [first, 'later.json'];
      },
      /numbers of hosts are 13 and 12/,
    ],
    [
      'the parts of two releases',
      () => {
        const [first = '', second = ''] = parts(2, 'json');
        write(second, readFileSync(second, 'utf8').replace(/"pfharden": "[^"]*"/, '"pfharden": "9.9.9"'));
        return [first, second];
      },
      /written by pfharden \S+ and 9\.9\.9/,
    ],
    [
      'two formats',
      () => [...parts(2, 'json').slice(0, 1), ...parts(2, 'sarif').slice(1)],
      /is JSON and .* is SARIF/,
    ],
    [
      'the report of a whole run',
      () => {
        lint('.', '--output', 'json=whole.json');
        return ['whole.json'];
      },
      /whole\.json: the report of a whole run/,
    ],
    [
      'half a report',
      () => {
        const files = parts(2, 'json');
        write('part-2.json', readFileSync('part-2.json', 'utf8').slice(0, -20));
        return files;
      },
      /part-2\.json: not a report in JSON or SARIF, or only a piece of one/,
    ],
    [
      'what is no report',
      () => {
        write(
          'other.json',
          '{"version": "2.1.0", "runs": [{"results": [], "tool": {"driver": {"name": "other"}}}]}',
        );
        return ['other.json'];
      },
      /other\.json: no report of pfharden lint/,
    ],
  ])('%s', (_, files, message) => {
    const { status, stdout, stderr } = pfharden('merge', ...files());
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

test.each(['0/2', '3/2', '1', '1/0', 'a/b', '1/1001', '01/2'])('--shard %s is no part', (part) => {
  const { status, stderr } = lint('.', `--shard=${part}`);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^pfharden: --shard must be a part and the number of parts, as 1\/8/);
});

it('is not for a baseline that is to be written', () => {
  const { status, stderr } = lint('.', '--shard', '1/2', '--baseline', 'b.json', '--update-baseline');
  expect(status).toBe(2);
  expect(stderr).toMatch(/leave out --shard/);
});
