import code from './wasm/lines.wasm';

/** What src/logs/wasm/lines.ts exports; it says what each does. */
export interface Scanner {
  readonly memory: { readonly buffer: ArrayBuffer };
  answersAt(): number;
  hostAt(index: number): number;
  pieceAt(): number;
  textPlace(): number;
  setHeads(hosts: number, day: number): void;
  setFactors(a: number, b: number, c: number, d: number): void;
  reserve(bytes: number, rows: number): void;
  begin(to: number): void;
  scan(from: number): number;
  learn(first: number, second: number): void;
  todayAt(): number;
  block(length: number): number;
  blockLength(bytes: number): number;
  release(start: number, length: number): void;
  peerOf(nameStart: number, start: number, end: number): number;
  countPeer(peer: number, row: number, sessions: number): void;
  peersLength(): number;
  peersAt(): number;
  labelsAt(): number;
  textAt(): number;
  textEnd(): number;
  countsAt(): number;
  countsEnd(): number;
  countGroups(groupOf: number, last: number, counted: number): void;
  adoptPeers(length: number, text: number, counts: number): void;
  spreadAdopted(): void;
  followPeers(
    peers: number,
    length: number,
    labels: number,
    text: number,
    counts: number,
    rows: number,
    indexes: number,
  ): void;
  newSession(host: number, pid: number, service: number): number;
  freeSession(index: number): void;
}

/** So many bytes of lines there is room for, with what is looked at behind them. */
const PIECE = (1 << 20) + 4096;

/**
 * What is counted of a log stands in the memory of WebAssembly, where the common lines are counted without a text
 * or an object for any of them. The general way reads and writes the same places.
 */
export class LogMemory {
  readonly scanner: Scanner;
  readonly #answers: number;
  readonly #piece: number;
  // Views of the memory, which end when it grows.
  #words = new Int32Array(0);
  #bytes: Buffer = Buffer.alloc(0);
  #pieceBytes: Buffer = Buffer.alloc(0);

  constructor() {
    this.scanner = new WebAssembly.Instance(compiledScanner(), { host: { full } })
      .exports as unknown as Scanner;
    this.#answers = this.scanner.answersAt() / 4;
    this.#piece = this.scanner.pieceAt();
    const random = (): number => Math.floor(Math.random() * 0x1_0000_0000);
    this.scanner.setFactors(random(), random(), random(), random());
  }

  /** The memory as numbers of 32 bits. */
  get words(): Int32Array {
    if (this.#words.length === 0) this.#look();
    return this.#words;
  }

  /** The memory as bytes. */
  get bytes(): Buffer {
    if (this.#bytes.length === 0) this.#look();
    return this.#bytes;
  }

  /** Where lines are read from without being copied. */
  get piece(): Buffer {
    if (this.#pieceBytes.length === 0) this.#look();
    return this.#pieceBytes;
  }

  /** Whether bytes stand in this memory. */
  holds(bytes: Uint8Array): boolean {
    return bytes.buffer === this.scanner.memory.buffer;
  }

  /** Where the number begins that stands first of a session's; see `Session`. */
  sessionAt(index: number): number {
    return ((this.words[this.#answers] ?? 0) >> 2) + index * SESSION;
  }

  /** How many lines `scan` has passed last. */
  get lines(): number {
    return this.words[this.#answers + 1] ?? 0;
  }

  /** Where the line begins that it has stopped at. */
  get lineStart(): number {
    return this.words[this.#answers + 2] ?? 0;
  }

  /** The line feed of that line. */
  get lineEnd(): number {
    return this.words[this.#answers + 3] ?? 0;
  }

  /** Gives the program of that line a number. @param number of its name */
  nameProgram(number: (ident: string) => number): void {
    const at = this.words[this.#answers + 4] ?? 0;
    const length = this.words[at / 4 + 8] ?? 0;
    this.words[at / 4 + 10] = number(this.bytes.toString('latin1', at, at + length));
  }

  /** The sessions that `scan` has made of processes that were not known, once. */
  takeBorn(): readonly number[] {
    const count = this.words[this.#answers + 5] ?? 0;
    if (count === 0) return NOBODY;
    this.words[this.#answers + 5] = 0;
    return Array.from(this.words.subarray(this.#answers + 16, this.#answers + 16 + count));
  }

  /** Where some bytes stand in this memory, or are put. */
  place(bytes: Uint8Array, start: number, end: number): number {
    if (this.holds(bytes)) return bytes.byteOffset + start;
    const at = this.scanner.textPlace();
    this.bytes.set(bytes.subarray(start, end), at);
    return at;
  }

  /** Puts lines where they can be scanned. @returns false where there are too many */
  load(bytes: Uint8Array, from: number, to: number): boolean {
    if (to - from > PIECE - MARGIN) return false;
    this.bytes.set(bytes.subarray(from, to), this.#piece);
    return true;
  }

  #look(): void {
    const { buffer } = this.scanner.memory;
    this.#words = new Int32Array(buffer);
    this.#bytes = Buffer.from(buffer);
    this.#pieceBytes = Buffer.from(buffer, this.#piece, PIECE);
  }
}

const NOBODY: readonly number[] = [];

/** Numbers of a session. */
export const SESSION = 16;

/** So many bytes behind a line can be looked at. */
const MARGIN = 512;

function full(): never {
  throw new Error('there are more peers than there is memory for');
}

let compiled: WebAssembly.Module | undefined;

/** What counts the lines, compiled; threads share it. */
export function compiledScanner(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(code, 'base64'));
  return compiled;
}

/** Takes what another thread has compiled. */
export function shareScanner(scanner: WebAssembly.Module): void {
  compiled = scanner;
}
