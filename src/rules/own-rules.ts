import Handlebars from 'handlebars';
import ruleSchema from '../../rules/rule.schema.json' with { type: 'json' };
import { inRange, parseRelease } from '../model/release.ts';
import { nearest } from '../text/nearest.ts';
import { DECLARED_DATA } from './declared.ts';
import { MESSAGE_DATA, TEMPLATE_HELPERS, TEMPLATE_OPTIONS, type Template } from './messages.ts';
import { boundProblem, sectionProblem, settingProblem, valueProblem } from './own-settings.ts';
import type { BadExample, Condition, Example, Rule, RulePage, SettingCondition } from './rule.ts';
import type { MessagePart } from './rule-set.ts';

/**
 * Rules that users write themselves: what their schema cannot tell, and their messages. A module that is
 * loaded only where there are such rules: it brings the compiler of the templates along.
 */

/** A rule of a user, read and held against `OWN_RULE_SCHEMA`. */
export interface OwnFile {
  readonly path: string;
  readonly value: RulePage;
}

/** What is wrong with a file, at a JSON pointer: at the value there, or at its key. */
export interface OwnProblem {
  readonly path: string;
  readonly pointer: string;
  readonly at: 'key' | 'value';
  readonly problem: string;
}

/** What own rules may refer to. */
export interface Surroundings {
  readonly builtin: readonly Pick<Rule, 'id'>[];
  /** Names of the built-in profiles and of those beside the rules. */
  readonly profiles: readonly string[];
}

/** The schema of a rule of a user: that of a built-in one, but which of `check` and `when` it has is said in better words. */
export const OWN_RULE_SCHEMA: object = {
  ...Object.fromEntries(Object.entries(ruleSchema).filter(([key]) => key !== 'oneOf')),
  $id: 'https://pfharden.dev/own-rule.schema.json',
};

/** What is wrong with rules of a user, file by file. */
export function ownProblems(files: readonly OwnFile[], surroundings: Surroundings): OwnProblem[] {
  const firsts = new Map<string, string>();
  return files.flatMap((file) => {
    const checker = new Checker(file, surroundings, files);
    checker.rule();
    const { id } = file.value;
    const first = firsts.get(id);
    if (first === undefined) firsts.set(id, file.path);
    else checker.problem('/id', `${first} has the same id, "${id}"`);
    return checker.problems;
  });
}

/** Makes the template of a message of an own rule. */
export function ownTemplate(rule: Rule, messageId: string, part: MessagePart): Template {
  const { messages } = rule as RulePage;
  const text = messages[messageId]?.[part];
  if (text === undefined) throw new Error(`rule ${rule.id} has no message "${messageId}"`);
  return environment().compile(text, TEMPLATE_OPTIONS) as Template;
}

let made: typeof Handlebars | null = null;

function environment(): typeof Handlebars {
  if (made === null) {
    made = Handlebars.create();
    for (const [name, helper] of Object.entries(TEMPLATE_HELPERS)) made.registerHelper(name, helper);
  }
  return made;
}

/** Names that only pfharden itself may give its rules. */
const OWN_NAME = 'pfharden';

class Checker {
  readonly problems: OwnProblem[] = [];
  readonly #file: OwnFile;
  readonly #surroundings: Surroundings;
  readonly #others: readonly OwnFile[];

  constructor(file: OwnFile, surroundings: Surroundings, others: readonly OwnFile[]) {
    this.#file = file;
    this.#surroundings = surroundings;
    this.#others = others;
  }

