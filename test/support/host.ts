import { buildHost, type Host, type HostInput } from '../../src/hosts/host.ts';
import { decideReleases } from '../../src/hosts/releases.ts';
import { SourceFile } from '../../src/text/source.ts';

/** Releases given as by flag; what is left out is decided from the files, else assumed. */
export interface HostOptions {
  readonly postfix?: string | undefined;
  readonly openssl?: string | undefined;
}

/** A host from texts: `main.cf`, `master.cf`, and any other file by its path below the folder or absolute. */
export function hostFromTexts(texts: Readonly<Record<string, string>>, options: HostOptions = {}): Host {
  return buildHost(hostInputFromTexts(texts, options));
}

/** The same, before it is read. */
export function hostInputFromTexts(
  texts: Readonly<Record<string, string>>,
  options: HostOptions = {},
): HostInput {
  const source = (path: string): SourceFile | null => {
    const text = texts[path];
    return text === undefined ? null : new SourceFile(path, text);
  };
  const main = source('main.cf');
  const master = source('master.cf');
  return {
    root: '.',
    postfix: { directory: '.', main, master },
    releases: decideReleases({ main, master, flags: options }),
    open: (path) => source(path) ?? source(path.replace(/^\/etc\/postfix\//, '')),
  };
}
