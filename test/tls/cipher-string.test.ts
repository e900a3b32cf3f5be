import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { knownSomewhere, readCipherString } from '../../src/tls/cipher-string.ts';
import { cipherRelease, cipherReleases, suitesOf } from '../../src/tls/suites.ts';
import { ownAnswer, recordedAnswer } from '../support/cipher-strings.ts';
import { longCipherStrings } from '../support/growth.ts';

const RECORDED = path.join(import.meta.dirname, '..', 'recorded', 'ciphers');

// What test/servers/cipher-strings.test.ts wrote down of `openssl ciphers`.
describe.each(fs.readdirSync(RECORDED))('answers recorded in %s', (file) => {
  const release = file.replace(/\.json$/, '');
  const recorded: Record<string, string> = JSON.parse(fs.readFileSync(path.join(RECORDED, file), 'utf8'));

  test('are the same', () => {
    expect(Object.keys(recorded).length).toBeGreaterThan(180);
    const own = Object.keys(recorded).map((text) => [
      text,
      recordedAnswer(ownAnswer(text, release), release),
    ]);
    expect(Object.fromEntries(own)).toEqual(recorded);
  });
});

test('every release of the table has recorded answers, but for the one that nobody was asked for', () => {
  const recorded = fs.readdirSync(RECORDED).map((file) => file.replace(/\.json$/, ''));
  expect(cipherReleases().filter((release) => !recorded.includes(release))).toEqual(['3.2']);
});

test('3.2 is 3.5 without the TLSv1.3 suites that do not encrypt', () => {
  // CHANGES: names of IANA and CCM8 at level 0 in 3.2, TLS_SHA256_SHA256 and TLS_SHA384_SHA384 in 3.4.
  const [older, newer] = ['3.2', '3.5'].map((release) => suitesOf(release).map(({ name }) => name));
  expect(newer?.filter((name) => !older?.includes(name))).toEqual(['TLS_SHA256_SHA256', 'TLS_SHA384_SHA384']);
  for (const text of ['ALL:COMPLEMENTOFALL', 'ALL:@STRENGTH', 'TLS_RSA_WITH_AES_128_CBC_SHA:CBC'])
    expect(ownAnswer(text, '3.2')).toBe(ownAnswer(text, '3.5'));
});

describe('what is passed over', () => {
  test.each<[text: string, release: string, ignored: unknown[]]>([
    ['HIGH:!PSD', '3.0', [{ text: 'PSD', at: 6, unknown: 'PSD' }]],
    [
      'FOO:HIGH,+bar',
      '3.0',
      [
        { text: 'FOO', at: 0, unknown: 'FOO' },
        { text: 'bar', at: 10, unknown: 'bar' },
      ],
    ],
    ['HIGH:AES+FOO%:SHA', '3.0', [{ text: 'AES+FOO%', at: 5, unknown: 'FOO' }]],
    ['HIGH:!aNULL+ECDHE', '3.0', [{ text: 'aNULL+ECDHE', at: 6, unknown: null }]],
    ['HIGH:!SEED', '1.1.1w', []],
    ['HIGH:!SEED', '3.0.20', [{ text: 'SEED', at: 6, unknown: 'SEED' }]],
    ['ALL:!TLS_RSA_WITH_AES_128_CBC_SHA', '3.5', []],
    ['SUITEB128:FOO', '3.0', []],
    ['DEFAULT:!FOO', '3.0', [{ text: 'FOO', at: 9, unknown: 'FOO' }]],
  ])('%s for %s', (text, release, ignored) => {
    expect(readCipherString(text, release).ignored).toEqual(ignored);
  });
});

describe('refusals', () => {
  test.each<[text: string, error: RegExp, at: number | null]>([
    ['HIGH:!', /^invalid command: a name is due here, and the string ends$/, 6],
    ['HIGH:!:AES', /^invalid command: a name is due here, not ":"$/, 6],
    ['HIGH:@FOO', /^invalid command: "@FOO" is none$/, 5],
    ['CAMELLIA/SHA', /not "\/"$/, 8],
    ['FOO', /^no cipher match/, null],
    ['', /^no cipher match/, null],
  ])('%s', (text, error, errorAt) => {
    const list = readCipherString(text, '3.0');
    expect(list).toMatchObject({ suites: [], error: expect.stringMatching(error), errorAt });
    // TLSv1.3 is not touched by a string.
    expect(list.tls13).toHaveLength(3);
  });
});

