import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

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

  constructor({ files }: Changes) {
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
