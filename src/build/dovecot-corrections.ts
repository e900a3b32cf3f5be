/**
 * What the facts about Dovecot say wrongly or not at all, each with its reason. Used by dovecot-tables.ts.
 *
 * "Source" is dovecot/core at the release tags named; "doveconf -d" is that of the reference roots
 * (2.3.13, 2.3.19.1, 2.4.1, 2.4.5).
 */
import type { Dated, ReplacementLine, SettingLine } from '../dovecot/table-lines.ts';
import type { Release } from '../model/release.ts';

interface Correction {
  readonly why: string;
  readonly change: SettingLine;
}

const MACRO = 'the facts give the name of a C macro; doveconf -d prints the value';
const DISTRIBUTION = 'a path that the build chooses; here that of the distributions';

function value(text: string): Correction {
  return { why: MACRO, change: { default: text } };
}

function place(text: string): Correction {
  return { why: DISTRIBUTION, change: { default: text, build: true } };
}

function named(nameField: string): Correction {
  return {
    why: 'source 2.4.4: filter_array_field_name',
    change: { type: 'named_list_filter', nameField, default: null },
  };
}

function resolved(before: string, after: string): Correction {
  return {
    why: 'doveconf -d of 2.4.1 prints what the 0 in the source stands for; since 2.4.2 the default refers to it',
    change: {
      default: [
        [before, '2.4.0'],
        [after, '2.4.2'],
      ],
    },
  };
}

function words(...list: readonly string[]): Correction {
  return {
    why: 'source 2.4.4: the facts lost the names of C macros',
    change: { type: 'enum', words: list, default: list[0] ?? '' },
  };
}

