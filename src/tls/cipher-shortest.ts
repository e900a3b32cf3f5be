import type { Release } from '../model/release.ts';
import { type Selector, type Vocabulary, vocabularyOf } from './cipher-selection.ts';
import { readCipherString, suiteBWord } from './cipher-string.ts';
import type { CipherSuite } from './suites.ts';

/**
 * The shortest cipher string for a list.
 *
 * A list is a set of suites in an order. Where a few words add it in this order, with what they bring too
 * much excluded again, or where the order is what `@STRENGTH`, a `+` or a `-` makes of the usual one, a short
 * string says it; if not, the suites are named. The search is bounded: it looks at words of up to three parts
 * and at one or two rules for the order, and each answer is read back before it is given.
 */

/** Words up to this many may be joined by `+`. */
const MOST_PARTS = 3;
/** Strings of more characters are not looked at for what can be left out of them. */
const LONGEST_GIVEN = 4000;
/** Words that add the whole list, of which the first so many are tried. */
const MOST_BASES = 40;
/** Orders that a rule makes, of which the first so many are tried. */
const MOST_ORDERS = 12;
/** What a suite too many counts in characters while words are chosen, before it is known what excludes it. */
const PRICES: readonly number[] = [0, 0.3, 1, 4];

/** A word, or several joined, and what it selects. */
interface Item {
  readonly text: string;
  /** Positions in the vocabulary. */
  readonly selects: readonly number[];
  /** Only at the beginning: DEFAULT. */
  readonly first: boolean;
}

/** Rules around the words that add the suites, and the order in which these words then have to add them. */
interface Frame {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** All positions of the vocabulary in the order in which words add them. */
  readonly order: readonly number[];
  /** The list before the rules after it. */
  readonly target: readonly number[];
}

/**
 * The shortest string that gives exactly this list in this order, TLSv1.3 and the security level aside; items
 * are parted by colons. It holds for this release: another may have more suites of a kind.
 *
 * @param list suites of the release, TLSv1.2 and older
 * @param given a string that gives the list, in which something may be superfluous
 * @returns null for an empty list, and where not even the names of the suites give it
 */
export function shortestEquivalent(
  list: readonly CipherSuite[],
  openssl: Release,
  given?: string,
): string | null {
  if (list.length === 0) return null;
  const suiteB = given === undefined ? null : suiteBWord(given, openssl);
  if (suiteB !== null) return suiteB;
  return new Search(list, openssl).run(given);
}

class Search {
  readonly #list: readonly CipherSuite[];
  readonly #openssl: Release;
  readonly #vocabulary: Vocabulary;
  readonly #items: readonly Item[];
  readonly #inTarget: Uint8Array;
  readonly #target: readonly number[];
  #best: string | null = null;

