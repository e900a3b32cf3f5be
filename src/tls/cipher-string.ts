import type { Release } from '../model/release.ts';
import { type Selector, type Vocabulary, vocabularyOf } from './cipher-selection.ts';
import {
  CIPHER_DATA,
  type CipherSuite,
  cipherRelease,
  cipherReleases,
  type ReleaseData,
  releaseData,
  suitesIn,
} from './suites.ts';

/**
 * OpenSSL's language of cipher strings, as SSL_CTX_set_cipher_list() processes it (ssl/ssl_ciph.c:
 * ssl_create_cipher_list, ssl_cipher_process_rulestr, ssl_cipher_apply_rule; ciphers(1)).
 */

/** An item of a cipher string that OpenSSL passes over. */
export interface CipherToken {
  /** Without the operator before it, to the next separator: `PSD` of `!PSD`. */
  readonly text: string;
  /** Offset of the text in the cipher string. */
  readonly at: number;
  /** The word that the release does not know; null where the words contradict each other (`aNULL+ECDHE`). */
  readonly unknown: string | null;
}

/** What a release makes of a cipher string. */
export interface CipherList {
  /** The TLSv1.3 suites that are on by default, in order: no cipher string touches them. */
  readonly tls13: readonly CipherSuite[];
  /** TLSv1.2 and older, in order, as SSL_CTX_get_ciphers() lists them; empty where there is an error. */
  readonly suites: readonly CipherSuite[];
  /** Of the last `@SECLEVEL=n`; null where the string does not say. */
  readonly securityLevel: number | null;
  /** Items that are passed over, in order. */
  readonly ignored: readonly CipherToken[];
  /** Why OpenSSL refuses the string, beginning with its own words `invalid command` or `no cipher match`. */
  readonly error: string | null;
  /** Offset at which an invalid command stands; null without one. */
  readonly errorAt: number | null;
}

/** Items are parted by these, and by nothing where an operator follows a word. */
const SEPARATORS = /[: ;,]/g;
/** What words are made of: the sign of @SECLEVEL=n came with it, the underscore with the names of IANA. */
const WORDS = {
  plain: /[A-Za-z0-9.-]*/y,
  withLevels: /[A-Za-z0-9.=-]*/y,
  withIana: /[A-Za-z0-9._=-]*/y,
};

/** The security levels that a string may ask for. */
const SECURITY_LEVEL = /^SECLEVEL=([0-5])$/;

/**
 * Reads a cipher string.
 *
 * @param text what OpenSSL would get; it ends at a NUL
 * @param openssl the release; one that is not in the table is taken for the nearest older one
 */
export function readCipherString(text: string, openssl: Release): CipherList {
  const key = `${cipherRelease(openssl)} ${text}`;
  const known = readBefore.get(key);
  if (known !== undefined) return known;
  const list = read(text, openssl);
  if (text.length <= LONGEST_KEPT) {
    if (readBefore.size >= MOST_KEPT) readBefore.clear();
    readBefore.set(key, list);
  }
  return list;
}

// The endpoints of a host, and hosts of a site, share their lists.
const readBefore = new Map<string, CipherList>();
const MOST_KEPT = 200;
const LONGEST_KEPT = 2000;

function read(text: string, openssl: Release): CipherList {
  const release = releaseData(openssl);
  const reader = new Reader(vocabularyOf(openssl), release);
  const end = text.indexOf('\0');
  const whole = end < 0 ? text : text.slice(0, end);
  const suiteB = suiteBWord(whole, openssl);
  if (suiteB !== null) {
    // Whatever follows is not looked at.
    reader.read(SUITE_B.get(suiteB) ?? '', 0);
  } else if (whole.startsWith(DEFAULT)) {
    reader.read(release.default, 0);
    const rest = whole.startsWith(':', DEFAULT.length) ? DEFAULT.length + 1 : DEFAULT.length;
    reader.read(whole, rest);
  } else reader.read(whole, 0);
  return { tls13: suitesIn(openssl, release.tls13), ...reader.result() };
}

const DEFAULT = 'DEFAULT';

