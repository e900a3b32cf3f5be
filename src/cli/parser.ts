import yargs from 'yargs';
import { nearest } from '../text/nearest.ts';
import { COMMANDS, type CommandName, type Given, OPTIONS, type Option, type Request } from './options.ts';

/** What is wrong with a command line, in one line, and the command whose help to look at. */
export interface Problem {
  readonly problem: string;
  readonly command: CommandName | undefined;
}

/** The words that each command takes. */
const WORDS: Readonly<Record<CommandName, readonly [form: string, describe: string]>> = {
  lint: [
    '[path..]',
    'File, folder (/etc/postfix, /etc, a repository), or - with --as; default: the current folder',
  ],
  fix: [
    '[path..]',
    'File, folder (/etc/postfix, /etc, a repository), or - with --as; default: the current folder',
  ],
  show: [
    '[path..]',
    'File, folder (/etc/postfix, /etc, a repository), or - with --as; default: the current folder',
  ],
  // Not <string>: one behind -- would not be found.
  ciphers: [
    '[string]',
    'Cipher string, in quotation marks; - reads it from standard input; -- goes before one that begins with -',
  ],
  probe: ['<host..>', 'HOST, HOST:PORT or [ADDRESS]:PORT; default port: 25'],
  logs: ['<file..>', 'A mail log, plain or compressed; - is standard input'],
  explain: ['<rule>', 'Id of a rule, as reports print it'],
  rules: ['', ''],
  profiles: ['[names..]', 'Only this profile, a name or a file; with --diff two of them'],
  init: ['[folder]', 'Root of the repository; default: the current folder'],
};

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['pfharden lint /etc/postfix', 'what is wrong, where and why'],
  ['pfharden fix /etc/postfix --profile strict', 'the diff that mends it'],
  ['pfharden fix /etc/postfix --write --backup', 'mend it'],
];

const EXIT_STATUS =
  'Exit status: 0 nothing found, 1 findings (fix: a diff; ciphers: OpenSSL refuses the string),\n2 wrong usage or unreadable input.';

function nameOf(form: string): string {
  return form.replace(/[^a-z]/g, '');
}

/** Everything of an option that yargs wants. */
function yargsOption({ type, choices, describe, value }: Option) {
  return {
    describe: value === undefined || choices !== undefined ? describe : `${value}: ${describe}`,
    ...(type === 'boolean' ? { type: 'boolean' as const } : { type: 'string' as const, requiresArg: true }),
    ...(type === 'list' ? { array: true } : {}),
    ...(choices === undefined ? {} : { choices }),
  };
}

/**
 * Parses any command line.
 *
 * @returns the request, or the text to print where help or the version was asked for, or what is wrong.
 *   It throws nothing: in a file of its own it has classes of its own, which nobody would recognise.
 */
export async function parse(args: readonly string[], version: string): Promise<Request | Problem | string> {
  let parser = yargs([])
    .scriptName('pfharden')
    .locale('en')
    .wrap(100)
    .usage('Usage: $0 COMMAND [OPTION…] [PATH…]')
    .version(version)
    .help('help')
    .strict()
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'populate--': true,
      'parse-positional-numbers': false,
      'short-option-groups': false,
    })
    .exitProcess(false)
    .fail(false)
    .epilogue(EXIT_STATUS);
  for (const [form, describe] of EXAMPLES) parser = parser.example(form, describe);
  for (const [command, describe] of Object.entries(COMMANDS)) {
    const name = command as CommandName;
    const [form, about] = WORDS[name];
    parser = parser.command(`${command} ${form}`.trim(), describe, (own) => {
      let usage = own.usage(
        `Usage: $0 ${`${command} ${form.toUpperCase()}`.trim()} [OPTION…]\n\n${describe}.`,
      );
      // What is set for all commands does not reach the help of one.
      usage = usage.epilogue(EXIT_STATUS);
      if (form !== '') usage = usage.positional(nameOf(form), { type: 'string', describe: about });
      for (const [option, settings] of Object.entries(OPTIONS[name]))
        usage = usage.option(option, yargsOption(settings));
      return usage;
    });
  }

  const command = args.find((arg) => Object.hasOwn(COMMANDS, arg)) as CommandName | undefined;
  const first = args.find((arg) => !arg.startsWith('-'));
  const asksForHelp = args.some((arg) => arg === '--help' || arg === '--version');
  if (!asksForHelp && (first === undefined || first !== command)) {
    return { problem: notACommand(first, args[0]), command: undefined };
  }

  let printed = '';
  let argv: Record<string, unknown>;
  try {
    argv = await parser.parseAsync([...args], {}, (_error, _argv, output) => {
      printed = output;
    });
  } catch (error) {
    return { problem: inOwnWords(error instanceof Error ? error.message : String(error), command), command };
  }
  if (printed !== '') return `${printed}\n`;
  if (command === undefined) return { problem: notACommand(undefined, undefined), command };
  return request(command, argv);
}

function notACommand(word: string | undefined, option: string | undefined): string {
  const names = Object.keys(COMMANDS);
  if (word === undefined)
    return option === undefined ? `which command? ${names.join(', ')}` : `unknown option ${option}`;
  const meant = nearest(word, names);
  return `unknown command "${word}"${meant === null ? '' : `; did you mean ${meant}?`}`;
}

function request(command: CommandName, argv: Readonly<Record<string, unknown>>): Request {
  const [form] = WORDS[command];
  const positional = form === '' ? [] : argv[nameOf(form)];
  const words = [positional, argv['--']].flat().filter((word) => word !== undefined);
  const given: Record<string, string | boolean | string[]> = {};
  for (const [name, option] of Object.entries(OPTIONS[command])) {
    const value = argv[name];
    if (value === undefined || value === false) continue;
    if (option.type === 'list') given[name] = (Array.isArray(value) ? value : [value]).map(String);
    else if (option.type === 'boolean') given[name] = true;
    else if (typeof value === 'string') given[name] = value;
  }
  return { command, words: words.map(String), given: given satisfies Given };
}

/** The messages of yargs in one line, with what was probably meant. */
function inOwnWords(message: string, command: CommandName | undefined): string {
  const unknown = /^Unknown arguments?: (.*)$/m.exec(message)?.[1]?.split(', ')[0];
  if (unknown !== undefined) {
    const names = Object.keys(command === undefined ? {} : OPTIONS[command]);
    const meant = nearest(unknown, names);
    return `unknown option or word "${unknown}"${meant === null ? '' : `; did you mean --${meant}?`}`;
  }
  const choice = /Argument: (\S+), Given: (.*?), Choices: (.*)$/m.exec(message);
  if (choice !== null)
    return `--${choice[1]} must be one of ${choice[3]?.replaceAll('"', '')}, not ${choice[2]}`;
  const lacking = /^Not enough arguments following: (\S+)/m.exec(message)?.[1];
  if (lacking !== undefined) return `--${lacking} needs a value`;
  if (/^Not enough non-option arguments/m.test(message))
    return `${command ?? 'this'} needs ${command === 'explain' ? 'the id of a rule' : 'more words'}`;
  return message.split('\n')[0] ?? message;
}
