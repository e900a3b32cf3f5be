/** What runs against what the files say. Pure: both sides are given. */
import type { Endpoint, EndpointAuth, OfferedCipher, TlsMode } from '../model/endpoint.ts';
import type { Protocol } from '../model/protocol.ts';
import { isLoopbackAddress } from './addresses.ts';
import type { Preference } from './elimination.ts';
import type { ProbedEndpoint } from './endpoint.ts';
import { type Family, SUITES } from './suites.ts';

/** A listener as the files say it. */
export interface ConfiguredPort {
  readonly endpoint: Endpoint;
  /** Its greeting; a part that only the running machine knows, such as its name, is null. Null: not known at all. */
  readonly greeting: readonly (string | null)[] | null;
  /** Nobody said for which release the files are. */
  readonly assumed: boolean;
}

/** One thing in which both differ. `extra` is seen and not in the files, `missing` the other way round. */
export type Difference =
  /** The files open no such port. */
  | { readonly what: 'listener' }
  /** The files open the port and nothing answers. */
  | { readonly what: 'silence' }
  | { readonly what: 'greeting'; readonly files: string; readonly running: string }
  | { readonly what: 'mode'; readonly files: TlsMode; readonly running: TlsMode }
  | { readonly what: 'protocols'; readonly extra: readonly Protocol[]; readonly missing: readonly Protocol[] }
  | {
      readonly what: 'suites';
      readonly protocol: Protocol;
      readonly extra: readonly string[];
      readonly missing: readonly string[];
    }
  | {
      readonly what: 'preference';
      readonly protocol: Protocol;
      readonly files: Preference;
      readonly running: Preference;
    }
  /** The suite that a server picks that decides. */
  | { readonly what: 'first'; readonly protocol: Protocol; readonly files: string; readonly running: string }
  | { readonly what: 'keys'; readonly files: readonly string[]; readonly running: readonly string[] }
  | {
      readonly what: 'auth';
      readonly when: 'before' | 'after';
      /** Null: some mechanisms, the authentication server knows which. */
      readonly files: readonly string[] | null;
      readonly running: readonly string[];
    };

/** What may be behind the differences. */
export type Reason = 'not-running' | 'not-reloaded' | 'other-listener' | 'system-policy' | 'assumed-release';

/** All that differs on one port. */
export interface Comparison {
  /** The endpoint of the files; null where they have none for the port. */
  readonly endpoint: string | null;
  readonly differences: readonly Difference[];
  /** The likeliest first; none where nothing differs. */
  readonly reasons: readonly Reason[];
}

/**
 * Compares a port with the listeners that files have for it. Of several that one socket may lead to (an
 * smtpd behind postscreen) the one counts that differs least.
 */
export function comparePort(seen: ProbedEndpoint, configured: readonly ConfiguredPort[]): Comparison {
  const silent = seen.remoteAddress === null;
  const found = configured
    .filter(({ endpoint }) => isListenerOf(endpoint, seen))
    .map((port) => {
      const differences = silent ? [{ what: 'silence' } as const] : differencesOf(seen, port);
      return { endpoint: port.endpoint.id, differences, reasons: reasonsOf(differences, port.assumed) };
    })
    .sort((a, b) => a.differences.length - b.differences.length);
  const [best] = found;
  if (best !== undefined) return best;
  // What the files do not open and nothing answers on is as it should be.
  if (silent) return { endpoint: null, differences: [], reasons: [] };
  return { endpoint: null, differences: [{ what: 'listener' }], reasons: ['other-listener'] };
}

/** Whether a listener of the files is bound to the address and the port that were looked at. */
function isListenerOf({ side, address, port }: Endpoint, seen: ProbedEndpoint): boolean {
  if (side !== 'server' || port !== seen.port) return false;
  const wanted = seen.remoteAddress ?? seen.address;
  return address
    .split(/[\s,]+/)
    .map((one) => one.replace(/^\[(.*)\]$/, '$1'))
    .some(
      (one) =>
        ['*', '::', '0.0.0.0', 'all'].includes(one) ||
        one === wanted ||
        one === seen.address ||
        (['localhost', 'loopback-only'].includes(one) && isLoopbackAddress(wanted)),
    );
}

function differencesOf(seen: ProbedEndpoint, { endpoint, greeting }: ConfiguredPort): Difference[] {
  const found: Difference[] = [];
  // Before the greeting itself postscreen may send a line to test the client.
  const line = seen.greeting?.split('\n').at(-1)?.trimEnd().slice(0, LONGEST_GREETING) ?? null;
  if (greeting !== null && line !== null && !fits(line, greeting))
    found.push({
      what: 'greeting',
      files: `220 ${greeting.map((part) => part ?? '…').join('')}`,
      running: line,
    });
  const { mode } = endpoint.tls;
  // Outside SMTP and LMTP no answer tells whether TLS is only offered.
  const toldApart = seen.speaks === 'smtp' || seen.speaks === 'lmtp';
  const loose = (of: TlsMode): TlsMode => (of === 'required' && !toldApart ? 'opportunistic' : of);
  if (loose(mode) !== loose(seen.tls.mode)) found.push({ what: 'mode', files: mode, running: seen.tls.mode });
  found.push(...tlsDifferences(seen, endpoint));
  found.push(
    ...authDifferences(seen.auth, endpoint.auth).filter(
      ({ when }) => when === 'after' || !isAtHome(seen, endpoint),
    ),
  );
  return found;
}

