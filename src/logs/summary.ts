import { PROTOCOLS } from '../model/protocol.ts';
import { type Period, periodsOf, type Step } from './periods.ts';
import {
  type Direction,
  decoded,
  type LineCounts,
  type Peer,
  type Row,
  type SessionState,
  type WholeCounts,
} from './tally.ts';

/** A peer of a row. */
export interface PeerRow {
  readonly address: string;
  /** The name that the log gives it, `unknown` for none. */
  readonly name: string;
  readonly sessions: number;
  /**
   * Domains of the senders of its messages (in), or of the recipients (out), in order; not necessarily of messages
   * of this row.
   */
  readonly domains: readonly string[];
  /** There are more domains than are known. */
  readonly moreDomains: boolean;
  /** Who logged in, in order. */
  readonly users: readonly string[];
}

/** Sessions of one kind without TLS, or of which the log does not tell. */
export interface OtherRow {
  readonly direction: Direction;
  readonly service: string;
  readonly sessions: number;
  readonly peers: number;
  /** Sessions in each of the periods; only where a time axis is asked for. */
  readonly byPeriod?: readonly number[];
  /** The peers, those with most sessions first; only where they are asked for. */
  readonly byPeer?: readonly PeerRow[];
}

/** Sessions that a report shows as one row. */
export interface SessionRow extends OtherRow {
  /** Null where the log does not name them. */
  readonly protocol: string | null;
  readonly cipher: string | null;
}

/** Sessions that began TLS and did not get it. */
export interface RefusedRow extends OtherRow {
  readonly reason: string;
}

/** All sessions of a service in one direction, whatever is shown of them. */
export interface ServiceTotal {
  readonly direction: Direction;
  readonly service: string;
  readonly sessions: number;
  /** As in rows. */
  readonly byPeriod?: readonly number[];
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
  /** Incoming before outgoing, by name. */
  readonly totals: readonly ServiceTotal[];
  readonly lines: LineCounts;
  /** First and last day, `2026-01-31`; null for a log without sessions. */
  readonly first: string | null;
  readonly last: string | null;
  /** The time axis and its step; null where none is asked for. */
  readonly step: Step | null;
  readonly periods: readonly Period[];
  /** Rows name their peers. */
  readonly peersNamed: boolean;
}

/** What a session was where no protocol tells: TLS of which the log tells no more, or none. */
export type OtherKind = 'TLS' | 'clear' | 'failed' | 'untold';

/** What is asked of a log. An empty list asks for all. */
export interface LogQuestion {
  readonly step: Step | null;
  /** Peers are to be named. */
  readonly peers: boolean;
  /** Names of protocols, and `OtherKind`s. */
  readonly protocols: readonly string[];
  readonly ciphers: readonly string[];
  readonly services: readonly string[];
}

/** The spread, and nothing else. */
export const SPREAD: LogQuestion = { step: null, peers: false, protocols: [], ciphers: [], services: [] };

/** Rows that a report shows as one. */
interface Group {
  readonly row: Row;
  readonly state: SessionState;
  /** Indexes of all that it is made of. */
  readonly rows: Set<number>;
  sessions: number;
  readonly byPeriod: number[];
  peers: number;
  /** The peers with their sessions; only where they are asked for. */
  readonly byPeer: PeerRow[];
}

/** Makes what a report shows of what was counted; users are added up, and days into periods. */
export function summarize(counts: WholeCounts, question: LogQuestion = SPREAD): LogSummary {
  const days = new Set<string>();
  for (const row of counts.rows) {
    row.days.forEach((number, day) => {
      if (number > 0) days.add(counts.dates[day] ?? '');
    });
  }
  const { periods, of: periodOf } = periodsOf(days, question.step ?? 'month');
  const all = groupsOf(counts, (day) => periodOf.get(counts.dates[day] ?? '') ?? 0, periods.length);
  const axis = (byPeriod: readonly number[]): Pick<OtherRow, 'byPeriod'> =>
    question.step === null ? {} : { byPeriod };
  const other = (group: Group): OtherRow => ({
    direction: group.row.direction,
    service: group.row.service,
    sessions: group.sessions,
    peers: group.peers,
    ...axis(group.byPeriod),
    ...(question.peers ? { byPeer: group.byPeer.sort(byShare) } : {}),
  });
  const asked = all.filter((group) => isAsked(group, question));
  addPeers(asked, counts, question.peers);
  const of = (state: SessionState): Group[] => asked.filter((group) => group.state === state);
  const inOrder = [...days].sort();
  return {
    sessions: of('tls').map((group) => {
      const { direction, service, ...rest } = other(group);
      const { protocol, cipher } = group.row;
      return { direction, service, protocol, cipher, ...rest };
    }),
    plaintext: of('plaintext').map(other),
    refused: of('refused').map((group) => ({ ...other(group), reason: reasonOf(group) })),
    untold: of('untold').map(other),
    totals: totalsOf(all).map(({ byPeriod, ...total }) => ({ ...total, ...axis(byPeriod) })),
    lines: counts.lines,
    first: inOrder[0] ?? null,
    last: inOrder.at(-1) ?? null,
    step: question.step,
    periods: question.step === null ? [] : periods,
    peersNamed: question.peers,
  };
}

