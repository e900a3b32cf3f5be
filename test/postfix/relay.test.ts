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
