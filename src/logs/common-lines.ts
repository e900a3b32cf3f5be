import type { DayTable } from './days.ts';
import type { DovecotLines } from './dovecot-lines.ts';
import type { Line } from './line.ts';
import { clear, type HostState, type Session, type Sessions } from './sessions.ts';
import type { Row, Tally } from './tally.ts';

/**
 * The lines that most of a log consists of, read where they stand in the piece of the log, without a text or
 * an object for any of them. It takes a line only where the day is that of the line before, the host and the
 * process are known, and its form is the usual one; every other line goes the general way, which comes to
 * the same and takes ten times as long.
 */
export class CommonLines {
  readonly #tally: Tally;
  readonly #sessions: Sessions;
  readonly #dovecot: DovecotLines;
  readonly #days: DayTable;
  readonly #hosts: Host[] = [];
  #host: Host | null = null;
  /** How the last stamp that went the general way begins, up to its time of day. */
  #day = -1;
  #dayText = new Words('    ');
  #dated = false;
  #stampLength = 0;
  /** SASL mechanisms, and rows of logins, by a number made of what the line says. */
  readonly #mechanisms = new Map<number, string>();
  readonly #logins = new Map<number, Row>();
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(tally: Tally, sessions: Sessions, dovecot: DovecotLines, days: DayTable) {
    this.#tally = tally;
    this.#sessions = sessions;
    this.#dovecot = dovecot;
    this.#days = days;
  }

