import { generateKeyPairSync } from 'node:crypto';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts } from '../support/host.ts';
import { ecKeys, makeCertificate } from '../support/x509.ts';

// What the examples of the rules cannot show, because no private key stands in the repository: keys are made
// here, for each run.

const keys = ecKeys();
const others = ecKeys();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const issuer = { name: [['CN', 'Issuer']], key: others.privateKey } as const;
const FILES: Readonly<Record<string, string>> = {
  'leaf.pem': makeCertificate(keys, { issuer }),
  'issuer.pem': makeCertificate(others, { subject: [['CN', 'Issuer']], ca: true }),
  'rsa.pem': makeCertificate(rsa),
  'key.pem': keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  'other-key.pem': others.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  'rsa-key.pem': rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  'hidden-key.pem': keys.privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'hunter2' })
    .toString(),
};
const contents = (names: string): string =>
  names
    .split('+')
    .map((name) => FILES[`${name}.pem`] ?? '')
    .join('');

const rows: readonly (readonly [
  certificates: string,
  keys: string,
  chainFiles: boolean,
  message: string | null,
  says: string,
])[] = [
  ['leaf+issuer', 'key', false, null, ''],
  ['key+leaf+issuer', 'key', false, null, ''],
  ['leaf+issuer', 'other-key', false, 'mismatch', 'STARTTLS is answered with 454 on port 25 (smtp/inet)'],
  ['leaf+issuer', 'rsa-key', false, 'mismatch', '/k.pem does not belong to the certificate in /c.pem'],
  ['issuer+leaf', 'key', false, 'leaf-not-first', 'The first certificate in /c.pem is that of an issuer'],
  ['leaf+issuer', 'hidden-key', false, 'encrypted-key', 'a pass phrase'],
  ['leaf+issuer', 'rsa', false, 'no-key', '/k.pem holds no private key'],
  ['key', 'key', false, 'no-certificate', '/c.pem holds no certificate'],
  ['key+leaf+issuer', 'rsa-key+rsa', true, null, ''],
  ['leaf+issuer+key', 'rsa-key+rsa', true, 'key-not-first', 'line 1 of /c.pem'],
  ['key+leaf+issuer', 'rsa-key', true, 'key-without-certificate', 'line 1 of /k.pem'],
  ['key+leaf+issuer', 'other-key+issuer', true, 'same-type', 'line 1 of /k.pem'],
  ['other-key+leaf', 'rsa-key+rsa', true, 'mismatch', '/c.pem does not belong'],
];

it.each(rows)('%s, %s, chain files %s: %s', (certificates, key, chainFiles, message, says) => {
  const texts = {
    'main.cf': `myhostname = mail.example.com
smtpd_tls_security_level = may
${chainFiles ? 'smtpd_tls_chain_files = /c.pem, /k.pem' : 'smtpd_tls_cert_file = /c.pem\nsmtpd_tls_key_file = /k.pem'}
`,
    'master.cf': 'smtp inet n - n - - smtpd\n',
    '/c.pem': contents(certificates),
    '/k.pem': contents(key),
  };
  const host = hostFromTexts(texts, { postfix: '3.7.11', now: '2026-06-01', system: { '/k.pem': 'others' } });
  const findings = evaluate(host, BUILTIN_RULES, builtinProfile('strict'));
  const pairing = findings.filter(({ rule }) => rule === 'postfix/certificate-key-mismatch');
  expect(pairing.map(({ messageId }) => messageId)).toEqual(message === null ? [] : [message]);
  expect(pairing.map(({ message: text }) => text).join('')).toContain(says);

  // No line of any file with a key is in what is said, and none is shown as a place.
  const said = findings.map((finding) => JSON.stringify(finding)).join('\n');
  const lines = Object.values(FILES).flatMap((text) => text.split('\n'));
  expect(
    lines.filter((line) => line.length > 20 && !line.startsWith('-----') && said.includes(line)),
  ).toEqual([]);
  expect(findings.filter(({ at }) => at.source.path.startsWith('/'))).toEqual([]);
});

const ofDovecot: readonly (readonly [
  certificates: string,
  keys: string,
  message: string | null,
  says: string,
])[] = [
  ['leaf+issuer', 'key', null, ''],
  ['leaf+issuer', 'other-key', 'mismatch', '/k.pem does not belong to the certificate in /c.pem'],
  ['issuer+leaf', 'key', 'leaf-not-first', 'The first certificate in /c.pem is that of an issuer'],
  ['leaf+issuer', 'hidden-key', 'encrypted-key', 'a pass phrase'],
  ['leaf+issuer', 'rsa', 'no-key', '/k.pem holds no private key'],
];

