import { InputError } from '../hosts/files.ts';
import { distinctFiles, matchingFiles, readLogFile } from '../hosts/log-files.ts';
import { LogReader } from '../logs/reader.ts';
import { rotatedSets } from '../logs/rotation.ts';
import type { WholeCounts } from '../logs/tally.ts';

/**
 * Reads logs and counts the sessions in them.
 *
 * @param paths names or patterns, in any order: the files of a rotated set are read from the oldest on, each file once
 * @param say takes what is wrong with a file
 * @param details also who is behind the sessions, which takes longer
 */
export async function countLogs(
  paths: readonly string[],
  say: (message: string) => void,
  details: boolean,
): Promise<{ readonly counts: WholeCounts; readonly failed: boolean }> {
  let failed = false;
  const { files, repeated } = distinctFiles(await matchingFiles(paths));
  for (const path of repeated) say(`${path}: is given twice, and read once`);
  const options = { continues: false, details };
  const whole = new LogReader(options);
  const now = new Date();
  for (const set of rotatedSets(files)) {
    const reader = new LogReader(options);
    let latest: Date | null = null;
    for (const path of set) {
      try {
        const { cut, written } = await readLogFile(path, reader);
        if (cut !== null) say(`${path}: ${cut}: what stands before it is counted`);
        const known = written ?? now;
        if (latest === null || known > latest) latest = known;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        failed = true;
        say(error.message);
      }
    }
    whole.follow(reader.finished(dayOf(latest ?? now)));
  }
  return { counts: whole.end(dayOf(now)), failed };
}

function dayOf(date: Date): { readonly year: number; readonly month: number; readonly day: number } {
  return { year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate() };
}
