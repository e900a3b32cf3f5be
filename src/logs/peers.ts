import type { LogMemory } from './memory.ts';

/**
 * Peers of a log and the sessions that each had, in columns of numbers and not as objects: a log can have
 * millions of peers, and columns go from thread to thread as they are. src/logs/wasm/peers.ts keeps them.
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

/** The peers of a log; each is made when it is asked for, for a log can have millions. */
export interface Peers extends Iterable<Peer> {
  readonly length: number;
  /**
   * How many peers have had sessions in groups of rows, where that takes less time than to make them.
   *
   * @param groupOf the group of each row; -1 for none
   */
  readonly countGroups?: (groupOf: readonly number[], groups: number) => ArrayLike<number>;
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

/** The columns; plain data. */
export interface PeerColumns {
  /** How many peers there are. */
  readonly length: number;
  /** Eight numbers for each peer. */
  readonly peers: Int32Array;
  /** Three numbers for what each is called. */
  readonly labels: Int32Array;
  /** `NAME[ADDRESS` of each as Latin-1; without the name where the log has none. */
  readonly text: Uint8Array;
  /** Three numbers for each row of a peer behind its first one. */
  readonly counts: Int32Array;
}

// Numbers of a peer, behind the first 16 bytes of its address. The first row stands with it, because most peers
// have but one.
const ROW = 4;
const SESSIONS = 5;
/** Which further row is its next one, or none. */
const NEXT = 6;
/** How long the address is; negative where there is a name. */
const ADDRESS = 7;
const ADDRESS_LENGTH = 0x7fff_ffff;
const PEER = 8;

// Numbers of what it is called: where its text begins, and how long the name is.
const START = 0;
const NAME = 1;
const LABEL = 3;

// Numbers of a further row.
const COUNT_ROW = 0;
const COUNT_SESSIONS = 1;
const COUNT_NEXT = 2;
const COUNT = 3;

const NONE = -1;

/** The peers by their addresses, see `PeerColumns`. */
export class PeerTable {
  readonly #memory: LogMemory;

  constructor(memory: LogMemory) {
    this.#memory = memory;
  }

  /** How many there are. */
  get length(): number {
    return this.#memory.scanner.peersLength();
  }

  /**
   * The index of a peer; a new one where the address is new.
   *
   * @param bytes hold the address from `start` to `end`, and the name that the log gives it before that, from
   * `nameStart` to a bracket
   */
  index(bytes: Uint8Array, nameStart: number, start: number, end: number): number {
    const at = this.#memory.place(bytes, nameStart, end);
    return this.#memory.scanner.peerOf(at, at + start - nameStart, at + end - nameStart);
  }

  /** Whether the address of a peer stands there. */
  isAddress(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { scanner, words, bytes: own } = this.#memory;
    const length = (words[scanner.peersAt() / 4 + index * PEER + ADDRESS] ?? 0) & ADDRESS_LENGTH;
    if (end - start !== length) return false;
    const label = scanner.labelsAt() / 4 + index * LABEL;
    const address = scanner.textAt() + (words[label + START] ?? 0) + (words[label + NAME] ?? 0) + 1;
    // Addresses differ at their ends.
    for (let at = length - 1; at >= 0; at--) if (own[address + at] !== bytes[start + at]) return false;
    return true;
  }

  /** Counts sessions of a row with the peer of that index. */
  count(index: number, row: number, sessions: number): void {
    this.#memory.scanner.countPeer(index, row, sessions);
  }

