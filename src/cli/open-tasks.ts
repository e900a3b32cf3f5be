import { digestOf } from './known-outcomes.ts';

/** A task that nobody has been given. */
interface OpenTask<T> {
  readonly number: number;
  readonly task: T;
  /** What tasks have in common that are best done by the same worker; null where any will do. */
  readonly likeness: string | null;
}

/** Tasks that nobody has been given yet, in their order, of which each worker takes what is best for it. */
export class OpenTasks<T, W> {
  readonly #tasks: readonly T[];
  readonly #likenessOf: (task: T) => string | null;
  readonly #open: OpenTask<T>[] = [];
  /** By likeness, the worker that was given the first task of it. */
  readonly #first = new Map<string, W>();
  #seen = 0;

  /** @param likenessOf a text that is the same for tasks of which one is done sooner by who has done another */
  constructor(tasks: readonly T[], likenessOf: (task: T) => string | null) {
    this.#tasks = tasks;
    this.#likenessOf = likenessOf;
  }

  /**
   * What a worker is given next: the first task that is like one that it had, or like none that anybody had; where
   * there is none, the first of all, so that nobody has nothing to do. Null where no task is open.
   *
   * @param end tasks from this number on wait
   */
  take(worker: W, end: number): { readonly number: number; readonly task: T } | null {
    for (; this.#seen < Math.min(end, this.#tasks.length); this.#seen++) {
      const task = this.#tasks[this.#seen] as T;
      const likeness = this.#likenessOf(task);
      this.#open.push({
        number: this.#seen,
        task,
        likeness: likeness === null ? null : digestOf(likeness),
      });
    }
    const own = this.#open.findIndex(
      ({ likeness }) => likeness === null || (this.#first.get(likeness) ?? worker) === worker,
    );
    const [given] = this.#open.splice(Math.max(0, own), 1);
    if (given === undefined) return null;
    const { number, task, likeness } = given;
    if (likeness !== null && !this.#first.has(likeness)) this.#first.set(likeness, worker);
    return { number, task };
  }
}
