// What the help, the man page and the completion of shells say of the command line, besides its options.
import { COMMANDS, type CommandName, OPTIONS, type Option } from './options.ts';

/** What a word of the command line is; shells complete it accordingly. */
export type WordKind = 'path' | 'folder' | 'host' | 'rule' | 'profile' | 'shell' | 'text' | 'none';

/** What a command is told besides options, and what it is for. */
interface CommandText {
  /** As yargs reads it; empty for a command without words. */
  readonly form: string;
  readonly kind: WordKind;
  /** What the words are. */
  readonly words: string;
  /** What it does, in a few sentences. */
  readonly about: string;
  /** What its exit status says besides 2. */
  readonly status: ExitStatus;
  readonly examples: readonly Example[];
}

/** What 0 means, and 1 where it occurs. */
interface ExitStatus {
  readonly zero: string;
  readonly one?: string;
}

const PRINTED: ExitStatus = { zero: 'What was asked for was printed.' };

/** A command line, and what it does. */
export interface Example {
  readonly line: string;
  readonly does: string;
}

const PATHS = {
  form: '[path..]',
  kind: 'path',
  words:
    'A file, a folder (/etc/postfix, /etc, a repository), or - for standard input with --as; the current folder where none is given.',
} as const;

/** By command. */
export const COMMAND_TEXTS: Readonly<Record<CommandName, CommandText>> = {
  lint: {
    ...PATHS,
    about:
      'Reads the configuration as Postfix and Dovecot read it, works out what each port does, and judges that by a profile. A finding names the line that decides, why it matters and what to do.',
    status: { zero: 'Nothing was found.', one: 'Something was found, as grave as --fail-on says or graver.' },
    examples: [
      { line: 'pfharden lint /etc', does: 'what is wrong with Postfix and Dovecot here' },
      {
        line: 'pfharden lint --fail-on error hosts',
        does: 'for CI: all hosts of a folder; only errors fail',
      },
      { line: 'pfharden lint --format json /etc >report.json', does: 'the same for a program' },
    ],
  },
  fix: {
    ...PATHS,
    about:
      'Prints a diff that patch -p1 and git apply take, and says on standard error what it leaves to you and why. With --write it changes the files, all of them or none.',
    status: {
      zero: 'Nothing is left to mend; with --write, the files were written.',
      one: 'A diff was printed.',
    },
    examples: [
      { line: 'pfharden fix /etc/postfix --profile strict', does: 'the diff that hardens it' },
      { line: 'pfharden fix /etc/postfix --only server-protocols', does: 'the diff for one rule' },
      {
        line: "pfharden fix /etc/postfix --logs '/var/log/mail.log*' --keep-peers 99.5%",
        does: 'no stricter than the peers allow',
      },
      { line: 'pfharden fix /etc/postfix --write --backup', does: 'mend the files, keep the old ones' },
    ],
  },
  show: {
    ...PATHS,
    about:
      'Lists what is set, where, and what it is worth, and for each port and client what it speaks: role, TLS, protocols, suites and authentication.',
    status: PRINTED,
    examples: [
      { line: 'pfharden show /etc', does: 'settings and endpoints of this host' },
      { line: 'pfharden show --all --format json /etc/postfix', does: 'every setting, for a program' },
    ],
  },
  ciphers: {
    // Not <string>: one behind -- would not be found.
    form: '[string]',
    kind: 'text',
    words:
      'A cipher string, in quotation marks; - reads it from standard input; -- goes before one that begins with -.',
    about:
      'Lists the suites that a cipher string means to a release of OpenSSL, in their order, with what the profile forbids of them, what has no effect, and the shortest string that means the same.',
    status: { zero: 'OpenSSL takes the string.', one: 'OpenSSL refuses the string.' },
    examples: [
      { line: "pfharden ciphers 'HIGH:!aNULL' --openssl-version 3.0", does: 'what OpenSSL 3.0 makes of it' },
    ],
  },
  probe: {
    form: '<host..>',
    kind: 'host',
    words: 'HOST, HOST:PORT or [ADDRESS]:PORT; the port is 25 where none is given.',
    about:
      'Connects to running ports and lists what they do, seen from outside: protocols, suites, groups, certificates, authentication before and after TLS. With --config also what differs from the files, and why that may be.',
    status: {
      zero: 'Every port answered with TLS, and with --config as the files say.',
      one: 'A port did not answer with TLS, or differs from the files.',
    },
    examples: [
      {
        line: 'pfharden probe mail.example.org:587 --config /etc',
        does: 'whether the port does what the files say',
      },
    ],
  },
  logs: {
    form: '<file..>',
    kind: 'path',
    words: 'A mail log, plain or compressed, or a pattern in quotation marks; - is standard input.',
    about:
      'Counts the sessions that the logs tell of, by protocol and suite, in the clear, and those whose TLS failed. With --config and --profile says whom the fix for that profile would cut off.',
    status: PRINTED,
    examples: [
      { line: 'pfharden logs /var/log/mail.log*', does: 'what peers spoke since the oldest of these' },
      { line: 'pfharden logs --protocol TLSv1 --peers /var/log/mail.log', does: 'who still speaks TLSv1' },
      {
        line: 'pfharden logs /var/log/mail.log* --config /etc/postfix --profile strict',
        does: 'whom strict would cut off',
      },
    ],
  },
  explain: {
    form: '<rule>',
    kind: 'rule',
    words: 'The id of a rule as reports print it; what stands before the slash may be left out.',
    about: 'What a rule looks for, why, how to mend it by hand, and examples.',
    status: PRINTED,
    examples: [{ line: 'pfharden explain postfix/server-protocols', does: 'the page of this rule' }],
  },
  rules: {
    form: '',
    kind: 'none',
    words: '',
    about:
      'Lists all rules with how much each counts in each profile. With --check runs the examples of your own rules.',
    status: {
      zero: 'The rules were printed; with --check, all examples are as promised.',
      one: 'With --check: an example is not as promised.',
    },
    examples: [
      { line: 'pfharden rules --check ./rules', does: 'whether your own rules do what they promise' },
    ],
  },
  profiles: {
    form: '[names..]',
    kind: 'profile',
    words:
      'A profile, by its name or its file; with --diff two of them. All that are built in where none is given.',
    about: 'Shows what profiles ask for, side by side, each threshold with the standard that it follows.',
    status: PRINTED,
    examples: [
      { line: 'pfharden profiles --diff modern strict', does: 'what strict asks for beyond modern' },
    ],
  },
  init: {
    form: '[folder]',
    kind: 'folder',
    words: 'The root of the repository; the current folder where none is given.',
    about:
      'Shows the .pfharden.json and the file for CI that put pfharden in front of every merge, and writes them with --write.',
    status: { zero: 'The files were shown or written.' },
    examples: [{ line: 'pfharden init --ci gitlab --write', does: 'start in a repository on GitLab' }],
  },
  merge: {
    form: '<file..>',
    kind: 'path',
    words:
      'A report that lint --shard has written as JSON or SARIF; of each part one, all in the same format.',
    about:
      'Joins the reports of all parts of a repository into the one that a single run would have written, byte for byte.',
    status: { zero: 'Nothing was found.', one: 'Something was found, as grave as --fail-on says or graver.' },
    examples: [
      { line: 'pfharden merge part-*.json >report.json', does: 'one report of all parts' },
      { line: 'pfharden merge part-*.sarif --output all.sarif', does: 'the same in SARIF' },
    ],
  },
  completion: {
    form: '<shell>',
    kind: 'shell',
    words: 'bash, zsh or fish.',
    about:
      'Prints a script by which the shell completes commands, options, their values, rules and profiles. The first lines of the script say where it goes.',
    status: PRINTED,
    examples: [
      { line: 'source <(pfharden completion bash)', does: 'complete in this session of bash' },
      {
        line: 'pfharden completion fish >~/.config/fish/completions/pfharden.fish',
        does: 'complete in every session of fish',
      },
    ],
  },
};

