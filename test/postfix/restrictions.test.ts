import {
  admission,
  hasRequiredRestriction,
  mynetworksIsEverybody,
  walkList,
} from '../../src/postfix/admission.ts';
import type { PostfixConfiguration } from '../../src/postfix/configuration.ts';
import {
  everyRestriction,
  knownRestrictions,
  nearestRestriction,
  partLocation,
  RESTRICTION_LISTS,
  type RestrictionListName,
  restrictionClasses,
  restrictionDefinition,
  restrictionList,
  sightOf,
  splitWords,
  tableTypesOf,
} from '../../src/postfix/restrictions.ts';
import { hostFromTexts } from '../support/host.ts';

function configured(main: string, release = '3.7.11'): PostfixConfiguration {
  const master = 'smtp inet n - n - - smtpd\n';
  const { postfix } = hostFromTexts({ 'main.cf': main, 'master.cf': master }, { postfix: release });
  if (postfix === null) throw new Error('no Postfix');
  return postfix.configuration;
}

function smtpd(configuration: PostfixConfiguration) {
  const [service] = configuration.services;
  if (service === undefined) throw new Error('no service');
  return service;
}

/** A list in short: `name(argument)`, `!` before a fault, `?` before what only logs, `[…]` for a class. */
function short(configuration: PostfixConfiguration, name: RestrictionListName): string[] {
  type List = ReturnType<typeof restrictionList>;
  const items = (list: List): string[] =>
    list.items.map(({ name: word, argument, fault, members, warnIfReject }) => {
      const inside = members === null ? '' : `[${items(members).join(' ')}]`;
      return `${warnIfReject === null ? '' : '?'}${word}${argument === null ? '' : `(${argument.text})`}${inside}${fault === null ? '' : `!${fault}`}`;
    });
  return items(restrictionList(configuration, name, smtpd(configuration)));
}

describe('words', () => {
  test.each([
    ['a, b,,c\td', true, ['a', 'b', 'c', 'd']],
    ['', true, []],
    [
      'check_policy_service { inet:127.0.0.1:1, timeout = 2s }, permit',
      true,
      ['check_policy_service', '{ inet:127.0.0.1:1, timeout = 2s }', 'permit'],
    ],
    ['inline:{ {a = b}, c = d } x', true, ['inline:{ {a = b}, c = d }', 'x']],
    ['a } b { c', true, ['a', '}', 'b', '{ c']],
    ['{ a, b }', false, ['{', 'a', 'b', '}']],
  ])('of %j with braces %s', (value, grouping, expected) => {
    const words = splitWords(value, grouping);
    expect(words.map(({ text }) => text)).toEqual(expected);
    for (const { text, start, end } of words) expect(value.slice(start, end)).toBe(text);
  });
});

