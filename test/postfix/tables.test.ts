import fc from 'fast-check';
import { compilePattern } from '../../src/postfix/table-patterns.ts';
import {
  lookup,
  parseTableReference,
  readTable,
  type Table,
  type TableReference,
  tableStorage,
} from '../../src/postfix/tables.ts';
import { SourceFile } from '../../src/text/source.ts';

const reference = (text: string): TableReference => {
  const parsed = parseTableReference(text);
  if (parsed === null) throw new Error(text);
  return parsed;
};
const table = (type: string, text: string | null): Table => {
  const source = text === null ? null : new SourceFile('table', text);
  const read = readTable(reference(text === null ? type : `${type}:table`), source);
  if (read === null) throw new Error(`${type} cannot be read`);
  return read;
};
/** The value, with a check that the span shows it. */
const find = (read: Table, key: string): string | null => {
  const result = lookup(read, key);
  if (result === 'undecidable') return '?';
  return result?.value ?? null;
};
const complaints = ({ problems }: Table, text: string) =>
  problems.map(({ code, span }) => [code, text.slice(span.start, span.end)]);

describe('references', () => {
  const cases: readonly (readonly [
    text: string,
    parsed: readonly [type: string, name: string, proxied: boolean, storage: string] | null,
  ])[] = [
    ['hash:/etc/postfix/tls_policy', ['hash', '/etc/postfix/tls_policy', false, 'file']],
    ['proxy:hash:/x', ['hash', '/x', true, 'file']],
    ['proxy:proxy:lmdb:/x', ['lmdb', '/x', true, 'file']],
    ['proxy:unix:passwd.byname', ['unix', 'passwd.byname', true, 'opaque']],
    ['inline:{a=b:c}', ['inline', '{a=b:c}', false, 'inline']],
    ['static:{a b}', ['static', '{a b}', false, 'inline']],
    ['texthash:x', ['texthash', 'x', false, 'file']],
    ['regexp:/x', ['regexp', '/x', false, 'file']],
    ['cidr:{{::1 x}}', ['cidr', '{{::1 x}}', false, 'inline']],
    ['unionmap:{static:a,static:b}', ['unionmap', '{static:a,static:b}', false, 'opaque']],
    ['pipemap:{a:b, c:d}', ['pipemap', '{a:b, c:d}', false, 'opaque']],
    ['mysql:/etc/postfix/my.cf', ['mysql', '/etc/postfix/my.cf', false, 'opaque']],
    ['/etc/postfix/x', null],
    ['hash:', null],
    [':x', null],
    ['proxy:x', null],
    ['', null],
  ];
  it.each(cases)('%s', (text, expected) => {
    const parsed = parseTableReference(text);
    expect(parsed && [parsed.type, parsed.name, parsed.proxied, tableStorage(parsed)]).toEqual(expected);
  });

  it('cannot read what is elsewhere, nor a file that is not there', () => {
    expect(readTable(reference('mysql:/x'), new SourceFile('x', 'a b\n'))).toBeNull();
    expect(readTable(reference('hash:/x'), null)).toBeNull();
  });
});

