import type * as sarif from 'sarif';
import { SEVERITIES, type Severity } from '../../model/finding.ts';
import type { RulePage } from '../../rules/rule.ts';
import { jsonText } from '../json.ts';
import { uriOf } from './places.ts';
import type { Place, PlainFinding, PlainSuppressed } from './plain.ts';
import type { LintEnd, LintedHost, LintReport, LintRun } from './report.ts';
import { shardNote } from './shard.ts';

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

/**
 * Scores by which GitHub sorts security findings: from 7.0 on it says high, from 4.0 medium, below low. The scale
 * is that of CVSS; a rule of configuration has no vector of its own.
 */
const SCORES: Readonly<Record<Severity, string>> = { error: '8.0', warning: '5.5', info: '2.5' };

const BASE = 'SRCROOT';

/** Writes a document with one run, its results one after the other. */
export class SarifDocument {
  #first = true;

  start(): string {
    // The results come first: which rules they name is known only at the end.
    return `{\n  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",\n  "version": "2.1.0",\n  "runs": [\n    {\n      "columnKind": "utf16CodeUnits",\n      "results": [`;
  }

  result(result: sarif.Result): string {
    const separator = this.#first ? '' : ',';
    this.#first = false;
    return `${separator}\n        ${jsonText(result).replaceAll('\n', '\n        ')}`;
  }

  /** @param rest what stands behind the results */
  end(rest: Omit<sarif.Run, 'results' | 'columnKind'>): string {
    const members = Object.entries(rest).map(
      ([key, value]) => `,\n      ${JSON.stringify(key)}: ${jsonText(value).replaceAll('\n', '\n      ')}`,
    );
    return `${this.#first ? '' : '\n      '}]${members.join('')}\n    }\n  ]\n}\n`;
  }
}

/** The rules of results, in the order in which they come up, with their gravest level. */
export class SarifRules {
  readonly #severities = new Map<string, Severity>();

