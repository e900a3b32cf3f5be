import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * Writes the log of a busy mail server: the same lines for the same seed. Sessions of many processes lie over
 * one another, as they do in a real log.
 *
 * @param size in bytes, about
 * @returns how many lines were written
 */
export function writeMailLog(file: string, size: number, seed = 1): number {
  const traffic = new Traffic(seed);
  const descriptor = openSync(file, 'w');
  let lines = 0;
  let written = 0;
  try {
    while (written < size) {
      const piece: string[] = [];
      for (let index = 0; index < 20_000; index++) piece.push(traffic.line());
      lines += piece.length;
      const bytes = Buffer.from(piece.join(''), 'latin1');
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      written += bytes.length;
    }
  } finally {
    closeSync(descriptor);
  }
  return lines;
}

/** `NAME[ADDRESS]`, and what it speaks. */
interface Peer {
  readonly name: string;
  readonly suite: string;
}

const SUITES = [
  'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256',
  'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256',
  'TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits) key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256',
  'TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)',
  'TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)',
  'TLSv1.2 with cipher ECDHE-RSA-CHACHA20-POLY1305 (256/256 bits)',
  'TLSv1 with cipher DHE-RSA-AES256-SHA (256/256 bits)',
];

/** Who sends mail, who is sent mail, who has a mailbox, and who looks for open doors. */
const PEERS = { senders: 25_000, receivers: 5000, users: 6000, scanners: 25_000 } as const;
const OPEN_SESSIONS = 60;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** What clients and servers do, and the lines that they leave. */
class Traffic {
  readonly #random: () => number;
  readonly #peers: Readonly<Record<keyof typeof PEERS, readonly Peer[]>>;
  /** Lines of sessions that are under way, the next line of each last. */
  readonly #open: string[][] = Array.from({ length: OPEN_SESSIONS }, () => []);
  /** Which of them is being made. */
  #slot = 0;
  /** Processes by program, one for each session that can be under way: none serves two at the same time. */
  readonly #processes = new Map<string, number[]>();
  #pid = 1000;
  #seconds = 0;
  #stamp = '';
  #left = 0;

  constructor(seed: number) {
    this.#random = numbers(seed);
    const peers = (length: number): Peer[] => Array.from({ length }, (_, index) => this.#peer(index));
    this.#peers = {
      senders: peers(PEERS.senders),
      receivers: peers(PEERS.receivers),
      users: peers(PEERS.users),
      scanners: peers(PEERS.scanners),
    };
  }

