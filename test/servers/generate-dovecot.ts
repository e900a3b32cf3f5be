/**
 * Dovecot configurations made up from a seed, in the language of a release. They like what is hard to read:
 * settings of all types, quotes, continued lines, comments behind values, sections within filters, files
 * that include each other, references, lists, groups, and (seldom) what doveconf dies of.
 */
import { hasDovecotFeature } from '../../src/dovecot/releases.ts';
import { defaultServices } from '../../src/dovecot/services.ts';
import { type DovecotSetting, settingsTable } from '../../src/dovecot/settings.ts';
import type { Release } from '../../src/model/release.ts';
import { OTHER_PACKAGES } from '../support/doveconf-defaults.ts';
import { generator, type Random } from './generate.ts';

/** Texts by path; `dovecot.conf` among them. */
export type Files = Readonly<Record<string, string>>;

/** What the seed meets seldom or never. */
export function dovecotTraps(release: Release): readonly Files[] {
  const head = hasDovecotFeature(release, 'namedFilters')
    ? 'dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n'
    : '';
  const texts = [
    'protocols = sieve\n',
    'mail_home = /home/%{user\n',
    'login_greeting = $SET:login_greeting x\n',
    '\ufeffssl = no\n',
    'ssl = no\0yes\n',
    `login_greeting = ${'x'.repeat(20_000)}\n`,
    'login_greeting = a\\\n\\\n\\\nb\n',
    'service a {\nservice b {\n}\n}\n',
    'local_name A.example {\nmail_debug = yes\n}\nlocal_name a.example {\nmail_debug = no\n}\n',
    'remote ::ffff:10.0.0.1/104 {\nmail_debug = yes\n}\nremote 10.1 {\nmail_debug = no\n}\n',
    `${'service a {\n'.repeat(200)}${'}\n'.repeat(200)}`,
    '!include_try d\n',
    'key with spaces = x\n',
    'default_idle_kill_interval = 0\n',
    'default_process_limit = 0\n',
    'default_client_limit = 0\n',
    'mail_plugins = a $SET:hostname b\nhostname = x y\n',
    'mail_plugins {\n$SET:hostname = yes\n"b $SET:nosuch" = yes\n}\n',
    'hostname = yes\nprotocol imap {\nhostname = no\nmail_plugins {\na = $SET:hostname\nb = yes\n}\n}\n',
    'service "a/b" {\nunix_listener "c\\"d" {\nmode = 0600\n}\n}\n',
  ];
  return texts.map((text) => ({ 'dovecot.conf': head + text }));
}

/** Configuration `index` of a seed: it does not depend on the others. */
export function dovecotConfiguration(seed: number, index: number, release: Release): Files {
  const random = generator(seed + Math.imul(index, 0x9e3779b1));
  for (let skip = 0; skip < 4; skip++) random(2);
  return new Writer(random, release).files();
}

/**
 * Text settings whose value the server looks into when all is read, or looks up on the machine: what it says
 * of them is not the language.
 */
const LOOKED_INTO =
  /^(?:auth_proxy_self|auth_policy_hash_mech|auth_policy_server_url|base_dir|default_(?:login|internal)_(?:user|group)|director_.*|dovecot_.*_version|dsync_.*|import_environment|libexec_dir|listen|lock_method|mail_(?:attachment_.*|ext_attachment_hash|fsync|nfs_index|plugin_dir|plugins|server_admin|always_cache_fields|cache_fields|never_cache_fields|cache_.*|log_events|sort_max_read_count|vsize_bg_after_count)|mailbox_(?:idle_check_interval|list_.*|root_directory_name)|mmap_disable|pop3_uidl_format|protocols|ssl_.*|ssl|state_dir|submission_.*|imapc_.*|pop3c_.*|(?:last|first)_valid_.*|login_log_format.*|deliver_log_format|pop3_delete_type|service_.*|default_(?:process|client|vsz)_limit|http_.*|language.*|fts.*|quota.*|sieve.*|acl.*|.*_client_workarounds|auth_username_(?:chars|translation)|auth_worker_max_count|lmtp_user_concurrency_limit|lmtp_hdr_delivery_address|metric_.*|event_exporter_.*|imap_fetch_failure|imap_capability|imap4rev2_enable|mail_utf8_extensions|dict_map.*|ldap_.*|oauth2_.*|passdb_ldap_.*|userdb_ldap_.*|sql_.*|.*_ldap_.*|crypt_.*|cassandra_.*|mysql_.*|pgsql_.*|sqlite_.*|namespace_.*|auth_cache_size|syslog_facility|log_debug|log_core_filter|auth_verbose_passwords|instance_name|mailbox_.*|passdb_.*|userdb_.*|process_shutdown_filter|(?:unix|fifo|inet)_listener_.*|redis_.*|execute_.*|imapsieve_.*|push_notification_.*|doveadm_.*|mail_compress.*|compress_.*|imap_.*_enable|stats_.*)$/;

