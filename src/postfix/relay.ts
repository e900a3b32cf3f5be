import type { AccessAnswer } from './access-lookup.ts';
import {
  type Admission,
  admission,
  elementKey,
  hasRequiredRestriction,
  type ListOutcome,
  type Person,
} from './admission.ts';
import { listWords, type PostfixConfiguration } from './configuration.ts';
import { matchNetworks, type NetworkPattern, networkList, SOME_ADDRESSES } from './networks.ts';
import { openTable } from './open-tables.ts';
import { type RelayDomain, relayDomainOf, relayDomainsOf, relayRecipientOf } from './relay-domains.ts';
import {
  everyRestriction,
  RESTRICTION_LISTS,
  type Restriction,
  type RestrictionEffect,
  type RestrictionList,
  type RestrictionSubject,
  restrictionClasses,
  restrictionList,
  resultRestrictions,
} from './restrictions.ts';
import type { Service } from './services.ts';
import type { Table, TableEntry } from './tables.ts';

/**
 * Whether a stranger can send mail to a third party through an smtpd: an open relay. The lists are walked
 * for clients who have no login, no certificate and an address that nobody has named, and who say what
 * serves them best: any HELO or none, any sender. Compared with running servers of four releases.
 */

/** Who comes: the addresses and the names that he may have. */
export interface Strangers {
  readonly addresses: readonly string[];
  readonly names: readonly string[];
}

/** What lets strangers through. */
export interface Opening {
  /** Who is let through. */
  readonly person: Person;
  /** The element that lets him pass, and the list or class that holds it; null where nothing refuses him. */
  readonly by: { readonly list: RestrictionList; readonly restriction: Restriction } | null;
  /** The entry of a table that makes the element do so. */
  readonly answer: Extract<AccessAnswer, { readonly kind: 'found' }> | null;
  /** The pattern of mynetworks that holds him. */
  readonly network: NetworkPattern | null;
  /** The word of relay_domains that makes each domain one's own. */
  readonly relayDomain: RelayDomain['by'];
  /** What he has to know and to say: a sender or HELO name that a table holds. */
  readonly key: { readonly kind: 'sender' | 'HELO name'; readonly value: string } | null;
}

/** What decides, where that is not known here. */
export interface Decider {
  readonly list: RestrictionList;
  readonly restriction: Restriction;
  /** It can let a stranger pass who would be refused, or refuse one who would pass. */
  readonly can: 'permit' | 'refuse';
}

/** Whether an smtpd is an open relay. */
export type RelayVerdict =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly opening: Opening }
  /** What is not known here decides: tables, policy services, files of networks. */
  | { readonly kind: 'undecided'; readonly deciders: readonly Decider[] }
  /** smtpd does not start, or answers 451 to each stranger. */
  | { readonly kind: 'dead'; readonly why: 'no-guard' | 'class-undefined' | 'networks' | 'server-error' };

const HELO = 'mail.stranger-host.net';
const SENDER = 'someone@stranger-host.net';
/** Of several top-level domains: a pattern may hold only some of them. */
const RECIPIENTS = ['com', 'net', 'org', 'de'].map((top) => `victim@elsewhere-domain.${top}`);

/** Strangers on the Internet: with a name of their own in the DNS, or without one. */
const INTERNET: Strangers = { addresses: SOME_ADDRESSES, names: ['unknown', HELO] };

/** More keys of tables than this are not tried. */
const MOST_KEYS = 200;

/**
 * Decides for one smtpd.
 *
 * @param listener the service that takes the connections: postscreen has a list of its own
 * @param strangers who comes; left out: clients on the Internet
 */
export function relayVerdict(
  configuration: PostfixConfiguration,
  service: Service,
  listener: Service = service,
  strangers: Strangers = INTERNET,
): RelayVerdict {
  if (!hasRequiredRestriction(configuration, service)) return { kind: 'dead', why: 'no-guard' };
  if (restrictionClasses(configuration, service).some((name) => configuration.value(name, service) === ''))
    return { kind: 'dead', why: 'class-undefined' };
  if (networkList(configuration, 'mynetworks', service).patterns.some(({ fault }) => fault === 'fatal'))
    return { kind: 'dead', why: 'networks' };
  const relay = new Relay(configuration, service, listener);
  return relay.decide(strangers);
}

