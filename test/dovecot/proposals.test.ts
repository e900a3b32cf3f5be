import { DovecotConfiguration } from '../../src/dovecot/configuration.ts';
import type { DovecotContext } from '../../src/dovecot/effective.ts';
import { proposeSetting, type WantedSetting } from '../../src/dovecot/proposals.ts';
import { applyEdits } from '../../src/text/edits.ts';
import { hostInputFromTexts } from '../support/host.ts';

type Texts = Readonly<Record<string, string>>;

function configurationOf(texts: Texts, release: string): DovecotConfiguration {
  const { dovecot } = hostInputFromTexts(texts, { dovecot: release });
  if (dovecot === null) throw new Error('no Dovecot');
  return new DovecotConfiguration({
    main: dovecot.main,
    files: dovecot,
    release: { version: release, versionFrom: 'flag', provenAtLeast: null },
  });
}

/** The files that change, and what the setting is worth then. */
function outcome(texts: Texts, wanted: WantedSetting, release: string, context: DovecotContext) {
  const proposal = proposeSetting(configurationOf(texts, release), wanted, context);
  if (proposal === null) return null;
  const after = Object.fromEntries(
    Object.entries(texts).map(([path, text]) => [path, applyEdits(path, text, proposal.edits)]),
  );
  const configuration = configurationOf(after, release);
  expect(configuration.faults).toEqual([]);
  expect(configuration.warnings).toEqual([]);
  const changed = Object.entries(after).filter(([path, text]) => text !== texts[path]);
  return Object.fromEntries(changed);
}

const V = 'dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n';
const MIN: WantedSetting = { name: 'ssl_min_protocol', value: 'TLSv1.2' };

interface Case {
  readonly what: string;
  readonly texts: Texts;
  readonly wanted: WantedSetting;
  readonly after: Texts | null;
  readonly release?: string;
  readonly context?: DovecotContext;
}

