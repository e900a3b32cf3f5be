// Finds in a piece of a log the lines that tell of sessions, and in them what tells it. WebAssembly, because the
// same in JavaScript takes several times as long. It is written in AssemblyScript, and `npm run wasm` makes
// lines.wasm of it. It knows nothing of sessions: common-lines.ts makes them of what it finds.

/** Where the host puts the beginnings of lines and the piece, and where it finds records. */
const DAY: usize = 16384;
const HOSTS: usize = DAY + 64;
const HOST: usize = 272;
const RECORDS: usize = HOSTS + 16 * HOST;
const RECORD: usize = 56;
const MOST_RECORDS: i32 = 2048;
/** What the last lines of processes were: process id, host and name, what it was, and since when. */
const PROCESSES: usize = RECORDS + <usize>MOST_RECORDS * RECORD;
const PROCESS: usize = 16;
const MOST_PROCESSES: i32 = 2048;
const PIECE: usize = PROCESSES + <usize>MOST_PROCESSES * PROCESS;

/** The line begins as none of those that are looked at. */
const OTHER_HEAD: i32 = -2;
/** It tells nothing. */
const NOTHING: i32 = -1;
/** What else it is; common-lines.ts has the same. */
const GENERAL: i32 = 0;
const CONNECT: i32 = 1;
const DISCONNECT: i32 = 2;
const TLS: i32 = 3;
const CLIENT: i32 = 4;
const DELIVERY: i32 = 5;
const LOGIN: i32 = 6;

const LINE_FEED: u8 = 10;
const SPACE: u8 = 32;
const COMMA: u8 = 44;
const SLASH: u8 = 47;
const ZERO: u8 = 48;
const COLON: u8 = 58;
const EQUALS: u8 = 61;
const OPEN: u8 = 91;
const CLOSE: u8 = 93;

/** `: ` as two bytes. */
const COLON_SPACE: u16 = 0x203a;

/** How many lines the last call has passed, and where it ended. */
export let lines: i32 = 0;
export let end: i32 = 0;

// See `setHead`.
let dayLength: i32 = 0;
let stampLength: i32 = 0;
let timeStart: i32 = 0;
let hosts: i32 = 0;
let lastHost: i32 = 0;
let factor: i32 = 0;
/** What is known of processes holds as long as no line went the general way. */
let since: i32 = 1;

// The line that is read, its line feed, and its record.
let line: usize = 0;
let stop: usize = 0;
let record: usize = RECORDS;

export function pieceAt(): usize {
  return PIECE;
}

export function recordsAt(): usize {
  return RECORDS;
}

export function mostRecords(): i32 {
  return MOST_RECORDS;
}

export function dayAt(): usize {
  return DAY;
}

/** Where the name of a host goes, with the spaces around it, behind its length. */
export function hostAt(index: i32): usize {
  return HOSTS + <usize>index * HOST;
}

/**
 * How lines begin that are looked at: with a day of this length, in a stamp of that length, whose time of day
 * begins at a place and has no space, and with the name of one of so many hosts.
 */
export function setHead(day: i32, stamp: i32, time: i32, known: i32): void {
  dayLength = day;
  stampLength = stamp;
  timeStart = time;
  hosts = known;
  lastHost = 0;
}

/** What numbers of addresses are made with, see `PeerTable`. */
export function setFactor(value: i32): void {
  factor = value;
}

/**
 * Looks through lines, each with its line feed, from one place in the piece to another. It stops behind a line
 * with another beginning, and when there is no room for more records.
 *
 * @returns how many records there are; a line that tells nothing has none
 */
export function scan(from: i32, to: i32): i32 {
  record = RECORDS;
  lines = 0;
  line = PIECE + from;
  const last = PIECE + to;
  while (line < last && record < PROCESSES) {
    stop = lineFeed(line);
    lines++;
    const kind = readLine();
    if (kind !== NOTHING) {
      if (kind <= GENERAL) since++;
      store<i32>(record, max(kind, GENERAL));
      place(4, line);
      place(8, stop);
      record += RECORD;
    }
    line = stop + 1;
    if (kind === OTHER_HEAD) break;
  }
  end = <i32>(line - PIECE);
  return <i32>((record - RECORDS) / RECORD);
}

