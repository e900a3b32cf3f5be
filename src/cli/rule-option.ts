import { andList } from '../rules/messages.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { nearest } from '../text/nearest.ts';
import { UsageError } from './errors.ts';
import type { CommandName } from './options.ts';

/**
 * The ids that a user means by one: what stands before the last slash may be left out, and then the rules
 * of that name of both servers are meant.
 *
 * @throws UsageError with the nearest id
 */
function meantRules(text: string, command: CommandName, { rules }: RuleSet): readonly string[] {
  const ids = rules.map(({ id }) => id);
  if (ids.includes(text)) return [text];
  const ending = ids.filter((id) => id.endsWith(`/${text}`));
  if (ending.length > 0) return ending;
  const name = nearest(text, new Set(ids.map((id) => id.replace(/^.*\//, ''))));
  const meant = nearest(text, ids) ?? ids.find((id) => id.endsWith(`/${name}`));
  throw new UsageError(
    `there is no rule "${text}"${meant === undefined ? '; pfharden rules lists them' : `; did you mean ${meant}?`}`,
    command,
  );
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
