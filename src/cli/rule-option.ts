import { andList } from '../rules/messages.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { rulesMeant } from '../rules/rules-meant.ts';
import { UsageError } from './errors.ts';
import type { CommandName } from './options.ts';

/** @throws UsageError with the nearest id */
function meantRules(text: string, command: CommandName, ruleSet: RuleSet): readonly string[] {
  const ids = rulesMeant(text, ruleSet);
  if (typeof ids === 'string') throw new UsageError(ids, command);
  return ids;
}

/**
 * The id of the one rule that a user wrote.
 *
 * @throws UsageError where there is none, or one for each server
 */
export function ruleId(text: string, command: CommandName, ruleSet: RuleSet): string {
  const [id, ...more] = meantRules(text, command, ruleSet);
  if (id === undefined || more.length > 0)
    throw new UsageError(
      `"${text}" is the name of ${andList([id ?? '', ...more])}: write one of them`,
      command,
    );
  return id;
}

/** The ids of a list option; undefined for an empty list, which means all rules. */
export function ruleIds(
  texts: readonly string[],
  command: CommandName,
  ruleSet: RuleSet,
): ReadonlySet<string> | undefined {
  return texts.length === 0
    ? undefined
    : new Set(texts.flatMap((text) => meantRules(text, command, ruleSet)));
}
