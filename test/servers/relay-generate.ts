/** Restriction lists, networks and clients by a written seed. */
import type { RelayService, Words } from './relay-server.ts';

/** A generator of numbers from 0 to below 1 that gives the same row for the same seed (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Next = () => number;

function pick<Item>(next: Next, items: readonly Item[]): Item {
  const item = items[Math.floor(next() * items.length)];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}

/** Words that need no name server. */
const PLAIN = [
  'permit',
  'reject',
  'defer',
  'permit_mynetworks',
  'Permit_MyNetworks',
  'reject_unauth_destination',
  'defer_unauth_destination',
  'permit_auth_destination',
  'permit_sasl_authenticated',
  'permit_inet_interfaces',
  'permit_tls_clientcerts',
  'permit_tls_all_clientcerts',
  'defer_if_permit',
  'defer_if_reject',
  'reject_plaintext_session',
  'reject_unknown_client_hostname',
  'reject_unauth_pipelining',
  'reject_non_fqdn_sender',
  'reject_non_fqdn_helo_hostname',
  'reject_invalid_helo_hostname',
  'reject_unlisted_recipient',
  'reject_sender_login_mismatch',
  'reject_multi_recipient_bounce',
  'one',
  'two',
  'ONE',
];

const RESULTS = [
  'OK',
  'ok',
  'RELAY',
  'REJECT',
  'DEFER',
  'DUNNO',
  'DEFER_IF_PERMIT',
  'DEFER_IF_REJECT',
  '1700000000',
  '550',
  'WARN',
  'HOLD',
  'one',
  'two',
  'permit',
  'permit_mynetworks',
  'reject_unauth_destination',
  'no_such_word',
];
/** With blanks: what stands in braces. */
const LONG_RESULTS = ['550 no', '450 later', 'OK and more', 'one, permit', 'permit_mynetworks, reject'];

const KEYS = {
  check_client_access: ['127.9.9.9', '127.9', '127', 'unknown', '10', '127.'],
  check_sender_access: [
    'stranger-host.net',
    'boss@partner.example',
    'partner.example',
    '<>',
    'boss@',
    'example',
  ],
  check_helo_access: ['mail.stranger-host.net', 'stranger-host.net', 'net', '.net', 'secret.example'],
  check_recipient_access: [
    'elsewhere-domain.com',
    'com',
    'victim@',
    'victim@elsewhere-domain.com',
    'here.test',
  ],
  check_reverse_client_hostname_access: ['unknown', '127.9.9.9', '10'],
} as const;

const PATTERNS = ['/./', '!/^127/', '/^127\\.9/', '/@partner\\.example$/', '/stranger/', '/^$/', '/com$/'];
const NETWORKS_OF_TABLES = ['0.0.0.0/0', '127.0.0.0/8', '127.9.9.9', '!127.9.9.0/24', '10.0.0.0/8', '::/0'];

interface Made {
  readonly tables: Record<string, string>;
}

function tableCheck(next: Next, made: Made): string {
  const name = pick(next, Object.keys(KEYS) as (keyof typeof KEYS)[]);
  const kind = pick(next, ['static', 'inline', 'inline', 'texthash', 'cidr', 'regexp', 'pipemap'] as const);
  const long = next() < 0.3;
  const result = long ? pick(next, LONG_RESULTS) : pick(next, RESULTS);
  const key = pick(next, KEYS[name]);
  if (kind === 'static') return `${name} static:${long ? `{${result}}` : result}`;
  if (kind === 'inline') return `${name} inline:{ {${key} = ${result}} }`;
  if (kind === 'pipemap') return `${name} pipemap:{inline:{${key}=x}, static:{${result}}}`;
  const file = `t${Object.keys(made.tables).length}`;
  const keys = kind === 'cidr' ? NETWORKS_OF_TABLES : kind === 'regexp' ? PATTERNS : KEYS[name];
  const lines = new Map([
    [pick<string>(next, keys), result],
    [pick<string>(next, keys), pick(next, RESULTS)],
  ]);
  made.tables[file] = [...lines].map(([left, right]) => `${left} ${right}\n`).join('');
  return `${name} ${kind}:{T}/${file}`;
}

function list(next: Next, made: Made, most: number): string {
  const words = Array.from({ length: Math.floor(next() * (most + 1)) }, () => {
    const warn = next() < 0.1 ? 'warn_if_reject ' : '';
    return warn + (next() < 0.5 ? pick(next, PLAIN) : tableCheck(next, made));
  });
  return words.join(', ');
}

