import fc from 'fast-check';
import { PROTOCOLS, type Protocol } from '../../src/model/protocol.ts';
import { readCipherString } from '../../src/tls/cipher-string.ts';
import {
  type Group,
  groupOf,
  groupsOfItem,
  LIBRARY_GROUPS,
  NO_GROUPS,
  strengthOf,
} from '../../src/tls/groups.ts';
import {
  acceptedSuites,
  type CertifiedKey,
  offeredProtocols,
  offeredSuites,
  type ServerNegotiation,
} from '../../src/tls/negotiation.ts';
import { libraryProtocols } from '../../src/tls/openssl.ts';
import { systemDefaults } from '../../src/tls/openssl-conf.ts';
import { cipherReleases } from '../../src/tls/suites.ts';

const RSA: CertifiedKey = { type: 'RSA', bits: 2048, curve: null };
const P256: CertifiedKey = { type: 'ECDSA', bits: 256, curve: 'prime256v1' };
const P384: CertifiedKey = { type: 'ECDSA', bits: 384, curve: 'secp384r1' };

function server(list: string, openssl: string, more: Partial<ServerNegotiation> = {}): ServerNegotiation {
  const { tls13, suites } = readCipherString(list, openssl);
  return {
    openssl,
    tls13,
    suites,
    protocols: libraryProtocols(openssl),
    securityLevel: 0,
    keys: [RSA],
    dh: 'fitting',
    groups: LIBRARY_GROUPS,
    ...more,
  };
}

/** Names by protocol: `TLSv1.2: AES128-SHA AES256-SHA`. */
function told(accepted: ReturnType<typeof acceptedSuites>): string[] {
  return PROTOCOLS.flatMap((wanted) => {
    const names = accepted.filter(({ protocol }) => protocol === wanted).map(({ name }) => name);
    return names.length === 0 ? [] : [`${wanted}: ${names.join(' ')}`];
  });
}

const TLS13 = 'TLSv1.3: TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_GCM_SHA256';
const MIXED =
  'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:DHE-RSA-AES128-SHA:DHE-DSS-AES128-SHA:AES128-SHA:AECDH-AES128-SHA';

/**
 * As smtpd of 3.5.25 (OpenSSL 1.1.1w), 3.7.11 (3.0), 3.10.13 (3.5) and 3.11.7 (3.6) answers client hellos
 * with one suite each; releases 1.0.x as their s3_lib.c says.
 */
