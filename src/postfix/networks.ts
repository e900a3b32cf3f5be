import type { Location, SourceFile } from '../text/source.ts';
import { type Address, contains, type Network, parseAddress, parseNetwork } from './addresses.ts';
import { type Effective, listWords, type PostfixConfiguration } from './configuration.ts';
import { type OpenTable, openTable } from './open-tables.ts';
import { hasFeature } from './parameters.ts';
import { partLocation, splitWords } from './restrictions.ts';
import type { Service } from './services.ts';
import { logicalLines, sourceSpan } from './syntax/logical-lines.ts';

/**
 * Lists of networks and names of clients, as `mynetworks`, `smtpd_authorized_xclient_hosts` and their kin
 * hold them: match_list.c, match_ops.c and namadr_list.c. The first pattern that matches decides, `!` before
 * it turns the answer round; a pattern that cannot be looked up ends the search with an error, and smtpd
 * then answers 451. Compared with running servers of four releases.
 */

/** What is wrong with a pattern. Lookups that come to it fail. */
export type NetworkFault =
  /** `192.168.1.5/24`: bits behind the length are not zero. */
  | 'host-bits'
  /** `192.168.1.0/255.255.255.0`, `10.0.0.0/33`, `[::1`. */
  | 'bad-network'
  /** `2001:db8::/32` without brackets: taken for a table. */
  | 'no-brackets'
  /** `::1` without brackets, `!` with nothing behind it: the programs that read the list do not start. */
  | 'fatal'
  /** A table that cannot be opened. */
  | 'broken-table';

/** One pattern of a list. */
export interface NetworkPattern {
  /** As written, without `!`. */
  readonly text: string;
  /** An odd number of `!` stands before it. */
  readonly negated: boolean;
  readonly kind: /** An address or a network. */
    | 'network'
    /** A host or domain name; what is neither matches nothing, and is kept as a name. */
    | 'name'
    | 'table'
    /** A file whose patterns are not known here. */
    | 'file';
  readonly network: Network | null;
  readonly table: OpenTable | null;
  readonly fault: NetworkFault | null;
  /** Where it stands; null for a default. */
  readonly at: Location | null;
}

/** A list as one service has it. */
export interface NetworkList {
  readonly effective: Effective;
  readonly patterns: readonly NetworkPattern[];
  /** A name stands for those below it (`parent_domain_matches_subdomains`), without a dot before it. */
  readonly parentDomains: boolean;
}

/** A client as the lists know him. */
export interface NamedClient {
  /** Of IPv6 in the form of inet_ntop(3). */
  readonly address: string;
  /** The name that his address has, and that has his address; `unknown` without one. */
  readonly name: string;
}

/** What a list says of a client. */
export interface NetworkMatch {
  /** `error`: the lookup fails, and smtpd answers 451. `unknown`: what is not known here decides. */
  readonly verdict: 'in' | 'out' | 'error' | 'unknown';
  /** The pattern that decides; null where none matches. */
  readonly by: NetworkPattern | null;
}

/** A list that is longer, in characters, is not taken apart: whom it holds is not known. */
const LONGEST = 1 << 22;

const READ = new WeakMap<PostfixConfiguration, Map<string, NetworkList>>();

/** Reads a list of networks of a service. */
export function networkList(
  configuration: PostfixConfiguration,
  name: string,
  service: Service | null,
): NetworkList {
  const known = READ.get(configuration) ?? new Map<string, NetworkList>();
  READ.set(configuration, known);
  const key = `${name} ${service?.id ?? ''}`;
  const list = known.get(key) ?? readNetworks(configuration, name, service);
  known.set(key, list);
  return list;
}

function readNetworks(
  configuration: PostfixConfiguration,
  name: string,
  service: Service | null,
): NetworkList {
  const effective = configuration.get(name, service);
  const parents = listWords(configuration.value('parent_domain_matches_subdomains', service));
  const reader: Reader = {
    open: configuration.open,
    grouping: hasFeature(configuration.release, 'bracedFields'),
    files: [],
  };
  // A default of the host's own addresses is a name here: it holds nobody who comes from elsewhere.
  const { length } = effective.value;
  const patterns: NetworkPattern[] =
    length === 0 || effective.setting === null
      ? []
      : length > LONGEST
        ? [{ text: '', negated: false, kind: 'file', ...NOTHING, at: null }]
        : readPatterns(reader, effective.value, false, (start, end) => partLocation(effective, start, end));
  return { effective, patterns, parentDomains: parents.includes(name) };
}

/** Looks a client up in a list. */
export function matchNetworks(list: NetworkList, client: NamedClient): NetworkMatch {
  const own = parseAddress(client.address);
  let doubt: NetworkPattern | null = null;
  for (const pattern of list.patterns) {
    const found = matchPattern(pattern, client, own, list.parentDomains);
    if (found === 'no') continue;
    if (found === 'unknown') {
      doubt ??= pattern;
      continue;
    }
    if (doubt !== null) break;
    if (found === 'error') return { verdict: 'error', by: pattern };
    return { verdict: pattern.negated ? 'out' : 'in', by: pattern };
  }
  return doubt === null ? { verdict: 'out', by: null } : { verdict: 'unknown', by: doubt };
}

/** Addresses in several parts of the Internet, which stand for clients that nobody has named. */
export const SOME_ADDRESSES: readonly string[] = [
  '5.188.10.79',
  '103.217.44.9',
  '185.234.216.100',
  '2a0b:7280:300::59',
];

