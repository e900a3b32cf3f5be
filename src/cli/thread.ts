import { type HostCommand, type HostTask, hostWorker, type Result, type RunOrders } from './host-work.ts';
import { loadRules } from './own-rules.ts';

/** What a thread is told: to work on the host of a number. */
export interface ThreadTask {
  readonly number: number;
  readonly task: HostTask;
}

/** What a thread answers: the result, or the message of an error that should not be. */
export interface ThreadAnswer<C extends HostCommand> {
  readonly number: number;
  readonly result: Result<C> | { readonly error: string };
}

/** The whole life of a thread: works on the hosts that it is told, until the program ends. */
export async function thread(): Promise<void> {
  const { parentPort, workerData } = await import('node:worker_threads');
  if (parentPort === null) throw new Error('this is no thread');
  const orders = workerData as RunOrders<HostCommand>;
  const loaded = await Promise.all(orders.rules.map(loadRules));
  const work = hostWorker(
    orders,
    loaded.map(({ ruleSet }) => ruleSet),
  );
  const answer = async ({ number, task }: ThreadTask): Promise<ThreadAnswer<HostCommand>> => {
    try {
      return { number, result: await work(task) };
    } catch (error) {
      return { number, result: { error: error instanceof Error ? error.message : String(error) } };
    }
  };
  parentPort.on('message', (told: ThreadTask) => {
    // oxlint-disable-next-line require-post-message-target-origin -- a port of Node has none
    void answer(told).then((answered) => parentPort.postMessage(answered));
  });
}
