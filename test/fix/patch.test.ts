import { PatchError, patchedHosts } from '../../src/fix/patch.ts';
import { hostSources } from '../../src/hosts/host.ts';
import { hostInputFromTexts } from '../support/host.ts';

const input = hostInputFromTexts({
  'main.cf': 'smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2\n',
  'master.cf': 'smtp inet n - n - - smtpd\n',
});
const HUNK = '@@ -2 +2 @@\n-smtpd_tls_protocols = !SSLv2\n+smtpd_tls_protocols = >=TLSv1.2\n';
const textsOf = (text: string): (string | undefined)[] =>
  patchedHosts([input], text).flatMap((host) => hostSources(host).map((source) => source.text));

test.each([
  ['as git has it', '--- a/etc/postfix/main.cf\n+++ b/etc/postfix/main.cf\n'],
  [
    'as diff -u has it',
    '--- /etc/postfix/main.cf\t2026-11-26 10:00:00 +0000\n+++ main.cf.new\t2026-11-26 10:00:01\n',
  ],
  [
    'with lines before it',
    '# a sentence\ndiff --git a/main.cf b/main.cf\nindex 1..2 100644\n--- a/main.cf\n+++ b/main.cf\n',
  ],
])('a diff %s', (_, head) => {
  expect(textsOf(head + HUNK)).toEqual([
    'smtpd_tls_security_level = may\nsmtpd_tls_protocols = >=TLSv1.2\n',
    'smtp inet n - n - - smtpd\n',
  ]);
});

test.each([
  ['', 'is no unified diff, or changes nothing'],
  ['smtpd_tls_protocols = x\n', 'is no unified diff, or changes nothing'],
  [`--- a/other.cf\n+++ b/other.cf\n${HUNK}`, 'changes other.cf, which is none of the files'],
  [`--- a/main.cf\n+++ b/main.cf\n${HUNK.replace('!SSLv2', '!SSLv3')}`, 'does not fit main.cf'],
  ['--- a/main.cf\n+++ b/main.cf\n@@ -2 +2 @@\n', 'is no unified diff'],
])('%j', (text, problem) => {
  expect(() => textsOf(text)).toThrow(PatchError);
  expect(() => textsOf(text)).toThrow(problem);
});

test('files of one name in two hosts', () => {
  expect(() => patchedHosts([input, { ...input }], `--- a/main.cf\n+++ b/main.cf\n${HUNK}`)).toThrow(
    'changes main.cf, and there are 2 of that name',
  );
});