describe('lines of key and value, as postmap -q answers (3.5 to 3.11)', () => {
  const text = `# comment
example.com may
Example.ORG\tencrypt protocols=>=TLSv1.2
  ciphers=high
[mail.example.com]:587 secure
"quoted key" value one
nokey
bad"quote x
key: value
example.com none
esc\\ aped z
`;
  const read = table('hash', text);

  it.each([
    ['example.com', 'may'],
    ['EXAMPLE.com', 'may'],
    ['example.org', 'encrypt protocols=>=TLSv1.2  ciphers=high'],
    ['[mail.example.com]:587', 'secure'],
    ['"quoted key"', 'value one'],
    ['quoted', null],
    ['nokey', null],
    ['key', null],
    ['key:', 'value'],
    ['esc\\ aped', 'z'],
    ['esc', null],
  ])('%s', (key, value) => {
    expect(find(read, key)).toBe(value);
  });

  it('says what is wrong, and where', () => {
    expect(complaints(read, text)).toEqual([
      ['missing-value', 'nokey'],
      ['unbalanced-quote', 'bad"quote x'],
      ['key-with-colon', 'key:'],
      ['duplicate-key', 'example.com'],
    ]);
  });

  it('has places for keys and values', () => {
    expect(
      read.entries.map(({ keySpan, valueSpan }) => [
        text.slice(keySpan.start, keySpan.end),
        text.slice(valueSpan.start, valueSpan.end),
      ]),
    ).toEqual([
      ['example.com', 'may'],
      ['Example.ORG', 'encrypt protocols=>=TLSv1.2\n  ciphers=high'],
      ['[mail.example.com]:587', 'secure'],
      ['"quoted key"', 'value one'],
      ['key:', 'value'],
      ['esc\\ aped', 'z'],
    ]);
  });

  it('drops an indented first line', () => {
    const indented = ' indented first\na  b   c  \n# x\n   d\ne f';
    const other = table('btree', indented);
    expect([find(other, 'indented'), find(other, 'a'), find(other, 'e')]).toEqual([null, 'b   c     d', 'f']);
    expect(complaints(other, indented)).toEqual([['indented-first', 'indented first']]);
  });

  it('cannot open a texthash with a duplicate (dict_thash.c, without the flags of postmap)', () => {
    const other = table('texthash', text);
    expect([other.usable, find(other, 'example.com')]).toEqual([false, '?']);
    expect(table('texthash', 'a b\nc d\n').usable).toBe(true);
  });
});

describe('tables in their name, as postmap -q answers', () => {
  it.each([
    ['inline:{a=b}', 'a', 'b'],
    ['inline:{ {a = b c}, {d=e} f=g, a=last }', 'a', 'last'],
    ['inline:{ {a = b c}, {d=e} f=g, a=last }', 'f', 'g'],
    ['inline:{ {a = b c} }', 'A', 'b c'],
    ['inline:{a=}', 'a', ''],
    ['inline:{a=b=c}', 'a', 'b=c'],
    ['inline:{ {"x y" = z} }', '"x y"', 'z'],
    ['inline:{a=b}', 'x', null],
    ['inline:{ { a = {b} c } }', 'a', '{b} c'],
    ['static:may', 'k', 'may'],
    ['static:{ may x=y }', 'k', 'may x=y'],
    ['static:{}', 'k', ''],
    ['regexp:{ {/a/ x}, {/b/ y z} }', 'b', 'y z'],
    ['regexp:{ {# c} {/a/ x} }', 'a', 'x'],
    ['cidr:{{10.0.0.0/8 ten}}', '10.2.2.2', 'ten'],
  ])('%s gives %s: %j', (text, key, value) => {
    const read = table(text, null);
    expect(find(read, key)).toBe(value);
    const result = lookup(read, key);
    const span = result === 'undecidable' ? undefined : result?.span;
    expect(span === undefined ? null : read.reference.name.slice(span.start, span.end)).toBe(value);
  });

  it.each([
    ['inline:{}', 'empty-table'],
    ['inline:{ }', 'empty-table'],
    ['inline:{a}', 'bad-syntax'],
    ['inline:{ {a=b}x }', 'bad-syntax'],
    ['inline:{"x y"=z}', 'bad-syntax'],
    ['inline:a=b', 'bad-syntax'],
    ['inline:{a=b', 'bad-syntax'],
    ['static:{may', 'bad-syntax'],
    ['static:{may}x', 'bad-syntax'],
    ['regexp:{ /a/ }', 'bad-syntax'],
  ])('%s cannot be opened', (text, code) => {
    const { usable, problems } = table(text, null);
    expect([usable, problems.map((problem) => problem.code)]).toEqual([false, [code]]);
  });
});

