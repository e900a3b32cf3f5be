/**
 * Peers of a log and the sessions that each had, in columns of numbers and not as objects: a log can have
 * millions of peers, and columns go from thread to thread as they are.
 */

/** A host on the other side. */
export interface Peer {
  readonly address: string;
  /** The name that the log gives it, `unknown` for none. */
  readonly name: string;
  /** Its sessions: indexes of rows, and how many of each. */
  readonly rows: readonly number[];
  readonly sessions: readonly number[];
  /** Only where the reader was asked for it, and there is something to tell. */
  readonly details?: PeerDetails;
}

/** Whose mail a peer brings and takes, and who logs in from it. Plain data, which can be handed between threads. */
export interface PeerDetails {
  /** Domains of senders of the messages that it brought. */
  readonly senders: SomeNames;
  /** Domains of recipients of the messages that went to it. */
  readonly recipients: SomeNames;
  /** Sessions of users by their name and the index of the row. */
  readonly users: Map<string, Map<number, number>>;
}

/** Names in the order in which they came up, as many as are kept. */
export interface SomeNames {
  readonly names: string[];
  /** There are more than are kept. */
  more: boolean;
}

/** The columns; plain data. What stands behind the lengths means nothing. */
export interface PeerColumns {
  /** How many peers there are, and bytes of their text, and numbers of their further rows. */
  readonly length: number;
  readonly textLength: number;
  readonly countsLength: number;
  /** What keys are made with. */
  readonly factor: number;
  /** `NAME[ADDRESS` of each as Latin-1; without the name where the log has none. */
  readonly text: Uint8Array;
  /** Eight numbers for each peer. */
  readonly peers: Int32Array;
  /** Three numbers for each row of a peer behind its first one. */
  readonly counts: Int32Array;
}

// Numbers of a peer. The first row stands with it, because most peers have but one.
const ROW = 0;
const SESSIONS = 1;
/** Where its next row stands, or none. */
const NEXT = 2;
/** The address as a number (IPv4), or a number made of it. */
const KEY = 3;
const IS_NUMBER = 4;
/** Where its text begins, and the lengths of name and address. */
const START = 5;
const NAME = 6;
const ADDRESS = 7;
const PEER = 8;

// Of a further row of a peer the first three.
const COUNT = 3;

const NONE = -1;

const UNKNOWN = Buffer.from('unknown', 'latin1');

/** The peers by their addresses, see `PeerColumns`. */
export class PeerTable {
  #length = 0;
  #text: Uint8Array = new Uint8Array(1 << 12);
  #textLength = 0;
  #peers: Int32Array = new Int32Array(PEER << 7);
  #counts: Int32Array = new Int32Array(COUNT << 8);
  #countsLength = 0;
  /** Indexes of peers from 1, where their hashes lead to, or behind that. At most half is taken. */
  #slots = new Int32Array(1 << 8);
  #shift = 24;
  /** Makes the keys: who sends mail chooses his addresses, and should not be able to choose many with one key. */
  #factor = Math.floor(Math.random() * 0x4000_0000) * 2 + 1;

  /** What keys are made with. */
  get factor(): number {
    return this.#factor;
  }

  /**
   * The index of a peer; a new one where the address is new.
   *
   * @param bytes hold the address from `start` to `end`, and the name that the log gives it before that, from
   * `nameStart` to a bracket
   */
  index(bytes: Uint8Array, nameStart: number, start: number, end: number): number {
    const number = address4(bytes, start, end);
    const key = number ?? this.#hash(bytes, start, end);
    return this.indexOf(key, number === null ? 0 : 1, bytes, nameStart, start, end);
  }

