// Real shells complete command lines by the scripts of `pfharden completion`. bash and zsh insert all that they
// offer into the line and run it, with a pfharden that writes down its words: so quoting, `=` and names of files
// are those of the shell. fish is asked for what it offers. No script may run a program for its answer.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandName, OPTIONS } from '../../src/cli/options.ts';

const PROGRAM = join(__dirname, '..', '..', 'dist', 'pfharden.js');

/** What loads completions when they are needed, on most systems. */
const SHARED = '/usr/share/bash-completion/bash_completion';

/** Milliseconds that a shell may take for all lines. */
const LONGEST = 60_000;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-completion-'));
  mkdirSync(join(folder, 'work', 'hosts'), { recursive: true });
  mkdirSync(join(folder, 'work', 'old hosts'));
  for (const name of ['main.cf', 'own profile.json', "it's.json"])
    writeFileSync(join(folder, 'work', name), '');
  for (const shell of ['bash', 'zsh', 'fish']) writeFileSync(join(folder, shell), script(shell));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function script(shell: string): string {
  const { stdout, status } = spawnSync(process.execPath, [PROGRAM, 'completion', shell], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  return stdout;
}

/** In CI each has to be there: what is not installed fails, and is not passed over. */
const has = (...programs: string[]): boolean =>
  process.env.CI === 'true' ||
  programs.every((program) => spawnSync(program, ['--version']).error === undefined);

/** Writes down the words that pfharden gets, a line for each run of it. */
const RECORD = `pfharden() { { printf '<%s>' "$@"; echo; } >>"$OUT"; }\n`;

/** Types lines, each with a key behind it, into a shell once it has shown its prompt. */
async function typed(
  [program = '', ...args]: readonly string[],
  env: object,
  lines: readonly string[],
  key: string,
) {
  const out = join(folder, 'out');
  rmSync(out, { force: true });
  const child = spawn(program, args, {
    cwd: join(folder, 'work'),
    env: { ...process.env, ...env, OUT: out, TERM: 'dumb' },
    detached: true,
  });
  // A shell that asks back would wait for ever.
  const overdue = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), LONGEST);
  let said = '';
  let begun = false;
  const listen = (data: Buffer): void => {
    said += data.toString();
    if (begun || !said.includes('ready> ')) return;
    begun = true;
    child.stdin.end(`${lines.map((line) => `${line}${key}\n`).join('')}exit\n`);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  await new Promise((resolve) => {
    child.on('close', resolve);
  });
  clearTimeout(overdue);
  const runs = readFileSync(out, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(lines.map((line, index) => [line, runs[index]]));
}

function bash(lines: readonly string[], setUp = 'PATH=/nowhere', load = `source ${folder}/bash`) {
  writeFileSync(join(folder, 'bashrc'), `HISTFILE=\n${setUp}\n${load}\n${RECORD}PS1='ready> '\n`);
  const shell = spawnSync('sh', ['-c', 'command -v bash'], { encoding: 'utf8' }).stdout.trim();
  return typed([shell, '--noprofile', '--rcfile', join(folder, 'bashrc'), '-i'], {}, lines, '\u001b*');
}

function zsh(lines: readonly string[], load = `compinit -D -u\nsource ${folder}/zsh`) {
  const key = '\u0018a';
  writeFileSync(
    join(folder, '.zshrc'),
    `HISTFILE=
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
zle -C all-matches complete-word _generic
bindkey '^Xa' all-matches
autoload -Uz compinit
${load}
PATH=/nowhere
${RECORD}PS1='ready> '
`,
  );
  return typed(
    ['script', '-qec', 'exec zsh -d -i', '/dev/null'],
    { ZDOTDIR: folder, SHELL: '/bin/sh' },
    lines,
    key,
  );
}

/** What fish offers, with what it says beside it. */
function fish(lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const program =
    'set PATH /nowhere; source $argv[1]; for line in $argv[2..-1]; echo "== $line"; complete -C $line; end';
  const { stdout, stderr } = spawnSync(
    'fish',
    ['--no-config', '-c', program, join(folder, 'fish'), ...lines],
    { cwd: join(folder, 'work'), encoding: 'utf8', env: { ...process.env, HOME: folder } },
  );
  expect(stderr).toBe('');
  const answers = stdout
    .split(/^== /m)
    .slice(1)
    .map((answer) => answer.split('\n'));
  return Object.fromEntries(answers.map(([line = '', ...offers]) => [line, offers.slice(0, -1)]));
}

/** The words of a line, before what is offered. */
function before(line: string): string {
  const typedWords = line.split(' ').slice(1, -1);
  return typedWords.map((word) => `<${word}>`).join('');
}

const SERVER = [
  'postfix/server-ciphers',
  'postfix/server-level-invalid',
  'postfix/server-protocols',
  'postfix/server-tls-off',
  'postfix/server-tls-without-certificate',
];
const HERE = ['hosts', "it's.json", 'main.cf', 'old hosts', 'own profile.json'];
const ALL = Object.keys(OPTIONS).sort();

interface Case {
  readonly line: string;
  /** What all shells offer; where they differ by their nature, each by itself. */
  readonly all?: readonly string[];
  readonly bash?: readonly string[];
  readonly zsh?: readonly string[];
  readonly fish?: readonly string[];
}

const CASES: readonly Case[] = [
  { line: 'pfharden ', all: ALL },
  { line: 'pfharden ex', all: ['explain'] },
  { line: 'pfharden --v', all: ['--version'] },
  { line: 'pfharden lint --pro', all: ['--profile'] },
  { line: 'pfharden lint --f', all: ['--fail-on', '--format'] },
  // Options may stand behind words, and a folder may have the name of a command.
  { line: 'pfharden lint hosts --fail', all: ['--fail-on'] },
  { line: 'pfharden lint fix --back', all: [] },
  { line: 'pfharden fix lint --back', all: ['--backup'] },
  { line: 'pfharden lint --profile strict --quiet hosts --verb', all: ['--verbose'] },
  { line: 'pfharden nonsense --f', all: [] },
  // What is no option of pfharden is none of the scripts' business; fish then offers files.
  { line: 'pfharden nonsense ', bash: [], zsh: [], fish: HERE },
  // Values.
  { line: 'pfharden lint --fail-on ', all: ['error', 'info', 'warning'] },
  { line: 'pfharden lint --fail-on=w', all: ['--fail-on=warning'] },
  { line: 'pfharden lint hosts --as=ma', all: ['--as=main.cf', '--as=master.cf'] },
  { line: 'pfharden lint --postfix-version ', all: [] },
  { line: 'pfharden lint --postfix-version 3.7 --dovecot-version=', all: [] },
  { line: 'pfharden lint --quiet=', bash: [], zsh: [], fish: HERE.map((name) => `--quiet=${name}`) },
  { line: 'pfharden init --ci ', all: ['github', 'gitlab'] },
  // Rules, by the whole id or by what stands behind the slash.
  { line: 'pfharden explain postfix/server-', all: SERVER },
  { line: 'pfharden fix hosts --only postfix/server-', all: SERVER },
  { line: 'pfharden lint --rule=postfix/server-', all: SERVER.map((rule) => `--rule=${rule}`) },
  {
    line: 'pfharden explain server-tls-o',
    bash: ['server-tls-off'],
    zsh: ['postfix/server-tls-off'],
    fish: ['postfix/server-tls-off'],
  },
  // Profiles, and files for those of one's own.
  {
    line: 'pfharden show --profile ',
    bash: ['legacy-compatible', 'modern', 'strict'],
    zsh: [...HERE, 'legacy-compatible', 'modern', 'strict'],
    fish: [...HERE, 'legacy-compatible', 'modern', 'strict'],
  },
  { line: 'pfharden show --profile own', all: ['own profile.json'] },
  { line: 'pfharden show --profile=own', all: ['--profile=own profile.json'] },
  {
    line: 'pfharden profiles --diff st',
    all: ['strict'],
  },
  { line: 'pfharden profiles --diff strict le', all: ['legacy-compatible'] },
  // Files and folders.
  { line: 'pfharden lint ', all: HERE },
  { line: 'pfharden logs it', all: ["it's.json"] },
  { line: 'pfharden lint -- m', all: ['main.cf'] },
  { line: 'pfharden lint -- --profile m', all: ['main.cf'] },
  { line: 'pfharden lint -- --', bash: ['--'], zsh: ['--'], fish: [] },
  { line: 'pfharden rules --check ', all: ['hosts', 'old hosts'] },
  { line: 'pfharden rules --check=old', all: ['--check=old hosts'] },
  { line: 'pfharden init ', all: ['hosts', 'old hosts'] },
  { line: 'pfharden rules m', all: [] },
  { line: 'pfharden ciphers m', all: [] },
  // Reports, with their format or without.
  { line: 'pfharden lint --output sa', all: ['sarif='] },
  {
    line: 'pfharden lint --output ma',
    bash: ['markdown='],
    zsh: ['main.cf', 'markdown='],
    fish: ['main.cf', 'markdown='],
  },
  { line: 'pfharden lint --output mai', all: ['main.cf'] },
  { line: 'pfharden lint --output json=m', all: ['json=main.cf'] },
  { line: 'pfharden lint --output=json=m', all: ['--output=json=main.cf'] },
  { line: 'pfharden lint --output json=x --output mai', all: ['main.cf'] },
  { line: 'pfharden completion ', all: ['bash', 'fish', 'zsh'] },
];

/** Every option of every command, and every value to choose from. */
const EVERY: readonly Case[] = (Object.keys(OPTIONS) as CommandName[]).flatMap((command) => {
  const names = [...Object.keys(OPTIONS[command]), 'help', 'version'].map((name) => `--${name}`);
  const choices = Object.entries(OPTIONS[command]).flatMap(([name, { choices: all }]) =>
    all === undefined
      ? []
      : [{ line: `pfharden ${command} --${name}=`, all: all.map((one) => `--${name}=${one}`) }],
  );
  return [{ line: `pfharden ${command} --`, all: names }, ...choices];
});

function expected(shell: 'bash' | 'zsh' | 'fish', { all, ...by }: Case): readonly string[] {
  return [...(all ?? by[shell] ?? [])].sort();
}

/** Where nothing is offered the line stays as it is typed. */
function words(line: string, offers: readonly string[]): string {
  const last = line.split(' ').at(-1) ?? '';
  return (
    before(line) +
    (offers.length === 0 ? (last === '' ? [] : [last]) : offers).map((one) => `<${one}>`).join('')
  );
}

function sorted(line: string | undefined, head: string): string | undefined {
  if (line === undefined || !line.startsWith(head)) return line;
  const offers = [...line.slice(head.length).matchAll(/<([^>]*)>/g)].map(([, word = '']) => word);
  return (
    head +
    offers
      .sort()
      .map((word) => `<${word}>`)
      .join('')
  );
}

/** What came of lines, their offers sorted. */
function made(got: Readonly<Record<string, string | undefined>>): object {
  return Object.fromEntries(CASES_OF_ALL.map(({ line }) => [line, sorted(got[line], before(line))]));
}

/** What is to come of them. */
function wanted(shell: 'bash' | 'zsh', cases = CASES_OF_ALL): object {
  return Object.fromEntries(cases.map((one) => [one.line, words(one.line, expected(shell, one))]));
}

const CASES_OF_ALL: readonly Case[] = [...CASES, ...EVERY];
const LINES = CASES_OF_ALL.map(({ line }) => line);

// bash joins the words of one line after `=`: of --x= only the first that is offered has the name before it.
const firstOnly = (cases: readonly Case[]): readonly Case[] =>
  cases.map((one) => {
    const head = /--[a-z-]+=/.exec(one.line)?.[0];
    const offers = expected('bash', one);
    return head === undefined || offers.length === 0
      ? one
      : {
          line: one.line,
          all: offers.map((offer, index) => (index === 0 ? offer : offer.slice(head.length))),
        };
  });

const describeBash = has('bash') ? describe : describe.skip;
const describeZsh = has('zsh', 'script') ? describe : describe.skip;
const describeFish = has('fish') ? describe : describe.skip;

describeBash('bash', () => {
  test('offers what goes on', async () => {
    expect(made(await bash(LINES))).toEqual(wanted('bash', firstOnly(CASES_OF_ALL)));
  });

  test('offers the same where = does not part words', async () => {
    expect(made(await bash(LINES, 'COMP_WORDBREAKS=${COMP_WORDBREAKS//=}'))).toEqual(wanted('bash'));
  });

  test('goes on within quotation marks', async () => {
    const lines = ['pfharden lint --profile "mod', "pfharden lint --profile='mod", 'pfharden lint "own'];
    expect(Object.values(await bash(lines))).toEqual([
      '<lint><--profile><modern>',
      '<lint><--profile=modern>',
      '<lint><own profile.json>',
    ]);
  });

  const describeShared = process.env.CI === 'true' || existsSync(SHARED) ? describe : describe.skip;
  describeShared('with bash-completion', () => {
    test('is loaded when it is needed', async () => {
      const home = join(folder, 'share', 'bash-completion', 'completions');
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'pfharden'), script('bash'));
      const setUp = `PATH=/usr/bin:/bin\nXDG_DATA_HOME=${folder}/share\nsource ${SHARED}`;
      expect(await bash(['pfharden explain server-tls-o'], setUp, '')).toEqual({
        'pfharden explain server-tls-o': '<explain><server-tls-off>',
      });
    });
  });
});

