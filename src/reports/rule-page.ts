import { unifiedDiff } from '../fix/diff.ts';
import { type ExampleRun, fixExample, runExample } from '../fix/example-run.ts';
import type { Finding, Severity } from '../model/finding.ts';
import { type Profile, severityOf } from '../rules/profile.ts';
import { type BadExample, type Example, exampleText, type ManualFix, type RulePage } from '../rules/rule.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { silencingPlace } from './silencing-place.ts';
import { findingLines, type TextOptions } from './text.ts';

/** A file of an example, its text without the last line feed. */
export interface PageFile {
  readonly path: string;
  readonly text: string;
}

/** An example as a page shows it. */
export interface PageExample {
  readonly title: string;
  /** Profile and releases that it is judged for; empty for the usual ones. */
  readonly judgedFor: string;
  readonly files: readonly PageFile[];
  readonly findings: readonly PageFinding[];
  /** What lint prints of them, line by line; empty for a good one. */
  readonly report: readonly string[];
  /** What fix prints for it, the unsafe fixes included: a diff for each file that changes. */
  readonly diffs: readonly string[];
}

/** What the rule finds in an example. */
export interface PageFinding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: Severity;
  readonly message: string;
  readonly advice: string;
  readonly fix: { readonly title: string; readonly safe: boolean } | null;
}

/** How much a rule counts under one profile. */
export interface PageLevel {
  readonly profile: string;
  /** "error", or "error (`soon`: warning)" where single messages count otherwise. */
  readonly counts: string;
  /** Why; empty where one sentence stands for all profiles. */
  readonly why: string;
}

/** How one release is mended by hand. */
export interface PageManual {
  readonly releases: string;
  readonly text: string;
  readonly files: readonly PageFile[];
  readonly run: readonly string[];
}

/** How a finding of the rule is silenced. */
export interface PageSilence {
  /** What stands above the text below. */
  readonly where: string;
  /** A comment and the line that it speaks of; null where no comment reaches what the rule reports. */
  readonly comment: PageFile | null;
  /** The bad example that the comment is for, and the line of its file that it goes before, from 1. */
  readonly before: { readonly example: number; readonly line: number } | null;
  /** What switches the rule off in `.pfharden.json`. */
  readonly config: string;
}

/** What the page of a rule shows, in the terminal and in docs/. */
export interface PageView {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly why: string;
  readonly references: readonly string[];
  readonly levels: readonly PageLevel[];
  /** Why it counts so, for all profiles; empty where each profile has a sentence of its own. */
  readonly rationale: string;
  readonly background: readonly string[];
  /** What is seen on the wire where the rule is broken. */
  readonly wire: readonly string[];
  readonly manual: readonly PageManual[];
  readonly fix: string;
  readonly silence: PageSilence;
  readonly bad: readonly PageExample[];
  readonly good: readonly PageExample[];
  /** How many examples the rule file holds, where not all are shown. */
  readonly examples: { readonly bad: number; readonly good: number };
}

/** What a page is made with. */
export interface PageOptions extends Omit<TextOptions, 'profile'> {
  /** The rules, the one of the page among them. */
  readonly ruleSet: RuleSet;
  /** In the order in which they are shown. */
  readonly profiles: readonly Profile[];
  /** The profile that an example names; without one, the usual. */
  readonly profileOf: (name: string | undefined) => Profile;
  /** How many bad and how many good examples are shown; all without it. */
  readonly mostExamples?: number;
}

