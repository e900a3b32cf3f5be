import fs from 'node:fs';
import path from 'node:path';
import type { FixResult } from '../../src/fix/fix.ts';
import { encode } from '../../src/hosts/files.ts';
import { hostSources } from '../../src/hosts/host.ts';
import { builtinProfile } from '../../src/rules/rule-set.ts';
import type { SourceFile } from '../../src/text/source.ts';
import { dovecotCases, dovecotInput } from '../support/corpus.ts';
import { fixFaults } from '../support/fix-invariants.ts';
import { inRoot, type Root, roots } from './roots.ts';

// Real configurations of Dovecot are mended with each profile and for each release. Then the real doveconf
// reads the old and the new files.

const full = process.env.PFHARDEN_FULL !== undefined;
const PROFILES = ['legacy-compatible', 'modern', 'strict'];

interface Run {
  readonly name: string;
  readonly folder: string;
  readonly result: FixResult;
}

/** Without --full each case meets one profile on each release, another one each time. */
async function runs(root: Root, turn: number): Promise<{ runs: Run[]; faults: string[] }> {
  const found: Run[] = [];
  const faults: string[] = [];
  for (const [index, { id, folder }] of dovecotCases().entries()) {
    for (const [number, profile] of PROFILES.entries()) {
      if (!full && (index + turn) % PROFILES.length !== number) continue;
      const name = `${id}-${profile}`;
      const input = await dovecotInput(folder, { dovecot: root.dovecot, openssl: root.openssl });
      const { result, faults: own } = fixFaults(input, builtinProfile(profile));
      faults.push(...own.map((fault) => `${name}: ${fault}`));
      if (result.files.length > 0) found.push({ name, folder, result });
    }
  }
  return { runs: found, faults };
}

/** Writes a host, with a dovecot.conf where it has none. */
function write(target: string, { folder, result }: Run, sources: readonly SourceFile[]): void {
  for (const source of sources) {
    const file = path.join(target, path.relative(folder, source.path));
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, encode(source));
  }
  const main = result.before.dovecot?.input.main;
  if (main !== undefined && !fs.existsSync(path.join(target, 'dovecot.conf')))
    fs.writeFileSync(path.join(target, 'dovecot.conf'), main.text);
}

/** What doveconf says, without folders and line numbers: its last words, and the rest. */
function words(text: string): { readonly fatal: string | null; readonly warnings: ReadonlySet<string> } {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/\/tmp\/[^:,\s]*\/(old|new)\//g, '').replace(/,? line \d+|:\d+(?=:)/g, ''));
  return {
    fatal: lines.find((line) => line.includes('Fatal: ')) ?? null,
    warnings: new Set(lines.filter((line) => !line.includes('Fatal: ') && !line.includes('dump-capability'))),
  };
}

/** Whether the line at which doveconf stops is one of a finding that is left; what it says without a line is in the words of one. */
function isLeft(stderr: string, { findingsAfter }: FixResult): boolean {
  const [, file = '', line, says = ''] =
    /Fatal: Error in configuration file \S*\/([^/\s:]+)(?: line (\d+))?: (.*)/.exec(stderr) ?? [];
  return findingsAfter.some(({ severity, rule, messageId, message, at: { source, span } }) => {
    // Files that are still to be put in place are only warned of, but doveconf stops at them.
    if (severity !== 'error' && messageId !== 'to-be-placed') return false;
    if (line === undefined)
      return message.includes(says) || (says === 'No matches' && rule === 'dovecot/include-missing');
    const from = source.position(span.start).line;
    const to = source.position(span.end).line;
    return source.path.endsWith(`/${file}`) && from <= Number(line) && Number(line) <= to;
  });
}

let checked = 0;
let opened = 0;
afterAll(() => {
  process.stdout.write(
    `fixes of Dovecot held against doveconf: ${checked}, that doveconf takes only now: ${opened}\n`,
  );
});

describe.each(
  roots().map((root, turn) => ({ name: `${root.release}, Dovecot ${root.dovecot}`, root, turn })),
)('$name', ({ root, turn }) => {
  const inside = `/tmp/pfh-${process.pid}-dovecot-fix`;
  const home = path.join(root.path, inside);
  afterAll(() => {
    fs.rmSync(home, { recursive: true, force: true });
  });

  it('takes every fix without a new word from doveconf', async () => {
    const { runs: all, faults } = await runs(root, turn);
    expect(faults).toEqual([]);
    for (const run of all) {
      write(path.join(home, run.name, 'old'), run, hostSources(run.result.before.input));
      write(path.join(home, run.name, 'new'), run, hostSources(run.result.after.input));
    }
    fs.mkdirSync(home, { recursive: true });
    const loop = [
      `cd ${inside}`,
      'for case in *; do for which in old new; do',
      '  doveconf -n -c $PWD/$case/$which/dovecot.conf >/dev/null 2>$case/$which.err </dev/null',
      'done; done; true',
    ].join('\n');
    expect(inRoot(root, ['sh', '-c', loop]).status).toBe(0);

    const differences: string[] = [];
    for (const { name, result } of all) {
      checked++;
      const read = (file: string): string => fs.readFileSync(path.join(home, name, file), 'latin1');
      const old = words(read('old.err'));
      const now = words(read('new.err'));
      if (old.fatal !== null && now.fatal === null) opened++;
      // Behind a line that it does not stop at any more, doveconf meets the next one.
      if (
        now.fatal !== null &&
        now.fatal !== old.fatal &&
        (old.fatal === null || !isLeft(read('new.err'), result))
      )
        differences.push(`${name}: doveconf now stops: ${now.fatal}`);
      for (const warning of old.fatal === null ? now.warnings : [])
        if (!old.warnings.has(warning)) differences.push(`${name}: doveconf now says: ${warning}`);
    }
    expect(differences).toEqual([]);
  });
});