/** A line of SMTP has no more (RFC 5321 §4.5.3.1.5), and a longer one would be slow to compare. */
const LONGEST_GREETING = 512;

/** Whether a text has the known parts of a greeting in their order, and nothing else beside the unknown ones. */
function fits(text: string, parts: readonly (string | null)[]): boolean {
  const escaped = parts.map((part) =>
    part === null ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+'),
  );
  return new RegExp(`^220[ -]${escaped.join('')}$`).test(text);
}

function tlsDifferences(seen: ProbedEndpoint, { tls }: Endpoint): Difference[] {
  const found: Difference[] = [];
  if ((tls.mode === 'none') !== (seen.tls.mode === 'none')) return [];
  const extra = seen.tls.protocols.filter((protocol) => !tls.protocols.includes(protocol));
  // What was not asked to the end may be there all the same.
  const missing = seen.complete ? tls.protocols.filter((name) => !seen.tls.protocols.includes(name)) : [];
  if (extra.length + missing.length > 0) found.push({ what: 'protocols', extra, missing });
  const keys = [...new Set(seen.certificates.flatMap(({ keyType }) => keyType ?? []))];
  const filesKeys = tls.keyTypes ?? null;
  if (filesKeys !== null && seen.tls.protocols.length > 0 && !sameSet(keys, filesKeys))
    found.push({ what: 'keys', files: filesKeys, running: keys });
  if (tls.ciphers === undefined) return found;
  // Where the files do not tell the keys, the suites of both kinds are in the list.
  const possible = filesKeys === null ? tls.ciphers.filter(({ name }) => suitsKeys(name, keys)) : tls.ciphers;
  for (const protocol of seen.tls.protocols) {
    if (!tls.protocols.includes(protocol)) continue;
    const running = namesOf(seen.tls.ciphers, protocol);
    const files = namesOf(possible, protocol);
    const more = running.filter((name) => !files.includes(name));
    const fewer = seen.complete ? files.filter((name) => !running.includes(name)) : [];
    if (more.length + fewer.length > 0) found.push({ what: 'suites', protocol, extra: more, missing: fewer });
    const decides = seen.preference[protocol];
    if (tls.preference === undefined || decides === undefined) continue;
    if (tls.preference !== decides)
      found.push({ what: 'preference', protocol, files: tls.preference, running: decides });
    else if (decides === 'server' && more.length + fewer.length === 0 && files[0] !== running[0])
      found.push({ what: 'first', protocol, files: files[0] ?? '', running: running[0] ?? '' });
  }
  return found;
}

function namesOf(ciphers: readonly OfferedCipher[], protocol: Protocol): string[] {
  return ciphers.filter((cipher) => cipher.protocol === protocol).map(({ name }) => name);
}

/** Key types that a server needs for suites of a family; families that are not named need none. */
const FAMILY_KEYS: Readonly<Partial<Record<Family, readonly string[]>>> = {
  'ECDHE-ECDSA': ['ECDSA', 'Ed25519', 'Ed448'],
  'ECDHE-RSA': ['RSA'],
  DHE: ['RSA'],
  RSA: ['RSA'],
  DSS: ['DSA'],
};

function suitsKeys(name: string, keys: readonly string[]): boolean {
  const family = SUITES.find((suite) => suite.name === name)?.family;
  const needed = family === undefined ? undefined : FAMILY_KEYS[family];
  return needed === undefined || keys.some((key) => needed.includes(key));
}

/** Dovecot takes a connection from its own address for secured, whatever the files say of TLS. */
function isAtHome({ localAddress, remoteAddress }: ProbedEndpoint, { server }: Endpoint): boolean {
  return server === 'dovecot' && localAddress !== null && localAddress === remoteAddress;
}

type AuthDifference = Extract<Difference, { readonly what: 'auth' }>;

function authDifferences(seen: EndpointAuth, files: EndpointAuth): AuthDifference[] {
  return (['before', 'after'] as const).flatMap((when): AuthDifference[] => {
    const running = when === 'before' ? seen.beforeTls : seen.afterTls;
    const expected = when === 'before' ? files.beforeTls : files.afterTls;
    // Nobody was told anything.
    if (running === null) return [];
    const same = expected === null ? running.length > 0 : sameSet(running, expected);
    return same ? [] : [{ what: 'auth', when, files: expected, running }];
  });
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a.map((name) => name.toUpperCase()));
  const right = new Set(b.map((name) => name.toUpperCase()));
  return left.size === right.size && [...left].every((name) => right.has(name));
}

function reasonsOf(differences: readonly Difference[], assumed: boolean): Reason[] {
  if (differences.length === 0) return [];
  if (differences.some(({ what }) => what === 'silence')) return ['not-running'];
  const reasons: Reason[] = [];
  if (differences.some(({ what }) => what === 'greeting')) reasons.push('other-listener');
  const own = differences.filter(({ what }) => what !== 'greeting');
  if (own.length > 0) reasons.push('not-reloaded');
  const narrower = own.some(
    (difference) =>
      (difference.what === 'protocols' || difference.what === 'suites') && difference.missing.length > 0,
  );
  if (narrower) reasons.push('system-policy');
  // Greetings and keys are the same in all releases.
  const hangsOnRelease = own.some(({ what }) =>
    ['protocols', 'suites', 'preference', 'first'].includes(what),
  );
  if (assumed && hangsOnRelease) reasons.push('assumed-release');
  return reasons;
}
