/**
 * Client hellos as bytes: SSLv2 (its draft of 1995), SSLv3 (RFC 6101), TLSv1 to TLSv1.2 (RFC 2246, 4346,
 * 5246), TLSv1.3 (RFC 8446), and the extensions of RFC 6066, 7685, 7919, 8422 and 5054.
 */
import { createECDH, randomBytes } from 'node:crypto';
import type { Protocol } from '../model/protocol.ts';
import { GROUPS } from './groups.ts';
import { SSLV2_SUITES, suiteOf } from './suites.ts';

/** The versions that have a hello of the common form. */
export type HelloProtocol = Exclude<Protocol, 'SSLv2'>;

/** The number of each version in records and hellos. */
export const VERSIONS: Readonly<Record<Protocol, number>> = {
  SSLv2: 0x0002,
  SSLv3: 0x0300,
  TLSv1: 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
};

/** What one hello offers. */
export interface Hello {
  /** The newest version that the client speaks, and in TLSv1.3 the only one. */
  readonly protocol: HelloProtocol;
  /** Numbers of suites in the order of the client's preference. */
  readonly suites: readonly number[];
  /** Numbers of groups in the order of preference; all that are known by default. */
  readonly groups?: readonly number[];
  /** The name that the client asks for; null sends none. */
  readonly serverName: string | null;
}

/** Stands for secure renegotiation (RFC 5746) without an extension, so also in SSLv3. */
const RENEGOTIATION_SCSV = 0x00ff;

/**
 * All algorithms that were ever given a number for signatures (RFC 5246, 8446, 8734, 9189, 8998, and
 * ML-DSA): a server that has a certificate at all finds one that it can use.
 */
const SIGNATURES: readonly number[] = [
  0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x081a, 0x081b, 0x081c, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805,
  0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602, 0x0203, 0x0201, 0x0202,
  0x0101, 0x0904, 0x0905, 0x0906, 0x0708, 0x0709, 0x070a, 0x070b, 0x0840, 0x0841, 0xeded, 0xeeee, 0xefef,
];

const EXTENSION = {
  serverName: 0,
  groups: 10,
  pointFormats: 11,
  srp: 12,
  signatures: 13,
  padding: 21,
  extendedMasterSecret: 23,
  supportedVersions: 43,
  pskModes: 45,
  keyShare: 51,
} as const;

/** Some load balancers never answer a hello of 256 to 511 bytes (RFC 7685). */
const BAD_LENGTHS = { from: 256, below: 512 } as const;

/** A hello in one record. */
export function clientHello(hello: Hello): Buffer {
  const version = VERSIONS[hello.protocol];
  const suites = [...hello.suites, ...(hello.protocol === 'TLSv1.3' ? [] : [RENEGOTIATION_SCSV])];
  const head = Buffer.concat([
    uint16(Math.min(version, VERSIONS['TLSv1.2'])),
    randomBytes(32),
    // A session number in TLSv1.3 is for machines on the way that expect one (RFC 8446, D.4).
    vector8(hello.protocol === 'TLSv1.3' ? randomBytes(32) : Buffer.alloc(0)),
    vector16(Buffer.concat(suites.map(uint16))),
    vector8(Buffer.from([0])),
  ]);
  // SSLv3 knows no extensions, and a server that speaks nothing newer may refuse them.
  const body = hello.protocol === 'SSLv3' ? head : withExtensions(head, hello);
  const message = Buffer.concat([Buffer.from([1]), uint24(body.length), body]);
  const recordVersion = Math.min(version, VERSIONS.TLSv1);
  return Buffer.concat([Buffer.from([22]), uint16(recordVersion), vector16(message)]);
}

/** A hello of SSLv2 with all its ciphers. */
export function clientHelloV2(): Buffer {
  const specs = Buffer.concat(SSLV2_SUITES.map(({ id }) => uint24(id)));
  const body = Buffer.concat([
    Buffer.from([1]),
    uint16(VERSIONS.SSLv2),
    uint16(specs.length),
    uint16(0),
    uint16(16),
    specs,
    randomBytes(16),
  ]);
  return Buffer.concat([uint16(0x8000 | body.length), body]);
}

function withExtensions(head: Buffer, hello: Hello): Buffer {
  const extensions = extensionsOf(hello);
  const length = 4 + head.length + 2 + extensions.reduce((sum, { length: own }) => sum + own, 0);
  if (length >= BAD_LENGTHS.from && length < BAD_LENGTHS.below)
    extensions.push(extension(EXTENSION.padding, Buffer.alloc(Math.max(1, BAD_LENGTHS.below - length - 4))));
  return Buffer.concat([head, vector16(Buffer.concat(extensions))]);
}

function extensionsOf({ protocol, suites, groups, serverName }: Hello): Buffer[] {
  const offered = groups ?? GROUPS.map(({ id }) => id);
  const extensions: Buffer[] = [];
  if (serverName !== null) extensions.push(extension(EXTENSION.serverName, nameList(serverName)));
  extensions.push(
    extension(EXTENSION.groups, vector16(Buffer.concat(offered.map(uint16)))),
    extension(EXTENSION.signatures, vector16(Buffer.concat(SIGNATURES.map(uint16)))),
  );
  if (protocol === 'TLSv1.3') {
    extensions.push(
      extension(EXTENSION.supportedVersions, vector8(uint16(VERSIONS['TLSv1.3']))),
      extension(EXTENSION.pskModes, vector8(Buffer.from([1]))),
      extension(EXTENSION.keyShare, vector16(Buffer.concat(keyShares(offered)))),
    );
  } else {
    extensions.push(
      extension(EXTENSION.pointFormats, vector8(Buffer.from([0, 1, 2]))),
      extension(EXTENSION.extendedMasterSecret, Buffer.alloc(0)),
    );
    if (suites.some((id) => suiteOf(id).family === 'SRP'))
      extensions.push(extension(EXTENSION.srp, vector8(Buffer.from('user'))));
  }
  return extensions;
}

function nameList(name: string): Buffer {
  return vector16(Buffer.concat([Buffer.from([0]), vector16(Buffer.from(name, 'latin1'))]));
}

// The handshake is never finished, so one key serves all hellos of a run.
let p256: Buffer | null = null;
const x25519 = randomBytes(32);

/**
 * Shares for the two groups that nearly every server takes. With them a server goes on to choose its
 * certificate before it answers; one that wants another group asks for it, which is a hello as well.
 */
function keyShares(groups: readonly number[]): Buffer[] {
  const shares: Buffer[] = [];
  if (groups.includes(29)) shares.push(Buffer.concat([uint16(29), vector16(x25519)]));
  if (groups.includes(23)) {
    p256 ??= createECDH('prime256v1').generateKeys();
    shares.push(Buffer.concat([uint16(23), vector16(p256)]));
  }
  return shares;
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([uint16(type), vector16(content)]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function uint24(value: number): Buffer {
  return Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);
}

function vector8(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([content.length]), content]);
}

function vector16(content: Buffer): Buffer {
  return Buffer.concat([uint16(content.length), content]);
}
