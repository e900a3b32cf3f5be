import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { keyTypes, serviceCertificates } from '../../src/postfix/certificates.ts';
import { hostFromTexts } from '../support/host.ts';
import { makeCertificate, pemBlock } from '../support/x509.ts';
import { type Root, roots } from './roots.ts';
import { freePort, look, shownKeyType, startPostfix, surroundings } from './running.ts';

// One Postfix with many listeners, each with certificate files of its own, good ones and bad ones. Whether it
// has TLS, and certificates of which key types it shows, is held against what pfharden reads in the files.

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
const FILES: Readonly<Record<string, string | Uint8Array>> = {
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
  'bad-other-base64.crt': `-----BEGIN X509 CRL-----\n*\n-----END X509 CRL-----\n${own}`,
  'key-as-cert.crt': key(ec),
  'empty.crt': '',
  'bad.key': pemBlock('PRIVATE KEY', Buffer.from('30030201', 'hex')),
};

const LEGACY = ['cert_file', 'key_file', 'eccert_file', 'eckey_file', 'dcert_file', 'dkey_file'] as const;
type Setting = (typeof LEGACY)[number] | 'chain_files';

/** Files by setting. */
const CASES: readonly Readonly<Partial<Record<Setting, string>>>[] = [
  { cert_file: 'ec.crt', key_file: 'ec.key' },
  { cert_file: 'ec.crt', key_file: 'ec-sec1.key' },
  { cert_file: 'ec.crt', key_file: 'ec-parameters.key' },
  { cert_file: 'rsa.crt', key_file: 'rsa.key' },
  { cert_file: 'rsa.crt', key_file: 'rsa-pkcs1.key' },
  { cert_file: 'rsa.crt', key_file: 'rsa.key', eccert_file: 'ec.crt', eckey_file: 'ec.key' },
  { cert_file: 'ec.crt', key_file: 'ec.key', eccert_file: 'rsa.crt', eckey_file: 'rsa.key' },
  { cert_file: 'ec2.crt', key_file: 'ec2.key', eccert_file: 'ec.crt', eckey_file: 'ec.key' },
  { eccert_file: 'ec.crt', eckey_file: 'ec.key' },
  { cert_file: 'none', eccert_file: 'ec.crt', eckey_file: 'ec.key' },
  { cert_file: 'none' },
  { cert_file: 'ed.pem' },
  { cert_file: 'dsa.pem' },
  { dcert_file: 'cert-key.pem' },
  { cert_file: 'rsa1024.pem' },
  { cert_file: 'rsa512.pem' },
  { cert_file: 'cert-key.pem' },
  { cert_file: 'key-cert.pem' },
  { cert_file: 'two-keys.pem' },
  { cert_file: 'other-key-first.pem' },
  { cert_file: 'cert-key.pem', key_file: 'key-cert.pem' },
  { cert_file: 'ec.crt' },
  { cert_file: 'ec.crt', key_file: 'ec2.key' },
  { cert_file: 'ec.crt', key_file: 'rsa.key' },
  { cert_file: 'rsa.crt', key_file: 'rsa.key', eccert_file: 'ec.crt', eckey_file: 'ec2.key' },
  { cert_file: 'ec.crt', key_file: 'ec-encrypted.key' },
  { cert_file: 'ec.crt', key_file: 'ec-traditional.key' },
  { cert_file: 'ec.crt', key_file: 'absent.key' },
  { cert_file: 'absent.crt', key_file: 'ec.key' },
  { cert_file: 'chain.pem', key_file: 'ec.key' },
  { cert_file: 'turned.pem', key_file: 'ec.key' },
  { cert_file: 'expired.crt', key_file: 'ec.key' },
  { cert_file: 'future.crt', key_file: 'ec.key' },
  { cert_file: 'trusted.crt', key_file: 'ec.key' },
  { cert_file: 'trusted.pem' },
  { cert_file: 'old-label.crt', key_file: 'ec.key' },
  { cert_file: 'der.crt', key_file: 'ec.key' },
  { cert_file: 'request.crt', key_file: 'ec.key' },
  { cert_file: 'crlf.crt', key_file: 'ec.key' },
  { cert_file: 'text.crt', key_file: 'ec.key' },
  { cert_file: 'indented.crt', key_file: 'ec.key' },
  { cert_file: 'cut.crt', key_file: 'ec.key' },
  { cert_file: 'bad-base64.crt', key_file: 'ec.key' },
  { cert_file: 'bad-end.crt', key_file: 'ec.key' },
  { cert_file: 'bad-second.crt', key_file: 'ec.key' },
  { cert_file: 'bad-other.crt', key_file: 'ec.key' },
  { cert_file: 'bad-other-base64.crt', key_file: 'ec.key' },
  { cert_file: 'key-as-cert.crt', key_file: 'ec.key' },
  { cert_file: 'empty.crt', key_file: 'ec.key' },
  { cert_file: 'ec.crt', key_file: 'bad.key' },
  { cert_file: 'ec.crt', key_file: 'ec.crt' },
  { chain_files: 'key-cert.pem' },
  { chain_files: 'key-cert.pem, key-rsa.pem' },
  { chain_files: 'ec.key ec.crt rsa.key rsa.crt' },
  { chain_files: 'key-chain.pem' },
  { chain_files: 'key-cert.pem', cert_file: 'absent.crt' },
  { chain_files: 'key-cert.pem', cert_file: 'none' },
  { chain_files: 'cert-key.pem' },
  { chain_files: 'ec.crt ec.key' },
  { chain_files: 'ec.key' },
  { chain_files: 'ec.key ec2.key ec2.crt' },
  { chain_files: 'ec.key ec.crt ec2.key ec2.crt' },
  { chain_files: 'ec.key rsa.crt' },
  { chain_files: 'ec2.key ec.crt rsa.key rsa.crt' },
  { chain_files: 'absent.pem' },
  { chain_files: 'key-cert.pem absent.pem' },
  { chain_files: 'empty.crt' },
  { chain_files: 'empty.crt key-cert.pem' },
  { chain_files: 'ec-parameters.key ec.crt' },
  { chain_files: 'ec-encrypted.key ec.crt' },
  { chain_files: 'ec-traditional.key ec.crt' },
  { chain_files: 'ec.key trusted.crt' },
  { chain_files: 'ec.key cut.crt' },
  { chain_files: 'ec.key bad-other.crt' },
  { chain_files: 'bad.key ec.crt' },
];

