/**
 * Real configurations of Dovecot are mended and then run. Of a mended configuration those lines are kept that
 * decide on TLS and on the listeners of IMAP and POP3; files, ports and accounts are replaced by what a test
 * machine has. What each port speaks is held against what pfharden says of these files, and against the profile.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { DovecotServerEndpoint } from '../../src/dovecot/endpoints.ts';
import type { DovecotTree } from '../../src/dovecot/load.ts';
import type { SectionStatement, Statement } from '../../src/dovecot/syntax/tree.ts';
import { type FixResult, proposeFixes } from '../../src/fix/fix.ts';
import { buildHost, type HostInput } from '../../src/hosts/host.ts';
import { compareProtocols, type Protocol } from '../../src/model/protocol.ts';
import { probe } from '../../src/probe/probe.ts';
import { objectionsAt } from '../../src/rules/cipher-judgement.ts';
import type { Profile } from '../../src/rules/profile.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { SourceFile } from '../../src/text/source.ts';
import { suitesOf } from '../../src/tls/suites.ts';
import { dovecotCases, dovecotInput } from '../support/corpus.ts';
import { isProbed, predict, suitesByProtocol } from '../support/dovecot-ports.ts';
import { isOld, surroundings } from '../support/dovecot-text.ts';
import { type Root, roots } from './roots.ts';
import { freePort } from './running.ts';
import { type Home, makeHome, makeKeyPair, startDovecot } from './running-dovecot.ts';

const full = process.env.PFHARDEN_FULL !== undefined;

/** Cases in the language of 2.3 for an ordinary run, and which of the two older releases runs them. */
const OLD_CASES: Readonly<Record<string, number>> = {
  dv0011: 0,
  dv0015: 1,
  dv0025: 0,
  dv0028: 1,
  dv0069: 0,
  dv0091: 0,
  dv0146: 1,
  dv0152: 0,
  dv0157: 1,
  dv0189: 0,
  dv0208: 1,
};

/** Cases in the language of 2.4, and which of the two newer releases runs them. */
const NEW_CASES: Readonly<Record<string, number>> = {
  dv0004: 3,
  dv0033: 2,
  dv0140: 3,
  dv0161: 2,
  dv0181: 3,
};

const PROFILES = ['modern', 'strict'];

/** What decides on TLS, by name. */
const DECIDING =
  /^(?:ssl$|ssl_(?!ca$|verify|require|client|crypto|key_password|options|cert_username)\w+$|disable_plaintext_auth$|auth_allow_cleartext$)/;
const NOT_HERE =
  /^ssl_server_(?:ca_file|ca_dir|request_client_cert|require_crl|key_password|cert_username_field)$/;
const SECTIONS: ReadonlySet<string> = new Set(['protocol', 'local', 'local_name', 'remote', 'ssl_server']);

/** Whether a statement that stands in sections is kept; a section is the last of them itself. */
function isKept(statement: Statement, name: string, sections: readonly SectionStatement[]): boolean {
  const [first, second] = sections;
  if (first?.key === 'service') {
    if (!/^(?:imap|pop3)-login$/.test(first.name) || sections.length > 2) return false;
    if (second === undefined) return statement.kind === 'section';
    if (second.key !== 'inet_listener') return false;
    return statement.kind === 'section' || name.endsWith('ssl') || name.endsWith('port');
  }
  if (sections.some(({ key, group }) => group || !SECTIONS.has(key))) return false;
  if (statement.kind === 'section') return true;
  return /^dovecot_\w+_version$/.test(name) || (DECIDING.test(name) && !NOT_HERE.test(name));
}

/** The value for a setting that names a file of the real machine; null: it stays as it is. */
function replacement(root: Root, files: Home, name: string): string | null {
  const found = /^ssl_(?:server_)?(alt_)?(cert|key|dh)(?:_file)?$/.exec(name);
  if (found === null) return null;
  const [, alternative, what] = found;
  const pair = alternative === undefined ? 'rsa' : 'ec';
  const file = what === 'dh' ? 'dh2048.pem' : `${pair}.${what === 'cert' ? 'crt' : 'key'}`;
  return `${isOld(root.dovecot) ? '<' : ''}${files.inside}/${file}`;
}

