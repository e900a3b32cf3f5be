/** A network: family, address as one number, and how many of its bits count. */
export interface Net {
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly bits: number;
}

const FAMILY_BITS = { 4: 32, 6: 128 } as const;
/** `::ffff:0:0/96`: an IPv4 address written as an IPv6 one. */
const MAPPED = 0xffffn;

/**
 * Reads `address` or `address/bits`; null for what is neither, a host name among them.
 *
 * Source: net_parse_range() and net_addr2ip() of net.c, which take IPv4 as inet_aton() does (`10.1` is
 * 10.0.0.1, and a part may be octal or hexadecimal) and IPv6 with brackets around it.
 */
export function parseNet(text: string): Net | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null || slash < 0) return address;
  const bits = maskBits(text.slice(slash + 1), address.family);
  return bits === null ? null : { ...address, bits };
}

/** Bits of a mask as text, or null where they are no number or too many. */
export function maskBits(text: string, family: Net['family']): number | null {
  if (!/^[0-9]{1,9}$/.test(text)) return null;
  const bits = Number(text);
  return bits > FAMILY_BITS[family] ? null : bits;
}

/** Whether `inner` lies in `outer`: only the bits of `outer` count (net_is_in_network()). */
export function isInNet(inner: Net, outer: Net): boolean {
  const { family, address } = unmapped(inner);
  if (family !== outer.family) return false;
  const drop = BigInt(FAMILY_BITS[family] - outer.bits);
  return address >> drop === outer.address >> drop;
}

/** The address, and the bits where not all of them count. */
export function netText(net: Net): string {
  const address = net.family === 4 ? ipv4Text(net.address) : ipv6Text(net.address);
  return net.bits === FAMILY_BITS[net.family] ? address : `${address}/${net.bits}`;
}

/** The first bits of a network, the same for all of one size that lie in each other. */
export function netPrefix(net: Net, bits: number): string {
  const { family, address } = unmapped(net);
  const drop = BigInt(Math.max(0, FAMILY_BITS[family] - bits));
  return `${family} ${bits} ${address >> drop}`;
}

function unmapped(net: Net): Net {
  return net.family === 6 && net.address >> 32n === MAPPED
    ? { family: 4, address: net.address & 0xffffffffn, bits: Math.max(0, net.bits - 96) }
    : net;
}

function parseAddress(text: string): Net | null {
  if (!text.includes(':')) {
    const address = inetAton(text);
    return address === null ? null : { family: 4, address, bits: 32 };
  }
  const plain = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const address = parseIpv6(plain);
  return address === null ? null : { family: 6, address, bits: 128 };
}

/** One to four parts; the last fills what the others leave. */
function inetAton(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length > 4) return null;
  let address = 0n;
  for (const [index, part] of parts.entries()) {
    const value = aNumber(part);
    const last = index === parts.length - 1;
    const width = BigInt(last ? 8 * (5 - parts.length) : 8);
    if (value === null || value >= 1n << width) return null;
    address = (address << width) | value;
  }
  return address;
}

function aNumber(text: string): bigint | null {
  if (/^0x[0-9a-f]+$/i.test(text)) return BigInt(text.toLowerCase());
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return /^(0|[1-9][0-9]*)$/.test(text) ? BigInt(text) : null;
}

function parseIpv6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [front, back] = [groupsOf(halves[0] ?? ''), halves.length === 2 ? groupsOf(halves[1] ?? '') : []];
  if (front === null || back === null) return null;
  const missing = 8 - front.length - back.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...front, ...Array.from({ length: missing }, () => 0n), ...back];
  return groups.reduce((address, group) => (address << 16n) | group, 0n);
}

/** Groups of 16 bits; the last may be an IPv4 address, which is two. */
function groupsOf(text: string): bigint[] | null {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`));
    else if (index === parts.length - 1 && /^(\d{1,3}\.){3}\d{1,3}$/.test(part)) {
      const address = inetAton(part);
      if (address === null) return null;
      groups.push(address >> 16n, address & 0xffffn);
    } else return null;
  }
  return groups;
}

function ipv4Text(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 0xffn)).join('.');
}

/** As inet_ntop(): the first longest run of two or more zero groups is left out. */
function ipv6Text(address: bigint): string {
  if (address >> 32n === MAPPED) return `::ffff:${ipv4Text(address & 0xffffffffn)}`;
  const groups = Array.from({ length: 8 }, (_, index) => (address >> BigInt(112 - 16 * index)) & 0xffffn);
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0n) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (part: readonly bigint[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.length < 2) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}
