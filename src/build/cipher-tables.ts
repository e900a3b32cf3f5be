/**
 * Makes src/tls/data/ciphers.json by asking OpenSSL programs.
 *
 *   node esbuild.mjs run src/build/cipher-tables.ts RELEASE=COMMAND…
 *
 * COMMAND, split at blanks, stands for the `openssl` of that release: `3.0=chroot /srv/bookworm openssl`. It
 * is asked `ciphers …` and nothing else. What no program prints (what an alias stands for, and the strength
 * bits) stands below with its source. The form of the result is described in src/tls/suites.ts, which reads it.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { atLeast, compareReleases, type Release } from '../model/release.ts';
import type { CipherData, ReleaseData } from '../tls/suites.ts';

/** An alias, its meaning, and between which releases it has that meaning. */
interface Alias {
  readonly name: string;
  readonly means: string;
  readonly since?: Release;
  readonly before?: Release;
}

/**
 * What every alias stands for (ssl/ssl_ciph.c, cipher_aliases[]), with the columns of `openssl ciphers -v`:
 * a suite is meant when it has one of the values of each column named, or with `!` none of them. `Strength`
 * is the class HIGH, MEDIUM …; whether a release knows the alias is asked.
 */
const ALIASES: readonly Alias[] = [
  { name: 'ALL', means: 'Enc=!None' },
  { name: 'COMPLEMENTOFALL', means: 'Enc=None' },
  { name: 'COMPLEMENTOFDEFAULT', means: 'Kx=ECDH,DH Au=None Enc=!None', before: '1.0.2' },
  {
    name: 'COMPLEMENTOFDEFAULT',
    means: 'Au=None Enc=!None Protocol=!SSLv2 Export=yes,no',
    since: '1.0.2',
    before: '1.1.0',
  },
  { name: 'COMPLEMENTOFDEFAULT', means: 'Default=no', since: '1.1.0' },
  { name: 'kRSA', means: 'Kx=RSA' },
  { name: 'kDHr', means: 'Kx=DH/RSA' },
  { name: 'kDHd', means: 'Kx=DH/DSS' },
  { name: 'kDH', means: 'Kx=DH/RSA,DH/DSS' },
  { name: 'kEDH', means: 'Kx=DH' },
  { name: 'kDHE', means: 'Kx=DH' },
  { name: 'DH', means: 'Kx=DH,DH/RSA,DH/DSS' },
  { name: 'kKRB5', means: 'Kx=KRB5' },
  { name: 'kECDHr', means: 'Kx=ECDH/RSA' },
  { name: 'kECDHe', means: 'Kx=ECDH/ECDSA' },
  { name: 'kECDH', means: 'Kx=ECDH/RSA,ECDH/ECDSA' },
  { name: 'kEECDH', means: 'Kx=ECDH' },
  { name: 'kECDHE', means: 'Kx=ECDH' },
  { name: 'ECDH', means: 'Kx=ECDH,ECDH/RSA,ECDH/ECDSA' },
  { name: 'kPSK', means: 'Kx=PSK' },
  { name: 'kRSAPSK', means: 'Kx=RSAPSK' },
  { name: 'kECDHEPSK', means: 'Kx=ECDHEPSK' },
  { name: 'kDHEPSK', means: 'Kx=DHEPSK' },
  { name: 'kSRP', means: 'Kx=SRP' },
  { name: 'kGOST', means: 'Kx=GOST' },
  { name: 'aRSA', means: 'Au=RSA' },
  { name: 'aDSS', means: 'Au=DSS' },
  { name: 'DSS', means: 'Au=DSS' },
  { name: 'aKRB5', means: 'Au=KRB5' },
  { name: 'aNULL', means: 'Au=None' },
  { name: 'aDH', means: 'Au=DH' },
  { name: 'aECDH', means: 'Au=ECDH' },
  { name: 'aECDSA', means: 'Au=ECDSA' },
  { name: 'ECDSA', means: 'Au=ECDSA' },
  { name: 'aPSK', means: 'Au=PSK' },
  { name: 'aGOST94', means: 'Au=GOST94' },
  { name: 'aGOST01', means: 'Au=GOST01' },
  { name: 'aGOST', means: 'Au=GOST94,GOST01' },
  { name: 'aSRP', means: 'Au=SRP' },
  { name: 'EDH', means: 'Kx=DH Au=!None' },
  { name: 'DHE', means: 'Kx=DH Au=!None' },
  { name: 'EECDH', means: 'Kx=ECDH Au=!None' },
  { name: 'ECDHE', means: 'Kx=ECDH Au=!None' },
  { name: 'NULL', means: 'Enc=None' },
  { name: 'KRB5', means: 'Kx=KRB5 Au=KRB5' },
  { name: 'RSA', means: 'Kx=RSA Au=RSA' },
  { name: 'ADH', means: 'Kx=DH Au=None' },
  { name: 'AECDH', means: 'Kx=ECDH Au=None' },
  { name: 'PSK', means: 'Kx=PSK Au=PSK', before: '1.1.0' },
  { name: 'PSK', means: 'Kx=PSK,RSAPSK,DHEPSK,ECDHEPSK', since: '1.1.0' },
  { name: 'SRP', means: 'Kx=SRP' },
  { name: 'DES', means: 'Enc=DES' },
  { name: '3DES', means: 'Enc=3DES' },
  { name: 'RC4', means: 'Enc=RC4' },
  { name: 'RC2', means: 'Enc=RC2' },
  { name: 'IDEA', means: 'Enc=IDEA' },
  { name: 'SEED', means: 'Enc=SEED' },
  { name: 'eNULL', means: 'Enc=None' },
  { name: 'AES128', means: 'Enc=AES(128),AESGCM(128),AESCCM(128),AESCCM8(128)' },
  { name: 'AES256', means: 'Enc=AES(256),AESGCM(256),AESCCM(256),AESCCM8(256)' },
  { name: 'AES', means: 'Enc=AES,AESGCM,AESCCM,AESCCM8' },
  { name: 'AESGCM', means: 'Enc=AESGCM' },
  { name: 'AESCCM', means: 'Enc=AESCCM,AESCCM8' },
  { name: 'AESCCM8', means: 'Enc=AESCCM8' },
  { name: 'CAMELLIA128', means: 'Enc=Camellia(128)' },
  { name: 'CAMELLIA256', means: 'Enc=Camellia(256)' },
  { name: 'CAMELLIA', means: 'Enc=Camellia' },
  { name: 'CHACHA20', means: 'Enc=CHACHA20/POLY1305' },
  { name: 'ARIA', means: 'Enc=ARIAGCM' },
  { name: 'ARIAGCM', means: 'Enc=ARIAGCM' },
  { name: 'ARIA128', means: 'Enc=ARIAGCM(128)' },
  { name: 'ARIA256', means: 'Enc=ARIAGCM(256)' },
  { name: 'CBC', means: 'Enc=DES,3DES,RC2,IDEA,AES,Camellia,SEED' },
  { name: 'MD5', means: 'Mac=MD5' },
  { name: 'SHA1', means: 'Mac=SHA1' },
  { name: 'SHA', means: 'Mac=SHA1' },
  { name: 'SHA256', means: 'Mac=SHA256' },
  { name: 'SHA384', means: 'Mac=SHA384' },
  { name: 'SSLv2', means: 'Protocol=SSLv2' },
  { name: 'SSLv3', means: 'Protocol=SSLv3' },
  // 1.0.x has no suites that came with TLSv1: both names stand for the same bit.
  { name: 'TLSv1', means: 'Protocol=SSLv3', before: '1.1.0' },
  { name: 'TLSv1', means: 'Protocol=TLSv1', since: '1.1.0' },
  { name: 'TLSv1.0', means: 'Protocol=TLSv1' },
  { name: 'TLSv1.2', means: 'Protocol=TLSv1.2' },
  { name: 'EXP', means: 'Export=yes' },
  { name: 'EXPORT', means: 'Export=yes' },
  { name: 'EXPORT40', means: 'Strength=EXPORT40' },
  { name: 'EXPORT56', means: 'Strength=EXPORT56' },
  { name: 'LOW', means: 'Strength=LOW' },
  { name: 'MEDIUM', means: 'Strength=MEDIUM' },
  { name: 'HIGH', means: 'Strength=HIGH' },
  { name: 'FIPS', means: 'Enc=!None Strength=FIPS' },
  // Names of before 1.1.0, for suites that only a build with weak ciphers has since then.
  {
    name: 'EDH-DSS-DES-CBC3-SHA',
    means: 'Kx=DH Au=DSS Enc=3DES Mac=SHA1 Strength=MEDIUM,FIPS',
    since: '1.1.0',
  },
  {
    name: 'EDH-RSA-DES-CBC3-SHA',
    means: 'Kx=DH Au=RSA Enc=3DES Mac=SHA1 Strength=MEDIUM,FIPS',
    since: '1.1.0',
  },
];

