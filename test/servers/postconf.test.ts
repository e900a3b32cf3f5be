/**
 * What pfharden says of a configuration against what postconf of the reference roots prints: what is
 * set, what it is worth, services, overrides, unused names, and messages. Over every plain Postfix case of
 * the corpus, where that is beside the repository, and over configurations made up from a written seed.
 *
 * PFHARDEN_FULL=1 makes more of them. PFHARDEN_RECORD=1 writes the first answers to
 * test/recorded/postconf/, for test/postfix/recorded.test.ts.
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  type Answers,
  type Build,
  compare,
  type Files,
  MODES,
  type Mode,
  type Printed,
  QUIRKS,
  type Quirk,
  type Recording,
  recordingOf,
  Tally,
} from '../support/postconf.ts';
import { configuration, TRAPS } from './generate.ts';
import { DISTRIBUTION, FOLDER, inRoot, type Root, roots } from './roots.ts';

const SEED = 20_260_907;
const GENERATED = process.env.PFHARDEN_FULL === '1' ? 2_400 : 300;
const BATCH = 200;
/** What stands between two runs on the standard output. */
const MARK = new RegExp(String.raw`\x01(-?\d+)\n`);
const MOST_SHOWN = 60;
const RECORDED = 150;

const repository = path.join(import.meta.dirname, '..', '..');
const recorded = path.join(import.meta.dirname, '..', 'recorded', 'postconf');
const corpus = path.join(repository, '..', 'shared', 'corpus');

/** What the build or the machine decides. */
const BUILT = [
  ...DISTRIBUTION,
  'mail_release_date',
  'mydomain',
  'myhostname',
  'mynetworks',
  'process_name',
  'service_name',
];

/**
 * All runs over one configuration; between two of them, a line with \u0001 on both streams. postconf
 * sleeps for a second before it dies, so that many have to run at once, and none that must die as well.
 */
const CASE = `
cd "$0" || exit 9
{
  dead=
  for mode in -n -M -F '-n -x' -x -P '-P -x'; do
    case "$dead $mode" in
      ' '* | '1 -M') postconf -c "$PWD" $mode; status=$? ;;
      *) status=-1 ;;
    esac
    [ "$mode$status" = -n0 ] || [ "$mode" != -n ] || dead=1
    printf '\\001%s\\n' "$status"
    printf '\\001\\n' >&2
  done
} >out 2>err
`;

const SCRIPT = `
cd "$1" || exit 9
find . -type f -exec touch -t 197101010000 {} +
printf '%s\\n' $3 | xargs -n 1 -P 64 sh -c "$2"
printf '%s\\n' "$PWD"
for dir in $3; do echo "$dir/out"; done | xargs cat
for dir in $3; do echo "$dir/err"; done | xargs cat >&2
`;

function buildOf(root: Root): Build {
  const { stdout, stderr, status } = inRoot(root, ['postconf', '-d', ...BUILT]);
  if (status !== 0) throw new Error(stderr);
  const defaults = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [line.slice(0, line.indexOf(' =')), line.slice(line.indexOf(' =') + 2).trim()] as const);
  return { postfix: root.postfix, openssl: root.openssl, defaults: Object.fromEntries(defaults) };
}

/** Runs postconf in all modes over some configurations. */
function ask(root: Root, cases: readonly Files[]): Answers[] {
  const files: Record<string, string> = {};
  cases.forEach(({ main, master }, index) => {
    files[`${index}/main.cf`] = main ?? '';
    if (master !== null) files[`${index}/master.cf`] = master;
  });
  const names = cases.map((_, index) => String(index));
  const args = ['sh', '-c', SCRIPT, 'sh', FOLDER, CASE, names.join(' ')];
  const { stdout, stderr, status } = inRoot(root, args, { files });
  if (status !== 0) throw new Error(`status ${status}: ${stderr.slice(0, 1000)}`);
  const end = stdout.indexOf('\n');
  const folder = stdout.slice(0, end);
  const outs = stdout.slice(end + 1).split(MARK);
  const errs = stderr.split('\u0001\n');
  if (outs.length !== cases.length * MODES.length * 2 + 1) throw new Error(`${outs.length} answers`);
  return cases.map((_, index) => {
    const run = (mode: Mode): Printed => {
      const at = index * MODES.length + MODES.indexOf(mode);
      return { out: outs[2 * at] ?? '', status: Number(outs[2 * at + 1]), err: errs[at] ?? '' };
    };
    return {
      folder: `${folder}/${index}`,
      runs: Object.fromEntries(MODES.map((mode) => [mode, run(mode)])) as Record<Mode, Printed>,
    };
  });
}

