import { atLeast } from '../../model/release.ts';
import type { Effective, PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { hasFeature, oldestOpenssl } from '../../postfix/parameters.ts';
import { fixMayUse, proposeRemoval, proposeValue } from '../../postfix/proposals.ts';
import { OPENSSL_GROUPS } from '../../tls/groups.ts';
import { pemOf } from '../../tls/pem.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { isMisread, isTemplated } from './misread-lines.ts';
import { aboutReaders, type CipherGroup, cipherUses, groupedBy, onEndpoints } from './postfix-cipher-uses.ts';
import { decide } from './postfix-protocol-uses.ts';

/**
 * Settings of the key exchange of servers. Facts: postfix-tls §3; tls_dh.c and tls_server.c of 2.6 to
 * 3.12, and what smtpd of 3.5 and 3.11 did with each value.
 */

/** One parameter of all servers that take it, by the assignment that decides. */
function* settingsOf(
  context: CheckContext,
  rest: string,
): Iterable<{
  readonly group: CipherGroup;
  readonly effective: Effective;
  readonly setting: PostfixSetting;
}> {
  const servers = cipherUses(context).filter(({ endpoint }) => endpoint.side === 'server');
  const groups = groupedBy(context, servers, (postfix, { endpoint, service }) => [
    decide(postfix, `${endpoint.family}_tls_${rest}`, service),
  ]);
  for (const group of groups) {
    const { effective } = group;
    const { setting } = effective;
    if (setting === null || effective.expansion.failed) continue;
    if (isTemplated(setting.value) || isMisread(context.postfix, setting)) continue;
    yield { group, effective, setting };
  }
}

function removal(postfix: PostfixConfiguration, setting: PostfixSetting): ProposedFix {
  return { title: `remove ${setting.name}`, ...proposeRemoval(postfix, setting) };
}

// Curves

const GRADES: ReadonlySet<string> = new Set(['none', 'auto', 'strong', 'ultra']);

const eecdhGrade: Check = function* (context) {
  const { postfix } = context;
  for (const { group, effective, setting } of settingsOf(context, 'eecdh_grade')) {
    const message = gradeMessage(postfix, effective.value);
    if (message === null) continue;
    const meant = hasFeature(postfix.release, 'eecdhAuto') ? 'auto' : 'strong';
    const ignored = message === 'unused' || postfix.releaseKnown.versionFrom === 'assumed';
    yield* onEndpoints(group.uses, {
      message,
      at: setting.at,
      of: effective,
      ...(ignored ? {} : { expected: meant }),
      fix: ignored
        ? removal(postfix, setting)
        : { title: `set ${setting.name} to ${meant}`, ...proposeValue(postfix, setting, meant) },
      data: { ...aboutReaders(group.uses), ignored },
    });
  }
};

function gradeMessage(postfix: PostfixConfiguration, value: string): string | null {
  if (value === '') return 'empty';
  if (hasFeature(postfix.release, 'eecdhGradeIgnored')) return 'unused';
  const word = value.toLowerCase();
  if (GRADES.has(word) && word !== 'none') return null;
  // Later libraries choose a curve by themselves, whatever Postfix says.
  const { version, versionFrom } = postfix.openssl;
  const library = versionFrom === 'assumed' ? oldestOpenssl(postfix.release) : version;
  if (atLeast(library, OPENSSL_GROUPS.automaticCurves)) return 'unused';
  return word === 'none' ? 'none' : 'unknown';
}

// Diffie-Hellman

const dhParameters: Check = function* (context) {
  const { postfix } = context;
  for (const { group, effective, setting } of settingsOf(context, 'dh512_param_file')) {
    if (effective.value === '') continue;
    yield* onEndpoints(group.uses, {
      message: hasFeature(postfix.release, 'exportParametersIgnored') ? 'export-unused' : 'export',
      at: setting.at,
      of: effective,
      fix: removal(postfix, setting),
      data: aboutReaders(group.uses),
    });
  }
  for (const { group, effective, setting } of settingsOf(context, 'dh1024_param_file')) {
    const report = dhReport(context, effective, setting);
    if (report === null) continue;
    yield* onEndpoints(group.uses, {
      ...report,
      at: setting.at,
      of: effective,
      data: { ...report.data, ...aboutReaders(group.uses) },
    });
  }
};

function dhReport(
  { postfix, profile }: CheckContext,
  { value }: Effective,
  setting: PostfixSetting,
): Pick<Report, 'message' | 'data' | 'fix'> | null {
  const automatic = hasFeature(postfix.release, 'dhParametersAuto');
  if (value === '' || (value === 'auto' && automatic)) return null;
  const { least, asked } = profile.thresholds.dhBits;
  const source = postfix.open(value);
  const contents = source === null ? null : pemOf(source);
  const [found] = contents?.dhParameters ?? [];
  // The group of older releases is no better than what is to be replaced.
  const serves = hasFeature(postfix.release, 'builtInDh2048');
  const fixed = serves ? removal(postfix, setting) : null;
  const data = { bits: found?.bits ?? 0, least, asked, serves };
  if (contents !== null && found === undefined) return { message: 'unreadable', data, fix: fixed };
  if (found !== undefined && found.bits < asked) {
    const message = found.bits < least ? 'weak' : 'small';
    return { message, data, fix: fixed };
  }
  const known = postfix.parameter(setting.name);
  if (known === null || known.deprecatedSince === null) return null;
  if (!atLeast(postfix.release, known.deprecatedSince)) return null;
  return { message: 'obsolete', data, fix: fixMayUse(postfix, 'builtInDh2048') ? fixed : null };
}

/** Checks of the key exchange of servers. */
export const keyExchangeChecks: Readonly<Record<string, Check>> = {
  'postfix/dh-parameters': dhParameters,
  'postfix/eecdh-grade': eecdhGrade,
};
