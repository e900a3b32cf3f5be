/**
 * Cipher strings against `openssl ciphers` of the reference roots: the list, its order, and the refusal of
 * every string of the corpus and the facts, of a list of hard ones, and of strings made up from a seed.
 *
 * PFHARDEN_FULL=1 makes more of them. PFHARDEN_RECORD=1 writes the answers to the first of them to
 * test/recorded/ciphers/, for test/tls/cipher-string.test.ts.
 */

import fs from 'node:fs';
import path from 'node:path';
import { vocabularyOf } from '../../src/tls/cipher-selection.ts';
import { cipherRelease } from '../../src/tls/suites.ts';
import {
  foundStrings,
  HARD_STRINGS,
  madeString,
  ownAnswer,
  recordedAnswer,
  refusal,
} from '../support/cipher-strings.ts';
import { inRoot, type Root, roots } from './roots.ts';

const SEED = 20_240_611;
const MADE = process.env.PFHARDEN_FULL === '1' ? 20_000 : 1_500;
/** Made-up strings that are recorded. */
const RECORDED = 120;

const recorded = path.join(import.meta.dirname, '..', 'recorded', 'ciphers');

/** One process of the root answers that many. */
const BATCH = 2_000;

/** Prints for each line of its input what OpenSSL says of it, and a line with the status. */
const ASK = 'while IFS= read -r text; do openssl ciphers -- "$text" 2>&1; echo "=$?"; done';

/** A list as `openssl ciphers` prints it, or the reason of a refusal. */
function answers(root: Root, texts: readonly string[]): string[] {
  const said: string[] = [];
  for (let at = 0; at < texts.length; at += BATCH) {
    const batch = texts.slice(at, at + BATCH);
    const { stdout } = inRoot(root, ['sh', '-c', ASK], { stdin: `${batch.join('\n')}\n` });
    const blocks = stdout.split(/^=(\d+)\n/m);
    for (let index = 0; index < batch.length; index++) {
      const [text = '', status] = blocks.slice(2 * index, 2 * index + 2);
      said.push(status === '0' ? text.trimEnd() : refusal(text));
    }
  }
  return said;
}

/** Strings that are answered otherwise. */
function differences(root: Root, texts: readonly string[]): unknown[] {
  const real = answers(root, texts);
  return texts.flatMap((text, index) => {
    const own = ownAnswer(text, root.openssl);
    return own === real[index] ? [] : [{ text, openssl: real[index], pfharden: own }];
  });
}

describe.each(roots().map((root) => [root.release, root] as const))('openssl ciphers of %s', (_, root) => {
  test('is a release of the table', () => {
    expect(root.openssl.startsWith(cipherRelease(root.openssl))).toBe(true);
  });

  test('says the same of every word', () => {
    const words = [...vocabularyOf(root.openssl).words.keys()];
    expect(words.length).toBeGreaterThan(200);
    expect(differences(root, words)).toEqual([]);
    expect(
      differences(
        root,
        words.map((word) => `ALL:COMPLEMENTOFALL:+${word}`),
      ),
    ).toEqual([]);
  });

  test('says the same of the hard strings, and of those of the corpus and the facts', () => {
    const texts = [...new Set([...HARD_STRINGS, ...foundStrings()])];
    expect(texts.length).toBeGreaterThan(80);
    expect(differences(root, texts)).toEqual([]);
    console.log(`${root.openssl}: ${texts.length} written strings`);
  });

  test('says the same of made-up strings', () => {
    const texts = Array.from({ length: MADE }, (_unused, index) => madeString(SEED, index));
    expect(differences(root, texts)).toEqual([]);
  });

  test('is what is recorded', () => {
    const texts = [
      ...new Set([
        ...HARD_STRINGS,
        ...foundStrings(),
        ...Array.from({ length: RECORDED }, (_unused, index) => madeString(SEED, index)),
      ]),
    ];
    const file = path.join(recorded, `${cipherRelease(root.openssl)}.json`);
    if (process.env.PFHARDEN_RECORD === '1') {
      const said = answers(root, texts).map((answer) => recordedAnswer(answer, root.openssl));
      const lines = texts.map((text, index) => `  ${JSON.stringify(text)}: ${JSON.stringify(said[index])}`);
      fs.writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`);
    }
    expect(fs.existsSync(file)).toBe(true);
  });
});
