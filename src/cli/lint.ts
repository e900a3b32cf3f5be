import { buildHost } from '../hosts/host.ts';
import { atLeastAsGrave, type Severity } from '../model/finding.ts';
import { HostsDocument, lintHost, lintSummary } from '../reports/json.ts';
import { hostText, quietText, summaryText } from '../reports/text.ts';
import { addTotals, hostReport, noTotals } from '../reports/totals.ts';
import { evaluate } from '../rules/evaluate.ts';
import { BUILTIN_RULES } from '../rules/rule-set.ts';
import { RequestedHosts } from './hosts.ts';
import { isOn, listOf, type Request, textOf } from './options.ts';
import { chosenProfile } from './profile-option.ts';
import { ruleIds } from './rule-option.ts';
import { out, outputPalette, outputWidth } from './terminal.ts';

/** `pfharden lint`: what is wrong, where and why. */
export async function lint(request: Request): Promise<number> {
  const { given } = request;
  const only = ruleIds(listOf(given, 'rule'), 'lint');
  const failOn = (textOf(given, 'fail-on') ?? 'warning') as Severity;
  const lightest = (textOf(given, 'severity') ?? 'info') as Severity;
  const json = textOf(given, 'format') === 'json';
  const quiet = isOn(given, 'quiet');
  const hosts = await RequestedHosts.of(request);
  const profile = await chosenProfile(textOf(given, 'profile'), hosts.found);
  const text = {
    palette: outputPalette(isOn(given, 'no-color')),
    width: outputWidth(),
    profile: profile.name,
    verbose: isOn(given, 'verbose'),
  };
  const document = new HostsDocument();
  const totals = noTotals();
  let failed = false;

  if (json) out(document.start({ profile: profile.name }));
  for await (const input of hosts.inputs()) {
    const host = buildHost(input);
    const findings = evaluate(host, BUILTIN_RULES, profile, only === undefined ? {} : { only });
    failed ||= findings.some(({ severity }) => atLeastAsGrave(severity, failOn));
    const report = hostReport(host, findings, lightest);
    addTotals(totals, report);
    if (json) out(document.host(lintHost(report)));
    else if (quiet) out(quietText(report, text));
    else out(`${hostText(report, text)}\n`);
  }
  if (json) out(document.end({ summary: lintSummary(totals) }));
  else if (!quiet && totals.hosts > 0) out(summaryText(totals, text));
  return hosts.failed ? 2 : failed ? 1 : 0;
}
