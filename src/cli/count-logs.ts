import { availableParallelism } from 'node:os';
import {
  closeStretches,
  distinctFiles,
  divideLog,
  knownLog,
  matchingFiles,
  type Stretch,
} from '../hosts/log-files.ts';
import { beginsPart, LogReader } from '../logs/reader.ts';
import { rotatedSets } from '../logs/rotation.ts';
import type { WholeCounts } from '../logs/tally.ts';
import { type LogTask, type LogTaskResult, readTask } from './log-tasks.ts';
import { inThreads } from './log-threads.ts';
import { Progress } from './progress.ts';

/** How the work is divided; tests set it. */
export interface Division {
  readonly threads: number;
  /** Bytes of logs from which on other threads have begun before one would be done. */
  readonly threadsFrom: number;
  /** Bytes of a stretch of a log that are worth joining it to the others. */
  readonly stretch: number;
  /** Bytes that the first thread has read before the others have begun, about. */
  readonly ahead: number;
  /** Reads tasks and gives the results in their order. */
  readonly read: (tasks: readonly LogTask[], threads: number) => AsyncIterable<LogTaskResult>;
}

/** More threads wait for the disk, and with each more memory is taken: with four it is more than 200 MB. */
const MOST_THREADS = 3;

const DIVISION: Division = {
  threads: Math.min(availableParallelism(), MOST_THREADS),
  threadsFrom: 64 << 20,
  stretch: 32 << 20,
  ahead: 48 << 20,
  read: inThreads,
};

/** A packed log has about so many times its bytes. */
const PACKING = 8;

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
  division = DIVISION,
): Promise<{ readonly counts: WholeCounts; readonly failed: boolean }> {
  const { files, repeated } = distinctFiles(await matchingFiles(paths));
  for (const path of repeated) say(`${path}: is given twice, and read once`);
  const sets = rotatedSets(files);
  const bytes = files.reduce((sum, path) => sum + weightOf(path), 0);
  const threads = bytes < division.threadsFrom ? 1 : division.threads;
  const stretches: Stretch[] = [];
  try {
    const tasks = sets.map((set) =>
      details
        ? [{ from: set, continues: false, details }]
        : tasksOf(set, threads, bytes, division, stretches),
    );
    const all = tasks.flat();
    const results = threads === 1 || all.length === 1 ? inTurn(all) : division.read(all, threads);
    return await joined(tasks, results, say);
  } finally {
    closeStretches(stretches);
  }
}

/** What there is to be read for the files of a set, each for itself. @param stretches takes what was opened */
function tasksOf(
  set: readonly string[],
  threads: number,
  bytes: number,
  { stretch, ahead }: Division,
  stretches: Stretch[],
): LogTask[] {
  const length = Math.max(bytes / threads, stretch);
  return set
    .flatMap((path): LogTask['from'][] => {
      const log = threads === 1 ? null : knownLog(path);
      const parts = log === null || log.packed ? 1 : Math.round(log.bytes / length);
      if (parts < 2) return [[path]];
      // Only at the beginning threads are waited for.
      const more = stretches.length === 0 ? Math.min(ahead, Math.floor((log?.bytes ?? 0) / (2 * parts))) : 0;
      const divided = divideLog(path, parts, more, beginsPart);
      stretches.push(...divided);
      return divided;
    })
    .map((from, index) => ({ from, continues: index > 0, details: false }));
}

/** Bytes that are to be read of a file, about. */
function weightOf(path: string): number {
  const log = knownLog(path);
  return log === null ? 0 : log.bytes * (log.packed ? PACKING : 1);
}

/** Reads tasks one after the other. */
export async function* inTurn(tasks: readonly LogTask[]): AsyncIterable<LogTaskResult> {
  for (const task of tasks) yield await readTask(task);
}

/** Joins what was read of each set, and the sets. */
async function joined(
  sets: readonly (readonly LogTask[])[],
  results: AsyncIterable<LogTaskResult>,
  say: (message: string) => void,
): Promise<{ readonly counts: WholeCounts; readonly failed: boolean }> {
  const now = new Date();
  const whole = new LogReader({ continues: false });
  const said = new Set<string>();
  let failed = false;
  let reader: LogReader | null = null;
  let latest: Date | null = null;
  // The last task of each set ends it.
  const ends = sets.flatMap((tasks) => tasks.map((_, index) => index === tasks.length - 1));
  const progress = new Progress();
  let at = 0;
  for await (const result of results) {
    for (const message of result.said) {
      // Stretches of a log say the same.
      if (said.has(message)) continue;
      said.add(message);
      progress.end();
      say(message);
    }
    failed ||= result.failed;
    const { read } = result;
    // The first part of a log takes up the others.
    if (reader === null && read instanceof LogReader) reader = read;
    else {
      reader ??= new LogReader({ continues: false });
      if (read !== null) reader.follow(read instanceof LogReader ? read.part() : read);
    }
    if (result.written !== null && (latest === null || result.written > latest)) latest = result.written;
    const isEnd = ends[at++] === true;
    if (at < ends.length) await progress.say(() => `${at} of ${ends.length} logs and parts of logs read`);
    else progress.end();
    if (!isEnd) continue;
    if (sets.length === 1) return { counts: reader.end(dayOf(latest ?? now)), failed };
    whole.follow(reader.finished(dayOf(latest ?? now)));
    reader = null;
    latest = null;
  }
  return { counts: whole.end(dayOf(now)), failed };
}

function dayOf(date: Date): { readonly year: number; readonly month: number; readonly day: number } {
  return { year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate() };
}
