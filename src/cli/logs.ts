import type { Step } from '../logs/periods.ts';
import type { LogQuestion, LogSummary } from '../logs/summary.ts';
import { UsageError } from './errors.ts';
import { isOn, type LogFormat, listOf, type Request, textOf } from './options.ts';
import { err, out, outputPalette } from './terminal.ts';

/** `pfharden logs FILE…`: which protocols and suites peers use. */
export async function logs({ words, given }: Request): Promise<number> {
  if (words.length === 0) throw new UsageError('logs needs a file; - is standard input', 'logs');
  const question: LogQuestion = {
    step: (textOf(given, 'by') as Step | undefined) ?? null,
    peers: isOn(given, 'peers'),
    protocols: listOf(given, 'protocol'),
    ciphers: listOf(given, 'cipher'),
    services: listOf(given, 'service'),
  };
  const format = (textOf(given, 'format') as LogFormat | undefined) ?? 'text';
  if (format === 'csv' && question.step !== null && question.peers)
    throw new UsageError('--format csv has one table: give --by or --peers, not both', 'logs');
  const { countLogs, logsCsv, logsJson, logsMarkdown, logsText, summarize } = await import('./count-logs.ts');
  const { counts, failed } = await countLogs(
    words,
    (message) => err(`pfharden: ${message}\n`),
    question.peers,
  );
  const write: Readonly<Record<LogFormat, (summary: LogSummary) => string>> = {
    text: (summary) => logsText(summary, outputPalette(isOn(given, 'no-color'))),
    json: logsJson,
    csv: logsCsv,
    markdown: logsMarkdown,
  };
  out(write[format](summarize(counts, question)));
  return failed ? 2 : 0;
}
