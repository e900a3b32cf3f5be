import { atLeast, compareReleases, hasArrived, inRange, parseRelease } from '../../src/model/release.ts';

describe('compareReleases', () => {
  // Each row is older than the next one.
  const ordered = [
    '1.0.1',
    '1.0.2',
    '1.0.2g',
    '1.0.2z',
    '1.0.2zh',
    '1.1.1',
    '1.1.1w',
    '2.3.13',
    '2.3.19',
    '2.3.19.1',
    '2.9',
    '2.9.14',
    '2.10',
    '2.11.11',
    '3.0',
    '3.5.25',
    '3.9',
    '3.11',
    '3.11-20260821',
    '3.11.7',
    '3.12',
    '3.12-20260821',
    '3.12-20260901',
  ];

  test.each(ordered.slice(1).map((newer, i) => [ordered[i] ?? '', newer]))('%s is older than %s', (a, b) => {
    expect(compareReleases(a, b)).toBeLessThan(0);
    expect(compareReleases(b, a)).toBeGreaterThan(0);
  });

  test('the order holds between all of them', () => {
    expect(ordered.toReversed().sort(compareReleases)).toEqual(ordered);
  });

  test.each([
    ['3.4', '3.4.0'],
    ['3', '3.0.0'],
    ['03.04', '3.4'],
    ['1.1.1W', '1.1.1w'],
  ])('%s is %s', (a, b) => {
    expect(compareReleases(a, b)).toBe(0);
  });
});

test.each([
  ['3.11', '3.9', true],
  ['3.9', '3.11', false],
  ['3.6', '3.6.0', true],
  ['3.5.25', '3.6', false],
])('atLeast(%s, %s) is %s', (release, bound, expected) => {
  expect(atLeast(release, bound)).toBe(expected);
});

describe('parseRelease', () => {
  test.each([
    ['3.7.11', '3.7.11'],
    [' 3.7\n', '3.7'],
    ['v2.4.5', '2.4.5'],
    ['1.1.1w', '1.1.1w'],
    ['2.3.19.1', '2.3.19.1'],
    ['3.12-20260821', '3.12-20260821'],
    ['3.11-RC1', '3.11-RC1'],
  ])('reads %j', (text, expected) => {
    expect(parseRelease(text)).toBe(expected);
  });

  test.each(['', '3', 'new', '3.', '.7', '3..7', '3,7', '>=3.6', '3.7.11 (Debian)', '3.7/../x'])(
    'refuses %j',
    (text) => {
      expect(parseRelease(text)).toBeNull();
    },
  );
});

describe('inRange', () => {
  test.each([
    ['3.7.11', '*', true],
    ['3.6', '>=3.6', true],
    ['3.5.25', '>=3.6', false],
    ['3.5.25', '<3.6', true],
    ['3.6.0', '<3.6', false],
    ['3.6', '<=3.6', true],
    ['3.6.1', '>3.6', true],
    ['3.6', '=3.6.0', true],
    ['2.8.9', '>=2.9 <3.4', false],
    ['3.3.22', ' >=2.9  <3.4 ', true],
    ['3.10', '>=2.9 <3.4', false],
  ])('%s in %j is %s', (release, range, expected) => {
    expect(inRange(release, range)).toBe(expected);
  });

  test.each(['', '3.6', '>= 3.6', '>=3', '>=new', '>=3.6,<3.8', '!=3.6'])('refuses the range %j', (range) => {
    expect(() => inRange('3.7', range)).toThrow('not a range of releases');
  });
});

test.each([
  ['3.9.0', true],
  ['3.8.4', true],
  ['3.8.20', true],
  ['3.8.3', false],
  ['3.8', false],
  ['3.7.22', false],
  ['3.5.23', true],
  ['3.5.22', false],
  ['2.11.4', false],
])('%s has what came with 3.9, 3.5.23 and 3.8.4: %s', (release, expected) => {
  expect(hasArrived(release, { since: '3.9', patches: ['3.5.23', '3.8.4'] })).toBe(expected);
});
