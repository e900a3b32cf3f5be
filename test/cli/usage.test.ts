// What pfharden says of itself: help, man page, release.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import about from '../../package.json';
import { COMMANDS, type CommandName, OPTIONS } from '../../src/cli/options.ts';
import { commandUsage } from '../../src/cli/usage.ts';
import dovecot from '../../src/dovecot/data/releases.json';
import postfix from '../../src/postfix/data/releases.json';
import openssl from '../../src/tls/data/openssl.json';

const ROOT = join(__dirname, '..', '..');
const MAN_PAGE = join(ROOT, 'docs', 'pfharden.1');
const NAMES = Object.keys(COMMANDS) as CommandName[];

function pfharden(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'dist', 'pfharden.js'), ...args],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

function help(...args: string[]): string {
  const { status, stdout, stderr } = pfharden(...args);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  return stdout;
}

/** A character that is struck twice. */
const BOLD = new RegExp(`.${String.fromCharCode(8)}`, 'g');

const words = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe.each(NAMES)('the help of %s', (name) => {
  test('names all that it takes, with values and what they are', () => {
    const text = words(help(name, '--help'));
    expect(text).toMatch(new RegExp(`^Usage: pfharden ${name} `));
    for (const [option, { value, describe: meaning, choices = [] }] of Object.entries(OPTIONS[name])) {
      expect(text).toContain(` --${option}${value === undefined ? '' : ` ${value}`} `);
      expect(text).toContain(meaning);
      for (const choice of choices) expect(text).toContain(choice);
    }
    for (const { line } of commandUsage(name).examples) expect(text).toContain(line);
  });

  test('has each option once', () => {
    const terms = commandUsage(name).groups.flatMap((group) =>
      group.lines.map(({ term }) => term.split(' ')[0]),
    );
    const options = Object.keys(OPTIONS[name]).map((option) => `--${option}`);
    expect([terms.length, new Set(terms)]).toEqual([options.length, new Set(options)]);
  });
});

describe('help', () => {
  test('of all names the commands', () => {
    const text = words(help('--help'));
    for (const [name, summary] of Object.entries(COMMANDS)) expect(text).toContain(` ${name} ${summary}`);
    expect(text).toContain('Exit status: 0 Nothing was found');
  });

  test.each([
    [['-h'], ['--help']],
    [['help'], ['--help']],
    [
      ['help', 'fix'],
      ['fix', '--help'],
    ],
    [
      ['fix', '-h'],
      ['fix', '--help'],
    ],
    [
      ['--help', 'fix'],
      ['fix', '--help'],
    ],
    [
      ['fix', 'x', '--wrong', '--help'],
      ['fix', '--help'],
    ],
  ])('by %j is that of %j', (asked, same) => {
    expect(help(...asked)).toBe(help(...same));
  });

  test('is none where it is a word, or the command is none', () => {
    expect(pfharden('ciphers', '--', '--help').stdout).not.toContain('Usage');
    expect(pfharden('litn', '--help')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'pfharden: unknown command "litn"; did you mean lint?\nTry: pfharden --help\n',
    });
  });
});

test.each([[['--version']], [['lint', '--version']]])(
  '%j: the release alone, then what is covered',
  (args) => {
    expect(help(...args)).toBe(
      [
        about.version,
        `Postfix ${postfix.oldest} to ${postfix.newest}`,
        `Dovecot ${dovecot.oldest} to ${dovecot.newest}`,
        `OpenSSL ${openssl.oldest} to ${openssl.newest}`,
        '',
      ].join('\n'),
    );
  },
);

describe('the man page', () => {
  const source = readFileSync(MAN_PAGE, 'utf8');
  // In CI each has to be there.
  const has = (program: string): boolean =>
    process.env.CI === 'true' || spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  const describeMandoc = has('mandoc') ? describe : describe.skip;
  const describeGroff = has('groff') ? describe : describe.skip;
  const run = (program: string, ...args: string[]): string => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout;
  };

  test('has the sections of a man page', () => {
    expect([...source.matchAll(/^\.SH (.*)$/gm)].map(([, title]) => title)).toEqual([
      'NAME',
      'SYNOPSIS',
      'DESCRIPTION',
      'COMMANDS',
      'EXIT STATUS',
      'ENVIRONMENT',
      'FILES',
      'EXAMPLES',
      'SEE ALSO',
    ]);
  });

  describeMandoc('for mandoc', () => {
    test('gives no cause for complaint, and shows all', () => {
      expect(run('mandoc', '-T', 'lint', MAN_PAGE)).toBe('');
      const text = words(run('mandoc', '-T', 'ascii', MAN_PAGE).replaceAll(BOLD, ''));
      for (const name of NAMES) {
        const { about: what, examples, groups } = commandUsage(name);
        expect(text).toContain(what);
        for (const { line } of examples) expect(text).toContain(line);
        for (const { term, describe: meaning } of groups.flatMap(({ lines }) => lines))
          expect(text).toContain(`${term} ${meaning}`);
      }
    });
  });

  describeGroff('for groff', () => {
    test.each(['utf8', 'ascii'])('gives no cause for complaint on %s', (device) => {
      expect(run('groff', '-man', '-ww', `-T${device}`, MAN_PAGE)).toContain('pfharden');
    });
  });
});
