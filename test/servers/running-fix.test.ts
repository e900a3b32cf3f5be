import fs from 'node:fs';
import path from 'node:path';
import { type FixResult, proposeFixes } from '../../src/fix/fix.ts';
import { encode } from '../../src/hosts/files.ts';
import { buildHost, type HostInput, hostSources, withTexts } from '../../src/hosts/host.ts';
import { PostfixConfiguration } from '../../src/postfix/configuration.ts';
import { replaceField, replaceValue } from '../../src/postfix/edits.ts';
import type { PostfixEndpoint } from '../../src/postfix/endpoints.ts';
import { probe } from '../../src/probe/probe.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { applyEdits, type Edit } from '../../src/text/edits.ts';
import { SourceFile } from '../../src/text/source.ts';
import { hostInputFromFolder, postfixCases } from '../support/corpus.ts';
import { type Root, roots } from './roots.ts';
import { freePort, look, makeCertificate, startPostfix, surroundings } from './running.ts';

// Real configurations are mended and then run: only what a test machine cannot have (files, addresses,
// ports) is replaced. What each port speaks then is held against what pfharden says of these files, and no
// suite that it takes may be one that the profile forbids there.

/**
 * Cases whose programs and tables a reference root has, so that every smtpd of theirs answers there.
 * Others name what the files do not hold: a database, a filter, an openssl.cnf of their own.
 */
const CASES = new Set([
  'pf0002',
  'pf0003',
  'pf0028',
  'pf0031',
  'pf0040',
  'pf0041',
  'pf0043',
  'pf0111',
  'pf0138',
  'pf0005',
  'pf0019',
  'pf0021',
  'pf0036',
  'pf0047',
  'pf0050',
  'pf0060',
  'pf0064',
  'pf0081',
  'pf0114',
  'pf0117',
  'pf0134',
]);
const FURTHER = ['pf0140', 'pf0144', 'pf0154', 'pf0157', 'pf0181', 'pf0184', 'pf0194', 'pf0206', 'pf0215'];
const full = process.env.PFHARDEN_FULL !== undefined;
if (full) for (const id of FURTHER) CASES.add(id);

const CERTIFICATE = /^smtpd_tls_((ec|d)?(cert|key)_file|chain_files)$/;
const LEFT_OUT =
  /^smtpd_tls_(CA(file|path)|dh\d+_param_file|session_cache_database)$|_milters$|^smtpd_sasl_(type|path)$/;

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** The texts of a configuration as they run in `folder`, and the port of each listener. */
async function settle(
  root: Root,
  input: HostInput,
  folder: string,
): Promise<{ input: HostInput; ports: number[] }> {
  const host = buildHost(input);
  const configuration = host.postfix?.configuration;
  if (configuration === undefined) throw new Error('no Postfix');
  const edits: Edit[] = [];
  const { main, master } = configuration;
  if (main === null || master === null) throw new Error('main.cf and master.cf are needed');
  const put = (setting: ReturnType<PostfixConfiguration['settings']>[number], value: string): void => {
    edits.push(
      ...(setting.kind === 'main'
        ? replaceValue(main, setting.entry, value)
        : replaceValue(master, setting.entry, value, true)),
    );
  };
  for (const setting of configuration.settings()) {
    if (setting.value === '' || setting.value === 'none') continue;
    if (CERTIFICATE.test(setting.name)) put(setting, `${folder}/cert.pem`);
    else if (setting.kind === 'override' && setting.name === 'smtpd_sasl_type') put(setting, 'dovecot');
    else if (setting.kind === 'override' && setting.name === 'smtpd_sasl_path') put(setting, 'private/auth');
    else if (LEFT_OUT.test(setting.name) && setting.kind === 'override') put(setting, '');
  }
  const ports: number[] = [];
  for (const service of configuration.services) {
    if (service.entry === null) continue;
    edits.push(...replaceField(master, service.entry, 'chroot', 'n'));
    if (service.type !== 'inet') continue;
    const port = await freePort();
    ports.push(port);
    edits.push(...replaceField(master, service.entry, 'service', `127.0.0.1:${port}`));
  }
  const settings = {
    ...surroundings(root, folder),
    milter_default_action: 'accept',
    smtpd_tls_CAfile: '',
    smtpd_tls_CApath: '',
    smtpd_tls_dh1024_param_file: '',
    smtpd_tls_session_cache_database: '',
    // The test is a client in mynetworks, and wants to see what others see.
    smtpd_sasl_exceptions_networks: '',
  };
  const mainText = applyEdits(main.source.path, main.source.text, edits);
  const masterText = applyEdits(master.source.path, master.source.text, edits);
  const has = (name: string): boolean => configuration.services.some((service) => service.name === name);
  const more = [
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'anvil unix - - n - 1 anvil',
    'postlog unix-dgram n - n - 1 postlogd',
    'proxymap unix - - n - - proxymap',
  ]
    .filter((line) => !has(line.split(' ')[0] ?? ''))
    .map((line) => `${line}\n`);
  const texts = new Map([
    [
      'main.cf',
      new SourceFile(
        'main.cf',
        `${ended(mainText)}${Object.entries(settings)
          .map(([name, value]) => `${name} = ${value}\n`)
          .join('')}`,
      ),
    ],
    ['master.cf', new SourceFile('master.cf', ended(masterText) + more.join(''))],
  ]);
  return { input: withTexts(input, texts), ports };
}

interface Comparison {
  readonly id: string;
  readonly predicted: unknown;
  readonly met: unknown;
}

