import type { SourceFile } from '../text/source.ts';
import type { Certificate } from '../tls/certificate.ts';
import { isPair } from '../tls/chain.ts';
import type { PrivateKey } from '../tls/key.ts';
import { pemOf } from '../tls/pem.ts';
import type { DovecotEffective } from './effective.ts';

/**
 * The files that TLS of a server needs, as Dovecot loads them: certificate, key, Diffie-Hellman parameters.
 * Sources: iostream-openssl-context.c of 2.3 and 2.4; measured with 2.3.13, 2.3.19.1, 2.4.1 and 2.4.5. What
 * keys hold of a secret is neither kept nor shown.
 */

/** Reads a file by its path; null where it is not there, or not to be read from here. */
export type FileReader = (path: string) => SourceFile | null;

/** Why a file is of no use. */
export type TlsFileFault =
  /** Nothing is set. */
  | 'unset'
  /** 2.2, 2.3: a path without `<` before it is taken for the content itself. */
  | 'path-as-content'
  /** 2.4: `<` before the path: the content is taken for a path, and the server stops and prints it. */
  | 'content-as-path'
  /** It holds no block that is wanted, or one that cannot be read. */
  | 'no-content'
  /** The key is encrypted, and no password is set. */
  | 'encrypted-key'
  /** The key belongs to another certificate. */
  | 'mismatch';

/** A certificate with its key. */
export interface ServerCertificate {
  readonly from: DovecotEffective;
  readonly keyFrom: DovecotEffective;
  /** The server's own first; empty where the file cannot be read from here. */
  readonly chain: readonly Certificate[];
  /** Null where it cannot be read from here. */
  readonly key: PrivateKey | null;
  readonly fault: { readonly kind: TlsFileFault; readonly in: DovecotEffective } | null;
}

/** Reads one pair of settings. */
export function serverCertificate(
  from: DovecotEffective,
  keyFrom: DovecotEffective,
  { open, hasPassword }: { readonly open: FileReader; readonly hasPassword: boolean },
): ServerCertificate {
  const fault = formFault(from) ?? formFault(keyFrom);
  if (fault !== null) return { from, keyFrom, chain: [], key: null, fault };
  const source = sourceOf(from, open);
  const keySource = sourceOf(keyFrom, open);
  const blocks = source === null ? [] : pemOf(source).blocks;
  const chain = blocks.flatMap((block) => (block.kind === 'certificate' ? [block.certificate] : []));
  const key = keySource === null ? null : (pemOf(keySource).keys[0] ?? null);
  const [leaf] = chain;
  const wrong = (kind: TlsFileFault, effective: DovecotEffective): ServerCertificate => ({
    from,
    keyFrom,
    chain,
    key,
    fault: { kind, in: effective },
  });
  if (source !== null && leaf === undefined) return wrong('no-content', from);
  if (keySource !== null && key === null) return wrong('no-content', keyFrom);
  if (key?.encrypted && !hasPassword) return wrong('encrypted-key', keyFrom);
  if (leaf !== undefined && key !== null && isPair(leaf, key) === false) return wrong('mismatch', keyFrom);
  return { from, keyFrom, chain, key, fault: null };
}

/** What is to be seen of the value alone: that nothing is set, or `<` is missing or too many. */
export function formFault(effective: DovecotEffective): ServerCertificate['fault'] {
  const { value, setting, assignment } = effective;
  if (value === '') return { kind: 'unset', in: effective };
  const isFile = assignment?.form === 'file';
  // 2.2, 2.3: of a setting that is read from a file, `$name` is the content.
  const refers = assignment?.form === 'variables' && value.startsWith('<');
  if (setting?.type === 'file') return isFile ? { kind: 'content-as-path', in: effective } : null;
  return isFile || refers ? null : { kind: 'path-as-content', in: effective };
}

function sourceOf({ path }: DovecotEffective, open: FileReader): SourceFile | null {
  return path === null ? null : open(path);
}

/** Diffie-Hellman parameters of a server. */
export interface ServerDh {
  /** Bits of the group; `unknown`: set, but not to be read from here; null: there are none. */
  readonly bits: number | 'unknown' | null;
  readonly fault: TlsFileFault | null;
}

/** Reads the setting with the parameters. */
export function serverDh(effective: DovecotEffective, open: FileReader): ServerDh {
  const form = formFault(effective);
  if (form?.kind === 'unset') return { bits: null, fault: null };
  if (form !== null) return { bits: null, fault: form.kind };
  const source = sourceOf(effective, open);
  if (source === null) return { bits: 'unknown', fault: null };
  // An empty file is like none.
  if (source.text === '') return { bits: null, fault: null };
  const block = pemOf(source).blocks.find(({ kind }) => kind === 'dh-parameters');
  if (block?.kind !== 'dh-parameters') return { bits: null, fault: 'no-content' };
  return { bits: block.parameters.bits, fault: null };
}
