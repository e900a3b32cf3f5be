/**
 * Reads values as Postfix reads them when a process starts, and says what is wrong with them. postconf
 * checks none of this (mail_conf_bool.c, mail_conf_int.c, mail_conf_time.c, mail_conf_str.c, conv_time.c,
 * name_code.c, name_mask.c; facts/postfix-language.md §2, "Value readers").
 */
import type { Release } from '../model/release.ts';
import { nearest } from '../text/nearest.ts';
import { type Effect, hasFeature, type Parameter, type ParameterType } from './parameters.ts';

/** What is wrong with a value. */
type ValueProblemCode =
  | 'bad-boolean'
  | 'bad-integer'
  | 'below-min'
  | 'above-max'
  | 'bad-time'
  | 'bad-word'
  | 'empty';

/** A value that Postfix does not accept, or accepts as something else. */
export interface ValueProblem {
  readonly code: ValueProblemCode;
  /** What Postfix does about it. */
  readonly effect: Effect;
  /** The whole value, or the word of a list that is wrong. */
  readonly text: string;
  /** What may stand there, for `bad-boolean` and `bad-word`; otherwise empty. */
  readonly allowed: readonly string[];
  /** What was probably meant, one of `allowed`; null when nothing is near. */
  readonly suggestion: string | null;
  /** The bound that is crossed, for `below-min` and `above-max`, in `unit`; otherwise null. */
  readonly limit: number | null;
  /** What `limit` counts. */
  readonly unit: 'number' | 'seconds' | 'characters';
}

/** Greatest value of a C int; Postfix keeps numbers and seconds in one. */
const INT_MAX = 2 ** 31 - 1;
const LONG_MAX = 2n ** 63n - 1n;

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Separates the words of a list (CHARS_COMMA_SP). */
const BETWEEN_WORDS = /[, \t\r\n]+/;

/** A boolean: `yes` or `no` in any capitals. `true`, `1`, `on` and nothing at all are none: null. */
export function readBool(text: string): boolean | null {
  const word = lowerCase(text);
  return word === 'yes' ? true : word === 'no' ? false : null;
}

/**
 * A whole number in decimal digits with an optional sign, as strtol() reads it: blanks before it pass, a
 * suffix, blanks after it, and what no C int can hold do not.
 *
 * @param min null: no bound; also `max`
 * @returns the number, or null when the text is none or out of bounds
 */
export function readInt(text: string, min: number | null = null, max: number | null = null): number | null {
  const number = wholeNumber(text);
  if (number === null || number > INT_MAX || number < -INT_MAX - 1) return null;
  return (min !== null && number < min) || (max !== null && number > max) ? null : number;
}

/**
 * A time: a number of at least 0 and one of the letters s, m, h, d, w, in lower case. What follows the
 * letter is not looked at since 3.1: `10sec` and `5minutes` pass, `10S` does not, and a letter alone is 0.
 *
 * @param defaultUnit counts where no unit is written: that of the parameter's built-in default
 * @param release decides whether `10sec` passes; left out: a new one, where it does
 * @returns seconds, or null when the text is no time
 */
export function readTime(text: string, defaultUnit: string, release?: Release): number | null {
  const [, sign = '', digits = '', unit = '', rest = ''] =
    /^[ \t\n\v\f\r]*([+-]?)(\d*)([^]?)([^]*)$/.exec(text) ?? [];
  if (text === '' || sign === '-') return null;
  if (digits === '' && (sign !== '' || /^[ \t\n\v\f\r]/.test(text))) return null;
  if (rest !== '' && release !== undefined && !hasFeature(release, 'looseTimeUnit')) return null;
  const seconds = SECONDS[unit === '' ? defaultUnit : unit];
  const number = Number(digits);
  if (seconds === undefined || number > INT_MAX) return null;
  // conv_time() asks for less than the quotient, not for at most it.
  if (seconds > 1 && number >= Math.trunc(INT_MAX / seconds)) return null;
  return number * seconds;
}

/**
 * The unit in which a time is counted that has none: the first letter of the parameter's own default after
 * expansion (get_def_time_unit() of mail_conf_time.c). It can be seen in `1000s` and `${stress?{10}:{300}}s`,
 * not in `$smtpd_starttls_timeout`: null.
 */
export function defaultTimeUnit(parameter: Parameter): string | null {
  const [, plain, macro] = /^(?:\d+([a-z])|\$\{.*\}([a-z]))/.exec(parameter.default ?? '') ?? [];
  return plain ?? macro ?? null;
}

