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
