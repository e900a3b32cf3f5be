// Runs `pfharden profiles` as users do.
import { profileDifference } from '../../src/reports/profile-diff.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { pfharden, useFolder, writeFiles } from '../support/folder.ts';

useFolder();

const OURS = {
  name: 'ours',
  extends: 'strict',
  thresholds: { lowestProtocol: { imap: 'TLSv1.2', imaps: 'TLSv1.2' }, rsaBits: 4096 },
  severity: { 'postfix/broken-sasl-clients': 'off', 'postfix/server-protocols': { old: 'info' } },
  sources: { rsaBits: 'our policy' },
};

const CHANGES = {
  thresholds: [
    {
      name: 'lowestProtocol',
      parts: ['imap', 'imaps'],
      values: ['TLSv1.3', 'TLSv1.2'],
      sources: [expect.stringContaining('Mozilla'), 'profile ours'],
    },
    {
      name: 'rsaBits',
      parts: [],
      values: [3072, 4096],
      sources: [expect.stringContaining('NIST'), 'our policy'],
    },
  ],
  severity: [
    { rule: 'postfix/broken-sasl-clients', message: null, levels: ['warning', 'off'] },
    { rule: 'postfix/server-protocols', message: 'old', levels: ['error', 'info'] },
  ],
};

describe('--diff', () => {
  test('says thresholds with their sources, and levels', () => {
    writeFiles({ 'ours.json': OURS });
    const { status, stdout, stderr } = pfharden('profiles', '--diff', 'strict', 'ours.json');
    expect([status, stderr]).toEqual([0, '']);
    const words = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(words).toEqual(
      expect.arrayContaining([
        ['thresholds', 'strict', 'ours'],
        ['lowest protocol: imap, imaps', 'TLSv1.3', 'TLSv1.2'],
        ['RSA key, bits at least', '3072', '4096'],
        ['ours: our policy'],
        ['ours: profile ours'],
        ['severity', 'strict', 'ours'],
        ['postfix/broken-sasl-clients', 'warning', 'off'],
        ['postfix/server-protocols: old', 'error', 'info'],
      ]),
    );
    expect(stdout).not.toMatch(/submission|dhBits|Diffie|dovecot\//);
  });

  test('in JSON', () => {
    writeFiles({ 'ours.json': OURS });
    const { status, stdout } = pfharden('profiles', 'strict', 'ours', '--diff', '--format', 'json');
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      { version: 1, profiles: ['strict', 'ours'], ...CHANGES },
    ]);
  });

  test('of a profile with itself is none', () => {
    expect(pfharden('profiles', '--diff', 'modern', 'modern')).toEqual({
      status: 0,
      stdout: 'modern and modern ask for the same.\n',
      stderr: '',
    });
  });

  test.each([
    [['--diff', 'modern'], '--diff takes two profiles: names or files'],
    [['--diff', 'modern', 'strict', 'x'], '--diff takes two profiles: names or files'],
    [['modern', 'strict'], 'profiles takes one name at most, or two with --diff'],
    [['--diff', 'modern', 'strikt'], 'there is no profile "strikt": did you mean strict?'],
  ])('profiles %j is wrong usage', (args, message) => {
    const { status, stdout, stderr } = pfharden('profiles', ...args);
    expect([status, stdout, stderr.split('\n')[0]]).toEqual([2, '', `pfharden: ${message}`]);
  });

  test('is the same the other way round, and complete: levels that it does not name are equal', () => {
    const { rules } = BUILTIN_RULES;
    const [modern, strict] = [builtinProfile('modern'), builtinProfile('strict')];
    const there = profileDifference(modern, strict, rules);
    const back = profileDifference(strict, modern, rules);
    expect(back.severity).toEqual(
      there.severity.map((one) => ({ ...one, levels: [one.levels[1], one.levels[0]] })),
    );
    expect(back.thresholds.map(({ parts, values }) => [parts, values])).toEqual(
      there.thresholds.map(({ parts, values }) => [parts, [values[1], values[0]]]),
    );
    expect(profileDifference(strict, strict, rules)).toEqual({ thresholds: [], severity: [] });
  });
});

describe('one profile', () => {
  test('of a file shows what it changes', () => {
    writeFiles({ 'ours.json': OURS });
    const { stdout } = pfharden('profiles', 'ours.json');
    const [, changes = ''] = stdout.split('ours extends strict. What it changes:');
    expect(changes).toContain('lowest protocol: imap, imaps  TLSv1.3');
    const json = JSON.parse(pfharden('profiles', 'ours.json', '--format', 'json').stdout) as object;
    expect(json).toMatchObject({ profiles: [{ name: 'ours', extends: 'strict', changes: CHANGES }] });
  });

  test('that changes nothing says so', () => {
    writeFiles({ 'ours.json': { name: 'ours', extends: 'modern' } });
    expect(pfharden('profiles', 'ours').stdout).toMatch(/\nours extends modern and changes nothing\.\n$/);
  });

  test('that extends one which is no whole profile by itself is shown without the changes', () => {
    const { extends: _no, ...whole } = OURS;
    writeFiles({
      'part.json': { name: 'part', thresholds: { rsaBits: 2048 } },
      'ours.json': { ...whole, extends: 'part', thresholds: builtinProfile('strict').thresholds },
    });
    const { status, stdout } = pfharden('profiles', 'ours.json');
    expect([status, stdout.includes('What it changes')]).toEqual([0, false]);
  });
});
