import type { SourceFile } from '../text/source.ts';
import type { HostInput } from './host.ts';

/** How the files around a host are asked for: by what its settings name, by what Dovecot includes, and the names in a folder. */
type Kind = 'named' | 'included' | 'listed';

const KINDS: readonly Kind[] = ['included', 'listed', 'named'];

/** Gives a short text that stands for a long one: of different texts never the same. */
export type Digest = (text: string) => string;

/** What there was: a file, the names in a folder, or nothing. */
type Answer = SourceFile | readonly string[] | null;

/**
 * What was asked of the files around a host, and what there was. What was worked out from a host holds for another
 * with the same texts, if that one answers all the same.
 */
export class Looks {
  readonly #digest: Digest;
  /** What there was at each path: it need not be kept to be told from something else. */
  readonly #digests: Readonly<Record<Kind, Map<string, string>>> = {
    named: new Map(),
    included: new Map(),
    listed: new Map(),
  };
  #answers = new Map<string, Answer>();
  #asked: HostInput | null;

  constructor(input: HostInput, digest: Digest) {
    this.#asked = input;
    this.#digest = digest;
  }

  /** A file that a setting names. */
  readonly named = (path: string): SourceFile | null => this.#look('named', path) as SourceFile | null;

  /** A file that Dovecot includes. */
  readonly included = (path: string): SourceFile | null => this.#look('included', path) as SourceFile | null;

  /** The names in a folder of Dovecot's files. */
  readonly listed = (path: string): readonly string[] | null =>
    this.#look('listed', path) as readonly string[] | null;

  /** The host, each look of it remembered. */
  through(input: HostInput): HostInput {
    const { dovecot } = input;
    return {
      ...input,
      first: firstOf(input),
      open: this.named,
      dovecot: dovecot === null ? null : { ...dovecot, open: this.included, entries: this.listed },
    };
  }

  /**
   * Whether a host answers as the ones before did; then it is the one that is asked from now on, unless one is that
   * was made from the same host: that may ask through these looks itself.
   */
  agreesWith(input: HostInput): boolean {
    for (const kind of KINDS)
      for (const [path, digest] of this.#digests[kind])
        if (this.#digestOf(ask(input, kind, path)) !== digest) return false;
    if (this.#asked === null || firstOf(this.#asked) !== firstOf(input)) this.#asked = input;
    return true;
  }

  /** The host is done, and not kept. */
  letGo(): void {
    this.#asked = null;
    this.#answers = new Map();
  }

  #digestOf(answer: Answer): string {
    if (answer === null) return '';
    if (!('text' in answer)) return answer.join('\0');
    return `${answer.encoding} ${answer.path} ${this.#digest(answer.text)}`;
  }

  #look(kind: Kind, path: string): Answer {
    const known = this.#answers.get(`${kind} ${path}`);
    if (known !== undefined) return known;
    if (this.#asked === null) throw new Error(`there is no host to be asked for ${path}`);
    const answer = ask(this.#asked, kind, path);
    this.#answers.set(`${kind} ${path}`, answer);
    const digests = this.#digests[kind];
    if (!digests.has(path)) digests.set(path, this.#digestOf(answer));
    return answer;
  }
}

/** The host from which one was made, by whatever steps. */
export function firstOf(input: HostInput): HostInput {
  return input.first ?? input;
}

/** The texts of which the servers of a host are made, but for the files around them, and where they lie. */
export function textsOf({ postfix, dovecot }: HostInput): readonly string[] {
  const parts = (source: SourceFile | null): readonly string[] =>
    source === null ? ['-'] : [source.path, source.encoding, source.text];
  return [
    ...(postfix === null ? [] : [postfix.directory, ...parts(postfix.main), ...parts(postfix.master)]),
    ...(dovecot === null ? [] : [dovecot.directory, `${dovecot.mainAssumed}`, ...parts(dovecot.main)]),
  ];
}

function ask({ open, dovecot }: HostInput, kind: Kind, path: string): Answer {
  if (kind === 'named') return open(path);
  if (dovecot === null) return null;
  return kind === 'included' ? dovecot.open(path) : dovecot.entries(path);
}
