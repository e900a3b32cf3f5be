import { explainText } from '../reports/explain.ts';
import { jsonText } from '../reports/json.ts';
import { rulePage } from '../reports/rule-page.ts';
import { usualLevel } from '../rules/profile.ts';
import { BUILTIN_PROFILE_NAMES, builtinProfile } from '../rules/rule-set.ts';
import { UsageError } from './errors.ts';
import { isOn, type Request, textOf } from './options.ts';
import { ruleId } from './rule-option.ts';
import { out, outputPalette, outputWidth } from './terminal.ts';

/** `pfharden explain RULE`: the page of a rule. */
export async function explain({ words, given }: Request): Promise<number> {
  const [word, ...more] = words;
  if (word === undefined || more.length > 0)
    throw new UsageError('explain takes the id of one rule', 'explain');
  const id = ruleId(word, 'explain');
  const { pages } = await import('virtual:builtin-rule-pages');
  const rule = pages.find((page) => page.id === id);
  if (rule === undefined) throw new UsageError(`there is no page for ${id}`, 'explain');
  const profiles = BUILTIN_PROFILE_NAMES.map(builtinProfile);
  if (textOf(given, 'format') === 'json') {
    const { title, category, why, background = [], wire = [], references, fix, manual = [], examples } = rule;
    const severity = Object.fromEntries(profiles.map((profile) => [profile.name, usualLevel(profile, rule)]));
    out(
      `${jsonText({
        version: 1,
        rule: {
          id,
          title,
          category,
          severity,
          why,
          wire,
          background,
          references,
          fix: fix.kind,
          manual,
          examples,
        },
      })}\n`,
    );
  } else {
    out(
      explainText(rulePage(rule, profiles), {
        width: outputWidth(),
        palette: outputPalette(isOn(given, 'no-color')),
      }),
    );
  }
  return 0;
}