  /** The next line, with its line feed. */
  line(): string {
    this.#slot = this.#below(OPEN_SESSIONS);
    let lines = this.#open[this.#slot] ?? [];
    if (lines.length === 0) {
      lines = this.#session().toReversed();
      this.#open[this.#slot] = lines;
    }
    if (this.#left-- <= 0) this.#tick();
    return `${this.#stamp}${lines.pop()}\n`;
  }

  /** Some lines have the same second, and about 7 million lines a month. */
  #tick(): void {
    this.#left = this.#below(6);
    this.#seconds++;
    const date = new Date(Date.UTC(2025, 11, 20) + this.#seconds * 1000);
    const two = (value: number): string => String(value).padStart(2, '0');
    this.#stamp = `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} mx1 `;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #peer(index: number): Peer {
    const address =
      index % 8 === 0
        ? `2001:db8:${this.#below(65_536).toString(16)}::${this.#below(65_536).toString(16)}`
        : `${11 + this.#below(180)}.${this.#below(256)}.${this.#below(256)}.${1 + this.#below(254)}`;
    const name =
      index % 11 === 5 ? 'unknown' : `${['mail', 'mx-out', 'smtp-relay'][index % 3]}${index}.example.net`;
    return { name: `${name}[${address}]`, suite: SUITES[this.#below(SUITES.length)] ?? '' };
  }

  /** A few peers have most of the sessions. */
  #any(kind: keyof typeof PEERS): Peer {
    return this.#peers[kind][Math.floor(PEERS[kind] * this.#random() ** 4)] ?? { name: '', suite: '' };
  }

  #queueId(): string {
    return (0x1_0000_0000 + this.#below(0xf_0000_0000)).toString(16).toUpperCase();
  }

  /** As message-ids and the like have them. */
  #word(): string {
    return this.#random().toString(36).slice(2, 12) + this.#random().toString(36).slice(2, 8);
  }

  /** Makes lines of a process that serves this session alone. */
  #process(program: string): (message: string) => string {
    const pids = this.#processes.get(program) ?? Array.from({ length: OPEN_SESSIONS }, () => this.#pid++);
    this.#processes.set(program, pids);
    // After a hundred sessions a process ends (max_use).
    if (this.#below(100) === 0) pids[this.#slot] = this.#pid++;
    const pid = pids[this.#slot];
    return (message) => `${program}[${pid}]: ${message}`;
  }

  #session(): string[] {
    const kind = this.#random();
    if (kind < 0.42) return this.#incoming(this.#any('senders'));
    if (kind < 0.52) return this.#scanner(this.#any('scanners'));
    if (kind < 0.64) return this.#postscreen(this.#any(this.#random() < 0.6 ? 'senders' : 'scanners'));
    if (kind < 0.74) return this.#outgoing(this.#any('receivers'));
    if (kind < 0.79) return this.#submission(this.#any('users'));
    if (kind < 0.82) return this.#guess(this.#any('scanners'));
    if (kind < 0.96) return this.#reader(this.#any('users'));
    return this.#anvil();
  }

  /** A message from outside: mostly with TLS. */
  #incoming({ name, suite }: Peer): string[] {
    const smtpd = this.#process('postfix/smtpd');
    const id = this.#queueId();
    const kind = this.#random();
    const lines = [smtpd(`connect from ${name}`)];
    if (kind < 0.01) {
      return [
        ...lines,
        smtpd(`SSL_accept error from ${name}: -1`),
        smtpd(
          'warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1657:',
        ),
        smtpd(`lost connection after STARTTLS from ${name}`),
        smtpd(`disconnect from ${name} ehlo=1 starttls=0/1 commands=1/2`),
      ];
    }
    const clear = kind > 0.95;
    if (!clear) lines.push(smtpd(`Anonymous TLS connection established from ${name}: ${suite}`));
    if (kind > 0.8 && !clear) {
      return [
        ...lines,
        smtpd(
          `NOQUEUE: reject: RCPT from ${name}: 554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.dnsbl.example; from=<bounce@example.net> to=<info@example.org> proto=ESMTP helo=<mail.example.net>`,
        ),
        smtpd(`disconnect from ${name} ehlo=2 starttls=1 mail=1 rcpt=0/1 quit=1 commands=5/6`),
      ];
    }
    return [
      ...lines,
      smtpd(`${id}: client=${name}`),
      ...this.#queued(id),
      ...this.#delivered(id),
      smtpd(
        clear
          ? `disconnect from ${name} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5`
          : `disconnect from ${name} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7`,
      ),
    ];
  }

