import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { buildHost, type Host } from '../../src/hosts/host.ts';
import { decideReleases } from '../../src/hosts/releases.ts';
import type { EndpointTls } from '../../src/model/endpoint.ts';
import { PROTOCOLS, type Protocol } from '../../src/model/protocol.ts';
import { destinationTls } from '../../src/postfix/client-tls.ts';
import { probe } from '../../src/probe/probe.ts';
import { SourceFile } from '../../src/text/source.ts';
import { suitesOf } from '../../src/tls/suites.ts';
import { hostInputFromFolder, postfixCases, publishedFolder } from '../support/corpus.ts';
import { CLIENT_CASES, serverCases } from './cipher-cases.ts';
import { type Root, roots } from './roots.ts';
import { freePort, makeCertificate, startPostfix, surroundings } from './running.ts';

// What pfharden says of the suites of each port, from the files alone, against what a running server
// takes; and what it says of clients against the client hellos that they send.

const full = process.env.PFHARDEN_FULL !== undefined;

const SERVICES = [
  'pickup unix n - n 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'trace unix - - n - 0 bounce',
  'error unix - - n - - error',
  'retry unix - - n - - error',
  'proxymap unix - - n - - proxymap',
  'anvil unix - - n - 1 anvil',
  'postlog unix-dgram n - n - 1 postlogd',
];

/** Keys and certificates are made once, for all releases. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  rsa: ['-newkey', 'rsa:2048'],
  rsa1024: ['-newkey', 'rsa:1024'],
  p256: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  brainpool: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:brainpoolP256r1'],
  ed25519: ['-newkey', 'ed25519'],
  dsa: ['-newkey', `dsa:${path.join(__dirname, 'data', 'dsa2048.pem')}`],
};

/** A folder in a root with all files that the settings name. */
function prepare(root: Root, name: string): { folder: string; outside: string } {
  const folder = `/tmp/pfh-${process.pid}-${name}`;
  const outside = path.join(root.path, folder);
  fs.mkdirSync(outside, { recursive: true });
  for (const [kind, key] of Object.entries(KEYS)) makeCertificate(path.join(outside, `${kind}.pem`), key);
  const certificate = fs.readFileSync(path.join(outside, 'rsa.pem'), 'utf8');
  fs.writeFileSync(path.join(outside, 'rsa.crt.pem'), certificate.replace(/^[^]*?(?=-----BEGIN CERT)/, ''));
  for (const file of fs.readdirSync(path.join(__dirname, 'data')))
    fs.copyFileSync(path.join(__dirname, 'data', file), path.join(outside, file));
  return { folder, outside };
}

