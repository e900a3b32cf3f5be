import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import schema from '../../profiles/profile.schema.json' with { type: 'json' };
import type { Config, ConfigLayer, HostConfig } from '../hosts/config.ts';
import type { InputError } from '../hosts/files.ts';
import type { FoundHost } from '../hosts/find.ts';
import { readJsonFile } from '../hosts/json-file.ts';
import {
  changedProfile,
  type Profile,
  type ProfileChange,
  ProfileError,
  type ProfileFile,
  resolveProfile,
} from '../rules/profile.ts';
import { checkSeverity, checkSources } from '../rules/profile-checks.ts';
import {
  BUILTIN_PROFILE_NAMES,
  builtinProfile,
  builtinProfileFile,
  DEFAULT_PROFILE,
  type RuleSet,
} from '../rules/rule-set.ts';
import { pointerPart } from '../text/json-places.ts';
import { nearest } from '../text/nearest.ts';
import { configsOf, type LoadedRules, RunRules } from './own-rules.ts';

/** The profiles of a run: one for hosts of which nothing else is said, and those of single hosts. */
export class RunProfiles {
  /** What the flag says, else the `.pfharden.json` for the first path, else the default. */
  readonly run: Profile;
  /** All profiles of the run, each once. */
  readonly all: readonly Profile[];
  readonly #ofHosts: ReadonlyMap<HostConfig | null, Profile>;

  private constructor(run: Profile, ofHosts: ReadonlyMap<HostConfig | null, Profile>) {
    this.run = run;
    this.all = [...new Set([run, ...ofHosts.values()])];
    this.#ofHosts = ofHosts;
  }

  /**
   * Loads the profiles that are asked for. The flag counts before what files name; their levels and
   * thresholds lie over either.
   *
   * @throws InputError, ProfileError for a profile, a rule or a message that is not there, wherever it is named
   */
  static async of(flag: string | undefined, asked: Asked, loadedRules?: LoadedRules): Promise<RunProfiles> {
    const { hosts, config } = asked;
    const rules = loadedRules ?? (await RunRules.of([], configsOf(asked)));
    const loaded = new Map<string, Promise<Profile>>();
    const load = (
      name: string,
      folder: string,
      error?: (problem: string) => InputError,
    ): Promise<Profile> => {
      const key = BUILTIN_PROFILE_NAMES.includes(name) ? name : pathFrom(folder, name);
      const profile = loaded.get(key) ?? loadProfile(name, folder, rules, error);
      loaded.set(key, profile);
      return profile;
    };
    const checked = new Set<ConfigLayer>();
    for (const { layers } of [config, ...hosts.map((host) => host.config?.config ?? null)].filter(isThere)) {
      for (const layer of layers) {
        if (checked.has(layer)) continue;
        checked.add(layer);
        checkSeverity(layer.severity.levels, rules.ruleSet, layer.severity.error);
        if (layer.profile !== undefined)
          await load(layer.profile.name, layer.profile.folder, layer.profile.error);
      }
    }
    const effective = async (of: HostConfig | null): Promise<Profile> => {
      const named = of?.profile;
      const base = await (flag !== undefined
        ? load(flag, '.')
        : named === undefined
          ? builtinProfile(DEFAULT_PROFILE)
          : load(named.name, named.folder, named.error));
      const changes = (of?.layers ?? []).filter(isChange);
      return changes.length === 0
        ? base
        : changedProfile(
            base,
            changes.map(({ severity, thresholds, path }) => ({
              severity: severity.levels,
              thresholds,
              from: path,
            })),
          );
    };
    const ofHosts = new Map<HostConfig | null, Profile>();
    for (const { config: own } of hosts) if (!ofHosts.has(own)) ofHosts.set(own, await effective(own));
    const forAll = config?.forHost([]) ?? null;
    return new RunProfiles(ofHosts.get(forAll) ?? (await effective(forAll)), ofHosts);
  }

  /** The place in `all` of the profile that a host is judged by. */
  numberOf(host: Pick<FoundHost, 'config'>): number {
    return this.all.indexOf(this.of(host));
  }

