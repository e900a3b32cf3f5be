import { listWords, type PostfixConfiguration } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { fixMayUse } from '../../postfix/proposals.ts';
import type { Service } from '../../postfix/services.ts';
import type { CheckContext } from '../check.ts';

/** What a client of the endpoint is offered, and when. */
export interface AuthOffer {
  readonly beforeTls: boolean;
  readonly afterTls: boolean;
}

/** Endpoints of smtpd(8). */
export function smtpdEndpoints({ endpoints }: CheckContext): readonly PostfixEndpoint[] {
  return endpoints.filter(({ side, family }) => side === 'server' && family === 'smtpd');
}

/** AUTH is neither announced nor taken where `smtpd_discard_ehlo_keywords` holds it (smtpd_sasl_proto.c). */
export function discardsAuth(postfix: PostfixConfiguration, service: Service): boolean {
  return listWords(postfix.value('smtpd_discard_ehlo_keywords', service).toLowerCase()).includes('auth');
}

/**
 * Where AUTH is offered. A fault that keeps TLS from working today (no certificate, say) is left out of
 * account: it is reported by itself, and what waits behind it should not come as a surprise when it is mended.
 */
export function authOffer(
  postfix: PostfixConfiguration,
  { sasl, auth, tls, service }: PostfixEndpoint,
): AuthOffer {
  if (!sasl || discardsAuth(postfix, service)) return { beforeTls: false, afterTls: false };
  return { beforeTls: auth.beforeTls === null, afterTls: tls.mode !== 'none' };
}

/** True where TLS is asked for and nothing is known to stop it. */
export function tlsWorks({ tls, fault }: PostfixEndpoint): boolean {
  return tls.mode !== 'none' && fault === null;
}

/**
 * A list that lets in who has logged in and nobody else. Of releases without relay restrictions, and
 * where the release is not known, it is the one for clients, which waits for RCPT TO unless
 * `smtpd_delay_reject` is off; then it would refuse before anybody could log in.
 */
export function loginOnlyList(
  postfix: PostfixConfiguration,
  service: Service,
  mynetworks: boolean,
): readonly [name: string, value: string] {
  const value = `${mynetworks ? 'permit_mynetworks,' : ''}permit_sasl_authenticated,reject`;
  const relay = 'smtpd_relay_restrictions';
  const hasRelay =
    postfix.parameter(relay) !== null &&
    (fixMayUse(postfix, 'relayRestrictions') || postfix.setting(relay, service) !== null);
  if (hasRelay) return [relay, value];
  return [
    postfix.isYes('smtpd_delay_reject', service)
      ? 'smtpd_client_restrictions'
      : 'smtpd_recipient_restrictions',
    value,
  ];
}
