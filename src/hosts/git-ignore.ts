import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { readSourceOrNull } from './files.ts';

/** Patterns that count for a folder and all below it. */
interface Level {
  readonly base: string;
  readonly patterns: Ignore;
}

/**
 * What git leaves out below a folder: by `.gitignore` in the folder, in those above it up to the root of the
 * repository, and in those below; and by `info/exclude` of the repository. Where there is no repository, by
 * `.gitignore` from the folder down. What only a user's own machine says (`core.excludesFile`) does not count:
 * a repository is judged alike everywhere.
 *
 * It is asked from above: for what is in a folder only when the folder itself is not left out.
 */
export class GitIgnore {
  readonly #levels = new Map<string, readonly Level[]>();
  readonly #start: string;

  /** @param start the folder whose contents are asked for first; it counts, whatever is said of it */
  constructor(start: string) {
    this.#start = resolve(start);
  }

  /** Whether what is in a folder is left out. */
  ignores(folder: string, name: string, isFolder: boolean): boolean {
    const path = join(resolve(folder), name);
    for (const { base, patterns } of this.#levelsOf(resolve(folder))) {
      const { ignored, unignored } = patterns.test(relative(base, path) + (isFolder ? '/' : ''));
      if (ignored || unignored) return ignored;
    }
    return false;
  }

  /** The patterns for what is in a folder, those that decide before others first. */
  #levelsOf(folder: string): readonly Level[] {
    const known = this.#levels.get(folder);
    if (known !== undefined) return known;
    const above = dirname(folder);
    const git = join(folder, '.git');
    const isRoot = existsSync(git);
    const isTop = isRoot || above === folder || (folder === this.#start && rootAbove(folder) === null);
    // Patterns above that left the folder out were overruled: of what is in it, they say nothing more.
    const outer = isTop
      ? []
      : this.#levelsOf(above).filter(
          ({ base, patterns }) => !patterns.test(`${relative(base, folder)}/`).ignored,
        );
    const levels = [
      ...levelOf(folder, join(folder, '.gitignore')),
      ...outer,
      ...(isRoot ? levelOf(folder, join(commonFolder(git), 'info', 'exclude')) : []),
    ];
    this.#levels.set(folder, levels);
    return levels;
  }
}

function levelOf(base: string, path: string): Level[] {
  const text = readSourceOrNull(path)?.text;
  return text === undefined ? [] : [{ base, patterns: ignore({ ignorecase: false }).add(text) }];
}

/** The root of the repository that a folder lies in; null where it lies in none. */
export function rootAbove(folder: string): string | null {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return null;
  }
}

/** Where git keeps what the work trees of a repository share: `.git` of a further work tree, or of a submodule, is a file that names it. */
function commonFolder(git: string): string {
  if (statSync(git).isDirectory()) return git;
  const named = /^gitdir: (.+)$/m.exec(readSourceOrNull(git)?.text ?? '')?.[1];
  if (named === undefined) return git;
  const own = resolve(dirname(git), named);
  const common = readSourceOrNull(join(own, 'commondir'))?.text.trim();
  return common === undefined ? own : resolve(own, common);
}
