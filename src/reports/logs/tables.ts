import { holeLength, type Period, type Step } from '../../logs/periods.ts';
import type { LogSummary, OtherRow, PeerRow, ServiceTotal } from '../../logs/summary.ts';
import type { Direction } from '../../logs/tally.ts';
import { PROTOCOLS } from '../../model/protocol.ts';
import { count, shownText } from '../words.ts';

/** One line of the table of a service. */
export interface SpreadRow {
  /** What the time axis counts as one: a protocol, or an `OtherKind`. */
  readonly kind: string;
  readonly label: string;
  readonly sessions: number;
  /** Of all sessions of the service, in words. */
  readonly share: string;
  /** The same as a number from 0 to 1. */
  readonly part: number;
  readonly peers: number;
  /** How it stands out. */
  readonly weight: 'usual' | 'bad';
  readonly byPeriod: readonly number[];
  readonly byPeer: readonly PeerRow[];
}

/** One line of a time axis: a period, or a hole. */
export interface TrendRow {
  readonly period: Period;
  /** The name of the period; of a hole how long it is. */
  readonly label: string;
  readonly sessions: number;
  /** By column, from 0 to 1. */
  readonly parts: readonly number[];
}

/** What became of the sessions of a service over time. */
export interface Trend {
  readonly step: Step;
  /** Kinds of rows. */
  readonly columns: readonly string[];
  readonly rows: readonly TrendRow[];
}

/** All that a report says of a service in one direction. */
export interface ServiceTables {
  readonly direction: Direction;
  readonly title: string;
  readonly rows: readonly SpreadRow[];
  /** Null where no time axis is asked for. */
  readonly trend: Trend | null;
}

const DIRECTIONS: Readonly<Record<Direction, string>> = { in: 'Incoming', out: 'Outgoing' };

/** What the time axis counts as one, in its order. */
const KINDS: readonly string[] = [...PROTOCOLS.toReversed(), 'TLS', 'clear', 'untold', 'failed'];

/** How columns of the time axis are headed; protocols by their names. */
const HEADINGS: Readonly<Record<string, string>> = {
  TLS: 'TLS, which?',
  clear: 'in the clear',
  untold: 'not told',
  failed: 'failed',
};

/** The heading of a column of the time axis. */
export function kindHeading(kind: string): string {
  return HEADINGS[kind] ?? shownText(kind);
}

/** What is shown of each service, incoming before outgoing. */
export function tablesOf(summary: LogSummary): ServiceTables[] {
  return summary.totals.flatMap((total) => {
    const rows = rowsOf(summary, total);
    if (rows.length === 0) return [];
    const trend = summary.step === null ? null : trendOf(rows, total, summary.periods, summary.step);
    const { direction } = total;
    return [{ direction, title: `${DIRECTIONS[direction]}, ${shownText(total.service)}`, rows, trend }];
  });
}

/** What the first line says: from when to when, and how much was read. */
export function headingOf({ first, last, lines }: LogSummary): string {
  const days = first === null ? '' : first === last ? first : `${first} to ${last}`;
  const faults = [
    lines.unread > 0 ? `${count(lines.unread, 'line')} not understood` : '',
    lines.long > 0 ? `${count(lines.long, 'line')} too long to be read` : '',
  ].filter((text) => text !== '');
  const read = `${count(lines.lines, 'line')}${faults.length === 0 ? '' : ` (${faults.join(', ')})`}`;
  // Counts that a query made know of no lines.
  return [days, first !== null && lines.lines === 0 ? '' : read].filter((text) => text !== '').join(': ');
}

/** What is to be said below the tables. */
export function notesOf(summary: LogSummary): string[] {
  const { totals, sessions, plaintext, refused, untold } = summary;
  if (totals.length === 0) return ['No line tells of a session of a mail server.'];
  if ([sessions, plaintext, refused, untold].every((rows) => rows.length === 0))
    return ['No session is of the kind that is asked for.'];
  if (untold.length === 0) return [];
  const names = [...new Set(untold.map(({ service }) => service))].map((name) => shownText(name));
  return [
    `No line of ${names.join(', ')} tells of TLS: set smtp_tls_loglevel = 1 to see which deliveries are encrypted.`,
  ];
}

/** A part of a whole in words. */
export function shareOf(part: number): string {
  const percent = 100 * part;
  return percent > 0 && percent < 0.1 ? '<0.1 %' : `${percent.toFixed(1)} %`;
}

function rowsOf(summary: LogSummary, total: ServiceTotal): SpreadRow[] {
  const mine = ({ direction, service }: OtherRow): boolean =>
    direction === total.direction && service === total.service;
  const row = (kind: string, label: string, of: OtherRow): SpreadRow => ({
    kind,
    label,
    sessions: of.sessions,
    part: of.sessions / total.sessions,
    share: shareOf(of.sessions / total.sessions),
    peers: of.peers,
    weight: kind === 'clear' || kind === 'failed' ? 'bad' : 'usual',
    byPeriod: of.byPeriod ?? [],
    byPeer: of.byPeer ?? [],
  });
  return [
    ...summary.sessions
      .filter(mine)
      .map((one) =>
        one.protocol === null
          ? row('TLS', 'TLS, not told which', one)
          : row(
              one.protocol,
              `${shownText(one.protocol).padEnd(7)}  ${shownText(one.cipher ?? 'not told')}`,
              one,
            ),
      ),
    ...summary.plaintext.filter(mine).map((one) => row('clear', 'in the clear', one)),
    ...summary.untold.filter(mine).map((one) => row('untold', 'TLS or not, the log does not tell', one)),
    ...summary.refused
      .filter(mine)
      .map((one) => row('failed', `TLS failed: ${shownText(one.reason, 80)}`, one)),
  ];
}

function trendOf(
  rows: readonly SpreadRow[],
  total: ServiceTotal,
  periods: readonly Period[],
  step: Step,
): Trend {
  const rank = (kind: string): number => (KINDS.includes(kind) ? KINDS.indexOf(kind) : KINDS.length);
  const columns = [...new Set(rows.map(({ kind }) => kind))].sort((a, b) => rank(a) - rank(b));
  return {
    step,
    columns,
    rows: periods.map((period, index) => {
      const sessions = total.byPeriod?.[index] ?? 0;
      const parts = columns.map((column) => {
        const own = rows
          .filter(({ kind }) => kind === column)
          .reduce((sum, { byPeriod }) => sum + (byPeriod[index] ?? 0), 0);
        return sessions === 0 ? 0 : own / sessions;
      });
      const label = period.period ?? `no session at all for ${count(holeLength(period, step), step)}`;
      return { period, label, sessions, parts };
    }),
  };
}
