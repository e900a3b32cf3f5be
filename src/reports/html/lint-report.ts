import { parsePatch } from 'diff';
import { LEFT_OUT_BECAUSE } from '../../hosts/left-out.ts';
import { atLeastAsGrave, SEVERITIES, type Severity } from '../../model/finding.ts';
import type { HostView } from '../formats/host-view.ts';
import type { PlainFinding, PlainSuppressed } from '../formats/plain.ts';
import type { LintEnd, LintedHost, LintReport, LintRun } from '../formats/report.ts';
import type { Frame } from '../frame.ts';

import { silencerText } from '../text.ts';
import type { Totals } from '../totals.ts';
import { count } from '../words.ts';
import { type EndpointFindings, pictureOf } from './picture.ts';
import { renderHtml } from './render.ts';

/** What the summary says of a host. */
interface HostLine {
  readonly anchor: string;
  readonly name: string;
  readonly counts: Readonly<Record<Severity, number>>;
}

/** What the summary says of a rule at one severity. */
interface RuleLine {
  readonly id: string;
  readonly severity: Severity;
  findings: number;
  hosts: number;
}

/** The longest lists of the summary that are open from the start. */
const MOST_OPEN = 8;
/** Places beside a finding that are named. */
const MOST_RELATED = 6;

/**
 * `--format html`: one page that needs nothing else. Each host is written as it comes in; what stands above
 * them all is written in the end, into a slot at the top.
 */
export class HtmlReport implements LintReport {
  readonly #run: LintRun;
  readonly #hosts: HostLine[] = [];
  readonly #rules = new Map<string, RuleLine>();
  /** Findings on lines that have changed. */
  #changed = 0;

  constructor(run: LintRun) {
    this.#run = run;
  }

  start(): string {
    const { version } = this.#run;
    return renderHtml('lint-start', { kind: 'lint', version, title: 'Mail configuration report' });
  }

  host(host: LintedHost): string {
    const { view, findings } = host;
    if (view === null) throw new Error('a page needs the view of its hosts');
    const anchor = `h${this.#hosts.length + 1}`;
    const counts = { error: 0, warning: 0, info: 0 };
    for (const { severity } of findings) counts[severity]++;
    this.#hosts.push({ anchor, name: view.name, counts });
    const seen = new Set<RuleLine>();
    for (const { rule, severity, changed } of findings) {
      if (changed === true) this.#changed++;
      const line = this.#ruleLine(rule, severity);
      line.findings++;
      if (!seen.has(line)) line.hosts++;
      seen.add(line);
    }
    return renderHtml('lint-host', { ...this.#hostData(host, view, anchor), counts: countsOf(counts) });
  }

  end({ totals, ignored, leftOut, unchanged, problems }: LintEnd): string {
    const rules = [...this.#rules.values()].sort(
      (a, b) =>
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
        b.findings - a.findings ||
        (a.id < b.id ? -1 : 1),
    );
    const hosts = this.#hosts.toSorted((a, b) => {
      const severity = SEVERITIES.find((one) => a.counts[one] !== b.counts[one]);
      return severity === undefined ? 0 : b.counts[severity] - a.counts[severity];
    });
    const ids = [...new Set(rules.map(({ id }) => id))].sort();
    const found = totals.error + totals.warning + totals.info;
    return renderHtml('lint-end', {
      kind: 'lint',
      heading: heading(totals),
      profile: this.#run.profile,
      sentences: [...sentences(totals), ...unchangedWords(unchanged)],
      problems,
      ignored,
      leftOut: leftOut.map(({ path, why }) => ({ path, why: LEFT_OUT_BECAUSE[why] })),
      leftOutWords: `${count(leftOut.length, 'file or folder', 'files or folders')} left out`,
      found,
      changed: unchanged === null ? '' : String(this.#changed),
      several: hosts.length > 1,
      tiles: SEVERITIES.filter((severity) => totals[severity] > 0).map((severity) => ({
        severity,
        count: totals[severity],
      })),
      topRules: rules.slice(0, MOST_OPEN).map((line) => this.#ruleData(line)),
      moreRules: rules.slice(MOST_OPEN).map((line) => this.#ruleData(line)),
      topHosts: hosts.slice(0, MOST_OPEN).map(hostLine),
      moreHosts: hosts.slice(MOST_OPEN).map(hostLine),
      ruleIds: ids,
      hostNames: hosts.length > 1 ? this.#hosts.map(({ name, anchor }) => ({ name, anchor })) : [],
      pages: ids.map((id) => this.#pageData(id)),
      foot: [`Made by pfharden ${this.#run.version}. No network is needed to read this page.`],
    });
  }

  #ruleLine(id: string, severity: Severity): RuleLine {
    const key = `${severity}\0${id}`;
    const line = this.#rules.get(key) ?? { id, severity, findings: 0, hosts: 0 };
    this.#rules.set(key, line);
    return line;
  }

  #titleOf(id: string): string {
    return this.#run.pages.get(id)?.title ?? id;
  }

  #ruleData({ id, severity, findings, hosts }: RuleLine): Record<string, unknown> {
    return { id, severity, title: this.#titleOf(id), findings, hosts };
  }

  #pageData(id: string): Record<string, unknown> {
    const page = this.#run.pages.get(id);
    return {
      id,
      title: this.#titleOf(id),
      paragraphs: page === undefined ? [] : [page.why, ...(page.background ?? [])].map(prose),
      references: (page?.references ?? []).join('; '),
    };
  }

  #hostData(
    { findings, suppressed, diff }: LintedHost,
    view: HostView,
    anchor: string,
  ): Record<string, unknown> {
    const groups = this.#groups(findings, view, anchor);
    const files = diffFiles(diff ?? '');
    return {
      anchor,
      name: view.name,
      judged: [...view.releases, `profile ${view.profile}`],
      assumed: view.assumed,
      picture: pictureOf(view.endpoints, endpointFindings(findings, anchor)),
      groups,
      suppressed: suppressed.map(suppressedData),
      fixes: files.length === 0 ? null : { files, words: changeWords(files) },
    };
  }

