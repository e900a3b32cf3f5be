import type { Certificate, KeyType } from '../tls/certificate.ts';
import { isPair } from '../tls/chain.ts';
import type { PrivateKey } from '../tls/key.ts';
import { type PemBlock, pemOf } from '../tls/pem.ts';
import type { TlsFamily } from './cipher-settings.ts';
import { type Effective, listWords, type PostfixConfiguration } from './configuration.ts';
import type { Service } from './services.ts';

/**
 * Which certificates a service shows, read as Postfix loads them: tls_certkey.c, smtpd.c and smtp.c of 3.4
 * to 3.11; held against running servers of 3.5 to 3.11. One that cannot be loaded takes TLS away as a whole:
 * a server announces STARTTLS and answers it with 454, a client sends without TLS or, where TLS is required,
 * not at all.
 */

/** Why Postfix cannot load a certificate. */
export type CertificateFault =
  /**
   * The file is not there, or not to be read from here. One of `chain_files` that the server cannot open
   * does not switch TLS off: it goes on without any certificate, and only an anonymous handshake succeeds.
   */
  | 'absent'
  /** The file holds no block that is wanted of it. */
  | 'no-certificate'
  | 'no-key'
  /** A block that OpenSSL cannot read. */
  | 'broken'
  /** Nobody is there to give the pass phrase. */
  | 'encrypted-key'
  /** The key belongs to another certificate. */
  | 'mismatch'
  /** In `chain_files` each key stands before its certificates. */
  | 'key-not-first'
  | 'key-without-certificate'
  /** `chain_files` hold two chains with keys of one type. */
  | 'same-type';

/** A certificate with its key as the settings name them. */
export interface LoadedCertificate {
  /** The setting that names the file of the certificate. */
  readonly from: Effective;
  /** The setting that names the file of the key. */
  readonly keyFrom: Effective;
  /** Absolute. Where no certificate follows a key: that of the key. */
  readonly path: string;
  readonly keyPath: string;
  /** The server's own first; empty where it cannot be read. */
  readonly chain: readonly Certificate[];
  /** Null where it cannot be read. */
  readonly key: PrivateKey | null;
  readonly fault: {
    readonly kind: CertificateFault;
    /** The file in which it lies. */
    readonly path: string;
    /** The line of the block, from 1; null where it is none. */
    readonly line: number | null;
  } | null;
}

/** What a service has for certificates. */
export interface ServiceCertificates {
  /** `none`: the service does without on purpose, with anonymous suites. */
  readonly anonymous: boolean;
  /** In the order in which they are loaded; a later one of the same key type replaces an earlier. */
  readonly certificates: readonly LoadedCertificate[];
  /** Settings that somebody wrote and that have no effect because `chain_files` is set. */
  readonly shadowed: readonly Effective[];
}

/** Settings of a certificate each, in the order in which Postfix loads them. The names are no more than that: a key of any type may stand in any. */
const PAIRS = [
  ['cert_file', 'key_file'],
  ['dcert_file', 'dkey_file'],
  ['eccert_file', 'eckey_file'],
] as const;

/** The certificates of a service. Files are looked for through `configuration.open`. */
export function serviceCertificates(
  configuration: PostfixConfiguration,
  service: Service,
  family: TlsFamily,
): ServiceCertificates {
  const get = (name: string): Effective => configuration.get(`${family}_tls_${name}`, service);
  const known = (name: string): boolean => configuration.parameter(`${family}_tls_${name}`) !== null;
  const isServer = family === 'smtpd' || family === 'tlsproxy';
  const isNone = (setting: Effective): boolean =>
    isServer && setting.name.endsWith('_tls_cert_file') && setting.value.toLowerCase() === 'none';
  const pairs = PAIRS.filter(([name]) => known(name)).map(([name, key]) => ({
    from: get(name),
    keyFrom: get(key),
  }));
  const set = pairs.filter(({ from }) => from.value !== '' && !isNone(from));
  const anonymous = pairs.some(({ from }) => isNone(from));
  const chainFiles = known('chain_files') ? get('chain_files') : null;
  const loader = new Loader(configuration, service, chainFiles !== null);
  if (chainFiles !== null && chainFiles.value !== '') {
    return {
      anonymous,
      certificates: loader.chains(chainFiles),
      shadowed: pairs
        .flatMap(({ from, keyFrom }) => [from, keyFrom])
        .filter(({ setting }) => setting !== null),
    };
  }
  return {
    anonymous,
    certificates: set.map(({ from, keyFrom }) => loader.pair(from, keyFrom)),
    shadowed: [],
  };
}

/** Key types that a service can show a certificate of. */
export interface ServiceKeyTypes {
  readonly types: readonly KeyType[];
  /** False: a file could not be read, and there may be more. */
  readonly complete: boolean;
}

/** The key types of the certificates that were read, each once. */
export function keyTypes({ certificates }: ServiceCertificates): ServiceKeyTypes {
  const types = certificates.flatMap(({ chain: [leaf] }) =>
    leaf === undefined || leaf.key.type === null ? [] : [leaf.key.type],
  );
  return { types: [...new Set(types)], complete: certificates.every(({ chain }) => chain.length > 0) };
}

type Fault = NonNullable<LoadedCertificate['fault']>;

/** Blocks of one file, or what keeps them from being read. */
interface ReadFile {
  readonly path: string;
  readonly blocks: readonly PemBlock[];
  readonly absent: boolean;
}

class Loader {
  readonly #configuration: PostfixConfiguration;
  readonly #service: Service;
  /** Releases with `chain_files` read a file with certificate and key in one pass of their own. */
  readonly #mixed: boolean;

