// Cipher strings to ask OpenSSL and pfharden: what people have written, and what a seed makes up.
import fs from 'node:fs';
import path from 'node:path';
import { vocabularyOf } from '../../src/tls/cipher-selection.ts';
import { readCipherString } from '../../src/tls/cipher-string.ts';
import { CIPHER_DATA, cipherReleases, suitesOf } from '../../src/tls/suites.ts';
import { generator, type Random } from '../servers/generate.ts';

/** What pfharden makes of a string, in the form of `openssl ciphers`: names in order, or the refusal. */
export function ownAnswer(text: string, openssl: string): string {
  const { tls13, suites, error } = readCipherString(text, openssl);
  return error === null ? [...tls13, ...suites].map(({ name }) => name).join(':') : refusal(error);
}

/** The reason of OpenSSL in a message. */
export function refusal(message: string): string {
  return `refused: ${/invalid command|no cipher match/.exec(message)?.[0] ?? message}`;
}

/** An answer as it is recorded: two bytes a suite, in hexadecimal. */
export function recordedAnswer(answer: string, openssl: string): string {
  if (answer.startsWith('refused: ')) return answer;
  const ids = new Map(suitesOf(openssl).map(({ name, id }) => [name, id]));
  return answer
    .split(':')
    .map((name) => {
      const id = ids.get(name);
      if (id === undefined) throw new Error(`${openssl} has no ${name}`);
      return id.toString(16).padStart(4, '0');
    })
    .join(' ');
}

const SHARED = path.join(import.meta.dirname, '..', '..', '..', 'shared');

/** Settings that hold a cipher string, or (exclusions) words that Postfix makes one of. */
const SETTING =
  /\b(tls_[a-z]+_cipherlist|ssl_cipher_list|[a-z]+_tls_(?:mandatory_)?exclude_ciphers)\s*=[ \t]*(.+)/g;

/** The grades of Postfix by their default lists (postfix-parameters.json), to which exclusions are added. */
const GRADES = [
  'aNULL:-aNULL:ALL:+RC4:@STRENGTH',
  'aNULL:-aNULL:ALL:!EXPORT:!LOW:!MEDIUM:+RC4:@STRENGTH',
  'aNULL:-aNULL:HIGH:@STRENGTH',
  'aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH',
];

/** Every cipher string of the corpus and the facts; none where they do not lie beside the checkout. */
export function foundStrings(): string[] {
  const found = new Set<string>();
  const corpus = path.join(SHARED, 'corpus');
  for (const file of filesBelow(corpus)) {
    for (const [, name = '', value = ''] of fs.readFileSync(file, 'latin1').matchAll(SETTING)) {
      // What stands behind the value on a command line of master.cf goes along: OpenSSL takes any text.
      const text = value.replace(/\s+$/, '');
      if (!name.endsWith('exclude_ciphers')) found.add(text);
      else {
        const excluded = text.split(/[\s,:]+/).filter((word) => word !== '');
        for (const grade of GRADES) found.add([grade, ...excluded.map((word) => `!${word}`)].join(':'));
      }
    }
  }
  for (const name of ['postfix-parameters.json', 'dovecot-settings.json']) {
    const file = path.join(SHARED, 'facts', name);
    if (!fs.existsSync(file)) continue;
    const visit = (value: unknown, isCipher: boolean): void => {
      if (typeof value === 'string' && isCipher) found.add(value);
      if (typeof value !== 'object' || value === null) return;
      const named: unknown = 'name' in value ? value.name : undefined;
      for (const [key, inner] of Object.entries(value))
        visit(inner, isCipher || isList(key) || (typeof named === 'string' && isList(named)));
    };
    visit(JSON.parse(fs.readFileSync(file, 'utf8')), false);
  }
  return [...found].filter((text) => /^[\x20-\x7e]*$/.test(text));
}

function isList(name: string): boolean {
  return /(?:^|_)cipher_?list$/.test(name) && name !== 'tls_preempt_cipherlist';
}