/** The lines of a configuration that are kept, in the order of reading, as one file. */
function keptLines(
  { tree, settings }: { tree: DovecotTree; settings: ReadonlyMap<Statement, string> },
  root: Root,
  files: Home,
): string[] {
  const lines: string[] = [];
  const open: { readonly section: SectionStatement; readonly kept: boolean }[] = [];
  for (const { file, statement } of tree.statements) {
    if (statement.kind === 'end') {
      if (open.pop()?.kept) lines.push('}');
      continue;
    }
    if (statement.kind !== 'section' && statement.kind !== 'setting') continue;
    const name = settings.get(statement) ?? '';
    const own = statement.kind === 'section' ? [statement] : [];
    const kept = isKept(statement, name, [...open.map(({ section }) => section), ...own]);
    if (statement.kind === 'section') open.push({ section: statement, kept });
    if (!kept) continue;
    const value = replacement(root, files, name);
    const text = file.source.slice(statement.line.span).trimEnd();
    lines.push(value === null || statement.kind === 'section' ? text : `${name} = ${value}`);
  }
  return lines;
}

/** A mended configuration as it runs on this machine. */
interface Settled {
  readonly text: string;
  readonly ports: readonly number[];
}

async function settle(root: Root, input: HostInput, home: Home, files: Home): Promise<Settled> {
  const host = buildHost(input).dovecot;
  if (host === null) throw new Error('no Dovecot');
  const { configuration, endpoints } = host;
  const settings = new Map<Statement, string>(
    configuration.settings().map((one) => [one.statement, one.name]),
  );
  const lines = keptLines({ tree: configuration.tree, settings }, root, files);
  // What stands in files that are missing is what most hosts have.
  if (!lines.some((line) => /^\s*ssl_(?:server_)?cert/.test(line))) {
    for (const name of isOld(root.dovecot)
      ? ['ssl_cert', 'ssl_key']
      : ['ssl_server_cert_file', 'ssl_server_key_file'])
      lines.push(`${name} = ${replacement(root, files, name)}`);
  }
  const ports: number[] = [];
  const login = endpoints.filter(
    (one): one is DovecotServerEndpoint => one.side === 'server' && isAsked(one) && one.filter === null,
  );
  for (const { service, listener, open } of login) {
    const port = open.haproxy ? 0 : await freePort();
    if (port !== 0) ports.push(port);
    lines.push(
      `service ${service.name} {`,
      `  inet_listener ${listener.name} {`,
      `    port = ${port}`,
      '  }',
      '}',
    );
  }
  const protocols = [...new Set(login.map(({ spoken }) => spoken))];
  lines.push(`protocols = ${protocols.join(' ')}`, 'listen = 127.0.0.1');
  const around = surroundings(root.dovecot, home.inside).split('\n');
  const hasVersion = lines.some((line) => line.includes('dovecot_config_version'));
  const rest = around.filter((line) => !hasVersion || !/^dovecot_\w+_version/.test(line));
  const text = hasVersion ? [...lines, ...rest] : [...rest, ...lines];
  return { text: text.map((line) => `${line}\n`).join(''), ports };
}

function isAsked({ service }: DovecotServerEndpoint): boolean {
  return /^(?:imap|pop3)-login$/.test(service.name);
}

const counts = { hosts: 0, endpoints: 0, suites: 0 };

afterAll(() => {
  console.log(
    `Mended Dovecot: ${counts.hosts} configurations run, ${counts.endpoints} endpoints with ${counts.suites} suites compared`,
  );
});

