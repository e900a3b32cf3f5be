/**
 * What pfharden says of Dovecot's endpoints from the files alone, held against running servers: which ports
 * are open, protocols and suites, capabilities before and after TLS, and whether a login in the clear is
 * taken, from the same machine and from another.
 *
 * A fixed part of the cases without PFHARDEN_FULL, moved on from release to release, and all with it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { DovecotConfiguration } from '../../src/dovecot/configuration.ts';
import { type DovecotServerEndpoint, dovecotEndpoints } from '../../src/dovecot/endpoints.ts';
import type { Protocol } from '../../src/model/protocol.ts';
import { probe } from '../../src/probe/probe.ts';
import { SourceFile } from '../../src/text/source.ts';
import { CASES, type Case, type Forms, PORT_NAMES, type PortName } from './dovecot-cases.ts';
import { type Root, roots } from './roots.ts';
import { freePort } from './running.ts';
import {
  answers,
  type Client,
  type Home,
  isOld,
  login,
  look,
  makeHome,
  makeKeyPair,
  startDovecot,
  surroundings,
} from './running-dovecot.ts';

const full = process.env.PFHARDEN_FULL !== undefined;

/** Every n-th case in a run that is not full. */
const STEP = 9;

const counts = { configurations: 0, ports: 0, suites: 0, dialogues: 0, logins: 0, refused: 0 };

afterAll(() => {
  console.log(
    `Dovecot: ${counts.configurations} configurations run, ${counts.refused} of them refused; ` +
      `${counts.ports} ports, ${counts.suites} suites, ${counts.dialogues} capability lists and ${counts.logins} logins compared`,
  );
});

/** The parameters that cases name; made once, because they take their time. */
const PARAMETERS = path.join(import.meta.dirname, '..', 'fixtures', 'dovecot');

function textOf(
  root: Root,
  home: Home,
  files: string,
  one: Case,
  ports: Readonly<Record<PortName, number>>,
): string {
  const old = isOld(root);
  const listener = (name: 'imap' | 'imaps' | 'pop3' | 'pop3s'): string =>
    [
      `  inet_listener ${name} {`,
      `    port = ${ports[name]}`,
      ...(one.listeners?.[name] ?? []).map((line) => `    ${line}`),
      '  }',
      '',
    ].join('\n');
  const pair = (name: string, which: '' | 'alt_'): string =>
    old
      ? `ssl_${which}cert = <${files}/${name}.crt\nssl_${which}key = <${files}/${name}.key\n`
      : `ssl_server_${which}cert_file = ${files}/${name}.crt\nssl_server_${which}key_file = ${files}/${name}.key\n`;
  const certificates = {
    rsa: pair('rsa', ''),
    ec: pair('ec', ''),
    both: pair('rsa', '') + pair('ec', 'alt_'),
    none: '',
  }[one.certificate ?? 'rsa'];
  const text = typeof one.text === 'function' ? one.text({ files, ports }) : (one.text ?? '');
  return [
    surroundings(root, home.inside),
    certificates,
    `protocols = ${one.protocols ?? 'imap pop3'}\n`,
    `listen = ${one.listen ?? '127.0.0.1'}\n`,
    `service imap-login {\n${listener('imap')}${listener('imaps')}}\n`,
    `service pop3-login {\n${listener('pop3')}${listener('pop3s')}}\n`,
    typeof text === 'string' ? text : (text as Forms)[old ? 'old' : 'new'],
  ].join('');
}

/** What pfharden makes of the files. */
function predict(
  root: Root,
  home: Home,
): { readonly refused: boolean; readonly servers: readonly DovecotServerEndpoint[] } {
  const open = (name: string): SourceFile | null => {
    const file = path.join(root.path, name);
    return fs.existsSync(file) && fs.statSync(file).isFile()
      ? new SourceFile(name, fs.readFileSync(file, 'utf8'))
      : null;
  };
  const main = open(`${home.inside}/dovecot.conf`);
  if (main === null) throw new Error('no dovecot.conf');
  const configuration = new DovecotConfiguration({
    main,
    files: { open, entries: () => null },
    release: { version: root.dovecot, versionFrom: 'flag', provenAtLeast: null },
  });
  const endpoints = dovecotEndpoints(configuration, { openssl: root.openssl, open });
  const servers = endpoints.filter((endpoint) => endpoint.side === 'server');
  const stops = servers.some(
    ({ fault, authFault, filter }) =>
      fault?.kind === 'content-as-path' || (filter === null && authFault?.kind === 'cleartext-conflict'),
  );
  return { refused: configuration.faults.length > 0 || stops, servers };
}

/** Suites by protocol; in the order of the server where that decides, else by name. */
function suites(
  ciphers: readonly { readonly protocol: Protocol; readonly name: string }[],
  ordered: boolean,
): Record<string, readonly string[]> {
  const byProtocol: Record<string, string[]> = {};
  for (const { protocol, name } of ciphers) (byProtocol[protocol] ??= []).push(name);
  for (const list of Object.values(byProtocol)) if (!ordered) list.sort();
  return byProtocol;
}

