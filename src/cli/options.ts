import type { InputKind } from '../hosts/read.ts';
import type { GivenReleases } from '../hosts/releases.ts';
import type { Step } from '../logs/periods.ts';
import type { OtherKind } from '../logs/summary.ts';
import { PROTOCOLS } from '../model/protocol.ts';
import { parseRelease } from '../model/release.ts';
import { type PathGlob, pathGlob } from '../text/path-glob.ts';
import { UsageError } from './errors.ts';

/** What the value of an option is, as the help names it. */
export type ValueName =
  | 'FILE'
  | 'PART'
  | 'FOLDER'
  | 'PATH'
  | '[FORMAT=]FILE'
  | 'NAME|FILE'
  | 'NAME'
  | 'RULE'
  | 'RELEASE'
  | 'FORMAT'
  | 'SEVERITY'
  | 'KIND'
  | 'PROTOCOL'
  | 'SYSTEM'
  | 'GLOB'
  | 'REV'
  | 'NUMBER'
  | 'STEP'
  | 'SUITE'
  | 'SHARE'
  | 'SECONDS';

/** One option of the command line. All are long; a boolean takes no value, a list may be given again and again. */
export interface Option {
  readonly type: 'string' | 'boolean' | 'list';
  readonly describe: string;
  readonly value?: ValueName;
  readonly choices?: readonly string[];
  /** What counts where the option is not given, for the help. */
  readonly default?: string;
}

/** Options by name, without the dashes. */
export type Options = Readonly<Record<string, Option>>;

/** What was given, by name; what was not given is absent. */
export type Given = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** A command line that was understood. */
export interface Request {
  readonly command: CommandName;
  readonly words: readonly string[];
  readonly given: Given;
}

/** Names of the commands, and the one line of help for each. */
export const COMMANDS = {
  lint: 'Say what is wrong, where and why',
  fix: 'Print the smallest diff that mends it, or write it',
  show: 'Show the effective settings and what each port really does',
  ciphers: 'Say what a cipher string means',
  probe: 'Look at running ports, and hold them against the files',
  logs: 'Count in mail logs what peers speak',
  explain: 'Explain a rule',
  rules: 'List the rules',
  profiles: 'Show the thresholds of the profiles side by side',
  init: 'Show a .pfharden.json and a file for CI, or write them',
  merge: 'Join the reports of lint --shard into one',
  completion: 'Print what lets bash, zsh or fish complete command lines',
} as const;

/** A command. */
export type CommandName = keyof typeof COMMANDS;

const FORMAT: Option = {
  type: 'string',
  choices: ['text', 'json'],
  default: 'text',
  value: 'FORMAT',
  describe: 'How to print it',
};

/** Formats of `lint`. */
export const LINT_FORMATS = [
  'text',
  'json',
  'ndjson',
  'sarif',
  'github',
  'gitlab',
  'junit',
  'checkstyle',
  'markdown',
  'html',
] as const;

/** A format of `lint`. */
export type LintFormat = (typeof LINT_FORMATS)[number];

/** Formats of `logs`. */
export const LOG_FORMATS = ['text', 'json', 'csv', 'markdown', 'html', 'partial'] as const;

/** A format of `logs`. */
export type LogFormat = (typeof LOG_FORMATS)[number];

const STEPS: readonly Step[] = ['day', 'week', 'month'];

/** Kinds of sessions beside those of a protocol. */
const OTHER_KINDS: readonly OtherKind[] = ['TLS', 'clear', 'failed', 'untold'];

const NO_COLOR: Option = { type: 'boolean', describe: 'Never use colours' };

const PROFILE: Option = {
  type: 'string',
  value: 'NAME|FILE',
  describe:
    'legacy-compatible, modern (default), strict, or a file of your own; counts before .pfharden.json',
};

const RULES: Option = {
  type: 'list',
  value: 'FOLDER',
  describe: 'Also the rules of your own in this folder',
};

