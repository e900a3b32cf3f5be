import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { isInNet, parseNet } from '../../dovecot/net.ts';
import type { Host } from '../../hosts/host.ts';
import type { Endpoint, EndpointAuth, EndpointTls, Role, Side } from '../../model/endpoint.ts';
import { destinationTls } from '../../postfix/client-tls.ts';
import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { serverDh, serverGroups } from '../../postfix/key-exchange.ts';
import { nexthopsFor } from '../../postfix/nexthops.ts';
import type { Service } from '../../postfix/services.ts';
import type { SomeNames } from '../tally.ts';

/** An endpoint as far as sessions of a log can be held against it. */
export interface Place {
  readonly id: string;
  readonly side: Side;
  readonly role: Role;
  readonly tls: EndpointTls;
  readonly auth: EndpointAuth;
  /** Other machines reach it. */
  readonly public: boolean;
  /** Users log in here, or could. */
  readonly sasl: boolean;
  /** Groups and parameters for the exchange of keys, in any form: the same where nothing changes. */
  readonly keyExchange: { readonly dh: string; readonly groups: string };
  /** The networks whose connections it is for; null: for the rest. */
  readonly remote: string | null;
  /** A login in the clear may be taken for safe: networks are trusted. */
  readonly trusts: boolean;
  /**
   * Of a client with TLS policies: what it may be towards mail for a domain, itself where no policy is for it or
   * it cannot be told.
   */
  readonly towards?: (domain: string) => readonly Place[];
}

/** One endpoint before a change and after it; before is null where nobody knows, after where it is gone. */
export interface PlacePair {
  readonly before: Place | null;
  readonly after: Place | null;
}

/** Which endpoints write under a name of a log, by `in smtpd`, `out relay/smtp`. */
export type Places = ReadonlyMap<string, readonly PlacePair[]>;

/**
 * The endpoints of hosts before a change and after it, by the names that they have in a log. Several services may
 * share a name. A name follows from the files as they were when the log was written.
 */
export function placesOf(hosts: readonly { readonly before: Host; readonly after: Host }[]): Places {
  const places = new Map<string, PlacePair[]>();
  for (const { before, after } of hosts) {
    const later = new Map(namedPlaces(after).map(({ place }) => [place.id, place]));
    for (const { name, place } of namedPlaces(before)) {
      const key = `${place.side === 'server' ? 'in' : 'out'} ${name}`;
      const pairs = places.get(key) ?? [];
      places.set(key, pairs);
      pairs.push({ before: place, after: later.get(place.id) ?? null });
    }
  }
  return places;
}

function namedPlaces({ postfix, dovecot }: Host): { readonly name: string; readonly place: Place }[] {
  const named: { name: string; place: Place }[] = [];
  if (postfix !== null) {
    const { configuration, endpoints } = postfix;
    for (const endpoint of endpoints)
      named.push({
        name: postfixName(configuration, endpoint),
        place: postfixPlace(configuration, endpoint),
      });
  }
  for (const endpoint of dovecot?.endpoints ?? []) {
    // What Dovecot says of connections that it makes itself is not read.
    if (endpoint.side === 'server')
      named.push({
        name: endpoint.service.name,
        place: dovecotPlace(endpoint, dovecot?.configuration.value('login_trusted_networks') !== ''),
      });
  }
  return named;
}

