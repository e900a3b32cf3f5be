// Reads the lines that most of a log consists of, and counts what they tell. WebAssembly, because the same in
// JavaScript takes several times as long. It is written in AssemblyScript, and `npm run wasm` makes lines.wasm of
// it. A line that it does not understand at once it leaves to those who understand every line (sessions.ts,
// dovecot-lines.ts), which come to the same where both can read a line.
import {
  ANSWERS,
  equal,
  FEEDS,
  HOST,
  HOSTS,
  IDENT,
  IDENTS,
  LINE_END,
  LINE_FOUND,
  LINE_START,
  LINES,
  LINES_FOUND,
  MOST_FEEDS,
  MOST_IDENTS,
  MOST_QUEUED,
  PIECE,
  places,
  PROGRAM_AT,
  QUEUE,
  QUEUED,
  some,
  TEXT,
} from './memory';
import { countPeer, fetched, fetchedRest, giveName, isAddress, isNamed, peerOf, reserveCounts, reservePeers, slotOf } from './peers';
import { countToday, find, FIRST, keyOf, keyOfNumbers, keyOfTwo, reserveRows, SECOND } from './rows';
import {
  AWAITS,
  bear,
  clear,
  DAY,
  FLAGS,
  LOGIN,
  LONGEST_ID,
  MAIL,
  OLDER,
  PEER_INDEX,
  QUEUE_ID,
  QUEUE_ID_LENGTH,
  REASON,
  reserveSessions,
  SERVICE,
  sessionOf,
  TLS_ROW,
} from './sessions';

export { block, blockLength, release } from './memory';
export {
  adoptPeers,
  countGroups,
  countPeer,
  countsAt,
  countsEnd,
  followPeers,
  labelsAt,
  peerOf,
  peersAt,
  peersLength,
  setFactors,
  spreadAdopted,
  textAt,
  textEnd,
} from './peers';
export { learn, todayAt } from './rows';
export { freeSession, newSession } from './sessions';

// What has become of a line; common-lines.ts has the same.
/** It is counted, or tells nothing. */
const DONE: i32 = 0;
/** It begins as none of those that are looked at. */
const OTHER_HEAD: i32 = 1;
/**
 * It is to be read the general way, which says in the last cases what the key stands for: for a row, for a reason
 * why TLS could not be made, for a mechanism and the row of who has logged in with it.
 */
const GENERAL: i32 = 2;
const NEW_ROW: i32 = 3;
const NEW_REASON: i32 = 4;
const NEW_LOGIN: i32 = 5;
/** It is to be read again when its program has a number, which the host gives it. */
const NEW_PROGRAM: i32 = 6;

// What keys are of.
const SUITE_IN: i32 = 1;
const SUITE_OUT: i32 = 2;
const MECHANISM: i32 = 3;
const LOGGED_IN: i32 = 4;
const ERROR: i32 = 5;
const LIBRARY_ERROR: i32 = 6;
const END: i32 = 7;
const DELIVERY: i32 = 8;

// What programs are.
const TELLS_NOTHING: i32 = 1;
const ALWAYS_GENERAL: i32 = 2;
const SMTPD: i32 = 3;
const SMTP: i32 = 4;
const LMTP: i32 = 5;
const DOVECOT: i32 = 6;

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

// See `setHeads`.
let hosts: i32 = 0;
let lastHost: usize = HOSTS;
let today: i32 = 0;

// Where the piece ends, where the next line begins that is not read, and where the next batch of lines begins; the
// lines of the batch that are not read, how many lines it has, and how many of them the host was told of.
let pieceEnd: usize = PIECE;
let next: usize = PIECE;
let batchEnd: usize = PIECE;
let found: usize = LINES_FOUND;
let foundEnd: usize = LINES_FOUND;
let batchLines: i32 = 0;
let passed: i32 = 0;
let feedsEnd: usize = FEEDS;

let idents: usize = 0;

export function pieceAt(): usize {
  return PIECE;
}

export function textPlace(): usize {
  return TEXT;
}

export function answersAt(): usize {
  return ANSWERS;
}

/**
 * Where it says how lines of a host begin: how long their stamp and the name of the host are with the spaces behind
 * them; the number of the host; how many processes it may have that are not known yet. Then the bytes, which of
 * them are given, and which are no space.
 */
export function hostAt(index: i32): usize {
  return HOSTS + <usize>index * HOST;
}

const HEAD_LENGTH: usize = 0;
const HOST_NUMBER: usize = 4;
const GIVEN: usize = 16;
const IS_GIVEN: usize = 144;
const IS_NO_SPACE: usize = 272;

/** Lines are looked at that begin as those of one of so many hosts; they are all of one day. */
export function setHeads(known: i32, day: i32): void {
  hosts = known;
  lastHost = HOSTS;
  today = day;
  // What was found begins as lines did before.
  next = 0;
}

/** Makes room for all that so many bytes of lines can tell. */
export function reserve(bytes: i32, rows: i32): void {
  // The shortest line that tells of anything has a stamp, a host, a program and a peer.
  const most = bytes / 24 + 1;
  reservePeers(most, bytes + most);
  reserveCounts(2 * most);
  reserveSessions(most);
  reserveRows(rows + 2 * most);
}