/** Everything that differs between an endpoint and its port. */
async function compare(endpoint: DovecotServerEndpoint, one: Case): Promise<string[]> {
  const differences: string[] = [];
  const { spoken, tls, auth, fault, authFault, port, filter, open } = endpoint;
  const same = (what: string, predicted: unknown, seen: unknown): void => {
    const [a, b] = [JSON.stringify(predicted), JSON.stringify(seen)];
    if (a !== b) differences.push(`${endpoint.id}: ${what}: predicted ${a}, seen ${b}`);
  };
  if (port === null) return differences;
  const host = open.addresses[0] ?? '127.0.0.1';
  const names =
    endpoint.connection.localName === undefined ? {} : { serverName: endpoint.connection.localName };
  const probed = spoken === 'imap' || spoken === 'pop3' || spoken === 'lmtp' ? spoken : null;
  // A probe comes from 127.0.0.1, and so sees what a filter for other machines leaves alone.
  if (tls.mode !== 'none' && probed !== null && filter?.remote == null) {
    const result = await probe({
      host,
      port,
      starttls: tls.mode === 'implicit' ? null : probed,
      ...names,
      timeoutMs: 5000,
    });
    const ordered = tls.preference === 'server';
    same('suites', suites(tls.ciphers ?? [], ordered), suites(result.tls.ciphers, ordered));
    counts.suites += result.tls.ciphers.length;
  }
  if (probed === null || probed === 'lmtp') return differences;

  const advertised = (list: readonly string[] | null): readonly string[] =>
    (list ?? []).filter((name) => name !== 'APOP').toSorted();
  const works = tls.mode !== 'none' && fault === null;
  const others =
    filter?.remote == null
      ? ['127.0.0.2', '127.0.0.1']
      : (one.clients?.flatMap(({ from }) => from ?? []) ?? []);
  for (const from of others) {
    const client: Client = {
      protocol: probed,
      host,
      port,
      from,
      tls: tls.mode === 'implicit' ? 'implicit' : 'none',
      ...names,
    };
    // The same machine is as good as TLS, but not where an authentication process is missing.
    const trusted = from === host;
    const all = auth.afterTls?.length ? auth.afterTls : knownMechanisms(endpoint);
    const plain = trusted
      ? authFault === null
        ? all.filter((name) => !name.endsWith('-PLUS'))
        : []
      : (auth.beforeTls ?? []);
    const offered = tls.mode === 'implicit' ? (auth.afterTls ?? []) : plain;
    const reachable = authFault === null && (tls.mode !== 'implicit' || works);
    const seen = await look(client);
    counts.dialogues++;
    same(`${from} gets an answer`, reachable, seen !== null);
    if (seen === null || !reachable) continue;
    same(`mechanisms for ${from}`, advertised(offered), seen.mechanisms.toSorted());
    same(`STARTTLS for ${from}`, tls.mode !== 'none' && tls.mode !== 'implicit', seen.starttls);
    // The challenge for APOP stands in the greeting, whether an answer would be taken or not.
    const challenge = probed === 'pop3' && knownMechanisms(endpoint).includes('APOP');
    same(`challenge for ${from}`, challenge, /<.*@.*>/.test(seen.greeting));
    const takes = offered.includes('PLAIN');
    same(`login for ${from}`, takes, seen.login);
    same(`PLAIN taken from ${from}`, takes, (await login(client)) === true);
    counts.logins++;
    if (tls.mode === 'none' || tls.mode === 'implicit') continue;
    const secured: Client = { ...client, tls: 'starttls' };
    const after = await look(secured);
    counts.dialogues++;
    same(`TLS for ${from}`, works, after !== null);
    if (after === null) continue;
    same(`mechanisms behind TLS for ${from}`, advertised(auth.afterTls), after.mechanisms.toSorted());
    same(
      `PLAIN taken behind TLS from ${from}`,
      (auth.afterTls ?? []).includes('PLAIN'),
      (await login(secured)) === true,
    );
    counts.logins++;
  }
  return differences;
}

/** All mechanisms that the protocol has a use for, where TLS does not tell them. */
function knownMechanisms({ mechanisms, spoken }: DovecotServerEndpoint): readonly string[] {
  return (mechanisms?.known ?? [])
    .filter(({ only }) => only === null || only === spoken)
    .map(({ name }) => name);
}

describe.each(roots().map((root, turn) => [root.dovecot, root, turn] as const))(
  'Dovecot %s',
  (_, root, turn) => {
    const files = makeHome(root);
    makeKeyPair(root, files, 'rsa', 'rsa');
    makeKeyPair(root, files, 'ec', 'ec');
    for (const name of fs.readdirSync(PARAMETERS)) {
      fs.copyFileSync(path.join(PARAMETERS, name), path.join(files.outside, name));
    }
    fs.writeFileSync(path.join(files.outside, 'empty.pem'), '');
    afterAll(() => fs.rmSync(files.outside, { recursive: true, force: true }));

    const chosen = CASES.filter((__, at) => full || (at + 2 * turn) % STEP === 0);
    test.each(chosen.map((one) => [one.name, one] as const))('%s', async (__, one) => {
      const ports = {} as Record<PortName, number>;
      for (const name of PORT_NAMES) ports[name] = await freePort();
      const home = makeHome(root);
      fs.writeFileSync(path.join(home.outside, 'dovecot.conf'), textOf(root, home, files.inside, one, ports));
      const { refused, servers } = predict(root, home);
      const expected = servers.filter(({ filter }) => filter === null).map(({ port }) => port ?? 0);
      const host = servers[0]?.open.addresses[0] ?? '127.0.0.1';
      const server = await startDovecot(root, home, refused ? [] : expected, host);
      counts.configurations++;
      try {
        expect({ refused: server.failed, log: server.failed ? server.log().slice(-500) : '' }).toEqual({
          refused,
          log: refused ? expect.any(String) : '',
        });
        if (refused) {
          counts.refused++;
          return;
        }
        for (const name of PORT_NAMES) {
          const at = servers.find((endpoint) => endpoint.port === ports[name])?.open.addresses[0] ?? host;
          expect([name, await answers(ports[name], at)]).toEqual([name, expected.includes(ports[name])]);
          counts.ports++;
        }
        const differences: string[] = [];
        for (const endpoint of servers) differences.push(...(await compare(endpoint, one)));
        expect(differences).toEqual([]);
      } finally {
        await server.stop();
      }
    });
  },
);
