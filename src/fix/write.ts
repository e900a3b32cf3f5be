import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { encode, errorCode, reasonOf } from '../hosts/files.ts';
import type { SourceFile } from '../text/source.ts';
import type { FixedFile } from './fix.ts';

/** A fix that was not written; every file is as it was, unless the message says otherwise. */
export class WriteError extends Error {}

/** How to write. */
export interface WriteOptions {
  /** Keep each old file beside the new one, as `NAME.bak`, `NAME.bak.1` and so on. */
  readonly backup: boolean;
}

/** What was written. */
export interface WrittenFile {
  /** The file itself, where the path given was a link. */
  readonly path: string;
  readonly backup: string | null;
}

/** A new text that stands beside its target. */
interface Prepared {
  readonly target: string;
  readonly shown: string;
  /** SHA-256 of the text that was read. */
  readonly old: string;
  readonly beside: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Name of the record that makes several renames one: it stands beside the first target while they are made. */
const JOURNAL = '.pfharden-journal';

/**
 * Replaces files by their fixed texts, all or none. Each new text is written beside its target and
 * flushed to the disk before any target is touched; then a journal names the renames, and they are
 * made. A process killed before the journal leaves the old files; killed after it, the next
 * `finishInterrupted` (`fix --write` calls it first) makes the renames that are left. At every moment each
 * file is either the old one or the new one. Mode and owner are kept; a link is followed to its target.
 *
 * Texts are written beside their targets as they come, and none is kept in memory.
 */
export class FixWriter {
  readonly #backup: boolean;
  readonly #prepared: Prepared[] = [];
  #failure: WriteError | null = null;

  constructor({ backup }: WriteOptions) {
    this.#backup = backup;
  }

