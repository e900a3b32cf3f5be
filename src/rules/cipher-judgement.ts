import type { Side } from '../model/endpoint.ts';
import type { Thresholds } from '../model/thresholds.ts';
import { type CipherClass, classesOf, isCipherClass } from '../tls/cipher-classes.ts';
import type { CipherSuite } from '../tls/suites.ts';

/** Where an objection holds. */
export type Objectionable = 'anywhere' | 'tlsRequired' | 'server';

/** Why a profile forbids a suite: one of its classes, and where. */
export interface Objection {
  readonly class: CipherClass;
  readonly where: Objectionable;
  /** The threshold that says so. */
  readonly threshold: 'forbiddenCiphers' | 'forwardSecrecy' | 'authenticatedEncryption';
}

/** The place at which a suite is judged. */
export interface CipherPlace {
  readonly side: Side;
  /** Whether the peer gets nothing without TLS: mode `required` or `implicit`. */
  readonly tlsRequired: boolean;
}

/** The thresholds that speak of ciphers. */
export type CipherThresholds = Pick<
  Thresholds,
  'forbiddenCiphers' | 'forwardSecrecy' | 'authenticatedEncryption'
>;

/**
 * All objections of a profile to a suite, wherever it is used, the gravest class first. A class that is
 * forbidden in several places has one objection, for the widest.
 */
export function objectionsTo(suite: CipherSuite, thresholds: CipherThresholds): readonly Objection[] {
  let byClasses = judged.get(thresholds);
  if (byClasses === undefined) {
    byClasses = new WeakMap();
    judged.set(thresholds, byClasses);
  }
  const classes = classesOf(suite);
  let objections = byClasses.get(classes);
  if (objections === undefined) {
    objections = judge(classes, thresholds);
    byClasses.set(classes, objections);
  }
  return objections;
}

/** Each endpoint asks for the same suites, and many suites have the same list of classes. */
const judged = new WeakMap<CipherThresholds, WeakMap<readonly CipherClass[], readonly Objection[]>>();

function judge(classes: readonly CipherClass[], thresholds: CipherThresholds): readonly Objection[] {
  const { forbiddenCiphers, forwardSecrecy, authenticatedEncryption } = thresholds;
  const found: Objection[] = [];
  for (const name of classes) {
    const places = PLACES.filter((where) => forbiddenCiphers[where].includes(name));
    if (places[0] === 'anywhere')
      found.push({ class: name, where: 'anywhere', threshold: 'forbiddenCiphers' });
    else for (const where of places) found.push({ class: name, where, threshold: 'forbiddenCiphers' });
    if (name === 'no-forward-secrecy' && forwardSecrecy === 'only')
      found.push({ class: name, where: 'tlsRequired', threshold: 'forwardSecrecy' });
    if (name === 'no-AEAD' && authenticatedEncryption === 'only')
      found.push({ class: name, where: 'tlsRequired', threshold: 'authenticatedEncryption' });
  }
  return found;
}

/** The widest first. */
const PLACES: readonly Objectionable[] = ['anywhere', 'tlsRequired', 'server'];

/** The objections that hold at a place; none means that the profile allows the suite there. */
export function objectionsAt(
  suite: CipherSuite,
  thresholds: CipherThresholds,
  place: CipherPlace,
): readonly Objection[] {
  const all = objectionsTo(suite, thresholds);
  return all.length === 0 ? all : all.filter(({ where }) => holdsAt(where, place));
}

/** The classes that a profile forbids at a place, in the order of the profile. */
export function forbiddenClasses(thresholds: CipherThresholds, place: CipherPlace): readonly CipherClass[] {
  const { forbiddenCiphers, forwardSecrecy, authenticatedEncryption } = thresholds;
  const named = PLACES.filter((where) => holdsAt(where, place)).flatMap((where) => forbiddenCiphers[where]);
  const required = place.tlsRequired;
  return [
    ...new Set<CipherClass>([
      ...named.filter(isCipherClass),
      ...(required && forwardSecrecy === 'only' ? ['no-forward-secrecy' as const] : []),
      ...(required && authenticatedEncryption === 'only' ? ['no-AEAD' as const] : []),
    ]),
  ];
}

function holdsAt(where: Objectionable, { side, tlsRequired }: CipherPlace): boolean {
  return where === 'anywhere' || (where === 'server' ? side === 'server' : tlsRequired);
}
