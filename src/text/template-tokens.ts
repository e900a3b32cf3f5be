import type { Span } from './source.ts';

/** A tag of a template engine. */
export interface Tag {
  readonly kind: 'tag';
  /** `{% %}`, `{{ }}`, `<% %>`, and what an engine leaves out. */
  readonly syntax: 'statement' | 'braces' | 'code' | 'comment';
  readonly span: Span;
  /** Without the marks at its ends. */
  readonly inner: string;
}

/** A piece of a template. What the engine strips around tags is in none. */
export type TemplateToken =
  | { readonly kind: 'text'; readonly span: Span }
  /** A word that a script replaces: `${NAME}`, `$NAME`, `@NAME@`, `%NAME%`, `__NAME__`, `{NAME}`. */
  | { readonly kind: 'word'; readonly span: Span }
  | Tag;

type Mark = TemplateToken & { readonly kind: 'word' | 'tag' };

/** Where a word that looks like one to be replaced stands. */
export interface WordUse {
  readonly text: string;
  readonly at: number;
  /** The word as it is written, and the name in it. */
  readonly word: string;
  readonly name: string;
}

/** Where any of what is looked for may begin. */
const START = /\{\{|\{%|\{#|<%|\$\{?[A-Z]|@@?[A-Za-z]|%%?[A-Z]|__[A-Za-z]|\{[A-Z]/g;

/** Longer tags are none: it bounds how far an end is looked for. */
const LONGEST_TAG = 4096;

const WORD =
  /\$\{([A-Z][A-Z0-9_]+)(?:(?::?[-=?+])[^{}\s]*)?\}|\$([A-Z][A-Z0-9_]+)|@@(\w+)@@|@([A-Z][A-Z0-9_]*|[a-z]\w*)@(?![\w.-])|%%([A-Z][A-Z0-9_]*)%%|%([A-Z][A-Z0-9_]{2,})%|__([A-Za-z](?:_?[A-Za-z0-9])*)__(?![A-Za-z0-9_])|\{([A-Z][A-Z0-9_]{2,})\}/y;

/** Tables in place, `inline:{{a=b}}`, `regexp:{{/a/ b}}`, are Postfix's own; a variable may stand there too. */
const IN_PLACE = /(?:inline|pipemap|unionmap|randmap|regexp|pcre|cidr):$/;
const VARIABLE = /^[-\s]*[\w.$@]+(?:\[[^\]]*\])*\s*(?:\|[^=]*)?[-\s]*$/;

/**
 * Splits a text at the tags and words of template engines.
 *
 * @returns null where there are none
 */
export function templateTokens(
  text: string,
  isNative: (use: WordUse) => boolean,
): readonly TemplateToken[] | null {
  const found = marks(text, isNative);
  return found.length === 0 ? null : stripped(text, found);
}

/** Tags and words in the order of the text. */
function marks(text: string, isNative: (use: WordUse) => boolean): Mark[] {
  const found: Mark[] = [];
  const comments = new Comments(text);
  const ends = new Ends(text);
  START.lastIndex = 0;
  for (let start = START.exec(text); start !== null; start = START.exec(text)) {
    const at = start.index;
    const tag = tagAt(text, at, ends);
    if (tag !== null) {
      START.lastIndex = tag.span.end;
      if (tag.syntax === 'statement' && /^\s*(?:raw|verbatim)\s*$/.test(tag.inner)) {
        const close = ends.ofRaw(tag.span.end);
        found.push({ ...tag, syntax: 'comment' });
        if (close !== null) {
          START.lastIndex = close.end;
          found.push({ ...tag, syntax: 'comment', span: close });
        }
      } else if (tag.syntax === 'comment' || isStatement(tag) || !comments.has(at)) found.push(tag);
      continue;
    }
    WORD.lastIndex = at;
    const word = WORD.exec(text);
    const name = word?.slice(1).find((group) => group !== undefined);
    const glued = at > 0 && /[\w.]/.test(text.charAt(at - 1)) && /^(?:__|@[a-z])/.test(word?.[0] ?? '');
    if (word === null || name === undefined || (glued && !/\./.test(text.charAt(at - 1)))) {
      START.lastIndex = at + 1;
      continue;
    }
    START.lastIndex = WORD.lastIndex;
    if (comments.has(at) || isNative({ text, at, word: word[0], name })) continue;
    found.push({ kind: 'word', span: { start: at, end: WORD.lastIndex } });
  }
  return found;
}

/** What chooses between lines does so in a comment of the server too. */
function isStatement({ syntax, inner }: Tag): boolean {
  if (syntax === 'statement') return true;
  if (syntax === 'code') return !/^\s*=/.test(inner);
  return /^\s*(?:[#^/]|(?:if|range|with|else|end|define|block)\b)/.test(inner);
}

function tagAt(text: string, at: number, ends: Ends): Tag | null {
  const opening = text.slice(at, at + 2);
  if (opening === '{{') return bracesAt(text, at, ends);
  const [syntax, closing] =
    opening === '{%'
      ? (['statement', '%}'] as const)
      : opening === '{#'
        ? (['comment', '#}'] as const)
        : (['code', '%>'] as const);
  if (opening !== '{%' && opening !== '{#' && opening !== '<%') return null;
  // `<%u>` is Dovecot's own.
  if (
    syntax === 'code' &&
    !/^(?:[-=#|+@\s}]|(?:if|unless|end|else|elsif|for|case|when)\b)/.test(text.slice(at + 2, at + 9))
  )
    return null;
  const end = ends.of(closing, at + 2);
  if (end < 0) return null;
  const inner = text.slice(at + 2, end);
  if (inner.includes(opening)) return null;
  return {
    kind: 'tag',
    syntax: syntax === 'code' && inner.startsWith('#') ? 'comment' : syntax,
    span: { start: at, end: end + 2 },
    inner: inner.replace(/^[-+]/, '').replace(/[-+]$/, ''),
  };
}

function bracesAt(text: string, at: number, ends: Ends): Tag | null {
  const isTriple = text.startsWith('{{{', at);
  const from = at + (isTriple ? 3 : 2);
  let end = ends.of('}}', from);
  if (end < 0) return null;
  const inner = text.slice(from, end);
  if (inner.includes('{{')) return null;
  if (IN_PLACE.test(text.slice(Math.max(0, at - 10), at)) && !VARIABLE.test(inner)) return null;
  if (text.startsWith('}', end + 2)) end++;
  const isComment = /^[-~]?\s*(?:!|\/\*)/.test(inner);
  return {
    kind: 'tag',
    syntax: isComment ? 'comment' : 'braces',
    span: { start: at, end: end + 2 },
    inner: inner.replace(/^[-~](?=\s|[#^/])/, '').replace(/(^|\s)[-~]$/, ''),
  };
}

/** Where tags end, asked for from the start of the text on: each end is looked for once. */
class Ends {
  readonly #text: string;
  readonly #next = new Map<string, number>();
  #raw: Span | null | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next `closing`, or -1 where it is too far. */
  of(closing: string, from: number): number {
    let next = this.#next.get(closing) ?? -1;
    if (next < from) {
      next = this.#text.indexOf(closing, from);
      if (next < 0) next = Number.POSITIVE_INFINITY;
      this.#next.set(closing, next);
    }
    return next - from > LONGEST_TAG ? -1 : next;
  }

  /** The tag that ends what is printed as it stands. */
  ofRaw(from: number): Span | null {
    if (this.#raw === undefined || (this.#raw !== null && this.#raw.start < from)) {
      const end = /\{%[-+]?\s*end(?:raw|verbatim)\s*[-+]?%\}/g;
      end.lastIndex = from;
      const found = end.exec(this.#text);
      this.#raw = found === null ? null : { start: found.index, end: end.lastIndex };
    }
    return this.#raw;
  }
}

/** Comment lines of the server, asked for from the start of the text on. */
class Comments {
  readonly #text: string;
  #line = 0;
  #next = -1;
  #isComment = false;

  constructor(text: string) {
    this.#text = text;
    this.#see();
  }

  has(at: number): boolean {
    while (this.#next >= 0 && this.#next < at) {
      this.#line = this.#next + 1;
      this.#see();
    }
    return this.#isComment;
  }

  #see(): void {
    this.#next = this.#text.indexOf('\n', this.#line);
    const blanks = /[ \t]*#/y;
    blanks.lastIndex = this.#line;
    this.#isComment = blanks.test(this.#text);
  }
}

/**
 * The marks and the texts between them, without the white space that engines strip beside `-`. A line that
 * holds nothing but statements is left as a blank one, which neither server minds.
 */
function stripped(text: string, found: readonly Mark[]): TemplateToken[] {
  const tokens: TemplateToken[] = [];
  let at = 0;
  found.forEach((mark, index) => {
    let until = mark.span.start;
    let next = mark.span.end;
    if (mark.kind === 'tag') {
      const before = stripsBefore(text, mark);
      const after = stripsAfter(text, mark);
      if (before === 'all') until = trimmedBack(text, at, until, /\s/);
      else if (before === 'blanks' && isLineStart(text, at, until))
        until = trimmedBack(text, at, until, /[ \t]/);
      const limit = found[index + 1]?.span.start ?? text.length;
      if (after === 'all') while (next < limit && /\s/.test(text.charAt(next))) next++;
      else if (after === 'line') next = Math.min(limit, lineEnd(text, next));
    }
    if (until > at) tokens.push({ kind: 'text', span: { start: at, end: until } });
    tokens.push(mark);
    at = Math.max(at, next);
  });
  if (at < text.length) tokens.push({ kind: 'text', span: { start: at, end: text.length } });
  return tokens;
}

function stripsBefore(text: string, { span, syntax }: Tag): 'all' | 'blanks' | 'none' {
  const mark = text.charAt(span.start + 2);
  if (mark !== '-' && mark !== '~') return 'none';
  if (text.startsWith('<%', span.start)) return 'blanks';
  return syntax === 'braces' && !/[\s#^/]/.test(text.charAt(span.start + 3)) ? 'none' : 'all';
}

function stripsAfter(text: string, { span, syntax }: Tag): 'all' | 'line' | 'none' {
  const mark = text.charAt(span.end - 3);
  if (mark !== '-' && mark !== '~') return 'none';
  if (text.startsWith('<%', span.start)) return 'line';
  return syntax === 'braces' && !/\s/.test(text.charAt(span.end - 4)) ? 'none' : 'all';
}

function trimmedBack(text: string, from: number, until: number, what: RegExp): number {
  let at = until;
  while (at > from && what.test(text.charAt(at - 1))) at--;
  return at;
}

function isLineStart(text: string, from: number, until: number): boolean {
  const at = trimmedBack(text, from, until, /[ \t]/);
  return at === 0 || text.charAt(at - 1) === '\n';
}

/** Behind the line end that follows, where nothing but blanks is before it. */
function lineEnd(text: string, from: number): number {
  const rest = /[ \t]*(?:\r?\n|$)/y;
  rest.lastIndex = from;
  return rest.exec(text) === null ? from : rest.lastIndex;
}