/** Lists that guard against relaying, in the order in which smtpd is usually told to ask them. */
const GUARDS = ['smtpd_relay_restrictions', 'smtpd_recipient_restrictions'] as const;

/** What lets no stranger pass to a third party, and answers him nothing but a refusal. */
const HARMLESS: ReadonlySet<RestrictionEffect> = new Set<RestrictionEffect>([
  'may-reject',
  'permit-login',
  'permit-interfaces',
  'permit-listed',
  'permit-listed-certificate',
  'permit-any-certificate',
  'permit-own',
  'nothing',
]);

/** What tells a client with a name in the DNS from one without. */
const UNKNOWN_CLIENT: ReadonlySet<string> = new Set([
  'reject_unknown_client_hostname',
  'reject_unknown_client',
]);

class Relay {
  readonly #configuration: PostfixConfiguration;
  readonly #service: Service;
  readonly #listener: Service;
  readonly #restrictions: readonly Restriction[];
  readonly #tls: boolean;

  constructor(configuration: PostfixConfiguration, service: Service, listener: Service) {
    this.#configuration = configuration;
    this.#service = service;
    this.#listener = listener;
    const lists = RESTRICTION_LISTS.filter((name) => configuration.parameter(name) !== null).map((name) =>
      restrictionList(configuration, name, service),
    );
    // A table may name a class that no list does.
    const classes = restrictionClasses(configuration, service).join(' ');
    lists.push(resultRestrictions(configuration, 'smtpd_recipient_restrictions', service, classes));
    this.#restrictions = lists.flatMap((list) => [...everyRestriction(list)]);
    this.#tls = offersTls(configuration, service);
  }

