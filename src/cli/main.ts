import about from '../../package.json' with { type: 'json' };
import { harmless } from '../reports/words.ts';
import { runCommand } from './commands.ts';
import { UsageError } from './errors.ts';
import { plainRequest } from './options.ts';
import { err, out } from './terminal.ts';

export { thread } from './thread.ts';

async function run(args: readonly string[]): Promise<number> {
  if (args.length === 1 && args[0] === '--version') {
    out(`${about.version}\n`);
    return 0;
  }
  // yargs costs more than a lint: it is asked only for help and for what is not plain.
  const request = plainRequest(args) ?? (await (await import('./parser.ts')).parse(args, about.version));
  if (typeof request === 'string') {
    out(request);
    return 0;
  }
  if ('problem' in request) throw new UsageError(request.problem, request.command);
  return runCommand(request);
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
