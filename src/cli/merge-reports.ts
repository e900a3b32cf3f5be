import type * as sarif from 'sarif';
import { InputError, readSource } from '../hosts/files.ts';
import { atLeastAsGrave, type Severity } from '../model/finding.ts';
import {
  invocations,
  SarifDocument,
  SarifRules,
  severityOfLevel,
  weighed,
} from '../reports/formats/sarif.ts';
import type { ShardNote } from '../reports/formats/shard.ts';
import { HostsDocument } from '../reports/json.ts';
import { harmless } from '../reports/words.ts';
import { andList } from '../rules/messages.ts';

export { OutputFile } from './output-file.ts';

/** The report of a whole run, made of those of its parts. */
interface MergedReport {
  readonly text: string;
  /** A finding is grave enough. */
  readonly failed: boolean;
  /** What could not be read, a sentence each. */
  readonly problems: readonly string[];
}

/** A report of one part. */
interface Part<Report> {
  readonly path: string;
  readonly report: Report;
  readonly note: ShardNote;
  readonly profile: string;
}

interface JsonFinding {
  readonly severity: Severity;
}

/** What `lint --format json` writes, as far as it matters here. */
interface JsonLint {
  readonly profile: string;
  readonly hosts: readonly { readonly findings: readonly JsonFinding[] }[];
  readonly summary: Readonly<Record<string, number>>;
  readonly ignored?: readonly string[];
  readonly leftOut?: readonly string[];
  readonly unchanged?: number;
  readonly shard?: ShardNote;
}

/**
 * Joins the reports of all parts of one run.
 *
 * @throws InputError for a file that cannot be read or is no such report, and where they are not those of all
 *   parts of one run
 */
export function mergedReport(paths: readonly string[], failOn: Severity): MergedReport {
  const read = paths.map(readReport);
  const json = read.flatMap(({ path, json: report }) => (report === null ? [] : [{ path, report }]));
  const logs = read.flatMap(({ path, sarif: report }) => (report === null ? [] : [{ path, report }]));
  const [one, other] = [json[0], logs[0]];
  if (one !== undefined && other !== undefined)
    throw new InputError(`${one.path} is JSON and ${other.path} is SARIF: join reports of one format`);
  return one !== undefined ? mergedJson(json, failOn) : mergedSarif(logs, failOn);
}

