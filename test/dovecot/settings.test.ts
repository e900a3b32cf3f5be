import fs from 'node:fs';
import path from 'node:path';
import { defaultServices } from '../../src/dovecot/services.ts';
import { type DovecotSetting, settingHistory, settingsTable } from '../../src/dovecot/settings.ts';
import { compareDefaults, OTHER_PACKAGES } from '../support/doveconf-defaults.ts';

const recorded = path.join(import.meta.dirname, '..', 'recorded', 'doveconf-d');

describe.each(['2.3.13', '2.3.19.1', '2.4.1', '2.4.5'])('doveconf -d %s', (release) => {
  const answer = fs.readFileSync(path.join(recorded, `${release}.txt`), 'utf8');
  const found = compareDefaults(release, answer);

  test('prints these defaults', () => {
    expect(found.compared).toBeGreaterThan(850);
    expect(found.unknown).toEqual([]);
    expect(found.defaults).toEqual([]);
    expect(found.services).toEqual([]);
  });

  test('prints all but the settings of other packages', () => {
    expect(found.unprinted.filter((name) => !OTHER_PACKAGES.test(name))).toEqual([]);
  });
});

describe('defaults by release', () => {
  // facts/dovecot-tls.md §2, and the release tags.
  test.each([
    ['2.2.26', 'ssl_protocols', '!SSLv2'],
    ['2.2.36.4', 'ssl_protocols', '!SSLv2 !SSLv3'],
    ['2.3.14.1', 'ssl_min_protocol', 'TLSv1'],
    ['2.3.15', 'ssl_min_protocol', 'TLSv1.2'],
    ['2.4.5', 'ssl_min_protocol', 'TLSv1.2'],
    ['2.2.36', 'ssl_cipher_list', 'ALL:!LOW:!SSLv2:!EXP:!aNULL'],
    ['2.2.36', 'listen', '*, ::'],
    ['2.4.0', 'listen', '* ::'],
    ['2.2.6', 'ssl_parameters_regenerate', '7 days'],
    ['2.3.21', 'protocols', 'imap pop3 lmtp'],
    ['2.4.0', 'protocols', ''],
    ['2.2.36', 'auth_mechanisms', 'plain'],
    ['2.4.5', 'auth_mechanisms', 'plain'],
    ['2.3.19', 'disable_plaintext_auth', 'yes'],
    ['2.4.0', 'auth_allow_cleartext', 'no'],
  ])('%s: %s = %s', (release, name, expected) => {
    expect(settingsTable(release).get(name)?.default).toBe(expected);
  });

  // doveconf -a of 2.4.5 with each dovecot_config_version.
  test.each([
    ['2.4.0', 'lmtp_user_concurrency_limit', '0'],
    ['2.4.1', 'lmtp_user_concurrency_limit', '10'],
    ['2.4.1', 'mailbox_directory_name_legacy', 'yes'],
    ['2.4.2', 'mailbox_directory_name_legacy', 'no'],
    ['2.4.2', 'passdb_default_password_scheme', 'PLAIN'],
    ['2.4.3', 'passdb_default_password_scheme', 'CRYPT'],
    ['2.4.2', 'lazy_expunge_only_last_instance', 'no'],
    // Changed in 2.4.5 whatever the version says.
    ['2.4.0', 'sieve_max_cpu_time', '30 secs'],
  ])('2.4.5 with dovecot_config_version = %s: %s = %s', (version, name, expected) => {
    expect(settingsTable('2.4.5', version).get(name)?.default).toBe(expected);
  });

  test('a version that the release does not know yet counts as the release', () => {
    expect(settingsTable('2.4.1', '2.4.5')).toBe(settingsTable('2.4.1'));
  });
});

