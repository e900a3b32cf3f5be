import { SEVERITIES, type Severity } from '../../model/finding.ts';
import { code, plain } from '../markdown.ts';
import { count } from '../words.ts';
import type { PlainFinding } from './plain.ts';
import type { LintEnd, LintedHost, LintReport, LintRun } from './report.ts';

/** A comment that nobody reads to its end is no help: rows of the table, and lines of the diff. */
const MOST_ROWS = 30;
const MOST_DIFF = 400;

const MARKS: Readonly<Record<Severity, string>> = { error: '🛑 error', warning: '⚠️ warning', info: 'ℹ️ info' };

/**
 * Markdown for a comment on a merge request: the counts, the gravest findings in a table, and the diff of the
 * safe fixes folded under it. It needs all hosts to say what is gravest, and keeps only what it shows.
 */
export class MarkdownReport implements LintReport {
  readonly #run: LintRun;
  readonly #rows: { readonly severity: Severity; readonly text: string }[] = [];
  readonly #diffs: string[] = [];
  #diffLines = 0;
  #more = 0;

  constructor(run: LintRun) {
    this.#run = run;
  }

  start(): string {
    return '';
  }

  host({ findings, diff }: LintedHost): string {
    for (const finding of findings) this.#rows.push({ severity: finding.severity, text: row(finding) });
    if (this.#rows.length > MOST_ROWS) {
      this.#rows.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
      this.#more += this.#rows.length - MOST_ROWS;
      this.#rows.length = MOST_ROWS;
    }
    if (diff !== null && diff !== '' && this.#diffLines < MOST_DIFF) {
      this.#diffLines += diff.split('\n').length;
      this.#diffs.push(diff);
    }
    return '';
  }

  end({ totals, problems, ignored }: LintEnd): string {
    const { error, warning, info, suppressed, hosts, fixable } = totals;
    const found = error + warning + info;
    const counts = [
      count(error, 'error'),
      count(warning, 'warning'),
      `${info} info`,
      ...(suppressed > 0 ? [`${suppressed} silenced`] : []),
    ].join(', ');
    const parts = [
      `### pfharden: ${found === 0 ? `nothing to report in ${count(hosts, 'host')}` : `${counts} in ${count(hosts, 'host')}`}`,
      ...(found === 0 && suppressed > 0 ? [`${suppressed} silenced.`] : []),
      `Profile ${code(this.#run.profile)}.${fixable > 0 ? ` ${count(fixable, 'finding')} can be mended safely.` : ''}${ignored.length > 0 ? ` ${count(ignored.length, 'host')} left out by \`.pfharden.json\`.` : ''}`,
      ...problems.map((text) => `**Not read:** ${plain(text)}`),
    ];
    if (this.#rows.length > 0) {
      const rows = this.#rows.toSorted(
        (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
      );
      parts.push(
        ['| | where | what and what to do |', '|---|---|---|', ...rows.map(({ text }) => text)].join('\n'),
      );
    }
    if (this.#more > 0) parts.push(`… and ${this.#more} more: run \`pfharden lint\` for all of them.`);
    if (this.#diffs.length > 0) parts.push(this.#folded());
    return `${parts.join('\n\n')}\n`;
  }

  #folded(): string {
    const lines = this.#diffs.join('').replace(/\n$/, '').split('\n');
    const shown = lines.slice(0, MOST_DIFF);
    if (lines.length > shown.length)
      shown.push(`… ${lines.length - shown.length} more lines: run pfharden fix`);
    const text = shown.join('\n');
    // A fence longer than any run of its characters in the text.
    const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
    return `<details><summary>The diff that mends what is safe to mend</summary>\n\n${fence}diff\n${text}\n${fence}\n\n</details>`;
  }
}

function row({ severity, at, rule, message, advice, changed }: PlainFinding): string {
  const { line } = at;
  const where = code(`${at.file}:${line}`);
  return `| ${MARKS[severity]} | ${where}${changed === true ? ' (changed)' : ''} | ${plain(message)} ${plain(advice)} (${code(rule)}) |`;
}
