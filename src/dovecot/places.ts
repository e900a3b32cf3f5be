/**
 * Where a setting belongs among the files of Dovecot. The example configuration that Dovecot ships, and
 * that distributions install, has a file for each kind of settings; what an admin adds to it goes into a
 * file of its own that is read later (dovecot.conf: "!include_try local.conf").
 */

/** Files that stand behind those of the distribution and exist to override them. */
const OVERRIDE =
  /(^|\/)(local|custom|override|overrides|zz[\w-]*|9[5-9]-[\w-]*|[\w-]*[-_](local|custom|override|overrides))\.conf$/;

/** True for a file whose name says that it overrides others: local.conf, 99-mine.conf. */
export function isOverrideFile(path: string): boolean {
  return OVERRIDE.test(path);
}

/** First words of names, and the file of the example configuration that holds their kind; the first match counts. */
const KIN: readonly (readonly [prefix: RegExp, file: string])[] = [
  [/^(ssl|verbose_ssl)(_|$)/, '10-ssl.conf'],
  [
    /^(auth_(debug|verbose)|log_|debug_log_path|info_log_path|mail_debug|login_log|deliver_log_format|mail_log_prefix)/,
    '10-logging.conf',
  ],
  [/^(auth_|disable_plaintext_auth$|passdb|userdb)/, '10-auth.conf'],
  [/^(mail_max_userip_connections|imap_)/, '20-imap.conf'],
  [/^pop3_/, '20-pop3.conf'],
  [/^(lmtp_|lda_|recipient_delimiter$)/, '20-lmtp.conf'],
  [/^(mail_|first_valid_|last_valid_|namespace|valid_chroot_dirs|maildir_|mdbox_)/, '10-mail.conf'],
  [
    /^(service|default_(process|client|vsz|login_user|internal)|inet_listener|unix_listener)/,
    '10-master.conf',
  ],
];

/** The file of the example configuration where settings of this kind stand; null: dovecot.conf itself. */
export function homeOf(name: string): string | null {
  return KIN.find(([prefix]) => prefix.test(name))?.[1] ?? null;
}
