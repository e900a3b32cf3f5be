// Loaded by `pfharden completion` alone.
import about from '../../package.json' with { type: 'json' };
import { BUILTIN_PROFILE_NAMES, BUILTIN_RULES, builtinProfile } from '../rules/rule-set.ts';
import { COMMANDS, type CommandName, LINT_FORMATS, OPTIONS, type Option, type ValueName } from './options.ts';
import { filledTemplate } from './template-file.ts';
import { COMMAND_TEXTS, GENERAL, type WordKind } from './usage.ts';

/** Shells for which there is a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A shell for which there is a script. */
export type Shell = (typeof SHELLS)[number];

/** Whether a word names one of them. */
export function isShell(word: string): word is Shell {
  return SHELLS.some((shell) => shell === word);
}

/** How a shell completes a word, or the value of an option: `report` is a file, perhaps with a format before it. */
type Kind = 'choice' | 'file' | 'path' | 'folder' | 'report' | 'profile' | 'rule' | 'host' | 'none';

const KIND_OF_VALUE: Readonly<Record<ValueName, Kind>> = {
  FILE: 'file',
  FOLDER: 'folder',
  PATH: 'path',
  '[FORMAT=]FILE': 'report',
  'NAME|FILE': 'profile',
  RULE: 'rule',
  FORMAT: 'choice',
  SEVERITY: 'choice',
  KIND: 'choice',
  PROTOCOL: 'choice',
  SYSTEM: 'choice',
  GLOB: 'path',
  STEP: 'choice',
  PART: 'none',
  NAME: 'none',
  RELEASE: 'none',
  SECONDS: 'none',
  REV: 'none',
  NUMBER: 'none',
  SUITE: 'none',
  SHARE: 'none',
};

const KIND_OF_WORD: Readonly<Record<WordKind, Kind>> = {
  path: 'path',
  folder: 'folder',
  host: 'host',
  rule: 'rule',
  profile: 'profile',
  shell: 'choice',
  text: 'none',
  none: 'none',
};

interface OptionData {
  readonly name: string;
  readonly describe: string;
  /** Null for an option without a value. */
  readonly kind: Kind | null;
  readonly value: string;
  readonly choices: readonly string[];
  readonly repeats: boolean;
}

interface CommandData {
  readonly name: CommandName;
  readonly title: string;
  readonly options: readonly OptionData[];
  readonly kind: Kind;
  readonly choices: readonly string[];
  /** What the words are called. */
  readonly words: string;
  /** More than one is taken. */
  readonly many: boolean;
}

/**
 * The script for a shell. It holds all that it offers: the commands, options and their values, built-in rules
 * and profiles; pfharden is not run for an answer.
 */
export function completionScript(shell: Shell): string {
  const commands = (Object.keys(COMMANDS) as CommandName[]).map(commandData);
  return filledTemplate(
    `completion/${shell}`,
    {
      version: about.version,
      commands,
      general: GENERAL.map(({ term, describe }) => ({ name: term.replace(/^--/, ''), describe })),
      rules: BUILTIN_RULES.rules.map(({ id, title }) => ({ name: id, title: plain(title) })),
      profiles: BUILTIN_PROFILE_NAMES.map((name) => ({
        name,
        title: plain(builtinProfile(name).for),
      })),
      reportFormats: LINT_FORMATS,
      reportPrefixes: LINT_FORMATS.map((format) => `${format}=`),
    },
    HELPERS,
  );
}

function commandData(name: CommandName): CommandData {
  const { form, kind } = COMMAND_TEXTS[name];
  return {
    name,
    title: COMMANDS[name],
    options: Object.entries(OPTIONS[name]).map(([option, settings]) => optionData(option, settings)),
    kind: KIND_OF_WORD[kind],
    choices: kind === 'shell' ? SHELLS : [],
    words: form.replaceAll(/[^a-z]/g, ''),
    many: form.includes('..'),
  };
}

function optionData(name: string, { type, describe, value, choices = [] }: Option): OptionData {
  return {
    name,
    describe: plain(describe),
    kind: value === undefined ? null : KIND_OF_VALUE[value],
    value: value ?? '',
    choices,
    repeats: type === 'list',
  };
}

/** Menus show the text as it is. */
function plain(text: string): string {
  return text.replaceAll('`', '');
}

/** What zsh does to complete a word of a kind. */
function zshAction(kind: Kind, choices: readonly string[]): string {
  return kind === 'choice' ? `(${choices.join(' ')})` : ZSH_ACTIONS[kind];
}

const ZSH_ACTIONS: Readonly<Record<Exclude<Kind, 'choice'>, string>> = {
  file: '_files',
  path: '_files',
  folder: '_files -/',
  report: '_pfharden_reports',
  profile: '_pfharden_profiles',
  rule: '_pfharden_rules',
  host: '_hosts',
  none: ' ',
};

/** What fish is told of a word of a kind: what it offers, and whether names of files go with it. */
function fishAction(kind: Kind, choices: readonly string[]): string {
  return kind === 'choice' ? ` -f -a ${fishQuoted(choices.join(' '))}` : FISH_ACTIONS[kind];
}

const FISH_ACTIONS: Readonly<Record<Exclude<Kind, 'choice'>, string>> = {
  file: ' -F',
  path: ' -F',
  folder: " -f -a '(__fish_complete_directories)'",
  report: " -F -a '(__pfharden_reports)'",
  profile: " -F -a '(__pfharden_profiles)'",
  rule: " -f -a '(__pfharden_rules)'",
  host: " -f -a '(__fish_print_hostnames)'",
  none: ' -f',
};

/** In quotation marks for bash and zsh. */
function shQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}

/** A text in the brackets of an option of zsh's _arguments. */
function bracketed(text: string): string {
  return `[${text.replaceAll(/[\\[\]]/g, '\\$&')}]`;
}

function unlessColon(text: string): string {
  return text.replaceAll(/[\\:]/g, '\\$&');
}

const HELPERS = {
  sh: shQuoted,
  fish: fishQuoted,
  words: (words: readonly string[]) => words.join(' '),
  names: (all: readonly { readonly name: string }[]) => all.map(({ name }) => name),
  shortNames: (rules: readonly { readonly name: string }[]) => [
    ...new Set(rules.map(({ name }) => name.replace(/^.*\//, ''))),
  ],
  optionWords: (options: readonly OptionData[]) =>
    [...options.map(({ name }) => `--${name}`), ...GENERAL.map(({ term }) => term)].join(' '),
  pair: (name: string, text: string) => `${unlessColon(name)}:${unlessColon(text)}`,
  zshGeneral: ({ name, describe }: { readonly name: string; readonly describe: string }) =>
    `(- *)--${name}${bracketed(describe)}`,
  zshOption: ({ name, describe, kind, value, choices, repeats }: OptionData) =>
    `${repeats ? '*' : ''}--${name}${kind === null ? '' : '='}${bracketed(describe)}${
      kind === null ? '' : `:${unlessColon(value)}:${zshAction(kind, choices)}`
    }`,
  zshWords: ({ kind, choices, words, many }: CommandData) =>
    words === '' ? '*: :' : `${many ? '*' : '1'}:${words}:${zshAction(kind, choices)}`,
  fishValue: (kind: Kind | null, choices: readonly string[]) =>
    kind === null ? '' : ` -r${fishAction(kind, choices)}`,
  fishWords: fishAction,
  fishPairs: (all: readonly { readonly name: string; readonly title: string }[]) =>
    all.map(({ name, title }) => `${fishQuoted(name)} ${fishQuoted(title)}`).join(' \\\n        '),
};
