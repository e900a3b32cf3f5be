import type { Edit } from '../text/edits.ts';
import type { Location } from '../text/source.ts';
import type { Origin } from './setting.ts';

/** How much a finding counts. */
export type Severity = 'error' | 'warning' | 'info';

/** How much a rule counts; `off` is a rule that a profile does not want. */
export type Level = Severity | 'off';

/** One level for the whole rule, or by message id; `*` stands for the messages that are not named. */
export type LevelByMessage = Level | Readonly<Record<string, Level>>;

/** Severities from the gravest. */
export const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

/** True when `severity` is at least as grave as `bound`. */
export function atLeastAsGrave(severity: Severity, bound: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(bound);
}

/** A second place that belongs to a finding, and what it has to do with it. */
export interface Related {
  readonly at: Location;
  readonly message: string;
  /** A listing that a text report holds back until it is asked for (`--verbose`). */
  readonly onRequest?: boolean;
}

/** What would mend a finding. */
export interface Fix {
  /** In the imperative: "set smtpd_tls_protocols to >=TLSv1.2". */
  readonly title: string;
  /** False where it may change what users or partners rely on: made only with `--unsafe`. */
  readonly safe: boolean;
  readonly edits: readonly Edit[];
  /**
   * The settings that the edits write, as `main.cf:NAME` or `SERVICE/TYPE:NAME`: of two fixes that
   * write one setting differently, only one is made in a pass.
   */
  readonly writes: readonly string[];
}

/** One rule broken at one place. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** Which of the rule's messages it is. */
  readonly messageId: string;
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** Why it matters, in a sentence. */
  readonly why: string;
  /** What to do, in a sentence. */
  readonly advice: string;
  /** The line that decides. */
  readonly at: Location;
  /** Ids of the endpoints concerned; the first is the one that reports show. */
  readonly endpoints: readonly string[];
  readonly setting: string | null;
  readonly actual: string | null;
  readonly expected: string | null;
  /** Where the effective value comes from, in words ("default of Postfix 3.7", "main.cf line 12"); null where no value is concerned. */
  readonly valueFrom: string | null;
  /** The same as a place. */
  readonly valueOrigin?: Origin;
  /** Whether it is about a value that no line sets. */
  readonly ofDefault: boolean;
  readonly related: readonly Related[];
  readonly fix: Fix | null;
  /** Why there is no fix although the rule has one, in words; left out where there is nothing to say. */
  readonly unfixable?: string;
  readonly references: readonly string[];
  /** Whether its line is among those that have changed; left out where nobody asked what has. */
  readonly changed?: boolean;
  /** Stable when lines move: for baselines and for telling old findings from new ones. */
  readonly fingerprint: string;
}

/** What keeps a finding from counting. */
export interface Suppression {
  readonly by: 'comment' | 'baseline';
  /** What the comment gives as its reason. */
  readonly reason: string | null;
  /** The last day on which it counts, `2026-12-31`; null where it has no end. */
  readonly until: string | null;
  /** The file with the comment, or the baseline, and the line there. */
  readonly file: string | null;
  readonly line: number | null;
}

/** A finding that does not count, and why. */
export interface SuppressedFinding {
  readonly finding: Finding;
  readonly suppression: Suppression;
}

/** What is found in a host: what counts, and what does not. */
export interface Judgement {
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
  /**
   * Of a template, where it is asked for, also what only some of that have which its engine may make of it; else
   * the findings.
   */
  readonly possible: readonly Finding[];
}
