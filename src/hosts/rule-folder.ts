import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, reasonOf } from './files.ts';
import { type JsonFile, readJsonFile } from './json-file.ts';

/** The files of a folder with rules and profiles of a user. */
export interface RuleFolder<Rule, Profile> {
  readonly rules: readonly JsonFile<Rule>[];
  readonly profiles: readonly JsonFile<Profile>[];
  /** Of files that are not as their schema asks. */
  readonly problems: readonly InputError[];
}

/** What rules and profiles have to look like. */
export interface RuleSchemas {
  readonly rule: object;
  readonly profile: object;
}

/** Any object: which of the two a file is has to be known before it is held against a schema. */
const OBJECT: { readonly $id?: string; readonly type: string } = { type: 'object' };

/**
 * Reads a folder with all that is below it, in the order of the names: files that end in `.json`, but none
 * that is hidden or below `node_modules`. A file without an id that has a name is a profile.
 *
 * @param path the folder, or one file
 * @throws InputError where there is no such folder, or nothing in it
 */
export async function readRuleFolder<Rule, Profile>(
  path: string,
  schemas: RuleSchemas,
): Promise<RuleFolder<Rule, Profile>> {
  const rules: JsonFile<Rule>[] = [];
  const profiles: JsonFile<Profile>[] = [];
  const problems: InputError[] = [];
  for (const file of jsonFiles(path)) {
    try {
      const { value } = await readJsonFile<object>(file, OBJECT);
      if ('name' in value && !('id' in value))
        profiles.push(await readJsonFile<Profile>(file, schemas.profile));
      else rules.push(await readJsonFile<Rule>(file, schemas.rule));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(error);
    }
  }
  return { rules, profiles, problems };
}

/** @throws InputError */
function jsonFiles(path: string): string[] {
  try {
    if (statSync(path).isFile()) return [path];
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
    const files = names.filter(
      (name) => name.endsWith('.json') && !/(?:^|\/)(?:\.|node_modules\/)|\.schema\.json$/.test(name),
    );
    if (files.length === 0)
      throw new InputError(`${path}: no rules: a rule or a profile is a file that ends in .json`);
    return files.sort().map((name) => join(path, name));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}
