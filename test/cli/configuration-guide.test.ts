// The examples of docs/configuration.md, run: each section has files and what commands say of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pfharden, useFolder, writeFiles } from '../support/folder.ts';
import { pattern } from '../support/shown.ts';

const GUIDE = join(import.meta.dirname, '..', '..', 'docs', 'configuration.md');
const HOSTS = ['mx1', 'mx2', 'scanner'];
const MAIN = [
  'compatibility_level = 3.6',
  'smtpd_tls_security_level = may',
  'smtpd_tls_chain_files = /etc/postfix/mail.pem',
  'smtpd_tls_protocols = !SSLv2, !SSLv3',
  '',
].join('\n');

interface Section {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly sessions: readonly string[];
}

const sections = readFileSync(GUIDE, 'utf8')
  .split(/^## /m)
  .slice(1)
  .map((text): Section => {
    const blocks = [...text.matchAll(/^```(\S+) ?(\S*)\n([^]*?)^```$/gm)];
    return {
      title: text.slice(0, text.indexOf('\n')),
      files: Object.fromEntries(
        blocks.filter(([, kind]) => kind === 'jsonc').map(([, , name = '', body]) => [name, body ?? '']),
      ),
      sessions: blocks.filter(([, kind]) => kind === 'console').map(([, , , body]) => body ?? ''),
    };
  })
  .filter(({ files }) => Object.keys(files).length > 0);

useFolder();

beforeEach(() => {
  for (const host of HOSTS)
    writeFiles({
      [`hosts/${host}/postfix/main.cf`]: MAIN,
      [`hosts/${host}/postfix/master.cf`]: 'smtp inet n - n - - smtpd\n',
    });
});

test('the guide has examples of all that it tells of', () => {
  expect(sections.map(({ title }) => title)).toEqual([
    'Profile and severity',
    'Thresholds',
    'Hosts',
    'Releases',
    'What is not judged',
    'One file for several repositories',
    'Faults',
    'Editors',
  ]);
});

test.each(sections)('$title', ({ files, sessions }) => {
  writeFiles(files);
  // Where nothing is shown, at least nothing is said against the files.
  for (const session of sessions.length === 0
    ? ['$ pfharden lint --quiet --fail-on error --rule syntax']
    : sessions)
    for (const part of session.split(/^\$ /m).slice(1)) {
      const [command = '', ...expected] = part.trimEnd().split('\n');
      const [program, ...args] = command.split(' ');
      expect(program).toBe('pfharden');
      const { stdout, stderr } = pfharden(...args);
      expect(`${stderr}${stdout}`.trimEnd()).toMatch(pattern(expected.join('\n')));
    }
});
