// The queries of docs/logs-at-scale.md, logs to ask them about, and what of a log they can see.
import fs from 'node:fs';
import path from 'node:path';
import { type PartialDocument, partialDocument } from '../../src/logs/partial.ts';
import { Sum } from '../../src/logs/sum.ts';
import type { Row, RowKey, WholeCounts } from '../../src/logs/tally.ts';

const root = path.join(__dirname, '..', '..');
const recorded = path.join(root, 'test', 'recorded');

/** What ClickHouse answered, by name of the log. */
export interface Answers {
  readonly engine: string;
  readonly query: string;
  readonly lines: Readonly<Record<string, readonly string[]>>;
}

/** Where they are recorded. */
export const ANSWERS = path.join(recorded, 'log-queries', 'clickhouse.json');

/** A block of the guide: the query, or one of the scripts. */
export function guideBlock(first: string): string {
  const guide = fs.readFileSync(path.join(root, 'docs', 'logs-at-scale.md'), 'utf8');
  const block = [...guide.matchAll(/```(?:sql|sh)\n([^]+?)```/g)].find(([, text]) => text?.startsWith(first));
  if (block?.[1] === undefined) throw new Error(`the guide has no block that begins with ${first}`);
  return block[1];
}

/** A log that real servers wrote, in the form in which it comes to a database: rsyslog's, of one day. */
function recordedLog(name: string): string {
  return fs
    .readFileSync(path.join(recorded, 'logs', `${name}.txt`), 'latin1')
    .replaceAll(/^\w{3} [ \d]\d (\S+) (\S+-login: )/gm, '2026-11-26T$1+00:00 mail dovecot: $2')
    .replaceAll(/^\w{3} [ \d]\d (\S+) /gm, '2026-11-26T$1+00:00 ');
}

/** Sessions of some weeks, made up. */
function madeLog(): string {
  const suites = [
    'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384',
    'TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256',
    'TLSv1 with cipher AES128-SHA',
  ];
  let seed = 7;
  const upTo = (most: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >> 8) % most;
  };
  const lines: string[] = [];
  for (let day = 1; day <= 20; day++) {
    for (let session = 0; session < 15; session++) {
      const pid = 100 + session;
      const line = (message: string, service = 'smtpd'): number =>
        lines.push(
          `2026-11-${String(day).padStart(2, '0')}T10:00:00+00:00 mx1 postfix/${service}[${pid}]: ${message}\n`,
        );
      const number = upTo(40);
      const peer =
        number % 9 === 0 ? `unknown[2001:db8::${number}]` : `mx${number}.example.net[192.0.2.${number}]`;
      const suite = suites[upTo(suites.length)] ?? '';
      const kind = upTo(10);
      if (kind < 2) {
        line(`Untrusted TLS connection established to ${peer}:25: ${suite} (256/256 bits)`, 'smtp');
        line(
          `A${session}: to=<x@example.net>, relay=${peer}:25, delay=1, dsn=2.0.0, status=sent (250 ok)`,
          'smtp',
        );
        continue;
      }
      line(`connect from ${peer}`);
      if (kind < 7) {
        const name = kind === 6 ? ' to mx.example.org' : '';
        line(`Anonymous TLS connection established from ${peer}${name}: ${suite} (256/256 bits)`);
        line(`disconnect from ${peer} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7`);
      } else if (kind === 7) {
        const what = session % 2 === 0 ? 'mail=1 rcpt=1 data=1' : 'auth=1';
        line(`disconnect from ${peer} ehlo=1 ${what} quit=1 commands=3`);
      } else if (kind === 8) line(`disconnect from ${peer} ehlo=1 quit=1 commands=2`);
      else {
        line(`SSL_accept error from ${peer}: -1`);
        line('warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:statem.c:1:');
        line(`disconnect from ${peer} ehlo=1 starttls=0/1 commands=1/2`);
      }
    }
  }
  return lines.join('');
}

/** Logs by name. */
export const LOGS: Readonly<Record<string, string>> = {
  made: madeLog(),
  ...Object.fromEntries(
    fs
      .readdirSync(path.join(recorded, 'logs'))
      .filter((name) => name.endsWith('.txt'))
      .map((name) => [name.slice(0, -4), recordedLog(name.slice(0, -4))]),
  ),
};

/** What a query of single lines sees of a row; null for nothing. */
function seen({ direction, service, state, protocol, cipher, reason, login }: Row): RowKey | null {
  const key = { direction, service, state, protocol, cipher, reason: null, login: null };
  if (service.endsWith('-login')) return { ...key, login };
  if (state === 'untold' || (state === 'tls' && protocol === null)) return null;
  if (state === 'plaintext' && direction === 'out') return null;
  // What no line of a handshake tells, but the end of a session, a delivery, or tlsproxy.
  const untold =
    state === 'refused' && (reason === 'not told' || reason?.startsWith('TLS is required') === true);
  return untold || (state === 'refused' && service === 'tlsproxy') ? null : key;
}

/** Counts as a query of single lines has them, to be compared. */
export function seenByQueries({ rows, peers, dates }: WholeCounts): PartialDocument {
  const sum = new Sum();
  const own = rows.map((row) => {
    const key = seen(row);
    if (key === null) return null;
    const made = sum.row(key);
    row.days.forEach((sessions, day) => sum.onDay(made, sum.day(dates[day] ?? ''), sessions));
    return made;
  });
  for (const { address, name, rows: counted, sessions } of peers)
    counted.forEach((row, at) => {
      const made = own[row];
      if (made !== null && made !== undefined) sum.ofPeer(sum.peer(address, name), made, sessions[at] ?? 0);
    });
  return partialDocument({ anonymized: null, counts: sum.counts() });
}

/** A log as rows of a table: when, who, what. */
export function tableRows(
  log: string,
): { readonly time: string; readonly ident: string; readonly message: string }[] {
  return [...log.matchAll(/^(\S{10})T(\S{8})\S* \S+ ([^ [:]+)(?:\[\d+\])?: (.*)$/gm)].map(
    ([, day, time, ident = '', message = '']) => ({ time: `${day} ${time}`, ident, message }),
  );
}
