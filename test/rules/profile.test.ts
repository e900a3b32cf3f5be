import fc from 'fast-check';
import {
  laidOver,
  openThresholds,
  type SomeThresholds,
  THRESHOLD_PARTS,
} from '../../src/model/thresholds.ts';
import { changedProfile, type ProfileFile, resolveProfile, severityOf } from '../../src/rules/profile.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { BUILTIN_RULES, builtinProfile, builtinProfileFile } from '../../src/rules/rule-set.ts';

const protocol = fc.constantFrom('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3' as const);
const classes = fc.uniqueArray(fc.constantFrom('RC4', 'MD5', '3DES', 'aNULL'));
const bits = fc.constantFrom(1024, 2048, 3072);

/** Any thresholds of which any part may be left open. */
const someThresholds = fc.record(
  {
    lowestProtocol: fc.record(
      Object.fromEntries(THRESHOLD_PARTS.lowestProtocol.map((role) => [role, protocol])),
      { requiredKeys: [] },
    ),
    outboundLevel: fc.constantFrom('may', 'dane'),
    forbiddenCiphers: fc.record(
      { anywhere: classes, tlsRequired: classes, server: classes },
      { requiredKeys: [] },
    ),
    forwardSecrecy: fc.constantFrom('any', 'preferred', 'only'),
    rsaBits: bits,
    dhBits: fc.record({ least: bits, asked: bits }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<SomeThresholds>;

describe('thresholds laid over others', () => {
  test('property: in which order they are folded makes no difference', () => {
    fc.assert(
      fc.property(someThresholds, someThresholds, someThresholds, (a, b, c) => {
        expect(laidOver(laidOver(a, b), c)).toEqual(laidOver(a, laidOver(b, c)));
      }),
    );
  });

  test('property: twice the same is once, nothing changes nothing, and what is said on top counts', () => {
    fc.assert(
      fc.property(someThresholds, someThresholds, (a, b) => {
        const both = laidOver(a, b);
        expect(laidOver(both, b)).toEqual(both);
        expect(laidOver(a, {})).toEqual(a);
        expect(laidOver({}, a)).toEqual(a);
        expect(both).toMatchObject(b);
      }),
    );
  });

  test('what is left open is named, part by part', () => {
    const { rsaBits: _no, ...thresholds } = builtinProfile('modern').thresholds;
    const { mx: _none, ...lowestProtocol } = thresholds.lowestProtocol;
    expect(openThresholds({ ...thresholds, lowestProtocol, dhBits: { least: 2048 } })).toEqual([
      'lowestProtocol.mx',
      'rsaBits',
      'dhBits.asked',
    ]);
  });
});

describe('a profile', () => {
  const ours: ProfileFile = {
    name: 'ours',
    extends: 'strict',
    thresholds: { lowestProtocol: { imap: 'TLSv1.2' }, forbiddenCiphers: { server: [] }, rsaBits: 4096 },
    sources: { rsaBits: 'our policy', 'dhBits.asked': 'our policy too' },
  };

  test('keeps the parts that it does not set', () => {
    const { thresholds } = resolveProfile(ours, builtinProfileFile);
    const strict = builtinProfile('strict').thresholds;
    expect(thresholds).toEqual({
      ...strict,
      lowestProtocol: { ...strict.lowestProtocol, imap: 'TLSv1.2' },
      forbiddenCiphers: { ...strict.forbiddenCiphers, server: [] },
      rsaBits: 4096,
    });
  });

  test('has the source of each threshold from where its value is from', () => {
    const { sources } = resolveProfile(ours, builtinProfileFile);
    const strict = builtinProfile('strict').sources;
    expect(sources).toEqual({
      ...strict,
      'lowestProtocol.imap': 'profile ours',
      'forbiddenCiphers.server': 'profile ours',
      rsaBits: 'our policy',
      'dhBits.asked': 'our policy too',
    });
  });

  test('gives a source of a whole threshold to the parts that it sets, and to all where it sets none', () => {
    const { sources } = resolveProfile(
      {
        name: 'ours',
        extends: 'strict',
        thresholds: { lowestProtocol: { imap: 'TLSv1.2' } },
        sources: { lowestProtocol: 'our telephones', forbiddenCiphers: 'our auditor' },
      },
      builtinProfileFile,
    );
    const strict = builtinProfile('strict').sources;
    expect(sources).toEqual({
      ...strict,
      'lowestProtocol.imap': 'our telephones',
      'forbiddenCiphers.anywhere': 'our auditor',
      'forbiddenCiphers.tlsRequired': 'our auditor',
      'forbiddenCiphers.server': 'our auditor',
    });
  });

  test('that leaves thresholds open is refused', () => {
    expect(() =>
      resolveProfile({ name: 'ours', thresholds: { lowestProtocol: { mx: 'TLSv1.2' } } }, () => undefined),
    ).toThrow(/^profile "ours" lacks lowestProtocol\.submission, .*, dhBits: give a value or extend/);
  });
});

describe('changes to a profile', () => {
  const rule = BUILTIN_RULES.find('postfix/server-protocols') as Rule;
  const strict = builtinProfile('strict');
  const change = (severity: object, thresholds: SomeThresholds = {}) => ({
    severity: severity as Record<string, 'off'>,
    thresholds,
    from: 'x.json',
  });

  test.each([
    ['a level', [{ [rule.id]: 'info' }], 'info'],
    ['the strongest of two', [{ [rule.id]: 'info' }, { [rule.id]: 'off' }], 'info'],
    ['one for another rule', [{ other: 'off' }], severityOf(strict, rule, 'default')],
    ['one for the message', [{ [rule.id]: { default: 'info', '*': 'off' } }], 'info'],
    ['one for the others', [{ [rule.id]: { '*': 'info' } }], 'info'],
    [
      'one for another message, and a weaker one',
      [{ [rule.id]: { x: 'off' } }, { [rule.id]: 'info' }],
      'info',
    ],
  ])('count before it: %s', (_, severities, expected) => {
    const profile = changedProfile(
      strict,
      severities.map((severity) => change(severity)),
    );
    expect(severityOf(profile, rule, 'default')).toBe(expected);
    expect([profile.name, profile.title]).toEqual(['strict', 'strict']);
  });

  test('of thresholds show in what it is called and in its sources', () => {
    const profile = changedProfile(strict, [
      change({}, { lowestProtocol: { mx: 'TLSv1.3' } }),
      change({}, { lowestProtocol: { mx: 'TLSv1', imap: 'TLSv1.1' } }),
    ]);
    expect([profile.name, profile.title]).toEqual(['strict', 'strict with x.json']);
    expect(profile.thresholds.lowestProtocol).toEqual({
      ...strict.thresholds.lowestProtocol,
      mx: 'TLSv1.3',
      imap: 'TLSv1.1',
    });
    expect(profile.sources).toEqual({
      ...strict.sources,
      'lowestProtocol.mx': 'x.json',
      'lowestProtocol.imap': 'x.json',
    });
  });

  test('property: made one after the other or together they are the same', () => {
    fc.assert(
      fc.property(someThresholds, someThresholds, (a, b) => {
        const together = changedProfile(strict, [change({}, b), change({}, a)]);
        const apart = changedProfile(changedProfile(strict, [change({}, a)]), [change({}, b)]);
        expect(apart.thresholds).toEqual(together.thresholds);
        expect(apart.sources).toEqual(together.sources);
      }),
    );
  });
});
