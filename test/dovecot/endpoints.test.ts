import { DovecotConfiguration } from '../../src/dovecot/configuration.ts';
import { type DovecotEndpoint, dovecotEndpoints } from '../../src/dovecot/endpoints.ts';
import {
  addressText,
  isLoopback,
  octal,
  openSockets,
  runningProtocols,
  runningServices,
} from '../../src/dovecot/listeners.ts';
import { listedProtocols, lowestProtocolWords, protocolsOfWord } from '../../src/dovecot/lowest-protocol.ts';
import { readMechanisms } from '../../src/dovecot/mechanisms.ts';
import { SourceFile } from '../../src/text/source.ts';

// What is open and offered where the servers of the reference roots cannot show it: the usual ports, packages
// that they lack, Dovecot 2.2, sockets, other machines. Sources: facts/dovecot-tls.md §1, §4 and §6.

function configurationOf(release: string, text: string): DovecotConfiguration {
  const version = release.startsWith('2.4')
    ? `dovecot_config_version = ${release}\ndovecot_storage_version = ${release}\n`
    : '';
  return new DovecotConfiguration({
    main: new SourceFile('/etc/dovecot/dovecot.conf', version + text),
    files: { open: () => null, entries: () => null },
    release: { version: release, versionFrom: 'flag', provenAtLeast: null },
  });
}

const endpointsOf = (release: string, text: string, openssl = '3.0'): readonly DovecotEndpoint[] =>
  dovecotEndpoints(configurationOf(release, text), { openssl, open: () => null });

const rows = (release: string, text: string): string[] =>
  endpointsOf(release, text).map(
    ({ id, role, address, port, tls }) => `${id} ${role} ${address}:${port} ${tls.mode}`,
  );

const CERTIFICATE: Readonly<Record<string, string>> = {
  '2.3': 'ssl_cert = </c.pem\nssl_key = </k.pem\n',
  '2.4': 'ssl_server_cert_file = /c.pem\nssl_server_key_file = /k.pem\n',
};

describe('the usual ports', () => {
  test.each([
    ['2.3.19.1', 'protocols = imap pop3 lmtp submission sieve\n'],
    ['2.4.5', 'protocols = imap pop3 lmtp submission sieve\n'],
  ])('%s', (release, text) => {
    const expected = [
      'imap-login/imap imap *:143 opportunistic',
      'imap-login/imaps imaps *:993 implicit',
      'managesieve-login/sieve sieve *:4190 opportunistic',
      'pop3-login/pop3 pop3 *:110 opportunistic',
      'pop3-login/pop3s pop3s *:995 implicit',
      'submission-login/submission submission *:587 opportunistic',
      // 2.3 defines it and does not open it.
      ...(release.startsWith('2.4') ? ['submission-login/submissions submissions *:465 implicit'] : []),
    ];
    expect(rows(release, text).sort()).toEqual(expected);
  });

  test('2.2 has no submission', () => {
    expect(rows('2.2.36.4', 'protocols = imap submission\n').map((row) => row.split(' ')[0])).toEqual([
      'imap-login/imap',
      'imap-login/imaps',
    ]);
  });

  test.each([
    ['', []],
    ['protocols = none\n', []],
    ['!include_try /usr/share/dovecot/protocols.d/*.protocol\n', ['imap', 'pop3', 'lmtp']],
    ['protocols {\n  imap = yes\n}\n', ['imap']],
  ])('2.4 with %j', (text, expected) => {
    expect(runningProtocols(configurationOf('2.4.5', text)).names).toEqual(expected);
  });

  test('without a word 2.3 takes the usual protocols, and it is said that they are assumed', () => {
    expect(runningProtocols(configurationOf('2.3.19.1', ''))).toMatchObject({
      names: ['imap', 'pop3', 'lmtp'],
      assumed: true,
    });
    expect(runningProtocols(configurationOf('2.3.19.1', 'protocols = imap\n')).assumed).toBe(false);
  });
});

