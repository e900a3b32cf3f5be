import { buildHost } from '../hosts/host.ts';
import { UsageError } from './errors.ts';
import { RequestedHosts } from './hosts.ts';
import { isOn, type Request, textOf } from './options.ts';
import type { JudgedHost } from './probe-ports.ts';
import { RunProfiles } from './profile-option.ts';
import { err, out, outputPalette, outputWidth } from './terminal.ts';

/** Seconds for one connection: postscreen lets a client wait for six. */
const TIMEOUT = 10;
const LONGEST_TIMEOUT = 120;

/**
 * `pfharden probe HOST[:PORT]…`: what running ports do, and with --config whether that is what the files say.
 *
 * Status 0: every port answered, and nothing differs from the files; 1: a port did not answer, not to the end,
 * or without TLS (where no files say that it has none), or something differs; 2: wrong usage, or files that
 * cannot be read. What is below the profile is marked and does not count: that is for `lint` to judge.
 */
export async function probe(request: Request): Promise<number> {
  const { words, given } = request;
  if (words.length === 0) throw new UsageError('probe needs a HOST or a HOST:PORT', 'probe');
  // The prober has tables and network code that no other command wants.
  const { planOf, probePorts } = await import('./probe-ports.ts');
  const plan = planOf(words, textOf(given, 'starttls'));
  if (typeof plan === 'string') throw new UsageError(plan, 'probe');
  const timeout = secondsOf(textOf(given, 'timeout'));
  const config = textOf(given, 'config');
  const requested = config === undefined ? null : await RequestedHosts.of({ ...request, words: [config] });
  const profiles = await RunProfiles.of(textOf(given, 'profile'), requested ?? { hosts: [], config: null });
  const hosts: JudgedHost[] = [];
  for await (const { host, input } of requested?.inputs() ?? [])
    hosts.push({ host: buildHost(input), profile: profiles.of(host) });
  if (config !== undefined && hosts.length === 0) {
    err(`pfharden: ${config}: no configuration of Postfix or Dovecot\n`);
    return 2;
  }
  const { output, wrong } = await probePorts({
    plan,
    hosts: config === undefined ? null : hosts,
    serverName: textOf(given, 'sni') ?? null,
    timeoutMs: timeout * 1000,
    json: textOf(given, 'format') === 'json',
    format: {
      profile: profiles.run,
      palette: outputPalette(isOn(given, 'no-color')),
      width: outputWidth(),
      verbose: isOn(given, 'verbose'),
    },
  });
  out(output);
  if (requested?.failed) return 2;
  return wrong ? 1 : 0;
}

function secondsOf(text: string | undefined): number {
  if (text === undefined) return TIMEOUT;
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT) return seconds;
  throw new UsageError(`--timeout must be seconds, at most ${LONGEST_TIMEOUT}, not "${text}"`, 'probe');
}