/** Aliases that stand for a strength: what they contain is asked. */
const CLASSES = ['EXPORT40', 'EXPORT56', 'LOW', 'MEDIUM', 'HIGH', 'FIPS'];

/**
 * Strength bits where they are not the bits of the cipher (ssl/s3_lib.c; SSL_CIPHER_get_bits): what
 * @STRENGTH sorts by and a security level asks for.
 */
const STRENGTH_BITS: readonly { readonly enc: string; readonly bits: number; readonly since?: Release }[] = [
  // Three keys of 56 bits, of which meeting in the middle spares one.
  // Between 1.0.1e, which counts 168, and 1.0.1u it came; 1.0.2 has it.
  { enc: '3DES', bits: 112, since: '1.0.1s' },
  // CHANGES of 3.2: rated as security level 0, for the short tag.
  { enc: 'AESCCM8', bits: 64, since: '3.2' },
];

/** What DEFAULT stands for (ssl.h: SSL_DEFAULT_CIPHER_LIST; since 3.0 OSSL_default_cipher_list()). */
const DEFAULTS: readonly { readonly since: Release; readonly text: string }[] = [
  { since: '1.0.1', text: 'ALL:!aNULL:!eNULL:!SSLv2' },
  { since: '1.0.1s', text: 'ALL:!EXPORT:!LOW:!aNULL:!eNULL:!SSLv2' },
  { since: '1.0.2', text: 'ALL:!EXPORT:!aNULL:!eNULL:!SSLv2' },
  { since: '1.0.2g', text: 'ALL:!EXPORT:!LOW:!aNULL:!eNULL:!SSLv2' },
  { since: '1.1.0', text: 'ALL:!COMPLEMENTOFDEFAULT:!eNULL' },
];

