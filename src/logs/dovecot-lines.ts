import type { Line } from './line.ts';
import { libraryReason, type Sessions } from './sessions.ts';
import { owned, type Row, type Tally } from './tally.ts';

/**
 * Lines of Dovecot's login processes (client-common.c, client_log_msg; login_log_format_elements):
 * `imap-login: Info: Login: user=<…>, method=PLAIN, rip=…, lip=…, mpid=…, TLS, session=<…>`. With `%k` in
 * the elements the suite stands behind `TLS: `. The level is there in files that Dovecot writes itself.
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
      const failed = after(line, 'TLS handshaking: SSL_accept() failed: ', start);
      if (failed < 0) return;
      const row = this.#tally.row({
        direction: 'in',
        service: owned(text.slice(from, to)),
        state: 'refused',
        protocol: null,
        cipher: null,
        reason: libraryReason(text.slice(failed, wordEnd(text, failed, end))),
        login: null,
      });
      this.#sessions.whole(line, row, rip, ripEnd);
      return;
    }
    const tls = after(line, ', TLS', ripEnd);
    const method = after(line, 'method=', start);
    const methodEnd = method < 0 ? method : wordEnd(text, method, end);
    const suiteEnd = tls > 0 && bytes[tls] === 0x3a ? wordEnd(text, tls, end) : tls;
    const key = `${text.slice(from, to)} ${text.slice(method, methodEnd)} ${tls < 0 ? '-' : text.slice(tls, suiteEnd)}`;
    const row = this.#rows.get(key) ?? this.#row(key, text, from, to, method, methodEnd, tls, suiteEnd);
    this.#sessions.whole(line, row, rip, ripEnd);
  }

  #row(
    key: string,
    text: string,
    from: number,
    to: number,
    method: number,
    methodEnd: number,
    tls: number,
    suiteEnd: number,
  ): Row {
    const suite =
      tls < 0 ? null : /((?:TLS|SSL)v[\d.]+) with cipher ([\w-]+)/.exec(text.slice(tls, suiteEnd));
    const row = this.#tally.row({
      direction: 'in',
      service: owned(text.slice(from, to)),
      state: tls < 0 ? 'plaintext' : 'tls',
      protocol: suite?.[1] === undefined ? null : owned(suite[1]),
      cipher: suite?.[2] === undefined ? null : owned(suite[2]),
      reason: null,
      login: method < 0 ? null : owned(text.slice(method, methodEnd).toUpperCase()),
    });
    this.#rows.set(owned(key), row);
    return row;
  }
}

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