describe('listeners of other services', () => {
  test('auth and doveadm on the network', () => {
    const text =
      'protocols = lmtp\nlisten = 192.0.2.1, ::1\n' +
      'service auth {\n  inet_listener {\n    port = 12345\n  }\n}\n' +
      'service doveadm {\n  inet_listener http {\n    port = 8080\n    ssl = yes\n  }\n}\n' +
      'service lmtp {\n  inet_listener lmtp {\n    address = 127.0.0.1\n    port = 24\n  }\n}\n' +
      'service stats {\n  inet_listener http {\n    port = 9900\n  }\n}\n';
    expect(rows('2.3.19.1', text).sort()).toEqual([
      'auth/ auth 192.0.2.1, ::1:12345 none',
      'doveadm/http doveadm 192.0.2.1, ::1:8080 implicit',
      'lmtp/lmtp lmtp 127.0.0.1:24 opportunistic',
    ]);
    const seen = endpointsOf('2.3.19.1', text).map((endpoint) => [
      endpoint.role,
      endpoint.side === 'server' && endpoint.public,
    ]);
    expect(Object.fromEntries(seen)).toEqual({ auth: true, doveadm: true, lmtp: false });
  });

  test('a service of one’s own runs the program of another', () => {
    const text =
      'protocols = imap\nservice webmail {\n  executable = /usr/lib/dovecot/imap-login -D\n  inet_listener x {\n    port = 1143\n  }\n}\n';
    expect(rows('2.3.19.1', text)).toContain('webmail/x imap *:1143 opportunistic');
  });

  test('a listener behind HAProxy', () => {
    const text =
      'protocols = imap\nservice imap-login {\n  inet_listener imap {\n    haproxy = yes\n  }\n}\n';
    expect(endpointsOf('2.4.5', text)[0]).toMatchObject({ open: { haproxy: true } });
  });
});

describe('sockets', () => {
  const text = (release: string): string =>
    [
      release.startsWith('2.4') ? '' : 'default_internal_user = dove\n',
      'service auth {\n',
      '  unix_listener /var/spool/postfix/private/auth {\n    mode = 0660\n    user = postfix\n    group = postfix\n  }\n',
      '  unix_listener auth-client {\n    mode = 0\n  }\n',
      '  unix_listener x-master {\n    mode = 660\n  }\n',
      '  unix_listener pf-userdb {\n  }\n',
      '}\n',
    ].join('');
  const found = (release: string): string[] => {
    const configuration = configurationOf(release, text(release));
    const services = runningServices(configuration, runningProtocols(configuration));
    return openSockets(configuration, services)
      .filter(({ service, listener }) => service.name === 'auth' && listener.openings.length > 0)
      .map(({ path, mode, user, group, kind }) => `${path} ${mode?.toString(8)} ${user}:${group} ${kind}`)
      .sort();
  };

  test.each(['2.3.19.1', '2.4.5'])('%s: mode, owner and what is spoken', (release) => {
    expect(found(release)).toEqual([
      '/run/dovecot/pf-userdb 600 : userdb',
      // Without its 0 the mode is decimal.
      '/run/dovecot/x-master 1224 : master',
      '/var/spool/postfix/private/auth 660 postfix:postfix auth',
    ]);
  });

  test('those that Dovecot has by itself', () => {
    const configuration = configurationOf('2.3.19.1', '');
    const services = runningServices(configuration, runningProtocols(configuration));
    const sockets = openSockets(configuration, services);
    expect(sockets.find(({ path }) => path === '/run/dovecot/auth-userdb')).toMatchObject({
      mode: 0o666,
      user: 'dovecot',
      kind: 'userdb',
    });
    expect(sockets.find(({ path }) => path === '/run/dovecot/login/login')).toMatchObject({ kind: 'login' });
    expect(sockets.find(({ path }) => path === '/run/dovecot/lmtp')).toMatchObject({
      mode: 0o666,
      kind: null,
    });
    // The director is off by itself.
    expect(sockets.some(({ path }) => path.endsWith('login/director'))).toBe(false);
  });

  test.each([
    ['0660', 0o660],
    ['660', 660],
    ['0', 0],
    ['00', 0],
    ['0999', null],
    ['rw', null],
  ])('mode = %s', (text_, expected) => {
    expect(octal(text_)).toBe(expected);
  });
});

describe('what a filter changes', () => {
  test('networks and names have endpoints of their own where something differs', () => {
    const text =
      `protocols = imap\nauth_mechanisms = plain login\n${CERTIFICATE['2.3']}` +
      'remote 10.0.0.0/8 {\n  disable_plaintext_auth = no\n}\n' +
      'local 192.0.2.1 {\n  ssl = required\n}\n' +
      'local_name *.example.org {\n  ssl_cert =\n}\n' +
      'remote 172.16.0.0/12 {\n  ssl_min_protocol = TLSv1.2\n}\n' +
      'local 192.0.2.9 {\n  protocol pop3 {\n    ssl = no\n  }\n}\n' +
      'remote 192.168.0.0/16 {\n  mail_max_userip_connections = 5\n}\n';
    const seen = endpointsOf('2.3.19.1', text).map(({ id, tls, auth }) => [
      id,
      tls.mode,
      auth.beforeTls?.join(' '),
    ]);
    expect(seen).toEqual([
      ['imap-login/imap', 'opportunistic', ''],
      ['imap-login/imap for remote 10.0.0.0/8', 'opportunistic', 'PLAIN LOGIN'],
      ['imap-login/imap for local 192.0.2.1', 'required', ''],
      ['imap-login/imap for local_name *.example.org', 'opportunistic', ''],
      ['imap-login/imaps', 'implicit', ''],
      ['imap-login/imaps for local_name *.example.org', 'implicit', ''],
    ]);
  });

  test('the line that decides is known', () => {
    const text = `protocols = imap\n${CERTIFICATE['2.4']}protocol imap {\n  ssl = required\n}\n`;
    const [imap] = endpointsOf('2.4.5', text);
    expect(imap).toMatchObject({ tls: { mode: 'required' }, side: 'server' });
    expect(imap?.side === 'server' && imap.sslFrom.origin.kind).toBe('override');
  });
});

