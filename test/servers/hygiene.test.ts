import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { buildHost } from '../../src/hosts/host.ts';
import { decideReleases } from '../../src/hosts/releases.ts';
import type { Finding } from '../../src/model/finding.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { SourceFile } from '../../src/text/source.ts';
import { each } from './relay-server.ts';
import { type Root, roots } from './roots.ts';
import { freePort, makeCertificate, startPostfix, surroundings } from './running.ts';

// Services with one fault each, and services that only look so: what pfharden reports of them from the files
// must be what a stranger is told, what he may do, and what the log and the postmaster get.

const RULES = [
  'vrfy',
  'helo-optional',
  'banner',
  'unlisted-recipient',
  'soft-bounce',
  'bounce-notices',
  'rate-limits',
  'tls-logging',
  'debug-left-on',
].map((name) => `postfix/${name}`);

/** One service: its settings, and the messages that it earns. */
interface Case {
  readonly set: readonly string[];
  readonly finds: readonly string[];
  /** Options behind the command. */
  readonly options?: string;
  /** A postscreen with these settings stands before it. */
  readonly screened?: readonly string[];
}

const KNOWN = 'inline:{ { joe@virt.example = x } }';

/** What a stranger sees in a dialogue. */
const DIALOGUES: readonly Case[] = [
  { set: [], finds: [] },
  { set: ['disable_vrfy_command=no'], finds: ['vrfy'] },
  {
    set: ['disable_vrfy_command=no', 'smtpd_client_restrictions=permit_sasl_authenticated,reject'],
    finds: [],
  },
  { set: ['disable_vrfy_command=no', 'smtpd_recipient_restrictions=reject'], finds: [] },
  { set: ['smtpd_helo_required=no'], finds: ['helo-optional'] },
  {
    set: ['smtpd_helo_required=no', 'disable_vrfy_command=No'],
    finds: ['helo-optional', 'vrfy'],
  },
  { set: ['smtpd_banner=$myhostname ESMTP $mail_name ($mail_version)'], finds: ['banner version'] },
  { set: ['smtpd_banner=$myhostname ESMTP $mail_name (Debian/GNU)'], finds: ['banner system'] },
  { set: ['smtpd_banner=Welcome'], finds: ['banner no-name'] },
  { set: ['smtpd_banner=$mydomain ESMTP'], finds: ['banner other-name'] },
  { set: ['smtpd_banner=mail.example.org'], finds: [] },
  { set: ['smtpd_banner=${myhostname} ready'], finds: [] },
  { set: ['smtpd_reject_unlisted_recipient=no'], finds: ['unlisted-recipient off'] },
  {
    set: ['smtpd_reject_unlisted_recipient=no', 'smtpd_recipient_restrictions=reject_unlisted_recipient'],
    finds: [],
  },
  {
    set: ['receive_override_options=no_unknown_recipient_checks'],
    finds: ['unlisted-recipient skipped'],
  },
  { set: ['receive_override_options=no_address_mappings'], finds: [] },
  { set: ['local_recipient_maps='], finds: ['unlisted-recipient local'] },
  { set: ['virtual_mailbox_maps='], finds: ['unlisted-recipient virtual'] },
  { set: ['relay_recipient_maps='], finds: ['unlisted-recipient relay'] },
  {
    set: ['relay_recipient_maps=', 'smtpd_recipient_restrictions=reject_unauth_destination,reject'],
    finds: [],
  },
  { set: ['virtual_alias_maps=texthash:{T}/wild'], finds: ['unlisted-recipient wildcard'] },
  { set: ['virtual_alias_maps=texthash:{T}/listed'], finds: [] },
  { set: ['soft_bounce=yes'], finds: ['soft-bounce'] },
  { set: ['soft_bounce=no'], finds: [] },
  { set: ['notify_classes=policy'], finds: ['bounce-notices transcript'] },
  { set: ['notify_classes=protocol'], finds: ['bounce-notices transcript'] },
  { set: ['notify_classes=bounce'], finds: ['bounce-notices bounce'] },
  { set: ['notify_classes=data,delay,resource,software'], finds: [] },
  { set: [], screened: ['postscreen_greet_banner=Please wait'], finds: ['banner no-name'] },
  { set: ['disable_vrfy_command=no'], screened: [], finds: ['vrfy'] },
  { set: ['smtpd_helo_required=no'], screened: ['postscreen_greet_banner='], finds: ['helo-optional'] },
];

