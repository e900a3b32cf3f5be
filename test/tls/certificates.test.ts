import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import fc from 'fast-check';
import type { Certificate } from '../../src/tls/certificate.ts';
import { chainOrder, isPair, matchesHost } from '../../src/tls/chain.ts';
import type { PrivateKey } from '../../src/tls/key.ts';
import { type PemContents, readPem } from '../../src/tls/pem.ts';
import { type CertificateOptions, ecKeys, makeCertificate, pemBlock } from '../support/x509.ts';

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

const certificateIn = (pem: string): Certificate => {
  const [certificate] = readPem(pem).certificates;
  if (certificate === undefined) throw new Error('no certificate');
  return certificate;
};
const keyIn = (pem: string): PrivateKey => {
  const [key] = readPem(pem).keys;
  if (key === undefined) throw new Error('no key');
  return key;
};

/** Each kind of key that Node makes, with what pfharden must say of it. */
const KINDS: readonly (readonly [
  what: string,
  make: () => Keys,
  type: string | null,
  bits: number | null,
  curve: string | null,
])[] = [
  ['RSA 1024', () => generateKeyPairSync('rsa', { modulusLength: 1024 }), 'RSA', 1024, null],
  ['RSA 1025', () => generateKeyPairSync('rsa', { modulusLength: 1025 }), 'RSA', 1025, null],
  ['RSA 2048', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RSA', 2048, null],
  [
    'RSA e=3',
    () => generateKeyPairSync('rsa', { modulusLength: 1024, publicExponent: 3 }),
    'RSA',
    1024,
    null,
  ],
  ['RSA-PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 1024 }), 'RSA-PSS', 1024, null],
  ['DSA', () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }), 'DSA', 1024, null],
  ['Ed25519', () => generateKeyPairSync('ed25519'), 'Ed25519', 256, null],
  ['Ed448', () => generateKeyPairSync('ed448'), 'Ed448', 456, null],
  ['X25519', () => generateKeyPairSync('x25519'), null, null, null],
  ...(
    [
      ['prime192v1', 192],
      ['prime256v1', 256],
      ['secp224r1', 224],
      ['secp384r1', 384],
      ['secp521r1', 521],
      ['secp256k1', 256],
      ['brainpoolP256r1', 256],
      ['brainpoolP384r1', 384],
      ['brainpoolP512r1', 512],
      ['secp160r1', 161],
    ] as const
  ).map(
    ([curve, bits]) =>
      [curve, () => generateKeyPairSync('ec', { namedCurve: curve }), 'ECDSA', bits, curve] as const,
  ),
];

describe('private keys', () => {
  it.each(KINDS)('%s', (_what, make, type, bits, curve) => {
    const { privateKey } = make();
    const traditional = { RSA: 'pkcs1', ECDSA: 'sec1' }[type ?? ''] as 'pkcs1' | undefined;
    for (const form of ['pkcs8', ...(traditional === undefined ? [] : [traditional])] as const) {
      const plain = privateKey.export({ type: form, format: 'pem' }).toString();
      const encrypted = privateKey
        .export({ type: form, format: 'pem', cipher: 'aes-128-cbc', passphrase: 'secret' })
        .toString();
      const key = keyIn(plain);
      expect({ type: key.type, bits: key.bits, curve: key.curve, encrypted: key.encrypted }).toEqual({
        type,
        bits,
        curve,
        encrypted: false,
      });
      const hidden = keyIn(encrypted);
      expect([hidden.encrypted, hidden.id, hidden.type]).toEqual([
        true,
        null,
        form === 'pkcs8' ? null : type,
      ]);
      expect(readPem(plain + encrypted).problems).toEqual([]);
    }
  });

  it('keeps nothing that only the private key holds', () => {
    // Kinds whose secret numbers Node shows.
    const shown = new Set(['RSA 2048', 'prime256v1', 'secp521r1', 'Ed25519', 'Ed448']);
    for (const [what, make] of KINDS) {
      if (!shown.has(what)) continue;
      const { privateKey } = make();
      const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const told = JSON.stringify(readPem(text)).toLowerCase();
      const { d = '', p = '', q = '' } = privateKey.export({ format: 'jwk' });
      for (const secret of [d, p, q].filter((part) => part !== '')) {
        expect(told).not.toContain(Buffer.from(secret, 'base64url').toString('hex').slice(0, 16));
      }
    }
  });
});

