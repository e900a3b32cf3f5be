import fs from 'node:fs';
import path from 'node:path';
import { proposeFixes } from '../../src/fix/fix.ts';
import { encode } from '../../src/hosts/files.ts';
import { type HostInput, hostSources, withTexts } from '../../src/hosts/host.ts';
import type { Finding } from '../../src/model/finding.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { dovecotCases, dovecotInput } from '../support/corpus.ts';
import { EXACT } from '../support/migration-cases.ts';
import { inRoot, type Root, roots } from './roots.ts';

// Real configurations of 2.2 and 2.3 are taken over to 2.4 by their one rule. Then the real doveconf of 2.4
// reads them: where nothing was left to decide it must take them, unless 2.3 did not take the old ones; else
// it stops where something is to be decided, and nowhere else.

const RULE = 'dovecot/migration';
const inside = `/tmp/pfh-${process.pid}-dovecot-migration`;

/** Texts by name of the case and path. */
type Folders = ReadonlyMap<string, Readonly<Record<string, Uint8Array | string>>>;

interface Migrated {
  readonly id: string;
  readonly before: Folders;
  readonly after: Folders;
  readonly decisions: readonly Finding[];
  /** What lint says of the result. */
  readonly left: readonly Finding[];
  /** A second run changes nothing. */
  readonly isStable: boolean;
}

function filesOf(id: string, folder: string, input: HostInput): Folders {
  const files = hostSources(input).map((source) => [path.relative(folder, source.path), encode(source)]);
  return new Map([[id, Object.fromEntries(files)]]);
}

async function migrate(id: string, folder: string, root: Root): Promise<Migrated> {
  const before = await dovecotInput(folder, { dovecot: root.dovecot, openssl: root.openssl });
  const fix = (input: HostInput) =>
    proposeFixes(input, BUILTIN_RULES, builtinProfile('modern'), { only: new Set([RULE]) });
  const result = fix(before);
  const after = withTexts(before, new Map(result.files.map((file) => [file.after.path, file.after])));
  return {
    id,
    before: filesOf(id, folder, before),
    after: filesOf(id, folder, after),
    decisions: result.findingsBefore.filter(
      ({ rule, messageId }) => rule === RULE && (messageId === 'decide' || messageId === 'unknown'),
    ),
    left: result.findingsAfter,
    isStable: fix(after).files.length === 0,
  };
}

/** Has the doveconf of a root read files: its last words by case, empty where it takes them. */
function judged(root: Root, cases: Folders): ReadonlyMap<string, string> {
  const home = path.join(root.path, inside);
  fs.mkdirSync(home, { recursive: true });
  for (const [id, files] of cases) {
    for (const [name, bytes] of Object.entries(files)) {
      const file = path.join(home, id, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, bytes);
    }
  }
  const loop = [
    `cd ${inside} || exit 1`,
    'for case in *; do',
    '  doveconf -n -c $PWD/$case/dovecot.conf >/dev/null 2>$case.err </dev/null && : >$case.err',
    'done; true',
  ].join('\n');
  expect(inRoot(root, ['sh', '-c', loop]).status).toBe(0);
  const said = [...cases.keys()].map((id): [string, string] => {
    const words = fs.readFileSync(path.join(home, `${id}.err`), 'latin1');
    return [id, words.trim().split('\n').at(-1) ?? ''];
  });
  fs.rmSync(home, { recursive: true, force: true });
  return new Map(said);
}

function joined(all: readonly Folders[]): Folders {
  return new Map(all.flatMap((folders) => [...folders]));
}

/** Whether the line at which doveconf stops is one that lint reports as an error. */
function isTold(says: string, left: readonly Finding[]): boolean {
  const [, file = '', line, words = ''] =
    /Fatal: Error in configuration file \S*\/([^/\s:]+)(?: line (\d+))?: (.*)/.exec(says) ?? [];
  return left.some(({ severity, messageId, message, at: { source, span } }) => {
    // Files that are still to be put in place are only warned of, but doveconf stops at them.
    if (severity !== 'error' && messageId !== 'to-be-placed') return false;
    if (line === undefined) return message.includes(words);
    const from = source.position(span.start).line;
    return (
      source.path.endsWith(`/${file}`) &&
      from <= Number(line) &&
      Number(line) <= source.position(span.end).line
    );
  });
}

const isOf23 = (kind: string): boolean => kind === 'dovecot-2.2/2.3';
const all = roots();
const old = all.findLast(({ dovecot }) => dovecot.startsWith('2.3.'));
const modern = all
  .filter(({ dovecot }) => dovecot.startsWith('2.4.'))
  .map((root) => ({ name: `${root.release}, Dovecot ${root.dovecot}`, root }));

afterAll(() => {
  for (const { path: root } of all) fs.rmSync(path.join(root, inside), { recursive: true, force: true });
});

it.each(modern)('$name takes over what is exact in real configurations', async ({ root }) => {
  const cases: Migrated[] = [];
  for (const { id, folder } of dovecotCases('plain', isOf23))
    if (fs.existsSync(path.join(folder, 'dovecot.conf'))) cases.push(await migrate(id, folder, root));
  if (cases.length === 0 || old === undefined) return;
  const before = judged(old, joined(cases.map((one) => one.before)));
  const after = judged(root, joined(cases.map((one) => one.after)));
  const exact = cases.filter(({ decisions }) => decisions.length === 0);
  const sound = exact.filter(({ id }) => before.get(id) === '');
  const taken = sound.filter(({ id }) => after.get(id) === '');
  const lines = cases.flatMap(({ id, decisions }) => {
    const keys = [...new Set(decisions.map(({ setting }) => setting))];
    return keys.length === 0 ? [] : [`  ${id} is left to decide: ${keys.join(', ')}`];
  });
  process.stdout.write(
    `${root.dovecot}: ${cases.length} configurations of 2.2 and 2.3, ${exact.length} all exact, ${sound.length} of them taken by 2.3, ${taken.length} of these by 2.4\n${lines.join('\n')}\n`,
  );
  expect(cases.filter(({ isStable }) => !isStable).map(({ id }) => id)).toEqual([]);
  expect(sound.filter(({ id }) => after.get(id) !== '').map(({ id }) => [id, after.get(id)])).toEqual([]);
  const untold = cases.filter(({ id, left }) => after.get(id) !== '' && !isTold(after.get(id) ?? '', left));
  expect(untold.map(({ id }) => [id, after.get(id)])).toEqual([]);
});

it.each(modern)('$name takes the new lines of each exact case, and 2.3 the old ones', ({ root }) => {
  const version = ['dovecot_config_version = 2.4.1', 'dovecot_storage_version = 2.4.1'];
  const folders = (texts: readonly (readonly string[])[]): Folders =>
    new Map(texts.map((lines, index) => [`case${index}`, { 'dovecot.conf': `${lines.join('\n')}\n` }]));
  const said = (of: Root, texts: readonly (readonly string[])[]): string[] =>
    [...judged(of, folders(texts)).values()].filter((words) => words !== '');
  expect(
    said(
      root,
      EXACT.map((one) => [...version, ...one.modern]),
    ),
  ).toEqual([]);
  expect(
    old === undefined
      ? []
      : said(
          old,
          EXACT.map((one) => one.old),
        ),
  ).toEqual([]);
});
