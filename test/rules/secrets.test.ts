import { unifiedDiff } from '../../src/fix/diff.ts';
import { proposeFixes } from '../../src/fix/fix.ts';
import { postconfScript } from '../../src/fix/postconf-script.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostInputFromTexts } from '../support/host.ts';

// Every value that must not be shown holds the word hunter; most lines have a fault that makes a rule speak.
const TEXTS = {
  'main.cf': `myhostname = mx.example.com
ldap_bind_pw = hunter2 # why
foo_bind_pw = hunter3
virtual_alias_maps = ldap:ldapx
ldapx_bind_pw = hunter4x
smtpd_use_tls = yes
ldapx_bind_pw = hunter5x
smtp_sasl_password_maps = static:example.com:hunter6x
smtp_sasl_password_maps = inline:{ { x=example.com:hunter7x } }
home_mailbox = Maildir/
  foo_password = hunter8x-that-is-a-very-long-word-so-that-a-message-may-cut-it-in-the-middle-of-it-all
relayhost = [a.example]:587
smtp_sasl_auth_enable = yes
mysql_password = $hunter9x
x_password = \${hunter10x?a
y_token hunter11x
`,
  'master.cf': `smtp inet n - n - - smtpd -o foo_password=hunter12x -o foo_password=hunter13x -o bar_password = hunter14x
smtp unix - - n - - smtp -o smtp_sasl_password_maps=static:u:hunter15x, x
`,
};

it.each(['legacy-compatible', 'modern', 'strict'])(
  'no secret is in findings, diff or script (%s)',
  (profile) => {
    for (const unsafe of [false, true]) {
      const result = proposeFixes(hostInputFromTexts(TEXTS), BUILTIN_RULES, builtinProfile(profile), {
        unsafe,
      });
      const said = [...result.findingsBefore, ...result.findingsAfter].map(
        ({ message, advice, actual, expected, valueFrom, related, fix }) =>
          [
            message,
            advice,
            actual,
            expected,
            valueFrom,
            fix?.title,
            ...related.map((one) => one.message),
          ].join(' | '),
      );
      const { text, impossible } = postconfScript(result.before, result.after);
      const all = [
        ...said,
        ...result.left.map(({ reason }) => reason),
        text,
        ...impossible,
        ...result.files.map((file) => unifiedDiff(file).text),
      ];
      expect(said.length).toBeGreaterThan(10);
      expect(all.filter((line) => line.includes('hunt'))).toEqual([]);
    }
  },
);

it('what is no secret stays: logins and host names', () => {
  const { findingsBefore } = proposeFixes(hostInputFromTexts(TEXTS), BUILTIN_RULES, builtinProfile('modern'));
  expect(findingsBefore.map(({ message }) => message).join('\n')).toContain('a.example');
});
