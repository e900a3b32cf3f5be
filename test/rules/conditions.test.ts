// Every word of the vocabulary of rules without code, on hosts small enough to count by hand.
import fc from 'fast-check';
import { proposeFixes } from '../../src/fix/fix.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import type { Condition, DeclaredFix, Rule } from '../../src/rules/rule.ts';
import { builtinProfile, RuleSet } from '../../src/rules/rule-set.ts';
import { hostFromTexts, hostInputFromTexts } from '../support/host.ts';

type Applies = Partial<Rule['applies']>;

function ruleSetOf(when: Condition, applies: Applies = {}, fix: DeclaredFix = { kind: 'none' }): RuleSet {
  const rule: Rule = {
    id: 'test/rule',
    title: 'A test',
    category: 'hygiene',
    applies: { server: 'postfix', on: 'host', ...applies },
    severity: { 'legacy-compatible': 'warning' },
    why: 'It is a test.',
    references: [],
    when,
    messages: { default: {} },
    fix,
  };
  // What the templates get, as the message.
  return new RuleSet(
    () => [rule],
    () =>
      ({ words, protocols, ciphers, mechanisms, endpoints }) =>
        JSON.stringify({ words, protocols, ciphers, mechanisms, endpoints }),
  );
}

interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly applies?: Applies;
  readonly profile?: string;
  readonly releases?: { readonly postfix?: string; readonly dovecot?: string; readonly openssl?: string };
}

function findings(when: Condition, { files, applies, profile = 'modern', releases = {} }: Case) {
  const host = hostFromTexts(files, releases);
  return evaluate(host, ruleSetOf(when, applies), builtinProfile(profile));
}

/** "main.cf:2:1" of each finding. */
function places(when: Condition, of: Case): string[] {
  return findings(when, of).map(({ at: { source, span } }) => {
    const { line, column } = source.position(span.start);
    return `${source.path}:${line}:${column}`;
  });
}

const main = (...lines: string[]): Case => ({
  files: { 'main.cf': ['# a comment', ...lines].map((line) => `${line}\n`).join('') },
});
const dovecot = (release: string, ...lines: string[]): Case => ({
  files: { 'dovecot.conf': ['# a comment', ...lines].map((line) => `${line}\n`).join('') },
  applies: { server: 'dovecot' },
  releases: { dovecot: release },
});

const FOUND = ['main.cf:2:1'];

