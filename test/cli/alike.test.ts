// Hosts that differ in their names alone are worked on once: what comes of each is what comes of it by itself.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type HostCommand, type HostWork, hostWorker } from '../../src/cli/host-work.ts';
import { KnownOutcomes } from '../../src/cli/known-outcomes.ts';
import { findHosts } from '../../src/hosts/find.ts';
import type { HostInput } from '../../src/hosts/host.ts';
import { readHost } from '../../src/hosts/read.ts';
import { standIn } from '../../src/hosts/stand-in.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { makeRepository } from '../bench/repository.ts';

const NOW = Date.UTC(2026, 10, 1);
const TEXT = { quiet: false, coloured: true, width: 80, verbose: true, suppressed: true };
const LINT = {
  runProfile: 'strict',
  only: null,
  failOn: 'warning',
  lightest: 'info',
  baseline: null,
  changes: null,
} as const;

/** What is asked of each host: all that reports show of it, and its fixes. */
const ORDERS: { readonly [name: string]: readonly [HostCommand, HostWork[HostCommand]['orders']] } = {
  text: ['lint', { ...LINT, text: TEXT, report: null }],
  reports: ['lint', { ...LINT, text: null, report: { diff: true, view: true } }],
  diff: ['fix', { only: null, unsafe: true, as: 'diff' }],
  files: ['fix', { only: null, unsafe: false, as: 'files' }],
};

let folder = '';
let folders = 0;

