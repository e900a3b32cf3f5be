import type { DovecotConfiguration, DovecotListener, DovecotService } from './configuration.ts';
import type { DovecotEffective } from './effective.ts';
import { parseNet } from './net.ts';

/**
 * Where Dovecot listens. Sources: service.c (service_create_inet_listeners() and its kin) and
 * master-settings.c of 2.2.36.4, 2.3 and 2.4; held against running servers by
 * test/servers/dovecot-endpoints.test.ts.
 */

/** The protocols that are switched on. */
export interface RunningProtocols {
  readonly names: readonly string[];
  readonly from: DovecotEffective;
  /**
   * Nothing is set in these files: distributions have a file for each package outside of the configuration,
   * and which packages there are is not known. The usual ones are taken for granted.
   */
  readonly assumed: boolean;
}

/** A TCP port that will be open. */
export interface OpenPort {
  readonly service: DovecotService;
  readonly listener: DovecotListener;
  readonly port: number;
  /** Addresses that it is bound to, as written: `*` all of IPv4, `::` all of IPv6. */
  readonly addresses: readonly string[];
  readonly addressesFrom: DovecotEffective;
  /** `ssl` of the listener. */
  readonly sslFrom: DovecotEffective;
  /** The listener begins with TLS. */
  readonly implicit: boolean;
  /** A proxy speaks first (HAProxy's PROXY protocol). */
  readonly haproxy: boolean;
}

/** A socket or fifo in the file system that will be there. */
export interface OpenSocket {
  readonly service: DovecotService;
  readonly listener: DovecotListener;
  /** Absolute; relative paths are below base_dir. */
  readonly path: string;
  /** Permission bits; null where the value is no number. */
  readonly mode: number | null;
  /** Names, references replaced; empty: root's. */
  readonly user: string;
  readonly group: string;
  /**
   * What is spoken on a socket of the service auth: `auth` to clients such as Postfix, `login`, `master`,
   * `userdb`, `token`, `token-login`. Null on sockets of other services.
   */
  readonly kind: string | null;
}

/** Where distributions keep a file for each package with its protocol. */
const PACKAGE_FILES = /protocols\.d\//;

/** What Dovecot has switched on by itself until 2.3, and what most hosts have. */
const USUAL_PROTOCOLS: readonly string[] = ['imap', 'pop3', 'lmtp'];

/** The protocols that are switched on. `none` is written for no protocol. */
export function runningProtocols(configuration: DovecotConfiguration): RunningProtocols {
  const from = configuration.get('protocols');
  const names = configuration.words('protocols').filter((name) => name !== 'none');
  const { statements, included } = configuration.tree;
  const elsewhere = statements.some(
    ({ statement }) =>
      statement.kind === 'include' &&
      PACKAGE_FILES.test(statement.pattern) &&
      (included.get(statement) ?? []).length === 0,
  );
  const assumed = from.origin.kind === 'default' && (elsewhere || names.length > 0);
  return assumed ? { names: USUAL_PROTOCOLS, from, assumed } : { names, from, assumed };
}

/** Services whose protocol is switched on, or that belong to none. */
export function runningServices(
  configuration: DovecotConfiguration,
  { names }: RunningProtocols,
): readonly DovecotService[] {
  return configuration.services().filter((service) => {
    const protocol = service.get('protocol').value;
    return protocol === '' || names.includes(protocol);
  });
}

/** The ports that will be open. */
export function openPorts(
  configuration: DovecotConfiguration,
  services: readonly DovecotService[],
): readonly OpenPort[] {
  const tlsOff = configuration.value('ssl') === 'no';
  return services.flatMap((service) =>
    service.listeners.flatMap((listener): OpenPort[] => {
      if (listener.kind !== 'inet_listener') return [];
      const port = Number(listener.get('port').value);
      const sslFrom = listener.get('ssl');
      const implicit = isYes(sslFrom);
      // With `ssl = no` for all, what would begin with TLS is not opened.
      if (!(port > 0) || (implicit && tlsOff)) return [];
      const { addresses, from } = addressesOf(configuration, listener);
      const haproxy = isYes(listener.get('haproxy'));
      return [{ service, listener, port, addresses, addressesFrom: from, sslFrom, implicit, haproxy }];
    }),
  );
}

/** A listener's own addresses, else those of `listen`. */
function addressesOf(
  configuration: DovecotConfiguration,
  listener: DovecotListener,
): { readonly addresses: readonly string[]; readonly from: DovecotEffective } {
  const key = configuration.hasNamedFilters ? 'listen' : 'address';
  const own = listener.get(key);
  const from = own.value === '' ? configuration.get('listen') : own;
  return { addresses: from.words ?? from.value.split(/[ ,]+/).filter((word) => word !== ''), from };
}

/** Whether nobody but this machine can reach an address. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^\[(.*)\]$/, '$1');
  const net = parseNet(plain);
  if (net === null) return plain === 'localhost';
  return plain === '::1' || (net.family === 4 && plain.startsWith('127.'));
}

/** The addresses as one text; `*` where all are meant. */
export function addressText(addresses: readonly string[]): string {
  if (addresses.includes('*') && addresses.some((address) => address === '::' || address === '[::]'))
    return '*';
  return addresses.join(', ');
}

/** The sockets and fifos that will be there: a mode of 0 switches one off. */
export function openSockets(
  configuration: DovecotConfiguration,
  services: readonly DovecotService[],
): readonly OpenSocket[] {
  const base = configuration.value('base_dir');
  return services.flatMap((service) =>
    service.listeners.flatMap((listener): OpenSocket[] => {
      if (listener.kind === 'inet_listener') return [];
      const mode = octal(listener.get('mode').value);
      if (mode === 0) return [];
      const written = listener.name;
      return [
        {
          service,
          listener,
          path: written.startsWith('/') ? written : `${base}/${written}`,
          mode,
          user: listener.get('user').value,
          group: listener.get('group').value,
          kind: service.name === 'auth' ? authKind(configuration, listener) : null,
        },
      ];
    }),
  );
}

/** A number is octal where it begins with 0, and decimal otherwise (settings-parser.c, get_octal()). */
export function octal(text: string): number | null {
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9]\d*$/.test(text) ? Number(text) : null;
}

/** What the end of a name says of what is spoken (auth's main.c, auth_socket_type_get()). */
const AUTH_KINDS: ReadonlyMap<string, string> = new Map([
  ['login', 'login'],
  ['master', 'master'],
  ['userdb', 'userdb'],
  ['token', 'token'],
  ['tokenlogin', 'token-login'],
]);

function authKind(configuration: DovecotConfiguration, listener: DovecotListener): string {
  const said = configuration.hasNamedFilters ? listener.get('type').value : '';
  if (said !== '') return said;
  const base = listener.name.slice(listener.name.lastIndexOf('/') + 1);
  return AUTH_KINDS.get(base.slice(base.lastIndexOf('-') + 1)) ?? 'auth';
}

function isYes({ value }: DovecotEffective): boolean {
  return /^(?:yes|y|1)$/i.test(value);
}
