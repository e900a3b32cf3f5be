import type { Certificate } from '../../src/tls/certificate.ts';
import { isPair } from '../../src/tls/chain.ts';
import { readPem } from '../../src/tls/pem.ts';
import { FOLDER, inRoot, type Root, roots } from './roots.ts';

// Certificates and keys of every kind are made by OpenSSL of each release, and what pfharden reads in them is
// held against what OpenSSL itself prints.

/** `openssl genpkey` arguments by name; a release that does not know an algorithm leaves the key out. */
const KEYS: Readonly<Record<string, string>> = {
  rsa1024: '-algorithm RSA -pkeyopt rsa_keygen_bits:1024',
  rsa1536: '-algorithm RSA -pkeyopt rsa_keygen_bits:1536',
  rsa2048: '-algorithm RSA -pkeyopt rsa_keygen_bits:2048',
  rsa2047: '-algorithm RSA -pkeyopt rsa_keygen_bits:2047',
  rsa3072: '-algorithm RSA -pkeyopt rsa_keygen_bits:3072',
  pss: '-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024',
  pssbound: '-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024 -pkeyopt rsa_pss_keygen_md:sha256',
  ed25519: '-algorithm ED25519',
  ed448: '-algorithm ED448',
  mldsa44: '-algorithm ML-DSA-44',
  mldsa65: '-algorithm ML-DSA-65',
  mldsa87: '-algorithm ML-DSA-87',
  explicit: '-algorithm EC -pkeyopt ec_paramgen_curve:P-384 -pkeyopt ec_param_enc:explicit',
  ...Object.fromEntries(
    'prime192v1 prime256v1 secp112r1 secp160k1 secp160r1 secp160r2 secp192k1 secp224k1 secp224r1 secp256k1 secp384r1 secp521r1 brainpoolP160r1 brainpoolP192r1 brainpoolP224r1 brainpoolP256r1 brainpoolP256t1 brainpoolP320r1 brainpoolP384r1 brainpoolP384t1 brainpoolP512r1 brainpoolP512t1'
      .split(' ')
      .map((curve) => [curve, `-algorithm EC -pkeyopt ec_paramgen_curve:${curve}`]),
  ),
};

/** Digests by key; each gives a certificate of its own. */
const DIGESTS: Readonly<Record<string, readonly string[]>> = {
  rsa1024: ['md4', 'md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-256', 'sha512-256'],
  rsa2048: [
    'sha256 -sigopt rsa_padding_mode:pss',
    'sha1 -sigopt rsa_padding_mode:pss',
    'sha512 -sigopt rsa_padding_mode:pss',
  ],
  prime256v1: ['sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-384'],
};

/** Parameters by what pfharden must say of them; a release knows one or two of the forms of an option. */
const GROUPS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [2048, 3072, 4096, 6144, 8192].flatMap((bits) => [
      [`${bits}:ffdhe${bits}:group`, `DH -pkeyopt group:ffdhe${bits}`],
      [`${bits}:ffdhe${bits}:param`, `DH -pkeyopt dh_param:ffdhe${bits}`],
    ]),
  ),
  ...Object.fromEntries(
    [1536, 2048, 3072, 4096, 6144, 8192].map((bits) => [
      `${bits}:modp${bits}`,
      `DH -pkeyopt group:modp_${bits}`,
    ]),
  ),
  '1024:dh_1024_160': 'DH -pkeyopt dh_rfc5114:1',
  '2048:dh_2048_224': 'DH -pkeyopt dh_rfc5114:2',
  '2048:dh_2048_256:x': 'DHX -pkeyopt dh_rfc5114:3',
  '512:null': 'DH -pkeyopt dh_paramgen_prime_len:512',
};

const EXTENSIONS: readonly string[] = [
  'subjectAltName=DNS:mail.example.com,DNS:*.example.net,IP:192.0.2.7,IP:2001:db8::7,email:a@example.com',
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=digitalSignature,keyEncipherment',
  'keyUsage=keyCertSign,keyAgreement',
  'extendedKeyUsage=serverAuth,clientAuth',
];

