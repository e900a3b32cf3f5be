import { atLeast, type Release } from '../model/release.ts';
import { type Objectionable, objectionsTo } from '../rules/cipher-judgement.ts';
import { andList } from '../rules/messages.ts';
import type { Profile } from '../rules/profile.ts';
import { nearest } from '../text/nearest.ts';
import { type CipherClass, classesOf, classInfo, isAead } from '../tls/cipher-classes.ts';
import { vocabularyOf } from '../tls/cipher-selection.ts';
import { shortestEquivalent } from '../tls/cipher-shortest.ts';
import { type CipherList, type CipherToken, knownSomewhere, readCipherString } from '../tls/cipher-string.ts';
import { DISTRIBUTIONS, ownSecurityLevel } from '../tls/distributions.ts';
import { type CipherSuite, cipherRelease, cipherReleases, suitesOf } from '../tls/suites.ts';
import { jsonText } from './json.ts';
import type { Palette } from './palette.ts';
import { count, labelled, shownText } from './words.ts';

/** A cipher string, and what to judge it by. */
export interface CipherQuestion {
  readonly text: string;
  readonly openssl: Release;
  /** Whether nobody named the release. */
  readonly assumed: boolean;
  readonly profile: Profile;
}

/** Passed-over items that are named one by one, and suites of a class. */
const MOST_ITEMS = 20;

/** Suites in order, TLSv1.3 first as `openssl ciphers` prints them; none where OpenSSL refuses the string. */
function suitesIn({ tls13, suites, error }: CipherList): readonly CipherSuite[] {
  return error === null ? [...tls13, ...suites] : [];
}

/** What `pfharden ciphers` prints, and whether OpenSSL refuses the string. */
export interface CipherAnswer {
  readonly output: string;
  readonly refused: boolean;
}

/** How the answer is written. */
export interface CipherFormat {
  readonly json: boolean;
  readonly width: number;
  readonly palette: Palette;
}

/** Reads a cipher string and says what it means. */
export function cipherAnswer(question: CipherQuestion, format: CipherFormat): CipherAnswer {
  const list = readCipherString(question.text, question.openssl);
  const output = format.json
    ? `${jsonText(ciphersJson(question, list))}\n`
    : ciphersText(question, list, format);
  return { output, refused: list.error !== null };
}

/** What there is to say of a release before an answer is given for it. */
export type ReleaseRemark =
  | { readonly kind: 'known' }
  /** Another release of the table stands for it. */
  | { readonly kind: 'near'; readonly text: string }
  /** Older than all that is supported. */
  | { readonly kind: 'unsupported'; readonly text: string };

/** How well the table knows a release. A patch (`1.1.1w`, `3.0.20`) has the suites of its branch. */
export function releaseRemark(openssl: Release): ReleaseRemark {
  const [oldest = ''] = cipherReleases();
  const known = cipherReleases().join(', ');
  if (!atLeast(openssl, oldest))
    return { kind: 'unsupported', text: `OpenSSL ${openssl} is older than all that is known: ${known}` };
  const near = cipherRelease(openssl);
  // The letters of 1.0.1s do not make a branch.
  const branch = near.replace(/[a-z]+$/, '');
  if (openssl.startsWith(branch) && !/^\d/.test(openssl.slice(branch.length))) return { kind: 'known' };
  return { kind: 'near', text: `the suites are those of OpenSSL ${near}: known are ${known}` };
}

/** The answer of `ciphers --format json`. */
function ciphersJson({ openssl, profile }: CipherQuestion, list: CipherList): unknown {
  const byDefault = new Set([...list.tls13, ...readCipherString('DEFAULT', openssl).suites]);
  return {
    version: 1,
    openssl,
    suites: suitesIn(list).map((suite) => ({
      name: suite.name,
      protocol: suite.protocol,
      iana: suite.iana,
      id: `0x${suite.id.toString(16).toUpperCase().padStart(4, '0')}`,
      keyExchange: suite.keyExchange,
      authentication: suite.authentication,
      encryption: suite.encryption,
      bits: suite.bits,
      mac: suite.mac,
      aead: isAead(suite),
      strength: suite.strength,
      default: byDefault.has(suite),
      classes: classesOf(suite),
      forbidden: objectionsTo(suite, profile.thresholds).map(({ class: name, where }) => ({
        class: name,
        where,
      })),
    })),
    ignored: list.ignored.map(({ text }) => text),
    error: list.error,
  };
}

