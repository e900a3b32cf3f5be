import { SERVER_NAMES, type TlsMode } from '../model/endpoint.ts';
import type { Protocol } from '../model/protocol.ts';
import type { Comparison, Difference, Reason } from '../probe/compare.ts';
import type { ProbedEndpoint } from '../probe/endpoint.ts';
import { andList } from '../rules/messages.ts';
import type { Profile } from '../rules/profile.ts';
import { protocolTable, someSuites, type TableFormat } from './endpoint-table.ts';
import { jsonText } from './json.ts';
import { labelled, shownText } from './words.ts';

/** A port, the profile to mark it by, and, where files were given, what differs from them. */
export interface ProbedPort {
  readonly profile: Profile;
  readonly seen: ProbedEndpoint;
  readonly comparison: Comparison | null;
}

const MODES: Readonly<Record<TlsMode, string>> = {
  none: 'no TLS',
  opportunistic: 'TLS offered (STARTTLS)',
  required: 'TLS required (STARTTLS)',
  implicit: 'implicit TLS',
};

/** A probe for the terminal. */
export function probeText(ports: readonly ProbedPort[], format: TableFormat): string {
  return ports
    .map((port) => portLines(port, format).join('\n'))
    .join('\n\n')
    .concat('\n');
}

function portLines({ seen, comparison, profile }: ProbedPort, format: TableFormat): string[] {
  const { palette, width } = format;
  const { tls, auth, login, faults } = seen;
  const heading = [
    ...(seen.role === null ? [] : [seen.role]),
    ...(seen.server === null ? [] : [SERVER_NAMES[seen.server]]),
    ...(seen.remoteAddress === null ? [] : [MODES[tls.mode]]),
  ].join(', ');
  const lines = [`${palette.strong(shownText(seen.id))}${heading === '' ? '' : `: ${heading}`}`];
  const say = (label: string, text: string): void => {
    if (text !== '') lines.push(...labelled(label, shownText(text, 1000), 2, 13, width));
  };
  lines.push(...protocolTable(seen, { ...format, profile }));
  say('order', orderText(seen));
  say('broken', seen.broken.length === 0 ? '' : brokenText(seen));
  if (seen.remoteAddress !== null) say('AUTH', authText(auth, login));
  if (seen.server === 'dovecot' && seen.localAddress === seen.remoteAddress)
    say('', 'asked from its own address, for which Dovecot needs no TLS: ask from another machine');
  say(
    'keys',
    seen.certificates
      .map(({ keyType, keyBits }) => [keyType ?? 'unreadable', keyBits ?? ''].join(' ').trim())
      .join(', '),
  );
  say('groups', groupsText(seen));
  say('DH', seen.fields.map(({ bits, name }) => `${bits} bits (${name ?? 'a field of its own'})`).join(', '));
  say('greeting', seen.greeting?.split('\n')[0] ?? '');
  for (const { kind, text, count } of faults) {
    const graver =
      seen.complete && kind !== 'no-starttls' && kind !== 'no-handshake'
        ? palette.dim
        : palette.severity.error;
    lines.push(
      ...labelled('fault', shownText(count > 1 ? `${text} (${count} times)` : text), 2, 13, width).map(
        graver,
      ),
    );
  }
  if (comparison !== null) lines.push(...comparisonLines(comparison, format));
  return lines;
}

function comparisonLines(
  { endpoint, differences, reasons }: Comparison,
  { palette, width }: TableFormat,
): string[] {
  if (differences.length === 0) {
    const agreed = endpoint === null ? 'they open no such port' : `${shownText(endpoint)} does what they say`;
    return labelled('files', agreed, 2, 13, width);
  }
  return [
    ...differences.flatMap((difference) =>
      labelled('differs', shownText(differenceText(difference), 1000), 2, 13, width).map(
        palette.severity.warning,
      ),
    ),
    ...reasons.flatMap((reason) => labelled('perhaps', REASONS[reason], 2, 13, width)),
  ];
}

function orderText({ preference, tls }: ProbedEndpoint): string {
  const decided = tls.protocols.filter((protocol) => preference[protocol] !== undefined);
  const byServer = decided.filter((protocol) => preference[protocol] === 'server');
  if (byServer.length === 0) return decided.length === 0 ? '' : "the client's";
  const first = byServer.map((protocol) => {
    const { name } = tls.ciphers.find((cipher) => cipher.protocol === protocol) ?? { name: '' };
    return `${protocol} ${name}`;
  });
  const others =
    decided.length > byServer.length
      ? `; the client's in ${andList(decided.filter((name) => !byServer.includes(name)))}`
      : '';
  return `the server's, first ${first.join(', ')}${others}`;
}

