/** What a template decides on: a variable, or what a loop runs over. */
export interface Subject {
  /** Values that play out what is written of it. */
  readonly values: readonly string[];
}

/** A condition of a template, as far as it can be told from others. */
export type Condition =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  /** Null: whether the subject counts as true. */
  | { readonly kind: 'is'; readonly subject: string; readonly value: string | null };

/**
 * Reads a condition. What is not understood is a subject of its own, by its text: the same text decides alike
 * wherever it stands.
 */
export function parseCondition(words: string): Condition {
  const text = unwrapped(words.trim().replace(/\s+/g, ' '));
  for (const [kind, operator] of [
    ['any', / (?:or|\|\|) |\|\|/],
    ['all', / (?:and|&&) |&&/],
  ] as const) {
    const parts = splitOutside(text, operator);
    if (parts.length > 1) return { kind, parts: parts.map(parseCondition) };
  }
  const negated = /^(?:not |! ?)(?!=)(.+)$/.exec(text);
  if (negated !== null) return { kind: 'not', part: parseCondition(negated[1] ?? '') };
  const undefinedOf = /^(.+) is (?:not defined|undefined)$/.exec(text);
  if (undefinedOf !== null) return { kind: 'not', part: parseCondition(`${undefinedOf[1]} is defined`) };
  const compared =
    /^(.+?) ?(===?|!==?) ?(["']?)([\w.+ -]*)\3$/.exec(text) ??
    /^()(eq|ne) (\S+) (["']?)([\w.+ -]*)\4$/.exec(text);
  if (compared !== null) {
    const isGo = compared[1] === '';
    const subject = isGo ? compared[3] : compared[1];
    const value = isGo ? compared[5] : compared[4];
    const is: Condition = { kind: 'is', subject: subjectOf(subject ?? ''), value: value ?? '' };
    return /^(?:!|ne$)/.test(compared[2] ?? '') ? { kind: 'not', part: is } : is;
  }
  return { kind: 'is', subject: subjectOf(text), value: null };
}

/** The subjects of a condition and the values that they are compared with. */
export function readsOf(
  condition: Condition,
): readonly { readonly subject: string; readonly value: string | null }[] {
  if (condition.kind === 'is') return [condition];
  return condition.kind === 'not' ? readsOf(condition.part) : condition.parts.flatMap(readsOf);
}

/** Whether a condition holds. */
export function holds(condition: Condition, decide: (subject: string) => string): boolean {
  if (condition.kind === 'not') return !holds(condition.part, decide);
  if (condition.kind !== 'is') {
    const isTrue = (part: Condition): boolean => holds(part, decide);
    return condition.kind === 'all' ? condition.parts.every(isTrue) : condition.parts.some(isTrue);
  }
  const value = decide(condition.subject);
  return condition.value === null
    ? !/^(?:|0|no|none|off|false|nil|undef)$/i.test(value)
    : value === condition.value;
}

/** Filters that leave true what is true: `x | bool` and `x | default(false)` decide as `x` does. */
function subjectOf(text: string): string {
  return unwrapped(text.replace(/ ?\| ?(?:bool|(?:default|d) ?\([^()]*\))/g, '').trim());
}

/** Without parentheses around the whole. */
function unwrapped(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let at = 0; at < text.length - 1; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return text;
  }
  return unwrapped(text.slice(1, -1).trim());
}

/** Splits at an operator that stands outside of parentheses and quotes. */
function splitOutside(text: string, operator: RegExp): string[] {
  const masked = text.replace(/"[^"]*"|'[^']*'/g, (quoted) => '_'.repeat(quoted.length));
  const parts: string[] = [];
  let from = 0;
  let depth = 0;
  let at = 0;
  const every = new RegExp(`[()]|${operator.source}`, 'g');
  for (let found = every.exec(masked); found !== null; found = every.exec(masked)) {
    at = found.index;
    if (found[0] === '(') depth++;
    else if (found[0] === ')') depth--;
    else if (depth === 0) {
      parts.push(text.slice(from, at));
      from = at + found[0].length;
    }
  }
  parts.push(text.slice(from));
  return parts;
}
