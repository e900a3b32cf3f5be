import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize, resolve } from 'node:path';
import type { Server } from '../model/endpoint.ts';
import { errorCode, InputError, readSourceOrNull, reasonOf } from './files.ts';

/** A folder with the configuration of one server. */
export interface Place {
  readonly server: Server;
  readonly directory: string;
  /** Of Dovecot: the folder holds only files that a dovecot.conf would include, and these are below this folder. */
  readonly fragments: string | null;
}

/** The files of Postfix that a fix may change. */
export const POSTFIX_FILES = ['main.cf', 'master.cf'] as const;

/** The file of Dovecot that names the others. */
export const DOVECOT_FILE = 'dovecot.conf';

/** Names of what Dovecot's own dovecot.conf includes, by which a folder without one is known. */
const FRAGMENT = /^10-(auth|logging|mail|master|ssl)\.conf$/;

/** What files are called from which template engines and scripts make the real ones: `main.cf.j2`, `10-ssl.conf.erb`. */
const TEMPLATE_SUFFIX = /\.(?:j2|jinja2?|erb|epp|tmpl|tpl|gotmpl|template|mustache|hbs|njk)$/;

/** The name of the file that a template makes; of any other file, its own. */
export function madeName(name: string): string {
  return name.replace(TEMPLATE_SUFFIX, '');
}

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

/** The path of a file, or of the template that makes it. */
export function pathOf(directory: string, name: string): string {
  return fileOrTemplate(directory, name) ?? join(directory, name);
}

/** What is said of a link that leads nowhere. */
export const DANGLING = 'a link to a file that is not there';