describe('pairs', () => {
  it('agrees with checkPrivateKey, or does not know', () => {
    const [first, second] = [0, 1].map(() =>
      KINDS.filter(([, , type]) => type !== null && type !== 'RSA-PSS').map(([what, make]) => {
        const keys = make();
        return { what, pem: makeCertificate(keys), key: keys.privateKey };
      }),
    );
    const all = [...(first ?? []), ...(second ?? [])];
    const unknown = new Set<string>();
    const wrong: string[] = [];
    for (const { pem, what } of all) {
      const judge = new X509Certificate(pem);
      const certificate = certificateIn(pem);
      for (const { key } of all) {
        const told = isPair(certificate, keyIn(key.export({ type: 'pkcs8', format: 'pem' }).toString()));
        if (told === null) unknown.add(what);
        else if (told !== judge.checkPrivateKey(key)) wrong.push(what);
      }
    }
    expect(wrong).toEqual([]);
    expect([...unknown].sort()).toEqual(['DSA', 'Ed25519', 'Ed448']);
  });

  it('knows a point by either form', () => {
    const { publicKey, privateKey } = ecKeys();
    const { x, y } = publicKey.export({ format: 'jwk' });
    const point = Buffer.concat([
      Buffer.from([2 + ((Buffer.from(y ?? '', 'base64url').at(-1) ?? 0) & 1)]),
      Buffer.from(x ?? '', 'base64url'),
    ]);
    const head = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');
    const compressed = createPublicKey({ key: Buffer.concat([head, point]), format: 'der', type: 'spki' });
    const certificate = makeCertificate({ publicKey: compressed, privateKey });
    const key = keyIn(privateKey.export({ type: 'sec1', format: 'pem' }).toString());
    expect(isPair(certificateIn(certificate), key)).toBe(true);
    expect(isPair(certificateIn(makeCertificate(ecKeys())), key)).toBe(false);
  });

  it('says nothing of an encrypted PKCS #8 key', () => {
    const { privateKey, publicKey } = ecKeys();
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes256', passphrase: 'x' });
    expect(isPair(certificateIn(makeCertificate({ publicKey, privateKey })), keyIn(pem.toString()))).toBe(
      null,
    );
  });
});

/** What Node says of a certificate, in the form of ours. */
function judged(pem: string) {
  const x509 = new X509Certificate(pem);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = x509.publicKey;
  return {
    subject: x509.subject?.split('\n').join(', '),
    issuer: x509.issuer?.split('\n').join(', '),
    serial: x509.serialNumber.toLowerCase().replace(/^0+(?=.)/, ''),
    from: Date.parse(x509.validFrom),
    until: Date.parse(x509.validTo),
    ca: x509.ca,
    type,
    modulus: details?.modulusLength ?? null,
    curve: details?.namedCurve ?? null,
  };
}

const NODE_TYPES: Readonly<Record<string, string>> = {
  RSA: 'rsa',
  'RSA-PSS': 'rsa-pss',
  ECDSA: 'ec',
  DSA: 'dsa',
  Ed25519: 'ed25519',
  Ed448: 'ed448',
};

function said(pem: string): ReturnType<typeof judged> {
  const { subject, issuer, serial, notBefore, notAfter, ca, key } = certificateIn(pem);
  const sized = key.type === 'RSA' || key.type === 'RSA-PSS' || key.type === 'DSA';
  return {
    subject: subject.text,
    issuer: issuer.text,
    serial,
    from: notBefore,
    until: notAfter,
    ca,
    type: NODE_TYPES[key.type ?? ''] as 'rsa',
    modulus: sized ? key.bits : null,
    curve: key.curve,
  };
}

