import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messagesCode, withoutPage } from '../../src/build/rules-module.ts';
import type { ProfileFile } from '../../src/rules/profile.ts';
import type { RulePage } from '../../src/rules/rule.ts';

// Stands in for the two modules that the build makes: the same files, read when the tests run.
function files<T>(folder: string): T[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json') && !file.endsWith('.schema.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T);
}

const root = join(__dirname, '..', '..');

export const pages = files<RulePage>(join(root, 'rules'));
const withoutPages = pages.map(withoutPage);
export const rules = () => withoutPages;
export const profiles = files<ProfileFile>(join(root, 'profiles'));

export function messages(id: string) {
  const page = pages.find((rule) => rule.id === id);
  return page === undefined ? undefined : messagesCode(page.messages);
}
