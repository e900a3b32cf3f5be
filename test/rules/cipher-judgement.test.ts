import {
  type CipherPlace,
  forbiddenClasses,
  objectionsAt,
  objectionsTo,
} from '../../src/rules/cipher-judgement.ts';
import { builtinProfile } from '../../src/rules/rule-set.ts';
import { suitesOf } from '../../src/tls/suites.ts';

const MX: CipherPlace = { side: 'server', tlsRequired: false };
const SUBMISSION: CipherPlace = { side: 'server', tlsRequired: true };
const OUTBOUND: CipherPlace = { side: 'client', tlsRequired: false };
const POLICY: CipherPlace = { side: 'client', tlsRequired: true };

function suite(name: string) {
  const found = suitesOf('1.1.1').find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

// Design, section 6: what each profile never takes, and where.
test.each<[profile: string, name: string, refused: (keyof typeof PLACES)[]]>([
  ['legacy-compatible', 'NULL-SHA', ['MX', 'SUBMISSION', 'OUTBOUND', 'POLICY']],
  ['legacy-compatible', 'SEED-SHA', []],
  ['legacy-compatible', 'ADH-AES128-SHA', []],
  ['legacy-compatible', 'AES128-SHA', []],
  ['modern', 'SEED-SHA', ['MX', 'SUBMISSION', 'OUTBOUND', 'POLICY']],
  ['modern', 'PSK-AES128-GCM-SHA256', ['MX', 'SUBMISSION', 'OUTBOUND', 'POLICY']],
  ['modern', 'ADH-AES128-SHA', ['SUBMISSION', 'POLICY']],
  ['modern', 'AES128-SHA', []],
  ['modern', 'ECDHE-RSA-AES128-SHA', []],
  ['strict', 'ADH-AES128-GCM-SHA256', ['MX', 'SUBMISSION', 'POLICY']],
  ['strict', 'AES128-SHA', ['SUBMISSION', 'POLICY']],
  ['strict', 'AES128-GCM-SHA256', ['SUBMISSION', 'POLICY']],
  ['strict', 'ECDHE-RSA-AES128-SHA', ['SUBMISSION', 'POLICY']],
  ['strict', 'ECDHE-RSA-AES128-GCM-SHA256', []],
  ['strict', 'TLS_AES_256_GCM_SHA384', []],
])('%s: %s', (profile, name, refused) => {
  const { thresholds } = builtinProfile(profile);
  const places = Object.entries(PLACES).filter(
    ([, place]) => objectionsAt(suite(name), thresholds, place).length > 0,
  );
  expect(places.map(([place]) => place)).toEqual(refused);
});

const PLACES = { MX, SUBMISSION, OUTBOUND, POLICY };

test('objections name the class, the place and the threshold', () => {
  expect(objectionsTo(suite('ADH-AES128-SHA'), builtinProfile('strict').thresholds)).toEqual([
    { class: 'aNULL', where: 'tlsRequired', threshold: 'forbiddenCiphers' },
    { class: 'aNULL', where: 'server', threshold: 'forbiddenCiphers' },
    { class: 'no-AEAD', where: 'tlsRequired', threshold: 'authenticatedEncryption' },
  ]);
});

test('classes forbidden at a place', () => {
  const { thresholds } = builtinProfile('strict');
  const anywhere = ['eNULL', 'EXPORT', 'DES', 'RC2', 'RC4', 'MD5', '3DES', 'SEED', 'IDEA', 'PSK', 'SRP'];
  expect(forbiddenClasses(thresholds, OUTBOUND)).toEqual(anywhere);
  expect(forbiddenClasses(thresholds, MX)).toEqual([...anywhere, 'aNULL']);
  expect(forbiddenClasses(thresholds, POLICY)).toEqual([
    ...anywhere,
    'aNULL',
    'no-forward-secrecy',
    'no-AEAD',
  ]);
});