  problem(pointer: string, problem: string, at: OwnProblem['at'] = 'value'): void {
    this.problems.push({ path: this.#file.path, pointer, at, problem });
  }

  rule(): void {
    const { id, check, when, yields, severity } = this.#file.value;
    const { builtin, profiles } = this.#surroundings;
    const reserved = new Set([OWN_NAME, ...builtin.map((rule) => prefixOf(rule.id))]);
    if (reserved.has(prefixOf(id)))
      this.problem(
        '/id',
        `"${prefixOf(id)}/" is for the rules of pfharden: begin with a name of your own, such as "example-org/${id.slice(id.indexOf('/') + 1)}"`,
      );
    if (check !== undefined)
      this.problem('/check', 'checks are code of pfharden: say what you look for in "when"', 'key');
    if (when === undefined) {
      if (check === undefined) this.problem('', 'the rule does not say what it looks for: it needs "when"');
    } else this.#condition(when, '/when', this.#file.value.applies.on === 'endpoint');
    if (yields !== undefined) {
      const ids = [...builtin, ...this.#others.map(({ value }) => value)].map((rule) => rule.id);
      if (!ids.includes(yields.to))
        this.problem('/yields/to', `there is no rule "${yields.to}"${hint(yields.to, ids)}`);
    }
    const known = [...profiles, '*'];
    for (const [name, levels] of Object.entries(severity)) {
      if (!known.includes(name))
        this.problem(
          `/severity/${escaped(name)}`,
          `there is no profile "${name}"${hint(name, known) || `: ${known.join(', ')}`}`,
          'key',
        );
      if (typeof levels === 'string') continue;
      for (const message of Object.keys(levels))
        if (message !== 'default' && message !== '*')
          this.problem(`/severity/${escaped(name)}/${escaped(message)}`, noMessage(message), 'key');
    }
    this.#applies();
    this.#messages();
    this.#fix();
    this.#examples();
  }

  #applies(): void {
    const { applies } = this.#file.value;
    if (applies.server === 'both' || applies.server === 'any')
      this.problem('/applies/server', 'a rule with "when" judges one server: postfix or dovecot');
    if (applies.on === 'host') {
      for (const key of ['side', 'roles'] as const)
        if (applies[key] !== undefined)
          this.problem(
            `/applies/${key}`,
            `a host has no ${key === 'side' ? 'side' : 'role'}: say "on": "endpoint", or ask in "some" or "none"`,
            'key',
          );
    }
    if (applies.releases !== undefined) this.#range(applies.releases, '/applies/releases');
    for (const [index, { releases }] of (this.#file.value.manual ?? []).entries())
      this.#range(releases, `/manual/${index}/releases`);
  }

  #range(range: string, pointer: string): void {
    try {
      inRange('1.0', range);
    } catch {
      this.problem(pointer, `"${range}" is no range of releases: write ">=3.6", "<2.4" or ">=2.9 <3.4"`);
    }
  }

  #condition(condition: Condition, pointer: string, atEndpoint: boolean): void {
    if ('all' in condition || 'any' in condition) {
      const [key, parts] =
        'all' in condition ? (['all', condition.all] as const) : (['any', condition.any] as const);
      for (const [index, one] of parts.entries())
        this.#condition(one, `${pointer}/${key}/${index}`, atEndpoint);
    } else if ('not' in condition) this.#condition(condition.not, `${pointer}/not`, atEndpoint);
    else if ('some' in condition) this.#condition(condition.some, `${pointer}/some`, true);
    else if ('none' in condition) this.#condition(condition.none, `${pointer}/none`, true);
    else if ('release' in condition) this.#range(condition.release, `${pointer}/release`);
    else if ('endpoint' in condition) {
      if (!atEndpoint)
        this.problem(
          `${pointer}/endpoint`,
          'a host as a whole is no endpoint: ask in "some" or "none", or say "on": "endpoint" in "applies"',
          'key',
        );
    } else this.#setting(condition, pointer);
  }

  #setting(condition: SettingCondition, pointer: string): void {
    const { setting, in: within, matches } = condition;
    if (!this.#names(setting, within, `${pointer}/setting`, `${pointer}/in`)) return;
    if (matches !== undefined) {
      const wrong = expressionProblem(matches);
      if (wrong !== null) this.problem(`${pointer}/matches`, wrong);
    }
    for (const key of ['below', 'above'] as const) {
      const bound = condition[key];
      const wrong = bound === undefined ? null : boundProblem(this.#server, setting, within, String(bound));
      if (wrong !== null) this.problem(`${pointer}/${key}`, wrong);
    }
  }

  get #server(): 'postfix' | 'dovecot' {
    const { server } = this.#file.value.applies;
    return server === 'dovecot' ? 'dovecot' : 'postfix';
  }

  /** Whether a setting and the section that it is asked in are known. */
  #names(name: string, within: string | undefined, at: string, atSection: string): boolean {
    const section = within === undefined ? null : sectionProblem(this.#server, within);
    if (section !== null) this.problem(atSection, section);
    const wrong = section === null ? settingProblem(this.#server, name, within) : null;
    if (wrong !== null) this.problem(at, wrong, at.endsWith('/setting') ? 'value' : 'key');
    return section === null && wrong === null;
  }

  #messages(): void {
    const { messages } = this.#file.value;
    const isThere = messages['default'] !== undefined;
    if (!isThere) this.problem('/messages', 'the message of a rule with "when" is called "default"');
    for (const [id, message] of Object.entries(messages)) {
      if (isThere && id !== 'default') this.problem(`/messages/${escaped(id)}`, noMessage(id), 'key');
      for (const key of ['text', 'advice'] as const) {
        const wrong = templateProblem(message[key]);
        if (wrong !== null) this.problem(`/messages/${escaped(id)}/${key}`, wrong);
      }
    }
  }

  #fix(): void {
    const { fix } = this.#file.value;
    const actions = ['set', 'remove', 'add', 'prepend', 'drop'] as const;
    const given = actions.filter((key) => fix[key] !== undefined);
    const [first] = given;
    if (fix.kind === 'none' && first !== undefined)
      this.problem(`/fix/${first}`, 'a fix of the kind "none" changes nothing: say "safe" or "ask"', 'key');
    if (fix.kind !== 'none' && first === undefined)
      this.problem('/fix', `a fix that is "${fix.kind}" says what it does: ${actions.join(', ')}`);
    if (fix.scope !== undefined && this.#server === 'dovecot')
      this.problem('/fix/scope', 'Dovecot has no -o: name a section with "in"', 'key');
    for (const key of given) {
      const names = key === 'remove' ? [fix.remove ?? ''] : Object.keys(fix[key] ?? {});
      for (const name of names) {
        const pointer = key === 'remove' ? '/fix/remove' : `/fix/${key}/${escaped(name)}`;
        if (!this.#names(name, fix.in, pointer, '/fix/in') || key === 'remove') continue;
        const value = fix[key]?.[name] ?? '';
        const wrong = valueProblem(this.#server, name, fix.in, value, key === 'set');
        if (wrong !== null) this.problem(pointer, wrong);
      }
    }
  }

  #examples(): void {
    const { bad, good } = this.#file.value.examples;
    for (const [index, example] of bad.entries()) {
      const pointer = `/examples/bad/${index}`;
      this.#example(example, pointer);
      this.#expected(example, pointer);
    }
    for (const [index, example] of good.entries()) this.#example(example, `/examples/good/${index}`);
    if (this.#file.value.fix.kind !== 'none' && !bad.some(({ fixed }) => fixed !== undefined))
      this.problem('/examples/bad', 'the rule has a fix, and no example shows what comes of it in "fixed"');
  }

  #example(example: Example, pointer: string): void {
    const { profiles } = this.#surroundings;
    const { profile, files } = example;
    if (profile !== undefined && !profiles.includes(profile))
      this.problem(`${pointer}/profile`, `there is no profile "${profile}"${hint(profile, profiles)}`);
    for (const server of ['postfix', 'dovecot', 'openssl'] as const) {
      const release = example[server];
      if (release !== undefined && parseRelease(release) === null)
        this.problem(`${pointer}/${server}`, `"${release}" is no release; write it as 3.7.11 or 3.7`);
    }
    const paths = Object.keys(files);
    const [first = ''] = paths;
    if (!paths.some((path) => SERVER_FILES.includes(path) || path.startsWith('conf.d/')))
      this.problem(
        `${pointer}/files/${escaped(first)}`,
        `no file of an example is ${SERVER_FILES.join(', ')}${hint(first, SERVER_FILES)}`,
        'key',
      );
  }

  #expected({ findings, files, fixed = {} }: BadExample, pointer: string): void {
    const paths = Object.keys(files);
    for (const [index, { file, message = 'default' }] of findings.entries()) {
      if (!paths.includes(file))
        this.problem(
          `${pointer}/findings/${index}/file`,
          `the example has no file "${file}"${hint(file, paths)}`,
        );
      if (message !== 'default') this.problem(`${pointer}/findings/${index}/message`, noMessage(message));
    }
    for (const file of Object.keys(fixed))
      if (!paths.includes(file))
        this.problem(
          `${pointer}/fixed/${escaped(file)}`,
          `the example has no file "${file}"${hint(file, paths)}`,
          'key',
        );
  }
}

/** The files that a host is known by. */
const SERVER_FILES: readonly string[] = ['main.cf', 'master.cf', 'dovecot.conf'];

function prefixOf(id: string): string {
  return id.slice(0, id.indexOf('/'));
}

function noMessage(id: string): string {
  return `a rule with "when" has one message, "default", and no "${id}"`;
}

/** A key as it stands in a JSON pointer. */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function hint(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === null ? '' : `; did you mean "${meant}"?`;
}

/**
 * What is wrong with a regular expression. Own rules are trusted, but an expression that is slow by mistake
 * is not to make a lint of ten thousand hosts stand still.
 */
function expressionProblem(text: string): string | null {
  try {
    ''.match(new RegExp(text, 'i'));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /s, '') : String(error);
    return `not a regular expression: ${reason}`;
  }
  return repeatsRepetition(text)
    ? 'a repetition inside a repetition, as in (a+)+, may take for ever on a value that almost fits: repeat once'
    : null;
}

/** Whether a group that is repeated without bound holds something that is itself repeated without bound. */
function repeatsRepetition(text: string): boolean {
  const groups: boolean[] = [false];
  const repeat = (): void => {
    groups[groups.length - 1] = true;
  };
  // Of the group that has just ended: whether it holds a repetition.
  let ended = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const isRepetition = /^(?:[*+]|\{\d+,\})$/.test(token);
    if (isRepetition && ended) return true;
    if (isRepetition) repeat();
    else if (token.startsWith('(')) groups.push(false);
    ended = token === ')' && groups.pop() === true;
    if (ended) repeat();
  }
  return false;
}

