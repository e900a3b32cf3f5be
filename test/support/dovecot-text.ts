/** Configurations of the cases for running servers, as text. */
import { atLeast, type Release } from '../../src/model/release.ts';
import type { Case, Surroundings } from './dovecot-cases.ts';

/** The account that every configuration of these tests lets in. */
export const USER = 'someone';
export const PASSWORD = 'loopback';

/** Whether a release has the language of 2.3. */
export function isOld(release: Release): boolean {
  return !atLeast(release, '2.4.0');
}

/**
 * Settings of the surroundings of a test: where files go, who may log in, and nothing that is judged. They
 * stand first, because 2.4 wants its version there.
 *
 * @param folder as the server sees it
 */
export function surroundings(release: Release, folder: string): string {
  const common = [
    `base_dir = ${folder}/run`,
    `state_dir = ${folder}/state`,
    `log_path = ${folder}/log`,
    'first_valid_uid = 1',
  ];
  const lines = isOld(release)
    ? [
        ...common,
        'default_vsz_limit = 0',
        `mail_location = maildir:${folder}/mail/%u`,
        'passdb {',
        '  driver = static',
        `  args = password=${PASSWORD}`,
        '}',
        'userdb {',
        '  driver = static',
        `  args = uid=65534 gid=65534 home=${folder}/mail/%u`,
        '}',
      ]
    : [
        `dovecot_config_version = ${release}`,
        `dovecot_storage_version = ${release}`,
        ...common,
        'mail_driver = maildir',
        `mail_path = ${folder}/mail/%{user}`,
        'passdb static {',
        `  password = ${PASSWORD}`,
        '}',
        'userdb static {',
        '  fields {',
        '    uid = 65534',
        '    gid = 65534',
        `    home = ${folder}/mail/%{user}`,
        '  }',
        '}',
      ];
  return lines.map((line) => `${line}\n`).join('');
}

/** The dovecot.conf of a case. */
export function textOf(release: Release, folder: string, one: Case, at: Surroundings): string {
  const { files, ports } = at;
  const old = isOld(release);
  const listener = (name: 'imap' | 'imaps' | 'pop3' | 'pop3s'): string =>
    [
      `  inet_listener ${name} {`,
      `    port = ${ports[name]}`,
      ...(one.listeners?.[name] ?? []).map((line) => `    ${line}`),
      '  }',
      '',
    ].join('\n');
  const pair = (name: string, which: '' | 'alt_'): string =>
    old
      ? `ssl_${which}cert = <${files}/${name}.crt\nssl_${which}key = <${files}/${name}.key\n`
      : `ssl_server_${which}cert_file = ${files}/${name}.crt\nssl_server_${which}key_file = ${files}/${name}.key\n`;
  const certificates = {
    rsa: pair('rsa', ''),
    ec: pair('ec', ''),
    both: pair('rsa', '') + pair('ec', 'alt_'),
    none: '',
  }[one.certificate ?? 'rsa'];
  const text = typeof one.text === 'function' ? one.text(at) : (one.text ?? '');
  return [
    surroundings(release, folder),
    certificates,
    `protocols = ${one.protocols ?? 'imap pop3'}\n`,
    `listen = ${one.listen ?? '127.0.0.1'}\n`,
    `service imap-login {\n${listener('imap')}${listener('imaps')}}\n`,
    `service pop3-login {\n${listener('pop3')}${listener('pop3s')}}\n`,
    typeof text === 'string' ? text : text[old ? 'old' : 'new'],
  ].join('');
}
