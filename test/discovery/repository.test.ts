// What a search of a repository finds, puts together and leaves out.
import { spawnSync } from 'node:child_process';
import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isBackupFolder, isBackupName, namedHead } from '../../src/hosts/file-names.ts';
import { type FindOptions, findHosts } from '../../src/hosts/find.ts';
import { readHost } from '../../src/hosts/read.ts';
import { pathGlob } from '../../src/text/path-glob.ts';
import { pfharden, useFolder, writeFiles } from '../support/folder.ts';

useFolder();

const MASTER = 'smtp inet n - n - - smtpd\n';
const DOVECOT = 'ssl = yes\n';

/** Files with a text that is right for their names. */
function tree(paths: readonly string[]): void {
  writeFiles(
    Object.fromEntries(
      paths.map((path) => {
        const head = namedHead(path.split('/').at(-1) ?? '')?.file;
        return [path, head === 'main.cf' ? 'a = b\n' : head === 'master.cf' ? MASTER : DOVECOT];
      }),
    ),
  );
}

/** Each host in words: its root, and the files that it is read from. */
async function hostsIn(path = '.', options: FindOptions = {}): Promise<string[]> {
  const { hosts } = await findHosts([path], options);
  const words: string[] = [];
  for (const { root, source } of hosts) {
    const { postfix, dovecot } = await readHost(source, {});
    const files = [
      postfix?.main?.path,
      postfix?.master?.path,
      dovecot?.mainAssumed === true
        ? `${dovecot.directory}: ${dovecot.main.text.trim()}`
        : dovecot?.main.path,
    ];
    words.push(`${root} = ${files.filter((file) => file !== undefined).join(' + ')}`);
  }
  return words;
}

async function leftOutOf(path = '.'): Promise<string[]> {
  const { leftOut } = await findHosts([path]);
  return leftOut.map((one) => `${one.path}: ${one.why}`).sort();
}

