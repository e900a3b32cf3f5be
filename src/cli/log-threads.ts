import { Worker } from 'node:worker_threads';
import { compiledScanner } from '../logs/memory.ts';
import { type LogTask, type LogTaskResult, readTask } from './log-tasks.ts';
import type { Order } from './log-thread.ts';

/**
 * Reads tasks in threads, as many at a time as there are threads; this one is one of them.
 *
 * @returns the results, in the order of the tasks
 */
export async function* inThreads(tasks: readonly LogTask[], threads: number): AsyncIterable<LogTaskResult> {
  const pool = new Pool(tasks, threads);
  try {
    for (const result of pool.results) yield await result;
  } finally {
    pool.end();
  }
}

class Pool {
  readonly results: readonly Promise<LogTaskResult>[];
  readonly #settle: ((result: LogTaskResult | Promise<LogTaskResult>) => void)[] = [];
  readonly #tasks: readonly LogTask[];
  readonly #threads = new Set<Worker>();
  #next = 0;

  constructor(tasks: readonly LogTask[], threads: number) {
    this.#tasks = tasks;
    this.results = tasks.map(() => new Promise((resolve) => this.#settle.push(resolve)));
    // What this thread reads need not be handed over, and the first part takes up the others.
    const first = this.#next++;
    for (let index = 1; index < Math.min(threads, tasks.length); index++) this.#start();
    void this.#work(first);
  }

  /** Ends all threads. */
  end(): void {
    for (const thread of this.#threads) void thread.terminate();
    this.#threads.clear();
  }

  /** Reads tasks in this thread. */
  async #work(first: number): Promise<void> {
    for (let at = first; at < this.#tasks.length; at = this.#next++) {
      const task = this.#tasks[at];
      if (task === undefined) return;
      const result = readTask(task);
      this.#settle[at]?.(result);
      // An error is that of whoever waits for the result.
      await result.catch(() => undefined);
      // The other threads may have asked for more.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #start(): void {
    const thread = new Worker(new URL('./log-thread.js', import.meta.url), {
      workerData: compiledScanner(),
      // Little is made that does not stay: more room would only be filled.
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.#threads.add(thread);
    let at = -1;
    const next = (): void => {
      at = this.#next++;
      const task = this.#tasks[at];
      const order: Order | null =
        task === undefined ? null : { task, last: this.#next >= this.#tasks.length };
      // oxlint-disable-next-line require-post-message-target-origin -- a thread of Node has none
      thread.postMessage(order);
    };
    const lost = (reason: string): void => {
      if (!this.#threads.delete(thread)) return;
      const task = this.#tasks[at];
      if (task === undefined) return;
      this.#settle[at]?.(lostResult(task, reason));
      if (this.#next < this.#tasks.length) this.#start();
    };
    thread.on('message', (result: LogTaskResult) => {
      this.#settle[at]?.(result);
      next();
    });
    thread.on('error', ({ message }) => lost(message));
    thread.on('exit', () => lost('it ended before its time'));
    next();
  }
}

/** What a task comes to whose thread ended before its time. */
function lostResult({ from }: LogTask, reason: string): LogTaskResult {
  const what = 'descriptor' in from ? `a stretch of ${from.path}` : from.join(', ');
  return {
    read: null,
    written: null,
    said: [`${what}: not counted: the thread that read it: ${reason}`],
    failed: true,
  };
}
