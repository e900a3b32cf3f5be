import { type TlsMode, USER_ROLES } from '../../model/endpoint.ts';
import type { Severity } from '../../model/finding.ts';
import { PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import { nexthopOf } from '../../postfix/endpoints.ts';
import { andList } from '../../rules/messages.ts';
import type { EndpointView, ProtocolState, SuiteCounts } from '../formats/endpoint-view.ts';
import { count } from '../words.ts';

/** What findings say of an endpoint: how many, the gravest severity, and where on the page the first is. */
export interface EndpointFindings {
  readonly severity: Severity;
  readonly count: number;
  readonly anchor: string;
}

/** One row of the picture: an endpoint. */
interface PictureRow {
  /** The port or socket of a listener, or the destination of a client. */
  readonly place: string;
  /** The address of a listener that is not on all of them; else empty. */
  readonly address: string;
  readonly id: string;
  readonly role: string;
  /** `none`, `opportunistic`, `required`, `implicit` or `unknown`: how the line to the peer is drawn. */
  readonly line: TlsMode | 'unknown';
  readonly mode: string;
  /** TLS is asked for and does not work. */
  readonly broken: boolean;
  readonly protocols: readonly { readonly name: string; readonly state: ProtocolState | 'unknown' }[];
  /** The protocols in words. */
  readonly spoken: string;
  readonly suites: SuiteBar | null;
  /** What is said in the place of a bar. */
  readonly noSuites: string;
  readonly auth: string;
  /** Passwords may cross the network in the clear. */
  readonly exposed: boolean;
  readonly found: (EndpointFindings & { readonly words: string }) | null;
}

/** Counts of suites as parts of a bar. */
interface SuiteBar {
  readonly parts: readonly { readonly kind: keyof SuiteCounts; readonly x: number; readonly width: number }[];
  readonly short: string;
  readonly words: string;
  readonly below: string;
}

/** Endpoints with the same peer. */
export interface PictureGroup {
  /** `in`: the peer calls; `out`: the host does. */
  readonly direction: 'in' | 'out';
  readonly peer: string;
  readonly label: string;
  readonly rows: readonly PictureRow[];
}

/** The picture of a host. */
export interface Picture {
  readonly groups: readonly PictureGroup[];
  /** What is to be said of endpoints besides, each sentence once with the endpoints that it is true of. */
  readonly notes: readonly { readonly places: string; readonly text: string }[];
}

/** Who speaks to the host, on its ports, and whom it speaks to. Peers stand in this order. */
const PEERS = [
  { direction: 'in', peer: 'Other mail servers' },
  { direction: 'in', peer: 'Mail programs of users' },
  { direction: 'in', peer: 'Other hosts of yours' },
  { direction: 'in', peer: 'Programs on this host' },
  { direction: 'in', peer: 'Not known: a template says' },
  { direction: 'out', peer: 'Other mail servers' },
  { direction: 'out', peer: 'Mail stores, as transports say' },
  { direction: 'out', peer: 'Named servers' },
] as const;

/**
 * The picture of a host's endpoints.
 *
 * @param found by the id of the endpoint
 */
export function pictureOf(
  endpoints: readonly EndpointView[],
  found: ReadonlyMap<string, EndpointFindings>,
): Picture {
  const groups = PEERS.flatMap(({ direction, peer }, index) => {
    const own = endpoints.filter((endpoint) => peerOf(endpoint) === index);
    if (own.length === 0) return [];
    const label = direction === 'in' ? `From: ${peer}` : `To: ${peer}`;
    const rows = own.map((endpoint) => pictureRow(endpoint, found.get(endpoint.id) ?? null));
    return [{ direction, peer, label, rows }];
  });
  const notes = new Map<string, string[]>();
  for (const endpoint of endpoints) {
    const place = endpoint.side === 'client' ? endpoint.id.replace(/>.*$/s, '') : placeOf(endpoint);
    for (const note of [...(endpoint.notes ?? []), ...silentTls(endpoint)])
      notes.set(note, [...(notes.get(note) ?? []), place]);
  }
  return {
    groups,
    notes: [...notes].map(([text, places]) => ({ places: [...new Set(places)].join(', '), text })),
  };
}

/** TLS that is on and speaks nothing, such as that of Dovecot without a certificate. */
function silentTls({ mode, fault, protocols }: EndpointView): readonly string[] {
  if (mode === null || mode === 'none' || fault !== '' || protocols === null) return [];
  const isSilent = PROTOCOLS.every((name) => protocols[name] === 'off');
  return isSilent ? ['TLS is on, and as these files stand no protocol works'] : [];
}

function peerOf({ side, role, port, address, public: isPublic }: EndpointView): number {
  if (side === 'client') return address === '*' ? (role === 'lmtp' ? 6 : 5) : 7;
  if (role === null || side === null) return 4;
  if (port === null || isPublic === false || role === 'reinjection') return 3;
  if (role === 'mx') return 0;
  return USER_ROLES.has(role) ? 1 : 2;
}

function pictureRow(endpoint: EndpointView, found: EndpointFindings | null): PictureRow {
  const { id, role, mode, fault, assumed, side } = endpoint;
  const broken = fault !== null && fault !== '';
  return {
    place: placeOf(endpoint),
    address: addressOf(endpoint),
    id: side === 'client' ? id.replace(/>.*$/s, '') : id,
    role: `${role ?? 'not known'}${assumed === true ? ' (assumed)' : ''}`,
    line: broken ? 'none' : (mode ?? 'unknown'),
    mode: broken ? `TLS does not work: ${fault}` : modeText(endpoint),
    broken,
    protocols: protocolCells(endpoint),
    spoken: spokenText(endpoint),
    suites: endpoint.suites === null ? null : suiteBar(endpoint.suites),
    noSuites: endpoint.suites === null ? 'suites not known' : 'no suites',
    auth: authText(endpoint),
    exposed: endpoint.public === true && endpoint.auth !== null && isOffered(endpoint.auth.beforeTls),
    found: found === null ? null : { ...found, words: count(found.count, 'finding') },
  };
}

function placeOf({ id, side, address, port }: EndpointView): string {
  if (side === 'client') {
    const nexthop = nexthopOf({ id });
    if (nexthop !== null) return nexthop;
    return address === '*' ? 'any server' : `${address ?? 'not known'}${port === null ? '' : `:${port}`}`;
  }
  return port === null ? 'socket' : String(port);
}

function addressOf({ side, address }: EndpointView): string {
  return side === 'client' || address === null || address === '*' ? '' : address;
}

function modeText({ mode, side }: EndpointView): string {
  if (mode === null) return 'not known: a template says';
  if (mode === 'opportunistic') return side === 'client' ? 'STARTTLS where offered' : 'STARTTLS offered';
  return { none: 'no TLS', required: 'STARTTLS required', implicit: 'TLS from the start' }[mode];
}

/** As they stand in a row, where one explains the next. */
const CELL_NAMES: Readonly<Record<Protocol, string>> = {
  SSLv2: 'SSL 2',
  SSLv3: 'SSL 3',
  TLSv1: 'TLS 1.0',
  'TLSv1.1': '1.1',
  'TLSv1.2': '1.2',
  'TLSv1.3': '1.3',
};

/** All protocols that one may meet; SSLv2 only where it is spoken. */
function protocolCells({ protocols }: EndpointView): PictureRow['protocols'] {
  return PROTOCOLS.filter((name) => name !== 'SSLv2' || protocols?.SSLv2 === 'below').map((name) => ({
    name: CELL_NAMES[name],
    state: protocols === null ? 'unknown' : (protocols[name] ?? 'unknown'),
  }));
}

function spokenText({ protocols, mode }: EndpointView): string {
  if (protocols === null) return 'protocols not known';
  const parts = SPOKEN.flatMap(([state, words]) => {
    const names = PROTOCOLS.filter((name) => protocols[name] === state);
    return names.length === 0 ? [] : [`${words}: ${andList(names)}`];
  });
  if (parts.length > 0) return parts.join('; ');
  return mode === 'none' ? 'none' : 'none that works';
}

const SPOKEN: readonly (readonly [state: ProtocolState | null, words: string])[] = [
  ['below', 'below the profile'],
  ['allowed', 'allowed by the profile'],
  [null, 'not known'],
];

/** In the order of the bar, the best first, with words for few and for many. */
const SUITE_KINDS = [
  ['best', 'AEAD', 'with forward secrecy and authenticated encryption (AEAD)'],
  ['noAead', 'CBC', 'with forward secrecy, without authenticated encryption (CBC and the like)'],
  ['noForwardSecrecy', 'no FS', 'without forward secrecy'],
  ['below', 'below', 'below the profile'],
] as const;

/** Units of the whole bar. */
const BAR = 120;
/** So wide is a part at least: one suite of sixty is to be seen. */
const LEAST = 6;

function suiteBar(counts: SuiteCounts): SuiteBar | null {
  const parts = SUITE_KINDS.filter(([kind]) => counts[kind] > 0);
  const total = parts.reduce((sum, [kind]) => sum + counts[kind], 0);
  if (total === 0) return null;
  let x = 0;
  const free = BAR - parts.length * LEAST;
  const drawn = parts.map(([kind]) => {
    const width = Math.round(LEAST + (free * counts[kind]) / total);
    const part = { kind, x, width };
    x += width;
    return part;
  });
  return {
    parts: drawn,
    short: parts
      .filter(([kind]) => kind !== 'below')
      .map(([kind, word]) => `${counts[kind]} ${word}`)
      .join(', '),
    words: `${count(total, 'suite')}: ${parts.map(([kind, , words]) => `${counts[kind]} ${words}`).join('; ')}${counts.why === '' ? '' : ` (${counts.why})`}`,
    below: counts.below === 0 ? '' : `${counts.below} below: ${counts.why}`,
  };
}

function authText({ auth, side }: EndpointView): string {
  if (auth === null) return 'logins not known';
  const { beforeTls, afterTls } = auth;
  if (!isOffered(beforeTls) && !isOffered(afterTls)) return '';
  const what = side === 'client' ? 'logs in' : 'logins';
  if (!isOffered(beforeTls)) return `${what} after TLS`;
  return isOffered(afterTls) ? `${what} before and after TLS` : `${what} without TLS`;
}

/** Null: only the authentication server knows the mechanisms, and there are some. */
function isOffered(mechanisms: readonly string[] | null): boolean {
  return mechanisms === null || mechanisms.length > 0;
}
