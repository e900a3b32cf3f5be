import type { Effective, PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { type Proposal, proposeValue } from '../../postfix/proposals.ts';
import { type PlacedRestriction, placedRestrictions } from '../../postfix/restriction-reach.ts';
import {
  partLocation,
  RESTRICTION_LISTS,
  type RestrictionList,
  type RestrictionListName,
  restrictionList,
  writtenPart,
} from '../../postfix/restrictions.ts';
import type { Location } from '../../text/source.ts';
import type { CheckContext } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import { isTemplated } from './misread-lines.ts';
import { smtpdEndpoints } from './smtpd-auth.ts';

/** A restriction list as an smtpd has it. */
export interface ListUse {
  readonly endpoint: PostfixEndpoint;
  readonly name: RestrictionListName;
  readonly list: RestrictionList;
  /** Its elements, those of classes too. */
  readonly placed: readonly PlacedRestriction[];
}

/**
 * Every list that is set for an smtpd, with its classes. One that a template engine will fill, or that
 * refers to what is not known, is left out.
 */
export function* listsInUse(context: CheckContext): Iterable<ListUse> {
  const { postfix } = context;
  for (const endpoint of smtpdEndpoints(context)) {
    const { service } = endpoint;
    if (service.assumed) continue;
    for (const name of RESTRICTION_LISTS) {
      if (postfix.parameter(name) === null || postfix.setting(name, service) === null) continue;
      const list = restrictionList(postfix, name, service);
      if (!isSettled(list.effective)) continue;
      yield { endpoint, name, list, placed: placedRestrictions(postfix, service, list) };
    }
  }
}

/** True where every word of a value is known. */
export function isSettled({ raw, value }: Effective): boolean {
  return !isTemplated(raw) && !value.includes('$');
}

/** True where the release that the host is judged for is sure: it was given, or asked of the program. */
export function releaseIsSure({ releaseKnown: { versionFrom } }: PostfixConfiguration): boolean {
  return versionFrom !== 'assumed' && versionFrom !== 'implied';
}

/** Where a part of a list stands; the line of the list where that is not known. */
export function partPlace(
  { postfix }: CheckContext,
  { endpoint }: ListUse,
  { effective }: RestrictionList,
  start: number,
  end: number,
): Location {
  return partLocation(effective, start, end) ?? decidingPlace(postfix, effective, endpoint.service);
}

/** Writes another text in the place of a part of a list; null where the part is not written out. */
export function replacePart(
  postfix: PostfixConfiguration,
  { effective }: RestrictionList,
  start: number,
  end: number,
  text: string,
): Proposal | null {
  const { setting } = effective;
  const part = writtenPart(effective, start, end);
  if (setting === null || part === null) return null;
  const { value } = setting;
  return proposeValue(postfix, setting, value.slice(0, part.start) + text + value.slice(part.end));
}
