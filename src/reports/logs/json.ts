import type { LogSummary, OtherRow } from '../../logs/summary.ts';
import type { Direction } from '../../logs/tally.ts';
import { jsonText } from '../json.ts';

/** What a log says as JSON, see docs/logs.md. */
export function logsJson(summary: LogSummary): string {
  const { sessions, plaintext, refused, untold, lines, first, last, step, periods } = summary;
  const side = (direction: Direction): object => {
    const rows = plaintext.filter((row) => row.direction === direction);
    return {
      sessions: rows.reduce((sum, row) => sum + row.sessions, 0),
      services: rows.map(withoutDirection),
    };
  };
  return `${jsonText({
    version: 1,
    first,
    last,
    lines,
    ...(step === null ? {} : { by: step, periods }),
    sessions,
    plaintext: { in: side('in'), out: side('out') },
    refused,
    untold,
  })}\n`;
}

function withoutDirection(row: OtherRow): object {
  const { service, sessions, peers, byPeriod, byPeer } = row;
  return {
    service,
    sessions,
    peers,
    ...(byPeriod === undefined ? {} : { byPeriod }),
    ...(byPeer === undefined ? {} : { byPeer }),
  };
}
