import type { PageExample, PageFile, PageView } from './rule-page.ts';
import type { TextOptions } from './text.ts';
import { harmless, labelled, shownText, wrap } from './words.ts';

/** The page of a rule for the terminal. */
export function explainText(page: PageView, { width, palette }: Omit<TextOptions, 'profile'>): string {
  const lines: string[] = [palette.strong(page.id), ...wrap(page.title, width), ''];
  const section = (title: string, content: readonly string[]): void => {
    if (content.length > 0) lines.push(palette.strong(title), ...content, '');
  };
  const paragraph = (text: string): string[] =>
    wrap(shownText(text, Number.POSITIVE_INFINITY), width - 2).map((line) => `  ${line}`);
  section('Why', paragraph(page.why));
  section(
    'How much it counts',
    page.severities.map(({ message, levels }) => {
      const words = levels.map(
        ({ profile, level }) => `${profile} ${level === 'off' ? level : palette.severity[level](level)}`,
      );
      return `  ${message === '' ? '' : `${message}: `}${words.join(', ')}`;
    }),
  );
  const paragraphs = (texts: readonly string[]): string[] =>
    texts.flatMap((text, index) => [...(index === 0 ? [] : ['']), ...paragraph(text)]);
  section('On the wire', paragraphs(page.wire));
  section('Background', paragraphs(page.background));
  section('What to do', [
    ...page.manual.flatMap(({ releases, text }) => [
      `  ${releases}`,
      ...labelled('', shownText(text, 4000), 4, 0, width),
    ]),
    ...paragraph(page.fix),
  ]);
  section('Reported', page.bad.slice(0, 2).flatMap(exampleLines));
  section('Not reported', page.good.slice(0, 2).flatMap(exampleLines));
  section(
    'References',
    page.references.map((text) => `  ${text}`),
  );
  return `${lines.join('\n').trimEnd()}\n`;
}

function exampleLines({ title, judgedFor, files, reported, fixed }: PageExample): string[] {
  const about = [judgedFor, reported.length === 0 ? '' : `reported at ${reported.join(', ')}`].filter(
    (text) => text !== '',
  );
  return [
    `  ${title}${about.length === 0 ? '' : ` (${about.join('; ')})`}`,
    ...files.flatMap((file) => fileLines(file, '')),
    ...fixed.flatMap((file) => fileLines(file, ', after the fix')),
  ];
}

function fileLines({ path, text }: PageFile, suffix: string): string[] {
  return [
    `    ${path}${suffix}`,
    ...text.split('\n').map((line) => `      ${harmless(line.replaceAll('\t', '        '))}`.trimEnd()),
  ];
}
