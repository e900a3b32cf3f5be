import { glob } from '../../src/dovecot/glob.ts';
import { type DovecotFiles, loadDovecot } from '../../src/dovecot/load.ts';
import { SourceFile } from '../../src/text/source.ts';

/** Files in memory; a name that ends in a slash is an empty folder. */
function inMemory(texts: Readonly<Record<string, string>>): DovecotFiles {
  const names = Object.keys(texts);
  return {
    open(path) {
      const text = path.endsWith('/') ? undefined : texts[path];
      return text === undefined ? null : new SourceFile(path, text);
    },
    entries(folder) {
      const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
      const inside = names.filter((name) => name.startsWith(prefix));
      if (inside.length === 0 && folder !== '') return null;
      const first = inside.map((name) => name.slice(prefix.length).split('/')[0] ?? '');
      return [...new Set(first)].filter((name) => name !== '');
    },
  };
}

const FILES: Readonly<Record<string, string>> = {
  'd/100.conf': '',
  'd/10.conf': '',
  'd/20.conf': '',
  'd/Z.conf': '',
  'd/a.conf': '',
  'd/ä.conf': '',
  'd/😀.conf': '',
  'd/\uffee.conf': '',
  'd/.hid.conf': '',
  'd/e/f.conf': '',
  'd/x{y}.conf': '',
  '/etc/p.conf': '',
};

/** Order and choice are those of glob(3) of glibc with GLOB_BRACE in the locale C. */
test.each<readonly [pattern: string, paths: readonly string[]]>([
  ['d/*0.conf', ['d/10.conf', 'd/100.conf', 'd/20.conf']],
  ['d/[Za].conf', ['d/Z.conf', 'd/a.conf']],
  ['d/?.conf', ['d/Z.conf', 'd/a.conf', 'd/ä.conf', 'd/\uffee.conf', 'd/😀.conf']],
  ['d/[!Za].conf', ['d/ä.conf', 'd/\uffee.conf', 'd/😀.conf']],
  ['d/[[:alpha:]].conf', ['d/Z.conf', 'd/a.conf']],
  ['d/[0-9]*.conf', ['d/10.conf', 'd/100.conf', 'd/20.conf']],
  ['d/.*.conf', ['d/.hid.conf']],
  ['d/{a,10,nothing,a}.conf', ['d/a.conf', 'd/10.conf', 'd/a.conf']],
  ['{d/{a,Z},/etc/p}.conf', ['d/a.conf', 'd/Z.conf', '/etc/p.conf']],
  ['d/*/*.conf', ['d/e/f.conf']],
  ['*/e/f.conf', ['d/e/f.conf']],
  ['d', ['d']],
  ['d/a.conf', ['d/a.conf']],
  ['d/nothing.conf', []],
  ['d/nothing*', []],
  ['"d/a.conf"', []],
  ['/etc/*.conf', ['/etc/p.conf']],
  ['d/\\a.conf', ['d/a.conf']],
  ['d/x\\{y\\}.conf', ['d/x{y}.conf']],
  ['d/[a.conf', []],
  ['', []],
])('glob %s', (pattern, paths) => {
  expect(glob(pattern, inMemory(FILES))).toEqual(paths);
});

/** What is read, as `file:line`, and what is wrong with which include. */
function read(texts: Readonly<Record<string, string>>, main = 'dovecot.conf'): readonly string[] {
  const source = new SourceFile(main, texts[main] ?? '');
  return loadDovecot(source, inMemory(texts), '2.3.19.1').statements.map(({ file, statement, fault }) => {
    const { line } = file.source.position(statement.line.span.start);
    const blamed =
      fault === null ? '' : ` ${fault.code} ${fault.path} (${fault.blamed.path}:${fault.blamed.line})`;
    return `${file.source.path}:${line}${blamed}`;
  });
}

test.each<
  readonly [what: string, texts: Readonly<Record<string, string>>, main: string, expected: readonly string[]]
>([
  [
    'files come where the include stands, in order',
    { 'dovecot.conf': 'a = 1\n!include d/*.conf\nb = 2\n', 'd/2.conf': 'c = 3\n', 'd/1.conf': 'd = 4\n' },
    'dovecot.conf',
    ['dovecot.conf:1', 'dovecot.conf:2', 'd/1.conf:1', 'd/2.conf:1', 'dovecot.conf:3'],
  ],
  [
    'a relative pattern is relative to its file',
    { '/e/d.conf': '!include c/a.conf\n', '/e/c/a.conf': '!include b.conf\n', '/e/c/b.conf': 'x = y\n' },
    '/e/d.conf',
    ['/e/d.conf:1', '/e/c/a.conf:1', '/e/c/b.conf:1'],
  ],
  [
    'the same file twice',
    { 'dovecot.conf': '!include a\n!include a\n', a: 'b = c\n' },
    'dovecot.conf',
    ['dovecot.conf:1', 'a:1', 'dovecot.conf:2', 'a:1'],
  ],
  [
    'a folder is empty',
    { 'dovecot.conf': '!include d\n', 'd/a': 'b = c\n' },
    'dovecot.conf',
    ['dovecot.conf:1'],
  ],
  [
    'nothing there',
    { 'dovecot.conf': '!include a\nb = c\n' },
    'dovecot.conf',
    ['dovecot.conf:1 no-matches a (dovecot.conf:1)', 'dovecot.conf:2'],
  ],
  ['nothing there, optional', { 'dovecot.conf': '!include_try a\n' }, 'dovecot.conf', ['dovecot.conf:1']],
  [
    'itself',
    { 'dovecot.conf': '!include a\n', a: '\n!include a\n' },
    'dovecot.conf',
    ['dovecot.conf:1', 'a:2 recursive a (a:2)'],
  ],
  [
    'itself, optional',
    { 'dovecot.conf': '!include_try dovecot.conf\n' },
    'dovecot.conf',
    ['dovecot.conf:1 recursive dovecot.conf (dovecot.conf:1)'],
  ],
  [
    'a file that waits behind',
    { 'dovecot.conf': '!include {a,b}\n', a: '!include b\n', b: 'c = d\n' },
    'dovecot.conf',
    ['dovecot.conf:1', 'a:1 recursive b (a:1)', 'b:1'],
  ],
  [
    'itself in a list: the file opened last is blamed',
    { 'dovecot.conf': '!include *.conf\n', 'a.conf': '', 'z.conf': '' },
    'dovecot.conf',
    ['dovecot.conf:1 recursive dovecot.conf (z.conf:0)'],
  ],
])('%s', (_what, texts, main, expected) => {
  expect(read(texts, main)).toEqual(expected);
});

test('files that include each other over and over come to an end', () => {
  const texts: Record<string, string> = { 'dovecot.conf': '!include 0\n!include 0\n' };
  for (let index = 0; index < 30; index++)
    texts[String(index)] = `!include ${index + 1}\n!include ${index + 1}\n`;
  expect(read(texts).length).toBeLessThan(30_000);
});
