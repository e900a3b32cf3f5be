import type { LeftOut } from '../../hosts/left-out.ts';
import type { Severity } from '../../model/finding.ts';
import type { RulePage } from '../../rules/rule.ts';
import type { Totals } from '../totals.ts';
import type { HostView } from './host-view.ts';
import type { PlainFinding, PlainSuppressed } from './plain.ts';

/** What a report of a whole run of lint has to know before the first host. */
export interface LintRun {
  /** Name of the profile of the run. */
  readonly profile: string;
  /** Release of pfharden. */
  readonly version: string;
  /** From which severity up a finding fails the run. */
  readonly failOn: Severity;
  /** The folder that relative paths start from, as a `file:` URL that ends with a slash. */
  readonly base: string;
  /** Pages of the rules by id, for formats that explain them. */
  readonly pages: ReadonlyMap<string, RulePage>;
  /** Null for a run of all hosts. */
  readonly shard: LintShard | null;
}

/** Of a run that is one part of several: which, and how many hosts all of them have. */
export interface LintShard {
  /** From 1. */
  readonly number: number;
  readonly of: number;
  readonly hosts: number;
}

/** What a report gets of each host. */
export interface LintedHost {
  readonly root: string;
  /** What `--format json` says of the host beside its findings. */
  readonly head: Readonly<Record<string, unknown>>;
  readonly findings: readonly PlainFinding[];
  readonly suppressed: readonly PlainSuppressed[];
  /** The unified diff of all safe fixes; null where no format of the run shows it. */
  readonly diff: string | null;
  /** What a page for people shows besides; null where no format of the run does. */
  readonly view: HostView | null;
}

/** How a run ended. */
export interface LintEnd {
  readonly totals: Totals;
  /** Hosts that `.pfharden.json` leaves out. */
  readonly ignored: readonly string[];
  /** Files and folders that are left out for what they are, such as backups. */
  readonly leftOut: readonly LeftOut[];
  /** With `--diff-base`: how many hosts have no changed file, and are not shown; else null. */
  readonly unchanged: number | null;
  /** What could not be read, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * A report of a run of lint in one format, written piece by piece: of many hosts only one is in memory. Each
 * call gives the text to be written next.
 */
export interface LintReport {
  start(): string;
  /** @param position the number of the host among those of all parts, from 0 */
  host(host: LintedHost, position: number): string;
  end(end: LintEnd): string;
}
