import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize, relative, resolve } from 'node:path';
import { matchesGlobs, type PathGlob } from '../text/path-glob.ts';
import { type Config, Configs, type HostConfig } from './config.ts';
import { DOVECOT_FILE, isBackupName, madeName, namedHead, POSTFIX_FILES } from './file-names.ts';
import { errorCode, InputError, reasonOf } from './files.ts';
import { LEFT_OUT_BECAUSE, type LeftOut, type SearchNotes } from './left-out.ts';
import { type HostPlaces, pairPlaces, rootOfPlaces } from './pairing.ts';
import {
  DANGLING,
  dovecotPlace,
  headFiles,
  isPresent,
  labelledPlace,
  type Place,
  placeOfIncluded,
  placesAround,
  placesAt,
  postfixPlace,
  realpathOf,
} from './places.ts';
import type { HostSource, InputKind } from './read.ts';

/** What the command line says besides the paths. */
export interface FindOptions {
  readonly as?: InputKind | undefined;
  /** Of what a search finds, only what one of these matches; patterns stand for paths from the current folder. */
  readonly include?: readonly PathGlob[];
  /** Of what a search finds, nothing that one of these matches. */
  readonly exclude?: readonly PathGlob[];
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
  /** Files that a search leaves out for what they are. */
  readonly leftOut: readonly LeftOut[];
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
  const isIgnored = async (files: readonly string[], folder: string, shown: string): Promise<boolean> => {
    const config = await configs.of(folder);
    if (config === null || !files.every((path) => config.ignores(path))) return false;
    ignored.set(resolve(shown), { path: shown, by: config.path });
    return true;
  };
  const notes = { leftOut: [] as LeftOut[], problems: [] as InputError[] };
  // In the order of the paths: places that are still to be put together, and hosts that are whole.
  const found: (Place | FoundHost)[] = [];
  const seen = new Set<string>();
  for (const path of paths.length === 0 ? ['.'] : paths) {
    if (path === '-') {
      if (!seen.has('-')) found.push(await standardInputHost(configs, options));
      seen.add('-');
      continue;
    }
    const places =
      typeOf(path) === 'file'
        ? placesOfFile(path, options)
        : await placesIn(normalize(path), notes, (place) => isAskedFor(place, options));
    if (places === null) {
      if (await isIgnored([path], dirname(path), normalize(path))) continue;
      const key = `file ${resolve(path)}`;
      if (!seen.has(key)) found.push(await singleHost(path, options.as ?? DOVECOT_FILE, configs));
      seen.add(key);
      continue;
    }
    if (places.length === 0 && notes.problems.length === 0) throw nothingIn(path, notes, options);
    for (const each of places) {
      const place = { ...each, directory: withoutSlash(each.directory) };
      if (await isIgnored(headFiles(place), place.directory, place.directory)) continue;
      const [head = place.directory] = headFiles(place);
      const key = [place.server, basename(head), realpathOf(dirname(head))].join('\0');
      if (!seen.has(key)) found.push(place);
      seen.add(key);
    }
  }
  const [first = '.'] = paths;
  return {
    hosts: await hostsOf(found, configs),
    config: await configs.of(first === '-' ? '.' : typeOf(first) === 'file' ? dirname(first) : first),
    ignored: [...ignored.values()],
    leftOut: [...new Map(notes.leftOut.map((one) => [resolve(one.path), one])).values()],
    problems: notes.problems,
  };
}

type FoundConfigs = Pick<Configs, 'of'>;

const NO_CONFIGS: FoundConfigs = { of: () => Promise.resolve(null) };

/** Puts places together; a host stands where its first place does. */
async function hostsOf(found: readonly (Place | FoundHost)[], configs: FoundConfigs): Promise<FoundHost[]> {
  const paired = pairPlaces(found.filter((one) => 'server' in one));
  const hosts: FoundHost[] = [];
  for (const one of found) {
    if ('source' in one) hosts.push(one);
    else for (const places of paired.get(one) ?? []) hosts.push(await placesHost(places, configs));
  }
  return hosts;
}

