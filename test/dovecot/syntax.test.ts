import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { dialectOf } from '../../src/dovecot/syntax/dialect.ts';
import { parseDovecot } from '../../src/dovecot/syntax/parse.ts';
import { type DovecotFile, print, type Statement } from '../../src/dovecot/syntax/tree.ts';
import { SourceFile, type Span } from '../../src/text/source.ts';

const RELEASES = ['2.2.36', '2.3.13', '2.3.19.1', '2.4.0', '2.4.1', '2.4.4', '2.4.5'];

const parse = (text: string, release: string): DovecotFile =>
  parseDovecot(new SourceFile('dovecot.conf', text), dialectOf(release));

/** One statement in a few words, with the source text of its parts. */
function brief({ source }: DovecotFile, statement: Statement): readonly unknown[] {
  const text = (span: Span | null): string | null => (span === null ? null : source.slice(span));
  switch (statement.kind) {
    case 'setting':
      return [
        statement.form,
        statement.key,
        statement.value,
        text(statement.keySpan),
        text(statement.valueSpan),
      ];
    case 'section':
      return [statement.group ? 'group' : 'section', statement.key, statement.name, text(statement.nameSpan)];
    case 'end':
      return ['end', text(statement.span)];
    case 'include':
      return [statement.optional ? 'include_try' : 'include', statement.pattern, text(statement.patternSpan)];
    case 'invalid':
    default:
      return [statement.problem.code, text(statement.problem.span), statement.problem.detail];
  }
}