/** Makes everything and prints it, each part after a line `== WHAT NAME`. */
function script(): string {
  const show = (what: string, name: string, command: string): string =>
    `if ${command} > out 2>/dev/null; then echo "== ${what} ${name}"; cat out; fi`;
  const certificate = (name: string, key: string, options: string): string[] => [
    `rm -f cert; openssl req -new -x509 -key ${key} -subj "/C=DE/CN=${name}" -days 30 ${options} -out cert 2>/dev/null`,
    show('certificate', name, 'cat cert'),
    show('text', name, 'openssl x509 -in cert -noout -text'),
  ];
  return [
    `cd ${FOLDER}`,
    ...Object.entries(KEYS).flatMap(([name, options]) => [
      `if openssl genpkey ${options} -out ${name}.key 2>/dev/null; then`,
      show('key', name, `cat ${name}.key`),
      show('traditional', name, `openssl pkey -in ${name}.key -traditional`),
      show('encrypted', name, `openssl pkcs8 -topk8 -in ${name}.key -passout pass:abcd`),
      show('hidden', name, `openssl pkey -in ${name}.key -traditional -aes128 -passout pass:abcd`),
      ...certificate(name, `${name}.key`, ''),
      'fi',
    ]),
    ...[1024, 2048].flatMap((bits) => [
      `openssl dsaparam -genkey ${bits} -out dsa${bits}.key 2>/dev/null`,
      show('key', `dsa${bits}`, `openssl pkcs8 -topk8 -nocrypt -in dsa${bits}.key`),
      show('traditional', `dsa${bits}`, `openssl pkey -in dsa${bits}.key -traditional`),
      ...certificate(`dsa${bits}`, `dsa${bits}.key`, '-sha256'),
    ]),
    ...Object.entries(DIGESTS).flatMap(([key, digests]) =>
      digests.flatMap((digest) =>
        certificate(`${key}-${digest.replace(/ .*/, 'pss')}`, `${key}.key`, `-${digest}`),
      ),
    ),
    ...EXTENSIONS.flatMap((extension, index) =>
      certificate(`extension${index}`, 'prime256v1.key', `-addext ${extension}`),
    ),
    ...Object.entries(GROUPS).map(([name, option]) =>
      show('dh', name, `openssl genpkey -genparam -algorithm ${option}`),
    ),
    show('trusted', 'trusted', 'openssl x509 -in cert -trustout -addtrust serverAuth'),
    show('other', 'p12', 'openssl pkcs12 -export -in cert -inkey prime256v1.key -passout pass:x'),
  ].join('\n');
}

/** What of a kind a release made, by name. */
type Made = ReadonlyMap<string, ReadonlyMap<string, string>>;

function made(root: Root): Made {
  const { stdout } = inRoot(root, ['sh', '-c', script()], { files: { keep: '' } });
  const found = new Map<string, Map<string, string>>();
  for (const part of stdout.split(/^== /m).slice(1)) {
    const [head = '', ...lines] = part.split('\n');
    const [what = '', name = ''] = head.split(' ');
    const byName = found.get(what) ?? new Map<string, string>();
    found.set(what, byName.set(name, lines.join('\n')));
  }
  return found;
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  rsaEncryption: 'RSA',
  rsassaPss: 'RSA-PSS',
  'id-ecPublicKey': 'ECDSA',
  dsaEncryption: 'DSA',
  ED25519: 'Ed25519',
  ED448: 'Ed448',
};

const PURPOSES: Readonly<Record<string, string>> = {
  'TLS Web Server Authentication': 'serverAuth',
  'TLS Web Client Authentication': 'clientAuth',
};

/** What `openssl x509 -text` prints, as pfharden would say it. */
function printed(text: string) {
  const find = (pattern: RegExp): string | null => pattern.exec(text)?.[1]?.trim() ?? null;
  const words = (value: string | null): string[] => (value === null ? [] : value.split(/,\s*/));
  const names = words(find(/Subject Alternative Name:[^\n]*\n([^\n]*)/));
  const usage = find(/X509v3 Key Usage:[^\n]*\n([^\n]*)/);
  const purposes = find(/Extended Key Usage:[^\n]*\n([^\n]*)/);
  const algorithm = find(/Public Key Algorithm: (\S+)/) ?? '';
  const keyId = (pattern: RegExp): string | null => find(pattern)?.replace(/:/g, '').toLowerCase() ?? null;
  const hash = find(/Signature Algorithm: rsassaPss\s+Hash Algorithm: (\S+)/);
  return {
    signature: find(/Signature Algorithm: (\S+)/),
    pssHash: hash?.replace(/^sha(?=\d)/, 'SHA-') ?? null,
    algorithm: ALGORITHMS[algorithm] ?? algorithm,
    bits: Number(find(/Public-Key: \((\d+) bit/) ?? '0'),
    curve: find(/ASN1 OID: (\S+)/),
    notBefore: Date.parse(find(/Not Before: ([^\n]*)/) ?? ''),
    notAfter: Date.parse(find(/Not After : ([^\n]*)/) ?? ''),
    dnsNames: names.flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : [])),
    addresses: names.flatMap((name) =>
      name.startsWith('IP Address:') ? [name.slice(11).toLowerCase()] : [],
    ),
    ca: /CA:TRUE/.test(text),
    usage: usage === null ? null : words(usage).sort(),
    purposes: purposes === null ? null : words(purposes).map((word) => PURPOSES[word] ?? word),
    subjectKeyId: keyId(/Subject Key Identifier:[^\n]*\n\s*([0-9A-F:]+)/),
    authorityKeyId: keyId(/Authority Key Identifier:[^\n]*\n\s*(?:keyid:)?([0-9A-F:]+)/),
  };
}

