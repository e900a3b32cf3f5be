import fc from 'fast-check';
import {
  addAfter,
  addCommentAbove,
  addInSection,
  addLines,
  addSectionInside,
  removeStatement,
  renameKey,
  replaceValue,
  sectionLines,
  writtenValue,
} from '../../src/dovecot/edits.ts';
import { dialectOf } from '../../src/dovecot/syntax/dialect.ts';
import { parseDovecot } from '../../src/dovecot/syntax/parse.ts';
import type {
  DovecotFile,
  EndStatement,
  SectionStatement,
  SettingStatement,
} from '../../src/dovecot/syntax/tree.ts';
import { applyEdits, type Edit } from '../../src/text/edits.ts';
import { SourceFile } from '../../src/text/source.ts';

const PATH = 'etc/dovecot/dovecot.conf';
const RELEASES = ['2.2.36', '2.3.13', '2.3.19.1', '2.4.1', '2.4.5'];
const parse = (text: string, release = '2.3.19.1'): DovecotFile =>
  parseDovecot(new SourceFile(PATH, text), dialectOf(release));
const apply = (file: DovecotFile, edits: readonly Edit[]): string =>
  applyEdits(PATH, file.source.text, edits);

function settingOf(file: DovecotFile, key = 'a'): SettingStatement {
  const found = file.statements.find((statement) => statement.kind === 'setting' && statement.key === key);
  if (found?.kind !== 'setting') throw new Error(`no setting ${key}`);
  return found;
}

function sectionOf(file: DovecotFile, key: string): SectionStatement {
  const found = file.statements.find((statement) => statement.kind === 'section' && statement.key === key);
  if (found?.kind !== 'section') throw new Error(`no section ${key}`);
  return found;
}

const NEW = { key: 'x', written: 'y' };

test.each<[what: string, before: string, written: string, after: string]>([
  ['the bytes of the value only', 'b = 1\n\ta\t= x y  # why\nc = 2', 'z', 'b = 1\n\ta\t= z  # why\nc = 2'],
  ['no blanks', 'a=x\r\n', 'y', 'a=y\r\n'],
  ['quotes', 'a = "x # y" # z\n', 'w', 'a = w # z\n'],
  ['a file by a path', 'a = </etc/x\n', '/etc/x', 'a = /etc/x\n'],
  ['a path by a file', 'a = /etc/x\n', '</etc/x', 'a = </etc/x\n'],
  ['broken lines', 'a = x \\\n  y \\\n z\nb = 1\n', 'w', 'a = w\nb = 1\n'],
  ['nothing', 'a =\nb = 1\n', 'w', 'a = w\nb = 1\n'],
  ['nothing, with blanks', 'a = \n', 'w', 'a = w \n'],
  ['nothing, with a comment', 'a = # x\n', 'w', 'a = w # x\n'],
  ['something by nothing', 'a = x # y\n', '', 'a =  # y\n'],
  ['the same by itself', 'a = x\n', 'x', 'a = x\n'],
])('replaceValue replaces %s', (_, before, written, after) => {
  const file = parse(before);
  expect(apply(file, replaceValue(file, settingOf(file), written))).toBe(after);
});

test.each<[what: string, before: string, after: string]>([
  ['its line', 'b = 1\n  a = x\nc = 2\n', 'b = 1\nc = 2\n'],
  ['the last line without its end', 'b = 1\na = x', 'b = 1\n'],
  ['all its lines', 'a = x \\\n  y \\\n z\nb = 1\n', 'b = 1\n'],
  ['all but the comment behind it', 'b = 1\n  a = x # why\n', 'b = 1\n  # why\n'],
  ['nothing of the comments around it', '# one\na = x\n# two\n', '# one\n# two\n'],
])('removeStatement removes %s', (_, before, after) => {
  const file = parse(before);
  expect(apply(file, removeStatement(file, settingOf(file)))).toBe(after);
});

test('a section is taken away by its brace and its end, and what is in it stays', () => {
  const file = parse('ssl_server {\n  a = 1\n} # end\nb = 2\n', '2.4.1');
  const end = file.statements.find((statement): statement is EndStatement => statement.kind === 'end');
  if (end === undefined) throw new Error('no end');
  const edits = [...removeStatement(file, sectionOf(file, 'ssl_server')), ...removeStatement(file, end)];
  expect(apply(file, edits)).toBe('  a = 1\n# end\nb = 2\n');
});