/** An smtpd with lists at random. */
export function someService(next: Next): RelayService {
  const made: Made = { tables: {} };
  const guard = next() < 0.85 ? 'reject_unauth_destination' : '';
  const join = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');
  const set = [
    'smtpd_restriction_classes = one, two',
    `one = ${list(next, made, 2) || 'permit_mynetworks'}`,
    `two = ${join(list(next, made, 2).replace(/\btwo\b/g, 'one'), 'one')}`,
    `smtpd_recipient_restrictions = ${join(list(next, made, 3), guard)}`,
    `smtpd_relay_restrictions = ${next() < 0.4 ? '' : join(list(next, made, 2), guard)}`,
  ].map((line) =>
    line.startsWith('one =') ? line.replace(/\b(one|ONE|two)\b(?! =)/g, 'permit_mynetworks') : line,
  );
  if (next() < 0.3) set.push(`smtpd_client_restrictions = ${list(next, made, 2)}`);
  if (next() < 0.3) set.push(`smtpd_helo_restrictions = ${list(next, made, 2)}`);
  if (next() < 0.3) set.push(`smtpd_sender_restrictions = ${list(next, made, 2)}`);
  if (next() < 0.2) set.push('smtpd_delay_reject = no');
  if (next() < 0.2) set.push('smtpd_helo_required = yes');
  if (next() < 0.3)
    set.push(
      `mynetworks = ${pick(next, ['127.0.0.0/8', '!127.9.9.9 127.0.0.0/8', '127.9.9.1/24', '[::1]/128', 'unknown'])}`,
    );
  // A table may name a class too, and a class must not contain itself: smtpd would never come to an end.
  for (const [name, text] of Object.entries(made.tables)) made.tables[name] = text.replace(/\btwo\b/g, 'one');
  return { set, tables: made.tables };
}

/** What a client may say to such a service. */
export const SAYINGS: readonly Words[] = [
  ['mail.stranger-host.net', 'someone@stranger-host.net'],
  [null, 'someone@stranger-host.net'],
  ['mail.stranger-host.net', ''],
  ['secret.example', 'boss@partner.example'],
  [null, 'boss@elsewhere.example'],
].map(([helo = null, sender]) => ({ helo, sender: sender ?? '', recipient: 'victim@elsewhere-domain.com' }));

const NETWORK_PATTERNS = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.3',
  '[10.1.2.3]',
  '10.1.2.0/25',
  '010.1.2.3',
  '10.1',
  '10.1.2.3/24',
  '10.1.2.0/255.255.255.0',
  '10.0.0.0/33',
  '[10.0.0.0/8',
  '0.0.0.0/0',
  '[::]/0',
  '[2001:db8::]/32',
  '[2001:db8::/32]',
  '[2001:DB8:0::9]',
  '[2001:db8::1]/32',
  '2001:db8::/32',
  '[::1]/128',
  'example.com',
  '.example.com',
  'Mail.Example.COM',
  'unknown',
  'com',
  'static:x',
  'inline:{ 10.1.2.3=x }',
  'inline:{ {example.com = x} }',
  'inline:{ {10.1 = x} }',
  'regexp:{T}/names',
  'cidr:{T}/nets',
  '{T}/file',
  '{T}/none',
];

/** Tables and files that the patterns name. */
export const NETWORK_TABLES: Readonly<Record<string, string>> = {
  names: '/example/ x\n!/./ x\n',
  nets: '10.1.2.0/24 x\n2001:db8::/48 x\n10.9.9.9/8 x\n',
  file: '# own\n10.1.2.0/24, !10.9.0.0/16\n  [2001:db8::]/48\nexample.com\n',
};

/** A list of networks at random. */
export function someNetworks(next: Next): string {
  return Array.from({ length: 1 + Math.floor(next() * 3) }, () => {
    const mark = next() < 0.25 ? (next() < 0.3 ? '!!' : '!') : '';
    return mark + pick(next, NETWORK_PATTERNS);
  }).join(pick(next, [' ', ', ', ',']));
}

/** Clients as XCLIENT can name them. */
export const NETWORK_CLIENTS: readonly { readonly address: string; readonly name: string }[] = [
  { address: '10.1.2.3', name: 'unknown' },
  { address: '10.1.2.200', name: 'mail.example.com' },
  { address: '10.9.9.9', name: 'example.com' },
  { address: '192.0.2.1', name: 'notexample.com' },
  { address: '2001:db8::9', name: 'unknown' },
  { address: '2001:db8:1::9', name: 'mail.example.com' },
  { address: '::1', name: 'localhost' },
];