describe('a server takes', () => {
  test.each<[string, string, string, Partial<ServerNegotiation>, string[]]>([
    [
      'what fits an RSA key',
      MIXED,
      '3.0',
      {},
      [
        'TLSv1: DHE-RSA-AES128-SHA AES128-SHA AECDH-AES128-SHA',
        'TLSv1.1: DHE-RSA-AES128-SHA AES128-SHA AECDH-AES128-SHA',
        'TLSv1.2: ECDHE-RSA-AES128-GCM-SHA256 DHE-RSA-AES128-SHA AES128-SHA AECDH-AES128-SHA',
        TLS13,
      ],
    ],
    [
      'what fits an ECDSA key',
      MIXED,
      '3.0',
      { keys: [P256] },
      [
        'TLSv1: ECDHE-ECDSA-AES128-SHA AECDH-AES128-SHA',
        'TLSv1.1: ECDHE-ECDSA-AES128-SHA AECDH-AES128-SHA',
        'TLSv1.2: ECDHE-ECDSA-AES128-SHA AECDH-AES128-SHA',
        TLS13,
      ],
    ],
    [
      'the same for Ed25519, from TLSv1.2 on',
      MIXED,
      '3.0',
      { keys: [{ type: 'Ed25519', bits: 256, curve: null }] },
      [
        'TLSv1: AECDH-AES128-SHA',
        'TLSv1.1: AECDH-AES128-SHA',
        'TLSv1.2: ECDHE-ECDSA-AES128-SHA AECDH-AES128-SHA',
        TLS13,
      ],
    ],
    [
      'an RSA-PSS key for signatures only, from TLSv1.2 on',
      MIXED,
      '3.0',
      { keys: [{ type: 'RSA-PSS', bits: 2048, curve: null }] },
      [
        'TLSv1: AECDH-AES128-SHA',
        'TLSv1.1: AECDH-AES128-SHA',
        'TLSv1.2: ECDHE-RSA-AES128-GCM-SHA256 DHE-RSA-AES128-SHA AECDH-AES128-SHA',
        TLS13,
      ],
    ],
    [
      'a DSA key, but not in TLSv1.3',
      MIXED,
      '1.1.1',
      { keys: [{ type: 'DSA', bits: 2048, curve: null }], protocols: ['TLSv1.2', 'TLSv1.3'] },
      ['TLSv1.2: DHE-DSS-AES128-SHA AECDH-AES128-SHA'],
    ],
    [
      'without a key, anonymous suites',
      MIXED,
      '3.5',
      { keys: [], protocols: ['TLSv1.2', 'TLSv1.3'] },
      ['TLSv1.2: AECDH-AES128-SHA'],
    ],
    [
      'for unknown keys, what RSA and ECDSA take',
      MIXED,
      '3.5',
      { keys: null, protocols: ['TLSv1.2'] },
      [
        'TLSv1.2: ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES128-SHA DHE-RSA-AES128-SHA AES128-SHA AECDH-AES128-SHA',
      ],
    ],
    [
      'no DHE with a group of 512 bits',
      'DHE-RSA-AES128-SHA:AES128-SHA',
      '3.0',
      { dh: 512, protocols: ['TLSv1.2'] },
      ['TLSv1.2: AES128-SHA'],
    ],
    [
      'DHE with one of 1024 bits',
      'DHE-RSA-AES128-SHA:AES128-SHA',
      '3.0',
      { dh: 1024, protocols: ['TLSv1.2'] },
      ['TLSv1.2: DHE-RSA-AES128-SHA AES128-SHA'],
    ],
    [
      'but not at level 2',
      'DHE-RSA-AES128-SHA:AES128-SHA',
      '3.0',
      { dh: 1024, protocols: ['TLSv1.2'], securityLevel: 2 },
      ['TLSv1.2: AES128-SHA'],
    ],
    [
      'no ECDHE with fields alone',
      MIXED,
      '3.5',
      { groups: { ecdhe: 0, tls13: 112 }, protocols: ['TLSv1.2', 'TLSv1.3'] },
      ['TLSv1.2: DHE-RSA-AES128-SHA AES128-SHA', TLS13],
    ],
    [
      'no TLSv1.3 with old curves alone',
      'AES128-SHA',
      '3.5',
      { groups: { ecdhe: 128, tls13: 0 }, protocols: ['TLSv1.2', 'TLSv1.3'] },
      ['TLSv1.2: AES128-SHA'],
    ],
    [
      'at level 1 nothing anonymous, and in 1.1.1 still TLSv1',
      'AES128-SHA:AECDH-AES128-SHA:NULL-MD5',
      '1.1.1',
      { securityLevel: 1, protocols: ['TLSv1', 'TLSv1.2'] },
      ['TLSv1: AES128-SHA', 'TLSv1.2: AES128-SHA'],
    ],
    [
      'in 3.0 no longer, for want of signatures',
      'AES128-SHA',
      '3.0',
      { securityLevel: 1, protocols: ['TLSv1', 'TLSv1.2'] },
      ['TLSv1.2: AES128-SHA'],
    ],
    [
      'at level 2 no SHA-1 of ECDSA in 1.1.1',
      'ECDHE-ECDSA-AES128-SHA',
      '1.1.1',
      { securityLevel: 2, keys: [P256], protocols: ['TLSv1.1', 'TLSv1.2'] },
      ['TLSv1.2: ECDHE-ECDSA-AES128-SHA'],
    ],
    [
      'at level 2 no RSA key of 1024 bits',
      'ECDHE-RSA-AES128-GCM-SHA256',
      '3.5',
      { securityLevel: 2, keys: [{ ...RSA, bits: 1024 }] },
      [],
    ],
    ['at level 4 no P-256', 'ECDHE-ECDSA-AES256-GCM-SHA384', '3.5', { securityLevel: 4, keys: [P256] }, []],
    [
      'at level 4 strong suites with P-384',
      'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-GCM-SHA256',
      '3.5',
      { securityLevel: 4, keys: [P384] },
      [
        'TLSv1.2: ECDHE-ECDSA-AES256-GCM-SHA384',
        'TLSv1.3: TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256',
      ],
    ],
    [
      'brainpool in TLSv1.3 since 3.2',
      'AES128-SHA',
      '3.5',
      { keys: [{ type: 'ECDSA', bits: 256, curve: 'brainpoolP256r1' }], protocols: ['TLSv1.3'] },
      [TLS13],
    ],
    [
      'and not before',
      'AES128-SHA',
      '3.0',
      { keys: [{ type: 'ECDSA', bits: 256, curve: 'brainpoolP256r1' }], protocols: ['TLSv1.3'] },
      [],
    ],
    [
      'no TLSv1.3 with an RSA key too small for PSS',
      'AES128-SHA',
      '3.0',
      { keys: [{ ...RSA, bits: 512 }], protocols: ['TLSv1.2', 'TLSv1.3'] },
      ['TLSv1.2: AES128-SHA'],
    ],
    [
      'shared keys and passwords never',
      'PSK-AES128-CBC-SHA:SRP-RSA-AES-128-CBC-SHA:RSA-PSK-AES128-CBC-SHA:AES128-SHA',
      '1.1.1',
      { protocols: ['TLSv1.2'] },
      ['TLSv1.2: AES128-SHA'],
    ],
    [
      'in TLSv1.1 no suite of TLSv1.2',
      'AES128-SHA256:AES128-SHA',
      '3.6',
      { protocols: ['TLSv1.1'] },
      ['TLSv1.1: AES128-SHA'],
    ],
    [
      'no ECDHE in 1.0.1 without a curve',
      'ECDHE-RSA-AES128-SHA:AES128-SHA',
      '1.0.1',
      { groups: NO_GROUPS, protocols: ['TLSv1'] },
      ['TLSv1: AES128-SHA'],
    ],
  ])('%s', (_, list, openssl, more, expected) => {
    expect(told(acceptedSuites(server(list, openssl, more)))).toEqual(expected);
  });
});

