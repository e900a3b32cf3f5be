import { InputError } from '../hosts/files.ts';
import { type FoundHost, type FoundHosts, findHosts } from '../hosts/find.ts';
import type { HostInput } from '../hosts/host.ts';
import { type ReadOptions, readHost } from '../hosts/read.ts';
import type { LintShard } from '../reports/formats/report.ts';
import { harmless } from '../reports/words.ts';
import { hostOptions, type Request } from './options.ts';
import { isInShard, type Shard, shardOf } from './shard.ts';
import { err, standardInput } from './terminal.ts';

/** The hosts of a command line; what cannot be read is said and does not stop the others. */
export class RequestedHosts implements Pick<FoundHosts, 'hosts' | 'config' | 'ignored' | 'leftOut'> {
  readonly hosts: FoundHosts['hosts'];
  readonly config: FoundHosts['config'];
  readonly ignored: FoundHosts['ignored'];
  readonly leftOut: FoundHosts['leftOut'];
  /** Which part of all hosts these are; null where they are all. */
  readonly shard: LintShard | null;
  /** How each of them is read. */
  readonly options: ReadOptions;
  /** What could not be read, a sentence each. */
  readonly problems: string[] = [];

  readonly #positions: ReadonlyMap<FoundHost, number>;

  /** @param summary whether the command itself tells what was ignored */
  private constructor(found: FoundHosts, options: ReadOptions, shard: Shard | null, summary: boolean) {
    // What is not about a host is said by one part alone.
    const { config, ignored, leftOut, problems } =
      shard === null || shard.number === 1 ? found : { ...found, ignored: [], leftOut: [], problems: [] };
    const hosts =
      shard === null ? found.hosts : found.hosts.filter(({ directory }) => isInShard(directory, shard));
    this.hosts = hosts;
    this.config = config;
    this.ignored = ignored;
    this.leftOut = leftOut;
    this.options = options;
    this.shard = shard === null ? null : { ...shard, hosts: found.hosts.length };
    this.#positions = new Map(found.hosts.map((host, position) => [host, position]));
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
    return new RequestedHosts(
      found,
      { flags, exec, now: Date.now() },
      shardOf(given, command),
      command === 'lint',
    );
  }

  /** The number of a host among those of all parts. */
  positionOf(host: FoundHost): number {
    return this.#positions.get(host) ?? 0;
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
