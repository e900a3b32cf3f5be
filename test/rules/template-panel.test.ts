// Renderings of a template are judged once where they have the same texts, and by those rules alone that may still
// find something in all of them: neither changes what is found.
import { buildHost, type Host, type HostInput } from '../../src/hosts/host.ts';
import { TemplatedHost } from '../../src/hosts/renderings.ts';
import { evaluate, judgement } from '../../src/rules/evaluate.ts';
import { KnownServers } from '../../src/rules/known-servers.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import type { Location } from '../../src/text/source.ts';
import { dovecotCases, dovecotInput, hostInputFromFolder, postfixCases } from '../support/corpus.ts';
import { hostInputFromTexts } from '../support/host.ts';
import { random } from '../support/render-host.ts';

const strict = builtinProfile('strict');
/** Hosts that are made up. */
const MADE = 12;

const POSTFIX = [
  'smtpd_tls_security_level = may',
  'smtpd_tls_security_level = {{ level }}',
  'smtpd_tls_protocols = !SSLv2',
  'smtpd_tls_mandatory_protocols = {{ protocols }}',
  'smtpd_sasl_auth_enable = yes',
  'smtpd_tls_auth_only = {{ only }}',
  'smtpd_sasl_path = inet:127.0.0.1:12345',
  'smtp_sasl_password_maps = static:me:{{ secret }}',
  'relayhost = [{{ relay }}]:587',
  'mynetworks = 127.0.0.0/8 {{ nets }}',
  'myhostname = {{ name }}',
  'smtpd_helo_restrictions = permit',
  'no_such_parameter = {{ name }}',
];
const DOVECOT = [
  'ssl = yes',
  'ssl = {{ ssl }}',
  'ssl_min_protocol = TLSv1',
  'ssl_cipher_list = {{ ciphers }}',
  'disable_plaintext_auth = no',
  'auth_mechanisms = plain {{ more }}',
  'protocols = imap lmtp',
  'no_such_setting = {{ name }}',
  'service auth {\n  inet_listener {\n    port = 12345\n    address = {{ name }}\n  }\n}',
  'passdb {\n  driver = static\n  args = password={{ secret }}\n}',
];

/** A host whose two servers are templates, with branches of their own and common ones. */
function made(seed: number): HostInput {
  const next = random(seed * 15_485_863);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T;
  const text = (lines: readonly string[], subjects: readonly string[]): string =>
    Array.from({ length: 4 + Math.floor(next() * 4) }, () =>
      next() < 0.6
        ? pick(lines)
        : `{% if ${pick(subjects)} %}\n${pick(lines)}\n{% else %}\n${pick(lines)}\n{% endif %}`,
    ).join('\n');
  return hostInputFromTexts(
    {
      'main.cf': `smtpd_tls_cert_file = /etc/ssl/mx.pem\n${text(POSTFIX, ['relay', 'both'])}\n`,
      'master.cf': 'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\nsmtp unix - - n - - smtp\n',
      'dovecot.conf': `ssl_cert = </etc/ssl/mx.pem\nssl_key = </etc/ssl/mx.key\n${text(DOVECOT, ['lmtp', 'both'])}\n`,
    },
    { postfix: '3.7.11', dovecot: '2.3.19.1', openssl: '3.0' },
  );
}

const inputs: readonly (readonly [string, () => HostInput | Promise<HostInput>])[] = [
  ...Array.from({ length: MADE }, (_, index): [string, () => HostInput] => [
    `made host ${index + 1}`,
    () => made(index + 1),
  ]),
  ...postfixCases('templated').map(({ id, folder }): [string, () => HostInput] => [
    id,
    () => hostInputFromFolder(folder),
  ]),
  ...dovecotCases('templated').map(({ id, folder }): [string, () => Promise<HostInput>] => [
    id,
    () => dovecotInput(folder),
  ]),
];

it.each(inputs)(
  '%s: what is certain is the same where what is possible is asked for, too',
  async (_, read) => {
    const input = await read();
    const { findings } = judgement(buildHost(input), BUILTIN_RULES, strict);
    const asked = judgement(buildHost({ ...input }), BUILTIN_RULES, strict, { possible: true });
    expect(findings).toEqual(asked.findings);
    const possible = new Set(asked.possible.map(({ fingerprint }) => fingerprint));
    expect(findings.filter(({ fingerprint }) => !possible.has(fingerprint))).toEqual([]);
  },
);

