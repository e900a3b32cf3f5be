import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { type ExpansionCode, expand, references } from '../../src/postfix/expand.ts';

const NEWEST = '3.11.7';
const nothing = (): undefined => undefined;
const of = (definitions: Readonly<Record<string, string>>) => (name: string) =>
  Object.hasOwn(definitions, name) ? definitions[name] : undefined;

/** postconf writes one blank for any white space, and none at the ends. */
const printed = (value: string) =>
  value
    .split(/[ \t]+/)
    .filter(Boolean)
    .join(' ');

describe('expansion as recorded from postconf -x (test/servers/expansion.test.ts)', () => {
  const file = path.join(import.meta.dirname, '..', 'recorded', 'expansion.json');
  const { definitions, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
    definitions: Record<string, string>;
    cases: { text: string; values: Record<string, string | null> }[];
  };
  const releases = Object.keys(cases[0]?.values ?? {});

  it('covers four releases and many texts', () => {
    expect(releases.length).toBeGreaterThanOrEqual(4);
    expect(cases.length).toBeGreaterThan(200);
  });

  it.each(releases)('is the same for %s', (release) => {
    const actual = cases.map(({ text }) => {
      const { value, failed } = expand(text, of(definitions), release);
      return [text, failed ? null : printed(value)];
    });
    expect(actual).toEqual(cases.map(({ text, values }) => [text, values[release] ?? null]));
  });
});

describe('what postconf does not print', () => {
  /** text, value */
  const cases: readonly (readonly [text: string, value: string])[] = [
    ['  $a  ', '  A  '],
    ['${a?{ x\ty }}', ' x\ty '],
    ['${a? x }', ' x '],
    ['${a?\t{x} }', 'x'],
    ['${a?{x}: y }', 'x'],
    ['${e?{x}: y }', ' y '],
    ['a\r\n$a', 'a\r\nA'],
    ['${\r\na\t}', 'A'],
  ];
  it.each(cases)('%j is %j', (text, value) => {
    expect(expand(text, of({ a: 'A', e: '' }), NEWEST)).toEqual({ value, problems: [], failed: false });
  });
});

describe('older releases', () => {
  const definitions = of({ a: 'A', e: '', bad: 'x${a', nested: '1${a?2$bad}3' });
  /** release, text, value or null for failure */
  const cases: readonly (readonly [release: string, text: string, value: string | null])[] = [
    ['2.11.11', '${a?{x}:{y}}', '{x}:{y}'],
    ['2.11.11', '${e?{x}:{y}}', ''],
    ['2.11.11', '${e:{y}}', '{y}'],
    ['2.11.11', '${a? {x}}', ' {x}'],
    ['2.11.11', '${ a }', null],
    ['2.11.11', '${{a} == {a}}', null],
    // A bracket that is not closed inside a value was no error before 3.0, only the end of the value.
    ['2.11.11', '<$bad>', '<x>'],
    ['2.11.11', '<$nested>', '<12x3>'],
    ['2.11.11', '<${a', null],
    ['3.0.0', '<$bad>', null],
    ['3.0.0', '${a?{x}:{y}}', 'x'],
    ['3.3.0', '${ a }', 'A'],
    ['3.5.25', '${{3.10} >level {3.9}?{x}:{y}}', null],
    ['3.6.0', '${{3.10} >level {3.9}?{x}:{y}}', 'x'],
    ['3.10.13', '${domain_to_ascii{x}}', null],
  ];
  it.each(cases)('%s: %s is %j', (release, text, value) => {
    const expansion = expand(text, definitions, release);
    expect(expansion.failed ? null : expansion.value).toBe(value);
  });
});

describe('problems', () => {
  const definitions = of({ a: 'A', bad: 'x${a', self: '$self', rel: '${{$rel} == {x}}', n: '9'.repeat(30) });
  /** text, code, offset, detail */
  const cases: readonly (readonly [text: string, code: ExpansionCode, at: number, detail: string])[] = [
    ['x $ y', 'empty-name', 2, '$'],
    ['x${}', 'empty-name', 1, '${}'],
    ['x${a', 'unbalanced', 1, '${a'],
    ['x${a?{y}', 'unbalanced', 1, '${a?{y}'],
    ['$(a?{x)', 'unbalanced', 4, '{x'],
    ['x$bad', 'unbalanced', 0, '${a'],
    ['xy${a-b}', 'bad-name', 5, 'a-b'],
    ['$(a?${b-c})', 'bad-name', 7, 'b-c'],
    ['${a?{ ${b-c} }}', 'bad-name', 9, 'b-c'],
    ['$self', 'nesting', 0, 'self'],
    ['$rel', 'nesting', 0, '$rel'],
    ['${{a} = {a}}', 'bad-operator', 6, '= {a}'],
    ['${{a} ==Level {a}}', 'bad-operator', 6, '==Level'],
    ['${{a} == a}', 'missing-operand', 8, ' a'],
    ['${{a} == {a}x}', 'trailing-text', 12, 'x'],
    ['${a?{x}y}', 'trailing-text', 7, 'y'],
    ['${a?{x}:{y}z}', 'trailing-text', 11, 'z'],
    ['${{x} <level {3}}', 'bad-level', 2, 'x'],
    ['${{3} <level {x}}', 'bad-level', 13, 'x'],
    ['${{$n} < {3}}', 'bad-number', 2, '9'.repeat(30)],
    ['${lower{x}}', 'unknown-function', 2, 'lower'],
    ['${domain_to_ascii{}}', 'bad-domain', 17, ''],
    ['${domain_to_ascii{ ${b-c} }}', 'bad-name', 22, 'b-c'],
  ];
  it.each(cases)('%s: %s at %i', (text, code, at, detail) => {
    const { failed, problems } = expand(text, definitions, NEWEST);
    expect({ failed, problems }).toEqual({ failed: true, problems: [{ code, at, detail }] });
  });

  it('takes a name that nothing defines for empty, and says so', () => {
    expect(expand('<$b${a}${a?$c}${e?x}>', definitions, NEWEST)).toEqual({
      value: '<A>',
      failed: false,
      problems: [
        { code: 'undefined', at: 1, detail: 'b' },
        { code: 'undefined', at: 11, detail: 'c' },
      ],
    });
  });

  it('does not look into a value that is raw', () => {
    const options = { raw: (name: string) => name === 'bad' };
    expect(expand('<$bad>', definitions, NEWEST, options)).toEqual({
      value: '<x${a>',
      failed: false,
      problems: [],
    });
  });

  it('keeps what came before an error', () => {
    expect(expand('$a$', definitions, NEWEST).value).toBe('A');
  });
});

