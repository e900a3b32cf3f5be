import type { Side } from '../../model/endpoint.ts';
import { compareProtocols, PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import type { TlsFamily } from '../../postfix/cipher-settings.ts';
import type { Effective, PostfixConfiguration } from '../../postfix/configuration.ts';
import { acceptedProtocols } from '../../postfix/endpoint-tls.ts';
import { type PostfixEndpoint } from '../../postfix/endpoints.ts';
import { hasFeature } from '../../postfix/parameters.ts';
import { type ProtocolList, parseProtocolList } from '../../postfix/protocol-list.ts';
import type { Service } from '../../postfix/services.ts';
import { parseTableReference, readTable } from '../../postfix/tables.ts';
import { type ClientLevel, parseTlsPolicy } from '../../postfix/tls-policy.ts';
import type { Location } from '../../text/source.ts';
import { libraryProtocols } from '../../tls/openssl.ts';
import type { CheckContext } from '../check.ts';
import { decidingPlace } from '../locate.ts';

/**
 * Which protocol list counts where. Facts: postfix-tls §1 "Which list is used", §5 for the levels of a
 * client and for smtp_tls_policy_maps.
 */

/** The value of a parameter, after the references `$name` that are all of a value have been followed. */
export interface Decider {
  /** The parameter that the program reads. */
  readonly name: string;
  /** The value that decides: of `name`, or of the parameter that it refers to in the end. */
  readonly effective: Effective;
  /** Values on the way that only refer to another one, defaults included; the first is that of `name`. */
  readonly through: readonly Effective[];
}

/** An entry of a table of smtp_tls_policy_maps. */
interface PolicyEntry {
  /** The destination, as the table writes it. */
  readonly key: string;
  /** Of the attribute `protocols`, or null where the policy has none and main.cf decides. */
  readonly attribute: { readonly value: string; readonly at: Location } | null;
  readonly level: ClientLevel;
  /** Attributes `ciphers` and `exclude`; null where the policy has none and main.cf decides. */
  readonly ciphers: string | null;
  readonly exclude: string | null;
  /** The entry in its table, or the setting that holds the table. */
  readonly at: Location;
}

/** One endpoint, or one destination with a TLS policy, and the list that counts for it. */
export interface ProtocolUse {
  readonly endpoint: PostfixEndpoint;
  /** The service that reads the list: tlsproxy for postscreen. */
  readonly service: Service;
  readonly decider: Decider;
  readonly list: ProtocolList;
  /** The list counts because TLS is mandatory. */
  readonly mandatory: boolean;
  readonly policy: PolicyEntry | null;
  /** What the list permits; where the OpenSSL release is known, cut down to what it speaks. */
  readonly permitted: readonly Protocol[];
  /** What a peer can get: the same, but for what a client gives up above a hole. */
  readonly protocols: readonly Protocol[];
  /** The oldest protocol that the profile tolerates here, cut down to what the releases can do; null: the profile asks for nothing. */
  readonly floor: Protocol | null;
  /** What the profile asks for without regard to the releases. */
  readonly asked: Protocol | null;
  /**
   * The finding can stand on this use: the value is known, and TLS works or fails for want of a
   * certificate only although the list is written down.
   */
  readonly judged: boolean;
}

/** Several checks ask for the same uses of one host. */
const known = new WeakMap<CheckContext, readonly ProtocolUse[]>();

/** Every list that counts somewhere, in the order of the endpoints. */
export function protocolUses(context: CheckContext): readonly ProtocolUse[] {
  const uses = known.get(context) ?? collectUses(context);
  known.set(context, uses);
  return uses;
}

function collectUses(context: CheckContext): readonly ProtocolUse[] {
  const uses: ProtocolUse[] = [];
  const services = new Set<Service>();
  for (const endpoint of context.endpoints) {
    for (const mandatory of listsOf(context.postfix, endpoint))
      uses.push(useOf(context, endpoint, mandatory));
    // A table of policies belongs to the service, whatever the destinations of its endpoints.
    if (endpoint.side === 'client' && !services.has(endpoint.service)) {
      services.add(endpoint.service);
      uses.push(...policyUses(context, endpoint));
    }
  }
  return uses;
}

/** Which lists an endpoint takes: false for that of optional TLS, true for that of mandatory TLS. */
function listsOf(configuration: PostfixConfiguration, endpoint: PostfixEndpoint): readonly boolean[] {
  if (endpoint.tls.mode === 'none') return [];
  if (endpoint.side === 'server') return [endpoint.mandatory];
  return listsAtLevel(configuration, endpoint.service, endpoint.level);
}

/** The same for a level of a client. */
function listsAtLevel(
  configuration: PostfixConfiguration,
  service: Service,
  level: string,
): readonly boolean[] {
  if (level === 'may') return [false];
  if (level !== 'dane') return [true];
  // Without DNSSEC the level is `may`; with it, a destination with TLSA records gets mandatory TLS.
  return configuration.value('smtp_dns_support_level', service).toLowerCase() === 'dnssec'
    ? [false, true]
    : [false];
}

function useOf(context: CheckContext, endpoint: PostfixEndpoint, mandatory: boolean): ProtocolUse {
  const service = readerOf(context.postfix, endpoint);
  const decider = decide(context.postfix, listName(endpoint.family, mandatory), service);
  const list = parseProtocolList(decider.effective.value, context.postfix.release);
  const dane = mandatory && endpoint.level.startsWith('dane');
  const asked = askedOf(context, endpoint, mandatory);
  return {
    endpoint,
    service,
    decider,
    list,
    mandatory,
    policy: null,
    ...judgedProtocols(context.postfix, list, endpoint.side, dane),
    floor: asked === null ? null : reachableFloor(context.postfix, asked),
    asked,
    judged: isJudged(context.postfix, endpoint, decider),
  };
}

/**
 * What the profile asks for: nothing on loopback; for users whose TLS is optional no more than for other
 * servers, since what a floor turns away then goes in plain text.
 */
function askedOf({ profile }: CheckContext, endpoint: PostfixEndpoint, mandatory: boolean): Protocol | null {
  const { lowestProtocol } = profile.thresholds;
  const { role, side } = endpoint;
  if (role === 'reinjection' || (side === 'client' && !endpoint.public)) return null;
  const ofUsers = role === 'submission' || role === 'submissions';
  return ofUsers && !mandatory ? older(lowestProtocol[role], lowestProtocol.mx) : lowestProtocol[role];
}

/** `smtpd_tls_mandatory_protocols` */
export function listName(family: TlsFamily, mandatory: boolean): string {
  return `${family}_tls_${mandatory ? 'mandatory_' : ''}protocols`;
}

/** The service whose name space holds the TLS parameters of an endpoint. */
export function readerOf(configuration: PostfixConfiguration, endpoint: PostfixEndpoint): Service {
  if (endpoint.family !== 'tlsproxy') return endpoint.service;
  const name = configuration.value('tlsproxy_service_name', endpoint.service) || 'tlsproxy';
  return (
    configuration.services.find((service) => service.program === 'tlsproxy' && service.name === name) ??
    endpoint.service
  );
}

const PURE_REFERENCE = /^\$(?:(\w+)|\{\s*(\w+)\s*\}|\(\s*(\w+)\s*\))$/;
const LONGEST_CHAIN = 10;

/** Follows values that are nothing but a reference to the value that holds the words. */
export function decide(configuration: PostfixConfiguration, name: string, service: Service | null): Decider {
  const through: Effective[] = [];
  let effective = configuration.get(name, service);
  while (through.length < LONGEST_CHAIN) {
    const [, plain, braced, bracketed] = PURE_REFERENCE.exec(effective.raw.trim()) ?? [];
    const next = plain ?? braced ?? bracketed;
    if (next === undefined) break;
    const defined = configuration.setting(next, service) !== null || configuration.parameter(next) !== null;
    if (!defined) break;
    through.push(effective);
    effective = configuration.get(next, service);
  }
  return { name, effective, through };
}

/**
 * What may be said of an endpoint: nothing of a default where the file that could set it is missing, or
 * for a service that stands for any other; nothing where no handshake succeeds for a reason that has
 * nothing to do with the list, unless the list is written down and waits for the certificate.
 */
export function isJudged(
  configuration: PostfixConfiguration,
  endpoint: PostfixEndpoint,
  { effective, through }: Decider,
): boolean {
  if (effective.expansion.failed) return false;
  const written = [effective, ...through].some(({ setting }) => setting !== null);
  if (configuration.main === null && (effective.setting === null || effective.raw.includes('$')))
    return false;
  if (endpoint.service.assumed && !written) return false;
  if (endpoint.fault === 'no-certificate' || endpoint.fault === 'no-tlsproxy') return written;
  return true;
}

/**
 * What counts against a list: where the OpenSSL release is only assumed, all that the list permits; where
 * it is known, what a peer can really get. dane leaves SSLv2 and SSLv3 out by itself (tls_client.c).
 */
function judgedProtocols(
  configuration: PostfixConfiguration,
  list: ProtocolList,
  side: Side,
  dane: boolean,
): Pick<ProtocolUse, 'permitted' | 'protocols'> {
  const permitted = dane
    ? list.permitted.filter((protocol) => compareProtocols(protocol, 'TLSv1') >= 0)
    : list.permitted;
  if (configuration.openssl.versionFrom === 'assumed') return { permitted, protocols: permitted };
  return {
    permitted: acceptedProtocols(configuration, permitted, 'server'),
    protocols: acceptedProtocols(configuration, permitted, side),
  };
}

/** The floor nearest to the one asked for that the releases allow. */
export function reachableFloor(configuration: PostfixConfiguration, asked: Protocol): Protocol {
  return older(asked, older(newestSwitchable(configuration.release), newestSpoken(configuration)));
}

/** Why a floor is lower than the one asked for: the program that does not reach it. */
export function limitOf(configuration: PostfixConfiguration, asked: Protocol): string | null {
  if (reachableFloor(configuration, asked) === asked) return null;
  return compareProtocols(newestSpoken(configuration), asked) < 0
    ? `OpenSSL ${configuration.openssl.version}`
    : `Postfix ${configuration.release}`;
}

/** The newest protocol of the OpenSSL release. */
export function newestSpoken({ openssl }: PostfixConfiguration): Protocol {
  return libraryProtocols(openssl.version).at(-1) ?? 'TLSv1';
}

/** The newest floor that a list can set: whatever is older must have a name that switches it off. */
function newestSwitchable(release: string): Protocol {
  if (!hasFeature(release, 'tls12Token')) return 'TLSv1.1';
  return hasFeature(release, 'tls13Token') ? 'TLSv1.3' : 'TLSv1.2';
}

/**
 * The lists that the entries of smtp_tls_policy_maps bring into play: their own attribute `protocols`,
 * else the list of main.cf that goes with their level. Only tables that can be read as text count.
 */
function* policyUses(context: CheckContext, endpoint: PostfixEndpoint): Iterable<ProtocolUse> {
  const { postfix } = context;
  if (endpoint.family !== 'smtp' && endpoint.family !== 'lmtp') return;
  for (const { reference, at } of policyTables(postfix, endpoint)) {
    const table = readTable(reference, reference.name.startsWith('{') ? null : postfix.open(reference.name));
    for (const entry of table?.usable === true ? table.entries : []) {
      const policy = parseTlsPolicy(entry.value, postfix.release);
      if (!policy.valid || policy.level === null || policy.level === 'none') continue;
      const { level } = policy;
      const attribute = policy.attributes.find(({ name }) => name === 'protocols');
      const valueOf = (wanted: string): string | null =>
        policy.attributes.find(({ name }) => name === wanted)?.value ?? null;
      const own =
        attribute === undefined
          ? null
          : { value: attribute.value, at: attributePlace(table, entry, attribute, at) };
      const lists = listsAtLevel(postfix, endpoint.service, level);
      // An attribute counts whichever list would: it is one use.
      for (const mandatory of own === null ? lists : lists.slice(-1)) {
        const found = {
          key: entry.key,
          attribute: own,
          level,
          ciphers: valueOf('ciphers'),
          exclude: valueOf('exclude'),
          at: entryPlace(table, entry, at),
        };
        yield policyUse(context, endpoint, found, mandatory);
      }
    }
  }
}

function policyUse(
  { postfix, profile }: CheckContext,
  endpoint: PostfixEndpoint,
  policy: PolicyEntry,
  mandatory: boolean,
): ProtocolUse {
  const { lowestProtocol } = profile.thresholds;
  const asked = mandatory ? lowestProtocol.policy : lowestProtocol.outbound;
  const decider = decide(postfix, listName(endpoint.family, mandatory), endpoint.service);
  const list = parseProtocolList(policy.attribute?.value ?? decider.effective.value, postfix.release);
  return {
    endpoint,
    service: endpoint.service,
    decider,
    list,
    mandatory,
    policy,
    ...judgedProtocols(postfix, list, 'client', mandatory && policy.level.startsWith('dane')),
    asked,
    floor: reachableFloor(postfix, asked),
    judged: policy.attribute !== null || (postfix.main !== null && !decider.effective.expansion.failed),
  };
}

/** The tables of policies of a client that are named in a form that can be read. */
function policyTables(
  configuration: PostfixConfiguration,
  endpoint: PostfixEndpoint,
): readonly {
  readonly reference: NonNullable<ReturnType<typeof parseTableReference>>;
  readonly at: Location;
}[] {
  const effective = configuration.get(`${endpoint.family}_tls_policy_maps`, endpoint.service);
  const at = decidingPlace(configuration, effective, endpoint.service);
  // A comma or blank inside braces belongs to the name of the table.
  const words = effective.value.match(/(?:[^\s,{}]|\{(?:[^{}]|\{[^{}]*\})*\})+/g) ?? [];
  return words.flatMap((word) => {
    const reference = parseTableReference(word);
    return reference === null ? [] : [{ reference, at }];
  });
}

/** True where destinations may have a TLS policy that cannot be read here, or one of the former kind. */
export function hasUnreadPolicies(configuration: PostfixConfiguration, endpoint: PostfixEndpoint): boolean {
  const { family, service } = endpoint;
  if (configuration.value(`${family}_tls_per_site`, service) !== '') return true;
  if (configuration.value(`${family}_tls_policy_maps`, service) === '') return false;
  const tables = policyTables(configuration, endpoint);
  return (
    tables.length === 0 ||
    tables.some(({ reference }) => readTable(reference, configuration.open(reference.name)) === null)
  );
}

/** Where an entry of a table stands; for a table in braces, the setting that holds it. */
function entryPlace(
  table: ReturnType<typeof readTable>,
  entry: { readonly valueSpan: { readonly start: number; readonly end: number } },
  setting: Location,
): Location {
  const source = table?.source ?? null;
  return source === null ? setting : { source, span: entry.valueSpan };
}

/** Where an attribute of a policy stands; for a table in braces, the setting that holds it. */
function attributePlace(
  table: ReturnType<typeof readTable>,
  entry: { readonly value: string; readonly valueSpan: { readonly start: number; readonly end: number } },
  attribute: { readonly at: number; readonly value: string },
  setting: Location,
): Location {
  const source = table?.source ?? null;
  if (source === null) return setting;
  const text = source.slice(entry.valueSpan);
  // A value that is broken over lines has no offsets of its own: the whole of it is shown.
  if (text !== entry.value) return { source, span: entry.valueSpan };
  const start = entry.valueSpan.start + attribute.at;
  const words = /^[^\s,}]*/.exec(text.slice(attribute.at));
  return { source, span: { start, end: start + (words?.[0].length ?? 0) } };
}

