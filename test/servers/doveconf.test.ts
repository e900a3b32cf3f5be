/**
 * What pfharden says of a Dovecot configuration against what doveconf of the reference roots prints: refused
 * or accepted, the line that it names and its words, warnings, and the whole listing of `doveconf -n` and
 * `doveconf -n -x`. Over every plain Dovecot case of the corpus, where that is beside the repository, and
 * over configurations made up from a written seed.
 *
 * PFHARDEN_FULL=1 makes more of them. PFHARDEN_RECORD=1 writes the first answers to
 * test/recorded/doveconf/, for test/dovecot/recorded.test.ts.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { DovecotAssignment } from '../../src/dovecot/assignment.ts';
import { DovecotConfiguration } from '../../src/dovecot/configuration.ts';
import type { Connection } from '../../src/dovecot/filter.ts';
import { listedValue } from '../../src/dovecot/listing.ts';
import type { DovecotFiles } from '../../src/dovecot/load.ts';
import { hasDovecotFeature } from '../../src/dovecot/releases.ts';
import { settingsTable } from '../../src/dovecot/settings.ts';
import { decode } from '../../src/hosts/files.ts';
import { SourceFile } from '../../src/text/source.ts';
import {
  compare,
  ENVIRONMENT,
  MODES,
  type Printed,
  QUIRKS,
  type Quirk,
  type Recording,
  Tally,
  withoutBanner,
} from '../support/doveconf.ts';
import { dovecotConfiguration, dovecotTraps } from './generate-dovecot.ts';
import { FOLDER, inRoot, type Root, roots } from './roots.ts';

const BATCH = 100;
const MARK = new RegExp(String.raw`\x01(-?\d+)\n`);
const repository = path.join(import.meta.dirname, '..', '..');
const recorded = path.join(import.meta.dirname, '..', 'recorded', 'doveconf');
const corpus = path.join(repository, '..', 'shared', 'corpus');

/** Texts by path below the folder of the case. */
type Files = Readonly<Record<string, string>>;
interface Made {
  readonly id: string;
  readonly files: Files;
}

/** Both runs over one configuration; between two of them, a line with \u0001 on both streams. */
const CASE = `
cd "$0" || exit 9
{
  for mode in '-n -P' '-n -P -x'; do
    doveconf $mode -c dovecot.conf
    printf '\\001%s\\n' "$?"
    printf '\\001\\n' >&2
  done
} >out 2>err </dev/null
`;

const SCRIPT = `
cd "$1" || exit 9
printf '%s\\n' $3 | xargs -n 1 -P 4 sh -c "$2"
for dir in $3; do echo "$dir/out"; done | xargs cat
for dir in $3; do echo "$dir/err"; done | xargs cat >&2
`;

/** Defaults that the distribution has chosen. */
function builtDefaults(root: Root): ReadonlyMap<string, string> {
  const table = settingsTable(root.dovecot);
  const built = [...table.names()].filter((name) => table.get(name)?.buildDependent);
  const { stdout } = inRoot(root, ['doveconf', '-d', ...built]);
  const lines = stdout.split('\n').map((line) => /^([a-z_]+) = (.*)$/.exec(line));
  return new Map(lines.flatMap((line) => (line === null ? [] : [[line[1] ?? '', line[2] ?? ''] as const])));
}

function ask(root: Root, cases: readonly Made[]): Record<(typeof MODES)[number], Printed>[] {
  const files: Record<string, string> = {};
  cases.forEach((made, index) => {
    for (const [name, text] of Object.entries(made.files)) files[`${index}/${name}`] = text;
  });
  const names = cases.map((_, index) => String(index));
  const { stdout, stderr, status } = inRoot(root, ['sh', '-c', SCRIPT, 'sh', FOLDER, CASE, names.join(' ')], {
    files,
  });
  if (status !== 0) throw new Error(`status ${status}: ${stderr.slice(0, 1000)}`);
  const outs = stdout.split(MARK);
  const errs = stderr.split('\u0001\n');
  if (outs.length !== cases.length * MODES.length * 2 + 1) throw new Error(`${outs.length} answers`);
  return cases.map((_, index) => {
    const run = (mode: number): Printed => {
      const at = index * MODES.length + mode;
      return { out: outs[2 * at] ?? '', status: Number(outs[2 * at + 1]), err: errs[at] ?? '' };
    };
    return { n: run(0), x: run(1) };
  });
}

/** The files of a case, and beyond them those of the root. */
function filesOf(root: Root, files: Files): DovecotFiles {
  const names = Object.keys(files);
  return {
    open(name) {
      const text = Object.hasOwn(files, name) ? files[name] : undefined;
      if (text !== undefined) return new SourceFile(name, text);
      if (!name.startsWith('/')) return null;
      try {
        return decode(name, fs.readFileSync(path.join(root.path, name)));
      } catch {
        return null;
      }
    },
    entries(folder) {
      if (folder.startsWith('/')) {
        try {
          return fs.readdirSync(path.join(root.path, folder));
        } catch {
          return null;
        }
      }
      const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
      const inside = names.filter((name) => name.startsWith(prefix));
      if (inside.length === 0 && folder !== '') return null;
      return [...new Set(inside.map((name) => name.slice(prefix.length).split('/')[0] ?? ''))];
    },
  };
}

