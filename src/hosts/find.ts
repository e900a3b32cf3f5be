import { statSync } from 'node:fs';
import { basename, dirname, join, normalize, resolve } from 'node:path';
import type { SourceFile } from '../text/source.ts';
import { type Config, Configs, type HostConfig } from './config.ts';
import { machineFileFacts } from './file-facts.ts';
import { decode, errorCode, InputError, readSource, reasonOf } from './files.ts';
import type { DovecotInput, HostInput, HostReleases } from './host.ts';
import { type AskedServers, askInstalled } from './installed.ts';
import { assumedMain, dovecotFiles, postfixOpener } from './named-files.ts';
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
import { decideReleases, type GivenReleases, type ReleaseSources } from './releases.ts';

/** What a file is that its name does not tell. */
export type InputKind = (typeof KINDS)[number];

/** What the command line says besides the paths. */
export interface FindOptions {
  readonly as?: InputKind | undefined;
  readonly flags?: GivenReleases;
  /** Installed programs may be asked for their releases. */
  readonly exec?: boolean;
  /** The bytes of standard input, for the path `-`. */
  readonly standardInput?: () => Buffer;
  /** False: no `.pfharden.json` counts. */
  readonly configs?: boolean;
  /** The time for which hosts are judged; that of the machine where it is left out. */
  readonly now?: () => number;
  /** The folders of this machine's own servers, and how its programs are asked. */
  readonly system?: {
    readonly postfix: string;
    readonly dovecot: string;
    readonly ask: (servers: AskedServers) => Promise<GivenReleases>;
  };
}

/** A host that was found but not yet read: of many, only one need be in memory. */
export interface FoundHost {
  readonly root: string;
  /** The folder of its Postfix, or of its Dovecot where it has no Postfix. */
  readonly directory: string;
  readonly config: HostConfig | null;
  /** Files of the folders in which fixes may change something, as they will be named. */
  readonly paths: readonly string[];
  /** @throws InputError when a file of the host cannot be read */
  read(): Promise<HostInput>;
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

const KINDS = [...POSTFIX_FILES, DOVECOT_FILE] as const;
const SYSTEM = { postfix: '/etc/postfix', dovecot: '/etc/dovecot', ask: askInstalled };

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
      alone.set(key, await singleHost(path, options.as ?? DOVECOT_FILE, configs, options));
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
  for (const [key, places] of groups)
    hosts.push(alone.get(key) ?? (await folderHost(places, configs, options)));
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

async function folderHost(
  places: readonly Place[],
  configs: FoundConfigs,
  options: FindOptions,
): Promise<FoundHost> {
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
    paths: [
      ...(postfix === null ? [] : POSTFIX_FILES.map((name) => pathOf(postfix.directory, name))),
      ...(dovecot === null ? [] : dovecotPaths(dovecot)),
    ],
    async read() {
      const main = postfix === null ? null : readIfPresent(pathOf(postfix.directory, 'main.cf'));
      const master = postfix === null ? null : readIfPresent(pathOf(postfix.directory, 'master.cf'));
      const system = options.system ?? SYSTEM;
      const live = {
        postfix: postfix !== null && isSame(postfix.directory, system.postfix),
        dovecot: dovecot !== null && isSame(dovecot.directory, system.dovecot),
      };
      const ofDovecot = dovecot === null ? null : readDovecot(dovecot, live.dovecot);
      const isOpen = (server: keyof AskedServers): boolean =>
        live[server] && options.flags?.[server] === undefined && config?.releases[server] === undefined;
      const asked = { postfix: isOpen('postfix'), dovecot: isOpen('dovecot') };
      const installed =
        options.exec !== false && (asked.postfix || asked.dovecot) ? await system.ask(asked) : {};
      return {
        root,
        postfix: postfix === null ? null : { directory: postfix.directory, main, master },
        dovecot: ofDovecot?.input ?? null,
        releases: releasesOf(
          { main, master, flags: options.flags ?? {}, config: config?.releases ?? {}, installed },
          ofDovecot,
        ),
        open: postfix === null ? () => null : postfixOpener(postfix.directory, live.postfix),
        ...(live.postfix || live.dovecot ? { facts: machineFileFacts } : {}),
        now: nowOf(options),
      };
    },
  };
}