describe('a setting of Postfix', () => {
  test.each<[string, Condition, Case, string[]]>([
    // A value
    ['is', { setting: 'relayhost', is: '[a.example]' }, main('relayhost = [A.example]'), FOUND],
    ['is not', { setting: 'relayhost', is: '[a.example]' }, main('relayhost = [b.example]'), []],
    [
      'is, of a boolean',
      { setting: 'smtpd_helo_required', is: 'yes' },
      main('smtpd_helo_required = YES'),
      FOUND,
    ],
    [
      'is, of a time',
      { setting: 'bounce_queue_lifetime', is: '1d' },
      main('bounce_queue_lifetime = 24h'),
      FOUND,
    ],
    [
      'is, of a list',
      { setting: 'mynetworks', is: '10.0.0.0/8 [::1]/128' },
      main('mynetworks = 10.0.0.0/8,[::1]/128'),
      FOUND,
    ],
    [
      'is, after expansion',
      { setting: 'myorigin', is: 'a.example' },
      main('myorigin = $mydomain', 'mydomain = a.example'),
      FOUND,
    ],
    ['is empty', { setting: 'relayhost', is: '' }, main('relayhost ='), FOUND],
    [
      'oneOf',
      { setting: 'smtpd_tls_security_level', oneOf: ['may', 'encrypt'] },
      main('smtpd_tls_security_level = encrypt'),
      FOUND,
    ],
    [
      'oneOf, none',
      { setting: 'smtpd_tls_security_level', oneOf: ['may', 'encrypt'] },
      main('smtpd_tls_security_level = none'),
      [],
    ],
    [
      'matches',
      { setting: 'smtpd_banner', matches: 'postfix' },
      main('smtpd_banner = mx ESMTP Postfix'),
      FOUND,
    ],
    [
      'matches, anchored',
      { setting: 'smtpd_banner', matches: '^postfix' },
      main('smtpd_banner = mx ESMTP Postfix'),
      [],
    ],
    ['explicit', { setting: 'relayhost', explicit: true }, main('relayhost ='), FOUND],
    ['explicit, left out', { setting: 'relayhost', explicit: true }, main('myorigin = a'), []],
    ['not explicit: at the head', { setting: 'relayhost', explicit: false }, main('myorigin = a'), FOUND],
    // Numbers, times and sizes
    ['below', { setting: 'smtpd_hard_error_limit', below: 10 }, main('smtpd_hard_error_limit = 9'), FOUND],
    [
      'below, equal',
      { setting: 'smtpd_hard_error_limit', below: 10 },
      main('smtpd_hard_error_limit = 10'),
      [],
    ],
    [
      'above, a time',
      { setting: 'maximal_queue_lifetime', above: '5d' },
      main('maximal_queue_lifetime = 121h'),
      FOUND,
    ],
    [
      'above, a time without unit',
      { setting: 'maximal_queue_lifetime', above: '5d' },
      main('maximal_queue_lifetime = 6'),
      FOUND,
    ],
    [
      'above, equal',
      { setting: 'maximal_queue_lifetime', above: '5d' },
      main('maximal_queue_lifetime = 120h'),
      [],
    ],
    [
      'above, a size',
      { setting: 'message_size_limit', above: '50M' },
      main('message_size_limit = 52428801'),
      FOUND,
    ],
    [
      'above, a size, equal',
      { setting: 'message_size_limit', above: '50M' },
      main('message_size_limit = 52428800'),
      [],
    ],
    [
      'between',
      { setting: 'message_size_limit', above: 10, below: 20 },
      main('message_size_limit = 15'),
      FOUND,
    ],
    [
      'below, no number',
      { setting: 'smtpd_hard_error_limit', below: 10 },
      main('smtpd_hard_error_limit = few'),
      [],
    ],
    // Lists
    [
      'contains',
      { setting: 'mynetworks', contains: '10.0.0.0/8' },
      main('mynetworks = 127.0.0.0/8, 10.0.0.0/8'),
      FOUND,
    ],
    [
      'contains a part of a word',
      { setting: 'mynetworks', contains: '10.0.0.0' },
      main('mynetworks = 10.0.0.0/8'),
      [],
    ],
    [
      'contains words that follow each other',
      { setting: 'smtpd_sender_restrictions', contains: 'check_sender_access hash:/a' },
      main('smtpd_sender_restrictions = reject_x, check_sender_access hash:/a'),
      FOUND,
    ],
    ['contains both', { setting: 'mynetworks', contains: ['a', 'b'] }, main('mynetworks = b a'), FOUND],
    ['contains both, one there', { setting: 'mynetworks', contains: ['a', 'b'] }, main('mynetworks = b'), []],
    [
      'contains, in braces',
      { setting: 'smtpd_milters', contains: 'inet:[::1]:11332' },
      main('smtpd_milters = { inet:[::1]:11332, connect_timeout=10s }'),
      FOUND,
    ],
    [
      'others',
      { setting: 'mynetworks', others: ['127.0.0.0/8', '[::1]/128'] },
      main('mynetworks = 127.0.0.0/8 10.0.0.0/8'),
      FOUND,
    ],
    [
      'others, none',
      { setting: 'mynetworks', others: ['127.0.0.0/8', '[::1]/128'] },
      main('mynetworks = 127.0.0.0/8'),
      [],
    ],
    [
      'order',
      { setting: 'smtpd_sender_restrictions', order: ['a', 'b'] },
      main('smtpd_sender_restrictions = a, x, b'),
      FOUND,
    ],
    [
      'order, the other way',
      { setting: 'smtpd_sender_restrictions', order: ['a', 'b'] },
      main('smtpd_sender_restrictions = b, a'),
      [],
    ],
    [
      'order, one missing',
      { setting: 'smtpd_sender_restrictions', order: ['a', 'b'] },
      main('smtpd_sender_restrictions = a'),
      [],
    ],
    ['count above', { setting: 'mynetworks', count: { above: 2 } }, main('mynetworks = a, b c'), FOUND],
    ['count is', { setting: 'mynetworks', count: { is: 2 } }, main('mynetworks = a, b c'), []],
    ['two tests', { setting: 'mynetworks', contains: 'a', count: { is: 1 } }, main('mynetworks = a b'), []],
    // What they are joined by
    [
      'all',
      {
        all: [
          { setting: 'mynetworks', is: 'a' },
          { setting: 'relayhost', is: 'b' },
        ],
      },
      main('mynetworks = a', 'relayhost = b'),
      FOUND,
    ],
    [
      'all, at the first named',
      {
        all: [
          { setting: 'relayhost', is: 'b' },
          { setting: 'mynetworks', is: 'a' },
        ],
      },
      main('mynetworks = a', 'relayhost = b'),
      ['main.cf:3:1'],
    ],
    [
      'any',
      {
        any: [
          { setting: 'mynetworks', is: 'x' },
          { setting: 'relayhost', is: 'b' },
        ],
      },
      main('mynetworks = a', 'relayhost = b'),
      ['main.cf:3:1'],
    ],
    [
      'not, at the setting',
      { not: { setting: 'relayhost', is: 'b' } },
      main('mynetworks = a', 'relayhost = c'),
      ['main.cf:3:1'],
    ],
    ['release', { release: '>=3.4' }, { ...main('mynetworks = a'), releases: { postfix: '3.4.0' } }, FOUND],
    [
      'release before',
      { release: '>=3.4' },
      { ...main('mynetworks = a'), releases: { postfix: '3.3.9' } },
      [],
    ],
  ])('%s', (_, when, of, wanted) => {
    expect(places(when, of)).toEqual(wanted);
  });

  test('others are named, each once', () => {
    const [finding] = findings({ setting: 'mynetworks', others: ['a'] }, main('mynetworks = b a c B b'));
    expect(JSON.parse(finding?.message ?? '')).toMatchObject({ words: ['b', 'c', 'B'] });
  });

  test('in: a service of its own', () => {
    const files = {
      'main.cf': 'smtpd_helo_required = no\n',
      'master.cf': 'smtp inet n - n - - smtpd\n  -o smtpd_helo_required=yes\n',
    };
    const when = (service: string): Condition => ({ setting: 'smtpd_helo_required', in: service, is: 'yes' });
    expect(places(when('smtp/inet'), { files })).toEqual(['master.cf:2:3']);
    expect(places(when('nosuch/inet'), { files })).toEqual([]);
    expect(places({ not: when('nosuch/inet') }, { files })).toEqual([]);
  });
});

