import type { Host } from '../hosts/host.ts';
import { atLeastAsGrave, type Finding, type Severity, type SuppressedFinding } from '../model/finding.ts';

/** What a report says of one host. */
export interface HostReport {
  readonly host: Host;
  /** Those that are to be shown. */
  readonly findings: readonly Finding[];
  /** How many are too light to be shown. */
  readonly hidden: number;
  /** Those that a comment or a baseline silences, whatever their severity. */
  readonly suppressed: readonly SuppressedFinding[];
}

/** Counts over all hosts of a run. */
export interface Totals {
  hosts: number;
  error: number;
  warning: number;
  info: number;
  hidden: number;
  suppressed: number;
  /** What `fix` mends, and what it mends only with `--unsafe`. */
  fixable: number;
  unsafe: number;
}

/** Nothing counted yet. */
export function noTotals(): Totals {
  return { hosts: 0, error: 0, warning: 0, info: 0, hidden: 0, suppressed: 0, fixable: 0, unsafe: 0 };
}

/** Counts one host. */
export function addTotals(totals: Totals, { findings, hidden, suppressed }: HostReport): void {
  totals.hosts++;
  totals.hidden += hidden;
  totals.suppressed += suppressed.length;
  for (const { severity, fix } of findings) {
    totals[severity]++;
    if (fix !== null && fix.edits.length > 0) totals[fix.safe ? 'fixable' : 'unsafe']++;
  }
}

/** Adds what was counted elsewhere. */
export function joinTotals(totals: Totals, others: Readonly<Totals>): void {
  for (const key of Object.keys(totals) as (keyof Totals)[]) totals[key] += others[key];
}

/** The report of a host with the findings that are grave enough to be shown. */
export function hostReport(
  host: Host,
  findings: readonly Finding[],
  lightest: Severity,
  suppressed: readonly SuppressedFinding[] = [],
): HostReport {
  const shown = findings.filter(({ severity }) => atLeastAsGrave(severity, lightest));
  return { host, findings: shown, hidden: findings.length - shown.length, suppressed };
}
