import {
  type Address,
  addressIn,
  addressText,
  covers,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../postfix/addresses.ts';
import type { Effective, PostfixConfiguration } from '../../postfix/configuration.ts';
import {
  matchNetworks,
  type NetworkList,
  type NetworkPattern,
  SOME_ADDRESSES,
} from '../../postfix/networks.ts';
import { proposeValue } from '../../postfix/proposals.ts';
import { splitWords } from '../../postfix/restrictions.ts';
import type { ProposedFix } from '../check.ts';

/** How much of the world a pattern holds, where that is too much to trust. */
export type Width =
  /** The whole Internet, over IPv4 or over IPv6. */
  | 'everybody'
  /** A network of public addresses with many owners: /16 and wider, of IPv6 /32. */
  | 'public'
  /** The bridge that Docker or Podman make first. */
  | 'bridge'
  /** Networks that Docker takes for its further bridges, or a block that holds them. */
  | 'bridgePool'
  /** A whole block of private addresses. */
  | 'private';

const LONGEST_WIDE = { 32: 16, 128: 32 } as const;

/** Addresses that are not routed on the Internet, or name nobody there (RFC 6890). */
const NOT_PUBLIC = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/96',
  '::ffff:0:0/96',
  '64:ff9b::/96',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/9',
  'ff00::/8',
] as const;

/** docker0, and the first network of Podman. */
const BRIDGES = ['172.17.0.0/16', '10.88.0.0/16'] as const;
/** What Docker takes when more bridges are made; 172.31.0.0/16, the usual network of a cloud, left out. */
const POOL = Array.from({ length: 13 }, (_, index) => `172.${18 + index}.0.0/24`);
const PRIVATE_BLOCKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] as const;

function network(text: string): Network {
  const read = parseNetwork(text);
  if (typeof read === 'string') throw new Error(`no network: ${text}`);
  return read;
}

/** What a pattern holds as it stands in its list; null for what is not remarkable, and for `!`. */
export function widthOf(pattern: NetworkPattern, list: NetworkList): Width | null {
  if (pattern.negated) return null;
  if (pattern.table !== null) {
    const { table } = pattern;
    return SOME_ADDRESSES.every((address) => table.lookup(address).kind === 'found') ? 'everybody' : null;
  }
  const own = pattern.network;
  if (own === null) return null;
  if (own.length === 0) return 'everybody';
  if (own.length <= LONGEST_WIDE[own.bits] && !NOT_PUBLIC.some((text) => covers(network(text), own)))
    return 'public';
  // A bridge counts by the address of the host in it, which an earlier pattern may shut out.
  const holdsGateway = (text: string): boolean =>
    matchNetworks(list, { address: addressText(gatewayOf(network(text))), name: 'unknown' }).by === pattern;
  if (BRIDGES.some((text) => covers(network(text), own) && holdsGateway(text))) return 'bridge';
  if (covers(network('172.16.0.0/12'), own) && [...BRIDGES, ...POOL].some(holdsGateway)) return 'bridgePool';
  return PRIVATE_BLOCKS.some((text) => covers(own, network(text))) ? 'private' : null;
}

function gatewayOf(bridge: Network): Address {
  return addressIn(bridge, 1n);
}

/** The address of the host in a bridge network, behind which clients from elsewhere may appear. */
export function bridgeGateway({ network: own }: NetworkPattern): string | null {
  if (own === null || own.length < 16 || own.length === own.bits) return null;
  return addressText(gatewayOf(own));
}

/**
 * What was probably meant by a pattern that the server cannot use: the network of `192.168.1.5/24`, the length
 * for a mask, brackets around IPv6; null where nothing is clear.
 */
export function meantPattern({ text, fault }: NetworkPattern): string | null {
  if (fault === 'no-brackets' || fault === 'fatal') {
    const [, address = '', length = ''] = /^([0-9a-f:.]+)(\/\d+)?$/i.exec(text) ?? [];
    if (parseAddress(address) === null) return null;
    const bracketed = `[${address}]${length}`;
    return typeof parseNetwork(bracketed) === 'string' ? null : bracketed;
  }
  const [, open = '', host = '', close = '', mask = ''] =
    /^(\[?)([0-9a-f:.]+)(\]?)\/([\d.]+)\]?$/i.exec(text) ?? [];
  const address = parseAddress(host);
  const length = mask.includes('.') ? maskLength(mask) : Number(mask);
  if (address === null || length === null || length > address.bits) return null;
  const shift = BigInt(address.bits - length);
  const first = { number: (address.number >> shift) << shift, bits: address.bits };
  return open === '' && close === '' && address.bits === 32
    ? `${addressText(first)}/${length}`
    : `[${shortened(first)}]/${length}`;
}

/** The length that a mask of four numbers stands for; null where its bits are mixed. */
function maskLength(mask: string): number | null {
  const bits = parseAddress(mask)?.number.toString(2).padStart(32, '0');
  return bits !== undefined && /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : null;
}

/** An address with `::` for the groups of zero at its end. */
function shortened(address: Address): string {
  return addressText(address).replace(/(:0)+$/, '::');
}

/**
 * Takes a pattern out of a list that is written out in one setting.
 *
 * @param instead the value where nothing else is left
 */
export function withoutPattern(
  postfix: PostfixConfiguration,
  of: Effective,
  pattern: NetworkPattern,
  instead: string,
): ProposedFix | null {
  return replacedPattern(postfix, of, pattern, '', instead, `take ${pattern.text} out of ${of.name}`);
}

/** Writes other patterns in the place of one; null where the list is not written out in one setting. */
export function replacedPattern(
  postfix: PostfixConfiguration,
  of: Effective,
  pattern: NetworkPattern,
  text: string,
  instead: string,
  title: string,
): ProposedFix | null {
  const { setting, value } = of;
  if (setting === null || setting.value !== value || pattern.at?.source !== setting.at.source) return null;
  const words = splitWords(value, true);
  const word = words.find((one) => one.text.replace(/^!+/, '') === pattern.text);
  if (word === undefined) return null;
  if (text !== '') {
    const changed = value.slice(0, word.start) + text + value.slice(word.end);
    return { title, ...proposeValue(postfix, setting, changed) };
  }
  const before = value.slice(0, word.start);
  const after = value.slice(word.end);
  const left = after.trim() === '' ? before.replace(/[\s,]+$/, '') : before + after.replace(/^[\s,]+/, '');
  return { title, ...proposeValue(postfix, setting, words.length === 1 ? instead : left) };
}
