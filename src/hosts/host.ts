import { DovecotConfiguration } from '../dovecot/configuration.ts';
import { type DovecotEndpoint, dovecotEndpoints } from '../dovecot/endpoints.ts';
import type { DovecotFiles, DovecotTree } from '../dovecot/load.ts';
import type { Server } from '../model/endpoint.ts';
import type { FileFacts } from '../model/file-facts.ts';
import type { KnownRelease } from '../model/setting.ts';
import { PostfixConfiguration } from '../postfix/configuration.ts';
import { type PostfixEndpoint, postfixEndpoints } from '../postfix/endpoints.ts';
import type { SourceFile } from '../text/source.ts';

/** The releases that a host is judged for; of a server that the host does not have, what would be assumed. */
export interface HostReleases {
  readonly postfix: KnownRelease;
  readonly dovecot: KnownRelease;
  readonly openssl: KnownRelease;
}

/** The texts of Dovecot on one host, and the files around them. */
export interface DovecotInput extends DovecotFiles {
  /** The folder as the user gave it. */
  readonly directory: string;
  /** dovecot.conf. Where the folder holds only what a dovecot.conf would include: one line that includes it. */
  readonly main: SourceFile;
  /** There is no such file: `main` only stands for it. */
  readonly mainAssumed: boolean;
}

/** All that is needed to know a host; texts only, so that it can be built anew from changed ones. */
export interface HostInput {
  /** The folder that holds the configuration of all its servers, as the user gave it. */
  readonly root: string;
  readonly postfix: {
    readonly directory: string;
    readonly main: SourceFile | null;
    readonly master: SourceFile | null;
  } | null;
  readonly dovecot: DovecotInput | null;
  readonly releases: HostReleases;
  /** Servers of which only parts are there: of what else their configuration holds, nothing is known. */
  readonly parts?: readonly Server[];
  /** Reads a file that a configuration names; null when it is not there or cannot be read. */
  readonly open: (path: string) => SourceFile | null;
  /** Paths of all files that were looked for so far, there or not; of a folder that was listed, with a slash at its end. */
  readonly looked?: ReadonlySet<string>;
  /** Looks at a file of the running system; left out where the files are not those of a running system. */
  readonly facts?: (path: string) => FileFacts;
  /** The time for which the host is judged, in milliseconds since 1970; left out, nothing expires. */
  readonly now?: number;
  /** Where names stand in for those of the host: puts the own ones back into what has to be of that host alone. */
  readonly inOwnNames?: (text: string) => string;
  /** Of a host that was made from another, as a rendering is from a template: the first of them. */
  readonly first?: HostInput;
}

/** Postfix on one host. */
export interface PostfixHost {
  readonly configuration: PostfixConfiguration;
  readonly endpoints: readonly PostfixEndpoint[];
}

/** Dovecot on one host. */
export interface DovecotHost {
  readonly input: DovecotInput;
  readonly configuration: DovecotConfiguration;
  readonly endpoints: readonly DovecotEndpoint[];
}

/** The configuration of one mail system. */
export interface Host {
  readonly root: string;
  readonly input: HostInput;
  readonly releases: HostReleases;
  readonly postfix: PostfixHost | null;
  readonly dovecot: DovecotHost | null;
}

/**
 * Reads the texts of a host into its model. Never throws for what the texts hold.
 *
 * @param same what was read before of servers whose texts are the same
 */
export function buildHost(input: HostInput, same: Partial<Pick<Host, Server>> = {}): Host {
  let postfix = same.postfix ?? null;
  if (postfix === null && input.postfix !== null) {
    const configuration = new PostfixConfiguration({
      ...input.postfix,
      release: input.releases.postfix,
      openssl: input.releases.openssl,
      open: input.open,
    });
    postfix = withEndpoints({ configuration }, () => postfixEndpoints(configuration));
  }
  let dovecot = same.dovecot ?? null;
  if (dovecot !== null) dovecots.set(input, dovecot);
  if (dovecot === null && input.dovecot !== null) {
    const configuration = configurationOf(input, input.dovecot);
    const surroundings = { openssl: input.releases.openssl.version, open: input.open };
    dovecot = withEndpoints({ input: input.dovecot, configuration }, () =>
      dovecotEndpoints(configuration, surroundings),
    );
  }
  return { root: input.root, input, releases: input.releases, postfix, dovecot };
}