describe('regexp, as postmap -q answers', () => {
  const text = `/^a+b$/ plus
/^([a-z]+)\\.example\\.(com)$/ host $1 tld
!/x/ nox
if /^foo/
/bar$/ foobar
endif
/^Case$/i exact
/q/!/z/ qnotz
/no/ $2
/dollar/ a$$b
/empty/
/^[[:digit:]]{3}$/ digits
garbage line
endif
if !/end/
/xx/ inner
`;
  const read = table('regexp', text);

  it.each([
    ['aab', 'plus'],
    ['AAB', 'plus'],
    ['www.example.com', 'host www tld'],
    ['xab', null],
    ['foobar', 'nox'],
    ['fooxbar', 'foobar'],
    ['Case', 'nox'],
    ['qx', 'qnotz'],
    ['qxz', null],
    ['dollarx', 'a$b'],
    ['x empty', ''],
    ['123', 'nox'],
    ['x123', null],
    ['xendxx', null],
    ['xx', 'inner'],
    ['x\u00e9', '?'],
  ])('%s: %j', (key, value) => {
    expect(find(read, key)).toBe(value);
  });

  it('says what is wrong, and where', () => {
    expect(complaints(read, text)).toEqual([
      ['bad-substitution', '$2'],
      ['empty-result', '/empty/'],
      ['unrecognized', 'garbage line'],
      ['endif-without-if', 'endif'],
      ['if-without-endif', 'if !/end/'],
    ]);
  });

  it('does not guess', () => {
    expect(find(table('regexp', '/a\\(b/x c\n/./ d\n'), 'a')).toBe('?');
    expect(find(table('regexp', '/^(a|ab)(c|bcd)$/ $1\n'), 'abcd')).toBe('?');
    expect(find(table('regexp', '/^a/ b\n/(a)\\1/ c\n'), 'ab')).toBe('b');
    expect(find(table('regexp', '/^a/ b\n/(a)\\1/ c\n'), 'c')).toBe('?');
  });

  it.each([
    ['/abc', 'bad-pattern'],
    ['!', 'bad-pattern'],
    ['/a/k b', 'unknown-flag'],
    ['/a/ $x', 'bad-substitution'],
    ['/(a)/ $0', 'bad-substitution'],
    ['!/(a)/ $1', 'bad-substitution'],
  ])('drops %s', (line, code) => {
    const dropped = table('regexp', `${line}\n`);
    expect([dropped.entries, dropped.problems.map((problem) => problem.code)]).toEqual([[], [code]]);
  });
});

describe('cidr, as postmap -q answers', () => {
  const text = `192.0.2.0/24 net
192.0.2.1/24 hostbits
!0.0.0.0/1 upper
2001:db8::/32 six
if 10.0.0.0/24
10.0.0.7 seven
endif
[2001:db9::1] one
10.0.0.0/24 late
[10.1.0.0]/16 brackets
[10.2.0.0/16] inside
x y
10.3.0.0/33 z
10.4.0.0/16
`;
  const read = table('cidr', text);

  it.each([
    ['192.0.2.5', 'net'],
    ['192.0.3.5', 'upper'],
    ['10.0.0.7', 'seven'],
    ['10.0.0.8', 'late'],
    ['10.1.2.3', 'brackets'],
    ['10.2.2.3', 'inside'],
    ['10.9.9.9', null],
    ['2001:db8::5', 'six'],
    ['2001:DB8:0::6', 'six'],
    ['2001:db9::1', 'one'],
    ['2001:db9::0.0.0.1', 'one'],
    ['::1', null],
    ['01.2.3.4', null],
    ['text', null],
  ])('%s: %j', (key, value) => {
    expect(find(read, key)).toBe(value);
  });

  it('says what is wrong, and where', () => {
    expect(complaints(read, text)).toEqual([
      ['host-bits', '192.0.2.1/24'],
      ['bad-network', 'x'],
      ['bad-network', '10.3.0.0/33'],
      ['missing-value', '10.4.0.0/16'],
    ]);
  });
});

