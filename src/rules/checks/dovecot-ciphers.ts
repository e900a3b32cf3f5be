import type { DovecotEffective } from '../../dovecot/effective.ts';
import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { compareProtocols } from '../../model/protocol.ts';
import { hasForwardSecrecy, isAead } from '../../tls/cipher-classes.ts';
import { readCipherString } from '../../tls/cipher-string.ts';
import { type CipherSuite, suitesOf } from '../../tls/suites.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { type Objection, objectionsAt } from '../cipher-judgement.ts';
import { withExclusions } from './dovecot-cipher-text.ts';
import { floorOf, reachable } from './dovecot-protocols.ts';
import { byLine, mayJudge, placeOf, proposeTls, tlsServers } from './dovecot-tls-common.ts';
import { byClass, counted, exclusionsFor, type ForbiddenSuite, namesOf } from './forbidden-suites.ts';

/** The suites that listeners take, against what the profile forbids there, and whose order counts among them. */

/**
 * The suites of a listener up to TLSv1.2, as far as they are judged: those of protocols below the floor end
 * with them.
 */
function judgedSuites(context: DovecotCheckContext, endpoint: DovecotServerEndpoint): readonly CipherSuite[] {
  const floor = reachable(context, floorOf(context, endpoint));
  const names = new Set(
    (endpoint.tls.ciphers ?? [])
      .filter(({ protocol }) => protocol !== 'TLSv1.3' && compareProtocols(protocol, floor) >= 0)
      .map(({ name }) => name),
  );
  if (names.size === 0) return [];
  return suitesOf(context.host.releases.openssl.version).filter(({ name }) => names.has(name));
}

function forbiddenSuites(
  context: DovecotCheckContext,
  endpoint: DovecotServerEndpoint,
  counts: (objection: Objection) => boolean,
): readonly ForbiddenSuite[] {
  // Users mean this server and no other, whether Dovecot insists on TLS or not.
  const place = { side: 'server' as const, tlsRequired: endpoint.sasl || endpoint.tls.mode === 'implicit' };
  return judgedSuites(context, endpoint).flatMap((suite) => {
    const objections = objectionsAt(suite, context.profile.thresholds, place).filter(counts);
    return objections.length === 0 ? [] : [{ suite, objections }];
  });
}

/** Listeners whose list of ciphers may be judged, by the line that holds it. */
function lists(context: DovecotCheckContext) {
  return byLine(tlsServers(context), ({ cipherListFrom }) => cipherListFrom).filter(({ effective }) =>
    mayJudge(context, effective),
  );
}

function* reports(
  context: DovecotCheckContext,
  counts: (objection: Objection) => boolean,
  message?: string,
  leftOut: ReadonlySet<DovecotServerEndpoint> = new Set(),
): Iterable<Report> {
  for (const { effective, endpoints } of lists(context)) {
    const found = endpoints.map((endpoint) => ({
      endpoint,
      forbidden: forbiddenSuites(context, endpoint, counts),
    }));
    const wanted = exclusionsOf(
      context,
      found.flatMap(({ forbidden }) => forbidden),
    );
    for (const { endpoint, forbidden } of found) {
      if (forbidden.length === 0 || leftOut.has(endpoint)) continue;
      const at = placeOf(context, effective, endpoint);
      const { value, fix, isDefault } = mended(context, { effective, endpoint, items: wanted });
      yield {
        ...(message === undefined ? {} : { message }),
        at,
        of: effective,
        endpoint,
        ...(fix === null ? {} : { expected: value }),
        related: namesOf(forbidden, at),
        fix,
        data: {
          counted: counted(forbidden),
          written: effective.at !== null,
          words: wanted.map((item) => `!${item}`),
          replaced: isDefault,
          writable: fix !== null,
        },
      };
    }
  }
}

/** The items to exclude: each class of all listeners that share a list. */
function exclusionsOf(
  { host }: DovecotCheckContext,
  forbidden: readonly ForbiddenSuite[],
): readonly string[] {
  const openssl = host.releases.openssl.version;
  const once = new Map(forbidden.map((one) => [one.suite, one]));
  return [...new Set(byClass([...once.values()]).flatMap((one) => exclusionsFor(one, openssl)))];
}

