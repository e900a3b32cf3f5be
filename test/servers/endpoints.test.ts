import fs from 'node:fs';
import path from 'node:path';
import { buildHost } from '../../src/hosts/host.ts';
import { decideReleases } from '../../src/hosts/releases.ts';
import type { PostfixEndpoint } from '../../src/postfix/endpoints.ts';
import { hasFeature } from '../../src/postfix/parameters.ts';
import { SourceFile } from '../../src/text/source.ts';
import { type Root, roots } from './roots.ts';
import { freePort, look, makeCertificate, scannedProtocols, startPostfix, surroundings } from './running.ts';

// One Postfix runs many listeners, each with overrides of its own. What pfharden says of each endpoint
// from the files alone is held against a scan and a dialogue with that port.

const LISTS = [
  '',
  '!SSLv2,!SSLv3',
  '!SSLv2,!SSLv3,!TLSv1',
  '!SSLv2,!SSLv3,!TLSv1,!TLSv1.1',
  'TLSv1.2',
  'TLSv1.2,TLSv1.3',
  '!SSLv2,!SSLv3,TLSv1,TLSv1.1,TLSv1.2',
  '>=TLSv1.2',
  '>=TLSv1',
  '<=TLSv1.2',
  '>=TLSv1.1,<=TLSv1.2',
  '>=0303',
  'TLSv1:TLSv1.3',
  '!SSLv3,!TLSv1.2',
  'SSLv3',
  '>=TLSv1.3,<=TLSv1.2',
  '>=TLSv1.0',
  'TLSv1_2',
  '!SSLv2,#,denying',
] as const;

/** Overrides by mode; the list that counts in it and the one that does not. */
const MODES = [
  {
    overrides: ['smtpd_tls_security_level=may'],
    list: 'smtpd_tls_protocols',
    other: 'smtpd_tls_mandatory_protocols',
  },
  {
    overrides: ['smtpd_tls_security_level=encrypt'],
    list: 'smtpd_tls_mandatory_protocols',
    other: 'smtpd_tls_protocols',
  },
  {
    overrides: ['smtpd_tls_wrappermode=yes'],
    list: 'smtpd_tls_mandatory_protocols',
    other: 'smtpd_tls_protocols',
  },
] as const;

/** Levels and authentication, with whatever protocols the release gives by default. */
const PLAIN_CASES: readonly (readonly string[])[] = [
  [],
  ['smtpd_tls_security_level=none'],
  ['smtpd_tls_security_level=MAY'],
  ['smtpd_tls_security_level=verify'],
  ['smtpd_tls_security_level=dane'],
  ['smtpd_use_tls=yes'],
  ['smtpd_enforce_tls=yes'],
  ['smtpd_enforce_tls=yes', 'smtpd_tls_security_level=may'],
  ['smtpd_tls_security_level=may', 'smtpd_tls_cert_file='],
  ['smtpd_tls_security_level=encrypt', 'smtpd_tls_cert_file='],
  ['smtpd_tls_security_level=may', 'smtpd_sasl_auth_enable=yes'],
  ['smtpd_tls_security_level=may', 'smtpd_sasl_auth_enable=yes', 'smtpd_tls_auth_only=yes'],
  ['smtpd_tls_security_level=encrypt', 'smtpd_sasl_auth_enable=yes'],
  ['smtpd_tls_wrappermode=yes', 'smtpd_sasl_auth_enable=yes'],
  ['smtpd_tls_security_level=none', 'smtpd_sasl_auth_enable=yes'],
  ['smtpd_tls_security_level=none', 'smtpd_sasl_auth_enable=yes', 'smtpd_tls_auth_only=yes'],
  ['smtpd_tls_security_level=verify', 'smtpd_sasl_auth_enable=yes'],
  ['smtpd_tls_security_level=may', 'smtpd_tls_mandatory_protocols=TLSv1_2'],
];

const full = process.env.PFHARDEN_FULL !== undefined;

/** Without --full every third list of a mode, moved on by one from release to release, so that all are seen. */
function cases(turn: number): readonly string[][] {
  const byList = MODES.flatMap(({ overrides, list, other }, mode) =>
    LISTS.filter((_, index) => full || (index + mode + turn) % 3 === 0).map((value) => [
      ...overrides,
      `${list}=${value}`,
      `${other}=!SSLv2,!SSLv3`,
    ]),
  );
  return [...byList, ...PLAIN_CASES.map((overrides) => [...overrides])];
}

