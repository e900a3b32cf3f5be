/**
 * Runs a whole Postfix in a reference root, on loopback, and asks it what a client sees.
 */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { PROTOCOLS, type Protocol } from '../../src/model/protocol.ts';
import { inRoot, type Root } from './roots.ts';

/** A Postfix that runs; `stop` ends it and removes what it left. */
export interface RunningPostfix {
  readonly stop: () => Promise<void>;
}

/** What an SMTP client sees on a port. */
export interface Seen {
  readonly greeting: string;
  /** STARTTLS stands in the answer to EHLO. */
  readonly starttls: boolean;
  /** Reply code to the STARTTLS command; null where it was not announced or TLS is implicit. */
  readonly starttlsReply: string | null;
  readonly authBeforeTls: boolean;
  /** Null where TLS could not be started. */
  readonly authAfterTls: boolean | null;
}

/** Where the release keeps its own files; configurations from elsewhere name other places. */
const INSTALLATION = [
  'daemon_directory',
  'command_directory',
  'shlib_directory',
  'meta_directory',
  'readme_directory',
  'html_directory',
  'sendmail_path',
  'mailq_path',
  'newaliases_path',
  'mail_owner',
  'setgid_group',
];

function installation(root: Root): Readonly<Record<string, string>> {
  const { stdout } = inRoot(root, ['postconf', '-d', ...INSTALLATION]);
  return Object.fromEntries(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' = ', 2) as [string, string]),
  );
}

/** Settings of the surroundings of a test: where files go, and nothing that is judged. */
export function surroundings(root: Root, folder: string): Readonly<Record<string, string>> {
  return {
    queue_directory: `${folder}/queue`,
    data_directory: `${folder}/data`,
    // Without a syslog socket in the root nothing is written; postlogd can block itself when it warns.
    maillog_file: '',
    inet_interfaces: 'loopback-only',
    inet_protocols: 'ipv4',
    myhostname: 'mail.example.org',
    alias_maps: '',
    alias_database: '',
    smtpd_sasl_type: 'dovecot',
    smtpd_sasl_path: 'private/auth',
    ...installation(root),
    smtpd_milters: '',
    smtpd_peername_lookup: 'no',
    multi_instance_directories: '',
  };
}

// Below the ports that the system gives to clients; each worker of Jest has a range of its own, for a port
// that is free when it is chosen must still be free when Postfix starts.
let nextPort = 10_000 + (Number(process.env.JEST_WORKER_ID ?? '1') % 8) * 2500;

/** A port on loopback that nothing else uses here; each call gives another. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    const server = net.createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise<void>((resolve) => server.close(() => resolve()));
    if (free) return port;
  }
}

/**
 * Starts a Postfix on the files of a folder of a root, with an authentication server that offers
 * PLAIN and LOGIN in the place of Dovecot's.
 *
 * @param folder as the programs in the root see it, below /tmp; main.cf and master.cf stand there
 * @param ports every port of master.cf: the call returns when one of them answers
 */
