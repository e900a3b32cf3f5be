// What is wrong with rules of users, in exact words.
import fc from 'fast-check';
import { validator } from '../../src/hosts/validator.ts';
import { OWN_RULE_SCHEMA, ownProblems, ownTemplate } from '../../src/rules/own-rules.ts';
import type { RulePage } from '../../src/rules/rule.ts';
import { BUILTIN_RULES } from '../../src/rules/rule-set.ts';

const RULE = {
  id: 'example-org/rule',
  title: 'A rule',
  category: 'relay',
  applies: { server: 'postfix', on: 'host' },
  severity: { modern: 'warning' },
  why: 'It is ours.',
  references: ['our handbook'],
  when: { setting: 'relayhost', is: 'a' },
  messages: { default: { text: '{{setting}} is {{quote actual}}.', advice: 'Mend it.' } },
  fix: { kind: 'none' },
  examples: {
    bad: [
      { files: { 'main.cf': ['relayhost = a'] }, findings: [{ file: 'main.cf', from: '1:1', to: '1:14' }] },
    ],
    good: [{ files: { 'main.cf': ['relayhost = b'] } }],
  },
};

type Change = Readonly<Record<string, unknown>>;

/** Pointer and words of each problem of the rule with a change. */
function problems(change: Change, others: readonly Change[] = []): [string, string][] {
  const surroundings = {
    builtin: BUILTIN_RULES.rules,
    profiles: ['legacy-compatible', 'modern', 'strict', 'example-org'],
  };
  const files = [{ ...RULE, ...change }, ...others.map((other) => ({ ...RULE, ...other }))].map(
    (value, index) => ({ path: `rule${index}.json`, value: value as unknown as RulePage }),
  );
  return ownProblems(files, surroundings).map(({ path, pointer, problem }) => [
    path === 'rule0.json' ? pointer : `${path} ${pointer}`,
    problem,
  ]);
}

const when = (condition: unknown): Change => ({ when: condition });
const dovecot = (change: Change): Change => ({ applies: { server: 'dovecot', on: 'host' }, ...change });
const setting = (name: string, more: Change = { explicit: true }): Change => when({ setting: name, ...more });
const text = (template: string): Change => ({
  messages: { default: { text: template, advice: 'Mend it.' } },
});
const fix = (value: Change): Change => ({
  fix: { kind: 'safe', ...value },
  examples: { ...RULE.examples, bad: [{ ...RULE.examples.bad[0], fixed: { 'main.cf': ['relayhost = b'] } }] },
});

test('a rule without a fault', () => {
  expect(problems({})).toEqual([]);
});

