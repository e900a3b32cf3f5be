import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import Handlebars from 'handlebars';
import { withoutPage } from '../../src/build/rules-module.ts';
import { TEMPLATE_OPTIONS } from '../../src/rules/messages.ts';
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
export const rules = pages.map(withoutPage);
export const profiles = files<ProfileFile>(join(root, 'profiles'));

function compiled(template: string): unknown {
  return runInThisContext(`(${Handlebars.precompile(template, TEMPLATE_OPTIONS) as unknown as string})`);
}

export const templates = Object.fromEntries(
  pages.map((rule) => [
    rule.id,
    () =>
      Object.fromEntries(
        Object.entries(rule.messages).map(([id, { text, advice }]) => [
          id,
          { text: compiled(text), advice: compiled(advice) },
        ]),
      ),
  ]),
);
