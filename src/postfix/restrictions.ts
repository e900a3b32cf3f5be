import { hasArrived, type Release } from '../model/release.ts';
import { nearest } from '../text/nearest.ts';
import type { Location } from '../text/source.ts';
import type { Effective, PostfixConfiguration, PostfixSetting } from './configuration.ts';
import restrictionData from './data/restrictions.json' with { type: 'json' };
import tableTypeData from './data/table-types.json' with { type: 'json' };
import { hasFeature } from './parameters.ts';
import type { Service } from './services.ts';
import { sourceSpan } from './syntax/logical-lines.ts';
import type { LogicalLine } from './syntax/tree.ts';

/**
 * Access restriction lists of smtpd(8): their words, what each takes as argument, and what it can do.
 * Names and behaviour are read from smtpd_check.c (generic_checks, is_map_command, smtpd_check_init,
 * smtpd_check_parse) and mail_params.h of the release tags 2.6.0 to 3.11.6 and of 3.12-20260821; the
 * data are in data/restrictions.json.
 */

/** The lists, by the name of their parameter, in the order in which a session meets them. */
export type RestrictionListName = keyof typeof restrictionData.lists;

/** What a restriction does. */
export type RestrictionEffect =
  /** Ends the list with OK, or with a refusal, whoever comes. */
  | 'permit'
  | 'reject'
  /** OK for those whom the name says. */
  | 'permit-mynetworks'
  | 'permit-interfaces'
  | 'permit-login'
  | 'permit-listed-certificate'
  | 'permit-any-certificate'
  /** OK for clients that a DNS list knows. */
  | 'permit-listed'
  /** OK for a client that says HELO with a bare address. */
  | 'permit-naked-address'
  /** OK for recipients of one's own domains; the second also for domains that name this host as backup MX. */
  | 'permit-own'
  | 'permit-backup'
  /** Refuses recipients of other domains. */
  | 'reject-foreign'
  | 'permit-own-reject-foreign'
  /** Refuses some: a lookup, the form of a name, the state of the session. */
  | 'may-reject'
  /** A table, or a policy service, decides. */
  | 'table'
  | 'policy'
  /** What would be accepted in the end is deferred. */
  | 'defer-if-permit'
  /** Lets the next restriction log instead of refuse. */
  | 'warn'
  | 'nothing';

/** What a restriction looks at; without it, it does nothing. */
export type RestrictionSubject =
  | 'nothing'
  | 'client'
  | 'certificate'
  | 'login'
  | 'helo'
  | 'sender'
  | 'recipient'
  /** How many recipients the message has so far. */
  | 'recipients'
  /** Whether the client has sent more before it had the answer that it must wait for. */
  | 'pipelining'
  | 'etrn';

/** Whether a list sees what a restriction looks at: for every client, for some, or never. */
export type Sight = 'always' | 'sometimes' | 'never';

/** What follows a restriction as the next word. */
type RestrictionArgument = 'table' | 'domain' | 'service' | 'seconds';

/** One restriction that smtpd knows. */
export interface RestrictionDefinition {
  readonly name: string;
  readonly effect: RestrictionEffect;
  readonly looksAt: RestrictionSubject;
  readonly argument: RestrictionArgument | null;
  /** OK from its table is taken for a mistake in the configuration: 451. */
  readonly neverPermits: boolean;
  /** The switch without which it does nothing; "ignored: no SASL support" in the log, or not even that. */
  readonly needs: string | null;
  /** The release that brought it, null: older than all that are supported. */
  readonly since: Release | null;
  /** The release that still knows the name, and answers 451 to it. */
  readonly removed: Release | null;
  /** Its present name, where this is an old one. */
  readonly now: string | null;
}

/** A word of a list; offsets count in the expanded value of the list. */
export interface RestrictionWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * What is wrong with an element. The client gets "451 4.3.5 Server configuration error" where nothing else
 * is said.
 */
export type RestrictionFault =
  /** No restriction of the release, and no class: "unknown smtpd restriction". */
  | 'unknown'
  /** Known once, removed since; check_relay_domains answers so only where there is a recipient. */
  | 'removed'
  /** `type:table` in a list that has no check of its own for it. */
  | 'no-check'
  /** A table without `:`, a policy service without `:`, a sleep without digits, or nothing at all. */
  | 'bad-argument'
  /** A table of a type that the release does not know: 451 where something is looked up in it. */
  | 'unknown-table'
  /** A restriction class that contains itself: smtpd goes round until signal 11 ends it. */
  | 'endless-class'
  /** A DNS list without its name: logged, and skipped. */
  | 'missing-domain';

