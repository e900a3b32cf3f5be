import type { PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { proposeRemoval, proposeValue } from '../../postfix/proposals.ts';
import { readCipherString } from '../../tls/cipher-string.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { lookAlikes } from './look-alikes.ts';
import { isMisread, isTemplated } from './misread-lines.ts';
import {
  aboutReaders,
  type CipherGroup,
  type CipherUse,
  cipherUses,
  exclusionsOf,
  groupedBy,
  onEndpoints,
} from './postfix-cipher-uses.ts';
import { sameSetting } from './postfix-levels.ts';
import { type Decider, decide, hasUnreadPolicies } from './postfix-protocol-uses.ts';
import { lostBy, nearError, strayBlank } from './stray-blank.ts';

/**
 * The cipher lists behind the grades, `tls_high_cipherlist` and its kin: replaced, refused by OpenSSL, with
 * a security level. Facts: postfix-tls §2; tls_set_ciphers() of tls_misc.c, tls_server.c and tls_client.c.
 */

const LISTS = /^tls_(?:high|medium|low|export|null)_cipherlist$/;

/** The list of the grade of a use, where somebody wrote it. */
function writtenList(postfix: PostfixConfiguration, { settings, service }: CipherUse): readonly Decider[] {
  if (settings.listFrom === null) return [];
  const decider = decide(postfix, settings.listFrom.name, service);
  return decider.effective.setting === null || isUnclear(postfix, decider.effective.setting) ? [] : [decider];
}

function isUnclear(postfix: PostfixConfiguration, setting: PostfixSetting): boolean {
  return (
    isTemplated(setting.value) ||
    isMisread(postfix, setting) ||
    lookAlikes(setting.at.source, setting.entry.valueSpan).length > 0
  );
}

function listGroups(context: CheckContext): readonly (CipherGroup & { readonly setting: PostfixSetting })[] {
  return groupedBy(context, cipherUses(context), writtenList).flatMap((group) => {
    const { setting, value } = group.effective;
    // An empty list is the matter of postfix/bad-value.
    return setting === null || value === '' || group.effective.expansion.failed
      ? []
      : [{ ...group, setting }];
  });
}

// Replaced

const cipherlistOverride: Check = function* (context) {
  const { postfix } = context;
  const groups = listGroups(context);
  for (const group of groups) {
    const { effective, setting, uses } = group;
    if (isDefault(postfix, group)) continue;
    yield* onEndpoints(uses, {
      at: setting.at,
      of: effective,
      fix: removal(postfix, setting),
      data: {
        ...aboutReaders(uses),
        count: sizeOf(postfix, effective.value),
        usual: sizeOf(postfix, defaultOf(postfix, effective.name)),
      },
    });
  }
  yield* unusedLists(context, groups);
};

/** How many suites of a list a mail server can use: it has no shared keys and no passwords. */
function sizeOf({ openssl }: PostfixConfiguration, list: string): number {
  const { suites } = readCipherString(list, openssl.version);
  return suites.filter(
    ({ keyExchange, authentication }) => !/PSK|SRP/.test(`${keyExchange}${authentication}`),
  ).length;
}

function isDefault(postfix: PostfixConfiguration, { effective, uses }: CipherGroup): boolean {
  return uses.some(
    ({ decider }) =>
      effective.value === defaultOf(postfix, effective.name) ||
      effective.value === defaultOf(postfix, decider.name),
  );
}

function defaultOf(postfix: PostfixConfiguration, name: string): string {
  return postfix.parameter(name)?.default ?? '';
}

function removal(postfix: PostfixConfiguration, setting: PostfixSetting): ProposedFix {
  return { title: `remove ${setting.name}`, ...proposeRemoval(postfix, setting) };
}

function namesGrade({ name, value }: PostfixSetting, grade: string): boolean {
  return /_tls_(?:mandatory_)?ciphers$/.test(name) && value.toLowerCase() === grade;
}

/** Lists of grades that no endpoint takes: whoever wrote them believes that they do something. */
function* unusedLists(context: CheckContext, groups: readonly CipherGroup[]): Iterable<Report> {
  const { postfix, endpoints } = context;
  if (postfix.master === null || postfix.main === null) return;
  if (endpoints.some((endpoint) => endpoint.side === 'client' && hasUnreadPolicies(postfix, endpoint)))
    return;
  const settings = postfix.settings();
  for (const setting of settings) {
    if (!LISTS.test(setting.name) || setting.value === '' || isUnclear(postfix, setting)) continue;
    if (groups.some(({ effective }) => sameSetting(effective.setting, setting))) continue;
    const of = postfix.get(setting.name, setting.kind === 'override' ? setting.service : null);
    if (of.value === defaultOf(postfix, setting.name)) continue;
    const grade = setting.name.replace(/^tls_|_cipherlist$/g, '');
    const named = [...new Set(settings.filter((other) => namesGrade(other, grade)).map(({ name }) => name))];
    const data = { grade, named };
    yield { message: 'unused', at: setting.at, of, fix: removal(postfix, setting), data };
  }
}

// Broken

const cipherlistBroken: Check = function* (context) {
  const { postfix } = context;
  const openssl = postfix.openssl.version;
  for (const { effective, setting, uses } of listGroups(context)) {
    const alone = readCipherString(effective.value, openssl);
    const common = { at: setting.at, of: effective };
    if (alone.error !== null) {
      yield* onEndpoints(uses, {
        ...common,
        message: alone.errorAt === null ? 'empty' : 'refused',
        data: { ...aboutReaders(uses), error: alone.error, near: nearError(effective.value, alone) },
      });
      continue;
    }
    const blank = strayBlank(effective.value);
    if (blank === null) continue;
    const lost = lostBy(effective.value, blank, openssl);
    if (lost === 0) continue;
    yield* onEndpoints(uses, {
      ...common,
      message: 'blank',
      data: { ...aboutReaders(uses), before: blank.before, after: blank.after, lost },
    });
  }
  yield* brokenByExclusions(context);
};

/** Lists that are sound by themselves, of which the exclusions leave nothing or which they spoil. */
function* brokenByExclusions(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  const openssl = postfix.openssl.version;
  for (const use of cipherUses(context)) {
    const { string, listFrom } = use.settings;
    if (string === null || listFrom === null) continue;
    const whole = readCipherString(string, openssl);
    if (whole.error === null || readCipherString(listFrom.value, openssl).error !== null) continue;
    const written = exclusionsOf(postfix, use).filter(({ effective }) => effective.setting !== null);
    const last = written.at(-1);
    const setting = last?.effective.setting ?? null;
    if (last === undefined || setting === null || isUnclear(postfix, setting)) continue;
    yield {
      message: whole.errorAt === null ? 'excluded' : 'refused',
      at: setting.at,
      of: last.effective,
      endpoint: use.endpoint,
      related:
        listFrom.setting === null
          ? []
          : [{ at: listFrom.setting.at, message: `${listFrom.name} is the list` }],
      data: {
        ...aboutReaders([{ use, decider: last }]),
        error: whole.error,
        near: nearError(string, whole),
        base: listFrom.name,
      },
    };
  }
}

// Security levels

const LEVEL_ZERO = /@SECLEVEL=0(?![0-9])/;

const securityLevelLowered: Check = function* (context) {
  const { postfix } = context;
  for (const { effective, setting, uses } of listGroups(context)) {
    if (!LEVEL_ZERO.test(effective.value)) continue;
    if (readCipherString(effective.value, postfix.openssl.version).error !== null) continue;
    const value = setting.value.replace(/:?@SECLEVEL=0(?![0-9])(:?)/g, (_, after: string, at: number) =>
      at === 0 ? '' : after,
    );
    yield* onEndpoints(uses, {
      at: setting.at,
      of: effective,
      expected: value,
      fix: { title: `set ${setting.name} to "${value}"`, ...proposeValue(postfix, setting, value) },
      data: aboutReaders(uses),
    });
  }
};

/** Checks of cipher lists. */
export const cipherListChecks: Readonly<Record<string, Check>> = {
  'postfix/cipherlist-override': cipherlistOverride,
  'postfix/cipherlist-broken': cipherlistBroken,
  'postfix/security-level-lowered': securityLevelLowered,
};
