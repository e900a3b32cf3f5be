import { spawn } from 'node:child_process';
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { resolve as absolutePath } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errorCode, InputError, reasonOf } from './files.ts';

/** Takes pieces of a log: lines, each with its line feed, from one place in the bytes to another. */
export interface LogSink {
  read(bytes: Buffer, from: number, to: number): void;
  /** Lines that were too long to be looked at. */
  skipped(lines: number): void;
}

/** How reading a log went. */
export interface LogFile {
  readonly path: string;
  /** After decompression. */
  readonly bytes: number;
  /** When it was last written; null for what is no file. */
  readonly written: Date | null;
  /** Why its end is missing, in words; null where it was read to its end. */
  readonly cut: string | null;
}

/** A line of syslog has 2 kB, of the journal some hundred; longer ones are no lines of mail servers. */
const LONGEST_LINE = 1 << 20;

// Small pieces stay in the cache of the processor: those of a megabyte take twice as long.
const PIECE = 1 << 16;
/** Who reads lines may look at so many bytes behind them. */
const MARGIN = 512;

const LINE_FEED = 10;

/** Programs that read what Node does not, by the bytes that such files begin with. */
const DECOMPRESSORS: readonly { readonly magic: string; readonly program: string; readonly what: string }[] =
  [
    { magic: 'fd377a585a00', program: 'xz', what: 'an xz file' },
    { magic: '28b52ffd', program: 'zstd', what: 'a zstd file' },
    { magic: '425a68', program: 'bzip2', what: 'a bzip2 file' },
  ];

/** What a pattern has and most names have not. */
const WILD = /[*?[\]{}]/;

/**
 * The files that names and patterns (`/var/log/mail.log*`) stand for; what is there is a name, whatever is in it.
 *
 * @throws InputError where nothing fits a pattern
 */
export async function matchingFiles(patterns: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const pattern of patterns) {
    if (!WILD.test(pattern) || existsSync(pattern)) {
      files.push(pattern);
      continue;
    }
    const { default: glob } = await import('fast-glob');
    const found = await glob(pattern, { dot: true });
    if (found.length === 0) throw new InputError(`${pattern}: no file fits this pattern`);
    files.push(...found.sort());
  }
  return files;
}

/**
 * Files without those that are there twice, by another name too.
 *
 * @returns what is left, in order, and the names that say nothing new
 */
export function distinctFiles(paths: readonly string[]): {
  readonly files: readonly string[];
  readonly repeated: readonly string[];
} {
  const seen = new Set<string>();
  const files: string[] = [];
  const repeated: string[] = [];
  for (const path of paths) {
    const key = path === '-' ? path : realPath(path);
    (seen.has(key) ? repeated : files).push(path);
    seen.add(key);
  }
  return { files, repeated };
}

/** Where a path leads to; the path itself where it leads nowhere, which reading it will say. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return absolutePath(path);
  }
}

/**
 * Reads a log, plain or compressed, whatever its name says.
 *
 * @param path `-` for standard input
 * @param longest bytes of a line that is still looked at
 * @throws InputError where it cannot be opened, or the program that reads its form is not there
 */
