// What the pages of the rules must say: what is seen on the wire, and how each release is mended by hand.
import { pages } from 'virtual:builtin-rule-pages';
import { DOVECOT_RELEASES } from '../../src/dovecot/releases.ts';
import { atLeast, inRange } from '../../src/model/release.ts';
import { POSTFIX_RELEASES } from '../../src/postfix/parameters.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import type { ManualFix, RulePage } from '../../src/rules/rule.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts } from '../support/host.ts';

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

describe.each(pages.map((rule) => ({ id: rule.id, rule })))('the page of $id', ({ rule }) => {
  const { applies, manual = [], wire = [] } = rule;

  test('says what is seen on the wire', () => {
    expect(wire).not.toEqual([]);
  });

  test('says why it counts as it does', () => {
    const levels = new Set(Object.values(rule.severity).map((level) => JSON.stringify(level)));
    expect(rule.rationale !== undefined || levels.size === 1).toBe(true);
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
    expect(manual).not.toEqual([]);
    expect(missed).toEqual([]);
  });

  test('names no option of postconf that the release does not have', () => {
    const unknown = manual.flatMap((one) =>
      (one.run ?? []).flatMap((command) => {
        const [, option = ''] = /^postconf (-\w)/.exec(command) ?? [];
        const since = POSTCONF_SINCE[option];
        const tooOld = judgedReleases(rule, 'postfix').filter(
          (release) => inRange(release, one.releases) && since !== undefined && !atLeast(release, since),
        );
        return tooOld.map((release) => `${command}: ${release}`);
      }),
    );
    expect(unknown).toEqual([]);
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

/** Options of postconf(1) and the release that brought them, as its manual page says. */
const POSTCONF_SINCE: Readonly<Record<string, string>> = {
  '-F': '2.11',
  '-M': '2.9',
  '-P': '2.11',
  '-X': '2.10',
  '-x': '2.10',
};

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
