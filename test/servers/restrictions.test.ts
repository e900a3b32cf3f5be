import fs from 'node:fs';
import path from 'node:path';
import { PostfixConfiguration } from '../../src/postfix/configuration.ts';
import {
  allRestrictions,
  builtInClass,
  RESTRICTION_LISTS,
  type Restriction,
  type RestrictionListName,
  restrictionDefinition,
  restrictionList,
  type Sight,
  sightOf,
} from '../../src/postfix/restrictions.ts';
import { hostFromTexts } from '../support/host.ts';
import { type Root, roots } from './roots.ts';
import { freePort, startPostfix, surroundings } from './running.ts';
import { converse, MAIL_SERVICES } from './smtp-session.ts';

// Every restriction, and what is none, in every list: a client comes from an address that a table sends to
// a class with that one element, and hears whether smtpd can use it and whether it does anything there.

const full = process.env.PFHARDEN_FULL !== undefined;

/** What a client hears. */
type Answer =
  /** 451 4.3.5 or 4.3.0, for an error in the configuration. */
  | 'error'
  | 'refused'
  | 'taken'
  /** The server hangs up without a word. */
  | 'gone';

/** How an element is put so that one hears whether it sees what it looks at; null: that needs a DNS, a login or a certificate. */
const HEARD: Readonly<Record<string, readonly [value: string, seen: Answer, unseen: Answer]>> = {
  check_client_access: ['check_client_access static:REJECT', 'refused', 'taken'],
  check_etrn_access: ['check_etrn_access static:REJECT', 'refused', 'taken'],
  check_helo_access: ['check_helo_access static:REJECT', 'refused', 'taken'],
  check_recipient_access: ['check_recipient_access static:REJECT', 'refused', 'taken'],
  check_reverse_client_hostname_access: [
    'check_reverse_client_hostname_access static:REJECT',
    'refused',
    'taken',
  ],
  check_sender_access: ['check_sender_access static:REJECT', 'refused', 'taken'],
  check_recipient_maps: ['check_recipient_maps', 'refused', 'taken'],
  check_relay_domains: ['check_relay_domains', 'refused', 'taken'],
  defer: ['defer', 'refused', 'taken'],
  defer_if_permit: ['defer_if_permit', 'refused', 'taken'],
  defer_unauth_destination: ['defer_unauth_destination', 'refused', 'taken'],
  permit: ['permit, reject', 'taken', 'refused'],
  permit_mynetworks: ['permit_mynetworks, reject', 'taken', 'refused'],
  reject: ['reject', 'refused', 'taken'],
  reject_authenticated_sender_login_mismatch: [
    'reject_authenticated_sender_login_mismatch',
    'taken',
    'taken',
  ],
  reject_known_sender_login_mismatch: ['reject_known_sender_login_mismatch', 'refused', 'taken'],
  reject_sender_login_mismatch: ['reject_sender_login_mismatch', 'refused', 'taken'],
  reject_unauthenticated_sender_login_mismatch: [
    'reject_unauthenticated_sender_login_mismatch',
    'refused',
    'taken',
  ],
  reject_invalid_helo_hostname: ['reject_invalid_helo_hostname', 'refused', 'taken'],
  reject_invalid_hostname: ['reject_invalid_hostname', 'refused', 'taken'],
  reject_non_fqdn_helo_hostname: ['reject_non_fqdn_helo_hostname', 'refused', 'taken'],
  reject_non_fqdn_hostname: ['reject_non_fqdn_hostname', 'refused', 'taken'],
  reject_non_fqdn_recipient: ['reject_non_fqdn_recipient', 'refused', 'taken'],
  reject_non_fqdn_sender: ['reject_non_fqdn_sender', 'refused', 'taken'],
  reject_plaintext_session: ['reject_plaintext_session', 'refused', 'taken'],
  reject_unauth_destination: ['reject_unauth_destination', 'refused', 'taken'],
  reject_unknown_client: ['reject_unknown_client', 'refused', 'taken'],
  reject_unknown_client_hostname: ['reject_unknown_client_hostname', 'refused', 'taken'],
  reject_unknown_reverse_client_hostname: ['reject_unknown_reverse_client_hostname', 'refused', 'taken'],
  reject_unlisted_recipient: ['reject_unlisted_recipient', 'refused', 'taken'],
  reject_unlisted_sender: ['reject_unlisted_sender', 'refused', 'taken'],
  reject_multi_recipient_bounce: ['reject_multi_recipient_bounce', 'refused', 'taken'],
  sleep: ['sleep 0, reject', 'refused', 'taken'],
  warn_if_reject: ['warn_if_reject reject', 'taken', 'refused'],
};

