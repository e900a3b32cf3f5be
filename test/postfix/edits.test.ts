import fc from 'fast-check';
import {
  addEntry,
  addOverride,
  moveTrailingComment,
  removeEntry,
  removeOverride,
  replaceField,
  replaceOverride,
  replaceValue,
} from '../../src/postfix/edits.ts';
import { parseMainCf } from '../../src/postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../../src/postfix/syntax/master-cf.ts';
import type {
  Argument,
  MainCf,
  MainEntry,
  MasterCf,
  Override,
  ServiceEntry,
} from '../../src/postfix/syntax/tree.ts';
import { applyEdits, type Edit, editsOverlap } from '../../src/text/edits.ts';
import { SourceFile } from '../../src/text/source.ts';

const FILE = 'etc/postfix/file.cf';
const mainOf = (text: string): MainCf => parseMainCf(new SourceFile(FILE, text));
const masterOf = (text: string): MasterCf => parseMasterCf(new SourceFile(FILE, text));
const apply = (text: string, edits: readonly Edit[]): string => applyEdits(FILE, text, edits);

function entryOf(tree: MainCf, name = 'a'): MainEntry {
  const found = tree.items.find((item) => item.kind === 'entry' && item.name === name);
  if (found?.kind !== 'entry') throw new Error(`no entry ${name}`);
  return found;
}

function serviceOf(tree: MasterCf, name?: string): ServiceEntry {
  const found = tree.items.find(
    (item) => item.kind === 'service' && (name === undefined || item.fields.service.text === name),
  );
  if (found?.kind !== 'service') throw new Error('no service');
  return found;
}

/** The first override called so, or the first bad one. */
function overrideOf(service: ServiceEntry, name = 'a'): Override | Argument {
  const found = service.arguments.find((argument) =>
    argument.kind === 'override'
      ? (argument.meant ?? argument).name === name
      : argument.kind === 'bad-override' && argument.meant?.name === name,
  );
  if (found === undefined) throw new Error(`no override ${name}`);
  return found;
}

const head = 'smtp inet n - n - - smtpd';
const pipe = 'x unix - n n - - pipe';