/** Uses that one assignment, or one default, decides on. */
export interface UseGroup {
  readonly effective: Effective;
  readonly list: ProtocolList;
  readonly uses: readonly ProtocolUse[];
}

/** Brings together what one value decides on; attributes of policies stand alone and are left out. */
export function groupUses(uses: readonly ProtocolUse[]): readonly UseGroup[] {
  const groups = new Map<string, { effective: Effective; list: ProtocolList; uses: ProtocolUse[] }>();
  for (const use of uses) {
    if (use.policy?.attribute !== undefined && use.policy.attribute !== null) continue;
    const { effective } = use.decider;
    const key = `${placeKey(effective)}\0${effective.value}`;
    const group = groups.get(key) ?? { effective, list: use.list, uses: [] };
    groups.set(key, group);
    group.uses.push(use);
  }
  return [...groups.values()];
}

function placeKey({ name, setting }: Effective): string {
  return setting === null ? name : `${setting.at.source.path}:${setting.at.span.start}`;
}

/** True when one assignment, or one default, decides on both. */
export function sameDecision(a: Effective, b: Effective): boolean {
  return placeKey(a) === placeKey(b);
}

/**
 * The line of a group: the assignment that decides, else what brings the default into play for the first
 * of its uses: the level, the table of policies.
 */
