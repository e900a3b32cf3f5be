import advisoryData from '../../dovecot/data/advisories.json' with { type: 'json' };
import type { DovecotEffective } from '../../dovecot/effective.ts';
import { inRange } from '../../model/release.ts';
import type { Location } from '../../text/source.ts';
import type { DovecotCheck, DovecotCheckContext, Report } from '../check.ts';
import { dovecotPlace } from '../locate.ts';
import { isOwn } from './dovecot-common.ts';
import { mechanismPlace } from './dovecot-mechanisms.ts';

/** Advisories of Dovecot (NEWS of the releases) for what not every configuration has. */
interface Advisory {
  readonly cves: readonly string[];
  /** The releases that have it, one of these ranges. */
  readonly releases: readonly string[];
  readonly fixed: string;
  /** What of the configuration it needs. */
  readonly needs: string;
  /** What happens, for a sentence. */
  readonly what: string;
}

const ADVISORIES: readonly Advisory[] = advisoryData.advisories;

function* advisory(context: DovecotCheckContext): Iterable<Report> {
  if (!isRelease(context)) return;
  const { release } = context.dovecot;
  for (const { cves, releases, fixed, needs, what } of ADVISORIES) {
    if (!releases.some((range) => inRange(release, range))) continue;
    const found = NEEDS[needs]?.(context) ?? null;
    if (found === null || !isOwn(context, found.at)) continue;
    yield { at: found.at, data: { cves, fixed, what, because: found.because } };
  }
}

/**
 * Whether the release is that of the server, and not a guess or `dovecot_config_version`, which a server keeps
 * through many updates.
 */
function isRelease({ dovecot }: DovecotCheckContext): boolean {
  const { version, versionFrom } = dovecot.releaseKnown;
  if (versionFrom === 'flag' || versionFrom === 'installed') return true;
  const isOfFile = dovecot.hasNamedFilters && dovecot.table.configVersion === version;
  return versionFrom === 'config' && !isOfFile;
}

/** What an advisory needs, where a configuration has it. */
interface Need {
  readonly at: Location;
  /** For a sentence: "auth_mechanisms has OTP". */
  readonly because: string;
}

type FindNeed = (context: DovecotCheckContext) => Need | null;

const NEEDS: Readonly<Record<string, FindNeed>> = {
  'scram-plus': mechanism('SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'),
  otp: mechanism('OTP'),
  ntlm: mechanism('NTLM'),
  rpa: mechanism('RPA'),
  'any-username'(context) {
    const of = context.dovecot.get('auth_username_chars');
    if (of.at === null || of.value !== '' || !hasDriver(context, ['sql', 'ldap'])) return null;
    return { at: of.at, because: 'auth_username_chars is empty' };
  },
  'auth-cache'(context) {
    const of = context.dovecot.get('auth_cache_size');
    const mixed =
      hasDriver(context, ['passwd', 'bsdauth', 'oauth2'], ['passdb']) ||
      hasDriver(context, ['passwd'], ['userdb']);
    return of.at === null || /^0+\s*[bkmgt]?$/i.test(of.value) || !mixed
      ? null
      : { at: of.at, because: `auth_cache_size = ${of.value}` };
  },
  'doveadm-network': listener('doveadm'),
  submission: listener('submission'),
  'certificate-user'({ dovecot }) {
    const of = dovecot.get('auth_ssl_username_from_cert');
    return of.at !== null && dovecot.isYes(of.name) && dovecot.isYes('auth_ssl_require_client_cert')
      ? { at: of.at, because: 'auth_ssl_username_from_cert = yes' }
      : null;
  },
  'server-names'({ dovecot }) {
    const filter = dovecot.scopes().find(({ type }) => type === 'local_name' || type === 'local');
    const at = filter?.openings[0];
    return filter === undefined || at === undefined || dovecot.value('ssl') === 'no'
      ? null
      : { at, because: `there is ${filter.type} ${filter.name}` };
  },
  'dict-lookup'(context) {
    const section = databases(context).find(({ driver }) => driver.value === 'dict');
    return section === undefined
      ? null
      : { at: dovecotPlace(context.dovecot, section.driver), because: 'users are looked up in a dict' };
  },
};

function mechanism(...names: readonly string[]): FindNeed {
  return (context) => {
    for (const name of names) {
      const at = mechanismPlace(context, name);
      if (at !== null) return { at, because: `auth_mechanisms has ${name}` };
    }
    return null;
  };
}

function listener(spoken: string): FindNeed {
  return ({ dovecot, endpoints }) => {
    const open = endpoints.find((one) => one.side === 'server' && one.spoken === spoken && one.public);
    if (open === undefined || open.side !== 'server') return null;
    const of = open.open.listener.get('port');
    const place = of.at === null ? open.protocols.from : of;
    return { at: dovecotPlace(dovecot, place), because: `port ${open.port} is open` };
  };
}

/** A database of users. */
interface Database {
  readonly type: string;
  readonly driver: DovecotEffective;
  readonly name: string;
}

function databases({ dovecot }: DovecotCheckContext): readonly Database[] {
  return ['passdb', 'userdb'].flatMap((type) =>
    dovecot.sections(type).map((section) => ({ type, name: section.name, driver: section.get('driver') })),
  );
}

/** Whether a database of some type has one of some drivers; in 2.4 its name is the driver where none is set. */
function hasDriver(
  context: DovecotCheckContext,
  drivers: readonly string[],
  types: readonly string[] = ['passdb', 'userdb'],
): boolean {
  return databases(context).some(
    ({ type, name, driver }) =>
      types.includes(type) && drivers.includes(driver.value === '' ? name : driver.value),
  );
}

/** Checks of advisories, by the name that rule files call. */
export const dovecotAdvisoryChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/advisory': advisory,
};
