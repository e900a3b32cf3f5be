import { compareTexts } from './summary.ts';
import {
  type LineCounts,
  MOST_NAMES,
  type Peer,
  type PeerDetails,
  type Row,
  type RowKey,
  type SomeNames,
  type WholeCounts,
} from './tally.ts';

/** Adds up counts of whole logs. The sum is the same in whatever order they come. */
export class Sum {
  readonly #rows: Row[] = [];
  readonly #rowIndex = new Map<string, number>();
  readonly #peers = new Map<string, MadePeer>();
  readonly #dates: string[] = [];
  readonly #dateIndex = new Map<string, number>();
  readonly #lines: LineCounts = { lines: 0, unread: 0, long: 0 };

  /** Adds all that was counted. */
  add({ rows, peers, dates, lines }: WholeCounts): void {
    const own = rows.map((row) => this.row(row));
    const days = dates.map((date) => this.day(date));
    let first = '';
    rows.forEach((row, there) => {
      row.days.forEach((sessions, day) => {
        this.onDay(own[there] as Row, days[day] as number, sessions);
        const date = dates[day] ?? '';
        if (sessions > 0 && (first === '' || date < first)) first = date;
      });
    });
    for (const { address, name, rows: counted, sessions, details } of peers) {
      const peer = this.peer(address, name, first);
      counted.forEach((row, at) => this.ofPeer(peer, own[row] as Row, sessions[at] ?? 0));
      if (details !== undefined) {
        const users = [...details.users].map(
          ([user, byRow]) =>
            [user, new Map([...byRow].map(([row, number]) => [(own[row] as Row).index, number]))] as const,
        );
        this.details(peer, { ...details, users: new Map(users) });
      }
    }
    this.#lines.lines += lines.lines;
    this.#lines.unread += lines.unread;
    this.#lines.long += lines.long;
  }

  /** The row of these sessions. */
  row({ direction, service, state, protocol, cipher, reason, login }: RowKey): Row {
    const key = { direction, service, state, protocol, cipher, reason, login };
    const text = Object.values(key).join('\0');
    const index =
      this.#rowIndex.get(text) ?? this.#rows.push({ ...key, index: this.#rows.length, days: [] }) - 1;
    this.#rowIndex.set(text, index);
    return this.#rows[index] as Row;
  }

  /** The index of a day. */
  day(date: string): number {
    const index = this.#dateIndex.get(date) ?? this.#dates.push(date) - 1;
    this.#dateIndex.set(date, index);
    return index;
  }

  /**
   * The peer of an address.
   *
   * @param first the first day of the counts that call it so: of two names it keeps the one that it had first
   */
  peer(address: string, name: string, first = ''): MadePeer {
    const peer = this.#peers.get(address) ?? { address, name, first, counted: new Map(), details: undefined };
    this.#peers.set(address, peer);
    const before =
      peer.name === 'unknown' ? 1 : compareTexts(peer.first, first) || compareTexts(peer.name, name);
    if (name !== 'unknown' && before > 0) {
      peer.name = name;
      peer.first = first;
    }
    return peer;
  }

  /** Adds sessions of a row on a day. */
  onDay({ days }: Row, day: number, sessions: number): void {
    days[day] = (days[day] ?? 0) + sessions;
  }

  /** Adds sessions of a peer in a row. */
  ofPeer({ counted }: MadePeer, { index }: Row, sessions: number): void {
    counted.set(index, (counted.get(index) ?? 0) + sessions);
  }

  /** Adds what is known of who is behind a peer; its users by indexes of rows here. */
  details(peer: MadePeer, { senders, recipients, users }: PeerDetails): void {
    const known = peer.details;
    const all = known?.users ?? new Map<string, Map<number, number>>();
    for (const [user, byRow] of users) {
      const own = all.get(user) ?? new Map<number, number>();
      all.set(user, own);
      for (const [row, sessions] of byRow) own.set(row, (own.get(row) ?? 0) + sessions);
    }
    peer.details = {
      senders: union(known?.senders, senders),
      recipients: union(known?.recipients, recipients),
      users: all,
    };
  }

  /** All that was added. */
  counts(): WholeCounts & { readonly peers: readonly Peer[] } {
    const peers = [...this.#peers.values()].map(
      ({ address, name, counted, details }): Peer => ({
        address,
        name,
        rows: [...counted.keys()],
        sessions: [...counted.values()],
        ...(details === undefined ? {} : { details }),
      }),
    );
    return { rows: this.#rows, peers, dates: this.#dates, lines: this.#lines };
  }
}

/** A peer whose counts are being added up. */
interface MadePeer {
  readonly address: string;
  name: string;
  /** The first day of the counts that the name comes from. */
  first: string;
  /** Sessions by index of the row. */
  readonly counted: Map<number, number>;
  details: PeerDetails | undefined;
}

/** The names of both, as many as are kept. */
function union(known: SomeNames | undefined, added: SomeNames): SomeNames {
  const names = [...new Set([...(known?.names ?? []), ...added.names])].sort(compareTexts);
  return {
    names: names.slice(0, MOST_NAMES),
    more: known?.more === true || added.more || names.length > MOST_NAMES,
  };
}
