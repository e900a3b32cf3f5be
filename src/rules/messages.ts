import type { DovecotHost, Host, PostfixHost } from '../hosts/host.ts';
import { perServer } from '../hosts/per-server.ts';
import { nexthopOf, type PostfixEndpoint } from '../postfix/endpoints.ts';
import type { JudgedEndpoint } from './check.ts';

/** A compiled template: typed data in, a sentence out. */
export type Template = (data: Readonly<Record<string, unknown>>) => string;

/** "a", "a and b", "a, b and c". */
export function andList(words: readonly string[]): string {
  if (words.length <= 1) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Handlebars helpers that message templates may use. */
export const TEMPLATE_HELPERS: Readonly<Record<string, (...words: unknown[]) => unknown>> = {
  /** `{{list names}}`: an enumeration with "and". */
  list: (words: unknown) => andList(Array.isArray(words) ? words.map(String) : [String(words)]),
  /** `{{quote value}}`: a value in quotation marks that show an empty one. */
  quote: (value: unknown) => `"${String(value)}"`,
  /** `{{plural count "port" "ports"}}` */
  plural: (count: unknown, one: unknown, many: unknown) => (Number(count) === 1 ? one : many),
  eq: (a: unknown, b: unknown) => a === b,
};

/** How a report names an endpoint: "port 587 (submission/inet)", "deliveries by relay/unix to [mail.example.com]:587". */
export function endpointPhrase(endpoint: JudgedEndpoint): string {
  return endpoint.server === 'postfix' ? postfixPhrase(endpoint) : dovecotPhrase(endpoint);
}

/** What reports and fingerprints want of an endpoint, as plain data. */
export interface EndpointBrief extends Pick<JudgedEndpoint, 'side' | 'role'> {
  /** What it is called in a sentence. */
  readonly phrase: string;
}

const briefsOf = perServer(({ endpoints }: PostfixHost | DovecotHost) => {
  const briefs = new Map<string, EndpointBrief>();
  for (const endpoint of endpoints) {
    const { id, side, role } = endpoint;
    if (!briefs.has(id)) briefs.set(id, { side, role, phrase: endpointPhrase(endpoint) });
  }
  return briefs;
});

/** The endpoint of a host that has an id, the first where several have; undefined where none has. */
export function briefOf({ postfix, dovecot }: Host, id: string): EndpointBrief | undefined {
  const ofPostfix = postfix === null ? undefined : briefsOf(postfix).get(id);
  return ofPostfix ?? (dovecot === null ? undefined : briefsOf(dovecot).get(id));
}

function dovecotPhrase({ id, port }: JudgedEndpoint): string {
  return port === null ? id : `port ${port} (${id})`;
}

function postfixPhrase(endpoint: PostfixEndpoint): string {
  if (endpoint.side === 'client') {
    const to = nexthopOf(endpoint) ?? 'other servers';
    return `deliveries by ${endpoint.service.id} to ${to}`;
  }
  if (endpoint.service.assumed) return 'any service with mandatory TLS (such as submission)';
  if (endpoint.port === null) return endpoint.id;
  const where = endpoint.public || endpoint.port === null ? '' : `${endpoint.address} `;
  return `${where}port ${endpoint.port} (${endpoint.id})`;
}

/**
 * Options for every message template: no HTML escaping, a missing variable is an error, and only the
 * helpers that exist.
 */
export const TEMPLATE_OPTIONS = {
  noEscape: true,
  strict: true,
  knownHelpersOnly: true,
  knownHelpers: Object.fromEntries(Object.keys(TEMPLATE_HELPERS).map((name) => [name, true])),
} as const;

/** What every message may name, whatever its rule. */
export const MESSAGE_DATA = [
  'endpoints',
  'setting',
  'actual',
  'expected',
  'release',
  'openssl',
  'profile',
] as const;
