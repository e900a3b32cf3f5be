import { UsageError } from './errors.ts';
import { isOn, type Request, textOf } from './options.ts';
import { err, out, outputPalette } from './terminal.ts';

/** `pfharden logs FILE…`: which protocols and suites peers use. */
export async function logs({ words, given }: Request): Promise<number> {
  if (words.length === 0) throw new UsageError('logs needs a file; - is standard input', 'logs');
  const { countLogs, logsJson, logsText } = await import('./count-logs.ts');
  const { summary, failed } = await countLogs(words, (message) => err(`pfharden: ${message}\n`));
  out(
    textOf(given, 'format') === 'json'
      ? logsJson(summary)
      : logsText(summary, outputPalette(isOn(given, 'no-color'))),
  );
  return failed ? 2 : 0;
}
