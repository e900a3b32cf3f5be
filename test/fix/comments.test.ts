// Fixes among comments that silence rules: each comment keeps standing before its setting.
import { pages } from 'virtual:builtin-rule-pages';
import { proposeFixes } from '../../src/fix/fix.ts';
import { type HostInput, hostSources, withTexts } from '../../src/hosts/host.ts';
import { exampleText } from '../../src/rules/rule.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { SourceFile } from '../../src/text/source.ts';
import { dovecotCases, dovecotInput, hostInputFromFolder, postfixCases } from '../support/corpus.ts';
import { fixFaults } from '../support/fix-invariants.ts';
import { hostInputFromTexts } from '../support/host.ts';

const MODERN = builtinProfile('modern');
const MASTER = 'smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n';

function fixed(texts: Readonly<Record<string, string>>, only?: readonly string[]): Record<string, string> {
  const { files } = proposeFixes(hostInputFromTexts(texts), BUILTIN_RULES, MODERN, {
    unsafe: true,
    ...(only === undefined ? {} : { only: new Set(only) }),
  });
  return Object.fromEntries(files.map(({ after: { path, text } }) => [path, text]));
}

describe('a fix', () => {
  const protocols = 'smtpd_tls_protocols = !SSLv2, !SSLv3\n';
  const level = 'smtpd_tls_security_level = may\n';
  const comment = '# pfharden: ignore server-protocols -- the fax machine\n';

  test('leaves what is silenced, even where it is asked for', () => {
    const texts = { 'main.cf': `${level}${comment}${protocols}`, 'master.cf': MASTER };
    expect(fixed(texts, ['postfix/server-protocols'])).toEqual({});
    const { suppressed } = proposeFixes(hostInputFromTexts(texts), BUILTIN_RULES, MODERN);
    expect(suppressed.map(({ finding }) => finding.rule)).toEqual(['postfix/server-protocols']);
  });

  test('takes the comment away with its setting', () => {
    const texts = {
      'main.cf': `# kept\n# pfharden: ignore unknown-parameter until 2999-01-01\nsmtpd_use_tls = yes\n${level}`,
      'master.cf': MASTER,
    };
    expect(fixed(texts, ['postfix/obsolete-tls-switch'])).toEqual({ 'main.cf': `# kept\n${level}` });
  });

  test('takes the comment away that stands in a value that goes', () => {
    const comment2 = '# pfharden: ignore postfix/restriction-unknown until 2001-01-01';
    const main = `smtpd_helo_required = yes\nmynetworks =\n  127.0.0.0/8,\n# kept\n${comment2}\n  192.0.2.0/24,\n  198.51.100.0/24\nmynetworks = 127.0.0.0/8\n`;
    expect(fixed({ 'main.cf': main, 'master.cf': MASTER }, ['postfix/duplicate-setting'])).toEqual({
      'main.cf': 'smtpd_helo_required = yes\n# kept\nmynetworks = 127.0.0.0/8\n',
    });
  });

  test('removes what has become needless when all else is mended', () => {
    const main = `smtpd_use_tls = yes\n# pfharden: ignore server-protocols\nsmtpd_tls_protocols = >=TLSv1.2\n${level}`;
    expect(
      fixed({ 'main.cf': main, 'master.cf': MASTER }, ['postfix/obsolete-tls-switch', 'silencing/unused']),
    ).toEqual({
      'main.cf': `smtpd_tls_protocols = >=TLSv1.2\n${level}`,
    });
  });

  test('keeps a comment whose rule speaks only when something else is mended', () => {
    const main = `smtpd_tls_chain_files = /etc/postfix/mail.pem\n${comment}${protocols}`;
    const after = fixed({ 'main.cf': main, 'master.cf': MASTER }, [
      'postfix/server-tls-off',
      'silencing/unused',
    ]);
    expect(after['main.cf']).toContain(`${comment}${protocols}`);
    expect(after['main.cf']).toContain(level);
  });

  test('puts the version of Dovecot behind what speaks for the whole file, and above what speaks for a setting', () => {
    const head = '# pfharden: ignore-file dovecot/ciphers until 2999-01-01\n';
    const first = '# pfharden: ignore dovecot/protocols until 2999-01-01\nssl = required\n';
    const input = hostInputFromTexts({ 'dovecot.conf': `${head}${first}` }, { dovecot: '2.4.1' });
    const { files } = proposeFixes(input, BUILTIN_RULES, MODERN, {
      only: new Set(['dovecot/config-version']),
    });
    expect(files.map(({ after }) => after.text)).toEqual([
      `${head}dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n${first}`,
    ]);
  });
});