/** TLSv1.3 suites that are not on by default. */
const TLS13_ON_REQUEST = [
  'TLS_AES_128_CCM_SHA256',
  'TLS_AES_128_CCM_8_SHA256',
  'TLS_SHA256_SHA256',
  'TLS_SHA384_SHA384',
];

/**
 * Names that no program asked here knows, and that some release or build of OpenSSL did or does (ciphers(1) of
 * 0.9.8 to 3.6; ssl_ciph.c), with the releases: FORTEZZA, Kerberos, GOST (with its engine), names for DTLS, and
 * suites of which a build without weak ciphers knows nothing.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'FZA kFZA aFZA eFZA': '0.9.8',
  'EXP1024-DES-CBC-SHA EXP1024-RC4-SHA EXP1024-DHE-DSS-DES-CBC-SHA EXP1024-DHE-DSS-RC4-SHA': '0.9.8',
  'EXP1024-RC4-MD5 EXP1024-RC2-CBC-MD5': '0.9.8',
  'KRB5 kKRB5 aKRB5': '1.0.1 1.0.2',
  'KRB5-DES-CBC-SHA KRB5-DES-CBC3-SHA KRB5-RC4-SHA KRB5-IDEA-CBC-SHA': '1.0.1 1.0.2',
  'KRB5-DES-CBC-MD5 KRB5-DES-CBC3-MD5 KRB5-RC4-MD5 KRB5-IDEA-CBC-MD5': '1.0.1 1.0.2',
  'EXP-KRB5-DES-CBC-SHA EXP-KRB5-RC2-CBC-SHA EXP-KRB5-RC4-SHA': '1.0.1 1.0.2',
  'EXP-KRB5-DES-CBC-MD5 EXP-KRB5-RC2-CBC-MD5 EXP-KRB5-RC4-MD5': '1.0.1 1.0.2',
  'aGOST94 GOST94-GOST89-GOST89 GOST94-NULL-GOST94': '1.0.1 1.0.2',
  'kGOST aGOST aGOST01 GOST GOST94 GOST89MAC': '1.0.1 1.0.2 1.1.0 1.1.1 3.0 3.5 3.6',
  'GOST2001-GOST89-GOST89 GOST2001-NULL-GOST94': '1.0.1 1.0.2 1.1.0 1.1.1 3.0 3.5 3.6',
  'aGOST12 GOST12 GOST2012-GOST8912-GOST8912 GOST2012-NULL-GOST12': '1.1.0 1.1.1 3.0 3.5 3.6',
  'kGOST18 GOST2012 IANA-GOST2012-GOST8912-GOST8912': '3.0 3.5 3.6',
  'GOST2012-MAGMA-MAGMAOMAC GOST2012-KUZNYECHIK-KUZNYECHIKOMAC': '3.0 3.5 3.6',
  'DTLSv1 DTLSv1.0 DTLSv1.2': '1.1.0',
};

/**
 * A release that no program stands for, and that CHANGES tells from one that was asked: 3.2 brought the names of
 * IANA and the low rating of CCM8, 3.4 the two TLSv1.3 suites without encryption.
 */
