import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

// The command line writes a fix and is killed, or the disk fills up, at each step that touches the
// disk. Whatever the moment, each file is the old one or the new one, and the next run completes it.

const ROOT = path.join(__dirname, '..', '..');
const EXAMPLE = path.join(ROOT, 'docs/example/etc/postfix');
const NAMES = ['main.cf', 'master.cf'];
const STEPS = ['openSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync'];

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'pfharden-killed-'));
  for (const name of NAMES) fs.copyFileSync(path.join(EXAMPLE, name), path.join(folder, name));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

const read = (): string[] => NAMES.map((name) => fs.readFileSync(path.join(folder, name), 'utf8'));

/** Runs `fix --write`; at the `count`th call of a function of node:fs that names a file in the folder, `fault` happens. */
function fix(
  step?: string,
  count = 0,
  fault = '',
): { status: number | null; signal: string | null; stderr: string } {
  const preload = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const real = fs[${JSON.stringify(step)}];
    let calls = 0;
    fs[${JSON.stringify(step)}] = (...args) => {
      if (!(args[0] <= 2) && ++calls === ${count}) { ${fault} }
      return real(...args);
    };
    syncBuiltinESMExports();`;
  const options =
    step === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    [...options, path.join(ROOT, 'dist/pfharden.js'), 'fix', '--write', '--no-exec', folder],
    { encoding: 'utf8' },
  );
  return { status, signal, stderr };
}

const KILL = "process.kill(process.pid, 'SIGKILL'); for (;;);";
const FULL = "throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });";

it('mends the example when nothing happens', () => {
  const before = read();
  expect(fix().status).toBe(0);
  expect(read().map((text, index) => text === before[index])).toEqual([false, false]);
});

it.each(STEPS)('killed at %s, each file is old or new, and the next run completes it', (step) => {
  const before = read();
  fix();
  const after = read();
  let killed = 0;
  for (let count = 1; count <= 8; count++) {
    for (const [index, name] of NAMES.entries())
      fs.writeFileSync(path.join(folder, name), before[index] ?? '');
    const { signal } = fix(step, count, KILL);
    if (signal !== 'SIGKILL') break;
    killed++;
    for (const [index, text] of read().entries()) expect([before[index], after[index]]).toContain(text);
    expect(fix().status).toBe(0);
    expect(read()).toEqual(after);
    expect(fs.readdirSync(folder).sort()).toEqual(NAMES);
  }
  expect(killed).toBeGreaterThan(0);
});

it.each([1, 2, 3])('a disk that is full at write %i leaves every file as it was', (count) => {
  const before = read();
  const { status, stderr } = fix('writeSync', count, FULL);
  expect(status).toBe(2);
  expect(stderr).toContain('nothing was written');
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(read()).toEqual(before);
  expect(fs.readdirSync(folder).sort()).toEqual(NAMES);
});
