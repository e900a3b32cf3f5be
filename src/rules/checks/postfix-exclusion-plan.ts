import type { Release } from '../../model/release.ts';
import type { PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { type Proposal, proposeSetting, proposeValue } from '../../postfix/proposals.ts';
import type { Service } from '../../postfix/services.ts';
import type { CheckContext, ProposedFix } from '../check.ts';
import { andList } from '../messages.ts';
import { byClass, exclusionsFor, type ForbiddenSuite } from './forbidden-suites.ts';
import { suitesWithout } from './postfix-cipher-suites.ts';
import { type CipherUse, exclusionsName, exclusionsOf } from './postfix-cipher-uses.ts';
import { withAdded, writtenWords } from './postfix-exclusion-lists.ts';
import { sameSetting } from './postfix-levels.ts';
import { type Decider, decide } from './postfix-protocol-uses.ts';

/**
 * Which words go into which list of exclusions, so that every endpoint loses what the profile forbids
 * there and no other one loses anything more.
 */

/** A list of exclusions that gets more words. */
export interface ExclusionTarget {
  /** What the program reads, or what that refers to: the name of the list that is written. */
  readonly name: string;
  /** Null where the list is not written yet. */
  readonly setting: PostfixSetting | null;
  readonly decider: Decider;
  /** Words to add. */
  readonly words: readonly string[];
  /** The list with them. */
  readonly value: string;
  /** "in main.cf", "with -o on submission/inet" */
  readonly where: string;
  /** The uses that need the words, in the order of the endpoints. */
  readonly uses: readonly CipherUse[];
  readonly proposal: Proposal;
}

/** A use with what is forbidden there. */
export interface ForbiddenUse {
  readonly use: CipherUse;
  /** The OpenSSL release that has them. */
  readonly library: Release;
  readonly forbidden: readonly ForbiddenSuite[];
}

/** What mends a use: every list that gets words for it, and null where no exclusion can. */
export interface ExclusionPlan extends ForbiddenUse {
  readonly words: readonly string[];
  readonly targets: readonly ExclusionTarget[];
  readonly fix: ProposedFix | null;
}

interface Wanted {
  readonly decider: Decider;
  readonly setting: PostfixSetting | null;
  readonly name: string;
  readonly words: Set<string>;
  readonly uses: CipherUse[];
}

/**
 * Plans exclusions for all uses together, since several of them may share one list.
 *
 * @param all every use of the instance: those that take a list and tolerate less than a profile asks for elsewhere
 */
export function planExclusions(
  { postfix }: CheckContext,
  found: readonly ForbiddenUse[],
  all: readonly CipherUse[],
): readonly ExclusionPlan[] {
  const wanted = new Map<string, Wanted>();
  const taken = found.map((one) => {
    const words = wordsFor(one);
    const possible = words.all.length > 0 && isLeft(postfix, one, words.all);
    const keys = possible ? put(postfix, one.use, words, { found, all, wanted }) : [];
    return { ...one, words: words.all, keys };
  });
  const targets = new Map(
    [...wanted].map(([key, one]): [string, ExclusionTarget] => [key, targetOf(postfix, one)]),
  );
  return taken.map(({ keys, ...one }) => {
    const own = keys.flatMap((key) => targets.get(key) ?? []);
    return { ...one, targets: own, fix: fixOf(own) };
  });
}

function fixOf(targets: readonly ExclusionTarget[]): ProposedFix | null {
  if (targets.length === 0 || targets.some(({ proposal }) => proposal.edits.length === 0)) return null;
  return {
    title: andList(targets.map(({ name, value }) => `set ${name} to "${value}"`)),
    edits: targets.flatMap(({ proposal }) => proposal.edits),
    writes: targets.flatMap(({ proposal }) => proposal.writes),
  };
}

interface Words {
  readonly all: readonly string[];
  /** For what is forbidden only where TLS is mandatory. */
  readonly mandatory: readonly string[];
  /** For what is forbidden where TLS is optional too. */
  readonly anywhere: readonly string[];
}

/** The words that take the forbidden suites of a use away: those of their classes that do anything. */
function wordsFor({ library, forbidden }: ForbiddenUse): Words {
  const mandatory: string[] = [];
  const anywhere: string[] = [];
  for (const found of byClass(forbidden)) {
    const words = found.objection.where === 'tlsRequired' ? mandatory : anywhere;
    words.push(...exclusionsFor(found, library));
  }
  return { all: [...anywhere, ...mandatory], mandatory, anywhere };
}

/** Whether OpenSSL still has ciphers for a use when words are excluded: an empty list ends TLSv1.3 too. */
function isLeft(
  postfix: PostfixConfiguration,
  { use, library }: ForbiddenUse,
  words: readonly string[],
): boolean {
  const releases: Release[] = [library, postfix.openssl.version];
  return releases.every((release) => (suitesWithout(use, words, release)?.length ?? 0) > 0);
}

interface Plan {
  readonly found: readonly ForbiddenUse[];
  readonly all: readonly CipherUse[];
  readonly wanted: Map<string, Wanted>;
}

/** Notes the words of a use at the lists that they go into, and says at which. */
function put(postfix: PostfixConfiguration, use: CipherUse, words: Words, plan: Plan): readonly string[] {
  const [optional, mandatory] = [false, true].map((which) =>
    decide(postfix, exclusionsName(use.endpoint.family, which), use.service),
  ) as [Decider, Decider];
  if (!use.mandatory) return [note(postfix, use, optional, words.all, plan)];
  // One list is enough where no session with optional TLS needs the words, and the other is not written.
  const together =
    optional.effective.setting === null &&
    (words.mandatory.length > 0 || mandatory.effective.setting !== null) &&
    !plan.found.some(({ use: other }) => !other.mandatory && other.endpoint.side === use.endpoint.side);
  if (together) return [note(postfix, use, mandatory, words.all, plan)];
  return [
    ...(words.anywhere.length > 0 ? [note(postfix, use, optional, words.anywhere, plan)] : []),
    ...(words.mandatory.length > 0 ? [note(postfix, use, mandatory, words.mandatory, plan)] : []),
  ];
}

function note(
  postfix: PostfixConfiguration,
  use: CipherUse,
  decider: Decider,
  words: readonly string[],
  { all, wanted }: Plan,
): string {
  const strict = decider.name.includes('_mandatory_');
  const setting = writtenAt(postfix, decider, strict, all);
  const name =
    setting?.name ?? (strict && decider.effective.setting !== null ? decider.name : decider.effective.name);
  const key =
    setting === null
      ? `${name}\0${postfix.main === null ? use.service.id : ''}`
      : `${setting.at.source.path}:${setting.at.span.start}`;
  const known = wanted.get(key) ?? { decider, setting, name, words: new Set(), uses: [] };
  wanted.set(key, known);
  for (const word of words) known.words.add(word);
  known.uses.push(use);
  return key;
}

/**
 * The assignment that gets the words: the one that holds the list, or where sessions with optional TLS take
 * that too, the one that refers to it.
 */
function writtenAt(
  postfix: PostfixConfiguration,
  { effective, through }: Decider,
  strict: boolean,
  all: readonly CipherUse[],
): PostfixSetting | null {
  for (const { setting } of [effective, ...through.toReversed()]) {
    if (setting === null) continue;
    const shared =
      strict &&
      all.some(
        (use) =>
          !use.mandatory &&
          exclusionsOf(postfix, use).some((other) =>
            [other.effective, ...other.through].some((one) => sameSetting(one.setting, setting)),
          ),
      );
    if (!shared) return setting;
  }
  return null;
}

function targetOf(
  postfix: PostfixConfiguration,
  { decider, setting, name, words, uses }: Wanted,
): ExclusionTarget {
  const raw = setting?.value ?? '';
  const present = new Set(writtenWords(raw).map(({ text }) => text));
  const added = [...words].filter((word) => !present.has(word));
  const value = withAdded(raw, added);
  const services = postfix.main === null ? [...new Set(uses.map(({ service }) => service))] : [];
  const proposal =
    setting === null
      ? proposeSetting(postfix, name, value, services, services.length > 0 ? 'service' : 'main', kinOf(name))
      : proposeValue(postfix, setting, value);
  return { name, setting, decider, words: added, value, where: whereOf(setting, services), uses, proposal };
}

function whereOf(setting: PostfixSetting | null, services: readonly Service[]): string {
  if (setting?.kind === 'override') return `with -o on ${setting.service.id}`;
  return services.length > 0 ? `with -o on ${andList(services.map(({ id }) => id))}` : 'in main.cf';
}

/** Names beside which a new list goes into main.cf, the nearest first. */
function kinOf(name: string): readonly string[] {
  const family = name.replace(/_tls_.*$/, '');
  return [
    'exclude_ciphers',
    'mandatory_exclude_ciphers',
    'mandatory_ciphers',
    'ciphers',
    'mandatory_protocols',
    'protocols',
    'security_level',
    'cert_file',
    'chain_files',
  ].map((rest) => `${family}_tls_${rest}`);
}
