import fc from 'fast-check';
import { proposeFixes } from '../../src/fix/fix.ts';
import { buildHost } from '../../src/hosts/host.ts';
import { PLAIN } from '../../src/reports/palette.ts';
import { hostText } from '../../src/reports/text.ts';
import { hostReport } from '../../src/reports/totals.ts';
import { withAdded, withWords } from '../../src/rules/checks/postfix-exclusion-lists.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts, hostInputFromTexts } from '../support/host.ts';

const MASTER = [
  'smtp inet n - y - - smtpd',
  'submission inet n - y - - smtpd',
  '  -o smtpd_tls_security_level=encrypt',
  'smtp unix - - y - - smtp',
  '',
].join('\n');

function main(...lines: readonly string[]): string {
  return ['smtpd_tls_cert_file = /c.pem', 'smtpd_tls_security_level = may', ...lines, ''].join('\n');
}

describe('a list of exclusions', () => {
  it.each([
    ['aNULL, RC4', ['3DES'], 'aNULL, RC4, 3DES'],
    ['aNULL,RC4', ['3DES', 'SEED'], 'aNULL,RC4,3DES,SEED'],
    ['aNULL RC4', ['3DES'], 'aNULL RC4 3DES'],
    ['aNULL:RC4', ['3DES'], 'aNULL:RC4:3DES'],
    ['aNULL, RC4,', ['3DES'], 'aNULL, RC4, 3DES'],
    ['$smtpd_tls_exclude_ciphers', ['3DES'], '$smtpd_tls_exclude_ciphers, 3DES'],
    ['', ['aNULL', '3DES'], 'aNULL, 3DES'],
  ])('%s gets %j', (raw, words, wanted) => {
    expect(withAdded(raw, words)).toBe(wanted);
  });

  const meant = (word: string): string | null =>
    word === 'x' ? null : word.startsWith('!') ? word.slice(1) : word;
  it.each([
    ['!aNULL, !RC4', 'aNULL, RC4'],
    ['x, aNULL,x, RC4 x', 'aNULL, RC4'],
    ['RC4, !RC4, SEED', 'RC4, SEED'],
    ['${list}, x, !RC4', '${list}, RC4'],
    ['x', ''],
  ])('%s with its words put right is %s', (raw, wanted) => {
    expect(withWords(raw, meant)).toBe(wanted);
  });
});

// What a profile forbids, told by the names that OpenSSL gives to suites.
const WEAK = /NULL|^EXP|DES-CBC|RC2|RC4|MD5|SEED|IDEA|PSK|SRP/;
const ANONYMOUS = /^(EXP-)?(ADH|AECDH)-/;
const STRONG = /^(TLS_|(EC)?DHE-.*(GCM|CCM|CCM8|POLY1305))/;

const words = fc.constantFrom(
  'aNULL',
  'eNULL',
  'RC4',
  '3DES',
  'DES',
  'MD5',
  'EXPORT',
  'SEED',
  'kRSA',
  'CAMELLIA',
  'SHA',
  'AES+SHA256',
  'RC5',
);
const lists = fc
  .tuple(fc.uniqueArray(words, { maxLength: 6 }), fc.constantFrom(', ', ' ', ':', ','))
  .map(([chosen, by]) => chosen.join(by));
const cases = fc.record({
  profile: fc.constantFrom('modern', 'strict'),
  grade: fc.constantFrom('high', 'medium', 'low', 'export'),
  server: lists,
  mandatory: lists,
  client: fc.oneof(lists, fc.constant('$smtpd_tls_exclude_ciphers')),
  mandatoryClient: fc.oneof(lists, fc.constant('$smtpd_tls_exclude_ciphers')),
  level: fc.constantFrom('may', 'encrypt', 'dane'),
});

