import fs from 'node:fs';
import path from 'node:path';
import {
  dbmsSuffixes,
  hasFeature,
  obsoleteRestrictions,
  type Parameter,
  type ParameterTable,
  POSTFIX_RELEASES,
  parameterTable,
  transportParameters,
} from '../../src/postfix/parameters.ts';

const recorded = path.join(import.meta.dirname, '..', 'recorded', 'postconf-d');

/** The OpenSSL of the servers whose answers are recorded. */
const OPENSSL: Record<string, string> = {
  '3.5.25': '1.1.1w',
  '3.7.11': '3.0.20',
  '3.10.13': '3.5.7',
  '3.11.7': '3.6.5',
};

function parameter(release: string, name: string): Parameter {
  const found = parameterTable(release).get(name);
  if (!found) throw new Error(`${release} has no ${name}`);
  return found;
}

function has(release: string, name: string): boolean {
  return parameterTable(release).get(name) !== null;
}

// What postconf -d of real servers printed; test/servers/parameters.test.ts records it.
describe.each(Object.keys(OPENSSL))('postconf -d of %s', (release) => {
  const table = parameterTable(release, OPENSSL[release]);
  const lines = fs
    .readFileSync(path.join(recorded, `${release}.txt`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): [string, string] => {
      const at = line.indexOf(' =');
      return [line.slice(0, at), line.slice(at + 3)];
    });

  test('prints these defaults', () => {
    expect(lines.length).toBeGreaterThan(800);
    expect(lines.map(([name]) => [name, table.get(name)?.default])).toEqual(lines);
  });

  test('prints nothing else but what is computed or the distribution chooses', () => {
    const printed = new Set(lines.map(([name]) => name));
    const others = [...table.names()].filter((name) => !printed.has(name));
    expect(others.filter((name) => !table.get(name)?.buildDependent)).toEqual([]);
    expect(others.length).toBeLessThan(20);
  });
});

describe('defaults by release', () => {
  test.each([
    ['2.6', 'smtpd_tls_ciphers', 'export'],
    ['2.9.13', 'smtpd_tls_ciphers', 'export'],
    ['2.9.14', 'smtpd_tls_ciphers', 'medium'],
    ['2.10.7', 'smtpd_tls_ciphers', 'export'],
    ['2.10.8', 'smtpd_tls_ciphers', 'medium'],
    ['3.0.1', 'smtpd_tls_ciphers', 'export'],
    ['3.1', 'smtpd_tls_ciphers', 'medium'],
    ['2.6', 'smtpd_tls_protocols', ''],
    ['3.5.25', 'smtpd_tls_protocols', '!SSLv2, !SSLv3'],
    ['3.6', 'smtpd_tls_protocols', '>=TLSv1'],
    ['3.11.7', 'smtpd_tls_protocols', '>=TLSv1'],
    ['2.6.14', 'smtp_tls_mandatory_protocols', 'SSLv3, TLSv1'],
    ['2.6.15', 'smtp_tls_mandatory_protocols', '!SSLv2'],
    ['2.7', 'smtp_tls_mandatory_protocols', 'SSLv3, TLSv1'],
    [
      '3.6.16',
      'smtp_tls_dane_insecure_mx_policy',
      '${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}',
    ],
    ['3.6.17', 'smtp_tls_dane_insecure_mx_policy', 'dane'],
    [
      '3.7.12',
      'smtp_tls_dane_insecure_mx_policy',
      '${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}',
    ],
    ['3.9.2', 'smtp_tls_dane_insecure_mx_policy', 'dane'],
    ['3.8.14', 'milter_default_action', 'tempfail'],
    ['3.8.15', 'milter_default_action', 'shutdown'],
    ['3.9.8', 'milter_default_action', 'tempfail'],
    ['3.5.24', 'smtpd_forbid_bare_newline', 'no'],
    ['3.9', 'smtpd_forbid_bare_newline', 'normalize'],
    ['3.10.13', 'smtp_tls_security_level', ''],
    ['3.11.0', 'smtp_tls_security_level', '${{$compatibility_level} <level {3.11} ? {} : {may}}'],
    ['3.0', 'postscreen_dnsbl_ttl', '1h'],
    ['3.1', 'postscreen_dnsbl_ttl', ''],
    ['3.6', 'smtp_per_record_deadline', 'no'],
  ])('%s: %s = %s', (release, name, expected) => {
    expect(parameter(release, name).default).toBe(expected);
  });

  test('computed ones are null', () => {
    expect(parameter('3.7.11', 'myhostname').default).toBeNull();
    expect(parameter('3.7.11', 'mynetworks').default).toBeNull();
    expect(parameter('3.7.11', 'myorigin').default).toBe('$myhostname');
  });

  test('two depend on the OpenSSL that Postfix was built with', () => {
    const name = 'tls_eecdh_auto_curves';
    const curves = 'X25519 X448 prime256v1 secp384r1 secp521r1';
    expect(parameterTable('3.11.7').get(name)?.default).toBe(curves);
    expect(parameterTable('3.11.7', '3.0.20').get(name)?.default).toBe(curves);
    expect(parameterTable('3.11.7', '3.5.0').get(name)?.default).toBe('?X25519MLKEM768:DEFAULT');
    expect(parameterTable('3.10.13', '3.5.7').get(name)?.default).toBe(curves);
    expect(parameterTable('3.11.7', '3.6').get('tls_ffdhe_auto_groups')?.default).toBe('');
  });
});

