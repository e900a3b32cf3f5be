import type { Role, TlsMode } from '../model/endpoint.ts';
import { PROTOCOLS } from '../model/protocol.ts';
import type { Release } from '../model/release.ts';
import { offeredSuites } from '../tls/negotiation.ts';
import type { DovecotConfiguration } from './configuration.ts';
import type { DovecotContext, DovecotEffective } from './effective.ts';
import type { DovecotClientEndpoint } from './endpoints.ts';
import { isLoopback, type RunningProtocols } from './listeners.ts';
import { clientNegotiation } from './server-tls.ts';

/**
 * Other servers that Dovecot calls: a store of mail on another IMAP or POP3 server, and the servers that take
 * mail to be sent. Which servers a proxy hands users on to stands in databases, and is not known here.
 * Sources: imapc-settings.c, pop3c-settings.c, submission-settings.c, lda-settings.c of 2.2 to 2.4.
 */

/** A group of settings that names another server. */
interface Kind {
  readonly id: string;
  readonly role: Role;
  /** The settings: host, port where there is one, how TLS begins where there is a choice. */
  readonly host: string;
  readonly port: string | null;
  readonly tls: string | null;
  /** A setting of its own that says whether certificates are verified. */
  readonly verify: string | null;
  /** The protocol that has to be switched on; null: none. */
  readonly protocol: string | null;
}

const KINDS: readonly Kind[] = [
  {
    id: 'imapc',
    role: 'imap',
    host: 'imapc_host',
    port: 'imapc_port',
    tls: 'imapc_ssl',
    verify: 'imapc_ssl_verify',
    protocol: null,
  },
  {
    id: 'pop3c',
    role: 'pop3',
    host: 'pop3c_host',
    port: 'pop3c_port',
    tls: 'pop3c_ssl',
    verify: 'pop3c_ssl_verify',
    protocol: null,
  },
  {
    id: 'submission-relay',
    role: 'relay',
    host: 'submission_relay_host',
    port: 'submission_relay_port',
    tls: 'submission_relay_ssl',
    verify: 'submission_relay_ssl_verify',
    protocol: 'submission',
  },
  {
    id: 'lda',
    role: 'relay',
    host: 'submission_host',
    port: null,
    tls: 'submission_ssl',
    verify: null,
    protocol: null,
  },
];

/** How TLS begins, by the word of the setting. */
const MODES: ReadonlyMap<string, TlsMode> = new Map([
  ['imaps', 'implicit'],
  ['pop3s', 'implicit'],
  ['smtps', 'implicit'],
  ['submissions', 'implicit'],
  ['starttls', 'required'],
]);

/** The endpoints of the client side. */
export function clientEndpoints(
  configuration: DovecotConfiguration,
  protocols: RunningProtocols,
  openssl: Release,
): readonly DovecotClientEndpoint[] {
  return KINDS.flatMap((kind) => {
    if (configuration.table.get(kind.host) === null) return [];
    if (kind.protocol !== null && !protocols.names.includes(kind.protocol)) return [];
    const connection: DovecotContext = kind.protocol === null ? {} : { protocol: kind.protocol };
    const hostFrom = configuration.get(kind.host, connection);
    if (hostFrom.value === '') return [];
    return [endpoint(configuration, kind, { connection, hostFrom, openssl })];
  });
}

function endpoint(
  configuration: DovecotConfiguration,
  kind: Kind,
  {
    connection,
    hostFrom,
    openssl,
  }: { readonly connection: DovecotContext; readonly hostFrom: DovecotEffective; readonly openssl: Release },
): DovecotClientEndpoint {
  const known = (name: string | null): DovecotEffective | null =>
    name === null || configuration.table.get(name) === null ? null : configuration.get(name, connection);
  const modeFrom = known(kind.tls) ?? hostFrom;
  const mode = kind.tls === null ? 'none' : (MODES.get(modeFrom.value.toLowerCase()) ?? 'none');
  const verifyFrom = known(kind.verify) ?? known('ssl_client_require_valid_cert');
  const { negotiation, protocolsFrom, cipherListFrom, fault } = clientNegotiation(
    configuration,
    connection,
    openssl,
  );
  const ciphers = mode === 'none' || fault !== null ? [] : offeredSuites(negotiation);
  const { host, port } = placeOf(hostFrom.value, known(kind.port)?.value ?? null);
  return {
    id: kind.id,
    server: 'dovecot',
    side: 'client',
    role: kind.role,
    address: host,
    port,
    tls: {
      mode,
      protocols: PROTOCOLS.filter((protocol) => ciphers.some((cipher) => cipher.protocol === protocol)),
      ...(mode === 'none' ? {} : { ciphers }),
    },
    auth: { beforeTls: mode === 'none' ? null : [], afterTls: mode === 'none' ? [] : null },
    context: connection,
    public: !isLoopback(host),
    sasl: false,
    hostFrom,
    modeFrom,
    verifyFrom,
    verifies: verifyFrom !== null && /^(?:yes|y|1)$/i.test(verifyFrom.value),
    protocolsFrom,
    cipherListFrom,
    fault: mode === 'none' ? null : fault,
  };
}

/** `host:port` of submission_host; the port of the others is a setting of its own. */
function placeOf(host: string, port: string | null): { readonly host: string; readonly port: number | null } {
  if (port !== null) return { host, port: Number(port) || null };
  const [, name, written] = /^(.*?):(\d+)$/.exec(host) ?? [];
  return name === undefined ? { host, port: null } : { host: name, port: Number(written) };
}
