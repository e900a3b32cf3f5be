// Which rules are asked about which rendering of a template.
import { TemplatedHost } from '../../src/hosts/renderings.ts';
import type { Finding } from '../../src/model/finding.ts';
import { type Asked, evaluateTemplate } from '../../src/rules/evaluate-template.ts';
import { hostInputFromTexts } from '../support/host.ts';

// Two ways, and a hole that takes turns in both.
const MAIN = `relayhost = {{ relay }}
{% if banner %}
smtpd_banner = x
{% endif %}
disable_vrfy_command = no
`;

/** What is found in a rendering: each rule finds the line of a word, where it is there. */
function foundIn(
  text: string,
  words: Readonly<Record<string, string>>,
  only: ReadonlySet<string> | undefined,
) {
  return Object.entries(words).flatMap(([rule, word]) => {
    const start = text.indexOf(word);
    return start < 0 || only?.has(rule) === false ? [] : [{ rule, start, end: start + word.length }];
  });
}

/** What a judge is asked, rendering by rendering: `*` for all rules. */
function asked(words: Readonly<Record<string, string>>, withPossible: boolean, text = MAIN) {
  const host = TemplatedHost.of(hostInputFromTexts({ 'main.cf': text }));
  if (host === null) throw new Error('no template');
  const seen: { readonly banner: boolean; readonly only: string; readonly heard: string }[] = [];
  const texts: string[] = [];
  const named = (rules: Asked['only']): string => [...(rules ?? ['*'])].sort().join(' ');
  const { certain } = evaluateTemplate(
    host,
    new Set(),
    ({ input }, { only, heard }) => {
      const source = input.postfix?.main;
      if (source === undefined || source === null) throw new Error('no main.cf');
      // The last ones are to word what was found.
      if (!/[\ue000-\uf8ff]/.test(source.text)) {
        texts.push(source.text);
        seen.push({ banner: source.text.includes('banner'), only: named(only), heard: named(heard) });
      }
      return foundIn(source.text, words, only).map(
        ({ rule, ...span }): Finding => ({
          rule,
          severity: 'info',
          messageId: 'default',
          message: rule,
          why: '',
          advice: '',
          at: { source, span },
          endpoints: [],
          setting: null,
          actual: null,
          expected: null,
          valueFrom: null,
          ofDefault: false,
          related: [],
          fix: null,
          references: [],
          fingerprint: '',
        }),
      );
    },
    withPossible,
  );
  return { seen, texts, certain: certain.map(({ rule }) => rule).sort(), fillings: host.fillings };
}

const BOTH = { 'of/banner': 'smtpd_banner', 'of/vrfy': 'disable_vrfy_command' };

test('rules whose findings still stand are asked where their lines are, and hear of each other everywhere', () => {
  const { seen, certain, fillings } = asked(BOTH, false);
  expect(certain).toEqual(['of/banner', 'of/vrfy']);
  const later = seen.slice(2);
  expect(later).toHaveLength(2 * fillings - 2);
  for (const { banner, only, heard } of later) {
    expect(only).toBe(banner ? 'of/banner of/vrfy' : 'of/vrfy');
    expect(heard).toBe('of/banner of/vrfy');
  }
});

test('a way in which nothing stands any more is asked nothing', () => {
  const { seen, fillings } = asked({ 'of/banner': 'smtpd_banner' }, false);
  expect(seen.filter(({ banner }) => banner)).toHaveLength(fillings);
  expect(seen.filter(({ banner }) => !banner).map(({ only }) => only)).toEqual(['*']);
});

test('where what is possible is asked for, all rules are asked once, and those that stand wherever they may find more', () => {
  // The second way has no lines of its own.
  const { seen, certain, fillings } = asked(BOTH, true, MAIN.replace('if banner', 'if not banner'));
  expect(certain).toEqual(['of/banner', 'of/vrfy']);
  expect(seen.map(({ only }) => only)).toEqual([
    '*',
    '*',
    ...Array.from({ length: 2 * fillings - 2 }, () => 'of/banner of/vrfy'),
  ]);
});

test('only a way with lines that none before it had is looked at for new findings', () => {
  const ways = (text: string) => asked(BOTH, false, text).seen.slice(0, 2);
  expect(ways(MAIN)).toEqual([
    { banner: false, only: '*', heard: '*' },
    { banner: true, only: '*', heard: '*' },
  ]);
  expect(ways(MAIN.replace('{% if banner %}', '{% if not banner %}'))).toEqual([
    { banner: true, only: '*', heard: '*' },
    { banner: false, only: 'of/vrfy', heard: 'of/banner of/vrfy' },
  ]);
});

test('in each filling any two branches meet in every way, and a line within three of them is there', () => {
  const names = ['one', 'two', 'three', 'four'];
  const text = [
    'myhostname = {{ name }}',
    ...names.flatMap((name) => [`{% if ${name} %}`, `is_${name} = yes`, '{% endif %}']),
    '{% if one %}{% if not two %}{% if three %}',
    'inner = yes',
    '{% endif %}{% endif %}{% endif %}',
    'disable_vrfy_command = no',
    '',
  ].join('\n');
  const { texts, fillings } = asked({ 'of/vrfy': 'disable_vrfy_command' }, false, text);
  const ofFilling = [...new Set(texts.map((one) => one.split('\n')[0]))].map((first) =>
    texts.filter((one) => one.split('\n')[0] === first),
  );
  expect(ofFilling).toHaveLength(fillings);
  for (const own of ofFilling) {
    expect(own.some((one) => one.includes('inner'))).toBe(true);
    const pairs = names.flatMap((one, index) =>
      names.slice(index + 1).map((other) => {
        const ways = own.map((two) => `${two.includes(`is_${one}`)} ${two.includes(`is_${other}`)}`);
        return new Set(ways).size;
      }),
    );
    expect(pairs).toEqual([4, 4, 4, 4, 4, 4]);
  }
  expect(ofFilling[0]).toHaveLength(16);
  // Half of the ways are more than enough for that.
  expect(texts.length).toBeLessThan(16 + 8 * (fillings - 1));
});
