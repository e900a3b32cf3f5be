import type { DayTable } from './days.ts';
import type { DovecotLines } from './dovecot-lines.ts';
import type { Line } from './line.ts';
import { clear, type HostState, type Session, type Sessions } from './sessions.ts';
import type { Row, Tally } from './tally.ts';
import code from './wasm/lines.wasm';

// What a line is, as src/logs/wasm/lines.ts finds it.
const GENERAL = 0;
const CONNECT = 1;
const DISCONNECT = 2;
const TLS = 3;
const CLIENT = 4;
const DELIVERY = 5;
const LOGIN = 6;

/**
 * Places in the record of a line. Those of processes have host, process id, number and length of the name; those
 * of logins where service and mechanism stand in their place.
 */
const enum Field {
  Kind,
  Start,
  End,
  Host,
  ServiceStart = Host,
  Pid,
  ServiceEnd = Pid,
  IdentHash,
  MethodStart = IdentHash,
  IdentLength,
  MethodEnd = IdentLength,
  /** Where the name of the peer stands; of a client where its mechanism does. */
  NameStart,
  MechanismStart = NameStart,
  AddressStart,
  MechanismEnd = AddressStart,
  AddressEnd,
  /** See `PeerTable`. */
  Key,
  IsNumber,
  /** The number of protocol and suite, or of service and mechanism; whether nothing of a session counts; the queue id. */
  Number,
  Idle = Number,
  IdStart = Number,
  IdEnd,
  Length,
}

/** What src/logs/wasm/lines.ts exports. */
interface Scanner {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly lines: { readonly value: number };
  readonly end: { readonly value: number };
  pieceAt(): number;
  recordsAt(): number;
  mostRecords(): number;
  dayAt(): number;
  hostAt(index: number): number;
  setHead(day: number, stamp: number, time: number, hosts: number): void;
  setFactor(factor: number): void;
  scan(from: number, to: number): number;
}

/**
 * The lines that most of a log consists of, found by WebAssembly and counted without a text or an object for any
 * of them. It counts a line only where the day is that of the line before, the host and the process are known,
 * and its form is the usual one; every other line goes the general way, which comes to the same and takes ten
 * times as long.
 */
export class CommonLines {
  readonly #tally: Tally;
  readonly #sessions: Sessions;
  readonly #dovecot: DovecotLines;
  readonly #days: DayTable;
  readonly #scanner: Scanner = makeScanner();
  readonly #piece: Uint8Array;
  readonly #records: Int32Array;
  readonly #hosts: HostState[] = [];
  /** How the last stamp that went the general way begins, up to its time of day. */
  #day = -1;
  #dayText = '';
  #stampLength = 0;
  /** SASL mechanisms by their text, and rows of logins by a number made of what the line says. */
  readonly #mechanisms = new Map<string, string>();
  readonly #logins = new Map<number, Row>();
  /** The piece that is read, and where it begins in its bytes. */
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;

  constructor(tally: Tally, sessions: Sessions, dovecot: DovecotLines, days: DayTable) {
    this.#tally = tally;
    this.#sessions = sessions;
    this.#dovecot = dovecot;
    this.#days = days;
    const scanner = this.#scanner;
    const { buffer } = scanner.memory;
    const piece = scanner.pieceAt();
    this.#piece = new Uint8Array(buffer, piece, buffer.byteLength - piece - MARGIN);
    this.#records = new Int32Array(buffer, scanner.recordsAt(), Field.Length * scanner.mostRecords());
  }

  /** The lines that come can be read by `read`. */
  get ready(): boolean {
    return this.#day >= 0 && this.#day === this.#days.last;
  }