  /** Takes files; what goes wrong is for `finish` to say: what else is to be said of the hosts is said first. */
  add(files: readonly Pick<FixedFile, 'before' | 'after'>[]): void {
    for (const file of files) {
      if (this.#failure !== null) return;
      try {
        const prepared = prepare(file);
        this.#prepared.push(prepared);
        writeBeside(prepared, file.after);
      } catch (error) {
        this.abandon();
        this.#failure = asWriteError(error);
      }
    }
  }

  /** Leaves every file as it is. */
  abandon(): void {
    for (const { beside } of this.#prepared) rmSync(beside, { force: true });
    this.#prepared.length = 0;
  }

  /**
   * Puts the new texts in place.
   *
   * @throws WriteError when a file has changed since it was read, or cannot be written
   */
  finish(): readonly WrittenFile[] {
    if (this.#failure !== null) throw this.#failure;
    const prepared = this.#prepared;
    const [first] = prepared;
    if (first === undefined) return [];
    const journal = join(dirname(first.target), JOURNAL);
    const backups: string[] = [];
    try {
      for (const file of prepared) refuseChanged(file);
      if (this.#backup) for (const file of prepared) backups.push(keepOld(file));
      const record = Buffer.from(`${JSON.stringify(prepared.map(pendingRename))}\n`);
      // A run that was killed while it wrote this left a part of it.
      rmSync(`${journal}.new`, { force: true });
      writeWhole(`${journal}.new`, record, 0o600);
      renameSync(`${journal}.new`, journal);
      flushFolder(dirname(journal));
    } catch (error) {
      this.abandon();
      for (const kept of backups) rmSync(kept, { force: true });
      rmSync(`${journal}.new`, { force: true });
      rmSync(journal, { force: true });
      throw asWriteError(error);
    }
    carryOut(journal);
    return prepared.map(({ target }, index) => ({ path: target, backup: backups[index] ?? null }));
  }
}

function asWriteError(error: unknown): WriteError {
  return error instanceof WriteError ? error : new WriteError(`nothing was written: ${reasonOf(error)}`);
}

/**
 * Replaces files at once, as a `FixWriter` does.
 *
 * @throws WriteError when a file has changed since it was read, or cannot be written
 */
export function writeFiles(
  files: readonly Pick<FixedFile, 'before' | 'after'>[],
  options: WriteOptions,
): readonly WrittenFile[] {
  const writer = new FixWriter(options);
  writer.add(files);
  return writer.finish();
}

/**
 * Writes a file that is not there yet: at every moment it is not there or whole.
 *
 * @throws WriteError when it is there by now, or cannot be written
 */
export function writeNew(file: SourceFile): void {
  const { path } = file;
  const beside = join(dirname(path), `.${basename(path)}.pfharden-new`);
  try {
    rmSync(beside, { force: true });
    writeWhole(beside, encode(file), 0o666 & ~process.umask());
    linkSync(beside, path);
    flushFolder(dirname(path));
  } catch (error) {
    throw new WriteError(`${path}: ${reasonOf(error)}; nothing was written`);
  } finally {
    rmSync(beside, { force: true });
  }
}

/** One rename of a journal. */
interface PendingRename {
  readonly beside: string;
  readonly target: string;
  /** SHA-256 of the old text: a target that somebody has changed since is not overwritten. */
  readonly old: string;
}

/**
 * Makes the renames that a killed process left in its journal.
 *
 * @param paths files that may have been written, as given; the journal stands beside the first of them
 * @returns the targets that are new now; empty where nothing was left
 * @throws WriteError when a target was changed since, or a rename fails
 */
export function finishInterrupted(paths: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    try {
      folders.add(dirname(realpathSync(path)));
    } catch {
      // A file that is not there has left no journal.
    }
  }
  return [...folders].flatMap((folder) => {
    const journal = join(folder, JOURNAL);
    return existsSync(journal) ? carryOut(journal) : [];
  });
}

function carryOut(journal: string): string[] {
  const done: string[] = [];
  try {
    const record: readonly PendingRename[] = JSON.parse(readFileSync(journal, 'utf8'));
    for (const { beside, target, old } of record) {
      if (!existsSync(beside)) continue;
      if (digest(readFileSync(target)) !== old) {
        throw new WriteError(
          `${target}: it changed after a fix was interrupted; the fixed text is ${beside}: compare the two, then remove it and ${journal}`,
        );
      }
      renameSync(beside, target);
      done.push(target);
    }
    for (const folder of new Set(record.map(({ target }) => dirname(target)))) flushFolder(folder);
    rmSync(journal);
  } catch (error) {
    if (error instanceof WriteError) throw error;
    throw new WriteError(
      `${journal}: the renames that it names are not all made: ${reasonOf(error)}; run the same command again`,
    );
  }
  return done;
}

function pendingRename({ beside, target, old }: Prepared): PendingRename {
  return { beside, target, old };
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function prepare({ before }: Pick<FixedFile, 'before'>): Prepared {
  try {
    const target = realpathSync(before.path);
    const { mode, uid, gid } = statSync(target);
    return {
      target,
      shown: before.path,
      old: digest(encode(before)),
      beside: join(dirname(target), `.${basename(target)}.pfharden-new`),
      mode: mode & 0o7777,
      uid,
      gid,
    };
  } catch (error) {
    throw new WriteError(`${before.path}: ${reasonOf(error)}; nothing was written`);
  }
}

function writeBeside({ beside, mode, uid, gid, shown }: Prepared, after: SourceFile): void {
  try {
    rmSync(beside, { force: true });
    writeWhole(beside, encode(after), mode, { uid, gid });
  } catch (error) {
    throw new WriteError(`${shown}: ${reasonOf(error)}; nothing was written`);
  }
}

function writeWhole(
  path: string,
  bytes: Buffer,
  mode: number,
  owner?: { readonly uid: number; readonly gid: number },
): void {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    if (owner !== undefined) {
      const own = statSync(path);
      if (own.uid !== owner.uid || own.gid !== owner.gid) fchownSync(descriptor, owner.uid, owner.gid);
    }
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function refuseChanged({ target, old, shown }: Prepared): void {
  let now: Buffer;
  try {
    now = readFileSync(target);
  } catch (error) {
    throw new WriteError(`${shown}: ${reasonOf(error)}; nothing was written`);
  }
  if (digest(now) !== old)
    throw new WriteError(
      `${shown}: it changed while the fix was worked out; nothing was written, run the command again`,
    );
}

function keepOld({ target, mode, uid, gid, shown }: Prepared): string {
  for (let count = 0; count < 1000; count++) {
    const path = count === 0 ? `${target}.bak` : `${target}.bak.${count}`;
    try {
      copyFileSync(target, path, constants.COPYFILE_EXCL);
      chownSync(path, uid, gid);
      chmodSync(path, mode);
      return path;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') {
        throw new WriteError(`${shown}: no backup could be made: ${reasonOf(error)}; nothing was written`);
      }
    }
  }
  throw new WriteError(`${shown}: there are a thousand backups already; nothing was written`);
}

/** Makes renames in a folder outlive a power cut; some file systems cannot, which is no error. */
function flushFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, constants.O_RDONLY);
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // The renames are made all the same.
  }
}