/** Rows that are one for a report, in its order. */
function groupsOf(counts: WholeCounts, periodOf: (day: number) => number, periods: number): Group[] {
  const told = new Set(
    counts.rows
      .filter((row) => row.state !== 'untold' && sessionsOf(row) > 0)
      .map(({ direction, service }) => `${direction} ${service}`),
  );
  const groups = new Map<string, Group>();
  for (const row of counts.rows) {
    const sessions = sessionsOf(row);
    if (sessions === 0) continue;
    // A service that tells of TLS where there is some tells by its silence that there was none.
    const silent = row.state === 'untold' && told.has(`${row.direction} ${row.service}`);
    const state = silent ? 'plaintext' : row.state;
    const reason = state === 'refused' ? row.reason : null;
    const key = [row.direction, row.service, state, row.protocol, row.cipher, reason].join('\0');
    const group = groups.get(key) ?? {
      row,
      state,
      rows: new Set<number>(),
      sessions: 0,
      byPeriod: Array<number>(periods).fill(0),
      peers: 0,
      byPeer: [],
    };
    groups.set(key, group);
    group.rows.add(row.index);
    group.sessions += sessions;
    row.days.forEach((number, day) => {
      const period = periodOf(day);
      group.byPeriod[period] = (group.byPeriod[period] ?? 0) + number;
    });
  }
  return [...groups.values()].sort(
    (a, b) =>
      compareTexts(a.row.direction, b.row.direction) ||
      compareTexts(a.row.service, b.row.service) ||
      rank(b.row.protocol) - rank(a.row.protocol) ||
      b.sessions - a.sessions ||
      compareTexts(a.row.cipher ?? '', b.row.cipher ?? '') ||
      compareTexts(reasonOf(a), reasonOf(b)),
  );
}

function totalsOf(groups: readonly Group[]): Required<ServiceTotal>[] {
  const totals = new Map<string, Required<ServiceTotal>>();
  for (const { row, sessions, byPeriod } of groups) {
    const { direction, service } = row;
    const key = `${direction} ${service}`;
    const before = totals.get(key);
    totals.set(key, {
      direction,
      service,
      sessions: (before?.sessions ?? 0) + sessions,
      byPeriod: byPeriod.map((number, period) => number + (before?.byPeriod[period] ?? 0)),
    });
  }
  return [...totals.values()];
}

function isAsked({ row, state }: Group, { protocols, ciphers, services }: LogQuestion): boolean {
  const kind = state === 'tls' ? (row.protocol ?? 'TLS') : KIND[state];
  return (
    (protocols.length === 0 || protocols.includes(kind)) &&
    (ciphers.length === 0 || ciphers.includes(row.cipher ?? '')) &&
    (services.length === 0 || services.includes(row.service))
  );
}

const KIND: Readonly<Record<Exclude<SessionState, 'tls'>, OtherKind>> = {
  plaintext: 'clear',
  refused: 'failed',
  untold: 'untold',
};

function reasonOf({ row }: Group): string {
  return row.reason ?? 'not told';
}

/**
 * Adds to groups of rows who has sessions in them.
 *
 * @param named not only how many they are, but which
 */
function addPeers(groups: readonly Group[], { rows, peers }: WholeCounts, named: boolean): void {
  const byRow: (Group | undefined)[] = rows.map(() => undefined);
  for (const group of groups) for (const row of group.rows) byRow[row] = group;
  if (!named && peers.countGroups !== undefined) {
    const indexes = new Map(groups.map((group, index) => [group, index]));
    const groupOf = byRow.map((group) => (group === undefined ? -1 : (indexes.get(group) ?? -1)));
    const counted = peers.countGroups(groupOf, groups.length);
    groups.forEach((group, index) => {
      group.peers += counted[index] ?? 0;
    });
    return;
  }
  const own = new Map<Group, number>();
  for (const peer of peers) {
    own.clear();
    peer.rows.forEach((row, at) => {
      const group = byRow[row];
      const sessions = peer.sessions[at] ?? 0;
      if (group !== undefined) own.set(group, (own.get(group) ?? 0) + sessions);
    });
    for (const [group, sessions] of own) {
      group.peers++;
      if (named) group.byPeer.push(peerRow(peer, sessions, group));
    }
  }
}

function peerRow({ address, name, details }: Peer, sessions: number, { row, rows }: Group): PeerRow {
  const domains = row.direction === 'in' ? details?.senders : details?.recipients;
  const users = [...(details?.users ?? [])].filter(([, counted]) =>
    [...counted.keys()].some((one) => rows.has(one)),
  );
  return {
    address,
    name,
    sessions,
    domains: (domains?.names ?? []).map(decoded).sort(compareTexts),
    moreDomains: domains?.more === true,
    users: users.map(([user]) => decoded(user)).sort(compareTexts),
  };
}

function byShare(a: PeerRow, b: PeerRow): number {
  return b.sessions - a.sessions || compareTexts(a.address, b.address);
}

/** Sessions of a row on all days. */
export function sessionsOf({ days }: Pick<Row, 'days'>): number {
  return days.reduce((sum, sessions) => sum + sessions, 0);
}

function rank(protocol: string | null): number {
  return protocol === null ? -1 : (PROTOCOLS as readonly string[]).indexOf(protocol);
}

/** The order of two texts by their units: the same everywhere, whatever the language. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