test('a reference to a setting that is read from a file is its content', () => {
  // Seen with 2.3.13 and 2.3.19.1: certificate and key in one file.
  const [imap] = endpointsOf('2.3.19.1', 'protocols = imap\nssl_cert = </both.pem\nssl_key = $ssl_cert\n');
  if (imap?.side !== 'server') throw new Error('no listener');
  expect(imap.fault).toBeNull();
  expect(imap.certificates.map(({ keyFrom }) => keyFrom.path)).toEqual(['/both.pem']);
  expect(imap.tls.protocols).toEqual(['TLSv1.2', 'TLSv1.3']);
});

describe('faults that only a client meets', () => {
  test.each([
    ['2.3.19.1', 'ssl_min_protocol = TLSv1.2+\n', 'unknown-protocol', 'ssl_min_protocol'],
    ['2.3.14', 'ssl_min_protocol = TLSv1.3\n', 'unknown-protocol', 'ssl_min_protocol'],
    ['2.3.19.1', 'ssl_cipher_list = FOO\n', 'no-cipher-left', 'ssl_cipher_list'],
    ['2.3.19.1', 'ssl_cipher_list = HIGH:@BAR\n', 'refused-cipher-string', 'ssl_cipher_list'],
    ['2.3.19.1', 'ssl_cert = /c.pem\n', 'path-as-content', 'ssl_cert'],
    ['2.3.19.1', 'ssl_key =\n', 'unset', 'ssl_key'],
    ['2.3.19.1', 'ssl_dh = /dh.pem\n', 'path-as-content', 'ssl_dh'],
    ['2.3.19.1', 'ssl_cert = /c.pem\nssl_key = $ssl_cert\n', 'path-as-content', 'ssl_cert'],
    ['2.4.5', 'ssl_server_key_file = </k.pem\n', 'content-as-path', 'ssl_server_key_file'],
    ['2.4.5', 'ssl_curve_list = P-256:what\n', 'refused-curves', 'ssl_curve_list'],
    ['2.4.5', 'protocol imap {\n  ssl = no\n}\n', 'tls-off', 'ssl'],
  ])('%s %j', (release, text, kind, name) => {
    const all = endpointsOf(release, `protocols = imap\n${CERTIFICATE[release.slice(0, 3)]}${text}`);
    const implicit = all.find(({ port }) => port === 993);
    expect(implicit?.side === 'server' && [implicit.fault?.kind, implicit.fault?.in.name]).toEqual([
      kind,
      name,
    ]);
    expect(implicit?.tls.protocols).toEqual([]);
    expect(implicit?.auth.afterTls).toEqual([]);
  });

  test.each([
    ['2.3.19.1', 'auth_mechanisms = plain, login\n', ['plain,']],
    ['2.4.5', 'auth_mechanisms = plain, login\n', []],
    ['2.4.5', 'auth_mechanisms = $auth_mechanisms login\n', ['$auth_mechanisms']],
  ])('%s %j', (release, text, unknown) => {
    const [imap] = endpointsOf(release, `protocols = imap\n${text}`);
    expect(imap?.side === 'server' && imap.mechanisms?.unknown).toEqual(unknown);
    expect(imap?.side === 'server' && imap.authFault?.kind).toBe(
      unknown.length > 0 ? 'unknown-mechanism' : undefined,
    );
  });
});

test.each([
  ['2.3.12', ['NTLM', 'SKEY', 'OTP'], []],
  ['2.3.13', ['OTP'], ['NTLM', 'SKEY', 'RPA']],
  ['2.4.4', ['OTP', 'SCRAM-SHA-256-PLUS'], []],
  ['2.4.5', [], ['OTP']],
  ['2.3.9', [], ['SCRAM-SHA-256']],
])('mechanisms of %s', (release, known, unknown) => {
  const list = readMechanisms([...known, ...unknown], release, false);
  expect(list.known.map(({ name }) => name)).toEqual(known);
  expect(list.unknown).toEqual(unknown);
});