/** A server whose endpoints are worked out once somebody asks for them: of a template as it stands, hardly anybody does. */
function withEndpoints<S, E>(server: S, work: () => readonly E[]): S & { readonly endpoints: readonly E[] } {
  let known: readonly E[] | null = null;
  return {
    ...server,
    get endpoints() {
      known ??= work();
      return known;
    },
  };
}

/** The source files of a host that fixes may change: main.cf, master.cf, dovecot.conf and what it includes. */
export function hostSources(input: HostInput): readonly SourceFile[] {
  const { dovecot } = input;
  return [
    ...postfixSources(input),
    ...(dovecot === null ? [] : dovecotSources(dovecot, configurationOf(input, dovecot).tree)),
  ];
}

/** Those of them that are Postfix's. */
export function postfixSources({ postfix }: HostInput): readonly SourceFile[] {
  return [postfix?.main, postfix?.master].filter((source) => source !== null && source !== undefined);
}

/** The files that are parts of a configuration of which the rest is not there; of a conf.d, its folder. */
export function partNames({ parts = [], postfix, dovecot }: HostInput): readonly string[] {
  return [
    ...(parts.includes('postfix') ? [postfix?.main?.path, postfix?.master?.path] : []),
    ...(parts.includes('dovecot')
      ? [dovecot?.mainAssumed === true ? dovecot.directory : dovecot?.main.path]
      : []),
  ].filter((path) => path !== undefined);
}

/** The server that a file of `hostSources` belongs to. */
export function serverOf({ postfix }: HostInput, path: string): Server {
  return path === postfix?.main?.path || path === postfix?.master?.path ? 'postfix' : 'dovecot';
}

/** dovecot.conf, where it is there, and the files that it includes, each once. */
export function dovecotSources(dovecot: DovecotInput, { files }: DovecotTree): readonly SourceFile[] {
  const sources = new Map(files.map(({ source }) => [source.path, source]));
  if (dovecot.mainAssumed) sources.delete(dovecot.main.path);
  return [...sources.values()];
}

/** Read once for each host, whoever asks first. */
const dovecots = new WeakMap<HostInput, Pick<DovecotHost, 'configuration'>>();

function configurationOf(input: HostInput, dovecot: DovecotInput): DovecotConfiguration {
  const known = dovecots.get(input);
  if (known !== undefined) return known.configuration;
  const release = input.releases.dovecot;
  const configuration = new DovecotConfiguration({ main: dovecot.main, files: dovecot, release });
  dovecots.set(input, { configuration });
  return configuration;
}

/** What stands for the Dovecot of a host and may be the same for others with the same files; null where it was not read. */
export function dovecotOf(input: HostInput): object | null {
  return dovecots.get(input) ?? null;
}

/** The same host with other texts; files that `changed` does not name stay as they are. */
export function withTexts(input: HostInput, changed: ReadonlyMap<string, SourceFile>): HostInput {
  const swap = (source: SourceFile | null): SourceFile | null =>
    source === null ? null : (changed.get(source.path) ?? source);
  const { postfix, dovecot } = input;
  return {
    ...input,
    postfix: postfix === null ? null : { ...postfix, main: swap(postfix.main), master: swap(postfix.master) },
    dovecot:
      dovecot === null
        ? null
        : {
            ...dovecot,
            main: changed.get(dovecot.main.path) ?? dovecot.main,
            open: (path) => {
              const source = dovecot.open(path);
              return source === null ? null : (changed.get(source.path) ?? source);
            },
          },
    open: (path) => changed.get(path) ?? input.open(path),
  };
}
