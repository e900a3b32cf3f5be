import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { logicalLines, sourceOffset, sourceSpan } from '../../src/postfix/syntax/logical-lines.ts';
import { parseMainCf } from '../../src/postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../../src/postfix/syntax/master-cf.ts';
import { print } from '../../src/postfix/syntax/print.ts';
import type {
  Assignment,
  LogicalLine,
  MainEntry,
  PhysicalLine,
  ServiceArgument,
  ServiceEntry,
  SyntaxProblem,
} from '../../src/postfix/syntax/tree.ts';
import { type Encoding, SourceFile, type Span } from '../../src/text/source.ts';
import { growthInputs } from '../support/growth.ts';

const file = (text: string, encoding: Encoding = 'utf8') => new SourceFile('main.cf', text, encoding);
const range = ({ start, end }: Span) => [start, end] as const;
const complaints = (problems: readonly SyntaxProblem[]) =>
  problems.map(({ code, span, detail }) => [code, span.start, span.end, detail]);

describe('logical lines', () => {
  /** text, logical texts with their spans, kinds of the physical lines by their first letter, problems. */
  const cases: readonly [
    what: string,
    text: string,
    logical: readonly (readonly [string, number, number])[],
    kinds: string,
    problems: readonly unknown[],
  ][] = [
    ['nothing', '', [], '', []],
    ['one line without its newline', 'a = b', [['a = b', 0, 5]], 't', []],
    [
      'a continuation keeps its white space',
      'a\n  b\nc\n',
      [
        ['a  b', 0, 6],
        ['c', 6, 8],
      ],
      'tct',
      [],
    ],
    [
      'comments and blank lines inside a continuation are skipped',
      'a\n#x\n\n \t\n  # y\n\tb\n',
      [['a\tb', 0, 18]],
      'tcbbcc',
      [],
    ],
    [
      'those after the last continuation belong to no line',
      'a\n b\n # x\n\nc',
      [
        ['a b', 0, 5],
        ['c', 11, 12],
      ],
      'tccbt',
      [],
    ],
    [
      '# starts a comment only where a physical line begins',
      'a # b\n c#d\n',
      [['a # b c#d', 0, 11]],
      'tc',
      [],
    ],
    [
      'an indented first entry, with its continuation',
      '# x\n a = 1\n b\nc = 2\n',
      [
        [' a = 1 b', 4, 14],
        ['c = 2', 14, 20],
      ],
      'ctct',
      [['indented-first', 5, 13, 'a = 1 b']],
    ],
    ['\\v and \\f are white space', 'a\n\vb\n\f\n\fc', [['a\vb\fc', 0, 9]], 'tcbc', []],
    [
      'white space beyond ASCII is text',
      '\u00a0a\n\u2003b',
      [
        ['\u00a0a', 0, 3],
        ['\u2003b', 3, 5],
      ],
      'tt',
      [],
    ],
    [
      'NUL cuts the logical line',
      'a = b\0c\n d\ne',
      [
        ['a = b', 0, 11],
        ['e', 11, 12],
      ],
      'tct',
      [['null-byte', 5, 6, '']],
    ],
    ['NUL at the very start', '\0a = b\n', [['', 0, 7]], 't', [['null-byte', 0, 1, '']]],
    ['NUL in a comment harms nothing', '#\0\na', [['a', 3, 4]], 'ct', []],
    ['one problem a line for NUL', 'a\0b\0c\n \0d\n', [['a', 0, 10]], 'tc', [['null-byte', 1, 2, '']]],
    ['\\r stays', 'a\r\n b\r\n', [['a\r b\r', 0, 7]], 'tc', []],
    ['lone \\r: one line', 'a = 1\rb = 2\r', [['a = 1\rb = 2\r', 0, 12]], 't', []],
    [
      'a byte order mark stays',
      '\ufeffa = b\n',
      [['\ufeffa = b', 0, 7]],
      't',
      [['byte-order-mark', 0, 1, '']],
    ],
    [
      'a byte order mark makes a comment text',
      '\ufeff# a\n',
      [['\ufeff# a', 0, 5]],
      't',
      [['byte-order-mark', 0, 1, '']],
    ],
    [
      'elsewhere it is text like any other',
      'a\n\ufeffb',
      [
        ['a', 0, 2],
        ['\ufeffb', 2, 4],
      ],
      'tt',
      [],
    ],
  ];
  test.each(cases)('%s', (_what, text, logical, kinds, problems) => {
    const result = logicalLines(file(text));
    expect(result.logical.map((line) => [line.text, ...range(line.span)])).toEqual(logical);
    expect(result.lines.map(({ kind }) => kind[0]).join('')).toBe(kinds);
    expect(complaints(result.problems)).toEqual(problems);
  });

  test('a byte order mark in a file that was read as Latin-1', () => {
    const text = '\u00ef\u00bb\u00bfa = \u00e9';
    expect(complaints(logicalLines(file(text, 'latin1')).problems)).toEqual([['byte-order-mark', 0, 3, '']]);
    expect(logicalLines(file(text)).problems).toEqual([]);
  });

  test('offsets of a broken line', () => {
    const line = logicalLines(file('x\nab\n#\n  cd\n')).logical[1] as LogicalLine;
    expect(line).toMatchObject({ text: 'ab  cd', firstLine: 1, endLine: 4 });
    expect([0, 1, 2, 3, 4, 5, 6].map((at) => sourceOffset(line, at))).toEqual([2, 3, 7, 8, 9, 10, 11]);
    expect(range(sourceSpan(line, 0, 6))).toEqual([2, 11]);
    expect(range(sourceSpan(line, 0, 2))).toEqual([2, 4]);
    expect(range(sourceSpan(line, 2, 2))).toEqual([4, 4]);
    expect(range(sourceSpan(line, 0, 0))).toEqual([2, 2]);
  });
});

