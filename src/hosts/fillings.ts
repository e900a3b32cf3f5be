import { type SettingType, settingsTable } from '../dovecot/settings.ts';
import type { Server } from '../model/endpoint.ts';
import { parameterTable } from '../postfix/parameters.ts';
import type { Hole } from '../text/template.ts';
import type { HostReleases } from './host.ts';

/** How many ways there are to fill the holes of a template: what is found in all of them rests on none. */
export const FILLINGS = 5;

/** Which file a hole is in. */
export type TemplateKind = 'main.cf' | 'master.cf' | 'dovecot';

/** What a hole stands for. */
export interface HoleUse {
  /** The setting whose value it is, or is part of; null where it is no value. */
  readonly name: string | null;
  /**
   * A whole value or one word of it; a part of a word; a field of master.cf; the name of a setting, which may be
   * any; or a line of its own, which may be any lines.
   */
  readonly place: 'word' | 'part' | 'field' | 'name' | 'lines';
  /** The number of the field of master.cf, from 0. */
  readonly field: number;
  /** The character before it, `` at the start of a word. */
  readonly before: string;
  /** Whether the line ends with it. */
  readonly isLast: boolean;
}

/** Lines that are looked back over for the one that a continuation belongs to. */
const MOST_BACK = 200;

/** Characters of a line that are looked at on either side of a hole. */
const MOST_AROUND = 1000;

