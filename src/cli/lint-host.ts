import { ChangeIndex, type Changes } from '../hosts/changes.ts';
import { buildHost, type HostInput } from '../hosts/host.ts';
import { type HostSource, sourceReach } from '../hosts/read.ts';
import { atLeastAsGrave, type Finding, type Judgement, type Severity } from '../model/finding.ts';
import type { LintedHost } from '../reports/formats/report.ts';
import { lintedHost } from '../reports/linted.ts';
import { paletteOf } from '../reports/palette.ts';
import { hostText, quietText } from '../reports/text.ts';
import { addTotals, type HostReport, hostReport, noTotals, type Totals } from '../reports/totals.ts';
import { judgement } from '../rules/evaluate.ts';
import type { Profile } from '../rules/profile.ts';
import { type GivenBaseline, HostBaseline, type SeenHost } from './baseline-host.ts';
import type { JudgedBy } from './host-work.ts';

/** What a run of `lint` asks of every host, as plain data. */
export interface LintOrders {
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

/** Makes what judges the hosts of a run: a pure function from the texts of one. */
export function hostLinter(orders: LintOrders): (input: HostInput, by: JudgedBy) => LintOutcome {
  const { failOn, lightest, runProfile, text, report: reports } = orders;
  const only = orders.only === null ? {} : { only: new Set(orders.only) };
  const baseline = orders.baseline === null ? null : new HostBaseline(orders.baseline);
  const changes = orders.changes === null ? null : new ChangeIndex(orders.changes);
  return (input, { ruleSet, profile, reasonRequired, settings, known: servers }) => {
    const host = servers?.hostOf(input) ?? buildHost(input);
    const before = servers === undefined ? {} : { known: servers };
    const judged = judgement(host, ruleSet, profile, { ...only, ...before, reasonRequired });
    const known = baseline?.apply(host, ruleSet, judged) ?? null;
    const seen = known?.seen ?? null;
    // Only now it is known which files the rules have looked into.
    if (changes?.touches([...(host.input.looked ?? []), ...settings]) === false)
      return unchangedOutcome(seen);
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

/** Makes what tells of a host, before it is read, that none of its files can have changed. */
export function hostPasser({
  changes,
  baseline,
}: LintOrders): (source: HostSource, settings: readonly string[]) => LintOutcome | null {
  // What a baseline knows of a host is held against what is found in it.
  if (changes === null || baseline !== null) return () => null;
  const index = new ChangeIndex(changes);
  return (source, settings) => {
    const folders = sourceReach(source);
    const mayHaveChanged = folders === null || index.touches(settings) || index.mayTouch(folders);
    return mayHaveChanged ? null : unchangedOutcome(null);
  };
}

/** What a host comes to that is not shown. */
function unchangedOutcome(seen: SeenHost | null): LintOutcome {
  return { text: '', linted: null, totals: noTotals(), failed: false, seen, unchanged: true };
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
  report: HostReport,
  { quiet, coloured, ...options }: LintText,
  { title }: Profile,
): string {
  const text = { ...options, palette: paletteOf(coloured), profile: title };
  return quiet ? quietText(report, text) : `${hostText(report, text)}\n`;
}
