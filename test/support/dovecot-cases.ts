/**
 * Configurations of Dovecot for the comparison with running servers: listeners, TLS, authentication, filters.
 */

/** The ports and the folder of one run. */
export interface Surroundings {
  /** Folder with certificates and parameters, as the programs in the root see it. */
  readonly files: string;
  /** One port for each listener, and some more. */
  readonly ports: Readonly<Record<PortName, number>>;
}

/** What a case calls its ports. */
export const PORT_NAMES = ['imap', 'imaps', 'pop3', 'pop3s', 'lmtp', 'extra'] as const;
export type PortName = (typeof PORT_NAMES)[number];

/** The two forms of a text: of 2.3, and of 2.4. */
export interface Forms {
  readonly old: string;
  readonly new: string;
}

/** One configuration, without the lines that say where files and accounts are. */
export interface Case {
  readonly name: string;
  /** Certificates: `rsa`, `ec`, `both`, or none. */
  readonly certificate?: 'rsa' | 'ec' | 'both' | 'none';
  readonly protocols?: string;
  readonly listen?: string;
  /** Lines of the listeners by name, behind their port. */
  readonly listeners?: Partial<Record<'imap' | 'imaps' | 'pop3' | 'pop3s', readonly string[]>>;
  /** Everything else. */
  readonly text?: string | ((surroundings: Surroundings) => Forms | string);
  /** Addresses of clients and names of servers that filters are for. */
  readonly clients?: readonly { readonly from?: string; readonly serverName?: string }[];
}

const both =
  (oldText: string, newText: string): (() => Forms) =>
  () => ({ old: oldText, new: newText });

/** Passwords in the clear, allowed or not. */
const CLEARTEXT = both('disable_plaintext_auth = no\n', 'auth_allow_cleartext = yes\n');

const withCleartext = (text: string) => (): Forms => {
  const forms = CLEARTEXT();
  return { old: text + forms.old, new: text + forms.new };
};

const dh =
  (name: string, text = '') =>
  ({ files }: Surroundings): Forms => ({
    old: `ssl_dh = <${files}/${name}\n${text}`,
    new: `ssl_server_dh_file = ${files}/${name}\n${text}`,
  });

const preferServer = (text: string): (() => Forms) =>
  both(`ssl_prefer_server_ciphers = yes\n${text}`, `ssl_server_prefer_ciphers = server\n${text}`);