const PAST = '2026-11-26';
const KEY = /^\s*(?:-o\s*\{?\s*)?("?[^\s={]+"?)/;

/** The host with a comment before each line that sets something; all are past their day, so that they do nothing. */
function commented(input: HostInput): HostInput {
  let number = 0;
  const changed = new Map<string, SourceFile>();
  for (const { path, text, encoding } of hostSources(input)) {
    const dovecot = !/(?:^|\/)(?:main|master)\.cf$/.test(path);
    const lines = text.split('\n');
    const wanted = lines.map((line, index) => {
      const joined = dovecot && index > 0 && /\\\s*$/.test(lines[index - 1] ?? '');
      const first = /^[^\s#]/.test(line) || (/^\s+[^\s#]/.test(line) && (dovecot || /^\s+-o\b/.test(line)));
      return first && !joined && !/^\s*\}/.test(line);
    });
    const rule = dovecot ? 'dovecot/syntax' : 'postfix/syntax';
    const result = lines.flatMap((line, index) =>
      wanted[index] === true
        ? [`# pfharden: ignore ${rule} until 2001-01-01 -- number ${number++};`, line]
        : [line],
    );
    changed.set(path, new SourceFile(path, result.join('\n'), encoding));
  }
  return { ...withTexts(input, changed), now: Date.parse(PAST) };
}

/** What each comment stands before, by its number. */
function targets(input: HostInput): Map<string, string> {
  const found = new Map<string, string>();
  for (const { text } of hostSources(input)) {
    const waiting: string[] = [];
    for (const line of text.split('\n')) {
      const [, number] = /-- number (\d+);/.exec(line) ?? [];
      if (number !== undefined) waiting.push(number);
      else if (!/^\s*(?:#|$)/.test(line)) for (const one of waiting.splice(0)) found.set(one, line);
    }
    for (const one of waiting) found.set(one, '(nothing)');
  }
  return found;
}

function valueOf(line: string): string {
  return line.slice(line.indexOf('=') + 1).trim();
}

/** Comments that a fix has moved before something else. */
function misplaced(input: HostInput, profile = MODERN): string[] {
  const host = commented(input);
  const { after } = proposeFixes(host, BUILTIN_RULES, profile, { unsafe: true });
  const was = targets(host);
  const text = hostSources(after.input)
    .map((source) => source.text)
    .join('\n');
  return [...targets(after.input)].flatMap(([number, line]) => {
    const [, old = ''] = KEY.exec(was.get(number) ?? '') ?? [];
    const [, now = ''] = KEY.exec(line) ?? [];
    // A setting that got another name in its place keeps its comment.
    const renamed = !text.split('\n').some((other) => KEY.exec(other)?.[1] === old);
    const sameValue = valueOf(line) === valueOf(was.get(number) ?? '');
    return old === now || renamed || sameValue ? [] : [`${was.get(number)} -> ${line}`];
  });
}

describe.each(pages.filter(({ applies }) => applies.server !== 'any').map((rule) => ({ id: rule.id, rule })))(
  'comments in the examples of $id',
  ({ rule }) => {
    test('stay with their settings', () => {
      const faults = rule.examples.bad.flatMap((example) => {
        const texts = Object.fromEntries(
          Object.entries(example.files).map(([path, text]) => [path, exampleText(text)]),
        );
        return misplaced(hostInputFromTexts(texts, example), builtinProfile(example.profile ?? 'modern'));
      });
      expect(faults).toEqual([]);
    });
  },
);

// Every seventh case, and all invariants of a fix with it.
const cases = [
  ...postfixCases().map(({ id, folder }) => ({ id, input: async () => hostInputFromFolder(folder) })),
  ...dovecotCases().map(({ id, folder }) => ({ id, input: () => dovecotInput(folder) })),
].filter((_, index) => index % 7 === 0);

if (cases.length > 0) {
  test.each(cases)('comments in $id stay with their settings', async ({ input }) => {
    const host = await input();
    expect(misplaced(host)).toEqual([]);
  });

  test.each(cases.filter((_, index) => index % 3 === 0))(
    'a fix of $id with comments keeps what it must',
    async ({ input }) => {
      const { faults } = fixFaults(commented(await input()), MODERN);
      expect(faults.filter((fault) => !/lost the line "\s*# pfharden: ignore/.test(fault))).toEqual([]);
    },
  );
}