/** The name of the service in the log without a leading `postfix/` (mail_task.c): syslog_name and the program. */
function postfixName(configuration: PostfixConfiguration, endpoint: PostfixEndpoint): string {
  const service = speaker(configuration, endpoint);
  const name = `${configuration.value('syslog_name', service)}/${service.program}`;
  return name.replace(/^postfix\//, '');
}

/** The service that tells of TLS: tlsproxy for postscreen. */
function speaker(configuration: PostfixConfiguration, { service, family }: PostfixEndpoint): Service {
  if (family !== 'tlsproxy') return service;
  const name = configuration.value('tlsproxy_service_name', service) || 'tlsproxy';
  return (
    configuration.services.find((other) => other.program === 'tlsproxy' && other.name === name) ?? service
  );
}

function postfixPlace(configuration: PostfixConfiguration, endpoint: PostfixEndpoint): Place {
  const { family } = endpoint;
  const at = { configuration, service: speaker(configuration, endpoint), family };
  const server = endpoint.side === 'server';
  const place: Place = {
    ...common(endpoint),
    public: endpoint.public,
    sasl: endpoint.sasl,
    keyExchange: {
      dh: server ? String(serverDh(at)) : '',
      groups: server
        ? JSON.stringify([
            serverGroups(at),
            ...['tls_eecdh_auto_curves', 'tls_ffdhe_auto_groups'].map((name) =>
              configuration.value(name, at.service),
            ),
          ])
        : '',
    },
    remote: null,
    trusts: false,
  };
  if (server || configuration.value(`${family}_tls_policy_maps`, endpoint.service) === '') return place;
  const known = new Map<string, readonly Place[]>();
  return {
    ...place,
    towards(domain) {
      const before = known.get(domain);
      if (before !== undefined) return before;
      const places = nexthopsFor(configuration, endpoint, domain).map((nexthop) => {
        const details = nexthop === null ? null : destinationTls(configuration, endpoint, nexthop);
        return details === null || details === endpoint ? place : { ...place, tls: details.tls };
      });
      known.set(domain, places);
      return places;
    },
  };
}

function dovecotPlace(endpoint: DovecotServerEndpoint, trusts: boolean): Place {
  const { filter, dh, curvesFrom } = endpoint;
  return {
    ...common(endpoint),
    public: endpoint.public,
    sasl: endpoint.sasl,
    keyExchange: { dh: String(dh.bits), groups: curvesFrom?.value ?? '' },
    remote: filter?.remote?.text ?? null,
    trusts,
  };
}

function common({
  id,
  side,
  role,
  tls,
  auth,
}: Endpoint): Pick<Place, 'id' | 'side' | 'role' | 'tls' | 'auth'> {
  return { id, side, role, tls, auth };
}

/** What a session in a log was, and with whom. */
export interface Seen {
  readonly address: string;
  readonly state: 'tls' | 'plaintext' | 'untold';
  readonly protocol: string | null;
  readonly cipher: string | null;
  readonly login: string | null;
  /** Without TLS, and taken for safe all the same. */
  readonly secured: boolean;
}

/**
 * The endpoints that a session can have been at.
 *
 * @returns `fits` is false where the session cannot have been at any of them as the files have them: then all of
 *   the name are given
 */
export function candidates(
  pairs: readonly PlacePair[],
  seen: Seen,
): { readonly pairs: readonly PlacePair[]; readonly fits: boolean } {
  const reached = narrowed(
    narrowed(pairs, ofNetwork(pairs, seen.address)),
    (pair) => isLoopbackAddress(seen.address) || pair.before?.public !== false,
  );
  const logged = seen.login === null ? reached : narrowed(reached, ({ before }) => before?.sasl !== false);
  const possible = logged.filter(({ before }) => before === null || permits(before, seen));
  return possible.length === 0 ? { pairs: logged, fits: false } : { pairs: possible, fits: true };
}

/**
 * The endpoints towards the domains of a peer, by the TLS policies that a client has for them.
 *
 * @param domains of recipients whose mail the peer took; without any, each endpoint stands for itself
 * @returns the very same pairs where no policy can be for them
 */
export function towardsDomains(
  pairs: readonly PlacePair[],
  { names, more }: SomeNames,
): readonly PlacePair[] {
  if (names.length === 0 || !pairs.some(({ before, after }) => before?.towards ?? after?.towards))
    return pairs;
  const towards = (place: Place | null, domain: string): readonly (Place | null)[] =>
    place?.towards?.(domain) ?? [place];
  const led = names.flatMap((domain) =>
    pairs.flatMap(({ before, after }): PlacePair[] => {
      const [befores, afters] = [towards(before, domain), towards(after, domain)];
      // A change seldom touches the routes: then the same one leads before it and after it.
      return befores.length === afters.length
        ? befores.map((one, index) => ({ before: one, after: afters[index] ?? null }))
        : befores.flatMap((one) => afters.map((other) => ({ before: one, after: other })));
    }),
  );
  return more ? [...led, ...pairs] : led;
}

/** Whether it hangs on the address of a peer at which of the endpoints it has been. */
export function goesByAddress(pairs: readonly PlacePair[], address: string): boolean {
  return isLoopbackAddress(address) || pairs.some(({ before }) => before !== null && before.remote !== null);
}

/** Those that fit, or all where none does. */
function narrowed(pairs: readonly PlacePair[], fits: (pair: PlacePair) => boolean): readonly PlacePair[] {
  const some = pairs.filter(fits);
  return some.length === 0 ? pairs : some;
}

/** Connections from the network of a filter are at its endpoint, all others at the rest. */
function ofNetwork(pairs: readonly PlacePair[], address: string): (pair: PlacePair) => boolean {
  const net = parseNet(address);
  const isIn = ({ before }: PlacePair): boolean => {
    const outer = before?.remote === null || before === null ? null : parseNet(before.remote);
    return net !== null && outer !== null && isInNet(net, outer);
  };
  return pairs.some(isIn) ? isIn : ({ before }) => before?.remote === null || before === null;
}

/** Whether an endpoint lets a session be as it was. */
function permits({ side, tls, auth }: Place, { state, protocol, cipher, login }: Seen): boolean {
  if (state === 'untold') return true;
  if (state === 'plaintext') {
    if (tls.mode === 'implicit' || tls.mode === 'required') return false;
    return login === null || side === 'client' || auth.beforeTls === null || auth.beforeTls.length > 0;
  }
  const ciphers = tls.ciphers ?? [];
  if (protocol === null) return ciphers.length > 0;
  return ciphers.some((one) => one.protocol === protocol && (cipher === null || one.name === cipher));
}

function isLoopbackAddress(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