describe('certificates', () => {
  it.each(KINDS.filter(([, , type]) => type !== null && type !== 'RSA-PSS'))('%s', (_what, make) => {
    const pem = makeCertificate(make());
    expect(said(pem)).toEqual(judged(pem));
  });

  const keys = ecKeys();
  const options: readonly (readonly [what: string, options: CertificateOptions])[] = [
    ['GeneralizedTime', { from: Date.UTC(2050, 0, 1), until: Date.UTC(9999, 11, 31, 23, 59, 59) }],
    [
      'UTCTime of the last century',
      { from: Date.UTC(1950, 0, 1), until: Date.UTC(1999, 11, 31, 23, 59, 59) },
    ],
    ['before 1950', { from: Date.UTC(1900, 0, 1), until: Date.UTC(2049, 11, 31) }],
    ['a CA', { ca: true }],
    ['no CA', { ca: false }],
    ['a long serial', { serial: '00fedcba98765432100123456789abcdef01234567' }],
    ['zero', { serial: '00' }],
    [
      'several parts',
      {
        subject: [
          ['C', 'DE'],
          ['O', 'Übung, "A+B" <x>; \\y'],
          ['OU', '#1 '],
          ['CN', ' a.example'],
        ],
      },
    ],
    ['control characters', { subject: [['CN', 'a\nb\x1b[31m\x7f']] }],
    [
      'an attribute of its own',
      {
        subject: [
          ['1.2.3.4.5', 'x'],
          ['CN', 'y'],
        ],
      },
    ],
  ];
  it.each(options)('%s', (_what, given) => {
    const pem = makeCertificate(keys, given);
    expect(said(pem)).toEqual(judged(pem));
  });

  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  it('all of the CAs of this machine', () => {
    const text = fs.existsSync(bundle) ? fs.readFileSync(bundle, 'utf8') : makeCertificate(keys);
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
    expect(readPem(text).certificates).toHaveLength(blocks.length);
    for (const block of blocks) expect(said(block)).toEqual(judged(block));
  });
});

describe('names', () => {
  const keys = ecKeys();
  const rows: readonly (readonly [names: readonly string[], host: string])[] = [
    [['mail.example.com'], 'mail.example.com'],
    [['mail.example.com'], 'MAIL.Example.Com'],
    [['Mail.Example.com'], 'mail.example.com'],
    [['mail.example.com'], 'example.com'],
    [['*.example.com'], 'mail.example.com'],
    [['*.example.com'], 'a.mail.example.com'],
    [['*.example.com'], 'example.com'],
    [['*.com'], 'example.com'],
    [['a*.example.com'], 'ab.example.com'],
    [['*'], 'localhost'],
    [['*.*.example.com'], 'a.b.example.com'],
    [['mail.*.com'], 'mail.example.com'],
    [['a.example', 'b.example', '*.c.example'], 'x.c.example'],
    [['other.example'], 'mail.example.com'],
    [[], 'mail.example.com'],
    [[], 'other.example.com'],
  ];
  it.each(rows)('%j for %s', (dnsNames, host) => {
    const pem = makeCertificate(keys, { dnsNames });
    // A part of a label before the star is what RFC 9525 has given up and OpenSSL has not.
    const partial = dnsNames.some((name) => /^[^*.]+\*/.test(name));
    const judge = new X509Certificate(pem).checkHost(host) !== undefined;
    expect(matchesHost(certificateIn(pem), host)).toBe(judge && !partial);
  });

  it('takes a dot at the end for none', () => {
    const certificate = certificateIn(makeCertificate(keys, { dnsNames: ['mail.example.com.'] }));
    expect(matchesHost(certificate, 'mail.example.com')).toBe(true);
    expect(matchesHost(certificate, 'mail.example.com.')).toBe(true);
    expect(matchesHost(certificate, '')).toBe(false);
  });

  it('shows addresses as they are written', () => {
    const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
    const addresses = [
      'c0000201',
      '20010db8000000000000000000000001',
      '00000000000000000000000000000000',
      '20010db8000000010001000100010001',
      '00010000000000020000000000000003',
      'fe800000000000000000000000000000',
      '2001',
    ].map(bytes);
    expect(certificateIn(makeCertificate(keys, { addresses })).addresses).toEqual([
      '192.0.2.1',
      '2001:db8::1',
      '::',
      '2001:db8:0:1:1:1:1:1',
      '1:0:0:2::3',
      'fe80::',
      '#2001',
    ]);
  });
});

