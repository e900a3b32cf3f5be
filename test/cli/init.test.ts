// What goes into repositories and their CI: `pfharden init`, the action and the hook. A program stands in for npx
// that runs the built pfharden, so that each script runs as it is written.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import about from '../../package.json' with { type: 'json' };
import { pfharden, useFolder, writeFiles } from '../support/folder.ts';
import { pattern } from '../support/shown.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const GITHUB = '.github/workflows/pfharden.yml';
const GITLAB = '.gitlab/pfharden.gitlab-ci.yml';
const SCHEMA = 'dist/config.schema.json';

/** TLSv1 on port 25: a warning in the profile modern. */
const HOST = {
  'mx1/postfix/main.cf': [
    'compatibility_level = 3.6',
    'smtpd_tls_security_level = may',
    'smtpd_tls_chain_files = /etc/postfix/mail.pem',
    'smtpd_tls_protocols = !SSLv2, !SSLv3',
    '',
  ].join('\n'),
  'mx1/postfix/master.cf': 'smtp inet n - n - - smtpd\n',
};

interface Step {
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the YAML files hold that is looked at. */
interface Yaml {
  readonly on: unknown;
  readonly jobs: { readonly lint: { readonly steps: readonly Step[] } };
  readonly pfharden: {
    readonly script: readonly string[];
    readonly artifacts: { readonly reports: Readonly<Record<string, string>> };
  };
  readonly runs: { readonly steps: readonly Step[] };
  readonly inputs: Readonly<Record<string, { readonly default: string | number }>>;
}

function yaml(path: string): Yaml {
  return parse(readFileSync(path, 'utf8')) as Yaml;
}

/** All files below the current folder. */
function files(): string[] {
  return readdirSync('.', { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Runs a script as GitHub and GitLab do, with the program in the place of npx that notes the package. */
function bash(script: string, env: Readonly<Record<string, string>> = {}) {
  mkdirSync('bin', { recursive: true });
  writeFileSync(
    'bin/npx',
    [
      '#!/bin/bash',
      '[ "$1 $2" = "--yes --package" ] && [ "$4" = pfharden ] || exit 99',
      'printf %s "$3" >package.txt',
      'shift 4',
      `exec ${JSON.stringify(process.execPath)} ${JSON.stringify(join(ROOT, 'dist', 'pfharden.js'))} "$@"`,
      '',
    ].join('\n'),
  );
  chmodSync('bin/npx', 0o755);
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script],
    { encoding: 'utf8', env: { PATH: `${process.cwd()}/bin:${process.env['PATH'] ?? ''}`, ...env } },
  );
  return { status, stdout, stderr, package: readFileSync('package.txt', 'utf8') };
}

const action = yaml(join(ROOT, 'action.yml'));
const [{ run = '', env = {} } = {}] = action.runs.steps;

/** Runs its script with inputs as GitHub gives them. */
function act(inputs: Readonly<Record<string, string>>) {
  const values = Object.entries(env).map(([name, expression]) => {
    const input = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(expression)?.[1] ?? '';
    const { default: usual } = action.inputs[input] ?? { default: `no input ${input}` };
    return [name, inputs[input] ?? String(usual)];
  });
  const given = Object.fromEntries(values) as Record<string, string>;
  const result = bash(run, { ...given, GITHUB_OUTPUT: 'out.txt', GITHUB_STEP_SUMMARY: 'summary.md' });
  return { ...result, output: readFileSync('out.txt', 'utf8') };
}

interface Hook {
  readonly id: string;
  readonly entry: string;
  readonly args: readonly string[];
  readonly files: string;
}

const [hook] = parse(readFileSync(join(ROOT, '.pre-commit-hooks.yaml'), 'utf8')) as [Hook];

useFolder();

describe('init', () => {
  test('shows each file with its text and writes none', () => {
    mkdirSync('.github');
    const { status, stdout, stderr } = pfharden('init', '--profile', 'strict');
    expect([status, stderr, files()]).toEqual([0, '', []]);
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.endsWith(' would hold:'))).toEqual([
      '.pfharden.json would hold:',
      `${GITHUB} would hold:`,
    ]);
    expect(lines).toContain('      "profile": "strict"');
    expect(lines.at(-2)).toBe('Nothing is written yet: the same with --write does it.');
    pfharden('init', '--profile', 'strict', '--write');
    for (const file of files())
      for (const line of readFileSync(file, 'utf8').split('\n'))
        expect(lines).toContain(line === '' ? '' : `    ${line}`);
  });

  test('writes a .pfharden.json that lint goes by', () => {
    writeFiles(HOST);
    const { status, stdout } = pfharden('init', '--write', '--profile', 'legacy-compatible');
    expect([status, stdout]).toEqual([
      0,
      '.pfharden.json is written.\n\nNo file for CI: the folder has neither .github nor .gitlab-ci.yml. --ci github or --ci gitlab asks for one.\n\n',
    ]);
    const lint = pfharden('lint', '--rule', 'server-protocols');
    expect([lint.stderr, lint.stdout]).toEqual([
      '',
      expect.stringContaining('.pfharden.json sets profile legacy-compatible.'),
    ]);
  });

  test('names a profile file as seen from the folder', () => {
    writeFiles({ 'policy/o"urs.json': { name: 'ours', extends: 'strict' }, ...HOST });
    expect(pfharden('init', 'mx1', '--write', '--profile', 'policy/o"urs.json').status).toBe(0);
    expect(JSON.parse(readFileSync('mx1/.pfharden.json', 'utf8'))).toMatchObject({
      profile: '../policy/o"urs.json',
    });
    // A file that is named like a built-in profile is still the file.
    writeFiles({ 'mx1/strict.json': { name: 'mine', extends: 'modern' }, 'mx1/.pfharden.json': '' });
    expect(pfharden('lint', 'mx1').status).toBe(2);
    expect(pfharden('init', 'mx1', '--profile', 'mx1/strict').stdout).toContain('is there already');
    mkdirSync('mx1/sub');
    writeFiles({ 'mx1/sub/strict.json': { name: 'mine', extends: 'modern' } });
    expect(pfharden('init', 'mx1/sub', '--profile', 'mx1/sub/strict').stdout).toContain(
      '"profile": "./strict"',
    );
  });

  test('names the schema of the installed package, else that of this release', () => {
    const schema = () => /"\$schema": "(.*)"/.exec(pfharden('init').stdout)?.[1];
    expect(schema()).toBe(`https://unpkg.com/pfharden@${about.version}/${SCHEMA}`);
    writeFiles({ [`node_modules/pfharden/${SCHEMA}`]: {} });
    expect(schema()).toBe(`./node_modules/pfharden/${SCHEMA}`);
    expect(existsSync(join(ROOT, SCHEMA))).toBe(true);
    expect(about.files).toContain(dirname(SCHEMA));
  });

  test('never overwrites, and says so', () => {
    writeFiles({ '.pfharden.json': '{ "profile": "strict" }', [GITHUB]: 'on: push\n' });
    const { status, stdout } = pfharden('init', '--write');
    expect([status, stdout]).toEqual([
      0,
      `.pfharden.json is there already and stays as it is.\n\n${GITHUB} is there already and stays as it is.\n\nNothing is left to write.\n`,
    ]);
    expect(readFileSync('.pfharden.json', 'utf8')).toBe('{ "profile": "strict" }');
    expect(readFileSync(GITHUB, 'utf8')).toBe('on: push\n');
  });

  test('takes a link that leads nowhere for a file that is there', () => {
    symlinkSync('gone.json', '.pfharden.json');
    expect(pfharden('init', '--write').stdout).toContain(
      '.pfharden.json is there already and stays as it is.',
    );
    expect([lstatSync('.pfharden.json').isSymbolicLink(), files()]).toEqual([true, ['.pfharden.json']]);
  });

  test.each([
    ['.github', { '.github/CODEOWNERS': '* @post' }, GITHUB],
    ['.gitlab-ci.yml', { '.gitlab-ci.yml': 'build: { script: make }\n' }, GITLAB],
  ])('takes the system from %s', (_name, there, made) => {
    writeFiles(there);
    pfharden('init', '--write');
    expect(files()).toEqual([...Object.keys(there), '.pfharden.json', made].sort());
  });

  test('asks where a folder has files for both systems', () => {
    writeFiles({ '.github/CODEOWNERS': '', '.gitlab-ci.yml': '' });
    expect(pfharden('init').stdout).toContain('No file for CI: the folder has both .github and');
    expect(pfharden('init', '--ci', 'github').stdout).toContain(`${GITHUB} would hold:`);
  });

  test('says that CI reads its files at the root of the repository', () => {
    mkdirSync('.git');
    mkdirSync('mail/.github', { recursive: true });
    expect(pfharden('init', 'mail').stdout).toContain(
      `GitHub reads its files only at the root of the repository, which is ${process.cwd()}.`,
    );
    expect(pfharden('init', '--ci', 'github').stdout).not.toContain('root of the repository');
  });

  test.each([
    [['a', 'b'], 'init takes one folder'],
    [['nowhere'], 'nowhere: no such file or directory'],
    [['file'], 'file: is no folder'],
    [['--profile', 'strikt'], 'there is no profile "strikt": did you mean strict?'],
    [['--ci', 'jenkins'], '--ci must be one of github, gitlab, not "jenkins"'],
    [['in-the-way', '--ci', 'github', '--write'], 'in-the-way/.github/workflows: '],
  ])('init %j ends with 2', (args, message) => {
    writeFiles({ file: '', 'in-the-way/.github': '' });
    const { status, stderr } = pfharden('init', ...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(`pfharden: ${message}`)]);
  });
});

