import { unifiedDiff } from '../../src/fix/diff.ts';
import { proposeFixes } from '../../src/fix/fix.ts';
import { postconfScript } from '../../src/fix/postconf-script.ts';
import { frame } from '../../src/reports/frame.ts';
import { PLAIN } from '../../src/reports/palette.ts';
import { secretPlaces } from '../../src/reports/secret-places.ts';
import { hostText } from '../../src/reports/text.ts';
import { hostReport } from '../../src/reports/totals.ts';
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

// The same for Dovecot: inline, in arguments, in comments, in lines that are none.
const DOVECOT = `ssl = yes
ssl_key_password = hunter2 # hunter3
# doveadm_password = hunter4
auth_policy_server_api_header = Authorization: Basic hunter5x
ssl_key = -----BEGIN PRIVATE KEY-----hunter6xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
ssl_alt_key = </etc/ssl/shown.pem
passdb {
  driver = static
  args = user=shown password=hunter7x nopassword=y
  password=hunter8x
}
dict {
  sql = mysql:connect="host=localhost password=hunter9x dbname=mail"
  redis = redis://user:hunter10x@localhost/0
}
imapc_password "hunter11x"
unknown_thing = shown
doveadm_api_key = hunter12
auth_policy_hash_nonce = hunter13x # password=hunter14x
`;

it.each(['2.3.19.1', '2.4.1'])("no secret of Dovecot's is in frames, findings or diff (%s)", (dovecot) => {
  const input = hostInputFromTexts({ 'dovecot.conf': DOVECOT }, { dovecot });
  const result = proposeFixes(input, BUILTIN_RULES, builtinProfile('strict'), { unsafe: true });
  const report = hostReport(result.before, result.findingsBefore, 'info');
  const text = hostText(report, { width: 200, palette: PLAIN, profile: 'strict' });
  const source = result.before.dovecot?.input.main;
  if (source === undefined) throw new Error('no Dovecot');
  const places = secretPlaces(result.before);
  const frames = Array.from({ length: source.lineCount }, (_, index) =>
    frame(
      { source, span: source.lineSpan(index + 1) },
      { width: 200, secrets: places, mark: String, dim: String },
    ),
  ).flat();
  const all = [...frames, text, ...result.files.map((file) => unifiedDiff(file).text)];
  expect(all.filter((line) => line.includes('hunt'))).toEqual([]);
  expect(frames.filter((line) => line.includes('shown'))).toHaveLength(3);
});

it('what is no secret stays: logins and host names', () => {
  const { findingsBefore } = proposeFixes(hostInputFromTexts(TEXTS), BUILTIN_RULES, builtinProfile('modern'));
  expect(findingsBefore.map(({ message }) => message).join('\n')).toContain('a.example');
});