/** Elements that smtpd cannot use, each as the value of a class. */
const FAULTS: readonly string[] = [
  'reject_unath_destination',
  'reject-unauth-destination',
  'permit_sasl_authenticate',
  'Reject_Sender_Login_Mismatch',
  'reject_unknown_sender',
  'warn_if_reject reject_nothing',
  'static',
  '192.0.2.0/24',
  'user@example.com',
  'check_client_access',
  'check_sender_access reject',
  'check_helo_access /etc/postfix/helo',
  'check_recipient_access hahs:/etc/postfix/recipients',
  'check_client_access HASH:/etc/postfix/clients',
  'inet:127.0.0.1:10023',
  'unix:private/policy',
  'check_policy_service',
  'sleep',
  'sleep now',
  'static:REJECT',
  'static:DUNNO',
  'check_client_mx_access',
  'reject_rbl_client',
  'reject_rhsbl_sender',
  '\\',
];

/** A list on a port of its own; `early` where the lists for client, HELO and sender do not wait. */
interface Place {
  readonly list: RestrictionListName;
  readonly early: boolean;
  readonly port: number;
}

/** An element and the address of the client that meets it. */
interface Element {
  /** Null for what is none. */
  readonly name: string | null;
  readonly value: string;
  readonly className: string;
  readonly address: string;
}

/** Lists in which it counts how many recipients there are. */
const COUNTS_RECIPIENTS = /_(relay|recipient|data)_restrictions$/;

const EARLY: ReadonlySet<string> = new Set([
  'smtpd_client_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_sender_restrictions',
]);

/** A value that smtpd can use, for what cannot be heard. */
function quiet(name: string): string {
  const argument = restrictionDefinition(name)?.argument ?? null;
  return argument === null ? name : `${name} ${ARGUMENTS[argument]}`;
}

/** An argument of each kind that does no harm. */
const ARGUMENTS = {
  table: 'static:DUNNO',
  domain: 'bl.example.invalid',
  service: 'inet:127.0.0.1:9',
  seconds: '0',
} as const;

/** Restrictions that ask a DNS: their answers depend on where the test runs. */
const ASKS_DNS =
  /_(mx|ns|a)_access$|rbl|rhswl|dnswl|unknown_(sender|recipient|helo|address|hostname)|unverified|_mx_backup/;

function elements(): readonly Element[] {
  const names = allRestrictions().filter((name) => full || !/unverified/.test(name));
  const all = [
    ...names.map((name) => ({ name, value: HEARD[name]?.[0] ?? quiet(name) })),
    ...names
      .filter((name) => HEARD[name] !== undefined && builtInClass(name) === null)
      .map((name) => ({
        name,
        value: (HEARD[name]?.[0] ?? '').replace(/^[a-z_]+/, (word) => word.toUpperCase()),
      })),
    ...FAULTS.map((value) => ({ name: null, value })),
  ];
  return all.map((one, index) => ({
    ...one,
    className: `element_${index}`,
    address: `127.1.${index >> 7}.${(index & 127) + 1}`,
  }));
}

const EHLO = 'EHLO client..name\r\n';
const MAIL = 'MAIL FROM:<nobody@example>\r\n';
const BOUNCE = 'MAIL FROM:<>\r\n';
const RCPT = 'RCPT TO:<someone@elsewhere>\r\n';
const OWN = 'RCPT TO:<nobody@mail.example.org>\r\n';
const SECOND = 'RCPT TO:<other@elsewhere>\r\n';

