import {
  childrenOf,
  contentOf,
  type Element,
  encodingOf,
  hexOf,
  OBJECT_IDENTIFIER,
  objectIdentifier,
  primitive,
  Reader,
  SET,
} from './der.ts';

/** A name as subject and issuer are named. */
export interface DistinguishedName {
  /** `C=US, O=Let's Encrypt, CN=R3`: in the order of the certificate, special characters escaped as RFC 4514 says. */
  readonly text: string;
  /** The last common name; null without one. */
  readonly commonName: string | null;
  /** The same for the same name: its encoding. */
  readonly id: string;
}

/** Short names of attributes (RFC 4519, OpenSSL's obj_mac.h); others are shown by their identifier. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'GN'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
  ['1.2.840.113549.1.9.2', 'unstructuredName'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC'],
]);

const COMMON_NAME = '2.5.4.3';

/**
 * Reads a Name (RFC 5280 §4.1.2.4).
 *
 * @throws DerError
 */
export function readName(element: Element): DistinguishedName {
  const parts: string[] = [];
  let commonName: string | null = null;
  for (const set of childrenOf(element)) {
    if (set.tag !== SET) continue;
    const pairs: string[] = [];
    for (const attribute of childrenOf(set)) {
      const reader = new Reader(attribute);
      const type = objectIdentifier(reader.next(OBJECT_IDENTIFIER));
      const value = textOf(reader.next());
      if (type === COMMON_NAME) commonName = value;
      pairs.push(`${ATTRIBUTES.get(type) ?? type}=${escaped(value)}`);
    }
    parts.push(pairs.join(' + '));
  }
  return { text: parts.join(', '), commonName, id: hexOf(encodingOf(element)) };
}

const BMP_STRING = 0x1e;
const UNIVERSAL_STRING = 0x1c;
const UTF8_STRING = 0x0c;

/** The characters of a string of any of the types that names use; what is no string is shown as its bytes. */
function textOf(element: Element): string {
  const bytes = contentOf(element);
  switch (element.tag) {
    case UTF8_STRING:
      return decodeUtf8(bytes);
    case BMP_STRING:
      return wideText(bytes, 2);
    case UNIVERSAL_STRING:
      return wideText(bytes, 4);
    // Printable, T61, IA5, numeric and visible strings: one byte a character, as OpenSSL takes them.
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x16:
    case 0x1a:
      return latin1(bytes);
    default:
      return `#${hexOf(encodingOf(element))}`;
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function wideText(bytes: Uint8Array, width: number): string {
  let text = '';
  for (let at = 0; at + width <= bytes.length; at += width) {
    let point = 0;
    for (let i = 0; i < width; i++) point = point * 256 + (bytes[at + i] ?? 0);
    text += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
  }
  return text;
}

/** RFC 4514 §2.4, and control characters as `\0A`. */
function escaped(value: string): string {
  return value
    .replace(/[,+"\\<>;]/g, '\\$&')
    .replace(/^[# ]| $/g, '\\$&')
    .replace(/\p{Cc}/gu, (unit) => `\\${hexByte(unit)}`);
}

function hexByte(unit: string): string {
  return unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
}

/** Names that a certificate is good for (RFC 5280 §4.2.1.6). */
export interface AlternativeNames {
  /** As written, wildcards included. */
  readonly dnsNames: readonly string[];
  /** In the usual text form: `192.0.2.1`, `2001:db8::1`. */
  readonly addresses: readonly string[];
}

/**
 * Reads GeneralNames: host names and addresses; the other kinds name no server.
 *
 * @throws DerError
 */
export function readAlternativeNames(element: Element): AlternativeNames {
  const dnsNames: string[] = [];
  const addresses: string[] = [];
  for (const name of childrenOf(element)) {
    if (name.tag === primitive(2)) dnsNames.push(latin1(contentOf(name)));
    else if (name.tag === primitive(7)) addresses.push(addressText(contentOf(name)));
  }
  return { dnsNames, addresses };
}

/** Text of the 4 or 16 bytes of an address (RFC 5952 §4); of another number the bytes. */
function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return `#${hexOf(bytes)}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  // The longest run of two or more zero groups, the first of several.
  let [best, from] = [1, -1];
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (groups[i + run] === '0') run++;
    if (run > best) [best, from] = [run, i];
  }
  if (from < 0) return groups.join(':');
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + best).join(':')}`;
}
