import type { Level } from '../model/finding.ts';
import { type Profile, usualLevel } from '../rules/profile.ts';
import type { Rule } from '../rules/rule.ts';
import type { Palette } from './palette.ts';

/** A rule in one line. */
export interface ListedRule {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  /** By profile, the gravest level that any of its messages has. */
  readonly severity: Readonly<Record<string, Level>>;
  readonly fix: Rule['fix']['kind'];
}

/** The rules in one line each, as `rules --format json` gives them. */
export function listedRules(rules: readonly Rule[], profiles: readonly Profile[]): ListedRule[] {
  return rules.map((rule) => ({
    id: rule.id,
    title: rule.title,
    category: rule.category,
    severity: Object.fromEntries(profiles.map((profile) => [profile.name, usualLevel(profile, rule)])),
    fix: rule.fix.kind,
  }));
}

/** The rules by category, with their severity by profile. */
export function ruleListText(rules: readonly ListedRule[], palette: Palette): string {
  const profiles = Object.keys(rules[0]?.severity ?? {});
  const longest = Math.max(0, ...rules.map(({ id }) => id.length));
  const widths = profiles.map((profile) => Math.max(profile.length, 'warning'.length));
  const categories = [...new Set(rules.map(({ category }) => category))].sort();
  const lines: string[] = [];
  for (const category of categories) {
    const heading = profiles.map((profile, index) => profile.padEnd(widths[index] ?? 0)).join('  ');
    lines.push(`${palette.strong(category.padEnd(longest + 2))}  ${palette.dim(`${heading}  fix`)}`);
    for (const { id, severity, fix, title } of rules.filter((rule) => rule.category === category)) {
      const levels = profiles.map((profile, index) => {
        const level = severity[profile] ?? 'off';
        const padded = level.padEnd(widths[index] ?? 0);
        return level === 'off' ? palette.dim(padded) : palette.severity[level](padded);
      });
      lines.push(`  ${id.padEnd(longest)}  ${levels.join('  ')}  ${fix}`, `      ${palette.dim(title)}`);
    }
    lines.push('');
  }
  lines.push('pfharden explain RULE says more on one of them.');
  return `${lines.join('\n')}\n`;
}
