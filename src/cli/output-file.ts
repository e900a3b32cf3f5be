import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { InputError, reasonOf } from '../hosts/files.ts';

export { onInterrupt } from './interrupt.ts';

/**
 * A report that goes into a file: written beside it under another name, and put in its place when it is
 * whole, so that whoever reads the file finds the old report or the new one. A link stays a link; what is no
 * file, such as /dev/stderr or a named pipe, is written to as it is.
 */
export class OutputFile {
  readonly #path: string;
  /** What is replaced in the end; null where it is written to directly. */
  readonly #target: string | null;
  readonly #beside: string;
  readonly #descriptor: number;

  /** @throws InputError naming the file and the reason */
  constructor(path: string) {
    this.#path = path;
    const target = existsSync(path) ? realpathSync(path) : path;
    const special = existsSync(path) && !statSync(path).isFile();
    this.#target = special ? null : target;
    this.#beside = special ? path : `${target}.${process.pid}.new`;
    this.#descriptor = this.#try(() => openSync(this.#beside, 'w'));
  }

  /** @throws InputError; what was written so far is gone then, and the old file is what it was */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#try(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    });
  }

  /** Puts the whole report in its place. */
  finish(): void {
    this.#try(() => {
      if (this.#target !== null) fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
      if (this.#target !== null) renameSync(this.#beside, this.#target);
    });
  }

  /** Leaves the old file as it was. */
  abandon(): void {
    if (this.#target !== null) rmSync(this.#beside, { force: true });
  }

  #try<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      this.abandon();
      throw new InputError(`${this.#path}: ${reasonOf(error)}`);
    }
  }
}