const DERIVED: readonly {
  readonly release: Release;
  readonly from: Release;
  readonly lacks: readonly string[];
}[] = [{ release: '3.2', from: '3.5', lacks: ['C0B4', 'C0B5'] }];

/** One OpenSSL program. */
interface Program {
  readonly release: Release;
  readonly ask: (...args: string[]) => string | null;
}

/** A suite as a program prints it. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly iana: string;
  readonly protocol: string;
  readonly kx: string;
  readonly au: string;
  readonly enc: string;
  readonly bits: number;
  readonly mac: string;
  readonly isExport: boolean;
}

function program(release: Release, command: string): Program {
  const [file = '', ...before] = command.split(' ');
  return {
    release,
    ask: (...args) => {
      const { status, stdout, error } = spawnSync(file, [...before, 'ciphers', ...args], {
        encoding: 'utf8',
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
      });
      if (error) throw error;
      return status === 0 ? stdout.trimEnd() : null;
    },
  };
}

/** A line of `ciphers -V -stdname`: `0xC0,0x30 - IANA - NAME PROTOCOL Kx=… Au=… Enc=…(BITS) Mac=…`. */
function readRow(line: string): Row {
  const [bytes = '', , ...words] = line.trim().split(/\s+/);
  const id = bytes.replaceAll(/0x|,/g, '');
  // Programs of before 1.1.1 do not print the name of IANA and the dash behind it.
  const [iana = '', name = '', protocol = '', ...rest] =
    words[1] === '-' ? words.toSpliced(1, 1) : ['', ...words];
  const column = (key: string): string => {
    const found = rest.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
    if (found === undefined) throw new Error(`no ${key}= in ${line}`);
    return found;
  };
  const [, enc = '', bits = '0'] = /^(.*?)(?:\((\d+)\))?$/.exec(column('Enc')) ?? [];
  return {
    id,
    name,
    iana,
    protocol: protocol === 'TLSv1.0' ? 'TLSv1' : protocol,
    // Export suites show the bits of their short keys there.
    kx: column('Kx').replace(/\(\d+\)$/, ''),
    au: column('Au'),
    enc,
    bits: Number(bits),
    mac: column('Mac'),
    isExport: rest.at(-1) === 'export',
  };
}

