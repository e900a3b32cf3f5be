import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from '../../src/hosts/files.ts';
import { type FindOptions, findHosts } from '../../src/hosts/find.ts';
import type { HostInput } from '../../src/hosts/host.ts';
import { type LocalSystem, type ReadOptions, readHost } from '../../src/hosts/read.ts';

const before = process.cwd();
let folder = '';

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'pfharden-find-')));
  process.chdir(folder);
});

afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/** Writes files below the current folder. */
function files(texts: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

async function found(paths: readonly string[], options: FindOptions = {}) {
  const { hosts, problems } = await findHosts(paths, options);
  return {
    hosts: hosts.map(({ root, directory }) => ({ root, directory })),
    problems: problems.map(({ message }) => message),
  };
}

type HostOptions = FindOptions & ReadOptions & { readonly system?: LocalSystem };

async function only(paths: readonly string[], options: HostOptions = {}): Promise<HostInput> {
  const { hosts } = await findHosts(paths, options);
  expect(hosts).toHaveLength(1);
  const [host] = hosts;
  if (host === undefined) throw new Error('no host');
  return readHost(host.source, options, options.system);
}

describe('a path stands for', () => {
  beforeEach(() => {
    files({ 'etc/postfix/main.cf': 'a = b\n', 'etc/postfix/master.cf': '# none\n' });
  });

  test.each([
    ['a folder', ['etc/postfix'], 'etc', 'etc/postfix'],
    ['a folder with a slash', ['./etc/postfix/'], 'etc', 'etc/postfix'],
    ['a file and the other one beside it', ['etc/postfix/master.cf'], 'etc', 'etc/postfix'],
    ['an etc', ['etc'], 'etc', 'etc/postfix'],
    ['a folder to search', ['.'], 'etc', 'etc/postfix'],
    ['the current folder', [], 'etc', 'etc/postfix'],
    [
      'one host, however often it is named',
      ['etc/postfix/main.cf', 'etc/postfix/master.cf', 'etc'],
      'etc',
      'etc/postfix',
    ],
  ])('%s', async (_, paths, root, directory) => {
    expect(await found(paths)).toEqual({ hosts: [{ root, directory }], problems: [] });
    const { postfix } = await only(paths);
    expect(postfix?.main?.path).toBe('etc/postfix/main.cf');
    expect(postfix?.master?.path).toBe('etc/postfix/master.cf');
  });

  test('the folder around it, from inside', async () => {
    process.chdir('etc/postfix');
    expect(await found(['.'])).toEqual({ hosts: [{ root: '..', directory: '.' }], problems: [] });
    expect((await only([])).postfix?.main?.path).toBe('main.cf');
  });

  test('a further instance of an etc', async () => {
    files({ 'etc/postfix-out/main.cf': 'a = b\n', 'etc/postfixadmin/main.cf': 'a = b\n' });
    expect((await found(['etc'])).hosts).toEqual([
      { root: 'etc', directory: 'etc/postfix' },
      { root: 'etc', directory: 'etc/postfix-out' },
    ]);
  });
});

test('a repository is searched, in order, without .git and node_modules, and once where links lead round', async () => {
  files({
    'repo/roles/mx/main.cf': '',
    'repo/roles/mx/master.cf': '',
    'repo/backup/master.cf': '',
    'repo/.git/main.cf': '',
    'repo/node_modules/x/main.cf': '',
    'outside/main.cf': '',
  });
  symlinkSync('..', 'repo/roles/up');
  symlinkSync('../roles', 'repo/backup/again');
  symlinkSync('../../outside', 'repo/roles/linked');
  expect(await found(['repo'])).toEqual({
    hosts: ['repo/backup', 'repo/roles/linked', 'repo/roles/mx'].map((directory) => ({
      root: directory,
      directory,
    })),
    problems: [],
  });
});

test('the root of a folder named postfix is the folder that may hold dovecot too', async () => {
  files({ 'config/postfix/main.cf': '', 'plain/main.cf': '' });
  expect((await found(['config', 'plain'])).hosts).toEqual([
    { root: 'config', directory: 'config/postfix' },
    { root: 'plain', directory: 'plain' },
  ]);
});

describe('Dovecot', () => {
  test.each([
    ['the folder', ['etc/dovecot'], [['etc', null, 'etc/dovecot']]],
    ['its file', ['etc/dovecot/dovecot.conf'], [['etc', null, 'etc/dovecot']]],
    ['a file that it includes', ['etc/dovecot/conf.d/10-ssl.conf'], [['etc', null, 'etc/dovecot']]],
    ['the folder of what it includes', ['etc/dovecot/conf.d'], [['etc', null, 'etc/dovecot']]],
    [
      'etc with both servers',
      ['etc'],
      [
        ['etc', 'etc/postfix', 'etc/dovecot'],
        ['etc', 'etc/postfix-out', null],
      ],
    ],
    ['both folders', ['etc/dovecot', 'etc/postfix'], [['etc', 'etc/postfix', 'etc/dovecot']]],
    [
      'a file of each',
      ['etc/postfix/main.cf', 'etc/dovecot/dovecot.conf'],
      [['etc', 'etc/postfix', 'etc/dovecot']],
    ],
    ['both in one folder', ['flat'], [['flat', 'flat', 'flat']]],
    [
      'a repository',
      ['repo'],
      [
        ['repo/a', 'repo/a/postfix', 'repo/a/dovecot'],
        ['repo/b', 'repo/b', null],
        ['repo/c/imap', null, 'repo/c/imap'],
      ],
    ],
    ['files to include without the file that includes them', ['parts'], [['parts', null, 'parts']]],
    ['the same in a conf.d', ['other/conf.d'], [['other', null, 'other']]],
  ])('is found by %s', async (_, paths, expected) => {
    files({
      'etc/postfix/main.cf': '',
      'etc/postfix-out/main.cf': '',
      'etc/dovecot/dovecot.conf': '!include conf.d/*.conf\n',
      'etc/dovecot/conf.d/10-ssl.conf': '',
      'flat/main.cf': '',
      'flat/dovecot.conf': '',
      'repo/a/postfix/main.cf': '',
      'repo/a/dovecot/dovecot.conf': '',
      'repo/b/main.cf': '',
      'repo/c/imap/dovecot.conf': 'ssl = yes\n',
      'repo/c/fail2ban/filter.d/dovecot.conf': '',
      'repo/c/monit/dovecot.conf': 'check process dovecot\n',
      'repo/c/supervisor/dovecot.conf': '; who\n[program:dovecot]\n',
      'parts/10-ssl.conf': '',
      'parts/10-auth.conf': '',
      'other/conf.d/10-mail.conf': '',
    });
    const { hosts, problems } = await findHosts(paths);
    expect(problems).toEqual([]);
    const inputs = await Promise.all(hosts.map(({ source }) => readHost(source, {})));
    expect(
      inputs.map(({ root, postfix, dovecot }) => [
        root,
        postfix?.directory ?? null,
        dovecot?.directory ?? null,
      ]),
    ).toEqual(expected);
  });

  test('stands for itself where its dovecot.conf is not among the files', async () => {
    files({
      'x/conf.d/10-ssl.conf': 'ssl = no\n',
      'x/conf.d/auth.inc': '',
      'y/10-ssl.conf': '',
      'y/sql.conf': '',
    });
    const [x, y] = await Promise.all([only(['x']), only(['y'])]);
    expect([x.dovecot?.main.path, x.dovecot?.mainAssumed]).toEqual(['x/dovecot.conf', true]);
    expect(x.dovecot?.main.text).toBe('!include conf.d/*.conf\n');
    expect(y.dovecot?.main.text).toBe('!include [0-9]*.conf\n');
  });

  test('is standard input, or a file of another name', async () => {
    files({ 'mail/imap.conf': 'ssl = no\n' });
    const text = await only(['-'], { as: 'dovecot.conf', standardInput: () => Buffer.from('ssl = no\n') });
    expect([text.postfix, text.dovecot?.main.path, text.dovecot?.main.text]).toEqual([
      null,
      'dovecot.conf',
      'ssl = no\n',
    ]);
    const file = await only(['mail/imap.conf'], { as: 'dovecot.conf' });
    expect([file.postfix, file.dovecot?.main.path]).toEqual([null, 'mail/imap.conf']);
  });

  test('is refused where its file cannot be read', async () => {
    mkdirSync('dovecot/dovecot.conf', { recursive: true });
    await expect(only(['dovecot'])).rejects.toThrow(
      new InputError('dovecot/dovecot.conf: not a regular file'),
    );
    files({
      'x/dovecot.conf': '!include conf.d/*.conf\n!include_try conf.d\n!include missing\n',
      'x/conf.d/a.conf': '',
    });
    expect((await only(['x'])).dovecot?.main.path).toBe('x/dovecot.conf');
    spawnSync('mkfifo', ['x/conf.d/b.conf']);
    await expect(only(['x'])).rejects.toThrow(new InputError('x/conf.d/b.conf: not a regular file'));
  });

  describe('names files that are looked for', () => {
    beforeEach(() => {
      files({
        'image/etc/dovecot/dovecot.conf': '',
        'image/etc/dovecot/conf.d/10-ssl.conf': '',
        'image/usr/share/dovecot/protocols.d/imapd.protocol': '',
        'image/secret': '',
        'secret/text': '',
        'plain/dovecot.conf': '',
        'plain/conf.d/10-ssl.conf': '',
        'usr/share/dovecot/protocols.d/imapd.protocol': '',
      });
    });

    const folders = [
      'DIR/conf.d/',
      '/etc/dovecot/conf.d/',
      '/usr/local/etc/dovecot/conf.d',
      '/usr/share/dovecot/protocols.d/',
      'DIR/../../usr/share/dovecot/protocols.d',
      'DIR/../../../secret',
      '/var/tmp',
    ];

    /** Names in each folder, and where the first of them is read. */
    async function listed(directory: string) {
      const { dovecot } = await only([directory]);
      return folders.map((pattern) => {
        const path = pattern.replace('DIR', directory);
        const [name] = dovecot?.entries(path) ?? [];
        return name === undefined ? null : dovecot?.open(`${path.replace(/\/$/, '')}/${name}`)?.path;
      });
    }

    test('below the folder that plays /, and in its place', async () => {
      expect(await listed('image/etc/dovecot')).toEqual([
        'image/etc/dovecot/conf.d/10-ssl.conf',
        'image/etc/dovecot/conf.d/10-ssl.conf',
        'image/etc/dovecot/conf.d/10-ssl.conf',
        'image/usr/share/dovecot/protocols.d/imapd.protocol',
        'image/etc/dovecot/../../usr/share/dovecot/protocols.d/imapd.protocol',
        null,
        null,
      ]);
    });

    test('the same by its whole path', async () => {
      const own = join(folder, 'image/etc/dovecot');
      expect(await listed(own)).toEqual([
        `${own}/conf.d/10-ssl.conf`,
        `${own}/conf.d/10-ssl.conf`,
        `${own}/conf.d/10-ssl.conf`,
        join(folder, 'image/usr/share/dovecot/protocols.d/imapd.protocol'),
        `${own}/../../usr/share/dovecot/protocols.d/imapd.protocol`,
        null,
        null,
      ]);
    });

    test('in the folder alone, where nothing plays /', async () => {
      const own = 'plain/conf.d/10-ssl.conf';
      expect(await listed('plain')).toEqual([own, own, own, null, null, null, null]);
    });

    test.each([
      ['', 'image'],
      ['image/', 'etc'],
      ['image/etc', 'dovecot'],
      ['/', 'etc'],
      ['/etc/', 'dovecot'],
      ['/usr/', 'local'],
    ])('from folder to folder: in "%s" stands %s', async (path, name) => {
      expect((await only(['image/etc/dovecot'])).dovecot?.entries(path)).toContain(name);
    });
  });
});

describe('what --as names', () => {
  test('is one file alone', async () => {
    files({ 'mail/postfix.conf': 'a = b\n', 'mail/master.cf': '' });
    const { postfix } = await only(['mail/postfix.conf'], { as: 'main.cf' });
    expect([postfix?.main?.path, postfix?.master]).toEqual(['mail/postfix.conf', null]);
  });

  test('is standard input', async () => {
    const { postfix } = await only(['-'], {
      as: 'master.cf',
      standardInput: () => Buffer.from('# \xe9', 'latin1'),
    });
    expect([postfix?.master?.path, postfix?.master?.text, postfix?.master?.encoding]).toEqual([
      'master.cf',
      '# é',
      'latin1',
    ]);
  });
});

describe('is refused:', () => {
  beforeEach(() => {
    files({
      'dangling/master.cf': '',
      'text.txt': '',
      'empty/readme': '',
      'folder/main.cf/x': '',
      'folder/master.cf': '',
    });
    symlinkSync('nowhere', 'dangling/main.cf');
    symlinkSync('loop', 'loop');
  });

  test.each([
    ['missing', 'missing: no such file or directory'],
    ['text.txt', 'text.txt: is it a main.cf, a master.cf or a dovecot.conf? Say so with --as'],
    ['empty', 'no configuration of Postfix or Dovecot in empty'],
    ['loop', 'loop: a loop of symbolic links'],
    ['dangling/main.cf', 'dangling/main.cf: a link to a file that is not there'],
    ['-', 'standard input needs --as main.cf, --as master.cf or --as dovecot.conf'],
  ])('%s', async (path, message) => {
    await expect(findHosts([path])).rejects.toThrow(new InputError(message));
  });

  test.each([
    ['dangling', 'dangling/main.cf: a link to a file that is not there'],
    ['folder', 'folder/main.cf: not a regular file'],
  ])('%s, although the other file can be read', async (path, message) => {
    await expect(only([path])).rejects.toThrow(new InputError(message));
  });
});

describe('files that the configuration names', () => {
  const names = [
    '/etc/postfix/tls_policy',
    'tls_policy',
    '/etc/postfix/sub/../tls_policy',
    '/etc/mail/access',
    '/etc/postfix/../mail/access',
    '/etc/postfix/tls_policy.db',
    '../../secret',
    '/../../secret',
    '/etc/hostname',
    '',
  ];

  async function opened(path: string): Promise<(string | null)[]> {
    const { open } = await only([path]);
    return names.map((name) => open(name)?.path ?? null);
  }

  beforeEach(() => {
    files({
      'image/etc/postfix/main.cf': '',
      'image/etc/postfix/tls_policy': '',
      'image/etc/postfix/tls_policy.db': '',
      'image/etc/mail/access': '',
      'image/secret': '',
      secret: '',
      'plain/main.cf': '',
      'plain/tls_policy': '',
      'etc/mail/access': '',
    });
  });

  test('are looked for below the folder that plays /', async () => {
    const policy = 'image/etc/postfix/tls_policy';
    const access = 'image/etc/mail/access';
    expect(await opened('image/etc/postfix')).toEqual([
      policy,
      policy,
      policy,
      access,
      access,
      null,
      'image/secret',
      'image/secret',
      null,
      null,
    ]);
  });

  test('are only those of /etc/postfix where nothing plays /', async () => {
    const policy = 'plain/tls_policy';
    expect(await opened('plain')).toEqual([policy, policy, policy, ...names.slice(3).map(() => null)]);
  });

  test('are read once', async () => {
    const { open } = await only(['plain']);
    expect(open('tls_policy')).toBe(open('/etc/postfix/tls_policy'));
  });
});

const ask = (servers: { readonly postfix: boolean; readonly dovecot: boolean }) =>
  Promise.resolve({
    postfix: servers.postfix ? '3.5.25' : undefined,
    dovecot: servers.dovecot ? '2.3.13' : undefined,
    openssl: '1.1.1w',
  });

async function releases(options: HostOptions) {
  const { postfix, openssl } = (await only(['etc'], options)).releases;
  return [postfix.version, postfix.versionFrom, openssl.version, openssl.versionFrom];
}

describe('the releases', () => {
  beforeEach(() => {
    files({ 'etc/postfix/main.cf': 'a = b\n' });
  });

  test('are asked of the installed programs for the folder of the system', async () => {
    const system = { postfix: join(folder, 'etc/postfix'), dovecot: join(folder, 'etc/dovecot'), ask };
    expect(await releases({ system })).toEqual(['3.5.25', 'installed', '1.1.1w', 'installed']);
    expect((await releases({ system, exec: false })).filter((word) => word === 'assumed')).toHaveLength(2);
    expect((await releases({ system, flags: { postfix: '3.4' } })).slice(0, 2)).toEqual(['3.4', 'flag']);
    files({ 'etc/dovecot/dovecot.conf': 'ssl = yes\n' });
    const later = { ...system };
    const { postfix, dovecot } = (await only(['etc'], { system: later, flags: { postfix: '3.4' } })).releases;
    expect([postfix.versionFrom, dovecot.version, dovecot.versionFrom]).toEqual([
      'flag',
      '2.3.13',
      'installed',
    ]);
  });

  test('are not asked for any other folder', async () => {
    const elsewhere = join(folder, 'elsewhere');
    const system = { postfix: elsewhere, dovecot: elsewhere, ask: () => Promise.reject(new Error('asked')) };
    expect((await releases({ system })).filter((word) => word === 'assumed')).toHaveLength(2);
  });

  test.each([
    ['the line that 2.4 wants', 'dovecot_config_version = 2.4.1\n', '2.4.1', 'config', '2.4.1'],
    [
      'the line, in quotes and with a comment',
      '# new\ndovecot_config_version="2.4.0" # x\n',
      '2.4.0',
      'config',
      '2.4.0',
    ],
    ['names that came with 2.4', 'ssl_server_cert_file = /etc/x\n', '2.4.5', 'implied', '2.4.0'],
    ['nothing', 'ssl = yes\n#dovecot_config_version = 2.4.1\n', '2.3.21.1', 'assumed', null],
  ])('of Dovecot follow from %s', async (_, text, version, versionFrom, provenAtLeast) => {
    files({ 'dovecot.conf': text });
    expect((await only(['dovecot.conf'])).releases.dovecot).toEqual({ version, versionFrom, provenAtLeast });
  });

  test.each([
    ['a type of service that came with 3.4', 'postlog unix-dgram n - n - 1 postlogd\n', '3.4'],
    [
      'an override in braces',
      'smtp inet n - n - - smtpd\n  -o { smtpd_banner = $myhostname ESMTP }\n',
      '3.0',
    ],
    ['nothing', '# postlog unix-dgram n - n - 1 postlogd\nsmtp inet n - n - - smtpd\n', null],
  ])('of Postfix are bound by %s', async (_, text, provenAtLeast) => {
    files({ 'etc/postfix/master.cf': text });
    expect((await only(['etc'])).releases.postfix).toEqual({
      version: '3.11.7',
      versionFrom: provenAtLeast === null ? 'assumed' : 'implied',
      provenAtLeast,
    });
  });

  test('come from the nearest .pfharden.json', async () => {
    files({
      '.pfharden.json': '{"profile": "strict"}',
      'etc/.pfharden.json':
        '{"releases": {"postfix": "v3.7.11", "openssl": "3.0"}, "profile": "legacy-compatible"}',
    });
    expect(await releases({})).toEqual(['3.7.11', 'config', '3.0', 'config']);
  });
});

describe('files of the running system', () => {
  it('are looked at where the folder is that of the system', async () => {
    files({ 'etc/postfix/main.cf': 'a = b\n', 'keys/a.key': 'x', 'safe/b.key': 'x' });
    chmodSync(folder, 0o755);
    const postfix = join(folder, 'etc/postfix');
    const system = { postfix, dovecot: '/nowhere', ask: async () => ({}) };
    const { facts, now } = await only([postfix], { system, exec: false, now: 17 });
    const readers = (path: string, mode: number, folderMode: number): unknown => {
      chmodSync(path, mode);
      chmodSync(dirname(path), folderMode);
      return facts?.(join(folder, path));
    };
    expect(readers('keys/a.key', 0o600, 0o755)).toEqual({ exists: true, readers: 'owner' });
    expect(readers('keys/a.key', 0o640, 0o755)).toEqual({ exists: true, readers: 'group' });
    expect(readers('keys/a.key', 0o604, 0o755)).toEqual({ exists: true, readers: 'others' });
    expect(readers('keys/a.key', 0o644, 0o755)).toEqual({ exists: true, readers: 'others' });
    expect(readers('safe/b.key', 0o644, 0o700)).toEqual({ exists: true, readers: 'owner' });
    expect(readers('safe/b.key', 0o644, 0o710)).toEqual({ exists: true, readers: 'group' });
    symlinkSync(join(folder, 'safe/b.key'), 'keys/link.key');
    expect(facts?.(join(folder, 'keys/link.key'))).toEqual({ exists: true, readers: 'group' });
    expect(facts?.(join(folder, 'keys/none.key'))).toEqual({ exists: false, readers: null });
    expect(facts?.(join(folder, 'keys/a.key/x'))).toEqual({ exists: false, readers: null });
    expect(facts?.(join(folder, 'keys'))).toEqual({ exists: true, readers: null });
    expect(now).toBe(17);
  });

  it('say nothing of the system where the folder is a copy', async () => {
    files({ 'etc/postfix/main.cf': 'a = b\n' });
    const { facts } = await only(['etc/postfix']);
    expect(facts).toBeUndefined();
  });
});

describe('templates by the names of what they make', () => {
  test.each(['j2', 'jinja', 'erb', 'epp', 'tmpl', 'tpl', 'gotmpl', 'template'])('.%s', async (suffix) => {
    files({
      [`postfix/main.cf.${suffix}`]: 'myhostname = {{ host }}\n',
      [`postfix/master.cf.${suffix}`]: 'smtp inet n - n - - smtpd\n',
      [`dovecot/dovecot.conf.${suffix}`]: '!include conf.d/*.conf\n!include_try local.conf\n',
      [`dovecot/conf.d/10-ssl.conf.${suffix}`]: 'ssl = required\n',
      [`dovecot/local.conf.${suffix}`]: 'ssl_cert = </a\n',
    });
    const { postfix, dovecot } = await only(['.']);
    expect(postfix?.main?.path).toBe(`postfix/main.cf.${suffix}`);
    expect(postfix?.master?.path).toBe(`postfix/master.cf.${suffix}`);
    expect(dovecot?.main.path).toBe(`dovecot/dovecot.conf.${suffix}`);
    expect(dovecot?.open('/etc/dovecot/conf.d/10-ssl.conf')?.path).toBe(
      `dovecot/conf.d/10-ssl.conf.${suffix}`,
    );
    expect(dovecot?.open('/etc/dovecot/local.conf')?.path).toBe(`dovecot/local.conf.${suffix}`);
    expect(dovecot?.entries('/etc/dovecot/conf.d')).toContain('10-ssl.conf');
  });

  test('a path to one is a path to its host', async () => {
    files({ 'roles/mail/main.cf.j2': 'a = b\n', 'roles/mail/conf.d/10-ssl.conf.j2': 'ssl = yes\n' });
    expect((await only(['roles/mail/main.cf.j2'])).postfix?.main?.path).toBe('roles/mail/main.cf.j2');
    expect((await only(['roles/mail/conf.d'])).dovecot?.mainAssumed).toBe(true);
  });

  test('the file itself comes before its template', async () => {
    files({ 'main.cf': 'a = b\n', 'main.cf.j2': 'a = {{ b }}\n' });
    expect((await only(['.'])).postfix?.main?.path).toBe('main.cf');
  });
});
