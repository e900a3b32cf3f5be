import type { Related } from '../../model/finding.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { listWords, type PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { hasFeature } from '../../postfix/parameters.ts';
import { type Proposal, proposeSetting } from '../../postfix/proposals.ts';
import { placedRestrictions } from '../../postfix/restriction-reach.ts';
import { RESTRICTION_LISTS, restrictionList } from '../../postfix/restrictions.ts';
import type { Service } from '../../postfix/services.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import { isSettled, releaseIsSure } from './restriction-lists.ts';
import { smtpdEndpoints } from './smtpd-auth.ts';

/**
 * What smtpd does with clients that do not keep to the line ends and the turns of RFC 5321. Which
 * release has which switch, with which default and words, is in the parameter table, patch by patch.
 */

const BARE_NEWLINE = 'smtpd_forbid_bare_newline';
const EXCLUSIONS = 'smtpd_forbid_bare_newline_exclusions';
const PIPELINING = 'smtpd_forbid_unauth_pipelining';
const DATA = 'smtpd_data_restrictions';
const DISCARD = 'smtpd_discard_ehlo_keywords';
const KIN = [BARE_NEWLINE, PIPELINING, DATA, DISCARD, 'smtpd_helo_required', 'disable_vrfy_command'];

/** The smtpd of other machines: who reaches only this machine's filters is no stranger. */
function strangersServers(context: CheckContext): readonly PostfixEndpoint[] {
  return smtpdEndpoints(context).filter(
    ({ service, public: reachable, role }) => reachable && !service.assumed && role !== 'reinjection',
  );
}

/** What the host does about something that a switch of newer releases forbids. */
type Guard =
  | 'guarded'
  /** The switch says no, and nothing stands in for it. */
  | 'off'
  /** The release has no such switch, and nothing stands in for it. */
  | 'unavailable'
  /** The release is a guess: with it the default guards, with older ones it does not. */
  | 'unsure';

function guardOf(
  postfix: PostfixConfiguration,
  service: Service,
  name: string,
  standIn: (service: Service) => boolean,
): Guard {
  const of = postfix.get(name, service);
  if (!isSettled(of) || standIn(service)) return 'guarded';
  const introduced = postfix.table.knownAnywhere(name)?.introduced ?? null;
  if (postfix.parameter(name) === null) return 'unavailable';
  if (of.setting !== null) return of.value.toLowerCase() === 'no' ? 'off' : 'guarded';
  const { provenAtLeast } = postfix.releaseKnown;
  const sure =
    releaseIsSure(postfix) ||
    (provenAtLeast !== null && introduced !== null && atLeast(provenAtLeast, introduced));
  if (!sure) return 'unsure';
  return of.value.toLowerCase() === 'no' ? 'off' : 'guarded';
}

/** reject_unauth_pipelining in the list that is looked at when DATA has come. */
function rejectsAtData(postfix: PostfixConfiguration, service: Service): boolean {
  if (!isSettled(postfix.get(DATA, service))) return true;
  return placedRestrictions(postfix, service, restrictionList(postfix, DATA, service)).some(
    ({ item, warnOnly, endedBy }) =>
      item.name === 'reject_unauth_pipelining' && !warnOnly && endedBy === null,
  );
}

/** True where BDAT, of which reject_unauth_pipelining sees nothing, is not offered. */
function withoutChunking(postfix: PostfixConfiguration, service: Service): boolean {
  if (!hasFeature(postfix.release, 'chunking')) return true;
  const of = postfix.get(DISCARD, service);
  return !isSettled(of) || listWords(of.value.toLowerCase()).includes('chunking');
}

/** The switch against pipelining is on by a line of the configuration, or by the default of a release that is sure. */
function forbidsPipelining(postfix: PostfixConfiguration, service: Service): boolean {
  if (postfix.parameter(PIPELINING) === null || !postfix.isYes(PIPELINING, service)) return false;
  return releaseIsSure(postfix) || postfix.setting(PIPELINING, service) !== null;
}

