/**
 * A real server runs with loose settings while clients of many kinds talk to it. From its log it is foretold what
 * becomes of each of them when the server is hardened; then it is, and the same clients come again.
 */
import fs from 'node:fs';
import path from 'node:path';
import type tls from 'node:tls';
import { proposeFixes } from '../../src/fix/fix.ts';
import { buildHost, type HostInput, hostSources } from '../../src/hosts/host.ts';
import { hostInputFromTexts } from '../../src/hosts/texts.ts';
import { impactOf } from '../../src/logs/impact/impact.ts';
import { placesOf } from '../../src/logs/impact/places.ts';
import type { Verdict } from '../../src/logs/impact/verdict.ts';
import { changedProfile, type Profile } from '../../src/rules/profile.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { surroundings as dovecotSurroundings, isOld, PASSWORD } from '../support/dovecot-text.ts';
import { readCounts } from '../support/log.ts';
import { LineClient, type Sink, type Suite, startSink, waitFor } from './log-traffic.ts';
import { type Root, roots } from './roots.ts';
import { freePort, makeCertificate, startPostfix, surroundings } from './running.ts';
import { makeHome, makeKeyPair, startDovecot } from './running-dovecot.ts';
import { MAIL_SERVICES } from './smtp-session.ts';

const full = process.env.PFHARDEN_FULL !== undefined;
const chosen = (): readonly Root[] =>
  roots().filter((_, index, { length }) => full || index === 0 || index === length - 1);

/** As tight as strict, but users may have TLSv1.2: so it is the suites that decide. */
const SUITES = changedProfile(builtinProfile('strict'), [
  {
    severity: {},
    thresholds: {
      lowestProtocol: { submission: 'TLSv1.2', submissions: 'TLSv1.2', imap: 'TLSv1.2', imaps: 'TLSv1.2' },
      forbiddenCiphers: { server: ['aNULL', 'kRSA'] },
    },
    from: 'suites',
  },
]);
/** With verdicts that are to be among those that are given: what is foretold of nobody is not tested. */
const PROFILES: readonly { readonly profile: Profile; readonly verdicts: readonly Verdict[] }[] = [
  { profile: builtinProfile('strict'), verdicts: ['lost', 'unaffected'] },
  { profile: SUITES, verdicts: ['lost', 'risk', 'another', 'unaffected'] },
];

/** How the addresses of the servers begin that Postfix sends to, and how those do that they have in the log. */
const SINKS = '127.0.1.';
const ELSEWHERE = '203.0.113.';

