/** A group for the agreement on keys, by the number of the IANA registry "TLS Supported Groups". */
export interface Group {
  readonly id: number;
  /** The name of the registry, which OpenSSL's own lists take too. */
  readonly name: string;
}

/** All groups in the order in which they are offered: hybrids, the curves of today, fields, the old curves. */
export const GROUPS: readonly Group[] = (
  [
    [0x11ec, 'X25519MLKEM768'],
    [0x11eb, 'SecP256r1MLKEM768'],
    [0x11ed, 'SecP384r1MLKEM1024'],
    [29, 'x25519'],
    [23, 'secp256r1'],
    [30, 'x448'],
    [24, 'secp384r1'],
    [25, 'secp521r1'],
    [512, 'MLKEM512'],
    [513, 'MLKEM768'],
    [514, 'MLKEM1024'],
    [31, 'brainpoolP256r1tls13'],
    [32, 'brainpoolP384r1tls13'],
    [33, 'brainpoolP512r1tls13'],
    [26, 'brainpoolP256r1'],
    [27, 'brainpoolP384r1'],
    [28, 'brainpoolP512r1'],
    [256, 'ffdhe2048'],
    [257, 'ffdhe3072'],
    [258, 'ffdhe4096'],
    [259, 'ffdhe6144'],
    [260, 'ffdhe8192'],
    [41, 'curveSM2'],
    [34, 'GC256A'],
    [35, 'GC256B'],
    [36, 'GC256C'],
    [37, 'GC256D'],
    [38, 'GC512A'],
    [39, 'GC512B'],
    [40, 'GC512C'],
    [22, 'secp256k1'],
    [21, 'secp224r1'],
    [20, 'secp224k1'],
    [19, 'secp192r1'],
    [18, 'secp192k1'],
    [17, 'secp160r2'],
    [16, 'secp160r1'],
    [15, 'secp160k1'],
    [14, 'sect571r1'],
    [13, 'sect571k1'],
    [12, 'sect409r1'],
    [11, 'sect409k1'],
    [10, 'sect283r1'],
    [9, 'sect283k1'],
    [8, 'sect239k1'],
    [7, 'sect233r1'],
    [6, 'sect233k1'],
    [5, 'sect193r2'],
    [4, 'sect193r1'],
    [3, 'sect163r2'],
    [2, 'sect163r1'],
    [1, 'sect163k1'],
  ] as const
).map(([id, name]) => ({ id, name }));

/** The name of a group; one that nobody has registered is named after its number. */
export function groupName(id: number): string {
  return GROUPS.find((group) => group.id === id)?.name ?? `0x${id.toString(16).padStart(4, '0')}`;
}

/** Primes of well-known fields begin with the digits of a constant: e (RFC 7919) or pi (RFC 2409, 3526). */
const FIELDS: readonly (readonly [start: string, name: string])[] = [
  ['ffffffffffffffffadf85458a2bb4a9a', 'ffdhe'],
  ['ffffffffffffffffc90fdaa22168c234', 'modp'],
];

/** The name of a Diffie-Hellman field, `ffdhe2048` or `modp2048`; null for one of a server's own making. */
export function fieldName(prime: Buffer): string | null {
  const start = prime.subarray(0, 16).toString('hex');
  const known = FIELDS.find(([digits]) => digits === start);
  return known === undefined ? null : `${known[1]}${prime.length * 8}`;
}
