import type { FileFacts, Readers } from '../model/file-facts.ts';
import { SourceFile } from '../text/source.ts';
import { buildHost, type DovecotInput, type Host, type HostInput } from './host.ts';
import { decideReleases } from './releases.ts';

/** Releases given as by flag; what is left out is decided from the files, else assumed. */
export interface HostOptions {
  readonly postfix?: string | undefined;
  readonly dovecot?: string | undefined;
  readonly openssl?: string | undefined;
  /** A day, `2026-01-31`. */
  readonly now?: string | undefined;
  /** Files of a running system by path; those that are not named are there, and nobody else reads them. */
  readonly system?: Readonly<Record<string, Readers | 'absent'>> | undefined;
}

/**
 * A host from texts: `main.cf`, `master.cf` and `dovecot.conf`, and any other file by its path below
 * the folder or absolute. `conf.d/10-ssl.conf` and its like without a dovecot.conf is one as well.
 */
export function hostFromTexts(texts: Readonly<Record<string, string>>, options: HostOptions = {}): Host {
  return buildHost(hostInputFromTexts(texts, options));
}

/** The same, before it is read. */
export function hostInputFromTexts(
  texts: Readonly<Record<string, string>>,
  options: HostOptions = {},
): HostInput {
  const sources = new Map(Object.entries(texts).map(([path, text]) => [path, new SourceFile(path, text)]));
  const source = (path: string): SourceFile | null => sources.get(path) ?? null;
  const main = source('main.cf');
  const master = source('master.cf');
  const dovecot = dovecotFromTexts(texts, source);
  return {
    root: '.',
    postfix: main === null && master === null && dovecot !== null ? null : { directory: '.', main, master },
    dovecot,
    releases: decideReleases({
      main,
      master,
      dovecot,
      flags: options,
    }),
    open: (path) => source(path) ?? source(path.replace(/^\/etc\/postfix\//, '')),
    ...(options.now === undefined ? {} : { now: Date.parse(options.now) }),
    ...(options.system === undefined ? {} : { facts: factsFrom(options.system) }),
  };
}

function factsFrom(system: NonNullable<HostOptions['system']>): (path: string) => FileFacts {
  return (path) => {
    const readers = system[path] ?? 'owner';
    return readers === 'absent' ? { exists: false, readers: null } : { exists: true, readers };
  };
}

function dovecotFromTexts(
  texts: Readonly<Record<string, string>>,
  source: (path: string) => SourceFile | null,
): DovecotInput | null {
  const given = source('dovecot.conf');
  const paths = Object.keys(texts);
  if (given === null && !paths.some((path) => path.startsWith('conf.d/'))) return null;
  const own = (path: string): string => path.replace(/^\/etc\/dovecot\//, '');
  return {
    directory: '.',
    main: given ?? new SourceFile('dovecot.conf', '!include conf.d/*.conf\n'),
    mainAssumed: given === null,
    open: (path) => source(path) ?? source(own(path)),
    entries(folder) {
      const below = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
      const known = [...paths, ...paths.map((path) => `/etc/dovecot/${path}`)];
      const names = known.flatMap((path) => {
        const name = path.startsWith(below) ? path.slice(below.length).split('/')[0] : undefined;
        return name === undefined || name === '' ? [] : [name];
      });
      return names.length === 0 ? null : [...new Set(names)];
    },
  };
}
