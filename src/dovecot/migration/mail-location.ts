import { decide, type Modern, modernText, settingLines } from './modern.ts';

/** Settings of 2.4 by the word that 2.3 has for them behind the path (mail_storage_settings.c, mailbox-list.c). */
const OPTIONS: Readonly<Record<string, string>> = {
  ALT: 'mail_alt_path',
  CONTROL: 'mail_control_path',
  DIRNAME: 'mailbox_directory_name',
  INBOX: 'mail_inbox_path',
  INDEX: 'mail_index_path',
  INDEXPVT: 'mail_index_private_path',
  LAYOUT: 'mailbox_list_layout',
  MAILBOXDIR: 'mailbox_root_directory_name',
  SUBSCRIPTIONS: 'mailbox_subscriptions_filename',
  VOLATILEDIR: 'mail_volatile_path',
};

/** Drivers that 2.3 and 2.4 call the same. */
const DRIVERS: ReadonlySet<string> = new Set([
  'maildir',
  'mbox',
  'mdbox',
  'sdbox',
  'imapc',
  'pop3c',
  'virtual',
]);

/**
 * `maildir:~/Maildir:INDEX=/var/index` as the settings of 2.4. Each driver has the same layout of folders by
 * default in both (looked at with doveadm of 2.4.1: Maildir++ for maildir).
 */
export function modernLocation(location: string): Modern {
  // What is empty is looked for in the home of the user, in both.
  if (location === '') return { kind: 'drop' };
  const [driver = '', path = '', ...options] = location.split(':');
  if (!DRIVERS.has(driver) || location.includes('::'))
    return decide('say mail_driver and mail_path: what this location is cannot be told from the line');
  const settings: (readonly [string, string])[] = [['mail_driver', driver]];
  if (path !== '') settings.push(['mail_path', path]);
  for (const option of options) {
    const [word = '', ...rest] = option.split('=');
    const value = rest.join('=');
    const name = OPTIONS[word];
    if (option === 'UTF-8') settings.push(['mailbox_list_utf8', 'yes']);
    else if (name === undefined || value === '')
      return decide(`say mail_driver and mail_path, and what takes the place of ${word}`);
    else settings.push([name, value]);
  }
  const written: (readonly [string, string])[] = [];
  for (const [name, value] of settings) {
    const text = modernText(value, name);
    if ('kind' in text) return text;
    written.push([name, text.written]);
  }
  return settingLines(written);
}
