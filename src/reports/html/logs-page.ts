import type { Period } from '../../logs/periods.ts';
import type { LogSummary } from '../../logs/summary.ts';
import {
  headingOf,
  kindHeading,
  notesOf,
  type ServiceTables,
  type SpreadRow,
  shareOf,
  type Trend,
  tablesOf,
} from '../logs/tables.ts';
import { renderHtml } from './render.ts';

/** Peers that are listed of a service: a page of millions nobody opens. */
const MOST_PEERS = 100;

/** Units of the pictures: percent from side to side, and of the plot of a time axis from top to bottom. */
const WIDTH = 100;
const HEIGHT = 100;

/** Periods between which lines are drawn; of more there would be nothing but lines. */
const MOST_LINED = 60;

/** Of a time axis no hole takes more than this part. */
const LARGEST_HOLE = 0.15;

/** The classes of kinds in the style; any other protocol is drawn as one that the log does not tell. */
const CLASSES: Readonly<Record<string, string>> = {
  'TLSv1.3': 'tls13',
  'TLSv1.2': 'tls12',
  'TLSv1.1': 'tls11',
  TLSv1: 'tls10',
  SSLv3: 'ssl',
  SSLv2: 'ssl',
  TLS: 'tls',
  clear: 'clear',
  untold: 'untold',
  failed: 'failed',
};

/** What a log says as one page that needs nothing else. */
export function logsHtml(summary: LogSummary, version: string): string {
  return renderHtml('logs', {
    kind: 'logs',
    version,
    title: 'What the peers speak',
    lead: headingOf(summary),
    services: tablesOf(summary).map((tables, index) =>
      serviceData(tables, `s${index + 1}`, summary.peersNamed),
    ),
    notes: notesOf(summary),
    foot: [`Made by pfharden ${version}. No network is needed to read this page.`],
  });
}

function serviceData({ title, rows, trend }: ServiceTables, anchor: string, named: boolean): object {
  return {
    anchor,
    title,
    sessions: numberText(rows.reduce((sum, { sessions }) => sum + sessions, 0)),
    rows: rows.map((row) => ({
      kind: classOf(row.kind),
      label: row.label.replace(/ {2,}/, ' '),
      sessions: numberText(row.sessions),
      share: row.share,
      width: rounded(row.part * WIDTH),
      peers: numberText(row.peers),
    })),
    trend: trend === null ? null : trendData(trend),
    peers: named ? peersData(rows) : null,
  };
}

function peersData(rows: readonly SpreadRow[]): object {
  const all = rows
    .flatMap(({ label, kind, byPeer }) => byPeer.map((peer) => ({ label, kind, peer })))
    .sort((a, b) => b.peer.sessions - a.peer.sessions);
  const more = all.length - MOST_PEERS;
  return {
    rows: all.slice(0, MOST_PEERS).map(({ label, kind, peer }) => ({
      kind: classOf(kind),
      label: label.replace(/ {2,}/, ' '),
      address: peer.address,
      name: peer.name,
      domains: [...peer.domains, ...(peer.moreDomains ? ['…'] : [])].join(', '),
      users: peer.users.join(', '),
      sessions: numberText(peer.sessions),
    })),
    more: more > 0 ? `${numberText(more)} more: --format csv has all.` : '',
  };
}

function trendData({ step, columns, rows }: Trend): object {
  const spans = spansOf(rows.map(({ period }) => period));
  const full = rows.filter(({ sessions }) => sessions > 0);
  const [first, last] = [full[0], full.at(-1)];
  const shares = (part: number | undefined): string => shareOf(part ?? 0);
  return {
    step,
    many: rows.length > MOST_LINED,
    areas: columns.map((kind, column) => ({
      kind: classOf(kind),
      path: rows
        .flatMap(({ parts }, index) => {
          const span = spans[index];
          const part = parts[column] ?? 0;
          if (span === undefined || part === 0) return [];
          const below = parts.slice(0, column).reduce((sum, one) => sum + one, 0);
          return [
            `M${rounded(span.x)} ${rounded(below * HEIGHT)}h${rounded(span.width)}v${rounded(part * HEIGHT)}h${rounded(-span.width)}z`,
          ];
        })
        .join(''),
    })),
    from: rows[0]?.label ?? '',
    to: rows.at(-1)?.label ?? '',
    kinds: columns.map((kind, column) => ({
      kind: classOf(kind),
      name: kindHeading(kind),
      change: `${shares(first?.parts[column])} → ${shares(last?.parts[column])}`,
    })),
    words: `Shares of sessions from ${rows[0]?.label ?? ''} to ${rows.at(-1)?.label ?? ''}: ${columns
      .map(
        (kind, column) =>
          `${kindHeading(kind)} from ${shares(first?.parts[column])} to ${shares(last?.parts[column])}`,
      )
      .join(', ')}.`,
    heads: columns.map(kindHeading),
    periods: rows.map(({ period, label, sessions, parts }) => ({
      label,
      hole: period.period === null,
      sessions: numberText(sessions),
      parts: parts.map((part) => (sessions === 0 ? '–' : shareOf(part))),
    })),
  };
}

/** Where each period stands on the axis: as wide as it is long, but for holes, which would leave no room. */
function spansOf(periods: readonly Period[]): { readonly x: number; readonly width: number }[] {
  const days = ({ first, last }: Period): number => (Date.parse(last) - Date.parse(first)) / 86_400_000 + 1;
  const counted = periods
    .filter(({ period }) => period !== null)
    .reduce((sum, period) => sum + days(period), 0);
  const lengths = periods.map((period) =>
    period.period === null ? Math.min(days(period), counted * LARGEST_HOLE) : days(period),
  );
  const total = lengths.reduce((sum, length) => sum + length, 0);
  let x = 0;
  return lengths.map((length) => {
    const span = { x, width: (length / total) * WIDTH };
    x += span.width;
    return span;
  });
}

function classOf(kind: string): string {
  return CLASSES[kind] ?? 'tls';
}

function rounded(number: number): number {
  return Number(number.toFixed(3));
}

function numberText(number: number): string {
  return number.toLocaleString('en');
}
