import { passing } from './terminal.ts';

/** Milliseconds of the program after which it says how far it is, and between two times that it does. */
const PATIENCE = 1000;
const PACE = 100;

/**
 * Says on standard error how far long work is, in one line that the next output takes away: where a person
 * looks at a terminal, and never in a file or in the log of CI.
 */
export class Progress {
  #next = PATIENCE;
  #isWanted: Promise<boolean> | null = null;

  /** @param text asked for only when it is time to say it */
  async say(text: () => string): Promise<void> {
    // `performance` is set up only when it is first asked for, which takes longer than this.
    const now = process.uptime() * 1000;
    if (now < this.#next) return;
    this.#next = now + PACE;
    this.#isWanted ??= isWatched();
    if (await this.#isWanted) passing(text());
  }

  /** Takes the line away. */
  end(): void {
    passing('');
  }
}

/** Whether standard error is a terminal that can go back in a line, and no service keeps what it shows. */
async function isWatched(): Promise<boolean> {
  const { CI, TERM } = process.env;
  if (TERM === 'dumb' || (CI !== undefined && CI !== '' && CI !== 'false')) return false;
  const { isatty } = await import('node:tty');
  return isatty(2);
}