describeZsh('zsh', () => {
  test('offers what goes on', async () => {
    expect(made(await zsh(LINES))).toEqual(wanted('zsh'));
  });

  test('is found in $fpath', async () => {
    mkdirSync(join(folder, 'functions'));
    writeFileSync(join(folder, 'functions', '_pfharden'), script('zsh'));
    const lines = ['pfharden explain server-tls-o', 'pfharden fix --on'];
    expect(await zsh(lines, `fpath=(${folder}/functions $fpath)\ncompinit -D -u`)).toEqual({
      'pfharden explain server-tls-o': '<explain><postfix/server-tls-off>',
      'pfharden fix --on': '<fix><--only>',
    });
  });
});

describeFish('fish', () => {
  test('offers what goes on', () => {
    const offered = Object.entries(fish(LINES)).map(([line, offers]) => [
      line,
      offers.map((offer) => offer.replace(/\/?(\t.*)?$/, '')).sort(),
    ]);
    expect(Object.fromEntries(offered)).toEqual(
      Object.fromEntries(CASES_OF_ALL.map((one) => [one.line, expected('fish', one)])),
    );
  });

  test('says beside it what it is', () => {
    const lines = [
      'pfharden exp',
      'pfharden explain postfix/vr',
      'pfharden lint --qui',
      'pfharden show --profile mod',
    ];
    expect(Object.values(fish(lines)).flat()).toEqual([
      'explain\tExplain a rule',
      'postfix/vrfy\tStrangers may ask with VRFY whether an address exists',
      '--quiet\tOne line a finding and nothing else',
      'modern\ta server of today: RFC 8996, RFC 9325, RFC 8314',
    ]);
  });
});

test('without the name of a shell it is wrong usage', () => {
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'completion', 'tcsh'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([
    2,
    'pfharden: completion takes the name of one shell: bash, zsh, fish\nTry: pfharden completion --help\n',
  ]);
});
