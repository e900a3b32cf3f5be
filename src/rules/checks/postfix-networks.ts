import { addressIn, addressText } from '../../postfix/addresses.ts';
import { admission, uses } from '../../postfix/admission.ts';
import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { type NetworkFault, type NetworkPattern, networkList } from '../../postfix/networks.ts';
import { proposeSetting } from '../../postfix/proposals.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import {
  bridgeGateway,
  meantPattern,
  replacedPattern,
  type Width,
  widthOf,
  withoutPattern,
} from './network-patterns.ts';
import { relayVerdicts } from './postfix-open-relay.ts';
import { isSettled } from './restriction-lists.ts';
import { smtpdEndpoints } from './smtpd-auth.ts';

/** Lists of networks that trust more than they should, and patterns that break every lookup. */

const MYNETWORKS = 'mynetworks';
const LOCAL = '127.0.0.0/8 [::1]/128';
const PERMIT_MYNETWORKS: ReadonlySet<string> = new Set(['permit_mynetworks']);

const mynetworksWide: Check = function* (context) {
  const { postfix } = context;
  if (postfix.main === null) return;
  const reported = reportedAsOpen(context);
  for (const endpoint of smtpdEndpoints(context)) {
    const { service } = endpoint;
    if (service.assumed) continue;
    const list = networkList(postfix, MYNETWORKS, service);
    const of = list.effective;
    if (of.setting === null) {
      if (endpoint.public && trusts(postfix, endpoint)) yield* styleOf(postfix, endpoint);
      continue;
    }
    if (!isSettled(of)) continue;
    for (const pattern of list.patterns) {
      const place = pattern.at ?? decidingPlace(postfix, of, service);
      if (pattern.fault !== null) {
        yield { at: place, of, endpoint, ...brokenPattern(postfix, endpoint, pattern) };
        continue;
      }
      const width = widthOf(pattern, list);
      if (width === null || width === 'private' || reported.has(pattern)) continue;
      if (!endpoint.public || !trusts(postfix, endpoint) || refusesAll(postfix, endpoint, pattern)) continue;
      const gateway = bridgeGateway(pattern);
      yield {
        message: width,
        at: place,
        of,
        endpoint,
        data: { pattern: pattern.text, gateway },
        fix: narrowed(postfix, endpoint, pattern, width, gateway),
      };
    }
  }
};

/** Patterns that postfix/open-relay names. */
function reportedAsOpen(context: CheckContext): ReadonlySet<NetworkPattern> {
  return new Set(
    relayVerdicts(context).flatMap(({ verdict }) =>
      verdict.kind === 'open' && verdict.opening.network !== null ? [verdict.opening.network] : [],
    ),
  );
}

/** Whether mynetworks counts for a service, as far as its lists are known. */
function trusts(postfix: PostfixConfiguration, { service }: PostfixEndpoint): boolean {
  return (
    uses(postfix, service, PERMIT_MYNETWORKS) || postfix.setting('smtpd_relay_restrictions', service) === null
  );
}

/** Whether a client of the network, who has not logged in, gets no mail to other domains through all the same. */
function refusesAll(
  postfix: PostfixConfiguration,
  { service }: PostfixEndpoint,
  { network }: NetworkPattern,
): boolean {
  if (network === null) return false;
  const person = {
    address: addressText(addressIn(network, network.length < network.bits ? 1n : 0n)),
    name: 'unknown',
    helo: 'client.example',
    sender: 'sender@client.example',
    recipient: 'somebody@elsewhere.example',
    tls: true,
  };
  const visitor = { login: false, certificate: false, recipient: 'foreign', person } as const;
  const { accepted, mayPermit } = admission(postfix, service, visitor);
  return !accepted && mayPermit.length === 0;
}

/** `class` makes the /8, /16 or /24 of each address of the host one's own. */
function* styleOf(postfix: PostfixConfiguration, endpoint: PostfixEndpoint): Iterable<Report> {
  const of = postfix.get('mynetworks_style', endpoint.service);
  if (of.setting === null || of.value !== 'class') return;
  yield {
    message: 'class',
    at: of.setting.at,
    of,
    endpoint,
    expected: 'host',
    fix: {
      title: 'set mynetworks_style to host',
      ...proposeSetting(postfix, of.name, 'host', [endpoint.service], 'main'),
    },
  };
}

const FAULT_MESSAGES: Readonly<Record<NetworkFault, string>> = {
  'host-bits': 'hostBits',
  'bad-network': 'badNetwork',
  'no-brackets': 'noBrackets',
  fatal: 'fatal',
  'broken-table': 'brokenTable',
};

function brokenPattern(
  postfix: PostfixConfiguration,
  { service }: PostfixEndpoint,
  pattern: NetworkPattern,
): Pick<Report, 'message' | 'data' | 'fix'> {
  const fault = pattern.fault ?? 'bad-network';
  const meant = meantPattern(pattern);
  const of = postfix.get(MYNETWORKS, service);
  return {
    message: FAULT_MESSAGES[fault],
    data: { pattern: pattern.text, meant },
    fix:
      meant === null
        ? null
        : replacedPattern(
            postfix,
            of,
            pattern,
            `${pattern.negated ? '!' : ''}${meant}`,
            LOCAL,
            `write ${meant} in place of ${pattern.text}`,
          ),
  };
}

function narrowed(
  postfix: PostfixConfiguration,
  { service }: PostfixEndpoint,
  pattern: NetworkPattern,
  width: Width,
  gateway: string | null,
): ProposedFix | null {
  const of = postfix.get(MYNETWORKS, service);
  if (width === 'everybody' || width === 'public') return withoutPattern(postfix, of, pattern, LOCAL);
  if (gateway === null) return null;
  return replacedPattern(
    postfix,
    of,
    pattern,
    `!${gateway} ${pattern.text}`,
    LOCAL,
    `shut ${gateway} out of ${pattern.text}`,
  );
}

const XCLIENT_LISTS = ['smtpd_authorized_xclient_hosts', 'smtpd_authorized_xforward_hosts'] as const;

const xclient: Check = function* (context) {
  const { postfix } = context;
  if (postfix.main === null) return;
  for (const endpoint of smtpdEndpoints(context)) {
    const { service } = endpoint;
    if (service.assumed || !endpoint.public) continue;
    for (const name of XCLIENT_LISTS) {
      const list = networkList(postfix, name, service);
      const of = list.effective;
      if (of.setting === null || !isSettled(of)) continue;
      const forwards = name === 'smtpd_authorized_xforward_hosts';
      for (const pattern of list.patterns) {
        const width = widthOf(pattern, list);
        // XFORWARD changes what is logged: neighbours that write another name there are no danger.
        if (width === null || (forwards && width !== 'everybody' && width !== 'public')) continue;
        yield {
          message: forwards
            ? 'xforward'
            : width === 'private' || width === 'bridgePool'
              ? 'private'
              : 'default',
          at: pattern.at ?? decidingPlace(postfix, of, service),
          of,
          endpoint,
          data: { pattern: pattern.text, everybody: width === 'everybody', bridge: width === 'bridge' },
          fix: withoutPattern(postfix, of, pattern, ''),
        };
      }
    }
  }
};

/** Checks of lists of networks, by rule id. */
export const networkChecks: Readonly<Record<string, Check>> = {
  'postfix/mynetworks-wide': mynetworksWide,
  'postfix/xclient': xclient,
};
