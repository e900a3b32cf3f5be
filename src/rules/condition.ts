import type { Endpoint } from '../model/endpoint.ts';
import { inRange, type Release } from '../model/release.ts';
import type { EffectiveValue } from '../model/setting.ts';
import type { Condition } from './rule.ts';

/** What a condition can ask of an endpoint besides what every report shows. */
export interface ConditionEndpoint extends Pick<Endpoint, 'role' | 'port' | 'tls'> {
  /** Reachable from other machines. */
  readonly public: boolean;
  /** Takes passwords, or would if TLS were there. */
  readonly sasl: boolean;
}

/** Where a condition is judged: one endpoint of a server, or the host as a whole. */
export interface ConditionScope<V extends EffectiveValue> {
  readonly release: Release;
  readonly endpoint: ConditionEndpoint | null;
  /** The value of a setting there. */
  readonly get: (name: string) => V;
}

/** Outcome of a condition, with the settings that made it true, first named first. */
export interface ConditionOutcome<V extends EffectiveValue> {
  readonly holds: boolean;
  readonly because: readonly V[];
}

/** Judges a condition of a declarative rule. */
export function judge<V extends EffectiveValue>(
  condition: Condition,
  scope: ConditionScope<V>,
): ConditionOutcome<V> {
  if ('all' in condition) {
    const outcomes = condition.all.map((part) => judge(part, scope));
    return {
      holds: outcomes.every(({ holds }) => holds),
      because: outcomes.flatMap(({ because }) => because),
    };
  }
  if ('any' in condition) {
    const holding = condition.any.map((part) => judge(part, scope)).filter(({ holds }) => holds);
    return { holds: holding.length > 0, because: holding[0]?.because ?? [] };
  }
  if ('not' in condition) return { holds: !judge(condition.not, scope).holds, because: [] };
  if ('release' in condition) return { holds: inRange(scope.release, condition.release), because: [] };
  if ('endpoint' in condition) {
    const { endpoint } = scope;
    if (endpoint === null) return { holds: false, because: [] };
    const { roles, modes, public: reachable, sasl, port } = condition.endpoint;
    const holds =
      (roles === undefined || roles.includes(endpoint.role)) &&
      (modes === undefined || modes.includes(endpoint.tls.mode)) &&
      (reachable === undefined || reachable === endpoint.public) &&
      (sasl === undefined || sasl === endpoint.sasl) &&
      (port === undefined || port === endpoint.port);
    return { holds, because: [] };
  }
  const effective = scope.get(condition.setting);
  const value = effective.value.toLowerCase();
  const holds =
    (condition.is === undefined || value === condition.is.toLowerCase()) &&
    (condition.oneOf === undefined || condition.oneOf.some((word) => word.toLowerCase() === value)) &&
    (condition.matches === undefined || new RegExp(condition.matches, 'i').test(effective.value)) &&
    (condition.contains === undefined || words(value).includes(condition.contains.toLowerCase())) &&
    (condition.below === undefined || (/^\d+$/.test(value) && Number(value) < condition.below)) &&
    (condition.above === undefined || (/^\d+$/.test(value) && Number(value) > condition.above)) &&
    (condition.explicit === undefined || condition.explicit === (effective.origin.kind !== 'default'));
  return { holds, because: [effective] };
}

/** Words of a list: both servers separate them by commas and white space. */
function words(value: string): string[] {
  return value.split(/[,\s]+/).filter((word) => word !== '');
}
