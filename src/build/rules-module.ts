import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { RuleMessage } from '../rules/message-code.ts';
import type { ProfileFile } from '../rules/profile.ts';
import type { Rule, RulePage } from '../rules/rule.ts';
import { messageCode } from './message-code.ts';

/** Gives the code that a bundle gets a text by. */
type Place = (name: string, text: string) => string;

/** The rule and profile files of two folders, each held against its schema. */
export interface RuleFiles {
  readonly rules: readonly RulePage[];
  readonly profiles: readonly ProfileFile[];
}

/**
 * Reads and checks the files.
 *
 * @throws Error that names the file and what is wrong with it
 */
export async function readRuleFiles(rulesFolder: string, profilesFolder: string): Promise<RuleFiles> {
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    formats: { regex: true },
  });
  const rules: RulePage[] = [];
  for (const file of await jsonFiles(rulesFolder)) {
    const rule = await checked<RulePage>(ajv, join(rulesFolder, 'rule.schema.json'), join(rulesFolder, file));
    if (`${rule.id}.json` !== file)
      throw new Error(`${join(rulesFolder, file)}: its id is "${rule.id}": a rule's file is named after it`);
    rules.push(rule);
  }
  const profiles: ProfileFile[] = [];
  for (const file of await jsonFiles(profilesFolder)) {
    const profile = await checked<ProfileFile>(
      ajv,
      join(profilesFolder, 'profile.schema.json'),
      join(profilesFolder, file),
    );
    if (`${profile.name}.json` !== file)
      throw new Error(`${join(profilesFolder, file)}: its name is "${profile.name}"`);
    profiles.push(profile);
  }
  return { rules, profiles };
}

async function jsonFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  return files.filter((file) => file.endsWith('.json') && !file.endsWith('.schema.json')).sort();
}

async function checked<T>(ajv: Ajv, schemaPath: string, path: string): Promise<T> {
  const schema: { readonly $id: string } = JSON.parse(await readFile(schemaPath, 'utf8'));
  const validate = ajv.getSchema(schema.$id) ?? ajv.compile(schema);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (!validate(value))
    throw new Error(`${path}: ${ajv.errorsText(validate.errors, { separator: '\n  ', dataVar: '' })}`);
  return value as T;
}

/**
 * The text of the module `virtual:builtin-rules`: rules and profiles as JSON, message templates as
 * data, so that a run neither validates nor compiles anything. What only pages show is left out.
 *
 * @param place the code that gives a text of a name
 */
export async function rulesModule(
  rulesFolder: string,
  profilesFolder: string,
  place: Place,
): Promise<string> {
  const { rules, profiles } = await readRuleFiles(rulesFolder, profilesFolder);
  // A line each: most rules find nothing, and their messages are then not read.
  const lines = rules.map(({ id, messages }) => `\n${id} ${JSON.stringify(messagesCode(messages))}`);
  return [
    `let read; export const rules = () => (read ??= JSON.parse(${place('rules', JSON.stringify(rules.map(withoutPage)))}));`,
    `export const profiles = JSON.parse(${place('profiles', JSON.stringify(profiles))});`,
    `let lines, last = 0;`,
    `export function messages(id) {`,
    `  lines ??= ${place('messages', `${lines.join('')}\n`)};`,
    // Rules are asked one after the other.
    '  let at = lines.indexOf(`\\n${id} `, last);',
    '  if (at < 0) at = lines.indexOf(`\\n${id} `);',
    `  if (at < 0) return undefined;`,
    `  last = at;`,
    `  const start = at + id.length + 2;`,
    "  return JSON.parse(lines.slice(start, lines.indexOf('\\n', start)));",
    `}`,
  ].join('\n');
}

/** The messages of a rule as data. */
export function messagesCode(messages: RulePage['messages']): Readonly<Record<string, RuleMessage>> {
  return Object.fromEntries(
    Object.entries(messages).map(([id, { text, advice }]) => [
      id,
      { text: messageCode(text), advice: messageCode(advice) },
    ]),
  );
}

/** The text of the module `virtual:builtin-rule-pages`: the whole rules. */
export async function rulePagesModule(
  rulesFolder: string,
  profilesFolder: string,
  place: Place,
): Promise<string> {
  const { rules } = await readRuleFiles(rulesFolder, profilesFolder);
  return `export const pages = JSON.parse(${place('pages', JSON.stringify(rules))});`;
}

/** What of a rule a run needs; reports show it or judge by it. */
export function withoutPage(page: RulePage): Rule {
  const { id, title, category, applies, severity, why, references, check, when, messages, fix, yields } =
    page;
  return {
    id,
    title,
    category,
    applies,
    severity,
    why,
    references,
    ...(check === undefined ? {} : { check }),
    ...(when === undefined ? {} : { when }),
    ...(yields === undefined ? {} : { yields }),
    messages: Object.fromEntries(Object.keys(messages).map((name) => [name, {}])),
    fix,
  };
}
