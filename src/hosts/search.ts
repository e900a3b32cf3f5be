import { type Dirent, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import glob from 'fast-glob';
import { isBackupName, namedHead } from './file-names.ts';
import { InputError, reasonOf } from './files.ts';
import { compare, comparePlaces, placeKey, placesAmong } from './folder-places.ts';
import { GitIgnore } from './git-ignore.ts';
import type { SearchNotes } from './left-out.ts';
import { type Place, realpathOf } from './places.ts';

/** Folders of version control and of packages: nobody's configuration is in them. */
const NEVER: ReadonlySet<string> = new Set(['.git', '.hg', '.svn', 'node_modules']);

/**
 * Searches a folder and, once each, the folders that links in it lead to: for every place of Postfix and
 * Dovecot that git does not leave out. The glob itself follows no link: it would run round in a loop of them.
 */
export async function search(start: string, notes: SearchNotes): Promise<Place[]> {
  const found = new Map<string, Place>();
  const searched = new Set<string>();
  const pending = [start];
  for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
    const real = realpathOf(folder);
    if (isWithin(real, searched)) continue;
    searched.add(real);
    // Files by their folders. The glob walks the folders: what it answers leaves out odd names.
    const folders = new Map<string, string[]>();
    const meet = (directory: string, entries: readonly Dirent[]): void => {
      const names: string[] = [];
      for (const entry of entries) {
        if (entry.isDirectory()) continue;
        const whole = join(directory, entry.name);
        if (entry.isSymbolicLink() && leadsToFolder(whole)) pending.push(whole);
        else names.push(entry.name);
      }
      if (names.length > 0) folders.set(directory, names);
    };
    await glob('**', {
      cwd: folder,
      dot: true,
      onlyDirectories: true,
      followSymbolicLinks: false,
      fs: { readdir: listing(folder, meet, notes) },
    });
    pending.sort(compare);
    for (const [directory, names] of folders) {
      names.sort(compare);
      for (const place of placesAmong(start, directory, folders, notes)) found.set(placeKey(place), place);
    }
  }
  return [...found.values()].sort(comparePlaces);
}

/** Whether a folder is one of those that were searched, or below one. */
function isWithin(real: string, searched: ReadonlySet<string>): boolean {
  for (let at = real; ; at = dirname(at)) {
    if (searched.has(at)) return true;
    if (dirname(at) === at) return false;
  }
}

function leadsToFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/**
 * `readdir` for the glob, which leaves out what git ignores and what is nothing of a mail server by its name,
 * and goes on where a folder cannot be read. It never answers before it has returned: the queue of the glob
 * loses its place when many folders answer at once.
 *
 * @param meet takes each folder, and what counts in it
 */
function listing(
  start: string,
  meet: (directory: string, entries: readonly Dirent[]) => void,
  { leftOut, problems }: SearchNotes,
) {
  const top = resolve(start);
  const git = new GitIgnore(start);
  const shown = (path: string): string => join(start, relative(top, path));
  const isWanted = (folder: string, entry: Dirent): boolean => {
    const { name } = entry;
    if (entry.isDirectory()) return !NEVER.has(name) && !git.ignores(folder, name, true);
    const isLink = entry.isSymbolicLink();
    const isHead = namedHead(name) !== null;
    if (!isLink && !isHead && !isBackupName(name) && !/\.conf\b/.test(name)) return false;
    if (!git.ignores(folder, name, false)) return true;
    if (isHead && !isBackupName(name)) leftOut.push({ path: shown(join(folder, name)), why: 'git' });
    return false;
  };
  return ((
    path: string,
    options: { withFileTypes: true },
    callback: (error: Error | null, entries: unknown[]) => void,
  ): void => {
    let entries: Dirent[] = [];
    try {
      entries = readdirSync(path, options).filter((entry) => isWanted(path, entry));
      meet(shown(path), entries);
    } catch (error) {
      problems.push(new InputError(`${shown(path)}: ${reasonOf(error)}`));
    }
    queueMicrotask(() => callback(null, entries));
  }) as unknown as typeof import('node:fs').readdir;
}
