import type { DovecotContext } from '../../src/dovecot/effective.ts';
import { dovecot } from '../support/dovecot.ts';

const V24 = 'dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n';

/**
 * Expected values are those that running servers of 2.3.19.1 and 2.4.4 used (facts on the language, §3 and
 * §4), and what doveconf -f prints.
 */
test.each<
  readonly [what: string, release: string, text: string, name: string, context: DovecotContext, value: string]
>([
  ['a default', '2.3.19.1', '', 'ssl_min_protocol', {}, 'TLSv1.2'],
  ['a default of an older release', '2.3.13', '', 'ssl_min_protocol', {}, 'TLSv1'],
  ['the last line', '2.3.19.1', 'ssl = no\nssl = yes\n', 'ssl', {}, 'yes'],
  ['a filter that matches', '2.3.19.1', 'protocol imap {\nssl = no\n}\n', 'ssl', { protocol: 'imap' }, 'no'],
  [
    'a filter that does not',
    '2.3.19.1',
    'protocol imap {\nssl = no\n}\n',
    'ssl',
    { protocol: 'pop3' },
    'yes',
  ],
  ['all protocols but one', '2.3.19.1', 'protocol !imap {\nssl = no\n}\n', 'ssl', { protocol: 'pop3' }, 'no'],
  [
    '2.3: the longer prefix, whatever the order',
    '2.3.19.1',
    'remote 127.0.0.2 {\nssl = no\n}\nremote 127.0.0.0/8 {\nssl = required\n}\n',
    'ssl',
    { remoteIp: '127.0.0.2' },
    'no',
  ],
  [
    '2.4: the last of the file, whatever its prefix',
    '2.4.1',
    `${V24}remote 127.0.0.2 {\nssl = no\n}\nremote 127.0.0.0/8 {\nssl = required\n}\n`,
    'ssl',
    { remoteIp: '127.0.0.2' },
    'required',
  ],
  [
    'a star stands for one label',
    '2.4.1',
    `${V24}local_name *.example.org {\nssl = no\n}\n`,
    'ssl',
    { localName: 'a.EXAMPLE.org' },
    'no',
  ],
  [
    'and not for two',
    '2.4.1',
    `${V24}local_name *.example.org {\nssl = no\n}\n`,
    'ssl',
    { localName: 'b.a.example.org' },
    'yes',
  ],
  [
    'several names in one filter of 2.3',
    '2.3.19.1',
    'local_name "a.example b.example" {\nssl_cert = </b\n}\n',
    'ssl_cert',
    { localName: 'b.example' },
    '</b',
  ],
  [
    'a reference',
    '2.3.19.1',
    'mail_plugins = a\nprotocol imap {\nmail_plugins = $mail_plugins b\n}\n',
    'mail_plugins',
    { protocol: 'imap' },
    'a b',
  ],
  [
    'a reference before the global line',
    '2.3.19.1',
    'protocol imap {\nmail_plugins = $mail_plugins b\n}\nmail_plugins = a\n',
    'mail_plugins',
    { protocol: 'imap' },
    ' b',
  ],
  [
    'a late reference',
    '2.4.2',
    `${V24}login_greeting = $SET:hostname\nhostname = b\n`,
    'login_greeting',
    {},
    'b',
  ],
  [
    'a reference of 2.4.1',
    '2.4.1',
    `${V24}hostname = a\nlogin_greeting = $SET:hostname\nhostname = b\n`,
    'login_greeting',
    {},
    'a',
  ],
  [
    'a reference by path',
    '2.4.4',
    `${V24}login_greeting = $SET:service/auth/service_client_limit\n`,
    'login_greeting',
    {},
    '1000',
  ],
  [
    'an old reference in 2.4 is text',
    '2.4.4',
    `${V24}hostname = a\nlogin_greeting = $hostname\n`,
    'login_greeting',
    {},
    '$hostname',
  ],
  [
    'a key without the name of its section',
    '2.4.1',
    `${V24}ssl_server {\ncert_file = a\n}\n`,
    'ssl_server_cert_file',
    {},
    'a',
  ],
  [
    'a filter by name',
    '2.4.1',
    `${V24}ssl_min_protocol = TLSv1.2\nssl_server {\nssl_min_protocol = TLSv1.3\n}\n`,
    'ssl_min_protocol',
    { sections: [{ type: 'ssl_server', name: '' }] },
    'TLSv1.3',
  ],
  [
    'a filter by name, outside of it',
    '2.4.1',
    `${V24}ssl_server {\nssl_min_protocol = TLSv1.3\n}\n`,
    'ssl_min_protocol',
    {},
    'TLSv1.2',
  ],
  [
    'a list on one line',
    '2.4.1',
    `${V24}auth_mechanisms = plain, login\n`,
    'auth_mechanisms',
    {},
    'plain login',
  ],
  [
    'a list that is added to',
    '2.4.1',
    `${V24}auth_mechanisms {\nlogin = yes\n}\n`,
    'auth_mechanisms',
    {},
    'plain login',
  ],
  [
    'a list that is taken from',
    '2.4.1',
    `${V24}auth_mechanisms = plain login\nprotocol imap {\nauth_mechanisms {\nlogin = no\n}\n}\n`,
    'auth_mechanisms',
    { protocol: 'imap' },
    'plain',
  ],
  [
    'a default of a service',
    '2.4.1',
    V24,
    'port',
    {
      sections: [
        { type: 'service', name: 'imap-login' },
        { type: 'inet_listener', name: 'imaps' },
      ],
    },
    '993',
  ],
  [
    'a default of a service of 2.3',
    '2.3.13',
    '',
    'port',
    {
      sections: [
        { type: 'service', name: 'imap-login' },
        { type: 'inet_listener', name: 'imaps' },
      ],
    },
    '993',
  ],
  [
    'a user by reference',
    '2.3.13',
    'default_internal_user = x\n',
    'user',
    { sections: [{ type: 'service', name: 'anvil' }] },
    'x',
  ],
  [
    'a global setting beats the default of a service',
    '2.4.1',
    `${V24}service_process_limit = 7\n`,
    'process_limit',
    { sections: [{ type: 'service', name: 'anvil' }] },
    '7',
  ],
  [
    'a path with slashes',
    '2.3.13',
    'service/auth/client_limit = 5\n',
    'client_limit',
    { sections: [{ type: 'service', name: 'auth' }] },
    '5',
  ],
  [
    'a group',
    '2.4.2',
    `${V24}group @g x {\nhostname = b\n}\nprotocol imap {\n@g = x\n}\n`,
    'hostname',
    { protocol: 'imap' },
    'b',
  ],
  [
    'what is said itself beats the group',
    '2.4.2',
    `${V24}group @g x {\nhostname = b\n}\nprotocol imap {\n@g = x\nhostname = c\n}\n`,
    'hostname',
    { protocol: 'imap' },
    'c',
  ],
  [
    'a decimal mode',
    '2.3.19.1',
    'service auth {\nunix_listener x {\nmode = 660\n}\n}\n',
    'mode',
    {
      sections: [
        { type: 'service', name: 'auth' },
        { type: 'unix_listener', name: 'x' },
      ],
    },
    '01224',
  ],
])('%s (%s)', (_what, release, text, name, context, value) => {
  const configuration = dovecot(text, release);
  expect(configuration.get(name, context).value).toBe(value);
});

