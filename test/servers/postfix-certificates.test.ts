import fs from 'node:fs';
import path from 'node:path';
import { CERTIFICATE_CASES, CERTIFICATE_FILES, certificateSettings } from '../support/certificate-cases.ts';
import { type Root, roots } from './roots.ts';
import { freePort, look, shownKeyType, startPostfix, surroundings } from './running.ts';

// One Postfix with many listeners, each with certificate files of its own, good ones and bad ones: whether it
// has TLS, and certificates of which key types it shows, is what stands in the table that pfharden is held
// against by test/postfix/certificates.test.ts.

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

let tried = 0;
afterAll(() => {
  process.stdout.write(`settings of certificates tried on running servers: ${tried}\n`);
});

describe.each(roots().map((one) => ({ name: `${one.release}, Postfix ${one.postfix}`, root: one })))(
  '$name',
  ({ root }: { root: Root }) => {
    it('loads what the table says', async () => {
      const folder = `/tmp/pfh-${process.pid}-certificates`;
      const outside = path.join(root.path, folder);
      fs.mkdirSync(outside, { recursive: true });
      for (const [name, text] of Object.entries(CERTIFICATE_FILES))
        fs.writeFileSync(path.join(outside, name), text);
      const listeners: { settings: readonly string[]; seen: string; port: number }[] = [];
      for (const [files, seen] of CERTIFICATE_CASES)
        listeners.push({ settings: certificateSettings(files, folder), seen, port: await freePort() });
      const main = [
        'compatibility_level = 2',
        'smtpd_tls_security_level = may',
        // Newer releases leave out the suites of DSA.
        'tls_medium_cipherlist = ALL',
        'smtpd_relay_restrictions = reject_unauth_destination',
        ...Object.entries(surroundings(root, folder)).map(([name, value]) => `${name} = ${value}`),
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
      const running = await startPostfix(
        root,
        folder,
        listeners.map(({ port }) => port),
      );
      const differences: string[] = [];
      try {
        for (const { settings, seen, port } of listeners) {
          const { starttlsReply } = await look(port, false);
          const types: string[] = [];
          for (const [type, signatures] of Object.entries(SIGNATURES)) {
            if ((await shownKeyType(port, signatures)) !== null) types.push(type);
          }
          const now = `${starttlsReply} ${types.join()}`.trim();
          if (now !== seen) differences.push(`${settings.join(' ')}: ${now}, not ${seen}`);
          tried++;
        }
      } finally {
        await running.stop();
      }
      expect(differences).toEqual([]);
    });
  },
);