function said(certificate: Certificate): ReturnType<typeof printed> {
  const { key, signature, keyUsage } = certificate;
  const usage = Object.entries({
    'Digital Signature': keyUsage?.digitalSignature,
    'Key Encipherment': keyUsage?.keyEncipherment,
    'Key Agreement': keyUsage?.keyAgreement,
    'Certificate Sign': keyUsage?.certificateSigning,
  });
  return {
    signature: signature.name,
    pssHash: signature.name === 'rsassaPss' ? signature.hash : null,
    algorithm: key.algorithm,
    // Edwards curves have one size, which OpenSSL does not print; that of ML-DSA is its name.
    bits: key.type?.startsWith('Ed') === true ? 0 : (key.bits ?? 0),
    curve: key.curve === 'explicit' ? null : key.curve,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    dnsNames: [...certificate.dnsNames],
    // OpenSSL does not shorten addresses.
    addresses: certificate.addresses.map((text) => text.replace('::', ':0:0:0:0:0:')),
    ca: certificate.ca,
    usage: keyUsage === null ? null : usage.flatMap(([name, has]) => (has === true ? [name] : [])).sort(),
    purposes: certificate.extendedKeyUsage === null ? null : [...certificate.extendedKeyUsage],
    subjectKeyId: certificate.subjectKeyId,
    authorityKeyId: certificate.authorityKeyId,
  };
}

const counts = { certificates: 0, keys: 0, parameters: 0 };
afterAll(() => {
  process.stdout.write(
    `held against OpenSSL: ${counts.certificates} certificates, ${counts.keys} keys, ${counts.parameters} DH parameters\n`,
  );
});

describe.each(roots().map((root) => ({ name: `${root.release}, OpenSSL ${root.openssl}`, root })))(
  '$name',
  ({ root }) => {
    const all = made(root);
    const of = (what: string): [name: string, text: string][] => [...(all.get(what) ?? [])];

    it('certificates', () => {
      expect(of('certificate').length).toBeGreaterThan(45);
      for (const [name, pem] of of('certificate')) {
        const { certificates, problems } = readPem(pem);
        expect([name, problems]).toEqual([name, []]);
        const told = certificates.map((certificate) => ({ name, ...said(certificate) }));
        expect(told).toEqual([{ name, ...printed(all.get('text')?.get(name) ?? '') }]);
        expect(certificates.map(({ selfSigned }) => selfSigned)).toEqual([true]);
        counts.certificates++;
      }
    });

    it('keys in each form, and their certificates', () => {
      for (const [name, pem] of [...of('key'), ...of('traditional')]) {
        const { keys, problems } = readPem(pem);
        const [certificate] = readPem(all.get('certificate')?.get(name) ?? '').certificates;
        expect([name, keys.length, problems]).toEqual([name, 1, []]);
        const [key] = keys;
        if (certificate === undefined || key === undefined) throw new Error(`${name}: no certificate`);
        const { type, bits, curve, algorithm } = certificate.key;
        expect({ name, ...key }).toMatchObject({ name, type, bits, curve, algorithm, encrypted: false });
        const silent = key.type === 'Ed25519' || key.type === 'Ed448' || key.type === 'ML-DSA';
        const hidden = key.type === 'DSA' && key.form === 'PKCS#8';
        expect([name, isPair(certificate, key)]).toEqual([name, silent || hidden ? null : true]);
        counts.keys++;
      }
      for (const [name, pem] of [...of('encrypted'), ...of('hidden')]) {
        const { keys, problems } = readPem(pem);
        expect([name, keys.map(({ encrypted, id }) => [encrypted, id]), problems]).toEqual([
          name,
          [[true, null]],
          [],
        ]);
        counts.keys++;
      }
    });

    it('parameters and other forms', () => {
      expect(of('dh').length).toBeGreaterThan(7);
      for (const [name, pem] of of('dh')) {
        const [bits = '', group = ''] = name.split(':');
        const { dhParameters, problems } = readPem(pem);
        expect(dhParameters.map((one) => [`${one.bits}`, `${one.group}`])).toEqual([[bits, group]]);
        expect(problems).toEqual([]);
        counts.parameters++;
      }
      expect(readPem(all.get('other')?.get('p12') ?? '').problems.map(({ kind }) => kind)).toEqual([
        'binary',
      ]);
      expect(readPem(all.get('trusted')?.get('trusted') ?? '').certificates).toHaveLength(1);
    });
  },
);