  /** Findings of one rule and severity stand together, the gravest first. */
  #groups(
    findings: readonly PlainFinding[],
    view: HostView,
    anchor: string,
  ): readonly Record<string, unknown>[] {
    const groups = new Map<string, { readonly finding: PlainFinding; readonly index: number }[]>();
    findings.forEach((finding, index) => {
      const key = `${SEVERITIES.indexOf(finding.severity)}\0${finding.rule}`;
      const group = groups.get(key) ?? [];
      group.push({ finding, index });
      groups.set(key, group);
    });
    const rank = (key: string): number => Number(key.slice(0, key.indexOf('\0')));
    return [...groups]
      .sort(([a], [b]) => rank(a) - rank(b))
      .map(([, members]) => {
        const [first] = members;
        if (first === undefined) throw new Error('no group is empty');
        const { rule, severity, why, references, advice } = first.finding;
        const alike = members.length > 1 && members.every(({ finding }) => finding.advice === advice);
        return {
          rule,
          severity,
          title: this.#titleOf(rule),
          count: members.length,
          several: members.length > 1,
          why,
          references: references.join('; '),
          advice: alike ? advice : '',
          findings: members.map(({ finding, index }) => findingData(finding, index, view, anchor, alike)),
        };
      });
  }
}

function findingData(
  finding: PlainFinding,
  index: number,
  view: HostView,
  anchor: string,
  sharesAdvice: boolean,
): Record<string, unknown> {
  const own = view.findings[index];
  if (own === undefined) throw new Error('each finding has its view');
  const { at, setting, actual, fix } = finding;
  const places = finding.related.filter(({ message }) => !own.listing.includes(message));
  return {
    anchor: `${anchor}f${index + 1}`,
    message: finding.message,
    changed: finding.changed === true,
    place: `${at.file}:${at.line}`,
    where: own.where ?? '',
    frame: own.frame,
    unset: own.frame === null ? (setting ?? '') : '',
    value: isFramed(own.frame, setting, actual) ? null : valueText(setting, actual, own.valueFrom),
    advice: sharesAdvice ? '' : finding.advice,
    fix: fix === null ? null : { title: fix.title, command: `pfharden fix${fix.safe ? '' : ' --unsafe'}` },
    unfixable: own.unfixable ?? '',
    related: places
      .slice(0, MOST_RELATED)
      .map(({ at: { file, line }, message }) => ({ place: `${file}:${line}`, message })),
    more: places.length > MOST_RELATED ? count(places.length - MOST_RELATED, 'more place') : '',
    listing: own.listing,
  };
}

/** Whether the lines that are shown tell the setting and its value already. */
function isFramed(frame: Frame | null, setting: string | null, actual: string | null): boolean {
  if (frame === null || setting === null || actual === null || actual === '') return false;
  const text = frame.lines.map(({ before, marked, after }) => `${before}${marked}${after}`).join(' ');
  return text.includes(setting) && text.includes(actual);
}

function valueText(
  setting: string | null,
  actual: string | null,
  from: string | null,
): Record<string, string> | null {
  if (actual === null) return null;
  return {
    text: `${setting === null ? '' : `${setting} = `}${actual === '' ? '(empty)' : actual}`,
    from: from ?? '',
  };
}