describe('replaceValue in main.cf', () => {
  test.each<[what: string, before: string, value: string, after: string]>([
    ['the bytes of the value only', 'b = 1\na\t= x y \nc = 2', 'z', 'b = 1\na\t= z \nc = 2'],
    ['no blanks', 'a=x\n', 'y z', 'a=y z\n'],
    ['CRLF', 'a = x\r\nb = 1\r\n', 'y', 'a = y\r\nb = 1\r\n'],
    ['the same', 'a = x\n', 'x', 'a = x\n'],
    ['to nothing', 'a = x  \nb=1', '', 'a =\nb=1'],
    ['from nothing', 'b = 1\na =\n', 'x', 'b = 1\na = x\n'],
    ['from nothing, keeping the blanks', 'a =   \n', 'x', 'a =   x\n'],
    ['from nothing, in a file without blanks', 'b=1\na=\n', 'x', 'b=1\na=x\n'],
    ['from nothing, CRLF', 'a =\r\n', 'x', 'a = x\r\n'],
    ['from nothing at the end', 'a =', 'x', 'a = x'],
    ['a trailing comment is value', 'a = may # why\n', 'may', 'a = may\n'],
    [
      'one word of several lines',
      'a =\n  b,\n# why c\n  c,\n  d\n',
      'b, e, d',
      'a =\n  b,\n# why c\n  e,\n  d\n',
    ],
    [
      'a word goes with its line',
      'a =\n  b,\n# why c\n  c,\n# why d\n  d\n',
      'b, d',
      'a =\n  b,\n# why c\n# why d\n  d\n',
    ],
    ['the last words go', 'a = b\n  c\n  d\n', 'b', 'a = b\n'],
    ['the last words go, no last newline', 'a = b\n  c\n  d', 'b', 'a = b\n'],
    ['the first words go', 'a = b\n  c d\n', 'd', 'a =\n  d\n'],
    ['a word inside a line goes', 'a = b c\n  d\n', 'b d', 'a = b\n  d\n'],
    ['a word at the start of a line goes', 'a = b\n  c d\n', 'b d', 'a = b\n  d\n'],
    [
      'several lines become one, comments stay',
      'a = b,\n# 1\n  c,\n\n  d\ne = 1\n',
      'x',
      'a = x\n# 1\n\ne = 1\n',
    ],
    ['all goes', 'a = b\n # 1\n  c\n', '', 'a =\n # 1\n'],
    ['all goes, value on its own lines', 'a =\n\tb\n# 1\n\tc\n', '', 'a =\n# 1\n'],
    ['a word is added to a line of its own', 'a =\n\tb,\n\td\n', 'b, c, d', 'a =\n\tb,\n\tc,\n\td\n'],
    ['at the end', 'a =\n   b,\n   c\nd=1\n', 'b, c e', 'a =\n   b,\n   c\n   e\nd=1\n'],
    ['at the start', 'a =\n   b\n   c\n', 'x b c', 'a =\n   x\n   b\n   c\n'],
    ['one of two equal words', 'a = b\n  b\n', 'b', 'a = b\n'],
    ['within a line', 'a = b,\n   c d\n', 'b, c x d', 'a = b,\n   c x d\n'],
    ['behind the name', 'a = b\n   c\n', 'b x c', 'a = b x\n   c\n'],
    ['before the first', 'a = b\n   c\n', 'x b c', 'a = x b\n   c\n'],
    [
      'after the last item, which gets a comma',
      'a =\n\tb,\n\tc d\n',
      'b, c d, e, f',
      'a =\n\tb,\n\tc d,\n\te,\n\tf\n',
    ],
    ['a new list in place of the old', 'a =\n  b,\n# c\n  d\n', 'x, y z', 'a =\n  x,\n  y z\n# c\n'],
    ['before the first item', 'a =\n  b,\n  d\n', 'x y, z, b, d', 'a =\n  x y,\n  z,\n  b,\n  d\n'],
    ['CRLF, added', 'a =\r\n  b,\r\n  c\r\n', 'b, c, d', 'a =\r\n  b,\r\n  c,\r\n  d\r\n'],
    ['CRLF, removed', 'a =\r\n  b\r\n  c\r\n  d\r\n', 'b d', 'a =\r\n  b\r\n  d\r\n'],
    ['words that differ in white space only', 'a = b\n   c\n', 'b c', 'a = b\n   c\n'],
    ['a value cut by NUL', 'a = b\0c\n', 'x', 'a = x\0c\n'],
  ])('%s', (_what, before, value, after) => {
    const tree = mainOf(before);
    expect(apply(before, replaceValue(tree, entryOf(tree), value))).toBe(after);
  });

  test('two edits of one value overlap, also in different words', () => {
    const tree = mainOf('a =\n  b\n  c\n  d\n');
    const [first] = replaceValue(tree, entryOf(tree), 'x c d');
    const [second] = replaceValue(tree, entryOf(tree), 'b c d e');
    expect(first && second && editsOverlap(first, second)).toBe(true);
  });

  test.each(['a\nb', 'a\0', ' a', 'a\t'])('refuses %j', (value) => {
    const tree = mainOf('a = x\n');
    expect(() => replaceValue(tree, entryOf(tree), value)).toThrow(RangeError);
  });

  test('refuses a comment in a value of several lines', () => {
    const tree = mainOf('a = x\n y\n');
    expect(() => replaceValue(tree, entryOf(tree), 'x #y')).toThrow(RangeError);
  });
});

describe('removeEntry', () => {
  test.each<[what: string, before: string, after: string]>([
    ['a line', '# 1\na = x\n# 2\nb = 1\n', '# 1\n# 2\nb = 1\n'],
    ['the last line', 'b = 1\na = x', 'b = 1\n'],
    ['the only line', 'a = x\n', ''],
    ['its continuations', 'a = x\n  y\n\tz\nb = 1\n', 'b = 1\n'],
    [
      'comments between them stay',
      'a = x\n# 1\n\n  y\n  z\n # 2\n w\n# 3\nb = 1\n',
      '# 1\n\n # 2\n# 3\nb = 1\n',
    ],
    ['CRLF', 'b = 1\r\na = x\r\n # c\r\n y\r\nc = 1\r\n', 'b = 1\r\n # c\r\nc = 1\r\n'],
  ])('%s', (_what, before, after) => {
    const tree = mainOf(before);
    expect(apply(before, removeEntry(tree, entryOf(tree)))).toBe(after);
  });
});

