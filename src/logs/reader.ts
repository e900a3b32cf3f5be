import { CommonLines } from './common-lines.ts';
import { DayTable } from './days.ts';
import { DovecotLines } from './dovecot-lines.ts';
import { ExportReader, isExportField, type JournalEntry, journalJson } from './journal.ts';
import { emptyLine, hashOf, Program, programOf, readHead } from './line.ts';
import { type DeferredLine, type Session, type SessionOptions, Sessions } from './sessions.ts';
import {
  type Counts,
  countPeer,
  type LineCounts,
  type PeerDetails,
  type Row,
  Tally,
  type WholeCounts,
} from './tally.ts';

/** A part of a log that was read by itself; plain data, which can be handed between threads. */
export interface Part extends Counts {
  readonly months: { readonly first: number; readonly last: number };
  /** Lines that can only be understood after the part before, in their order. */
  readonly deferred: readonly DeferredLine[];
  /** What the part leaves open. */
  readonly open: readonly { readonly host: string; readonly pid: number; readonly session: Session }[];
}

/** Reads a log, or a part of it, and counts its sessions. */
export class LogReader {
  readonly #tally = new Tally();
  readonly #days = new DayTable();
  readonly #sessions: Sessions;
  readonly #dovecot: DovecotLines;
  /** Null where details are asked for: they stand in lines that it passes over. */
  readonly #common: CommonLines | null;
  readonly #lines: LineCounts = { lines: 0, unread: 0, long: 0 };
  readonly #export = new ExportReader();
  // One record is filled for each line.
  readonly #line = emptyLine();

  constructor(options: SessionOptions) {
    this.#sessions = new Sessions(this.#tally, options);
    this.#common = options.details === true ? null : new CommonLines(this.#tally, this.#sessions);
    this.#dovecot = new DovecotLines(this.#tally, this.#sessions);
  }

  /**
   * Reads whole lines: each ends with a line feed, but for the last of a log.
   *
   * @param text bytes as Latin-1, so that a piece can end anywhere between two lines
   * @param bytes the same; more may stand behind them
   */
  read(text: string, bytes: Uint8Array): void {
    this.#line.text = text;
    this.#line.bytes = bytes;
    const common = this.#common;
    let start = 0;
    let lines = 0;
    for (;;) {
      const end = text.indexOf('\n', start);
      if (end < 0) break;
      lines++;
      if (common === null || !common.take(bytes, start, end)) this.#read(text, start, end);
      start = end + 1;
    }
    if (start < text.length) {
      lines++;
      this.#read(text, start, text.length);
    }
    this.#lines.lines += lines;
  }

  /** Counts lines that were too long to be looked at. */
  skipped(lines: number): void {
    this.#lines.lines += lines;
    this.#lines.long += lines;
  }

