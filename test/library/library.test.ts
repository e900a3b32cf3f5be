// The package as others use it: built, packed and installed without network; what it says of texts is what the
// command line says of the same files.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import * as esbuild from 'esbuild';
import fc from 'fast-check';
import type * as Library from '../../src/library/api.d.ts';

const ROOT = join(__dirname, '..', '..');
const PROGRAM = join(ROOT, 'dist', 'pfharden.js');
const CORPUS = join(ROOT, '..', 'shared', 'corpus');
const GUIDE = join(ROOT, 'docs', 'library.md');

let folder = '';
/** The library as a browser has it: a script in a context with nothing of Node. */
let library: typeof Library;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-library-'));
  const { outputFiles } = esbuild.buildSync({
    entryPoints: [join(ROOT, 'dist', 'library.mjs')],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'pfharden',
    write: false,
  });
  const context = createContext({ Error });
  runInContext(outputFiles[0]?.text ?? '', context);
  library = runInContext('pfharden', context) as typeof Library;
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Values of another context are no instances of the classes of this one. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

const BAD =
  'smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /c.pem\nsmtpd_tls_protocols = !SSLv2, !SSLv3\n';
const MASTER =
  'smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n  -o smtpd_tls_security_level=may\n';

/** A repository with hosts of many shapes. */
const REPOSITORY: Readonly<Record<string, string>> = {
  'hosts/mx1/etc/postfix/main.cf': `${BAD}header_checks = regexp:/etc/postfix/header_checks\nmynetworks = /etc/networks\n`,
  'hosts/mx1/etc/postfix/master.cf': MASTER,
  'hosts/mx1/etc/postfix/header_checks': '/^x-secret: (.*)/ WARN $1\n',
  'hosts/mx1/etc/networks': '0.0.0.0/0\n',
  'hosts/mx1/etc/dovecot/dovecot.conf': '!include conf.d/*.conf\n!include_try local.conf\n',
  'hosts/mx1/etc/dovecot/conf.d/10-ssl.conf': 'ssl = Required\nssl_cert = /etc/ssl/mx.pem\n',
  'hosts/mx1/etc/dovecot/local.conf':
    '# pfharden: ignore dovecot/protocols -- the fax machine\nssl_min_protocol = TLSv1\n',
  'roles/postfix/templates/main.cf.j2': `myhostname = {{ inventory_hostname }}\n${BAD}`,
  'roles/postfix/files/master.cf': MASTER,
  'roles/dovecot/files/conf.d/10-auth.conf': 'disable_plaintext_auth = no\nauth_mechanisms = plain login\n',
  'image/main.cf': `${BAD}relayhost = [smtp.example.org]\nsmtp_tls_security_level = may\nsmtp_sasl_password_maps = static:me:hunter2\n`,
  'image/main.cf.bak': BAD,
  'image/main.cf.proto': BAD,
  'old/postfix.bak/main.cf': BAD,
  'lone/master.cf': MASTER,
  'other/jail.d/dovecot.conf': '[dovecot]\nenabled = true\n',
  'notes.txt': 'main.cf\n',
};