export const CASES: readonly Case[] = [
  { name: 'nothing set' },
  { name: 'ssl = no', text: 'ssl = no\n' },
  { name: 'ssl = required', text: 'ssl = required\n' },
  { name: 'ssl = no and passwords in the clear', text: withCleartext('ssl = no\n') },
  { name: 'ssl = yes and passwords in the clear', text: withCleartext('ssl = yes\n') },
  { name: 'ssl = required and passwords in the clear', text: withCleartext('ssl = required\n') },
  { name: 'several mechanisms', text: 'auth_mechanisms = plain login cram-md5\n' },
  {
    name: 'several mechanisms and ssl = required',
    text: 'ssl = required\nauth_mechanisms = PLAIN Digest-MD5 apop scram-sha-256\n',
  },
  { name: 'only CRAM-MD5', text: 'auth_mechanisms = cram-md5\n' },
  { name: 'rare mechanisms', text: 'auth_mechanisms = plain external anonymous scram-sha-1 apop xoauth2\n' },
  {
    name: 'mechanisms bound to TLS',
    text: both(
      'auth_mechanisms = plain scram-sha-1\n',
      'auth_mechanisms = plain scram-sha-1-plus scram-sha-256-plus\n',
    ),
  },
  {
    name: 'mechanisms of OAuth 2.0',
    text: both(
      'auth_mechanisms = plain oauthbearer\n',
      'auth_mechanisms = plain oauthbearer\noauth2 {\n  introspection_mode = auth\n  introspection_url = http://127.0.0.1:1/\n}\n',
    ),
  },
  { name: 'an unknown mechanism', text: 'auth_mechanisms = plain rpa\n' },
  { name: 'mechanisms with a comma', text: 'auth_mechanisms = plain,login\n' },
  { name: 'TLSv1', text: 'ssl_min_protocol = TLSv1\n' },
  {
    name: 'TLSv1 and level 0',
    text: dh('dh2048.pem', 'ssl_min_protocol = TLSv1\nssl_cipher_list = ALL:@SECLEVEL=0\n'),
  },
  {
    name: 'TLSv1.1 and level 1',
    text: dh('dh2048.pem', 'ssl_min_protocol = TLSv1.1\nssl_cipher_list = DEFAULT:@SECLEVEL=1\n'),
  },
  { name: 'TLSv1.3', text: 'ssl_min_protocol = TLSv1.3\n' },
  { name: 'LATEST', text: 'ssl_min_protocol = LATEST\n' },
  { name: 'any protocol', text: 'ssl_min_protocol = ANY\n' },
  { name: 'no protocol', text: 'ssl_min_protocol =\n' },
  { name: 'an unknown protocol', text: 'ssl_min_protocol = TLSv1.2,TLSv1.3\n' },
  { name: 'small letters', text: 'ssl_min_protocol = tlsv1.2\n' },
  { name: 'HIGH', text: 'ssl_cipher_list = HIGH:!aNULL:!MD5\n' },
  { name: 'the list of 2.2', text: 'ssl_cipher_list = ALL:!LOW:!SSLv2:!EXP:!aNULL\n' },
  {
    name: 'old suites',
    text: 'ssl_min_protocol = TLSv1\nssl_cipher_list = AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0\n',
  },
  { name: 'a list that names nothing', text: 'ssl_cipher_list = NOSUCH\n' },
  { name: 'a list with a bad command', text: 'ssl_cipher_list = HIGH:@SECLEVEL=9\n' },
  { name: 'an empty list', text: 'ssl_cipher_list =\n' },
  { name: 'PSK', text: 'ssl_cipher_list = PSK\n' },
  { name: 'forward secrecy only', text: 'ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20\n' },
  {
    name: 'the server decides',
    text: preferServer(
      'ssl_cipher_list = ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384\n',
    ),
  },
  { name: 'the server decides on the default', text: preferServer('') },
  {
    name: 'suites of TLSv1.3',
    text: 'ssl_cipher_suites = TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256\n',
  },
  { name: 'unknown suites of TLSv1.3', text: 'ssl_cipher_suites = AES128-SHA\n' },
  { name: 'suites of TLSv1.3, one unknown', text: 'ssl_cipher_suites = NOSUCH:TLS_AES_256_GCM_SHA384\n' },
  { name: 'Diffie-Hellman', text: dh('dh2048.pem') },
  { name: 'a small Diffie-Hellman group', text: dh('dh1024.pem') },
  {
    name: 'a small Diffie-Hellman group and level 1',
    text: dh('dh1024.pem', 'ssl_cipher_list = DEFAULT:@SECLEVEL=1\n'),
  },
  { name: 'an empty file of parameters', text: dh('empty.pem') },
  { name: 'a certificate for parameters', text: dh('rsa.crt') },
  { name: 'an ECDSA certificate', certificate: 'ec' },
  { name: 'certificates of both kinds', certificate: 'both' },
  {
    name: 'certificates of both kinds, Diffie-Hellman, the server decides',
    certificate: 'both',
    text: (at) => {
      const forms = dh('dh2048.pem')(at);
      const prefer = preferServer('')();
      return { old: forms.old + prefer.old, new: forms.new + prefer.new };
    },
  },
  { name: 'no certificate', certificate: 'none' },
  { name: 'no certificate and ssl = required', certificate: 'none', text: 'ssl = required\n' },
  {
    name: 'the key of another certificate',
    text: ({ files }) => ({
      old: `ssl_key = <${files}/ec.key\n`,
      new: `ssl_server_key_file = ${files}/ec.key\n`,
    }),
  },
  { name: 'no key', text: both('ssl_key =\n', 'ssl_server_key_file =\n') },
  {
    name: 'the sign before the file is not as the release wants it',
    text: ({ files }) => ({
      old: `ssl_cert = ${files}/rsa.crt\n`,
      new: `ssl_server_cert_file = <${files}/rsa.crt\n`,
    }),
  },
  { name: 'a key too small for the level', text: 'ssl_cipher_list = ALL:@SECLEVEL=3\n' },
  { name: 'one curve', text: 'ssl_curve_list = X25519\n' },
  { name: 'two curves', text: 'ssl_curve_list = secp384r1:P-256\n' },
  { name: 'an unknown curve', text: 'ssl_curve_list = X25519:NOSUCH\n' },
  { name: 'plain listeners switched off', listeners: { imap: ['port = 0'], pop3: ['port = 0'] } },
  { name: 'implicit listeners without TLS', listeners: { imaps: ['ssl = no'], pop3s: ['ssl = no'] } },
  { name: 'TLS from the start on a plain listener', listeners: { imap: ['ssl = yes'] } },
  {
    name: 'one more listener',
    text: ({ ports }) =>
      `service imap-login {\n  inet_listener other {\n    port = ${ports.extra}\n    ssl = yes\n  }\n}\n`,
  },
  {
    name: 'one more listener, and ssl = no',
    text: ({ ports }) =>
      `ssl = no\nservice pop3-login {\n  inet_listener other {\n    port = ${ports.extra}\n    ssl = yes\n  }\n}\n`,
  },
  { name: 'only IMAP', protocols: 'imap' },
  { name: 'only POP3', protocols: 'pop3' },
  {
    name: 'LMTP on a port',
    protocols: 'imap pop3 lmtp',
    text: ({ ports }) => `service lmtp {\n  inet_listener lmtp {\n    port = ${ports.lmtp}\n  }\n}\n`,
  },
  {
    name: 'LMTP on a port, and ssl = no',
    protocols: 'imap lmtp',
    text: ({ ports }) =>
      `ssl = no\nservice lmtp {\n  inet_listener lmtp {\n    port = ${ports.lmtp}\n  }\n}\n`,
  },
  { name: 'another address', listen: '127.0.0.2' },
  {
    name: 'another address for one listener',
    text: both(
      'service imap-login {\n  inet_listener imaps {\n    address = 127.0.0.2\n  }\n}\n',
      'service imap-login {\n  inet_listener imaps {\n    listen = 127.0.0.2\n  }\n}\n',
    ),
  },
  { name: 'no TLS for IMAP', text: 'protocol imap {\n  ssl = no\n}\n' },
  { name: 'ssl = required for POP3', text: 'protocol pop3 {\n  ssl = required\n}\n' },
  { name: 'TLSv1.3 for IMAP', text: 'protocol imap {\n  ssl_min_protocol = TLSv1.3\n}\n' },
  {
    name: 'other ciphers for POP3',
    text: 'protocol pop3 {\n  ssl_cipher_list = ECDHE-RSA-AES256-GCM-SHA384\n}\n',
  },
  {
    name: 'passwords in the clear for POP3',
    text: both(
      'protocol pop3 {\n  disable_plaintext_auth = no\n}\n',
      'protocol pop3 {\n  auth_allow_cleartext = yes\n}\n',
    ),
  },
  {
    name: 'passwords in the clear from one machine',
    clients: [{ from: '127.0.0.3' }],
    text: both(
      'remote 127.0.0.3 {\n  disable_plaintext_auth = no\n}\n',
      'remote 127.0.0.3 {\n  auth_allow_cleartext = yes\n}\n',
    ),
  },
  {
    name: 'ssl = required for one network',
    clients: [{ from: '127.0.0.3' }],
    text: 'auth_mechanisms = plain cram-md5\nremote 127.0.0.3 {\n  ssl = required\n}\n',
  },
  {
    name: 'a cleartext setting that ssl = required forbids, for one machine',
    clients: [{ from: '127.0.0.3' }],
    text: both(
      'ssl = required\nremote 127.0.0.3 {\n  disable_plaintext_auth = no\n}\n',
      'ssl = required\nremote 127.0.0.3 {\n  auth_allow_cleartext = yes\n}\n',
    ),
  },
  {
    name: 'a certificate of another kind for one name',
    clients: [{ serverName: 'other.example.org' }],
    text: ({ files }) => ({
      old: `local_name other.example.org {\n  ssl_cert = <${files}/ec.crt\n  ssl_key = <${files}/ec.key\n}\n`,
      new: `local_name other.example.org {\n  ssl_server_cert_file = ${files}/ec.crt\n  ssl_server_key_file = ${files}/ec.key\n}\n`,
    }),
  },
  {
    name: 'the filter for servers',
    text: both(
      'ssl_min_protocol = TLSv1.3\n',
      'ssl_server {\n  ssl_min_protocol = TLSv1.3\n}\nssl_client {\n  ssl_min_protocol = TLSv1\n}\n',
    ),
  },
  {
    name: 'words between lines of an old recipe',
    text: both(
      'ssl = required\nssl_protocols = !SSLv3 !TLSv1\nssl_cipher_list = EECDH+AESGCM:EDH+AESGCM:AES256+EECDH\nssl_prefer_server_ciphers = yes\nssl_dh_parameters_length = 2048\n',
      'ssl = required\nssl_cipher_list = EECDH+AESGCM:EDH+AESGCM:AES256+EECDH\nssl_server_prefer_ciphers = server\n',
    ),
  },
];
