import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type Flight, FlightReader } from '../../src/probe/flight.ts';
import { fieldName } from '../../src/probe/groups.ts';
import { clientHello, clientHelloV2, type HelloProtocol } from '../../src/probe/hello.ts';
import { SSLV2_SUITES, SUITES, suiteOf } from '../../src/probe/suites.ts';
import recorded from '../recorded/flights.json' with { type: 'json' };
import { alert, message, number, parseHello, record, serverHello } from '../support/fake-tls-server.ts';

/** What `openssl s_server` of the reference systems answered, each with one suite and one group to choose from. */
interface Recorded {
  readonly openssl: string;
  readonly what: string;
  readonly version?: number;
  readonly suite?: number;
  readonly group?: number;
  readonly curve?: number;
  readonly fieldBits?: number;
  readonly alert?: number;
  /** The SHA-256 fingerprint that `openssl x509` prints. */
  readonly certificate?: string;
  readonly bytes: string;
}

const FLIGHTS: readonly Recorded[] = recorded;

function read(pieces: readonly Buffer[], v2 = false): Flight {
  const reader = new FlightReader(v2);
  for (const piece of pieces) reader.push(piece);
  return reader.flight;
}

function summary({ version, suite, group, alert: refusal, certificates, keyExchange, done }: Flight) {
  const [own] = certificates;
  const hex = own === undefined ? '' : createHash('sha256').update(own).digest('hex').toUpperCase();
  return {
    version,
    suite,
    group,
    alert: refusal,
    certificate: hex.replace(/(..)(?=.)/g, '$1:'),
    curve: keyExchange?.kind === 'curve' ? keyExchange.group : null,
    fieldBits: keyExchange?.kind === 'field' ? keyExchange.prime.length * 8 : null,
    done,
  };
}

test.each(FLIGHTS)('OpenSSL $openssl: $what', (flight) => {
  const { version = null, suite = null, group = null, curve = null, fieldBits = null } = flight;
  const expected = {
    version,
    suite,
    group,
    alert: flight.alert ?? null,
    certificate: flight.certificate ?? '',
    curve,
    fieldBits,
    done: flight.alert === undefined,
  };
  expect(summary(read([Buffer.from(flight.bytes, 'base64')]))).toEqual(expected);
});

test('an answer is the same in whatever pieces it comes', () => {
  const cut = fc.tuple(fc.constantFrom(...FLIGHTS), fc.array(fc.nat(1700), { maxLength: 8 }));
  fc.assert(
    fc.property(cut, ([flight, places]) => {
      const bytes = Buffer.from(flight.bytes, 'base64');
      const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
      const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
      expect(summary(read(pieces))).toEqual(summary(read([bytes])));
    }),
  );
});

test('the beginning of an answer is never taken for the whole', () => {
  fc.assert(
    fc.property(fc.constantFrom(...FLIGHTS), fc.nat(1700), (flight, length) => {
      const bytes = Buffer.from(flight.bytes, 'base64');
      const reader = new FlightReader();
      reader.push(bytes.subarray(0, length % bytes.length));
      expect(reader.finished).toBe(false);
    }),
  );
});

test('no bytes of a server throw', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    // What begins as TLS gets further.
    fc.uint8Array({ maxLength: 120 }).map((body) => record(0x0303, message(2, Buffer.from(body)))),
    fc
      .uint8Array({ maxLength: 120 })
      .map((body) => record(0x0303, serverHello(0x0303, 1), message(11, Buffer.from(body)))),
    fc
      .uint8Array({ maxLength: 120 })
      .map((body) => record(0x0303, serverHello(0x0303, 1), message(12, Buffer.from(body)))),
  );
  fc.assert(
    fc.property(bytes, fc.boolean(), (answer, v2) => {
      const reader = new FlightReader(v2);
      reader.push(Buffer.from(answer));
      expect(typeof reader.finished).toBe('boolean');
    }),
    { numRuns: 2000 },
  );
});

test('a warning does not end an answer, a fatal alert after the hello does', () => {
  const hello = record(0x0303, serverHello(0x0303, 0xc02f));
  expect(read([alert(112, 1), hello])).toMatchObject({ suite: 0xc02f, alert: null, done: false });
  expect(read([hello, alert(80)])).toMatchObject({ suite: 0xc02f, alert: 80, done: false });
});

test('a hello of SSLv2 tells the kinds, an error of it nothing', () => {
  const certificate = Buffer.from('certificate');
  const body = Buffer.concat([
    Buffer.from([4, 0, 1]),
    number(2, 2),
    number(certificate.length, 2),
    number(6, 2),
    number(16, 2),
    certificate,
    number(0x010080, 3),
    number(0x0700c0, 3),
    Buffer.alloc(16),
  ]);
  expect(read([Buffer.concat([number(0x8000 | body.length, 2), body])], true)).toMatchObject({
    version: 2,
    kinds: [0x010080, 0x0700c0],
    certificates: [certificate],
    done: true,
  });
  expect(read([Buffer.from([0x80, 3, 0, 0, 1])], true).garbage).toMatch(/SSLv2/);
});