const OPENSSL: Option = {
  type: 'string',
  value: 'RELEASE',
  describe: 'Judge for this release of OpenSSL',
};

const SEVERITIES = ['error', 'warning', 'info'];

const FAIL_ON: Option = {
  type: 'string',
  choices: SEVERITIES,
  value: 'SEVERITY',
  default: 'warning',
  describe: 'Exit with 1 for findings from this severity up',
};

/** Options of commands that search folders for hosts. */
const SEARCH: Options = {
  include: {
    type: 'list',
    value: 'GLOB',
    describe:
      'Of what is found in folders, only files that match; what git or .pfharden.json leaves out stays out',
  },
  exclude: {
    type: 'list',
    value: 'GLOB',
    describe: 'Of what is found in folders, no files that match; a file or host named outright always counts',
  },
};

const JOBS: Option = {
  type: 'string',
  value: 'NUMBER',
  describe: 'Share the work among this many threads (default: one for each core, for many hosts)',
};

const SHARD: Option = {
  type: 'string',
  value: 'PART',
  describe: 'Only the hosts of one part, such as 1/8: the parts of one repository share the jobs of CI',
};

/** Options of every command that reads hosts. */
const HOSTS: Options = {
  as: {
    type: 'string',
    choices: ['main.cf', 'master.cf', 'dovecot.conf'],
    value: 'KIND',
    describe: 'What a file of another name, or standard input (-), is',
  },
  'postfix-version': { type: 'string', value: 'RELEASE', describe: 'Judge for this release of Postfix' },
  'dovecot-version': { type: 'string', value: 'RELEASE', describe: 'Judge for this release of Dovecot' },
  'openssl-version': OPENSSL,
  'no-config': { type: 'boolean', describe: 'Read no .pfharden.json' },
  'no-exec': { type: 'boolean', describe: 'Ask no installed program for its release' },
};

