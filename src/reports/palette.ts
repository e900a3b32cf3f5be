import type { Severity } from '../model/finding.ts';

/** Ways to make a text stand out; plain ones give the text back. */
export interface Palette {
  readonly severity: Readonly<Record<Severity, (text: string) => string>>;
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
}

const same = (text: string): string => text;
const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;

/** For files, pipes, and whoever asked for no colours. */
export const PLAIN: Palette = {
  severity: { error: same, warning: same, info: same },
  strong: same,
  dim: same,
};

/** For terminals: the eight colours that every terminal has, so that its own scheme decides on the shades. */
export const COLOURED: Palette = {
  severity: { error: sgr(31, 39), warning: sgr(33, 39), info: sgr(36, 39) },
  strong: sgr(1, 22),
  dim: sgr(2, 22),
};

/** The palette for an output that has colours or has not. */
export function paletteOf(coloured: boolean): Palette {
  return coloured ? COLOURED : PLAIN;
}