test.each([
  ['ssl_min_protocol', null, ['2.3.0', '2.3.21.1', '2.4.5'], ['2.2.36.4']],
  ['ssl_protocols', null, ['2.2.0', '2.2.36.4'], ['2.3.0', '2.4.0']],
  ['ssl_cipher_suites', null, ['2.3.15', '2.4.0'], ['2.3.14']],
  ['disable_plaintext_auth', null, ['2.2.0', '2.3.21.1'], ['2.4.0']],
  ['auth_allow_cleartext', null, ['2.4.0'], ['2.3.21.1']],
  ['ssl_cert_file', null, [], ['2.2.0', '2.3.19', '2.4.0']],
  ['mode', 'service/unix_listener', ['2.2.0', '2.3.19'], ['2.4.0']],
  ['unix_listener_mode', null, ['2.4.0'], ['2.3.19']],
  ['inet_listener_reuse_port', null, ['2.4.0', '2.4.3'], ['2.3.19', '2.4.4']],
  ['constructor', null, [], ['2.3.19', '2.4.0']],
  ['service/user', null, [], ['2.3.19']],
  ['', null, [], ['2.4.5']],
])('which release has %s', (name, section, yes, no) => {
  expect(yes.filter((release) => !settingsTable(release).get(name, section))).toEqual([]);
  expect(no.filter((release) => settingsTable(release).get(name, section))).toEqual([]);
});

test.each<[string, string, string | null, Partial<DovecotSetting>]>([
  ['2.3.19', 'ssl', null, { type: 'enum', values: ['yes', 'no', 'required'], default: 'yes' }],
  ['2.3.19', 'auth_mechanisms', null, { type: 'str', auth: true }],
  ['2.4.0', 'auth_mechanisms', null, { type: 'boollist', auth: true }],
  ['2.3.19', 'ssl_client_ca_dir', null, { type: 'str', auth: true }],
  ['2.4.0', 'ssl_client_ca_dir', null, { type: 'str', auth: false }],
  ['2.4.1', 'ssl_server_request_client_cert', null, { type: 'bool' }],
  ['2.4.2', 'ssl_server_request_client_cert', null, { type: 'enum', values: ['no', 'yes', 'any-cert'] }],
  ['2.4.0', 'ssl_server_cert_file', null, { type: 'file', secret: false }],
  ['2.3.19', 'ssl_key', null, { type: 'str', secret: true }],
  ['2.4.0', 'doveadm_password', null, { secret: true }],
  ['2.3.19', 'passdb', null, { type: 'section', default: null }],
  ['2.4.0', 'passdb', null, { type: 'named_list_filter', nameField: 'passdb_name', default: null }],
  ['2.4.0', 'ssl_server', null, { type: 'named_filter', default: null }],
  ['2.3.19', 'mail', null, { type: 'alias', aliasOf: 'mail_location' }],
  ['2.3.19', 'port', 'service/inet_listener', { type: 'in_port', default: '0' }],
  ['2.4.5', 'base_dir', null, { buildDependent: true, hidden: true }],
])('%s: what %s is (in %s)', (release, name, section, expected) => {
  expect(settingsTable(release).get(name, section)).toMatchObject(expected);
});

