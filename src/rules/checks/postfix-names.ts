import { atLeast } from '../../model/release.ts';
import { listWords, type PostfixConfiguration, type PostfixSetting } from '../../postfix/configuration.ts';
import { references } from '../../postfix/expand.ts';
import { nameUse } from '../../postfix/names.ts';
import {
  obsoleteRestrictions,
  type Parameter,
  type ParameterTable,
  POSTFIX_RELEASES,
} from '../../postfix/parameters.ts';
import { proposeRemoval } from '../../postfix/proposals.ts';
import { checkValue } from '../../postfix/values.ts';
import { nearest } from '../../text/nearest.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { hasLookAlike } from './look-alikes.ts';
import { isTemplated } from './misread-lines.ts';
import { OBSOLETE_TLS_SWITCHES } from './postfix-tls-switches.ts';

/** Names that the release does not know, does not know yet, or will not know much longer. */

/** True where the release is known, not assumed: only then can a name be too new. */
function releaseIsKnown({ releaseKnown }: PostfixConfiguration): boolean {
  return releaseKnown.versionFrom !== 'assumed' && releaseKnown.versionFrom !== 'implied';
}

/** Where a setting stands, as `Fix.writes` names it. */
function writeName(setting: PostfixSetting, name: string = setting.name): string {
  return setting.kind === 'main' ? `main.cf:${name}` : `${setting.service.id}:${name}`;
}

/** Another name for a setting. */
function renameFix(setting: PostfixSetting, name: string): ProposedFix {
  return {
    title: `rename it to ${name}`,
    edits: [{ path: setting.at.source.path, span: setting.entry.nameSpan, text: name }],
    writes: [writeName(setting), writeName(setting, name)],
  };
}

/** The assignment of `name` in the name space in which `setting` stands. */
function beside(postfix: PostfixConfiguration, setting: PostfixSetting, name: string): PostfixSetting | null {
  if (setting.kind === 'main') return postfix.mainSetting(name);
  return setting.service.overrides.has(name) ? postfix.setting(name, setting.service) : null;
}

// Names that nobody knows

/** For so many names of one host the nearest parameter is looked for: more of them are no slips. */
const MOST_SLIPS = 100;

function* unknownParameter({ postfix }: CheckContext): Iterable<Report> {
  const candidates = [...postfix.table.names(), ...postfix.transportParameters.keys()];
  let looked = 0;
  for (const setting of nameUse(postfix).unused) {
    const { name } = setting;
    if (postfix.table.knownAnywhere(name) !== null || hasLookAlike(name) || isTemplated(name)) continue;
    if (setting.kind === 'override' && setting.entry.form === 'joined-braced') continue;
    // The first of two is for the rule about duplicates; an option such as `stress` is master's own.
    if (name === 'stress') continue;
    yield* unknownReport(postfix, setting, looked++ < MOST_SLIPS ? candidates : []);
  }
}

