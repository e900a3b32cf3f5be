import {
  messages as builtinMessages,
  profiles as builtinProfiles,
  rules as builtinRules,
} from 'virtual:builtin-rules';
import { type RuleMessage, templateOf } from './message-code.ts';
import type { Template } from './messages.ts';
import { type Profile, ProfileError, type ProfileFile, resolveProfile } from './profile.ts';
import type { Rule } from './rule.ts';

/** Which template of a message. */
export type MessagePart = 'text' | 'advice';

/** Rules with the means to put their findings into words. */
export class RuleSet {
  readonly #rules: () => readonly Rule[];
  readonly #compile: (rule: Rule, messageId: string, part: MessagePart) => Template;
  readonly #templates = new Map<string, Template>();

  /**
   * @param rules gives always the same; called when somebody asks for them
   * @param compile gives the template of a message; called once for each
   */
  constructor(
    rules: () => readonly Rule[],
    compile: (rule: Rule, messageId: string, part: MessagePart) => Template,
  ) {
    this.#rules = rules;
    this.#compile = compile;
  }

  get rules(): readonly Rule[] {
    return this.#rules();
  }

  /** The rule of that id, or undefined. */
  find(id: string): Rule | undefined {
    return this.rules.find((rule) => rule.id === id);
  }

  /** A sentence of a finding. */
  render(rule: Rule, messageId: string, part: MessagePart, data: Readonly<Record<string, unknown>>): string {
    const key = `${rule.id}\0${messageId}\0${part}`;
    const known = this.#templates.get(key) ?? this.#compile(rule, messageId, part);
    this.#templates.set(key, known);
    return known(data);
  }
}

/** The rules that pfharden comes with; their messages are made data of when the program is built. */
export const BUILTIN_RULES = new RuleSet(builtinRules, builtinTemplate);

const readMessages = new Map<string, Readonly<Record<string, RuleMessage>>>();

function builtinTemplate(rule: Rule, messageId: string, part: MessagePart): Template {
  let messages = readMessages.get(rule.id);
  if (messages === undefined) {
    messages = builtinMessages(rule.id) ?? {};
    readMessages.set(rule.id, messages);
  }
  const code = messages[messageId]?.[part];
  if (code === undefined) throw new Error(`rule ${rule.id} has no message "${messageId}"`);
  return templateOf(code);
}

/**
 * The built-in rules and others behind them.
 *
 * @param compile gives the template of a message of one of the others
 */
export function withOwnRules(
  own: readonly Rule[],
  compile: (rule: Rule, messageId: string, part: MessagePart) => Template,
): RuleSet {
  const ids = new Set(own.map(({ id }) => id));
  const rules = [...builtinRules(), ...own];
  return new RuleSet(
    () => rules,
    (rule, messageId, part) => (ids.has(rule.id) ? compile : builtinTemplate)(rule, messageId, part),
  );
}

/** Names of the built-in profiles, from the most tolerant. */
export const BUILTIN_PROFILE_NAMES: readonly string[] = ['legacy-compatible', 'modern', 'strict'];

/** The profile used where none is asked for. */
export const DEFAULT_PROFILE = 'modern';

/** The file of a built-in profile. */
export function builtinProfileFile(name: string): ProfileFile | undefined {
  return builtinProfiles.find((profile) => profile.name === name);
}

/**
 * A built-in profile.
 *
 * @throws ProfileError for a name that is not one
 */
export function builtinProfile(name: string): Profile {
  const file = builtinProfileFile(name);
  if (file === undefined)
    throw new ProfileError(`there is no profile "${name}": ${BUILTIN_PROFILE_NAMES.join(', ')}, or a file`);
  return resolveProfile(file, builtinProfileFile);
}
