import type { Side } from '../../model/endpoint.ts';
import { belowFloor, compareProtocols, PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import { libraryProtocols } from '../../tls/openssl.ts';
import type { Check, CheckContext, Report } from '../check.ts';
import { mandatoryListMissed, mandatoryListUnused } from './postfix-mandatory-lists.ts';
import {
  aboutProposal,
  aboutUses,
  floorOf,
  forEndpoints,
  publicUses,
  SIDES,
} from './postfix-protocol-reports.ts';
import { invalidLists, tooNewLists } from './postfix-protocol-syntax.ts';
import {
  groupUses,
  limitOf,
  newestSpoken,
  type ProtocolUse,
  placeOfGroup,
  protocolUses,
  referencesOf,
  type UseGroup,
} from './postfix-protocol-uses.ts';
import { hardened, holesIn, proposeInPlace, proposeList, shutOut } from './postfix-protocol-values.ts';

/** Protocols that nobody may use any more, whatever the profile (RFC 6176, RFC 7568). */
const BROKEN: ReadonlySet<Protocol> = new Set(['SSLv2', 'SSLv3']);

/** Reports protocols below the floor of the profile, for one side. */
function oldProtocols(side: Side): Check {
  return function* (context) {
    const uses = protocolUses(context);
    const unused = side === 'server' ? unusedLists(context) : new Set<number>();
    for (const group of groupUses(uses)) {
      const low = group.uses.filter(
        (use) =>
          use.endpoint.side === side &&
          use.judged &&
          belowOf(use).length > 0 &&
          !(use.endpoint.service.assumed && unused.has(group.effective.setting?.at.span.start ?? -1)),
      );
      for (const floor of new Set(low.map((use) => use.floor))) {
        if (floor === null) continue;
        yield* belowReports(
          context,
          { ...group, uses: low.filter((use) => use.floor === floor) },
          floor,
          uses,
        );
      }
    }
    for (const use of uses) if (use.endpoint.side === side) yield* policyReports(context, use);
  };
}

/**
 * Where the lists stand that count nowhere, for a main.cf without its master.cf: of such a line it is not
 * said besides what it would be worth to a service that may not exist.
 */
function unusedLists(context: CheckContext): ReadonlySet<number> {
  if (context.postfix.master !== null) return new Set();
  return new Set(Array.from(mandatoryListUnused(context), ({ at }) => at.span.start));
}

function belowOf({ protocols, floor }: ProtocolUse): readonly Protocol[] {
  return floor === null ? [] : belowFloor(protocols, floor);
}

function belowReports(
  context: CheckContext,
  group: UseGroup,
  floor: Protocol,
  all: readonly ProtocolUse[],
): Iterable<Report> {
  const { postfix } = context;
  const { effective, uses } = group;
  const found = new Set(uses.flatMap(belowOf));
  const below = PROTOCOLS.filter((protocol) => found.has(protocol));
  const asked = uses[0]?.asked ?? floor;
  const proposal = proposeList(postfix, uses, all, floor);
  return forEndpoints(uses, {
    message: below.some((protocol) => BROKEN.has(protocol)) ? 'broken' : 'old',
    at: placeOfGroup(postfix, group),
    of: effective,
    expected: proposal.value,
    related: referencesOf(uses),
    fix: proposal.fix,
    data: {
      ...aboutUses(uses),
      ...aboutProposal(proposal),
      below,
      gone: below.filter((protocol) => !libraryProtocols(postfix.openssl.version).includes(protocol)),
      byDefault: effective.setting === null,
      asked,
      limit: limitOf(postfix, asked),
    },
  });
}

/** A policy that names protocols itself; its table is not pfharden's to change. */
function* policyReports({ postfix }: CheckContext, use: ProtocolUse): Iterable<Report> {
  const attribute = use.policy?.attribute;
  const below = belowOf(use);
  if (attribute === undefined || attribute === null || use.floor === null || below.length === 0) return;
  yield {
    message: 'policy',
    at: attribute.at,
    endpoint: use.endpoint,
    setting: `${use.endpoint.family}_tls_policy_maps`,
    actual: attribute.value,
    expected: hardened(postfix, attribute.value, use.floor, ':'),
    data: { destination: use.policy?.key ?? '', below },
  };
}

const mixedLists: Check = function* (context) {
  const { postfix } = context;
  for (const group of groupUses(protocolUses(context))) {
    const { effective, list } = group;
    const shut = shutOut(list).filter((protocol) => speaks(context, protocol));
    if (shut.length === 0) continue;
    const proposal = proposeInPlace(postfix, effective, floorOf(group, list.permitted));
    // `>= TLSv1.2`: the bound stands alone and bounds nothing, the name after it is one by itself.
    const blank = list.tokens.find(
      ({ text, kind }, index) =>
        (text === '>=' || text === '<=') && list.tokens[index + 1]?.kind === 'include' && kind !== 'too-new',
    );
    for (const side of SIDES) {
      const uses = publicUses(group, side);
      yield* forEndpoints(uses, {
        message: blank === undefined ? side : `blank-${side}`,
        at: placeOfGroup(postfix, group),
        of: effective,
        expected: proposal.value,
        related: referencesOf(uses),
        fix: proposal.fix,
        data: {
          ...aboutUses(uses),
          ...aboutProposal(proposal),
          shut,
          named: list.included,
          operator: blank?.text ?? '',
        },
      });
    }
  }
};

function speaks({ postfix }: CheckContext, protocol: Protocol): boolean {
  return postfix.openssl.versionFrom === 'assumed' || compareProtocols(protocol, newestSpoken(postfix)) <= 0;
}

const protocolGaps: Check = function* (context) {
  for (const group of groupUses(protocolUses(context))) {
    if (!group.list.valid) continue;
    for (const side of SIDES) {
      const uses = publicUses(group, side);
      const permitted = PROTOCOLS.filter((protocol) => uses.some((use) => use.permitted.includes(protocol)));
      const holes = holesIn(permitted);
      if (uses.length === 0 || (permitted.length > 0 && holes.length === 0)) continue;
      if (isForgotten(context, permitted, holes)) continue;
      yield* gapReports(
        context,
        { ...group, uses },
        { permitted, holes, side, floor: floorOf(group, permitted) },
      );
    }
  }
};

/**
 * A hole above SSLv2 and SSLv3 that only an OpenSSL has which still speaks them: where that is not
 * known, the rule for SSLv3 speaks, and its fix closes the hole.
 */
function isForgotten(
  { postfix }: CheckContext,
  permitted: readonly Protocol[],
  [hole]: readonly Protocol[],
): boolean {
  if (hole === undefined || postfix.openssl.versionFrom !== 'assumed') return false;
  const spoken = permitted.filter((protocol) => !BROKEN.has(protocol));
  return spoken.length > 0 && holesIn(spoken).length === 0;
}

function gapReports(
  { postfix }: CheckContext,
  group: UseGroup,
  found: {
    readonly permitted: readonly Protocol[];
    readonly holes: readonly Protocol[];
    readonly side: Side;
    readonly floor: Protocol;
  },
): Iterable<Report> {
  const { permitted, holes, side } = found;
  const { effective, uses } = group;
  const proposal = proposeInPlace(postfix, effective, found.floor);
  const [hole] = holes;
  const left = hole === undefined ? [] : permitted.filter((protocol) => compareProtocols(protocol, hole) < 0);
  return forEndpoints(uses, {
    message: `${permitted.length === 0 ? 'nothing' : 'hole'}-${side}`,
    at: placeOfGroup(postfix, group),
    of: effective,
    expected: proposal.value,
    related: referencesOf(uses),
    fix: proposal.fix,
    data: {
      ...aboutUses(uses),
      ...aboutProposal(proposal),
      holes,
      left,
      above: permitted.filter((protocol) => !left.includes(protocol)),
      fallback: left.at(-1) ?? '',
    },
  });
}

/** Checks of the rules about protocol lists. */
export const postfixProtocolChecks: Readonly<Record<string, Check>> = {
  'postfix/server-protocols': oldProtocols('server'),
  'postfix/client-protocols': oldProtocols('client'),
  'postfix/protocol-list-mixed': mixedLists,
  'postfix/protocol-gap': protocolGaps,
  'postfix/protocol-invalid': invalidLists,
  'postfix/protocol-syntax-too-new': tooNewLists,
  'postfix/mandatory-list-unused': mandatoryListUnused,
  'postfix/mandatory-list-missed': mandatoryListMissed,
};
