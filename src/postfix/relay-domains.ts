import { type Effective, listWords, type PostfixConfiguration } from './configuration.ts';
import { parentsOf } from './networks.ts';
import { openTable } from './open-tables.ts';
import { splitWords } from './restrictions.ts';
import type { Service } from './services.ts';

/**
 * Whether mail for a recipient elsewhere counts as mail for the server's own: `relay_domains`
 * (domain_list.c, match_ops.c, resolve.c) and what `relay_recipient_maps` then says of the recipient.
 */

/** Whether the domain of a recipient is one that the server relays for. */
export interface RelayDomain {
  readonly verdict: 'yes' | 'no' | 'unknown';
  /** The word of `relay_domains` that decides, offsets in the expanded value; null for `no`. */
  readonly by: { readonly text: string; readonly start: number; readonly end: number } | null;
}

/**
 * `relay_domains` as it counts for an smtpd: not its own value, but that of the trivial-rewrite(8) that it
 * asks, which an `-o` of smtpd does not reach.
 */
export function relayDomainsOf(configuration: PostfixConfiguration, service: Service): Effective {
  return configuration.get('relay_domains', resolver(configuration, service));
}

function resolver(configuration: PostfixConfiguration, service: Service): Service | null {
  const name = configuration.value('rewrite_service_name', service);
  return (
    configuration.services.find((other) => other.program === 'trivial-rewrite' && other.name === name) ?? null
  );
}

/** Looks the domain of a recipient up in `relay_domains`. */
export function relayDomainOf(
  configuration: PostfixConfiguration,
  service: Service,
  recipient: string,
): RelayDomain {
  const host = recipient.slice(recipient.lastIndexOf('@') + 1).toLowerCase();
  const rewrite = resolver(configuration, service);
  const plain = listWords(configuration.value('parent_domain_matches_subdomains', rewrite)).includes(
    'relay_domains',
  );
  const keys = [host, ...parentsOf(host, plain)];
  for (const word of splitWords(relayDomainsOf(configuration, service).value, true)) {
    const negated = word.text.startsWith('!');
    const pattern = word.text.replace(/^!+/, '').toLowerCase();
    const found = pattern.includes(':')
      ? inTable(configuration, word.text.replace(/^!+/, ''), keys)
      : keys.includes(pattern) && !pattern.startsWith('/')
        ? 'yes'
        : 'no';
    if (found === 'no') continue;
    return negated ? { verdict: 'no', by: null } : { verdict: found, by: word };
  }
  return { verdict: 'no', by: null };
}

/** A domain that nobody has named is in a table only where a pattern or a constant answers. */
function inTable(
  { open }: PostfixConfiguration,
  name: string,
  keys: readonly string[],
): RelayDomain['verdict'] {
  const table = openTable(name, open);
  for (const key of table.partial ? keys : keys.slice(0, 1)) {
    const { kind } = table.lookup(key);
    if (kind === 'found') return 'yes';
    if (kind === 'unknown') return /^(?:proxy:)?(?:regexp|pcre):/.test(name) ? 'unknown' : 'no';
  }
  return 'no';
}

/**
 * Whether smtpd takes a recipient whose domain is in `relay_domains`: without `relay_recipient_maps` any,
 * else those that are found there.
 */
export function relayRecipientOf(
  configuration: PostfixConfiguration,
  service: Service,
  recipient: string,
): RelayDomain['verdict'] {
  const tables = splitWords(configuration.value('relay_recipient_maps', service), true);
  if (tables.length === 0) return 'yes';
  for (const { text } of tables) {
    const table = openTable(text, configuration.open);
    const keys = [recipient, ...(table.partial ? [recipient.slice(recipient.lastIndexOf('@'))] : [])];
    for (const key of keys) {
      const { kind } = table.lookup(key);
      if (kind === 'found') return 'yes';
      // A table of single keys does not hold whom nobody has named.
      if (kind === 'unknown' && table.known !== 'keys') return 'unknown';
    }
  }
  return 'no';
}
