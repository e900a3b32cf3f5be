import { fstatSync, readFileSync, statSync, writeSync } from 'node:fs';
import { errorCode, InputError, reasonOf } from '../hosts/files.ts';
import { type Palette, paletteOf } from '../reports/palette.ts';

/** Columns where no terminal tells. */
const WIDTH = 100;
const NARROWEST = 40;

const closed = new Set<number>();

/**
 * Writes to a descriptor at once: the streams of `process` cost more to set up than a lint of one host. A
 * reader that has gone away ends the output, not the work: the exit status still tells what was found.
 */
function write(descriptor: number, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length && !closed.has(descriptor); ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EPIPE') closed.add(descriptor);
      // A pipe without room that does not block.
      else if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else throw new InputError(`output: ${reasonOf(error)}`);
    }
  }
}

/** Writes to standard output. */
export function out(text: string | Uint8Array): void {
  if (text.length === 0) return;
  passing('');
  write(1, text);
}

/** Writes to standard error. */
export function err(text: string): void {
  if (text === '') return;
  passing('');
  write(2, text);
}

/** Columns of the line that `passing` has shown. */
let shown = 0;

/** Shows a line on standard error, which is a terminal, until something else is written; an empty one takes it away. */
export function passing(line: string): void {
  if (line === '' && shown === 0) return;
  // Without escape sequences, which a terminal may not know.
  write(2, `\r${line.padEnd(shown)}${line === '' ? '\r' : ''}`);
  shown = line.length;
}

/** Standard input to its end. */
export function standardInput(): Buffer {
  try {
    return readFileSync(0);
  } catch (error) {
    throw new InputError(`standard input: ${reasonOf(error)}`);
  }
}

/** Only where it may be a terminal is the stream of `process` set up to tell: nowhere else, not for /dev/null either. */
function isTerminal(): boolean {
  try {
    const output = fstatSync(1);
    return output.isCharacterDevice() && output.rdev !== statSync('/dev/null').rdev && process.stdout.isTTY;
  } catch {
    return false;
  }
}

/** Columns of standard output. */
export function outputWidth(): number {
  return isTerminal() ? Math.max(NARROWEST, process.stdout.columns || WIDTH) : WIDTH;
}

/** Colours only on a terminal, never where NO_COLOR is set (no-color.org), always where FORCE_COLOR asks for them. */
export function isColoured(noColor: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (noColor || (NO_COLOR !== undefined && NO_COLOR !== '')) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTerminal() && TERM !== 'dumb';
}

/** The palette that follows from it. */
export function outputPalette(noColor: boolean): Palette {
  return paletteOf(isColoured(noColor));
}
