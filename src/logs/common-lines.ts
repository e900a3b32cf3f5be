import { clear, type HostState, type Session, type Sessions } from './sessions.ts';
import { count, type Tally } from './tally.ts';

/**
 * The lines that most of a log consists of, read in one go: those of programs that say nothing of sessions,
 * and of smtpd(8) the beginning of a session, its TLS, its message and its end. It takes a line only where
 * host and day are those of the line before and the process is known; every other line goes the general
 * way, which comes to the same and takes three times as long.
 */
export class CommonLines {
  readonly #tally: Tally;
  readonly #sessions: Sessions;
  /** The stamp of the last line that went the general way: what of it makes the day, and its length. */
  #stamp = new Uint8Array(0);
  #stampLength = 0;
  #day = 0;
  #hostName = new Uint8Array(0);
  #host: HostState | null = null;

  constructor(tally: Tally, sessions: Sessions) {
    this.#tally = tally;
    this.#sessions = sessions;
  }

  /** A line went the general way: the lines that follow are likely to begin as it does. */
  follow(bytes: Uint8Array, start: number, day: number, hostStart: number, hostEnd: number): void {
    const dated = isDigit(bytes[start] ?? 0);
    const first = bytes[start];
    // A priority before the stamp, or no host behind it, is not what is common.
    if (first === 0x3c || hostEnd === hostStart) {
      this.#host = null;
      return;
    }
    this.#day = day;
    this.#stamp = new Uint8Array(bytes.subarray(start, start + (dated ? 10 : 6)));
    this.#stampLength = hostStart - 1 - start;
    this.#hostName = new Uint8Array(bytes.subarray(hostStart, hostEnd));
    this.#host = this.#sessions.host;
  }

  /**
   * Reads a line if it is a common one.
   *
   * @returns false where it is not, and nothing was done
   */
  take(bytes: Uint8Array, start: number, end: number): boolean {
    const host = this.#host;
    if (host === null) return false;
    const stamp = this.#stamp;
    const length = stamp.length;
    for (let index = 0; index < length; index++) if (bytes[start + index] !== stamp[index]) return false;
    let at = start + this.#stampLength;
    // What stands between is a time of day; where it is not, the host does not stand where it did.
    if (at >= end || bytes[at] !== SPACE || bytes[at - 3] === SPACE) return false;
    at++;
    const name = this.#hostName;
    for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name[index]) return false;
    at += name.length;
    if (bytes[at] !== SPACE) return false;
    at++;