/** Parts of a regular expression: escapes, classes, groups, repetitions, and all other characters. */
const TOKENS = /\\[^]|\[(?:\\[^]|[^\]\\])*\]|\((?:\?(?:<?[=!]|:|<\w+>))?|[)*+]|\{\d+,\}|[^]/g;

/** Names that every template may use. */
const VARIABLES: readonly string[] = [...MESSAGE_DATA, ...DECLARED_DATA];

/** Helpers that Handlebars has by itself. */
const BLOCK_HELPERS: readonly string[] = ['if', 'unless', 'each', 'with', 'lookup'];

/** What is wrong with the template of a message. */
function templateProblem(text: string): string | null {
  const handlebars = environment();
  try {
    const wrong = pathProblem(handlebars.parse(text), []);
    if (wrong !== null) return wrong;
    handlebars.precompile(text, TEMPLATE_OPTIONS);
    return null;
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split('\n');
    const [first = '', excerpt = '', pointer = ''] = lines;
    // Handlebars shows the place by a line of dashes below an excerpt.
    const at = /^-*\^$/.test(pointer) ? ` at "${excerpt.slice(Math.max(0, pointer.length - 12))}"` : '';
    return `not a template of Handlebars: ${first.replace(/:$/, '')}${at}`;
  }
}

