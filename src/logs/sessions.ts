import { byteAt, type Line, Program } from './line.ts';
import { type Indexes, type OpenSessions, type Service, Session, SessionStore } from './session.ts';
import { type Direction, owned, type Row, type SessionState, type Tally } from './tally.ts';

/**
 * Ties lines of a log to sessions. Postfix' smtpd(8) and smtp(8) serve one connection at a time, so the
 * process tells which lines belong together; tlsproxy(8) and Dovecot's login processes say all of a
 * session in one line. The texts are those of smtpd.c, smtp_connect.c, tls_misc.c (tls_log_summary),
 * tls_server.c, tls_client.c and of login-common of Dovecot.
 */

/** A line of a process whose beginning lies in the part of the log before. */
export interface DeferredLine {
  readonly host: string;
  readonly ident: string;
  readonly pid: number;
  readonly message: string;
  readonly day: number;
}

/** The processes of one host. */
export interface HostState {
  readonly name: string;
  /** Tells it from the other hosts of the log. */
  readonly id: number;
  /** Indexes of sessions by process id: those that spoke last, and those that spoke before them and may speak again. */
  sessions: Map<number, number>;
  older: Map<number, number>;
  /** How often the older ones were given up. */
  turns: number;
  /** Peers of messages that are not in the queue yet, by queue id; only where details are asked for. */
  readonly messages: Map<string, number>;
}

/**
 * A process is over when so many others of its host have spoken since: no host runs so many daemons at a time,
 * and of those that end without a word there are ever more.
 */
const PROCESSES = 8192;

/** Messages whose way into the queue is waited for: more are of a log without lines of qmgr(8). */
const MOST_MESSAGES = 50_000;

/** What is to be found out. */
export interface SessionOptions {
  /**
   * Also who logs in, and the domains of senders and recipients: that takes longer, and the log has to be read in
   * one piece, for the lines of a message may stand far apart.
   */
  readonly details?: boolean;
  /** The lines do not begin where the log begins. */
  readonly continues: boolean;
}

/** Sessions of all hosts of a log. */
export class Sessions {
  readonly deferred: DeferredLine[] = [];
  readonly #tally: Tally;
  readonly #store: SessionStore;
  readonly #options: SessionOptions;
  readonly #hosts = new Map<string, HostState>();
  readonly #hostsById: HostState[] = [];
  /** By index of the row without a login. */
  readonly #loginRows: Map<string, Row>[] = [];
  #host: HostState;
  // What was read last: to make an object for each line takes longer than to read it.
  #peer = -1;
  #addressStart = 0;
  #peerEnd = 0;
  #row: Row | null = null;

  constructor(tally: Tally, options: SessionOptions) {
    this.#tally = tally;
    this.#store = new SessionStore(tally.memory, tally.rows);
    this.#options = options;
    this.#host = this.#hostOf('');
  }

  get store(): SessionStore {
    return this.#store;
  }

  /** How many more processes a host may have before the older ones are given up. */
  roomOf({ sessions }: HostState): number {
    return PROCESSES - 1 - sessions.size;
  }

  /** Takes up the processes that common lines have told of: they are of hosts that are known, and have room there. */
  takeBorn(): void {
    for (const index of this.#tally.memory.takeBorn()) {
      const { host, pid } = this.#store.processOf(index);
      this.#hostsById[host]?.sessions.set(pid, index);
    }
  }

  /** The host of the last line that told of a session. */
  get host(): HostState {
    return this.#host;
  }