describe('what the files do not tell is neither so nor not so', () => {
  const is: Condition = { setting: 'relayhost', is: 'a' };
  const absent: Condition = { setting: 'relayhost', explicit: false };
  test.each<[string, Condition, Case]>([
    ['a value of a template engine', is, main('relayhost = {{ relay }}')],
    ['a reference that a shell will fill', is, main('relayhost = ${RELAY_HOST}')],
    [
      'a default that the machine works out',
      { setting: 'mynetworks', others: ['127.0.0.0/8'] },
      main('myorigin = a'),
    ],
    [
      'a value that refers to one',
      { setting: 'mydestination', count: { above: 1 } },
      main('mydestination = $myhostname, localhost'),
    ],
    ['a default without a main.cf', absent, { files: { 'master.cf': 'smtp inet n - n - - smtpd\n' } }],
    [
      'a setting that the release does not have',
      { setting: 'smtpd_relay_restrictions', explicit: false },
      { ...main('relayhost = a'), releases: { postfix: '2.9.0' } },
    ],
  ])('%s', (_, when, of) => {
    expect(places(when, of)).toEqual([]);
    expect(places({ not: when }, of)).toEqual([]);
  });

  test('whether a line sets it is known, whatever the value', () => {
    expect(places({ setting: 'relayhost', explicit: true }, main('relayhost = {{ relay }}'))).toEqual(FOUND);
    expect(places({ setting: 'mynetworks', explicit: false }, main('myorigin = a'))).toEqual(FOUND);
    expect(
      places({ setting: 'relayhost', explicit: true, is: 'a' }, main('relayhost = {{ relay }}')),
    ).toEqual([]);
    const not: Condition = { not: { setting: 'relayhost', explicit: false, is: 'a' } };
    expect(places(not, main('relayhost = {{ relay }}'))).toEqual(FOUND);
  });

  test('a setting that a branch may hold: it is set where the branch is', () => {
    const of = main('{% if relay %}', 'relayhost = a', '{% endif %}', 'myorigin = b');
    expect(places(absent, of)).toEqual([]);
    expect(places({ not: absent }, of)).toEqual(['main.cf:3:1']);
  });

  test('a part that is known decides all the same', () => {
    const of = main('relayhost = {{ relay }}', 'myorigin = b');
    const known: Condition = { setting: 'myorigin', is: 'b' };
    expect(places({ any: [is, known] }, of)).toEqual(['main.cf:3:1']);
    expect(places({ not: { all: [is, { not: known }] } }, of)).toEqual(['main.cf:3:1']);
  });
});

