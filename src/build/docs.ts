// Writes the pages of the rules, docs/rules.md and docs/rules/, from the rule files, and
// docs/restrictions.md from the table of restrictions.
//
//   npm run docs            writes them and removes what no rule stands for any more
//   npm run docs:check      changes nothing; fails and names the pages that are not as they would be written
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Handlebars from 'handlebars';
import { listedRules } from '../reports/rule-list.ts';
import { type PageView, rulePage } from '../reports/rule-page.ts';
import { type Profile, resolveProfile } from '../rules/profile.ts';
import { BUILTIN_PROFILE_NAMES } from '../rules/rule-set.ts';
import { restrictionPage } from './restriction-page.ts';
import { readRuleFiles } from './rules-module.ts';

const FOLDER = 'docs/rules';
const INDEX = 'docs/rules.md';

/** All pages by their path from the root of the repository. */
async function pages(): Promise<Map<string, string>> {
  const { rules, profiles: files } = await readRuleFiles('rules', 'profiles');
  const profiles = BUILTIN_PROFILE_NAMES.map((name): Profile => {
    const file = files.find((profile) => profile.name === name);
    if (file === undefined) throw new Error(`profiles/${name}.json is missing`);
    return resolveProfile(file, (extended) => files.find((profile) => profile.name === extended));
  });
  const [ruleTemplate, indexTemplate] = await Promise.all(['rule', 'rules'].map(template));
  const made = new Map<string, string>();
  for (const rule of rules) {
    const page = rulePage(rule, profiles);
    made.set(`${FOLDER}/${rule.id}.md`, ruleTemplate?.(forTemplate(page)) ?? '');
  }
  const listed = listedRules(rules, profiles);
  const categories = [...new Set(listed.map(({ category }) => category))].sort().map((name) => ({
    name,
    profiles: BUILTIN_PROFILE_NAMES,
    rules: listed
      .filter(({ category }) => category === name)
      .map((rule) => ({
        ...rule,
        title: cell(rule.title),
        levels: BUILTIN_PROFILE_NAMES.map((profile) => rule.severity[profile]),
      })),
  }));
  made.set(INDEX, indexTemplate?.({ count: listed.length, categories }) ?? '');
  made.set('docs/restrictions.md', restrictionPage());
  return made;
}

async function template(name: string): Promise<Handlebars.TemplateDelegate> {
  const text = await readFile(`templates/${name}.md.hbs`, 'utf8');
  return Handlebars.compile(text, { noEscape: true, strict: true, knownHelpersOnly: true });
}

function forTemplate(page: PageView): object {
  return {
    ...page,
    title: prose(page.title),
    why: prose(page.why),
    background: page.background.map(prose),
    wire: page.wire.map(prose),
    manual: page.manual.map(({ releases, text }) => ({ releases, text: prose(text) })),
    profiles: BUILTIN_PROFILE_NAMES,
    byMessage: page.severities.some(({ message }) => message !== ''),
    bad: page.bad.map((example) => ({ ...example, places: example.reported.join(', ') })),
    up: '../'.repeat(page.id.split('/').length),
  };
}

/** Text of a rule file as Markdown shows it: `*` and `<word>` stand for themselves outside code. */
function prose(text: string): string {
  return text.replace(/`[^`]*`|\*|<(?=[A-Za-z/!])/g, (found) =>
    found.startsWith('`') ? found : `\\${found}`,
  );
}

/** The same for a table. */
function cell(text: string): string {
  return prose(text).replaceAll('|', '\\|');
}

async function existing(): Promise<string[]> {
  const names = await readdir(FOLDER, { recursive: true }).catch((): string[] => []);
  return [INDEX, ...names.filter((name) => name.endsWith('.md')).map((name) => join(FOLDER, name))];
}

const made = await pages();
const superfluous = (await existing()).filter((path) => !made.has(path));
if (process.argv.includes('--check')) {
  const stale: string[] = [];
  for (const [path, text] of made) {
    const now = await readFile(path, 'utf8').catch(() => null);
    if (now !== text) stale.push(`${path}: ${now === null ? 'missing' : 'stale'}`);
  }
  const problems = [...stale, ...superfluous.map((path) => `${path}: no rule stands for it`)];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error('npm run docs writes them anew');
    process.exitCode = 1;
  }
} else {
  for (const path of superfluous) await rm(path);
  for (const [path, text] of made) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  console.log(`${made.size} pages`);
}
