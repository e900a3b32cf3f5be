/** What of the file system an include has to know. Paths are as the configuration writes them. */
export interface Folders {
  /** Names in a folder, in any order, those with a dot before them too; null where the path is no folder that can be read. An empty path is the current folder. */
  entries(folder: string): readonly string[] | null;
}

/**
 * The paths that glob(3) finds for a pattern with GLOB_BRACE, in its order: for each alternative of the
 * braces, one after the other, sorted by bytes. A path that two alternatives find is there twice. A
 * pattern without wildcards finds itself where it exists. Names that begin with a dot need a dot in the
 * pattern.
 *
 * Source: glob(3); config-parser.c calls it with GLOB_BRACE alone, in the locale C.
 */
export function glob(pattern: string, folders: Folders): string[] {
  return alternatives(pattern).flatMap((plain) => matches(plain, folders));
}

/** A pattern with braces becomes one for each of their alternatives; `{}` and an unclosed brace are text. */
function alternatives(pattern: string): string[] {
  const open = openBrace(pattern);
  if (open < 0) return [pattern];
  const commas: number[] = [];
  let depth = 0;
  let close = -1;
  for (let at = open; at < pattern.length && close < 0; at++) {
    const char = pattern[at];
    if (char === '\\') at++;
    else if (char === '[') at = bracketEnd(pattern, at) ?? at;
    else if (char === '{') depth++;
    else if (char === ',' && depth === 1) commas.push(at);
    else if (char === '}' && --depth === 0) close = at;
  }
  if (close < 0) return [pattern];
  const bounds = [open, ...commas, close];
  return bounds
    .slice(1)
    .flatMap((end, index) =>
      alternatives(
        pattern.slice(0, open) + pattern.slice((bounds[index] ?? 0) + 1, end) + pattern.slice(close + 1),
      ),
    );
}

/** The first brace that begins alternatives, or -1. */
function openBrace(pattern: string): number {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === '[') at = bracketEnd(pattern, at) ?? at;
    else if (pattern[at] === '{' && pattern[at + 1] !== '}') return at;
  }
  return -1;
}

/** Where the class that begins at `[` ends, or null where it is text. */
function bracketEnd(pattern: string, start: number): number | null {
  let at = start + 1;
  if (pattern[at] === '!' || pattern[at] === '^') at++;
  // A bracket directly behind the first is part of the class.
  if (pattern[at] === ']') at++;
  while (at < pattern.length && pattern[at] !== ']' && pattern[at] !== '/') {
    if (pattern.startsWith('[:', at)) {
      const end = pattern.indexOf(':]', at + 2);
      if (end >= 0) at = end + 1;
    }
    at++;
  }
  return pattern[at] === ']' ? at : null;
}

function matches(pattern: string, folders: Folders): string[] {
  if (pattern === '') return [];
  let found: string[] = [pattern.startsWith('/') ? '/' : ''];
  const parts = pattern.split('/').filter((part, index, all) => part !== '' || index === all.length - 1);
  parts.forEach((part, index) => {
    const last = index === parts.length - 1;
    const test = expressionOf(part);
    found = found.flatMap((folder) => {
      if (part === '') return folders.entries(folder) === null ? [] : [folder];
      const names = folders.entries(folder);
      if (names === null) return [];
      if (typeof test === 'string') {
        const exists = test === '.' || test === '..' || names.includes(test);
        return exists ? [folder + test + (last ? '' : '/')] : [];
      }
      return names
        .filter((name) => test.test(name) && (!name.startsWith('.') || part.startsWith('.')))
        .sort(byBytes)
        .map((name) => folder + name + (last ? '' : '/'));
    });
  });
  return found;
}

/** Code points sort as their UTF-8 bytes do; UTF-16 units do not. */
function byBytes(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let index = 0; index < left.length && index < right.length; index++) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** One part of a path as a test for names, or as the name itself where it has no wildcard. */
function expressionOf(part: string): RegExp | string {
  let source = '';
  let name = '';
  let magic = false;
  for (let at = 0; at < part.length; at++) {
    const char = part[at] ?? '';
    const end = char === '[' ? bracketEnd(part, at) : null;
    if (char === '*' || char === '?') {
      magic = true;
      source += char === '*' ? '.*' : '.';
    } else if (end !== null) {
      magic = true;
      source += classOf(part.slice(at + 1, end));
      at = end;
    } else {
      const literal = char === '\\' && at + 1 < part.length ? (part[++at] ?? '') : char;
      name += literal;
      source += literal.replace(/[\\^$.*+?()[\]{}|/-]/u, String.raw`\$&`);
    }
  }
  return magic ? new RegExp(`^${source}$`, 'su') : name;
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: String.raw`\s`,
  blank: String.raw` \t`,
  xdigit: '0-9A-Fa-f',
  punct: String.raw`!-\/:-@\[-\u0060\{-~`,
};

/** A class of glob(7) in the words of a regular expression. */
function classOf(inner: string): string {
  const negated = inner.startsWith('!') || inner.startsWith('^');
  let source = '';
  for (let at = negated ? 1 : 0; at < inner.length; at++) {
    const named = /^\[:(\w+):\]/.exec(inner.slice(at));
    if (named !== null) {
      source += CLASSES[named[1] ?? ''] ?? '';
      at += named[0].length - 1;
      continue;
    }
    let from = inner[at] ?? '';
    if (from === '\\' && at + 1 < inner.length) from = inner[++at] ?? '';
    if (inner[at + 1] === '-' && at + 2 < inner.length) {
      const to = inner[at + 2] ?? '';
      at += 2;
      // A range that runs backwards matches nothing.
      if (from <= to) source += `${escaped(from)}-${escaped(to)}`;
    } else source += escaped(from);
  }
  if (source === '') return negated ? '.' : '(?!)';
  return `[${negated ? '^' : ''}${source}]`;
}

function escaped(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}
