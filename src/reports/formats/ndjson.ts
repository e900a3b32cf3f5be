import { jsonLine, lintFinding, lintSummary } from '../json.ts';
import type { LintEnd, LintedHost, LintReport, LintRun } from './report.ts';

/**
 * One JSON object in each line: `run`, then for each host `host` and its `finding`s and `suppressed` ones, which
 * name the host by its root, then `summary`. The keys are those of `--format json`.
 */
export class NdjsonReport implements LintReport {
  readonly #run: LintRun;

  constructor(run: LintRun) {
    this.#run = run;
  }

  start(): string {
    return jsonLine({ type: 'run', version: 1, profile: this.#run.profile });
  }

  host({ root, head, findings, suppressed }: LintedHost): string {
    return [
      jsonLine({ type: 'host', ...head }),
      ...findings.map((finding) => jsonLine({ type: 'finding', root, ...lintFinding(finding) })),
      ...suppressed.map(({ finding, suppression }) =>
        jsonLine({ type: 'suppressed', root, ...lintFinding(finding), suppression }),
      ),
    ].join('');
  }

  end({ totals, ignored, leftOut, unchanged }: LintEnd): string {
    const more = {
      ...(ignored.length === 0 ? {} : { ignored }),
      ...(leftOut.length === 0 ? {} : { leftOut: leftOut.map(({ path }) => path) }),
      ...(unchanged === null ? {} : { unchanged }),
    };
    return jsonLine({ type: 'summary', ...(lintSummary(totals) as object), ...more });
  }
}
