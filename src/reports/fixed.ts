import { type FileDiff, unifiedDiff } from '../fix/diff.ts';
import type { FixedFile, FixResult } from '../fix/fix.ts';
import type { Finding } from '../model/finding.ts';
import { lintHostHead } from './json.ts';

/** A finding that was mended or left, in short. */
export interface PlainFixed {
  readonly rule: string;
  readonly severity: Finding['severity'];
  readonly message: string;
  readonly fingerprint: string;
}

/** A finding that was left, with its line, and why. */
export interface PlainLeft extends PlainFixed {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** A file that changes, and its diff. */
export interface DiffedFile extends FixedFile {
  readonly diff: FileDiff;
}

/** What fixing a host comes to. */
export interface FixedHost {
  /** What is said of the host. */
  readonly head: Readonly<Record<string, unknown>>;
  readonly files: readonly DiffedFile[];
  readonly mended: readonly PlainFixed[];
  readonly left: readonly PlainLeft[];
  /** How many findings are not mended because a comment silences them. */
  readonly silenced: number;
}

/**
 * What a fix comes to, for those who read it.
 *
 * @param only rules that were asked for; of others nothing is left
 * @param written lines are those of the fixed files, else those of the files as they are
 */
export function fixedHost(
  result: FixResult,
  { only, written }: { readonly only: ReadonlySet<string> | undefined; readonly written: boolean },
): FixedHost {
  const { before, files, mended, left, suppressed, findingsBefore } = result;
  const isAsked = (finding: Finding): boolean => only?.has(finding.rule) !== false;
  return {
    head: lintHostHead(before, null),
    files: files.map((file) => ({ ...file, diff: unifiedDiff(file) })),
    mended: mended.map(short),
    left: left
      .filter(({ finding }) => isAsked(finding))
      .map(({ finding, reason }) => {
        const known = findingsBefore.find(({ fingerprint }) => fingerprint === finding.fingerprint);
        const { source, span } = (written ? finding : (known ?? finding)).at;
        return { ...short(finding), file: source.path, line: source.position(span.start).line, reason };
      }),
    silenced: suppressed.filter(({ finding }) => isAsked(finding)).length,
  };
}

function short({ rule, severity, message, fingerprint }: Finding): PlainFixed {
  return { rule, severity, message, fingerprint };
}
