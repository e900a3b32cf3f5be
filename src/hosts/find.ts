import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize, posix, resolve } from 'node:path';
import type { SourceFile } from '../text/source.ts';
import { type Config, Configs } from './config.ts';
import { decode, errorCode, InputError, readSource, readSourceOrNull, reasonOf } from './files.ts';
import type { HostInput } from './host.ts';
import { askInstalled } from './installed.ts';
import { decideReleases, type GivenReleases } from './releases.ts';

/** What a file is that its name does not tell. */
export type InputKind = 'main.cf' | 'master.cf' | 'dovecot.conf';

/** What the command line says besides the paths. */
export interface FindOptions {
  readonly as?: InputKind | undefined;
  readonly flags?: GivenReleases;
  /** Installed programs may be asked for their releases. */
  readonly exec?: boolean;
  /** The bytes of standard input, for the path `-`. */
  readonly standardInput?: () => Buffer;
  /** The folder of this machine's own Postfix, and how its programs are asked. */
  readonly system?: { readonly folder: string; readonly ask: () => Promise<GivenReleases> };
}

/** A host that was found but not yet read: of many, only one need be in memory. */
export interface FoundHost {
  readonly root: string;
  readonly directory: string;
  readonly config: Config | null;
  /** The files that fixes may change, as they will be named. */
  readonly paths: readonly string[];
  /** @throws InputError when a file of the host cannot be read */
  read(): Promise<HostInput>;
}

/** What stands at the paths of a command line. */
export interface FoundHosts {
  readonly hosts: readonly FoundHost[];
  /** Folders that could not be searched. */
  readonly problems: readonly InputError[];
}

const FILES = ['main.cf', 'master.cf'] as const;
const SYSTEM = { folder: '/etc/postfix', ask: askInstalled };

/**
 * Finds the hosts at paths: files, folders, repositories, or `-`. Each Postfix folder is one host,
 * given once however often it is named; the order is that of the paths, and of names below a path.
 *
 * @throws InputError for a path that is not there, is nothing that can be read, or holds no configuration
 */
export async function findHosts(paths: readonly string[], options: FindOptions = {}): Promise<FoundHosts> {
  const configs = new Configs();
  const hosts = new Map<string, FoundHost>();
  const problems: InputError[] = [];
  for (const path of paths.length === 0 ? ['.'] : paths) {
    if (path === '-') {
      hosts.set('-', await standardInputHost(configs, options));
      continue;
    }
    const place = typeOf(path);
    if (place === 'file') {
      const name = basename(path);
      const kind = options.as ?? name;
      if (kind === 'dovecot.conf')
        throw new InputError(`${path}: pfharden does not read Dovecot's configuration yet`);
      if (!isFileName(kind))
        throw new InputError(`${path}: is it a main.cf or a master.cf? Say so with --as`);
      if (kind !== name) {
        hosts.set(resolve(path), await singleHost(path, kind, configs, options));
        continue;
      }
    }
    const folders =
      place === 'file' ? [normalize(dirname(path))] : await foldersIn(normalize(path), problems);
    if (folders.length === 0 && problems.length === 0)
      throw new InputError(`no Postfix configuration in ${path}`);
    for (const folder of folders) {
      const directory = folder.length > 1 ? folder.replace(/\/+$/, '') : folder;
      const key = realpathOf(directory);
      if (!hosts.has(key)) hosts.set(key, await folderHost(directory, configs, options));
    }
  }
  return { hosts: [...hosts.values()], problems };
}

function isFileName(name: string): name is (typeof FILES)[number] {
  return (FILES as readonly string[]).includes(name);
}

function typeOf(path: string): 'file' | 'folder' {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return 'folder';
    if (stat.isFile()) return 'file';
  } catch (error) {
    throw new InputError(
      `${path}: ${isPresent(path) && errorCode(error) === 'ENOENT' ? DANGLING : reasonOf(error)}`,
    );
  }
  throw new InputError(`${path}: neither a regular file nor a folder`);
}

const DANGLING = 'a link to a file that is not there';

/** True also for a link that leads nowhere. */
function isPresent(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

function hasConfiguration(folder: string): boolean {
  return FILES.some((name) => isPresent(join(folder, name)));
}

function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

/** The Postfix folders that a folder stands for: itself, those of an `etc`, or all that a search finds. */
async function foldersIn(folder: string, problems: InputError[]): Promise<string[]> {
  if (hasConfiguration(folder)) return [folder];
  // Nobody who names `/` means what its other folders may hold.
  const start = resolve(folder) === '/' ? '/etc' : folder;
  if (basename(resolve(start)) !== 'etc') return search(start, problems);
  try {
    // postmulti(1) keeps further instances in /etc/postfix-NAME.
    const names = readdirSync(start).filter((name) => name === 'postfix' || name.startsWith('postfix-'));
    return names
      .sort()
      .map((name) => join(start, name))
      .filter(hasConfiguration);
  } catch (error) {
    throw new InputError(`${start}: ${reasonOf(error)}`);
  }
}

/**
 * Searches a folder and, once each, the folders that links in it lead to. The glob itself follows no
 * link: it would run round in a loop of them.
 */
async function search(start: string, problems: InputError[]): Promise<string[]> {
  const { default: glob } = await import('fast-glob');
  const found = new Set<string>();
  const searched: string[] = [];
  const pending = [start];
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
    for (const { path, name, dirent } of entries.sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const whole = join(folder, path);
      if (dirent.isSymbolicLink() && leadsToFolder(whole)) pending.push(whole);
      else if (isFileName(name) && !dirent.isDirectory()) found.add(dirname(whole));
    }
  }
  return [...found].sort();
}