test.each<[text: string, level: number | null]>([
  ['DEFAULT', null],
  ['DEFAULT@SECLEVEL=2', 2],
  ['@SECLEVEL=1:ALL:@SECLEVEL=0', 0],
  ['SUITEB128@SECLEVEL=0', null],
])('security level of %s', (text, level) => {
  expect(readCipherString(text, '3.0').securityLevel).toBe(level);
});

test.each<[release: string, judgedBy: string]>([
  ['1.1.1w', '1.1.1'],
  ['3.0.20', '3.0'],
  ['3.1.4', '3.0'],
  ['3.4.1', '3.2'],
  ['1.0.1e', '1.0.1'],
  ['1.0.1t', '1.0.1s'],
  ['1.0.2k', '1.0.2g'],
  ['0.9.8', '1.0.1'],
  ['3.5.9', '3.5'],
  ['4.0', '3.6'],
])('release %s is judged by %s', (release, judgedBy) => {
  expect(cipherRelease(release)).toBe(judgedBy);
});

test.each<[token: string, releases: string[]]>([
  ['PSD', []],
  ['AES', [...cipherReleases()]],
  ['CBC', ['3.0', '3.2', '3.5', '3.6']],
  ['AES+FOO', []],
  ['KRB5', ['1.0.1', '1.0.2']],
  ['TLS_RSA_WITH_AES_128_CBC_SHA', ['3.2', '3.5', '3.6']],
])('%s is known to releases %j', (token, releases) => {
  expect(knownSomewhere(token)).toEqual(releases);
});

describe('what a suite is made of', () => {
  // Registry of IANA, RFC 5289, 8442, 6655, 7905; ciphers(1).
  test.each([
    [
      'ECDHE-RSA-AES256-GCM-SHA384',
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      0xc030,
      'TLSv1.2',
      'ECDH',
      'RSA',
      'AESGCM',
      256,
      'AEAD',
      256,
    ],
    ['AES128-SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA', 0x002f, 'SSLv3', 'RSA', 'RSA', 'AES', 128, 'SHA1', 128],
    [
      'ECDHE-ECDSA-AES128-CCM8',
      'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8',
      0xc0ae,
      'TLSv1.2',
      'ECDH',
      'ECDSA',
      'AESCCM8',
      128,
      'AEAD',
      64,
    ],
    ['NULL-MD5', 'TLS_RSA_WITH_NULL_MD5', 0x0001, 'SSLv3', 'RSA', 'RSA', 'None', 0, 'MD5', 0],
    [
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_CHACHA20_POLY1305_SHA256',
      0x1303,
      'TLSv1.3',
      'any',
      'any',
      'CHACHA20/POLY1305',
      256,
      'AEAD',
      256,
    ],
  ])('%s', (name, iana, id, protocol, keyExchange, authentication, encryption, bits, mac, strength) => {
    expect(suitesOf('3.5').find((suite) => suite.name === name)).toMatchObject({
      iana,
      id,
      protocol,
      keyExchange,
      authentication,
      encryption,
      bits,
      mac,
      strength,
    });
  });
});

describe('a megabyte is read to its end', () => {
  const outcomes: Readonly<Record<string, 'known' | 'passed over' | 'refused' | 'nothing left'>> = {
    'ALL:-ALL:': 'nothing left',
    '+DH:': 'known',
    'A:': 'passed over',
    '@STRENGTH:ALL:': 'known',
    'FOO+': 'passed over',
    'AES+': 'refused',
    '!%:': 'refused',
    ':': 'known',
    x: 'passed over',
  };
  test.each(longCipherStrings(1_000_000))('%s', (unit, text) => {
    const { ignored, error } = readCipherString(text, '3.0');
    const refused = error?.startsWith('invalid command') === true ? 'refused' : 'nothing left';
    const read = ignored.length > 0 ? 'passed over' : 'known';
    expect(error === null ? read : refused).toBe(outcomes[unit]);
  });
});

test('any text is answered, and nothing is invented', () => {
  const item = fc.oneof(
    fc.constantFrom('ALL', 'HIGH', 'AES', '!aNULL', '-kRSA', '+SHA1', '@STRENGTH', ':'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(item), fc.constantFrom(...cipherReleases()), (items, release) => {
      const text = items.join(':');
      const { suites, ignored, error } = readCipherString(text, release);
      expect(new Set(suites).size).toBe(suites.length);
      const all = new Set(suitesOf(release));
      expect(suites.filter((suite) => !all.has(suite))).toEqual([]);
      expect(error === null).toBe(suites.length > 0);
      for (const token of ignored) expect(text.startsWith(token.text, token.at)).toBe(true);
    }),
  );
});