describe('hosts of a repository', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      'a folder for each host',
      [
        'hosts/mx1/postfix/main.cf',
        'hosts/mx1/postfix/master.cf',
        'hosts/mx1/dovecot/dovecot.conf',
        'hosts/mx2/etc/postfix/main.cf',
        'hosts/mx2/etc/dovecot/dovecot.conf',
        'hosts/mx2/etc/dovecot/conf.d/10-ssl.conf',
        'hosts/flat/main.cf',
        'hosts/flat/dovecot.conf',
      ],
      [
        'hosts/flat = hosts/flat/main.cf + hosts/flat/dovecot.conf',
        'hosts/mx1 = hosts/mx1/postfix/main.cf + hosts/mx1/postfix/master.cf + hosts/mx1/dovecot/dovecot.conf',
        'hosts/mx2/etc = hosts/mx2/etc/postfix/main.cf + hosts/mx2/etc/dovecot/dovecot.conf',
      ],
    ],
    [
      'roles, whose files are parted',
      [
        'roles/postfix/files/master.cf',
        'roles/postfix/templates/main.cf.j2',
        'roles/dovecot/files/conf.d/10-ssl.conf',
        'roles/dovecot/templates/dovecot.conf.j2',
        'roles/nginx/files/nginx.conf',
      ],
      [
        'roles = roles/postfix/templates/main.cf.j2 + roles/postfix/files/master.cf + roles/dovecot/templates/dovecot.conf.j2',
      ],
    ],
    [
      'two files of one name in the folders of a role, which cannot be one host',
      [
        'roles/postfix/files/main.cf',
        'roles/postfix/templates/main.cf.j2',
        'roles/dovecot/templates/dovecot.conf.j2',
      ],
      [
        'roles = roles/postfix/templates/main.cf.j2 + roles/dovecot/templates/dovecot.conf.j2',
        'roles/postfix/files = roles/postfix/files/main.cf',
      ],
    ],
    [
      'modules of Puppet, a cookbook of Chef, states of Salt',
      [
        'modules/postfix/templates/main.cf.erb',
        'modules/dovecot/files/dovecot.conf',
        'cookbooks/postfix/templates/default/main.cf.erb',
        'cookbooks/postfix/files/default/master.cf',
        'salt/postfix/files/mx1/main.cf',
        'salt/dovecot/files/mx1/dovecot.conf',
      ],
      [
        'cookbooks/postfix/templates/default = cookbooks/postfix/templates/default/main.cf.erb + cookbooks/postfix/files/default/master.cf',
        'modules = modules/postfix/templates/main.cf.erb + modules/dovecot/files/dovecot.conf',
        'salt = salt/postfix/files/mx1/main.cf + salt/dovecot/files/mx1/dovecot.conf',
      ],
    ],
    [
      'images',
      [
        'docker/postfix/rootfs/etc/postfix/main.cf',
        'docker/dovecot/rootfs/etc/dovecot/dovecot.conf',
        'core/postfix/conf/main.cf',
        'core/dovecot/conf/dovecot.conf',
        'docker-postfix/main.cf',
        'docker-dovecot/dovecot.conf',
        'mailer/etc/postfix/main.cf',
        'mailer/etc/postfix-out/main.cf',
        'mailer/etc/dovecot/conf.d/10-auth.conf',
      ],
      [
        'core = core/postfix/conf/main.cf + core/dovecot/conf/dovecot.conf',
        'docker = docker/postfix/rootfs/etc/postfix/main.cf + docker/dovecot/rootfs/etc/dovecot/dovecot.conf',
        '. = docker-postfix/main.cf + docker-dovecot/dovecot.conf',
        'mailer/etc = mailer/etc/postfix/main.cf + mailer/etc/dovecot: !include conf.d/*.conf',
        'mailer/etc = mailer/etc/postfix-out/main.cf',
      ],
    ],
    [
      'parts of Dovecot without a dovecot.conf',
      [
        'a/conf.d/20-imap.conf',
        'b/dovecot/local.conf',
        'c/dovecot/conf.d/99-mine.conf',
        'c/dovecot/local.conf.j2',
        'd/conf.d/99-any.conf',
        'e/local.conf',
      ],
      [
        'a = a: !include conf.d/*.conf',
        'b = b/dovecot: !include [0-9]*.conf\n!include_try local.conf',
        'c = c/dovecot: !include conf.d/*.conf\n!include_try local.conf',
      ],
    ],
    [
      'parts by their names, those of one host together',
      [
        'dms/postfix-main.cf',
        'dms/postfix-master.cf',
        'dms/dovecot.cf',
        'conf/main.cf.mx1',
        'conf/master.cf.mx1',
        'conf/main.cf.mx2.j2',
        'conf/mx3-dovecot.conf',
        'conf/mx3-main.cf',
        'proto/main.cf.proto',
        'both/main.cf',
        'both/main.cf.mx9',
        'scripts/main.cf.sh',
      ],
      [
        'both = both/main.cf',
        'both = both/main.cf.mx9',
        'conf = conf/main.cf.mx1 + conf/master.cf.mx1',
        'conf = conf/main.cf.mx2.j2',
        'conf = conf/mx3-main.cf + conf/mx3-dovecot.conf',
        'dms = dms/postfix-main.cf + dms/postfix-master.cf + dms/dovecot.cf',
        'proto = proto/main.cf.proto',
      ],
    ],
    [
      'the root of the repository, which is a host itself, and others below it',
      ['.git/HEAD', 'main.cf', 'master.cf', 'dovecot/dovecot.conf', 'old/mx/main.cf'],
      ['. = main.cf + master.cf', '. = dovecot/dovecot.conf', 'old/mx = old/mx/main.cf'],
    ],
    [
      'an etc that is none of a system',
      ['etc/mx1/main.cf', 'etc/mx2/main.cf'],
      ['etc/mx1 = etc/mx1/main.cf', 'etc/mx2 = etc/mx2/main.cf'],
    ],
    [
      'both servers in one folder, Dovecot in parts',
      ['conf/main.cf', 'conf/10-ssl.conf', 'conf/10-auth.conf'],
      ['conf = conf/main.cf + conf: !include [0-9]*.conf'],
    ],
  ])('%s', async (_, files, expected) => {
    tree(files);
    expect((await hostsIn()).sort()).toEqual([...expected].sort());
  });

  test('are the same from a folder above, below and by whole paths', async () => {
    tree(['r/hosts/mx1/postfix/main.cf', 'r/hosts/mx1/dovecot/dovecot.conf', 'r/postfix/dovecot/main.cf']);
    const from = async (path: string) => (await findHosts([path])).hosts.map(({ directory }) => directory);
    expect(await from('r')).toEqual(['r/hosts/mx1/postfix', 'r/postfix/dovecot']);
    const whole = join(process.cwd(), 'r');
    expect(await from(whole)).toEqual([`${whole}/hosts/mx1/postfix`, `${whole}/postfix/dovecot`]);
    process.chdir('r/hosts');
    expect(await hostsIn()).toEqual(['mx1 = mx1/postfix/main.cf + mx1/dovecot/dovecot.conf']);
  });

  test('a role finds what it names in the folder beside', async () => {
    writeFiles({
      'roles/postfix/templates/main.cf.j2': 'a = b\n',
      'roles/postfix/files/tls_policy': 'example.org encrypt\n',
      'roles/dovecot/templates/dovecot.conf.j2': '!include conf.d/*.conf\n',
      'roles/dovecot/templates/conf.d/10-mail.conf.j2': '\n',
      'roles/dovecot/files/conf.d/10-ssl.conf': DOVECOT,
    });
    const { hosts } = await findHosts(['.']);
    const [host] = hosts;
    if (host === undefined) throw new Error('no host');
    const { dovecot, open } = await readHost(host.source, {});
    expect(open('/etc/postfix/tls_policy')?.path).toBe('roles/postfix/files/tls_policy');
    expect(dovecot?.entries('roles/dovecot/templates/conf.d')).toEqual(['10-mail.conf', '10-ssl.conf']);
    expect(dovecot?.open('roles/dovecot/templates/conf.d/10-ssl.conf')?.path).toBe(
      'roles/dovecot/files/conf.d/10-ssl.conf',
    );
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ['a folder with both files', ['h/main.cf', 'h/master.cf'], []],
    ['a main.cf by itself', ['h/main.cf'], []],
    ['a master.cf by itself', ['h/master.cf'], ['postfix']],
    ['files with labels', ['h/main.cf.mx1', 'h/master.cf.mx1'], ['postfix']],
    ['a dovecot.conf', ['h/dovecot.conf', 'h/conf.d/10-ssl.conf'], []],
    ['a conf.d without one', ['h/conf.d/10-ssl.conf'], ['dovecot']],
    ['a whole Postfix beside a part of Dovecot', ['h/postfix/main.cf', 'h/dovecot/local.conf'], ['dovecot']],
  ])('%s: parts are known', async (_, files, parts) => {
    tree(files);
    const { hosts } = await findHosts(['.']);
    const inputs = await Promise.all(hosts.map(({ source }) => readHost(source, {})));
    expect(inputs.map((input) => input.parts ?? [])).toEqual([parts]);
  });

  test('a part that is named outright is one, and one that is called main.cf is none', async () => {
    tree(['main.cf.mx1', 'main.cf.bak', 'postfix-master.cf']);
    const partsOf = async (path: string, options: FindOptions = {}) => {
      const { hosts } = await findHosts([path], options);
      return Promise.all(hosts.map(async ({ source }) => (await readHost(source, {})).parts ?? []));
    };
    expect(await partsOf('main.cf.mx1')).toEqual([['postfix']]);
    expect(await partsOf('postfix-master.cf')).toEqual([['postfix']]);
    expect(await partsOf('main.cf.mx1', { as: 'main.cf' })).toEqual([[]]);
    expect(await partsOf('main.cf.bak', { as: 'master.cf' })).toEqual([['postfix']]);
    await expect(partsOf('main.cf.bak')).rejects.toThrow(
      'main.cf.bak: is it a main.cf, a master.cf or a dovecot.conf?',
    );
  });

  test('a part is said to be one', () => {
    writeFiles({
      'dms/postfix-main.cf': 'mynetworks = 10.0.0.1\nmynetworks = 10.0.0.2\n',
      'dms/postfix-master.cf': 'submission/inet/smtpd_sasl_auth_enable=yes\n',
    });
    const { stdout } = pfharden('lint', '--verbose');
    expect(stdout).toContain(
      'dms/postfix-main.cf is a part of a configuration: only what it proves is judged.\n',
    );
    expect(stdout).toContain('left out: dms/postfix-master.cf (lines for postconf -P, which are not read)\n');
    expect(JSON.parse(pfharden('lint', '--format', 'json').stdout)).toMatchObject({
      hosts: [{ parts: ['dms/postfix-main.cf'], findings: [{ rule: 'postfix/duplicate-setting', line: 1 }] }],
      leftOut: ['dms/postfix-master.cf'],
    });
    expect(JSON.parse(pfharden('show', '--format', 'json').stdout)).toMatchObject({
      hosts: [{ parts: ['dms/postfix-main.cf'] }],
    });
    expect(pfharden('show').stdout.replaceAll('\n', ' ')).toContain(
      'dms/postfix-main.cf is a part of a configuration: what it does not set is shown at its defaults, as if nothing else set it. ',
    );
  });

  test('are found under odd names', async () => {
    const names = [' lead', '!n', '$(x)', '-d', 'a\\b', 'br[1]', 'n\nl', 'q"x', 'st*r', 't\tt', '{a,b}', 'ä'];
    tree(names.map((name) => join(name, 'main.cf')));
    expect((await findHosts(['.'])).hosts.map(({ root }) => root).sort()).toEqual([...names].sort());
  });

  test('folders that cannot be read are said, and the others are searched', async () => {
    tree(['a/main.cf', 'closed/main.cf', 'z/main.cf']);
    chmodSync('closed', 0o000);
    const { hosts, problems } = await findHosts(['.']);
    chmodSync('closed', 0o755);
    // Whoever may read everything meets no closed folder.
    const isRoot = process.getuid?.() === 0;
    expect(hosts.map(({ root }) => root)).toEqual(isRoot ? ['a', 'closed', 'z'] : ['a', 'z']);
    expect(problems.map(({ message }) => message)).toEqual(isRoot ? [] : ['closed: permission denied']);
  });
});

