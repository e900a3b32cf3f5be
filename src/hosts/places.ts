import { basename, dirname, join, normalize, resolve } from 'node:path';
import { lstatSync, readdirSync, realpathSync } from './disk.ts';
import { DOVECOT_FILE, isFragmentName, madeName, type NamedHead, POSTFIX_FILES } from './file-names.ts';
import { errorCode, InputError, reasonOf } from './input-error.ts';

/** Where the configuration of Postfix lies: plain data, as are all places. */
export interface PostfixPlace {
  readonly server: 'postfix';
  /** The folder that stands for /etc/postfix. */
  readonly directory: string;
  /** main.cf and master.cf, or what makes them; null where there is none. */
  readonly main: string | null;
  readonly master: string | null;
  /** A further folder whose files come into the same /etc/postfix: roles keep `files/` beside `templates/`. */
  readonly beside: string | null;
  /** What is written beside the names of the files, `mx1` of `main.cf.mx1`: with it they may be parts of others. */
  readonly label: string | null;
}

/** Where the configuration of Dovecot lies. */
export interface DovecotPlace {
  readonly server: 'dovecot';
  /** The folder that stands for /etc/dovecot. */
  readonly directory: string;
  /** dovecot.conf, or what makes it; null where there are only files that one would include. */
  readonly main: string | null;
  /** Where there is no dovecot.conf: the folder with the files that it would include. */
  readonly fragments: string | null;
  readonly beside: string | null;
  readonly label: string | null;
}

/** Where the configuration of one server lies. */
export type Place = PostfixPlace | DovecotPlace;

/** The path of a file in a folder, or of the template that makes it; null where neither is there. */
export function fileOrTemplate(folder: string, name: string): string | null {
  const path = join(folder, name);
  if (isPresent(path)) return path;
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return null;
  }
  const template = names.filter((one) => one !== name && madeName(one) === name).sort()[0];
  return template === undefined ? null : join(folder, template);
}

/** What is said of a link that leads nowhere. */
export const DANGLING = 'a link to a file that is not there';

/** True also for a link that leads nowhere. */
export function isPresent(path: string): boolean {
  try {
    // Most that are asked for are not there, and an error takes longer than to look.
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

/** The one path of a file, whatever links lead to it. */
export function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

/** The one path of a file, whatever links lead to it; null where there is none. */
export function realpathOrNull(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/**
 * The folder that holds the configuration of all servers of a host: the one around `postfix/` and
 * `dovecot/`, else the folder itself.
 */
export function rootOf({ server, directory }: Place): string {
  const absolute = resolve(directory);
  const name = basename(absolute);
  const instance =
    server === 'postfix' && name.startsWith('postfix-') && basename(dirname(absolute)) === 'etc';
  return name === server || instance ? join(directory, '..') : directory;
}

/** The files by which a place is known; its folder where it has none of its own. */
export function headFiles(place: Place): string[] {
  if (place.server === 'postfix') {
    const { main, master } = place;
    const present = [main, master].filter((path) => path !== null);
    return present.length > 0 ? present : [place.directory];
  }
  return [place.main ?? place.fragments ?? place.directory];
}

/** The place of a folder of Postfix that is read whatever is in it. */
export function postfixPlace(directory: string): PostfixPlace {
  return {
    server: 'postfix',
    directory,
    main: fileOrTemplate(directory, 'main.cf'),
    master: fileOrTemplate(directory, 'master.cf'),
    beside: besideOf(directory),
    label: null,
  };
}

/** The place of a folder with a dovecot.conf. */
export function dovecotPlace(directory: string): DovecotPlace {
  const main = fileOrTemplate(directory, DOVECOT_FILE);
  return {
    server: 'dovecot',
    directory,
    main,
    fragments: null,
    beside: besideOf(directory),
    label: null,
  };
}

/** The place of a file with something written beside its name, such as `main.cf.mx1` and `postfix-master.cf`. */
export function labelledPlace(path: string, { server, file, label }: NamedHead): Place {
  const common = { directory: dirname(path), beside: null, label };
  if (server === 'dovecot') return { server, main: path, fragments: null, ...common };
  const main = file === 'main.cf' ? path : null;
  return { server, main, master: main === null ? path : null, ...common };
}

/** Whether a place holds only a part of a configuration: of what else there is, nothing is known. */
export function isPartPlace({ main, label }: Place): boolean {
  return main === null || label !== null;
}

/** Ansible, Puppet, Salt and Chef keep what is copied in `files/`, and what is filled in `templates/`. */
export function besideOf(directory: string): string | null {
  const absolute = resolve(directory);
  const other = { files: 'templates', templates: 'files' }[basename(absolute)];
  if (other === undefined) return null;
  const path = join(directory, '..', other);
  return isPresent(path) ? path : null;
}

/** The configuration whose dovecot.conf would include a file: the place of the nearest one, in its folder or the one above. */
export function placeOfIncluded(path: string): Place | null {
  if (!/\.conf(\.ext)?$/.test(madeName(path))) return null;
  const folder = normalize(dirname(path));
  for (const directory of [folder, join(folder, '..')])
    if (fileOrTemplate(directory, DOVECOT_FILE) !== null) return dovecotPlace(directory);
  return null;
}

/** The places that a folder itself is. */
export function placesAt(folder: string): Place[] {
  const places: Place[] = [];
  if (fileOrTemplate(folder, DOVECOT_FILE) !== null) places.push(dovecotPlace(folder));
  if (POSTFIX_FILES.some((name) => fileOrTemplate(folder, name) !== null)) places.push(postfixPlace(folder));
  if (places.length > 0 || !isPresent(folder)) return places;
  return isFragmentFolder(folder) ? [fragmentPlace(folder)] : [];
}

/** A conf.d that was named by itself belongs to the dovecot.conf above it. */
export function placesAround(folder: string): Place[] {
  const parent = join(folder, '..');
  const belongs = basename(resolve(folder)) === 'conf.d' && fileOrTemplate(parent, DOVECOT_FILE) !== null;
  return belongs ? [dovecotPlace(parent)] : [];
}

/** The place of a folder with files that a dovecot.conf would include. */
export function fragmentPlace(folder: string): DovecotPlace {
  const directory = basename(resolve(folder)) === 'conf.d' ? join(folder, '..') : folder;
  return {
    server: 'dovecot',
    directory,
    main: null,
    fragments: folder,
    beside: besideOf(directory),
    label: null,
  };
}

/** Whether files of these names are what a dovecot.conf includes; whether there is one above is not looked at. */
export function holdsFragments(folder: string, names: readonly string[]): boolean {
  const [above, own] = resolve(folder).split('/').slice(-2);
  // Any name will do where the folders tell it: Debian's dovecot.conf includes local.conf too.
  if (own === 'conf.d' && above === 'dovecot') return names.some((name) => madeName(name).endsWith('.conf'));
  if (own === 'dovecot' && !names.includes('conf.d') && names.some((name) => madeName(name) === 'local.conf'))
    return true;
  return names.some(isFragmentName);
}

function isFragmentFolder(folder: string): boolean {
  try {
    const above = fileOrTemplate(join(folder, '..'), DOVECOT_FILE);
    if (basename(resolve(folder)) === 'conf.d' && above !== null) return false;
    return holdsFragments(folder, readdirSync(folder));
  } catch {
    return false;
  }
}