test('since 2.3.13 NTLM is there where winbind does it', () => {
  expect(readMechanisms(['ntlm'], '2.3.19.1', true)).toMatchObject({
    known: [{ name: 'NTLM' }],
    unknown: [],
  });
});

describe('protocols', () => {
  test.each([
    ['TLSv1', '2.3.0', '1.1.1', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    ['tlsv1', '2.3.14', '1.1.1', null],
    ['tlsv1', '2.3.15', '1.1.1', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    ['SSLv3', '2.3.19', '1.0.2', ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2']],
    ['SSLv3', '2.4.0', '3.0', null],
    ['LATEST', '2.3.19', '3.0', ['TLSv1.3']],
    ['LATEST', '2.4.5', '3.0', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    ['', '2.4.2', '3.0', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    ['', '2.4.3', '3.0', null],
  ])('ssl_min_protocol = %s in %s with OpenSSL %s', (word, release, openssl, expected) => {
    expect(protocolsOfWord(word, release, openssl)).toEqual(expected);
  });

  test.each([
    ['!SSLv2 !SSLv3', '1.0.2', ['TLSv1', 'TLSv1.1', 'TLSv1.2']],
    ['TLSv1.2, TLSv1', '1.0.2', ['TLSv1', 'TLSv1.2']],
    ['TLSv1.2, TLSv1', '1.1.1', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    ['!tlsv1 !tlsv1.1', '1.1.1', ['TLSv1.2', 'TLSv1.3']],
    ['!TLSv1.3', '1.1.1', null],
    ['TLS', '1.0.2', null],
  ])('ssl_protocols = %s with OpenSSL %s', (list, openssl, expected) => {
    expect(listedProtocols(list, openssl)).toEqual(expected);
  });

  test('the words of a release', () => {
    expect(lowestProtocolWords('2.3.14')).toEqual(['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2']);
    expect(lowestProtocolWords('2.4.5')).toContain('TLSv1.3');
  });
});

describe('the client side', () => {
  test('a store on another server, and a relay for what users send', () => {
    const text =
      'protocols = submission\nimapc_host = imap.example.org\nimapc_port = 993\nimapc_ssl = imaps\n' +
      'submission_relay_host = relay.example.org\nsubmission_relay_port = 587\nsubmission_relay_ssl = starttls\n' +
      'submission_host = localhost:10025\n';
    const seen = endpointsOf('2.3.19.1', text)
      .filter(({ side }) => side === 'client')
      .map((endpoint) => [
        endpoint.id,
        endpoint.role,
        endpoint.address,
        endpoint.port,
        endpoint.tls.mode,
        endpoint.tls.protocols.join(' '),
      ]);
    expect(seen).toEqual([
      ['imapc', 'imap', 'imap.example.org', 993, 'implicit', 'TLSv1.2 TLSv1.3'],
      ['submission-relay', 'relay', 'relay.example.org', 587, 'required', 'TLSv1.2 TLSv1.3'],
      ['lda', 'relay', 'localhost', 10025, 'none', ''],
    ]);
  });

  test('2.4 has a filter for it, in which the list of ciphers is OpenSSL’s own', () => {
    const text =
      'protocols = imap\nimapc_host = a\nimapc_ssl = starttls\nssl_client {\n  ssl_min_protocol = TLSv1.3\n}\n';
    const client = endpointsOf('2.4.5', text).find(({ side }) => side === 'client');
    expect(client).toMatchObject({
      tls: { mode: 'required', protocols: ['TLSv1.3'] },
      verifies: true,
      fault: null,
    });
    expect(client?.side === 'client' && client.cipherListFrom.value).toBe('');
  });
});

test.each([
  [['*', '::'], '*'],
  [['*', '[::]'], '*'],
  [['*'], '*'],
  [['192.0.2.1', '::1'], '192.0.2.1, ::1'],
])('addresses %j', (addresses, expected) => {
  expect(addressText(addresses)).toBe(expected);
});

test.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['[::1]', true],
  ['localhost', true],
  ['*', false],
  ['10.0.0.1', false],
  ['mail.example.org', false],
])('%s is loopback: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

test('many names with a certificate each take time in proportion to their number', () => {
  const names = (count: number, certificate: string): string =>
    Array.from(
      { length: count },
      (_, at) =>
        `local_name h${at}.example.org {\n  ssl_cert = ${certificate}\n  ssl_key = </k${at}.pem\n}\n`,
    ).join('');
  const text = `protocols = imap\n${CERTIFICATE['2.3']}`;
  // Where nothing differs from the rest, they are no endpoints of their own; where it does, all of them are.
  expect(endpointsOf('2.3.19.1', text + names(40, '</c.pem'))).toHaveLength(2);
  expect(endpointsOf('2.3.19.1', text + names(40, '/c.pem'))).toHaveLength(82);
});
