import { readFileSync, statSync } from 'node:fs';
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
    const stat = statSync(path);
    if (!stat.isFile()) throw new InputError(`${path}: not a regular file`);
    if (stat.size > LARGEST)
      throw new InputError(`${path}: larger than ${LARGEST / 1024 / 1024} MB, which no configuration is`);
    return decode(path, readFileSync(path));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

/** Reads one file that may be missing or unreadable: null then. */
export function readSourceOrNull(path: string): SourceFile | null {
  try {
    return readSource(path);
  } catch {
    return null;
  }
}