const MASTER = [
  'smtp inet n - n - - smtpd',
  'submission inet n - n - - smtpd',
  '  -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes',
  '127.0.0.1:10025 inet n - n - - smtpd',
  '  -o smtpd_tls_security_level=none',
  '',
].join('\n');
const MAIN =
  'smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /k.pem\nsmtpd_tls_protocols = >=TLSv1\n';

describe('endpoints', () => {
  const of: Case = {
    files: { 'main.cf': MAIN, 'master.cf': MASTER },
    applies: { on: 'endpoint', side: 'server' },
    releases: { postfix: '3.7.11', openssl: '1.1.1w' },
  };
  test.each<[string, Condition, string[]]>([
    ['roles', { endpoint: { roles: ['mx'] } }, ['smtp/inet']],
    ['modes', { endpoint: { modes: ['required'] } }, ['submission/inet']],
    ['public', { endpoint: { public: false } }, ['127.0.0.1:10025/inet']],
    ['sasl', { endpoint: { sasl: true } }, ['submission/inet']],
    ['port', { endpoint: { port: 25 } }, ['smtp/inet']],
    ['ports', { endpoint: { port: [25, 10025] } }, ['smtp/inet', '127.0.0.1:10025/inet']],
    ['sides', { endpoint: { sides: ['client'] } }, []],
    ['a protocol', { endpoint: { protocol: 'TLSv1.3' } }, ['smtp/inet', 'submission/inet']],
    // The default of smtpd_tls_mandatory_protocols is >=TLSv1 in 3.7.
    ['a protocol below', { endpoint: { protocolBelow: 'TLSv1.2' } }, ['smtp/inet', 'submission/inet']],
    [
      'a protocol below the profile',
      { endpoint: { protocolBelow: '$lowestProtocol' } },
      ['smtp/inet', 'submission/inet'],
    ],
    ['authentication before TLS', { endpoint: { authBeforeTls: true } }, []],
    ['two of them', { endpoint: { public: true, modes: ['opportunistic'] } }, ['smtp/inet']],
  ])('%s', (_, when, wanted) => {
    expect(
      findings(when, of)
        .flatMap(({ endpoints }) => endpoints)
        .sort(),
    ).toEqual([...wanted].sort());
  });

  test('with nothing but the endpoint, it is shown', () => {
    expect(places({ endpoint: { port: 10025 } }, of)).toEqual(['master.cf:4:1']);
  });

  test('the lowest protocol is that of the role', () => {
    const files = {
      'main.cf': `${MAIN.replace('>=TLSv1', '>=TLSv1.2')}smtpd_tls_mandatory_protocols = >=TLSv1.2\n`,
      'master.cf': MASTER,
    };
    // strict asks for TLSv1.2 on the mx, and for TLSv1.3 of users.
    const found = findings(
      { endpoint: { protocolBelow: '$lowestProtocol' } },
      { ...of, files, profile: 'strict' },
    );
    expect(found.flatMap(({ endpoints }) => endpoints)).toEqual(['submission/inet']);
  });

  test('what decides on the protocols is shown, and they are named', () => {
    const [finding] = findings({ endpoint: { protocolBelow: 'TLSv1.2' } }, of);
    expect(finding?.setting).toBe('smtpd_tls_protocols');
    expect(JSON.parse(finding?.message ?? '')).toMatchObject({ protocols: ['TLSv1', 'TLSv1.1'] });
  });

  test('suites of a class, and of those that the profile forbids', () => {
    const files = {
      'main.cf': `${MAIN}smtpd_tls_mandatory_ciphers = high\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\n`,
      'master.cf': MASTER,
    };
    const classes: Condition = { endpoint: { cipherClasses: ['kRSA'], roles: ['submission'] } };
    const [finding] = findings(classes, { ...of, files });
    const { ciphers } = JSON.parse(finding?.message ?? '{}');
    expect(ciphers).toContain('AES256-GCM-SHA384');
    expect(ciphers.filter((name: string) => /DHE|TLS_/.test(name))).toEqual([]);
    const forbidden: Condition = { endpoint: { cipherClasses: '$forbiddenCiphers', roles: ['submission'] } };
    expect(findings(forbidden, { ...of, files, profile: 'strict' })).toHaveLength(1);
    expect(
      findings(forbidden, {
        ...of,
        files: {
          ...files,
          'main.cf': `${files['main.cf']}smtpd_tls_mandatory_exclude_ciphers = aNULL, MD5, kRSA, SHA1, SHA256, SHA384, CAMELLIA, ARIA, PSK, SRP, 3DES\n`,
        },
        profile: 'modern',
      }),
    ).toHaveLength(0);
  });

  test('a level that a template engine fills says nothing of protocols', () => {
    const files = { 'main.cf': MAIN.replace('>=TLSv1', '{{ floor }}'), 'master.cf': MASTER };
    const below: Condition = { endpoint: { protocolBelow: 'TLSv1.2', roles: ['mx'] } };
    expect(findings(below, { ...of, files })).toEqual([]);
    expect(findings({ not: below }, { ...of, files }).flatMap(({ endpoints }) => endpoints)).not.toContain(
      'smtp/inet',
    );
  });
});