test('a value says where it comes from, over all files', () => {
  const texts = {
    'dovecot.conf': '!include d/*.conf\n',
    'd/1.conf': 'ssl = no\n',
    'd/2.conf': 'ssl = required # x\n',
  };
  const configuration = dovecot(texts, '2.3.19.1');
  const { at, origin, assignment } = configuration.get('ssl');
  expect(at === null ? null : [at.source.path, at.source.slice(at.span)]).toEqual([
    'd/2.conf',
    'ssl = required',
  ]);
  expect(origin.kind).toBe('file');
  expect(assignment?.valueAt.source.slice(assignment.valueAt.span)).toBe('required');
  expect(configuration.get('ssl_cert').origin).toEqual({
    kind: 'default',
    server: 'dovecot',
    release: '2.3.19.1',
  });
  expect(
    configuration.deadSettings().map(({ dead, winner }) => [dead.file.source.path, winner.file.source.path]),
  ).toEqual([['d/1.conf', 'd/2.conf']]);
});

test('files that values name are relative to the file that names them', () => {
  const texts = {
    '/e/d.conf': '!include c/s.conf\n',
    '/e/c/s.conf': 'ssl_cert = <k/a.pem\nssl_key = </k.pem\n',
  };
  const configuration = dovecot(texts, '2.3.19.1');
  expect(['ssl_cert', 'ssl_key', 'ssl_ca'].map((name) => configuration.get(name).path)).toEqual([
    '/e/c/k/a.pem',
    '/k.pem',
    null,
  ]);
  const text = `${V24}ssl_server_cert_file = a.pem\nssl_server_key_file = </k.pem\nssl_server_ca_file = inline:x\n`;
  const newer = dovecot({ '/e/d.conf': text }, '2.4.1');
  const names = ['ssl_server_cert_file', 'ssl_server_key_file', 'ssl_server_ca_file', 'ssl_server_dh_file'];
  expect(names.map((name) => newer.get(name).path)).toEqual(['/e/a.pem', '/k.pem', null, null]);
});