const smuggling: Check = function* (context) {
  const { postfix } = context;
  const standIn = (service: Service): boolean =>
    (rejectsAtData(postfix, service) || forbidsPipelining(postfix, service)) &&
    withoutChunking(postfix, service);
  yield* unguarded(context, BARE_NEWLINE, strangersServers(context), standIn, (services) => {
    // What is there already stays as it is.
    const list = services
      .filter((service) => !rejectsAtData(postfix, service))
      .map((service) => addWord(postfix, DATA, 'reject_unauth_pipelining', service));
    const chunking = services
      .filter((service) => !withoutChunking(postfix, service))
      .map((service) => addWord(postfix, DISCARD, 'chunking', service));
    return joined([...list, ...chunking]);
  });
  yield* wideExclusions(context);
};

const unauthPipelining: Check = function* (context) {
  const { postfix } = context;
  yield* unguarded(
    context,
    PIPELINING,
    // The master.cf that Postfix ships says no for submission: mail programs of users are not that strict.
    strangersServers(context).filter(({ role }) => role === 'mx'),
    (service) => rejectsAtData(postfix, service),
    (services) =>
      joined(services.map((service) => addWord(postfix, DATA, 'reject_unauth_pipelining', service))),
  );
};

/** One finding for all servers that share a cause: a line, the default, or the release. */
function* unguarded(
  context: CheckContext,
  name: string,
  servers: readonly PostfixEndpoint[],
  standIn: (service: Service) => boolean,
  substitute: (services: readonly Service[]) => Proposal | null,
): Iterable<Report> {
  const { postfix } = context;
  const groups = new Map<string, PostfixEndpoint[]>();
  for (const endpoint of servers) {
    const guard = guardOf(postfix, endpoint.service, name, standIn);
    // Without its main.cf nothing is known of what an override does not say.
    if (
      guard === 'guarded' ||
      (postfix.main === null && !(guard === 'off' && endpoint.service.overrides.has(name)))
    )
      continue;
    const setting = guard === 'off' ? postfix.setting(name, endpoint.service) : null;
    const key = `${guard} ${setting === null ? '' : `${setting.at.source.path} ${setting.at.span.start}`}`;
    groups.set(key, [...(groups.get(key) ?? []), endpoint]);
  }
  for (const [key, endpoints] of groups) {
    const [first] = endpoints;
    if (first === undefined) continue;
    const guard = key.split(' ')[0] as Guard;
    const services = endpoints.map(({ service }) => service);
    const of = postfix.get(name, first.service);
    const proposal = guard === 'unavailable' ? substitute(services) : switchOn(postfix, name, services);
    const place = decidingPlace(postfix, of, first.service);
    let fix: ProposedFix | null =
      proposal === null
        ? null
        : { title: title(postfix, name, guard), safe: guard !== 'unsure', ...proposal };
    for (const endpoint of endpoints) {
      yield {
        message: guard === 'off' ? (of.setting === null ? 'default' : 'off') : guard,
        at: place,
        setting: name,
        endpoint,
        ...(guard === 'off' ? { of } : {}),
        ...(guard === 'unavailable' ? {} : { expected: best(postfix, name) }),
        data: {
          name,
          best: best(postfix, name),
          releases: arrivals(postfix, name),
          pipelining: !rejectsAtData(postfix, endpoint.service),
          chunking: !withoutChunking(postfix, endpoint.service),
        },
        related: elsewhere(postfix, endpoint.service),
        fix,
      };
      fix = null;
    }
  }
}

function title(postfix: PostfixConfiguration, name: string, guard: Guard): string {
  if (guard !== 'unavailable') return `set ${name} to ${best(postfix, name)}`;
  return name === BARE_NEWLINE && hasFeature(postfix.release, 'chunking')
    ? 'refuse unauthorized pipelining at DATA, and do not offer CHUNKING'
    : 'refuse unauthorized pipelining at DATA';
}

