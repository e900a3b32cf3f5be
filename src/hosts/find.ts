import { statSync } from 'node:fs';
import { basename, dirname, normalize, resolve } from 'node:path';
import { type Config, Configs, type HostConfig } from './config.ts';
import { errorCode, InputError, reasonOf } from './files.ts';
import {
  DANGLING,
  DOVECOT_FILE,
  fileOrTemplate,
  isPresent,
  isSame,
  madeName,
  type Place,
  POSTFIX_FILES,
  placeOfIncluded,
  placesIn,
  realpathOf,
  rootOf,
} from './places.ts';
import type { HostSource, InputKind } from './read.ts';

/** What the command line says besides the paths. */
export interface FindOptions {
  readonly as?: InputKind | undefined;
  /** The bytes of standard input, for the path `-`. */
  readonly standardInput?: () => Uint8Array;
  /** False: no `.pfharden.json` counts. */
  readonly configs?: boolean;
}

/** A host that was found but not yet read: of many, only one need be in memory. */
export interface FoundHost {
  readonly root: string;
  /** The folder of its Postfix, or of its Dovecot where it has no Postfix. */
  readonly directory: string;
  readonly config: HostConfig | null;
  /** For `readHost`. */
  readonly source: HostSource;
}

/** What stands at the paths of a command line. */
export interface FoundHosts {
  readonly hosts: readonly FoundHost[];
  /** The `.pfharden.json` for the first of the paths. */
  readonly config: Config | null;
  /** Folders and files that a `.pfharden.json` says are not to be judged. */
  readonly ignored: readonly Ignored[];
  /** Folders that could not be searched. */
  readonly problems: readonly InputError[];
}

/** What was left out, and the file that says so. */
export interface Ignored {
  readonly path: string;
  readonly by: string;
}

/**
 * Finds the hosts at paths: files, folders, repositories, or `-`. A Postfix folder and a Dovecot folder
 * that lie side by side, or are one, are one host, given once however often it is named; the order is
 * that of the paths, and of names below a path.
 *
 * @throws InputError for a path that is not there, is nothing that can be read, or holds no configuration
 */
export async function findHosts(paths: readonly string[], options: FindOptions = {}): Promise<FoundHosts> {
  const configs = options.configs === false ? NO_CONFIGS : new Configs();
  const ignored = new Map<string, Ignored>();
  const isIgnored = async (
    files: () => readonly string[],
    folder: string,
    shown: string,
  ): Promise<boolean> => {
    const config = await configs.of(folder);
    if (config === null || !files().every((path) => config.ignores(path))) return false;
    ignored.set(resolve(shown), { path: shown, by: config.path });
    return true;
  };
  const groups = new Map<string, Place[]>();
  const alone = new Map<string, FoundHost>();
  const problems: InputError[] = [];
  for (const path of paths.length === 0 ? ['.'] : paths) {
    if (path === '-') {
      alone.set('-', await standardInputHost(configs, options));
      groups.set('-', []);
      continue;
    }
    const places =
      typeOf(path) === 'file' ? placesOfFile(path, options) : await placesIn(normalize(path), problems);
    if (places === null) {
      if (await isIgnored(() => [path], dirname(path), normalize(path))) continue;
      const key = `file ${resolve(path)}`;
      alone.set(key, await singleHost(path, options.as ?? DOVECOT_FILE, configs));
      groups.set(key, []);
      continue;
    }
    if (places.length === 0 && problems.length === 0)
      throw new InputError(`no configuration of Postfix or Dovecot in ${path}`);
    for (const found of places) {
      const place = { ...found, directory: withoutSlash(found.directory) };
      if (await isIgnored(() => headFiles(place), place.directory, place.directory)) continue;
      const key = hostKey(place);
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      if (
        !group.some(({ server, directory }) => server === place.server && isSame(directory, place.directory))
      )
        group.push(place);
    }
  }
  const hosts: FoundHost[] = [];
  for (const [key, places] of groups) hosts.push(alone.get(key) ?? (await folderHost(places, configs)));
  const [first = '.'] = paths;
  const config = await configs.of(first === '-' ? '.' : typeOf(first) === 'file' ? dirname(first) : first);
  return { hosts, config, ignored: [...ignored.values()], problems };
}

type FoundConfigs = Pick<Configs, 'of'>;

const NO_CONFIGS: FoundConfigs = { of: () => Promise.resolve(null) };

/** The files by which a place is known; its folder where it has none of its own. */
function headFiles({ server, directory, fragments }: Place): string[] {
  const names = server === 'postfix' ? POSTFIX_FILES : fragments === null ? [DOVECOT_FILE] : [];
  const present = names.flatMap((name) => fileOrTemplate(directory, name) ?? []);
  return present.length > 0 ? present : [fragments ?? directory];
}

function withoutSlash(folder: string): string {
  return folder.length > 1 ? folder.replace(/\/+$/, '') : folder;
}

/** The same for what belongs to one host. Further instances of Postfix are hosts of their own. */
function hostKey(place: Place): string {
  const own = realpathOf(place.directory);
  return basename(own) === place.server ? `root ${realpathOf(rootOf(place))}` : own;
}

/** What a file stands for by its name: the configuration that it is part of; null where `--as` says what it is. */
function placesOfFile(path: string, { as }: FindOptions): Place[] | null {
  const name = madeName(basename(path));
  const kind = as ?? name;
  if (kind === name) {
    const directory = normalize(dirname(path));
    if ((POSTFIX_FILES as readonly string[]).includes(name))
      return [{ server: 'postfix', directory, fragments: null }];
    if (name === DOVECOT_FILE) return [{ server: 'dovecot', directory, fragments: null }];
  }
  if (as !== undefined) return null;
  const place = placeOfIncluded(path);
  if (place !== null) return [place];
  throw new InputError(`${path}: is it a main.cf, a master.cf or a dovecot.conf? Say so with --as`);
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

async function folderHost(places: readonly Place[], configs: FoundConfigs): Promise<FoundHost> {
  const postfix = places.find(({ server }) => server === 'postfix') ?? null;
  const dovecot = places.find(({ server }) => server === 'dovecot') ?? null;
  const first = postfix ?? dovecot;
  if (first === null) throw new Error('a host without a place');
  const config = (await configs.of(first.directory))?.forHost(places.flatMap(headFiles)) ?? null;
  const root = rootOf(first);
  return {
    root,
    directory: first.directory,
    config,
    source: { kind: 'folders', root, postfix, dovecot, releases: config?.releases ?? {} },
  };
}

/** One file by itself, told by `--as`. */
async function singleHost(path: string, as: InputKind, configs: FoundConfigs): Promise<FoundHost> {
  const directory = normalize(dirname(path));
  const config = (await configs.of(directory))?.forHost([path]) ?? null;
  const file = normalize(path);
  return {
    root: directory,
    directory,
    config,
    source: { kind: 'file', root: directory, path: file, as, bytes: null, releases: config?.releases ?? {} },
  };
}

async function standardInputHost(
  configs: FoundConfigs,
  { as, standardInput }: FindOptions,
): Promise<FoundHost> {
  if (as === undefined)
    throw new InputError('standard input needs --as main.cf, --as master.cf or --as dovecot.conf');
  if (standardInput === undefined) throw new InputError('there is no standard input to read');
  const config = (await configs.of('.'))?.forHost(['.']) ?? null;
  return {
    root: '.',
    directory: '.',
    config,
    source: {
      kind: 'file',
      root: '.',
      path: as,
      as,
      bytes: standardInput(),
      releases: config?.releases ?? {},
    },
  };
}
