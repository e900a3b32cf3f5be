import type { Span } from '../text/source.ts';

/** Names of settings whose values are secrets: passwords, keys, tokens. File names of keys are not secret. */
const SECRET_NAME =
  /(^|_)(password|passwd|passphrase|pass|pw|bindpw|bind_pw|dnpass|secret|token|credentials?|nonce|api_?key|api_header)$/i;

/** Names whose values are a key, or where one can be read. */
const KEY_NAME = /(^|_)key(_file)?$/i;

/** A key written in place: PEM, or behind `inline:` of Dovecot 2.4. */
const KEY_IN_PLACE = /-----BEGIN|^\s*"?inline:/;

/** A path, a reference, or a lookup table: it says where a key is, not what it is. */
const SOMEWHERE = /^\s*"?(<|\/|\.{1,2}\/|\$|%|\w+:)/;

/** Lookup tables written in place hold what they look up, which for passwords is the password. */
const IN_PLACE_TABLE = /(^|[\s,:])(static|inline):/i;
const PASSWORD_MAPS = /password_maps$/i;

/** True where the value of a setting must never be shown. */
export function isSecret(name: string, value: string): boolean {
  return (
    SECRET_NAME.test(name) ||
    (PASSWORD_MAPS.test(name) && IN_PLACE_TABLE.test(value)) ||
    (KEY_NAME.test(name) && isKey(name, value))
  );
}

function isKey(name: string, value: string): boolean {
  if (KEY_IN_PLACE.test(value)) return true;
  // What is no path in the setting of a key itself is the key; a lone file name is a file name.
  return !/_file$/i.test(name) && !SOMEWHERE.test(value) && value.trim().length >= SHORTEST_KEY;
}

/** Shorter than any key; longer than the names that stand there by mistake. */
const SHORTEST_KEY = 40;

/** `password=…` and its like within a value: connection strings, arguments, headers. */
const SECRET_PART =
  /(?<![\w-])(?:[\w-]*[_-])?(?:password|passwd|pass|pw|secret|token|api_?key|dnpass)\s*=\s*("[^"]*"|'[^']*'|[^\s,;&"']+)|(?<![\w-])Authorization:\s*(\S[^\r\n]*)|\/\/[^\s/:@]*:([^\s/@]+)@/gi;

/** What all of these have in them: most values have nothing of it, and looking for the whole takes long. */
const SECRET_HINT = /pass|pw|secret|token|key|api_header|credential|nonce|authorization|@/i;

/** Words in the place of a password that are none. */
const NO_SECRET = /^["']?(?:y|yes|n|no|%.*|\$.*|\?|)["']?$/i;

/**
 * `name = value` within a value: of a line whose blank at the start makes it a part of the one before, up to its end;
 * with no blanks around, one word.
 */
const SETTING_WITHIN = /(?<![\w./-])([a-z][\w-]*)([ \t]*)=[ \t]*/gi;
const WORD = /^(?:"[^"]*"?|'[^']*'?|[^\s,;&"'{}]*)/;

/** Parts of a value that are secrets although its name tells nothing, by their offsets in it, in order and apart. */
export function secretParts(value: string): readonly Span[] {
  if (!SECRET_HINT.test(value)) return [];
  const parts: Span[] = [];
  for (const found of value.matchAll(SECRET_PART)) {
    const secret = found[1] ?? found[2] ?? found[3] ?? '';
    if (NO_SECRET.test(secret)) continue;
    const end = found.index + found[0].length - (found[3] === undefined ? 0 : 1);
    parts.push({ start: end - secret.length, end });
  }
  return apart([...parts, ...settingsWithin(value)]);
}

/** The same of a text that stands in a file, by their offsets in that. */
export function secretPartsAt(text: string, start: number): readonly Span[] {
  return secretParts(text).map((part) => ({ start: start + part.start, end: start + part.end }));
}

/** The same of settings that stand within the value. Linear in the value. */
function settingsWithin(value: string): readonly Span[] {
  const settings = [...value.matchAll(SETTING_WITHIN)];
  const parts: Span[] = [];
  let lineEnd = -1;
  for (const [number, { index, 0: head, 1: name = '', 2: blanks = '' }] of settings.entries()) {
    const start = index + head.length;
    if (lineEnd < start) lineEnd = value.indexOf('\n', start);
    if (lineEnd < 0) lineEnd = value.length;
    const rest = value.slice(start, Math.min(settings[number + 1]?.index ?? value.length, lineEnd));
    const isWord = blanks === '' && !isLineStart(value, index);
    const secret = isWord ? (WORD.exec(rest)?.[0] ?? '') : rest.trimEnd();
    if (secret !== '' && !NO_SECRET.test(secret) && isSecret(name, secret))
      parts.push({ start, end: start + secret.length });
  }
  return parts;
}

/** Whether only blanks, and what makes a comment of a line, stand before a place. */
function isLineStart(text: string, at: number): boolean {
  let start = at;
  while (start > 0 && /[ \t#]/.test(text.charAt(start - 1))) start--;
  return start === 0 || text.charAt(start - 1) === '\n';
}

/** Spans that overlap made one, in order. */
function apart(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = [];
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last === undefined || start > last.end) joined.push({ start, end });
    else joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, end) };
  }
  return joined;
}

/** True where a value must not be shown as it is. */
export function holdsSecret(name: string, value: string): boolean {
  return isSecret(name, value) || secretParts(value).length > 0;
}

/** The value with `(hidden)` in the place of what is secret in it. */
export function shownValue(name: string, value: string): string {
  if (value === '') return value;
  if (isSecret(name, value)) return HIDDEN;
  let shown = '';
  let at = 0;
  for (const { start, end } of secretParts(value)) {
    shown += value.slice(at, start) + HIDDEN;
    at = end;
  }
  return shown + value.slice(at);
}

/** What stands in the place of a secret. */
export const HIDDEN = '(hidden)';
