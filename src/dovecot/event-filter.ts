import type { Release } from '../model/release.ts';
import { hasDovecotFeature } from './releases.ts';

/**
 * Whether a filter of events can be read, as in `log_debug` and in the filters of metrics: conditions with
 * AND, OR, NOT and parentheses, each `field = value`, or a text of its own.
 *
 * Sources: event-filter-lexer.l and event-filter-parser.y; the words are bison's.
 */

type Kind = 'TOKEN' | 'STRING' | 'NOT' | 'AND' | 'OR' | 'END' | 'OTHER' | '(' | ')' | '=' | '<' | '>';

const LEXEME = /[ \t\n\r]*(?:("(?:[^"\\]|\\.)*")|([()<>=])|([A-Za-z0-9:.*?_-]+)|([^ \t\n\r]))/suy;
const KEYWORDS: Readonly<Record<string, Kind>> = { and: 'AND', or: 'OR', not: 'NOT' };
const BEGINNINGS = "TOKEN or STRING or NOT or '('";
const OPERATORS: ReadonlySet<Kind> = new Set<Kind>(['=', '<', '>']);

/** What doveconf says of a filter that cannot be read, or null. */
export function eventFilterFault(text: string, release: Release): string | null {
  const tokens = tokensOf(text);
  let at = 0;
  let fault: string | null = null;
  const named = hasDovecotFeature(release, 'namedFilters');
  const unexpected = (expecting: string): false => {
    const kind = tokens[at] ?? 'END';
    const found = wordOf(kind, named);
    fault ??= `event filter: syntax error, unexpected ${found}${expecting === '' ? '' : `, expecting ${expecting}`}`;
    return false;
  };
  const take = (kind: Kind): boolean => {
    if ((tokens[at] ?? 'END') !== kind) return false;
    at++;
    return true;
  };
  const condition = (): boolean => {
    if (take('NOT')) return condition();
    if (take('(')) return expression() && (take(')') || unexpected("AND or OR or ')'"));
    if (!take('TOKEN') && !take('STRING')) return unexpected(BEGINNINGS);
    if (!OPERATORS.has(tokens[at] ?? 'END')) return unexpected("'=' or '>' or '<'");
    const less = take('<') || take('>');
    if (!take('=') && !less) return unexpected('');
    return take('TOKEN') || take('STRING') || take('AND') || take('OR') || take('NOT') || unexpected('');
  };
  const expression = (): boolean => {
    if (!condition()) return false;
    while (take('AND') || take('OR')) if (!condition()) return false;
    return true;
  };
  if (expression() && (tokens[at] ?? 'END') !== 'END') unexpected('$end or AND or OR');
  return fault;
}

/** What the parser generator of that time calls a token. */
function wordOf(kind: Kind, named: boolean): string {
  if (kind === 'END') return named ? 'end of file' : '$end';
  if (kind === 'OTHER') return named ? 'invalid token' : '$undefined';
  return kind.length === 1 ? `'${kind}'` : kind;
}

function tokensOf(text: string): Kind[] {
  const tokens: Kind[] = [];
  LEXEME.lastIndex = 0;
  for (let match = LEXEME.exec(text); match !== null; match = LEXEME.exec(text)) {
    const [, string, sign, word] = match;
    if (string !== undefined) tokens.push('STRING');
    else if (sign !== undefined) tokens.push(sign as Kind);
    else tokens.push(word === undefined ? 'OTHER' : (KEYWORDS[word.toLowerCase()] ?? 'TOKEN'));
  }
  return tokens;
}
