import type { LogSummary, PeerRow } from '../../logs/summary.ts';
import { plain } from '../markdown.ts';
import { headingOf, kindHeading, notesOf, type SpreadRow, shareOf, type Trend, tablesOf } from './tables.ts';

/** Peers that are listed of a service. */
const MOST_PEERS = 30;

/** What a log says as tables for a comment, a ticket or a page. */
export function logsMarkdown(summary: LogSummary): string {
  const parts = ['### What the peers speak', plain(headingOf(summary))];
  for (const { title, rows, trend } of tablesOf(summary)) {
    parts.push(`#### ${plain(title)}`, spread(rows));
    if (trend !== null) parts.push(overTime(trend));
    if (summary.peersNamed) parts.push(peers(rows));
  }
  parts.push(...notesOf(summary).map(plain));
  return `${parts.join('\n\n')}\n`;
}

function spread(rows: readonly SpreadRow[]): string {
  return table(
    ['', 'sessions', 'share', 'peers'],
    rows.map(({ label, sessions, share, peers: number }) => [
      plain(label.replace(/ {2,}/, ' ')),
      numberText(sessions),
      plain(share),
      numberText(number),
    ]),
  );
}

function overTime({ step, columns, rows }: Trend): string {
  return table(
    [step, 'sessions', ...columns.map((column) => plain(kindHeading(column)))],
    rows.map(({ period, label, sessions, parts }) =>
      period.period === null
        ? [`*${plain(label)}*`, '0', ...columns.map(() => '')]
        : [
            plain(label),
            numberText(sessions),
            ...parts.map((part) => (sessions === 0 ? '–' : plain(shareOf(part)))),
          ],
    ),
  );
}

function peers(rows: readonly SpreadRow[]): string {
  const all: (PeerRow & { readonly label: string })[] = rows
    .flatMap(({ label, byPeer }) => byPeer.map((peer) => ({ ...peer, label })))
    .sort((a, b) => b.sessions - a.sessions);
  const shown = table(
    ['', 'address', 'name', 'domains', 'users', 'sessions'],
    all
      .slice(0, MOST_PEERS)
      .map(({ label, address, name, sessions, domains, moreDomains, users }) => [
        plain(label.replace(/ {2,}/, ' ')),
        plain(address),
        plain(name),
        plain([...domains, ...(moreDomains ? ['…'] : [])].join(', ')),
        plain(users.join(', ')),
        numberText(sessions),
      ]),
  );
  const more = all.length - MOST_PEERS;
  return more > 0 ? `${shown}\n\n… and ${numberText(more)} more: \`--format csv\` has all.` : shown;
}

const LEFT: ReadonlySet<string> = new Set([
  '',
  'address',
  'name',
  'domains',
  'users',
  'day',
  'week',
  'month',
]);

/** A table: texts stand on the left and numbers on the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const align = head.map((name) => (LEFT.has(name) ? '---' : '---:'));
  return [line(head), `|${align.join('|')}|`, ...rows.map(line)].join('\n');
}

function numberText(number: number): string {
  return number.toLocaleString('en');
}
