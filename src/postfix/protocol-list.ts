import { compareProtocols, PROTOCOLS, type Protocol } from '../model/protocol.ts';
import type { Release } from '../model/release.ts';
import { hasFeature } from './parameters.ts';

/**
 * The lists of protocols that `smtpd_tls_protocols` and its kin, and the policy attribute
 * `protocols=`, hold. Facts: postfix-tls §1; tls_misc.c tls_proto_mask_lims() from 3.6 on,
 * tls_protocol_mask() before. What OpenSSL can do is judged elsewhere.
 */

/** What a word of a protocol list does. */
export type ProtocolTokenKind =
  /** `NAME`: only the included ones are permitted, as far as the release knows their names. */
  | 'include'
  /** `!NAME` */
  | 'exclude'
  /** `>=NAME` */
  | 'floor'
  /** `<=NAME` */
  | 'ceiling'
  /** No release knows it: the server has no TLS. */
  | 'invalid'
  /** A newer release knows it, this one does not: the server has no TLS. */
  | 'too-new';

/** A word of a protocol list. */
export interface ProtocolToken {
  /** As written. */
  readonly text: string;
  /** Offset in the list. */
  readonly at: number;
  readonly kind: ProtocolTokenKind;
  /** The protocol it names; null for a bound such as `>=None` or a number that OpenSSL refuses. */
  readonly protocol: Protocol | null;
}

/** A protocol list, and what Postfix makes of it. */
export interface ProtocolList {
  readonly tokens: readonly ProtocolToken[];
  /** False: one word is wrong, and that takes TLS away altogether. */
  readonly valid: boolean;
  /** What Postfix permits, oldest first; empty for a list that is not valid. */
  readonly permitted: readonly Protocol[];
  readonly included: readonly Protocol[];
  readonly excluded: readonly Protocol[];
  /** The last `>=`; null without one, after `>=None`, and for a number that OpenSSL refuses. */
  readonly floor: Protocol | null;
  /** The last `<=`, in the same way. */
  readonly ceiling: Protocol | null;
}

const SEPARATORS = /[^ \t\r\n,:]+/g;

/** Names, case aside (name_code.c). */
const BY_NAME: ReadonlyMap<string, Protocol> = new Map(
  PROTOCOLS.map((protocol) => [protocol.toLowerCase(), protocol]),
);

/** Version numbers of the wire that OpenSSL takes as a bound. */
const BY_NUMBER: ReadonlyMap<number, Protocol> = new Map([
  [0x300, 'SSLv3'],
  [0x301, 'TLSv1'],
  [0x302, 'TLSv1.1'],
  [0x303, 'TLSv1.2'],
  [0x304, 'TLSv1.3'],
]);

/**
 * Reads a protocol list.
 *
 * @param text the value of the parameter after expansion, or of the attribute
 * @param release of Postfix: older ones know fewer names, and no bounds
 */
export function parseProtocolList(text: string, release: Release): ProtocolList {
  const known = knownProtocols(release);
  const bounds = hasFeature(release, 'protocolRange');
  const tokens: ProtocolToken[] = [];
  const included = new Set<Protocol>();
  const excluded = new Set<Protocol>();
  let floor: Protocol | null = null;
  let ceiling: Protocol | null = null;
  for (const match of text.matchAll(SEPARATORS)) {
    const token = readToken(match[0], match.index, known, bounds);
    tokens.push(token);
    if (token.kind === 'floor') floor = token.protocol;
    else if (token.kind === 'ceiling') ceiling = token.protocol;
    else if (token.protocol !== null && token.kind === 'include') included.add(token.protocol);
    else if (token.protocol !== null && token.kind === 'exclude') excluded.add(token.protocol);
  }
  const valid = tokens.every(({ kind }) => kind !== 'invalid' && kind !== 'too-new');
  const permitted = PROTOCOLS.filter(
    (protocol) =>
      valid &&
      !excluded.has(protocol) &&
      // What an old release has no name for it cannot switch off: an inclusion leaves it on.
      (included.size === 0 || included.has(protocol) || !known.has(protocol)) &&
      (floor === null || compareProtocols(protocol, floor) >= 0) &&
      (ceiling === null || compareProtocols(protocol, ceiling) <= 0),
  );
  return {
    tokens,
    valid,
    permitted,
    included: PROTOCOLS.filter((protocol) => included.has(protocol)),
    excluded: PROTOCOLS.filter((protocol) => excluded.has(protocol)),
    floor,
    ceiling,
  };
}

/**
 * What was probably meant by a word that no release accepts: `>=TLSv1` for `>=TLSv1.0`, `TLSv1.2` for
 * `TLSv1_2`, `!SSLv3` for `-SSLv3`.
 *
 * @returns null for a word that is right, and where the meaning is not clear
 */
