/**
 * A Dovecot whose log is read: clients log in, with TLS and without, and some do not get through.
 */
import fs from 'node:fs';
import path from 'node:path';
import type tls from 'node:tls';
import { isOld, PASSWORD, surroundings, USER } from '../support/dovecot-text.ts';
import { Ledger, LineClient, type Logged, type Suite, waitFor } from './log-traffic.ts';
import type { Root } from './roots.ts';
import { freePort } from './running.ts';
import { makeHome, makeKeyPair, startDovecot } from './running-dovecot.ts';

const TLS13: tls.ConnectionOptions = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' };
const AES128: tls.ConnectionOptions = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' };
/** The server has an RSA key. */
const NO_SHARED: tls.ConnectionOptions = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };
const OLD: tls.ConnectionOptions = { maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' };

type Listener = 'imap' | 'imaps' | 'pop3' | 'pop3s';

/**
 * Runs a Dovecot through all kinds of sessions.
 *
 * @param suites the log format names the suite, which it does not by itself
 */
export async function dovecotTraffic(root: Root, suites: boolean): Promise<Logged> {
  const home = makeHome(root);
  makeKeyPair(root, home, 'mail', 'rsa');
  const ports = {
    imap: await freePort(),
    imaps: await freePort(),
    pop3: await freePort(),
    pop3s: await freePort(),
  };
  fs.writeFileSync(path.join(home.outside, 'dovecot.conf'), configuration(root, home.inside, ports, suites));
  const dovecot = await startDovecot(root, home, Object.values(ports));
  try {
    if (dovecot.failed) throw new Error('it did not start');
    const ledger = new Ledger();
    const ends = await talk(ports, suites, ledger);
    await waitFor(path.join(home.outside, 'log'), /-login: Info: .*rip=192\.0\.2\./g, ends);
    return { log: dovecot.log(), traffic: ledger.traffic() };
  } catch (error) {
    throw new Error(`${String(error)}\n${dovecot.log()}`, { cause: error });
  } finally {
    await dovecot.stop();
  }
}

function configuration(
  { dovecot }: Root,
  folder: string,
  ports: Readonly<Record<Listener, number>>,
  suites: boolean,
): string {
  const old = isOld(dovecot);
  const format = old
    ? 'user=<%u> method=%m rip=%r lip=%l mpid=%e %c %k session=<%{session}>'
    : 'user=<%{user}> method=%{mechanism} rip=%{remote_ip} lip=%{local_ip} mpid=%{mail_pid} %{secured} %{ssl_security} session=<%{session}>';
  const service = (protocol: 'imap' | 'pop3'): string[] => [
    `service ${protocol}-login {`,
    ...([protocol, `${protocol}s`] as const).flatMap((name) => [
      `  inet_listener ${name} {`,
      `    port = ${ports[name]}`,
      '    haproxy = yes',
      `    ssl = ${name.endsWith('s') ? 'yes' : 'no'}`,
      '  }',
    ]),
    '}',
  ];
  return [
    surroundings(dovecot, folder),
    old ? 'protocols = imap pop3' : 'protocols {\n  imap = yes\n  pop3 = yes\n}',
    'listen = 127.0.0.1',
    'haproxy_trusted_networks = 127.0.0.0/8',
    'ssl = yes',
    'ssl_min_protocol = TLSv1.2',
    old ? `ssl_cert = <${folder}/mail.crt` : `ssl_server_cert_file = ${folder}/mail.crt`,
    old ? `ssl_key = <${folder}/mail.key` : `ssl_server_key_file = ${folder}/mail.key`,
    old ? 'disable_plaintext_auth = no' : 'auth_allow_cleartext = yes',
    ...(suites ? [`login_log_format_elements = ${format}`] : []),
    ...service('imap'),
    ...service('pop3'),
    '',
  ].join('\n');
}

/** @returns how many sessions the server has to tell of */
async function talk(
  ports: Readonly<Record<Listener, number>>,
  suites: boolean,
  ledger: Ledger,
): Promise<number> {
  let ends = 0;
  const begin = async (
    name: Listener,
    from: string,
    options: tls.ConnectionOptions | null,
  ): Promise<[LineClient, Suite | null]> => {
    const client = await LineClient.open(ports[name], from);
    if (from.startsWith('192.0.2.')) ends++;
    if (name.endsWith('s')) {
      const suite = await client.secure(options ?? {});
      if (suite !== null) await client.until(/\n/);
      return [client, suite];
    }
    await client.until(/\n/);
    if (options === null) return [client, null];
    client.send(name === 'imap' ? 't STARTTLS\r\n' : 'STLS\r\n');
    await client.until(/\n/);
    return [client, await client.secure(options)];
  };
  const login = async (client: LineClient, name: Listener, password: string): Promise<void> => {
    if (name.startsWith('imap')) {
      client.send(`l LOGIN ${USER} ${password}\r\n`);
      await client.until(/^l [^\n]*\n/m);
      client.send('o LOGOUT\r\n');
      await client.until(/^o [^\n]*\n/m);
    } else {
      client.send(`USER ${USER}\r\n`);
      await client.until(/\n/);
      client.send(`PASS ${password}\r\n`);
      await client.until(/\n/);
      client.send('QUIT\r\n');
      await client.until(/\n/);
    }
    await client.close();
  };
  const service = (name: Listener): string => `${name.replace(/s$/, '')}-login`;
  const secure = async (name: Listener, from: string, options: tls.ConnectionOptions): Promise<void> => {
    const [client, suite] = await begin(name, from, options);
    if (suite === null) throw new Error(`no TLS on ${name}`);
    const told = suites ? suite : { protocol: null, cipher: null };
    ledger.add('sessions', { direction: 'in', service: service(name), ...told }, from);
    await login(client, name, PASSWORD);
  };
  const clear = async (name: Listener, from: string): Promise<void> => {
    const [client] = await begin(name, from, null);
    ledger.add('plaintext', { direction: 'in', service: service(name) }, from);
    await login(client, name, PASSWORD);
  };
  const refused = async (
    name: Listener,
    from: string,
    options: tls.ConnectionOptions,
    reason: string,
  ): Promise<void> => {
    const [client, suite] = await begin(name, from, options);
    if (suite !== null) throw new Error(`TLS on ${name}`);
    ledger.add('refused', { direction: 'in', service: service(name), reason }, from);
    await client.close();
  };
  await secure('imap', '192.0.2.1', TLS13);
  await secure('imap', '192.0.2.1', AES128);
  await secure('imaps', '192.0.2.2', TLS13);
  await secure('imaps', '192.0.2.3', TLS13);
  await secure('pop3', '192.0.2.1', TLS13);
  await secure('pop3s', '192.0.2.4', AES128);
  await clear('imap', '192.0.2.5');
  await clear('pop3', '192.0.2.5');
  await refused('imap', '192.0.2.6', NO_SHARED, 'no shared cipher');
  await refused('imaps', '192.0.2.6', NO_SHARED, 'no shared cipher');
  await refused('pop3s', '192.0.2.7', OLD, 'unsupported protocol');
  // A password that is wrong is no session, and neither is a client of the host's own in the clear.
  const [stranger] = await begin('imaps', '192.0.2.8', TLS13);
  await login(stranger, 'imaps', 'wrong');
  const [own] = await begin('imap', '127.0.0.1', null);
  await login(own, 'imap', PASSWORD);
  // Someone who looks and goes.
  const [looking] = await begin('imap', '192.0.2.9', null);
  await looking.close();
  const [dropped] = await begin('imap', '192.0.2.9', TLS13);
  await dropped.close();
  return ends;
}