const WORDS = [
  'a',
  'b c',
  'x,y',
  '/var/mail',
  'user@example.org',
  '%u',
  '%{user}',
  'maildir:~/Maildir',
  'A=b',
  'ä',
  "it's",
  'a"b',
  '100%',
];
const COMMENTS = ['', '', '', '', '', ' # c', '  # "c', '\t#d'];
const BLANKS = ['', '', '# comment', '   ', '\t# x \\', '#'];
const NETS = ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '192.168.0.0/16', '2001:db8::/32', '::1', '127.0.0.1'];
const NAMES = ['mail.example.org', '*.example.org', 'MX.Example.net', 'imap.example.org'];
const PROTOCOLS = ['imap', 'pop3', 'lmtp', 'lda', 'doveadm', '!imap', 'foo'];
const BAD_LINES = [
  'nosuch_setting = 1',
  'service auth',
  '{',
  '}',
  'plugin { a = b }',
  'auth_verbose = maybe',
  'mail_max_userip_connections = many',
  'auth_cache_ttl = 5',
  'auth_cache_ttl = 5 parsecs',
  'auth_mechanisms += login',
  '!include nothing/*.conf',
  '!include dovecot.conf',
  'protocol imap {\nprotocol pop3 {\n}\n}',
  'local_name a {\nlocal 10.0.0.1 {\n}\n}',
  'remote 10.0.0.0/8 {\nremote 11.0.0.0/8 {\n}\n}',
  'remote 10.0.0.0/8 {\nauth_mechanisms = plain\n}',
  'local 10.0.0.0/40 {\n}',
  'service auth {\nnosuch = 1\n}',
  'service auth {\nunix_listener x {\nmode = 09\n}\n}',
  'service imap-login {\ninet_listener imap {\nport = imap\n}\n}',
  'nosuch {\n}',
  'ssl = Required',
  'a b c {\n}',
  'protocol imap {',
  'login_greeting = "a\\qb"',
  'ssl foo {\n}',
  'passdb a {\n}\npassdb a {\n}',
  '= x',
];

/** What the server looks at when all is read: most of it right, some of it wrong. */
const CHECKED_LINES = [
  'ssl = required',
  'ssl = no',
  'ssl_options = no_ticket',
  'ssl_options = no_ticket, compression',
  'ssl_options = nothing',
  'imap_client_workarounds = delay-newmail tb-extra-mailbox-sep',
  'imap_client_workarounds = nothing',
  'pop3_client_workarounds = OE-NS-EOH',
  'lmtp_client_workarounds = whitespace-before-path, mailbox-for-path',
  'first_valid_uid = 500',
  'last_valid_uid = 400',
  'auth_cache_size = 10M',
  'auth_cache_size = 100B',
  'auth_verbose_passwords = sha1:6',
  'auth_verbose_passwords = often',
  'mail_cache_max_size = 2 G',
  'mailbox_idle_check_interval = 0',
  'syslog_facility = local5',
  'syslog_facility = nothing',
  'log_debug = category=mail AND (event=a OR NOT event=b)',
  'log_debug = category=mail AND',
  'pop3_delete_type = flag',
  'pop3_deleted_flag = $x',
  'lmtp_hdr_delivery_address = none',
  'protocols = imap pop3',
  'protocols = imap nothing',
  'service imap-login {\nprocess_min_avail = 4\nprocess_limit = 3\n}',
  'service imap {\nvsz_limit = 1M\n}',
  'service auth {\nprocess_limit = 2\n}',
  'service imap-login {\ninet_listener imap {\nport = 993\n}\n}',
  'service a {\ntype = nothing\n}',
  'service a {\nunix_listener b {\nmode = 0600\n}\n}\nservice c {\nunix_listener b {\nmode = 0600\n}\n}',
];

