import { type Comparison, type ExampleCheck, isKept } from '../fix/check-example.ts';
import type { Palette } from './palette.ts';
import { count, shownText } from './words.ts';

/** The examples of one rule, run. */
export interface CheckedRule {
  readonly id: string;
  readonly checks: readonly (Pick<ExampleCheck, 'does' | 'title'> & Comparison)[];
}

/** Lines of a file that are shown where it is not as an example says. */
const MOST_LINES = 12;

/** What came of the examples of rules: a line for each that is kept, and what was expected where one is not. */
export function exampleChecksText(
  rules: readonly CheckedRule[],
  profiles: readonly string[],
  palette: Palette,
): string {
  const lines: string[] = [];
  for (const { id, checks } of rules) {
    lines.push(palette.strong(id));
    for (const check of checks) {
      const kept = isKept(check);
      const mark = kept ? palette.dim('ok  ') : palette.severity.error('not ');
      lines.push(`  ${mark}  ${check.does}: ${shownText(check.title)}`);
      if (!kept) lines.push(...differences(check));
    }
  }
  const all = rules.flatMap(({ checks }) => checks);
  const failed = all.filter((check) => !isKept(check)).length;
  if (lines.length > 0) lines.push('');
  const of = `${count(rules.length, 'rule')}${profiles.length === 0 ? '' : `, ${count(profiles.length, 'profile')} (${profiles.join(', ')})`}`;
  lines.push(
    failed === 0
      ? `${of}: ${count(all.length, 'example')}, all as promised`
      : `${of}: ${failed} of ${count(all.length, 'example')} not as promised`,
  );
  return `${lines.join('\n')}\n`;
}

function differences({ expected, found }: Comparison): string[] {
  const onlyIn = (lines: readonly string[], others: readonly string[]): readonly string[] => {
    const left = lines.filter((line) => !others.includes(line));
    // The same lines in another order, or one of them twice.
    return left.length > 0 || lines.length <= others.length ? left : lines;
  };
  const missing = onlyIn(expected, found);
  const surplus = onlyIn(found, expected);
  const same = missing.length + surplus.length === 0;
  return [...section('expected', same ? expected : missing), ...section('found', same ? found : surplus)];
}

function section(title: string, lines: readonly string[]): string[] {
  const label = `      ${title.padEnd(8)}  `;
  if (lines.length === 0) return [`${label}nothing${title === 'expected' ? '' : ' of it'}`];
  const rest = lines.length - MOST_LINES;
  const shown = lines.slice(0, MOST_LINES).map((line, index) => {
    return `${index === 0 ? label : ' '.repeat(label.length)}${shownText(line, 300)}`;
  });
  return rest > 0 ? [...shown, `${' '.repeat(label.length)}and ${count(rest, 'more line')}`] : shown;
}