it('what is certain is found in each rendering by itself that has its line', () => {
  const alarms: string[] = [];
  let checked = 0;
  for (let seed = 1; seed <= MADE; seed++) {
    const input = made(seed);
    const host = TemplatedHost.of(input);
    if (host === null) throw new Error('no template');
    const found = evaluate(buildHost(input), BUILTIN_RULES, strict);
    const identity = (one: (typeof found)[number], { source, span }: Location): string =>
      [one.rule, one.messageId, one.setting, source.path, span.start].join(' ');
    for (let filling = 0; filling < host.fillings; filling++) {
      for (let way = 0; way < host.ways; way++) {
        const { input: rendered, places } = host.filled(way, filling);
        const alone = evaluate(buildHost(rendered), BUILTIN_RULES, strict);
        const there = new Set(alone.map((one) => identity(one, places.back(one.at))));
        for (const one of found) {
          if (!places.has(one.at.source.path, one.at.span.start)) continue;
          checked++;
          if (!there.has(identity(one, one.at))) alarms.push(`${seed} ${way} ${filling}: ${one.message}`);
        }
      }
    }
  }
  expect(alarms).toEqual([]);
  expect(checked).toBeGreaterThan(1000);
});

it('says of a value in which line of the template it stands, not of a rendering', () => {
  const input = hostInputFromTexts({
    'main.cf':
      '{% if one %}\nrelayhost =\n{% else %}\n# two\n# three\n{% endif %}\nsmtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2\n',
    'master.cf': 'smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n',
  });
  const found = evaluate(buildHost(input), BUILTIN_RULES, strict);
  const values = found.filter(({ setting }) => setting === 'smtpd_tls_protocols');
  expect(values.map(({ valueFrom }) => valueFrom)).toContain('main.cf line 8');
  expect(values.every(({ valueFrom }) => valueFrom === 'main.cf line 8')).toBe(true);
});

describe('servers of renderings', () => {
  const text = {
    'main.cf':
      'a = {{ x }}\n{% if one %}\nb = 1\n{% endif %}\nsmtp_sasl_password_maps = static:me:p{{ y }}\n',
    'dovecot.conf': '{% if two %}\nssl = no\n{% endif %}\nlisten = 127.0.0.1\n',
  };
  const rendered = (texts: Readonly<Record<string, string>>) => {
    const known = new KnownServers();
    const host = known.hostOf(hostInputFromTexts(texts));
    const templated = TemplatedHost.of(host.input);
    if (templated === null) throw new Error('no template');
    const renderings = Array.from({ length: templated.fillings }, (_, filling) =>
      Array.from({ length: templated.ways }, (__, way) => templated.filled(way, filling)),
    ).flat();
    return { known, host, renderings, hosts: renderings.map(({ input }) => known.hostOf(input)) };
  };
  const count = (things: readonly unknown[]): number => new Set(things).size;
  /** How often a rule has to look at hosts, one after the other. */
  const looks = (known: KnownServers, hosts: readonly Host[], id: string): number => {
    const rule = BUILTIN_RULES.find(id);
    if (rule === undefined) throw new Error(`no rule ${id}`);
    let number = 0;
    for (const host of hosts) {
      known.foundBy(rule, host, () => {
        number++;
        return [];
      });
    }
    return number;
  };

  it('are read once for each of their texts, and each rule looks once at each', () => {
    const { known, renderings, hosts } = rendered(text);
    const texts = renderings.map(({ input: { postfix, dovecot } }) => [
      postfix?.main?.text,
      dovecot?.main.text,
    ]);
    const mains = count(texts.map(([main]) => main));
    const pairs = count(texts.map((both) => both.join('\0')));
    expect(mains).toBeGreaterThan(2);
    expect(pairs).toBeGreaterThan(mains);
    expect(count(hosts.map(({ postfix }) => postfix))).toBe(mains);
    expect(count(hosts.map(({ dovecot }) => dovecot))).toBe(2);
    expect(looks(known, hosts, 'postfix/server-protocols')).toBe(mains);
    // Of two servers only that is kept which each has in itself.
    expect(looks(known, hosts, 'cross/sasl-socket')).toBe(hosts.length);
    for (const [index, { postfix }] of hosts.entries())
      expect(postfix?.configuration.main?.source.text).toBe(texts[index]?.[0]);
  });

  it('are those of the host where no engine fills them', () => {
    const { known, host, hosts } = rendered({ ...text, 'main.cf': 'a = b\n' });
    expect(hosts.every(({ postfix }) => postfix === host.postfix)).toBe(true);
    expect(looks(known, [host, ...hosts], 'postfix/server-protocols')).toBe(1);
  });

  it('are judged apart where the other has other secrets, which are hidden in what is said of both', () => {
    const { known, renderings, hosts } = rendered(text);
    const secrets = renderings.map(
      ({ input }) => /static:me:(\S*)/.exec(input.postfix?.main?.text ?? '')?.[1],
    );
    const pairs = new Set(
      renderings.map(({ input }, index) => [input.dovecot?.main.text, secrets[index]].join('\0')),
    );
    const often = looks(known, hosts, 'dovecot/tls-off');
    expect(often).toBeGreaterThan(2);
    expect(often).toBeLessThanOrEqual(pairs.size);
  });
});