/** What a profile forbids everywhere, on every server, and where TLS is required: by the names that OpenSSL gives. */
const FORBIDDEN: Readonly<Record<string, readonly [anywhere: RegExp, required: RegExp]>> = {
  'legacy-compatible': [/NULL|^EXP|(^|-)DES-CBC-|RC2|RC4|MD5/, /^$/],
  modern: [/NULL|^EXP|DES-CBC|RC2|RC4|MD5|SEED|IDEA|PSK|SRP/, /^(ADH|AECDH)-/],
  strict: [
    /NULL|^EXP|DES-CBC|RC2|RC4|MD5|SEED|IDEA|PSK|SRP|^(ADH|AECDH)-/,
    /^(?!TLS_|(EC)?DHE-\S*(GCM|CCM|CCM8|POLY1305))/,
  ],
};

function forbiddenAt(profile: string, endpoint: PostfixEndpoint, names: readonly string[]): string[] {
  const [anywhere, required] = FORBIDDEN[profile] ?? [/./, /./];
  const demanded = endpoint.tls.mode === 'required' || endpoint.tls.mode === 'implicit';
  return names.filter((name) => anywhere.test(name) || (demanded && required.test(name)));
}

async function compare(endpoint: PostfixEndpoint, profile: string): Promise<Comparison> {
  const implicit = endpoint.tls.mode === 'implicit';
  const port = endpoint.port ?? 0;
  const seen = await look(port, implicit);
  const { protocols, ciphers } =
    implicit || seen.starttlsReply === '220'
      ? (await probe({ host: '127.0.0.1', port, starttls: implicit ? null : 'smtp', spoken: 'smtp' })).tls
      : { protocols: [], ciphers: [] };
  suites += ciphers.length;
  const listed = new Set(endpoint.tls.ciphers?.map(({ protocol, name }) => `${protocol} ${name}`));
  const predicted = {
    answers: true,
    starttls: endpoint.tls.mode === 'opportunistic' || endpoint.tls.mode === 'required',
    protocols: endpoint.tls.protocols,
    authBeforeTls: endpoint.auth.beforeTls === null,
    authAfterTls: endpoint.auth.afterTls === null,
    unlisted: [],
    forbidden: [],
  };
  const met = {
    answers: implicit ? protocols.length === 0 || seen.greeting !== '' : seen.greeting.startsWith('220'),
    starttls: seen.starttls,
    protocols,
    authBeforeTls: seen.authBeforeTls,
    authAfterTls: seen.authAfterTls ?? predicted.authAfterTls,
    unlisted: ciphers
      .map(({ protocol, name }) => `${protocol} ${name}`)
      .filter((suite) => !listed.has(suite)),
    forbidden: forbiddenAt(
      profile,
      endpoint,
      ciphers.map(({ name }) => name),
    ),
  };
  return { id: endpoint.id, predicted, met };
}

async function run(root: Root, folder: string, result: FixResult, profile: string): Promise<Comparison[]> {
  const outside = path.join(root.path, folder);
  makeCertificate(path.join(outside, 'cert.pem'));
  const { input, ports } = await settle(root, result.after.input, folder);
  for (const source of hostSources(input)) fs.writeFileSync(path.join(outside, source.path), encode(source));
  const endpoints = (buildHost(input).postfix?.endpoints ?? []).filter(
    ({ side, listener, service }) =>
      side === 'server' && listener.type === 'inet' && service.program === 'smtpd',
  );
  const postfix = await startPostfix(root, folder, ports);
  try {
    return await Promise.all(endpoints.map((endpoint) => compare(endpoint, profile)));
  } finally {
    await postfix.stop();
  }
}

let compared = 0;
let hosts = 0;
let suites = 0;
let suitesBefore = 0;
afterAll(() => {
  process.stdout.write(
    `mended configurations run: ${hosts}, endpoints compared: ${compared}, suites seen: ${suites}, ` +
      `none forbidden; before the fix ${suitesBefore} were, by the files\n`,
  );
});

/** Suites that the profile forbids on the endpoints of a host as it was. */
function countBefore({ before }: FixResult, profile: string): number {
  return (before.postfix?.endpoints ?? [])
    .filter(({ side, role }) => side === 'server' && role !== 'reinjection')
    .flatMap((endpoint) =>
      forbiddenAt(profile, endpoint, endpoint.tls.ciphers?.map(({ name }) => name) ?? []),
    ).length;
}

const profiles = ['modern', 'strict', 'legacy-compatible'];
const cases = postfixCases().filter(({ id }) => CASES.has(id));

describe.each(
  roots().map((root, turn) => ({ name: `${root.release}, Postfix ${root.postfix}`, root, turn })),
)('$name', ({ root, turn }) => {
  it('runs what was mended, and each port speaks what the files say', async () => {
    const differences: unknown[] = [];
    // Without --full every third case, moved on by one from release to release.
    const ours = cases.filter((_, index) => full || (index + turn) % 3 === 0);
    for (const [index, { id, folder }] of ours.entries()) {
      const profile = profiles[(index + turn) % profiles.length] ?? 'modern';
      const input = hostInputFromFolder(folder, { postfix: root.postfix, openssl: root.openssl });
      const result = proposeFixes(input, BUILTIN_RULES, builtinProfile(profile));
      const found = await run(root, `/tmp/pfh-${process.pid}-${id}`, result, profile).catch(
        (error: unknown) => String(error),
      );
      hosts++;
      suitesBefore += countBefore(result, profile);
      if (typeof found === 'string') differences.push({ id, profile, found });
      else {
        compared += found.length;
        for (const one of found)
          if (JSON.stringify(one.predicted) !== JSON.stringify(one.met))
            differences.push({ case: id, profile, ...one });
      }
    }
    expect(differences).toEqual([]);
  });
});