function filesBelow(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** Strings with what is hard to read in each of the rules, one after the other. */
export const HARD_STRINGS: readonly string[] = [
  '',
  ' ',
  ':',
  'ALL',
  'DEFAULT',
  'DEFAULT:',
  'DEFAULTX',
  'DEFAULT+AES',
  'DEFAULT@STRENGTH',
  'DEFAULT!AES',
  'ALL:DEFAULT',
  '!DEFAULT:ALL',
  'COMPLEMENTOFDEFAULT',
  'COMPLEMENTOFALL',
  'COMPLEMENTOFALL:ALL',
  'ALL:COMPLEMENTOFALL:@STRENGTH',
  'SUITEB128',
  'SUITEB128:ALL',
  'SUITEB128ONLY',
  'SUITEB128C2',
  'SUITEB128C1',
  'SUITEB192',
  'SUITEB192%',
  'SUITEB',
  'ALL:SUITEB128',
  '!SUITEB128:ALL',
  'HIGH:!',
  'HIGH:-',
  'HIGH:+',
  'HIGH:@',
  'HIGH:!:AES',
  'HIGH:! AES',
  'HIGH:!!AES',
  'HIGH:--AES',
  'HIGH:-!AES',
  'HIGH:+-AES',
  'HIGH!AES',
  'HIGH-AES',
  'HIGH@STRENGTH',
  'HIGH@STRENGTH!AES',
  'HIGH:@STRENGTH!AES:!CAMELLIA',
  'HIGH:@STRENGTHX',
  'HIGH:@STRENGTH+X%',
  'HIGH:@SECLEVEL=2',
  'HIGH:@SECLEVEL=6',
  'HIGH:@SECLEVEL=',
  'HIGH:@SECLEVEL=12',
  'HIGH:@SECLEVEL=1:@SECLEVEL=0',
  '@SECLEVEL=0',
  '@STRENGTH',
  'HIGH:@strength',
  'high',
  'FOO',
  'FOO:HIGH',
  'HIGH:FOO%BAR',
  'HIGH:FOO!AES',
  'HIGH:FOO@STRENGTH',
  'HIGH%',
  'HIGH:%',
  'HIGH:AES+',
  'HIGH:AES+:RSA',
  'HIGH:AES+FOO+%',
  'HIGH:aNULL+ECDHE',
  'HIGH:aNULL+ECDHE+%',
  'HIGH:!aNULL+ECDHE%',
  'HIGH+FIPS',
  'HIGH+MEDIUM',
  'SHA1+SHA256',
  'TLSv1.2+SSLv3',
  'TLSv1.2+SHA1',
  'AES128-SHA+HIGH',
  'AES128-SHA+AES256-SHA',
  'AES128-SHA+kRSA+AES+SHA1',
  'COMPLEMENTOFDEFAULT+HIGH',
  'NULL-SHA+FIPS',
  'eNULL+FIPS',
  'EXP-RC4-MD5:RC4-MD5',
  'RC4-MD5+SSLv2',
  'AES128-SHA:HIGH:-AES128-SHA:AES',
  'ALL:-AES:-CAMELLIA:AES:CAMELLIA',
  'ALL:-ALL:AES:ALL',
  'ALL:+AES:+CAMELLIA:@STRENGTH:+SHA1',
  'ALL:!AES:AES:-ALL:AES',
  'ALL:!ALL',
  'AES;CAMELLIA,ARIA CHACHA20',
  'AES;;,, :CAMELLIA',
  'CAMELLIA128 -SHA',
  'ALL\tAES',
  'ALL:AES\\',
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_256_GCM_SHA384:HIGH',
  'HIGH:!TLS_AES_256_GCM_SHA384',
  'TLS_RSA_WITH_AES_128_CBC_SHA',
  'TLS_RSA_WITH_AES_128_CBC_SHA+AES',
  'HIGH:!TLS_RSA_WITH_AES_128_CBC_SHA',
  'ALL:_',
  'AES_128',
  '-ALL',
  '-s',
  '--',
  '-',
  '!ALL:ALL',
  '+ALL',
  'PROFILE=SYSTEM',
  'ECDHE-RSA-AES128-GCM-SHA256=',
  'ECDHE-RSA-AES128-GCM-SHA',
  'HIGH:=',
  'COMPLEMENTOFDEFAULT+AESGCM',
  'ALL+COMPLEMENTOFDEFAULT+kRSA',
  'EXP:LOW:SSLv2:RC2:DES:EXPORT40:EXPORT56',
  'ALL:!EXP-RC4-MD5:+RC4-MD5:-EXP:EXP',
  'kDH:kECDH:aDH:aECDH:KRB5',
  '!SHA1:!SHA384:!ALL:!MD5:!PSK:eNULL',
];

/** Names that a table of any release knows, and those that others know. */
const NAMES: readonly string[] = [
  ...new Set([
    ...cipherReleases().flatMap((release) => [...vocabularyOf(release).words.keys()]),
    ...CIPHER_DATA.elsewhere.map((line) => line.split(' ')[0] ?? ''),
  ]),
];
const ALIASES = [...new Set(CIPHER_DATA.aliases.map((line) => line.split(' ')[0] ?? ''))];
/** What is written often, so that rules meet. */
const USUAL = [
  'ALL',
  'HIGH',
  'MEDIUM',
  'AES',
  'aRSA',
  'kRSA',
  'ECDHE',
  'DHE',
  'SHA1',
  'aNULL',
  'eNULL',
  'PSK',
];

/**
 * String `index` of a seed; it does not depend on the others, and is printable ASCII without line ends.
 */
export function madeString(seed: number, index: number): string {
  const random = generator(seed + Math.imul(index, 0x9e3779b1));
  // The first numbers of near seeds are alike.
  for (let skip = 0; skip < 4; skip++) random(2);
  let text = pick(random, STARTS);
  // Most strings are ones that OpenSSL takes: of a refused one only the refusal can be compared.
  const careless = random(6) === 0;
  for (let item = 0, items = 1 + random(random(5) === 0 ? 40 : 9); item < items; item++) {
    if (text !== '') text += careless ? pick(random, CARELESS_SEPARATORS) : pick(random, SEPARATORS);
    text += madeItem(random, careless);
  }
  return text;
}

const STARTS = [
  '',
  '',
  '',
  '',
  '',
  'ALL',
  'ALL:COMPLEMENTOFALL',
  'DEFAULT',
  'HIGH',
  'aNULL:-aNULL:ALL',
  'DEFAULT@STRENGTH',
];
const SEPARATORS = [':', ':', ':', ':', ':', ' ', ',', ';', ' : ', '::'];
const CARELESS_SEPARATORS = [...SEPARATORS, '', '', '\t', '|', '+'];
const OPERATORS = ['', '', '', '', '!', '!', '-', '-', '-', '+', '+', '+'];
const NOISE = [
  '%',
  '/',
  '_',
  '"',
  '$x',
  '!',
  '-',
  '+',
  '@',
  '@FOO',
  '@SECLEVEL=7',
  '@SECLEVEL=x',
  '=',
  '.',
  '()',
];

function madeItem(random: Random, careless: boolean): string {
  if (random(14) === 0) return pick(random, ['@STRENGTH', '@STRENGTH', `@SECLEVEL=${random(6)}`]);
  if (careless && random(5) === 0) return pick(random, NOISE);
  const words = Array.from({ length: 1 + (random(3) === 0 ? 1 + random(3) : 0) }, () => madeWord(random));
  return pick(random, OPERATORS) + words.join('+');
}

function madeWord(random: Random): string {
  switch (random(12)) {
    case 0:
    case 1:
    case 2:
      return pick(random, NAMES);
    case 3:
      return misspelt(random, pick(random, NAMES));
    case 4:
    case 5:
    case 6:
      return pick(random, USUAL);
    default:
      return pick(random, ALIASES);
  }
}

function misspelt(random: Random, name: string): string {
  const at = random(name.length);
  switch (random(4)) {
    case 0:
      return name.slice(0, at) + name.slice(at + 1);
    case 1:
      return name.toLowerCase();
    case 2:
      return `${name.slice(0, at)}x${name.slice(at)}`;
    default:
      return name.slice(0, at + 1);
  }
}

function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[random(values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}