function commands({ list }: Place, { name }: Element, recipients: 1 | 2): readonly string[] {
  if (list === 'smtpd_etrn_restrictions') return [EHLO, 'ETRN mail.example.org\r\n'];
  const unlisted = name === 'reject_unlisted_recipient' || name === 'check_recipient_maps';
  return [
    EHLO,
    name === 'reject_multi_recipient_bounce'
      ? BOUNCE
      : name === 'reject_unlisted_sender'
        ? 'MAIL FROM:<nobody@mail.example.org>\r\n'
        : MAIL,
    unlisted ? OWN : RCPT,
    ...(recipients === 2 ? [SECOND] : []),
    'DATA\r\n',
    'Subject: test\r\n\r\ntext\r\n.\r\n',
  ];
}

/** The first answer that is no success. The flush service says 459 of a domain that it does not serve: ETRN has passed. */
async function hear(place: Place, element: Element, recipients: 1 | 2): Promise<Answer> {
  const texts = commands(place, element, recipients);
  const replies = await converse(place.port, texts, element.address);
  const bad = replies.find(
    (reply) => /^[45]/.test(reply.split('\n').at(-1) ?? '') && !reply.startsWith('459'),
  );
  if (bad === undefined) return replies.length > texts.length ? 'taken' : 'gone';
  return /^451 4\.3\.[05] /.test(bad) ? 'error' : 'refused';
}

/** What the table of restrictions says that a client hears with one recipient and with two; null: no error, and no more is known. */
function expected(
  configuration: PostfixConfiguration,
  place: Place,
  element: Element,
): readonly [Answer, Answer] | null {
  const { name } = element;
  const item = readElement(configuration, place, element);
  const looksAt = restrictionDefinition(builtInClass(item.name)?.[0] ?? item.name)?.looksAt ?? 'nothing';
  const sight = sightOf(place.list, looksAt, !place.early);
  // Nobody opens a table for what is not there, and the removed name asks for a recipient before it says so.
  if (item.fault === 'unknown-table' || (item.fault === 'removed' && item.name === 'check_relay_domains'))
    return heardAs(sight, '', 'error', 'taken');
  if (item.fault !== null && item.fault !== 'missing-domain') return ['error', 'error'];
  // Nothing listens where the policy service should.
  if (name === 'check_policy_service') return ['error', 'error'];
  const heard = name === null ? undefined : HEARD[name];
  return heard === undefined || name === null ? null : heardAs(sight, name, heard[1], heard[2]);
}

/** The element as it is read at the head of its list; of `warn_if_reject` the one behind it. */
function readElement(configuration: PostfixConfiguration, { list }: Place, { value }: Element): Restriction {
  const { postfix } = hostFromTexts(
    { 'main.cf': `${list} = ${value}\n`, 'master.cf': 'smtp inet n - n - - smtpd\n' },
    { postfix: configuration.release },
  );
  const [service] = postfix?.configuration.services ?? [];
  if (postfix === null || service === undefined) throw new Error('no Postfix');
  const [item] = restrictionList(postfix.configuration, list, service).items;
  if (item === undefined) throw new Error(`nothing in ${value}`);
  return item;
}

/** A sight as it is heard with one recipient and with two. */
function heardAs(sight: Sight, name: string, seen: Answer, unseen: Answer): readonly [Answer, Answer] {
  if (sight === 'never') return [unseen, unseen];
  // The first recipient of a bounce is accepted, and only at the second, or at DATA, are there several.
  if (name === 'reject_multi_recipient_bounce') return [unseen, seen];
  return sight === 'always' ? [seen, seen] : [seen, unseen];
}

async function places(): Promise<readonly Place[]> {
  const found: Place[] = [];
  for (const list of RESTRICTION_LISTS) {
    found.push({ list, early: false, port: await freePort() });
    if (EARLY.has(list)) found.push({ list, early: true, port: await freePort() });
  }
  return found;
}

