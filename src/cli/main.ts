import { harmless } from '../reports/words.ts';
import { runCommand } from './commands.ts';
import { UsageError } from './errors.ts';
import { COMMANDS, type CommandName, plainRequest } from './options.ts';
import { err, out, outputWidth } from './terminal.ts';
import { versionText } from './version.ts';

export { thread } from './thread.ts';

async function run(args: readonly string[]): Promise<number> {
  const plain = plainRequest(args);
  if (plain !== null) return runCommand(plain);
  const asked = questionIn(args);
  if (asked !== null) {
    out(await answer(asked));
    return 0;
  }
  // yargs costs more than a lint: it is asked only for what is not plain.
  const { parse } = await import('./parser.ts');
  const request = await parse(args);
  if ('problem' in request) throw new UsageError(request.problem, request.command);
  return runCommand(request);
}

/** What somebody wants to know of pfharden itself: its release, or the help of a command or of all. */
type Question = 'version' | { readonly help: CommandName | null };

/** The question that a command line asks; null where it asks none, or names a command that is not there. */
function questionIn(args: readonly string[]): Question | null {
  const end = args.indexOf('--');
  const asking = end < 0 ? args : args.slice(0, end);
  if (asking.includes('--version')) return 'version';
  const words = asking.filter((arg) => !arg.startsWith('-'));
  const byWord = words[0] === 'help';
  if (!byWord && !asking.includes('--help') && !asking.includes('-h')) return null;
  const word = words[byWord ? 1 : 0];
  if (word === undefined) return { help: null };
  return Object.hasOwn(COMMANDS, word) ? { help: word as CommandName } : null;
}

async function answer(question: Question): Promise<string> {
  if (question === 'version') return versionText();
  const { commandHelp, generalHelp } = await import('./help.ts');
  const width = outputWidth();
  return question.help === null ? generalHelp(width) : commandHelp(question.help, width);
}

/** The message of an error, one line, without what only a developer reads. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The whole program: sets the exit status and never throws. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = await run(args);
  } catch (error) {
    err(`pfharden: ${harmless(messageOf(error))}\n`);
    if (error instanceof UsageError) {
      err(`Try: pfharden ${error.command === undefined ? '' : `${error.command} `}--help\n`);
    }
    process.exitCode = 2;
  }
}
