// Runs `pfharden ciphers` as users do.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { ciphersSchema } from './schemas.ts';

const PROGRAM = join(__dirname, '..', '..', 'dist', 'pfharden.js');

function ciphers(args: readonly string[], input = '') {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'ciphers', ...args], {
    encoding: 'utf8',
    input,
    env,
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}

test('text: what each suite is made of, what is forbidden and why, what does nothing', () => {
  const args = [
    'kRSA+AES:ECDHE+CHACHA20:ADH+AES128+SHA1:!PSD',
    '--openssl-version',
    '3.0',
    '--profile',
    'strict',
  ];
  expect(ciphers(args)).toEqual({
    status: 0,
    stderr: '',
    stdout: `OpenSSL 3.0; profile strict

protocol  suite                          key   auth   encryption              mac     not for strict
TLSv1.3   TLS_AES_256_GCM_SHA384         any   any    AESGCM(256)             AEAD
TLSv1.3   TLS_CHACHA20_POLY1305_SHA256   any   any    CHACHA20/POLY1305(256)  AEAD
TLSv1.3   TLS_AES_128_GCM_SHA256         any   any    AESGCM(128)             AEAD
TLSv1.2   AES256-GCM-SHA384              RSA   RSA    AESGCM(256)             AEAD    no-forward-secrecy*
TLSv1.2   AES256-CCM8                    RSA   RSA    AESCCM8(256)            AEAD    no-forward-secrecy*
TLSv1.2   AES256-CCM                     RSA   RSA    AESCCM(256)             AEAD    no-forward-secrecy*
TLSv1.2   AES128-GCM-SHA256              RSA   RSA    AESGCM(128)             AEAD    no-forward-secrecy*
TLSv1.2   AES128-CCM8                    RSA   RSA    AESCCM8(128)            AEAD    no-forward-secrecy*
TLSv1.2   AES128-CCM                     RSA   RSA    AESCCM(128)             AEAD    no-forward-secrecy*
TLSv1.2   AES256-SHA256                  RSA   RSA    AES(256)                SHA256  no-forward-secrecy* no-AEAD*
TLSv1.2   AES128-SHA256                  RSA   RSA    AES(128)                SHA256  no-forward-secrecy* no-AEAD*
SSLv3     AES256-SHA                     RSA   RSA    AES(256)                SHA1    no-forward-secrecy* no-AEAD*
SSLv3     AES128-SHA                     RSA   RSA    AES(128)                SHA1    no-forward-secrecy* no-AEAD*
TLSv1.2   ECDHE-ECDSA-CHACHA20-POLY1305  ECDH  ECDSA  CHACHA20/POLY1305(256)  AEAD
TLSv1.2   ECDHE-RSA-CHACHA20-POLY1305    ECDH  RSA    CHACHA20/POLY1305(256)  AEAD
SSLv3     ADH-AES128-SHA                 DH    None   AES(128)                SHA1    aNULL* aNULL+ no-AEAD*

13 suites, and 3 of TLSv1.3, which no cipher string touches.

forbidden  no-forward-secrecy where TLS is required (*): 10 suites with no forward secrecy: who gets
           the key of the server reads all that was recorded before (RFC 9325 section 4.1)
           no-AEAD where TLS is required (*): 5 suites with no authenticated encryption: encryption
           and integrity are two steps, which has been attacked again and again (RFC 9325 section
           4.2)
           aNULL where TLS is required (*) and on servers (+): 1 suite with no authentication:
           anybody on the way can pose as the server (RFC 5246 appendix F.1.1.1)
no effect  "PSD": no release knows "PSD"; did you mean PSK?
level      not set by the string: 1 as OpenSSL comes, 2 on Debian 12, Ubuntu 22.04, Ubuntu 24.04 and
           RHEL 9; a program may set its own
shortest   AES+RSA:CHACHA20+ECDH:ADH-AES128-SHA (says the same to OpenSSL 3.0)
`,
  });
});

