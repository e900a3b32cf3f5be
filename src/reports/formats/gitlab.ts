import type { Severity } from '../../model/finding.ts';
import { jsonText } from '../json.ts';
import { withoutDot } from './places.ts';
import { changedMark, type PlainFinding } from './plain.ts';
import type { LintedHost, LintReport } from './report.ts';

const SEVERITIES: Readonly<Record<Severity, string>> = { error: 'critical', warning: 'major', info: 'info' };

/** The Code Quality report of GitLab: a list of issues in the form of Code Climate. */
export class GitlabReport implements LintReport {
  #first = true;

  start(): string {
    return '[';
  }

  host({ findings }: LintedHost): string {
    return findings
      .map((finding) => {
        const separator = this.#first ? '' : ',';
        this.#first = false;
        return `${separator}\n${jsonText(issue(finding))}`;
      })
      .join('');
  }

  end(): string {
    return this.#first ? ']\n' : '\n]\n';
  }
}

function issue(finding: PlainFinding): unknown {
  const { at, severity, rule, message, advice, fingerprint } = finding;
  const { line, endLine } = at;
  const path = withoutDot(at.file);
  return {
    type: 'issue',
    description: `${message} ${advice}${changedMark(finding)}`,
    check_name: rule,
    // GitLab takes two issues with one fingerprint for one, also in different files.
    fingerprint: `${fingerprint}-${path}`,
    severity: SEVERITIES[severity],
    location: { path, lines: { begin: line, end: endLine } },
  };
}