const SASL = ['smtpd_sasl_auth_enable=yes', 'smtpd_hard_error_limit=100'];

/** How often a client may try. */
const ATTEMPTS: readonly Case[] = [
  { set: SASL, finds: ['rate-limits logins'] },
  { set: [...SASL, 'smtpd_client_auth_rate_limit=3'], finds: [] },
  { set: [...SASL, 'smtpd_client_connection_rate_limit=3'], finds: [] },
  {
    set: [...SASL, 'smtpd_client_auth_rate_limit=3', 'smtpd_client_event_limit_exceptions=0.0.0.0/0'],
    finds: ['rate-limits exceptions'],
  },
  {
    set: [...SASL, 'smtpd_client_auth_rate_limit=3', 'smtpd_client_event_limit_exceptions='],
    finds: [],
  },
];

const TLS = ['smtpd_tls_security_level=may', 'smtpd_sasl_auth_enable=yes', 'smtpd_client_auth_rate_limit=9'];

/** What stands in the log after a login. */
const LOGS: readonly Case[] = [
  { set: [...TLS, 'smtpd_tls_loglevel=1'], finds: [] },
  { set: [...TLS, 'smtpd_tls_loglevel=2'], finds: ['tls-logging debug'] },
  { set: [...TLS, 'smtpd_tls_loglevel=3'], finds: ['tls-logging handshake'] },
  { set: [...TLS, 'smtpd_tls_loglevel=4'], finds: ['tls-logging content'] },
  { set: [...TLS, 'smtpd_tls_loglevel=ssl-session-packet-dump'], finds: ['tls-logging content'] },
  { set: [...TLS, 'smtpd_tls_loglevel=untrusted,peercert'], finds: [] },
  { set: TLS, options: '-v', finds: ['debug-left-on passwords'] },
  { set: [...TLS, 'debug_peer_list=127.9.9.9'], finds: ['debug-left-on peers'] },
  { set: [...TLS, 'debug_peer_level=3'], finds: [] },
];

const MAIN = [
  'compatibility_level = 2',
  'mynetworks = 192.0.2.1',
  'mydomain = example.org',
  'mydestination = here.example',
  'local_recipient_maps = inline:{ { alice = x } }',
  'virtual_mailbox_domains = virt.example',
  `virtual_mailbox_maps = ${KNOWN}`,
  'relay_domains = relay.example',
  'relay_recipient_maps = inline:{ { joe@relay.example = x } }',
  'virtual_alias_domains = old.example',
  'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination',
  'disable_vrfy_command = yes',
  'smtpd_helo_required = yes',
  'smtpd_error_sleep_time = 0',
  'smtpd_peername_lookup = no',
  'default_process_limit = 2000',
  'postscreen_greet_wait = 1s',
  'max_idle = 3s',
  // What the postmaster gets stays in the queue, to be read there.
  'defer_transports = local',
  'maillog_file_prefixes = /tmp',
];

const SERVICES = [
  'pickup unix n - n 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'trace unix - - n - 0 bounce',
  'proxymap unix - - n - - proxymap',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'retry unix - - n - - error',
  'error unix - - n - - error',
  'local unix - n n - - local',
  'virtual unix - n n - - virtual',
  'postlog unix-dgram n - n - 1 postlogd',
];
const ANVIL = 'anvil unix - - n - 1 anvil';

const TABLES = {
  wild: '@old.example @relay.example\n',
  listed: 'joe@old.example joe@relay.example\n',
};

/** A case that runs. */
interface Running {
  readonly one: Case;
  readonly port: number;
  /** As pfharden sees it. */
  readonly reported: readonly string[];
}

interface Instance {
  readonly running: readonly Running[];
  readonly findings: readonly Finding[];
  /** All that is in the log so far. */
  readonly log: () => string;
  /** The messages in the queue. */
  readonly queue: () => readonly string[];
}

let instances = 0;

