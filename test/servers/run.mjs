// Runs the comparison with real servers: makes the reference roots, then runs Jest over test/servers.
//
//   npm run test:servers                    the part chosen by the written seed
//   npm run test:servers -- --full          everything
//   npm run test:servers -- -t postconf     other arguments go to Jest
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..', '..');
const args = process.argv.slice(2);

const setup = spawnSync('bash', [path.join(import.meta.dirname, 'setup')], { stdio: 'inherit' });
if (setup.status === 3) {
  // Setup has said what is missing. Whoever has no root may skip the comparison; CI may not.
  console.log('0 passed, 0 failed, 1 skipped');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
if (setup.status !== 0) {
  if (setup.error) console.error(`test:servers: ${setup.error.message}`);
  process.exit(1);
}

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const env = { ...process.env };
if (args.includes('--full')) env.PFHARDEN_FULL = '1';
const rest = args.filter((arg) => arg !== '--full');
const tests = spawnSync(process.execPath, [jest, '-c', path.join(root, 'jest.servers.config.mjs'), ...rest], {
  cwd: root,
  env,
  stdio: 'inherit',
});
process.exit(tests.status ?? 1);
