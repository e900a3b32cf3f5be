import type { DovecotEffective } from '../dovecot/effective.ts';
import type { DovecotEndpoint } from '../dovecot/endpoints.ts';
import {
  proposeRemoval as proposeDovecotRemoval,
  proposeSetting as proposeDovecotSetting,
} from '../dovecot/proposals.ts';
import type { Release } from '../model/release.ts';
import type { EffectiveValue } from '../model/setting.ts';
import { proposeRemoval, proposeSetting } from '../postfix/proposals.ts';
import type { Location } from '../text/source.ts';
import type { CheckContext, DovecotCheckContext, JudgedEndpoint, ProposedFix } from './check.ts';
import type { ConditionEndpoint } from './condition.ts';
import { decidingPlace, dovecotHead, dovecotPlace, headOf } from './locate.ts';
import { andList } from './messages.ts';

/** One server of a host as rules without code look at it: what `when` and `fix` of a rule file need. */
export interface JudgedServer<E extends JudgedEndpoint & ConditionEndpoint, V extends EffectiveValue> {
  readonly release: Release;
  readonly endpoints: readonly E[];
  /** The value of a setting at an endpoint, or for the server as a whole. */
  readonly get: (name: string, endpoint: E | null) => V;
  /** The line that decides on a value, or what to show for a default. */
  readonly placeOf: (value: V, endpoint: E | null) => Location;
  /** Where to show what concerns the server as a whole. */
  readonly head: () => Location;
  /** The fix that gives a setting a value at an endpoint; null where it cannot be written. */
  readonly set: (name: string, value: string, endpoint: E | null) => ProposedFix | null;
  /** The fix that removes what decides on a setting at an endpoint; null where nothing is set. */
  readonly remove: (name: string, endpoint: E | null) => ProposedFix | null;
}

/** Postfix as rules without code look at it. */
export function judgedPostfix({ postfix, endpoints }: CheckContext) {
  return {
    release: postfix.release,
    endpoints,
    get: (name, endpoint) => postfix.get(name, endpoint?.service ?? null),
    placeOf: (value, endpoint) => decidingPlace(postfix, value, endpoint?.service ?? null),
    head: () => headOf(postfix),
    set: (name, value, endpoint) => ({
      title: `set ${name} to ${value}`,
      ...proposeSetting(postfix, name, value, endpoint === null ? [] : [endpoint.service], 'main'),
    }),
    remove(name, endpoint) {
      const setting = postfix.setting(name, endpoint?.service ?? null);
      return setting === null ? null : { title: `remove ${name}`, ...proposeRemoval(postfix, setting) };
    },
  } satisfies JudgedServer<CheckContext['endpoints'][number], ReturnType<CheckContext['postfix']['get']>>;
}

/** Dovecot as rules without code look at it. */
export function judgedDovecot({ dovecot, endpoints }: DovecotCheckContext) {
  const get = (name: string, endpoint: DovecotEndpoint | null): DovecotEffective =>
    dovecot.get(name, endpoint?.context ?? {});
  return {
    release: dovecot.release,
    endpoints,
    get,
    placeOf: (value) => dovecotPlace(dovecot, value),
    head: () => dovecotHead(dovecot),
    set(name, value, endpoint) {
      const proposal = proposeDovecotSetting(dovecot, { name, value }, endpoint?.context ?? {});
      return proposal === null ? null : { title: `set ${name} to ${value}`, ...proposal };
    },
    remove(name, endpoint) {
      const { assignment } = get(name, endpoint);
      return assignment === null ? null : { title: `remove ${name}`, ...proposeDovecotRemoval(assignment) };
    },
  } satisfies JudgedServer<DovecotEndpoint, DovecotEffective>;
}

/** Several fixes as one: all their edits are made together. */
export function joinedFix(parts: readonly ProposedFix[]): ProposedFix {
  return {
    title: andList(parts.map(({ title }) => title)),
    edits: parts.flatMap(({ edits }) => edits),
    writes: parts.flatMap(({ writes }) => writes),
  };
}
