import { createHash } from 'node:crypto';
import type { HostInput } from '../hosts/host.ts';
import { Looks, textsOf } from '../hosts/looks.ts';
import { type StandIn, standIn } from '../hosts/stand-in.ts';

/** Characters of what is kept. */
const MOST_KEPT = 10_000_000;

/** Of hosts with the same texts, so many that differ in the files around them. */
const MOST_ALIKE = 8;

/** What came of a host, under names that stand in for its own. */
interface KnownOutcome<O> {
  readonly looks: Looks;
  readonly outcome: O;
}

/**
 * What came of the hosts of a run. Of a host that differs from one before in nothing but its names, the same comes
 * but for the names: it is not worked on again.
 */
export class KnownOutcomes<O> {
  readonly #named: boolean;
  readonly #outcomes = new Map<string, KnownOutcome<O>[]>();
  #kept = 0;

  /** @param named nothing that works on a host looks at what it is called */
  constructor(named: boolean) {
    this.#named = named;
  }

  /**
   * What comes of a host.
   *
   * @param by what else the work depends on
   * @param work a pure function from a host to plain data
   */
  of(input: HostInput, by: string, work: (input: HostInput) => O): O {
    const first = standIn(input, this.#named);
    if (first === null) return work(input);
    const found = this.#under(first, by, work) ?? null;
    if (found !== null) return found;
    const second = first.isNamed ? standIn(input, false) : null;
    return (second === null ? null : this.#under(second, by, work)) ?? work(input);
  }

  /** The same under names that stand in; null where that is not what comes of the host under its own. */
  #under(standing: StandIn, by: string, work: (input: HostInput) => O): O | null {
    const { input } = standing;
    const key = digestOf(`${by}\0${keyOf(input)}`);
    const alike = this.#outcomes.get(key) ?? [];
    const before = alike.find(({ looks }) => looks.agreesWith(input));
    for (const { looks } of alike) looks.letGo();
    if (before !== undefined && standing.isFit()) {
      this.#outcomes.delete(key);
      this.#outcomes.set(key, alike);
      return restored(before.outcome, standing);
    }
    const looks = new Looks(input, digestOf);
    let own = false;
    const { inOwnNames } = input;
    const outcome = work({
      ...looks.through(input),
      inOwnNames: (text) => {
        const other = inOwnNames?.(text) ?? text;
        own ||= other !== text;
        return other;
      },
    });
    if (!standing.isFit()) return null;
    const result = restored(outcome, standing);
    if (result !== null && !own) this.#keep(key, [...alike, { looks, outcome }].slice(-MOST_ALIKE));
    looks.letGo();
    return result;
  }

  #keep(key: string, outcomes: KnownOutcome<O>[]): void {
    const size = key.length + sizeOf(outcomes.at(-1)?.outcome);
    this.#kept += size;
    this.#outcomes.delete(key);
    this.#outcomes.set(key, outcomes);
    for (const [first, oldest] of this.#outcomes) {
      if (this.#kept <= MOST_KEPT || first === key) break;
      this.#kept -= oldest.reduce((sum, { outcome }) => sum + first.length + sizeOf(outcome), 0);
      this.#outcomes.delete(first);
    }
  }
}

/** A short text that stands for a long one. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

/** All that a host is made of but for the files around it. */
function keyOf(input: HostInput): string {
  const { root, releases, parts, now } = input;
  return [root, JSON.stringify([releases, parts, now]), ...textsOf(input)].join('\0');
}

/** Plain data with the own names in all its texts; null where a text has lost a part of one. */
function restored<T>(value: T, standing: StandIn): T | null {
  let whole = true;
  const textOf = (text: string): string => {
    const own = standing.restored(text);
    if (own === null) whole = false;
    return own ?? text;
  };
  const within = (part: unknown): unknown => {
    if (typeof part === 'string') return textOf(part);
    if (typeof part !== 'object' || part === null) return part;
    if (part instanceof Uint8Array)
      return Buffer.from(textOf(Buffer.from(part).toString('latin1')), 'latin1');
    if (Array.isArray(part)) return part.map(within);
    return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, within(one)]));
  };
  const result = within(value) as T;
  return whole ? result : null;
}

/** Characters of plain data. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (value instanceof Uint8Array) return value.length;
  return Object.values(value).reduce((sum: number, one) => sum + sizeOf(one), 0);
}
