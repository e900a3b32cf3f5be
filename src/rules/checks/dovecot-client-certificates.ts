import type { DovecotEffective } from '../../dovecot/effective.ts';
import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { inServer } from '../../dovecot/server-tls.ts';
import { pemOf } from '../../tls/pem.ts';
import type { DovecotCheck, DovecotCheckContext, Report } from '../check.ts';
import { mayJudge, tlsServers } from './dovecot-tls-common.ts';

/**
 * Certificates of users. Facts: dovecot-tls §1 and §2; login-common's client-common-auth.c and
 * iostream-openssl-context.c of 2.2, 2.3 and 2.4. That nothing vouches for a certificate that is asked for
 * (verification without a CA) stops Dovecot, and is the matter of dovecot/bad-value.
 */

/** The settings of a listener that speak of clients' certificates. */
interface Asked {
  /** `ssl_verify_client_cert`, since 2.4 `ssl_server_request_client_cert`. */
  readonly request: DovecotEffective;
  readonly authority: DovecotEffective;
  readonly needsList: boolean;
  readonly required: DovecotEffective;
  readonly names: DovecotEffective;
}

function askedBy({ dovecot }: DovecotCheckContext, { context: connection }: DovecotServerEndpoint): Asked {
  const get = (...names: readonly [string, ...string[]]): DovecotEffective => {
    const name = names.find((one) => dovecot.table.get(one) !== null) ?? names[0];
    return dovecot.get(name, inServer(dovecot, connection));
  };
  return {
    request: get('ssl_server_request_client_cert', 'ssl_verify_client_cert'),
    authority: get('ssl_server_ca_file', 'ssl_ca'),
    needsList: isYes(get('ssl_server_require_crl', 'ssl_require_crl')),
    required: get('auth_ssl_require_client_cert'),
    names: get('auth_ssl_username_from_cert'),
  };
}

function isYes({ value }: DovecotEffective): boolean {
  return /^(?:yes|y|1)$/i.test(value);
}

function* clientCertificates(context: DovecotCheckContext): Iterable<Report> {
  for (const endpoint of tlsServers(context).filter(({ sasl }) => sasl)) {
    const asked = askedBy(context, endpoint);
    const found = messageFor(context, asked);
    if (found === null || found.of.at === null || !mayJudge(context, found.of)) continue;
    const { message, of } = found;
    const data = {
      request: asked.request.name,
      authority: asked.authority.name,
      file: asked.authority.path ?? '',
    };
    yield { message, at: of.at ?? found.of.at, of, endpoint, data };
  }
}

function messageFor(
  context: DovecotCheckContext,
  { request, authority, needsList, required, names }: Asked,
): { readonly message: string; readonly of: DovecotEffective } | null {
  const isAsked = isYes(request) || request.value === 'any-cert';
  if (!isAsked && isYes(required)) return { message: 'not-asked', of: required };
  if (!isAsked && isYes(names)) return { message: 'no-names', of: names };
  if (!isAsked) return null;
  // 2.4: one that nothing vouches for is taken, and then counts as none.
  if (request.value === 'any-cert' && authority.value === '' && isYes(required))
    return { message: 'no-authority', of: required };
  if (isYes(names) && !isYes(required)) return { message: 'names-optional', of: names };
  const source = authority.path === null ? null : context.host.input.open(authority.path);
  if (isYes(request) && needsList && source !== null && pemOf(source).crls === 0)
    return { message: 'no-list', of: authority };
  return null;
}

/** Checks of users' certificates. */
export const dovecotClientCertificateChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/client-certificate': clientCertificates,
};
