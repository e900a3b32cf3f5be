import { hasRequiredRestriction } from '../../postfix/admission.ts';
import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import { hasFeature } from '../../postfix/parameters.ts';
import { proposeSetting } from '../../postfix/proposals.ts';
import type { Service } from '../../postfix/services.ts';
import type { Check, ProposedFix } from '../check.ts';
import { decidingPlace } from '../locate.ts';

const RELAY = 'smtpd_relay_restrictions';
const RECIPIENT = 'smtpd_recipient_restrictions';

/**
 * Every smtpd looks when it starts whether its relay or its recipient list can refuse a stranger, and
 * dies where none can (smtpd.c, smtpd_check_init). Where the release is a guess, only lists that are
 * written down can be judged: releases before 3.3 have a default that suffices.
 */
const relayCheckMissing: Check = function* ({ postfix, endpoints }) {
  if (postfix.main === null) return;
  for (const endpoint of endpoints) {
    const { service } = endpoint;
    if (service.program !== 'smtpd' || service.assumed) continue;
    if (hasRequiredRestriction(postfix, service)) continue;
    const known = !['assumed', 'implied'].includes(postfix.releaseKnown.versionFrom);
    if (!known && postfix.setting(RELAY, service) === null) continue;
    const lists = [RELAY, RECIPIENT].filter((name) => postfix.parameter(name) !== null);
    const decides = lists.find((name) => postfix.setting(name, service) !== null) ?? lists[0] ?? RECIPIENT;
    const of = postfix.get(decides, service);
    const fix = addRelayCheck(postfix, service);
    yield {
      at: decidingPlace(postfix, of, service),
      of,
      endpoint,
      data: { lists, parameter: fix.parameter, value: fix.value },
      expected: fix.value,
      fix: fix.proposal,
    };
  }
};

/** The list of the release that guards against relaying, with its guard: its name, its value, and the edit. */
export function addRelayCheck(
  postfix: PostfixConfiguration,
  service: Service,
): { readonly parameter: string; readonly value: string; readonly proposal: ProposedFix } {
  const relayList = hasFeature(postfix.release, 'relayRestrictions');
  const parameter = relayList ? RELAY : RECIPIENT;
  const value = 'permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination';
  // A list that is written down is one that somebody uses: what it has stays.
  const own = postfix.get(parameter, service).raw;
  const kept = postfix.setting(parameter, service) === null || own === '' ? value : guarded(own);
  return {
    parameter,
    value: kept,
    proposal: {
      title: `set ${parameter} to ${kept}`,
      ...proposeSetting(postfix, parameter, kept, [service], 'main', [RECIPIENT, RELAY]),
    },
  };
}

/** The guard goes behind what a list has, but before a plain `permit`: nothing behind that is reached. */
function guarded(list: string): string {
  const guard = 'reject_unauth_destination';
  const [before, permit] =
    /^(.*?)(?<![^\s,])((?:warn_if_reject[\s,]+)?permit)(?![^\s,])/is.exec(list)?.slice(1) ?? [];
  if (before === undefined || permit === undefined) return `${list}, ${guard}`;
  return `${before}${guard}, ${list.slice(before.length)}`;
}

/** Checks of what smtpd demands of its lists, by rule id. */
export const relayChecks: Readonly<Record<string, Check>> = {
  'postfix/relay-check-missing': relayCheckMissing,
};
