import { InputError } from '../hosts/files.ts';
import { type FoundHost, findHosts } from '../hosts/find.ts';
import type { HostInput } from '../hosts/host.ts';
import { hostOptions, type Request } from './options.ts';
import { err, standardInput } from './terminal.ts';

/** The hosts of a command line, one in memory at a time; what cannot be read is said and does not stop the others. */
export class RequestedHosts {
  readonly found: readonly FoundHost[];
  /** Something could not be read. */
  failed: boolean;

  private constructor(found: readonly FoundHost[], problems: readonly InputError[]) {
    this.found = found;
    this.failed = problems.length > 0;
    for (const { message } of problems) err(`pfharden: ${message}\n`);
  }

  /** @throws InputError, UsageError */
  static async of({ words, given, command }: Request): Promise<RequestedHosts> {
    const { hosts, problems } = await findHosts(words, { ...hostOptions(given, command), standardInput });
    return new RequestedHosts(hosts, problems);
  }

  async *inputs(): AsyncIterable<HostInput> {
    for (const host of this.found) {
      let input: HostInput;
      try {
        input = await host.read();
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        this.failed = true;
        err(`pfharden: ${error.message}\n`);
        continue;
      }
      yield input;
    }
  }
}
