import { buildHost, type Host } from '../hosts/host.ts';
import { hostInputFromTexts } from '../hosts/texts.ts';
import type { Finding } from '../model/finding.ts';
import { evaluate } from '../rules/evaluate.ts';
import type { Profile } from '../rules/profile.ts';
import { type Example, exampleText, type Rule } from '../rules/rule.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { type FixResult, proposeFixes } from './fix.ts';

/** What `pfharden fix` makes of an example: all of it, all of it with `--unsafe` alone, a part, or nothing. */
export type FixOutcome = 'mended' | 'unsafe' | 'part' | 'left';

/** What a rule finds in an example of it. */
export interface ExampleRun {
  readonly host: Host;
  readonly findings: readonly Finding[];
}

/** The texts of the files of an example. */
export function exampleTexts({ files }: Pick<Example, 'files'>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, exampleText(text)]));
}

/** Judges an example by the rule that it belongs to, and by no other. */
export function runExample(
  rule: Pick<Rule, 'id'>,
  example: Example,
  ruleSet: RuleSet,
  profile: Profile,
): ExampleRun {
  const host = buildHost(hostInputFromTexts(exampleTexts(example), example));
  const reasonRequired = example.silencing?.reason === 'required';
  return { host, findings: evaluate(host, ruleSet, profile, { only: new Set([rule.id]), reasonRequired }) };
}

/** Mends what that rule finds in an example, with `--unsafe` or without. */
export function fixExample(
  rule: Pick<Rule, 'id'>,
  example: Example,
  ruleSet: RuleSet,
  profile: Profile,
  unsafe: boolean,
): FixResult {
  const input = hostInputFromTexts(exampleTexts(example), example);
  const reasonRequired = example.silencing?.reason === 'required';
  return proposeFixes(input, ruleSet, profile, { only: new Set([rule.id]), unsafe, reasonRequired });
}

/** What comes of fixing an example without `--unsafe` and, where that leaves something, with it. */
export function fixOutcome(
  rule: Pick<Rule, 'id'>,
  example: Example,
  ruleSet: RuleSet,
  profile: Profile,
): FixOutcome {
  const safe = fixExample(rule, example, ruleSet, profile, false);
  const left = (result: FixResult): boolean => result.findingsAfter.some(({ rule: id }) => id === rule.id);
  if (!left(safe)) return 'mended';
  const unsafe = fixExample(rule, example, ruleSet, profile, true);
  if (!left(unsafe)) return 'unsafe';
  return unsafe.files.length > 0 ? 'part' : 'left';
}
