import { InputError } from '../hosts/files.ts';
import { readLogFile } from '../hosts/log-files.ts';
import { UsageError } from './errors.ts';
import { isOn, type Request, textOf } from './options.ts';
import { err, out, outputPalette } from './terminal.ts';

/** `pfharden logs FILE…`: which protocols and suites peers use. */
export async function logs({ words, given }: Request): Promise<number> {
  if (words.length === 0) throw new UsageError('logs needs a file; - is standard input', 'logs');
  const { LogReader } = await import('../logs/reader.ts');
  const { summarize } = await import('../logs/summary.ts');
  const { logsJson, logsText } = await import('../reports/logs.ts');
  const reader = new LogReader({ domains: false, continues: false });
  let failed = false;
  let latest = new Date(0);
  for (const path of words) {
    try {
      const { cut, written } = await readLogFile(path, reader);
      if (cut !== null) err(`pfharden: ${path}: ${cut}: what stands before it is counted\n`);
      const known = written ?? new Date();
      if (known > latest) latest = known;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failed = true;
      err(`pfharden: ${error.message}\n`);
    }
  }
  const summary = summarize(
    reader.end({ year: latest.getFullYear(), month: latest.getMonth() + 1, day: latest.getDate() }),
  );
  out(
    textOf(given, 'format') === 'json'
      ? logsJson(summary)
      : logsText(summary, outputPalette(isOn(given, 'no-color'))),
  );
  return failed ? 2 : 0;
}
