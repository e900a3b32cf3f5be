import { Sum } from './sum.ts';
import { compareTexts, sessionsOf } from './summary.ts';
import {
  type Direction,
  decoded,
  encoded,
  type LineCounts,
  type PeerDetails,
  type Row,
  type RowKey,
  type SessionState,
  type SomeNames,
  type WholeCounts,
} from './tally.ts';

/**
 * Counts as a file, which others can be added to. `pfharden logs --format partial` writes a document in which rows,
 * peers and days refer to one another by index; a query of a database of logs writes lines, each of which says
 * all of one count. docs/logs.md and docs/logs-at-scale.md describe them.
 */
export interface LogPartial {
  /** Tells the key that peers are anonymized with, see `Anonymizer`; null where they are what they are. */
  readonly anonymized: string | null;
  readonly counts: WholeCounts;
}

/** What is wrong with a file of counts, in words that follow its name. */
export class PartialError extends Error {}

/** Tells the document from any other JSON. */
const KIND = 'logs-partial';
const VERSION = 1;

const DIRECTIONS: readonly Direction[] = ['in', 'out'];
const STATES: readonly SessionState[] = ['tls', 'plaintext', 'refused', 'untold'];

/** A number of sessions behind the index of what they belong to. */
type Counted = readonly [index: number, sessions: number];

interface RowEntry extends RowKey {
  readonly days: readonly Counted[];
}

interface DetailsEntry {
  readonly senders: readonly string[];
  readonly moreSenders: boolean;
  readonly recipients: readonly string[];
  readonly moreRecipients: boolean;
  readonly users: readonly (readonly [name: string, rows: readonly Counted[]])[];
}

type PeerEntry = readonly [address: string, name: string, rows: readonly Counted[], details?: DetailsEntry];

/** The document; its order depends on nothing but what was counted. */
export interface PartialDocument {
  readonly pfharden: typeof KIND;
  readonly version: typeof VERSION;
  readonly anonymized: string | null;
  readonly lines: LineCounts;
  readonly days: readonly string[];
  readonly rows: readonly RowEntry[];
  readonly peers: readonly PeerEntry[];
}

/** Makes the document of what was counted. */
export function partialDocument({ anonymized, counts }: LogPartial): PartialDocument {
  const rows = inOrder(counts.rows);
  const days = [...new Set(rows.flatMap((row) => [...byDate(row, counts.dates).keys()]))].sort();
  const dayIndex = new Map(days.map((day, index) => [day, index]));
  const rowIndex = new Map(rows.map(({ index }, at) => [index, at]));
  const ofRows = (all: Iterable<Counted>): Counted[] => reindexed(all, rowIndex);
  return {
    pfharden: KIND,
    version: VERSION,
    anonymized,
    lines: counts.lines,
    days,
    rows: rows.map((row) => ({ ...keyOf(row), days: reindexed(byDate(row, counts.dates), dayIndex) })),
    peers: Array.from(counts.peers, (peer): PeerEntry => {
      const sessions = ofRows(peer.rows.map((row, at) => [row, peer.sessions[at] ?? 0]));
      const head = [decoded(peer.address), decoded(peer.name), sessions] as const;
      return peer.details === undefined ? head : [...head, detailsEntry(peer.details, ofRows)];
    })
      .filter(([, , sessions, details]) => sessions.length > 0 || details !== undefined)
      .sort(([a], [b]) => compareTexts(a, b)),
  };
}

/** Rows with sessions, in an order that depends on nothing but what they stand for. */
function inOrder(rows: readonly Row[]): Row[] {
  return rows
    .filter((row) => sessionsOf(row) > 0)
    .map((row) => ({ row, key: Object.values(keyOf(row)).join('\0') }))
    .sort((a, b) => compareTexts(a.key, b.key))
    .map(({ row }) => row);
}

/**
 * A text that is the same for the same counts, whatever order a file has them in, and as good as never for others.
 * The document would tell as well, and takes longer to make than all else that is done with a file.
 */
export function contentMark({ anonymized, counts }: LogPartial): string {
  const { lines, days, rows } = partialDocument({ anonymized, counts: { ...counts, peers: [] } });
  const rowIndex = new Map(inOrder(counts.rows).map(({ index }, at) => [index, at]));
  const sums = [0, 0];
  for (const { address, name, rows: counted, sessions } of counts.peers) {
    counted.forEach((row, at) => {
      const text = `${address} ${name} ${rowIndex.get(row)} ${sessions[at]}`;
      SEEDS.forEach((seed, which) => {
        sums[which] = (sums[which] ?? 0) + hashOf(text, seed);
      });
    });
  }
  return JSON.stringify([anonymized, lines, days, rows, counts.peers.length, sums]);
}

