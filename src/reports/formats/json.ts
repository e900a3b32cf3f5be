import { HostsDocument, lintHost, lintSummary } from '../json.ts';
import type { LintEnd, LintedHost, LintReport, LintRun } from './report.ts';
import { shardNote } from './shard.ts';

/** `--format json`: one document, see docs/reports.md. */
export class JsonReport implements LintReport {
  readonly #document = new HostsDocument();
  readonly #run: LintRun;
  readonly #positions: number[] = [];

  constructor(run: LintRun) {
    this.#run = run;
  }

  start(): string {
    return this.#document.start({ profile: this.#run.profile });
  }

  host({ head, findings, suppressed }: LintedHost, position: number): string {
    this.#positions.push(position);
    return this.#document.host(lintHost(head, findings, suppressed));
  }

  end({ totals, ignored, leftOut, unchanged, problems }: LintEnd): string {
    const shard = shardNote(this.#run, this.#positions, problems);
    return this.#document.end({
      summary: lintSummary(totals),
      ...(ignored.length === 0 ? {} : { ignored }),
      ...(leftOut.length === 0 ? {} : { leftOut: leftOut.map(({ path }) => path) }),
      ...(unchanged === null ? {} : { unchanged }),
      ...(shard === undefined ? {} : { shard }),
    });
  }
}
