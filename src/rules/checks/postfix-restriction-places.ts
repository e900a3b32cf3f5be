import type { Related } from '../../model/finding.ts';
import { hasRequiredRestriction } from '../../postfix/admission.ts';
import type { PlacedRestriction } from '../../postfix/restriction-reach.ts';
import {
  type Restriction,
  type RestrictionEffect,
  type RestrictionListName,
  type RestrictionSubject,
  type RestrictionWord,
  sightOf,
  splitWords,
} from '../../postfix/restrictions.ts';
import { parseTableReference, readTable } from '../../postfix/tables.ts';
import type { Check, CheckContext, Report } from '../check.ts';
import { isSettled, type ListUse, listsInUse, partPlace } from './restriction-lists.ts';
import { smtpdEndpoints } from './smtpd-auth.ts';

/** Restrictions that do not do what their place in the list suggests (smtpd_check.c, generic_checks). */

/** Effects of elements that end every list on purpose, or change nothing where the list has ended. */
const PLAIN: ReadonlySet<RestrictionEffect> = new Set<RestrictionEffect>([
  'permit',
  'reject',
  'permit-own',
  'reject-foreign',
  'permit-own-reject-foreign',
  'permit-mynetworks',
  'permit-login',
  'nothing',
  'warn',
]);

const restrictionUnreachable: Check = function* (context) {
  for (const use of listsInUse(context)) {
    const dead = new Set<unknown>();
    const groups = new Map<unknown, PlacedRestriction[]>();
    for (const placed of use.placed) {
      const { item, holder, endedBy } = placed;
      if (endedBy === null) continue;
      // Where a class is not reached, its members need not be named.
      if (item.members !== null) dead.add(item.members);
      if (dead.has(holder)) continue;
      groups.set(holder, [...(groups.get(holder) ?? []), placed]);
    }
    for (const group of groups.values()) yield* unreachable(context, use, group);
  }
};

function* unreachable(
  context: CheckContext,
  use: ListUse,
  group: readonly PlacedRestriction[],
): Iterable<Report> {
  const by = group[0]?.endedBy ?? null;
  const effect = by?.definition?.effect;
  // Where mynetworks holds everybody, that is what has to change.
  if (by === null || effect === 'permit-mynetworks') return;
  const alone = effect !== 'permit-own' && effect !== 'permit-backup' && effect !== 'reject-foreign';
  // Behind a pair that leaves nothing over, a last permit or reject is there to make sure.
  const missed = alone ? group : group.filter(({ item }) => !isPlain(item));
  const [first] = missed;
  const last = missed.at(-1);
  if (first === undefined || last === undefined) return;
  const { holder } = first;
  const end = last.item.argument?.end ?? last.item.word.end;
  const start = (first.item.warnIfReject ?? first.item.word).start;
  const inHolder = use.placed.some((placed) => placed.item === by && placed.holder === holder);
  yield {
    message: alone ? 'default' : 'together',
    at: partPlace(context, use, holder, start, end),
    of: holder.effective,
    endpoint: use.endpoint,
    data: {
      words: missed.map(({ item }) => item.word.text),
      by:
        by.kind === 'restriction' && effect === 'table'
          ? `${by.word.text} ${by.argument?.text}`
          : by.word.text,
      own: first.ownEndedBy?.word.text ?? '',
      foreign: first.foreignEndedBy?.word.text ?? '',
      in: holder.name,
      class: inHolder ? '' : classAround(use, by),
    },
  };
}

function isPlain({ definition }: Restriction): boolean {
  return definition !== null && PLAIN.has(definition.effect);
}

/** The class in which an element stands. */
function classAround({ placed }: ListUse, by: PlacedRestriction['item']): string {
  return placed.find(({ item }) => item === by)?.holder.name ?? '';
}