/** As the client hellos of smtp of the same releases show. */
describe('a client offers', () => {
  test.each<[string, string, string, Partial<ServerNegotiation>, string[], Protocol[]]>([
    [
      'suites for keys of every kind',
      'ECDHE-ECDSA-AES128-SHA:AES128-SHA:PSK-AES128-CBC-SHA',
      '3.0',
      { protocols: ['TLSv1.2'] },
      ['TLSv1.2: ECDHE-ECDSA-AES128-SHA AES128-SHA'],
      ['TLSv1.2'],
    ],
    [
      'protocols too that have no suite',
      'AES128-SHA256',
      '3.0',
      { protocols: ['TLSv1.1', 'TLSv1.2'] },
      ['TLSv1.2: AES128-SHA256'],
      ['TLSv1.1', 'TLSv1.2'],
    ],
    ['nothing when the newest has none', 'AES128-SHA256', '3.0', { protocols: ['TLSv1', 'TLSv1.1'] }, [], []],
    [
      'old protocols at level 1 in 3.0',
      'AES128-SHA',
      '3.0',
      { protocols: ['TLSv1.1', 'TLSv1.2'], securityLevel: 1 },
      ['TLSv1.1: AES128-SHA', 'TLSv1.2: AES128-SHA'],
      ['TLSv1.1', 'TLSv1.2'],
    ],
    [
      'not in 3.5',
      'AES128-SHA',
      '3.5',
      { protocols: ['TLSv1.1', 'TLSv1.2'], securityLevel: 1 },
      ['TLSv1.2: AES128-SHA'],
      ['TLSv1.2'],
    ],
  ])('%s', (_, list, openssl, more, expected, protocols) => {
    const client = server(list, openssl, more);
    expect(told(offeredSuites(client))).toEqual(expected);
    expect(offeredProtocols(client)).toEqual(protocols);
  });
});

describe('groups', () => {
  // SSL_CONF_cmd("-groups") of the four releases, and what handshakes then agree on.
  test.each<[string, string, 'objects' | 'library', Partial<Group> | null]>([
    ['P-256', '1.1.1', 'objects', { name: 'prime256v1', ecdhe: true, tls13: true }],
    ['p-256', '3.0', 'objects', null],
    ['p-256', '3.0', 'library', null],
    ['p-256', '3.5', 'library', { name: 'prime256v1' }],
    ['p-256', '3.5', 'objects', null],
    ['PRIME256V1', '3.0', 'library', null],
    ['PRIME256V1', '3.6', 'library', { name: 'prime256v1' }],
    ['secp256r1', '1.1.1', 'library', null],
    ['secp256r1', '3.0', 'library', { name: 'prime256v1' }],
    ['secp256r1', '3.0', 'objects', null],
    ['SECP256R1', '3.0', 'library', null],
    ['SECP256R1', '3.5', 'library', { name: 'prime256v1' }],
    ['x25519', '1.1.1', 'library', null],
    ['x25519', '3.0', 'library', { name: 'X25519', bits: 128 }],
    ['x448', '3.0', 'library', { name: 'X448', bits: 224 }],
    ['FFDHE2048', '3.0', 'library', null],
    ['x25519', '3.5', 'library', { name: 'X25519', bits: 128 }],
    ['brainpoolP256r1', '1.1.1', 'library', { ecdhe: true, tls13: true }],
    ['brainpoolP256r1', '3.0', 'library', { ecdhe: true, tls13: false }],
    ['brainpoolP256r1tls13', '3.0', 'library', null],
    ['brainpoolP256r1tls13', '3.5', 'library', { ecdhe: false, tls13: true }],
    ['ffdhe2048', '1.1.1', 'library', null],
    ['ffdhe2048', '3.0', 'library', { ecdhe: false, tls13: true, bits: 112 }],
    ['X25519MLKEM768', '3.0', 'library', null],
    ['X25519MLKEM768', '3.5', 'library', { ecdhe: false, tls13: true }],
    ['-', '3.5', 'library', null],
    ['nonsense', '3.6', 'library', null],
  ])('%s in %s (%s)', (name, openssl, names, expected) => {
    const found = groupOf(name, openssl, names);
    const asked = Object.keys(expected ?? {}) as (keyof Group)[];
    const known = found && expected && Object.fromEntries(asked.map((key) => [key, found[key]]));
    expect(found === null ? null : (known ?? found)).toEqual(expected);
  });

  test.each([
    ['?nonsense', '3.5', []],
    ['?X25519', '3.5', ['X25519']],
    ['?X25519', '3.0', []],
    ['X25519/P-256', '3.5', ['X25519', 'prime256v1']],
    ['X25519/nonsense', '3.5', []],
    ['*X25519', '3.5', ['X25519']],
    ['-X25519', '3.5', []],
  ])('the item %s in %s', (item, openssl, expected) => {
    expect(groupsOfItem(item, openssl).map(({ name }) => name)).toEqual(expected);
  });

  it('knows what DEFAULT holds', () => {
    expect(strengthOf(groupsOfItem('DEFAULT', '3.5'))).toEqual(LIBRARY_GROUPS);
  });
});