/** Makes the page of a rule; its examples are run for it. */
export function rulePage(rule: RulePage, options: PageOptions): PageView {
  const { bad, good } = rule.examples;
  const most = options.mostExamples ?? Number.POSITIVE_INFINITY;
  const runs = bad.map((example): (() => ExampleRun) => {
    let run: ExampleRun | undefined;
    return () => (run ??= runExample(rule, example, options.ruleSet, options.profileOf(example.profile)));
  });
  return {
    id: rule.id,
    title: rule.title,
    category: rule.category,
    why: rule.why,
    references: rule.references,
    levels: options.profiles.map((profile) => ({
      profile: profile.name,
      counts: counts(rule, profile),
      why: typeof rule.rationale === 'string' ? '' : rationaleOf(rule, profile),
    })),
    rationale: sharedRationale(rule, options.profiles),
    background: rule.background ?? [],
    wire: rule.wire ?? [],
    manual: (rule.manual ?? []).map((manual) => manualView(manual, rule)),
    fix: FIXES[rule.fix.kind],
    silence: silence(rule, runs),
    bad: bad.slice(0, most).map((example, index) => badExample(rule, example, index, runs, options)),
    good: good.slice(0, most).map((example, index) => ({
      ...common(example, index),
      findings: [],
      report: [],
      diffs: [],
    })),
    examples: { bad: bad.length, good: good.length },
  };
}

const FIXES: Readonly<Record<RulePage['fix']['kind'], string>> = {
  safe: '`pfharden fix` mends it.',
  ask: '`pfharden fix --unsafe` mends it: the change may be noticed by users or partners.',
  none: 'There is no automatic fix.',
};

/** The level of most of its messages, and those that count otherwise. */
function counts(rule: RulePage, profile: Profile): string {
  const levels = Object.keys(rule.messages).map((message) => ({
    message,
    level: severityOf(profile, rule, message),
  }));
  const tally = new Map<string, number>();
  for (const { level } of levels) tally.set(level, (tally.get(level) ?? 0) + 1);
  const [usual = 'off'] = [...tally].sort((a, b) => b[1] - a[1])[0] ?? [];
  const others = [...tally.keys()]
    .filter((level) => level !== usual)
    .map((level) => {
      const names = levels.filter((one) => one.level === level).map(({ message }) => `\`${message}\``);
      return `${names.join(', ')}: ${level}`;
    });
  return others.length === 0 ? usual : `${usual} (${others.join('; ')})`;
}

/** The sentence for all profiles; empty where each profile has one of its own. */
function sharedRationale(rule: RulePage, profiles: readonly Profile[]): string {
  if (typeof rule.rationale === 'string') return rule.rationale;
  const alike = new Set(profiles.map((profile) => counts(rule, profile))).size === 1;
  return rule.rationale === undefined && alike ? 'It counts alike under each profile.' : '';
}

/** Why the rule counts as it does under the profile, or under the nearest that it extends. */
export function rationaleOf({ rationale }: Pick<RulePage, 'rationale'>, profile: Profile): string {
  if (rationale === undefined || typeof rationale === 'string') return rationale ?? '';
  const name = profile.lineage.find((one) => rationale[one] !== undefined);
  return name === undefined ? '' : (rationale[name] ?? '');
}

function manualView(
  { server, releases, do: text, lines = {}, run = [] }: ManualFix,
  { applies }: RulePage,
): PageManual {
  return {
    releases: releasesText(releases, server ?? applies.server),
    text,
    files: Object.entries(lines).map(([path, written]) => ({ path, text: written.join('\n') })),
    run,
  };
}

/** A range of releases in words: "Postfix 3.6 and later". */
function releasesText(range: string, server: RulePage['applies']['server']): string {
  const name = { postfix: 'Postfix', dovecot: 'Dovecot', both: 'release', any: 'release' }[server];
  const bounds = range.trim().split(/\s+/);
  const bound = (sign: string): string | undefined =>
    bounds.find((one) => one.startsWith(sign) && !one.startsWith(`${sign}=`))?.slice(sign.length);
  const from = bounds.find((one) => one.startsWith('>='))?.slice(2);
  const before = bound('<');
  if (range.trim() === '*') return `Every ${name === 'release' ? name : `release of ${name}`}`;
  if (bounds.length === 1 && from !== undefined) return `${name} ${from} and later`;
  if (bounds.length === 1 && before !== undefined) return `${name} before ${before}`;
  if (bounds.length === 2 && from !== undefined && before !== undefined)
    return `${name} ${from} to before ${before}`;
  return `${name} ${range}`;
}

