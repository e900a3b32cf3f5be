import type { Level } from '../model/finding.ts';
import { type Profile, severityOf } from '../rules/profile.ts';
import type { Rule } from '../rules/rule.ts';
import { columns, type ProfileTableFormat, rowLabel } from './profile-table.ts';
import { type ThresholdRow, thresholdRows, thresholdText } from './threshold-rows.ts';
import { labelled, shownText } from './words.ts';

/** A rule, or one message of it, that counts differently under two profiles. */
interface SeverityDifference {
  readonly rule: string;
  /** Null: the whole rule. */
  readonly message: string | null;
  readonly levels: readonly [Level, Level];
}

/** All in which two profiles differ. */
export interface ProfileDifference {
  readonly thresholds: readonly ThresholdRow[];
  readonly severity: readonly SeverityDifference[];
}

/** Compares two profiles; a difference in sources alone is none. */
export function profileDifference(a: Profile, b: Profile, rules: readonly Rule[]): ProfileDifference {
  return {
    thresholds: thresholdRows([a, b], 'sources').filter(
      ({ values }) => JSON.stringify(values[0]) !== JSON.stringify(values[1]),
    ),
    severity: rules.flatMap((rule) => ruleDifferences(a, b, rule)),
  };
}

function ruleDifferences(a: Profile, b: Profile, rule: Rule): SeverityDifference[] {
  const all = Object.keys(rule.messages).map((message): SeverityDifference => {
    const levels = [severityOf(a, rule, message), severityOf(b, rule, message)] as const;
    return { rule: rule.id, message, levels };
  });
  const different = all.filter(({ levels }) => levels[0] !== levels[1]);
  const [first] = different;
  if (first === undefined) return [];
  const whole =
    different.length === all.length && all.every(({ levels }) => levels.join() === first.levels.join());
  return whole ? [{ ...first, message: null }] : different;
}

/** The difference for a terminal; null where there is none. */
export function differenceText(
  [a, b]: readonly [Profile, Profile],
  { thresholds, severity }: ProfileDifference,
  { palette, width }: ProfileTableFormat,
): string | null {
  if (thresholds.length === 0 && severity.length === 0) return null;
  const names = [a.name, b.name];
  const lines: string[] = [];
  if (thresholds.length > 0) {
    const rows = thresholds.map((row) => ({ label: rowLabel(row), cells: row.values.map(thresholdText) }));
    lines.push(
      ...columns([{ label: 'thresholds', cells: names, style: palette.strong }, ...rows], width),
      '',
    );
    lines.push(palette.strong('Sources'));
    for (const row of thresholds) {
      lines.push(`  ${rowLabel(row)}`);
      for (const [index, name] of names.entries())
        lines.push(...labelled('', shownText(`${name}: ${row.sources[index]}`), 4, 0, width));
    }
  }
  if (severity.length > 0) {
    if (lines.length > 0) lines.push('');
    const rows = severity.map(({ rule, message, levels }) => ({
      label: message === null ? rule : `${rule}: ${message}`,
      cells: levels,
    }));
    lines.push(...columns([{ label: 'severity', cells: names, style: palette.strong }, ...rows], width));
  }
  return `${lines.join('\n')}\n`;
}

/** The difference as `profiles --diff --format json` gives it. */
export function differenceJson({ thresholds, severity }: ProfileDifference) {
  return {
    thresholds: thresholds.map(({ name, parts, values, sources }) => ({ name, parts, values, sources })),
    severity,
  };
}
