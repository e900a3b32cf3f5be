// A thread that reads logs for the program that started it. It is bundled by itself as dist/log-thread.js: it begins
// the sooner the less it loads.
import { parentPort, workerData } from 'node:worker_threads';
import { shareScanner } from '../logs/memory.ts';
import { LogReader } from '../logs/reader.ts';
import { type LogTask, readTask } from './log-tasks.ts';

/** What a thread is told to do. */
export interface Order {
  readonly task: LogTask;
  /** There is nothing else to do. */
  readonly last: boolean;
}

function serve(port: NonNullable<typeof parentPort>): void {
  const answer = async ({ task, last }: Order): Promise<void> => {
    const result = await readTask(task);
    const part = result.read instanceof LogReader ? result.read.part() : result.read;
    const { peers, labels, text, counts } = part?.peers ?? {};
    const moved = [peers, labels, text, counts, part?.open?.numbers].flatMap((column) =>
      column === undefined ? [] : [column.buffer as ArrayBuffer],
    );
    port.postMessage({ ...result, read: part }, moved);
    if (last) port.close();
  };
  // A thread ends by itself while the others are at work: who ends it has to wait.
  port.on('message', (order: Order | null) => void (order === null ? port.close() : answer(order)));
}

if (parentPort !== null) {
  shareScanner(workerData as WebAssembly.Module);
  serve(parentPort);
}