describe('a client hello', () => {
  const ids = SUITES.map(({ id }) => id);

  test('is a record of the version with all that was asked for, and padding where its length would be a trap', () => {
    const protocols: readonly HelloProtocol[] = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
    fc.assert(
      fc.property(
        fc.constantFrom(...protocols),
        fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 128 }),
        fc.option(fc.constantFrom('mail.example.org', 'x'.repeat(200))),
        (protocol, suites, serverName) => {
          const bytes = clientHello({ protocol, suites, serverName });
          const seen = parseHello(bytes);
          const versions = {
            SSLv3: 0x0300,
            TLSv1: 0x0301,
            'TLSv1.1': 0x0302,
            'TLSv1.2': 0x0303,
            'TLSv1.3': 0x0304,
          };
          expect(seen.version).toBe(versions[protocol]);
          expect(seen.recordVersion).toBe(protocol === 'SSLv3' ? 0x0300 : 0x0301);
          expect(seen.suites).toEqual(protocol === 'TLSv1.3' ? suites : [...suites, 0x00ff]);
          const length = bytes.length - 5;
          expect(protocol !== 'SSLv3' && length >= 256 && length < 512).toBe(false);
          const name = seen.extensions.get(0)?.subarray(5).toString() ?? null;
          expect(name).toBe(protocol === 'SSLv3' ? null : serverName);
          expect(seen.extensions.size === 0).toBe(protocol === 'SSLv3');
          expect(seen.extensions.has(51)).toBe(protocol === 'TLSv1.3');
        },
      ),
    );
  });

  test('of SSLv2 offers every kind', () => {
    const bytes = clientHelloV2();
    expect(bytes.readUInt16BE(0)).toBe(0x8000 + bytes.length - 2);
    expect(bytes.readUInt16BE(5)).toBe(SSLV2_SUITES.length * 3);
    expect(bytes.readUInt16BE(9)).toBe(16);
  });
});

describe('suites', () => {
  // RFC 2246, 4132, 4346 (export), 5288, 5932, 6209, 6655, 7905, 8446, 8998, 9367, and OpenSSL's own.
  test.each([
    [0x0003, 'EXP-RC4-MD5', 'TLS_RSA_EXPORT_WITH_RC4_40_MD5', 'EXPORT'],
    [0x0005, 'RC4-SHA', 'TLS_RSA_WITH_RC4_128_SHA', 'RSA'],
    [0x0018, 'ADH-RC4-MD5', 'TLS_DH_anon_WITH_RC4_128_MD5', 'ANON'],
    [0x001e, 'KRB5-DES-CBC-SHA', 'TLS_KRB5_WITH_DES_CBC_SHA', 'OTHER'],
    [0x0032, 'DHE-DSS-AES128-SHA', 'TLS_DHE_DSS_WITH_AES_128_CBC_SHA', 'DSS'],
    [0x0037, 'DH-RSA-AES256-SHA', 'TLS_DH_RSA_WITH_AES_256_CBC_SHA', 'DH'],
    [0x0067, 'DHE-RSA-AES128-SHA256', 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA256', 'DHE'],
    [0x0081, 'GOST2001-GOST89-GOST89', 'TLS_GOSTR341001_WITH_28147_CNT_IMIT', 'OTHER'],
    [0x008c, 'PSK-AES128-CBC-SHA', 'TLS_PSK_WITH_AES_128_CBC_SHA', 'PSK'],
    [0x00c6, 'TLS_SM4_GCM_SM3', 'TLS_SM4_GCM_SM3', 'TLS13'],
    [0x1301, 'TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256', 'TLS13'],
    [0xc004, 'ECDH-ECDSA-AES128-SHA', 'TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA', 'ECDH'],
    [0xc018, 'AECDH-AES128-SHA', 'TLS_ECDH_anon_WITH_AES_128_CBC_SHA', 'ANON'],
    [0xc01d, 'SRP-AES-128-CBC-SHA', 'TLS_SRP_SHA_WITH_AES_128_CBC_SHA', 'SRP'],
    [0xc02c, 'ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA'],
    [0xc060, 'ECDHE-ARIA128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256', 'ECDHE-RSA'],
    [
      0xc103,
      'TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L',
      'TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L',
      'TLS13',
    ],
    [0xcca8, 'ECDHE-RSA-CHACHA20-POLY1305', 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA'],
    [0xff85, 'GOST2012256-GOST89-GOST89', 'GOST2012256-GOST89-GOST89', 'OTHER'],
    [0x4a4a, '0x4A4A', '0x4A4A', 'OTHER'],
  ])('%i is %s', (id, name, iana, family) => {
    expect(suiteOf(id)).toEqual({ id, name, iana, family });
  });

  test('have one number each and no stand-in among them', () => {
    expect(new Set(SUITES.map(({ id }) => id)).size).toBe(SUITES.length);
    expect(SUITES.filter(({ id }) => [0x0000, 0x00ff, 0x5600].includes(id))).toEqual([]);
    expect(SUITES.length).toBeGreaterThan(370);
  });
});

test('fields of a standard go by their names', () => {
  const start = (hex: string): Buffer => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(240, 1)]);
  // The first digits of the groups of RFC 7919 and RFC 3526.
  expect(fieldName(start('FFFFFFFFFFFFFFFFADF85458A2BB4A9A'))).toBe('ffdhe2048');
  expect(fieldName(start('FFFFFFFFFFFFFFFFC90FDAA22168C234'))).toBe('modp2048');
  expect(fieldName(start('FFFFFFFFFFFFFFFF0123456789ABCDEF'))).toBeNull();
});
