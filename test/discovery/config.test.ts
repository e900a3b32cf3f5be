import type { HostConfig } from '../../src/hosts/config.ts';
import { InputError } from '../../src/hosts/files.ts';
import { findHosts } from '../../src/hosts/find.ts';
import { useFolder, writeFiles } from '../support/folder.ts';

useFolder();

beforeEach(() => {
  writeFiles({
    'hosts/mx1/etc/postfix/main.cf': '',
    'hosts/mx1/etc/dovecot/dovecot.conf': '',
    'hosts/mx2/postfix/main.cf': '',
    'hosts/old/main.cf': '',
    'hosts/old/master.cf': '',
  });
});

/** What is said of the only host at a path. */
async function configOf(path: string): Promise<HostConfig | null> {
  const { hosts } = await findHosts([path]);
  expect(hosts).toHaveLength(1);
  return hosts[0]?.config ?? null;
}

/** The names of the profiles of hosts, by root. */
async function profiles(): Promise<Record<string, string | undefined>> {
  const { hosts } = await findHosts(['.']);
  return Object.fromEntries(hosts.map(({ root, config }) => [root, config?.profile?.name]));
}

describe('the file for a host', () => {
  test('is the nearest one, and those above it do not count', async () => {
    writeFiles({
      '.pfharden.json': { profile: 'strict', releases: { openssl: '3.0' } },
      'hosts/mx1/.pfharden.json': { releases: { postfix: 'v3.7.11' } },
    });
    expect(await configOf('hosts/mx1')).toMatchObject({
      path: 'hosts/mx1/.pfharden.json',
      profile: undefined,
      releases: { postfix: '3.7.11', openssl: undefined },
    });
    expect(await configOf('hosts/mx2')).toMatchObject({
      path: '.pfharden.json',
      profile: { name: 'strict' },
      releases: { openssl: '3.0' },
    });
  });

  test('counts no longer where that is asked for', async () => {
    writeFiles({ '.pfharden.json': 'no JSON' });
    expect((await findHosts(['hosts/mx1'], { configs: false })).hosts[0]?.config).toBeNull();
  });

  test.each([
    ['"root": false', { root: false }],
    ['"extends" with a file', { extends: '../../.pfharden.json' }],
    ['"extends" with a folder', { extends: '../..' }],
  ])('has what another one says below it with %s', async (_, own) => {
    writeFiles({
      '.pfharden.json': {
        profile: 'strict',
        releases: { postfix: '3.7', openssl: '3.0' },
        severity: { 'postfix/server-protocols': 'off' },
        ignore: ['hosts/mx1/etc/dovecot'],
        rules: ['hosts'],
        silencing: { reason: 'required' },
      },
      'hosts/mx1/.pfharden.json': { ...own, releases: { postfix: '3.5' }, thresholds: { rsaBits: 4096 } },
    });
    const { hosts, ignored } = await findHosts(['hosts/mx1']);
    const config = hosts[0]?.config;
    expect(config).toMatchObject({
      path: 'hosts/mx1/.pfharden.json',
      profile: { name: 'strict', folder: '.' },
      releases: { postfix: '3.5', openssl: '3.0' },
      config: { rules: ['hosts'], reasonRequired: true },
    });
    expect(
      config?.layers.map(({ path, severity, thresholds }) => [path, severity.levels, thresholds]),
    ).toEqual([
      ['hosts/mx1/.pfharden.json', {}, { rsaBits: 4096 }],
      ['.pfharden.json', { 'postfix/server-protocols': 'off' }, {}],
    ]);
    expect(ignored).toEqual([{ path: 'hosts/mx1/etc/dovecot', by: 'hosts/mx1/.pfharden.json' }]);
  });

  test('may take back what the other one asks of comments', async () => {
    writeFiles({
      'base.json': { silencing: { reason: 'required' } },
      '.pfharden.json': { extends: 'base.json', silencing: { reason: 'optional' } },
    });
    expect((await configOf('hosts/mx1'))?.config.reasonRequired).toBe(false);
  });

  test('may have comments', async () => {
    writeFiles({ '.pfharden.json': '// ours\n{ /* for all */ "profile": "strict" } // end\n' });
    expect((await configOf('hosts/mx1'))?.profile?.name).toBe('strict');
  });
});

