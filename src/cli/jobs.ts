import { UsageError } from './errors.ts';
import { type CommandName, type Given, textOf } from './options.ts';

/** Fewer hosts are done sooner by one thread than others start. */
const FEWEST_FOR_THREADS = 64;
const MOST_JOBS = 256;

/**
 * How many threads share the work.
 *
 * @param hosts how many hosts there are
 * @throws UsageError where `--jobs` is no number of them
 */
export async function jobsOf(given: Given, command: CommandName, hosts: number): Promise<number> {
  const asked = textOf(given, 'jobs');
  if (asked !== undefined) {
    const jobs = /^[1-9]\d*$/.test(asked) ? Number(asked) : 0;
    if (jobs < 1 || jobs > MOST_JOBS)
      throw new UsageError(`--jobs must be a number from 1 to ${MOST_JOBS}, not "${asked}"`, command);
    return Math.max(1, Math.min(jobs, hosts));
  }
  if (hosts < FEWEST_FOR_THREADS) return 1;
  const { availableParallelism } = await import('node:os');
  return availableParallelism();
}
