/**
 * Small configurations and what doveconf printed for them: recorded answers of the reference roots, and
 * those that lie beside the repository, where they do.
 */
import fs from 'node:fs';
import path from 'node:path';
import { SourceFile } from '../../src/text/source.ts';
import { compare, ENVIRONMENT, MODES, type Printed, type Recording, Tally } from '../support/doveconf.ts';
import { inMemory, type Texts } from '../support/dovecot.ts';

interface FactCase {
  readonly name: string;
  readonly files: Texts;
  readonly n: { readonly rc: number; readonly stdout: string; readonly stderr: string };
  readonly x: { readonly rc: number; readonly stdout: string; readonly stderr: string };
}

const facts = path.join(__dirname, '..', '..', '..', 'shared', 'facts');

describe.each(['2.3.19.1', '2.4.4'])('cases beside the repository, %s', (release) => {
  const file = path.join(facts, `doveconf-cases-${release}.json`);
  const cases = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as FactCase[]) : [];

  test('are read as doveconf reads them', () => {
    const tally = new Tally();
    const differences = cases.flatMap(({ name, files, ...runs }) =>
      MODES.flatMap((mode) => {
        const { rc, stdout, stderr } = runs[mode];
        const printed: Printed = { status: rc, out: stdout, err: stderr };
        const given = {
          main: new SourceFile('dovecot.conf', files['dovecot.conf'] ?? ''),
          files: inMemory(files),
          release,
          environment: { HOME: '/root' },
          secretsShown: false,
          // Debian builds without protocols; ManageSieve sets its capabilities by itself.
          defaults: new Map([['protocols', '']]),
          left: /^managesieve_.*_capability$/,
        };
        return compare(given, mode, printed, tally).map((difference) => `${name}: ${difference}`);
      }),
    );
    expect(differences).toEqual([]);
    expect(tally.cases).toBe(cases.length * MODES.length);
  });
});

const recordings = path.join(__dirname, '..', 'recorded', 'doveconf');

describe.each(fs.readdirSync(recordings))('recorded answers, %s', (name) => {
  const { release, defaults, answers } = JSON.parse(
    fs.readFileSync(path.join(recordings, name), 'utf8'),
  ) as Recording;

  test('are what pfharden says', () => {
    const tally = new Tally();
    const differences = answers.flatMap(({ files, runs }, index) =>
      MODES.flatMap((mode) => {
        const [status, out, err] = runs[mode] as [number, string, string];
        const given = {
          main: new SourceFile('dovecot.conf', files['dovecot.conf'] ?? ''),
          files: inMemory(files),
          release,
          environment: ENVIRONMENT,
          secretsShown: true,
          defaults: new Map(Object.entries(defaults)),
        };
        return compare(given, mode, { status, out, err }, tally).map(
          (difference) => `${index}: ${difference}`,
        );
      }),
    );
    expect(differences).toEqual([]);
    expect(tally.cases).toBe(answers.length * MODES.length);
    expect(tally.refused).toBeGreaterThan(10);
  });
});
