/**
 * A Postfix with many smtpd services, asked by a client from elsewhere whether it may send mail to a third
 * party. No message is sent: the dialogue ends after RCPT, and what would go out is discarded.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { buildHost } from '../../src/hosts/host.ts';
import { decideReleases } from '../../src/hosts/releases.ts';
import type { Person } from '../../src/postfix/admission.ts';
import type { PostfixConfiguration } from '../../src/postfix/configuration.ts';
import { type RelayVerdict, relayVerdict } from '../../src/postfix/relay.ts';
import type { Service } from '../../src/postfix/services.ts';
import { SourceFile } from '../../src/text/source.ts';
import type { Root } from './roots.ts';
import { freePort, startPostfix, surroundings } from './running.ts';

/** One smtpd: its settings, and its tables by name. */
export interface RelayService {
  readonly set: readonly string[];
  /** Settings of the trivial-rewrite(8) that it asks; left out: that of the host. */
  readonly rewrite?: readonly string[] | undefined;
  readonly tables?: Readonly<Record<string, string>> | undefined;
  /** Names of tables that pfharden does not get to see. */
  readonly hidden?: readonly string[];
}

/** A service that runs, and what pfharden says of it. */
export interface Judged {
  readonly port: number;
  readonly verdict: RelayVerdict;
  readonly configuration: PostfixConfiguration;
  readonly service: Service;
}

/** Where the client comes from. */
export const STRANGER = '127.9.9.9';

const MAIN = [
  'compatibility_level = 2',
  'mynetworks = 127.0.0.0/29',
  'mydestination = here.test',
  'local_recipient_maps =',
  'relay_domains =',
  'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
  'default_transport = discard:nothing leaves',
  'relay_transport = discard:nothing leaves',
  'local_transport = discard:nothing leaves',
  'smtpd_error_sleep_time = 0',
  'smtpd_hard_error_limit = 1000',
  'default_process_limit = 2000',
  'max_idle = 3s',
];

const SERVICES = [
  'cleanup unix n - n - 0 cleanup',
  'rewrite unix - - n - - trivial-rewrite',
  'proxymap unix - - n - - proxymap',
  'anvil unix - - n - 1 anvil',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'discard unix - - n - - discard',
  'postlog unix-dgram n - n - 1 postlogd',
];

/**
 * Runs services, and hands each with its verdict to the callback.
 *
 * @param label part of the name of their folder
 */
export async function withRelays(
  root: Root,
  label: string,
  services: readonly RelayService[],
  use: (judged: readonly Judged[]) => Promise<void>,
): Promise<void> {
  const folder = `/tmp/pfh-${process.pid}-${label}`;
  const outside = path.join(root.path, folder);
  fs.mkdirSync(outside, { recursive: true });
  const placed = [];
  for (const [index, service] of services.entries()) {
    const tables = `${folder}/t${index}`;
    fs.mkdirSync(path.join(root.path, tables));
    for (const [name, text] of Object.entries(service.tables ?? {}))
      fs.writeFileSync(path.join(root.path, tables, name), text);
    const place = (line: string): string => line.replaceAll('{T}', tables);
    const own = service.rewrite?.map(place);
    const set = [
      ...service.set.map(place),
      ...(own === undefined ? [] : [`rewrite_service_name = rewrite${index}`]),
    ];
    placed.push({ ...service, index, set, rewrite: own, folder: tables, port: await freePort() });
  }
  const main = [
    ...MAIN,
    ...Object.entries(surroundings(root, folder))
      .filter(([name]) => name !== 'alias_maps')
      .map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n');
  const master = [
    ...placed.flatMap(({ port, set }) => [
      `127.0.0.1:${port} inet n - n - - smtpd`,
      ...set.map((line) => `  -o { ${line} }`),
    ]),
    ...placed.flatMap(({ index, rewrite }) =>
      rewrite === undefined
        ? []
        : [`rewrite${index} unix - - n - - trivial-rewrite`, ...rewrite.map((line) => `  -o { ${line} }`)],
    ),
    ...SERVICES,
    '',
  ].join('\n');
  fs.writeFileSync(path.join(outside, 'main.cf'), main);
  fs.writeFileSync(path.join(outside, 'master.cf'), master);
  const hidden = new Set(placed.flatMap((one) => (one.hidden ?? []).map((name) => `${one.folder}/${name}`)));
  const configuration = configurationOf(root, main, master, (file) => {
    const real = path.join(root.path, file);
    return hidden.has(file) || !fs.existsSync(real)
      ? null
      : new SourceFile(file, fs.readFileSync(real, 'utf8'));
  });
  const judged = placed.map(({ port }) => {
    const service = configuration.services.find(({ name }) => name === `127.0.0.1:${port}`);
    if (service === undefined) throw new Error(`no service on ${port}`);
    const strangers = { addresses: [STRANGER], names: ['unknown'] };
    const verdict = relayVerdict(configuration, service, service, strangers);
    return { port, verdict, configuration, service };
  });
  const postfix = await startPostfix(
    root,
    folder,
    placed.map(({ port }) => port),
  );
  try {
    await use(judged);
  } finally {
    await postfix.stop();
  }
}

function configurationOf(
  root: Root,
  main: string,
  master: string,
  open: (file: string) => SourceFile | null,
): PostfixConfiguration {
  const files = { main: new SourceFile('main.cf', main), master: new SourceFile('master.cf', master) };
  const host = buildHost({
    root: '.',
    postfix: { directory: '.', ...files },
    dovecot: null,
    releases: decideReleases({ ...files, flags: { postfix: root.postfix, openssl: root.openssl } }),
    open,
  });
  if (host.postfix === null) throw new Error('no Postfix');
  return host.postfix.configuration;
}

/** What a client says. */
export type Words = Pick<Person, 'helo' | 'sender' | 'recipient'>;

/** How a client asks. */
export interface Manner {
  /** Milliseconds without an answer after which the server counts as dead. */
  readonly patience?: number | undefined;
  /** Its address. */
  readonly from?: string;
  /** Commands before all others. */
  readonly first?: readonly string[];
}

/**
 * Asks to send a message; hangs up before it is sent.
 *
 * @returns the code of the answer to RCPT, or of the first command that was refused; empty for no answer
 */
export function ask(
  port: number,
  { helo, sender, recipient }: Words,
  { patience = 15_000, from = STRANGER, first = [] }: Manner = {},
): Promise<string> {
  const commands = [
    ...first,
    ...(helo === null ? [] : [`EHLO ${helo}`]),
    `MAIL FROM:<${sender}>`,
    `RCPT TO:<${recipient}>`,
  ];
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port, localAddress: from });
    let buffer = '';
    let code = '';
    const end = (): void => {
      socket.destroy();
      resolve(code);
    };
    socket.setTimeout(patience, end);
    socket.on('error', end);
    socket.on('close', end);
    socket.on('data', (data: Buffer) => {
      buffer += data.toString('latin1');
      const reply = /^(?:\d{3}-[^\n]*\n)*(\d{3})[ \r][^\n]*\n/.exec(buffer);
      if (reply === null) return;
      buffer = buffer.slice(reply[0].length);
      code = reply[1] ?? '';
      const command = commands.shift();
      if (command === undefined || !code.startsWith('2')) end();
      else socket.write(`${command}\r\n`);
    });
  });
}

/** Runs a job for each item, some at a time. */
export async function each<Item>(items: readonly Item[], job: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await job(next);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}