function* unknownReport(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  candidates: readonly string[],
): Iterable<Report> {
  const { name } = setting;
  const common = {
    at: { source: setting.at.source, span: setting.entry.nameSpan },
    setting: name,
    actual: setting.value,
  };
  const service = setting.kind === 'override' ? setting.service.id : '';
  if (setting.kind === 'main' && /^(?:;|\/\/)/.test(name)) {
    const start = setting.entry.line.span.start;
    const fix: ProposedFix = {
      title: 'make it a comment',
      edits: [{ path: setting.at.source.path, span: { start, end: start }, text: '#' }],
      writes: [writeName(setting)],
    };
    // The lines that continue it would become part of the entry above.
    const alone = setting.entry.line.endLine === setting.entry.line.firstLine + 1;
    yield { ...common, message: 'comment-sign', fix: alone ? fix : null };
    return;
  }
  const transport = transportOf(postfix, name);
  if (transport !== null) {
    if (setting.kind !== 'main' || postfix.master === null) return;
    const near = candidates.length === 0 ? null : nearTransport(postfix, name, transport);
    if (near === null || postfix.mainSetting(near) !== null) {
      yield { ...common, message: 'no-transport', data: { transport } };
    } else {
      yield {
        ...common,
        message: 'near-transport',
        expected: near,
        data: { transport },
        fix: renameFix(setting, near),
      };
    }
    return;
  }
  const meant = nearestParameter(postfix, setting, candidates);
  const whole = postfix.main !== null && postfix.master !== null;
  // With one file alone, the other may refer to a name of the user's own.
  if (!whole && meant === null) return;
  if (meant === null) {
    yield { ...common, message: 'default', data: { service } };
    return;
  }
  const taken = beside(postfix, setting, meant);
  const line = taken === null ? 0 : taken.at.source.position(taken.at.span.start).line;
  yield {
    ...common,
    message: taken === null ? 'near' : 'near-taken',
    expected: meant,
    data: { service, line },
    related: taken === null ? [] : [{ at: taken.at, message: `${meant} is set here` }],
    // Words that were split or joined may be a name that another program reads.
    fix:
      taken === null
        ? { ...renameFix(setting, meant), safe: meant.split('_').length === name.split(/[_-]/).length }
        : null,
  };
}

/** The transport that a name such as `slow_destination_rate_delay` is for; null for other names. */
function transportOf(postfix: PostfixConfiguration, name: string): string | null {
  for (const template of postfix.table.templates) {
    const suffix = template.name.slice(template.name.indexOf('>') + 1);
    if (name.endsWith(suffix) && name.length > suffix.length) return name.slice(0, -suffix.length);
  }
  return null;
}

/** The same parameter for a transport that master.cf has, under nearly that name. */
function nearTransport(postfix: PostfixConfiguration, name: string, transport: string): string | null {
  const suffix = name.slice(transport.length);
  const candidates = postfix.services
    .map((service) => service.name)
    .filter((service) => postfix.parameter(service + suffix) !== null);
  const near = nearest(transport, candidates);
  return near === null ? null : near + suffix;
}

/** The one parameter that was probably meant, and that takes the value. */
function nearestParameter(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  candidates: readonly string[],
): string | null {
  const { name } = setting;
  if (name.length < 4 || /[^A-Za-z0-9_-]/.test(name)) return null;
  const dashed = name.toLowerCase().replaceAll('-', '_');
  const meant = candidates.includes(dashed) ? dashed : nearest(name, candidates);
  const parameter = meant === null ? null : postfix.parameter(meant);
  if (parameter === null || meant === null) return null;
  // What differs in one word of several is another name, not a slip: foo_maps and bar_maps.
  if (!sameWords(dashed, meant)) return null;
  const value = postfix
    .expand(setting.value, setting.kind === 'override' ? setting.service : null)
    .value.trim();
  return checkValue(parameter, value, postfix.release) === null ? meant : null;
}

/** True where each word between underscores is nearly the same, or one is split or joined differently. */
function sameWords(a: string, b: string): boolean {
  const left = a.split('_');
  const right = b.split('_');
  if (left.length !== right.length) return true;
  return left.every((word, index) => {
    const other = right[index] ?? '';
    return word === other || nearest(word, [other]) !== null;
  });
}

// Names of the past

/** Parameters whose end is the business of a rule of their own. */
const ELSEWHERE = /_tls_dh(?:512|1024)_param_file$|_tls_eecdh_grade$|^tls_(?:export|low)_cipherlist$/;

function* deprecatedParameter({ postfix }: CheckContext): Iterable<Report> {
  for (const setting of postfix.settings()) {
    const { name } = setting;
    if (OBSOLETE_TLS_SWITCHES.has(name) || ELSEWHERE.test(name)) continue;
    const known = postfix.table.knownAnywhere(name);
    if (known === null) continue;
    const parameter = postfix.table.get(name);
    if (parameter === null) yield* removedReport(postfix, setting, known);
    else yield* deprecatedReport(postfix, setting, parameter);
  }
  yield* deprecatedRestrictions(postfix);
}

