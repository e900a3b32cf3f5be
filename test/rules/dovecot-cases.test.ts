import fs from 'node:fs';
import path from 'node:path';
import type { Finding } from '../../src/model/finding.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts } from '../support/host.ts';

// Small configurations and what doveconf printed for them, where they lie beside the checkout: each refusal
// is a finding of severity error at the line that doveconf names, and what it takes is not refused here.
interface FactCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly n: { readonly rc: number; readonly stderr: string };
}

const facts = path.join(__dirname, '..', '..', '..', 'shared', 'facts');

/** Rules about what doveconf itself refuses; others find what only fails later. */
const REFUSALS = new Set(
  [
    'bad-value',
    'config-version',
    'deprecated-setting',
    'include-missing',
    'setting-too-new',
    'syntax',
    'unknown-setting',
  ].map((name) => `dovecot/${name}`),
);

/** What Dovecot drops without a word is told as an error too. */
const QUIET = new Set(['continuation-broken', 'continuation-at-end']);

/** Debian's build has no protocols by default, so that nothing listens twice there. */
const OF_THE_BUILD = new Set(['listen-port']);

function stands({ at: { source, span } }: Finding, file: string, line: number): boolean {
  const from = source.position(span.start).line;
  return source.path === file && from <= line && line <= source.position(span.end).line;
}

describe.each(['2.3.19.1', '2.4.4'])('doveconf of %s', (release) => {
  const file = path.join(facts, `doveconf-cases-${release}.json`);
  const cases = fs.existsSync(file)
    ? (JSON.parse(fs.readFileSync(file, 'utf8')) as (FactCase & { x: FactCase['n'] })[])
    : [];

  test('refuses what the rules report as errors, at the same line', () => {
    const differences = cases.flatMap(({ name, files, n, x }): string[] => {
      const host = hostFromTexts(files, { dovecot: release, openssl: '3.0' });
      const findings = evaluate(host, BUILTIN_RULES, builtinProfile('modern'), { only: REFUSALS });
      const errors = findings.filter(
        ({ severity, messageId }) => severity === 'error' && !QUIET.has(messageId),
      );
      const text = errors.map(({ message }) => message).join(' | ');
      if (n.rc === 0) {
        // The rules look at the start of the server, where references are replaced.
        const isTaken = x.rc === 0 && !OF_THE_BUILD.has(name);
        return errors.length > 0 && isTaken ? [`${name} is taken by doveconf: ${text}`] : [];
      }
      const [, where = '', line] =
        /Fatal: Error in configuration file (\S+?)(?: line (\d+))?: /.exec(n.stderr) ?? [];
      const found = errors.some((one) => line === undefined || stands(one, where, Number(line)));
      return found ? [] : [`${name}: ${n.stderr.split('\n')[0]}; here: ${text}`];
    });
    expect(differences).toEqual([]);
  });
});
