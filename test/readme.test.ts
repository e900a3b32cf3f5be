import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '..');

function output(command: string): string {
  const { stdout } = spawnSync(process.execPath, ['dist/pfharden.js', ...command.split(' ')], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return stdout;
}

// What the README shows of pfharden is what pfharden prints.
const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const shown = [...readme.matchAll(/```text\n([^]*?)```/g)].map(([, text = '']) => text);
const printed = [
  ...['lint', 'fix', 'show'].map((command) => output(`${command} --no-exec docs/example/etc`)),
  output('logs docs/example/maillog --no-exec --config docs/example/etc'),
].join('');

it('shows something', () => {
  expect(shown.length).toBeGreaterThanOrEqual(5);
});

it.each(shown)('prints what the README shows (%#)', (text) => {
  expect(printed).toContain(text);
});