const CASES: readonly Case[] = [
  {
    what: 'the line that decides',
    texts: { 'dovecot.conf': '!include conf.d/*.conf\n', 'conf.d/10-ssl.conf': 'ssl = yes # x\n' },
    wanted: { name: 'ssl', value: 'required' },
    after: { 'conf.d/10-ssl.conf': 'ssl = required # x\n' },
  },
  {
    what: 'the line that decides for a protocol',
    texts: { 'dovecot.conf': 'ssl = required\nprotocol imap {\n  ssl = yes\n}\n' },
    wanted: { name: 'ssl', value: 'required' },
    context: { protocol: 'imap' },
    after: { 'dovecot.conf': 'ssl = required\nprotocol imap {\n  ssl = required\n}\n' },
  },
  {
    what: 'beside its kin, not at the end of dovecot.conf',
    texts: {
      'dovecot.conf': 'protocols = imap\n!include conf.d/*.conf\n',
      'conf.d/10-auth.conf': 'auth_mechanisms = plain\n',
      'conf.d/10-ssl.conf': 'ssl = yes\nssl_cert = </etc/a.pem\n# key\nssl_key = </etc/a.key\n\n# end\n',
    },
    wanted: MIN,
    after: {
      'conf.d/10-ssl.conf':
        'ssl = yes\nssl_cert = </etc/a.pem\n# key\nssl_key = </etc/a.key\nssl_min_protocol = TLSv1.2\n\n# end\n',
    },
  },
  {
    what: 'behind the comment that shows its default',
    texts: {
      'dovecot.conf': '!include conf.d/*.conf\n',
      'conf.d/10-ssl.conf':
        '# Minimum SSL protocol version to use.\n#ssl_min_protocol = TLSv1\n\n#ssl_curve_list =\n',
    },
    wanted: MIN,
    after: {
      'conf.d/10-ssl.conf':
        '# Minimum SSL protocol version to use.\n#ssl_min_protocol = TLSv1\nssl_min_protocol = TLSv1.2\n\n#ssl_curve_list =\n',
    },
  },
  {
    what: 'at the end of a file without its kind',
    texts: { 'dovecot.conf': 'protocols = imap' },
    wanted: MIN,
    after: { 'dovecot.conf': 'protocols = imap\nssl_min_protocol = TLSv1.2\n' },
  },
  {
    what: 'in a file of overrides, although another line decides',
    texts: {
      'dovecot.conf': '!include conf.d/*.conf\n!include_try local.conf\n',
      'conf.d/10-ssl.conf': 'ssl = yes\n',
      'local.conf': 'ssl_cert = </etc/a.pem\nlogin_greeting = ours\n',
    },
    wanted: { name: 'ssl', value: 'required' },
    after: { 'local.conf': 'ssl_cert = </etc/a.pem\nssl = required\nlogin_greeting = ours\n' },
  },
  {
    what: 'in a file of overrides, in its section',
    texts: {
      'dovecot.conf': '!include conf.d/*.conf\n',
      'conf.d/10-auth.conf': 'protocol imap {\n  ssl = yes\n}\n',
      'conf.d/99-ours.conf': 'login_greeting = ours\n',
    },
    wanted: { name: 'ssl', value: 'required' },
    context: { protocol: 'imap' },
    after: { 'conf.d/99-ours.conf': 'login_greeting = ours\nprotocol imap {\n  ssl = required\n}\n' },
  },
  {
    what: 'above the filter that has it too',
    texts: { 'dovecot.conf': '# imap\nprotocol imap {\n  ssl_min_protocol = TLSv1.3\n}\nssl = required\n' },
    wanted: MIN,
    after: {
      'dovecot.conf':
        '# imap\nssl_min_protocol = TLSv1.2\nprotocol imap {\n  ssl_min_protocol = TLSv1.3\n}\nssl = required\n',
    },
  },
  {
    what: 'in a section that is open',
    texts: {
      'dovecot.conf': '!include conf.d/*.conf\n',
      'conf.d/10-master.conf': 'service imap-login {\n  inet_listener imaps {\n    port = 993\n  }\n}\n',
    },
    wanted: {
      name: 'ssl',
      value: 'yes',
      sections: [
        { type: 'service', name: 'imap-login' },
        { type: 'inet_listener', name: 'imaps' },
      ],
    },
    after: {
      'conf.d/10-master.conf':
        'service imap-login {\n  inet_listener imaps {\n    ssl = yes\n    port = 993\n  }\n}\n',
    },
  },
  {
    what: 'in a new section of an open one',
    texts: { 'dovecot.conf': 'service imap-login {\n  process_min_avail = 2\n}\n' },
    wanted: {
      name: 'port',
      value: '0',
      sections: [
        { type: 'service', name: 'imap-login' },
        { type: 'inet_listener', name: 'imap' },
      ],
    },
    after: {
      'dovecot.conf':
        'service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n  process_min_avail = 2\n}\n',
    },
  },
  {
    what: 'in a new section behind the last of its type',
    texts: { 'dovecot.conf': 'service auth {\n  vsz_limit = 256 M\n}\nssl = required\n' },
    wanted: {
      name: 'mode',
      value: '0660',
      sections: [
        { type: 'service', name: 'lmtp' },
        { type: 'unix_listener', name: '/var/spool/postfix/private/lmtp' },
      ],
    },
    after: {
      'dovecot.conf':
        'service auth {\n  vsz_limit = 256 M\n}\n\nservice lmtp {\n  unix_listener /var/spool/postfix/private/lmtp {\n    mode = 0660\n  }\n}\nssl = required\n',
    },
  },
  {
    what: 'with the sign that 2.3 reads a file by',
    texts: { 'dovecot.conf': 'ssl = required\nssl_dh =\n' },
    wanted: { name: 'ssl_dh', value: { contentOf: '/etc/dovecot/dh.pem' } },
    after: { 'dovecot.conf': 'ssl = required\nssl_dh = </etc/dovecot/dh.pem\n' },
  },
  {
    what: 'under the key of a section of 2.4',
    texts: { 'dovecot.conf': `${V}ssl_server {\n  cert_file = /etc/a.pem\n}\n` },
    wanted: { name: 'ssl_server_cert_file', value: '/etc/b.pem' },
    after: { 'dovecot.conf': `${V}ssl_server {\n  cert_file = /etc/b.pem\n}\n` },
    release: '2.4.1',
  },
  {
    what: 'a new one of 2.4 outside of the sections of its kin',
    texts: { 'dovecot.conf': `${V}ssl = required\nssl_server {\n  cert_file = /etc/a.pem\n}\n` },
    wanted: MIN,
    after: {
      'dovecot.conf': `${V}ssl = required\nssl_min_protocol = TLSv1.2\nssl_server {\n  cert_file = /etc/a.pem\n}\n`,
    },
    release: '2.4.1',
  },
  {
    what: 'nothing into a dovecot.conf that is not there',
    texts: { 'conf.d/10-auth.conf': 'auth_mechanisms = plain\n' },
    wanted: MIN,
    after: { 'conf.d/10-auth.conf': 'auth_mechanisms = plain\nssl_min_protocol = TLSv1.2\n' },
  },
];

test.each(CASES.map((one) => [one.what, one] as const))('proposeSetting writes %s', (_, one) => {
  const { texts, wanted, after, release = '2.3.19.1', context = {} } = one;
  expect(outcome(texts, wanted, release, context)).toEqual(after);
});
