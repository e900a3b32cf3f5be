import { atLeast, type Release } from '../model/release.ts';
import data from './data/groups.json' with { type: 'json' };

/**
 * The groups that both sides agree on keys in, by OpenSSL release. Sources: t1_lib.c (nid_list), capabilities
 * of the default provider (prov/capabilities.c) for 3.x; which names a release takes and what it does with
 * them was measured with 1.1.1w, 3.0, 3.5 and 3.6; that 3.1 to 3.4 take names as 3.0 does, is assumed.
 */

/** When OpenSSL learned what: to take lists of curves, to choose curves by itself, to choose a field by itself. */
export const OPENSSL_GROUPS: {
  readonly curveLists: Release;
  readonly automaticCurves: Release;
  readonly automaticDh: Release;
} = data;

/** One group. */
export interface Group {
  /** OpenSSL's short name: `prime256v1`, `X25519`. */
  readonly name: string;
  /** Security bits, as a security level counts them (ssl_security()). */
  readonly bits: number;
  /** ECDHE suites of TLSv1.2 and older can use it. */
  readonly ecdhe: boolean;
  /** TLSv1.3 can use it. */
  readonly tls13: boolean;
}

/** How strong the strongest group is that suites can use; 0 where there is none. */
export interface GroupStrength {
  readonly ecdhe: number;
  readonly tls13: number;
}

/** What OpenSSL itself takes where nobody has said otherwise: P-521 is among it in all releases. */
export const LIBRARY_GROUPS: GroupStrength = { ecdhe: 256, tls13: 256 };

/** Where neither curves nor any other group are set up: OpenSSL before 1.1.0 waits to be told. */
export const NO_GROUPS: GroupStrength = { ecdhe: 0, tls13: 0 };

/** The strongest of the groups. */
export function strengthOf(groups: readonly Group[]): GroupStrength {
  const strongest = (able: (group: Group) => boolean): number =>
    groups.reduce((most, group) => (able(group) ? Math.max(most, group.bits) : most), 0);
  return { ecdhe: strongest(({ ecdhe }) => ecdhe), tls13: strongest(({ tls13 }) => tls13) };
}

/**
 * The group of a name.
 *
 * @param names `objects`: short names and those of NIST, letter by letter (OBJ_sn2nid(), EC_curve_nist2nid());
 *   `library`: what SSL_CTX_set1_groups_list() takes, since 3.0 other names too, since 3.5 in any case
 * @returns null where the release has no such group
 */
export function groupOf(name: string, openssl: Release, names: 'objects' | 'library'): Group | null {
  const takes = (since: Release): boolean => names === 'library' && atLeast(openssl, since);
  const others = takes(data.otherNames);
  const inAnyCase = takes(data.anyCase) ? name.toLowerCase() : null;
  known ??= data.groups.map(knownGroup);
  const found = known.find(
    ({ objects, library, small }) =>
      objects.includes(name) ||
      (others && library.includes(name)) ||
      (inAnyCase !== null && small.includes(inAnyCase)),
  );
  if (found === undefined || !atLeast(openssl, found.since)) return null;
  return {
    name: found.short,
    bits: found.bits,
    ecdhe: found.kind !== 'tls13',
    // Before, TLSv1.3 took whatever curve there was.
    tls13: found.kind !== 'curve' || !atLeast(openssl, data.tls13OnlyNewCurves),
  };
}

/** A line of the table. */
interface KnownGroup {
  readonly short: string;
  /** Names that OpenSSL's objects have, those that the library takes beside them, and all in small letters. */
  readonly objects: readonly string[];
  readonly library: readonly string[];
  readonly small: readonly string[];
  readonly bits: number;
  readonly kind: string;
  readonly since: Release;
}

/** Read from the table once: endpoints ask for groups over and over. */
let known: readonly KnownGroup[] | null = null;

function knownGroup(line: string): KnownGroup {
  const [short = '', nist = '-', alias = '-', bits, kind = '', since = ''] = line.split(' ');
  const named = (names: readonly string[]): readonly string[] => names.filter((name) => name !== '-');
  return {
    short,
    objects: named([short, nist]),
    library: named([alias]),
    small: named([short, nist, alias]).map((name) => name.toLowerCase()),
    bits: Number(bits),
    kind,
    since,
  };
}

/**
 * The groups that an item of a list stands for. Since 3.3 `?` before a name lets an unknown one pass; since
 * 3.5 an item may be a tuple `A/B`, mark key shares with `*`, and DEFAULT stands for OpenSSL's own
 * (SSL_CTX_set1_groups_list(3)).
 *
 * @param item what stands between the colons
 * @returns empty where OpenSSL refuses the item, or it names nothing that the release has
 */
export function groupsOfItem(item: string, openssl: Release): readonly Group[] {
  const tuples = atLeast(openssl, data.tuples);
  const groups: Group[] = [];
  for (const part of tuples ? item.split('/') : [item]) {
    const [, marks = '', name = ''] = /^([?*-]*)(.*)$/s.exec(part) ?? [];
    const optional = marks.includes('?');
    if (marks !== '' && !tuples && !(marks === '?' && atLeast(openssl, data.optionalItems))) return [];
    if (marks.includes('-')) continue;
    const named = tuples && name === 'DEFAULT' ? data.defaults : [name];
    const found = named.flatMap((one) => groupOf(one, openssl, 'library') ?? []);
    if (found.length === 0 && !optional) return [];
    groups.push(...found);
  }
  return groups;
}