/** Names of 1.x and of 2.2, which 2.3 rewrites. */
const OLD_LINES = [
  'ssl_protocols = !SSLv2 !SSLv3',
  'ssl_protocols = TLSv1.2',
  'ssl_protocols = !sslv3',
  'ssl_dh_parameters_length = 2048',
  'ssl_disable = yes',
  'ssl_cert_file = /c.pem',
  'protocols = imap imaps pop3s',
  'listen = *:1143',
  'ssl_listen = [::]:1993',
  'login_processes_count = 3',
  'login_process_per_connection = no',
  'auth_user = root',
  'auth_cache_size = 10',
  'mail_cache_compress_min_size = 1 M',
  'fsync_disable = yes',
  'sieve = ~/x',
  'login_dir = /x',
  'protocol managesieve {\nmail_debug = yes\n}',
  'auth default {\nmechanisms = plain\npassdb pam {\n}\nuser = root\n}',
  'auth default {\nsocket listen {\nclient {\npath = /x/auth-client2\nmode = 0660\n}\n}\n}',
  'plugin {\nimap_zlib_compress_level = 5\n}',
  'imap_client_workarounds = outlook-idle delay-newmail',
];

class Writer {
  readonly #random: Random;
  readonly #release: Release;
  readonly #named: boolean;
  readonly #files: Record<string, string> = {};
  readonly #deadly: boolean;
  readonly #newline: string;
  readonly #globals: readonly DovecotSetting[];
  #depth = 0;

  constructor(random: Random, release: Release) {
    this.#random = random;
    this.#release = release;
    this.#named = hasDovecotFeature(release, 'namedFilters');
    this.#deadly = random(4) === 0;
    this.#newline = random(8) === 0 ? '\r\n' : '\n';
    const table = settingsTable(release);
    this.#globals = [...table.names()]
      .filter((name) => !OTHER_PACKAGES.test(name) && !LOOKED_INTO.test(name))
      .map((name) => table.get(name))
      .filter((setting) => setting !== null)
      .filter(isPlain);
  }

