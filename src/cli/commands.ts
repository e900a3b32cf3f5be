import { ciphers } from './ciphers.ts';
import { completion } from './completion.ts';
import { explain } from './explain.ts';
import { fix } from './fix.ts';
import { init } from './init.ts';
import { lint } from './lint.ts';
import { logs } from './logs.ts';
import { merge } from './merge.ts';
import type { CommandName, Request } from './options.ts';
import { probe } from './probe.ts';
import { profiles } from './profiles.ts';
import { rules } from './rules.ts';
import { show } from './show.ts';

// All commands are one chunk of the bundle: a chunk for each would be a dozen files to load for any of
// them, for what they share. What is large and rarely needed is loaded where it is used.
const COMMANDS: Readonly<Record<CommandName, (request: Request) => number | Promise<number>>> = {
  lint,
  fix,
  show,
  ciphers,
  probe,
  logs,
  explain,
  rules,
  profiles,
  init,
  merge,
  completion,
};

/** Runs a command and gives its exit status. */
export async function runCommand(request: Request): Promise<number> {
  return COMMANDS[request.command](request);
}