  /**
   * Takes over other peers.
   *
   * @param rows indexes here of the rows there
   * @returns the indexes here of the peers there
   */
  follow(columns: PeerColumns, rows: readonly number[]): Int32Array {
    const { length, peers, labels, text, counts } = columns;
    const { scanner } = this.#memory;
    if (scanner.peersLength() === 0 && rows.every((row, there) => row === there)) {
      scanner.adoptPeers(length, text.length, counts.byteLength);
      const { words, bytes } = this.#memory;
      words.set(peers, scanner.peersAt() / 4);
      words.set(labels, scanner.labelsAt() / 4);
      words.set(counts, scanner.countsAt() / 4);
      bytes.set(text, scanner.textAt());
      scanner.spreadAdopted();
      return Int32Array.from({ length }, (_, index) => index);
    }
    const sizes = [peers.byteLength, labels.byteLength, counts.byteLength, text.length];
    const blocks = [...sizes, rows.length * 4, length * 4].map((bytes) => this.#block(bytes));
    const places = blocks.map(({ start }) => start);
    const [peersAt = 0, labelsAt = 0, countsAt = 0, textAt = 0, rowsAt = 0, indexesAt = 0] = places;
    const { words, bytes } = this.#memory;
    words.set(peers, peersAt / 4);
    words.set(labels, labelsAt / 4);
    words.set(counts, countsAt / 4);
    words.set(rows, rowsAt / 4);
    bytes.set(text, textAt);
    scanner.followPeers(peersAt, length, labelsAt, textAt, countsAt, rowsAt, indexesAt);
    const indexes = this.#memory.words.slice(indexesAt / 4, indexesAt / 4 + length);
    for (const { start, room } of blocks) scanner.release(start, room);
    return indexes;
  }

  /** See `Peers`. */
  countGroups(groupOf: readonly number[], groups: number): Int32Array {
    const { scanner } = this.#memory;
    const blocks = [groupOf.length * 4, groups * 4, groups * 4].map((bytes) => this.#block(bytes));
    const [groupOfAt = 0, lastAt = 0, countedAt = 0] = blocks.map(({ start }) => start);
    const { words } = this.#memory;
    words.set(groupOf, groupOfAt / 4);
    for (const at of [lastAt, countedAt]) words.fill(0, at / 4, at / 4 + groups);
    scanner.countGroups(groupOfAt, lastAt, countedAt);
    const counted = words.slice(countedAt / 4, countedAt / 4 + groups);
    for (const { start, room } of blocks) scanner.release(start, room);
    return counted;
  }

  /** A place in the memory for so many bytes. */
  #block(bytes: number): { readonly start: number; readonly room: number } {
    const room = this.#memory.scanner.blockLength(bytes);
    return { start: this.#memory.scanner.block(room), room };
  }

  /** What is held by now; it means nothing any more when more is counted. */
  columns(): PeerColumns {
    const { scanner, words, bytes } = this.#memory;
    const length = scanner.peersLength();
    const numbers = (start: number, end: number): Int32Array => words.subarray(start / 4, end / 4);
    return {
      length,
      peers: numbers(scanner.peersAt(), scanner.peersAt() + length * PEER * 4),
      labels: numbers(scanner.labelsAt(), scanner.labelsAt() + length * LABEL * 4),
      text: new Uint8Array(bytes.buffer, scanner.textAt(), scanner.textEnd() - scanner.textAt()),
      counts: numbers(scanner.countsAt(), scanner.countsEnd()),
    };
  }
}

/** The peers of a table when all is counted. */
export class CountedPeers implements Peers {
  readonly #table: PeerTable;
  readonly #details: ReadonlyMap<number, PeerDetails>;

  /** @param details what is known of who is behind them, by index */
  constructor(table: PeerTable, details: ReadonlyMap<number, PeerDetails>) {
    this.#table = table;
    this.#details = details;
  }

  get length(): number {
    return this.#table.length;
  }

  *[Symbol.iterator](): Iterator<Peer> {
    const columns = this.#table.columns();
    const { peers, labels, counts } = columns;
    const { buffer, byteOffset, length } = columns.text;
    const text = Buffer.from(buffer, byteOffset, length);
    for (let index = 0; index < columns.length; index++) {
      const start = labels[index * LABEL + START] ?? 0;
      const name = labels[index * LABEL + NAME] ?? 0;
      const rows: number[] = [];
      const sessions: number[] = [];
      const first = index * PEER;
      if (peers[first + ROW] !== NONE) {
        rows.push(peers[first + ROW] ?? 0);
        sessions.push(peers[first + SESSIONS] ?? 0);
      }
      for (let next = peers[first + NEXT] ?? NONE; next >= 0; ) {
        const at = next * COUNT;
        rows.push(counts[at + COUNT_ROW] ?? 0);
        sessions.push(counts[at + COUNT_SESSIONS] ?? 0);
        next = counts[at + COUNT_NEXT] ?? NONE;
      }
      const address = start + name + 1;
      const addressEnd = address + ((peers[index * PEER + ADDRESS] ?? 0) & ADDRESS_LENGTH);
      const known = this.#details.get(index);
      yield {
        address: text.toString('latin1', address, addressEnd),
        name: name === 0 ? 'unknown' : text.toString('latin1', start, start + name),
        rows,
        sessions,
        ...(known === undefined ? {} : { details: known }),
      };
    }
  }

  countGroups(groupOf: readonly number[], groups: number): ArrayLike<number> {
    return this.#table.countGroups(groupOf, groups);
  }
}

/** Columns that stay as they are, whatever is counted from now on. */
export function copied({ length, peers, labels, text, counts }: PeerColumns): PeerColumns {
  return { length, peers: peers.slice(), labels: labels.slice(), text: text.slice(), counts: counts.slice() };
}
