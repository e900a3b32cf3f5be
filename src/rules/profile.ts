import type { Role } from '../model/endpoint.ts';
import type { Protocol } from '../model/protocol.ts';
import type { Level, LevelByMessage, Rule } from './rule.ts';

/** Figures that the rules ask a profile for, see profiles/profile.schema.json. */
export interface Thresholds {
  readonly lowestProtocol: Readonly<Record<Exclude<Role, never> | 'policy', Protocol>>;
  readonly outboundLevel: 'may' | 'dane';
  readonly forbiddenCiphers: {
    readonly anywhere: readonly string[];
    readonly tlsRequired: readonly string[];
    readonly server: readonly string[];
  };
  readonly forwardSecrecy: 'any' | 'preferred' | 'only';
  readonly authenticatedEncryption: 'any' | 'only';
  readonly implicitTls: 'any' | 'offered';
  readonly rsaBits: number;
  readonly dhBits: { readonly least: number; readonly asked: number };
}

/** A profile as its file says it. */
export interface ProfileFile {
  readonly name: string;
  readonly extends?: string;
  readonly for?: string;
  readonly thresholds?: Partial<Omit<Thresholds, 'lowestProtocol'>> & {
    readonly lowestProtocol?: Partial<Thresholds['lowestProtocol']>;
  };
  readonly severity?: Readonly<Record<string, LevelByMessage>>;
  readonly sources?: Readonly<Record<string, string>>;
}

/** A profile with what it extends folded in. */
export interface Profile {
  readonly name: string;
  readonly for: string;
  /** Its own name, then the profile that it extends, and so on. */
  readonly lineage: readonly string[];
  readonly thresholds: Thresholds;
  /** Own levels of the profile and of those that it extends, the nearest first. */
  readonly severities: readonly Readonly<Record<string, LevelByMessage>>[];
  readonly sources: Readonly<Record<string, string>>;
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
  let thresholds: ProfileFile['thresholds'] = {};
  let sources: Record<string, string> = {};
  for (const { thresholds: own, sources: ownSources } of chain.toReversed()) {
    thresholds = {
      ...thresholds,
      ...own,
      lowestProtocol: { ...thresholds?.lowestProtocol, ...own?.lowestProtocol },
    };
    sources = { ...sources, ...ownSources };
  }
  const missing = THRESHOLDS.filter((name) => thresholds?.[name] === undefined);
  if (missing.length > 0) {
    throw new ProfileError(
      `profile "${file.name}" lacks ${missing.join(', ')}: give a value or extend a built-in profile`,
    );
  }
  return {
    name: file.name,
    for: file.for ?? '',
    lineage: chain.map(({ name }) => name),
    thresholds: thresholds as Thresholds,
    severities: chain.map(({ severity }) => severity ?? {}),
    sources,
  };
}

const THRESHOLDS = [
  'lowestProtocol',
  'outboundLevel',
  'forbiddenCiphers',
  'forwardSecrecy',
  'authenticatedEncryption',
  'implicitTls',
  'rsaBits',
  'dhBits',
] as const;

/**
 * How much a message of a rule counts: the nearest profile of the lineage that says so wins, its own
 * `severity` before what the rule file says of that profile. A rule that says nothing is off.
 */
export function severityOf(profile: Profile, rule: Rule, messageId: string): Level {
  for (const [index, name] of profile.lineage.entries()) {
    for (const said of [profile.severities[index]?.[rule.id], rule.severity[name]]) {
      if (said === undefined) continue;
      if (typeof said === 'string') return said;
      const level = said[messageId] ?? said['*'];
      if (level !== undefined) return level;
    }
  }
  return 'off';
}

/** What a finding of the rule counts as a rule under the profile; single messages may count more or less. */
export function usualLevel(profile: Profile, rule: Rule): Level {
  return severityOf(profile, rule, '*');
}
