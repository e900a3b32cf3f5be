import fc from 'fast-check';
import { jsonPlaces, pointerPart } from '../../src/text/json-places.ts';

const at = (text: string, pointer: string): string | undefined => {
  const span = jsonPlaces(text).values.get(pointer);
  return span && text.slice(span.start, span.end);
};

test('comments stand where blanks may', () => {
  const text = '// head\n{ /* a */ "a" /* b */ : // c\n [1 /**/, 2], "b": "// none" } // end';
  const { errorAt, comments } = jsonPlaces(text);
  expect(errorAt).toBeNull();
  expect(comments.map(({ start, end }) => text.slice(start, end))).toEqual([
    '// head',
    '/* a */',
    '/* b */',
    '// c',
    '/**/',
    '// end',
  ]);
  expect([at(text, '/a/1'), at(text, '/b')]).toEqual(['2', '"// none"']);
});

test.each([
  ['{ /* no end', 2],
  ['{ / "a": 1 }', 2],
  ['{"a": 1, // last\n}', 17],
  ['{"a" 1}', 5],
])('%j cannot go on at %d', (text, offset) => {
  expect(jsonPlaces(text).errorAt).toBe(offset);
});

test('a key that stands twice in an object is told, one in another object is not', () => {
  const text = '{"a": {"b": 1}, "c": {"b": 2, "b": 3}}';
  expect(jsonPlaces(text).repeated).toEqual([{ start: 30, end: 33 }]);
});

test('property: every key of a JSON text has its place', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const text = JSON.stringify(value, null, 1);
      for (const [key, part] of Object.entries(value))
        expect(JSON.parse(at(text, `/${pointerPart(key)}`) ?? '')).toEqual(JSON.parse(JSON.stringify(part)));
    }),
  );
});
