import { secretParts } from '../../src/model/secrets.ts';

test.each([
  'user=a password=hunter2 b',
  'PASSWD = hunter2',
  'db_pass=hunter2',
  'x-pw=hunter2',
  'client_secret="hunter2"',
  'Token=hunter2',
  'apikey=hunter2',
  'API_KEY=hunter2',
  'dnpass=hunter2',
  'authorization: hunter2',
  'ldap://u:hunter2@ldap.example',
])('a secret is found wherever its name stands: %s', (value) => {
  const parts = secretParts(value).map(({ start, end }) => value.slice(start, end));
  expect(parts.map((part) => part.replaceAll('"', ''))).toEqual(['hunter2']);
});

test.each(['yes', 'hash:/etc/postfix/virtual', 'key = x', 'a@b.example', 'compass=north', 'pass', ''])(
  'nothing is secret in %p',
  (value) => {
    expect(secretParts(value)).toEqual([]);
  },
);

// A line that a blank at its start has made part of the one before, an inline table, an option.
test.each([
  ['hello\n  smtp_sasl_password_maps = static:me:hunter2\n', 'static:me:hunter2'],
  ['hello  ldap_bind_pw = hunter two ', 'hunter two'],
  ['hello\r\n\tldap_bind_pw=hunter two\r\nmore', 'hunter two'],
  ['ldap_bind_pw=hunter two', 'hunter two'],
  ['# ldap_bind_pw=hunter two', 'hunter two'],
  ['smtpd -o smtp_sasl_password_maps=static:me:hunter2 -v', 'static:me:hunter2'],
  ['x { passphrase=hunter2 }, { user=x }', 'hunter2'],
  ['nonce = hunter2 user = me', 'hunter2'],
  ['db_password = hunter2, and more', 'hunter2, and more'],
  ['x credentials="hunter 2" x', '"hunter 2"'],
  ["x nonce='hunter 2", "'hunter 2"],
  [`x key = ${'0123456789'.repeat(4)}`, '0123456789'.repeat(4)],
  ['password=a secret = b c', 'a|b c'],
])('a setting within a value is looked at like any other: %p', (value, secret) => {
  expect(
    secretParts(value)
      .map(({ start, end }) => value.slice(start, end))
      .join('|'),
  ).toBe(secret);
});

test.each([
  'x\n  smtp_sasl_password_maps = hash:/etc/postfix/passwords',
  'x\n  my_password = $other',
  'x\n  smtpd_tls_key_file = /etc/ssl/private/mx.key',
  'x\n  api_key =',
])('a setting within a value that has no secret: %p', (value) => {
  expect(secretParts(value)).toEqual([]);
});