/** Reads the line into its record. @returns what it is */
function readLine(): i32 {
  if (stop - line < 21 || !same(line, DAY, dayLength)) return OTHER_HEAD;
  const stampEnd = line + stampLength;
  if (timeStart === 15 && (load<u8>(line + 9) !== COLON || load<u8>(line + 12) !== COLON)) return OTHER_HEAD;
  if (next(SPACE, line + timeStart) !== stampEnd) return OTHER_HEAD;
  const host = hostOf(stampEnd);
  if (host < 0) return OTHER_HEAD;
  const ident = stampEnd + load<i32>(hostAt(host));
  // The name ends at a bracket or a colon, and the program is what stands behind its last slash.
  let at = ident;
  let program = ident;
  let ends: i32 = 0;
  for (;;) {
    const units = v128.load(at);
    const brackets = v128.or(i8x16.eq(units, i8x16.splat(OPEN)), i8x16.eq(units, i8x16.splat(SPACE)));
    ends = i8x16.bitmask(v128.or(brackets, i8x16.eq(units, i8x16.splat(COLON))));
    let slashes = i8x16.bitmask(i8x16.eq(units, i8x16.splat(SLASH)));
    if (ends !== 0) slashes &= (1 << ctz(ends)) - 1;
    if (slashes !== 0) program = at + (32 - clz(slashes));
    if (ends !== 0) break;
    at += 16;
    if (at >= stop) return OTHER_HEAD;
  }
  at += ctz(ends);
  const unit = load<u8>(at);
  if (at >= stop || unit === SPACE) return OTHER_HEAD;
  const named = program > ident;
  switch (<i32>(at - program)) {
    case 4:
      if (!named || (!stands(program, 'smtp') && !stands(program, 'lmtp'))) return NOTHING;
      break;
    case 5:
      if (!named || !stands(program, 'smtpd')) return NOTHING;
      break;
    case 7:
      if (!stands(program, 'dovecot')) return NOTHING;
      return unit === COLON ? login(at + 2) : GENERAL;
    case 8:
      return named && stands(program, 'tlsproxy') ? GENERAL : NOTHING;
    default:
      // imap-login
      return load<u8>(at - 1) === 0x6e && load<u8>(at - 6) === 0x2d ? GENERAL : NOTHING;
  }
  const identEnd = at;
  let pid: i32 = 0;
  let digit: u8 = load<u8>(++at) - ZERO;
  while (digit < 10) {
    pid = pid * 10 + <i32>digit;
    digit = load<u8>(++at) - ZERO;
  }
  if (unit !== OPEN || load<u8>(at) !== CLOSE || load<u16>(at + 1) !== COLON_SPACE) return GENERAL;
  if (at + 3 >= stop || at - identEnd > 9) return GENERAL;
  at += 3;
  const hashed = hash(ident, identEnd, 0);
  store<i32>(record, host, 12);
  store<i32>(record, pid, 16);
  store<i32>(record, hashed, 20);
  store<i32>(record, <i32>(identEnd - ident), 24);
  if (load<u8>(program) === 0x6c) return lmtp(at);
  return told(load<u8>(identEnd - 1) === 0x64 ? smtpd(at) : smtp(at), pid, hashed ^ host);
}

/**
 * What a line is behind what the process has said before: where it ended a session it begins one, and where it
 * made TLS it takes a message, which tells nothing new.
 */
function told(kind: i32, pid: i32, who: i32): i32 {
  if (kind === NOTHING) return NOTHING;
  const process = PROCESSES + <usize>(pid & (MOST_PROCESSES - 1)) * PROCESS;
  const before =
    load<i32>(process) === pid && load<i32>(process, 4) === who && load<i32>(process, 12) === since
      ? load<i32>(process, 8)
      : GENERAL;
  if (kind === CONNECT && before === DISCONNECT) return NOTHING;
  if (kind === CLIENT && before === TLS && load<i32>(record, 28) === load<i32>(record, 32)) return NOTHING;
  store<i32>(process, pid);
  store<i32>(process, who, 4);
  store<i32>(process, kind === CLIENT && before === TLS ? TLS : kind, 8);
  store<i32>(process, since, 12);
  return kind;
}