const totals = new Tally();

function corpusCases(): Made[] {
  const index = path.join(corpus, 'index.tsv');
  if (!fs.existsSync(index)) return [];
  return fs
    .readFileSync(index, 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(
      ([id = '', , , , kind = '', state]) =>
        kind.startsWith('dovecot') &&
        state === 'plain' &&
        fs.existsSync(path.join(corpus, id, 'files', 'dovecot.conf')),
    )
    .map(([id = '']) => {
      const folder = path.join(corpus, id, 'files');
      const names = fs
        .readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => fs.statSync(path.join(folder, name)).isFile());
      return {
        id,
        files: Object.fromEntries(
          names.map((name) => [name, decode(name, fs.readFileSync(path.join(folder, name))).text]),
        ),
      };
    });
}

function check(root: Root, cases: readonly Made[]): string[] {
  const differences: string[] = [];
  const defaults = builtDefaults(root);
  for (let start = 0; start < cases.length; start += BATCH) {
    const batch = cases.slice(start, start + BATCH);
    ask(root, batch).forEach((answers, index) => {
      const made = batch[index];
      if (made === undefined) return;
      const given = {
        main: new SourceFile('dovecot.conf', made.files['dovecot.conf'] ?? ''),
        files: filesOf(root, made.files),
        release: root.dovecot,
        environment: ENVIRONMENT,
        secretsShown: true,
        defaults,
      };
      for (const mode of MODES) {
        for (const difference of compare(given, mode, answers[mode], totals))
          differences.push(`${made.id} ${difference}`);
      }
    });
  }
  return differences;
}

const SEED = 20_261_126;
const GENERATED = process.env.PFHARDEN_FULL === '1' ? 2_000 : 150;
/** Configurations whose values are asked for by connection. */
const CONNECTED = process.env.PFHARDEN_FULL === '1' ? 200 : 20;
const CONNECTED_AT_ONCE = 20;
const MOST_SHOWN = 40;
const RECORDED = 60;

function madeUp(release: string, count: number): Made[] {
  const random = Array.from({ length: count }, (_, index) => ({
    id: String(index),
    files: dovecotConfiguration(SEED, index, release),
  }));
  return [...dovecotTraps(release).map((files, index) => ({ id: `trap ${index}`, files })), ...random];
}

/** Connections for which values are asked. */
const CONNECTIONS: readonly Connection[] = [
  { protocol: 'imap' },
  { protocol: 'imap', remoteIp: '10.1.2.3' },
  { protocol: 'pop3', localName: 'mail.example.org' },
  { protocol: 'lmtp', localIp: '10.1.2.3', remoteIp: '127.0.0.1' },
];

/** The arguments of doveconf for a connection. */
function filterArguments({ protocol, localName, localIp, remoteIp }: Connection, named: boolean): string {
  return [
    ...(protocol === undefined ? [] : [`-f protocol=${protocol}`]),
    ...(localName === undefined ? [] : [`-f ${named ? 'local_name' : 'lname'}=${localName}`]),
    ...(localIp === undefined ? [] : [`-f local=${localIp}`]),
    ...(remoteIp === undefined ? [] : [`-f remote=${remoteIp}`]),
  ].join(' ');
}

/** A configuration that doveconf takes, and what its filters set. */
interface Filtered {
  readonly made: Made;
  readonly configuration: DovecotConfiguration;
  readonly names: readonly string[];
}

function filtered(root: Root, cases: readonly Made[]): Filtered[] {
  return cases.flatMap((made) => {
    const configuration = new DovecotConfiguration({
      main: new SourceFile('dovecot.conf', made.files['dovecot.conf'] ?? ''),
      files: filesOf(root, made.files),
      release: { version: root.dovecot, versionFrom: 'flag', provenAtLeast: null },
    });
    const settings = configuration.settings();
    // Without -x references stay, with it files are looked for that are not there.
    const plain = ({ name, form, setting }: DovecotAssignment): boolean =>
      !name.includes('/') && form !== 'variables' && form !== 'file' && setting?.buildDependent !== true;
    const inFilters = settings.filter(({ scope }) => scope.kind === 'filter').map(({ name }) => name);
    const left = new Set(settings.filter((setting) => !plain(setting)).map(({ name }) => name));
    // doveconf 2.4.1 looks for `ssl_server_key_file` in `ssl_server` alone.
    const inSection = (name: string): boolean =>
      name.split('_').some((_, at, parts) => isSection(root, parts.slice(0, at).join('_')));
    const names = [...new Set(inFilters)].filter((name) => !left.has(name) && !inSection(name)).slice(0, 5);
    return configuration.faults.length > 0 || names.length === 0 ? [] : [{ made, configuration, names }];
  });
}