function readReport(path: string): {
  readonly path: string;
  readonly json: JsonLint | null;
  readonly sarif: sarif.Run | null;
} {
  let value: unknown;
  try {
    value = JSON.parse(readSource(path).text);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: not a report in JSON or SARIF, or only a piece of one`);
  }
  if (isObject(value)) {
    const { hosts, summary, runs } = value;
    if (Array.isArray(hosts) && isObject(summary))
      return { path, json: value as unknown as JsonLint, sarif: null };
    const run: unknown = Array.isArray(runs) && runs.length === 1 ? runs[0] : null;
    if (isObject(run) && Array.isArray(run['results'])) {
      const { tool } = run as unknown as sarif.Run;
      if (tool?.driver?.name === 'pfharden') return { path, json: null, sarif: run as unknown as sarif.Run };
    }
  }
  throw new InputError(`${path}: no report of pfharden lint in JSON or SARIF`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mergedJson(
  read: readonly { readonly path: string; readonly report: JsonLint }[],
  failOn: Severity,
): MergedReport {
  const parts = ordered(
    read.map(({ path, report }) => ({
      path,
      report,
      note: noteOf(path, report.shard, report.hosts.length),
      profile: report.profile,
    })),
  );
  const document = new HostsDocument();
  const pieces = [document.start({ profile: parts[0]?.profile })];
  let failed = false;
  for (const host of inPositions(parts, ({ report, note }) =>
    report.hosts.map((one, index) => [note.positions[index] as number, one]),
  )) {
    failed ||= host.findings.some(({ severity }) => atLeastAsGrave(severity, failOn));
    pieces.push(document.host(host));
  }
  const lists = (name: 'ignored' | 'leftOut'): readonly string[] =>
    parts.flatMap(({ report }) => report[name] ?? []);
  const unchanged = parts.flatMap(({ report }) => report.unchanged ?? []);
  const summary: Record<string, number> = {};
  for (const { report } of parts)
    for (const [key, count] of Object.entries(report.summary)) summary[key] = (summary[key] ?? 0) + count;
  pieces.push(
    document.end({
      summary,
      ...(lists('ignored').length === 0 ? {} : { ignored: lists('ignored') }),
      ...(lists('leftOut').length === 0 ? {} : { leftOut: lists('leftOut') }),
      ...(unchanged.length === 0 ? {} : { unchanged: unchanged.reduce((sum, count) => sum + count, 0) }),
    }),
  );
  return { text: pieces.join(''), failed, problems: problemsOf(parts) };
}

function mergedSarif(
  read: readonly { readonly path: string; readonly report: sarif.Run }[],
  failOn: Severity,
): MergedReport {
  const parts = ordered(
    read.map(({ path, report }) => {
      const { shard, profile } = (report.properties ?? {}) as { shard?: ShardNote; profile?: string };
      return { path, report, note: noteOf(path, shard, null), profile: profile ?? '' };
    }),
  );
  const document = new SarifDocument();
  const rules = new SarifRules();
  const pieces = [document.start()];
  let failed = false;
  const ofHosts = inPositions(parts, ({ path, report, note }) => {
    const results = report.results ?? [];
    let at = 0;
    const hosts = note.positions.map((entry): [number, sarif.Result[]] => {
      const [position, count] = typeof entry === 'number' ? [entry, 0] : entry;
      at += count;
      return [position, results.slice(at - count, at)];
    });
    if (at !== results.length)
      throw new InputError(`${path}: it has ${results.length} results, and says that it has ${at}`);
    return hosts;
  });
  for (const result of ofHosts.flat()) {
    const severity = severityOfLevel(result.level);
    if (result.suppressions === undefined) failed ||= atLeastAsGrave(severity, failOn);
    pieces.push(document.result({ ...result, ruleIndex: rules.see(result.ruleId ?? '', severity) }));
  }
  const known = new Map(
    parts.flatMap(({ report }) => (report.tool.driver.rules ?? []).map((rule) => [rule.id, rule] as const)),
  );
  const [first] = parts;
  const problems = problemsOf(parts);
  if (first === undefined) throw new Error('no part');
  const { driver } = first.report.tool;
  pieces.push(
    document.end({
      tool: {
        driver: {
          ...driver,
          rules: rules.levels().map(([id, severity]) => weighed(known.get(id) ?? { id }, severity)),
        },
      },
      originalUriBaseIds: first.report.originalUriBaseIds ?? {},
      ...invocations(problems),
      properties: { profile: first.profile },
    }),
  );
  return { text: pieces.join(''), failed, problems };
}

/** What a report says of the part that it is of. */
function noteOf(path: string, note: ShardNote | undefined, hosts: number | null): ShardNote {
  if (note === undefined)
    throw new InputError(`${path}: the report of a whole run: parts are made by lint --shard`);
  const isWhole =
    Array.isArray(note.positions) &&
    Array.isArray(note.problems) &&
    (hosts === null || note.positions.length === hosts) &&
    [note.number, note.of, note.hosts].every(Number.isInteger);
  if (!isWhole) throw new InputError(`${path}: what it says of its part is not what lint --shard writes`);
  return note;
}

/**
 * The parts in their order.
 *
 * @throws InputError where one is missing or there twice, or where they are not of one run
 */
function ordered<Report>(parts: readonly Part<Report>[]): readonly Part<Report>[] {
  const [first] = parts;
  if (first === undefined) throw new Error('no part');
  for (const part of parts) {
    const differs = (what: string, of: (one: Part<Report>) => number | string): void => {
      if (of(part) !== of(first))
        throw new InputError(
          `${first.path} and ${part.path} are not of one run: ${what} ${of(first)} and ${of(part)}`,
        );
    };
    differs('written by pfharden', ({ note }) => note.pfharden);
    differs('judged by the profiles', ({ profile }) => profile);
    differs('numbers of parts are', ({ note }) => note.of);
    differs('numbers of hosts are', ({ note }) => note.hosts);
  }
  const byNumber = new Map<number, Part<Report>>();
  for (const part of parts) {
    const { number, of } = part.note;
    const same = byNumber.get(number);
    if (same !== undefined)
      throw new InputError(`${same.path} and ${part.path} are both part ${number} of ${of}`);
    byNumber.set(number, part);
  }
  const { of } = first.note;
  const missing = Array.from({ length: of }, (_, index) => index + 1).filter(
    (number) => !byNumber.has(number),
  );
  if (missing.length > 0)
    throw new InputError(
      `${missing.length === 1 ? 'part' : 'parts'} ${andList(missing.slice(0, 10).map(String))}${missing.length > 10 ? ' and more' : ''} of ${of} ${missing.length === 1 ? 'is' : 'are'} missing`,
    );
  return [...byNumber.values()].sort((a, b) => a.note.number - b.note.number);
}

/** What the parts have of each host, in the order of the hosts. */
function inPositions<Report, T>(
  parts: readonly Part<Report>[],
  of: (part: Part<Report>) => readonly (readonly [position: number, value: T])[],
): readonly T[] {
  const byPosition = new Map<number, { readonly path: string; readonly value: T }>();
  for (const part of parts) {
    for (const [position, value] of of(part)) {
      const other = byPosition.get(position);
      if (other !== undefined)
        throw new InputError(`${other.path} and ${part.path} have the same host: they are not of one run`);
      byPosition.set(position, { path: part.path, value });
    }
  }
  return [...byPosition].sort(([a], [b]) => a - b).map(([, { value }]) => value);
}

function problemsOf(parts: readonly Part<unknown>[]): readonly string[] {
  return parts.flatMap(({ note }) => note.problems).map(harmless);
}
