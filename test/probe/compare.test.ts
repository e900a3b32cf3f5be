import { type ConfiguredPort, comparePort, type Difference, type Reason } from '../../src/probe/compare.ts';
import { configuredPorts } from '../../src/probe/configured.ts';
import type { MailProtocol } from '../../src/probe/dialogue.ts';
import type { ProbedEndpoint } from '../../src/probe/endpoint.ts';
import { mannerOf, readTarget } from '../../src/probe/targets.ts';
import { hostFromTexts } from '../support/host.ts';

const MAIN = [
  'myhostname = mail.example.org',
  'smtpd_banner = $myhostname ESMTP $mail_name ($mail_version)',
  'smtpd_tls_security_level = may',
  'smtpd_sasl_auth_enable = yes',
  'smtpd_tls_cert_file = /etc/x.pem',
  'smtpd_tls_auth_only = yes',
  'tls_preempt_cipherlist = yes',
  'smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1',
  'smtpd_tls_mandatory_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1',
  '',
].join('\n');

const MASTER = [
  'smtp inet n - n - - smtpd',
  '127.0.0.1:587 inet n - n - - smtpd',
  '  -o smtpd_tls_security_level=encrypt',
  'localhost:10025 inet n - n - - smtpd',
  '  -o smtpd_tls_security_level=none',
  '  -o smtpd_sasl_auth_enable=no',
  '',
].join('\n');

const host = hostFromTexts({ 'main.cf': MAIN, 'master.cf': MASTER }, { postfix: '3.7.11', openssl: '3.0' });
const PORTS = configuredPorts(host);

/** What a probe sees where everything is as the files say: keys of RSA, suites that go with them. */
function agreeing(port: number): ProbedEndpoint {
  const { endpoint } = PORTS.find((each) => each.endpoint.port === port) as ConfiguredPort;
  const { tls } = endpoint;
  const ciphers = (tls.ciphers ?? []).filter(({ name }) => !name.includes('ECDSA'));
  return {
    id: `127.0.0.1:${port}`,
    server: 'postfix',
    side: 'server',
    role: endpoint.role,
    address: '127.0.0.1',
    remoteAddress: '127.0.0.1',
    localAddress: '127.0.0.1',
    port,
    tls: { mode: tls.mode, protocols: tls.protocols, ciphers },
    auth: { beforeTls: [], afterTls: endpoint.auth.afterTls === null ? ['PLAIN'] : [] },
    speaks: 'smtp',
    greeting: '220 mail.example.org ESMTP Postfix (3.7.4)',
    capabilities: { beforeTls: [], afterTls: [] },
    login: { beforeTls: null, afterTls: null },
    preference: Object.fromEntries(tls.protocols.map((protocol) => [protocol, 'server'])),
    broken: [],
    groups: [],
    fields: [],
    certificates: tls.protocols.length > 0 ? [{ keyType: 'RSA', keyBits: 2048, chain: [] }] : [],
    faults: [],
    complete: true,
    connections: 1,
    milliseconds: 1,
  };
}

test.each([25, 587, 10025])('port %i that does what the files say', (port) => {
  const seen = agreeing(port);
  const { endpoint } = PORTS.find((each) => each.endpoint.port === port) as ConfiguredPort;
  expect(comparePort(seen, PORTS)).toEqual({ endpoint: endpoint.id, differences: [], reasons: [] });
});

type Change = (seen: ProbedEndpoint) => Partial<ProbedEndpoint>;