test('filters of 2.3 that disagree and do not hold each other are a conflict', () => {
  const text = 'remote 10.0.0.0/8 {\nssl = no\n}\nprotocol imap {\nssl = required\n}\n';
  const both = dovecot(text, '2.3.19.1').get('ssl', { protocol: 'imap', remoteIp: '10.1.1.1' });
  expect([both.value, both.conflict?.written]).toEqual(['no', 'required']);
  expect(dovecot(text, '2.3.19.1').get('ssl', { protocol: 'imap' }).conflict).toBeNull();
});

test('services have the listeners of the server and those of the files', () => {
  const text =
    'service imap-login {\ninet_listener imap {\nport = 0\n}\n}\nservice auth {\nunix_listener /var/spool/postfix/private/auth {\nmode = 0666\nuser = postfix\n}\n}\nservice own {\n}\n';
  for (const [release, before] of [
    ['2.3.19.1', ''],
    ['2.4.1', V24],
  ] as const) {
    const services = dovecot(before + text, release).services();
    const imap = services.find(({ name }) => name === 'imap-login');
    const inet = imap?.listeners.filter(({ kind }) => kind === 'inet_listener') ?? [];
    expect(inet.map((listener) => [listener.name, listener.get('port').value])).toEqual([
      ['imap', '0'],
      ['imaps', '993'],
    ]);
    const auth = services.find(({ name }) => name === 'auth');
    const postfix = auth?.listeners.find(({ name }) => name.startsWith('/var/spool'));
    expect(['mode', 'user', 'group'].map((key) => postfix?.get(key).value)).toEqual(['0666', 'postfix', '']);
    expect(postfix?.openings.map(({ source, span }) => source.slice(span))).toEqual([
      'unix_listener /var/spool/postfix/private/auth {',
    ]);
    expect(services.some(({ name }) => name === 'own')).toBe(true);
  }
});

test('sections without a name are each one of their own', () => {
  const text = 'passdb {\ndriver = pam\n}\npassdb {\ndriver = passwd-file\nargs = /x\n}\n';
  const passdbs = dovecot(text, '2.3.19.1').sections('passdb');
  expect(passdbs.map((passdb) => ['driver', 'args', 'deny'].map((key) => passdb.get(key).value))).toEqual([
    ['pam', '', 'no'],
    ['passwd-file', '/x', 'no'],
  ]);
  const newer = dovecot(`${V24}passdb pam {\n}\npassdb foo {\ndriver = static\n}\n`, '2.4.1').sections(
    'passdb',
  );
  expect(newer.map((passdb) => [passdb.name, passdb.get('driver').value])).toEqual([
    // The authentication server takes the name for the driver where there is none.
    ['pam', ''],
    ['foo', 'static'],
  ]);
});
