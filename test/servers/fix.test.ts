import fs from 'node:fs';
import path from 'node:path';
import type { FixResult } from '../../src/fix/fix.ts';
import { postconfScript } from '../../src/fix/postconf-script.ts';
import { decode, encode } from '../../src/hosts/files.ts';
import { hostSources } from '../../src/hosts/host.ts';
import { PostfixConfiguration } from '../../src/postfix/configuration.ts';
import { builtinProfile } from '../../src/rules/rule-set.ts';
import type { SourceFile } from '../../src/text/source.ts';
import { hostInputFromFolder, postfixCases } from '../support/corpus.ts';
import { fixFaults } from '../support/fix-invariants.ts';
import { inRoot, type Root, roots } from './roots.ts';

// Real configurations are mended with each profile and for each release. Then the real postconf reads
// the old and the new files, and carries out the script that is given in place of the diff.

const full = process.env.PFHARDEN_FULL !== undefined;
const PROFILES = ['legacy-compatible', 'modern', 'strict'];

interface Run {
  readonly name: string;
  readonly result: FixResult;
  readonly script: ReturnType<typeof postconfScript>;
}

/** Without --full each case meets one profile on each release, another one each time. */
function runs(root: Root, turn: number): { runs: Run[]; faults: string[] } {
  const found: Run[] = [];
  const faults: string[] = [];
  for (const [index, { id, folder }] of postfixCases().entries()) {
    for (const [number, profile] of PROFILES.entries()) {
      if (!full && (index + turn) % PROFILES.length !== number) continue;
      const name = `${id}-${profile}`;
      const input = hostInputFromFolder(folder, { postfix: root.postfix, openssl: root.openssl });
      const { result, faults: own } = fixFaults(input, builtinProfile(profile));
      faults.push(...own.map((fault) => `${name}: ${fault}`));
      found.push({ name, result, script: postconfScript(result.before, result.after) });
    }
  }
  return { runs: found, faults };
}

function write(folder: string, sources: readonly SourceFile[]): void {
  fs.mkdirSync(folder, { recursive: true });
  for (const source of sources) fs.writeFileSync(path.join(folder, source.path), encode(source));
  for (const name of ['main.cf', 'master.cf']) {
    if (!fs.existsSync(path.join(folder, name))) fs.writeFileSync(path.join(folder, name), '');
  }
}

/** What postconf says against a configuration, without file names and line numbers. */
function complaints(text: string): Set<string> {
  return new Set(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/\/tmp\/[^:,\s]*\/(old|new|script)\//g, '').replace(/,? line \d+/g, '')),
  );
}

/** Every assignment of a configuration by scope. */
function assignments(folder: string): Record<string, string> {
  const read = (name: string): SourceFile => decode(name, fs.readFileSync(path.join(folder, name)));
  const known = { version: '3.7.11', versionFrom: 'flag', provenAtLeast: null } as const;
  const configuration = new PostfixConfiguration({
    directory: '.',
    main: read('main.cf'),
    master: read('master.cf'),
    release: known,
    openssl: { ...known, version: '3.0' },
    open: () => null,
  });
  const blanks = (value: string): string => value.replace(/\s+/g, ' ');
  return Object.fromEntries(
    configuration
      .settings()
      .map((setting) => [
        `${setting.kind === 'main' ? 'main.cf' : setting.service.id} ${setting.name}`,
        blanks(setting.value),
      ]),
  );
}

let checked = 0;
let scripts = 0;
afterAll(() => {
  process.stdout.write(`fixes held against postconf: ${checked}, scripts carried out: ${scripts}\n`);
});

// Without the configurations there is nothing to mend.
const describeFixes = postfixCases().length === 0 ? describe.skip : describe;

describeFixes.each(
  roots().map((root, turn) => ({ name: `${root.release}, Postfix ${root.postfix}`, root, turn })),
)('$name', ({ root, turn }) => {
  const inside = `/tmp/pfh-${process.pid}-fix`;
  const home = path.join(root.path, inside);
  afterAll(() => {
    fs.rmSync(home, { recursive: true, force: true });
  });

  it('takes every fix without a new word from postconf, and the script has the same effect', () => {
    const { runs: all, faults } = runs(root, turn);
    expect(faults).toEqual([]);
    for (const { name, result, script } of all) {
      const before = hostSources(result.before.input);
      write(path.join(home, name, 'old'), before);
      write(path.join(home, name, 'new'), hostSources(result.after.input));
      write(path.join(home, name, 'script'), before);
      fs.writeFileSync(path.join(home, name, 'run.sh'), script.text);
    }
    const loop = [
      `cd ${inside} || exit 1`,
      'for case in *; do',
      '  for which in old new; do',
      '    for option in -n -M -P -nx; do postconf -c $PWD/$case/$which $option >/dev/null; done 2>$case/$which.err',
      '  done',
      '  sh $case/run.sh $PWD/$case/script >$case/script.out 2>&1; echo $? >$case/script.rc',
      'done',
    ].join('\n');
    const { status, stderr } = inRoot(root, ['sh', '-c', loop]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });

    const differences: string[] = [];
    for (const { name, result, script } of all) {
      checked++;
      const read = (file: string): string => fs.readFileSync(path.join(home, name, file), 'latin1');
      const old = complaints(read('old.err'));
      // Where postconf could not read the old file at all, it now gets to what was wrong behind that line.
      const died = [...old].some((line) => line.includes('fatal:'));
      for (const line of died ? [] : complaints(read('new.err'))) {
        if (!old.has(line)) differences.push(`${name}: postconf now says: ${line}`);
      }
      // What postconf has no command for is said beside the script.
      if (script.text === '' || script.impossible.length > 0) continue;
      scripts++;
      if (read('script.rc').trim() !== '0') {
        differences.push(`${name}: the script ends with an error: ${read('script.out')}`);
        continue;
      }
      const wanted = assignments(path.join(home, name, 'new'));
      const got = assignments(path.join(home, name, 'script'));
      for (const key of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
        if (wanted[key] !== got[key])
          differences.push(`${name}: by script ${key} is ${got[key]}, by diff ${wanted[key]}`);
      }
      expect(result.files.length).toBeGreaterThan(0);
    }
    expect(differences).toEqual([]);
  });
});