describe('entries of hosts', () => {
  test.each([
    ['a folder', ['hosts/mx1'], ['mx1']],
    ['a folder of one server', ['hosts/mx1/etc/dovecot'], ['mx1']],
    ['a file', ['hosts/old/master.cf'], ['old']],
    ['a pattern', ['**/mx?'], ['mx1', 'mx2']],
    ['several', ['hosts/mx1', 'hosts/old'], ['mx1', 'old']],
    ['all but one', ['**', '!hosts/old'], ['mx1', 'mx2']],
    ['a part of a name', ['hosts/mx'], []],
  ])('mean the hosts of %s', async (_, paths, meant) => {
    writeFiles({ '.pfharden.json': { hosts: [{ paths, profile: 'strict' }] } });
    const found = Object.entries(await profiles()).filter(([, profile]) => profile === 'strict');
    expect(found.map(([root]) => root.split('/')[1])).toEqual(meant);
  });

  test('count before the rest of the file, the last one first, and add up', async () => {
    writeFiles({
      '.pfharden.json': {
        profile: 'strict',
        releases: { postfix: '3.5' },
        hosts: [
          { paths: ['hosts/mx1'], profile: 'modern', releases: { postfix: '3.7', dovecot: '2.3' } },
          { paths: ['hosts'], profile: 'legacy-compatible' },
        ],
      },
    });
    expect(await configOf('hosts/mx1')).toMatchObject({
      profile: { name: 'legacy-compatible' },
      releases: { postfix: '3.7', dovecot: '2.3' },
    });
  });

  test('count less than a file that extends theirs', async () => {
    writeFiles({
      'base.json': { hosts: [{ paths: ['hosts'], profile: 'strict', releases: { postfix: '3.5' } }] },
      '.pfharden.json': { extends: './base.json', profile: 'modern' },
    });
    expect(await configOf('hosts/mx2')).toMatchObject({
      profile: { name: 'modern' },
      releases: { postfix: '3.5' },
    });
  });

  test('have their paths from the folder of their own file', async () => {
    writeFiles({
      'shared/base.json': { hosts: [{ paths: ['../hosts/mx2'], profile: 'strict' }] },
      '.pfharden.json': { extends: 'shared/base.json' },
    });
    expect(Object.values(await profiles())).toEqual([undefined, 'strict', undefined]);
  });

  test('that are told the same share one object, so that each profile is made once', async () => {
    writeFiles({ '.pfharden.json': { hosts: [{ paths: ['hosts/old'], profile: 'strict' }] } });
    const { hosts } = await findHosts(['.']);
    expect(hosts[0]?.config).toBe(hosts[1]?.config);
    expect(hosts[2]?.config).not.toBe(hosts[1]?.config);
  });

  test('that can match nothing are told', async () => {
    writeFiles({
      '.pfharden.json': '{"hosts": [\n {"paths": ["hosts/mx*", "host/mx1", "**/x"]}]}',
    });
    expect((await configOf('hosts/mx1'))?.config.warnings).toEqual([
      '.pfharden.json:2:26: no host can match: there is no host/mx1',
    ]);
  });
});

describe('what is ignored', () => {
  const left = async (ignore: readonly string[], paths: readonly string[] = ['.']) => {
    writeFiles({ '.pfharden.json': { ignore } });
    const { hosts, ignored } = await findHosts(paths);
    return [
      hosts.map(({ directory }) => directory.split('/').slice(1).join('/')),
      ignored.map(({ path }) => path),
    ];
  };

  test.each([
    ['nothing', [], ['mx1/etc/postfix', 'mx2/postfix', 'old'], []],
    ['a folder', ['hosts/old'], ['mx1/etc/postfix', 'mx2/postfix'], ['hosts/old']],
    ['one file of two', ['hosts/old/main.cf'], ['mx1/etc/postfix', 'mx2/postfix', 'old'], []],
    ['both files', ['hosts/old/*.cf'], ['mx1/etc/postfix', 'mx2/postfix'], ['hosts/old']],
    ['the only file', ['hosts/mx2/**/main.cf'], ['mx1/etc/postfix', 'old'], ['hosts/mx2/postfix']],
    [
      'one server',
      ['**/postfix'],
      ['mx1/etc/dovecot', 'old'],
      ['hosts/mx1/etc/postfix', 'hosts/mx2/postfix'],
    ],
    [
      'all',
      ['hosts'],
      [],
      ['hosts/mx1/etc/dovecot', 'hosts/mx1/etc/postfix', 'hosts/mx2/postfix', 'hosts/old'],
    ],
    [
      'all but one',
      ['hosts', '!hosts/old'],
      ['old'],
      ['hosts/mx1/etc/dovecot', 'hosts/mx1/etc/postfix', 'hosts/mx2/postfix'],
    ],
  ])('%s', async (_, ignore, hosts, ignored) => {
    expect(await left(ignore)).toEqual([hosts, ignored]);
  });

  test('stays so where the path is named itself', async () => {
    expect(await left(['hosts/old'], ['hosts/old/main.cf', 'hosts/mx2'])).toEqual([
      ['mx2/postfix'],
      ['hosts/old'],
    ]);
  });

  test('may be a file of another name', async () => {
    writeFiles({ '.pfharden.json': { ignore: ['*.bak'] }, 'main.cf.bak': '' });
    const { hosts, ignored } = await findHosts(['main.cf.bak'], { as: 'main.cf' });
    expect([hosts, ignored]).toEqual([[], [{ path: 'main.cf.bak', by: '.pfharden.json' }]]);
  });
});

