import { admission, type ListOutcome } from '../../postfix/admission.ts';
import { type Effective, listWords, type PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { proposeRemoval, proposeSetting, proposeValue } from '../../postfix/proposals.ts';
import { splitWords } from '../../postfix/restrictions.ts';
import type { Service } from '../../postfix/services.ts';
import { parseTableReference, readTable, tableStorage } from '../../postfix/tables.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { isPlaceholder, isTold, publicSmtpd } from './postfix-hygiene.ts';

/**
 * Recipients that smtpd accepts without knowing them. Source: smtpd_check.c (smtpd_check_rcpt,
 * check_rcpt_maps): a recipient that a canonical or virtual alias map knows passes; else the table of its
 * class of domain decides, and an empty table knows everybody.
 */

const REJECT_UNLISTED = 'smtpd_reject_unlisted_recipient';
const OVERRIDES = 'receive_override_options';
const SKIP = 'no_unknown_recipient_checks';

const unlistedRecipient: Check = function* (context) {
  for (const endpoint of publicSmtpd(context)) {
    if (endpoint.role !== 'mx') continue;
    const { postfix } = context;
    const { accepted, outcomes } = admission(postfix, endpoint.service, {
      login: false,
      certificate: false,
      recipient: 'own',
    });
    if (!accepted || asksElsewhere(outcomes.values())) continue;
    const skipped = skippedChecks(postfix, endpoint);
    if (skipped !== null) yield skipped;
    else yield* unlistedBy(context, endpoint, listsRecipients(outcomes.values()));
  }
};

/** True where another server, or a policy service, is asked whether the recipient exists. */
function asksElsewhere(outcomes: Iterable<ListOutcome>): boolean {
  return reaches(outcomes, 'reject_unverified_recipient');
}

/** True where the tables are looked up by a restriction of its own. */
function listsRecipients(outcomes: Iterable<ListOutcome>): boolean {
  return reaches(outcomes, 'reject_unlisted_recipient') || reaches(outcomes, 'check_recipient_maps');
}

function reaches(outcomes: Iterable<ListOutcome>, name: string): boolean {
  return [...outcomes].some(({ reached }) =>
    reached.some(({ restriction, warnOnly }) => restriction.name === name && !warnOnly),
  );
}

/** `no_unknown_recipient_checks` is for the service that takes mail back from a content filter. */
function skippedChecks(postfix: PostfixConfiguration, endpoint: PostfixEndpoint): Report | null {
  const of = postfix.get(OVERRIDES, endpoint.service);
  const words = listWords(of.value);
  if (of.setting === null || !words.includes(SKIP) || !isTold(postfix, of)) return null;
  const kept = words.filter((word) => word !== SKIP).join(',');
  return {
    message: 'skipped',
    at: of.setting.at,
    of,
    endpoint,
    expected: kept,
    fix: {
      title: `take ${SKIP} out of ${OVERRIDES}`,
      safe: false,
      ...proposeValue(postfix, of.setting, kept),
    },
  };
}

function* unlistedBy(context: CheckContext, endpoint: PostfixEndpoint, listed: boolean): Iterable<Report> {
  const { postfix } = context;
  const { service } = endpoint;
  const of = postfix.get(REJECT_UNLISTED, service);
  if (of.value.toLowerCase() === 'no' && !listed) {
    if (of.setting === null || !isTold(postfix, of)) return;
    yield {
      message: 'off',
      at: of.setting.at,
      of,
      endpoint,
      expected: 'yes',
      fix: {
        title: `set ${REJECT_UNLISTED} to yes`,
        ...proposeSetting(postfix, REJECT_UNLISTED, 'yes', [service], 'main'),
      },
    };
    return;
  }
  yield* emptyTables(postfix, endpoint);
  yield* wildcardAliases(postfix, endpoint);
}

/** A class of domains and the table of its recipients. */
interface AddressClass {
  readonly message: string;
  readonly domains: string;
  readonly recipients: string;
}

const CLASSES: readonly AddressClass[] = [
  { message: 'local', domains: 'mydestination', recipients: 'local_recipient_maps' },
  { message: 'virtual', domains: 'virtual_mailbox_domains', recipients: 'virtual_mailbox_maps' },
  { message: 'relay', domains: 'relay_domains', recipients: 'relay_recipient_maps' },
];

function* emptyTables(postfix: PostfixConfiguration, endpoint: PostfixEndpoint): Iterable<Report> {
  const { service } = endpoint;
  for (const { message, domains, recipients } of CLASSES) {
    const table = postfix.get(recipients, service);
    const named = postfix.get(domains, service);
    if (table.value !== '' || table.expansion.failed || table.expansion.problems.length > 0) continue;
    if (!isTold(postfix, named) || (table.setting !== null && !isTold(postfix, table))) continue;
    const isLocal = message === 'local';
    // By default local recipients are known, and the other classes have no domains.
    if (isLocal ? table.setting === null : named.setting === null) continue;
    const own = domainsOf(postfix, service, domains);
    if (own.length === 0 || (isLocal && deliversToAnybody(postfix, service))) continue;
    yield {
      message,
      at: (table.setting ?? named.setting)?.at as Location,
      of: table,
      endpoint,
      data: { domains: own.slice(0, SHOWN), more: Math.max(0, own.length - SHOWN), parameter: domains },
      related:
        table.setting !== null && named.setting !== null
          ? [{ at: named.setting.at, message: `the domains of ${domains}` }]
          : [],
      fix: isLocal ? localFix(postfix, service, table) : null,
    };
  }
}

/** Domains that a message names; the rest is counted. */
const SHOWN = 3;

/** Domains, and tables of domains, that are not in a class that comes before (resolve.c: local, alias, mailbox, relay). */
function domainsOf(postfix: PostfixConfiguration, service: Service, name: string): readonly string[] {
  const order = ['mydestination', 'virtual_alias_domains', 'virtual_mailbox_domains', 'relay_domains'];
  const earlier = new Set(
    order
      .slice(0, order.indexOf(name))
      .flatMap((other) => listWords(postfix.value(other, service).toLowerCase())),
  );
  return splitWords(postfix.value(name, service), true)
    .map(({ text }) => text)
    .filter((word) => /^[^!].*[a-z]/i.test(word) && !earlier.has(word.toLowerCase()) && !isPlaceholder(word))
    .filter((word) => !mayBeEmpty(postfix, word, name));
}

/**
 * True for a table that can be read and holds nothing, and for one of relay domains in a database: hosts have
 * it for domains to come. A file is made for domains.
 */
function mayBeEmpty(postfix: PostfixConfiguration, word: string, name: string): boolean {
  const reference = parseTableReference(word);
  if (reference === null) return false;
  if (tableStorage(reference) === 'opaque') return name === 'relay_domains';
  const source = tableStorage(reference) === 'file' ? postfix.open(reference.name) : null;
  return readTable(reference, source)?.entries.length === 0;
}

/** True where unknown local recipients are refused by the transport, or have a mailbox that takes all. */
function deliversToAnybody(postfix: PostfixConfiguration, service: Service): boolean {
  return (
    postfix.value('luser_relay', service) !== '' ||
    /^(?:error|retry|discard):?/.test(postfix.value('local_transport'))
  );
}

/** Parameters that send local mail to programs that have users of their own. */
const LOCAL_DELIVERY = [
  'mailbox_transport',
  'mailbox_transport_maps',
  'fallback_transport',
  'fallback_transport_maps',
];

/** The default table knows the accounts of the system and the aliases: right where local(8) itself delivers. */
function localFix(
  postfix: PostfixConfiguration,
  service: Service,
  { setting }: Effective,
): ProposedFix | null {
  if (setting === null) return null;
  const bySystem =
    LOCAL_DELIVERY.every((name) => postfix.value(name, service) === '') &&
    /^local(?::|$)/.test(postfix.value('local_transport', service));
  return bySystem
    ? { title: `remove ${setting.name}`, safe: false, ...proposeRemoval(postfix, setting) }
    : null;
}

/** `@old.example @new.example`: every name in the old domain is accepted, whoever exists in the new one. */
function* wildcardAliases(postfix: PostfixConfiguration, endpoint: PostfixEndpoint): Iterable<Report> {
  const of = postfix.get('virtual_alias_maps', endpoint.service);
  if (of.setting === null || !isTold(postfix, of)) return;
  for (const { text } of splitWords(of.value, true)) {
    const reference = parseTableReference(text);
    if (reference === null || tableStorage(reference) !== 'file') continue;
    const source = postfix.open(reference.name);
    const entries = source === null ? [] : (readTable(reference, source)?.entries ?? []);
    const wild = entries.filter(
      ({ key, value }) => /^@[^@\s]+$/.test(key) && listWords(value).some((word) => /^@[^@]/.test(word)),
    );
    const [first] = wild;
    if (source === null || first === undefined) continue;
    yield {
      message: 'wildcard',
      at: { source, span: { start: first.keySpan.start, end: first.valueSpan.end } },
      setting: of.name,
      actual: `${first.key} ${first.value}`,
      endpoint,
      data: { from: first.key, to: first.value, others: wild.length - 1, table: text },
      related: [{ at: of.setting.at, message: 'the table is used here' }],
    };
  }
}

/** Checks of what recipients are accepted, by the name that rule files call. */
export const recipientChecks: Readonly<Record<string, Check>> = {
  'postfix/unlisted-recipient': unlistedRecipient,
};