const SEEDS = [0x811c9dc5, 0x2c1b3c6d] as const;

/** The hash FNV-1a with a beginning of one's own; sums of millions of such numbers are exact. */
function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** What makes a row one row, in a fixed order. */
function keyOf({ direction, service, state, protocol, cipher, reason, login }: Row): RowKey {
  const text = (value: string | null): string | null => (value === null ? null : decoded(value));
  return {
    direction,
    service: decoded(service),
    state,
    protocol: text(protocol),
    cipher: text(cipher),
    reason: text(reason),
    login: text(login),
  };
}

/** Sessions of a row by day of the calendar. */
function byDate({ days }: Row, dates: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  days.forEach((sessions, day) => {
    const date = dates[day] ?? '';
    if (sessions > 0) found.set(date, (found.get(date) ?? 0) + sessions);
  });
  return found;
}

/** Counts under new indexes, in their order; what has none, and what is none, is left out. */
function reindexed<K>(all: Iterable<readonly [K, number]>, indexes: ReadonlyMap<K, number>): Counted[] {
  return [...all]
    .flatMap(([from, sessions]): Counted[] => {
      const index = indexes.get(from);
      return index === undefined || sessions === 0 ? [] : [[index, sessions]];
    })
    .sort(([a], [b]) => a - b);
}

function detailsEntry(
  { senders, recipients, users }: PeerDetails,
  ofRows: (all: Iterable<Counted>) => Counted[],
): DetailsEntry {
  const names = (list: SomeNames): string[] => list.names.map(decoded).sort(compareTexts);
  return {
    senders: names(senders),
    moreSenders: senders.more,
    recipients: names(recipients),
    moreRecipients: recipients.more,
    users: [...users]
      .map(([name, rows]) => [decoded(name), ofRows(rows)] as const)
      .sort(([a], [b]) => compareTexts(a, b)),
  };
}

/**
 * Reads a file of counts: a document, or lines of a query.
 *
 * @throws PartialError
 */
export function readPartial(text: string): LogPartial {
  if (text.trim() === '') throw new PartialError('is empty, and no counts of pfharden');
  const whole = parsed(text);
  if (whole !== undefined && !isCount(whole)) return readDocument(whole);
  const lines = text.split('\n');
  // What a query writes is one value a line; of a document the first line is none.
  if (whole === undefined && parsed(lines.find((line) => line.trim() !== '') ?? '') === undefined)
    throw new PartialError(
      text.trimStart().startsWith('{')
        ? 'is no valid JSON: its end is missing, or it was changed'
        : 'holds no counts of pfharden, which are JSON; a log is read without --merge',
    );
  return readLines(lines);
}

/** The value of a JSON text; undefined where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): boolean {
  return isObject(value) && 'day' in value;
}

function readDocument(value: unknown): LogPartial {
  if (!isObject(value) || value.pfharden !== KIND)
    throw new PartialError('holds no counts of pfharden: they are made with --format partial');
  checkVersion(value.version, 'is');
  const anonymized = value.anonymized === null ? null : textOf(value.anonymized, 'anonymized');
  const sum = new Sum();
  const days = listOf(value.days, 'days').map((day, index) => sum.day(dayOf(day, `days[${index}]`)));
  const rows = listOf(value.rows, 'rows').map((entry, index) => {
    const where = `rows[${index}]`;
    if (!isObject(entry)) throw new PartialError(`${where} is no row`);
    const row = sum.row(rowKey(entry, where));
    for (const [day, sessions] of countedList(entry.days, days, `${where}.days`))
      sum.onDay(row, day, sessions);
    return row;
  });
  listOf(value.peers, 'peers').forEach((entry, index) => readPeer(sum, rows, entry, `peers[${index}]`));
  const counts = sum.counts();
  checkSums(counts);
  const lines = isObject(value.lines) ? value.lines : {};
  const lineCount = (name: keyof LineCounts): number => numberOf(lines[name], 0, `lines.${name}`);
  return {
    anonymized,
    counts: {
      ...counts,
      lines: { lines: lineCount('lines'), unread: lineCount('unread'), long: lineCount('long') },
    },
  };
}

function readPeer(sum: Sum, rows: readonly Row[], entry: unknown, where: string): void {
  const [address, name, counted, more] = listOf(entry, where);
  const peer = sum.peer(textOf(address, `${where}[0]`), textOf(name, `${where}[1]`));
  for (const [row, sessions] of countedList(counted, rows, `${where}[2]`)) sum.ofPeer(peer, row, sessions);
  if (more === undefined) return;
  const place = `${where}[3]`;
  if (!isObject(more)) throw new PartialError(`${place} is no object`);
  const names = (list: unknown, side: string): string[] =>
    listOf(list, `${place}.${side}`).map((domain) => textOf(domain, `${place}.${side}`));
  const users = new Map<string, Map<number, number>>();
  for (const user of listOf(more.users, `${place}.users`)) {
    const [login, of] = listOf(user, `${place}.users`);
    const byRow = countedList(of, rows, `${place}.users`).map(
      ([row, sessions]) => [row.index, sessions] as const,
    );
    users.set(textOf(login, `${place}.users`), new Map(byRow));
  }
  sum.details(peer, {
    senders: { names: names(more.senders, 'senders'), more: more.moreSenders === true },
    recipients: { names: names(more.recipients, 'recipients'), more: more.moreRecipients === true },
    users,
  });
}

/** Each session is counted on a day and for a peer: where the sums differ, something was changed or left out. */
function checkSums({ rows, peers }: WholeCounts): void {
  const ofPeers = rows.map(() => 0);
  for (const peer of peers)
    peer.rows.forEach((row, at) => {
      ofPeers[row] = (ofPeers[row] ?? 0) + (peer.sessions[at] ?? 0);
    });
  for (const row of rows) {
    const days = sessionsOf(row);
    const own = ofPeers[row.index] ?? 0;
    if (days !== own)
      throw new PartialError(
        `was changed or is not whole: by day there are ${days} sessions of ${row.service} (${row.cipher ?? row.state}), by peer ${own}`,
      );
  }
}

