import { InputError } from '../hosts/files.ts';
import { type FoundHost, type FoundHosts, findHosts } from '../hosts/find.ts';
import type { HostInput } from '../hosts/host.ts';
import { type ReadOptions, readHost } from '../hosts/read.ts';
import { harmless } from '../reports/words.ts';
import { hostOptions, type Request } from './options.ts';
import { err, standardInput } from './terminal.ts';

/** The hosts of a command line; what cannot be read is said and does not stop the others. */
export class RequestedHosts implements Pick<FoundHosts, 'hosts' | 'config' | 'ignored' | 'leftOut'> {
  readonly hosts: FoundHosts['hosts'];
  readonly config: FoundHosts['config'];
  readonly ignored: FoundHosts['ignored'];
  readonly leftOut: FoundHosts['leftOut'];
  /** How each of them is read. */
  readonly options: ReadOptions;
  /** What could not be read, a sentence each. */
  readonly problems: string[] = [];

  /** @param summary whether the command itself tells what was ignored */
  private constructor(
    { hosts, config, ignored, leftOut, problems }: FoundHosts,
    options: ReadOptions,
    summary: boolean,
  ) {
    this.hosts = hosts;
    this.config = config;
    this.ignored = ignored;
    this.leftOut = leftOut;
    this.options = options;
    for (const { message } of problems) this.say(message);
    const configs = new Set([config, ...hosts.map((host) => host.config?.config ?? null)]);
    const warnings = new Set([...configs].flatMap((each) => each?.warnings ?? []));
    for (const warning of warnings) err(`pfharden: ${harmless(warning)}\n`);
    if (hosts.length === 0 && !summary)
      for (const { path, by } of ignored) err(`pfharden: ${harmless(path)} is ignored (${harmless(by)})\n`);
  }

  /** @throws InputError, UsageError */
  static async of({ words, given, command }: Request): Promise<RequestedHosts> {
    const { flags, exec, ...finding } = hostOptions(given, command);
    const found = await findHosts(words, { ...finding, standardInput });
    return new RequestedHosts(found, { flags, exec, now: Date.now() }, command === 'lint');
  }

  /** Something could not be read. */
  get failed(): boolean {
    return this.problems.length > 0;
  }

  /** Says at once what could not be read, and once only. */
  say(problem: string): void {
    if (this.problems.includes(problem)) return;
    this.problems.push(problem);
    err(`pfharden: ${harmless(problem)}\n`);
  }

  /** Each host with what is needed to know it, one in memory at a time. */
  async *inputs(): AsyncIterable<{ readonly host: FoundHost; readonly input: HostInput }> {
    for (const host of this.hosts) {
      let input: HostInput;
      try {
        input = await readHost(host.source, this.options);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        this.say(error.message);
        continue;
      }
      yield { host, input };
    }
  }
}
