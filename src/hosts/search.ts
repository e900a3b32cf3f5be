import { type Dirent, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import glob from 'fast-glob';
import {
  DOVECOT_FILE,
  type HeadFile,
  isBackupFolder,
  isBackupName,
  isDefaultsLabel,
  isPatternLabel,
  madeName,
  type NamedHead,
  namedHead,
} from './file-names.ts';
import { InputError, readSourceOrNull, reasonOf } from './files.ts';
import { GitIgnore } from './git-ignore.ts';
import type { SearchNotes } from './left-out.ts';
import {
  dovecotPlace,
  fileOrTemplate,
  fragmentPlace,
  holdsFragments,
  type Place,
  postfixPlace,
  realpathOf,
} from './places.ts';

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
      const places = placesAmong(directory, names.sort(compare), folders, notes);
      const kept = keptFolder(start, directory);
      if (kept !== null && places.length > 0) notes.leftOut.push({ path: kept, why: 'backup' });
      else for (const place of places) found.set(`${place.directory}\0${place.server}`, place);
    }
  }
  return [...found.values()].sort((a, b) => compare(a.directory, b.directory) || compare(a.server, b.server));
}

/** Whether a folder is one of those that were searched, or below one. */
function isWithin(real: string, searched: ReadonlySet<string>): boolean {
  for (let at = real; ; at = dirname(at)) {
    if (searched.has(at)) return true;
    if (dirname(at) === at) return false;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
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

/** The places that files of one folder make. */
function placesAmong(
  directory: string,
  names: readonly string[],
  folders: ReadonlyMap<string, readonly string[]>,
  { leftOut }: SearchNotes,
): Place[] {
  const labelled: { readonly path: string; readonly head: NamedHead }[] = [];
  const own = new Set<string>();
  for (const name of names) {
    const path = join(directory, name);
    const head = namedHead(name);
    if (isBackupName(name)) leftOut.push({ path, why: 'backup' });
    else if (head === null) continue;
    else if (head.label !== null) labelled.push({ path, head });
    else if (head.file !== DOVECOT_FILE || isDovecotFile(path)) own.add(head.file);
  }
  const places: Place[] = [];
  if (own.has(DOVECOT_FILE)) places.push(dovecotPlace(directory));
  else if (holdsFragments(directory, names) && !isIncluded(directory, folders))
    places.push(fragmentPlace(directory));
  if (own.has('main.cf') || own.has('master.cf')) places.push(postfixPlace(directory));
  for (const { path, head } of labelled) {
    if (isDefaultsLabel(head.label)) leftOut.push({ path, why: 'defaults' });
    else if (isPatternLabel(head.label) && own.has(head.file)) leftOut.push({ path, why: 'pattern' });
    else if (looksLike(path, head.file)) leftOut.push({ path, why: 'part' });
  }
  return places;
}

/** Whether a conf.d stands beside a dovecot.conf, which includes what is in it. */
function isIncluded(directory: string, folders: ReadonlyMap<string, readonly string[]>): boolean {
  if (basename(resolve(directory)) !== 'conf.d') return false;
  const parent = join(directory, '..');
  const names = folders.get(parent);
  return names === undefined
    ? fileOrTemplate(parent, DOVECOT_FILE) !== null
    : names.some((name) => madeName(name) === DOVECOT_FILE);
}

/** The outermost folder around files that is a copy by its name; null where none is. */
function keptFolder(start: string, directory: string): string | null {
  const names = relative(start, directory).split('/');
  const at = names.findIndex(isBackupFolder);
  return at < 0 ? null : join(start, ...names.slice(0, at + 1));
}

/** Other programs have files of this name: the filters of fail2ban, what logs and supervisors read. Theirs begin with `[`. */
function isDovecotFile(path: string): boolean {
  const folder = basename(dirname(resolve(path)));
  if (folder === 'dovecot') return true;
  if (folder.endsWith('.d')) return false;
  return isDovecotText(readSourceOrNull(path)?.text ?? '');
}

function isDovecotText(text: string): boolean {
  const first = /^\s*([^#;\s].*)$/m.exec(text)?.[1] ?? '';
  return !/^(\[|:\w|if\s|check\s|<)/.test(first);
}

/** Whether a file that only resembles one by its name holds what such a file holds. */
function looksLike(path: string, file: HeadFile): boolean {
  const text = readSourceOrNull(path)?.text ?? '';
  if (text.startsWith('#!')) return false;
  if (file === 'main.cf') return /^[a-z]\w*[ \t]*=/m.test(text);
  if (file === 'master.cf') return /^\S+[ \t]+(?:inet|unix(?:-dgram)?|fifo|pass)[ \t]/m.test(text);
  return isDovecotText(text) && /^[ \t]*(?:[a-z]\w*[ \t]*=|[a-z]\w*[^=#\n]*\{|!include)/m.test(text);
}