/** `readdir` for the glob that notes a folder which cannot be read and goes on with the others. */
function readableFolders(problems: InputError[]) {
  return ((
    path: string,
    options: { withFileTypes: true },
    callback: (error: Error | null, entries: unknown[]) => void,
  ): void => {
    try {
      callback(null, readdirSync(path, options));
    } catch (error) {
      problems.push(new InputError(`${path}: ${reasonOf(error)}`));
      callback(null, []);
    }
  }) as unknown as typeof import('node:fs').readdir;
}

function leadsToFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The folder that holds the configuration of all servers of the host: the one around `postfix/`. */
function rootOf(directory: string): string {
  const absolute = resolve(directory);
  const name = basename(absolute);
  const instance = name.startsWith('postfix-') && basename(dirname(absolute)) === 'etc';
  return name === 'postfix' || instance ? join(directory, '..') : directory;
}

/** Reads a file that need not be there; one that is there and cannot be read is an error. */
function readIfPresent(path: string): SourceFile | null {
  if (!isPresent(path)) return null;
  try {
    return readSource(path);
  } catch (error) {
    if (error instanceof InputError && !canStat(path))
      throw new InputError(error.message.replace(/no such file or directory$/, DANGLING));
    throw error;
  }
}

function canStat(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

async function folderHost(directory: string, configs: Configs, options: FindOptions): Promise<FoundHost> {
  const config = await configs.of(directory);
  const root = rootOf(directory);
  return {
    root,
    directory,
    config,
    paths: FILES.map((name) => join(directory, name)),
    async read() {
      const main = readIfPresent(join(directory, 'main.cf'));
      const master = readIfPresent(join(directory, 'master.cf'));
      const system = options.system ?? SYSTEM;
      const live = isSame(directory, system.folder);
      const flags = options.flags ?? {};
      const asks =
        live &&
        options.exec !== false &&
        flags.postfix === undefined &&
        config?.releases.postfix === undefined;
      const installed = asks ? await system.ask() : {};
      return {
        root,
        postfix: { directory, main, master },
        releases: decideReleases({
          main,
          master,
          flags,
          config: config?.releases ?? {},
          installed: () => installed,
        }),
        open: opener(directory, live),
      };
    },
  };
}

function isSame(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/** One file by itself, told by `--as`. */
async function singleHost(
  path: string,
  kind: (typeof FILES)[number],
  configs: Configs,
  options: FindOptions,
): Promise<FoundHost> {
  const directory = normalize(dirname(path));
  const config = await configs.of(directory);
  return {
    root: directory,
    directory,
    config,
    paths: [normalize(path)],
    read: () => Promise.resolve(oneFile(readSource(normalize(path)), kind, directory, config, options)),
  };
}

async function standardInputHost(configs: Configs, options: FindOptions): Promise<FoundHost> {
  const { as: kind, standardInput } = options;
  if (kind === undefined) throw new InputError('standard input needs --as main.cf or --as master.cf');
  if (kind === 'dovecot.conf') throw new InputError("pfharden does not read Dovecot's configuration yet");
  if (standardInput === undefined) throw new InputError('there is no standard input to read');
  const config = await configs.of('.');
  return {
    root: '.',
    directory: '.',
    config,
    paths: [],
    read: () => Promise.resolve(oneFile(decode(kind, standardInput()), kind, '.', config, options)),
  };
}

function oneFile(
  source: SourceFile,
  kind: (typeof FILES)[number],
  directory: string,
  config: Config | null,
  options: FindOptions,
): HostInput {
  const main = kind === 'main.cf' ? source : null;
  const master = kind === 'master.cf' ? source : null;
  return {
    root: directory,
    postfix: { directory, main, master },
    releases: decideReleases({ main, master, flags: options.flags ?? {}, config: config?.releases ?? {} }),
    open: opener(directory, false),
  };
}

/** The folder that plays `/` for a folder that ends in `etc/postfix`, or null. */
function systemRootOf(directory: string): string | null {
  const absolute = resolve(directory);
  const etc = dirname(absolute);
  return /^postfix(-.*)?$/.test(basename(absolute)) && basename(etc) === 'etc'
    ? join(directory, '..', '..')
    : null;
}

/**
 * Opens the files that a configuration names as if the linted folder were the /etc/postfix of a running
 * system: what lies below /etc/postfix is looked for in the folder, all else below the folder that plays
 * `/`, where there is one. A path that leads out of what was given is not opened, and neither is the
 * machine's own file in its place, unless the machine's own folder is what is linted.
 */
function opener(directory: string, live: boolean): (path: string) => SourceFile | null {
  const root = systemRootOf(directory);
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
    const source = readSourceOrNull(place);
    cache.set(place, source);
    return source;
  };
}