export async function readLogFile(path: string, sink: LogSink, longest = LONGEST_LINE): Promise<LogFile> {
  const descriptor = path === '-' ? 0 : open(path);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new InputError(`${path}: is a folder`);
    const written = stat.isFile() ? stat.mtime : null;
    const first = Buffer.alloc(6);
    const have = readFully(path, descriptor, first);
    const start = first.subarray(0, have);
    const magic = start.toString('hex');
    const lines = new LineCutter(sink, longest);
    if (magic.startsWith('1f8b')) {
      const stream = rest(descriptor, start);
      const cut = await pump(stream, createGunzip(), lines);
      return { path, bytes: lines.bytes, written, cut };
    }
    const known = DECOMPRESSORS.find((one) => magic.startsWith(one.magic));
    if (known !== undefined) {
      const cut = await decompress(path, known, rest(descriptor, start), lines);
      return { path, bytes: lines.bytes, written, cut };
    }
    // What is added while it is read belongs to the next run, and so does a line that is not whole yet.
    const size = stat.isFile() ? stat.size : Number.POSITIVE_INFINITY;
    const cut = readPlain(path, descriptor, start, size, lines);
    return { path, bytes: lines.bytes, written, cut };
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

/** Fills a buffer as far as the input reaches. */
function readFully(path: string, descriptor: number, into: Buffer): number {
  let have = 0;
  while (have < into.length) {
    const got = readOnce(path, descriptor, into, have, into.length - have);
    if (got === 0) break;
    have += got;
  }
  return have;
}

function readOnce(path: string, descriptor: number, into: Uint8Array, at: number, length: number): number {
  for (;;) {
    try {
      return readSync(descriptor, into, at, length, null);
    } catch (error) {
      const code = errorCode(error);
      // Standard input that does not block has nothing yet.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      else if (code === 'EOF') return 0;
      else throw new InputError(`${path}: ${reasonOf(error)}`);
    }
  }
}

function readPlain(
  path: string,
  descriptor: number,
  start: Buffer,
  size: number,
  lines: LineCutter,
): string | null {
  lines.add(start);
  let left = size - start.length;
  while (left > 0) {
    const room = lines.room();
    const got = readOnce(path, descriptor, room, 0, Math.min(left, room.length));
    if (got === 0) break;
    left -= got;
    lines.filled(got);
  }
  // A writer that is at work may have written half of its last line.
  if (!Number.isFinite(size) || fstatSync(descriptor).size <= size) lines.end();
  return Number.isFinite(size) && left > 0 ? 'it became shorter while it was read' : null;
}

/** The bytes of a descriptor behind those that were read from it. */
function rest(descriptor: number, start: Buffer): Readable {
  const stream = createReadStream('', { fd: descriptor, autoClose: false });
  stream.unshift(start);
  return stream;
}

/** Sends a stream through another one into lines. @returns why the end is missing, or null */
async function pump(
  from: Readable,
  through: NodeJS.ReadWriteStream & Readable,
  lines: LineCutter,
): Promise<string | null> {
  let cut: string | null = null;
  from.on('error', (error) => through.destroy(error));
  from.pipe(through);
  try {
    for await (const piece of through) lines.add(piece as Buffer);
  } catch (error) {
    cut = errorCode(error) === 'Z_BUF_ERROR' ? 'the archive ends too early' : reasonOf(error);
  }
  // Half of a line would say something else than the line.
  if (cut === null) lines.end();
  return cut;
}

async function decompress(
  path: string,
  { program, what }: { readonly program: string; readonly what: string },
  from: Readable,
  lines: LineCutter,
): Promise<string | null> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 500);
  });
  const ended = new Promise<number | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', (status) => resolve(status ?? 1));
  });
  // A program that gives up early closes its input.
  child.stdin.on('error', () => {});
  from.on('error', () => child.stdin.destroy());
  from.pipe(child.stdin);
  for await (const piece of child.stdout) lines.add(piece as Buffer);
  const status = await ended;
  if (status === 0) lines.end();
  if (typeof status !== 'number') {
    throw new InputError(
      errorCode(status) === 'ENOENT'
        ? `${path}: is ${what}; install ${program} to read it, or give its text on standard input`
        : `${path}: ${program}: ${reasonOf(status)}`,
    );
  }
  return status === 0
    ? null
    : `${program} says: ${said.split('\n')[0]?.replace(/^.*: /, '') || `status ${status}`}`;
}

/** Cuts bytes into pieces of whole lines. */
class LineCutter {
  bytes = 0;
  readonly #sink: LogSink;
  readonly #longest: number;
  #buffer = Buffer.allocUnsafeSlow(PIECE + MARGIN);
  #have = 0;
  /** Inside a line that is too long: its bytes are thrown away up to its end. */
  #skipping = false;

  constructor(sink: LogSink, longest: number) {
    this.#sink = sink;
    this.#longest = longest;
  }

  /** Where the next bytes go, see `filled`. */
  room(): Uint8Array {
    if (this.#have + MARGIN === this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(this.#have * 2 + MARGIN);
      this.#buffer.copy(larger, 0, 0, this.#have);
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.#have, this.#buffer.length - MARGIN);
  }

  /** So many bytes were put into the room. */
  filled(bytes: number): void {
    this.bytes += bytes;
    this.#have += bytes;
    this.#send();
  }

  add(piece: Buffer): void {
    for (let at = 0; at < piece.length; ) {
      const room = this.room();
      const copied = piece.copy(room, 0, at);
      at += copied;
      this.filled(copied);
    }
  }

  /** The input is over: what is left is a line without a line feed. */
  end(): void {
    if (this.#have === 0 || this.#skipping) return;
    this.room()[0] = LINE_FEED;
    this.#sink.read(this.#buffer, 0, this.#have + 1);
    this.#have = 0;
  }

  #send(): void {
    const buffer = this.#buffer;
    let start = 0;
    if (this.#skipping) {
      const end = buffer.subarray(0, this.#have).indexOf(LINE_FEED);
      if (end < 0) {
        this.#have = 0;
        return;
      }
      this.#skipping = false;
      start = end + 1;
    }
    const last = buffer.subarray(0, this.#have).lastIndexOf(LINE_FEED);
    if (last >= start) {
      this.#sink.read(buffer, start, last + 1);
      start = last + 1;
    }
    if (start > 0) {
      buffer.copyWithin(0, start, this.#have);
      this.#have -= start;
    }
    if (this.#have > this.#longest) {
      this.#sink.skipped(1);
      this.#skipping = true;
      this.#have = 0;
    }
  }
}
