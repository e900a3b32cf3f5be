import { type AccessAnswer, type AccessClient, lookUpAccess } from './access-lookup.ts';
import type { PostfixConfiguration } from './configuration.ts';
import {
  holdsEverybody,
  matchNetworks,
  type NetworkList,
  type NetworkPattern,
  networkList,
} from './networks.ts';
import { relayDomainOf } from './relay-domains.ts';
import {
  everyRestriction,
  type Restriction,
  type RestrictionEffect,
  type RestrictionList,
  type RestrictionListName,
  type RestrictionSubject,
  restrictionList,
  resultRestrictions,
  sightOf,
} from './restrictions.ts';
import type { Service } from './services.ts';

/**
 * Whom an smtpd lets in: the restriction lists walked for one kind of client, as generic_checks() and
 * smtpd_check_rcpt() of smtpd_check.c walk them. A client who can choose is taken at his best: he greets
 * with a proper name, comes from an address that no block list knows, and writes a sender that exists.
 */

/** A client and what he wants. */
export interface Visitor {
  /** He has logged in (SASL). */
  readonly login: boolean;
  /** He shows a certificate that a CA of the server has signed. */
  readonly certificate: boolean;
  /** A recipient in one of the server's domains, or one elsewhere. */
  readonly recipient: 'own' | 'foreign';
  /** By what he is known to tables and lists of networks; left out: only what answers everybody alike is decided. */
  readonly person?: Person;
}

/** What a client says and is. */
export interface Person extends AccessClient {
  /** He can start TLS. */
  readonly tls: boolean;
}

/** What one list comes to. OK ends its own list only; the end of a list counts as OK. */
export interface ListOutcome {
  readonly list: RestrictionList;
  readonly verdict: 'permit' | 'reject' | 'end';
  /** What decided; null at the end of the list. */
  readonly by: Restriction | null;
  /** Tables and policy services met on the way that could have decided otherwise. */
  readonly mayPermit: readonly Restriction[];
  readonly mayReject: readonly Restriction[];
  /** Every element that was looked at, in order, those of classes included. */
  readonly reached: readonly Reached[];
  /** Where the entry of a table made `by` decide: that entry. */
  readonly answer: AccessAnswer | null;
  /** Where a pattern of mynetworks let the client pass, or spoiled the lookup. */
  readonly network: NetworkPattern | null;
  /** A refusal that is none of the restriction's own: smtpd answers 451 for a mistake in the configuration. */
  readonly error: boolean;
  /** The mail would be thrown away, or sent to somebody else: DISCARD or REDIRECT of a table. */
  readonly diverted: boolean;
}

/** An element that was looked at. */
export interface Reached {
  readonly restriction: Restriction;
  /** The list or class that holds it. */
  readonly list: RestrictionList;
  /** It only logs, for a `warn_if_reject` stands before it or before its class. */
  readonly warnOnly: boolean;
}

/** What all lists of a service come to. */
export interface Admission {
  /** No list refuses: the message is taken. */
  readonly accepted: boolean;
  /** By list. */
  readonly outcomes: ReadonlyMap<RestrictionListName, ListOutcome>;
  /** Tables and policy services of accepting lists that could refuse after all. */
  readonly mayReject: readonly Restriction[];
  /** Where every list that refuses could be passed by the word of a table: those tables. Empty: it is sure. */
  readonly mayPermit: readonly Restriction[];
  /** The mail goes nowhere, or to a recipient of the server's choice. */
  readonly diverted: boolean;
}

/** Lists that a mail transaction passes. */
const TRANSACTION_LISTS: readonly RestrictionListName[] = [
  'smtpd_client_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_sender_restrictions',
  'smtpd_relay_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_data_restrictions',
  'smtpd_end_of_data_restrictions',
];

const NOTHING_LEFT_OUT: ReadonlySet<string> = new Set();

/** Names an element by where it stands: its list or class, and its offset there. */
export function elementKey(list: RestrictionList, { word }: Restriction): string {
  return `${list.name} ${word.start}`;
}

/**
 * Walks every list of a service for a client.
 *
 * @param without elements that are passed over, as `elementKey` names them: what the lists were without them
 */