/** True also for a link that leads nowhere. */
export function isPresent(path: string): boolean {
  try {
    lstatSync(path);
    return true;
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

/** Whether two paths lead to one folder; false where one leads nowhere. */
export function isSame(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/**
 * The folders that hold the configuration of all servers of a host: the one around `postfix/` and
 * `dovecot/`, else the folder itself.
 */
export function rootOf({ server, directory }: Place): string {
  const absolute = resolve(directory);
  const name = basename(absolute);
  const instance =
    server === 'postfix' && name.startsWith('postfix-') && basename(dirname(absolute)) === 'etc';
  return name === server || instance ? join(directory, '..') : directory;
}

/** The places that a folder stands for: its own, those of an `etc`, or all that a search finds. */
export async function placesIn(folder: string, problems: InputError[]): Promise<Place[]> {
  const own = placesAt(folder);
  if (own.length > 0) return own;
  const above = dirname(resolve(folder)) === resolve(folder) ? [] : placesAround(folder);
  if (above.length > 0) return above;
  // Nobody who names `/` means what its other folders may hold.
  const start = resolve(folder) === '/' ? '/etc' : folder;
  if (basename(resolve(start)) !== 'etc') return search(start, problems);
  try {
    // postmulti(1) keeps further instances in /etc/postfix-NAME.
    const names = readdirSync(start).filter(
      (name) => name === 'dovecot' || name === 'postfix' || name.startsWith('postfix-'),
    );
    return names.sort().flatMap((name) => placesAt(join(start, name)));
  } catch (error) {
    throw new InputError(`${start}: ${reasonOf(error)}`);
  }
}

/** The configuration whose dovecot.conf would include a file: the place of the nearest one, in its folder or the one above. */
export function placeOfIncluded(path: string): Place | null {
  if (!/\.conf(\.ext)?$/.test(madeName(path))) return null;
  const folder = normalize(dirname(path));
  for (const directory of [folder, join(folder, '..')])
    if (fileOrTemplate(directory, DOVECOT_FILE) !== null)
      return { server: 'dovecot', directory, fragments: null };
  return null;
}

function placesAt(folder: string): Place[] {
  const places: Place[] = [];
  if (fileOrTemplate(folder, DOVECOT_FILE) !== null)
    places.push({ server: 'dovecot', directory: folder, fragments: null });
  if (POSTFIX_FILES.some((name) => fileOrTemplate(folder, name) !== null))
    places.push({ server: 'postfix', directory: folder, fragments: null });
  if (places.length > 0 || !isPresent(folder)) return places;
  return fragmentFolder(folder) ? [fragmentPlace(folder)] : [];
}

/** A conf.d that was named by itself belongs to the dovecot.conf above it. */
function placesAround(folder: string): Place[] {
  const parent = join(folder, '..');
  const belongs = basename(resolve(folder)) === 'conf.d' && fileOrTemplate(parent, DOVECOT_FILE) !== null;
  return belongs ? [{ server: 'dovecot', directory: parent, fragments: null }] : [];
}

function fragmentFolder(folder: string): boolean {
  try {
    const above = fileOrTemplate(join(folder, '..'), DOVECOT_FILE);
    if (basename(resolve(folder)) === 'conf.d' && above !== null) return false;
    return readdirSync(folder).some((name) => FRAGMENT.test(madeName(name)));
  } catch {
    return false;
  }
}

function fragmentPlace(folder: string): Place {
  const directory = basename(resolve(folder)) === 'conf.d' ? join(folder, '..') : folder;
  return { server: 'dovecot', directory, fragments: folder };
}

/**
 * Searches a folder and, once each, the folders that links in it lead to. The glob itself follows no
 * link: it would run round in a loop of them.
 */
async function search(start: string, problems: InputError[]): Promise<Place[]> {
  const { default: glob } = await import('fast-glob');
  const found = new Map<string, Place>();
  const searched: string[] = [];
  const pending = [start];
  const see = (place: Place): void => {
    found.set(`${place.directory}\0${place.server}`, place);
  };
  for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
    const real = realpathOf(folder);
    if (searched.some((done) => real === done || real.startsWith(`${done}/`))) continue;
    searched.push(real);
    const entries = await glob('**', {
      cwd: folder,
      dot: true,
      onlyFiles: false,
      objectMode: true,
      followSymbolicLinks: false,
      ignore: ['**/.git', '**/node_modules'],
      fs: { readdir: readableFolders(problems) },
    });
    for (const { path, name: own, dirent } of entries.sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const name = madeName(own);
      const whole = join(folder, path);
      const directory = dirname(whole);
      if (dirent.isSymbolicLink() && leadsToFolder(whole)) pending.push(whole);
      else if (dirent.isDirectory()) continue;
      else if ((POSTFIX_FILES as readonly string[]).includes(name))
        see({ server: 'postfix', directory, fragments: null });
      else if (name === DOVECOT_FILE && isDovecotFile(whole))
        see({ server: 'dovecot', directory, fragments: null });
      else if (FRAGMENT.test(name) && placesAt(directory).every(({ fragments }) => fragments !== null)) {
        if (placesAround(directory).length === 0) see(fragmentPlace(directory));
      }
    }
  }
  return [...found.values()].sort((a, b) => compare(a.directory, b.directory) || compare(a.server, b.server));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Other programs have files of this name: the filters of fail2ban, what logs and supervisors read. Theirs begin with `[`. */
function isDovecotFile(path: string): boolean {
  const folder = basename(dirname(resolve(path)));
  if (folder === 'dovecot') return true;
  if (folder.endsWith('.d')) return false;
  const first = /^\s*([^#;\s].*)$/m.exec(readSourceOrNull(path)?.text ?? '')?.[1] ?? '';
  return !/^(\[|:\w|if\s|check\s|<)/.test(first);
}

/**
 * `readdir` for the glob that notes a folder which cannot be read and goes on with the others. It never
 * answers before it has returned: the queue of the glob loses its place when many folders answer at once.
 */
function readableFolders(problems: InputError[]) {
  return ((
    path: string,
    options: { withFileTypes: true },
    callback: (error: Error | null, entries: unknown[]) => void,
  ): void => {
    let entries: unknown[] = [];
    try {
      entries = readdirSync(path, options);
    } catch (error) {
      problems.push(new InputError(`${path}: ${reasonOf(error)}`));
    }
    queueMicrotask(() => callback(null, entries));
  }) as unknown as typeof import('node:fs').readdir;
}

function leadsToFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