/** One element of a restriction list: a restriction with its argument, a class, or a table by itself. */
export interface Restriction {
  readonly kind: 'restriction' | 'class' | 'table' | 'unknown';
  /** What smtpd takes it for: its own names in lower case, of `type:table` the check of the list. */
  readonly name: string;
  readonly word: RestrictionWord;
  readonly argument: RestrictionWord | null;
  /** Null for a class and for what is unknown. */
  readonly definition: RestrictionDefinition | null;
  /** The elements of a class, else empty; their words count in the class. */
  readonly members: RestrictionList | null;
  /** The `warn_if_reject` before it, which makes it log only. */
  readonly warnIfReject: RestrictionWord | null;
  readonly fault: RestrictionFault | null;
}

/** A restriction list as one service has it. */
export interface RestrictionList {
  /** The parameter, or the restriction class. */
  readonly name: string;
  readonly effective: Effective;
  readonly items: readonly Restriction[];
}

interface DefinitionLine {
  readonly effect: string;
  readonly looksAt?: string;
  readonly argument?: string;
  readonly neverPermits?: boolean;
  readonly needs?: string;
  readonly since?: string;
  readonly removed?: string;
  readonly now?: string;
}

const LINES: Readonly<Record<string, DefinitionLine>> = restrictionData.restrictions;
const PREDEFINED_CLASSES: Readonly<Record<string, readonly string[]>> = restrictionData.classes;

/** All restriction lists, in the order in which a session meets them (relay and recipient both at RCPT TO). */
export const RESTRICTION_LISTS = Object.keys(restrictionData.lists) as readonly RestrictionListName[];

/** The restriction of that name, in any case of its letters, at any release; null for what never was one. */
export function restrictionDefinition(name: string): RestrictionDefinition | null {
  const key = name.toLowerCase();
  const line = Object.hasOwn(LINES, key) ? LINES[key] : undefined;
  if (line === undefined) return null;
  return {
    name: key,
    effect: line.effect as RestrictionEffect,
    looksAt: (line.looksAt ?? 'client') as RestrictionSubject,
    argument: (line.argument ?? null) as RestrictionArgument | null,
    neverPermits: line.neverPermits === true,
    needs: line.needs ?? null,
    since: line.since ?? null,
    removed: line.removed ?? null,
    now: line.now ?? null,
  };
}

/** Names that a release takes in its lists, those that it answers with 451 left out. */
export function knownRestrictions(release: Release): readonly string[] {
  const own = Object.keys(LINES).filter((name) => {
    const { since, removed } = restrictionDefinition(name) ?? { since: null, removed: null };
    return arrived(release, since) && (removed === null || !arrived(release, removed));
  });
  return [...own, ...Object.keys(PREDEFINED_CLASSES)];
}

/** The known restriction, or class of the configuration, that was probably meant by `word`. */
export function nearestRestriction(
  word: string,
  release: Release,
  classes: readonly string[],
): string | null {
  return nearest(word, [...knownRestrictions(release), ...classes]);
}

/**
 * Whether a list sees, when it is evaluated, what a restriction looks at. With `smtpd_delay_reject = yes`
 * the lists for client, HELO and sender wait for RCPT TO and see all that is seen there. The lists at
 * DATA and behind it see the recipient of a message that has no other (smtpd_check_data).
 */
export function sightOf(list: RestrictionListName, subject: RestrictionSubject, delayReject: boolean): Sight {
  if (subject === 'nothing') return 'always';
  const own = restrictionData.lists[list];
  const waits = delayReject && (own.at === 'connect' || own.at === 'helo' || own.at === 'mail');
  const { knows, sometimes }: { knows: readonly string[]; sometimes: readonly string[] } = waits
    ? restrictionData.lists.smtpd_relay_restrictions
    : own;
  return knows.includes(subject) ? 'always' : sometimes.includes(subject) ? 'sometimes' : 'never';
}

/** What `type:table` alone means in a list; null where it means nothing. */
export function tableCheckOf(list: RestrictionListName): string | null {
  return restrictionData.lists[list].check;
}

/** Every restriction and built-in class that a supported release knows or knew, sorted. */
export function allRestrictions(): readonly string[] {
  return [...Object.keys(LINES), ...Object.keys(PREDEFINED_CLASSES)].sort();
}

/** The members of a class that smtpd itself defines; null for other names. */
export function builtInClass(name: string): readonly string[] | null {
  return Object.hasOwn(PREDEFINED_CLASSES, name) ? (PREDEFINED_CLASSES[name] ?? null) : null;
}

const TABLE_TYPES: Readonly<Record<string, Release | null>> = tableTypeData;

/** Types of lookup tables that a release knows, whether this build of it has them or not (dict_open.c, mail_dict.c). */
export function tableTypes(release: Release): readonly string[] {
  return Object.keys(TABLE_TYPES).filter((type) => arrived(release, TABLE_TYPES[type] ?? null));
}