describe('chains', () => {
  const [rootKeys, middleKeys, leafKeys] = [ecKeys(), ecKeys(), ecKeys()];
  const root = makeCertificate(rootKeys, { subject: [['CN', 'Root']], ca: true, keyId: 'aa' });
  const middle = makeCertificate(middleKeys, {
    subject: [['CN', 'Middle']],
    ca: true,
    keyId: 'bb',
    issuerKeyId: 'aa',
    issuer: { name: [['CN', 'Root']], key: rootKeys.privateKey },
  });
  const leaf = makeCertificate(leafKeys, {
    issuerKeyId: 'bb',
    issuer: { name: [['CN', 'Middle']], key: middleKeys.privateKey },
  });
  const renamed = makeCertificate(ecKeys(), { subject: [['CN', 'Middle']], ca: true, keyId: 'cc' });
  const other = makeCertificate(ecKeys(), { subject: [['CN', 'Other']], ca: true });
  const names: Readonly<Record<string, string>> = { root, middle, leaf, renamed, other };

  const rows: readonly (readonly [
    file: string,
    chain: string,
    ordered: boolean,
    leafFirst: boolean,
    strays: string,
    missing: string | null,
  ])[] = [
    ['leaf middle root', 'leaf middle root', true, true, '', null],
    ['leaf middle', 'leaf middle', true, true, '', 'CN=Root'],
    ['leaf', 'leaf', true, true, '', 'CN=Middle'],
    ['leaf root middle', 'leaf middle root', false, true, '', null],
    ['middle leaf', 'leaf middle', false, false, '', 'CN=Root'],
    ['root middle leaf', 'leaf middle root', false, false, '', null],
    ['leaf root', 'leaf', true, true, 'root', 'CN=Middle'],
    ['leaf renamed', 'leaf', true, true, 'renamed', 'CN=Middle'],
    ['leaf renamed middle', 'leaf middle', false, true, 'renamed', 'CN=Root'],
    ['leaf middle other', 'leaf middle', true, true, 'other', 'CN=Root'],
    ['leaf leaf middle', 'leaf middle', false, true, 'leaf', 'CN=Root'],
    ['root', 'root', true, true, '', null],
    ['root middle', 'root', true, true, 'middle', null],
  ];
  it.each(rows)('%s', (file, chain, ordered, leafFirst, strays, missingIssuer) => {
    const words = file.split(' ');
    const [first, ...rest] = readPem(words.map((word) => names[word]).join('')).certificates;
    if (first === undefined) throw new Error('no certificate');
    const all = [first, ...rest];
    const told = chainOrder([first, ...rest]);
    const inWords = (certificates: readonly Certificate[]): string =>
      certificates.map((one) => words[all.indexOf(one)]).join(' ');
    expect([
      inWords(told.chain),
      told.ordered,
      told.leafFirst,
      inWords(told.strays),
      told.missingIssuer,
    ]).toEqual([chain, ordered, leafFirst, strays, missingIssuer]);
  });

  it('who issued whom, as checkIssued says', () => {
    for (const one of Object.values(names)) {
      const selfSigned = new X509Certificate(one).checkIssued(new X509Certificate(one));
      expect(certificateIn(one).selfSigned).toBe(selfSigned);
    }
  });
});