    let hash = 0;
    let slash = -1;
    const identStart = at;
    let unit = bytes[at] ?? 0;
    while (unit !== OPEN && unit !== COLON && unit !== SPACE && at < end) {
      if (unit === SLASH) slash = at;
      hash = (Math.imul(hash, 31) + unit) | 0;
      unit = bytes[++at] ?? 0;
    }
    if (at >= end || unit !== OPEN || slash < 0) return false;
    const program = slash + 1;
    const first = bytes[program];
    switch (at - program) {
      case 5:
        // smtpd
        if (first === 0x73 && bytes[program + 4] === 0x64) break;
        return first !== 0x73;
      case 4:
        // smtp, lmtp
        if (first === 0x6c) return isDelivery(bytes, at);
        return first !== 0x73;
      case 8:
        // tlsproxy
        return first !== 0x74;
      default:
        // imap-login
        return bytes[at - 1] !== 0x6e || bytes[at - 6] !== 0x2d;
    }
    const identLength = at - identStart;
    let pid = 0;
    unit = bytes[++at] ?? 0;
    while (unit >= ZERO && unit <= ZERO + 9) {
      pid = pid * 10 + (unit - ZERO);
      unit = bytes[++at] ?? 0;
    }
    if (unit !== CLOSE || bytes[at + 1] !== COLON || bytes[at + 2] !== SPACE) return false;
    at += 3;
    const letter = bytes[at] ?? 0;
    // connect from
    if (letter === 0x63) return true;
    // QUEUEID: client=NAME[ADDRESS], without a login
    if (letter >= ZERO && letter <= ZERO + 9) return host.counts && bytes[end - 1] === CLOSE;
    const session = host.sessions.get(pid);
    if (
      session === undefined ||
      session.identHash !== hash ||
      session.ident.length !== identLength ||
      session.awaits ||
      session.reason !== null
    )
      return false;
    // disconnect from
    if (letter === 0x64) return session.tls !== null && host.counts && disconnects(bytes, at, session);
    if (letter === 0x41 || letter === 0x55) return this.#tls(bytes, at + 10, end, session);
    return false;
  }

  /** `TLS connection established from NAME[ADDRESS]: PROTOCOL with cipher SUITE …` */
  #tls(bytes: Uint8Array, from: number, end: number, session: Session): boolean {
    for (let index = 0; index < ESTABLISHED.length; index++)
      if (bytes[from + index] !== ESTABLISHED[index]) return false;
    const start = from + ESTABLISHED.length;
    let at = start;
    while (bytes[at] !== OPEN && at < end) at++;
    at++;
    let address = 0;
    let part = 0;
    let dots = 0;
    let unit = bytes[at] ?? 0;
    while (unit !== CLOSE) {
      if (unit === 46) {
        address = (address << 8) | part;
        part = 0;
        dots++;
      } else if (unit >= ZERO && unit <= ZERO + 9) part = part * 10 + (unit - ZERO);
      else return false;
      unit = bytes[++at] ?? 0;
    }
    if (dots !== 3) return false;
    // A peer that is known, and whose name is, was read the general way before.
    const index = this.#tally.known4((address << 8) | part);
    const peer = this.#tally.peers[index];
    if (peer === undefined || (peer.name === 'unknown' && bytes[start] !== 0x75)) return false;
    const length = at + 1 - start;
    if (bytes[at + 1] !== COLON || bytes[at + 2] !== SPACE) return false;
    at += 3;
    let key = 1;
    unit = bytes[at] ?? 0;
    while (unit !== SPACE && at < end) {
      key = (Math.imul(key, 31) + unit) | 0;
      unit = bytes[++at] ?? 0;
    }
    // " with cipher "
    if (bytes[at + 1] !== 0x77 || bytes[at + 6] !== 0x63 || bytes[at + 12] !== SPACE) return false;
    at += 13;
    unit = bytes[at] ?? 0;
    while (unit !== SPACE && at < end) {
      key = (Math.imul(key, 31) + unit) | 0;
      unit = bytes[++at] ?? 0;
    }
    const row = session.service.rows.get(key);
    if (row === undefined) return false;
    const day = this.#day;
    count(row, day, peer, 1);
    session.tls = row;
    session.peer = index;
    session.address = peer.address;
    session.length = length;
    session.day = day;
    session.login = null;
    session.mail = false;
    return true;
  }
}

const SPACE = 32;
const COLON = 58;
const SLASH = 47;
const OPEN = 91;
const CLOSE = 93;
const ZERO = 48;
const ESTABLISHED = Buffer.from('TLS connection established from ', 'latin1');
const DISCONNECT = Buffer.from('disconnect from ', 'latin1');

/** The line ends the session whose TLS was told: nothing is left to be counted. */
function disconnects(bytes: Uint8Array, at: number, session: Session): boolean {
  for (let index = 0; index < DISCONNECT.length; index++)
    if (bytes[at + index] !== DISCONNECT[index]) return false;
  const { address } = session;
  let end = at + DISCONNECT.length + session.length - 1;
  if (bytes[end] !== CLOSE) return false;
  let left = address.length;
  while (left > 0 && bytes[--end] === address.charCodeAt(--left));
  if (left !== 0 || bytes[end - 1] !== OPEN) return false;
  clear(session);
  return true;
}

/** The message behind `[PID]` begins with a queue id: of lmtp(8) that is of no interest. */
function isDelivery(bytes: Uint8Array, open: number): boolean {
  let at = open + 1;
  while (isDigit(bytes[at] ?? 0)) at++;
  return bytes[at] === CLOSE && bytes[at + 1] === COLON && isDigit(bytes[at + 3] ?? 0);
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= ZERO + 9;
}