/** The options of each command. */
export const OPTIONS: Readonly<Record<CommandName, Options>> = {
  lint: {
    profile: PROFILE,
    rules: RULES,
    format: { ...FORMAT, choices: LINT_FORMATS },
    output: {
      type: 'list',
      value: '[FORMAT=]FILE',
      describe: 'Write a report into a file',
    },
    'fail-on': FAIL_ON,
    severity: {
      type: 'string',
      choices: SEVERITIES,
      value: 'SEVERITY',
      describe: 'Show findings from this severity up',
    },
    quiet: { type: 'boolean', describe: 'One line a finding and nothing else' },
    verbose: {
      type: 'boolean',
      describe: 'Name the cipher suites that findings count, and what is left out',
    },
    'diff-base': {
      type: 'string',
      value: 'REV',
      describe:
        "Only hosts whose files have changed since git's REV and HEAD parted; changed lines are marked",
    },
    baseline: {
      type: 'string',
      value: 'FILE',
      describe: 'Count only findings that are not in this file',
    },
    'update-baseline': { type: 'boolean', describe: 'Write what is found into the file of --baseline' },
    'show-suppressed': { type: 'boolean', describe: 'List what comments and the baseline silence, and why' },
    rule: { type: 'list', value: 'RULE', describe: 'Only this rule' },
    jobs: JOBS,
    shard: SHARD,
    ...SEARCH,
    ...HOSTS,
    'no-color': NO_COLOR,
  },
  fix: {
    profile: PROFILE,
    rules: RULES,
    only: {
      type: 'list',
      value: 'RULE',
      describe: 'Mend only findings of this rule',
    },
    unsafe: { type: 'boolean', describe: 'Also make changes that users or partners may notice' },
    logs: {
      type: 'list',
      value: 'FILE',
      describe: 'Say above the diff whom it would cut off by this mail log; * in quotation marks is expanded',
    },
    'keep-peers': {
      type: 'string',
      value: 'SHARE',
      describe:
        'With --logs: choose the strictest thresholds with which this share of the peers (99.5%) keeps TLS',
    },
    format: {
      type: 'string',
      choices: ['diff', 'postconf'],
      default: 'diff',
      value: 'FORMAT',
      describe: 'A unified diff, or a shell script of postconf commands',
    },
    write: { type: 'boolean', describe: 'Change the files' },
    backup: { type: 'boolean', describe: 'With --write: keep the old files as NAME.bak' },
    jobs: JOBS,
    shard: SHARD,
    ...SEARCH,
    ...HOSTS,
  },
  show: {
    profile: PROFILE,
    format: FORMAT,
    all: { type: 'boolean', describe: 'Also the settings that are left at their defaults' },
    verbose: { type: 'boolean', describe: 'Name every suite' },
    jobs: JOBS,
    ...SEARCH,
    ...HOSTS,
    'no-color': NO_COLOR,
  },
  ciphers: { profile: PROFILE, 'openssl-version': OPENSSL, format: FORMAT, 'no-color': NO_COLOR },
  probe: {
    starttls: {
      type: 'string',
      choices: ['smtp', 'lmtp', 'imap', 'pop3', 'sieve', 'none'],
      value: 'PROTOCOL',
      describe:
        'How TLS begins, for all ports given, where it is not as is usual on the port; none is implicit TLS',
    },
    sni: { type: 'string', value: 'NAME', describe: 'Ask for the certificate of this name' },
    timeout: { type: 'string', value: 'SECONDS', default: '10', describe: 'For each connection' },
    config: {
      type: 'string',
      value: 'PATH',
      describe: 'Say what differs from the files there (/etc/postfix, /etc)',
    },
    profile: PROFILE,
    format: FORMAT,
    verbose: { type: 'boolean', describe: 'Name every suite' },
    ...HOSTS,
    'no-color': NO_COLOR,
  },
  logs: {
    by: {
      type: 'string',
      choices: STEPS,
      value: 'STEP',
      describe: 'Also over time, in steps of this length',
    },
    peers: { type: 'boolean', describe: 'Also name the peers behind each row, their domains and users' },
    config: {
      type: 'string',
      value: 'PATH',
      describe: 'Say what becomes of the peers when the files there (/etc/postfix, /etc) are hardened',
    },
    profile: { ...PROFILE, describe: `Say whom this profile would cut off: ${PROFILE.describe}` },
    diff: {
      type: 'string',
      value: 'FILE',
      describe: 'With --config: judge this change of the files, a unified diff; - is standard input',
    },
    unsafe: { type: 'boolean', describe: 'With --config: also the changes that fix makes with --unsafe' },
    rules: RULES,
    protocol: {
      type: 'list',
      choices: [...PROTOCOLS, ...OTHER_KINDS],
      value: 'PROTOCOL',
      describe: 'Only sessions of this protocol, in the clear, or whose TLS failed',
    },
    cipher: {
      type: 'list',
      value: 'SUITE',
      describe: 'Only sessions of this suite',
    },
    service: {
      type: 'list',
      value: 'NAME',
      describe: 'Only sessions of this service, as reports name it',
    },
    anonymize: {
      type: 'boolean',
      describe: 'Put pseudonyms in place of addresses, names, domains and users',
    },
    'anonymize-key': {
      type: 'string',
      value: 'FILE',
      describe:
        'Make the pseudonyms with this key, so that those of several runs are the same (default: a new one)',
    },
    format: {
      ...FORMAT,
      choices: LOG_FORMATS,
      describe: 'How to print it, partial as counts that --merge adds up',
    },
    merge: {
      type: 'boolean',
      describe: 'The files are not logs, but counts of --format partial: add them up',
    },
    ...HOSTS,
    'no-color': NO_COLOR,
  },
  explain: { rules: RULES, format: FORMAT, 'no-color': NO_COLOR },
  rules: {
    rules: RULES,
    check: {
      type: 'list',
      value: 'FOLDER',
      describe: 'Run the examples of the rules in this folder; exit with 1 where one is not as promised',
    },
    format: FORMAT,
    'no-color': NO_COLOR,
  },
  profiles: {
    diff: { type: 'boolean', describe: 'Say in what two profiles differ' },
    rules: RULES,
    format: FORMAT,
    'no-color': NO_COLOR,
  },
  init: {
    ci: {
      type: 'string',
      choices: ['github', 'gitlab'],
      value: 'SYSTEM',
      describe: 'Which file for CI, where the folder does not tell by a .github or .gitlab-ci.yml',
    },
    profile: {
      type: 'string',
      value: 'NAME|FILE',
      describe: 'legacy-compatible, modern (default), strict, or a file of your own',
    },
    write: { type: 'boolean', describe: 'Write the files; what is there already stays as it is' },
  },
  merge: {
    output: { type: 'string', value: 'FILE', describe: 'Write the report into a file' },
    'fail-on': FAIL_ON,
  },
  completion: {},
};

