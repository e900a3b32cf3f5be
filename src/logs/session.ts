import { hashOf } from './line.ts';
import { type LogMemory, SESSION } from './memory.ts';
import { owned, type Row } from './tally.ts';

/** Lines of one name in the log. */
export interface Service {
  /** As the log has it: `postfix/smtpd`. */
  readonly ident: string;
  readonly identHash: number;
  readonly name: string;
  readonly index: number;
  /** Rows of TLS by a number made of protocol and suite, as good as never the same for two. */
  readonly rows: Map<number, Row>;
}

/** Numbers of a session in the memory, as src/logs/wasm/sessions.ts has them. */
const enum Field {
  Pid,
  Host,
  Service,
  Flags,
  Peer,
  Day,
  Tls,
  Login,
  Reason,
  User,
  QueueIdLength,
  QueueId,
}

// Flags.
const MAIL = 1;
const AWAITS = 2;
const OLDER = 4;

/** A longer queue id stands elsewhere than in the memory, and this in the place of its length. */
const LONGEST_ID = 20;
const ELSEWHERE = 255;

const NONE = -1;

/** Texts that sessions name by their index. */
export class Texts {
  /** The index of the text that was asked for last. */
  last = NONE;
  readonly #texts: string[] = [];
  readonly #indexes = new Map<string, number>();

  /** All of them, by index. */
  get all(): readonly string[] {
    return this.#texts;
  }

  /** The index of a text. */
  index(text: string): number {
    this.last = this.#indexes.get(text) ?? this.#texts.push(text) - 1;
    this.#indexes.set(text, this.last);
    return this.last;
  }

  /** The text of an index; null for none. */
  at(index: number): string | null {
    return this.#texts[index] ?? null;
  }
}

/** Sessions that a part of a log leaves open; plain data. */
export interface OpenSessions {
  /** Numbers of each, see `Field`: those that are indexes lead into what follows, and rows, days and peers of the part. */
  readonly numbers: Int32Array;
  readonly hosts: readonly string[];
  readonly idents: readonly string[];
  readonly logins: readonly string[];
  readonly reasons: readonly string[];
  readonly users: readonly string[];
  /** Queue ids that are too long for numbers, by which of the sessions has them. */
  readonly longIds: readonly (readonly [at: number, id: string])[];
}

/** Where indexes of a part of a log lead to in the log, by index there. */
export interface Indexes {
  readonly peers: ArrayLike<number>;
  readonly rows: readonly number[];
  readonly days: readonly number[];
}

/** The sessions of a log, and what they name. */
export class SessionStore {
  /** SASL mechanisms, reasons why TLS could not be made, and who has logged in. */
  readonly logins = new Texts();
  readonly reasons = new Texts();
  readonly users = new Texts();
  readonly memory: LogMemory;
  readonly rows: readonly Row[];
  /** Long queue ids by index of the session. */
  readonly longIds = new Map<number, string>();
  readonly #services: Service[] = [];
  readonly #servicesByIdent = new Map<string, Service>();

  constructor(memory: LogMemory, rows: readonly Row[]) {
    this.memory = memory;
    this.rows = rows;
  }

  /** The service of a name in the log. */
  service(ident: string): Service {
    const known = this.#servicesByIdent.get(ident);
    if (known !== undefined) return known;
    const own = owned(ident);
    const service: Service = {
      ident: own,
      identHash: hashOf(own),
      name: own.replace(/^postfix\/(?=.)/, ''),
      index: this.#services.length,
      rows: new Map(),
    };
    this.#services.push(service);
    this.#servicesByIdent.set(own, service);
    return service;
  }

  serviceAt(index: number): Service {
    return this.#services[index] ?? this.service('');
  }

  /** The index of a new session. */
  make(host: number, pid: number, service: Service): number {
    return this.memory.scanner.newSession(host, pid, service.index);
  }

  /** The process of a session. */
  processOf(index: number): { readonly host: number; readonly pid: number } {
    const { words } = this.memory;
    const at = this.memory.sessionAt(index);
    return { host: words[at + Field.Host] ?? 0, pid: words[at + Field.Pid] ?? 0 };
  }

