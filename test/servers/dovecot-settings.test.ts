/**
 * The tables of Dovecot's settings and services against `doveconf -d` of the reference roots: every name,
 * every default, every service with its listeners; and the recorded answers that
 * test/dovecot/settings.test.ts uses.
 *
 * PFHARDEN_RECORD=1 writes the answers to test/recorded/doveconf-d/ instead of comparing them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { type SettingType, settingsTable } from '../../src/dovecot/settings.ts';
import { compareDefaults, OTHER_PACKAGES } from '../support/doveconf-defaults.ts';
import { FOLDER, inRoot, type Root, roots } from './roots.ts';

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

/** What doveconf says of a value that no checked type takes. */
const COMPLAINTS: Partial<Readonly<Record<SettingType, RegExp>>> = {
  bool: /Invalid boolean value/,
  uint: /Invalid number/,
  uint_oct: /Invalid (octal|number)/i,
  in_port: /Invalid port/,
  time: /time interval/,
  time_msecs: /time interval/,
  size: /Invalid size/,
  enum: /Invalid value/,
};

/** Every n-th setting in a run that is not full: doveconf is asked for each. */
const STEP = process.env.PFHARDEN_FULL === undefined ? 12 : 1;

describe.each(roots().map((root, turn) => [root.release, root, turn] as const))(
  'types of %s',
  (_, root, turn) => {
    const table = settingsTable(root.dovecot);
    const version = table.get('dovecot_config_version') === null ? '' : versionLines(root.dovecot);

    test('are those that doveconf holds a value against', () => {
      const checked = [...table.names()].filter(
        (name) => COMPLAINTS[table.get(name)?.type ?? 'str'] !== undefined,
      );
      const asked = checked.filter((name, at) => !OTHER_PACKAGES.test(name) && (at + turn) % STEP === 0);
      const wrong = asked.filter((name) => {
        const files = { 'dovecot.conf': `${version}${name} = what\n` };
        const { stderr } = inRoot(root, ['doveconf', '-n', '-c', `${FOLDER}/dovecot.conf`], { files });
        return COMPLAINTS[table.get(name)?.type ?? 'str']?.test(stderr) !== true;
      });
      expect(asked.length).toBeGreaterThan(10);
      expect(wrong).toEqual([]);
    });
  },
);

function versionLines(release: string): string {
  return `dovecot_config_version = ${release}\ndovecot_storage_version = ${release}\n`;
}
