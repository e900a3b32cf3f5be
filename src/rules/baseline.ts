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

/** The findings of a baseline, and which of them a run meets again. */
export class Baseline {
  readonly #path: string;
  readonly #entries: readonly BaselineEntry[];
  readonly #lineOf: (index: number) => number;
  readonly #byKey = new Map<string, number>();
  readonly #met = new Set<string>();
  readonly #added = new Map<string, BaselineEntry>();

  /**
   * @param path the file, as reports name it
   * @param lineOf the line of an entry in it
   */
  constructor(path: string, entries: readonly BaselineEntry[], lineOf: (index: number) => number) {
    this.#path = path;
    this.#entries = entries;
    this.#lineOf = lineOf;
    for (const [index, entry] of entries.entries()) this.#byKey.set(keyOf(entry), index);
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
  ): Judgement {
    const { findings, suppressed } = judged;
    const counting: Finding[] = [];
    const known: SuppressedFinding[] = [];
    for (const finding of findings) {
      const entry = entryOf(finding);
      const index = entry === null ? undefined : this.#byKey.get(keyOf(entry));
      if (entry === null || (index === undefined && isNew === 'counts')) {
        counting.push(finding);
        continue;
      }
      if (index === undefined) this.#added.set(keyOf(entry), entry);
      else this.#met.add(keyOf(entry));
      const line = index === undefined ? null : this.#lineOf(index);
      known.push({
        finding,
        suppression: { by: 'baseline', reason: null, until: null, file: this.#path, line },
      });
    }
    return { ...judged, findings: counting, suppressed: [...suppressed, ...known] };
  }

  /**
   * How the baseline would change.
   *
   * @param isJudged whether the run would have met the finding of an entry, if it were still there
   */
  changes(isJudged: (entry: BaselineEntry) => boolean): BaselineChanges {
    const removed: BaselineEntry[] = [];
    const kept: BaselineEntry[] = [];
    for (const [index, entry] of this.#entries.entries()) {
      // Two branches that were merged may both have brought an entry.
      if (this.#byKey.get(keyOf(entry)) !== index) continue;
      (this.#met.has(keyOf(entry)) || !isJudged(entry) ? kept : removed).push(entry);
    }
    return { added: inOrder([...this.#added.values()]), removed: inOrder(removed), kept };
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