describe('addEntry', () => {
  const cases: [what: string, before: string, name: string, value: string, near: string[], after: string][] =
    [
      ['an empty file', '', 'a', 'x', [], 'a = x\n'],
      ['the end', 'b = 1\n# c\n', 'a', 'x', [], 'b = 1\n# c\na = x\n'],
      ['a missing last newline', 'b = 1', 'a', 'x', [], 'b = 1\na = x\n'],
      ['a missing last newline behind blanks', 'b = 1\n  ', 'a', 'x', [], 'b = 1\n  \na = x\n'],
      ['after kin', 'b = 1\nc = 2\nd = 3\n', 'a', 'x', ['z', 'b', 'd'], 'b = 1\na = x\nc = 2\nd = 3\n'],
      [
        'after the last of that name',
        'b = 1\nc = 2\nb = 3\nd = 4\n',
        'a',
        'x',
        ['b'],
        'b = 1\nc = 2\nb = 3\na = x\nd = 4\n',
      ],
      [
        'after its continuations',
        'b = 1\n  2\n# c\n  3\n# d\nc = 4\n',
        'a',
        'x',
        ['b'],
        'b = 1\n  2\n# c\n  3\na = x\n# d\nc = 4\n',
      ],
      [
        'after the closest name',
        'm_t_a = 1\nm_t_c = 2\nm_x = 3\nn = 4\n',
        'm_t_b',
        'x',
        ['z'],
        'm_t_a = 1\nm_t_c = 2\nm_t_b = x\nm_x = 3\nn = 4\n',
      ],
      [
        'shared letters are no kin',
        'smtpd = 1\nb = 1\n',
        'smtp_a',
        'x',
        [],
        'smtpd = 1\nb = 1\nsmtp_a = x\n',
      ],
      ['kin at the end without newline', 'b = 1\nc = 2', 'a', 'x', ['c'], 'b = 1\nc = 2\na = x\n'],
      ['blanks as beside', 'b = 1\nc=2\nd = 3\n', 'a', 'x', ['c'], 'b = 1\nc=2\na=x\nd = 3\n'],
      [
        'blanks as beside, aligned',
        'bb     = 1\nccccc  = 2\n',
        'ddd',
        'x',
        ['bb'],
        'bb     = 1\nddd    = x\nccccc  = 2\n',
      ],
      ['too long to be aligned', 'bb  = 1\n', 'dddddd', 'x', ['bb'], 'bb  = 1\ndddddd = x\n'],
      ['tabs as beside', 'bb\t=\t1\n', 'ddd', 'x', ['bb'], 'bb\t=\t1\nddd\t=\tx\n'],
      ['blanks as most', 'b=1\nc=2\nd = 3\n', 'a', 'x', [], 'b=1\nc=2\nd = 3\na=x\n'],
      ['beside a list on its own lines', 'b=1\nc =\n  2\n', 'a', 'x', ['c'], 'b=1\nc =\n  2\na=x\n'],
      ['an empty value', 'b = 1\n', 'a', '', [], 'b = 1\na =\n'],
      ['CRLF', 'b = 1\r\nc = 2\r\n', 'a', 'x', ['b'], 'b = 1\r\na = x\r\nc = 2\r\n'],
      ['CRLF without the last', 'b = 1\r\nc = 2', 'a', 'x', [], 'b = 1\r\nc = 2\r\na = x\r\n'],
      ['lone \\r', 'b = 1\rc = 2\r', 'a', 'x', [], 'b = 1\rc = 2\r\na = x\n'],
    ];
  test.each(cases)('%s', (_what, before, name, value, near, after) => {
    expect(apply(before, addEntry(mainOf(before), name, value, near))).toBe(after);
  });

  test('two new lines at the end of a file without newline', () => {
    const tree = mainOf('b = 1');
    const edits = [...addEntry(tree, 'x', '1'), ...addEntry(tree, 'y', '2')];
    expect(apply('b = 1', edits)).toBe('b = 1\nx = 1\ny = 2\n');
  });

  test.each(['', 'a b', 'a=', '#a', 'a\0'])('refuses the name %j', (name) => {
    expect(() => addEntry(mainOf(''), name, 'x')).toThrow(RangeError);
  });
});