/** A piece is there, to be read from its beginning or from any line in it, up to the end of its last line. */
export function begin(to: i32): void {
  pieceEnd = PIECE + to;
  next = 0;
}

/**
 * Reads lines, each with its line feed, from a place in the piece to its end. It stops behind a line that it has
 * not understood.
 *
 * @returns what has become of the last line
 */
export function scan(from: i32): i32 {
  if (PIECE + from !== next) {
    batchEnd = PIECE + from;
    found = LINES_FOUND;
    foundEnd = LINES_FOUND;
    batchLines = 0;
    passed = 0;
  }
  const before = passed;
  let more = 0;
  let became = DONE;
  for (;;) {
    while (found < foundEnd && became === DONE) {
      became = readLine(found);
      found += LINE_FOUND;
    }
    if (became !== DONE) break;
    more += batchLines;
    batchLines = 0;
    if (batchEnd === pieceEnd) break;
    findLines();
  }
  countQueued();
  passed = 0;
  next = batchEnd;
  if (became !== DONE) {
    const last = found - LINE_FOUND;
    const stop: usize = load<u32>(last, LINE_STOP);
    store<i32>(LINE_START, load<i32>(last) - <i32>PIECE);
    store<i32>(LINE_END, <i32>(stop - PIECE));
    next = stop + 1;
    passed = load<i32>(last, LINE_INDEX) + 1;
    more += passed;
  }
  store<i32>(LINES, more - before);
  return became;
}

// Of a line that was found: where it begins and ends, its host, its program or 0, where the name of that ends, and
// how many lines of the batch stand before it.
const LINE_STOP: usize = 4;
const LINE_HOST: usize = 8;
const LINE_PROGRAM: usize = 12;
const LINE_AT: usize = 16;
const LINE_INDEX: usize = 20;

/**
 * Finds the next lines that tell something, or begin otherwise. Most tell nothing, but which ones nobody foresees:
 * to find them first takes less time than to turn aside for each of them.
 */
function findLines(): void {
  if (idents > MOST_IDENTS / 2) {
    // Of so many nobody knows which are common.
    memory.fill(IDENTS, 0, MOST_IDENTS * IDENT);
    idents = 0;
  }
  findFeeds();
  let line = batchEnd;
  let out = LINES_FOUND;
  let feed = FEEDS;
  let host = lastHost;
  for (; feed < feedsEnd; feed += 4) {
    const stop: usize = load<u32>(feed);
    store<u32>(out, <u32>line);
    store<u32>(out, <u32>stop, LINE_STOP);
    store<i32>(out, <i32>((feed - FEEDS) >> 2), LINE_INDEX);
    if (isOther(line, host)) {
      host = hostOf(line);
      if (host === 0) break;
    }
    const ident = line + load<u32>(host, HEAD_LENGTH);
    // The name ends at a bracket or a colon.
    const ends = i8x16.bitmask(nameEnds(v128.load(ident)));
    let at: usize = 0;
    let program: usize = 0;
    if (ends !== 0) {
      at = ident + ctz(ends);
      program = programOf(ident, ctz(ends));
    } else {
      at = nameEnd(ident + 16, stop);
      if (at - ident <= 32) program = longProgramOf(ident, <i32>(at - ident));
    }
    if (at >= stop || stop - line < 21 || load<u8>(at) === SPACE) {
      host = 0;
      break;
    }
    store<u32>(out, <u32>host, LINE_HOST);
    store<u32>(out, <u32>program, LINE_PROGRAM);
    store<u32>(out, <u32>at, LINE_AT);
    const kind = program === 0 ? kindOf(ident, at) : load<i32>(program, 36);
    out += kind === TELLS_NOTHING ? 0 : LINE_FOUND;
    line = stop + 1;
  }
  if (feed < feedsEnd) {
    store<u32>(out, 0, LINE_HOST);
    line = load<u32>(feed) + 1;
    feed += 4;
    out += LINE_FOUND;
  }
  batchLines = <i32>((feed - FEEDS) >> 2);
  batchEnd = line;
  found = LINES_FOUND;
  foundEnd = out;
}

/** The peer of a session is not looked for yet. */
const QUEUED_PEER: i32 = -2;

/** Where the next one goes. */
let queueEnd: usize = QUEUE;

/**
 * Counts a session later, together with others: the memory takes its time to say where a peer stands, and says it
 * of many at once as soon as of one. Whoever asks for peers or names first has to call `countQueued`.
 *
 * @param own takes the peer; 0 for none
 */
// @ts-ignore: functions have decorators here
@inline
function countLater(own: usize, row: i32, nameStart: usize, start: usize, end: usize): void {
  store<u32>(queueEnd, <u32>own);
  store<i32>(queueEnd, row, 4);
  store<u32>(queueEnd, <u32>nameStart, 8);
  store<u32>(queueEnd, <u32>start, 12);
  store<u32>(queueEnd, <u32>end, 16);
  queueEnd += QUEUED;
  if (queueEnd === QUEUE + QUEUED * MOST_QUEUED) countQueued();
}

