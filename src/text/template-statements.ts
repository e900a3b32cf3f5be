import type { Tag } from './template-tokens.ts';

/** What a tag of a template does. */
export type Statement =
  /** Prints what is not known. */
  | { readonly kind: 'print' }
  /** Prints a text that stands in the tag. */
  | { readonly kind: 'constant'; readonly value: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'if'; readonly condition: string }
  | { readonly kind: 'case'; readonly subject: string }
  | { readonly kind: 'when'; readonly values: readonly string[] }
  | { readonly kind: 'else'; readonly condition: string | null }
  | { readonly kind: 'loop'; readonly over: string }
  /** A block that is printed where it stands, or not at all. */
  | { readonly kind: 'body'; readonly printed: boolean }
  | { readonly kind: 'end' };

const NOTHING: Statement = { kind: 'nothing' };
const PRINT: Statement = { kind: 'print' };
const END: Statement = { kind: 'end' };

/** @param isInside a block of the same syntax is open: `{{ end }}` ends one, and is a variable elsewhere */
export function statementOf({ syntax, inner }: Tag, isInside: boolean): Statement {
  if (syntax === 'comment') return NOTHING;
  const text = inner.trim();
  if (syntax === 'statement') return ofStatement(text);
  return syntax === 'code' ? ofCode(text) : ofBraces(text, isInside);
}

/** `{% … %}` of Jinja, Twig, Liquid, Tera. */
function ofStatement(text: string): Statement {
  const [, word = '', rest = ''] = /^(\w*)\s*([^]*)$/.exec(text) ?? [];
  if (word.startsWith('end')) return END;
  switch (word) {
    case 'if':
      return { kind: 'if', condition: rest };
    case 'unless':
      return { kind: 'if', condition: `not (${rest})` };
    case 'elif':
    case 'elsif':
    case 'elseif':
      return { kind: 'else', condition: rest };
    case 'else':
      return { kind: 'else', condition: null };
    case 'case':
      return { kind: 'case', subject: rest };
    case 'when':
      return { kind: 'when', values: alternatives(rest) };
    case 'for':
    case 'tablerow':
      return { kind: 'loop', over: rest.replace(/^.*? in /, '') };
    case 'set':
    case 'capture':
      return word === 'set' && rest.includes('=') ? NOTHING : { kind: 'body', printed: false };
    case 'macro':
    case 'call':
    case 'filter':
    case 'apply':
      return { kind: 'body', printed: false };
    case 'block':
    case 'with':
    case 'autoescape':
    case 'spaceless':
      return { kind: 'body', printed: true };
    case 'include':
    case 'render':
      return PRINT;
    default:
      return NOTHING;
  }
}

/** `{{ … }}` of Jinja, Go and Helm, Handlebars, Mustache. */
function ofBraces(text: string, isInside: boolean): Statement {
  const constant = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')$/.exec(text);
  if (constant !== null) return { kind: 'constant', value: unescaped(constant[1] ?? constant[2] ?? '') };
  if (/^!|^\/\*/.test(text) || /^\$\w+\s*:?=[^=]/.test(text)) return NOTHING;
  const [, mark = '', word = '', rest = ''] = /^([#^/>]?)\s*([\w.@-]*)\s*([^]*)$/.exec(text) ?? [];
  if (mark === '/') return END;
  if (mark === '^')
    return word === '' ? { kind: 'else', condition: null } : { kind: 'if', condition: `not ${word}` };
  if (mark === '#') {
    if (word === 'if') return { kind: 'if', condition: rest };
    if (word === 'unless') return { kind: 'if', condition: `not (${rest})` };
    if (word === 'each') return { kind: 'loop', over: rest };
    return { kind: 'if', condition: word === 'with' ? rest : word };
  }
  if (mark !== '') return PRINT;
  if (rest !== '') {
    if (word === 'if' || word === 'with') return { kind: 'if', condition: rest };
    if (word === 'range') return { kind: 'loop', over: rest.replace(/^.*?:=\s*/, '') };
    if (word === 'define' || word === 'block') return { kind: 'body', printed: word === 'block' };
  }
  if (!isInside) return PRINT;
  if (word === 'end' && rest === '') return END;
  if (word !== 'else') return PRINT;
  return { kind: 'else', condition: rest === '' ? null : rest.replace(/^(?:if|with)\s+/, '') };
}

/** `<% … %>` of ERB (Ruby) and EPP (Puppet). */
function ofCode(text: string): Statement {
  if (text.startsWith('=')) return PRINT;
  if (text.startsWith('#') || text.startsWith('|')) return NOTHING;
  const other = /^(?:\}\s*)?(?:elsif|else\s*if)\b\s*([^]*?)\s*(?:\{|\bthen)?$/.exec(text);
  if (other !== null) return { kind: 'else', condition: other[1] ?? '' };
  if (/^(?:\}\s*)?else\s*\{?$/.test(text)) return { kind: 'else', condition: null };
  if (/^(?:end|\})/.test(text)) return END;
  const [, word = '', rest = ''] = /^(\w*)\s*([^]*)$/.exec(text) ?? [];
  if (/[\s;]end$/.test(text)) return NOTHING;
  const condition = rest.replace(/\s*(?:\{|\bthen)$/, '');
  switch (word) {
    case 'if':
      return { kind: 'if', condition };
    case 'unless':
      return { kind: 'if', condition: `not (${condition})` };
    case 'case':
      return { kind: 'case', subject: condition };
    case 'when':
      return { kind: 'when', values: alternatives(rest) };
    case 'for':
    case 'while':
    case 'until':
      return { kind: 'loop', over: condition };
    case 'begin':
    case 'def':
      return { kind: 'body', printed: word === 'begin' };
    default:
      return /(?:\bdo|\{)\s*(?:\|[^|]*\|)?$/.test(text)
        ? { kind: 'loop', over: text.replace(/(?:\bdo|\|[^|]*\|\s*\{|\{)\s*(?:\|[^|]*\|)?$/, '').trim() }
        : NOTHING;
  }
}

function alternatives(text: string): string[] {
  return text.replace(/\s+then$/, '').split(/\s*(?:,|\bor\b)\s*/);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) =>
    letter === 'n' ? '\n' : letter === 't' ? '\t' : letter,
  );
}
