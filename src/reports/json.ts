import { type Host, partNames } from '../hosts/host.ts';
import type { KnownRelease } from '../model/setting.ts';
import type { PlainFinding, PlainSuppressed } from './formats/plain.ts';
import type { Totals } from './totals.ts';

/**
 * A value as JSON that is safe to print: what a terminal might act on is written as an escape, which is
 * the same JSON.
 */
export function jsonText(value: unknown): string {
  return escaped(JSON.stringify(value, null, 2));
}

/** The same on one line, with its line feed. */
export function jsonLine(value: unknown): string {
  return `${escaped(JSON.stringify(value))}\n`;
}

function escaped(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function indented(text: string, by: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(by)}`);
}

/** A document whose hosts are written one after the other, so that of many only one is in memory. */
export class HostsDocument {
  #first = true;

  /** @param head what stands before the hosts, such as `profile` */
  start(head: Readonly<Record<string, unknown>>): string {
    const members = Object.entries({ version: 1, ...head }).map(
      ([key, value]) => `  ${JSON.stringify(key)}: ${jsonText(value)},\n`,
    );
    return `{\n${members.join('')}  "hosts": [`;
  }

  host(value: unknown): string {
    const separator = this.#first ? '' : ',';
    this.#first = false;
    return `${separator}\n    ${indented(jsonText(value), 4)}`;
  }

  /** @param tail what stands behind the hosts, such as `summary` */
  end(tail: Readonly<Record<string, unknown>> = {}): string {
    const members = Object.entries(tail).map(
      ([key, value]) => `,\n  ${JSON.stringify(key)}: ${indented(jsonText(value), 2)}`,
    );
    return `${this.#first ? '' : '\n  '}]${members.join('')}\n}\n`;
  }
}

/** A release, and how it is known. */
type ReleaseJson = Pick<KnownRelease, 'version' | 'versionFrom'>;

/** What every report says of a host: where it is and for which releases it is judged. */
export interface HostHead {
  readonly root: string;
  readonly postfix: (ReleaseJson & { readonly directory: string }) | null;
  readonly dovecot: (ReleaseJson & { readonly file: string }) | null;
  readonly openssl: ReleaseJson;
}

/** What every report says of a host. */
export function hostHead(host: Host): HostHead {
  const { postfix, dovecot, releases } = host;
  const parts = partNames(host.input);
  return {
    root: host.root,
    postfix:
      postfix === null ? null : { directory: postfix.configuration.directory, ...known(releases.postfix) },
    dovecot: dovecot === null ? null : { file: dovecot.input.main.path, ...known(releases.dovecot) },
    openssl: known(releases.openssl),
    ...(parts.length === 0 ? {} : { parts }),
  };
}

function known({ version, versionFrom }: KnownRelease): ReleaseJson {
  return { version, versionFrom };
}

/**
 * A host of `lint --format json`.
 *
 * @param head what `lintHostHead` says of it
 */
export function lintHost(
  head: Readonly<Record<string, unknown>>,
  findings: readonly PlainFinding[],
  suppressed: readonly PlainSuppressed[],
): unknown {
  return {
    ...head,
    findings: findings.map(lintFinding),
    suppressed: suppressed.map(({ finding, suppression }) => ({ ...lintFinding(finding), suppression })),
  };
}

/**
 * What `lint` says of a host beside its findings.
 *
 * @param profile the name of its profile where that is not the one of the run
 */
export function lintHostHead(host: Host, profile: string | null): Readonly<Record<string, unknown>> {
  return { ...hostHead(host), ...(profile === null ? {} : { profile }) };
}

/** The `summary` of `lint --format json`. */
export function lintSummary({
  error,
  warning,
  info,
  suppressed,
  fixable,
}: Totals): Readonly<Pick<Totals, 'error' | 'warning' | 'info' | 'suppressed' | 'fixable'>> {
  return { error, warning, info, suppressed, fixable };
}

/** A finding of `lint --format json`. */
export function lintFinding(finding: PlainFinding): Readonly<Record<string, unknown>> {
  const { file, line, column, endLine, endColumn } = finding.at;
  return {
    rule: finding.rule,
    severity: finding.severity,
    message: finding.message,
    file,
    line,
    column,
    endLine,
    endColumn,
    endpoint: finding.endpoints[0] ?? null,
    setting: finding.setting,
    actual: finding.actual,
    expected: finding.expected,
    related: finding.related.map(({ at, message }) => ({
      file: at.file,
      line: at.line,
      column: at.column,
      message,
    })),
    fix: finding.fix === null ? null : { title: finding.fix.title, safe: finding.fix.safe },
    references: finding.references,
    fingerprint: finding.fingerprint,
    ...(finding.changed === undefined ? {} : { changed: finding.changed }),
  };
}
