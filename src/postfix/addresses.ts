/**
 * Addresses and networks as Postfix reads them in `cidr:` tables and in lists of networks: inet_pton(3) and
 * cidr_match_parse() of cidr_match.c.
 */

/** An IPv4 or IPv6 address. */
export interface Address {
  readonly number: bigint;
  readonly bits: 32 | 128;
}

/** A network: the addresses that begin with the same bits. */
export interface Network {
  /** The common bits as a number, the others cut off. */
  readonly prefix: bigint;
  /** How many bits they have in common. */
  readonly length: number;
  readonly bits: 32 | 128;
}

/**
 * Reads `address`, `address/length`, `[address]/length`, `[address/length]`.
 *
 * @returns `host-bits` where bits behind the length are not zero, `bad-network` for what is no network; the
 *   server takes neither
 */
export function parseNetwork(text: string): Network | 'bad-network' | 'host-bits' {
  const [, bracketed, after, plain] = /^(?:\[([^\]]*)\](\/.*)?|([^[].*))$/.exec(text) ?? [];
  const pattern = plain ?? (bracketed === undefined ? '' : bracketed + (after ?? ''));
  const slash = pattern.indexOf('/');
  const address = parseAddress(slash < 0 ? pattern : pattern.slice(0, slash));
  if (address === null) return 'bad-network';
  if (slash < 0) return { prefix: address.number, length: address.bits, bits: address.bits };
  const mask = pattern.slice(slash + 1);
  if (!/^[0-9]+$/.test(mask) || Number(mask) > address.bits) return 'bad-network';
  const shift = BigInt(address.bits - Number(mask));
  const prefix = address.number >> shift;
  return prefix << shift === address.number
    ? { prefix, length: Number(mask), bits: address.bits }
    : 'host-bits';
}

/** Whether an address belongs to a network; one of another family never does. */
export function contains(network: Network, { number, bits }: Address): boolean {
  return bits === network.bits && number >> BigInt(bits - network.length) === network.prefix;
}

/** Whether each address of `inner` belongs to `outer`. */
export function covers(outer: Network, inner: Network): boolean {
  return (
    outer.bits === inner.bits &&
    outer.length <= inner.length &&
    inner.prefix >> BigInt(inner.length - outer.length) === outer.prefix
  );
}

/** An address of a network, counted from its first. */
export function addressIn({ prefix, length, bits }: Network, offset: bigint): Address {
  return { number: (prefix << BigInt(bits - length)) + offset, bits };
}

/** The usual text of an IPv4 address; of IPv6 all eight groups. */
export function addressText({ number, bits }: Address): string {
  const groups = bits === 32 ? 4 : 8;
  const width = bits / groups;
  return Array.from({ length: groups }, (_, index) => {
    const group = (number >> BigInt(width * (groups - 1 - index))) & ((1n << BigInt(width)) - 1n);
    return group.toString(bits === 32 ? 10 : 16);
  }).join(bits === 32 ? '.' : ':');
}

/** Reads what inet_pton(3) takes: four decimal numbers without leading zeros, or IPv6 in any of its forms; null for anything else. */
export function parseAddress(text: string): Address | null {
  if (!text.includes(':')) {
    const number = parseIpv4(text);
    return number === null ? null : { number: BigInt(number), bits: 32 };
  }
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const tail = last?.at(-1);
  if (last !== undefined && tail?.includes('.') === true) {
    const number = parseIpv4(tail);
    if (number === null) return null;
    last.splice(-1, 1, Math.floor(number / 65536).toString(16), (number % 65536).toString(16));
  }
  const [before = [], after] = groups;
  const missing = 8 - before.length - (after?.length ?? 0);
  if (after === undefined ? missing !== 0 : missing < 1) return null;
  const all = [...before, ...Array.from({ length: missing }, () => '0'), ...(after ?? [])];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return { number: BigInt(`0x${all.map((group) => group.padStart(4, '0')).join('')}`), bits: 128 };
}

function parseIpv4(text: string): number | null {
  const parts = text.split('.');
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
  )
    return null;
  return parts.reduce((number, part) => number * 256 + Number(part), 0);
}
