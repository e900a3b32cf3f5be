import { newFindings, proposeFixes } from '../../src/fix/fix.ts';
import type { Finding } from '../../src/model/finding.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostInputFromTexts } from '../support/host.ts';

const MASTER = [
  'smtp      inet  n       -       y       -       -       smtpd',
  'submission inet n       -       y       -       -       smtpd',
  '  -o smtpd_tls_security_level=encrypt',
  '',
].join('\n');

/** What lint says of a host with these two ports, under the profile strict. */
function findings(main: string): readonly Finding[] {
  const input = hostInputFromTexts({ 'main.cf': main, 'master.cf': MASTER });
  return proposeFixes(input, BUILTIN_RULES, builtinProfile('strict')).findingsBefore;
}

const [vrfy] = findings('disable_vrfy_command = no\n').filter(({ rule }) => rule === 'postfix/vrfy');
if (vrfy === undefined) throw new Error('no finding of postfix/vrfy');
const elsewhere = { ...vrfy, fingerprint: 'another' };

it('knows a finding again at another line, in another file', () => {
  const { at } =
    findings('disable_vrfy_command = no\n').find(({ rule }) => rule === 'postfix/helo-optional') ?? vrfy;
  expect(at.source.path).not.toBe(vrfy.at.source.path);
  expect(newFindings([vrfy], [{ ...elsewhere, at }])).toEqual([]);
});

it('takes one for new that has come to one more endpoint, whichever stands first', () => {
  const [port] = vrfy.endpoints;
  for (const endpoints of [
    [port ?? '', 'added/inet'],
    ['added/inet', port ?? ''],
  ]) {
    expect(newFindings([{ ...vrfy, endpoints: [port ?? ''] }], [{ ...elsewhere, endpoints }])).toHaveLength(
      1,
    );
  }
});

it('takes one for new that has no endpoint and stands in another file', () => {
  const hostWide = { ...vrfy, endpoints: [] };
  const { at } =
    findings('disable_vrfy_command = no\n').find(({ rule }) => rule === 'postfix/helo-optional') ?? vrfy;
  expect(newFindings([hostWide], [{ ...hostWide, fingerprint: 'another' }])).toEqual([]);
  expect(newFindings([hostWide], [{ ...hostWide, fingerprint: 'another', at }])).toHaveLength(1);
});

it('makes the fixes that move the place of a default', () => {
  const input = hostInputFromTexts({
    'main.cf': 'compatibility_level = 3.6\nmydestination = example.com\n',
    'master.cf': MASTER,
  });
  const { mended } = proposeFixes(input, BUILTIN_RULES, builtinProfile('modern'));
  expect(mended.map(({ rule }) => rule)).toEqual(
    expect.arrayContaining(['postfix/vrfy', 'postfix/helo-optional']),
  );
});