/**
 * Checks a value as the programs do that read it.
 *
 * Booleans, numbers, times and lengths are checked when the process starts: it ends with a fatal error.
 * Words are checked by whoever needs them, which the parameter tells: most at the start too, but cipher
 * grades and SASL options with each session, and some never. Texts, paths and tables are not checked here,
 * and neither are lists of protocols, ciphers, restrictions and networks, which have readers of their own.
 *
 * @param expanded the value with all `$name` replaced
 * @param release what Postfix it is, where that bears on reading; left out: a new one
 * @returns the first problem, or null
 */
export function checkValue(parameter: Parameter, expanded: string, release?: Release): ValueProblem | null {
  const { type } = parameter;
  if (type === 'bool') {
    if (readBool(expanded) !== null) return null;
    const meant = { allowed: ['yes', 'no'], suggestion: meantBool(expanded) };
    return { ...problem('bad-boolean', 'fatal', expanded), ...meant };
  }
  if (type === 'int') {
    const value = parameter.storage === 'long' ? readLong(expanded) : readInt(expanded);
    if (value === null) return problem('bad-integer', 'fatal', expanded);
    return outOfBounds(parameter, value, 'number', expanded);
  }
  if (type === 'time') {
    const unit = defaultTimeUnit(parameter);
    const value = readTime(expanded, unit ?? 's', release);
    if (value === null) return problem('bad-time', 'fatal', expanded);
    // Without a known unit a bare number has no known length.
    if (unit === null && /\d$/.test(expanded)) return null;
    return outOfBounds(parameter, value, 'seconds', expanded);
  }
  return tooShortOrLong(parameter, expanded) ?? checkWords(parameter, expanded);
}

function tooShortOrLong(parameter: Parameter, text: string): ValueProblem | null {
  if (parameter.min !== null && parameter.min > 0 && text === '') return problem('empty', 'fatal', text);
  return outOfBounds(parameter, byteLength(text), 'characters', text);
}

function outOfBounds(
  { min, max }: Parameter,
  value: number,
  unit: ValueProblem['unit'],
  text: string,
): ValueProblem | null {
  if (min !== null && value < min) return { ...problem('below-min', 'fatal', text), limit: min, unit };
  if (max !== null && value > max) return { ...problem('above-max', 'fatal', text), limit: max, unit };
  return null;
}

/** Types that take one word, and types that take several. */
const ONE_WORD: ReadonlySet<ParameterType> = new Set(['enum', 'tls-cipher-grade', 'tls-security-level']);
const WORDS: ReadonlySet<ParameterType> = new Set(['enum-list', 'sasl-security-options', 'tls-loglevel']);

function checkWords(parameter: Parameter, text: string): ValueProblem | null {
  const { type, values } = parameter;
  if (ONE_WORD.has(type)) {
    // An empty level is legal: the older use_tls and enforce_tls decide then.
    if (type === 'tls-security-level' && text === '') return null;
    return isKnown(parameter, values, text) ? null : badWord(parameter, text);
  }
  if (WORDS.has(type)) {
    const unknown = text
      .split(BETWEEN_WORDS)
      .find((word) => word !== '' && !isKnown(parameter, values, word));
    return unknown === undefined ? null : badWord(parameter, unknown);
  }
  return null;
}

function isKnown({ sameCase }: Parameter, words: readonly string[], word: string): boolean {
  if (words.length === 0 || words.includes(word)) return true;
  return !sameCase && words.some((known) => lowerCase(known) === lowerCase(word));
}

function badWord(parameter: Parameter, word: string): ValueProblem {
  const tolerated = parameter.tolerated.length > 0 && isKnown(parameter, parameter.tolerated, word);
  const allowed = parameter.values.filter((known) => known !== '');
  return {
    ...problem('bad-word', tolerated ? 'degraded' : parameter.badWord, word),
    allowed,
    suggestion: tolerated ? null : nearest(word, allowed),
  };
}

function problem(code: ValueProblemCode, effect: Effect, text: string): ValueProblem {
  return { code, effect, text, allowed: [], suggestion: null, limit: null, unit: 'number' };
}

/** The words that other programs take for a boolean, and slips of the pen. */
function meantBool(text: string): string | null {
  const word = lowerCase(text);
  if (/^(true|on|1|enabled?)$/.test(word)) return 'yes';
  if (/^(false|off|0|disabled?)$/.test(word)) return 'no';
  return nearest(text, ['yes', 'no']);
}

function readLong(text: string): number | null {
  const number = wholeNumber(text);
  if (number === null) return null;
  const exact = BigInt(text.trim().replace('+', ''));
  return exact > LONG_MAX || exact < -LONG_MAX - 1n ? null : number;
}

function wholeNumber(text: string): number | null {
  return /^[ \t\n\v\f\r]*[+-]?\d+$/.test(text) ? Number(text) : null;
}

/** As strcasecmp() in the C locale: only ASCII letters have another case. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Postfix counts bytes. */
function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
