/** How fine a time axis is. */
export type Step = 'day' | 'week' | 'month';

/** A stretch of time that is counted as one, or a hole: a stretch in which there was no session. */
export interface Period {
  /** `2026-01-31`, `2026-W05` (a week of ISO 8601, from Monday on) or `2026-01`; null for a hole. */
  readonly period: string | null;
  /** The first and the last day of the calendar that belong to it. */
  readonly first: string;
  readonly last: string;
}

const DAY = 24 * 60 * 60 * 1000;

/**
 * Days as periods, in order, with a hole wherever whole periods between two of them are missing.
 *
 * @param days `2026-01-31`, in any order
 * @returns the periods, and for each day which of them it belongs to
 */
export function periodsOf(
  days: Iterable<string>,
  step: Step,
): { readonly periods: readonly Period[]; readonly of: ReadonlyMap<string, number> } {
  const periods: Period[] = [];
  const of = new Map<string, number>();
  for (const day of [...new Set(days)].sort()) {
    const own = periodOf(day, step);
    const before = periods.at(-1);
    if (before?.period !== own.period) {
      if (before !== undefined) {
        const first = added(before.last, 1);
        if (first < own.first) periods.push({ period: null, first, last: added(own.first, -1) });
      }
      periods.push(own);
    }
    of.set(day, periods.length - 1);
  }
  return { periods, of };
}

/** How many periods a hole takes. */
export function holeLength({ first, last }: Period, step: Step): number {
  if (step === 'month') {
    const months = (day: string): number => Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7));
    return months(last) - months(first) + 1;
  }
  const days = (at(last) - at(first)) / DAY + 1;
  return step === 'day' ? days : days / 7;
}

function periodOf(day: string, step: Step): Period {
  return step === 'day'
    ? { period: day, first: day, last: day }
    : step === 'week'
      ? weekOf(day)
      : monthOf(day);
}

function weekOf(day: string): Period {
  const first = added(day, -((new Date(at(day)).getUTCDay() + 6) % 7));
  // The week belongs to the year that its Thursday is in.
  const thursday = added(first, 3);
  const year = thursday.slice(0, 4);
  const number = Math.floor((at(thursday) - at(`${year}-01-01`)) / (7 * DAY)) + 1;
  return { period: `${year}-W${String(number).padStart(2, '0')}`, first, last: added(first, 6) };
}

function monthOf(day: string): Period {
  const period = day.slice(0, 7);
  const [year = 0, month = 0] = period.split('-').map(Number);
  const last = new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
  return { period, first: `${period}-01`, last };
}

/** A day that no month has, which a damaged line may tell, is one of the month after. */
function at(day: string): number {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  return Date.UTC(year, month - 1, date);
}

function added(day: string, days: number): string {
  return new Date(at(day) + days * DAY).toISOString().slice(0, 10);
}