test.each<[what: string, before: string, after: string]>([
  ['behind it', 'a = x\nb = 1\n', 'a = x\nx = y\nb = 1\n'],
  ['behind its last line', 'a = x \\\n z\nb = 1\n', 'a = x \\\n z\nx = y\nb = 1\n'],
  ['indented like it', 's {\n\ta = x\n}\n', 's {\n\ta = x\n\tx = y\n}\n'],
  ['written like it', 'b = 1\na=x\n', 'b = 1\na=x\nx=y\n'],
  ['with its line ends', 'a = x\r\n', 'a = x\r\nx = y\r\n'],
  ['at an end without a line end', 'b = 1\na = x', 'b = 1\na = x\nx = y\n'],
])('addAfter adds %s', (_, before, after) => {
  const file = parse(before);
  expect(apply(file, addAfter(file, settingOf(file), NEW))).toBe(after);
});

test.each<[what: string, before: string, after: string]>([
  ['as the others', 's {\n      a = x\n}\n', 's {\n      x = y\n      a = x\n}\n'],
  ['in an empty one', '  s {\n  }\n', '  s {\n    x = y\n  }\n'],
  ['where nothing is indented', 's {\na=x\n}\n', 's {\n  x=y\na=x\n}\n'],
])('addInSection adds %s', (_, before, after) => {
  const file = parse(before);
  expect(apply(file, addInSection(file, sectionOf(file, 's'), NEW))).toBe(after);
});

test('sections are added around a setting', () => {
  expect(sectionLines(['service auth', 'unix_listener login'], NEW)).toEqual([
    'service auth {',
    '  unix_listener login {',
    '    x = y',
    '  }',
    '}',
  ]);
  const file = parse('service auth {\n\tclient_limit = 1\n}\n');
  expect(apply(file, addSectionInside(file, sectionOf(file, 'service'), ['inet_listener z'], NEW))).toBe(
    'service auth {\n\tinet_listener z {\n\t  x = y\n\t}\n\tclient_limit = 1\n}\n',
  );
});

test('lines are added at both ends of a file', () => {
  const file = parse('a = 1');
  expect(apply(file, addLines(file, ['b = 2', 'c = 3']))).toBe('a = 1\nb = 2\nc = 3\n');
  expect(apply(file, addLines(file, ['b = 2'], 'start'))).toBe('b = 2\na = 1');
  const marked = parse('\ufeffa = 1\r\n');
  expect(apply(marked, addLines(marked, ['b = 2'], 'start'))).toBe('\ufeffb = 2\r\na = 1\r\n');
});

test('a key is renamed, in its quotes', () => {
  const file = parse('"a" = 1\n', '2.4.5');
  expect(apply(file, renameKey(file, settingOf(file), 'b'))).toBe('"b" = 1\n');
});

test('a comment stands above its line', () => {
  const file = parse('s {\n  a = 1 \\\n  2\n}\n');
  expect(apply(file, addCommentAbove(file, settingOf(file), 'why'))).toBe(
    's {\n  # why\n  a = 1 \\\n  2\n}\n',
  );
});

describe.each(RELEASES)('a value that is written for %s', (release) => {
  const values = fc.oneof(
    fc.string({ unit: fc.constantFrom(...Array.from('ab /:%{}$<#"\'\\ \t=.')), maxLength: 12 }),
    fc.constantFrom('', ' x ', '<x', '$x', "it's # x", '"', "''", 'x\\', '"a" b "c"', '%{user}', '$SET:x'),
  );

  test('is read back as it was, and nothing else changes', () => {
    fc.assert(
      fc.property(values, fc.constantFrom('', ' # why', ' # "quoted"'), (value, comment) => {
        const file = parse(`b = 1\na = x${comment}\nc = 2\n`, release);
        const written = writtenValue(value, dialectOf(release));
        const changed = parse(apply(file, replaceValue(file, settingOf(file), written)), release);
        const read = changed.statements.map((statement) =>
          statement.kind === 'setting' ? [statement.key, statement.value] : statement.kind,
        );
        expect(read).toEqual([
          ['b', '1'],
          ['a', value],
          ['c', '2'],
        ]);
        expect(settingOf(changed).form).not.toBe('file');
        expect(settingOf(changed).form).not.toBe('variables');
        expect(changed.source.text).toContain(comment);
      }),
    );
  });
});