  /** The same, of a peer whose key is known. */
  indexOf(
    key: number,
    isNumber: number,
    bytes: Uint8Array,
    nameStart: number,
    start: number,
    end: number,
  ): number {
    const slots = this.#slots;
    const peers = this.#peers;
    let slot = Math.imul(key, this.#factor) >>> this.#shift;
    for (;;) {
      const index = (slots[slot] ?? 0) - 1;
      if (index < 0) {
        slots[slot] = this.#length + 1;
        return this.#add(key, isNumber, bytes, nameStart, start, end);
      }
      if (this.is(index, key, isNumber, bytes, start, end)) {
        if (peers[index * PEER + NAME] === 0) this.#name(index, bytes, nameStart, start, end);
        return index;
      }
      slot = (slot + 1) & (slots.length - 1);
    }
  }

  /** Whether a peer is that of a key and of the address that stands there. */
  is(index: number, key: number, isNumber: number, bytes: Uint8Array, start: number, end: number): boolean {
    const peers = this.#peers;
    const at = index * PEER;
    if (peers[at + KEY] !== key || peers[at + IS_NUMBER] !== isNumber) return false;
    return isNumber === 1 || this.isAddress(index, bytes, start, end);
  }

  /** Whether the address of a peer stands there. */
  isAddress(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const peers = this.#peers;
    const length = peers[index * PEER + ADDRESS] ?? 0;
    if (end - start !== length) return false;
    const text = this.#text;
    const address = this.#addressStart(index);
    // Addresses differ at their ends.
    for (let at = length - 1; at >= 0; at--) if (text[address + at] !== bytes[start + at]) return false;
    return true;
  }

  /** Counts sessions of a row with the peer of that index. */
  count(index: number, row: number, sessions: number): void {
    const peers = this.#peers;
    const first = index * PEER;
    if (peers[first + ROW] === row) {
      peers[first + SESSIONS] = (peers[first + SESSIONS] ?? 0) + sessions;
      return;
    }
    const counts = this.#counts;
    let at = peers[first + NEXT] ?? NONE;
    while (at >= 0) {
      if (counts[at + ROW] === row) {
        counts[at + SESSIONS] = (counts[at + SESSIONS] ?? 0) + sessions;
        return;
      }
      at = counts[at + NEXT] ?? NONE;
    }
    this.#addCount(first, row, sessions);
  }

  /**
   * Takes over other peers.
   *
   * @param rows indexes here of the rows there
   * @returns the indexes here of the peers there
   */
  follow(columns: PeerColumns, rows: readonly number[]): Int32Array {
    const { length, text, peers, counts } = columns;
    const indexes = new Int32Array(length);
    if (this.#length === 0 && rows.every((row, there) => row === there)) {
      this.#adopt(columns);
      return indexes.map((_, index) => index);
    }
    for (let there = 0; there < length; there++) {
      const peer = there * PEER;
      const isNumber = peers[peer + IS_NUMBER] ?? 0;
      const start = peers[peer + START] ?? 0;
      const address = start + (peers[peer + NAME] ?? 0) + 1;
      const end = address + (peers[peer + ADDRESS] ?? 0);
      const key = isNumber === 1 ? (peers[peer + KEY] ?? 0) : this.#hash(text, address, end);
      const index = this.indexOf(key, isNumber, text, start, address, end);
      indexes[there] = index;
      const row = peers[peer + ROW] ?? NONE;
      if (row !== NONE) this.count(index, rows[row] ?? 0, peers[peer + SESSIONS] ?? 0);
      for (let at = peers[peer + NEXT] ?? NONE; at >= 0; at = counts[at + NEXT] ?? NONE)
        this.count(index, rows[counts[at + ROW] ?? 0] ?? 0, counts[at + SESSIONS] ?? 0);
    }
    return indexes;
  }

  /** Takes columns as they are. */
  #adopt({ length, textLength, countsLength, factor, text, peers, counts }: PeerColumns): void {
    this.#length = length;
    this.#textLength = textLength;
    this.#countsLength = countsLength;
    this.#factor = factor;
    this.#text = text;
    this.#peers = peers;
    this.#counts = counts;
    this.#spread();
  }

  /** What is held; it changes with what is counted from now on. */
  columns(): PeerColumns {
    return {
      length: this.#length,
      textLength: this.#textLength,
      countsLength: this.#countsLength,
      factor: this.#factor,
      text: this.#text,
      peers: this.#peers,
      counts: this.#counts,
    };
  }

