import type { Side } from '../../model/endpoint.ts';
import type { Protocol } from '../../model/protocol.ts';
import type { Report } from '../check.ts';
import { newer, oldest, type ProtocolUse, type UseGroup } from './postfix-protocol-uses.ts';
import { type ListProposal, lowestFloor } from './postfix-protocol-values.ts';

/** What the reports about protocol lists have in common. */

/** How many destinations of a table a message names. */
const MOST_NAMED = 3;

/** One report for each endpoint of some uses, the rest the same, so that they become one finding. */
export function* forEndpoints(
  uses: readonly ProtocolUse[],
  report: Omit<Report, 'endpoint'>,
): Iterable<Report> {
  for (const endpoint of new Set(uses.map((use) => use.endpoint))) yield { ...report, endpoint };
}

/** What the messages about a list say of its uses: for which mode it counts, and under which names it is read. */
export function aboutUses(uses: readonly ProtocolUse[]): Readonly<Record<string, unknown>> {
  const keys = uses.flatMap(({ policy }) => (policy === null ? [] : [policy.key]));
  const readAs = new Set(uses.flatMap(({ decider }) => (decider.through.length === 0 ? [] : [decider.name])));
  return {
    optional: uses.some(({ mandatory }) => !mandatory),
    mandatory: uses.some(({ mandatory }) => mandatory),
    readAs: readAs.size === 0 ? null : [...readAs],
    policies: keys.length === 0 ? null : keys.slice(0, MOST_NAMED),
    morePolicies: Math.max(0, keys.length - MOST_NAMED),
    onlyPolicies: uses.every(({ policy }) => policy !== null),
  };
}

/** What the advice says of a new value. */
export function aboutProposal({ name, where, fix }: ListProposal): Readonly<Record<string, unknown>> {
  return { name, where, writable: fix !== null };
}

/** Uses of a group on one side, without those that nobody but this machine sees. */
export function publicUses(group: UseGroup, side: Side): readonly ProtocolUse[] {
  return group.uses.filter((use) => use.endpoint.side === side && use.judged && use.floor !== null);
}

/** Both sides, in the order of reports. */
export const SIDES: readonly Side[] = ['server', 'client'];

/** The floor for a list that is written anew: not below the profile, and not below what its author asked for. */
export function floorOf(group: UseGroup, permitted: readonly Protocol[]): Protocol {
  const least = oldest(permitted) ?? 'TLSv1';
  return newer(lowestFloor(group.uses, least), least);
}
