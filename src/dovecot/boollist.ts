import { unescapeSection } from './section-name.ts';

/**
 * The words of a list of 2.4 on one line: separated by blanks and commas, in double quotes where a word has
 * one of them (settings_parse_boollist_string()).
 */
export function listWords(value: string): { readonly words: readonly string[] } | { readonly says: string } {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  let closed = false;
  const push = (): void => {
    if (quoted || word !== '') words.push(unescapeSection(word));
    word = '';
    quoted = false;
    closed = false;
  };
  for (let at = 0; at < value.length; at++) {
    let char = value[at] ?? '';
    if (char === '"') {
      if (closed) return { says: "Expected ',' or ' ' after '\"'" };
      if (!quoted && word !== '') return { says: "'\"' in the middle of a string" };
      closed = quoted;
      quoted = true;
    } else if ((char === ' ' || char === ',') && (!quoted || closed)) {
      push();
    } else {
      if (char === '\\' && quoted) {
        char = value[++at] ?? '';
        if (char === '') return { says: "Value ends with '\\'" };
      }
      if (closed) return { says: "Expected ',' or ' ' after '\"'" };
      word += char;
    }
  }
  if (quoted && !closed) return { says: "Missing ending '\"'" };
  push();
  return { words };
}
