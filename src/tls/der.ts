/**
 * ASN.1 in the distinguished encoding (X.690), as far as certificates, keys and DH parameters need it. Only the
 * parts that are asked for are looked at, one level at a time: neither depth nor a length that lies costs
 * anything. What is not DER (indefinite lengths, tags of several bytes) is refused.
 */

/** One element: its tag and where its content lies in the bytes of the whole. */
export interface Element {
  /** The identifier byte: class, constructed bit and number together. */
  readonly tag: number;
  readonly bytes: Uint8Array;
  /** Where the element with its header begins. */
  readonly start: number;
  /** Where its content begins. */
  readonly from: number;
  /** Where it ends, exclusive. */
  readonly to: number;
}

/** Bytes that are not what they were read as. Never leaves the readers of this folder. */
export class DerError extends Error {}

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;

/** Tag of `[number]` with content of its own (`IMPLICIT` of a primitive type). */
export const primitive = (number: number): number => 0x80 | number;

/** Tag of `[number]` around other elements. */
export const constructed = (number: number): number => 0xa0 | number;

/**
 * The element at an offset.
 *
 * @throws DerError when there is none that ends before `end`
 */
export function elementAt(bytes: Uint8Array, start: number, end: number = bytes.length): Element {
  const tag = bytes[start];
  let length = bytes[start + 1];
  if (tag === undefined || length === undefined || start + 2 > end) throw new DerError('nothing is left');
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes');
  let from = start + 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    // Four bytes say 4 GB; none says that the end is found by looking for it, which DER forbids.
    if (count === 0 || count > 4 || from + count > end) throw new DerError('a length that cannot be');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[from + i] ?? 0);
    from += count;
  }
  if (length > end - from) throw new DerError('longer than what holds it');
  return { tag, bytes, start, from, to: from + length };
}

/**
 * The one element that bytes consist of, with the tag that it must have.
 *
 * @throws DerError also when something follows it
 */
export function wholeElement(bytes: Uint8Array, tag: number, from = 0, to: number = bytes.length): Element {
  const element = elementAt(bytes, from, to);
  if (element.tag !== tag) throw new DerError('another type');
  if (element.to !== to) throw new DerError('followed by more');
  return element;
}

/** The elements inside one, read in order; each call takes the next. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(element: Element) {
    this.#bytes = element.bytes;
    this.#at = element.from;
    this.#end = element.to;
  }

  /** True when nothing is left. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** @throws DerError when none is left, or the next has not the tag that it must have */
  next(tag?: number): Element {
    const element = elementAt(this.#bytes, this.#at, this.#end);
    if (tag !== undefined && element.tag !== tag) throw new DerError('another type');
    this.#at = element.to;
    return element;
  }

  /** The next one if it has that tag, else null and it stays the next. */
  optional(tag: number): Element | null {
    return !this.done && this.#bytes[this.#at] === tag ? this.next(tag) : null;
  }
}

/**
 * The elements inside one.
 *
 * @throws DerError
 */
export function childrenOf(element: Element): readonly Element[] {
  const reader = new Reader(element);
  const children: Element[] = [];
  while (!reader.done) children.push(reader.next());
  return children;
}

/** The bytes of the content. */
export function contentOf(element: Element): Uint8Array {
  return element.bytes.subarray(element.from, element.to);
}

/** The bytes of the element with its header. */
export function encodingOf(element: Element): Uint8Array {
  return element.bytes.subarray(element.start, element.to);
}

/**
 * The content of a bit string that holds bytes, as those of keys do.
 *
 * @throws DerError
 */
export function bitsOf(element: Element): Uint8Array {
  if (element.tag !== BIT_STRING || element.to === element.from) throw new DerError('not a bit string');
  return element.bytes.subarray(element.from + 1, element.to);
}

/** Whether bit `number` of a bit string is set; bits that are not there are not. */
export function hasBit(element: Element, number: number): boolean {
  const byte = bitsOf(element)[number >> 3] ?? 0;
  return (byte & (0x80 >> (number & 7))) !== 0;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Hexadecimal digits of bytes, two each. */
export function hexOf(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += HEX[byte];
  return hex;
}

/**
 * An integer that must not be negative, in hexadecimal digits without leading zeros: `0` for zero.
 *
 * @throws DerError for a negative or empty one
 */
export function unsignedHex(element: Element): string {
  if (element.tag !== INTEGER || element.to === element.from) throw new DerError('not an integer');
  if (((element.bytes[element.from] ?? 0) & 0x80) !== 0) throw new DerError('a negative integer');
  return hexOf(contentOf(element)).replace(/^0+(?=.)/, '');
}

/** Number of significant bits of a number in hexadecimal digits without leading zeros. */
export function bitLength(hex: string): number {
  const first = Number.parseInt(hex.charAt(0), 16);
  return hex === '0' ? 0 : (hex.length - 1) * 4 + (32 - Math.clz32(first));
}

/**
 * A small number; those beyond 2^53 give the largest safe one.
 *
 * @throws DerError
 */
export function smallNumber(element: Element): number {
  const hex = unsignedHex(element);
  return hex.length > 13 ? Number.MAX_SAFE_INTEGER : Number.parseInt(hex, 16);
}

/**
 * An object identifier in dotted form.
 *
 * @throws DerError for another type, or a number that is cut off or larger than any real one
 */
export function objectIdentifier(element: Element): string {
  if (element.tag !== OBJECT_IDENTIFIER || element.to === element.from)
    throw new DerError('not an identifier');
  const parts: number[] = [];
  let value = 0;
  let open = false;
  for (const byte of contentOf(element)) {
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) throw new DerError('an identifier that cannot be');
    open = byte >= 0x80;
    if (open) continue;
    if (parts.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      parts.push(first, value - first * 40);
    } else parts.push(value);
    value = 0;
  }
  if (open) throw new DerError('an identifier that is cut off');
  return parts.join('.');
}

/**
 * A point in time, in milliseconds since 1970. Two digits of a year up to 49 are of this century
 * (RFC 5280 §4.1.2.5). Seconds may be left out and another zone than Z be named, which old
 * certificates do.
 *
 * @throws DerError for another type, or what is no time
 */
export function timeOf(element: Element): number {
  if (element.tag !== UTC_TIME && element.tag !== GENERALIZED_TIME) throw new DerError('not a time');
  const short = element.tag === UTC_TIME;
  if (element.to - element.from > 40) throw new DerError('not a time');
  const text = String.fromCharCode(...contentOf(element));
  const match = TIME.exec(short ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text);
  if (match === null) throw new DerError('not a time');
  const number = (group: number): number => Number(match[group] ?? '0');
  const [month, day, hour, minute, second] = [number(2), number(3), number(4), number(5), number(6)];
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
    throw new DerError('not a time');
  const offset = (match[7] === '-' ? -1 : 1) * (number(8) * 60 + number(9));
  return atYear(number(1), [month, day, hour, minute - offset, second]);
}

const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?(?:Z|([+-])(\d\d)(\d\d))$/;

/** `Date.UTC` takes years below 100 for those of the last century: 400 years later the calendar is the same. */
function atYear(
  year: number,
  [month, day, hour, minute, second]: readonly [number, number, number, number, number],
): number {
  const FOUR_CENTURIES = 146_097 * 86_400_000;
  return Date.UTC(year + 400, month - 1, day, hour, minute, second) - FOUR_CENTURIES;
}
