/**
 * Every default and every name of the parameter tables against `postconf -d` of the reference roots, and
 * the recorded answers that test/postfix/parameters.test.ts uses.
 *
 * PFHARDEN_RECORD=1 writes the answers to test/recorded/postconf-d/ instead of comparing them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parameterTable, transportParameters } from '../../src/postfix/parameters.ts';
import { DISTRIBUTION, inRoot, type Root, roots } from './roots.ts';

const recorded = path.join(import.meta.dirname, '..', 'recorded', 'postconf-d');

/** What postconf -d prints: names and unexpanded values. */
function defaults(root: Root): Map<string, string> {
  const { stdout, stderr, status } = inRoot(root, ['postconf', '-d']);
  if (status !== 0) throw new Error(stderr);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => split(line)));
}

function split(line: string): [name: string, value: string] {
  const at = line.indexOf(' =');
  return [line.slice(0, at), line.slice(at + 2).trim()];
}

/** First and eighth field of each service; continuation lines and comments are none. */
function services(root: Root): { name: string; program: string }[] {
  return fs
    .readFileSync(path.join(root.path, 'etc', 'postfix', 'master.cf'), 'utf8')
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line))
    .map((line) => line.split(/\s+/))
    .map((fields) => ({ name: fields[0] ?? '', program: fields[7] ?? '' }));
}

describe.each(roots().map((root) => [root.release, root] as const))('postconf -d of %s', (_, root) => {
  const real = defaults(root);
  const table = parameterTable(root.postfix, root.openssl);
  const transports = transportParameters(table, services(root));
  const own = [...real].filter(([name]) => !transports.has(name));

  test('knows the same names', () => {
    expect(new Set(table.names())).toEqual(new Set(own.map(([name]) => name)));
  });

  test('has the same parameters of transports, with the same defaults', () => {
    const names = [...transports.keys()].sort();
    expect(names.length).toBeGreaterThan(100);
    expect(names.map((name) => [name, transports.get(name)?.default])).toEqual(
      names.map((name) => [name, real.get(name)]),
    );
  });

  test('has the same defaults', () => {
    const compared = own.filter(([name]) => !DISTRIBUTION.has(name) && table.get(name)?.default !== null);
    expect(compared.length).toBeGreaterThan(800);
    expect(compared.map(([name]) => [name, table.get(name)?.default])).toEqual(compared);
  });

  test('differs where Debian does and is computed where the table says so', () => {
    const others = own.filter(([name]) => DISTRIBUTION.has(name) || table.get(name)?.default === null);
    expect(others.map(([name]) => table.get(name)?.buildDependent)).toEqual(others.map(() => true));
  });

  test('is what is recorded', () => {
    const text = own
      .filter(([name]) => !DISTRIBUTION.has(name) && table.get(name)?.default !== null)
      .map(([name, value]) => `${name} =${value === '' ? '' : ` ${value}`}\n`)
      .join('');
    const file = path.join(recorded, `${root.postfix}.txt`);
    if (process.env.PFHARDEN_RECORD) fs.writeFileSync(file, text);
    // A root made after Debian released an update has a release that is not recorded: there is nothing
    // to compare then, and the tests above say whether the tables fit it.
    expect(text).toBe(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : text);
  });
});
