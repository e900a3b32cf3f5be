import type { Profile } from '../rules/profile.ts';
import type { Palette } from './palette.ts';
import { THRESHOLD_LABELS, type ThresholdRow, thresholdRows, thresholdText } from './threshold-rows.ts';
import { labelled, shownText, wrap } from './words.ts';

/** Widest column of labels, but for a longer word, and narrowest one of a profile. */
const LABELS = 34;
const COLUMN = 12;

/** How tables of profiles are written. */
export interface ProfileTableFormat {
  readonly palette: Palette;
  readonly width: number;
}

/** A line of a table: what it is about, and what stands in the column of each profile. */
export interface TableLine {
  readonly label: string;
  readonly cells: readonly string[];
  readonly style?: (text: string) => string;
}

/** The thresholds of profiles side by side, and the standard that each follows. */
export function profileTable(profiles: readonly Profile[], format: ProfileTableFormat): string {
  const { palette, width } = format;
  const lines = columns(
    [
      { label: '', cells: profiles.map(({ name }) => name), style: palette.strong },
      { label: 'for', cells: profiles.map((profile) => profile.for), style: palette.dim },
      ...thresholdRows(profiles, 'values').map((row) => ({
        label: rowLabel(row),
        cells: row.values.map(thresholdText),
      })),
    ],
    width,
  );
  lines.push('', palette.strong('Sources'));
  for (const profile of profiles) {
    lines.push(`  ${shownText(profile.name)}`);
    for (const row of thresholdRows([profile], 'sources'))
      lines.push(...labelled('', shownText(`${rowLabel(row)}: ${row.sources[0]}`), 4, 0, width));
  }
  return `${lines.join('\n')}\n`;
}

/** The threshold, and its parts where it has some. */
export function rowLabel({ name, where }: ThresholdRow): string {
  return where === '' ? THRESHOLD_LABELS[name] : `${THRESHOLD_LABELS[name]}: ${where}`;
}

/** Lines with a column for each profile, all of them wrapped within their columns. */
export function columns(rows: readonly TableLine[], width: number): string[] {
  const number = Math.max(1, rows[0]?.cells.length ?? 1);
  const longest = Math.max(...rows.flatMap(({ label }) => label.split(' ').map((word) => word.length)));
  const labelWidth = Math.max(longest, Math.min(LABELS, Math.max(...rows.map(({ label }) => label.length))));
  const column = Math.max(COLUMN, Math.floor((width - labelWidth - 2 * number) / number));
  return rows.flatMap(({ label, cells, style = unstyled }) => {
    const labels = wrap(shownText(label), labelWidth);
    const texts = cells.map((cell) => wrap(shownText(cell), column));
    const height = Math.max(labels.length, ...texts.map((text) => text.length));
    return Array.from({ length: height }, (_, line) => {
      const found = texts.map((text) => (text[line] ?? '').padEnd(column));
      return style(`${(labels[line] ?? '').padEnd(labelWidth)}  ${found.join('  ')}`.trimEnd());
    });
  });
}

function unstyled(line: string): string {
  return line;
}
