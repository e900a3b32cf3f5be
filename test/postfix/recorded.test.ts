/**
 * What postconf of the reference releases printed of made-up configurations, as test/servers/postconf.test.ts
 * recorded it, against what pfharden says of them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { answersOf, compare, type Files, type Recording, Tally } from '../support/postconf.ts';

const folder = path.join(import.meta.dirname, '..', 'recorded', 'postconf');
const read = (name: string): unknown => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));

const cases = read('cases.json') as readonly Files[];
const releases = fs.readdirSync(folder).filter((name) => /^\d.*\.json$/.test(name));

test('there are recordings of four releases', () => {
  expect(releases).toHaveLength(4);
});

test.each(releases)('postconf of %s says what pfharden says', (name) => {
  const recording = read(name) as Recording;
  const answers = answersOf(recording);
  const tally = new Tally();
  const differences = cases.flatMap((files, index) => {
    const answer = answers[index];
    if (answer === undefined) throw new Error(`no answer to case ${index}`);
    return compare(files, recording.build, answer, tally).map((difference) => `${index}: ${difference}`);
  });
  expect(differences.slice(0, 20)).toEqual([]);
  expect(tally.cases).toBe(cases.length);
  expect(tally.values).toBeGreaterThan(6_000);
});