/** Options with a heading of their own, in the help of commands that have many; all others come first. */
const GROUPS: readonly (readonly [title: string, options: readonly string[]])[] = [
  [
    'What is printed',
    ['format', 'output', 'severity', 'quiet', 'verbose', 'all', 'show-suppressed', 'no-color'],
  ],
  [
    'How files are read',
    [
      'include',
      'exclude',
      'as',
      'postfix-version',
      'dovecot-version',
      'openssl-version',
      'no-config',
      'no-exec',
    ],
  ],
];

/** So many options are read in one list. */
const FEW = 9;

/** A term and what it means. */
export interface UsageLine {
  readonly term: string;
  readonly describe: string;
}

/** Lines under a heading. */
export interface UsageGroup {
  readonly title: string;
  readonly lines: readonly UsageLine[];
}

/** All that is said of a command. */
export interface CommandUsage {
  readonly name: CommandName;
  readonly synopsis: string;
  /** In one line. */
  readonly summary: string;
  readonly about: string;
  /** The words that it takes; null where it takes none. */
  readonly words: UsageLine | null;
  readonly groups: readonly UsageGroup[];
  readonly status: readonly UsageLine[];
  readonly examples: readonly Example[];
}

/** What every command line may have, and nothing else besides. */
export const GENERAL: readonly UsageLine[] = [
  { term: '--help', describe: 'Show this help; after a command, the help of the command' },
  { term: '--version', describe: 'Show the release of pfharden and the releases of servers that it knows' },
];

