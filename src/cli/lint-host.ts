import { ChangeIndex, type Changes } from '../hosts/changes.ts';
import { buildHost } from '../hosts/host.ts';
import { type HostSource, type ReadOptions, readHost } from '../hosts/read.ts';
import { atLeastAsGrave, type Finding, type Judgement, type Severity } from '../model/finding.ts';
import type { LintedHost } from '../reports/formats/report.ts';
import { lintedHost } from '../reports/linted.ts';
import { paletteOf } from '../reports/palette.ts';
import { hostText, quietText } from '../reports/text.ts';
import { addTotals, hostReport, noTotals, type Totals } from '../reports/totals.ts';
import { judgement } from '../rules/evaluate.ts';
import type { Profile } from '../rules/profile.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { type GivenBaseline, HostBaseline, type SeenHost } from './baseline-host.ts';

/** What a run of `lint` asks of every host, as plain data, so that a thread can be told. */
export interface LintOrders {
  readonly read: ReadOptions;
  /** The profiles of the run; hosts name theirs by its number. */
  readonly profiles: readonly Profile[];
  /** Name of the profile of hosts of which nothing else is said. */
  readonly runProfile: string;
  /** Ids of rules; null for all. */
  readonly only: readonly string[] | null;
  readonly failOn: Severity;
  /** The lightest findings that are shown. */
  readonly lightest: Severity;
  readonly baseline: GivenBaseline | null;
  /** What has changed since `--diff-base`: only hosts that read some of it are shown. Null: all are. */
  readonly changes: Changes | null;
  /** How standard output shows the host; null where it shows it in another format or not at all. */
  readonly text: LintText | null;
  /** What reports in other formats show beside the findings; null where there is none. */
  readonly report: { readonly diff: boolean; readonly view: boolean } | null;
}

/** How the text for the terminal is written. */
export interface LintText {
  readonly quiet: boolean;
  readonly coloured: boolean;
  readonly width: number;
  readonly verbose: boolean;
  readonly suppressed: boolean;
}

/** One host to be judged, as plain data. */
export interface LintTask {
  readonly source: HostSource;
  /** Numbers of its rules and of its profile. */
  readonly rules: number;
  readonly profile: number;
  /** A comment that silences a rule has to give a reason. */
  readonly reasonRequired: boolean;
  /** Paths of the files that say how it is judged. */
  readonly settings: readonly string[];
}

/** What judging one host comes to, as plain data. */
export interface LintOutcome {
  /** For standard output; empty where the orders ask for none. */
  readonly text: string;
  readonly linted: LintedHost | null;
  readonly totals: Totals;
  /** A finding is grave enough to fail the run. */
  readonly failed: boolean;
  readonly seen: SeenHost | null;
  /** None of its files has changed: nothing is shown of it. */
  readonly unchanged: boolean;
}

/**
 * Makes what judges the hosts of a run, one after the other and each for itself.
 *
 * @param ruleSets the sets of rules of the run; hosts name theirs by its number
 * @returns a function that throws InputError for a host that cannot be read
 */
export function hostLinter(
  orders: LintOrders,
  ruleSets: readonly RuleSet[],
): (task: LintTask) => Promise<LintOutcome> {
  const { failOn, lightest, runProfile, text, report: reports } = orders;
  const only = orders.only === null ? {} : { only: new Set(orders.only) };
  const baseline = orders.baseline === null ? null : new HostBaseline(orders.baseline);
  const changes = orders.changes === null ? null : new ChangeIndex(orders.changes);
  return async ({ source, reasonRequired, settings, ...numbers }) => {
    const ruleSet = at(ruleSets, numbers.rules);
    const profile = at(orders.profiles, numbers.profile);
    const host = buildHost(await readHost(source, orders.read));
    const judged = judgement(host, ruleSet, profile, { ...only, reasonRequired });
    const known = baseline?.apply(host, ruleSet, judged) ?? null;
    const seen = known?.seen ?? null;
    // Only now it is known which files the rules have looked into.
    if (changes?.touches([...(host.input.looked ?? []), ...settings]) === false)
      return { text: '', linted: null, totals: noTotals(), failed: false, seen, unchanged: true };
    const { findings, suppressed } = marked(known?.judged ?? judged, changes);
    const report = hostReport(host, findings, lightest, suppressed);
    const totals = noTotals();
    addTotals(totals, report);
    return {
      text: text === null ? '' : textOfHost(report, text, profile),
      linted: reports === null ? null : lintedHost(report, { ruleSet, profile, runProfile, ...reports }),
      totals,
      failed: findings.some(({ severity }) => atLeastAsGrave(severity, failOn)),
      seen,
      unchanged: false,
    };
  };
}

/** What was found, with whether its line has changed. */
function marked(
  { findings, suppressed }: Pick<Judgement, 'findings' | 'suppressed'>,
  changes: ChangeIndex | null,
): Pick<Judgement, 'findings' | 'suppressed'> {
  if (changes === null) return { findings, suppressed };
  const mark = (finding: Finding): Finding => {
    const { source, span } = finding.at;
    const last = source.position(Math.max(span.start, span.end - 1)).line;
    return {
      ...finding,
      changed: changes.isChanged(source.path, source.position(span.start).line, last),
    };
  };
  return {
    findings: findings.map(mark),
    suppressed: suppressed.map((one) => ({ ...one, finding: mark(one.finding) })),
  };
}

function textOfHost(
  report: ReturnType<typeof hostReport>,
  { quiet, coloured, ...options }: LintText,
  { title }: Profile,
): string {
  const text = { ...options, palette: paletteOf(coloured), profile: title };
  return quiet ? quietText(report, text) : `${hostText(report, text)}\n`;
}

/** What a number of the orders stands for. */
function at<T>(all: readonly T[], number: number): T {
  const found = all[number];
  if (found === undefined) throw new Error(`there is no number ${number}`);
  return found;
}
