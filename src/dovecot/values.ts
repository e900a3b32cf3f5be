import type { Release } from '../model/release.ts';
import { hasDovecotFeature } from './releases.ts';

/** The types of values that are checked by themselves; what is not among them takes any text. */
export type CheckedType = (typeof CHECKED_TYPES)[number];

const CHECKED_TYPES = ['bool', 'uint', 'uint_oct', 'in_port', 'time', 'time_msecs', 'size', 'enum'] as const;

/** Whether values of a type are checked. */
export function isCheckedType(type: string): type is CheckedType {
  return (CHECKED_TYPES as readonly string[]).includes(type);
}

/** What is wrong with a value, in the words of the server. */
export interface BadValue {
  readonly ok: false;
  readonly says: string;
}

/** A value that its type takes: the number behind it (null for words), and the text in the one form that doveconf of 2.2 and 2.3 prints. */
export interface GoodValue {
  readonly ok: true;
  readonly number: bigint | null;
  readonly text: string;
}

const UINT_MAX = 4294967295n;
const UINT64_MAX = 18446744073709551615n;
const PORT_MAX = 65535n;

const MINUTE = 60n;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;
const WEEK = 7n * DAY;

/**
 * Judges a value by its type as a release does.
 *
 * Sources: settings-parser.c of 2.3 (get_bool() and its kin, settings_get_time(), settings_get_size()),
 * str-parse.c and settings_value_check() of 2.4, config-request.c for the printed form.
 *
 * @param words what an enumeration knows
 */
export function checkValue(
  type: CheckedType,
  value: string,
  words: readonly string[],
  release: Release,
): GoodValue | BadValue {
  const unlimited = hasDovecotFeature(release, 'unlimitedValues') && isUnlimited(value);
  switch (type) {
    case 'bool':
      return boolOf(value);
    case 'enum':
      return words.includes(value) ? good(null, value) : bad(`Invalid value: ${value}`);
    case 'in_port': {
      const number = digits(value);
      if (number === null || number > PORT_MAX) return bad(`Invalid port number ${value}`);
      return good(number, String(number));
    }
    case 'uint':
      return unlimited ? good(UINT_MAX, 'unlimited') : uintOf(value, (number) => String(number));
    case 'uint_oct':
      if (unlimited) return good(UINT_MAX, 'unlimited');
      return value.startsWith('0') ? octalOf(value) : uintOf(value, octalText);
    case 'time':
      return unlimited ? good(UINT_MAX, 'infinite') : timeOf(value, 1n);
    case 'time_msecs':
      return unlimited ? good(UINT_MAX, 'infinite') : timeOf(value, 1000n);
    case 'size':
    default:
      return unlimited ? good(UINT64_MAX, 'unlimited') : sizeOf(value);
  }
}

/** Whether a value means that there is no bound, in releases that have words for it. */
export function isUnlimited(value: string): boolean {
  return value === 'unlimited' || value === 'infinite';
}

/** The form in which doveconf prints seconds. */
export function timeText(seconds: bigint): string {
  if (seconds === 0n) return '0';
  for (const [unit, name] of [
    [WEEK, 'weeks'],
    [DAY, 'days'],
    [HOUR, 'hours'],
    [MINUTE, 'mins'],
  ] as const) {
    if (seconds % unit === 0n) return `${seconds / unit} ${name}`;
  }
  return `${seconds} secs`;
}

/** The form in which doveconf prints bytes. */
export function sizeText(bytes: bigint): string {
  if (bytes === 0n) return '0';
  let size = bytes;
  let unit = 0;
  while (unit < 4 && size % 1024n === 0n) {
    size /= 1024n;
    unit++;
  }
  return `${size} ${'BkMGT'[unit] ?? ''}`;
}

function good(number: bigint | null, text: string): GoodValue {
  return { ok: true, number, text };
}

function bad(says: string): BadValue {
  return { ok: false, says };
}

function boolOf(value: string): GoodValue | BadValue {
  const word = value.toLowerCase();
  if (word === 'yes' || word === 'y' || value === '1') return good(null, 'yes');
  if (word === 'no') return good(null, 'no');
  return bad(`Invalid boolean value: ${value} (use yes or no)`);
}

