/**
 * Files of certificates and keys, good ones and bad ones, and what a running Postfix made of each way to
 * configure them: 3.5.25, 3.7.11, 3.10.13 and 3.11.7 all did the same, which
 * test/servers/postfix-certificates.test.ts sees to. The keys are new in each run.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { makeCertificate, pemBlock } from './x509.ts';

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 });
const rsa512 = generateKeyPairSync('rsa', { modulusLength: 512 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ec2 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const dsa = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
const ca = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

const key = ({ privateKey }: Keys, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8'): string =>
  privateKey.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' }).toString();
const hidden = ({ privateKey }: Keys, type: 'pkcs8' | 'sec1'): string =>
  privateKey
    .export({ type, format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' } as {
      type: 'pkcs8';
      format: 'pem';
      cipher: string;
      passphrase: string;
    })
    .toString();
const own = makeCertificate(ec, { dnsNames: ['mail.example.org'] });
const root = makeCertificate(ca, { subject: [['CN', 'Root']], ca: true });
const signed = makeCertificate(ec, { issuer: { name: [['CN', 'Root']], key: ca.privateKey } });
const der = Buffer.from(own.replace(/-----[^\n]*\n/g, ''), 'base64');

/** Files by name. */
export const CERTIFICATE_FILES: Readonly<Record<string, string | Uint8Array>> = {
  'ec.crt': own,
  'ec.key': key(ec),
  'ec-sec1.key': key(ec, 'sec1'),
  'ec-parameters.key':
    pemBlock('EC PARAMETERS', Buffer.from('06082a8648ce3d030107', 'hex')) + key(ec, 'sec1'),
  'ec-encrypted.key': hidden(ec, 'pkcs8'),
  'ec-traditional.key': hidden(ec, 'sec1'),
  'ec2.key': key(ec2),
  'ec2.crt': makeCertificate(ec2),
  'rsa.crt': makeCertificate(rsa),
  'rsa.key': key(rsa),
  'rsa-pkcs1.key': key(rsa, 'pkcs1'),
  'rsa1024.pem': makeCertificate(rsa1024) + key(rsa1024),
  'rsa512.pem': makeCertificate(rsa512) + key(rsa512),
  'dsa.pem': makeCertificate(dsa) + key(dsa),
  'ed.pem': makeCertificate(ed) + key(ed),
  'cert-key.pem': own + key(ec),
  'key-cert.pem': key(ec) + own,
  'key-rsa.pem': key(rsa) + makeCertificate(rsa),
  'two-keys.pem': key(ec) + own + key(ec2),
  'other-key-first.pem': key(ec2) + own + key(ec),
  'chain.pem': signed + root,
  'turned.pem': root + signed,
  'key-chain.pem': key(ec) + signed + root,
  'expired.crt': makeCertificate(ec, { from: Date.UTC(2010, 0), until: Date.UTC(2011, 0) }),
  'future.crt': makeCertificate(ec, { from: Date.UTC(2090, 0), until: Date.UTC(2091, 0) }),
  'trusted.crt': pemBlock('TRUSTED CERTIFICATE', der),
  'trusted.pem': pemBlock('TRUSTED CERTIFICATE', der) + key(ec),
  'old-label.crt': own.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'),
  'der.crt': der,
  'request.crt': own.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'),
  'crlf.crt': own.replace(/\n/g, '\r\n'),
  'text.crt': `Certificate:\n    Data: x\n${own}`,
  'indented.crt': own.replace(/^/gm, ' '),
  'cut.crt': own.slice(0, -40),
  'bad-base64.crt': own.replace(/\nM/, '\n*'),
  'bad-end.crt': own + own.slice(0, -40),
  'bad-second.crt': own + pemBlock('CERTIFICATE', Buffer.from('300330', 'hex')),
  'bad-other.crt': pemBlock('X509 CRL', Buffer.from('0000', 'hex')) + own,
  'bad-key.crt': pemBlock('PRIVATE KEY', Buffer.from('30030201', 'hex')) + own,
  'bad-certificate.key': pemBlock('CERTIFICATE', Buffer.from('300330', 'hex')) + key(ec),
  'bad-other-base64.crt': `-----BEGIN X509 CRL-----\n*\n-----END X509 CRL-----\n${own}`,
  'key-as-cert.crt': key(ec),
  'empty.crt': '',
  'bad.key': pemBlock('PRIVATE KEY', Buffer.from('30030201', 'hex')),
};

type Setting = `${'' | 'd' | 'ec'}${'cert' | 'key'}_file` | 'chain_files';

/** Files by setting, names without their `smtpd_tls_`. */
export type CertificateSettings = Readonly<Partial<Record<Setting, string>>>;