/** A list without what is forbidden: the author's with exclusions, or where nothing is left of that, the release's own. */
function mended(
  context: DovecotCheckContext,
  {
    effective,
    endpoint,
    items,
  }: {
    readonly effective: DovecotEffective;
    readonly endpoint: DovecotServerEndpoint;
    readonly items: readonly string[];
  },
): { readonly value: string; readonly fix: ProposedFix | null; readonly isDefault: boolean } {
  const openssl = context.host.releases.openssl.version;
  const offered = new Set((endpoint.tls.ciphers ?? []).map(({ name }) => name));
  const known = effective.setting?.default ?? '';
  const candidates = [effective.value, known].filter((text) => text !== '');
  for (const text of candidates) {
    const value = withExclusions(text, items);
    const { suites, error } = readCipherString(value, openssl);
    // Of its own list some suite has to stay that the listener takes.
    const isLeft =
      text === effective.value ? suites.some(({ name }) => offered.has(name)) : suites.length > 0;
    if (error !== null || !isLeft) continue;
    const proposal = proposeTls(context, effective, value, endpoint);
    const fix = proposal === null ? null : { title: `set ${effective.name} to "${value}"`, ...proposal };
    return { value, fix, isDefault: text !== effective.value };
  }
  return { value: effective.value, fix: null, isDefault: false };
}

function isOfSecrecy({ threshold }: Objection): boolean {
  return threshold === 'forwardSecrecy';
}

function* ciphers(context: DovecotCheckContext): Iterable<Report> {
  yield* reports(context, (objection) => !isOfSecrecy(objection));
}

function* forwardSecrecy(context: DovecotCheckContext): Iterable<Report> {
  const without = new Set<DovecotServerEndpoint>();
  for (const { effective, endpoints } of lists(context)) {
    for (const endpoint of endpoints) {
      const suites = judgedSuites(context, endpoint);
      if (suites.length === 0 || suites.some(hasForwardSecrecy)) continue;
      without.add(endpoint);
      const at = placeOf(context, effective, endpoint);
      yield {
        message: 'none',
        at,
        of: effective,
        endpoint,
        related: [{ at, message: suites.map(({ name }) => name).join(', '), onRequest: true }],
        data: { tls13: endpoint.tls.protocols.includes('TLSv1.3'), count: suites.length },
      };
    }
  }
  yield* reports(context, isOfSecrecy, 'some', without);
}

// Order

function* cipherPreference(context: DovecotCheckContext): Iterable<Report> {
  const { thresholds } = context.profile;
  for (const { effective, endpoints } of byLine(
    tlsServers(context).filter(({ preferenceFrom }) => preferenceFrom !== null),
    ({ preferenceFrom, sslFrom }) => preferenceFrom ?? sslFrom,
  )) {
    if (!mayJudge(context, effective)) continue;
    const judged = endpoints
      .map((endpoint) => ({ endpoint, suites: judgedSuites(context, endpoint) }))
      .filter(({ suites }) => suites.length > 0);
    // One line is for all of them: the order of the server helps where one of them needs it.
    const isNeeded = judged.some(({ suites }) => suites.some((suite) => !isGood(suite)));
    for (const { endpoint, suites } of judged) {
      const place = { side: 'server' as const, tlsRequired: true };
      const allowed = suites.filter((suite) => objectionsAt(suite, thresholds, place).length === 0);
      const weak = allowed.filter((suite) => !hasForwardSecrecy(suite));
      const byServer = endpoint.tls.preference === 'server';
      const at = placeOf(context, effective.at === null ? endpoint.cipherListFrom : effective, endpoint);
      const common = { at, of: effective, endpoint };
      if (!byServer && weak.length > 0 && weak.length < allowed.length) {
        const value = effective.setting?.type === 'enum' ? 'server' : 'yes';
        const proposal = proposeTls(context, effective, value, endpoint);
        yield {
          ...common,
          message: 'client',
          expected: value,
          fix: proposal === null ? null : { title: `set ${effective.name} to ${value}`, ...proposal },
          data: { count: weak.length },
        };
      } else if (byServer && effective.at !== null && !isNeeded) {
        const value = effective.setting?.type === 'enum' ? 'client' : 'no';
        const proposal = proposeTls(context, effective, value, endpoint);
        yield {
          ...common,
          message: 'server',
          expected: value,
          fix: proposal === null ? null : { title: `set ${effective.name} to ${value}`, ...proposal },
          data: { count: suites.length },
        };
      }
    }
  }
}

function isGood(suite: CipherSuite): boolean {
  return hasForwardSecrecy(suite) && isAead(suite);
}

/** Checks of the suites of Dovecot's listeners. */
export const dovecotCipherChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/ciphers': ciphers,
  'dovecot/forward-secrecy': forwardSecrecy,
  'dovecot/cipher-preference': cipherPreference,
};