describe('bounds', () => {
  it.each(['', 'x', 'x'.repeat(1000)])('ends for values that double 40 times (%#)', (leaf) => {
    const lookup = (name: string) => (name === 'v40' ? leaf : `$v${Number(name.slice(1)) + 1}`.repeat(2));
    const { failed, problems, value } = expand('$v0', lookup, NEWEST);
    expect([failed, problems.at(-1)?.code]).toEqual([true, 'too-large']);
    expect(value.length).toBeLessThanOrEqual(1 << 21);
  });

  it.each([
    '${a?'.repeat(50_000),
    `${'${a?{'.repeat(50_000)}${'}}'.repeat(50_000)}`,
    `${'${{'.repeat(50_000)}a${'} == {}}'.repeat(50_000)}`,
    `${'${domain_to_ascii{'.repeat(50_000)}${'}}'.repeat(50_000)}`,
    '$('.repeat(500_000),
    '$a'.repeat(500_000),
    '$'.repeat(1_000_001),
    'x'.repeat(2_000_000),
  ])('takes long texts (%#)', (text) => {
    const { value, failed } = expand(text, of({ a: 'A' }), NEWEST);
    expect(typeof value === 'string' && typeof failed === 'boolean').toBe(true);
    expect(references(text).length).toBeLessThanOrEqual(text.length);
  });
});

describe('references', () => {
  const cases: readonly (readonly [text: string, found: readonly (readonly [string, string])[]])[] = [
    ['plain', []],
    ['$$a', []],
    [
      '$a.$b',
      [
        ['a', '$a'],
        ['b', '$b'],
      ],
    ],
    ['${ a }', [['a', '${ a }']]],
    ['$(a)', [['a', '$(a)']]],
    [
      '${a?{$b}:{$c}}',
      [
        ['a', '${a?{$b}:{$c}}'],
        ['b', '$b'],
        ['c', '$c'],
      ],
    ],
    [
      '${a?$b}',
      [
        ['a', '${a?$b}'],
        ['b', '$b'],
      ],
    ],
    [
      '${{$a} == {$b} ? {$c} : {$d}}',
      [
        ['a', '$a'],
        ['b', '$b'],
        ['c', '$c'],
        ['d', '$d'],
      ],
    ],
    ['${domain_to_ascii{ ${a}x }}', [['a', '${a}']]],
    // postconf stops at an error, and so it does not count what follows as used.
    ['$a ${b-c} $d', [['a', '$a']]],
    [
      '$a$a',
      [
        ['a', '$a'],
        ['a', '$a'],
      ],
    ],
  ];
  it.each(cases)('%s', (text, found) => {
    expect(references(text).map(({ name, at, length }) => [name, text.slice(at, at + length)])).toEqual(
      found,
    );
  });
});

describe('properties', () => {
  const alphabet = fc.constantFrom(
    ...Array.from('$${{}}()?:= <>!ab_019.\t'),
    'level',
    'é',
    '${a?',
    '{a} == {a}',
  );
  const text = fc.array(alphabet, { maxLength: 40 }).map((parts) => parts.join(''));
  const release = fc.constantFrom('2.6', '2.11', '3.0', '3.5.25', '3.6', NEWEST);

  it('never throws, and fails only for a reason', () => {
    fc.assert(
      fc.property(text, text, text, release, (outer, a, b, version) => {
        const { failed, problems } = expand(outer, of({ a, b }), version);
        expect(problems.length).toBeGreaterThanOrEqual(failed ? 1 : 0);
        for (const { at } of problems) expect(at >= 0 && at <= outer.length).toBe(true);
        for (const { at } of references(outer)) expect(outer[at]).toBe('$');
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves text without $ as it is', () => {
    fc.assert(
      fc.property(fc.string(), release, (any, version) => {
        const plain = any.replaceAll('$', '');
        expect(expand(plain, nothing, version)).toEqual({ value: plain, problems: [], failed: false });
      }),
    );
  });

  it('takes $$ for $', () => {
    fc.assert(
      fc.property(fc.string(), release, (any, version) => {
        const { value, failed } = expand(any.replaceAll('$', '$$$$'), nothing, version);
        expect([value, failed]).toEqual([any, false]);
      }),
    );
  });

  it('puts a value in place of a name, whatever the brackets', () => {
    fc.assert(
      fc.property(fc.string(), release, fc.constantFrom('$a', '${a}', '$(a)'), (any, version, reference) => {
        const lookup = of({ a: any.replaceAll('$', '$$$$') });
        expect(expand(`<${reference}>`, lookup, version).value).toBe(`<${any}>`);
      }),
    );
  });
});
