import { InputError } from '../hosts/files.ts';
import { readLogFile, readStretch, type Stretch } from '../hosts/log-files.ts';
import { LogReader, type Part } from '../logs/reader.ts';

/** What one reader reads in one go; plain data, which can be handed to a thread. */
export interface LogTask {
  /** Files in their order, or a stretch of one. */
  readonly from: readonly string[] | Stretch;
  /** It does not begin where the log begins. */
  readonly continues: boolean;
  /** Also who is behind the sessions. */
  readonly details: boolean;
}

/** What reading came to. */
export interface LogTaskResult {
  /** What was read: as plain data from another thread. Null where the thread ended before its time. */
  readonly read: LogReader | Part | null;
  /** When what was read was last written; null where nothing was. */
  readonly written: Date | null;
  /** What was wrong, in words for the user. */
  readonly said: readonly string[];
  /** Something could not be read at all. */
  readonly failed: boolean;
}

/** Reads what a task names. */
export async function readTask({ from, continues, details }: LogTask): Promise<LogTaskResult> {
  const reader = new LogReader({ continues, details });
  const said: string[] = [];
  let written: Date | null = null;
  let failed = false;
  const sayCut = (path: string, cut: string | null): void => {
    if (cut !== null) said.push(`${path}: ${cut}: what stands before it is counted`);
  };
  const files = 'descriptor' in from ? [from] : from;
  for (const file of files) {
    try {
      if (typeof file === 'string') {
        const log = await readLogFile(file, reader);
        sayCut(file, log.cut);
        const time = log.written ?? new Date();
        if (written === null || time > written) written = time;
      } else {
        sayCut(file.path, readStretch(file, reader));
        written = file.written;
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failed = true;
      said.push(error.message);
    }
  }
  return { read: reader, written, said, failed };
}
