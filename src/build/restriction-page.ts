import { POSTFIX_RELEASES, parameterTable } from '../postfix/parameters.ts';
import {
  allRestrictions,
  builtInClass,
  RESTRICTION_LISTS,
  type RestrictionDefinition,
  type RestrictionEffect,
  type RestrictionListName,
  type RestrictionSubject,
  restrictionDefinition,
  type Sight,
  sightOf,
  tableCheckOf,
  tableTypeSince,
  tableTypes,
} from '../postfix/restrictions.ts';

/** What each kind of restriction does, as a cell of the table. */
const EFFECTS: Readonly<Record<RestrictionEffect, string>> = {
  permit: 'permits',
  reject: 'refuses',
  'permit-mynetworks': 'permits clients of `mynetworks`',
  'permit-interfaces': 'permits clients with an address of this host',
  'permit-login': 'permits who has logged in',
  'permit-listed-certificate': 'permits certificates that `relay_clientcerts` lists',
  'permit-any-certificate': 'permits any certificate that a trusted CA has signed',
  'permit-listed': 'permits whom a DNS list knows',
  'permit-naked-address': 'permits clients that greet with a bare address',
  'permit-own': 'permits recipients of this host’s domains',
  'permit-backup': 'permits recipients of this host’s domains, and of those that it is backup MX for',
  'reject-foreign': 'refuses recipients of other domains',
  'permit-own-reject-foreign': 'permits recipients of this host’s domains, refuses all others',
  'may-reject': 'may refuse',
  table: 'its table decides',
  policy: 'the policy service decides',
  'defer-if-permit': 'defers what would be accepted',
  warn: 'the next one only logs',
  nothing: 'neither',
};

const SUBJECTS: Readonly<Record<RestrictionSubject, string>> = {
  nothing: 'nothing',
  client: 'client',
  certificate: 'client certificate',
  login: 'login',
  helo: 'HELO name',
  sender: 'sender',
  recipient: 'recipient',
  recipients: 'number of recipients',
  pipelining: 'pipelining',
  etrn: 'ETRN domain',
};

const ARGUMENTS = { table: 'type:table', domain: 'domain', service: 'type:server', seconds: 'seconds' };

const SIGHTS: Readonly<Record<Sight, string>> = { always: 'yes', sometimes: 'some', never: '–' };

/** Columns: a list that stands for those that see the same. */
const COLUMNS: readonly (readonly [title: string, list: RestrictionListName])[] = [
  ['client', 'smtpd_client_restrictions'],
  ['helo', 'smtpd_helo_restrictions'],
  ['sender', 'smtpd_sender_restrictions'],
  ['relay, recipient', 'smtpd_relay_restrictions'],
  ['data, end of data', 'smtpd_data_restrictions'],
  ['etrn', 'smtpd_etrn_restrictions'],
];

const MOMENTS: Readonly<Record<RestrictionListName, string>> = {
  smtpd_client_restrictions: 'connection, or RCPT TO and ETRN with `smtpd_delay_reject = yes`',
  smtpd_helo_restrictions: 'HELO, EHLO, or RCPT TO and ETRN with `smtpd_delay_reject = yes`',
  smtpd_sender_restrictions: 'MAIL FROM, or RCPT TO with `smtpd_delay_reject = yes`',
  smtpd_relay_restrictions: 'RCPT TO',
  smtpd_recipient_restrictions: 'RCPT TO',
  smtpd_data_restrictions: 'DATA',
  smtpd_end_of_data_restrictions: 'the end of the message',
  smtpd_etrn_restrictions: 'ETRN',
};