/** What programs of other people can do. */
const KINDS: Readonly<Record<string, tls.ConnectionOptions | null>> = {
  usual: {},
  'TLSv1.3 alone': { minVersion: 'TLSv1.3' },
  'TLSv1.3 with one suite': { minVersion: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' },
  'up to TLSv1.2': { maxVersion: 'TLSv1.2' },
  'GCM alone': { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
  'RSA and CBC alone': { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' },
  'CBC before GCM': { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384' },
  'Camellia before GCM': { maxVersion: 'TLSv1.2', ciphers: 'CAMELLIA128-SHA:ECDHE-RSA-AES128-GCM-SHA256' },
  anonymous: { maxVersion: 'TLSv1.2', ciphers: 'ADH-AES256-GCM-SHA384:@SECLEVEL=0' },
  'up to TLSv1.1': { maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
  'TLSv1 alone': { maxVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' },
  clear: null,
};

let compared = 0;
afterAll(() => {
  console.log(`${compared} fates foretold`);
});

/** What a client got: TLS or none, and whether the server took what it wanted. */
interface Fate {
  readonly suite: string | null;
  readonly taken: boolean;
}

/** A client, by the name or address by which the log knows it. */
interface Visitor {
  readonly who: string;
  readonly service: string;
  readonly visit: () => Promise<Fate>;
}

const shown = (suite: Suite | null): string | null =>
  suite === null ? null : `${suite.protocol} ${suite.cipher}`;

/** What a verdict promises. */
function keeps(verdict: Verdict, before: Fate, after: Fate): boolean {
  if (verdict === 'lost') return after.suite === null || !after.taken;
  if (verdict === 'another') return after.suite !== null && after.taken;
  return verdict !== 'unaffected' || (after.suite === before.suite && after.taken === before.taken);
}

/** Each client and server of the other side with its verdict, by `SERVICE WHO`. */
function foretold(log: string, before: HostInput, after: HostInput): ReadonlyMap<string, Verdict> {
  // Of servers on the machine itself no domains are kept.
  const counts = readCounts(log.replaceAll(SINKS, ELSEWHERE), { details: true });
  const places = placesOf([{ before: buildHost(before), after: buildHost(after) }]);
  const verdicts = new Map<string, Verdict>();
  const impact = impactOf(counts, places);
  expect(impact.unknownServices).toEqual([]);
  expect(impact.foreign).toBe(0);
  for (const row of counts.rows) verdicts.set(`${row.service} *`, 'unaffected');
  for (const { kind, concerned } of impact.kinds)
    for (const { name, addresses, shares } of concerned)
      for (const { service, verdict } of shares)
        verdicts.set(`${service} ${kind === 'users' ? name : addresses[0]}`, verdict);
  return verdicts;
}

/** Holds what was foretold against what came. @returns the verdicts that were given */
function compare(
  verdicts: ReadonlyMap<string, Verdict>,
  visitors: readonly Visitor[],
  before: readonly Fate[],
  after: readonly Fate[],
): ReadonlySet<Verdict> {
  const given = new Set<Verdict>();
  const wrong = visitors.flatMap(({ who, service }, index) => {
    const then = before[index];
    const now = after[index];
    if (then === undefined || now === undefined || (then.suite === null && !then.taken)) return [];
    const verdict = verdicts.get(`${service} ${who}`) ?? verdicts.get(`${service} *`);
    if (verdict === undefined) return [`${service} ${who}: not in the log`];
    compared++;
    given.add(verdict);
    return keeps(verdict, then, now)
      ? []
      : [`${service} ${who}: ${verdict}, and ${JSON.stringify(then)} became ${JSON.stringify(now)}`];
  });
  expect(wrong).toEqual([]);
  return given;
}

/** Visits one after the other, but those that have to wait all at once. */
async function all(visitors: readonly Visitor[]): Promise<readonly Fate[]> {
  const waiting = visitors.map(({ service, visit }) => (service === SCREENED ? visit() : null));
  const fates: Fate[] = [];
  for (const [index, { visit }] of visitors.entries()) fates.push(await (waiting[index] ?? visit()));
  return fates;
}

const textOf = (input: HostInput, file: string): string =>
  hostSources(input).find(({ path: name }) => name === file)?.text ?? '';

describe.each(chosen().map((root) => ({ name: root.release, root })))('$name', ({ root }) => {
  test('Postfix', async () => {
    const server = await PostfixWithPeers.of(root);
    try {
      const first = await server.run(server.input);
      for (const { profile, verdicts: some } of PROFILES) {
        const after = proposeFixes(server.input, BUILTIN_RULES, profile).after.input;
        const verdicts = foretold(first.log, server.input, after);
        const given = compare(verdicts, server.visitors, first.fates, (await server.run(after)).fates);
        expect([...given]).toEqual(expect.arrayContaining([...some]));
      }
    } finally {
      await server.close();
    }
  });

  test('Dovecot', async () => {
    const ports = { imap: await freePort(), imaps: await freePort() };
    const visitors = Object.entries(ports).flatMap(([name, port]) =>
      Object.entries(KINDS).map(([, options], index): Visitor => {
        const who = `${name}-user${index}`;
        const from = `192.0.2.${index + 1}`;
        return { who, service: 'imap-login', visit: () => logIn(port, name === 'imaps', from, who, options) };
      }),
    );
    const home = makeHome(root);
    makeKeyPair(root, home, 'mail', 'rsa');
    const keys = ['mail.crt', 'mail.key'].map((name): [string, Buffer] => [
      name,
      fs.readFileSync(path.join(home.outside, name)),
    ]);
    const run = async (input: HostInput): Promise<{ fates: readonly Fate[]; log: string }> => {
      fs.mkdirSync(home.outside, { recursive: true });
      for (const [name, content] of keys) fs.writeFileSync(path.join(home.outside, name), content);
      fs.writeFileSync(path.join(home.outside, 'dovecot.conf'), textOf(input, 'dovecot.conf'));
      const dovecot = await startDovecot(root, home, Object.values(ports));
      try {
        if (dovecot.failed) throw new Error(`it did not start:\n${dovecot.log()}`);
        const fates = await all(visitors);
        return { fates, log: dovecot.log() };
      } finally {
        await dovecot.stop();
      }
    };
    const input = hostInputFromTexts(
      { 'dovecot.conf': dovecotText(root, home.inside, ports) },
      { dovecot: root.dovecot, openssl: root.openssl },
    );
    const first = await run(input);
    for (const { profile } of PROFILES) {
      const after = proposeFixes(input, BUILTIN_RULES, profile).after.input;
      const verdicts = foretold(first.log, input, after);
      const given = compare(verdicts, visitors, first.fates, (await run(after)).fates);
      expect([...given]).toEqual(expect.arrayContaining(['lost', 'unaffected']));
    }
  });
});

function dovecotText(
  { dovecot }: Root,
  folder: string,
  ports: { readonly imap: number; readonly imaps: number },
): string {
  const old = isOld(dovecot);
  return [
    dovecotSurroundings(dovecot, folder),
    old ? 'protocols = imap' : 'protocols {\n  imap = yes\n}',
    'listen = 127.0.0.1',
    'haproxy_trusted_networks = 127.0.0.0/8',
    'ssl = yes',
    'ssl_min_protocol = TLSv1',
    'ssl_cipher_list = ALL:!EXPORT:@SECLEVEL=0',
    old ? `ssl_cert = <${folder}/mail.crt` : `ssl_server_cert_file = ${folder}/mail.crt`,
    old ? `ssl_key = <${folder}/mail.key` : `ssl_server_key_file = ${folder}/mail.key`,
    old ? 'disable_plaintext_auth = no' : 'auth_allow_cleartext = yes',
    old
      ? 'login_log_format_elements = user=<%u> method=%m rip=%r lip=%l mpid=%e %c %k session=<%{session}>'
      : 'login_log_format_elements = user=<%{user}> method=%{mechanism} rip=%{remote_ip} lip=%{local_ip} mpid=%{mail_pid} %{secured} %{ssl_security} session=<%{session}>',
    'service imap-login {',
    ...Object.entries(ports).flatMap(([name, port]) => [
      `  inet_listener ${name} {`,
      `    port = ${port}`,
      '    haproxy = yes',
      `    ssl = ${name === 'imaps' ? 'yes' : 'no'}`,
      '  }',
    ]),
    '}',
    '',
  ].join('\n');
}

/** A client of imap-login logs in. */
async function logIn(
  port: number,
  implicit: boolean,
  from: string,
  user: string,
  options: tls.ConnectionOptions | null,
): Promise<Fate> {
  const client = await LineClient.open(port, from);
  let suite: Suite | null = null;
  if (implicit) {
    suite = options === null ? null : await client.secure(options);
    if (suite === null) {
      await client.close();
      return { suite: null, taken: false };
    }
  }
  await client.until(/\n/);
  if (options !== null && !implicit) {
    client.send('t STARTTLS\r\n');
    await client.until(/\n/);
    suite = await client.secure(options);
    if (suite === null) return { suite: null, taken: false };
  }
  client.send(`l LOGIN ${user} ${PASSWORD}\r\n`);
  const answer = await client.until(/^l [^\n]*\n/m);
  client.send('o LOGOUT\r\n');
  await client.until(/^o [^\n]*\n/m);
  await client.close();
  return { suite: shown(suite), taken: /^l OK/m.test(answer) };
}

/** A Postfix for which everything is the same but its settings. */
class PostfixWithPeers {
  readonly visitors: readonly Visitor[];
  readonly input: HostInput;
  readonly #root: Root;
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #sinks: readonly Sink[];

  static async of(root: Root): Promise<PostfixWithPeers> {
    const folder = `/tmp/pfharden-impact-${process.pid}`;
    const names = [...Object.keys(SERVERS), SCREENED, 'inject'];
    const ports: Record<string, number> = {};
    for (const name of names) ports[name] = await freePort();
    const pem = path.join(root.path, folder);
    fs.mkdirSync(pem, { recursive: true });
    makeCertificate(path.join(pem, 'mail.pem'));
    const key = fs.readFileSync(path.join(pem, 'mail.pem'), 'utf8');
    const sinks: Record<string, Sink> = {};
    for (const [name, options] of Object.entries(KINDS)) {
      const { ciphers, ...range } = options ?? {};
      sinks[name] = await startSink(
        await freePort(),
        options === null
          ? null
          : { minVersion: 'TLSv1', ...range, key, cert: key, ciphers: ciphers ?? 'DEFAULT:@SECLEVEL=0' },
      );
    }
    return new PostfixWithPeers(root, folder, ports, sinks);
  }

  private constructor(
    root: Root,
    folder: string,
    ports: Readonly<Record<string, number>>,
    sinks: Readonly<Record<string, Sink>>,
  ) {
    this.#root = root;
    this.#folder = folder;
    this.#ports = Object.values(ports);
    this.#sinks = Object.values(sinks);
    const routes = Object.values(sinks).map(
      ({ port }, index) => `{kind${index}.example = smtp:[${SINKS}${index + 1}]:${port}}`,
    );
    // Its own policy spares one of those that a stricter list would lose.
    const spared = Object.keys(KINDS).indexOf('up to TLSv1.1');
    const nexthop = `[${SINKS}${spared + 1}]:${Object.values(sinks)[spared]?.port}`;
    const main = {
      ...surroundings(root, folder),
      smtp_tls_policy_maps: `inline:{{${nexthop} = may protocols=!SSLv2:!SSLv3}}`,
      inet_interfaces: 'all',
      compatibility_level: '2',
      maillog_file_prefixes: '/tmp',
      maillog_file: `${folder}/mail.log`,
      mydestination: '',
      local_recipient_maps: '',
      mynetworks: '127.0.0.0/8',
      smtpd_relay_restrictions: 'permit_mynetworks, permit_sasl_authenticated, reject',
      transport_maps: `inline:{{discarded.example = discard:}, ${routes.join(', ')}}`,
      postscreen_cache_map: '',
      postscreen_access_list: '',
      postscreen_greet_wait: '1s',
      postscreen_bare_newline_enable: 'yes',
      smtpd_tls_security_level: 'may',
      smtpd_tls_cert_file: `${folder}/mail.pem`,
      smtpd_tls_loglevel: '1',
      smtpd_tls_protocols: '!SSLv2,!SSLv3',
      smtpd_tls_mandatory_protocols: '!SSLv2,!SSLv3',
      smtpd_tls_mandatory_ciphers: 'low',
      smtp_tls_security_level: 'may',
      smtp_tls_protocols: '!SSLv2,!SSLv3',
      smtp_tls_loglevel: '1',
      smtp_connection_cache_on_demand: 'no',
      // After a failure of TLS nothing is sent in the clear before the message is a second old.
      minimal_backoff_time: '1s',
      queue_run_delay: '1000s',
    };
    const service = (name: string, settings: readonly string[]): string[] => [
      `0.0.0.0:${ports[name]} inet n - n - - smtpd`,
      ...settings.map((setting) => `  -o ${setting}`),
    ];
    const master = [
      ...Object.entries(SERVERS).flatMap(([name, settings]) =>
        service(name, ['smtpd_upstream_proxy_protocol=haproxy', ...settings]),
      ),
      ...service('inject', ['syslog_name=postfix/inject']),
      // Nobody passes its tests at once: who is tested further speaks to postscreen itself, and tlsproxy makes its TLS.
      `0.0.0.0:${ports[SCREENED]} inet n - n - 1 postscreen`,
      '  -o postscreen_upstream_proxy_protocol=haproxy',
      'smtpd pass - - n - - smtpd',
      'tlsproxy unix - - n - 0 tlsproxy',
      'tlsmgr unix - - n 1000? 1 tlsmgr',
      'postlog unix-dgram n - n - 1 postlogd',
      'error unix - - n - - error',
      'retry unix - - n - - error',
      'smtp unix - - n - 1 smtp',
      ...MAIL_SERVICES,
      '',
    ];
    this.input = hostInputFromTexts(
      {
        'main.cf': Object.entries(main)
          .map(([name, value]) => `${name} = ${value}\n`)
          .join(''),
        'master.cf': master.join('\n'),
      },
      { postfix: root.postfix, openssl: root.openssl },
    );
    this.visitors = [
      ...Object.keys(SERVERS).flatMap((name, at) =>
        Object.keys(KINDS).map((kind, index): Visitor => {
          const from = `192.0.2.${index + 1}`;
          const user = /^(?:submission|smtps|lax|ordered)\//.test(name);
          const who = `user${at}-${index}`;
          return {
            who: user ? who : from,
            service: name,
            visit: () => bring(ports[name] ?? 0, name, from, user ? who : null, KINDS[kind] ?? null),
          };
        }),
      ),
      ...Object.values(KINDS).map((options, index): Visitor => {
        const from = `198.51.100.${index + 1}`;
        return {
          who: from,
          service: SCREENED,
          visit: () => bring(ports[SCREENED] ?? 0, SCREENED, from, null, options),
        };
      }),
      ...Object.values(sinks).map(
        (sink, index): Visitor => ({
          who: `${ELSEWHERE}${index + 1}`,
          service: 'smtp',
          visit: () => this.#take(ports.inject ?? 0, `kind${index}.example`, sink),
        }),
      ),
    ];
  }

  /** Everybody comes to a server with these settings. */
  async run(input: HostInput): Promise<{ readonly fates: readonly Fate[]; readonly log: string }> {
    const outside = path.join(this.#root.path, this.#folder);
    fs.mkdirSync(outside, { recursive: true });
    makeCertificate(path.join(outside, 'mail.pem'));
    for (const file of ['main.cf', 'master.cf'])
      fs.writeFileSync(path.join(outside, file), textOf(input, file));
    const postfix = await startPostfix(this.#root, this.#folder, this.#ports);
    try {
      const fates = await all(this.visitors);
      return { fates, log: fs.readFileSync(path.join(outside, 'mail.log'), 'latin1') };
    } finally {
      await postfix.stop();
    }
  }

  async close(): Promise<void> {
    for (const sink of this.#sinks) await sink.close();
    fs.rmSync(path.join(this.#root.path, this.#folder), { recursive: true, force: true });
  }

  /** Postfix sends a message to a server of the other side. */
  async #take(port: number, domain: string, sink: Sink): Promise<Fate> {
    const log = path.join(this.#root.path, this.#folder, 'mail.log');
    const told = (await waitFor(log, /status=/g, 0)).match(/smtp\[\d+\]: \w+: to=.* status=/g)?.length ?? 0;
    const before = sink.connections.length;
    const client = await LineClient.open(port, null);
    await client.smtp();
    for (const command of [
      'EHLO client.example.com',
      'MAIL FROM:<sender@example.com>',
      `RCPT TO:<x@${domain}>`,
      'DATA',
      'Subject: test\r\n\r\ntext\r\n.',
      'QUIT',
    ])
      await client.smtp(command);
    await client.close();
    await waitFor(log, /smtp\[\d+\]: \w+: to=.* status=/g, told + 1);
    const suites = sink.connections.slice(before).map(shown);
    return { suite: suites.find((suite) => suite !== null) ?? null, taken: suites.length > 0 };
  }
}

/** What the log calls the ports, and their settings. */
const SERVERS: Readonly<Record<string, readonly string[]>> = {
  smtpd: [],
  'first/smtpd': ['syslog_name=postfix/first', 'tls_preempt_cipherlist=yes'],
  'submission/smtpd': [
    'syslog_name=postfix/submission',
    'smtpd_sasl_auth_enable=yes',
    'smtpd_tls_security_level=encrypt',
  ],
  'ordered/submission/smtpd': [
    'syslog_name=postfix/ordered/submission',
    'smtpd_sasl_auth_enable=yes',
    'smtpd_tls_security_level=encrypt',
    'tls_preempt_cipherlist=yes',
  ],
  'smtps/smtpd': ['syslog_name=postfix/smtps', 'smtpd_sasl_auth_enable=yes', 'smtpd_tls_wrappermode=yes'],
  'lax/smtpd': ['syslog_name=postfix/lax', 'smtpd_sasl_auth_enable=yes'],
};

/** Who speaks for postscreen(8), which lets each client wait before it greets. */
const SCREENED = 'tlsproxy';

/** A client of smtpd(8) brings mail; with a user it logs in before. */
async function bring(
  port: number,
  service: string,
  from: string,
  user: string | null,
  options: tls.ConnectionOptions | null,
): Promise<Fate> {
  const client = await LineClient.open(port, from);
  const implicit = service.startsWith('smtps');
  let suite: Suite | null = null;
  if (implicit) suite = options === null ? null : await client.secure(options);
  if (implicit && suite === null) {
    await client.close();
    return { suite: null, taken: false };
  }
  await client.smtp();
  await client.smtp('EHLO client.example.com');
  if (options !== null && !implicit) {
    await client.smtp('STARTTLS');
    suite = await client.secure(options);
    if (suite === null) return { suite: null, taken: false };
    await client.smtp('EHLO client.example.com');
  }
  const secret = Buffer.from(`\0${user}\0${PASSWORD}`).toString('base64');
  const login = user === null ? '235' : await client.smtp(`AUTH PLAIN ${secret}`);
  const mail = await client.smtp('MAIL FROM:<sender@example.com>');
  if (user !== null) {
    await client.smtp('RCPT TO:<x@discarded.example>');
    await client.smtp('DATA');
    await client.smtp('Subject: test\r\n\r\ntext\r\n.');
  }
  await client.smtp('QUIT');
  await client.close();
  return { suite: shown(suite), taken: login.startsWith('235') && mail.startsWith('250') };
}
