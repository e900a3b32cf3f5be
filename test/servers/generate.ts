/**
 * Configurations made up from a seed. They like what is hard to read: continuation lines with comments
 * inside, carriage returns, duplicates, references of all forms, overrides in all forms, names of
 * transports, restriction classes and lookup tables, and (seldom) what a server dies of.
 */

/** The two files of one Postfix instance. */
export interface Texts {
  readonly main: string;
  /** Null where there is no master.cf. */
  readonly master: string | null;
}

/** What the seed meets seldom or never. */
export const TRAPS: readonly Texts[] = [
  { main: 'slow_destination_rate_delay = 1s\nsmtpd_banner = $foo\nfoo = $myhostname\n', master: null },
  {
    main: 'foo = 1\nldapfoo_query = x\n',
    master: 'smtp inet n - n - - smtpd -osmtpd_banner=x-$foo\n  -ovirtual_alias_maps=ldap:ldapfoo\n',
  },
  {
    main: '',
    master: 'smtp inet n - n - - smtpd -o foo=1\n25 inet n - n - - smtpd\n  -o smtpd_banner=$foo -o foo=2\n',
  },
  { main: 'foo = ${{$foo} == {x}}\nsmtpd_banner = $foo\n', master: '' },
  { main: 'smtpd_banner = $$x ${x?}\n', master: 'smtp inet n - n -? -? - smtpd\n' },
  { main: '', master: 'smtp inet n - n -? - smtpd {-v} -o foo=$bar {-o} {bar=a} -n x -o baz=1\n' },
  { main: 'smtpd_banner\0 = x\n# \0\nfoo = bar \0 baz\n more\n', master: '' },
];

/** A number from 0 to below `below`. */
export type Random = (below: number) => number;