/** What doveconf of 2.3.19.1 and 2.4.x makes of single lines; see also cases.test.ts. */
const CASES: readonly [what: string, releases: string, text: string, expected: readonly unknown[][]][] = [
  ['a setting', '2.2.36 2.4.5', 'a = b', [['plain', 'a', 'b', 'a', 'b']]],
  ['no blanks', '2.2.36 2.4.5', '\ta=b c \t', [['plain', 'a', 'b c', 'a', 'b c']]],
  ['an empty value', '2.2.36 2.4.5', 'a = # x', [['plain', 'a', '', 'a', '']]],
  ['an equals sign in the value', '2.3.13', 'a = b=c', [['plain', 'a', 'b=c', 'a', 'b=c']]],
  ['no key', '2.3.13 2.4.5', '= b', [['plain', '', 'b', '', 'b']]],
  ['a comment', '2.3.13 2.4.5', 'a = b # c', [['plain', 'a', 'b', 'a', 'b']]],
  ['a comment without a blank', '2.3.13 2.4.5', 'a = b#c', [['plain', 'a', 'b', 'a', 'b']]],
  ['a hash in quotes', '2.3.13 2.4.5', 'a = "b # c" # d', [['quoted', 'a', 'b # c', 'a', '"b # c"']]],
  [
    'an apostrophe that has no partner keeps the comment',
    '2.3.13 2.4.5',
    "a = it's # x",
    [['plain', 'a', "it's # x", 'a', "it's # x"]],
  ],
  [
    'two apostrophes hide a hash between them',
    '2.3.13 2.4.5',
    "a = it's # o'clock # x",
    [['plain', 'a', "it's # o'clock", 'a', "it's # o'clock"]],
  ],
  ['quotes that are only at the start', '2.3.13 2.4.5', 'a = "b" c', [['plain', 'a', '"b" c', 'a', '"b" c']]],
  [
    'quotes at both ends that are not one pair',
    '2.3.13 2.4.5',
    'a = "b" c "d"',
    [['quoted', 'a', 'b" c "d', 'a', '"b" c "d"']],
  ],
  ['a lone quote', '2.3.13 2.4.5', 'a = "', [['quoted', 'a', '', 'a', '"']]],
  ['single quotes', '2.3.13 2.4.5', "a = 'b c'", [['quoted', 'a', 'b c', 'a', "'b c'"]]],
  ['escapes', '2.2.36 2.3.13 2.4.5', 'a = "b\\"c\\\\d"', [['quoted', 'a', 'b"c\\d', 'a', '"b\\"c\\\\d"']]],
  ['any escape', '2.2.36 2.3.19.1 2.4.1', 'a = "b\\nc"', [['quoted', 'a', 'bnc', 'a', '"b\\nc"']]],
  ['an escape that 2.4.2 refuses', '2.4.4 2.4.5', 'a = "b\\nc"', [['unknown-escape', '\\n', 'n']]],
  ['an escape without quotes', '2.4.5', 'a = b\\nc', [['plain', 'a', 'b\\nc', 'a', 'b\\nc']]],
  ['a file', '2.2.36 2.4.5', 'a = < /b c # d', [['file', 'a', '/b c', 'a', '< /b c']]],
  ['a quoted <', '2.2.36 2.4.5', 'a = "</b"', [['quoted', 'a', '</b', 'a', '"</b"']]],
  ['a file whose name begins with <', '2.3.19.1 2.4.4', 'a = <<b', [['file', 'a', '<b', 'a', '<<b']]],
  ['a variable at the start', '2.2.36 2.3.13 2.4.5', 'a = $b c', [['variables', 'a', '$b c', 'a', '$b c']]],
  ['a variable behind a word', '2.2.36 2.3.13', 'a = b $c', [['plain', 'a', 'b $c', 'a', 'b $c']]],
  [
    'a variable behind a word, 2.3.14',
    '2.3.19.1 2.4.5',
    'a = b $c',
    [['variables', 'a', 'b $c', 'a', 'b $c']],
  ],
  ['a variable in quotes', '2.2.36 2.4.5', 'a = "$b"', [['quoted', 'a', '$b', 'a', '"$b"']]],
  ['+=', '2.3.13 2.4.5', 'a += b', [['brace-expected', 'a += b', '']]],
  [
    'a section',
    '2.2.36 2.4.5',
    'a {\n}',
    [
      ['section', 'a', '', null],
      ['end', '}'],
    ],
  ],
  [
    'a name',
    '2.2.36 2.4.5',
    'a b/c { # d\n} # e',
    [
      ['section', 'a', 'b/c', 'b/c'],
      ['end', '}'],
    ],
  ],
  ['a quoted name', '2.2.36 2.4.5', 'a "b c" {', [['section', 'a', 'b c', '"b c"']]],
  ['an empty name', '2.2.36 2.4.5', 'a "" {', [['section', 'a', '', '""']]],
  ['no blank behind a quoted name', '2.2.36 2.4.5', 'a "b"{', [['section', 'a', 'b', '"b"']]],
  ['an unclosed name', '2.3.13 2.4.5', 'a "b {', [['brace-expected', 'a "b {', '']]],
  ['two names', '2.3.13 2.4.5', 'a b c {', [['brace-expected', 'a b c {', '']]],
  ['no blank before the brace', '2.3.13 2.4.5', 'a{', [['brace-expected', 'a{', '']]],
  [
    'the brace on its own line',
    '2.3.13 2.4.5',
    'a b\n{',
    [
      ['brace-expected', 'a b', ''],
      ['brace-expected', '{', ''],
    ],
  ],
  ['a block on one line', '2.3.13 2.4.5', 'a { b = c }', [['text-after-brace', ' b = c }', '']]],
  ['an empty block on one line', '2.3.13 2.4.5', 'a {}', [['text-after-brace', '}', '']]],
  ['text behind an end', '2.3.13 2.4.5', '} a', [['brace-expected', '} a', '']]],
  ['an end behind a value', '2.3.13 2.4.5', 'a = b }', [['plain', 'a', 'b }', 'a', 'b }']]],
  ['an include', '2.2.36 2.4.5', '!include "a b" # c', [['include', '"a b"', '"a b"']]],
  [
    'an include that may be missing',
    '2.2.36 2.4.5',
    '!include_try a/*.conf',
    [['include_try', 'a/*.conf', 'a/*.conf']],
  ],
  ['an include with =', '2.2.36 2.4.5', '!include = a', [['include', '= a', '= a']]],
  ['a group', '2.4.0 2.4.5', 'group @a b {', [['group', '@a', 'b', 'b']]],
  ['a group in 2.3', '2.3.19.1', 'group @a b {', [['brace-expected', 'group @a b {', '']]],
  ['a group without a name', '2.4.5', 'group @a {', [['brace-expected', 'group @a {', '']]],
  ['a group without anything', '2.4.5', 'group @a', [['group-name-missing', 'group @a', '']]],
  ['the use of a group', '2.4.5', '@a = b', [['plain', '@a', 'b', '@a', 'b']]],
  ['a quoted key', '2.4.1 2.4.5', '"a b" = c', [['plain', 'a b', 'c', '"a b"', 'c']]],
  ['a quoted key in 2.3', '2.3.13', '"a b" = c', [['brace-expected', '"a b" = c', '']]],
  ['escapes in a key', '2.4.5', '"a\\"b" = c', [['plain', 'a"b', 'c', '"a\\"b"', 'c']]],
  ['a continuation', '2.2.36 2.4.5', 'a = b \\\n  c', [['plain', 'a', 'b c', 'a', 'b \\\n  c']]],
  [
    'a continuation in quotes',
    '2.2.36 2.4.5',
    'a = "b \\\n  c"',
    [['quoted', 'a', 'b c', 'a', '"b \\\n  c"']],
  ],
  [
    'a continuation before a comment',
    '2.3.13',
    'a = b \\ # c\nd',
    [['plain', 'a', 'b d', 'a', 'b \\ # c\nd']],
  ],
  [
    'a comment that swallows the backslash',
    '2.3.13',
    'a = b # c \\\nd',
    [
      ['plain', 'a', 'b', 'a', 'b'],
      ['brace-expected', 'd', ''],
    ],
  ],
  ['a comment with a backslash', '2.3.13 2.4.5', '# a \\\nb = c', [['plain', 'b', 'c', 'b', 'c']]],
  ['a comment in a continuation', '2.3.13 2.4.5', 'a = b \\\n# c\nd', [['brace-expected', 'd', '']]],
  ['a blank line in a continuation', '2.3.13 2.4.5', 'a = b \\\n\nd = e', [['plain', 'd', 'e', 'd', 'e']]],
  ['a continuation at the end', '2.3.13 2.4.5', 'a = b \\\n', []],
  [
    'CRLF',
    '2.2.36 2.4.5',
    'a = b\r\nc {\r\n}\r\n',
    [
      ['plain', 'a', 'b', 'a', 'b'],
      ['section', 'c', '', null],
      ['end', '}'],
    ],
  ],
  ['a byte order mark', '2.3.13 2.4.5', '\ufeffa = b', [['plain', '\ufeffa', 'b', '\ufeffa', 'b']]],
  [
    'a NUL',
    '2.3.13 2.4.5',
    'a = b\0c\nd = e',
    [
      ['plain', 'a', 'b', 'a', 'b'],
      ['plain', 'd', 'e', 'd', 'e'],
    ],
  ],
  ['a no-break space', '2.3.13 2.4.5', 'a = b\u00a0', [['plain', 'a', 'b\u00a0', 'a', 'b\u00a0']]],
  ['a form feed is no blank', '2.3.13', 'a = b\f', [['plain', 'a', 'b\f', 'a', 'b\f']]],
  ['a form feed is a blank', '2.4.1', 'a = b\f', [['plain', 'a', 'b', 'a', 'b']]],
  [
    'lines up to a marker',
    '2.4.5',
    'a = << END # x\n b # c\n\nEND\nd = e',
    [
      ['heredoc', 'a', ' b # c\n\n', 'a', '<< END # x\n b # c\n\nEND'],
      ['plain', 'd', 'e', 'd', 'e'],
    ],
  ],
  ['a marker that never comes', '2.4.5', 'a = <<END\nb\n END', [['marker-missing', '<<END', 'END']]],
  ['no marker', '2.4.5', 'a = <<', [['file', 'a', '<', 'a', '<<']]],
];