describe('elements', () => {
  test.each<[string, RestrictionListName, string[]]>([
    ['Permit_MyNetworks, REJECT', 'smtpd_relay_restrictions', ['permit_mynetworks', 'reject']],
    ['hash:/a', 'smtpd_client_restrictions', ['check_client_access(hash:/a)']],
    ['hash:/a', 'smtpd_helo_restrictions', ['check_helo_access(hash:/a)']],
    ['hash:/a', 'smtpd_sender_restrictions', ['check_sender_access(hash:/a)']],
    ['hash:/a', 'smtpd_relay_restrictions', ['check_recipient_access(hash:/a)']],
    ['hash:/a', 'smtpd_recipient_restrictions', ['check_recipient_access(hash:/a)']],
    ['hash:/a', 'smtpd_etrn_restrictions', ['check_etrn_access(hash:/a)']],
    ['hash:/a', 'smtpd_data_restrictions', ['hash:/a!no-check']],
    ['hash:/a', 'smtpd_end_of_data_restrictions', ['hash:/a!no-check']],
    [
      'check_sender_access hash:/a permit',
      'smtpd_data_restrictions',
      ['check_sender_access(hash:/a)', 'permit'],
    ],
    [
      'check_sender_access /a permit',
      'smtpd_data_restrictions',
      ['check_sender_access(/a)!bad-argument', 'permit'],
    ],
    ['check_policy_service', 'smtpd_data_restrictions', ['check_policy_service!bad-argument']],
    ['sleep 1 sleep x', 'smtpd_data_restrictions', ['sleep(1)', 'sleep(x)!bad-argument']],
    [
      'reject_rbl_client zen.example.org reject_rbl_client',
      'smtpd_client_restrictions',
      ['reject_rbl_client(zen.example.org)', 'reject_rbl_client!missing-domain'],
    ],
    [
      'warn_if_reject reject_unknown_client_hostname, reject',
      'smtpd_client_restrictions',
      ['?reject_unknown_client_hostname', 'reject'],
    ],
    ['warn_if_reject warn_if_reject reject warn_if_reject', 'smtpd_client_restrictions', ['?reject']],
    ['reject_unath_destination', 'smtpd_relay_restrictions', ['reject_unath_destination!unknown']],
    [
      'reject_sender_login_mismatch',
      'smtpd_sender_restrictions',
      [
        'reject_sender_login_mismatch[reject_authenticated_sender_login_mismatch reject_unauthenticated_sender_login_mismatch]',
      ],
    ],
    ['Reject_Sender_Login_Mismatch', 'smtpd_sender_restrictions', ['Reject_Sender_Login_Mismatch!unknown']],
  ])('of %j in %s', (value, list, expected) => {
    expect(short(configured(`${list} = ${value}\n`), list)).toEqual(expected);
  });

  test('of restriction classes: names are told apart by case, and a class may not hold itself', () => {
    const main = [
      'smtpd_restriction_classes = Mine, loop, permit',
      'Mine = check_client_access hash:/a, reject',
      'loop = loop, reject',
      'permit = reject',
      'smtpd_sender_restrictions = warn_if_reject Mine, mine, loop, permit',
      '',
    ].join('\n');
    expect(short(configured(main), 'smtpd_sender_restrictions')).toEqual([
      '?Mine[check_client_access(hash:/a) reject]',
      'mine!unknown',
      'loop[loop!endless-class reject]',
      'permit',
    ]);
  });

  test.each([
    ['permit_dnswl_client', '2.7.16', 'unknown'],
    ['permit_dnswl_client', '2.8.0', 'missing-domain'],
    ['defer_unauth_destination', '2.9.6', 'unknown'],
    ['defer_unauth_destination', '2.10.0', null],
    ['check_sasl_access', '2.10.10', 'unknown'],
    ['check_sasl_access', '2.11.0', 'bad-argument'],
    ['check_client_a_access', '3.0.0', 'bad-argument'],
    ['check_relay_domains', '3.8.20', null],
    ['check_relay_domains', '3.9.0', 'removed'],
    ['reject_maps_rbl', '3.9.0', 'removed'],
    ['permit_mx_backup', '3.11.6', null],
  ])('%s in Postfix %s: %s', (word, release, fault) => {
    const configuration = configured(`smtpd_recipient_restrictions = ${word}\n`, release);
    const [item] = restrictionList(configuration, 'smtpd_recipient_restrictions', smtpd(configuration)).items;
    expect(item?.fault).toBe(fault);
  });

  test('every name that a release knows has a definition or is a class of its own', () => {
    const undefinedNames = knownRestrictions('3.11.6').filter(
      (name) => restrictionDefinition(name)?.name !== name,
    );
    expect(undefinedNames).toEqual(['reject_sender_login_mismatch']);
    expect(knownRestrictions('3.11.6')).not.toContain('check_relay_domains');
    expect(knownRestrictions('2.6')).not.toContain('reject_known_sender_login_mismatch');
  });

  test('everyRestriction gives members the warn_if_reject of their class', () => {
    const configuration = configured(
      'smtpd_restriction_classes = c\nc = reject\nsmtpd_client_restrictions = warn_if_reject c, permit\n',
    );
    const list = restrictionList(configuration, 'smtpd_client_restrictions', smtpd(configuration));
    const all = [...everyRestriction(list)].map(({ name, warnIfReject }) => [name, warnIfReject !== null]);
    expect(all).toEqual([
      ['c', true],
      ['reject', true],
      ['permit', false],
    ]);
  });

  test('the nearest name', () => {
    expect(nearestRestriction('reject_unath_destination', '3.7.11', [])).toBe('reject_unauth_destination');
    const configuration = configured('smtpd_restriction_classes = users_only, others\n');
    const classes = restrictionClasses(configuration, null);
    expect(nearestRestriction('user_only', '3.7.11', classes)).toBe('users_only');
    expect(nearestRestriction('something_else', '3.7.11', [])).toBeNull();
  });

  test.each([
    ['smtpd_client_restrictions', 'recipient', false, 'never'],
    ['smtpd_client_restrictions', 'recipient', true, 'always'],
    ['smtpd_client_restrictions', 'login', false, 'never'],
    ['smtpd_helo_restrictions', 'sender', false, 'never'],
    ['smtpd_sender_restrictions', 'login', false, 'always'],
    ['smtpd_relay_restrictions', 'etrn', true, 'never'],
    ['smtpd_recipient_restrictions', 'recipients', true, 'sometimes'],
    ['smtpd_data_restrictions', 'recipient', true, 'sometimes'],
    ['smtpd_data_restrictions', 'pipelining', true, 'always'],
    ['smtpd_etrn_restrictions', 'sender', true, 'never'],
    ['smtpd_etrn_restrictions', 'etrn', false, 'always'],
    ['smtpd_etrn_restrictions', 'nothing', false, 'always'],
  ] as const)('%s sees %s with smtpd_delay_reject %s: %s', (list, subject, delayReject, sight) => {
    expect(sightOf(list, subject, delayReject)).toBe(sight);
    expect(RESTRICTION_LISTS).toHaveLength(8);
  });

  test.each([
    ['hash:/a', ['hash']],
    ['proxy:mysql:/a', ['proxy', 'mysql']],
    ['{cidr:/a, search_order = ip}', ['cidr']],
    ['/a', []],
  ])('the types in %s', (text, types) => {
    expect(tableTypesOf(text)).toEqual(types);
  });

  test.each([
    ['check_client_access hahs:/a', '3.7.11', 'unknown-table'],
    ['check_client_access HASH:/a', '3.7.11', 'unknown-table'],
    ['check_client_access proxy:mysqll:/a', '3.7.11', 'unknown-table'],
    ['check_client_access texthash:/a', '2.7.16', 'unknown-table'],
    ['check_client_access texthash:/a', '2.8.0', null],
    ['check_client_access ${default_database_type}:/a', '3.7.11', null],
    ['inet:127.0.0.1:10023', '3.7.11', 'unknown-table'],
    ['check_policy_service inet:127.0.0.1:10023', '3.7.11', null],
  ])('the table of %s in Postfix %s: %s', (value, release, fault) => {
    const configuration = configured(`smtpd_client_restrictions = ${value}\n`, release);
    const [item] = restrictionList(configuration, 'smtpd_client_restrictions', smtpd(configuration)).items;
    expect(item?.fault).toBe(fault);
  });
});

