import { rotatedSets } from '../../src/logs/rotation.ts';

test.each([
  [
    'numbered, by number and not by text',
    ['mail.log', 'mail.log.10.gz', 'mail.log.2.gz', 'mail.log.1'],
    [['mail.log.10.gz', 'mail.log.2.gz', 'mail.log.1', 'mail.log']],
  ],
  [
    'dated',
    ['maillog', 'maillog-20260201', 'maillog-20251231.xz'],
    [['maillog-20251231.xz', 'maillog-20260201', 'maillog']],
  ],
  [
    'dated with an extension',
    ['/l/mail.log', '/l/mail-20260201.log', '/l/mail-20260131.log.zst'],
    [['/l/mail-20260131.log.zst', '/l/mail-20260201.log', '/l/mail.log']],
  ],
  [
    'two logs, and the same names in another folder',
    ['b/mail.log', 'a/mail.log', 'b/mail.log.1', 'a/mail.log.1', '-', 'a/dovecot.log'],
    [['b/mail.log.1', 'b/mail.log'], ['a/mail.log.1', 'a/mail.log'], ['-'], ['a/dovecot.log']],
  ],
  [
    'numbers from 0 on, as newsyslog has them',
    ['mail.log.0', 'mail.log.1', 'mail.log'],
    [['mail.log.1', 'mail.log.0', 'mail.log']],
  ],
  ['an archive of the file itself', ['mail.log.gz', 'mail.log.1.gz'], [['mail.log.1.gz', 'mail.log.gz']]],
])('%s', (_, given, sets) => {
  expect(rotatedSets(given)).toEqual(sets);
});
