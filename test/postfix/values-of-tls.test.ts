import fc from 'fast-check';
import { compareProtocols, PROTOCOLS, type Protocol } from '../../src/model/protocol.ts';
import {
  formatProtocolFloor,
  parseProtocolList,
  suggestProtocolToken,
} from '../../src/postfix/protocol-list.ts';
import { isHostname, parsePerSite, parseTlsPolicy } from '../../src/postfix/tls-policy.ts';

const NEWEST = '3.11.7';
const ALL = PROTOCOLS.join(' ');
const permitted = (list: string, release = NEWEST) => parseProtocolList(list, release).permitted.join(' ');

/** What a client hello of a list shows; see the table below. */
const hello = (list: string, release: string): string | null => {
  const { valid, permitted: all } = parseProtocolList(list, release);
  if (!valid) return null;
  const spoken = all.filter((protocol) => compareProtocols(protocol, 'TLSv1') >= 0);
  const first = spoken[0];
  if (first === undefined) return '';
  const offered = spoken.filter(
    (protocol, index) => PROTOCOLS.indexOf(protocol) === PROTOCOLS.indexOf(first) + index,
  );
  return offered.at(-1) === 'TLSv1.3' ? offered.join(' ') : `<=${offered.at(-1) ?? ''}`;
};

describe('protocol lists', () => {
  /**
   * What posttls-finger -p offers in its client hello: list, release 3.5.25, releases 3.7.11, 3.10.13 and
   * 3.11.7. Null: "Invalid TLS protocol list"; empty: no protocol is left; `<=`: without TLSv1.3 a hello
   * shows its newest protocol only. OpenSSL does not speak SSLv2 and SSLv3, and where there is a hole it
   * offers what lies below.
   */
  const hellos: readonly (readonly [list: string, before: string | null, after: string | null])[] = [
    ['', 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3', 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=TLSv1.2', null, 'TLSv1.2 TLSv1.3'],
    ['>= TLSv1.2', null, '<=TLSv1.2'],
    ['>=TLSv1.0', null, null],
    ['TLSv1.2', '<=TLSv1.2', '<=TLSv1.2'],
    ['TLSv1.2, TLSv1.3', 'TLSv1.2 TLSv1.3', 'TLSv1.2 TLSv1.3'],
    ['!SSLv2,TLSv1.2', '<=TLSv1.2', '<=TLSv1.2'],
    ['>=0304 <=0303', null, ''],
    ['!SSLv2 !SSLv3 !TLSv1 !TLSv1.1 !TLSv1.2 !TLSv1.3', '', ''],
    ['>=', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=None', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=none', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=fe', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=TLSv1 >=TLSv1.3', null, 'TLSv1.3'],
    ['>=TLSv1.3 >=TLSv1', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['<=TLSv1.2', null, '<=TLSv1.2'],
    ['!TLSv1.2', '<=TLSv1.1', '<=TLSv1.1'],
    ['!SSLv2,!SSLv3', 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3', 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=0x0303', null, 'TLSv1.2 TLSv1.3'],
    ['>=0X303', null, 'TLSv1.2 TLSv1.3'],
    ['>=+303', null, 'TLSv1.2 TLSv1.3'],
    ['>=0x', null, null],
    ['>=303x', null, null],
    ['<=303', null, '<=TLSv1.2'],
    ['>=SSLv2', null, null],
    ['>=SSLv3', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['tlsv1.3', 'TLSv1.3', 'TLSv1.3'],
    ['!tlsv1.3', '<=TLSv1.2', '<=TLSv1.2'],
    ['TLSv1_2', null, null],
    ['! SSLv2', null, null],
    ['-SSLv3', null, null],
    ['!>=TLSv1', null, null],
    ['>=7fffffff', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=80000000', null, null],
    ['>=TLSv1.1:!TLSv1.2', null, '<=TLSv1.1'],
    ['TLSv1 TLSv1.3', '<=TLSv1', '<=TLSv1'],
    ['>=TLSv1.2 TLSv1.1 TLSv1.3', null, 'TLSv1.3'],
    ['=>TLSv1.2', null, null],
    ['>TLSv1.1', null, null],
    ['"TLSv1.2"', null, null],
    ['<=TLSv1.3', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['<=305', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=002', null, 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
  ];
  it.each(hellos)('%j as a client of 3.5 and of 3.7 to 3.11', (list, before, after) => {
    expect([
      hello(list, '3.5.25'),
      hello(list, '3.7.11'),
      hello(list, '3.10.13'),
      hello(list, '3.11.7'),
    ]).toEqual([before, after, after, after]);
  });

  it.each([
    ['', '3.11.7', ALL],
    ['!SSLv2', '3.11.7', 'SSLv3 TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['>=SSLv3', '3.11.7', 'SSLv3 TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['!SSLv2:!SSLv3\t!TLSv1\r\n!TLSv1.1', '2.11.6', 'TLSv1.2 TLSv1.3'],
    ['<=TLSv1', '3.6.0', 'SSLv2 SSLv3 TLSv1'],
    ['>=TLSv1.2 <=None', '3.6.0', 'TLSv1.2 TLSv1.3'],
    ['TLSv1.2', '3.4.0', 'TLSv1.2'],
    // What a release has no name for stays on.
    ['TLSv1.2', '3.3.1', 'TLSv1.2 TLSv1.3'],
    ['TLSv1.2', '3.3.2', 'TLSv1.2'],
    ['SSLv3, TLSv1', '2.6.0', 'SSLv3 TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'],
    ['SSLv3, TLSv1', '2.6.15', 'SSLv3 TLSv1 TLSv1.3'],
  ])('%j permits on %s: %s', (list, release, expected) => {
    expect(permitted(list, release)).toBe(expected);
  });

  it('tells what each word does, and where it stands', () => {
    const list = parseProtocolList('!SSLv2, tlsv1.2:>=TLSv1 <=0x304,>=None TLSv1.4', NEWEST);
    expect(list.tokens.map(({ text, at, kind, protocol }) => [text, at, kind, protocol])).toEqual([
      ['!SSLv2', 0, 'exclude', 'SSLv2'],
      ['tlsv1.2', 8, 'include', 'TLSv1.2'],
      ['>=TLSv1', 16, 'floor', 'TLSv1'],
      ['<=0x304', 24, 'ceiling', 'TLSv1.3'],
      ['>=None', 32, 'floor', null],
      ['TLSv1.4', 39, 'invalid', null],
    ]);
    const { valid, floor, ceiling, included, excluded } = list;
    expect({ valid, floor, ceiling, included, excluded, permitted: list.permitted }).toEqual({
      valid: false,
      floor: null,
      ceiling: 'TLSv1.3',
      included: ['TLSv1.2'],
      excluded: ['SSLv2'],
      permitted: [],
    });
  });

  it.each([
    ['3.5.25', '>=TLSv1.2', 'too-new'],
    ['3.5.25', '>=TLSv1.0', 'invalid'],
    ['3.5.25', '>=303', 'too-new'],
    ['3.3.1', '!TLSv1.3', 'too-new'],
    ['2.6.14', 'TLSv1.2', 'too-new'],
    ['3.6.0', '>=SSLv2', 'invalid'],
    ['3.6.0', '!', 'invalid'],
  ])('%s: %s is %s', (release, list, kind) => {
    const { valid, tokens } = parseProtocolList(list, release);
    expect([valid, tokens.map((token) => token.kind)]).toEqual([false, [kind]]);
  });

  it.each([
    ['>=TLSv1.0', '>=TLSv1'],
    ['!TLSv1.0', '!TLSv1'],
    ['TLSv1_2', 'TLSv1.2'],
    ['TLS1.2', 'TLSv1.2'],
    ['tlsv1-3', 'TLSv1.3'],
    ['>=TLSv12', '>=TLSv1.2'],
    ['SSL3', 'SSLv3'],
    ['SSLv3.0', 'SSLv3'],
    ['"TLSv1.2"', 'TLSv1.2'],
    ["'TLSv1.2'", 'TLSv1.2'],
    ['=>TLSv1.2', '>=TLSv1.2'],
    ['=<TLSv1.2', '<=TLSv1.2'],
    ['>TLSv1.1', '>=TLSv1.2'],
    ['<TLSv1.3', '<=TLSv1.2'],
    ['\u2265TLSv1.2', '>=TLSv1.2'],
    ['-SSLv3', '!SSLv3'],
    ['+TLSv1.2', 'TLSv1.2'],
    ['TLSv1.2', null],
    ['>=tlsv1.2', null],
    ['TLSv1.4', null],
    ['SSLv1', null],
    ['TLSv2', null],
    ['>TLSv1.3', null],
    ['<SSLv3', null],
    ['>=SSLv2', null],
    ['!>=TLSv1', null],
    ['ALL', null],
    ['none', null],
    ['!', null],
    ['', null],
  ])('%s means %j', (token, suggestion) => {
    expect(suggestProtocolToken(token)).toBe(suggestion);
  });

  it.each([
    ['TLSv1.2', true, '>=TLSv1.2'],
    ['TLSv1.2', false, '!SSLv2, !SSLv3, !TLSv1, !TLSv1.1'],
    ['TLSv1', false, '!SSLv2, !SSLv3'],
    ['SSLv2', true, ''],
    ['SSLv2', false, ''],
  ] as const)('a floor %s, with a range: %s', (floor, range, text) => {
    expect(formatProtocolFloor(floor, { range })).toBe(text);
  });

  const floors = fc.constantFrom(...PROTOCOLS);
  it('writes floors that permit what they say', () => {
    fc.assert(
      fc.property(floors, fc.boolean(), fc.constantFrom(', ', ':', ' '), (floor, range, separator) => {
        const text = formatProtocolFloor(floor, { range }, separator);
        const expected = PROTOCOLS.filter((protocol: Protocol) => compareProtocols(protocol, floor) >= 0);
        expect(permitted(text, range ? '3.6.0' : '3.4.0')).toBe(expected.join(' '));
      }),
    );
  });

  it('never throws, and suggests only what is right', () => {
    const part = fc.constantFrom(...Array.from('!<>=+-"., :_123'), 'TLSv1', 'SSLv', 'tls', 'None', '0x', 'é');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        for (const token of parseProtocolList(text, NEWEST).tokens)
          expect(text.slice(token.at, token.at + token.text.length)).toBe(token.text);
        const suggestion = suggestProtocolToken(text);
        expect(suggestion === null || parseProtocolList(suggestion, NEWEST).valid).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('policies for destinations', () => {
  /** policy, level, attributes, problems with the word they are about */
  const cases: readonly (readonly [
    text: string,
    level: string | null,
    attributes: readonly string[],
    problems: readonly string[],
  ])[] = [
    ['may', 'may', [], []],
    ['ENCRYPT', 'encrypt', [], []],
    ['encrypt protocols=>=TLSv1.2 ciphers=high', 'encrypt', ['protocols=>=TLSv1.2', 'ciphers=high'], []],
    [
      'encrypt,Protocols=!SSLv2:!SSLv3,,exclude=RC4:MD5',
      'encrypt',
      ['protocols=!SSLv2:!SSLv3', 'exclude=RC4:MD5'],
      [],
    ],
    [
      'secure match=a:b match=c tafile=/x tafile=/y',
      'secure',
      ['match=a:b', 'match=c', 'tafile=/x', 'tafile=/y'],
      [],
    ],
    ['fingerprint match=a|b', 'fingerprint', ['match=a|b'], []],
    ['dane-only servername=hostname', 'dane-only', ['servername=hostname'], []],
    ['secure { match = a:b } servername=x.example', 'secure', ['match=a:b', 'servername=x.example'], []],
    ['encrypt { protocols = >=TLSv1.2, <=TLSv1.3 }', 'encrypt', ['protocols=>=TLSv1.2, <=TLSv1.3'], []],
    [
      'secure policy_type=sts policy_domain=example.com { policy_string = version: STSv1 } policy_ttl=86400 mx_host_pattern=*.example.com match=x servername=hostname',
      'secure',
      [
        'policy_type=sts',
        'policy_domain=example.com',
        'policy_string=version: STSv1',
        'policy_ttl=86400',
        'mx_host_pattern=*.example.com',
        'match=x',
        'servername=hostname',
      ],
      [],
    ],
    ['may connection_reuse=YES enable_rpk=no', 'may', ['connection_reuse=YES', 'enable_rpk=no'], []],
    ['none ciphers=high', 'none', [], ['ignored-attribute ciphers=high']],
    ['', null, [], ['empty-policy ']],
    [' , ', null, [], ['empty-policy ']],
    ['halfdane', null, [], ['bad-level halfdane']],
    ['must ciphers=high', null, ['ciphers=high'], ['bad-level must']],
    ['may ciphers', 'may', [], ['missing-equals ciphers']],
    ['may =high', 'may', [], ['missing-name =high']],
    ['may ciphers = high', 'may', [], ['missing-equals ciphers', 'missing-name =', 'missing-equals high']],
    ['may {ciphers=high', 'may', [], ['unclosed-brace {ciphers=high']],
    ['may {ciphers=high}x', 'may', [], ['text-after-brace x']],
    ['may cipher=high', 'may', [], ['unknown-attribute cipher']],
    ['may ciphers=', 'may', ['ciphers='], ['empty-value ciphers']],
    ['may ciphers=strong', 'may', ['ciphers=strong'], ['bad-grade strong']],
    [
      'may ciphers=high ciphers=high',
      'may',
      ['ciphers=high', 'ciphers=high'],
      ['repeated-attribute ciphers'],
    ],
    ['may protocols= protocols=', 'may', ['protocols=', 'protocols='], ['repeated-attribute protocols']],
    ['may protocols=TLSv1_2', 'may', ['protocols=TLSv1_2'], ['bad-protocols TLSv1_2']],
    ['encrypt match=x', 'encrypt', ['match=x'], ['attribute-not-at-level match']],
    ['dane match=x', 'dane', ['match=x'], ['attribute-not-at-level match']],
    ['fingerprint tafile=/x', 'fingerprint', ['tafile=/x'], ['attribute-not-at-level tafile']],
    ['secure match=', 'secure', ['match='], ['empty-value match']],
    ['may exclude=RC4:!MD5', 'may', ['exclude=RC4:!MD5'], ['bad-exclusion RC4:!MD5']],
    ['may servername=a..b', 'may', ['servername=a..b'], ['bad-hostname a..b']],
    ['may servername=', 'may', ['servername='], ['bad-hostname ']],
    ['may connection_reuse=true', 'may', ['connection_reuse=true'], ['bad-value true']],
    ['may policy_type=dane', 'may', ['policy_type=dane'], ['bad-value dane']],
    ['may policy_ttl=1d policy_type=sts', 'may', ['policy_ttl=1d', 'policy_type=sts'], ['bad-value 1d']],
    [
      'may policy_domain=a.example',
      'may',
      ['policy_domain=a.example'],
      ['missing-policy-type policy_domain'],
    ],
  ];
  it.each(cases)('%s', (text, level, attributes, problems) => {
    const policy = parseTlsPolicy(text, NEWEST);
    expect(policy.level).toBe(level);
    expect(policy.attributes.map(({ name, value }) => `${name}=${value}`)).toEqual(attributes);
    expect(policy.problems.map(({ code, detail }) => `${code} ${detail}`)).toEqual(problems);
    expect(policy.valid).toBe(problems.every((problem) => problem.startsWith('ignored-attribute')));
    for (const { name, value, at, valueAt } of policy.attributes) {
      expect(text.slice(at, at + name.length).toLowerCase()).toBe(name);
      expect(text.slice(valueAt, valueAt + value.length)).toBe(value);
    }
    for (const { at, detail } of policy.problems)
      expect(text.slice(at, at + detail.length).toLowerCase()).toBe(detail.toLowerCase());
  });

  it.each([
    ['2.10.10', 'dane', ['too-new dane']],
    ['2.10.10', 'secure tafile=/x', ['too-new tafile']],
    ['3.3.2', 'may servername=hostname', ['too-new servername']],
    ['3.8.0', 'may enable_rpk=yes', ['too-new enable_rpk']],
    ['3.9.0', 'may policy_type=sts', ['too-new policy_type']],
    ['3.9.0', 'may {ciphers=high}', ['unknown-attribute {ciphers']],
    ['3.5.25', 'may protocols=>=TLSv1.2', ['bad-protocols >=TLSv1.2']],
  ])('%s: %s', (release, text, problems) => {
    expect(parseTlsPolicy(text, release).problems.map(({ code, detail }) => `${code} ${detail}`)).toEqual(
      problems,
    );
  });

  it.each([
    ['NONE', 'none'],
    ['may', 'may'],
    ['Must_NoPeerMatch', 'encrypt'],
    ['MUST', 'verify'],
    ['encrypt', null],
    ['', null],
  ])('smtp_tls_per_site %s is %s', (text, level) => {
    expect(parsePerSite(text)).toBe(level);
  });

  it.each([
    ['a', true],
    ['a_b.example', true],
    ['1.2.3.x', true],
    ['1.2.3.4', false],
    ['a.', false],
    ['-a', false],
    ['a-', false],
    ['', false],
    ['a'.repeat(64), false],
    ['a b', false],
  ])('%s is a host name: %s', (text, is) => {
    expect(isHostname(text)).toBe(is);
  });

  it('never throws', () => {
    const part = fc.constantFrom(
      ...Array.from(' ,{}=\t|:'),
      'may',
      'secure',
      'match',
      'ciphers=high',
      'protocols',
      'é',
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 15 }),
        fc.constantFrom('2.6', '3.9.0', NEWEST),
        (parts, release) => {
          const text = parts.join('');
          const { level, valid, problems } = parseTlsPolicy(text, release);
          expect(level !== null || !valid).toBe(true);
          for (const { at } of problems) expect(at >= 0 && at <= text.length).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