/** The number of the host whose name stands between spaces at a place, or -1. */
function hostOf(at: usize): i32 {
  const last = hostAt(lastHost);
  if (same(at, last + 4, load<i32>(last))) return lastHost;
  for (let index = 0; index < hosts; index++) {
    const host = hostAt(index);
    if (same(at, host + 4, load<i32>(host))) {
      lastHost = index;
      return index;
    }
  }
  return -1;
}

/** Deliveries to lmtp(8) tell nothing of peers. */
function lmtp(at: usize): i32 {
  const id = idEnd(at);
  return id === at || load<u8>(id) !== COLON || load<u8>(at) === 0x77 ? GENERAL : NOTHING;
}

function smtpd(at: usize): i32 {
  switch (<i32>load<u8>(at)) {
    case 0x63: // connect
      return stands(at, 'connect from ') ? CONNECT : GENERAL;
    case 0x64: // disconnect
      return stands(at, 'disconnect from ') ? disconnect(at + 16) : GENERAL;
    case 0x6c: // lost connection after STARTTLS
      return load<u16>(at + 22) === 0x5453 ? GENERAL : NOTHING;
    case 0x4e: // NOQUEUE: lost connection
      return load<u8>(at + 9) === 0x6c ? GENERAL : NOTHING;
    case 0x77: // warning: TLS library problem
      return load<u8>(at + 9) === 0x54 ? GENERAL : NOTHING;
    case 0x53: // SSL_accept error
      return GENERAL;
    default: {
      const tls = established(at);
      return tls !== 0 && stands(tls, 'TLS connection established from ') ? readTls(tls + 32, 1) : client(at);
    }
  }
}

function smtp(at: usize): i32 {
  const first = load<u8>(at);
  // SSL_connect error, warning
  if (first === 0x53 || first === 0x77) return GENERAL;
  const tls = established(at);
  return tls !== 0 && stands(tls, 'TLS connection established to ') ? readTls(tls + 30, 2) : delivery(at);
}

/** Where `TLS connection established` stands in a message that begins with what the certificate is worth. */
function established(at: usize): usize {
  switch (<i32>load<u8>(at)) {
    case 0x41: // Anonymous
    case 0x55: // Untrusted
      return at + 10;
    case 0x56: // Verified
      return at + 9;
    case 0x54: // Trusted, or TLS itself before Postfix 2.5
      return load<u8>(at + 1) === 0x72 ? at + 8 : at;
    default:
      return 0;
  }
}

/** `NAME[ADDRESS]: PROTOCOL with cipher SUITE …` @param key begins the number of protocol and suite */
function readTls(start: usize, key: i32): i32 {
  let at = peer(start);
  if (at === 0 || load<u8>(at) !== COLON) return GENERAL;
  if (load<u8>(at + 1) !== SPACE) {
    // The port of the peer.
    at++;
    while (isDigit(load<u8>(at))) at++;
    if (load<u16>(at) !== COLON_SPACE) return GENERAL;
  }
  at += 2;
  const protocolEnd = next(SPACE, at);
  if (!stands(protocolEnd, ' with cipher ')) return GENERAL;
  const cipher = protocolEnd + 13;
  store<i32>(record, hash(cipher, next(SPACE, cipher), hash(at, protocolEnd, key)), 48);
  return TLS;
}

