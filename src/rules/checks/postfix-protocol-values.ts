import { compareProtocols, PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import type { Effective, PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { hasFeature } from '../../postfix/parameters.ts';
import { fixMayUse, type Proposal, proposeSetting, proposeValue } from '../../postfix/proposals.ts';
import {
  formatProtocolFloor,
  type ProtocolList,
  type ProtocolToken,
  parseProtocolList,
  suggestProtocolToken,
} from '../../postfix/protocol-list.ts';
import { libraryProtocols } from '../../tls/openssl.ts';
import type { ProposedFix } from '../check.ts';
import { andList } from '../messages.ts';
import { oldest, type ProtocolUse, sameDecision } from './postfix-protocol-uses.ts';

/** New values for protocol lists, and the settings that they go into. */

/** The newer protocols that a list shuts out because it names others; the server has no other reason to. */
export function shutOut(list: ProtocolList): readonly Protocol[] {
  const newest = list.included.at(-1);
  if (!list.valid || newest === undefined) return [];
  return PROTOCOLS.filter(
    (protocol) =>
      compareProtocols(protocol, newest) > 0 &&
      !list.permitted.includes(protocol) &&
      !list.excluded.includes(protocol) &&
      (list.ceiling === null || compareProtocols(protocol, list.ceiling) <= 0),
  );
}

/** The protocols that are missing between the oldest and the newest of a set. */
export function holesIn(protocols: readonly Protocol[]): readonly Protocol[] {
  const first = PROTOCOLS.findIndex((protocol) => protocols.includes(protocol));
  const last = PROTOCOLS.findLastIndex((protocol) => protocols.includes(protocol));
  return PROTOCOLS.slice(first + 1, Math.max(first + 1, last)).filter(
    (protocol) => !protocols.includes(protocol),
  );
}

/** True when a fix may write `>=`: the release is known to have it, or the files use it already. */
function rangeAllowed(configuration: PostfixConfiguration): boolean {
  if (fixMayUse(configuration, 'protocolRange')) return true;
  if (!hasFeature(configuration.release, 'protocolRange')) return false;
  return configuration
    .settings()
    .some(({ name, value }) => /_tls_(mandatory_)?protocols$/.test(name) && /(^|[\s,:])[<>]=/.test(value));
}

/**
 * The list nearest to `value` that permits `floor` and what is newer: unbroken, and open to protocols to
 * come unless its author closed it. The author's words and their order stay as far as they serve.
 *
 * @param between what separates words where the author's habit does not show: `, `, in a policy `:`
 */
export function hardened(
  configuration: PostfixConfiguration,
  value: string,
  floor: Protocol,
  between = ', ',
): string {
  const list = parseProtocolList(value, configuration.release);
  const separator = separatorOf(value, list.tokens, between);
  // Who wrote `>=` has a release that knows it, or has no TLS to lose.
  const bounded = list.tokens.some(({ kind }) => kind === 'floor' || kind === 'ceiling');
  const range = bounded || rangeAllowed(configuration);
  const sound = (text: string): boolean => isSound(configuration, text, floor);
  if (list.tokens.length > 0 && sound(value)) return value;
  const candidates = [
    raised(list, floor, range).join(separator),
    excluding(list, floor).join(separator),
    formatProtocolFloor(floor, { range }, separator),
  ];
  const excludes = list.excluded.length > 0 || !range;
  const [near, exclusions, fresh] = candidates as [string, string, string];
  if (list.tokens.length > 0 && sound(near)) return near;
  return excludes && sound(exclusions) ? exclusions : fresh;
}

/** What stands between the words, a comma or colon before a blank, where that is short enough to be a habit. */
function separatorOf(value: string, tokens: readonly ProtocolToken[], otherwise = ', '): string {
  const habits = tokens.slice(1).flatMap(({ at }, index) => {
    const before = tokens[index];
    const between = before === undefined ? '' : value.slice(before.at + before.text.length, at);
    return /^[ ,:]{1,2}$/.test(between) ? [between] : [];
  });
  return habits.find((between) => between !== ' ') ?? habits[0] ?? otherwise;
}

function isSound(configuration: PostfixConfiguration, text: string, floor: Protocol): boolean {
  const list = parseProtocolList(text, configuration.release);
  const { permitted } = list;
  return (
    list.valid &&
    permitted.some((protocol) => libraryProtocols(configuration.openssl.version).includes(protocol)) &&
    oldest(permitted) === floor &&
    holesIn(permitted).length === 0 &&
    shutOut(list).length === 0
  );
}

/** The words of a list without what is below the floor, and with what keeps the rest of it out. */
function raised(
  { tokens, permitted, excluded, included }: ProtocolList,
  floor: Protocol,
  range: boolean,
): string[] {
  const below = (protocol: Protocol | null): boolean =>
    protocol !== null && compareProtocols(protocol, floor) < 0;
  const words = tokens
    .filter(({ kind, protocol }) => !(kind === 'include' && below(protocol)))
    .map(({ kind, protocol, text }) => (kind === 'floor' && below(protocol) ? `>=${floor}` : text));
  const bounded = tokens.some(({ kind, protocol }) => kind === 'floor' && protocol !== null);
  const open = permitted.filter((protocol) => below(protocol) && !included.includes(protocol));
  if (bounded || open.length === 0) return words;
  if (range && excluded.length === 0) return [`>=${floor}`, ...words.filter((word) => word !== '>=')];
  return [...words, ...open.map((protocol) => `!${protocol}`)];
}

/** The exclusions of a list that serve the floor, and those that are missing. */
function excluding({ tokens, excluded }: ProtocolList, floor: Protocol): string[] {
  const older = PROTOCOLS.filter((protocol) => compareProtocols(protocol, floor) < 0);
  const kept = tokens.filter(
    ({ kind, protocol }) => kind === 'exclude' && protocol !== null && older.includes(protocol),
  );
  return [
    ...new Set(kept.map(({ text }) => text)),
    ...older.filter((protocol) => !excluded.includes(protocol)).map((protocol) => `!${protocol}`),
  ];
}

/**
 * A list with the words put right that the release does not take: `>=TLSv1` for `>=TLSv1.0`, `!SSLv2` for
 * `! SSLv2`, exclusions for `>=` where that is too new.
 *
 * @returns null where it is not clear what one of them means
 */
export function corrected(configuration: PostfixConfiguration, value: string): string | null {
  const { tokens } = parseProtocolList(value, configuration.release);
  const words: string[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] as ProtocolToken;
    const next = tokens[index + 1];
    // An operator that stands alone belongs to the next word: `! SSLv2`.
    const alone = token.kind === 'invalid' && /^[!<>=-]+$/.test(token.text) && next?.kind === 'include';
    if (alone) index++;
    const word = alone ? `${token.text}${next.text}` : token.text;
    const right = token.kind === 'invalid' ? (suggestProtocolToken(word) ?? (alone ? word : null)) : word;
    const written = right === null ? null : forRelease(configuration, right);
    if (written === null) return null;
    words.push(...written);
  }
  const text = words.join(separatorOf(value, tokens));
  return parseProtocolList(text, configuration.release).valid ? text : null;
}

/** A word as this release takes it: bounds as exclusions before 3.6, nothing for a name that is too new. */
function forRelease({ release }: PostfixConfiguration, word: string): readonly string[] | null {
  const [token] = parseProtocolList(word, release).tokens;
  if (token === undefined || token.kind === 'invalid') return null;
  if (token.kind !== 'too-new') return [word];
  const { protocol } = token;
  const exclusions = (protocols: readonly Protocol[]): string[] =>
    protocols.map((one) => `!${one}`).filter((text) => parseProtocolList(text, release).valid);
  if (protocol === null) return [];
  if (word.startsWith('>='))
    return exclusions(PROTOCOLS.filter((one) => compareProtocols(one, protocol) < 0));
  if (word.startsWith('<='))
    return exclusions(PROTOCOLS.filter((one) => compareProtocols(one, protocol) > 0));
  return [];
}

/** A new value for a list, and where it goes. */
export interface ListProposal {
  readonly value: string;
  /** `smtpd_tls_protocols` in main.cf or as an override: what the advice tells to set. */
  readonly name: string;
  /** "in main.cf", "with -o on submission/inet" */
  readonly where: string;
  /** Null where pfharden cannot write it. */
  readonly fix: ProposedFix | null;
}

/**
 * Proposes a value for uses that one value decides on. It goes where that value stands, unless another
 * endpoint takes it too and may go lower: then the services concerned get it as an override.
 *
 * @param group uses with one decision and one floor
 * @param all every use of the instance
 */
export function proposeList(
  configuration: PostfixConfiguration,
  group: readonly ProtocolUse[],
  all: readonly ProtocolUse[],
  floor: Protocol,
): ListProposal {
  const [first] = group;
  if (first === undefined) throw new Error('a group of no uses');
  const { effective } = first.decider;
  const narrowed = all.filter(
    (use) =>
      sameDecision(use.decider.effective, effective) &&
      !hasOwnList(use) &&
      use.floor !== null &&
      compareProtocols(use.floor, floor) < 0,
  );
  if (narrowed.length === 0) return proposeInPlace(configuration, effective, floor);
  const value = hardened(configuration, baseOf(effective), floor);
  const own = ownReference(group, narrowed);
  if (own !== null) {
    const { name } = own;
    return {
      value,
      name,
      where: whereOf(own),
      fix: fixOf(name, value, proposeValue(configuration, own, value)),
    };
  }
  return { value, ...asOverrides(configuration, first.decider.name, value, group, narrowed) };
}

/** A setting through which all of a group, and nothing that may go lower, gets its value by reference. */
function ownReference(
  group: readonly ProtocolUse[],
  narrowed: readonly ProtocolUse[],
): PostfixSetting | null {
  const candidates =
    group[0]?.decider.through.flatMap(({ setting }) => (setting === null ? [] : [setting])) ?? [];
  return (
    candidates.find(
      (setting) =>
        group.every((use) => passesThrough(use, setting)) &&
        !narrowed.some((use) => passesThrough(use, setting)),
    ) ?? null
  );
}

function passesThrough({ decider }: ProtocolUse, reference: PostfixSetting): boolean {
  return decider.through.some(({ setting }) => setting !== null && sameSetting(setting, reference));
}

function sameSetting(a: PostfixSetting, b: PostfixSetting): boolean {
  return a.at.source === b.at.source && a.at.span.start === b.at.span.start;
}

/** Proposes a value where the present one stands, for all that take it. */
export function proposeInPlace(
  configuration: PostfixConfiguration,
  effective: Effective,
  floor: Protocol,
  base: string = baseOf(effective),
): ListProposal {
  const value = hardened(configuration, base, floor);
  const { name, setting } = effective;
  const proposal =
    setting === null
      ? proposeSetting(configuration, name, value, [], 'main', kinOf(name))
      : proposeValue(configuration, setting, value);
  return { value, name, where: whereOf(setting), fix: fixOf(name, value, proposal) };
}

function whereOf(setting: PostfixSetting | null): string {
  return setting?.kind === 'override' ? `with -o on ${setting.service.id}` : 'in main.cf';
}

/** What a new value starts from: the author's words; those of a default are nobody's habit. */
function baseOf({ setting, value }: Effective): string {
  return setting === null ? '' : value;
}

/** True for a destination whose policy names its protocols itself. */
function hasOwnList({ policy }: ProtocolUse): boolean {
  return policy !== null && policy.attribute !== null;
}

/** Names beside which a new list goes into main.cf, the nearest first. */
function kinOf(name: string): readonly string[] {
  const family = name.replace(/_tls_.*$/, '');
  return ['protocols', 'mandatory_protocols', 'security_level', 'cert_file', 'chain_files'].map(
    (rest) => `${family}_tls_${rest}`,
  );
}

function asOverrides(
  configuration: PostfixConfiguration,
  name: string,
  value: string,
  group: readonly ProtocolUse[],
  narrowed: readonly ProtocolUse[],
): Omit<ListProposal, 'value'> {
  const services = [...new Set(group.map(({ service }) => service))];
  const where = `with -o on ${andList(services.map(({ id }) => id))}`;
  const shared = narrowed.some((use) => use.decider.name === name && services.includes(use.service));
  const writable = services.every(({ entry }) => entry !== null);
  if (shared || !writable) return { name, where, fix: null };
  return {
    name,
    where,
    fix: fixOf(name, value, proposeSetting(configuration, name, value, services, 'service')),
  };
}

function fixOf(name: string, value: string, proposal: Proposal): ProposedFix | null {
  return proposal.edits.length === 0 ? null : { title: `set ${name} to "${value}"`, ...proposal };
}

/** The floor that all uses of a group can take: the lowest of those that are asked for, else `otherwise`. */
export function lowestFloor(uses: readonly ProtocolUse[], otherwise: Protocol): Protocol {
  const asked = uses.flatMap(({ floor, policy }) => (floor === null || policy?.attribute ? [] : [floor]));
  return oldest(asked) ?? otherwise;
}
