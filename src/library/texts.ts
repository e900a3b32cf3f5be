// Stands in for src/hosts/disk.ts in the library: the same questions, asked of texts. The rules by which hosts are
// found and read are those of the command line, the very same code.
import path from 'node:path';
import { InputError } from '../hosts/input-error.ts';
import { SourceFile } from '../text/source.ts';

/** What texts are as a file system: by their whole paths, and the names in each folder. */
class Tree {
  readonly texts = new Map<string, string>();
  readonly folders = new Map<string, Set<string>>();

  constructor(texts: ReadonlyMap<string, string>) {
    for (const [name, text] of texts) {
      let at = path.resolve(name);
      this.texts.set(at, text);
      for (let above = path.dirname(at); at !== above; above = path.dirname(at)) {
        const names = this.folders.get(above) ?? new Set();
        this.folders.set(above, names.add(path.basename(at)));
        at = above;
      }
    }
  }
}

let tree = new Tree(new Map());

/** Does something with these texts as all the files there are. Whatever asks for files has to do so before it returns. */
export function withTexts<T>(texts: ReadonlyMap<string, string>, work: () => T): T {
  const before = tree;
  tree = new Tree(texts);
  try {
    return work();
  } finally {
    tree = before;
  }
}

/** What node:fs throws where nothing is. */
class NotThere extends Error {
  readonly code = 'ENOENT';
}

/** Of what statSync of node:fs says, what is asked for. */
interface Stat {
  isDirectory(): boolean;
  isFile(): boolean;
}

/** As in node:fs. */
export function statSync(name: string): Stat {
  const at = path.resolve(name);
  const isFolder = tree.folders.has(at);
  if (!isFolder && !tree.texts.has(at)) throw new NotThere(name);
  return { isDirectory: () => isFolder, isFile: () => !isFolder };
}

/** As in node:fs; among texts there are no links. */
export function lstatSync(name: string): Stat {
  return statSync(name);
}

/** As in node:fs. */
export function realpathSync(name: string): string {
  statSync(name);
  return path.resolve(name);
}

/** As in node:fs. */
export function readdirSync(folder: string): string[] {
  const names = tree.folders.get(path.resolve(folder));
  if (names === undefined) throw new NotThere(folder);
  return [...names];
}

/** As in src/hosts/files.ts. */
export function readSource(name: string): SourceFile {
  const text = tree.texts.get(path.resolve(name));
  if (text === undefined) throw new InputError(`${name}: no such file or directory`);
  return new SourceFile(name, text);
}

/** As in src/hosts/files.ts. */
export function readSourceOrNull(name: string): SourceFile | null {
  return tree.texts.has(path.resolve(name)) ? readSource(name) : null;
}
