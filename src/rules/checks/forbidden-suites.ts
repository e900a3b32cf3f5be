import type { Related } from '../../model/finding.ts';
import type { Release } from '../../model/release.ts';
import type { Location } from '../../text/source.ts';
import { CIPHER_CLASSES, type CipherClass, classInfo, exclusionsOf } from '../../tls/cipher-classes.ts';
import { readCipherString } from '../../tls/cipher-string.ts';
import type { CipherSuite } from '../../tls/suites.ts';
import type { Objection } from '../cipher-judgement.ts';

/** Suites that a profile forbids, by class: as words for a report, and as exclusions. */

/** A suite with what the profile has against it. */
export interface ForbiddenSuite {
  readonly suite: CipherSuite;
  readonly objections: readonly Objection[];
}

/** The suites of one class, under the gravest of those that the profile has against each. */
export interface ClassOfSuites {
  readonly objection: Objection;
  readonly suites: readonly CipherSuite[];
}

/** Suites by the gravest objection to each, the gravest class first. */
export function byClass(forbidden: readonly ForbiddenSuite[]): readonly ClassOfSuites[] {
  const classes = new Map<CipherClass, { objection: Objection; suites: CipherSuite[] }>();
  for (const { suite, objections } of forbidden) {
    const [objection] = objections;
    if (objection === undefined) continue;
    const found = classes.get(objection.class) ?? { objection, suites: [] };
    classes.set(objection.class, found);
    found.suites.push(suite);
  }
  return CIPHER_CLASSES.flatMap(({ name }) => classes.get(name) ?? []);
}

/** The names of the suites by class: asked for with --verbose, always in JSON. */
export function namesOf(forbidden: readonly ForbiddenSuite[], at: Location): readonly Related[] {
  return byClass(forbidden).map(({ objection, suites }) => ({
    at,
    message: `${objection.class}: ${suites.map(({ name }) => name).join(', ')}`,
    onRequest: true,
  }));
}

/** "3 suites with 3DES", "6 without authentication" */
export function counted(forbidden: readonly ForbiddenSuite[]): readonly string[] {
  return byClass(forbidden).map(({ objection, suites }, index) => {
    const noun = index > 0 ? '' : suites.length === 1 ? ' suite' : ' suites';
    return `${suites.length}${noun} ${phraseOf(objection.class)}`;
  });
}

/** "without encryption", "with RC4" */
function phraseOf(name: CipherClass): string {
  if (name === '3DES') return 'with 3DES';
  const { title } = classInfo(name);
  return title.startsWith('no ') ? `without ${title.slice(3)}` : `with ${title}`;
}

/** The items that, each excluded, take away the suites of a class: those of the class that do anything. */
export function exclusionsFor({ objection, suites }: ClassOfSuites, library: Release): readonly string[] {
  const left = new Set(suites.map(({ name }) => name));
  return exclusionsOf(objection.class, library).filter((item) => {
    const named = readCipherString(item, library).suites.filter(({ name }) => left.has(name));
    for (const { name } of named) left.delete(name);
    return named.length > 0;
  });
}
