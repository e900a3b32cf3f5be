// A folder of its own for each test of a file, as the current one, and the program run in it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'pfharden.js');

/**
 * Makes a new folder the current one before each test, and removes it behind it. What runs the program
 * several times may take long where the machine has other things to do.
 */
export function useFolder(): void {
  jest.setTimeout(60_000);
  const before = process.cwd();
  let folder = '';
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'pfharden-test-')));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Writes files below the current folder; what is no text is written as JSON. */
export function writeFiles(contents: Readonly<Record<string, unknown>>): void {
  for (const [path, content] of Object.entries(contents)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** Runs the program in the current folder. */
export function pfharden(...args: readonly string[]) {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    env: { ...env, COLUMNS: '100' },
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}