/** mulberry32: the same numbers on every machine. */
export function generator(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Configuration `index` of a seed: it does not depend on the others. */
export function configuration(seed: number, index: number): Texts {
  const random = generator(seed + Math.imul(index, 0x9e3779b1));
  // The first numbers of near seeds are alike.
  for (let skip = 0; skip < 4; skip++) random(2);
  const style: Style = {
    random,
    newline: pick(random, ['\n', '\n', '\n', '\n', '\r\n']),
    services: Array.from({ length: 1 + random(4) }, () => pick(random, TRANSPORTS)),
    tables: Array.from({ length: 1 + random(2) }, () => pick(random, TABLE_NAMES)),
    own: Array.from({ length: 2 + random(4) }, () => pick(random, OWN_NAMES)),
    // Of a file that a server dies of, only that can be compared.
    deadly: random(9) === 0,
  };
  return { main: mainCf(style), master: masterCf(style) };
}

interface Style {
  readonly random: Random;
  readonly newline: string;
  /** Names of services, and so of the parameters of transports. */
  readonly services: readonly string[];
  /** Names of lookup tables whose settings stand in main.cf. */
  readonly tables: readonly string[];
  /** Names that the user made up. */
  readonly own: readonly string[];
  readonly deadly: boolean;
}

const TRANSPORTS = [
  'slow',
  'smtp',
  'relay',
  'local',
  'policy-spf',
  'dovecot',
  'maildrop',
  'Filter',
  'a_b',
  'ß',
] as const;
const TABLE_NAMES = ['ldapfoo', 'sql', 'lists', 'my_map', 'virt-map', 'l'] as const;
const OWN_NAMES = [
  'my_networks',
  'foo',
  'Bar',
  'x9',
  'mua_client_restrictions',
  'greylist',
  'a-b',
  'é',
  'smtpd_tls_protocol',
  'indexed',
  'v.w',
] as const;
const TABLE_SUFFIXES = [
  'server_host',
  'search_base',
  'query',
  'dbname',
  'hosts',
  'password',
  'dbpath',
  'memcache',
  'nothing',
  'expansion_limit',
  'uri',
] as const;
const TRANSPORT_SUFFIXES = [
  'destination_concurrency_limit',
  'destination_recipient_limit',
  'time_limit',
  'transport_rate_delay',
  'destination_rate_delay',
  'initial_destination_concurrency',
  'delivery_slot_cost',
  'destination_concurrency_failed_cohort_limit',
  'destination_limit',
] as const;

/** Built-in ones of all kinds and ages, some that no release or only some have. */
const PARAMETERS = [
  'myhostname',
  'mydomain',
  'myorigin',
  'mydestination',
  'mynetworks',
  'mynetworks_style',
  'compatibility_level',
  'relayhost',
  'relay_domains',
  'smtpd_banner',
  'mail_name',
  'mail_version',
  'smtpd_tls_security_level',
  'smtpd_tls_protocols',
  'smtpd_tls_mandatory_protocols',
  'smtp_tls_security_level',
  'smtp_tls_protocols',
  'smtp_tls_CApath',
  'smtpd_tls_auth_only',
  'tls_high_cipherlist',
  'smtpd_restriction_classes',
  'smtpd_client_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_relay_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_milters',
  'transport_maps',
  'virtual_alias_maps',
  'virtual_mailbox_domains',
  'alias_maps',
  'header_checks',
  'default_rbl_reply',
  'smtpd_reject_footer',
  'forward_path',
  'luser_relay',
  'mailbox_command',
  'command_time_limit',
  'default_process_limit',
  'default_transport',
  'default_destination_concurrency_limit',
  'local_destination_concurrency_limit',
  'smtp_use_tls',
  'smtpd_use_tls',
  'smtpd_enforce_tls',
  'fallback_relay',
  'virtual_maps',
  'smtpd_tls_dh1024_param_file',
  'smtpd_client_connection_limit_exceptions',
  'authorized_verp_clients',
  'postscreen_blacklist_action',
  'postscreen_denylist_action',
  'disable_dns_lookups',
  'smtpd_forbid_bare_newline',
  'smtp_tls_enable_rpk',
  'force_mime_input_conversion',
  'tlsproxy_client_security_level',
  'tlsproxy_client_level',
  'smtp_bind_address',
  'proxy_read_maps',
  'parent_domain_matches_subdomains',
  'inet_protocols',
  'master_service_disable',
  'process_name',
  'service_name',
  'config_directory',
  'SMTPD_BANNER',
  'my_hostname',
  'smtpd_tls_level',
] as const;

const SERVICES = [
  'smtp inet n - y - - smtpd',
  'submission inet n - n - - smtpd',
  '465 inet n - - - 10 smtpd',
  '[::1]:10025 inet n - n - - smtpd',
  '127.0.0.1:10026 inet n y n - 0 smtpd',
  'smtp inet n - - - 1 postscreen',
  'smtpd pass - - y - - smtpd',
  'dnsblog unix - - y - 0 dnsblog',
  'tlsproxy unix - - y - 0 tlsproxy',
  'pickup unix n - y 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr fifo n - n 300? 1 qmgr',
  'tlsmgr unix - - y 1000? 1 tlsmgr',
  'rewrite unix - - y - - trivial-rewrite',
  'smtp unix - - y - - smtp',
  'relay unix - - y - - smtp',
  'local unix - n n - - local',
  'virtual unix - n n - - virtual',
  'lmtp unix - - n - - lmtp',
  'retry unix - - y - - error',
  'postlog unix-dgram n - n - 1 postlogd',
] as const;

const PROGRAMS = ['smtp', 'lmtp', 'pipe', 'spawn', 'local', 'virtual', 'error', 'smtpd', 'discard'] as const;

function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[random(items.length)] ?? items[0];
}

function pickOf(random: Random, items: readonly string[]): string {
  return items[random(items.length)] ?? '';
}

/** White space between words of a line. */
function blank(random: Random): string {
  return pick(random, [' ', ' ', ' ', ' ', '  ', '\t', '   ']);
}

