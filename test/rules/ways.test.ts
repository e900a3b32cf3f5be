// Which ways through a template's branches are tried with which filling.
import { waysOfRounds } from '../../src/rules/ways.ts';
import { random } from '../support/render-host.ts';

/** All ways through so many branches that are taken or not, and what any two of them choose. */
function waysThrough(branches: number): readonly (readonly string[])[] {
  return Array.from({ length: 2 ** branches }, (_, way) => {
    const choices = Array.from({ length: branches }, (__, branch) => `${branch}${(way >> branch) & 1}`);
    return branches === 1
      ? choices
      : choices.flatMap((one, index) => choices.slice(index + 1).map((other) => `${one} ${other}`));
  });
}

test('each of two ways is tried in every round: they have nothing in common', () => {
  expect(waysOfRounds(waysThrough(1), 3)).toEqual([
    [0, 1],
    [0, 1],
    [0, 1],
  ]);
});

test('the only way is tried in every round, even if it has nothing', () => {
  expect(waysOfRounds([[]], 2)).toEqual([[0], [0]]);
  expect(waysOfRounds([['line']], 2)).toEqual([[0], [0]]);
});

test('no round, and no way', () => {
  expect(waysOfRounds(waysThrough(2), 0)).toEqual([]);
  expect(waysOfRounds([], 2)).toEqual([[], []]);
});

test('of eight ways, about half are enough for any two of three branches, and the others have their turn', () => {
  const rounds = waysOfRounds(waysThrough(3), 4);
  expect(rounds.filter(({ length }) => length > 5)).toEqual([]);
  expect(new Set(rounds.flat())).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
});

test('a line that one way alone has is there in every round', () => {
  const ways = waysThrough(3).map((own, way) => (way === 5 ? [...own, 'line'] : own));
  for (const round of waysOfRounds(ways, 4)) expect(round).toContain(5);
});

test('a way that has everything does not take the place of the others', () => {
  const ways = [
    ['a', 'b', 'c'],
    ['a', 'b'],
    ['a', 'c'],
    ['b', 'c'],
  ];
  expect(waysOfRounds(ways, 3)).toEqual([[0], [1, 2], [0, 3]]);
});

test('every round meets every trait, in the order of the ways and none of them twice', () => {
  const next = random(7);
  let most = 0;
  for (let number = 0; number < 200; number++) {
    const ways = Array.from({ length: 1 + Math.floor(next() * 12) }, () =>
      Array.from({ length: Math.floor(next() * 8) }, () => `${Math.floor(next() * 20)}`),
    );
    for (const round of waysOfRounds(ways, 4)) {
      expect(round).toEqual([...new Set(round)].sort((a, b) => a - b));
      expect(new Set(round.flatMap((way) => ways[way] ?? []))).toEqual(new Set(ways.flat()));
      most = Math.max(most, round.length);
    }
  }
  expect(most).toBeGreaterThan(3);
});
