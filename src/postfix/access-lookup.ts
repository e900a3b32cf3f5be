import { listWords, type PostfixConfiguration } from './configuration.ts';
import { type NamedClient, parentsOf } from './networks.ts';
import { openTable, type TableAnswer } from './open-tables.ts';
import type { Restriction } from './restrictions.ts';
import type { Service } from './services.ts';

/**
 * Which keys smtpd looks up in the table of a `check_*_access` restriction, and in which order (access(5);
 * check_namadr_access(), check_domain_access(), check_addr_access(), check_mail_access() of smtpd_check.c,
 * mail_addr_find.c).
 */

/** What a client shows of himself. */
export interface AccessClient extends NamedClient {
  /** Null: he says neither HELO nor EHLO. */
  readonly helo: string | null;
  /** Empty: `MAIL FROM:<>`. */
  readonly sender: string;
  readonly recipient: string;
}

/** What a table says of a client. */
export type AccessAnswer =
  | Exclude<TableAnswer, { readonly kind: 'unknown' }>
  /** `chosen`: the table holds single keys, and the client may choose what is looked up. */
  | { readonly kind: 'unknown'; readonly chosen: boolean };

const NONE: AccessAnswer = { kind: 'none' };

/** Looks a client up in the table of a restriction. */
export function lookUpAccess(
  configuration: PostfixConfiguration,
  service: Service,
  { name, argument, definition }: Restriction,
  client: AccessClient,
): AccessAnswer {
  const keys = accessKeys(configuration, service, name, client);
  if (keys.length === 0 || argument === null) return NONE;
  const table = openTable(argument.text, configuration.open);
  for (const { key, whole } of keys) {
    if (!whole && !table.partial) continue;
    const answer = table.lookup(key.toLowerCase());
    if (answer.kind === 'none') continue;
    if (answer.kind !== 'unknown') return answer;
    if (table.known !== 'keys') return { kind: 'unknown', chosen: false };
    // Nobody has named this client or this recipient; sender and HELO name are his to choose.
    const chosen = definition?.looksAt === 'sender' || definition?.looksAt === 'helo';
    return chosen && !definition.neverPermits ? { kind: 'unknown', chosen } : NONE;
  }
  return NONE;
}

/** A key, and whether tables of patterns are asked for it too. */
interface Key {
  readonly key: string;
  readonly whole: boolean;
}

function accessKeys(
  configuration: PostfixConfiguration,
  service: Service,
  name: string,
  client: AccessClient,
): readonly Key[] {
  const plain = listWords(configuration.value('parent_domain_matches_subdomains', service)).includes(
    'smtpd_access_maps',
  );
  const domain = (host: string): Key[] => [
    { key: host, whole: true },
    ...parentsOf(host, plain).map((key) => ({ key, whole: false })),
  ];
  switch (name) {
    case 'check_client_access':
    case 'check_reverse_client_hostname_access':
      return [...domain(client.name), ...addressKeys(client.address)];
    case 'check_helo_access':
      return client.helo === null ? [] : domain(client.helo);
    case 'check_sender_access':
      return client.sender === ''
        ? [{ key: configuration.value('smtpd_null_access_lookup_key', service), whole: true }]
        : mailKeys(client.sender, configuration.value('recipient_delimiter', service), domain);
    case 'check_recipient_access':
      return mailKeys(client.recipient, configuration.value('recipient_delimiter', service), domain);
    default:
      // Checks of name servers and mail exchangers: whose domain has none that is listed passes them.
      return [];
  }
}

function addressKeys(address: string): Key[] {
  const keys = [{ key: address, whole: true }];
  const separator = address.includes(':') ? ':' : '.';
  for (let end = address.lastIndexOf(separator); end > 0; end = address.lastIndexOf(separator, end - 1))
    keys.push({ key: address.slice(0, end), whole: false });
  return keys;
}

/** user+extension@domain, user@domain, domain and those above it, user+extension@, user@. */
function mailKeys(address: string, delimiters: string, domain: (host: string) => Key[]): Key[] {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const host = address.slice(at + 1);
  let cut = 1;
  while (cut < local.length && !delimiters.includes(local.charAt(cut))) cut++;
  const bare = cut < local.length ? [local.slice(0, cut)] : [];
  return [
    { key: address, whole: true },
    ...bare.map((user) => ({ key: `${user}@${host}`, whole: false })),
    ...domain(host).map(({ key }) => ({ key, whole: false })),
    ...[local, ...bare].map((user) => ({ key: `${user}@`, whole: false })),
  ];
}