/** What is wrong with an endpoint as it runs: other than the files say, or outside the profile. */
async function faultsOf(
  endpoint: DovecotServerEndpoint,
  profile: Profile,
  root: Root,
  told: readonly Protocol[],
): Promise<string[]> {
  const { tls, port, role, context } = endpoint;
  const starttls = tls.mode === 'implicit' ? null : endpoint.spoken === 'imap' ? 'imap' : 'pop3';
  const names = context.localName === undefined ? {} : { serverName: context.localName };
  const seen = await probe({ host: '127.0.0.1', port: port ?? 0, starttls, ...names });
  counts.endpoints++;
  counts.suites += seen.tls.ciphers.length;
  const faults: string[] = [];
  const ordered = tls.preference === 'server';
  const [said, met] = [tls.ciphers ?? [], seen.tls.ciphers].map((list) =>
    JSON.stringify(suitesByProtocol(list, ordered)),
  );
  if (said !== met) faults.push(`files: ${said}, port: ${met}`);
  if (seen.tls.ciphers.length === 0) faults.push('no TLS at all');
  const suites = new Map(suitesOf(root.openssl).map((suite) => [suite.name, suite]));
  const floor = profile.thresholds.lowestProtocol[role];
  for (const { protocol, name } of seen.tls.ciphers) {
    if (compareProtocols(protocol, floor) < 0 && !told.includes(protocol))
      faults.push(`${protocol} is below ${floor}`);
    const suite = suites.get(name);
    const place = { side: 'server', tlsRequired: true } as const;
    const objections = suite === undefined ? [] : objectionsAt(suite, profile.thresholds, place);
    if (protocol !== 'TLSv1.3' && (suite === undefined || objections.length > 0))
      faults.push(`${name}: ${objections.map((one) => one.class).join(', ')}`);
  }
  return [...new Set(faults)].map((fault) => `${endpoint.id}: ${fault}`);
}

/** The protocols of which a finding says that the release has no way to shut them out. */
function toldOf({ findingsAfter }: FixResult): readonly Protocol[] {
  const isLeft = findingsAfter.some(
    ({ rule, messageId }) => rule === 'dovecot/protocols' && messageId === 'release',
  );
  return isLeft ? ['TLSv1.2'] : [];
}

async function run(root: Root, files: Home, input: HostInput, profile: Profile): Promise<string[]> {
  const home = makeHome(root);
  const result = proposeFixes(input, BUILTIN_RULES, profile);
  const { text, ports } = await settle(root, result.after.input, home, files);
  const main = new SourceFile(`${home.inside}/dovecot.conf`, text);
  fs.writeFileSync(path.join(home.outside, 'dovecot.conf'), text);
  const open = (name: string): SourceFile | null => {
    const file = path.join(root.path, name);
    return fs.existsSync(file) ? new SourceFile(name, fs.readFileSync(file, 'utf8')) : null;
  };
  const { servers, refused } = predict(main, open, root.dovecot, root.openssl);
  if (refused) return ['pfharden says that it does not start'];
  const server = await startDovecot(root, home, ports);
  counts.hosts++;
  try {
    if (server.failed) return [`does not start: ${server.log().slice(-300)}`];
    const faults: string[] = [];
    for (const endpoint of servers.filter((one) => isAsked(one) && isProbed(one)))
      faults.push(...(await faultsOf(endpoint, profile, root, toldOf(result))));
    return faults;
  } finally {
    await server.stop();
  }
}

const all = dovecotCases();

describe.each(
  roots().map((root, turn) => ({ name: `${root.release}, Dovecot ${root.dovecot}`, root, turn })),
)('$name', ({ root, turn }) => {
  const files = makeHome(root);
  makeKeyPair(root, files, 'rsa', 'rsa');
  makeKeyPair(root, files, 'ec', 'ec');
  fs.copyFileSync(
    path.join(import.meta.dirname, 'data', 'dh2048.pem'),
    path.join(files.outside, 'dh2048.pem'),
  );
  afterAll(() => {
    fs.rmSync(files.outside, { recursive: true, force: true });
  });

  const cases = isOld(root.dovecot) ? OLD_CASES : NEW_CASES;
  const chosen = all.filter(({ id }) => cases[id] === turn || (full && cases[id] !== undefined));
  if (chosen.length === 0) {
    it('has no corpus beside the checkout to run', () => {
      expect(all).toEqual([]);
    });
    return;
  }
  it.each(chosen)('$id: what runs is what the files say, and inside the profile', async ({ folder }) => {
    const faults: string[] = [];
    for (const name of PROFILES) {
      const input = await dovecotInput(folder, { dovecot: root.dovecot, openssl: root.openssl });
      const found = await run(root, files, input, builtinProfile(name));
      faults.push(...found.map((fault) => `${name}: ${fault}`));
    }
    expect(faults).toEqual([]);
  });
});