describe('patterns', () => {
  /** dialect, pattern, text, groups of the match */
  const cases: readonly (readonly [
    'posix' | 'pcre',
    string,
    string,
    readonly (string | undefined)[] | null,
  ])[] = [
    ['posix', 'b+', 'abbc', ['bb']],
    ['posix', '^(a|b)*$', 'abba', ['abba', 'a']],
    ['posix', '^([a-z0-9-]+\\.)*example\\.com$', 'a.b.example.com', ['a.b.example.com', 'b.']],
    ['posix', '[]x]', ']', [']']],
    ['posix', '[^]x]', ']', null],
    ['posix', '[\\.]', '\\', ['\\']],
    ['posix', '[[:alpha:]_-]{2,3}', '1a-b', ['a-b']],
    ['posix', 'a{2}', 'aaa', ['aa']],
    ['posix', '\\bfoo\\b', 'a foo', ['foo']],
    ['posix', '', 'x', ['']],
    ['posix', '(a*)*', 'b', ['', undefined]],
    ['pcre', '[\\.\\d]+', 'a1.2', ['1.2']],
    ['pcre', '(?:a|b)(c)?', 'b', ['b', undefined]],
    ['pcre', 'a+?', 'aaa', ['a']],
    ['pcre', '^\\w+@\\S+\\z', 'a@b', ['a@b']],
  ];
  it.each(cases)('%s /%s/ on %s', (dialect, pattern, text, groups) => {
    const compiled = compilePattern(pattern, { dialect, ignoreCase: true });
    expect(compiled?.match(text)).toEqual(groups);
  });

  it.each([
    ['pcre', '(?=a)'],
    ['pcre', '(a)\\1'],
    ['pcre', 'a++'],
    ['pcre', 'a{,2}'],
    ['pcre', '(?i)a'],
    ['pcre', '\\Qa\\E'],
    ['posix', 'a**'],
    ['posix', '*a'],
    ['posix', '[[.a.]]'],
    ['posix', '\\<a'],
    ['posix', 'a)'],
    ['posix', '\u00e9'],
    ['posix', '(((a{100}){100}){100}){100}'],
    ['posix', '('.repeat(4000)],
  ] as const)('does not guess what %s /%s/ means', (dialect, pattern) => {
    expect(compilePattern(pattern, { dialect, ignoreCase: true })).toBeNull();
  });

  it('agrees with RegExp on what both understand', () => {
    const part = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '(a|b)',
      '(ab)',
      'a*',
      '(b)?',
      '(a)+',
      'b{1,2}',
    );
    const pattern = fc.tuple(
      fc.constantFrom('', '^'),
      fc.array(part, { maxLength: 6 }),
      fc.constantFrom('', '$'),
    );
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, ([start, parts, end], key) => {
        const source = start + parts.join('') + end;
        const expected = new RegExp(source).exec(key);
        const found = compilePattern(source, { dialect: 'pcre', ignoreCase: false })?.match(key);
        expect(found).toEqual(expected === null ? null : [...expected]);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not run away', () => {
    const compiled = compilePattern('^(a+)+$', { dialect: 'posix', ignoreCase: true });
    expect(compiled?.match(`${'a'.repeat(10_000)}b`)).toBeNull();
    expect(compiled?.match('a'.repeat(10_000_000))).toBeUndefined();
  });
});

describe('properties', () => {
  const types = fc.constantFrom('hash', 'texthash', 'regexp', 'pcre', 'cidr');
  const piece = fc.constantFrom(
    ...Array.from(' \t\n#"\\!/{}$:=.'),
    'if ',
    'endif',
    '/a/',
    '10.0.0.0/8',
    '::1',
    'key value\n',
    'é',
    '\0',
  );
  const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(''));

  it('never throws, and every place is in the text', () => {
    fc.assert(
      fc.property(types, text, (type, content) => {
        const read = table(type, content);
        for (const { span } of read.problems)
          expect(span.start <= span.end && span.end <= content.length).toBe(true);
        for (const { valueSpan } of read.entries) expect(valueSpan.end <= content.length).toBe(true);
        for (const key of ['a', '10.1.2.3', '::1', 'é']) lookup(read, key);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws for tables in braces', () => {
    fc.assert(
      fc.property(fc.constantFrom('inline', 'static', 'regexp', 'cidr'), text, (type, content) => {
        const parsed = parseTableReference(`${type}:{${content}`);
        expect(parsed !== null && readTable(parsed, null)).not.toBeNull();
      }),
      { numRuns: 2000 },
    );
  });
});
