/**
 * `$name` expansion against `postconf -x` of the reference roots: the recorded texts of
 * test/recorded/expansion.json, and random ones from a written seed.
 *
 * PFHARDEN_RECORD=1 writes what the servers say of the recorded texts instead of comparing it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expand } from '../../src/postfix/expand.ts';
import { inRoot, type Root, roots } from './roots.ts';

interface Recorded {
  readonly definitions: Readonly<Record<string, string>>;
  /** Value by release of Postfix; null where the server dies of it. */
  readonly cases: { text: string; values?: Record<string, string | null> }[];
}

const file = path.join(import.meta.dirname, '..', 'recorded', 'expansion.json');
const recorded = JSON.parse(fs.readFileSync(file, 'utf8')) as Recorded;
const record = process.env.PFHARDEN_RECORD === '1';
const SEED = 20_260_822;
const RANDOM_TEXTS = process.env.PFHARDEN_FULL === '1' ? 20_000 : 2_400;
const BATCH = 400;

/** postconf writes one blank for any white space, and none at the ends. */
const printed = (value: string) =>
  value
    .split(/[ \t\r\n\v\f]+/)
    .filter(Boolean)
    .join(' ');

/** postconf waits for a file that has just been written, so the file is made old. */
const ALL_AT_ONCE = `touch -d 2020-01-01 {folder}/*
exec postconf -c {folder} -x -h "$@" 2>/dev/null`;
/** A postconf that dies takes a second for it, so many die at once. The names come back with the values. */
const ONE_BY_ONE = `touch -d 2020-01-01 {folder}/*
printf '%s\\n' "$@" | xargs -P 200 -I NAME sh -c '
  value=$(postconf -c {folder} -x -h NAME 2>/dev/null) && printf "%s\\n" "NAME=$value" || printf "%s\\n" NAME'`;

/** What postconf makes of texts, null where it dies; those that `survives` names are asked for in one run. */
function postconf(
  root: Root,
  definitions: Readonly<Record<string, string>>,
  texts: readonly string[],
  survives: (text: string) => boolean,
): (string | null)[] {
  const names = texts.map((_, index) => `text_${index}`);
  const main = [
    `smtpd_restriction_classes = ${names.join(' ')}`,
    ...Object.entries(definitions).map(([name, value]) => `${name} = ${value}`),
    ...texts.map((text, index) => `text_${index} = ${text}`),
  ];
  const files = { 'main.cf': `${main.join('\n')}\n`, 'master.cf': '' };
  const answers = new Map<string, string | null>();
  const ask = (script: string, asked: readonly string[]): string[] => {
    const { status, stdout } = inRoot(root, ['sh', '-c', script, 'sh', ...asked], { files });
    const lines = stdout.split('\n').slice(0, -1);
    return status === 0 && lines.length === asked.length ? lines : [];
  };
  const safe = names.filter((_, index) => survives(texts[index] ?? ''));
  ask(ALL_AT_ONCE, safe).forEach((value, at) => answers.set(safe[at] ?? '', value));
  const rest = names.filter((name) => !answers.has(name));
  for (const line of ask(ONE_BY_ONE, rest)) {
    const [name = '', value] = line.split(/=(.*)/s);
    answers.set(name, value ?? null);
  }
  if (answers.size !== names.length) throw new Error(`${answers.size} answers of ${names.length}`);
  return names.map((name) => answers.get(name) ?? null);
}

function ours(root: Root, definitions: Readonly<Record<string, string>>, text: string): string | null {
  const { value, failed } = expand(text, (name) => definitions[name], root.postfix);
  return failed ? null : printed(value);
}