describe('main.cf', () => {
  /** text, [name, its span, value, its span] of every entry. */
  const entries: readonly [
    what: string,
    text: string,
    entries: readonly (readonly [string, number, number, string, number, number])[],
  ][] = [
    [
      'blanks around =',
      'a = b\nc=d\ne\t =  f \n',
      [
        ['a', 0, 1, 'b', 4, 5],
        ['c', 6, 7, 'd', 8, 9],
        ['e', 10, 11, 'f', 16, 17],
      ],
    ],
    ['later = belong to the value', 'a = b = c=\n', [['a', 0, 1, 'b = c=', 4, 10]]],
    [
      'an empty value',
      'a =\nb = \t\n',
      [
        ['a', 0, 1, '', 3, 3],
        ['b', 4, 5, '', 7, 7],
      ],
    ],
    ['an empty value at the end', 'a=', [['a', 0, 1, '', 2, 2]]],
    ['a value that starts on the next line', 'a =\n  b,\n  c\n', [['a', 0, 1, 'b,  c', 6, 12]]],
    ['a comment inside', 'a = b,\n# x\n\tc', [['a', 0, 1, 'b,\tc', 4, 13]]],
    ['an indented setting is swallowed', 'a = 1\n b = 2\n', [['a', 0, 1, '1 b = 2', 4, 12]]],
    ['= on the next line', 'a\n = b', [['a', 0, 1, 'b', 5, 6]]],
    ['a trailing comment is value', 'a = may # why\n', [['a', 0, 1, 'may # why', 4, 13]]],
    [
      'duplicates stay',
      'a = 1\na = 2\n',
      [
        ['a', 0, 1, '1', 4, 5],
        ['a', 6, 7, '2', 10, 11],
      ],
    ],
    [
      'any character in a name',
      '\u00e9{-}$ = 1\n\ufeffb=2',
      [
        ['\u00e9{-}$', 0, 5, '1', 8, 9],
        ['\ufeffb', 10, 12, '2', 13, 14],
      ],
    ],
    [
      'CRLF',
      'a = b\r\nc =\r\n d\r\n',
      [
        ['a', 0, 1, 'b', 4, 5],
        ['c', 7, 8, 'd', 13, 14],
      ],
    ],
    ['a backslash is data', 'a = b \\\n c\n', [['a', 0, 1, 'b \\ c', 4, 10]]],
    ['NBSP is no white space', 'a\u00a0=\u00a0b\u00a0\n', [['a\u00a0', 0, 2, '\u00a0b\u00a0', 3, 6]]],
    ['a value cut by NUL', 'a = b \0c\n', [['a', 0, 1, 'b', 4, 5]]],
    ['lone \\r', 'a = 1\rb = 2\r', [['a', 0, 1, '1\rb = 2', 4, 11]]],
  ];
  test.each(entries)('%s', (_what, text, expected) => {
    const { items } = parseMainCf(file(text));
    const found = items.map((item) =>
      item.kind === 'entry'
        ? [
            item.name,
            item.nameSpan.start,
            item.nameSpan.end,
            item.value,
            item.valueSpan.start,
            item.valueSpan.end,
          ]
        : item.code,
    );
    expect(found).toEqual(expected);
  });

  const invalid: readonly [
    what: string,
    text: string,
    items: readonly string[],
    problems: readonly unknown[],
  ][] = [
    ['no =', 'a = 1\nhello\n b\n', ['a', 'missing-equals'], [['missing-equals', 6, 11, 'hello']]],
    ['two words before =', 'my host = 1\n', ['missing-equals'], [['missing-equals', 0, 2, 'my']]],
    ['no name', '= 1 \nb=2', ['missing-name', 'b'], [['missing-name', 0, 3, '= 1']]],
    ['indented first', '\ta = 1\nb = 2', ['indented-first', 'b'], [['indented-first', 1, 6, 'a = 1']]],
    [
      'nothing before NUL',
      '\0a=b',
      ['missing-name'],
      [
        ['missing-name', 0, 0, ''],
        ['null-byte', 0, 1, ''],
      ],
    ],
    [
      'a byte order mark before a comment',
      '\ufeff# x\n',
      ['missing-equals'],
      [
        ['byte-order-mark', 0, 1, ''],
        ['missing-equals', 0, 2, '\ufeff#'],
      ],
    ],
  ];
  test.each(invalid)('invalid: %s', (_what, text, items, problems) => {
    const tree = parseMainCf(file(text));
    expect(tree.items.map((item) => (item.kind === 'entry' ? item.name : item.code))).toEqual(items);
    expect(complaints(tree.problems)).toEqual(problems);
  });
});