/** The best word that the release knows; `yes` where it is a guess, for that every release with the switch takes. */
function best(postfix: PostfixConfiguration, name: string): string {
  const values = postfix.parameter(name)?.values ?? [];
  return releaseIsSure(postfix) && values.includes('normalize') ? 'normalize' : 'yes';
}

/** "3.9, 3.8.4, 3.7.9": the releases that brought a switch, the newest first. */
function arrivals(postfix: PostfixConfiguration, name: string): readonly Release[] {
  const known = postfix.table.knownAnywhere(name);
  if (known === null || known.introduced === null) return [];
  return [known.introduced, ...known.patches.toReversed()];
}

function switchOn(postfix: PostfixConfiguration, name: string, services: readonly Service[]): Proposal {
  return proposeSetting(postfix, name, best(postfix, name), services, 'main', KIN);
}

/** Puts a word at the head of a list, where it stands for the service. */
function addWord(postfix: PostfixConfiguration, name: string, word: string, service: Service): Proposal {
  const { raw, setting } = postfix.get(name, service);
  const value = setting === null || raw === '' ? word : `${word}, ${raw}`;
  return proposeSetting(postfix, name, value, [service], 'main', KIN);
}

function joined(parts: readonly Proposal[]): Proposal {
  const edits = new Map(
    parts.flatMap((part) => part.edits).map((edit) => [JSON.stringify(edit), edit] as const),
  );
  return { edits: [...edits.values()], writes: [...new Set(parts.flatMap(({ writes }) => writes))] };
}

/** Where reject_unauth_pipelining stands in lists that are over when DATA comes. */
function elsewhere(postfix: PostfixConfiguration, service: Service): Related[] {
  if (rejectsAtData(postfix, service)) return [];
  return RESTRICTION_LISTS.filter(
    (name) => name !== DATA && name !== 'smtpd_end_of_data_restrictions',
  ).flatMap((name) => {
    const setting = postfix.parameter(name) === null ? null : postfix.setting(name, service);
    if (setting === null || !/\breject_unauth_pipelining\b/i.test(setting.value)) return [];
    return [{ at: setting.at, message: 'reject_unauth_pipelining here is over before DATA comes' }];
  });
}

/** Networks that hold everybody, and tables that say yes to everybody. */
const EVERYBODY = /^(?:0\.0\.0\.0\/[0-3]|\[?(?:::|0:0:0:0:0:0:0:0|2000::)\]?\/[0-3]\]?|static:.*)$/;

/** Clients that may send what they like, although the switch is on. */
function* wideExclusions(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  for (const endpoint of strangersServers(context)) {
    const { service } = endpoint;
    // The default is mynetworks, which may be long.
    if (postfix.setting(EXCLUSIONS, service) === null || postfix.parameter(EXCLUSIONS) === null) continue;
    const of = postfix.get(EXCLUSIONS, service);
    if (!isSettled(of)) continue;
    if (postfix.value(BARE_NEWLINE, service).toLowerCase() === 'no') continue;
    const wide = listWords(of.value).find((word) => EVERYBODY.test(word.toLowerCase()));
    if (wide === undefined || /\bmynetworks\b/.test(of.raw)) continue;
    yield {
      message: 'exclusions',
      at: decidingPlace(postfix, of, service),
      of,
      endpoint,
      expected: '$mynetworks',
      data: { wide },
      fix: exclusionFix(postfix, service),
    };
  }
}

function exclusionFix(postfix: PostfixConfiguration, service: Service): ProposedFix {
  return {
    title: `set ${EXCLUSIONS} to $mynetworks`,
    ...proposeSetting(postfix, EXCLUSIONS, '$mynetworks', [service], 'main', [BARE_NEWLINE]),
  };
}

/** Checks of clients that break line ends and turns, by rule id. */
export const smugglingChecks: Readonly<Record<string, Check>> = {
  'postfix/smuggling': smuggling,
  'postfix/unauth-pipelining': unauthPipelining,
};
