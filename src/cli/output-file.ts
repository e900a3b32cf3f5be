import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { InputError, reasonOf } from '../hosts/files.ts';

/**
 * A report that goes into a file: written beside it under another name, and put in its place when it is
 * whole, so that whoever reads the file finds the old report or the new one.
 */
export class OutputFile {
  readonly #path: string;
  readonly #beside: string;
  readonly #descriptor: number;

  /** @throws InputError naming the file and the reason */
  constructor(path: string) {
    this.#path = path;
    this.#beside = `${path}.${process.pid}.new`;
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
      fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
      renameSync(this.#beside, this.#path);
    });
  }

  /** Leaves the old file as it was. */
  abandon(): void {
    rmSync(this.#beside, { force: true });
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
