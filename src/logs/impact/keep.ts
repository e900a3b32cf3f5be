import type { Role } from '../../model/endpoint.ts';
import { compareProtocols, PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import { laidOver, type SomeThresholds, type Thresholds } from '../../model/thresholds.ts';
import type { Impact, Parties, Party, PartyKind } from './impact.ts';

/** A threshold that was not set as the profile asks, and for whom. */
export interface GivenUp {
  /** `lowestProtocol.mx`, `forbiddenCiphers.anywhere`. */
  readonly threshold: string;
  /** What the profile asks for, and what was chosen; of a list of classes what was left out, and null. */
  readonly asked: string;
  readonly chosen: string | null;
  /** Who would not surely keep what they have by what the profile asks, and does by what was chosen. */
  readonly parties: readonly {
    readonly kind: PartyKind;
    readonly all: number;
    readonly some: readonly Party[];
  }[];
}

/** Thresholds that keep a share of the peers. */
export interface Kept {
  /** To be laid over those of the profile; null where these keep it as they are. */
  readonly thresholds: SomeThresholds | null;
  readonly givenUp: readonly GivenUp[];
  /** Kinds of which the share is not kept even so: what decides there is no threshold. */
  readonly missed: readonly PartyKind[];
}

/** Visitors are nobody to be kept. */
const COUNTED: readonly PartyKind[] = ['senders', 'users', 'servers'];

/**
 * Chooses for each threshold of protocols and suites the strictest value, up to what the profile asks, with which
 * the share of senders, of users and of servers surely keeps what it has. The thresholds are chosen one after the
 * other, each with those before it, so that all together keep the share: protocols by role first, then suites.
 *
 * @param share from 0 to 1
 * @param roles of the endpoints there are: other roles are left as the profile has them
 * @param impactWith the impact of the fix with thresholds laid over those of the profile
 */
export function keepShare(
  profile: Thresholds,
  share: number,
  roles: ReadonlySet<Role>,
  impactWith: (over: SomeThresholds) => Impact,
): Kept {
  const asked = impactWith({});
  if (missedBy(asked, share, null).length === 0) return { thresholds: null, givenUp: [], missed: [] };
  const steps = stepsOf(profile, roles);
  const chooser = new Chooser(
    steps.reduce<SomeThresholds>((all, { loosest }) => laidOver(all, loosest), {}),
    share,
    impactWith,
  );
  for (const step of steps) chooser.choose(step);
  const { chosen, givenUp, impact } = chooser;
  return { thresholds: chosen, givenUp, missed: missedBy(impact, share, null) };
}

class Chooser {
  readonly givenUp: GivenUp[] = [];
  /** What was chosen up to now, and the impact of it. */
  chosen: SomeThresholds;
  impact: Impact;
  readonly #base: Impact;
  readonly #share: number;
  readonly #impactWith: (over: SomeThresholds) => Impact;

  constructor(loosest: SomeThresholds, share: number, impactWith: (over: SomeThresholds) => Impact) {
    this.chosen = loosest;
    this.#share = share;
    this.#impactWith = impactWith;
    this.#base = impactWith(loosest);
    this.impact = this.#base;
  }

  choose({ threshold, values, parts }: Step): void {
    const [strictest] = values;
    let refused: Impact | null = null;
    let found: Value | null = null;
    for (const value of values) {
      const tried = laidOver(this.chosen, value.over(this.chosen));
      const impact = this.#impactWith(tried);
      if (missedBy(impact, this.#share, this.#base).length === 0) {
        found = value;
        this.chosen = tried;
        this.impact = impact;
        break;
      }
      refused ??= impact;
    }
    if (refused === null || strictest === undefined) return;
    if (parts.length > 0) for (const part of parts) this.choose(part);
    else
      this.givenUp.push({
        threshold,
        asked: strictest.text,
        chosen: found?.text ?? null,
        parties: lostBetween(refused, this.impact),
      });
  }
}

/** A value of a threshold, and what sets it where others have been chosen. */
interface Value {
  readonly text: string;
  readonly over: (chosen: SomeThresholds) => SomeThresholds;
}

/** A threshold with its values, the strictest first, and the value that asks for nothing. */
interface Step {
  readonly threshold: string;
  readonly values: readonly Value[];
  readonly loosest: SomeThresholds;
  /** Where not all can be had at once: what is tried one by one. */
  readonly parts: readonly Step[];
}

/** Lists of classes, the widest first. */
const LISTS = ['anywhere', 'server', 'tlsRequired'] as const;

function stepsOf(profile: Thresholds, roles: ReadonlySet<Role>): readonly Step[] {
  const { lowestProtocol, forbiddenCiphers, forwardSecrecy, authenticatedEncryption } = profile;
  const protocols = [...roles].map((role): Step => {
    const over = (protocol: Protocol): SomeThresholds => ({ lowestProtocol: { [role]: protocol } });
    const [oldest] = PROTOCOLS;
    return {
      threshold: `lowestProtocol.${role}`,
      values: PROTOCOLS.filter(
        (protocol) => protocol !== oldest && compareProtocols(protocol, lowestProtocol[role]) <= 0,
      )
        .toReversed()
        .map((protocol) => ({ text: protocol, over: () => over(protocol) })),
      loosest: over(oldest),
      parts: [],
    };
  });
  // Each class by itself: what one keeps somebody from is no reason to do without the others.
  const classes = LISTS.map((list): Step => {
    const threshold = `forbiddenCiphers.${list}`;
    const over = (names: readonly string[]): SomeThresholds => ({ forbiddenCiphers: { [list]: names } });
    const names = forbiddenCiphers[list];
    const loosest = over([]);
    const parts = names.map((name): Step => {
      const added = ({ forbiddenCiphers: chosen }: SomeThresholds): SomeThresholds =>
        over([...(chosen?.[list] ?? []), name]);
      return { threshold, values: [{ text: name, over: added }], loosest, parts: [] };
    });
    const values = names.length === 0 ? [] : [{ text: names.join(' '), over: () => over(names) }];
    return { threshold, values, loosest, parts };
  });
  const secrecy = (['only', 'preferred'] as const)
    .filter((word) => forwardSecrecy === 'only' || word === forwardSecrecy)
    .map((word): Value => ({ text: word, over: () => ({ forwardSecrecy: word }) }));
  const encryption: readonly Value[] =
    authenticatedEncryption === 'only'
      ? [{ text: 'only', over: () => ({ authenticatedEncryption: 'only' }) }]
      : [];
  return [
    ...protocols,
    ...classes,
    { threshold: 'forwardSecrecy', values: secrecy, loosest: { forwardSecrecy: 'any' }, parts: [] },
    {
      threshold: 'authenticatedEncryption',
      values: encryption,
      loosest: { authenticatedEncryption: 'any' },
      parts: [],
    },
  ];
}

/** The kinds of which less than the share keeps what it has, and less than with `base` where one is given. */
function missedBy(impact: Impact, share: number, base: Impact | null): readonly PartyKind[] {
  return COUNTED.filter((kind) => {
    const { parties } = partiesOf(impact, kind);
    const kept = keptOf(impact, kind);
    return kept < share * parties && (base === null || kept < keptOf(base, kind));
  });
}

/** How many surely keep TLS and login. */
function keptOf(impact: Impact, kind: PartyKind): number {
  const { unaffected, another } = partiesOf(impact, kind).verdicts;
  return unaffected.parties + another.parties;
}

function partiesOf({ kinds }: Impact, kind: PartyKind): Parties {
  const parties = kinds.find((one) => one.kind === kind);
  if (parties === undefined) throw new Error(`no ${kind}`);
  return parties;
}

/** Those who do not surely keep what they have with one impact and do with another. */
function lostBetween(one: Impact, other: Impact): GivenUp['parties'] {
  return COUNTED.flatMap((kind) => {
    const without = new Set(partiesOf(other, kind).concerned.filter(isNotKept).map(keyOf));
    const { parties, concerned } = partiesOf(one, kind);
    const some = concerned.filter((party) => isNotKept(party) && !without.has(keyOf(party)));
    return some.length === 0 ? [] : [{ kind, all: parties, some }];
  });
}

function isNotKept({ verdict }: Party): boolean {
  return verdict !== 'unaffected' && verdict !== 'another';
}

function keyOf({ name, addresses }: Party): string {
  return JSON.stringify([name, addresses]);
}