/** The page with every restriction, the lists that it works in and the release it came with: docs/restrictions.md. */
export function restrictionPage(): string {
  return [
    '# Access restrictions of smtpd(8)',
    '',
    'Made from `src/postfix/data/restrictions.json` by `npm run docs`.',
    '',
    'A list holds words separated by commas and white space. smtpd looks at them in turn: the first that says OK or refuses ends the list, and the end of a list counts as OK. OK ends its own list only; mail is taken when no list refuses it. Words that Postfix itself defines are read in any case of their letters, the names of `smtpd_restriction_classes` only as they are written there. From Postfix 3.0 on a word runs to the `}` that closes its last open `{`.',
    '',
    '## The lists',
    '',
    ...table(
      ['list', 'since', 'when', '`type:table` alone means'],
      RESTRICTION_LISTS.map((list) => [
        `\`${list}\``,
        since(parameterTable(POSTFIX_RELEASES.newest).knownAnywhere(list)?.introduced ?? null),
        MOMENTS[list],
        check(list),
      ]),
    ),
    '',
    '## The restrictions',
    '',
    `Since: the release that brought it, where it is not as old as Postfix ${POSTFIX_RELEASES.oldest}. The last columns say where a restriction sees what it looks at: **yes**, for **some** sessions, or never (–), and then it does nothing there. For the client, HELO and sender lists they say so for \`smtpd_delay_reject = no\`; with \`yes\`, the default, these lists see what the relay list sees.`,
    '',
    'Some: the recipient at DATA where the message has no other; how many recipients there are when only those before are known; the login where a client greets a second time; the certificate at the connection where `smtpd_tls_wrappermode` has it by then; pipelining before DATA, where a client did not wait for the answers to greeting and EHLO.',
    '',
    ...table(
      ['restriction', 'since', 'takes', 'looks at', 'does', ...COLUMNS.map(([title]) => title)],
      allRestrictions().map(row),
    ),
    '',
    '## What is wrong and what then happens',
    '',
    'smtpd finds out when it comes to the word, not when it starts, and `postfix check` does not look.',
    '',
    ...table(
      ['in the list', 'the client gets'],
      [
        [
          'a word that is no restriction of the release and no class',
          '`451 4.3.5 Server configuration error`',
        ],
        [
          'a name that the release has removed',
          'the same; of `check_relay_domains` where there is a recipient',
        ],
        ['a table without `type:`, no argument at all, a `sleep` without digits', 'the same'],
        ['a DNS list without its name, as the last word', 'nothing: it is logged and skipped'],
        ['`type:table` alone at DATA and at the end of the message', '`451 4.3.5`'],
        [
          'OK from a table of `check_*_mx_access`, `check_*_ns_access`, `check_*_a_access` or `check_reverse_client_hostname_access`',
          '`451 4.3.5`',
        ],
        [
          'a table of a type that the release does not know',
          '`451 4.3.5` where something is looked up in it; before 2.9 smtpd does not start',
        ],
        ['a policy service that is neither `inet:` nor `unix:`', 'nothing: smtpd does not start'],
        ['a class of `smtpd_restriction_classes` without a definition', 'nothing: smtpd does not start'],
        ['a class that contains itself', 'nothing: smtpd is killed by signal 11'],
      ],
    ),
    '',
    '## Types of lookup tables',
    '',
    'A build may leave out some of them.',
    '',
    tableTypes(POSTFIX_RELEASES.newest)
      .map((type) => `\`${type}\`${tableTypeSince(type) === null ? '' : ` (${tableTypeSince(type)})`}`)
      .join(', '),
    '',
  ].join('\n');
}

function row(name: string): readonly string[] {
  const members = builtInClass(name);
  if (members !== null) {
    const first = restrictionDefinition(members[0] ?? '');
    return [
      `\`${name}\``,
      '',
      '',
      first === null ? '' : SUBJECTS[first.looksAt],
      `class of ${members.map((member) => `\`${member}\``).join(' and ')}; only in lower case`,
      ...(first === null ? [] : sights(first)),
    ];
  }
  const definition = restrictionDefinition(name);
  if (definition === null) return [`\`${name}\``];
  const { argument, effect, looksAt } = definition;
  return [
    `\`${name}\``,
    since(definition.since),
    argument === null ? '' : ARGUMENTS[argument],
    SUBJECTS[looksAt],
    [
      definition.now === null ? EFFECTS[effect] : `old name of \`${definition.now}\``,
      definition.neverPermits ? 'OK is refused with 451' : '',
      definition.needs === null ? '' : `nothing without \`${definition.needs} = yes\``,
      definition.removed === null ? '' : `451 since ${definition.removed}`,
    ]
      .filter((part) => part !== '')
      .join('; '),
    ...sights(definition),
  ];
}

function sights({ looksAt }: RestrictionDefinition): readonly string[] {
  return COLUMNS.map(([, list]) => SIGHTS[sightOf(list, looksAt, false)]);
}

function since(release: string | null): string {
  return release ?? '';
}

function check(list: RestrictionListName): string {
  const name = tableCheckOf(list);
  return name === null ? 'nothing: 451' : `\`${name}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
