import type { Line } from './line.ts';
import { libraryReason, type Sessions } from './sessions.ts';
import { owned, type Row, type Tally } from './tally.ts';

/**
 * Lines of Dovecot's login processes (client-common.c, client_log_msg; login_log_format_elements):
 * `imap-login: Info: Login: user=<…>, method=PLAIN, rip=…, lip=…, mpid=…, TLS, session=<…>`. With `%k`
 * (2.4: `%{ssl_security}`) in the elements they say `TLSv1.3 with cipher …`. The level is there in files that Dovecot writes itself.
 */
export class DovecotLines {
  readonly #tally: Tally;
  readonly #sessions: Sessions;
  /** Rows of logins by all that the line says but peer, user and numbers. */
  readonly #rows = new Map<string, Row>();

  constructor(tally: Tally, sessions: Sessions) {
    this.#tally = tally;
    this.#sessions = sessions;
  }

  /**
   * Reads a line of a login process.
   *
   * @param from where its name stands, to `to`
   * @param message where the message begins
   */
  read(line: Line, from: number, to: number, message: number): void {
    const { text, bytes, end } = line;
    let start = message;
    // Files that Dovecot writes itself have the level before it.
    if (bytes[start] === 0x49 && text.startsWith('Info: ', start)) start += 6;
    const login = bytes[start] === 0x4c && text.startsWith('Login: ', start);
    const logged = login || text.startsWith('Logged in', start);
    const rip = after(line, ', rip=', start);
    if (rip < 0) return;
    const ripEnd = wordEnd(text, rip, end);
    if (!logged) {
      const failed = after(line, ', TLS handshaking', ripEnd);
      if (failed < 0) return;
      const row = this.#tally.row({
        direction: 'in',
        service: owned(text.slice(from, to)),
        state: 'refused',
        protocol: null,
        cipher: null,
        reason: handshakeReason(text.slice(failed, wordEnd(text, failed, end))),
        login: null,
      });
      this.#sessions.whole(line, row, rip, ripEnd, null);
      return;
    }
    // %c says TLS, and %k the suite: beside it or in its place.
    const cipher = after(line, WITH_CIPHER, ripEnd);
    const tls = cipher >= 0 || after(line, ', TLS', ripEnd) >= 0;
    const suite =
      cipher < 0 ? '' : text.slice(wordStart(text, cipher - WITH_CIPHER.length), suiteEnd(text, cipher, end));
    const method = after(line, 'method=', start);
    const methodEnd = method < 0 ? method : wordEnd(text, method, end);
    const secured = !tls && after(line, ', secured', ripEnd) >= 0;
    const key = `${text.slice(from, to)} ${text.slice(method, methodEnd)} ${tls} ${secured} ${suite}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.login(
        text.slice(from, to),
        method < 0 ? null : text.slice(method, methodEnd),
        tls ? 'tls' : secured ? 'secured' : 'clear',
        suite,
      );
      this.#rows.set(owned(key), row);
    }
    const user = after(line, 'user=<', start);
    const userEnd = user < 0 ? -1 : text.lastIndexOf('>', rip);
    this.#sessions.whole(line, row, rip, ripEnd, userEnd > user ? { from: user, to: userEnd } : null);
  }

  /** The row of logins. @param suite `TLSv1.3 with cipher …`, empty where the line does not say */
  login(service: string, method: string | null, safety: 'tls' | 'secured' | 'clear', suite: string): Row {
    const [protocol, cipher] = suite.split(WITH_CIPHER);
    return this.#tally.row({
      direction: 'in',
      service: owned(service),
      state: safety === 'tls' ? 'tls' : 'plaintext',
      protocol: cipher === undefined ? null : owned(protocol ?? ''),
      cipher: cipher === undefined ? null : owned(cipher),
      reason: safety === 'secured' ? 'secured' : null,
      login: method === null ? null : owned(method.toUpperCase()),
    });
  }
}

const WITH_CIPHER = ' with cipher ';

/** Where what follows `words` begins; -1 where they are not in the line. */
function after({ text, bytes, end }: Line, words: string, from: number): number {
  const first = words.charCodeAt(0);
  for (let at = from; at + words.length <= end; at++)
    if (bytes[at] === first && text.startsWith(words, at)) return at + words.length;
  return -1;
}

function wordEnd(text: string, from: number, end: number): number {
  const comma = text.indexOf(',', from);
  return comma < 0 || comma > end ? end : comma;
}

/**
 * Why the handshake failed: `: SSL_accept() failed: error:…`, or `: SSL_accept() syscall failed: …` with what the
 * system said last, which 2.3 may tell in place of OpenSSL's reason.
 */
function handshakeReason(text: string): string {
  const told = /^: SSL_accept\(\) (?:syscall )?failed: (.+)/.exec(text)?.[1];
  return told === undefined ? 'not told' : libraryReason(told);
}

/** Where the word begins that ends at a place. */
function wordStart(text: string, end: number): number {
  return text.lastIndexOf(' ', end - 1) + 1;
}

/** Where the name of a suite ends. */
function suiteEnd(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && /[\w-]/.test(text[at] ?? '')) at++;
  return at;
}
