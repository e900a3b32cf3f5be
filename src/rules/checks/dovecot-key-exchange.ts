import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { proposeRemoval } from '../../dovecot/proposals.ts';
import type { Protocol } from '../../model/protocol.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { listItems, withExclusions } from './dovecot-cipher-text.ts';
import { releaseIsKnown } from './dovecot-common.ts';
import { floorOf, permitted, reachable } from './dovecot-protocols.ts';
import { byLine, mayJudge, placeOf, proposeTls, tlsServers } from './dovecot-tls-common.ts';

/**
 * Diffie-Hellman parameters of listeners. Facts: dovecot-tls §2; iostream-openssl-context.c and
 * iostream-openssl-params.c of 2.2, 2.3 and 2.4, and running servers of 2.3.13 to 2.4.5.
 */

/** The item that stands for ephemeral Diffie-Hellman in every OpenSSL. */
const EPHEMERAL = 'kEDH';

/** Settings of TLS that ended with 2.2. */
const OLD_WORDS: ReadonlySet<string> = new Set([
  'ssl_protocols',
  'ssl_dh_parameters_length',
  'ssl_parameters_regenerate',
]);

/** How many suites of the list need parameters. */
function suitesWithDh({ cipherList }: DovecotServerEndpoint): number {
  return cipherList.suites.filter(({ keyExchange }) => keyExchange === 'DH').length;
}

/** TLSv1.3 has groups of its own. */
function isNewest(protocol: Protocol): boolean {
  return protocol === 'TLSv1.3';
}

/** False where the profile leaves nothing but TLSv1.3: what older protocols need goes with them. */
function isJudged(context: DovecotCheckContext, endpoint: DovecotServerEndpoint): boolean {
  return !isNewest(reachable(context, floorOf(context, endpoint)));
}

function* parameters(context: DovecotCheckContext): Iterable<Report> {
  const length = context.dovecot.table.get('ssl_dh_parameters_length');
  if (length !== null) yield* lengths(context);
  const { least, asked } = context.profile.thresholds.dhBits;
  for (const endpoint of tlsServers(context)) {
    const { dh, dhFrom, fault } = endpoint;
    if (dhFrom === null) continue;
    if (dh.bits === null && dh.fault === null) {
      yield* missing(context, endpoint);
      continue;
    }
    if (dhFrom.at === null || !mayJudge(context, dhFrom)) continue;
    const data = { bits: dh.bits, least, asked, suites: suitesWithDh(endpoint) };
    const common = { at: dhFrom.at, of: dhFrom, endpoint, fix: removal(endpoint), data };
    if (dh.fault === 'no-content') yield { ...common, message: 'unreadable' };
    else if (typeof dh.bits !== 'number') continue;
    else if (fault?.kind === 'small-dh') yield { ...common, message: 'refused' };
    else if (!isJudged(context, endpoint)) continue;
    else if (dh.bits < least) yield { ...common, message: 'weak' };
    else if (dh.bits < asked) yield { ...common, message: 'small' };
  }
}

/** A name that stands for ephemeral Diffie-Hellman, alone or with others. */
const NAMED = /(?:^|\+)k?(?:DHE|EDH|DH)(?:$|[-+])/;

/**
 * A list of somebody's own names what the server has no parameters for. `ALL` and `HIGH` hold such suites by
 * the way, as the list of Dovecot itself does for whoever sets parameters.
 */
function* missing(context: DovecotCheckContext, endpoint: DovecotServerEndpoint): Iterable<Report> {
  const { cipherList, cipherListFrom, protocolsFrom } = endpoint;
  const suites = suitesWithDh(endpoint);
  if (suites === 0 || cipherListFrom.at === null || !mayJudge(context, cipherListFrom)) return;
  if (!isJudged(context, endpoint) || permitted(context, protocolsFrom).every(isNewest)) return;
  if (mayMakeItsOwn(context)) return;
  const items = listItems(cipherListFrom.value);
  if (!items.some(({ operator, name }) => operator === '' && NAMED.test(name))) return;
  const only = suites === cipherList.suites.length;
  const value = withExclusions(cipherListFrom.value, [EPHEMERAL]);
  const proposal = only ? null : proposeTls(context, cipherListFrom, value, endpoint);
  yield {
    message: only ? 'only' : 'missing',
    at: cipherListFrom.at,
    of: cipherListFrom,
    endpoint,
    ...(proposal === null ? {} : { expected: value }),
    fix: proposal === null ? null : { title: `set ${cipherListFrom.name} to "${value}"`, ...proposal },
    data: { suites, parameters: endpoint.dhFrom?.name ?? '' },
  };
}

/** Files in the words of 2.2, which makes its parameters itself: where the release is only assumed, it may be that one. */
function mayMakeItsOwn(context: DovecotCheckContext): boolean {
  if (releaseIsKnown(context)) return false;
  return context.dovecot.tree.statements.some(
    ({ statement }) => statement.kind === 'setting' && OLD_WORDS.has(statement.key),
  );
}

/** Without parameters the suites with ECDHE stay; where there are none, somebody has to make better ones. */
function removal({ dhFrom, cipherList }: DovecotServerEndpoint): ProposedFix | null {
  const assignment = dhFrom?.assignment ?? null;
  const others = cipherList.suites.some(({ keyExchange }) => keyExchange === 'ECDH');
  return assignment === null || !others
    ? null
    : { title: `remove ${assignment.key}`, ...proposeRemoval(assignment) };
}

/** 2.2 makes the parameters itself, with as many bits as a setting says. */
function* lengths(context: DovecotCheckContext): Iterable<Report> {
  const { asked, least } = context.profile.thresholds.dhBits;
  const of = context.dovecot.get('ssl_dh_parameters_length');
  const bits = Number(of.value);
  if (!mayJudge(context, of) || !(bits < asked)) return;
  for (const { endpoints } of byLine(tlsServers(context), () => of)) {
    for (const endpoint of endpoints) {
      if (suitesWithDh(endpoint) === 0) continue;
      const proposal = proposeTls(context, of, String(asked), endpoint);
      yield {
        message: 'length',
        at: placeOf(context, of, endpoint),
        of,
        endpoint,
        expected: String(asked),
        fix: proposal === null ? null : { title: `set ${of.name} to ${asked}`, ...proposal },
        data: { bits, least, asked, written: of.at !== null },
      };
    }
  }
}

/** Checks of the key exchange of Dovecot's listeners. */
export const dovecotKeyExchangeChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/dh-parameters': parameters,
};