describe.each(roots().map((root) => [root.release, root] as const))('postconf -x of %s', (_, root) => {
  test('says of the recorded texts what is recorded', () => {
    const { definitions, cases } = recorded;
    const texts = cases.map(({ text }) => text);
    const answers = postconf(root, definitions, texts, (text) => ours(root, definitions, text) !== null);
    if (record) {
      cases.forEach((item, index) => {
        item.values = { ...item.values, [root.postfix]: answers[index] ?? null };
      });
      fs.writeFileSync(file, `${JSON.stringify(recorded, null, 1)}\n`);
    }
    expect(cases.map(({ text, values }) => [text, values?.[root.postfix]])).toEqual(
      texts.map((text, index) => [text, answers[index]]),
    );
  });

  test('expands random texts as we do', () => {
    const random = generator(SEED);
    let failures = 0;
    for (let done = 0; done < RANDOM_TEXTS; done += BATCH) {
      const definitions = randomDefinitions(random);
      const texts = Array.from({ length: BATCH }, () => randomText(random, 4).trim());
      const expected = postconf(root, definitions, texts, (text) => ours(root, definitions, text) !== null);
      const actual = texts.map((text) => ours(root, definitions, text));
      failures += expected.filter((value) => value === null).length;
      expect(texts.map((text, index) => [text, actual[index]])).toEqual(
        texts.map((text, index) => [text, expected[index]]),
      );
    }
    // Not so many that the comparison says nothing about values, and not none.
    expect(failures).toBeGreaterThan(RANDOM_TEXTS / 50);
    expect(failures).toBeLessThan(RANDOM_TEXTS / 2);
  });
});

type Random = (below: number) => number;

/** mulberry32: the same numbers on every machine. */
function generator(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[random(items.length)] ?? items[0];
}

const NAMES = ['va', 'vb', 'vc', 'vd', 've', 'vf', 'vg', 'vh', 'v_none'] as const;

/** Values refer to later names only, but for a rare loop. */
function randomDefinitions(random: Random): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of NAMES.slice(0, -1)) {
    values[name] =
      random(3) === 0
        ? pick(random, ['', '0', '10', '9', '3.6', '3.10', 'yes', 'a b', '$$x', '{', 'x:y', '010'])
        : randomText(random, 1, NAMES.slice(NAMES.indexOf(name) + 1)).trim();
  }
  if (random(6) === 0) values['vh'] = '$va';
  return values;
}

function randomText(random: Random, depth: number, names: readonly string[] = NAMES): string {
  let text = '';
  for (let count = 1 + random(3); count > 0; count--) text += randomPart(random, depth, names);
  return text;
}

function randomPart(random: Random, depth: number, names: readonly string[]): string {
  const name = names[random(names.length)] ?? 'v_none';
  const blank = (): string => pick(random, ['', '', '', ' ', '\t', '  ']);
  const inner = (): string => (depth > 0 ? randomText(random, depth - 1, names) : 'x');
  const operand = (): string =>
    random(3) > 0 ? inner() : pick(random, ['10', '9', '3.10', '3.9', 'x', '', `$${name}`]);
  const braced = (): string => `${blank()}{${operand()}}${blank()}`;
  const [open, close] = pick(random, [
    ['{', '}'],
    ['{', '}'],
    ['(', ')'],
  ] as const);
  switch (random(20)) {
    case 0:
    case 1:
      return pick(random, ['x', 'a b', ',', ':', '?', '3.6', '10', '$$', 'é']);
    case 2:
    case 3:
      return `$${name}`;
    case 4:
    case 5:
      return `$${open}${blank()}${name}${blank()}${close}`;
    case 6:
      return `$${open}${name}?${inner()}${close}`;
    case 7:
      return `$${open}${name}:${inner()}${close}`;
    case 8:
    case 9:
      return `$${open}${name}${blank()}?${braced()}${close}`;
    case 10:
      return `$${open}${name}:${braced()}${close}`;
    case 11:
    case 12:
      return `$${open}${name}?${braced()}:${braced()}${close}`;
    case 13:
      return `$${open}${name}?${braced()}:${inner()}${close}`;
    case 14:
    case 15: {
      const operator = pick(random, ['==', '!=', '<', '<=', '>', '>=', '=', '==level', '>=level', '<level']);
      const rest = pick(random, ['', `?${inner()}`, `:${inner()}`, `?${braced()}:${braced()}`]);
      return `$${open}${braced()}${operator}${braced()}${rest}${close}`;
    }
    case 16:
      return random(4) === 0
        ? pick(random, ['$', '${', '$(', '}', '{', ')', '${}', '${va b}', '${va?{x}y}'])
        : 'x';
    case 17:
      return random(3) === 0 ? `$${open}domain_to_ascii${braced()}${close}` : '$va';
    default:
      return `${blank()}${name}${blank()}`;
  }
}
