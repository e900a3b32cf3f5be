// Logs that are read in stretches and by threads count as they do when they are read in one go.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { countLogs, type Division, inTurn } from '../../src/cli/count-logs.ts';
import { inThreads } from '../../src/cli/log-threads.ts';
import { partialDocument } from '../../src/logs/partial.ts';
import type { WholeCounts } from '../../src/logs/tally.ts';
import { writeMailLog } from '../bench/mail-log.ts';
import { canonical } from '../support/log.ts';

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'dist', 'pfharden.js');
const RECORDED = path.join(import.meta.dirname, '..', 'recorded', 'logs');
const LONG = 'x'.repeat(10 << 20);

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pfharden-count-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text, 'latin1');
  // Stamps without a year are not after this day.
  fs.utimesSync(file, new Date('2026-11-28'), new Date('2026-11-28'));
  return file;
}

interface Counted {
  readonly counts: WholeCounts;
  readonly said: readonly string[];
  readonly failed: boolean;
}

async function count(files: readonly string[], division?: Partial<Division>): Promise<Counted> {
  const said: string[] = [];
  const all: Division = { threads: 1, threadsFrom: 0, stretch: 1, ahead: 0, read: inTurn, ...division };
  const { counts, failed } = await countLogs(files, (message) => said.push(message), false, all);
  return { counts, said, failed };
}

const recorded = fs
  .readdirSync(RECORDED)
  .filter((name) => /^postfix.*\.txt$/.test(name))
  .map((name) => fs.readFileSync(path.join(RECORDED, name), 'latin1'))
  .join('');

describe('stretches of a log', () => {
  test.each([
    ['as it is', recorded, 40],
    ['line ends of Windows, and a last line without one', recorded.replaceAll('\n', '\r\n').slice(0, -2), 40],
    ['lines of 10 MB at its ends and within', `${LONG}\n${recorded}${LONG}\n${recorded}${LONG}`, 2],
    ['noise', recorded.replaceAll(/(?<=\n)(?=.{0,100}7)/g, '\0\xff\n').replaceAll('TLS', 'T\0LS'), 40],
    ['two forms', recorded + recorded.replaceAll(/^Nov 26 (\S+)/gm, '2026-11-26T$1.123456+01:00'), 40],
    [
      'the journal',
      recorded.replaceAll(
        /^Nov 26 \S+ (\S+) ([^[\n]+)\[(\d+)\]: (.*)$/gm,
        '__REALTIME_TIMESTAMP=1795714632000000\n_HOSTNAME=$1\nSYSLOG_IDENTIFIER=$2\n_PID=$3\nMESSAGE=$4\n',
      ),
      // A stretch cannot begin within an entry.
      1,
    ],
  ])('%s', async (_, text, stretches) => {
    const file = write('mail.log', text);
    const whole = await count([file]);
    expect(whole.counts.peers.length).toBeGreaterThan(5);
    const lengths: number[] = [];
    for (const threads of [2, 3, 7, 40]) {
      const parts = await count([file], {
        threads,
        read: (tasks) => {
          lengths.push(tasks.length);
          return inTurn(tasks);
        },
      });
      expect(canonical(parts.counts)).toEqual(canonical(whole.counts));
      expect([parts.said, parts.failed]).toEqual([[], false]);
    }
    expect(Math.max(1, ...lengths)).toBeGreaterThanOrEqual(stretches);
  });

  /** Counts a log in three stretches, to which something happens when it was divided. */
  const meanwhile = (file: string, action: () => void): Promise<Counted> =>
    count([file], {
      threads: 3,
      async *read(tasks) {
        action();
        yield* inTurn(tasks);
      },
    });

  test('what is added meanwhile belongs to the next run, and so does half of a line', async () => {
    const half = recorded.slice(0, -20);
    const before = await count([write('mail.log', half.slice(0, half.lastIndexOf('\n') + 1))]);
    const file = write('other.log', half);
    const { counts, said } = await meanwhile(file, () =>
      fs.appendFileSync(file, recorded.slice(-20) + recorded),
    );
    expect(canonical(counts)).toEqual(canonical(before.counts));
    expect(said).toEqual([]);
  });

  test('rotated meanwhile: it is read, and not what has taken its name', async () => {
    const file = write('mail.log', recorded);
    const whole = await count([file]);
    const { counts, said } = await meanwhile(file, () => {
      fs.renameSync(file, `${file}.1`);
      fs.writeFileSync(file, recorded + recorded);
    });
    expect(canonical(counts)).toEqual(canonical(whole.counts));
    expect(said).toEqual([]);
  });

  test('cut meanwhile: that is said once, and what is left is counted', async () => {
    const file = write('mail.log', recorded);
    const left = recorded.slice(0, recorded.length / 2);
    const { counts, said, failed } = await meanwhile(file, () => fs.truncateSync(file, left.length));
    expect(said).toEqual([`${file}: it became shorter while it was read: what stands before it is counted`]);
    expect(failed).toBe(false);
    expect(counts.lines.lines).toBe(left.split('\n').length - 1);
  });
});

test('several logs, one of which cannot be read', async () => {
  const files = [write('a.log', recorded), path.join(folder, 'none.log'), write('b.log', recorded)];
  const { counts, said, failed } = await count(files, { threads: 4 });
  expect(canonical(counts)).toEqual(canonical((await count([files[0] ?? '', files[2] ?? ''])).counts));
  expect([said, failed]).toEqual([[`${files[1]}: no such file or directory`], true]);
});

test('a thread that ends before its time: its log is not counted, and the others once', async () => {
  const files = ['a.log', 'b.log', 'c.log'].map((name) => write(name, recorded));
  // The sources are no file that a thread could load.
  const { counts, said, failed } = await count(files, { threads: 2, read: inThreads });
  expect(failed).toBe(true);
  expect(said.length).toBeGreaterThan(0);
  for (const message of said)
    expect(message).toMatch(/\/[abc]\.log: not counted: the thread that read it: ./);
  const one = await count(files.slice(0, 1));
  expect(counts.lines.lines).toBe((3 - said.length) * one.counts.lines.lines);
});

test('a log that is long enough for threads', async () => {
  const file = path.join(folder, 'mail.log');
  writeMailLog(file, 70e6);
  const { stdout, status } = spawnSync(process.execPath, [PROGRAM, 'logs', '--format', 'partial', file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const { counts } = await count([file]);
  expect(status).toBe(0);
  // Of a peer with several names it may be another one.
  const nameless = (text: string): unknown =>
    JSON.parse(text, (key, value: unknown) => (key === '1' && typeof value === 'string' ? '' : value));
  expect(nameless(stdout)).toEqual(nameless(JSON.stringify(partialDocument({ anonymized: null, counts }))));
});