it.each(
  ofDovecot.flatMap((row) => [
    ['2.3.19.1', 'ssl_cert = </c.pem\nssl_key = </k.pem\n', ...row] as const,
    [
      '2.4.1',
      'dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\nssl_server_cert_file = /c.pem\nssl_server_key_file = /k.pem\n',
      ...row,
    ] as const,
  ]),
)('Dovecot %s, %j, %s, %s: %s', (release, settings, certificates, key, message, says) => {
  const texts = {
    'dovecot.conf': `${settings}protocols = imap\nssl = required\n`,
    '/c.pem': contents(certificates),
    '/k.pem': contents(key),
  };
  const host = hostFromTexts(texts, { dovecot: release, openssl: '3.0' });
  const findings = evaluate(host, BUILTIN_RULES, builtinProfile('strict'));
  const pairing = findings.filter(({ rule }) => rule === 'dovecot/certificate-key-mismatch');
  expect(pairing.map(({ messageId }) => messageId)).toEqual(message === null ? [] : [message]);
  expect(pairing.map(({ message: text }) => text).join('')).toContain(says);

  const said = findings.map((finding) => JSON.stringify(finding)).join('\n');
  const lines = Object.values(FILES).flatMap((text) => text.split('\n'));
  expect(
    lines.filter((line) => line.length > 20 && !line.startsWith('-----') && said.includes(line)),
  ).toEqual([]);
});

it('postscreen shows what smtpd would: the line of smtpd decides, whichever program reads it', () => {
  const texts = {
    'main.cf': `myhostname = mail.example.com
smtpd_tls_security_level = may
smtpd_tls_cert_file = /c.pem
smtpd_tls_key_file = /k.pem
`,
    'master.cf': `smtp inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
tlsproxy unix - - n - 0 tlsproxy
`,
    '/c.pem': contents('leaf+issuer'),
    '/k.pem': contents('other-key'),
  };
  const findings = evaluate(hostFromTexts(texts, {}), BUILTIN_RULES, builtinProfile('modern'), {
    only: new Set(['postfix/certificate-key-mismatch']),
  });
  const told = findings.map(({ at: { source, span }, setting, endpoints }) => [
    source.path,
    source.position(span.start).line,
    setting,
    [...endpoints],
  ]);
  expect(told).toEqual([['main.cf', 4, 'smtpd_tls_key_file', ['smtp/inet', 'smtpd/pass']]]);
});

describe('what of a chain counts', () => {
  const old = { from: Date.UTC(2000, 0), until: Date.UTC(2010, 0) };
  const root = { subject: [['CN', 'Issuer']], ca: true } as const;
  const judged: readonly (readonly [
    what: string,
    file: string,
    rule: string,
    messages: readonly string[],
  ])[] = [
    [
      'an expired root is not shown',
      `${FILES['leaf.pem']}${makeCertificate(others, { ...root, ...old })}`,
      'expired',
      [],
    ],
    ['an expired certificate', makeCertificate(keys, { issuer, ...old }), 'expired', ['expired']],
    ['an expired stray', `${FILES['leaf.pem']}${makeCertificate(rsa, old)}`, 'expired', []],
    ['SHA-1 of an issuer', makeCertificate(keys, { issuer, sha1: true }), 'weak', ['signature']],
    ['SHA-1 of its own', makeCertificate(keys, { sha1: true }), 'weak', []],
    [
      'SHA-1 of a root',
      `${FILES['leaf.pem']}${makeCertificate(others, { ...root, sha1: true })}`,
      'weak',
      [],
    ],
  ];
  it.each(judged)('%s', (_what, file, rule, messages) => {
    const texts = {
      'main.cf': 'smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /c.pem\n',
      'master.cf': 'smtp inet n - n - - smtpd\n',
      '/c.pem': file,
    };
    const only = new Set([`postfix/certificate-${rule}`]);
    const host = hostFromTexts(texts, { now: '2026-06-01' });
    const findings = evaluate(host, BUILTIN_RULES, builtinProfile('modern'), { only });
    expect(findings.map(({ messageId }) => messageId)).toEqual(messages);
  });
});