export function admission(
  configuration: PostfixConfiguration,
  service: Service,
  visitor: Visitor,
  without: ReadonlySet<string> = NOTHING_LEFT_OUT,
): Admission {
  const walker = new Walker(configuration, service, visitor, without);
  const outcomes = new Map<RestrictionListName, ListOutcome>();
  for (const name of TRANSACTION_LISTS) {
    if (configuration.parameter(name) === null) continue;
    const outcome = walker.walk(restrictionList(configuration, name, service), name);
    outcomes.set(name, outcome);
    // DISCARD ends all lists at once.
    if (outcome.diverted && outcome.verdict === 'permit') break;
  }
  const all = [...outcomes.values()];
  const refusing = all.filter(({ verdict }) => verdict === 'reject');
  return {
    accepted: refusing.length === 0,
    outcomes,
    mayReject: all.filter(({ verdict }) => verdict !== 'reject').flatMap(({ mayReject }) => mayReject),
    mayPermit: refusing.every(({ mayPermit }) => mayPermit.length > 0)
      ? refusing.flatMap(({ mayPermit }) => mayPermit)
      : [],
    diverted: all.some(({ diverted }) => diverted),
  };
}

/** Walks one list for a client. */
export function walkList(
  configuration: PostfixConfiguration,
  service: Service,
  list: RestrictionList,
  visitor: Visitor,
): ListOutcome {
  return new Walker(configuration, service, visitor).walk(list, list.name as RestrictionListName);
}

/**
 * True where smtpd starts at all: the relay or the recipient list must hold, before any `permit`, a
 * restriction that refuses by default; one behind warn_if_reject does not count (smtpd_check_init).
 */
export function hasRequiredRestriction(configuration: PostfixConfiguration, service: Service): boolean {
  return (['smtpd_relay_restrictions', 'smtpd_recipient_restrictions'] as const).some(
    (name) =>
      configuration.parameter(name) !== null &&
      listHasRequired(restrictionList(configuration, name, service)),
  );
}

const REQUIRED: ReadonlySet<RestrictionEffect> = new Set<RestrictionEffect>([
  'reject',
  'reject-foreign',
  'permit-own-reject-foreign',
  'defer-if-permit',
]);

function listHasRequired(list: RestrictionList): boolean {
  for (const { definition, members, warnIfReject } of list.items) {
    if (warnIfReject !== null) continue;
    if (definition?.effect === 'permit') return false;
    if (definition !== null && REQUIRED.has(definition.effect)) return true;
    if (members !== null && listHasRequired(members)) return true;
  }
  return false;
}

/** True where `mynetworks` holds the whole Internet: then permit_mynetworks lets anybody in. */
export function mynetworksIsEverybody(configuration: PostfixConfiguration, service: Service | null): boolean {
  return holdsEverybody(networkList(configuration, 'mynetworks', service));
}

/** True where a list of the service holds one of the restrictions, wherever it stands. */
export function uses(
  configuration: PostfixConfiguration,
  service: Service,
  names: ReadonlySet<string>,
): boolean {
  return TRANSACTION_LISTS.some((list) => {
    if (configuration.parameter(list) === null) return false;
    for (const { name } of everyRestriction(restrictionList(configuration, list, service))) {
      if (names.has(name)) return true;
    }
    return false;
  });
}

type Step = 'permit' | 'reject' | 'go on' | 'undecided';

/** What was met on the way through a list. */
interface Met {
  readonly mayPermit: Restriction[];
  readonly mayReject: Restriction[];
  readonly reached: Reached[];
  answer: AccessAnswer | null;
  network: NetworkPattern | null;
  error: boolean;
  diverted: boolean;
}

/** Results of a table behind results of a table: more than this is refused by smtpd as endless. */
const DEEPEST_RESULT = 100;

class Walker {
  readonly #configuration: PostfixConfiguration;
  readonly #service: Service;
  readonly #visitor: Visitor;
  #networks: NetworkList | null = null;
  readonly #delayReject: boolean;
  #list: RestrictionListName = 'smtpd_recipient_restrictions';
  #depth = 0;

  readonly #without: ReadonlySet<string>;

  constructor(
    configuration: PostfixConfiguration,
    service: Service,
    visitor: Visitor,
    without: ReadonlySet<string> = NOTHING_LEFT_OUT,
  ) {
    this.#without = without;
    this.#configuration = configuration;
    this.#service = service;
    this.#visitor = visitor;
    this.#delayReject = configuration.isYes('smtpd_delay_reject', service);
  }

  walk(list: RestrictionList, name: RestrictionListName): ListOutcome {
    const met: Met = {
      mayPermit: [],
      mayReject: [],
      reached: [],
      answer: null,
      network: null,
      error: false,
      diverted: false,
    };
    this.#list = name;
    // Who says no HELO never comes to the list for it.
    const silent = name === 'smtpd_helo_restrictions' && this.#visitor.person?.helo === null;
    const end = silent ? null : this.#walk(list, false, met);
    return { list, verdict: end?.verdict ?? 'end', by: end?.by ?? null, ...met };
  }

