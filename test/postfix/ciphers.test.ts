import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { PostfixEndpoint } from '../../src/postfix/endpoints.ts';
import { librarySettings } from '../../src/postfix/library-settings.ts';
import { suitesOf } from '../../src/tls/suites.ts';
import { hostFromTexts } from '../support/host.ts';
import { makeCertificate } from '../support/x509.ts';

/** The endpoint of the only service in a master.cf of one line. */
function endpoint(service: string, main: readonly string[], postfix = '3.7.11'): PostfixEndpoint {
  const texts = {
    'main.cf': ['smtpd_tls_cert_file = none', ...main, ''].join('\n'),
    'master.cf': `${service}\ntlsproxy unix - - n - 0 tlsproxy\n`,
  };
  const [only] = hostFromTexts(texts, { postfix, openssl: '3.0' }).postfix?.endpoints ?? [];
  if (only === undefined) throw new Error(`no endpoint: ${service}`);
  return only;
}

const SMTPD = 'smtp inet n - n - - smtpd';
const SMTP = 'smtp unix - - n - - smtp';
const POSTSCREEN = 'smtp inet n - n - 1 postscreen';
const MAY = 'smtpd_tls_security_level = may';
const ENCRYPT = 'smtpd_tls_security_level = encrypt';
const HIGH = 'aNULL:-aNULL:HIGH:@STRENGTH';
const MEDIUM = 'aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH';

