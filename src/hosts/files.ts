import { closeSync, openSync, readFileSync, readSync, type Stats, statSync } from 'node:fs';
import { SourceFile } from '../text/source.ts';
import { InputError, reasonOf } from './input-error.ts';

export { errorCode, InputError, reasonOf } from './input-error.ts';

/** Larger files are no configuration; reading them would only fill memory. */
const LARGEST = 256 * 1024 * 1024;

/** Text of bytes as a server takes them, see `Encoding`. */
export function decode(path: string, bytes: Buffer): SourceFile {
  // What is not UTF-8 gives U+FFFD, which a file may also hold by itself: the bytes tell. (isUtf8 of
  // node:buffer would say it at once, and costs more to load than it saves.)
  const text = bytes.toString('utf8');
  const isUtf8 = !text.includes('\ufffd') || Buffer.from(text, 'utf8').equals(bytes);
  return isUtf8
    ? new SourceFile(path, text, 'utf8')
    : new SourceFile(path, bytes.toString('latin1'), 'latin1');
}

/** The bytes that `decode` made the text of. */
export function encode(source: SourceFile): Buffer {
  return Buffer.from(source.text, source.encoding);
}

/**
 * Reads one file.
 *
 * @throws InputError naming the path and the reason
 */
export function readSource(path: string): SourceFile {
  try {
    return checked(path, statSync(path));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

/** Reads one file that may be missing or unreadable: null then. */
export function readSourceOrNull(path: string): SourceFile | null {
  try {
    // Most that are asked for are not there, and an error takes longer than to look.
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? null : checked(path, stat);
  } catch {
    return null;
  }
}

/** @throws InputError, or the error of the system */
function checked(path: string, stat: Stats): SourceFile {
  if (!stat.isFile()) throw new InputError(`${path}: not a regular file`);
  if (stat.size > LARGEST)
    throw new InputError(`${path}: larger than ${LARGEST / 1024 / 1024} MB, which no configuration is`);
  return decode(path, readFileSync(path));
}

/** The first bytes of a file as text, each a character; null where it cannot be read. */
export function readBeginning(path: string, most: number): string | null {
  let file: number | null = null;
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return null;
    file = openSync(path, 'r');
    const bytes = Buffer.allocUnsafe(most);
    return bytes.toString('latin1', 0, readSync(file, bytes));
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}
