import type { LogDay } from './days.ts';
import { LogMemory } from './memory.ts';
import { type PeerDetails, type Peers, PeerTable } from './peers.ts';

export type { Peer, PeerDetails, Peers, SomeNames } from './peers.ts';

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
  readonly peers: Peers;
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
  readonly rows: Row[] = [];
  readonly memory = new LogMemory();
  readonly peers = new PeerTable(this.memory);
  /** By index of the peer; only where the reader was asked for them. */
  readonly details = new Map<number, PeerDetails>();
  readonly #rowsByKey = new Map<string, Row>();
  #last: Row | null = null;

  /** The row that was counted last. */
  get last(): Row | null {
    return this.#last;
  }

  forgetLast(): void {
    this.#last = null;
  }

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

  /** Counts sessions of a row with the peer of that index. */
  count(row: Row, day: number, peer: number, sessions = 1): void {
    const { index, days } = row;
    this.#last = row;
    days[day] = (days[day] ?? 0) + sessions;
    this.peers.count(peer, index, sessions);
  }

  /** A message of this domain came from the peer (`senders`) or went to it (`recipients`). */
  domain(peer: number, side: 'senders' | 'recipients', name: string): void {
    const { names, more } = this.#details(peer)[side];
    if (more || names.includes(name)) return;
    if (names.length < MOST_NAMES) names.push(name);
    else this.moreDomains(peer, side);
  }

  /** There are more domains than were named. */
  moreDomains(peer: number, side: 'senders' | 'recipients'): void {
    this.#details(peer)[side].more = true;
  }

  /** Counts sessions of a row, which are counted for the peer already, for a user of that name. */
  user(row: Row, peer: number, name: string, sessions = 1): void {
    const { users } = this.#details(peer);
    const rows = users.get(name) ?? new Map<number, number>();
    users.set(name, rows);
    rows.set(row.index, (rows.get(row.index) ?? 0) + sessions);
  }

  #details(peer: number): PeerDetails {
    const details = this.details.get(peer) ?? {
      senders: { names: [], more: false },
      recipients: { names: [], more: false },
      users: new Map(),
    };
    this.details.set(peer, details);
    return details;
  }
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
