import type { Location } from '../text/source.ts';
import type { Release } from './release.ts';

/** Where an effective value comes from. */
export type Origin =
  | { readonly kind: 'default'; readonly release: Release }
  | { readonly kind: 'file'; readonly at: Location }
  | { readonly kind: 'override'; readonly at: Location; readonly service: string };

/** How it is known which release is judged, best first. */
export type VersionFrom = 'flag' | 'config' | 'installed' | 'implied' | 'assumed';

/** A release and how it is known. */
export interface KnownRelease {
  readonly version: Release;
  readonly versionFrom: VersionFrom;
  /** A lower bound that the files prove (a compatibility level, a syntax), or null. */
  readonly provenAtLeast: Release | null;
}
