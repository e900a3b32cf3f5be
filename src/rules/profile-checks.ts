import { THRESHOLD_PARTS } from '../model/thresholds.ts';
import { nearest } from '../text/nearest.ts';
import type { Severities } from './profile.ts';
import type { RuleSet } from './rule-set.ts';

/**
 * Holds the ids in levels against the rules.
 *
 * @param error makes the error at the place of an id
 * @throws what `error` makes
 */
export function checkSeverity(
  severity: Severities,
  rules: RuleSet,
  error: (problem: string, rule: string, message?: string) => Error,
): void {
  for (const [id, levels] of Object.entries(severity)) {
    const rule = rules.find(id);
    if (rule === undefined) throw error(`there is no rule "${id}"${ruleHint(id, rules)}`, id);
    if (typeof levels === 'string') continue;
    const messages = [...Object.keys(rule.messages), '*'];
    const unknown = Object.keys(levels).find((message) => !messages.includes(message));
    if (unknown === undefined) continue;
    const meant = nearest(unknown, messages);
    const hint = meant === null ? `: ${messages.join(', ')}` : `; did you mean "${meant}"?`;
    throw error(`${id} has no message "${unknown}"${hint}`, id, unknown);
  }
}

/** The rule that was probably meant; one whose name was given without what stands before it too. */
function ruleHint(id: string, { rules }: RuleSet): string {
  const ids = rules.map((rule) => rule.id);
  const meant = nearest(id, ids) ?? ids.find((known) => known.endsWith(`/${id}`));
  return meant === undefined ? '; see pfharden rules' : `; did you mean "${meant}"?`;
}

/** Thresholds and their parts, as `sources` of a profile names them. */
const SOURCE_NAMES: readonly string[] = Object.entries(THRESHOLD_PARTS).flatMap(([name, parts]) => [
  name,
  ...parts.map((part) => `${name}.${part}`),
]);

/**
 * Checks that the sources of a profile are those of thresholds.
 *
 * @param error makes the error at the place of a name
 * @throws what `error` makes
 */
export function checkSources(
  sources: Readonly<Record<string, string>>,
  error: (problem: string, name: string) => Error,
): void {
  for (const name of Object.keys(sources)) {
    if (SOURCE_NAMES.includes(name)) continue;
    const meant = nearest(name, SOURCE_NAMES);
    const hint =
      meant === null ? `: ${Object.keys(THRESHOLD_PARTS).join(', ')}` : `; did you mean "${meant}"?`;
    throw error(`there is no threshold "${name}"${hint}`, name);
  }
}
