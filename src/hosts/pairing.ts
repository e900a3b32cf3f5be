import { join, resolve } from 'node:path';
import { type DovecotPlace, type Place, type PostfixPlace, realpathOf, rootOf } from './places.ts';

/** The servers of one host; one of them may be missing. */
export interface HostPlaces {
  readonly postfix: PostfixPlace | null;
  readonly dovecot: DovecotPlace | null;
}

/** Folders within that of a server, in which roles, modules and images keep its files. */
const LAYOUT: ReadonlySet<string> = new Set(['files', 'templates', 'conf', 'config', 'etc', 'default']);

/** The name of a server as a word in the name of a folder. */
const SERVER_WORD = /(^|[-_.])(?:postfix|dovecot)(?=$|[-_.])/g;

/**
 * Puts together what belongs to one host: places whose paths are the same but for the names of the servers in
 * them (`etc/postfix` and `etc/dovecot`, `roles/postfix/files` and `roles/dovecot/templates`), and those in one
 * folder.
 *
 * @returns hosts by the first of the places that were looked at together
 */
export function pairPlaces(places: readonly Place[]): Map<Place, readonly HostPlaces[]> {
  const groups = new Map<string, [Place, ...Place[]]>();
  for (const place of places) {
    const key = [pairKey(place, true), labelKey(place)].join('\0');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [place]);
    else group.push(place);
  }
  return new Map([...groups.values()].map((group) => [group[0], hostsOf(group)]));
}

/** The folder that holds the configuration of both servers of a host. */
export function rootOfPlaces({ postfix, dovecot }: HostPlaces): string {
  const [one, other] = [postfix, dovecot].flatMap((place) => (place === null ? [] : [rootOf(place)]));
  if (one === undefined) throw new Error('a host without a place');
  if (other === undefined || resolve(one) === resolve(other)) return one;
  let root = one;
  while (!isWithin(resolve(other), resolve(root))) root = join(root, '..');
  return root;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`);
}

/** A path without the names of servers, and where `loose`, without the folders that only part their files. */
function pairKey({ directory }: Place, loose: boolean): string {
  const names: string[] = [];
  let within = false;
  for (const name of realpathOf(directory).split('/')) {
    const plain = name.replace(SERVER_WORD, '$1*');
    if (loose && within && LAYOUT.has(name)) continue;
    within = plain !== name;
    names.push(plain);
  }
  return names.join('/');
}

/** What `postfix-main.cf` and `dovecot.cf`, `mx1-main.cf` and `dovecot.conf.mx1` have in common. */
function labelKey({ label }: Place): string {
  return label === null ? '' : `label ${label.replace(/(^|[-_.])(?:etc|postfix|dovecot)(?=$|[-_.])/g, '')}`;
}

function hostsOf(group: readonly Place[]): HostPlaces[] {
  const places = merged(group);
  const whole = asOne(places);
  if (whole !== null) return [whole];
  // Several of a kind: `files` goes with `files`, and what has no counterpart stays alone.
  const exact = new Map<string, Place[]>();
  for (const place of places) {
    const key = pairKey(place, false);
    exact.set(key, [...(exact.get(key) ?? []), place]);
  }
  return [...exact.values()].flatMap((members) => {
    const one = asOne(members);
    return one === null ? members.flatMap((place) => asOne([place]) ?? []) : [one];
  });
}

/** Places as one host; null where there are two of one server. */
function asOne(places: readonly Place[]): HostPlaces | null {
  const postfix = places.filter((place) => place.server === 'postfix');
  const dovecot = places.filter((place) => place.server === 'dovecot');
  if (postfix.length > 1 || dovecot.length > 1) return null;
  return { postfix: postfix[0] ?? null, dovecot: dovecot[0] ?? null };
}

/** Two folders of a role that have of a server what the other lacks are one place, in that with the main file. */
function merged(places: readonly Place[]): Place[] {
  const joined = [...places];
  const postfix = places.filter((place) => place.server === 'postfix');
  const [main, master] = ['main' as const, 'master' as const].map((name) =>
    postfix.find((place) => place[name] !== null),
  );
  if (postfix.length === 2 && main?.master === null && master?.main === null) {
    joined[joined.indexOf(main)] = { ...main, master: master.master, beside: master.directory };
    joined.splice(joined.indexOf(master), 1);
  }
  const dovecot = places.filter((place) => place.server === 'dovecot');
  const whole = dovecot.find((place) => place.main !== null);
  const parts = dovecot.find((place) => place.main === null);
  if (dovecot.length === 2 && whole !== undefined && parts !== undefined) {
    joined[joined.indexOf(whole)] = { ...whole, beside: parts.directory };
    joined.splice(joined.indexOf(parts), 1);
  }
  return joined;
}
