import type { DovecotEffective } from '../../dovecot/effective.ts';
import type { DovecotEndpoint, DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import type { Filter } from '../../dovecot/filter.ts';
import { isInNet, type Net, parseNet } from '../../dovecot/net.ts';
import { proposeSetting } from '../../dovecot/proposals.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { dovecotPlace } from '../locate.ts';
import { isOwn } from './dovecot-common.ts';

/** Clients whose connections count as secure without TLS. */
const TRUSTED = 'login_trusted_networks';

/** Listeners that users on other machines log in to. */
export function publicLogins(endpoints: readonly DovecotEndpoint[]): readonly DovecotServerEndpoint[] {
  return endpoints.filter(
    (endpoint): endpoint is DovecotServerEndpoint =>
      endpoint.side === 'server' && endpoint.sasl && endpoint.public,
  );
}

/**
 * Passwords that are taken before TLS. What counts is decided by login-common's client-common-auth.c: a
 * connection is as good as TLS where both ends are one address, and where the client is in
 * `login_trusted_networks`; until 2.3 the latter holds with `ssl = required` too.
 */
function* cleartextAuth(context: DovecotCheckContext): Iterable<Report> {
  const logins = publicLogins(context.endpoints);
  const restConflicts = new Set(
    logins.filter(({ filter }) => filter === null).map(({ authFault }) => authFault?.in.at),
  );
  const isTrusting = context.dovecot.settings().some(({ name }) => name.split('/')[0] === TRUSTED);
  for (const endpoint of logins) {
    const reports = [
      cleartextReport(context, endpoint),
      conflictReport(context, endpoint, restConflicts),
      isTrusting ? trustedReport(context, endpoint) : null,
    ];
    for (const report of reports) if (report !== null && isOwn(context, report.at)) yield report;
  }
}

function cleartextReport(context: DovecotCheckContext, endpoint: DovecotServerEndpoint): Report | null {
  const { cleartextLogin, tls, fault } = endpoint;
  if (!cleartextLogin) return null;
  const of = decidingValue(context, endpoint);
  const own = of.assignment?.scope.filter ?? null;
  if (isOfThisMachine(own) || isOfThisMachine(endpoint.filter)) return null;
  const remote = own?.remote?.net ?? null;
  const works = tls.mode !== 'none' && fault === null;
  return {
    message:
      remote !== null && liesIn(PRIVATE, remote) ? 'private' : tls.mode === 'none' ? 'no-tls' : 'default',
    at: dovecotPlace(context.dovecot, of),
    of,
    endpoint,
    expected: refusing(of.name),
    // Without TLS that works the setting ends every login from elsewhere: the admin must want that.
    fix: fixFor(context, endpoint, works),
  };
}

/** What decides for the connections of an endpoint: of many filters that do the same, one endpoint was looked at for all. */
function decidingValue(
  { dovecot }: DovecotCheckContext,
  { cleartextFrom, filter, context: connection }: DovecotServerEndpoint,
): DovecotEffective {
  return filter === null ? cleartextFrom : dovecot.get(cleartextFrom.name, connection);
}

/** A filter that brings cleartext logins where TLS is demanded: doveconf only looks at what counts for all. */
function conflictReport(
  context: DovecotCheckContext,
  endpoint: DovecotServerEndpoint,
  rest: ReadonlySet<unknown>,
): Report | null {
  const { filter, authFault } = endpoint;
  if (filter === null || authFault?.kind !== 'cleartext-conflict' || rest.has(authFault.in.at)) return null;
  const of = decidingValue(context, endpoint);
  return {
    message: 'conflict',
    at: dovecotPlace(context.dovecot, of),
    of,
    endpoint,
    expected: refusing(of.name),
    fix: fixFor(context, endpoint, true),
  };
}

function fixFor(
  { dovecot }: DovecotCheckContext,
  { cleartextFrom: { name }, context: connection }: DovecotServerEndpoint,
  safe: boolean,
): ProposedFix | null {
  const value = refusing(name);
  const proposal = proposeSetting(dovecot, { name, value }, connection);
  return proposal === null ? null : { title: `set ${name} to ${value}`, ...proposal, safe };
}

/** The value with which passwords are refused before TLS. */
function refusing(name: string): string {
  return name === 'disable_plaintext_auth' ? 'yes' : 'no';
}

function trustedReport(context: DovecotCheckContext, endpoint: DovecotServerEndpoint): Report | null {
  const { dovecot } = context;
  const { mechanisms, authFault, sslFrom, tls, cleartextFrom, context: connection } = endpoint;
  if (tls.mode === 'implicit' || authFault !== null) return null;
  if (mechanisms?.known.some(({ cleartext }) => cleartext) !== true) return null;
  // Since 2.4 `required` is meant for everybody.
  if (sslFrom.value === 'required' && cleartextFrom.name !== 'disable_plaintext_auth') return null;
  const of = dovecot.get(TRUSTED, connection);
  const wide = (of.words ?? of.value.split(/[\s,]+/)).filter((word) => isWide(parseNet(word)));
  if (wide.length === 0) return null;
  return { message: 'trusted', at: dovecotPlace(dovecot, of), of, endpoint, data: { wide } };
}

/** Networks within which a cable or a radio still carries the password, but not the Internet (RFC 1918, RFC 4193, RFC 3927, RFC 4291). */
const PRIVATE: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
];
const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1'];

/** Whether one of some networks holds another whole. They are read only where a host has filters to compare. */
function liesIn(outer: readonly string[], inner: Net): boolean {
  return outer.some((text) => {
    const net = parseNet(text);
    return net !== null && net.bits <= inner.bits && isInNet(inner, net);
  });
}

/** Whether only connections that stay on this machine match a filter. */
function isOfThisMachine(filter: Filter | null): boolean {
  return [filter?.local?.net, filter?.remote?.net].some(
    (net) => net !== undefined && net !== null && liesIn(LOOPBACK, net),
  );
}

/** More than a site has machines: over 65,536 addresses of IPv4, more than a /48 of IPv6. */
function isWide(net: Net | null): boolean {
  if (net === null || liesIn(LOOPBACK, net)) return false;
  return net.family === 4 ? net.bits < 16 : net.bits < 48;
}

/** Checks of passwords before TLS, by the name that rule files call. */
export const dovecotCleartextChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/cleartext-auth': cleartextAuth,
};
