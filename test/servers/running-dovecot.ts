/**
 * Runs a whole Dovecot in a reference root, on loopback, and asks it what a client sees.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { PASSWORD, USER } from '../support/dovecot-text.ts';
import { inRoot, type Root } from './roots.ts';

/** A Dovecot that runs, or did not start. */
export interface RunningDovecot {
  /** What its log says so far. */
  readonly log: () => string;
  /** It ended by itself before it was ready: its last words are in the log. */
  readonly failed: boolean;
  /** Ends it and removes what it left. */
  readonly stop: () => Promise<void>;
}

/** A folder of a root for one server. */
export interface Home {
  /** As the programs in the root see it. */
  readonly inside: string;
  /** As this process sees it. */
  readonly outside: string;
}

/** Makes an empty folder for a server; it goes away when the server stops. */
export function makeHome(root: Root): Home {
  const outside = fs.mkdtempSync(path.join(root.path, 'tmp', 'pfharden-'));
  fs.chmodSync(outside, 0o755);
  return { inside: `/${path.relative(root.path, outside)}`, outside };
}

/**
 * Starts a Dovecot on dovecot.conf of a folder.
 *
 * @param ports ports that will be open: the call returns when all of them answer, or the server has ended, or
 *   after a minute; without any it waits for the line in the log that says that it started
 */
export async function startDovecot(
  root: Root,
  home: Home,
  ports: readonly number[],
  host = '127.0.0.1',
): Promise<RunningDovecot> {
  for (const folder of ['run', 'state', 'mail']) {
    fs.mkdirSync(path.join(home.outside, folder), { recursive: true });
  }
  fs.chmodSync(path.join(home.outside, 'mail'), 0o777);
  const logFile = path.join(home.outside, 'log');
  const child = spawn('chroot', [root.path, 'dovecot', '-F', '-c', `${home.inside}/dovecot.conf`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', HOME: '/root' },
  });
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString('utf8');
  });
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString('utf8');
  });
  const log = (): string => said + (fs.existsSync(logFile) ? fs.readFileSync(logFile, 'utf8') : '');
  const ready = async (): Promise<boolean> => {
    // The ports are opened one after the other.
    for (const port of ports) if (!(await answers(port, host))) return false;
    return log().includes('starting up');
  };
  const end = Date.now() + PATIENCE;
  while (Date.now() < end && child.exitCode === null) {
    if (await ready()) break;
    await wait(50);
  }
  const failed = child.exitCode !== null;
  return { log, failed, stop: () => stop(child, home) };
}

