import type { DayTable } from './days.ts';

/**
 * A line of a mail log, and what its head says: when, on which host, by which program and process. Known are the
 * stamp of RFC 3164 and of rsyslog's traditional files (`Nov 26 15:12:28`, with a fraction too), that of
 * RFC 3339 (Debian's rsyslog from 12, `journalctl -o short-iso`), the header of RFC 5424, each with and
 * without a priority before it, and Dovecot's own files, which name no host.
 *
 * One record is filled again and again: a log has millions of lines.
 */
export interface Line {
  /** The piece of the log that holds the line: its bytes, and the same bytes as Latin-1. */
  text: string;
  bytes: Uint8Array;
  /** Where the line ends, without its line feed. */
  end: number;
  /** Index in the table of days. */
  day: number;
  hostStart: number;
  hostEnd: number;
  /** `postfix/submission/smtpd`. */
  identStart: number;
  identEnd: number;
  /** A number made of the name: the same for the same name, and as good as never for two. */
  identHash: number;
  /** Which of the programs that are looked at the last part of the name is. */
  program: Program;
  /** 0 where none is given. */
  pid: number;
  /** Where the message begins. */
  message: number;
}

/** Programs whose lines tell of sessions. */
export const enum Program {
  Other,
  Smtpd,
  Smtp,
  Lmtp,
  Tlsproxy,
  /** Tells of senders only. */
  Qmgr,
  /** `dovecot`, whose message begins with the name of the process. */
  Dovecot,
  /** `imap-login` and its kin, in Dovecot's own files. */
  Login,
}

/** A line to be filled. */
export function emptyLine(): Line {
  return {
    text: '',
    bytes: new Uint8Array(0),
    end: 0,
    day: 0,
    hostStart: 0,
    hostEnd: 0,
    identStart: 0,
    identEnd: 0,
    identHash: 0,
    program: Program.Other,
    pid: 0,
    message: 0,
  };
}

const SPACE = 32;
const COLON = 58;
const SLASH = 47;
const OPEN = 91;
const CLOSE = 93;
const DASH = 45;
const LESS = 60;
const ZERO = 48;

/**
 * Reads the head of the line that begins at `start` and ends at `line.end`.
 *
 * @returns false where it is none that is known; what `line` holds of a head then means nothing
 */
export function readHead(line: Line, start: number, days: DayTable): boolean {
  const { bytes, end } = line;
  let at = start;
  let structured = false;
  if (bytes[at] === LESS) {
    do at++;
    while (at < end && isDigit(byteAt(bytes, at)));
    if (bytes[at] !== 62) return false;
    at++;
    // RFC 5424 puts the version of the protocol right behind the priority.
    if (bytes[at] === 49 && bytes[at + 1] === SPACE) {
      structured = true;
      at += 2;
    }
  }
  const stamped = isDigit(byteAt(bytes, at)) ? datedStamp(line, at, days) : undatedStamp(line, at, days);
  if (stamped < 0) return false;
  at = stamped + 1;
  // rsyslog pads nothing, but other writers align.
  while (bytes[at] === SPACE && at < end) at++;
  return structured ? structuredRest(line, at) : plainRest(line, at);
}

/** `HOST IDENT[PID]: MESSAGE`, or `IDENT: MESSAGE`. */
function plainRest(line: Line, start: number): boolean {
  const { bytes, end } = line;
  line.hostStart = start;
  let at = start;
  let unit = byteAt(bytes, at);
  while (unit !== SPACE && at < end) unit = byteAt(bytes, ++at);
  if (at >= end) return false;
  if (bytes[at - 1] === COLON) {
    line.hostEnd = start;
    return identRest(line, start);
  }
  line.hostEnd = at;
  return identRest(line, at + 1);
}

function identRest(line: Line, start: number): boolean {
  const { bytes, end } = line;
  let at = start;
  let program = start;
  let hash = 0;
  let unit = byteAt(bytes, at);
  while (unit !== OPEN && unit !== COLON && unit !== SPACE && at < end) {
    if (unit === SLASH) program = at + 1;
    hash = (Math.imul(hash, 31) + unit) | 0;
    unit = byteAt(bytes, ++at);
  }
  if (at >= end || unit === SPACE) return false;
  line.program = programOf(line, program, at, program > start);
  if (line.program === Program.Other) return true;
  line.identStart = start;
  line.identEnd = at;
  line.identHash = hash;
  let pid = 0;
  if (unit === OPEN) {
    unit = byteAt(bytes, ++at);
    while (isDigit(unit)) {
      pid = pid * 10 + (unit - ZERO);
      unit = byteAt(bytes, ++at);
    }
    if (unit !== CLOSE || bytes[++at] !== COLON) return false;
  }
  line.pid = pid;
  line.message = Math.min(at + 2, end);
  return true;
}

/**
 * The program of a name, or of its last part.
 *
 * @param named a slash stands before it: daemons of Postfix are always logged as NAME/PROGRAM
 */
export function programOf(
  { text, bytes }: Pick<Line, 'text' | 'bytes'>,
  start: number,
  end: number,
  named: boolean,
): Program {
  const first = bytes[start];
  switch (end - start) {
    case 4:
      if (!named) return Program.Other;
      if (first === 0x73) return text.startsWith('smtp', start) ? Program.Smtp : Program.Other;
      if (first === 0x71) return text.startsWith('qmgr', start) ? Program.Qmgr : Program.Other;
      return first === 0x6c && text.startsWith('lmtp', start) ? Program.Lmtp : Program.Other;
    case 5:
      return named && first === 0x73 && bytes[end - 1] === 0x64 && text.startsWith('smtp', start)
        ? Program.Smtpd
        : Program.Other;
    case 7:
      return first === 0x64 && text.startsWith('dovecot', start) ? Program.Dovecot : Program.Other;
    case 8:
      return named && first === 0x74 && text.startsWith('tlsproxy', start) ? Program.Tlsproxy : Program.Other;
    default:
      return bytes[end - 1] === 0x6e && text.startsWith('-login', end - 6) && end - 6 > start
        ? Program.Login
        : Program.Other;
  }
}

