import { parameterTable } from '../../src/postfix/parameters.ts';
import {
  checkValue,
  defaultTimeUnit,
  readBool,
  readInt,
  readTime,
  type ValueProblem,
} from '../../src/postfix/values.ts';
import { nearest } from '../../src/text/nearest.ts';

function check(name: string, value: string, release = '3.7.11'): ValueProblem | null {
  const parameter = parameterTable(release).get(name);
  if (!parameter) throw new Error(`${release} has no ${name}`);
  return checkValue(parameter, value, release);
}

test.each([
  ['yes', true],
  ['YES', true],
  ['No', false],
  ['true', null],
  ['on', null],
  ['1', null],
  ['', null],
  [' yes', null],
])('readBool(%j) is %s', (text, expected) => {
  expect(readBool(text)).toBe(expected);
});

test.each([
  ['10', 10],
  ['+10', 10],
  ['-5', -5],
  [' 5', 5],
  ['5 ', null],
  ['10k', null],
  ['0x10', null],
  ['1.5', null],
  ['', null],
  ['+', null],
  ['2147483647', 2_147_483_647],
  ['2147483648', null],
  ['-2147483648', -2_147_483_648],
])('readInt(%j) is %s', (text, expected) => {
  expect(readInt(text)).toBe(expected);
});

test('readInt with bounds', () => {
  expect(readInt('0', 1)).toBeNull();
  expect(readInt('5', 1, 4)).toBeNull();
  expect(readInt('4', 1, 4)).toBe(4);
});

describe('readTime', () => {
  test.each([
    ['10', 's', 10],
    ['10', 'd', 864_000],
    ['0', 'h', 0],
    ['10s', 'd', 10],
    ['5m', 's', 300],
    ['2h', 's', 7200],
    ['1d', 's', 86_400],
    ['1w', 's', 604_800],
    ['10sec', 's', 10],
    ['5minutes', 's', 300],
    ['+5s', 's', 5],
    [' 5s', 's', 5],
    ['s', 'd', 0],
    ['10S', 's', null],
    ['-1', 's', null],
    ['-1s', 's', null],
    ['10 s', 's', null],
    ['', 's', null],
    ['+', 's', null],
    ['1.5h', 's', null],
    ['10y', 's', null],
    ['9999999w', 's', null],
    ['3549w', 's', 2_146_435_200],
    ['3550w', 's', null],
    ['2147483647s', 's', 2_147_483_647],
    ['2147483648', 's', null],
  ])('%j in %s is %s', (text, unit, expected) => {
    expect(readTime(text, unit)).toBe(expected);
  });

  test('what follows the letter is looked at before 3.1', () => {
    expect(readTime('10sec', 's', '3.0.15')).toBeNull();
    expect(readTime('10s', 's', '3.0.15')).toBe(10);
    expect(readTime('10sec', 's', '3.1')).toBe(10);
  });
});

test.each([
  ['smtpd_starttls_timeout', 's'],
  ['smtpd_timeout', 's'],
  ['maximal_queue_lifetime', 'd'],
  ['postscreen_cache_retention_time', 'd'],
  ['postscreen_dnsbl_max_ttl', 'h'],
  ['myhostname', null],
])('a bare number in %s counts %s', (name, unit) => {
  const parameter = parameterTable('3.7.11').get(name);
  expect(parameter && defaultTimeUnit(parameter)).toBe(unit);
});

