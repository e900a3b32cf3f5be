import { matchesGlobs, pathGlob } from '../../src/text/path-glob.ts';

/** Whether the patterns match a path below /etc/repo. */
function matches(patterns: readonly string[], path: string): boolean {
  const globs = patterns.map((pattern) => {
    const glob = pathGlob(pattern);
    if (glob === null) throw new Error(`${pattern}: too many alternatives`);
    return glob;
  });
  return matchesGlobs(globs, path, `/etc/repo/${path}`);
}

test.each([
  ['hosts/mx1', 'hosts/mx1', true],
  ['hosts/mx1', 'hosts/mx1/etc/postfix/main.cf', true],
  ['./hosts//mx1/', 'hosts/mx1', true],
  ['hosts/mx1', 'hosts/mx10', false],
  ['hosts/mx1', 'hosts', false],
  ['mx1', 'hosts/mx1', false],
  ['**/mx1', 'hosts/mx1/etc', true],
  ['**/mx1', 'mx1', true],
  ['**', 'hosts/mx1', true],
  ['.', 'hosts/mx1', true],
  ['hosts/**', 'hosts/mx1', true],
  ['hosts/**/postfix', 'hosts/a/b/c/postfix/main.cf', true],
  ['hosts/**/postfix', 'hosts/postfix', true],
  ['hosts/*', 'hosts', false],
  ['hosts/*/etc', 'hosts/mx1/etc', true],
  ['hosts/*/etc', 'hosts/a/b/etc', false],
  ['hosts/mx?', 'hosts/mx1', true],
  ['hosts/mx?', 'hosts/mx', false],
  ['hosts/mx[1-3]', 'hosts/mx2', true],
  ['hosts/mx[!1-3]', 'hosts/mx2', false],
  ['hosts/mx[^1-3]', 'hosts/mx4', true],
  ['hosts/mx[]x]', 'hosts/mx]', true],
  ['hosts/mx[1', 'hosts/mx[1', true],
  ['hosts/{mx1,mx2}/etc', 'hosts/mx2/etc', true],
  ['hosts/{mx1,mx2}/etc', 'hosts/mx3/etc', false],
  ['{a,b{1,2}}', 'b2', true],
  ['{a,b{1,2}}', 'b', false],
  ['{mx1}', '{mx1}', true],
  ['{mx1', '{mx1', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['*a*b*c', 'xaybzc', true],
  ['*a*b*c', 'xaybzcd', false],
  ['*', '.hidden', true],
  ['*', '../other', false],
  ['**', '../other', false],
  ['.', '../other', false],
  ['../other', '../other/etc', true],
  ['..', '../../other', false],
  ['/etc/repo/hosts', 'hosts/mx1', true],
  ['/etc/*/hosts', 'hosts/mx1', true],
  ['/hosts', 'hosts/mx1', false],
  ['HOSTS', 'hosts', false],
])('%s and %s: %s', (pattern, path, expected) => {
  expect(matches([pattern], path)).toBe(expected);
});

test.each([
  [['hosts/*', '!hosts/mx1'], 'hosts/mx1/etc', false],
  [['hosts/*', '!hosts/mx1'], 'hosts/mx2/etc', true],
  [['!hosts/mx1', 'hosts/*'], 'hosts/mx1', true],
  [['hosts/*', '!hosts/mx1', 'hosts/mx1/old'], 'hosts/mx1/old', true],
  [['!hosts/mx1'], 'hosts/mx2', false],
  [[], 'hosts', false],
])('%j and %s: %s, as the last that matches decides', (patterns, path, expected) => {
  expect(matches(patterns, path)).toBe(expected);
});

test.each([
  ['hosts/mx1/etc', 'hosts/mx1/etc'],
  ['hosts/mx*/etc', 'hosts'],
  ['!hosts/a/**', 'hosts/a'],
  ['**', ''],
])('%s looks in "%s"', (pattern, fixed) => {
  expect(pathGlob(pattern)?.fixed).toBe(fixed);
});

test('braces make at most 256 alternatives', () => {
  expect(pathGlob('{a,b}'.repeat(8))?.alternatives).toHaveLength(256);
  expect(pathGlob('{a,b}'.repeat(9))).toBeNull();
});
