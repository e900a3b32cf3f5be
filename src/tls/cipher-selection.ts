import type { Release } from '../model/release.ts';
import { CIPHER_DATA, type CipherSuite, cipherRelease, releaseData, suitesIn } from './suites.ts';

/**
 * What the words of a cipher string stand for.
 *
 * As in OpenSSL (ssl/ssl_ciph.c), a word, be it an alias or a suite, is a set of bit masks, one for each
 * column that it says something of; words joined by `+` are joined mask by mask, and a suite is meant when
 * it has a bit of each mask. So a suite that is named may bring others with it, if nothing tells them apart.
 */

const COLUMNS = ['Kx', 'Au', 'Enc', 'Mac', 'Protocol', 'Strength', 'Export', 'Default'] as const;
type Column = (typeof COLUMNS)[number];

/** One mask a column; 0 says nothing of it. */
export type Selector = readonly number[];

/** What a release knows: words, and the suites in the order in which they stand before a string is applied. */
export interface Vocabulary {
  readonly words: ReadonlyMap<string, Selector>;
  readonly suites: readonly CipherSuite[];
  /** What `A+B` stands for; null where no suite can be both. */
  readonly join: (before: Selector, word: Selector) => Selector | null;
  /** Positions in `suites` of what a selector means, in their order; `item` is the text that stands for it. */
  readonly select: (item: string, selector: Selector) => readonly number[];
}

const vocabularies = new Map<Release, Vocabulary>();

/** The vocabulary of a release. */
export function vocabularyOf(openssl: Release): Vocabulary {
  const release = cipherRelease(openssl);
  let found = vocabularies.get(release);
  if (found === undefined) {
    found = makeVocabulary(release);
    vocabularies.set(release, found);
  }
  return found;
}

/**
 * Joins what stands before in `A+B` with the next word. Since 1.1.0, the first word that names a strength
 * overwrites what was said of the default list: OpenSSL assigns that mask where it joins the others, so that
 * `COMPLEMENTOFDEFAULT+HIGH` is no less than `HIGH`.
 */
function joined(before: Selector, word: Selector, strengthOverwrites: boolean): Selector | null {
  const forgets = strengthOverwrites && before[STRENGTH] === 0 && word[STRENGTH] !== 0;
  const both: number[] = [];
  for (const [column, mask] of before.entries()) {
    const left = forgets && column === DEFAULT ? 0 : mask;
    const right = word[column] ?? 0;
    if (left !== 0 && right !== 0 && (left & right) === 0) return null;
    both.push(left === 0 || right === 0 ? left | right : left & right);
  }
  return both;
}

const KX = COLUMNS.indexOf('Kx');
const AU = COLUMNS.indexOf('Au');
const ENC = COLUMNS.indexOf('Enc');
const MAC = COLUMNS.indexOf('Mac');
const PROTOCOL = COLUMNS.indexOf('Protocol');
const STRENGTH = COLUMNS.indexOf('Strength');
const EXPORT = COLUMNS.indexOf('Export');
const DEFAULT = COLUMNS.indexOf('Default');

function makeVocabulary(release: Release): Vocabulary {
  const { iana, strengthOverwrites, order } = releaseData(release);
  const aliases = aliasesOf(release);
  const suites = suitesIn(release, order);
  const sized = new Set(
    aliases.flatMap(([, conditions]) => conditions.flatMap(({ values }) => values.map(sizedCipher))),
  );
  const bits = new Bits();
  const masked = suites.map((suite): Selector => bits.ofSuite(suite, sized));
  const exported = bits.of(EXPORT, 'yes');
  const exports = exported | bits.of(EXPORT, 'no');
  const words = new Map<string, Selector>();
  for (const [name, conditions] of aliases) {
    const masks = COLUMNS.map(() => 0);
    for (const { column, not, values } of conditions) {
      const at = COLUMNS.indexOf(column);
      let mask = 0;
      for (const value of values) mask |= bits.of(at, value);
      masks[at] = not ? ~mask : mask;
    }
    words.set(name, masks);
  }
  // The names of suites are looked up before the aliases.
  const named = new Set<string>();
  for (const [index, suite] of suites.entries()) {
    const own = masked[index]?.slice() ?? [];
    own[PROTOCOL] = 0;
    // SSLv2 and SSLv3 have suites of one name; the first of the list is found.
    if (!named.has(suite.name)) words.set(suite.name, own);
    named.add(suite.name);
    if (iana) words.set(suite.iana, own);
  }
  const selected = new Map<string, readonly number[]>();
  const select = (selector: Selector): readonly number[] => {
    // "Export or not", alone in its word of masks, takes export suites whatever else is asked (1.0.2).
    const anyExport =
      selector[EXPORT] === exports && selector[STRENGTH] === 0 && selector[DEFAULT] === 0 ? exported : 0;
    // Most words say something of one column or two.
    const columns = [...selector.keys()].filter((column) => selector[column] !== 0);
    const found: number[] = [];
    for (let index = 0; index < masked.length; index++) {
      const masks = masked[index] ?? [];
      if (((masks[EXPORT] ?? 0) & anyExport) !== 0 || meets(masks, selector, columns)) found.push(index);
    }
    return found;
  };
  return {
    words,
    suites,
    join: (before, word) => joined(before, word, strengthOverwrites),
    // Strings say the same again and again, and so do the lists of a host.
    select: (item, selector) => {
      let found = selected.get(item);
      if (found === undefined) {
        found = select(selector);
        if (selected.size >= MOST_SELECTED) selected.clear();
        selected.set(item, found);
      }
      return found;
    },
  };
}