/**
 * Names in the registry of IANA of the suites that no program with `-stdname` has; those of SSLv2 are from its
 * specification, which has three bytes for a suite.
 */
const IANA_NAMES: Readonly<Record<string, string>> = {
  '0003': 'TLS_RSA_EXPORT_WITH_RC4_40_MD5',
  '0004': 'TLS_RSA_WITH_RC4_128_MD5',
  '0005': 'TLS_RSA_WITH_RC4_128_SHA',
  '0006': 'TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5',
  '0007': 'TLS_RSA_WITH_IDEA_CBC_SHA',
  '0008': 'TLS_RSA_EXPORT_WITH_DES40_CBC_SHA',
  '0009': 'TLS_RSA_WITH_DES_CBC_SHA',
  '000A': 'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
  '000C': 'TLS_DH_DSS_WITH_DES_CBC_SHA',
  '000D': 'TLS_DH_DSS_WITH_3DES_EDE_CBC_SHA',
  '000F': 'TLS_DH_RSA_WITH_DES_CBC_SHA',
  '0010': 'TLS_DH_RSA_WITH_3DES_EDE_CBC_SHA',
  '0011': 'TLS_DHE_DSS_EXPORT_WITH_DES40_CBC_SHA',
  '0012': 'TLS_DHE_DSS_WITH_DES_CBC_SHA',
  '0013': 'TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA',
  '0014': 'TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA',
  '0015': 'TLS_DHE_RSA_WITH_DES_CBC_SHA',
  '0016': 'TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA',
  '0017': 'TLS_DH_anon_EXPORT_WITH_RC4_40_MD5',
  '0018': 'TLS_DH_anon_WITH_RC4_128_MD5',
  '0019': 'TLS_DH_anon_EXPORT_WITH_DES40_CBC_SHA',
  '001A': 'TLS_DH_anon_WITH_DES_CBC_SHA',
  '001B': 'TLS_DH_anon_WITH_3DES_EDE_CBC_SHA',
  '0030': 'TLS_DH_DSS_WITH_AES_128_CBC_SHA',
  '0031': 'TLS_DH_RSA_WITH_AES_128_CBC_SHA',
  '0036': 'TLS_DH_DSS_WITH_AES_256_CBC_SHA',
  '0037': 'TLS_DH_RSA_WITH_AES_256_CBC_SHA',
  '003E': 'TLS_DH_DSS_WITH_AES_128_CBC_SHA256',
  '003F': 'TLS_DH_RSA_WITH_AES_128_CBC_SHA256',
  '0042': 'TLS_DH_DSS_WITH_CAMELLIA_128_CBC_SHA',
  '0043': 'TLS_DH_RSA_WITH_CAMELLIA_128_CBC_SHA',
  '0068': 'TLS_DH_DSS_WITH_AES_256_CBC_SHA256',
  '0069': 'TLS_DH_RSA_WITH_AES_256_CBC_SHA256',
  '0085': 'TLS_DH_DSS_WITH_CAMELLIA_256_CBC_SHA',
  '0086': 'TLS_DH_RSA_WITH_CAMELLIA_256_CBC_SHA',
  '008A': 'TLS_PSK_WITH_RC4_128_SHA',
  '008B': 'TLS_PSK_WITH_3DES_EDE_CBC_SHA',
  '0097': 'TLS_DH_DSS_WITH_SEED_CBC_SHA',
  '0098': 'TLS_DH_RSA_WITH_SEED_CBC_SHA',
  '00A0': 'TLS_DH_RSA_WITH_AES_128_GCM_SHA256',
  '00A1': 'TLS_DH_RSA_WITH_AES_256_GCM_SHA384',
  '00A4': 'TLS_DH_DSS_WITH_AES_128_GCM_SHA256',
  '00A5': 'TLS_DH_DSS_WITH_AES_256_GCM_SHA384',
  C001: 'TLS_ECDH_ECDSA_WITH_NULL_SHA',
  C002: 'TLS_ECDH_ECDSA_WITH_RC4_128_SHA',
  C003: 'TLS_ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA',
  C004: 'TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA',
  C005: 'TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA',
  C007: 'TLS_ECDHE_ECDSA_WITH_RC4_128_SHA',
  C008: 'TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA',
  C00B: 'TLS_ECDH_RSA_WITH_NULL_SHA',
  C00C: 'TLS_ECDH_RSA_WITH_RC4_128_SHA',
  C00D: 'TLS_ECDH_RSA_WITH_3DES_EDE_CBC_SHA',
  C00E: 'TLS_ECDH_RSA_WITH_AES_128_CBC_SHA',
  C00F: 'TLS_ECDH_RSA_WITH_AES_256_CBC_SHA',
  C011: 'TLS_ECDHE_RSA_WITH_RC4_128_SHA',
  C012: 'TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA',
  C016: 'TLS_ECDH_anon_WITH_RC4_128_SHA',
  C017: 'TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA',
  C01A: 'TLS_SRP_SHA_WITH_3DES_EDE_CBC_SHA',
  C01B: 'TLS_SRP_SHA_RSA_WITH_3DES_EDE_CBC_SHA',
  C01C: 'TLS_SRP_SHA_DSS_WITH_3DES_EDE_CBC_SHA',
  C025: 'TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256',
  C026: 'TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384',
  C029: 'TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256',
  C02A: 'TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384',
  C02D: 'TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256',
  C02E: 'TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384',
  C031: 'TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256',
  C032: 'TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384',
  '010080': 'SSL_CK_RC4_128_WITH_MD5',
  '020080': 'SSL_CK_RC4_128_EXPORT40_WITH_MD5',
  '030080': 'SSL_CK_RC2_128_CBC_WITH_MD5',
  '040080': 'SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5',
  '050080': 'SSL_CK_IDEA_128_CBC_WITH_MD5',
  '060040': 'SSL_CK_DES_64_CBC_WITH_MD5',
  '0700C0': 'SSL_CK_DES_192_EDE3_CBC_WITH_MD5',
};