function mainCf(style: Style): string {
  const { random, newline } = style;
  let text = '';
  if (random(25) === 0)
    text +=
      pick(random, [
        '  indented = first',
        '\tx',
        '   # no entry',
        ' smtpd_banner = a line that is longer than thirty',
      ]) + newline;
  if (random(12) === 0) text += newline;
  const count = random(40) === 0 ? 0 : 1 + random(14);
  const names: string[] = [];
  if (random(3) > 0)
    text += `myhostname = mail.${pick(random, ['example.com', 'example', 'a.b.c'])}${newline}`;
  for (let index = 0; index < count; index++) {
    text += between(style);
    const name = names.length > 0 && random(8) === 0 ? pickOf(random, names) : mainName(style);
    names.push(name);
    text += entry(style, name);
  }
  if (style.deadly && random(3) === 0) {
    text += `${pick(random, ['my hostname = x', 'relayhost', '= value', '=', 'smtpd_banner', 'a b'])}${newline}`;
    text += entry(style, mainName(style));
  }
  if (random(30) === 0) text += `foo = bar\0 baz${newline} more${newline}`;
  if (random(50) === 0) text += `# a NUL \0 in a comment${newline}`;
  return ending(style, text);
}

/** Comments and empty lines. */
function between({ random, newline }: Style): string {
  switch (random(12)) {
    case 0:
      return newline;
    case 1:
      return `# comment${newline}`;
    case 2:
      return `  # comment = indented${newline}`;
    case 3:
      return ` \t${newline}`;
    case 4:
      return `#smtpd_tls_security_level = may${newline}${newline}`;
    default:
      return '';
  }
}

function ending({ random }: Style, text: string): string {
  switch (random(12)) {
    case 0:
      return text.replace(/\r?\n$/, '');
    case 1:
      return `${text}  `;
    case 2:
      return `${text}# the end`;
    default:
      return text;
  }
}

function mainName({ random, services, tables, own }: Style): string {
  switch (random(12)) {
    case 0:
    case 1:
      return pickOf(random, own);
    case 2:
      return `${pickOf(random, services)}_${pick(random, TRANSPORT_SUFFIXES)}`;
    case 3:
      return `${pickOf(random, tables)}_${pick(random, TABLE_SUFFIXES)}`;
    default:
      return pick(random, PARAMETERS);
  }
}

/** `name = value` with its line end, broken over lines as its blanks allow. */
function entry(style: Style, name: string): string {
  const { random, newline } = style;
  let text = name + pick(random, [' = ', ' = ', ' = ', '=', '= ', ' =', '\t=\t', ' =  ', '\v=\f']);
  for (const part of valueOf(style, name).split(' ')) {
    text += part;
    if (random(7) > 0) text += blank(random);
    else {
      text += pick(random, ['', ' ', ',']) + newline;
      if (random(4) === 0) text += pick(random, ['# inside', '  # inside', '', '#', ' \t']) + newline;
      text += pick(random, ['  ', '\t', ' ', '    ']);
    }
  }
  return text.replace(random(4) > 0 ? /[ \t\r\n]+$/ : /[\r\n]+[ \t]*$/, '') + newline;
}

function valueOf(style: Style, name: string): string {
  const { random, own } = style;
  switch (name) {
    // What these hold decides whether postconf can print the networks of the machine at all.
    case 'inet_protocols':
      return pick(random, ['all', 'ipv4', 'ipv4, ipv6']);
    case 'mynetworks_style':
      return pick(random, ['host', 'subnet', 'class']);
    case 'myhostname':
      return pick(random, ['mx.example.net', 'host', 'mail.$mydomain', '${foo}.example.org', 'a.b']);
    case 'mydomain':
      return pick(random, ['example.net', 'localdomain', 'b.c', '$foo']);
    case 'compatibility_level':
      return pick(random, ['0', '1', '2', '3.6', '3.11', '9999', '2.5.1', '']);
    case 'smtpd_restriction_classes':
      return Array.from({ length: 1 + random(3) }, () => pickOf(random, own)).join(
        pick(random, [', ', ' ', ',']),
      );
    case 'config_directory':
      return pick(random, ['/etc/postfix', '/x']);
    case 'process_name':
    case 'service_name':
      return 'x';
    case 'master_service_disable':
      return pick(random, ['', 'inet', 'smtp/inet', 'local.unix foo/inet', 'pass']);
    default: {
      const words = Array.from({ length: random(6) }, () => word(style, 2));
      return words.join(pick(random, [' ', ' ', ', ']));
    }
  }
}

