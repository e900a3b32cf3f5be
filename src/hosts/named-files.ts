import { basename, dirname, join, normalize, posix, relative, resolve } from 'node:path';
import type { DovecotFiles } from '../dovecot/load.ts';
import { SourceFile } from '../text/source.ts';
import { readdirSync, readSource, readSourceOrNull, statSync } from './disk.ts';
import { DOVECOT_FILE, madeName } from './file-names.ts';
import { errorCode, InputError, reasonOf } from './input-error.ts';
import { fileOrTemplate } from './places.ts';

/** What Dovecot's own dovecot.conf includes last. */
const LOCAL_FILE = 'local.conf';

/** What a folder in etc is called that stands for /etc/postfix, further instances among them; and one for /etc/dovecot. */
const POSTFIX_FOLDER = /^postfix(-.*)?$/;
const DOVECOT_FOLDER = /^dovecot$/;

/** The folder that plays `/` for a folder that ends in `etc/postfix` or `etc/dovecot`, or null. */
function systemRootOf(directory: string, name: RegExp): string | null {
  const absolute = resolve(directory);
  return name.test(basename(absolute)) && basename(dirname(absolute)) === 'etc'
    ? join(directory, '..', '..')
    : null;
}

/** The folders below which `postfixOpener` looks on a system that is not running. */
export function postfixReach(directory: string, beside: string | null): readonly string[] {
  return [directory, systemRootOf(directory, POSTFIX_FOLDER), beside].filter((folder) => folder !== null);
}

/**
 * Opens the files that a configuration names as if the linted folder were the /etc/postfix of a running
 * system: what lies below /etc/postfix is looked for in the folder, all else below the folder that plays
 * `/`, where there is one. A path that leads out of what was given is not opened, and neither is the
 * machine's own file in its place, unless the machine's own folder is what is linted.
 *
 * @param beside a further folder whose files come into the same /etc/postfix
 * @param looked where the paths of files that are looked for are noted
 */
export function postfixOpener(
  directory: string,
  live: boolean,
  beside: string | null = null,
  looked: Set<string> = new Set(),
): (path: string) => SourceFile | null {
  const root = systemRootOf(directory, POSTFIX_FOLDER);
  const own = root === null ? '/etc/postfix' : `/etc/${basename(resolve(directory))}`;
  const cache = new Map<string, SourceFile | null>();
  return (path) => {
    // An indexed table is not text; its source beside it is what is asked for.
    if (path === '' || path.includes('\0') || path.endsWith('.db')) return null;
    const absolute = posix.resolve(own, path);
    const inFolder = absolute.startsWith(`${own}/`) ? absolute.slice(own.length + 1) : null;
    const place =
      inFolder !== null
        ? join(directory, inFolder)
        : live
          ? absolute
          : root !== null
            ? join(root, absolute.slice(1))
            : null;
    if (place === null) return null;
    const known = cache.get(place);
    if (known !== undefined) return known;
    const other = beside === null || inFolder === null ? null : join(beside, inFolder);
    looked.add(place);
    if (other !== null) looked.add(other);
    const source = readSourceOrNull(place) ?? (other === null ? null : readSourceOrNull(other));
    cache.set(place, source);
    return source;
  };
}

/** Where a Dovecot is installed: what its own files call the folder that they lie in. */
const DOVECOT_FOLDERS = ['/etc/dovecot', '/usr/local/etc/dovecot', '/opt/homebrew/etc/dovecot'];

/** The files around a dovecot.conf. */
export interface NamedFiles {
  readonly files: DovecotFiles;
  /** Files that are there and were asked for, and could not be read. */
  readonly problems: readonly InputError[];
}

/** The folders below which `dovecotFiles` looks on a system that is not running. */
export function dovecotReach(directory: string, beside: string | null): readonly string[] {
  return [directory, givenAround(directory), beside].filter((folder) => folder !== null);
}

/** What was given with a folder: the one that plays `/`, else the one that may hold Postfix too, else the folder. */
function givenAround(directory: string): string {
  const root = systemRootOf(directory, DOVECOT_FOLDER);
  const own = resolve(directory);
  return root !== null ? resolve(root) : basename(own) === 'dovecot' ? dirname(own) : own;
}

/**
 * Opens and lists files as if the linted folder were the /etc/dovecot of a running system, as
 * `postfixOpener` does for /etc/postfix. Relative names are those of the includes, which begin with the
 * path of the file that they stand in.
 *
 * @param beside a further folder whose files come into the same /etc/dovecot
 * @param looked where the paths of files that are looked for, and of folders that are listed, are noted
 */