describe('a host and its endpoints', () => {
  const of: Case = { files: { 'main.cf': MAIN, 'master.cf': MASTER } };
  test('some: said once, at what decides, with all that have it', () => {
    const found = findings(
      { some: { all: [{ setting: 'smtpd_tls_protocols', is: '>=TLSv1' }, { endpoint: { public: true } }] } },
      of,
    );
    expect(found.map(({ at, endpoints }) => [at.source.position(at.span.start).line, endpoints])).toEqual([
      [3, ['smtp/inet', 'submission/inet', ...(found[0]?.endpoints.slice(2) ?? [])]],
    ]);
  });
  test('some, by the endpoint alone: at its line', () => {
    expect(places({ some: { endpoint: { port: 587 } } }, of)).toEqual(['master.cf:2:1']);
    expect(places({ some: { endpoint: { port: 465 } } }, of)).toEqual([]);
  });
  test('none', () => {
    expect(places({ none: { endpoint: { port: 465 } } }, of)).toEqual(['main.cf:1:1']);
    expect(places({ none: { endpoint: { port: 587 } } }, of)).toEqual([]);
  });
  test('none of them, where one is not known', () => {
    const files = { 'main.cf': `${MAIN}relayhost = {{ relay }}\n`, 'master.cf': MASTER };
    expect(places({ none: { setting: 'relayhost', is: 'a' } }, { files })).toEqual([]);
  });
});

