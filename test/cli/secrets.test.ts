// No secret in any output, wherever in Postfix's files it stands.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LINT_FORMATS } from '../../src/cli/options.ts';

const PROGRAM = join(__dirname, '..', '..', 'dist', 'pfharden.js');
const SECRET = /Gehe\d[mn]\w*|zweites W/;

const MAIN = `compatibility_level = 3.6
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/ssl/mx.pem
# smtp_sasl_password_maps = static:me:Gehe1mXX
smtpd_tls_protocols = !SSLv2
# password: Gehe2mXX
smtpd_banner = $myhostname ESMTP
  smtp_sasl_password_maps = static:me:Gehe3mXX
smtpd_tls_exclude_ciphers = aNULL
  ldap_bind_pw = Gehe4mXX zweites Wort
virtual_alias_maps = mysql:{{user=me}, {password=Gehe5mXX}}, hash:nowhere
smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service { inet:h:1, my_token = Gehe6mXX }
my_password Gehe7mXX
  x = static:me:Gehe3nXX
relayhost = mx.example.net
  my_token = Gehe1nXX
inet_interfaces = 192.0.2.1
  my_secret = Gehe2nXX
biff = no
`;
const MASTER = `smtp inet n - n - - smtpd
  -o smtpd_tls_security_level = may
  -o smtp_sasl_password_maps=static:me:Gehe8mXX
# my_token = Gehe9mXX
  -o smtpd_tls_protocols=!SSLv2
submission inet n - n - - smtpd
  -o smtpd_sender_restrictions=permit_mynetworks
  smtp_sasl_password_maps = static:me:Gehe4nXX
smtp unix - - n - - smtp
x unix - n n - - pipe
  user=me argv=/bin/x my_password=Gehe0mXX
`;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pfharden-secrets-'));
  writeFileSync(join(folder, 'main.cf'), MAIN);
  writeFileSync(join(folder, 'master.cf'), MASTER);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function said(...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args, '.', '--no-exec'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return stdout + stderr;
}

test.each(LINT_FORMATS.map((format) => [format]))('lint --format %s', (format) => {
  const text = said('lint', '--format', format, '--profile', 'strict', '--verbose');
  expect(text).toMatch(/swallowed-setting/);
  expect(SECRET.exec(text)).toBeNull();
});

test.each([
  ['fix', /^\+disable_vrfy_command = yes$/m],
  ['fix --unsafe', /^\+disable_vrfy_command = yes$/m],
  ['fix --unsafe --format postconf', /smtpd_tls_protocols/],
  ['show', /smtpd_banner/],
  ['show --format json', /smtpd_banner/],
])('%s', (command, expected) => {
  const text = said(...command.split(' '));
  expect(text).toMatch(expected);
  expect(SECRET.exec(text)).toBeNull();
});
