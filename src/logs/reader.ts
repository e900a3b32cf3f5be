import { CommonLines } from './common-lines.ts';
import { type DaySpan, DayTable } from './days.ts';
import { DovecotLines } from './dovecot-lines.ts';
import { ExportReader, isExportField, type JournalEntry, journalJson } from './journal.ts';
import { emptyLine, hashOf, Program, programOf, readHead } from './line.ts';
import { CountedPeers, copied, type PeerColumns, type PeerDetails } from './peers.ts';
import type { OpenSessions } from './session.ts';
import { type DeferredLine, type SessionOptions, Sessions } from './sessions.ts';
import { type Counts, type LineCounts, Tally, type WholeCounts } from './tally.ts';

/** What was counted, as it is held. */
interface Totals extends Omit<Counts, 'peers'> {
  readonly peers: PeerColumns;
  /** By index of the peer. */
  readonly details: ReadonlyMap<number, PeerDetails>;
}

/** A day that the last line without a year is not after. */
type LatestDay = Parameters<DayTable['named']>[0];

/** A part of a log that was read by itself; plain data, which can be handed between threads. */
export interface Part extends Totals {
  readonly span: DaySpan;
  /** Lines that can only be understood after the part before, in their order. */
  readonly deferred: readonly DeferredLine[];
  /** What the part leaves open. */
  readonly open: OpenSessions | null;
}

/**
 * Whether a part of a log can begin with a line: one that is a line by itself, whatever stands before it, and
 * not a field of an entry of several lines.
 *
 * @param bytes hold the line from `start` to its line feed at `end`
 */
export function beginsPart(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] === OPEN_BRACE) return true;
  const line = emptyLine();
  line.text = bytes.toString('latin1', start, end);
  line.bytes = bytes.subarray(start, end);
  line.end = end - start;
  return readHead(line, 0, new DayTable());
}

/** Reads a log, or a part of it, and counts its sessions. */
export class LogReader {
  readonly #tally = new Tally();
  readonly #days = new DayTable();
  readonly #sessions: Sessions;
  readonly #dovecot: DovecotLines;
  /** Null before the first line, and where details are asked for: they stand in lines that it passes over. */
  #common: CommonLines | null = null;
  /** Bytes of the piece that are not read yet. */
  #left = 0;
  readonly #lines: LineCounts = { lines: 0, unread: 0, long: 0 };
  readonly #export = new ExportReader();
  readonly #details: boolean;
  // One record is filled for each line.
  readonly #line = emptyLine();

  constructor(options: SessionOptions) {
    this.#details = options.details === true;
    this.#sessions = new Sessions(this.#tally, options);
    this.#dovecot = new DovecotLines(this.#tally, this.#sessions);
  }

  /** Where lines can be put before they are read, so that nobody has to copy them; other bytes after each reading. */
  get room(): Buffer {
    return this.#tally.memory.piece;
  }

  /**
   * Reads lines, each with its line feed.
   *
   * @param bytes hold the lines from `from` to `to`; they may be `room`
   */
  read(bytes: Buffer, from: number, to: number): void {
    const { memory } = this.#tally;
    // Where they stand in the memory: room is the beginning of its piece, and others are copied there when they
    // are read in one go.
    const own = memory.holds(bytes);
    let offset = own ? 0 : null;
    this.#reserve(to - from);
    if (own) memory.scanner.begin(to);
    const general = (start: number, end: number): void =>
      this.#read(own ? memory.piece : bytes, start + (offset ?? 0), end + (offset ?? 0));
    let start = from;
    while (start < to) {
      this.#left = to - start;
      if (this.#common?.ready === true) {
        if (offset === null && memory.load(bytes, from, to)) {
          offset = from;
          memory.scanner.begin(to - from);
        }
        if (offset !== null) {
          const { end, lines } = this.#common.read(start - offset, to - offset, general);
          this.#lines.lines += lines;
          start = end + offset;
          continue;
        }
      }
      const piece = own ? memory.piece : bytes;
      const end = piece.indexOf(LINE_FEED, start);
      this.#lines.lines++;
      this.#read(piece, start, end);
      start = end + 1;
    }
    this.#left = 0;
  }

  /** Counts lines that were too long to be looked at. */
  skipped(lines: number): void {
    this.#lines.lines += lines;
    this.#lines.long += lines;
  }

