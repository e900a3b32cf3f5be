import type { Release } from '../model/release.ts';
import { hasDovecotFeature, SINGLE_PROCESS_SERVICES } from './releases.ts';
import { checkValue } from './values.ts';

/** A listener as the check sees it. */
export interface CheckedListener {
  readonly kind: 'inet_listener' | 'unix_listener' | 'fifo_listener';
  readonly name: string;
  value(key: string): string;
}

/** A service as the check sees it. */
export interface CheckedService {
  readonly name: string;
  value(key: string): string;
  readonly listeners: readonly CheckedListener[];
}

/** What the check of the services needs besides. */
export interface Services {
  readonly release: Release;
  /** In the order of the server. */
  readonly services: readonly CheckedService[];
  readonly protocols: readonly string[];
  readonly baseDir: string;
  /** 2.2 and 2.3: limits of services that say 0. */
  readonly defaultProcessLimit: string;
  readonly defaultClientLimit: string;
}

/** What is wrong with the services, and what the server only warns of. */
export interface ServiceFaults {
  readonly fault: { readonly says: string; readonly service: string | null; readonly key: string } | null;
  readonly warnings: readonly string[];
}

const TYPES: ReadonlySet<string> = new Set(['', 'log', 'config', 'anvil', 'login', 'startup', 'worker']);
const LEAST_VSZ = 1024n * 1024n;

/**
 * Holds services against each other as the server does before it starts: protocols that no service has,
 * limits, and two listeners in one place.
 *
 * Sources: master_settings_verify() of master-settings.c of 2.3, master_settings_ext_check() of 2.4.
 */
export function checkServices(given: Services): ServiceFaults {
  const { services, release } = given;
  for (const service of services) {
    const type = service.value('type');
    if (!TYPES.has(type)) return fault(`Unknown service type: ${type}`, service.name, 'type');
  }
  const none = given.protocols.length === 1 && given.protocols[0] === 'none';
  const protocols = none && !hasDovecotFeature(release, 'namedFilters') ? [] : given.protocols;
  const served = new Set(services.map((service) => service.value('protocol')));
  const wanted = new Set(protocols);
  const unknown = protocols.find((protocol) => !served.has(protocol));
  if (unknown !== undefined) return fault(`protocols: Unknown protocol: ${unknown}`, null, 'protocols');
  const listeners: { readonly id: string; readonly service: string }[] = [];
  const authLoad: [service: string, limit: bigint][] = [];
  const anvilLoad: [service: string, limit: bigint][] = [];
  for (const service of services) {
    const protocol = service.value('protocol');
    if (protocol !== '' && !wanted.has(protocol)) continue;
    const limit = processLimit(service, given);
    const wrong = limitFault(service, limit, given);
    if (wrong !== null) return fault(`service(${service.name}): ${wrong.says}`, service.name, wrong.key);
    const isLogin = service.value('type') === 'login';
    const count = service.value(
      hasDovecotFeature(release, 'namedFilters') ? 'restart_request_count' : 'service_count',
    );
    if (protocol !== '' && (count !== '1' || isLogin) && service.name !== 'imap-hibernate')
      authLoad.push([service.name, limit]);
    if (isLogin || service.name === 'auth') anvilLoad.push([service.name, limit]);
    for (const listener of service.listeners) {
      if (listener.kind !== 'inet_listener' && listener.name === '')
        return fault(
          `service(${service.name}): ${listener.kind}: path must not be empty`,
          service.name,
          'path',
        );
      for (const id of placesOf(listener, given)) listeners.push({ id, service: service.name });
    }
  }
  const warnings = [
    ...loadWarning('auth', authLoad, 0n, given),
    ...loadWarning('anvil', anvilLoad, 2n, given),
  ];
  const sorted = listeners.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const twice = sorted.find(({ id }, index) => sorted[index - 1]?.id === id);
  if (twice === undefined) return { fault: null, warnings };
  return { ...fault(`duplicate listener: ${twice.id}`, twice.service, 'port'), warnings };
}

function fault(says: string, service: string | null, key: string): ServiceFaults {
  return { fault: { says, service, key }, warnings: [] };
}

