import { pages } from 'virtual:builtin-rule-pages';
import { proposeFixes } from '../../src/fix/fix.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { type Example, exampleText } from '../../src/rules/rule.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts, hostInputFromTexts } from '../support/host.ts';

function texts(example: Example): Record<string, string> {
  return Object.fromEntries(Object.entries(example.files).map(([path, text]) => [path, exampleText(text)]));
}

const reasons = ({ silencing }: Example): { readonly reasonRequired: boolean } => ({
  reasonRequired: silencing?.reason === 'required',
});

const place = (line: number, column: number): string => `${line}:${column}`;

describe.each(pages.map((rule) => ({ id: rule.id, rule })))('$id', ({ rule }) => {
  const only = new Set([rule.id]);

  it.each(
    rule.examples.bad.map((example, index) => ({
      name: example.title ?? `bad example ${index + 1}`,
      example,
    })),
  )('reports: $name', ({ example }) => {
    const host = hostFromTexts(texts(example), example);
    const findings = evaluate(host, BUILTIN_RULES, builtinProfile(example.profile ?? 'modern'), {
      only,
      ...reasons(example),
    });
    const found = findings.map((finding) => {
      const { source, span } = finding.at;
      const from = source.position(span.start);
      const to = source.position(span.end);
      return {
        file: source.path,
        from: place(from.line, from.column),
        to: place(to.line, to.column),
        message: finding.messageId,
      };
    });
    expect(found).toEqual(
      example.findings.map(({ file, from, to, message = 'default' }) => ({ file, from, to, message })),
    );
    const details = example.findings.map(({ severity, endpoint, says }, index) => {
      const finding = findings[index];
      const words = `${finding?.message} ${finding?.advice}`;
      return [
        severity === undefined || finding?.severity === severity || `severity ${finding?.severity}`,
        endpoint === undefined ||
          finding?.endpoints.includes(endpoint) ||
          `endpoints ${finding?.endpoints.join(', ')}`,
        says === undefined || words.includes(says) || words,
      ];
    });
    expect(details).toEqual(example.findings.map(() => [true, true, true]));
  });

  const fixable = rule.examples.bad.filter(({ fixed }) => fixed !== undefined);
  if (fixable.length > 0) {
    it.each(
      fixable.map((example, index) => ({ name: example.title ?? `fixable example ${index + 1}`, example })),
    )('mends: $name', ({ example }) => {
      const before = texts(example);
      const result = proposeFixes(
        hostInputFromTexts(before, example),
        BUILTIN_RULES,
        builtinProfile(example.profile ?? 'modern'),
        {
          only,
          unsafe: true,
        },
      );
      const after = Object.fromEntries(
        result.files.map(({ before: { path }, after: { text } }) => [path, text]),
      );
      const wanted = Object.fromEntries(
        Object.entries(example.fixed ?? {}).map(([path, text]) => [path, exampleText(text)]),
      );
      expect(after).toEqual(wanted);
    });
  }

  it.each(
    rule.examples.good.map((example, index) => ({
      name: example.title ?? `good example ${index + 1}`,
      example,
    })),
  )('stays silent: $name', ({ example }) => {
    const host = hostFromTexts(texts(example), example);
    const findings = evaluate(host, BUILTIN_RULES, builtinProfile(example.profile ?? 'modern'), {
      only,
      ...reasons(example),
    });
    expect(findings.map(({ message }) => message)).toEqual([]);
  });

  it('has a bad example for each fix that it offers', () => {
    expect(rule.fix.kind === 'none' || fixable.length > 0).toBe(true);
  });
});
