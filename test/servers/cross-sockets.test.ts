import fs from 'node:fs';
import path from 'node:path';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { surroundings as dovecotSurroundings, isOld } from '../support/dovecot-text.ts';
import { hostFromTexts } from '../support/host.ts';
import { type Root, roots } from './roots.ts';
import { freePort, look, startPostfix, surroundings } from './running.ts';
import { makeHome, startDovecot } from './running-dovecot.ts';

// A Dovecot opens sockets of all kinds for a Postfix that has a service for each: where pfharden reports
// cross/sasl-socket nobody is greeted, elsewhere AUTH is announced.

/** A socket of Dovecot's service auth: its name, below the queue directory or absolute, and its lines. */
const SOCKETS: Readonly<Record<string, readonly string[]>> = {
  'private/good': ['mode = 0660', 'user = postfix', 'group = postfix'],
  'private/of-group': ['mode = 0660', 'group = postfix'],
  'private/of-owner': ['mode = 0600', 'user = postfix'],
  'private/for-others': ['mode = 0606'],
  'private/not-the-group': ['mode = 0606', 'group = postfix'],
  'private/not-the-owner': ['mode = 0066', 'user = postfix'],
  'private/of-root': ['mode = 0600'],
  'private/root-and-group': ['mode = 0660'],
  'private/decimal': ['mode = 660', 'user = postfix'],
  'private/some-login': ['mode = 0660', 'user = postfix', 'group = postfix'],
  'private/some-master': ['mode = 0660', 'user = postfix', 'group = postfix'],
  'private/some-userdb': ['mode = 0660', 'user = postfix', 'group = postfix'],
  'private/switched-off': ['mode = 0', 'user = postfix'],
};

/** Paths that Postfix is given beside those, and whether its service runs in a chroot. */
const PATHS: readonly (readonly [path: string, chroot: 'n' | 'y'])[] = [
  ...Object.keys(SOCKETS).map((name) => [name, 'n'] as const),
  ['private/good', 'y'],
  ['/private/good', 'y'],
  ['/private/good', 'n'],
  ['QUEUE/private/good', 'n'],
  ['QUEUE/private/good', 'y'],
  ['unix:private/good', 'n'],
  ['private/missing', 'n'],
];

interface Row {
  readonly path: string;
  readonly chroot: string;
  readonly port: number;
}

function configurations(root: Root, home: string, rows: readonly Row[]): Record<string, string> {
  const folder = `${home}/postfix`;
  const settings = {
    ...surroundings(root, folder),
    compatibility_level: '2',
    smtpd_sasl_auth_enable: 'yes',
    local_recipient_maps: '',
  };
  const listeners = Object.entries(SOCKETS).flatMap(([name, lines]) => [
    `  unix_listener ${folder}/queue/${name} {`,
    ...lines.map((line) => `    ${line}`),
    '  }',
  ]);
  return {
    'main.cf': Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
    'master.cf': [
      ...rows.map(
        ({ port, chroot, path: socket }) =>
          `127.0.0.1:${port} inet n - ${chroot} - - smtpd -o smtpd_sasl_path=${socket}`,
      ),
      'rewrite unix - - n - - trivial-rewrite',
      'proxymap unix - - n - - proxymap',
      'anvil unix - - n - 1 anvil',
      'postlog unix-dgram n - n - 1 postlogd',
      'cleanup unix n - n - 0 cleanup',
      '',
    ].join('\n'),
    'dovecot.conf': [
      dovecotSurroundings(root.dovecot, home).trimEnd(),
      'ssl = no',
      isOld(root.dovecot) ? 'protocols = imap' : 'protocols {\n  imap = yes\n}',
      'service imap-login {',
      '  inet_listener imap {',
      '    port = 0',
      '  }',
      '}',
      'service auth {',
      ...listeners,
      '}',
      '',
    ].join('\n'),
  };
}

/** The ports on which pfharden expects nobody to log in. */
function predicted(root: Root, texts: Record<string, string>): ReadonlySet<number> {
  const host = hostFromTexts(texts, { postfix: root.postfix, dovecot: root.dovecot, openssl: root.openssl });
  const findings = evaluate(host, BUILTIN_RULES, builtinProfile('modern'), {
    only: new Set(['cross/sasl-socket']),
  });
  return new Set(
    findings.flatMap(({ endpoints }) => endpoints.map((id) => Number(/:(\d+)\//.exec(id)?.[1]))),
  );
}

describe.each(roots().map((root) => ({ name: `Postfix ${root.postfix}, Dovecot ${root.dovecot}`, root })))(
  '$name',
  ({ root }) => {
    it('greets on every port whose socket pfharden has nothing against, and on no other', async () => {
      const home = makeHome(root);
      const queue = `${home.inside}/postfix/queue`;
      const rows: Row[] = [];
      for (const [socket, chroot] of PATHS)
        rows.push({ path: socket.replace('QUEUE', queue), chroot, port: await freePort() });
      const texts = configurations(root, home.inside, rows);
      fs.mkdirSync(path.join(home.outside, 'postfix/queue/private'), { recursive: true });
      for (const [name, text] of Object.entries(texts))
        fs.writeFileSync(path.join(home.outside, name === 'dovecot.conf' ? name : `postfix/${name}`), text);
      const dovecot = await startDovecot(root, home, []);
      const postfix = await startPostfix(
        root,
        `${home.inside}/postfix`,
        rows.map(({ port }) => port),
      );
      try {
        expect(dovecot.failed ? dovecot.log() : '').toBe('');
        const expected = predicted(root, texts);
        const seen = await Promise.all(
          rows.map(async (row) => ({ ...row, auth: (await look(row.port, false)).authBeforeTls })),
        );
        const shown = (row: Row, auth: boolean): string =>
          `${row.path} ${row.chroot} ${auth ? 'AUTH' : 'none'}`;
        expect(rows.map((row) => shown(row, !expected.has(row.port)))).toEqual(
          seen.map((row) => shown(row, row.auth)),
        );
        expect(seen.filter(({ auth }) => auth)).not.toHaveLength(0);
      } finally {
        await postfix.stop();
        await dovecot.stop();
      }
    });
  },
);
