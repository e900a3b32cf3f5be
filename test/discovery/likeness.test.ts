import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { likenessOf } from '../../src/hosts/likeness.ts';
import type { HostSource } from '../../src/hosts/read.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-likeness-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** A host with these files, as the search finds it. */
function host(
  name: string,
  files: { readonly main?: string; readonly master?: string; readonly dovecot?: string },
): HostSource {
  const { main, master, dovecot } = files;
  const at = (path: string, text: string | undefined): string | null =>
    text === undefined ? null : write(`${name}/${path}`, text);
  const place = { beside: null, label: null };
  const paths = [at('postfix/main.cf', main), at('postfix/master.cf', master)] as const;
  const conf = at('dovecot/dovecot.conf', dovecot);
  const postfix =
    main === undefined && master === undefined
      ? null
      : {
          ...place,
          server: 'postfix' as const,
          directory: join(folder, name, 'postfix'),
          main: paths[0],
          master: paths[1],
        };
  return {
    kind: 'folders',
    root: join(folder, name),
    postfix,
    dovecot:
      conf === null
        ? null
        : {
            ...place,
            server: 'dovecot',
            directory: join(folder, name, 'dovecot'),
            main: conf,
            fragments: null,
          },
    releases: {},
  };
}

const MAIN = 'myhostname = mx1.example.net\nsmtpd_tls_security_level = may\n';

test('hosts that differ in names, addresses and comments are alike', () => {
  const one = likenessOf(host('one', { main: `# mx1\n${MAIN}mynetworks = 192.0.2.1\n` }));
  const other = likenessOf(
    host('two', {
      main: `# another\n${MAIN.replaceAll('mx1.example.net', 'b.example.org')}mynetworks = 10.0.0.7\n`,
    }),
  );
  expect(one).not.toBeNull();
  expect(other).toBe(one);
});

test.each([
  ['main.cf', { main: MAIN.replace('may', 'encrypt'), dovecot: 'ssl = no\n' }],
  ['master.cf where there is no main.cf', { master: 'smtp inet n - n - - smtpd\n' }],
  ['dovecot.conf where there is no Postfix', { dovecot: 'ssl = no\n' }],
])('what tells is %s', (_, files) => {
  expect(likenessOf(host('one', files))).not.toBe(
    likenessOf(host('two', { main: MAIN, dovecot: 'ssl = no\n' })),
  );
  expect(likenessOf(host('one', files))).toBe(likenessOf(host('three', files)));
});

test('nothing tells where there is nothing to read, and nobody waits for a pipe', () => {
  const source = host('one', { main: MAIN });
  rmSync(join(folder, 'one/postfix/main.cf'));
  expect(likenessOf(source)).toBeNull();
  execFileSync('mkfifo', [join(folder, 'one/postfix/main.cf')]);
  expect(likenessOf(source)).toBeNull();
  mkdirSync(join(folder, 'one/postfix/master.cf'));
  expect(likenessOf(source)).toBeNull();
  const file = write('x', MAIN);
  expect(
    likenessOf({ kind: 'file', root: folder, path: file, as: 'main.cf', bytes: null, releases: {} }),
  ).toBeNull();
});

test('of a long file the beginning tells', () => {
  const long = `${MAIN}${'# nothing\n'.repeat(3000)}`;
  expect(likenessOf(host('one', { main: `${long}relayhost = a\n` }))).toBe(
    likenessOf(host('two', { main: `${long}relayhost = b\n` })),
  );
});
