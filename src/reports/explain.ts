import { type Profile, usualLevel } from '../rules/profile.ts';
import type { RulePage } from '../rules/rule.ts';
import { type PageExample, type PageFile, type PageView, rationaleOf } from './rule-page.ts';
import type { TextOptions } from './text.ts';
import { harmless, labelled, shownText, wrap } from './words.ts';

/** The page of a rule for the terminal. */
export function explainText(page: PageView, { width, palette }: Omit<TextOptions, 'profile'>): string {
  const lines: string[] = [palette.strong(page.id), ...wrap(page.title, width), ''];
  const section = (title: string, content: readonly string[]): void => {
    if (content.length > 0) lines.push(palette.strong(title), ...content, '');
  };
  const paragraph = (text: string, indent = 2): string[] =>
    labelled('', shownText(text, Number.POSITIVE_INFINITY), indent, 0, width);
  const paragraphs = (texts: readonly string[]): string[] => spaced(texts.map((text) => paragraph(text)));

  section('Why', [
    ...paragraph(page.why),
    ...labelled('Sources: ', shownText(page.references.join('; '), Number.POSITIVE_INFINITY), 2, 9, width),
  ]);
  section('How much it counts', [...levelLines(page, width), ...paragraphs(one(page.rationale))]);
  section('On the wire', paragraphs(page.wire));
  section('Background', paragraphs(page.background));
  section(
    'By hand',
    page.manual.flatMap(({ releases, text, files, run }) => [
      `  ${releases}`,
      ...paragraph(text, 4),
      ...files.flatMap((file) => fileLines(file)),
      ...run.map((command) => `      $ ${command}`),
    ]),
  );
  section('By pfharden fix', paragraph(page.fix));
  section('To silence it', silenceLines(page, paragraph));
  section('Reported', spaced(page.bad.map((example) => exampleLines(example, width))));
  section('Not reported', spaced(page.good.map((example) => exampleLines(example, width))));
  const more = moreExamples(page);
  if (more !== '') lines.push(...wrap(more, width));
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The page of a rule as `explain --format json` gives it. */
export function explainJson(rule: RulePage, page: PageView, profiles: readonly Profile[]): unknown {
  const { id, title, category, why, references, background = [], wire = [], manual = [], examples } = rule;
  const byProfile = <T>(value: (profile: Profile) => T): Record<string, T> =>
    Object.fromEntries(profiles.map((profile) => [profile.name, value(profile)]));
  const { comment, config } = page.silence;
  const { server: judged } = rule.applies;
  const ownServer = judged === 'both' || judged === 'any' ? null : judged;
  return {
    version: 1,
    rule: {
      id,
      title,
      category,
      severity: byProfile((profile) => usualLevel(profile, rule)),
      rationale: byProfile((profile) => rationaleOf(rule, profile)),
      why,
      wire,
      background,
      references,
      fix: rule.fix.kind,
      manual: manual.map(({ server, releases, do: text, lines = {}, run = [] }) => ({
        server: server ?? ownServer,
        releases,
        do: text,
        lines,
        run,
      })),
      silence: { comment, config: JSON.parse(config) as unknown },
      examples: {
        bad: examples.bad.map((example, index) => ({
          ...example,
          reported: page.bad[index]?.findings ?? [],
          diffs: page.bad[index]?.diffs ?? [],
        })),
        good: examples.good,
      },
    },
  };
}

/** Blocks of lines with an empty line between them. */
function spaced(blocks: readonly (readonly string[])[]): string[] {
  return blocks.flatMap((block, index) => [...(index === 0 ? [] : ['']), ...block]);
}

function one(text: string): string[] {
  return text === '' ? [] : [text];
}

/** A line for each profile, and why below it. */
function levelLines({ levels }: PageView, width: number): string[] {
  const name = Math.max(...levels.map(({ profile }) => profile.length)) + 2;
  return levels.flatMap(({ profile, counts, why }) => [
    ...labelled(profile, counts, 2, name, width),
    ...one(why).flatMap((text) => labelled('', shownText(text), 2, name, width)),
  ]);
}

function silenceLines({ silence, id }: PageView, paragraph: (text: string) => string[]): string[] {
  const { where, comment, config } = silence;
  return [
    ...(comment === null
      ? paragraph(`No comment reaches what ${id} reports. In .pfharden.json:`)
      : [
          ...paragraph(where),
          ...comment.text.split('\n').map((line) => `      ${shown(line)}`),
          ...paragraph('Or, for all places, in .pfharden.json:'),
        ]),
    ...config.split('\n').map((line) => `      ${line}`),
  ];
}

function moreExamples({ bad, good, examples, id }: PageView): string {
  const bads = examples.bad - bad.length;
  const goods = examples.good - good.length;
  if (bads + goods === 0) return '';
  return `${bads + goods} more examples: pfharden explain ${id} --format json`;
}

function exampleLines({ title, judgedFor, files, report, diffs }: PageExample, width: number): string[] {
  return [
    ...labelled('', `${title}${judgedFor === '' ? '' : ` (${judgedFor})`}`, 2, 0, width),
    ...files.flatMap((file) => fileLines(file)),
    ...(report.length === 0 ? [] : ['    lint says', ...report.map((line) => `      ${line}`.trimEnd())]),
    ...diffs.flatMap((diff) => ['    fix says', ...diff.split('\n').map((line) => `      ${shown(line)}`)]),
  ];
}

function fileLines({ path, text }: PageFile): string[] {
  return [`    ${path}`, ...text.split('\n').map((line) => `      ${shown(line)}`.trimEnd())];
}

function shown(line: string): string {
  return harmless(line.replaceAll('\t', '        '));
}