  /** The number of the rule of a result. */
  see(rule: string, severity: Severity): number {
    const known = this.#severities.get(rule);
    if (known === undefined || SCORES[severity] > SCORES[known]) this.#severities.set(rule, severity);
    return [...this.#severities.keys()].indexOf(rule);
  }

  /** How much each counts, for its descriptor. */
  levels(): readonly (readonly [id: string, severity: Severity])[] {
    return [...this.#severities];
  }
}

/**
 * SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format): results with their places, related places,
 * fixes, fingerprints, and what is silenced with its reason.
 */
export class SarifReport implements LintReport {
  readonly #run: LintRun;
  readonly #document = new SarifDocument();
  readonly #rules = new SarifRules();
  readonly #positions: (readonly [position: number, results: number])[] = [];

  constructor(run: LintRun) {
    this.#run = run;
  }

  start(): string {
    return this.#document.start();
  }

  host({ findings, suppressed }: LintedHost, position: number): string {
    this.#positions.push([position, findings.length + suppressed.length]);
    return [
      ...findings.map((finding) => this.#result(finding, null)),
      ...suppressed.map((one) => this.#result(one.finding, one)),
    ].join('');
  }

  end({ problems }: LintEnd): string {
    const shard = shardNote(this.#run, this.#positions, problems);
    return this.#document.end({
      tool: {
        driver: {
          name: 'pfharden',
          semanticVersion: this.#run.version,
          rules: this.#rules
            .levels()
            .map(([id, severity]) => descriptor(id, severity, this.#run.pages.get(id))),
        },
      },
      originalUriBaseIds: { [BASE]: { uri: this.#run.base } },
      ...invocations(problems),
      properties: { profile: this.#run.profile, ...(shard === undefined ? {} : { shard }) },
    });
  }

  #result(finding: PlainFinding, suppressed: PlainSuppressed | null): string {
    const { rule, severity } = finding;
    return this.#document.result({
      ruleId: rule,
      ruleIndex: this.#rules.see(rule, severity),
      level: LEVELS[severity],
      message: { text: `${finding.message} ${finding.advice}` },
      locations: [place(finding.at)],
      ...(finding.related.length === 0
        ? {}
        : {
            relatedLocations: finding.related.map(({ at, message }, id) => ({
              id,
              ...place(at),
              message: { text: message },
            })),
          }),
      partialFingerprints: { 'pfharden/v1': finding.fingerprint },
      ...fixes(finding),
      ...(suppressed === null ? {} : { suppressions: [suppression(suppressed)] }),
      properties: {
        endpoints: [...finding.endpoints],
        setting: finding.setting,
        actual: finding.actual,
        expected: finding.expected,
        ...(finding.changed === undefined ? {} : { changed: finding.changed }),
      },
    });
  }
}

/** How the run ended. */
export function invocations(problems: readonly string[]): Pick<sarif.Run, 'invocations'> {
  return {
    invocations: [
      {
        executionSuccessful: problems.length === 0,
        toolExecutionNotifications: problems.map((text) => ({ level: 'error', message: { text } })),
      },
    ],
  };
}

function place(at: Place): sarif.Location {
  return { physicalLocation: { artifactLocation: artifact(at.file), region: region(at) } };
}

function region({ line, column, endLine, endColumn }: Place): sarif.Region {
  return { startLine: line, startColumn: column, endLine, endColumn };
}

function artifact(path: string): sarif.ArtifactLocation {
  const uri = uriOf(path);
  return uri.startsWith('file:') ? { uri } : { uri, uriBaseId: BASE };
}

function fixes({ fix }: PlainFinding): Pick<sarif.Result, 'fixes'> {
  if (fix === null || fix.edits === null) return {};
  const byFile = new Map<string, sarif.Replacement[]>();
  for (const { at, text } of fix.edits) {
    const replacements = byFile.get(at.file) ?? [];
    replacements.push({ deletedRegion: region(at), insertedContent: { text } });
    byFile.set(at.file, replacements);
  }
  return {
    fixes: [
      {
        description: { text: fix.safe ? fix.title : `${fix.title} (users or partners may notice)` },
        artifactChanges: [...byFile].map(([path, replacements]) => ({
          artifactLocation: artifact(path),
          replacements,
        })),
      },
    ],
  };
}

function suppression({ suppression: { by, reason, until, file, line } }: PlainSuppressed): sarif.Suppression {
  const justification = [reason, until === null ? null : `until ${until}`]
    .filter((text) => text !== null)
    .join(', ');
  return {
    kind: by === 'comment' ? 'inSource' : 'external',
    status: 'accepted',
    ...(justification === '' ? {} : { justification }),
    ...(file === null
      ? {}
      : {
          location: {
            physicalLocation: {
              artifactLocation: artifact(file),
              ...(line === null ? {} : { region: { startLine: line } }),
            },
          },
        }),
  };
}

function descriptor(id: string, severity: Severity, page: RulePage | undefined): sarif.ReportingDescriptor {
  return {
    id,
    name: pascalCase(id),
    ...(page === undefined
      ? {}
      : {
          shortDescription: { text: page.title },
          fullDescription: { text: page.why },
          help: { text: helpText(page), markdown: helpMarkdown(page) },
        }),
    ...weight(severity, ['security', ...(page === undefined ? [] : [page.category])]),
  };
}

/** The part of a descriptor that hangs on how much the rule counts. */
function weight(
  severity: Severity,
  tags: string[],
): Pick<sarif.ReportingDescriptor, 'defaultConfiguration' | 'properties'> {
  return {
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags, precision: 'very-high', 'security-severity': SCORES[severity] },
  };
}

/** A descriptor of another report, for what its rule counts in this one. */
export function weighed(rule: sarif.ReportingDescriptor, severity: Severity): sarif.ReportingDescriptor {
  return { ...rule, ...weight(severity, rule.properties?.tags ?? []) };
}

/** The severity that a level stands for. */
export function severityOfLevel(level: sarif.Result.level | undefined): Severity {
  return SEVERITIES.find((severity) => LEVELS[severity] === level) ?? 'info';
}

/** `postfix/server-tls-off` as `PostfixServerTlsOff`, the form that SARIF asks of names. */
function pascalCase(id: string): string {
  return id.replace(/(?:^|[/-])([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function helpText({ why, wire = [], background = [], manual = [], references }: RulePage): string {
  return [
    why,
    ...wire,
    ...background,
    ...manual.map(({ releases, do: text }) => `${releases}: ${text}`),
    references.join(', '),
  ].join('\n\n');
}

function helpMarkdown({ why, wire = [], background = [], manual = [], references }: RulePage): string {
  const section = (title: string, texts: readonly string[]): string[] =>
    texts.length === 0 ? [] : [`## ${title}`, ...texts];
  return [
    plain(why),
    ...section('On the wire', wire.map(plain)),
    ...section('Background', background.map(plain)),
    ...section(
      'What to do',
      manual.map(({ releases, do: text }) => `- \`${releases}\`: ${plain(text)}`),
    ),
    ...section(
      'References',
      references.map((text) => `- ${plain(text)}`),
    ),
  ].join('\n\n');
}

/** Text of a rule file as Markdown shows it. */
function plain(text: string): string {
  return text.replace(/`[^`]*`|[*_<]/g, (found) => (found.startsWith('`') ? found : `\\${found}`));
}