async function withServices(
  root: Root,
  { cases, main = MAIN, anvil = true }: { cases: readonly Case[]; main?: readonly string[]; anvil?: boolean },
  use: (instance: Instance) => Promise<void>,
): Promise<void> {
  const folder = `/tmp/pfh-${process.pid}-hygiene${instances++}`;
  const outside = path.join(root.path, folder);
  fs.mkdirSync(outside, { recursive: true });
  makeCertificate(path.join(outside, 'cert.pem'));
  for (const [name, text] of Object.entries(TABLES)) fs.writeFileSync(path.join(outside, name), text);
  const around = {
    ...surroundings(root, folder),
    maillog_file: `${folder}/mail.log`,
    smtpd_tls_cert_file: `${folder}/cert.pem`,
  };
  const mainText = [...main, ...Object.entries(around).map(([name, value]) => `${name} = ${value}`), ''].join(
    '\n',
  );
  const placed = await Promise.all(cases.map(async (one) => ({ one, port: await freePort() })));
  const override = (line: string): string => `  -o { ${line.replaceAll('{T}', folder)} }`;
  const lines = placed.map(({ one: { set, options = '', screened }, port }) => [
    ...(screened === undefined
      ? [`127.0.0.1:${port} inet n - n - - smtpd ${options}`.trimEnd()]
      : [
          `127.0.0.1:${port} inet n - n - 1 postscreen`,
          `  -o smtpd_service_name=behind${port}`,
          '  -o postscreen_cache_map=',
          ...screened.map(override),
          `behind${port} pass - - n - - smtpd`,
        ]),
    // Tells the lines of the log apart.
    override(`syslog_name=${port}`),
    ...set.map(override),
  ]);
  const masterText = [...lines.flat(), ...SERVICES, ...(anvil ? [ANVIL] : []), ''].join('\n');
  fs.writeFileSync(path.join(outside, 'main.cf'), mainText);
  fs.writeFileSync(path.join(outside, 'master.cf'), masterText);
  const findings = judge(root, outside, {
    // The same ports, open to the world.
    main: mainText.replace(/^inet_interfaces = .*$/m, 'inet_interfaces = all'),
    master: masterText.replaceAll('127.0.0.1:', ''),
  });
  let line = 1;
  const running = placed.map(({ one, port }, index) => {
    const from = line;
    line += lines[index]?.length ?? 0;
    return { one, port, reported: reportedOf(findings, port, from, line) };
  });
  const postfix = await startPostfix(
    root,
    folder,
    placed.map(({ port }) => port),
  );
  const read = (file: string): string => (fs.existsSync(file) ? fs.readFileSync(file, 'latin1') : '');
  try {
    await use({
      running,
      findings,
      log: () => read(path.join(outside, 'mail.log')),
      queue: () => queueFiles(path.join(outside, 'queue')).map(read),
    });
  } finally {
    await postfix.stop();
  }
}

function judge(root: Root, folder: string, texts: { main: string; master: string }): readonly Finding[] {
  const files = {
    main: new SourceFile('main.cf', texts.main),
    master: new SourceFile('master.cf', texts.master),
  };
  const host = buildHost({
    root: '.',
    postfix: { directory: '.', ...files },
    dovecot: null,
    releases: decideReleases({ ...files, flags: { postfix: root.postfix, openssl: root.openssl } }),
    open: (file) => {
      const real = path.join(folder, path.basename(file));
      return fs.existsSync(real) ? new SourceFile(file, fs.readFileSync(real, 'utf8')) : null;
    },
  });
  return evaluate(host, BUILTIN_RULES, builtinProfile('strict'), { only: new Set(RULES) });
}

/** The messages that pfharden has for a service: by its port, or by the lines in which it stands. */
function reportedOf(findings: readonly Finding[], port: number, from: number, to: number): readonly string[] {
  const own = new RegExp(`(?<!\\d)${port}(?!\\d)`);
  return findings
    .filter(({ endpoints, message, at }) => {
      if (endpoints.length > 0) return endpoints.some((id) => own.test(id));
      const { line } = at.source.position(at.span.start);
      return own.test(message) || (at.source.path === 'master.cf' && line >= from && line < to);
    })
    .map(({ rule, messageId }) => named(rule, messageId))
    .sort();
}

function named(rule: string, message: string): string {
  return `${rule.replace(/^postfix\//, '')}${message === 'default' ? '' : ` ${message}`}`;
}

function queueFiles(queue: string): readonly string[] {
  return ['incoming', 'active', 'deferred'].flatMap((name) => {
    const folder = path.join(queue, name);
    return fs.existsSync(folder)
      ? fs
          .readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name))
      : [];
  });
}

const PATIENCE = 15_000;

/** A stranger's connection: replies one by one. */
class Stranger {
  #socket: net.Socket;
  #buffer = '';
  #deliver: (() => void) | null = null;

  constructor(port: number) {
    this.#socket = net.connect({ host: '127.0.0.1', port, localAddress: '127.9.9.9' });
    this.#listen();
  }