describe('a fix', () => {
  it.each([
    ['2.9.6', '1.0.1'],
    ['3.1.15', '1.0.2'],
    ['3.5.25', '1.1.1'],
    ['3.7.11', '3.0'],
    ['3.11.7', '3.6'],
  ])('leaves nothing that the profile forbids: Postfix %s, OpenSSL %s', (postfix, openssl) => {
    fc.assert(
      fc.property(cases, ({ profile, grade, server, mandatory, client, mandatoryClient, level }) => {
        const texts = {
          'main.cf': main(
            `smtpd_tls_ciphers = ${grade}`,
            `smtpd_tls_exclude_ciphers = ${server}`,
            `smtpd_tls_mandatory_exclude_ciphers = ${mandatory}`,
            `smtp_tls_security_level = ${level}`,
            `smtp_tls_exclude_ciphers = ${client}`,
            `smtp_tls_mandatory_exclude_ciphers = ${mandatoryClient}`,
          ),
          'master.cf': MASTER,
        };
        const input = hostInputFromTexts(texts, { postfix, openssl });
        const { after } = proposeFixes(input, BUILTIN_RULES, builtinProfile(profile));
        for (const { id, side, mandatory: required, tls } of after.postfix?.endpoints ?? []) {
          const left = (tls.ciphers ?? []).filter(
            ({ name }) =>
              WEAK.test(name) ||
              (required && ANONYMOUS.test(name)) ||
              (profile === 'strict' && side === 'server' && ANONYMOUS.test(name)) ||
              (profile === 'strict' && required && !STRONG.test(name)),
          );
          expect({ id, left }).toEqual({ id, left: [] });
          expect(tls.ciphers).not.toEqual([]);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('where the OpenSSL release is only assumed', () => {
  const found = (postfix: string | undefined, ...lines: readonly string[]): string[] => {
    const host = hostFromTexts({ 'main.cf': main(...lines), 'master.cf': MASTER }, { postfix });
    return evaluate(host, BUILTIN_RULES, builtinProfile('modern'))
      .filter(({ rule }) => rule === 'postfix/server-ciphers')
      .map(({ message }) => message);
  };

  it('a list is judged by what the release of Postfix may have been built with', () => {
    const excluded = 'smtpd_tls_mandatory_exclude_ciphers = aNULL';
    expect(found(undefined, excluded)).toEqual([]);
    expect(found('3.11.7', excluded)).toEqual([]);
    expect(found('3.1.15', excluded).join()).toMatch(/with RC4.*with OpenSSL 1\.0\.1, the oldest/);
  });
});

describe('the names of suites', () => {
  const input = hostInputFromTexts(
    { 'main.cf': main('smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1'), 'master.cf': MASTER },
    { postfix: '3.1.15', openssl: '1.0.2' },
  );
  const host = buildHost(input);
  const findings = evaluate(host, BUILTIN_RULES, builtinProfile('modern'), {
    only: new Set(['postfix/server-ciphers']),
  });
  const text = (verbose: boolean): string =>
    hostText(hostReport(host, findings, 'info'), { width: 100, palette: PLAIN, profile: 'modern', verbose });

  it('are counted by class, and shown with --verbose', () => {
    expect(text(false)).toMatch(/can choose \d+ suites with RC4/);
    expect(text(false)).not.toContain('DES-CBC3-SHA');
    expect(text(false)).toContain('names  shown with --verbose');
    expect(text(true)).toMatch(/names {2}3DES: .*ECDHE-RSA-DES-CBC3-SHA/);
  });

  it('are always among the places of a finding', () => {
    const names = findings.flatMap(({ related }) => related.map(({ message }) => message));
    expect(names.some((message) => /^RC4: .*ECDHE-RSA-RC4-SHA/.test(message))).toBe(true);
  });
});

describe('a value of a hundred thousand words', () => {
  const long = (word: (index: number) => string): string =>
    Array.from({ length: 100_000 }, (_, i) => word(i)).join(' ');
  it.each([
    ['exclusions that nobody knows', `smtpd_tls_exclude_ciphers = ${long((index) => `X${index}`)}`],
    ['exclusions with operators', `smtpd_tls_exclude_ciphers = ${long((index) => `!X${index}`)}`],
    ['a cipher list', `tls_medium_cipherlist = ${long(() => 'HIGH:!aNULL')}`],
    ['a word', `smtpd_tls_ciphers = ${'x'.repeat(500_000)}`],
  ])('is judged in good time: %s', (_, line) => {
    const host = hostFromTexts(
      { 'main.cf': main(line), 'master.cf': MASTER },
      { postfix: '3.7.11', openssl: '3.0' },
    );
    const start = process.cpuUsage();
    evaluate(host, BUILTIN_RULES, builtinProfile('strict'));
    const { user, system } = process.cpuUsage(start);
    // What is quadratic takes minutes.
    expect((user + system) / 1e6).toBeLessThan(5);
  });
});