  constructor(configuration: PostfixConfiguration, service: Service, mixed: boolean) {
    this.#configuration = configuration;
    this.#service = service;
    this.#mixed = mixed;
  }

  /** The daemons work in the queue directory: other paths begin there. */
  #absolute(path: string): string {
    return path.startsWith('/')
      ? path
      : `${this.#configuration.value('queue_directory', this.#service)}/${path}`;
  }

  #read(path: string): ReadFile {
    const source = this.#configuration.open(path);
    return { path, blocks: source === null ? [] : pemOf(source).blocks, absent: source === null };
  }

  /** `set_cert_stuff` */
  pair(from: Effective, keyFrom: Effective): LoadedCertificate {
    const path = this.#absolute(from.value);
    const keyPath = this.#absolute(keyFrom.value);
    const file = this.#read(path);
    const mixed = this.#mixed && path === keyPath;
    const { chain, fault: chainFault } = chainIn(file, mixed);
    const { key, fault: keyFault } = keyIn(this.#read(keyPath));
    const [leaf] = chain;
    const mismatch: Fault | null =
      leaf !== undefined && key !== null && isPair(leaf, key) === false
        ? { kind: 'mismatch', path: keyPath, line: null }
        : null;
    return { from, keyFrom, path, keyPath, chain, key, fault: chainFault ?? keyFault ?? mismatch };
  }

  /** `load_chain_files` */
  chains(from: Effective): readonly LoadedCertificate[] {
    const files = listWords(from.value).map((path) => this.#read(this.#absolute(path)));
    const loaded: LoadedCertificate[] = [];
    let open: {
      key: PrivateKey;
      keyPath: string;
      keyLine: number;
      path: string;
      chain: Certificate[];
    } | null = null;
    const rest = { from, keyFrom: from };
    const fail = (
      kind: CertificateFault,
      path: string,
      line: number | null,
    ): readonly LoadedCertificate[] => {
      const fault: Fault = { kind, path, line };
      loaded.push({ ...rest, path, keyPath: path, chain: open?.chain ?? [], key: open?.key ?? null, fault });
      return loaded;
    };
    /** A chain is complete when the next key or the end of all files comes. */
    const close = (): boolean => {
      if (open === null) return true;
      const { key, keyPath, keyLine, path, chain } = open;
      const [leaf] = chain;
      const fault = (kind: CertificateFault): Fault => ({ kind, path: keyPath, line: keyLine });
      const failed =
        leaf === undefined
          ? fault('key-without-certificate')
          : isPair(leaf, key) === false
            ? fault('mismatch')
            : loaded.some((other) => other.chain[0]?.key.type === leaf.key.type)
              ? fault('same-type')
              : null;
      loaded.push({ ...rest, path, keyPath, chain, key, fault: failed });
      open = null;
      return failed === null;
    };
    for (const { path, blocks, absent } of files) {
      if (absent) return fail('absent', path, null);
      for (const block of blocks) {
        if (isRefused(block, () => true)) return fail('broken', path, block.line);
        if (block.kind === 'key') {
          if (!close()) return loaded;
          if (block.key.encrypted) return fail('encrypted-key', path, block.line);
          open = { key: block.key, keyPath: path, keyLine: block.line, path, chain: [] };
        } else if (block.kind === 'certificate' && block.label !== TRUSTED) {
          if (open === null) return fail('key-not-first', path, block.line);
          if (open.chain.length === 0) open.path = path;
          open.chain.push(block.certificate);
        }
      }
    }
    if (open === null) return fail('no-key', files[0]?.path ?? from.value, null);
    close();
    return loaded;
  }
}

/** OpenSSL's own kind of certificate, which Postfix's own reader of chains does not know. */
const TRUSTED = 'TRUSTED CERTIFICATE';

/** Whether reading stops at a block: at broken base64 of any, at broken content of those that are wanted. */
function isRefused(block: PemBlock, wanted: (label: string) => boolean): boolean {
  return block.kind === 'broken' && (block.problem !== 'bad-content' || wanted(block.label));
}

/** The chain of a file that begins with its first certificate (SSL_CTX_use_certificate_chain_file). */
function chainIn(
  { path, blocks, absent }: ReadFile,
  mixed: boolean,
): { readonly chain: readonly Certificate[]; readonly fault: Fault | null } {
  if (absent) return { chain: [], fault: { kind: 'absent', path, line: null } };
  const chain: Certificate[] = [];
  for (const block of blocks) {
    if (isRefused(block, (label) => label.endsWith('CERTIFICATE')))
      return { chain, fault: { kind: 'broken', path, line: block.line } };
    // Only the first certificate may be of OpenSSL's own kind.
    if (block.kind === 'certificate' && (block.label !== TRUSTED || (chain.length === 0 && !mixed)))
      chain.push(block.certificate);
  }
  return { chain, fault: chain.length === 0 ? { kind: 'no-certificate', path, line: null } : null };
}

/** The first key of a file (SSL_CTX_use_PrivateKey_file). */
function keyIn({ path, blocks, absent }: ReadFile): {
  readonly key: PrivateKey | null;
  readonly fault: Fault | null;
} {
  if (absent) return { key: null, fault: { kind: 'absent', path, line: null } };
  for (const block of blocks) {
    if (isRefused(block, (label) => label.endsWith('PRIVATE KEY')))
      return { key: null, fault: { kind: 'broken', path, line: block.line } };
    if (block.kind !== 'key') continue;
    const fault: Fault | null = block.key.encrypted
      ? { kind: 'encrypted-key', path, line: block.line }
      : null;
    return { key: block.key, fault };
  }
  return { key: null, fault: { kind: 'no-key', path, line: null } };
}