/** What is found at each endpoint, by its id: the anchor is that of the first finding of the gravest. */
function endpointFindings(
  findings: readonly PlainFinding[],
  anchor: string,
): ReadonlyMap<string, EndpointFindings> {
  const found = new Map<string, EndpointFindings>();
  findings.forEach(({ endpoints, severity }, index) => {
    for (const id of new Set(endpoints)) {
      const before = found.get(id);
      const own = { severity, count: (before?.count ?? 0) + 1, anchor: `${anchor}f${index + 1}` };
      const isGraver = before === undefined || !atLeastAsGrave(before.severity, severity);
      found.set(id, isGraver ? own : { ...before, count: own.count });
    }
  });
  return found;
}

function suppressedData({ finding, suppression }: PlainSuppressed): Record<string, unknown> {
  const { rule, severity, message, at } = finding;
  return { rule, severity, message, place: `${at.file}:${at.line}`, by: silencerText(suppression) };
}

/** A paragraph of a rule's page in parts: what stands between backticks is code. */
function prose(paragraph: string): readonly { readonly text: string; readonly code: string }[] {
  return paragraph
    .split('`')
    .map((part, index) => (index % 2 === 0 ? { text: part, code: '' } : { text: '', code: part }))
    .filter(({ text, code }) => text !== '' || code !== '');
}

/** A file of a diff. */
interface DiffFile {
  readonly path: string;
  readonly hunks: readonly {
    readonly head: string;
    readonly lines: readonly { readonly kind: 'added' | 'removed' | 'same'; readonly text: string }[];
  }[];
}

function diffFiles(diff: string): readonly DiffFile[] {
  if (diff === '') return [];
  return parsePatch(diff).map(({ newFileName, hunks }) => ({
    // The prefix is for git.
    path: (newFileName ?? '').replace(/^b\//, ''),
    hunks: hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
      head: `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
      lines: lines.map((text) => ({ kind: KINDS[text.charAt(0)] ?? 'same', text })),
    })),
  }));
}

const KINDS: Readonly<Record<string, 'added' | 'removed'>> = { '+': 'added', '-': 'removed' };

/** "12 lines added, 3 removed in 2 files" */
function changeWords(files: readonly DiffFile[]): string {
  const lines = files.flatMap(({ hunks }) => hunks.flatMap((hunk) => hunk.lines));
  const number = (kind: 'added' | 'removed'): number => lines.filter((line) => line.kind === kind).length;
  return `${count(number('added'), 'line')} added, ${number('removed')} removed in ${count(files.length, 'file')}`;
}

function countsOf(counts: Readonly<Record<Severity, number>>): readonly Record<string, unknown>[] {
  return SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => ({
    severity,
    count: counts[severity],
    words: severityCount(severity, counts[severity]),
  }));
}

function hostLine({ anchor, name, counts }: HostLine): Record<string, unknown> {
  return { anchor, name, counts: countsOf(counts) };
}

function severityCount(severity: Severity, number: number): string {
  return count(number, severity, severity === 'info' ? 'info' : `${severity}s`);
}

/** What is worst, in a line; counts with their severity. */
function heading(totals: Totals): readonly { readonly severity: Severity | ''; readonly text: string }[] {
  const found = SEVERITIES.filter((severity) => totals[severity] > 0);
  const hosts = count(totals.hosts, 'host');
  if (found.length === 0) return [{ severity: '', text: `Nothing to report on ${hosts}` }];
  const between = (index: number): string => (index === 0 ? '' : index === found.length - 1 ? ' and ' : ', ');
  return [
    ...found.flatMap((severity, index) => [
      { severity: '' as const, text: between(index) },
      { severity, text: severityCount(severity, totals[severity]) },
    ]),
    { severity: '', text: ` on ${hosts}` },
  ];
}

/** What else there is to say of the whole run. */
function sentences(totals: Totals): readonly string[] {
  const all = totals.error + totals.warning + totals.info;
  return [
    ...(totals.fixable > 0 ? [`pfharden fix mends ${totals.fixable} of ${all} safely.`] : []),
    ...(totals.unsafe > 0
      ? [`pfharden fix --unsafe mends ${totals.unsafe} more, which users or partners may notice.`]
      : []),
    ...(totals.suppressed > 0 ? [`${totals.suppressed} silenced.`] : []),
    ...(totals.hidden > 0 ? [`${totals.hidden} of less severity not shown.`] : []),
  ];
}

/** With `--diff-base`: how many hosts the page leaves out. */
function unchangedWords(unchanged: number | null): readonly string[] {
  if (unchanged === null || unchanged === 0) return [];
  return [
    `${count(unchanged, 'host has', 'hosts have')} no changed file and ${unchanged === 1 ? 'is' : 'are'} not shown.`,
  ];
}