  #queued(id: string): string[] {
    const size = 2000 + this.#below(90_000);
    return [
      this.#process('postfix/cleanup')(
        `${id}: message-id=<${this.#below(1e9)}.${this.#word()}@mail.example.net>`,
      ),
      ...(this.#random() < 0.5
        ? [
            `opendkim[611]: ${id}: DKIM verification successful`,
            `opendkim[611]: ${id}: s=s1 d=example.net a=rsa-sha256 SSL`,
          ]
        : []),
      `postfix/qmgr[900]: ${id}: from=<bounce-${this.#below(1e6)}@example.net>, size=${size}, nrcpt=1 (queue active)`,
    ];
  }

  #delivered(id: string): string[] {
    const user = `user${this.#below(5000)}@example.org`;
    const stored = this.#word();
    return [
      `dovecot: lmtp(${user})<${1000 + this.#below(9000)}><${stored}>: sieve: msgid=<${this.#below(1e9)}@mail.example.net>: stored mail into mailbox 'INBOX'`,
      this.#process('postfix/lmtp')(
        `${id}: to=<${user}>, relay=mx1.example.org[private/dovecot-lmtp], delay=0.${this.#below(99)}, delays=0.1/0.01/0.01/0.0${this.#below(9)}, dsn=2.0.0, status=sent (250 2.0.0 <${user}> ${stored} Saved)`,
      ),
      `postfix/qmgr[900]: ${id}: removed`,
    ];
  }

  /** Connects and leaves. */
  #scanner({ name }: Peer): string[] {
    const smtpd = this.#process('postfix/smtpd');
    return this.#random() < 0.5
      ? [
          smtpd(`connect from ${name}`),
          smtpd(`lost connection after AUTH from ${name}`),
          smtpd(`disconnect from ${name} ehlo=1 auth=0/1 commands=1/2`),
        ]
      : [smtpd(`connect from ${name}`), smtpd(`disconnect from ${name} ehlo=1 quit=1 commands=2`)];
  }

  #postscreen({ name }: Peer): string[] {
    const address = name.slice(name.indexOf('['));
    const port = 1024 + this.#below(60_000);
    const head = 'postfix/postscreen[901]: ';
    const connect = `${head}CONNECT from ${address}:${port} to [192.0.2.25]:25`;
    if (this.#random() < 0.7) return [connect, `${head}PASS OLD ${address}:${port}`];
    return [
      connect,
      `postfix/dnsblog[${this.#below(9000)}]: addr ${address.slice(1, -1)} listed by domain zen.dnsbl.example as 127.0.0.4`,
      `${head}PREGREET 14 after 0.05 from ${address}:${port}: EHLO ylmf-pc\\r\\n`,
      `${head}DISCONNECT ${address}:${port}`,
    ];
  }

  #outgoing({ name, suite }: Peer): string[] {
    const smtp = this.#process('postfix/smtp');
    const id = this.#queueId();
    const sent = `${id}: to=<someone${this.#below(1e5)}@example.net>, relay=${name}:25, delay=1.${this.#below(99)}, delays=0.05/0.01/0.7/0.4${this.#below(9)}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ${this.#queueId()})`;
    const established = `Untrusted TLS connection established to ${name}:25: ${suite}`;
    return [
      ...this.#queued(id),
      ...(this.#random() < 0.93 ? [smtp(established)] : []),
      smtp(sent),
      `postfix/qmgr[900]: ${id}: removed`,
    ];
  }

  /** A user sends a message. */
  #submission({ name, suite }: Peer): string[] {
    const smtpd = this.#process('postfix/submission/smtpd');
    const id = this.#queueId();
    return [
      smtpd(`connect from ${name}`),
      smtpd(`Anonymous TLS connection established from ${name}: ${suite}`),
      smtpd(`${id}: client=${name}, sasl_method=PLAIN, sasl_username=user${this.#below(5000)}@example.org`),
      ...this.#queued(id),
      smtpd(`disconnect from ${name} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8`),
    ];
  }

  /** Somebody tries passwords. */
  #guess({ name, suite }: Peer): string[] {
    const smtpd = this.#process('postfix/submission/smtpd');
    return [
      smtpd(`connect from ${name}`),
      smtpd(`Anonymous TLS connection established from ${name}: ${suite}`),
      smtpd(
        `warning: ${name}: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=info@example.org`,
      ),
      smtpd(`disconnect from ${name} ehlo=2 starttls=1 auth=0/1 commands=3/4`),
    ];
  }

  /** A user reads mail. */
  #reader({ name }: Peer): string[] {
    const address = name.slice(name.indexOf('[') + 1, -1);
    const user = `user${this.#below(5000)}@example.org`;
    const session = this.#word();
    return [
      `dovecot: imap-login: Login: user=<${user}>, method=PLAIN, rip=${address}, lip=192.0.2.25, mpid=${this.#below(1e6)}, TLS, session=<${session}>`,
      `dovecot: imap(${user})<${this.#below(1e6)}><${session}>: Disconnected: Logged out in=${this.#below(9000)} out=${this.#below(90_000)} deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0`,
    ];
  }

  #anvil(): string[] {
    return [
      `postfix/anvil[902]: statistics: max connection rate ${this.#below(40)}/60s for (smtp:192.0.2.9) at Dec 20 10:00:00`,
    ];
  }
}

/** Numbers from 0 to below 1 (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
