import { readBeginning } from './files.ts';
import { headPaths } from './folders.ts';
import type { HostSource } from './read.ts';

/** Bytes that are looked at: what differs further down hardly makes others of them. */
const MOST = 20_000;

/**
 * A text that hosts have in common whose servers hardly differ: of their first file the beginning, without comments
 * and without words that have dots in them, names and addresses. Null where there is nothing to read.
 */
export function likenessOf(source: HostSource): string | null {
  if (source.kind === 'file') return null;
  for (const path of headPaths(source)) {
    const text = readBeginning(path, MOST);
    if (text !== null) return text.replace(/^#.*|[\w-]+(?:\.[\w-]+)+/gm, '');
  }
  return null;
}
