// Measures the budgets as ratios within one run, because only those mean the same on another machine.
//
//   npm run bench                   the example host
//   npm run bench -- PATH           a host of your own
import { spawnSync } from 'node:child_process';
import { parseMainCf } from '../../src/postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../../src/postfix/syntax/master-cf.ts';
import { SourceFile } from '../../src/text/source.ts';
import { growthInputs } from '../support/growth.ts';

const host = process.argv[2] ?? 'docs/example/etc/postfix';
let withinBudget = true;

startUp();
growth();
process.exitCode = withinBudget ? 0 : 1;

/** One lint of one host, the whole process, against a Node that does nothing. */
function startUp(): void {
  const [bare, lint] = interleaved(21, [
    () => node(['-e', '0'], 0),
    () => node(['dist/pfharden.js', 'lint', host], 1),
  ]);
  report(`lint of ${host}`, lint, 'node -e 0', bare, 1.8);
}

/** Ten times the text may take ten times as long, with room for noise; one MB at most a second. */
function growth(): void {
  const small = growthInputs(1e5);
  for (const [index, [what, text]] of growthInputs(1e6).entries()) {
    const [little, much] = interleaved(5, [() => read(small[index]?.[1] ?? ''), () => read(text)]);
    report(`1 MB of ${what}`, much, '100 kB', Math.max(little, 5), 25);
    if (much > 1000) {
      withinBudget = false;
      console.log(`1 MB of ${what}: more than a second: EXCEEDED`);
    }
  }
}

function read(text: string): void {
  parseMainCf(new SourceFile('main.cf', text));
  parseMasterCf(new SourceFile('master.cf', text));
}

/** Runs Node to its end. An exit status above `highest` is a failure, and its duration would be a lie. */
function node(args: readonly string[], highest: number): void {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status === null || status > highest)
    throw new Error(`node ${args.join(' ')}: exit ${status}\n${stderr}`);
}

/** Median milliseconds of each task. The tasks take turns, so that a slow moment hits all of them. */
function interleaved<const T extends readonly (() => void)[]>(
  rounds: number,
  tasks: T,
): { [K in keyof T]: number } {
  const times = tasks.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, task] of tasks.entries()) {
      const start = performance.now();
      task();
      times[index]?.push(performance.now() - start);
    }
  }
  return times.map(median) as { [K in keyof T]: number };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function report(what: string, time: number, against: string, reference: number, budget: number): void {
  const ratio = time / reference;
  const kept = ratio <= budget;
  if (!kept) withinBudget = false;
  const figures = `${time.toFixed(1)} ms, ${against}: ${reference.toFixed(1)} ms`;
  console.log(`${what}: ${figures}, ratio ${ratio.toFixed(2)} (budget ${budget}${kept ? '' : ': EXCEEDED'})`);
}
