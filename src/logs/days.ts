/**
 * Days of log lines, as the lines themselves date them. The stamp of RFC 3164 section 4.1.2 has no year:
 * such days are kept with the number of New Years passed since the first line, and get their years at
 * the end, counted back from a day that the last line cannot be after.
 */

/** A day of a log. */
export interface LogDay {
  /** The year where the stamp has one; else how many New Years lie between the first line and this one. */
  readonly year: number;
  readonly yearKnown: boolean;
  /** From 1. */
  readonly month: number;
  readonly day: number;
}

/** Months between two lines from which on a New Year lies between them, and not a line out of order. */
const HALF_A_YEAR = 6;

/** The days seen so far; each has an index, in the order in which they came up. */
export class DayTable {
  readonly days: LogDay[] = [];
  readonly #indexes = new Map<number, number>();
  #lastCode = -1;
  #lastIndex = -1;
  #turns = 0;
  #month = 0;
  #firstMonth = 0;

  /** New Years passed since the first line without a year. */
  get turns(): number {
    return this.#turns;
  }

  /** Month of the first and of the last line without a year; 0 where there was none. */
  get months(): { readonly first: number; readonly last: number } {
    return { first: this.#firstMonth, last: this.#month };
  }

  /** The index of a day that has its year. */
  dated(year: number, month: number, day: number): number {
    const code = (year << 9) | (month << 5) | day;
    if (code === this.#lastCode) return this.#lastIndex;
    return this.#index(code, { year, yearKnown: true, month, day });
  }

  /** The index of a day without a year. */
  undated(month: number, day: number): number {
    if (month !== this.#month) this.#turn(month);
    // Years of stamps begin far above the number of New Years in one log.
    const code = -2 - (((this.#turns + 512) << 9) | (month << 5) | day);
    if (code === this.#lastCode) return this.#lastIndex;
    return this.#index(code, { year: this.#turns, yearKnown: false, month, day });
  }

  /**
   * Takes over the days of a part of the log that comes behind this one.
   *
   * @returns the index here of each index there
   */
  follow(days: readonly LogDay[], months: { readonly first: number; readonly last: number }): number[] {
    if (months.first !== 0) this.#turn(months.first);
    const before = this.#turns;
    const indexes = days.map(({ year, yearKnown, month, day }) => {
      if (yearKnown) return this.dated(year, month, day);
      const code = -2 - (((before + year + 512) << 9) | (month << 5) | day);
      return this.#index(code, { year: before + year, yearKnown: false, month, day });
    });
    if (months.last !== 0) {
      this.#turns = days.reduce(
        (most, { year, yearKnown }) => (yearKnown ? most : Math.max(most, before + year)),
        before,
      );
      this.#month = months.last;
    }
    return indexes;
  }

  /**
   * The days by index as `2026-01-31`.
   *
   * @param latest year, month and day that the last line without a year is not after
   */
  named(latest: { readonly year: number; readonly month: number; readonly day: number }): string[] {
    const undated = this.days.filter(({ yearKnown }) => !yearKnown);
    const order = ({ year, month, day }: { year: number; month: number; day: number }): number =>
      (year << 9) | (month << 5) | day;
    const last = undated.reduce((most, day) => Math.max(most, order(day)), 0);
    const lastTurn = last >> 9;
    const fits = (last & 511) <= ((latest.month << 5) | latest.day);
    const lastYear = fits ? latest.year : latest.year - 1;
    return this.days.map(({ year, yearKnown, month, day }) => {
      const full = yearKnown ? year : lastYear - (lastTurn - year);
      return `${String(full).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
    });
  }

  #turn(month: number): void {
    if (this.#firstMonth === 0) this.#firstMonth = month;
    else if (this.#month - month > HALF_A_YEAR) this.#turns++;
    else if (month - this.#month > HALF_A_YEAR && this.#turns > 0) this.#turns--;
    this.#month = month;
  }

  #index(code: number, day: LogDay): number {
    let index = this.#indexes.get(code);
    if (index === undefined) {
      index = this.days.push(day) - 1;
      this.#indexes.set(code, index);
    }
    this.#lastCode = code;
    this.#lastIndex = index;
    return index;
  }
}