describe('places', () => {
  test('a word on a continuation line behind a comment', () => {
    const main = [
      'smtpd_relay_restrictions =',
      '  permit_mynetworks,',
      '# users',
      '  reject_unath_destination',
      '',
    ].join('\n');
    const configuration = configured(main);
    const { items, effective } = restrictionList(
      configuration,
      'smtpd_relay_restrictions',
      smtpd(configuration),
    );
    const word = items[1]?.word;
    const at = word === undefined ? null : partLocation(effective, word.start, word.end);
    expect(at?.source.slice(at.span)).toBe('reject_unath_destination');
  });

  test('a word beside a reference is found where it is the only one of its name', () => {
    const configuration = configured(
      'mine = reject\nsmtpd_client_restrictions = permit_mynetworks, $mine, sleep 1\n',
    );
    const { items, effective } = restrictionList(
      configuration,
      'smtpd_client_restrictions',
      smtpd(configuration),
    );
    const word = items[2]?.word;
    const at = word === undefined ? null : partLocation(effective, word.start, word.end);
    expect(at?.source.slice(at.span)).toBe('sleep');
  });

  test('a word that comes from another parameter stands nowhere in this one', () => {
    const configuration = configured('mine = reject\nsmtpd_client_restrictions = permit_mynetworks, $mine\n');
    const { items, effective } = restrictionList(
      configuration,
      'smtpd_client_restrictions',
      smtpd(configuration),
    );
    const word = items[1]?.word;
    const at = word === undefined ? null : partLocation(effective, word.start, word.end);
    expect(at?.source.slice(at.span)).toBe('smtpd_client_restrictions = permit_mynetworks, $mine');
  });

  test.each([
    ['  -o smtpd_client_restrictions=permit_mynetworks,rejekt\n', 'rejekt'],
    ['  -o { smtpd_client_restrictions = permit_mynetworks,\n    rejekt }\n', 'rejekt'],
  ])('in an override: %j', (override, expected) => {
    const { postfix } = hostFromTexts(
      { 'main.cf': '', 'master.cf': `smtp inet n - n - - smtpd\n${override}` },
      { postfix: '3.7.11' },
    );
    const configuration = postfix?.configuration;
    if (configuration === undefined) throw new Error('no Postfix');
    const { items, effective } = restrictionList(
      configuration,
      'smtpd_client_restrictions',
      smtpd(configuration),
    );
    const word = items[1]?.word;
    const at = word === undefined ? null : partLocation(effective, word.start, word.end);
    expect(at?.source.slice(at.span)).toBe(expected);
  });
});

/**
 * What Postfix 3.7.11 answered to a client that had not logged in, with a recipient of its own and with
 * one elsewhere: smtpd behind master(8) on loopback with `mynetworks = 192.0.2.0/24`, each line as `-o`.
 */
