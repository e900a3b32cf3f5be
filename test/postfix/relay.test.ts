import { matchNetworks, networkList } from '../../src/postfix/networks.ts';
import { relayVerdict } from '../../src/postfix/relay.ts';
import { hostFromTexts } from '../support/host.ts';
import { RELAY_CASES, type RelayCase, UNDECIDED_CASES } from '../support/relay-cases.ts';

// The same cases stand before running servers in test/servers/relay.test.ts.

const MAIN = [
  'compatibility_level = 2',
  'mynetworks = 127.0.0.0/29',
  'mydestination = here.test',
  'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
  '',
].join('\n');

const STRANGER = { addresses: ['127.9.9.9'], names: ['unknown'] };

function verdict({ set, rewrite, tables = {} }: Omit<RelayCase, 'verdict'>, postfix = '3.5.25') {
  const options = (lines: readonly string[]): string =>
    lines
      .map((line) => `  -o { ${line.replaceAll('{T}', '/t').replaceAll('{POLICY}', 'unix:p')} }\n`)
      .join('');
  const master = `smtp inet n - n - - smtpd\n${options(set)}rewrite unix - - n - - trivial-rewrite\n${options(rewrite ?? [])}`;
  const files = Object.fromEntries(Object.entries(tables).map(([name, text]) => [`/t/${name}`, text]));
  const host = hostFromTexts({ 'main.cf': MAIN, 'master.cf': master, ...files }, { postfix });
  const configuration = host.postfix?.configuration;
  const [service] = configuration?.services ?? [];
  if (configuration === undefined || service === undefined) throw new Error('no service');
  return relayVerdict(configuration, service, service, STRANGER);
}

describe('an open relay or not', () => {
  test.each(RELAY_CASES.map((one) => [one.set.join('; '), one] as const))('%s', (_, one) => {
    expect(verdict(one).kind).toBe(one.verdict);
  });

  test.each(UNDECIDED_CASES.map((one) => [one.set.join('; '), one] as const))(
    '%s: not known without the table',
    (_, one) => {
      expect(verdict(one).kind).toBe('undecided');
    },
  );
});

function opening(set: readonly string[], tables: RelayCase['tables'] = {}) {
  const found = verdict({ set, tables });
  if (found.kind !== 'open') throw new Error(found.kind);
  return found.opening;
}

describe('what opens', () => {
  test('the element behind which the guard stands', () => {
    const { by } = opening([
      'smtpd_relay_restrictions =',
      'smtpd_recipient_restrictions = permit_mynetworks, check_client_access static:OK, reject_unauth_destination',
    ]);
    expect(by?.restriction.argument?.text).toBe('static:OK');
    expect(by?.list.name).toBe('smtpd_recipient_restrictions');
  });

  test.each([
    ['static:OK', 'static:OK, reject', 'smtpd_recipient_restrictions'],
    ['static:OK, reject', 'static:OK', 'smtpd_relay_restrictions'],
  ])('of %j and %j the list that would refuse: %s', (relay, recipient, name) => {
    const { by } = opening([
      `smtpd_relay_restrictions = ${relay}`,
      `smtpd_recipient_restrictions = ${recipient}`,
    ]);
    expect(by?.list.name).toBe(name);
  });

  test('an element of a class, in the class', () => {
    const { by } = opening([
      'smtpd_restriction_classes = easy',
      'easy = static:OK',
      'smtpd_relay_restrictions = easy, reject',
    ]);
    expect(by?.list.name).toBe('easy');
  });

  test('the line of a table, and what has to be known', () => {
    const { answer, key } = opening(
      ['smtpd_relay_restrictions = check_sender_access texthash:/t/s, reject'],
      { s: '# who may\nboss@partner.example OK\n' },
    );
    expect(answer?.table.source?.path).toBe('/t/s');
    expect(answer?.table.source?.slice(answer.result.span)).toBe('OK');
    expect(key).toEqual({ kind: 'sender', value: 'boss@partner.example' });
  });

  test('the pattern of mynetworks', () => {
    const { network } = opening(['mynetworks = 127.0.0.0/29 0.0.0.0/0']);
    expect(network?.text).toBe('0.0.0.0/0');
  });
});

