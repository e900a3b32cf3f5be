import type { DovecotAssignment } from '../../dovecot/assignment.ts';
import type { DovecotEffective } from '../../dovecot/effective.ts';
import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { listedProtocols, lowestProtocolWords, protocolsOfWord } from '../../dovecot/lowest-protocol.ts';
import { proposeValue } from '../../dovecot/proposals.ts';
import { rewritingEdits } from '../../dovecot/replacement.ts';
import { settingHistory } from '../../dovecot/settings.ts';
import { compareProtocols, PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import { nearest } from '../../text/nearest.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { releaseIsKnown } from './dovecot-common.ts';
import { byLine, mayJudge, placeOf, proposeTls, tlsServers } from './dovecot-tls-common.ts';

/**
 * The protocols of listeners against the floor of the profile. Sources: iostream-openssl-common.c of 2.2, 2.3
 * and 2.4; what running servers of 2.3.13, 2.3.19.1, 2.4.1 and 2.4.5 did with each word.
 */

/** The name of the list that 2.2 has in the place of a lowest protocol. */
const LIST = 'ssl_protocols';

/** The lowest protocol that a profile asks for on an endpoint. */
export function floorOf({ profile }: DovecotCheckContext, { role }: DovecotServerEndpoint): Protocol {
  return profile.thresholds.lowestProtocol[role];
}

/** What a setting permits, oldest first; none where the release does not know what it says. */
export function permitted(
  { dovecot, host }: DovecotCheckContext,
  { name, value }: DovecotEffective,
): readonly Protocol[] {
  const openssl = host.releases.openssl.version;
  const found =
    name === LIST ? listedProtocols(value, openssl) : protocolsOfWord(value, dovecot.release, openssl);
  return found ?? [];
}

/**
 * The highest protocol up to `floor` that the release can be told as its lowest. Of a release that is only
 * assumed nothing is asked that an older one with the setting does not know: there each connection would fail.
 */
export function reachable(context: DovecotCheckContext, floor: Protocol): Protocol {
  const { release, table } = context.dovecot;
  const isList = table.get('ssl_min_protocol') === null;
  const oldest = settingHistory('ssl_min_protocol')?.introduced ?? release;
  const words = lowestProtocolWords(releaseIsKnown(context) ? release : oldest);
  const known = PROTOCOLS.filter((protocol) =>
    isList ? protocol !== PROTOCOLS.at(-1) : words.includes(protocol),
  );
  return known.findLast((protocol) => compareProtocols(protocol, floor) <= 0) ?? floor;
}

function* protocols(context: DovecotCheckContext): Iterable<Report> {
  for (const { effective, endpoints } of byLine(tlsServers(context), ({ protocolsFrom }) => protocolsFrom)) {
    if (!mayJudge(context, effective)) continue;
    const floor = endpoints
      .map((endpoint) => floorOf(context, endpoint))
      .reduce((one, other) => (compareProtocols(one, other) >= 0 ? one : other));
    const wanted = reachable(context, floor);
    for (const endpoint of endpoints) yield* reportsOn(context, endpoint, effective, wanted);
  }
}

function* reportsOn(
  context: DovecotCheckContext,
  endpoint: DovecotServerEndpoint,
  of: DovecotEffective,
  wanted: Protocol,
): Iterable<Report> {
  const at = placeOf(context, of, endpoint);
  const common = { at, of, endpoint };
  if (endpoint.fault?.kind === 'unknown-protocol') {
    const meant = meantProtocol(context, of.value, wanted);
    const fix = fixOf(context, of, meant, endpoint);
    yield {
      ...common,
      message: of.name === LIST ? 'invalid-list' : 'invalid',
      expected: textOf(of, meant),
      fix,
      data: { words: lowestProtocolWords(context.dovecot.release).filter((word) => word !== '') },
    };
    return;
  }
  const floor = floorOf(context, endpoint);
  const below = (protocol: Protocol): boolean => compareProtocols(protocol, floor) < 0;
  const accepted = endpoint.tls.protocols.filter(below);
  const allowed = permitted(context, of).filter(below);
  const [lowest] = allowed;
  if (lowest === undefined) return;
  // What nothing of the release can shut out is told, but there is nothing to write.
  const better = compareProtocols(lowest, wanted) < 0;
  const data = {
    below: accepted.length > 0 ? accepted : allowed,
    floor,
    written: of.at !== null,
    known: releaseIsKnown(context),
  };
  if (accepted.length > 0 && !better) {
    yield { ...common, message: 'release', data };
    return;
  }
  if (!better || (accepted.length === 0 && of.at === null)) return;
  yield {
    ...common,
    message: accepted.length > 0 ? 'default' : 'held',
    expected: textOf(of, wanted),
    fix: fixOf(context, of, wanted, endpoint),
    data,
  };
}

/** The value that makes a protocol the lowest: its name, or in 2.2 a list of those that are shut out. */
function textOf({ name, value, assignment }: DovecotEffective, lowest: Protocol): string {
  if (name !== LIST && assignment?.key !== LIST) return lowest;
  const older = PROTOCOLS.filter((protocol) => compareProtocols(protocol, lowest) < 0);
  // Dovecot switches SSLv2 off itself, and 2.3 does not know the word when it reads an old list.
  const named = older.filter((protocol) => protocol !== 'SSLv2' || (name === LIST && /!SSLv2/i.test(value)));
  return named.map((protocol) => `!${protocol}`).join(' ');
}

function fixOf(
  context: DovecotCheckContext,
  of: DovecotEffective,
  lowest: Protocol,
  endpoint: DovecotServerEndpoint,
): ProposedFix | null {
  const { assignment } = of;
  if (assignment !== null && assignment.key === LIST && of.name !== LIST)
    return oldListFix(context, of, assignment, lowest);
  const value = textOf(of, lowest);
  const proposal = proposeTls(context, of, value, endpoint);
  return proposal === null ? null : { title: `set ${of.name} to ${value}`, ...proposal };
}

/** 2.3 still reads the list of 2.2. Where the release is only assumed, it may be 2.2 that does. */
function oldListFix(
  context: DovecotCheckContext,
  of: DovecotEffective,
  assignment: DovecotAssignment,
  lowest: Protocol,
): ProposedFix {
  if (!releaseIsKnown(context)) {
    const value = textOf(of, lowest);
    return { title: `set ${LIST} to "${value}"`, ...proposeValue(context.dovecot, assignment, value) };
  }
  const { file, statement } = assignment;
  return {
    title: `write ${of.name} = ${lowest}`,
    edits: rewritingEdits(file, statement, { key: of.name, written: lowest }),
    writes: [`dovecot:${of.name}`],
  };
}

/** The protocol that a word most likely means, no lower than the profile wants. */
function meantProtocol(context: DovecotCheckContext, value: string, wanted: Protocol): Protocol {
  const [, minor] = /^\W*TLS\W*v?\W*1[._-]?([0-3])?\W*$/i.exec(value) ?? [];
  const typed: readonly Protocol[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
  const name = minor === undefined ? nearest(value, typed) : typed[Number(minor)];
  const meant = PROTOCOLS.find((protocol) => protocol === name);
  if (meant === undefined) return wanted;
  const known = reachable(context, meant);
  return compareProtocols(known, wanted) > 0 ? known : wanted;
}

/** Checks of the protocols of Dovecot's listeners. */
export const dovecotProtocolChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/protocols': protocols,
};
