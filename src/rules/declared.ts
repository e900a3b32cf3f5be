import type { EffectiveValue } from '../model/setting.ts';
import type { Location } from '../text/source.ts';
import type { JudgedEndpoint, ProposedFix, Report } from './check.ts';
import { type Cause, type ConditionEndpoint, judge, listed, placeOfPhrase } from './condition.ts';
import { type JudgedServer, joinedFix, type Spot } from './judged-server.ts';
import type { Rule } from './rule.ts';

/** What the messages of a rule with `when` may name besides what all messages have. */
export const DECLARED_DATA = ['words', 'protocols', 'ciphers', 'mechanisms'] as const;

/** What a rule without code finds on a server. */
export function* declaredReports<E extends JudgedEndpoint & ConditionEndpoint, V extends EffectiveValue>(
  rule: Rule,
  server: JudgedServer<E, V>,
): Iterable<Report> {
  if (rule.when === undefined) return;
  const { side, roles } = rule.applies;
  const places: readonly (E | null)[] =
    rule.applies.on === 'host'
      ? [null]
      : server.endpoints.filter(
          (endpoint) =>
            (side === undefined || endpoint.side === side) &&
            (roles === undefined || roles.includes(endpoint.role)),
        );
  for (const endpoint of places) {
    const { holds, causes, met, endpoints } = judge(rule.when, server, endpoint);
    if (holds !== true) continue;
    const cause = causes.find(({ value }) => value !== null) ?? causes[0];
    const of = cause?.value ?? null;
    const expected = of === null ? undefined : rule.fix.set?.[of.name];
    const report: Report = {
      at: placeOf(server, cause, endpoint),
      of,
      data: { ...met },
      fix: declaredFix(rule, server, endpoint),
      ...(expected === undefined ? {} : { expected }),
    };
    // Of a host it is said once, with the endpoints that have it.
    for (const found of endpoint === null && endpoints.length > 0 ? endpoints : [endpoint])
      yield { ...report, endpoint: found };
  }
}

function placeOf<E extends JudgedEndpoint & ConditionEndpoint, V extends EffectiveValue>(
  server: JudgedServer<E, V>,
  cause: Cause<E, V> | undefined,
  endpoint: E | null,
): Location {
  if (cause !== undefined && cause.value !== null) return server.placeOf(cause.value, cause);
  const shown = cause?.endpoint ?? endpoint;
  return shown === null ? server.head() : server.placeOfEndpoint(shown);
}

/** The fix that a rule file asks for, as one; null where a part of it cannot be written, or nothing is to be done. */
function declaredFix<E extends JudgedEndpoint & ConditionEndpoint, V extends EffectiveValue>(
  { fix }: Rule,
  server: JudgedServer<E, V>,
  endpoint: E | null,
): ProposedFix | null {
  const { set = {}, add = {}, prepend = {}, drop = {}, remove, scope = 'main' } = fix;
  const spot: Spot<E> = { endpoint, within: fix.in };
  const parts: (ProposedFix | null)[] = [];
  if (remove !== undefined) parts.push(server.remove(remove, spot));
  for (const name of new Set([set, drop, prepend, add].flatMap((one) => Object.keys(one)))) {
    const value = server.get(name, endpoint, fix.in);
    if (value === null || (set[name] === undefined && !server.isKnown(value))) return null;
    const before = server.written(value);
    const change = { drop: drop[name], prepend: prepend[name], add: add[name] };
    const after = listWith(set[name] ?? before, change);
    // Words that a rule both takes away and adds would make each fix change what the last one made.
    if (listWith(after, change) !== after) return null;
    if (set[name] !== undefined || after !== before) parts.push(server.set(name, after, spot, scope));
  }
  if (parts.length === 0) return null;
  const made = parts.filter((part) => part !== null);
  return made.length === parts.length ? joinedFix(made) : null;
}

/** What a list loses and gets; what is there already is not added. */
interface ListChange {
  readonly drop: string | undefined;
  readonly prepend: string | undefined;
  readonly add: string | undefined;
}

/** A list with its changes; between its other words stays what stood there. */
function listWith(text: string, { drop, prepend, add }: ListChange): string {
  let list = text;
  if (drop !== undefined) list = withoutPhrase(list, drop);
  if (prepend !== undefined && placeOfPhrase(listed(list), prepend) !== 0)
    list = between(prepend, withoutPhrase(list, prepend));
  if (add !== undefined && placeOfPhrase(listed(list), add) < 0) list = between(list, add);
  return list;
}

function between(before: string, after: string): string {
  if (before.trim() === '' || after.trim() === '') return `${before}${after}`.trim();
  const comma = /,/.test(before) || /,/.test(after);
  return `${before.replace(/[,\s]+$/, '')}${comma ? ', ' : ' '}${after.replace(/^[,\s]+/, '')}`;
}

/** The list without those words, wherever they follow each other, and without what separated them from the next. */
function withoutPhrase(list: string, phrase: string): string {
  const count = listed(phrase).length;
  let left = list;
  for (let at = placeOfPhrase(listed(left), phrase); at >= 0; at = placeOfPhrase(listed(left), phrase)) {
    const words = [...left.matchAll(/[^,\s]+/g)];
    const start = words[at]?.index ?? 0;
    const next = words[at + count]?.index;
    left =
      next === undefined
        ? left.slice(0, start).replace(/[,\s]+$/, '')
        : left.slice(0, start) + left.slice(next);
  }
  return left;
}
