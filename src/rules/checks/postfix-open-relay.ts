import { hasRequiredRestriction } from '../../postfix/admission.ts';
import { listWords, type PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { proposeSetting, proposeValue } from '../../postfix/proposals.ts';
import { type Decider, type Opening, type RelayVerdict, relayVerdict } from '../../postfix/relay.ts';
import { relayDomainsOf } from '../../postfix/relay-domains.ts';
import {
  partLocation,
  RESTRICTION_LISTS,
  type Restriction,
  type RestrictionList,
  restrictionClasses,
  writtenPart,
} from '../../postfix/restrictions.ts';
import type { Service } from '../../postfix/services.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import { withoutPattern } from './network-patterns.ts';
import { addRelayCheck } from './postfix-relay.ts';
import { isOpenSubmission } from './postfix-submission.ts';
import { isSettled } from './restriction-lists.ts';
import { smtpdEndpoints } from './smtpd-auth.ts';

/**
 * Open relays, and services of which the files do not tell. A service whose submission is open to all is
 * left to postfix/submission-open, which demands a login; one that does not start to
 * postfix/relay-check-missing.
 */

const openRelay: Check = function* (context) {
  const { postfix } = context;
  for (const { endpoint, verdict } of relayVerdicts(context)) {
    if (verdict.kind === 'open' && !isOpenSubmission(postfix, endpoint))
      yield* reportOpening(postfix, endpoint, verdict.opening);
    yield* untrustedRouting(postfix, endpoint);
  }
};

const relayUndecidable: Check = function* (context) {
  const { postfix } = context;
  for (const { endpoint, verdict } of relayVerdicts(context)) {
    if (verdict.kind !== 'undecided' || isOpenSubmission(postfix, endpoint)) continue;
    // What would have to let him in says more than what would have to keep him out.
    const permitting = verdict.deciders.filter(({ can }) => can === 'permit');
    const deciders = permitting.length > 0 ? permitting : verdict.deciders;
    const [first] = deciders;
    if (first === undefined) continue;
    yield {
      message: permitting.length === 0 ? 'unlessRefused' : messageFor(first),
      at: elementPlace(postfix, endpoint.service, first.list, first.restriction),
      of: first.list.effective,
      endpoint,
      data: { deciders: deciders.map(deciderText) },
    };
  }
};

function messageFor({ restriction: { definition } }: Decider): string {
  if (definition?.effect === 'permit-backup') return 'backup';
  if (definition?.effect === 'permit-mynetworks') return 'networks';
  return definition?.looksAt === 'sender' || definition?.looksAt === 'helo' ? 'chosen' : 'default';
}

interface JudgedService {
  readonly endpoint: PostfixEndpoint;
  readonly verdict: RelayVerdict;
}

/** What was decided: three rules ask. */
const DECIDED = new WeakMap<PostfixConfiguration, readonly JudgedService[]>();

/** A verdict for each smtpd that strangers reach, and of which the files say enough. */
export function relayVerdicts(context: CheckContext): readonly JudgedService[] {
  const known = DECIDED.get(context.postfix) ?? decide(context);
  DECIDED.set(context.postfix, known);
  return known;
}

function decide(context: CheckContext): readonly JudgedService[] {
  const { postfix } = context;
  if (postfix.main === null) return [];
  return smtpdEndpoints(context).flatMap((endpoint) => {
    const { service, listener } = endpoint;
    if (!endpoint.public || service.assumed || !hasRequiredRestriction(postfix, service)) return [];
    // Whoever has no certificate gets no further than the handshake.
    if (endpoint.mandatory && postfix.isYes('smtpd_tls_req_ccert', service)) return [];
    if (!isKnown(postfix, service)) return [];
    const verdict = relayVerdict(postfix, service, listener);
    return restsOnGuess(postfix, service, verdict) ? [] : [{ endpoint, verdict }];
  });
}

/** False where a template engine fills in what decides. */
function isKnown(postfix: PostfixConfiguration, service: Service): boolean {
  const names = [
    ...RESTRICTION_LISTS.filter((name) => postfix.parameter(name) !== null),
    'mynetworks',
    'smtpd_restriction_classes',
    ...restrictionClasses(postfix, service),
  ];
  return [relayDomainsOf(postfix, service), ...names.map((name) => postfix.get(name, service))].every(
    (of) => of.setting === null || isSettled(of),
  );
}

/**
 * True where smtpd_relay_restrictions is left to the default of a release that is only assumed: other
 * releases have a guard there. What makes each client or each domain one's own passes that guard too.
 */
function restsOnGuess(postfix: PostfixConfiguration, service: Service, verdict: RelayVerdict): boolean {
  const { versionFrom } = postfix.releaseKnown;
  if (versionFrom !== 'assumed' && versionFrom !== 'implied') return false;
  if (postfix.setting('smtpd_relay_restrictions', service) !== null) return false;
  if (postfix.value('smtpd_relay_restrictions', service) !== '') return false;
  if (verdict.kind !== 'open') return true;
  return verdict.opening.network === null && verdict.opening.relayDomain === null;
}

function* reportOpening(
  postfix: PostfixConfiguration,
  endpoint: PostfixEndpoint,
  { by, answer, network, relayDomain, key }: Opening,
): Iterable<Report> {
  const { service } = endpoint;
  if (network !== null) {
    const of = postfix.get('mynetworks', service);
    yield {
      message: 'mynetworks',
      at: network.at ?? decidingPlace(postfix, of, service),
      of,
      endpoint,
      data: { pattern: network.text },
      fix: withoutPattern(postfix, of, network, '127.0.0.0/8 [::1]/128'),
    };
    return;
  }
  if (relayDomain !== null) {
    const of = relayDomainsOf(postfix, service);
    yield {
      message: 'relayDomains',
      at: partLocation(of, relayDomain.start, relayDomain.end) ?? decidingPlace(postfix, of, service),
      of,
      endpoint,
      data: { pattern: relayDomain.text },
    };
    return;
  }
  if (by === null) {
    const { parameter, value, proposal } = addRelayCheck(postfix, service);
    const of = postfix.get(parameter, service);
    yield {
      message: 'unguarded',
      at: decidingPlace(postfix, of, service),
      of,
      endpoint,
      data: { parameter, value },
      expected: value,
      fix: proposal,
    };
    return;
  }
  const entry = answer === null ? null : (answer.table.source?.slice(answer.result.span) ?? null);
  yield {
    message: key === null ? 'default' : 'chosen',
    at: elementPlace(postfix, service, by.list, by.restriction),
    of: by.list.effective,
    endpoint,
    data: {
      word: elementText(by.restriction),
      holder: by.list.name,
      entry,
      kind: key?.kind ?? null,
      key: key === null || key.value !== '' ? (key?.value ?? null) : '<>',
    },
    related:
      answer === null || answer.table.source === null
        ? []
        : [
            {
              at: { source: answer.table.source, span: answer.result.span },
              message: 'this entry lets them in',
            },
          ],
    fix: withoutElement(postfix, by.list, by.restriction),
  };
}

/** The list without an element, where it is written out in one setting and something is left. */
function withoutElement(
  postfix: PostfixConfiguration,
  { effective }: RestrictionList,
  restriction: Restriction,
): ProposedFix | null {
  const { setting, value } = effective;
  const end = restriction.argument?.end ?? restriction.word.end;
  const start = restriction.warnIfReject?.start ?? restriction.word.start;
  const part = setting?.value === value ? writtenPart(effective, start, end) : null;
  if (setting === null || part === null) return null;
  const before = value.slice(0, part.start).replace(/[\s,]+$/, '');
  const after = value.slice(part.end).replace(/^[\s,]+/, '');
  if (before === '' && after === '') return null;
  const left = before === '' || after === '' ? before + after : `${before}, ${after}`;
  return {
    title: `take ${elementText(restriction)} out of ${effective.name}`,
    ...proposeValue(postfix, setting, left),
  };
}

/** Mail that is routed through a domain of relay_domains to one elsewhere (allow_untrusted_routing). */
function* untrustedRouting(postfix: PostfixConfiguration, endpoint: PostfixEndpoint): Iterable<Report> {
  const { service } = endpoint;
  const of = postfix.get('allow_untrusted_routing', service);
  if (of.value.toLowerCase() !== 'yes' || listWords(relayDomainsOf(postfix, service).value).length === 0)
    return;
  yield {
    message: 'routing',
    at: decidingPlace(postfix, of, service),
    of,
    endpoint,
    expected: 'no',
    fix: {
      title: 'set allow_untrusted_routing to no',
      ...proposeSetting(postfix, of.name, 'no', [service], 'main'),
    },
  };
}

/** The element in its list, with what follows it; the list where it is a default. */
function elementPlace(
  postfix: PostfixConfiguration,
  service: Service,
  { effective }: RestrictionList,
  { word, argument }: Restriction,
): Location {
  return (
    partLocation(effective, word.start, argument?.end ?? word.end) ??
    partLocation(effective, word.start, word.end) ??
    decidingPlace(postfix, effective, service)
  );
}

function elementText({ word, argument }: Restriction): string {
  return argument === null || argument === word ? word.text : `${word.text} ${argument.text}`;
}

function deciderText({ list, restriction }: Decider): string {
  return `${elementText(restriction)} in ${list.name}`;
}

/** Checks of who may send mail to third parties, by rule id. */
export const openRelayChecks: Readonly<Record<string, Check>> = {
  'postfix/open-relay': openRelay,
  'postfix/relay-undecidable': relayUndecidable,
};
