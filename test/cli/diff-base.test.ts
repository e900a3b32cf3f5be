// lint --diff-base against real repositories of git.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pfharden, useFolder, writeFiles } from '../support/folder.ts';

useFolder();

const MASTER = 'smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n';
const MAIN = [
  'compatibility_level = 3.6',
  'smtpd_tls_security_level = may',
  'smtpd_tls_protocols = !SSLv2',
  '',
];
const main = (...more: readonly string[]): string => [...MAIN, ...more].join('\n');

function git(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(
    'git',
    ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'protocol.file.allow=always', ...args],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout;
}

let commits = 0;

function commit(): void {
  git('add', '-A');
  git('commit', '-q', '--allow-empty', '-m', `${commits++}`);
}

/** Four hosts, the first of which names a table and the third of which has one outside of its folder. */
beforeEach(() => {
  git('init', '-q', '-b', 'main', '.');
  writeFiles({
    'mx1/postfix/main.cf': main('smtp_tls_policy_maps = hash:/etc/postfix/tls_policy'),
    'mx1/postfix/master.cf': MASTER,
    'mx1/postfix/tls_policy': 'example.org may\n',
    'mx2/main.cf': main(),
    'mx2/master.cf': MASTER,
    'mx3/main.cf': main('smtp_tls_policy_maps = hash:/etc/postfix/tls_policy'),
    'mx3/master.cf': MASTER,
    'shared/tls_policy': 'example.org may\n',
    'imap/dovecot/dovecot.conf': '!include conf.d/*.conf\n',
    'imap/dovecot/conf.d/10-auth.conf': 'disable_plaintext_auth = no\n',
    'imap/dovecot/conf.d/10-ssl.conf': 'ssl = yes\nssl_min_protocol = TLSv1\n',
    'notes.txt': 'x\n',
  });
  symlinkSync('../shared/tls_policy', 'mx3/tls_policy');
  commit();
  git('branch', 'base');
});

interface Shown {
  readonly roots: readonly string[];
  /** Places of findings on changed lines, without their rules. */
  readonly marked: readonly string[];
  readonly unchanged: number;
}

function lint(...args: readonly string[]): Shown | string {
  const { status, stdout, stderr } = pfharden('lint', '--format', 'json', '--diff-base', ...args);
  if (status === 2) return stderr.replaceAll(process.cwd(), 'HERE');
  const { hosts, unchanged } = JSON.parse(stdout) as {
    readonly hosts: readonly {
      readonly root: string;
      readonly findings: readonly {
        readonly file: string;
        readonly line: number;
        readonly changed: boolean;
      }[];
    }[];
    readonly unchanged: number;
  };
  const places = hosts.flatMap(({ findings }) =>
    findings.filter(({ changed }) => changed).map(({ file, line }) => `${file}:${line}`),
  );
  return { roots: hosts.map(({ root }) => root), marked: [...new Set(places)].sort(), unchanged };
}

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

const weaker = (text: string): string => text.replace('!SSLv2', '!SSLv3');