  /** Takes a piece of the log. @returns false for one that is too long */
  load(bytes: Buffer, from: number, to: number): boolean {
    if (to - from > this.#piece.length) return false;
    this.#scanner.setFactor(this.#tally.peers.factor);
    this.#piece.set(bytes.subarray(from, to));
    this.#bytes = bytes;
    this.#from = from;
    return true;
  }

  /**
   * Reads lines of the piece as far as they are alike.
   *
   * @param general reads a line the general way
   * @returns where it stopped, and how many lines it has read
   */
  read(
    start: number,
    to: number,
    general: (bytes: Buffer, start: number, end: number) => void,
  ): { readonly end: number; readonly lines: number } {
    const from = this.#from;
    const records = this.#records;
    const count = this.#scanner.scan(start - from, to - from);
    for (let at = 0; at < count * Field.Length; at += Field.Length) {
      if (!this.#take(at)) {
        general(this.#bytes, from + (records[at + Field.Start] ?? 0), from + (records[at + Field.End] ?? 0));
      }
    }
    return { end: from + this.#scanner.end.value, lines: this.#scanner.lines.value };
  }

  /** A line of this host went the general way: the lines that follow are likely to begin as it does. */
  follow({ text, day, hostStart, hostEnd }: Line, state: HostState): void {
    const dated = /^\d/.test(text);
    const time = dated ? DATED : UNDATED;
    const stampLength = hostStart - 1;
    const dayText = text.slice(0, dated ? 11 : 7);
    const known = this.#hosts.includes(state);
    if (known && day === this.#day && dayText === this.#dayText && stampLength === this.#stampLength) return;
    this.#day = -1;
    // A priority before the stamp, no host behind it, more than one space between: not what is common.
    if (text.startsWith('<') || hostEnd === hostStart || text.indexOf(' ', time) !== stampLength) return;
    if ((dated && text[10] !== 'T') || state.name.length > LONGEST_NAME || state.name.length < 2) return;
    this.#day = day;
    this.#dayText = dayText;
    this.#stampLength = stampLength;
    const scanner = this.#scanner;
    const memory = Buffer.from(scanner.memory.buffer);
    if (!known) {
      // The host that came up first gives way.
      if (this.#hosts.length === HOSTS) this.#hosts.shift();
      this.#hosts.push(state);
      for (const [index, { name }] of this.#hosts.entries()) {
        memory.writeInt32LE(name.length + 2, scanner.hostAt(index));
        memory.write(` ${name} `, scanner.hostAt(index) + 4, 'latin1');
      }
    }
    memory.write(dayText, scanner.dayAt(), 'latin1');
    scanner.setHead(dayText.length, stampLength, time, this.#hosts.length);
  }

  /** What follows is not understood line by line. */
  forget(): void {
    this.#day = -1;
  }

  /** Counts a line by its record. @returns false where it is none of the common ones, and nothing was done */
  #take(at: number): boolean {
    const records = this.#records;
    const kind = records[at + Field.Kind] ?? GENERAL;
    if (kind === GENERAL) return false;
    if (kind === LOGIN) return this.#login(at);
    const session = this.#hosts[records[at + Field.Host] ?? 0]?.sessions.get(records[at + Field.Pid] ?? 0);
    if (
      session === undefined ||
      session.awaits ||
      session.identHash !== records[at + Field.IdentHash] ||
      session.ident.length !== records[at + Field.IdentLength]
    )
      return false;
    switch (kind) {
      case CONNECT:
        return session.peer < 0 && session.reason === null && !session.mail;
      case DISCONNECT:
        return this.#disconnect(at, session);
      case TLS:
        return this.#tls(at, session);
      case CLIENT:
        return this.#client(at, session);
      case DELIVERY:
        return this.#delivery(at, session);
      default:
        return false;
    }
  }

  /** The index of the peer of a record. */
  #peer(at: number): number {
    const records = this.#records;
    const from = this.#from;
    return this.#tally.peers.indexOf(
      records[at + Field.Key] ?? 0,
      records[at + Field.IsNumber] ?? 0,
      this.#bytes,
      from + (records[at + Field.NameStart] ?? 0),
      from + (records[at + Field.AddressStart] ?? 0),
      from + (records[at + Field.AddressEnd] ?? 0),
    );
  }

  #text(at: number, start: Field, end: Field): string {
    const from = this.#from;
    const records = this.#records;
    return this.#bytes.toString('latin1', from + (records[at + start] ?? 0), from + (records[at + end] ?? 0));
  }

  #tls(at: number, session: Session): boolean {
    if (session.reason !== null) return false;
    const row = session.service.rows.get(this.#records[at + Field.Number] ?? 0);
    if (row === undefined) return false;
    const peer = this.#peer(at);
    this.#tally.count(row, this.#day, peer);
    session.tls = row;
    session.peer = peer;
    session.day = this.#day;
    session.login = null;
    session.mail = false;
    session.queueId = '';
    return true;
  }

  #client(at: number, session: Session): boolean {
    const records = this.#records;
    if (records[at + Field.MechanismStart] !== records[at + Field.MechanismEnd]) {
      const method = this.#text(at, Field.MechanismStart, Field.MechanismEnd);
      const login = this.#mechanisms.get(method) ?? method.toUpperCase();
      this.#mechanisms.set(method, login);
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

  #disconnect(at: number, session: Session): boolean {
    if (session.reason !== null && session.tls === null) return false;
    if (session.peer < 0) {
      if (this.#records[at + Field.Idle] === 0) return false;
    } else if (!this.#isPeer(at, session)) return false;
    clear(session);
    return true;
  }

  /** Whether the session whose TLS was told is with the peer of a record. */
  #isPeer(at: number, { tls, peer }: Session): boolean {
    const records = this.#records;
    const from = this.#from;
    return (
      tls !== null &&
      this.#tally.peers.is(
        peer,
        records[at + Field.Key] ?? 0,
        records[at + Field.IsNumber] ?? 0,
        this.#bytes,
        from + (records[at + Field.AddressStart] ?? 0),
        from + (records[at + Field.AddressEnd] ?? 0),
      )
    );
  }

  /** One over the connection whose TLS was counted. */
  #delivery(at: number, session: Session): boolean {
    if (session.tls === null || session.reason !== null || this.#peer(at) !== session.peer) return false;
    const id = this.#text(at, Field.IdStart, Field.IdEnd);
    if (session.queueId !== '' && session.queueId !== id) return false;
    session.queueId = id;
    return true;
  }

  #login(at: number): boolean {
    const number = this.#records[at + Field.Number] ?? 0;
    let row = this.#logins.get(number);
    if (row === undefined) {
      const service = this.#text(at, Field.ServiceStart, Field.ServiceEnd);
      row = this.#dovecot.login(service, this.#text(at, Field.MethodStart, Field.MethodEnd), 'tls', '');
      this.#logins.set(number, row);
    }
    this.#tally.count(row, this.#day, this.#peer(at));
    return true;
  }
}

/** Hosts whose lines may lie between one another in a log, and how long a name can be. */
const HOSTS = 16;
const LONGEST_NAME = 255;

/** So many bytes behind a line can be looked at. */
const MARGIN = 512;

/** Where the time of day stands in a stamp of RFC 3339, and where it ends in one of RFC 3164. */
const DATED = 11;
const UNDATED = 15;

let compiled: WebAssembly.Module | undefined;

/** What finds the lines, compiled; threads share it. */
export function compiledScanner(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(code, 'base64'));
  return compiled;
}

/** Takes what another thread has compiled. */
export function shareScanner(scanner: WebAssembly.Module): void {
  compiled = scanner;
}

/** One for each log: it holds how the lines of the log begin. */
function makeScanner(): Scanner {
  return new WebAssembly.Instance(compiledScanner()).exports as unknown as Scanner;
}