/** Settings, and what was seen: the reply to STARTTLS, and certificates of which key types were shown. */
export const CERTIFICATE_CASES: readonly (readonly [settings: CertificateSettings, seen: string])[] = [
  [{ cert_file: 'ec.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'ec.crt', key_file: 'ec-sec1.key' }, '220 ECDSA'],
  [{ cert_file: 'ec.crt', key_file: 'ec-parameters.key' }, '220 ECDSA'],
  [{ cert_file: 'rsa.crt', key_file: 'rsa.key' }, '220 RSA'],
  [{ cert_file: 'rsa.crt', key_file: 'rsa-pkcs1.key' }, '220 RSA'],
  [
    { cert_file: 'rsa.crt', key_file: 'rsa.key', eccert_file: 'ec.crt', eckey_file: 'ec.key' },
    '220 RSA,ECDSA',
  ],
  [
    { cert_file: 'ec.crt', key_file: 'ec.key', eccert_file: 'rsa.crt', eckey_file: 'rsa.key' },
    '220 RSA,ECDSA',
  ],
  [{ cert_file: 'ec2.crt', key_file: 'ec2.key', eccert_file: 'ec.crt', eckey_file: 'ec.key' }, '220 ECDSA'],
  [{ eccert_file: 'ec.crt', eckey_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'none', eccert_file: 'ec.crt', eckey_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'none' }, '220'],
  [{ cert_file: 'ed.pem' }, '220 Ed25519'],
  [{ cert_file: 'dsa.pem' }, '220 DSA'],
  [{ dcert_file: 'cert-key.pem' }, '220 ECDSA'],
  [{ cert_file: 'rsa1024.pem' }, '220 RSA'],
  [{ cert_file: 'rsa512.pem' }, '220 RSA'],
  [{ cert_file: 'cert-key.pem' }, '220 ECDSA'],
  [{ cert_file: 'key-cert.pem' }, '220 ECDSA'],
  [{ cert_file: 'two-keys.pem' }, '220 ECDSA'],
  [{ cert_file: 'other-key-first.pem' }, '454'],
  [{ cert_file: 'cert-key.pem', key_file: 'key-cert.pem' }, '220 ECDSA'],
  [{ cert_file: 'ec.crt' }, '454'],
  [{ cert_file: 'ec.crt', key_file: 'ec2.key' }, '454'],
  [{ cert_file: 'ec.crt', key_file: 'rsa.key' }, '454'],
  [{ cert_file: 'rsa.crt', key_file: 'rsa.key', eccert_file: 'ec.crt', eckey_file: 'ec2.key' }, '454'],
  [{ cert_file: 'ec.crt', key_file: 'ec-encrypted.key' }, '454'],
  [{ cert_file: 'ec.crt', key_file: 'ec-traditional.key' }, '454'],
  [{ cert_file: 'ec.crt', key_file: 'absent.key' }, '454'],
  [{ cert_file: 'absent.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'chain.pem', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'turned.pem', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'expired.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'future.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'trusted.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'trusted.pem' }, '454'],
  [{ cert_file: 'old-label.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'der.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'request.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'crlf.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'text.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'indented.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'cut.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'bad-base64.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'bad-end.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'bad-second.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'bad-other.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'bad-key.crt', key_file: 'ec.key' }, '220 ECDSA'],
  [{ cert_file: 'ec.crt', key_file: 'bad-certificate.key' }, '220 ECDSA'],
  [{ cert_file: 'bad-other-base64.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'key-as-cert.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'empty.crt', key_file: 'ec.key' }, '454'],
  [{ cert_file: 'ec.crt', key_file: 'bad.key' }, '454'],
  [{ cert_file: 'ec.crt', key_file: 'ec.crt' }, '454'],
  [{ chain_files: 'key-cert.pem' }, '220 ECDSA'],
  [{ chain_files: 'key-cert.pem, key-rsa.pem' }, '220 RSA,ECDSA'],
  [{ chain_files: 'ec.key ec.crt rsa.key rsa.crt' }, '220 RSA,ECDSA'],
  [{ chain_files: 'key-chain.pem' }, '220 ECDSA'],
  [{ chain_files: 'key-cert.pem', cert_file: 'absent.crt' }, '220 ECDSA'],
  [{ chain_files: 'key-cert.pem', cert_file: 'none' }, '220 ECDSA'],
  [{ chain_files: 'cert-key.pem' }, '454'],
  [{ chain_files: 'ec.crt ec.key' }, '454'],
  [{ chain_files: 'ec.key' }, '454'],
  [{ chain_files: 'ec.key ec2.key ec2.crt' }, '454'],
  [{ chain_files: 'ec.key ec.crt ec2.key ec2.crt' }, '454'],
  [{ chain_files: 'ec.key rsa.crt' }, '454'],
  [{ chain_files: 'ec2.key ec.crt rsa.key rsa.crt' }, '454'],
  [{ chain_files: 'absent.pem' }, '220'],
  [{ chain_files: 'key-cert.pem absent.pem' }, '220'],
  [{ chain_files: 'empty.crt' }, '454'],
  [{ chain_files: 'empty.crt key-cert.pem' }, '220 ECDSA'],
  [{ chain_files: 'ec-parameters.key ec.crt' }, '220 ECDSA'],
  [{ chain_files: 'ec-encrypted.key ec.crt' }, '454'],
  [{ chain_files: 'ec-traditional.key ec.crt' }, '454'],
  [{ chain_files: 'ec.key trusted.crt' }, '454'],
  [{ chain_files: 'ec.key cut.crt' }, '454'],
  [{ chain_files: 'ec.key bad-other.crt' }, '220 ECDSA'],
  [{ chain_files: 'bad.key ec.crt' }, '454'],
];

/** Lines of main.cf or overrides for files of a folder. */
export function certificateSettings(files: CertificateSettings, folder: string): readonly string[] {
  return Object.entries(files).map(([name, value]) => {
    const paths = value.replace(/[^ ,]+/g, (word) => (word === 'none' ? word : `${folder}/${word}`));
    return `smtpd_tls_${name}=${paths.replace(/[ ,]+/g, ',')}`;
  });
}

/** The files by path, as texts. */
export function certificateTexts(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(CERTIFICATE_FILES).map(([name, text]) => [
      `${folder}/${name}`,
      typeof text === 'string' ? text : Buffer.from(text).toString('latin1'),
    ]),
  );
}