  files(): Files {
    const head = this.#named
      ? `dovecot_config_version = ${this.#pick(['2.4.0', '2.4.1'])}\ndovecot_storage_version = 2.4.1\n`
      : '';
    const body = this.#lines(4 + this.#random(12), true);
    // A line may be anything, and what follows it too.
    if (this.#deadly) body.splice(this.#random(body.length + 1), 0, this.#pick(BAD_LINES));
    this.#files['dovecot.conf'] = this.#ended(head + body.join('\n'));
    return this.#files;
  }

  #ended(text: string): string {
    return `${text}${this.#random(6) === 0 ? '' : '\n'}`.replaceAll('\n', this.#newline);
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#random(all.length)] as T;
  }

  #lines(count: number, global: boolean): string[] {
    return Array.from({ length: count }, () => this.#block(global));
  }

  #block(global: boolean): string {
    const kind = this.#random(20);
    if (kind < 9) return this.#setting(this.#pick(this.#globals));
    if (kind === 9) return this.#pick(BLANKS);
    if (kind === 10) return this.#random(3) > 0 ? this.#reference() : this.#seldom();
    if (kind === 11 && global) return this.#include();
    if (kind < 14 && this.#depth < 3) return this.#filter();
    if (kind === 14 && this.#named) return this.#list();
    if (kind === 15 && this.#named) return this.#namedFilter();
    if (!global) return this.#setting(this.#pick(this.#globals));
    return this.#section();
  }

  /** `key = value` in one of the forms. */
  #setting(setting: DovecotSetting, key = setting.name): string {
    const value = this.#value(setting);
    const equals = this.#pick([' = ', '=', ' =  ', '\t= ']);
    const indent = this.#pick(['', '  ', '\t']);
    return `${indent}${key}${equals}${value}${this.#pick(COMMENTS)}`;
  }

  #value({ type, values }: DovecotSetting): string {
    const number = (below: number): string => String(1 + this.#random(below));
    const endless = this.#named ? ['unlimited'] : [];
    const byType: Partial<Record<DovecotSetting['type'], readonly string[]>> = {
      bool: ['yes', 'no', 'Yes', 'NO', 'y', '1', '"yes"'],
      enum: values.length > 0 ? values : ['x'],
      uint: [number(5000), number(9), ...endless],
      in_port: ['0', number(65_000)],
      time: ['5 mins', '30s', '0', '2 hours', '1 weeks', '90 secs', '10 d', '3000 ms', '1min', ...endless],
      time_msecs: ['5 secs', '1500 ms', '0', '2m', '250 msecs'],
      size: ['10 M', '5k', '1 GiB', '2048', '0', '3MB', '1500B', ...endless],
    };
    const known = byType[type];
    return known === undefined ? this.#text() : this.#pick(known);
  }

  /** A text, in quotes or not, on one line or on several. */
  #text(): string {
    const word = this.#pick(WORDS);
    switch (this.#random(9)) {
      case 0:
        return `"${word.replace(/["\\]/g, '\\$&')}"`;
      case 1:
        return `${word.replace(/["']/g, '')} \\${this.#newline === '\n' ? '\n' : '\n'}    ${this.#pick(['c', 'd e'])}`;
      case 2:
        return `"${this.#pick(['a # b', '  a', 'b ', '', 'x $y z', '<a'])}"`;
      case 3:
        return `'${word.replace(/['\\]/g, '')}'`;
      case 4:
        return '';
      default:
        return word;
    }
  }

  #reference(): string {
    if (!this.#named) {
      return this.#pick([
        'mail_plugins = $mail_plugins acl',
        'mail_plugins = quota',
        'login_greeting = $login_greeting x',
        'login_greeting = $hostname y',
        'mail_log_prefix = a $hostname  b',
        'hostname = h.example.org',
      ]);
    }
    return this.#pick([
      'login_greeting = $SET:login_greeting x',
      'login_greeting = a $SET:hostname  b',
      'hostname = h.example.org',
      'login_greeting = x$SET:hostname',
      'mail_log_prefix = $SET:hostname',
      'login_greeting = $hostname',
      'login_greeting = $ENV:HOME',
    ]);
  }

  /** What does not come often. */
  #seldom(): string {
    if (this.#depth > 0) return 'mail_debug = yes';
    const known = (line: string): boolean =>
      settingsTable(this.#release).get(line.split(' ')[0] ?? '') !== null;
    switch (this.#random(3)) {
      case 0:
        return this.#pick(CHECKED_LINES.filter((line) => known(line)));
      case 1:
        return this.#named ? this.#newForms() : this.#pick(OLD_LINES);
      default:
        // Filters that meet in one connection.
        return this.#pick([
          'protocol imap {\nmail_debug = yes\n}',
          'remote 10.0.0.0/8 {\nmail_debug = no\n}',
          'remote 10.1.0.0/16 {\nprotocol imap {\nmail_debug = yes\n}\n}',
          'local 10.1.2.3 {\nlocal_name mail.example.org {\nmail_debug = yes\n}\n}',
          'local_name *.example.org {\nmail_debug = no\n}',
          'protocol !pop3 {\nmail_debug = no\n}',
        ]);
    }
  }

  #newForms(): string {
    return this.#pick([
      'group @own x {\nmail_debug = yes\nmailbox_y {\n}\n}',
      'group @own x {\nmail_debug = yes\n}\nprotocol imap {\n@own = x\n}',
      'protocol imap {\n@own = y\n}',
      'group @own z {\nservice imap {\nclient_limit = 5\n}\n}\n@own = z',
      'login_greeting = $SET:service/auth/service_client_limit',
      'login_greeting = $SET:service/nothing/service_client_limit',
      'login_greeting = $SET:auth_mechanisms x',
      'service/auth/client_limit = 900',
      'service/auth/unix_listener/own/mode = 0660',
      'ssl_server/ssl_min_protocol = TLSv1.3',
      'mail_home = /home/%{user | domain}/%{user|username}',
      'mail_home = /home/%{user',
      'mail_home = %{if(user, \'==\', "a", 1, b + 2)}',
      'mail_home = %{user | }',
      'login_greeting = <<END\n a # b\n"c\nEND',
      'mail_max_userip_connections = <<END\n5\nEND',
      'login_greeting = <<END\na',
      '"login_greeting" = x',
      'ssl_server foo {\n}',
      'passdb {\n}',
      'passdb static2 {\ndriver = static\npassword = x\n}',
      'metric x {\n}',
      'namespace a {\nnamespace b {\n}\n}',
      'mail_plugins = a $SET:hostname',
      'protocol imap {\nmail_plugins {\na = yes\n}\n}',
      'mail_plugins = "a',
      'login_trusted_networks = 10.0.0.0/8, 11.0.0.0/8',
      'service imap {\nprotocol imap {\n}\n}',
      'dovecot_config_version = 2.4.0',
      'import_environment {\nA = b\n}',
      'import_environment = A',
      'service = x',
      'ssl_server = x',
      'layout_fs {\nsdbox {\nmail_path = /x\n}\n}',
    ]);
  }

  #include(): string {
    const folder = `d${this.#random(3)}`;
    const names = Array.from({ length: 1 + this.#random(3) }, () =>
      this.#pick(['10', '9', 'a', 'B', '.x', 'ä']),
    );
    for (const name of names) {
      this.#depth++;
      this.#files[`${folder}/${name}.conf`] ??= this.#ended(
        this.#lines(1 + this.#random(4), false).join('\n'),
      );
      this.#depth--;
    }
    return this.#pick([
      `!include ${folder}/*.conf`,
      `!include_try ${folder}/*.conf`,
      `!include ${folder}/{${names.filter((name) => name !== '.x').join(',')},nothing}.conf`,
      `!include ${folder}`,
      '!include_try nothing.conf',
    ]);
  }

  #filter(): string {
    this.#depth++;
    const header = this.#pick([
      () => `protocol ${this.#pick(PROTOCOLS)}`,
      () => `local ${this.#pick(NETS)}`,
      () => `remote ${this.#pick(NETS)}`,
      () => `local_name ${this.#pick(NAMES)}`,
      () =>
        this.#named
          ? `local_name ${this.#pick(NAMES)}`
          : `local_name "${this.#pick(NAMES)} ${this.#pick(NAMES)}"`,
    ])();
    // Settings of the authentication server may only stand in `protocol`.
    const safe = this.#globals.filter(({ auth }) => !auth);
    const count = 1 + this.#random(3);
    const inner = Array.from({ length: count }, () => this.#setting(this.#pick(safe)));
    if (this.#depth < 3 && this.#random(3) === 0 && !header.startsWith('protocol')) {
      inner.push(`protocol ${this.#pick(PROTOCOLS)} {`, this.#setting(this.#pick(safe)), '}');
    }
    this.#depth--;
    return this.#braced(header, inner);
  }

  #braced(header: string, inner: readonly string[]): string {
    return [`${header} {${this.#pick(COMMENTS)}`, ...inner, `}${this.#pick(COMMENTS)}`].join('\n');
  }

  #list(): string {
    const name = this.#pick([
      'auth_mechanisms',
      'login_trusted_networks',
      'mail_attribute_x',
      'auth_realms',
      'passdb_mechanisms_filter',
      'userdb_fields',
      'auth_policy_request_attributes',
    ]);
    const setting = settingsTable(this.#release).get(name);
    if (setting === null) return '# no list';
    if (setting.type === 'strlist')
      return this.#braced(name, [`a = ${this.#pick(['x', '%{user}', '"b c"'])}`, 'b=y', '"c d" = z']);
    return this.#pick([
      `${name} = a b`,
      `${name} = a, b ,c`,
      `${name} = "x y" z`,
      `${name} =`,
      this.#braced(name, ['a = yes', 'b = no', 'c = y']),
      this.#braced(name, ['"a b" = yes']),
    ]);
  }

  #namedFilter(): string {
    return this.#pick([
      () =>
        this.#braced('ssl_server', [
          `cert_file = ${this.#pick(['/a.pem', 'b.pem', 'inline:x'])}`,
          'ssl_min_protocol = TLSv1.3',
        ]),
      () => this.#braced('ssl_client', ['ssl_cipher_list = HIGH']),
      () => 'ssl_server_cert_file = /etc/ssl/c.pem',
      () =>
        this.#braced('protocol imap', [
          'ssl_server_key_file = /k.pem',
          'ssl_client {',
          'require_valid_cert = no',
          '}',
        ]),
      () => this.#braced('doveadm_server', ['protocol = yes']),
      () => this.#braced(`group @g ${this.#pick(['x', 'y'])}`, [this.#setting(this.#pick(this.#globals))]),
      () => '@mailbox_defaults = english',
      () => this.#braced('layout_fs', ['sdbox {', 'mail_path = /x', '}']),
    ])();
  }

  /** A section with a name of its own. */
  #section(): string {
    const sections = [
      () => this.#service(),
      () => this.#service(),
      () => this.#database('passdb'),
      () => this.#database('userdb'),
      () => this.#namespace(),
      ...(this.#named
        ? [
            () => this.#braced('mailbox Junk', ['special_use = \\Junk', 'auto = create']),
            () => this.#braced('dict x', ['driver = file', 'file_path = /x']),
            () => this.#braced('event_exporter log', ['driver = log', 'time_format = unix', 'format = none']),
            () => this.#braced('metric m', ['filter = event=auth_request_finished', 'group_by a {', '}']),
          ]
        : [
            () =>
              this.#braced(
                'plugin',
                [`sieve = ${this.#text()}`, `quota = ${this.#text()}`, 'a/b = c'].slice(
                  0,
                  1 + this.#random(2),
                ),
              ),
            () => this.#braced('dict', ['a = file:/x']),
            () => 'plugin/acl = vfile',
            () => `service/${this.#pick(['auth', 'imap-login'])}/client_limit = ${500 + this.#random(500)}`,
          ]),
    ];
    return this.#pick(sections)();
  }

  #service(): string {
    const known = [...defaultServices(this.#release).keys()].filter(
      (name) => !/managesieve|submission/.test(name),
    );
    const name = this.#random(6) === 0 ? 'own-service' : this.#pick(known);
    const keys: (readonly [string, () => string])[] = [
      ['user', () => this.#pick(['vmail', '$default_internal_user', 'root', '"a b"'])],
      ['client_limit', () => String(1000 + this.#random(3000))],
      ['executable', () => this.#pick(['imap', '/usr/bin/x y', 'script "a"'])],
      ['vsz_limit', () => this.#pick(['512 M', '1G', '300MB'])],
      ['chroot', () => this.#pick(['', 'login'])],
      ['group', () => 'mail'],
      ['privileged_group', () => 'mail'],
      ['process_min_avail', () => '0'],
    ];
    const inner = Array.from({ length: this.#random(3) }, () => {
      const [key, value] = this.#pick(keys);
      return `  ${key} = ${value()}${this.#pick(COMMENTS)}`;
    });
    for (let count = this.#random(3); count > 0; count--) inner.push(this.#listener());
    return this.#braced(`service ${name}`, inner);
  }

  #listener(): string {
    if (this.#random(3) === 0) {
      const port = 2000 + this.#random(40_000);
      const address = this.#named ? 'listen' : 'address';
      const inner = [
        `port = ${this.#pick([String(port), '0'])}`,
        `${address} = 127.0.0.1`,
        'ssl = yes',
      ].slice(0, 1 + this.#random(3));
      return this.#braced(`inet_listener ${this.#pick(['imap', 'imaps', 'own', 'x-y'])}`, inner);
    }
    const name = this.#pick([
      'auth-client',
      '/var/spool/postfix/private/auth',
      '"a b"',
      'lmtp',
      'own/sock=x',
    ]);
    const inner = [
      `mode = ${this.#pick(['0600', '0660', '666', '0'])}`,
      'user = postfix',
      'group = mail',
    ].slice(0, 1 + this.#random(3));
    return this.#braced(`${this.#pick(['unix_listener', 'fifo_listener'])} ${name}`, inner);
  }

  #database(type: 'passdb' | 'userdb'): string {
    if (this.#named) {
      const name = this.#pick(['passwd-file', 'static', 'passwd', 'own']);
      const inner = [
        ...(name === 'own' ? ['driver = static'] : []),
        ...(name === 'passwd-file' ? ['passwd_file_path = /etc/users'] : []),
        this.#pick([
          'skip = never',
          `${type}_skip = authenticated`,
          'result_success = return-ok',
          `fields {\nuid = 5\n}`,
        ]),
      ];
      return this.#braced(`${type} ${name}`, inner);
    }
    const inner = [
      `driver = ${this.#pick(['pam', 'passwd-file', 'static', 'ldap'])}`,
      `args = ${this.#text()}`,
      `default_fields = uid=${this.#random(9)}`,
    ];
    return this.#braced(
      this.#random(5) === 0 ? `${type} n${this.#random(90)}` : type,
      inner.slice(0, 1 + this.#random(3)),
    );
  }

  #namespace(): string {
    const name = this.#pick(['inbox', 'x', '"a b"', ...(this.#named ? ['""'] : [''])]);
    const inner = [
      this.#pick(['inbox = yes', 'separator = /', 'prefix = INBOX/', 'hidden = no', 'list = children']),
      this.#pick([
        'subscriptions = yes',
        'type = private',
        'order = 5',
        `mailbox ${this.#pick(['Junk', '"Sent Items"'])} {\nspecial_use = \\Sent\n}`,
      ]),
    ];
    return this.#braced(`namespace ${name}`.trim(), inner);
  }
}

/** A setting with one value on one line. */
function isPlain({ type, secret }: DovecotSetting): boolean {
  return !secret && ['str', 'bool', 'enum', 'uint', 'time', 'time_msecs', 'size', 'in_port'].includes(type);
}
