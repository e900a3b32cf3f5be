import { jsonText } from '../reports/json.ts';
import { listedRules, ruleListText } from '../reports/rule-list.ts';
import { BUILTIN_PROFILE_NAMES, BUILTIN_RULES, builtinProfile } from '../rules/rule-set.ts';
import { UsageError } from './errors.ts';
import { isOn, type Request, textOf } from './options.ts';
import { out, outputPalette } from './terminal.ts';

/** `pfharden rules`: all rules with their severities. */
export function rules({ words, given }: Request): number {
  if (words.length > 0)
    throw new UsageError('rules takes no words; pfharden explain RULE explains one', 'rules');
  const listed = listedRules(BUILTIN_RULES.rules, BUILTIN_PROFILE_NAMES.map(builtinProfile));
  const json = textOf(given, 'format') === 'json';
  out(
    json
      ? `${jsonText({ version: 1, rules: listed })}\n`
      : ruleListText(listed, outputPalette(isOn(given, 'no-color'))),
  );
  return 0;
}