/** What an example says of a file of the system, in words. */
const SYSTEM: Readonly<Record<NonNullable<Example['system']>[string], (path: string) => string>> = {
  owner: (path) => `only the owner can read ${path}`,
  group: (path) => `a group can read ${path}`,
  others: (path) => `everybody can read ${path}`,
  absent: (path) => `${path} is not there`,
};

function common(example: Example, index: number): Pick<PageExample, 'title' | 'judgedFor' | 'files'> {
  const releases = [
    example.postfix === undefined ? '' : `Postfix ${example.postfix}`,
    example.dovecot === undefined ? '' : `Dovecot ${example.dovecot}`,
    example.openssl === undefined ? '' : `OpenSSL ${example.openssl}`,
    example.profile === undefined ? '' : `profile ${example.profile}`,
    example.now === undefined ? '' : `the day ${example.now}`,
    example.silencing?.reason === 'required' ? '`"silencing": {"reason": "required"}`' : '',
    ...Object.entries(example.system ?? {}).map(
      ([path, readers]) => `a system where ${SYSTEM[readers](path)}`,
    ),
  ];
  return {
    title: exampleTitle(example, index),
    judgedFor: releases.filter((text) => text !== '').join(', '),
    files: pageFiles(example.files),
  };
}

/** The title of an example, or its number. */
export function exampleTitle({ title }: Pick<Example, 'title'>, index: number): string {
  return title ?? `Example ${index + 1}`;
}

function pageFiles(files: Example['files']): PageFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, text: exampleText(text).replace(/\n$/, '') }));
}

function badExample(
  rule: RulePage,
  example: BadExample,
  index: number,
  runs: readonly (() => ExampleRun)[],
  { ruleSet, profileOf, ...text }: PageOptions,
): PageExample {
  const profile = profileOf(example.profile);
  const run = runs[index]?.();
  return {
    ...common(example, index),
    findings: (run?.findings ?? []).map(pageFinding),
    report: run === undefined ? [] : findingLines(run, { ...text, profile: profile.name }).slice(1),
    diffs: fixExample(rule, example, ruleSet, profile, true)
      .files.map((file) => unifiedDiff(file).text.trimEnd())
      .filter((diff) => diff !== ''),
  };
}

function pageFinding({ at, severity, message, advice, fix }: Finding): PageFinding {
  const { line, column } = at.source.position(at.span.start);
  return {
    file: at.source.path,
    line,
    column,
    severity,
    message,
    advice,
    fix: fix === null || fix.edits.length === 0 ? null : { title: fix.title, safe: fix.safe },
  };
}

/** A reason as an administrator may write it. */
const REASON = 'the reason';

function silence({ id, applies }: RulePage, runs: readonly (() => ExampleRun)[]): PageSilence {
  const config = JSON.stringify({ severity: { [id]: 'off' } }, null, 2);
  // What is said of comments is not silenced by comments.
  if (applies.server === 'any') return { where: '', comment: null, before: null, config };
  for (const [example, run] of runs.entries()) {
    const { host, findings } = run();
    for (const finding of findings) {
      const place = silencingPlace(finding, host);
      if (place === null) continue;
      const path = finding.at.source.path;
      const comment = `${place.indent}# pfharden: ignore${place.wholeFile ? '-file' : ''} ${id} -- ${REASON}`;
      return {
        where: place.wholeFile
          ? `At the head of ${path}, before its first setting:`
          : `In ${path}, on the line before the setting:`,
        comment: { path, text: place.wholeFile ? comment : `${comment}\n${place.text}` },
        before: { example, line: place.line },
        config,
      };
    }
  }
  return { where: '', comment: null, before: null, config };
}
