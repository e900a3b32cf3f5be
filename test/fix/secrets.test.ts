// Secrets that a fix moves: the new text does not tell any more that they are some.
import { unifiedDiff } from '../../src/fix/diff.ts';
import { proposeFixes } from '../../src/fix/fix.ts';
import { postconfScript } from '../../src/fix/postconf-script.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { SourceFile } from '../../src/text/source.ts';
import { hostFromTexts, hostInputFromTexts } from '../support/host.ts';

const SMTPD = 'smtp inet n - n - - smtpd\n';

test('a line that holds what was a secret before is in no diff', () => {
  const before = `${SMTPD}  -o a=b\n  smtp_sasl_password_maps = static:me:hunter2\n`;
  const after = `${SMTPD}  -o a=b,smtp_sasl_password_maps,=,static:me:hunter2\n`;
  const { text, withheld } = unifiedDiff({
    server: 'postfix',
    before: new SourceFile('master.cf', before),
    after: new SourceFile('master.cf', after),
  });
  expect(text).not.toContain('hunter2');
  expect(withheld).toContain(3);
});

test('a value with a secret in it is in no script', () => {
  const { text, impossible } = postconfScript(
    hostFromTexts({ 'main.cf': 'virtual_alias_maps = a\n', 'master.cf': SMTPD }),
    hostFromTexts({ 'main.cf': 'virtual_alias_maps = mysql:{password=hunter2}\n', 'master.cf': SMTPD }),
  );
  expect(text).not.toContain('hunter2');
  expect(impossible).toEqual(['main.cf: virtual_alias_maps (a secret stands in its value)']);
});

test('what a fix would cause is said without the secret', () => {
  const { left } = proposeFixes(
    hostInputFromTexts(
      {
        'main.cf': 'biff = no\n',
        'master.cf': `${SMTPD}  -o smtpd_client_restrictions=permit_mynetworks,reject\n  smtp_sasl_password_maps = static:me:hunter2\n`,
      },
      // Without braces for options, commas keep the words together.
      { postfix: '2.11.11', dovecot: '2.3.19.1', openssl: '1.1.1' },
    ),
    BUILTIN_RULES,
    builtinProfile('modern'),
    { unsafe: true },
  );
  const reasons = left.map(({ reason }) => reason).join('\n');
  expect(reasons).toMatch(/restriction-unreachable.*\(hidden\)/);
  expect(reasons).not.toContain('hunter2');
});
