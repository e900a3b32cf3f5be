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
import { UsageError } from './errors.ts';
import { mergeLogs } from './merge-logs.ts';
import { type Given, isOn, type LogFormat, listOf, type Request, textOf } from './options.ts';
import { err, out, outputPalette } from './terminal.ts';

/** Bytes of a key; a shorter one could be guessed. */
const SHORTEST_KEY = 16;

/** Counts what is in logs, or adds up what was counted, and reports on it. */
export async function answerLogs(request: Request): Promise<number> {
  const { words, given } = request;
  const question: LogQuestion = {
    step: (textOf(given, 'by') as Step | undefined) ?? null,
    peers: isOn(given, 'peers'),
    protocols: listOf(given, 'protocol'),
    ciphers: listOf(given, 'cipher'),
    services: listOf(given, 'service'),
  };
  const format = (textOf(given, 'format') as LogFormat | undefined) ?? 'text';
  checkFormat(format, question);
  checkImpact(given, format);
  // What only some runs need is not loaded by the others.
  const impact = asksForImpact(given) ? await import('./log-change.ts') : null;
  const change = impact === null ? null : await impact.changeOf(request);
  const anonymizer = anonymizerOf(given);
  const say = (message: string): void => err(`pfharden: ${message}\n`);
  const { partial, failed } = isOn(given, 'merge')
    ? { partial: await mergeLogs(words, say, anonymizer), failed: false }
    : await countedLogs(words, say, question.peers || change !== null, change === null ? anonymizer : null);
  if (partial === null) return 2;
  if (impact !== null && change !== null) {
    // What was merged has its pseudonyms already.
    const hide = anonymizer === null || isOn(given, 'merge') ? null : anonymizer;
    out(impact.impactReport(change, partial.counts, hide, request));
    return failed || change.failed ? 2 : 0;
  }
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

/** What becomes of the peers when something changes is asked for, in place of what they speak. */
function asksForImpact(given: Given): boolean {
  return 'config' in given || 'profile' in given;
}

function checkImpact(given: Given, format: LogFormat): void {
  if (!asksForImpact(given)) {
    for (const name of ['diff', 'unsafe'] as const)
      if (name in given) throw new UsageError(`--${name} goes with --config`, 'logs');
    return;
  }
  for (const name of ['by', 'protocol', 'cipher', 'service'] as const)
    if (name in given) throw new UsageError(`--${name} does not go with --config and --profile`, 'logs');
  if (format !== 'text' && format !== 'json')
    throw new UsageError('with --config and --profile --format is text or json', 'logs');
}

async function countedLogs(
  paths: readonly string[],
  say: (message: string) => void,
  details: boolean,
  anonymizer: Anonymizer | null,
): Promise<{ readonly partial: LogPartial; readonly failed: boolean }> {
  // The threads load what counts, and nothing else.
  const { countLogs } = await import('./count-logs.ts');
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