/** Signatures that bring a server to show a certificate of one key type. */
const SIGNATURES: Readonly<Record<string, string>> = {
  RSA: 'RSA+SHA256:RSA+SHA1:rsa_pss_rsae_sha256',
  ECDSA: 'ECDSA+SHA256',
  Ed25519: 'ed25519',
  DSA: 'DSA+SHA256:DSA+SHA1',
};

const SERVICES = [
  'pickup unix n - n 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'proxymap unix - - n - - proxymap',
  'postlog unix-dgram n - n - 1 postlogd',
  'rewrite unix - - n - - trivial-rewrite',
  'anvil unix - - n - 1 anvil',
];

let compared = 0;
afterAll(() => {
  process.stdout.write(`certificate settings held against running servers: ${compared}\n`);
});

describe.each(roots().map((one) => ({ name: `${one.release}, Postfix ${one.postfix}`, root: one })))(
  '$name',
  ({ root: server }: { root: Root }) => {
    it('loads what pfharden says that it loads', async () => {
      const folder = `/tmp/pfh-${process.pid}-certificates`;
      const outside = path.join(server.path, folder);
      fs.mkdirSync(outside, { recursive: true });
      for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(outside, name), text);
      const listeners: { settings: string[]; port: number }[] = [];
      for (const files of CASES) {
        const settings = Object.entries(files).map(([name, value]) => {
          const paths = value.replace(/[^ ,]+/g, (word) => (word === 'none' ? word : `${folder}/${word}`));
          return `smtpd_tls_${name}=${paths.replace(/[ ,]+/g, ',')}`;
        });
        listeners.push({ settings, port: await freePort() });
      }
      const main = [
        'compatibility_level = 2',
        'smtpd_tls_security_level = may',
        // Newer releases leave out the suites of DSA.
        'tls_medium_cipherlist = ALL',
        'smtpd_relay_restrictions = reject_unauth_destination',
        ...Object.entries(surroundings(server, folder)).map(([name, value]) => `${name} = ${value}`),
        '',
      ].join('\n');
      const master = [
        ...listeners.flatMap(({ settings, port }) => [
          `127.0.0.1:${port} inet n - n - - smtpd`,
          ...settings.map((setting) => `  -o ${setting}`),
        ]),
        ...SERVICES,
        '',
      ].join('\n');
      fs.writeFileSync(path.join(outside, 'main.cf'), main);
      fs.writeFileSync(path.join(outside, 'master.cf'), master);
      const texts = Object.fromEntries(
        Object.entries(FILES).map(([name, text]) => [
          `${folder}/${name}`,
          typeof text === 'string' ? text : Buffer.from(text).toString('latin1'),
        ]),
      );
      const { postfix } = hostFromTexts(
        { ...texts, 'main.cf': main, 'master.cf': master },
        { postfix: server.postfix, openssl: server.openssl },
      );
      if (postfix === null) throw new Error('no Postfix');

      const running = await startPostfix(
        server,
        folder,
        listeners.map(({ port }) => port),
      );
      const differences: string[] = [];
      try {
        for (const { settings, port } of listeners) {
          const endpoint = postfix.endpoints.find((one) => one.port === port);
          if (endpoint === undefined) throw new Error(`no endpoint for port ${port}`);
          const certificates = serviceCertificates(postfix.configuration, endpoint.service, 'smtpd');
          const fault = certificates.certificates.find((one) => one.fault !== null)?.fault?.kind ?? null;
          const said = fault === null ? keyTypes(certificates).types : [];
          const { starttlsReply } = await look(port, false);
          const seen: string[] = [];
          for (const [type, signatures] of Object.entries(SIGNATURES)) {
            if ((await shownKeyType(port, signatures)) !== null) seen.push(type);
          }
          const chains = settings.some((setting) => setting.includes('chain_files'));
          const expected = fault === null || (fault === 'absent' && chains) ? '220' : '454';
          if (starttlsReply !== expected || seen.join() !== [...said].sort(byName).join())
            differences.push(
              `${settings.join(' ').replaceAll(`${folder}/`, '')}: ${starttlsReply} ${seen.join()}, not ${fault} ${said.join()}`,
            );
          compared++;
        }
      } finally {
        await running.stop();
      }
      expect(differences).toEqual([]);
    });
  },
);

const ORDER = Object.keys(SIGNATURES);
function byName(a: string, b: string): number {
  return ORDER.indexOf(a) - ORDER.indexOf(b);
}
