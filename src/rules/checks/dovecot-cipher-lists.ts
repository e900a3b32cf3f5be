import { proposeValue } from '../../dovecot/proposals.ts';
import type { DovecotTlsFault } from '../../dovecot/server-tls.ts';
import { compareProtocols } from '../../model/protocol.ts';
import { readCipherString } from '../../tls/cipher-string.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { aboutUnknown, isUnknownName, MOST_WORDS, meantNames } from './cipher-names.ts';
import { listItems, withNames, withoutLevel } from './dovecot-cipher-text.ts';
import { isOwn } from './dovecot-common.ts';
import { floorOf } from './dovecot-protocols.ts';
import { byLine, mayJudge, proposeTls, tlsServers } from './dovecot-tls-common.ts';
import { isTemplated } from './misread-lines.ts';
import { lostBy, nearError, strayBlank } from './stray-blank.ts';

/**
 * The texts of `ssl_cipher_list`, `ssl_cipher_suites` and `ssl_curve_list`. Dovecot hands them to OpenSSL when
 * a client begins TLS, and does not look at them before. Sources: iostream-openssl-context.c of 2.2, 2.3 and
 * 2.4; what running servers of 2.3.13 to 2.4.5 did with them.
 */

const LIST = 'ssl_cipher_list';

function* unknownNames(context: DovecotCheckContext): Iterable<Report> {
  const { dovecot } = context;
  for (const assignment of dovecot.settings()) {
    const { name, written, form, at } = assignment;
    if (name !== LIST || (form !== 'plain' && form !== 'quoted')) continue;
    if (!isOwn(context, at) || isTemplated(written)) continue;
    const names = [...new Set(listItems(written).map((item) => item.name))].slice(0, MOST_WORDS);
    const wrong = names.filter(isUnknownName);
    if (wrong.length === 0) continue;
    const meant = meantNames(wrong);
    const value = withNames(written, meant);
    const fix: ProposedFix | null =
      meant.size === 0
        ? null
        : { title: `set ${LIST} to "${value}"`, ...proposeValue(dovecot, assignment, value) };
    yield {
      at,
      setting: name,
      actual: written,
      ...(fix === null ? {} : { expected: value }),
      fix,
      data: aboutUnknown(wrong, meant),
    };
  }
}

// Broken

/** The message for each fault that a list is to blame for. */
const BROKEN: Readonly<Partial<Record<DovecotTlsFault, string>>> = {
  'refused-cipher-string': 'refused',
  'no-cipher-left': 'empty',
  'refused-cipher-suites': 'suites',
  'refused-curves': 'curves',
  'nothing-in-common': 'nothing',
};

function* broken(context: DovecotCheckContext): Iterable<Report> {
  const openssl = context.host.releases.openssl.version;
  for (const endpoint of tlsServers(context)) {
    const { fault, cipherList, cipherListFrom } = endpoint;
    const message = fault === null ? undefined : BROKEN[fault.kind];
    if (fault !== null && message !== undefined) {
      const { at, value } = fault.in;
      if (at === null || !mayJudge(context, fault.in)) continue;
      const near = message === 'refused' ? nearError(value, cipherList) : '';
      yield { message, at, of: fault.in, endpoint, data: { near, error: cipherList.error ?? '' } };
      continue;
    }
    const { at, value } = cipherListFrom;
    const blank = strayBlank(value);
    if (at === null || blank === null || !mayJudge(context, cipherListFrom)) continue;
    const lost = lostBy(value, blank, openssl);
    if (lost === 0) continue;
    const data = { before: blank.before, after: blank.after, lost };
    yield { message: 'blank', at, of: cipherListFrom, endpoint, data };
  }
}

// Security levels

/** The level that today's libraries have by themselves gives 112 bits. */
const USUAL_LEVEL = 2;

function* levelLowered(context: DovecotCheckContext): Iterable<Report> {
  const openssl = context.host.releases.openssl.version;
  for (const { effective, endpoints } of byLine(tlsServers(context), (one) => one.cipherListFrom)) {
    const level = readCipherString(effective.value, openssl).securityLevel;
    if (effective.at === null || level === null || level >= USUAL_LEVEL || !mayJudge(context, effective))
      continue;
    const value = withoutLevel(effective.value);
    // Old protocols that the profile takes are there only at a low level.
    const isNeeded = endpoints.some((endpoint) =>
      endpoint.tls.protocols.some(
        (protocol) =>
          compareProtocols(protocol, 'TLSv1.2') < 0 &&
          compareProtocols(protocol, floorOf(context, endpoint)) >= 0,
      ),
    );
    for (const endpoint of endpoints) {
      const proposal = value === '' ? null : proposeTls(context, effective, value, endpoint);
      yield {
        at: effective.at,
        of: effective,
        endpoint,
        ...(proposal === null ? {} : { expected: value }),
        fix:
          proposal === null
            ? null
            : { title: `set ${LIST} to "${value}"`, ...proposal, ...(isNeeded ? { safe: false } : {}) },
        data: { level },
      };
    }
  }
}

/** Checks of the texts of lists. */
export const dovecotCipherListChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/cipher-unknown': unknownNames,
  'dovecot/cipherlist-broken': broken,
  'dovecot/security-level-lowered': levelLowered,
};