/** By key of settings.json; what is said here takes the place of what the facts make. */
export const CORRECTIONS: Readonly<Record<string, Correction>> = {
  base_dir: place('/run/dovecot'),
  state_dir: place('/var/lib/dovecot'),
  libexec_dir: place('/usr/lib/dovecot'),
  mail_plugin_dir: place('/usr/lib/dovecot/modules'),
  login_plugin_dir: place('/usr/lib/dovecot/modules/login'),
  sieve_plugin_dir: place('/usr/lib/dovecot/modules/sieve'),
  language_filter_stopwords_dir: place('/usr/share/dovecot/stopwords'),
  textcat_config_path: { why: DISTRIBUTION, change: { build: true } },
  login_greeting: {
    why: 'Debian and others put their name in',
    change: { default: 'Dovecot ready.', build: true },
  },
  auth_verbose_passwords: {
    why: 'source 2.2.0: the facts lost the words of the choice that it was until 2.2.6',
    change: { words: ['no', 'plain', 'sha1'] },
  },
  protocols: {
    why: 'Debian 11 and 12 build 2.3 with an empty default and include a file for each package',
    change: {
      type: [
        ['str', '2.2.0'],
        ['boollist', '2.4.0'],
      ],
      default: [
        ['imap pop3 lmtp', '2.2.0'],
        ['', '2.4.0'],
      ],
      build: true,
    },
  },
  import_environment: {
    why: 'a build for systemd adds to it; 2.4 has pairs',
    change: {
      type: [
        ['str', '2.2.0'],
        ['strlist', '2.4.0'],
      ],
      default: [
        ['TZ', '2.2.0'],
        ['TZ DEBUG_OUTOFMEM', '2.2.7'],
        ['TZ CORE_OUTOFMEM CORE_ERROR', '2.2.10'],
        [null, '2.4.0'],
      ],
      build: true,
    },
  },
  http_client_response_hdr_max_field_size: value('8 k'),
  http_client_response_hdr_max_fields: value('50'),
  http_client_response_hdr_max_size: value('200 k'),
  http_server_request_max_payload_size: value('10 G'),
  http_client_connect_backoff_max_time: value('1 mins'),
  http_client_connect_backoff_time: value('100 ms'),
  http_client_dns_ttl: value('30 mins'),
  http_client_max_auto_retry_delay: value('0'),
  http_client_soft_connect_timeout: value('0'),
  mysql_connection_limit: value('5'),
  pgsql_connection_limit: value('5'),
  sieve_editheader_max_header_size: value('2 k'),
  sieve_include_max_includes: value('255'),
  sieve_include_max_nesting_depth: value('10'),
  sieve_max_script_size: value('1 M'),
  sieve_redirect_duplicate_period: value('43200'),
  sieve_script_precedence: value('unlimited'),
  sieve_script_type: value('personal'),
  sieve_vacation_default_period: value('1 weeks'),
  'metric/exporter_include': value('name hostname timestamps categories fields'),
  verbose_proctitle: value('no'),
  http_client_dns_client_socket_path: value('dns-client'),
  sieve_notify_mailto_max_headers: value('16'),
  sieve_notify_mailto_max_recipients: value('8'),
  sieve_notify_max_notifications: value('10'),
  plugin: { why: 'a section of free names', change: { default: null } },
  dict: { why: 'a section of free names, in 2.4 a filter', change: { default: null } },
  imap_compress_on_proxy: {
    why: 'in 2.4.2 by the source; Debian has it in its 2.4.1',
    change: { since: '2.4.0' },
  },
  mail_cache_fields: {
    why: 'source 2.4.1 and doveconf -d',
    change: {
      default: [
        ['flags', '2.2.0'],
        [
          'flags hdr.date hdr.subject hdr.from hdr.sender hdr.reply-to hdr.to hdr.cc hdr.bcc hdr.in-reply-to hdr.message-id date.received size.virtual imap.bodystructure mime.parts hdr.references hdr.importance hdr.x-priority hdr.x-open-xchange-share-url pop3.uidl pop3.order',
          '2.4.1',
        ],
      ],
    },
  },
  service_client_limit: resolved('1000', '$SET:default_client_limit'),
  service_idle_kill_interval: resolved('1 mins', '$SET:default_idle_kill_interval'),
  service_process_limit: resolved('100', '$SET:default_process_limit'),
  service_vsz_limit: resolved('256 M', '$SET:default_vsz_limit'),
  mailbox_auto: words('no', 'create', 'subscribe'),
  'namespace/mailbox/auto': words('no', 'create', 'subscribe'),
  quota_warning_resource: words('storage', 'message'),
  quota_warning_threshold: words('over', 'under'),
  dict_map_key_field_type: words('string', 'int', 'uint', 'double', 'hexblob', 'uuid'),
  dict_map_value_field_type: words('string', 'int', 'uint', 'double', 'hexblob', 'uuid'),
  fts_decoder_driver: words('', 'tika', 'script'),
  fts_search_add_missing: words('body-search-only', 'yes'),
  fts_driver: { why: 'source 2.4.4: a string', change: { type: 'str', default: '' } },
  fts_search: { why: 'doveconf -d', change: { type: 'bool', default: 'yes' } },
  fts: named('fts_driver'),
  mysql: named('mysql_host'),
  pgsql: named('pgsql_host'),
  push_notification: named('push_notification_name'),
  dovecot_config_version: { why: 'nothing is assumed: it must be set', change: { default: null } },
  acl_global_path: { why: 'doveconf -d of 2.4.1', change: { default: '' } },
  inet_listener_reuse_port: { why: 'doveconf -d of 2.4.1', change: { type: 'bool', default: 'no' } },
  last_login_dict_fields: { why: 'doveconf -d of 2.4.5', change: { type: 'strlist', default: '' } },
  mail: { why: 'source: an alias', change: { alias: 'mail_location' } },
  'namespace/mail': { why: 'source: an alias', change: { alias: 'location' } },
  'namespace/mail_location': { why: 'source: an alias', change: { alias: 'location' } },
  doveadm_proxy_port: { why: 'source: an alias', change: { alias: 'doveadm_port' } },
  mbox_read_locks: {
    why: 'source 2.4.0: the default moved into the filter mbox',
    change: {
      default: [
        ['fcntl', '2.2.0'],
        ['', '2.4.0'],
      ],
    },
  },
  mbox_write_locks: {
    why: 'source 2.4.0: the default moved into the filter mbox; Debian turns the order round',
    change: {
      build: true,
      default: [
        ['dotlock fcntl', '2.2.0'],
        ['', '2.4.0'],
      ],
    },
  },
};

/** Entries of the facts that no release has. */
export const LEFT_OUT: readonly { readonly why: string; readonly names: RegExp }[] = [
  { why: 'a prefix that the facts lost: the whole names stand beside them', names: /^_|^$/ },
  {
    why: 'only in the documentation: doveconf 2.4.5 knows no such name',
    names: /^http_server_max_(idle_time|payload_size|target_length)$|^cassandra_metrics$/,
  },
];

