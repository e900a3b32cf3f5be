import type { KnownRelease } from '../model/setting.ts';
import { PostfixConfiguration } from '../postfix/configuration.ts';
import { type PostfixEndpoint, postfixEndpoints } from '../postfix/endpoints.ts';
import type { SourceFile } from '../text/source.ts';

/** The releases that a host is judged for. */
export interface HostReleases {
  readonly postfix: KnownRelease;
  readonly dovecot: KnownRelease;
  readonly openssl: KnownRelease;
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
  readonly releases: HostReleases;
  /** Reads a file that the configuration names; null when it is not there or cannot be read. */
  readonly open: (path: string) => SourceFile | null;
}

/** Postfix on one host. */
export interface PostfixHost {
  readonly configuration: PostfixConfiguration;
  readonly endpoints: readonly PostfixEndpoint[];
}

/** The configuration of one mail system. */
export interface Host {
  readonly root: string;
  readonly input: HostInput;
  readonly releases: HostReleases;
  readonly postfix: PostfixHost | null;
}

/** Reads the texts of a host into its model. Never throws for what the texts hold. */
export function buildHost(input: HostInput): Host {
  let postfix: PostfixHost | null = null;
  if (input.postfix !== null) {
    const configuration = new PostfixConfiguration({
      ...input.postfix,
      release: input.releases.postfix,
      openssl: input.releases.openssl,
      open: input.open,
    });
    postfix = { configuration, endpoints: postfixEndpoints(configuration) };
  }
  return { root: input.root, input, releases: input.releases, postfix };
}

/** The source files of a host that fixes may change, main.cf first. */
export function hostSources(input: HostInput): readonly SourceFile[] {
  return [input.postfix?.main, input.postfix?.master].filter(
    (source) => source !== null && source !== undefined,
  );
}

/** The same host with other texts; files that `changed` does not name stay as they are. */
export function withTexts(input: HostInput, changed: ReadonlyMap<string, SourceFile>): HostInput {
  const swap = (source: SourceFile | null): SourceFile | null =>
    source === null ? null : (changed.get(source.path) ?? source);
  return {
    ...input,
    postfix:
      input.postfix === null
        ? null
        : { ...input.postfix, main: swap(input.postfix.main), master: swap(input.postfix.master) },
    open: (path) => changed.get(path) ?? input.open(path),
  };
}
