import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts } from '../support/host.ts';

const MAIN = 'smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2, !SSLv3\nsmtpd_use_tls = yes\n';
const MASTER =
  'smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\na inet n - y - - smtpd\n  -o non_smtpd_milters=\nb inet n - y - - smtpd\n  -o non_smtpd_milters=\n';
const DOVECOT =
  'auth_mechanisms = plain cram-md5\nssl = yes\nprotocol imap {\n  ssl_min_protocol = TLSv1\n}\nprotocol pop3 {\n  ssl_min_protocol = TLSv1\n}\n';

/** "rule fingerprint" of the findings of some rules, in the order of the rule and its place. */
function prints(texts: Readonly<Record<string, string>>): string[] {
  const host = hostFromTexts(texts, { postfix: '3.7.11', dovecot: '2.3.19.1' });
  return evaluate(host, BUILTIN_RULES, builtinProfile('modern')).map(
    ({ rule, fingerprint }) => `${rule} ${fingerprint}`,
  );
}

const WHOLE = { 'main.cf': MAIN, 'master.cf': MASTER, 'dovecot.conf': DOVECOT };
const KNOWN = prints(WHOLE);

test('no two findings of a host share one', () => {
  expect(new Set(KNOWN).size).toBe(KNOWN.length);
  expect(KNOWN.filter((text) => text.startsWith('postfix/unused-override'))).toHaveLength(2);
});

test.each([
  ['comments and blank lines', { ...WHOLE, 'main.cf': `# x\n\n${MAIN}`, 'dovecot.conf': `\n${DOVECOT}` }],
  ['another first line', { ...WHOLE, 'main.cf': `mail_name = Postfix\n${MAIN}` }],
  ['another order', { ...WHOLE, 'main.cf': MAIN.split('\n').toReversed().join('\n').trimStart() }],
  [
    'another service of the role before them',
    { ...WHOLE, 'master.cf': `2525 inet n - y - - smtpd\n${MASTER}` },
  ],
  ['a block before them', { ...WHOLE, 'dovecot.conf': `protocol lmtp {\n  mail_plugins =\n}\n${DOVECOT}` }],
  ['a line that a template engine fills', { ...WHOLE, 'main.cf': `${MAIN}mail_name = {{ name }}\n` }],
  ['carriage returns', { ...WHOLE, 'dovecot.conf': DOVECOT.replaceAll('\n', '\r\n') }],
])('all stay the same with %s', (_, texts) => {
  expect(prints(texts)).toEqual(expect.arrayContaining(KNOWN));
});

test('the other of two that are alike keeps its own when one is mended', () => {
  const only = (texts: Readonly<Record<string, string>>): string[] =>
    prints(texts).filter((text) => text.startsWith('postfix/unused-override'));
  const [first, second] = only(WHOLE);
  const mended = MASTER.replace('  -o non_smtpd_milters=\n', '');
  expect(only({ ...WHOLE, 'master.cf': mended })).toEqual([second]);
  expect(first).not.toBe(second);
});