/** Names that doveconf -d prints and the facts do not have. */
export const MORE_SETTINGS: Readonly<Record<string, SettingLine>> = {
  oauth2_audience: { since: '2.4.0' },
  push_notification_ox: { type: 'named_filter', default: null, since: '2.4.4' },
};

/** Read by the authentication process although the facts name another module (source: auth-settings.c). */
export const AUTH_SETTINGS: Readonly<Record<string, true | Release>> = {
  ssl_client_ca_dir: '2.4.0',
  ssl_client_ca_file: '2.4.0',
  auth_policy_request_attributes: '2.4.0',
};

/** Settings whose default is that of dovecot_config_version (source 2.4.5: settings-history-core.txt). */
export const BY_CONFIG_VERSION: readonly string[] = [
  'imap_compress_on_proxy',
  'lazy_expunge_only_last_instance',
  'lmtp_user_concurrency_limit',
  'mail_access_groups',
  'mail_attachment_detection_options',
  'mail_cache_fields',
  'mailbox_directory_name_legacy',
  'passdb_default_password_scheme',
];

const PATH_OF_FILE: ReplacementLine = { kind: 'file' };
const GONE: ReplacementLine = { kind: 'drop' };

function rename(to: string): ReplacementLine {
  return { kind: 'rename', to };
}

function decide(note: string, to?: string): ReplacementLine {
  return to === undefined ? { kind: 'decide', note } : { kind: 'decide', to, note };
}

const DIRECTOR = decide('Dovecot 2.4 has no director');
const REPLICATOR = decide('Dovecot 2.4 has no replicator');
const DRIVER_SETTINGS = decide('2.4 has a setting for each argument, named after the driver');

const STATISTICS = [
  'carbon_interval',
  'carbon_name',
  'carbon_server',
  'command_min_time',
  'domain_min_time',
  'ip_min_time',
  'memory_limit',
  'session_min_time',
  'user_min_time',
];

/**
 * What takes the place of what ended, where the facts do not say it exactly (source: old-set-parser.c of
 * 2.3, the upgrade notes of 2.3 and 2.4, and doveconf of the roots). A replacement with a `note` is one that
 * somebody has to look at.
 */