describe('files', () => {
  const keys = ecKeys();
  const certificate = makeCertificate(keys);
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const der = Buffer.from(certificate.replace(/-----[^\n]*\n/g, ''), 'base64');
  const kinds = ({ blocks }: PemContents): string[] =>
    blocks.map((block) => (block.kind === 'broken' ? block.problem : block.kind));

  const rows: readonly (readonly [
    what: string,
    text: string,
    blocks: readonly string[],
    problems: readonly (readonly [kind: string, line: number])[],
  ])[] = [
    ['text around blocks', `Subject: x\n${certificate}\nmore\n${key}`, ['certificate', 'key'], []],
    ['CRLF', certificate.replace(/\n/g, '\r\n'), ['certificate'], []],
    ['mixed line ends', certificate.replace('\n', '\r\n'), ['certificate'], []],
    ['blanks at line ends', certificate.replace(/\n/g, ' \t\n'), ['certificate'], []],
    ['no line end at the end', certificate.trimEnd(), ['certificate'], []],
    ['one line of base64', pemOneLine(certificate), ['certificate'], []],
    ['X509 CERTIFICATE', certificate.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'), ['certificate'], []],
    [
      'TRUSTED CERTIFICATE',
      pemBlock('TRUSTED CERTIFICATE', Buffer.concat([der, Buffer.from('3000', 'hex')])),
      ['certificate'],
      [],
    ],
    [
      'parameters before the key',
      `${pemBlock('EC PARAMETERS', Buffer.from('06082a8648ce3d030107', 'hex'))}${key}`,
      ['other', 'key'],
      [],
    ],
    ['a request', certificate.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'), ['other'], []],
    ['revocation lists', certificate.replaceAll('CERTIFICATE', 'X509 CRL'), ['crl'], []],
    ['empty', '', [], [['no-block', 1]]],
    ['only text', 'see the other file\n', [], [['no-block', 1]]],
    ['DER', der.toString('latin1'), [], [['binary', 1]]],
    ['NUL', 'a\0b', [], [['binary', 1]]],
    ['no end', `\n${certificate.replace(/-----END[^]*/, '')}`, ['no-end'], [['no-end', 2]]],
    [
      'the next begins',
      `${certificate.replace(/-----END[^]*/, '')}${certificate}`,
      ['no-end', 'certificate'],
      [['no-end', 1]],
    ],
    [
      'another end',
      certificate.replace('END CERTIFICATE', 'END X509 CRL'),
      ['wrong-end'],
      [['wrong-end', certificate.split('\n').length - 1]],
    ],
    ['a bad character', certificate.replace(/\nM/, '\n*'), ['bad-base64'], [['bad-base64', 1]]],
    ['a missing line', certificate.replace(/\n.{64}\n/, '\n'), ['bad-content'], [['bad-content', 1]]],
    ['one character too few', certificate.replace(/\nM/, '\n'), ['bad-base64'], [['bad-base64', 1]]],
    [
      'a key as certificate',
      key.replaceAll('PRIVATE KEY', 'CERTIFICATE'),
      ['bad-content'],
      [['bad-content', 1]],
    ],
    [
      'a certificate as key',
      certificate.replaceAll('CERTIFICATE', 'PRIVATE KEY'),
      ['bad-content'],
      [['bad-content', 1]],
    ],
    ['an indented begin', `  ${certificate}`, [], [['bad-begin', 1]]],
    ['a damaged begin', `-${certificate}${certificate}`, ['certificate'], [['bad-begin', 1]]],
    ['a byte order mark', `\ufeff${certificate}`, ['certificate'], [['byte-order-mark', 1]]],
    [
      'nothing in it',
      '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
      ['bad-content'],
      [['bad-content', 1]],
    ],
  ];
  it.each(rows)('%s', (_what, text, blocks, problems) => {
    const contents = readPem(text);
    expect([kinds(contents), contents.problems.map(({ kind, line }) => [kind, line])]).toEqual([
      blocks,
      problems,
    ]);
  });

  it('never throws, whatever the bytes', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const bodies = [
      der,
      keys.privateKey.export({ type: 'pkcs8', format: 'der' }),
      keys.privateKey.export({ type: 'sec1', format: 'der' }),
      privateKey.export({ type: 'pkcs8', format: 'der' }),
      privateKey.export({ type: 'pkcs1', format: 'der' }),
    ];
    const labels = ['CERTIFICATE', 'PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY', 'DSA PRIVATE KEY'];
    fc.assert(
      fc.property(
        fc.constantFrom(...bodies),
        fc.constantFrom(...labels, 'TRUSTED CERTIFICATE', 'ENCRYPTED PRIVATE KEY', 'DH PARAMETERS'),
        fc.array(fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.nat({ max: 1000 }),
        (body, label, changed, length) => {
          const bytes = Buffer.from(body);
          for (const [at, value] of changed) bytes[at % bytes.length] = value;
          expect(readPem(pemBlock(label, bytes)).blocks).toHaveLength(1);
          expect(readPem(pemBlock(label, bytes.subarray(0, length))).blocks).toHaveLength(1);
          readPem(bytes.toString('latin1'));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('reads hostile DER to its end', () => {
    const deep = Buffer.from('3080'.repeat(300_000), 'hex');
    const nested = Buffer.alloc(600_000, Buffer.from('3084ffffffff', 'hex'));
    const names = Buffer.alloc(600_000, Buffer.from('3000', 'hex'));
    for (const bytes of [
      deep,
      nested,
      names,
      Buffer.from('0284ffffffff', 'hex'),
      Buffer.from('30840000', 'hex'),
    ]) {
      for (const label of ['CERTIFICATE', 'PRIVATE KEY', 'DH PARAMETERS'])
        expect(kinds(readPem(pemBlock(label, bytes)))).toEqual(['bad-content']);
    }
  });
});

function pemOneLine(pem: string): string {
  const [begin = '', ...rest] = pem.trimEnd().split('\n');
  return `${begin}\n${rest.slice(0, -1).join('')}\n${rest.at(-1)}\n`;
}

describe('DH parameters', () => {
  it('tells size, generator and group', () => {
    // RFC 7919 §A.1, and two numbers that are no group of anybody.
    const ffdhe2048 =
      'ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1d8b9c583ce2d3695a9e13641146433fbcc939dce249b3ef97d2fe363630c75d8f681b202aec4617ad3df1ed5d5fd65612433f51f5f066ed0856365553ded1af3b557135e7f57c935984f0c70e0e68b77e2a689daf3efe8721df158a136ade73530acca4f483a797abc0ab182b324fb61d108a94bb2c8e3fbb96adab760d7f4681d4f42a3de394df4ae56ede76372bb190b07a7c8ee0a6d709e02fce1cdf7e2ecc03404cd28342f619172fe9ce98583ff8e4f1232eef28183c3fe3b1b4c6fad733bb5fcbc2ec22005c58ef1837d1683b2c6f34a26c1b2effa886b423861285c97ffffffffffffffff';
    const parameters = (prime: string, tail = '020102'): string => {
      const number = Buffer.from(`00${prime}`, 'hex');
      const head = Buffer.from([0x02, 0x82, number.length >> 8, number.length & 255]);
      const body = Buffer.concat([head, number, Buffer.from(tail, 'hex')]);
      return pemBlock(
        'DH PARAMETERS',
        Buffer.concat([Buffer.from([0x30, 0x82, body.length >> 8, body.length & 255]), body]),
      );
    };
    expect(readPem(parameters(ffdhe2048)).dhParameters).toEqual([
      { bits: 2048, generator: 2, group: 'ffdhe2048' },
    ]);
    expect(readPem(parameters(`8${'0'.repeat(254)}b`, '02010502020400')).dhParameters).toEqual([
      { bits: 1024, generator: 5, group: null },
    ]);
    expect(readPem(parameters(`7${'0'.repeat(126)}b`)).dhParameters).toEqual([
      { bits: 511, generator: 2, group: null },
    ]);
  });
});
