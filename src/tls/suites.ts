import { PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { atLeast, type Release } from '../model/release.ts';
import table from './data/ciphers.json' with { type: 'json' };

/**
 * The cipher suites of each OpenSSL release.
 *
 * The table is made by src/build/cipher-tables.ts from what programs and libraries answer: those of Debian for
 * 1.1.1 and later, builds with the default options for older ones (1.0.1e, 1.0.1u, 1.0.2d, 1.0.2o and 1.1.0h,
 * without Kerberos; 1.0.1s and 1.0.2g are the patches that took the weakest suites out of the build). Other
 * builds may have more (weak ciphers, GOST) or fewer suites: Debian builds 1.1.1 and later without RC4 and
 * triple DES, as OpenSSL itself does since 1.1.0; RHEL keeps them in the library. What 3.2 has is taken from 3.5
 * and CHANGES. A release that is not in the table has what the nearest older one has.
 */

/** A release in the table. Lists of suites are ids in hexadecimal, separated by blanks. */
export interface ReleaseData {
  readonly release: Release;
  /** TLSv1.2 and older, in the order in which they stand before a cipher string is applied. */
  readonly order: string;
  /** TLSv1.3 suites that are on by default, in order; a cipher string does not touch them. */
  readonly tls13: string;
  /** TLSv1.3 suites that are off by default. */
  readonly tls13OnRequest: string;
  /** The cipher string that DEFAULT stands for. */
  readonly default: string;
  /** Whether cipher strings may name suites as IANA does. */
  readonly iana: boolean;
  /** Whether a string may ask for a security level (since 1.1.0). */
  readonly securityLevels: boolean;
  /** Whether SUITEB128 and its kin are known: as the whole string, or as its beginning. */
  readonly suiteB: 'no' | 'whole' | 'beginning';
  /** Whether the first strength in `A+B` makes forget what was said of the default list (since 1.1.0). */
  readonly strengthOverwrites: boolean;
  /** Whether no rule touches a suite any more when all others are removed for good (1.0.1 before its last patches). */
  readonly loneSuiteStays: boolean;
}

/** The table as it stands in data/ciphers.json. */
export interface CipherData {
  /**
   * `ID NAME IANA PROTOCOL KX AU ENC BITS MAC STRENGTH MARKS SINCE`: of several lines with one id, the last
   * that holds from the release or before. MARKS are the aliases of strength that contain the suite,
   * `export`, and `not-default`, separated by commas; SINCE is `*` or a release.
   */
  readonly suites: readonly string[];
  /** `NAME RELEASES CONDITION…`: `*` for all releases of the table; conditions as cipher-selection.ts reads them. */
  readonly aliases: readonly string[];
  /** `NAME RELEASES`: names that only other builds of OpenSSL know, or other releases. */
  readonly elsewhere: readonly string[];
  /** Oldest first. */
  readonly releases: readonly ReleaseData[];
}

/** A cipher suite as one release of OpenSSL has it. */
export interface CipherSuite {
  /** Name in that release: `ECDHE-RSA-AES256-GCM-SHA384`. */
  readonly name: string;
  /** Name in the registry of IANA: `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`. */
  readonly iana: string;
  /** Two bytes on the wire, 0xC030; three for SSLv2. */
  readonly id: number;
  /** The oldest protocol that it can be used in. */
  readonly protocol: Protocol;
  /** As `openssl ciphers -V` says after `Kx=`, without the bits of an export suite. */
  readonly keyExchange: string;
  /** After `Au=`. */
  readonly authentication: string;
  /** After `Enc=`, without the bits. */
  readonly encryption: string;
  /** The bits after `Enc=`; 0 for no encryption. */
  readonly bits: number;
  /** After `Mac=`. */
  readonly mac: string;
  /** Strength bits: what @STRENGTH sorts by and a security level asks for. */
  readonly strength: number;
  /** The aliases of strength that contain it, `export`, and `not-default`. */
  readonly marks: readonly string[];
}

/** The data, with the types that JSON cannot say. */
export const CIPHER_DATA = table as CipherData;

let listed: readonly Release[] | null = null;

/** The releases of the table, oldest first; the table is read when somebody asks. */
export function cipherReleases(): readonly Release[] {
  listed ??= CIPHER_DATA.releases.map(({ release }) => release);
  return listed;
}

/** The line of the table for a release: the nearest older one where it has none, the oldest for older ones. */
export function releaseData(openssl: Release): ReleaseData {
  const { releases } = CIPHER_DATA;
  const found = releases.findLast(({ release }) => atLeast(openssl, release)) ?? releases[0];
  if (found === undefined) throw new Error('the table of cipher suites is empty');
  return found;
}

/** The release of the table by which a release is judged. */
export function cipherRelease(openssl: Release): Release {
  return releaseData(openssl).release;
}

const libraries = new Map<Release, Library>();

/**
 * The suites of a release, TLSv1.3 first, then in the order in which they stand before a cipher string is
 * applied. The TLSv1.3 suites that are off by default are among them.
 */
export function suitesOf(openssl: Release): readonly CipherSuite[] {
  const { release, tls13, tls13OnRequest, order } = releaseData(openssl);
  let suites = suitesByRelease.get(release);
  if (suites === undefined) {
    suites = suitesIn(release, `${tls13} ${tls13OnRequest} ${order}`);
    suitesByRelease.set(release, suites);
  }
  return suites;
}

const suitesByRelease = new Map<Release, readonly CipherSuite[]>();

/** The suites of a list of ids, in its order; ids that the release does not have are left out. */
export function suitesIn(openssl: Release, ids: string): CipherSuite[] {
  const release = cipherRelease(openssl);
  let library = libraries.get(release);
  if (library === undefined) {
    library = new Library(release);
    libraries.set(release, library);
  }
  const found: CipherSuite[] = [];
  for (const id of ids.split(' ')) {
    const suite = library.suite(id);
    if (suite !== null) found.push(suite);
  }
  return found;
}

/** The suites of a release, each made when it is first asked for: no release has half of the table. */
class Library {
  /** By their ids; of several lines the last that holds. */
  readonly #lines = new Map<string, string>();
  readonly #suites = new Map<string, CipherSuite>();

  constructor(release: Release) {
    for (const line of CIPHER_DATA.suites) {
      const since = line.slice(line.lastIndexOf(' ') + 1);
      if (since === '*' || atLeast(release, since)) this.#lines.set(line.slice(0, line.indexOf(' ')), line);
    }
  }

  /** The suite of an id; null where the release has none. */
  suite(id: string): CipherSuite | null {
    let suite = this.#suites.get(id);
    if (suite === undefined) {
      const line = this.#lines.get(id);
      if (line === undefined) return null;
      suite = readSuite(line);
      this.#suites.set(id, suite);
    }
    return suite;
  }
}

function readSuite(line: string): CipherSuite {
  const [id = '', name, iana, protocol, kx, au, enc, bits, mac, strength, marks = ''] = line.split(' ');
  return {
    name: name ?? '',
    iana: iana ?? '',
    id: Number.parseInt(id, 16),
    protocol: PROTOCOLS.find((known) => known === protocol) ?? 'SSLv3',
    keyExchange: kx ?? '',
    authentication: au ?? '',
    encryption: enc ?? '',
    bits: Number(bits),
    mac: mac ?? '',
    strength: Number(strength),
    marks: marks === '' ? [] : marks.split(','),
  };
}