const PLAIN = [
  'yes',
  'no',
  'may',
  'encrypt',
  '!SSLv2',
  '>=TLSv1.2',
  'permit_mynetworks',
  'permit_sasl_authenticated,reject',
  'check_client_access',
  'reject_unauth_destination',
  '10',
  '0',
  '5s',
  '127.0.0.0/8',
  '[::1]/128',
  'example.com',
  'ESMTP',
  '=',
  'a=b',
  '#',
  '#why',
  '\\',
  '"quoted"',
  'é',
  '日本',
  '$$x',
  'smtp:[a.b]:587',
] as const;

function word(style: Style, depth: number): string {
  const { random } = style;
  switch (random(7)) {
    case 0:
    case 1:
      return reference(style, depth);
    case 2:
      return table(style, depth);
    default:
      return pick(random, PLAIN);
  }
}

function table(style: Style, depth: number): string {
  const { random, tables } = style;
  const name = pickOf(random, tables);
  switch (random(9)) {
    case 0:
      return `${pick(random, ['hash', 'btree', 'lmdb', 'pcre'])}:/etc/postfix/${name}`;
    case 1:
      return `proxy:${pick(random, ['ldap', 'mysql', 'pgsql', 'sqlite'])}:${name}`;
    case 2:
      return `memcache:${name}`;
    case 3:
      return `mongodb:${name}`;
    case 4:
      return `inline:{a=b,${blank(random)}{c = $${ref(style)}}}`;
    case 5:
      return `${pick(random, ['pipemap', 'unionmap'])}:{ldap:${name},${blank(random)}static:x}`;
    case 6:
      return depth > 0 ? `{${word(style, depth - 1)}${blank(random)}${word(style, depth - 1)}}` : 'x';
    case 7:
      return `${pick(random, ['LDAP', 'nis', 'debug:ldap', 'proxy:proxy:mysql', 'x:ldap'])}:${name}`;
    default:
      return `ldap:${name}`;
  }
}

/** A name that a value refers to. */
function ref({ random, services, tables, own }: Style): string {
  switch (random(8)) {
    case 0:
    case 1:
    case 2:
      return pickOf(random, own).replace(/[^A-Za-z0-9_]/g, '_');
    case 3:
      return pick(random, [
        'process_name',
        'service_name',
        'mail_version',
        'undefined_name',
        'virtual_maps',
        'default_rbl_reply',
      ]);
    case 4:
      return `${pickOf(random, tables)}_query`.replace(/[^A-Za-z0-9_]/g, '_');
    case 5:
      return `${pickOf(random, services)}_destination_recipient_limit`.replace(/[^A-Za-z0-9_]/g, '_');
    default:
      return pick(random, PARAMETERS);
  }
}