type KnownParameter = NonNullable<ReturnType<ParameterTable['knownAnywhere']>>;

function* removedReport(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  known: KnownParameter,
): Iterable<Report> {
  const { removedSince, replacedBy } = known;
  if (removedSince === null || !atLeast(postfix.release, removedSince)) return;
  if (nameUse(postfix).known(setting.name, setting.kind === 'override' ? setting.service : null)) return;
  yield {
    message: replacedBy === null ? 'removed' : 'removed-replaced',
    at: { source: setting.at.source, span: setting.entry.nameSpan },
    setting: setting.name,
    actual: setting.value,
    data: { since: removedSince, instead: replacedBy ?? '' },
    fix:
      replacedBy === null ? { title: `remove ${setting.name}`, ...proposeRemoval(postfix, setting) } : null,
  };
}

function* deprecatedReport(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  parameter: Parameter,
): Iterable<Report> {
  const { deprecatedSince, replacedBy, legacyAlias } = parameter;
  if (deprecatedSince === null || !atLeast(postfix.release, deprecatedSince)) return;
  const common = {
    at: { source: setting.at.source, span: setting.entry.nameSpan },
    setting: setting.name,
    actual: setting.value,
  };
  const data = { since: deprecatedSince, instead: replacedBy ?? '', line: 0 };
  if (replacedBy === null) {
    yield { ...common, message: 'deprecated', data };
    return;
  }
  const service = setting.kind === 'override' ? setting.service : null;
  const newer = postfix.setting(replacedBy, service);
  if (legacyAlias && newer !== null && !references(newer.value).some(({ name }) => name === setting.name)) {
    const { line } = newer.at.source.position(newer.at.span.start);
    // An old name in main.cf still counts for services that do not set the new one themselves.
    yield {
      ...common,
      message: 'beaten',
      data: { ...data, line },
      related: [{ at: newer.at, message: 'the one that counts' }],
      fix: { title: `remove ${setting.name}, which has no effect`, ...proposeRemoval(postfix, setting) },
    };
    return;
  }
  if (setting.name === 'disable_dns_lookups') {
    yield { ...common, ...dnsLookups(postfix, setting) };
    return;
  }
  yield {
    ...common,
    message: legacyAlias ? 'renamed' : 'replaced',
    expected: replacedBy,
    data,
    fix: legacyAlias ? aliasFix(postfix, setting, replacedBy) : null,
  };
}

/** What takes the place of `disable_dns_lookups`: a support level of each client, and nothing at all for `no`. */
function dnsLookups(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
): Pick<Report, 'message' | 'expected' | 'data' | 'fix'> {
  const service = setting.kind === 'override' ? setting.service : null;
  if (
    postfix.value(setting.name, service).toLowerCase() === 'no' &&
    (service === null || postfix.mainSetting(setting.name) === null)
  ) {
    return {
      message: 'dns-lookups-on',
      data: {},
      fix: { title: `remove ${setting.name}`, ...proposeRemoval(postfix, setting) },
    };
  }
  const programs = service === null ? ['smtp', 'lmtp'] : [service.program];
  const names = programs
    .map((program) => `${program}_dns_support_level`)
    .filter((name) => postfix.table.get(name) !== null);
  if (names.length === 0)
    return { message: 'dns-lookups-unread', data: { program: service?.program ?? '' }, fix: null };
  return {
    message: 'dns-lookups',
    expected: 'disabled',
    data: { names },
    fix: exactReplacement(postfix, setting),
  };
}

/** Renaming changes nothing, where the release that has the new name is known. */
function aliasFix(postfix: PostfixConfiguration, setting: PostfixSetting, name: string): ProposedFix | null {
  if (beside(postfix, setting, name) !== null || isReferredTo(postfix, setting.name)) return null;
  // A default such as `${old?{$old}:{ignore}}` takes an empty value for none.
  if (setting.value === '' && postfix.table.get(name)?.default !== `$${setting.name}`) return null;
  return mayUse(postfix, name) ? renameFix(setting, name) : null;
}