export function dovecotFiles(
  directory: string,
  live: boolean,
  beside: string | null = null,
  looked: Set<string> = new Set(),
): NamedFiles {
  const root = systemRootOf(directory, DOVECOT_FOLDER);
  const own = resolve(directory);
  const bound = givenAround(directory);
  const isGiven = (path: string): boolean => isBelow(resolve(path), bound);
  /** Where a path that the configuration has leads to; null: out of what was given. */
  const place = (path: string): string | null => {
    if (path.includes('\0')) return null;
    if (live || isGiven(path)) return path === '' ? '.' : path;
    if (!path.startsWith('/')) return null;
    const installed = DOVECOT_FOLDERS.find((folder) => isBelow(path, folder));
    if (installed !== undefined) return join(directory, path.slice(installed.length + 1));
    const inside = root === null ? null : join(root, path.slice(1));
    return inside !== null && isGiven(inside) ? inside : null;
  };
  /** The same place in the further folder. */
  const placeBeside = (at: string): string | null =>
    beside !== null && isBelow(resolve(at), own) ? join(beside, relative(own, resolve(at))) : null;
  // Folders on the way to what was given are not listed: each holds the one next name.
  const known = [...DOVECOT_FOLDERS, own, `${normalize(directory)}/`];
  const cache = new Map<string, SourceFile | null>();
  // A template is read many times, and each time it lists the same folders.
  const lists = new Map<string, readonly string[] | null>();
  const problems: InputError[] = [];
  const files: DovecotFiles = {
    open(path) {
      const at = path === '' ? null : place(path);
      if (at === null) return null;
      const before = cache.get(at);
      if (before !== undefined) return before;
      const other = placeBeside(at);
      looked.add(at);
      if (other !== null) looked.add(other);
      const source = readMade(at, problems) ?? (other === null ? null : readMade(other, problems));
      if (source !== null) looked.add(source.path);
      cache.set(at, source);
      return source;
    },
    entries(folder) {
      const before = lists.get(folder);
      if (before !== undefined) return before;
      const at = place(folder);
      const folders = [at, at === null ? null : placeBeside(at)].filter((path) => path !== null);
      for (const path of folders) looked.add(path.endsWith('/') ? path : `${path}/`);
      const found = folders.map(namesIn).filter((list) => list !== null);
      const names = found.length === 0 ? null : found.flat().map(madeName);
      const next = known.flatMap((path) => nextName(folder, path));
      const list = names === null && next.length === 0 ? null : [...new Set([...(names ?? []), ...next])];
      lists.set(folder, list);
      return list;
    },
  };
  return { files, problems };
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** The name behind a folder on the way to a path. */
function nextName(folder: string, path: string): string[] {
  const before = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
  if (!path.startsWith(before) || (folder === '' && path.startsWith('/'))) return [];
  const name = path.slice(before.length).split('/')[0] ?? '';
  return name === '' || name === '.' ? [] : [name];
}

function namesIn(folder: string): readonly string[] | null {
  try {
    return readdirSync(folder);
  } catch {
    // As glob(3) does: it goes on without.
    return null;
  }
}

/** A file, or the template that makes it. */
function readMade(path: string, problems: InputError[]): SourceFile | null {
  return readNamed(path, problems) ?? readTemplate(path, problems);
}

/** The template that makes a file which is not there. */
function readTemplate(path: string, problems: InputError[]): SourceFile | null {
  const template = fileOrTemplate(dirname(path), basename(path));
  return template === null || template === path ? null : readNamed(template, problems);
}

function readNamed(path: string, problems: InputError[]): SourceFile | null {
  try {
    return statSync(path).isDirectory() ? null : readSource(path);
  } catch (error) {
    const code = errorCode(error);
    if (error instanceof InputError) problems.push(error);
    else if (code !== 'ENOENT' && code !== 'ENOTDIR')
      problems.push(new InputError(`${path}: ${reasonOf(error)}`));
    return null;
  }
}

/**
 * The text of a dovecot.conf for a folder that has none: it includes what Dovecot's own includes, which is
 * local.conf too.
 *
 * @param fragments the folder of the files to include, `directory` itself or one below it
 */
export function assumedMain(directory: string, fragments: string): SourceFile {
  const folder = relative(directory, fragments);
  // Beside each other, only what is numbered is an include; the rest is for the programs that it names.
  const pattern = folder === '' ? '[0-9]*.conf' : `${folder}/*.conf`;
  const local = fileOrTemplate(directory, LOCAL_FILE) === null ? '' : `!include_try ${LOCAL_FILE}\n`;
  return new SourceFile(join(directory, DOVECOT_FILE), `!include ${pattern}\n${local}`);
}