export async function startPostfix(
  root: Root,
  folder: string,
  ports: readonly number[],
): Promise<RunningPostfix> {
  const outside = path.join(root.path, folder);
  fs.mkdirSync(path.join(outside, 'queue/private'), { recursive: true });
  fs.mkdirSync(path.join(outside, 'data'), { recursive: true });
  const owner = Number(inRoot(root, ['id', '-u', 'postfix']).stdout);
  fs.chownSync(path.join(outside, 'data'), owner, -1);
  fs.chownSync(path.join(outside, 'queue/private'), owner, -1);
  const auth = await authenticationServer(path.join(outside, 'queue/private/auth'));
  const stop = async (): Promise<void> => {
    await stopMaster(path.join(outside, 'queue/pid/master.pid'));
    await auth.close();
    fs.rmSync(outside, { recursive: true, force: true });
  };
  const started = inRoot(root, ['postfix', '-c', folder, 'start']);
  try {
    if (started.status !== 0) throw new Error(`postfix start: ${started.stderr}`);
    const end = Date.now() + PATIENCE;
    while (ports.length > 0) {
      if (await answers(ports[0] ?? 0)) break;
      if (Date.now() > end) throw new Error(`nothing listens on ${ports[0]}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

/** Ends a master by the process id in its lock file, and with it the daemons that it has started. */
async function stopMaster(pidFile: string): Promise<void> {
  const pid = fs.existsSync(pidFile) ? Number(fs.readFileSync(pidFile, 'utf8').trim()) : 0;
  if (!(pid > 1)) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (let attempt = 0; attempt < 30; attempt++) {
      try {
        process.kill(pid, attempt === 0 ? signal : 0);
      } catch {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The part of Dovecot's authentication protocol that smtpd reads before it announces AUTH; everybody may log in. */
async function authenticationServer(socketPath: string): Promise<{ readonly close: () => Promise<void> }> {
  const greeting = [
    'VERSION\t1\t2',
    'MECH\tPLAIN\tplaintext',
    'MECH\tLOGIN\tplaintext',
    'SPID\t1',
    'CUID\t1',
    'COOKIE\t0123456789abcdef0123456789abcdef',
    'DONE',
  ];
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    socket.write(greeting.map((line) => `${line}\n`).join(''));
    socket.on('data', (data: Buffer) => {
      for (const [, id, response] of data
        .toString('latin1')
        .matchAll(/^AUTH\t(\d+)\t(?:.*\tresp=(\S+))?/gm)) {
        // What comes with AUTH PLAIN: the user stands between two zero bytes.
        const [, user] = Buffer.from(response ?? '', 'base64')
          .toString('latin1')
          .split('\0');
        socket.write(`OK\t${id}\tuser=${user ?? 'somebody'}\n`);
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  fs.chmodSync(socketPath, 0o666);
  const close = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { close };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Milliseconds to wait for a server: postscreen takes six seconds before it greets, a busy machine longer. */
const PATIENCE = 60_000;

/** An SMTP dialogue: one reply, possibly of several lines, for each command. */
class Dialogue {
  #socket: net.Socket;
  #buffer = '';
  #waiting: ((text: string) => void) | null = null;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (data: Buffer) => {
      this.#buffer += data.toString('latin1');
      this.#deliver();
    });
    const ended = (): void => {
      this.#waiting?.(this.#buffer);
      this.#waiting = null;
    };
    socket.on('error', ended);
    socket.on('close', ended);
    socket.setTimeout(PATIENCE, () => socket.destroy());
  }

  #deliver(): void {
    const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/.exec(this.#buffer);
    if (match === null || this.#waiting === null) return;
    this.#buffer = this.#buffer.slice(match[0].length);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting(match[0]);
  }

  /** The next reply; what there is of it when the server hangs up. */
  reply(): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      if (this.#socket.destroyed) resolve(this.#buffer);
      else this.#deliver();
    });
  }

  async ask(command: string): Promise<string> {
    const reply = this.reply();
    this.#socket.write(`${command}\r\n`);
    return reply;
  }

  /** Takes the dialogue over to TLS; null when the handshake fails. */
  async secure(): Promise<Dialogue | null> {
    this.#socket.removeAllListeners();
    return handshake({ socket: this.#socket });
  }

  close(): void {
    this.#socket.destroy();
  }
}

const ANY_TLS = { rejectUnauthorized: false, minVersion: 'TLSv1', ciphers: 'ALL:aNULL:@SECLEVEL=0' } as const;

async function handshake(options: tls.ConnectionOptions): Promise<Dialogue | null> {
  return new Promise((resolve) => {
    const secure = tls.connect({ ...ANY_TLS, ...options }, () => {
      secure.removeAllListeners();
      resolve(new Dialogue(secure));
    });
    secure.once('error', () => resolve(null));
    secure.once('close', () => resolve(null));
    secure.setTimeout(PATIENCE, () => secure.destroy());
  });
}

const offersAuth = (ehlo: string): boolean => /^250[- ]AUTH[ =]/im.test(ehlo);

/** Speaks SMTP with a port of this machine. */
export async function look(port: number, implicit: boolean): Promise<Seen> {
  const nothing: Seen = {
    greeting: '',
    starttls: false,
    starttlsReply: null,
    authBeforeTls: false,
    authAfterTls: null,
  };
  if (implicit) {
    const dialogue = await handshake({ host: '127.0.0.1', port });
    if (dialogue === null) return nothing;
    const greeting = await dialogue.reply();
    const ehlo = await dialogue.ask('EHLO client.example.com');
    dialogue.close();
    return { ...nothing, greeting, starttls: /STARTTLS/i.test(ehlo), authAfterTls: offersAuth(ehlo) };
  }
  const dialogue = new Dialogue(net.connect(port, '127.0.0.1'));
  const greeting = await dialogue.reply();
  const ehlo = await dialogue.ask('EHLO client.example.com');
  const starttls = /^250[- ]STARTTLS/im.test(ehlo);
  const seen = { ...nothing, greeting, starttls, authBeforeTls: offersAuth(ehlo) };
  if (!starttls) {
    dialogue.close();
    return seen;
  }
  const reply = await dialogue.ask('STARTTLS');
  const starttlsReply = reply.slice(0, 3);
  const secured = starttlsReply === '220' ? await dialogue.secure() : null;
  if (secured === null) {
    dialogue.close();
    return { ...seen, starttlsReply };
  }
  const again = await secured.ask('EHLO client.example.com');
  secured.close();
  return { ...seen, starttlsReply, authAfterTls: offersAuth(again) };
}

/**
 * The type of key of the certificate that a port shows after STARTTLS to a client that takes only some
 * signatures; null where there is no handshake.
 *
 * @param signatures in OpenSSL's form: `ECDSA+SHA256:RSA+SHA256`
 */
export async function shownKeyType(port: number, signatures: string): Promise<string | null> {
  const socket = net.connect(port, '127.0.0.1');
  const dialogue = new Dialogue(socket);
  await dialogue.reply();
  await dialogue.ask('EHLO client.example.com');
  const reply = await dialogue.ask('STARTTLS');
  if (!reply.startsWith('220')) {
    dialogue.close();
    return null;
  }
  socket.removeAllListeners();
  return new Promise((resolve) => {
    const options = { ...ANY_TLS, maxVersion: 'TLSv1.2', sigalgs: signatures } as const;
    const secure = tls.connect({ ...options, socket }, () => {
      const type = secure.getPeerX509Certificate()?.publicKey.asymmetricKeyType ?? null;
      secure.destroy();
      resolve(type);
    });
    secure.once('error', () => resolve(null));
    secure.once('close', () => resolve(null));
    secure.setTimeout(PATIENCE, () => secure.destroy());
  });
}

/** The protocols that sslscan finds on a port. */
export async function scannedProtocols(port: number, implicit: boolean): Promise<Protocol[]> {
  const args = [
    '--xml=-',
    '--no-ciphersuites',
    '--no-heartbleed',
    '--no-compression',
    '--no-fallback',
    '--no-renegotiation',
    '--no-groups',
    '--no-check-certificate',
  ];
  // sslscan ends with an error where a port takes no handshake at all; what it has written still counts.
  const stdout = await new Promise<string>((resolve) => {
    execFile(
      'sslscan',
      [...args, ...(implicit ? [] : ['--starttls-smtp']), `127.0.0.1:${port}`],
      { timeout: 60_000 },
      (_, out) => resolve(out),
    );
  });
  const versions = [...stdout.matchAll(/<protocol type="(ssl|tls)" version="([\d.]+)" enabled="1"/g)].map(
    ([, type, version]) => (type === 'ssl' ? `SSLv${version}` : `TLSv${version === '1.0' ? '1' : version}`),
  );
  return PROTOCOLS.filter((protocol) => versions.includes(protocol));
}

/**
 * Makes a self-signed certificate with its key in one file.
 *
 * @param key arguments of `openssl req` that say what key to make
 */
export function makeCertificate(file: string, key: readonly string[] = ['-newkey', 'rsa:2048']): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const args = ['req', '-x509', ...key, '-nodes', '-days', '30', '-subj', '/CN=mail.example.org'];
  const made = spawnSync('openssl', [...args, '-keyout', `${file}.key`, '-out', `${file}.crt`], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(made.stderr);
  fs.writeFileSync(file, fs.readFileSync(`${file}.key`, 'utf8') + fs.readFileSync(`${file}.crt`, 'utf8'), {
    mode: 0o600,
  });
  fs.rmSync(`${file}.key`);
  fs.rmSync(`${file}.crt`);
}
