import type { LogSummary, OtherRow } from '../logs/summary.ts';
import type { Direction } from '../logs/tally.ts';
import { jsonText } from './json.ts';
import type { Palette } from './palette.ts';
import { count, shownText } from './words.ts';

/** Columns of the longest bar. */
const BAR = 20;

const DIRECTIONS: Readonly<Record<Direction, string>> = { in: 'Incoming', out: 'Outgoing' };

/** One line of a table. */
interface TableRow {
  readonly label: string;
  readonly sessions: number;
  readonly peers: number;
  /** How it stands out. */
  readonly weight: 'usual' | 'bad';
}

/** What a log says, for the terminal: by direction and service, TLS from the newest protocol, then what went without. */
export function logsText(summary: LogSummary, palette: Palette): string {
  const parts: string[] = [heading(summary)];
  const all = [...summary.sessions, ...summary.plaintext, ...summary.refused, ...summary.untold];
  for (const direction of ['in', 'out'] as const) {
    const services = new Set(all.filter((row) => row.direction === direction).map(({ service }) => service));
    for (const service of [...services].sort()) {
      const mine = (row: OtherRow): boolean => row.direction === direction && row.service === service;
      parts.push(table(`${DIRECTIONS[direction]}, ${shownText(service)}`, rowsOf(summary, mine), palette));
    }
  }
  if (all.length === 0) parts.push('No line tells of a session of a mail server.\n');
  if (summary.untold.length > 0) {
    const names = [...new Set(summary.untold.map(({ service }) => service))].map((name) => shownText(name));
    parts.push(
      `No line of ${names.join(', ')} tells of TLS: set smtp_tls_loglevel = 1 to see which deliveries are encrypted.\n`,
    );
  }
  return parts.join('\n');
}

function rowsOf(summary: LogSummary, mine: (row: OtherRow) => boolean): TableRow[] {
  return [
    ...summary.sessions.filter(mine).map(({ protocol, cipher, sessions, peers }) => ({
      label:
        protocol === null
          ? 'TLS, not told which'
          : `${protocol.padEnd(7)}  ${shownText(cipher ?? 'not told')}`,
      sessions,
      peers,
      weight: 'usual' as const,
    })),
    ...summary.plaintext.filter(mine).map(({ sessions, peers }) => ({
      label: 'in the clear',
      sessions,
      peers,
      weight: 'bad' as const,
    })),
    ...summary.untold.filter(mine).map(({ sessions, peers }) => ({
      label: 'TLS or not, the log does not tell',
      sessions,
      peers,
      weight: 'usual' as const,
    })),
    ...summary.refused.filter(mine).map(({ reason, sessions, peers }) => ({
      label: `TLS failed: ${shownText(reason, 80)}`,
      sessions,
      peers,
      weight: 'bad' as const,
    })),
  ];
}

function heading({ first, last, lines }: LogSummary): string {
  const days = first === null ? '' : first === last ? `${first}: ` : `${first} to ${last}: `;
  const faults = [
    lines.unread > 0 ? `${count(lines.unread, 'line')} not understood` : '',
    lines.long > 0 ? `${count(lines.long, 'line')} too long to be read` : '',
  ].filter((text) => text !== '');
  return `${days}${count(lines.lines, 'line')}${faults.length === 0 ? '' : ` (${faults.join(', ')})`}\n`;
}

function table(title: string, rows: readonly TableRow[], palette: Palette): string {
  const total = rows.reduce((sum, { sessions }) => sum + sessions, 0);
  const label = Math.max(title.length, ...rows.map((row) => row.label.length + 2)) + 2;
  const cells = rows.map(({ sessions, peers }) => [
    sessions.toLocaleString('en'),
    share(sessions, total),
    peers.toLocaleString('en'),
  ]);
  const head = ['sessions', 'share', 'peers'];
  const widths = head.map((name, column) =>
    Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const columns = (row: readonly string[]): string =>
    row.map((text, column) => text.padStart(widths[column] ?? 0)).join('  ');
  const lines = rows.map((row, index) => {
    const bar = '█'.repeat(Math.round((row.sessions / total) * BAR));
    const name = `  ${row.label}`.padEnd(label);
    return `${row.weight === 'bad' ? palette.severity.warning(name) : name}${columns(cells[index] ?? [])}  ${bar}`.trimEnd();
  });
  return `${palette.strong(title.padEnd(label))}${palette.dim(columns(head))}\n${lines.join('\n')}\n`;
}

function share(sessions: number, total: number): string {
  const percent = (100 * sessions) / total;
  return percent > 0 && percent < 0.1 ? '<0.1 %' : `${percent.toFixed(1)} %`;
}

/** The same as JSON, see docs/logs.md. */
export function logsJson(summary: LogSummary): string {
  const { sessions, plaintext, refused, untold, lines, first, last } = summary;
  const side = (direction: Direction): object => {
    const rows = plaintext.filter((row) => row.direction === direction);
    return {
      sessions: rows.reduce((sum, row) => sum + row.sessions, 0),
      services: rows.map(({ service, sessions: number, peers }) => ({ service, sessions: number, peers })),
    };
  };
  return `${jsonText({
    version: 1,
    first,
    last,
    lines,
    sessions,
    plaintext: { in: side('in'), out: side('out') },
    refused,
    untold,
  })}\n`;
}
