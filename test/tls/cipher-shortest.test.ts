import fs from 'node:fs';
import path from 'node:path';
import { shortestEquivalent } from '../../src/tls/cipher-shortest.ts';
import { readCipherString } from '../../src/tls/cipher-string.ts';
import { suitesOf } from '../../src/tls/suites.ts';

const RECORDED = path.join(import.meta.dirname, '..', 'recorded', 'ciphers');

/** Strings of the recorded answers that OpenSSL takes. */
function accepted(release: string): string[] {
  const recorded: Record<string, string> = JSON.parse(
    fs.readFileSync(path.join(RECORDED, `${release}.json`), 'utf8'),
  );
  return Object.keys(recorded).filter((text) => !recorded[text]?.startsWith('refused'));
}

/** The search takes its time: each release is asked about every so many of them. */
const EVERY = 25;

describe.each(
  fs
    .readdirSync(RECORDED)
    .map((file) => file.replace(/\.json$/, ''))
    .map((release, index) => [release, index] as const),
)('for OpenSSL %s', (release, offset) => {
  test('what is found says the same, and is never longer', () => {
    const texts = accepted(release).filter((_, index) => index % EVERY === offset);
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) {
      const { suites } = readCipherString(text, release);
      const found = shortestEquivalent(suites, release, text) ?? '';
      expect([text, readCipherString(found, release).suites]).toEqual([text, suites]);
      expect([text, found, found.length <= text.length]).toEqual([text, found, true]);
    }
  });
});

test.each<[given: string, release: string, longest: string]>([
  // What does nothing goes: the release has neither of them.
  ['HIGH:!aNULL:!RC4:!EXPORT:!PSD', '3.0', 'HIGH:!aNULL'],
  ['ALL:!COMPLEMENTOFDEFAULT:!eNULL', '3.0', 'DEFAULT'],
  ['AES128-SHA:AES256-SHA:!AES128-SHA', '3.0', 'AES256-SHA'],
  [
    'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    '3.5',
    'ECDHE+AESGCM',
  ],
  ['kRSA+AES:kRSA+CAMELLIA:-kRSA:ALL:!kRSA', '3.0', 'ALL:!kRSA'],
  ['ALL:+AES128:@STRENGTH:+AES:!PSK', '3.0', 'ALL:+AES128:@STRENGTH:+AES:!PSK'],
  ['SUITEB192:HIGH', '3.0', 'SUITEB192'],
])('%s for %s is no longer than %s', (given, release, longest) => {
  const { suites } = readCipherString(given, release);
  expect(readCipherString(longest, release).suites).toEqual(suites);
  expect((shortestEquivalent(suites, release, given) ?? '').length).toBeLessThanOrEqual(longest.length);
});

test('a list is enough to go by', () => {
  const suites = readCipherString('ECDHE+AESGCM:DHE+AESGCM:!aNULL', '3.0').suites;
  const found = shortestEquivalent(suites, '3.0') ?? '';
  expect(found.length).toBeLessThanOrEqual('ECDHE+AESGCM:DHE+AESGCM'.length);
  expect(readCipherString(found, '3.0').suites).toEqual(suites);
});

test('an odd order is named suite by suite', () => {
  const suites = suitesOf('3.0')
    .filter(({ protocol }) => protocol !== 'TLSv1.3')
    .toReversed();
  const found = shortestEquivalent(suites, '3.0') ?? '';
  expect(readCipherString(found, '3.0').suites).toEqual(suites);
});

test('nothing is equivalent to nothing', () => {
  expect(shortestEquivalent([], '3.0', 'FOO')).toBeNull();
});
