// What must hold of comments in any configuration: the examples of the rules, and real ones.
import { pages } from 'virtual:builtin-rule-pages';
import { proposeFixes } from '../../src/fix/fix.ts';
import { buildHost, type HostInput, hostSources, withTexts } from '../../src/hosts/host.ts';
import type { Finding } from '../../src/model/finding.ts';
import { judgement } from '../../src/rules/evaluate.ts';
import { exampleText } from '../../src/rules/rule.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { SourceFile } from '../../src/text/source.ts';
import { dovecotCases, dovecotInput, hostInputFromFolder, postfixCases } from '../support/corpus.ts';
import { hostInputFromTexts } from '../support/host.ts';

const STRICT = builtinProfile('strict');

const isPostfix = (path: string): boolean => /(?:^|\/)(?:main|master)\.cf$/.test(path);
const isText = (line: string | undefined): boolean => line !== undefined && !/^\s*(?:#|$)/.test(line);

/** Index of the line that a setting begins on, from a line of it. */
function firstLine(path: string, lines: readonly string[], from: number): number {
  let index = from;
  if (isPostfix(path)) while (index > 0 && !(isText(lines[index]) && /^\S/.test(lines[index] ?? ''))) index--;
  else while (index > 0 && /\\[ \t]*\r?$/.test(lines[index - 1] ?? '')) index--;
  return index;
}

function withText(input: HostInput, { path, encoding }: SourceFile, text: string): HostInput {
  return withTexts(input, new Map([[path, new SourceFile(path, text, encoding)]]));
}

/** A finding without what a line more in the file changes. */
function shown({ fingerprint, message, at: { source, span } }: Finding, path: string, after: number): string {
  const { line } = source.position(span.start);
  const moved = source.path === path && line > after ? line - 1 : line;
  return `${source.path}:${moved} ${fingerprint} ${message.replace(/\d+/g, 'N')}`;
}

/** Silences each finding on its own, and says where that does something else. */
function faults(input: HostInput): string[] {
  // Of a file in another encoding a line is not what it seems.
  if (hostSources(input).some(({ text }) => /[\ufeff\0]|\u00ef\u00bb\u00bf|\r(?!\n)/.test(text))) return [];
  const before = judgement(buildHost(input), BUILTIN_RULES, STRICT);
  const known = new Set(before.findings.map((one) => shown(one, '', 0)));
  return before.findings.flatMap((finding): string[] => {
    const { source, span } = finding.at;
    if (!hostSources(input).includes(source)) return [];
    const lines = source.text.split('\n');
    const line = firstLine(source.path, lines, source.position(span.start).line - 1);
    // A file that has nothing but comments has no setting that one could stand before, a brace too many is
    // none, and neither is a line that Dovecot drops because nothing continues it.
    const begin = lines[line];
    if (!isText(begin) || /^\s*\}/.test(begin ?? '') || finding.rule.startsWith('silencing/')) return [];
    if (/\\[ \t]*$/.test(begin ?? '') && !isText(lines[line + 1])) return [];
    const comment = `# pfharden: ignore ${finding.rule} -- test`;
    const text = [...lines.slice(0, line), comment, ...lines.slice(line)].join('\n');
    const after = judgement(buildHost(withText(input, source, text)), BUILTIN_RULES, STRICT);
    const name = `${source.path}:${line + 1} ${finding.rule}`;
    const silenced = after.suppressed.map((one) => one.finding);
    const all = [...after.findings, ...silenced].map((one) => shown(one, source.path, line + 1));
    return [
      ...(silenced.some(({ fingerprint }) => fingerprint === finding.fingerprint)
        ? []
        : [`${name}: still counts`]),
      ...silenced
        .filter(({ rule, at }) => rule !== finding.rule || at.source.path !== source.path)
        .map(({ rule }) => `${name}: silences ${rule}`),
      ...all.filter((one) => !known.has(one)).map((one) => `${name}: new: ${one}`),
      ...[...known].filter((one) => !all.includes(one)).map((one) => `${name}: lost: ${one}`),
    ];
  });
}

/** Puts a comment for nothing before each setting; a fix takes all of them out again, and nothing else. */
function remains(input: HostInput): string[] {
  const found = new Set(judgement(buildHost(input), BUILTIN_RULES, STRICT).findings.map(({ rule }) => rule));
  const silent = (server: string): string =>
    BUILTIN_RULES.rules.find(
      ({ id, category }) => id.startsWith(server) && category === 'files' && !found.has(id),
    )?.id ?? '';
  const changed = new Map<string, SourceFile>();
  for (const source of hostSources(input)) {
    const { path, text, encoding } = source;
    const rule = silent(isPostfix(path) ? 'postfix/' : 'dovecot/');
    const lines = text.split('\n').flatMap((line, index, all) => {
      const begins = isText(line) && firstLine(path, all, index) === index && !/^\s*\}/.test(line);
      return begins ? [`# pfharden: ignore ${rule}`, line] : [line];
    });
    changed.set(path, new SourceFile(path, lines.join('\n'), encoding));
  }
  const { files } = proposeFixes(withTexts(input, changed), BUILTIN_RULES, STRICT, {
    only: new Set(['silencing/unused']),
  });
  return hostSources(input).flatMap(({ path, text }) => {
    const put = changed.get(path)?.text;
    const now = files.find(({ after }) => after.path === path)?.after.text ?? put;
    // All or, where it is not sure that they are needless, none.
    return now === text || now === put ? [] : [`${path}: ${now}`];
  });
}

describe.each(pages.filter(({ applies }) => applies.server !== 'any').map((rule) => ({ id: rule.id, rule })))(
  'in the examples of $id',
  ({ rule }) => {
    const inputs = rule.examples.bad.slice(0, 2).map((example) => {
      const texts = Object.entries(example.files).map(([path, text]) => [path, exampleText(text)]);
      return hostInputFromTexts(Object.fromEntries(texts), example);
    });

    test('a comment for a finding silences it and changes nothing else', () => {
      expect(inputs.flatMap(faults)).toEqual([]);
    });
  },
);

// Every twelfth real configuration.
const cases = [
  ...postfixCases().map(({ id, folder }) => ({ id, input: async () => hostInputFromFolder(folder) })),
  ...dovecotCases().map(({ id, folder }) => ({ id, input: () => dovecotInput(folder) })),
].filter((_, index) => index % 12 === 0);

if (cases.length > 0) {
  test.each(cases)(
    'in $id a comment for a finding silences it and changes nothing else',
    async ({ input }) => {
      expect(faults(await input())).toEqual([]);
    },
  );

  test.each(cases)('in $id a fix takes needless comments out, and nothing else', async ({ input }) => {
    expect(remains(await input())).toEqual([]);
  });
}
