import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameUse } from '../../src/postfix/names.ts';
import { hostFromTexts } from '../support/host.ts';

/** What `postconf -n` of the real servers calls an unused parameter; `*` where all four agree. */
interface Recorded {
  readonly title: string;
  readonly 'main.cf': string;
  readonly 'master.cf': string;
  readonly unused: Readonly<Record<string, readonly string[]>>;
}

const RELEASES = ['3.5.25', '3.7.11', '3.10.13', '3.11.7'];
const recorded: readonly Recorded[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../recorded/postconf-names.json'), 'utf8'),
);

describe.each(RELEASES)('unused names as postconf %s sees them', (release) => {
  it.each(recorded.map((one) => [one.title, one] as const))('%s', (_title, { unused, ...files }) => {
    const texts = { 'main.cf': files['main.cf'], 'master.cf': files['master.cf'] };
    const host = hostFromTexts(texts, { postfix: release });
    const configuration = host.postfix?.configuration;
    if (configuration === undefined) throw new Error('no Postfix');
    const found = nameUse(configuration).unused.map(
      ({ kind, name }) => `${kind === 'main' ? 'main.cf' : 'master.cf'}: ${name}`,
    );
    expect([...new Set(found)].sort()).toEqual([...(unused[release] ?? unused['*'] ?? [])].sort());
  });
});

describe('known names', () => {
  it('depend on the name space', () => {
    const host = hostFromTexts({
      'main.cf': 'nets = 10.0.0.0/8\nmynetworks = $nets\n',
      'master.cf': 'submission inet n - n - - smtpd\n  -o smtpd_client_restrictions=$own\n  -o own=reject\n',
    });
    const configuration = host.postfix?.configuration;
    if (configuration === undefined) throw new Error('no Postfix');
    const use = nameUse(configuration);
    const [submission] = configuration.services;
    expect(use.known('nets')).toBe(true);
    expect(use.known('nets', submission)).toBe(true);
    expect(use.known('own')).toBe(false);
    expect(use.known('own', submission)).toBe(true);
    expect(use.known('smtpd_banner')).toBe(true);
    expect(use.known('constructor')).toBe(false);
  });
});
