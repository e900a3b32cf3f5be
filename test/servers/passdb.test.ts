import fs from 'node:fs';
import path from 'node:path';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { isOld, PASSWORD, surroundings } from '../support/dovecot-text.ts';
import { hostFromTexts } from '../support/host.ts';
import { type Root, roots } from './roots.ts';
import { freePort } from './running.ts';
import { login, makeHome, startDovecot } from './running-dovecot.ts';

// A Dovecot whose first passdb has another password than the client: where pfharden reports
// dovecot/any-password of the second one, the client is let in all the same, and elsewhere it is not.

/** The second passdb: its keys, and the fields that it gives, in the words of all releases. */
interface Case {
  readonly title: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly keys?: Readonly<Record<string, string>>;
  /** Keys of the first passdb. */
  readonly first?: Readonly<Record<string, string>>;
}

const CASES: readonly Case[] = [
  { title: 'nopassword', fields: { nopassword: 'y' } },
  { title: 'nopassword = no', fields: { nopassword: 'no' } },
  { title: 'nothing', fields: { user: 'joe' } },
  { title: 'networks', fields: { nopassword: 'y', allow_nets: '192.0.2.0/24' } },
  { title: 'one that denies', fields: { nopassword: 'y' }, keys: { deny: 'yes' } },
  { title: 'for master users', fields: { nopassword: 'y' }, keys: { master: 'yes' } },
  { title: 'not the last word', fields: { nopassword: 'y' }, keys: { result_success: 'continue-fail' } },
  { title: 'never asked', fields: { nopassword: 'y' }, first: { result_failure: 'return-fail' } },
  { title: 'asked when the first fails', fields: { nopassword: 'y' }, first: { result_failure: 'continue' } },
];

function configuration(root: Root, folder: string, { fields, keys = {}, first = {} }: Case): string {
  const old = isOld(root.dovecot);
  const lines = (values: Readonly<Record<string, string>>): string =>
    Object.entries(values)
      .map(([key, value]) => `  ${key} = ${value}\n`)
      .join('');
  const words = Object.entries(fields).map(([key, value]) => `${key}=${value}`);
  const second = old
    ? `passdb {\n  driver = static\n  args = ${words.join(' ')}\n${lines(keys)}}\n`
    : `passdb second {\n  driver = static\n  fields {\n  ${lines(fields).replaceAll('\n  ', '\n    ')}  }\n${lines(keys)}}\n`;
  return (
    surroundings(root.dovecot, folder)
      .replace(PASSWORD, 'another')
      .replace(/(passdb.*\n)/, `$1${lines(first)}`) + second
  );
}

/** Whether pfharden reports the passdb, and whether the client gets in. */
async function tried(
  root: Root,
  one: Case,
): Promise<{ readonly reported: boolean; readonly taken: unknown }> {
  const home = makeHome(root);
  const port = await freePort();
  const text = `${configuration(root, home.inside, one)}protocols = imap
ssl = no
listen = 127.0.0.1
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`;
  fs.writeFileSync(path.join(home.outside, 'dovecot.conf'), text);
  const releases = { postfix: root.postfix, dovecot: root.dovecot, openssl: root.openssl };
  const findings = evaluate(
    hostFromTexts({ 'dovecot.conf': text }, releases),
    BUILTIN_RULES,
    builtinProfile('modern'),
    { only: new Set(['dovecot/any-password']) },
  );
  const server = await startDovecot(root, home, [port]);
  try {
    const client = { protocol: 'imap', host: '127.0.0.1', port, from: '127.0.0.1', tls: 'none' } as const;
    return { reported: findings.length > 0, taken: server.failed ? server.log() : await login(client) };
  } finally {
    await server.stop();
  }
}

describe.each(roots().map((root) => ({ name: `Dovecot ${root.dovecot}`, root })))('$name', ({ root }) => {
  it('lets in with any password where that is reported, and nowhere else', async () => {
    const seen = await Promise.all(
      CASES.map(async (one) => ({ title: one.title, ...(await tried(root, one)) })),
    );
    expect(seen).toEqual(seen.map(({ title, reported }) => ({ title, reported, taken: reported })));
    expect(seen.filter(({ taken }) => taken === true)).toHaveLength(3);
  });
});
