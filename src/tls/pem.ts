import { oncePerSource } from '../text/source.ts';
import { decodeBase64 } from './base64.ts';
import { type Certificate, readCertificate, readTrustedCertificate } from './certificate.ts';
import { DerError } from './der.ts';
import { type DhParameters, isDhLabel, readDhParameters } from './dh-parameters.ts';
import { encryptedKey, isKeyLabel, type PrivateKey, readPrivateKey } from './key.ts';

/**
 * Files in PEM (RFC 7468; OpenSSL's pem_lib.c) that hold certificates, keys and parameters. Text around the
 * blocks means nothing. What a block holds of a secret is not kept and is in no answer.
 */

/** What follows from the label and the bytes of a block. */
type Content =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'key'; readonly key: PrivateKey }
  | { readonly kind: 'dh-parameters'; readonly parameters: DhParameters }
  /** A revocation list. */
  | { readonly kind: 'crl' }
  /** Anything else: a request, a public key, parameters of a curve. */
  | { readonly kind: 'other' }
  /** A block that cannot be read. */
  | { readonly kind: 'broken'; readonly problem: PemProblemKind };

/** A block, in the order of the file. */
export type PemBlock = Content & {
  /** The line of its `-----BEGIN`, from 1. */
  readonly line: number;
  /** What stands after BEGIN: `RSA PRIVATE KEY`. */
  readonly label: string;
};

/** What is wrong with a file. */
export type PemProblemKind =
  /** DER, PKCS #12 or another binary form in place of PEM. */
  | 'binary'
  /** Not one block. */
  | 'no-block'
  /** `-----BEGIN` is not the first thing of its line, or the line does not end with five hyphens: not seen by OpenSSL. */
  | 'bad-begin'
  /** A byte order mark before the first block: OpenSSL before 3.0 does not see that block. */
  | 'byte-order-mark'
  /** The file or another block begins before the end. */
  | 'no-end'
  /** The end names another label. */
  | 'wrong-end'
  | 'bad-base64'
  /** The bytes are not what the label says. */
  | 'bad-content';

/** Something wrong, and where. */
export interface PemProblem {
  readonly kind: PemProblemKind;
  /** From 1. */
  readonly line: number;
  /** The label of the block concerned; null outside of blocks. */
  readonly label: string | null;
}