describe('the cipher string that OpenSSL gets', () => {
  /**
   * As tls_misc.c, smtpd.c, tlsproxy.c and smtp_tls_policy.c of the release make it; what comes of it is
   * held against running servers in test/servers/ciphers.test.ts.
   */
  test.each<[string, string, readonly string[], string, string | null]>([
    ['the opportunistic grade', SMTPD, [MAY], '3.7.11', MEDIUM],
    ['a grade in capitals', SMTPD, [MAY, 'smtpd_tls_ciphers = HIGH'], '3.7.11', HIGH],
    ['not the mandatory grade', SMTPD, [MAY, 'smtpd_tls_mandatory_ciphers = high'], '3.7.11', MEDIUM],
    ['the mandatory grade', SMTPD, [ENCRYPT, 'smtpd_tls_mandatory_ciphers = high'], '3.7.11', HIGH],
    [
      'low, with a list of its own',
      SMTPD,
      [MAY, 'smtpd_tls_ciphers = low'],
      '3.7.11',
      'aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH',
    ],
    [
      'low, no longer',
      SMTPD,
      [MAY, 'smtpd_tls_ciphers = low', 'tls_low_cipherlist = LOW', 'tls_medium_cipherlist = AES'],
      '3.8',
      'AES',
    ],
    [
      'export, no longer',
      SMTPD,
      [MAY, 'smtpd_tls_ciphers = export', 'tls_medium_cipherlist = AES'],
      '3.11.7',
      'AES',
    ],
    ['a list of the administrator', SMTPD, [MAY, 'tls_medium_cipherlist = ECDHE+AES'], '3.7.11', 'ECDHE+AES'],
    [
      'exclusions with every separator',
      SMTPD,
      [MAY, 'tls_medium_cipherlist = AES', 'smtpd_tls_exclude_ciphers = aNULL, RC4:MD5 3DES'],
      '3.7.11',
      'AES:!aNULL:!RC4:!MD5:!3DES',
    ],
    [
      'mandatory exclusions not at may',
      SMTPD,
      [MAY, 'tls_medium_cipherlist = AES', 'smtpd_tls_mandatory_exclude_ciphers = aNULL'],
      '3.7.11',
      'AES',
    ],
    [
      'both exclusions, plain ones first',
      SMTPD,
      [
        ENCRYPT,
        'tls_medium_cipherlist = AES',
        'smtpd_tls_mandatory_exclude_ciphers = aNULL',
        'smtpd_tls_exclude_ciphers = MD5',
      ],
      '3.7.11',
      'AES:!MD5:!aNULL',
    ],
    [
      'aNULL for who asks for certificates',
      SMTPD,
      [MAY, 'smtpd_tls_cert_file = x.pem', 'tls_medium_cipherlist = AES', 'smtpd_tls_ask_ccert = yes'],
      '3.7.11',
      'AES:!aNULL',
    ],
    [
      'a demand that does not count at may',
      SMTPD,
      [MAY, 'tls_medium_cipherlist = AES', 'smtpd_tls_req_ccert = yes'],
      '3.7.11',
      'AES',
    ],
    [
      'a demand that counts',
      SMTPD,
      [ENCRYPT, 'smtpd_tls_cert_file = x.pem', 'tls_medium_cipherlist = AES', 'smtpd_tls_req_ccert = yes'],
      '3.7.11',
      'AES:!aNULL',
    ],
    [
      'wrappermode',
      `${SMTPD}\n  -o smtpd_tls_wrappermode=yes`,
      ['smtpd_tls_mandatory_ciphers = high'],
      '3.7.11',
      HIGH,
    ],
    ['a list of one service', `${SMTPD}\n  -o tls_medium_cipherlist=AES`, [MAY], '3.7.11', 'AES'],
    [
      'tlsproxy, by its own level',
      POSTSCREEN,
      [
        MAY,
        'tls_medium_cipherlist = AES',
        'tls_high_cipherlist = CAMELLIA',
        'tlsproxy_tls_security_level = encrypt',
        'tlsproxy_tls_mandatory_ciphers = high',
      ],
      '3.7.11',
      'CAMELLIA',
    ],
    [
      'a client at may',
      SMTP,
      [
        'smtp_tls_security_level = may',
        'tls_medium_cipherlist = AES',
        'smtp_tls_mandatory_exclude_ciphers = MD5',
      ],
      '3.7.11',
      'AES',
    ],
    [
      'a client at encrypt',
      SMTP,
      [
        'smtp_tls_security_level = encrypt',
        'tls_medium_cipherlist = AES',
        'smtp_tls_exclude_ciphers = MD5',
        'smtp_tls_mandatory_exclude_ciphers = RC4',
      ],
      '3.7.11',
      'AES:!MD5:!RC4:!eNULL',
    ],
    [
      'a client that verifies',
      SMTP,
      ['smtp_tls_security_level = verify', 'tls_medium_cipherlist = AES'],
      '3.7.11',
      'AES:!aNULL',
    ],
    [
      'a client with dane, for who has none',
      SMTP,
      ['smtp_tls_security_level = dane', 'tls_medium_cipherlist = AES'],
      '3.7.11',
      'AES',
    ],
  ])('%s', (_, service, main, release, expected) => {
    expect(endpoint(service, main, release).cipherSettings.string).toBe(expected);
  });

  it.each([
    ['an unknown grade', ['smtpd_tls_ciphers = strong'], 'invalid-cipher-grade'],
    ['the word invalid', ['smtpd_tls_ciphers = invalid'], 'invalid-cipher-grade'],
    ['an unknown grade that does not count', ['smtpd_tls_mandatory_ciphers = strong'], null],
    ['an empty grade, even if it does not count', ['smtpd_tls_mandatory_ciphers ='], 'empty-cipher-setting'],
    ['an empty list', ['tls_null_cipherlist ='], 'empty-cipher-setting'],
    [
      'an exclusion with an operator',
      ['smtpd_tls_exclude_ciphers = aNULL, !RC4'],
      'invalid-cipher-exclusion',
    ],
    ['an operator by itself', ['smtpd_tls_exclude_ciphers = @STRENGTH'], 'invalid-cipher-exclusion'],
    ['client certificates without one of its own', ['smtpd_tls_ask_ccert = yes'], 'no-certificate'],
  ])('%s', (_, main, fault) => {
    const found = endpoint(SMTPD, [MAY, ...main]);
    expect(found.fault).toBe(fault);
    expect(found.tls.protocols.length > 0).toBe(fault === null);
  });

  it('says where each exclusion stands', () => {
    const { exclusions } = endpoint(SMTPD, [
      ENCRYPT,
      'smtpd_tls_exclude_ciphers = MD5, -RC4',
      'smtpd_tls_mandatory_exclude_ciphers = aNULL',
    ]).cipherSettings;
    expect(exclusions.map(({ text, from, at, valid }) => [text, from?.name, at, valid])).toEqual([
      ['MD5', 'smtpd_tls_exclude_ciphers', 0, true],
      ['-RC4', 'smtpd_tls_exclude_ciphers', 5, false],
      ['aNULL', 'smtpd_tls_mandatory_exclude_ciphers', 0, true],
    ]);
  });

  it('knows a tlsproxy that does no TLS', () => {
    expect(endpoint(POSTSCREEN, ['postscreen_tls_security_level = may']).fault).toBe('tlsproxy-off');
  });
});

