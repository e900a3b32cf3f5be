import dovecotServices from '../dovecot/data/services.json' with { type: 'json' };
import dovecotSettings from '../dovecot/data/settings.json' with { type: 'json' };
import postfixParameters from '../postfix/data/parameters.json' with { type: 'json' };
import { SourceFile } from '../text/source.ts';
import ciphers from '../tls/data/ciphers.json' with { type: 'json' };
import groups from '../tls/data/groups.json' with { type: 'json' };
import type { HostInput } from './host.ts';

/**
 * Hosts of one repository are often alike but for what they are called and where they lie. Under names that stand
 * in for their own they have the same texts, and what was worked out for one holds for the others. A name that
 * stands in is as long as the own one and of the same shape, so that nothing moves in a file or in a report.
 */

/** A host under the names that stand in for its own. */
export interface StandIn {
  readonly input: HostInput;
  /** Puts the own names back. Null where a text has cut one that stands in, so that it cannot be put back. */
  restored(text: string): string | null;
  /** A name of its own stands in for the host's, not only for its folder. */
  readonly isNamed: boolean;
  /**
   * False where a file that was looked into says something of the name that does not hold for another: a
   * certificate, a pattern, the name within another word. What was worked out is of no use then.
   */
  isFit(): boolean;
}

/** Letters of names that stand in, by turns: no word that anybody writes has them side by side. */
const LETTERS = ['z', 'q'] as const;
const LEFT_OVER = /zq|qz|[zq0]…|…[zq0]/;

/** Folders within a host that say nothing of which one it is. */
const LAYOUT = /(?:\/(?:etc|postfix|dovecot))+$/;

/** Paths that look the same wherever they are shown. */
const PLAIN_PATH = /^[\w./-]+$/;

/** The least that a name has: letters that no hexadecimal number has, and a digit, which words of the servers rarely have. */
const HOST_NAME = /^(?=[a-z-]*[g-z])[a-z]{2,}(?=[a-z-]*\d)[a-z0-9-]*$/;

/** Characters of a line with a name: of a longer one a report may show the beginning of the name alone. */
const LONGEST_LINE = 100;