describe('which release has which parameter', () => {
  test.each([
    [
      'smtpd_forbid_bare_newline',
      ['3.5.23', '3.5.25', '3.6.13', '3.8.4', '3.8.5', '3.9', '3.12-20260821'],
      ['3.4.29', '3.5.20', '3.5.22', '3.6.12', '3.8.3'],
    ],
    ['tls_config_file', ['3.5.20', '3.7.6', '3.9.0'], ['3.5.19', '3.7.5', '3.8.0']],
    ['smtp_tls_enforce_sts_mx_patterns', ['3.10.5', '3.11'], ['3.10.4', '3.9.14']],
    ['tls_fast_shutdown', ['3.1.13', '3.4.6'], ['3.1.12', '3.1.14', '3.4.7', '3.5.0']],
    ['tls_fast_shutdown_enable', ['3.1.14', '3.4.7', '3.5'], ['3.1.13', '3.4.6']],
    ['tls_dane_digest_agility', ['2.11', '3.3.22'], ['2.10', '3.4']],
    ['smtpd_relay_restrictions', ['2.10', '3.11.7'], ['2.9.15']],
    ['smtpd_tls_cipherlist', [], ['2.6', '3.11.7']],
    ['mydestination', ['2.6', '3.11.7'], []],
  ])('%s', (name, yes, no) => {
    expect(yes.filter((release) => !has(release, name))).toEqual([]);
    expect(no.filter((release) => has(release, name))).toEqual([]);
  });

  test('every release from the oldest to the newest has a table', () => {
    expect([...parameterTable(POSTFIX_RELEASES.oldest).names()].length).toBeGreaterThan(500);
    expect([...parameterTable(POSTFIX_RELEASES.newest).names()].length).toBeGreaterThan(850);
  });

  test.each(['constructor', '__proto__', 'toString', '', 'MyHostname', '<transport>_time_limit'])(
    'none has %j',
    (name) => {
      const table = parameterTable('3.7.11');
      expect(table.get(name)).toBeNull();
      expect(table.knownAnywhere(name)).toBeNull();
    },
  );

  test('knownAnywhere tells of other releases', () => {
    const table = parameterTable('3.5.20');
    expect(table.knownAnywhere('smtpd_forbid_bare_newline')).toEqual({
      name: 'smtpd_forbid_bare_newline',
      introduced: '3.9',
      patches: ['3.5.23', '3.6.13', '3.7.9', '3.8.4'],
      deprecatedSince: null,
      removedSince: null,
      replacedBy: null,
    });
    expect(table.knownAnywhere('smtpd_tls_cipherlist')).toMatchObject({
      introduced: '2.2',
      removedSince: '2.3',
    });
    expect(table.knownAnywhere('smtpd_use_tls')).toMatchObject({ introduced: '2.2' });
  });

  test('tables are made once', () => {
    expect(parameterTable('3.7.11')).toBe(parameterTable('3.7.11'));
  });
});

describe('aliases', () => {
  // postconf -d 3.5.25 prints them, 3.7.11 does not.
  test.each(['postscreen_blacklist_action', 'smtp_per_record_deadline', 'tlsproxy_client_level'])(
    '%s',
    (name) => {
      const listed = (table: ParameterTable): boolean => [...table.names()].includes(name);
      expect(parameter('3.5.25', name).legacyAlias).toBe(false);
      expect(listed(parameterTable('3.5.25'))).toBe(true);
      expect(parameter('3.7.11', name)).toMatchObject({ legacyAlias: true, default: '' });
      expect(listed(parameterTable('3.7.11'))).toBe(false);
      const instead = parameter('3.7.11', parameter('3.7.11', name).replacedBy ?? '');
      expect(instead.default).toContain(name);
    },
  );
});

