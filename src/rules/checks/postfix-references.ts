import type { PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { type Expansion, type ExpansionCode, type Reference, references } from '../../postfix/expand.ts';
import { hasFeature, type ParameterType } from '../../postfix/parameters.ts';
import { parseTableReference } from '../../postfix/tables.ts';
import { nearest } from '../../text/nearest.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, Report } from '../check.ts';
import { isTemplated } from './misread-lines.ts';

/** `$name` of nothing, expansions that fail, and conditions that read otherwise than they look (postfix-language §3). */

function* undefinedReference({ postfix }: CheckContext): Iterable<Report> {
  const loops = new Set<string>();
  const slips = new Slips(postfix);
  for (const setting of postfix.settings()) {
    if (!setting.value.includes('$') || isTemplated(withoutInlineTables(setting.value))) continue;
    const parameter = postfix.parameter(setting.name);
    // Expanded anew for each use, with names that only then exist.
    if (parameter?.storage === 'raw') continue;
    const service = setting.kind === 'override' ? setting.service : null;
    const expansion = postfix.expand(setting.value, service);
    if (expansion.failed) yield* failedReports(postfix, setting, expansion, loops);
    yield* undefinedReports(postfix, setting, expansion, slips);
    yield* conditionReports(postfix, setting, parameter?.type ?? 'string');
  }
}

/** `inline:{{a=b}}` looks like a mark of a template engine. */
function withoutInlineTables(value: string): string {
  return value.replace(/:\s*\{\s*\{/g, ':');
}

/** Place of a part of a value as it is read, in the file. */
function placeIn(setting: PostfixSetting, text: string, from: number): Location {
  const { source } = setting.at;
  const { start, end } = setting.entry.valueSpan;
  // Line ends and comments between lines only move it towards the end.
  const at = source.text.indexOf(text, start + from);
  if (text === '' || at < 0 || at + text.length > end) return setting.at;
  return { source, span: { start: at, end: at + text.length } };
}

/** Errors of the text itself, in words for the messages. */
const FAILURES: Readonly<Partial<Record<ExpansionCode, string>>> = {
  'empty-name': 'a "$" has no name behind it',
  unbalanced: 'a bracket behind "$" is not closed',
  'bad-name': 'a name holds a character that no name may have',
  'bad-operator': 'between two operands stands no operator that this release knows',
  'missing-operand': 'an operator has nothing on its right',
  'trailing-text': 'text stands behind an operand where only "?", ":" or the end may follow',
  'bad-level': 'an operand is no compatibility level',
  'bad-number': 'a number is too large',
  'unknown-function': 'the function is unknown',
  'bad-domain': 'the domain cannot be translated',
};

function* failedReports(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  { problems }: Expansion,
  loops: Set<string>,
): Iterable<Report> {
  const problem = problems.find(({ code }) => code !== 'undefined');
  if (problem === undefined) return;
  const common = { setting: setting.name, actual: setting.value };
  if (problem.code === 'nesting' || problem.code === 'too-large') {
    if (loops.size > MOST_NAMES) return;
    const loop = loopOf(postfix, setting);
    if (loop === null) loops.add(setting.name);
    // One of the names in the circle is enough; who only refers to it is not to blame.
    if (loop === null || loop.some((name) => loops.has(name))) return;
    for (const name of loop) loops.add(name);
    yield {
      ...common,
      message: 'endless',
      at: setting.at,
      data: { loop: [...loop, setting.name].map((name) => `$${name}`).join(' → ') },
    };
    return;
  }
  if (!isOwnProblem(postfix, setting, problem.code)) return;
  const rest = setting.value.slice(problem.at);
  const dollar = rest.startsWith('$') ? rest.slice(0, Math.max(1, rest.search(/[\s,]|$/))) : '';
  yield {
    ...common,
    message: problem.code === 'empty-name' ? 'lone-dollar' : 'broken',
    at: placeIn(setting, dollar, problem.at),
    data: { problem: FAILURES[problem.code] ?? 'it cannot be expanded', text: problem.detail },
  };
}

/** True where the text fails by itself, whatever the names in it stand for. */
function isOwnProblem(postfix: PostfixConfiguration, setting: PostfixSetting, code: ExpansionCode): boolean {
  const alone = postfix.expand(setting.value.replace(/\$\$/g, ''), null);
  if (!alone.failed) return false;
  const named = references(setting.value).map(({ name }) => postfix.setting(name)?.value ?? '');
  return !named.some(
    (value) => value.includes('$') && postfix.expand(value).problems.some((problem) => problem.code === code),
  );
}

/** A circle is looked for among so many names. */
const MOST_NAMES = 500;

/** The names from a setting back to itself; null where it only leads to such a circle. */
function loopOf(postfix: PostfixConfiguration, setting: PostfixSetting): readonly string[] | null {
  const service = setting.kind === 'override' ? setting.service : null;
  const cameFrom = new Map<string, string>();
  const queue = [setting.name];
  for (let at = 0; at < queue.length && at < MOST_NAMES; at++) {
    const name = queue[at] ?? '';
    const text = postfix.setting(name, service)?.value ?? postfix.parameter(name)?.default ?? '';
    for (const { name: next } of references(text)) {
      if (next === setting.name) return pathTo(name, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, name);
      queue.push(next);
    }
  }
  return null;
}

/** The names on the way to a name, from the one that was first. */
function pathTo(name: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const path = [name];
  for (let before = cameFrom.get(name); before !== undefined; before = cameFrom.get(before))
    path.unshift(before);
  return path;
}

function* undefinedReports(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  { problems }: Expansion,
  slips: Slips,
): Iterable<Report> {
  // Without main.cf nobody knows what it defines.
  if (postfix.main === null) return;
  const written = new Map<string, Reference>();
  for (const one of references(setting.value)) if (!written.has(one.name)) written.set(one.name, one);
  const seen = new Set<string>();
  for (const { code, detail: name } of problems) {
    if (code !== 'undefined' || seen.has(name)) continue;
    seen.add(name);
    const reference = written.get(name);
    if (reference === undefined) continue;
    const text = setting.value.slice(reference.at, reference.at + reference.length);
    const data = { reference: text, name };
    const common = { at: placeIn(setting, text, reference.at), setting: setting.name, actual: setting.value };
    if (/^\d+$/.test(name)) yield { ...common, message: 'group', data };
    else if (postfix.table.knownAnywhere(name) !== null) yield { ...common, message: 'other-release', data };
    else {
      const meant = slips.nearest(name);
      yield {
        ...common,
        message: meant === null ? 'default' : 'near',
        data: { ...data, meant: meant ?? '' },
      };
    }
  }
}

/** For so many names of one host the nearest is looked for. */
const MOST_SLIPS = 100;

/** Finds what was probably meant by a name that nothing defines. */
class Slips {
  readonly #postfix: PostfixConfiguration;
  #names: readonly string[] | null = null;
  #looked = 0;

  constructor(postfix: PostfixConfiguration) {
    this.#postfix = postfix;
  }

  nearest(name: string): string | null {
    if (this.#looked++ >= MOST_SLIPS) return null;
    this.#names ??= [
      ...this.#postfix.table.names(),
      ...this.#postfix.settings().flatMap(({ kind, name: own }) => (kind === 'main' ? [own] : [])),
    ];
    return nearest(name, this.#names);
  }
}

/** Types whose words never hold a colon. */
const WITHOUT_COLON: ReadonlySet<ParameterType> = new Set<ParameterType>([
  'bool',
  'int',
  'time',
  'enum',
  'tls-security-level',
  'tls-cipher-grade',
]);

/** `${name?a:b}`: without braces all of `a:b` is what stands for a name that is set. */
function* conditionReports(
  postfix: PostfixConfiguration,
  setting: PostfixSetting,
  type: ParameterType,
): Iterable<Report> {
  if (!setting.value.includes('?')) return;
  for (const match of setting.value.matchAll(/\$\{\s*(\w+)\s*\?([^{}$:?]*):([^{}$]*)\}/g)) {
    const [text, name = '', yes = '', no = ''] = match;
    const plain = /^(?:yes|no|\d+[smhdw]?)$/i.test(yes.trim());
    if (!WITHOUT_COLON.has(type) && !plain) continue;
    if (!plain && parseTableReference(`${yes}:${no}`) !== null && !WITHOUT_COLON.has(type)) continue;
    yield {
      message: WITHOUT_COLON.has(type) ? 'condition-fatal' : 'condition',
      at: placeIn(setting, text, match.index),
      setting: setting.name,
      actual: text,
      data: {
        name,
        whole: `${yes}:${no}`,
        write: hasFeature(postfix.release, 'ternary')
          ? `\${${name}?{${yes}}:{${no}}}`
          : `\${${name}?${yes}}\${${name}:${no}}`,
      },
    };
  }
}

/** True where a rule here says what is wrong with a value, so that nothing is to be said of what it expands to. */
export function hasReferenceProblem(postfix: PostfixConfiguration, setting: PostfixSetting): boolean {
  if (!setting.value.includes('$')) return false;
  const { failed, problems } = postfix.expand(
    setting.value,
    setting.kind === 'override' ? setting.service : null,
  );
  return failed || problems.length > 0 || [...conditionReports(postfix, setting, 'bool')].length > 0;
}

/** Checks about references. */
export const referenceChecks: Readonly<Record<string, Check>> = {
  'postfix/undefined-reference': undefinedReference,
};
