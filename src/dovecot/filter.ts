import { isInNet, maskBits, type Net, netText, parseNet } from './net.ts';

/** A network as a filter names it: read, and as written where it is a host name that only a resolver knows. */
export interface FilterNet {
  readonly net: Net | null;
  readonly text: string;
}

/** For which connections settings count. What is null counts for all. */
export interface Filter {
  /** `imap`, or `!imap` for all but it. */
  readonly protocol: string | null;
  /** A server name (SNI); 2.2 and 2.3 take several, separated by blanks. */
  readonly localName: string | null;
  readonly local: FilterNet | null;
  readonly remote: FilterNet | null;
}

/** The sections that are filters of connections, outermost first: that is the only order in which they may stand inside each other. */
export const FILTER_TYPES = ['local', 'local_name', 'remote', 'protocol'] as const;
export type FilterType = (typeof FILTER_TYPES)[number];

/** The filter of what stands in no filter. */
export const NO_FILTER: Filter = { protocol: null, localName: null, local: null, remote: null };

/** A connection for which a value is asked; what is left out is not known, and no filter for it matches. */
export interface Connection {
  readonly protocol?: string | undefined;
  readonly localName?: string | undefined;
  readonly localIp?: string | undefined;
  readonly remoteIp?: string | undefined;
}

/** Whether a section is a filter of connections. */
export function isFilterType(key: string): key is FilterType {
  return (FILTER_TYPES as readonly string[]).includes(key);
}

/** True where nothing is filtered. */
export function isGlobal(filter: Filter): boolean {
  return (
    filter.protocol === null && filter.localName === null && filter.local === null && filter.remote === null
  );
}

/** True inside local, local_name and remote, where settings of the authentication process are refused. */
export function isOfNetwork(filter: Filter): boolean {
  return filter.localName !== null || filter.local !== null || filter.remote !== null;
}

/** The same for filters that are one to the server. */
export function filterKey({ protocol, localName, local, remote }: Filter): string {
  return JSON.stringify([protocol, localName?.toLowerCase() ?? null, netKey(local), netKey(remote)]);
}

function netKey(filterNet: FilterNet | null): string | null {
  if (filterNet === null) return null;
  const { net, text } = filterNet;
  return net === null ? `name ${text}` : `${net.family} ${net.address} ${net.bits}`;
}

/** What the server says of a filter that may not stand where it stands, or whose network it cannot read; else null. */
export function filterFault(type: FilterType, name: string, parent: Filter): string | null {
  const inside = (outer: FilterType): string =>
    `${outer} { ${type} { .. } } not allowed (use ${type} { ${outer} { .. } } instead)`;
  if (type === 'protocol')
    return parent.protocol === null ? null : 'Nested protocol { protocol { .. } } block not allowed';
  if (type !== 'remote' && parent.remote !== null) return inside('remote');
  if (parent.protocol !== null) return inside('protocol');
  if (type === 'local_name') return null;
  if (type === 'local' && parent.localName !== null) return inside('local_name');
  const outer = type === 'local' ? parent.local : parent.remote;
  const { net } = readNet(name);
  const slash = name.indexOf('/');
  if (net === null) {
    // What is no address is taken for a host name; its mask is read after it was found.
    const host = slash < 0 ? name : name.slice(0, slash);
    const address = parseNet(host);
    if (slash >= 0 && address !== null && maskBits(name.slice(slash + 1), address.family) === null)
      return `Invalid network mask: ${name.slice(slash + 1)}`;
    return null;
  }
  const known = outer?.net ?? null;
  if (known !== null && (known.bits > net.bits || !isInNet(net, known)))
    return `${type} net1 { ${type} net2 { .. } } requires net2 to be inside net1`;
  return null;
}

/** The filter inside another. */
export function innerFilter(type: FilterType, name: string, parent: Filter): Filter {
  switch (type) {
    case 'protocol':
      return { ...parent, protocol: name };
    case 'local_name':
      return { ...parent, localName: name };
    case 'local':
      return { ...parent, local: readNet(name) };
    case 'remote':
    default:
      return { ...parent, remote: readNet(name) };
  }
}

/** A name that every machine knows; one that has IPv6 may take `::1` for it. */
const LOCALHOST = 'localhost';

function readNet(text: string): FilterNet {
  return { net: parseNet(text === LOCALHOST ? '127.0.0.1' : text), text };
}

/** A network as doveconf prints it: the address, of a host name too. */
export function filterNetText({ net, text }: FilterNet): string {
  return net === null ? text : netText(net);
}

/** The same for connections that are one to all filters. */
export function connectionOf({ protocol, localName, localIp, remoteIp }: Connection): string {
  return JSON.stringify([protocol, localName, localIp, remoteIp]);
}

/** Whether a filter holds for a connection. */
export function matchesFilter(filter: Filter, connection: Connection): boolean {
  return (
    matchesProtocol(filter.protocol, connection.protocol) &&
    matchesName(filter.localName, connection.localName) &&
    matchesNet(filter.local, connection.localIp) &&
    matchesNet(filter.remote, connection.remoteIp)
  );
}

/** Nothing is known to be another protocol than `!imap` names, so that it needs a protocol too. */
function matchesProtocol(wanted: string | null, protocol: string | undefined): boolean {
  if (wanted === null) return true;
  if (protocol === undefined) return false;
  return wanted.startsWith('!') ? protocol !== wanted.slice(1) : protocol === wanted;
}

function matchesName(wanted: string | null, name: string | undefined): boolean {
  if (wanted === null) return true;
  return name !== undefined && wanted.split(' ').some((mask) => matchesWildcard(name, mask));
}

function matchesNet(wanted: FilterNet | null, address: string | undefined): boolean {
  if (wanted === null) return true;
  if (address === undefined) return false;
  const net = parseNet(address);
  return net !== null && wanted.net !== null && isInNet(net, wanted.net);
}

/**
 * Whether a server name matches `*.example.org`: a star stands for the rest of one label, and a dot has to
 * follow it; `?` stands for any character; capitals do not count (dns_match_wildcard() of dns-util.c).
 */
export function matchesWildcard(name: string, mask: string): boolean {
  const given = name.toLowerCase();
  const wanted = mask.toLowerCase();
  let at = 0;
  let by = 0;
  for (; at < given.length && by < wanted.length; at++, by++) {
    if (wanted[by] === '*') {
      at = given.indexOf('.', at);
      if (at < 0 || wanted[++by] !== '.') return false;
    } else if (wanted[by] !== '?' && wanted[by] !== given[at]) {
      return false;
    }
  }
  if (wanted[by] === '*') by++;
  return at === given.length && by === wanted.length;
}