/** Texts that say more of a name than that it is the same as another. */
const BEYOND_NAMES = /-----BEGIN|(?:pcre|regexp):\s*\{/;

/**
 * A host under names that stand in for its own; null where that cannot be done.
 *
 * @param named not only its folder gets another name, but what it is called in its files
 */
export function standIn(input: HostInput, named: boolean): StandIn | null {
  const { root, postfix, dovecot } = input;
  if (input.facts !== undefined || !PLAIN_PATH.test(root)) return null;
  const heads = [postfix?.main, postfix?.master, dovecot?.main].filter(
    (source) => source !== null && source !== undefined,
  );
  const base = root.replace(LAYOUT, '');
  const folder = pathStandingIn(base);
  const paths = [...heads.map(({ path }) => path), postfix?.directory, dovecot?.directory];
  const isInside = (path: string): boolean => path === base || path.startsWith(`${base}/`);
  if (!folder.includes('zqzq') || !paths.every((path) => path === undefined || isInside(path))) return null;
  if (heads.some(({ text }) => LEFT_OVER.test(text))) return null;
  const own = named ? ownName(input) : null;
  const usable = own !== null && heads.every(({ text }) => !BEYOND_NAMES.test(text) && isRegular(text, own));
  return new Standing(input, { base, folder }, usable ? own : null);
}

class Standing implements StandIn {
  readonly input: HostInput;
  readonly #root: string;
  readonly #folder: string;
  readonly #own: string | null;
  readonly #name: string;
  readonly #sources = new Map<SourceFile, SourceFile>();
  #fit = true;

  constructor(
    input: HostInput,
    { base, folder }: { readonly base: string; readonly folder: string },
    own: string | null,
  ) {
    const { root, postfix, dovecot, open } = input;
    this.#root = base;
    this.#folder = folder;
    this.#own = own;
    this.#name = own === null ? '' : nameStandingIn(own);
    const head = (source: SourceFile | null): SourceFile | null =>
      source === null ? null : this.#source(source);
    this.input = {
      ...input,
      root: this.#path(root),
      postfix:
        postfix === null
          ? null
          : {
              directory: this.#path(postfix.directory),
              main: head(postfix.main),
              master: head(postfix.master),
            },
      dovecot:
        dovecot === null
          ? null
          : {
              ...dovecot,
              directory: this.#path(dovecot.directory),
              main: this.#source(dovecot.main),
              open: (path) => {
                const source = dovecot.open(this.#ownPath(path));
                return source === null ? null : this.#source(source);
              },
              entries: (path) => this.#entries(path, dovecot.entries(this.#ownFolder(path))),
            },
      open: (path) => {
        const source = open(this.#ownPath(path));
        // A table may look at a part of a name, and nobody knows what of it counts.
        if (source !== null && own !== null && source.text.toLowerCase().includes(own)) this.#fit = false;
        return source === null ? null : this.#source(source);
      },
      inOwnNames: (text) => (this.#own === null && !text.includes(folder) ? text : this.#ownPath(text)),
    };
  }

  get isNamed(): boolean {
    return this.#own !== null;
  }

  isFit(): boolean {
    return this.#fit;
  }

  restored(text: string): string | null {
    const own = this.#ownPath(text);
    return LEFT_OVER.test(own) ? null : own;
  }

  /** A path, or any text, with the own names in it. */
  #ownPath(path: string): string {
    const within = path.replaceAll(this.#folder, this.#root);
    return this.#own === null ? within : within.replaceAll(this.#name, this.#own);
  }

  /** A folder that may lie on the way to the host. */
  #ownFolder(path: string): string {
    return this.#isOnTheWay(path) ? this.#root.slice(0, path.length) : this.#ownPath(path);
  }

  #isOnTheWay(path: string): boolean {
    return path.length < this.#folder.length && this.#folder.startsWith(path);
  }

  #entries(path: string, names: readonly string[] | null): readonly string[] | null {
    if (names === null) return null;
    if (!this.#isOnTheWay(path)) return names.map((name) => this.#text(name));
    const next = (full: string): string =>
      full
        .slice(path.length)
        .split('/')
        .find((part) => part !== '') ?? '';
    const own = next(this.#root);
    return names.map((name) => (name === own ? next(this.#folder) : this.#text(name)));
  }

  #path(path: string): string {
    return path === this.#root || path.startsWith(`${this.#root}/`)
      ? this.#folder + this.#text(path.slice(this.#root.length))
      : path;
  }

  #source(source: SourceFile): SourceFile {
    const known = this.#sources.get(source);
    if (known !== undefined) return known;
    const { path, text, encoding } = source;
    if (LEFT_OVER.test(text) || (this.#own !== null && BEYOND_NAMES.test(text))) this.#fit = false;
    const standing = new SourceFile(this.#path(path), this.#text(text), encoding);
    this.#sources.set(source, standing);
    return standing;
  }

  #text(text: string): string {
    if (this.#own === null) return text;
    if (!isRegular(text, this.#own)) this.#fit = false;
    return text.replaceAll(this.#own, this.#name);
  }
}

/**
 * Whether a name stands in a text as a word of its own alone, always written the same, not at the beginning of a line,
 * where settings and services have their names, and where no report cuts it.
 */
function isRegular(text: string, name: string): boolean {
  const lower = text.toLowerCase();
  if (lower.length !== text.length) return false;
  for (let at = lower.indexOf(name); at >= 0; at = lower.indexOf(name, at + 1)) {
    const end = at + name.length;
    if (
      !text.startsWith(name, at) ||
      isWordCharacter(text.charAt(at - 1)) ||
      isWordCharacter(text.charAt(end))
    )
      return false;
    const lineStart = text.lastIndexOf('\n', at) + 1;
    const lineEnd = text.indexOf('\n', end);
    if ((lineEnd < 0 ? text.length : lineEnd) - lineStart > LONGEST_LINE) return false;
    if (text.slice(lineStart, at).trim() === '') return false;
  }
  return true;
}

function isWordCharacter(character: string): boolean {
  return /\w/.test(character);
}

/** What a host is called: the first part of the name that it gives itself, else the folder that is called like a host. */
function ownName({ root, postfix }: HostInput): string | null {
  const [, given = ''] =
    /^myhostname[ \t]*=[ \t]*([\w-]+)\.[\w.-]+[ \t]*$/m.exec(postfix?.main?.text ?? '') ?? [];
  const folders = root
    .split('/')
    .toReversed()
    .map((folder) => folder.split('.')[0] ?? '');
  return [given, ...folders].find((name) => HOST_NAME.test(name) && !isWordOfServers(name)) ?? null;
}

let words: ReadonlySet<string> | null = null;

/** Whether a name has a part that means something to the servers or to OpenSSL: `sha256`, `x25519`, `imap4`. */
function isWordOfServers(name: string): boolean {
  words ??= new Set(
    [postfixParameters, dovecotSettings, dovecotServices, ciphers, groups].flatMap(
      (table) =>
        JSON.stringify(table)
          .toLowerCase()
          .match(/[a-z]+\d[a-z\d]*/g) ?? [],
    ),
  );
  const known = words;
  return name.split('-').some((part) => known.has(part));
}

/** A path with other letters and digits. */
function pathStandingIn(path: string): string {
  let at = 0;
  return path.replace(/[A-Za-z0-9]/g, () => LETTERS[at++ % LETTERS.length] ?? '');
}

/** A name with other letters, and zeros. */
function nameStandingIn(name: string): string {
  let at = 0;
  return name.replace(/[a-z0-9]/g, (character) =>
    character >= 'a' ? (LETTERS[at++ % LETTERS.length] ?? '') : '0',
  );
}
