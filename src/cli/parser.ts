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
    return { problem: notACommand(first, args[0]), command: undefined };

  let argv: Record<string, unknown>;
  try {
    argv = await parser.parseAsync([...args]);
  } catch (error) {
    return { problem: inOwnWords(error instanceof Error ? error.message : String(error), command), command };
  }
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