/** `reached` and kind in front of what was read: `+-o name=value`. */
function sketch(argument: ServiceArgument): string {
  const sign = argument.reached ? '+' : '!';
  const meant = argument.meant === null ? '' : ` (${argument.meant.name}|${argument.meant.value})`;
  if (argument.kind === 'override')
    return `${sign}${argument.form} ${argument.name}|${argument.value}${meant}`;
  return `${sign}${argument.kind} ${argument.text}${meant}`;
}

const firstService = (text: string) => parseMasterCf(file(text)).items[0] as ServiceEntry;

describe('master.cf', () => {
  const head = 'smtp inet n - n - - smtpd ';
  const pipe = 'x unix - n n - - pipe ';

  test('the eight fields', () => {
    const text = 'smtp\tinet  n - y 60? 1 libexec/smtpd\n';
    const { fields, arguments: rest } = firstService(text);
    const found = Object.entries(fields).map(([name, { text: word, span }]) => [
      name,
      word,
      span.start,
      span.end,
    ]);
    expect(found).toEqual([
      ['service', 'smtp', 0, 4],
      ['type', 'inet', 5, 9],
      ['private', 'n', 11, 12],
      ['unpriv', '-', 13, 14],
      ['chroot', 'y', 15, 16],
      ['wakeup', '60?', 17, 20],
      ['maxproc', '1', 21, 22],
      ['command', 'libexec/smtpd', 23, 36],
    ]);
    expect(rest).toEqual([]);
  });

  test('fields over several lines, with a comment between', () => {
    const { fields } = firstService('smtp inet n -\n# x\n - - -\r\n smtpd');
    expect(range(fields.maxproc.span)).toEqual([23, 24]);
    expect(fields.command).toEqual({ text: 'smtpd', span: { start: 27, end: 32 } });
  });

  const problems: readonly [line: string, problems: readonly unknown[]][] = [
    ['smtp inet n - n - - smtpd', []],
    ['smtp inet n - n - -', [['bad-field-count', 0, 19, '7']]],
    ['smtp # inet', [['bad-field-count', 0, 11, '3']]],
    ['smtp unix-dgram - - n - - smtpd', []],
    ['smtp tcp n - n - - smtpd', [['bad-service-type', 5, 8, 'tcp']]],
    ['smtp - n - n - - smtpd', [['bad-service-type', 5, 6, '-']]],
    [
      'smtp inet N Y no - - smtpd',
      [
        ['bad-flag-field', 10, 11, 'N'],
        ['bad-flag-field', 12, 13, 'Y'],
        ['bad-flag-field', 14, 16, 'no'],
      ],
    ],
    ['smtp inet - - n - - smtpd', [['inet-private', 10, 11, '-']]],
    ['smtp inet y - n - - smtpd', [['inet-private', 10, 11, 'y']]],
    ['smtp pass y - n - - smtpd', []],
    ['smtp unix - - n 300? 0 smtpd', []],
    [
      'smtp unix - - n -1 -1 smtpd',
      [
        ['bad-number-field', 16, 18, '-1'],
        ['bad-number-field', 19, 21, '-1'],
      ],
    ],
    [
      'smtp unix - - n ? 1? smtpd',
      [
        ['bad-number-field', 16, 17, '?'],
        ['bad-number-field', 18, 20, '1?'],
      ],
    ],
    ['smtp unix - - n -? 1 smtpd', [['bad-number-field', 16, 18, '-?']]],
    ['smtp unix - - n - - -', [['bad-command', 20, 21, '-']]],
    [' smtp unix - - n - - smtp', [['indented-first', 1, 25, 'smtp unix - - n - - smtp']]],
    [`${head}-o {a=b`, [['unclosed-brace', 29, 33, '{a=b']]],
    [`${head}-o a=\${b -o c=d`, [['unclosed-brace', 29, 41, 'a=${b -o c=d']]],
    [`${head}-o {a=b}{c}`, [['text-after-brace', 29, 37, '{a=b}{c}']]],
    [`${head}-o { a=b }c`, [['text-after-brace', 29, 37, '{ a=b }c']]],
    [`${head}-o`, [['override-without-equals', 26, 28, '-o']]],
    [`${head}-o a`, [['override-without-equals', 26, 30, 'a']]],
    [`${head}-v -oa`, [['override-without-equals', 29, 32, 'a']]],
    [`${head}-o =b`, [['missing-name', 26, 31, '=b']]],
    [`${head}-o {}`, [['missing-name', 26, 31, '']]],
    [`${head}-o a -o b`, [['override-without-equals', 26, 30, 'a']]],
    [`${head}# -o a`, []],
    [
      'a\0b',
      [
        ['bad-field-count', 0, 1, '1'],
        ['null-byte', 1, 2, ''],
      ],
    ],
    ['\0b', [['null-byte', 0, 1, '']]],
  ];
  test.each(problems)('problems of %j', (line, expected) => {
    expect(complaints(parseMasterCf(file(`${line}\n`)).problems)).toEqual(expected);
  });

  const args: readonly [text: string, expected: readonly string[]][] = [
    [`${head}-o a=b`, ['+plain a|b']],
    [
      `${head}-oa=b -vo c=d -vDoe=f`,
      ['+joined a|b', '+option -v', '+plain c|d', '+option -vD', '+joined e|f'],
    ],
    [`${head}-o a=b=c -o d=`, ['+plain a|b=c', '+plain d|']],
    [`${head}-o { a = b c } -o {d=e}`, ['+braced a|b c', '+braced d|e']],
    [`${head}-o {a=b {c} }`, ['+braced a|b {c}']],
    [`${head}-o a=\${b?{c d}}`, ['+plain a|${b?{c d}}']],
    [`${head}-o {a=b}{c} -v`, ['+braced a|b', '+option -v']],
    [`${head}-o a=}b -v`, ['+plain a|}b', '+option -v']],
    [`${head}-o a=b }c`, ['+plain a|b (a|b }c)', '+stray }c']],
    [`${head}-o{a=b}`, ['+joined-braced {a|b} (a|b)']],
    [`${head}-o{a = b} -v`, ['+joined-braced {a|b} (a|b)', '+option -v']],
    [`${head}-o{ a = b } -v`, ['+bad-override -o{ a = b } (a|b)', '!option -v']],
    [`${head}-o{a}={b}`, ['+joined-braced {a}|{b}']],
    [`${head}-o a = b -o c=d`, ['+bad-override -o a (a|b)', '!stray =', '!stray b', '!plain c|d']],
    [`${head}-o a =b`, ['+bad-override -o a (a|b)', '!stray =b']],
    [`${head}-o a =`, ['+bad-override -o a (a|)', '!stray =']],
    [
      `${head}-o a = b, c # d`,
      ['+bad-override -o a (a|b, c)', '!stray =', '!stray b,', '!stray c', '!stray #', '!stray d'],
    ],
    [`${head}-o a= b`, ['+plain a| (a|b)', '+stray b']],
    [`${head}-o a=b, c  d -o e=f`, ['+plain a|b, (a|b, c  d)', '+stray c', '!stray d', '!plain e|f']],
    [`${head}-o a=b # c`, ['+plain a|b', '+stray #', '!stray c']],
    [`${head}-o a=b -- -o c=d`, ['+plain a|b', '+option --', '+stray -o', '!stray c=d']],
    [`${head}- -v`, ['+stray -', '!option -v']],
    [
      `${head}-v -D -n x -nx -i 10 -vt y`,
      ['+option -v', '+option -D', '+option -n x', '+option -nx', '+option -i 10', '+option -vt y'],
    ],
    [`${head}-n`, ['+stray -n']],
    [`${head}-x -v`, ['+stray -x', '!option -v']],
    [`${head}--a=b`, ['+stray --a=b']],
    [`${head}-o -v`, ['+bad-override -o -v']],
    [`${head}-o a`, ['+bad-override -o a']],
    [`${head}-o`, ['+bad-override -o']],
    [`${head}{-o} {a=b}`, ['+braced a|b']],
    [`${head}{-o a=b c}`, ['+joined a|b c']],
    [`${head}{}`, ['+stray {}']],
    [`${head}-o {a=b -v`, ['+braced a|b -v']],
    [
      `${pipe}flags=R user=x argv=/y -o z=1 # \${s}`,
      [
        '+command flags=R',
        '+command user=x',
        '+command argv=/y',
        '+command -o',
        '+command z=1',
        '+command #',
        '+command ${s}',
      ],
    ],
    [`${pipe}-o a=b -v user=x`, ['+plain a|b', '+option -v', '+command user=x']],
    [`${pipe}-- -o a`, ['+option --', '+command -o', '+command a']],
    [`${pipe}-o a user=x`, ['+bad-override -o a', '!command user=x']],
    [`${pipe}argv=/y { a  b }`, ['+command argv=/y', '+command { a  b }']],
    ['x unix - n n - 0 lib/spawn user=x argv=/y', ['+command user=x', '+command argv=/y']],
    ['x unix - n n - 0 pipes user=x', ['+stray user=x']],
    ['x unix - - n - - lmtp -o a=b flags=O', ['+plain a|b', '+command flags=O']],
    ['x unix - - n - - smtp flags=O -o a=b', ['+command flags=O', '+stray -o', '!stray a=b']],
    ['x unix - - n - - smtp -o a= b flags=O', ['+plain a| (a|b)', '+stray b', '!command flags=O']],
  ];
  test.each(args)('arguments of %j', (text, expected) => {
    expect(firstService(text).arguments.map(sketch)).toEqual(expected);
  });

  test('spans of overrides', () => {
    const text = `${head}-vo a=b\n  -o { c =\n# x\n d }\n`;
    const [verbose, first, second] = firstService(text).arguments;
    expect(range(verbose?.span ?? { start: 0, end: 0 })).toEqual([26, 28]);
    expect(first).toMatchObject({
      span: { start: 28, end: 33 },
      nameSpan: { start: 30, end: 31 },
      valueSpan: { start: 32, end: 33 },
    });
    expect(second).toMatchObject({
      value: 'd',
      span: { start: 36, end: text.length - 1 },
      nameSpan: { start: 41, end: 42 },
      valueSpan: { start: 50, end: 51 },
    });
  });

  test('an -o under a service that was commented out belongs to the one above', () => {
    const tree = parseMasterCf(file(`${head}\n#submission inet n - n - - smtpd\n  -o a=b\n`));
    expect(tree.items).toHaveLength(1);
    expect(firstService(`${head}\n#x\n  -o a=b\n`).arguments.map(sketch)).toEqual(['+plain a|b']);
  });
});