describe('what is left out', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      'copies by their names',
      [
        'mx/main.cf',
        'mx/main.cf~',
        'mx/main.cf.bak',
        'mx/main.cf.j2.orig',
        'mx/master.cf.dpkg-dist',
        'mx/#master.cf#',
        'mx/old-main.cf',
        'mx/main.cf.2024-01-31',
        'mx/conf.d/10-ssl.conf.bak',
      ],
      [
        'mx/#master.cf#: backup',
        'mx/main.cf.2024-01-31: backup',
        'mx/main.cf.bak: backup',
        'mx/main.cf.j2.orig: backup',
        'mx/main.cf~: backup',
        'mx/master.cf.dpkg-dist: backup',
        'mx/old-main.cf: backup',
      ],
    ],
    [
      'folders of copies, each once',
      ['mx/main.cf', 'etc.bak/postfix/main.cf', 'etc.bak/dovecot/dovecot.conf', 'notes.old/readme'],
      ['etc.bak: backup'],
    ],
    [
      'what Postfix and packages ship beside the file',
      ['mx/main.cf', 'mx/main.cf.default', 'mx/main.cf.proto', 'mx/main.cf.sample'],
      ['mx/main.cf.default: defaults', 'mx/main.cf.proto: pattern', 'mx/main.cf.sample: pattern'],
    ],
  ])('%s', async (_, files, expected) => {
    tree(files);
    expect(await hostsIn()).toEqual(['mx = mx/main.cf']);
    expect(await leftOutOf()).toEqual([...expected].sort());
  });

  test('counts where it is named outright', async () => {
    tree(['etc.bak/postfix/main.cf']);
    expect(await hostsIn('etc.bak')).toEqual(['etc.bak = etc.bak/postfix/main.cf']);
    expect(await hostsIn('etc.bak/postfix/main.cf')).toEqual(['etc.bak = etc.bak/postfix/main.cf']);
    await expect(findHosts(['.'])).rejects.toThrow(
      'no configuration of Postfix or Dovecot in .; etc.bak is left out: a copy, by its name',
    );
  });

  test('is said at the end, with its reason where that is asked for, and in JSON', () => {
    tree(['mx/main.cf', 'mx/main.cf.bak', 'mx/main.cf.default']);
    const last = (...args: readonly string[]) =>
      pfharden('lint', ...args)
        .stdout.trimEnd()
        .split('\n');
    expect(last().at(-1)).toBe(
      '2 files or folders left out (copies and lists of defaults); --verbose names them.',
    );
    expect(last('--verbose').slice(-2)).toEqual([
      'left out: mx/main.cf.bak (a copy, by its name)',
      'left out: mx/main.cf.default (a list of defaults, by its name)',
    ]);
    expect(JSON.parse(pfharden('lint', '--format', 'json').stdout)).toMatchObject({
      leftOut: ['mx/main.cf.bak', 'mx/main.cf.default'],
    });
    expect(pfharden('lint', '--quiet').stdout).not.toContain('left out');
  });
});