/** An smtpd that has the classes in one list, and takes everything else. */
function serviceLines({ list, early, port }: Place): readonly string[] {
  const classes = 'check_client_access,texthash:$config_directory/elements';
  const open = 'check_client_access,static:OK,reject';
  return [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    `  -o smtpd_delay_reject=${early ? 'no' : 'yes'}`,
    `  -o smtpd_relay_restrictions=${list === 'smtpd_relay_restrictions' ? `${classes},${open}` : open}`,
    `  -o smtpd_recipient_restrictions=${list === 'smtpd_recipient_restrictions' ? `${classes},${open}` : open}`,
    ...(/relay|recipient/.test(list) ? [] : [`  -o ${list}=${classes}`]),
  ];
}

/** What is heard otherwise than the table says. */
async function differences(root: Root, offset: number): Promise<readonly unknown[]> {
  const folder = `/tmp/pfharden-restrictions-${process.pid}`;
  const outside = path.join(root.path, folder);
  fs.mkdirSync(outside, { recursive: true });
  const all = elements();
  const where = await places();
  const settings = {
    ...surroundings(root, folder),
    compatibility_level: '2',
    mydestination: 'mail.example.org',
    mynetworks: '127.0.0.0/8',
    local_recipient_maps: 'texthash:$config_directory/elements',
    local_transport: 'discard:',
    default_transport: 'discard:',
    relay_domains: '',
    smtpd_reject_unlisted_recipient: 'no',
    smtpd_sasl_auth_enable: 'yes',
    smtpd_sender_login_maps: 'static:owner',
    smtpd_error_sleep_time: '0',
    smtpd_client_connection_count_limit: '0',
    fast_flush_domains: '',
    smtpd_restriction_classes: all.map(({ className }) => className).join(', '),
    // A name server that does not answer shall not hold up the test.
    import_environment: 'MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C RES_OPTIONS=timeout:1,attempts:1',
  };
  const main = [
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    ...all.map(({ className, value }) => `${className} = ${value}`),
  ];
  fs.writeFileSync(path.join(outside, 'main.cf'), `${main.join('\n')}\n`);
  fs.writeFileSync(
    path.join(outside, 'master.cf'),
    `${[...where.flatMap(serviceLines), ...MAIL_SERVICES].join('\n')}\n`,
  );
  fs.writeFileSync(
    path.join(outside, 'elements'),
    `${all.map(({ address, className }) => `${address} ${className}`).join('\n')}\n`,
  );
  const { postfix: known } = hostFromTexts({ 'main.cf': '' }, { postfix: root.postfix });
  if (known === null) throw new Error('no Postfix');
  const postfix = await startPostfix(
    root,
    folder,
    where.map(({ port }) => port),
  );
  try {
    const wrong: unknown[] = [];
    let dialogues = 0;
    let judged = 0;
    for (const place of where) {
      for (const [index, element] of all.entries()) {
        if (!full && (index + offset) % 2 === 1) continue;
        const wanted = expected(known.configuration, place, element);
        const dns = element.name !== null && ASKS_DNS.test(element.name);
        if (dns && !full && place.list !== 'smtpd_recipient_restrictions') continue;
        const one = await hear(place, element, 1);
        const two = COUNTS_RECIPIENTS.test(place.list) ? await hear(place, element, 2) : null;
        dialogues += two === null ? 1 : 2;
        const answers = two === null ? [one] : [one, two];
        const fits =
          wanted === null
            ? answers.every((answer) => answer === 'taken' || answer === 'refused')
            : answers.every((answer, at) => answer === wanted[at]);
        judged++;
        if (!fits)
          wrong.push({ list: place.list, early: place.early, value: element.value, wanted, answers });
      }
    }
    console.log(`Postfix ${root.postfix}: ${judged} elements in their lists, ${dialogues} dialogues`);
    return wrong;
  } finally {
    await postfix.stop();
  }
}

// Where the time is bounded each release hears every second element, and its neighbour the others.
test.each(roots().map((root, offset) => ({ name: `Postfix ${root.postfix}`, root, offset })))(
  '$name uses the restrictions that the table says it uses',
  async ({ root, offset }) => {
    expect(await differences(root, offset)).toEqual([]);
  },
);
