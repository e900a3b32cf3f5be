import { basename, dirname, join, relative, resolve } from 'node:path';
import { readSourceOrNull } from './disk.ts';
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
import type { SearchNotes } from './left-out.ts';
import {
  dovecotPlace,
  fileOrTemplate,
  fragmentPlace,
  headFiles,
  holdsFragments,
  labelledPlace,
  type Place,
  postfixPlace,
} from './places.ts';

/** Order of names and paths that is the same everywhere. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Order of the places of a search. */
export function comparePlaces(a: Place, b: Place): number {
  return (
    compare(a.directory, b.directory) || compare(a.label ?? '', b.label ?? '') || compare(a.server, b.server)
  );
}

/** The same for places of a search of which the later one counts: of a folder and its conf.d, that of the conf.d. */
export function placeKey(place: Place): string {
  const { directory, server, label } = place;
  return [server, ...(label === null ? [directory] : headFiles(place))].join('\0');
}

/**
 * The places that the files of one folder make, of those that a search comes upon.
 *
 * @param start where the search began
 * @param folders names of files by their folders, those of `directory` in order
 */
export function placesAmong(
  start: string,
  directory: string,
  folders: ReadonlyMap<string, readonly string[]>,
  notes: SearchNotes,
): Place[] {
  const places = placesOf(directory, folders.get(directory) ?? [], folders, notes);
  const kept = keptFolder(start, directory);
  if (kept === null || places.length === 0) return places;
  notes.leftOut.push({ path: kept, why: 'backup' });
  return [];
}

function placesOf(
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
    else if (looksLike(path, head.file)) places.push(labelledPlace(path, head));
    else if (head.file === 'master.cf' && isForPostconf(path)) leftOut.push({ path, why: 'postconf' });
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

/** Whether lines are what docker-mailserver gives to `postconf -P`: `submission/inet/smtpd_tls_security_level=encrypt`. */
function isForPostconf(path: string): boolean {
  return /^[\w.:-]+\/(?:inet|unix|fifo|pass)\/\w+[ \t]*=/m.test(readSourceOrNull(path)?.text ?? '');
}
