import type { Release } from '../model/release.ts';
import { hasFeature } from './parameters.ts';
import { parseProtocolList } from './protocol-list.ts';
import { splitNameValue } from './syntax/name-value.ts';

/**
 * What `smtp_tls_policy_maps` gives for a destination: `level name=value …`, and the words of its
 * predecessor `smtp_tls_per_site`. Facts: postfix-tls §5; smtp_tls_policy.c tls_policy_lookup_one() of
 * 2.11 to 3.12, smtp_session.c of 2.6.
 */

/** Levels of the client, weakest first (tls_level.c). */
export const CLIENT_LEVELS = [
  'none',
  'may',
  'encrypt',
  'fingerprint',
  'dane',
  'dane-only',
  'verify',
  'secure',
] as const;

/** A level of the client. */
export type ClientLevel = (typeof CLIENT_LEVELS)[number];

/** What can be wrong with a policy. But for `ignored-attribute`, no mail leaves for the destination. */
export type TlsPolicyCode =
  /** No level at all. */
  | 'empty-policy'
  | 'bad-level'
  /** A level or an attribute that a newer release knows. */
  | 'too-new'
  | 'missing-equals'
  | 'missing-name'
  /** `{ name = value` without its end. */
  | 'unclosed-brace'
  /** `{ name = value }x` */
  | 'text-after-brace'
  | 'unknown-attribute'
  /** An attribute that may stand only once. */
  | 'repeated-attribute'
  /** `match` and `tafile` where nothing is compared. */
  | 'attribute-not-at-level'
  /** An attribute that must not be empty. */
  | 'empty-value'
  | 'bad-protocols'
  | 'bad-grade'
  /** `exclude=!NAME`: `!`, `+`, `-` and `@` may not begin an exclusion. */
  | 'bad-exclusion'
  | 'bad-hostname'
  /** Neither yes nor no, no number, none of the words of RFC 8460. */
  | 'bad-value'
  /** What describes a policy from outside, without `policy_type`. */
  | 'missing-policy-type'
  /** Attributes at level none: the server says so and goes on. */
  | 'ignored-attribute';

/** Something wrong with a policy. */
export interface TlsPolicyProblem {
  readonly code: TlsPolicyCode;
  /** Offset in the value. */
  readonly at: number;
  /** The word that is wrong. */
  readonly detail: string;
}

/** `name=value` of a policy. */
export interface TlsPolicyAttribute {
  /** In lower case: names are compared so. */
  readonly name: string;
  readonly value: string;
  /** Offset of the name in the policy. */
  readonly at: number;
  /** Offset of the value in the policy. */
  readonly valueAt: number;
}

/** A policy for a destination. */
export interface TlsPolicy {
  /** Null when there is none, or when the release has no such level. */
  readonly level: ClientLevel | null;
  readonly attributes: readonly TlsPolicyAttribute[];
  readonly problems: readonly TlsPolicyProblem[];
  /** False: mail for the destination is deferred (4.7.5), or no handshake succeeds. */
  readonly valid: boolean;
}

/** Attributes: the feature that brought them, and how often they may stand. */
const ATTRIBUTES: ReadonlyMap<string, { feature?: Feature; once?: boolean; nonEmpty?: boolean }> = new Map<
  string,
  { feature?: Feature; once?: boolean; nonEmpty?: boolean }
>([
  ['ciphers', { once: true, nonEmpty: true }],
  ['protocols', { once: true }],
  ['exclude', { once: true }],
  ['match', { nonEmpty: true }],
  ['tafile', { feature: 'policyTrustAnchorFile', nonEmpty: true }],
  ['servername', { feature: 'policyServerName', once: true }],
  ['connection_reuse', { feature: 'policyConnectionReuse' }],
  ['enable_rpk', { feature: 'policyRawPublicKeys' }],
  ['policy_ttl', { feature: 'policyReporting', once: true }],
  ['policy_type', { feature: 'policyReporting', once: true }],
  ['policy_domain', { feature: 'policyReporting', once: true }],
  ['policy_string', { feature: 'policyReporting' }],
  ['mx_host_pattern', { feature: 'policyReporting' }],
  ['policy_failure', { feature: 'policyReporting', once: true }],
]);

