// Repositories of many hosts in the shapes of real configurations, for measuring.
import fs from 'node:fs';
import path from 'node:path';
import { corpusFiles } from '../support/corpus.ts';
import { random } from '../support/render-host.ts';

/** The files of one configuration, by their paths in its folder. */
type Shape = ReadonlyMap<string, string>;

/** Of ten hosts: what they run. */
const KINDS = [
  'postfix',
  'postfix',
  'postfix',
  'postfix',
  'both',
  'both',
  'both',
  'both',
  'dovecot',
  'dovecot',
];

/** Of a hundred hosts, so many have files that a template engine has still to fill: most folders of hosts hold what lies on them. */
const TEMPLATED = 10;

/** Names whose values change from host to host, and what they may be. */
const VALUES: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['smtpd_tls_security_level', ['may', 'encrypt', 'none', 'may']],
  ['smtp_tls_security_level', ['may', 'dane', 'encrypt', '']],
  ['smtpd_tls_protocols', ['!SSLv2, !SSLv3', '>=TLSv1.2', '!SSLv2,!SSLv3,!TLSv1,!TLSv1.1', 'TLSv1.2']],
  ['smtpd_tls_mandatory_protocols', ['!SSLv2, !SSLv3', '>=TLSv1.2', '!SSLv2, !SSLv3, !TLSv1']],
  ['smtpd_tls_ciphers', ['medium', 'high', 'low', 'export']],
  ['smtpd_tls_mandatory_ciphers', ['medium', 'high']],
  ['smtpd_sasl_auth_enable', ['yes', 'no']],
  ['smtpd_tls_auth_only', ['yes', 'no']],
  ['disable_vrfy_command', ['yes', 'no']],
  ['ssl', ['yes', 'required', 'no']],
  ['ssl_min_protocol', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
  ['ssl_prefer_server_ciphers', ['yes', 'no']],
  ['disable_plaintext_auth', ['yes', 'no']],
  ['auth_mechanisms', ['plain', 'plain login', 'plain login cram-md5', 'plain digest-md5']],
];

/** Parts of which cipher strings are made, as people make them. */
const CIPHERS =
  'HIGH MEDIUM !aNULL !eNULL !MD5 !RC4 !3DES !DES !EXPORT !PSK !SRP EECDH+AESGCM EDH+AESGCM AES256 ECDHE ALL'.split(
    ' ',
  );

/** Shapes where there are no real ones: what distributions install, a template, and a conf.d. */
const PLAIN_SHAPES: { readonly postfix: readonly Shape[]; readonly dovecot: readonly Shape[] } = {
  postfix: [
    shape({
      'main.cf':
        'compatibility_level = 3.6\nmyhostname = mail.example.com\nmydestination = $myhostname, localhost\nmynetworks = 127.0.0.0/8 [::1]/128\nrelayhost =\nsmtpd_tls_cert_file = /etc/ssl/certs/mail.pem\nsmtpd_tls_key_file = /etc/ssl/private/mail.key\nsmtpd_tls_security_level = may\nsmtp_tls_security_level = may\nsmtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination\n',
      'master.cf':
        'smtp      inet  n       -       y       -       -       smtpd\nsubmission inet n       -       y       -       -       smtpd\n  -o syslog_name=postfix/submission\n  -o smtpd_tls_security_level=encrypt\n  -o smtpd_sasl_auth_enable=yes\nsmtp      unix  -       -       y       -       -       smtp\nrelay     unix  -       -       y       -       -       smtp\n',
    }),
    shape({
      'main.cf':
        'myhostname = mx.example.com\nsmtpd_use_tls = yes\nsmtpd_tls_ciphers = medium\nsmtpd_tls_exclude_ciphers = aNULL, MD5\nsmtpd_tls_protocols = !SSLv2, !SSLv3\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\nsmtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination\ntls_high_cipherlist = HIGH:!aNULL\n',
      'master.cf':
        'smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\nsmtps inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\nsmtp unix - - n - - smtp\n',
    }),
    shape({
      'main.cf.j2':
        'myhostname = {{ inventory_hostname }}\nsmtpd_tls_security_level = {{ level | default("may") }}\n{% if relay %}\nrelayhost = [{{ relay }}]:587\nsmtp_tls_security_level = encrypt\n{% endif %}\nsmtpd_tls_protocols = !SSLv2, !SSLv3\n',
      'master.cf': 'smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n',
    }),
  ],
  dovecot: [
    shape({
      'dovecot.conf':
        'protocols = imap pop3 lmtp\nssl = required\nssl_cert = </etc/ssl/certs/mail.pem\nssl_key = </etc/ssl/private/mail.key\nssl_min_protocol = TLSv1.2\nauth_mechanisms = plain login\npassdb {\n  driver = pam\n}\nuserdb {\n  driver = passwd\n}\nservice auth {\n  unix_listener /var/spool/postfix/private/auth {\n    mode = 0660\n    user = postfix\n  }\n}\n',
    }),
    shape({
      'dovecot.conf': '!include conf.d/*.conf\nlisten = *, ::\n',
      'conf.d/10-auth.conf': 'disable_plaintext_auth = no\nauth_mechanisms = plain\n',
      'conf.d/10-ssl.conf': 'ssl = yes\nssl_cipher_list = ALL:!LOW:!SSLv2:!EXP:!aNULL\n',
      'conf.d/10-master.conf':
        'service imap-login {\n  inet_listener imap {\n    port = 143\n  }\n  inet_listener imaps {\n    port = 993\n    ssl = yes\n  }\n}\n',
    }),
  ],
};