const restrictionMisplaced: Check = function* (context) {
  for (const use of listsInUse(context)) {
    for (const placed of use.placed) {
      if (placed.endedBy !== null) continue;
      yield* unseen(context, use, placed);
      yield* warnsNothing(context, use, placed);
      yield* okRefused(context, use, placed);
      yield* withoutLogin(context, use, placed);
    }
    yield* warnsAtEnd(context, use);
    yield* ownSkipped(context, use);
  }
  yield* warnedGuards(context);
  yield* loginSkipped(context);
};

/** A report at an element, or at the class of smtpd's own that brought it. */
function at(
  context: CheckContext,
  use: ListUse,
  { item, holder }: PlacedRestriction,
  shown?: RestrictionWord,
): Pick<Report, 'at' | 'of' | 'endpoint'> {
  const builtIn = holder.effective.setting === null;
  const outer = builtIn ? use.placed.find((placed) => placed.item.members === holder) : undefined;
  const of = outer?.holder ?? holder;
  const word = outer?.item.word ?? shown ?? item.word;
  return {
    at: partPlace(context, use, of, word.start, word.end),
    of: of.effective,
    endpoint: use.endpoint,
  };
}

/** How messages name what a restriction looks at. */
const SUBJECTS: Readonly<Record<RestrictionSubject, string>> = {
  nothing: 'nothing',
  client: 'the client',
  certificate: 'the certificate of the client',
  login: 'the login',
  helo: 'the HELO name',
  sender: 'the sender',
  recipient: 'the recipient',
  recipients: 'the number of recipients',
  pipelining: 'pipelining',
  etrn: 'the domain of ETRN',
};

/** When a list that does not wait is looked at. */
const MOMENTS: Readonly<Record<RestrictionListName, string>> = {
  smtpd_client_restrictions: 'the client has connected and said nothing yet',
  smtpd_helo_restrictions: 'the client greets',
  smtpd_sender_restrictions: 'the client has named the sender only',
  smtpd_relay_restrictions: 'the client names a recipient',
  smtpd_recipient_restrictions: 'the client names a recipient',
  smtpd_data_restrictions: 'the client sends DATA',
  smtpd_end_of_data_restrictions: 'the message has ended',
  smtpd_etrn_restrictions: 'the client sends ETRN, which has neither sender nor recipient',
};

const EARLY: ReadonlySet<RestrictionListName> = new Set<RestrictionListName>([
  'smtpd_client_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_sender_restrictions',
]);

/** What a restriction looks at is not there when its list is looked at. */
function* unseen(context: CheckContext, use: ListUse, placed: PlacedRestriction): Iterable<Report> {
  const { definition } = placed.item;
  if (definition === null || definition.effect === 'nothing' || placed.item.fault !== null) return;
  const { postfix } = context;
  const delay = postfix.get('smtpd_delay_reject', use.endpoint.service);
  if (EARLY.has(use.name) && !isSettled(delay)) return;
  const waits = delay.value.toLowerCase() !== 'no';
  const sight = sightOf(use.name, definition.looksAt, waits);
  const one = sight === 'sometimes' && definition.looksAt === 'recipient';
  if (sight !== 'never' && !one) return;
  const early = EARLY.has(use.name) && !waits;
  yield {
    ...at(context, use, placed),
    message: one ? 'oneRecipient' : early ? 'early' : 'never',
    data: {
      word: placed.item.word.text,
      in: use.name,
      sees: SUBJECTS[definition.looksAt],
      moment: MOMENTS[use.name],
      etrn: definition.looksAt === 'etrn',
    },
    related:
      early && delay.setting !== null ? [{ at: delay.setting.at, message: 'the lists do not wait' }] : [],
  };
}

/** Effects of which none refuses. */
const NEVER_REFUSES: ReadonlySet<RestrictionEffect> = new Set<RestrictionEffect>([
  'permit',
  'permit-mynetworks',
  'permit-interfaces',
  'permit-login',
  'permit-listed-certificate',
  'permit-any-certificate',
  'permit-own',
  'permit-listed',
  'nothing',
]);