function brokenText({ broken }: ProbedEndpoint): string {
  const protocols = [...new Set(broken.map(({ protocol }): Protocol => protocol))];
  return protocols
    .map(
      (protocol) =>
        `${protocol} ${someSuites(broken.filter((each) => each.protocol === protocol).map(({ name }) => name))}`,
    )
    .concat('picked by the server, which then fails')
    .join('; ');
}

function authText({ beforeTls, afterTls }: ProbedEndpoint['auth'], login: ProbedEndpoint['login']): string {
  const half = (when: string, mechanisms: readonly string[] | null, plain: boolean | null): string => {
    if (mechanisms === null) return `${when}: not told`;
    const names = [...mechanisms, ...(plain === true ? ['name and password'] : [])];
    return `${when}: ${names.join(' ') || 'none'}`;
  };
  return `${half('before TLS', beforeTls, login.beforeTls)}; ${half('after TLS', afterTls, login.afterTls)}`;
}

function groupsText({ groups }: ProbedEndpoint): string {
  const protocols = [...new Set(groups.map(({ protocol }): Protocol => protocol))];
  return protocols
    .map(
      (protocol) =>
        `${protocol} ${groups
          .filter((each) => each.protocol === protocol)
          .map(({ name }) => name)
          .join(' ')}`,
    )
    .join('; ');
}

/** What may be behind a difference, in words. */
const REASONS: Readonly<Record<Reason, string>> = {
  'not-running':
    'the server does not run, it was not restarted since the port was added (a reload opens no port for a changed inet_interfaces), or something on the way shuts it out',
  'not-reloaded':
    'the files were changed and the server was not reloaded since (postfix reload, doveadm reload)',
  'other-listener':
    'another program listens here or stands in front (a proxy, a filter, a forwarded port), or the files are those of another machine',
  'system-policy':
    'a policy of the system narrows what the server may do: MinProtocol or CipherString in openssl.cnf, crypto-policies',
  'assumed-release':
    'nobody said for which release the files are: name it with --postfix-version, --dovecot-version, --openssl-version',
};

/** One difference as a sentence. */
function differenceText(difference: Difference): string {
  switch (difference.what) {
    case 'listener':
      return 'the files open no such port';
    case 'silence':
      return 'the files open this port and nothing answers';
    case 'greeting':
      return `it greets with "${difference.running}", the files say "${difference.files}"`;
    case 'mode':
      return `it has ${MODES[difference.running]}, the files say ${MODES[difference.files]}`;
    case 'protocols':
      return sides(andList(difference.extra), andList(difference.missing), 'speaks', 'speak');
    case 'suites':
      return `${difference.protocol}: ${sides(suitesText(difference.extra), suitesText(difference.missing), 'takes', 'take')}`;
    case 'preference':
      return `${difference.protocol}: the ${difference.running}'s order decides on the suite, the files say the ${difference.files}'s`;
    case 'first':
      return `${difference.protocol}: ${difference.running} comes first, by the files it is ${difference.files}`;
    case 'keys':
      return `its keys are ${andList(difference.running) || 'none'}, by the files ${andList(difference.files) || 'none'}`;
    case 'auth':
      break;
  }
  return `${difference.when} TLS it offers ${mechanismsText(difference.running)}, by the files ${mechanismsText(difference.files)}`;
}

function sides(extra: string, missing: string, does: string, doNot: string): string {
  return [
    ...(extra === '' ? [] : [`it ${does} ${extra}, which the files do not allow`]),
    ...(missing === '' ? [] : [`it does not ${doNot} ${missing}, which the files allow`]),
  ].join('; ');
}

function suitesText(names: readonly string[]): string {
  return names.length === 0 ? '' : someSuites(names);
}

function mechanismsText(mechanisms: readonly string[] | null): string {
  if (mechanisms === null) return 'AUTH';
  return mechanisms.length === 0 ? 'no AUTH' : `AUTH ${mechanisms.join(' ')}`;
}

/** A probe for a program: endpoints as `show` has them, with what only a probe sees. */
export function probeJson(ports: readonly ProbedPort[]): string {
  const endpoints = ports.map(({ seen, comparison }) => {
    const { id, server, side, role, address, port, tls, auth, ...rest } = seen;
    const deciders = [...new Set(Object.values(seen.preference))];
    return {
      id,
      server,
      side,
      role,
      address,
      port,
      tls: {
        mode: tls.mode,
        protocols: tls.protocols,
        ciphers: tls.ciphers,
        // Null where nobody decides everywhere; `preference` beside has it by protocol.
        preference: deciders.length === 1 ? deciders[0] : null,
        keyTypes: [...new Set(seen.certificates.flatMap(({ keyType }) => keyType ?? []))],
      },
      auth,
      ...rest,
      comparison:
        comparison === null
          ? null
          : {
              ...comparison,
              differences: comparison.differences.map((difference) => ({
                ...difference,
                message: differenceText(difference),
              })),
            },
    };
  });
  return `${jsonText({ version: 1, endpoints })}\n`;
}
