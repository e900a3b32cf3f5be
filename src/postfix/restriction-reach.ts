import { mynetworksIsEverybody } from './admission.ts';
import type { PostfixConfiguration } from './configuration.ts';
import type { Restriction, RestrictionEffect, RestrictionList } from './restrictions.ts';
import type { Service } from './services.ts';

/**
 * Which elements of a restriction list smtpd ever comes to, and for which recipients: the walk of
 * generic_checks() over every client at once. Tables and services whose answers are not written in the
 * list itself are taken to let everything pass.
 */

/** An element of a list or of one of its classes. */
export interface PlacedRestriction {
  readonly item: Restriction;
  /** The list or class in whose value it stands. */
  readonly holder: RestrictionList;
  /** It only logs, for a `warn_if_reject` stands before it or before its class. */
  readonly warnOnly: boolean;
  /** Some mail for recipients of this host comes to it. */
  readonly own: boolean;
  /** Some mail for other recipients comes to it. */
  readonly foreign: boolean;
  /** What takes mail for recipients of this host away before it; null where they come to it. */
  readonly ownEndedBy: Restriction | null;
  /** The same for other recipients. */
  readonly foreignEndedBy: Restriction | null;
  /** What ended the list for the last that were left; null where some mail comes to it. */
  readonly endedBy: Restriction | null;
}

/** Every element in the order of the walk, those of a class after the class. */
export function placedRestrictions(
  configuration: PostfixConfiguration,
  service: Service,
  list: RestrictionList,
): readonly PlacedRestriction[] {
  // Looked at where a list asks for it: mynetworks may be long.
  let known: boolean | null = null;
  const walk: Walk = {
    found: [],
    everybody: () => {
      known ??= mynetworksIsEverybody(configuration, service);
      return known;
    },
    own: true,
    foreign: true,
    ownEndedBy: null,
    foreignEndedBy: null,
    endedBy: null,
  };
  step(walk, list, false);
  return walk.found;
}

interface Walk {
  readonly found: PlacedRestriction[];
  readonly everybody: () => boolean;
  own: boolean;
  foreign: boolean;
  ownEndedBy: Restriction | null;
  foreignEndedBy: Restriction | null;
  endedBy: Restriction | null;
}

function step(walk: Walk, list: RestrictionList, inherited: boolean): void {
  for (const item of list.items) {
    const warnOnly = inherited || item.warnIfReject !== null;
    const { own, foreign, ownEndedBy, foreignEndedBy, endedBy } = walk;
    walk.found.push({ item, holder: list, warnOnly, own, foreign, ownEndedBy, foreignEndedBy, endedBy });
    if (item.members !== null) step(walk, item.members, warnOnly);
    else end(walk, item, ends(item, warnOnly, walk.everybody));
  }
}

function end(walk: Walk, item: Restriction, ended: Ended): void {
  if (ended === 'none') return;
  if (walk.own && ended !== 'foreign') {
    walk.own = false;
    walk.ownEndedBy = item;
  }
  if (walk.foreign && ended !== 'own') {
    walk.foreign = false;
    walk.foreignEndedBy = item;
  }
  if (!walk.own && !walk.foreign) walk.endedBy ??= item;
}

/** Recipients for whom an element always ends the list. */
type Ended = 'none' | 'own' | 'foreign' | 'all';

/** What ends a list, and for whom; the second where it only logs. Others let some pass, or all. */
const ENDS: ReadonlyMap<RestrictionEffect, readonly [Ended, Ended]> = new Map<
  RestrictionEffect,
  readonly [Ended, Ended]
>([
  ['permit', ['all', 'all']],
  ['reject', ['all', 'none']],
  ['permit-own', ['own', 'own']],
  ['permit-backup', ['own', 'own']],
  ['reject-foreign', ['foreign', 'none']],
  ['permit-own-reject-foreign', ['all', 'own']],
]);

function ends(
  { definition, argument, fault }: Restriction,
  warnOnly: boolean,
  everybody: () => boolean,
): Ended {
  if (fault !== null || definition === null) return 'none';
  const { effect, looksAt, neverPermits } = definition;
  if (effect === 'permit-mynetworks') return everybody() ? 'all' : 'none';
  if (effect === 'table') {
    if (looksAt !== 'client' || neverPermits) return 'none';
    const answer = /^(?:proxy:)?static:\{?\s*(\w+)/.exec(argument?.text ?? '')?.[1]?.toLowerCase();
    if (answer === 'ok' || answer === 'permit') return 'all';
    return answer === 'reject' && !warnOnly ? 'all' : 'none';
  }
  return ENDS.get(effect)?.[warnOnly ? 1 : 0] ?? 'none';
}
