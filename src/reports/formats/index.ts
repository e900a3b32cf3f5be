import { CheckstyleReport } from './checkstyle.ts';
import { GithubReport } from './github.ts';
import { GitlabReport } from './gitlab.ts';
import { JsonReport } from './json.ts';
import { JunitReport } from './junit.ts';
import { MarkdownReport } from './markdown.ts';
import { NdjsonReport } from './ndjson.ts';
import type { LintReport, LintRun } from './report.ts';
import { SarifReport } from './sarif.ts';

/** Names of the formats that are written piece by piece. */
type ReportFormat = 'json' | 'ndjson' | 'sarif' | 'github' | 'gitlab' | 'junit' | 'checkstyle' | 'markdown';

/** Formats of `lint` beside the text for the terminal. */
export const FORMATS: Readonly<Record<ReportFormat, (run: LintRun) => LintReport>> = {
  json: (run) => new JsonReport(run),
  ndjson: (run) => new NdjsonReport(run),
  sarif: (run) => new SarifReport(run),
  github: () => new GithubReport(),
  gitlab: () => new GitlabReport(),
  junit: (run) => new JunitReport(run),
  checkstyle: () => new CheckstyleReport(),
  markdown: (run) => new MarkdownReport(run),
};
