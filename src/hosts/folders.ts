import { dirname, join } from 'node:path';
import type { SourceFile } from '../text/source.ts';
import { readSource, statSync } from './disk.ts';
import { DOVECOT_FILE } from './file-names.ts';
import type { DovecotInput, HostInput, HostReleases } from './host.ts';
import { InputError } from './input-error.ts';
import { assumedMain, dovecotFiles, dovecotReach, postfixOpener, postfixReach } from './named-files.ts';
import type { HostPlaces } from './pairing.ts';
import { DANGLING, type DovecotPlace, isPartPlace, isPresent } from './places.ts';
import { decideReleases, type GivenReleases, type ReleaseSources } from './releases.ts';

/** The folders of the servers of a host; at least one is there. */
export interface FolderSource extends HostPlaces {
  readonly kind: 'folders';
  readonly root: string;
  /** The releases that a `.pfharden.json` gives. */
  readonly releases: GivenReleases;
}

/** What was read of the folders of a host. */
export interface FolderTexts {
  readonly main: SourceFile | null;
  readonly master: SourceFile | null;
  readonly dovecot: ReadDovecot | null;
  readonly open: HostInput['open'];
  /** Paths of files that were looked for. */
  readonly looked: Set<string>;
}

/**
 * Reads the folders of a host.
 *
 * @param live which of them are those of a running system: then files anywhere on it count
 * @throws InputError when a file is there and cannot be read
 */
export function folderTexts(
  source: FolderSource,
  live: { readonly postfix: boolean; readonly dovecot: boolean },
): FolderTexts {
  const { postfix, dovecot } = source;
  const looked = new Set(headPaths(source));
  return {
    main: readIfPresent(postfix?.main ?? null),
    master: readIfPresent(postfix?.master ?? null),
    dovecot: dovecot === null ? null : readDovecot(dovecot, live.dovecot, looked),
    open:
      postfix === null ? () => null : postfixOpener(postfix.directory, live.postfix, postfix.beside, looked),
    looked,
  };
}

/**
 * What is needed to know the host, without what its system tells.
 *
 * @throws InputError when a file is there and cannot be read
 */
export function folderInput(
  source: FolderSource,
  { main, master, dovecot, open, looked }: FolderTexts,
  known: Pick<ReleaseSources, 'flags' | 'config' | 'installed'>,
): HostInput {
  const { root, postfix } = source;
  const parts = [postfix, source.dovecot].flatMap((place) =>
    place !== null && isPartPlace(place) ? [place.server] : [],
  );
  return {
    root,
    postfix: postfix === null ? null : { directory: postfix.directory, main, master },
    dovecot: dovecot?.input ?? null,
    releases: releasesOf({ main, master, ...known }, dovecot),
    ...(parts.length === 0 ? {} : { parts }),
    open,
    looked,
  };
}

/** The folders below which everything lies that a host of a system which is not running reads, but for where links lead. */
export function reachOf(places: HostPlaces): readonly string[] {
  const { postfix, dovecot } = places;
  return [
    ...headPaths(places).map((path) => dirname(path)),
    ...(postfix === null ? [] : postfixReach(postfix.directory, postfix.beside)),
    ...(dovecot === null ? [] : dovecotReach(dovecot.directory, dovecot.beside)),
  ];
}

/** Files of the folders in which fixes may change something. */
export function headPaths({ postfix, dovecot }: HostPlaces): readonly string[] {
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

/** A dovecot.conf and the files around it. */
export function aroundMain(
  { directory, fragments, beside }: Pick<DovecotPlace, 'directory' | 'fragments' | 'beside'>,
  main: SourceFile,
  live: boolean,
  looked: Set<string>,
): ReadDovecot {
  const { files, problems } = dovecotFiles(directory, live, beside, looked);
  return { input: { directory, main, mainAssumed: fragments !== null, ...files }, problems };
}

/** The releases, for which all files are read. @throws InputError when one of them is there and cannot be read */
export function releasesOf(sources: ReleaseSources, dovecot: ReadDovecot | null): HostReleases {
  const releases = decideReleases({ ...sources, dovecot: dovecot?.input ?? null });
  const problem = dovecot?.problems[0];
  if (problem !== undefined) throw problem;
  return releases;
}