  /** Takes over what was read of the part of the log that comes behind all that was read so far. */
  follow(part: Part): void {
    const days = this.#days.follow(part.days, part.months);
    const rows = part.rows.map((row) => this.#tally.row(row));
    const peers = part.peers.map(({ address, name, rows: counted, sessions, details }) => {
      const text = `${name}[${address}`;
      const index = this.#tally.peer(text, Buffer.from(text, 'latin1'), 0, name.length + 1, text.length);
      const own = this.#tally.peers[index];
      counted.forEach((there, at) => {
        const row = rows[there];
        if (row !== undefined && own !== undefined) countPeer(row, own, sessions[at] ?? 0);
      });
      if (details !== undefined) this.#takeDetails(index, details, rows);
      return index;
    });
    const map = {
      day: (day: number): number => days[day] ?? 0,
      peer: (peer: number): number => peers[peer] ?? 0,
      row: (row: Row): Row => this.#tally.row(row),
    };
    part.rows.forEach((row, there) => {
      const own = rows[there];
      // Days that nothing was counted on are holes, which forEach passes over.
      row.days.forEach((sessions, day) => {
        if (own !== undefined) own.days[map.day(day)] = (own.days[map.day(day)] ?? 0) + sessions;
      });
    });
    for (const line of part.deferred) this.#dispatchEntry(line, map.day(line.day));
    for (const { host, pid, session } of part.open) this.#sessions.resume(host, pid, session, map);
    this.#lines.lines += part.lines.lines;
    this.#lines.unread += part.lines.unread;
    this.#lines.long += part.lines.long;
  }

  /** What was read, for a reader of what comes before; nothing is closed. */
  part(): Part {
    return {
      ...this.#counts(),
      months: this.#days.months,
      deferred: this.#sessions.deferred,
      open: [...this.#sessions.open()],
    };
  }

  /**
   * What was read, to its end: sessions that are open are counted as they stand.
   *
   * @param latest a day that the last line without a year is not after
   */
  end(latest: { readonly year: number; readonly month: number; readonly day: number }): WholeCounts {
    this.#sessions.end();
    return { ...this.#counts(), dates: this.#days.named(latest) };
  }

  /**
   * What was read, to its end, for a reader of other logs: its days have their years.
   *
   * @param latest a day that the last line without a year is not after
   */
  finished(latest: { readonly year: number; readonly month: number; readonly day: number }): Part {
    const { rows, peers, lines, dates } = this.end(latest);
    const days = dates.map((date) => {
      const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
      return { year, yearKnown: true, month, day };
    });
    return { rows, peers, lines, days, months: { first: 0, last: 0 }, deferred: [], open: [] };
  }

  #takeDetails(peer: number, { senders, recipients, users }: PeerDetails, rows: readonly Row[]): void {
    for (const [side, list] of [
      ['senders', senders],
      ['recipients', recipients],
    ] as const) {
      for (const name of list.names) this.#tally.domain(peer, side, name);
      if (list.more) this.#tally.moreDomains(peer, side);
    }
    for (const [name, counted] of users) {
      for (const [there, sessions] of counted) {
        const row = rows[there];
        if (row !== undefined) this.#tally.user(row, peer, name, sessions);
      }
    }
  }

  #counts(): Counts {
    return { rows: this.#tally.rows, peers: this.#tally.peers, days: this.#days.days, lines: this.#lines };
  }

  #read(text: string, start: number, end: number): void {
    const line = this.#line;
    const { bytes } = line;
    line.end = line.bytes[end - 1] === 13 ? end - 1 : end;
    if (!this.#export.begun && readHead(line, start, this.#days)) {
      if (line.program !== Program.Other) {
        this.#dispatch();
        if (line.program === Program.Smtpd)
          this.#common?.follow(bytes, start, line.day, line.hostStart, line.hostEnd);
      }
      return;
    }
    this.#otherForm(text.slice(start, line.end));
    line.text = text;
    line.bytes = bytes;
  }

  /** A line whose head is none of syslog: the journal, an empty line, or nothing that is known. */
  #otherForm(line: string): void {
    let entry: JournalEntry | null = null;
    if (this.#export.begun) {
      if (line !== '') {
        this.#export.field(line);
        return;
      }
      entry = this.#export.finish();
    } else if (line.startsWith('{')) entry = journalJson(line);
    else if (isExportField(line)) {
      this.#export.field(line);
      return;
    }
    if (entry === null) {
      if (line.trim() !== '') this.#lines.unread++;
      return;
    }
    const date = new Date(entry.seconds * 1000);
    const day = this.#days.dated(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
    this.#dispatchEntry(entry, day);
  }

  /** The line of which the parts are given. */
  #dispatchEntry(
    entry: { readonly host: string; readonly ident: string; readonly pid: number; readonly message: string },
    day: number,
  ): void {
    const { host, ident, pid, message } = entry;
    const line = this.#line;
    line.text = host + ident + message;
    line.bytes = Buffer.from(line.text, 'latin1');
    line.end = line.text.length;
    line.day = day;
    line.pid = pid;
    line.hostStart = 0;
    line.hostEnd = host.length;
    line.identStart = host.length;
    line.identEnd = host.length + ident.length;
    line.identHash = hashOf(ident);
    const program = ident.lastIndexOf('/') + 1;
    line.program = programOf(line, host.length + program, line.identEnd, program > 0);
    line.message = line.identEnd;
    this.#dispatch();
  }

  #dispatch(): void {
    const line = this.#line;
    const { text } = line;
    switch (line.program) {
      case Program.Smtpd:
        this.#sessions.smtpd(line);
        break;
      case Program.Smtp:
      case Program.Lmtp:
        this.#sessions.smtp(line);
        break;
      case Program.Tlsproxy:
        this.#sessions.tlsproxy(line);
        break;
      case Program.Qmgr:
        this.#sessions.qmgr(line);
        break;
      case Program.Dovecot: {
        // `dovecot: imap-login: Login: …`
        const colon = text.indexOf(':', line.message);
        if (colon > 0 && colon < line.end && text.startsWith('-login', colon - 6))
          this.#dovecot.read(line, line.message, colon, colon + 2);
        break;
      }
      case Program.Login:
        this.#dovecot.read(line, line.identStart, line.identEnd, line.message);
        break;
      case Program.Other:
        break;
    }
  }
}