test.each(
  CASES.flatMap(([what, releases, text, expected]) =>
    releases.split(' ').map((release) => ({ what, release, text, expected })),
  ),
)('$release: $what', ({ release, text, expected }) => {
  const file = parse(text, release);
  expect(file.statements.map((statement) => brief(file, statement))).toEqual(expected);
  expect(print(file)).toBe(text);
});

test('physical lines are told apart, and comments behind text have a place', () => {
  const text = '# a\n\nb = c # d\ne = f \\ # g\nh\ni = <<J\nk\nJ\n';
  const { lines, source } = parse(text, '2.4.5');
  expect(lines.map(({ kind, comment }) => [kind, comment === null ? null : source.slice(comment)])).toEqual([
    ['comment', null],
    ['blank', null],
    ['text', '# d'],
    ['continued', '# g'],
    ['text', null],
    ['text', null],
    ['heredoc', null],
    ['heredoc', null],
  ]);
});

test('what the server passes over in silence is said', () => {
  const text = '\ufeffa = b#c\nd = \0\ne \\\n# f\ng \\\n';
  const { problems, source } = parse(text, '2.3.19.1');
  expect(problems.map(({ code, span }) => [code, source.slice(span)])).toEqual([
    ['byte-order-mark', '\ufeff'],
    ['ambiguous-comment', '#'],
    ['null-byte', '\0'],
    ['continuation-broken', 'e \\'],
    ['continuation-at-end', 'g \\'],
  ]);
});

