/**
 * Days of log lines, as the lines themselves date them. The stamp of RFC 3164 section 4.1.2 has no year:
 * such days are kept with the number of New Years passed since the first line, and get their years at
 * the end, counted back from a day that the last line cannot be after.
 */

/** A day of a log. */
export interface LogDay {
  /**
   * The year where the stamp has one; else how many New Years lie between the first line and this one. No line
   * is from before the first one's year: what looks so is from the end of that year.
   */
  readonly year: number;
  readonly yearKnown: boolean;
  /** The New Years where lines may be from before the first one's year, as they may in a part of a log. */
  readonly net: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
}

/** How the days without a year of a part of a log go on from those before. */
export interface DaySpan {
  /** Month of the first and of the last line without a year; 0 where there was none. */
  readonly first: number;
  readonly last: number;
  /** New Years from the first to the last, as `LogDay` has them. */
  readonly turns: number;
  readonly net: number;
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
  #net = 0;
  /** Where the codes of days without a year begin. */
  #base = -513;
  #month = 0;
  #firstMonth = 0;

  /** The index of the day of the last line; -1 before the first. */
  get last(): number {
    return this.#lastIndex;
  }

  /** What a part of a log needs to know of the one before. */
  get span(): DaySpan {
    return { first: this.#firstMonth, last: this.#month, turns: this.#turns, net: this.#net };
  }

  /** The index of a day that has its year. */
  dated(year: number, month: number, day: number): number {
    const code = (year << 9) | (month << 5) | day;
    if (code === this.#lastCode) return this.#lastIndex;
    return this.#index(code, { year, yearKnown: true, net: 0, month, day });
  }

  /** The index of a day without a year. */
  undated(month: number, day: number): number {
    if (month !== this.#month) this.#turn(month);
    return this.#undatedHere(month, day);
  }

  #undatedHere(month: number, day: number): number {
    const code = this.#base - ((month << 5) | day);
    if (code === this.#lastCode) return this.#lastIndex;
    return this.#index(code, { year: this.#turns, yearKnown: false, net: this.#net, month, day });
  }

  /**
   * Takes over the days of a part of the log that comes behind this one.
   *
   * @returns the index here of each index there
   */
  follow(days: readonly LogDay[], span: DaySpan): number[] {
    if (span.first !== 0) this.#turn(span.first);
    const turns = this.#turns;
    const net = this.#net;
    const indexes = days.map((there) => {
      const { year, yearKnown, month, day } = there;
      if (yearKnown) return this.dated(year, month, day);
      this.#setTurns(Math.max(turns + there.net, year), net + there.net);
      return this.#undatedHere(month, day);
    });
    this.#setTurns(Math.max(turns + span.net, span.turns), net + span.net);
    if (span.last !== 0) this.#month = span.last;
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
    else if (this.#month - month > HALF_A_YEAR) this.#setTurns(this.#turns + 1, this.#net + 1);
    else if (month - this.#month > HALF_A_YEAR) this.#setTurns(Math.max(this.#turns - 1, 0), this.#net - 1);
    this.#month = month;
  }

  #setTurns(turns: number, net: number): void {
    this.#turns = turns;
    this.#net = net;
    // Below those of days with a year.
    this.#base = -1 - 512 * (1 + (net & 0xfffff) + turns * 0x100000);
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