const rows: readonly (readonly [string, number, Change, readonly unknown[], readonly Reason[]])[] = [
  [
    'another name',
    25,
    () => ({ greeting: '220 proxy.example.org ESMTP Postfix (3.7.4)' }),
    [
      {
        what: 'greeting',
        files: '220 mail.example.org ESMTP Postfix (…)',
        running: '220 proxy.example.org ESMTP Postfix (3.7.4)',
      },
    ],
    ['other-listener'],
  ],
  [
    'another server',
    25,
    () => ({ greeting: '220 mail.example.org ESMTP Exim' }),
    [{ what: 'greeting' }],
    ['other-listener'],
  ],
  [
    'a line of postscreen before the greeting',
    25,
    (seen) => ({ greeting: `220-wait\r\n${seen.greeting}` }),
    [],
    [],
  ],
  [
    'no TLS',
    25,
    (seen) => ({
      tls: { ...seen.tls, mode: 'none', protocols: [], ciphers: [] },
      auth: { beforeTls: [], afterTls: null },
    }),
    [{ what: 'mode', files: 'opportunistic', running: 'none' }],
    ['not-reloaded'],
  ],
  [
    'TLS not required',
    587,
    (seen) => ({ tls: { ...seen.tls, mode: 'opportunistic' } }),
    [{ what: 'mode', files: 'required', running: 'opportunistic' }],
    ['not-reloaded'],
  ],
  [
    'TLS that the files do not offer',
    10025,
    () => ({ tls: agreeing(25).tls, auth: { beforeTls: [], afterTls: [] } }),
    [{ what: 'mode', files: 'none', running: 'opportunistic' }],
    ['not-reloaded'],
  ],
  [
    'an old protocol',
    25,
    (seen) => ({ tls: { ...seen.tls, protocols: ['TLSv1', ...seen.tls.protocols] } }),
    [{ what: 'protocols', extra: ['TLSv1'], missing: [] }],
    ['not-reloaded'],
  ],
  [
    'a protocol less',
    25,
    (seen) => ({
      tls: {
        ...seen.tls,
        protocols: ['TLSv1.3'],
        ciphers: seen.tls.ciphers.filter(({ protocol }) => protocol === 'TLSv1.3'),
      },
    }),
    [{ what: 'protocols', extra: [], missing: ['TLSv1.2'] }],
    ['not-reloaded', 'system-policy'],
  ],
  [
    'a suite more',
    25,
    (seen) => ({
      tls: { ...seen.tls, ciphers: [...seen.tls.ciphers, { protocol: 'TLSv1.2', name: 'RC4-SHA' }] },
    }),
    [{ what: 'suites', protocol: 'TLSv1.2', extra: ['RC4-SHA'], missing: [] }],
    ['not-reloaded'],
  ],
  [
    'a suite less',
    25,
    (seen) => ({
      tls: { ...seen.tls, ciphers: seen.tls.ciphers.filter(({ name }) => name !== 'AES128-SHA') },
    }),
    [{ what: 'suites', protocol: 'TLSv1.2', extra: [], missing: ['AES128-SHA'] }],
    ['not-reloaded', 'system-policy'],
  ],
  [
    'a suite less where not all was asked',
    25,
    (seen) => ({
      complete: false,
      tls: { ...seen.tls, ciphers: seen.tls.ciphers.filter(({ name }) => name !== 'AES128-SHA') },
    }),
    [],
    [],
  ],
  [
    'the order of the client',
    25,
    () => ({ preference: { 'TLSv1.2': 'client' } }),
    [{ what: 'preference', protocol: 'TLSv1.2', files: 'server', running: 'client' }],
    ['not-reloaded'],
  ],
  [
    'another suite first',
    25,
    (seen) => ({ tls: { ...seen.tls, ciphers: seen.tls.ciphers.toReversed() } }),
    [
      { what: 'first', protocol: 'TLSv1.2' },
      { what: 'first', protocol: 'TLSv1.3' },
    ],
    ['not-reloaded'],
  ],
  [
    'AUTH before TLS',
    25,
    (seen) => ({ auth: { ...seen.auth, beforeTls: ['PLAIN'] } }),
    [{ what: 'auth', when: 'before', files: [], running: ['PLAIN'] }],
    ['not-reloaded'],
  ],
  [
    'no AUTH after TLS',
    587,
    (seen) => ({ auth: { ...seen.auth, afterTls: [] } }),
    [{ what: 'auth', when: 'after', files: null, running: [] }],
    ['not-reloaded'],
  ],
  ['AUTH that was not told', 587, () => ({ auth: { beforeTls: null, afterTls: null } }), [], []],
  [
    'silence',
    25,
    () => ({ remoteAddress: null, complete: false, greeting: null }),
    [{ what: 'silence' }],
    ['not-running'],
  ],
  [
    'a port that the files do not have',
    25,
    () => ({ port: 2525 }),
    [{ what: 'listener' }],
    ['other-listener'],
  ],
  [
    'another address',
    587,
    () => ({ address: '192.0.2.1', remoteAddress: '192.0.2.1' }),
    [{ what: 'listener' }],
    ['other-listener'],
  ],
  ['a name for the address', 587, () => ({ address: 'mail.example.org' }), [], []],
  ['loopback of the other kind', 10025, () => ({ address: '::1', remoteAddress: '::1' }), [], []],
  ['silence where the files have nothing', 25, () => ({ port: 2525, remoteAddress: null }), [], []],
];

test.each(rows)('%s', (_, port, change, differences, reasons) => {
  const seen = agreeing(port);
  const comparison = comparePort({ ...seen, ...change(seen) }, PORTS);
  expect(comparison.differences).toEqual(
    differences.map((difference) => expect.objectContaining(difference as Difference)),
  );
  expect(comparison.reasons).toEqual(reasons);
});

