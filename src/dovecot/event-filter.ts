import type { Release } from '../model/release.ts';
import { hasDovecotFeature } from './releases.ts';

/**
 * Whether a filter of events can be read, as in `log_debug` and in the filters of metrics: conditions with
 * AND, OR, NOT and parentheses, each `field = value`, or a text of its own.
 *
 * Sources: event-filter-lexer.l and event-filter-parser.y; the words are bison's.
 */

type Kind = 'TOKEN' | 'STRING' | 'NOT' | 'AND' | 'OR' | 'END' | '(' | ')' | '=' | '<' | '>' | '<=' | '>=';

const LEXEME = /\s*(?:("(?:[^"\\]|\\.)*")|([()])|([<>]=?|=)|([^\s()="<>]+)|(.))/suy;
const KEYWORDS: Readonly<Record<string, Kind>> = { and: 'AND', or: 'OR', not: 'NOT' };
const BEGINNINGS = "TOKEN or STRING or NOT or '('";
const OPERATORS: ReadonlySet<Kind> = new Set<Kind>(['=', '<', '>', '<=', '>=']);

/** What doveconf says of a filter that cannot be read, or null. */
export function eventFilterFault(text: string, release: Release): string | null {
  const tokens = tokensOf(text);
  let at = 0;
  let fault: string | null = null;
  const end = hasDovecotFeature(release, 'namedFilters') ? 'end of file' : '$end';
  const unexpected = (expecting: string): false => {
    const kind = tokens[at] ?? 'END';
    const found = kind === 'END' ? end : kind.length > 2 ? kind : `'${kind}'`;
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
    at++;
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

function tokensOf(text: string): Kind[] {
  const tokens: Kind[] = [];
  LEXEME.lastIndex = 0;
  for (let match = LEXEME.exec(text); match !== null; match = LEXEME.exec(text)) {
    const [, string, parenthesis, operator, word] = match;
    if (string !== undefined) tokens.push('STRING');
    else if (parenthesis !== undefined || operator !== undefined)
      tokens.push((parenthesis ?? operator) as Kind);
    else tokens.push(KEYWORDS[word?.toLowerCase() ?? ''] ?? 'TOKEN');
  }
  return tokens;
}
