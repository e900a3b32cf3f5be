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

/** The newest release whose dovecot.conf has no `dovecot_config_version`: later ones refuse a file without it. */
export const NEWEST_WITHOUT_CONFIG_VERSION: Release = releaseData.newestWithoutConfigVersion;

const NEW_NAMES = new RegExp(`^[ \\t]*(?:${releaseData.newNames.names.join('|')})[ \\t]*=`, 'm');

/** The release that names in a text came with, where they are of those that no older one has; else null. */
export function provenByNames(text: string): Release | null {
  return NEW_NAMES.test(text) ? releaseData.newNames.since : null;
}

const versions: readonly Release[] = releaseData.configVersions;
const newerVersions: Readonly<Record<string, Release>> = releaseData.newerConfigVersions;

/**
 * The values of dovecot_config_version that a release takes: those of the releases up to its own
 * (config_version_find() of config-parser.c). Debian's 2.4.1-4 takes newer ones too.
 */
export function configVersions(release: Release): readonly string[] {
  const newest = newerVersions[release] ?? release;
  const older = versions.filter((version) => atLeast(newest, version));
  return older.includes(newest) ? older : [...older, newest];
}

/** Groups that 2.4 has by itself: names by label (default-settings-import.h). */
export const BUILT_IN_GROUPS: Readonly<Record<string, readonly string[]>> = releaseData.builtInGroups;

const required: Readonly<Record<string, string>> = releaseData.requiredSettings;

/** The setting without which a section of 2.4 is refused, or null. */
export function requiredSetting(section: string, release: Release): string | null {
  if (!hasDovecotFeature(release, 'namedFilters') || !Object.hasOwn(required, section)) return null;
  return required[section] ?? null;
}

/** Services that the server refuses to run in more than one process. */
export const SINGLE_PROCESS_SERVICES: ReadonlySet<string> = new Set(releaseData.singleProcessServices);

const pairs: Readonly<Record<string, Readonly<Record<string, string>>>> = releaseData.defaultPairs;

/** The pairs that a list of 2.4 has by itself (`doveconf -d` of 2.4.1 and 2.4.5). */
export function defaultPairs(name: string): readonly (readonly [key: string, value: string])[] {
  return Object.hasOwn(pairs, name) ? Object.entries(pairs[name] ?? {}) : [];
}
