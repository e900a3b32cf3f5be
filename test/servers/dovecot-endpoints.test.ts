/**
 * What pfharden says of Dovecot's ports from the files alone, held against running servers: which ports are
 * open, protocols and suites, capabilities before and after TLS, and whether a login in the clear is taken,
 * from the same machine and from another.
 *
 * A fixed part of the cases without PFHARDEN_FULL, moved on from release to release, and all with it.
 * PFHARDEN_RECORD=1 writes what was seen to test/recorded/dovecot-ports/, for test/dovecot/ports.test.ts.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { DovecotServerEndpoint } from '../../src/dovecot/endpoints.ts';
import { probe } from '../../src/probe/probe.ts';
import { SourceFile } from '../../src/text/source.ts';
import { CASES, type Case, PORT_NAMES, type PortName } from '../support/dovecot-cases.ts';
import {
  clientsOf,
  isProbed,
  type Predicted,
  predict,
  predictedPort,
  type SeenFrom,
  type SeenPort,
  type SeenServer,
  spokenBy,
  suitesByProtocol,
} from '../support/dovecot-ports.ts';
import { readRecorded, writeRecorded } from '../support/dovecot-recorded.ts';
import { textOf } from '../support/dovecot-text.ts';
import { type Root, roots } from './roots.ts';
import { freePort } from './running.ts';
import {
  answers,
  type Client,
  type Home,
  login,
  look,
  makeHome,
  makeKeyPair,
  startDovecot,
} from './running-dovecot.ts';

const full = process.env.PFHARDEN_FULL !== undefined;

/** Every n-th case in a run that is not full. */
const STEP = 9;

/** Milliseconds that a port may take: a machine that is busy must not change what is seen. */
const TOTAL = 600_000;

const recordings = path.join(import.meta.dirname, '..', 'recorded', 'dovecot-ports');

const counts = { configurations: 0, refused: 0, ports: 0, suites: 0, dialogues: 0, logins: 0 };

afterAll(() => {
  console.log(
    `Dovecot: ${counts.configurations} configurations, ${counts.refused} of them refused; ${counts.ports} ports, ` +
      `${counts.suites} suites, ${counts.dialogues} capability lists and ${counts.logins} logins compared`,
  );
});

function opener(root: Root): (name: string) => SourceFile | null {
  return (name) => {
    const file = path.join(root.path, name);
    const isFile = fs.existsSync(file) && fs.statSync(file).isFile();
    return isFile ? new SourceFile(name, fs.readFileSync(file, 'utf8')) : null;
  };
}

/** Asks one listener all that is predicted of it. */
async function see(endpoint: DovecotServerEndpoint, one: Case): Promise<SeenPort> {
  const { tls, port, open, context } = endpoint;
  const spoken = spokenBy(endpoint);
  const host = open.addresses[0] ?? '127.0.0.1';
  const names = context.localName === undefined ? {} : { serverName: context.localName };
  const expected = predictedPort(endpoint, one);
  let suites: SeenPort['suites'] = null;
  if (isProbed(endpoint)) {
    const starttls = tls.mode === 'implicit' ? null : spoken;
    const result = await probe({ host, port: port ?? 0, starttls, ...names, totalMs: TOTAL });
    if (!result.complete && Object.keys(expected.suites ?? {}).length > 0) {
      // What was not asked is not what the server has not.
      throw new Error(`${endpoint.id}: ${result.faults.map(({ text }) => text).join('; ')}`);
    }
    suites = suitesByProtocol(result.tls.ciphers, tls.preference === 'server');
    counts.suites += result.tls.ciphers.length;
  }
  const clients: Record<string, SeenFrom> = {};
  if (spoken === 'imap' || spoken === 'pop3') {
    const begin = tls.mode === 'implicit' ? 'implicit' : 'none';
    for (const from of clientsOf(endpoint, one)) {
      const client = { protocol: spoken, host, port: port ?? 0, from, tls: begin, ...names } as const;
      clients[from] = await seeFrom({ ...client, inVain: expected.clients[from]?.answer === false });
    }
  }
  return { suites, clients };
}