/** The release that brought a type of tables: null for one as old as all releases, undefined for none. */
export function tableTypeSince(type: string): Release | null | undefined {
  return Object.hasOwn(TABLE_TYPES, type) ? TABLE_TYPES[type] : undefined;
}

/** The types in `type:name`, `proxy:type:name` or `{type:name, …}`: all must be known. */
export function tableTypesOf(text: string): readonly string[] {
  const type = /^(?:\{\s*)?([^\s:{},]+):/.exec(text);
  if (type?.[1] === undefined) return [];
  if (type[1] !== 'proxy') return [type[1]];
  return ['proxy', ...tableTypesOf(text.slice(type[0].length))];
}

/** The words of `smtpd_restriction_classes` in a service. */
export function restrictionClasses(
  configuration: PostfixConfiguration,
  service: Service | null,
): readonly string[] {
  return splitWords(configuration.value('smtpd_restriction_classes', service), false).map(({ text }) => text);
}

/** Lists that were read: many rules walk them, for many kinds of clients. */
const READ = new WeakMap<PostfixConfiguration, Map<string, RestrictionList>>();

/** Reads a restriction list of a service as smtpd does when it starts. */
export function restrictionList(
  configuration: PostfixConfiguration,
  name: RestrictionListName,
  service: Service | null,
): RestrictionList {
  const known = READ.get(configuration) ?? new Map<string, RestrictionList>();
  READ.set(configuration, known);
  const key = `${name} ${service?.id ?? ''}`;
  const list =
    known.get(key) ??
    readList(readerOf(configuration, name, service), name, configuration.get(name, service), []);
  known.set(key, list);
  return list;
}

function readerOf(
  configuration: PostfixConfiguration,
  name: RestrictionListName,
  service: Service | null,
): Reader {
  return {
    configuration,
    service,
    classes: new Set(restrictionClasses(configuration, service)),
    check: restrictionData.lists[name].check,
    grouping: hasFeature(configuration.release, 'bracedFields'),
  };
}

/**
 * Reads what an access table gives as its result, where that is a list of restrictions.
 *
 * @param name the list in which the table stands: it says what `type:table` by itself means
 */
export function resultRestrictions(
  configuration: PostfixConfiguration,
  name: RestrictionListName,
  service: Service | null,
  text: string,
): RestrictionList {
  const effective = { ...configuration.get(name, service), value: text, setting: null };
  return readList(readerOf(configuration, name, service), name, effective, []);
}

/** Every element of a list, those of its classes after the class itself; `warn_if_reject` before a class goes for all of them. */
export function* everyRestriction(list: RestrictionList): Iterable<Restriction> {
  for (const item of list.items) {
    yield item;
    if (item.members === null) continue;
    for (const member of everyRestriction(item.members)) {
      yield item.warnIfReject === null ? member : { ...member, warnIfReject: item.warnIfReject };
    }
  }
}

/**
 * Where a part of a value stands in its file. Of a value that holds `$name` it is the one word of the
 * file that reads the same; where there is none, or several, it is the whole assignment, for the part may
 * stand elsewhere.
 *
 * @param start offset in the expanded value
 * @returns null for a default
 */
export function partLocation(effective: Effective, start: number, end: number): Location | null {
  const { setting } = effective;
  if (setting === null) return null;
  const part = writtenPart(effective, start, end);
  if (part === null) return setting.at;
  const line = logicalLineOf(setting);
  const value = valueOffset(line, setting.entry.valueSpan.start);
  return { source: setting.at.source, span: sourceSpan(line, value + part.start, value + part.end) };
}

/** The same part of the value as it is written, before expansion; null where it is not clear. */
export function writtenPart(
  { setting, value }: Effective,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } | null {
  if (setting === null) return null;
  if (setting.value === value) return { start, end };
  const text = value.slice(start, end);
  const same = splitWords(setting.value, true).filter((word) => word.text === text);
  const [only] = same;
  const inValue = splitWords(value, true).filter((word) => word.text === text);
  return only !== undefined && same.length === 1 && inValue.length === 1 ? only : null;
}

function logicalLineOf(setting: PostfixSetting): LogicalLine {
  if (setting.kind === 'main') return setting.entry.line;
  const line = setting.service.entry?.line;
  if (line === undefined) throw new Error('an override without its service');
  return line;
}

/** Offset in the logical line of what stands at `source` in the file. */
function valueOffset(line: LogicalLine, source: number): number {
  const piece = line.pieces.findLast((one) => one.source <= source);
  return piece === undefined ? 0 : piece.at + (source - piece.source);
}

interface Reader {
  readonly configuration: PostfixConfiguration;
  readonly service: Service | null;
  readonly classes: ReadonlySet<string>;
  /** What `type:table` by itself means in the list. */
  readonly check: string | null;
  readonly grouping: boolean;
}

function readList(
  reader: Reader,
  name: string,
  effective: Effective,
  inside: readonly string[],
): RestrictionList {
  const words = splitWords(effective.value, reader.grouping);
  const items: Restriction[] = [];
  let warnIfReject: RestrictionWord | null = null;
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    if (word === undefined) break;
    if (word.text.toLowerCase() === 'warn_if_reject') {
      warnIfReject ??= word;
      continue;
    }
    const element = readElement(reader, word, words[index + 1] ?? null, inside);
    if (element.argument !== null && element.argument !== word) index++;
    items.push({ ...element, warnIfReject });
    warnIfReject = null;
  }
  return { name, effective, items };
}