  #walk(
    list: RestrictionList,
    warnOnly: boolean,
    met: Met,
  ): { verdict: 'permit' | 'reject'; by: Restriction } | null {
    for (const item of list.items) {
      if (this.#without.size > 0 && this.#without.has(elementKey(list, item))) continue;
      const warns = warnOnly || item.warnIfReject !== null;
      met.reached.push({ restriction: item, list, warnOnly: warns });
      if (item.members !== null) {
        const end = this.#walk(item.members, warns, met);
        if (end !== null) return end;
        continue;
      }
      const step = this.#step(item, warns, met);
      // Errors in the configuration refuse even behind warn_if_reject.
      if (step === 'error') {
        met.error = true;
        return { verdict: 'reject', by: item };
      }
      if (step === 'reject' && !warns) return { verdict: 'reject', by: item };
      if (step === 'permit') return { verdict: 'permit', by: item };
      met.network = null;
      met.answer = null;
      if (step === 'undecided') {
        if (item.definition?.neverPermits !== true) met.mayPermit.push(item);
        if (!warns && item.definition?.effect !== 'permit-backup') met.mayReject.push(item);
      }
      if (step === 'may permit') met.mayPermit.push(item);
    }
    return null;
  }

  #step(item: Restriction, warns: boolean, met: Met): Step | 'error' | 'may permit' {
    if (serverError(item)) return 'error';
    const { definition } = item;
    const { login, certificate, person } = this.#visitor;
    if (definition === null || !this.#seen(definition.looksAt)) return 'go on';
    switch (definition.effect) {
      case 'permit':
        return 'permit';
      case 'permit-naked-address':
        return person === undefined || /^[\d.:]+$/.test(person.helo ?? '') ? 'permit' : 'go on';
      case 'reject':
      case 'defer-if-permit':
        return 'reject';
      case 'permit-mynetworks':
        return this.#network(met);
      case 'permit-login':
        return login ? 'permit' : 'go on';
      case 'permit-any-certificate':
        return certificate ? 'permit' : 'go on';
      case 'permit-own':
      case 'permit-backup':
      case 'reject-foreign':
      case 'permit-own-reject-foreign':
        return this.#destination(definition.effect);
      case 'table':
        return person === undefined ? this.#sameForAll(item) : this.#table(item, person, warns, met);
      case 'policy':
        return 'undecided';
      case 'may-reject':
        return person !== undefined && refuses(definition.name, person) ? 'reject' : 'go on';
      // The client is none of those whom the others know.
      case 'permit-interfaces':
      case 'permit-listed':
      case 'permit-listed-certificate':
      case 'nothing':
      case 'warn':
        break;
    }
    return 'go on';
  }

  /**
   * Whether a restriction has in this list what it looks at. A client at his best sends to two recipients
   * at once, and is careful with pipelining: what is seen only sometimes is not seen of him.
   */
  #seen(subject: RestrictionSubject): boolean {
    const sight = sightOf(this.#list, subject, this.#delayReject);
    const own = subject === 'certificate' || subject === 'login';
    return sight === 'always' || (sight === 'sometimes' && own);
  }

  #network(met: Met): Step | 'error' {
    const { person } = this.#visitor;
    this.#networks ??= networkList(this.#configuration, 'mynetworks', this.#service);
    if (person === undefined) return holdsEverybody(this.#networks) ? 'permit' : 'go on';
    const { verdict, by } = matchNetworks(this.#networks, person);
    if (verdict === 'out') return 'go on';
    met.network = by;
    return verdict === 'in' ? 'permit' : verdict === 'error' ? 'error' : 'undecided';
  }

  #destination(
    effect: 'permit-own' | 'permit-backup' | 'reject-foreign' | 'permit-own-reject-foreign',
  ): Step | 'may permit' {
    const { person, recipient } = this.#visitor;
    const own =
      recipient === 'own'
        ? 'yes'
        : person === undefined
          ? 'no'
          : relayDomainOf(this.#configuration, this.#service, person.recipient).verdict;
    if (own === 'unknown') return 'undecided';
    if (own === 'yes') return effect === 'reject-foreign' ? 'go on' : 'permit';
    if (effect === 'reject-foreign' || effect === 'permit-own-reject-foreign') return 'reject';
    // With a list of networks only domains whose servers stand there count: not any domain.
    const anyBackup =
      effect === 'permit-backup' &&
      this.#configuration.value('permit_mx_backup_networks', this.#service) === '';
    return anyBackup ? 'may permit' : 'go on';
  }

  /** A table that answers every key alike is decided; others are not read. */
  #sameForAll(item: Restriction): Step | 'error' {
    const { login, certificate } = this.#visitor;
    const subject = item.definition?.looksAt;
    if ((subject === 'certificate' && !certificate) || (subject === 'login' && !login)) return 'go on';
    const fixed = /^(?:proxy:)?static:(.*)$/s.exec(item.argument?.text ?? '')?.[1];
    if (fixed === undefined) return 'undecided';
    const step = action(fixed.replace(/^\{\s*([\s\S]*?)\s*\}$/, '$1'));
    if (step === 'permit' && item.definition?.neverPermits === true) return 'error';
    return typeof step === 'string' ? step : 'undecided';
  }

  /** What a table says of the client, and what follows from it (check_table_result()). */
  #table(item: Restriction, person: Person, warns: boolean, met: Met): Step | 'error' | 'may permit' {
    const answer = lookUpAccess(this.#configuration, this.#service, item, person);
    if (answer.kind === 'none') return 'go on';
    if (answer.kind === 'broken') return 'error';
    if (answer.kind === 'unknown') return answer.chosen ? 'may permit' : 'undecided';
    met.answer = answer;
    const step = action(answer.result.value);
    const never = item.definition?.neverPermits === true;
    if (typeof step === 'string') return step === 'permit' && never ? 'error' : step;
    if ('diverts' in step) {
      if (this.#configuration.value('smtpd_proxy_filter', this.#service) !== '') return 'go on';
      met.diverted = true;
      return step.diverts === 'all' ? 'permit' : 'go on';
    }
    const end = this.#result(step.restrictions, warns, met);
    return end === 'permit' && never ? 'error' : end;
  }

  /** Restrictions that a table gives as its result. */
  #result(text: string, warns: boolean, met: Met): Step | 'error' {
    if (text.includes(':') || this.#depth >= DEEPEST_RESULT) return 'error';
    const { answer } = met;
    const list = resultRestrictions(this.#configuration, this.#list, this.#service, text);
    this.#depth++;
    const end = this.#walk(list, warns, met);
    this.#depth--;
    met.answer = answer;
    if (end === null) return 'go on';
    return end.verdict === 'reject' && serverError(end.by) ? 'error' : end.verdict;
  }
}

/** Restrictions that what is known of the client decides; else he is taken at his best. */
function refuses(name: string, { name: host, helo, sender, tls }: Person): boolean {
  switch (name) {
    case 'reject_unknown_client_hostname':
    case 'reject_unknown_client':
      return host === 'unknown';
    case 'reject_non_fqdn_helo_hostname':
    case 'reject_non_fqdn_hostname':
      return helo !== null && !helo.includes('.');
    case 'reject_non_fqdn_sender':
      return sender !== '' && !sender.slice(sender.lastIndexOf('@')).includes('.');
    case 'reject_plaintext_session':
      return !tls;
    default:
      return false;
  }
}

/** What an entry of an access table does (access(5), check_table_result()). */
function action(
  text: string,
): Step | { readonly diverts: 'one' | 'all' } | { readonly restrictions: string } {
  const [, command = '', rest = ''] = /^([^ \t]*)[ \t]*([^]*)$/.exec(text) ?? [];
  const word = command.toLowerCase();
  if (text === '' || /^\d+$/.test(text)) return 'permit';
  if (/^[45]\d\d$/.test(word) && rest !== '') return 'reject';
  switch (word) {
    case 'ok':
    case 'relay':
      return 'permit';
    case 'reject':
    case 'defer':
    case 'defer_if_permit':
    case 'hangup':
      return 'reject';
    case 'discard':
      return { diverts: 'all' };
    case 'redirect':
      return rest.includes('@') ? { diverts: 'one' } : 'go on';
    case 'dunno':
    case 'info':
    case 'warn':
    case 'filter':
    case 'hold':
    case 'defer_if_reject':
    case 'prepend':
    case 'bcc':
      return 'go on';
    default:
      return { restrictions: text };
  }
}

/** True where the element makes smtpd answer 451 to everybody. */
function serverError({ fault }: Restriction): boolean {
  return fault !== null && fault !== 'missing-domain';
}