describe('hosts are shown', () => {
  test.each<[string, () => void, readonly string[], readonly string[]]>([
    ['not, where nothing has changed', () => {}, [], []],
    ['not, for a file that no host reads', () => edit('notes.txt', () => 'y\n'), [], []],
    [
      'not, for a file that was only touched, or has other ends of lines',
      () => {
        edit('mx1/postfix/main.cf', (text) => text);
        edit('mx2/main.cf', (text) => text.replaceAll('\n', '\r\n'));
      },
      [],
      [],
    ],
    [
      'for a committed change',
      () => {
        edit('mx2/main.cf', weaker);
        commit();
      },
      ['mx2'],
      ['mx2/main.cf:3'],
    ],
    [
      'for a staged one',
      () => {
        edit('mx2/main.cf', weaker);
        git('add', '-A');
      },
      ['mx2'],
      ['mx2/main.cf:3'],
    ],
    ['for one that is not staged', () => edit('mx2/main.cf', weaker), ['mx2'], ['mx2/main.cf:3']],
    [
      'for lines before and behind, without a mark',
      () => edit('mx2/main.cf', (text) => `# x\n\n${text}# y\n`),
      ['mx2'],
      [],
    ],
    [
      'for a line that was taken out, without a mark',
      () => edit('mx2/main.cf', (text) => text.replace('compatibility_level = 3.6\n', '')),
      ['mx2'],
      [],
    ],
    [
      'for a table that they name',
      () => edit('mx1/postfix/tls_policy', () => 'example.org none\n'),
      ['mx1'],
      ['mx1/postfix/tls_policy:1'],
    ],
    ['for a table that is no longer there', () => rmSync('mx1/postfix/tls_policy'), ['mx1'], []],
    [
      'for a table behind a link',
      () => edit('shared/tls_policy', () => 'example.org none\n'),
      ['mx3'],
      ['mx3/tls_policy:1'],
    ],
    [
      'for a link that leads elsewhere',
      () => {
        rmSync('mx3/tls_policy');
        symlinkSync('../mx1/postfix/tls_policy', 'mx3/tls_policy');
      },
      ['mx3'],
      [],
    ],
    [
      'for a file that an include finds',
      () => edit('imap/dovecot/conf.d/10-ssl.conf', (text) => `${text}\n`.replace('TLSv1\n', 'TLSv1.1\n')),
      ['imap'],
      ['imap/dovecot/conf.d/10-ssl.conf:2'],
    ],
    [
      'for a new file that an include finds, which is not yet added',
      () => writeFiles({ 'imap/dovecot/conf.d/99-x.conf': 'ssl_min_protocol = TLSv1.1\n' }),
      ['imap'],
      ['imap/dovecot/conf.d/99-x.conf:1'],
    ],
    ['for an include that is gone', () => rmSync('imap/dovecot/conf.d/10-auth.conf'), ['imap'], []],
    ['for a main.cf that is gone', () => rmSync('mx2/main.cf'), ['mx2'], []],
    [
      'for a new host',
      () => writeFiles({ 'mx4/main.cf': main(), 'mx4/master.cf': MASTER }),
      ['mx4'],
      ['mx4/main.cf:2', 'mx4/main.cf:3', 'mx4/master.cf:1', 'mx4/master.cf:2'],
    ],
    [
      'for one that was moved, with a mark where it differs',
      () => {
        renameSync('mx2', 'mx9');
        edit('mx9/main.cf', (text) => `${text}smtpd_tls_ciphers = export\n`);
        git('add', '-A');
      },
      ['mx9'],
      ['mx9/main.cf:4'],
    ],
    [
      'for the file that says how they are judged',
      () => writeFiles({ 'mx1/.pfharden.json': { profile: 'strict' } }),
      ['mx1'],
      [],
    ],
    [
      'under odd names',
      () => {
        const odd = 'mx "ä\t\\ 1\n';
        mkdirSync(odd);
        writeFiles({ [join(odd, 'main.cf')]: main() });
        commit();
        edit(join(odd, 'main.cf'), weaker);
      },
      ['mx "ä\t\\ 1\n'],
      ['mx "ä\t\\ 1\n/main.cf:1', 'mx "ä\t\\ 1\n/main.cf:2', 'mx "ä\t\\ 1\n/main.cf:3'],
    ],
    [
      'for a table below the folder that plays the root, outside of etc',
      () => {
        writeFiles({
          'srv/a/etc/postfix/main.cf': main('smtp_tls_policy_maps = hash:/var/lib/tls_policy'),
          'srv/a/etc/postfix/master.cf': MASTER,
          'srv/a/var/lib/tls_policy': 'example.org may\n',
        });
        commit();
        git('branch', '-f', 'base');
        edit('srv/a/var/lib/tls_policy', () => 'example.org none\n');
      },
      ['srv/a/etc'],
      ['srv/a/var/lib/tls_policy:1'],
    ],
    [
      'for an include beside the folder of Dovecot',
      () => {
        writeFiles({
          'pair/dovecot/dovecot.conf': '!include ../shared/ssl.conf\n',
          'pair/shared/ssl.conf': 'ssl_min_protocol = TLSv1\n',
        });
        commit();
        git('branch', '-f', 'base');
        edit('pair/shared/ssl.conf', () => 'ssl_min_protocol = TLSv1.1\n');
      },
      ['pair'],
      ['pair/dovecot/../shared/ssl.conf:1'],
    ],
    [
      'for a table of a role that lies in its other folder',
      () => {
        writeFiles({
          'roles/postfix/templates/main.cf.j2': main('smtp_tls_policy_maps = hash:/etc/postfix/tls_policy'),
          'roles/postfix/templates/master.cf': MASTER,
          'roles/postfix/files/tls_policy': 'example.org may\n',
        });
        commit();
        git('branch', '-f', 'base');
        edit('roles/postfix/files/tls_policy', () => 'example.org none\n');
      },
      ['roles/postfix/templates'],
      ['roles/postfix/files/tls_policy:1'],
    ],
  ])('%s', (_, change, roots, marked) => {
    change();
    const shown = lint('base');
    expect(shown).toMatchObject({ roots, unchanged: expect.any(Number) });
    expect((shown as Shown).marked).toEqual(marked);
  });

  test('for what has changed here, not for what has changed there meanwhile', () => {
    git('checkout', '-q', '-b', 'mine');
    edit('mx1/postfix/main.cf', weaker);
    commit();
    git('checkout', '-q', 'main');
    edit('mx2/main.cf', weaker);
    commit();
    git('checkout', '-q', 'mine');
    expect(lint('main')).toEqual({ roots: ['mx1'], marked: ['mx1/postfix/main.cf:3'], unchanged: 3 });
    expect(lint('main', 'mx2', 'mx1')).toMatchObject({ roots: ['mx1'], unchanged: 1 });
    process.chdir('mx2');
    expect(lint('main')).toEqual({ roots: [], marked: [], unchanged: 1 });
    expect(lint('main', '../mx1/postfix')).toMatchObject({ roots: ['../mx1'] });
  });

  test('under the name of a link that leads to them', () => {
    symlinkSync('mx2', 'alias');
    commit();
    git('branch', '-f', 'base');
    expect(lint('base', 'alias')).toEqual({ roots: [], marked: [], unchanged: 1 });
    edit('mx2/main.cf', weaker);
    expect(lint('base', 'alias')).toMatchObject({ roots: ['alias'], marked: ['alias/main.cf:3'] });
    git('checkout', '-q', '.');
    rmSync('alias');
    symlinkSync('mx1/postfix', 'alias');
    expect(lint('base', 'alias')).toMatchObject({ roots: ['alias'] });
  });

  test('without reading others', () => {
    writeFiles({ 'mx5/master.cf': MASTER, 'mx5/main.cf/nothing': 'x\n' });
    commit();
    git('branch', '-f', 'base');
    edit('mx2/main.cf', weaker);
    expect(lint('base')).toMatchObject({ roots: ['mx2'], unchanged: 4 });
    edit('mx5/master.cf', (text) => `${text}# x\n`);
    expect(lint('base')).toBe('pfharden: mx5/main.cf: not a regular file\n');
  });

  test('in a submodule', () => {
    const here = process.cwd();
    mkdirSync('../outer-of-'.concat(here.split('/').at(-1) ?? ''));
    const outer = join(here, '..', `outer-of-${here.split('/').at(-1)}`);
    try {
      process.chdir(outer);
      git('init', '-q', '-b', 'main', '.');
      git('submodule', '--quiet', 'add', here, 'sub');
      commit();
      expect(lint('main')).toMatchObject({ roots: [], unchanged: 4 });
      edit('sub/mx2/main.cf', weaker);
      expect(lint('main')).toMatchObject({ roots: ['sub/mx2'], marked: ['sub/mx2/main.cf:3'] });
      process.chdir('sub');
      commit();
      expect(lint('main')).toMatchObject({ roots: ['mx2'], marked: ['mx2/main.cf:3'] });
    } finally {
      process.chdir(here);
      rmSync(outer, { recursive: true, force: true });
    }
  });

  test('in the text, with the changed lines named and the others counted', () => {
    edit('mx2/main.cf', weaker);
    const { stdout } = pfharden('lint', '--diff-base', 'base', '--rule', 'server-protocols');
    expect(stdout).toMatch(/\(changed\) \[postfix\/server-protocols\]/);
    expect(stdout).toContain('3 hosts have not changed since base and are not shown.\n');
    const quiet = pfharden('lint', '--diff-base', 'base', '--rule', 'server-protocols', '--quiet').stdout;
    expect(quiet).toMatch(/^mx2\/main\.cf:3:1: \w+: .* \(changed\) \[postfix\/server-protocols\]\n$/);
    edit('mx2/main.cf', (text) => text.replace('!SSLv3', '!SSLv2'));
    expect(pfharden('lint', '--diff-base', 'base')).toEqual({
      status: 0,
      stdout: 'No host has changed since base.\n',
      stderr: '',
    });
  });

  test.each(['github', 'gitlab', 'junit', 'checkstyle'])(
    'in %s, where only what is on a changed line is marked',
    (format) => {
      edit('mx2/main.cf', weaker);
      const shown = (rule: string): string =>
        pfharden('lint', '--diff-base', 'base', '--rule', rule, '--format', format).stdout;
      expect(shown('server-protocols').split(' (changed)')).toHaveLength(2);
      expect(shown('client-tls-off')).toContain('postfix/client-tls-off');
      expect(shown('client-tls-off')).not.toContain('(changed)');
    },
  );

  test('without what a baseline knows of them, and the others stay in it', () => {
    pfharden('lint', '--baseline', 'known.json', '--update-baseline');
    commit();
    edit('mx2/main.cf', (text) => `${text}smtpd_tls_ciphers = export\n`);
    const { stdout } = pfharden('lint', '--diff-base', 'base', '--baseline', 'known.json', '--quiet');
    expect(stdout.split('\n').filter((line) => line !== '' && !line.includes('(changed)'))).toEqual([]);
    pfharden('lint', '--diff-base', 'base', '--baseline', 'known.json', '--update-baseline');
    expect(pfharden('lint', '--baseline', 'known.json', '--quiet').stdout).toBe('');
  });
});