describe('replaceOverride', () => {
  test.each<[what: string, before: string, value: string, braces: boolean, after: string]>([
    ['plain', '-o a=x -v', 'y', false, '-o a=y -v'],
    ['plain to nothing', '-o a=x -v', '', false, '-o a= -v'],
    ['plain from nothing', '-o a= ', 'y', false, '-o a=y '],
    ['joined', '-oa=x -v', 'y', false, '-oa=y -v'],
    ['behind -v', '-vo a=x', 'y', false, '-vo a=y'],
    ['plain, white space', '-o a=x -v', 'y z', true, '-o { a = y z } -v'],
    ['joined, white space', '-oa=x -v', 'y z', true, '-o { a = y z } -v'],
    ['behind -v, white space', '-vo a=x -D', 'y z', true, '-vo { a = y z } -D'],
    ['braced', '-o { a = x y } -v', 'z', true, '-o { a = z } -v'],
    ['braced, tight', '-o {a=x} -v', 'y z', true, '-o {a=y z} -v'],
    ['braced to nothing', '-o { a = x }', '', true, '-o { a = }'],
    ['braced from nothing', '-o { a = }', 'x', true, '-o { a = x }'],
    ['tight braces from nothing', '-o {a=}', 'x', true, '-o {a=x}'],
    ['braced, for a release without braces', '-o { a = x y } -v', 'z', false, '-o a=z -v'],
    ['braced, the same value without braces', '-o { a = x } -v', 'x', false, '-o a=x -v'],
    [
      'braced over lines',
      '-o { a =\n   x,\n# c\n   y }\n  -v',
      'x, z',
      true,
      '-o { a =\n   x,\n# c\n   z }\n  -v',
    ],
    ['braced over lines, made one', '-o { a =\n   x,\n# c\n   y }\n  -v', 'z', false, '-o a=z\n# c\n  -v'],
    ['braced without the release: lines', '-o {\n a=x\n }\n  -v', 'z', false, '-o a=z\n  -v'],
    ['joined braces', '-o{a=x} -v', 'y', false, '-o a=y -v'],
    ['joined braces, white space', '-o{a=x} -v', 'y z', true, '-o { a = y z } -v'],
    ['joined braces that are fatal', '-o{ a = x } -v', 'y', false, '-o a=y -v'],
    ['blanks around =', '-o a = x, y -v', 'x,y', false, '-o a=x,y -v'],
    ['a blank before =', '-o a =x -v', 'y', false, '-o a=y -v'],
    ['a blank after =', '-o a= x -v', 'y', false, '-o a=y -v'],
    ['a list with blanks', '-o a=x, y -v', 'x, y', true, '-o { a = x, y } -v'],
    ['a list with blanks over lines', '-o a=x,\n# c\n    y\n  -v', 'x,y', false, '-o a=x,y\n# c\n  -v'],
    ['with a trailing comment', '-o a=x # c', 'y', false, '-o a=y # c'],
    ['braces in the value', '-o a=${x?{y}}', '${x:{z}}', false, '-o a=${x:{z}}'],
    ['braces broken over lines', '-o a=${x?{y\n# c\n  z}} -v', 'w', false, '-o a=w\n# c\n  -v'],
    ['a word in braces as a whole', '{-o a=x} -v', 'y', true, '{-o a=y} -v'],
    ['the same without braces', '{-o a=x} -v', 'y', false, '-o a=y -v'],
  ])('%s', (_what, before, value, braces, after) => {
    const text = `${head}\n  ${before}\n`;
    const tree = masterOf(text);
    const edits = replaceOverride(tree, overrideOf(serviceOf(tree)), value, braces);
    expect(apply(text, edits)).toBe(`${head}\n  ${after}\n`);
  });

  test.each<[before: string, value: string, braces: boolean]>([
    ['-o a=x', 'y z', false],
    ['-o { a = x }', 'y z', false],
    ['-o a=x', 'y}', true],
    ['-o a=x', '{y', false],
    ['-o { a = x }', '} {', true],
    ['-o a=x', 'y\nz', true],
  ])('refuses: %s to %j', (before, value, braces) => {
    const tree = masterOf(`${head} ${before}`);
    expect(() => replaceOverride(tree, overrideOf(serviceOf(tree)), value, braces)).toThrow(RangeError);
  });

  test('refuses what it does not understand', () => {
    const tree = masterOf(`${head} -o`);
    const bad = serviceOf(tree).arguments[0] as Argument;
    expect(() => replaceOverride(tree, bad, 'x', true)).toThrow(RangeError);
  });

  test('replaceValue does the same', () => {
    const text = `${head} -o a=x\n`;
    const tree = masterOf(text);
    const target = overrideOf(serviceOf(tree)) as Override;
    expect(apply(text, replaceValue(tree, target, 'y', false))).toBe(`${head} -o a=y\n`);
  });
});

