import { atLeastAsGrave } from '../../model/finding.ts';
import { changedMark, type PlainFinding } from './plain.ts';
import type { LintedHost, LintReport, LintRun } from './report.ts';
import { xmlAttributes, xmlText } from './xml.ts';

/**
 * JUnit's XML as Jenkins, GitLab and others read it: a suite for each host, a failed case for each finding that
 * fails the run. Lighter findings are cases that pass and say what was found; what is silenced is skipped.
 */
export class JunitReport implements LintReport {
  readonly #run: LintRun;

  constructor(run: LintRun) {
    this.#run = run;
  }

  start(): string {
    return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="pfharden">\n';
  }

  host({ root, findings, suppressed }: LintedHost): string {
    const fails = ({ severity }: PlainFinding): boolean => atLeastAsGrave(severity, this.#run.failOn);
    const cases = [
      ...findings.map((finding) =>
        testcase(
          finding,
          fails(finding)
            ? `<failure${xmlAttributes({ type: finding.severity, message: sentence(finding) })}>${xmlText(details(finding))}</failure>`
            : `<system-out>${xmlText(`${finding.severity}: ${sentence(finding)}\n${details(finding)}`)}</system-out>`,
        ),
      ),
      ...suppressed.map(({ finding, suppression }) =>
        testcase(
          finding,
          `<skipped${xmlAttributes({ message: `silenced by a ${suppression.by}${suppression.reason === null ? '' : `: ${suppression.reason}`}` })}/>`,
        ),
      ),
    ];
    if (cases.length === 0)
      cases.push(`    <testcase${xmlAttributes({ classname: root, name: 'nothing to report' })}/>\n`);
    const counts = {
      name: root,
      tests: cases.length,
      failures: findings.filter(fails).length,
      errors: 0,
      skipped: suppressed.length,
    };
    return `  <testsuite${xmlAttributes(counts)}>\n${cases.join('')}  </testsuite>\n`;
  }

  end(): string {
    return '</testsuites>\n';
  }
}

function testcase({ at, rule }: PlainFinding, content: string): string {
  const { file, line, column } = at;
  const attributes = { classname: file, name: `${rule} at ${file}:${line}:${column}`, file, line };
  return `    <testcase${xmlAttributes(attributes)}>${content}</testcase>\n`;
}

function sentence(finding: PlainFinding): string {
  return `${finding.message}${changedMark(finding)}`;
}

function details({ at, why, advice, references }: PlainFinding): string {
  const { line, column } = at;
  return [`${at.file}:${line}:${column}`, why, advice, references.join(', ')].join('\n');
}