async function seeFrom(client: Client): Promise<SeenFrom> {
  const seen = await look(client);
  counts.dialogues++;
  if (seen === null) return { answer: false };
  const first = {
    answer: true,
    mechanisms: seen.mechanisms.toSorted(),
    starttls: seen.starttls,
    challenge: /<.*@.*>/.test(seen.greeting),
    ...(client.protocol === 'imap' ? { login: seen.login } : {}),
    plain: (await login(client)) === true,
  };
  counts.logins++;
  if (!seen.starttls) return first;
  const secured: Client = { ...client, tls: 'starttls' };
  const after = await look(secured);
  counts.dialogues++;
  if (after === null) return { ...first, tls: false };
  counts.logins++;
  return {
    ...first,
    tls: true,
    behind: after.mechanisms.toSorted(),
    plainBehind: (await login(secured)) === true,
  };
}

/** Runs a configuration and asks everything; `failed` is what the server said where it was not to be refused. */
async function run(
  root: Root,
  home: Home,
  one: Case,
  ports: Readonly<Record<PortName, number>>,
  { refused, servers }: Predicted,
): Promise<{ readonly seen: SeenServer; readonly failed: string }> {
  const expected = refused
    ? []
    : servers.filter(({ filter }) => filter === null).map(({ port }) => port ?? 0);
  const host = servers[0]?.open.addresses[0] ?? '127.0.0.1';
  const server = await startDovecot(root, home, expected, host);
  counts.configurations++;
  try {
    if (server.failed) {
      counts.refused++;
      return {
        seen: { refused: true, open: [], ports: {} },
        failed: refused ? '' : server.log().slice(-500),
      };
    }
    const open: PortName[] = [];
    for (const name of PORT_NAMES) {
      const at = servers.find(({ port }) => port === ports[name])?.open.addresses[0] ?? host;
      if (await answers(ports[name], at)) open.push(name);
      counts.ports++;
    }
    const seen: Record<string, SeenPort> = {};
    for (const endpoint of servers) seen[endpoint.id] = await see(endpoint, one);
    return { seen: { refused: false, open, ports: seen }, failed: '' };
  } finally {
    await server.stop();
  }
}

describe.each(roots().map((root, turn) => [root.dovecot, root, turn] as const))(
  'Dovecot %s',
  (_, root, turn) => {
    // Made when the first case runs: one that is not run leaves nothing behind.
    let files: Home = { inside: '', outside: '' };
    const recorded: Record<string, SeenServer> = {};
    beforeAll(() => {
      files = makeHome(root);
      makeKeyPair(root, files, 'rsa', 'rsa');
      makeKeyPair(root, files, 'ec', 'ec');
      for (const name of ['dh1024.pem', 'dh2048.pem']) {
        fs.copyFileSync(path.join(import.meta.dirname, 'data', name), path.join(files.outside, name));
      }
      fs.writeFileSync(path.join(files.outside, 'empty.pem'), '');
    });
    afterAll(() => {
      fs.rmSync(files.outside, { recursive: true, force: true });
      if (!process.env.PFHARDEN_RECORD) return;
      const file = path.join(recordings, `${root.dovecot}.json`);
      const known = fs.existsSync(file) ? readRecorded(fs.readFileSync(file, 'utf8')) : {};
      const all = CASES.flatMap(({ name }) => {
        const seen = recorded[name] ?? known[name];
        return seen === undefined ? [] : [[name, seen] as const];
      });
      fs.mkdirSync(recordings, { recursive: true });
      fs.writeFileSync(file, writeRecorded(Object.fromEntries(all)));
    });

    const chosen = CASES.filter((__, at) => full || (at + 2 * turn) % STEP === 0);
    test.each(chosen.map((one) => [one.name, one] as const))('%s', async (__, one) => {
      const ports = {} as Record<PortName, number>;
      for (const name of PORT_NAMES) ports[name] = await freePort();
      const home = makeHome(root);
      const text = textOf(root.dovecot, home.inside, one, { files: files.inside, ports });
      fs.writeFileSync(path.join(home.outside, 'dovecot.conf'), text);
      const main = new SourceFile(`${home.inside}/dovecot.conf`, text);
      const predicted = predict(main, opener(root), root.dovecot, root.openssl);
      const { seen, failed } = await run(root, home, one, ports, predicted);
      recorded[one.name] = seen;
      const { refused, servers } = predicted;
      const open = PORT_NAMES.filter((name) => servers.some(({ port }) => port === ports[name]));
      expect({ ...seen, failed }).toEqual(
        refused
          ? { refused, open: [], ports: {}, failed: '' }
          : {
              refused,
              open,
              ports: Object.fromEntries(
                servers.map((endpoint) => [endpoint.id, predictedPort(endpoint, one)]),
              ),
              failed: '',
            },
      );
    });
  },
);
