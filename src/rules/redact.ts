import { secretValues as secretValuesOfDovecot } from '../dovecot/secrets.ts';
import type { DovecotHost, Host, PostfixHost } from '../hosts/host.ts';
import { perServer } from '../hosts/per-server.ts';
import { HIDDEN } from '../model/secrets.ts';
import type { PostfixConfiguration } from '../postfix/configuration.ts';
import { secretValues } from '../postfix/secrets.ts';

/** Shorter words are not worth hiding: they would be hidden in half of all sentences. */
const SHORTEST = 4;

const known = new WeakMap<Host, (text: string) => string>();

/**
 * Takes the secrets of a host out of a text: whatever a check quotes, be it a value, a part of one, or
 * the beginning of one with an ellipsis.
 *
 * @returns a function that gives the text with `(hidden)` in the place of each word of a secret
 */
export function redactor(host: Host): (text: string) => string {
  const made =
    known.get(host) ?? makeRedactor(new Set([...secretWords(host.postfix), ...secretWords(host.dovecot)]));
  known.set(host, made);
  return made;
}

/** The secrets of a server as one text, to be compared with those of another. */
export function secretsOf(server: PostfixHost | DovecotHost | null): string {
  return [...secretWords(server)].join('\0');
}

/** The same for all texts that a value holds, at any depth. */
export function redactData(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactData(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactData(item, redact)]));
}

function makeRedactor(words: ReadonlySet<string>): (text: string) => string {
  if (words.size === 0) return (text) => text;
  const escaped = [...words]
    .sort((a, b) => b.length - a.length)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    // A password that is a plain word would else be hidden within the names of settings.
    .map((word) => (/^[a-z]+$/.test(word) ? `(?<![\\w-])${word}(?![\\w-])` : word));
  const cut = [...words].map(
    (word) => `${word.slice(0, SHORTEST).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\S*…`,
  );
  const pattern = new RegExp([...escaped, ...cut].join('|'), 'g');
  return (text) => text.replace(pattern, HIDDEN);
}

const NONE: ReadonlySet<string> = new Set();

const wordsOf = perServer((server: PostfixHost | DovecotHost) =>
  'input' in server ? dovecotWords(server) : postfixWords(server.configuration),
);

function secretWords(server: PostfixHost | DovecotHost | null): ReadonlySet<string> {
  return server === null ? NONE : wordsOf(server);
}

/** What stands at the secret places of Dovecot's files, as a whole and word by word. */
function dovecotWords({ configuration: { tree } }: DovecotHost): ReadonlySet<string> {
  const words = new Set<string>();
  for (const file of tree.files) {
    for (const span of secretValuesOfDovecot(file)) {
      const text = file.source.slice(span);
      for (const word of [text.replace(/^["']|["']$/g, ''), ...text.split(/[\s"']+/)])
        if (word.length >= SHORTEST) words.add(word);
    }
  }
  return words;
}

/** Words of all secrets in main.cf and master.cf: of overrides as they are and as they were meant, and of what stands within other values. */
function postfixWords(configuration: PostfixConfiguration): ReadonlySet<string> {
  const words = new Set<string>();
  for (const tree of [configuration.main, configuration.master])
    if (tree !== null)
      for (const span of secretValues(tree))
        addWords(configuration, withoutLogins(tree.source.slice(span)), words);
  return words;
}

function addWords(configuration: PostfixConfiguration, value: string, words: Set<string>): void {
  for (const word of value.split(/[\s,{}()[\]:=$"']+/)) {
    if (word.length >= SHORTEST && !TABLE_TYPES.has(word) && configuration.parameter(word) === null)
      words.add(word);
  }
}

/** In a password table written in place, the login before the colon is no secret, and may be a host name that reports need. */
function withoutLogins(value: string): string {
  if (!TABLE.test(value)) return value;
  const passwords = [
    ...[...value.matchAll(/static:[^:\s]*:(\S+)/g)].map(([, password = '']) => password),
    ...[...value.matchAll(/=\s*[^:{}\s]*:([^,{}\s]+)/g)].map(([, password = '']) => password),
  ];
  return passwords.length > 0 ? passwords.join(' ') : value;
}

/** What begins as a table does: behind other words there may be anything. */
const TABLE = /^\w+:/;

/** Words of a table in place that say nothing. */
const TABLE_TYPES: ReadonlySet<string> = new Set([
  'static',
  'inline',
  'proxy',
  'hash',
  'texthash',
  'lmdb',
  'btree',
]);
