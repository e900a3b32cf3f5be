import { type OpenedTable, openTables, withParents } from './client-tls.ts';
import { listWords, type PostfixConfiguration } from './configuration.ts';
import { nexthopOf, type PostfixEndpoint, splitTransport } from './endpoints.ts';
import { lookup } from './tables.ts';

/** Tables by which the sender decides where mail goes. */
const BY_SENDER = ['sender_dependent_relayhost_maps', 'sender_dependent_default_transport_maps'];

/**
 * Where a client may send mail for a domain: the destinations that TLS policies are looked up for. Facts:
 * resolve.c and transport.c of trivial-rewrite(8), transport(5).
 *
 * @param domain of recipients, in lower case
 * @returns null among them where it may be one that cannot be told from the files
 */
export function nexthopsFor(
  configuration: PostfixConfiguration,
  endpoint: PostfixEndpoint,
  domain: string,
): readonly (string | null)[] {
  const fixed = nexthopOf(endpoint);
  if (fixed !== null) return [fixed];
  const routes = openTables(configuration, configuration.get('transport_maps'));
  // Users may have a route of their own.
  const byUser = routes.some(({ table }) =>
    table?.entries.some(({ key }) => key.toLowerCase().endsWith(`@${domain}`)),
  );
  const bySender = BY_SENDER.some((name) => configuration.value(name) !== '');
  const nexthop = routedNexthop(configuration, routes, domain);
  return nexthop !== null && (byUser || bySender) ? [null, nexthop] : [nexthop];
}

/** Where transport_maps sends mail for a domain; null where it cannot be told. */
function routedNexthop(
  configuration: PostfixConfiguration,
  routes: readonly OpenedTable[],
  domain: string,
): string | null {
  for (const key of transportKeys(configuration, domain)) {
    for (const { table } of routes) {
      const found = table === null ? 'undecidable' : lookup(table, key);
      if (found === 'undecidable') return null;
      if (found !== null) return splitTransport(found.value).nexthop || domain;
    }
  }
  return domain;
}

/** `mail.example.com`, `.example.com`, `.com` and at last `*`; parents without their dots where the setting says so. */
function transportKeys(configuration: PostfixConfiguration, domain: string): readonly string[] {
  const plain = listWords(configuration.value('parent_domain_matches_subdomains')).includes('transport_maps');
  const keys = withParents(domain);
  return [...(plain ? keys.map((key) => key.replace(/^\./, '')) : keys), '*'];
}