/** Ends a master by its own process id; it ends the processes that it started. */
async function stop(child: ChildProcess, { outside }: Home): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    child.kill(signal);
    for (let attempt = 0; attempt < 100; attempt++) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      await wait(50);
    }
  }
  // A process that ends as well may still write into its folder.
  fs.rmSync(outside, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Whether something listens on a port. */
export function answers(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** What is spoken on a port that users log in to. */
export type LoginProtocol = 'imap' | 'pop3';

/** What a client sees that comes from one address. */
export interface SeenByClient {
  /** The greeting; empty where the server hung up. */
  readonly greeting: string;
  /** Mechanisms that are announced, in capitals, in the server's order. */
  readonly mechanisms: readonly string[];
  /** IMAP: LOGIN is not disabled. POP3: USER is announced. */
  readonly login: boolean;
  /** STARTTLS or STLS is announced. */
  readonly starttls: boolean;
}

/** A client: where it comes from, and how it speaks. */
export interface Client {
  readonly protocol: LoginProtocol;
  readonly host: string;
  readonly port: number;
  /** The address that it comes from: another than `host` is another machine for Dovecot. */
  readonly from: string;
  /** How TLS begins. */
  readonly tls: 'none' | 'starttls' | 'implicit';
  readonly serverName?: string;
  /** The server will not answer, as far as is known: it is given a short time to do so all the same. */
  readonly inVain?: boolean;
}

/** Milliseconds to wait for a server: on a machine that is busy, a server that works may take long. */
const PATIENCE = 60_000;

/** The same for a server that will say nothing. */
const PATIENCE_IN_VAIN = 4000;

/** A dialogue in lines. */
class Dialogue {
  #socket: net.Socket;
  #buffer = '';
  #wake: (() => void) | null = null;
  readonly #patience: number;

  constructor(socket: net.Socket, patience: number) {
    this.#socket = socket;
    this.#patience = patience;
    socket.on('data', (data: Buffer) => {
      this.#buffer += data.toString('latin1');
      this.#wake?.();
    });
    const ended = (): void => this.#wake?.();
    socket.on('error', ended);
    socket.on('close', ended);
    socket.setTimeout(patience, () => socket.destroy());
  }

  /** The text up to the line that matches; what there is of it when the server hangs up. */
  async until(last: RegExp): Promise<string> {
    for (;;) {
      for (let at = 0; ; ) {
        const end = this.#buffer.indexOf('\n', at);
        if (end < 0) break;
        if (last.test(this.#buffer.slice(at, end).trimEnd())) {
          const text = this.#buffer.slice(0, end);
          this.#buffer = this.#buffer.slice(end + 1);
          return text;
        }
        at = end + 1;
      }
      if (this.#socket.destroyed) return this.#buffer;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  async ask(command: string, last: RegExp): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    return this.until(last);
  }

  /** Takes the dialogue over to TLS; null when the handshake fails. */
  secure(serverName: string | undefined): Promise<Dialogue | null> {
    this.#socket.removeAllListeners();
    return handshake({ socket: this.#socket }, serverName, this.#patience);
  }

  close(): void {
    this.#socket.destroy();
  }
}

const ANY_TLS = { rejectUnauthorized: false, minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const;

function handshake(
  options: tls.ConnectionOptions,
  serverName: string | undefined,
  patience: number,
): Promise<Dialogue | null> {
  return new Promise((resolve) => {
    const secure = tls.connect({ ...ANY_TLS, ...options, servername: serverName ?? '' }, () => {
      secure.removeAllListeners();
      resolve(new Dialogue(secure, patience));
    });
    secure.once('error', () => resolve(null));
    secure.once('close', () => resolve(null));
    secure.setTimeout(patience, () => secure.destroy());
  });
}

/** Opens a dialogue as the client says; null where TLS cannot be begun. */
async function open({ protocol, host, port, from, tls: begin, serverName, inVain }: Client): Promise<{
  readonly dialogue: Dialogue;
  readonly greeting: string;
} | null> {
  const address = { host, port, localAddress: from };
  const patience = inVain === true ? PATIENCE_IN_VAIN : PATIENCE;
  if (begin === 'implicit') {
    const dialogue = await handshake(address, serverName, patience);
    return dialogue === null ? null : { dialogue, greeting: await dialogue.until(/^/) };
  }
  const plain = new Dialogue(net.connect(address), patience);
  const greeting = await plain.until(/^/);
  if (begin === 'none') return { dialogue: plain, greeting };
  const reply = protocol === 'imap' ? await plain.ask('t STARTTLS', /^t /) : await plain.ask('STLS', /^[+-]/);
  const secure = /^(t OK|\+OK)/m.test(reply) ? await plain.secure(serverName) : null;
  if (secure === null) {
    plain.close();
    return null;
  }
  return { dialogue: secure, greeting };
}

/** Asks for capabilities; null where TLS cannot be begun, or the server hangs up without a word. */
export async function look(client: Client): Promise<SeenByClient | null> {
  const opened = await open(client);
  if (opened === null) return null;
  const { dialogue, greeting } = opened;
  try {
    if (!/^(\* OK|\+OK)/.test(greeting)) return null;
    if (client.protocol === 'imap') {
      const words = (await dialogue.ask('c CAPABILITY', /^c /)).split(/\s+/);
      return {
        greeting,
        mechanisms: words.filter((word) => word.startsWith('AUTH=')).map((word) => word.slice(5)),
        login: !words.includes('LOGINDISABLED'),
        starttls: words.includes('STARTTLS'),
      };
    }
    const lines = (await dialogue.ask('CAPA', /^\.$/)).split('\n').map((line) => line.trim());
    return {
      greeting,
      mechanisms: lines
        .filter((line) => line.startsWith('SASL'))
        .flatMap((line) => line.split(' ').slice(1))
        .filter((word) => word !== ''),
      login: lines.includes('USER'),
      starttls: lines.includes('STLS'),
    };
  } finally {
    dialogue.close();
  }
}

/** Logs in with PLAIN; what the server answers: taken, refused, or null where it came to no answer. */
export async function login(client: Client): Promise<boolean | null> {
  const opened = await open(client);
  if (opened === null) return null;
  const { dialogue } = opened;
  const secret = Buffer.from(`\0${USER}\0${PASSWORD}`).toString('base64');
  try {
    const reply =
      client.protocol === 'imap'
        ? await dialogue.ask(`l AUTHENTICATE PLAIN ${secret}`, /^l /)
        : await dialogue.ask(`AUTH PLAIN ${secret}`, /^[+-][A-Z]/);
    if (/^(l OK|\+OK)/m.test(reply)) return true;
    return /^(l (NO|BAD)|-ERR)/m.test(reply) ? false : null;
  } finally {
    dialogue.close();
  }
}

/** Makes a self-signed certificate and its key in a folder, as `NAME.crt` and `NAME.key`. */
export function makeKeyPair(root: Root, home: Home, name: string, kind: 'rsa' | 'ec'): void {
  const key =
    kind === 'rsa' ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const file = `${home.inside}/${name}`;
  const made = inRoot(root, [
    'openssl',
    'req',
    '-x509',
    ...key,
    '-nodes',
    '-days',
    '30',
    '-subj',
    '/CN=mail.example.org',
    '-keyout',
    `${file}.key`,
    '-out',
    `${file}.crt`,
  ]);
  if (made.status !== 0) throw new Error(made.stderr);
}
