import { type Dirent, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode } from './input-error.ts';

/** A file that is not what it was. */
export interface ChangedFile {
  /** From the root of the file system, without links on the way. */
  readonly path: string;
  /** First and last of the lines that are new or other; null where all are, and for what is no file of this repository. */
  readonly lines: readonly (readonly [first: number, last: number])[] | null;
  /** It is no longer there. */
  readonly deleted: boolean;
}

/** What has changed since a revision, as plain data. */
export interface Changes {
  /** The revision as it was given. */
  readonly since: string;
  readonly files: readonly ChangedFile[];
}

/** What a pattern of `!include` means, templates among it; folders are also listed on the way to others. */
const INCLUDED = /\.(?:conf|ext|inc)\b[^/]*$/;

/** Answers whether files are among those that have changed. */
export class ChangeIndex {
  readonly #files: ReadonlyMap<string, ChangedFile>;
  /** Folders in which a file was that is no longer there. */
  readonly #thinned: ReadonlySet<string>;
  /** Folders with something below them that has changed. */
  readonly #above = new Set<string>();

  constructor({ files }: Changes) {
    for (const { path } of files) {
      for (let at = dirname(path); !this.#above.has(at); at = dirname(at)) this.#above.add(at);
    }
    this.#files = new Map(files.map((file) => [file.path, file]));
    this.#thinned = new Set(
      files.flatMap(({ path, deleted }) => (deleted && INCLUDED.test(path) ? [dirname(path)] : [])),
    );
  }

  /**
   * Whether any of the files has changed, or a link on the way to it.
   *
   * @param looked paths that were looked for; one with a slash at its end is a folder that was listed
   */
  touches(looked: Iterable<string>): boolean {
    for (const path of looked) {
      if (!path.endsWith('/')) {
        if (this.#changeOf(path) !== null) return true;
      } else if (this.#thinned.has(realOf(path))) return true;
    }
    return false;
  }

  /**
   * Whether any file may have changed that a path leads to which begins with one of the folders. Where a link
   * below a folder leads is not looked into, nor is a folder of very many files.
   */
  mayTouch(folders: readonly string[]): boolean {
    return folders.some(
      (folder) => this.#above.has(realOf(folder)) || this.#changeOf(folder) !== null || mayHaveLinks(folder),
    );
  }

  /** Whether a line of a span of lines has changed. */
  isChanged(path: string, first: number, last: number): boolean {
    const change = this.#changeOf(path);
    if (change === null) return false;
    return change.lines?.some(([from, to]) => from <= last && first <= to) ?? true;
  }

  #changeOf(path: string): ChangedFile | null {
    const own = this.#files.get(realOf(path));
    if (own !== undefined) return own;
    // The path as it is written: a link on the way may lead elsewhere now.
    for (let at = resolve(path); ; at = dirname(at)) {
      const change = this.#files.get(at) ?? this.#files.get(withoutLinksAbove(at));
      if (change !== undefined) return change;
      if (dirname(at) === at) return null;
    }
  }
}

/** Looking through more names than these takes as long as judging a host. */
const MOST_NAMES = 2000;

/** Whether a link lies below a folder, as far as it is small and can be read. */
function mayHaveLinks(folder: string): boolean {
  const pending = [folder];
  let names = 0;
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    let entries: readonly Dirent[];
    try {
      entries = readdirSync(at, { withFileTypes: true });
    } catch (error) {
      if (errorCode(error) === 'ENOENT') continue;
      return true;
    }
    names += entries.length;
    if (names > MOST_NAMES) return true;
    for (const entry of entries) {
      if (entry.isDirectory()) pending.push(join(at, entry.name));
      else if (!entry.isFile()) return true;
    }
  }
  return false;
}

/** The path without any link; of what is not there, as far as it is there. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const absolute = resolve(path);
    const above = dirname(absolute);
    return above === absolute ? absolute : join(realOf(above), basename(absolute));
  }
}

/** The same where the last name may be a link: git knows the link itself. */
function withoutLinksAbove(path: string): string {
  return join(realOf(dirname(path)), basename(path));
}