export function placeOfGroup(configuration: PostfixConfiguration, { effective, uses }: UseGroup): Location {
  const [first] = uses;
  if (first === undefined) throw new Error('a group of no uses');
  const reference = first.decider.through.find(({ setting }) => setting !== null);
  if (effective.setting === null && reference?.setting) return reference.setting.at;
  const { endpoint } = first;
  const level = decide(configuration, endpoint.levelFrom.name, endpoint.service);
  const kin = first.policy === null ? [] : [`${endpoint.family}_tls_policy_maps`];
  return decidingPlace(configuration, effective, endpoint.service, [
    ...kin,
    endpoint.levelFrom.name,
    level.effective.name,
  ]);
}

/** Settings that refer to the one that decides, as places that belong to the finding. */
export function referencesOf(uses: readonly ProtocolUse[]): readonly { at: Location; message: string }[] {
  return uses.flatMap(({ decider }) =>
    decider.through.flatMap(({ name, raw, setting }) =>
      setting === null || decider.effective.setting === null
        ? []
        : [{ at: setting.at, message: `${name} is ${raw}` }],
    ),
  );
}

/** The oldest of some protocols, or null for none. */
export function oldest(protocols: readonly Protocol[]): Protocol | null {
  return PROTOCOLS.find((protocol) => protocols.includes(protocol)) ?? null;
}

/** The newer of two protocols. */
export function newer(a: Protocol, b: Protocol): Protocol {
  return compareProtocols(a, b) < 0 ? b : a;
}

/** The older of two protocols. */
export function older(a: Protocol, b: Protocol): Protocol {
  return compareProtocols(a, b) < 0 ? a : b;
}