describe('is refused', () => {
  test.each<[string, readonly string[], string]>([
    [
      'an unknown revision',
      ['nothing'],
      'pfharden: --diff-base nothing: git knows no such revision in HERE\n',
    ],
    [
      'a file',
      ['HEAD:notes.txt'],
      'pfharden: --diff-base HEAD:notes.txt: git knows no such revision in HERE\n',
    ],
    [
      'standard input',
      ['base', '-', '--as', 'main.cf'],
      expect.stringContaining('standard input has no history'),
    ],
  ])('%s', (_, args, message) => {
    expect(lint(...args)).toEqual(message);
  });

  test('what would be an option of git', () => {
    expect(pfharden('lint', '--diff-base=--output=x', '.').status).toBe(2);
    expect(existsSync('x')).toBe(false);
  });

  test('a history that has nothing in common', () => {
    git('checkout', '-q', '--orphan', 'other');
    commit();
    expect(lint('base')).toBe('pfharden: --diff-base base: it has no commit in common with HEAD in HERE\n');
  });

  test('a shallow clone, with what to do', () => {
    commit();
    git('clone', '-q', '--depth', '1', `file://${process.cwd()}`, 'clone');
    process.chdir('clone');
    expect(lint('base')).toBe(
      'pfharden: --diff-base base: git knows no such revision in HERE: this clone is shallow, have it fetch the whole history (fetch-depth: 0, GIT_DEPTH: 0)\n',
    );
  });

  test('a folder without a repository', () => {
    rmSync('.git', { recursive: true });
    expect(lint('base')).toBe('pfharden: --diff-base: . is in no git repository\n');
  });

  test('a machine without git', () => {
    const before = process.env.PATH;
    process.env.PATH = '/nowhere';
    const said = lint('base');
    process.env.PATH = before;
    expect(said).toBe('pfharden: --diff-base needs git, which is not installed\n');
  });
});