describe('the workflow for GitHub', () => {
  function workflow(): Yaml {
    pfharden('init', '--ci', 'github', '--write');
    return yaml(GITHUB);
  }

  test('runs, with annotations, summary and SARIF', () => {
    writeFiles(HOST);
    const script = workflow()
      .jobs.lint.steps.map((step) => step.run ?? '')
      .join('');
    const result = bash(script, { GITHUB_STEP_SUMMARY: join(process.cwd(), 'summary of the step.md') });
    expect([result.status, result.stderr, result.package]).toEqual([1, '', `pfharden@${about.version}`]);
    expect(result.stdout).toMatch(/^::warning file=mx1\/postfix\/main\.cf,line=4,/m);
    expect(readFileSync('summary of the step.md', 'utf8')).toContain('postfix/server-protocols');
    expect(JSON.parse(readFileSync('pfharden.sarif', 'utf8'))).toMatchObject({ version: '2.1.0' });
  });

  test('runs on the default branch that the clone knows', () => {
    writeFiles({ '.git/refs/remotes/origin/HEAD': 'ref: refs/remotes/origin/re#lease/1\n' });
    expect(workflow().on).toEqual({ push: { branches: ['re#lease/1'] }, pull_request: null });
  });

  test('runs on the usual branches where it knows none', () => {
    expect(workflow().on).toEqual({ push: { branches: ['main', 'master'] }, pull_request: null });
  });
});

