/**
 * A template engine of the tests' own: enough of Jinja, ERB and EPP for the templates that they render. It
 * remembers from which line of the template each line of the result is.
 */

/** What a test decides for one rendering. */
export interface RenderChoices {
  readonly holds: (condition: string) => boolean;
  readonly times: (loop: string) => number;
  /** @param before the rendered line before the text to fill in */
  readonly fill: (expression: string, before: string) => string;
}

/** What came out. */
export interface RenderedText {
  readonly text: string;
  /** For each line of the text, the line of the template (from 1) of its first character. */
  readonly lines: readonly number[];
}

interface Token {
  readonly at: number;
  readonly text: string;
  readonly kind: 'text' | 'print' | 'statement' | 'comment';
  readonly inner: string;
}

const TAG =
  /\{#[^]*?#\}|\{%[^]*?%\}|\{\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}\}|<%[-=#|\s][^]*?%>|__[A-Z_]+__|@@[A-Z]+@@|%DOMAIN%|\$\{MAILCUE_\w+\}|\{(?:MTA|DOVECOT|NETWORK|POSTFIX|ENGINE|IMSCP|DATABASE|HOSTNAME|ARPL|PORT)_?[A-Z_]*\}|\$HOSTNAME/g;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const plain = (until: number): void => {
    if (until > at) tokens.push({ at, text: text.slice(at, until), kind: 'text', inner: '' });
  };
  for (const found of text.matchAll(TAG)) {
    const tag = found[0];
    if (text.slice(0, found.index).endsWith('inline:')) continue;
    let from = found.index;
    let to = from + tag.length;
    const isPrint = /^(?:\{\{|<%=|[_@%$]|\{[A-Z])/.test(tag);
    const isComment = /^(?:\{#|<%#|<%-?\s*\|)/.test(tag);
    if (/^\{[{%]-/.test(tag)) while (from > at && /\s/.test(text.charAt(from - 1))) from--;
    if (/-[%}]\}$/.test(tag)) while (/\s/.test(text.charAt(to)) && to < text.length) to++;
    else if (tag.endsWith('-%>') && isPrint && text.charAt(to) === '\n') to++;
    else if (!isPrint && !tag.startsWith('{%-')) {
      // A statement on a line of its own takes the line with it.
      const start = text.lastIndexOf('\n', found.index - 1) + 1;
      const newline = text.indexOf('\n', to);
      const end = newline < 0 ? text.length : newline;
      const line = text.slice(start, end);
      if (start >= at && line.replaceAll(tag, '').trim() === '') {
        from = start;
        to = Math.min(text.length, end + 1);
      }
    }
    plain(from);
    const inner = tag.replace(/^(?:\{[{%#]|<%)[-=#+]*|[-+]?(?:[%}#]\}|%>)$/g, '').trim();
    tokens.push({
      at: found.index,
      text: tag,
      kind: isComment ? 'comment' : isPrint ? 'print' : 'statement',
      inner,
    });
    at = to;
  }
  plain(text.length);
  return tokens;
}

/** Renders a template. */
export function renderTemplate(template: string, choices: RenderChoices): RenderedText {
  const tokens = tokensOf(template);
  const characters: string[] = [];
  const origins: number[] = [];
  const put = (text: string, at: number, isLiteral: boolean): void => {
    for (let index = 0; index < text.length; index++) {
      characters.push(text.charAt(index));
      origins.push(isLiteral ? at + index : at);
    }
  };
  const lineBefore = (): string => characters.slice(characters.lastIndexOf('\n') + 1).join('');

  /** Runs tokens from `index` to the statement that ends the block; gives its index. */
  function run(index: number, isOn: boolean): number {
    for (let at = index; at < tokens.length; at++) {
      const token = tokens[at];
      if (token === undefined || token.kind === 'comment') continue;
      const { inner } = token;
      if (token.kind === 'text') {
        if (isOn) put(token.text, token.at, true);
      } else if (token.kind === 'print') {
        const constant = /^"([^"]*)"$|^'([^']*)'$/.exec(inner);
        const value = constant?.[1] ?? constant?.[2];
        if (isOn)
          put(
            value === undefined ? choices.fill(inner, lineBefore()) : value.replaceAll('\\n', '\n'),
            token.at,
            false,
          );
      } else if (/^(?:\}|end|else|elif|elsif)/.test(inner)) return at;
      else if (/^(?:if|unless)\b/.test(inner)) at = branches(at, isOn);
      else if (/^for\b|\beach\b|\bdo\b/.test(inner)) {
        const times = choices.times(inner);
        let end = run(at + 1, false);
        for (let count = 0; count < times; count++) end = run(at + 1, isOn);
        at = end;
      }
    }
    return tokens.length;
  }

  function branches(start: number, isOn: boolean): number {
    let at = start;
    let taken = false;
    for (;;) {
      const inner = tokens[at]?.inner ?? 'end';
      if (/^(?:end|\}$)/.test(inner)) return at;
      const condition = /^(?:\}\s*)?(?:if|unless|elif|elsif)\s+(.*?)\s*\{?$/.exec(inner)?.[1];
      const isTrue = condition === undefined || choices.holds(condition);
      const takes: boolean = !taken && (inner.startsWith('unless') ? !isTrue : isTrue);
      taken ||= takes;
      at = run(at + 1, isOn && takes);
    }
  }

  run(0, true);
  const text = characters.join('');
  const lines: number[] = [];
  let offset = 0;
  for (const line of text.split('\n')) {
    const origin = origins[offset] ?? template.length;
    lines.push(template.slice(0, origin).split('\n').length);
    offset += line.length + 1;
  }
  return { text, lines };
}