/** Strings that are, or begin with, one of these stand for a list of their own (check_suiteb_cipher_list). */
const SUITE_B: ReadonlyMap<string, string> = new Map([
  ['SUITEB128ONLY', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['SUITEB128C2', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['SUITEB128', 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['SUITEB192', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
]);

/**
 * The word of Suite B (RFC 6460) that a string is or begins with, and that stands for all of it; null without one.
 * It also restricts curves and signatures, which no other string does.
 */
export function suiteBWord(text: string, openssl: Release): string | null {
  const { suiteB } = releaseData(openssl);
  if (suiteB === 'no') return null;
  const found = [...SUITE_B.keys()].find((word) => text.startsWith(word));
  return found !== undefined && (suiteB === 'beginning' || text === found) ? found : null;
}

/** Applies cipher strings one after the other to one list. */
class Reader {
  readonly #vocabulary: Vocabulary;
  readonly #word: RegExp;
  readonly #securityLevels: boolean;
  readonly #list: SuiteOrder;
  readonly #ignored: CipherToken[] = [];
  #securityLevel: number | null = null;
  #error: { readonly message: string; readonly at: number } | null = null;

  constructor(vocabulary: Vocabulary, { iana, securityLevels, loneSuiteStays }: ReleaseData) {
    this.#vocabulary = vocabulary;
    this.#word = iana ? WORDS.withIana : securityLevels ? WORDS.withLevels : WORDS.plain;
    this.#securityLevels = securityLevels;
    this.#list = new SuiteOrder(vocabulary.suites, loneSuiteStays);
  }

  /** Applies the items of a string from an offset on, up to the first that is an error. */
  read(text: string, from: number): void {
    for (let at = from; at < text.length && this.#error === null; ) {
      const first = text[at] ?? '';
      if (isSeparator(first)) at++;
      else if (first === '@') at = this.#command(text, at + 1);
      else if (first === '!' || first === '-' || first === '+') at = this.#rule(text, at + 1, first);
      else at = this.#rule(text, at, '');
    }
  }

  result(): Omit<CipherList, 'tls13'> {
    const suites = this.#error === null ? this.#list.active() : [];
    const nothing = 'no cipher match: nothing is left of TLSv1.2 and older protocols';
    return {
      suites,
      securityLevel: this.#securityLevel,
      ignored: this.#ignored,
      error: this.#error?.message ?? (suites.length === 0 ? nothing : null),
      errorAt: this.#error?.at ?? null,
    };
  }

  /** `@STRENGTH`, `@SECLEVEL=n`: the rest of the item is not looked at. */
  #command(text: string, at: number): number {
    const word = this.#wordAt(text, at);
    const level = this.#securityLevels ? SECURITY_LEVEL.exec(word)?.[1] : undefined;
    if (word === 'STRENGTH') this.#list.sortByStrength();
    else if (level !== undefined) this.#securityLevel = Number(level);
    else {
      this.#fail(`"@${cut(word)}" is none`, at - 1);
      return text.length;
    }
    return endOfItem(text, at);
  }

  /** `A+B` behind an operator. */
  #rule(text: string, start: number, operator: '' | Operator): number {
    let selector: Selector | null = null;
    for (let at = start; ; ) {
      const word = this.#wordAt(text, at);
      if (word === '') {
        const found = at < text.length ? `not "${text[at] ?? ''}"` : 'and the string ends';
        this.#fail(`a name is due here, ${found}`, at);
        return text.length;
      }
      const known = this.#vocabulary.words.get(word);
      if (known === undefined) return this.#ignore(text, start, word);
      selector = selector === null ? known : this.#vocabulary.join(selector, known);
      if (selector === null) return this.#ignore(text, start, null);
      at += word.length;
      if (text[at] !== '+') {
        this.#list.apply(operator, this.#vocabulary.select(text.slice(start, at), selector));
        return at;
      }
      at++;
    }
  }

  #wordAt(text: string, at: number): string {
    this.#word.lastIndex = at;
    return this.#word.exec(text)?.[0] ?? '';
  }

  #ignore(text: string, start: number, unknown: string | null): number {
    const end = endOfItem(text, start);
    this.#ignored.push({ text: text.slice(start, end), at: start, unknown });
    return end;
  }

  #fail(message: string, at: number): void {
    this.#error = { message: `invalid command: ${message}`, at };
  }
}

function isSeparator(character: string): boolean {
  return character === ':' || character === ' ' || character === ';' || character === ',';
}

function endOfItem(text: string, from: number): number {
  SEPARATORS.lastIndex = from;
  return SEPARATORS.exec(text)?.index ?? text.length;
}

function cut(word: string): string {
  return word.length > 40 ? `${word.slice(0, 40)}…` : word;
}

type Operator = '!' | '-' | '+';

/** States of a suite in the list. */
const INACTIVE = 0;
const ACTIVE = 1;
const GONE = 2;

/**
 * The list that rules are applied to: all suites in one order, of which some are active. Inactive ones keep
 * their places, and so the order in which a later rule will add them.
 *
 * A string of a megabyte has some hundred thousand rules: the lists are arrays of numbers, filled anew.
 */
