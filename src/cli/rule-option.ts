import { BUILTIN_RULES } from '../rules/rule-set.ts';
import { nearest } from '../text/nearest.ts';
import { UsageError } from './errors.ts';
import type { CommandName } from './options.ts';

/**
 * The id of a rule that a user wrote; what stands before its last slash may be left out.
 *
 * @throws UsageError with the nearest id
 */
export function ruleId(text: string, command: CommandName): string {
  const ids = BUILTIN_RULES.rules.map(({ id }) => id);
  if (ids.includes(text)) return text;
  const ending = ids.filter((id) => id.endsWith(`/${text}`));
  if (ending.length === 1 && ending[0] !== undefined) return ending[0];
  const name = nearest(
    text,
    ids.map((id) => id.replace(/^.*\//, '')),
  );
  const meant = nearest(text, ids) ?? ids.find((id) => id.endsWith(`/${name}`));
  throw new UsageError(
    `there is no rule "${text}"${meant === undefined ? '; pfharden rules lists them' : `; did you mean ${meant}?`}`,
    command,
  );
}

/** The ids of a list option; undefined for an empty list, which means all rules. */
export function ruleIds(texts: readonly string[], command: CommandName): ReadonlySet<string> | undefined {
  return texts.length === 0 ? undefined : new Set(texts.map((text) => ruleId(text, command)));
}
