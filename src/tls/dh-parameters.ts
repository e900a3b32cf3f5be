import { bitLength, Reader, SEQUENCE, smallNumber, unsignedHex, wholeElement } from './der.ts';

/** Parameters for ephemeral Diffie-Hellman as a file gives them to a server. */
export interface DhParameters {
  /** Size of the prime. */
  readonly bits: number;
  /** Beyond 2^53 the largest safe number stands for it. */
  readonly generator: number;
  /** A published group: `ffdhe2048` (RFC 7919), `modp2048` (RFC 2409, RFC 3526), `dh_2048_256` (RFC 5114); null for one's own. */
  readonly group: string | null;
}

/**
 * Published primes. All share their first and last 64 bits or are told apart by their size: size, second and
 * last but one 64 bits name them, and no other prime meets them by chance.
 */
const GROUPS: ReadonlyMap<string, string> = new Map([
  ['2048:adf85458a2bb4a9a:886b423861285c97', 'ffdhe2048'],
  ['3072:adf85458a2bb4a9a:25e41d2b66c62e37', 'ffdhe3072'],
  ['4096:adf85458a2bb4a9a:c68a007e5e655f6a', 'ffdhe4096'],
  ['6144:adf85458a2bb4a9a:a40e329cd0e40e65', 'ffdhe6144'],
  ['8192:adf85458a2bb4a9a:d68c8bb7c5c6424c', 'ffdhe8192'],
  ['768:c90fdaa22168c234:f44c42e9a63a3620', 'modp768'],
  ['1024:c90fdaa22168c234:49286651ece65381', 'modp1024'],
  ['1536:c90fdaa22168c234:f1746c08ca237327', 'modp1536'],
  ['2048:c90fdaa22168c234:15728e5a8aacaa68', 'modp2048'],
  ['3072:c90fdaa22168c234:4b82d120a93ad2ca', 'modp3072'],
  ['4096:c90fdaa22168c234:4df435c934063199', 'modp4096'],
  ['6144:c90fdaa22168c234:e694f91e6dcc4024', 'modp6144'],
  ['8192:c90fdaa22168c234:60c980dd98edd3df', 'modp8192'],
  ['1024:de92de5eae5d54ec:e68cfda76d4da708', 'dh_1024_160'],
  ['2048:d660faa79559c51f:cf9de5384e71b81c', 'dh_2048_224'],
  ['2048:ffbbd19c65195999:693877fad7ef09ca', 'dh_2048_256'],
]);

/** Labels of PEM blocks that hold parameters: PKCS #3, and X9.42, which begins in the same way (RFC 2631 §2.2.2). */
const LABELS: ReadonlySet<string> = new Set(['DH PARAMETERS', 'X9.42 DH PARAMETERS']);

/** Whether a label of a PEM block is that of DH parameters. */
export function isDhLabel(label: string): boolean {
  return LABELS.has(label);
}

/**
 * Reads DH parameters: prime, generator, and what else may follow.
 *
 * @throws DerError
 */
export function readDhParameters(bytes: Uint8Array): DhParameters {
  const reader = new Reader(wholeElement(bytes, SEQUENCE));
  const prime = unsignedHex(reader.next());
  const generator = smallNumber(reader.next());
  const bits = bitLength(prime);
  return {
    bits,
    generator,
    group: GROUPS.get(`${bits}:${prime.slice(16, 32)}:${prime.slice(-32, -16)}`) ?? null,
  };
}