// Which of these ends smtpd at the start was seen on 3.5.25, 3.7.11, 3.10.13 and 3.11.7 (`smtpd -S -o …`).
describe('checkValue', () => {
  test.each([
    ['smtpd_helo_required', 'YES'],
    ['smtpd_timeout', '10sec'],
    ['smtpd_timeout', '10'],
    ['smtpd_recipient_limit', '+10'],
    ['message_size_limit', '99999999999'],
    ['smtpd_tls_security_level', ''],
    ['smtpd_tls_security_level', 'MAY'],
    ['smtpd_tls_ciphers', 'HIGH'],
    ['smtpd_forbid_bare_newline', 'Normalize', '3.9'],
    ['inet_protocols', 'ipv4, ipv6'],
    ['unknown_address_tempfail_action', 'DEFER'],
    ['mynetworks_style', 'host'],
    ['postscreen_greet_action', 'continue'],
    ['smtp_dns_support_level', ''],
    ['smtpd_tls_loglevel', '1'],
    ['smtpd_tls_loglevel', 'Summary, peercert'],
    ['default_verp_delimiters', '+='],
    ['smtpd_tls_protocols', 'anything: it has a reader of its own'],
    ['mynetworks', 'anything'],
    ['smtpd_discard_ehlo_keywords', 'Starttls, DSN'],
  ])('%s = %s passes', (name, value, release = '3.7.11') => {
    expect(check(name, value, release)).toBeNull();
  });

  test.each([
    ['smtpd_helo_required', 'true', 'bad-boolean'],
    ['smtpd_helo_required', '', 'bad-boolean'],
    ['smtpd_relay_before_recipient_restrictions', 'maybe', 'bad-boolean'],
    ['smtpd_timeout', '10S', 'bad-time'],
    ['smtpd_timeout', '-1', 'bad-time'],
    ['smtpd_timeout', '10 s', 'bad-time'],
    ['smtpd_timeout', '0', 'below-min'],
    ['smtpd_timeout', 's', 'below-min'],
    ['smtpd_timeout', '', 'bad-time'],
    ['smtpd_recipient_limit', '10k', 'bad-integer'],
    ['smtpd_recipient_limit', '99999999999', 'bad-integer'],
    ['smtpd_recipient_limit', '0', 'below-min'],
    ['message_size_limit', '99999999999999999999', 'bad-integer'],
    ['smtpd_tls_session_cache_timeout', '101d', 'above-max'],
    ['smtpd_tls_ciphers', '', 'empty'],
    ['smtpd_banner', '', 'empty'],
    ['default_verp_delimiters', '+', 'below-min'],
    ['smtpd_tls_security_level', 'dane', 'bad-word'],
    ['smtpd_tls_security_level', 'on', 'bad-word'],
    ['inet_protocols', 'IPv4', 'bad-word'],
    ['inet_protocols', 'ipv4, ipv5', 'bad-word'],
    ['unknown_address_tempfail_action', 'reject', 'bad-word'],
    ['mynetworks_style', 'HOST', 'bad-word'],
    ['smtp_tls_dane_insecure_mx_policy', 'none', 'bad-word'],
  ])('%s = %s ends the process: %s', (name, value, code) => {
    expect(check(name, value)).toMatchObject({ code, effect: 'fatal' });
  });

  test.each([
    ['smtpd_tls_ciphers', 'strong', 'session'],
    ['smtpd_sasl_security_options', 'noanonymus', 'session'],
    ['notify_classes', 'Bounce', 'session'],
    ['smtpd_tls_security_level', 'secure', 'degraded'],
    ['smtpd_tls_loglevel', 'high', 'degraded'],
    ['milter_default_action', 'shutdown', 'degraded'],
    ['smtpd_discard_ehlo_keywords', 'startls', 'ignored'],
  ])('%s = %s is found later: %s', (name, value, effect) => {
    expect(check(name, value)).toMatchObject({ code: 'bad-word', effect });
  });

  test('says what may stand there and what was meant', () => {
    expect(check('smtpd_helo_required', 'true')).toMatchObject({ allowed: ['yes', 'no'], suggestion: 'yes' });
    expect(check('smtpd_forbid_bare_newline', 'normalise', '3.9')).toEqual({
      code: 'bad-word',
      effect: 'fatal',
      text: 'normalise',
      allowed: ['no', 'yes', 'normalize', 'reject', 'note'],
      suggestion: 'normalize',
      limit: null,
      unit: 'number',
    });
    expect(check('smtpd_sasl_security_options', 'noplaintext, noanonymus')).toMatchObject({
      text: 'noanonymus',
      suggestion: 'noanonymous',
    });
    expect(check('smtpd_tls_session_cache_timeout', '101d')).toMatchObject({
      limit: 8_640_000,
      unit: 'seconds',
    });
  });

  test('a word that the release does not know yet', () => {
    expect(check('smtp_tls_security_level', 'dane', '2.10')).toMatchObject({
      code: 'bad-word',
      effect: 'fatal',
    });
    expect(check('smtp_tls_security_level', 'dane', '2.11')).toBeNull();
  });
});

describe('nearest', () => {
  const names = ['smtpd_tls_protocols', 'smtp_tls_protocols', 'smtpd_tls_ciphers', 'myhostname', 'yes', 'no'];

  test.each([
    ['smtpd_tls_protocol', 'smtpd_tls_protocols'],
    ['smtpd_tls_portocols', 'smtpd_tls_protocols'],
    ['smtpd_tls_cyphers', 'smtpd_tls_ciphers'],
    ['MyHostname', 'myhostname'],
    ['smptd_tls_protocols', 'smtpd_tls_protocols'],
    ['yse', 'yes'],
    ['yep', 'yes'],
    ['', null],
    ['something_else', null],
    ['on', 'no'],
  ])('of %j is %s', (word, expected) => {
    expect(nearest(word, names)).toBe(expected);
  });

  test('is none when two are equally near', () => {
    expect(nearest('cat', ['bat', 'hat'])).toBeNull();
    expect(nearest('cat', ['bat', 'hat', 'cart', 'Cat'])).toBe('Cat');
    expect(nearest('cat', ['bat', 'bat'])).toBe('bat');
  });
});