describe('what running servers took', () => {
  const read = (...parts: readonly string[]): string =>
    readFileSync(path.join(__dirname, '..', ...parts), 'utf8');
  const pair = ({ publicKey, privateKey }: KeyPairKeyObjectResult): string =>
    makeCertificate({ publicKey, privateKey }) + String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const files: Readonly<Record<string, string>> = {
    'rsa.pem': pair(generateKeyPairSync('rsa', { modulusLength: 2048 })),
    'p256.pem': pair(generateKeyPairSync('ec', { namedCurve: 'prime256v1' })),
    'p384.pem': pair(generateKeyPairSync('ec', { namedCurve: 'secp384r1' })),
    'brainpool.pem': pair(generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' })),
    'ed25519.pem': pair(generateKeyPairSync('ed25519')),
    'dsa.pem': pair(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })),
    'dh512.pem': read('servers', 'data', 'dh512.pem'),
    'dh1024.pem': read('servers', 'data', 'dh1024.pem'),
  };
  const lines = read('recorded', 'suites.tsv')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  it('has an answer of each release', () => {
    expect([...new Set(lines.map((line) => line.split('\t')[0]))]).toEqual([
      '3.5.25',
      '3.7.11',
      '3.10.13',
      '3.11.7',
    ]);
  });

  it.each(lines.map((line) => line.split('\t')))(
    '%s, OpenSSL %s: %s',
    (postfix, openssl, overrides, ...met) => {
      const settings = (overrides ?? '').replaceAll('{folder}/', '/etc/postfix/').split('; ');
      const ordered = settings.includes('tls_preempt_cipherlist=yes');
      const host = hostFromTexts(
        {
          ...files,
          'main.cf': ['smtpd_tls_cert_file=/etc/postfix/rsa.pem', ...settings, ''].join('\n'),
          'master.cf': `${SMTPD}\n`,
        },
        { postfix: postfix ?? '', openssl: openssl ?? '' },
      );
      const { tls } = host.postfix?.endpoints[0] ?? {};
      const ids = new Map(
        suitesOf(openssl ?? '').map(({ name, id }) => [name, id.toString(16).padStart(4, '0')]),
      );
      let before = '';
      const predicted = (tls?.protocols ?? []).map((protocol) => {
        const found = (tls?.ciphers ?? [])
          .filter((cipher) => cipher.protocol === protocol)
          .map(({ name }) => ids.get(name) ?? name);
        const text = (ordered ? found : found.toSorted()).join(' ');
        const cell = `${protocol} ${text === before ? '=' : text}`;
        before = text;
        return cell;
      });
      expect(predicted).toEqual(met);
    },
  );
});

describe('an openssl.cnf of the administrator', () => {
  const read = (name: string): string =>
    readFileSync(path.join(__dirname, '..', 'servers', 'data', name), 'utf8');
  const tls = (settings: readonly string[], postfix = '3.7.11') => {
    const host = hostFromTexts(
      {
        'main.cf': [MAY, 'smtpd_tls_cert_file = /elsewhere.pem', ...settings, ''].join('\n'),
        'master.cf': `${SMTPD}\n`,
        'suites.cnf': read('suites.cnf'),
        'limits.cnf': read('limits.cnf'),
      },
      { postfix, openssl: postfix === '3.5.25' ? '1.1.1w' : '3.0' },
    );
    const [found] = host.postfix?.endpoints ?? [];
    if (found === undefined) throw new Error('no endpoint');
    return {
      fault: found.fault,
      protocols: found.tls.protocols.join(' '),
      tls13: found.tls.ciphers?.filter(({ protocol }) => protocol === 'TLSv1.3').map(({ name }) => name),
      preference: found.tls.preference,
    };
  };
  const ALL = 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3';
  const file = (name: string): string => `tls_config_file = /etc/postfix/${name}`;

  // As smtpd of 3.5.25 and 3.7.11 does.
  test.each([
    [[file('suites.cnf')], '3.7.11', ALL, ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'], 'client'],
    [
      [file('suites.cnf'), 'tls_config_name = mail'],
      '3.7.11',
      ALL,
      ['TLS_CHACHA20_POLY1305_SHA256'],
      'server',
    ],
    [[file('limits.cnf')], '3.5.25', 'TLSv1 TLSv1.2', [], 'client'],
    [
      [file('limits.cnf')],
      '3.7.11',
      'TLSv1 TLSv1.2 TLSv1.3',
      ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
      'client',
    ],
    // 3.4 does not know the parameter.
    [
      [file('limits.cnf')],
      '3.4.0',
      ALL,
      ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
      'client',
    ],
  ])('%s in %s', (settings, postfix, protocols, tls13, preference) => {
    expect(tls(settings, postfix)).toEqual({ fault: null, protocols, tls13, preference });
  });

  it('is no TLS where the path is not absolute', () => {
    expect(tls(['tls_config_file = suites.cnf']).fault).toBe('invalid-config-file');
  });

  test.each([
    ['absent.cnf', true],
    ['suites.cnf', false],
  ])('%s: something stays unknown: %s', (name, unknown) => {
    const host = hostFromTexts(
      { 'main.cf': `${file(name)}\n`, 'suites.cnf': read('suites.cnf') },
      { postfix: '3.7.11', openssl: '3.0' },
    );
    const { configuration } = host.postfix ?? {};
    const [service] = configuration?.services ?? [];
    if (configuration === undefined || service === undefined) throw new Error('no service');
    expect(librarySettings(configuration, service).unknown).toBe(unknown);
  });
});