interface Case {
  readonly id: string;
  readonly files: Files;
}

/** Ids and files of the corpus cases that are plain Postfix; none where there is no corpus. */
function corpusCases(): Case[] {
  const index = path.join(corpus, 'index.tsv');
  if (!fs.existsSync(index)) return [];
  return fs
    .readFileSync(index, 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([, , , , kind, state]) => kind === 'postfix' && state === 'plain')
    .map(([id = '']) => {
      const read = (name: string): string | null => {
        const file = path.join(corpus, id, 'files', name);
        return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
      };
      return { id, files: { main: read('main.cf'), master: read('master.cf') } };
    });
}

function madeUp(count: number): Case[] {
  const random = Array.from({ length: count }, (_, index) => ({
    id: String(index),
    files: configuration(SEED, index),
  }));
  return [...TRAPS.map((files, index) => ({ id: `trap ${index}`, files })), ...random];
}

function check(root: Root, cases: readonly Case[], tally: Tally): string[] {
  const build = buildOf(root);
  const differences: string[] = [];
  for (let start = 0; start < cases.length; start += BATCH) {
    const batch = cases.slice(start, start + BATCH);
    const answers = ask(
      root,
      batch.map(({ files }) => files),
    );
    batch.forEach(({ id, files }, index) => {
      const answer = answers[index];
      if (answer === undefined) throw new Error('no answer');
      for (const difference of compare(files, build, answer, tally)) differences.push(`${id}: ${difference}`);
    });
  }
  return differences;
}

/** The first of many: Jest would take minutes to show them all. */
function first(differences: readonly string[]): readonly string[] {
  return differences.length > MOST_SHOWN
    ? [...differences.slice(0, MOST_SHOWN), `and ${differences.length - MOST_SHOWN} more`]
    : differences;
}

const totals = new Tally();

describe.each(roots().map((root) => [root.release, root] as const))('postconf of %s', (_, root) => {
  const parts = [
    { part: 'the corpus', cases: corpusCases() },
    { part: 'made-up configurations', cases: madeUp(GENERATED) },
  ].filter(({ cases }) => cases.length > 0);

  test.each(parts)('says of $part what pfharden says', ({ cases }) => {
    expect(first(check(root, cases, totals))).toEqual([]);
  });

  test('is what is recorded', () => {
    const cases = madeUp(RECORDED).map(({ files }) => files);
    const recording = recordingOf(buildOf(root), ask(root, cases));
    const file = path.join(recorded, `${root.postfix}.json`);
    if (process.env.PFHARDEN_RECORD === '1') {
      fs.writeFileSync(path.join(recorded, 'cases.json'), `${JSON.stringify(cases)}\n`);
      fs.writeFileSync(file, `${JSON.stringify(recording)}\n`);
    }
    // A root made after Debian released an update has a release that is not recorded.
    if (!fs.existsSync(file)) return;
    const { answers } = JSON.parse(fs.readFileSync(file, 'utf8')) as Recording;
    const different = answers.flatMap(({ runs }, index) =>
      JSON.stringify(runs) === JSON.stringify(recording.answers[index]?.runs) ? [] : [index],
    );
    expect(different).toEqual([]);
  });
});

test('every way of postconf that is listed was met', () => {
  const met = [...totals.quirks.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = met.map(([quirk, count]) => `${String(count).padStart(7)}  ${quirk}: ${QUIRKS[quirk]}`);
  const unheard = [...totals.unheard].map(
    ([why, count]) => `${String(count).padStart(7)}  not compared: ${why}`,
  );
  process.stdout.write(
    `postconf: ${totals.cases} cases, ${totals.values} values compared, ${totals.deaths} deaths\n${[...lines, ...unheard].join('\n')}\n`,
  );
  expect((Object.keys(QUIRKS) as Quirk[]).filter((quirk) => !totals.quirks.has(quirk))).toEqual([]);
});