/** Lines that say all of one count each, as a query of a database of logs gives them. */
function readLines(lines: readonly string[]): LogPartial {
  const sum = new Sum();
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const where = `line ${index + 1}`;
    const entry = parsed(line);
    if (!isObject(entry)) throw new PartialError(`${where} is no JSON object; it may be cut off`);
    checkVersion(entry.version, `${where} is`);
    const name = (entry.name ?? '') === '' ? 'unknown' : textOf(entry.name, `${where}: name`);
    const peer = sum.peer(textOf(entry.address, `${where}: address`), name);
    const row = sum.row(rowKey(entry, where));
    const sessions = numberOf(entry.sessions, 1, `${where}: sessions`);
    sum.onDay(row, sum.day(dayOf(entry.day, `${where}: day`)), sessions);
    sum.ofPeer(peer, row, sessions);
  }
  // How many lines the log has the query does not tell.
  return { anonymized: null, counts: sum.counts() };
}

function checkVersion(version: unknown, what: string): void {
  if (version !== VERSION)
    throw new PartialError(
      `${what} of version ${shown(version)} of the format, and this pfharden reads version ${VERSION}: make it again with this release`,
    );
}

function rowKey(entry: Readonly<Record<string, unknown>>, where: string): RowKey {
  const oneOf = <T extends string>(name: string, all: readonly T[]): T => {
    const value = all.find((one) => one === entry[name]);
    if (value === undefined)
      throw new PartialError(`${where}: ${name} is ${shown(entry[name])}, and can be ${all.join(', ')}`);
    return value;
  };
  // A database may have an empty text where it has nothing.
  const orNull = (name: string): string | null => {
    const value = entry[name] ?? '';
    return value === '' ? null : textOf(value, `${where}: ${name}`);
  };
  return {
    direction: oneOf('direction', DIRECTIONS),
    service: textOf(entry.service, `${where}: service`),
    state: oneOf('state', STATES),
    protocol: orNull('protocol'),
    cipher: orNull('cipher'),
    reason: orNull('reason'),
    login: orNull('login'),
  };
}

/** Numbers of sessions, each with what it belongs to, which is given by its index. */
function countedList<T>(value: unknown, all: readonly T[], where: string): (readonly [T, number])[] {
  return listOf(value, where).map((pair) => {
    const [index, sessions] = listOf(pair, where);
    const own = typeof index === 'number' ? all[index] : undefined;
    if (own === undefined)
      throw new PartialError(`${where} names number ${shown(index)}, counted from 0, of ${all.length}`);
    return [own, numberOf(sessions, 1, where)];
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new PartialError(`${where} is no list`);
  return value;
}

function textOf(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '')
    throw new PartialError(`${where} is ${shown(value)}, and no text`);
  return encoded(value);
}

function dayOf(value: unknown, where: string): string {
  if (typeof value !== 'string' || !/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/.test(value))
    throw new PartialError(`${where} is ${shown(value)}, and no day such as 2026-01-31`);
  return value;
}

function numberOf(value: unknown, least: number, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least)
    throw new PartialError(`${where} is ${shown(value)}, and no number from ${least} up`);
  return value;
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value)?.slice(0, 60) ?? 'nothing');
}