test('a release that nobody named is a reason for other suites', () => {
  const assumed = PORTS.map((port) => ({ ...port, assumed: true }));
  const seen = agreeing(25);
  const ciphers = seen.tls.ciphers.slice(1);
  expect(comparePort({ ...seen, tls: { ...seen.tls, ciphers } }, assumed).reasons).toContain(
    'assumed-release',
  );
  expect(comparePort({ ...seen, auth: { ...seen.auth, beforeTls: ['PLAIN'] } }, assumed).reasons).toEqual([
    'not-reloaded',
  ]);
});

test('keys that the files do not tell leave out the suites of the other kind only', () => {
  const seen = agreeing(25);
  const ciphers = seen.tls.ciphers.filter(({ name }) => !name.includes('CHACHA20'));
  const [difference] = comparePort({ ...seen, tls: { ...seen.tls, ciphers } }, PORTS).differences;
  expect(difference).toMatchObject({
    what: 'suites',
    protocol: 'TLSv1.2',
    extra: [],
    missing: ['ECDHE-RSA-CHACHA20-POLY1305', 'DHE-RSA-CHACHA20-POLY1305'],
  });
});

test('what Dovecot offers its own address in the clear is no difference', () => {
  const dovecot = configuredPorts(
    hostFromTexts(
      { 'dovecot.conf': 'protocols = imap\nssl_cert = </x.crt\nssl_key = </x.key\n' },
      { dovecot: '2.3.19.1', openssl: '3.0' },
    ),
  );
  const imap = dovecot.find(({ endpoint }) => endpoint.port === 143) as ConfiguredPort;
  const seen: ProbedEndpoint = {
    ...agreeing(25),
    port: 143,
    speaks: 'imap',
    greeting: '* OK ready',
    preference: {},
    tls: {
      ...imap.endpoint.tls,
      ciphers: (imap.endpoint.tls.ciphers ?? []).filter(({ name }) => !name.includes('ECDSA')),
    },
    auth: { beforeTls: ['PLAIN'], afterTls: ['PLAIN'] },
  };
  expect(comparePort(seen, dovecot).differences).toEqual([]);
  expect(comparePort({ ...seen, localAddress: '127.0.0.2' }, dovecot).differences).toEqual([
    { what: 'auth', when: 'before', files: [], running: ['PLAIN'] },
  ]);
});

describe('targets', () => {
  test.each([
    ['mail.example.org', { host: 'mail.example.org', port: 25 }],
    ['mail.example.org:587', { host: 'mail.example.org', port: 587 }],
    ['192.0.2.1:993', { host: '192.0.2.1', port: 993 }],
    ['[::1]:25', { host: '::1', port: 25 }],
    ['[2001:db8::1]', { host: '2001:db8::1', port: 25 }],
    ['2001:db8::1', { host: '2001:db8::1', port: 25 }],
    ['fe80::1%eth0', { host: 'fe80::1%eth0', port: 25 }],
    ['xn--bcher-kva.example.', { host: 'xn--bcher-kva.example.', port: 25 }],
  ])('%s', (text, expected) => {
    expect(readTarget(text)).toEqual(expected);
  });

  test.each([
    '',
    ':25',
    'mail:',
    'mail:0',
    'mail:65536',
    'mail:25-30',
    'mail:25,26',
    'mail:smtp',
    '192.0.2.0/24',
    '192.0.2.*',
    '192.0.2.1-9',
    '192.0.2',
    '300.1.1.1',
    '[192.0.2.1]:25',
    '[::1:25',
    '::1]:25',
    'a b',
    'a..b',
    '-x',
    'mail:25:26',
    'http://mail/',
    'x'.repeat(300),
  ])('not %j', (text) => {
    expect(typeof readTarget(text)).toBe('string');
  });

  test.each<readonly [number, MailProtocol | 'none' | undefined, unknown]>([
    [25, undefined, { starttls: 'smtp', spoken: 'smtp' }],
    [465, undefined, { starttls: null, spoken: 'smtp' }],
    [993, undefined, { starttls: null, spoken: 'imap' }],
    [995, undefined, { starttls: null, spoken: 'pop3' }],
    [4190, undefined, { starttls: 'sieve', spoken: 'sieve' }],
    [24, undefined, { starttls: 'lmtp', spoken: 'lmtp' }],
    [993, 'imap', { starttls: 'imap', spoken: 'imap' }],
    [12345, 'none', { starttls: null, spoken: undefined }],
    [12345, undefined, null],
  ])('port %i, asked %s', (port, asked, expected) => {
    expect(mannerOf(port, asked)).toEqual(expected);
  });
});