test.each<[string, Change, string, string]>([
  [
    'a name of pfharden',
    { id: 'postfix/rule' },
    '/id',
    '"postfix/" is for the rules of pfharden: begin with a name of your own, such as "example-org/rule"',
  ],
  [
    'pfharden itself',
    { id: 'pfharden/rule' },
    '/id',
    '"pfharden/" is for the rules of pfharden: begin with a name of your own, such as "example-org/rule"',
  ],
  [
    'a check',
    { check: 'postfix/server-protocols' },
    '/check',
    'checks are code of pfharden: say what you look for in "when"',
  ],
  ['neither', { when: undefined }, '', 'the rule does not say what it looks for: it needs "when"'],
  [
    'both servers',
    { applies: { server: 'both', on: 'host' } },
    '/applies/server',
    'a rule with "when" judges one server: postfix or dovecot',
  ],
  [
    'a role of a host',
    { applies: { server: 'postfix', on: 'host', roles: ['mx'] } },
    '/applies/roles',
    'a host has no role: say "on": "endpoint", or ask in "some" or "none"',
  ],
  [
    'a range',
    { applies: { server: 'postfix', on: 'host', releases: '3.4+' } },
    '/applies/releases',
    '"3.4+" is no range of releases: write ">=3.6", "<2.4" or ">=2.9 <3.4"',
  ],
  [
    'a range in when',
    when({ all: [{ not: { release: '> 3.4' } }] }),
    '/when/all/0/not/release',
    '"> 3.4" is no range of releases: write ">=3.6", "<2.4" or ">=2.9 <3.4"',
  ],
  [
    'a profile',
    { severity: { modren: 'info' } },
    '/severity/modren',
    'there is no profile "modren"; did you mean "modern"?',
  ],
  [
    'a profile near to none',
    { severity: { ours: 'info' } },
    '/severity/ours',
    'there is no profile "ours": legacy-compatible, modern, strict, example-org, *',
  ],
  [
    'a level of a message',
    { severity: { modern: { weak: 'info' } } },
    '/severity/modern/weak',
    'a rule with "when" has one message, "default", and no "weak"',
  ],
  [
    'another rule',
    { yields: { to: 'postfix/server-protocol' } },
    '/yields/to',
    'there is no rule "postfix/server-protocol"; did you mean "postfix/server-protocols"?',
  ],
  [
    'an endpoint of a host',
    when({ endpoint: { port: 25 } }),
    '/when/endpoint',
    'a host as a whole is no endpoint: ask in "some" or "none", or say "on": "endpoint" in "applies"',
  ],
  // Names of settings and sections
  [
    'a parameter',
    setting('relay_host'),
    '/when/setting',
    'Postfix has no parameter "relay_host"; did you mean "relayhost"?',
  ],
  [
    'a parameter in a list',
    when({ any: [{ setting: 'mynetwork', is: 'a' }] }),
    '/when/any/0/setting',
    'Postfix has no parameter "mynetwork"; did you mean "mynetworks"?',
  ],
  ['no name', setting('$relayhost'), '/when/setting', '"$relayhost" is no name of a parameter'],
  [
    'a setting',
    dovecot(setting('ssl_min_protocl')),
    '/when/setting',
    'Dovecot has no setting "ssl_min_protocl"; did you mean "ssl_min_protocol"?',
  ],
  [
    'a setting that is near to none',
    dovecot(setting('quux_quux')),
    '/when/setting',
    'Dovecot has no setting "quux_quux"',
  ],
  [
    'a key of a service',
    dovecot(setting('client_limits', { in: 'service imap-login', is: '1' })),
    '/when/setting',
    'Dovecot has no setting "client_limits" in service; did you mean "client_limit"?',
  ],
  [
    'a service',
    setting('relayhost', { in: 'submission', is: 'a' }),
    '/when/in',
    '"submission" is no service: write its name and type as in master.cf, such as "submission/inet"',
  ],
  [
    'a section',
    dovecot(setting('ssl', { in: 'protocl imap', is: 'a' })),
    '/when/in',
    '"protocl imap" is no section: write it as "protocol imap" or "service imap-login > inet_listener imap"; did you mean "protocol"?',
  ],
  // Values
  [
    'an expression',
    setting('relayhost', { matches: 'a(' }),
    '/when/matches',
    'not a regular expression: Unterminated group',
  ],
  [
    'an expression that takes for ever',
    setting('relayhost', { matches: '^(a+)+$' }),
    '/when/matches',
    'a repetition inside a repetition, as in (a+)+, may take for ever on a value that almost fits: repeat once',
  ],
  [
    'another one',
    setting('relayhost', { matches: '((?:x|y[*+]z)*,)+!' }),
    '/when/matches',
    'a repetition inside a repetition, as in (a+)+, may take for ever on a value that almost fits: repeat once',
  ],
  [
    'a time',
    setting('maximal_queue_lifetime', { above: '5 days' }),
    '/when/above',
    '"5 days" is no time: write 300s, 5m, 2h, 1d or 1w',
  ],
  [
    'a size',
    setting('message_size_limit', { above: '50MB' }),
    '/when/above',
    '"50MB" is no number: write 1000, 10k, 50M or 1G',
  ],
  [
    'no number at all',
    setting('relayhost', { below: 3 }),
    '/when/below',
    'relayhost holds no number or time',
  ],
  [
    'a time of Dovecot',
    dovecot(setting('login_proxy_timeout', { below: '5' })),
    '/when/below',
    '"5" is no time: write it with its unit, as Dovecot does: "5 mins"',
  ],
  [
    'a size of Dovecot',
    dovecot(setting('default_vsz_limit', { below: '5X' })),
    '/when/below',
    '"5X" is no number: write 100, or a size such as "10M"',
  ],
  [
    'no number of Dovecot',
    dovecot(setting('ssl_cipher_list', { below: 5 })),
    '/when/below',
    'ssl_cipher_list holds no number, time or size',
  ],
  // Messages
  [
    'no default message',
    { messages: { weak: { text: 'a', advice: 'b' } } },
    '/messages',
    'the message of a rule with "when" is called "default"',
  ],
  [
    'a variable',
    text('{{settings}}'),
    '/messages/default/text',
    'there is no variable "settings"; did you mean "setting"?',
  ],
  [
    'a variable near to none',
    text('{{port}}'),
    '/messages/default/text',
    'there is no variable "port": endpoints, setting, actual, expected, release, openssl, profile, words, protocols, ciphers, mechanisms',
  ],
  [
    'a variable in a helper',
    text('{{list word}}'),
    '/messages/default/text',
    'there is no variable "word"; did you mean "words"?',
  ],
  [
    'a helper',
    text('{{quoted actual}}'),
    '/messages/default/text',
    'there is no helper "quoted"; did you mean "quote"?',
  ],
  [
    'a part of a list',
    text('{{words.first}}'),
    '/messages/default/text',
    '"words.first" is not there: of a list a template may ask for its length, or go through it with {{#each words}}',
  ],
  [
    'another template',
    text('{{> header}}'),
    '/messages/default/text',
    'a message has no other templates to take in: {{>…}} is not for it',
  ],
  // Fixes
  [
    'no fix that does something',
    { fix: { kind: 'none', remove: 'relayhost' } },
    '/fix/remove',
    'a fix of the kind "none" changes nothing: say "safe" or "ask"',
  ],
  [
    'a fix that does nothing',
    fix({}),
    '/fix',
    'a fix that is "safe" says what it does: set, remove, add, prepend, drop',
  ],
  [
    'a scope of Dovecot',
    dovecot({ ...fix({ set: { ssl: 'yes' }, scope: 'service' }), ...setting('ssl', { is: 'no' }) }),
    '/fix/scope',
    'Dovecot has no -o: name a section with "in"',
  ],
  [
    'a parameter of a fix',
    fix({ set: { relay_host: 'b' } }),
    '/fix/set/relay_host',
    'Postfix has no parameter "relay_host"; did you mean "relayhost"?',
  ],
  [
    'a value of a fix',
    fix({ set: { smtpd_helo_required: 'on' } }),
    '/fix/set/smtpd_helo_required',
    'Postfix does not take "on" for smtpd_helo_required: yes, no',
  ],
  [
    'a value of Dovecot',
    dovecot({ ...fix({ set: { ssl: 'on' } }), ...setting('ssl', { is: 'no' }) }),
    '/fix/set/ssl',
    'Dovecot does not take "on" for ssl: Invalid value: on',
  ],
  [
    'two lines',
    fix({ set: { relayhost: 'a\nb = c' } }),
    '/fix/set/relayhost',
    'a value is one line, without white space at its ends',
  ],
  [
    'a comment',
    fix({ add: { mynetworks: 'a #b' } }),
    '/fix/add/mynetworks',
    'what begins with "#" would be read as a comment',
  ],
  // Examples
  [
    'a fix without an example',
    { fix: { kind: 'safe', remove: 'relayhost' } },
    '/examples/bad',
    'the rule has a fix, and no example shows what comes of it in "fixed"',
  ],
  [
    'no file of a server',
    { examples: { ...RULE.examples, good: [{ files: { 'mian.cf': '' } }] } },
    '/examples/good/0/files/mian.cf',
    'no file of an example is main.cf, master.cf, dovecot.conf; did you mean "main.cf"?',
  ],
  [
    'a profile of an example',
    { examples: { ...RULE.examples, good: [{ ...RULE.examples.good[0], profile: 'strickt' }] } },
    '/examples/good/0/profile',
    'there is no profile "strickt"; did you mean "strict"?',
  ],
  [
    'a release of an example',
    { examples: { ...RULE.examples, good: [{ ...RULE.examples.good[0], dovecot: '2' }] } },
    '/examples/good/0/dovecot',
    '"2" is no release; write it as 3.7.11 or 3.7',
  ],
  [
    'a file of a finding',
    {
      examples: {
        ...RULE.examples,
        bad: [{ ...RULE.examples.bad[0], findings: [{ file: 'master.cf', from: '1:1', to: '1:2' }] }],
      },
    },
    '/examples/bad/0/findings/0/file',
    'the example has no file "master.cf"',
  ],
])('%s', (_, change, pointer, problem) => {
  expect(problems(change)).toEqual([[pointer, problem]]);
});

