import fs from 'node:fs';
import path from 'node:path';
import { decode } from '../../src/hosts/files.ts';
import { findHosts } from '../../src/hosts/find.ts';
import type { HostInput } from '../../src/hosts/host.ts';
import { readHost } from '../../src/hosts/read.ts';
import { decideReleases } from '../../src/hosts/releases.ts';
import type { HostOptions } from './host.ts';

/** Real configurations beside the checkout, where tests start; they are read where they lie, and need not be there. */
const FOLDER = path.resolve('..', 'shared', 'corpus');

/** One real configuration. */
export interface CorpusCase {
  readonly id: string;
  readonly folder: string;
}

/** The Postfix cases of a class, `plain` or `templated`, in the order of the index; none where there is no corpus. */
export function postfixCases(kind: 'plain' | 'templated' = 'plain'): readonly CorpusCase[] {
  return indexed(kind, (server) => server === 'postfix').filter(({ folder }) =>
    ['main.cf', 'master.cf'].some((name) => fs.existsSync(path.join(folder, name))),
  );
}

function indexed(kind: string, isWanted: (server: string) => boolean): readonly CorpusCase[] {
  const index = path.join(FOLDER, 'index.tsv');
  if (!fs.existsSync(index)) return [];
  return fs
    .readFileSync(index, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([, , , , server = '', category]) => isWanted(server) && category === kind)
    .map(([id = '']) => ({ id, folder: path.join(FOLDER, id, 'files') }));
}

/** The Dovecot cases of a class that hold a configuration: a dovecot.conf, or files that one would include. */
export function dovecotCases(
  kind: 'plain' | 'templated' = 'plain',
  isWanted = (server: string): boolean => server !== 'postfix',
): readonly CorpusCase[] {
  return indexed(kind, isWanted).filter(({ folder }) =>
    fs.readdirSync(folder).some((name) => /^(dovecot|10-\w+)\.conf$/.test(name)),
  );
}

/** The host of a Dovecot case; paths begin with its folder. Files without a dovecot.conf are taken to be all there is. */
export async function dovecotInput(folder: string, options: HostOptions = {}): Promise<HostInput> {
  const { hosts } = await findHosts([folder]);
  const [host] = hosts;
  if (host === undefined) throw new Error(`no host in ${folder}`);
  const { parts: _, ...input } = await readHost(host.source, { flags: options, exec: false });
  return input;
}

/** The published recipes by name. */
export function publishedFolder(name: string): string | null {
  const folder = path.join(FOLDER, 'published', name);
  return fs.existsSync(folder) ? folder : null;
}

/** A host from a folder with main.cf, master.cf or both; paths are the bare names. */
export function hostInputFromFolder(folder: string, options: HostOptions = {}): HostInput {
  const read = (name: string) => {
    const file = path.join(folder, name);
    return fs.existsSync(file) && fs.statSync(file).isFile() ? decode(name, fs.readFileSync(file)) : null;
  };
  const main = read('main.cf');
  const master = read('master.cf');
  return {
    root: '.',
    postfix: { directory: '.', main, master },
    dovecot: null,
    releases: decideReleases({ main, master, flags: options }),
    open: (file) =>
      path.isAbsolute(file) && !file.startsWith('/etc/postfix/')
        ? null
        : read(file.replace(/^\/etc\/postfix\//, '')),
  };
}

/** The texts of all cases but those of Dovecot 1, by their paths in the folder of the case; none where there is no corpus. */
export function corpusFiles(): readonly ReadonlyMap<string, string>[] {
  const isWanted = (server: string): boolean => server !== 'dovecot-1.x';
  return [...indexed('plain', isWanted), ...indexed('templated', isWanted)].map(({ folder }) => {
    const files = new Map<string, string>();
    for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (entry.isFile()) files.set(path.relative(folder, file), fs.readFileSync(file, 'latin1'));
    }
    return files;
  });
}
