import { shownText } from './words.ts';

/** Text as Markdown shows it, on one line of a table. */
export function plain(text: string): string {
  return shownText(text, Number.POSITIVE_INFINITY).replace(/[\\`*_{}[\]<>|#~@&]/g, (found) =>
    found === '@' ? '@\u200b' : `\\${found}`,
  );
}

/** The same as code. */
export function code(text: string): string {
  const line = shownText(text, Number.POSITIVE_INFINITY);
  const ticks = line.includes('`') ? '``' : '`';
  const padded = line.startsWith('`') || line.endsWith('`') ? ` ${line} ` : line;
  return `${ticks}${padded.replaceAll('|', '\\|')}${ticks}`;
}
