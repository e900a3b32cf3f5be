import { inRange } from '../model/release.ts';
import { type Effective, listWords } from '../postfix/configuration.ts';
import type { PostfixEndpoint } from '../postfix/endpoints.ts';
import type { CheckContext } from './check.ts';
import type { Condition } from './rule.ts';

/** Where a condition is judged: one endpoint, or the host as a whole. */
export interface ConditionScope {
  readonly context: CheckContext;
  readonly endpoint: PostfixEndpoint | null;
}

/** Outcome of a condition, with the settings that made it true, first named first. */
export interface ConditionOutcome {
  readonly holds: boolean;
  readonly because: readonly Effective[];
}

/** Judges a condition of a declarative rule. */
export function judge(condition: Condition, scope: ConditionScope): ConditionOutcome {
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
  if ('release' in condition)
    return { holds: inRange(scope.context.postfix.release, condition.release), because: [] };
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
  const effective = scope.context.postfix.get(condition.setting, scope.endpoint?.service ?? null);
  const value = effective.value.toLowerCase();
  const holds =
    (condition.is === undefined || value === condition.is.toLowerCase()) &&
    (condition.oneOf === undefined || condition.oneOf.some((word) => word.toLowerCase() === value)) &&
    (condition.matches === undefined || new RegExp(condition.matches, 'i').test(effective.value)) &&
    (condition.contains === undefined || listWords(value).includes(condition.contains.toLowerCase())) &&
    (condition.below === undefined || (/^\d+$/.test(value) && Number(value) < condition.below)) &&
    (condition.above === undefined || (/^\d+$/.test(value) && Number(value) > condition.above)) &&
    (condition.explicit === undefined || condition.explicit === (effective.setting !== null));
  return { holds, because: [effective] };
}
