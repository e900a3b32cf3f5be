import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import schema from '../../profiles/profile.schema.json' with { type: 'json' };
import { InputError } from '../hosts/files.ts';
import type { FoundHost } from '../hosts/find.ts';
import { readJsonFile } from '../hosts/json-file.ts';
import { type Profile, ProfileError, type ProfileFile, resolveProfile } from '../rules/profile.ts';
import {
  BUILTIN_PROFILE_NAMES,
  BUILTIN_RULES,
  builtinProfile,
  builtinProfileFile,
  DEFAULT_PROFILE,
} from '../rules/rule-set.ts';
import { nearest } from '../text/nearest.ts';

/**
 * The profile to judge by: the flag, else what `.pfharden.json` says, else the default. One run judges by
 * one profile, so that its counts mean one thing.
 *
 * @throws InputError, ProfileError
 */
export async function chosenProfile(flag: string | undefined, hosts: readonly FoundHost[]): Promise<Profile> {
  if (flag !== undefined) return loadProfile(flag, '.');
  const asked = new Map<string, { name: string; folder: string; path: string }>();
  for (const { config } of hosts) {
    if (config?.profile === undefined) continue;
    const folder = dirname(config.path);
    const isBuiltin = BUILTIN_PROFILE_NAMES.includes(config.profile);
    asked.set(isBuiltin ? config.profile : join(folder, config.profile), {
      name: config.profile,
      folder,
      path: config.path,
    });
  }
  const [first, second] = asked.values();
  if (first === undefined) return builtinProfile(DEFAULT_PROFILE);
  if (second !== undefined) {
    throw new InputError(
      `${first.path} and ${second.path} ask for different profiles: name one with --profile`,
    );
  }
  return loadProfile(first.name, first.folder);
}

/** A built-in profile, or one in a file, with what it extends. */
async function loadProfile(name: string, folder: string): Promise<Profile> {
  if (BUILTIN_PROFILE_NAMES.includes(name)) return builtinProfile(name);
  const path = profilePath(name, folder);
  if (path === null) {
    const meant = nearest(name, BUILTIN_PROFILE_NAMES);
    const hint = meant === null ? `${BUILTIN_PROFILE_NAMES.join(', ')}, or a file` : `did you mean ${meant}?`;
    throw new ProfileError(`there is no profile "${name}": ${hint}`);
  }
  const files = new Map<string, ProfileFile>();
  const file = await readChain(path, files);
  return resolveProfile(file, (extended) => files.get(extended) ?? builtinProfileFile(extended));
}

function profilePath(name: string, folder: string): string | null {
  return [name, `${name}.json`].map((file) => join(folder, file)).find((file) => existsSync(file)) ?? null;
}

/** Reads a profile file and the files that it extends, by the names that they are extended by. */
async function readChain(path: string, files: Map<string, ProfileFile>): Promise<ProfileFile> {
  const file = await readJsonFile<ProfileFile>(path, schema);
  const ids = BUILTIN_RULES.rules.map(({ id }) => id);
  for (const [id, levels] of Object.entries(file.value.severity ?? {})) {
    const pointer = `/severity/${id.replaceAll('/', '~1')}`;
    const rule = BUILTIN_RULES.find(id);
    if (rule === undefined) {
      const meant = nearest(id, ids);
      throw file.error(
        pointer,
        `there is no rule "${id}"${meant === null ? '; see pfharden rules' : `; did you mean "${meant}"?`}`,
      );
    }
    const messages = [...Object.keys(rule.messages), '*'];
    const unknown =
      typeof levels === 'string'
        ? undefined
        : Object.keys(levels).find((message) => !messages.includes(message));
    if (unknown !== undefined)
      throw file.error(`${pointer}/${unknown}`, `${id} has no message "${unknown}": ${messages.join(', ')}`);
  }
  const extended = file.value.extends;
  if (extended !== undefined && builtinProfileFile(extended) === undefined && !files.has(extended)) {
    const next = profilePath(extended, dirname(path));
    if (next === null)
      throw file.error(
        '/extends',
        `there is no profile "${extended}": a built-in name, or a file beside this one`,
      );
    files.set(extended, file.value);
    files.set(extended, await readChain(next, files));
  }
  return file.value;
}
