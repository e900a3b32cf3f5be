import { explainJson, explainText } from '../reports/explain.ts';
import { jsonText } from '../reports/json.ts';
import { rulePage } from '../reports/rule-page.ts';
import { BUILTIN_PROFILE_NAMES, BUILTIN_RULES, builtinProfile, DEFAULT_PROFILE } from '../rules/rule-set.ts';
import { UsageError } from './errors.ts';
import { isOn, type Request, textOf } from './options.ts';
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
    throw new UsageError('explain takes the id of one rule', 'explain');
  const id = ruleId(word, 'explain');
  const { pages } = await import('virtual:builtin-rule-pages');
  const rule = pages.find((page) => page.id === id);
  if (rule === undefined) throw new UsageError(`there is no page for ${id}`, 'explain');
  const json = textOf(given, 'format') === 'json';
  const width = outputWidth();
  const palette = outputPalette(json || isOn(given, 'no-color'));
  const profiles = BUILTIN_PROFILE_NAMES.map(builtinProfile);
  const page = rulePage(rule, {
    ruleSet: BUILTIN_RULES,
    profiles,
    profileOf: (name = DEFAULT_PROFILE) => builtinProfile(name),
    width: width - INDENT,
    palette,
    ...(json ? {} : { mostExamples: MOST_EXAMPLES }),
  });
  out(json ? `${jsonText(explainJson(rule, page, profiles))}\n` : explainText(page, { width, palette }));
  return 0;
}