  /** The line is of this host. */
  #enter({ text, hostStart, hostEnd }: Line): void {
    const { name } = this.#host;
    if (name.length !== hostEnd - hostStart || !text.startsWith(name, hostStart))
      this.#host = this.#hostOf(text.slice(hostStart, hostEnd));
  }

  /** A line of smtpd(8). */
  smtpd(line: Line): void {
    const { text, bytes, end } = line;
    const at = line.message;
    const first = byteAt(bytes, at);
    this.#enter(line);
    switch (first) {
      case 0x63: // connect
        if (text.startsWith(CONNECT, at)) this.#begun(line);
        return;
      case 0x64: // disconnect
        if (bytes[at + 11] === 0x66 && text.startsWith(DISCONNECT, at))
          this.#disconnect(line, at + DISCONNECT.length);
        return;
      case 0x6c: // lost connection after
        this.#lostConnection(line, at);
        return;
      case 0x4e: // Newer releases say what of the session is in the queue: NOQUEUE: lost connection after
        if (text.startsWith('NOQUEUE: ', at)) this.#lostConnection(line, at + 9);
        return;
      case 0x53: // SSL_accept
        if (text.startsWith(ACCEPT_ERROR, at)) this.#refusal(line, at + ACCEPT_ERROR.length);
        return;
      case 0x77: // warning
        if (text.startsWith(LIBRARY_PROBLEM, at)) {
          const session = this.#session(line, true);
          if (session !== null) session.reason = libraryReason(text.slice(at + LIBRARY_PROBLEM.length, end));
        }
        return;
      default: {
        const from = establishedAt(line, at, FROM);
        if (from > 0) this.#serverTls(line, from);
        else this.#client(line, at);
      }
    }
  }

  #lostConnection(line: Line, at: number): void {
    if (!line.text.startsWith('lost connection after STARTTLS from ', at)) return;
    const session = this.#session(line, true);
    if (session !== null) session.reason ??= 'lost connection after STARTTLS';
  }

  /**
   * A line of tlsproxy(8), which serves many connections at once: each line stands for itself, but for the
   * reason of a handshake that failed, which the line right before tells. Of connections to other servers
   * (smtp_tls_connection_reuse) smtp(8) tells too that they have TLS, but not that it failed.
   */
  tlsproxy(line: Line): void {
    const { text, end } = line;
    const at = line.message;
    this.#enter(line);
    if (text.startsWith(LIBRARY_PROBLEM, at)) {
      const session = this.#session(line, false);
      if (session !== null) session.reason = libraryReason(text.slice(at + LIBRARY_PROBLEM.length, end));
      return;
    }
    if (text.startsWith(HANDSHAKE_FAILED, at)) {
      this.#proxyFailure(line, at + HANDSHAKE_FAILED.length);
      return;
    }
    const pending = this.#known(line);
    pending.awaits = false;
    pending.reason = null;
    const tls = establishedAt(line, at, FROM);
    if (tls > 0 && this.#readTls(line, tls, 'in', this.#serviceOf(line)) && this.#row !== null)
      this.#tally.count(this.#row, line.day, this.#peer);
  }

  /**
   * `TLS handshake failed for service=smtpd peer=[ADDRESS]:PORT`, of a client of postscreen(8); the service is
   * one of smtp(8) otherwise.
   */
  #proxyFailure(line: Line, at: number): void {
    const { text, end } = line;
    const session = this.#session(line, true);
    if (session === null) {
      // The reason of the next one comes with it.
      this.#known(line).awaits = false;
      return;
    }
    const peer = text.indexOf(' peer=', at);
    if (peer >= 0 && peer < end && this.#readPeer(line, peer + 6)) {
      const reason = session.reason ?? 'not told';
      this.#begin(session, line.day);
      this.#refused(session, text.startsWith('smtpd', at) ? 'in' : 'out', reason);
    }
    session.clear();
  }

  /** A line of smtp(8) or lmtp(8). */
  smtp(line: Line): void {
    const { text, bytes, end } = line;
    const at = line.message;
    const first = byteAt(bytes, at);
    // To lmtp the next host is one of the site: its deliveries tell nothing of peers.
    if (line.program === Program.Lmtp && (isDigit(first) || (first >= 0x61 && first !== 0x77))) return;
    this.#enter(line);
    const tls = establishedAt(line, at, TO);
    if (tls > 0) {
      const session = this.#begun(line);
      if (!this.#readTls(line, tls, 'out', session.service) || this.#row === null) return;
      this.#tally.count(this.#row, line.day, this.#peer);
      this.#begin(session, line.day);
      session.tls = this.#row;
      session.queueId = '';
      return;
    }
    if (first === 0x53 && text.startsWith(CONNECT_ERROR, at)) {
      const session = this.#begun(line);
      if (!this.#readPeer(line, at + CONNECT_ERROR.length)) return;
      this.#begin(session, line.day);
      session.reason = afterPeer(text, this.#peerEnd, end);
      return;
    }
    if (first === 0x77 && text.startsWith(LIBRARY_PROBLEM, at)) {
      const session = this.#session(line, true);
      if (session !== null && session.reason !== null)
        session.reason = libraryReason(text.slice(at + LIBRARY_PROBLEM.length, end));
      return;
    }
    if (line.program === Program.Smtp) this.#delivery(line, at);
  }

  /** A line of qmgr(8): whose message it is that a client brought. */
  qmgr(line: Line): void {
    if (this.#options.details !== true) return;
    const { text, end } = line;
    this.#enter(line);
    const colon = text.indexOf(': from=<', line.message);
    if (colon < 0 || colon >= end) return;
    const { messages } = this.#host;
    const id = text.slice(line.message, colon);
    const peer = messages.get(id);
    if (peer === undefined) return;
    messages.delete(id);
    this.#domain(peer, 'senders', line, colon + 8);
  }

  /**
   * What a line of another program says in one piece.
   *
   * @param from where the address of the peer stands, to `to`
   * @param user where the name of the user stands who logged in; null for none
   */
  whole(
    line: Line,
    row: Row,
    from: number,
    to: number,
    user: { readonly from: number; readonly to: number } | null,
  ): void {
    if (row.state === 'plaintext' && isLoopback(line.text.slice(from, to))) return;
    const peer = this.#tally.peers.index(line.bytes, from, from, to);
    this.#tally.count(row, line.day, peer);
    if (user !== null && this.#options.details === true)
      this.#tally.user(row, peer, owned(line.text.slice(user.from, user.to)));
  }

  /** What is known of processes, but for those of which the part before has to tell first. */
  open(): OpenSessions {
    return this.#store.open(
      this.#hostsById.map(({ name, sessions, older }) => ({
        name,
        sessions: [...older.values(), ...sessions.values()],
      })),
    );
  }

  /** The log ends: what is open is counted as it stands. */
  end(): void {
    for (const { sessions, older } of this.#hostsById) {
      for (const index of [...older.values(), ...sessions.values()]) {
        if (this.#store.isRefused(index)) this.#close(new Session(this.#store, index));
      }
      older.clear();
      sessions.clear();
    }
  }

  /** Puts processes where a later part of the log left them. */
  resume(open: OpenSessions, indexes: Indexes): void {
    const hosts = open.hosts.map((name) => this.#hostOf(name));
    this.#store.resume(open, indexes, ({ host, pid, isIdle, make }) => {
      const state = hosts[host] as HostState;
      if (isIdle && !state.sessions.has(pid) && !state.older.has(pid)) return;
      const before = this.#at(state, pid);
      if (before !== undefined) this.#close(before);
      this.#put(state, pid, () => make(state.id));
    });
  }

  /** The row of a session with TLS that somebody logged in to. */
  loginRow(tls: Row, login: string): Row {
    const byLogin = this.#loginRows[tls.index] ?? new Map<string, Row>();
    this.#loginRows[tls.index] = byLogin;
    const row = byLogin.get(login) ?? this.#tally.row({ ...tls, login });
    byLogin.set(login, row);
    return row;
  }

  #hostOf(name: string): HostState {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const state: HostState = {
      name: owned(name),
      id: this.#hostsById.length,
      sessions: new Map(),
      older: new Map(),
      turns: 0,
      messages: new Map(),
    };
    this.#hosts.set(state.name, state);
    this.#hostsById.push(state);
    return state;
  }

  #serviceOf(line: Line): Service {
    const { text } = line;
    return this.#store.service(text.slice(line.identStart, line.identEnd));
  }

  /** The session of the process that speaks, or null where its line has to wait for the part before. */
  #session(line: Line, waits: boolean): Session | null {
    const { text, end } = line;
    const session = this.#known(line);
    if (session.awaits) {
      if (!waits) {
        session.awaits = false;
        return session;
      }
      this.deferred.push({
        host: this.#host.name,
        ident: session.service.ident,
        pid: line.pid,
        message: owned(text.slice(line.message, end)),
        day: line.day,
      });
      return null;
    }
    return session;
  }

  /** The session of a process whose line tells that a new one begins. */
  #begun(line: Line): Session {
    const session = this.#known(line);
    if (session.awaits) session.awaits = false;
    else this.#close(session);
    return session;
  }

  /** What is known of a process. */
  #at(state: HostState, pid: number): Session | undefined {
    const index = state.sessions.get(pid) ?? state.older.get(pid);
    if (index === undefined) return undefined;
    const session = new Session(this.#store, index);
    if (state.older.delete(pid)) {
      session.older = false;
      this.#put(state, pid, () => index);
    }
    return session;
  }

  /** @param make what makes the session; by then the one before is no more */
  #put(state: HostState, pid: number, make: () => number): void {
    const before = state.sessions.get(pid);
    if (before !== undefined) this.#store.free(before);
    state.sessions.set(pid, make());
    if (state.sessions.size < PROCESSES) return;
    for (const over of state.older.values()) {
      this.#close(new Session(this.#store, over));
      this.#store.free(over);
    }
    for (const index of state.sessions.values()) new Session(this.#store, index).older = true;
    state.older = state.sessions;
    state.sessions = new Map();
    state.turns++;
  }

  #known(line: Line): Session {
    const host = this.#host;
    const { identStart, identEnd, identHash } = line;
    // There is room for so many bits, and no process has more.
    const pid = line.pid | 0;
    const known = this.#at(host, pid);
    if (known !== undefined) {
      const { service } = known;
      if (service.identHash === identHash && service.ident.length === identEnd - identStart) return known;
      this.#close(known);
    }
    let index = -1;
    // Another program of the same process id came before: its session is over, whatever the part before says.
    const awaits = this.#options.continues && known === undefined && host.turns < 2;
    this.#put(host, pid, () => (index = this.#store.make(host.id, pid, this.#serviceOf(line))));
    const session = new Session(this.#store, index);
    session.awaits = awaits;
    session.day = line.day;
    return session;
  }

  #serverTls(line: Line, at: number): void {
    const session = this.#begun(line);
    if (!this.#readTls(line, at, 'in', session.service)) return;
    this.#begin(session, line.day);
    session.tls = this.#row;
    if (this.#row !== null) this.#tally.count(this.#row, line.day, this.#peer);
  }

  #refusal(line: Line, at: number): void {
    const session = this.#begun(line);
    if (!this.#readPeer(line, at)) return;
    this.#begin(session, line.day);
    session.reason = afterPeer(line.text, this.#peerEnd, line.end);
  }

  /** `QUEUEID: client=NAME[ADDRESS], sasl_method=PLAIN, sasl_username=…` */
  #client(line: Line, at: number): void {
    const { text, bytes, end } = line;
    let colon = at;
    while (colon < end && isQueueIdUnit(byteAt(bytes, colon))) colon++;
    if (colon === at || bytes[colon + 2] !== 0x63 || !text.startsWith(CLIENT, colon)) return;
    const session = this.#session(line, true);
    if (session === null) return;
    session.mail = true;
    const details = this.#options.details === true;
    if (details && this.#readPeer(line, colon + CLIENT.length)) this.#message(text.slice(at, colon));
    const close = text.indexOf(']', colon);
    if (close < 0 || close + 1 >= end) return;
    const method = /, sasl_method=([^,\s]+)/.exec(text.slice(close, end))?.[1];
    if (method === undefined) return;
    const login = owned(method.toUpperCase());
    const user = details ? /, sasl_username=([^,\s]+)/.exec(text.slice(close, end))?.[1] : undefined;
    session.user = user === undefined ? null : owned(user);
    if (session.tls !== null && session.login === null) {
      // It was counted before the user was known.
      this.#tally.count(session.tls, session.day, session.peer, -1);
      this.#count(session, this.loginRow(session.tls, login), session.day, session.peer);
    }
    session.login = login;
  }

  #disconnect(line: Line, at: number): void {
    const { text, bytes, end } = line;
    const known = this.#known(line);
    if (known.awaits) {
      const waits = this.#session(line, true);
      // What comes behind this line is another connection.
      if (waits === null) known.awaits = false;
      return;
    }
    if (!this.#findPeer(line, at)) return this.#close(known);
    // The line that ended the session before was lost, or the peer has got another name since.
    const { peers } = this.#tally;
    if (known.peer >= 0 && !peers.isAddress(known.peer, bytes, this.#addressStart, this.#peerEnd - 1))
      this.#close(known);
    if (known.tls !== null) return known.clear();
    const address = text.slice(this.#addressStart, this.#peerEnd - 1);
    const row = this.#rowOfEnd(known, address, text.slice(this.#peerEnd, end));
    if (row !== null && this.#readPeer(line, at)) this.#count(known, row, line.day, this.#peer);
    known.clear();
  }

  /**
   * What a session was of which no line told that TLS was made; null for one that is not counted.
   *
   * @param commands what stands behind the peer: from Postfix 3.0 on, how many of which commands the session had
   */
  #rowOfEnd({ service, reason, login, mail }: Session, address: string, commands: string): Row | null {
    const started = /(?:^| )starttls=(\d+)/.exec(commands)?.[1];
    const spoke = commands.includes('=') ? /(?:^| )(?:mail|auth)=[1-9]/.test(commands) : mail;
    const of = (state: SessionState): Row => {
      const row = this.#untold(service, 'in', state);
      return login === null ? row : this.#tally.row({ ...row, login });
    };
    if (started !== undefined && started !== '0') return of('tls');
    if (!spoke) {
      return reason !== null || started === '0'
        ? this.#refusedRow(service, 'in', reason ?? 'not told')
        : null;
    }
    // Nobody gets through to a command there without TLS: smtpd_tls_loglevel is 0.
    if (/(?:^|\/)(?:smtps|submissions)\//.test(service.name)) return of('tls');
    return isLoopback(address) ? null : of('plaintext');
  }

  #untold(service: Service, direction: Direction, state: SessionState): Row {
    return this.#tally.row({
      direction,
      service: service.name,
      state,
      protocol: null,
      cipher: null,
      reason: null,
      login: null,
    });
  }

  #refusedRow(service: Service, direction: Direction, reason: string): Row {
    return this.#tally.row({
      direction,
      service: service.name,
      state: 'refused',
      protocol: null,
      cipher: null,
      reason,
      login: null,
    });
  }

  #refused({ service, day, peer }: Session, direction: Direction, reason: string): void {
    this.#tally.count(this.#refusedRow(service, direction, reason), day, peer);
  }

  /** `QUEUEID: to=<…>, relay=NAME[ADDRESS]:25, conn_use=2, …, status=sent (…)` */
  #delivery(line: Line, at: number): void {
    const { text, bytes, end } = line;
    let colon = at;
    while (colon < end && isQueueIdUnit(byteAt(bytes, colon))) colon++;
    if (colon === at || !text.startsWith(RECIPIENT, colon)) return;
    const relay = text.indexOf(', relay=', colon);
    if (relay < 0 || relay >= end) return;
    const session = this.#session(line, true);
    const peer = relayAddress(line, relay + 8);
    if (session !== null && session.reason !== null) this.#close(session);
    if (peer === null) return;
    const id = text.slice(at, colon);
    const address = text.slice(peer.open + 1, peer.close);
    const index = this.#tally.peers.index(bytes, relay + 8, peer.open + 1, peer.close);
    if (session === null) {
      const known = this.#known(line);
      // With the second message nothing rests on the part before any more.
      if (known.queueId !== '' && known.queueId !== id) {
        known.awaits = false;
        this.#peer = index;
        this.#begin(known, line.day);
      }
      known.queueId = owned(id);
      return;
    }
    const counted = session.queueId === id && session.peer === index;
    const first = session.queueId === '' && session.tls !== null && session.peer === index;
    if (!counted && !first) {
      const rest = text.slice(peer.close, end);
      // A connection that was kept open tells nothing of its TLS here.
      const kept = rest.includes(', conn_use=');
      const sent = rest.includes(', status=sent');
      const demanded = /, status=\w+ \(TLS is required, but (was not offered|our TLS engine|[\w ]+)/.exec(
        rest,
      )?.[1];
      session.tls = null;
      this.#peer = index;
      this.#begin(session, line.day);
      if (!kept && !isLoopback(address)) {
        if (demanded !== undefined) this.#refused(session, 'out', `TLS is required, but ${owned(demanded)}`);
        else if (sent)
          this.#tally.count(
            this.#untold(session.service, 'out', deliveryState(rest)),
            line.day,
            session.peer,
          );
      }
    }
    session.queueId = owned(id);
    if (this.#options.details === true && !isLoopback(address))
      this.#domain(index, 'recipients', line, colon + RECIPIENT.length);
  }

  /** A message of the peer that was read last is on its way into the queue. */
  #message(id: string): void {
    const { messages } = this.#host;
    if (messages.size >= MOST_MESSAGES)
      for (const oldest of messages.keys()) {
        messages.delete(oldest);
        break;
      }
    messages.set(owned(id), this.#peer);
  }

  /** The domain of the mailbox that stands at a place, up to an angle bracket. */
  #domain(peer: number, side: 'senders' | 'recipients', { text, end }: Line, at: number): void {
    const close = text.indexOf('>', at);
    if (close < 0 || close >= end) return;
    const sign = text.lastIndexOf('@', close);
    if (sign >= at && sign + 1 < close)
      this.#tally.domain(peer, side, owned(text.slice(sign + 1, close).toLowerCase()));
  }

  /** Reads a line that tells of TLS, from where the peer stands, into `#row` and `#peer`. */
  #readTls(line: Line, at: number, direction: Direction, service: Service): boolean {
    const { text, bytes, end } = line;
    if (!this.#readPeer(line, at)) return false;
    let start = this.#peerEnd;
    if (bytes[start] !== 0x3a || bytes[start + 1] !== 0x20) {
      // A port, or the name that the client asked for.
      start = text.indexOf(': ', start);
      if (start < 0) return false;
    }
    start += 2;
    let stop = start;
    let key = direction === 'in' ? 1 : 2;
    let unit = byteAt(bytes, stop);
    while (stop < end && unit !== 0x20) {
      key = (Math.imul(key, 31) + unit) | 0;
      unit = byteAt(bytes, ++stop);
    }
    const protocolEnd = stop;
    if (bytes[stop + 6] !== 0x63 || !text.startsWith(WITH_CIPHER, stop)) return false;
    stop += WITH_CIPHER.length;
    unit = byteAt(bytes, stop);
    while (stop < end && unit !== 0x20) {
      key = (Math.imul(key, 31) + unit) | 0;
      unit = byteAt(bytes, ++stop);
    }
    let row = service.rows.get(key);
    if (row === undefined) {
      row = this.#tally.row({
        direction,
        service: service.name,
        state: 'tls',
        protocol: owned(text.slice(start, protocolEnd)),
        cipher: owned(text.slice(protocolEnd + WITH_CIPHER.length, stop)),
        reason: null,
        login: null,
      });
      service.rows.set(key, row);
    }
    this.#row = row;
    return true;
  }

  /** Reads `NAME[ADDRESS]` at a place into `#peer` and what says where it stands. */
  #readPeer(line: Line, at: number): boolean {
    if (!this.#findPeer(line, at)) return false;
    this.#peer = this.#tally.peers.index(line.bytes, at, this.#addressStart, this.#peerEnd - 1);
    return true;
  }

  #findPeer({ bytes, end }: Line, at: number): boolean {
    const open = bracket(bytes, at, end);
    if (open < 0) return false;
    let close = open + 1;
    while (close < end && bytes[close] !== 0x5d) close++;
    if (close >= end) return false;
    this.#addressStart = open + 1;
    this.#peerEnd = close + 1;
    return true;
  }

  /** The session is one with the peer that was read last. */
  #begin(session: Session, day: number): void {
    session.peer = this.#peer;
    session.day = day;
    session.tls = null;
  }

  /** Counts a session that somebody logged in to, or nobody. */
  #count({ user }: Session, row: Row, day: number, peer: number): void {
    this.#tally.count(row, day, peer);
    if (user !== null) this.#tally.user(row, peer, user);
  }

  /** Ends a session without a line that says so. */
  #close(session: Session): void {
    const { awaits, peer, reason, tls, service } = session;
    if (awaits) return;
    if (peer >= 0 && reason !== null && tls === null)
      this.#refused(session, service.ident.endsWith('smtpd') ? 'in' : 'out', reason);
    session.clear();
  }
}

