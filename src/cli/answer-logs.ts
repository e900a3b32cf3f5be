import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import about from '../../package.json' with { type: 'json' };
import { InputError, reasonOf } from '../hosts/files.ts';
import { Anonymizer } from '../logs/anonymize.ts';
import type { LogPartial } from '../logs/partial.ts';
import type { Step } from '../logs/periods.ts';
import { type LogQuestion, type LogSummary, summarize } from '../logs/summary.ts';
import { logsCsv } from '../reports/logs/csv.ts';
import { logsJson } from '../reports/logs/json.ts';
import { logsMarkdown } from '../reports/logs/markdown.ts';
import { logsPartial } from '../reports/logs/partial.ts';
import { logsText } from '../reports/logs/text.ts';
import { countLogs } from './count-logs.ts';
import { UsageError } from './errors.ts';
import { mergeLogs } from './merge-logs.ts';
import { type Given, isOn, type LogFormat, listOf, type Request, textOf } from './options.ts';
import { err, out, outputPalette } from './terminal.ts';

/** Bytes of a key; a shorter one could be guessed. */
const SHORTEST_KEY = 16;

/** Counts what is in logs, or adds up what was counted, and reports on it. */
export async function answerLogs({ words, given }: Request): Promise<number> {
  const question: LogQuestion = {
    step: (textOf(given, 'by') as Step | undefined) ?? null,
    peers: isOn(given, 'peers'),
    protocols: listOf(given, 'protocol'),
    ciphers: listOf(given, 'cipher'),
    services: listOf(given, 'service'),
  };
  const format = (textOf(given, 'format') as LogFormat | undefined) ?? 'text';
  checkFormat(format, question);
  const anonymizer = anonymizerOf(given);
  const say = (message: string): void => err(`pfharden: ${message}\n`);
  const { partial, failed } = isOn(given, 'merge')
    ? { partial: await mergeLogs(words, say, anonymizer), failed: false }
    : await countedLogs(words, say, question.peers, anonymizer);
  if (partial === null) return 2;
  const write: Readonly<Record<LogFormat, () => string | Promise<string>>> = {
    text: () => logsText(summary(), outputPalette(isOn(given, 'no-color'))),
    json: () => logsJson(summary()),
    csv: () => logsCsv(summary()),
    markdown: () => logsMarkdown(summary()),
    // The templates of pages are loaded only where one is made.
    html: async () => (await import('../reports/html/logs-page.ts')).logsHtml(summary(), about.version),
    partial: () => logsPartial(partial),
  };
  const summary = (): LogSummary => summarize(partial.counts, question);
  out(await write[format]());
  return failed ? 2 : 0;
}

function checkFormat(format: LogFormat, { step, peers, protocols, ciphers, services }: LogQuestion): void {
  if (format === 'csv' && step !== null && peers)
    throw new UsageError('--format csv has one table: give --by or --peers, not both', 'logs');
  if (format === 'partial' && (step !== null || [...protocols, ...ciphers, ...services].length > 0))
    throw new UsageError('--format partial holds everything: ask when the counts are merged', 'logs');
}

async function countedLogs(
  paths: readonly string[],
  say: (message: string) => void,
  details: boolean,
  anonymizer: Anonymizer | null,
): Promise<{ readonly partial: LogPartial; readonly failed: boolean }> {
  const { counts, failed } = await countLogs(paths, say, details);
  const partial =
    anonymizer === null
      ? { anonymized: null, counts }
      : { anonymized: anonymizer.mark, counts: anonymizer.counts(counts) };
  return { partial, failed };
}

/** What makes pseudonyms; null where none are asked for. */
function anonymizerOf(given: Given): Anonymizer | null {
  const file = textOf(given, 'anonymize-key');
  if (file === undefined) return isOn(given, 'anonymize') ? new Anonymizer(randomBytes(32)) : null;
  let key: Uint8Array;
  try {
    key = readFileSync(file);
  } catch (error) {
    throw new InputError(`${file}: ${reasonOf(error)}`);
  }
  if (key.length < SHORTEST_KEY)
    throw new InputError(
      `${file}: a key has at least ${SHORTEST_KEY} bytes; this makes one: head -c 32 /dev/urandom > FILE`,
    );
  return new Anonymizer(key);
}
