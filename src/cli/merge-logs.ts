import { InputError } from '../hosts/files.ts';
import { distinctFiles, type LogSink, matchingFiles, readLogFile } from '../hosts/log-files.ts';
import type { Anonymizer } from '../logs/anonymize.ts';
import { contentMark, type LogPartial, PartialError, readPartial } from '../logs/partial.ts';
import { Sum } from '../logs/sum.ts';

/**
 * Adds up files of counts. The result does not depend on their order.
 *
 * @param say takes what is wrong with a file
 * @param anonymizer for files that are not anonymized yet
 * @returns null where something is wrong with any of them: a sum that lacks one is none
 */
export async function mergeLogs(
  paths: readonly string[],
  say: (message: string) => void,
  anonymizer: Anonymizer | null,
): Promise<LogPartial | null> {
  const sum = new Sum();
  const pathByMark = new Map<string | null, string>();
  const pathByContent = new Map<string, string>();
  let failed = false;
  const complain = (message: string): void => {
    failed = true;
    say(message);
  };
  const { files, repeated } = distinctFiles(await matchingFiles(paths));
  for (const path of repeated) complain(`${path}: is given twice`);
  for (const path of files) {
    const read = await readFile(path, complain);
    if (read === null) continue;
    const hides = read.anonymized === null && anonymizer !== null;
    const partial = hides ? { anonymized: anonymizer.mark, counts: anonymizer.counts(read.counts) } : read;
    const { anonymized, counts } = partial;
    const content = contentMark(partial);
    const same = pathByContent.get(content);
    if (same !== undefined && counts.rows.length > 0)
      complain(`${path}: holds the same counts as ${same}, which would count twice`);
    pathByContent.set(content, path);
    if (!pathByMark.has(anonymized)) pathByMark.set(anonymized, path);
    sum.add(counts);
  }
  const [one, other] = pathByMark;
  if (one !== undefined && other !== undefined) complain(mixed(one, other));
  if (failed) return null;
  return { anonymized: one?.[0] ?? null, counts: sum.counts() };
}

/** Reads one file; null where something is wrong with it. */
async function readFile(path: string, complain: (message: string) => void): Promise<LogPartial | null> {
  const pieces: string[] = [];
  try {
    const sink: LogSink = {
      read: (bytes, from, to) => pieces.push(bytes.toString('latin1', from, to)),
      skipped: () => undefined,
    };
    const { cut } = await readLogFile(path, sink, Number.POSITIVE_INFINITY);
    if (cut !== null) throw new PartialError(cut);
    return readPartial(Buffer.from(pieces.join(''), 'latin1').toString('utf8'));
  } catch (error) {
    if (error instanceof PartialError) complain(`${path}: ${error.message}`);
    else if (error instanceof InputError) complain(error.message);
    else throw error;
    return null;
  }
}

function mixed(
  [mark, path]: readonly [string | null, string],
  [otherMark, other]: readonly [string | null, string],
): string {
  const what =
    mark === null || otherMark === null
      ? `${mark === null ? other : path} is anonymized and ${mark === null ? path : other} is not`
      : `${path} and ${other} are anonymized with different keys`;
  return `${what}: a peer of both would count as two. Make them with one key: --anonymize-key FILE`;
}
