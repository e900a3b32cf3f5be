// Writes the pages of the rules, docs/rules.md and docs/rules/, from the rule files,
// docs/restrictions.md from the table of restrictions, and the man page from what the help is made of.
//
//   npm run docs            writes them and removes what no rule stands for any more
//   npm run docs:check      changes nothing; fails and names the pages that are not as they would be written
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Handlebars from 'handlebars';
import { type FixOutcome, fixOutcome } from '../fix/example-run.ts';
import { PLAIN } from '../reports/palette.ts';
import { listedRules } from '../reports/rule-list.ts';
import { type PageView, rulePage } from '../reports/rule-page.ts';
import { harmless } from '../reports/words.ts';
import type { Profile } from '../rules/profile.ts';
import type { RulePage } from '../rules/rule.ts';
import { BUILTIN_PROFILE_NAMES, BUILTIN_RULES, builtinProfile, DEFAULT_PROFILE } from '../rules/rule-set.ts';
import { manPage } from './man-page.ts';
import { profilesPage } from './profile-docs.ts';
import { restrictionPage } from './restriction-page.ts';
import { readRuleFiles } from './rules-module.ts';

const FOLDER = 'docs/rules';
const INDEX = 'docs/rules.md';

/** Columns of what the pages show of lint. */
const WIDTH = 80;

/** All pages by their path from the root of the repository. */
async function pages(): Promise<Map<string, string>> {
  const { rules } = await readRuleFiles('rules', 'profiles');
  const profiles = BUILTIN_PROFILE_NAMES.map(builtinProfile);
  const [ruleTemplate, indexTemplate] = await Promise.all(['rule', 'rules'].map(template));
  const made = new Map<string, string>();
  const views = rules.map((rule) =>
    rulePage(rule, { ruleSet: BUILTIN_RULES, profiles, profileOf, width: WIDTH, palette: PLAIN }),
  );
  for (const view of views) made.set(`${FOLDER}/${view.id}.md`, ruleTemplate?.(forTemplate(view)) ?? '');
  const listed = listedRules(rules, profiles);
  const categories = [...new Set(listed.map(({ category }) => category))].sort().map((name) => ({
    name,
    profiles: BUILTIN_PROFILE_NAMES,
    rules: listed
      .filter(({ category }) => category === name)
      .map((rule) => ({
        ...rule,
        title: cell(rule.title),
        rationale: cell(rationaleCell(views.find(({ id }) => id === rule.id))),
        levels: BUILTIN_PROFILE_NAMES.map((profile) => rule.severity[profile]),
      })),
  }));
  const runs = rules.map((rule, index) => exampleRow(rule, views[index]));
  made.set(INDEX, indexTemplate?.({ count: listed.length, categories, runs }) ?? '');
  made.set('docs/restrictions.md', restrictionPage());
  made.set('docs/profiles.md', await profilesPage(profiles));
  made.set('docs/pfharden.1', await manPage());
  return made;
}

function profileOf(name = DEFAULT_PROFILE): Profile {
  return builtinProfile(name);
}

/** Why a rule counts as it does, in one cell. */
function rationaleCell(view: PageView | undefined): string {
  if (view === undefined || view.rationale !== '') return view?.rationale ?? '';
  const said = view.levels.filter(({ why }) => why !== '');
  return said.map(({ profile, why }) => `${profile}: ${why}`).join(' ');
}

/** What `fix` makes of an example, in the words of the table. */
const OUTCOMES: Readonly<Record<FixOutcome, string>> = {
  mended: 'mends it',
  unsafe: 'mends it with `--unsafe`',
  part: 'mends a part with `--unsafe`',
  left: 'leaves it to you',
};

function exampleRow(rule: RulePage, view: PageView | undefined): object {
  const [example] = rule.examples.bad;
  const [shown] = view?.bad ?? [];
  if (example === undefined || shown === undefined) throw new Error(`${rule.id}: no bad example`);
  const places = shown.findings.map(({ file, line }) => `${file}:${line}`);
  return {
    id: rule.id,
    title: cell(shown.title),
    places: [...new Set(places)].join(', '),
    message: cell(harmless(shown.findings[0]?.message ?? '')),
    outcome: OUTCOMES[fixOutcome(rule, example, BUILTIN_RULES, profileOf(example.profile))],
    bad: rule.examples.bad.length,
    good: rule.examples.good.length,
  };
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
    sources: prose(page.references.join('; ')),
    byProfile: page.rationale === '' && page.levels.some(({ why }) => why !== ''),
    levels: page.levels.map((level) => ({ ...level, why: cell(level.why) })),
    rationale: prose(page.rationale),
    background: page.background.map(prose),
    wire: page.wire.map(prose),
    manual: page.manual.map((manual) => ({
      ...manual,
      text: prose(manual.text),
      commands: manual.run.join('\n'),
    })),
    comment: page.silence.comment,
    bad: page.bad.map((example) => ({ ...example, reportText: example.report.join('\n') })),
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