/** Whether 2.4 has a section of that name that takes none of its own. */
function isSection(root: Root, name: string): boolean {
  return settingsTable(root.dovecot).get(name)?.type === 'named_filter';
}

/** What each connection of each configuration gets, and what doveconf says. */
function connections(root: Root, all: readonly Filtered[]): string[] {
  const named = hasDovecotFeature(root.dovecot, 'namedFilters');
  const files: Record<string, string> = {};
  const commands: string[] = [];
  const asked: { readonly given: Filtered; readonly connection: Connection; readonly name: string }[] = [];
  all.forEach((given, index) => {
    for (const [name, text] of Object.entries(given.made.files)) files[`${index}/${name}`] = text;
    commands.push(`cd "$1/${index}"`);
    for (const connection of CONNECTIONS) {
      for (const name of given.names) {
        asked.push({ given, connection, name });
        commands.push(
          `doveconf -P -c dovecot.conf ${filterArguments(connection, named)} ${name} 2>&1; printf '\\001\\n'`,
        );
      }
    }
  });
  files.script = commands.join('\n');
  const { stdout } = inRoot(root, ['sh', '-c', 'sh "$1/script" "$1"', 'sh', FOLDER], { files });
  const answers = stdout.split('\u0001\n');
  return asked.flatMap(({ given, connection, name }, index) => {
    const answer = answers[index] ?? '';
    const { value, conflict } = given.configuration.get(name, connection);
    const printed = [...answer.matchAll(/^([a-z0-9_]+) = (.*)$/gm)].find(([, key]) => key === name)?.[2];
    // Of a single setting, 2.3 prints the bare value.
    const text = named ? listedValue(value, (char) => char === ' ' || char === '\t') : value;
    const mine = conflict === null ? text : undefined;
    if (/^Segmentation fault/m.test(answer)) return [];
    totals.values++;
    return printed === mine
      ? []
      : [
          `${given.made.id} ${filterArguments(connection, named)} ${name}: ${JSON.stringify(answer.slice(0, 300))}, not ${JSON.stringify(mine)}`,
        ];
  });
}

/** What a doveconf that dies says of where, which differs from run to run, left out. */
function withoutBacktrace(err: string): string {
  return err.replace(/^doveconf: Error: Raw backtrace:.*\n/gm, '');
}

describe.each(roots().map((root) => [root.release, root] as const))('doveconf of %s', (_, root) => {
  const parts = [
    { part: 'the corpus', cases: corpusCases() },
    { part: 'made-up configurations', cases: madeUp(root.dovecot, GENERATED) },
  ].filter(({ cases }) => cases.length > 0);

  test.each(parts)('says of $part what pfharden says', ({ cases }) => {
    const differences = check(root, cases);
    expect(differences.slice(0, MOST_SHOWN)).toEqual([]);
  });

  test('is what is recorded', () => {
    const cases = madeUp(root.dovecot, RECORDED);
    const answers = ask(root, cases).map((runs, index) => ({
      files: cases[index]?.files ?? {},
      runs: Object.fromEntries(
        MODES.map((mode) => [
          mode,
          [runs[mode].status, withoutBanner(runs[mode].out), withoutBacktrace(runs[mode].err)],
        ]),
      ),
    }));
    const defaults = Object.fromEntries(builtDefaults(root));
    const recording: Recording = { release: root.dovecot, defaults, answers };
    const file = path.join(recorded, `${root.dovecot}.json`);
    if (process.env.PFHARDEN_RECORD === '1') fs.writeFileSync(file, `${JSON.stringify(recording)}\n`);
    // A root made after Debian released an update has a release that is not recorded.
    if (!fs.existsSync(file)) return;
    expect(recording).toEqual(JSON.parse(fs.readFileSync(file, 'utf8')));
  });

  test('gives each connection what pfharden says', () => {
    const cases = filtered(root, madeUp(root.dovecot, GENERATED)).slice(0, CONNECTED);
    const differences: string[] = [];
    for (let start = 0; start < cases.length; start += CONNECTED_AT_ONCE)
      differences.push(...connections(root, cases.slice(start, start + CONNECTED_AT_ONCE)));
    expect(differences.slice(0, MOST_SHOWN)).toEqual([]);
  });
});

test('what was compared, and which listed ways were met', () => {
  const met = [...totals.quirks].map(
    ([quirk, count]) => `${String(count).padStart(7)}  ${quirk}: ${QUIRKS[quirk]}`,
  );
  process.stdout.write(
    `doveconf: ${totals.cases} runs, ${totals.refused} refused, ${totals.lines} lines and ${totals.values} values of connections compared\n${met.join('\n')}\n`,
  );
  expect((Object.keys(QUIRKS) as Quirk[]).filter((quirk) => !totals.quirks.has(quirk))).toEqual([]);
});
