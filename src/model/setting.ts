import type { Location } from '../text/source.ts';
import type { Server } from './endpoint.ts';
import type { Release } from './release.ts';

/**
 * Where an effective value comes from. An override is an `-o` of a service of Postfix, or a line within
 * a section of Dovecot: `service` is then the path of the section.
 */
export type Origin =
  | { readonly kind: 'default'; readonly server: Server; readonly release: Release }
  | { readonly kind: 'file'; readonly at: Location }
  | { readonly kind: 'override'; readonly server: Server; readonly at: Location; readonly service: string };

/** What a server uses for one setting at one place, as far as rules and reports need to know. */
export interface EffectiveValue {
  readonly name: string;
  readonly value: string;
  readonly origin: Origin;
}

/** How it is known which release is judged, best first. */
export type VersionFrom = 'flag' | 'config' | 'installed' | 'implied' | 'assumed';

/** A release and how it is known. */
export interface KnownRelease {
  readonly version: Release;
  readonly versionFrom: VersionFrom;
  /** A lower bound that the files prove (a compatibility level, a syntax), or null. */
  readonly provenAtLeast: Release | null;
}
