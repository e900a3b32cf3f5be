import type { Changes } from '../hosts/changes.ts';
import type { Severity } from '../model/finding.ts';
import { paletteOf } from '../reports/palette.ts';
import { ignoredText, leftOutText, unchangedText } from '../reports/settings.ts';
import { summaryText } from '../reports/text.ts';
import { joinTotals, noTotals } from '../reports/totals.ts';
import type { BaselineRun } from './baseline.ts';
import { eachHost } from './each-host.ts';
import { UsageError } from './errors.ts';
import { RequestedHosts } from './hosts.ts';
import type { LintOrders } from './lint-host.ts';
import { LintOutputs, outputPlan } from './lint-output.ts';
import { isOn, listOf, type Request, textOf } from './options.ts';
import { configsOf, RunRules } from './own-rules.ts';
import { RunProfiles } from './profile-option.ts';
import { ruleIds } from './rule-option.ts';
import { Settings } from './settings.ts';
import { err, isColoured, out, outputWidth } from './terminal.ts';

/** `pfharden lint`: what is wrong, where and why. */
export async function lint(request: Request): Promise<number> {
  const { given } = request;
  const failOn = (textOf(given, 'fail-on') ?? 'warning') as Severity;
  const plan = outputPlan(request);
  const quiet = isOn(given, 'quiet');
  const hosts = await RequestedHosts.of(request);
  const rules = await RunRules.of(listOf(given, 'rules'), configsOf(hosts));
  const only = ruleIds(listOf(given, 'rule'), 'lint', rules.ruleSet);
  const profiles = await RunProfiles.of(textOf(given, 'profile'), hosts, rules);
  const text = {
    quiet,
    coloured: isColoured(isOn(given, 'no-color')),
    width: outputWidth(),
    verbose: isOn(given, 'verbose'),
    suppressed: isOn(given, 'show-suppressed'),
  };
  const settings = new Settings(request, text.width);
  const baseline = await baselineOf(request, only);
  const outputs = await LintOutputs.open(
    plan,
    { profile: profiles.run.name, failOn, shard: hosts.shard },
    rules.own,
  );
  const orders: LintOrders = {
    runProfile: profiles.run.name,
    only: only === undefined ? null : [...only],
    failOn,
    lightest: (textOf(given, 'severity') ?? 'info') as Severity,
    baseline: baseline?.given ?? null,
    changes: await changesOf(request),
    text: plan.standard === 'text' ? text : null,
    report: outputs === null ? null : { diff: outputs.diff, view: outputs.view },
  };
  const totals = noTotals();
  let failed = false;
  let unchanged = 0;

  const ignored = hosts.ignored.map(({ path }) => path);
  try {
    outputs?.start();
    for await (const { host, outcome } of eachHost('lint', orders, { hosts, rules, profiles, given })) {
      failed ||= outcome.failed;
      joinTotals(totals, outcome.totals);
      if (outcome.seen !== null) baseline?.take(outcome.seen, rules.ruleSetOf(host), profiles.of(host));
      if (outcome.linted !== null) outputs?.host(outcome.linted, hosts.positionOf(host));
      if (outcome.unchanged) unchanged++;
      else if (plan.standard === 'text') out(`${quiet ? '' : settings.once(host)}${outcome.text}`);
    }
    outputs?.end({
      totals,
      ignored,
      leftOut: hosts.leftOut,
      unchanged: orders.changes === null ? null : unchanged,
      problems: hosts.problems,
    });
  } catch (error) {
    outputs?.abandon();
    throw error;
  }
  if (plan.standard === 'text' && !quiet) {
    const { coloured, suppressed, verbose } = text;
    if (totals.hosts > 0) out(summaryText(totals, { palette: paletteOf(coloured), suppressed }));
    if (orders.changes !== null) out(unchangedText(unchanged, totals.hosts, orders.changes.since));
    out(ignoredText(hosts.ignored, verbose));
    out(leftOutText(hosts.leftOut, verbose));
  }
  const said = baseline?.finish(hosts.failed) ?? '';
  if (plan.standard !== 'text' || quiet) err(said);
  else out(said);
  return hosts.failed ? 2 : failed ? 1 : 0;
}

/** What `--diff-base` names; the code for it is loaded only then. */
async function changesOf({ given, words }: Request): Promise<Changes | null> {
  const since = textOf(given, 'diff-base');
  if (since === undefined) return null;
  if (words.includes('-')) throw new UsageError('--diff-base: standard input has no history', 'lint');
  const { changesSince } = await import('../hosts/git-changes.ts');
  return changesSince(since, words.length === 0 ? ['.'] : words);
}

/** What `--baseline` names; the code for it is loaded only then. */
async function baselineOf(
  { given }: Request,
  only: ReadonlySet<string> | undefined,
): Promise<BaselineRun | null> {
  const path = textOf(given, 'baseline');
  const update = isOn(given, 'update-baseline');
  if (path === undefined && update)
    throw new UsageError('--update-baseline goes with --baseline FILE', 'lint');
  if (update && textOf(given, 'shard') !== undefined)
    throw new UsageError('--update-baseline writes what all hosts have: leave out --shard', 'lint');
  if (path === undefined) return null;
  const { BaselineRun: Run } = await import('./baseline.ts');
  return Run.of(path, update, only);
}