/** The answer for the terminal. */
function ciphersText(question: CipherQuestion, list: CipherList, { width, palette }: CipherFormat): string {
  const { openssl, assumed, profile } = question;
  const note = assumed ? ', assumed: --openssl-version names another' : '';
  const lines = [palette.dim(`OpenSSL ${openssl}${note}; profile ${profile.name}`), ''];
  if (list.error !== null) lines.push(palette.severity.error(refusal(list)), '');
  else {
    lines.push(...table(suitesIn(list), profile, palette), '');
    const own = count(list.suites.length, 'suite');
    lines.push(
      list.tls13.length === 0
        ? `${own}.`
        : `${own}, and ${list.tls13.length} of TLSv1.3, which no cipher string touches.`,
      '',
    );
  }
  const facts: (readonly [label: string, texts: readonly string[]])[] = [
    ['forbidden', forbiddenLines(suitesIn(list), profile)],
    ['no effect', ignoredLines(list.ignored, openssl)],
    ['level', list.error === null ? [securityLevel(list, openssl)] : []],
    ['shortest', [shortest(question, list)]],
  ];
  for (const [label, texts] of facts) {
    for (const [index, text] of texts.entries()) {
      if (text === '') continue;
      const [head = '', ...rest] = labelled(index === 0 ? label : '', text, 0, LABEL, width);
      lines.push(
        head.replace(label, () => palette.dim(label)),
        ...rest,
      );
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

const LABEL = 11;

function refusal({ error, errorAt }: CipherList): string {
  const place = errorAt === null ? '' : ` (character ${errorAt + 1})`;
  return `OpenSSL refuses this string${place}: ${shownText(error ?? '')}`;
}

/** One line a suite: what it is made of, and the classes for which the profile forbids it. */
function table(suites: readonly CipherSuite[], { name, thresholds }: Profile, palette: Palette): string[] {
  const rows = suites.map((suite) => {
    const objections = objectionsTo(suite, thresholds);
    const forbids = [...new Set(objections.map((one) => `${one.class}${MARKS[one.where]}`))].join(' ');
    const { protocol, keyExchange, authentication, encryption, bits, mac } = suite;
    const cipher = bits === 0 ? encryption : `${encryption}(${bits})`;
    return [protocol, suite.name, keyExchange, authentication, cipher, mac, forbids];
  });
  const heading = ['protocol', 'suite', 'key', 'auth', 'encryption', 'mac', `not for ${name}`];
  const used = rows.some((row) => row.at(-1) !== '') ? heading.length : heading.length - 1;
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string[] =>
    cells.slice(0, used).map((cell, column) => cell.padEnd(widths[column] ?? 0));
  return [
    palette.strong(line(heading).join('  ').trimEnd()),
    ...rows.map((row) => {
      const cells = line(row);
      const forbids = row.at(-1) ?? '';
      if (forbids === '') return cells.join('  ').trimEnd();
      return [...cells.slice(0, -1), palette.severity.warning(forbids)].join('  ');
    }),
  ];
}

/** How the table says where an objection holds. */
const MARKS: Readonly<Record<Objectionable, string>> = { anywhere: '', tlsRequired: '*', server: '+' };
const WHERE: Readonly<Record<Objectionable, string>> = {
  anywhere: 'anywhere',
  tlsRequired: 'where TLS is required (*)',
  server: 'on servers (+)',
};

/** Each class that the profile forbids and the list has: where, how many suites, and why. */
function forbiddenLines(suites: readonly CipherSuite[], { name: profile, thresholds }: Profile): string[] {
  const found = new Map<CipherClass, { where: Set<Objectionable>; suites: Set<CipherSuite> }>();
  for (const suite of suites) {
    for (const objection of objectionsTo(suite, thresholds)) {
      const entry = found.get(objection.class) ?? { where: new Set(), suites: new Set() };
      entry.where.add(objection.where);
      entry.suites.add(suite);
      found.set(objection.class, entry);
    }
  }
  if (suites.length > 0 && found.size === 0) return [`nothing: ${profile} allows all of them`];
  return Array.from(found, ([name, entry]) => {
    const { title, why, source } = classInfo(name);
    const where = andList(Array.from(entry.where, (place) => WHERE[place]));
    return `${name} ${where}: ${count(entry.suites.size, 'suite')} with ${title}: ${why} (${source})`;
  });
}

/** Each item that OpenSSL passes over, and what was probably meant. */
function ignoredLines(ignored: readonly CipherToken[], openssl: Release): string[] {
  const counts = new Map<string, { token: CipherToken; times: number }>();
  for (const token of ignored) {
    const entry = counts.get(token.text) ?? { token, times: 0 };
    entry.times++;
    counts.set(token.text, entry);
  }
  const lines = Array.from(counts.values())
    .slice(0, MOST_ITEMS)
    .map(({ token, times }) => {
      const again = times === 1 ? '' : `, ${times} times`;
      return `"${shownText(token.text, 80)}"${again}: ${whyIgnored(token, openssl)}`;
    });
  const more = counts.size - lines.length;
  return more > 0 ? [...lines, `and ${more} more; --format json lists them all`] : lines;
}

function whyIgnored({ unknown }: CipherToken, openssl: Release): string {
  if (unknown === null) return 'no suite can be all of this';
  if (suitesOf(openssl).some(({ name, protocol }) => name === unknown && protocol === 'TLSv1.3'))
    return 'a suite of TLSv1.3, which no cipher string touches';
  if (unknown.startsWith('DEFAULT')) return 'DEFAULT counts at the beginning of the string only';
  const elsewhere = knownSomewhere(unknown);
  if (elsewhere.includes(cipherRelease(openssl))) return 'only a build of OpenSSL with more ciphers knows it';
  if (elsewhere.length > 0)
    return `OpenSSL ${openssl} does not know it, OpenSSL ${andList(elsewhere)} did or do`;
  const meant = nearest(unknown.slice(0, 80), vocabularyOf(openssl).words.keys());
  const what = unknown.length > 80 ? 'it' : `"${shownText(unknown)}"`;
  return `no release knows ${what}${meant === null ? '' : `; did you mean ${meant}?`}`;
}

/** The level that the string asks for; else what counts, by who built OpenSSL. */
function securityLevel({ securityLevel: level }: CipherList, openssl: Release): string {
  const own = ownSecurityLevel(openssl);
  if (own === null) return `OpenSSL ${openssl} has no security levels`;
  if (level !== null) return `${level}, by @SECLEVEL=${level}`;
  const others = DISTRIBUTIONS.filter(
    (one) => one.securityLevel !== own && cipherRelease(one.openssl) === cipherRelease(openssl),
  );
  const levels = [...new Set(others.map((one) => one.securityLevel))];
  const theirs = levels.map(
    (number) =>
      `${number} on ${andList(others.filter((one) => one.securityLevel === number).map(({ name }) => name))}`,
  );
  return `not set by the string: ${[`${own} as OpenSSL comes`, ...theirs].join(', ')}; a program may set its own`;
}

function shortest({ text, openssl }: CipherQuestion, list: CipherList): string {
  if (list.error !== null) return '';
  const found = shortestEquivalent(list.suites, openssl, text);
  if (found === null) return '';
  const { securityLevel: level } = list;
  const whole = level === null ? found : `${found}:@SECLEVEL=${level}`;
  return whole.length < text.length
    ? `${shownText(whole, Number.POSITIVE_INFINITY)} (says the same to OpenSSL ${openssl})`
    : 'this string itself';
}
