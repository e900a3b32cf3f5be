import type { MainCf, MasterCf } from './tree.ts';

/** The text of a tree: the slices of its physical lines, one after the other; always the text that was parsed. */
export function print(tree: MainCf | MasterCf): string {
  return tree.lines.map(({ span }) => tree.source.slice(span)).join('');
}