/** What chooses a line may stand before it. */
const LEADING_TAGS = /^(?:\{%[^%]*%\}|<%[^=%][^%]*%>|\{\{-? ?(?:[#^/]|if |end)[^}]*\}\})+/;

/** Tells what a hole stands for by the text around it. */
export function useOf(kind: TemplateKind, text: string, { span }: Hole): HoleUse {
  const from = Math.max(0, span.start - MOST_AROUND);
  const start = from + text.slice(from, span.start).lastIndexOf('\n') + 1;
  const before = text.slice(start, span.start).replace(LEADING_TAGS, '');
  const after = text.slice(span.end, span.end + MOST_AROUND).replace(/\n[^]*$/, '');
  const isWord = /(?:^|[\s,=<"])$/.test(before) && /^(?:$|[\s,;"])/.test(after);
  const use = (place: HoleUse['place'], name: string | null = null, field = -1): HoleUse => ({
    name,
    place,
    field,
    before: isWord ? '' : before.slice(-1),
    isLast: after.trim() === '',
  });
  const value = (name: string): HoleUse => use(isWord ? 'word' : 'part', name);
  if (kind === 'dovecot') return dovecotUse(text, start, before, after, use, value);
  const isIndented = /^[ \t]/.test(before) || (before === '' && /^[ \t]/.test(text.charAt(start)));
  if (kind === 'main.cf') {
    const own = /^([\w-]+)\s*=/.exec(before)?.[1];
    if (own !== undefined) return value(own);
    if (!isIndented) return use(after.includes('=') ? 'name' : 'lines');
    const name = nameBefore(text, start);
    return name === null ? use('lines') : value(name);
  }
  const option = /-o\s+\{?\s*([\w-]+)\s*=[^=]*$/.exec(before)?.[1];
  if (option !== undefined && !/\s-/.test(before.slice(before.lastIndexOf('=')))) return value(option);
  if (isIndented) return use(/^\s*(?:-o\s*\{?\s*)?$/.test(before) ? 'lines' : 'part');
  if (/\s-o\s*\{?\s*$/.test(before)) return use('lines');
  const field = before.split(/\s+/).length - 1;
  if (field === 0 && after.trim() === '') return use('lines');
  return field > 7 ? use('part') : use('field', null, field);
}

function dovecotUse(
  text: string,
  start: number,
  before: string,
  after: string,
  use: (place: HoleUse['place']) => HoleUse,
  value: (name: string) => HoleUse,
): HoleUse {
  const own = /^\s*(?:[\w-]+\/)*([\w-]+)\s*=/.exec(before)?.[1];
  if (own !== undefined) return value(own);
  if (/^\s*!include/.test(before)) return use('lines');
  const isContinued = /\\[ \t]*\r?\n$/.test(text.slice(Math.max(0, start - 40), start));
  if (isContinued || before.includes('{') || after.includes('{')) return use('part');
  return use(after.includes('=') && /^\s*[\w-]*$/.test(before) ? 'name' : 'lines');
}

/** The setting that a continuation line of main.cf belongs to. */
function nameBefore(text: string, from: number): string | null {
  let end = from - 1;
  for (let count = 0; end > 0 && count < MOST_BACK; count++) {
    const start = text.lastIndexOf('\n', end - 1) + 1;
    const line = text.slice(start, end);
    const name = /^([\w-]+)\s*=/.exec(line)?.[1];
    if (name !== undefined) return name;
    if (/^[^\s#{<]/.test(line)) return null;
    end = start - 1;
  }
  return null;
}

/**
 * What a hole may be filled with: texts that differ in what they bring about, the one that no rule would
 * object to first.
 */
export function candidates(
  server: Server,
  { name, place, field, before, isLast }: HoleUse,
  releases: HostReleases,
): readonly string[] {
  if (place === 'lines') return [''];
  if (place === 'name') return ['templated_name', 'name_of_a_template'];
  if (place === 'field') return FIELDS[field] ?? ['-'];
  const [, known = null] =
    (name === null
      ? undefined
      : (server === 'postfix' ? POSTFIX : DOVECOT).find(([pattern]) => pattern.test(name))) ?? [];
  if (place === 'part') {
    const parts = before === ':' ? PORTS : PARTS;
    // Glued to the last word of a list, it may bring further words.
    if (known === null || !isLast) return parts;
    const [first = '', second = ''] = known;
    return [`, ${first}`, parts[0] ?? '', `, ${second}`, parts[1] ?? '', ''];
  }
  if (name === null) return PARTS;
  if (known !== null) return known;
  return server === 'postfix' ? ofParameter(name, releases) : ofSetting(name, releases);
}

function ofParameter(name: string, { postfix }: HostReleases): readonly string[] {
  const parameter = parameterTable(postfix.version).get(name);
  if (parameter === null) return TEXTS;
  const usual = parameter.default ?? '';
  if (parameter.values.length > 0) return withUsual(usual, parameter.values);
  if (parameter.storage === 'bool' || parameter.storage === 'nbool') return ['yes', 'no'];
  if (parameter.storage === 'time') return withUsual(usual, ['1s', '1h', '1d', '0s']);
  if (parameter.storage === 'int' || parameter.storage === 'nint' || parameter.storage === 'long')
    return withUsual(usual, ['0', '1', '50', '100000000']);
  return withUsual(usual, TEXTS);
}

function ofSetting(name: string, { dovecot }: HostReleases): readonly string[] {
  const setting = settingsTable(dovecot.version).get(name);
  if (setting === null) return /(?:limit|count|avail|size)$/.test(name) ? ['1', '0', '100'] : TEXTS;
  const usual = setting.default ?? '';
  if (setting.values.length > 0) return withUsual(usual, setting.values);
  if (setting.type === 'bool') return ['yes', 'no'];
  return withUsual(usual, OF_TYPE[setting.type] ?? TEXTS);
}

function withUsual(usual: string, others: readonly string[]): readonly string[] {
  return [...new Set([usual, ...others])];
}

/** Values of types of Dovecot. */
const OF_TYPE: Readonly<Partial<Record<SettingType, readonly string[]>>> = {
  uint: ['1', '0', '1000'],
  size: ['256M', '1M', '0'],
  time: ['1 mins', '1 days', '0'],
};

const TEXTS = ['example.org', '/var/lib/mail', '', '1', 'word'];
const PARTS = ['example.org', 'a', '192.0.2.1', 'localhost', '127.0.0.1'];
const PORTS = ['587', '465', '25', 'a.example.org', '127.0.0.1'];
const FILES = ['/etc/ssl/private/mail.pem', '/etc/ssl/certs/mail.pem', '/etc/letsencrypt/live/a/full.pem'];
const TABLES = ['hash:/etc/postfix/table', '', 'example.org', 'static:a', '$mydomain'];
// What stands first decides: a pattern with a mark of exclamation may take back what follows.
const NETWORKS = ['127.0.0.0/8', '!0.0.0.0/0 ![::]/0', '192.0.2.0/24', '', '10.0.0.1'];
const PROTOCOLS = [
  '!SSLv2, !SSLv3, !TLSv1, !TLSv1.1, !TLSv1.2',
  '!SSLv2, !SSLv3, !TLSv1, !TLSv1.1',
  'TLSv1',
  '',
  '!SSLv2',
];
const STRICT_LIST = 'ECDHE+AESGCM:ECDHE+CHACHA20';
const EXCLUSIONS =
  'aNULL, eNULL, EXPORT, LOW, DES, RC2, RC4, MD5, 3DES, SEED, IDEA, PSK, SRP, DSS, kRSA, kDH, kECDH, SHA1, SHA256, SHA384, CAMELLIA, ARIA, AESCCM';

/** The first eight fields of a service: name, type, private, unprivileged, chroot, wakeup, limit, command. */
const FIELDS: readonly (readonly string[])[] = [
  ['submission', 'smtp', '127.0.0.1:10025', '10025', 'other'],
  ['inet', 'unix'],
  ['n', '-', 'y'],
  ['-', 'n', 'y'],
  ['n', '-', 'y'],
  ['-', '60'],
  ['-', '0', '10'],
  ['smtpd', 'smtp', 'cleanup'],
];

/** By name, first match first. */
const POSTFIX: readonly (readonly [RegExp, readonly string[]])[] = [
  [/_tls_(?:mandatory_)?protocols$/, PROTOCOLS],
  [/^smtpd_tls_security_level$/, ['encrypt', 'may', 'none', '']],
  [/_tls_security_level$/, ['dane', 'may', 'encrypt', 'none', '']],
  [/exclude_ciphers$/, [EXCLUSIONS, 'aNULL', '', 'aNULL, kRSA', 'RC4']],
  [/cipherlist$/, [STRICT_LIST, 'ALL', 'HIGH:!aNULL', 'aNULL:HIGH']],
  [
    /_restrictions$/,
    [
      'permit_mynetworks, permit_sasl_authenticated, reject',
      'permit_mynetworks, reject_unauth_destination',
      'reject_sender_login_mismatch, reject_unauth_destination',
      'reject',
      '',
    ],
  ],
  [/^(?:mynetworks|smtpd_authorized_\w+|postscreen_access_list)$/, NETWORKS],
  [/^inet_interfaces$/, ['loopback-only', 'all', '192.0.2.1', 'localhost']],
  [
    /^(?:relayhost|smtp_fallback_relay|fallback_relay)$/,
    ['', '[mx.example.org]:465', '[127.0.0.1]:10025', '[mx.example.org]:587', 'example.org'],
  ],
  [/(?:file|_chain_files|CApath|_path|_directory)$/i, FILES],
  [/options$/, ['noanonymous', 'noanonymous, noplaintext', '', 'noplaintext', 'noanonymous, noactive']],
  [/^compatibility_level$/, ['3.6', '0', '2', '3.10']],
  [
    /milters$|content_filter$|_transport$/,
    ['', 'inet:127.0.0.1:8891', 'smtp:[127.0.0.1]:10024', 'unix:private/filter'],
  ],
  [/(?:maps?|tables|recipients|domains|destination|destinations|database)$/, TABLES],
];

const DOVECOT: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^ssl$/, ['required', 'yes', 'no']],
  [/^ssl_min_protocol$/, ['TLSv1.3', 'TLSv1.2', 'TLSv1', 'ANY']],
  [/^ssl_protocols$/, ['!SSLv2 !SSLv3 !TLSv1 !TLSv1.1', '!SSLv3', '']],
  [/^ssl_cipher_list$/, [STRICT_LIST, 'ALL', 'HIGH:!aNULL', 'ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL']],
  [/^mode$|_mode$/, ['0600', '0660', '0666', '0']],
  [/^port$|_port$/, ['0', '993', '143', '12345']],
  [/^(?:listen|address)$|_listen$/, ['127.0.0.1', '*', '*, ::', '']],
  [/^protocols$/, ['imap', 'imap pop3', 'lmtp', 'sieve', '']],
  [/mechanisms$/, ['plain', 'plain login', 'scram-sha-256', 'cram-md5', '']],
  [/scheme$/, ['ARGON2ID', 'PLAIN', 'CRYPT', 'SHA512-CRYPT']],
  [/networks?$|_nets$/, NETWORKS],
  [/(?:file|^ssl_(?:cert|key|ca|dh)|_path|_dir)$/, FILES],
  [/^(?:user|group)$|_(?:user|group)$/, ['dovecot', 'root', 'vmail']],
  [/^(?:uid|gid)$|_(?:uid|gid)$/, ['1000', '500', 'vmail']],
];
