import fc from 'fast-check';
import { OpenTasks } from '../../src/cli/open-tasks.ts';

/** Tasks are named by what they are like, and a number behind it; `-` is like nothing. */
function opened(...tasks: readonly string[]): OpenTasks<string, string> {
  return new OpenTasks(tasks, (task) => (task.startsWith('-') ? null : task.charAt(0)));
}

const ALL = Number.POSITIVE_INFINITY;

test('alike tasks go to who had the first of them, others to whoever asks', () => {
  const open = opened('a1', 'b1', 'a2', 'b2', '-1', 'c1', 'a3');
  const taken = ['x', 'y', 'y', 'x', 'y', 'x', 'x'].map((worker) => open.take(worker, ALL)?.task);
  expect(taken).toEqual(['a1', 'b1', 'b2', 'a2', '-1', 'c1', 'a3']);
});

test('who has nothing of its own left takes the first of others, and does not keep the rest of it', () => {
  const open = opened('a1', 'a2', 'a3', 'c1', 'a4');
  expect(open.take('x', 2)?.task).toBe('a1');
  expect(open.take('y', 2)?.task).toBe('a2');
  const taken = ['y', 'x', 'y', 'x'].map((worker) => open.take(worker, ALL)?.task);
  expect(taken).toEqual(['c1', 'a3', 'a4', undefined]);
});

test('tasks behind the end wait, and keep their numbers', () => {
  const open = opened('a1', 'b1', 'a2', 'b2');
  expect(open.take('x', 2)).toEqual({ number: 0, task: 'a1' });
  expect(open.take('x', 2)).toEqual({ number: 1, task: 'b1' });
  expect(open.take('x', 2)).toBeNull();
  expect(open.take('x', 3)).toEqual({ number: 2, task: 'a2' });
  expect(open.take('y', 9)).toEqual({ number: 3, task: 'b2' });
  expect(open.take('y', 9)).toBeNull();
});

test('nobody asks what a task behind the end is like', () => {
  const asked: string[] = [];
  const open = new OpenTasks(['a', 'b', 'c'], (task) => {
    asked.push(task);
    return task;
  });
  open.take('x', 2);
  expect(asked).toEqual(['a', 'b']);
});

test('whoever asks, each task is given once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c', '-'), { maxLength: 30 }),
      fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.nat(30)), { minLength: 1, maxLength: 60 }),
      (kinds, requests) => {
        const tasks = kinds.map((kind, number) => `${kind}${number}`);
        const open = opened(...tasks);
        const given = [...requests, ...tasks.map(() => ['x', ALL] as const)].flatMap(
          ([worker, end]) => open.take(worker, end) ?? [],
        );
        expect(given.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual([...tasks.keys()]);
        expect(given.every(({ number, task }) => tasks[number] === task)).toBe(true);
      },
    ),
  );
});
