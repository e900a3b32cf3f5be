import { PROTOCOLS } from '../model/protocol.ts';
import type { Counts, Direction, LineCounts, Peer, Row, SessionState } from './tally.ts';

/** Sessions that a report shows as one row. */
export interface SessionRow {
  readonly direction: Direction;
  readonly service: string;
  /** Null where the log does not name them. */
  readonly protocol: string | null;
  readonly cipher: string | null;
  readonly sessions: number;
  readonly peers: number;
}

/** Sessions of one kind without TLS, or of which the log does not tell. */
export interface OtherRow {
  readonly direction: Direction;
  readonly service: string;
  readonly sessions: number;
  readonly peers: number;
}

/** Sessions that began TLS and did not get it. */
export interface RefusedRow extends OtherRow {
  readonly reason: string;
}

/** What a log says of the sessions in it. */
export interface LogSummary {
  /** By protocol from the newest, then by number of sessions. */
  readonly sessions: readonly SessionRow[];
  readonly plaintext: readonly OtherRow[];
  readonly refused: readonly RefusedRow[];
  /**
   * Mail of services whose lines never tell of TLS, neither made nor refused: it may have been in the clear or
   * not. The log level of the service (smtp_tls_loglevel) is 0 then, as it is by default, and the release older
   * than 3.11, which says it in the line of the delivery.
   */
  readonly untold: readonly OtherRow[];
  readonly lines: LineCounts;
  /** First and last day, `2026-01-31`; null for a log without sessions. */
  readonly first: string | null;
  readonly last: string | null;
}

/** Makes what a report shows of what was counted; users and days are added up. */
export function summarize(counts: Counts & { readonly dates: readonly string[] }): LogSummary {
  const peersOf = peersByRow(counts.peers);
  const told = new Set(
    counts.rows
      .filter(({ state }) => state !== 'untold')
      .map(({ direction, service }) => `${direction} ${service}`),
  );
  const groups = new Map<string, { row: Row; state: SessionState; sessions: number; peers: Set<number> }>();
  const days = new Set<string>();
  for (const row of counts.rows) {
    const sessions = sessionsOf(row);
    if (sessions === 0) continue;
    row.days.forEach((number, day) => {
      if (number > 0) days.add(counts.dates[day] ?? '');
    });
    // A service that tells of TLS where there is some tells by its silence that there was none.
    const silent = row.state === 'untold' && told.has(`${row.direction} ${row.service}`);
    const state = silent ? 'plaintext' : row.state;
    const reason = state === 'refused' ? row.reason : null;
    const key = [row.direction, row.service, state, row.protocol, row.cipher, reason].join('\0');
    const group = groups.get(key) ?? { row, state, sessions: 0, peers: new Set() };
    groups.set(key, group);
    group.sessions += sessions;
    for (const peer of peersOf[row.index] ?? []) group.peers.add(peer);
  }
  const all = [...groups.values()].sort(
    (a, b) =>
      compareTexts(a.row.direction, b.row.direction) ||
      compareTexts(a.row.service, b.row.service) ||
      rank(b.row.protocol) - rank(a.row.protocol) ||
      b.sessions - a.sessions ||
      compareTexts(a.row.cipher ?? '', b.row.cipher ?? '') ||
      compareTexts(a.row.reason ?? '', b.row.reason ?? ''),
  );
  const other = ({ row, sessions, peers }: (typeof all)[number]): OtherRow => ({
    direction: row.direction,
    service: row.service,
    sessions,
    peers: peers.size,
  });
  const of = (state: SessionState): typeof all => all.filter((group) => group.state === state);
  const inOrder = [...days].sort();
  return {
    sessions: of('tls').map((group) => ({
      direction: group.row.direction,
      service: group.row.service,
      protocol: group.row.protocol,
      cipher: group.row.cipher,
      sessions: group.sessions,
      peers: group.peers.size,
    })),
    plaintext: of('plaintext').map(other),
    refused: of('refused').map((group) => ({ ...other(group), reason: group.row.reason ?? 'not told' })),
    untold: of('untold').map(other),
    lines: counts.lines,
    first: inOrder[0] ?? null,
    last: inOrder.at(-1) ?? null,
  };
}

/** Sessions of a row on all days. */
export function sessionsOf({ days }: Pick<Row, 'days'>): number {
  return days.reduce((sum, sessions) => sum + sessions, 0);
}

/** The indexes of the peers of each row, by index of the row. */
function peersByRow(peers: readonly Peer[]): number[][] {
  const byRow: number[][] = [];
  peers.forEach(({ rows, sessions }, peer) => {
    rows.forEach((row, at) => {
      if ((sessions[at] ?? 0) > 0) {
        const list = byRow[row] ?? [];
        list.push(peer);
        byRow[row] = list;
      }
    });
  });
  return byRow;
}

function rank(protocol: string | null): number {
  return protocol === null ? -1 : (PROTOCOLS as readonly string[]).indexOf(protocol);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