function countQueued(): void {
  const end = queueEnd;
  for (let at = QUEUE; at < end; at += QUEUED) {
    const start = load<u32>(at, 12);
    store<u32>(at, <u32>slotOf(start, load<u32>(at, 16) - start), 20);
  }
  let sum = 0;
  for (let at = QUEUE; at < end; at += QUEUED) sum += fetched(load<u32>(at, 20));
  for (let at = QUEUE; at < end; at += QUEUED) {
    if (load<u32>(at, 16) - load<u32>(at, 12) > 16) sum += fetchedRest(load<u32>(at, 20));
  }
  // What is not used is not fetched.
  store<i32>(QUEUE, sum, 24);
  for (let at = QUEUE; at < end; at += QUEUED) {
    const own = load<u32>(at);
    const row = load<i32>(at, 4);
    const peer = peerOf(load<u32>(at, 8), load<u32>(at, 12), load<u32>(at, 16));
    countToday(row, 1);
    countPeer(peer, row, 1);
    if (own !== 0) store<i32>(own, peer, PEER_INDEX);
  }
  queueEnd = QUEUE;
}

/** The index of the peer of a session, or -1. */
// @ts-ignore: functions have decorators here
@inline
function peerOfSession(own: usize): i32 {
  if (load<i32>(own, PEER_INDEX) === QUEUED_PEER) countQueued();
  return load<i32>(own, PEER_INDEX);
}

/** Finds the next line feeds. */
function findFeeds(): void {
  let out = FEEDS;
  let at = batchEnd;
  while (out < FEEDS + 4 * MOST_FEEDS && at < pieceEnd) {
    let found = places(at, LINE_FEED);
    if (pieceEnd - at < 64) found &= (<u64>1 << <u64>(pieceEnd - at)) - 1;
    const count = <usize>popcnt(found);
    // Most often there is none or one, and to tell which would take longer.
    store<u32>(out, at + <usize>ctz(found));
    if (count > 1) {
      for (let more: usize = 4; more < count << 2; more += 4) {
        found &= found - 1;
        store<u32>(out + more, at + <usize>ctz(found));
      }
    }
    out += count << 2;
    at += 64;
  }
  feedsEnd = out;
}