/** The suites of a cipher string, TLSv1.3 first; none where the program refuses it. */
function rows({ ask }: Program, text: string, ...options: string[]): Row[] {
  const answer = ask('-V', '-stdname', ...options, '--', text);
  return answer === null ? [] : answer.split('\n').map(readRow);
}

/** The ids of a cipher string, TLSv1.2 and older. */
function idsOf(from: Program, text: string): string[] {
  return rows(from, text)
    .filter((row) => !isTls13(row))
    .map(({ id }) => id);
}

function isTls13({ protocol }: Row): boolean {
  return protocol === 'TLSv1.3';
}

/** What follows a name that OpenSSL does not know is passed over, what follows a known one is read. */
function isKnown({ ask }: Program, name: string): boolean {
  return ask('--', `ALL:${name}%`) === null;
}

/** Suites in one order that keeps all chains; where they leave it open, that of the first chain, which has all. */
function mergeOrders(chains: readonly (readonly string[])[]): string[] {
  const [all = [], ...others] = chains;
  const before = new Map<string, Set<string>>(all.map((id) => [id, new Set()]));
  for (const chain of others) {
    for (const [index, id] of chain.entries()) {
      const earlier = chain[index - 1];
      if (earlier !== undefined) before.get(id)?.add(earlier);
    }
  }
  const order = new Set<string>();
  while (order.size < all.length) {
    const next = all.find((id) => !order.has(id) && [...(before.get(id) ?? [])].every((b) => order.has(b)));
    if (next === undefined) throw new Error('the orders of the aliases contradict each other');
    order.add(next);
  }
  return [...order];
}

function strengthOf({ enc, bits }: Row, release: Release): number {
  const special = STRENGTH_BITS.find(
    (entry) => entry.enc === enc && (entry.since === undefined || atLeast(release, entry.since)),
  );
  return special?.bits ?? bits;
}