export const REPLACEMENTS: Readonly<Record<string, ReplacementLine>> = {
  auth_default_realm: rename('auth_default_domain'),
  auth_policy_server_timeout_msecs: decide(
    'milliseconds; 2.4 takes a time with its unit inside auth_policy',
    'auth_policy/http_client_request_absolute_timeout',
  ),
  auth_stats: GONE,
  auth_worker_max_count: { kind: 'move', to: 'service/auth-worker/process_limit' },
  config_cache_size: GONE,
  default_idle_kill: { kind: 'rename', to: 'default_idle_kill_interval', words: { '0': 'infinite' } },
  dict_db_config: GONE,
  director_consistent_hashing: GONE,
  director_doveadm_port: DIRECTOR,
  director_flush_socket: DIRECTOR,
  director_mail_servers: DIRECTOR,
  director_max_parallel_kicks: DIRECTOR,
  director_max_parallel_moves: DIRECTOR,
  director_output_buffer_size: DIRECTOR,
  director_ping_idle_timeout: DIRECTOR,
  director_ping_max_timeout: DIRECTOR,
  director_servers: DIRECTOR,
  director_user_expire: DIRECTOR,
  director_user_kick_delay: DIRECTOR,
  director_username_hash: DIRECTOR,
  disable_plaintext_auth: { kind: 'invert', to: 'auth_allow_cleartext' },
  doveadm_http_rawlog_dir: { kind: 'move', to: 'doveadm_server/http_client_rawlog_dir' },
  stats_http_rawlog_dir: { kind: 'move', to: 'stats_server/http_client_rawlog_dir' },
  imap_id_log: decide('2.4 logs the event imap_id_received instead'),
  imapc_ssl_verify: decide('2.4 decides it for all clients', 'ssl_client_require_valid_cert'),
  lmtp_address_translate: decide('removed in 2.3'),
  login_access_sockets: decide('2.4 has no TCP wrappers; a Lua passdb can refuse addresses'),
  login_dir: GONE,
  mail_attachment_dir: rename('mail_ext_attachment_path'),
  mail_attachment_fs: decide('a section of its own in 2.4', 'mail_ext_attachment'),
  mail_attachment_hash: rename('mail_ext_attachment_hash'),
  mail_attachment_min_size: rename('mail_ext_attachment_min_size'),
  mail_attribute_dict: decide('a section of its own in 2.4', 'mail_attribute'),
  mail_cache_compress_continued_percentage: rename('mail_cache_purge_continued_percentage'),
  mail_cache_compress_delete_percentage: rename('mail_cache_purge_delete_percentage'),
  mail_cache_compress_header_continue_count: rename('mail_cache_purge_header_continue_count'),
  mail_cache_compress_min_size: rename('mail_cache_purge_min_size'),
  mail_location: { kind: 'mail-location' },
  mail: { kind: 'mail-location' },
  'namespace/location': { kind: 'mail-location' },
  'namespace/mail': { kind: 'mail-location' },
  'namespace/mail_location': { kind: 'mail-location' },
  master_user_separator: rename('auth_master_user_separator'),
  mdbox_purge_preserve_alt: GONE,
  plugin: decide('2.4 has no plugin section: each setting is a global one, many under another name'),
  replication_dsync_parameters: REPLICATOR,
  replication_full_sync_interval: REPLICATOR,
  replication_max_conns: REPLICATOR,
  replicator_host: REPLICATOR,
  replicator_port: REPLICATOR,
  sieve: decide('a setting of the section plugin since 2.0', 'plugin/sieve'),
  ssl_alt_cert: { ...PATH_OF_FILE, to: 'ssl_server_alt_cert_file' },
  ssl_alt_key: { ...PATH_OF_FILE, to: 'ssl_server_alt_key_file' },
  ssl_ca: {
    ...PATH_OF_FILE,
    to: 'ssl_server_ca_file',
    note: 'in 2.3 it also verified outgoing connections: ssl_client_ca_file does that in 2.4',
  },
  ssl_ca_file: { kind: 'rename', to: 'ssl_ca', note: 'the value of the new name begins with <' },
  ssl_cert: { ...PATH_OF_FILE, to: 'ssl_server_cert_file' },
  ssl_cert_file: { kind: 'rename', to: 'ssl_cert', note: 'the value of the new name begins with <' },
  ssl_cert_username_field: rename('ssl_server_cert_username_field'),
  ssl_client_cert: { ...PATH_OF_FILE, to: 'ssl_client_cert_file' },
  ssl_client_key: { ...PATH_OF_FILE, to: 'ssl_client_key_file' },
  ssl_dh: { ...PATH_OF_FILE, to: 'ssl_server_dh_file' },
  ssl_dh_parameters_length: GONE,
  ssl_disable: { kind: 'words', to: 'ssl', words: { yes: 'no', no: 'yes' } },
  ssl_key: { ...PATH_OF_FILE, to: 'ssl_server_key_file' },
  ssl_key_file: { kind: 'rename', to: 'ssl_key', note: 'the value of the new name begins with <' },
  ssl_key_password: rename('ssl_server_key_password'),
  ssl_listen: decide('an inet_listener of the login service'),
  ssl_parameters_regenerate: GONE,
  ssl_prefer_server_ciphers: {
    kind: 'words',
    to: 'ssl_server_prefer_ciphers',
    words: { yes: 'server', no: 'client' },
  },
  ssl_protocols: { kind: 'protocols', to: 'ssl_min_protocol' },
  ssl_require_crl: {
    kind: 'rename',
    to: 'ssl_server_require_crl',
    note: '2.4 looks at revocation lists for certificates of clients only',
  },
  ssl_verify_client_cert: rename('ssl_server_request_client_cert'),
  verbose_ssl: { kind: 'words', to: 'log_debug', words: { yes: 'category=ssl', no: null } },
  'event_exporter/format_args': decide('2.4 names the format of times', 'time_format'),
  'event_exporter/transport': decide('2.4 calls it a driver', 'driver'),
  'event_exporter/transport_args': decide('2.4 has a setting for each driver'),
  'event_exporter/transport_timeout': decide('2.4 has a setting for each driver'),
  'metric/metric_name': { kind: 'rename', to: 'name' },
  'metric/name': { kind: 'rename', to: 'metric_name' },
  'metric/categories': decide('2.3.13 has one filter language', 'filter'),
  'metric/event_name': decide('2.3.13 has one filter language', 'filter'),
  'metric/source_location': decide('2.3.13 has one filter language', 'filter'),
  'metric/group_by': decide('a section of its own in 2.4', 'group_by'),
  'namespace/mailbox': { kind: 'same' },
  'namespace/mailbox/name': { kind: 'same' },
  'namespace/mailbox/driver': decide('2.4 has mail_driver inside the mailbox', 'mail_driver'),
  'passdb/args': DRIVER_SETTINGS,
  'passdb/auth_verbose': decide('2.4 has it for the whole server only', 'auth_verbose'),
  'passdb/default_fields': decide('2.4: fields, each name with :default behind it', 'fields'),
  'passdb/mechanisms': rename('mechanisms_filter'),
  'passdb/override_fields': { kind: 'fields', to: 'fields' },
  'passdb/pass': { kind: 'words', to: 'result_success', words: { yes: 'continue', no: null } },
  'userdb/args': DRIVER_SETTINGS,
  'userdb/auth_verbose': decide('2.4 has it for the whole server only', 'auth_verbose'),
  'userdb/default_fields': decide('2.4: fields, each name with :default behind it', 'fields'),
  'userdb/override_fields': { kind: 'fields', to: 'fields' },
  'service/fifo_listener': { kind: 'same' },
  'service/inet_listener': { kind: 'same' },
  'service/unix_listener': { kind: 'same' },
  'service/idle_kill': { kind: 'rename', to: 'idle_kill_interval', words: { '0': null } },
  'service/service_count': { kind: 'rename', to: 'restart_request_count', words: { '0': 'unlimited' } },
  'service/inet_listener/address': rename('listen'),
  'service/inet_listener/haproxy': { kind: 'same' },
  'service/inet_listener/reuse_port': decide('2.4 has it for the whole service', 'reuse_port'),
  // 2.3 calls the statistics of 2.2 old ones, 2.4 has neither.
  ...Object.fromEntries(STATISTICS.map((name) => [`stats_${name}`, rename(`old_stats_${name}`)])),
  ...Object.fromEntries(
    STATISTICS.map((name) => [`old_stats_${name}`, decide('2.4 has metrics instead', 'metric')]),
  ),
};

