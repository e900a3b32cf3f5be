import { listWords, type PostfixConfiguration } from './configuration.ts';
import {
  everyRestriction,
  type Restriction,
  type RestrictionEffect,
  type RestrictionList,
  type RestrictionListName,
  restrictionList,
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

/** Walks every list of a service for a client. */
export function admission(
  configuration: PostfixConfiguration,
  service: Service,
  visitor: Visitor,
): Admission {
  const walker = new Walker(configuration, service, visitor);
  const outcomes = new Map<RestrictionListName, ListOutcome>();
  for (const name of TRANSACTION_LISTS) {
    if (configuration.parameter(name) === null) continue;
    outcomes.set(name, walker.walk(restrictionList(configuration, name, service)));
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
  };
}

/** Walks one list for a client. */
export function walkList(
  configuration: PostfixConfiguration,
  service: Service,
  list: RestrictionList,
  visitor: Visitor,
): ListOutcome {
  return new Walker(configuration, service, visitor).walk(list);
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
  return listWords(configuration.value('mynetworks', service)).some((word) =>
    /^(0\.0\.0\.0\/0|\[?(::|0:0:0:0:0:0:0:0)(\]\/0|\/0\]?)|static:.*)$/i.test(word),
  );
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

class Walker {
  readonly #visitor: Visitor;
  readonly #everybody: boolean;

  constructor(configuration: PostfixConfiguration, service: Service, visitor: Visitor) {
    this.#visitor = visitor;
    this.#everybody = mynetworksIsEverybody(configuration, service);
  }

  walk(list: RestrictionList): ListOutcome {
    const mayPermit: Restriction[] = [];
    const mayReject: Restriction[] = [];
    const reached: Reached[] = [];
    const end = this.#walk(list, false, { mayPermit, mayReject, reached });
    return { list, verdict: end?.verdict ?? 'end', by: end?.by ?? null, mayPermit, mayReject, reached };
  }

  #walk(
    list: RestrictionList,
    warnOnly: boolean,
    met: { mayPermit: Restriction[]; mayReject: Restriction[]; reached: Reached[] },
  ): { verdict: 'permit' | 'reject'; by: Restriction } | null {
    for (const item of list.items) {
      const warns = warnOnly || item.warnIfReject !== null;
      met.reached.push({ restriction: item, list, warnOnly: warns });
      if (item.members !== null) {
        const end = this.#walk(item.members, warns, met);
        if (end !== null) return end;
        continue;
      }
      const step = this.#step(item);
      // Errors in the configuration refuse even behind warn_if_reject.
      if (step === 'reject' && (!warns || serverError(item))) return { verdict: 'reject', by: item };
      if (step === 'permit') return { verdict: 'permit', by: item };
      if (step === 'undecided') {
        if (item.definition?.neverPermits !== true) met.mayPermit.push(item);
        if (!warns && item.definition?.effect !== 'permit-backup') met.mayReject.push(item);
      }
    }
    return null;
  }

  #step(item: Restriction): Step {
    if (serverError(item)) return 'reject';
    const { login, certificate, recipient } = this.#visitor;
    const own = recipient === 'own';
    switch (item.definition?.effect) {
      case 'permit':
      case 'permit-naked-address':
        return 'permit';
      case 'reject':
      case 'defer-if-permit':
        return 'reject';
      case 'permit-mynetworks':
        return this.#everybody ? 'permit' : 'go on';
      case 'permit-login':
        return login ? 'permit' : 'go on';
      case 'permit-any-certificate':
        return certificate ? 'permit' : 'go on';
      case 'permit-own':
        return own ? 'permit' : 'go on';
      case 'permit-backup':
        return own ? 'permit' : 'undecided';
      case 'reject-foreign':
        return own ? 'go on' : 'reject';
      case 'permit-own-reject-foreign':
        return own ? 'permit' : 'reject';
      case 'table':
        return this.#table(item);
      case 'policy':
        return 'undecided';
      // The client at his best passes what refuses some, and is none of those whom the others know.
      case 'may-reject':
      case 'permit-interfaces':
      case 'permit-listed':
      case 'permit-listed-certificate':
      case 'nothing':
      case 'warn':
      case undefined:
        break;
    }
    return 'go on';
  }

  /** A table that answers every key alike is decided here; others are not read. */
  #table(item: Restriction): Step {
    const { login, certificate } = this.#visitor;
    const subject = item.definition?.looksAt;
    if (
      (subject === 'certificate' && !certificate) ||
      (subject === 'login' && !login) ||
      subject === 'etrn'
    ) {
      return 'go on';
    }
    const fixed = /^(?:proxy:)?static:(.*)$/s.exec(item.argument?.text ?? '')?.[1];
    if (fixed === undefined) return 'undecided';
    return action(fixed.replace(/^\{\s*([\s\S]*?)\s*\}$/, '$1'), item.definition?.neverPermits === true);
  }
}

/** The answer of an access table (access(5)). */
function action(text: string, neverPermits: boolean): Step {
  const word = (/^[^\s,]*/.exec(text)?.[0] ?? '').toLowerCase();
  if (word === 'dunno') return 'go on';
  if (word === 'ok' || word === 'relay' || word === 'permit' || /^\d+$/.test(text.trim())) {
    return neverPermits ? 'reject' : 'permit';
  }
  if (word === 'reject' || word === 'defer' || word === 'defer_if_permit' || /^[45]\d\d$/.test(word))
    return 'reject';
  return 'undecided';
}

/** True where the element makes smtpd answer 451 to everybody. */
function serverError({ fault }: Restriction): boolean {
  return fault !== null && fault !== 'missing-domain';
}
