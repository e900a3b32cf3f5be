import { keyTypes, serviceCertificates } from '../../src/postfix/certificates.ts';
import { CERTIFICATE_CASES, certificateSettings, certificateTexts } from '../support/certificate-cases.ts';
import { hostFromTexts } from '../support/host.ts';

// What running servers made of the same files: see test/servers/postfix-certificates.test.ts.

const FOLDER = '/tmp/certificates';
const texts = certificateTexts(FOLDER);
const ORDER = ['RSA', 'ECDSA', 'Ed25519', 'DSA'];

it.each(CERTIFICATE_CASES.map(([files, seen]) => ({ settings: certificateSettings(files, FOLDER), seen })))(
  '$settings: $seen',
  ({ settings, seen }) => {
    const main = ['smtpd_tls_security_level=may', ...settings, ''].join('\n');
    const master = 'smtp inet n - n - - smtpd\n';
    const { postfix } = hostFromTexts(
      { ...texts, 'main.cf': main, 'master.cf': master },
      { postfix: '3.7.11' },
    );
    const [service] = postfix?.configuration.services ?? [];
    if (postfix === null || service === undefined) throw new Error('no service');
    const certificates = serviceCertificates(postfix.configuration, service, 'smtpd');
    const fault = certificates.certificates.find((one) => one.fault !== null)?.fault ?? null;
    // Postfix goes on without any certificate where it cannot open one of the chain files.
    const goesOn = fault?.kind === 'absent' && main.includes('chain_files');
    const types = fault === null ? [...keyTypes(certificates).types] : [];
    const sorted = types.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).join();
    expect(`${fault === null || goesOn ? '220' : '454'} ${sorted}`.trim()).toBe(seen);
  },
);

it('does not know chain files before 3.4', () => {
  const main = `smtpd_tls_security_level = may\nsmtpd_tls_chain_files = ${FOLDER}/key-cert.pem\n`;
  const texts33 = { ...texts, 'main.cf': main, 'master.cf': 'smtp inet n - n - - smtpd\n' };
  const { postfix } = hostFromTexts(texts33, { postfix: '3.3.22' });
  const [service] = postfix?.configuration.services ?? [];
  if (postfix === null || service === undefined) throw new Error('no service');
  expect(serviceCertificates(postfix.configuration, service, 'smtpd').certificates).toEqual([]);
});
