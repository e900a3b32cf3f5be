import { wrap } from '../reports/words.ts';
import { COMMANDS, type CommandName } from './options.ts';
import { commandUsage, EXIT_STATUS, GENERAL, type UsageGroup, type UsageLine } from './usage.ts';

/** Columns that a text is read in with ease. */
const WIDEST = 100;
/** A longer term has a line of its own. */
const LONGEST_TERM = 26;

/** What `pfharden --help` prints, at this width. */
export function generalHelp(width: number): string {
  const commands = Object.entries(COMMANDS).map(([term, describe]) => ({ term, describe }));
  const examples = (['lint', 'fix', 'probe'] as const).flatMap(
    (name) => commandUsage(name).examples[0] ?? [],
  );
  return [
    'Usage: pfharden COMMAND [ARGUMENT…] [OPTION…]',
    'Says what a Postfix and a Dovecot will do on each port, judges it, and mends it.',
    section({ title: 'Commands', lines: commands }, width),
    section({ title: 'Options', lines: GENERAL }, width),
    exampleSection(examples),
    section({ title: 'Exit status', lines: EXIT_STATUS }, width),
    'The options of a command: pfharden COMMAND --help. All of it on one page: man pfharden.\n',
  ].join('\n\n');
}

/** What `pfharden COMMAND --help` prints, at this width. */
export function commandHelp(name: CommandName, width: number): string {
  const { synopsis, about, words, groups, status, examples } = commandUsage(name);
  return [
    `Usage: ${synopsis}`,
    wrap(about, Math.min(width, WIDEST)).join('\n'),
    ...(words === null ? [] : [section({ title: 'Arguments', lines: [words] }, width)]),
    ...groups.map((group) => section(group, width)),
    exampleSection(examples),
    `${section({ title: 'Exit status', lines: status }, width)}\n`,
  ].join('\n\n');
}

function exampleSection(examples: readonly { readonly line: string; readonly does: string }[]): string {
  return ['Examples:', ...examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`])].join('\n');
}

function section({ title, lines }: UsageGroup, width: number): string {
  const fitting = lines.map(({ term }) => term.length).filter((length) => length <= LONGEST_TERM);
  const column = Math.max(0, ...fitting) + 4;
  return [`${title}:`, ...lines.flatMap((line) => usageLines(line, column, Math.min(width, WIDEST)))].join(
    '\n',
  );
}

function usageLines({ term, describe }: UsageLine, column: number, width: number): string[] {
  const texts = wrap(describe, Math.max(20, width - column));
  const [first = '', ...more] = texts;
  const head = `  ${term}`;
  const indent = ' '.repeat(column);
  const below = more.map((text) => `${indent}${text}`);
  return term.length > LONGEST_TERM
    ? [head, `${indent}${first}`, ...below]
    : [`${head.padEnd(column)}${first}`, ...below];
}
