import type { DayTable } from './days.ts';
import type { Line } from './line.ts';
import type { HostState, Sessions } from './sessions.ts';
import type { Tally } from './tally.ts';

// What has become of a line, as src/logs/wasm/lines.ts says.
const DONE = 0;
const NEW_ROW = 3;
const NEW_REASON = 4;
const NEW_LOGIN = 5;
const NEW_PROGRAM = 6;

/**
 * The lines that most of a log consists of, read and counted by WebAssembly. It counts a line only where the day is
 * that of the line before, the host and the process are known, and its form is the usual one; every other line goes
 * the general way, which comes to the same and takes ten times as long.
 */
export class CommonLines {
  readonly #tally: Tally;
  readonly #sessions: Sessions;
  readonly #days: DayTable;
  readonly #hosts: HostState[] = [];
  /** How the last stamp that went the general way begins, up to its time of day. */
  #day = -1;
  #dayText = '';
  #stampLength = 0;
  /** The memory knows how many processes the hosts may have. */
  #roomsTold = false;
  /** The day of the sessions that are counted in the memory. */
  #counted = -1;

  constructor(tally: Tally, sessions: Sessions, days: DayTable) {
    this.#tally = tally;
    this.#sessions = sessions;
    this.#days = days;
  }

  /** The lines that come can be read by `read`. */
  get ready(): boolean {
    return this.#day >= 0 && this.#day === this.#days.last;
  }

  /**
   * Reads lines of the piece that stands in the memory, from a place in it to its end or as far as they are alike.
   *
   * @param general reads a line the general way
   * @returns where it stopped, and how many lines it has read
   */
  read(
    from: number,
    to: number,
    general: (start: number, end: number) => void,
  ): { readonly end: number; readonly lines: number } {
    const { memory } = this.#tally;
    let end = from;
    let lines = 0;
    do {
      if (!this.#roomsTold) this.#tellRooms();
      const became = memory.scanner.scan(end);
      this.#sessions.takeBorn();
      lines += memory.lines;
      if (became === DONE) return { end: to, lines };
      if (became === NEW_PROGRAM) {
        // The line is read once more.
        lines--;
        end = memory.lineStart;
        memory.nameProgram((ident) => this.#sessions.store.service(ident).index);
        continue;
      }
      end = memory.lineEnd + 1;
      this.#roomsTold = false;
      if (became < NEW_ROW) general(memory.lineStart, end - 1);
      else this.#learn(became, () => general(memory.lineStart, end - 1));
    } while (end < to && this.ready);
    return { end, lines };
  }

  /** A line of this host went the general way: the lines that follow are likely to begin as it does. */
  follow({ text, day, hostStart, hostEnd }: Line, state: HostState): void {
    const dated = /^\d/.test(text);
    const time = dated ? DATED : UNDATED;
    const stampLength = hostStart - 1;
    const dayText = text.slice(0, dated ? 11 : 7);
    const known = this.#hosts.includes(state);
    if (known && day === this.#day && dayText === this.#dayText && stampLength === this.#stampLength) return;
    this.#day = -1;
    // A priority before the stamp, no host behind it, more than one space between: not what is common.
    if (text.startsWith('<') || hostEnd === hostStart || text.indexOf(' ', time) !== stampLength) return;
    if (
      (dated && text[10] !== 'T') ||
      state.name.length > LONGEST_HEAD - 2 - stampLength ||
      state.name.length < 2
    )
      return;
    if (day !== this.#counted) this.flush();
    this.#counted = day;
    this.#day = day;
    this.#dayText = dayText;
    this.#stampLength = stampLength;
    if (!known) {
      // The host that came up first gives way.
      if (this.#hosts.length === HOSTS) this.#hosts.shift();
      this.#hosts.push(state);
      this.#roomsTold = false;
    }
    this.#tellHeads(time);
    this.#tally.memory.scanner.setHeads(this.#hosts.length, day);
  }

  /** What follows is not understood line by line. */
  forget(): void {
    this.#day = -1;
  }

  /** Adds what was counted in the memory to the rows. */
  flush(): void {
    const { memory, rows } = this.#tally;
    const today = memory.scanner.todayAt() / 4;
    for (const { index, days } of rows) {
      const sessions = memory.words[today + index] ?? 0;
      if (sessions === 0) continue;
      days[this.#counted] = (days[this.#counted] ?? 0) + sessions;
      memory.words[today + index] = 0;
    }
  }

  /** Says how many processes the hosts may have that are not known yet. */
  #tellRooms(): void {
    const { scanner, words } = this.#tally.memory;
    this.#roomsTold = true;
    for (const [index, state] of this.#hosts.entries())
      words[scanner.hostAt(index) / 4 + 2] = this.#sessions.roomOf(state);
  }

  /** Says how lines of the hosts begin: which bytes are given, and which are no space. */
  #tellHeads(time: number): void {
    const { scanner, bytes } = this.#tally.memory;
    const stampLength = this.#stampLength;
    for (const [index, { name, id }] of this.#hosts.entries()) {
      const at = scanner.hostAt(index);
      const length = stampLength + name.length + 2;
      bytes.fill(0, at, at + HOST);
      bytes.writeInt32LE(length, at);
      bytes.writeInt32LE(id, at + 4);
      const given = at + GIVEN;
      const isGiven = given + LONGEST_HEAD;
      const isNoSpace = isGiven + LONGEST_HEAD;
      const give = (from: number, text: string): void => {
        bytes.write(text, given + from, 'latin1');
        bytes.fill(0xff, isGiven + from, isGiven + from + text.length);
      };
      give(0, this.#dayText);
      give(stampLength, ` ${name} `);
      if (time === UNDATED) {
        give(9, ':');
        give(12, ':');
      }
      bytes.fill(0xff, isNoSpace + time, isNoSpace + Math.max(time, stampLength));
    }
  }

  /** Says what stands for the key that was met for the first time in a line, which is read the general way. */
  #learn(what: number, general: () => void): void {
    const { memory } = this.#tally;
    const { logins, reasons } = this.#sessions.store;
    this.#tally.forgetLast();
    logins.last = -1;
    reasons.last = -1;
    general();
    const row = this.#tally.last?.index ?? -1;
    const text = what === NEW_LOGIN ? logins.last : what === NEW_REASON ? reasons.last : 0;
    if (text >= 0) memory.scanner.learn(row, text);
  }
}

/** Hosts whose lines may lie between one another in a log. */
const HOSTS = 16;

// What is said of how lines of a host begin, as src/logs/wasm/lines.ts has it: no name of a host is longer than fits.
const HOST = 400;
const GIVEN = 16;
const LONGEST_HEAD = 128;

/** Where the time of day stands in a stamp of RFC 3339, and where it ends in one of RFC 3164. */
const DATED = 11;
const UNDATED = 15;