type Feature =
  | 'policyTrustAnchorFile'
  | 'policyServerName'
  | 'policyConnectionReuse'
  | 'policyRawPublicKeys'
  | 'policyReporting';

/** What says something about a policy that came from outside, and so needs `policy_type`. */
const NEEDS_POLICY_TYPE: ReadonlySet<string> = new Set([
  'policy_ttl',
  'policy_string',
  'policy_domain',
  'mx_host_pattern',
  'policy_failure',
]);

const GRADES: ReadonlySet<string> = new Set(['high', 'medium', 'low', 'export', 'null']);

/** Words of RFC 8460, as tlsrpt_wrapper.c takes them. */
const POLICY_TYPES: ReadonlySet<string> = new Set(['sts', 'no-policy-found']);
const POLICY_FAILURES: ReadonlySet<string> = new Set([
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
  'validation-failure',
]);

/**
 * Reads a policy.
 *
 * @param text a value of the table
 * @param release of Postfix: older ones know fewer levels and attributes, and no braces
 */
export function parseTlsPolicy(text: string, release: Release): TlsPolicy {
  const problems: TlsPolicyProblem[] = [];
  const attributes: TlsPolicyAttribute[] = [];
  const note = (code: TlsPolicyCode, at: number, detail: string): void => {
    problems.push({ code, at, detail });
  };

  const words = split(text, hasFeature(release, 'policyBracedAttributes'));
  const [first, ...rest] = words;
  if (first === undefined) {
    note('empty-policy', 0, '');
    return { level: null, attributes, problems, valid: false };
  }
  const level = readLevel(first.text);
  const levelKnown = level !== null && (!level.startsWith('dane') || hasFeature(release, 'dane'));
  if (!levelKnown) note(level === null ? 'bad-level' : 'too-new', first.at, first.text);

  for (const word of rest) {
    if (level === 'none') {
      note('ignored-attribute', word.at, word.text);
      continue;
    }
    const attribute = readAttribute(word, hasFeature(release, 'policyBracedAttributes'));
    if ('code' in attribute) {
      problems.push(attribute);
      continue;
    }
    const known = ATTRIBUTES.get(attribute.name);
    if (known === undefined || (known.feature !== undefined && !hasFeature(release, known.feature))) {
      note(known === undefined ? 'unknown-attribute' : 'too-new', attribute.at, attribute.name);
      continue;
    }
    if (known.nonEmpty === true && attribute.value === '') note('empty-value', attribute.at, attribute.name);
    else if (known.once === true && attributes.some(({ name }) => name === attribute.name))
      note('repeated-attribute', attribute.at, attribute.name);
    else {
      const code = check(attribute, level, release);
      if (code === 'attribute-not-at-level') note(code, attribute.at, attribute.name);
      else if (code !== null) note(code, attribute.valueAt, attribute.value);
    }
    attributes.push(attribute);
  }

  const orphan = attributes.find(({ name }) => NEEDS_POLICY_TYPE.has(name));
  if (orphan !== undefined && !attributes.some(({ name }) => name === 'policy_type'))
    note('missing-policy-type', orphan.at, orphan.name);
  return {
    level: levelKnown ? level : null,
    attributes,
    problems,
    valid: problems.every(({ code }) => code === 'ignored-attribute'),
  };
}

/**
 * The level that a word of `smtp_tls_per_site` stands for, case aside; null for a word that is none,
 * which defers the mail. Levels for the destination and for the host are combined by the caller.
 */
export function parsePerSite(text: string): ClientLevel | null {
  switch (text.toLowerCase()) {
    case 'none':
      return 'none';
    case 'may':
      return 'may';
    case 'must_nopeermatch':
      return 'encrypt';
    case 'must':
      return 'verify';
    default:
      return null;
  }
}