/** `QUEUEID: client=NAME[ADDRESS], sasl_method=PLAIN, sasl_username=…` */
function client(at: usize): i32 {
  const id = idEnd(at);
  if (id === at || !stands(id, ': client=')) return NOTHING;
  const close = next(CLOSE, id + 9);
  // Where the name of the mechanism stands; the same place twice without a login.
  let method = close;
  let methodEnd = close;
  if (close + 1 < stop) {
    if (!stands(close + 1, ', sasl_method=')) return GENERAL;
    method = close + 15;
    methodEnd = method;
    let unit = load<u8>(methodEnd);
    while (unit > SPACE && unit < 0x7f && unit !== COMMA) unit = load<u8>(++methodEnd);
    if (unit !== COMMA || methodEnd === method) return GENERAL;
  }
  place(28, method);
  place(32, methodEnd);
  return CLIENT;
}

/** `NAME[ADDRESS] ehlo=1 … commands=1` */
function disconnect(start: usize): i32 {
  let at = peer(start);
  if (at === 0) return GENERAL;
  // Whether nothing in the commands counts as something: no message, no login, no TLS.
  let idle = load<u8>(at) === SPACE && next(EQUALS, at) < stop;
  while (idle && at < stop) {
    const first = load<u8>(at + 1);
    if (first === 0x73) idle = false;
    else if ((first === 0x6d || first === 0x61) && load<u8>(at + 6) !== ZERO) idle = false;
    at = next(SPACE, at + 1);
  }
  store<i32>(record, idle ? 1 : 0, 48);
  return DISCONNECT;
}

/** `QUEUEID: to=<…>, relay=NAME[ADDRESS]:25, …` */
function delivery(at: usize): i32 {
  const id = idEnd(at);
  if (id === at || !stands(id, ': to=<')) return NOTHING;
  let comma = next(COMMA, id);
  while (comma < stop && !stands(comma, ', relay=')) comma = next(COMMA, comma + 1);
  if (comma >= stop) return NOTHING;
  const relay = comma + 8;
  const close = peer(relay);
  if (close === 0 || load<u8>(close) !== COLON || next(COMMA, relay) < close) return GENERAL;
  place(48, at);
  place(52, id);
  return DELIVERY;
}

/** `imap-login: Login: user=<…>, method=PLAIN, rip=…, lip=…, mpid=…, TLS, session=<…>` */
function login(start: usize): i32 {
  const colon = next(COLON, start);
  if (colon >= stop || load<u8>(colon - 1) !== 0x6e || load<u8>(colon - 6) !== 0x2d) return NOTHING;
  if (!stands(colon + 2, 'Login: ') && !stands(colon + 2, 'Logged in: ')) return GENERAL;
  const rip = behind(', rip=', COMMA, 0, colon);
  const method = behind('method=', EQUALS, 6, colon);
  if (rip >= stop || method >= rip) return GENERAL;
  const methodEnd = wordEnd(method);
  const ripEnd = next(COMMA, rip);
  if (load<u8>(methodEnd) !== COMMA || !stands(ripEnd, ', lip=')) return GENERAL;
  let at = wordEnd(ripEnd + 6);
  if (stands(at, ', mpid=')) at = wordEnd(at + 7);
  if (!stands(at, ', TLS, session=<') || wordEnd(at + 16) < stop) return GENERAL;
  address(rip, ripEnd);
  place(12, start);
  place(16, colon);
  place(20, method);
  place(24, methodEnd);
  place(28, rip);
  place(32, rip);
  place(36, ripEnd);
  store<i32>(record, hash(method, methodEnd, hash(start, colon, 0)), 48);
  return LOGIN;
}

/** The place behind the first text of that kind, which is told by a byte that it has at an offset. */
// @ts-ignore: functions have decorators here
@inline
function behind(text: string, byte: u8, offset: i32, from: usize): usize {
  let at = next(byte, from);
  while (at < stop && !stands(at - offset, text)) at = next(byte, at + 1);
  return at < stop ? at - offset + text.length : stop;
}

/** Reads `NAME[ADDRESS]` into the record. @returns the place behind it; 0 where there is none */
function peer(start: usize): usize {
  const open = next(OPEN, start);
  const close = next(CLOSE, open);
  if (close >= stop) return 0;
  place(28, start);
  place(32, open + 1);
  place(36, close);
  address(open + 1, close);
  return close + 1;
}

