/**
 * A Postfix whose log is read: smtpd, postscreen with tlsproxy, and smtp, with other ends of many kinds.
 */
import fs from 'node:fs';
import path from 'node:path';
import type tls from 'node:tls';
import {
  Ledger,
  LineClient,
  type Logged,
  type Sink,
  type SinkTls,
  type Suite,
  startSink,
  waitFor,
} from './log-traffic.ts';
import { inRoot, type Root } from './roots.ts';
import { freePort, makeCertificate, type RunningPostfix, startPostfix, surroundings } from './running.ts';
import { MAIL_SERVICES } from './smtp-session.ts';

/** Ports of services of smtpd(8): what the log calls them, and their settings. */
const SERVERS: Readonly<Record<string, readonly string[]>> = {
  smtpd: [],
  'submission/smtpd': ['syslog_name=postfix/submission', 'smtpd_sasl_auth_enable=yes'],
  'smtps/smtpd': ['syslog_name=postfix/smtps', 'smtpd_tls_wrappermode=yes', 'smtpd_sasl_auth_enable=yes'],
  'quiet/smtpd': ['syslog_name=postfix/quiet', 'smtpd_tls_loglevel=0'],
  'loud/smtpd': ['syslog_name=postfix/loud', 'smtpd_tls_loglevel=2'],
  'postfix-in/submission/smtpd': ['syslog_name=postfix-in/submission', 'smtpd_sasl_auth_enable=yes'],
  'old/smtpd': [
    'syslog_name=postfix/old',
    'smtpd_tls_protocols=!SSLv2,!SSLv3',
    'smtpd_tls_ciphers=low',
    'tls_low_cipherlist=ALL:@SECLEVEL=0',
  ],
  'submissions/quiet/smtpd': [
    'syslog_name=postfix/submissions/quiet',
    'smtpd_tls_wrappermode=yes',
    'smtpd_tls_loglevel=0',
  ],
  'asks/smtpd': ['syslog_name=postfix/asks', 'smtpd_tls_ask_ccert=yes'],
  'uncertified/smtpd': ['syslog_name=postfix/uncertified', 'smtpd_tls_cert_file='],
};

/** Clients of Postfix: what the log calls them, and their settings. */
const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  smtp: [],
  'required/smtp': ['syslog_name=postfix/required', 'smtp_tls_security_level=encrypt'],
  'quiet/smtp': ['syslog_name=postfix/quiet', 'smtp_tls_loglevel=0'],
  'verified/smtp': [
    'syslog_name=postfix/verified',
    'smtp_tls_security_level=verify',
    'smtp_tls_CAfile={FOLDER}/mail.crt',
    'smtp_tls_verify_cert_match=mail.example.org',
  ],
  'cached/smtp': ['syslog_name=postfix/cached', 'smtp_connection_cache_destinations=static:all'],
  'reuse/smtp': [
    'syslog_name=postfix/reuse',
    'smtp_connection_cache_destinations=static:all',
    'smtp_tls_connection_reuse=yes',
  ],
};