/** warn_if_reject goes for the next restriction alone. */
function* warnsNothing(context: CheckContext, use: ListUse, placed: PlacedRestriction): Iterable<Report> {
  const { warnIfReject, definition } = placed.item;
  if (warnIfReject === null || definition === null || !NEVER_REFUSES.has(definition.effect)) return;
  yield {
    ...at(context, use, placed, warnIfReject),
    message: 'warnsNothing',
    data: { word: placed.item.word.text, in: placed.holder.name },
  };
}

function* warnsAtEnd(context: CheckContext, use: ListUse): Iterable<Report> {
  const word = splitWords(use.list.effective.value, true).at(-1);
  if (word?.text.toLowerCase() !== 'warn_if_reject') return;
  yield {
    at: partPlace(context, use, use.list, word.start, word.end),
    of: use.list.effective,
    endpoint: use.endpoint,
    message: 'warnsAtEnd',
    data: { in: use.name },
  };
}

/** A table whose OK is taken for a mistake has an entry with OK. */
function* okRefused(context: CheckContext, use: ListUse, placed: PlacedRestriction): Iterable<Report> {
  const { definition, argument, fault } = placed.item;
  if (definition?.neverPermits !== true || argument === null || fault !== null) return;
  const reference = parseTableReference(argument.text);
  if (reference === null) return;
  const source = reference.name.startsWith('/') ? context.postfix.open(reference.name) : null;
  const table = readTable(reference, source);
  const entries = table?.entries.filter(({ value }) => /^(?:ok|relay|permit|\d+)\s*$/i.test(value)) ?? [];
  const [first] = entries;
  if (first === undefined) return;
  yield {
    ...at(context, use, placed),
    message: 'okRefused',
    data: { word: placed.item.word.text, in: placed.holder.name, key: first.key, value: first.value },
    related:
      source === null
        ? []
        : entries.slice(0, MOST_RELATED).map(({ key, value, valueSpan }) => ({
            at: { source, span: valueSpan },
            message: `${key} has ${value}`,
          })),
  };
}

/** So many places are named beside the one of the finding. */
const MOST_RELATED = 5;

/** Something that needs AUTH where AUTH is off for every service that has the list. */
function* withoutLogin(context: CheckContext, use: ListUse, placed: PlacedRestriction): Iterable<Report> {
  const { postfix } = context;
  const { definition, fault } = placed.item;
  const needs = definition?.needs ?? null;
  if (definition === null || needs === null || fault !== null || postfix.main === null) return;
  const { setting } = use.list.effective;
  const sharing = smtpdEndpoints(context).filter(
    ({ service }) =>
      postfix.setting(use.name, service)?.at.span.start === setting?.at.span.start && !service.assumed,
  );
  const off = sharing.every(({ service }) => {
    const of = postfix.get(needs, service);
    return isSettled(of) && of.value.toLowerCase() !== 'yes';
  });
  if (!off || (postfix.master === null && setting?.kind === 'main')) return;
  const closed =
    setting?.kind === 'override' &&
    use.list.items.some(
      ({ definition: other, warnIfReject }) => other?.effect === 'reject' && warnIfReject === null,
    );
  if (definition.effect === 'permit-login' && !closed) return;
  yield {
    ...at(context, use, placed),
    message: definition.effect === 'permit-login' ? 'nobodyLogsIn' : 'noLogin',
    data: { word: placed.item.word.text, in: use.name, needs },
  };
}

/** Effects of restrictions that look for unwanted mail. */
const LOOKS_FOR_SPAM: ReadonlySet<RestrictionEffect> = new Set<RestrictionEffect>([
  'may-reject',
  'table',
  'policy',
]);