/** A number of decimal digits alone that fits into 64 bits, else null. */
function digits(value: string): bigint | null {
  if (!/^[0-9]+$/.test(value)) return null;
  const number = BigInt(value);
  return number > UINT64_MAX ? null : number;
}

function uintOf(value: string, text: (number: bigint) => string): GoodValue | BadValue {
  const number = digits(value);
  if (number !== null && number <= UINT_MAX) return good(number, text(number));
  return bad(`Invalid number ${value}: ${numberError(value)}`);
}

/** Why a text is no number, as str_num_error() has it. */
function numberError(value: string): string {
  if (value.startsWith('-')) return /^-[0-9]+$/.test(value) ? 'Number too small' : 'Not a valid number';
  return /^[0-9]+$/.test(value) ? 'Number too large' : 'Not a valid number';
}

function octalOf(value: string): GoodValue | BadValue {
  if (!/^[0-7]+$/.test(value) || BigInt(`0o${value}`) > UINT64_MAX) return bad(`Invalid number: ${value}`);
  const number = BigInt.asUintN(32, BigInt(`0o${value}`));
  return good(number, octalText(number));
}

function octalText(number: bigint): string {
  return `0${number.toString(8)}`;
}

/** Units of time by their first letter: seconds in one, and the words that each may be a beginning of. */
const UNITS: Readonly<Record<string, { readonly seconds: bigint; readonly words: readonly string[] }>> = {
  s: { seconds: 1n, words: ['secs', 'seconds'] },
  m: { seconds: MINUTE, words: ['mins', 'minutes'] },
  h: { seconds: HOUR, words: ['hours'] },
  d: { seconds: DAY, words: ['days'] },
  w: { seconds: WEEK, words: ['weeks'] },
};
const MILLISECONDS = ['msecs', 'mseconds', 'millisecs', 'milliseconds'];

/** @param perSecond 1 where the setting counts in seconds, 1000 where in milliseconds */
function timeOf(value: string, perSecond: bigint): GoodValue | BadValue {
  const [, text = '', rest = ''] = /^([0-9]+) *(.*)$/s.exec(value) ?? [];
  const number = digits(text);
  const invalid = bad(`Invalid time interval: ${value}`);
  if (number === null) return invalid;
  if (rest === '') {
    if (number === 0n) return good(0n, '0');
    return bad(`Time interval '${value}' is missing units (add e.g. 's' for seconds)`);
  }
  const word = rest.toLowerCase();
  const begins = (unit: string): boolean => unit.startsWith(word);
  const unit = UNITS[word[0] ?? ''];
  if (unit === undefined) return invalid;
  let count = number;
  let factor = unit.seconds * perSecond;
  if (!unit.words.some(begins)) {
    if (word[0] !== 'm' || !MILLISECONDS.some(begins)) return invalid;
    factor = 1n;
    if (perSecond === 1n) {
      if (number % 1000n !== 0n) return bad(`Milliseconds not supported for this setting: ${value}`);
      count = number / 1000n;
    }
  }
  if (count > UINT_MAX / factor) return bad(`Time interval is too large: ${value}`);
  const total = count * factor;
  if (perSecond === 1n) return good(total, timeText(total));
  return good(total, total % 1000n === 0n ? timeText(total / 1000n) : `${total} ms`);
}

function sizeOf(value: string): GoodValue | BadValue {
  const [, text = '', unit = '', rest = ''] = /^([0-9]+) *([bkmgt]?)(.*)$/is.exec(value) ?? [];
  const number = digits(text);
  const power = 'bkmgt'.indexOf(unit.toLowerCase());
  if (number === null || !(power > 0 ? /^i?b?$/i : /^$/).test(rest)) return bad(`Invalid size: ${value}`);
  const factor = 1024n ** BigInt(Math.max(power, 0));
  if (number > UINT64_MAX / factor) return bad(`Size is too large: ${value}`);
  return good(number * factor, sizeText(number * factor));
}
