/** A pattern for paths, read once. */
export interface PathGlob {
  /** Begins with `!`: what it matches is taken out again. */
  readonly negated: boolean;
  /** Begins with `/`: it stands for paths from the root of the file system. */
  readonly absolute: boolean;
  /** What stands before the first wildcard, in whole names: the folder in which the pattern looks. */
  readonly fixed: string;
  /** The alternatives that braces make, each by its names between slashes. */
  readonly alternatives: readonly (readonly Name[])[];
}

/** One name of a pattern: `**` for any number of folders, else its characters. */
type Name = '**' | readonly Token[];

/** A character, `*`, `?`, or a set in brackets. */
type Token = '*' | '?' | { readonly is: (character: string) => boolean };

/** Alternatives that a pattern may have; each further pair of braces multiplies them. */
const MOST_ALTERNATIVES = 256;

/**
 * Reads a pattern: `*` and `?` stand for characters of one name, a dot at its head too; `**` for any
 * number of folders; `[a-z]` and `[!a-z]` for one character; `{a,b}` for either; a backslash takes the
 * meaning from the next character. A `!` at the head takes out what the pattern matches.
 *
 * @returns null where braces make more than 256 patterns of it
 */
export function pathGlob(pattern: string): PathGlob | null {
  const negated = pattern.startsWith('!');
  const text = negated ? pattern.slice(1) : pattern;
  const written = braceAlternatives(text);
  if (written === null) return null;
  const alternatives = written.map((one) => plainNames(one).map(readName));
  return { negated, absolute: text.startsWith('/'), fixed: fixedPart(text), alternatives };
}

/** Names between slashes; `.` is the folder itself and stands for nothing. */
function plainNames(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function fixedPart(text: string): string {
  const names = plainNames(text);
  const wild = names.findIndex((name) => /[*?[\]{}\\]/.test(name));
  return names.slice(0, wild < 0 ? names.length : wild).join('/');
}

/** A pattern with braces becomes one for each alternative; braces without a comma or without an end are text. */
function braceAlternatives(text: string): string[] | null {
  const done: string[] = [];
  const pending = [text];
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    const found = firstBraces(one);
    if (found === null) {
      done.push(one);
      continue;
    }
    const { start, end, choices } = found;
    for (const choice of choices) pending.push(one.slice(0, start) + choice + one.slice(end));
    if (pending.length + done.length > MOST_ALTERNATIVES) return null;
  }
  return done;
}

/** The first braces that have no others in them. */
function firstBraces(text: string): { start: number; end: number; choices: string[] } | null {
  let start = -1;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '{') start = at;
    else if (text[at] === '}' && start >= 0) {
      const choices = text.slice(start + 1, at).split(',');
      if (choices.length > 1) return { start, end: at + 1, choices };
      start = -1;
    }
  }
  return null;
}

function readName(name: string): Name {
  if (name === '**') return '**';
  const tokens: Token[] = [];
  for (let at = 0; at < name.length; at++) {
    const character = name[at] ?? '';
    if (character === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (character === '?') tokens.push('?');
    else if (character === '[') {
      const set = readSet(name, at);
      tokens.push({ is: set?.is ?? ((other) => other === '[') });
      at = set?.last ?? at;
    } else {
      const plain = character === '\\' ? (name[++at] ?? '\\') : character;
      tokens.push({ is: (other) => other === plain });
    }
  }
  return tokens;
}

/** A set in brackets from `at`; null where they have no end. `]` right behind the opening stands for itself. */
function readSet(name: string, at: number): { is: (character: string) => boolean; last: number } | null {
  const inverted = name[at + 1] === '!' || name[at + 1] === '^';
  const from = at + (inverted ? 2 : 1);
  const last = name.indexOf(']', from + 1);
  if (last < 0) return null;
  const body = name.slice(from, last);
  const ranges: (readonly [string, string])[] = [];
  for (let index = 0; index < body.length; index++) {
    const first = body[index] ?? '';
    const isRange = body[index + 1] === '-' && index + 2 < body.length;
    ranges.push([first, isRange ? (body[index + 2] ?? first) : first]);
    if (isRange) index += 2;
  }
  return {
    is: (character) => ranges.some(([low, high]) => low <= character && character <= high) !== inverted,
    last,
  };
}

/**
 * Whether patterns match a path or a folder around it: a pattern for a folder is one for all that is in
 * it. The last pattern that matches decides, so that one with `!` takes out what an earlier one matched.
 *
 * @param relative the path from the folder that the patterns stand for; the folder itself is `` or `.`
 * @param absolute the same from the root
 */
export function matchesGlobs(globs: readonly PathGlob[], relative: string, absolute: string): boolean {
  const names = { relative: plainNames(relative), absolute: plainNames(absolute) };
  const last = globs.findLast((glob) =>
    glob.alternatives.some((pattern) => startsWith(names[glob.absolute ? 'absolute' : 'relative'], pattern)),
  );
  return last !== undefined && !last.negated;
}

/** Whether a pattern matches a path or a folder around it. Each name of the pattern meets each of the path once. */
function startsWith(path: readonly string[], pattern: readonly Name[]): boolean {
  // The places in the path up to which the names of the pattern so far can reach.
  let reached = new Set([0]);
  for (const name of pattern) {
    const next = new Set<number>();
    for (const at of reached) {
      if (name === '**') {
        next.add(at);
        for (let to = at; to < path.length && path[to] !== '..'; to++) next.add(to + 1);
      } else if (at < path.length && matchesName(path[at] ?? '', name)) next.add(at + 1);
    }
    reached = next;
  }
  // What lies above a folder is not in it.
  return [...reached].some((at) => path[at] !== '..');
}

/** A name with several `*`: at a mismatch, the last `*` takes one character more. */
function matchesName(name: string, tokens: Exclude<Name, '**'>): boolean {
  const isWild = tokens[0] === '*' || tokens[0] === '?';
  if (name === '..' && isWild) return false;
  let at = 0;
  let token = 0;
  let star = -1;
  let from = 0;
  while (at < name.length) {
    const asked = tokens[token];
    if (asked === '*') {
      star = token++;
      from = at;
    } else if (asked !== undefined && (asked === '?' || asked.is(name[at] ?? ''))) {
      at++;
      token++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++from;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === '*');
}