describe('addOverride', () => {
  const line = '-o n=v';
  test.each<[what: string, before: string, after: string]>([
    ['a bare service', `${head}\nz unix - - n - - error\n`, `${head}\n  ${line}\nz unix - - n - - error\n`],
    ['no last newline', head, `${head}\n  ${line}\n`],
    ['all on one line', `${head} -o a=x -o b=y\n`, `${head} -o a=x -o b=y\n  ${line}\n`],
    [
      'below the last -o',
      `${head}\n\t-o a=x\n\t-o b=y\n# c\n\t-v\n`,
      `${head}\n\t-o a=x\n\t-o b=y\n\t${line}\n# c\n\t-v\n`,
    ],
    [
      'indentation of the last',
      `${head}\n -o a=x\n    -o b=y\n`,
      `${head}\n -o a=x\n    -o b=y\n    ${line}\n`,
    ],
    [
      'indentation of the file',
      `${head}\nz inet n - n - - smtpd\n    -o a=x\n    -o b=y\ny inet n - n - - smtpd\n  -o c=d\n`,
      `${head}\n    ${line}\nz inet n - n - - smtpd\n    -o a=x\n    -o b=y\ny inet n - n - - smtpd\n  -o c=d\n`,
    ],
    ['options behind the -o on its line', `${head}\n  -o a=x -v\n`, `${head}\n  -o a=x -v\n  ${line}\n`],
    ['a -o over two lines', `${head}\n  -o\n    a=x\n`, `${head}\n  -o\n    a=x\n  ${line}\n`],
    [
      'braces over lines',
      `${head}\n  -o { a =\n    x\n    y } -v\n  -D\n`,
      `${head}\n  -o { a =\n    x\n    y } -v\n  ${line}\n  -D\n`,
    ],
    [
      'trailing comments of the service',
      `${head}\n  -o a=x\n# c\n\n`,
      `${head}\n  -o a=x\n  ${line}\n# c\n\n`,
    ],
    ['before a stray line', `${head}\n  -o a=x\n  b\n`, `${head}\n  -o a=x\n  ${line}\n  b\n`],
    ['before a bad override', `${head}\n  -o a=x\n  -o b\n`, `${head}\n  -o a=x\n  ${line}\n  -o b\n`],
    ['before --', `${head}\n  -o a=x\n  --\n`, `${head}\n  -o a=x\n  ${line}\n  --\n`],
    ['above a line with a trailing comment', `${head}\n  -o a=x # c\n`, `${head}\n  ${line}\n  -o a=x # c\n`],
    ['on a line with a trailing comment', `${head} # c\n`, `${head} ${line} # c\n`],
    ['before the command of pipe', `${pipe}\n  flags=R argv=/y\n`, `${pipe}\n  ${line}\n  flags=R argv=/y\n`],
    [
      'before the command on the same line',
      `${pipe} flags=R argv=/y\n`,
      `${pipe}\n  ${line}\n  flags=R argv=/y\n`,
    ],
    [
      'above the line of the command',
      `${pipe}\n  -o a=x flags=R argv=/y\n`,
      `${pipe}\n  ${line}\n  -o a=x flags=R argv=/y\n`,
    ],
    [
      'above braces that end on the line of the command',
      `${pipe}\n  -o { a =\n    x } flags=R\n`,
      `${pipe}\n  ${line}\n  -o { a =\n    x } flags=R\n`,
    ],
    [
      'behind an option, before the command',
      `${pipe} -v flags=R\n\targv=/y\n`,
      `${pipe} -v\n\t${line}\n\tflags=R\n\targv=/y\n`,
    ],
    [
      'before what is never closed',
      `${head}\n  -o a=x\n  -o b={x\n`,
      `${head}\n  -o a=x\n  ${line}\n  -o b={x\n`,
    ],
    ['before NUL', `${head}\n  -o a=x\0\n`, `${head}\n  -o a=x ${line}\0\n`],
    ['CRLF', `${head}\r\n  -o a=x\r\n`, `${head}\r\n  -o a=x\r\n  ${line}\r\n`],
  ])('%s', (_what, before, after) => {
    const tree = masterOf(before);
    const edits = addOverride(tree, serviceOf(tree), 'n', 'v', false);
    expect(apply(before, edits)).toBe(after);
    const added = overrideOf(serviceOf(masterOf(after)), 'n');
    expect(added).toMatchObject({ kind: 'override', value: 'v', reached: true });
  });

  test.each<[before: string, after: string]>([
    [head, `${head}\n  -o b=1\n  -o { c = 2 3 }\n`],
    [`${pipe} argv=/y\n`, `${pipe}\n  -o b=1\n  -o { c = 2 3 }\n  argv=/y\n`],
    [`${head} # x\n`, `${head} -o b=1 -o { c = 2 3 } # x\n`],
  ])('two at once: %j', (before, after) => {
    const tree = masterOf(before);
    const service = serviceOf(tree);
    const edits = [
      ...addOverride(tree, service, 'b', '1', true),
      ...addOverride(tree, service, 'c', '2 3', true),
    ];
    expect(apply(before, edits)).toBe(after);
  });

  test.each<[name: string, value: string, braces: boolean]>([
    ['a', 'x y', false],
    ['a', '}', true],
    ['{a}', 'x', true],
    ['a b', 'x', true],
    ['', 'x', true],
  ])('refuses %j = %j', (name, value, braces) => {
    const tree = masterOf(head);
    expect(() => addOverride(tree, serviceOf(tree), name, value, braces)).toThrow(RangeError);
  });
});

