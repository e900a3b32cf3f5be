import { type FixOptions, proposeFixes } from '../fix/fix.ts';
import { buildHost, type Host, type HostInput } from '../hosts/host.ts';
import { type Impact, LogParties } from '../logs/impact/impact.ts';
import { type Kept, keepShare } from '../logs/impact/keep.ts';
import { placesOf } from '../logs/impact/places.ts';
import type { Role } from '../model/endpoint.ts';
import { ROLES } from '../model/endpoint.ts';
import type { SomeThresholds } from '../model/thresholds.ts';
import { impactSentence, keptSentences } from '../reports/logs/impact.ts';
import { changedProfile, type Profile, type ProfileChange } from '../rules/profile.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import type { HostRun } from './each-host.ts';
import { UsageError } from './errors.ts';
import { isOn, listOf, textOf } from './options.ts';
import type { RunProfiles } from './profile-option.ts';
import { err } from './terminal.ts';

/** What a fix comes to for those whom logs tell of. */
export interface FixImpact {
  /** Sentences, one a line. */
  readonly lines: readonly string[];
  /** The profiles to fix for: with the thresholds that keep a share of the peers, where that is asked for. */
  readonly profiles: RunProfiles;
}

/** A host that is fixed, and how. */
interface Task {
  readonly input: HostInput;
  readonly before: Host;
  readonly ruleSet: RuleSet;
  readonly profile: Profile;
  readonly options: FixOptions;
}

/**
 * What the fix would mean for those whom the logs of `--logs` tell of, and with `--keep-peers` for which thresholds
 * it is to be made.
 *
 * @returns null where a log could not be read, which is said
 * @throws UsageError
 */
export async function fixImpact(
  { hosts, rules, profiles, given }: HostRun,
  only: ReadonlySet<string> | undefined,
): Promise<FixImpact | null> {
  const asked = textOf(given, 'keep-peers');
  const share = asked === undefined ? null : shareOf(asked);
  if (share !== null && hosts.hosts.length > 1)
    throw new UsageError(
      `--keep-peers chooses thresholds for one host, and these are ${hosts.hosts.length}: name one`,
      'fix',
    );
  const tasks: Task[] = [];
  for await (const { host, input } of hosts.inputs()) {
    tasks.push({
      input,
      before: buildHost(input),
      ruleSet: rules.ruleSetOf(host),
      profile: profiles.of(host),
      options: {
        ...(only === undefined ? {} : { only }),
        unsafe: isOn(given, 'unsafe'),
        reasonRequired: host.config?.config.reasonRequired === true,
      },
    });
  }
  const { countLogs } = await import('./count-logs.ts');
  const { counts, failed } = await countLogs(
    listOf(given, 'logs'),
    (message) => err(`pfharden: ${message}\n`),
    true,
  );
  if (failed) return null;
  const from = `--keep-peers ${asked}`;
  const changeTo = (thresholds: SomeThresholds): ProfileChange => ({ severity: {}, thresholds, from });
  const parties = new LogParties(counts, placesOf(tasks.map(({ before }) => ({ before, after: before }))));
  const impactWith = (over: SomeThresholds): Impact =>
    parties.impact(
      placesOf(
        tasks.map(({ input, before, ruleSet, profile, options }) => ({
          before,
          after: proposeFixes(input, ruleSet, changedProfile(profile, [changeTo(over)]), options).after,
        })),
      ),
    );
  const [task] = tasks;
  const kept: Kept | null =
    share === null || task === undefined
      ? null
      : keepShare(task.profile.thresholds, share, rolesOf(task.before), impactWith);
  const thresholds = kept?.thresholds ?? null;
  const chosen = thresholds === null ? profiles : profiles.changed(changeTo(thresholds));
  const frame = { change: chosen.run.title, basis: '', names: false };
  return {
    lines: [
      impactSentence(impactWith(thresholds ?? {}), frame),
      ...(kept === null ? [] : keptSentences(kept, `${asked}`)),
    ],
    profiles: chosen,
  };
}

/** `99.5%` or `99.5` as a part of one. */
function shareOf(text: string): number {
  const [, number] = /^(\d+(?:\.\d+)?) ?%?$/.exec(text) ?? [];
  const percent = Number(number);
  if (number !== undefined && percent > 0 && percent <= 100) return percent / 100;
  throw new UsageError(`--keep-peers is a share of the peers such as 99.5%, not "${text}"`, 'fix');
}

/** The roles of the endpoints of a host. */
function rolesOf({ postfix, dovecot }: Host): ReadonlySet<Role> {
  const there = new Set(
    [...(postfix?.endpoints ?? []), ...(dovecot?.endpoints ?? [])].map(({ role }) => role),
  );
  return new Set(ROLES.filter((role) => there.has(role)));
}
