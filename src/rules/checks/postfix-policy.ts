import { compareProtocols, type Protocol } from '../../model/protocol.ts';
import { hasTrustAnchors, lacksDnssec, openTables, policyFor } from '../../postfix/client-tls.ts';
import { listWords, type PostfixSetting } from '../../postfix/configuration.ts';
import { nexthopAddress, nexthopOf, type PostfixEndpoint, splitTransport } from '../../postfix/endpoints.ts';
import { fixMayUse } from '../../postfix/proposals.ts';
import { parseProtocolList } from '../../postfix/protocol-list.ts';
import type { Table, TableEntry } from '../../postfix/tables.ts';
import { parseTlsPolicy, type TlsPolicy, type TlsPolicyCode } from '../../postfix/tls-policy.ts';
import type { Location } from '../../text/source.ts';
import { libraryProtocols } from '../../tls/openssl.ts';
import type { Check, CheckContext, Report } from '../check.ts';

/**
 * smtp_tls_policy_maps: TLS by destination. Facts: postfix-tls §5; smtp_tls_policy.c. The key is the
 * nexthop as it is routed, `[host]:port` included, or for a bare domain also a parent with a dot before.
 */

/** Nexthops that the configuration names, and whether that is all of them. */
interface Nexthops {
  readonly named: ReadonlySet<string>;
  readonly complete: boolean;
}

/** Tables that name nexthops: in the result of transport_maps after the transport, else alone. */
const NEXTHOP_MAPS = [
  'transport_maps',
  'sender_dependent_relayhost_maps',
  'sender_dependent_default_transport_maps',
];

function namedNexthops({ postfix, endpoints }: CheckContext): Nexthops {
  const named = new Set<string>();
  let complete = true;
  for (const endpoint of endpoints) {
    const nexthop = endpoint.side === 'client' ? nexthopOf(endpoint) : null;
    if (nexthop !== null) named.add(nexthop.toLowerCase());
  }
  for (const name of ['relayhost', 'smtp_fallback_relay', 'fallback_relay']) {
    for (const word of listWords(postfix.value(name))) named.add(word.toLowerCase());
  }
  for (const name of NEXTHOP_MAPS) {
    for (const { table } of openTables(postfix, postfix.get(name))) {
      if (table === null) complete = false;
      for (const { value } of table?.entries ?? []) {
        named.add((name.includes('transport') ? splitTransport(value).nexthop : value).toLowerCase());
      }
    }
  }
  named.delete('');
  return { named, complete };
}

/** One entry of a policy table with all that is needed to judge it. */
interface PolicyEntry {
  readonly context: CheckContext;
  readonly endpoint: PostfixEndpoint;
  /** The assignment that names the table. */
  readonly maps: PostfixSetting;
  readonly table: Table;
  readonly entry: TableEntry;
  readonly policy: TlsPolicy;
  /** Where a part of the value stands. */
  readonly place: (at: number, length: number) => Location;
}