describe('names', () => {
  test.each([
    ['main.cf.mx1', 'main.cf', 'mx1'],
    ['main.cf.mx1.example.org', 'main.cf', 'mx1.example.org'],
    ['main.cf.mx1.j2', 'main.cf', 'mx1'],
    ['mx1.main.cf', 'main.cf', 'mx1'],
    ['postfix-main.cf', 'main.cf', 'postfix'],
    ['etc-postfix-master.cf', 'master.cf', 'etc-postfix'],
    ['main-mx1.cf', 'main.cf', 'mx1'],
    ['master_submission.cf', 'master.cf', 'submission'],
    ['dovecot.cf', 'dovecot.conf', 'dovecot'],
    ['dovecot.conf.imap2', 'dovecot.conf', 'imap2'],
    ['main.cf.proto', 'main.cf', 'proto'],
    ['main.cf', 'main.cf', null],
    ['dovecot.conf.erb', 'dovecot.conf', null],
  ])('%s is a %s of "%s"', (name, file, label) => {
    expect(namedHead(name)).toEqual({
      server: file === 'dovecot.conf' ? 'dovecot' : 'postfix',
      file,
      label,
    });
    expect(isBackupName(name)).toBe(false);
  });

  test.each([
    'dovecot-sql.conf',
    'main.cf.5',
    'main.cf.sh',
    'main.cf.md',
    'domain.cf',
    'remaster.cf',
    'local.cf',
    'mysql-virtual.cf',
    'main.cf.d',
    'main.cf.patch',
  ])('%s is nothing by its name', (name) => {
    // A folder main.cf.d is no file; what is called so would be.
    expect(namedHead(name)?.label ?? null).toBe(name === 'main.cf.d' ? 'd' : null);
  });

  test.each([
    'main.cf~',
    'main.cf.BAK',
    'main.cf.bak2',
    'main.cf_old',
    'main.cf.mx1.orig',
    'main.cf.rpmnew',
    'master.cf.ucf-dist',
    'dovecot.conf.pacsave',
    'main.cf.20240131',
    'main.cf-2024.01.31_12:30',
    'main.cf.1',
    'main.cf.1700000000',
    'backup-main.cf',
    '.main.cf.swp',
    '.#main.cf',
    '._cfg0000_main.cf',
    'main.cf (1)',
    'main.cf.org',
  ])('%s is a copy', (name) => {
    expect(isBackupName(name)).toBe(true);
  });

  test.each([
    ['postfix.bak', true],
    ['etc-old', true],
    ['mx1~', true],
    ['postfix-20240131', true],
    ['mx-backup', false],
    ['mail.example.org', false],
    ['mx-2', false],
    ['mx20240131', false],
    ['threshold', false],
  ])('folder %s: a copy? %s', (name, expected) => {
    expect(isBackupFolder(name)).toBe(expected);
  });
});