/** What a file holds. */
export interface PemContents {
  readonly blocks: readonly PemBlock[];
  /** Of the blocks, in order. */
  readonly certificates: readonly Certificate[];
  readonly keys: readonly PrivateKey[];
  readonly dhParameters: readonly DhParameters[];
  /** Number of revocation lists. */
  readonly crls: number;
  readonly problems: readonly PemProblem[];
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const TAIL = '-----';

/** Reads the text of a file. Never throws; takes time in proportion to the text. */
export function readPem(text: string): PemContents {
  const blocks: PemBlock[] = [];
  const problems: PemProblem[] = [];
  const lines = new Lines(text);
  if (isBinary(text)) problems.push({ kind: 'binary', line: 1, label: null });
  else {
    for (let line = lines.next(); line !== null; line = lines.next()) {
      const label = beginLabel(line, lines.number, problems);
      if (label !== null) blocks.push(readBlock(label, lines, problems));
    }
    if (blocks.length === 0 && problems.length === 0)
      problems.push({ kind: 'no-block', line: 1, label: null });
  }
  return {
    blocks,
    certificates: blocks.flatMap((block) => (block.kind === 'certificate' ? [block.certificate] : [])),
    keys: blocks.flatMap((block) => (block.kind === 'key' ? [block.key] : [])),
    dhParameters: blocks.flatMap((block) => (block.kind === 'dh-parameters' ? [block.parameters] : [])),
    crls: blocks.filter((block) => block.kind === 'crl').length,
    problems,
  };
}

/** The same for a file, which is read once however often it is asked for. */
export const pemOf = oncePerSource(({ text }): PemContents => readPem(text));

/** A DER file begins with a sequence of a length that needs bytes of its own; text never holds a NUL. */
function isBinary(text: string): boolean {
  return /^0[\x80-\x84]/.test(text) || text.slice(0, 4096).includes('\0');
}

/** Lines without what stands at their end: OpenSSL drops blanks and control characters there. */
class Lines {
  readonly #text: string;
  #at = 0;
  #lastStart = 0;
  /** Number of the line given last, from 1. */
  number = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): string | null {
    if (this.#at >= this.#text.length) return null;
    const feed = this.#text.indexOf('\n', this.#at);
    const end = feed < 0 ? this.#text.length : feed;
    let last = end;
    while (last > this.#at && this.#text.charCodeAt(last - 1) <= 0x20) last--;
    const line = this.#text.slice(this.#at, last);
    this.#lastStart = this.#at;
    this.#at = end + 1;
    this.number++;
    return line;
  }

  /** The line given last is the next one again. */
  back(): void {
    this.#at = this.#lastStart;
    this.number--;
  }
}

/** The label of a line that begins a block; notes a line that looks like one and is none. */
function beginLabel(line: string, number: number, problems: PemProblem[]): string | null {
  if (!line.includes(BEGIN)) return null;
  const bare = number === 1 && line.startsWith('\ufeff') ? line.slice(1) : line;
  if (!bare.startsWith(BEGIN) || !bare.endsWith(TAIL) || bare.length <= BEGIN.length + TAIL.length) {
    problems.push({ kind: 'bad-begin', line: number, label: null });
    return null;
  }
  const label = bare.slice(BEGIN.length, -TAIL.length);
  if (bare !== line) problems.push({ kind: 'byte-order-mark', line: number, label });
  return label;
}

/** Reads a block whose first line was taken. */
function readBlock(label: string, lines: Lines, problems: PemProblem[]): PemBlock {
  const line = lines.number;
  const broken = (kind: PemProblemKind, at: number = line): PemBlock => {
    problems.push({ kind, line: at, label });
    return { kind: 'broken', line, label, problem: kind };
  };
  const data: string[] = [];
  let encrypted = false;
  let inHeader = false;
  for (;;) {
    const next = lines.next();
    if (next === null) return broken('no-end');
    if (next.startsWith(BEGIN)) {
      lines.back();
      return broken('no-end');
    }
    if (next.startsWith(END)) {
      if (next !== `${END}${label}${TAIL}`) return broken('wrong-end', lines.number);
      break;
    }
    // RFC 1421 headers stand before the data, up to an empty line.
    if (data.length === 0 && next.includes(':')) inHeader = true;
    if (!inHeader) data.push(next);
    else if (next === '') inHeader = false;
    else if (/^Proc-Type:.*ENCRYPTED/.test(next)) encrypted = true;
  }
  const bytes = decodeBase64(data.join('').replace(/[ \t\r]+/g, ''));
  if (bytes === null) return broken('bad-base64');
  try {
    return { line, label, ...contentOf(label, bytes, encrypted) };
  } catch (error) {
    if (error instanceof DerError) return broken('bad-content');
    throw error;
  }
}

function contentOf(label: string, bytes: Uint8Array, encrypted: boolean): Content {
  if (isKeyLabel(label)) {
    const key = encrypted ? encryptedKey(label) : readPrivateKey(label, bytes);
    return { kind: 'key', key };
  }
  if (isDhLabel(label)) return { kind: 'dh-parameters', parameters: readDhParameters(bytes) };
  switch (label) {
    case 'CERTIFICATE':
    case 'X509 CERTIFICATE':
      return { kind: 'certificate', certificate: readCertificate(bytes) };
    case 'TRUSTED CERTIFICATE':
      return { kind: 'certificate', certificate: readTrustedCertificate(bytes) };
    case 'X509 CRL':
      return { kind: 'crl' };
    default:
      return { kind: 'other' };
  }
}