const CONNECT = 'connect from ';
const DISCONNECT = 'disconnect from ';
const ACCEPT_ERROR = 'SSL_accept error from ';
const CONNECT_ERROR = 'SSL_connect error to ';
const HANDSHAKE_FAILED = 'TLS handshake failed for service=';
const LIBRARY_PROBLEM = 'warning: TLS library problem: ';
const WITH_CIPHER = ' with cipher ';
const CLIENT = ': client=';
const RECIPIENT = ': to=<';
const FROM = 'TLS connection established from ';
const TO = 'TLS connection established to ';

/**
 * Where the peer stands in `[Anonymous |Untrusted |Trusted |Verified ]TLS connection established from PEER: …`;
 * 0 in other lines.
 */
function establishedAt({ text, bytes }: Line, at: number, words: string): number {
  let start = at;
  switch (byteAt(bytes, at)) {
    case 0x41: // Anonymous
    case 0x55: // Untrusted
      start = at + 10;
      break;
    case 0x56: // Verified
      start = at + 9;
      break;
    case 0x54: // Trusted, or TLS itself before Postfix 2.5
      if (bytes[at + 1] === 0x72) start = at + 8;
      break;
    default:
      return 0;
  }
  return bytes[start] === 0x54 && bytes[start + 3] === 0x20 && text.startsWith(words, start)
    ? start + words.length
    : 0;
}