describe('whatever the settings', () => {
  const arbitrary = fc.record({
    list: fc.constantFrom('ALL:COMPLEMENTOFALL', 'DEFAULT', 'HIGH:aNULL', 'kRSA', 'PSK:SRP:SHA256'),
    openssl: fc.constantFrom(...cipherReleases()),
    securityLevel: fc.integer({ min: 0, max: 5 }),
    keys: fc.constantFrom<readonly CertifiedKey[] | null>(null, [], [RSA], [P256], [RSA, P384]),
    dh: fc.constantFrom<ServerNegotiation['dh']>(null, 'fitting', 512, 1024, 4096),
  });

  it('takes no suite that is not in the list, in the order of the list', () => {
    fc.assert(
      fc.property(arbitrary, ({ list, openssl, ...more }) => {
        const negotiation = server(list, openssl, more);
        const known = [...negotiation.tls13, ...negotiation.suites].map(({ name }) => name);
        const accepted = acceptedSuites(negotiation);
        for (const protocol of PROTOCOLS) {
          const places = accepted
            .filter((one) => one.protocol === protocol)
            .map(({ name }) => known.indexOf(name));
          expect(places).toEqual(places.toSorted((a, b) => a - b));
          expect(places).not.toContain(-1);
        }
      }),
    );
  });

  it('takes no more at a higher level, and with keys that are known no more than without', () => {
    fc.assert(
      fc.property(arbitrary, ({ list, openssl, securityLevel, ...more }) => {
        const at = (level: number, keys = more.keys): string[] =>
          acceptedSuites(server(list, openssl, { ...more, keys, securityLevel: level })).map(
            ({ protocol, name }) => `${protocol} ${name}`,
          );
        const here = at(securityLevel);
        expect(at(0)).toEqual(expect.arrayContaining(here));
        expect(at(securityLevel, null)).toEqual(expect.arrayContaining(here));
      }),
    );
  });
});

// config(5): what `openssl s_server` of the releases takes from such a file.
describe('an openssl.cnf', () => {
  const head = 'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n';
  test.each<[string, string | null, Readonly<Record<string, string>>, boolean]>([
    [`${head}[c]\nCiphersuites = X\n`, null, { ciphersuites: 'X' }, true],
    [`${head}[ c ]\n Options = A, B # no more\n`, null, { options: 'A, B' }, true],
    [`${head}[c]\nCiphersuites = "X # Y"\n`, null, { ciphersuites: 'X # Y' }, true],
    [`${head}[c]\nGroups = \\\nX\n`, null, { groups: 'X' }, true],
    [`${head}[c]\nGroups = X\nGroups = Y\n`, null, { groups: 'Y' }, true],
    [`${head}[c]\n1.Options = A\n`, null, { options: 'A' }, true],
    [`${head}c::Groups = X\n`, null, { groups: 'X' }, true],
    [`${head}[c]\nGroups = $other\n`, null, { groups: '$other' }, false],
    [`.include other.cnf\n${head}[c]\nGroups = X\n`, null, { groups: 'X' }, false],
    [`mail = a\n${head}[c]\nGroups = X\n`, 'mail', { groups: 'X' }, true],
    [`${head}[c]\nGroups = X\n`, 'mail', {}, true],
    ['', null, {}, true],
    ['nonsense\n[unclosed\n= x\n', null, {}, true],
  ])('%j for %s', (text, application, commands, complete) => {
    expect(systemDefaults(text, application)).toEqual({
      commands: new Map(Object.entries(commands)),
      complete,
    });
  });
});
