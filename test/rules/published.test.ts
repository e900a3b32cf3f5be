import { proposeFixes } from '../../src/fix/fix.ts';
import { buildHost } from '../../src/hosts/host.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostInputFromFolder, publishedFolder } from '../support/corpus.ts';
import type { HostOptions } from '../support/host.ts';

// What is known to be wrong in recipes that were published as advice; the lines were found by reading
// them, not by running pfharden.
interface Statement {
  readonly says: string;
  readonly rule: string;
  readonly at: readonly string[];
  readonly fixed: boolean;
}

const RECIPES: readonly (readonly [name: string, options: HostOptions, statements: readonly Statement[]])[] =
  [
    [
      'legacy-2019',
      {},
      [
        {
          says: 'a comment makes the list invalid',
          rule: 'postfix/protocol-invalid',
          at: ['main.cf:6'],
          fixed: true,
        },
        {
          says: 'the comment is part of the value',
          rule: 'postfix/trailing-comment',
          at: ['main.cf:6'],
          fixed: true,
        },
        {
          says: 'SSLv3 is open on submission',
          rule: 'postfix/server-protocols',
          at: ['main.cf:9'],
          fixed: true,
        },
        {
          says: 'PSD, KRB5-DES and CBC3-SHA exclude nothing',
          rule: 'postfix/cipher-unknown',
          at: ['main.cf:1', 'main.cf:2', 'main.cf:3'],
          fixed: true,
        },
        {
          says: 'a stray blank in the cipher list',
          rule: 'postfix/cipherlist-broken',
          at: ['main.cf:14'],
          // What the list should have been is not known; with --unsafe it goes.
          fixed: false,
        },
        {
          says: 'the list of grade high is replaced',
          rule: 'postfix/cipherlist-override',
          at: ['main.cf:14'],
          fixed: false,
        },
      ],
    ],
    [
      'hoster-2017',
      {},
      [
        {
          says: 'naming protocols switches TLSv1.3 off',
          rule: 'postfix/protocol-list-mixed',
          at: ['main.cf:14', 'main.cf:20'],
          fixed: true,
        },
        {
          says: 'incoming sessions from TLSv1',
          rule: 'postfix/server-protocols',
          at: ['main.cf:14'],
          fixed: true,
        },
        {
          says: 'outgoing sessions from TLSv1',
          rule: 'postfix/client-protocols',
          at: ['main.cf:20'],
          fixed: true,
        },
        {
          says: 'two lists are replaced',
          rule: 'postfix/cipherlist-override',
          at: ['main.cf:2', 'main.cf:3'],
          fixed: false,
        },
        {
          says: 'a Diffie-Hellman file that is no longer needed',
          rule: 'postfix/dh-parameters',
          at: ['main.cf:12'],
          fixed: false,
        },
      ],
    ],
    [
      'router-2014',
      {},
      [
        {
          says: 'the mandatory list has no effect at may',
          rule: 'postfix/mandatory-list-unused',
          at: ['main.cf:7'],
          fixed: true,
        },
        {
          says: 'every sender is asked for a certificate',
          rule: 'postfix/client-certificate-asked',
          at: ['main.cf:6'],
          fixed: true,
        },
      ],
    ],
    [
      'root-server-2014',
      { postfix: '2.9.6' },
      [
        { says: 'port 25 has no TLS', rule: 'postfix/server-tls-off', at: ['master.cf:1'], fixed: false },
        // Without TLS the fix would end every login on that port: it waits for --unsafe.
        {
          says: 'AUTH in the clear on port 25',
          rule: 'postfix/auth-without-tls',
          at: ['main.cf:10'],
          fixed: false,
        },
        {
          says: 'smtpd refuses to start',
          rule: 'postfix/relay-check-missing',
          at: ['main.cf:13'],
          fixed: true,
        },
      ],
    ],
    [
      'submission-2015',
      {},
      [
        {
          says: 'two trailing comments stop smtpd',
          rule: 'postfix/trailing-comment',
          at: ['master.cf:7', 'master.cf:12'],
          fixed: true,
        },
        {
          says: 'enforce_tls is beaten by may',
          rule: 'postfix/obsolete-tls-switch',
          at: ['master.cf:6'],
          fixed: true,
        },
        {
          says: 'noplaintext without noanonymous',
          rule: 'postfix/sasl-anonymous',
          at: ['master.cf:12'],
          fixed: true,
        },
        { says: 'TLSv1.3 is off', rule: 'postfix/protocol-list-mixed', at: ['main.cf:1'], fixed: true },
      ],
    ],
  ];

/** Fixed only where users or partners may notice: by removing what was written. */
const WITH_UNSAFE = new Set(['postfix/cipherlist-override', 'postfix/cipherlist-broken']);

describe.each(RECIPES)('%s', (name, options, statements) => {
  const folder = publishedFolder(name);
  if (folder === null) {
    it('is not beside the checkout', () => {
      expect(publishedFolder(name)).toBeNull();
    });
    return;
  }
  const input = hostInputFromFolder(folder, options);
  const strict = builtinProfile('strict');

  it.each(statements)('$says', ({ rule, at }) => {
    const places = evaluate(buildHost(input), BUILTIN_RULES, strict)
      .filter((finding) => finding.rule === rule)
      .map(({ at: { source, span } }) => `${source.path}:${source.position(span.start).line}`);
    expect(places).toEqual(expect.arrayContaining([...at]));
  });

  it('is mended by fix --profile strict in all that can be mended', () => {
    const { findingsAfter } = proposeFixes(input, BUILTIN_RULES, strict);
    const left = new Set(findingsAfter.map(({ rule }) => rule));
    expect(statements.filter(({ rule, fixed }) => fixed === left.has(rule)).map(({ says }) => says)).toEqual(
      [],
    );
  });

  it('loses its own cipher lists with --unsafe', () => {
    const { findingsAfter } = proposeFixes(input, BUILTIN_RULES, strict, { unsafe: true });
    expect(findingsAfter.filter(({ rule }) => WITH_UNSAFE.has(rule))).toEqual([]);
  });
});
