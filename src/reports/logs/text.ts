import type { LogSummary, PeerRow } from '../../logs/summary.ts';
import type { Direction } from '../../logs/tally.ts';
import type { Palette } from '../palette.ts';
import { shownText } from '../words.ts';
import {
  headingOf,
  kindHeading,
  notesOf,
  type ServiceTables,
  type SpreadRow,
  shareOf,
  type Trend,
  tablesOf,
} from './tables.ts';

/** Columns of the longest bar. */
const BAR = 20;

/** Peers that are listed under a row; the other formats that list them have all. */
const MOST_PEERS = 10;

/** Domains and users that are named of a peer. */
const MOST_NAMES = 3;

/** What a log says, for the terminal: by direction and service, TLS from the newest protocol, then what went without. */
export function logsText(summary: LogSummary, palette: Palette): string {
  const parts = [`${headingOf(summary)}\n`];
  for (const service of tablesOf(summary)) {
    parts.push(spreadText(service, palette));
    if (service.trend !== null) parts.push(trendText(service.title, service.trend, palette));
  }
  parts.push(...notesOf(summary).map((note) => `${note}\n`));
  return parts.join('\n');
}

function spreadText({ direction, title, rows }: ServiceTables, palette: Palette): string {
  const label = Math.max(title.length, ...rows.map((row) => row.label.length + 2)) + 2;
  const head = ['sessions', 'share', 'peers'];
  const cells = rows.map(({ sessions, share, peers }) => [numberText(sessions), share, numberText(peers)]);
  const widths = head.map((name, column) =>
    Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const columns = (row: readonly string[]): string =>
    row.map((text, at) => text.padStart(widths[at] ?? 0)).join('  ');
  const lines = rows.flatMap((row, index) => {
    const bar = '█'.repeat(Math.round(row.part * BAR));
    const name = `  ${row.label}`.padEnd(label);
    const line = `${row.weight === 'bad' ? palette.severity.warning(name) : name}${columns(cells[index] ?? [])}  ${bar}`;
    return [line.trimEnd(), ...peersText(row, direction).map((text) => palette.dim(text))];
  });
  return `${palette.strong(title.padEnd(label))}${palette.dim(columns(head))}\n${lines.join('\n')}\n`;
}

/** The peers of a row with most sessions. */
function peersText({ byPeer }: SpreadRow, direction: Direction): string[] {
  const shown = byPeer.slice(0, MOST_PEERS);
  const width = Math.max(0, ...shown.map(({ sessions }) => numberText(sessions).length));
  const address = Math.max(0, ...shown.map((peer) => shownText(peer.address).length));
  const lines = shown.map(
    (peer) =>
      `    ${numberText(peer.sessions).padStart(width)}  ${shownText(peer.address).padEnd(address)}  ${shownText(peer.name)}${detailsText(peer, direction)}`,
  );
  const rest = byPeer.slice(MOST_PEERS);
  if (rest.length > 0) {
    const sessions = rest.reduce((sum, peer) => sum + peer.sessions, 0);
    lines.push(
      `    … and ${numberText(rest.length)} more with ${numberText(sessions)} sessions: --format csv has all`,
    );
  }
  return lines;
}

/** Whose mail it is, and who logs in. */
function detailsText({ domains, moreDomains, users }: PeerRow, direction: Direction): string {
  const some = (names: readonly string[], more: boolean): string =>
    `${names
      .slice(0, MOST_NAMES)
      .map((name) => shownText(name, 80))
      .join(', ')}${more || names.length > MOST_NAMES ? ', …' : ''}`;
  return [
    domains.length === 0 ? '' : `  ${direction === 'in' ? 'from' : 'to'} ${some(domains, moreDomains)}`,
    users.length === 0 ? '' : `  as ${some(users, false)}`,
  ].join('');
}

/** The shares of protocols from period to period. */
function trendText(service: string, { step, columns, rows }: Trend, palette: Palette): string {
  const title = `${service}, by ${step}`;
  const head = ['sessions', ...columns.map(kindHeading)];
  const cells = rows.map(({ period, sessions, parts }) =>
    period.period === null
      ? []
      : [numberText(sessions), ...parts.map((part) => (sessions === 0 ? '–' : shareOf(part)))],
  );
  const widths = head.map((name, column) =>
    Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  // What a hole says goes over the columns.
  const names = rows.filter(({ period }) => period.period !== null).map(({ label }) => label.length + 2);
  const label = Math.max(title.length, ...names) + 2;
  const line = (row: readonly string[]): string =>
    row.map((text, at) => text.padStart(widths[at] ?? 0)).join('  ');
  const lines = rows.map(({ period, label: name }, index) =>
    period.period === null
      ? palette.dim(`  … ${name}`)
      : `  ${name}`.padEnd(label) + line(cells[index] ?? []),
  );
  return `${palette.strong(title.padEnd(label))}${palette.dim(line(head))}\n${lines.join('\n')}\n`;
}

function numberText(number: number): string {
  return number.toLocaleString('en');
}
