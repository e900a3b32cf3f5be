import { atLeast, type Release } from '../model/release.ts';
import { readCondition, sorter, vocabularyOf } from './cipher-selection.ts';
import { readCipherString } from './cipher-string.ts';
import data from './data/cipher-classes.json' with { type: 'json' };
import type { CipherSuite } from './suites.ts';

/** Classes that profiles name and reports group by; a suite may be of several. */
export type CipherClass =
  | 'eNULL'
  | 'aNULL'
  | 'EXPORT'
  | 'DES'
  | 'RC2'
  | 'RC4'
  | 'MD5'
  | '3DES'
  | 'SEED'
  | 'IDEA'
  | 'PSK'
  | 'SRP'
  | 'KRB5'
  | 'GOST'
  | 'DSS'
  | 'kRSA'
  | 'kDH'
  | 'kECDH'
  | 'CBC'
  | 'CAMELLIA'
  | 'ARIA'
  | 'CCM'
  | 'CCM8'
  | 'no-forward-secrecy'
  | 'no-AEAD';

/** A class of suites in words. */
export interface ClassInfo {
  readonly name: CipherClass;
  /** For lists: `RSA key transport`. */
  readonly title: string;
  /** Why one would not want it, as the rest of a sentence. */
  readonly why: string;
  /** The standard that says so. */
  readonly source: string;
}

interface ClassEntry extends ClassInfo {
  /** All must hold. */
  readonly suites: readonly string[];
  /** Items that together exclude the class, the first choice first. */
  readonly exclude: readonly string[];
  /** The release from which on no suite of the class is left; missing: there are some. */
  readonly goneSince?: Release;
}

// The names in the file are those of the type: a test holds them together.
const ENTRIES = data as readonly ClassEntry[];

/** All classes, the gravest first. */
export const CIPHER_CLASSES: readonly ClassInfo[] = ENTRIES;

/** A class in words. */
export function classInfo(name: CipherClass): ClassInfo {
  return entryOf(name);
}

/** Whether a text is the name of a class. */
export function isCipherClass(name: string): name is CipherClass {
  return ENTRIES.some((entry) => entry.name === name);
}

let sort: ((suite: CipherSuite) => readonly CipherClass[]) | null = null;
const classes = new WeakMap<CipherSuite, readonly CipherClass[]>();

/** The classes of a suite, the gravest first. */
export function classesOf(suite: CipherSuite): readonly CipherClass[] {
  let found = classes.get(suite);
  if (found === undefined) {
    sort ??= sorter(new Map(ENTRIES.map(({ name, suites }) => [name, suites.map(readCondition)])));
    found = sort(suite);
    classes.set(suite, found);
  }
  return found;
}

/** Whether the key of a session cannot be had from the key of the server: ephemeral Diffie-Hellman. */
export function hasForwardSecrecy(suite: CipherSuite): boolean {
  return !classesOf(suite).includes('no-forward-secrecy');
}

/** Whether encryption and integrity are one step: GCM, CCM, ChaCha20-Poly1305. */
export function isAead(suite: CipherSuite): boolean {
  return suite.mac === 'AEAD';
}

/**
 * Items that, each excluded with `!` (or listed in an exclusion of Postfix), take exactly a class away.
 *
 * @returns only items that the release knows; none where it has no suite of the class
 */
export function exclusionsOf(name: CipherClass, openssl: Release): readonly string[] {
  const { words, suites } = vocabularyOf(openssl);
  const left = new Set(suites.filter((suite) => classesOf(suite).includes(name)));
  const items: string[] = [];
  for (const item of entryOf(name).exclude) {
    if (!item.split('+').every((word) => words.has(word))) continue;
    const taken = readCipherString(item, openssl).suites;
    const isExact = taken.every((suite) => classesOf(suite).includes(name));
    if (!isExact || !taken.some((suite) => left.has(suite))) continue;
    items.push(item);
    for (const suite of taken) left.delete(suite);
  }
  return items;
}

/**
 * Whether an older release may find suites of a class in a cipher string of which a newer one has none: for
 * the question whether it is worth to read the string for both.
 */
export function mayBeLost(name: CipherClass, text: string, older: Release, newer: Release): boolean {
  const { goneSince, exclude } = entryOf(name);
  if (goneSince === undefined || atLeast(older, goneSince) || !atLeast(newer, goneSince)) return false;
  return !exclude.every((item) => `:${text}:`.includes(`:!${item}:`));
}

function entryOf(name: CipherClass): ClassEntry {
  const found = ENTRIES.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no class of ciphers: ${name}`);
  return found;
}
