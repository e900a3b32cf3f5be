/**
 * Reads what `doveconf -d` and `doveconf -a` print.
 */

/** A service's key in a flat answer: slashes in names are written as Dovecot's own sources write them. */
const SLASH = '\\s';

/**
 * The settings of an answer by path: `ssl_min_protocol`, `service/imap-login/inet_listener/imap/port`,
 * `ssl_client/ssl_cipher_list`. A slash within a section's name is written `\s`. Header lines and groups
 * are left out; quotes around a value are taken off.
 */
export function readDefaults(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const path: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('# ')) continue;
    if (line === '}') {
      path.pop();
    } else if (line.endsWith(' {')) {
      path.push(sectionPath(line.slice(0, -2)));
    } else if (!path[0]?.startsWith('group/')) {
      const at = line.indexOf(' =');
      values.set([...path, unquoted(line.slice(0, at))].join('/'), unquoted(line.slice(at + 2).trim()));
    }
  }
  return values;
}

/** `unix_listener "srv.imap/%{pid}"` is `unix_listener/srv.imap\s%{pid}`. */
function sectionPath(head: string): string {
  const at = head.indexOf(' ');
  if (at < 0) return head;
  return `${head.slice(0, at)}/${unquoted(head.slice(at + 1)).replaceAll('/', SLASH)}`;
}

function unquoted(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}
