// Tests that run the command line run dist/pfharden.js: it is built once before all tests.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

export default function build() {
  if (process.env.PFHARDEN_SKIP_BUILD) return;
  const root = path.join(import.meta.dirname, '..', '..');
  execFileSync(process.execPath, [path.join(root, 'esbuild.mjs')], { cwd: root, stdio: 'inherit' });
}
