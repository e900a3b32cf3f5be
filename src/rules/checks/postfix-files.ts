import type { Release } from '../../model/release.ts';
import { compareReleases } from '../../model/release.ts';
import type { PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { addEntry, replaceValue } from '../../postfix/edits.ts';
import { expand } from '../../postfix/expand.ts';
import { hasFeature, type Parameter, type ParameterTable } from '../../postfix/parameters.ts';
import { proposeRemoval } from '../../postfix/proposals.ts';
import { listenAddress } from '../../postfix/services.ts';
import type { ServiceEntry } from '../../postfix/syntax/tree.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { headOf } from '../locate.ts';
import { isMisread } from './misread-lines.ts';

// Settings and services that stand twice

function* duplicateSetting({ postfix }: CheckContext): Iterable<Report> {
  for (const { dead, winner } of postfix.deadSettings()) {
    const { line } = winner.at.source.position(winner.at.span.start);
    yield {
      message: dead.value === winner.value ? 'identical' : dead.kind === 'main' ? 'default' : 'override',
      at: dead.at,
      setting: dead.name,
      actual: dead.value,
      data: {
        line,
        service: dead.kind === 'override' ? dead.service.id : '',
        winning: shortened(winner.value),
      },
      related: [{ at: winner.at, message: 'the one that counts' }],
      fix: isMisread(postfix, dead) ? null : removalOf(postfix, dead),
    };
  }
}

function removalOf(postfix: PostfixConfiguration, dead: PostfixSetting): ProposedFix {
  return { title: `remove the ${dead.name} that has no effect`, ...proposeRemoval(postfix, dead) };
}

function shortened(value: string): string {
  const line = value.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

function* duplicateService({ postfix }: CheckContext): Iterable<Report> {
  for (const { dead, winner } of postfix.duplicateServices) {
    const { line } = headLocation(postfix, winner).source.position(winner.line.span.start);
    const name = serviceId(dead);
    const { port } = listenAddress(winner.fields.service.text);
    yield {
      message: name === serviceId(winner) ? 'default' : 'same-port',
      at: headLocation(postfix, dead),
      data: { service: name, winner: serviceId(winner), line, port: port ?? '' },
      related: [{ at: headLocation(postfix, winner), message: 'the one that counts' }],
    };
  }
}

function serviceId({ fields }: ServiceEntry): string {
  return `${fields.service.text}/${fields.type.text}`;
}

function headLocation({ master }: PostfixConfiguration, { fields }: ServiceEntry): Location {
  if (master === null) throw new Error('a service without a master.cf');
  return { source: master.source, span: { start: fields.service.span.start, end: fields.command.span.end } };
}

// The compatibility level

/** Old defaults that trust more hosts, relay for more domains or compare with MD5; others are a matter of taste. */
const WEAKENS: ReadonlySet<string> = new Set([
  'mynetworks_style',
  'relay_domains',
  'smtpd_relay_restrictions',
  'smtpd_tls_fingerprint_digest',
  'smtp_tls_fingerprint_digest',
  'lmtp_tls_fingerprint_digest',
]);

/** A default that an old level keeps. */
interface KeptDefault {
  readonly name: string;
  readonly now: string;
}

function* compatibilityLevel({ postfix }: CheckContext): Iterable<Report> {
  const { main, release } = postfix;
  if (main === null || !hasFeature(release, 'compatibilityLevel')) return;
  const setting = postfix.mainSetting('compatibility_level');
  const of = postfix.get('compatibility_level');
  if (setting !== null && (of.value.includes('$') || /\{\{|<%/.test(of.value) || isMisread(postfix, setting)))
    return;
  const at = setting?.at ?? headOf(postfix);
  if (!isLevel(of.value, release)) {
    yield { message: 'invalid', at, of };
    return;
  }
  const target = newestLevel(postfix);
  const kept = keptDefaults(postfix, of.value, target);
  if (kept.length === 0) return;
  // Of a level that somebody chose, only what weakens the server is worth a word.
  if (setting !== null && !kept.some(({ name }) => WEAKENS.has(name))) return;
  const known =
    postfix.releaseKnown.versionFrom !== 'assumed' && postfix.releaseKnown.versionFrom !== 'implied';
  yield {
    message: setting === null ? 'missing' : 'behind',
    at,
    of,
    expected: target,
    data: {
      kept: kept.map(({ name, now }) => (now === '' ? `${name} empty` : `${name} = ${now}`)),
      target,
      guessed: !known,
    },
    fix: known ? levelFix(postfix, setting, target) : null,
  };
}

/** `2` before 3.6; since then also `3.6` and `3.6.1`. */
function isLevel(value: string, release: Release): boolean {
  return hasFeature(release, 'compatibilityLevelDotted')
    ? /^\d+(\.\d+){0,2}$/.test(value)
    : /^\d+$/.test(value);
}

/** The greatest level that a default of this release asks for. */
function newestLevel({ table }: PostfixConfiguration): string {
  const known = newestLevels.get(table);
  if (known !== undefined) return known;
  const levels: Release[] = [];
  for (const parameter of table.compatDependent) {
    for (const [, level = ''] of (parameter.default ?? '').matchAll(
      /\$compatibility_level\}[^{]*\{([\d.]+)\}/g,
    ))
      levels.push(level);
  }
  const newest = levels.sort(compareReleases).at(-1) ?? '0';
  newestLevels.set(table, newest);
  return newest;
}

const newestLevels = new WeakMap<ParameterTable, string>();

function keptDefaults(postfix: PostfixConfiguration, level: string, target: string): readonly KeptDefault[] {
  const kept = changedDefaults(postfix, level, target).filter(
    ({ name }) => postfix.mainSetting(name) === null && matters(postfix, name),
  );
  const chrooted =
    postfix.master?.items.filter((item) => item.kind === 'service' && item.fields.chroot.text === '-') ?? [];
  if (level.startsWith('0') && chrooted.length > 0) kept.push({ name: 'chroot "-" in master.cf', now: 'y' });
  return kept;
}

/** The defaults that are others at two levels. */
function changedDefaults(
  { table, release }: PostfixConfiguration,
  level: string,
  target: string,
): readonly KeptDefault[] {
  const ofTable = changes.get(table) ?? new Map<string, readonly KeptDefault[]>();
  changes.set(table, ofTable);
  const between = `${level} ${target}`;
  const known = ofTable.get(between);
  if (known !== undefined) return known;
  const changed = table.compatDependent.flatMap((parameter): KeptDefault[] => {
    const now = defaultAt(parameter, level, release);
    return now === defaultAt(parameter, target, release) ? [] : [{ name: parameter.name, now }];
  });
  // Nobody has this many levels; who makes them up has no use for those before.
  if (ofTable.size >= MOST_LEVELS) ofTable.clear();
  ofTable.set(between, changed);
  return changed;
}

/** Hosts of one release have few levels between them: what these change is worked out once. */
const changes = new WeakMap<ParameterTable, Map<string, readonly KeptDefault[]>>();
const MOST_LEVELS = 100;

/** A default that nothing uses is no reason to change the level. */
function matters(postfix: PostfixConfiguration, name: string): boolean {
  if (name === 'mynetworks_style') return postfix.mainSetting('mynetworks') === null;
  const [, family] = /^(smtpd|smtp|lmtp)_tls_fingerprint_digest$/.exec(name) ?? [];
  if (family === 'smtpd')
    return postfix.value('relay_clientcerts') !== '' || postfix.isYes('smtpd_tls_ask_ccert');
  if (family !== undefined)
    return (
      /fingerprint/.test(postfix.value(`${family}_tls_security_level`)) ||
      postfix.value(`${family}_tls_policy_maps`) !== ''
    );
  return true;
}

function defaultAt(parameter: Parameter, level: string, release: Release): string {
  const text = parameter.default ?? '';
  // Other references stay as they are: $mydestination says more than its value.
  const lookup = (name: string): string => (name === 'compatibility_level' ? level : `$$${name}`);
  return expand(text, lookup, release).value.trim();
}

function levelFix(
  postfix: PostfixConfiguration,
  setting: PostfixSetting | null,
  target: string,
): ProposedFix | null {
  const { main } = postfix;
  if (main === null) return null;
  const edits =
    setting?.kind === 'main'
      ? replaceValue(main, setting.entry, target)
      : addEntry(main, 'compatibility_level', target);
  return { title: `set compatibility_level to ${target}`, edits, writes: ['main.cf:compatibility_level'] };
}

/** Checks about what stands twice, and about the compatibility level. */
export const fileChecks: Readonly<Record<string, Check>> = {
  'postfix/duplicate-setting': duplicateSetting,
  'postfix/duplicate-service': duplicateService,
  'postfix/compatibility-level': compatibilityLevel,
};