describe('the job for GitLab', () => {
  test('runs, with a report for the merge request', () => {
    writeFiles(HOST);
    pfharden('init', '--ci', 'gitlab', '--write');
    const { script, artifacts } = yaml(GITLAB).pfharden;
    const result = bash(script.join('\n'));
    expect([result.status, result.stderr, result.package]).toEqual([1, '', `pfharden@${about.version}`]);
    const { codequality = '', junit = '' } = artifacts.reports;
    expect(JSON.parse(readFileSync(codequality, 'utf8'))).toContainEqual(
      expect.objectContaining({
        check_name: 'postfix/server-protocols',
        location: { path: 'mx1/postfix/main.cf', lines: { begin: 4, end: 4 } },
      }),
    );
    expect(readFileSync(junit, 'utf8')).toContain('postfix/server-protocols');
  });

  test('is taken in by a .gitlab-ci.yml, which is made where there is none', () => {
    pfharden('init', '--ci', 'gitlab', '--write');
    expect(yaml('.gitlab-ci.yml')).toEqual({ include: [{ local: GITLAB }] });
    expect(pfharden('init', '--ci', 'gitlab').stdout).not.toContain('Add to');
  });

  test('leaves a .gitlab-ci.yml to its owner, with the lines to add', () => {
    writeFiles({ '.gitlab-ci.yml': 'build: { script: make }\n' });
    const { stdout } = pfharden('init', '--write');
    expect(stdout).toContain(
      `Add to .gitlab-ci.yml, below the include: that it may have:\n\n    include:\n      - local: ${GITLAB}\n`,
    );
    expect(readFileSync('.gitlab-ci.yml', 'utf8')).toBe('build: { script: make }\n');
  });
});