const BASE_SERVICES = [
  'pickup unix n - n 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'proxymap unix - - n - - proxymap',
  'anvil unix - - n - 1 anvil',
  'postlog unix-dgram n - n - 1 postlogd',
];

function hostOf(root: Root, main: string, master: string): readonly PostfixEndpoint[] {
  const mainFile = new SourceFile('main.cf', main);
  const masterFile = new SourceFile('master.cf', master);
  const host = buildHost({
    root: '.',
    postfix: { directory: '.', main: mainFile, master: masterFile },
    dovecot: null,
    releases: decideReleases({
      main: mainFile,
      master: masterFile,
      flags: { postfix: root.postfix, openssl: root.openssl },
    }),
    open: () => null,
  });
  return host.postfix?.endpoints ?? [];
}

let compared = 0;
afterAll(() => {
  process.stdout.write(`endpoints held against running servers: ${compared}\n`);
});

describe.each(
  roots().map((root, turn) => ({ name: `${root.release}, Postfix ${root.postfix}`, root, turn })),
)('$name', ({ root, turn }) => {
  it('speaks on each port what the files say', async () => {
    const folder = `/tmp/pfh-${process.pid}-ports`;
    const outside = path.join(root.path, folder);
    makeCertificate(path.join(outside, 'cert.pem'));
    const listeners = await Promise.all(
      cases(turn).map(async (overrides) => ({ overrides, port: await freePort() })),
    );
    const main = [
      'compatibility_level = 2',
      `smtpd_tls_cert_file = ${folder}/cert.pem`,
      'smtpd_relay_restrictions = reject_unauth_destination',
      ...Object.entries(surroundings(root, folder)).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n');
    const master = [
      ...listeners.flatMap(({ overrides, port }) => [
        `127.0.0.1:${port} inet n - n - - smtpd`,
        ...overrides.map((override) => `  -o ${override}`),
      ]),
      ...BASE_SERVICES,
      '',
    ].join('\n');
    fs.writeFileSync(path.join(outside, 'main.cf'), main);
    fs.writeFileSync(path.join(outside, 'master.cf'), master);
    const endpoints = hostOf(root, main, master);
    const postfix = await startPostfix(
      root,
      folder,
      listeners.map(({ port }) => port),
    );
    try {
      const differences: unknown[] = [];
      const queue = [...listeners];
      const worker = async (): Promise<void> => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const { overrides, port } = next;
          const endpoint = endpoints.find((candidate) => candidate.port === port);
          if (endpoint === undefined) throw new Error(`no endpoint on ${port}`);
          const implicit = endpoint.tls.mode === 'implicit';
          const seen = await look(port, implicit);
          const protocols =
            implicit || seen.starttlsReply === '220' ? await scannedProtocols(port, implicit) : [];
          const dead = endpoint.fault === 'invalid-level';
          const predicted = {
            answers: !dead,
            starttls: endpoint.tls.mode === 'opportunistic' || endpoint.tls.mode === 'required',
            protocols: endpoint.tls.protocols,
            authBeforeTls: endpoint.auth.beforeTls === null && !dead,
            authAfterTls: endpoint.auth.afterTls === null,
          };
          const met = {
            answers: implicit
              ? protocols.length === 0 || seen.greeting !== ''
              : seen.greeting.startsWith('220'),
            starttls: seen.starttls,
            protocols,
            authBeforeTls: seen.authBeforeTls,
            // A handshake that this machine's client cannot make says nothing of AUTH.
            authAfterTls: seen.authAfterTls ?? predicted.authAfterTls,
          };
          compared++;
          if (JSON.stringify(predicted) !== JSON.stringify(met))
            differences.push({ overrides, predicted, met });
        }
      };
      await Promise.all([worker(), worker(), worker(), worker()]);
      expect(differences).toEqual([]);
      expect(hasFeature(root.postfix, 'protocolRange')).toBe(root.release !== 'bullseye');
    } finally {
      await postfix.stop();
    }
  });
});
