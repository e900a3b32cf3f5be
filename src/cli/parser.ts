import yargs from 'yargs';
import { nearest } from '../text/nearest.ts';
import { COMMANDS, type CommandName, type Given, OPTIONS, type Option, type Request } from './options.ts';
import { COMMAND_TEXTS } from './usage.ts';

/** What is wrong with a command line, in one line, and the command whose help to look at. */
export interface Problem {
  readonly problem: string;
  readonly command: CommandName | undefined;
}

function nameOf(form: string): string {
  return form.replace(/[^a-z]/g, '');
}

/** Everything of an option that yargs wants. */
function yargsOption({ type, choices }: Option) {
  return {
    ...(type === 'boolean' ? { type: 'boolean' as const } : { type: 'string' as const, requiresArg: true }),
    ...(type === 'list' ? { array: true } : {}),
    ...(choices === undefined ? {} : { choices }),
  };
}

/**
 * Parses any command line that does not ask for help or the release.
 *
 * @returns the request, or what is wrong.
 *   It throws nothing: in a file of its own it has classes of its own, which nobody would recognise.
 */
export async function parse(args: readonly string[]): Promise<Request | Problem> {
  let parser = yargs([])
    .locale('en')
    .version(false)
    .help(false)
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
    .fail(false);
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const { form } = COMMAND_TEXTS[name];
    parser = parser.command(`${name} ${form}`.trim(), false, (own) => {
      if (form !== '') own.positional(nameOf(form), { type: 'string' });
      for (const [option, settings] of Object.entries(OPTIONS[name]))
        own.option(option, yargsOption(settings));
      return own;
    });
  }

  const command = args.find((arg) => Object.hasOwn(COMMANDS, arg)) as CommandName | undefined;
  const first = args.find((arg) => !arg.startsWith('-'));
  if (command === undefined || first !== command)
    return { problem: notACommand(args, command), command: undefined };

  let argv: Record<string, unknown>;
  try {
    argv = await parser.parseAsync([...args]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { problem: inOwnWords(message, command, args), command };
  }
  const empty = Object.keys(OPTIONS[command]).find((name) => [argv[name]].flat().includes(''));
  if (empty !== undefined) return { problem: `--${empty} needs a value`, command };
  return request(command, argv);
}

/** What is wrong with a line that does not begin with a command; there may be one further on. */
function notACommand(args: readonly string[], command: CommandName | undefined): string {
  const names = Object.keys(COMMANDS);
  const [option] = args;
  if (option === undefined) return `which command? ${names.join(', ')}`;
  if (option.startsWith('-')) {
    return command === undefined
      ? unknownOption(option, GENERAL_OPTIONS)
      : `options stand behind the command: pfharden ${command} ${option} …`;
  }
  // There is help for every command.
  const word = (option === 'help' ? args[1] : undefined) ?? option;
  const meant = nearest(word, names);
  return `unknown command "${word}"${meant === null ? '' : `; did you mean ${meant}?`}`;
}

const GENERAL_OPTIONS: readonly string[] = ['help', 'version'];

/** What is wrong with an option as it was written, and what was probably meant: of one letter, what begins with it. */
function unknownOption(option: string, names: readonly string[]): string {
  const name = option.replace(/^-+|=.*$/gs, '');
  const beginning = names.filter((one) => one.startsWith(name));
  const meant = name.length === 1 ? (beginning.length === 1 ? beginning[0] : null) : nearest(name, names);
  const written = option.replace(/=.*$/s, '');
  return `unknown option ${written}${meant === null || meant === undefined ? '' : `; did you mean --${meant}?`}`;
}

function request(command: CommandName, argv: Readonly<Record<string, unknown>>): Request {
  const { form } = COMMAND_TEXTS[command];
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
function inOwnWords(message: string, command: CommandName, args: readonly string[]): string {
  const unknown = /^Unknown arguments?: (.*)$/m.exec(message)?.[1]?.split(', ')[0];
  if (unknown !== undefined) {
    const option = args.find((arg) => arg.startsWith('-') && arg.replace(/^-+|=.*$/gs, '') === unknown);
    if (option === undefined) return `"${unknown}" is a word too many`;
    const others = (Object.keys(OPTIONS) as CommandName[]).filter((name) =>
      Object.hasOwn(OPTIONS[name], unknown),
    );
    return others.length > 0
      ? `${command} has no option --${unknown}; ${others.join(', ')} ${others.length === 1 ? 'has' : 'have'} it`
      : unknownOption(option, [...Object.keys(OPTIONS[command]), ...GENERAL_OPTIONS]);
  }
  const choice = /Argument: (\S+), Given: (.*?), Choices: (.*)$/m.exec(message);
  if (choice !== null)
    return `--${choice[1]} must be one of ${choice[3]?.replaceAll('"', '')}, not ${choice[2]}`;
  const lacking = /^Not enough arguments following: (\S+)/m.exec(message)?.[1];
  if (lacking !== undefined) return `--${lacking} needs a value`;
  if (/^Not enough non-option arguments/m.test(message))
    return `${command} needs ${command === 'explain' ? 'the id of a rule' : 'more words'}`;
  return message.split('\n')[0] ?? message;
}