const isSpace = (letter: string) => ' \t\n\v\f\r'.includes(letter);

/** A second reading of readlline.c, as slow and simple as it can be. */
function naive(text: string): string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const first = line.split('').find((letter) => !isSpace(letter));
    if (first === undefined || first === '#') continue;
    if (isSpace(line.charAt(0)) && found.length > 0) found.push(`${found.pop()}${line}`);
    else found.push(line);
  }
  return found.map((line) => line.split('\0')[0] ?? '');
}

const pieces = fc.constantFrom(
  ' ',
  '  ',
  '\t',
  '#',
  '=',
  '{',
  '}',
  '\r',
  '\n',
  '\n',
  '\n ',
  '\r\n',
  '\n#',
  '\0',
  '\ufeff',
  '\v',
  '\f',
  ',',
  '-o',
  '-o ',
  '-v',
  '--',
  'a',
  'b',
  'smtp',
  'inet',
  'n',
  '-',
  ' - ',
  '\u00e9',
  '\u{1f4e7}',
  '\u00a0',
  'a = b',
  '\nsmtp inet n - n - - smtpd',
  '\nx unix - n n - - pipe ',
);
const anyText = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''));
const seeded = { seed: 20261122, numRuns: 2000 };

/** Every place in a tree, checked: inside the text, in order; the text equal to the source where it is unbroken. */
function checkTree(text: string): void {
  const source = file(text);
  const main = parseMainCf(source);
  const master = parseMasterCf(source);
  expect(print(main)).toBe(text);
  expect(print(master)).toBe(text);
  checkLines(text, main.lines);
  const texts = naive(text);
  expect(main.items.map(({ line }) => line.text)).toEqual(texts);
  expect(master.items.map(({ line }) => line.text)).toEqual(texts);
  for (const { span } of [...main.problems, ...master.problems])
    checkSpan(span, { start: 0, end: text.length });
  for (const item of main.items) {
    checkLine(text, item.line);
    if (item.kind === 'entry') checkEntry(text, item);
  }
  for (const item of master.items) {
    checkLine(text, item.line);
    if (item.kind === 'service') checkService(text, item);
  }
}

