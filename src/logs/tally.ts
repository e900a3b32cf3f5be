import type { LogDay } from './days.ts';

/** Who opened the connection: a peer (in), or this host (out). */
export type Direction = 'in' | 'out';

/**
 * What became of a session: TLS; mail or a login in the clear; TLS begun and not made; mail of which no line
 * says whether it was in the clear.
 */
export type SessionState = 'tls' | 'plaintext' | 'refused' | 'untold';

/** Sessions that a report counts as one thing. */
export interface Row {
  readonly direction: Direction;
  /** The name in the log without a leading `postfix/`: `smtpd`, `submission/smtpd`, `imap-login`. */
  readonly service: string;
  readonly state: SessionState;
  /** As the log names it; null where the log does not say (Dovecot's usual format), or without TLS. */
  readonly protocol: string | null;
  readonly cipher: string | null;
  /**
   * Why TLS was not made; of a login without TLS `secured` where Dovecot takes the connection for safe all the
   * same (from its own address, a trusted network, a proxy); null otherwise.
   */
  readonly reason: string | null;
  /** The SASL mechanism of a session that logged in; null for one that did not. */
  readonly login: string | null;
  readonly index: number;
  /** Sessions by index of the day. */
  readonly days: number[];
}

/** What makes a row one row. */
export type RowKey = Omit<Row, 'index' | 'days'>;

/** A host on the other side. */
export interface Peer {
  readonly address: string;
  /** The name that the log gives it, `unknown` for none. */
  name: string;
  /** Its sessions: indexes of rows, and how many of each. Few, so that they are lists. */
  readonly rows: number[];
  readonly sessions: number[];
  /** Only where the reader was asked for it, and there is something to tell. */
  details?: PeerDetails;
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

/** So many domains are kept of a peer. */
export const MOST_NAMES = 20;

/** How many lines of which kind were met. */
export interface LineCounts {
  /** All lines, also those of programs that say nothing of sessions. */
  lines: number;
  /** Lines without a head that is known. */
  unread: number;
  /** Lines that are longer than is looked at. */
  long: number;
}

/** What was counted in a log, or in a part of it. */
export interface Counts {
  readonly rows: readonly Row[];
  readonly peers: readonly Peer[];
  readonly days: readonly LogDay[];
  readonly lines: LineCounts;
}

/** What was counted in whole logs. */
export interface WholeCounts extends Omit<Counts, 'days'> {
  /** The days by index, as `2026-01-31`. */
  readonly dates: readonly string[];
}

/** Rows by what they stand for, and the peers that they count. */
export class Tally {
  readonly peers: Peer[] = [];
  readonly rows: Row[] = [];
  readonly #rowsByKey = new Map<string, Row>();
  readonly #byAddress = new Map<string, number>();
  readonly #byAddress4 = new Map<number, number>();

  /** The row of these sessions; a new one where there is none yet. */
  row(key: RowKey): Row {
    const { direction, service, state, protocol, cipher, reason, login } = key;
    const text = [direction, service, state, protocol ?? '', cipher ?? '', reason ?? '', login ?? ''].join(
      '\0',
    );
    let row = this.#rowsByKey.get(text);
    if (row === undefined) {
      row = {
        direction,
        service,
        state,
        protocol,
        cipher,
        reason,
        login,
        index: this.rows.length,
        days: [],
      };
      this.rows.push(row);
      this.#rowsByKey.set(text, row);
    }
    return row;
  }

  /**
   * The index of a peer.
   *
   * @param text holds the address from `start` to `end`, and the name that the log gives it before that,
   * from `nameStart` to a bracket
   * @param bytes the same text
   */
  peer(text: string, bytes: Uint8Array, nameStart: number, start: number, end: number): number {
    const number4 = address4(bytes, start, end);
    let index: number | undefined;
    if (number4 === null) {
      const address = text.slice(start, end);
      index = this.#byAddress.get(address);
      if (index === undefined) {
        index = this.#newPeer(owned(address));
        this.#byAddress.set(owned(address), index);
      }
    } else {
      index = this.#byAddress4.get(number4);
      if (index === undefined) {
        index = this.#newPeer(owned(text.slice(start, end)));
        this.#byAddress4.set(number4, index);
      }
    }
    const peer = this.peers[index];
    if (peer?.name === 'unknown' && nameStart < start - 1)
      peer.name = owned(text.slice(nameStart, start - 1));
    return index;
  }

  /** The index of the peer with an IPv4 address as a signed number of 32 bits; -1 where it is not known yet. */
  known4(address: number): number {
    return this.#byAddress4.get(address) ?? -1;
  }

  /** Counts sessions of a row with the peer of that index. */
  count(row: Row, day: number, peer: number, sessions = 1): void {
    const known = this.peers[peer];
    if (known !== undefined) count(row, day, known, sessions);
  }

  /** A message of this domain came from the peer (`senders`) or went to it (`recipients`). */
  domain(peer: number, side: 'senders' | 'recipients', name: string): void {
    const details = this.#details(peer);
    if (details !== null) addName(details[side], name);
  }

  /** There are more domains than were named. */
  moreDomains(peer: number, side: 'senders' | 'recipients'): void {
    const details = this.#details(peer);
    if (details !== null) details[side].more = true;
  }

  /** Counts sessions of a row, which are counted for the peer already, for a user of that name. */
  user(row: Row, peer: number, name: string, sessions = 1): void {
    const users = this.#details(peer)?.users;
    if (users === undefined) return;
    const rows = users.get(name) ?? new Map<number, number>();
    users.set(name, rows);
    rows.set(row.index, (rows.get(row.index) ?? 0) + sessions);
  }

  #details(index: number): PeerDetails | null {
    const peer = this.peers[index];
    if (peer === undefined) return null;
    peer.details ??= {
      senders: { names: [], more: false },
      recipients: { names: [], more: false },
      users: new Map(),
    };
    return peer.details;
  }

  #newPeer(address: string): number {
    return this.peers.push({ address, name: 'unknown', rows: [], sessions: [] }) - 1;
  }
}

function addName(list: SomeNames, name: string): void {
  if (list.names.includes(name)) return;
  if (list.names.length < MOST_NAMES) list.names.push(name);
  else list.more = true;
}

/** Counts sessions of a row with a peer. */
export function count(row: Row, day: number, peer: Peer, sessions: number): void {
  row.days[day] = (row.days[day] ?? 0) + sessions;
  countPeer(row, peer, sessions);
}

/** Counts sessions with a peer, whose days are counted elsewhere. */
export function countPeer({ index }: Row, peer: Peer, sessions: number): void {
  const { rows } = peer;
  for (let at = 0; at < rows.length; at++) {
    if (rows[at] === index) {
      peer.sessions[at] = (peer.sessions[at] ?? 0) + sessions;
      return;
    }
  }
  rows.push(index);
  peer.sessions.push(sessions);
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
  return dots === 3 && digits > 0 && digits < 4 && part < 256 ? (value << 8) | part : null;
}

/** The same text, but not as a window into a longer one, which would stay in memory with it. */
export function owned(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** A text of the log, which is read as Latin-1, as its writer meant it; as it is where that was no UTF-8. */
export function decoded(text: string): string {
  if (PLAIN.test(text)) return text;
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  return utf8.includes('\ufffd') ? text : utf8;
}

/** A text as the log would have it, read as Latin-1. */
export function encoded(text: string): string {
  return PLAIN.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

// oxlint-disable-next-line no-control-regex -- whatever has one byte
const PLAIN = /^[\0-\x7f]*$/;