describe('strangers on the Internet', () => {
  const decide = (main: string, master = 'smtp inet n - n - - smtpd\n', postfix = '3.7.11') => {
    const host = hostFromTexts(
      { 'main.cf': `compatibility_level = 3.6\n${main}`, 'master.cf': master },
      { postfix },
    );
    const endpoint = host.postfix?.endpoints.find(({ family }) => family === 'smtpd');
    if (host.postfix === null || endpoint === undefined) throw new Error('no smtpd');
    return relayVerdict(host.postfix.configuration, endpoint.service, endpoint.listener);
  };

  test.each([
    ['', 'closed'],
    ['mynetworks = 0.0.0.0/0', 'open'],
    ['mynetworks = [::]/0', 'open'],
    ['mynetworks = [::]/0\ninet_protocols = ipv4', 'closed'],
    ['mynetworks = 10.0.0.0/8', 'closed'],
    ['mynetworks = unknown', 'open'],
    ['mynetworks = 10.0.0.0/8 net', 'open'],
    ['mynetworks = 10.0.0.0/8 partner.example', 'closed'],
    ['smtpd_relay_restrictions = permit_mx_backup, reject', 'undecided'],
    ['smtpd_relay_restrictions = permit_mx_backup, reject\npermit_mx_backup_networks = 10.0.0.0/8', 'closed'],
    // With a name in the DNS reject_unknown_client_hostname is no hindrance.
    [
      'smtpd_client_restrictions = reject_unknown_client_hostname\nsmtpd_relay_restrictions = static:OK, reject',
      'open',
    ],
    // Without one he is not in a table of names.
    ['smtpd_relay_restrictions = check_client_access inline:{ unknown=OK }, reject', 'open'],
    ['smtpd_relay_restrictions = check_client_access inline:{ net=OK }, reject', 'open'],
    ['smtpd_relay_restrictions = check_client_access inline:{ partner.example=OK }, reject', 'closed'],
    // A list at DATA closes too; a recipient is seen there only of a message that has no other.
    ['smtpd_relay_restrictions = static:OK, reject\nsmtpd_data_restrictions = reject', 'closed'],
    [
      'smtpd_relay_restrictions = static:OK, reject\nsmtpd_data_restrictions = reject_unauth_destination',
      'open',
    ],
    // Single keys that are not at hand name no address and no recipient of a stranger.
    [
      'smtpd_relay_restrictions = check_client_access hash:/c, check_recipient_access lmdb:/r, reject',
      'closed',
    ],
    ['smtpd_relay_restrictions = check_client_access mysql:/c, reject', 'undecided'],
    ['smtpd_relay_restrictions = static:OK, check_client_access mysql:/c, reject', 'open'],
    ['smtpd_relay_restrictions = check_helo_access hash:/h, reject', 'undecided'],
    ['relay_domains = hash:/d, mysql:/d', 'closed'],
    ['relay_domains = pcre:/d', 'undecided'],
  ])('%j: %s', (main, kind) => {
    expect(decide(`${main}\n`).kind).toBe(kind);
  });

  const screened = [
    'smtp inet n - n - 1 postscreen',
    'smtpd pass - - n - - smtpd',
    '  -o smtpd_relay_restrictions=static:OK,reject',
    '',
  ].join('\n');

  test.each([
    ['', '3.7.11', 'open'],
    ['postscreen_access_list = static:reject', '3.7.11', 'open'],
    ['postscreen_access_list = static:reject\npostscreen_denylist_action = drop', '3.7.11', 'closed'],
    ['postscreen_access_list = static:reject\npostscreen_blacklist_action = drop', '3.7.11', 'closed'],
    ['postscreen_access_list = static:reject\npostscreen_blacklist_action = enforce', '3.5.25', 'closed'],
    ['postscreen_access_list = permit static:reject\npostscreen_denylist_action = drop', '3.7.11', 'open'],
  ])('behind postscreen, %j of %s: %s', (main, release, kind) => {
    expect(decide(`compatibility_level = 2\n${main}\n`, screened, release).kind).toBe(kind);
  });
});

describe('networks', () => {
  const match = (value: string, address: string, name = 'unknown'): string => {
    const host = hostFromTexts({ 'main.cf': `mynetworks = ${value}\n` }, { postfix: '3.7.11' });
    if (host.postfix === null) throw new Error('no Postfix');
    return matchNetworks(networkList(host.postfix.configuration, 'mynetworks', null), { address, name })
      .verdict;
  };

  test.each([
    ['10.0.0.0/8', '10.255.255.255', 'in'],
    ['10.0.0.0/8', '11.0.0.0', 'out'],
    ['!10.1.0.0/16 10.0.0.0/8', '10.1.2.3', 'out'],
    ['!10.1.0.0/16 10.0.0.0/8', '10.2.2.3', 'in'],
    ['[2001:db8::]/32', '2001:db8:1::9', 'in'],
    ['[2001:db8::/32]', '2001:db8:1::9', 'in'],
    ['[2001:DB8:0::9]', '2001:db8::9', 'in'],
    ['[2001:db8::1]/32', '2001:db8::9', 'error'],
    ['[2001:db8::1]/32', '10.0.0.1', 'out'],
    ['10.0.0.1/8', '2001:db8::9', 'out'],
    ['10.0.0.1/8', '10.0.0.1', 'error'],
    ['10.0.0.1', '10.0.0.1', 'in'],
    ['010.0.0.1', '10.0.0.1', 'out'],
    ['10.0.0.0/33', '10.0.0.1', 'error'],
    ['example.com', '10.0.0.1', 'out'],
  ] as const)('%s and %s: %s', (value, address, answer) => {
    expect(match(value, address)).toBe(answer);
  });

  test.each([
    ['example.com', 'mail.example.com', 'in'],
    ['example.com', 'Example.COM', 'in'],
    ['example.com', 'notexample.com', 'out'],
    ['.example.com', 'mail.example.com', 'out'],
    ['inline:{ example.com=x }', 'mail.example.com', 'in'],
  ] as const)('%s and the name %s: %s', (value, name, answer) => {
    expect(match(value, '203.0.113.9', name)).toBe(answer);
  });
});
