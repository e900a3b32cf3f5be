// Logs for tests: read in one piece or in parts, and a generator of sessions whose counts are known.
import fc from 'fast-check';
import { LogReader, type Part } from '../../src/logs/reader.ts';
import { type LogSummary, summarize } from '../../src/logs/summary.ts';
import type { WholeCounts } from '../../src/logs/tally.ts';

const LATEST = { year: 2026, month: 11, day: 26 };

/** What is known of sessions without the log; as a summary of a log has it. */
export interface Traffic {
  readonly sessions: readonly object[];
  readonly plaintext: readonly object[];
  readonly refused: readonly object[];
  readonly untold: readonly object[];
}

/** The lists of a summary in an order of their own. */
export function sorted({ sessions, plaintext, refused, untold }: Traffic): Traffic {
  const order = (list: readonly object[]): object[] =>
    list
      .map((row) => Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return {
    sessions: order(sessions),
    plaintext: order(plaintext),
    refused: order(refused),
    untold: order(untold),
  };
}

/**
 * The same without why TLS failed, and by how many: Dovecot 2.3 may name the last error of the system, whichever
 * that is, in place of OpenSSL's.
 */
export function withoutReasons(traffic: Traffic): Traffic {
  const byService = new Map<string, number>();
  for (const row of traffic.refused as readonly { service: string; sessions: number }[])
    byService.set(row.service, (byService.get(row.service) ?? 0) + row.sessions);
  return {
    ...traffic,
    refused: [...byService]
      .map(([service, sessions]) => ({ service, sessions }))
      .sort((a, b) => (a.service < b.service ? -1 : 1)),
  };
}

/** What is counted of a text that is read in one piece. */
export function readCounts(text: string, { latest = LATEST, details = false } = {}): WholeCounts {
  return readPieces([text], { latest, details });
}

/** What is counted of a text in pieces of whole lines, as a file gives them. */
export function readPieces(texts: readonly string[], { latest = LATEST, details = false } = {}): WholeCounts {
  const reader = new LogReader({ continues: false, details });
  for (const text of texts) feed(reader, text);
  return reader.end(latest);
}

/** The same, where each piece is put into the room of the reader. */
export function readInRoom(texts: readonly string[], latest = LATEST): WholeCounts {
  const reader = new LogReader({ continues: false });
  for (const text of texts) {
    reader.room.write(text, 'latin1');
    reader.read(reader.room, 0, text.length);
  }
  return reader.end(latest);
}

/** The same as reports show it. */
export function read(text: string, latest = LATEST): LogSummary {
  return summarize(readCounts(text, { latest }));
}

/** Gives a reader a text as a file does: the last line may have no line feed. */
function feed(reader: LogReader, text: string): void {
  const lines = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  // Room behind the lines, as in the buffer of a file.
  reader.read(Buffer.from(lines + ' '.repeat(512), 'latin1'), 0, lines.length);
}

/** The same, each text read by a reader of its own and joined in order. */
export function readInParts(texts: readonly string[], latest = LATEST): LogSummary {
  return summarize(countsInParts(texts, latest));
}

export function countsInParts(texts: readonly string[], latest = LATEST): WholeCounts {
  const whole = new LogReader({ continues: false });
  for (const [index, text] of texts.entries()) {
    const reader = new LogReader({ continues: index > 0 });
    feed(reader, text);
    // Parts go from thread to thread.
    whole.follow(structuredClone<Part>(reader.part()));
  }
  return whole.end(latest);
}

/** All that was counted, in an order of its own, without the names of peers: the log may have several of one. */
export function canonical({ rows, peers, dates, lines }: WholeCounts): unknown {
  const rowName = (index: number): string => {
    const { index: _, days: __, ...key } = rows[index] ?? { index, days: [] };
    return JSON.stringify(key);
  };
  const counted: string[] = [];
  for (const { index, days } of rows)
    days.forEach((sessions, day) => {
      if (sessions !== 0) counted.push(`${rowName(index)} ${dates[day]}: ${sessions}`);
    });
  for (const { address, rows: of, sessions } of peers)
    of.forEach((row, at) => {
      if (sessions[at] !== 0) counted.push(`${address} ${rowName(row)}: ${sessions[at]}`);
    });
  return { counted: counted.sort(), lines };
}

/** Who is behind the sessions of a text, by address; logins by row as `SERVICE PROTOCOL MECHANISM: SESSIONS`. */
export function readDetails(...texts: readonly string[]): Readonly<Record<string, unknown>> {
  const whole = new LogReader({ continues: false, details: true });
  for (const text of texts) {
    const reader = new LogReader({ continues: false, details: true });
    feed(reader, text);
    whole.follow(structuredClone<Part>(reader.finished(LATEST)));
  }
  const { rows, peers } = whole.end(LATEST);
  const told = ([index, sessions]: readonly [number, number]): string => {
    const row = rows[index];
    return `${row?.service} ${row?.protocol ?? row?.state} ${row?.login}: ${sessions}`;
  };
  return Object.fromEntries(
    [...peers].flatMap(({ address, details }) =>
      details === undefined
        ? []
        : [
            [
              address,
              {
                senders: details.senders,
                recipients: details.recipients,
                users: Object.fromEntries([...details.users].map(([name, of]) => [name, [...of].map(told)])),
              },
            ],
          ],
    ),
  );
}

/** Lines of sessions that several processes serve at the same time, each with its stamp. */
export const interleaved: fc.Arbitrary<string[]> = fc
  .array(
    fc.record({
      pid: fc.integer({ min: 100, max: 104 }),
      service: fc.constantFrom('smtpd', 'submission/smtpd', 'smtp'),
      host: fc.constantFrom('mx1', 'mx2'),
      peer: fc.constantFrom('a.example[192.0.2.1]', 'unknown[198.51.100.7]', 'b.example[2001:db8::1]'),
      kind: fc.constantFrom('tls13', 'tls12', 'plain', 'refused', 'idle', 'login', 'lost', 'reused'),
      queueId: fc.integer({ min: 0x1000, max: 0x1010 }).map((id) => id.toString(16).toUpperCase()),
    }),
    { maxLength: 25 },
  )
  .chain((sessions) =>
    fc.array(fc.nat(), { minLength: 1, maxLength: 120 }).map((choices) => {
      // Sessions of one process come one after the other; those of others fall between their lines.
      const queues = new Map<string, string[]>();
      for (const session of sessions) {
        const key = `${session.host} ${session.pid}`;
        queues.set(key, [...(queues.get(key) ?? []), ...linesOf(session)]);
      }
      const lines: string[] = [];
      for (let turn = 0; [...queues.values()].some((queue) => queue.length > 0); turn++) {
        const waiting = [...queues.values()].filter((queue) => queue.length > 0);
        const chosen = waiting[(choices[turn % choices.length] ?? 0) % waiting.length];
        const line = chosen?.shift();
        if (line !== undefined) lines.push(line);
      }
      return lines;
    }),
  );

interface GeneratedSession {
  readonly pid: number;
  readonly service: string;
  readonly host: string;
  readonly peer: string;
  readonly kind: string;
  readonly queueId: string;
}

function linesOf({ pid, service, host, peer, kind, queueId }: GeneratedSession): string[] {
  const line = (message: string): string => `Oct  3 12:00:00 ${host} postfix/${service}[${pid}]: ${message}`;
  const suite =
    kind === 'tls13'
      ? 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519'
      : 'TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)';
  if (service === 'smtp') {
    const sent = (more: string): string =>
      line(
        `${queueId}: to=<x@example.net>, relay=${peer}:25,${more} delay=1, dsn=2.0.0, status=sent (250 ok)`,
      );
    switch (kind) {
      case 'tls13':
      case 'tls12':
      case 'login':
        return [line(`Untrusted TLS connection established to ${peer}:25: ${suite}`), sent(''), sent('')];
      case 'refused':
        return [
          line(`SSL_connect error to ${peer}:25: -1`),
          line('warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:statem.c:1:'),
          sent(''),
        ];
      case 'reused':
        return [sent(' conn_use=2,')];
      default:
        return [sent('')];
    }
  }
  const disconnect = (commands: string): string => line(`disconnect from ${peer} ${commands}`);
  const tls = line(`Anonymous TLS connection established from ${peer}: ${suite}`);
  switch (kind) {
    case 'tls13':
    case 'tls12':
    case 'reused':
      return [
        line(`connect from ${peer}`),
        tls,
        line(`${queueId}: client=${peer}`),
        disconnect('ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7'),
      ];
    case 'login':
      return [
        line(`connect from ${peer}`),
        tls,
        line(`${queueId}: client=${peer}, sasl_method=PLAIN, sasl_username=somebody`),
        disconnect('ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8'),
      ];
    case 'refused':
      return [
        line(`connect from ${peer}`),
        line(`SSL_accept error from ${peer}: -1`),
        line('warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:statem.c:1:'),
        line(`lost connection after STARTTLS from ${peer}`),
        disconnect('ehlo=1 starttls=0/1 commands=1/2'),
      ];
    case 'plain':
      return [
        line(`connect from ${peer}`),
        line(`${queueId}: client=${peer}`),
        disconnect('ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5'),
      ];
    case 'lost':
      // The process died: nothing ends its session.
      return [line(`connect from ${peer}`), tls];
    default:
      return [line(`connect from ${peer}`), disconnect('quit=1 commands=1')];
  }
}