type ServiceDates = Readonly<Record<string, Dated<string | null>>>;

const OWN_GROUP: Dated<string | null> = [
  [null, '2.2.0'],
  ['$default_internal_group', '2.3.1'],
];

/**
 * Defaults of services before the oldest root, 2.3.13 (source: the settings files of the tags 2.2.0 to
 * 2.3.13), by key of services.json. The last entry is what 2.3.13 prints.
 */
export const OLDER_SERVICES: ServiceDates = {
  'auth/unix_listener/auth-client/user': [
    [null, '2.2.0'],
    ['$default_internal_user', '2.2.10'],
  ],
  'dict/unix_listener/dict/mode': [
    ['0600', '2.2.0'],
    ['0660', '2.3.1'],
  ],
  'dict/unix_listener/dict/group': OWN_GROUP,
  'dict-async/executable': [
    [null, '2.2.0'],
    ['dict', '2.2.19'],
  ],
  'dict-async/unix_listener/dict-async/mode': [
    [null, '2.2.0'],
    ['0600', '2.2.19'],
    ['0660', '2.3.1'],
  ],
  'dict-async/unix_listener/dict-async/group': OWN_GROUP,
  'dns-client/executable': [
    [null, '2.2.0'],
    ['dns-client', '2.3.11.2'],
  ],
  'dns_client/executable': [
    ['dns-client', '2.2.0'],
    [null, '2.3.11.2'],
  ],
  'doveadm/extra_groups': OWN_GROUP,
  'health-check/executable': [
    [null, '2.2.0'],
    ['script -p health-check.sh', '2.3.8'],
  ],
  'imap/extra_groups': OWN_GROUP,
  'imap/unix_listener/imap-master/mode': [
    [null, '2.2.0'],
    ['0600', '2.2.19'],
  ],
  'imap-hibernate/executable': [
    [null, '2.2.0'],
    ['imap-hibernate', '2.2.19'],
  ],
  'imap-hibernate/unix_listener/imap-hibernate/mode': [
    [null, '2.2.0'],
    ['0600', '2.2.19'],
    ['0660', '2.3.1'],
  ],
  'imap-hibernate/unix_listener/imap-hibernate/group': OWN_GROUP,
  'imap-urlauth-worker/extra_groups': OWN_GROUP,
  'indexer-worker/extra_groups': OWN_GROUP,
  'ipc/unix_listener/ipc/user': [
    [null, '2.2.0'],
    ['$default_internal_user', '2.3.1'],
  ],
  'lmtp/extra_groups': OWN_GROUP,
  'old-stats/executable': [
    [null, '2.2.0'],
    ['old-stats', '2.3.0'],
  ],
  'pop3/extra_groups': OWN_GROUP,
  'ssl-params/executable': [
    ['ssl-params', '2.2.0'],
    [null, '2.3.0'],
  ],
  'stats/chroot': [
    ['empty', '2.2.0'],
    [null, '2.3.8'],
  ],
  'stats/unix_listener/stats-writer/mode': [
    [null, '2.2.0'],
    ['0600', '2.3.0'],
    ['0660', '2.3.1'],
  ],
  'stats/unix_listener/stats-writer/group': OWN_GROUP,
  'stats/unix_listener/stats-reader/mode': [
    [null, '2.2.0'],
    ['0600', '2.3.0'],
  ],
  'stats/unix_listener/stats/mode': [
    ['0600', '2.2.0'],
    [null, '2.3.0'],
  ],
  'submission/executable': [
    [null, '2.2.0'],
    ['submission', '2.3.0'],
  ],
  'submission/extra_groups': OWN_GROUP,
  'submission-login/executable': [
    [null, '2.2.0'],
    ['submission-login', '2.3.0'],
  ],
};