/** What stands behind `PEER:PORT: `. A bare number is the status of the library call and says nothing. */
function afterPeer(text: string, from: number, end: number): string {
  const colon = text.indexOf(': ', from);
  const rest = colon < 0 || colon >= end ? '' : text.slice(colon + 2, end);
  return rest === '' || /^-?\d+$/.test(rest) ? 'not told' : owned(rest);
}

/** The reason in `error:0A000102:SSL routines:FUNCTION:unsupported protocol:FILE:LINE:` (ERR_error_string(3)). */
export function libraryReason(text: string): string {
  const [, , , , reason] = text.split(':');
  return owned(reason === undefined || reason === '' ? text.trim() : reason);
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function bracket(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== 0x5b) at++;
  return at < end ? at : -1;
}

/**
 * What a delivery that no line of TLS came before says of TLS itself: from Postfix 3.11 on the level stands in
 * it (postconf(5), smtp_log_tls_feature_status), `tls=may`, and `tls=may:none` where it came to nothing.
 */
function deliveryState(rest: string): SessionState {
  const status = /, tls=([^,\s]+),/.exec(rest)?.[1];
  if (status === undefined) return 'untold';
  return status === 'none' || /:none\b/.test(status) ? 'plaintext' : 'tls';
}

/** The address in `NAME[ADDRESS]:PORT`; null for `none`, and for a socket of the system. */
function relayAddress({ text, bytes, end }: Line, at: number): { open: number; close: number } | null {
  const comma = text.indexOf(',', at);
  const stop = comma < 0 || comma > end ? end : comma;
  const open = bracket(bytes, at, stop);
  if (open < 0) return null;
  const close = text.indexOf(']', open);
  if (close < 0 || close > stop || bytes[close + 1] !== 0x3a) return null;
  return { open, close };
}

/** Hexadecimal or, with enable_long_queue_ids, letters and digits without vowels. */
function isQueueIdUnit(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
}

/** Mail that comes back from a filter of the host's own is no session with a peer. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}