describe('removeOverride', () => {
  test.each<[what: string, before: string, after: string]>([
    ['its own line', `${head}\n  -o a=x\n  -o b=y\n`, `${head}\n  -o b=y\n`],
    ['the last line', `${head}\n  -o b=y\n  -o a=x`, `${head}\n  -o b=y\n`],
    ['its own two lines', `${head}\n  -o\n# c\n    a=x\n  -v\n`, `${head}\n# c\n  -v\n`],
    ['the line of the service', `${head} -o a=x\n  -v\n`, `${head}\n  -v\n`],
    ['first on its line', `${head}\n  -o a=x -v\n`, `${head}\n  -v\n`],
    ['within its line', `${head}\n  -v -o a=x  -D\n`, `${head}\n  -v -D\n`],
    ['last on its line', `${head}\n  -v -o a=x \n`, `${head}\n  -v\n`],
    ['glued to -v', `${head}\n  -vo a=x -D\n`, `${head}\n  -v -D\n`],
    ['braces over lines', `${head}\n  -v -o { a =\n# c\n  x } -D\n`, `${head}\n  -v\n# c\n  -D\n`],
    ['its stray words', `${head}\n  -o a=x, y\n  -v\n`, `${head}\n  -v\n`],
    ['a bad one', `${head}\n  -o a = x\n  -v\n`, `${head}\n  -v\n`],
    ['CRLF', `${head}\r\n  -o a=x\r\n  -o b=y\r\n`, `${head}\r\n  -o b=y\r\n`],
    ['CRLF, last on its line', `${head} -o a=x\r\n  -o b=y\r\n`, `${head}\r\n  -o b=y\r\n`],
  ])('%s', (_what, before, after) => {
    const tree = masterOf(before);
    const service = serviceOf(tree);
    expect(apply(before, removeOverride(tree, service, overrideOf(service)))).toBe(after);
  });
});

describe('moveTrailingComment', () => {
  test.each<[what: string, before: string, after: string]>([
    ['an entry', 'b = 1\na = may # why?  \nc = 2\n', 'b = 1\n# why?\na = may\nc = 2\n'],
    ['nothing but a comment', 'a = # x\n', '# x\na =\n'],
    ['no last newline', 'a = may #x', '#x\na = may'],
    ['a continuation', 'a = b,\n  c # x\n  d\n', 'a = b,\n# x\n  c\n  d\n'],
    ['CRLF', 'a = may # x\r\nb = 1\r\n', '# x\r\na = may\r\nb = 1\r\n'],
  ])('main.cf: %s', (_what, before, after) => {
    expect(apply(before, moveTrailingComment(mainOf(before), before.indexOf('#')))).toBe(after);
  });

  test.each<[what: string, before: string, after: string]>([
    ['the line of the service', `# a\n${head} # x y\n  -v\n`.slice(4), `# x y\n${head}\n  -v\n`],
    ['a line of its own', `${head}\n  -o a=b # x\n  -v\n`, `${head}\n# x\n  -o a=b\n  -v\n`],
  ])('master.cf: %s', (_what, before, after) => {
    expect(apply(before, moveTrailingComment(masterOf(before), before.indexOf('#')))).toBe(after);
  });

  test('refuses what is no trailing comment', () => {
    expect(() => moveTrailingComment(mainOf('# a\n'), 0)).toThrow(RangeError);
    expect(() => moveTrailingComment(mainOf('a = b\n'), 4)).toThrow(RangeError);
    const text = `${head} -o { a = b # c }\n`;
    expect(() => moveTrailingComment(masterOf(text), text.indexOf('#'))).toThrow(RangeError);
  });
});

describe('replaceField', () => {
  test('the field only', () => {
    const text = `x\n${head}  # c\n`.slice(2);
    const tree = masterOf(text);
    const service = serviceOf(tree);
    expect(apply(text, replaceField(tree, service, 'chroot', 'y'))).toBe('smtp inet n - y - - smtpd  # c\n');
    expect(replaceField(tree, service, 'chroot', 'n')).toEqual([]);
  });
  test.each(['', 'a b', 'a\0', '#a'])('refuses %j', (field) => {
    const tree = masterOf(head);
    expect(() => replaceField(tree, serviceOf(tree), 'service', field)).toThrow(RangeError);
  });
});

// Properties: files made of lines that like the traps; after an edit the tree differs where it should, and nowhere else.