/** The path of a file, or of the template that makes it. */
function pathOf(directory: string, name: string): string {
  return fileOrTemplate(directory, name) ?? join(directory, name);
}

/** Where an interrupted fix may have left its record: beside dovecot.conf or beside what it includes. */
function dovecotPaths({ directory, fragments }: Place): string[] {
  return [pathOf(directory, DOVECOT_FILE), join(fragments ?? join(directory, 'conf.d'), DOVECOT_FILE)];
}

/** Dovecot's files, and what was met of them that cannot be read. */
interface ReadDovecot {
  readonly input: DovecotInput;
  readonly problems: readonly InputError[];
}

/** @throws InputError when dovecot.conf is not there or cannot be read */
function readDovecot({ directory, fragments }: Place, live: boolean): ReadDovecot {
  const path = pathOf(directory, DOVECOT_FILE);
  const main = fragments === null ? readIfPresent(path) : assumedMain(directory, fragments);
  if (main === null) throw new InputError(`${path}: no such file or directory`);
  return aroundMain(directory, main, fragments !== null, live);
}

function aroundMain(directory: string, main: SourceFile, mainAssumed: boolean, live: boolean): ReadDovecot {
  const { files, problems } = dovecotFiles(directory, live);
  return { input: { directory, main, mainAssumed, ...files }, problems };
}

/** The releases, for which all files are read. @throws InputError when one of them is there and cannot be read */
function releasesOf(sources: ReleaseSources, dovecot: ReadDovecot | null): HostReleases {
  const releases = decideReleases({ ...sources, dovecot: dovecot?.input ?? null });
  const problem = dovecot?.problems[0];
  if (problem !== undefined) throw problem;
  return releases;
}

/** One file by itself, told by `--as`. */
async function singleHost(
  path: string,
  kind: InputKind,
  configs: FoundConfigs,
  options: FindOptions,
): Promise<FoundHost> {
  const directory = normalize(dirname(path));
  const config = (await configs.of(directory))?.forHost([path]) ?? null;
  return {
    root: directory,
    directory,
    config,
    paths: [normalize(path)],
    read: async () => oneFile(readSource(normalize(path)), kind, directory, config, options),
  };
}

async function standardInputHost(configs: FoundConfigs, options: FindOptions): Promise<FoundHost> {
  const { as: kind, standardInput } = options;
  if (kind === undefined)
    throw new InputError('standard input needs --as main.cf, --as master.cf or --as dovecot.conf');
  if (standardInput === undefined) throw new InputError('there is no standard input to read');
  const config = (await configs.of('.'))?.forHost(['.']) ?? null;
  return {
    root: '.',
    directory: '.',
    config,
    paths: [],
    read: async () => oneFile(decode(kind, standardInput()), kind, '.', config, options),
  };
}

function oneFile(
  source: SourceFile,
  kind: InputKind,
  directory: string,
  config: HostConfig | null,
  options: FindOptions,
): HostInput {
  const main = kind === 'main.cf' ? source : null;
  const master = kind === 'master.cf' ? source : null;
  const dovecot = kind === DOVECOT_FILE ? aroundMain(directory, source, false, false) : null;
  return {
    root: directory,
    postfix: dovecot === null ? { directory, main, master } : null,
    dovecot: dovecot?.input ?? null,
    releases: releasesOf(
      { main, master, flags: options.flags ?? {}, config: config?.releases ?? {} },
      dovecot,
    ),
    open: dovecot === null ? postfixOpener(directory, false) : () => null,
    now: nowOf(options),
  };
}

function nowOf({ now = Date.now }: FindOptions): number {
  return now();
}
