import type { DovecotEffective } from '../../dovecot/effective.ts';
import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { proposeSetting, proposeValue } from '../../dovecot/proposals.ts';
import type { Location } from '../../text/source.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { joinedFix } from '../judged-server.ts';
import { isOwn } from './dovecot-common.ts';
import { byLine, isWhole, mayJudge, placeOf, proposeTls, servers } from './dovecot-tls-common.ts';

/**
 * Whether users' connections are encrypted: `ssl`, and the listeners. Facts: dovecot-tls §1 and §6; what
 * running servers of 2.3.13, 2.3.19.1, 2.4.1 and 2.4.5 did.
 */

/** Listeners that users log in to from other machines. A proxy in front may have ended TLS. */
function usersListeners(context: DovecotCheckContext): readonly DovecotServerEndpoint[] {
  return servers(context).filter((endpoint) => endpoint.sasl && endpoint.public && !endpoint.open.haproxy);
}

/** True where a certificate and its key are set, and nothing that can be seen is wrong with them. */
function hasCertificate({ certificates }: DovecotServerEndpoint): boolean {
  return certificates.length > 0 && certificates.every(({ fault }) => fault === null);
}

/**
 * Sets `ssl = required` for an endpoint. 2.4 does not start with that while passwords in the clear are
 * allowed, so that those lines change with it.
 */
function requireTls(
  context: DovecotCheckContext,
  of: DovecotEffective,
  endpoint: DovecotServerEndpoint,
): ProposedFix | null {
  const { dovecot } = context;
  const proposal = hasCertificate(endpoint) ? proposeTls(context, of, 'required', endpoint) : null;
  if (proposal === null) return null;
  const allowing = dovecot
    .settings()
    .filter(({ name, value }) => name === 'auth_allow_cleartext' && /^(?:yes|y|1)$/i.test(value ?? ''));
  return joinedFix([
    { title: 'set ssl to required', ...proposal },
    ...allowing.map((assignment) => ({
      title: `set ${assignment.key} to no`,
      ...proposeValue(dovecot, assignment, 'no'),
    })),
  ]);
}

function* tlsOff(context: DovecotCheckContext): Iterable<Report> {
  const off = usersListeners(context).filter(
    ({ tls, fault }) => tls.mode === 'none' || fault?.kind === 'tls-off',
  );
  const global = context.dovecot.get('ssl');
  for (const endpoint of off) {
    // `ssl = no` outside of all filters counts whatever they say.
    const of = global.value === 'no' ? global : endpoint.sslFrom;
    if (of.at === null || !mayJudge(context, of)) continue;
    yield {
      message: endpoint.tls.mode === 'implicit' ? 'implicit' : 'default',
      at: of.at,
      of,
      endpoint,
      expected: 'required',
      fix: requireTls(context, of, endpoint),
      data: { certificate: hasCertificate(endpoint) },
    };
  }
}

function* tlsOptional(context: DovecotCheckContext): Iterable<Report> {
  const optional = usersListeners(context).filter(
    ({ tls, protocols, open, sslFrom }) =>
      tls.mode === 'opportunistic' &&
      // Which packages there are is not known: of their listeners only what is written is judged.
      (sslFrom.at !== null || !protocols.assumed || open.listener.openings.length > 0),
  );
  for (const { effective, endpoints } of byLine(optional, ({ sslFrom }) => sslFrom)) {
    if (!mayJudge(context, effective)) continue;
    for (const endpoint of endpoints) {
      yield {
        at: placeOf(context, effective, endpoint),
        of: effective,
        endpoint,
        expected: 'required',
        fix: requireTls(context, effective, endpoint),
        data: { written: effective.at !== null, certificate: hasCertificate(endpoint) },
      };
    }
  }
}

// Listeners

/** What begins with TLS by its name or its port (RFC 8314). */
const IMPLICIT_NAMES: ReadonlySet<string> = new Set(['imaps', 'pop3s', 'submissions']);
const IMPLICIT_PORTS: ReadonlySet<number> = new Set([993, 995, 465]);

/** Where a listener is written: the setting that decides, its port, or the line that opens it; null for a default. */
function listenerPlace({ open }: DovecotServerEndpoint, of: DovecotEffective | null): Location | null {
  return of?.at ?? open.listener.get('port').at ?? open.listener.openings[0] ?? null;
}

function* implicitListenerPlain(context: DovecotCheckContext): Iterable<Report> {
  const { dovecot } = context;
  for (const endpoint of usersListeners(context)) {
    const { open, filter } = endpoint;
    const { name } = open.listener;
    const byName = IMPLICIT_NAMES.has(name);
    if (open.implicit || filter !== null || (!byName && !IMPLICIT_PORTS.has(open.port))) continue;
    const at = listenerPlace(endpoint, open.sslFrom);
    if (at === null || !isOwn(context, at)) continue;
    // With `ssl = no` for all, a listener that begins with TLS would not be opened at all.
    const proposal =
      dovecot.value('ssl') === 'no'
        ? null
        : proposeSetting(dovecot, { name: 'ssl', value: 'yes', sections: sectionsOf(endpoint) });
    yield {
      at,
      of: open.sslFrom,
      endpoint,
      expected: 'yes',
      fix: proposal === null ? null : { title: `set ssl = yes in inet_listener ${name}`, ...proposal },
      data: { listener: name, service: open.service.name, written: open.sslFrom.at !== null },
    };
  }
}

/** The sections that hold the settings of a listener. */
function sectionsOf({ open }: DovecotServerEndpoint) {
  return [
    { type: 'service', name: open.service.name },
    { type: 'inet_listener', name: open.listener.name },
  ];
}

function* cleartextListener(context: DovecotCheckContext): Iterable<Report> {
  const all = usersListeners(context).filter(({ filter }) => filter === null);
  for (const endpoint of all) {
    const { open, spoken, tls, protocols } = endpoint;
    if (open.implicit || (spoken !== 'imap' && spoken !== 'pop3') || tls.mode === 'none') continue;
    const other = all.find((one) => one.spoken === spoken && one.open.implicit && one.fault === null);
    const written = listenerPlace(endpoint, null);
    if (other === undefined || IMPLICIT_PORTS.has(open.port)) continue;
    if (written === null ? protocols.assumed || !isWhole(context) : !isOwn(context, written)) continue;
    const wanted = { name: 'port', value: '0', sections: sectionsOf(endpoint) };
    const proposal = proposeSetting(context.dovecot, wanted);
    const of = open.listener.get('port');
    yield {
      // A port by default is open because its protocol is named, whatever is said of TLS.
      at: written ?? of.at ?? protocols.from.at ?? placeOf(context, of, endpoint),
      of,
      endpoint,
      expected: '0',
      fix:
        proposal === null
          ? null
          : { title: `set port = 0 in inet_listener ${open.listener.name}`, ...proposal },
      data: {
        protocol: spoken.toUpperCase(),
        implicit: other.port,
        service: open.service.name,
        listener: open.listener.name,
      },
    };
  }
}

/** Checks of whether TLS is there, demanded, and begun at once. */
export const dovecotTlsModeChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/tls-off': tlsOff,
  'dovecot/tls-optional': tlsOptional,
  'dovecot/implicit-listener-plain': implicitListenerPlain,
  'dovecot/cleartext-listener': cleartextListener,
};
