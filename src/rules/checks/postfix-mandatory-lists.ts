import { belowFloor, compareProtocols, type Protocol } from '../../model/protocol.ts';
import type { TlsFamily } from '../../postfix/cipher-settings.ts';
import type { Effective, PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { acceptedProtocols } from '../../postfix/endpoint-tls.ts';
import { POSTFIX_RELEASES, parameterTable } from '../../postfix/parameters.ts';
import { parseProtocolList } from '../../postfix/protocol-list.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { andList } from '../messages.ts';
import { aboutProposal, aboutUses, forEndpoints } from './postfix-protocol-reports.ts';
import {
  decide,
  groupUses,
  hasUnreadPolicies,
  listName,
  newer,
  older,
  oldest,
  type ProtocolUse,
  protocolUses,
  referencesOf,
  sameDecision,
} from './postfix-protocol-uses.ts';
import { type ListProposal, lowestFloor, proposeInPlace } from './postfix-protocol-values.ts';

/**
 * The two lists of each family: `…_tls_protocols` counts at level `may`, `…_tls_mandatory_protocols` at
 * `encrypt` and above and with wrappermode (postfix-tls §1). Who hardens one of them often means both.
 */

/**
 * The newest floor that one list passes on to the other: where TLS is optional, a peer without TLSv1.3
 * would fall back to plain text, which helps nobody (RFC 7435, RFC 9325 section 3.1.1).
 */
const NEWEST_OPTIONAL: Protocol = 'TLSv1.2';

const FAMILIES: readonly TlsFamily[] = ['smtpd', 'smtp', 'lmtp'];

/** tlsproxy(8) is smtpd's stand-in: its own lists default to those of smtpd. */
function sameFamily(family: TlsFamily, other: TlsFamily): boolean {
  return family === other || (family === 'smtpd' && other === 'tlsproxy');
}

/** Reports a mandatory list that nothing takes, where the list that counts is weaker. */
export const mandatoryListUnused: Check = function* (context) {
  const uses = protocolUses(context);
  for (const family of FAMILIES) {
    for (const setting of settingsOf(context.postfix, listName(family, true))) {
      const service = setting.kind === 'override' ? setting.service : null;
      const own = uses.filter(
        (use) =>
          sameFamily(family, use.endpoint.family) &&
          !use.endpoint.service.assumed &&
          (service === null || use.service === service),
      );
      if (isTaken(setting, uses) || own.some(({ endpoint }) => mayTakeIt(context.postfix, endpoint)))
        continue;
      yield* unusedReports(context, setting, own);
    }
  }
};

/** The assignments of a name, in main.cf and as overrides. */
function settingsOf(postfix: PostfixConfiguration, name: string): readonly PostfixSetting[] {
  return postfix.settings().filter((setting) => setting.name === name);
}

/** True when the assignment counts somewhere, in itself or because another one refers to it. */
function isTaken(setting: PostfixSetting, uses: readonly ProtocolUse[]): boolean {
  const is = ({ setting: other }: Effective): boolean =>
    other !== null && other.at.source === setting.at.source && other.at.span.start === setting.at.span.start;
  return uses.some(
    ({ decider, endpoint }) =>
      !endpoint.service.assumed &&
      (is(decider.effective) || decider.through.some((effective) => is(effective))),
  );
}

/** True where a table that cannot be read may demand TLS for some destination. */
function mayTakeIt(postfix: PostfixConfiguration, endpoint: ProtocolUse['endpoint']): boolean {
  return endpoint.side === 'client' && hasUnreadPolicies(postfix, endpoint);
}

function* unusedReports(
  { postfix }: CheckContext,
  unused: PostfixSetting,
  own: readonly ProtocolUse[],
): Iterable<Report> {
  const effective = postfix.get(unused.name, unused.kind === 'override' ? unused.service : null);
  const list = parseProtocolList(effective.value, postfix.release);
  const least = oldest(list.permitted);
  if (!list.valid || least === null) return;
  const bound = older(least, NEWEST_OPTIONAL);
  const weak = own.filter(
    (use) =>
      use.judged && use.floor !== null && !use.mandatory && startsBelow(weakestReading(postfix, use), bound),
  );
  const [first] = weak;
  if (first === undefined) return;
  const proposals = groupUses(weak).map(({ effective: counts, uses }) =>
    proposeInPlace(postfix, counts, newer(bound, lowestFloor(uses, bound))),
  );
  const [proposal] = proposals;
  if (proposal === undefined) return;
  const weaker = startsBelow(first.permitted, bound);
  yield* forEndpoints(weak, {
    message: weaker ? 'weaker' : 'unset',
    at: unused.at,
    of: effective,
    fix: joined(proposals),
    data: {
      ...aboutUses(weak),
      ...aboutProposal(proposal),
      counts: first.decider.name,
      value: first.decider.effective.value,
      byDefault: first.decider.effective.setting === null,
      open: belowFloor(weaker ? first.permitted : weakestReading(postfix, first), bound),
      newValue: proposal.value,
    },
  });
}

/**
 * What the list of a use permits. A default is another one in each release: where the release is only
 * assumed, the weakest that these files can meet counts, since their author wrote the other list against it.
 */
function weakestReading(
  postfix: PostfixConfiguration,
  { decider, permitted }: ProtocolUse,
): readonly Protocol[] {
  const { versionFrom, provenAtLeast } = postfix.releaseKnown;
  const { setting, name } = decider.effective;
  if (setting !== null || (versionFrom !== 'assumed' && versionFrom !== 'implied')) return permitted;
  const release = provenAtLeast ?? POSTFIX_RELEASES.oldest;
  const weakest = parseProtocolList(parameterTable(release).get(name)?.default ?? '', release);
  const read =
    postfix.openssl.versionFrom === 'assumed'
      ? weakest.permitted
      : acceptedProtocols(postfix, weakest.permitted, 'server');
  const least = oldest(read);
  return least !== null && startsBelow(permitted, least) ? permitted : read;
}

function startsBelow(permitted: readonly Protocol[], bound: Protocol): boolean {
  const least = oldest(permitted);
  return least !== null && compareProtocols(least, bound) < 0;
}

/** Several proposals for one finding; null where one of them cannot be made. */
function joined(proposals: readonly ListProposal[]): ProposedFix | null {
  const fixes = proposals.flatMap(({ fix }) => (fix === null ? [] : [fix]));
  if (fixes.length < proposals.length) return null;
  return {
    title: andList([...new Set(fixes.map(({ title }) => title))]),
    edits: fixes.flatMap(({ edits }) => edits),
    writes: [...new Set(fixes.flatMap(({ writes }) => writes))],
  };
}

/** Reports a mandatory list that counts and is weaker than the hardened list beside it. */
export const mandatoryListMissed: Check = function* (context) {
  const { postfix } = context;
  for (const group of groupUses(protocolUses(context))) {
    const missed = group.uses.flatMap((use) => {
      const bound = missedBound(postfix, use);
      return bound === null ? [] : [{ use, ...bound }];
    });
    const [first] = missed;
    if (first === undefined) continue;
    const concerned = missed.map(({ use }) => use);
    const floor = newer(first.bound, lowestFloor(group.uses, first.bound));
    const proposal = proposeInPlace(postfix, group.effective, floor);
    yield* forEndpoints(concerned, {
      at: group.effective.setting?.at ?? first.hardened.at,
      of: group.effective,
      expected: proposal.value,
      related: [
        ...referencesOf(concerned),
        ...(group.effective.setting === null
          ? []
          : [{ at: first.hardened.at, message: `${first.hardened.name} is the list that was hardened` }]),
      ],
      fix: proposal.fix,
      data: {
        ...aboutUses(concerned),
        ...aboutProposal(proposal),
        hardened: first.hardened.name,
        open: belowFloor(first.use.permitted, first.bound),
        byDefault: group.effective.setting === null,
      },
    });
  }
};

/** For a use of a mandatory list: the hardened list of optional TLS that it falls behind, and by how much. */
function missedBound(
  postfix: PostfixConfiguration,
  { endpoint, service, decider, list, permitted, mandatory, judged, floor, policy }: ProtocolUse,
): { readonly bound: Protocol; readonly hardened: PostfixSetting } | null {
  if (!mandatory || !judged || floor === null || !list.valid || endpoint.service.assumed) return null;
  if (policy !== null && policy.attribute !== null) return null;
  const optional = decide(postfix, listName(endpoint.family, false), service).effective;
  if (optional.setting === null || sameDecision(optional, decider.effective)) return null;
  const read = parseProtocolList(optional.value, postfix.release);
  const least = oldest(read.permitted);
  if (!read.valid || least === null) return null;
  const bound = older(least, NEWEST_OPTIONAL);
  return startsBelow(permitted, bound) ? { bound, hardened: optional.setting } : null;
}
