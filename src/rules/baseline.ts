import type { Finding, Judgement, SuppressedFinding } from '../model/finding.ts';

/** A finding that is known and counts no more. Paths are relative to the folder of the baseline. */
export interface BaselineEntry {
  /** The folder of the server that the finding is about: one fingerprint may stand for a finding on each host. */
  readonly host: string;
  readonly file: string;
  readonly rule: string;
  readonly fingerprint: string;
  /** For those who read the file; of no effect. */
  readonly message: string;
}

/** Version of the format that is read and written. */
export const BASELINE_VERSION = 1;

/** What a run made of a baseline. */
export interface BaselineChanges {
  readonly added: readonly BaselineEntry[];
  /** Entries whose finding is not there any more. */
  readonly removed: readonly BaselineEntry[];
  readonly kept: readonly BaselineEntry[];
}

/** What a run met of a baseline in one host, as plain data. */
export interface BaselineMeeting {
  /** Entries that were met again, by their number. */
  readonly met: readonly number[];
  /** Findings that it did not know and takes up. */
  readonly added: readonly BaselineEntry[];
}

/** The findings of a baseline, as plain data. */
export interface KnownFindings {
  /** The file, as reports name it. */
  readonly path: string;
  readonly entries: readonly BaselineEntry[];
  /** The line of each entry in it. */
  readonly lines: readonly number[];
}

/** Tells which findings of a host a baseline knows. */
export class Baseline {
  readonly #known: KnownFindings;
  readonly #byKey: ReadonlyMap<string, number>;

  constructor(known: KnownFindings) {
    this.#known = known;
    this.#byKey = new Map(known.entries.map((entry, index) => [keyOf(entry), index]));
  }

  /**
   * Parts the findings that the baseline knows from those that count.
   *
   * @param entryOf the entry that stands for a finding; null for one that no baseline takes
   * @param isNew what becomes of a finding that is not known yet: it counts, or the baseline takes it up
   */
  apply(
    judged: Judgement,
    entryOf: (finding: Finding) => BaselineEntry | null,
    isNew: 'counts' | 'added',
  ): { readonly judged: Judgement; readonly meeting: BaselineMeeting } {
    const { findings, suppressed } = judged;
    const { path, lines } = this.#known;
    const counting: Finding[] = [];
    const known: SuppressedFinding[] = [];
    const met: number[] = [];
    const added: BaselineEntry[] = [];
    for (const finding of findings) {
      const entry = entryOf(finding);
      const index = entry === null ? undefined : this.#byKey.get(keyOf(entry));
      if (entry === null || (index === undefined && isNew === 'counts')) {
        counting.push(finding);
        continue;
      }
      if (index === undefined) added.push(entry);
      else met.push(index);
      const line = index === undefined ? null : (lines[index] ?? null);
      known.push({ finding, suppression: { by: 'baseline', reason: null, until: null, file: path, line } });
    }
    return {
      judged: { ...judged, findings: counting, suppressed: [...suppressed, ...known] },
      meeting: { met, added },
    };
  }

  /**
   * How the baseline would change.
   *
   * @param meetings what was met in all hosts
   * @param isJudged whether the run would have met the finding of an entry, if it were still there
   */
  changes(meetings: BaselineMeeting, isJudged: (entry: BaselineEntry) => boolean): BaselineChanges {
    const met = new Set(meetings.met);
    const removed: BaselineEntry[] = [];
    const kept: BaselineEntry[] = [];
    for (const [index, entry] of this.#known.entries.entries()) {
      // Two branches that were merged may both have brought an entry.
      if (this.#byKey.get(keyOf(entry)) !== index) continue;
      (met.has(index) || !isJudged(entry) ? kept : removed).push(entry);
    }
    const added = new Map(meetings.added.map((entry) => [keyOf(entry), entry]));
    return { added: inOrder([...added.values()]), removed: inOrder(removed), kept };
  }
}

function keyOf({ host, fingerprint }: BaselineEntry): string {
  return `${host}\0${fingerprint}`;
}

function inOrder(entries: readonly BaselineEntry[]): BaselineEntry[] {
  const text = ({ host, file, rule, fingerprint }: BaselineEntry): string =>
    [host, file, rule, fingerprint].join('\0');
  return entries
    .map((entry) => ({ entry, text: text(entry) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ entry }) => entry);
}

/** The text of a baseline: an entry a line, in an order that does not hang on the run, so that it can be compared and merged. */
export function baselineText(entries: readonly BaselineEntry[]): string {
  const lines = inOrder(entries).map(
    ({ host, file, rule, fingerprint, message }) =>
      `    ${JSON.stringify({ host, file, rule, fingerprint, message })}`,
  );
  return [
    '{',
    '  "$schema": "https://pfharden.dev/baseline.schema.json",',
    `  "version": ${BASELINE_VERSION},`,
    lines.length === 0 ? '  "findings": []' : `  "findings": [\n${lines.join(',\n')}\n  ]`,
    '}',
    '',
  ].join('\n');
}