class SuiteOrder {
  readonly #suites: readonly CipherSuite[];
  readonly #loneSuiteStays: boolean;
  /** The strengths that occur, the greatest first. */
  readonly #strengths: readonly number[];
  /** Positions in `#suites`; of the array, the first `#size`: what was removed for good is not there any more. */
  #order: Uint16Array;
  #size: number;
  #spare: Uint16Array;
  readonly #state: Uint8Array;
  readonly #moving: Uint8Array;

  /** @param loneSuiteStays see ReleaseData */
  constructor(suites: readonly CipherSuite[], loneSuiteStays: boolean) {
    this.#suites = suites;
    this.#loneSuiteStays = loneSuiteStays;
    this.#strengths = [...new Set(suites.map(({ strength }) => strength))].sort((a, b) => b - a);
    this.#order = Uint16Array.from(suites.keys());
    this.#size = suites.length;
    this.#spare = new Uint16Array(suites.length);
    this.#state = new Uint8Array(suites.length);
    this.#moving = new Uint8Array(suites.length);
  }

  /**
   * Adds to the end what is not active; `+` moves to the end what is; `-` moves what is active to the head
   * and makes it inactive: what was taken away last is the first to be added again; `!` removes for good.
   */
  apply(operator: '' | Operator, selected: readonly number[]): void {
    if (this.#loneSuiteStays && this.#size === 1) return;
    let count = 0;
    for (const index of selected) {
      const state = this.#state[index];
      if (operator === '!' ? state === GONE : state !== (operator === '' ? INACTIVE : ACTIVE)) continue;
      this.#moving[index] = 1;
      count++;
    }
    if (count === 0) return;
    if (operator === '!') this.#remove();
    else if (operator === '-') this.#move(0, count, INACTIVE);
    else this.#move(this.#size - count, 0, ACTIVE);
    for (const index of selected) this.#moving[index] = 0;
  }

  /** Moves what is active to the end, the strongest first; equals keep their order. */
  sortByStrength(): void {
    for (const strength of this.#strengths) {
      const equals: number[] = [];
      for (let at = 0; at < this.#size; at++) {
        const index = this.#order[at] ?? 0;
        if (this.#state[index] === ACTIVE && this.#suites[index]?.strength === strength) equals.push(index);
      }
      this.apply('+', equals);
    }
  }

  /** What is active, in order. */
  active(): CipherSuite[] {
    return Array.from(this.#order.subarray(0, this.#size)).flatMap((index) =>
      this.#state[index] === ACTIVE ? (this.#suites[index] ?? []) : [],
    );
  }

  /** Puts what moves from one place on and the others from another, all in their order. */
  #move(movedFrom: number, keptFrom: number, state: number): void {
    let moved = movedFrom;
    let kept = keptFrom;
    for (let at = 0; at < this.#size; at++) {
      const index = this.#order[at] ?? 0;
      if (this.#moving[index] === 1) {
        this.#state[index] = state;
        this.#spare[moved++] = index;
      } else this.#spare[kept++] = index;
    }
    [this.#order, this.#spare] = [this.#spare, this.#order];
  }

  #remove(): void {
    let kept = 0;
    for (let at = 0; at < this.#size; at++) {
      const index = this.#order[at] ?? 0;
      if (this.#moving[index] === 1) this.#state[index] = GONE;
      else this.#order[kept++] = index;
    }
    this.#size = kept;
  }
}

/**
 * The releases that know a token: the ones of the table, and where none of their builds does, others.
 *
 * @param token an item of a cipher string without operator; of `A+B` both are needed
 * @returns oldest first; empty where no release ever knew it
 */
export function knownSomewhere(token: string): readonly Release[] {
  const words = token.split('+');
  const knowing = cipherReleases().filter((release) => {
    const { words: known } = vocabularyOf(release);
    return words.every((word) => known.has(word));
  });
  if (knowing.length > 0) return knowing;
  const [first, ...others] = words.map(releasesElsewhere);
  return first?.filter((release) => others.every((releases) => releases.includes(release))) ?? [];
}

function releasesElsewhere(word: string): readonly Release[] {
  const line = CIPHER_DATA.elsewhere.find((one) => one.startsWith(`${word} `));
  const elsewhere = line?.slice(word.length + 1).split(',') ?? [];
  return [...elsewhere, ...cipherReleases().filter((release) => vocabularyOf(release).words.has(word))];
}

let everyWord: ReadonlySet<string> | null = null;

/** Every word that some release knows. */
export function cipherWords(): ReadonlySet<string> {
  everyWord ??= new Set([
    ...cipherReleases().flatMap((release) => [...vocabularyOf(release).words.keys()]),
    ...CIPHER_DATA.elsewhere.map((line) => line.slice(0, line.indexOf(' '))),
  ]);
  return everyWord;
}
