import type { Side } from '../../model/endpoint.ts';
import { PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import type { TlsFamily } from '../../postfix/cipher-settings.ts';
import type { PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { type ProtocolList, type ProtocolToken, parseProtocolList } from '../../postfix/protocol-list.ts';
import type { Check, CheckContext, Report } from '../check.ts';
import { aboutProposal, aboutUses, floorOf, forEndpoints, SIDES } from './postfix-protocol-reports.ts';
import {
  decide,
  groupUses,
  listName,
  newer,
  oldest,
  type ProtocolUse,
  placeOfGroup,
  protocolUses,
  reachableFloor,
  referencesOf,
  type UseGroup,
} from './postfix-protocol-uses.ts';
import { corrected, type ListProposal, proposeInPlace } from './postfix-protocol-values.ts';

/**
 * Lists that Postfix refuses: one wrong word takes TLS away from all that take the list. Facts:
 * postfix-tls §1; tls_server.c, tls_client.c, tls_proxy_*.
 */

const isBound = ({ text }: ProtocolToken): boolean => text.startsWith('>=') || text.startsWith('<=');

/** Words that no release knows, and names that came later than this release. */
function invalidTokens({ tokens }: ProtocolList): readonly ProtocolToken[] {
  return tokens.filter((token) => token.kind === 'invalid' || (token.kind === 'too-new' && !isBound(token)));
}

/** `>=` and `<=` where the release does not have them. */
function tooNewTokens({ tokens }: ProtocolList): readonly ProtocolToken[] {
  return tokens.filter((token) => token.kind === 'too-new' && isBound(token));
}

/** Reports lists with words that the release does not know. */
export const invalidLists: Check = function* (context) {
  const seen = new Set<PostfixSetting>();
  for (const group of groupUses(protocolUses(context))) {
    if (group.effective.setting !== null) seen.add(group.effective.setting);
    yield* refusedReports(context, group, invalidTokens(group.list));
  }
  yield* unusedReports(context, seen);
};

/** Reports bounds that the release is too old for. */
export const tooNewLists: Check = function* (context) {
  for (const group of groupUses(protocolUses(context))) {
    yield* refusedReports(context, group, tooNewTokens(group.list));
  }
};

function* refusedReports(
  context: CheckContext,
  group: UseGroup,
  wrong: readonly ProtocolToken[],
): Iterable<Report> {
  const { postfix } = context;
  const { effective } = group;
  if (wrong.length === 0) return;
  const comment = commentIn(effective.value, wrong);
  const proposal = comment === null ? proposeCorrection(postfix, group) : null;
  for (const side of SIDES) {
    const uses = group.uses.filter((use) => use.endpoint.side === side && use.judged);
    yield* forEndpoints(uses, {
      message: side,
      at: placeOfGroup(postfix, group),
      of: effective,
      ...(proposal === null ? {} : { expected: proposal.value }),
      related: referencesOf(uses),
      fix: proposal?.fix ?? null,
      data: {
        ...aboutUses(uses),
        ...aboutWords(postfix, wrong, comment, proposal),
        offered: uses.some(({ endpoint }) => endpoint.tls.mode === 'opportunistic'),
        required: uses.some(({ endpoint }) => endpoint.tls.mode === 'required'),
        implicit: uses.some(({ endpoint }) => endpoint.tls.mode === 'implicit'),
        ...clientModes(uses),
      },
    });
  }
}

/** What a failed handshake means for a client: wait and then plaintext, or wait for ever. */
function clientModes(uses: readonly ProtocolUse[]): {
  readonly plaintextLater: boolean;
  readonly deferred: boolean;
} {
  return {
    plaintextLater: uses.some(({ mandatory }) => !mandatory),
    deferred: uses.some(({ mandatory }) => mandatory),
  };
}

function aboutWords(
  { release }: PostfixConfiguration,
  wrong: readonly ProtocolToken[],
  comment: string | null,
  proposal: ListProposal | null,
): Readonly<Record<string, unknown>> {
  const [first] = wrong;
  return {
    word: comment ?? first?.text ?? '',
    others: comment === null ? wrong.length - 1 : 0,
    comment: comment !== null,
    later: wrong.every(({ kind }) => kind === 'too-new'),
    names: PROTOCOLS.filter((protocol) => parseProtocolList(protocol, release).valid),
    ...(proposal === null ? { name: '', where: '', writable: false } : aboutProposal(proposal)),
  };
}

const LONGEST_COMMENT = 30;

/** The comment that became part of a value, shortened; null where the first wrong word does not begin one. */
function commentIn(value: string, [first]: readonly ProtocolToken[]): string | null {
  if (first === undefined || !first.text.startsWith('#')) return null;
  const text = value.slice(first.at);
  return text.length <= LONGEST_COMMENT ? text : `${text.slice(0, LONGEST_COMMENT).replace(/\s+\S*$/, '')} …`;
}

/** The list with its wrong words put right, where it is clear what they mean; raised to the floor of the profile besides. */
function proposeCorrection(postfix: PostfixConfiguration, group: UseGroup): ListProposal | null {
  const text = corrected(postfix, group.effective.value);
  if (text === null) return null;
  const { permitted } = parseProtocolList(text, postfix.release);
  return proposeInPlace(postfix, group.effective, floorOf(group, permitted), text);
}

const FAMILIES: readonly TlsFamily[] = ['smtpd', 'smtp', 'lmtp'];

/**
 * Lists of a main.cf that came without its master.cf, and that nothing of main.cf itself brings into
 * play: the services that do are not here, and each of them would be without TLS.
 */
function* unusedReports(context: CheckContext, seen: ReadonlySet<PostfixSetting>): Iterable<Report> {
  const { postfix, profile } = context;
  if (postfix.master !== null) return;
  for (const family of FAMILIES) {
    for (const mandatory of [false, true]) {
      const { effective } = decide(postfix, listName(family, mandatory), null);
      if (effective.setting === null || seen.has(effective.setting)) continue;
      const list = parseProtocolList(effective.value, postfix.release);
      const wrong = invalidTokens(list);
      if (wrong.length === 0 || effective.expansion.failed) continue;
      const comment = commentIn(effective.value, wrong);
      const role =
        family === 'lmtp' ? 'lmtp' : family === 'smtp' ? 'outbound' : mandatory ? 'submission' : 'mx';
      const asked: Protocol = profile.thresholds.lowestProtocol[role];
      const text = comment === null ? corrected(postfix, effective.value) : null;
      const proposal =
        text === null ? null : proposeInPlace(postfix, effective, floorFor(postfix, asked, text), text);
      const side: Side = family === 'smtpd' ? 'server' : 'client';
      yield {
        message: `${side}-elsewhere`,
        at: effective.setting.at,
        of: effective,
        ...(proposal === null ? {} : { expected: proposal.value }),
        fix: proposal?.fix ?? null,
        data: { mandatory, optional: !mandatory, ...aboutWords(postfix, wrong, comment, proposal) },
      };
    }
  }
}

/** The floor of the profile, or where the list begins once its words are right, whichever is newer. */
function floorFor(postfix: PostfixConfiguration, asked: Protocol, text: string): Protocol {
  const floor = reachableFloor(postfix, asked);
  return newer(floor, oldest(parseProtocolList(text, postfix.release).permitted) ?? floor);
}