function write(texts: Readonly<Record<string, string>>, below: string): string {
  const root = join(folder, below);
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function pfharden(cwd: string, ...args: string[]): string {
  const { stdout } = spawnSync(
    process.execPath,
    [PROGRAM, ...args, '--no-exec', '--no-config', '--jobs', '1'],
    {
      cwd,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  return stdout;
}

/** A result of `lint` in the form of `--format json`. */
function asReport({ profile, hosts, summary }: Library.LintResult): object {
  const finding = ({ at, related, fix: mends, endpoints, ...rest }: Library.Finding) => ({
    ...rest,
    why: undefined,
    advice: undefined,
    ...at,
    endpoint: endpoints[0] ?? null,
    related: related.map((one) => ({
      file: one.at.file,
      line: one.at.line,
      column: one.at.column,
      message: one.message,
    })),
    fix: mends === null ? null : { title: mends.title, safe: mends.safe },
  });
  return {
    version: 1,
    profile,
    hosts: hosts.map(({ findings, suppressed, ...host }) => ({
      ...host,
      findings: findings.map(finding),
      suppressed: suppressed.map(({ finding: one, suppression }) => ({ ...finding(one), suppression })),
    })),
    summary,
  };
}

interface Report {
  readonly ignored?: unknown;
  readonly leftOut?: readonly string[];
}

/** What the library says of texts, and what the command line says of the same files. */
function both(root: string, texts: Readonly<Record<string, string>>): { library: object; program: object } {
  const now = new Date();
  const {
    ignored: _,
    leftOut = [],
    ...report
  } = JSON.parse(pfharden(root, 'lint', '.', '--format', 'json')) as Report;
  const linted = plain(library.lint(texts, { now }));
  const fixed = library.fix(texts, { now, unsafe: true, profile: 'strict' });
  return {
    library: {
      lint: asReport(linted),
      leftOut: linted.leftOut.map(({ path }) => path),
      show: { version: 1, hosts: plain(library.show(texts).hosts) },
      diff: fixed.hosts.flatMap(({ files }) => files.map(({ diff }) => diff)).join(''),
    },
    program: {
      lint: report,
      leftOut,
      show: JSON.parse(pfharden(root, 'show', '.', '--format', 'json')),
      diff: pfharden(root, 'fix', '.', '--unsafe', '--profile', 'strict'),
    },
  };
}

describe('without anything of Node', () => {
  test('it says of texts what the command line says of files', () => {
    const said = both(write(REPOSITORY, 'repository'), REPOSITORY);
    expect(said.library).toEqual(said.program);
  });

  const cases = existsSync(CORPUS)
    ? readdirSync(CORPUS).filter((name) => existsSync(join(CORPUS, name, 'files')))
    : [];
  const describeCorpus = cases.length > 0 ? describe : describe.skip;
  describeCorpus('of real configurations', () => {
    test('it says the same', () => {
      // A part of them, all classes: the whole takes minutes.
      const some = cases.filter((_, index) => index % 12 === 0);
      const root = join(folder, 'corpus');
      for (const name of some) cpSync(join(CORPUS, name, 'files'), join(root, name), { recursive: true });
      const texts: Record<string, string> = {};
      for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
        const path = join(root, name);
        if (!statSync(path).isFile()) continue;
        const bytes = readFileSync(path);
        const text = bytes.toString('utf8');
        texts[name] = Buffer.from(text).equals(bytes) ? text : bytes.toString('latin1');
      }
      const said = both(root, texts);
      expect(said.library).toEqual(said.program);
    }, 300_000);
  });

  test('paths with and without a leading / are two trees, and ./ is nothing', () => {
    const only = ['postfix/server-protocols', 'postfix/vrfy'];
    const vrfy = 'disable_vrfy_command = no\n';
    const files = {
      '/etc/postfix/main.cf': BAD,
      './etc/postfix/main.cf': vrfy,
      'etc/postfix/master.cf': MASTER,
    };
    const { hosts } = library.lint(files, { only });
    expect(
      hosts.map(({ root, findings }) => [root, findings.map(({ rule, at }) => `${at.file} ${rule}`)]),
    ).toEqual([
      ['/etc', ['/etc/postfix/main.cf postfix/server-protocols']],
      ['etc', ['etc/postfix/main.cf postfix/vrfy']],
    ]);
  });

  test('the order of the texts is nothing, and nothing is kept from one call to the next', () => {
    const wanted = JSON.stringify(library.lint(REPOSITORY));
    fc.assert(
      fc.property(
        fc.shuffledSubarray(Object.keys(REPOSITORY), { minLength: Object.keys(REPOSITORY).length }),
        (order) => {
          library.lint({ 'main.cf': 'a = b\n' });
          const list = order.map((path) => Object.freeze({ path, text: REPOSITORY[path] ?? '' }));
          expect(JSON.stringify(library.lint(Object.freeze(list)))).toBe(wanted);
        },
      ),
      { numRuns: 5 },
    );
  });

  test('what it mends is mended, and shows no secret in a diff', () => {
    const { hosts } = library.fix(REPOSITORY, { profile: 'strict', unsafe: true });
    const after = { ...REPOSITORY };
    for (const { path, text } of hosts.flatMap(({ files }) =>
      files.map((file) => ({ path: file.path, text: file.after })),
    ))
      after[path] = text;
    expect(
      library.fix(after, { profile: 'strict', unsafe: true }).hosts.flatMap(({ files }) => files),
    ).toEqual([]);
    expect(JSON.stringify(hosts.map(({ files }) => files.map(({ diff }) => diff)))).not.toContain('hunter2');
  });

  test('releases, time and rules are those of the options', () => {
    const comment = '# pfharden: ignore server-protocols until 2026-06-30\n';
    const texts = { 'main.cf': `${comment}smtpd_tls_protocols = !SSLv2, !SSLv3\n`, 'master.cf': MASTER };
    const only = ['postfix/server-protocols', 'silencing/expired'];
    const rules = (now?: Date) =>
      library
        .lint(texts, { only, ...(now === undefined ? {} : { now }) })
        .hosts.flatMap(({ findings }) => findings.map(({ rule }) => rule));
    expect(rules(new Date('2026-06-30'))).not.toContain('silencing/expired');
    expect(rules(new Date('2026-07-02'))).toContain('silencing/expired');
    const [host] = library.show(texts, { releases: { postfix: '3.4', openssl: '1.0.2' } }).hosts;
    expect([host?.postfix?.version, host?.postfix?.versionFrom, host?.openssl.version]).toEqual([
      '3.4',
      'flag',
      '1.0.2',
    ]);
    const own = JSON.parse(readFileSync(join(ROOT, 'docs', 'own-rules', 'relay-hosts.json'), 'utf8')) as {
      id: string;
      examples: { bad: { files: Record<string, string | string[]> }[] };
    };
    const bad = Object.entries(own.examples.bad[0]?.files ?? {}).map(([path, text]) => ({
      path,
      text: typeof text === 'string' ? text : text.map((line) => `${line}\n`).join(''),
    }));
    expect(library.lint(bad, { rules: [own], only: [own.id] }).hosts[0]?.findings[0]?.rule).toBe(own.id);
    const profile = { name: 'ours', extends: 'modern', severity: { 'postfix/server-protocols': 'off' } };
    const result = library.lint({ 'main.cf': BAD, 'master.cf': MASTER }, { profile });
    expect([
      result.profile,
      result.hosts.flatMap(({ findings }) => findings.map(({ rule }) => rule)),
    ]).toEqual(['ours', expect.not.arrayContaining(['postfix/server-protocols'])]);
  });

  test.each<[string, Library.Files, Library.FixOptions, readonly string[]]>([
    [
      'a profile',
      {},
      { profile: 'modrn' },
      ['profile: there is no "modrn": legacy-compatible, modern, strict, or an object'],
    ],
    [
      'a profile of an unknown form',
      {},
      { profile: { name: 'x', extend: 'modern' } },
      ['profile: unknown key "extend"'],
    ],
    [
      'a profile with an unknown rule',
      {},
      { profile: { name: 'x', extends: 'modern', severity: { 'postfix/vrfi': 'off' } } },
      ['profile: there is no rule "postfix/vrfi"; did you mean "postfix/vrfy"?'],
    ],
    [
      'a profile that leaves thresholds open',
      {},
      { profile: { name: 'x' } },
      [expect.stringContaining('profile: profile "x" lacks ') as string],
    ],
    [
      'a release',
      {},
      { releases: { postfix: 'new' } },
      ['releases.postfix: "new" is no release; write it as 3.7.11 or 3.7'],
    ],
    ['a rule to look for', {}, { only: ['vrfi'] }, ['there is no rule "vrfi"; did you mean postfix/vrfy?']],
    [
      "a rule of one's own",
      {},
      { rules: [{ id: 'ours/x' }] },
      [expect.stringContaining('rules[0]: ') as string],
    ],
    ['a time', {}, { now: new Date('x') }, ['now: is no time']],
    [
      'paths',
      [
        { path: '../main.cf', text: '' },
        { path: 'a/', text: '' },
      ],
      {},
      [
        'files: "../main.cf" is no path of a file below one folder',
        'files: "a/" is no path of a file below one folder',
      ],
    ],
    [
      'a path given twice',
      [
        { path: 'main.cf', text: '' },
        { path: './main.cf', text: '' },
      ],
      {},
      ['files: main.cf is there twice'],
    ],
  ])('%s that is wrong is said', (_, files, options, problems) => {
    let thrown: unknown;
    try {
      library.fix(files, options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(library.PfhardenError);
    const { name, message, problems: said } = thrown as Library.PfhardenError;
    expect([name, message, plain(said).slice(0, problems.length)]).toEqual([
      'PfhardenError',
      said[0],
      problems,
    ]);
  });

  test('texts that are no configuration come to nothing', () => {
    expect(plain(library.lint({ 'notes.txt': 'main.cf' }))).toEqual({
      profile: 'modern',
      hosts: [],
      summary: { error: 0, warning: 0, info: 0, suppressed: 0, fixable: 0 },
      leftOut: [],
    });
  });
});

describe('the package', () => {
  let project = '';

  beforeAll(() => {
    project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{"name": "consumer", "private": true, "type": "module"}');
    const npm = (cwd: string, ...args: string[]) => execFileSync('npm', args, { cwd, encoding: 'utf8' });
    const packed = npm(ROOT, 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder).trim();
    npm(project, 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, packed));
  }, 300_000);

  test('brings along all that it needs', () => {
    expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'pfharden',
    ]);
    const installed = join(project, 'node_modules', '.bin', 'pfharden');
    const { stdout, status } = spawnSync(installed, ['lint', '--quiet', '-', '--as', 'main.cf'], {
      input: BAD,
      encoding: 'utf8',
    });
    expect([status, stdout.includes('main.cf:3:1: warning: ')]).toEqual([1, true]);
    expect(existsSync(join(project, 'node_modules', 'pfharden', 'docs', 'pfharden.1'))).toBe(true);
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['preserve', 'bundler'],
  ])('has types for module %s, resolution %s', (module, moduleResolution) => {
    writeFileSync(
      join(project, 'use.ts'),
      `import { fix, lint, PfhardenError, show, type Finding, type LintResult, type Options } from 'pfharden';
const options: Options = { profile: 'strict', now: new Date(0) };
const result: LintResult = lint([{ path: 'main.cf', text: 'a = b' }], options);
const finding: Finding | undefined = result.hosts[0]?.findings[0];
const line: number | undefined = finding?.at.line;
const after: string | undefined = fix({ 'main.cf': '' }, { unsafe: true }).hosts[0]?.files[0]?.after;
const ciphers = show({ 'main.cf': '' }).hosts[0]?.endpoints[0]?.tls?.ciphers?.map(({ name }) => name);
// @ts-expect-error -- there is no such option
lint({}, { profil: 'strict' });
// @ts-expect-error -- results are not to be written to
result.profile = 'x';
export const error: Error = new PfhardenError(['x']);
export { after, ciphers, line };
`,
    );
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          skipLibCheck: false,
          types: [],
          target: 'es2022',
          lib: ['es2022'],
          module,
          moduleResolution,
        },
        files: ['use.ts'],
      }),
    );
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    expect(spawnSync(tsc, ['-p', project], { encoding: 'utf8' }).stdout).toBe('');
  });

  const examples = [...readFileSync(GUIDE, 'utf8').matchAll(/```js\n([^]*?)```\n\n```text\n([^]*?)```/g)];

  test('is shown by examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  test.each(examples.map(([, code = '', printed = '']) => [code, printed]))(
    'its example %# says what the guide says',
    (code, printed) => {
      writeFileSync(join(project, 'example.mjs'), code);
      const { stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
        cwd: project,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
      expect([stderr, stdout]).toEqual(['', printed]);
    },
  );
});
