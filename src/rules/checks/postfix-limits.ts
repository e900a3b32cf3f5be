import { type Effective, listWords } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import type { Service } from '../../postfix/services.ts';
import type { Location } from '../../text/source.ts';
import type { Check, CheckContext, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import { endpointPhrase } from '../messages.ts';
import { isTold, publicSmtpd, sharedPlace } from './postfix-hygiene.ts';
import { discardsAuth } from './smtpd-auth.ts';

/**
 * Limits that anvil(8) counts for smtpd(8), by client address and `anvil_rate_time_unit`: 0 is none. The
 * one for AUTH came with 3.1. Sources: smtpd.c (smtpd_proto, smtpd_sasl_proto.c), anvil.c,
 * anvil_clnt.c: where anvil does not answer, nothing is counted.
 */

const AUTH_RATE = 'smtpd_client_auth_rate_limit';
const CONNECTION_RATE = 'smtpd_client_connection_rate_limit';
const CONNECTIONS = 'smtpd_client_connection_count_limit';
const EXCEPTIONS = 'smtpd_client_event_limit_exceptions';

/** Settings beside which the limits stand in a main.cf that comes alone. */
const KIN = ['smtpd_sasl_auth_enable', 'smtpd_sasl_path', 'smtpd_recipient_restrictions'];

const rateLimits: Check = function* (context) {
  const endpoints = publicSmtpd(context);
  yield* loginAttempts(
    context,
    // Where AUTH waits for TLS only, as good as offered: who mends the one should not be surprised by the other.
    endpoints.filter(({ sasl, service }) => sasl && !discardsAuth(context.postfix, service)),
  );
  for (const endpoint of endpoints) {
    yield* connections(context, endpoint);
    yield* exceptions(context, endpoint);
  }
  yield* noAnvil(context, endpoints);
};

/**
 * A client may try passwords as fast as it can where neither its AUTH commands nor its connections are
 * counted. One finding for all ports: what is missing is missing for the host, whichever port users log in at.
 */
function* loginAttempts({ postfix }: CheckContext, endpoints: readonly PostfixEndpoint[]): Iterable<Report> {
  const name = postfix.parameter(AUTH_RATE) === null ? CONNECTION_RATE : AUTH_RATE;
  const unlimited = endpoints.filter(({ service }) =>
    [name, CONNECTION_RATE].every((limit) => {
      const of = postfix.get(limit, service);
      return isZero(of) && isTold(postfix, of);
    }),
  );
  const [first] = unlimited;
  if (first === undefined) return;
  const of = postfix.get(name, first.service);
  yield {
    message: 'logins',
    // The limit belongs to smtpd, also where postscreen stands before it.
    at: decidingPlace(postfix, of, first.service, postfix.master === null ? KIN : []),
    of,
    data: { isDefault: of.setting === null, ports: unlimited.map(endpointPhrase) },
  };
}

function isZero({ value }: Effective): boolean {
  return /^\+?0+$/.test(value);
}

function* connections({ postfix }: CheckContext, endpoint: PostfixEndpoint): Iterable<Report> {
  const of = postfix.get(CONNECTIONS, endpoint.service);
  if (of.setting === null || !isZero(of) || !isTold(postfix, of)) return;
  yield { message: 'connections', at: of.setting.at, of, endpoint };
}

/** The clients without limits are those of mynetworks; postfix/mynetworks-wide tells where those are everybody. */
function* exceptions({ postfix }: CheckContext, endpoint: PostfixEndpoint): Iterable<Report> {
  const of = postfix.get(EXCEPTIONS, endpoint.service);
  if (of.setting === null || !isTold(postfix, of)) return;
  const everybody = listWords(of.raw).find((word) =>
    /^(?:0\.0\.0\.0\/0|\[?(?:::|0:0:0:0:0:0:0:0)(?:\]\/0|\/0\]?)|static:.*)$/i.test(word),
  );
  if (everybody === undefined) return;
  yield { message: 'exceptions', at: of.setting.at, of, endpoint, data: { everybody } };
}

/** Services that are in every master.cf that can take mail: a file without them is a part of one. */
const WHOLE = ['cleanup', 'trivial-rewrite'];

function* noAnvil({ postfix }: CheckContext, endpoints: readonly PostfixEndpoint[]): Iterable<Report> {
  const { master, services } = postfix;
  const runs = (program: string): boolean => services.some((service: Service) => service.program === program);
  if (master === null || runs('anvil') || !WHOLE.every(runs)) return;
  let first: Location | null = null;
  for (const endpoint of endpoints) {
    const of = postfix.get(CONNECTIONS, endpoint.service);
    // Without any limit nobody asks for anvil.
    if (isZero(of) && isZero(postfix.get(CONNECTION_RATE, endpoint.service))) continue;
    first ??= sharedPlace(postfix, { ...of, setting: null }, endpoint);
    yield { message: 'no-anvil', at: first, endpoint };
  }
}

/** Checks of what slows down whoever tries passwords, by the name that rule files call. */
export const limitChecks: Readonly<Record<string, Check>> = {
  'postfix/rate-limits': rateLimits,
};
