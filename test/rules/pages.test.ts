// What the pages of the rules must say: what is seen on the wire, and how each release is mended by hand.
import { pages } from 'virtual:builtin-rule-pages';
import { DOVECOT_RELEASES } from '../../src/dovecot/releases.ts';
import { atLeast, inRange } from '../../src/model/release.ts';
import { POSTFIX_RELEASES } from '../../src/postfix/parameters.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import type { ManualFix, RulePage } from '../../src/rules/rule.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts } from '../support/host.ts';

/** Rules whose pages still lack a part: only to be taken away from. */
const WITHOUT_WIRE: ReadonlySet<string> = new Set([
  'postfix/auth-on-mx',
  'postfix/auth-without-tls',
  'postfix/bad-value',
  'postfix/broken-sasl-clients',
  'postfix/certificate-expired',
  'postfix/certificate-key-mismatch',
  'postfix/certificate-missing',
  'postfix/certificate-name',
  'postfix/certificate-self-signed',
  'postfix/certificate-settings-shadowed',
  'postfix/certificate-weak',
  'postfix/cipher-exclusion-operator',
  'postfix/cipher-grade',
  'postfix/cipher-unknown',
  'postfix/cipherlist-broken',
  'postfix/cipherlist-override',
  'postfix/client-certificate-asked',
  'postfix/client-ciphers',
  'postfix/client-protocols',
  'postfix/client-tls-off',
  'postfix/compatibility-level',
  'postfix/dane-without-dnssec',
  'postfix/deprecated-parameter',
  'postfix/dh-parameters',
  'postfix/duplicate-service',
  'postfix/duplicate-setting',
  'postfix/eecdh-grade',
  'postfix/forward-secrecy',
  'postfix/mandatory-list-missed',
  'postfix/mandatory-list-unused',
  'postfix/mx-tls-required',
  'postfix/obsolete-tls-switch',
  'postfix/override-blanks',
  'postfix/parameter-too-new',
  'postfix/private-key-readable',
  'postfix/protocol-gap',
  'postfix/protocol-invalid',
  'postfix/protocol-list-mixed',
  'postfix/protocol-syntax-too-new',
  'postfix/relay-credentials-in-clear',
  'postfix/sasl-anonymous',
  'postfix/sasl-login-in-header',
  'postfix/sasl-no-mechanism-left',
  'postfix/sasl-option-unknown',
  'postfix/sasl-over-network',
  'postfix/security-level-lowered',
  'postfix/sender-login-unchecked',
  'postfix/server-ciphers',
  'postfix/server-level-invalid',
  'postfix/server-protocols',
  'postfix/server-tls-off',
  'postfix/server-tls-without-certificate',
  'postfix/snakeoil-certificate',
  'postfix/submission-open',
  'postfix/submission-tls-optional',
  'postfix/swallowed-setting',
  'postfix/syntax',
  'postfix/tls-policy',
  'postfix/tls-settings-swapped',
  'postfix/trailing-comment',
  'postfix/undefined-reference',
  'postfix/unknown-parameter',
  'postfix/unused-override',
  'postfix/verify-without-trust-anchors',
  'postfix/wrappermode-misplaced',
  'postfix/wrappermode-missing',
]);
const WITHOUT_MANUAL: ReadonlySet<string> = new Set([
  'postfix/broken-sasl-clients',
  'postfix/certificate-expired',
  'postfix/certificate-key-mismatch',
  'postfix/certificate-missing',
  'postfix/certificate-name',
  'postfix/certificate-self-signed',
  'postfix/certificate-settings-shadowed',
  'postfix/certificate-weak',
  'postfix/cipherlist-broken',
  'postfix/duplicate-service',
  'postfix/duplicate-setting',
  'postfix/parameter-too-new',
  'postfix/private-key-readable',
  'postfix/sasl-login-in-header',
  'postfix/sasl-option-unknown',
  'postfix/snakeoil-certificate',
  'postfix/swallowed-setting',
  'postfix/tls-policy',
  'postfix/tls-settings-swapped',
  'postfix/undefined-reference',
  'postfix/unused-override',
  'postfix/compatibility-level',
  'postfix/dane-without-dnssec',
  'postfix/deprecated-parameter',
]);

type Server = 'postfix' | 'dovecot';

