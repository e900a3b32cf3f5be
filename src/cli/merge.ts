import type { Severity } from '../model/finding.ts';
import { UsageError } from './errors.ts';
import { type Request, textOf } from './options.ts';
import { err, out } from './terminal.ts';

/** `pfharden merge FILE…`: the reports of all parts of a repository as the one of a single run. */
export async function merge({ words, given }: Request): Promise<number> {
  if (words.length === 0) throw new UsageError('merge needs the reports of all parts', 'merge');
  const failOn = (textOf(given, 'fail-on') ?? 'warning') as Severity;
  const output = textOf(given, 'output');
  const { mergedReport, OutputFile } = await import('./merge-reports.ts');
  const { text, failed, problems } = mergedReport(words, failOn);
  if (output === undefined) out(text);
  else {
    const file = new OutputFile(output);
    file.write(text);
    file.finish();
  }
  for (const problem of problems) err(`pfharden: ${problem}\n`);
  return problems.length > 0 ? 2 : failed ? 1 : 0;
}
