import type { FoundHost } from '../hosts/find.ts';
import { type HostCommand, type HostTask, type HostWork, hostWorker, type Result } from './host-work.ts';
import type { RequestedHosts } from './hosts.ts';
import { jobsOf } from './jobs.ts';
import type { Given } from './options.ts';
import type { RunRules } from './own-rules.ts';
import type { RunProfiles } from './profile-option.ts';
import { Progress } from './progress.ts';

/** The hosts of a run, and what they are judged by. */
export interface HostRun {
  readonly hosts: RequestedHosts;
  readonly rules: RunRules;
  readonly profiles: RunProfiles;
  readonly given: Given;
}

/** Of so many hosts some are alike, and it takes longer to judge them all than to look for those. */
const FEWEST_ALIKE = 8;

/**
 * Works on the hosts of a run and gives what each comes to, in the order of the hosts whoever works on them;
 * of many only a few are in memory. What cannot be read is said and left out.
 */
export async function* eachHost<C extends HostCommand>(
  command: C,
  orders: HostWork[C]['orders'],
  { hosts, rules, profiles, given }: HostRun,
): AsyncIterable<{ readonly host: FoundHost; readonly outcome: HostWork[C]['outcome'] }> {
  const run = {
    command,
    orders,
    read: hosts.options,
    profiles: profiles.all,
    rules: rules.folders,
    many: hosts.hosts.length >= FEWEST_ALIKE,
  };
  const taskOf = (host: FoundHost): HostTask => ({
    source: host.source,
    rules: rules.numberOf(host),
    profile: profiles.numberOf(host),
    reasonRequired: host.config?.config.reasonRequired === true,
    settings: [...new Set(host.config?.layers.map(({ path }) => path))],
  });
  const jobs = await jobsOf(given, command, hosts.hosts.length);
  const results: AsyncIterable<Result<C>> =
    jobs === 1
      ? inThisThread(hosts.hosts, taskOf, hostWorker(run, rules.sets))
      : (await import('./threads.ts')).inThreads(run, hosts.hosts.map(taskOf), jobs);
  const progress = new Progress();
  let number = 0;
  for await (const result of results) {
    const host = hosts.hosts[number++];
    if (host === undefined) throw new Error('more results than hosts');
    if ('problem' in result) hosts.say(result.problem);
    else yield { host, outcome: result.outcome };
    await progress.say(() => `${number} of ${hosts.hosts.length} hosts`);
  }
  progress.end();
}

/** Milliseconds after which a signal is heard at the latest, beside the time for one host. */
const HEARING = 100;

async function* inThisThread<C extends HostCommand>(
  hosts: readonly FoundHost[],
  taskOf: (host: FoundHost) => HostTask,
  work: (task: HostTask) => Promise<Result<C>>,
): AsyncIterable<Result<C>> {
  let heard = process.uptime() * 1000;
  for (const host of hosts) {
    yield await work(taskOf(host));
    if (process.uptime() * 1000 - heard < HEARING) continue;
    await new Promise((resolve) => setImmediate(resolve));
    heard = process.uptime() * 1000;
  }
}