describe('--include and --exclude', () => {
  const globs = (texts: readonly string[]) =>
    texts.map((text) => pathGlob(text)).filter((glob) => glob !== null);

  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['nothing', [], [], ['a/postfix', 'b', 'c/postfix']],
    ['what is included', ['a'], [], ['a/postfix']],
    ['one server of two', [], ['a/dovecot'], ['a/postfix', 'b', 'c/postfix']],
    ['what is not excluded', [], ['**/postfix'], ['a/dovecot', 'b']],
    ['what is included and not excluded', ['a', 'b'], ['*/dovecot', '!b'], ['a/postfix', 'b']],
    ['one file of two', [], ['b/main.cf'], ['a/postfix', 'b', 'c/postfix']],
  ])('%s', async (_, include, exclude, expected) => {
    tree(['a/postfix/main.cf', 'a/dovecot/dovecot.conf', 'b/main.cf', 'b/master.cf', 'c/postfix/main.cf']);
    const { hosts } = await findHosts(['.'], { include: globs(include), exclude: globs(exclude) });
    expect(hosts.map(({ directory }) => directory)).toEqual(expected);
  });

  test('bring back nothing, and do not touch what is named outright', () => {
    tree(['a/main.cf', 'b/main.cf', 'c/main.cf']);
    writeFiles({ '.pfharden.json': { ignore: ['a'] }, '.gitignore': 'b/\n' });
    const roots = (...args: readonly string[]) => {
      const { status, stdout, stderr } = pfharden('lint', '--format', 'json', '--fail-on', 'error', ...args);
      return status === 2
        ? stderr
        : (JSON.parse(stdout) as { hosts: { root: string }[] }).hosts.map(({ root }) => root);
    };
    expect(roots('--include', '*')).toEqual(['c']);
    expect(roots('--exclude', 'c', '--exclude=x', 'c', 'b/main.cf')).toEqual(['c', 'b']);
    expect(roots('--exclude', 'c')).toEqual([]);
    expect(roots('--include', 'nowhere', '--no-config')).toBe(
      'pfharden: no configuration of Postfix or Dovecot in . that --include and --exclude let count\n',
    );
  });
});

