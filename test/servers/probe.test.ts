import { type ChildProcess, execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { EndpointAuth, TlsMode } from '../../src/model/endpoint.ts';
import { PROTOCOLS, type Protocol } from '../../src/model/protocol.ts';
import { comparePort } from '../../src/probe/compare.ts';
import { configuredPorts } from '../../src/probe/configured.ts';
import type { ProbedEndpoint } from '../../src/probe/endpoint.ts';
import { probe } from '../../src/probe/probe.ts';
import type { ProbeTarget } from '../../src/probe/session.ts';
import { SUITES } from '../../src/probe/suites.ts';
import { surroundings as dovecotSurroundings, isOld } from '../support/dovecot-text.ts';
import { hostFromTexts } from '../support/host.ts';
import { inRoot, type Root, roots } from './roots.ts';
import { freePort, startPostfix, surroundings } from './running.ts';
import { makeHome, startDovecot } from './running-dovecot.ts';

// What the prober sees of a port is held against two programs that ask in other ways: `openssl s_client` of
// the same release, which is given one suite at a time and finishes the handshake, and sslscan.

const full = process.env.PFHARDEN_FULL !== undefined;

/** Suites by number, of one protocol. */
type Seen = Readonly<Partial<Record<Protocol, readonly string[]>>>;

/** Names in alphabetical order, but for those that come in the server's. */
interface Expected {
  readonly protocols?: readonly Protocol[];
  readonly keyTypes?: readonly string[];
  readonly groups?: readonly string[];
  readonly fields?: ProbedEndpoint['fields'];
  readonly preference?: ProbedEndpoint['preference'];
}

const byText = (a: string, b: string): number => (a < b ? -1 : 1);

/** A server of openssl(1) and what is special about it. */
interface Case {
  readonly what: string;
  readonly args: readonly string[];
  /** What must be seen beside what the other programs see. */
  readonly expected?: Expected;
  /** OpenSSL releases that have what the arguments ask for; all by default. */
  readonly only?: (root: Root) => boolean;
}

/** Diffie-Hellman parameters that no standard names, of `openssl dhparam 2048`. */
const OWN_FIELD = `-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEAwbdgckAg5NS/C5y6k+klFpKCcYDa17hXW2vNkqIq60dHzZ54Deju
AqnoUgMrxyBk7W7CtpIJWUQHaws94rN/gwblWObj1R6c0+09AjBCaZ7UqExVLIng
B9C1MJ9TjtNPqipSOg7DIpl7b51j03YYPfqOtx18GM0H9C8JLgZdmPnU1Z2bduSd
R4ZHXkDc0k8G4qGpSUjepYUXneiVN981bPb2CBPLyESwZrUuYW35Ntq6KbhEiJxt
o9Cr8A9HqCyg23Eak4VSKXX5Ez+9ZDe8bCgnxUYEdDB1VN0QUC7B0Xy2E8opNQLv
CniOd8ZL6fgMrtXk/vVV8TMn6oqUcvkNBwIBAg==
-----END DH PARAMETERS-----
`;

const RSA = ['-cert', '{rsa}.crt', '-key', '{rsa}.key'];
const ECDSA = ['-cert', '{ec}.crt', '-key', '{ec}.key'];
const BOTH = [...RSA, '-dcert', '{ec}.crt', '-dkey', '{ec}.key'];
const EVERYTHING = ['-cipher', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'];
const MODERN: readonly Protocol[] = ['TLSv1.2', 'TLSv1.3'];
const newer = ({ release }: Root): boolean => release !== 'bullseye';

const CASES: readonly Case[] = [
  {
    what: 'defaults',
    args: [...RSA, '-no_tls1', '-no_tls1_1'],
    expected: { keyTypes: ['RSA'], preference: { 'TLSv1.2': 'client', 'TLSv1.3': 'client' } },
  },
  {
    what: 'everything, both key types, server preference',
    args: [...BOTH, ...EVERYTHING, '-serverpref'],
    expected: { keyTypes: ['ECDSA', 'RSA'] },
  },
  { what: 'everything, both key types, client preference', args: [...BOTH, ...EVERYTHING] },
  { what: 'ECDSA alone', args: [...ECDSA, ...EVERYTHING, '-serverpref'], expected: { keyTypes: ['ECDSA'] } },
  {
    what: 'Ed25519',
    args: ['-cert', '{ed}.crt', '-key', '{ed}.key'],
    expected: { keyTypes: ['Ed25519'], protocols: MODERN },
  },
  {
    what: 'DSA',
    args: ['-cert', '{dsa}.crt', '-key', '{dsa}.key', ...EVERYTHING, '-serverpref'],
    expected: { keyTypes: ['DSA'] },
  },
  { what: 'no certificate', args: ['-nocert'], expected: { protocols: [], keyTypes: [] } },
  {
    what: 'no certificate, anonymous suites',
    args: ['-nocert', ...EVERYTHING, '-serverpref'],
    expected: { keyTypes: [] },
  },
  {
    what: 'no certificate and a group that no key share is sent for',
    args: ['-nocert', '-curves', 'P-384', ...EVERYTHING],
    expected: { protocols: ['TLSv1', 'TLSv1.1', 'TLSv1.2'] },
  },
  {
    what: 'anonymous and null suites alone',
    args: [...RSA, '-cipher', 'aNULL:eNULL:@SECLEVEL=0', '-serverpref', '-no_tls1_3'],
  },
  { what: 'null suites', args: [...RSA, '-cipher', 'eNULL:@SECLEVEL=0', '-no_tls1_3'] },
  { what: 'no Diffie-Hellman', args: [...RSA, ...EVERYTHING, '-no_dhe', '-serverpref'] },
  {
    what: 'a field of its own',
    args: [...RSA, '-cipher', 'DHE:@SECLEVEL=0', '-dhparam', '{dh}.pem', '-tls1_2'],
    expected: { fields: [{ bits: 2048, name: null }] },
  },
  {
    what: 'pre-shared keys',
    args: ['-nocert', '-psk', '1a2b3c', '-cipher', 'PSK:@SECLEVEL=0', '-no_tls1_3', '-serverpref'],
  },
  { what: 'TLSv1', args: [...BOTH, ...EVERYTHING, '-tls1'], expected: { protocols: ['TLSv1'] } },
  {
    what: 'TLSv1.1',
    args: [...BOTH, ...EVERYTHING, '-tls1_1', '-serverpref'],
    expected: { protocols: ['TLSv1.1'] },
  },
  { what: 'TLSv1.2', args: [...RSA, '-tls1_2'], expected: { protocols: ['TLSv1.2'] } },
  {
    what: 'TLSv1.3 with other suites',
    args: [
      ...RSA,
      '-tls1_3',
      '-ciphersuites',
      'TLS_AES_128_CCM_8_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256',
      '-serverpref',
    ],
    expected: { protocols: ['TLSv1.3'], preference: { 'TLSv1.3': 'server' } },
  },
  {
    what: 'two groups',
    args: [...RSA, '-curves', 'P-521:X448'],
    expected: { groups: ['TLSv1.2 secp521r1', 'TLSv1.2 x448', 'TLSv1.3 secp521r1', 'TLSv1.3 x448'] },
  },
  {
    what: 'one group',
    args: [...RSA, '-curves', 'P-256'],
    expected: { groups: ['TLSv1.2 secp256r1', 'TLSv1.3 secp256r1'] },
  },
  { what: 'one suite', args: [...RSA, '-cipher', 'ECDHE-RSA-AES128-SHA:@SECLEVEL=0', '-no_tls1_3'] },
  {
    what: 'camellia and aria',
    args: [...BOTH, '-cipher', 'CAMELLIA:ARIA:@SECLEVEL=0', '-no_tls1_3', '-serverpref'],
    only: newer,
  },
];

/** A listener of Postfix and what has to be seen of it beside its suites. */
interface PostfixCase {
  readonly overrides: readonly string[];
  readonly mode: TlsMode;
  readonly auth: EndpointAuth;
  readonly decides: 'client' | 'server';
}

const NO_AUTH: EndpointAuth = { beforeTls: [], afterTls: [] };
const MECHANISMS = ['PLAIN', 'LOGIN'];

const POSTFIX_CASES: readonly PostfixCase[] = [
  {
    overrides: ['smtpd_tls_security_level=may'],
    mode: 'opportunistic',
    auth: NO_AUTH,
    decides: 'client',
  },
  {
    overrides: ['smtpd_tls_security_level=encrypt', 'smtpd_sasl_auth_enable=yes'],
    mode: 'required',
    auth: { beforeTls: [], afterTls: MECHANISMS },
    decides: 'client',
  },
  {
    overrides: ['smtpd_tls_wrappermode=yes', 'smtpd_sasl_auth_enable=yes', 'tls_preempt_cipherlist=yes'],
    mode: 'implicit',
    auth: { beforeTls: [], afterTls: MECHANISMS },
    decides: 'server',
  },
  {
    overrides: [
      'smtpd_tls_security_level=may',
      'smtpd_sasl_auth_enable=yes',
      'tls_preempt_cipherlist=yes',
      'smtpd_tls_ciphers=export',
      'smtpd_tls_protocols=!SSLv2',
      'smtpd_tls_eccert_file={home}/ec.crt',
      'smtpd_tls_eckey_file={home}/ec.key',
    ],
    mode: 'opportunistic',
    auth: { beforeTls: MECHANISMS, afterTls: MECHANISMS },
    decides: 'server',
  },
  {
    overrides: ['smtpd_tls_security_level=may', 'smtpd_tls_ciphers=null', 'smtpd_tls_protocols=!SSLv2'],
    mode: 'opportunistic',
    auth: NO_AUTH,
    decides: 'client',
  },
  {
    overrides: [
      'smtpd_tls_security_level=may',
      'smtpd_tls_cert_file=none',
      'smtpd_tls_key_file=',
      'smtpd_tls_protocols=!SSLv2',
    ],
    mode: 'opportunistic',
    auth: NO_AUTH,
    decides: 'client',
  },
  {
    overrides: ['smtpd_tls_security_level=none', 'smtpd_sasl_auth_enable=yes'],
    mode: 'none',
    auth: { beforeTls: MECHANISMS, afterTls: null },
    decides: 'client',
  },
];

/** A configuration of Dovecot in the languages of 2.3 and 2.4. */
interface DovecotCase {
  readonly what: string;
  readonly settings: Readonly<Record<'old' | 'new', readonly string[]>>;
  readonly decides: 'client' | 'server';
}

const DOVECOT_CASES: readonly DovecotCase[] = [
  {
    // 2.3 picks DHE suites then and cannot use them.
    what: 'without Diffie-Hellman parameters',
    settings: {
      old: ['ssl_cert = <{home}/rsa.crt', 'ssl_key = <{home}/rsa.key'],
      new: ['ssl_server_cert_file = {home}/rsa.crt', 'ssl_server_key_file = {home}/rsa.key'],
    },
    decides: 'client',
  },
  {
    what: 'with the server’s order, everything and both keys',
    settings: {
      old: [
        'ssl_cert = <{home}/rsa.crt',
        'ssl_key = <{home}/rsa.key',
        'ssl_alt_cert = <{home}/ec.crt',
        'ssl_alt_key = <{home}/ec.key',
        'ssl_dh = <{home}/dh.pem',
        'ssl_prefer_server_ciphers = yes',
        'ssl_min_protocol = TLSv1',
        'ssl_cipher_list = ALL:@SECLEVEL=0',
      ],
      new: [
        'ssl_server_cert_file = {home}/rsa.crt',
        'ssl_server_key_file = {home}/rsa.key',
        'ssl_server_alt_cert_file = {home}/ec.crt',
        'ssl_server_alt_key_file = {home}/ec.key',
        'ssl_server_dh_file = {home}/dh.pem',
        'ssl_server_prefer_ciphers = server',
        'ssl_min_protocol = TLSv1',
        'ssl_cipher_list = ALL:@SECLEVEL=0',
      ],
    },
    decides: 'server',
  },
];

/** Listeners on ports of their own, on loopback alone. */
function listenersOf({ imap, imaps, pop3 }: Readonly<Record<'imap' | 'imaps' | 'pop3', number>>): string[] {
  return [
    'listen = 127.0.0.1',
    'protocols = imap pop3',
    'service imap-login {',
    `  inet_listener imap {\n    port = ${imap}\n  }`,
    `  inet_listener imaps {\n    port = ${imaps}\n  }`,
    '}',
    'service pop3-login {',
    `  inet_listener pop3 {\n    port = ${pop3}\n  }`,
    '  inet_listener pop3s {\n    port = 0\n  }',
    '}',
  ];
}

/** The certificates of a folder, by the paths that configurations there name. */
function certificatesOf(root: Root, folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ['rsa.crt', 'rsa.key', 'ec.crt', 'ec.key', 'dh.pem'].map((name) => {
      const file = `${folder}/${name}`;
      return [file, fs.readFileSync(path.join(root.path, file), 'utf8')];
    }),
  );
}

const POSTFIX_SERVICES = [
  'pickup unix n - n 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'proxymap unix - - n - - proxymap',
  'anvil unix - - n - 1 anvil',
  'postlog unix-dgram n - n - 1 postlogd',
];

/** Makes keys and certificates in a folder of the root. */
function makeKeys(root: Root, folder: string): void {
  const make = (args: readonly string[]): void => {
    const { status, stderr } = inRoot(root, ['openssl', ...args]);
    if (status !== 0) throw new Error(stderr);
  };
  const subject = ['-nodes', '-x509', '-days', '30', '-subj', '/CN=mail.example.org'];
  const self = (name: string, key: readonly string[]): void =>
    make(['req', ...subject, ...key, '-keyout', `${folder}/${name}.key`, '-out', `${folder}/${name}.crt`]);
  self('rsa', ['-newkey', 'rsa:2048']);
  self('ec', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']);
  self('ed', ['-newkey', 'ed25519']);
  make(['dsaparam', '-out', `${folder}/dsa.pem`, '1024']);
  self('dsa', ['-newkey', `dsa:${folder}/dsa.pem`]);
  fs.writeFileSync(path.join(root.path, folder, 'dh.pem'), OWN_FIELD);
}

/** Runs one `openssl s_server` for a task. MinProtocol of the distribution's openssl.cnf is not asked for. */
async function withServer<T>(
  root: Root,
  folder: string,
  args: readonly string[],
  task: (port: number) => Promise<T>,
): Promise<T> {
  const port = await freePort();
  const filled = args.map((arg) => arg.replace(/\{(\w+)\}/, `${folder}/$1`));
  const server: ChildProcess = spawn(
    'chroot',
    [root.path, 'openssl', 's_server', '-accept', String(port), '-quiet', ...filled],
    { stdio: ['pipe', 'ignore', 'pipe'], env: { PATH: process.env.PATH, OPENSSL_CONF: '/dev/null' } },
  );
  let complaint = '';
  server.stderr?.on('data', (data) => {
    complaint = `${complaint}${data}`.slice(-2000);
  });
  try {
    await listening(
      port,
      () => server.exitCode !== null,
      () => complaint,
    );
    return await task(port);
  } finally {
    server.kill('SIGKILL');
  }
}

async function listening(port: number, dead: () => boolean, why: () => string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (dead()) throw new Error(`s_server ended: ${why()}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error(`nothing listens on ${port}: ${why()}`);
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      { timeout: 60_000, env: { PATH: process.env.PATH, OPENSSL_CONF: '/dev/null' } },
      // Both programs end with an error where a handshake fails; what they have written still counts.
      (_, stdout, stderr) => resolve(`${stdout}${stderr}`),
    );
    child.stdin?.end();
  });
}

const FLAGS: readonly (readonly [Protocol, string])[] = [
  ['TLSv1', '-tls1'],
  ['TLSv1.1', '-tls1_1'],
  ['TLSv1.2', '-tls1_2'],
  ['TLSv1.3', '-tls1_3'],
];

/** Every suite of the release with its number, as its own program lists them. */
function librarySuites(
  root: Root,
): readonly { readonly id: string; readonly name: string; readonly tls13: boolean }[] {
  const all =
    'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256';
  const { stdout } = inRoot(root, [
    'openssl',
    'ciphers',
    '-V',
    '-ciphersuites',
    all,
    'ALL:COMPLEMENTOFALL:@SECLEVEL=0',
  ]);
  return [...stdout.matchAll(/0x(..),0x(..) - (\S+)\s+(\S+)/g)].map(
    ([, high = '', low = '', name = '', protocol]) => ({
      id: high + low,
      name,
      tls13: protocol === 'TLSv1.3',
    }),
  );
}

/** Asks with `openssl s_client`, one suite of one protocol at a time. */
async function byClient(root: Root, port: number, extra: readonly string[]): Promise<Seen> {
  const found: Partial<Record<Protocol, string[]>> = {};
  const questions = FLAGS.flatMap(([protocol, flag]) =>
    librarySuites(root)
      .filter(({ tls13 }) => tls13 === (protocol === 'TLSv1.3'))
      .map((suite) => ({ protocol, flag, suite })),
  );
  const worker = async (): Promise<void> => {
    for (let next = questions.shift(); next !== undefined; next = questions.shift()) {
      const { protocol, flag, suite } = next;
      const choice = suite.tls13 ? ['-ciphersuites', suite.name] : ['-cipher', `${suite.name}:@SECLEVEL=0`];
      const args = ['s_client', '-connect', `127.0.0.1:${port}`, flag, ...choice, ...extra];
      const output = await run('chroot', [root.path, 'openssl', ...args]);
      if (new RegExp(`Cipher is ${suite.name}$`, 'm').test(output)) (found[protocol] ??= []).push(suite.id);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  return sorted(found);
}

/** Asks with sslscan. */
async function byScanner(port: number, extra: readonly string[]): Promise<Seen> {
  const only = [
    '--no-heartbleed',
    '--no-compression',
    '--no-fallback',
    '--no-renegotiation',
    '--no-groups',
    '--no-check-certificate',
  ];
  const output = await run('sslscan', ['--xml=-', ...only, ...extra, `127.0.0.1:${port}`]);
  const found: Partial<Record<Protocol, string[]>> = {};
  for (const [, version, id = ''] of output.matchAll(
    /<cipher status="\w+" sslversion="([^"]+)".*? id="0x([0-9A-F]+)"/g,
  )) {
    const protocol = (version === 'TLSv1.0' ? 'TLSv1' : version) as Protocol;
    (found[protocol] ??= []).push(id);
  }
  return sorted(found);
}

const idOf = new Map(SUITES.map(({ name, id }) => [name, id.toString(16).toUpperCase().padStart(4, '0')]));

function byProbe({ tls }: ProbedEndpoint): Seen {
  const found: Partial<Record<Protocol, string[]>> = {};
  for (const { protocol, name } of tls.ciphers) (found[protocol] ??= []).push(idOf.get(name) ?? name);
  return sorted(found);
}

function sorted(found: Readonly<Partial<Record<Protocol, string[]>>>): Seen {
  return Object.fromEntries(
    PROTOCOLS.flatMap((protocol) =>
      found[protocol] === undefined ? [] : [[protocol, [...new Set(found[protocol])].sort()]],
    ),
  );
}

let ports = 0;
let suites = 0;
let milliseconds = 0;
let slowest = 0;

async function probed(target: Omit<ProbeTarget, 'host'>): Promise<ProbedEndpoint> {
  const seen = await probe({ host: '127.0.0.1', ...target });
  ports++;
  suites += seen.tls.ciphers.length;
  milliseconds += seen.milliseconds;
  slowest = Math.max(slowest, seen.milliseconds);
  return seen;
}

afterAll(() => {
  const mean = Math.round(milliseconds / Math.max(1, ports));
  process.stdout.write(
    `ports probed: ${ports}, suites seen: ${suites}, mean ${mean} ms, slowest ${slowest} ms\n`,
  );
});

describe.each(
  roots().map((root, turn) => ({ name: `${root.release}, OpenSSL ${root.openssl}`, root, turn })),
)('$name', ({ root, turn }) => {
  const folder = `/tmp/pfh-${process.pid}-probe`;
  beforeAll(() => {
    fs.mkdirSync(path.join(root.path, folder), { recursive: true });
    makeKeys(root, folder);
  });
  afterAll(() => fs.rmSync(path.join(root.path, folder), { recursive: true, force: true }));

  it('has every suite of the release in the table', () => {
    const missing = librarySuites(root).filter(({ id, name }) => idOf.get(name) !== id);
    expect(missing).toEqual([]);
  });

  it.each(CASES.filter(({ only }) => only?.(root) ?? true).map((each, index) => ({ ...each, index })))(
    'openssl s_server: $what',
    async ({ args, expected, index }) => {
      await withServer(root, folder, args, async (port) => {
        const seen = await probed({ port, starttls: null, spoken: null });
        const met: Required<Expected> = {
          protocols: seen.tls.protocols,
          keyTypes: seen.certificates.map(({ keyType }) => keyType ?? '').sort(byText),
          groups: seen.groups.map(({ protocol, name }) => `${protocol} ${name}`).sort(byText),
          fields: seen.fields,
          preference: seen.preference,
        };
        expect({ ...met, ...expected }).toEqual(met);
        const ours = byProbe(seen);
        const psk = args.includes('-psk') ? ['-psk', '1a2b3c'] : [];
        // Both are slow: without --full each release has its turn with a sixth of the cases for each program.
        const oneByOne = full || psk.length > 0 || (index + turn) % 6 === 0;
        const client = oneByOne ? await byClient(root, port, psk) : ours;
        // sslscan has no key to share, so its library offers none of these suites.
        const scans = psk.length === 0 && (full || (index + turn) % 6 === 3);
        const scanner = scans ? await byScanner(port, []) : ours;
        expect({ client, scanner }).toEqual({ client: ours, scanner: ours });
      });
    },
  );

  it('Postfix: sees on each listener what sslscan sees', async () => {
    const home = `/tmp/pfh-${process.pid}-probe-postfix`;
    const outside = path.join(root.path, home);
    fs.cpSync(path.join(root.path, folder), outside, { recursive: true });
    const listeners = await Promise.all(
      POSTFIX_CASES.map(async (each) => ({ ...each, port: await freePort() })),
    );
    const main = {
      compatibility_level: '2',
      smtpd_tls_cert_file: `${home}/rsa.crt`,
      smtpd_tls_key_file: `${home}/rsa.key`,
      smtpd_relay_restrictions: 'reject_unauth_destination',
      ...surroundings(root, home),
    };
    const master = [
      ...listeners.flatMap(({ overrides, port }) => [
        `127.0.0.1:${port} inet n - n - - smtpd`,
        ...overrides.map((override) => `  -o ${override.replaceAll('{home}', home)}`),
      ]),
      ...POSTFIX_SERVICES,
      '',
    ].join('\n');
    const text = Object.entries(main).map(([name, value]) => `${name} = ${value}\n`);
    fs.writeFileSync(path.join(outside, 'main.cf'), text.join(''));
    fs.writeFileSync(path.join(outside, 'master.cf'), master);
    const releases = { postfix: root.postfix, openssl: root.openssl };
    const files = { 'main.cf': text.join(''), 'master.cf': master, ...certificatesOf(root, home) };
    const configured = configuredPorts(hostFromTexts(files, releases));
    // What the files would say if somebody had changed them since.
    const changed = master.replaceAll('smtpd_tls_security_level=encrypt', 'smtpd_tls_security_level=none');
    const stale = configuredPorts(hostFromTexts({ ...files, 'master.cf': changed }, releases));
    const postfix = await startPostfix(
      root,
      home,
      listeners.map(({ port }) => port),
    );
    try {
      for (const { overrides, port, mode, auth, decides } of listeners) {
        const implicit = mode === 'implicit';
        const seen = await probed({ port, starttls: implicit ? null : 'smtp', spoken: 'smtp' });
        const { tls, preference } = seen;
        const kinds = [...new Set(Object.values(preference))];
        expect({ overrides, mode: tls.mode, auth: seen.auth, decides: kinds }).toEqual({
          overrides,
          mode,
          auth,
          decides: tls.ciphers.length > 0 ? [decides] : [],
        });
        const faults = mode === 'none' ? ['no-starttls'] : [];
        expect(seen.faults.map(({ kind }) => kind)).toEqual(faults);
        const { differences } = comparePort(seen, configured);
        expect({ overrides, differences }).toEqual({ overrides, differences: [] });
        const later = comparePort(seen, stale);
        expect(later.differences.map(({ what }) => what)).toEqual(
          mode === 'required' ? ['mode', 'auth', 'auth'] : [],
        );
        const scanned = mode === 'none' ? {} : await byScanner(port, implicit ? [] : ['--starttls-smtp']);
        expect({ overrides, seen: byProbe(seen) }).toEqual({ overrides, seen: scanned });
      }
    } finally {
      await postfix.stop();
    }
  });

  it.each(DOVECOT_CASES)('Dovecot, $what: sees what openssl s_client sees', async ({ settings, decides }) => {
    const home = makeHome(root);
    fs.cpSync(path.join(root.path, folder), home.outside, { recursive: true });
    const at = { imap: await freePort(), imaps: await freePort(), pop3: await freePort() };
    const dialect = isOld(root.dovecot) ? 'old' : 'new';
    const own = settings[dialect].map((line) => line.replaceAll('{home}', home.inside));
    const text = [dovecotSurroundings(root.dovecot, home.inside), ...own, ...listenersOf(at), ''].join('\n');
    fs.writeFileSync(path.join(home.outside, 'dovecot.conf'), text);
    const dovecot = await startDovecot(root, home, Object.values(at));
    try {
      expect({ failed: dovecot.failed, log: dovecot.failed ? dovecot.log() : '' }).toEqual({
        failed: false,
        log: '',
      });
      const seen = await probed({ port: at.imaps, starttls: null, spoken: 'imap' });
      expect({ complete: seen.complete, faults: seen.complete ? [] : seen.faults }).toEqual({
        complete: true,
        faults: [],
      });
      expect([...new Set(Object.values(seen.preference))]).toEqual([decides]);
      const ours = byProbe(seen);
      // Dovecot makes a process for each connection: one suite at a time takes long.
      expect(full || turn % 2 === 1 ? await byClient(root, at.imaps, []) : ours).toEqual(ours);
      for (const name of ['imap', 'pop3'] as const) {
        const inClear = await probed({ port: at[name], starttls: name });
        expect({ name, seen: byProbe(inClear) }).toEqual({ name, seen: ours });
        expect(inClear.auth.afterTls).toEqual(['PLAIN']);
      }
      const files = { 'dovecot.conf': text, ...certificatesOf(root, home.inside) };
      const host = hostFromTexts(files, { dovecot: root.dovecot, openssl: root.openssl });
      expect(comparePort(seen, configuredPorts(host)).differences).toEqual([]);
    } finally {
      await dovecot.stop();
    }
  });
});
