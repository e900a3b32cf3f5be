import { buildHost } from '../hosts/host.ts';
import { HostsDocument } from '../reports/json.ts';
import { showHost, showText } from '../reports/show.ts';
import { RequestedHosts } from './hosts.ts';
import { isOn, type Request, textOf } from './options.ts';
import { RunProfiles } from './profile-option.ts';
import { Settings } from './settings.ts';
import { out, outputPalette, outputWidth } from './terminal.ts';

/** `pfharden show`: effective settings with their origin, and the endpoints. */
export async function show(request: Request): Promise<number> {
  const { given } = request;
  const all = isOn(given, 'all');
  const json = textOf(given, 'format') === 'json';
  const hosts = await RequestedHosts.of(request);
  const profiles = await RunProfiles.of(textOf(given, 'profile'), hosts);
  const format = {
    palette: outputPalette(isOn(given, 'no-color')),
    width: outputWidth(),
    verbose: isOn(given, 'verbose'),
  };
  const settings = new Settings(request, format.width);
  const document = new HostsDocument();
  let first = true;
  if (json) out(document.start({}));
  for await (const { host: found, input } of hosts.inputs()) {
    const host = buildHost(input);
    if (json) out(document.host(showHost(host, all)));
    else {
      const text = showText(host, all, { ...format, profile: profiles.of(found) });
      out(`${first ? '' : '\n'}${settings.once(found)}${text}`);
    }
    first = false;
  }
  if (json) out(document.end());
  return hosts.failed ? 2 : 0;
}