function mainOf(root: Root, folder: string, more: readonly string[]): string {
  return [
    'compatibility_level = 2',
    `smtpd_tls_cert_file = ${folder}/rsa.pem`,
    ...more,
    ...Object.entries(surroundings(root, folder)).map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n');
}

/** Lines of master.cf for a service with overrides. */
function serviceLines(line: string, overrides: readonly string[], folder: string): string[] {
  return [
    line,
    ...overrides.map((override) => {
      const text = override.replaceAll('{folder}', folder);
      return text.includes(' ') ? `  -o { ${text.replace('=', ' = ')} }` : `  -o ${text}`;
    }),
  ];
}

/** The host as pfharden reads it, with the files that it names in the root. */
function hostOf(root: Root, main: string, master: string): Host {
  const mainFile = new SourceFile('main.cf', main);
  const masterFile = new SourceFile('master.cf', master);
  return buildHost({
    ...hostInputFromFolder(root.path),
    postfix: { directory: '.', main: mainFile, master: masterFile },
    releases: decideReleases({
      main: mainFile,
      master: masterFile,
      flags: { postfix: root.postfix, openssl: root.openssl },
    }),
    open: (file) => {
      const place = path.join(root.path, file);
      return fs.existsSync(place) ? new SourceFile(file, fs.readFileSync(place, 'utf8')) : null;
    },
  });
}

/** Names by protocol, sorted where the client's order decides. */
function shape(tls: EndpointTls, ordered: boolean): Readonly<Partial<Record<Protocol, readonly string[]>>> {
  const entries = PROTOCOLS.flatMap((protocol) => {
    const names = (tls.ciphers ?? [])
      .filter((cipher) => cipher.protocol === protocol)
      .map(({ name }) => name);
    return names.length === 0 ? [] : [[protocol, ordered ? names : names.toSorted()] as const];
  });
  return Object.fromEntries(entries);
}

/** Settings of TLS in recipes that were published and in the corpus, as overrides of one smtpd each. */
function recipes(): readonly (readonly string[])[] {
  const folders = [
    ...['root-server-2014', 'hoster-2017', 'legacy-2019', 'router-2014', 'submission-2015'].flatMap(
      (name) => publishedFolder(name) ?? [],
    ),
    ...(full ? postfixCases().map(({ folder }) => folder) : []),
  ];
  const found = new Map<string, readonly string[]>();
  for (const folder of folders) {
    const { postfix: host } = buildHost(
      hostInputFromFolder(folder, { postfix: '3.5.25', openssl: '1.1.1w' }),
    );
    const settings = (host?.configuration.settings() ?? []).flatMap((setting) => {
      const kept =
        /^(smtpd_tls_(mandatory_)?(ciphers|exclude_ciphers|protocols)|smtpd_tls_eecdh_grade|tls_.*(cipherlist|curves?))$/;
      const value = host?.configuration.value(setting.name) ?? '';
      // What goes into master.cf on one line: no comment in the middle, no reference.
      return setting.kind === 'main' && kept.test(setting.name) && !/[$#{}\n]/.test(value)
        ? [`${setting.name}=${value.replace(/\s+/g, ' ')}`]
        : [];
    });
    if (settings.length > 0) found.set(settings.toSorted().join('\n'), settings);
  }
  return [...found.values()].flatMap((settings) => [
    ['smtpd_tls_security_level=may', ...settings],
    ['smtpd_tls_wrappermode=yes', ...settings],
  ]);
}

/** Without --full every fourth case, moved on by one from release to release. */
function chosen<Case>(cases: readonly Case[], turn: number): readonly Case[] {
  return cases.filter((_, index) => full || (index + turn) % 4 === 0);
}

const compared = { endpoints: 0, suites: 0, clients: 0, offered: 0 };
afterAll(() => {
  const { endpoints, suites, clients, offered } = compared;
  process.stdout.write(
    `ports held against running servers: ${endpoints} with ${suites} suites; clients: ${clients} with ${offered} suites\n`,
  );
});

const each = roots().map((root, turn) => ({ name: `${root.release}, Postfix ${root.postfix}`, root, turn }));

describe.each(each)('$name', ({ root, turn }) => {
  it('takes on each port the suites that the files say', async () => {
    const { folder, outside } = prepare(root, 'suites');
    const cases = chosen([...serverCases(root), ...recipes()], turn);
    const listeners = await Promise.all(
      cases.map(async (overrides) => ({ overrides, port: await freePort() })),
    );
    const main = mainOf(root, folder, ['smtpd_relay_restrictions = reject_unauth_destination']);
    const master = [
      ...listeners.flatMap(({ overrides, port }) =>
        serviceLines(`127.0.0.1:${port} inet n - n - - smtpd`, overrides, folder),
      ),
      ...SERVICES,
      '',
    ].join('\n');
    fs.writeFileSync(path.join(outside, 'main.cf'), main);
    fs.writeFileSync(path.join(outside, 'master.cf'), master);
    const endpoints = hostOf(root, main, master).postfix?.endpoints ?? [];
    const postfix = await startPostfix(
      root,
      folder,
      listeners.map(({ port }) => port),
    );
    try {
      expect(await differences(listeners, endpoints)).toEqual([]);
    } finally {
      await postfix.stop();
    }
  });

  it('takes behind postscreen what tlsproxy is told', async () => {
    const { folder, outside } = prepare(root, 'proxied');
    // postscreen lets each connection wait.
    const all = [
      [],
      [
        'tlsproxy_tls_security_level=encrypt',
        'tlsproxy_tls_mandatory_ciphers=high',
        'tls_preempt_cipherlist=yes',
      ],
      ['tlsproxy_tls_exclude_ciphers=aNULL, kRSA', 'tlsproxy_tls_protocols=!SSLv2,!SSLv3,!TLSv1'],
      ['tlsproxy_tls_security_level=none'],
      ['smtpd_tls_cert_file={folder}/p256.pem', 'smtpd_tls_ask_ccert=yes'],
    ];
    const cases = all.filter((_, index) => full || (index + turn) % 3 === 0);
    const listeners = await Promise.all(
      cases.map(async (overrides) => ({ overrides, port: await freePort() })),
    );
    const main = mainOf(root, folder, [
      'smtpd_tls_security_level = may',
      'smtpd_relay_restrictions = reject_unauth_destination',
      'postscreen_cache_map =',
      'postscreen_access_list =',
      'postscreen_greet_wait = 1s',
      // Only who is tested further speaks to postscreen itself.
      'postscreen_bare_newline_enable = yes',
    ]);
    const master = [
      ...listeners.flatMap(({ overrides, port }, index) => [
        `127.0.0.1:${port} inet n - n - 1 postscreen`,
        `  -o tlsproxy_service_name=proxy${index}`,
        ...serviceLines(`proxy${index} unix - - n - 0 tlsproxy`, overrides, folder),
      ]),
      'smtpd pass - - n - - smtpd',
      'dnsblog unix - - n - 0 dnsblog',
      ...SERVICES,
      '',
    ].join('\n');
    fs.writeFileSync(path.join(outside, 'main.cf'), main);
    fs.writeFileSync(path.join(outside, 'master.cf'), master);
    const endpoints = (hostOf(root, main, master).postfix?.endpoints ?? []).filter(
      ({ family }) => family === 'tlsproxy',
    );
    const postfix = await startPostfix(
      root,
      folder,
      listeners.map(({ port }) => port),
    );
    try {
      expect(await differences(listeners, endpoints)).toEqual([]);
    } finally {
      await postfix.stop();
    }
  });

  it('offers from each client the suites that the files say', async () => {
    const { folder, outside } = prepare(root, 'clients');
    const inbound = await freePort();
    const cases = await Promise.all(
      CLIENT_CASES.map(async (one, index) => ({ ...one, name: `c${index}`, port: await freePort() })),
    );
    const main = mainOf(root, folder, [
      'smtpd_relay_restrictions = permit_mynetworks, reject',
      'mynetworks = 127.0.0.0/8',
      'mydestination =',
      `transport_maps = texthash:${folder}/transport`,
      `smtp_tls_policy_maps = texthash:${folder}/policy`,
    ]);
    const master = [
      `127.0.0.1:${inbound} inet n - n - - smtpd`,
      ...cases.flatMap(({ name, overrides, program = 'smtp' }) =>
        serviceLines(`${name} unix - - n - - ${program}`, overrides, folder),
      ),
      ...SERVICES,
      '',
    ].join('\n');
    fs.writeFileSync(path.join(outside, 'main.cf'), main);
    fs.writeFileSync(path.join(outside, 'master.cf'), master);
    fs.writeFileSync(
      path.join(outside, 'transport'),
      cases
        .map(({ name, port, program }) => {
          const place = `${program === undefined ? '' : 'inet:'}[127.0.0.1]:${port}`;
          return `${name}.example.org ${name}:${place}\n`;
        })
        .join(''),
    );
    fs.writeFileSync(
      path.join(outside, 'policy'),
      cases
        .map(({ port, policy }) => (policy === undefined ? '' : `[127.0.0.1]:${port} ${policy}\n`))
        .join(''),
    );
    const { postfix: host } = hostOf(root, main, master);
    if (host === null) throw new Error('no Postfix');
    const postfix = await startPostfix(root, folder, [inbound]);
    const hellos = cases.map(({ port, overrides }) =>
      helloAt(port, overrides.includes('smtp_tls_wrappermode=yes'), 20_000),
    );
    try {
      await send(
        inbound,
        cases.map(({ name }) => `user@${name}.example.org`),
      );
      const seen = await Promise.all(hellos);
      const wrong: unknown[] = [];
      for (const [index, { name, port, overrides, policy }] of cases.entries()) {
        const endpoint = host.endpoints.find(({ service }) => service.name === name);
        if (endpoint === undefined) throw new Error(`no endpoint ${name}`);
        const details = destinationTls(host.configuration, endpoint, `[127.0.0.1]:${port}`);
        if (details === null) throw new Error(`undecidable: ${policy}`);
        const predicted = onTheWire(details.tls);
        const met = seen[index] ?? null;
        const named = met === null ? null : named13(root, met);
        compared.clients++;
        compared.offered += named?.suites.length ?? 0;
        if (JSON.stringify(predicted) !== JSON.stringify(named))
          wrong.push({ overrides, policy, predicted, named });
      }
      expect(wrong).toEqual([]);
    } finally {
      await postfix.stop();
    }
  });
});

/** Where a port takes other protocols or suites than its endpoint says. */
async function differences(
  listeners: readonly { readonly overrides: readonly string[]; readonly port: number }[],
  endpoints: NonNullable<Host['postfix']>['endpoints'],
): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  const queue = [...listeners];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { overrides, port } = next;
      const endpoint = endpoints.find((candidate) => candidate.port === port);
      if (endpoint === undefined) throw new Error(`no endpoint on ${port}`);
      const starttls = endpoint.tls.mode === 'implicit' ? null : 'smtp';
      const { tls, preference } = await probe({ host: '127.0.0.1', port, starttls });
      const ordered = endpoint.tls.preference === 'server';
      const predicted = { protocols: endpoint.tls.protocols, ciphers: shape(endpoint.tls, ordered) };
      const met = { protocols: tls.protocols, ciphers: shape(tls, ordered) };
      const deciders = Object.values(preference).filter((one) => one !== endpoint.tls.preference);
      compared.endpoints++;
      compared.suites += tls.ciphers.length;
      if (JSON.stringify(predicted) !== JSON.stringify(met) || deciders.length > 0)
        found.push({ overrides, fault: endpoint.fault, predicted, met, deciders });
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  return found;
}

/** What a client hello says. */
interface WireHello {
  /** From the extension; null where it has none, and the newest is all that it tells. */
  readonly versions: readonly number[] | null;
  readonly newest: number;
  readonly suites: readonly number[];
}

interface NamedHello {
  readonly protocols: readonly Protocol[];
  readonly suites: readonly string[];
}

const VERSION: ReadonlyMap<number, Protocol> = new Map([
  [0x300, 'SSLv3'],
  [0x301, 'TLSv1'],
  [0x302, 'TLSv1.1'],
  [0x303, 'TLSv1.2'],
  [0x304, 'TLSv1.3'],
]);

/** A hello without TLSv1.3 tells its newest protocol only. */
function onTheWire({ protocols, ciphers = [] }: EndpointTls): NamedHello | null {
  const newest = protocols.at(-1);
  if (newest === undefined) return null;
  const older = protocols.findLast((protocol) => protocol !== 'TLSv1.3');
  const of = (wanted: Protocol | undefined): string[] =>
    ciphers.filter(({ protocol }) => protocol === wanted).map(({ name }) => name);
  return newest === 'TLSv1.3'
    ? { protocols, suites: [...of('TLSv1.3'), ...of(older)] }
    : { protocols: [newest], suites: of(older) };
}

/** Signals in the place of suites: of renegotiation, and of a second try with less. */
const SIGNALS: ReadonlySet<number> = new Set([0x00ff, 0x5600]);

function named13(root: Root, { versions, newest, suites }: WireHello): NamedHello {
  const names = new Map(suitesOf(root.openssl).map(({ id, name }) => [id, name]));
  const numbers = versions ?? [newest];
  return {
    protocols: PROTOCOLS.filter((protocol) => numbers.some((number) => VERSION.get(number) === protocol)),
    suites: suites.filter((id) => !SIGNALS.has(id)).map((id) => names.get(id) ?? `0x${id.toString(16)}`),
  };
}

/** The first client hello that comes to a port; null where none comes. */
function helloAt(port: number, implicit: boolean, milliseconds: number): Promise<WireHello | null> {
  return new Promise((resolve) => {
    const sockets = new Set<net.Socket>();
    const server = net.createServer();
    const finish = (hello: WireHello | null): void => {
      clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      resolve(hello);
    };
    const timer = setTimeout(() => finish(null), milliseconds);
    server.on('connection', (socket) => {
      sockets.add(socket);
      let encrypted = implicit;
      let received = Buffer.alloc(0);
      socket.on('error', () => undefined);
      // A client that hangs up after STARTTLS without a word has nothing to say.
      socket.on('close', () => {
        if (encrypted) finish(null);
      });
      socket.on('data', (data: Buffer) => {
        received = Buffer.concat([received, data]);
        if (encrypted) {
          const hello = readHello(received);
          if (hello !== null) finish(hello);
          return;
        }
        const command = received.toString('latin1');
        if (!command.endsWith('\n')) return;
        received = Buffer.alloc(0);
        if (/^STARTTLS/i.test(command)) {
          encrypted = true;
          socket.write('220 go ahead\r\n');
        } else if (/^[EL]HLO/i.test(command)) socket.write('250-sink.example.org\r\n250 STARTTLS\r\n');
        else if (/^QUIT/i.test(command)) socket.end('221 bye\r\n');
        else socket.write('450 no\r\n');
      });
      if (!implicit) socket.write('220 sink.example.org ESMTP\r\n');
    });
    server.listen(port, '127.0.0.1');
  });
}

/** Reads a client hello; null while there is not enough of it. */
function readHello(bytes: Buffer): WireHello | null {
  if (bytes.length < 9 || bytes.length < 5 + bytes.readUInt16BE(3)) return null;
  const newest = bytes.readUInt16BE(9);
  let at = 43;
  at += 1 + bytes.readUInt8(at);
  const length = bytes.readUInt16BE(at);
  const suites: number[] = [];
  for (let end = at + length; at < end; ) {
    at += 2;
    suites.push(bytes.readUInt16BE(at));
  }
  at += 2;
  at += 1 + bytes.readUInt8(at);
  const end = 5 + bytes.readUInt16BE(3);
  let versions: number[] | null = null;
  for (at += 2; at + 4 <= end; at += 4 + bytes.readUInt16BE(at + 2)) {
    if (bytes.readUInt16BE(at) !== 43) continue;
    versions = [];
    for (let one = at + 5; one < at + 5 + bytes.readUInt8(at + 4); one += 2)
      versions.push(bytes.readUInt16BE(one));
  }
  return { versions, newest, suites };
}

/** Hands a message for all recipients to an smtpd. */
async function send(port: number, recipients: readonly string[]): Promise<void> {
  const commands = [
    'EHLO client.example.org',
    'MAIL FROM:<sender@example.org>',
    ...recipients.map((recipient) => `RCPT TO:<${recipient}>`),
    'DATA',
    'Subject: test\r\n\r\ntest\r\n.',
    'QUIT',
  ];
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = '';
    socket.on('error', reject);
    socket.on('close', () => (commands.length === 0 ? resolve() : reject(new Error(received))));
    socket.on('data', (data: Buffer) => {
      received += data.toString('latin1');
      if (!/^\d{3} [^\n]*\n$/m.test(received.slice(received.lastIndexOf('\n', received.length - 2) + 1)))
        return;
      if (/^[45]/m.test(received)) {
        socket.destroy();
        return;
      }
      received = '';
      const next = commands.shift();
      if (next !== undefined) socket.write(`${next}\r\n`);
    });
  });
}
