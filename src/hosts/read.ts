import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from '../text/source.ts';
import { machineFileFacts } from './file-facts.ts';
import { DOVECOT_FILE, POSTFIX_FILES } from './file-names.ts';
import { decode, InputError, readSource } from './files.ts';
import type { DovecotInput, HostInput, HostReleases } from './host.ts';
import { type AskedServers, askInstalled } from './installed.ts';
import { assumedMain, dovecotFiles, postfixOpener } from './named-files.ts';
import type { HostPlaces } from './pairing.ts';
import { DANGLING, type DovecotPlace, isPresent, isSame } from './places.ts';
import { decideReleases, type GivenReleases, type ReleaseSources } from './releases.ts';

/** What a file is that its name does not tell. */
export type InputKind = (typeof KINDS)[number];

const KINDS = [...POSTFIX_FILES, DOVECOT_FILE] as const;

/** Where the files of a host are: plain data, so that a thread can be told which host to read. */
export type HostSource = FolderSource | FileSource;

/** The folders of the servers; at least one is there. */
interface FolderSource extends HostPlaces {
  readonly kind: 'folders';
  readonly root: string;
  /** The releases that a `.pfharden.json` gives. */
  readonly releases: GivenReleases;
}

/** One file by itself, told by `--as`, or standard input. */
interface FileSource {
  readonly kind: 'file';
  readonly root: string;
  readonly path: string;
  readonly as: InputKind;
  /** What is there instead of the file. */
  readonly bytes: Uint8Array | null;
  readonly releases: GivenReleases;
}

/** What is the same for all hosts of a run, as plain data. */
export interface ReadOptions {
  /** Releases from the command line. */
  readonly flags?: GivenReleases;
  /** Installed programs may be asked for their releases. */
  readonly exec?: boolean;
  /** The time for which hosts are judged; that of the machine where it is left out. */
  readonly now?: number;
}

/** The folders of this machine's own servers, and how its programs are asked. */
export interface LocalSystem {
  readonly postfix: string;
  readonly dovecot: string;
  readonly ask: (servers: AskedServers) => Promise<GivenReleases>;
}

const SYSTEM: LocalSystem = { postfix: '/etc/postfix', dovecot: '/etc/dovecot', ask: askInstalled };

/**
 * Reads the files of a host.
 *
 * @throws InputError when one of them cannot be read
 */
export async function readHost(
  source: HostSource,
  options: ReadOptions,
  system: LocalSystem = SYSTEM,
): Promise<HostInput> {
  return source.kind === 'file' ? readFile(source, options) : readFolders(source, options, system);
}

/** Files of the folders in which fixes may change something: an interrupted fix may have left its record beside them. */
export function fixedPaths(source: HostSource): readonly string[] {
  if (source.kind === 'file') return source.bytes === null ? [source.path] : [];
  const { postfix, dovecot } = source;
  return [
    ...(postfix === null
      ? []
      : [
          postfix.main ?? join(postfix.directory, 'main.cf'),
          postfix.master ?? join(postfix.directory, 'master.cf'),
        ]),
    ...(dovecot === null ? [] : dovecotPaths(dovecot)),
  ];
}

/** Of Dovecot, what stands beside dovecot.conf and beside what it includes. */
function dovecotPaths({ directory, main, fragments }: DovecotPlace): string[] {
  return [main ?? join(directory, DOVECOT_FILE), join(fragments ?? join(directory, 'conf.d'), DOVECOT_FILE)];
}

async function readFolders(
  { root, postfix, dovecot, releases }: FolderSource,
  { flags = {}, exec = true, now = Date.now() }: ReadOptions,
  system: LocalSystem,
): Promise<HostInput> {
  const main = readIfPresent(postfix?.main ?? null);
  const master = readIfPresent(postfix?.master ?? null);
  const live = {
    postfix: postfix !== null && isSame(postfix.directory, system.postfix),
    dovecot: dovecot !== null && isSame(dovecot.directory, system.dovecot),
  };
  const looked = new Set(fixedPaths({ kind: 'folders', root, postfix, dovecot, releases }));
  const ofDovecot = dovecot === null ? null : readDovecot(dovecot, live.dovecot, looked);
  const isOpen = (server: keyof AskedServers): boolean =>
    live[server] && flags[server] === undefined && releases[server] === undefined;
  const asked = { postfix: isOpen('postfix'), dovecot: isOpen('dovecot') };
  const installed = exec && (asked.postfix || asked.dovecot) ? await system.ask(asked) : {};
  return {
    root,
    postfix: postfix === null ? null : { directory: postfix.directory, main, master },
    dovecot: ofDovecot?.input ?? null,
    releases: releasesOf({ main, master, flags, config: releases, installed }, ofDovecot),
    open:
      postfix === null ? () => null : postfixOpener(postfix.directory, live.postfix, postfix.beside, looked),
    looked,
    ...(live.postfix || live.dovecot ? { facts: machineFileFacts } : {}),
    now,
  };
}

/** Reads a file that need not be there; one that is there and cannot be read is an error. */
function readIfPresent(path: string | null): SourceFile | null {
  if (path === null || !isPresent(path)) return null;
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

/** Dovecot's files, and what was met of them that cannot be read. */
interface ReadDovecot {
  readonly input: DovecotInput;
  readonly problems: readonly InputError[];
}

/** @throws InputError when dovecot.conf is not there or cannot be read */
function readDovecot(place: DovecotPlace, live: boolean, looked: Set<string>): ReadDovecot {
  const { directory, main: path, fragments } = place;
  const main = fragments === null ? readIfPresent(path) : assumedMain(directory, fragments);
  if (main === null)
    throw new InputError(`${path ?? join(directory, DOVECOT_FILE)}: no such file or directory`);
  return aroundMain(place, main, live, looked);
}

function aroundMain(
  { directory, fragments, beside }: Pick<DovecotPlace, 'directory' | 'fragments' | 'beside'>,
  main: SourceFile,
  live: boolean,
  looked: Set<string>,
): ReadDovecot {
  const { files, problems } = dovecotFiles(directory, live, beside, looked);
  return { input: { directory, main, mainAssumed: fragments !== null, ...files }, problems };
}

/** The releases, for which all files are read. @throws InputError when one of them is there and cannot be read */
function releasesOf(sources: ReleaseSources, dovecot: ReadDovecot | null): HostReleases {
  const releases = decideReleases({ ...sources, dovecot: dovecot?.input ?? null });
  const problem = dovecot?.problems[0];
  if (problem !== undefined) throw problem;
  return releases;
}

function readFile(
  { root, path, as, bytes, releases }: FileSource,
  { flags = {}, now = Date.now() }: ReadOptions,
): HostInput {
  const source = bytes === null ? readSource(path) : decode(path, Buffer.from(bytes));
  const looked = new Set([path]);
  const main = as === 'main.cf' ? source : null;
  const master = as === 'master.cf' ? source : null;
  const dovecot =
    as === DOVECOT_FILE
      ? aroundMain({ directory: root, fragments: null, beside: null }, source, false, looked)
      : null;
  return {
    root,
    postfix: dovecot === null ? { directory: root, main, master } : null,
    dovecot: dovecot?.input ?? null,
    releases: releasesOf({ main, master, flags, config: releases }, dovecot),
    open: dovecot === null ? postfixOpener(root, false, null, looked) : () => null,
    looked,
    now,
  };
}