function checkSpan(inner: Span, outer: Span): void {
  if (inner.start < outer.start || inner.end < inner.start || inner.end > outer.end) {
    throw new Error(`span ${String(range(inner))} is not inside ${String(range(outer))}`);
  }
}

function checkLines(text: string, lines: readonly PhysicalLine[]): void {
  let at = 0;
  for (const { span } of lines) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline + 1;
    if (span.start !== at || span.end !== end)
      throw new Error(`line ${String(range(span))} should be ${at},${end}`);
    at = span.end;
  }
  expect(at).toBe(text.length);
}

function checkLine(text: string, line: LogicalLine): void {
  checkSpan(line.span, { start: 0, end: text.length });
  const joined = line.pieces.map(({ source, length }) => text.slice(source, source + length)).join('');
  expect(joined).toBe(line.text);
  const letters = Array.from({ length: line.text.length }, (_, at) => text[sourceOffset(line, at)]);
  expect(letters.join('')).toBe(line.text);
}

/** The slice of a span without line ends, and without the comments and blank lines inside it. */
function unbroken(text: string, { start, end }: Span): string {
  const parts = text.slice(start, end).split('\n');
  const inside = (at: number) => at > 0 && at < parts.length - 1;
  return parts.filter((line, at) => !inside(at) || !/^[ \t\v\f\r]*(?:#.*)?$/s.test(line)).join('');
}

function checkAssignment(text: string, at: Assignment, outer: Span): void {
  checkSpan(at.nameSpan, outer);
  checkSpan(at.valueSpan, { start: at.nameSpan.end, end: outer.end });
  expect(unbroken(text, at.nameSpan)).toBe(at.name);
  expect(unbroken(text, at.valueSpan)).toBe(at.value);
}

function checkEntry(text: string, entry: MainEntry): void {
  checkAssignment(text, entry, entry.line.span);
  expect(entry.equalsSpan).toEqual({ start: entry.nameSpan.end, end: entry.valueSpan.start });
  expect(unbroken(text, entry.equalsSpan)).toMatch(/^[ \t\v\f\r]*=[ \t\v\f\r]*$/);
}

function checkService(text: string, service: ServiceEntry): void {
  let at = service.line.span.start;
  for (const token of Object.values(service.fields)) {
    checkSpan(token.span, { start: at, end: service.line.span.end });
    expect(unbroken(text, token.span)).toBe(token.text);
    at = token.span.end;
  }
  let alive = true;
  for (const argument of service.arguments) {
    checkSpan(argument.span, { start: at, end: service.line.span.end });
    at = argument.span.end;
    expect(argument.reached).toBe(alive);
    if (argument.kind === 'stray' || argument.kind === 'bad-override') alive = false;
    if (argument.kind === 'override') checkAssignment(text, argument, argument.span);
    else expect(unbroken(text, argument.span)).toBe(argument.text);
    if (argument.meant !== null) {
      checkAssignment(text, argument.meant, { start: argument.span.start, end: service.line.span.end });
    }
  }
}

describe('properties', () => {
  test('any text: nothing is lost, every place is right', () => {
    expect(() => fc.assert(fc.property(anyText, checkTree), seeded)).not.toThrow();
  });

  test('any arguments', () => {
    const heads = fc.constantFrom('smtp inet n - n - - smtpd ', 'x unix - n n - - pipe ');
    const property = fc.property(heads, anyText, (head, rest) => checkTree(`${head}${rest}`));
    expect(() => fc.assert(property, seeded)).not.toThrow();
  });
});

describe('real files', () => {
  const corpus = path.join(import.meta.dirname, '..', '..', '..', 'shared', 'corpus');
  const files = existsSync(corpus)
    ? readdirSync(corpus).flatMap((id) =>
        ['main.cf', 'master.cf']
          .map((name) => path.join(corpus, id, 'files', name))
          .filter((name) => existsSync(name)),
      )
    : [];
  test('the whole corpus', () => {
    for (const name of files) {
      expect(() => checkTree(readFileSync(name).toString('latin1'))).not.toThrow();
    }
  });
});

describe('size', () => {
  test.each(growthInputs(1e6))('1 MB of %s', (_what, text) => {
    // The time is a matter of `npm run bench`; here it must end, and lose nothing.
    expect(print(parseMainCf(file(text)))).toBe(text);
    expect(print(parseMasterCf(file(text)))).toBe(text);
  });
});
