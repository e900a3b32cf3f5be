/**
 * Lines of Dovecot 2.3 and what they are in 2.4, by hand from the documentation of both; the servers read
 * either side in test/servers/dovecot-migration.test.ts.
 */

/** A piece of a configuration of 2.3 and of 2.4 that means the same. */
export interface ExactCase {
  readonly old: readonly string[];
  readonly modern: readonly string[];
}

/** What is rewritten. */
export const EXACT: readonly ExactCase[] = [
  { old: ['disable_plaintext_auth = no'], modern: ['auth_allow_cleartext = yes'] },
  { old: ['ssl_prefer_server_ciphers = yes'], modern: ['ssl_server_prefer_ciphers = server'] },
  { old: ['ssl_dh = </etc/dovecot/dh.pem'], modern: ['ssl_server_dh_file = /etc/dovecot/dh.pem'] },
  {
    old: ['local_name mx.example.com {', '  ssl_cert = </etc/ssl/mx.pem', '}'],
    modern: ['local_name mx.example.com {', '  ssl_server_cert_file = /etc/ssl/mx.pem', '}'],
  },
  { old: ['ssl_options = no_compression no_ticket'], modern: ['ssl_options = no_ticket'] },
  { old: ['verbose_ssl = yes'], modern: ['log_debug = category=ssl'] },
  { old: ['auth_username_format = %Ln'], modern: ['auth_username_format = %{user | username | lower}'] },
  {
    old: ['postmaster_address = postmaster@%d'],
    modern: ['postmaster_address = postmaster@%{user | domain}'],
  },
  {
    old: ['mail_home = /home/%{domain}/%{username}'],
    modern: ['mail_home = /home/%{user | domain}/%{user | username}'],
  },
  {
    old: ['pop3_uidl_format = %08Xu%08Xv'],
    modern: ['pop3_uidl_format = %{uid | hex(8)}%{uidvalidity | hex(8)}'],
  },
  { old: ['mail_location = mdbox:~/mdbox'], modern: ['mail_driver = mdbox', 'mail_path = ~/mdbox'] },
  {
    old: ['mail_location = mbox:~/mail:INBOX=/var/mail/%u:LAYOUT=fs'],
    modern: [
      'mail_driver = mbox',
      'mail_path = ~/mail',
      'mail_inbox_path = /var/mail/%{user}',
      'mailbox_list_layout = fs',
    ],
  },
  { old: ['auth_worker_max_count = 7'], modern: ['service auth-worker {', '  process_limit = 7', '}'] },
  {
    old: ['service auth {', '  user = $default_internal_user', '}'],
    modern: ['service auth {', '  user = $SET:default_internal_user', '}'],
  },
  {
    old: ['passdb {', '  driver = pam', '  args = session=yes %s', '}'],
    modern: [
      'passdb pam {',
      '  driver = pam',
      '  pam_session = yes',
      '  pam_service_name = %{protocol}',
      '}',
    ],
  },
  {
    old: ['passdb {', '  driver = pam', '}', 'passdb {', '  driver = pam', '  args = other', '}'],
    modern: [
      'passdb pam {',
      '  driver = pam',
      '}',
      'passdb pam2 {',
      '  driver = pam',
      '  pam_service_name = other',
      '}',
    ],
  },
  {
    old: ['passdb {', '  driver = static', '  args = nopassword=y proxy=y host=127.0.0.1', '}'],
    modern: [
      'passdb static {',
      '  driver = static',
      '  fields {',
      '    nopassword = y',
      '    proxy = y',
      '    host = 127.0.0.1',
      '  }',
      '}',
    ],
  },
  {
    old: [
      'userdb {',
      '  driver = static',
      '  args = uid=vmail gid=vmail home=/home/%u allow_all_users=yes',
      '}',
    ],
    modern: [
      'userdb static {',
      '  driver = static',
      '  fields {',
      '    uid = vmail',
      '    gid = vmail',
      '    home = /home/%{user}',
      '  }',
      '  static_allow_all_users = yes',
      '}',
    ],
  },
  {
    old: ['userdb {', '  driver = passwd-file', '  args = /etc/users', '  default_fields = uid=vmail', '}'],
    modern: [
      'userdb passwd-file {',
      '  driver = passwd-file',
      '  passwd_file_path = /etc/users',
      '  fields {',
      '    uid:default = vmail',
      '  }',
      '}',
    ],
  },
  {
    old: ['service auth {', '  inet_listener {', '    port = 12345', '  }', '}'],
    modern: ['service auth {', '  inet_listener port-12345 {', '    port = 12345', '  }', '}'],
  },
  {
    // Hashes without a scheme are those of crypt(3) to 2.3.
    old: ['passdb {', '  driver = passwd-file', '  args = /etc/users', '}'],
    modern: [
      'passdb passwd-file {',
      '  driver = passwd-file',
      '  default_password_scheme = CRYPT',
      '  passwd_file_path = /etc/users',
      '}',
    ],
  },
  { old: ['mail_plugins = quota zlib'], modern: ['mail_plugins = quota mail_compress'] },
  {
    old: ['plugin {', '  acl = vfile', '  quota = count:User quota', '  quota_vsizes = yes', '}'],
    modern: ['  acl_driver = vfile', '  quota "User quota" {', '    driver = count', '  }'],
  },
  { old: ['plugin/quota_rule = *:bytes=50M'], modern: ['quota_storage_size = 50M'] },
  // Without a unit, storage is in kilobytes.
  { old: ['plugin/quota_rule = *:storage=1000'], modern: ['quota_storage_size = 1000k'] },
  { old: ['plugin/quota_rule = *:bytes=1000'], modern: ['quota_storage_size = 1000B'] },
  { old: ['plugin/quota_rule = *:storage=0'], modern: ['quota_storage_size = unlimited'] },
  {
    old: [
      'plugin {',
      '  sieve = ~/.dovecot.sieve',
      '  sieve_dir = ~/scripts',
      '  sieve_before = /etc/spam.sieve',
      '}',
    ],
    modern: [
      '  sieve_script personal {',
      '    path = ~/scripts',
      '    active_path = ~/.dovecot.sieve',
      '  }',
      '  sieve_script before {',
      '    type = before',
      '    path = /etc/spam.sieve',
      '  }',
    ],
  },
  {
    old: ['plugin {', '  sieve_global_extensions = +vnd.dovecot.pipe', '}'],
    modern: ['  sieve_global_extensions {', '    vnd.dovecot.pipe = yes', '  }'],
  },
];

