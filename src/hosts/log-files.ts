import { spawn } from 'node:child_process';
import { closeSync, createReadStream, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { resolve as absolutePath } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errorCode, InputError, reasonOf } from './files.ts';

/** Takes pieces of a log: lines, each with its line feed, from one place in the bytes to another. */
export interface LogSink {
  /**
   * Where it likes its lines best to be put: what stands there stays when it reads, but by then other bytes may be
   * the place.
   */
  readonly room?: Buffer;
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
const PIECE = 1 << 18;
/** Who reads lines may look at so many bytes behind them. */
const MARGIN = 512;

const LINE_FEED = 10;
const STANDARD_INPUT = 0;

/** Programs that read what Node does not, by the bytes that such files begin with. */
const DECOMPRESSORS: readonly Decompressor[] = [
  { magic: 'fd377a585a00', program: 'xz', what: 'an xz file' },
  { magic: '28b52ffd', program: 'zstd', what: 'a zstd file' },
  { magic: '425a68', program: 'bzip2', what: 'a bzip2 file' },
];

interface Decompressor {
  readonly magic: string;
  readonly program: string;
  readonly what: string;
}

/** Bytes that tell how a file is packed. */
const MAGIC_LENGTH = 6;

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
    const key = identityOf(path);
    (seen.has(key) ? repeated : files).push(path);
    seen.add(key);
  }
  return { files, repeated };
}

/** What a path leads to; the path itself where it leads nowhere, which reading it will say. */
function identityOf(path: string): string {
  try {
    const { dev, ino } = path === '-' ? fstatSync(STANDARD_INPUT) : statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return absolutePath(path);
  }
}

/** A log before it is read. */
export interface KnownLog {
  readonly bytes: number;
  readonly packed: boolean;
}

/** What is known of a log before it is read; null for what is no file, or cannot be read. */
export function knownLog(path: string): KnownLog | null {
  if (path === '-') return null;
  try {
    // To open a pipe would wait for who writes to it.
    if (!statSync(path).isFile()) return null;
    const descriptor = openSync(path, 'r');
    try {
      const first = Buffer.alloc(MAGIC_LENGTH);
      const have = readFully(path, descriptor, first);
      return { bytes: fstatSync(descriptor).size, packed: formOf(first.subarray(0, have)) !== null };
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}

/** A stretch of a plain log that is read by itself. */
export interface Stretch {
  readonly path: string;
  /** Open for the whole process, so that all stretches are of one file, whatever its name leads to by now. */
  readonly descriptor: number;
  /** When the log was last written. */
  readonly written: Date;
  readonly from: number;
  /** Where it ends: for the last one, where the log ended when it was opened. */
  readonly to: number;
}

/**
 * Opens a plain log and divides it between lines.
 *
 * @param ahead bytes that the first stretch is longer than the others
 * @param begins whether a stretch can begin with the line from a place in the bytes to a line feed
 * @returns at most so many stretches: where no line is fit to begin one, there are fewer
 * @throws InputError
 */
export function divideLog(
  path: string,
  stretches: number,
  ahead: number,
  begins: (bytes: Buffer, start: number, end: number) => boolean,
): Stretch[] {
  const descriptor = open(path);
  const { size, mtime: written } = fstatSync(descriptor);
  const places = [0];
  for (let index = 1; index < stretches; index++) {
    const place = lineBehind(
      path,
      descriptor,
      ahead + Math.floor(((size - ahead) / stretches) * index),
      begins,
    );
    if (place !== null && place > (places.at(-1) ?? 0) && place < size) places.push(place);
  }
  return places.map((from, index) => ({ path, descriptor, written, from, to: places[index + 1] ?? size }));
}

/** Where the first line begins behind a place that a stretch can begin with; null where none is near. */
function lineBehind(
  path: string,
  descriptor: number,
  place: number,
  begins: (bytes: Buffer, start: number, end: number) => boolean,
): number | null {
  const bytes = Buffer.alloc(PIECE);
  const got = readOnce(path, descriptor, bytes, 0, bytes.length, place);
  const piece = bytes.subarray(0, got);
  let start = piece.indexOf(LINE_FEED) + 1;
  while (start > 0) {
    const end = piece.indexOf(LINE_FEED, start);
    if (end < 0) return null;
    if (begins(piece, start, end)) return place + start;
    start = end + 1;
  }
  return null;
}

/** Reads a stretch of a log. @returns why its end is missing, see `LogFile` */
export function readStretch({ path, descriptor, from, to }: Stretch, sink: LogSink): string | null {
  return readPlain(path, descriptor, Buffer.alloc(0), { from, to }, new LineCutter(sink, LONGEST_LINE));
}

/** Closes what stretches are of. */
export function closeStretches(stretches: readonly Stretch[]): void {
  for (const descriptor of new Set(stretches.map((stretch) => stretch.descriptor))) closeSync(descriptor);
}

/**
 * Reads a log, plain or compressed, whatever its name says.
 *
 * @param path `-` for standard input
 * @param longest bytes of a line that is still looked at
 * @throws InputError where it cannot be opened, or the program that reads its form is not there
 */
export async function readLogFile(path: string, sink: LogSink, longest = LONGEST_LINE): Promise<LogFile> {
  const descriptor = path === '-' ? STANDARD_INPUT : open(path);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new InputError(`${path}: is a folder`);
    const written = stat.isFile() ? stat.mtime : null;
    const first = Buffer.alloc(MAGIC_LENGTH);
    const start = first.subarray(0, readFully(path, descriptor, first));
    const form = formOf(start);
    const lines = new LineCutter(sink, longest);
    // What is added while it is read belongs to the next run, and so does a line that is not whole yet.
    const extent = { from: null, to: stat.isFile() ? stat.size : Number.POSITIVE_INFINITY };
    const cut =
      form === null
        ? readPlain(path, descriptor, start, extent, lines)
        : form === 'gzip'
          ? await pump(rest(descriptor, start), createGunzip(), lines)
          : await decompress(path, form, rest(descriptor, start), lines);
    return { path, bytes: lines.bytes, written, cut };
  } finally {
    if (descriptor !== STANDARD_INPUT) closeSync(descriptor);
  }
}

/** How a file is packed that begins so; null for a plain one. */
function formOf(start: Buffer): Decompressor | 'gzip' | null {
  const magic = start.toString('hex');
  if (magic.startsWith('1f8b')) return 'gzip';
  return DECOMPRESSORS.find((one) => magic.startsWith(one.magic)) ?? null;
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
    const got = readOnce(path, descriptor, into, have, into.length - have, null);
    if (got === 0) break;
    have += got;
  }
  return have;
}