const MOST_SELECTED = 10_000;

/** Whether a suite has a bit of each mask, of those columns that the selector says something of. */
function meets(masks: Selector, selector: Selector, columns: readonly number[]): boolean {
  for (const column of columns) {
    if (((selector[column] ?? 0) & (masks[column] ?? 0)) === 0) return false;
  }
  return true;
}

/** What a suite has in each column. */
type Values = Readonly<Record<Column, readonly string[]>>;

function valuesOf(suite: CipherSuite): Values {
  const { marks } = suite;
  const classes = marks.filter((mark) => mark !== 'export' && mark !== 'not-default');
  return {
    Kx: [suite.keyExchange],
    Au: [suite.authentication],
    Enc: [suite.encryption],
    Mac: [suite.mac],
    Protocol: [suite.protocol],
    Strength: classes.length === 0 ? ['NONE'] : classes,
    Export: [marks.includes('export') ? 'yes' : 'no'],
    // Nothing is said of a suite that is in the default list.
    Default: marks.includes('not-default') ? ['no'] : [],
  };
}

/** Numbers the values of each column. */
class Bits {
  /** By column and value; `AES` has the bits of `AES(128)` and `AES(256)`. */
  readonly #columns = COLUMNS.map(() => ({ masks: new Map<string, number>(), used: 0 }));

  /** The bits of a value; a new one for a new value: a release may know a word for what none of its suites has. */
  of(column: number, value: string): number {
    const own = this.#columns[column];
    if (own === undefined) throw new RangeError(`no column ${column}`);
    const known = own.masks.get(value);
    if (known !== undefined) return known;
    const bit = 1 << own.used++;
    own.masks.set(value, bit);
    const bare = sizedCipher(value);
    if (bare !== '') own.masks.set(bare, (own.masks.get(bare) ?? 0) | bit);
    return bit;
  }

  /** What `valuesOf` says of a suite, with the sizes of ciphers that come in several. */
  ofSuite(suite: CipherSuite, sized: ReadonlySet<string>): number[] {
    const { encryption, bits, marks } = suite;
    let strength = 0;
    for (const mark of marks) {
      if (mark !== 'export' && mark !== 'not-default') strength |= this.of(STRENGTH, mark);
    }
    const masks: number[] = [];
    masks[KX] = this.of(KX, suite.keyExchange);
    masks[AU] = this.of(AU, suite.authentication);
    masks[ENC] = this.of(ENC, sized.has(encryption) ? `${encryption}(${bits})` : encryption);
    masks[MAC] = this.of(MAC, suite.mac);
    masks[PROTOCOL] = this.of(PROTOCOL, suite.protocol);
    masks[STRENGTH] = strength === 0 ? this.of(STRENGTH, 'NONE') : strength;
    masks[EXPORT] = this.of(EXPORT, marks.includes('export') ? 'yes' : 'no');
    masks[DEFAULT] = marks.includes('not-default') ? this.of(DEFAULT, 'no') : 0;
    return masks;
  }
}

/** `AES` of `AES(128)`: its sizes are told apart; empty for a value without a size. */
function sizedCipher(value: string): string {
  return value.endsWith(')') ? value.slice(0, value.indexOf('(')) : '';
}

/** What is asked of one column: one of the values, or none of them. */
export interface Condition {
  readonly column: Column;
  readonly not: boolean;
  readonly values: readonly string[];
}

/**
 * Sorts suites by conditions.
 *
 * @param conditions all that a suite must fulfil, for each of at most 32 keys
 * @returns the keys of a suite, in their order
 */
export function sorter<K>(
  conditions: ReadonlyMap<K, readonly Condition[]>,
): (suite: CipherSuite) => readonly K[] {
  const entries = [...conditions];
  // Suites have few values in each column: what a value rules out is looked up, one bit a key.
  const ruledOut = new Map<string, number>();
  // Many suites have the same keys, and then the same list of them.
  const lists = new Map<number, readonly K[]>();
  return (suite) => {
    const own = valuesOf(suite);
    let out = 0;
    for (const column of COLUMNS) {
      const name = `${column}=${own[column].join()}`;
      let mask = ruledOut.get(name);
      if (mask === undefined) {
        mask = 0;
        for (const [index, [, all]] of entries.entries()) {
          if (all.some((one) => one.column === column && !holds(one, own[column]))) mask |= 1 << index;
        }
        ruledOut.set(name, mask);
      }
      out |= mask;
    }
    let keys = lists.get(out);
    if (keys === undefined) {
      keys = entries.flatMap(([key], index) => ((out & (1 << index)) === 0 ? [key] : []));
      lists.set(out, keys);
    }
    return keys;
  };
}

function holds({ not, values }: Condition, own: readonly string[]): boolean {
  return own.some((value) => values.includes(value)) !== not;
}

/** The aliases that a release of the table knows. */
function aliasesOf(release: Release): [name: string, conditions: readonly Condition[]][] {
  return CIPHER_DATA.aliases.flatMap((line): [string, readonly Condition[]][] => {
    const [name = '', releases = '', ...conditions] = line.split(' ');
    return releases === '*' || releases.split(',').includes(release)
      ? [[name, conditions.map(readCondition)]]
      : [];
  });
}

/** Reads `Enc=AES,AESGCM` or `Au=!None`. */
export function readCondition(text: string): Condition {
  const [, name, not, values = ''] = /^(\w+)=(!?)(.*)$/.exec(text) ?? [];
  const column = COLUMNS.find((known) => known === name);
  if (column === undefined) throw new Error(`no condition: ${text}`);
  return { column, not: not !== '', values: values.split(',') };
}