  /** A line of this host went the general way: the lines that follow are likely to begin as it does. */
  follow({ text, bytes, day, hostStart, hostEnd }: Line, state: HostState): void {
    this.#day = -1;
    const dated = isDigit(bytes[0] ?? 0);
    const time = dated ? DATED : UNDATED;
    const stampLength = hostStart - 1;
    // A priority before the stamp, no host behind it, more than one space between: not what is common.
    if (bytes[0] === 0x3c || hostEnd === hostStart || text.indexOf(' ', time) !== stampLength) return;
    if (stampLength > time && stampLength < time + 4) return;
    if (dated && bytes[10] !== 0x54) return;
    this.#day = day;
    this.#dayText = new Words(text.slice(0, dated ? 11 : 7));
    this.#dated = dated;
    this.#stampLength = stampLength;
    if (this.#host?.state === state) return;
    let host = this.#hosts.find((known) => known.state === state);
    if (host === undefined) {
      host = { state, name: new Words(` ${state.name} `) };
      if (this.#hosts.push(host) > HOSTS) this.#hosts.shift();
    }
    this.#host = host;
  }

  /** What follows is not understood line by line. */
  forget(): void {
    this.#day = -1;
  }

  /**
   * Reads a line if it is a common one.
   *
   * @returns false where it is not, and nothing was done
   */
  take(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#day !== this.#days.last || this.#day < 0) return false;
    if (end + MARGIN > bytes.length || end - start < 20) return false;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const view = this.#view;
    if (!this.#dayText.standAt(view, start)) return false;
    const stampLength = this.#stampLength;
    if (this.#dated) {
      if (hasSpace(view, start + DATED, start + stampLength)) return false;
    } else {
      if (bytes[start + 9] !== COLON || bytes[start + 12] !== COLON) return false;
      if (stampLength > UNDATED && hasSpace(view, start + UNDATED, start + stampLength)) return false;
    }
    let at = start + stampLength;
    const host = this.#hostAt(view, at);
    if (host === null) return false;
    at += host.name.length;

    const identStart = at;
    let hash = 0;
    let program = at;
    let unit = bytes[at] ?? 0;
    while (unit !== OPEN && unit !== COLON && unit !== SPACE && at < end) {
      if (unit === SLASH) program = at + 1;
      hash = (Math.imul(hash, 31) + unit) | 0;
      unit = bytes[++at] ?? 0;
    }
    if (at >= end || unit === SPACE) return false;
    const named = program > identStart;
    switch (at - program) {
      case 4:
        if (!named || !(SMTP.standAt(view, program) || LMTP.standAt(view, program))) return true;
        break;
      case 5:
        if (!named || !SMTPD.standAt(view, program)) return true;
        break;
      case 7:
        if (!DOVECOT.standAt(view, program)) return true;
        return unit === COLON && this.#login(bytes, at + 2, end);
      case 8:
        return !named || !TLSPROXY.standAt(view, program);
      default:
        // imap-login
        return bytes[at - 1] !== 0x6e || bytes[at - 6] !== 0x2d;
    }
    if (unit !== OPEN) return false;
    const first = bytes[program];
    const identLength = at - identStart;
    const last = bytes[at - 1];
    let pid = 0;
    unit = bytes[++at] ?? 0;
    while (isDigit(unit)) {
      pid = pid * 10 + (unit - ZERO);
      unit = bytes[++at] ?? 0;
    }
    if (unit !== CLOSE || bytes[at + 1] !== COLON || bytes[at + 2] !== SPACE || at + 3 >= end) return false;
    at += 3;
    // Its deliveries tell nothing of peers.
    if (first === 0x6c) return isQueueId(bytes, at, end);

    const session = host.state.sessions.get(pid);
    if (session === undefined || session.awaits) return false;
    if (session.identHash !== hash || session.ident.length !== identLength) return false;
    return last === 0x64 ? this.#smtpd(bytes, at, end, session) : this.#smtp(bytes, at, end, session);
  }

  /** The host whose name stands behind the stamp. */
  #hostAt(view: DataView, at: number): Host | null {
    if (this.#host?.name.standAt(view, at) === true) return this.#host;
    for (const host of this.#hosts) {
      if (host.name.standAt(view, at)) {
        this.#host = host;
        return host;
      }
    }
    return null;
  }

  #smtpd(bytes: Uint8Array, at: number, end: number, session: Session): boolean {
    const view = this.#view;
    switch (bytes[at] ?? 0) {
      case 0x63: // connect
        return CONNECT.standAt(view, at) && session.peer < 0 && session.reason === null && !session.mail;
      case 0x64: // disconnect
        return DISCONNECT.standAt(view, at) && this.#disconnect(bytes, at + DISCONNECT.length, end, session);
      case 0x6c: // lost connection after STARTTLS
        return bytes[at + 22] !== 0x53 || bytes[at + 23] !== 0x54;
      case 0x4e: // NOQUEUE: lost connection
        return bytes[at + 9] !== 0x6c;
      case 0x77: // warning: TLS library problem
        return bytes[at + 9] !== 0x54;
      case 0x53: // SSL_accept error
        return false;
      default: {
        const tls = established(bytes, at);
        if (tls > 0 && FROM.standAt(view, tls)) return this.#tls(bytes, tls + FROM.length, end, session, 1);
        return this.#client(bytes, at, end, session);
      }
    }
  }

  #smtp(bytes: Uint8Array, at: number, end: number, session: Session): boolean {
    switch (bytes[at] ?? 0) {
      case 0x53: // SSL_connect error
      case 0x77: // warning
        return false;
      default: {
        const tls = established(bytes, at);
        if (tls > 0 && TO.standAt(this.#view, tls)) return this.#tls(bytes, tls + TO.length, end, session, 2);
        return this.#delivery(bytes, at, end, session);
      }
    }
  }

  /** `NAME[ADDRESS]: PROTOCOL with cipher SUITE …` @param key begins the number of the row */
  #tls(bytes: Uint8Array, start: number, end: number, session: Session, key: number): boolean {
    if (session.reason !== null) return false;
    let at = start;
    while (at < end && bytes[at] !== OPEN) at++;
    const open = at;
    while (at < end && bytes[at] !== CLOSE) at++;
    const close = at;
    if (close >= end) return false;
    if (bytes[++at] !== COLON) return false;
    if (bytes[at + 1] !== SPACE) {
      // The port of the peer.
      do at++;
      while (isDigit(bytes[at] ?? 0));
      if (bytes[at] !== COLON || bytes[at + 1] !== SPACE) return false;
    }
    at += 2;
    let number = key;
    let unit = bytes[at] ?? 0;
    while (unit !== SPACE && at < end) {
      number = (Math.imul(number, 31) + unit) | 0;
      unit = bytes[++at] ?? 0;
    }
    if (!WITH_CIPHER.standAt(this.#view, at)) return false;
    at += WITH_CIPHER.length;
    unit = bytes[at] ?? 0;
    while (unit !== SPACE && at < end) {
      number = (Math.imul(number, 31) + unit) | 0;
      unit = bytes[++at] ?? 0;
    }
    const row = session.service.rows.get(number);
    if (row === undefined) return false;
    const peer = this.#tally.peers.index(bytes, start, open + 1, close);
    this.#tally.count(row, this.#day, peer);
    session.tls = row;
    session.peer = peer;
    session.length = close + 1 - start;
    session.day = this.#day;
    session.login = null;
    session.mail = false;
    session.queueId = '';
    return true;
  }

  /** `QUEUEID: client=NAME[ADDRESS], sasl_method=PLAIN, sasl_username=…` */
  #client(bytes: Uint8Array, start: number, end: number, session: Session): boolean {
    let at = queueIdEnd(bytes, start, end);
    if (at === start || !CLIENT.standAt(this.#view, at)) return true;
    at += CLIENT.length;
    while (at < end && bytes[at] !== CLOSE) at++;
    if (at + 1 < end) {
      if (!SASL_METHOD.standAt(this.#view, at + 1)) return false;
      at += 1 + SASL_METHOD.length;
      const login = this.#mechanism(bytes, at, end);
      if (login === null) return false;
      const { tls, day, peer } = session;
      if (tls !== null && session.login === null) {
        this.#tally.count(tls, day, peer, -1);
        this.#tally.count(this.#sessions.loginRow(tls, login), day, peer);
      }
      session.login = login;
    }
    session.mail = true;
    return true;
  }

  #mechanism(bytes: Uint8Array, start: number, end: number): string | null {
    let at = start;
    let number = 0;
    let unit = bytes[at] ?? 0;
    while (unit !== COMMA) {
      if (unit <= SPACE || unit > 0x7e || at >= end) return null;
      number = (Math.imul(number, 31) + unit) | 0;
      unit = bytes[++at] ?? 0;
    }
    const known = this.#mechanisms.get(number);
    if (known !== undefined) return known;
    const name = Buffer.from(bytes.subarray(start, at)).toString('latin1').toUpperCase();
    if (name !== '') this.#mechanisms.set(number, name);
    return name === '' ? null : name;
  }

  /** What stands behind `disconnect from `. */
  #disconnect(bytes: Uint8Array, start: number, end: number, session: Session): boolean {
    if (session.tls !== null) {
      if (!this.#sessions.isPeer(bytes, start, session)) return false;
      clear(session);
      return true;
    }
    if (session.peer >= 0 || session.reason !== null) return false;
    let at = start;
    while (at < end && bytes[at] !== OPEN) at++;
    while (at < end && bytes[at] !== CLOSE) at++;
    if (bytes[at + 1] !== SPACE) return false;
    let counted = false;
    while (++at < end) {
      const unit = bytes[at];
      if (unit === EQUALS) counted = true;
      if (unit !== SPACE) continue;
      const first = bytes[at + 1];
      // A message, a login or TLS: it counts as something.
      if (first === 0x73) return false;
      if ((first === 0x6d || first === 0x61) && bytes[at + 6] !== ZERO) return false;
    }
    if (!counted) return false;
    clear(session);
    return true;
  }

  /** `QUEUEID: to=<…>, relay=NAME[ADDRESS]:25, …`: one over the connection whose TLS was counted. */
  #delivery(bytes: Uint8Array, start: number, end: number, session: Session): boolean {
    const idEnd = queueIdEnd(bytes, start, end);
    if (idEnd === start || !RECIPIENT.standAt(this.#view, idEnd)) return true;
    if (session.tls === null || session.reason !== null) return false;
    let at = idEnd;
    while (at < end && (bytes[at] !== COMMA || !RELAY.standAt(this.#view, at))) at++;
    if (at >= end) return false;
    at += RELAY.length;
    const relay = at;
    while (at < end && bytes[at] !== OPEN && bytes[at] !== COMMA) at++;
    const open = at;
    while (at < end && bytes[at] !== CLOSE && bytes[at] !== COMMA) at++;
    if (bytes[open] !== OPEN || bytes[at] !== CLOSE || bytes[at + 1] !== COLON) return false;
    if (this.#tally.peers.index(bytes, relay, open + 1, at) !== session.peer) return false;
    const { queueId } = session;
    if (queueId === '') {
      session.queueId = Buffer.from(bytes.subarray(start, idEnd)).toString('latin1');
      return true;
    }
    if (queueId.length !== idEnd - start) return false;
    for (let index = 0; index < queueId.length; index++)
      if (queueId.charCodeAt(index) !== bytes[start + index]) return false;
    return true;
  }

  /** `imap-login: Login: user=<…>, method=PLAIN, rip=…, lip=…, mpid=…, TLS, session=<…>` */
  #login(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end && bytes[at] !== COLON) at++;
    if (at >= end) return true;
    if (bytes[at - 1] !== 0x6e || bytes[at - 6] !== 0x2d) return true;
    const view = this.#view;
    const name = at;
    at += 2;
    if (LOGIN.standAt(view, at)) at += LOGIN.length;
    else if (LOGGED_IN.standAt(view, at)) at += LOGGED_IN.length;
    else return false;
    let method = 0;
    while (at < end && (bytes[at] !== COMMA || !REMOTE.standAt(view, at))) {
      if (bytes[at] === 0x6d && method === 0 && METHOD.standAt(view, at)) method = at + METHOD.length;
      at++;
    }
    if (at >= end || method === 0) return false;
    at += REMOTE.length;
    const rip = at;
    while (at < end && bytes[at] !== COMMA) at++;
    const ripEnd = at;
    if (!LOCAL.standAt(view, at)) return false;
    at = wordEnd(bytes, at + LOCAL.length, end);
    if (PROCESS.standAt(view, at)) at = wordEnd(bytes, at + PROCESS.length, end);
    if (!TLS_SESSION.standAt(view, at)) return false;
    if (wordEnd(bytes, at + TLS_SESSION.length, end) < end) return false;
    const methodEnd = wordEnd(bytes, method, end);
    let number = 0;
    for (at = start; at < name; at++) number = (Math.imul(number, 31) + (bytes[at] ?? 0)) | 0;
    for (at = method; at < methodEnd; at++) number = (Math.imul(number, 31) + (bytes[at] ?? 0)) | 0;
    let row = this.#logins.get(number);
    if (row === undefined) {
      const text = (from: number, to: number): string =>
        Buffer.from(bytes.subarray(from, to)).toString('latin1');
      row = this.#dovecot.login(text(start, name), text(method, methodEnd), 'tls', '');
      this.#logins.set(number, row);
    }
    this.#tally.count(row, this.#day, this.#tally.peers.index(bytes, rip, rip, ripEnd));
    return true;
  }
}

interface Host {
  readonly state: HostState;
  /** With the spaces around it. */
  readonly name: Words;
}

/** A text of at least four bytes that is compared with four bytes at a time. */
class Words {
  readonly length: number;
  readonly #words: Int32Array;

  constructor(text: string) {
    const bytes = Buffer.from(text, 'latin1');
    this.length = bytes.length;
    this.#words = new Int32Array(Math.ceil(bytes.length / 4));
    for (let index = 0; index < this.#words.length; index++)
      this.#words[index] = bytes.readInt32LE(Math.min(index * 4, bytes.length - 4));
  }

  /** The last four bytes may overlap those before them. */
  standAt(view: DataView, at: number): boolean {
    const words = this.#words;
    const last = words.length - 1;
    for (let index = 0; index < last; index++)
      if (view.getInt32(at + index * 4, true) !== words[index]) return false;
    return view.getInt32(at + this.length - 4, true) === words[last];
  }
}

/** Hosts whose lines may lie between one another in a log. */
const HOSTS = 16;

/** So many bytes behind a line can be looked at. */
const MARGIN = 512;

/** Where the time of day stands in a stamp of RFC 3339, and where the fraction in one of RFC 3164. */
const DATED = 11;
const UNDATED = 15;

const SPACE = 32;
const COMMA = 44;
const SLASH = 47;
const ZERO = 48;
const COLON = 58;
const EQUALS = 61;
const OPEN = 91;
const CLOSE = 93;

const SMTP = new Words('smtp');
const SMTPD = new Words('smtpd');
const LMTP = new Words('lmtp');
const TLSPROXY = new Words('tlsproxy');
const DOVECOT = new Words('dovecot');
const CONNECT = new Words('connect from ');
const DISCONNECT = new Words('disconnect from ');
const FROM = new Words('TLS connection established from ');
const TO = new Words('TLS connection established to ');
const WITH_CIPHER = new Words(' with cipher ');
const CLIENT = new Words(': client=');
const SASL_METHOD = new Words(', sasl_method=');
const RECIPIENT = new Words(': to=<');
const RELAY = new Words(', relay=');
const LOGIN = new Words('Login: ');
const LOGGED_IN = new Words('Logged in: ');
const METHOD = new Words('method=');
const REMOTE = new Words(', rip=');
const LOCAL = new Words(', lip=');
const PROCESS = new Words(', mpid=');
const TLS_SESSION = new Words(', TLS, session=<');

/** Where `TLS connection established` stands in a message that begins with what the certificate is worth. */
function established(bytes: Uint8Array, at: number): number {
  switch (bytes[at] ?? 0) {
    case 0x41: // Anonymous
    case 0x55: // Untrusted
      return at + 10;
    case 0x56: // Verified
      return at + 9;
    case 0x54: // Trusted, or TLS itself before Postfix 2.5
      return bytes[at + 1] === 0x72 ? at + 8 : at;
    default:
      return 0;
  }
}

/** Whether one of four bytes each, from a place to another, is a space. */
function hasSpace(view: DataView, from: number, to: number): boolean {
  for (let at = from; at < to; at += 4) {
    const word = view.getInt32(Math.min(at, to - 4), true) ^ 0x20202020;
    if (((word - 0x01010101) & ~word & 0x80808080) !== 0) return true;
  }
  return false;
}

/** Where the first comma or space stands; the end of the line where there is none. */
function wordEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== COMMA && bytes[at] !== SPACE) at++;
  return at;
}

function queueIdEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isQueueIdUnit(bytes[at] ?? 0)) at++;
  return at;
}

function isQueueId(bytes: Uint8Array, start: number, end: number): boolean {
  const colon = queueIdEnd(bytes, start, end);
  return colon > start && bytes[colon] === COLON && bytes[start] !== 0x77;
}

function isQueueIdUnit(unit: number): boolean {
  return isDigit(unit) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= 57;
}
