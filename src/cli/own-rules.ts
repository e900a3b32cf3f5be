import profileSchema from '../../profiles/profile.schema.json' with { type: 'json' };
import { type Config, Configs } from '../hosts/config.ts';
import { InputError } from '../hosts/files.ts';
import type { FoundHost } from '../hosts/find.ts';
import type { JsonFile } from '../hosts/json-file.ts';
import { readRuleFolder } from '../hosts/rule-folder.ts';
import type { ProfileFile } from '../rules/profile.ts';
import type { RulePage } from '../rules/rule.ts';
import { BUILTIN_PROFILE_NAMES, BUILTIN_RULES, type RuleSet, withOwnRules } from '../rules/rule-set.ts';

/** The built-in rules with those of some folders, and the profiles that stand beside them. */
export interface LoadedRules {
  readonly ruleSet: RuleSet;
  readonly own: readonly RulePage[];
  /** Files of profiles by their names. */
  readonly profiles: ReadonlyMap<string, string>;
}

/** The same, with what is wrong with the files; then there are none of their rules in the set. */
export interface CheckedRules extends LoadedRules {
  readonly problems: readonly InputError[];
}

/** Of a run without own rules. */
export const BUILTIN: LoadedRules = { ruleSet: BUILTIN_RULES, own: [], profiles: new Map() };

/**
 * Reads folders of own rules and says all that is wrong with them.
 *
 * @throws InputError for a folder that is not there, or has no rules
 */
export async function checkedRules(folders: readonly string[]): Promise<CheckedRules> {
  // Checks, schema and the compiler of templates are for those who have own rules.
  const { OWN_RULE_SCHEMA, ownProblems, ownTemplate } = await import('../rules/own-rules.ts');
  const schemas = { rule: OWN_RULE_SCHEMA, profile: profileSchema };
  const rules: JsonFile<RulePage>[] = [];
  const profiles = new Map<string, string>();
  const problems: InputError[] = [];
  for (const folder of new Set(folders)) {
    const read = await readRuleFolder<RulePage, ProfileFile>(folder, schemas);
    rules.push(...read.rules);
    problems.push(...read.problems);
    for (const file of read.profiles) {
      const { name } = file.value;
      const first = profiles.get(name);
      if (first !== undefined) problems.push(file.error('/name', `${first} has the same name, "${name}"`));
      else if (BUILTIN_PROFILE_NAMES.includes(name))
        problems.push(
          file.error('/name', `"${name}" is a profile of pfharden: give yours a name of its own`),
        );
      else profiles.set(name, file.source.path);
    }
  }
  const files = new Map(rules.map((file) => [file.source.path, file]));
  const found = ownProblems(
    rules.map(({ source: { path }, value }) => ({ path, value })),
    { builtin: BUILTIN_RULES.rules, profiles: [...BUILTIN_PROFILE_NAMES, ...profiles.keys()] },
  );
  for (const { path, pointer, at, problem } of found) {
    const file = files.get(path);
    if (file !== undefined)
      problems.push(at === 'key' ? file.keyError(pointer, problem) : file.error(pointer, problem));
  }
  const own = problems.length > 0 ? [] : rules.map(({ value }) => value);
  return { ruleSet: withOwnRules(own, ownTemplate), own, profiles, problems };
}

/**
 * The rules of some folders together with the built-in ones.
 *
 * @throws InputError for a folder that is not there, or the first thing that is wrong with a rule
 */
export async function loadRules(folders: readonly string[]): Promise<LoadedRules> {
  if (folders.length === 0) return BUILTIN;
  const { problems, ...loaded } = await checkedRules(folders);
  const [first, ...more] = problems;
  if (first === undefined) return loaded;
  const others = more.length === 0 ? '' : ` (and ${more.length} more: pfharden rules --check lists them)`;
  throw new InputError(`${first.message}${others}`);
}

interface RulesOfFolders extends LoadedRules {
  readonly folders: readonly string[];
}

/** The rules of a run: those that hosts are judged by, each by those of its own `.pfharden.json`. */
export class RunRules implements LoadedRules {
  readonly ruleSet: RuleSet;
  readonly own: readonly RulePage[];
  readonly profiles: ReadonlyMap<string, string>;
  /** The sets that hosts are judged by, and the folders that each is read from. */
  readonly sets: readonly RuleSet[];
  readonly folders: readonly (readonly string[])[];
  readonly #byConfig: ReadonlyMap<Config | null, RulesOfFolders>;

  private constructor(byConfig: ReadonlyMap<Config | null, RulesOfFolders>) {
    this.#byConfig = byConfig;
    const all = [...new Set(byConfig.values())];
    this.sets = all.map(({ ruleSet }) => ruleSet);
    this.folders = all.map(({ folders }) => folders);
    const [first = BUILTIN] = all;
    const own = new Map(all.flatMap((loaded) => loaded.own.map((rule) => [rule.id, rule])));
    this.own = [...own.values()];
    this.profiles = new Map(all.flatMap(({ profiles }) => [...profiles]));
    // What may be named on the command line is a rule of any host; by this set none is judged.
    this.ruleSet = all.length <= 1 ? first.ruleSet : withOwnRules(this.own, () => () => '');
  }

  /**
   * Loads what the flags name, and what the `.pfharden.json` of hosts do.
   *
   * @throws InputError for a folder that is not there, or a rule that is wrong
   */
  static async of(flags: readonly string[], configs: readonly (Config | null)[]): Promise<RunRules> {
    const byFolders = new Map<string, RulesOfFolders>();
    const byConfig = new Map<Config | null, RulesOfFolders>();
    for (const config of configs.length === 0 ? [null] : new Set(configs)) {
      const folders = [...(config?.rules ?? []), ...flags];
      const key = JSON.stringify(folders);
      const loaded = byFolders.get(key) ?? { ...(await loadRules(folders)), folders };
      byFolders.set(key, loaded);
      byConfig.set(config, loaded);
    }
    return new RunRules(byConfig);
  }

  /**
   * The same for the current folder.
   *
   * @throws InputError
   */
  static async here(flags: readonly string[]): Promise<RunRules> {
    return RunRules.of(flags, [await new Configs().of('.')]);
  }

  /** The place in `sets` of the rules that a host is judged by. */
  numberOf(host: Pick<FoundHost, 'config'>): number {
    return this.sets.indexOf(this.ruleSetOf(host));
  }

  /** The rules that a host is judged by. */
  ruleSetOf({ config }: Pick<FoundHost, 'config'>): RuleSet {
    return (this.#byConfig.get(config?.config ?? null) ?? this).ruleSet;
  }
}

/** The configuration files of a run. */
export function configsOf({
  hosts,
  config,
}: {
  readonly hosts: readonly Pick<FoundHost, 'config'>[];
  readonly config: Config | null;
}): readonly (Config | null)[] {
  const found = new Set(hosts.map((host) => host.config?.config ?? null));
  return [...(config === null ? found : found.add(config))];
}
