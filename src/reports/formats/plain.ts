import type { Host } from '../../hosts/host.ts';
import type { Finding, Severity, Suppression } from '../../model/finding.ts';
import { redactor } from '../../rules/redact.ts';
import type { Location, SourceFile } from '../../text/source.ts';
import type { HostReport } from '../totals.ts';

/** A place in a file: lines and columns from 1, columns in UTF-16 units, the end exclusive. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** A finding as plain data: it can be handed between threads, and holds no file. */
export interface PlainFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly why: string;
  readonly advice: string;
  readonly at: Place;
  readonly endpoints: readonly string[];
  readonly setting: string | null;
  readonly actual: string | null;
  readonly expected: string | null;
  readonly related: readonly { readonly at: Place; readonly message: string }[];
  readonly fix: {
    readonly title: string;
    readonly safe: boolean;
    /** Null where their text would show a secret: `pfharden fix --write` makes them. */
    readonly edits: readonly { readonly at: Place; readonly text: string }[] | null;
  } | null;
  readonly references: readonly string[];
  readonly fingerprint: string;
  /** With `--diff-base` alone: whether its line has changed. */
  readonly changed?: boolean;
}

/** A finding that does not count, and what silences it. */
export interface PlainSuppressed {
  readonly finding: PlainFinding;
  readonly suppression: Suppression;
}

/** The findings of a host as plain data. */
export function plainFindings({ host, findings, suppressed }: HostReport): {
  readonly findings: readonly PlainFinding[];
  readonly suppressed: readonly PlainSuppressed[];
} {
  return {
    findings: findings.map((finding) => plainFinding(host, finding)),
    suppressed: suppressed.map(({ finding, suppression }) => ({
      finding: plainFinding(host, finding),
      suppression,
    })),
  };
}

function plainFinding(host: Host, finding: Finding): PlainFinding {
  const { rule, severity, message, why, advice, endpoints, setting, actual, expected } = finding;
  return {
    rule,
    severity,
    message,
    why,
    advice,
    at: placeOf(finding.at),
    endpoints,
    setting,
    actual,
    expected,
    related: finding.related.map((one) => ({ at: placeOf(one.at), message: one.message })),
    fix: plainFix(host, finding),
    references: finding.references,
    fingerprint: finding.fingerprint,
    ...(finding.changed === undefined ? {} : { changed: finding.changed }),
  };
}

function plainFix(host: Host, { fix }: Finding): PlainFinding['fix'] {
  if (fix === null || fix.edits.length === 0) return null;
  const { title, safe } = fix;
  const redact = redactor(host);
  const edits: { at: Place; text: string }[] = [];
  for (const { path, span, text } of fix.edits) {
    const source = sourceOf(host, path);
    if (source === undefined || redact(text) !== text) return { title, safe, edits: null };
    edits.push({ at: placeOf({ source, span }), text });
  }
  return { title, safe, edits };
}

function placeOf({ source, span }: Location): Place {
  const from = source.position(span.start);
  const to = source.position(span.end);
  return { file: source.path, line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
}

/** The file of a host that an edit names; undefined for one that the host was not read from. */
function sourceOf({ postfix, dovecot }: Host, path: string): SourceFile | undefined {
  const { main = null, master = null } = postfix?.configuration ?? {};
  const files = [
    ...(main === null ? [] : [main.source]),
    ...(master === null ? [] : [master.source]),
    ...(dovecot?.configuration.tree.files.map(({ source }) => source) ?? []),
  ];
  return files.find((source) => source.path === path);
}

/** What marks a finding on a changed line where a format has words alone. */
export function changedMark({ changed }: Pick<PlainFinding, 'changed'>): string {
  return changed === true ? ' (changed)' : '';
}
