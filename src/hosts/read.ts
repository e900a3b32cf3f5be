import { machineFileFacts } from './file-facts.ts';
import { DOVECOT_FILE, POSTFIX_FILES } from './file-names.ts';
import { decode, readSource } from './files.ts';
import {
  aroundMain,
  type FolderSource,
  folderInput,
  folderTexts,
  headPaths,
  reachOf,
  releasesOf,
} from './folders.ts';
import type { HostInput } from './host.ts';
import { type AskedServers, askInstalled } from './installed.ts';
import { postfixOpener } from './named-files.ts';
import { realpathOrNull } from './places.ts';
import type { GivenReleases } from './releases.ts';

/** What a file is that its name does not tell. */
export type InputKind = (typeof KINDS)[number];

const KINDS = [...POSTFIX_FILES, DOVECOT_FILE] as const;

/** Where the files of a host are: plain data, so that a thread can be told which host to read. */
export type HostSource = FolderSource | FileSource;

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

/**
 * The folders below which everything lies that is read of a host and that its rules look into, but for where
 * links lead; null where it may lie anywhere.
 */
export function sourceReach(source: HostSource, system: LocalSystem = SYSTEM): readonly string[] | null {
  if (source.kind === 'file') return null;
  const live = liveServers(source, system);
  return live.postfix || live.dovecot ? null : reachOf(source);
}

/** Which servers of a host are those of this machine. */
function liveServers(
  { postfix, dovecot }: FolderSource,
  system: LocalSystem,
): { readonly postfix: boolean; readonly dovecot: boolean } {
  const known = systemFolders.get(system);
  const own = known ?? { postfix: realpathOrNull(system.postfix), dovecot: realpathOrNull(system.dovecot) };
  if (known === undefined) systemFolders.set(system, own);
  const isOwn = (directory: string | undefined, folder: string | null): boolean =>
    directory !== undefined && folder !== null && realpathOrNull(directory) === folder;
  return {
    postfix: isOwn(postfix?.directory, own.postfix),
    dovecot: isOwn(dovecot?.directory, own.dovecot),
  };
}

/** Where the folders of a system are; looked up once, not for each host. */
const systemFolders = new WeakMap<
  LocalSystem,
  { readonly postfix: string | null; readonly dovecot: string | null }
>();

/** Files of the folders in which fixes may change something: an interrupted fix may have left its record beside them. */
export function fixedPaths(source: HostSource): readonly string[] {
  if (source.kind === 'folders') return headPaths(source);
  return source.bytes === null ? [source.path] : [];
}

async function readFolders(
  source: FolderSource,
  { flags = {}, exec = true, now = Date.now() }: ReadOptions,
  system: LocalSystem,
): Promise<HostInput> {
  const { releases } = source;
  const live = liveServers(source, system);
  const texts = folderTexts(source, live);
  const isOpen = (server: keyof AskedServers): boolean =>
    live[server] && flags[server] === undefined && releases[server] === undefined;
  const asked = { postfix: isOpen('postfix'), dovecot: isOpen('dovecot') };
  const installed = exec && (asked.postfix || asked.dovecot) ? await system.ask(asked) : {};
  return {
    ...folderInput(source, texts, { flags, config: releases, installed }),
    ...(live.postfix || live.dovecot ? { facts: machineFileFacts } : {}),
    now,
  };
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
    ...(master === null ? {} : { parts: ['postfix'] as const }),
    open: dovecot === null ? postfixOpener(root, false, null, looked) : () => null,
    looked,
    now,
  };
}
