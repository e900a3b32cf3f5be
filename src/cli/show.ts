import { HostsDocument } from '../reports/json.ts';
import { eachHost } from './each-host.ts';
import { RequestedHosts } from './hosts.ts';
import { isOn, type Request, textOf } from './options.ts';
import { configsOf, RunRules } from './own-rules.ts';
import { RunProfiles } from './profile-option.ts';
import { Settings } from './settings.ts';
import { isColoured, out, outputWidth } from './terminal.ts';

/** `pfharden show`: effective settings with their origin, and the endpoints. */
export async function show(request: Request): Promise<number> {
  const { given } = request;
  const json = textOf(given, 'format') === 'json';
  const hosts = await RequestedHosts.of(request);
  const rules = await RunRules.of([], configsOf(hosts));
  const profiles = await RunProfiles.of(textOf(given, 'profile'), hosts, rules);
  const text = {
    coloured: isColoured(isOn(given, 'no-color')),
    width: outputWidth(),
    verbose: isOn(given, 'verbose'),
  };
  const settings = new Settings(request, text.width);
  const document = new HostsDocument();
  const orders = { all: isOn(given, 'all'), text: json ? null : text };
  let first = true;
  if (json) out(document.start({}));
  for await (const { host, outcome } of eachHost('show', orders, { hosts, rules, profiles, given })) {
    if ('json' in outcome) out(document.host(outcome.json));
    else out(`${first ? '' : '\n'}${settings.once(host)}${outcome.text}`);
    first = false;
  }
  if (json) out(document.end());
  return hosts.failed ? 2 : 0;
}
