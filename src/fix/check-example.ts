import { withTexts } from '../hosts/host.ts';
import { hostInputFromTexts } from '../hosts/texts.ts';
import type { Finding } from '../model/finding.ts';
import type { Profile } from '../rules/profile.ts';
import { type BadExample, type Example, exampleText, type RulePage } from '../rules/rule.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { exampleTexts, fixExample, runExample } from './example-run.ts';
import { proposeFixes } from './fix.ts';

/** What an example promises, and what came of it, line by line; equal where it keeps it. */
export interface Comparison {
  readonly expected: readonly string[];
  readonly found: readonly string[];
}

/** One thing that an example of a rule promises. */
export interface ExampleCheck {
  readonly does: 'reports' | 'mends' | 'stays silent';
  /** Title of the example. */
  readonly title: string;
  readonly run: () => Comparison;
}

/** Whether an example does what it promises. */
export function isKept({ expected, found }: Comparison): boolean {
  return expected.length === found.length && expected.every((line, index) => line === found[index]);
}

/**
 * What the examples of a rule promise: that the bad ones are reported exactly where they say, that their
 * fixes come to the texts that they show, and that nothing is said of the good ones.
 *
 * @param profileOf gives the profile of that name; without a name the usual one
 */
export function exampleChecks(
  rule: RulePage,
  ruleSet: RuleSet,
  profileOf: (name: string | undefined) => Profile,
): ExampleCheck[] {
  const { bad, good } = rule.examples;
  const titled = bad.map((example, index) => ({
    example,
    title: example.title ?? `bad example ${index + 1}`,
  }));
  const findings = (example: Example): readonly Finding[] =>
    runExample(rule, example, ruleSet, profileOf(example.profile)).findings;
  return [
    ...titled.map(({ example, title }) => ({
      does: 'reports' as const,
      title,
      run: () => comparedFindings(example, findings(example)),
    })),
    ...titled
      .filter(({ example }) => example.fixed !== undefined)
      .map(({ example, title }) => ({
        does: 'mends' as const,
        title,
        run: () => comparedFix(rule, example, ruleSet, profileOf(example.profile)),
      })),
    ...good.map((example, index) => ({
      does: 'stays silent' as const,
      title: example.title ?? `good example ${index + 1}`,
      run: () => ({
        expected: [],
        found: findings(example).map((finding) =>
          [placeOf(finding), finding.severity, finding.message].join(' '),
        ),
      }),
    })),
  ];
}

/** "main.cf 3:1 to 3:20" */
function placeOf({ at: { source, span } }: Finding): string {
  const [from, to] = [span.start, span.end].map((offset) => {
    const { line, column } = source.position(offset);
    return `${line}:${column}`;
  });
  return `${source.path} ${from} to ${to}`;
}

/** The findings that an example promises and those that came; of each as much as the example says. */
function comparedFindings(example: BadExample, findings: readonly Finding[]): Comparison {
  const expected: string[] = [];
  const found: string[] = [];
  for (let index = 0; index < Math.max(example.findings.length, findings.length); index++) {
    const promised = example.findings[index];
    const came = findings[index];
    if (promised !== undefined) {
      const { file, from, to, message = 'default', severity, endpoint, says } = promised;
      expected.push(
        lineOf(`${file} ${from} to ${to}`, message, severity, endpoint, says && JSON.stringify(says)),
      );
    }
    if (came === undefined) continue;
    const words = `${came.message} ${came.advice}`;
    const [first] = came.endpoints;
    found.push(
      lineOf(
        placeOf(came),
        came.messageId,
        promised !== undefined && promised.severity === undefined ? undefined : came.severity,
        promised !== undefined && promised.endpoint === undefined
          ? undefined
          : (came.endpoints.find((id) => id === promised?.endpoint) ?? first),
        promised !== undefined && (promised.says === undefined || words.includes(promised.says))
          ? promised.says && JSON.stringify(promised.says)
          : JSON.stringify(words),
      ),
    );
  }
  return { expected, found };
}

/** One finding in one line. */
function lineOf(
  place: string,
  message: string,
  severity: string | undefined,
  endpoint: string | undefined,
  says: string | undefined,
): string {
  return [
    place,
    message === 'default' ? '' : `message ${message}`,
    severity ?? '',
    endpoint === undefined ? '' : `at ${endpoint}`,
    says === undefined ? '' : `says ${says}`,
  ]
    .filter((text) => text !== '')
    .join(', ');
}

/** The files that an example promises after the fix, and those that came, with all their lines; a second fix has to change nothing. */
function comparedFix(rule: RulePage, example: BadExample, ruleSet: RuleSet, profile: Profile): Comparison {
  const result = fixExample(rule, example, ruleSet, profile, true);
  const lines = (path: string, text: string): string[] =>
    text.split('\n').map((line, index) => `${path}:${index + 1}: ${line}`);
  const after = new Map(result.files.map((file) => [file.after.path, file.after]));
  const input = hostInputFromTexts(exampleTexts(example), example);
  const again = proposeFixes(withTexts(input, after), ruleSet, profile, {
    only: new Set([rule.id]),
    unsafe: true,
  });
  const files = (texts: readonly (readonly [path: string, text: string])[]): string[] =>
    texts.toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([path, text]) => lines(path, text));
  const expected = files(
    Object.entries(example.fixed ?? {}).map(([path, text]) => [path, exampleText(text)]),
  );
  const found = [
    ...files([...after.values()].map(({ path, text }) => [path, text])),
    ...again.files.map((file) => `a second fix changes ${file.after.path} again`),
  ];
  if (isKept({ expected, found })) return { expected, found };
  const reasons = result.left
    .filter(({ finding }) => finding.rule === rule.id)
    .map(({ finding, reason }) => `${placeOf(finding)} stays: ${reason}`);
  return { expected, found: [...found, ...reasons] };
}