/** `HOST APP-NAME PROCID MSGID STRUCTURED-DATA MESSAGE` (RFC 5424 section 6). */
function structuredRest(line: Line, start: number): boolean {
  const { text, bytes, end } = line;
  const hostEnd = text.indexOf(' ', start);
  if (hostEnd < 0 || hostEnd >= end) return false;
  const identEnd = text.indexOf(' ', hostEnd + 1);
  if (identEnd < 0 || identEnd >= end) return false;
  const pidEnd = text.indexOf(' ', identEnd + 1);
  if (pidEnd < 0 || pidEnd >= end) return false;
  const idEnd = text.indexOf(' ', pidEnd + 1);
  if (idEnd < 0 || idEnd >= end) return false;
  let at = idEnd + 1;
  if (bytes[at] === DASH) at++;
  else {
    // Each element ends at the first bracket that no backslash stands before.
    while (bytes[at] === OPEN && at < end) {
      do at++;
      while (at < end && (bytes[at] !== CLOSE || bytes[at - 1] === 92));
      at++;
    }
  }
  line.hostStart = start;
  line.hostEnd = hostEnd;
  line.identStart = hostEnd + 1;
  line.identEnd = identEnd;
  const slash = text.lastIndexOf('/', identEnd - 1);
  const program = slash > hostEnd ? slash + 1 : hostEnd + 1;
  line.program = programOf(line, program, identEnd, slash > hostEnd);
  line.identHash = hashOf(text.slice(hostEnd + 1, identEnd));
  let pid = 0;
  for (let digit = identEnd + 1; digit < pidEnd && isDigit(byteAt(bytes, digit)); digit++)
    pid = pid * 10 + (byteAt(bytes, digit) - ZERO);
  line.pid = pid;
  at++;
  // A byte order mark says that the message is UTF-8; as Latin-1 it is three characters.
  if (text.startsWith('\u00ef\u00bb\u00bf', at)) at += 3;
  line.message = Math.min(at, end);
  return true;
}

/** `Nov 26 15:12:28`, with or without a fraction. @returns where it ends, or -1 */
function undatedStamp(line: Line, start: number, days: DayTable): number {
  const { text, bytes, end } = line;
  if (
    end - start < 20 ||
    bytes[start + 3] !== SPACE ||
    bytes[start + 6] !== SPACE ||
    bytes[start + 9] !== COLON ||
    bytes[start + 12] !== COLON
  ) {
    return -1;
  }
  const month = monthOf(byteAt(bytes, start + 1), byteAt(bytes, start + 2));
  const tens = byteAt(bytes, start + 4);
  const day = (tens === SPACE ? 0 : (tens - ZERO) * 10) + (byteAt(bytes, start + 5) - ZERO);
  if (month === 0 || !(day >= 1 && day <= 31)) return -1;
  let at = start + 15;
  if (bytes[at] !== SPACE) {
    at = text.indexOf(' ', at);
    if (at < 0 || at - start > 30) return -1;
  }
  line.day = days.undated(month, day);
  return at;
}

/** `2026-11-26T15:12:28.123456+01:00`; the day is that of the stamp's own zone. */
function datedStamp(line: Line, start: number, days: DayTable): number {
  const { text, bytes, end } = line;
  if (end - start < 20 || bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return -1;
  const year = number(bytes, start, 4);
  const month = number(bytes, start + 5, 2);
  const day = number(bytes, start + 8, 2);
  const between = bytes[start + 10];
  if (!(year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return -1;
  if (between !== 84 && between !== SPACE) return -1;
  const at = text.indexOf(' ', start + 11);
  if (at < 0 || at >= end || at - start > 40) return -1;
  line.day = days.dated(year, month, day);
  return at;
}

/** Month by the second and third letter of its English name; 0 for none. */
function monthOf(second: number, third: number): number {
  switch ((second << 8) | third) {
    case 0x616e:
      return 1;
    case 0x6562:
      return 2;
    case 0x6172:
      return 3;
    case 0x7072:
      return 4;
    case 0x6179:
      return 5;
    case 0x756e:
      return 6;
    case 0x756c:
      return 7;
    case 0x7567:
      return 8;
    case 0x6570:
      return 9;
    case 0x6374:
      return 10;
    case 0x6f76:
      return 11;
    case 0x6563:
      return 12;
    default:
      return 0;
  }
}

/** Digits as a number; NaN where one is none. */
function number(bytes: Uint8Array, start: number, length: number): number {
  let value = 0;
  for (let at = start; at < start + length; at++) {
    const unit = byteAt(bytes, at);
    if (!isDigit(unit)) return Number.NaN;
    value = value * 10 + (unit - ZERO);
  }
  return value;
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= 57;
}

/** The number made of a name, as `Line.identHash` has it. */
export function hashOf(ident: string): number {
  let hash = 0;
  for (let at = 0; at < ident.length; at++) hash = (Math.imul(hash, 31) + ident.charCodeAt(at)) | 0;
  return hash;
}

/** The byte at a place; 0 behind the end, which is no part of a line. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}