/** What the exit status 2 says of every command. */
const FAILED = 'Wrong usage, unreadable input, or a wrong rule, profile or .pfharden.json.';

/** What the exit status says, whatever the command. */
export const EXIT_STATUS: readonly UsageLine[] = [
  { term: '0', describe: 'Nothing was found, or what was asked for was printed or written.' },
  { term: '1', describe: 'Something was found.' },
  { term: '2', describe: FAILED },
];

/** What the help and the man page say of a command. */
export function commandUsage(name: CommandName): CommandUsage {
  const { form, words, about, status, examples } = COMMAND_TEXTS[name];
  const shown = form.replace('..', '…').replaceAll(/[<>]/g, '').toUpperCase();
  return {
    name,
    synopsis: ['pfharden', name, shown, '[OPTION…]'].filter((part) => part !== '').join(' '),
    summary: COMMANDS[name],
    about,
    words: form === '' ? null : { term: shown.replaceAll(/[[\]…]/g, ''), describe: words },
    groups: groupsOf(Object.entries(OPTIONS[name])),
    status: [
      { term: '0', describe: status.zero },
      ...(status.one === undefined ? [] : [{ term: '1', describe: status.one }]),
      { term: '2', describe: FAILED },
    ],
    examples,
  };
}

function groupsOf(options: readonly (readonly [string, Option])[]): readonly UsageGroup[] {
  const groups = options.length > FEW ? GROUPS : [];
  const grouped = new Set(groups.flatMap(([, names]) => names));
  const group = (title: string, belongs: (name: string) => boolean): UsageGroup => ({
    title,
    lines: options
      .filter(([name]) => belongs(name))
      .map(([name, option]) => ({ term: optionTerm(name, option), describe: optionText(option) })),
  });
  return [
    group('Options', (name) => !grouped.has(name)),
    ...groups.map(([title, names]) => group(title, (name) => names.includes(name))),
  ].filter(({ lines }) => lines.length > 0);
}

function optionTerm(name: string, { value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** What an option does, with what it can be and what it is otherwise. */
function optionText({ type, describe, choices, default: otherwise }: Option): string {
  const values = choices?.map((choice) => (choice === otherwise ? `${choice} (default)` : choice));
  const text = values === undefined ? describe : `${describe}: ${values.join(', ')}`;
  const isDefault = otherwise !== undefined && choices === undefined;
  return `${text}${isDefault ? ` (default: ${otherwise})` : ''}${type === 'list' ? '; may be given several times' : ''}`;
}