function numberOf(
  type: 'uint' | 'uint_oct' | 'size' | 'time' | 'in_port',
  value: string,
  release: Release,
): bigint | null {
  const checked = checkValue(type, value, [], release);
  return checked.ok ? checked.number : null;
}

function processLimit(service: CheckedService, given: Services): bigint {
  const own = numberOf('uint', service.value('process_limit'), given.release) ?? 1n;
  if (own !== 0n || hasDovecotFeature(given.release, 'namedFilters')) return own;
  return numberOf('uint', given.defaultProcessLimit, given.release) ?? 0n;
}

function limitFault(
  service: CheckedService,
  limit: bigint,
  { release }: Services,
): { readonly says: string; readonly key: string } | null {
  const named = hasDovecotFeature(release, 'namedFilters');
  const more = hasDovecotFeature(release, 'limitsSayGreater') ? 'greater' : 'higher';
  const isZero = (key: string, type: 'uint' | 'time'): boolean =>
    named && numberOf(type, service.value(key), release) === 0n;
  if (/^(?:yes|y|1)$/i.test(service.value('drop_priv_before_exec')) && service.value('chroot') !== '')
    return { says: "drop_priv_before_exec=yes can't be used with chroot", key: 'chroot' };
  if (named && limit === 0n) return { says: `process_limit must be ${more} than 0`, key: 'process_limit' };
  if ((numberOf('uint', service.value('process_min_avail'), release) ?? 0n) > limit)
    return { says: `process_min_avail is ${more} than process_limit`, key: 'process_min_avail' };
  if (isZero('client_limit', 'uint'))
    return { says: `client_limit must be ${more} than 0`, key: 'client_limit' };
  for (const [key, type] of [
    ['restart_request_count', 'uint'],
    ['idle_kill_interval', 'time'],
  ] as const) {
    if (isZero(key, type)) return { says: `${key} must be ${more} than 0 (did you mean "unlimited"?)`, key };
  }
  const size = numberOf('size', service.value('vsz_limit'), release);
  if (size !== null && size < LEAST_VSZ && (named || size !== 0n))
    return { says: `vsz_limit is too low${named ? ' (did you mean "unlimited"?)' : ''}`, key: 'vsz_limit' };
  if (limit > 1n && SINGLE_PROCESS_SERVICES.has(service.name))
    return { says: 'process_limit must be 1', key: 'process_limit' };
  return null;
}

/** Where a listener listens, as far as it is open. */
function placesOf(listener: CheckedListener, { release, baseDir }: Services): string[] {
  if (listener.kind === 'inet_listener') {
    const port = numberOf('uint', listener.value('port'), release) ?? 0n;
    if (port === 0n) return [];
    if (!hasDovecotFeature(release, 'namedFilters')) return [`${port}:${listener.value('address')}`];
    const addresses = listener.value('listen').split(' ');
    return addresses.map((address) => `${port}:${address}`);
  }
  if (numberOf('uint_oct', listener.value('mode'), release) === 0n) return [];
  return [listener.name.startsWith('/') ? listener.name : `${baseDir.replace(/\/$/, '')}/${listener.name}`];
}

function loadWarning(
  name: string,
  load: readonly (readonly [service: string, limit: bigint])[],
  least: bigint,
  given: Services,
): string[] {
  const service = given.services.find((other) => other.name === name);
  const own = numberOf('uint', service?.value('client_limit') ?? '', given.release) ?? 0n;
  const limit = own === 0n ? (numberOf('uint', given.defaultClientLimit, given.release) ?? 0n) : own;
  const needed = load.reduce((sum, [, count]) => sum + count, least);
  if (limit >= needed) return [];
  const says = `service ${name} { client_limit=${limit} } is lower than required under max. load (${needed})`;
  if (!hasDovecotFeature(given.release, 'limitReasons')) return [says];
  const count = hasDovecotFeature(given.release, 'namedFilters') ? 'restart_request_count' : 'service_count';
  const counted = name === 'auth' ? `Counted for protocol services with ${count} != 1` : 'Counted with';
  const reasons = load.map(([other, processes]) => `service ${other} { process_limit=${processes} }`);
  return [`${says}. ${counted}: ${reasons.join(' + ')}`];
}
