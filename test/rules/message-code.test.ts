import { pages } from 'virtual:builtin-rule-pages';
import Handlebars from 'handlebars';
import { messageCode } from '../../src/build/message-code.ts';
import { templateOf } from '../../src/rules/message-code.ts';
import { TEMPLATE_HELPERS, TEMPLATE_OPTIONS } from '../../src/rules/messages.ts';

const handlebars = Handlebars.create();
for (const [name, helper] of Object.entries(TEMPLATE_HELPERS)) handlebars.registerHelper(name, helper);

/** What a template of Handlebars makes of data, or that it makes nothing of it. */
function byHandlebars(template: string, data: object): string | null {
  try {
    return handlebars.compile(template, TEMPLATE_OPTIONS)(data);
  } catch {
    return null;
  }
}

function byCode(template: string, data: Readonly<Record<string, unknown>>): string | null {
  try {
    return templateOf(messageCode(template))(data);
  } catch {
    return null;
  }
}

const VALUES = [
  '',
  'a word',
  '"<&>"',
  0,
  1,
  2,
  true,
  false,
  null,
  [],
  ['one'],
  ['one', 'two', 'three'],
  { in: 'x' },
];

/** Every name that stands in a template, with one of the values each; of two names with a dot, one in the other. */
function dataFor(template: string, turn: number): Readonly<Record<string, unknown>> {
  const data: Record<string, unknown> = {};
  const paths = [...template.matchAll(/\{\{[^}]*\}\}/g)].flatMap(([tag]) =>
    [...tag.replace(/"[^"]*"/g, '').matchAll(/(?<![@#/\w.])[A-Za-z_]\w*(?:\.\w+)?/g)].map(([path]) => path),
  );
  for (const [index, path] of paths.entries()) {
    const [name = '', member] = path.split('.');
    const value = VALUES[(turn * 7 + index * 3) % VALUES.length];
    if (member !== undefined) data[name] = { [member]: value };
    else data[name] ??= value;
  }
  for (const [, name = ''] of template.matchAll(/\{\{#each (\w+)\}\}/g))
    data[name] = VALUES.slice(0, turn % 3).map((value) => ({ ...data, name: value, value }));
  return data;
}

describe('a message says what Handlebars makes of its template', () => {
  test.each(
    pages.flatMap(({ id, messages }) =>
      Object.entries(messages).map(([name, message]) => [`${id} ${name}`, message] as const),
    ),
  )('%s', (_, { text, advice }) => {
    for (const template of [text, advice]) {
      for (let turn = 0; turn < VALUES.length; turn++) {
        const data = dataFor(template, turn);
        expect(byCode(template, data)).toBe(byHandlebars(template, data));
      }
    }
  });

  test.each([
    ['{{a}} and {{b}}', { a: 'x', b: ['y', 'z'] }, 'x and y,z'],
    ['{{#if a}}yes{{else}}no{{/if}}', { a: 0 }, 'no'],
    ['{{#if a}}yes{{else}}no{{/if}}', { a: [] }, 'no'],
    ['{{#if a}}yes{{/if}}', {}, ''],
    ['{{#unless a}}none{{/unless}}', { a: '' }, 'none'],
    ['{{#if (eq a "x")}}x{{else}}other{{/if}}', { a: 'x' }, 'x'],
    ['{{plural a "port" "ports"}} {{quote b}} {{list c}}', { a: 1, b: '', c: ['p', 'q'] }, 'port "" p and q'],
    [
      '{{#each a}}{{#unless @first}}, {{/unless}}{{b.c}}{{/each}}',
      { a: [{ b: { c: 1 } }, { b: { c: 2 } }] },
      '1, 2',
    ],
    ['{{a}}', {}, null],
    ['{{a.b}}', { a: {} }, null],
  ])('%s', (template, data, expected) => {
    expect(byCode(template, data)).toBe(expected);
    expect(byHandlebars(template, data)).toBe(expected);
  });
});

test.each([
  '{{> part}}',
  '{{../a}}',
  '{{@index}}',
  '{{unknown a}}',
  'in {{list}}',
  '{{list a b=c}}',
  '{{#with a}}x{{/with}}',
  '{{#each a}}x{{else}}y{{/each}}',
  '{{#if a includeZero=true}}x{{/if}}',
])('a message has no %s', (template) => {
  expect(() => messageCode(template)).toThrow('a message has no');
});