  /** Whether a session was refused TLS, and that is not counted. */
  isRefused(index: number): boolean {
    const { words } = this.memory;
    const at = this.memory.sessionAt(index);
    if ((words[at + Field.Reason] ?? NONE) < 0 || (words[at + Field.Peer] ?? NONE) < 0) return false;
    return (words[at + Field.Tls] ?? NONE) < 0 && ((words[at + Field.Flags] ?? 0) & AWAITS) === 0;
  }

  /** It is over, and its place is another's. */
  free(index: number): void {
    this.memory.scanner.freeSession(index);
    this.longIds.delete(index);
  }

  /** Sessions of hosts for another reader, in their order. */
  open(hosts: readonly { readonly name: string; readonly sessions: readonly number[] }[]): OpenSessions {
    const longIds: [number, string][] = [];
    const { words } = this.memory;
    const first = this.memory.sessionAt(0);
    const numbers = new Int32Array(hosts.reduce((sum, { sessions }) => sum + sessions.length, 0) * SESSION);
    let length = 0;
    for (const [host, { sessions }] of hosts.entries()) {
      for (const index of sessions) {
        const at = first + index * SESSION;
        if (((words[at + Field.Flags] ?? 0) & AWAITS) !== 0) continue;
        const long = this.longIds.get(index);
        if (long !== undefined) longIds.push([length / SESSION, long]);
        numbers.set(words.subarray(at, at + SESSION), length);
        numbers[length + Field.Host] = host;
        length += SESSION;
      }
    }
    return {
      numbers: numbers.slice(0, length),
      hosts: hosts.map(({ name }) => name),
      idents: this.#services.map(({ ident }) => ident),
      logins: this.logins.all,
      reasons: this.reasons.all,
      users: this.users.all,
      longIds,
    };
  }

  /** Takes up sessions as they stand in a part of the log. @param take takes each */
  resume(open: OpenSessions, indexes: Indexes, take: (session: ResumedSession) => void): void {
    const { numbers, idents, logins, reasons, users } = open;
    const indexesOf = (texts: Texts, there: readonly string[]): number[] =>
      there.map((text) => texts.index(text));
    const led: (readonly [Field, ArrayLike<number>])[] = [
      [Field.Service, idents.map((ident) => this.service(ident).index)],
      [Field.Peer, indexes.peers],
      [Field.Day, indexes.days],
      [Field.Tls, indexes.rows],
      [Field.Login, indexesOf(this.logins, logins)],
      [Field.Reason, indexesOf(this.reasons, reasons)],
      [Field.User, indexesOf(this.users, users)],
    ];
    const longIds = new Map(open.longIds);
    const session: Writable<ResumedSession> = { host: 0, pid: 0, isIdle: false, make: () => 0 };
    for (let from = 0; from < numbers.length; from += SESSION) {
      session.host = numbers[from + Field.Host] ?? 0;
      session.pid = numbers[from + Field.Pid] ?? 0;
      session.isIdle =
        numbers[from + Field.Peer] === NONE &&
        numbers[from + Field.Reason] === NONE &&
        numbers[from + Field.QueueIdLength] === 0 &&
        ((numbers[from + Field.Flags] ?? 0) & MAIL) === 0;
      session.make = (host) => {
        const index = this.memory.scanner.newSession(host, numbers[from + Field.Pid] ?? 0, 0);
        const at = this.memory.sessionAt(index);
        const { words } = this.memory;
        words.set(numbers.subarray(from + Field.Flags, from + SESSION), at + Field.Flags);
        words[at + Field.Flags] = (numbers[from + Field.Flags] ?? 0) & ~OLDER;
        for (const [field, there] of led) words[at + field] = there[numbers[from + field] ?? NONE] ?? NONE;
        const id = longIds.get(from / SESSION);
        if (id !== undefined) this.longIds.set(index, id);
        return index;
      };
      take(session);
    }
  }
}