const ANSWERS: readonly [settings: string, own: boolean, foreign: boolean][] = [
  ['', true, false],
  ['smtpd_relay_restrictions=permit_sasl_authenticated,reject', false, false],
  ['smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated', true, false],
  ['smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated,reject', false, false],
  ['smtpd_data_restrictions=permit_sasl_authenticated,reject', false, false],
  ['smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination,foo_bar', false, false],
  ['smtpd_recipient_restrictions=warn_if_reject,foo_bar,permit', false, false],
  ['smtpd_sender_restrictions=static:OK,reject', true, false],
  ['smtpd_sender_restrictions=reject_rbl_client', true, false],
  ['smtpd_restriction_classes=Mine Mine=reject smtpd_sender_restrictions=mine', false, false],
  ['smtpd_restriction_classes=Mine Mine=reject smtpd_sender_restrictions=Mine', false, false],
  ['smtpd_restriction_classes=Mine Mine=reject smtpd_sender_restrictions=warn_if_reject,Mine', true, false],
  ['smtpd_sender_restrictions=check_sender_access,static:550', true, false],
  ['smtpd_data_restrictions=static:OK', false, false],
  ['smtpd_sender_restrictions=defer_if_permit', false, false],
  ['smtpd_sender_restrictions=sleep', false, false],
];

describe('who is let in', () => {
  test.each(ANSWERS)('%s: own %s, foreign %s', (settings, own, foreign) => {
    const lines = settings.split(' ').filter((line) => line !== '');
    const main = [
      'compatibility_level = 3.6',
      'mynetworks = 192.0.2.0/24',
      'smtpd_sasl_auth_enable = yes',
      ...lines,
      '',
    ];
    const configuration = configured(main.join('\n'));
    const service = smtpd(configuration);
    const stranger = { login: false, certificate: false };
    expect(admission(configuration, service, { ...stranger, recipient: 'own' }).accepted).toBe(own);
    expect(admission(configuration, service, { ...stranger, recipient: 'foreign' }).accepted).toBe(foreign);
  });

  test.each([
    [
      'permit_sasl_authenticated, reject',
      { login: true, certificate: false, recipient: 'foreign' },
      'permit',
    ],
    [
      'permit_tls_all_clientcerts, reject',
      { login: false, certificate: true, recipient: 'foreign' },
      'permit',
    ],
    ['permit_tls_clientcerts, reject', { login: false, certificate: true, recipient: 'foreign' }, 'reject'],
    ['permit_auth_destination, reject', { login: false, certificate: false, recipient: 'own' }, 'permit'],
    ['permit_mx_backup, reject', { login: false, certificate: false, recipient: 'foreign' }, 'reject'],
    ['check_relay_domains, reject', { login: false, certificate: false, recipient: 'own' }, 'permit'],
    [
      'check_ccert_access static:OK, reject',
      { login: false, certificate: false, recipient: 'own' },
      'reject',
    ],
    ['check_client_mx_access static:OK', { login: false, certificate: false, recipient: 'own' }, 'reject'],
    [
      'check_client_access static:{reject go away}',
      { login: false, certificate: false, recipient: 'own' },
      'reject',
    ],
    ['check_client_access static:dunno', { login: false, certificate: false, recipient: 'own' }, 'end'],
  ] as const)('%s for %j: %s', (value, visitor, verdict) => {
    const configuration = configured(`smtpd_relay_restrictions = ${value}\n`);
    const service = smtpd(configuration);
    const list = restrictionList(configuration, 'smtpd_relay_restrictions', service);
    expect(walkList(configuration, service, list, visitor).verdict).toBe(verdict);
  });

  test('tables and policy services that could decide otherwise', () => {
    const configuration = configured(
      'smtpd_relay_restrictions = check_client_access hash:/a, check_helo_mx_access hash:/b, check_policy_service unix:p, reject\n',
    );
    const { mayPermit, accepted } = admission(configuration, smtpd(configuration), {
      login: false,
      certificate: false,
      recipient: 'foreign',
    });
    expect(accepted).toBe(false);
    expect(mayPermit.map(({ name }) => name)).toEqual(['check_client_access', 'check_policy_service']);
  });

  test.each([
    ['smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination', true],
    ['smtpd_relay_restrictions = permit, reject', false],
    ['smtpd_relay_restrictions = warn_if_reject reject_unauth_destination', false],
    [
      'smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = c\nsmtpd_restriction_classes = c\nc = defer',
      true,
    ],
    ['compatibility_level = 0', false],
    ['compatibility_level = 1', true],
  ])('%j: smtpd starts: %s', (main, starts) => {
    const configuration = configured(`${main}\n`);
    expect(hasRequiredRestriction(configuration, smtpd(configuration))).toBe(starts);
  });

  test.each([
    ['0.0.0.0/0', true],
    ['127.0.0.0/8 [::]/0', true],
    ['127.0.0.0/8, [::1]/128, 10.0.0.0/8', false],
  ])('mynetworks = %s is everybody: %s', (value, everybody) => {
    expect(mynetworksIsEverybody(configured(`mynetworks = ${value}\n`), null)).toBe(everybody);
  });
});