describe('what git ignores', () => {
  const names = ['a', 'b', 'mx', 'build', 'old'];
  // No main.cf in mx itself: as the folder of a host it would stand for that alone.
  const files = names
    .flatMap((one) => ['.', ...names, 'x/build'].map((two) => join(one, two, 'main.cf')))
    .filter((path) => path !== 'mx/main.cf');

  /** What git itself says of the files. */
  function notIgnored(): string[] {
    const { stdout } = spawnSync('git', ['ls-files', '--others', '--exclude-standard', '-z', '*main.cf'], {
      encoding: 'utf8',
      env: { ...process.env, HOME: process.cwd(), XDG_CONFIG_HOME: process.cwd() },
    });
    return stdout
      .split('\0')
      .filter((path) => path !== '')
      .sort();
  }

  test.each<[string, Readonly<Record<string, string>>, (readonly string[])?]>([
    ['a folder anywhere', { '.gitignore': 'build/\n' }],
    ['a folder at the root', { '.gitignore': '/build\n' }],
    ['all but one', { '.gitignore': '/*\n!/mx\n' }],
    ['negation that comes too late', { '.gitignore': 'build\n!build/mx/main.cf\n' }],
    ['nested files, which count first', { '.gitignore': 'old\n', 'mx/.gitignore': '!old\n/a\n' }],
    [
      'an outer pattern that a nested file overrules, and its contents',
      { '.gitignore': 'build/\n', 'mx/.gitignore': '!build/\n' },
    ],
    ['wildcards', { '.gitignore': '**/x/**\n[ab]/mx/\n?uild/old\n' }],
    ['a pattern with a slash', { '.gitignore': 'a/build\nmx/**/main.cf\n' }],
    ['comments, escapes and blanks', { '.gitignore': '# a\n\\#b\nold \nbuild\\ \n' }],
    ['info/exclude, which counts last', { '.git/info/exclude': 'old\nb\n', 'a/.gitignore': '!old\n' }],
    ['case', { '.gitignore': 'BUILD\nOLD/\n' }],
    ['only some files', { '.gitignore': '*.cf\n!mx/*.cf\n!/a/main.cf\n' }],
  ])('%s', async (_, patterns) => {
    spawnSync('git', ['init', '-q', '.']);
    tree(files);
    writeFiles(patterns);
    const found = async (path: string) =>
      (await findHosts([path]).catch(() => ({ hosts: [] }))).hosts
        .map(({ directory }) => join(directory, 'main.cf'))
        .sort();
    const expected = notIgnored();
    expect(expected.length).toBeLessThanOrEqual(files.length);
    expect(await found('.')).toEqual(expected);
    // From within, what is above counts too.
    const within = expected.filter((path) => path.startsWith('mx/'));
    expect(await found('mx')).toEqual(within);
  });

  test('counts where it is named outright, with all that is in it', async () => {
    spawnSync('git', ['init', '-q', '.']);
    tree(['out/a/main.cf', 'out/b/main.cf', 'out/b/c/main.cf', 'in/main.cf']);
    writeFiles({ '.gitignore': 'out/\n', 'out/.gitignore': 'c\n' });
    const roots = async (path: string) => (await findHosts([path])).hosts.map(({ root }) => root);
    expect(await roots('.')).toEqual(['in']);
    expect(await roots('out')).toEqual(['out/a', 'out/b']);
    expect(await roots('out/b/c/main.cf')).toEqual(['out/b/c']);
  });

  test('is left to the repository within another one', async () => {
    spawnSync('git', ['init', '-q', '.']);
    tree(['sub/old/main.cf', 'old/main.cf', 'new/main.cf']);
    writeFiles({ '.gitignore': 'old\n', 'sub/.git': 'gitdir: ../.git/modules/sub\n' });
    writeFiles({ '.git/modules/sub/info/exclude': 'new\n', 'sub/new/main.cf': 'a = b\n' });
    expect((await findHosts(['.'])).hosts.map(({ root }) => root)).toEqual(['new', 'sub/old']);
  });

  test('is said of a file that would be a configuration, and counts without a repository', async () => {
    tree(['a/main.cf', 'a/master.cf', 'b/main.cf']);
    writeFiles({ 'b/.gitignore': 'main.cf\n' });
    symlinkSync('../a', 'b/link');
    expect(await hostsIn()).toEqual(['a = a/main.cf + a/master.cf']);
    expect(await leftOutOf()).toEqual(['b/main.cf: git']);
  });
});
