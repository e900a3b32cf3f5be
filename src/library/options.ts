import { validators } from 'virtual:validators';
import type { ValidateFunction } from 'ajv';
import profileSchema from '../../profiles/profile.schema.json' with { type: 'json' };
import type { GivenReleases } from '../hosts/releases.ts';
import { validator } from '../hosts/validator.ts';
import { parseRelease } from '../model/release.ts';
import { OWN_RULE_SCHEMA, ownProblems, ownTemplate } from '../rules/own-rules.ts';
import { type Profile, ProfileError, type ProfileFile, resolveProfile } from '../rules/profile.ts';
import { checkSeverity, checkSources } from '../rules/profile-checks.ts';
import type { RulePage } from '../rules/rule.ts';
import {
  BUILTIN_PROFILE_NAMES,
  BUILTIN_RULES,
  builtinProfileFile,
  DEFAULT_PROFILE,
  type RuleSet,
  withOwnRules,
} from '../rules/rule-set.ts';
import { rulesMeant } from '../rules/rules-meant.ts';
import type { Options } from './api.d.ts';
import { PfhardenError } from './error.ts';

/** By what hosts are judged: options that were checked. */
export interface JudgedBy {
  readonly ruleSet: RuleSet;
  readonly profile: Profile;
  readonly only: ReadonlySet<string> | undefined;
  readonly reasonRequired: boolean;
  /** In milliseconds since 1970; undefined where nothing expires. */
  readonly now: number | undefined;
}

/** @throws PfhardenError for options that are wrong */
export function judgedBy({ profile, rules = [], only, now, reasonRequired = false }: Options): JudgedBy {
  const ruleSet = ruleSetOf(rules);
  return {
    ruleSet,
    profile: profileOf(profile ?? DEFAULT_PROFILE, ruleSet),
    only: only === undefined ? undefined : new Set(only.flatMap((id) => meant(id, ruleSet))),
    reasonRequired,
    now: now === undefined ? undefined : timeOf(now),
  };
}

/** @throws PfhardenError for a text that is no release */
export function releasesOf(releases: Options['releases'] = {}): GivenReleases {
  const parsed = (['postfix', 'dovecot', 'openssl'] as const).map((server) => {
    const text = releases[server];
    const release = text === undefined ? undefined : parseRelease(text);
    if (release === null)
      throw new PfhardenError([`releases.${server}: "${text}" is no release; write it as 3.7.11 or 3.7`]);
    return [server, release] as const;
  });
  return Object.fromEntries(parsed);
}

function timeOf(now: Date): number {
  const time = now.getTime();
  if (Number.isNaN(time)) throw new PfhardenError(['now: is no time']);
  return time;
}

function meant(id: string, ruleSet: RuleSet): readonly string[] {
  const ids = rulesMeant(id, ruleSet);
  if (typeof ids === 'string') throw new PfhardenError([ids]);
  return ids;
}

function ruleSetOf(rules: readonly object[]): RuleSet {
  if (rules.length === 0) return BUILTIN_RULES;
  const isRule = validator<RulePage>(OWN_RULE_SCHEMA);
  const problems = rules.flatMap((rule, index) => problemsOf(isRule, rule, `rules[${index}]`));
  if (problems.length > 0) throw new PfhardenError(problems);
  const own = rules as readonly RulePage[];
  const files = own.map((value, index) => ({ path: `rules[${index}]`, value }));
  const wrong = ownProblems(files, { builtin: BUILTIN_RULES.rules, profiles: BUILTIN_PROFILE_NAMES });
  if (wrong.length > 0)
    throw new PfhardenError(wrong.map(({ path, pointer, problem }) => `${path}${pointer}: ${problem}`));
  return withOwnRules(own, ownTemplate);
}

function profileOf(given: string | object, ruleSet: RuleSet): Profile {
  const error = (problem: string): PfhardenError => new PfhardenError([`profile: ${problem}`]);
  const named = typeof given === 'string' ? builtinProfileFile(given) : undefined;
  if (typeof given === 'string' && named === undefined)
    throw error(`there is no "${given}": ${BUILTIN_PROFILE_NAMES.join(', ')}, or an object`);
  if (named === undefined) {
    const isProfile = validators[profileSchema.$id] as ValidateFunction;
    const problems = problemsOf(isProfile, given, 'profile');
    if (problems.length > 0) throw new PfhardenError(problems);
  }
  const file = named ?? (given as ProfileFile);
  checkSeverity(file.severity ?? {}, ruleSet, error);
  checkSources(file.sources ?? {}, error);
  try {
    return resolveProfile(file, builtinProfileFile);
  } catch (problem) {
    if (problem instanceof ProfileError) throw error(problem.message);
    throw problem;
  }
}

/** What a schema has against a value, a sentence each. */
function problemsOf(isValid: ValidateFunction, value: unknown, name: string): readonly string[] {
  if (isValid(value)) return [];
  const found = (isValid.errors ?? []).map(({ instancePath, message, params }) => {
    const key: unknown = params['additionalProperty'];
    return typeof key === 'string'
      ? `${name}${instancePath}: unknown key "${key}"`
      : `${name}${instancePath}: ${message ?? 'is not as it should be'}`;
  });
  return [...new Set(found)];
}