  constructor(list: readonly CipherSuite[], openssl: Release) {
    this.#list = list;
    this.#openssl = openssl;
    this.#vocabulary = vocabularyOf(openssl);
    const positions = new Map(this.#vocabulary.suites.map((suite, index) => [suite, index]));
    this.#target = list.flatMap((suite) => positions.get(suite) ?? []);
    this.#inTarget = new Uint8Array(this.#vocabulary.suites.length);
    for (const index of this.#target) this.#inTarget[index] = 1;
    this.#items = [...itemsOf(this.#vocabulary), this.#defaultItem()];
  }

  run(given: string | undefined): string | null {
    this.#offer(this.#list.map(({ name }) => name));
    if (given !== undefined && given.length <= LONGEST_GIVEN) this.#shorten(given);
    const usual: Frame = {
      before: [],
      after: [],
      order: [...this.#vocabulary.suites.keys()],
      target: this.#target,
    };
    const frames = this.#frames(usual);
    for (const frame of frames) this.#tryBases(frame);
    this.#tryWords(usual);
    return this.#best;
  }

  /** Keeps a string if it is shorter than the best, and says the same. */
  #offer(items: readonly string[]): void {
    const text = items.join(':');
    if (this.#best !== null && text.length >= this.#best.length) return;
    if (this.#isEquivalent(text)) this.#best = text;
  }

  #isEquivalent(text: string): boolean {
    const { suites } = readCipherString(text, this.#openssl);
    return suites.length === this.#list.length && suites.every((suite, index) => suite === this.#list[index]);
  }

  /** Leaves out of a given string what makes no difference, from its end. */
  #shorten(given: string): void {
    let items = given
      .replaceAll(/@SECLEVEL=[^: ;,]*/g, '')
      .split(/[: ;,]+/)
      .filter((item) => item !== '');
    if (!this.#isEquivalent(items.join(':'))) return;
    for (let at = items.length - 1; at >= 0; at--) {
      const without = items.toSpliced(at, 1);
      if (this.#isEquivalent(without.join(':'))) items = without;
    }
    this.#offer(items);
  }

  /** DEFAULT as a word that stands first; what it removes for good cannot be added behind it. */
  #defaultItem(): Item {
    const positions = new Map(this.#vocabulary.suites.map((suite, index) => [suite, index]));
    const rest = readCipherString('DEFAULT:ALL:COMPLEMENTOFALL', this.#openssl).suites;
    const reachable = new Set(rest);
    const usable = this.#list.every((suite) => reachable.has(suite));
    const selects = usable ? readCipherString('DEFAULT', this.#openssl).suites : [];
    return { text: 'DEFAULT', selects: selects.flatMap((suite) => positions.get(suite) ?? []), first: true };
  }

  /** Rules that make the order of the list out of an order that words give. */
  #frames(usual: Frame): Frame[] {
    const strengths = this.#vocabulary.suites.map(({ strength }) => strength);
    const strengthOf = (index: number): number => strengths[index] ?? 0;
    // Only a list that is sorted may come of sorting.
    const isSorted = this.#target.every(
      (index, at) => at === 0 || strengthOf(this.#target[at - 1] ?? 0) >= strengthOf(index),
    );
    const words = this.#items.filter(
      ({ text, first }) => !first && !text.includes('+') && this.#hasSome(text),
    );
    const moves = words.map((word) => {
      const selected = new Set(word.selects);
      const moved = this.#target.filter((index) => selected.has(index)).length;
      return { word, selected, isLast: this.#target.slice(-moved).every((index) => selected.has(index)) };
    });
    const frames: Frame[] = [];
    for (const word of [null, ...words]) {
      const selected = new Set(word?.selects);
      const order =
        word === null
          ? usual.order
          : [...word.selects, ...usual.order.filter((index) => !selected.has(index))];
      const before = word === null ? [] : [word.text, `-${word.text}`];
      const natural = order.filter((index) => this.#inTarget[index] === 1);
      const add = (after: readonly string[], made: readonly number[]): void => {
        if (made.every((index, at) => index === this.#target[at]))
          frames.push({ before, after, order, target: natural });
        else if (isSorted && after.at(-1) !== '@STRENGTH')
          add(
            [...after, '@STRENGTH'],
            made.toSorted((x, y) => strengthOf(y) - strengthOf(x)),
          );
      };
      add([], natural);
      for (const move of moves) {
        if (!move.isLast && !isSorted) continue;
        const staying = natural.filter((index) => !move.selected.has(index));
        const moving = natural.filter((index) => move.selected.has(index));
        add([`+${move.word.text}`], [...staying, ...moving]);
      }
    }
    const length = ({ before, after }: Frame): number => [...before, ...after].join(':').length;
    return frames.sort((x, y) => length(x) - length(y)).slice(0, MOST_ORDERS);
  }

  /** A word moves something only if the list has some of its suites. */
  #hasSome(word: string): boolean {
    const selector = this.#vocabulary.words.get(word);
    return (
      selector !== undefined &&
      this.#vocabulary.select(word, selector).some((index) => this.#inTarget[index] === 1)
    );
  }

  /** One word for the whole list, and exclusions. */
  #tryBases(frame: Frame): void {
    const all = this.#items.filter(
      ({ selects, first }) =>
        (!first || frame.before.length === 0) &&
        selects.length >= this.#target.length &&
        countOf(selects, this.#inTarget) === this.#target.length,
    );
    const bases = all
      .sort((a, b) => a.text.length + 0.3 * a.selects.length - (b.text.length + 0.3 * b.selects.length))
      .slice(0, MOST_BASES);
    for (const base of bases) this.#offerWith(frame, [base]);
  }

  /** Several words one after the other, each adding the next part of the list, and exclusions. */
  #tryWords(frame: Frame): void {
    const ranks = new Map(frame.target.map((index, rank) => [index, rank]));
    const adders = this.#items.flatMap((item) => {
      const own = item.selects.flatMap((index) => ranks.get(index) ?? []);
      return own.length === 0 ? [] : [{ item, ranks: own, extra: item.selects.length - own.length }];
    });
    for (const price of PRICES) {
      const chosen: { cost: number; from: number; item: Item }[] = [];
      const costAt = (rank: number): number =>
        rank === 0 ? 0 : (chosen[rank]?.cost ?? Number.POSITIVE_INFINITY);
      for (let from = 0; from < this.#target.length; from++) {
        if (costAt(from) === Number.POSITIVE_INFINITY) continue;
        for (const { item, ranks: own, extra } of adders) {
          if (item.first && from > 0) continue;
          const to = nextRank(own, from);
          const cost = costAt(from) + item.text.length + 1 + price * extra;
          if (to > from && cost < costAt(to)) chosen[to] = { cost, from, item };
        }
      }
      const words: Item[] = [];
      for (let at = this.#target.length; at > 0; ) {
        const step = chosen[at];
        if (step === undefined) break;
        words.unshift(step.item);
        at = step.from;
      }
      if (words.length > 0) this.#offerWith(frame, words);
    }
  }

  /** Words, with exclusions of what they bring too much. */
  #offerWith({ before, after }: Frame, words: readonly Item[]): void {
    const extra = new Uint8Array(this.#vocabulary.suites.length);
    for (const { selects } of words)
      for (const index of selects) if (this.#inTarget[index] !== 1) extra[index] = 1;
    const room = this.#best === null ? Number.POSITIVE_INFINITY : this.#best.length;
    const fixed = [...before, ...words.map(({ text }) => text)];
    const spent = [...fixed, ...after].join(':').length;
    if (spent >= room) return;
    const exclusions = this.#exclusions(extra, room - spent);
    if (exclusions !== null) this.#offer([...fixed, ...exclusions.map((text) => `!${text}`), ...after]);
  }

  /**
   * Words that select all that is too much and nothing of the list, few and short: each time the one that
   * excludes most for its length.
   *
   * @returns null where they do not fit into the room
   */
  #exclusions(extra: Uint8Array, room: number): string[] | null {
    const left = Uint8Array.from(extra);
    let missing = left.reduce((sum, one) => sum + one, 0);
    let spent = 0;
    const usable = this.#excluders.filter(({ selects }) => countOf(selects, left) > 0);
    const chosen: Item[] = [];
    while (missing > 0) {
      let best: Item | null = null;
      let worth = 0;
      for (const item of usable) {
        const value = countOf(item.selects, left) / (item.text.length + 2);
        if (value > worth) {
          best = item;
          worth = value;
        }
      }
      if (best === null) return null;
      chosen.push(best);
      spent += best.text.length + 2;
      if (spent >= room) return null;
      for (const index of best.selects) {
        missing -= left[index] ?? 0;
        left[index] = 0;
      }
    }
    return chosen.filter((item) => this.#isNeeded(item, chosen, extra)).map(({ text }) => text);
  }

  /** Whether what a word excludes is not excluded by the others too. */
  #isNeeded(item: Item, chosen: Item[], extra: Uint8Array): boolean {
    const others = new Set(chosen.filter((one) => one !== item).flatMap(({ selects }) => selects));
    const needed = item.selects.some((index) => extra[index] === 1 && !others.has(index));
    if (!needed) chosen.splice(chosen.indexOf(item), 1);
    return needed;
  }

  #excludersMade: readonly Item[] | null = null;

  get #excluders(): readonly Item[] {
    this.#excludersMade ??= this.#items.filter(
      ({ selects, first }) => !first && selects.length > 0 && countOf(selects, this.#inTarget) === 0,
    );
    return this.#excludersMade;
  }
}

/** How many of the positions are marked. */
function countOf(positions: readonly number[], marked: Uint8Array): number {
  let count = 0;
  for (const index of positions) count += marked[index] ?? 0;
  return count;
}

/** Where the list goes on after a word with these ranks, if it adds `from` and what follows in order; else `from`. */
function nextRank(ranks: readonly number[], from: number): number {
  let next = from;
  for (const rank of ranks) {
    if (rank < from) continue;
    if (rank !== next) return from;
    next++;
  }
  return next;
}

const itemsBefore = new WeakMap<Vocabulary, readonly Item[]>();

/** All words and joins of words that select something, the shortest for each selection. */
function itemsOf(vocabulary: Vocabulary): readonly Item[] {
  const before = itemsBefore.get(vocabulary);
  if (before !== undefined) return before;
  const found = new Map<string, Item>();
  const offer = (text: string, selector: Selector): boolean => {
    const selects = vocabulary.select(text, selector);
    const key = selects.join(' ');
    const known = found.get(key);
    // Of two equally long ones the later: DHE, not the EDH of old.
    if (selects.length === 0 || (known !== undefined && known.text.length < text.length)) return false;
    found.set(key, { text, selects, first: false });
    return known === undefined;
  };
  const names = new Set(vocabulary.suites.flatMap(({ name, iana }) => [name, iana]));
  const aliases = [...vocabulary.words].filter(([word]) => !names.has(word));
  let parts: (readonly [text: string, selector: Selector])[] = [['', []]];
  for (let count = 1; count <= MOST_PARTS; count++) {
    const next: (readonly [text: string, selector: Selector])[] = [];
    for (const [text, selector] of parts) {
      for (const [word, own] of aliases) {
        const all = text === '' ? own : vocabulary.join(selector, own);
        const whole = text === '' ? word : `${text}+${word}`;
        if (all !== null && offer(whole, all)) next.push([whole, all]);
      }
    }
    parts = next;
  }
  for (const { name } of vocabulary.suites) offer(name, vocabulary.words.get(name) ?? []);
  const items = [...found.values()];
  itemsBefore.set(vocabulary, items);
  return items;
}