const squeeze = (value: string): string => value.replaceAll(/[ \t\r\n\v\f]+/g, ' ');
const seeded = { seed: 20261123, numRuns: 4000 };

const mainText = fc
  .tuple(
    fc.array(
      fc.constantFrom(
        'a = x\n',
        'a=\n',
        'a =\n',
        'a = x y\n',
        'b_c=1\n',
        'b_d\t= 2 3\n',
        'b_c_e   = \u00e9 \u{1f4e7}\n',
        '  x,\n',
        '\ty z\n',
        '  # c\n',
        '# c\n',
        '\n',
        '  \n',
        'a =\r\n',
        ' x\r\n',
        'b = 1\r\n',
        'n\n',
        '= v\n',
        'a = # x\n',
        'b_c = 1\0 2\n',
      ),
      { maxLength: 12 },
    ),
    fc.boolean(),
  )
  .map(([lines, newline]) => (newline ? lines.join('') : lines.join('').replace(/\r?\n$/, '')));

const values = fc
  .array(fc.constantFrom('x', 'x,', 'y', 'z', '1', '\u00e9', '$y', '{', 'y}', '='), { maxLength: 4 })
  .map((words) => words.join(' '));

/** Items as they mean: name and value, or what is wrong. */
const mainItems = (tree: MainCf): string[] =>
  tree.items.map((item) => (item.kind === 'entry' ? `${item.name} = ${squeeze(item.value)}` : item.code));

/** All comments, in order. */
const comments = (tree: MainCf | MasterCf): string[] =>
  tree.lines.filter(({ kind }) => kind === 'comment').map(({ span }) => tree.source.slice(span).trim());

const masterText = fc
  .array(
    fc.constantFrom(
      'smtp inet n - n - - smtpd\n',
      'smtp inet n - n - - smtpd -o a=x -v\n',
      'x unix - n n - - pipe\n',
      'x unix - n n - - pipe flags=R argv=/y\n',
      '  -o a=x\n',
      '\t-o b=y\n',
      '  -o { a = x y }\n',
      ' -o {a=x\n',
      '  y }\n',
      '  -o\n',
      '  c=d\n',
      '  -oa=x -v\n',
      '  -vo b=y\n',
      '  -o b = x\n',
      '  -o a=x, y\n',
      '  -o{a=b}\n',
      '  -o{ a = b }\n',
      '  # c\n',
      '# c\n',
      '\n',
      '  -v\n',
      '  --\n',
      '  flags=R user=x argv=/y ${a}\n',
      '  stray\n',
      '  -o a=x # c\n',
      ' -n x\n',
      '  -o a=x\r\n',
      '  {-o a=x}\n',
      '  {-o} a=x\n',
      '  -o a=${x?{y}\n',
      '  z}\n',
      '  -o a=x\0\n',
    ),
    { maxLength: 10 },
  )
  .chain((lines) => {
    const text = `smtp inet n - n - - smtpd\n${lines.join('')}`;
    return fc.constantFrom('', '\n', '\r\n').map((end) => text.replace(/\r?\n$/, end));
  });

/** One argument as it means. */
function meaning(argument: Override | Argument): string {
  const text =
    argument.kind === 'override' ? `${argument.name}=${squeeze(argument.value)}` : squeeze(argument.text);
  return `${argument.kind === 'override' ? '-o' : argument.kind} ${text}`;
}

const fieldsOf = (service: ServiceEntry): string =>
  Object.values(service.fields)
    .map(({ text }) => text)
    .join(' ');

/** Everything but one service. */
const others = (tree: MasterCf, index: number): string[] =>
  tree.items.flatMap((item, at) => {
    if (at === index) return [];
    return [
      item.kind === 'service' ? `${fieldsOf(item)} ${item.arguments.map(meaning).join(' ')}` : item.code,
    ];
  });

