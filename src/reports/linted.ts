import { unifiedDiff } from '../fix/diff.ts';
import { type FixResult, proposeFixes } from '../fix/fix.ts';
import type { Profile } from '../rules/profile.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { hostView } from './formats/host-view.ts';
import { plainFindings } from './formats/plain.ts';
import type { LintedHost } from './formats/report.ts';
import { lintHostHead } from './json.ts';
import type { HostReport } from './totals.ts';

/** How a host was judged, and what the reports of the run show. */
export interface LintedBy {
  readonly ruleSet: RuleSet;
  readonly profile: Profile;
  /** Name of the profile of the run: a host says which is its own only where it is another. */
  readonly runProfile: string;
  /** The reports show the diff of the safe fixes. */
  readonly diff: boolean;
  /** A report shows the host as a page does. */
  readonly view: boolean;
}

/** What the reports of a run get of a host, as plain data. */
export function lintedHost(report: HostReport, by: LintedBy): LintedHost {
  const { ruleSet, profile, runProfile, diff, view } = by;
  const { host } = report;
  return {
    root: host.root,
    head: lintHostHead(host, profile.name === runProfile ? null : profile.name),
    diff: diff ? diffText(proposeFixes(host.input, ruleSet, profile, { unsafe: false })) : null,
    view: view ? hostView(report, profile) : null,
    ...plainFindings(report),
  };
}

/** All diffs of a fix, one after the other; what stands beside a secret is not in them. */
function diffText({ files }: FixResult): string {
  return files.map((file) => unifiedDiff(file).text).join('');
}
