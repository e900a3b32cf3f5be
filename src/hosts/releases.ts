import { atLeast, compareReleases, parseRelease, type Release } from '../model/release.ts';
import type { KnownRelease } from '../model/setting.ts';
import releaseData from '../postfix/data/releases.json' with { type: 'json' };
import { hasFeature, POSTFIX_RELEASES } from '../postfix/parameters.ts';
import { parseMainCf } from '../postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../postfix/syntax/master-cf.ts';
import type { SourceFile } from '../text/source.ts';
import { OPENSSL_RELEASES } from '../tls/openssl.ts';
import type { HostReleases } from './host.ts';

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
  /** `--postfix-version` and its kin. */
  readonly flags?: GivenReleases;
  /** `.pfharden.json` */
  readonly config?: GivenReleases;
  /** Asks the installed programs; called only where neither flag nor configuration tells. */
  readonly installed?: () => GivenReleases;
}

/**
 * Decides the releases that a host is judged for: flag, configuration file, what the installed
 * program says, else the newest stable release. What the files prove is a lower bound, not a
 * release: with nothing better known the newest release is judged, and fixes may use what the bound has.
 */
export function decideReleases(sources: ReleaseSources): HostReleases {
  const bound = provenPostfixRelease(sources.main, sources.master);
  const needsInstalled = sources.flags?.postfix === undefined && sources.config?.postfix === undefined;
  const installed = needsInstalled ? (sources.installed?.() ?? {}) : {};
  const decide = (
    server: keyof GivenReleases,
    newest: Release,
    provenAtLeast: Release | null,
  ): KnownRelease => {
    for (const [versionFrom, given] of [
      ['flag', sources.flags],
      ['config', sources.config],
      ['installed', installed],
    ] as const) {
      const version = given?.[server];
      if (version !== undefined) return { version, versionFrom, provenAtLeast };
    }
    return { version: newest, versionFrom: provenAtLeast === null ? 'assumed' : 'implied', provenAtLeast };
  };
  return {
    postfix: decide('postfix', POSTFIX_RELEASES.newest, bound),
    dovecot: decide('dovecot', NEWEST_DOVECOT, null),
    openssl: decide('openssl', OPENSSL_RELEASES.newest, null),
  };
}

/** Judged where nothing tells, until Dovecot is read. */
const NEWEST_DOVECOT: Release = releaseData.newestDovecot;

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
  if (master !== null && master.text.includes('{')) {
    const braced = parseMasterCf(master).items.some(
      (item) =>
        item.kind === 'service' &&
        item.arguments.some((argument) => argument.kind === 'override' && argument.form === 'braced'),
    );
    if (braced) bounds.push(featureRelease('bracedOverride'));
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
