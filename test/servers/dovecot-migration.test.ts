import fs from 'node:fs';
import path from 'node:path';
import { proposeFixes } from '../../src/fix/fix.ts';
import { encode } from '../../src/hosts/files.ts';
import { type HostInput, hostSources, withTexts } from '../../src/hosts/host.ts';
import type { Finding } from '../../src/model/finding.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { dovecotCases, dovecotInput } from '../support/corpus.ts';
import { inRoot, type Root, roots } from './roots.ts';

// Real configurations of 2.2 and 2.3 are taken over to 2.4 by their one rule. Then the real doveconf of 2.4
// reads them: where nothing was left to decide it must take them, unless 2.3 did not take the old ones.

const RULE = 'dovecot/migration';
const inside = `/tmp/pfh-${process.pid}-dovecot-migration`;

interface Migrated {
  readonly id: string;
  readonly folder: string;
  readonly before: HostInput;
  readonly after: HostInput;
  readonly decisions: readonly Finding[];
  /** A second run changes nothing. */
  readonly isStable: boolean;
}

async function migrate(id: string, folder: string, root: Root): Promise<Migrated> {
  const before = await dovecotInput(folder, { dovecot: root.dovecot, openssl: root.openssl });
  const fix = (input: HostInput) =>
    proposeFixes(input, BUILTIN_RULES, builtinProfile('modern'), { only: new Set([RULE]) });
  const result = fix(before);
  const after = withTexts(before, new Map(result.files.map((file) => [file.after.path, file.after])));
  return {
    id,
    folder,
    before,
    after,
    decisions: result.findingsBefore.filter(
      ({ rule, messageId }) => rule === RULE && (messageId === 'decide' || messageId === 'unknown'),
    ),
    isStable: fix(after).files.length === 0,
  };
}

/** Writes the files of all cases into a root and has its doveconf read them: what it says by case. */
function judged(root: Root, cases: readonly Migrated[], which: 'before' | 'after'): Map<string, string> {
  const home = path.join(root.path, inside);
  for (const migrated of cases) {
    for (const source of hostSources(migrated[which])) {
      const file = path.join(home, migrated.id, path.relative(migrated.folder, source.path));
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, encode(source));
    }
  }
  const loop = [
    `cd ${inside} || exit 1`,
    'for case in *; do',
    '  doveconf -n -c $PWD/$case/dovecot.conf >/dev/null 2>$case.err </dev/null && : >$case.err',
    'done; true',
  ].join('\n');
  expect(inRoot(root, ['sh', '-c', loop]).status).toBe(0);
  const said = cases.map(({ id }): [string, string] => [
    id,
    fs.readFileSync(path.join(home, `${id}.err`), 'latin1').trim().split('\n').at(-1) ?? '',
  ]);
  fs.rmSync(home, { recursive: true, force: true });
  return new Map(said);
}

const isOf23 = (kind: string): boolean => kind === 'dovecot-2.2/2.3';
const all = roots();
const old = all.filter(({ dovecot }) => dovecot.startsWith('2.3.')).at(-1);
const modern = all.filter(({ dovecot }) => dovecot.startsWith('2.4.'));

afterAll(() => {
  for (const { path: root } of all) fs.rmSync(path.join(root, inside), { recursive: true, force: true });
});

it.each(modern.map((root) => ({ name: `${root.release}, Dovecot ${root.dovecot}`, root })))(
  '$name takes over what is exact',
  async ({ root }) => {
    const cases: Migrated[] = [];
    for (const { id, folder } of dovecotCases('plain', isOf23))
      if (fs.existsSync(path.join(folder, 'dovecot.conf'))) cases.push(await migrate(id, folder, root));
    if (cases.length === 0 || old === undefined) return;
    const before = judged(old, cases, 'before');
    const after = judged(root, cases, 'after');
    const exact = cases.filter(({ decisions }) => decisions.length === 0);
    const sound = exact.filter(({ id }) => before.get(id) === '');
    const lines = cases.map(({ id, decisions }) => {
      const words = decisions.map(({ setting, advice, at: { source, span } }) => `${setting} (${path.basename(source.path)}:${source.position(span.start).line}): ${advice}`);
      return [`${id}: 2.3: ${before.get(id) || 'taken'}; 2.4: ${after.get(id) || 'taken'}`, ...words].join('\n    ');
    });
    process.stdout.write(
      `${root.dovecot}: ${cases.length} cases, ${exact.length} exact, ${sound.length} of them taken by 2.3, ${sound.filter(({ id }) => after.get(id) === '').length} taken by 2.4\n${lines.join('\n')}\n`,
    );
    expect(cases.filter(({ isStable }) => !isStable).map(({ id }) => id)).toEqual([]);
    expect(sound.filter(({ id }) => after.get(id) !== '').map(({ id }) => [id, after.get(id)])).toEqual([]);
  },
);