const WORDS = [
  'a',
  ' ',
  '\t',
  '=',
  '{',
  '}',
  '"',
  "'",
  '\\',
  '#',
  '<',
  '<<',
  '$',
  '!include',
  'group',
  '@',
  '\n',
  '\r\n',
  '\0',
  '\f',
  '\ufeff',
  'é',
  'END',
  '\\\n',
];

test('any text is printed as it was, and every span lies in it', () => {
  const input = fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(input, fc.constantFrom(...RELEASES), (text, release) => {
      const file = parse(text, release);
      expect(print(file)).toBe(text);
      let at = 0;
      for (const { line, ...statement } of file.statements) {
        expect(line.span.start).toBeGreaterThanOrEqual(at);
        at = line.span.end;
        for (const value of Object.values(statement)) {
          if (typeof value !== 'object' || value === null || !('start' in value)) continue;
          expect(value.start).toBeGreaterThanOrEqual(line.span.start);
          expect(value.end).toBeGreaterThanOrEqual(value.start);
          expect(value.end).toBeLessThanOrEqual(line.span.end);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ['settings', 'a = b\n'],
  ['comments', '# a\n'],
  ['continuations', 'a \\\n'],
  ['empty continuations', '\\\n'],
  ['sections', 'a {\n'],
  ['quotes', 'a = "'],
  ['escapes', '\\"'],
  ['blanks', ' '],
  ['markers', 'a = <<b\n'],
  ['NUL', 'a\0\n'],
])('1 MB of %s', (_what, unit) => {
  const text = `a = "${unit.repeat(Math.ceil(1e6 / unit.length))}"`;
  // The time is a matter of `npm run bench`; here it must end, and lose nothing.
  expect(print(parse(text, '2.4.5'))).toBe(text);
});

test('every file of the corpus is printed as it was', () => {
  const corpus = path.join(__dirname, '..', '..', '..', 'shared', 'corpus');
  if (!fs.existsSync(corpus)) return;
  const files = fs
    .readdirSync(corpus, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^dv\d+\/files\/.*\.(conf|ext)$/.test(name));
  expect(files.length).toBeGreaterThan(200);
  for (const name of files) {
    const text = fs.readFileSync(path.join(corpus, name), 'utf8');
    for (const release of RELEASES) expect(print(parse(text, release))).toBe(text);
  }
});