  /** Takes over what was read of the part of the log that comes behind all that was read so far. */
  follow(part: Part): void {
    const days = this.#days.follow(part.days, part.span);
    const here = (day: number): number => days[day] ?? 0;
    const rows = part.rows.map((there) => {
      const row = this.#tally.row(there);
      // Days that nothing was counted on are holes, which forEach passes over.
      there.days.forEach((sessions, day) => {
        row.days[here(day)] = (row.days[here(day)] ?? 0) + sessions;
      });
      return row.index;
    });
    const peers = this.#tally.peers.follow(part.peers, rows);
    for (const [there, details] of part.details) this.#takeDetails(peers[there] ?? 0, details, rows);
    for (const line of part.deferred) this.#dispatchEntry(line, here(line.day));
    if (part.open !== null) this.#sessions.resume(part.open, { peers, rows, days });
    this.#lines.lines += part.lines.lines;
    this.#lines.unread += part.lines.unread;
    this.#lines.long += part.lines.long;
  }

  /** What was read, for a reader of what comes before; nothing is closed. */
  part(): Part {
    this.#endEntry();
    const counts = this.#counts();
    return {
      ...counts,
      peers: copied(counts.peers),
      span: this.#days.span,
      deferred: this.#sessions.deferred,
      open: this.#sessions.open(),
    };
  }

  /**
   * What was read, to its end: sessions that are open are counted as they stand.
   *
   * @param latest a day that the last line without a year is not after
   */
  end(latest: LatestDay): WholeCounts {
    const { peers: _, details, ...counts } = this.#ended(latest);
    return { ...counts, peers: new CountedPeers(this.#tally.peers, details) };
  }

  /**
   * What was read, to its end, for a reader of other logs: its days have their years.
   *
   * @param latest a day that the last line without a year is not after
   */
  finished(latest: LatestDay): Part {
    const { dates, ...counts } = this.#ended(latest);
    const days = dates.map((date) => {
      const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
      return { year, yearKnown: true, net: 0, month, day };
    });
    return { ...counts, days, span: { first: 0, last: 0, turns: 0, net: 0 }, deferred: [], open: null };
  }

  #takeDetails(peer: number, { senders, recipients, users }: PeerDetails, rows: readonly number[]): void {
    for (const [side, list] of [
      ['senders', senders],
      ['recipients', recipients],
    ] as const) {
      for (const name of list.names) this.#tally.domain(peer, side, name);
      if (list.more) this.#tally.moreDomains(peer, side);
    }
    for (const [name, counted] of users) {
      for (const [there, sessions] of counted) {
        const row = this.#tally.rows[rows[there] ?? -1];
        if (row !== undefined) this.#tally.user(row, peer, name, sessions);
      }
    }
  }

  #ended(latest: LatestDay): Totals & Pick<WholeCounts, 'dates'> {
    this.#endEntry();
    this.#sessions.end();
    return { ...this.#counts(), dates: this.#days.named(latest) };
  }

  /** Makes room in the memory: while a line is read it must not grow, for that ends what looks into it. */
  #reserve(bytes: number): void {
    this.#tally.memory.scanner.reserve(bytes, this.#tally.rows.length);
  }

  #counts(): Totals {
    this.#common?.flush();
    const { rows, peers, details } = this.#tally;
    return { rows, peers: peers.columns(), details, days: this.#days.days, lines: this.#lines };
  }

  #read(bytes: Buffer, start: number, lineFeed: number): void {
    const line = this.#line;
    const end = bytes[lineFeed - 1] === CARRIAGE_RETURN && lineFeed > start ? lineFeed - 1 : lineFeed;
    line.text = bytes.toString('latin1', start, end);
    line.bytes = bytes.subarray(start, end);
    line.end = end - start;
    if (readHead(line, 0, this.#days)) {
      this.#endEntry();
      if (line.program !== Program.Other) {
        this.#dispatch();
        if (line.program === Program.Smtpd && !this.#details) {
          this.#common ??= new CommonLines(this.#tally, this.#sessions, this.#days);
          this.#common.follow(line, this.#sessions.host);
        }
      }
      return;
    }
    this.#otherForm(line.text);
  }

  /** A line whose head is none of syslog: the journal, an empty line, or nothing that is known. */
  #otherForm(text: string): void {
    if (text.startsWith('{')) {
      this.#endEntry();
      this.#entry(journalJson(text));
    } else if (this.#export.begun && text !== '') this.#export.field(text);
    else if (isExportField(text)) this.#export.field(text);
    else if (this.#export.begun) this.#endEntry();
    else if (text.trim() !== '') this.#lines.unread++;
    // A line by itself may be one of several of an entry.
    if (this.#export.begun) this.#common?.forget();
  }

  /** Ends an entry in the export form, where one is under way. */
  #endEntry(): void {
    if (this.#export.begun) this.#entry(this.#export.finish());
  }

  #entry(entry: JournalEntry | null): void {
    if (entry === null) {
      this.#lines.unread++;
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
    this.#reserve(line.text.length + this.#left);
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

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const OPEN_BRACE = 0x7b;