describe('Dovecot', () => {
  test.each<[string, Condition, Case, string[]]>([
    [
      'is, of a boolean',
      { setting: 'verbose_ssl', is: 'yes' },
      dovecot('2.3.21', 'verbose_ssl = y'),
      ['dovecot.conf:2:1'],
    ],
    [
      'above, a size',
      { setting: 'mail_vsize_bg_after_count', above: 5 },
      dovecot('2.3.21', 'mail_vsize_bg_after_count = 6'),
      ['dovecot.conf:2:1'],
    ],
    [
      'above, a time',
      { setting: 'login_proxy_timeout', above: '1m' },
      dovecot('2.3.21', 'login_proxy_timeout = 61s'),
      ['dovecot.conf:2:1'],
    ],
    [
      'below, a size',
      { setting: 'default_vsz_limit', below: '256M' },
      dovecot('2.3.21', 'default_vsz_limit = 255 M'),
      ['dovecot.conf:2:1'],
    ],
    [
      'contains',
      { setting: 'auth_mechanisms', contains: 'LOGIN' },
      dovecot('2.3.21', 'auth_mechanisms = plain login'),
      ['dovecot.conf:2:1'],
    ],
    [
      'in a protocol',
      { setting: 'mail_max_userip_connections', in: 'protocol imap', above: 20 },
      dovecot('2.3.21', 'protocol imap {', '  mail_max_userip_connections = 50', '}'),
      ['dovecot.conf:3:3'],
    ],
    [
      'in no protocol',
      { setting: 'mail_max_userip_connections', above: 20 },
      dovecot('2.3.21', 'protocol imap {', '  mail_max_userip_connections = 50', '}'),
      [],
    ],
    [
      'in a service',
      { setting: 'client_limit', in: 'service imap-login', is: '7' },
      dovecot('2.3.21', 'service imap-login {', '  client_limit = 7', '}'),
      ['dovecot.conf:3:3'],
    ],
    [
      'in a listener',
      { setting: 'port', in: 'service imap-login > inet_listener imap', is: '0' },
      dovecot('2.3.21', 'service imap-login {', '  inet_listener imap {', '    port = 0', '  }', '}'),
      ['dovecot.conf:4:5'],
    ],
    [
      'in the plugin section',
      { setting: 'sieve', in: 'plugin', explicit: true },
      dovecot('2.3.21', 'plugin {', '  sieve = file:~/sieve', '}'),
      ['dovecot.conf:3:3'],
    ],
    [
      'a list of 2.4',
      { setting: 'auth_mechanisms', others: ['plain'] },
      dovecot(
        '2.4.1',
        'dovecot_config_version = 2.4.1',
        'dovecot_storage_version = 2.4.1',
        'auth_mechanisms = plain login',
      ),
      ['dovecot.conf:4:1'],
    ],
  ])('%s', (_, when, of, wanted) => {
    expect(places(when, of)).toEqual(wanted);
  });

  test('mechanisms before TLS are known', () => {
    const of = dovecot(
      '2.3.21',
      'protocols = imap',
      'ssl = yes',
      'ssl_cert = </c',
      'ssl_key = </k',
      'disable_plaintext_auth = no',
      'auth_mechanisms = plain login',
    );
    const at = (when: Condition) =>
      findings(when, { ...of, applies: { server: 'dovecot', on: 'endpoint' } }).flatMap(
        ({ endpoints }) => endpoints,
      );
    expect(at({ endpoint: { authBeforeTls: true } })).toEqual(['imap-login/imap']);
    expect(at({ endpoint: { authBeforeTls: ['LOGIN'] } })).toEqual(['imap-login/imap']);
    expect(at({ endpoint: { authBeforeTls: ['CRAM-MD5'] } })).toEqual([]);
    expect(at({ endpoint: { mechanisms: ['plain'] } }).sort()).toEqual([
      'imap-login/imap',
      'imap-login/imaps',
    ]);
  });
});