/** Lines that somebody has to decide, with the key that is told. */
export const UNDECIDED: readonly (readonly [key: string, old: readonly string[]])[] = [
  ['args', ['passdb {', '  driver = ldap', '  args = /etc/dovecot/ldap.conf', '}']],
  ['args', ['passdb {', '  driver = checkpassword', '  args = /usr/bin/checkpassword', '}']],
  ['args', ['userdb {', '  driver = static', '  args = uid=vmail mail=maildir:/srv/%u', '}']],
  ['mail_location', ['mail_location = maildir:/srv/%1n/%n']],
  ['mail_location', ['mail_location = maildir:~/Maildir:FOO=bar']],
  ['mail_plugins', ['mail_plugins = imap_zlib']],
  ['protocols', ['protocols = imaps']],
  ['local_name', ['local_name "a.example b.example" {', '}']],
  ['mail_log_prefix', ['mail_log_prefix = "%s(%u): "']],
  ['ssl_ca', ['ssl_ca = </etc/ssl/ca.pem']],
  ['ssl_cert', ['ssl_cert = /etc/ssl/mx.pem']],
  ['ssl_key', ['ssl_key = <mx.key']],
  ['quota_grace', ['plugin {', '  quota_grace = 10%%', '}']],
  ['dict', ['dict {', '  quota = mysql:/etc/dovecot/dict.conf', '}']],
];
