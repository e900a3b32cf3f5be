// Servers that hosts share are read when somebody asks for what they hold, and let go in between: what is said of a
// host is the same, and nothing that was read is kept.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { digestOf } from '../../src/cli/known-outcomes.ts';
import { buildHost, type Host, type HostInput } from '../../src/hosts/host.ts';
import { paletteOf } from '../../src/reports/palette.ts';
import { hostText } from '../../src/reports/text.ts';
import { hostReport } from '../../src/reports/totals.ts';
import { judgement } from '../../src/rules/evaluate.ts';
import { KnownServers } from '../../src/rules/known-servers.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostInputFromTexts } from '../support/host.ts';

const profile = builtinProfile('modern');

const MASTER = [
  'smtp inet n - n - - smtpd',
  'submission inet n - n - - smtpd',
  '  -o smtpd_tls_security_level=encrypt',
  '  -o smtpd_sasl_auth_enable=yes',
  'lmtp unix - - n - - lmtp',
  'smtp unix - - n - - smtp',
  '',
].join('\n');
const SASL =
  'smtpd_tls_cert_file = /etc/ssl/mail.pem\nsmtpd_tls_key_file = /etc/ssl/mail.key\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n';

/** Postfixes that want something of Dovecot, or nothing. */
const POSTFIX: readonly string[] = [
  'myhostname = a.example.org\n',
  `# pfharden: ignore postfix/vrfy\ndisable_vrfy_command = no\n${SASL}`,
  `${SASL}virtual_transport = lmtp:unix:private/dovecot-lmtp\n`,
  `${SASL}smtpd_sasl_tls_security_options = noplaintext\n`,
  `${SASL}smtpd_tls_mandatory_protocols = >=TLSv1.3\nsmtp_sasl_password_maps = static:me:geheim\n`,
  'smtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:127.0.0.1:12345\nsmtp_tls_security_level = {{ level }}\n',
];

const HEAD =
  'ssl = required\nssl_cert = </etc/ssl/mail.pem\nssl_key = </etc/ssl/mail.key\npassdb {\n  driver = pam\n}\nuserdb {\n  driver = passwd\n}\n';
const SOCKETS =
  'service auth {\n  unix_listener /var/spool/postfix/private/auth {\n    mode = 0660\n    user = postfix\n  }\n}\n' +
  'service lmtp {\n  unix_listener /var/spool/postfix/private/dovecot-lmtp {\n    mode = 0600\n    user = postfix\n  }\n}\n';

/** Dovecots that have it, or have not. */
const DOVECOT: readonly string[] = [
  `${HEAD}protocols = imap lmtp\n${SOCKETS}auth_mechanisms = plain login\n`,
  `${HEAD}protocols = imap\n${SOCKETS}`,
  `${HEAD}protocols = imap lmtp\nssl_min_protocol = TLSv1.2\n`,
  `protocols = imap lmtp\n${SOCKETS.replaceAll('user = postfix', 'user = dovecot')}ssl = yes\n`,
  `${HEAD}protocols = imap {{ more }}\n{% if one %}\nssl_min_protocol = TLSv1\n{% endif %}\n`,
  `!include conf.d/*.conf\n${HEAD}passdb {\n  driver = ldap\n  args = dnpass=verborgen\n}\n`,
];

const HOSTS: readonly HostInput[] = POSTFIX.flatMap((main) =>
  DOVECOT.map((dovecot) =>
    hostInputFromTexts({ 'main.cf': main, 'master.cf': MASTER, 'dovecot.conf': dovecot }),
  ),
);

/** All that is said of a host. */
function said(host: Host, known?: KnownServers): string {
  const { findings, suppressed } = judgement(
    host,
    BUILTIN_RULES,
    profile,
    known === undefined ? {} : { known },
  );
  const text = { width: 100, palette: paletteOf(false), profile: profile.title, suppressed: true };
  const places = findings.map(({ at, fingerprint, fix, valueFrom, endpoints }) => [
    at.source.path,
    at.span,
    fingerprint,
    fix,
    valueFrom,
    endpoints,
  ]);
  return `${hostText(hostReport(host, findings, 'info', suppressed), text)}\n${JSON.stringify(places)}`;
}

const ALONE = HOSTS.map((input) => said(buildHost(input)));

test('the hosts are such that rules which look at both servers find something in some of them', () => {
  const found = ['sasl-socket', 'lmtp-socket', 'protocol-floor', 'mechanisms'].map(
    (rule) => ALONE.filter((text) => text.includes(`[cross/${rule}]`)).length,
  );
  expect(Math.min(...found)).toBeGreaterThan(0);
  expect(Math.max(...found)).toBeLessThan(HOSTS.length);
});

test.each([
  ['one server is kept', 1],
  ['some are kept', 5],
  ['all are kept', 100],
])('where %s, the same is said of each host as without others', (_, most) => {
  const known = new KnownServers(digestOf, most);
  // Twice, and the other way round in between: each server is met fresh, let go, and known.
  const order = [...HOSTS.keys()];
  for (const index of [...order, ...order.toReversed(), ...order]) {
    const input = HOSTS[index];
    if (input === undefined) throw new Error('no host');
    expect(said(known.hostOf(input), known)).toBe(ALONE[index]);
  }
});

test('a host that is made of one that was made before is asked for files as the first one was', () => {
  const known = new KnownServers();
  const asked: string[] = [];
  const [input] = HOSTS as [HostInput];
  const open = (path: string): null => {
    asked.push(path);
    return null;
  };
  const host = known.hostOf({ ...input, open });
  const again = known.hostOf(host.input);
  expect(again.input.open('/etc/postfix/no-such')).toBeNull();
  expect(asked).toContain('/etc/postfix/no-such');
});

test('of a server that was let go nothing has to be found again', () => {
  const known = new KnownServers(digestOf, 1);
  const [one, other] = [HOSTS[0], HOSTS[8]] as [HostInput, HostInput];
  said(known.hostOf(one), known);
  said(known.hostOf(other), known);
  const again = known.hostOf(one);
  const ofOne = BUILTIN_RULES.rules.filter(
    ({ applies: { server } }) => server === 'postfix' || server === 'dovecot',
  );
  const found = ofOne.flatMap((rule) => known.knownOf(rule, again) ?? []);
  expect(found.length).toBeGreaterThan(2);
  const before = judgement(buildHost(one), BUILTIN_RULES, profile).findings;
  expect(found.map(({ fingerprint }) => fingerprint).toSorted()).toEqual(
    before
      .filter(({ rule }) => !rule.startsWith('cross/'))
      .map(({ fingerprint }) => fingerprint)
      .toSorted(),
  );
});

test('what was read of a server that was let go is not kept', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const known = new KnownServers(digestOf, 1);
  const visit = (index: number): WeakRef<object>[] => {
    // Files of its own, that nothing else holds.
    const texts = { 'main.cf': POSTFIX[index] ?? '', 'dovecot.conf': DOVECOT[index] ?? '' };
    const host = known.hostOf(hostInputFromTexts({ ...texts, 'master.cf': MASTER }));
    said(host, known);
    const { postfix, dovecot } = host;
    const read = [
      postfix?.configuration,
      postfix?.configuration.main,
      dovecot?.configuration,
      dovecot?.configuration.tree.main,
    ];
    return read.map((one) => new WeakRef<object>(one ?? {}));
  };
  const first = visit(1);
  visit(2);
  visit(3);
  // What a WeakRef gave is kept to the end of the turn.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(first.map((one) => one.deref() === undefined)).toEqual([true, true, true, true]);
});