describe('fixes', () => {
  function mended(when: Condition, fix: DeclaredFix, { files, applies, releases = {} }: Case) {
    const options = { unsafe: true };
    const input = hostInputFromTexts(files, releases);
    const result = proposeFixes(input, ruleSetOf(when, applies, fix), builtinProfile('modern'), options);
    return Object.fromEntries(
      result.files.map(({ after }) => [after.path, after.text.split('\n').slice(1, -1)]),
    );
  }
  const LIST = 'smtpd_sender_restrictions';
  test.each<[string, Condition, DeclaredFix, Case, Record<string, string[]>]>([
    [
      'set',
      { setting: 'relayhost', is: 'a' },
      { kind: 'safe', set: { relayhost: 'b' } },
      main('relayhost = a'),
      { 'main.cf': ['relayhost = b'] },
    ],
    [
      'remove',
      { setting: 'relayhost', is: 'a' },
      { kind: 'safe', remove: 'relayhost' },
      main('relayhost = a', 'myorigin = b'),
      { 'main.cf': ['myorigin = b'] },
    ],
    [
      'add',
      { not: { setting: LIST, contains: 'x' } },
      { kind: 'safe', add: { [LIST]: 'x' } },
      main(`${LIST} = a, b`),
      { 'main.cf': [`${LIST} = a, b, x`] },
    ],
    [
      'add to an empty list',
      { not: { setting: LIST, contains: 'x' } },
      { kind: 'safe', add: { [LIST]: 'x' } },
      main(`${LIST} =`),
      { 'main.cf': [`${LIST} = x`] },
    ],
    [
      'prepend',
      { not: { setting: LIST, order: ['x', 'b'] } },
      { kind: 'safe', prepend: { [LIST]: 'x' } },
      main(`${LIST} = a b`),
      { 'main.cf': [`${LIST} = x a b`] },
    ],
    [
      'prepend what stands behind',
      { not: { setting: LIST, order: ['x', 'b'] } },
      { kind: 'safe', prepend: { [LIST]: 'x' } },
      main(`${LIST} = a, b, x`),
      { 'main.cf': [`${LIST} = x, a, b`] },
    ],
    [
      'drop',
      { setting: LIST, contains: 'x' },
      { kind: 'safe', drop: { [LIST]: 'x' } },
      main(`${LIST} = x, a, X, b, x`),
      { 'main.cf': [`${LIST} = a, b`] },
    ],
    [
      'drop two words',
      { setting: LIST, contains: 'x y' },
      { kind: 'safe', drop: { [LIST]: 'x y' } },
      main(`${LIST} = x, a, x y, b`),
      { 'main.cf': [`${LIST} = x, a, b`] },
    ],
    [
      'drop and add',
      { setting: LIST, contains: 'x' },
      { kind: 'safe', drop: { [LIST]: 'x' }, add: { [LIST]: 'z' } },
      main(`${LIST} = x a`),
      { 'main.cf': [`${LIST} = a z`] },
    ],
    [
      'over lines, with references',
      { not: { setting: LIST, contains: 'x' } },
      { kind: 'safe', add: { [LIST]: 'x' } },
      main('mine = q', `${LIST} =`, '  a,', '# why', '  $mine'),
      { 'main.cf': ['mine = q', `${LIST} =`, '  a,', '# why', '  $mine,', '  x'] },
    ],
    [
      'a template is left alone',
      { not: { setting: LIST, contains: 'x' } },
      { kind: 'safe', add: { [LIST]: 'x' } },
      main(`${LIST} = {{ all }}`),
      {},
    ],
    [
      'a list of Dovecot with references',
      { not: { setting: 'mail_plugins', in: 'protocol imap', contains: 'acl' } },
      { kind: 'safe', add: { mail_plugins: 'acl' }, in: 'protocol imap' },
      dovecot(
        '2.3.21',
        'mail_plugins = quota',
        'protocol imap {',
        '  mail_plugins = $mail_plugins imap_quota',
        '}',
      ),
      {
        'dovecot.conf': [
          'mail_plugins = quota',
          'protocol imap {',
          '  mail_plugins = $mail_plugins imap_quota acl',
          '}',
        ],
      },
    ],
    [
      'a section of Dovecot',
      { setting: 'mail_max_userip_connections', in: 'protocol imap', below: 20 },
      { kind: 'safe', set: { mail_max_userip_connections: '20' }, in: 'protocol imap' },
      dovecot('2.3.21', 'protocol imap {', '  mail_plugins = quota', '}'),
      {
        'dovecot.conf': [
          'protocol imap {',
          '  mail_max_userip_connections = 20',
          '  mail_plugins = quota',
          '}',
        ],
      },
    ],
  ])('%s', (_, when, fix, of, wanted) => {
    expect(mended(when, fix, of)).toEqual(wanted);
  });

  test('a new setting goes to the service, where the rule says so', () => {
    const files = {
      'main.cf': '#\nmyorigin = a\n',
      'master.cf': '#\nsubmission inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n',
    };
    const applies: Applies = { on: 'endpoint', roles: ['submission'] };
    const when: Condition = { setting: 'smtpd_helo_required', is: 'no' };
    expect(
      mended(
        when,
        { kind: 'safe', set: { smtpd_helo_required: 'yes' }, scope: 'service' },
        { files, applies },
      ),
    ).toEqual({
      'master.cf': [
        'submission inet n - n - - smtpd',
        '  -o smtpd_sasl_auth_enable=yes',
        '  -o smtpd_helo_required=yes',
      ],
    });
  });

  test('what is for a service by name goes to that service', () => {
    const files = { 'main.cf': '#\nmyorigin = a\n', 'master.cf': `#\n${MASTER}` };
    const when: Condition = { setting: 'smtpd_helo_required', in: 'submission/inet', is: 'no' };
    const fix: DeclaredFix = { kind: 'safe', in: 'submission/inet', set: { smtpd_helo_required: 'yes' } };
    expect(mended(when, fix, { files })['master.cf']?.slice(1, 4)).toEqual([
      'submission inet n - n - - smtpd',
      '  -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes',
      '  -o smtpd_helo_required=yes',
    ]);
  });

  test('a second fix changes nothing, whatever a rule asks for', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'a b', 'permit');
    const list = fc.array(fc.constantFrom('a', 'b', 'c', 'permit', '$mine'), { maxLength: 5 });
    const separator = fc.constantFrom(', ', ' ', ',', '\n  ');
    const change = fc.option(fc.record({ [LIST]: word }), { nil: undefined });
    fc.assert(
      fc.property(
        list,
        separator,
        change,
        change,
        change,
        word,
        fc.boolean(),
        (words, between, add, prepend, drop, asked, negated) => {
          const fix: DeclaredFix = {
            kind: 'safe',
            ...(add === undefined ? {} : { add }),
            ...(prepend === undefined ? {} : { prepend }),
            ...(drop === undefined ? {} : { drop }),
          };
          const contains: Condition = { setting: LIST, contains: asked };
          const ruleSet = ruleSetOf(negated ? { not: contains } : contains, {}, fix);
          const text = `mine = z\n${LIST} = ${words.join(between)}\n`;
          const once = proposeFixes(
            hostInputFromTexts({ 'main.cf': text }),
            ruleSet,
            builtinProfile('modern'),
          );
          const fixed = once.files[0]?.after.text ?? text;
          const twice = proposeFixes(
            hostInputFromTexts({ 'main.cf': fixed }),
            ruleSet,
            builtinProfile('modern'),
          );
          expect(twice.files.map(({ after }) => after.text)).toEqual([]);
        },
      ),
    );
  });
});