/** Reads a line that was found. @returns what has become of it */
function readLine(line: usize): i32 {
  const host = load<u32>(line, LINE_HOST);
  if (host === 0) return OTHER_HEAD;
  const stop: usize = load<u32>(line, LINE_STOP);
  const program: usize = load<u32>(line, LINE_PROGRAM);
  const at: usize = load<u32>(line, LINE_AT);
  if (program === 0) return GENERAL;
  const kind = load<i32>(program, 36);
  const unit = load<u8>(at);
  if (kind === DOVECOT && unit === COLON) return login(at + 2, stop);
  if (kind === ALWAYS_GENERAL || kind === DOVECOT || unit !== OPEN) return GENERAL;
  // A process id of at most seven digits.
  const digits = load<u64>(at + 1);
  const closes = (digits ^ 0x5d5d5d5d5d5d5d5d);
  const bits = (<i64>ctz((closes - 0x0101010101010101) & ~closes & 0x8080808080808080)) & 0x78;
  if (bits === 0 || bits === 64) return GENERAL;
  const value = (digits << (64 - bits)) | (0x3030303030303030 >> bits);
  if (
    (value & 0xf0f0f0f0f0f0f0f0) !== 0x3030303030303030 ||
    ((value + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) !== 0x3030303030303030
  )
    return GENERAL;
  const message = at + 4 + <usize>(bits >> 3);
  if (load<u16>(message - 2) !== COLON_SPACE || message >= stop) return GENERAL;
  if (kind === LMTP) return lmtp(message);
  const service = load<i32>(program, 40);
  if (service < 0) {
    store<i32>(PROGRAM_AT, <i32>program);
    return NEW_PROGRAM;
  }
  const pid = numberOf(value);
  return kind === SMTPD ? smtpd(host, service, pid, message, stop) : smtp(host, service, pid, message, stop);
}

/** Eight digits as a number. */
// @ts-ignore: functions have decorators here
@inline
function numberOf(digits: u64): i32 {
  const twos = ((digits & 0x0f0f0f0f0f0f0f0f) * 2561) >> 8;
  const fours = ((twos & 0x00ff00ff00ff00ff) * 6553601) >> 16;
  return <i32>(((fours & 0x0000ffff0000ffff) * 42949672960001) >> 32);
}

/** Whether a line begins otherwise than those of a host. */
// @ts-ignore: functions have decorators here
@inline
function isOther(line: usize, host: usize): bool {
  const wrong = v128.or(wrongBytes(line, host), wrongBytes(line + 16, host + 16));
  return v128.any_true(wrong) || (load<u32>(host, HEAD_LENGTH) > 32 && otherRest(line, host));
}

function otherRest(line: usize, host: usize): bool {
  const length = load<u32>(host, HEAD_LENGTH);
  for (let at: usize = 32; at < length; at += 16) {
    if (v128.any_true(wrongBytes(line + at, host + at))) return true;
  }
  return false;
}

/** Which of sixteen bytes are other ones than those that are given, or a space where there is none. */
// @ts-ignore: functions have decorators here
@inline
function wrongBytes(at: usize, host: usize): v128 {
  const units = v128.load(at);
  return v128.or(
    v128.and(v128.xor(units, v128.load(host, GIVEN)), v128.load(host, IS_GIVEN)),
    v128.and(i8x16.eq(units, i8x16.splat(SPACE)), v128.load(host, IS_NO_SPACE)),
  );
}

/** The host whose lines begin so; 0 for none. */
function hostOf(line: usize): usize {
  for (let index = 0; index < hosts; index++) {
    const host = hostAt(index);
    if (!isOther(line, host)) {
      lastHost = host;
      return host;
    }
  }
  return 0;
}

// @ts-ignore: functions have decorators here
@inline
function nameEnds(units: v128): v128 {
  return v128.or(
    v128.or(i8x16.eq(units, i8x16.splat(OPEN)), i8x16.eq(units, i8x16.splat(SPACE))),
    i8x16.eq(units, i8x16.splat(COLON)),
  );
}

function nameEnd(from: usize, stop: usize): usize {
  for (let at = from; at < stop; at += 16) {
    const ends = i8x16.bitmask(nameEnds(v128.load(at)));
    if (ends !== 0) return at + ctz(ends);
  }
  return stop;
}

/** What is known of the program of a name of at most 15 bytes. */
// @ts-ignore: functions have decorators here
@inline
function programOf(ident: usize, length: i32): usize {
  const head = some(ident, length);
  const at = identSlot(head);
  return load<i32>(at, 32) === length && equal(v128.load(at), head) ? at : longProgramOf(ident, length);
}

/** What is known of the program of a name of at most 32 bytes. */
function longProgramOf(ident: usize, length: i32): usize {
  const head = some(ident, length);
  const rest = some(ident + 16, length - 16);
  let at = identSlot(head);
  while (load<i32>(at, 32) !== length || !equal(v128.load(at), head) || !equal(v128.load(at, 16), rest)) {
    if (load<i32>(at, 36) === 0) return newProgram(ident, length);
    at += IDENT;
    if (at === IDENTS + MOST_IDENTS * IDENT) at = IDENTS;
  }
  return at;
}

// @ts-ignore: functions have decorators here
@inline
function identSlot(head: v128): usize {
  const hash = (i64x2.extract_lane(head, 0) + (i64x2.extract_lane(head, 1) << 1)) * 0x9e3779b97f4a7c15;
  return IDENTS + <usize>(<u64>hash >> 53) * IDENT;
}

function newProgram(ident: usize, length: i32): usize {
  idents++;
  const head = some(ident, length);
  const rest = some(ident + 16, length - 16);
  let at = identSlot(head);
  while (load<i32>(at, 36) !== 0) {
    at += IDENT;
    if (at === IDENTS + MOST_IDENTS * IDENT) at = IDENTS;
  }
  v128.store(at, head);
  v128.store(at, rest, 16);
  store<i32>(at, length, 32);
  store<i32>(at, kindOf(ident, ident + length), 36);
  store<i32>(at, -1, 40);
  return at;
}

/** What a program is: what stands behind the last slash of its name, which daemons of Postfix have. */
function kindOf(ident: usize, end: usize): i32 {
  let program = end;
  while (program > ident && load<u8>(program - 1) !== SLASH) program--;
  const named = program > ident;
  const first = load<u32>(program);
  switch (<i32>(end - program)) {
    case 4:
      if (!named) return TELLS_NOTHING;
      return first === 0x70746d73 ? SMTP : first === 0x70746d6c ? LMTP : TELLS_NOTHING;
    case 5:
      return named && first === 0x70746d73 && load<u8>(end - 1) === 0x64 ? SMTPD : TELLS_NOTHING;
    case 7:
      return first === 0x65766f64 && load<u32>(end - 4) === 0x746f6365 ? DOVECOT : TELLS_NOTHING;
    case 8:
      return named && load<u64>(program) === 0x79786f7270736c74 ? ALWAYS_GENERAL : TELLS_NOTHING;
    default:
      // imap-login
      return load<u8>(end - 1) === 0x6e && load<u8>(end - 6) === 0x2d ? ALWAYS_GENERAL : TELLS_NOTHING;
  }
}

/** The session of a process, where lines that tell of it can be read here; 0 otherwise. */
// @ts-ignore: functions have decorators here
@inline
function session(host: usize, service: i32, pid: i32): usize {
  const found = sessionOf(load<i32>(host, 4), pid);
  if (found === 0 || load<i32>(found, SERVICE) !== service) return 0;
  return (load<i32>(found, FLAGS) & (AWAITS | OLDER)) === 0 ? found : 0;
}

/** The session of a process whose line tells that a new one begins. */
function begun(host: usize, service: i32, pid: i32): usize {
  const own = session(host, service, pid);
  if (own !== 0 || sessionOf(load<i32>(host, 4), pid) !== 0) return own;
  return bear(host, pid, service, today) ? sessionOf(load<i32>(host, 4), pid) : 0;
}

/** The line `connect`. */
function connect(host: usize, service: i32, pid: i32): i32 {
  const own = sessionOf(load<i32>(host, 4), pid);
  if (own === 0) return bear(host, pid, service, today) ? DONE : GENERAL;
  if (load<i32>(own, SERVICE) !== service || load<i32>(own, FLAGS) !== 0) return GENERAL;
  return load<i32>(own, PEER_INDEX) === -1 && load<i32>(own, REASON) < 0 ? DONE : GENERAL;
}

/** Deliveries to lmtp(8) tell nothing of peers. */
function lmtp(at: usize): i32 {
  const id = idEnd(at);
  return id === at || load<u8>(id) !== COLON || load<u8>(at) === 0x77 ? GENERAL : DONE;
}

function smtpd(host: usize, service: i32, pid: i32, at: usize, stop: usize): i32 {
  switch (<i32>load<u8>(at)) {
    case 0x63: // connect
      if (!begins(at, 0x207463656e6e6f63, 0x206d6f7266207463, 5)) return GENERAL;
      return connect(host, service, pid);
    case 0x64: // disconnect
      if (!begins(at, 0x656e6e6f63736964, 0x206d6f7266207463, 8)) return GENERAL;
      return disconnect(session(host, service, pid), service, at + 16, stop);
    case 0x6c: // lost connection after STARTTLS
      return load<u16>(at + 22) === 0x5453 ? lost(session(host, service, pid)) : DONE;
    case 0x4e: // NOQUEUE: lost connection
      return load<u8>(at + 9) !== 0x6c ? DONE : lost(session(host, service, pid));
    case 0x77: // warning: TLS library problem
      return load<u8>(at + 9) === 0x54 ? problem(session(host, service, pid), at, stop) : DONE;
    case 0x53: // SSL_accept error
      return refusal(session(host, service, pid), at, stop);
    default: {
      const tls = established(at);
      // TLS connection established from
      if (tls !== 0 && isEstablished(tls) && load<u64>(tls + 24) === 0x206d6f7266206465)
        return readTls(begun(host, service, pid), service, SUITE_IN, tls + 32, stop);
      return client(host, service, pid, at, stop);
    }
  }
}

function smtp(host: usize, service: i32, pid: i32, at: usize, stop: usize): i32 {
  const first = load<u8>(at);
  // SSL_connect error, warning
  if (first === 0x53 || first === 0x77) return GENERAL;
  const tls = established(at);
  // TLS connection established to
  if (tls !== 0 && isEstablished(tls) && load<u64>(tls + 22) === 0x206f742064656873)
    return readTls(begun(host, service, pid), service, SUITE_OUT, tls + 30, stop);
  return delivery(host, service, pid, at, stop);
}

/** Whether a text stands at a place, which is given as its first eight bytes and those from an offset on. */
// @ts-ignore: functions have decorators here
@inline
function begins(at: usize, first: u64, second: u64, offset: usize): bool {
  return load<u64>(at) === first && load<u64>(at + offset) === second;
}

/** Where `TLS connection established` stands in a message that begins with what the certificate is worth. */
// @ts-ignore: functions have decorators here
@inline
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

/** `TLS connection establish` */
// @ts-ignore: functions have decorators here
@inline
function isEstablished(at: usize): bool {
  return begins(at, 0x6e6e6f6320534c54, 0x65206e6f69746365, 8) && load<u64>(at + 16) === 0x6873696c62617473;
}

/** `NAME[ADDRESS]: PROTOCOL with cipher SUITE …` */
function readTls(own: usize, service: i32, kind: i32, start: usize, stop: usize): i32 {
  if (own === 0 || load<i32>(own, REASON) >= 0) return GENERAL;
  const open = placeOf(OPEN, start, stop);
  const close = placeOf(CLOSE, open, stop);
  if (close >= stop || load<u8>(close + 1) !== COLON) return GENERAL;
  let at = close + 2;
  if (load<u8>(at) !== SPACE) {
    // The port of the peer.
    while (isDigit(load<u8>(at))) at++;
    if (load<u16>(at) !== COLON_SPACE) return GENERAL;
    at++;
  }
  at++;
  // Behind the protocol there are two words, and then the suite.
  let gaps = places(at, SPACE);
  if (gaps === 0) return GENERAL;
  const words = at + <usize>ctz(gaps);
  const cipher = words + 13;
  if (cipher >= stop || cipher - at >= 64 || !begins(words, 0x6963206874697720, 0x2072656870696320, 5))
    return GENERAL;
  gaps &= ~((<u64>1 << <u64>(cipher - at)) - 1);
  const end = gaps === 0 ? stop : min(at + <usize>ctz(gaps), stop);
  const length = <i32>(end - at);
  if (length > 64) return GENERAL;
  keyOf(kind, service, at, length);
  const suite = find();
  if (suite === 0) return NEW_ROW;
  const row = load<i32>(suite, FIRST);
  store<i32>(own, 0, FLAGS);
  store<i32>(own, QUEUED_PEER, PEER_INDEX);
  store<i32>(own, today, DAY);
  store<i32>(own, row, TLS_ROW);
  store<i32>(own, -1, LOGIN);
  store<i32>(own, 0, QUEUE_ID_LENGTH);
  countLater(own, row, start, open + 1, close);
  return DONE;
}

/** `QUEUEID: client=NAME[ADDRESS], sasl_method=PLAIN, sasl_username=…` */
function client(host: usize, service: i32, pid: i32, at: usize, stop: usize): i32 {
  const id = idEnd(at);
  // `: client=`
  if (id === at || !begins(id, 0x746e65696c63203a, 0x3d746e65696c6320, 1)) return DONE;
  const own = session(host, service, pid);
  if (own === 0) return GENERAL;
  const close = placeOf(CLOSE, id + 9, stop);
  if (close + 1 < stop) {
    // `, sasl_method=`
    if (!begins(close + 1, 0x6d5f6c736173202c, 0x3d646f6874656d5f, 6)) return GENERAL;
    const method = close + 15;
    let end = method;
    let unit = load<u8>(end);
    while (unit > SPACE && unit < 0x7f && unit !== COMMA) unit = load<u8>(++end);
    const length = <i32>(end - method);
    if (unit !== COMMA || length === 0 || length > 64) return GENERAL;
    const tls = load<i32>(own, TLS_ROW);
    const first = tls >= 0 && load<i32>(own, LOGIN) < 0;
    if (first && load<i32>(own, DAY) !== today) return GENERAL;
    keyOf(MECHANISM, first ? tls : -1, method, length);
    const mechanism = find();
    if (mechanism === 0) return NEW_LOGIN;
    if (first) {
      const row = load<i32>(mechanism, FIRST);
      const peer = peerOfSession(own);
      // It was counted before the user was known.
      countToday(tls, -1);
      countPeer(peer, tls, -1);
      countToday(row, 1);
      countPeer(peer, row, 1);
    }
    store<i32>(own, load<i32>(mechanism, SECOND), LOGIN);
  }
  store<i32>(own, load<i32>(own, FLAGS) | MAIL, FLAGS);
  return DONE;
}

/** `SSL_accept error from NAME[ADDRESS]: …` */
function refusal(own: usize, at: usize, stop: usize): i32 {
  // What was refused before and not counted.
  if (own === 0 || load<i32>(own, REASON) >= 0) return GENERAL;
  if (!begins(at, 0x656363615f4c5353, 0x726f727265207470, 8) || load<u64>(at + 14) !== 0x206d6f726620726f) return GENERAL;
  const open = placeOf(OPEN, at + 22, stop);
  const close = placeOf(CLOSE, open, stop);
  if (close + 2 >= stop || load<u16>(close + 1) !== COLON_SPACE) return GENERAL;
  const length = <i32>(stop - close) - 3;
  if (length > 64) return GENERAL;
  keyOf(ERROR, 0, close + 3, length);
  const reason = find();
  if (reason === 0) return NEW_REASON;
  countQueued();
  clear(own);
  store<i32>(own, peerOf(at + 22, open + 1, close), PEER_INDEX);
  store<i32>(own, today, DAY);
  store<i32>(own, load<i32>(reason, SECOND), REASON);
  return DONE;
}

/** `warning: TLS library problem: error:0A000102:SSL routines:FUNCTION:unsupported protocol:FILE:LINE:` */
function problem(own: usize, at: usize, stop: usize): i32 {
  if (own === 0) return GENERAL;
  if (!begins(at, 0x3a676e696e726177, 0x62696c20534c5420, 8)) return GENERAL;
  if (!begins(at + 16, 0x6f72702079726172, 0x3a6d656c626f7270, 5) || load<u8>(at + 29) !== SPACE) return GENERAL;
  let colons = places(at + 30, COLON);
  for (let before = 0; before < 3; before++) colons &= colons - 1;
  const from = at + 31 + <usize>ctz(colons);
  colons &= colons - 1;
  const to = at + 30 + <usize>ctz(colons);
  if (colons === 0 || to >= stop || from === to) return GENERAL;
  keyOf(LIBRARY_ERROR, 0, from, <i32>(to - from));
  const reason = find();
  if (reason === 0) return NEW_REASON;
  store<i32>(own, load<i32>(reason, SECOND), REASON);
  return DONE;
}

/** That the connection was lost says nothing where there is a better reason why TLS was not made. */
function lost(own: usize): i32 {
  return own === 0 || load<i32>(own, REASON) < 0 ? GENERAL : DONE;
}

/** `NAME[ADDRESS] ehlo=1 … commands=1` */
function disconnect(own: usize, service: i32, start: usize, stop: usize): i32 {
  if (own === 0) return GENERAL;
  const open = placeOf(OPEN, start, stop);
  const close = placeOf(CLOSE, open, stop);
  if (close >= stop) return GENERAL;
  const peer = peerOfSession(own);
  if (peer >= 0 && !isAddress(peer, open + 1, <i32>(close - open) - 1)) return GENERAL;
  if (load<i32>(own, TLS_ROW) < 0) {
    const became = ended(own, service, start, open + 1, close, stop);
    if (became !== DONE) return became;
  }
  clear(own);
  return DONE;
}

/** What stands behind the peer in the commands: `mail` or `auth` that was taken, `starttls` that was not. */
const SPOKE: i32 = 1;
const NOT_STARTED: i32 = 2;
const ODD: i32 = 4;

/** Counts a session of which no line told that TLS was made. */
function ended(own: usize, service: i32, start: usize, address: usize, close: usize, stop: usize): i32 {
  const did = commands(close + 1, stop);
  if (did === ODD) return GENERAL;
  const reason = load<i32>(own, REASON);
  if (did === 0 && reason < 0) return DONE;
  // 127. and ::
  if (load<u32>(address) === 0x2e373231 || load<u16>(address) === 0x3a3a) return GENERAL;
  keyOfNumbers(
    END,
    service,
    (<u64>(<u32>reason) << 32) | <u64>load<u32>(own, LOGIN),
    did,
  );
  const found = find();
  if (found === 0) return NEW_ROW;
  const row = load<i32>(found, FIRST);
  if (row >= 0) countLater(0, row, start, address, close);
  return DONE;
}

/** What a session did, as its commands say: ` ehlo=1 starttls=0/1 commands=1/2`. */
function commands(from: usize, stop: usize): i32 {
  if (load<u8>(from) !== SPACE || placeOf(EQUALS, from, stop) >= stop) return ODD;
  let did = 0;
  for (let at = from; at < stop; at = placeOf(SPACE, at + 1, stop)) {
    const first = load<u8>(at + 1);
    if (first === 0x6d || first === 0x61) {
      const word = load<u32>(at + 1);
      const digit = load<u8>(at + 6) - ZERO;
      // mail= and auth=
      if ((word === 0x6c69616d || word === 0x68747561) && load<u8>(at + 5) === EQUALS && digit - 1 < 9) did |= SPOKE;
    } else if (first === 0x73 && load<u64>(at + 1) === 0x736c747472617473 && load<u8>(at + 9) === EQUALS) {
      if (did & NOT_STARTED || load<u8>(at + 10) !== ZERO || isDigit(load<u8>(at + 11))) return ODD;
      did |= NOT_STARTED;
    }
  }
  return did;
}

/** `QUEUEID: to=<…>, relay=NAME[ADDRESS]:25, conn_use=2, …, status=sent (…)` */
function delivery(host: usize, service: i32, pid: i32, at: usize, stop: usize): i32 {
  const id = idEnd(at);
  // `: to=<`
  if (id === at || load<u32>(id) !== 0x6f74203a || load<u16>(id + 4) !== 0x3c3d) return DONE;
  let comma = placeOf(COMMA, id, stop);
  // `, relay=`
  while (comma < stop && load<u64>(comma) !== 0x3d79616c6572202c) comma = placeOf(COMMA, comma + 1, stop);
  if (comma >= stop) return DONE;
  const relay = comma + 8;
  const open = placeOf(OPEN, relay, stop);
  const close = placeOf(CLOSE, open, stop);
  if (close >= stop || load<u8>(close + 1) !== COLON || placeOf(COMMA, relay, stop) < close) return GENERAL;
  const own = session(host, service, pid);
  const length = <i32>(id - at);
  if (own === 0 || load<i32>(own, REASON) >= 0 || length > LONGEST_ID) return GENERAL;
  const before = load<i32>(own, QUEUE_ID_LENGTH);
  const first = some(at, length);
  const rest = <u32>i32x4.extract_lane(some(at + 16, length - 16), 0);
  let peer = peerOfSession(own);
  const same =
    before === length && equal(some(own + QUEUE_ID, length), first) && load<u32>(own, QUEUE_ID + 16) === rest;
  if (
    peer >= 0 &&
    (same || (before === 0 && load<i32>(own, TLS_ROW) >= 0)) &&
    isAddress(peer, open + 1, <i32>(close - open) - 1)
  ) {
    // It goes over the connection that was counted.
    if (!isNamed(peer)) {
      countQueued();
      if (!isNamed(peer)) giveName(peer, relay, open + 1, close);
    }
  } else {
    const state = deliveryState(close, stop);
    // 127. and ::
    if (state === ODD || load<u32>(open + 1) === 0x2e373231 || load<u16>(open + 1) === 0x3a3a) return GENERAL;
    let row = -1;
    if (state === SENT) {
      keyOfNumbers(DELIVERY, service, 0, 0);
      const found = find();
      if (found === 0) return NEW_ROW;
      row = load<i32>(found, FIRST);
    }
    countQueued();
    peer = peerOf(relay, open + 1, close);
    if (row >= 0) {
      countToday(row, 1);
      countPeer(peer, row, 1);
    }
    store<i32>(own, peer, PEER_INDEX);
    store<i32>(own, today, DAY);
    store<i32>(own, -1, TLS_ROW);
  }
  v128.store(own, first, QUEUE_ID);
  store<u32>(own, rest, QUEUE_ID + 16);
  store<i32>(own, length, QUEUE_ID_LENGTH);
  return DONE;
}

const SENT: i32 = 1;

/** What a delivery that no line of TLS came before says of itself: sent, nothing, or something else. */
function deliveryState(from: usize, stop: usize): i32 {
  let sent = false;
  let kept = false;
  for (let comma = placeOf(COMMA, from, stop); comma < stop; comma = placeOf(COMMA, comma + 1, stop)) {
    const word = load<u64>(comma);
    if (word === 0x737574617473202c) {
      // TLS is required, but
      if (load<u64>(placeOf(SPACE, comma + 2, stop)) === 0x736920534c542820) return ODD;
      if (load<u32>(comma + 8) === 0x6e65733d && load<u8>(comma + 12) === 0x74) sent = true;
    } else if (<u32>word === 0x6c74202c) return ODD;
    else if (word === 0x755f6e6e6f63202c && load<u32>(comma + 7) === 0x3d657375) kept = true;
  }
  // A connection that was kept open tells nothing of its TLS here.
  return sent && !kept ? SENT : 0;
}

/** `imap-login: Login: user=<…>, method=PLAIN, rip=…, lip=…, mpid=…, TLS, session=<…>` */
function login(start: usize, stop: usize): i32 {
  const colon = placeOf(COLON, start, stop);
  if (colon >= stop || load<u8>(colon - 1) !== 0x6e || load<u8>(colon - 6) !== 0x2d) return DONE;
  // `Login: `, `Logged in: `
  if (!isLogin(colon + 2) && !begins(colon + 2, 0x6920646567676f4c, 0x203a6e6920646567, 3)) return GENERAL;
  let rip = placeOf(COMMA, colon, stop);
  while (rip < stop && !isRip(rip)) rip = placeOf(COMMA, rip + 1, stop);
  let method = placeOf(EQUALS, colon, stop);
  while (method < stop && !isMethod(method)) method = placeOf(EQUALS, method + 1, stop);
  rip += 6;
  method++;
  if (rip >= stop || method >= rip) return GENERAL;
  const methodEnd = wordEnd(method, stop);
  const ripEnd = placeOf(COMMA, rip, stop);
  // `, lip=`
  if (load<u8>(methodEnd) !== COMMA || load<u32>(ripEnd) !== 0x696c202c || load<u16>(ripEnd + 4) !== 0x3d70)
    return GENERAL;
  let at = wordEnd(ripEnd + 6, stop);
  // `, mpid=`
  if (load<u32>(at) === 0x706d202c && load<u32>(at + 3) === 0x3d646970) at = wordEnd(at + 7, stop);
  // `, TLS, session=<`
  if (!begins(at, 0x73202c534c54202c, 0x3c3d6e6f69737365, 8) || wordEnd(at + 16, stop) < stop) return GENERAL;
  const length = <i32>(colon - start);
  const methodLength = <i32>(methodEnd - method);
  if (length > 32 || methodLength > 32) return GENERAL;
  keyOfTwo(LOGGED_IN, start, length, method, methodLength);
  const known = find();
  if (known === 0) return NEW_ROW;
  countLater(0, load<i32>(known, FIRST), rip, rip, ripEnd);
  return DONE;
}

// @ts-ignore: functions have decorators here
@inline
function isLogin(at: usize): bool {
  return load<u32>(at) === 0x69676f4c && load<u32>(at + 3) === 0x203a6e69;
}

/** `, rip=` */
// @ts-ignore: functions have decorators here
@inline
function isRip(at: usize): bool {
  return load<u32>(at) === 0x6972202c && load<u16>(at + 4) === 0x3d70;
}

/** `method=`, which ends at a place. */
// @ts-ignore: functions have decorators here
@inline
function isMethod(at: usize): bool {
  return load<u32>(at - 6) === 0x6874656d && load<u32>(at - 3) === 0x3d646f68;
}

/** Where a byte stands next in the line; the end of the line where it does not. */
// @ts-ignore: functions have decorators here
@inline
function placeOf(byte: u8, from: usize, stop: usize): usize {
  const found = places(from, byte);
  return found !== 0 ? min(from + <usize>ctz(found), stop) : farPlaceOf(byte, from + 64, stop);
}

function farPlaceOf(byte: u8, from: usize, stop: usize): usize {
  for (let at = from; at < stop; at += 64) {
    const found = places(at, byte);
    if (found !== 0) return min(at + <usize>ctz(found), stop);
  }
  return stop;
}

/** Where the first comma or space stands; the end of the line where there is none. */
function wordEnd(from: usize, stop: usize): usize {
  for (let at = from; at < stop; at += 16) {
    const units = v128.load(at);
    const ends = i8x16.bitmask(
      v128.or(i8x16.eq(units, i8x16.splat(COMMA)), i8x16.eq(units, i8x16.splat(SPACE))),
    );
    if (ends !== 0) return min(at + ctz(ends), stop);
  }
  return stop;
}

/** Where a queue id ends, of digits and letters. */
// @ts-ignore: functions have decorators here
@inline
function idEnd(from: usize): usize {
  const other = otherThanId(from);
  return other !== 0 ? from + ctz(other) : farIdEnd(from + 16);
}

function farIdEnd(from: usize): usize {
  let at = from;
  let other = otherThanId(at);
  while (other === 0) {
    at += 16;
    other = otherThanId(at);
  }
  return at + ctz(other);
}

/** Which of sixteen bytes are no digits and no letters, a bit for each. */
// @ts-ignore: functions have decorators here
@inline
function otherThanId(at: usize): i32 {
  const units = v128.load(at);
  const digits = i8x16.lt_u(i8x16.sub(units, i8x16.splat(ZERO)), i8x16.splat(10));
  const small = v128.or(units, i8x16.splat(32));
  const letters = i8x16.lt_u(i8x16.sub(small, i8x16.splat(97)), i8x16.splat(26));
  return i8x16.bitmask(v128.or(digits, letters)) ^ 0xffff;
}

function isDigit(unit: u8): bool {
  return unit >= ZERO && unit <= 57;
}
