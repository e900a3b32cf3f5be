import type { Level, LevelByMessage } from '../model/finding.ts';
import {
  laidOver,
  openThresholds,
  type SomeThresholds,
  THRESHOLD_PARTS,
  type Thresholds,
} from '../model/thresholds.ts';
import type { Rule } from './rule.ts';

/** Levels by rule id. */
export type Severities = Readonly<Record<string, LevelByMessage>>;

/** A profile as its file says it, see profiles/profile.schema.json. */
export interface ProfileFile {
  readonly name: string;
  readonly extends?: string;
  readonly for?: string;
  readonly thresholds?: SomeThresholds;
  readonly severity?: Severities;
  readonly sources?: Readonly<Record<string, string>>;
}

/** A profile with what it extends folded in. */
export interface Profile {
  readonly name: string;
  /** What sentences call it; differs from the name where something else has changed its thresholds. */
  readonly title: string;
  readonly for: string;
  /** Its own name, then the profile that it extends, and so on. */
  readonly lineage: readonly string[];
  readonly thresholds: Thresholds;
  /** Own levels of the profile and of those that it extends, the nearest first. */
  readonly severities: readonly Severities[];
  /** Levels that count before those of the profile and of the rules, the strongest first. */
  readonly changes: readonly Severities[];
  /** The standard that each threshold follows, by `rsaBits` or `lowestProtocol.mx`. */
  readonly sources: Readonly<Record<string, string>>;
}

/** What changes a profile from outside, such as a `.pfharden.json`. */
export interface ProfileChange {
  readonly severity: Severities;
  readonly thresholds: SomeThresholds;
  /** What it is called: the path of the file. */
  readonly from: string;
}

/** What is wrong with a profile, for the user. */
export class ProfileError extends Error {}

/**
 * Folds a profile with the ones it extends.
 *
 * @param find gives the file of a name that `extends` holds; undefined where there is none
 * @throws ProfileError when an extended profile is missing, or extends itself, or a threshold is left open
 */
export function resolveProfile(file: ProfileFile, find: (name: string) => ProfileFile | undefined): Profile {
  const chain: ProfileFile[] = [file];
  for (let at = file; at.extends !== undefined; ) {
    const next = find(at.extends);
    if (next === undefined)
      throw new ProfileError(`profile "${at.name}" extends "${at.extends}", which is not there`);
    if (chain.includes(next)) throw new ProfileError(`profile "${next.name}" extends itself`);
    chain.push(next);
    at = next;
  }
  let thresholds: SomeThresholds = {};
  const sources: Record<string, string> = {};
  for (const { name, thresholds: own = {}, sources: said = {} } of chain.toReversed()) {
    thresholds = laidOver(thresholds, own);
    Object.assign(sources, sourcesOf(own, said, `profile ${name}`));
  }
  const missing = openThresholds(thresholds);
  if (missing.length > 0) {
    throw new ProfileError(
      `profile "${file.name}" lacks ${missing.join(', ')}: give a value or extend a built-in profile`,
    );
  }
  return {
    name: file.name,
    title: file.name,
    for: file.for ?? '',
    lineage: chain.map(({ name }) => name),
    thresholds: thresholds as Thresholds,
    severities: chain.map(({ severity }) => severity ?? {}),
    changes: [],
    sources,
  };
}

/**
 * The sources of the thresholds that a file sets or gives a reason for. What is said of a threshold as a
 * whole holds for the parts that the file sets, or for all where it sets none.
 *
 * @param other what is to be named where the file gives a value without a source
 */
function sourcesOf(
  own: SomeThresholds,
  said: Readonly<Record<string, string>>,
  other: string,
): Record<string, string> {
  const sources: Record<string, string> = {};
  for (const [name, parts] of Object.entries(THRESHOLD_PARTS)) {
    const value: unknown = own[name as keyof Thresholds];
    const set = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    if (parts.length === 0) {
      const source = said[name] ?? (value === undefined ? undefined : other);
      if (source !== undefined) sources[name] = source;
      continue;
    }
    for (const part of parts) {
      const whole = value === undefined || set.includes(part) ? said[name] : undefined;
      const source = said[`${name}.${part}`] ?? whole ?? (set.includes(part) ? other : undefined);
      if (source !== undefined) sources[`${name}.${part}`] = source;
    }
  }
  return sources;
}

/**
 * A profile with changes laid over it.
 *
 * @param changes the strongest first
 */
export function changedProfile(profile: Profile, changes: readonly ProfileChange[]): Profile {
  let thresholds: SomeThresholds = profile.thresholds;
  const sources = { ...profile.sources };
  for (const change of changes.toReversed()) {
    thresholds = laidOver(thresholds, change.thresholds);
    Object.assign(sources, sourcesOf(change.thresholds, {}, change.from));
  }
  const from = changes
    .filter((change) => Object.keys(change.thresholds).length > 0)
    .map((change) => change.from);
  return {
    ...profile,
    title: from[0] === undefined ? profile.title : `${profile.title} with ${from[0]}`,
    thresholds: thresholds as Thresholds,
    changes: [...changes.map(({ severity }) => severity), ...profile.changes],
    sources,
  };
}

/**
 * How much a message of a rule counts: the strongest change that says so wins, then the nearest profile of
 * the lineage, its own `severity` before what the rule file says of that profile, and last what the rule
 * says of every profile, `*`. A rule that says nothing is off.
 */
export function severityOf(profile: Profile, rule: Rule, messageId: string): Level {
  for (const change of profile.changes) {
    const level = levelOf(change[rule.id], messageId);
    if (level !== undefined) return level;
  }
  for (const [index, name] of profile.lineage.entries()) {
    const level =
      levelOf(profile.severities[index]?.[rule.id], messageId) ?? levelOf(rule.severity[name], messageId);
    if (level !== undefined) return level;
  }
  return levelOf(rule.severity['*'], messageId) ?? 'off';
}

function levelOf(said: LevelByMessage | undefined, messageId: string): Level | undefined {
  return said === undefined || typeof said === 'string' ? said : (said[messageId] ?? said['*']);
}

/** What a finding of the rule counts as a rule under the profile; single messages may count more or less. */
export function usualLevel(profile: Profile, rule: Rule): Level {
  return severityOf(profile, rule, '*');
}