test('a folder with very many hosts is searched to its end', async () => {
  const names = Array.from({ length: 1200 }, (_, index) => `many/h${index}/etc/postfix/main.cf`);
  writeFiles(Object.fromEntries(names.map((name) => [name, ''])));
  writeFiles({ '.pfharden.json': { ignore: ['many/h1*', '!many/h11'] } });
  const { hosts, ignored } = await findHosts(['.']);
  // h1, ten of two digits, a hundred of three and h1000 to h1199, but for h11.
  expect([hosts.length, ignored.length]).toEqual([3 + 1200 - 310, 310]);
});

describe('a file is refused', () => {
  test.each([
    ['{\n  "profle": "strict"\n}', ':2:3: unknown key "profle"; did you mean "profile"?'],
    ['{"releases": {"exim": "4"}}', ':1:15: unknown key "exim"; known here: postfix, dovecot, openssl'],
    ['{"releases": {\n"postfix": "three"}}', ':2:12: "three" is no release; write it as 3.7.11 or 3.7'],
    [
      '{"hosts": [{"paths": ["a"],\n "releases": {"openssl": "x"}}]}',
      ':2:26: "x" is no release; write it as 3.7.11 or 3.7',
    ],
    ['{"profile": 1}', ':1:13: profile must be string'],
    [
      '{"severity": {\n  "postfix/server-protocols": "eror" }}',
      ':2:31: severity.postfix/server-protocols must be one of off, info, warning, error; did you mean "error"?',
    ],
    [
      '{"severity": {\n  "postfix/server-protocols": {"default": "loud"} }}',
      ':2:43: severity.postfix/server-protocols.default must be one of off, info, warning, error',
    ],
    ['{"severity": {"a": 1}}', ':1:20: severity.a must be object'],
    [
      '{"thresholds": {"lowestProtocol": {\n "submision": "TLSv1.3"}}}',
      ':2:2: unknown key "submision"; did you mean "submission"?',
    ],
    [
      '{"thresholds": {"lowestProtocol": {"mx": "TLS1.3"}}}',
      ':1:42: thresholds.lowestProtocol.mx must be one of SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3; did you mean "TLSv1.3"?',
    ],
    ['{"thresholds": {"rsaBits": 128}}', ':1:28: thresholds.rsaBits must be >= 512'],
    ['{"hosts": [{"profile": "strict"}]}', `:1:12: hosts.0 must have required property 'paths'`],
    [
      '{"silencing": {"reason": "require"}}',
      ':1:26: silencing.reason must be one of required, optional; did you mean "required"?',
    ],
    ['{"ignore": "x"}', ':1:12: ignore must be array'],
    [`{"ignore": ["y", "${'{a,b}'.repeat(9)}"]}`, ':1:18: the braces make too many patterns: 256 at most'],
    ['{"rules": ["hosts", "own"]}', ':1:21: there is no folder own'],
    ['{"extends": "bas.json"}', ':1:13: there is no bas.json; did you mean base.json?'],
    ['{"extends": "nowhere"}', ':1:13: there is no nowhere'],
    ['{"extends": ".pfharden.json"}', ':1:13: extends itself: .pfharden.json extends .pfharden.json'],
    [
      '{\n"root": false, "extends": "base.json"}',
      ':2:9: "root": false extends the file above, and "extends" names another',
    ],
    ['{"profile": "strict",\n}', ':2:1: not valid JSON: "}" cannot stand there'],
    ['{"root": true,\n "root": true}', ':2:2: the key "root" stands here a second time'],
    ['{', ':1:2: not valid JSON: the file ends too early'],
    ['', ':1:1: not valid JSON: the file ends too early'],
  ])('%s', async (text, message) => {
    writeFiles({ '.pfharden.json': text, 'base.json': {} });
    await expect(findHosts(['hosts/mx1'])).rejects.toThrow(new InputError(`.pfharden.json${message}`));
  });

  test('that is not the first of a round', async () => {
    writeFiles({
      '.pfharden.json': { extends: 'a.json' },
      'a.json': { extends: 'b.json' },
      'b.json': '{\n "extends": "a.json"}',
    });
    await expect(findHosts(['hosts/mx1'])).rejects.toThrow(
      new InputError('b.json:2:13: extends itself: a.json extends b.json extends a.json'),
    );
  });
});