/** Whether a text is a host name to the server (valid_hostname.c): letters, digits, `_`, `-`, dots, not only digits. */
export function isHostname(text: string): boolean {
  if (text.length > 255 || !/[^0-9.]/.test(text)) return false;
  return text.split('.').every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
}

interface Word {
  readonly text: string;
  readonly at: number;
}

/** mystrtokq() and, without braces, mystrtok(). */
function split(text: string, braces: boolean): Word[] {
  const words: Word[] = [];
  let start = -1;
  let level = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text.charAt(at);
    if (at === text.length || (level === 0 && ', \t\r\n'.includes(character))) {
      if (start >= 0) words.push({ text: text.slice(start, at), at: start });
      start = -1;
      continue;
    }
    if (start < 0) start = at;
    if (braces && character === '{') level++;
    else if (braces && character === '}' && level > 0) level--;
  }
  return words;
}

/** `halfdane` is a word of the log, not of the configuration. */
function readLevel(text: string): ClientLevel | null {
  return CLIENT_LEVELS.find((level) => level === text.toLowerCase()) ?? null;
}

/** extpar() and split_nameval(). */
function readAttribute(word: Word, braces: boolean): TlsPolicyAttribute | TlsPolicyProblem {
  let { text, at } = word;
  if (braces && text.startsWith('{')) {
    const end = closingBrace(text);
    if (end < 0) return { code: 'unclosed-brace', at, detail: text };
    if (end + 1 < text.length)
      return { code: 'text-after-brace', at: at + end + 1, detail: text.slice(end + 1) };
    text = text.slice(1, end).replace(/[ \t\n\v\f\r]/g, ' ');
    at++;
  }
  const parts = splitNameValue(text, 0, text.length);
  if (typeof parts === 'string') return { code: parts, at, detail: text };
  return {
    name: text.slice(parts.nameStart, parts.nameEnd).toLowerCase(),
    value: text.slice(parts.valueStart, parts.valueEnd),
    at: at + parts.nameStart,
    valueAt: at + parts.valueStart,
  };
}

/** Offset of the brace that closes the first one, or -1. */
function closingBrace(text: string): number {
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') level++;
    else if (text[at] === '}' && --level === 0) return at;
  }
  return -1;
}

/** What is wrong with an attribute at a level, or null. */
function check(
  { name, value }: TlsPolicyAttribute,
  level: ClientLevel | null,
  release: Release,
): TlsPolicyCode | null {
  const verified = level === 'verify' || level === 'secure';
  switch (name) {
    case 'ciphers':
      return GRADES.has(value.toLowerCase()) ? null : 'bad-grade';
    case 'protocols':
      return parseProtocolList(value, release).valid ? null : 'bad-protocols';
    case 'exclude':
      return /(?:^|[ \t\r\n,:])[!+@-]/.test(value) ? 'bad-exclusion' : null;
    case 'match':
      return level === null || verified || level === 'fingerprint' ? null : 'attribute-not-at-level';
    case 'tafile':
      return level === null || verified ? null : 'attribute-not-at-level';
    case 'servername':
    case 'policy_domain':
      return isHostname(value) ? null : 'bad-hostname';
    case 'connection_reuse':
    case 'enable_rpk':
      return /^(?:yes|no)$/i.test(value) ? null : 'bad-value';
    case 'policy_ttl':
      return /^[0-9]{1,9}$/.test(value) || (/^[0-9]{10}$/.test(value) && value <= '2147483647')
        ? null
        : 'bad-value';
    case 'policy_type':
      return POLICY_TYPES.has(value.toLowerCase()) ? null : 'bad-value';
    case 'policy_failure':
      return POLICY_FAILURES.has(value.toLowerCase()) ? null : 'bad-value';
    default:
      return null;
  }
}