  /** The same with a change laid over each of them. */
  changed(change: ProfileChange): RunProfiles {
    const made = new Map(this.all.map((profile) => [profile, changedProfile(profile, [change])]));
    const of = (profile: Profile): Profile => made.get(profile) ?? profile;
    return new RunProfiles(
      of(this.run),
      new Map([...this.#ofHosts].map(([config, profile]) => [config, of(profile)])),
    );
  }

  /** The profile that a host is judged by. */
  of({ config }: Pick<FoundHost, 'config'>): Profile {
    return this.#ofHosts.get(config) ?? this.run;
  }
}

/** What names profiles. */
interface Asked {
  readonly hosts: readonly Pick<FoundHost, 'config'>[];
  readonly config: Config | null;
}

function isThere<T>(value: T | null): value is T {
  return value !== null;
}

/** Whether it says more than which profile. */
export function isChange({ severity, thresholds }: ConfigLayer): boolean {
  return Object.keys(severity.levels).length > 0 || Object.keys(thresholds).length > 0;
}

/**
 * A profile by its name or file, and the one that it extends; null where there is none, or where that one
 * leaves thresholds open and so is no profile by itself.
 *
 * @param rules what it may give levels to, and the profiles beside them
 * @throws InputError, ProfileError
 */
export async function namedProfile(
  name: string,
  rules: LoadedRules,
): Promise<{ readonly profile: Profile; readonly base: Profile | null }> {
  const { file, find } = await loadFile(name, '.', rules, (problem) => new ProfileError(problem));
  const base = file.extends === undefined ? undefined : find(file.extends);
  return {
    profile: resolveProfile(file, find),
    base: base === undefined || !isWhole(base, find) ? null : resolveProfile(base, find),
  };
}

function isWhole(file: ProfileFile, find: (name: string) => ProfileFile | undefined): boolean {
  try {
    resolveProfile(file, find);
    return true;
  } catch (error) {
    if (error instanceof ProfileError) return false;
    throw error;
  }
}

/**
 * The profiles that stand beside own rules, by their names.
 *
 * @throws InputError, ProfileError
 */
export async function ownProfiles(rules: LoadedRules): Promise<ReadonlyMap<string, Profile>> {
  const loaded = new Map<string, Profile>();
  for (const [name, path] of rules.profiles) loaded.set(name, await loadProfile(path, '.', rules));
  return loaded;
}

/** A built-in profile, or one in a file, with what it extends. */
async function loadProfile(
  name: string,
  folder: string,
  rules: LoadedRules,
  error: (problem: string) => Error = (problem) => new ProfileError(problem),
): Promise<Profile> {
  if (BUILTIN_PROFILE_NAMES.includes(name)) return builtinProfile(name);
  const { file, find } = await loadFile(name, folder, rules, error);
  return resolveProfile(file, find);
}

/** The file of a profile, and how those that it extends are found. */
async function loadFile(
  name: string,
  folder: string,
  rules: LoadedRules,
  error: (problem: string) => Error,
): Promise<{ file: ProfileFile; find: (name: string) => ProfileFile | undefined }> {
  const builtin = builtinProfileFile(name);
  if (builtin !== undefined) return { file: builtin, find: builtinProfileFile };
  const path = profilePath(name, folder) ?? rules.profiles.get(name) ?? null;
  if (path === null) {
    const known = [...BUILTIN_PROFILE_NAMES, ...rules.profiles.keys()];
    const meant = nearest(name, known);
    const hint = meant === null ? `${known.join(', ')}, or a file` : `did you mean ${meant}?`;
    throw error(`there is no profile "${name}": ${hint}`);
  }
  const files = new Map<string, ProfileFile>();
  const file = await readChain(path, files, rules.ruleSet);
  return { file, find: (extended) => files.get(extended) ?? builtinProfileFile(extended) };
}

function pathFrom(folder: string, name: string): string {
  return name.startsWith('/') ? name : join(folder, name);
}

function profilePath(name: string, folder: string): string | null {
  return (
    [name, `${name}.json`].map((file) => pathFrom(folder, file)).find((file) => existsSync(file)) ?? null
  );
}

/** Reads a profile file and the files that it extends, by the names that they are extended by. */
async function readChain(
  path: string,
  files: Map<string, ProfileFile>,
  rules: RuleSet,
): Promise<ProfileFile> {
  const file = await readJsonFile<ProfileFile>(path, schema);
  checkSeverity(file.value.severity ?? {}, rules, (problem, ...ids: readonly (string | undefined)[]) =>
    file.keyError(['/severity', ...ids.map((id) => pointerPart(id ?? ''))].join('/'), problem),
  );
  checkSources(file.value.sources ?? {}, (problem, name) =>
    file.keyError(`/sources/${pointerPart(name)}`, problem),
  );
  const extended = file.value.extends;
  if (extended !== undefined && builtinProfileFile(extended) === undefined && !files.has(extended)) {
    const next = profilePath(extended, dirname(path));
    if (next === null) {
      const meant = nearest(extended, BUILTIN_PROFILE_NAMES);
      const hint =
        meant === null ? ': a built-in name, or a file beside this one' : `; did you mean "${meant}"?`;
      throw file.error('/extends', `there is no profile "${extended}"${hint}`);
    }
    files.set(extended, file.value);
    files.set(extended, await readChain(next, files, rules));
  }
  return file.value;
}
