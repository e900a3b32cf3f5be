import { oncePerSource } from '../../text/source.ts';
import {
  inOrder,
  logicalLines,
  sourceSpan,
  startsWithSpace,
  trimmedSpan,
  trimSpace,
} from './logical-lines.ts';
import { assignment, nameEnd, splitNameValue } from './name-value.ts';
import type { LogicalLine, MainCf, MainEntry, SyntaxProblem } from './tree.ts';

/**
 * Reads main.cf. Never throws: what stops the server, or what it drops, becomes an item of kind
 * `invalid` and a problem. Duplicates all stay; which one counts is not decided here.
 *
 * Source: dict.c (dict_load_fp), readlline.c, split_nameval.c.
 */
export const parseMainCf = oncePerSource((source): MainCf => {
  const { lines, logical, problems: found } = logicalLines(source);
  const problems: SyntaxProblem[] = [...found];
  const items = logical.map((line): MainCf['items'][number] => {
    if (startsWithSpace(line)) return { kind: 'invalid', line, code: 'indented-first' };
    const entry = parseEntry(line);
    if ('problem' in entry) {
      problems.push(entry.problem);
      return { kind: 'invalid', line, code: entry.problem.code };
    }
    return entry;
  });
  return { kind: 'main.cf', source, lines, items, problems: inOrder(problems) };
});

function parseEntry(line: LogicalLine): MainEntry | { readonly problem: SyntaxProblem } {
  const { text } = line;
  const parts = splitNameValue(text, 0, text.length);
  if (parts === 'missing-name') {
    return {
      problem: {
        code: parts,
        span: trimmedSpan(line),
        detail: text.slice(0, trimSpace(text, 0, text.length)),
      },
    };
  }
  if (parts === 'missing-equals') {
    const end = nameEnd(text, 0, text.length);
    return { problem: { code: parts, span: sourceSpan(line, 0, end), detail: text.slice(0, end) } };
  }
  const { name, nameSpan, value, valueSpan } = assignment(line, parts);
  return {
    kind: 'entry',
    line,
    name,
    nameSpan,
    equalsSpan: { start: nameSpan.end, end: valueSpan.start },
    value,
    valueSpan,
  };
}
