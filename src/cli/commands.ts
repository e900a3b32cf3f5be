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

// Each is named in a function of its own: what is named here would be loaded with the program (esbuild.mjs).
const COMMANDS: Readonly<Record<CommandName, (request: Request) => number | Promise<number>>> = {
  lint: (request) => lint(request),
  fix: (request) => fix(request),
  show: (request) => show(request),
  ciphers: (request) => ciphers(request),
  probe: (request) => probe(request),
  logs: (request) => logs(request),
  explain: (request) => explain(request),
  rules: (request) => rules(request),
  profiles: (request) => profiles(request),
  init: (request) => init(request),
  merge: (request) => merge(request),
  completion: (request) => completion(request),
};

/** Runs a command and gives its exit status. */
export async function runCommand(request: Request): Promise<number> {
  return COMMANDS[request.command](request);
}
