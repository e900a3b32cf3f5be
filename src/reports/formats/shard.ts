import type { LintRun } from './report.ts';

/** What a report of one part says of it, so that the parts can be joined. */
export interface ShardNote {
  /** The pfharden that wrote it. */
  readonly pfharden: string;
  /** Which part, from 1, of how many. */
  readonly number: number;
  readonly of: number;
  /** How many hosts all parts have. */
  readonly hosts: number;
  /** The numbers, among them, of the hosts in the report; in SARIF each with how many results it has. */
  readonly positions: readonly (number | readonly [position: number, results: number])[];
  /** What could not be read, a sentence each. */
  readonly problems: readonly string[];
}

/** Makes the note at the end of a run. Undefined for a run of all hosts. */
export function shardNote(
  { shard, version }: LintRun,
  positions: ShardNote['positions'],
  problems: readonly string[],
): ShardNote | undefined {
  if (shard === null) return undefined;
  const { number, of, hosts } = shard;
  return { pfharden: version, number, of, hosts, positions, problems };
}
