/** Rules, profiles and compiled messages, made from rules/ and profiles/ when the program is built. */
declare module 'virtual:builtin-rules' {
  /** Always the same; read when somebody asks for them. */
  export function rules(): readonly import('./rule.ts').Rule[];
  export const profiles: readonly import('./profile.ts').ProfileFile[];
  /** The messages of a rule, by their ids. */
  export function messages(
    rule: string,
  ): Readonly<Record<string, import('./message-code.ts').RuleMessage>> | undefined;
}

/** The same rules with their background and examples, which a lint does not need and so does not load. */
declare module 'virtual:builtin-rule-pages' {
  export const pages: readonly import('./rule.ts').RulePage[];
}