  #addressStart(index: number): number {
    const peers = this.#peers;
    return (peers[index * PEER + START] ?? 0) + (peers[index * PEER + NAME] ?? 0) + 1;
  }

  #hash(bytes: Uint8Array, start: number, end: number): number {
    const factor = this.#factor;
    let hash = 0;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, factor) + (bytes[at] ?? 0)) | 0;
    return hash;
  }

  #add(
    key: number,
    isNumber: number,
    bytes: Uint8Array,
    nameStart: number,
    start: number,
    end: number,
  ): number {
    const index = this.#length++;
    const at = index * PEER;
    if (this.#peers.length < at + PEER) this.#peers = larger(this.#peers, at + PEER);
    const peers = this.#peers;
    peers[at + ROW] = NONE;
    peers[at + NEXT] = NONE;
    peers[at + KEY] = key;
    peers[at + IS_NUMBER] = isNumber;
    peers[at + NAME] = 0;
    peers[at + ADDRESS] = end - start;
    this.#name(index, bytes, nameStart, start, end);
    if (peers[at + NAME] === 0) peers[at + START] = this.#write(bytes, start - 1, end);
    if (this.#length * 2 > this.#slots.length) this.#spread();
    return index;
  }

  /** Gives a peer its name, where there is one. */
  #name(index: number, bytes: Uint8Array, nameStart: number, start: number, end: number): void {
    const length = start - 1 - nameStart;
    if (length <= 0) return;
    if (length === UNKNOWN.length && UNKNOWN.every((unit, at) => bytes[nameStart + at] === unit)) return;
    const peers = this.#peers;
    peers[index * PEER + START] = this.#write(bytes, nameStart, end);
    peers[index * PEER + NAME] = length;
  }

  #write(bytes: Uint8Array, from: number, to: number): number {
    const start = this.#textLength;
    const end = start + to - from;
    if (this.#text.length < end) this.#text = larger(this.#text, end);
    const text = this.#text;
    for (let at = from; at < to; at++) text[start + at - from] = bytes[at] ?? 0;
    this.#textLength = end;
    return start;
  }

  #addCount(first: number, row: number, sessions: number): void {
    const peers = this.#peers;
    if (peers[first + ROW] === NONE) {
      peers[first + ROW] = row;
      peers[first + SESSIONS] = sessions;
      return;
    }
    const at = this.#countsLength;
    this.#countsLength += COUNT;
    if (this.#counts.length < this.#countsLength) this.#counts = larger(this.#counts, this.#countsLength);
    const counts = this.#counts;
    counts[at + ROW] = row;
    counts[at + SESSIONS] = sessions;
    counts[at + NEXT] = peers[first + NEXT] ?? NONE;
    peers[first + NEXT] = at;
  }

  /** Makes room for more peers. */
  #spread(): void {
    let length = this.#slots.length;
    while (this.#length * 2 > length) {
      length *= 2;
      this.#shift--;
    }
    const slots = new Int32Array(length);
    for (let index = 0; index < this.#length; index++) {
      let slot = Math.imul(this.#peers[index * PEER + KEY] ?? 0, this.#factor) >>> this.#shift;
      while (slots[slot] !== 0) slot = (slot + 1) & (length - 1);
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

/** The peers of columns, and what is known of who is behind them, by index. */
export function peersOf(columns: PeerColumns, details: ReadonlyMap<number, PeerDetails>): Peer[] {
  const { length, peers } = columns;
  const text = Buffer.from(columns.text.buffer, columns.text.byteOffset, columns.text.length);
  return Array.from({ length }, (_, index) => {
    const start = peers[index * PEER + START] ?? 0;
    const name = peers[index * PEER + NAME] ?? 0;
    const rows: number[] = [];
    const sessions: number[] = [];
    eachCount(columns, index, (row, counted) => {
      rows.push(row);
      sessions.push(counted);
    });
    const address = start + name + 1;
    const known = details.get(index);
    return {
      address: text.toString('latin1', address, address + (peers[index * PEER + ADDRESS] ?? 0)),
      name: name === 0 ? 'unknown' : text.toString('latin1', start, start + name),
      rows,
      sessions,
      ...(known === undefined ? {} : { details: known }),
    };
  });
}

/** Gives the rows of a peer and its sessions in each. */
function eachCount(
  { peers, counts }: PeerColumns,
  index: number,
  take: (row: number, sessions: number) => void,
): void {
  const first = index * PEER;
  if (peers[first + ROW] === NONE) return;
  take(peers[first + ROW] ?? 0, peers[first + SESSIONS] ?? 0);
  for (let at = peers[first + NEXT] ?? NONE; at >= 0; at = counts[at + NEXT] ?? NONE)
    take(counts[at + ROW] ?? 0, counts[at + SESSIONS] ?? 0);
}

/** An IPv4 address in its usual form as a signed number of 32 bits; null for other texts. */
function address4(bytes: Uint8Array, start: number, end: number): number | null {
  if (end - start > 15) return null;
  let value = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let at = start; at < end; at++) {
    const unit = bytes[at] ?? 0;
    if (unit === 46) {
      if (digits === 0 || part > 255) return null;
      value = (value << 8) | part;
      part = 0;
      digits = 0;
      dots++;
    } else if (unit >= 48 && unit <= 57) {
      // A second form of the same number would be another text.
      if (digits > 0 && part === 0) return null;
      part = part * 10 + (unit - 48);
      digits++;
    } else return null;
  }
  return dots === 3 && digits > 0 && part < 256 ? (value << 8) | part : null;
}

/** A copy with room for so many, and for more to come. */
function larger<Column extends Int32Array | Uint8Array>(column: Column, length: number): Column {
  const copy = new (column.constructor as new (length: number) => Column)(
    Math.max(length, column.length * 2),
  );
  copy.set(column);
  return copy;
}