test('what a parameter is', () => {
  expect(parameter('3.7.11', 'smtpd_tls_protocols')).toEqual({
    name: 'smtpd_tls_protocols',
    type: 'tls-protocols',
    storage: 'str',
    values: [],
    tolerated: [],
    sameCase: false,
    badWord: 'fatal',
    min: null,
    max: null,
    daemons: ['postscreen', 'smtpd', 'tlsproxy'],
    default: '>=TLSv1',
    template: false,
    compatDependent: false,
    buildDependent: false,
    introduced: '2.6',
    deprecatedSince: null,
    removedSince: null,
    postconfWarnsSince: null,
    replacedBy: null,
    legacyAlias: false,
  });
  expect(parameter('3.7.11', 'smtputf8_enable').compatDependent).toBe(true);
  expect(parameter('3.7.11', 'smtpd_use_tls')).toMatchObject({ type: 'bool', postconfWarnsSince: '3.9' });
});

test('words come with releases', () => {
  expect(parameter('2.10', 'smtp_tls_security_level').values).not.toContain('dane');
  expect(parameter('2.11', 'smtp_tls_security_level').values).toContain('dane');
  expect(parameter('3.5.23', 'smtpd_forbid_bare_newline').values).toEqual(['no', 'yes']);
  expect(parameter('3.5.24', 'smtpd_forbid_bare_newline').values).toEqual([
    'no',
    'yes',
    'normalize',
    'reject',
  ]);
  expect(parameter('3.9', 'smtpd_forbid_bare_newline').values).toContain('note');
});

describe('transportParameters', () => {
  const table = parameterTable('3.7.11');
  const names = (program: string, release = table): string[] => [
    ...transportParameters(release, [{ name: 'x', program }]).keys(),
  ];

  test.each(['local', 'error', 'virtual', 'smtp', 'lmtp'])('%s has 16', (program) => {
    expect(names(program)).toHaveLength(16);
    expect(names(program)).not.toContain('x_time_limit');
  });

  test('pipe has a time limit as well, and spawn nothing else', () => {
    expect(names('pipe')).toHaveLength(17);
    expect(names('pipe')).toContain('x_time_limit');
    expect(names('spawn')).toEqual(['x_time_limit']);
  });

  test.each(['smtpd', 'discard', 'bounce', 'Smtp'])('%s has none', (program) => {
    expect(names(program)).toEqual([]);
  });

  test('the rate delay of transports came with 3.1', () => {
    expect(names('smtp', parameterTable('3.0'))).toHaveLength(15);
  });

  test('built-in parameters keep their default', () => {
    const local = transportParameters(table, [{ name: 'local', program: 'local' }]);
    expect(local.has('local_destination_recipient_limit')).toBe(false);
    expect(table.get('local_destination_recipient_limit')?.default).toBe('1');
    expect(local.get('local_delivery_slot_cost')).toMatchObject({
      name: 'local_delivery_slot_cost',
      default: '$default_delivery_slot_cost',
      template: false,
    });
  });
});

test.each([
  ['3.5.25', 'protocolRange', false],
  ['3.6', 'protocolRange', true],
  ['3.0.13', 'tls13Token', false],
  ['3.0.14', 'tls13Token', true],
  ['3.1.9', 'tls13Token', false],
  ['3.4', 'tls13Token', true],
  ['2.11', 'ternary', false],
  ['3.11', 'domainToAscii', true],
  ['3.9', 'domainToAscii', false],
] as const)('%s has %s: %s', (release, feature, expected) => {
  expect(hasFeature(release, feature)).toBe(expected);
});

test('obsolete restrictions', () => {
  expect(obsoleteRestrictions()).toContainEqual({
    name: 'permit_naked_ip_address',
    deprecatedSince: '2.0',
    removedSince: '3.9',
    replacedBy: 'permit_mynetworks',
  });
});

test('settings of lookup tables', () => {
  expect(dbmsSuffixes('ldap')).toEqual(
    expect.arrayContaining(['server_host', 'search_base', 'bind_pw', 'domain']),
  );
  expect(dbmsSuffixes('mysql')).toEqual(
    expect.arrayContaining(['hosts', 'select_field', 'where_field', 'domain']),
  );
  expect(dbmsSuffixes('memcache')).toEqual(expect.arrayContaining(['memcache', 'key_format', 'backup']));
  expect(dbmsSuffixes('hash')).toEqual([]);
  expect(dbmsSuffixes('constructor')).toEqual([]);
});
