import { causedFindings, newFindings, proposeFixes } from '../../src/fix/fix.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostInputFromTexts } from '../support/host.ts';

const WITHOUT_TLS = [
  'protocols = imap',
  'ssl = no',
  'ssl_cert = </etc/ssl/certs/mail.pem',
  'ssl_key = </etc/ssl/private/mail.key',
  'service imap-login {',
  '  inet_listener imap {',
  '    port = 143',
  '  }',
  '  inet_listener imaps {',
  '    port = 993',
  '  }',
  '}',
  '',
].join('\n');

const fixed = proposeFixes(
  hostInputFromTexts({ 'dovecot.conf': WITHOUT_TLS }),
  BUILTIN_RULES,
  builtinProfile('modern'),
);

it('takes an error away, though a hint comes instead', () => {
  expect(fixed.mended.map(({ rule }) => rule)).toEqual(['dovecot/tls-off']);
  expect(fixed.findingsAfter.map(({ rule, severity }) => [rule, severity])).toEqual([
    ['dovecot/cleartext-listener', 'info'],
  ]);
});

it('blames a fix for a hint that comes where every error stays', () => {
  const after = { host: fixed.after, findings: fixed.findingsAfter, possible: fixed.findingsAfter };
  const [error] = fixed.findingsBefore;
  if (error === undefined) throw new Error('nothing was found before');
  const blamed = (before: readonly (typeof error)[], left: readonly (typeof error)[]) =>
    causedFindings(
      { host: fixed.before, findings: before, possible: before },
      { ...after, findings: [...left, ...after.findings], possible: [...left, ...after.possible] },
    ).map(({ rule }) => rule);
  expect(blamed([error], [])).toEqual([]);
  expect(blamed([error], [error])).toEqual(['dovecot/cleartext-listener']);
});

it('says what the fix of a finding would bring where it is not made', () => {
  const main = [
    'virtual_mailbox_domains = regexp:/etc/postfix/domains',
    'local_recipient_maps =',
    'mydestination =',
    'smtpd_reject_unlisted_recipient = no',
    '',
  ].join('\n');
  const { files, left } = proposeFixes(
    hostInputFromTexts({ 'main.cf': main, 'master.cf': 'smtp inet n - n - - smtpd\n' }),
    BUILTIN_RULES,
    builtinProfile('modern'),
    { only: new Set(['postfix/unlisted-recipient']) },
  );
  expect(files).toEqual([]);
  expect(
    left.filter(({ finding: { rule } }) => rule === 'postfix/unlisted-recipient').map(({ reason }) => reason),
  ).toEqual([
    'its fix would cause postfix/unlisted-recipient at main.cf:1: Mail for any name in regexp:/etc/postfix/domains is accepted on port 25 (smtp/inet), whether it exists or not: virtual_mailbox_maps is empty.',
  ]);
});

it('blames no fix for what was there all the time, in files of which Dovecot refuses less than before', () => {
  const judged = (...lines: readonly string[]) => {
    const input = hostInputFromTexts({ 'dovecot.conf': ['protocols = imap', ...lines, ''].join('\n') });
    const { before, findingsBefore } = proposeFixes(input, BUILTIN_RULES, builtinProfile('modern'), {
      only: new Set(),
    });
    return { host: before, findings: findingsBefore, possible: findingsBefore };
  };
  const refused = judged('ssl = perhaps');
  const taken = judged('ssl = no');
  const rules = (findings: ReturnType<typeof causedFindings>) => findings.map(({ rule }) => rule);
  expect(rules(newFindings(refused.findings, taken.findings))).toContain('dovecot/tls-off');
  expect(rules(causedFindings(refused, taken))).toEqual([]);
  expect(rules(causedFindings(judged('ssl = required'), taken))).toContain('dovecot/tls-off');
});
