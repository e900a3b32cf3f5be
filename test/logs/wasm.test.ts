import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import about from '../../package.json' with { type: 'json' };

const root = path.join(import.meta.dirname, '..', '..');

test('lines.wasm is what lines.ts compiles to: npm run wasm', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pfharden-wasm-'));
  try {
    const file = path.join(folder, 'lines.wasm');
    const [, source = '', ...options] = about.scripts.wasm.split(' ');
    const args = options.map((option) => (option.endsWith('.wasm') ? file : option));
    const compiler = path.join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
    const { status, stderr } = spawnSync(process.execPath, [compiler, source, ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    const kept = path.join(root, 'src', 'logs', 'wasm', 'lines.wasm');
    expect(fs.readFileSync(file).equals(fs.readFileSync(kept))).toBe(true);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
