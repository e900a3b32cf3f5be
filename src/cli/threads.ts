import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { likenessOf } from '../hosts/likeness.ts';
import type { HostCommand, HostTask, Result, RunOrders } from './host-work.ts';
import { OpenTasks } from './open-tasks.ts';
import type { ThreadAnswer, ThreadTask } from './thread.ts';

/** Hosts that a thread has to work on, so that it need not wait for the next one. */
const IN_HAND = 2;
/** Results that may wait, for each thread, for one that comes before them: a slow host holds up no other thread. */
const WAITING = 32;

/** Megabytes for what is of no more use when a host is done: with less, much of it is taken for what stays. */
const YOUNG = 96;

/**
 * Megabytes for what stays. V8 lets a heap that may become greater than this grow to four times what is in use
 * before it looks for what is of no more use, and so take the more memory the longer it runs; one that may not,
 * to twice.
 */
const OLD = 1000;

/**
 * After how much work of a function V8 looks whether to compile it for speed, some five times as much as it asks for by
 * itself. Each thread compiles for itself, and of a thousand functions most never give back what that takes: a lint of
 * a thousand hosts takes a quarter less time with this, one of ten thousand the same.
 */
const INTERRUPT_BUDGET = 600_000;

/**
 * Works on hosts in threads. Alike hosts go to the thread that had the first of them, which knows their servers, as
 * long as each has something to do.
 *
 * @returns the results in the order of the tasks; threads wait while they are not taken
 * @throws Error when a thread ends or comes upon an error
 */
export async function* inThreads<C extends HostCommand>(
  orders: RunOrders<C>,
  tasks: readonly HostTask[],
  jobs: number,
): AsyncIterable<Result<C>> {
  const ready = new Map<number, Result<C>>();
  const threads: Worker[] = [];
  const inHand = new Map<Worker, number>();
  const open = new OpenTasks<HostTask, Worker>(tasks, ({ source }) => likenessOf(source));
  let taken = 0;
  let failure: string | null = null;
  let wake = (): void => undefined;
  const fail = (message: string): void => {
    failure ??= message;
    wake();
  };
  const feed = (): void => {
    for (const [thread, count] of inHand) {
      for (let free = IN_HAND - count; free > 0; free--) {
        const given = open.take(thread, taken + jobs * WAITING);
        if (given === null) return;
        inHand.set(thread, (inHand.get(thread) ?? 0) + 1);
        // oxlint-disable-next-line require-post-message-target-origin -- a thread of Node has none
        thread.postMessage(given satisfies ThreadTask);
      }
    }
  };
  setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
  collectGarbage();
  try {
    for (let count = 0; count < jobs; count++) {
      const thread = new Worker(new URL('./thread.js', import.meta.url), {
        workerData: orders,
        resourceLimits: {
          maxYoungGenerationSizeMb: YOUNG,
          maxOldGenerationSizeMb: Math.min(OLD, getHeapStatistics().heap_size_limit / 2 ** 20),
        },
      });
      threads.push(thread);
      inHand.set(thread, 0);
      thread.on('message', ({ number, result }: ThreadAnswer<C>) => {
        inHand.set(thread, (inHand.get(thread) ?? 1) - 1);
        if ('error' in result) fail(result.error);
        else ready.set(number, result);
        wake();
      });
      thread.on('error', ({ message }) => fail(`a thread ended: ${message}`));
      thread.on('exit', (code) => fail(`a thread ended with status ${code}`));
    }
    while (taken < tasks.length) {
      feed();
      const result = ready.get(taken);
      if (result !== undefined) {
        ready.delete(taken++);
        yield result;
        continue;
      }
      if (failure !== null) throw new Error(failure);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    for (const thread of threads) void thread.terminate();
  }
}

/**
 * Gives back what looking for the hosts has left behind, some 5 kB for each: this thread allocates so little from now
 * on that V8 would not come to it.
 */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect();
}
