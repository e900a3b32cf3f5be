import path from 'node:path';
import { compare, comparePlaces, placeKey, placesAmong } from '../hosts/folder-places.ts';
import { type FolderSource, folderInput, folderTexts } from '../hosts/folders.ts';
import type { HostInput } from '../hosts/host.ts';
import type { LeftOut } from '../hosts/left-out.ts';
import { pairPlaces, rootOfPlaces } from '../hosts/pairing.ts';
import type { Place } from '../hosts/places.ts';
import type { GivenReleases } from '../hosts/releases.ts';

/** Nothing of what is given is a running system: what the files do not hold is not known. */
const NOT_LIVE = { postfix: false, dovecot: false };

/** The hosts among texts, and what was passed over. */
export interface FoundHosts {
  readonly hosts: readonly HostInput[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Finds the hosts among the texts of `withTexts`, as a search finds them in the folders of a repository.
 *
 * @param paths of the texts, as short as can be
 */
export function hostsAmong(paths: readonly string[], flags: GivenReleases): FoundHosts {
  const folders = new Map<string, string[]>();
  for (const name of [...paths].sort(compare)) {
    const folder = path.dirname(name);
    folders.set(folder, [...(folders.get(folder) ?? []), path.basename(name)]);
  }
  const leftOut: LeftOut[] = [];
  const places = new Map<string, Place>();
  for (const folder of folders.keys()) {
    const start = folder.startsWith('/') ? '/' : '.';
    for (const place of placesAmong(start, folder, folders, { leftOut, problems: [] }))
      places.set(placeKey(place), place);
  }
  const sorted = [...places.values()].sort(comparePlaces);
  const paired = pairPlaces(sorted);
  const sources = sorted.flatMap((place) => paired.get(place) ?? []);
  return {
    hosts: sources.map((servers) => {
      const source: FolderSource = {
        kind: 'folders',
        root: rootOfPlaces(servers),
        ...servers,
        releases: {},
      };
      return folderInput(source, folderTexts(source, NOT_LIVE), { flags });
    }),
    leftOut: [...new Map(leftOut.map((one) => [one.path, one])).values()],
  };
}