test('verdicts of all, any and not are those of three-valued logic', () => {
  // relayhost is not known, myorigin is a, mydestination is not b.
  const of = main('relayhost = {{ x }}', 'myorigin = a', 'mydestination = c');
  const leaf = fc.constantFrom<[Condition, boolean | null][]>(
    [{ setting: 'relayhost', is: 'q' }, null],
    [{ setting: 'myorigin', is: 'a' }, true],
    [{ setting: 'mydestination', is: 'b' }, false],
  );
  const not = (truth: boolean | null): boolean | null => (truth === null ? null : !truth);
  const and = (truths: readonly (boolean | null)[]): boolean | null =>
    truths.includes(false) ? false : truths.includes(null) ? null : true;
  type Judged = [Condition, boolean | null];
  const { tree } = fc.letrec<{ tree: Judged }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      tie('tree').map(([when, truth]): Judged => [{ not: when }, not(truth)]),
      fc
        .array(tie('tree'), { minLength: 1, maxLength: 3 })
        .map((parts): Judged => [{ all: parts.map(([when]) => when) }, and(parts.map(([, truth]) => truth))]),
      fc
        .array(tie('tree'), { minLength: 1, maxLength: 3 })
        .map(
          (parts): Judged => [
            { any: parts.map(([when]) => when) },
            not(and(parts.map(([, truth]) => not(truth)))),
          ],
        ),
    ),
  }));
  fc.assert(
    fc.property(tree, ([when, truth]) => {
      expect(findings(when, of)).toHaveLength(truth === true ? 1 : 0);
    }),
  );
});