/** Mail for recipients of this host has left the list before the checks that are there for it. */
function* ownSkipped(context: CheckContext, use: ListUse): Iterable<Report> {
  const skipped = use.placed.filter(
    ({ item, own, endedBy, warnOnly }) =>
      !own &&
      endedBy === null &&
      !warnOnly &&
      item.definition !== null &&
      LOOKS_FOR_SPAM.has(item.definition.effect) &&
      item.name !== 'reject_unlisted_recipient',
  );
  const [first] = skipped;
  const by = use.placed.find(({ item }) => item === first?.ownEndedBy);
  if (first === undefined || by === undefined) return;
  const related: Related[] = skipped.slice(0, MOST_RELATED).map((one) => ({
    at: at(context, use, one).at,
    message: `${one.item.word.text} is not reached`,
  }));
  yield {
    ...at(context, use, by),
    message: 'ownSkipped',
    data: {
      word: by.item.word.text,
      in: use.name,
      skipped: [...new Set(skipped.map(({ item }) => item.word.text))],
    },
    related,
  };
}

const GUARD_LISTS: readonly RestrictionListName[] = [
  'smtpd_relay_restrictions',
  'smtpd_recipient_restrictions',
];

/** Effects that keep a stranger from relaying. */
const GUARDS: ReadonlySet<RestrictionEffect> = new Set<RestrictionEffect>([
  'reject-foreign',
  'permit-own-reject-foreign',
  'reject',
  'defer-if-permit',
]);

/** warn_if_reject before the only restriction that guards against relaying, of an smtpd that starts all the same. */
function* warnedGuards(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  const uses = [...listsInUse(context)];
  for (const endpoint of smtpdEndpoints(context)) {
    const { service } = endpoint;
    if (service.assumed || !hasRequiredRestriction(postfix, service)) continue;
    const own = uses.filter((use) => use.endpoint === endpoint);
    const guards = own.flatMap((use) =>
      use.placed
        .map((placed) => ({ use, placed }))
        .filter(({ placed: { item, endedBy } }) => {
          return endedBy === null && item.definition !== null && GUARDS.has(item.definition.effect);
        }),
    );
    // A list that was left out may hold the guard, and so may the default of the release.
    const complete = GUARD_LISTS.every(
      (name) =>
        postfix.parameter(name) === null ||
        own.some((use) => use.name === name) ||
        postfix.value(name, service) === '',
    );
    if (!complete || guards.some(({ placed }) => !placed.warnOnly)) continue;
    for (const { use, placed } of guards) {
      yield {
        ...at(context, use, placed),
        message: 'warnedGuard',
        data: { word: placed.item.word.text, in: placed.holder.name },
      };
    }
  }
}

/** Checks that the sender address belongs to who has logged in. */
const LOGIN_CHECKS: ReadonlySet<string> = new Set([
  'reject_sender_login_mismatch',
  'reject_authenticated_sender_login_mismatch',
  'reject_known_sender_login_mismatch',
]);

/** A check of who has logged in, behind what has let him pass. */
function* loginSkipped(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  const uses = [...listsInUse(context)];
  for (const endpoint of smtpdEndpoints(context)) {
    if (!postfix.isYes('smtpd_sasl_auth_enable', endpoint.service)) continue;
    const checks = uses
      .filter((use) => use.endpoint === endpoint)
      .flatMap((use) => loginChecks(use).map((one) => ({ ...one, use })));
    if (checks.some(({ before }) => before === null)) continue;
    for (const { use, placed, before } of checks) {
      yield {
        ...at(context, use, placed),
        message: 'loginSkipped',
        data: { word: placed.item.word.text, in: placed.holder.name, before },
      };
    }
  }
}

function loginChecks({ placed }: ListUse): { placed: PlacedRestriction; before: string | null }[] {
  const found: { placed: PlacedRestriction; before: string | null }[] = [];
  let before: string | null = null;
  for (const one of placed) {
    if (one.endedBy !== null) break;
    if (one.item.definition?.effect === 'permit-login') before ??= one.item.word.text;
    if (LOGIN_CHECKS.has(one.item.name) && one.holder.effective.setting !== null)
      found.push({ placed: one, before });
  }
  return found;
}

/** Checks of where restrictions stand, by rule id. */
export const restrictionPlaceChecks: Readonly<Record<string, Check>> = {
  'postfix/restriction-unreachable': restrictionUnreachable,
  'postfix/restriction-misplaced': restrictionMisplaced,
};
