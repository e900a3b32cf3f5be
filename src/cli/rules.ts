import { exampleChecks, isKept } from '../fix/check-example.ts';
import { exampleChecksText } from '../reports/example-checks.ts';
import { jsonText } from '../reports/json.ts';
import { listedRules, ruleListText } from '../reports/rule-list.ts';
import { BUILTIN_PROFILE_NAMES, builtinProfile, DEFAULT_PROFILE } from '../rules/rule-set.ts';
import { UsageError } from './errors.ts';
import { isOn, listOf, type Request, textOf } from './options.ts';
import { checkedRules, RunRules } from './own-rules.ts';
import { ownProfiles } from './profile-option.ts';
import { err, out, outputPalette } from './terminal.ts';

/** `pfharden rules`: all rules with their severities; with --check what comes of the examples of own ones. */
export async function rules({ words, given }: Request): Promise<number> {
  if (words.length > 0)
    throw new UsageError('rules takes no words; pfharden explain RULE explains one', 'rules');
  const json = textOf(given, 'format') === 'json';
  const palette = outputPalette(json || isOn(given, 'no-color'));
  const checked = listOf(given, 'check');
  if (checked.length > 0) return check([...checked, ...listOf(given, 'rules')], json, palette);
  const loaded = await RunRules.here(listOf(given, 'rules'));
  const profiles = [...BUILTIN_PROFILE_NAMES.map(builtinProfile), ...(await ownProfiles(loaded)).values()];
  const listed = listedRules(loaded.ruleSet.rules, profiles);
  out(json ? `${jsonText({ version: 1, rules: listed })}\n` : ruleListText(listed, palette));
  return 0;
}

/**
 * Runs the examples of all rules in folders.
 *
 * @returns 0 where all came as promised, 1 where one did not, 2 where a rule or profile is wrong
 */
async function check(
  folders: readonly string[],
  json: boolean,
  palette: ReturnType<typeof outputPalette>,
): Promise<number> {
  const { problems, ...loaded } = await checkedRules(folders);
  const profiles = problems.length > 0 ? new Map<string, never>() : await ownProfiles(loaded);
  for (const { message } of problems) err(`pfharden: ${message}\n`);
  if (problems.length > 0) return 2;
  const profileOf = (name: string = DEFAULT_PROFILE) => profiles.get(name) ?? builtinProfile(name);
  const results = loaded.own.map((rule) => ({
    id: rule.id,
    checks: exampleChecks(rule, loaded.ruleSet, profileOf).map(({ does, title, run }) => ({
      does,
      title,
      ...run(),
    })),
  }));
  const kept = results.every(({ checks }) => checks.every((one) => isKept(one)));
  if (json) {
    out(
      `${jsonText({
        version: 1,
        rules: results.map(({ id, checks }) => ({
          id,
          examples: checks.map((one) => ({ ...one, kept: isKept(one) })),
        })),
        profiles: [...profiles.keys()],
      })}\n`,
    );
  } else out(exampleChecksText(results, [...profiles.keys()], palette));
  return kept ? 0 : 1;
}