beforeEach(() => {
  // Letters by chance might be a host's name, or those of one that stands in.
  folder = join(tmpdir(), `pfharden_alike_${process.pid}_${folders++}`);
  mkdirSync(folder);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What comes of each host below the folder, by its folder. */
async function outcomes(order: string, many: boolean): Promise<ReadonlyMap<string, unknown>> {
  const [command, orders] = ORDERS[order] ?? [];
  if (command === undefined || orders === undefined) throw new Error(`no order ${order}`);
  const work = hostWorker(
    {
      command,
      orders,
      read: { exec: false, now: NOW },
      profiles: [builtinProfile('strict')],
      rules: [[]],
      many,
    },
    [BUILTIN_RULES],
  );
  const found = new Map<string, unknown>();
  for (const { source, root, directory } of (await findHosts([folder])).hosts)
    found.set(
      `${root} ${directory}`,
      await work({ source, rules: 0, profile: 0, reasonRequired: false, settings: [] }),
    );
  return found;
}

function write(path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function inputOf(path: string): Promise<HostInput> {
  const [host] = (await findHosts([join(folder, path)])).hosts;
  if (host === undefined) throw new Error(`no host in ${path}`);
  return readHost(host.source, { exec: false, now: NOW });
}

const MASTER = 'smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\nsmtp unix - - y - - smtp\n';

/** A host of which the tests change one thing or the other. */
function writeHost(name: string, more: Readonly<Record<string, string>> = {}): void {
  const files = {
    'postfix/main.cf': `# ${name}\nmyhostname = ${name}.example.net\nsmtpd_tls_cert_file = /etc/ssl/${name}.pem\nsmtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2\nsmtpd_recipient_restrictions = permit, check_client_access hash:/etc/postfix/${name}\n`,
    'postfix/master.cf': MASTER,
    'dovecot/dovecot.conf': `# ${name}\nssl = yes\nssl_min_protocol = TLSv1\n!include conf.d/*.conf\n`,
    'dovecot/conf.d/10-auth.conf': `disable_plaintext_auth = no\nauth_realms = ${name}\n`,
    ...more,
  };
  for (const [path, text] of Object.entries(files)) write(`${name}/etc/${path}`, text);
}

describe('what comes of a host is the same where others are alike', () => {
  test.each(Object.keys(ORDERS))(
    'in a made repository: %s',
    async (order) => {
      makeRepository(folder, 16, 7);
      // Each once more under other names: of the same length, longer, and of another shape.
      for (const copy of ['mx90', 'mail7', 'front-end01'])
        cpSync(join(folder, 'hosts/mx00'), join(folder, `copies/${copy}`), { recursive: true });
      expect(await outcomes(order, true)).toEqual(await outcomes(order, false));
    },
    120_000,
  );

  test.each(Object.keys(ORDERS))('where they differ in more than names: %s', async (order) => {
    for (let number = 10; number < 16; number++) writeHost(`mx${number}`);
    // The name in capitals, within another word, in a value that is cut, and in a secret.
    writeHost('mx20', { 'postfix/master.cf': `${MASTER}# MX20\n` });
    writeHost('mx21', { 'postfix/master.cf': `${MASTER}xmx21 unix - - n - - smtp\n` });
    writeHost('mx22', {
      'postfix/main.cf': `smtpd_tls_exclude_ciphers = ${'mx22 '.repeat(150)}\nsmtpd_tls_security_level = may\n`,
    });
    writeHost('mx23', { 'postfix/main.cf': 'smtp_sasl_password_maps = static:user:mx23-password\n' });
    writeHost('mx24', {
      'dovecot/dovecot.conf': 'ssl = yes\npassdb {\n  driver = static\n  args = password=mx24\n}\n',
    });
    // Other files around it, and what says more of a name than a name.
    writeHost('mx25', { 'dovecot/conf.d/20-more.conf': 'auth_mechanisms = plain login mx25\n' });
    writeHost('mx26', { 'postfix/mx26': 'mx26.example.net REJECT\n' });
    writeHost('mx27', {
      'postfix/main.cf': 'mynetworks = pcre:{ {/^mx27/ OK} }\nsmtpd_tls_security_level = may\n',
    });
    writeHost('mx28', { 'dovecot/conf.d/10-auth.conf': 'disable_plaintext_auth = maybe\n' });
    // Findings that have the name in their fingerprints.
    for (const name of ['mx40', 'mx41'])
      writeHost(name, {
        'postfix/main.cf': `relayhost = [${name}.example.net]\nrelayhost = [b.example.net]\n`,
        'postfix/master.cf': `${MASTER}lmtp unix - - y - - lmtp\n  -o smtpd_banner=${name}\n`,
      });
    // A template, and a comment that silences.
    writeHost('mx30', {
      'postfix/main.cf':
        'myhostname = mx30.example.net\n{% if a %}\nsmtpd_tls_protocols = {{ b }}\n{% endif %}\n',
    });
    writeHost('mx31', {
      'postfix/main.cf':
        'myhostname = mx31.example.net\n{% if a %}\nsmtpd_tls_protocols = {{ b }}\n{% endif %}\n',
    });
    writeHost('mx32', {
      'postfix/main.cf':
        '# pfharden: ignore server-protocols -- mx32\nsmtpd_tls_protocols = !SSLv2\nsmtpd_tls_security_level = may\n',
    });
    expect(await outcomes(order, true)).toEqual(await outcomes(order, false));
  });
});

describe('work', () => {
  /** Names of the hosts that are worked on, one after the other. */
  async function worked(names: readonly string[], named = true): Promise<readonly string[]> {
    const done: string[] = [];
    const known = new KnownOutcomes<{ readonly text: string; readonly bytes: Uint8Array }>(named);
    for (const name of names) {
      const input = await inputOf(name);
      const result = known.of(input, 'x', ({ postfix, dovecot }) => {
        done.push(name);
        dovecot?.entries(`${dovecot.directory}/conf.d`);
        dovecot?.open(`${dovecot.directory}/conf.d/10-auth.conf`);
        const text = `${postfix?.main?.path}\n${postfix?.main?.text}`;
        return { text, bytes: Buffer.from(text) };
      });
      const own = `${input.postfix?.main?.path}\n${input.postfix?.main?.text}`;
      expect({ text: result.text, bytes: Buffer.from(result.bytes).toString() }).toEqual({
        text: own,
        bytes: own,
      });
    }
    return done;
  }

  it('is done once for hosts that differ in their names', async () => {
    for (const name of ['mx10', 'mx11', 'mx12']) writeHost(name);
    expect(await worked(['mx10', 'mx11', 'mx12', 'mx10'])).toEqual(['mx10']);
  });

  it('is done for each where a rule may look at names', async () => {
    for (const name of ['mx10', 'mx11']) writeHost(name);
    expect(await worked(['mx10', 'mx11', 'mx11'], false)).toEqual(['mx10', 'mx11']);
  });

  it('is done anew where texts, files around them or the length of a name differ', async () => {
    writeHost('mx10');
    writeHost('mx11', { 'postfix/master.cf': `${MASTER}\n` });
    writeHost('mx12', { 'dovecot/conf.d/10-auth.conf': 'auth_realms = mx10\n' });
    writeHost('mx13', { 'dovecot/conf.d/99-local.conf': '' });
    writeHost('mx144');
    const all = ['mx10', 'mx11', 'mx12', 'mx13', 'mx144'];
    expect(await worked(all)).toEqual(all);
  });

  it('is done under the own name where a file that is looked into has it otherwise', async () => {
    for (const name of ['mx10', 'mx11'])
      writeHost(name, { 'dovecot/conf.d/10-auth.conf': '# as on the old xmx10 and xmx11\n' });
    expect(await worked(['mx10', 'mx11'])).toEqual(['mx10', 'mx10', 'mx11', 'mx11']);
  });

  it('is done under the own name where a text has a part of the one that stands in', async () => {
    for (const name of ['mx10', 'mx11']) writeHost(name);
    const seen: string[] = [];
    const known = new KnownOutcomes<string>(true);
    for (const name of ['mx10', 'mx11'])
      seen.push(known.of(await inputOf(name), '', ({ postfix }) => `${postfix?.main?.text.slice(0, 3)}…`));
    expect(seen).toEqual(['# m…', '# m…']);
  });
});

describe('a name that stands in', () => {
  it('is as long as the own one, and is put back', async () => {
    writeHost('mx10');
    const input = await inputOf('mx10');
    const standing = standIn(input, true);
    expect(standing?.isNamed).toBe(true);
    expect(standing?.input.postfix?.main?.text).toBe(input.postfix?.main?.text.replaceAll('mx10', 'zq00'));
    expect(standing?.input.root).toHaveLength(input.root.length);
    expect(standing?.input.root).not.toContain('mx10');
    expect(standing?.restored(`${standing.input.root}/postfix/main.cf: zq00`)).toBe(
      `${input.root}/postfix/main.cf: mx10`,
    );
    expect(standing?.restored('zq0…')).toBeNull();
  });

  test.each([
    ['a word of OpenSSL', 'x25519'],
    ['a hexadecimal number', 'fe80'],
    ['a word without a digit', 'relay'],
    ['a number', '42'],
  ])('does not stand for %s', async (_, name) => {
    writeHost(name);
    expect(standIn(await inputOf(name), true)?.isNamed ?? false).toBe(false);
  });

  it('does not stand for one that is also the name of a setting or a service', async () => {
    writeHost('mx10', { 'postfix/master.cf': `${MASTER}mx10 unix - - n - - smtp\n` });
    writeHost('mx11', { 'dovecot/dovecot.conf': 'plugin {\n  mx11 = yes\n}\n' });
    for (const name of ['mx10', 'mx11']) expect(standIn(await inputOf(name), true)?.isNamed).toBe(false);
  });

  it('does not stand for one that a certificate or a table has', async () => {
    writeHost('mx10', {
      'postfix/mx10': 'mx10.example.net OK\n',
      'postfix/mx.pem': '-----BEGIN CERTIFICATE-----\n',
    });
    for (const path of ['/etc/postfix/mx10', '/etc/postfix/mx.pem']) {
      const standing = standIn(await inputOf('mx10'), true);
      expect(standing?.isFit()).toBe(true);
      standing?.input.open(path.replace('mx10', 'zq00'));
      expect(standing?.isFit()).toBe(false);
    }
  });
});