  decide(strangers: Strangers): RelayVerdict {
    if (this.#isGuarded(strangers)) return { kind: 'closed' };
    const people = this.#people(strangers);
    const undecided: Admission[] = [];
    let errors = 0;
    let others = 0;
    for (const [person, key] of this.#withKeys(people)) {
      const met = this.#admission(person);
      if (met === null) continue;
      const taken = met.accepted && !met.diverted;
      if (taken && met.mayReject.length === 0) {
        const recipient = this.#recipientTaken(person);
        if (recipient === 'yes') return { kind: 'open', opening: this.#opening(person, met, key) };
        if (recipient === 'unknown') undecided.push(met);
        continue;
      }
      if (met.diverted) continue;
      if (met.accepted || met.mayPermit.length > 0) undecided.push(met);
      else if (isServerError(met)) errors++;
      else others++;
    }
    if (undecided.length > 0) return { kind: 'undecided', deciders: deciders(undecided) };
    return errors > 0 && others === 0 ? { kind: 'dead', why: 'server-error' } : { kind: 'closed' };
  }

  /**
   * What most servers have, without a walk for each client: a list that refuses, and before it nothing that
   * could let a stranger pass or spoil the answer.
   */
  #isGuarded({ addresses, names }: Strangers): boolean {
    const configuration = this.#configuration;
    const service = this.#service;
    const elsewhere = RECIPIENTS.every(
      (recipient) => relayDomainOf(configuration, service, recipient).verdict === 'no',
    );
    if (!elsewhere || this.#restrictions.some(({ fault }) => fault !== null)) return false;
    const networks = networkList(configuration, 'mynetworks', service);
    const outside = addresses.every((address) =>
      names.every((name) => matchNetworks(networks, { address, name }).verdict === 'out'),
    );
    return GUARDS.some((name) => {
      if (configuration.parameter(name) === null) return false;
      for (const item of restrictionList(configuration, name, service).items) {
        const { definition, members, warnIfReject } = item;
        if (members !== null || definition === null) return false;
        const { effect } = definition;
        if (effect === 'table' && this.#knowsNoStranger(item)) continue;
        if (effect === 'reject-foreign' || effect === 'reject') {
          if (warnIfReject === null) return true;
        } else if (!(HARMLESS.has(effect) || (effect === 'permit-mynetworks' && outside))) return false;
      }
      return false;
    });
  }

  /** True for a table of single keys that are not the client's to choose, and for one that he evades. */
  #knowsNoStranger({ name, definition, argument }: Restriction): boolean {
    const table = openTable(argument?.text ?? '', this.#configuration.open);
    if (definition?.looksAt === 'certificate' || definition?.looksAt === 'login') return true;
    if (/_(mx|ns|a)_access$/.test(name)) return true;
    return (
      table.known === 'keys' && (definition?.looksAt === 'client' || definition?.looksAt === 'recipient')
    );
  }

  /** Null where postscreen turns the client away. */
  #admission(person: Person): Admission | null {
    if (turnedAway(this.#configuration, this.#listener, person)) return null;
    const visitor = { login: false, certificate: false, recipient: 'foreign', person } as const;
    return admission(this.#configuration, this.#service, visitor);
  }

  /** The clients to try: of those whom nothing tells apart, one is enough. */
  #people({ addresses, names }: Strangers): readonly Person[] {
    const configuration = this.#configuration;
    const service = this.#service;
    const byClient = this.#hasTable('client');
    const networks = networkList(configuration, 'mynetworks', service).patterns;
    const byName =
      byClient ||
      networks.some(({ kind }) => kind !== 'network') ||
      this.#restrictions.some(({ name }) => UNKNOWN_CLIENT.has(name));
    const naked = this.#restrictions.some(({ definition }) => definition?.effect === 'permit-naked-address');
    const bySilence =
      !configuration.isYes('smtpd_helo_required', service) &&
      (naked ||
        configuration.value('smtpd_helo_restrictions', service) !== '' ||
        this.#restrictions.some(({ definition }) => definition?.looksAt === 'helo'));
    const helos = [HELO, ...(bySilence ? [null] : []), ...(naked ? ['192.0.2.1'] : [])];
    const senders = this.#hasTable('sender') ? [SENDER, ''] : [SENDER];
    const byRecipient =
      this.#hasTable('recipient') || relayDomainsOf(configuration, service).value.includes(':');
    const recipients = byRecipient ? RECIPIENTS : RECIPIENTS.slice(0, 1);
    const known = addresses.filter((address) => this.#speaks(address));
    const apart = byClient ? known : this.#apart(known);
    return apart.flatMap((address) =>
      (byName ? names : names.slice(-1)).flatMap((name) =>
        helos.flatMap((helo) =>
          senders.flatMap((sender) =>
            recipients.map((recipient) => ({ address, name, helo, sender, recipient, tls: this.#tls })),
          ),
        ),
      ),
    );
  }

  /** Whether a table looks at this that may answer one whom nobody has named. */
  #hasTable(subject: RestrictionSubject): boolean {
    return this.#restrictions.some(
      ({ definition, argument }) =>
        definition?.effect === 'table' &&
        definition.looksAt === subject &&
        openTable(argument?.text ?? '', this.#configuration.open).known !== 'keys',
    );
  }

  /** Addresses that mynetworks answers differently, one for each answer. */
  #apart(addresses: readonly string[]): readonly string[] {
    const list = networkList(this.#configuration, 'mynetworks', this.#service);
    const answers = new Map<string, string>();
    for (const address of addresses) {
      const { verdict, by } = matchNetworks(list, { address, name: 'unknown' });
      const key = `${verdict} ${by?.text ?? ''}`;
      if (!answers.has(key)) answers.set(key, address);
    }
    return [...answers.values()];
  }

  /** Whether the server listens on the protocol of an address. */
  #speaks(address: string): boolean {
    const protocols = listWords(this.#configuration.value('inet_protocols', this.#service).toLowerCase());
    const wanted = address.includes(':') ? 'ipv6' : 'ipv4';
    return protocols.length === 0 || protocols.includes('all') || protocols.includes(wanted);
  }

  /** Strangers who say nothing in particular, then those who say what a table holds. */
  *#withKeys(people: readonly Person[]): Iterable<[Person, Opening['key']]> {
    for (const person of people) yield [person, null];
    for (const value of this.#chosen('sender'))
      for (const person of people)
        if (person.sender === SENDER)
          yield [
            { ...person, sender: value },
            { kind: 'sender', value },
          ];
    for (const value of this.#chosen('helo'))
      for (const person of people)
        if (person.helo === HELO)
          yield [
            { ...person, helo: value },
            { kind: 'HELO name', value },
          ];
  }

  /** Senders or HELO names that the tables know. */
  #chosen(subject: 'sender' | 'helo'): readonly string[] {
    const values = new Set<string>();
    for (const { definition, argument } of this.#restrictions) {
      if (definition?.effect !== 'table' || definition.looksAt !== subject || definition.neverPermits)
        continue;
      for (const table of openTable(argument?.text ?? '', this.#configuration.open).tables)
        for (const entry of table.entries) {
          if (refusing(entry.value)) continue;
          for (const value of subject === 'sender' ? sendersFor(table, entry) : helosFor(table, entry))
            values.add(value);
          if (values.size >= MOST_KEYS) return [...values];
        }
    }
    return [...values];
  }

  /** A recipient whose domain counts as one's own must be listed where there is a list (check_recipient_rcpt_maps()). */
  #recipientTaken({ recipient }: Person): 'yes' | 'no' | 'unknown' {
    const own = relayDomainOf(this.#configuration, this.#service, recipient).verdict;
    if (own !== 'yes' || !this.#configuration.isYes('smtpd_reject_unlisted_recipient', this.#service))
      return 'yes';
    return relayRecipientOf(this.#configuration, this.#service, recipient);
  }

  #opening(person: Person, { outcomes }: Admission, key: Opening['key']): Opening {
    const { by: relayDomain } = relayDomainOf(this.#configuration, this.#service, person.recipient);
    const passed = GUARDS.flatMap((name) => {
      const outcome = outcomes.get(name);
      return outcome?.verdict === 'permit' ? [outcome] : [];
    });
    const culprit = passed.find((outcome) => this.#refusesWithout(person, outcome));
    const outcome = culprit ?? (relayDomain === null ? passed[0] : undefined);
    const by = outcome?.by ?? null;
    return {
      person,
      by: by === null || outcome === undefined ? null : { list: holderOf(outcome, by), restriction: by },
      answer: outcome?.answer?.kind === 'found' ? outcome.answer : null,
      network: outcome?.network ?? null,
      relayDomain: culprit === undefined ? relayDomain : null,
      key,
    };
  }

  /** Whether a list would refuse a client but for the element that lets him pass, and others of the same effect. */
  #refusesWithout(person: Person, { list, by, ...outcome }: ListOutcome): boolean {
    const without = new Set<string>();
    let next = by === null ? null : { list: holderOf({ list, by, ...outcome }, by), restriction: by };
    while (next !== null) {
      without.add(elementKey(next.list, next.restriction));
      const visitor = { login: false, certificate: false, recipient: 'foreign', person } as const;
      const again = admission(this.#configuration, this.#service, visitor, without).outcomes.get(
        list.name as (typeof GUARDS)[number],
      );
      if (again?.verdict !== 'permit' || again.by === null) return again?.verdict === 'reject';
      next = { list: holderOf(again, again.by), restriction: again.by };
    }
    return false;
  }
}

/** The list or class that holds an element, as it was met. */
function holderOf({ reached, list }: ListOutcome, wanted: Restriction): RestrictionList {
  return reached.find(({ restriction }) => restriction === wanted)?.list ?? list;
}

function isServerError({ outcomes }: Admission): boolean {
  for (const { verdict, error } of outcomes.values()) if (verdict === 'reject') return error;
  return false;
}

/** What decides in any of the walks, each element once. */
function deciders(walks: readonly Admission[]): readonly Decider[] {
  const found = new Map<string, Decider>();
  for (const { accepted, outcomes } of walks) {
    for (const outcome of outcomes.values()) {
      if (!accepted && outcome.verdict !== 'reject') continue;
      const can = accepted ? 'refuse' : 'permit';
      for (const restriction of accepted ? outcome.mayReject : outcome.mayPermit) {
        const list = holderOf(outcome, restriction);
        const key = `${elementKey(list, restriction)} ${can}`;
        if (!found.has(key)) found.set(key, { list, restriction, can });
      }
    }
  }
  return [...found.values()];
}

/** Whether smtpd offers TLS at all, with which reject_plaintext_session is content. */
function offersTls(configuration: PostfixConfiguration, service: Service): boolean {
  if (configuration.isYes('smtpd_tls_wrappermode', service)) return true;
  const level = configuration.value('smtpd_tls_security_level', service).toLowerCase();
  if (level !== '') return level !== 'none';
  return ['smtpd_use_tls', 'smtpd_enforce_tls'].some((name) => configuration.isYes(name, service));
}

/** Whether postscreen turns a client away by its access list (postscreen_access() of postscreen.c). */
function turnedAway(configuration: PostfixConfiguration, listener: Service, person: Person): boolean {
  if (listener.program !== 'postscreen') return false;
  const name =
    configuration.parameter('postscreen_denylist_action') === null
      ? 'postscreen_blacklist_action'
      : 'postscreen_denylist_action';
  if (!['enforce', 'drop'].includes(configuration.value(name, listener).toLowerCase())) return false;
  for (const word of listWords(configuration.value('postscreen_access_list', listener))) {
    let answer = word.toLowerCase();
    if (answer === 'permit_mynetworks') {
      const list = networkList(configuration, 'mynetworks', listener);
      answer = matchNetworks(list, person).verdict === 'in' ? 'permit' : 'dunno';
    } else if (word.includes(':')) {
      const found = openTable(word, configuration.open).lookup(person.address);
      answer = found.kind === 'found' ? found.result.value.toLowerCase() : 'dunno';
    }
    if (answer === 'permit') return false;
    if (answer === 'reject') return true;
  }
  return false;
}

/** Results that let nobody pass. */
function refusing(value: string): boolean {
  return /^(reject|defer|defer_if_permit|dunno|discard|[45]\d\d[ \t])/i.test(value);
}

/** Senders for whom a table gives this entry; the domain alone first, then a host in it, which is fully qualified. */
function sendersFor(table: Table, { key, value }: Pick<TableEntry, 'key' | 'value'>): readonly string[] {
  if (key === '*') return [];
  if (isPattern(table)) return samples(table, { key, value }, mailboxes);
  if (key === '<>') return [''];
  if (key.endsWith('@')) return [`${key}stranger-host.net`];
  if (key.includes('@')) return [key];
  return helosFor(table, { key, value }).map((host) => `someone@${host}`);
}

/** HELO names for which a table gives this entry. */
function helosFor(table: Table, { key, value }: Pick<TableEntry, 'key' | 'value'>): readonly string[] {
  if (key === '*') return [];
  if (isPattern(table)) return samples(table, { key, value }, (text) => [text]);
  if (key.startsWith('.')) return [`host${key}`];
  return key.includes('.') ? [key] : [key, `host.${key}`];
}

function isPattern({ reference }: Table): boolean {
  return reference.type === 'regexp' || reference.type === 'pcre' || reference.type === 'cidr';
}

/** Texts made of what a simple pattern matches; they are looked up before they are believed. */
function samples(
  table: Table,
  { key, value }: Pick<TableEntry, 'key' | 'value'>,
  shapes: (text: string) => readonly string[],
): readonly string[] {
  const [, pattern = ''] = /^\/(.*)\/[a-z]*$/i.exec(key) ?? [];
  const text = pattern
    .replace(/^\^|\$$/g, '')
    .replace(/(?:\[[^\]]*\]|(?<!\\)\.)[*+]\??/g, 'someone')
    .replace(/\\(.)/g, '$1');
  if (text === '') return [];
  return shapes(text).filter((one) => {
    const found = table.search(one);
    return found !== null && found !== 'undecidable' && found.value === value;
  });
}

/** Ways in which a text may be part of an address. */
function mailboxes(text: string): readonly string[] {
  if (!text.includes('@')) return [`someone@host.${text}`, `someone@${text}`, `${text}@stranger-host.net`];
  const whole = text.startsWith('@') ? `someone${text}` : text;
  return [whole.endsWith('@') ? `${whole}stranger-host.net` : whole];
}