describe('what takes the place of a setting', () => {
  test.each([
    ['disable_plaintext_auth', null, { kind: 'invert', to: 'auth_allow_cleartext', note: null }],
    ['ssl_cert', null, { kind: 'file', to: 'ssl_server_cert_file', note: null }],
    ['ssl_prefer_server_ciphers', null, { kind: 'words', words: { yes: 'server', no: 'client' } }],
    ['mail_location', null, { kind: 'mail-location', to: null }],
    ['ssl_protocols', null, { kind: 'protocols', to: 'ssl_min_protocol' }],
    ['mode', 'service/unix_listener', { kind: 'same' }],
    ['address', 'service/inet_listener', { kind: 'rename', to: 'listen' }],
    ['service_count', 'service', { kind: 'rename', words: { '0': 'unlimited' } }],
    ['acl', 'plugin', { kind: 'rename', to: 'acl_driver' }],
    ['args', 'passdb', { kind: 'decide' }],
    ['stats_memory_limit', null, { kind: 'rename', to: 'old_stats_memory_limit' }],
  ])('%s (in %s)', (name, section, expected) => {
    expect(settingHistory(name, section)?.replacement).toMatchObject(expected);
  });

  test('every setting that ended has one, and each new name exists where the old one ended', () => {
    const lost: string[] = [];
    for (const release of ['2.2.36.4', '2.3.21.1', '2.4.0']) {
      const table = settingsTable(release);
      for (const section of [null, 'plugin', 'service', 'service/inet_listener', 'passdb', 'namespace']) {
        for (const name of table.names(section)) {
          const { removed, replacement } = settingHistory(name, section) ?? {};
          if (!removed) continue;
          if (!replacement) lost.push(`${name} has none`);
          else if (
            section === null &&
            replacement.kind !== 'decide' &&
            replacement.to?.includes('/') === false
          ) {
            if (!settingsTable(removed).get(replacement.to))
              lost.push(`${name}: no ${replacement.to} in ${removed}`);
          }
        }
      }
    }
    expect(lost).toEqual([]);
  });

  test('names that live on, and unknown ones, have no replacement', () => {
    expect(settingHistory('ssl')).toMatchObject({ introduced: null, removed: null, replacement: null });
    expect(settingHistory('toString')).toBeNull();
    expect(settingHistory('ssl_cert_file')).toMatchObject({ legacy: true });
  });
});

describe('services', () => {
  const ports = (release: string): string[] =>
    [...defaultServices(release).values()].flatMap(({ listeners }) =>
      listeners
        .filter(({ kind }) => kind === 'inet_listener')
        .map(({ name, keys }) => `${name} ${keys.get('port')}${keys.get('ssl') === 'yes' ? ' ssl' : ''}`),
    );

  // facts/dovecot-tls.md §6.
  test.each([
    ['2.2.36.4', ['imap 143', 'imaps 993 ssl', 'pop3 110', 'pop3s 995 ssl', 'sieve 4190']],
    ['2.3.19.1', ['imap 143', 'imaps 993 ssl', 'pop3 110', 'pop3s 995 ssl', 'sieve 4190', 'submission 587']],
    [
      '2.4.0',
      [
        'imap 143',
        'imaps 993 ssl',
        'pop3 110',
        'pop3s 995 ssl',
        'sieve 4190',
        'submission 587',
        'submissions 465 ssl',
      ],
    ],
  ])('ports of %s', (release, expected) => {
    expect(ports(release).sort()).toEqual(expected);
  });

  test.each([
    ['2.3.7', 'health-check', false],
    ['2.3.8', 'health-check', true],
    ['2.3.10', 'dns_client', true],
    ['2.3.13', 'dns_client', false],
    ['2.2.36.4', 'ssl-params', true],
    ['2.3.0', 'ssl-params', false],
    ['2.4.0', 'replicator', false],
  ])('%s has %s: %s', (release, name, expected) => {
    expect(defaultServices(release).has(name)).toBe(expected);
  });

  test('defaults of 2.4 follow dovecot_config_version where Dovecot says so', () => {
    const groups = (version: string): string | undefined =>
      defaultServices('2.4.5', version).get('imap')?.keys.get('extra_groups');
    expect([groups('2.4.2'), groups('2.4.3')]).toEqual(['$SET:default_internal_group', undefined]);
  });

  test('sockets have their mode, owner and kind', () => {
    const auth = defaultServices('2.4.5')
      .get('auth')
      ?.listeners.find(({ name }) => name === 'auth-userdb');
    expect(Object.fromEntries(auth?.keys ?? [])).toEqual({
      mode: '0666',
      type: 'userdb',
      user: '$SET:default_internal_user',
      group: '$SET:default_internal_group',
    });
  });
});