/** A reference in one of its forms. */
function reference(style: Style, depth: number): string {
  const { random } = style;
  const name = ref(style);
  const inner = (): string => (depth > 0 ? word(style, depth - 1) : 'x').replace(/[{}]/g, '');
  const [open, close] = pick(random, [
    ['{', '}'],
    ['{', '}'],
    ['(', ')'],
  ] as const);
  switch (random(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return `$${name}`;
    case 4:
    case 5:
      return `$${open}${name}${close}`;
    case 6:
      return `$${open}${name}?${inner()}${close}`;
    case 7:
      return `$${open}${name}:${inner()}${close}`;
    case 8:
      return `$${open}${name}?{${inner()}}:{${inner()}}${close}`;
    case 9:
      return `$${open} ${name} ${close}`;
    case 10:
      return `$${open}{$${name}} ${pick(random, ['==', '!=', '<', '>='])} {${pick(random, ['yes', '10', ''])}}?{${inner()}}:{}${close}`;
    case 11:
      // Levels are known since 3.6: what is older dies of them.
      return style.deadly
        ? `$${open}{$compatibility_level} <level {${pick(random, ['3.6', '1'])}}?{${inner()}}${close}`
        : `$${open}mail_version?x${close}`;
    case 12:
      return style.deadly && random(3) === 0
        ? pick(random, ['$', '${', '${}', '${a b}', '${{a}b}', '$(foo', '${foo?{a}b}'])
        : `$${name}`;
    default:
      return `$${name}`;
  }
}

function masterCf(style: Style): string {
  const { random, newline } = style;
  let text = '';
  if (random(25) === 0) text += `  -o smtpd_banner=x${newline}`;
  for (let count = random(7); count > 0; count--) text += between(style) + service(style);
  if (random(40) === 0) text += `x unix - - n - - smtp\0 -o a=b${newline} -o foo=c${newline}`;
  return ending(style, text);
}

function service(style: Style): string {
  const { random, newline, services } = style;
  const fields =
    random(3) > 0
      ? pick(random, SERVICES).split(' ')
      : `${pickOf(random, services)} unix ${pick(random, ['-', 'y', 'n'])} n n - - ${pick(random, PROGRAMS)}`.split(
          ' ',
        );
  if (random(30) === 0) fields[7] = `/usr/lib/postfix/${fields[7] ?? ''}`;
  if (style.deadly && random(4) === 0) spoil(random, fields);
  const broken = (): string =>
    `${newline}${random(5) === 0 ? between(style) : ''}${pick(random, ['  ', '\t', ' '])}`;
  let text = fields.map((field) => field + (random(30) === 0 ? broken() : blank(random))).join('');
  const program = fields[7] ?? '';
  for (let count = random(3) === 0 || fields.length < 8 ? 0 : random(6); count > 0; count--)
    text += broken() + option(style);
  if (program === 'pipe' || program === 'spawn') {
    text += `${broken()}${pick(random, ['flags=DRhu', 'user=nobody'])} argv=/usr/bin/x ${pick(random, ['${sender}', '-f $sender', '{a b}', '{ c }', '-o x=y'])}`;
  } else if (program === 'smtp' && random(8) === 0) text += ' flags=DR';
  else if (random(16) === 0)
    text += ` ${pick(random, ['# why', 'x', '-- y', '{a b} -o foo=d', '{-v} -o foo=f', '{-o} foo=e'])}`;
  return text + newline;
}

/** Makes a line that postconf and master(8) die of. */
function spoil(random: Random, fields: string[]): void {
  switch (random(7)) {
    case 0:
      fields.length = 1 + random(7);
      break;
    case 1:
      fields[1] = pick(random, ['tcp', 'INET', 'unix-stream']);
      break;
    case 2:
      fields[2 + random(3)] = pick(random, ['Y', 'yes', '0', '--']);
      break;
    case 3:
      fields[5] = pick(random, ['60s', '?x', '-1', '-??']);
      break;
    case 4:
      fields[6] = pick(random, ['x', '-1', '10?', '1-']);
      break;
    case 5:
      fields[5] = pick(random, ['?', '-?']);
      break;
    default:
      fields[7] = '-';
  }
}

function option(style: Style): string {
  const { random, own } = style;
  const name = random(3) === 0 ? pickOf(random, own) : mainName(style);
  const given = valueOf(style, name);
  const value = given.split(' ')[0] ?? '';
  switch (random(26)) {
    case 0:
    case 1:
      return `-o${blank(random)}{${pick(random, ['', ' '])}${name} = ${given.replace(/[{}]/g, '')} }`;
    case 2:
      return `-o {${name}=${value.replace(/[{}]/g, '')}}`;
    case 3:
      return `-o${name.replace(/^-/, '')}=${value}`;
    case 4:
      return `-vo ${name}=${value}`;
    case 5:
      return pick(random, ['-v', '-v -v', '-D', '-vv']);
    case 6:
      return random(3) > 0 ? `-o ${name}=` : `-o{${name}=${value.replace(/[{}]/g, '')}}`;
    case 7:
      return random(3) > 0 ? `-o ${name}=${value}` : `-o ${name} = ${value}`;
    case 8:
      return random(3) > 0 ? `-o ${name}=${value}` : `-o ${name}=${value}, x`;
    case 9:
      return random(3) > 0
        ? `-o ${name}=${value}`
        : pick(random, [`-o ${name}`, '-o =x', '-o {x}', `-o {${name}=x}y`, '-o process_name=y']);
    case 10:
      return random(3) > 0 ? `-o ${name}=${value}` : pick(random, ['-n x', '-t unix', '-q', '-vq']);
    case 11:
      return random(4) > 0 ? `-o ${name}=${value}` : `-o {${name}=x`;
    case 12:
      return `-o ${name}=$${ref(style)}`;
    default:
      return `-o ${name}=${value}`;
  }
}