test('two rules of one id', () => {
  expect(problems({}, [{}])).toEqual([['rule1.json /id', 'rule0.json has the same id, "example-org/rule"']]);
});

test('a template that is none', () => {
  const [[pointer, problem] = ['', '']] = problems(text('{{#if setting}}'));
  expect(pointer).toBe('/messages/default/text');
  expect(problem).toMatch(/^not a template of Handlebars: Parse error on line 1/);
  expect(problem).not.toContain('\n');
});

test.each<[string, Change]>([
  ['a name of the administrator', setting('our_own_restrictions')],
  ['a parameter of a transport', setting('slow_destination_concurrency_limit', { above: 3 })],
  ['a parameter that is gone', setting('smtpd_use_tls', { is: 'yes' })],
  ['a setting of 2.3', dovecot(setting('disable_plaintext_auth', { is: 'no' }))],
  ['a setting of 2.4', dovecot(setting('auth_allow_cleartext', { is: 'yes' }))],
  ['a setting of a plugin', dovecot(setting('sieve_our_own', { in: 'plugin', explicit: true }))],
  [
    'a key of a listener',
    dovecot(setting('port', { in: 'service imap-login > inet_listener imap', above: 100 })),
  ],
  ['a size without unit', dovecot(setting('default_vsz_limit', { below: '256M' }))],
  ['an expression with a bounded repetition', setting('relayhost', { matches: '^(a+){2}([*+)]|\\)+)?$' })],
  [
    'everything that a template may be',
    text(
      '{{#if words}}{{list words}}{{else}}{{plural words.length "a" "b"}}{{/if}}{{#each protocols as |p|}}{{p}}{{this}}{{@index}}{{/each}}{{#unless (eq setting "a")}}{{profile}}{{/unless}}',
    ),
  ],
  ['a level for every profile', { severity: { '*': 'info' } }],
])('nothing is wrong with %s', (_, change) => {
  expect(problems(change)).toEqual([]);
});