describe('the action', () => {
  test('takes nothing into its script but by the environment', () => {
    expect(run).not.toContain('${{');
    expect(Object.values(env).map((value) => /inputs\.([a-z-]+)/.exec(value)?.[1])).toEqual(
      Object.keys(action.inputs),
    );
  });

  test('lints the folder and tells its status', () => {
    writeFiles(HOST);
    const { status, stdout, output, package: from } = act({});
    expect([status, output, from]).toEqual([1, 'status=1\n', `pfharden@${about.version}`]);
    expect(stdout).toMatch(/^::warning file=mx1\/postfix\/main\.cf,line=4,/m);
    expect(readFileSync('summary.md', 'utf8')).toContain('postfix/server-protocols');
  });

  test('obeys its inputs', () => {
    writeFiles(HOST);
    const {
      status,
      output,
      package: from,
    } = act({
      'fail-on': 'error',
      profile: 'modern',
      sarif: 'out.sarif',
      args: '--rule\nserver-protocols\n',
      package: './pfharden.tgz',
    });
    expect([status, output, from]).toEqual([0, 'status=0\n', './pfharden.tgz']);
    expect(JSON.parse(readFileSync('out.sarif', 'utf8'))).toMatchObject({ version: '2.1.0' });
  });

  test('takes blanks, quotation marks and $(…) in inputs as they are', () => {
    const main = HOST['mx1/postfix/main.cf'];
    const odd = ['with blank', 'quo"te', "apo'strophe", '$(touch made)', '`touch made`', '*'];
    for (const name of odd) writeFiles({ [`${name}/main.cf`]: main });
    const { status, stdout } = act({
      path: odd.join('\n'),
      args: '--output\nndjson=$(touch made) "x".ndjson',
      sarif: 'a "b" $(touch made).sarif',
    });
    expect([status, existsSync('made')]).toEqual([1, false]);
    for (const name of odd) expect(stdout).toContain(`file=${name}/main.cf,`);
    expect(files()).toEqual(
      expect.arrayContaining(['$(touch made) "x".ndjson', 'a "b" $(touch made).sarif']),
    );
  });

  test('counts only what is not in the baseline', () => {
    writeFiles(HOST);
    pfharden('lint', '--baseline', 'known "ones".json', '--update-baseline');
    expect(act({ baseline: 'known "ones".json' }).status).toBe(0);
    writeFiles({ 'mx2/main.cf': HOST['mx1/postfix/main.cf'] });
    expect(act({ baseline: 'known "ones".json' }).status).toBe(1);
  });

  test('counts only what has changed', () => {
    writeFiles(HOST);
    for (const args of [
      ['init', '-q'],
      ['add', '-A'],
      ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x'],
    ])
      spawnSync('git', args);
    expect(act({ 'diff-base': 'HEAD' }).status).toBe(0);
    writeFiles({ 'mx2/main.cf': HOST['mx1/postfix/main.cf'] });
    const { status, stdout } = act({ 'diff-base': 'HEAD' });
    expect([status, [...stdout.matchAll(/ file=(\w+)/g)].every(([, folder]) => folder === 'mx2')]).toEqual([
      1,
      true,
    ]);
  });

  test('ends with 2 where something cannot be read', () => {
    const { status, output } = act({ path: 'nowhere' });
    expect([status, output]).toEqual([2, 'status=2\n']);
  });
});

describe('the hook for pre-commit', () => {
  test('runs lint on the whole repository', () => {
    expect(hook).toMatchObject({
      id: 'pfharden',
      entry: 'pfharden lint',
      args: ['.'],
      pass_filenames: false,
    });
  });

  // pre-commit searches the path from the root of the repository with a regular expression of Python.
  test.each([
    ['main.cf', true],
    ['etc/postfix/master.cf', true],
    ['roles/postfix/templates/main.cf.j2', true],
    ['hosts/mx1/dovecot/dovecot.conf', true],
    ['hosts/mx1/dovecot/conf.d/10-ssl.conf', true],
    ['dovecot/local.conf', true],
    ['.pfharden.json', true],
    ['README.md', false],
    ['domain.cf', false],
    ['etc/ldap/ldap.conf', false],
    ['docs/dovecot/conf.d.md', false],
    ['postfix/mainXcf', false],
    ['my.pfharden.json', false],
  ])('%s: %s', (path, matches) => {
    expect(new RegExp(hook.files).test(path)).toBe(matches);
  });
});