/** True where a list holds whoever comes, over IPv4 or over IPv6. */
export function holdsEverybody(list: NetworkList): boolean {
  const holds = (address: string): boolean =>
    matchNetworks(list, { address, name: 'unknown' }).verdict === 'in';
  return (
    SOME_ADDRESSES.filter((address) => !address.includes(':')).every(holds) ||
    SOME_ADDRESSES.filter((address) => address.includes(':')).every(holds)
  );
}

interface Reader {
  readonly open: (path: string) => SourceFile | null;
  readonly grouping: boolean;
  /** Files that are being read: one that names itself ends there. */
  readonly files: readonly string[];
}

type Place = (start: number, end: number) => Location | null;

function readPatterns(reader: Reader, text: string, inverted: boolean, place: Place): NetworkPattern[] {
  return splitWords(text, reader.grouping).flatMap(({ text: word, start, end }) => {
    const marks = /^!*/.exec(word)?.[0].length ?? 0;
    const negated = inverted !== (marks % 2 === 1);
    const pattern = word.slice(marks);
    const at = place(start, end);
    if (pattern.startsWith('/')) return readFile(reader, pattern, negated, at);
    return [readPattern(reader, pattern, negated, at)];
  });
}

function readFile(reader: Reader, path: string, negated: boolean, at: Location | null): NetworkPattern[] {
  const source = reader.files.includes(path) ? null : reader.open(path);
  if (source === null) return [{ text: path, negated, kind: 'file', ...NOTHING, at }];
  const inner = { ...reader, files: [...reader.files, path] };
  return logicalLines(source).logical.flatMap((line) =>
    readPatterns(inner, line.text, negated, (start, end) => ({ source, span: sourceSpan(line, start, end) })),
  );
}

const NOTHING = { network: null, table: null, fault: null } as const;

function readPattern(reader: Reader, text: string, negated: boolean, at: Location | null): NetworkPattern {
  const pattern = { text, negated, ...NOTHING, at };
  if (text === '' || text.startsWith(':')) return { ...pattern, kind: 'network', fault: 'fatal' };
  if (!text.startsWith('[') && text.includes(':')) {
    if (looksLikeIpv6(text)) return { ...pattern, kind: 'network', fault: 'no-brackets' };
    const table = openTable(text, reader.open);
    return { ...pattern, kind: 'table', table, fault: table.known === 'broken' ? 'broken-table' : null };
  }
  if (!isNetwork(text)) return { ...pattern, kind: 'name' };
  const network = parseNetwork(text);
  if (typeof network === 'string') return { ...pattern, kind: 'network', fault: network };
  return { ...pattern, kind: 'network', network };
}

function looksLikeIpv6(text: string): boolean {
  return parseAddress(text.replace(/\/\d*$/, '')) !== null;
}

/** What match_hostaddr() takes for an address or a network; the rest it passes over in silence. */
function isNetwork(text: string): boolean {
  if (!/^[0-9a-f.:/[\]]+$/i.test(text)) return false;
  return /[:/]/.test(text) || parseAddress(text.replace(/^\[(.*)\]$/, '$1')) !== null;
}

function matchPattern(
  { kind, text, network, table, fault }: NetworkPattern,
  { address, name }: NamedClient,
  own: Address | null,
  parentDomains: boolean,
): 'yes' | 'no' | 'error' | 'unknown' {
  if (kind === 'file') return 'unknown';
  if (kind === 'name')
    return matchesName(name.toLowerCase(), text.toLowerCase(), parentDomains) ? 'yes' : 'no';
  if (table !== null) return searchTable(table, { address, name }, parentDomains);
  if (fault === 'no-brackets' || fault === 'fatal') return 'error';
  // Patterns of the other family are passed over before they are read.
  if (own === null || (own.bits === 128) !== text.includes(':')) return 'no';
  if (fault !== null) return 'error';
  return network !== null && contains(network, own) ? 'yes' : 'no';
}

/** match_hostname() */
function matchesName(name: string, pattern: string, parentDomains: boolean): boolean {
  if (name === pattern) return true;
  if (parentDomains) return name.endsWith(`.${pattern}`);
  return pattern.startsWith('.') && name.endsWith(pattern) && name !== pattern;
}

/** The name and, in tables of single keys, the domains above it; then the address as a whole. */
function searchTable(
  table: OpenTable,
  { address, name }: NamedClient,
  parentDomains: boolean,
): 'yes' | 'no' | 'error' | 'unknown' {
  const keys = [name, ...(table.partial ? parentsOf(name, parentDomains) : []), address];
  for (const key of keys) {
    const { kind } = table.lookup(key.toLowerCase());
    if (kind === 'found') return 'yes';
    if (kind === 'broken') return 'error';
    // A table of single keys does not hold a client whom nobody has named.
    if (kind === 'unknown') return table.known === 'keys' ? 'no' : 'unknown';
  }
  return 'no';
}

/** The domains above a name, nearest first; each with a dot before it unless `plain`. */
export function parentsOf(name: string, plain: boolean): string[] {
  const parents: string[] = [];
  for (let dot = name.indexOf('.', 1); dot >= 0; dot = name.indexOf('.', dot + 1))
    parents.push(name.slice(plain ? dot + 1 : dot));
  return parents;
}