/** What a builder gives, or undefined where it refuses. */
function attempt(build: () => Edit[]): Edit[] | undefined {
  try {
    return build();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function same(found: unknown, expected: unknown): void {
  expect(found).toEqual(expected);
}

function checkMain(text: string, value: string, choice: number): void {
  const tree = mainOf(text);
  const before = mainItems(tree);
  const added = mainOf(apply(text, addEntry(tree, 'b_c_n', value, choice % 2 === 0 ? ['b_d'] : [])));
  const at = added.items.findIndex((item) => item.kind === 'entry' && item.name === 'b_c_n');
  same(mainItems(added), before.toSpliced(at, 0, `b_c_n = ${squeeze(value)}`));
  same(comments(added), comments(tree));

  const entries = tree.items.flatMap((item, index) => (item.kind === 'entry' ? [{ item, index }] : []));
  const chosen = entries[choice % Math.max(1, entries.length)];
  if (chosen === undefined) return;
  const { item, index } = chosen;
  const edits = attempt(() => replaceValue(tree, item, value));
  if (edits !== undefined) {
    const replaced = mainOf(apply(text, edits));
    same(mainItems(replaced), before.with(index, `${item.name} = ${squeeze(value)}`));
    same(comments(replaced), comments(tree));
  }
  const removed = mainOf(apply(text, removeEntry(tree, item)));
  same(mainItems(removed), before.toSpliced(index, 1));
  same(comments(removed), comments(tree));
}

/** Every `#` that stands behind other text can be moved; what is left is the text without it. */
function checkMovedComment(text: string): void {
  const tree = mainOf(text);
  const items = tree.items.map(({ line }) => line);
  for (const [index, line] of tree.lines.entries()) {
    const at = text.indexOf('# x', line.span.start);
    if (line.kind !== 'text' || at < 0 || at >= line.span.end) continue;
    const moved = mainOf(apply(text, moveTrailingComment(tree, at)));
    same(
      comments(moved),
      comments(tree).toSpliced(
        tree.lines.slice(0, index).filter(({ kind }) => kind === 'comment').length,
        0,
        '# x',
      ),
    );
    const was = items.findIndex(({ span }) => span.start <= at && at < span.end);
    const texts = items.map((item) => squeeze(item.text));
    const expected = texts.with(was, squeeze((texts[was] ?? '').replace(/ # x/, '')));
    same(
      moved.items.map((item) => squeeze(item.line.text).trim()),
      expected.map((item) => item.trim()),
    );
  }
}

function checkMaster(text: string, value: string, choice: number, braces: boolean): void {
  const tree = masterOf(text);
  const services = tree.items.flatMap((item, index) => (item.kind === 'service' ? [{ item, index }] : []));
  const chosen = services[choice % Math.max(1, services.length)];
  if (chosen === undefined) return;
  const { item: service, index } = chosen;
  const before = service.arguments.map(meaning);
  const after = (edits: readonly Edit[]): ServiceEntry => {
    const edited = masterOf(apply(text, edits));
    same(others(edited, index), others(tree, index));
    same(edited.items.length, tree.items.length);
    same(comments(edited).filter((comment) => comment === '# c').length >= comments(tree).length, true);
    const item = edited.items[index] as ServiceEntry;
    same(fieldsOf(item), fieldsOf(service));
    return item;
  };

  const adding = attempt(() => addOverride(tree, service, 'n', value, braces));
  if (adding !== undefined) {
    const found = after(adding).arguments;
    const at = found.findIndex((argument) => argument.kind === 'override' && argument.name === 'n');
    same(found[at]?.reached, true);
    same(found.map(meaning), before.toSpliced(at, 0, `-o n=${squeeze(value)}`));
  }

  // A brace that is never closed makes what is one argument uncertain.
  if (tree.problems.some(({ code }) => code === 'unclosed-brace' || code === 'text-after-brace')) return;
  const at = choice % Math.max(1, service.arguments.length);
  const target = service.arguments[at];
  if (target === undefined || (target.kind !== 'override' && target.meant === null)) return;
  const end = target.meant?.valueSpan.end ?? 0;
  const kept = service.arguments.slice(at + 1).filter(({ span }) => span.end > end);
  // A trailing comment that is left alone on its line is a comment at last, and what follows it is read.
  if (kept[0]?.kind !== 'override' && kept[0]?.text === '#') return;
  const compare = (edits: readonly Edit[], replaced: readonly string[]): void => {
    const expected = [...before.slice(0, at), ...replaced, ...kept.map(meaning)];
    same(after(edits).arguments.map(meaning), expected);
  };
  const replacing = attempt(() => replaceOverride(tree, target, value, braces));
  const { name } = target.meant ?? (target as Override);
  if (replacing !== undefined) compare(replacing, [`-o ${name}=${squeeze(value)}`]);
  compare(removeOverride(tree, service, target), []);
}

describe('properties', () => {
  test('main.cf: exactly the intended change', () => {
    expect(() => fc.assert(fc.property(mainText, values, fc.nat(), checkMain), seeded)).not.toThrow();
  });

  test('main.cf: a moved comment leaves the rest', () => {
    expect(() => fc.assert(fc.property(mainText, checkMovedComment), seeded)).not.toThrow();
  });

  test('master.cf: exactly the intended change', () => {
    const property = fc.property(masterText, values, fc.nat(), fc.boolean(), checkMaster);
    expect(() => fc.assert(property, seeded)).not.toThrow();
  });
});