  #listen(): void {
    const next = (): void => this.#deliver?.();
    this.#socket.on('data', (data: Buffer) => {
      this.#buffer += data.toString('latin1');
      next();
    });
    this.#socket.on('error', next);
    this.#socket.on('close', next);
    this.#socket.setTimeout(PATIENCE, () => this.#socket.destroy());
  }

  /** The next reply with all its lines; empty when the server is gone. */
  reply(): Promise<string> {
    return new Promise((resolve) => {
      this.#deliver = () => {
        const [found] = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/.exec(this.#buffer) ?? [];
        if (found === undefined && !this.#socket.destroyed) return;
        this.#deliver = null;
        this.#buffer = this.#buffer.slice(found?.length ?? 0);
        resolve(found ?? '');
      };
      this.#deliver();
    });
  }

  ask(command: string): Promise<string> {
    if (!this.#socket.destroyed) this.#socket.write(`${command}\r\n`);
    return this.reply();
  }

  async secure(): Promise<void> {
    await this.ask('STARTTLS');
    this.#socket.removeAllListeners();
    const socket = tls.connect({ socket: this.#socket, rejectUnauthorized: false });
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    this.#socket = socket;
    this.#listen();
  }

  /** Sends a command whose answer does not matter, and leaves. */
  leave(command: string): void {
    this.#socket.end(`${command}\r\n`);
  }
}

const UNKNOWN = ['nobody@here.example', 'nobody@virt.example', 'nobody@relay.example', 'nobody@old.example'];

/** What a stranger finds out about a service, in the names of the rules. */
async function seenBy(port: number, mark: string): Promise<readonly string[]> {
  const stranger = new Stranger(port);
  const greeting = await stranger.reply();
  const vrfy = await stranger.ask('VRFY alice@here.example');
  const early = await stranger.ask('MAIL FROM:<someone@else.example>');
  await stranger.ask('RSET');
  await stranger.ask(`EHLO ${mark}`);
  await stranger.ask('MAIL FROM:<someone@else.example>');
  const answers = [];
  for (const recipient of UNKNOWN) answers.push(await stranger.ask(`RCPT TO:<${recipient}>`));
  const foreign = await stranger.ask('RCPT TO:<someone@third.example>');
  await stranger.ask('NONSENSE');
  await stranger.ask('QUIT');
  const [first = ''] = /^220[ -](\S*)/.exec(greeting)?.slice(1) ?? [];
  const seen = {
    vrfy: vrfy.startsWith('252'),
    'helo-optional': early.startsWith('250'),
    banner: first !== 'mail.example.org' || /\d\.\d/.test(greeting) || greeting.includes('Debian'),
    'unlisted-recipient': answers.some((answer) => answer.startsWith('250')),
    'soft-bounce': foreign.startsWith('4'),
  };
  return Object.entries(seen)
    .filter(([, is]) => is)
    .map(([name]) => name);
}

/** Waits until something holds, or a while has passed. */
async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 50 && !holds(); attempt++)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

const rulesOf = (messages: readonly string[]): readonly string[] =>
  [...new Set(messages.map((message) => message.split(' ')[0] ?? ''))].sort();

let compared = 0;
afterAll(() => {
  process.stdout.write(`services held against what strangers, logs and postmasters get: ${compared}\n`);
});

const full = process.env.PFHARDEN_FULL !== undefined;
/** The oldest release and the newest; with --full all four. */
const chosen = roots().filter((_, index, { length }) => full || index === 0 || index === length - 1);

describe.each(chosen.map((root) => ({ name: `${root.release}, Postfix ${root.postfix}`, root })))(
  '$name',
  ({ root }) => {
    it('tells and allows strangers what is reported', async () => {
      await withServices(root, { cases: DIALOGUES }, async ({ running, queue }) => {
        expect(running.map(({ one, reported }) => ({ one, reported }))).toEqual(
          running.map(({ one }) => ({ one, reported: [...one.finds].sort() })),
        );
        const met = new Map<number, readonly string[]>();
        const mark = (port: number): string => `client${port}.example`;
        await each(running, async ({ port }) => {
          met.set(port, await seenBy(port, mark(port)));
        });
        const noticed = (port: number): boolean =>
          queue().some((text) => text.includes('Transcript of session') && text.includes(mark(port)));
        await until(() =>
          running.every(
            ({ port, reported }) => !rulesOf(reported).includes('bounce-notices') || noticed(port),
          ),
        );
        compared += running.length;
        expect(
          running.map(({ one, port }) => ({
            one,
            seen: [...(met.get(port) ?? []), ...(noticed(port) ? ['bounce-notices'] : [])].sort(),
          })),
        ).toEqual(running.map(({ one, reported }) => ({ one, seen: rulesOf(reported) })));
      });
    });

    it('counts what is not reported as uncounted', async () => {
      await withServices(root, { cases: ATTEMPTS }, async ({ running }) => {
        expect(running.map(({ reported }) => reported)).toEqual(running.map(({ one }) => one.finds));
        const unlimited: boolean[] = [];
        for (const { port } of running)
          unlimited.push((await attempts(port, 5)).every((code) => code === '535'));
        compared += running.length;
        expect(unlimited).toEqual(running.map(({ reported }) => reported.length > 0));
      });
    });

    it('counts nothing without anvil, and has the defaults that are reported', async () => {
      const main = MAIN.filter((line) => !/^(?:disable_vrfy|smtpd_helo)/.test(line));
      const cases: readonly Case[] = [
        { set: [...SASL, 'smtpd_client_auth_rate_limit=3'], finds: ['rate-limits no-anvil', 'vrfy'] },
        { set: [], finds: ['helo-optional', 'rate-limits no-anvil', 'vrfy'] },
      ];
      await withServices(root, { cases, main, anvil: false }, async ({ running, log }) => {
        expect(running.map(({ reported }) => reported)).toEqual(cases.map(({ finds }) => finds));
        const [login, plain] = running;
        if (login === undefined || plain === undefined) return;
        expect(await attempts(login.port, 4)).toEqual(['535', '535', '535', '535']);
        expect(await seenBy(plain.port, 'client.example')).toEqual(['vrfy', 'helo-optional']);
        expect(log()).toContain('warning: connect to private/anvil');
        compared += running.length;
      });
    });

    it('logs what is reported', async () => {
      await withServices(root, { cases: LOGS }, async ({ running, log }) => {
        expect(running.map(({ reported }) => reported)).toEqual(running.map(({ one }) => one.finds));
        const seen: string[][] = [];
        for (const { port } of running) {
          const stranger = new Stranger(port);
          await stranger.reply();
          await stranger.ask('EHLO client.example');
          await stranger.secure();
          await stranger.ask('EHLO client.example');
          stranger.leave(LOGIN);
        }
        const lines = (port: number): string =>
          log()
            .split('\n')
            .filter((line) => line.includes(` ${port}/smtpd[`))
            .join('\n');
        // The last line that a login leaves where it leaves any.
        await until(() => log().includes(`: ${LOGIN}`) && log().includes(`chars: ${LOGIN.slice(0, KEPT)}`));
        for (const { port } of running) seen.push([...logged(lines(port))]);
        compared += running.length;
        expect(seen).toEqual(running.map(({ reported }) => reported));
      });
    });
  },
);

/** A mechanism that nobody has: counted before it is looked at. */
async function attempts(port: number, count: number): Promise<readonly string[]> {
  const codes: string[] = [];
  for (let attempt = 0; attempt < count; attempt++) {
    const stranger = new Stranger(port);
    const greeting = await stranger.reply();
    if (greeting.startsWith('220')) {
      await stranger.ask('EHLO client.example');
      codes.push((await stranger.ask('AUTH NOBODY-HAS-IT')).slice(0, 3));
    } else codes.push(greeting.slice(0, 3));
    stranger.leave('QUIT');
  }
  return codes;
}

const LOGIN = `AUTH PLAIN ${Buffer.from('\0user@example.org\0SecretPassword').toString('base64')}`;

/** So much of each line is logged at level 4. */
const KEPT = 40;

/** What a log shows, in the names of the rules. */
function* logged(text: string): Iterable<string> {
  if (text.includes(`: ${LOGIN}`)) {
    // With -v a process logs long before it has a client.
    const early = text.slice(0, text.indexOf(': connect from')).split('\n').length;
    yield `debug-left-on ${early > 10 ? 'passwords' : 'peers'}`;
  }
  if (text.includes(`chars: ${LOGIN.slice(0, KEPT)}`)) yield 'tls-logging content';
  else if (text.includes(': read from ')) yield 'tls-logging handshake';
  else if (text.includes(': SSL_accept:')) yield 'tls-logging debug';
}