/** Writes the number of an address, and whether it is an IPv4 address itself; see `PeerTable`. */
function address(start: usize, to: usize): void {
  let value: i32 = 0;
  let part: i32 = 0;
  let digits: i32 = 0;
  let dots: i32 = 0;
  let hashed: i32 = 0;
  let plain = to - start <= 15;
  for (let at = start; at < to; at++) {
    const unit = load<u8>(at);
    hashed = hashed * factor + <i32>unit;
    if (unit === 46) {
      if (digits === 0 || part > 255) plain = false;
      value = (value << 8) | part;
      part = 0;
      digits = 0;
      dots++;
    } else if (isDigit(unit)) {
      // A second form of the same number would be another text.
      if (digits > 0 && part === 0) plain = false;
      part = part * 10 + <i32>(unit - ZERO);
      digits++;
    } else plain = false;
  }
  const isNumber = plain && dots === 3 && digits > 0 && part < 256;
  store<i32>(record, isNumber ? (value << 8) | part : hashed, 40);
  store<i32>(record, isNumber ? 1 : 0, 44);
}

/** Writes a place in the piece. */
function place(offset: usize, at: usize): void {
  store<i32>(record + offset, <i32>(at - PIECE));
}

/** Where the next line feed is; there is one. */
function lineFeed(from: usize): usize {
  const feeds = i8x16.splat(LINE_FEED);
  let at = from;
  let found = i8x16.bitmask(i8x16.eq(v128.load(at), feeds));
  while (found === 0) {
    at += 16;
    found = i8x16.bitmask(i8x16.eq(v128.load(at), feeds));
  }
  return at + ctz(found);
}

/** Where a byte stands next in the line; the end of the line where it does not. */
function next(byte: u8, from: usize): usize {
  const wanted = i8x16.splat(byte);
  for (let at = from; at < stop; at += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (found !== 0) return min(at + ctz(found), stop);
  }
  return stop;
}

/** Whether a text stands at a place. A text has two bytes for each character here. */
// @ts-ignore: functions have decorators here
@inline
function stands(at: usize, text: string): bool {
  const length = text.length;
  const own = changetype<usize>(text);
  if (length < 8) {
    for (let index = 0; index < length; index++)
      if (<u16>load<u8>(at + index) !== load<u16>(own + (index << 1))) return false;
    return true;
  }
  for (let index = 0; index < length; index += 8) {
    const start = min(index, length - 8);
    const eight = i16x8.eq(v128.load8x8_u(at + start), v128.load(own + (start << 1)));
    if (!i16x8.all_true(eight)) return false;
  }
  return true;
}

/** Whether the same bytes stand at two places: four or more of them. */
function same(at: usize, other: usize, length: i32): bool {
  if (length < 8) {
    const last = length - 4;
    return load<u32>(at) === load<u32>(other) && load<u32>(at + last) === load<u32>(other + last);
  }
  for (let index = 0; index < length; index += 8) {
    const start = min(index, length - 8);
    if (load<u64>(at + start) !== load<u64>(other + start)) return false;
  }
  return true;
}

/** A number made of a text as `hashOf` makes it, begun with another one. */
function hash(from: usize, to: usize, start: i32): i32 {
  let value = start;
  for (let at = from; at < to; at++) value = value * 31 + <i32>load<u8>(at);
  return value;
}

/** Where the first comma or space stands; the end of the line where there is none. */
function wordEnd(from: usize): usize {
  let at = from;
  while (at < stop && load<u8>(at) !== COMMA && load<u8>(at) !== SPACE) at++;
  return at;
}

/** Where a queue id ends, of digits and letters. */
function idEnd(from: usize): usize {
  let at = from;
  while (isDigit(load<u8>(at)) || isLetter(load<u8>(at))) at++;
  return at;
}

function isDigit(unit: u8): bool {
  return unit >= ZERO && unit <= 57;
}

function isLetter(unit: u8): bool {
  const small: u8 = unit | 32;
  return small >= 97 && small <= 122;
}