/** What is wrong with the names in a part of a parsed template. */
function pathProblem(node: unknown, names: readonly string[]): string | null {
  if (Array.isArray(node)) {
    for (const item of node) {
      const wrong = pathProblem(item, names);
      if (wrong !== null) return wrong;
    }
    return null;
  }
  if (typeof node !== 'object' || node === null) return null;
  const { type, path, params, blockParams } = node as {
    type?: string;
    path?: unknown;
    params?: readonly unknown[];
    blockParams?: readonly string[];
  };
  const own = blockParams === undefined ? names : [...names, ...blockParams];
  if (type === 'PathExpression') return variableProblem(node as hbs.AST.PathExpression, own);
  if (type === 'PartialStatement' || type === 'PartialBlockStatement')
    return 'a message has no other templates to take in: {{>…}} is not for it';
  const calls = (params?.length ?? 0) > 0 || type === 'BlockStatement' || type === 'SubExpression';
  if (calls) {
    const { original } = path as hbs.AST.PathExpression;
    const helpers = [...Object.keys(TEMPLATE_HELPERS), ...BLOCK_HELPERS];
    if (!helpers.includes(original))
      return `there is no helper "${original}"${hint(original, helpers) || `: ${helpers.join(', ')}`}`;
  }
  for (const [key, value] of Object.entries(node)) {
    if (key === 'loc' || (key === 'path' && calls)) continue;
    const wrong = pathProblem(value, own);
    if (wrong !== null) return wrong;
  }
  return null;
}

function variableProblem(
  { parts, original, data, depth }: hbs.AST.PathExpression,
  names: readonly string[],
): string | null {
  const [first, second, ...more] = parts.map(String);
  if (data || first === undefined || (depth === 0 && names.includes(first))) return null;
  if (!VARIABLES.includes(first))
    return `there is no variable "${first}"${hint(first, VARIABLES) || `: ${VARIABLES.join(', ')}`}`;
  if (second !== undefined && (second !== 'length' || more.length > 0))
    return `"${original}" is not there: of a list a template may ask for its length, or go through it with {{#each ${first}}}`;
  return null;
}
