import { nearest } from '../text/nearest.ts';
import type { RuleSet } from './rule-set.ts';

/**
 * The ids that a user means by one: what stands before the last slash may be left out, and then the rules
 * of that name of both servers are meant.
 *
 * @returns the ids, or where there are none, what is wrong, in words
 */
export function rulesMeant(text: string, { rules }: RuleSet): readonly string[] | string {
  const ids = rules.map(({ id }) => id);
  if (ids.includes(text)) return [text];
  const ending = ids.filter((id) => id.endsWith(`/${text}`));
  if (ending.length > 0) return ending;
  const name = nearest(text, new Set(ids.map((id) => id.replace(/^.*\//, ''))));
  const meant = nearest(text, ids) ?? ids.find((id) => id.endsWith(`/${name}`));
  return `there is no rule "${text}"${meant === undefined ? '; pfharden rules lists them' : `; did you mean ${meant}?`}`;
}
