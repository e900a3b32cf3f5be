import type { LogSummary, OtherRow } from '../../logs/summary.ts';
import { harmless } from '../words.ts';

type Cell = string | number | null;

/** A row of the summary with what its list stands for. */
interface StateRow extends OtherRow {
  readonly state: string;
  readonly protocol?: string | null;
  readonly cipher?: string | null;
  readonly reason?: string;
}

/**
 * What a log says as a table for other programs (RFC 4180): a line for each row; with a time axis for each row and
 * period, holes among them as lines that name no service; with peers for each row and peer.
 */
export function logsCsv(summary: LogSummary): string {
  const all: StateRow[] = [
    ...summary.sessions.map((row) => ({ ...row, state: 'tls' })),
    ...summary.plaintext.map((row) => ({ ...row, state: 'plaintext' })),
    ...summary.refused.map((row) => ({ ...row, state: 'refused' })),
    ...summary.untold.map((row) => ({ ...row, state: 'untold' })),
  ];
  const what = ['direction', 'service', 'state', 'protocol', 'cipher', 'reason'];
  const kind = ({ direction, service, state, protocol, cipher, reason }: StateRow): Cell[] => [
    direction,
    service,
    state,
    protocol ?? null,
    cipher ?? null,
    reason ?? null,
  ];
  if (summary.step !== null) {
    return table(
      ['period', 'first', 'last', ...what, 'sessions'],
      summary.periods.flatMap(({ period, first, last }, index) =>
        period === null
          ? [[period, first, last, ...what.map(() => null), 0]]
          : all.map((row) => [period, first, last, ...kind(row), row.byPeriod?.[index] ?? 0]),
      ),
    );
  }
  if (summary.peersNamed) {
    return table(
      [...what, 'address', 'name', 'sessions', 'domains', 'users'],
      all.flatMap((row) =>
        (row.byPeer ?? []).map(({ address, name, sessions, domains, moreDomains, users }) => [
          ...kind(row),
          address,
          name,
          sessions,
          [...domains, ...(moreDomains ? ['…'] : [])].join(' '),
          users.join(' '),
        ]),
      ),
    );
  }
  return table(
    [...what, 'sessions', 'peers'],
    all.map((row) => [...kind(row), row.sessions, row.peers]),
  );
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [head, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/**
 * One field. Spreadsheets take a text that begins as a formula does for one, quoted or not: an apostrophe before it
 * keeps it a text.
 */
function field(value: Cell): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const text = harmless(/^[=+\-@\t\r]/.test(value) ? `'${value}` : value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
