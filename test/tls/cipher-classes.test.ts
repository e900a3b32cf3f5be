import schema from '../../profiles/profile.schema.json' with { type: 'json' };
import {
  CIPHER_CLASSES,
  type CipherClass,
  classesOf,
  exclusionsOf,
  hasForwardSecrecy,
  isAead,
  mayBeLost,
} from '../../src/tls/cipher-classes.ts';
import { readCipherString } from '../../src/tls/cipher-string.ts';
import { cipherReleases, suitesOf } from '../../src/tls/suites.ts';

function suite(name: string, release: string) {
  const found = suitesOf(release).find((one) => one.name === name);
  if (found === undefined) throw new Error(`${release} has no ${name}`);
  return found;
}

// By the registry of IANA: what each suite is made of.
test.each<[name: string, release: string, classes: CipherClass[], forwardSecrecy: boolean, aead: boolean]>([
  ['ECDHE-RSA-AES256-GCM-SHA384', '3.5', [], true, true],
  ['TLS_AES_128_GCM_SHA256', '3.5', [], true, true],
  ['TLS_SHA256_SHA256', '3.5', ['eNULL', 'no-AEAD'], true, false],
  ['DHE-RSA-AES128-SHA', '3.0', ['CBC', 'no-AEAD'], true, false],
  ['AES256-GCM-SHA384', '3.0', ['kRSA', 'no-forward-secrecy'], false, true],
  ['AES128-SHA', '3.0', ['kRSA', 'CBC', 'no-forward-secrecy', 'no-AEAD'], false, false],
  ['AECDH-AES128-SHA', '3.0', ['aNULL', 'CBC', 'no-AEAD'], true, false],
  ['NULL-MD5', '3.0', ['eNULL', 'MD5', 'kRSA', 'no-forward-secrecy', 'no-AEAD'], false, false],
  ['DHE-DSS-CAMELLIA128-SHA', '3.0', ['DSS', 'CBC', 'CAMELLIA', 'no-AEAD'], true, false],
  ['DHE-RSA-SEED-SHA', '1.1.1', ['SEED', 'CBC', 'no-AEAD'], true, false],
  ['ECDHE-ARIA128-GCM-SHA256', '1.1.1', ['ARIA'], true, true],
  ['ECDHE-ECDSA-AES128-CCM8', '3.0', ['CCM', 'CCM8'], true, true],
  ['ECDHE-PSK-CHACHA20-POLY1305', '3.0', ['PSK'], true, true],
  ['RSA-PSK-AES128-GCM-SHA256', '3.0', ['PSK', 'no-forward-secrecy'], false, true],
  ['SRP-AES-128-CBC-SHA', '3.0', ['SRP', 'CBC', 'no-forward-secrecy', 'no-AEAD'], false, false],
])('classes of %s', (name, release, classes, forwardSecrecy, aead) => {
  const one = suite(name, release);
  expect(classesOf(one)).toEqual(classes);
  expect([hasForwardSecrecy(one), isAead(one)]).toEqual([forwardSecrecy, aead]);
});

describe.each(cipherReleases())('exclusions for OpenSSL %s', (release) => {
  const all = readCipherString('ALL:COMPLEMENTOFALL', release).suites;

  test.each(CIPHER_CLASSES.map(({ name }) => [name]))('take %s away and nothing else', (name) => {
    const items = exclusionsOf(name, release);
    const text = ['ALL:COMPLEMENTOFALL', ...items.map((item) => `!${item}`)].join(':');
    const left = readCipherString(text, release);
    expect(left.suites).toEqual(all.filter((one) => !classesOf(one).includes(name)));
    expect(left.ignored).toEqual([]);
  });
});

test.each<[name: CipherClass, release: string, items: string[]]>([
  ['SEED', '1.1.1', ['SEED']],
  ['SEED', '3.0', []],
  ['kRSA', '3.5', ['kRSA']],
  ['CBC', '3.0', ['CBC']],
  ['CBC', '1.1.1', ['AES+SHA1', 'AES+SHA256', 'AES+SHA384', 'CAMELLIA', 'SEED']],
  ['no-AEAD', '3.0', ['SHA1', 'SHA256', 'SHA384', 'MD5']],
])('exclusions of %s for %s', (name, release, items) => {
  expect(exclusionsOf(name, release)).toEqual(items);
});

test('profiles may name every class, and no other', () => {
  expect(schema.definitions.cipherClasses.items.enum).toEqual(CIPHER_CLASSES.map(({ name }) => name));
});

describe('a class that newer releases lost', () => {
  const newest = cipherReleases().at(-1) ?? '';
  const has = (release: string, name: CipherClass): boolean =>
    suitesOf(release).some((one) => classesOf(one).includes(name));

  test.each(cipherReleases().map((release) => [release]))('is known to be lost since %s', (release) => {
    const lost = CIPHER_CLASSES.filter(({ name }) => has(release, name) && !has(newest, name));
    const said = CIPHER_CLASSES.filter(({ name }) => mayBeLost(name, 'ALL', release, newest));
    expect(said.map(({ name }) => name)).toEqual(expect.arrayContaining(lost.map(({ name }) => name)));
    // Releases with weak ciphers in another build may be named as well, none that has lost nothing.
    expect(said.length === 0).toBe(lost.length === 0);
  });

  test('is not found where it is excluded by name', () => {
    expect(mayBeLost('RC4', 'ALL:!RC4:!MD5', '1.0.2', newest)).toBe(false);
    expect(mayBeLost('RC4', 'ALL:!RC4-SHA', '1.0.2', newest)).toBe(true);
    expect(mayBeLost('kECDH', 'ALL:!kECDHr', '1.0.2', newest)).toBe(true);
    expect(mayBeLost('aNULL', 'ALL', '1.0.2', newest)).toBe(false);
  });
});
