import { proposeFixes } from '../fix/fix.ts';
import { buildHost } from '../hosts/host.ts';
import { atLeastAsGrave, type Severity } from '../model/finding.ts';
import { plainFindings } from '../reports/formats/plain.ts';
import { lintHostHead } from '../reports/json.ts';
import { ignoredText } from '../reports/settings.ts';
import { hostText, quietText, summaryText } from '../reports/text.ts';
import { addTotals, hostReport, noTotals } from '../reports/totals.ts';
import { judgement } from '../rules/evaluate.ts';
import type { BaselineRun } from './baseline.ts';
import { UsageError } from './errors.ts';
import { RequestedHosts } from './hosts.ts';
import { diffText, LintOutputs, outputPlan } from './lint-output.ts';
import { isOn, listOf, type Request, textOf } from './options.ts';
import { configsOf, RunRules } from './own-rules.ts';
import { RunProfiles } from './profile-option.ts';
import { ruleIds } from './rule-option.ts';
import { Settings } from './settings.ts';
import { err, out, outputPalette, outputWidth } from './terminal.ts';

/** `pfharden lint`: what is wrong, where and why. */
export async function lint(request: Request): Promise<number> {
  const { given } = request;
  const failOn = (textOf(given, 'fail-on') ?? 'warning') as Severity;
  const lightest = (textOf(given, 'severity') ?? 'info') as Severity;
  const plan = outputPlan(request);
  const quiet = isOn(given, 'quiet');
  const hosts = await RequestedHosts.of(request);
  const rules = await RunRules.of(listOf(given, 'rules'), configsOf(hosts));
  const only = ruleIds(listOf(given, 'rule'), 'lint', rules.ruleSet);
  const profiles = await RunProfiles.of(textOf(given, 'profile'), hosts, rules);
  const text = {
    palette: outputPalette(isOn(given, 'no-color')),
    width: outputWidth(),
    verbose: isOn(given, 'verbose'),
    suppressed: isOn(given, 'show-suppressed'),
  };
  const settings = new Settings(request, text.width);
  const baseline = await baselineOf(request, only);
  const totals = noTotals();
  let failed = false;

  const outputs = await LintOutputs.open(plan, { profile: profiles.run.name, failOn }, rules.own);
  outputs?.start();
  for await (const { host: found, input } of hosts.inputs()) {
    const host = buildHost(input);
    const profile = profiles.of(found);
    const ruleSet = rules.ruleSetOf(found);
    const judged = judgement(host, ruleSet, profile, {
      ...(only === undefined ? {} : { only }),
      reasonRequired: found.config?.config.reasonRequired === true,
    });
    const { findings, suppressed } = baseline?.apply(host, ruleSet, profile, judged) ?? judged;
    failed ||= findings.some(({ severity }) => atLeastAsGrave(severity, failOn));
    const report = hostReport(host, findings, lightest, suppressed);
    addTotals(totals, report);
    if (outputs !== null) {
      const head = lintHostHead(host, profile.name === profiles.run.name ? null : profile.name);
      const diff = outputs.diff ? diffText(proposeFixes(input, ruleSet, profile, { unsafe: false })) : null;
      outputs.host({ root: host.root, head, diff, ...plainFindings(report) });
    }
    if (plan.standard !== 'text') continue;
    if (quiet) out(quietText(report, text));
    else out(`${settings.once(found)}${hostText(report, { ...text, profile: profile.title })}\n`);
  }
  const ignored = hosts.ignored.map(({ path }) => path);
  outputs?.end({ totals, ignored, problems: hosts.problems });
  if (plan.standard === 'text' && !quiet) {
    if (totals.hosts > 0) out(summaryText(totals, text));
    out(ignoredText(hosts.ignored, text.verbose));
  }
  const said = baseline?.finish(hosts.failed) ?? '';
  if (plan.standard !== 'text' || quiet) err(said);
  else out(said);
  return hosts.failed ? 2 : failed ? 1 : 0;
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
  if (path === undefined) return null;
  const { BaselineRun: Run } = await import('./baseline.ts');
  return Run.of(path, update, only);
}