/**
 * The release of each difference between two roots of one language (source: the tags, and for 2.4 also
 * settings-history-core.txt); `*` stands for any name.
 */
export const SERVICE_CHANGES: readonly (readonly [key: RegExp, release: Release])[] = [
  [/^(auth|indexer)-worker\/type$/, '2.3.14'],
  [/^auth-worker\/service_count$/, '2.3.16'],
  [/^stats\/unix_listener\/login\\sstats-writer\//, '2.3.18'],
  [/^anvil\/unix_listener\/anvil\//, '2.4.2'],
  [/^anvil\/unix_listener\/anvil-auth-penalty\//, '2.4.3'],
  [/^anvil\/unix_listener\/anvil-connect-limit\//, '2.4.4'],
  [/^auth\/unix_listener\/auth-token\//, '2.4.3'],
  [/^imap\/unix_listener\/imap-master\/user$/, '2.4.3'],
  [/\/extra_groups$/, '2.4.3'],
  [/^indexer-worker\/restart_request_count$/, '2.4.4'],
  [/^welcome\//, '2.4.2'],
  [/^submission-login\/submission_max_mail_size$/, '2.4.3'],
];

/** Defaults of 2.4 that changed before its oldest root, or came back (settings-history-core.txt). */
export const HISTORY: ServiceDates = {
  'auth/unix_listener/auth-userdb/group': [
    [null, '2.2.0'],
    ['$SET:default_internal_group', '2.4.1'],
  ],
  'lmtp/extra_groups': [
    ...OWN_GROUP,
    ['$SET:default_internal_group', '2.4.0'],
    [null, '2.4.3'],
    ['$SET:default_internal_group', '2.4.4'],
  ],
  'lmtp/restart_request_count': [
    [null, '2.2.0'],
    ['1', '2.4.1'],
  ],
};

/** Keys of services.json whose default is that of dovecot_config_version (settings-history-core.txt). */
export const SERVICES_BY_CONFIG_VERSION: RegExp =
  /\/extra_groups$|^anvil\/unix_listener\/anvil(-auth-penalty)?\/(mode|group)$|^imap\/unix_listener\/imap-master\/user$|^lmtp\/restart_request_count$|^auth\/unix_listener\/auth-userdb\/group$/;

/** Services of packages that the roots do not have; the facts have them. */
export const SERVICES_WITHOUT_PACKAGE: readonly string[] = [
  'managesieve',
  'managesieve-login',
  'submission',
  'submission-login',
];
