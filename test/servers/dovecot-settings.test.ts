/**
 * The tables of Dovecot's settings and services against `doveconf -d` of the reference roots: every name,
 * every default, every service with its listeners; and the recorded answers that
 * test/dovecot/settings.test.ts uses.
 *
 * PFHARDEN_RECORD=1 writes the answers to test/recorded/doveconf-d/ instead of comparing them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { settingsTable } from '../../src/dovecot/settings.ts';
import { compareDefaults, OTHER_PACKAGES } from '../support/doveconf-defaults.ts';
import { inRoot, type Root, roots } from './roots.ts';

const recorded = path.join(import.meta.dirname, '..', 'recorded', 'doveconf-d');

/** What doveconf -d prints, and the settings that it prints only when they are asked for. */
function answerOf(root: Root): string {
  const all = doveconf(root, []);
  const { unprinted } = compareDefaults(root.dovecot, all);
  return `${all}${doveconf(root, unprinted)}`;
}

function doveconf(root: Root, names: readonly string[]): string {
  const { stdout, stderr, status } = inRoot(root, ['doveconf', '-d', '-c', '/dev/null', ...names]);
  if (status !== 0) throw new Error(stderr);
  return stdout
    .split('\n')
    .filter((line) => !line.startsWith('# '))
    .join('\n');
}

describe.each(roots().map((root) => [root.release, root] as const))('doveconf -d of %s', (_, root) => {
  const answer = answerOf(root);
  const found = compareDefaults(root.dovecot, answer);

  test('has the same defaults of settings and services', () => {
    expect(found.compared).toBeGreaterThan(850);
    expect(found.unknown).toEqual([]);
    expect(found.defaults).toEqual([]);
    expect(found.services).toEqual([]);
  });

  test('does not print what other packages bring, and nothing else', () => {
    expect(found.unprinted.filter((name) => !OTHER_PACKAGES.test(name))).toEqual([]);
    expect(found.unprinted.length).toBeLessThan([...settingsTable(root.dovecot).names()].length / 5);
  });

  test('is what is recorded', () => {
    const file = path.join(recorded, `${root.dovecot}.txt`);
    if (process.env.PFHARDEN_RECORD) fs.writeFileSync(file, answer);
    // A root made after Debian released an update has a release that is not recorded.
    expect(answer).toBe(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : answer);
  });
});