test('its messages are made by the templates', () => {
  const rule = {
    ...RULE,
    ...text('{{setting}} in {{list words}}: {{quote actual}} <{{plural words.length "one" "more"}}>'),
  };
  const data = { setting: 'a', words: ['x', 'y'], actual: '' };
  expect(ownTemplate(rule as unknown as RulePage, 'default', 'text')(data)).toBe('a in x and y: "" <more>');
});

test('whatever follows the schema is judged without a crash', () => {
  const name = fc.oneof(
    fc.constantFrom('relayhost', 'mynetworks', 'ssl', 'constructor', '__proto__'),
    fc.string(),
  );
  const condition: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.record(
        { setting: name, in: name, matches: fc.string(), below: fc.oneof(fc.integer(), fc.string()) },
        { requiredKeys: ['setting'] },
      ),
      fc.record({ release: fc.string() }),
      fc.record({ endpoint: fc.record({ port: fc.integer({ min: 1, max: 65_535 }) }) }),
      fc.record({ not: tie('tree') }),
      fc.record({ some: tie('tree') }),
      fc.record({ all: fc.array(tie('tree'), { minLength: 1, maxLength: 2 }) }),
    ),
  }))['tree'];
  const rule = fc.record({
    applies: fc.record({
      server: fc.constantFrom('postfix', 'dovecot', 'both'),
      on: fc.constantFrom('host', 'endpoint'),
    }),
    when: condition,
    messages: fc.record({
      default: fc.record({ text: fc.string({ minLength: 1 }), advice: fc.string({ minLength: 1 }) }),
    }),
    fix: fc.record({ kind: fc.constantFrom('safe', 'none'), set: fc.dictionary(name, fc.string()) }),
  });
  fc.assert(
    fc.property(rule, (change) => {
      for (const [pointer, problem] of problems(change)) expect(`${pointer} ${problem}`).not.toContain('\n');
    }),
  );
});

describe('the schema', () => {
  const faults = (change: Change): string[] => {
    const validate = validator(OWN_RULE_SCHEMA);
    validate(JSON.parse(JSON.stringify({ ...RULE, ...change })));
    return (validate.errors ?? [])
      .filter(({ keyword }) => keyword !== 'if')
      .map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);
  };
  test.each<[string, Change, string[]]>([
    ['a rule', {}, []],
    [
      'a rule without examples',
      { examples: { bad: [], good: [] } },
      ['/examples/bad minItems', '/examples/good minItems'],
    ],
    ['an unknown key', when({ setting: 'relayhost', equals: 'a' }), ['/when additionalProperties']],
    [
      'an unknown key of an endpoint',
      when({ endpoint: { prot: 1 } }),
      ['/when/endpoint additionalProperties'],
    ],
    [
      'an unknown role',
      when({ some: { endpoint: { roles: ['mx', 'imapss'] } } }),
      ['/when/some/endpoint/roles/1 enum'],
    ],
    ['a setting without a test', setting('relayhost', {}), ['/when minProperties']],
    [
      'two conditions in one',
      when({ all: [{ setting: 'a', is: 'b' }], setting: 'a' }),
      ['/when additionalProperties'],
    ],
    [
      'an empty word',
      setting('relayhost', { contains: ' ' }),
      ['/when/contains pattern', '/when/contains type', '/when/contains anyOf'],
    ],
  ])('%s', (_, change, wanted) => {
    expect(faults(change)).toEqual(wanted);
  });
});