const TLS13: tls.ConnectionOptions = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' };
const TLS12: tls.ConnectionOptions = { maxVersion: 'TLSv1.2' };
const AES128: tls.ConnectionOptions = { ...TLS12, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' };
/** The server has an RSA key. */
const NO_SHARED: tls.ConnectionOptions = { ...TLS12, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };

/** Runs a Postfix through all kinds of sessions. */
export async function postfixTraffic(root: Root): Promise<Logged> {
  const folder = `/tmp/pfharden-logs-${process.pid}`;
  const outside = path.join(root.path, folder);
  fs.mkdirSync(outside, { recursive: true });
  makeCertificate(path.join(outside, 'mail.pem'));
  const pem = fs.readFileSync(path.join(outside, 'mail.pem'), 'utf8');
  fs.writeFileSync(path.join(outside, 'mail.crt'), pem.slice(pem.indexOf('-----BEGIN CERT')));
  const ports: Record<string, number> = {};
  for (const name of [...Object.keys(SERVERS), 'inject', 'postscreen']) ports[name] = await freePort();
  const port = (name: string): number => ports[name] ?? 0;
  const sinks: Record<string, Sink> = {};
  const kinds: Readonly<Record<string, SinkTls>> = {
    tls13: { key: pem, cert: pem, minVersion: 'TLSv1.3' },
    tls12: { key: pem, cert: pem, maxVersion: 'TLSv1.2' },
    clear: null,
    garbage: 'garbage',
    hangup: 'hangup',
  };
  for (const [name, kind] of Object.entries(kinds)) sinks[name] = await startSink(await freePort(), kind);
  const log = path.join(outside, 'mail.log');
  fs.writeFileSync(path.join(outside, 'main.cf'), mainText(root, folder, sinks));
  fs.writeFileSync(path.join(outside, 'master.cf'), masterText(ports).replaceAll('{FOLDER}', folder));
  let postfix: RunningPostfix | null = null;
  try {
    postfix = await startPostfix(root, folder, Object.values(ports));
    const ledger = new Ledger();
    await incoming(port, pem, ledger);
    await screened(port('postscreen'), ledger);
    const tellsLevel = inRoot(root, ['postconf', '-d', 'smtp_log_tls_feature_status']).stdout.includes('yes');
    const flush = (): void => {
      inRoot(root, ['postqueue', '-c', folder, '-f']);
    };
    await outgoing({ inject: port('inject'), sinks, log, flush, tellsLevel }, ledger);
    return { log: fs.readFileSync(log, 'latin1'), traffic: ledger.traffic() };
  } catch (error) {
    throw new Error(`${String(error)}\n${fs.existsSync(log) ? fs.readFileSync(log, 'latin1') : 'no log'}`, {
      cause: error,
    });
  } finally {
    await postfix?.stop();
    for (const sink of Object.values(sinks)) await sink.close();
  }
}

function mainText(root: Root, folder: string, sinks: Readonly<Record<string, Sink>>): string {
  const routes = Object.entries(sinks).flatMap(([name, { port }]) =>
    Object.keys(CLIENTS).map(
      (client) => `{${domain(client, name)} = ${transport(client)}:[0.0.0.0]:${port}}`,
    ),
  );
  const main = {
    ...surroundings(root, folder),
    compatibility_level: '2',
    inet_protocols: 'all',
    maillog_file_prefixes: '/tmp',
    maillog_file: `${folder}/mail.log`,
    mynetworks: '127.0.0.0/8, 198.51.100.0/24',
    mydestination: '',
    local_recipient_maps: '',
    // Postfix wants to see a word that refuses; nobody gets to it.
    smtpd_relay_restrictions: 'check_client_access static:ok, reject',
    transport_maps: `inline:{${routes.join(', ')}}`,
    default_transport: 'discard:',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: `${folder}/mail.pem`,
    smtpd_tls_loglevel: '1',
    smtpd_tls_protocols: '!SSLv2,!SSLv3,!TLSv1,!TLSv1.1',
    smtp_tls_security_level: 'may',
    smtp_tls_loglevel: '1',
    smtp_connection_cache_on_demand: 'no',
    smtp_connection_cache_time_limit: '20s',
    // A message is sent in the clear after a failure of TLS only when it is as old as that.
    minimal_backoff_time: '1s',
    queue_run_delay: '1000s',
    smtp_tls_session_cache_database: '',
    postscreen_cache_map: '',
    postscreen_greet_wait: '1s',
    postscreen_pipelining_enable: 'yes',
    postscreen_upstream_proxy_protocol: 'haproxy',
  };
  return Object.entries(main)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

function domain(client: string, sink: string): string {
  return `${client.replace(/\/?smtp$/, '') || 'usual'}-${sink}.example`;
}

function transport(client: string): string {
  return client.replaceAll('/', '-');
}

function masterText(ports: Readonly<Record<string, number>>): string {
  const server = (name: string, settings: readonly string[]): string[] => [
    `127.0.0.1:${ports[name]} inet n - n - - smtpd`,
    ...settings.map((setting) => `  -o ${setting}`),
  ];
  return [
    ...Object.entries(SERVERS).flatMap(([name, settings]) =>
      server(name, ['smtpd_upstream_proxy_protocol=haproxy', ...settings]),
    ),
    ...server('inject', []),
    `127.0.0.1:${ports.postscreen} inet n - n - 1 postscreen`,
    'smtpd pass - - n - - smtpd',
    'tlsproxy unix - - n - 0 tlsproxy',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    ...Object.entries(CLIENTS).flatMap(([name, settings]) => [
      `${transport(name)} unix - - n - 1 smtp`,
      ...settings.map((setting) => `  -o ${setting}`),
    ]),
    ...MAIL_SERVICES,
    '',
  ].join('\n');
}

/** What a client does when it is through to commands. */
type Doing = 'quit' | 'mail' | 'login' | 'hang up';

const SECRET = Buffer.from('\0somebody\0loopback').toString('base64');

async function talk(client: LineClient, doing: Doing): Promise<void> {
  if (doing === 'hang up') return client.close();
  if (doing === 'login') await client.smtp(`AUTH PLAIN ${SECRET}`);
  if (doing !== 'quit') {
    await client.smtp('MAIL FROM:<sender@example.com>');
    await client.smtp('RCPT TO:<someone@discarded.example>');
    await client.smtp('DATA');
    await client.smtp('Subject: test\r\n\r\ntext\r\n.');
  }
  await client.smtp('QUIT');
  await client.close();
}

async function incoming(port: (name: string) => number, pem: string, ledger: Ledger): Promise<void> {
  const begin = async (service: string, from: string): Promise<LineClient> => {
    const client = await LineClient.open(port(service), from);
    await client.smtp();
    await client.smtp('EHLO client.example.com');
    return client;
  };
  const starttls = async (
    service: string,
    from: string,
    options: tls.ConnectionOptions,
  ): Promise<[LineClient, Suite | null]> => {
    if (/smtps|submissions/.test(service)) {
      const client = await LineClient.open(port(service), from);
      const suite = await client.secure(options);
      if (suite !== null) await client.smtp();
      return [client, suite];
    }
    const client = await begin(service, from);
    await client.smtp('STARTTLS');
    return [client, await client.secure(options)];
  };
  const secure = async (
    service: string,
    from: string,
    options: tls.ConnectionOptions,
    doing: Doing,
  ): Promise<void> => {
    const [client, suite] = await starttls(service, from, options);
    if (suite === null) throw new Error(`${service}: no TLS for ${JSON.stringify(options)}`);
    ledger.add('sessions', { direction: 'in', service, ...suite }, from);
    if (doing !== 'hang up') await client.smtp('EHLO client.example.com');
    await talk(client, doing);
  };
  const clear = async (service: string, from: string, doing: Doing): Promise<void> => {
    const client = await begin(service, from);
    await talk(client, doing);
    if (doing === 'mail' || doing === 'login') ledger.add('plaintext', { direction: 'in', service }, from);
  };
  const refused = async (
    service: string,
    from: string,
    options: tls.ConnectionOptions,
    reason: string,
  ): Promise<void> => {
    const [client, suite] = await starttls(service, from, options);
    if (suite !== null) throw new Error(`${service}: TLS for ${JSON.stringify(options)}`);
    ledger.add('refused', { direction: 'in', service, reason }, from);
    await client.close();
  };
  const without = async (service: string, from: string, bytes: string, reason: string): Promise<void> => {
    const client = await begin(service, from);
    await client.smtp('STARTTLS');
    if (bytes !== '') client.send(bytes);
    await client.close();
    ledger.add('refused', { direction: 'in', service, reason }, from);
  };
  await secure('smtpd', '192.0.2.1', TLS13, 'mail');
  await secure('smtpd', '192.0.2.1', TLS13, 'quit');
  await secure('smtpd', '192.0.2.2', { ...TLS13, ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }, 'mail');
  await secure('smtpd', '2001:db8::1', AES128, 'mail');
  await secure('smtpd', '192.0.2.2', AES128, 'hang up');
  await secure('smtpd', '192.0.2.2', { ...TLS12, servername: 'mx.example.org' }, 'mail');
  await clear('smtpd', '192.0.2.3', 'mail');
  await clear('smtpd', '2001:db8::3', 'mail');
  await clear('smtpd', '192.0.2.4', 'quit');
  await clear('smtpd', '192.0.2.4', 'hang up');
  // A filter of the host's own.
  await talk(await begin('smtpd', '127.0.0.1'), 'mail');
  await refused(
    'smtpd',
    '192.0.2.5',
    { maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' },
    'unsupported protocol',
  );
  await refused('smtpd', '192.0.2.6', NO_SHARED, 'no shared cipher');
  await without('smtpd', '192.0.2.9', 'MAIL FROM:<sender@example.com>\r\n', 'wrong version number');
  await without('smtpd', '192.0.2.10', '', 'lost connection');
  for (const service of ['submission/smtpd', 'postfix-in/submission/smtpd', 'smtps/smtpd', 'loud/smtpd']) {
    await secure(service, '192.0.2.7', TLS13, service.startsWith('loud') ? 'mail' : 'login');
    await refused(service, '192.0.2.6', NO_SHARED, 'no shared cipher');
  }
  await clear('submission/smtpd', '192.0.2.7', 'login');
  await secure('old/smtpd', '192.0.2.8', { maxVersion: 'TLSv1', ciphers: 'AES128-SHA:@SECLEVEL=0' }, 'mail');
  await secure(
    'old/smtpd',
    '192.0.2.8',
    { maxVersion: 'TLSv1.1', ciphers: 'AES128-SHA:@SECLEVEL=0' },
    'mail',
  );
  await secure('asks/smtpd', '192.0.2.8', { ...TLS13, key: pem, cert: pem }, 'mail');
  await secure('asks/smtpd', '192.0.2.8', TLS13, 'mail');
  for (const service of ['quiet/smtpd', 'submissions/quiet/smtpd']) {
    const [client] = await starttls(service, '192.0.2.1', TLS13);
    ledger.add('sessions', { direction: 'in', service, protocol: null, cipher: null }, '192.0.2.1');
    await client.smtp('EHLO client.example.com');
    await talk(client, 'mail');
  }
  await refused('quiet/smtpd', '192.0.2.6', NO_SHARED, 'no shared cipher');
  await clear('quiet/smtpd', '192.0.2.3', 'mail');
  for (const doing of ['mail', 'quit'] as const) {
    const client = await begin('uncertified/smtpd', '192.0.2.1');
    await client.smtp('STARTTLS');
    await talk(client, doing);
  }
  ledger.add('plaintext', { direction: 'in', service: 'uncertified/smtpd' }, '192.0.2.1');
  ledger.add('refused', { direction: 'in', service: 'uncertified/smtpd', reason: 'not told' }, '192.0.2.1');
}

/** Sessions with postscreen(8), which talks itself to those who are new, and hands the others to smtpd(8). */
async function screened(port: number, ledger: Ledger): Promise<void> {
  const strangers: readonly [string, tls.ConnectionOptions | null][] = [
    ['192.0.2.11', TLS13],
    ['192.0.2.12', AES128],
    ['2001:db8::11', TLS13],
    ['192.0.2.13', NO_SHARED],
    ['192.0.2.14', null],
  ];
  await Promise.all(
    strangers.map(async ([from, options]) => {
      const client = await LineClient.open(port, from);
      await client.smtp();
      await client.smtp('EHLO client.example.com');
      if (options !== null) {
        await client.smtp('STARTTLS');
        const suite = await client.secure(options);
        const kind = { direction: 'in', service: 'tlsproxy' } as const;
        if (suite === null) ledger.add('refused', { ...kind, reason: 'no shared cipher' }, from);
        else {
          ledger.add('sessions', { ...kind, ...suite }, from);
          await client.smtp('EHLO client.example.com');
        }
      }
      await client.smtp('MAIL FROM:<sender@example.com>');
      await client.smtp('RCPT TO:<someone@discarded.example>');
      await client.smtp('QUIT');
      await client.close();
    }),
  );
  const known = await LineClient.open(port, '198.51.100.1');
  await known.smtp();
  await known.smtp('EHLO client.example.com');
  await known.smtp('STARTTLS');
  const suite = await known.secure(TLS13);
  if (suite === null) throw new Error('postscreen handed nobody over');
  ledger.add('sessions', { direction: 'in', service: 'smtpd', ...suite }, '198.51.100.1');
  await known.smtp('EHLO client.example.com');
  await talk(known, 'mail');
}

/** Messages that Postfix sends to servers of the other side. */
async function outgoing(
  {
    inject,
    sinks,
    log,
    flush,
    tellsLevel,
  }: {
    readonly inject: number;
    readonly sinks: Readonly<Record<string, Sink>>;
    readonly log: string;
    readonly flush: () => void;
    /** The line of a delivery says what level of TLS it had. */
    readonly tellsLevel: boolean;
  },
  ledger: Ledger,
): Promise<void> {
  const PEER = '0.0.0.0';
  let told = 0;
  const deliver = async (
    client: string,
    sink: string,
    recipients = 1,
  ): Promise<readonly (Suite | null)[]> => {
    const before = sinks[sink]?.connections.length ?? 0;
    const session = await LineClient.open(inject, null);
    await session.smtp();
    await session.smtp('EHLO client.example.com');
    await session.smtp('MAIL FROM:<sender@example.com>');
    for (let index = 0; index < recipients; index++)
      await session.smtp(`RCPT TO:<user${index}@${domain(client, sink)}>`);
    await session.smtp('DATA');
    await session.smtp('Subject: test\r\n\r\ntext\r\n.');
    await session.smtp('QUIT');
    await session.close();
    told += recipients;
    await waitFor(log, /smtp\[\d+\]: [0-9A-Za-z]+: to=.* status=/g, told);
    return sinks[sink]?.connections.slice(before) ?? [];
  };
  const out = (service: string) => ({ direction: 'out', service }) as const;
  const secure = async (client: string, sink: string, recipients = 1): Promise<void> => {
    const [suite] = await deliver(client, sink, recipients);
    if (suite === null || suite === undefined) throw new Error(`${client}: no TLS with ${sink}`);
    ledger.add('sessions', { ...out(client), ...suite }, PEER);
  };
  const clear = async (client: string, sink: string): Promise<void> => {
    await deliver(client, sink);
    ledger.add('plaintext', out(client), PEER);
  };
  await secure('smtp', 'tls13');
  await secure('smtp', 'tls13', 2);
  await secure('smtp', 'tls12');
  await clear('smtp', 'clear');
  await deliver('smtp', 'garbage');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  flush();
  await waitFor(log, /smtp\[\d+\]: [0-9A-Za-z]+: to=.* status=/g, ++told);
  for (let attempt = 0; attempt < 2; attempt++)
    ledger.add('refused', { ...out('smtp'), reason: 'wrong version number' }, PEER);
  ledger.add('plaintext', out('smtp'), PEER);
  await secure('verified/smtp', 'tls13');
  await secure('required/smtp', 'tls13');
  await deliver('required/smtp', 'clear');
  ledger.add('refused', { ...out('required/smtp'), reason: 'TLS is required, but was not offered' }, PEER);
  await deliver('required/smtp', 'garbage');
  ledger.add('refused', { ...out('required/smtp'), reason: 'wrong version number' }, PEER);
  await deliver('required/smtp', 'hangup');
  ledger.add('refused', { ...out('required/smtp'), reason: 'lost connection' }, PEER);
  for (const client of ['cached/smtp', 'reuse/smtp'])
    for (const sink of ['tls13', 'clear'])
      for (let message = 0; message < 3; message++)
        for (const suite of await deliver(client, sink)) {
          if (suite !== null) ledger.add('sessions', { ...out(client), ...suite }, PEER);
          else ledger.add('plaintext', out(client), PEER);
        }
  // tlsproxy(8) shakes hands for smtp(8), and only it tells of failures.
  await deliver('reuse/smtp', 'garbage');
  ledger.add('refused', { ...out('tlsproxy'), reason: 'wrong version number' }, PEER);
  await deliver('reuse/smtp', 'hangup');
  ledger.add('refused', { ...out('tlsproxy'), reason: 'not told' }, PEER);
  await deliver('quiet/smtp', 'tls13');
  await deliver('quiet/smtp', 'clear');
  if (tellsLevel) {
    ledger.add('sessions', { ...out('quiet/smtp'), protocol: null, cipher: null }, PEER);
    ledger.add('plaintext', out('quiet/smtp'), PEER);
  } else for (let message = 0; message < 2; message++) ledger.add('untold', out('quiet/smtp'), PEER);
}