function withoutSlash(folder: string): string {
  return folder.length > 1 ? folder.replace(/\/+$/, '') : folder;
}

/** Whether `--include` and `--exclude` let a place count that a search has found. */
function isAskedFor(place: Place, { include = [], exclude = [] }: FindOptions): boolean {
  if (include.length === 0 && exclude.length === 0) return true;
  const files = headFiles(place).map((path) => resolve(path));
  const isIn = (globs: readonly PathGlob[]) => (path: string) =>
    matchesGlobs(globs, relative('', path), path);
  if (include.length > 0 && !files.some(isIn(include))) return false;
  return !files.every(isIn(exclude));
}

/** Why a folder that was named comes to nothing. */
function nothingIn(
  path: string,
  { leftOut }: SearchNotes,
  { include = [], exclude = [] }: FindOptions,
): InputError {
  const asked = include.length + exclude.length > 0 ? ' that --include and --exclude let count' : '';
  const [first] = leftOut;
  const kept = first === undefined ? '' : `; ${first.path} is left out: ${LEFT_OUT_BECAUSE[first.why]}`;
  return new InputError(`no configuration of Postfix or Dovecot in ${path}${asked}${kept}`);
}

/** What a file stands for by its name: the configuration that it is part of; null where `--as` says what it is. */
function placesOfFile(path: string, { as }: FindOptions): Place[] | null {
  const name = madeName(basename(path));
  const kind = as ?? name;
  if (kind === name) {
    const directory = normalize(dirname(path));
    if ((POSTFIX_FILES as readonly string[]).includes(name)) return [postfixPlace(directory)];
    if (name === DOVECOT_FILE) return [dovecotPlace(directory)];
  }
  if (as !== undefined) return null;
  const head = namedHead(basename(path));
  if (head !== null && !isBackupName(basename(path))) return [labelledPlace(normalize(path), head)];
  const place = placeOfIncluded(path);
  if (place !== null) return [place];
  throw new InputError(`${path}: is it a main.cf, a master.cf or a dovecot.conf? Say so with --as`);
}

/**
 * The places that a folder stands for: its own, those of an `etc`, or all that a search finds. The root of a
 * repository is searched whatever it holds itself.
 */
async function placesIn(
  folder: string,
  notes: SearchNotes,
  isWanted: (place: Place) => boolean,
): Promise<Place[]> {
  const absolute = resolve(folder);
  const searched = async (start: string): Promise<Place[]> => {
    const { search } = await import('./search.ts');
    return (await search(start, notes)).filter(isWanted);
  };
  if (!isPresent(join(folder, '.git'))) {
    const own = placesAt(folder);
    if (own.length > 0) return own;
    const above = absolute === '/' ? [] : placesAround(folder);
    if (above.length > 0) return above;
  }
  // Nobody who names `/` means what its other folders may hold.
  const start = absolute === '/' ? '/etc' : folder;
  if (basename(resolve(start)) !== 'etc') return searched(start);
  let names: string[];
  try {
    // postmulti(1) keeps further instances in /etc/postfix-NAME.
    names = readdirSync(start).filter(
      (name) => name === 'dovecot' || name === 'postfix' || name.startsWith('postfix-'),
    );
  } catch (error) {
    throw new InputError(`${start}: ${reasonOf(error)}`);
  }
  const places = names.sort().flatMap((name) => placesAt(join(start, name)));
  return places.length > 0 || resolve(start) === '/etc' ? places : searched(start);
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

/** The host of a Postfix place, a Dovecot place, or both. */
async function placesHost({ postfix, dovecot }: HostPlaces, configs: FoundConfigs): Promise<FoundHost> {
  const first = postfix ?? dovecot;
  if (first === null) throw new Error('a host without a place');
  const heads = [postfix, dovecot].flatMap((place) => (place === null ? [] : headFiles(place)));
  const config = (await configs.of(first.directory))?.forHost(heads) ?? null;
  const root = rootOfPlaces({ postfix, dovecot });
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
