/** The protocol versions that a mail server may speak, oldest first, by their usual names. */
export const PROTOCOLS = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/** Name of a protocol version. */
export type Protocol = (typeof PROTOCOLS)[number];

/** Order of two protocols: negative when `a` is older. */
export function compareProtocols(a: Protocol, b: Protocol): number {
  return PROTOCOLS.indexOf(a) - PROTOCOLS.indexOf(b);
}

/** The protocols of `set` that are older than `floor`, oldest first. */
export function belowFloor(set: Iterable<Protocol>, floor: Protocol): Protocol[] {
  return [...set].filter((protocol) => compareProtocols(protocol, floor) < 0).sort(compareProtocols);
}