test('JSON has what is promised and nothing else', () => {
  const { status, stdout, stderr } = ciphers([
    'DEFAULT:!PSD',
    '--openssl-version',
    '3.0',
    '--format',
    'json',
  ]);
  expect([status, stderr]).toEqual([0, '']);
  const answer: unknown = JSON.parse(stdout);
  const ajv = new Ajv({ strict: false });
  expect([ajv.validate(ciphersSchema, answer), ajv.errors]).toEqual([true, null]);
  expect(answer).toMatchObject({
    openssl: '3.0',
    suites: expect.arrayContaining([
      expect.objectContaining({
        name: 'ECDHE-RSA-AES256-GCM-SHA384',
        protocol: 'TLSv1.2',
        iana: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
        id: '0xC030',
        default: true,
        forbidden: [],
      }),
    ]),
    ignored: ['PSD'],
    error: null,
  });
  expect(stdout.indexOf('TLS_AES_256_GCM_SHA384')).toBeLessThan(stdout.indexOf('ECDHE'));
});

describe('exit status and what is said', () => {
  test.each<[args: string[], input: string, status: number, out: RegExp, err: RegExp]>([
    [['HIGH'], '', 0, /^OpenSSL 3\.6, assumed: --openssl-version names another; profile modern\n/, /^$/],
    [['HIGH:!'], '', 1, /OpenSSL refuses this string \(character 7\): invalid command/, /^$/],
    [['FOO'], '', 1, /OpenSSL refuses this string: no cipher match/, /^$/],
    [[''], '', 1, /no cipher match/, /^$/],
    [
      ['FOO', '--format', 'json'],
      '',
      1,
      /"suites": \[\],\n {2}"ignored": \[\n {4}"FOO"\n {2}\],\n {2}"error": "no cipher match/,
      /^$/,
    ],
    [['--', '-ALL:HIGH'], '', 0, /ECDHE-RSA-AES128-GCM-SHA256/, /^$/],
    [['--', '--help'], '', 1, /no cipher match/, /^$/],
    [['-'], 'AES128-SHA\n', 0, /AES128-SHA/, /^$/],
    [['HIGH', '--openssl-version', '3.0.20'], '', 0, /^OpenSSL 3\.0\.20; /, /^$/],
    [
      ['HIGH', '--openssl-version', '3.1.4'],
      '',
      0,
      /^OpenSSL 3\.1\.4; /,
      /the suites are those of OpenSSL 3\.0: known are /,
    ],
    [['HIGH', '--openssl-version', '4.0'], '', 0, /^OpenSSL 4\.0; /, /the suites are those of OpenSSL 3\.6/],
    [
      ['HIGH', '--openssl-version', '0.9.8'],
      '',
      2,
      /^$/,
      /OpenSSL 0\.9\.8 is older than all that is known: /,
    ],
    [['HIGH', '--openssl-version', 'new'], '', 2, /^$/, /"new" is no release/],
    [['HIGH', '--profile', 'medium'], '', 2, /^$/, /there is no profile "medium"/],
    [[], '', 2, /^$/, /ciphers needs a cipher string/],
    [['HIGH', '!aNULL'], '', 2, /^$/, /ciphers takes one string: put it in quotation marks/],
  ])('of %j', (args, input, status, stdout, stderr) => {
    expect(ciphers(args, input)).toEqual({
      status,
      stdout: expect.stringMatching(stdout),
      stderr: expect.stringMatching(stderr),
    });
  });
});

test('what a terminal might obey is not printed', () => {
  for (const format of ['text', 'json']) {
    const { stdout } = ciphers(['HIGH:\u001b[31m\u202eFOO', '--format', format]);
    expect([stdout.includes('\u001b'), stdout.includes('\u202e')]).toEqual([false, false]);
  }
});

test('a megabyte is answered', () => {
  const { status, stdout } = ciphers(['-'], `HIGH:${'!FOO:+AES:x'.repeat(90_000)}`);
  expect(status).toBe(0);
  expect(stdout.length).toBeLessThan(100_000);
});
