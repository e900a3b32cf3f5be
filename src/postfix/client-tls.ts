import { type Effective, listWords, type PostfixConfiguration } from './configuration.ts';
import { clientMode, type TlsDetails, tlsOf } from './endpoint-tls.ts';
import type { PostfixEndpoint } from './endpoints.ts';
import type { Service } from './services.ts';
import { lookup, parseTableReference, readTable, type Table, tableStorage } from './tables.ts';
import { isHostname, parseTlsPolicy, type TlsPolicy } from './tls-policy.ts';

/**
 * What a client finds for a destination, and what its levels need to work. Facts: postfix-tls §5;
 * smtp_tls_policy.c, smtp_addr.c, tls_certkey.c.
 */

/** What `smtp_dns_support_level` must be for DANE. */
export const DNSSEC = 'dnssec';

/** A table of a list of tables, as far as it can be read. */
export interface OpenedTable {
  readonly text: string;
  /** Null where its content is elsewhere or the file is not there. */
  readonly table: Table | null;
}

/** The words of a list of tables; what stands in braces is one word (mystrtokq, CHARS_BRACE). */
function tableWords(value: string): string[] {
  const words: string[] = [];
  let word = '';
  let level = 0;
  for (const character of value) {
    if (level === 0 && /[\s,]/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (character === '{') level++;
    else if (character === '}' && level > 0) level--;
    word += character;
  }
  if (word !== '') words.push(word);
  return words;
}

/** The tables that a parameter lists, in order. */
export function openTables(configuration: PostfixConfiguration, effective: Effective): OpenedTable[] {
  return tableWords(effective.value).map((text) => {
    const reference = parseTableReference(text);
    if (reference === null) return { text, table: null };
    const source = tableStorage(reference) === 'file' ? configuration.open(reference.name) : null;
    return { text, table: readTable(reference, source) };
  });
}

/** What the policy tables say of a destination: a policy, null for none, or that it cannot be told. */
export function policyFor(
  configuration: PostfixConfiguration,
  service: Service,
  family: string,
  nexthop: string,
): TlsPolicy | null | 'undecidable' {
  const tables = openTables(configuration, configuration.get(`${family}_tls_policy_maps`, service));
  // Parent domains are tried for a bare domain only.
  const keys = isHostname(nexthop) ? withParents(nexthop) : [nexthop];
  for (const key of keys) {
    for (const { table } of tables) {
      const found = table === null ? 'undecidable' : lookup(table, key);
      if (found === 'undecidable') return 'undecidable';
      if (found !== null) return parseTlsPolicy(found.value, configuration.release);
    }
  }
  return null;
}

/**
 * The TLS of a client towards a destination: by the policy that its tables have for it, else as the endpoint
 * says (policy_create() of smtp_tls_policy.c).
 *
 * @param nexthop as it is routed: `example.com`, `[mail.example.com]:587`
 * @returns null where a table that cannot be read here may say something else
 */
export function destinationTls(
  configuration: PostfixConfiguration,
  endpoint: PostfixEndpoint,
  nexthop: string,
): TlsDetails | null {
  const { service, family } = endpoint;
  const policy = policyFor(configuration, service, family, nexthop);
  if (policy === null) return endpoint;
  if (policy === 'undecidable') return null;
  const level = policy.level ?? 'none';
  const mode = policy.valid ? clientMode({ configuration, service, family }, level) : 'none';
  const details = tlsOf(configuration, {
    service,
    family,
    level,
    mode,
    valid: true,
    needsCertificate: false,
    policy,
  });
  return policy.valid ? details : { ...details, fault: 'invalid-policy' };
}

/** The keys under which tables are asked for a domain: `mail.example.com`, `.example.com`, `.com`. */
export function withParents(domain: string): string[] {
  const keys = [domain];
  for (let dot = domain.indexOf('.', 1); dot >= 0; dot = domain.indexOf('.', dot + 1))
    keys.push(domain.slice(dot));
  return keys;
}

/** The setting that keeps DANE from working on a client, as `name = value`, or null when nothing does. */
export function lacksDnssec(
  configuration: PostfixConfiguration,
  { family, service }: PostfixEndpoint,
): Effective | null {
  const support = configuration.get(`${family}_dns_support_level`, service);
  if (support.value.toLowerCase() !== DNSSEC) return support;
  const lookups = configuration.get(`${family}_host_lookup`, service);
  if (!listWords(lookups.value.toLowerCase()).includes('dns')) return lookups;
  for (const name of ['disable_dns_lookups', ...(family === 'smtp' ? ['ignore_mx_lookup_error'] : [])]) {
    const blocker = configuration.get(name, service);
    if (blocker.value.toLowerCase() === 'yes') return blocker;
  }
  const options = configuration.get(`${family}_dns_resolver_options`, service);
  return /res_defnames|res_dnsrch/i.test(options.value) ? options : null;
}

/**
 * Whether a client has certification authorities to verify against. `tls_append_default_CA` gives none
 * by itself: the CAs of the system are added to those of a CA file or folder (tls_certkey.c
 * tls_set_ca_certificate_info() of 2.6 to 3.12; held against posttls-finger 3.10.13).
 */
export function hasTrustAnchors(
  configuration: PostfixConfiguration,
  { family, service }: PostfixEndpoint,
): boolean {
  return ['CAfile', 'CApath', 'trust_anchor_file'].some(
    (name) => configuration.value(`${family}_tls_${name}`, service) !== '',
  );
}