/** The names of IANA by id: what the programs say, and where none does, what stands above. */
function ianaNames(programs: readonly Program[]): ReadonlyMap<string, string> {
  const printed = programs
    .flatMap((one) => [...rows(one, 'ALL:COMPLEMENTOFALL'), ...unusualTls13(one)])
    .filter(({ iana }) => iana !== '')
    .map(({ id, iana }) => [id, iana] as const);
  return new Map([...Object.entries(IANA_NAMES), ...printed]);
}

/** The TLSv1.3 suites that a program has when it is asked for them. */
function unusualTls13(from: Program): Row[] {
  return TLS13_ON_REQUEST.flatMap((name) =>
    rows(from, 'AES128-SHA', '-ciphersuites', name).filter((row) => row.name === name),
  );
}

/** What one program tells: the release, its suites as lines of the table by id, and the aliases that it knows. */
interface Measured {
  readonly data: ReleaseData;
  readonly suites: ReadonlyMap<string, string>;
  readonly aliases: ReadonlySet<string>;
}

function measure(from: Program, names: ReadonlyMap<string, string>): Measured {
  const { release } = from;
  const everything = rows(from, 'ALL:COMPLEMENTOFALL');
  const old = everything.filter((row) => !isTls13(row));
  const usual = everything.filter(isTls13);
  const unusual = usual.length === 0 ? [] : unusualTls13(from);
  const known = ALIASES.filter(
    ({ name, since, before }) =>
      (since === undefined || atLeast(release, since)) &&
      (before === undefined || !atLeast(release, before)) &&
      isKnown(from, name),
  );
  const members = new Map(known.map(({ name }) => [name, idsOf(from, name)]));
  const order = mergeOrders([old.map(({ id }) => id), ...members.values()]);
  const notDefault = known.some(({ means }) => means === 'Default=no')
    ? members.get('COMPLEMENTOFDEFAULT')
    : undefined;
  const suites = new Map<string, string>();
  for (const row of [...old, ...usual, ...unusual]) {
    const { id, name, protocol, kx, au, enc, bits, mac } = row;
    const iana = names.get(id);
    if (iana === undefined) throw new Error(`${release}: ${id} ${name} has no name of IANA`);
    const marks = CLASSES.filter((alias) => members.get(alias)?.includes(id));
    if (row.isExport) marks.push('export');
    if (notDefault?.includes(id)) marks.push('not-default');
    const strength = strengthOf(row, release);
    suites.set(id, [id, name, iana, protocol, kx, au, enc, bits, mac, strength, marks.join(',')].join(' '));
  }
  const data: ReleaseData = {
    release,
    order: order.join(' '),
    tls13: usual.map(({ id }) => id).join(' '),
    tls13OnRequest: unusual.map(({ id }) => id).join(' '),
    default: DEFAULTS.findLast(({ since }) => atLeast(release, since))?.text ?? '',
    iana: isKnown(from, 'TLS_RSA_WITH_AES_128_CBC_SHA'),
    securityLevels: from.ask('--', 'ALL:@SECLEVEL=1') !== null,
    suiteB: suiteB(from),
    // All but NULL-SHA256 is gone, which then cannot be added.
    loneSuiteStays: from.ask('--', '!SHA1:!SHA384:!ALL:!MD5:!PSK:eNULL') === null,
    strengthOverwrites: idsOf(from, 'COMPLEMENTOFDEFAULT+HIGH').join() === idsOf(from, 'HIGH').join(),
  };
  check(release, '@STRENGTH', idsOf(from, 'ALL:COMPLEMENTOFALL:@STRENGTH'), strengthOrder(old, release));
  check(release, 'DEFAULT', idsOf(from, 'DEFAULT'), idsOf(from, data.default));
  return { data, suites, aliases: new Set(known.map(({ name }) => name)) };
}

function suiteB({ ask }: Program): ReleaseData['suiteB'] {
  const alone = ask('--', 'SUITEB128');
  if (alone === null) return 'no';
  return ask('--', 'SUITEB128:ALL') === alone ? 'beginning' : 'whole';
}

