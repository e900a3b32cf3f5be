import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from '../../src/hosts/files.ts';
import { type FindOptions, findHosts } from '../../src/hosts/find.ts';
import type { HostInput } from '../../src/hosts/host.ts';

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

async function only(paths: readonly string[], options: FindOptions = {}): Promise<HostInput> {
  const { hosts } = await findHosts(paths, options);
  expect(hosts).toHaveLength(1);
  const [host] = hosts;
  if (host === undefined) throw new Error('no host');
  return host.read();
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
    ['text.txt', 'text.txt: is it a main.cf or a master.cf? Say so with --as'],
    ['empty', 'no Postfix configuration in empty'],
    ['loop', 'loop: a loop of symbolic links'],
    ['dangling/main.cf', 'dangling/main.cf: a link to a file that is not there'],
    ['-', 'standard input needs --as main.cf or --as master.cf'],
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

const ask = () => Promise.resolve({ postfix: '3.5.25', openssl: '1.1.1w' });

async function releases(options: FindOptions) {
  const { postfix, openssl } = (await only(['etc'], options)).releases;
  return [postfix.version, postfix.versionFrom, openssl.version, openssl.versionFrom];
}

describe('the releases', () => {
  beforeEach(() => {
    files({ 'etc/postfix/main.cf': 'a = b\n' });
  });

  test('are asked of the installed programs for the folder of the system', async () => {
    const system = { folder: join(folder, 'etc/postfix'), ask };
    expect(await releases({ system })).toEqual(['3.5.25', 'installed', '1.1.1w', 'installed']);
    expect((await releases({ system, exec: false })).filter((word) => word === 'assumed')).toHaveLength(2);
    expect((await releases({ system, flags: { postfix: '3.4' } })).slice(0, 2)).toEqual(['3.4', 'flag']);
  });

  test('are not asked for any other folder', async () => {
    const system = { folder: join(folder, 'elsewhere'), ask: () => Promise.reject(new Error('asked')) };
    expect((await releases({ system })).filter((word) => word === 'assumed')).toHaveLength(2);
  });

  test('come from the nearest .pfharden.json', async () => {
    files({
      '.pfharden.json': '{"profile": "strict"}',
      'etc/.pfharden.json':
        '{"releases": {"postfix": "v3.7.11", "openssl": "3.0"}, "profile": "legacy-compatible"}',
    });
    expect(await releases({})).toEqual(['3.7.11', 'config', '3.0', 'config']);
    expect((await findHosts(['etc'])).hosts[0]?.config).toMatchObject({
      path: 'etc/.pfharden.json',
      profile: 'legacy-compatible',
    });
  });

  test.each([
    ['{\n  "profle": "strict"\n}', '.pfharden.json:2: unknown key "profle"; did you mean "profile"?'],
    [
      '{"releases": {"exim": "4"}}',
      '.pfharden.json:1: unknown key "exim"; known here: postfix, dovecot, openssl',
    ],
    [
      '{"releases": {\n"postfix": "three"}}',
      '.pfharden.json:2: "three" is no release; write it as 3.7.11 or 3.7',
    ],
    ['{"profile": 1}', '.pfharden.json:1: profile must be string'],
    ['{"profile": "strict",\n}', '.pfharden.json:2:1: not valid JSON: "}" cannot stand there'],
    ['{', '.pfharden.json:1:2: not valid JSON: the file ends too early'],
    ['', '.pfharden.json:1:1: not valid JSON: the file ends too early'],
  ])('are refused from %j', async (text, message) => {
    files({ '.pfharden.json': text });
    await expect(findHosts(['etc'])).rejects.toThrow(new InputError(message));
  });
});
