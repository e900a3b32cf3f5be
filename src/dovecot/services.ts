/**
 * The services that Dovecot has by itself, with their listeners, by release.
 *
 * The table is data (data/services.json, made by src/build/dovecot-tables.ts). Keys that are not in it have
 * the default of the setting itself (`service/client_limit` of 2.3, `service_client_limit` of 2.4).
 *
 * Sources: `doveconf -d` of 2.3.13, 2.3.19.1, 2.4.1 and 2.4.5, held against it by
 * test/servers/dovecot-settings.test.ts; the settings files of the tags 2.2.0 to 2.3.11 and the history of
 * defaults of 2.4 for the releases between.
 */
import { compareReleases, type Release } from '../model/release.ts';
import serviceData from './data/services.json' with { type: 'json' };
import { datedValue } from './settings.ts';
import type { ServicesFile } from './table-lines.ts';

/** What kind of listener a service has. */
export type ListenerKind = 'inet_listener' | 'unix_listener' | 'fifo_listener';

/** A listener that a service has by itself. */
export interface DefaultListener {
  readonly kind: ListenerKind;
  /** Its name (inet) or path relative to base_dir (unix, fifo), as a configuration writes it. */
  readonly name: string;
  /** What differs from the defaults of the settings: port, ssl, mode, user, group, type. */
  readonly keys: ReadonlyMap<string, string>;
}

/** A service that Dovecot has by itself. */
export interface DefaultService {
  readonly name: string;
  /** What differs from the defaults of the settings: executable, protocol, type, user, chroot, … */
  readonly keys: ReadonlyMap<string, string>;
  readonly listeners: readonly DefaultListener[];
}

/** Limits of services of 2.4 that say nothing: doveconf -d of 2.4.1 prints what these are by default. */
export const SERVICE_LIMITS: ReadonlyMap<string, string> = new Map(
  ['client_limit', 'idle_kill_interval', 'process_limit', 'vsz_limit'].map((key) => [
    `service_${key}`,
    `$SET:default_${key}`,
  ]),
);

const file = serviceData as unknown as ServicesFile;
const made = new Map<string, ReadonlyMap<string, DefaultService>>();

/**
 * The services of a release by name, as if every package of Dovecot were installed. Values may refer to
 * settings: `$default_internal_user`, in 2.4 `$SET:default_internal_user`.
 *
 * @param configVersion value of dovecot_config_version, which some defaults of 2.4 follow
 */
export function defaultServices(
  release: Release,
  configVersion: Release = release,
): ReadonlyMap<string, DefaultService> {
  const version = compareReleases(configVersion, release) < 0 ? configVersion : release;
  const key = `${release} ${version}`;
  let services = made.get(key);
  if (!services) {
    services = make(release, version);
    made.set(key, services);
  }
  return services;
}

/** A service while it is put together. */
interface Growing {
  readonly name: string;
  readonly keys: Map<string, string>;
  readonly listeners: Map<string, DefaultListener & { readonly keys: Map<string, string> }>;
}

function make(release: Release, version: Release): ReadonlyMap<string, DefaultService> {
  const growing = new Map<string, Growing>();
  const byConfig = new Set(file.byConfig);
  for (const [key, values] of Object.entries(file.services)) {
    const value =
      typeof values === 'string' ? values : datedValue(values, byConfig.has(key) ? version : release);
    if (value === null || value === undefined) continue;
    const [name = '', ...rest] = key.split('/');
    let service = growing.get(name);
    if (!service) {
      service = { name, keys: new Map(), listeners: new Map() };
      growing.set(name, service);
    }
    add(service, rest, value);
  }
  const services = new Map<string, DefaultService>();
  for (const [name, { keys, listeners }] of growing) {
    // A service of another release has keys in the table, but nothing to run.
    if (keys.has('executable')) services.set(name, { name, keys, listeners: [...listeners.values()] });
  }
  return services;
}

/** Adds `chroot` to a service, or `unix_listener/login\slogin/mode` to one of its listeners. */
function add(service: Growing, [first = '', listener, key]: readonly string[], value: string): void {
  if (listener === undefined || key === undefined) {
    service.keys.set(first, value);
    return;
  }
  const id = `${first}/${listener}`;
  let found = service.listeners.get(id);
  if (!found) {
    found = { kind: first as ListenerKind, name: listener.replaceAll('\\s', '/'), keys: new Map() };
    service.listeners.set(id, found);
  }
  found.keys.set(key, value);
}