export function suggestProtocolToken(token: string): string | null {
  const [, operator = '', name = ''] = /^["']?([!<>=≥≤+-]*)(.*?)["']?$/su.exec(token) ?? [];
  const protocol = guessProtocol(name);
  if (protocol === null) return null;
  const suggestion = spell(operator, protocol);
  return suggestion?.toLowerCase() === token.toLowerCase() ? null : suggestion;
}

/**
 * The shortest list that permits `floor` and what is newer, and that leaves future protocols on.
 *
 * @param form `range`: whether the release knows `>=`; without it, the older protocols are excluded one by one
 * @param separator between exclusions: `, ` in main.cf, `:` in a policy table
 * @returns empty for SSLv2, which needs no restriction
 */
export function formatProtocolFloor(
  floor: Protocol,
  { range }: { readonly range: boolean },
  separator = ', ',
): string {
  const older = PROTOCOLS.filter((protocol) => compareProtocols(protocol, floor) < 0);
  if (older.length === 0) return '';
  return range ? `>=${floor}` : older.map((protocol) => `!${protocol}`).join(separator);
}

function readToken(text: string, at: number, known: ReadonlySet<Protocol>, bounds: boolean): ProtocolToken {
  const comparison = text.slice(0, 2);
  if (comparison === '>=' || comparison === '<=') {
    const limit = readBound(text.slice(2));
    if (limit === undefined) return { text, at, kind: 'invalid', protocol: null };
    if (!bounds) return { text, at, kind: 'too-new', protocol: limit };
    return { text, at, kind: comparison === '>=' ? 'floor' : 'ceiling', protocol: limit };
  }
  const excludes = text.startsWith('!');
  const protocol = BY_NAME.get((excludes ? text.slice(1) : text).toLowerCase());
  if (protocol === undefined) return { text, at, kind: 'invalid', protocol: null };
  if (!known.has(protocol)) return { text, at, kind: 'too-new', protocol };
  return { text, at, kind: excludes ? 'exclude' : 'include', protocol };
}

/**
 * parse_tls_version(): a name, `None`, or a number as strtoul(…, 16) reads it, so that nothing at all
 * is 0. Null is no bound: 0, or a number that OpenSSL refuses (the client warns, the server does not).
 */
function readBound(text: string): Protocol | null | undefined {
  const protocol = BY_NAME.get(text.toLowerCase());
  if (protocol !== undefined && protocol !== 'SSLv2') return protocol;
  if (text === '' || text.toLowerCase() === 'none') return null;
  const [, digits] = /^[\v\f]*\+?(?:0x)?([0-9a-f]+)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const significant = digits.replace(/^0+/, '');
  const number = Number.parseInt(significant || '0', 16);
  if (significant.length > 8 || number > 0x7fffffff) return undefined;
  return BY_NUMBER.get(number) ?? null;
}

/** The protocols that a release has names for. */
function knownProtocols(release: Release): ReadonlySet<Protocol> {
  const known = new Set(PROTOCOLS);
  if (!hasFeature(release, 'tls13Token')) known.delete('TLSv1.3');
  if (!hasFeature(release, 'tls12Token')) {
    known.delete('TLSv1.1');
    known.delete('TLSv1.2');
  }
  return known;
}

/** A protocol however it is spelt: `TLSv1.0`, `TLSv1_2`, `TLS1.2`, `ssl3`, `TLS 1.2`; null if it is none. */
function guessProtocol(name: string): Protocol | null {
  const [, family, major, minor = '0'] =
    /^(ssl|tls)[\s_-]*v?[\s_-]*([123])(?:[._-]?([0-3]))?$/i.exec(name.trim()) ?? [];
  if (family === undefined || major === undefined) return null;
  if (family.toLowerCase() === 'ssl') {
    if (minor !== '0') return null;
    return major === '2' ? 'SSLv2' : major === '3' ? 'SSLv3' : null;
  }
  if (major !== '1') return null;
  return BY_NAME.get(minor === '0' ? 'tlsv1' : `tlsv1.${minor}`) ?? null;
}

/** A word for an operator as people write it; null where it says nothing clear. */
function spell(operator: string, protocol: Protocol): string | null {
  const index = PROTOCOLS.indexOf(protocol);
  switch (operator) {
    case '':
    case '+':
    case '=':
      return protocol;
    case '!':
    case '-':
    case '!=':
      return `!${protocol}`;
    case '>=':
    case '=>':
    case '≥':
      return bound('>=', protocol);
    case '<=':
    case '=<':
    case '≤':
      return bound('<=', protocol);
    case '>':
      return bound('>=', PROTOCOLS[index + 1]);
    case '<':
      return bound('<=', PROTOCOLS[index - 1]);
    default:
      return null;
  }
}

/** SSLv2 is no bound. */
function bound(operator: string, protocol: Protocol | undefined): string | null {
  return protocol === undefined || protocol === 'SSLv2' ? null : operator + protocol;
}