/** A release of each branch, and some patches between which something changed. */
const BRANCHES: Readonly<Record<Server, readonly string[]>> = {
  postfix: '2.6 2.7 2.8 2.9 2.10 2.11 3.0 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.9 3.10 3.11'.split(' '),
  dovecot: '2.2 2.2.36 2.3 2.3.13 2.3.19.1 2.3.21.1 2.4.0 2.4.1 2.4.5'.split(' '),
};

/** The releases that a rule judges, the bounds of its own ranges among them. */
function judgedReleases({ applies, manual = [] }: RulePage, server: Server): string[] {
  const bounds = manual.flatMap(({ releases }) =>
    Array.from(releases.matchAll(/\d[\d.]*/g), ([bound]) => bound),
  );
  const { oldest } = server === 'postfix' ? POSTFIX_RELEASES : DOVECOT_RELEASES;
  return [...BRANCHES[server], ...bounds].filter(
    (release) => atLeast(release, oldest) && inRange(release, applies.releases ?? '*'),
  );
}

/** The server whose releases an entry speaks of; none where it is for whatever reads the comment. */
function serverOf({ applies }: RulePage, { server }: ManualFix): Server | undefined {
  if (applies.server === 'any') return undefined;
  return applies.server === 'both' ? server : applies.server;
}

describe.each(pages.map((rule) => ({ id: rule.id, rule })))('the page of $id', ({ id, rule }) => {
  const { applies, manual = [], wire = [] } = rule;

  test('says what is seen on the wire', () => {
    expect(wire.length > 0).toBe(!WITHOUT_WIRE.has(id));
  });

  test('says why it counts as it does', () => {
    const levels = new Set(Object.values(rule.severity).map((level) => JSON.stringify(level)));
    expect(rule.rationale !== undefined || levels.size === 1 || WITHOUT_WIRE.has(id)).toBe(true);
  });

  test('says for each release what to do by hand', () => {
    const servers = [...new Set(manual.map((one) => serverOf(rule, one)))];
    expect(servers.includes(undefined)).toBe(applies.server === 'any');
    const missed = servers.flatMap((server) =>
      server === undefined
        ? []
        : judgedReleases(rule, server).filter(
            (release) =>
              !manual.some((one) => serverOf(rule, one) === server && inRange(release, one.releases)),
          ),
    );
    expect(manual.length > 0 && missed.length === 0).toBe(!WITHOUT_MANUAL.has(id));
  });

  const written = manual.filter(({ lines }) => lines !== undefined);
  if (written.length > 0) {
    test.each(
      written.flatMap((one) => {
        const server = serverOf(rule, one);
        if (server === undefined) return [];
        return judgedReleases(rule, server)
          .filter((release) => inRange(release, one.releases))
          .map((release) => ({ release, one, server }));
      }),
    )('gives lines that $server $release takes', ({ release, one, server }) => {
      expect(faults(one, server, release)).toEqual([]);
    });
  }
});

/** Rules that find what a release does not take. */
const TAKES = new Set([
  'postfix/bad-value',
  'postfix/cipher-grade',
  'postfix/cipher-unknown',
  'postfix/deprecated-parameter',
  'postfix/override-blanks',
  'postfix/parameter-too-new',
  'postfix/protocol-invalid',
  'postfix/protocol-syntax-too-new',
  'postfix/syntax',
  'postfix/trailing-comment',
  'postfix/unknown-parameter',
  'dovecot/bad-value',
  'dovecot/cipher-unknown',
  'dovecot/deprecated-setting',
  'dovecot/mechanism-invalid',
  'dovecot/setting-too-new',
  'dovecot/syntax',
  'dovecot/unknown-setting',
]);

/** What is wrong with the lines of an entry, by the rules that know what a release takes. */
function faults({ lines = {} }: ManualFix, server: Server, release: string): string[] {
  const texts = Object.fromEntries(
    Object.entries(lines).map(([path, written]) => [path, written.map((line) => `${line}\n`).join('')]),
  );
  if (server === 'postfix') texts['master.cf'] ??= 'smtp inet n - n - - smtpd\n';
  if (
    server === 'dovecot' &&
    !/dovecot_config_version/.test(texts['dovecot.conf'] ?? '') &&
    atLeast(release, '2.4')
  )
    texts['dovecot.conf'] =
      `dovecot_config_version = ${release}\ndovecot_storage_version = ${release}\n${texts['dovecot.conf'] ?? ''}`;
  const host = hostFromTexts(texts, { [server]: release });
  return evaluate(host, BUILTIN_RULES, builtinProfile('strict'), { only: TAKES }).map(
    ({ rule, message }) => `${rule}: ${message}`,
  );
}