function shape(files: Readonly<Record<string, string>>): Shape {
  return new Map(Object.entries(files));
}

/** The shapes of the corpus, and whether there is one. */
export function shapes(): { readonly ofCorpus: boolean } & typeof PLAIN_SHAPES {
  const corpus = corpusFiles();
  const has = (files: Shape, ...names: readonly RegExp[]): boolean =>
    names.some((name) => [...files.keys()].some((file) => name.test(file)));
  const postfix = corpus.filter((files) => has(files, /^main\.cf(\.\w+)?$/, /^master\.cf(\.\w+)?$/));
  const dovecot = corpus.filter((files) => has(files, /^dovecot\.conf(\.\w+)?$/));
  return postfix.length > 0 && dovecot.length > 0
    ? { ofCorpus: true, postfix, dovecot }
    : { ofCorpus: false, ...PLAIN_SHAPES };
}

/**
 * Writes a repository with a folder for each host. The same seed makes the same hosts, and the first hosts of a
 * large repository are those of a small one.
 *
 * @returns the folders of the hosts
 */
export function makeRepository(folder: string, count: number, seed: number): readonly string[] {
  const { postfix, dovecot } = shapes();
  const isTemplated = (files: Shape): boolean =>
    [...files].some(
      ([file, text]) => /\.(?:j2|erb|epp|tmpl|tpl|template)$/.test(file) || /\{\{|\{%|<%/.test(text),
    );
  const ofKind = (all: readonly Shape[], templated: boolean): readonly Shape[] => {
    const found = all.filter((files) => isTemplated(files) === templated);
    return found.length > 0 ? found : all;
  };
  const plain = { postfix: ofKind(postfix, false), dovecot: ofKind(dovecot, false) };
  const templated = { postfix: ofKind(postfix, true), dovecot: ofKind(dovecot, true) };
  const folders: string[] = [];
  for (let number = 0; number < count; number++) {
    const next = random(seed + Math.imul(number, 0x9e3779b1));
    const pick = <T>(all: readonly T[]): T => all[Math.floor(next() * all.length)] as T;
    const name = `mx${String(number).padStart(5, '0')}`;
    const host = path.join(folder, 'hosts', name.slice(0, 4), name);
    const kind = pick(KINDS);
    const from = next() * 100 < TEMPLATED ? templated : plain;
    if (kind !== 'dovecot') writeShape(path.join(host, 'etc/postfix'), pick(from.postfix), name, next);
    if (kind !== 'postfix') writeShape(path.join(host, 'etc/dovecot'), pick(from.dovecot), name, next);
    folders.push(host);
  }
  return folders;
}

function writeShape(folder: string, files: Shape, name: string, next: () => number): void {
  for (const [file, text] of files) {
    const target = path.join(folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, varied(text, name, next));
  }
}

/** The text with a name of its own, and now and then another value. */
function varied(text: string, name: string, next: () => number): string {
  const pick = (all: readonly string[]): string => all[Math.floor(next() * all.length)] ?? '';
  const lines = text.split('\n').map((line) => {
    const [, before = '', key = '', equals = '', value = ''] =
      /^(\s*)([\w-]+)(\s*=\s*)(.*)$/.exec(line) ?? [];
    if (key === '' || /[{}%<>$\\]/.test(value)) return line;
    if (key === 'myhostname') return `${before}${key}${equals}${name}.example.net`;
    if (next() > 0.3) return line;
    if (/cipherlist$|^ssl_cipher_list$/.test(key)) {
      const parts = Array.from({ length: 2 + Math.floor(next() * 4) }, () => pick(CIPHERS));
      return `${before}${key}${equals}${parts.join(':')}`;
    }
    const values = VALUES.find(([one]) => one === key)?.[1];
    return values === undefined ? line : `${before}${key}${equals}${pick(values)}`;
  });
  return `# ${name}\n${lines.join('\n')}`;
}
