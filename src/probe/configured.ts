import type { Host } from '../hosts/host.ts';
import type { PostfixEndpoint } from '../postfix/endpoints.ts';
import type { ConfiguredPort } from './compare.ts';

/** The listeners of a host, with what a probe can hold against them. */
export function configuredPorts({ postfix, dovecot, releases }: Host): readonly ConfiguredPort[] {
  const assumed = (server: 'postfix' | 'dovecot'): boolean =>
    [releases[server], releases.openssl].some(({ versionFrom }) =>
      ['assumed', 'implied'].includes(versionFrom),
    );
  const listeners = (postfix?.endpoints ?? []).filter(({ side }) => side === 'server');
  return [
    ...listeners.map((endpoint) => ({
      endpoint,
      greeting: greetingOf(endpoint, (name) => postfix?.configuration.value(name, endpoint.service) ?? ''),
      assumed: assumed('postfix'),
    })),
    ...(dovecot?.endpoints ?? [])
      .filter(({ side }) => side === 'server')
      .map((endpoint) => ({ endpoint, greeting: null, assumed: assumed('dovecot') })),
  ];
}

/** A parameter in a value that only the running machine can fill in, such as its own name. */
const UNKNOWN = /\$\{\w+\}|\$\(\w+\)|\$\w+/;

/**
 * What the server greets with, split where the machine fills in something. The release of Postfix is such a
 * thing too: the files do not tell it.
 */
function greetingOf(
  { service }: PostfixEndpoint,
  value: (name: string) => string,
): readonly (string | null)[] | null {
  // postscreen greets for the smtpd behind it.
  if (service.program !== 'smtpd' && service.program !== 'postscreen') return null;
  const banner = value('smtpd_banner');
  if (banner.trim() === '') return null;
  const version = value('mail_version');
  const parts: (string | null)[] = [];
  let rest = version === '' ? banner : banner.replaceAll(version, '$mail_version');
  for (let found = UNKNOWN.exec(rest); found !== null; found = UNKNOWN.exec(rest)) {
    parts.push(rest.slice(0, found.index), null);
    rest = rest.slice(found.index + found[0].length);
  }
  return [...parts, rest];
}
