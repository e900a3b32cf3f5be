import { type LogPartial, partialDocument } from '../../logs/partial.ts';
import { jsonLine } from '../json.ts';

/** Counts as a file that `--merge` reads: a row or a peer a line. */
export function logsPartial(partial: LogPartial): string {
  const { rows, peers, ...head } = partialDocument(partial);
  const list = (entries: readonly unknown[]): string =>
    `[${entries.map((entry) => `\n${jsonLine(entry).trimEnd()}`).join(',')}\n]`;
  return `${jsonLine(head).trimEnd().slice(0, -1)},\n"rows":${list(rows)},\n"peers":${list(peers)}}\n`;
}
