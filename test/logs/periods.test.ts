import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { holeLength, periodsOf, type Step } from '../../src/logs/periods.ts';

const day = fc
  .date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const names = (days: readonly string[], step: Step): string[] => {
  const { periods, of } = periodsOf(days, step);
  return days.map((one) => periods[of.get(one) ?? -1]?.period ?? '');
};

test('weeks are those of date(1)', () => {
  const days = [
    ...fc.sample(day, { seed: 3, numRuns: 500 }),
    '2020-12-31',
    '2021-01-03',
    '2024-12-30',
    '2027-01-01',
  ];
  const { stdout } = spawnSync('date', ['-u', '-f', '-', '+%G-W%V'], {
    input: days.join('\n'),
    encoding: 'utf8',
  });
  expect(names(days, 'week')).toEqual(stdout.trim().split('\n'));
});

test('a week that belongs to the year before, and the ends of months', () => {
  const { periods } = periodsOf(['2027-01-01', '2027-01-04'], 'week');
  expect(periods).toEqual([
    { period: '2026-W53', first: '2026-12-28', last: '2027-01-03' },
    { period: '2027-W01', first: '2027-01-04', last: '2027-01-10' },
  ]);
  expect(periodsOf(['2024-02-07', '2026-02-07', '2026-12-24'], 'month').periods).toMatchObject([
    { period: '2024-02', first: '2024-02-01', last: '2024-02-29' },
    {},
    { period: '2026-02', last: '2026-02-28' },
    {},
    { period: '2026-12', last: '2026-12-31' },
  ]);
});

test.each<[Step, string[], object, number]>([
  ['day', ['2026-03-01', '2026-02-26'], { first: '2026-02-27', last: '2026-02-28' }, 2],
  ['week', ['2026-11-30', '2026-11-12'], { first: '2026-11-16', last: '2026-11-29' }, 2],
  ['month', ['2027-02-01', '2026-11-30'], { first: '2026-12-01', last: '2027-01-31' }, 2],
])('a hole between two %ss', (step, days, hole, length) => {
  const { periods } = periodsOf(days, step);
  expect(periods).toHaveLength(3);
  expect(periods[1]).toEqual({ period: null, ...hole });
  expect(periods[1] === undefined ? 0 : holeLength(periods[1], step)).toBe(length);
});

test('periods and holes cover the time without gap, and each day lies in its own', () => {
  fc.assert(
    fc.property(
      fc.array(day, { minLength: 1 }),
      fc.constantFrom<Step>('day', 'week', 'month'),
      (days, step) => {
        const { periods, of } = periodsOf(days, step);
        const after = (date: string): string =>
          new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10);
        expect(periods.slice(1).map(({ first }) => first)).toEqual(
          periods.slice(0, -1).map(({ last }) => after(last)),
        );
        expect(periods.filter(({ first, last }) => first > last)).toEqual([]);
        for (const one of days) {
          const own = periods[of.get(one) ?? -1];
          expect(own?.period).not.toBeNull();
          expect((own?.first ?? '') <= one && one <= (own?.last ?? '')).toBe(true);
        }
      },
    ),
  );
});

test('a day that no month has does no harm', () => {
  for (const step of ['day', 'week', 'month'] as const)
    expect(names(['2026-02-31', '2026-02-01'], step)).not.toContain('');
});