/** Sorting keeps the order of equals. */
function strengthOrder(suites: readonly Row[], release: Release): string[] {
  return [...suites].sort((a, b) => strengthOf(b, release) - strengthOf(a, release)).map(({ id }) => id);
}

function check(release: Release, what: string, real: readonly string[], expected: readonly string[]): void {
  if (real.join(' ') !== expected.join(' '))
    throw new Error(`${release}: ${what} is ${real.join(' ')}, not ${expected.join(' ')}`);
}

/** The releases that are derived from a measured one. */
function derived({ data, suites, aliases }: Measured): Measured[] {
  return DERIVED.filter(({ from }) => from === data.release).map(({ release, lacks }) => {
    const without = (ids: string): string =>
      ids
        .split(' ')
        .filter((id) => !lacks.includes(id))
        .join(' ');
    return {
      data: { ...data, release, order: without(data.order), tls13OnRequest: without(data.tls13OnRequest) },
      suites: new Map([...suites].filter(([id]) => !lacks.includes(id))),
      aliases,
    };
  });
}

/** Lines of the suites with the release that each holds from: a new one where it differs from the release before. */
function suiteLines(releases: readonly Measured[]): string[] {
  const latest = new Map<string, string>();
  const lines: string[] = [];
  for (const { data, suites } of releases) {
    for (const [id, line] of suites) {
      if (latest.get(id) === line) continue;
      lines.push(`${line} ${latest.has(id) ? data.release : '*'}`);
      latest.set(id, line);
    }
  }
  // The lines of one id stay in the order of their releases.
  return lines.sort((a, b) => Number.parseInt(a, 16) - Number.parseInt(b, 16));
}

/** Lines of the aliases: name, meaning, and the releases of the table that know it. */
function aliasLines(releases: readonly Measured[]): string[] {
  return ALIASES.flatMap(({ name, means, since, before }) => {
    const knowing = releases
      .filter(
        ({ data: { release }, aliases }) =>
          (since === undefined || atLeast(release, since)) &&
          (before === undefined || !atLeast(release, before)) &&
          aliases.has(name),
      )
      .map(({ data }) => data.release);
    if (knowing.length === 0) return [];
    return [`${name} ${knowing.length === releases.length ? '*' : knowing.join(',')} ${means}`];
  });
}

/** `NAME RELEASES` of the names that no program asked here knows in a release. */
function elsewhereLines(releases: readonly Measured[]): string[] {
  const known = new Set(
    releases.flatMap(({ suites, aliases }) => [
      ...aliases,
      ...Array.from(suites.values(), (line) => line.split(' ')[1] ?? ''),
    ]),
  );
  return Object.entries(ELSEWHERE).flatMap(([names, where]) =>
    names
      .split(' ')
      .filter((name) => !known.has(name))
      .map((name) => `${name} ${where.replaceAll(' ', ',')}`),
  );
}

const pairs = process.argv.slice(2).map((word) => /^([^=]+)=(.+)$/.exec(word) ?? []);
if (pairs.length === 0 || pairs.some(({ length }) => length === 0)) {
  console.error('usage: node esbuild.mjs run src/build/cipher-tables.ts RELEASE=COMMAND…');
  process.exit(2);
}
const programs = pairs
  .map(([, release = '', command = '']) => program(release, command))
  .sort((a, b) => compareReleases(a.release, b.release));
const names = ianaNames(programs);
const asked = programs.map((one) => measure(one, names));
const measured = [...asked, ...asked.flatMap(derived)].sort((a, b) =>
  compareReleases(a.data.release, b.data.release),
);
const table: CipherData = {
  suites: suiteLines(measured),
  aliases: aliasLines(measured),
  elsewhere: elsewhereLines(measured),
  releases: measured.map(({ data }) => data),
};
const target = path.join('src', 'tls', 'data', 'ciphers.json');
await fs.writeFile(target, `${JSON.stringify(table, null, 2)}\n`);
console.log(
  `${target}: ${table.suites.length} suites, ${table.aliases.length} aliases, ${measured.length} releases`,
);
