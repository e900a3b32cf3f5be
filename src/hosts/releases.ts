import { loadDovecot } from '../dovecot/load.ts';
import { DOVECOT_RELEASES, NEWEST_WITHOUT_CONFIG_VERSION, provenByNames } from '../dovecot/releases.ts';
import { SERVER_NAMES } from '../model/endpoint.ts';
import { atLeast, compareReleases, parseRelease, type Release } from '../model/release.ts';
import type { KnownRelease } from '../model/setting.ts';
import releaseData from '../postfix/data/releases.json' with { type: 'json' };
import { hasFeature, POSTFIX_RELEASES } from '../postfix/parameters.ts';
import { parseMainCf } from '../postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../postfix/syntax/master-cf.ts';
import type { SourceFile } from '../text/source.ts';
import { OPENSSL_RELEASES } from '../tls/openssl.ts';
import { type DovecotInput, dovecotSources, type HostReleases } from './host.ts';

/** Releases by server, as a user gives them; what is left out is decided otherwise. */
export interface GivenReleases {
  readonly postfix?: Release | undefined;
  readonly dovecot?: Release | undefined;
  readonly openssl?: Release | undefined;
}

/** What is known of a host when its releases are decided. */
export interface ReleaseSources {
  readonly main: SourceFile | null;
  readonly master: SourceFile | null;
  readonly dovecot?: DovecotInput | null;
  /** `--postfix-version` and its kin. */
  readonly flags?: GivenReleases;
  /** `.pfharden.json` */
  readonly config?: GivenReleases;
  /** What the installed programs said; empty where they were not asked. */
  readonly installed?: GivenReleases;
}

/**
 * Decides the releases that a host is judged for: flag, configuration file, what the installed
 * program says, else the newest stable release. What the files prove is a lower bound, not a
 * release: with nothing better known the newest release is judged, and fixes may use what the bound has.
 */
export function decideReleases(sources: ReleaseSources): HostReleases {
  const { flags = {}, config = {}, installed = {}, main, master } = sources;
  const dovecot = textsOf(sources.dovecot ?? null);
  const files: GivenReleases = { dovecot: configVersion(dovecot) };
  const decide = (
    server: keyof GivenReleases,
    newest: Release,
    provenAtLeast: Release | null,
  ): KnownRelease => {
    for (const [versionFrom, given] of [
      ['flag', flags],
      ['config', config],
      ['config', files],
      ['installed', installed],
    ] as const) {
      const version = given[server];
      if (version !== undefined) return { version, versionFrom, provenAtLeast };
    }
    return { version: newest, versionFrom: provenAtLeast === null ? 'assumed' : 'implied', provenAtLeast };
  };
  const { newest, provenAtLeast } = impliedDovecotRelease(dovecot);
  // The release that the file was written for: a later one may be what reads it.
  const bound = files.dovecot ?? provenAtLeast;
  return {
    postfix: decide('postfix', POSTFIX_RELEASES.newest, provenPostfixRelease(main, master)),
    dovecot: decide('dovecot', newest, bound),
    openssl: decide('openssl', OPENSSL_RELEASES.newest, null),
  };
}

/** The releases that the facts cover, by the name of the program. */
export function coveredReleases(): readonly {
  readonly name: string;
  readonly oldest: Release;
  readonly newest: Release;
}[] {
  return [
    { name: SERVER_NAMES.postfix, ...POSTFIX_RELEASES },
    { name: SERVER_NAMES.dovecot, ...DOVECOT_RELEASES },
    { name: 'OpenSSL', ...OPENSSL_RELEASES },
  ];
}

/**
 * dovecot.conf and what it includes. That they are read before the release is known does not matter for what is
 * looked for: as the release that they are most likely for, so that they need not be taken apart once more.
 */
function textsOf(dovecot: DovecotInput | null): readonly SourceFile[] {
  if (dovecot === null) return [];
  const release =
    configVersion([dovecot.main]) === undefined ? NEWEST_WITHOUT_CONFIG_VERSION : DOVECOT_RELEASES.newest;
  return dovecotSources(dovecot, loadDovecot(dovecot.main, dovecot, release));
}

/** `dovecot_config_version` as the first file that has it says; undefined where none does. */
function configVersion(sources: readonly SourceFile[]): Release | undefined {
  for (const { text } of sources) {
    const value = /^[ \t]*dovecot_config_version[ \t]*=[ \t]*"?([^"\s#]+)/m.exec(text)?.[1];
    const release = value === undefined ? null : parseRelease(value);
    if (release !== null) return release;
  }
  return undefined;
}

/**
 * The newest release that files without `dovecot_config_version` can be for. 2.4 refuses them, unless it
 * is only that line which they lack: names that came with 2.4 tell.
 */
function impliedDovecotRelease(sources: readonly SourceFile[]): {
  readonly newest: Release;
  readonly provenAtLeast: Release | null;
} {
  const proven = sources.map(({ text }) => provenByNames(text)).find((release) => release !== null) ?? null;
  return proven === null
    ? { newest: NEWEST_WITHOUT_CONFIG_VERSION, provenAtLeast: null }
    : { newest: DOVECOT_RELEASES.newest, provenAtLeast: proven };
}

/** Syntax that an older release does not take for what it means, and the feature that brought it. */
const SYNTAX_BOUNDS: readonly {
  readonly pattern: RegExp;
  readonly feature: keyof typeof releaseData.features;
}[] = [
  { pattern: /\}\s*[<>=!]=?level\s*\{/, feature: 'levelOperators' },
  { pattern: /\$\{[^{}]*\?\s*\{|\$\{\s*\{/, feature: 'ternary' },
];

/** The oldest release that these files can be for, by compatibility_level and by syntax; null when they prove nothing. */
export function provenPostfixRelease(main: SourceFile | null, master: SourceFile | null): Release | null {
  const bounds: Release[] = [];
  // Whether a file can hold a proof at all is told without taking it apart.
  if (main !== null && /compatibility_level|\{/.test(main.text)) {
    for (const item of parseMainCf(main).items) {
      if (item.kind !== 'entry') continue;
      if (item.name === 'compatibility_level') bounds.push(...levelBound(item.value));
      for (const { pattern, feature } of SYNTAX_BOUNDS) {
        if (item.value.includes('{') && pattern.test(item.value)) bounds.push(featureRelease(feature));
      }
    }
  }
  if (master !== null && /\{|unix-dgram/.test(master.text)) {
    const services = parseMasterCf(master).items.filter((item) => item.kind === 'service');
    const braced = services.some((service) =>
      service.arguments.some((argument) => argument.kind === 'override' && argument.form === 'braced'),
    );
    if (braced) bounds.push(featureRelease('bracedOverride'));
    if (services.some(({ fields }) => fields.type.text === 'unix-dgram'))
      bounds.push(featureRelease('unixDgram'));
  }
  return bounds.sort(compareReleases).at(-1) ?? null;
}

function featureRelease(feature: keyof typeof releaseData.features): Release {
  const arrival: string | { readonly since: string } = releaseData.features[feature];
  return typeof arrival === 'string' ? arrival : arrival.since;
}

/** Levels 0 to 2 came with 3.0; a dotted level is the release that it is named after. */
function levelBound(value: string): Release[] {
  if (/^\d+$/.test(value)) return [featureRelease('compatibilityLevel')];
  const level = parseRelease(value);
  if (level === null || !hasFeature(level, 'compatibilityLevel')) return [];
  return atLeast(POSTFIX_RELEASES.newest, level) ? [level] : [];
}