type Element = Omit<Restriction, 'warnIfReject'>;

function readElement(
  reader: Reader,
  word: RestrictionWord,
  next: RestrictionWord | null,
  inside: readonly string[],
): Element {
  const plain = { word, argument: null, definition: null, members: null, fault: null };
  const { release } = reader.configuration;
  if (word.text.includes(':')) {
    if (reader.check === null) return { ...plain, kind: 'table', name: word.text, fault: 'no-check' };
    const definition = restrictionDefinition(reader.check);
    const fault = knowsTable(word.text, release) ? null : 'unknown-table';
    return { ...plain, kind: 'table', name: reader.check, argument: word, definition, fault };
  }
  const definition = restrictionDefinition(word.text);
  if (definition !== null && arrived(release, definition.since)) {
    const known: Element = { ...plain, kind: 'restriction', name: definition.name, definition };
    if (definition.removed !== null && arrived(release, definition.removed))
      return { ...known, fault: 'removed' };
    return withArgument(known, definition, next, release);
  }
  const members = classMembers(reader, word.text, inside);
  if (members === 'endless') return { ...plain, kind: 'class', name: word.text, fault: 'endless-class' };
  if (members !== null) return { ...plain, kind: 'class', name: word.text, members };
  return { ...plain, kind: 'unknown', name: word.text, fault: 'unknown' };
}

function withArgument(
  known: Element,
  { argument }: RestrictionDefinition,
  next: RestrictionWord | null,
  release: Release,
): Element {
  if (argument === null) return known;
  if (next === null) return { ...known, fault: argument === 'domain' ? 'missing-domain' : 'bad-argument' };
  const good =
    argument === 'domain' || (argument === 'seconds' ? /^\d+$/.test(next.text) : next.text.includes(':'));
  const fault = !good
    ? 'bad-argument'
    : argument === 'table' && !knowsTable(next.text, release)
      ? 'unknown-table'
      : null;
  return { ...known, argument: next, fault };
}

/** The tables that `unix:` has (dict_unix.c): what else stands behind it is meant for a policy service. */
const UNIX_TABLES = /^\{?\s*unix:(?!(?:passwd|group)\.byname\b)/;

/** Types are told apart by case. A name that a template or a parameter will fill is taken for known. */
function knowsTable(text: string, release: Release): boolean {
  if (UNIX_TABLES.test(text)) return false;
  return tableTypesOf(text).every((type) => {
    const since = tableTypeSince(type);
    return since === undefined ? !/^[\w-]+$/.test(type) : arrived(release, since);
  });
}

/** Names of classes are told apart by case, unlike restrictions. */
function classMembers(
  reader: Reader,
  name: string,
  inside: readonly string[],
): RestrictionList | 'endless' | null {
  const { configuration, service } = reader;
  const builtin = Object.hasOwn(PREDEFINED_CLASSES, name) ? PREDEFINED_CLASSES[name] : undefined;
  if (builtin === undefined && !reader.classes.has(name)) return null;
  if (inside.includes(name)) return 'endless';
  const effective = configuration.get(name, service);
  if (builtin === undefined) return readList(reader, name, effective, [...inside, name]);
  return readList(reader, name, { ...effective, value: builtin.join(' '), setting: null }, [...inside, name]);
}

const SEPARATOR = /[,\t\r\n ]/;

/**
 * Words of a restriction list (mystrtokq): separated by commas and white space; from 3.0 on a word runs
 * to the brace that closes its last open one.
 */
export function splitWords(value: string, grouping: boolean): RestrictionWord[] {
  const words: RestrictionWord[] = [];
  for (let at = 0; at < value.length; ) {
    if (SEPARATOR.test(value.charAt(at))) {
      at++;
      continue;
    }
    const start = at;
    for (let level = 0; at < value.length; at++) {
      const char = value.charAt(at);
      if (grouping && char === '{') level++;
      else if (grouping && level > 0 && char === '}') level--;
      else if (level === 0 && SEPARATOR.test(char)) break;
    }
    words.push({ text: value.slice(start, at), start, end: at });
  }
  return words;
}

function arrived(release: Release, since: Release | null): boolean {
  return hasArrived(release, { since, patches: [] });
}
