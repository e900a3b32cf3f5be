import type { Severity } from '../../model/finding.ts';
import { withoutDot } from './places.ts';
import { changedMark, type PlainFinding } from './plain.ts';
import type { LintedHost, LintReport } from './report.ts';

const COMMANDS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

/**
 * Workflow commands, of which GitHub Actions makes annotations at the lines. GitHub shows ten of each kind
 * for a step and fifty for a run; the log has them all.
 */
export class GithubReport implements LintReport {
  start(): string {
    return '';
  }

  host({ findings }: LintedHost): string {
    return findings.map(command).join('');
  }

  end(): string {
    return '';
  }
}

function command(finding: PlainFinding): string {
  const { at, severity, rule, message, advice } = finding;
  const { line, column, endLine, endColumn } = at;
  const properties = {
    file: withoutDot(at.file),
    line,
    endLine,
    // Columns are shown only within one line. The last one counts as a part.
    ...(endLine === line ? { col: column, endColumn: Math.max(column, endColumn - 1) } : {}),
    title: `${rule}${changedMark(finding)}`,
  };
  const written = Object.entries(properties).map(
    ([name, value]) => `${name}=${escapedProperty(String(value))}`,
  );
  return `::${COMMANDS[severity]} ${written.join(',')}::${escaped(`${message} ${advice}`)}\n`;
}

/** As the toolkit of Actions escapes data: the runner takes these back. */
function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
