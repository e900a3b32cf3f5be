import { changedMark, type PlainFinding } from './plain.ts';
import type { LintedHost, LintReport } from './report.ts';
import { xmlAttributes } from './xml.ts';

/** The XML of Checkstyle, which most servers for builds read: findings by file. */
export class CheckstyleReport implements LintReport {
  start(): string {
    return '<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n';
  }

  host({ findings }: LintedHost): string {
    const byFile = new Map<string, PlainFinding[]>();
    for (const finding of findings) {
      const { file } = finding.at;
      byFile.set(file, [...(byFile.get(file) ?? []), finding]);
    }
    return [...byFile]
      .map(([name, found]) => `  <file${xmlAttributes({ name })}>\n${found.map(error).join('')}  </file>\n`)
      .join('');
  }

  end(): string {
    return '</checkstyle>\n';
  }
}

function error(finding: PlainFinding): string {
  const { at, severity, message, advice, rule } = finding;
  const { line, column } = at;
  return `    <error${xmlAttributes({ line, column, severity, message: `${message} ${advice}${changedMark(finding)}`, source: `pfharden.${rule}` })}/>\n`;
}