/** A session that a part of the log has left; it means nothing any more when the next one is taken up. */
export interface ResumedSession {
  /** Which of the hosts of the part. */
  readonly host: number;
  readonly pid: number;
  /** The process has served nobody since it was heard of. */
  readonly isIdle: boolean;
  /** Makes it here, for a host here. @returns its index */
  readonly make: (host: number) => number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * What is known of the connection that a process serves. It stands in the memory, where common lines tell and change
 * it; this gives it names.
 */
export class Session {
  readonly #store: SessionStore;
  readonly #index: number;

  constructor(store: SessionStore, index: number) {
    this.#store = store;
    this.#index = index;
  }

  /** The process serves no connection any more. */
  clear(): void {
    this.peer = NONE;
    this.tls = null;
    this.reason = null;
    this.login = null;
    this.user = null;
    this.mail = false;
  }

  get service(): Service {
    return this.#store.serviceAt(this.#get(Field.Service));
  }

  /** Many others have spoken since: the process may be over. */
  set older(older: boolean) {
    this.#flag(OLDER, older);
  }

  /** Not yet understood: lines that await what the part of the log before says of the process. */
  get awaits(): boolean {
    return (this.#get(Field.Flags) & AWAITS) !== 0;
  }

  set awaits(awaits: boolean) {
    this.#flag(AWAITS, awaits);
  }

  /** Index of the peer, -1 where none is known. */
  get peer(): number {
    return this.#get(Field.Peer);
  }

  set peer(peer: number) {
    this.#set(Field.Peer, peer);
  }

  get day(): number {
    return this.#get(Field.Day);
  }

  set day(day: number) {
    this.#set(Field.Day, day);
  }

  /** TLS as the log told it. */
  get tls(): Row | null {
    return this.#store.rows[this.#get(Field.Tls)] ?? null;
  }

  set tls(row: Row | null) {
    this.#set(Field.Tls, row?.index ?? NONE);
  }

  /** Why TLS could not be made. */
  get reason(): string | null {
    return this.#store.reasons.at(this.#get(Field.Reason));
  }

  set reason(reason: string | null) {
    this.#set(Field.Reason, reason === null ? NONE : this.#store.reasons.index(reason));
  }

  get login(): string | null {
    return this.#store.logins.at(this.#get(Field.Login));
  }

  set login(login: string | null) {
    this.#set(Field.Login, login === null ? NONE : this.#store.logins.index(login));
  }

  /** Who logged in, where details are asked for. */
  get user(): string | null {
    return this.#store.users.at(this.#get(Field.User));
  }

  set user(user: string | null) {
    this.#set(Field.User, user === null ? NONE : this.#store.users.index(user));
  }

  /** A message was begun. */
  get mail(): boolean {
    return (this.#get(Field.Flags) & MAIL) !== 0;
  }

  set mail(mail: boolean) {
    this.#flag(MAIL, mail);
  }

  /** The message that the TLS connection, or the one in the clear, was counted for (smtp). */
  get queueId(): string {
    const length = this.#get(Field.QueueIdLength);
    if (length === ELSEWHERE) return this.#store.longIds.get(this.#index) ?? '';
    const { memory } = this.#store;
    const at = (memory.sessionAt(this.#index) + Field.QueueId) * 4;
    return memory.bytes.toString('latin1', at, at + length);
  }

  set queueId(id: string) {
    const isLong = id.length > LONGEST_ID;
    this.#set(Field.QueueIdLength, isLong ? ELSEWHERE : id.length);
    if (isLong) {
      this.#store.longIds.set(this.#index, id);
      return;
    }
    const { memory } = this.#store;
    const at = (memory.sessionAt(this.#index) + Field.QueueId) * 4;
    memory.bytes.fill(0, at, at + LONGEST_ID);
    memory.bytes.write(id, at, 'latin1');
  }

  #get(field: Field): number {
    const { memory } = this.#store;
    return memory.words[memory.sessionAt(this.#index) + field] ?? 0;
  }

  #set(field: Field, value: number): void {
    const { memory } = this.#store;
    memory.words[memory.sessionAt(this.#index) + field] = value;
  }

  #flag(flag: number, value: boolean): void {
    const flags = this.#get(Field.Flags);
    this.#set(Field.Flags, value ? flags | flag : flags & ~flag);
  }
}
