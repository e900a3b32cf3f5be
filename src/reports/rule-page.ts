import { type Profile, severityOf } from '../rules/profile.ts';
import {
  type BadExample,
  type Example,
  exampleText,
  type Level,
  type Rule,
  type RulePage,
} from '../rules/rule.ts';

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
  /** "main.cf line 3", one for each finding. */
  readonly reported: readonly string[];
  /** The files that change, after the fix. */
  readonly fixed: readonly PageFile[];
}

/** How much one message of a rule counts under each profile. */
interface PageSeverity {
  /** Empty where all messages count alike. */
  readonly message: string;
  readonly levels: readonly { readonly profile: string; readonly level: Level }[];
}

/** What the page of a rule shows, in the terminal and in docs/. */
export interface PageView {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly why: string;
  readonly background: readonly string[];
  /** What is seen on the wire where the rule is broken. */
  readonly wire: readonly string[];
  readonly severities: readonly PageSeverity[];
  readonly fix: string;
  readonly manual: readonly { readonly releases: string; readonly text: string }[];
  readonly bad: readonly PageExample[];
  readonly good: readonly PageExample[];
  readonly references: readonly string[];
}

/** Makes the page of a rule; severities in the order of the profiles given. */
export function rulePage(rule: RulePage, profiles: readonly Profile[]): PageView {
  return {
    id: rule.id,
    title: rule.title,
    category: rule.category,
    why: rule.why,
    background: rule.background ?? [],
    wire: rule.wire ?? [],
    severities: severities(rule, profiles),
    fix: FIXES[rule.fix.kind],
    manual: (rule.manual ?? []).map(({ releases, do: text }) => ({
      releases: releasesText(releases, rule.applies.server),
      text,
    })),
    bad: rule.examples.bad.map((example, index) => badExample(example, index)),
    good: rule.examples.good.map((example, index) => ({
      ...common(example, index),
      reported: [],
      fixed: [],
    })),
    references: rule.references,
  };
}

const FIXES: Readonly<Record<Rule['fix']['kind'], string>> = {
  safe: '`pfharden fix` mends it.',
  ask: '`pfharden fix --unsafe` mends it: the change may be noticed by users or partners.',
  none: 'There is no automatic fix.',
};

function severities(rule: Rule, profiles: readonly Profile[]): PageSeverity[] {
  const rows = Object.keys(rule.messages).map((message) => ({
    message,
    levels: profiles.map((profile) => ({ profile: profile.name, level: severityOf(profile, rule, message) })),
  }));
  const [first] = rows;
  const same = rows.every(({ levels }) =>
    levels.every(({ level }, index) => level === first?.levels[index]?.level),
  );
  return first !== undefined && same ? [{ message: '', levels: first.levels }] : rows;
}

/** A range of releases in words: "Postfix 3.6 and later". */
function releasesText(range: string, server: Rule['applies']['server']): string {
  const name = { postfix: 'Postfix', dovecot: 'Dovecot', both: 'release' }[server];
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
    ...Object.entries(example.system ?? {}).map(
      ([path, readers]) => `a system where ${SYSTEM[readers](path)}`,
    ),
  ];
  return {
    title: example.title ?? `Example ${index + 1}`,
    judgedFor: releases.filter((text) => text !== '').join(', '),
    files: pageFiles(example.files),
  };
}

function pageFiles(files: Example['files']): PageFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, text: exampleText(text).replace(/\n$/, '') }));
}

function badExample(example: BadExample, index: number): PageExample {
  return {
    ...common(example, index),
    reported: [
      ...new Set(example.findings.map(({ file, from }) => `${file} line ${from.split(':')[0] ?? ''}`)),
    ],
    fixed: pageFiles(example.fixed ?? {}),
  };
}
