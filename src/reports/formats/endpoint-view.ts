import type { Host } from '../../hosts/host.ts';
import { TemplatedHost } from '../../hosts/renderings.ts';
import type { EndpointTls, Role, Server, Side, TlsMode } from '../../model/endpoint.ts';
import { PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import type { Profile } from '../../rules/profile.ts';
import { CIPHER_CLASSES, type CipherClass, hasForwardSecrecy, isAead } from '../../tls/cipher-classes.ts';
import { forbiddenClassesOf, isBelowProfile, suiteNamed, type TabledEndpoint } from '../endpoint-table.ts';
import { type ShownEndpoint, shownEndpoints } from '../show-endpoints.ts';
import { templatedEndpoints } from '../show-template.ts';

/** What an endpoint makes of a protocol: it does not speak it, or it does and the profile agrees or not. */
export type ProtocolState = 'off' | 'allowed' | 'below';

/** How many suites an endpoint takes, each counted once, in the first of these that it belongs to. */
export interface SuiteCounts {
  /** The profile forbids them there. */
  readonly below: number;
  readonly noForwardSecrecy: number;
  /** Forward secrecy, and encryption and integrity in two steps. */
  readonly noAead: number;
  /** Forward secrecy and authenticated encryption. */
  readonly best: number;
  /** The classes for which the profile forbids them: `3 no authentication, 1 triple DES`; else empty. */
  readonly why: string;
}

/** An endpoint as plain data. What only a template engine knows is null, and then `templated` is true. */
export interface EndpointView {
  readonly id: string;
  readonly server: Server | null;
  readonly side: Side | null;
  readonly role: Role | null;
  readonly address: string | null;
  /** Also null for a unix-domain socket, or a client without a fixed port. */
  readonly port: number | null;
  /** The peer may be another machine. */
  readonly public: boolean | null;
  /** No file has it: it stands for what other services may do. */
  readonly assumed: boolean | null;
  readonly mode: TlsMode | null;
  /** Why TLS does not work although it is asked for; empty where it does, or is off. */
  readonly fault: string | null;
  readonly protocols: Readonly<Record<Protocol, ProtocolState | null>> | null;
  /** Null too where nothing is known of them. */
  readonly suites: SuiteCounts | null;
  /** Mechanisms for logins: `[]` none, null where only the authentication server knows them. */
  readonly auth: {
    readonly beforeTls: readonly string[] | null;
    readonly afterTls: readonly string[] | null;
  } | null;
  readonly notes: readonly string[] | null;
  readonly templated?: true;
}

/** The endpoints of a host held against a profile; of templates, what all that they may come to have in common. */
export function endpointViews(host: Host, profile: Profile): readonly EndpointView[] {
  const views = (one: Host): readonly EndpointView[] =>
    shownEndpoints(one).map((shown) => endpointView(shown, profile));
  const templated = TemplatedHost.of(host.input);
  if (templated === null) return views(host);
  const known = templatedEndpoints(templated, (one) => views(one).map((view) => ({ ...view })));
  return known as unknown as readonly EndpointView[];
}

function endpointView({ endpoint, tls, fault, notes }: ShownEndpoint, profile: Profile): EndpointView {
  const { id, server, side, role, address, port, auth } = endpoint;
  const judged = { role, side, tls };
  return {
    id,
    server,
    side,
    role,
    address,
    port,
    public: endpoint.public,
    assumed: endpoint.server === 'postfix' && endpoint.service.assumed,
    mode: tls.mode,
    fault: fault?.replaceAll('-', ' ') ?? '',
    protocols: Object.fromEntries(
      PROTOCOLS.map((protocol) => [protocol, protocolState(judged, protocol, profile)]),
    ) as Record<Protocol, ProtocolState>,
    suites: suiteCounts(judged, profile),
    auth: { beforeTls: auth.beforeTls, afterTls: auth.afterTls },
    notes,
  };
}

function protocolState(endpoint: TabledEndpoint, protocol: Protocol, profile: Profile): ProtocolState {
  if (!endpoint.tls.protocols.includes(protocol)) return 'off';
  return isBelowProfile(endpoint, protocol, profile) ? 'below' : 'allowed';
}

function suiteCounts(
  endpoint: TabledEndpoint & { readonly tls: EndpointTls },
  profile: Profile,
): SuiteCounts | null {
  const { ciphers, protocols } = endpoint.tls;
  if (ciphers === undefined) return protocols.length === 0 ? NO_SUITES : null;
  const counts = { below: 0, noForwardSecrecy: 0, noAead: 0, best: 0 };
  const classes = new Map<CipherClass, number>();
  for (const name of new Set(ciphers.map((cipher) => cipher.name))) {
    const forbidden = forbiddenClassesOf(endpoint, name, profile);
    for (const one of forbidden) classes.set(one, (classes.get(one) ?? 0) + 1);
    const suite = suiteNamed(name);
    if (forbidden.length > 0) counts.below++;
    else if (suite !== undefined && !hasForwardSecrecy(suite)) counts.noForwardSecrecy++;
    else if (suite !== undefined && !isAead(suite)) counts.noAead++;
    else counts.best++;
  }
  const why = CIPHER_CLASSES.filter(({ name }) => classes.has(name))
    .map(({ name, title }) => `${classes.get(name)} ${title}`)
    .join(', ');
  return { ...counts, why };
}

const NO_SUITES: SuiteCounts = { below: 0, noForwardSecrecy: 0, noAead: 0, best: 0, why: '' };
