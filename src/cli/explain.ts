import { explainJson, explainText } from '../reports/explain.ts';
import { jsonText } from '../reports/json.ts';
import { rulePage } from '../reports/rule-page.ts';
import { BUILTIN_PROFILE_NAMES, builtinProfile, DEFAULT_PROFILE } from '../rules/rule-set.ts';
import { UsageError } from './errors.ts';
import { isOn, listOf, type Request, textOf } from './options.ts';
import { RunRules } from './own-rules.ts';
import { ownProfiles } from './profile-option.ts';
import { ruleId } from './rule-option.ts';
import { out, outputPalette, outputWidth } from './terminal.ts';

/** Bad and good examples that a terminal shows; JSON has them all. */
const MOST_EXAMPLES = 2;
/** Columns that an example is set in from the left. */
const INDENT = 6;

/** `pfharden explain RULE`: the page of a rule. */
export async function explain({ words, given }: Request): Promise<number> {
  const [word, ...more] = words;
  if (word === undefined || more.length > 0)
    throw new UsageError('explain takes the id of one rule; pfharden rules lists them', 'explain');
  const rules = await RunRules.here(listOf(given, 'rules'));
  const id = ruleId(word, 'explain', rules.ruleSet);
  const { pages } = await import('virtual:builtin-rule-pages');
  const rule = [...pages, ...rules.own].find((page) => page.id === id);
  if (rule === undefined) throw new UsageError(`there is no page for ${id}`, 'explain');
  const json = textOf(given, 'format') === 'json';
  const width = outputWidth();
  const palette = outputPalette(json || isOn(given, 'no-color'));
  const own = await ownProfiles(rules);
  const profiles = [...BUILTIN_PROFILE_NAMES.map(builtinProfile), ...own.values()];
  const page = rulePage(rule, {
    ruleSet: rules.ruleSet,
    profiles,
    profileOf: (name = DEFAULT_PROFILE) => own.get(name) ?? builtinProfile(name),
    width: width - INDENT,
    palette,
    ...(json ? {} : { mostExamples: MOST_EXAMPLES }),
  });
  out(json ? `${jsonText(explainJson(rule, page, profiles))}\n` : explainText(page, { width, palette }));
  return 0;
}