/** True where the name is in every release that the files may be for. */
function mayUse(postfix: PostfixConfiguration, name: string): boolean {
  if (releaseIsKnown(postfix)) return postfix.table.get(name) !== null;
  const introduced = postfix.table.knownAnywhere(name)?.introduced ?? null;
  const { provenAtLeast } = postfix.releaseKnown;
  return (
    introduced === null ||
    atLeast(POSTFIX_RELEASES.oldest, introduced) ||
    (provenAtLeast !== null && atLeast(provenAtLeast, introduced))
  );
}

function isReferredTo(postfix: PostfixConfiguration, name: string): boolean {
  return postfix
    .settings()
    .some(
      ({ value }) => value.includes('$') && references(value).some((reference) => reference.name === name),
    );
}

/** `disable_dns_lookups = yes` on one client is `smtp_dns_support_level = disabled` there, and nothing else. */
function exactReplacement(postfix: PostfixConfiguration, setting: PostfixSetting): ProposedFix | null {
  if (setting.name !== 'disable_dns_lookups' || setting.kind !== 'override') return null;
  const { program } = setting.service;
  if (program !== 'smtp' && program !== 'lmtp') return null;
  const name = `${program}_dns_support_level`;
  const { master } = postfix;
  if (master === null || setting.value.toLowerCase() !== 'yes' || !mayUse(postfix, name)) return null;
  if (setting.service.overrides.has(name) || postfix.value(name) !== '') return null;
  return {
    title: `set ${name} to disabled instead`,
    edits: [
      { path: master.source.path, span: setting.entry.nameSpan, text: name },
      { path: master.source.path, span: setting.entry.valueSpan, text: 'disabled' },
    ],
    writes: [writeName(setting), writeName(setting, name)],
  };
}

/** Restrictions with an end in sight that still work; what is gone is an unknown word, for a rule of its own. */
function* deprecatedRestrictions(postfix: PostfixConfiguration): Iterable<Report> {
  for (const setting of postfix.settings()) {
    const parameter = postfix.parameter(setting.name);
    if (parameter?.type !== 'restriction-list') continue;
    for (const word of new Set(listWords(setting.value))) {
      const obsolete = obsoleteRestrictions().find(({ name }) => name === word.toLowerCase());
      if (obsolete === undefined || !atLeast(postfix.release, obsolete.deprecatedSince)) continue;
      if (obsolete.removedSince !== null && atLeast(postfix.release, obsolete.removedSince)) continue;
      yield {
        message: 'restriction',
        at: setting.at,
        setting: setting.name,
        actual: word,
        data: { word, since: obsolete.deprecatedSince, instead: obsolete.replacedBy },
      };
    }
  }
}

// Names of the future

function* parameterTooNew({ postfix }: CheckContext): Iterable<Report> {
  if (!releaseIsKnown(postfix)) return;
  for (const setting of postfix.settings()) {
    const { name } = setting;
    const known = postfix.table.knownAnywhere(name);
    if (known === null || known.introduced === null || postfix.table.get(name) !== null) continue;
    if (known.removedSince !== null && atLeast(postfix.release, known.removedSince)) continue;
    if (atLeast(postfix.release, known.introduced)) continue;
    if (nameUse(postfix).known(name, setting.kind === 'override' ? setting.service : null)) continue;
    yield {
      message: known.patches.length === 0 ? 'default' : 'patches',
      at: setting.at,
      setting: name,
      actual: setting.value,
      data: {
        since: known.introduced,
        patches: [...known.patches, known.introduced],
        service: setting.kind === 'override' ? setting.service.id : '',
      },
    };
  }
}

/** Checks about names of parameters. */
export const nameChecks: Readonly<Record<string, Check>> = {
  'postfix/unknown-parameter': unknownParameter,
  'postfix/deprecated-parameter': deprecatedParameter,
  'postfix/parameter-too-new': parameterTooNew,
};