function* tlsPolicy(context: CheckContext): Iterable<Report> {
  const { postfix, endpoints } = context;
  const seen = new Set<string>();
  for (const endpoint of endpoints) {
    if (endpoint.side !== 'client') continue;
    const maps = postfix.get(`${endpoint.family}_tls_policy_maps`, endpoint.service);
    if (maps.setting === null) continue;
    const known = `${maps.setting.at.source.path}:${maps.setting.at.span.start}`;
    if (seen.has(known)) continue;
    seen.add(known);
    const nexthops = namedNexthops(context);
    for (const { table } of openTables(postfix, maps)) {
      if (table === null || !table.usable) continue;
      for (const entry of table.entries) {
        // `$1` of a pattern is filled by each lookup.
        if (/\$\d|\$[{(]\d/.test(entry.value)) continue;
        const policy = parseTlsPolicy(entry.value, postfix.release);
        const place = placeIn(table, entry, maps.setting.at);
        const judged = { context, endpoint, maps: maps.setting, table, entry, policy, place };
        yield* problems(judged);
        if (policy.valid) {
          yield* weakLevel(judged);
          yield* weakProtocols(judged);
          yield* levelWithoutMeans(judged);
        }
        yield* keyThatNeverMatches(judged, nexthops);
      }
    }
  }
}

/** Places in the file of the table; for a table that stands in main.cf, the setting. */
function placeIn(table: Table, entry: TableEntry, fallback: Location): PolicyEntry['place'] {
  const { source } = table;
  if (source === null) return () => fallback;
  // Only in one piece does an offset in the value lead to a place in the file.
  const inOnePiece = source.slice(entry.valueSpan) === entry.value;
  return (at, length) => {
    const start = entry.valueSpan.start + at;
    return { source, span: inOnePiece && length > 0 ? { start, end: start + length } : entry.valueSpan };
  };
}

/** Tables that are not searched for a key as it is written. */
function hasPatterns({ reference }: Table): boolean {
  return ['regexp', 'pcre', 'cidr', 'static'].includes(reference.type);
}

function keyPlace({ table, entry, maps }: PolicyEntry): Location {
  return table.source === null ? maps.at : { source: table.source, span: entry.keySpan };
}

/** What each code of the parser is called here. */
const MESSAGE_OF: Readonly<Record<TlsPolicyCode, string>> = {
  'empty-policy': 'level',
  'bad-level': 'level',
  'too-new': 'too-new',
  'missing-equals': 'syntax',
  'missing-name': 'syntax',
  'unclosed-brace': 'syntax',
  'text-after-brace': 'syntax',
  'unknown-attribute': 'attribute',
  'repeated-attribute': 'repeated',
  'attribute-not-at-level': 'misplaced',
  'empty-value': 'empty-value',
  'bad-protocols': 'protocols',
  'bad-grade': 'value',
  'bad-exclusion': 'value',
  'bad-hostname': 'value',
  'bad-value': 'value',
  'missing-policy-type': 'policy-type',
  'ignored-attribute': 'ignored',
};

/** The first mistake: the server reads no further. */
function* problems({ endpoint, maps, entry, policy, place }: PolicyEntry): Iterable<Report> {
  const [problem] = policy.problems;
  if (problem === undefined) return;
  const { code, at, detail } = problem;
  const attribute = policy.attributes.find(({ valueAt }) => valueAt === at)?.name ?? null;
  yield {
    message: MESSAGE_OF[code],
    at: place(at, detail.length),
    endpoint,
    setting: maps.name,
    actual: entry.value,
    data: { key: entry.key, detail, attribute, level: policy.level },
  };
}

/** A level below what the profile asks of mail to the world. */
function* weakLevel({ context, endpoint, maps, table, entry, policy, place }: PolicyEntry): Iterable<Report> {
  const { postfix, profile } = context;
  if (!hasPatterns(table) && nexthopAddress(entry.key).loopback) return;
  const dane = profile.thresholds.outboundLevel === 'dane' && lacksDnssec(postfix, endpoint) === null;
  if (policy.level !== 'none' && !(dane && policy.level === 'may' && endpoint.level === 'dane')) return;
  yield {
    message: policy.level === 'none' ? 'level-none' : 'level-may',
    at: place(0, policy.level.length),
    endpoint,
    setting: maps.name,
    actual: entry.value,
    expected: policy.level === 'none' ? 'may' : 'dane',
    data: { key: entry.key },
  };
}

/** A protocol below the floor for destinations of a policy. */
function* weakProtocols({ context, endpoint, maps, entry, policy, place }: PolicyEntry): Iterable<Report> {
  const { postfix, profile } = context;
  const attribute = policy.attributes.find(({ name }) => name === 'protocols');
  if (attribute === undefined || policy.level === null || policy.level === 'none') return;
  const floor: Protocol = profile.thresholds.lowestProtocol[policy.level === 'may' ? 'outbound' : 'policy'];
  const { permitted } = parseProtocolList(attribute.value, postfix.release);
  const spoken = libraryProtocols(postfix.openssl.version);
  const below = permitted.filter(
    (protocol) =>
      compareProtocols(protocol, floor) < 0 &&
      (postfix.openssl.versionFrom === 'assumed' || spoken.includes(protocol)) &&
      !(policy.level?.startsWith('dane') === true && compareProtocols(protocol, 'TLSv1') < 0),
  );
  if (below.length === 0) return;
  yield {
    message: 'weak-protocols',
    at: place(attribute.valueAt, attribute.value.length),
    endpoint,
    setting: maps.name,
    actual: attribute.value,
    data: { key: entry.key, below, floor, range: fixMayUse(postfix, 'protocolRange') },
  };
}

/** Levels that need what is not there. */
function* levelWithoutMeans({
  context,
  endpoint,
  maps,
  entry,
  policy,
  place,
}: PolicyEntry): Iterable<Report> {
  const { postfix } = context;
  const { level, attributes } = policy;
  if (level === null || postfix.main === null) return;
  const has = (name: string): boolean => attributes.some((attribute) => attribute.name === name);
  const { service, family } = endpoint;
  let message: string | null = null;
  if ((level === 'verify' || level === 'secure') && !has('tafile') && !hasTrustAnchors(postfix, endpoint))
    message = 'no-trust-anchors';
  else if (
    level === 'fingerprint' &&
    !has('match') &&
    postfix.value(`${family}_tls_fingerprint_cert_match`, service) === ''
  )
    message = 'no-fingerprints';
  else if (level.startsWith('dane') && lacksDnssec(postfix, endpoint) !== null) message = 'no-dnssec';
  if (message === null) return;
  yield {
    message,
    at: place(0, level.length),
    endpoint,
    setting: maps.name,
    actual: entry.value,
    data: { key: entry.key, level, only: level === 'dane-only', family },
  };
}

/** Names of hosts that take mail for others, and are the domain of nobody's address. */
const MX_HOSTS = [
  /^(?:alt\d+\.)?(?:aspmx\d*|gmail-smtp-in)\.l\.google\.com$/,
  /^aspmx\d*\.googlemail\.com$/,
  /\.(?:mail|olc)\.protection\.outlook\.com$/,
  /\.mx\.microsoft$/,
  /\.yahoodns\.net$/,
  /^mx[-\da-z]*\.[^.]+\.[^.]+/,
];

function* keyThatNeverMatches(judged: PolicyEntry, { named, complete }: Nexthops): Iterable<Report> {
  const { context, endpoint, maps, table, entry } = judged;
  // A key of a pattern table is a pattern.
  if (hasPatterns(table)) return;
  const key = entry.key.toLowerCase();
  const common = { at: keyPlace(judged), endpoint, setting: maps.name, actual: entry.key };
  if (key.includes('*')) {
    yield { ...common, message: 'wildcard', data: { key: entry.key, instead: key.replace(/^\*(?=\.)/, '') } };
    return;
  }
  if (key.includes('@')) {
    yield { ...common, message: 'address', data: { key: entry.key, instead: key.replace(/^.*@/, '') } };
    return;
  }
  if (named.has(key)) return;
  const host = nexthopAddress(key).address;
  const routed = [...named].find(
    (nexthop) =>
      nexthopAddress(nexthop).address === host &&
      policyFor(context.postfix, endpoint.service, endpoint.family, nexthop) === null,
  );
  if (routed !== undefined) {
    yield {
      ...common,
      message: 'other-nexthop',
      expected: routed,
      data: { key: entry.key, nexthop: routed },
    };
    return;
  }
  if (!complete) return;
  if (key.startsWith('[')) yield { ...common, message: 'unused-nexthop', data: { key: entry.key } };
  else if (MX_HOSTS.some((pattern) => pattern.test(key))) {
    yield { ...common, message: 'mx-host', data: { key: entry.key } };
  }
}

/** Checks of the table of TLS policies. */
export const policyChecks: Readonly<Record<string, Check>> = {
  'postfix/tls-policy': tlsPolicy,
};