/** @param position null for where the last reading ended */
function readOnce(
  path: string,
  descriptor: number,
  into: Uint8Array,
  at: number,
  length: number,
  position: number | null,
): number {
  for (;;) {
    try {
      return readSync(descriptor, into, at, length, position);
    } catch (error) {
      const code = errorCode(error);
      // Standard input that does not block has nothing yet.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      else if (code === 'EOF') return 0;
      else throw new InputError(`${path}: ${reasonOf(error)}`);
    }
  }
}

/**
 * @param start what was read already
 * @param extent where to read: `from` is null for behind `start`, and `to` endless for what is no file
 */
function readPlain(
  path: string,
  descriptor: number,
  start: Buffer,
  { from, to }: { readonly from: number | null; readonly to: number },
  lines: LineCutter,
): string | null {
  lines.add(start);
  let place = from ?? start.length;
  while (place < to) {
    const room = lines.room();
    const length = Math.min(to - place, room.length);
    const got = readOnce(path, descriptor, room, 0, length, from === null ? null : place);
    if (got === 0) break;
    place += got;
    lines.filled(got);
  }
  if (to === Number.POSITIVE_INFINITY) {
    lines.end();
    return null;
  }
  if (place < to) return 'it became shorter while it was read';
  // A writer that is at work may have written half of its last line.
  if (fstatSync(descriptor).size <= to) lines.end();
  return null;
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
  { program, what }: Decompressor,
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
  /** Null where the sink has room. */
  #own: Buffer | null;
  #have = 0;
  /** Inside a line that is too long: its bytes are thrown away up to its end. */
  #skipping = false;

  constructor(sink: LogSink, longest: number) {
    this.#sink = sink;
    this.#longest = longest;
    const room = sink.room?.length ?? 0;
    this.#own = room > longest + MARGIN ? null : Buffer.allocUnsafeSlow(PIECE + MARGIN);
  }

  get #buffer(): Buffer {
    return this.#own ?? this.#sink.room ?? Buffer.alloc(0);
  }

  /** Where the next bytes go, see `filled`: never more than the longest line and its line feed. */
  room(): Uint8Array {
    if (this.#own !== null && this.#have + MARGIN === this.#own.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#have * 2, this.#longest + 1) + MARGIN);
      this.#own.copy(larger, 0, 0, this.#have);
      this.#own = larger;
    }
    const buffer = this.#buffer;
    const end = Math.min(this.#have + PIECE, buffer.length - MARGIN);
    return buffer.subarray(this.#have, end);
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
      this.#buffer.copyWithin(0, start, this.#have);
      this.#have -= start;
    }
    if (this.#have > this.#longest) {
      this.#sink.skipped(1);
      this.#skipping = true;
      this.#have = 0;
    }
  }
}