test('npm pack prints the name of the archive alone, which pre-commit takes from it', () => {
  const { stdout } = spawnSync('npm', ['config', 'get', 'foreground-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(stdout).toBe('false\n');
});

describe('the examples of docs/ci.md', () => {
  const guide = readFileSync(join(ROOT, 'docs', 'ci.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```(\S+) ?(\S*)\n([^]*?)^```$/gm)].map(
    ([, kind = '', name = '', text = '']) => ({ kind, name, text }),
  );
  const example = (name: string) => blocks.find((block) => block.name === name)?.text ?? '';
  const ofKind = (wanted: string) => blocks.filter(({ kind }) => kind === wanted).map(({ text }) => text);

  beforeEach(() => {
    for (const [path, text] of Object.entries(HOST)) writeFiles({ [`hosts/${path}`]: text });
  });

  test('name this release', () => {
    const releases = [...guide.matchAll(/(?:pfharden@|rev: v)(\d\S*)/g)].map(([, release]) => release);
    expect(releases.length).toBeGreaterThan(2);
    expect(releases).toEqual(releases.map(() => about.version));
  });

  test.each(ofKind('console'))('session %#', (session) => {
    const parts = session.split(/^\$ /m).slice(1);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) {
      const [command = '', ...lines] = part.trimEnd().split('\n');
      const shownStatus = /^\[(\d)\]$/.exec(lines.at(-1) ?? '')?.[1];
      const shown = shownStatus === undefined ? lines : lines.slice(0, -1);
      const { status, stdout, stderr } = pfharden(...command.split(' ').slice(1));
      expect(`${stderr}${stdout}`.trimEnd()).toMatch(pattern(shown.join('\n')));
      expect(status).toBe(Number(shownStatus ?? 0));
    }
  });

  test('a step with the action', () => {
    const { jobs } = parse(example('.github/workflows/mail.yml')) as {
      jobs: { lint: { steps: { uses: string; with?: Record<string, string> }[] } };
    };
    const inputs = jobs.lint.steps.at(-1)?.with ?? {};
    expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(inputs)));
    const { status, stdout } = act(inputs);
    expect([status, stdout.match(/^::\w+ file=[^,]+/gm)]).toEqual([
      1,
      ['::warning file=hosts/mx1/postfix/main.cf'],
    ]);
    expect(existsSync('pfharden.sarif')).toBe(true);
  });

  test('the lines for .gitlab-ci.yml', () => {
    pfharden('init', '--ci', 'gitlab', '--write');
    expect(example('.gitlab-ci.yml')).toBe(readFileSync('.gitlab-ci.yml', 'utf8'));
  });

  test('the step for Jenkins', () => {
    const [, script = ''] = /^ *sh '([^']*)'$/m.exec(example('Jenkinsfile')) ?? [];
    const [, report = ''] = /\bjunit '([^']*)'/.exec(example('Jenkinsfile')) ?? [];
    expect(bash(script).status).toBe(1);
    expect(readFileSync(report, 'utf8')).toContain('<testsuite name="hosts/mx1" ');
  });

  test('the hook for pre-commit', () => {
    const { repos } = parse(example('.pre-commit-config.yaml')) as { repos: { hooks: Hook[] }[] };
    const [{ id, args } = hook] = repos[0]?.hooks ?? [];
    const { status, stdout } = pfharden(...hook.entry.split(' ').slice(1), ...args);
    expect([id, status, stdout]).toEqual([hook.id, 0, expect.stringContaining('[postfix/server-protocols]')]);
  });

  test('the command for other systems', () => {
    const [script = ''] = ofKind('sh');
    expect(bash(script).status).toBe(1);
    expect(files()).toEqual(expect.arrayContaining(['comment.md', 'pfharden.sarif']));
  });
});