/**
 * Understands a command line that leaves no question open: a command, long options that it has, with
 * values that they take, and words.
 *
 * @returns null for every other one: whether that is wrong, and how, the full parser tells
 */
export function plainRequest(args: readonly string[]): Request | null {
  const [command, ...rest] = args;
  if (command === undefined || !(command in OPTIONS)) return null;
  const options = OPTIONS[command as CommandName];
  const words: string[] = [];
  const given: Record<string, string | boolean | string[]> = {};
  for (let index = 0; index < rest.length; index++) {
    const arg = rest[index] ?? '';
    if (arg === '-' || (!arg.startsWith('-') && arg !== '')) {
      words.push(arg);
      continue;
    }
    const [, name = '', inline] = /^--([a-z-]+)(?:=(.+))?$/.exec(arg) ?? [];
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) return null;
    if (option.type === 'boolean') {
      if (inline !== undefined || name in given) return null;
      given[name] = true;
      continue;
    }
    const value = inline ?? rest[++index];
    if (value === undefined || value === '' || value.startsWith('-')) return null;
    if (option.choices !== undefined && !option.choices.includes(value)) return null;
    const earlier = given[name];
    if (option.type === 'list') given[name] = Array.isArray(earlier) ? [...earlier, value] : [value];
    else if (earlier === undefined) given[name] = value;
    else return null;
  }
  return { command: command as CommandName, words, given };
}

/** A string option, or undefined. */
export function textOf(given: Given, name: string): string | undefined {
  const value = given[name];
  return typeof value === 'string' ? value : undefined;
}

/** Whether a boolean option was given. */
export function isOn(given: Given, name: string): boolean {
  return given[name] === true;
}

/** The values of a list option; empty where it was not given. */
export function listOf(given: Given, name: string): readonly string[] {
  const value = given[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** What the options of `HOSTS` say. */
export function hostOptions(
  given: Given,
  command: CommandName,
): {
  readonly as: InputKind | undefined;
  readonly flags: GivenReleases;
  readonly configs: boolean;
  readonly exec: boolean;
  readonly include: readonly PathGlob[];
  readonly exclude: readonly PathGlob[];
} {
  const globs = (name: string): PathGlob[] =>
    listOf(given, name).map((text) => {
      const glob = pathGlob(text);
      if (glob === null)
        throw new UsageError(`--${name} ${text}: the braces make too many patterns: 256 at most`, command);
      return glob;
    });
  const release = (server: string): string | undefined => {
    const text = textOf(given, `${server}-version`);
    if (text === undefined) return undefined;
    const parsed = parseRelease(text);
    if (parsed === null)
      throw new UsageError(
        `--${server}-version: "${text}" is no release; write it as 3.7.11 or 3.7`,
        command,
      );
    return parsed;
  };
  return {
    as: textOf(given, 'as') as InputKind | undefined,
    flags: { postfix: release('postfix'), dovecot: release('dovecot'), openssl: release('openssl') },
    configs: !isOn(given, 'no-config'),
    exec: !isOn(given, 'no-exec'),
    include: globs('include'),
    exclude: globs('exclude'),
  };
}
