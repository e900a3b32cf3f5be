/** What Dovecot can do since which release: data/releases.json, and how it is read. */
import { atLeast, type Release } from '../model/release.ts';
import releaseData from './data/releases.json' with { type: 'json' };

/** Something that Dovecot does since some release; see data/releases.json. */
export type DovecotFeature = keyof typeof releaseData.features;

/** The release that is assumed where nothing tells, and the oldest that is supported. */
export const DOVECOT_RELEASES: { readonly newest: Release; readonly oldest: Release } = releaseData;

/** Whether a release can do something. */
export function hasDovecotFeature(release: Release, feature: DovecotFeature): boolean {
  return atLeast(release, releaseData.features[feature]);
}

/** The release that brought a feature. */
export function dovecotFeatureRelease(feature: DovecotFeature): Release {
  return releaseData.features[feature];
}
